/* Sidecars that other writers left, and what the next write makes of them. */
#include "graph/sidecar.h"

#include "graph/branch_ops.h"
#include "graph/fsck.h"
#include "graph_fixture.h"
#include "og_test.h"

#define SECOND_US INT64_C(1000000)
#define SIDECAR "__recovery/01ARZ3NDEKTSV4RRFFQ69G5FAV.json"

/* ---- reading ------------------------------------------------------------------------------ */

static og_graph__sidecar decode(og_arena *arena, const char *text)
{
    og_graph__sidecar sidecar;
    og_str bytes = og_str_of(text);
    assert_ok(og_graph__sidecar_decode(
        arena, SIDECAR, (og_bytes){(const uint8_t *)bytes.ptr, bytes.len}, &sidecar, err));
    return sidecar;
}

TEST(test_sidecar__shape_of_the_reference)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_graph__sidecar s = decode(
        arena,
        "{\"schema_version\": 1, \"operation_id\": \"X\", \"started_at\": \"170000\","
        "\"branch\": \"b\", \"actor_id\": null, \"writer_kind\": \"BranchMerge\", \"tables\": ["
        "{\"table_key\": \"node:A\", \"table_path\": \"/g/nodes/1\", \"expected_version\": 3,"
        " \"post_commit_pin\": 4, \"table_branch\": \"b\", \"more\": []}],"
        "\"merge_source_commit_id\": \"C\", \"unknown\": {}}");
    assert_int_equal(s.state, OG_GRAPH__SIDECAR_READ);
    assert_int_equal(s.kind, OG_GRAPH__SIDECAR_BRANCH_MERGE);
    assert_int_equal(s.started_us, 170000);
    assert_false(s.is_ours);
    assert_int_equal(s.table_count, 1);
    assert_int_equal(s.tables[0].expected_version, 3);
    assert_true(og_str_is(s.tables[0].table_branch, "b"));
    assert_true(og_str_is(s.merge_source, "C"));
    assert_true(og_graph__sidecar_names(&s, OG_STR("node:A"), OG_STR("b")));
    assert_false(og_graph__sidecar_names(&s, OG_STR("node:A"), OG_STR("")));
    assert_false(og_graph__sidecar_names(&s, OG_STR("node:B"), OG_STR("b")));
}

TEST(test_sidecar__newer_and_damaged)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_graph__sidecar newer =
        decode(arena, "{\"schema_version\": 2, \"tables\": [{\"table_key\": \"node:A\"}]}");
    assert_int_equal(newer.state, OG_GRAPH__SIDECAR_NEWER);
    assert_true(og_graph__sidecar_names(&newer, OG_STR("node:A"), OG_STR("any")));
    static const char *const damaged[] = {
        "",
        "[]",
        "{\"schema_version\": \"1\"}",
        "{\"schema_version\": 1, \"operation_id\": \"X\", \"writer_kind\": \"Load\"}",
        "{\"schema_version\": 1, \"operation_id\": \"X\", \"writer_kind\": \"?\", \"tables\": []}",
        "{\"schema_version\": 1, \"operation_id\": \"X\", \"writer_kind\": \"Load\", \"tables\": "
        "[{\"table_key\": \"node:A\", \"expected_version\": -1, \"post_commit_pin\": 2}]}",
        "{\"schema_version\": 1, \"operation_id\": \"X\", \"writer_kind\": \"Load\", \"tab",
    };
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++)
        assert_int_equal(decode(arena, damaged[i]).state, OG_GRAPH__SIDECAR_DAMAGED);
}

/* ---- going on ----------------------------------------------------------------------------- */

typedef fixture_world world;

/* A version above the newest, that deletes all rows and names no operation,
 * as other programs leave it. */
