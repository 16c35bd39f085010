/* BTREE segments: built, found by, brought up to date, damaged. */
#include "lance/index/btree.h"

#include "columnar/builder.h"
#include "og_test.h"
#include "store/memory.h"

typedef struct bench {
    og_store *store;
    og_lance_env *env;
    og_lance_table *head;
} bench;

static void destroy(bench *b)
{
    og_lance_table_unref(b->head);
    og_lance_env_free(b->env);
    og_store_close(b->store);
}
#define AUTO_BENCH __attribute__((cleanup(destroy))) bench

static og_lance_write *begin(bench *b, og_lance_op op)
{
    static og_lance_new_field field;
    field = (og_lance_new_field){.field = {OG_STR("v"), og_type_of(OG_TYPE_I64), true}};
    const og_lance_write_options o = {.op = op,
                                      .path = "t",
                                      .fields = op == OG_LANCE_CREATE ? &field : NULL,
                                      .field_count = op == OG_LANCE_CREATE ? 1 : 0,
                                      .min_max_fragment_id = -1,
                                      .now_us = 1};
    og_lance_write *write;
    assert_ok(og_lance_write_new(b->env, b->head, &o, &write, err));
    return write;
}

static void commit(bench *b, og_lance_write *write)
{
    const og_lance_staged *staged;
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
    og_lance_table_unref(b->head);
    b->head = NULL;
    assert_ok(og_lance_table_open(b->env, "t", staged->version, 0, &b->head, err));
    og_lance_write_free(write);
}

/* Row i has the value i * 7919 % count, every eleventh none. */
static void append(bench *b, og_lance_op op, int64_t count)
{
    og_lance_write *write = begin(b, op);
    for (int64_t at = 0; at < count; at += OG_BATCH_ROWS) {
        int64_t rows = count - at < OG_BATCH_ROWS ? count - at : OG_BATCH_ROWS;
        OG_AUTO_BATCH batch = {0};
        OG_AUTO(og_builder) v = og_builder_new(og_type_of(OG_TYPE_I64));
        for (int64_t i = at; i < at + rows; i++)
            assert_true(i % 11 == 5 ? og_builder_null(v) : og_builder_i64(v, i * 7919 % count));
        assert_ok(og_batch_init(&batch, 1, rows, err));
        assert_ok(og_builder_finish(v, &batch.columns[0], err));
        assert_ok(og_lance_write_rows(write, &batch, NULL, err));
    }
    commit(b, write);
}

static void index_all(bench *b)
{
    uint32_t ids[16], count;
    const og_lance_fragment *all = og_lance_table_fragments(b->head, &count);
    og_lance_write *write = begin(b, OG_LANCE_INDEX);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = (uint32_t)all[i].id;
    assert_ok(og_lance_btree_build(write, 0, OG_STR("v_idx"), ids, count, err));
    commit(b, write);
}

static bench make(int64_t rows)
{
    bench b = {0};
    assert_ok(og_store_open_memory(&b.store, err));
    assert_ok(og_lance_env_new(b.store, 1 << 20, &b.env, err));
    append(&b, OG_LANCE_CREATE, rows);
    index_all(&b);
    return b;
}

/* How many rows are within [low, high]; nulls when low is above high. */
static size_t count_between(bench *b, int64_t low, int64_t high)
{
    const og_datum from = {.type = OG_TYPE_I64, .i64 = low},
                   to = {.type = OG_TYPE_I64, .i64 = high};
    const og_lance_span_of_values span = {.low = &from, .high = &to};
    OG_AUTO_FREE uint32_t *slots = NULL;
    size_t count;
    bool indexed;
    assert_ok(og_lance_btree_select(b->head, 0, low > high ? NULL : &span, &slots, &count, &indexed,
                                    err));
    assert_true(indexed);
    for (size_t i = 1; i < count; i++)
        assert_true(slots[i - 1] < slots[i]);
    return count;
}

static uint32_t segments(bench *b)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_index *indices;
    uint32_t count;
    assert_ok(og_lance_indices(b->head, arena, &indices, &count, err));
    return count;
}

