/* Branches: made, written, deleted and made again, with every store call failing in
 * every way. A branch is there whole or not at all, what it inherits never changes,
 * and the next attempt succeeds. */
#include <inttypes.h>

#include "graph/branch_ops.h"
#include "graph/fork.h"
#include "graph/history.h"
#include "graph_fixture.h"
#include "og_test.h"

/* Longer than a creator, or an operation, is taken to be alive. */
#define LATER_US 60000000

typedef struct world {
    og_store *store;
    fixture_clock clock;
} world;

/* A graph with one row in A and in B. */
static void world_init(world *w)
{
    assert_ok(og_store_open_memory(&w->store, err));
    fixture_clock_init(&w->clock);
    fixture_init(w->store, &w->clock);
    og_repo *repo = fixture_open(w->store, &w->clock);
    assert_ok(fixture_write_both(repo, "1", err));
    og_repo_close(repo);
}

static bool has_branch(og_repo *repo, const char *name)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str *names;
    size_t count;
    bool found = false;
    assert_non_null(arena);
    assert_ok(og_repo_branches(repo, arena, &names, &count, err));
    for (size_t i = 0; i < count; i++)
        found |= og_str_is(names[i], name);
    return found;
}

/* Rows of A and B on a branch, which must be equal. */
static uint64_t both_on(og_repo *repo, const char *branch)
{
    uint64_t a = fixture_count_on(repo, branch, "A"), b = fixture_count_on(repo, branch, "B");
    assert_int_equal(a, b);
    return a;
}

static uint64_t version_on(og_repo *repo, const char *branch, const char *table_key, og_str *out_at)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    size_t count;
    uint64_t version = 0;
    assert_ok(og_repo_snapshot(repo, branch, &snapshot, err));
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        if (!og_str_is(infos[i].table_key, table_key))
            continue;
        version = infos[i].version;
        *out_at = og_str_is(infos[i].table_branch, branch) ? OG_STR("own") : OG_STR("inherited");
    }
    return version;
}

/* ---- what branches are -------------------------------------------------------------------- */

TEST(test_branch__sees_its_parent_as_it_was)
{
    world w;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(fixture_write_both(repo, "2", err));
    assert_int_equal(both_on(repo, "b"), 1);
    assert_int_equal(both_on(repo, "main"), 2);
    og_repo_close(repo);
    repo = fixture_open(w.store, &w.clock);
    assert_int_equal(both_on(repo, "b"), 1);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_branch__writes_fork_only_what_they_write)
{
    world w;
    og_str at;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_make(repo, "main", "b", err));
    assert_ok(fixture_write_on(repo, "b", "A", "2", err));
    assert_int_equal(fixture_count_on(repo, "b", "A"), 2);
    assert_int_equal(fixture_count(repo, "A"), 1);
    assert_int_equal(version_on(repo, "b", "node:A", &at), 3);
    assert_true(og_str_is(at, "own"));
    assert_int_equal(version_on(repo, "b", "node:B", &at), 2);
    assert_true(og_str_is(at, "inherited"));
    assert_ok(fixture_write_on(repo, "b", NULL, "3", err));
    assert_int_equal(version_on(repo, "b", "node:A", &at), 4);
    assert_int_equal(version_on(repo, "b", "node:B", &at), 3);
    og_repo_close(repo);
    repo = fixture_open(w.store, &w.clock);
    assert_int_equal(fixture_count_on(repo, "b", "A"), 3);
    assert_int_equal(fixture_count_on(repo, "b", "B"), 2);
    assert_int_equal(both_on(repo, "main"), 1);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_branch__of_a_branch_forks_from_it)
{
    world w;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "2", err));
    assert_ok(og_branch_make(repo, "b", "b/c", err));
    assert_ok(fixture_write_on(repo, "b/c", NULL, "3", err));
    assert_ok(fixture_write_on(repo, "b", "A", "4", err));
    assert_int_equal(both_on(repo, "b/c"), 3);
    assert_int_equal(fixture_count_on(repo, "b", "A"), 3);
    og_error error;
    assert_status(og_branch_remove(repo, "b", &error), OG_CONFLICT);
    assert_string_equal(
        error.message,
        "cannot delete branch 'b' because descendant branch 'b/c' still depends on it");
    assert_ok(og_branch_remove(repo, "b/c", err));
    assert_ok(og_branch_remove(repo, "b", err));
    assert_false(has_branch(repo, "b"));
    assert_int_equal(both_on(repo, "main"), 1);
    og_repo_close(repo);
    og_store_close(w.store);
}

