/* Columns added, dropped, renamed and of another type: values, refusals, failures. */
#include "columnar/builder.h"
#include "lance/table/compact.h"
#include "lance/table/evolve.h"
#include "lance/table/indices.h"
#include "og_test.h"
#include "store/memory.h"

typedef struct world {
    og_store *store;
    og_lance_env *env;
    og_lance_table *table; /* columns a (i64) and b (utf8), rows 0..9 in fragments of 4 and 6 */
} world;

static const og_lance_new_field two[] = {
    {.field = {{"a", 1}, &(og_type){.id = OG_TYPE_I64}, false}},
    {.field = {{"b", 1}, &(og_type){.id = OG_TYPE_UTF8}, true}},
};
static const og_lance_new_field count_field = {
    .field = {{"count", 5}, &(og_type){.id = OG_TYPE_I64}, false}};

static og_status numbers(int64_t first, int64_t count, og_array **out, og_error *err)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_I64));
    for (int64_t i = 0; b != NULL && i < count; i++)
        og_builder_i64(b, first + i);
    return b != NULL ? og_builder_finish(b, out, err) : og_error_nomem(err);
}

static og_status commit(og_lance_write *w, og_lance_table **inout, og_error *err)
{
    const og_lance_staged *staged;
    og_lance_table *next;
    OG_TRY(og_lance_write_stage(w, &staged, err));
    OG_TRY(og_lance_staged_commit(w, true, err));
    OG_TRY(og_lance_write_table(w, &next, err));
    og_lance_table_unref(*inout);
    *inout = next;
    return OG_OK;
}

static og_status begin(world *w, og_lance_op op, og_lance_write **out, og_error *err)
{
    const og_lance_write_options o = {.op = w->table == NULL ? OG_LANCE_CREATE : op,
                                      .path = "t",
                                      .fields = w->table == NULL ? two : NULL,
                                      .field_count = w->table == NULL ? 2 : 0,
                                      .min_max_fragment_id = -1,
                                      .now_us = 1};
    return og_lance_write_new(w->env, w->table, &o, out, err);
}

static void add_rows(world *w, int64_t first, int64_t count)
{
    OG_AUTO(og_lance_write) write = NULL;
    assert_ok(begin(w, OG_LANCE_APPEND, &write, err));
    OG_AUTO_BATCH batch = {0};
    assert_ok(og_batch_init(&batch, 2, count, err));
    assert_ok(numbers(first, count, &batch.columns[0], err));
    batch.columns[1] = og_array_new_null(og_type_of(OG_TYPE_UTF8), count);
    assert_ok(og_lance_write_rows(write, &batch, NULL, err));
    assert_ok(commit(write, &w->table, err));
}

static world open_world(void)
{
    world w = {0};
    assert_ok(og_store_open_memory(&w.store, err));
    assert_ok(og_lance_env_new(w.store, 1 << 20, &w.env, err));
    add_rows(&w, 0, 4);
    add_rows(&w, 4, 6);
    return w;
}

static void close_world(world *w)
{
    og_lance_table_unref(w->table);
    og_lance_env_free(w->env);
    og_store_close(w->store);
}
#define AUTO_WORLD __attribute__((cleanup(close_world))) world

static og_status fill(og_lance_write *write, int64_t first, int64_t count, og_error *err)
{
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, 1, count, err));
    OG_TRY(numbers(first, count, &batch.columns[0], err));
    return og_lance_write_fill(write, &batch, err);
}

static void expect_numbers(og_lance_table *table, const char *name, int64_t first)
{
    int32_t field = og_lance_table_find_field(table, og_str_of(name));
    assert_true(field >= 0);
    uint32_t slots[10], fields[] = {(uint32_t)field};
    for (uint32_t i = 0; i < 10; i++)
        slots[i] = i;
    OG_AUTO_BATCH batch = {0};
    assert_ok(og_lance_take(table, fields, 1, slots, 10, &batch, err));
    for (int64_t i = 0; i < 10; i++)
        assert_int_equal(og_array_i64(batch.columns[0], i), first + i);
}