static void leave_head(world *w, const char *type)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_lance_table) newest = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    og_lance_table *table;
    assert_ok(og_repo_snapshot(w->repo, NULL, &snapshot, err));
    const og_type_def *def = og_catalog_node(snapshot->catalog, og_str_of(type));
    assert_ok(og_snapshot_table(snapshot, def, &table, err));
    assert_ok(
        og_lance_table_open(og_repo_env(w->repo), og_lance_table_path(table), 0, 0, &newest, err));
    og_lance_write_options options = {
        .op = OG_LANCE_DELETE, .min_max_fragment_id = -1, .now_us = w->clock.now_us};
    const og_lance_staged *staged;
    assert_ok(og_lance_write_new(og_repo_env(w->repo), newest, &options, &write, err));
    for (uint32_t slot = 0; slot < og_lance_table_slot_count(newest); slot++)
        assert_ok(og_lance_write_delete(write, &slot, 1, err));
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
}

static void put(world *w, const char *name, const char *text)
{
    og_str bytes = og_str_of(text);
    assert_ok(
        w->store->ops->put(w->store, name, (og_bytes){(const uint8_t *)bytes.ptr, bytes.len}, err));
}

/* A sidecar that says A and B go from version 2 to 3. */
static void leave_sidecar(world *w, const char *kind)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"schema_version\":1,\"operation_id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\","
             "\"started_at\":\"%lld\",\"branch\":null,\"actor_id\":\"somebody\",\"writer_kind\":"
             "\"%s\",\"tables\":[{\"table_key\":\"node:A\",\"table_path\":\"/x\","
             "\"expected_version\":2,\"post_commit_pin\":3},{\"table_key\":\"node:B\","
             "\"table_path\":\"/y\",\"expected_version\":2,\"post_commit_pin\":3}]}",
             (long long)w->clock.now_us, kind);
    put(w, SIDECAR, text);
}

static bool is_there(world *w, const char *name)
{
    uint64_t bytes;
    return w->store->ops->head(w->store, name, &bytes, NULL) == OG_OK;
}

static size_t count_sidecars(world *w)
{
    og_listing listing = {0};
    assert_ok(w->store->ops->list(w->store, "__recovery/", false, NULL, 0, &listing, err));
    size_t count = listing.len;
    og_listing_deinit(&listing);
    return count;
}

/* Kind and outcomes of the only audit row. */
static void expect_audit(world *w, const char *kind, const char *outcomes)
{
    static const uint32_t columns[] = {1, 2, 5};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_AUTO_BATCH rows = {0};
    const uint32_t *slots;
    assert_ok(og_lance_table_open(og_repo_env(w->repo), "_graph_commit_recoveries.lance", 0, 0,
                                  &table, err));
    assert_ok(og_lance_scan_open(table, columns, 3, 0, UINT32_MAX, &scan, err));
    assert_ok(og_lance_scan_next(scan, &rows, &slots, err));
    assert_int_equal(rows.row_count, 1);
    assert_true(og_str_is(og_array_str(rows.columns[0], 0), kind));
    assert_true(og_str_is(og_array_str(rows.columns[1], 0), "somebody"));
    assert_true(og_str_is(og_array_str(rows.columns[2], 0), outcomes));
}

TEST(test_sidecar__all_moved_is_published)
{
    static const char *const kinds[] = {"Load", "Mutation", "Optimize", "EnsureIndices"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        world w;
        og_error error;
        fixture_world_init(&w);
        assert_ok(fixture_write_both(w.repo, "x", err));
        leave_sidecar(&w, kinds[i]);
        leave_head(&w, "A");
        leave_head(&w, "B");
        assert_status(fixture_write(w.repo, "A", "y", &error), OG_CONFLICT); /* it may live */
        assert_string_equal(error.message, "foreign write in progress on 'node:A'");
        w.clock.now_us += i < 2 ? 2 * SECOND_US : 11 * SECOND_US;
        assert_ok(fixture_write(w.repo, "A", "y", err));
        assert_int_equal(fixture_count(w.repo, "A"), 1);
        assert_int_equal(fixture_count(w.repo, "B"), 0);
        assert_false(is_there(&w, SIDECAR));
        expect_audit(&w, "RolledForward",
                     "[{\"table_key\":\"node:A\",\"from_version\":2,\"to_version\":3},"
                     "{\"table_key\":\"node:B\",\"from_version\":2,\"to_version\":3}]");
        fixture_world_deinit(&w);
    }
}