TEST(test_btree__finds_values_spans_and_nulls)
{
    AUTO_BENCH b = make(20000);
    size_t nulls = count_between(&b, 1, 0);
    assert_int_equal(nulls, 1818);
    assert_int_equal(count_between(&b, INT64_MIN, INT64_MAX), 20000 - nulls);
    size_t ones = 0;
    for (int64_t v = 0; v < 20000; v += 997)
        ones += count_between(&b, v, v);
    assert_in_range(ones, 10, 21);
    assert_int_equal(count_between(&b, 20000, 30000), 0);
}

TEST(test_btree__rows_that_no_segment_covers_are_scanned)
{
    AUTO_BENCH b = make(100);
    append(&b, OG_LANCE_APPEND, 100);
    assert_int_equal(count_between(&b, INT64_MIN, INT64_MAX) + count_between(&b, 1, 0), 200);
}

TEST(test_btree__update_adds_a_segment_after_appends_and_joins_many)
{
    AUTO_BENCH b = make(100);
    for (int i = 0; i < 6; i++) {
        append(&b, OG_LANCE_APPEND, 100);
        og_lance_write *write = begin(&b, OG_LANCE_INDEX);
        bool changed;
        assert_ok(og_lance_btree_update(write, OG_STR("v_idx"), &changed, err));
        assert_true(changed);
        commit(&b, write);
        assert_in_range(segments(&b), 1, 4);
    }
    OG_AUTO(og_lance_write) write = begin(&b, OG_LANCE_INDEX);
    bool changed;
    assert_ok(og_lance_btree_update(write, OG_STR("v_idx"), &changed, err));
    assert_false(changed);
    assert_int_equal(count_between(&b, INT64_MIN, INT64_MAX) + count_between(&b, 1, 0), 700);
}

TEST(test_btree__drop_removes_it)
{
    AUTO_BENCH b = make(10);
    og_lance_write *write = begin(&b, OG_LANCE_INDEX);
    assert_ok(og_lance_write_drop_index(write, OG_STR("v_idx"), err));
    commit(&b, write);
    assert_int_equal(segments(&b), 0);
    OG_AUTO(og_lance_write) again = begin(&b, OG_LANCE_INDEX);
    assert_int_equal(og_lance_write_drop_index(again, OG_STR("v_idx"), NULL), OG_NOT_FOUND);
}

/* Replace an object with one in which byte `at` is another. */
static void damage(og_store *store, const char *name, size_t at)
{
    OG_AUTO(og_blob) blob = NULL;
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    assert_ok(store->ops->get(store, name, &blob, err));
    assert_true(og_buf_append(&bytes, blob->ptr, blob->len));
    bytes.ptr[at % bytes.len] ^= (uint8_t)(1u << at % 8);
    assert_ok(store->ops->put(store, name, og_buf_bytes(&bytes), err));
}

TEST(test_btree__damaged_files_are_errors_or_harmless)
{
    AUTO_BENCH b = make(300);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_index *indices;
    uint32_t count;
    static const char *const files[] = {"page_lookup.lance", "page_data.lance"};
    assert_ok(og_lance_indices(b.head, arena, &indices, &count, err));
    for (size_t at = 0; at < 3000; at++) {
        char name[256];
        snprintf(name, sizeof name, "%s%s", indices[0].folder, files[at % 2]);
        damage(b.store, name, at * 31 % 4096);
        const og_datum from = {.type = OG_TYPE_I64, .i64 = 5};
        const og_lance_span_of_values span = {.low = &from};
        OG_AUTO_FREE uint32_t *slots = NULL;
        size_t found;
        bool indexed;
        og_status s = og_lance_btree_select(b.head, 0, &span, &slots, &found, &indexed, NULL);
        assert_true(s == OG_OK || s == OG_CORRUPT || s == OG_UNSUPPORTED || s == OG_NOMEM);
        damage(b.store, name, at * 31 % 4096); /* back again */
    }
}

