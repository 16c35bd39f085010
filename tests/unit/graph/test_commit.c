/* The commit protocol under failures: whatever single store call fails, in whatever
 * way, a commit of two tables is there whole or not at all, an acknowledged one is
 * there, and the next write succeeds. */
#include <stdlib.h>

#include "graph/history.h"
#include "graph_fixture.h"
#include "og_test.h"
#include "topo/directory.h"

/* Longer than the time an operation is taken to be alive. */
#define LATER_US 60000000

typedef struct world {
    og_store *store;
    fixture_clock clock;
} world;

static void world_init(world *w)
{
    assert_ok(og_store_open_memory(&w->store, err));
    fixture_clock_init(&w->clock);
    fixture_init(w->store, &w->clock);
}

/* Rows of A and B, which must be equal. */
static uint64_t both_count(world *w)
{
    og_repo *repo = fixture_open(w->store, &w->clock);
    uint64_t a = fixture_count(repo, "A"), b = fixture_count(repo, "B");
    og_repo_close(repo);
    assert_int_equal(a, b);
    return a;
}

/* A write by another process, later: it must succeed and add to what `expected` says is there. */
static void next_write(world *w, uint64_t expected)
{
    w->clock.now_us += LATER_US;
    og_repo *repo = fixture_open(w->store, &w->clock);
    assert_ok(fixture_write_both(repo, "next", err));
    og_repo_close(repo);
    assert_int_equal(both_count(w), expected + 1);
}

/* One commit through a store whose call number `at` fails.
 * Returns false when the schedule is over. */
static bool commit_with_fault(world *w, uint64_t at, og_store_fault fault, og_status *out_status)
{
    og_store_fault_at plan = {.at = UINT64_MAX, .fault = fault};
    og_store *faulty = NULL;
    assert_ok(og_store_wrap(w->store, og_store_hook_at(&plan), 0, &faulty, err));
    og_repo *repo = fixture_open(faulty, &w->clock);
    plan.at = plan.seen + at;
    og_error error;
    *out_status = fixture_write_both(repo, "row", &error);
    bool hit = plan.seen > plan.at;
    og_repo_close(repo);
    og_store_close(faulty);
    return hit;
}

static void check_each_call(og_store_fault fault, bool lose_power)
{
    for (uint64_t at = 0;; at++) {
        world w;
        og_status status;
        world_init(&w);
        bool hit = commit_with_fault(&w, at, fault, &status);
        if (lose_power)
            og_store_memory_crash(w.store, at);
        if (status == OG_OK)
            assert_int_equal(both_count(&w), 1);
        else if (status != OG_UNKNOWN && fault != OG_STORE_CRASH)
            assert_int_equal(both_count(&w), 0);
        uint64_t before = both_count(&w);
        w.clock.now_us += LATER_US;
        og_repo *repo = fixture_open(w.store, &w.clock);
        assert_ok(fixture_write_both(repo, "next", err));
        uint64_t after = fixture_count(repo, "A");
        og_repo_close(repo);
        /* What was seen stays; an operation that held all its slots may have been helped. */
        assert_true(after == before + 1 || (before == 0 && after == 2));
        if (status != OG_OK && status != OG_UNKNOWN && fault != OG_STORE_CRASH)
            assert_int_equal(after, before + 1);
        assert_int_equal(both_count(&w), after);
        og_store_close(w.store);
        if (!hit)
            break;
        assert_true(at < 1000);
    }
}

TEST(test_commit__each_call_fails)
{
    check_each_call(OG_STORE_FAIL, false);
}

TEST(test_commit__each_acknowledgement_is_lost)
{
    check_each_call(OG_STORE_LOST_ACK, false);
}

/* The answer about one slot is lost, and a later call, by which we learn of it, fails. */
typedef struct doubt {
    uint64_t slot, after; /* the slot's number; calls between it and the failure */
    uint64_t slots, since;
    bool is_hit;
} doubt;

static og_store_fault raise_doubt(void *context, uint64_t call, const char *op, const char *name)
{
    doubt *d = context;
    (void)call;
    (void)name;
    if (d->slots > d->slot && d->since++ == d->after) {
        d->is_hit = true;
        return OG_STORE_FAIL;
    }
    return strcmp(op, "put_if_absent") == 0 && d->slots++ == d->slot ? OG_STORE_LOST_ACK
                                                                     : OG_STORE_PASS;
}

