/* Deltas against the comparison of all rows, on random histories with every operation, and on two
 * histories that part.
 *
 * Sound: without the candidates both versions hold the same rows. Sharp:
 * no row is a candidate whose row id and stamp stand on both sides. */
#include "lance/table/delta.h"

#include "base/number.h"
#include "columnar/builder.h"
#include "lance/table/compact.h"
#include "lance/table/evolve.h"
#include "lance/table/write.h"
#include "og_test.h"
#include "store/memory.h"
#include "store/wrap.h"

#include <stdlib.h>

#define MAX_VERSIONS 64
#define MAX_ROWS 512

typedef struct bench {
    og_store *inner, *store;
    og_lance_env *env;
} bench;

static bench open_bench(void)
{
    bench b = {0};
    assert_ok(og_store_open_memory(&b.inner, err));
    assert_ok(og_store_wrap(b.inner, (og_store_hook){0}, 0, &b.store, err));
    assert_ok(og_lance_env_new(b.store, 64 << 20, &b.env, err));
    return b;
}

static void close_bench(bench *b)
{
    og_lance_env_free(b->env);
    og_store_close(b->store);
    og_store_close(b->inner);
}
#define AUTO_BENCH __attribute__((cleanup(close_bench))) bench

/* ---- rows --------------------------------------------------------------------------------- */

typedef struct row {
    uint32_t key; /* of id "k<key>" */
    int64_t n;
    uint64_t row_id; /* UINT64_MAX: new */
    uint64_t stamp;
    uint32_t slot;
} row;

static void make_batch(const row *rows, size_t count, og_batch *out)
{
    OG_AUTO(og_builder) ids = og_builder_new(og_type_of(OG_TYPE_UTF8));
    OG_AUTO(og_builder) numbers = og_builder_new(og_type_of(OG_TYPE_I64));
    for (size_t i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "k%u", rows[i].key);
        assert_true(og_builder_str(ids, og_str_of(id)));
        assert_true(og_builder_i64(numbers, rows[i].n));
    }
    assert_ok(og_batch_init(out, 2, (int64_t)count, err));
    assert_ok(og_builder_finish(ids, &out->columns[0], err));
    assert_ok(og_builder_finish(numbers, &out->columns[1], err));
}

