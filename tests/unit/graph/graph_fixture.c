#include "graph_fixture.h"

#include "columnar/builder.h"
#include "og_test.h"

static const char schema[] = "node A {\n  name: String @key\n}\n"
                             "node B {\n  name: String @key\n}\n"
                             "edge E: A -> B\n";

static int64_t read_clock(void *context)
{
    fixture_clock *clock = context;
    return __atomic_add_fetch(&clock->now_us, clock->step_us, __ATOMIC_RELAXED);
}

static void let_pass(void *context, int64_t us)
{
    __atomic_add_fetch(&((fixture_clock *)context)->now_us, us, __ATOMIC_RELAXED);
}

void fixture_clock_init(fixture_clock *clock)
{
    *clock =
        (fixture_clock){.clock = {.now_us = read_clock, .sleep_us = let_pass, .context = clock},
                        .now_us = 1700000000000000};
}

/* Names, and with them sizes and the number of calls, are the same in each graph that is made. */
static uint64_t random_state;

static void fill(void *context, void *dst, size_t len)
{
    (void)context;
    for (uint8_t *out = dst; len > 0;) {
        uint64_t state = __atomic_fetch_add(&random_state, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);
        uint64_t bits = og_test_random(&state);
        size_t n = len < sizeof bits ? len : sizeof bits;
        memcpy(out, &bits, n);
        out += n;
        len -= n;
    }
}

static const og_random fixture_random = {.fill = fill};

void fixture_init(og_store *store, const fixture_clock *clock)
{
    random_state = 0;
    og_repo_options options = {.store = store, .clock = &clock->clock, .random = &fixture_random};
    assert_ok(og_repo_init("memory", og_str_of(schema), false, &options, err));
}

og_repo *fixture_open_window(og_store *store, const fixture_clock *clock, size_t history_rows)
{
    og_repo_options options = {.store = store,
                               .clock = &clock->clock,
                               .random = &fixture_random,
                               .history_rows = history_rows};
    og_repo *repo = NULL;
    assert_ok(og_repo_open("memory", &options, &repo, err));
    return repo;
}

og_repo *fixture_open(og_store *store, const fixture_clock *clock)
{
    return fixture_open_window(store, clock, 0);
}

const og_commit_info *fixture_commits(og_history *history, size_t *out_count)
{
    const og_commit_info *commits = NULL;
    assert_ok(og_history_commits(history, &commits, out_count, err));
    return commits;
}

const og_commit_info *fixture_head(og_history *history)
{
    const og_commit_info *head = NULL;
    assert_ok(og_history_head(history, &head, err));
    return head;
}

const og_commit_info *fixture_find(og_history *history, og_str id)
{
    const og_commit_info *found = NULL;
    assert_ok(og_history_find(history, id, &found, err));
    return found;
}

void fixture_world_init(fixture_world *w)
{
    assert_ok(og_store_open_memory(&w->store, err));
    fixture_clock_init(&w->clock);
    fixture_init(w->store, &w->clock);
    w->repo = fixture_open(w->store, &w->clock);
}

void fixture_world_deinit(fixture_world *w)
{
    og_repo_close(w->repo);
    og_store_close(w->store);
}

static og_status row_batch(const char *id, og_batch *out, og_error *err)
{
    OG_TRY(og_batch_init(out, 2, 1, err));
    for (int i = 0; i < 2; i++) {
        OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_UTF8));
        if (b == NULL || !og_builder_str(b, og_str_of(id)))
            return og_error_nomem(err);
        OG_TRY(og_builder_finish(b, &out->columns[i], err));
    }
    return OG_OK;
}

og_status fixture_append(og_txn *txn, const char *type, const char *id, og_error *err)
{
    const og_catalog *catalog = og_txn_snapshot(txn)->catalog;
    const og_type_def *def = og_catalog_node(catalog, og_str_of(type));
    og_lance_write *write;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_txn_write(txn, def, OG_LANCE_APPEND, &write, err));
    OG_TRY(row_batch(id, &batch, err));
    return og_lance_write_rows(write, &batch, NULL, err);
}

static og_status write_types(og_repo *repo, const char *branch, const char *const *types,
                             const char *id, og_error *err)
{
    const og_txn_options options = {.branch = branch, .kind = "Load", .actor = "tester"};
    OG_AUTO(og_txn) txn = NULL;
    og_commit_result result;
    OG_TRY(og_txn_begin(repo, &options, &txn, err));
    for (; *types != NULL; types++)
        OG_TRY(fixture_append(txn, *types, id, err));
    return og_txn_commit(txn, &result, err);
}

og_status fixture_write_both(og_repo *repo, const char *id, og_error *err)
{
    return fixture_write_on(repo, NULL, NULL, id, err);
}

og_status fixture_write(og_repo *repo, const char *type, const char *id, og_error *err)
{
    return fixture_write_on(repo, NULL, type, id, err);
}

og_status fixture_write_on(og_repo *repo, const char *branch, const char *type, const char *id,
                           og_error *err)
{
    static const char *const both[] = {"A", "B", NULL};
    const char *const one[] = {type, NULL};
    return write_types(repo, branch, type != NULL ? one : both, id, err);
}

uint64_t fixture_count(og_repo *repo, const char *type)
{
    return fixture_count_on(repo, "main", type);
}

uint64_t fixture_count_on(og_repo *repo, const char *branch, const char *type)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(repo, branch, &snapshot, err));
    const og_type_def *def = og_catalog_node(snapshot->catalog, og_str_of(type));
    og_lance_table *table;
    assert_ok(og_snapshot_table(snapshot, def, &table, err));

    static const uint32_t fields[] = {0};
    OG_AUTO(og_lance_scan) scan = NULL;
    uint64_t rows = 0;
    assert_ok(og_lance_scan_open(table, fields, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        assert_ok(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            break;
        rows += (uint64_t)batch.row_count;
    }
    size_t count;
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (og_str_eq(infos[i].table_key, def->table_key))
            assert_int_equal(infos[i].row_count, rows);
    return rows;
}

bool fixture_has_branch(og_repo *repo, const char *name)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_status s = og_repo_snapshot(repo, name, &snapshot, NULL);
    assert_true(s == OG_OK || s == OG_NOT_FOUND);
    return s == OG_OK;
}
