/* The two files of a BTREE segment, of any bytes: the first four of the input say how long the
 * first one is. Looking up may fail; what it finds are rows of the table. */
#include "columnar/builder.h"
#include "lance/index/btree.h"
#include "store/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static og_store *store;
static og_lance_table *table;
static char folder[256];

static void require(bool ok)
{
    if (!ok)
        abort();
}

static og_lance_write *begin(og_lance_env *env, og_lance_op op)
{
    static og_lance_new_field field;
    field = (og_lance_new_field){.field = {{"v", 1}, og_type_of(OG_TYPE_I64), true}};
    const og_lance_write_options o = {.op = op,
                                      .path = "t",
                                      .fields = table == NULL ? &field : NULL,
                                      .field_count = table == NULL ? 1 : 0,
                                      .min_max_fragment_id = -1};
    og_lance_write *write = NULL;
    require(og_lance_write_new(env, table, &o, &write, NULL) == OG_OK);
    return write;
}

static void commit(og_lance_env *env, og_lance_write *write)
{
    const og_lance_staged *staged;
    require(og_lance_write_stage(write, &staged, NULL) == OG_OK);
    require(og_lance_staged_commit(write, true, NULL) == OG_OK);
    og_lance_table_unref(table);
    require(og_lance_table_open(env, "t", staged->version, 0, &table, NULL) == OG_OK);
    og_lance_write_free(write);
}

/* Once for all inputs: a table with an index, whose files the inputs replace. */
static void make_table(void)
{
    static og_lance_env *env;
    OG_AUTO(og_builder) v = og_builder_new(og_type_of(OG_TYPE_I64));
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BATCH batch = {0};
    const uint32_t fragment = 0;
    const og_lance_index *indices;
    uint32_t count;
    require(og_store_open_memory(&store, NULL) == OG_OK);
    require(og_lance_env_new(store, 0, &env, NULL) == OG_OK);
    for (int64_t i = 0; i < ROWS; i++)
        og_builder_i64(v, i);
    require(og_batch_init(&batch, 1, ROWS, NULL) == OG_OK);
    require(og_builder_finish(v, &batch.columns[0], NULL) == OG_OK);
    og_lance_write *write = begin(env, OG_LANCE_CREATE);
    require(og_lance_write_rows(write, &batch, NULL, NULL) == OG_OK);
    commit(env, write);
    write = begin(env, OG_LANCE_INDEX);
    require(og_lance_btree_build(write, 0, OG_STR("v_idx"), &fragment, 1, NULL) == OG_OK);
    commit(env, write);
    require(og_lance_indices(table, arena, &indices, &count, NULL) == OG_OK && count == 1);
    snprintf(folder, sizeof folder, "%s", indices[0].folder);
}

static void put(const char *file, og_bytes bytes)
{
    char name[512];
    snprintf(name, sizeof name, "%s%s", folder, file);
    require(store->ops->put(store, name, bytes, NULL) == OG_OK);
}

static void look_up(const og_lance_span_of_values *span)
{
    og_error err;
    OG_AUTO_FREE uint32_t *slots = NULL;
    size_t count;
    bool indexed;
    if (og_lance_btree_select(table, 0, span, &slots, &count, &indexed, &err) != OG_OK)
        return;
    for (size_t i = 0; i < count; i++)
        require(slots[i] < ROWS && (i == 0 || slots[i - 1] < slots[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const og_datum low = {.type = OG_TYPE_I64, .i64 = 3}, high = {.type = OG_TYPE_I64, .i64 = 40};
    const og_lance_span_of_values all = {0}, some = {.low = &low, .high = &high};
    if (size < 4)
        return 0;
    if (table == NULL)
        make_table();
    size_t first = og_load_u32(data);
    first = first < size - 4 ? first : size - 4;
    put("page_lookup.lance", (og_bytes){data + 4, first});
    put("page_data.lance", (og_bytes){data + 4 + first, size - 4 - first});
    look_up(&all);
    look_up(&some);
    look_up(NULL);
    return 0;
}
