/* Each kind of damage, made by hand, is found and named; what can be repaired is;
 * and a graph that is whole is clean. */
#include "columnar/builder.h"
#include <inttypes.h>

#include "dag_rows.h"
#include "graph/branch_ops.h"
#include "graph/fork.h"
#include "graph/fsck.h"
#include "graph/head_file.h"
#include "graph/history.h"
#include "graph/layout.h"
#include "graph/publish.h"
#include "graph_fixture.h"
#include "og_test.h"

typedef fixture_world world;

/* Two rows in A and in B. */
static void world_init(world *w)
{
    fixture_world_init(w);
    assert_ok(fixture_write_both(w->repo, "a", err));
    assert_ok(fixture_write_both(w->repo, "b", err));
}

#define OPEN_WORLD(name)                                                                           \
    __attribute__((cleanup(fixture_world_deinit))) world name;                                     \
    world_init(&name)

/* ---- what a check finds ------------------------------------------------------------------- */

/* Kinds of the findings in order, each once while it repeats, and the last message. */
typedef struct found {
    char kinds[1024];
    const char *last;
    char message[4096];
    bool repaired;
} found;

static og_status take(void *context, const og_finding *finding, og_error *err)
{
    (void)err;
    found *f = context;
    const char *kind = og_finding_classes[finding->kind].id;
    if (f->last == NULL || strcmp(f->last, kind) != 0)
        snprintf(f->kinds + strlen(f->kinds), sizeof f->kinds - strlen(f->kinds), "%s%s",
                 f->last != NULL ? " " : "", kind);
    f->last = kind;
    snprintf(f->message, sizeof f->message, "%s", finding->message);
    f->repaired = finding->repaired;
    return OG_OK;
}

static og_fsck_output run(const world *w, bool repair, found *f)
{
    const og_repo_options options = {.store = w->store, .clock = &w->clock.clock};
    const og_fsck_input input = {.repair = repair, .found = take, .context = f};
    og_fsck_output out;
    *f = (found){0};
    assert_ok(og_fsck_run("memory", &options, &input, &out, err));
    return out;
}

/* A check finds exactly these kinds. */
static void finds(const world *w, const char *kinds)
{
    found f;
    run(w, false, &f);
    assert_string_equal(f.kinds, kinds);
}

/* A check with repair finds and repairs them, and the next one finds nothing. */
static void repairs(const world *w, const char *kinds)
{
    found f;
    og_fsck_output out = run(w, true, &f);
    assert_string_equal(f.kinds, kinds);
    assert_true(f.repaired);
    assert_int_equal(out.repaired, out.findings);
    finds(w, "");
}

static void finds_message(const world *w, const char *kinds, const char *message)
{
    found f;
    run(w, false, &f);
    assert_string_equal(f.kinds, kinds);
    assert_string_equal(f.message, message);
}

/* ---- making damage ------------------------------------------------------------------------ */

static const og_type_def *type_of(const world *w, const char *name)
{
    const og_catalog *catalog = og_repo_catalog(w->repo);
    const og_type_def *node = og_catalog_node(catalog, og_str_of(name));
    return node != NULL ? node : &catalog->edges[0];
}

/* The first object below a folder of the type's table. */
static void first_object(const world *w, const char *type, const char *folder, char *dst,
                         size_t cap)
{
    char prefix[256];
    og_listing names = {0};
    snprintf(prefix, sizeof prefix, "%.*s/%s/", OG_FMT(type_of(w, type)->table_path), folder);
    assert_ok(w->store->ops->list(w->store, prefix, false, NULL, 0, &names, err));
    assert_true(names.len > 0);
    snprintf(dst, cap, "%.*s", OG_FMT(names.items[0].name));
    og_listing_deinit(&names);
}

static void remove_object(const world *w, const char *name)
{
    assert_ok(w->store->ops->remove(w->store, &name, 1, err));
}

static void put_object(const world *w, const char *name, const char *text)
{
    const og_bytes bytes = {(const uint8_t *)text, strlen(text)};
    assert_ok(w->store->ops->put(w->store, name, bytes, err));
}