/* Live rows in order of slots. */
static size_t read_rows(og_lance_table *table, row *out)
{
    const uint32_t fields[] = {0, 1};
    size_t count = 0;
    OG_AUTO(og_lance_scan) scan = NULL;
    assert_ok(og_lance_scan_open(table, fields, 2, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        assert_ok(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return count;
        for (int64_t i = 0; i < batch.row_count; i++) {
            uint64_t created;
            row *r = &out[count++];
            assert_true(count <= MAX_ROWS);
            uint64_t key;
            og_str id = og_array_str(batch.columns[0], i);
            assert_true(og_parse_u64(og_str_slice(id, 1, id.len), &key));
            r->key = (uint32_t)key;
            r->n = og_array_i64(batch.columns[1], i);
            r->slot = slots[i];
            assert_ok(og_lance_row_ids(table, &slots[i], 1, &r->row_id, err));
            assert_ok(og_lance_row_versions(table, &slots[i], 1, &r->stamp, &created, err));
        }
    }
}

/* ---- histories ---------------------------------------------------------------------------- */

typedef struct history {
    const bench *bench;
    const char *path;
    og_lance_table *versions[MAX_VERSIONS];
    size_t count;
    uint64_t seed;
} history;

static void close_history(history *h)
{
    for (size_t i = 0; i < h->count; i++)
        og_lance_table_unref(h->versions[i]);
}
#define AUTO_HISTORY __attribute__((cleanup(close_history))) history

static uint64_t below(history *h, uint64_t limit)
{
    return og_test_random(&h->seed) % limit;
}

static og_lance_write *new_write(history *h, og_lance_op op, og_lance_table *restore)
{
    const og_lance_new_field fields[] = {
        {.field = {OG_STR("id"), og_type_of(OG_TYPE_UTF8), false}, .is_primary_key = true},
        {.field = {OG_STR("n"), og_type_of(OG_TYPE_I64), true}}};
    og_lance_write_options options = {.op = op,
                                      .path = h->path,
                                      .restore_from = restore,
                                      .min_max_fragment_id = -1,
                                      .fold = true,
                                      .now_us = 1700000000000000};
    if (op == OG_LANCE_CREATE) {
        options.fields = fields;
        options.field_count = 2;
    }
    og_lance_write *write;
    og_lance_table *base = h->count != 0 ? h->versions[h->count - 1] : NULL;
    assert_ok(og_lance_write_new(h->bench->env, base, &options, &write, err));
    return write;
}

static void finish_write(history *h, og_lance_write *write)
{
    const og_lance_staged *staged;
    assert_true(h->count < MAX_VERSIONS);
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
    og_lance_write_free(write);
    assert_ok(og_lance_table_open(h->bench->env, h->path, 0, 0, &h->versions[h->count++], err));
}

static void write_rows(og_lance_write *write, const row *rows, size_t count)
{
    uint64_t ids[MAX_ROWS];
    OG_AUTO_BATCH batch = {0};
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        ids[i] = rows[i].row_id;
    make_batch(rows, count, &batch);
    assert_ok(og_lance_write_rows(write, &batch, ids, err));
}

static size_t new_rows(history *h, size_t count, row *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] =
            (row){.key = (uint32_t)below(h, 40), .n = (int64_t)below(h, 3), .row_id = UINT64_MAX};
    return count;
}

static void create(history *h, size_t rows)
{
    row made[MAX_ROWS];
    og_lance_write *write = new_write(h, OG_LANCE_CREATE, NULL);
    write_rows(write, made, new_rows(h, rows, made));
    finish_write(h, write);
}

/* Delete some rows; of those write some again (as they were, now and then), and add some. */
static void change(history *h, bool rewrite)
{
    row live[MAX_ROWS], written[MAX_ROWS];
    uint32_t dropped[MAX_ROWS];
    size_t count = read_rows(h->versions[h->count - 1], live), drops = 0, writes = 0;
    uint64_t part = 1 + below(h, 8);
    for (size_t i = 0; i < count; i++) {
        if (below(h, part) != 0)
            continue;
        dropped[drops++] = live[i].slot;
        if (!rewrite || below(h, 8) == 0)
            continue;
        live[i].n += (int64_t)below(h, 2);
        written[writes++] = live[i];
    }
    if (drops == 0 && !rewrite)
        return;
    og_lance_write *write = new_write(h, rewrite ? OG_LANCE_UPDATE : OG_LANCE_DELETE, NULL);
    assert_ok(og_lance_write_delete(write, dropped, drops, err));
    if (rewrite)
        writes += new_rows(h, below(h, 5), written + writes);
    write_rows(write, written, writes);
    finish_write(h, write);
}

static void compact(history *h)
{
    const og_lance_compact_options options = {.target_rows = 16};
    og_lance_compact_stats stats;
    uint32_t fragments;
    assert_ok(og_lance_compact_count(h->versions[h->count - 1], &options, &fragments, err));
    if (fragments == 0)
        return;
    og_lance_write *write = new_write(h, OG_LANCE_COMPACT, NULL);
    assert_ok(og_lance_write_compact(write, &options, &stats, err));
    finish_write(h, write);
}

static void step(history *h)
{
    row made[MAX_ROWS];
    og_lance_write *write;
    uint64_t dice = below(h, 24);
    if (dice == 0) {
        write = new_write(h, OG_LANCE_OVERWRITE, NULL);
        write_rows(write, made, new_rows(h, 1 + below(h, 12), made));
        finish_write(h, write);
    } else if (dice < 3) {
        finish_write(h, new_write(h, OG_LANCE_RESTORE, h->versions[below(h, h->count)]));
    } else if (dice < 5) {
        compact(h);
    } else if (dice < 17) {
        change(h, dice >= 7);
    } else {
        write = new_write(h, OG_LANCE_APPEND, NULL);
        write_rows(write, made, new_rows(h, 1 + below(h, 4), made));
        finish_write(h, write);
    }
}

/* ---- the check ---------------------------------------------------------------------------- */

static bool is_candidate(const uint32_t *slots, size_t count, uint32_t slot)
{
    for (size_t i = 0; i < count; i++)
        if (slots[i] == slot)
            return true;
    return false;
}

static int by_value(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->n > y->n) - (x->n < y->n);
}