/* Does something of its own just before a ref of `__manifest` is put. */
typedef struct intruder {
    og_repo *repo; /* NULL once it has done it */
    const char *ref;
    og_status status;
} intruder;

static og_store_fault intrude(void *context, uint64_t call, const char *op, const char *name)
{
    intruder *other = context;
    (void)call;
    if (other->repo != NULL && strcmp(op, "put_if_absent") == 0 && strcmp(name, other->ref) == 0) {
        og_repo *repo = other->repo;
        other->repo = NULL;
        other->status = og_branch_remove(repo, "b", NULL);
    }
    return OG_STORE_PASS;
}

TEST(test_branch__of_a_branch_that_is_being_deleted_is_not_made)
{
    world w;
    world_init(&w);
    og_repo *other = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_make(other, NULL, "b", err));
    intruder deleter = {.ref = "__manifest/_refs/branches/c.json"};
    og_store *watched = NULL;
    assert_ok(og_store_wrap(w.store, (og_store_hook){intrude, &deleter}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w.clock);
    deleter.repo = other;
    assert_int_equal(og_branch_make(repo, "b", "c", NULL), OG_NOT_FOUND);
    assert_int_equal(deleter.status, OG_OK);
    assert_false(has_branch(repo, "b"));
    assert_false(has_branch(repo, "c"));
    assert_ok(og_branch_make(repo, NULL, "c", err));
    assert_int_equal(both_on(repo, "c"), 1);
    og_repo_close(repo);
    og_repo_close(other);
    og_store_close(watched);
    og_store_close(w.store);
}

TEST(test_branch__common_beginning_makes_no_descendant)
{
    world w;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(og_branch_make(repo, NULL, "b/c", err));
    assert_ok(og_branch_remove(repo, "b", err));
    assert_int_equal(both_on(repo, "b/c"), 1);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_branch__what_is_no_name_is_refused)
{
    static const char *const names[] = {
        "",  "main",  "a b", "/a",     "a/",          "a//b", "a..",
        ".", "a/./b", "\\",  "a.lock", "a/_versions", "\xff", "__schema_apply_lock__"};
    world w;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    uint64_t puts = w.store->stats.puts;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(og_branch_make(repo, NULL, names[i], NULL), OG_INVALID);
    assert_int_equal(w.store->stats.puts, puts);
    assert_int_equal(og_branch_make(repo, NULL, "no", NULL), OG_OK);
    assert_int_equal(og_branch_make(repo, NULL, "no", NULL), OG_EXISTS);
    assert_int_equal(og_branch_make(repo, "nowhere", "x", NULL), OG_NOT_FOUND);
    assert_int_equal(og_branch_remove(repo, "x", NULL), OG_NOT_FOUND);
    assert_int_equal(og_branch_remove(repo, "main", NULL), OG_INVALID);
    og_repo_close(repo);
    og_store_close(w.store);
}

/* ---- a name that is used again ------------------------------------------------------------ */