/* Returns false when the commit ended before the second fault. */
static bool commit_in_doubt(uint64_t slot, uint64_t after)
{
    world w;
    world_init(&w);
    doubt d = {.slot = UINT64_MAX, .after = after};
    og_store *faulty = NULL;
    assert_ok(og_store_wrap(w.store, (og_store_hook){raise_doubt, &d}, 0, &faulty, err));
    og_repo *repo = fixture_open(faulty, &w.clock);
    d = (doubt){.slot = slot, .after = after};
    og_status status = fixture_write_both(repo, "row", NULL);
    og_repo_close(repo);
    og_store_close(faulty);
    uint64_t rows = both_count(&w); /* whatever is published can be read */
    if (status == OG_OK)
        assert_int_equal(rows, 1);
    else if (status != OG_UNKNOWN)
        assert_int_equal(rows, 0);
    w.clock.now_us += LATER_US;
    repo = fixture_open(w.store, &w.clock);
    assert_ok(fixture_write_both(repo, "next", err));
    og_repo_close(repo);
    assert_true(both_count(&w) > rows);
    og_store_close(w.store);
    return d.is_hit;
}

TEST(test_commit__an_answer_is_lost_and_the_slot_cannot_be_read)
{
    for (uint64_t slot = 0; slot < 3; slot++)
        for (uint64_t after = 0; commit_in_doubt(slot, after); after++)
            assert_true(after < 200);
}

TEST(test_commit__each_call_is_undone_without_an_answer)
{
    check_each_call(OG_STORE_UNDONE, false);
}

TEST(test_commit__disk_is_full_at_each_call)
{
    check_each_call(OG_STORE_FULL, false);
}

TEST(test_commit__process_dies_at_each_call)
{
    check_each_call(OG_STORE_CRASH, false);
}

TEST(test_commit__power_goes_at_each_call)
{
    check_each_call(OG_STORE_CRASH, true);
}

/* A process dies at each call; another writes one of its tables and so settles the operation;
 * then the power goes. What the second was told must be there, and with it what that rests on. */
TEST(test_commit__helped_operation_survives_power_loss)
{
    for (uint64_t at = 0;; at++) {
        world w;
        og_status status;
        world_init(&w);
        bool hit = commit_with_fault(&w, at, OG_STORE_CRASH, &status);
        w.clock.now_us += LATER_US;
        og_repo *repo = fixture_open(w.store, &w.clock);
        assert_ok(fixture_write(repo, "A", "next", err));
        uint64_t a = fixture_count(repo, "A"), b = fixture_count(repo, "B");
        og_repo_close(repo);
        og_store_memory_crash(w.store, at);
        repo = fixture_open(w.store, &w.clock);
        assert_int_equal(fixture_count(repo, "A"), a);
        assert_int_equal(fixture_count(repo, "B"), b);
        assert_int_equal(a, b + 1);
        og_repo_close(repo);
        og_store_close(w.store);
        if (!hit)
            break;
        assert_true(at < 1000);
    }
}

/* What is recorded of recoveries: commit, kind, actor, operation's kind, tables; "" = nothing. */
static void read_audit(og_repo *repo, og_buf *out)
{
    static const uint32_t columns[] = {0, 1, 2, 4, 5};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_AUTO_BATCH rows = {0};
    const uint32_t *slots;
    og_status s = og_lance_table_open(og_repo_env(repo), "_graph_commit_recoveries.lance", 0, 0,
                                      &table, NULL);
    if (s == OG_NOT_FOUND)
        return;
    assert_int_equal(s, OG_OK);
    assert_ok(og_lance_scan_open(table, columns, 5, 0, UINT32_MAX, &scan, err));
    assert_ok(og_lance_scan_next(scan, &rows, &slots, err));
    for (int64_t row = 0; row < rows.row_count; row++)
        for (uint32_t i = 0; i < 5; i++)
            og_buf_printf(out, "%.*s%s", OG_FMT(og_array_str(rows.columns[i], row)),
                          i < 4 ? " " : "\n");
}

static const char forward[] = " RolledForward tester Load [{\"table_key\":\"node:A\","
                              "\"from_version\":1,\"to_version\":2},{\"table_key\":\"node:B\","
                              "\"from_version\":1,\"to_version\":2}]\n";
static const char back[] = " RolledBack tester Load [{\"table_key\":\"node:A\","
                           "\"from_version\":2,\"to_version\":1}]\n";

/* A process dies at each call; what the next one makes of its operation stands in the table of
 * recoveries: once, for the commit that did it. */