TEST(test_btree__each_allocation_fails)
{
    AUTO_BENCH b = make(50);
    const og_datum from = {.type = OG_TYPE_I64, .i64 = 5};
    const og_lance_span_of_values span = {.low = &from};
    for (int64_t n = 0;; n++) {
        OG_AUTO_FREE uint32_t *slots = NULL;
        size_t found;
        bool indexed;
        og_alloc_fail_after(n, true);
        og_status s = og_lance_btree_select(b.head, 0, &span, &slots, &found, &indexed, NULL);
        og_alloc_fail_after(-1, false);
        if (s == OG_OK)
            break;
        assert_int_equal(s, OG_NOMEM);
        assert_true(n < 2000);
    }
}

/* ---- checking ----------------------------------------------------------------------------- */

static void note_problem(void *context, const og_error *problem)
{
    snprintf(context, 256, "%.255s", problem->message);
}

/* The last problem of the first segment; "" when it is right. */
static og_status check_first(bench *b, char last[256])
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_index *indices;
    uint32_t count;
    *last = '\0';
    assert_ok(og_lance_indices(b->head, arena, &indices, &count, err));
    return og_lance_btree_check(b->head, &indices[0], note_problem, last, NULL);
}

TEST(test_btree__a_right_segment_is_right_however_the_table_goes_on)
{
    AUTO_BENCH b = make(20000);
    char last[256];
    assert_ok(check_first(&b, last));
    assert_string_equal(last, "");
    append(&b, OG_LANCE_APPEND, 100);
    og_lance_write *write = begin(&b, OG_LANCE_DELETE);
    for (uint32_t slot = 3; slot < 20000; slot += 5)
        assert_ok(og_lance_write_delete(write, &slot, 1, err));
    commit(&b, write);
    assert_ok(check_first(&b, last));
    assert_string_equal(last, "");
}

/* The second file of the segment in place of the first one's. */
static void exchange_data(bench *to, bench *from)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    static const char *const files[] = {"page_lookup.lance", "page_data.lance"};
    const og_lance_index *into, *of;
    uint32_t count;
    assert_ok(og_lance_indices(to->head, arena, &into, &count, err));
    assert_ok(og_lance_indices(from->head, arena, &of, &count, err));
    for (size_t i = 0; i < 2; i++) {
        char source[256], target[256];
        OG_AUTO(og_blob) blob = NULL;
        snprintf(source, sizeof source, "%s%s", of[0].folder, files[i]);
        snprintf(target, sizeof target, "%s%s", into[0].folder, files[i]);
        assert_ok(from->store->ops->get(from->store, source, &blob, err));
        assert_ok(to->store->ops->put(to->store, target, (og_bytes){blob->ptr, blob->len}, err));
    }
}

TEST(test_btree__check_finds_missing_entries_and_other_values)
{
    AUTO_BENCH b = make(9000);
    AUTO_BENCH fewer = make(8000);
    char last[256];
    exchange_data(&b, &fewer);
    assert_ok(check_first(&b, last));
    assert_string_equal(last, "index v_idx has 8000 entries of the 9000 rows that it covers");

    AUTO_BENCH same = make(9000);
    AUTO_BENCH others = {0};
    assert_ok(og_store_open_memory(&others.store, err));
    assert_ok(og_lance_env_new(others.store, 1 << 20, &others.env, err));
    append(&others, OG_LANCE_CREATE, 4500); /* other values, the same ids */
    append(&others, OG_LANCE_APPEND, 4500);
    index_all(&others);
    exchange_data(&same, &others);
    assert_ok(check_first(&same, last));
    assert_string_equal(last, "index v_idx has other values than the rows that it covers");
}

TEST(test_btree__check_of_damaged_files)
{
    AUTO_BENCH b = make(300);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_index *indices;
    uint32_t count, found = 0;
    static const char *const files[] = {"page_lookup.lance", "page_data.lance"};
    assert_ok(og_lance_indices(b.head, arena, &indices, &count, err));
    for (size_t at = 0; at < 1000; at++) {
        char name[256], last[256];
        snprintf(name, sizeof name, "%s%s", indices[0].folder, files[at % 2]);
        damage(b.store, name, at * 31 % 4096);
        og_status s = check_first(&b, last);
        assert_true(s == OG_OK || s == OG_CORRUPT || s == OG_UNSUPPORTED || s == OG_NOMEM);
        found += s != OG_OK || *last != '\0';
        damage(b.store, name, at * 31 % 4096); /* back again */
    }
    assert_true(found > 300);
}