TEST(test_branch__of_an_unreadable_ref_can_be_deleted)
{
    world w;
    og_error error;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    static const char ref[] = "__manifest/_refs/branches/b.json";
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(og_branch_make(repo, NULL, "c", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "2", err));
    assert_ok(w.store->ops->put(w.store, ref, (og_bytes){(const uint8_t *)"", 0}, err));
    /* It may have been made of c. */
    assert_int_equal(og_branch_remove(repo, "c", &error), OG_CORRUPT);
    assert_string_equal(error.hint,
                        "Put the file back, or delete that branch: omnigraph branch delete b");
    assert_ok(og_branch_remove(repo, "b", err));
    assert_ok(og_branch_remove(repo, "c", err));
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_int_equal(fixture_count_on(repo, "b", "A"), 1);
    assert_ok(fixture_write_on(repo, "b", NULL, "3", err));
    assert_int_equal(fixture_count_on(repo, "b", "A"), 2);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_branch__made_again_has_nothing_of_its_earlier_life)
{
    world w;
    og_str at;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    og_repo *other = fixture_open(w.store, &w.clock); /* has the earlier life in its memory */
    assert_ok(og_branch_make(repo, NULL, "b", err));
    for (int i = 0; i < 5; i++) {
        char id[8];
        snprintf(id, sizeof id, "x%d", i);
        assert_ok(fixture_write_on(repo, "b", NULL, id, err));
    }
    assert_int_equal(both_on(other, "b"), 6);
    assert_ok(og_branch_remove(repo, "b", err));
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_int_equal(both_on(repo, "b"), 1);
    assert_int_equal(both_on(other, "b"), 1);
    assert_int_equal(version_on(other, "b", "node:A", &at), 2);
    assert_true(og_str_is(at, "inherited"));
    assert_ok(fixture_write_on(other, "b", NULL, "y", err));
    assert_int_equal(both_on(repo, "b"), 2);
    /* Above the versions that the tables' earlier forks left. */
    assert_int_equal(version_on(repo, "b", "node:A", &at), 9);
    assert_int_equal(both_on(repo, "main"), 1);
    og_repo_close(other);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_branch__writer_who_sleeps_through_delete_changes_nothing)
{
    for (int made_again = 0; made_again < 2; made_again++) {
        world w;
        world_init(&w);
        og_repo *repo = fixture_open(w.store, &w.clock);
        og_repo *other = fixture_open(w.store, &w.clock);
        assert_ok(og_branch_make(repo, NULL, "b", err));
        assert_ok(fixture_write_on(repo, "b", NULL, "2", err));
        const og_txn_options options = {.branch = "b", .kind = "Load"};
        og_txn *sleeper;
        og_commit_result result;
        assert_ok(og_txn_begin(other, &options, &sleeper, err));
        assert_ok(fixture_append(sleeper, "A", "late", err));
        assert_ok(og_branch_remove(repo, "b", err));
        if (made_again)
            assert_ok(og_branch_make(repo, NULL, "b", err));
        og_error error;
        assert_status(og_txn_commit(sleeper, &result, &error), OG_CONFLICT);
        og_txn_free(sleeper);
        if (made_again) {
            assert_int_equal(both_on(repo, "b"), 1);
            assert_ok(fixture_write_on(repo, "b", NULL, "3", err));
            assert_int_equal(both_on(repo, "b"), 2);
        }
        og_repo_close(other);
        og_repo_close(repo);
        og_store_close(w.store);
    }
}

/* Before one call of a commit another finishes what is left on the branch,
 * writes, and deletes it. */
typedef struct finisher {
    world *w;
    og_repo *repo; /* NULL: not yet */
    uint64_t at, calls;
    bool came, has_late; /* was the row published when the branch went? */
} finisher;

static og_store_fault finish_and_delete(void *context, uint64_t call, const char *op,
                                        const char *name)
{
    finisher *other = context;
    (void)call;
    (void)op;
    (void)name;
    if (other->repo == NULL || other->calls++ != other->at)
        return OG_STORE_PASS;
    other->came = true;
    other->w->clock.now_us += LATER_US;
    assert_ok(fixture_write_on(other->repo, "b", "A", "x", err));
    other->has_late = fixture_count_on(other->repo, "b", "A") == 4;
    assert_ok(og_branch_remove(other->repo, "b", err));
    return OG_STORE_PASS;
}

static og_status still_holds(void *context, og_snapshot *was, og_snapshot *now, og_error *err)
{
    (void)context;
    (void)was;
    (void)now;
    (void)err;
    return OG_OK;
}

static og_status commit_late(og_repo *repo, finisher *other, og_repo *winner, bool of_two,
                             og_error *error)
{
    const og_txn_options options = {.branch = "b", .kind = "Load"};
    og_commit_result result;
    OG_AUTO(og_txn) txn = NULL;
    assert_ok(og_txn_begin(repo, &options, &txn, err));
    og_txn_on_move(txn, still_holds, NULL);
    assert_ok(fixture_append(txn, "A", "late", err));
    if (of_two)
        assert_ok(fixture_append(txn, "B", "late", err));
    other->repo = winner;
    return og_txn_commit(txn, &result, error);
}