TEST(test_commit__what_another_finished_or_undid_is_recorded)
{
    int forwards = 0, backs = 0;
    for (uint64_t at = 0;; at++) {
        world w;
        og_status status;
        og_error error;
        OG_AUTO_BUF audit = OG_BUF_INIT;
        OG_AUTO(og_history) history = NULL;
        world_init(&w);
        bool hit = commit_with_fault(&w, at, OG_STORE_CRASH, &status);
        uint64_t before = both_count(&w);
        w.clock.now_us += LATER_US;
        og_repo *repo = fixture_open(w.store, &w.clock);
        assert_ok(fixture_write(repo, "A", "next", err));
        read_audit(repo, &audit);
        og_str text = og_buf_view(&audit);
        bool is_helped = before == 0 && fixture_count(repo, "B") == 1;
        if (text.len > 0) {
            bool is_forward = og_str_is(og_str_slice(text, 26, text.len), forward);
            assert_true(is_forward || og_str_is(og_str_slice(text, 26, text.len), back));
            assert_int_equal(is_forward, is_helped);
            assert_ok(og_history_open(repo, NULL, &history, &error));
            const og_commit_info *commit = fixture_find(history, og_str_slice(text, 0, 26));
            assert_non_null(commit);
            assert_true(og_str_is(commit->actor, is_forward ? "tester" : "omnigraph:recovery"));
            forwards += is_forward;
            backs += !is_forward;
        }
        assert_true(text.len > 0 || !is_helped);
        og_history_free(OG_TAKE(history));
        og_repo_close(repo);
        og_store_close(w.store);
        if (!hit)
            break;
    }
    assert_true(forwards > 0 && backs > 0);
}

TEST(test_commit__acknowledged_survives_power_loss)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        world w;
        world_init(&w);
        og_repo *repo = fixture_open(w.store, &w.clock);
        assert_ok(fixture_write_both(repo, "1", err));
        assert_ok(fixture_write(repo, "A", "2", err));
        assert_ok(fixture_write(repo, "B", "2", err));
        og_repo_close(repo);
        og_store_memory_crash(w.store, seed);
        assert_int_equal(both_count(&w), 2);
        next_write(&w, 2);
        og_store_close(w.store);
    }
}

TEST(test_commit__second_writer_of_a_table_gets_the_typed_conflict)
{
    world w;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    const og_txn_options options = {.kind = "Load"};
    og_txn *first, *second;
    og_commit_result result;
    assert_ok(og_txn_begin(repo, &options, &first, err));
    assert_ok(og_txn_begin(repo, &options, &second, err));
    assert_ok(fixture_append(first, "A", "1", err));
    assert_ok(fixture_append(second, "A", "2", err));
    assert_ok(fixture_append(second, "B", "2", err));
    assert_ok(og_txn_commit(first, &result, err));
    og_error error;
    assert_status(og_txn_commit(second, &result, &error), OG_CONFLICT);
    assert_string_equal(error.message,
                        "stale view of 'node:A': expected manifest table version 1 but current "
                        "is 2 \xe2\x80\x94 refresh and retry");
    og_txn_free(first);
    og_txn_free(second);
    assert_int_equal(fixture_count(repo, "A"), 1);
    assert_int_equal(fixture_count(repo, "B"), 0);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_commit__writers_of_different_tables_both_succeed)
{
    world w;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    const og_txn_options options = {.kind = "Load"};
    og_txn *first, *second;
    og_commit_result result;
    assert_ok(og_txn_begin(repo, &options, &first, err));
    assert_ok(og_txn_begin(repo, &options, &second, err));
    assert_ok(fixture_append(first, "A", "1", err));
    assert_ok(fixture_append(second, "B", "1", err));
    assert_ok(og_txn_commit(first, &result, err));
    assert_ok(og_txn_commit(second, &result, err));
    og_txn_free(first);
    og_txn_free(second);
    og_repo_close(repo);
    assert_int_equal(both_count(&w), 1);
    og_store_close(w.store);
}

/* Put a head above the pin of A as a foreign program leaves it:
 * a version that names no operation. */
static uint64_t leave_foreign_head(world *w)
{
    og_repo *repo = fixture_open(w->store, &w->clock);
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(repo, "main", &snapshot, err));
    og_lance_table *table;
    assert_ok(
        og_snapshot_table(snapshot, og_catalog_node(snapshot->catalog, OG_STR("A")), &table, err));
    og_lance_write_options options = {
        .op = OG_LANCE_DELETE, .min_max_fragment_id = -1, .now_us = w->clock.now_us};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    assert_ok(og_lance_write_new(og_repo_env(repo), table, &options, &write, err));
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
    uint64_t version = staged->version;
    og_snapshot_unref(OG_TAKE(snapshot));
    og_lance_write_free(OG_TAKE(write));
    og_repo_close(repo);
    return version;
}

