/* Targets: which state a commit, a version and a time mean, and what is read there. */
#include <ctype.h>

#include "graph/branch_ops.h"
#include "graph/history.h"
#include "graph/layout.h"
#include "graph/restore.h"
#include "graph/target.h"
#include "graph_fixture.h"
#include "og_test.h"

#define START_US 1700000000000000

typedef fixture_world world;

/* A graph with three commits at START_US + 1, 2 and 3 seconds, which add a row to A each. */
static void world_init(world *w)
{
    const char *const ids[] = {"a", "b", "c"};
    fixture_world_init(w);
    for (int i = 0; i < 3; i++) {
        w->clock.now_us += 1000000;
        assert_ok(fixture_write(w->repo, "A", ids[i], err));
    }
}

/* A world that is closed last, after the snapshots of the test. */
#define OPEN_WORLD(name)                                                                           \
    __attribute__((cleanup(fixture_world_deinit))) world name;                                     \
    world_init(&name)

/* Rows of A that a scan of the target's snapshot finds. */
static int rows_at(const world *w, const og_target *target)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot_at(w->repo, target, &snapshot, err));
    og_lance_table *table;
    assert_ok(
        og_snapshot_table(snapshot, og_catalog_node(snapshot->catalog, OG_STR("A")), &table, err));
    size_t count;
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (og_str_is(infos[i].table_key, "node:A"))
            assert_int_equal(infos[i].row_count, og_lance_table_row_count(table));
    return (int)og_lance_table_row_count(table);
}

static og_status fails_at(const world *w, const og_target *target, const char *message)
{
    og_snapshot *snapshot;
    og_error error;
    og_status s = og_repo_snapshot_at(w->repo, target, &snapshot, &error);
    assert_string_equal(error.message, message);
    return s;
}

TEST(test_target__nothing_said_is_main)
{
    OPEN_WORLD(w);
    assert_int_equal(rows_at(&w, &(og_target){0}), 3);
}

TEST(test_target__a_commit_is_the_state_it_made)
{
    OPEN_WORLD(w);
    OG_AUTO(og_history) history = NULL;
    assert_ok(og_history_open(w.repo, NULL, &history, err));
    size_t count;
    const og_commit_info *commits = fixture_commits(history, &count);
    for (size_t i = 0; i < count; i++) {
        og_target target = {0};
        og_target_set_snapshot(&target, commits[i].id.ptr);
        assert_int_equal(target.kind, OG_TARGET_COMMIT);
        assert_int_equal(rows_at(&w, &target), i);
        OG_AUTO(og_snapshot) snapshot = NULL;
        assert_ok(og_repo_snapshot_at(w.repo, &target, &snapshot, err));
        assert_string_equal(og_snapshot_commit(snapshot), commits[i].id.ptr);
        assert_int_equal(snapshot->manifest_version, commits[i].manifest_version);
    }
    char small[27];
    og_target target = {0};
    snprintf(small, sizeof small, "%.*s", OG_FMT(commits[1].id));
    for (char *c = small; *c != '\0'; c++)
        *c = (char)tolower(*c);
    og_target_set_snapshot(&target, small);
    assert_int_equal(rows_at(&w, &target), 1);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    assert_ok(og_target_parse(arena, small, NULL, &target, err));
    assert_int_equal(rows_at(&w, &target), 1);
    assert_ok(og_branch_make(w.repo, NULL, small, err)); /* then it is meant */
    assert_int_equal(rows_at(&w, &target), 3);
    const og_target none = {.kind = OG_TARGET_COMMIT, .commit = "nope"};
    assert_status(fails_at(&w, &none, "commit 'nope' not found"), OG_NOT_FOUND);
}

TEST(test_target__a_version_is_a_number)
{
    OPEN_WORLD(w);
    OG_AUTO(og_snapshot) newest = NULL;
    assert_ok(og_repo_snapshot(w.repo, NULL, &newest, err));
    uint64_t version = newest->manifest_version;
    og_target target = {0};
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)version - 1);
    og_target_set_snapshot(&target, text);
    assert_int_equal(target.kind, OG_TARGET_VERSION);
    assert_int_equal(rows_at(&w, &target), 2);
    target.version = version;
    assert_int_equal(rows_at(&w, &target), 3);
    target.version = 77;
    assert_status(fails_at(&w, &target, "branch 'main' has no version 77 yet; its newest is 4"),
                  OG_NOT_FOUND);
    target.version = 0;
    assert_status(fails_at(&w, &target, "branch 'main' has no version 0"), OG_NOT_FOUND);
}

TEST(test_target__a_time_is_the_last_commit_not_after_it)
{
    OPEN_WORLD(w);
    for (int i = 0; i <= 3; i++) {
        int64_t at = START_US + 1000000 * (int64_t)i;
        assert_int_equal(rows_at(&w, &(og_target){.kind = OG_TARGET_TIME, .time_us = at}), i);
        at += 999999;
        assert_int_equal(rows_at(&w, &(og_target){.kind = OG_TARGET_TIME, .time_us = at}), i);
    }
    const og_target before = {.kind = OG_TARGET_TIME, .time_us = START_US - 1};
    assert_status(
        fails_at(&w, &before, "branch 'main' has no commit at or before 2023-11-14T22:13:19.999Z"),
        OG_NOT_FOUND);
}

