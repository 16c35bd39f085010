#include "lance/table/upsert.h"

#include "base/vec.h"
#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "lance/table/table_priv.h"

#include <stdlib.h>

#define NO_ROW UINT32_MAX

/* Stored keys in a hash table of rows of `stored`. */
struct og_lance_upsert {
    og_lance_write *write;
    og_lance_table *base;
    uint32_t *keys;
    uint32_t key_count;
    og_array **stored; /* key columns of base's live rows */
    uint32_t *slots;   /* of them */
    uint32_t count;
    uint32_t *places; /* row of `stored`, NO_ROW = empty; open addressing */
    uint8_t *taken;   /* bit per row of `stored`: replaced */
    uint32_t mask;
};

void og_lance_upsert_free(og_lance_upsert *u)
{
    if (u == NULL)
        return;
    for (uint32_t i = 0; u->stored != NULL && i < u->key_count; i++)
        og_array_unref(u->stored[i]);
    og_free(u->stored);
    og_free(u->keys);
    og_free(u->slots);
    og_free(u->places);
    og_free(u->taken);
    og_free(u);
}

/* ---- stored keys ----------------------------------------------------------------------------- */

static bool has_null(og_array *const *columns, uint32_t count, int64_t row)
{
    for (uint32_t i = 0; i < count; i++)
        if (og_array_is_null(columns[i], row))
            return true;
    return false;
}

static uint64_t hash_of(og_array *const *columns, uint32_t count, int64_t row)
{
    uint64_t hash = 0;
    for (uint32_t i = 0; i < count; i++)
        hash = og_hash_row(columns[i], row, hash);
    return hash;
}

static bool is_equal(const og_lance_upsert *u, og_array *const *columns, int64_t row,
                     uint32_t stored)
{
    for (uint32_t i = 0; i < u->key_count; i++)
        if (!og_rows_equal(columns[i], row, u->stored[i], stored))
            return false;
    return true;
}

/* The place of the key, or the empty one where it would be. */
static uint32_t *find(const og_lance_upsert *u, og_array *const *columns, int64_t row)
{
    uint32_t at = (uint32_t)hash_of(columns, u->key_count, row) & u->mask;
    while (u->places[at] != NO_ROW && !is_equal(u, columns, row, u->places[at]))
        at = (at + 1) & u->mask;
    return &u->places[at];
}

static og_status read_keys(og_lance_upsert *u, og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    og_builder **builders = og_calloc(u->key_count, sizeof *builders);
    const og_lance_field *fields = u->base->fields;
    og_status s = builders != NULL ? OG_OK : og_error_nomem(err);
    for (uint32_t i = 0; s == OG_OK && i < u->key_count; i++)
        if ((builders[i] = og_builder_new(fields[u->keys[i]].field.type)) == NULL)
            s = og_error_nomem(err);
    if (s == OG_OK)
        s = og_lance_scan_open(u->base, u->keys, u->key_count, 0, UINT32_MAX, &scan, err);
    while (s == OG_OK) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        s = og_lance_scan_next(scan, &batch, &slots, err);
        if (s != OG_OK || batch.row_count == 0)
            break;
        memcpy(u->slots + u->count, slots, (size_t)batch.row_count * sizeof *slots);
        u->count += (uint32_t)batch.row_count;
        for (uint32_t i = 0; i < u->key_count; i++)
            og_builder_append_array(builders[i], batch.columns[i], 0, batch.row_count);
    }
    for (uint32_t i = 0; s == OG_OK && i < u->key_count; i++)
        s = og_builder_finish(builders[i], &u->stored[i], err);
    for (uint32_t i = 0; builders != NULL && i < u->key_count; i++)
        og_builder_free(builders[i]);
    og_free(builders);
    return s;
}

static og_status index_keys(og_lance_upsert *u, og_error *err)
{
    uint32_t size = 16;
    while (size < u->count * 2u)
        size *= 2;
    u->mask = size - 1;
    u->places = og_malloc(size * sizeof *u->places);
    u->taken = og_calloc(og_bitmap_bytes(u->count) + 1, 1);
    if (u->places == NULL || u->taken == NULL)
        return og_error_nomem(err);
    memset(u->places, 0xFF, size * sizeof *u->places);
    for (uint32_t row = 0; row < u->count; row++) {
        if (has_null(u->stored, u->key_count, row))
            continue;
        uint32_t *place = find(u, u->stored, row);
        if (*place != NO_ROW)
            return og_error_set(err, OG_INVALID, "two rows of %s have the same key", u->base->path);
        *place = row;
    }
    return OG_OK;
}

