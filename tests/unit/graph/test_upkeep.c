/* optimize and cleanup of whole graphs: the same rows after, whatever fails on the way. */
#include <stdlib.h>

#include "graph/branch_ops.h"
#include "graph/cleanup.h"
#include "graph/load.h"
#include "graph/optimize.h"
#include "graph/target.h"
#include "graph_fixture.h"
#include "og_test.h"

#define HOUR_US INT64_C(3600000000)

typedef struct world {
    og_store *store;
    fixture_clock clock;
} world;

static void world_init(world *w, int commits)
{
    assert_ok(og_store_open_memory(&w->store, err));
    fixture_clock_init(&w->clock);
    fixture_init(w->store, &w->clock);
    og_repo *repo = fixture_open(w->store, &w->clock);
    for (int i = 0; i < commits; i++) {
        char id[16];
        snprintf(id, sizeof id, "k%d", i);
        w->clock.now_us += HOUR_US;
        assert_ok(fixture_write_both(repo, id, err));
    }
    og_repo_close(repo);
}

static uint32_t fragments(og_repo *repo, const char *type)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(repo, "main", &snapshot, err));
    og_lance_table *table;
    uint32_t count;
    assert_ok(og_snapshot_table(snapshot, og_catalog_node(snapshot->catalog, og_str_of(type)),
                                &table, err));
    og_lance_table_fragments(table, &count);
    return count;
}

static uint64_t manifest_version(og_repo *repo)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(repo, "main", &snapshot, err));
    return snapshot->manifest_version;
}

/* ---- optimize ------------------------------------------------------------------------------- */

TEST(test_upkeep__optimize_commits_each_table_once)
{
    world w;
    world_init(&w, 5);
    og_repo *repo = fixture_open(w.store, &w.clock);
    uint64_t before = manifest_version(repo);
    og_optimize_output done;
    assert_ok(og_optimize_run(repo, NULL, &done, err));
    assert_int_equal(done.count, 3);
    assert_true(og_str_is(done.tables[0].def->table_key, "edge:E"));
    assert_false(done.tables[0].committed);
    assert_true(done.tables[1].committed && done.tables[2].committed);
    assert_int_equal(done.tables[1].fragments_removed, 5);
    assert_int_equal(done.tables[1].fragments_added, 1);
    og_optimize_output_deinit(&done);
    assert_int_equal(manifest_version(repo), before + 2);
    assert_int_equal(fragments(repo, "A"), 1);
    assert_int_equal(fixture_count(repo, "A"), 5);
    assert_int_equal(fixture_count(repo, "B"), 5);

    OG_AUTO(og_lance_table) manifest = NULL;
    uint32_t count;
    assert_ok(og_lance_table_open(og_repo_env(repo), "__manifest", 0, 0, &manifest, err));
    og_lance_table_fragments(manifest, &count);
    assert_int_equal(count, 2); /* all old rows, and those of the last commit */

    assert_ok(og_optimize_run(repo, NULL, &done, err));
    for (size_t i = 0; i < done.count; i++)
        assert_false(done.tables[i].committed);
    og_optimize_output_deinit(&done);
    assert_int_equal(manifest_version(repo), before + 2);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_upkeep__optimize_survives_any_failing_call)
{
    static const og_store_fault faults[] = {OG_STORE_FAIL, OG_STORE_LOST_ACK, OG_STORE_CRASH};
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
        for (uint64_t at = 0;; at++) {
            world w;
            world_init(&w, 2);
            og_store_fault_at plan = {.at = UINT64_MAX, .fault = faults[f]};
            og_store *faulty = NULL;
            assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &faulty, err));
            og_repo *repo = fixture_open(faulty, &w.clock);
            plan.at = plan.seen + at;
            og_optimize_output done = {0};
            if (og_optimize_run(repo, NULL, &done, NULL) == OG_OK)
                og_optimize_output_deinit(&done);
            bool over = plan.seen <= plan.at;
            og_repo_close(repo);
            og_store_close(faulty);
            w.clock.now_us += HOUR_US;
            repo = fixture_open(w.store, &w.clock);
            assert_int_equal(fixture_count(repo, "A"), 2);
            assert_ok(fixture_write_both(repo, "next", err));
            assert_int_equal(fixture_count(repo, "A"), 3);
            assert_int_equal(fixture_count(repo, "B"), 3);
            og_repo_close(repo);
            og_store_close(w.store);
            if (over)
                break;
            assert_true(at < 1000);
        }
}