/* Returns false when the schedule is over. */
static bool branch_goes_at(uint64_t at, bool of_two, int *out_unknown)
{
    world w;
    og_error error = {0};
    finisher other = {.w = &w, .at = at};
    og_store *watched = NULL;
    world_init(&w);
    og_repo *winner = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_make(winner, NULL, "b", err));
    assert_ok(fixture_write_on(winner, "b", NULL, "own", err));
    assert_ok(og_store_wrap(w.store, (og_store_hook){finish_and_delete, &other}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w.clock);
    og_status s = commit_late(repo, &other, winner, of_two, &error);
    bool fits = s == OG_OK || s == OG_UNKNOWN || (s == OG_CONFLICT && !other.has_late);
    if (!fits)
        fail_msg("branch deleted before call %d: %s (%s), and the row was%s published", (int)at,
                 og_status_id(s), error.message, other.has_late ? "" : " not");
    *out_unknown += s == OG_UNKNOWN && other.has_late;
    og_repo_close(repo);
    og_repo_close(winner);
    og_store_close(watched);
    og_store_close(w.store);
    return other.came;
}

/* What was published before the branch went may have been merged elsewhere: that is no conflict. */
TEST(test_branch__writer_whose_branch_is_deleted_is_not_told_a_lie)
{
    for (int of_two = 0; of_two < 2; of_two++) {
        int unknown = 0;
        for (uint64_t at = 0; branch_goes_at(at, of_two, &unknown); at++)
            assert_true(at < 1000);
        assert_true(unknown > 0);
    }
}

/* ---- faults ------------------------------------------------------------------------------- */

typedef og_status (*action)(og_repo *repo, og_error *err);

static og_status make_b(og_repo *repo, og_error *err)
{
    return og_branch_make(repo, NULL, "b", err);
}

static og_status remove_b(og_repo *repo, og_error *err)
{
    return og_branch_remove(repo, "b", err);
}

static og_status write_b(og_repo *repo, og_error *err)
{
    return fixture_write_on(repo, "b", NULL, "row", err);
}

/* Run it through a store whose call number `at` fails. False when the schedule is over. */
static bool run_with_fault(world *w, action act, uint64_t at, og_store_fault fault,
                           og_status *out_status)
{
    og_store_fault_at plan = {.at = UINT64_MAX, .fault = fault};
    og_store *faulty = NULL;
    assert_ok(og_store_wrap(w->store, og_store_hook_at(&plan), 0, &faulty, err));
    og_repo *repo = fixture_open(faulty, &w->clock);
    plan.at = plan.seen + at;
    og_error error;
    *out_status = act(repo, &error);
    bool hit = plan.seen > plan.at;
    og_repo_close(repo);
    og_store_close(faulty);
    w->clock.now_us += LATER_US;
    return hit;
}

static const og_store_fault faults[] = {OG_STORE_FAIL, OG_STORE_LOST_ACK, OG_STORE_UNDONE,
                                        OG_STORE_FULL, OG_STORE_CRASH};

/* Did it say that it is not done? */
static bool says_undone(og_status status, og_store_fault fault)
{
    return status != OG_OK && status != OG_UNKNOWN && fault != OG_STORE_CRASH;
}

static bool make_at(uint64_t at, og_store_fault fault, bool lose_power)
{
    world w;
    og_status status;
    world_init(&w);
    bool hit = run_with_fault(&w, make_b, at, fault, &status);
    if (lose_power)
        og_store_memory_crash(w.store, at);
    og_repo *repo = fixture_open(w.store, &w.clock);
    if (status == OG_OK)
        assert_true(has_branch(repo, "b"));
    if (says_undone(status, fault))
        assert_false(has_branch(repo, "b"));
    /* The source moves on; what exists stays as it was made,
     * what does not is made of the newest. */
    bool was_there = has_branch(repo, "b");
    assert_ok(fixture_write_both(repo, "2", err));
    if (!was_there)
        assert_ok(make_b(repo, err));
    assert_int_equal(both_on(repo, "b"), was_there ? 1 : 2);
    assert_ok(fixture_write_on(repo, "b", NULL, "3", err));
    assert_int_equal(both_on(repo, "b"), was_there ? 2 : 3);
    assert_int_equal(both_on(repo, "main"), 2);
    og_repo_close(repo);
    og_store_close(w.store);
    return hit;
}

TEST(test_branch__make_with_each_call_failing)
{
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
        for (uint64_t at = 0; make_at(at, faults[f], false); at++)
            assert_true(at < 1000);
}

TEST(test_branch__power_goes_at_each_call_of_make)
{
    for (uint64_t at = 0; make_at(at, OG_STORE_CRASH, true); at++)
        assert_true(at < 1000);
}