TEST(test_target__texts_of_moments)
{
    static const struct {
        const char *text;
        og_target_kind kind;
        int64_t value;
    } cases[] = {
        {"12", OG_TARGET_VERSION, 12},
        {"2023-11-14T22:13:20Z", OG_TARGET_TIME, START_US},
        {"2023-11-14T22:13:20.123456Z", OG_TARGET_TIME, START_US + 123456},
        {"2023-11-14T22:13:20.1Z", OG_TARGET_TIME, START_US + 100000},
        {"2023-11-14T22:13:20.1234567Z", OG_TARGET_TIME, START_US + 123456},
        {"2023-11-14T23:13:20+01:00", OG_TARGET_TIME, START_US},
        {"2023-11-14", OG_TARGET_TIME, 1699920000000000},
        {"2023-11-14 22:13:20", OG_TARGET_TIME, START_US},
        {"2023-11-14T22:13", OG_TARGET_TIME, START_US - 20000000},
        {"2023-11-14 22:13Z", OG_TARGET_TIME, START_US - 20000000},
        {"2023-11-14 23:13+01:00", OG_TARGET_TIME, START_US - 20000000},
        {"2023-11-14 21:13 -01:00", OG_TARGET_TIME, START_US - 20000000},
        {" 2023-11-14 22:13:20.1 UTC ", OG_TARGET_TIME, START_US + 100000},
        {"2023-11-14 22:13 UTC", OG_TARGET_TIME, START_US - 20000000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        og_target target = {0};
        assert_ok(og_target_set_moment(&target, cases[i].text, err));
        assert_int_equal(target.kind, cases[i].kind);
        assert_int_equal(target.kind == OG_TARGET_TIME ? target.time_us : (int64_t)target.version,
                         cases[i].value);
    }
    static const char *const wrong[] = {"",
                                        "yesterday",
                                        "-1",
                                        "2023-13-01",
                                        "12x",
                                        "2023-11-14T22",
                                        "2023-11-14T22:1",
                                        "2023-11-14T22:13.5",
                                        "2023-11-14T22:13:",
                                        "2023-11-14 10:13 PM",
                                        "2023-11-14 22:13 CET",
                                        "2023-11-14 22:13+01:00 UTC",
                                        "UTC",
                                        "11/14/2023"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        og_target target = {0};
        assert_status(og_target_set_moment(&target, wrong[i], NULL), OG_INVALID);
    }
}

/* Remove the manifest of a version of a data set. */
static void remove_version(const world *w, const char *path, uint64_t version)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    assert_true(og_lance_manifest_name(&name, path, version));
    const char *names[] = {og_buf_cstr(&name)};
    assert_ok(w->store->ops->remove(w->store, names, 1, err));
}

TEST(test_target__what_was_cleaned_away_is_not_found)
{
    OPEN_WORLD(w);
    OG_AUTO(og_snapshot) newest = NULL;
    assert_ok(og_repo_snapshot(w.repo, NULL, &newest, err));
    remove_version(&w, OG_GRAPH__MANIFEST, 2);
    og_target target = {.kind = OG_TARGET_VERSION, .version = 2};
    og_repo *fresh = fixture_open(w.store, &w.clock);
    og_repo_close(w.repo);
    w.repo = fresh;
    assert_status(fails_at(&w, &target, "version 2 of branch 'main' was cleaned away"),
                  OG_NOT_FOUND);
}

TEST(test_target__a_table_cleaned_away_is_named)
{
    OPEN_WORLD(w);
    og_error error;
    og_target target = {.kind = OG_TARGET_VERSION, .version = 2};
    OG_AUTO(og_snapshot) past = NULL;
    assert_ok(og_repo_snapshot_at(w.repo, &target, &past, err));
    const og_type_def *def = og_catalog_node(past->catalog, OG_STR("A"));
    char path[128];
    snprintf(path, sizeof path, "%.*s", OG_FMT(def->table_path));
    remove_version(&w, path, 2);
    og_lance_table *table;
    assert_status(og_snapshot_table(past, def, &table, &error), OG_NOT_FOUND);
    assert_string_equal(error.message, "table node:A: version 2, which version 2 of branch 'main' "
                                       "needs, was cleaned away");
}

TEST(test_target__tells_of_an_aborted_operation)
{
    OPEN_WORLD(w);
    og_error error;
    OG_AUTO(og_snapshot) newest = NULL;
    assert_ok(og_repo_snapshot(w.repo, NULL, &newest, err));
    const og_str op = OG_STR("01K9Z3W8Q6YB2T4M5N7P0R1S2V");
    og_graph__op_fate fate;
    assert_ok(
        og_graph__abort_op(w.repo, og_graph__branch_of(newest), op, NULL, 0, NULL, &fate, err));
    og_history *history;
    const og_commit_info *commit;
    assert_status(og_history_find_any(w.repo, op, &history, &commit, &error), OG_NOT_FOUND);
    assert_string_equal(error.message,
                        "operation '01K9Z3W8Q6YB2T4M5N7P0R1S2V' was aborted: nothing "
                        "of it was published, and nothing ever will be");
}