TEST(test_table_evolve__adds_values_across_fragments)
{
    AUTO_WORLD w = open_world();
    OG_AUTO(og_lance_write) write = NULL;
    assert_ok(begin(&w, OG_LANCE_EVOLVE, &write, err));
    assert_ok(og_lance_write_add_field(write, &count_field, err));
    assert_ok(fill(write, 100, 3, err));
    assert_ok(fill(write, 103, 3, err)); /* over the border of the fragments */
    assert_ok(fill(write, 106, 4, err));
    assert_status(fill(write, 110, 1, NULL), OG_INVALID);
    assert_ok(commit(write, &w.table, err));
    expect_numbers(w.table, "count", 100);
    expect_numbers(w.table, "a", 0);

    /* Ids are never given again, files that hold nothing any more are left out. */
    OG_AUTO(og_lance_write) drop = NULL;
    uint32_t count;
    assert_ok(begin(&w, OG_LANCE_EVOLVE, &drop, err));
    assert_int_equal(og_lance_table_fields(w.table, &count)[2].id, 2);
    assert_ok(og_lance_write_drop_field(drop, OG_STR("b"), err));
    assert_ok(commit(drop, &w.table, err));
    OG_AUTO(og_lance_write) again = NULL;
    assert_ok(begin(&w, OG_LANCE_EVOLVE, &again, err));
    assert_ok(og_lance_write_add_field(again, &two[1], err));
    assert_ok(commit(again, &w.table, err));
    assert_int_equal(og_lance_table_fields(w.table, &count)[2].id, 3);
    expect_numbers(w.table, "count", 100);
}

static int32_t add_count(world *w)
{
    OG_AUTO(og_lance_write) write = NULL;
    uint32_t count;
    assert_ok(begin(w, OG_LANCE_EVOLVE, &write, err));
    assert_ok(og_lance_write_add_field(write, &count_field, err));
    assert_ok(fill(write, 100, 10, err));
    assert_ok(commit(write, &w->table, err));
    return og_lance_table_fields(w->table, &count)[2].id;
}

static void compact(world *w)
{
    OG_AUTO(og_lance_write) write = NULL;
    og_lance_compact_stats stats;
    assert_ok(begin(w, OG_LANCE_COMPACT, &write, err));
    assert_ok(og_lance_write_compact(write, NULL, &stats, err));
    assert_int_equal(stats.fragments_removed, 2);
    assert_ok(commit(write, &w->table, err));
}

/* Rows that a compaction moved are the same as before by all signs but the id of the column. */
TEST(test_table_evolve__an_id_is_given_once)
{
    AUTO_WORLD w = open_world();
    assert_int_equal(add_count(&w), 2);
    OG_AUTO(og_lance_write) drop = NULL;
    assert_ok(begin(&w, OG_LANCE_EVOLVE, &drop, err));
    assert_ok(og_lance_write_drop_field(drop, OG_STR("count"), err));
    assert_ok(commit(drop, &w.table, err));
    compact(&w); /* no file names the id any more */
    assert_int_equal(add_count(&w), 3);

    /* A restored version does not know what came after it. */
    OG_AUTO(og_lance_table) first = NULL;
    OG_AUTO(og_lance_write) restore = NULL;
    assert_ok(og_lance_table_open(w.env, "t", 2, 0, &first, err));
    const og_lance_write_options o = {
        .op = OG_LANCE_RESTORE, .restore_from = first, .min_max_fragment_id = -1};
    assert_ok(og_lance_write_new(w.env, w.table, &o, &restore, err));
    assert_ok(commit(restore, &w.table, err));
    assert_int_equal(add_count(&w), 4);
}