/* Somebody writes on a branch whose creator stopped at a call; then power goes. */
static bool write_after_making_stops_at(uint64_t at, uint64_t seed)
{
    world w;
    og_status status;
    world_init(&w);
    bool hit = run_with_fault(&w, make_b, at, OG_STORE_CRASH, &status);
    og_repo *repo = fixture_open(w.store, &w.clock);
    bool is_there = has_branch(repo, "b");
    if (is_there)
        assert_ok(write_b(repo, err));
    og_repo_close(repo);
    og_store_memory_crash(w.store, seed);
    repo = fixture_open(w.store, &w.clock);
    if (is_there)
        assert_int_equal(both_on(repo, "b"), 2);
    og_repo_close(repo);
    og_store_close(w.store);
    return hit;
}

TEST(test_branch__what_is_written_on_a_branch_that_was_not_synced_survives_power_loss)
{
    for (uint64_t seed = 0; seed < 4; seed++)
        for (uint64_t at = 0; write_after_making_stops_at(at, seed); at++)
            assert_true(at < 1000);
}

static bool remove_at(uint64_t at, og_store_fault fault)
{
    world w;
    og_status status;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(make_b(repo, err));
    assert_ok(write_b(repo, err));
    og_repo_close(repo);
    bool hit = run_with_fault(&w, remove_b, at, fault, &status);
    repo = fixture_open(w.store, &w.clock);
    if (status == OG_OK)
        assert_false(has_branch(repo, "b"));
    if (has_branch(repo, "b")) {
        assert_true(status != OG_OK);
        assert_int_equal(both_on(repo, "b"), 2);
        assert_ok(remove_b(repo, err));
    }
    assert_ok(make_b(repo, err));
    assert_int_equal(both_on(repo, "b"), 1);
    assert_ok(write_b(repo, err));
    assert_int_equal(both_on(repo, "b"), 2);
    og_repo_close(repo);
    og_store_close(w.store);
    return hit;
}

TEST(test_branch__remove_with_each_call_failing)
{
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
        for (uint64_t at = 0; remove_at(at, faults[f]); at++)
            assert_true(at < 1000);
}

static bool write_at(uint64_t at, og_store_fault fault, bool lose_power)
{
    world w;
    og_status status;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    assert_ok(make_b(repo, err));
    og_repo_close(repo);
    bool hit = run_with_fault(&w, write_b, at, fault, &status);
    if (lose_power)
        og_store_memory_crash(w.store, at);
    repo = fixture_open(w.store, &w.clock);
    uint64_t before = both_on(repo, "b");
    if (status == OG_OK)
        assert_int_equal(before, 2);
    if (says_undone(status, fault))
        assert_int_equal(before, 1);
    assert_ok(fixture_write_on(repo, "b", NULL, "next", err));
    uint64_t after = both_on(repo, "b");
    assert_true(after == before + 1 || (before == 1 && after == 3));
    if (says_undone(status, fault))
        assert_int_equal(after, 2);
    assert_int_equal(both_on(repo, "main"), 1);
    og_repo_close(repo);
    og_store_close(w.store);
    return hit;
}

TEST(test_branch__first_write_with_each_call_failing)
{
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++)
        for (uint64_t at = 0; write_at(at, faults[f], false); at++)
            assert_true(at < 1000);
}

TEST(test_branch__power_goes_at_each_call_of_a_first_write)
{
    for (uint64_t at = 0; write_at(at, OG_STORE_CRASH, true); at++)
        assert_true(at < 1000);
}

/* ---- cost --------------------------------------------------------------------------------- */

/* Store calls of making and deleting a branch of a graph of that many types. */
static void cost_of(int types, uint64_t *out_make, uint64_t *out_remove)
{
    world w;
    OG_AUTO_BUF schema = OG_BUF_INIT;
    for (int i = 0; i < types; i++)
        og_buf_printf(&schema, "node T%d {\n  name: String @key\n}\n", i);
    fixture_clock_init(&w.clock);
    assert_ok(og_store_open_memory(&w.store, err));
    og_repo_options options = {.store = w.store, .clock = &w.clock.clock};
    assert_ok(og_repo_init("memory", og_buf_view(&schema), false, &options, err));
    og_store_fault_at plan = {.at = UINT64_MAX};
    og_store *counted = NULL;
    assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &counted, err));
    og_repo *repo = fixture_open(counted, &w.clock);
    uint64_t start = plan.seen;
    assert_ok(make_b(repo, err));
    *out_make = plan.seen - start;
    start = plan.seen;
    assert_ok(remove_b(repo, err));
    *out_remove = plan.seen - start;
    og_repo_close(repo);
    og_store_close(counted);
    og_store_close(w.store);
}