static void remove_folder(const world *w, const char *prefix)
{
    og_listing names = {0};
    assert_ok(w->store->ops->list(w->store, prefix, true, NULL, 0, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", OG_FMT(names.items[i].name));
        remove_object(w, name);
    }
    og_listing_deinit(&names);
}

/* A version of a table above its pin (0: the next one), with one more row;
 * `columns` values of it. */
static void append_version(const world *w, const char *type, const char *const *values,
                           uint64_t version, og_lance_table **out)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_lance_table *base;
    OG_AUTO_BATCH batch = {0};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    assert_ok(og_repo_snapshot(w->repo, NULL, &snapshot, err));
    assert_ok(og_snapshot_table(snapshot, type_of(w, type), &base, err));
    uint32_t count;
    og_lance_table_fields(base, &count);
    assert_ok(og_batch_init(&batch, count, 1, err));
    for (uint32_t i = 0; i < count; i++) {
        OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_UTF8));
        assert_true(og_builder_str(b, og_str_of(values[i])));
        assert_ok(og_builder_finish(b, &batch.columns[i], err));
    }
    const og_lance_write_options options = {
        .op = OG_LANCE_APPEND, .version = version, .min_max_fragment_id = -1};
    assert_ok(og_lance_write_new(og_repo_env(w->repo), base, &options, &write, err));
    assert_ok(og_lance_write_rows(write, &batch, NULL, err));
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
    assert_ok(og_lance_write_table(write, out, err));
}

static void append_head(const world *w, const char *type, const char *const *values,
                        og_lance_table **out)
{
    append_version(w, type, values, 0, out);
}

/* Publish a pin as it stands, whatever it says. */
static void publish_pin(const world *w, const og_graph__pin *pin)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    og_graph__op op;
    OG_AUTO_BUF name = OG_BUF_INIT;
    char path[128];
    assert_ok(og_repo_snapshot(w->repo, NULL, &snapshot, err));
    og_graph__snapshot *at = og_graph__snapshot_of(snapshot);
    og_graph__op_init(&op, w->repo, OG_STR("tester"), OG_STR("Load"));
    snprintf(op.parent_id, sizeof op.parent_id, "%.*s", OG_FMT(at->state->commit_id));
    snprintf(path, sizeof path, "%.*s", OG_FMT(pin->table_path));
    assert_true(og_lance_manifest_name(&name, path, pin->version));
    const og_graph__move move = {.pin = *pin, .manifest_name = og_buf_cstr(&name)};
    const og_graph__mark none = {.aborted_op = OG_STR("")};
    assert_ok(og_graph__publish_stage(og_repo_env(w->repo), at->manifest, w->store->root, &op,
                                      &move, 1, &none, NULL, &write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
}

static const og_graph__pin *pin_of(og_snapshot *snapshot, const char *table_key)
{
    return og_graph__state_pin(og_graph__snapshot_of(snapshot)->state, og_str_of(table_key));
}

/* A row that no check of constraints has seen, published. */
static void insert_unchecked(const world *w, const char *type, const char *const *values)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_lance_table) head = NULL;
    append_head(w, type, values, &head);
    assert_ok(og_repo_snapshot(w->repo, NULL, &snapshot, err));
    char key[32];
    snprintf(key, sizeof key, "%s:%s", type[0] == 'E' ? "edge" : "node", type);
    og_graph__pin pin = *pin_of(snapshot, key);
    pin.version = og_lance_table_version(head);
    pin.row_count = og_lance_table_row_count(head);
    pin.manifest_bytes = og_lance_table_manifest_bytes(head);
    publish_pin(w, &pin);
}

/* A head file that fits the newest version, with another count. */
static void lie_in_head_file(const world *w)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_graph__state) lie = NULL;
    assert_ok(og_repo_snapshot(w->repo, NULL, &snapshot, err));
    og_graph__snapshot *at = og_graph__snapshot_of(snapshot);
    og_graph__pin pin = *pin_of(snapshot, "node:A");
    pin.row_count = 77;
    assert_ok(og_graph__state_advance(at->state, at->state->manifest_version, &pin, 1,
                                      at->state->commit_id, 0, &lie, err));
    og_graph__head_write(w->store, at->branch->head_file, lie,
                         og_lance_table_transaction_uuid(at->manifest), &(og_graph__hints){0});
}

/* ---- tests -------------------------------------------------------------------------------- */

TEST(test_fsck__a_whole_graph_is_clean)
{
    OPEN_WORLD(w);
    found f;
    og_fsck_output out = run(&w, false, &f);
    assert_string_equal(f.kinds, "");
    assert_int_equal(out.branches, 1);
    assert_int_equal(out.tables, 3);
    assert_int_equal(out.rows, 4);
    assert_int_equal(out.findings, 0);
    run(&w, true, &f); /* repairing what is whole changes nothing */
    assert_string_equal(f.kinds, "");
}