/* Rows that are no candidates, by value. */
static size_t rest_of(const row *rows, size_t count, const uint32_t *slots, size_t slot_count,
                      row *out)
{
    size_t n = 0, hits = 0;
    for (size_t i = 0; i < count; i++) {
        if (is_candidate(slots, slot_count, rows[i].slot))
            hits++;
        else
            out[n++] = rows[i];
    }
    assert_int_equal(hits, slot_count); /* all candidates live, none is named twice */
    for (size_t i = 1; i < slot_count; i++)
        assert_true(slots[i - 1] < slots[i]);
    qsort(out, n, sizeof *out, by_value);
    return n;
}

static bool is_known(const row *r, const row *others, size_t count, og_lance_common common)
{
    if (r->row_id >= common.next_row_id || r->stamp > common.version)
        return false;
    for (size_t i = 0; i < count; i++)
        if (others[i].row_id == r->row_id && others[i].stamp == r->stamp)
            return true;
    return false;
}

static void check_pair(og_lance_table *from, og_lance_table *to, og_lance_common common)
{
    row a[MAX_ROWS], b[MAX_ROWS], a_rest[MAX_ROWS], b_rest[MAX_ROWS];
    size_t a_count = read_rows(from, a), b_count = read_rows(to, b);
    OG_AUTO_DELTA delta = {0};
    assert_ok(og_lance_delta_find(from, to, common, &delta, err));
    size_t n = rest_of(a, a_count, delta.from_slots, delta.from_count, a_rest);
    assert_int_equal(n, rest_of(b, b_count, delta.to_slots, delta.to_count, b_rest));
    for (size_t i = 0; i < n; i++)
        assert_int_equal(by_value(&a_rest[i], &b_rest[i]), 0);
    for (size_t i = 0; i < a_count; i++)
        if (is_candidate(delta.from_slots, delta.from_count, a[i].slot))
            assert_false(is_known(&a[i], b, b_count, common));
    for (size_t i = 0; i < b_count; i++)
        if (is_candidate(delta.to_slots, delta.to_count, b[i].slot))
            assert_false(is_known(&b[i], a, a_count, common));
    bool overwritten = delta.reason == OG_LANCE_DELTA_OVERWRITTEN;
    assert_true(delta.reason == OG_LANCE_DELTA_EXACT || overwritten);
    if (overwritten)
        assert_true(delta.from_count == a_count && delta.to_count == b_count);
}

TEST(test_table_delta__random_histories_in_one_lineage)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        AUTO_BENCH b = open_bench();
        AUTO_HISTORY h = {.bench = &b, .path = "t", .seed = seed};
        create(&h, 20);
        while (h.count < 40)
            step(&h);
        for (int i = 0; i < 150; i++)
            check_pair(h.versions[below(&h, h.count)], h.versions[below(&h, h.count)],
                       OG_LANCE_ONE_LINEAGE);
    }
}

/* ---- two histories ------------------------------------------------------------------------ */

