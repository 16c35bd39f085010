/* Manifests: decode, validate, use. What opens answers every question without a crash, and a change
 * of its config opens again with the same rows, ids and versions. Its files do not exist, so takes
 * fail or return nulls. */
#include <stdint.h>
#include <stdlib.h>

#include "base/arena.h"
#include "lance/table/indices.h"
#include "lance/table/look.h"
#include "lance/table/write.h"
#include "store/memory.h"

#define MAX_SLOTS 4096 /* looked at */

static void check(bool holds)
{
    if (!holds)
        abort();
}

static size_t some_slots(const og_lance_table *table, uint32_t *slots)
{
    size_t count = 0;
    uint64_t total = og_lance_table_slot_count(table), step = total / MAX_SLOTS + 1;
    for (uint64_t slot = 0; slot < total && count < MAX_SLOTS; slot += step)
        slots[count++] = (uint32_t)slot;
    return count;
}

/* Everything that depends on rows, as one number. */
static uint64_t digest(og_lance_table *table, og_status *out_status)
{
    static uint32_t slots[MAX_SLOTS], back[MAX_SLOTS];
    static uint64_t ids[MAX_SLOTS], updated[MAX_SLOTS], created[MAX_SLOTS];
    size_t count = some_slots(table, slots);
    uint64_t sum = count;
    *out_status = og_lance_row_versions(table, slots, count, updated, created, NULL);
    for (size_t i = 0; *out_status == OG_OK && i < count; i++)
        sum = sum * 31 + updated[i] * 7 + created[i];
    og_status status = og_lance_row_ids(table, slots, count, ids, NULL);
    for (size_t i = 0; status == OG_OK && i < count; i++)
        sum = sum * 31 + ids[i];
    if (status == OG_OK) /* it needs the deletion files, too, which may be missing */
        status = og_lance_slots_of(table, ids, count, back, NULL);
    for (size_t i = 0; status == OG_OK && i < count; i++)
        check(back[i] == UINT32_MAX || back[i] < og_lance_table_slot_count(table));
    *out_status = *out_status == OG_OK ? status : *out_status;
    return sum;
}

static void read_columns(og_lance_table *table)
{
    uint32_t field_count;
    og_lance_table_fields(table, &field_count);
    uint32_t slots[2] = {(uint32_t)og_lance_table_slot_count(table) - 1, 0};
    for (uint32_t i = 0; i < field_count; i++) {
        og_batch batch = {0};
        if (og_lance_take(table, &i, 1, slots, 2, &batch, NULL) == OG_OK)
            og_batch_deinit(&batch);
    }
}

/* What tools ask. */
static void look(og_lance_table *table)
{
    og_lance_about about;
    og_lance_kv pair;
    og_lance_base base;
    const og_lance_index *indices;
    uint32_t index_count, fragment_count;
    og_lance_table_about(table, &about);
    for (int map = OG_LANCE_PAIRS_CONFIG; map <= OG_LANCE_PAIRS_SCHEMA_METADATA; map++)
        for (size_t i = 0; og_lance_table_pair(table, (og_lance_pairs)map, i, &pair); i++)
            check(pair.key.ptr != NULL && pair.value.ptr != NULL);
    for (size_t i = 0; og_lance_table_base(table, i, &base); i++)
        check(base.path.ptr != NULL);
    og_lance_table_fragments(table, &fragment_count);
    for (uint32_t f = 0; f < fragment_count; f++)
        for (uint32_t i = 0; i < og_lance_table_file_count(table, f); i++)
            check(og_lance_table_file(table, f, i).name != NULL);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (og_lance_indices(table, arena, &indices, &index_count, NULL) == OG_OK)
        for (uint32_t i = 0; i < index_count; i++)
            og_lance_index_covers(&indices[i], fragment_count);
}

static void change_config(og_lance_env *env, og_lance_table *table)
{
    const og_lance_write_options options = {.op = OG_LANCE_CONFIG, .min_max_fragment_id = -1};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    if (og_lance_write_new(env, table, &options, &write, NULL) != OG_OK ||
        og_lance_write_stage(write, &staged, NULL) != OG_OK)
        return;
    OG_AUTO(og_lance_table) after = NULL;
    if (og_lance_write_table(write, &after, NULL) != OG_OK)
        return; /* a version beyond the last, or sections that overlap the message */
    check(og_lance_table_slot_count(after) == og_lance_table_slot_count(table));
    check(og_lance_table_row_count(after) == og_lance_table_row_count(table));
    og_status before_status, after_status;
    uint64_t before = digest(table, &before_status), now = digest(after, &after_status);
    check(before_status == after_status && (before_status != OG_OK || before == now));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_env) env = NULL;
    OG_AUTO(og_lance_table) table = NULL;
    check(og_store_open_memory(&store, NULL) == OG_OK);
    check(og_lance_env_new(store, 1 << 20, &env, NULL) == OG_OK);
    OG_AUTO_BUF name = OG_BUF_INIT;
    check(og_lance_manifest_name(&name, "t", 1));
    check(store->ops->put(store, og_buf_cstr(&name), (og_bytes){data, size}, NULL) == OG_OK);
    if (og_lance_table_open(env, "t", 1, 0, &table, NULL) != OG_OK)
        return 0;
    og_lance_table_transaction_property(table, OG_STR("og.op"));
    og_lance_table_timestamp_us(table);
    look(table);
    if (og_lance_table_slot_count(table) > 1 << 24)
        return 0; /* bit vectors of that many rows only cost time here */
    if (og_lance_table_slot_count(table) > 0)
        read_columns(table);
    change_config(env, table);
    return 0;
}
