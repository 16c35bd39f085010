/* States of earlier versions, read from a later one and the rows around them, beside what all rows
 * of those versions say. */
#include "graph/state.h"

#include "graph/branch_ops.h"
#include "graph/cleanup.h"
#include "graph/layout.h"
#include "graph/publish.h"
#include "graph/repo_priv.h"
#include "graph_fixture.h"
#include "og_test.h"

typedef fixture_world world;

static void check_same(const og_graph__state *a, const og_graph__state *b)
{
    assert_int_equal(a->manifest_version, b->manifest_version);
    assert_true(og_str_eq(a->commit_id, b->commit_id));
    assert_int_equal(a->commit_version, b->commit_version);
    assert_int_equal(a->horizon_ms, b->horizon_ms);
    assert_int_equal(a->pin_count, b->pin_count);
    for (size_t i = 0; i < a->pin_count; i++) {
        const og_graph__pin *x = &a->pins[i], *y = &b->pins[i];
        assert_true(og_str_eq(x->table_key, y->table_key));
        assert_true(og_str_eq(x->table_path, y->table_path));
        assert_true(og_str_eq(x->table_branch, y->table_branch));
        assert_int_equal(x->version, y->version);
        assert_int_equal(x->row_count, y->row_count);
        assert_int_equal(x->manifest_bytes, y->manifest_bytes);
        assert_string_equal(x->op, y->op);
    }
}

/* Each version of the branch from `first` on, from the newest one. */
static void check_versions(og_repo *repo, const char *branch, uint64_t first)
{
    OG_AUTO(og_snapshot) newest = NULL;
    assert_ok(og_repo_snapshot(repo, branch, &newest, err));
    const og_graph__snapshot *at = og_graph__snapshot_of(newest);
    for (uint64_t version = first; version <= newest->manifest_version; version++) {
        OG_AUTO(og_lance_table) manifest = NULL;
        OG_AUTO(og_graph__state) all = NULL;
        OG_AUTO(og_graph__state) state = NULL;
        assert_ok(og_lance_table_open(og_repo_env(repo), at->branch->manifest_path, version, 0,
                                      &manifest, err));
        assert_ok(og_graph__state_read(manifest, &all, err));
        assert_ok(og_graph__state_read_before(manifest, at->state, at->manifest, &state, err));
        check_same(state, all);
    }
}

/* Most write A, so that rows of B lie further and further back. */
static void write_some(og_repo *repo, const char *branch, int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[16];
        snprintf(id, sizeof id, "n%d", i);
        const char *type = i % 60 == 59 || i == to - 1 ? NULL : i % 7 == 3 && i < 60 ? "B" : "A";
        assert_ok(fixture_write_on(repo, branch, type, id, err));
    }
}

TEST(test_state__of_an_earlier_version_is_what_its_rows_say)
{
    __attribute__((cleanup(fixture_world_deinit))) world w;
    fixture_world_init(&w);
    write_some(w.repo, NULL, 0, 120);
    check_versions(w.repo, NULL, 1);
    const og_cleanup_input keep_all = {.by_count = true, .keep = 1000000};
    og_cleanup_output cleaned;
    assert_ok(og_cleanup_run(w.repo, &keep_all, &cleaned, err));
    og_cleanup_output_deinit(&cleaned);
    write_some(w.repo, NULL, 120, 130);
    check_versions(w.repo, NULL, 1);
    write_some(w.repo, NULL, 130, 500);
    check_versions(w.repo, NULL, 100);
}

TEST(test_state__of_an_earlier_version_of_a_branch)
{
    __attribute__((cleanup(fixture_world_deinit))) world w;
    fixture_world_init(&w);
    write_some(w.repo, NULL, 0, 290);
    assert_ok(og_branch_make(w.repo, NULL, "b", err));
    OG_AUTO(og_snapshot) made = NULL;
    assert_ok(og_repo_snapshot(w.repo, "b", &made, err));
    write_some(w.repo, "b", 290, 300);
    check_versions(w.repo, "b", made->manifest_version);
}

/* One more version of `__manifest`, whose row says that A has a version more, on this branch. */
static void add_row(const world *w, og_graph__pin *pin, const char *branch,
                    og_lance_table **manifest)
{
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    og_graph__op op;
    og_graph__op_init(&op, w->repo, OG_STR(""), OG_STR("Load"));
    pin->version++;
    pin->table_branch = og_str_of(branch);
    const og_graph__move move = {.pin = *pin, .manifest_name = "x"};
    const og_graph__mark none = {.aborted_op = OG_STR("")};
    assert_ok(og_graph__publish_stage(og_repo_env(w->repo), *manifest, w->store->root, &op, &move,
                                      1, &none, NULL, &write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
    og_lance_table_unref(OG_TAKE(*manifest));
    assert_ok(og_lance_write_table(write, manifest, err));
}

TEST(test_state__of_an_earlier_version_refuses_a_malformed_branch)
{
    __attribute__((cleanup(fixture_world_deinit))) world w;
    fixture_world_init(&w);
    write_some(w.repo, NULL, 0, 300);
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(w.repo, NULL, &snapshot, err));
    const og_graph__snapshot *at = og_graph__snapshot_of(snapshot);
    og_graph__pin pin = *og_graph__state_pin(at->state, OG_STR("node:A"));
    OG_AUTO(og_lance_table) manifest = og_lance_table_ref(at->manifest);
    add_row(&w, &pin, "../elsewhere", &manifest);
    OG_AUTO(og_lance_table) earlier = og_lance_table_ref(manifest);
    add_row(&w, &pin, "", &manifest);
    OG_AUTO(og_graph__state) newest = NULL;
    OG_AUTO(og_graph__state) read = NULL;
    assert_ok(og_graph__state_read(manifest, &newest, err));
    assert_status(og_graph__state_read(earlier, &read, NULL), OG_CORRUPT);
    assert_status(og_graph__state_read_before(earlier, newest, manifest, &read, NULL), OG_CORRUPT);
}

TEST(test_state__of_an_earlier_version_says_when_memory_is_out)
{
    __attribute__((cleanup(fixture_world_deinit))) world w;
    fixture_world_init(&w);
    write_some(w.repo, NULL, 0, 300);
    OG_AUTO(og_snapshot) newest = NULL;
    assert_ok(og_repo_snapshot(w.repo, NULL, &newest, err));
    const og_graph__snapshot *at = og_graph__snapshot_of(newest);
    og_status s = OG_NOMEM;
    for (int64_t n = 0; s != OG_OK; n++) {
        OG_AUTO(og_lance_table) manifest = NULL;
        OG_AUTO(og_graph__state) earlier = NULL;
        assert_ok(og_lance_table_open(og_repo_env(w.repo), OG_GRAPH__MANIFEST,
                                      newest->manifest_version - 3, 0, &manifest, err));
        og_alloc_fail_after(n, true);
        s = og_graph__state_read_before(manifest, at->state, at->manifest, &earlier, NULL);
        og_alloc_fail_after(-1, false);
        assert_true(s == OG_OK || s == OG_NOMEM);
    }
}