/* ---- cleanup -------------------------------------------------------------------------------- */

static uint64_t clean(og_repo *repo, og_cleanup_input input)
{
    og_cleanup_output done;
    uint64_t removed = 0;
    assert_ok(og_cleanup_run(repo, &input, &done, err));
    for (size_t i = 0; i < done.count; i++) {
        assert_null(done.tables[i].error);
        removed += done.tables[i].removed.versions_removed;
    }
    og_cleanup_output_deinit(&done);
    return removed;
}

static og_status look_back(og_repo *repo, uint64_t version)
{
    const og_target target = {.kind = OG_TARGET_VERSION, .version = version};
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_TRY(og_repo_snapshot_at(repo, &target, &snapshot, NULL));
    og_lance_table *table;
    return og_snapshot_table(snapshot, og_catalog_node(snapshot->catalog, OG_STR("A")), &table,
                             NULL);
}

TEST(test_upkeep__cleanup_keeps_the_versions_behind_the_newest)
{
    world w;
    world_init(&w, 10);
    og_repo *repo = fixture_open(w.store, &w.clock);
    uint64_t newest = manifest_version(repo);
    assert_int_equal(clean(repo, (og_cleanup_input){.by_count = true, .keep = 100}), 0);
    /* A and B have 11 versions each. */
    assert_int_equal(clean(repo, (og_cleanup_input){.by_count = true, .keep = 2}), 16);
    assert_int_equal(look_back(repo, newest - 2), OG_OK);
    assert_int_equal(look_back(repo, newest - 3), OG_NOT_FOUND);
    assert_int_equal(fixture_count(repo, "A"), 10);
    assert_ok(fixture_write_both(repo, "next", err));
    og_repo_close(repo);

    repo = fixture_open(w.store, &w.clock);
    assert_int_equal(fixture_count(repo, "B"), 11);
    og_repo_close(repo);
    og_store_close(w.store);
}

/* A slot of `__manifest` that was free again could be taken by a writer that
 * slept since it was the next. */