TEST(test_table_evolve__renames_and_retypes_in_place)
{
    AUTO_WORLD w = open_world();
    OG_AUTO(og_lance_write) write = NULL;
    assert_ok(begin(&w, OG_LANCE_EVOLVE, &write, err));
    assert_ok(og_lance_write_rename_field(write, OG_STR("a"), OG_STR("first"), err));
    assert_ok(og_lance_write_retype_field(write, OG_STR("b"), &count_field, err));
    assert_ok(fill(write, 7, 10, err));
    assert_ok(commit(write, &w.table, err));
    uint32_t count;
    const og_lance_field *fields = og_lance_table_fields(w.table, &count);
    assert_int_equal(count, 2);
    assert_true(og_str_is(fields[0].field.name, "first") && fields[0].id == 0);
    assert_true(og_str_is(fields[1].field.name, "count") && fields[1].id == 2);
    expect_numbers(w.table, "first", 0);
    expect_numbers(w.table, "count", 7);
}

TEST(test_table_evolve__what_does_not_fit_is_refused)
{
    AUTO_WORLD w = open_world();
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    assert_ok(begin(&w, OG_LANCE_EVOLVE, &write, err));
    assert_status(og_lance_write_drop_field(write, OG_STR("z"), NULL), OG_NOT_FOUND);
    assert_status(og_lance_write_add_field(write, &two[0], NULL), OG_EXISTS);
    assert_status(og_lance_write_rename_field(write, OG_STR("a"), OG_STR("b"), NULL), OG_EXISTS);
    assert_ok(og_lance_write_drop_field(write, OG_STR("a"), err));
    assert_status(og_lance_write_drop_field(write, OG_STR("b"), NULL), OG_INVALID);
    assert_ok(og_lance_write_add_field(write, &count_field, err));
    assert_status(og_lance_write_drop_field(write, OG_STR("count"), NULL), OG_INVALID);
    assert_ok(fill(write, 0, 9, err));
    assert_status(og_lance_write_stage(write, &staged, NULL), OG_INVALID); /* a row without */

    OG_AUTO(og_lance_write) bare = NULL;
    assert_ok(begin(&w, OG_LANCE_EVOLVE, &bare, err));
    assert_ok(og_lance_write_add_field(bare, &count_field, err));
    assert_status(og_lance_write_stage(bare, &staged, NULL), OG_INVALID); /* must not be null */

    OG_AUTO(og_lance_write) other = NULL;
    assert_ok(begin(&w, OG_LANCE_APPEND, &other, err));
    assert_status(og_lance_write_drop_field(other, OG_STR("a"), NULL), OG_INVALID);
    assert_status(og_lance_write_drop_index(other, OG_STR("x"), NULL), OG_INVALID);
    OG_AUTO(og_lance_write) index = NULL;
    assert_ok(begin(&w, OG_LANCE_INDEX, &index, err));
    assert_status(og_lance_write_drop_index(index, OG_STR("x"), NULL), OG_NOT_FOUND);
}

TEST(test_table_evolve__any_allocation_may_fail)
{
    AUTO_WORLD w = open_world();
    uint64_t before = og_lance_table_version(w.table);
    for (int64_t n = 0;; n++) {
        OG_AUTO(og_lance_write) write = NULL;
        og_lance_table *table = og_lance_table_ref(w.table);
        og_alloc_fail_after(n, false);
        og_status s = begin(&w, OG_LANCE_EVOLVE, &write, NULL);
        s = s == OG_OK ? og_lance_write_drop_field(write, OG_STR("b"), NULL) : s;
        s = s == OG_OK ? og_lance_write_rename_field(write, OG_STR("a"), OG_STR("c"), NULL) : s;
        s = s == OG_OK ? og_lance_write_add_field(write, &count_field, NULL) : s;
        s = s == OG_OK ? fill(write, 0, 10, NULL) : s;
        s = s == OG_OK ? commit(write, &table, NULL) : s;
        og_alloc_fail_after(-1, false);
        og_lance_table_unref(table);
        uint64_t latest;
        assert_ok(og_lance_latest_version(w.env, "t", 0, &latest, err));
        if (s == OG_OK || latest != before)
            break;
        assert_status(s, OG_NOMEM);
        assert_true(n < 100000);
    }
}