TEST(test_fsck__says_when_there_is_no_graph)
{
    OG_AUTO(og_store) store = NULL;
    assert_ok(og_store_open_memory(&store, err));
    const og_repo_options options = {.store = store};
    const og_fsck_input input = {.found = take};
    og_fsck_output out;
    assert_status(og_fsck_run("memory", &options, &input, &out, NULL), OG_NOT_FOUND);
}

TEST(test_fsck__finds_a_missing_data_file)
{
    OPEN_WORLD(w);
    char name[256];
    first_object(&w, "A", "data", name, sizeof name);
    remove_object(&w, name);
    found f;
    run(&w, false, &f);
    assert_string_equal(f.kinds, "content");
    assert_non_null(strstr(f.message, name));
}

TEST(test_fsck__finds_a_file_cut_short)
{
    OPEN_WORLD(w);
    char name[256];
    OG_AUTO(og_blob) blob = NULL;
    first_object(&w, "B", "data", name, sizeof name);
    assert_ok(w.store->ops->get(w.store, name, &blob, err));
    assert_ok(w.store->ops->put(w.store, name, (og_bytes){blob->ptr, blob->len - 9}, err));
    finds(&w, "content");
}

TEST(test_fsck__finds_a_missing_version)
{
    OPEN_WORLD(w);
    char name[256];
    first_object(&w, "A", "_versions", name, sizeof name); /* the newest sorts first */
    remove_object(&w, name);
    finds_message(&w, "table", "table node:A: version 3 that __manifest names is missing");
}

TEST(test_fsck__finds_an_unreadable_manifest)
{
    OPEN_WORLD(w);
    OG_AUTO_BUF name = OG_BUF_INIT;
    assert_true(og_lance_manifest_name(&name, OG_GRAPH__MANIFEST, 3));
    put_object(&w, og_buf_cstr(&name), "torn");
    finds(&w, "graph");
}

TEST(test_fsck__finds_a_changed_schema)
{
    OPEN_WORLD(w);
    put_object(&w, OG_GRAPH__SCHEMA_SOURCE, "node A { name: String @key }\n");
    finds(&w, "graph");
}

TEST(test_fsck__finds_two_rows_of_one_version)
{
    OPEN_WORLD(w);
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(w.repo, NULL, &snapshot, err));
    publish_pin(&w, pin_of(snapshot, "node:A"));
    finds(&w, "manifest commit-table");
}

TEST(test_fsck__finds_a_wrong_count)
{
    OPEN_WORLD(w);
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_lance_table) head = NULL;
    const char *const row[] = {"c", "c"};
    append_head(&w, "A", row, &head);
    assert_ok(og_repo_snapshot(w.repo, NULL, &snapshot, err));
    og_graph__pin pin = *pin_of(snapshot, "node:A");
    pin.version = og_lance_table_version(head);
    pin.row_count = 99;
    pin.manifest_bytes = og_lance_table_manifest_bytes(head);
    publish_pin(&w, &pin);
    finds(&w, "row-count commit-table");
}

TEST(test_fsck__finds_and_settles_a_head_that_nobody_published)
{
    OPEN_WORLD(w);
    OG_AUTO(og_lance_table) head = NULL;
    const char *const row[] = {"c", "c"};
    append_head(&w, "A", row, &head);
    finds_message(&w, "head", "version 4 of another program is above the published 3");
    repairs(&w, "head");
    assert_int_equal(fixture_count(w.repo, "A"), 2);
}

TEST(test_fsck__finds_and_settles_a_head_above_a_hole)
{
    OPEN_WORLD(w);
    OG_AUTO(og_lance_table) head = NULL;
    OG_AUTO_BUF mark = OG_BUF_INIT;
    const char *const row[] = {"c", "c"};
    append_version(&w, "A", row, 6, &head);
    og_buf_printf(&mark, "%s/_versions/og.gap-%020d", og_lance_table_path(head), 3);
    put_object(&w, og_buf_cstr(&mark), ""); /* of a cleanup that saw the hole */
    finds_message(&w, "head", "version 6 of another program is above the published 3");
    repairs(&w, "head");
    assert_int_equal(fixture_count(w.repo, "A"), 2);
}