static void copy_objects(og_store *store, const char *from, const char *to)
{
    og_listing names = {0};
    assert_ok(store->ops->list(store, from, true, NULL, 0, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        OG_AUTO(og_blob) blob = NULL;
        char name[256], copy[256];
        snprintf(name, sizeof name, "%.*s", OG_FMT(names.items[i].name));
        snprintf(copy, sizeof copy, "%s%s", to, name + strlen(from));
        assert_ok(store->ops->get(store, name, &blob, err));
        assert_ok(store->ops->put(store, copy, (og_bytes){blob->ptr, blob->len}, err));
    }
    og_listing_deinit(&names);
}

/* Go on with a copy of the newest version: its files have other names,
 * so only row ids and stamps can tell what is equal. */
static void part(const history *h, const char *path, history *out)
{
    char from[64], to[64];
    snprintf(from, sizeof from, "%s/", h->path);
    snprintf(to, sizeof to, "%s/", path);
    copy_objects(h->bench->store, from, to);
    *out = (history){.bench = h->bench, .path = path, .seed = h->seed + 1000, .count = 1};
    assert_ok(og_lance_table_open(h->bench->env, path, 0, 0, &out->versions[0], err));
}

TEST(test_table_delta__random_histories_that_part)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        AUTO_BENCH b = open_bench();
        AUTO_HISTORY h = {.bench = &b, .path = "t", .seed = seed};
        AUTO_HISTORY other = {0};
        create(&h, 20);
        while (h.count < 12)
            step(&h);
        const og_lance_table *fork = h.versions[h.count - 1];
        og_lance_common common = {og_lance_table_version(fork), og_lance_table_next_row_id(fork)};
        part(&h, "u", &other);
        while (h.count < 26)
            step(&h);
        while (other.count < 14)
            step(&other);
        for (int i = 0; i < 100; i++) {
            og_lance_table *x = h.versions[below(&h, h.count)];
            og_lance_table *y = other.versions[below(&h, other.count)];
            check_pair(x, y, common);
            check_pair(y, x, common);
        }
        OG_AUTO_DELTA delta = {0};
        assert_ok(og_lance_delta_find(h.versions[h.count - 1], other.versions[other.count - 1],
                                      OG_LANCE_NO_LINEAGE, &delta, err));
        assert_int_equal(delta.reason, OG_LANCE_DELTA_NO_COMMON);
    }
}

/* ---- what it costs ------------------------------------------------------------------------ */

TEST(test_table_delta__a_fold_is_seen_through)
{
    AUTO_BENCH b = open_bench();
    AUTO_HISTORY h = {.bench = &b, .path = "t", .seed = 7};
    create(&h, 1);
    while (h.count < 9) {
        row made[1];
        og_lance_write *write = new_write(&h, OG_LANCE_APPEND, NULL);
        write_rows(write, made, new_rows(&h, 1, made));
        finish_write(&h, write);
    }
    uint32_t before, after;
    og_lance_table_fragments(h.versions[7], &before);
    og_lance_table_fragments(h.versions[8], &after);
    assert_true(after < before);
    OG_AUTO_DELTA delta = {0};
    og_store_stats stats = b.store->stats;
    assert_ok(og_lance_delta_find(h.versions[7], h.versions[8], OG_LANCE_ONE_LINEAGE, &delta, err));
    assert_int_equal(delta.from_count, 0);
    assert_int_equal(delta.to_count, 1);
    assert_int_equal(b.store->stats.gets, stats.gets);
}

TEST(test_table_delta__a_compaction_is_seen_through)
{
    AUTO_BENCH b = open_bench();
    AUTO_HISTORY h = {.bench = &b, .path = "t", .seed = 7};
    create(&h, 100);
    change(&h, true);
    change(&h, true);
    compact(&h);
    assert_int_equal(h.count, 4);
    OG_AUTO_DELTA delta = {0};
    assert_ok(og_lance_delta_find(h.versions[2], h.versions[3], OG_LANCE_ONE_LINEAGE, &delta, err));
    assert_int_equal(delta.from_count + delta.to_count, 0);
    assert_int_equal(delta.reason, OG_LANCE_DELTA_EXACT);
}

/* ---- columns ------------------------------------------------------------------------------ */