og_status og_lance_upsert_new(og_lance_write *write, og_lance_table *base, const uint32_t *keys,
                              uint32_t key_count, og_lance_upsert **out, og_error *err)
{
    if (key_count == 0)
        return og_error_set(err, OG_INVALID, "an upsert needs a key");
    if (og_lance_table_row_count(base) > (UINT32_MAX >> 2))
        return og_error_set(err, OG_LIMIT, "%s has too many rows to find keys in", base->path);
    OG_AUTO(og_lance_upsert) u = og_calloc(1, sizeof *u);
    if (u == NULL)
        return og_error_nomem(err);
    *u = (og_lance_upsert){.write = write, .base = base, .key_count = key_count};
    u->keys = og_malloc(key_count * sizeof *keys);
    u->stored = og_calloc(key_count, sizeof *u->stored);
    u->slots = og_malloc((og_lance_table_row_count(base) + 1) * sizeof *u->slots);
    if (u->keys == NULL || u->stored == NULL || u->slots == NULL)
        return og_error_nomem(err);
    memcpy(u->keys, keys, key_count * sizeof *keys);
    OG_TRY(read_keys(u, err));
    OG_TRY(index_keys(u, err));
    *out = OG_TAKE(u);
    return OG_OK;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Which rows replace one: slots[row], or NO_ROW. */
static og_status match(og_lance_upsert *u, const og_batch *batch, uint32_t *slots, og_error *err)
{
    og_array **columns = og_calloc(u->key_count, sizeof *columns);
    if (columns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < u->key_count; i++)
        columns[i] = batch->columns[u->keys[i]];
    og_status s = OG_OK;
    for (int64_t row = 0; row < batch->row_count && s == OG_OK; row++) {
        slots[row] = NO_ROW;
        uint32_t found = has_null(columns, u->key_count, row) ? NO_ROW : *find(u, columns, row);
        if (found == NO_ROW)
            continue;
        if (og_bit_get(u->taken, found))
            s = og_error_set(err, OG_INVALID, "a key of %s is given twice", u->base->path);
        og_bit_set(u->taken, found);
        slots[row] = u->slots[found];
    }
    og_free(columns);
    return s;
}

/* Some rows of the batch; those of `slots` replace the rows there. */
static og_status put_rows(og_lance_upsert *u, const og_batch *batch, const uint32_t *rows,
                          const uint32_t *slots, uint32_t count, og_error *err)
{
    if (count == 0)
        return OG_OK;
    OG_AUTO_BATCH part = {0};
    OG_TRY(og_batch_init(&part, batch->column_count, count, err));
    for (uint32_t i = 0; i < batch->column_count; i++)
        OG_TRY(og_take_u32(batch->columns[i], rows, count, &part.columns[i], err));
    if (slots == NULL)
        return og_lance_write_rows(u->write, &part, NULL, err);
    OG_AUTO_FREE uint64_t *ids = og_malloc(count * sizeof *ids);
    if (ids == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_row_ids(u->base, slots, count, ids, err));
    OG_TRY(og_lance_write_delete(u->write, slots, count, err));
    return og_lance_write_rows(u->write, &part, ids, err);
}

og_status og_lance_upsert_rows(og_lance_upsert *u, const og_batch *batch, og_error *err)
{
    uint32_t count = (uint32_t)batch->row_count, kept = 0, fresh = 0;
    if (batch->column_count != u->base->field_count || batch->row_count > INT32_MAX)
        return og_error_set(err, OG_INVALID, "a batch of %u columns for a table of %u",
                            batch->column_count, u->base->field_count);
    OG_AUTO_FREE uint32_t *block = og_malloc(((size_t)count * 4 + 1) * sizeof *block);
    if (block == NULL)
        return og_error_nomem(err);
    uint32_t *slots = block, *kept_rows = slots + count, *kept_slots = kept_rows + count,
             *fresh_rows = kept_slots + count;
    OG_TRY(match(u, batch, slots, err));
    for (uint32_t row = 0; row < count; row++) {
        if (slots[row] != NO_ROW) {
            kept_rows[kept] = row;
            kept_slots[kept++] = slots[row];
        } else {
            fresh_rows[fresh++] = row;
        }
    }
    OG_TRY(put_rows(u, batch, kept_rows, kept_slots, kept, err));
    return put_rows(u, batch, fresh_rows, NULL, fresh, err);
}