TEST(test_fsck__finds_an_id_that_occurs_twice)
{
    OPEN_WORLD(w);
    const char *const row[] = {"b", "b"};
    insert_unchecked(&w, "A", row);
    insert_unchecked(&w, "A", row);
    found f;
    run(&w, true, &f); /* completes the commit DAG, which is of no interest here */
    finds_message(&w, "duplicate-id", "id 'b' stands in 3 rows");
}

TEST(test_fsck__finds_edges_without_an_end)
{
    OPEN_WORLD(w);
    const char *const good[] = {"e1", "a", "b"}, *const bad[] = {"e2", "a", "nowhere"};
    insert_unchecked(&w, "E", good);
    insert_unchecked(&w, "E", bad);
    found f;
    run(&w, true, &f);
    finds_message(&w, "missing-endpoint", "edge 'e2' goes to 'nowhere', which is no B");
}

TEST(test_fsck__finds_and_fills_lost_commit_tables)
{
    OPEN_WORLD(w);
    remove_folder(&w, OG_GRAPH__COMMITS "/");
    finds(&w, "commit-table");
    found f;
    run(&w, true, &f);
    finds(&w, "");
}

/* Names of a data set's data files, to be freed. */
static og_listing data_files(const world *w, const char *path)
{
    og_listing names = {0};
    char prefix[256];
    snprintf(prefix, sizeof prefix, "%s/data/", path);
    assert_ok(w->store->ops->list(w->store, prefix, false, NULL, 0, &names, err));
    return names;
}

static bool lists(const og_listing *names, og_str name)
{
    for (size_t i = 0; i < names->len; i++)
        if (og_str_eq(names->items[i].name, name))
            return true;
    return false;
}

/* Remove the data files of a data set but for those in `kept`. */
static void lose_files(const world *w, const char *path, const og_listing *kept)
{
    og_listing names = data_files(w, path);
    for (size_t i = 0; i < names.len; i++) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", OG_FMT(names.items[i].name));
        if (!lists(kept, names.items[i].name))
            remove_object(w, name);
    }
    og_listing_deinit(&names);
}

static bool is_listed(const world *w, const char *id)
{
    OG_AUTO(og_history) history = NULL;
    const og_commit_info *commit;
    assert_ok(og_history_open(w->repo, NULL, &history, err));
    assert_ok(og_history_find(history, og_str_of(id), &commit, err));
    return commit != NULL;
}

TEST(test_fsck__makes_commit_tables_anew_that_lost_files)
{
    OPEN_WORLD(w);
    const og_listing none = {0};
    lose_files(&w, OG_GRAPH__COMMITS, &none);
    finds(&w, "commit-table");
    repairs(&w, "commit-table");
    assert_ok(fixture_write_both(w.repo, "c", err));
    finds(&w, "");
    remove_folder(&w, OG_GRAPH__ACTORS "/");
    repairs(&w, "commit-table");
    dag_rows_append_actors(w.repo, "X ana\n");
    lose_files(&w, OG_GRAPH__ACTORS, &none);
    repairs(&w, "commit-table");
}

static void write_some(const world *w, const char *const *ids)
{
    for (; *ids != NULL; ids++)
        assert_ok(fixture_write(w->repo, "A", *ids, err));
}

/* The version of the commits that has `newer` newer ones. */
static void name_version(const world *w, size_t newer, char *dst, size_t cap)
{
    og_listing names = {0};
    const char *folder = OG_GRAPH__COMMITS "/_versions/";
    assert_ok(w->store->ops->list(w->store, folder, false, NULL, 0, &names, err));
    assert_true(names.len > newer);
    snprintf(dst, cap, "%.*s", OG_FMT(names.items[newer].name));
    og_listing_deinit(&names);
}

/* A power loss took names of versions and tore the next one; the head file knows an older one. */
TEST(test_fsck__makes_commit_tables_whole_above_a_hole)
{
    OPEN_WORLD(w);
    static const char head_file[] = "_omnigraph/head-main.json";
    char name[256];
    OG_AUTO(og_blob) head = NULL;
    write_some(&w, (const char *[]){"p", "q", NULL});
    assert_ok(w.store->ops->get(w.store, head_file, &head, err));
    write_some(&w, (const char *[]){"r", "s", "t", "u", NULL});
    name_version(&w, 0, name, sizeof name);
    put_object(&w, name, "torn");
    for (int i = 0; i < 3; i++) {
        name_version(&w, 1, name, sizeof name);
        remove_object(&w, name);
    }
    og_repo_close(w.repo);
    assert_ok(w.store->ops->put(w.store, head_file, (og_bytes){head->ptr, head->len}, err));
    repairs(&w, "commit-table");
    w.repo = fixture_open(w.store, &w.clock);
    write_some(&w, (const char *[]){"v", NULL});
    finds(&w, "");
}