TEST(test_upkeep__no_slot_of_the_manifest_is_freed)
{
    world w;
    world_init(&w, 5);
    og_repo *repo = fixture_open(w.store, &w.clock);
    uint64_t newest = manifest_version(repo);
    assert_true(clean(repo, (og_cleanup_input){.by_count = true, .keep = 0}) > 0);
    for (uint64_t version = 1; version <= newest; version++) {
        OG_AUTO_BUF name = OG_BUF_INIT;
        assert_true(og_lance_manifest_name(&name, "__manifest", version));
        assert_status(
            w.store->ops->put_if_absent(w.store, og_buf_cstr(&name), (og_bytes){0}, true, NULL),
            OG_EXISTS);
    }
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_upkeep__cleanup_by_age_keeps_what_is_younger)
{
    world w;
    world_init(&w, 10); /* an hour apart */
    og_repo *repo = fixture_open(w.store, &w.clock);
    uint64_t newest = manifest_version(repo);
    const og_cleanup_input two_hours = {.by_age = true, .older_than_us = 2 * HOUR_US};
    assert_int_equal(clean(repo, two_hours), 16);
    assert_int_equal(look_back(repo, newest - 2), OG_OK);
    assert_int_equal(look_back(repo, newest - 3), OG_NOT_FOUND);
    /* Both bounds: what either keeps stays. */
    const og_cleanup_input both = {.by_age = true, .by_count = true, .keep = 50};
    assert_int_equal(clean(repo, both), 0);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_upkeep__a_table_that_is_rarely_written_keeps_its_pin)
{
    world w;
    world_init(&w, 1);
    og_repo *repo = fixture_open(w.store, &w.clock);
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof id, "only%d", i);
        assert_ok(fixture_write(repo, "A", id, err));
    }
    clean(repo, (og_cleanup_input){.by_count = true, .keep = 0});
    assert_int_equal(fixture_count(repo, "A"), 6);
    assert_int_equal(fixture_count(repo, "B"), 1);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_upkeep__a_head_that_nobody_published_is_no_reason_to_drop_its_pin)
{
    world w;
    world_init(&w, 3);
    og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_CRASH};
    og_store *faulty = NULL;
    assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &faulty, err));
    /* Die at each call of a commit in turn; then clean up with nothing kept behind the newest. */
    for (uint64_t at = 0; at < 60; at++) {
        og_repo *dying = fixture_open(w.store, &w.clock);
        og_repo_close(dying);
        plan = (og_store_fault_at){.at = UINT64_MAX, .fault = OG_STORE_CRASH};
        og_store_close(faulty);
        assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &faulty, err));
        dying = fixture_open(faulty, &w.clock);
        plan.at = plan.seen + at;
        (void)!fixture_write_both(dying, "dead", NULL);
        og_repo_close(dying);
        w.clock.now_us += HOUR_US;
        og_repo *repo = fixture_open(w.store, &w.clock);
        uint64_t rows = fixture_count(repo, "A");
        clean(repo, (og_cleanup_input){.by_count = true, .keep = 0});
        assert_int_equal(fixture_count(repo, "A"), rows);
        assert_ok(fixture_write_both(repo, "next", err));
        assert_int_equal(fixture_count(repo, "A"), fixture_count(repo, "B"));
        og_repo_close(repo);
    }
    og_store_close(faulty);
    og_store_close(w.store);
}

TEST(test_upkeep__a_failing_table_does_not_stop_the_others)
{
    world w;
    world_init(&w, 4);
    og_repo *repo = fixture_open(w.store, &w.clock);
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(repo, "main", &snapshot, err));
    const og_type_def *a = og_catalog_node(snapshot->catalog, OG_STR("A"));
    char path[128];
    snprintf(path, sizeof path, "%.*s", OG_FMT(a->table_path));
    OG_AUTO_BUF name = OG_BUF_INIT;
    og_lance_manifest_name(&name, path, 2);
    assert_ok(
        w.store->ops->put(w.store, og_buf_cstr(&name), (og_bytes){(const uint8_t *)"x", 1}, err));
    const og_cleanup_input input = {.by_count = true, .keep = 0};
    og_cleanup_output done;
    assert_ok(og_cleanup_run(repo, &input, &done, err));
    assert_non_null(done.tables[1].error);
    assert_int_equal(done.tables[1].removed.versions_removed, 0);
    assert_null(done.tables[2].error);
    assert_true(done.tables[2].removed.versions_removed > 0);
    og_cleanup_output_deinit(&done);
    assert_status(og_cleanup_run(repo, &(og_cleanup_input){0}, &done, NULL), OG_INVALID);
    og_repo_close(repo);
    og_store_close(w.store);
}

/* ---- branches that go meanwhile -------------------------------------------------------------- */

/* Deletes a branch, or makes one, before the call with number `at`. */
typedef struct meddler {
    world *w;
    uint64_t at;
    bool is_done;
} meddler;

/* Another process's handle when it is time, once; else NULL. */
static og_repo *meddle(meddler *d, uint64_t call)
{
    if (call != d->at || d->is_done)
        return NULL;
    d->is_done = true;
    return fixture_open(d->w->store, &d->w->clock);
}