TEST(test_sidecar__half_moved_is_undone)
{
    world w;
    og_error error;
    fixture_world_init(&w);
    assert_ok(fixture_write_both(w.repo, "x", err));
    leave_sidecar(&w, "Load");
    leave_head(&w, "A");
    assert_status(fixture_write(w.repo, "A", "y", &error), OG_CONFLICT);
    assert_ok(fixture_write(w.repo, "B", "y", err)); /* not in the way there */
    w.clock.now_us += 11 * SECOND_US;
    assert_ok(fixture_write(w.repo, "A", "y", err));
    assert_int_equal(fixture_count(w.repo, "A"), 2);
    assert_int_equal(fixture_count(w.repo, "B"), 2);
    assert_false(is_there(&w, SIDECAR));
    expect_audit(&w, "RolledBack",
                 "[{\"table_key\":\"node:A\",\"from_version\":3,\"to_version\":2}]");
    fixture_world_deinit(&w);
}

/* A sidecar that says A goes from version 1 to 2. */
static void announce_a(world *w)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"schema_version\":1,\"operation_id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\","
             "\"started_at\":\"%lld\",\"writer_kind\":\"Load\",\"tables\":[{\"table_key\":"
             "\"node:A\",\"table_path\":\"/x\",\"expected_version\":1,\"post_commit_pin\":2}]}",
             (long long)w->clock.now_us);
    put(w, SIDECAR, text);
}

/* A writer of ours dies anywhere, and what it left of A has the number that another writer
 * announced, who died before: it is not published for that one's, without B. */
TEST(test_sidecar__head_of_another_operation)
{
    for (uint64_t at = 0;; at++) {
        world w;
        og_error error;
        og_store *faulty;
        fixture_world_init(&w);
        og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_CRASH};
        assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &faulty, err));
        og_repo *dying = fixture_open(faulty, &w.clock);
        announce_a(&w);
        plan.at = plan.seen + at;
        (void)!fixture_write_both(dying, "x", &error);
        bool hit = plan.seen > plan.at;
        og_repo_close(dying);
        og_store_close(faulty);
        w.clock.now_us += 2 * SECOND_US;
        assert_ok(fixture_write(w.repo, "B", "y", err));
        assert_int_equal(fixture_count(w.repo, "A") + 1, fixture_count(w.repo, "B"));
        w.clock.now_us += 60 * SECOND_US;
        assert_ok(fixture_write(w.repo, "B", "z", err));
        assert_int_equal(fixture_count(w.repo, "A") + 2, fixture_count(w.repo, "B"));
        assert_int_equal(count_sidecars(&w), 0);
        fixture_world_deinit(&w);
        if (!hit)
            break;
    }
}

/* A mutation moves a table by one version; more is not what it said. */
TEST(test_sidecar__more_than_announced_is_undone)
{
    world w;
    fixture_world_init(&w);
    assert_ok(fixture_write_both(w.repo, "x", err));
    leave_sidecar(&w, "Mutation");
    leave_head(&w, "A");
    leave_head(&w, "A");
    leave_head(&w, "B");
    w.clock.now_us += 11 * SECOND_US;
    assert_ok(fixture_write_both(w.repo, "y", err));
    assert_int_equal(fixture_count(w.repo, "A"), 2);
    assert_int_equal(fixture_count(w.repo, "B"), 2);
    fixture_world_deinit(&w);
}

TEST(test_sidecar__nothing_moved_or_published_already)
{
    world w;
    fixture_world_init(&w);
    assert_ok(fixture_write_both(w.repo, "x", err));
    leave_sidecar(&w, "Load");
    w.clock.now_us += 11 * SECOND_US;
    assert_ok(fixture_write_both(w.repo, "y", err));
    assert_false(is_there(&w, SIDECAR));
    expect_audit(&w, "RolledBack", "[]");
    assert_int_equal(fixture_count(w.repo, "A"), 2);
    fixture_world_deinit(&w);
}