TEST(test_branch__cost_does_not_depend_on_types)
{
    uint64_t make[3], gone[3];
    cost_of(5, &make[0], &gone[0]);
    cost_of(50, &make[1], &gone[1]);
    cost_of(200, &make[2], &gone[2]);
    for (int i = 1; i < 3; i++) {
        assert_int_equal(make[i], make[0]);
        assert_int_equal(gone[i], gone[0]);
    }
    printf("calls of make %" PRIu64 ", of remove %" PRIu64 "\n", make[0], gone[0]);
    assert_true(make[0] <= 24);
    assert_true(gone[0] <= 25);
}

/* ---- completed by another ----------------------------------------------------------------- */

/* Another completes branch b before its creator does; branch c is not completed. */
typedef struct completion {
    world *w;
    bool met, is_persistent;
} completion;

static og_store_fault complete_first(void *context, uint64_t call, const char *op, const char *name)
{
    completion *c = context;
    (void)call;
    if (strcmp(op, "put_if_absent") != 0)
        return OG_STORE_PASS;
    if (strncmp(name, "__manifest/tree/b/", 18) == 0 && !c->met) {
        c->met = true;
        fixture_clock later = c->w->clock; /* another time of the same branch */
        later.clock.context = &later;
        later.now_us++;
        OG_AUTO(og_repo) repo = fixture_open(c->w->store, &later);
        og_graph__branch *branch;
        assert_ok(og_graph__branch_get(repo, "b", &branch, err));
        assert_ok(og_graph__fork_complete(repo, branch, err));
    }
    return strncmp(name, "__manifest/tree/c/", 18) == 0 ? OG_STORE_FAIL : OG_STORE_PASS;
}

/* The creator remembers what is there, not what it would have put:
 * a branch of it says where its source lies. */
TEST(test_branch__completed_by_another_while_it_is_made)
{
    world w;
    og_store *watched;
    world_init(&w);
    completion c = {.w = &w};
    assert_ok(og_store_wrap(w.store, (og_store_hook){complete_first, &c}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w.clock);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_true(c.met);
    assert_ok(og_branch_make(repo, "b", "c", err));
    og_repo_close(repo);
    repo = fixture_open(w.store, &w.clock);
    assert_int_equal(both_on(repo, "c"), 1);
    assert_ok(fixture_write_on(repo, "c", NULL, "2", err));
    assert_int_equal(both_on(repo, "c"), 2);
    og_repo_close(repo);
    og_store_close(watched);
    og_store_close(w.store);
}

/* ---- a name that is used again ------------------------------------------------------------ */

/* Others make branch b, write to it and delete it while its creator is about to put the ref: once,
 * or each time that it begins. */
static og_store_fault live_and_die(void *context, uint64_t call, const char *op, const char *name)
{
    completion *c = context;
    (void)call;
    if ((c->met && !c->is_persistent) || strcmp(op, "put_if_absent") != 0 ||
        strcmp(name, "__manifest/_refs/branches/b.json") != 0)
        return OG_STORE_PASS;
    c->met = true;
    og_repo *other = fixture_open(c->w->store, &c->w->clock);
    assert_ok(og_branch_make(other, NULL, "b", err));
    assert_ok(fixture_write_on(other, "b", NULL, "theirs", err));
    assert_ok(og_branch_remove(other, "b", err));
    og_repo_close(other);
    return OG_STORE_PASS;
}

/* Numbers of an earlier branch of the name are not given again,
 * also by a creator who looked before it was made. */
TEST(test_branch__made_and_deleted_while_its_creator_sleeps)
{
    world w;
    og_store *watched;
    og_error error;
    world_init(&w);
    completion c = {.w = &w};
    assert_ok(og_store_wrap(w.store, (og_store_hook){live_and_die, &c}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w.clock);
    c.is_persistent = true;
    assert_int_equal(og_branch_make(repo, NULL, "b", &error), OG_CONFLICT);
    assert_string_equal(error.message, "branch 'b' was made and deleted meanwhile");
    c.is_persistent = c.met = false;
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_true(c.met);
    assert_int_equal(both_on(repo, "b"), 1);
    assert_ok(fixture_write_on(repo, "b", NULL, "2", err));
    assert_int_equal(both_on(repo, "b"), 2);
    og_repo_close(repo);
    og_store_close(watched);
    og_store_close(w.store);
}

/* Nothing of the commit table of branch b can be removed; then none can be made. */
static og_store_fault keep_commits(void *context, uint64_t call, const char *op, const char *name)
{
    const bool *is_made_again = context;
    const char *refused = *is_made_again ? "put_if_absent" : "remove";
    (void)call;
    bool is_meant = strcmp(op, refused) == 0 && strncmp(name, "_graph_commits.lance/", 21) == 0;
    return is_meant && strstr(name, "/b/") != NULL ? OG_STORE_FAIL : OG_STORE_PASS;
}

/* What an earlier branch of the name left is no part of the history of the new one,
 * from which merges begin. */
TEST(test_branch__history_of_an_earlier_branch_of_the_name)
{
    world w;
    og_store *faulty;
    bool is_made_again = false;
    world_init(&w);
    assert_ok(
        og_store_wrap(w.store, (og_store_hook){keep_commits, &is_made_again}, 0, &faulty, err));
    og_repo *repo = fixture_open(faulty, &w.clock);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "2", err));
    assert_ok(og_branch_remove(repo, "b", err));
    is_made_again = true;
    assert_ok(og_branch_make(repo, NULL, "b", err));
    og_repo_close(repo);
    repo = fixture_open(w.store, &w.clock);
    OG_AUTO(og_history) of_main = NULL;
    OG_AUTO(og_history) of_b = NULL;
    assert_ok(og_history_open(repo, NULL, &of_main, err));
    assert_ok(og_history_open(repo, "b", &of_b, err));
    assert_true(og_str_eq(fixture_head(of_b)->id, fixture_head(of_main)->id));
    og_history_free(OG_TAKE(of_main));
    og_history_free(OG_TAKE(of_b));
    og_repo_close(repo);
    og_store_close(faulty);
    og_store_close(w.store);
}