/* Of a table of several files, one is lost: with the rows of another program's commits, or of
 * ours. */
TEST(test_fsck__keeps_foreign_commits_that_can_be_read)
{
    OPEN_WORLD(w);
    found f;
    dag_rows_append(w.repo, "X 3 1 - - -\n");
    og_listing both = data_files(&w, OG_GRAPH__COMMITS);
    dag_rows_append(w.repo, "Y 3 2 X - -\n");
    lose_files(&w, OG_GRAPH__COMMITS, &both);
    assert_false(is_listed(&w, "Y"));
    run(&w, true, &f);
    const char *told = strstr(f.message, "; ");
    assert_non_null(told);
    assert_string_equal(told, "; 1 row of another program's, which stood there only, is lost");
    finds(&w, "");
    assert_true(is_listed(&w, "X"));
    og_listing anew = data_files(&w, OG_GRAPH__COMMITS);
    dag_rows_append(w.repo, "Z 3 3 X - -\n");
    og_listing last = data_files(&w, OG_GRAPH__COMMITS);
    for (size_t i = 0; i < last.len; i++) { /* all but that of Z */
        char name[256];
        snprintf(name, sizeof name, "%.*s", OG_FMT(last.items[i].name));
        if (lists(&anew, last.items[i].name))
            remove_object(&w, name);
    }
    run(&w, true, &f);
    assert_string_equal(f.kinds, "commit-table history");
    assert_string_equal(f.message, "the parent X of commit Z is not there");
    assert_true(is_listed(&w, "Z"));
    og_listing_deinit(&both);
    og_listing_deinit(&anew);
    og_listing_deinit(&last);
}

/* Of a table that lost files, the newest row that is left is that of another program's merge, which
 * changed nothing. */
TEST(test_fsck__commits_follow_foreign_ones_that_a_repair_kept)
{
    OPEN_WORLD(w);
    og_history *history;
    assert_ok(og_history_open(w.repo, NULL, &history, err));
    const og_commit_info *head = fixture_head(history);
    og_ulid merge = og_repo_new_ulid(w.repo);
    char row[256];
    snprintf(row, sizeof row, "%s %" PRIu64 " %" PRId64 " %.*s SIDE -\n", merge.text,
             head->manifest_version, head->created_at_us, OG_FMT(head->id));
    og_history_free(history);
    og_listing before = data_files(&w, OG_GRAPH__COMMITS);
    dag_rows_append(w.repo, row);
    og_listing all = data_files(&w, OG_GRAPH__COMMITS);
    for (size_t i = 0; i < all.len; i++) { /* all but that of the merge */
        char name[256];
        snprintf(name, sizeof name, "%.*s", OG_FMT(all.items[i].name));
        if (lists(&before, all.items[i].name))
            remove_object(&w, name);
    }
    found f;
    run(&w, true, &f);
    assert_true(is_listed(&w, merge.text));
    og_repo_close(w.repo);
    w.repo = fixture_open(w.store, &w.clock);
    assert_ok(fixture_write_both(w.repo, "c", err));
    assert_ok(og_history_open(w.repo, NULL, &history, err));
    assert_str_is(fixture_head(history)->parent, merge.text);
    og_history_free(history);
    og_listing_deinit(&before);
    og_listing_deinit(&all);
}

/* What another does before one of the calls of a check. */
typedef struct visit {
    og_repo *repo;
    void (*act)(og_repo *repo);
    uint64_t at;
    bool came;
} visit;

static og_store_fault visit_before(void *context, uint64_t call, const char *op, const char *name)
{
    visit *v = context;
    (void)op, (void)name;
    if (call == v->at) {
        v->came = true;
        v->act(v->repo);
    }
    return OG_STORE_PASS;
}

static void run_with_visit(const world *w, visit *v, bool repair, found *f)
{
    world watched = *w;
    assert_ok(og_store_wrap(w->store, (og_store_hook){visit_before, v}, 0, &watched.store, err));
    run(&watched, repair, f);
    og_store_close(watched.store);
}