TEST(test_sidecar__newer_schema_stops_its_tables_only)
{
    world w;
    og_error error;
    fixture_world_init(&w);
    put(&w, SIDECAR, "{\"schema_version\":2,\"tables\":[{\"table_key\":\"node:A\"}]}");
    w.clock.now_us += 60 * SECOND_US;
    assert_status(fixture_write(w.repo, "A", "x", &error), OG_CONFLICT);
    assert_string_equal(error.message,
                        "a newer version of omnigraph has an unfinished write of 'node:A'");
    assert_ok(fixture_write(w.repo, "B", "x", err));
    assert_int_equal(fixture_count(w.repo, "A"), 0);
    assert_true(is_there(&w, SIDECAR));
    fixture_world_deinit(&w);
}

static og_status take_finding(void *context, const og_finding *finding, og_error *err)
{
    (void)err;
    og_buf_printf(context, "%s%s ", og_finding_classes[finding->kind].id,
                  finding->repaired ? " repaired" : "");
    return OG_OK;
}

/* Neither what repairs nor what deletes branches, though it says that it is of ours. */
TEST(test_sidecar__newer_schema_is_never_removed)
{
    world w;
    OG_AUTO_BUF found = OG_BUF_INIT;
    fixture_world_init(&w);
    assert_ok(og_branch_make(w.repo, NULL, "b", err));
    put(&w, SIDECAR,
        "{\"schema_version\":2,\"branch\":\"b\",\"og\":{\"op\":\"X\"},\"tables\":[{"
        "\"table_key\":\"node:A\"}]}");
    leave_head(&w, "A");
    w.clock.now_us += 60 * SECOND_US;
    const og_repo_options options = {.store = w.store, .clock = &w.clock.clock};
    const og_fsck_input input = {.repair = true, .found = take_finding, .context = &found};
    og_fsck_output out;
    assert_ok(og_fsck_run("memory", &options, &input, &out, err));
    assert_string_equal(og_buf_cstr(&found), "head newer-sidecar ");
    assert_ok(og_branch_remove(w.repo, "b", err));
    assert_ok(fixture_write(w.repo, "B", "x", err));
    assert_true(is_there(&w, SIDECAR));
    fixture_world_deinit(&w);
}

TEST(test_sidecar__damaged_is_set_aside)
{
    world w;
    fixture_world_init(&w);
    put(&w, SIDECAR, "{\"schema_version\":1,");
    put(&w, "__recovery/notes.txt", "mine");
    leave_head(&w, "A");
    w.clock.now_us += 60 * SECOND_US;
    assert_ok(fixture_write_both(w.repo, "x", err));
    assert_int_equal(fixture_count(w.repo, "A"), 1);
    assert_false(is_there(&w, SIDECAR));
    assert_true(is_there(&w, SIDECAR ".quarantined"));
    assert_true(is_there(&w, "__recovery/notes.txt"));
    fixture_world_deinit(&w);
}

/* A writer of ours dies anywhere: the next writes, of any table, leave no sidecar of it. */
TEST(test_sidecar__of_ours_is_tidied)
{
    for (uint64_t at = 0;; at++) {
        world w;
        og_error error;
        og_store *faulty;
        fixture_world_init(&w);
        og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_CRASH};
        assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &faulty, err));
        og_repo *dying = fixture_open(faulty, &w.clock);
        plan.at = plan.seen + at;
        (void)!fixture_write_both(dying, "x", &error);
        bool hit = plan.seen > plan.at;
        og_repo_close(dying);
        og_store_close(faulty);
        w.clock.now_us += 60 * SECOND_US;
        assert_ok(fixture_write(w.repo, "B", "y", err));
        assert_ok(fixture_write(w.repo, "A", "y", err));
        assert_int_equal(count_sidecars(&w), 0);
        assert_int_equal(fixture_count(w.repo, "A"), fixture_count(w.repo, "B"));
        fixture_world_deinit(&w);
        if (!hit)
            break;
    }
}

/* A writer of ours dies on a branch that is deleted then: no sidecar of it stays,
 * since the reference would not open the graph. */
