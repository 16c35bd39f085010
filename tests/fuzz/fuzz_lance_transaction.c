/* Transactions: what another writer says it did. One stands in version 2 of a table whose version 1
 * is ours; every kind of write that was built on 1 is then judged against it, and moved behind it
 * where it fits. A moved write stages, and what it made opens. */
#include <stdint.h>
#include <stdlib.h>

#include "base/bits.h"
#include "columnar/array.h"
#include "lance/table/compact.h"
#include "lance/table/evolve.h"
#include "lance/table/indices.h"
#include "lance/table/look.h"
#include "lance/table/rebase.h"
#include "store/memory.h"

#define TRAILER_BYTES 16

static void check(bool holds)
{
    if (!holds)
        abort();
}

static const og_lance_new_field fields[] = {
    {.field = {{"a", 1}, &(og_type){.id = OG_TYPE_I64}, true}},
    {.field = {{"b", 1}, &(og_type){.id = OG_TYPE_I64}, true}},
};
static const og_lance_kv key = {{"key", 3}, {"value", 5}};

static og_lance_write *begin(og_lance_env *env, og_lance_table *base, og_lance_op op)
{
    const og_lance_write_options o = {.op = op,
                                      .path = "t",
                                      .fields = op == OG_LANCE_CREATE ? fields : NULL,
                                      .field_count = op == OG_LANCE_CREATE ? 2 : 0,
                                      .restore_from = op == OG_LANCE_RESTORE ? base : NULL,
                                      .config = &key,
                                      .config_count = 1,
                                      .min_max_fragment_id = -1};
    og_lance_write *write;
    check(og_lance_write_new(env, base, &o, &write, NULL) == OG_OK);
    return write;
}

static void add_rows(og_lance_write *write, int64_t count)
{
    OG_AUTO_BATCH batch = {0};
    check(og_batch_init(&batch, 2, count, NULL) == OG_OK);
    for (int c = 0; c < 2; c++)
        batch.columns[c] = og_array_new_null(fields[c].field.type, count);
    check(og_lance_write_rows(write, &batch, NULL, NULL) == OG_OK);
}

/* Version 1, and the manifest file of a version 2 that has the same rows. */
typedef struct world {
    og_store *store;
    og_buf next; /* from its manifest section on, which begins with its length */
    og_buf name;
} world;

static world *the_world(void)
{
    static world w;
    if (w.store != NULL)
        return &w;
    OG_AUTO(og_lance_env) env = NULL;
    OG_AUTO(og_lance_table) base = NULL;
    const og_lance_staged *staged;
    check(og_store_open_memory(&w.store, NULL) == OG_OK);
    check(og_lance_env_new(w.store, 1 << 20, &env, NULL) == OG_OK);
    OG_AUTO(og_lance_write) create = begin(env, NULL, OG_LANCE_CREATE);
    add_rows(create, 5);
    check(og_lance_write_stage(create, &staged, NULL) == OG_OK);
    check(og_lance_staged_commit(create, true, NULL) == OG_OK);
    check(og_lance_table_open(env, "t", 1, 0, &base, NULL) == OG_OK);
    OG_AUTO(og_lance_write) config = begin(env, base, OG_LANCE_CONFIG);
    check(og_lance_write_stage(config, &staged, NULL) == OG_OK);
    const og_buf *m = &staged->manifest;
    uint64_t position = og_load_u64(m->ptr + m->len - TRAILER_BYTES);
    check(og_buf_append(&w.next, m->ptr + position, m->len - position));
    check(og_buf_text(&w.name, staged->manifest_name));
    return &w;
}

/* [transaction][manifest]: its place in the manifest is the first byte, as it was. */
static void put_next(world *w, const uint8_t *data, size_t size)
{
    OG_AUTO_BUF file = OG_BUF_INIT;
    og_buf_u32(&file, (uint32_t)size);
    og_buf_append(&file, data, size);
    size_t position = file.len;
    og_buf_append(&file, w->next.ptr, w->next.len - TRAILER_BYTES);
    og_buf_u64(&file, position);
    check(og_buf_append(&file, w->next.ptr + w->next.len - 8, 8));
    check(w->store->ops->put(w->store, og_buf_cstr(&w->name), og_buf_bytes(&file), NULL) == OG_OK);
}

static og_lance_write *change(og_lance_env *env, og_lance_table *base, og_lance_op op)
{
    const uint32_t slot = 2, fragment = 0;
    og_lance_write *write = begin(env, base, op);
    og_lance_compact_stats stats;
    const og_lance_new_index index = {.uuid = og_lance_write_new_uuid(write),
                                      .name = {"a_idx", 5},
                                      .kind = {"BTree", 5},
                                      .fragments = &fragment,
                                      .fragment_count = 1};
    if (op == OG_LANCE_DELETE || op == OG_LANCE_UPDATE)
        check(og_lance_write_delete(write, &slot, 1, NULL) == OG_OK);
    if (op == OG_LANCE_APPEND || op == OG_LANCE_UPDATE || op == OG_LANCE_OVERWRITE)
        add_rows(write, 1);
    if (op == OG_LANCE_COMPACT)
        check(og_lance_write_compact(write, NULL, &stats, NULL) == OG_OK);
    if (op == OG_LANCE_EVOLVE)
        check(og_lance_write_drop_field(write, OG_STR("b"), NULL) == OG_OK);
    if (op == OG_LANCE_INDEX)
        check(og_lance_write_add_index(write, &index, NULL) == OG_OK);
    return write;
}

static void go_behind(og_lance_env *env, og_lance_table *base, og_lance_table *next, og_lance_op op)
{
    OG_AUTO(og_lance_write) write = change(env, base, op);
    og_lance_verdict verdict;
    const og_lance_staged *staged;
    if (og_lance_write_rebase(write, next, &verdict, NULL) != OG_OK || verdict != OG_LANCE_FITS)
        return;
    OG_AUTO(og_lance_table) after = NULL;
    check(og_lance_write_stage(write, &staged, NULL) == OG_OK && staged->version == 3);
    check(og_lance_write_table(write, &after, NULL) == OG_OK);
    check(og_lance_table_row_count(after) == staged->row_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world *w = the_world();
    OG_AUTO(og_lance_env) env = NULL;
    OG_AUTO(og_lance_table) base = NULL;
    OG_AUTO(og_lance_table) next = NULL;
    if (size > 1 << 20)
        return 0;
    put_next(w, data, size);
    check(og_lance_env_new(w->store, 1 << 20, &env, NULL) == OG_OK);
    check(og_lance_table_open(env, "t", 1, 0, &base, NULL) == OG_OK);
    if (og_lance_table_open(env, "t", 2, 0, &next, NULL) != OG_OK)
        return 0;
    og_lance_about about;
    og_lance_table_about(next, &about);
    og_lance_table_transaction_property(next, OG_STR("og.op"));
    for (int op = OG_LANCE_APPEND; op <= OG_LANCE_EVOLVE; op++)
        if (op != OG_LANCE_CLONE)
            go_behind(env, base, next, (og_lance_op)op);
    return 0;
}