/* A writer slept until the branch had been deleted and made again, and then puts its version of the
 * commits; it is the only one there. */
TEST(test_branch__commits_that_an_earlier_branch_of_the_name_gets_late)
{
    static const char folder[] = "_graph_commits.lance/tree/b/_versions/";
    world w;
    world_init(&w);
    og_repo *repo = fixture_open(w.store, &w.clock);
    og_listing names = {0};
    OG_AUTO(og_blob) late = NULL;
    char name[256];
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "2", err));
    og_repo_close(repo);
    assert_ok(w.store->ops->list(w.store, folder, false, NULL, 1, &names, err));
    snprintf(name, sizeof name, "%.*s", OG_FMT(names.items[0].name));
    assert_ok(w.store->ops->get(w.store, name, &late, err));
    og_listing_deinit(&names);
    repo = fixture_open(w.store, &w.clock);
    assert_ok(og_branch_remove(repo, "b", err));
    assert_ok(og_branch_make(repo, NULL, "b", err));
    og_repo_close(repo);
    assert_ok(w.store->ops->list(w.store, folder, false, NULL, 0, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        char other[256];
        const char *gone = other;
        snprintf(other, sizeof other, "%.*s", OG_FMT(names.items[i].name));
        assert_ok(w.store->ops->remove(w.store, &gone, 1, err));
    }
    og_listing_deinit(&names);
    assert_ok(w.store->ops->put(w.store, name, (og_bytes){late->ptr, late->len}, err));
    repo = fixture_open(w.store, &w.clock);
    for (size_t written = 0; written < 2; written++) {
        OG_AUTO(og_history) of_main = NULL;
        OG_AUTO(og_history) of_b = NULL;
        size_t main_count, b_count;
        assert_ok(og_history_open(repo, NULL, &of_main, err));
        assert_ok(og_history_open(repo, "b", &of_b, err));
        (void)fixture_commits(of_main, &main_count);
        (void)fixture_commits(of_b, &b_count);
        assert_int_equal(b_count, main_count + written);
        assert_ok(fixture_write_on(repo, "b", NULL, written == 0 ? "3" : "4", err));
    }
    og_repo_close(repo);
    og_store_close(w.store);
}
