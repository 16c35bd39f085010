/* What a diff of 50 changed rows costs does not grow with the table: store calls and bytes for
 * tables of 10k, 100k and 1M rows (or up to what the argument says), the rows spread over all of
 * it. A program of its own, since it takes seconds.
 *
 * In one process, warm: the graph was read once, so its columns are in memory, and diffs of other
 * rows went before. Once with objects that are mapped, as in a folder, and once with objects that
 * are read in parts, as on a remote store. Time is printed, not tested. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/timeval.h"
#include "graph/diff.h"
#include "graph/load.h"
#include "og_test.h"
#include "store/memory.h"
#include "store/wrap.h"

#define CHANGED 50
#define ROUNDS 3

static const char schema[] = "node P {\n  name: String @key\n  age: I32?\n  text: String?\n}\n";

/* ---- records as a stream ------------------------------------------------------------------ */

typedef struct records {
    uint64_t next, end, step;
    int age;
    char line[192];
    size_t at, len;
} records;

static void next_line(records *r)
{
    int n = snprintf(r->line, sizeof r->line,
                     "{\"type\":\"P\",\"data\":{\"name\":\"person-%08" PRIu64
                     "\",\"age\":%d,\"text\":\"some words about number %" PRIu64 "\"}}\n",
                     r->next, r->age, r->next);
    r->len = (size_t)n;
    r->at = 0;
    r->next += r->step;
}

static og_status read_records(void *context, uint8_t *dst, size_t cap, size_t *out_len,
                              og_error *err)
{
    (void)err;
    records *r = context;
    *out_len = 0;
    while (*out_len < cap && (r->at < r->len || r->next < r->end)) {
        if (r->at == r->len)
            next_line(r);
        size_t n = cap - *out_len < r->len - r->at ? cap - *out_len : r->len - r->at;
        memcpy(dst + *out_len, r->line + r->at, n);
        r->at += n;
        *out_len += n;
    }
    return OG_OK;
}

static void load(og_repo *repo, og_load_mode_kind mode, uint64_t first, uint64_t end, uint64_t step,
                 int age)
{
    records r = {.next = first, .end = end, .step = step, .age = age};
    const og_load_input input = {.mode = mode, .read = read_records, .read_context = &r};
    og_load_output out;
    assert_ok(og_load_run(repo, &input, &out, err));
    og_load_output_deinit(&out);
}

static og_status drop_bytes(void *context, og_bytes bytes, og_error *err)
{
    (void)err;
    *(size_t *)context += bytes.len;
    return OG_OK;
}

static void read_all(og_repo *repo)
{
    size_t bytes = 0;
    OG_AUTO(og_snapshot) snapshot = NULL;
    const og_export_input input = {.write = drop_bytes, .write_context = &bytes};
    assert_ok(og_repo_snapshot(repo, NULL, &snapshot, err));
    assert_ok(og_export_run(snapshot, &input, err));
}

/* ---- one diff ----------------------------------------------------------------------------- */

typedef struct cost {
    uint64_t calls, bytes;
    uint64_t ns;
} cost;

static void diff(og_snapshot *from, og_snapshot *to)
{
    const og_type_def *def = og_catalog_node(from->catalog, OG_STR("P"));
    OG_AUTO_TABLE_CHANGES changes = {0};
    uint32_t from_slots[CHANGED], to_slots[CHANGED];
    assert_ok(og_table_changes_between(def, from, to, &changes, err));
    assert_int_equal(changes.row_count, CHANGED);
    assert_int_equal(changes.reason, OG_LANCE_DELTA_EXACT);
    for (size_t i = 0; i < CHANGED; i++) {
        assert_int_equal(changes.rows[i].kind, OG_CHANGED_UPDATE);
        from_slots[i] = changes.rows[i].from_slot;
        to_slots[i] = changes.rows[i].to_slot;
    }
    OG_AUTO_BATCH before = {0};
    OG_AUTO_BATCH after = {0};
    assert_ok(og_type_rows_read(def, changes.from, from_slots, CHANGED, &before, err));
    assert_ok(og_type_rows_read(def, changes.to, to_slots, CHANGED, &after, err));
}

/* Change 50 rows and see what it takes to find them again. */
static cost round_of(og_store *store, og_repo *repo, uint64_t rows, int round)
{
    OG_AUTO(og_snapshot) from = NULL;
    OG_AUTO(og_snapshot) to = NULL;
    assert_ok(og_repo_snapshot(repo, NULL, &from, err));
    load(repo, OG_LOAD_MERGE, (uint64_t)round, rows, rows / CHANGED, 100 + round);
    assert_ok(og_repo_snapshot(repo, NULL, &to, err));
    og_store_stats before = store->stats;
    uint64_t start = og_monotonic_ns();
    diff(from, to);
    cost c = {.ns = og_monotonic_ns() - start};
    c.calls = store->stats.gets + store->stats.heads + store->stats.lists - before.gets -
              before.heads - before.lists;
    c.bytes = store->stats.bytes_read - before.bytes_read;
    printf("%8" PRIu64 " rows, %s, diff %d: calls %" PRIu64 ", bytes %" PRIu64 ", %.2f ms\n", rows,
           store->maps_objects ? "mapped" : "in parts", round, c.calls, c.bytes,
           (double)c.ns / 1e6);
    return c;
}

static cost measure(uint64_t rows, bool remote)
{
    og_store *memory, *store;
    og_repo *repo;
    assert_ok(og_store_open_memory(&memory, err));
    assert_ok(og_store_wrap(memory, (og_store_hook){0}, 0, &store, err));
    store->maps_objects = !remote;
    const og_repo_options options = {.store = store};
    assert_ok(og_repo_init("memory", og_str_of(schema), false, &options, err));
    assert_ok(og_repo_open("memory", &options, &repo, err));
    load(repo, OG_LOAD_APPEND, 0, rows, 1, 1);
    read_all(repo);
    cost last = {0};
    for (int round = 0; round < ROUNDS; round++)
        last = round_of(store, repo, rows, round);
    og_repo_close(repo);
    og_store_close(store);
    og_store_close(memory);
    return last;
}

static void check(const cost *c, const cost *least)
{
    assert_true(c->calls * 10 <= least->calls * 13 && least->calls * 10 <= c->calls * 13);
    assert_true(c->bytes * 10 <= least->bytes * 13 && least->bytes * 10 <= c->bytes * 13);
}

static uint64_t most_rows = 1000000;

static void cost_is_flat(void **state)
{
    (void)state;
    for (int remote = 0; remote < 2; remote++) {
        cost least = measure(10000, remote);
        for (uint64_t rows = 100000; rows <= most_rows; rows *= 10) {
            cost c = measure(rows, remote);
            check(&c, &least);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc > 1)
        most_rows = strtoull(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(cost_is_flat)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