static void write_late(og_repo *repo)
{
    assert_ok(fixture_write_both(repo, "late", err));
}

/* Repair while a commit comes before call `at`; its row must not be lost, whoever comes first. */
static bool repair_with_visit(uint64_t at)
{
    OPEN_WORLD(w);
    const og_listing none = {0};
    found f;
    visit v = {.repo = w.repo, .act = write_late, .at = at};
    lose_files(&w, OG_GRAPH__COMMITS, &none);
    run_with_visit(&w, &v, true, &f);
    finds(&w, "");
    return v.came;
}

TEST(test_fsck__repairs_beside_a_writer)
{
    for (uint64_t at = 0; repair_with_visit(at);)
        at += 1;
}

TEST(test_fsck__repairs_once_there_is_memory)
{
    OPEN_WORLD(w);
    const og_repo_options options = {.store = w.store, .clock = &w.clock.clock};
    const og_listing none = {0};
    lose_files(&w, OG_GRAPH__COMMITS, &none);
    remove_folder(&w, OG_GRAPH__ACTORS "/");
    og_fsck_output out = {0};
    og_status s = OG_NOMEM;
    for (int64_t at = 0; s != OG_OK || out.repaired < out.findings; at += 1 + at / 16) {
        found f = {0};
        const og_fsck_input input = {.repair = true, .found = take, .context = &f};
        og_alloc_fail_after(at, true);
        s = og_fsck_run("memory", &options, &input, &out, NULL);
        og_alloc_fail_after(-1, false);
        assert_true(s == OG_OK || s == OG_NOMEM);
    }
    finds(&w, "");
}

/* ---- branches that come and go ------------------------------------------------------------ */

#define FIRST_VERSIONS OG_GRAPH__MANIFEST "/tree/side/_versions/"

static void remove_side(og_repo *repo)
{
    assert_ok(og_branch_remove(repo, "side", err));
}

static void renew_side(og_repo *repo)
{
    assert_ok(og_branch_remove(repo, "side", err));
    assert_ok(og_branch_make(repo, NULL, "side", err));
}

/* Nothing is said of a branch that another deletes, or makes again, before call `at`. */
static bool check_with_visit(uint64_t at, void (*act)(og_repo *repo))
{
    OPEN_WORLD(w);
    found f;
    visit v = {.repo = w.repo, .act = act, .at = at};
    assert_ok(og_branch_make(w.repo, NULL, "side", err));
    assert_ok(fixture_write_on(w.repo, "side", NULL, "c", err));
    run_with_visit(&w, &v, false, &f);
    assert_string_equal(f.kinds, "");
    return v.came;
}

TEST(test_fsck__says_nothing_of_branches_that_go_meanwhile)
{
    for (uint64_t at = 0; check_with_visit(at, remove_side);)
        at += 1;
    for (uint64_t at = 0; check_with_visit(at, renew_side);)
        at += 1;
}

/* A branch whose creator died behind the ref. */
static void make_unborn(world *w)
{
    assert_ok(og_branch_make(w->repo, NULL, "side", err));
    og_repo_close(w->repo); /* it is whole now */
    remove_folder(w, FIRST_VERSIONS);
    w->repo = fixture_open(w->store, &w->clock);
}

TEST(test_fsck__finds_and_completes_a_branch_without_a_first_version)
{
    OPEN_WORLD(w);
    make_unborn(&w);
    assert_ok(fixture_write_both(w.repo, "c", err));
    finds_message(&w, "unfinished-branch", "its first version was not made");
    repairs(&w, "unfinished-branch");
    assert_int_equal(fixture_count_on(w.repo, "side", "A"), 2);
    assert_ok(fixture_write_on(w.repo, "side", NULL, "d", err));
    finds(&w, "");
}

TEST(test_fsck__completes_the_commits_of_such_a_branch)
{
    OPEN_WORLD(w);
    make_unborn(&w);
    remove_folder(&w, OG_GRAPH__COMMITS "/tree/side/");
    remove_object(&w, OG_GRAPH__COMMITS "/_refs/branches/side.json");
    assert_ok(fixture_write_both(w.repo, "c", err));
    repairs(&w, "unfinished-branch commit-table");
}

/* Its creator goes on while the check waits. */
typedef struct creator {
    const world *world;
    int waits;
} creator;

static int64_t creator_now(void *context)
{
    return ((creator *)context)->world->clock.now_us;
}