/* The parent of the commit with this manifest version, "" when it has none. */
static void parent_at(og_repo *repo, uint64_t manifest_version, char out_id[27],
                      char out_parent[27])
{
    static const uint32_t fields[] = {0, 2, 3}; /* id, manifest version, parent */
    OG_AUTO(og_lance_table) commits = NULL;
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_AUTO_BATCH batch = {0};
    const uint32_t *slots;
    assert_ok(og_lance_table_open(og_repo_env(repo), "_graph_commits.lance", 0, 0, &commits, err));
    assert_ok(og_lance_scan_open(commits, fields, 3, 0, UINT32_MAX, &scan, err));
    assert_ok(og_lance_scan_next(scan, &batch, &slots, err));
    out_id[0] = out_parent[0] = '\0';
    for (int64_t row = 0; row < batch.row_count; row++) {
        if (og_array_u64(batch.columns[1], row) != manifest_version)
            continue;
        snprintf(out_id, 27, "%.*s", OG_FMT(og_array_str(batch.columns[0], row)));
        if (!og_array_is_null(batch.columns[2], row))
            snprintf(out_parent, 27, "%.*s", OG_FMT(og_array_str(batch.columns[2], row)));
    }
}

/* Another writer that commits just before the first put of a `__manifest` version. */
typedef struct overtaker {
    og_repo *repo; /* NULL once it has written */
} overtaker;

static og_store_fault overtake(void *context, uint64_t call, const char *op, const char *name)
{
    overtaker *other = context;
    (void)call;
    if (other->repo != NULL && strcmp(op, "put_if_absent") == 0 &&
        og_str_starts(og_str_of(name), OG_STR("__manifest/_versions/"))) {
        og_repo *repo = other->repo;
        other->repo = NULL;
        assert_ok(fixture_write(repo, "B", "b", err));
    }
    return OG_STORE_PASS;
}

TEST(test_commit__rebased_commit_follows_the_one_that_won)
{
    world w;
    world_init(&w);
    og_repo *winner = fixture_open(w.store, &w.clock);
    overtaker other = {0};
    og_store *watched = NULL;
    assert_ok(og_store_wrap(w.store, (og_store_hook){overtake, &other}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w.clock);
    other.repo = winner;
    assert_ok(fixture_write(repo, "A", "a", err));
    char ids[3][27], parents[3][27];
    for (uint64_t v = 1; v <= 3; v++)
        parent_at(repo, v, ids[v - 1], parents[v - 1]);
    assert_string_equal(parents[1], ids[0]);
    assert_string_equal(parents[2], ids[1]);
    assert_int_equal(strlen(ids[1]), 26);
    og_repo_close(repo);
    og_repo_close(winner);
    og_store_close(watched);
    og_store_close(w.store);
}

TEST(test_commit__foreign_head_above_the_pin_is_restored)
{
    world w;
    world_init(&w);
    uint64_t head = leave_foreign_head(&w);
    assert_int_equal(head, 2);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(fixture_write_both(repo, "1", err));
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(repo, "main", &snapshot, err));
    size_t count;
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (og_str_is(infos[i].table_key, "node:A"))
            assert_int_equal(infos[i].version, 4); /* 2 the head, 3 the restore, 4 the write */
    og_snapshot_unref(OG_TAKE(snapshot));
    assert_int_equal(fixture_count(repo, "A"), 1);
    og_repo_close(repo);
    assert_int_equal(both_count(&w), 1);
    og_store_close(w.store);
}

TEST(test_commit__cost_is_flat_with_history)
{
    world w;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    uint64_t puts_early = 0, puts_late = 0;
    for (int i = 0; i < 300; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        uint64_t before = w.store->stats.puts;
        w.clock.now_us += 1000;
        assert_ok(fixture_write(repo, "A", id, err));
        uint64_t puts = w.store->stats.puts - before;
        if (i >= 8 && i < 16)
            puts_early += puts;
        if (i >= 288 && i < 296)
            puts_late += puts;
    }
    assert_int_equal(puts_early, puts_late);
    assert_int_equal(fixture_count(repo, "A"), 300);
    og_repo_close(repo);
    og_store_close(w.store);
}