static og_store_fault delete_at(void *context, uint64_t call, const char *op, const char *name)
{
    (void)op, (void)name;
    og_repo *repo = meddle(context, call);
    if (repo == NULL)
        return OG_STORE_PASS;
    assert_ok(og_branch_remove(repo, "b", err));
    og_repo_close(repo);
    return OG_STORE_PASS;
}

/* Three commits that leave the versions before them behind. */
static void go_on(og_repo *repo)
{
    static const char *const ids[] = {"x", "y", "z"};
    for (int i = 0; i < 3; i++)
        assert_ok(fixture_write_both(repo, ids[i], err));
}

/* Clean while the branch goes before that call; false: it has fewer. */
static bool clean_while_branch_goes(uint64_t at)
{
    world w;
    world_init(&w, 3);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "of b", err));
    assert_ok(fixture_write_on(repo, "b", "A", "more", err));
    og_repo_close(repo);

    meddler d = {.w = &w, .at = at};
    OG_AUTO(og_store) watched = NULL;
    assert_ok(og_store_wrap(w.store, (og_store_hook){delete_at, &d}, 0, &watched, err));
    og_repo *cleaner = fixture_open(watched, &w.clock);
    const og_cleanup_input input = {.by_count = true, .keep = 0};
    og_cleanup_output out;
    assert_ok(og_cleanup_run(cleaner, &input, &out, err));
    for (size_t i = 0; i < out.count; i++)
        assert_null(out.tables[i].error);
    og_cleanup_output_deinit(&out);
    og_repo_close(cleaner);

    repo = fixture_open(w.store, &w.clock);
    assert_int_equal(fixture_count(repo, "A"), 3);
    assert_ok(fixture_write_both(repo, "after", err));
    og_repo_close(repo);
    og_store_close(OG_TAKE(watched));
    og_store_close(w.store);
    return d.is_done;
}

TEST(test_upkeep__a_branch_may_go_at_any_time_of_a_cleanup)
{
    uint64_t at = 0;
    while (clean_while_branch_goes(at))
        at += 2;
    assert_true(at > 50);
}

/* Makes a branch before the call with number `at`, and goes on with main. */
static og_store_fault make_at(void *context, uint64_t call, const char *op, const char *name)
{
    (void)op, (void)name;
    og_repo *repo = meddle(context, call);
    if (repo == NULL)
        return OG_STORE_PASS;
    assert_ok(fixture_write_both(repo, "for b", err));
    assert_ok(og_branch_make(repo, NULL, "b", err));
    go_on(repo);
    og_repo_close(repo);
    return OG_STORE_PASS;
}

/* Clean while a branch comes before that call; false: it has fewer. */
static bool clean_while_branch_comes(uint64_t at)
{
    world w;
    world_init(&w, 3);
    meddler d = {.w = &w, .at = at};
    OG_AUTO(og_store) watched = NULL;
    assert_ok(og_store_wrap(w.store, (og_store_hook){make_at, &d}, 0, &watched, err));
    og_repo *cleaner = fixture_open(watched, &w.clock);
    const og_cleanup_input input = {.by_count = true, .keep = 0};
    og_cleanup_output out;
    assert_ok(og_cleanup_run(cleaner, &input, &out, err));
    og_cleanup_output_deinit(&out);
    og_repo_close(cleaner);

    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_int_equal(fixture_count(repo, "A"), d.is_done ? 7 : 3);
    if (d.is_done) {
        assert_int_equal(fixture_count_on(repo, "b", "A"), 4);
        assert_int_equal(fixture_count_on(repo, "b", "B"), 4);
        assert_ok(fixture_write_on(repo, "b", NULL, "after", err));
    }
    og_repo_close(repo);
    og_store_close(OG_TAKE(watched));
    og_store_close(w.store);
    return d.is_done;
}

TEST(test_upkeep__a_branch_may_come_at_any_time_of_a_cleanup)
{
    uint64_t at = 0;
    while (clean_while_branch_comes(at))
        at++;
    assert_true(at > 50);
}