TEST(test_sidecar__of_a_deleted_branch_goes_with_it)
{
    for (uint64_t at = 0;; at++) {
        world w;
        og_error error;
        og_store *faulty;
        fixture_world_init(&w);
        assert_ok(og_branch_make(w.repo, NULL, "b", err));
        og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_CRASH};
        assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &faulty, err));
        og_repo *dying = fixture_open(faulty, &w.clock);
        plan.at = plan.seen + at;
        (void)!fixture_write_on(dying, "b", NULL, "x", &error);
        bool hit = plan.seen > plan.at;
        og_repo_close(dying);
        og_store_close(faulty);
        assert_ok(og_branch_remove(w.repo, "b", err));
        assert_int_equal(count_sidecars(&w), 0);
        assert_ok(fixture_write_both(w.repo, "y", err));
        fixture_world_deinit(&w);
        if (!hit)
            break;
    }
}

TEST(test_sidecar__of_a_branch_that_is_gone)
{
    static const char *const owners[] = {"", ",\"og\":{\"op\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\"}"};
    for (size_t i = 0; i < sizeof owners / sizeof *owners; i++) {
        world w;
        char text[512];
        fixture_world_init(&w);
        snprintf(text, sizeof text,
                 "{\"schema_version\":1,\"operation_id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\","
                 "\"started_at\":\"%lld\",\"branch\":\"b\",\"writer_kind\":\"Load\",\"tables\":["
                 "{\"table_key\":\"node:A\",\"table_path\":\"/x\",\"expected_version\":1,"
                 "\"post_commit_pin\":2,\"table_branch\":\"b\"}]%s}",
                 (long long)w.clock.now_us, owners[i]);
        put(&w, SIDECAR, text);
        assert_ok(fixture_write_both(w.repo, "x", err));
        assert_true(is_there(&w, SIDECAR)); /* its writer may live */
        w.clock.now_us += 11 * SECOND_US;
        assert_ok(fixture_write_both(w.repo, "y", err));
        assert_false(is_there(&w, SIDECAR));
        assert_int_equal(fixture_count(w.repo, "A"), 2);
        fixture_world_deinit(&w);
    }
}

/* ---- two at once -------------------------------------------------------------------------- */

/* Another writer comes upon the same sidecar before the call with number `at`. */
typedef struct meeting {
    world *w;
    uint64_t at;
    bool met;
} meeting;

static og_store_fault meet(void *context, uint64_t call, const char *op, const char *name)
{
    meeting *m = context;
    (void)op, (void)name;
    if (call < m->at || m->met)
        return OG_STORE_PASS;
    m->met = true;
    og_repo *repo = fixture_open(m->w->store, &m->w->clock);
    assert_ok(fixture_write(repo, "B", "theirs", err));
    og_repo_close(repo);
    return OG_STORE_PASS;
}

/* The writer that left it moved A, and B when `all`; each had a row, which it deleted. */
static bool recover_twice(bool all, uint64_t at)
{
    world w;
    og_store *watched;
    fixture_world_init(&w);
    assert_ok(fixture_write_both(w.repo, "x", err));
    leave_sidecar(&w, "Load");
    leave_head(&w, "A");
    if (all)
        leave_head(&w, "B");
    w.clock.now_us += 60 * SECOND_US;
    meeting m = {&w, at, false};
    assert_ok(og_store_wrap(w.store, (og_store_hook){meet, &m}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w.clock);
    assert_ok(fixture_write(repo, "A", "mine", err));
    og_repo_close(repo);
    og_store_close(watched);
    assert_false(is_there(&w, SIDECAR));
    assert_int_equal(fixture_count(w.repo, "A"), !all + 1);
    assert_int_equal(fixture_count(w.repo, "B"), !all + m.met);
    fixture_world_deinit(&w);
    return m.met;
}

TEST(test_sidecar__two_go_on_with_it_at_once)
{
    for (int all = 0; all < 2; all++)
        for (uint64_t at = 0; recover_twice(all, at); at++)
            assert_true(at < 1000);
}