static void creator_goes_on(void *context, int64_t us)
{
    creator *c = context;
    og_graph__branch *branch;
    (void)us;
    if (++c->waits != 2)
        return;
    assert_ok(og_graph__branch_get(c->world->repo, "side", &branch, err));
    assert_ok(og_graph__fork_complete(c->world->repo, branch, err));
}

TEST(test_fsck__waits_for_a_branch_that_is_being_made)
{
    OPEN_WORLD(w);
    make_unborn(&w);
    creator c = {.world = &w};
    const og_clock clock = {.now_us = creator_now, .sleep_us = creator_goes_on, .context = &c};
    const og_repo_options options = {.store = w.store, .clock = &clock};
    found f = {0};
    const og_fsck_input input = {.found = take, .context = &f};
    og_fsck_output out;
    assert_ok(og_fsck_run("memory", &options, &input, &out, err));
    assert_string_equal(f.kinds, "");
    assert_int_equal(c.waits, 2);
}

/* ---- the rest ----------------------------------------------------------------------------- */

/* Writers died between the row of a commit and that of its actor. */
TEST(test_fsck__finds_and_adds_actors_that_are_missing)
{
    OPEN_WORLD(w);
    found f;
    char last[256];
    assert_ok(og_branch_make(w.repo, NULL, "side", err));
    assert_ok(fixture_write_on(w.repo, "side", NULL, "c", err));
    og_repo_close(w.repo); /* all rows are there now */
    og_listing all = {0};
    assert_ok(
        w.store->ops->list(w.store, OG_GRAPH__ACTORS "/_versions/", false, NULL, 0, &all, err));
    assert_int_equal(all.len, 4);
    for (int i = 0; i < 2; i++) { /* newest first */
        snprintf(last, sizeof last, "%.*s", OG_FMT(all.items[i].name));
        remove_object(&w, last);
    }
    og_listing_deinit(&all);
    w.repo = fixture_open(w.store, &w.clock);
    run(&w, false, &f);
    assert_string_equal(f.kinds, "commit-table");
    assert_non_null(strstr(f.message, "misses the actors of 2 commits, the last one is "));
    repairs(&w, "commit-table");
}

TEST(test_fsck__finds_commits_that_lead_nowhere)
{
    OPEN_WORLD(w);
    dag_rows_append(w.repo, "X 2 1 LOST - -\n");
    finds_message(&w, "history", "the parent LOST of commit X is not there");
    dag_rows_append(w.repo, "Y 99 1 X - -\n");
    finds_message(&w, "history", "commit Y made version 99, the newest one is 3");
}

TEST(test_fsck__finds_and_removes_a_head_file_that_lies)
{
    OPEN_WORLD(w);
    lie_in_head_file(&w);
    finds(&w, "head-file");
    repairs(&w, "head-file");
}

TEST(test_fsck__finds_what_operations_left)
{
    OPEN_WORLD(w);
    put_object(&w, OG_GRAPH__RECOVERY "01K9Z3W8Q6YB2T4M5N7P0R1S2V.json", "{}");
    put_object(
        &w, OG_GRAPH__RECOVERY "01K9Z3W8Q6YB2T4M5N7P0R1S2W.json",
        "{\"schema_version\":2,\"operation_id\":\"01K9Z3W8Q6YB2T4M5N7P0R1S2W\",\"tables\":[]}");
    put_object(&w, OG_GRAPH__RECOVERY "some.json.quarantined", "?");
    put_object(&w, OG_GRAPH__RECOVERY "note.txt", "?");
    found f;
    og_fsck_output out = run(&w, false, &f);
    assert_string_equal(f.kinds, "sidecar newer-sidecar quarantined");
    assert_int_equal(out.findings, 3);
}

TEST(test_fsck__says_when_memory_is_out)
{
    OPEN_WORLD(w);
    const char *const good[] = {"e1", "a", "b"};
    insert_unchecked(&w, "E", good);
    const og_repo_options options = {.store = w.store, .clock = &w.clock.clock};
    og_status s = OG_NOMEM;
    for (int64_t at = 0; s != OG_OK; at += 1 + at / 16) {
        found f = {0};
        const og_fsck_input input = {.found = take, .context = &f};
        og_fsck_output out;
        og_alloc_fail_after(at, true);
        s = og_fsck_run("memory", &options, &input, &out, NULL);
        og_alloc_fail_after(-1, false);
        assert_true(s == OG_OK || s == OG_NOMEM);
    }
}