/* Goes on with main and cleans up, before the call with number `at`. */
static og_store_fault clean_at(void *context, uint64_t call, const char *op, const char *name)
{
    (void)op, (void)name;
    og_repo *repo = meddle(context, call);
    if (repo == NULL)
        return OG_STORE_PASS;
    go_on(repo);
    clean(repo, (og_cleanup_input){.by_count = true, .keep = 0});
    og_repo_close(repo);
    return OG_STORE_PASS;
}

/* Make a branch while that happens before that call; false: it has fewer. */
static bool make_while_cleaned(uint64_t at)
{
    world w;
    world_init(&w, 3);
    meddler d = {.w = &w, .at = at};
    OG_AUTO(og_store) watched = NULL;
    assert_ok(og_store_wrap(w.store, (og_store_hook){clean_at, &d}, 0, &watched, err));
    og_repo *creator = fixture_open(watched, &w.clock);
    og_error why;
    og_status made = og_branch_make(creator, NULL, "b", &why);
    og_repo_close(creator);

    og_repo *repo = fixture_open(w.store, &w.clock);
    if (made == OG_OK) {
        uint64_t rows = fixture_count_on(repo, "b", "A");
        assert_true(rows == 3 || rows == 6);
        assert_ok(fixture_write_on(repo, "b", NULL, "after", err));
    } else {
        assert_int_equal(made, OG_CONFLICT);
        assert_ok(og_branch_make(repo, NULL, "b", err));
    }
    og_repo_close(repo);
    og_store_close(OG_TAKE(watched));
    og_store_close(w.store);
    return d.is_done;
}

TEST(test_upkeep__main_may_be_cleaned_at_any_time_of_making_a_branch)
{
    uint64_t at = 0;
    while (make_while_cleaned(at))
        at++;
    assert_true(at > 10);
}

/* Who slept over it is told to look again, not that the graph is damaged. */
TEST(test_upkeep__a_reader_of_a_branch_that_was_deleted_and_cleaned_away_runs_again)
{
    world w;
    world_init(&w, 3);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "of b", err));
    og_repo *reader = fixture_open(w.store, &w.clock);
    OG_AUTO(og_snapshot) slept = NULL;
    assert_ok(og_repo_snapshot(reader, "b", &slept, err));

    assert_ok(og_branch_remove(repo, "b", err));
    w.clock.now_us += HOUR_US;
    const og_cleanup_input input = {.by_count = true, .keep = 1};
    og_cleanup_output out;
    assert_ok(og_cleanup_run(repo, &input, &out, err));
    og_cleanup_output_deinit(&out);

    og_lance_table *table;
    og_error error;
    assert_status(
        og_snapshot_table(slept, og_catalog_node(slept->catalog, OG_STR("A")), &table, &error),
        OG_CONFLICT);
    og_snapshot_unref(OG_TAKE(slept));
    og_repo_close(reader);
    og_repo_close(repo);
    og_store_close(w.store);
}

static og_status ignore(void *context, og_bytes bytes, og_error *err)
{
    (void)context, (void)bytes, (void)err;
    return OG_OK;
}

/* Its tables are open, but their files are gone. */
TEST(test_upkeep__a_reader_whose_files_were_cleaned_away_is_told_to_run_again)
{
    world w;
    world_init(&w, 3);
    og_repo *repo = fixture_open(w.store, &w.clock);
    og_repo *reader = fixture_open(w.store, &w.clock);
    OG_AUTO(og_snapshot) slept = NULL;
    og_lance_table *table;
    assert_ok(og_repo_snapshot(reader, "main", &slept, err));
    for (uint32_t i = 0; i < slept->catalog->node_count; i++)
        assert_ok(og_snapshot_table(slept, &slept->catalog->nodes[i], &table, err));

    og_optimize_output joined;
    assert_ok(fixture_write_both(repo, "later", err));
    assert_ok(og_optimize_run(repo, NULL, &joined, err));
    og_optimize_output_deinit(&joined);
    w.clock.now_us += HOUR_US;
    const og_cleanup_input cleanup = {.by_count = true, .keep = 0};
    og_cleanup_output cleaned;
    assert_ok(og_cleanup_run(repo, &cleanup, &cleaned, err));
    og_cleanup_output_deinit(&cleaned);

    const og_export_input input = {.write = ignore};
    og_error error;
    assert_status(og_export_run(slept, &input, &error), OG_CONFLICT);
    assert_non_null(strstr(error.message, "was cleaned away while it was read"));
    assert_str_is(og_str_of(error.hint), "Run the operation again.");
    og_snapshot_unref(OG_TAKE(slept));
    og_repo_close(reader);
    og_repo_close(repo);
    og_store_close(w.store);
}