static void add_column(history *h, const char *name, bool filled)
{
    const og_lance_new_field field = {.field = {og_str_of(name), og_type_of(OG_TYPE_I64), true}};
    og_lance_table *base = h->versions[h->count - 1];
    og_lance_write *write = new_write(h, OG_LANCE_EVOLVE, NULL);
    assert_ok(og_lance_write_add_field(write, &field, err));
    if (filled) {
        OG_AUTO(og_builder) values = og_builder_new(og_type_of(OG_TYPE_I64));
        OG_AUTO_BATCH batch = {0};
        uint64_t slots = og_lance_table_slot_count(base);
        for (uint64_t i = 0; i < slots; i++)
            assert_true(og_builder_i64(values, 5));
        assert_ok(og_batch_init(&batch, 1, (int64_t)slots, err));
        assert_ok(og_builder_finish(values, &batch.columns[0], err));
        assert_ok(og_lance_write_fill(write, &batch, err));
    }
    finish_write(h, write);
}

static void expect_delta(const history *h, size_t from, size_t to, size_t rows,
                         og_lance_delta_reason reason)
{
    OG_AUTO_DELTA delta = {0};
    assert_ok(
        og_lance_delta_find(h->versions[from], h->versions[to], OG_LANCE_ONE_LINEAGE, &delta, err));
    assert_int_equal(delta.from_count, rows);
    assert_int_equal(delta.to_count, rows);
    assert_int_equal(delta.reason, reason);
}

TEST(test_table_delta__columns_that_come_and_go)
{
    AUTO_BENCH b = open_bench();
    AUTO_HISTORY h = {.bench = &b, .path = "t", .seed = 7};
    create(&h, 30);
    add_column(&h, "empty", false);
    add_column(&h, "full", true);
    og_lance_write *write = new_write(&h, OG_LANCE_EVOLVE, NULL);
    assert_ok(og_lance_write_drop_field(write, OG_STR("full"), err));
    finish_write(&h, write);
    add_column(&h, "full", true); /* another one of the same name */
    expect_delta(&h, 0, 1, 0, OG_LANCE_DELTA_EXACT);
    expect_delta(&h, 1, 2, 30, OG_LANCE_DELTA_SCHEMA);
    expect_delta(&h, 2, 3, 30, OG_LANCE_DELTA_SCHEMA);
    expect_delta(&h, 2, 4, 30, OG_LANCE_DELTA_SCHEMA);
    expect_delta(&h, 4, 0, 30, OG_LANCE_DELTA_SCHEMA);
    expect_delta(&h, 2, 2, 0, OG_LANCE_DELTA_EXACT);
}

TEST(test_table_delta__says_when_a_table_was_overwritten)
{
    AUTO_BENCH b = open_bench();
    AUTO_HISTORY h = {.bench = &b, .path = "t", .seed = 7};
    row made[8];
    create(&h, 5);
    og_lance_write *write = new_write(&h, OG_LANCE_OVERWRITE, NULL);
    write_rows(write, made, new_rows(&h, 8, made));
    finish_write(&h, write);
    OG_AUTO_DELTA delta = {0};
    assert_ok(og_lance_delta_find(h.versions[0], h.versions[1], OG_LANCE_ONE_LINEAGE, &delta, err));
    assert_int_equal(delta.reason, OG_LANCE_DELTA_OVERWRITTEN);
    assert_int_equal(delta.from_count, 5);
    assert_int_equal(delta.to_count, 8);
    assert_string_equal(og_lance_delta_reason_text(delta.reason),
                        "no row in common, as after an overwrite");
}

TEST(test_table_delta__out_of_memory_is_an_error)
{
    AUTO_BENCH b = open_bench();
    AUTO_HISTORY h = {.bench = &b, .path = "t", .seed = 3};
    create(&h, 20);
    while (h.count < 12)
        step(&h);
    for (int64_t n = 0;; n++) {
        OG_AUTO_DELTA delta = {0};
        og_alloc_fail_after(n, false);
        og_status status = og_lance_delta_find(h.versions[0], h.versions[h.count - 1],
                                               OG_LANCE_ONE_LINEAGE, &delta, NULL);
        og_alloc_fail_after(-1, false);
        if (status == OG_OK)
            break;
        assert_status(status, OG_NOMEM);
        assert_null(delta.from_slots);
    }
}