static og_blob *manifest_of(const world *w, const og_type_def *def, uint64_t version, og_buf *name)
{
    og_blob *bytes = NULL;
    og_buf_clear(name);
    OG_AUTO_BUF path = OG_BUF_INIT;
    assert_true(og_buf_str(&path, def->table_path));
    assert_true(og_lance_manifest_name(name, og_buf_cstr(&path), version));
    (void)!w->store->ops->get(w->store, og_buf_cstr(name), &bytes, NULL);
    return bytes;
}

/* The same manifest as another operation would have made it. */
static void of_another_operation(og_buf *manifest)
{
    const og_str key = OG_STR("og.op"), text = og_buf_view(manifest);
    size_t at = og_str_find(text, key);
    assert_true(at != SIZE_MAX);
    at += key.len + 2; /* tag and length of the value */
    assert_true(og_ulid_valid(og_str_slice(text, at, at + 26)));
    manifest->ptr[at + 25] = manifest->ptr[at + 25] == '0' ? '1' : '0';
}

/* A writer that slept over the cleanup, too, may have put a version of its own where the reader's
 * stood. `is_as_long`: only the operation that it names tells. */
static void read_a_sleeper_s(bool is_as_long)
{
    world w;
    world_init(&w, 1);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(fixture_write(repo, "B", "alone", err));
    assert_ok(fixture_write_both(repo, "both", err));
    og_repo *reader = fixture_open(w.store, &w.clock);
    OG_AUTO(og_snapshot) slept = NULL;
    assert_ok(og_repo_snapshot(reader, "main", &slept, err));
    const og_type_def *a = og_catalog_node(slept->catalog, OG_STR("A"));
    const og_type_def *b = og_catalog_node(slept->catalog, OG_STR("B"));
    OG_AUTO_BUF name = OG_BUF_INIT;
    OG_AUTO(og_blob) ours = manifest_of(&w, a, 3, &name);
    OG_AUTO(og_blob) shorter = manifest_of(&w, b, 3, &name); /* of one table */
    assert_true(ours != NULL && shorter != NULL && shorter->len != ours->len);
    const og_blob *taken = is_as_long ? ours : shorter;
    OG_AUTO_BUF other = OG_BUF_INIT;
    assert_true(og_buf_append(&other, taken->ptr, taken->len));
    if (is_as_long)
        of_another_operation(&other);

    assert_ok(fixture_write(repo, "A", "later", err));
    w.clock.now_us += HOUR_US;
    assert_true(clean(repo, (og_cleanup_input){.by_count = true, .keep = 0}) > 0);
    assert_null(manifest_of(&w, a, 3, &name));
    assert_ok(
        w.store->ops->put_if_absent(w.store, og_buf_cstr(&name), og_buf_bytes(&other), true, err));
    og_lance_table *table;
    og_error error;
    assert_status(og_snapshot_table(slept, a, &table, &error), OG_CONFLICT);
    og_snapshot_unref(OG_TAKE(slept));
    og_repo_close(reader);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_upkeep__a_reader_whose_version_gave_way_to_a_sleeper_s_runs_again)
{
    read_a_sleeper_s(false);
    read_a_sleeper_s(true);
}
