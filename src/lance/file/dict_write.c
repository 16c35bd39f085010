/* Dictionary pages: repeated strings and 64-bit numbers become u32 indices (docs/dev/lance.md
 * sections 11.1 and 13, step 5). The dictionary is in order of first use. */
#include "base/map.h"
#include "lance/file/page_write.h"

#define MIN_VALUES 100
/* A reader decodes the whole dictionary for the first value it wants. */
#define MAX_ITEMS 100000
#define SAMPLE_VALUES 4096

static og_str value_at(const og_lance__values *values, uint64_t index)
{
    if (values->kind == OG_LANCE__FIXED)
        return (og_str){(const char *)values->data + index * values->width, values->width};
    uint32_t start = values->offsets[index];
    return (og_str){(const char *)values->data + start, values->offsets[index + 1] - start};
}

/* Open addressing over slots of hash (upper half) and item + 1 (lower half; 0 = free). */
typedef struct dict_table {
    uint64_t *slots;
    uint64_t mask;
    const og_lance__values *values;
    og_buf *firsts; /* u32: where each item was first seen */
    uint32_t items;
} dict_table;

static bool table_init(dict_table *t, og_lance__encoder *encoder, const og_lance__values *values,
                       uint64_t max_items)
{
    uint64_t slots = 64;
    while (slots < max_items * 2 + 2)
        slots *= 2;
    og_buf_clear(&encoder->dict_slots);
    og_buf_clear(&encoder->dict_firsts);
    if (!og_buf_fill(&encoder->dict_slots, 0, (size_t)slots * sizeof(uint64_t)))
        return false;
    *t = (dict_table){(uint64_t *)encoder->dict_slots.ptr, slots - 1, values, &encoder->dict_firsts,
                      0};
    return true;
}

/* The item of a value, made when it is new. False when out of memory. */
static bool table_put(dict_table *t, uint64_t index, uint32_t *out_item)
{
    og_str value = value_at(t->values, index);
    uint64_t hash = og_hash64(value.ptr, value.len), tag = hash & ~(uint64_t)UINT32_MAX;
    const uint32_t *firsts = (const uint32_t *)t->firsts->ptr;
    for (uint64_t at = hash & t->mask;; at = (at + 1) & t->mask) {
        uint32_t item = (uint32_t)t->slots[at];
        if (item == 0) {
            *out_item = t->items++;
            t->slots[at] = tag | t->items;
            return og_buf_u32(t->firsts, (uint32_t)index);
        }
        if ((t->slots[at] & ~(uint64_t)UINT32_MAX) == tag &&
            og_str_eq(value_at(t->values, firsts[item - 1]), value)) {
            *out_item = item - 1;
            return true;
        }
    }
}

/* Values at even distances nearly all differ: then the whole page would not repeat enough. */
static og_status looks_unique(og_lance__encoder *encoder, const og_lance__values *values, bool *out,
                              og_error *err)
{
    *out = false;
    if (values->count < 2 * SAMPLE_VALUES)
        return OG_OK;
    dict_table table;
    if (!table_init(&table, encoder, values, SAMPLE_VALUES))
        return og_error_nomem(err);
    uint64_t step = values->count / SAMPLE_VALUES;
    uint32_t item;
    for (uint64_t i = 0; i < SAMPLE_VALUES; i++) {
        if (!table_put(&table, i * step, &item))
            return og_error_nomem(err);
    }
    *out = table.items > SAMPLE_VALUES - SAMPLE_VALUES / 100;
    return OG_OK;
}

/* Indices of all values; *out_items 0 when there are too many different ones. */
static og_status index_values(og_lance__encoder *encoder, const og_lance__values *values,
                              uint32_t *out_items, og_error *err)
{
    uint64_t max_items = values->count / 2 < MAX_ITEMS ? values->count / 2 : MAX_ITEMS;
    dict_table table;
    og_buf *indices = &encoder->dict_indices;
    og_buf_clear(indices);
    if (!table_init(&table, encoder, values, max_items + 1) ||
        !og_buf_reserve(indices, (size_t)values->count * sizeof(uint32_t)))
        return og_error_nomem(err);
    *out_items = 0;
    for (uint64_t i = 0; i < values->count; i++) {
        uint32_t item;
        if (!table_put(&table, i, &item) || !og_buf_u32(indices, item))
            return og_error_nomem(err);
        if (table.items > max_items)
            return OG_OK;
    }
    *out_items = table.items;
    return OG_OK;
}

/* Block form: fixed items back to back; strings as width, start, offsets from 0, bytes. */
static bool put_items(const og_lance__values *values, const uint32_t *firsts, uint32_t items,
                      og_buf *out)
{
    if (values->kind == OG_LANCE__VARIABLE) {
        uint64_t width = values->wide_offsets ? 8 : 4, bits = width * 8;
        uint64_t start = (2 + (uint64_t)items + 1) * width, offset = 0;
        og_buf_append(out, &bits, (size_t)width);
        og_buf_append(out, &start, (size_t)width);
        og_buf_append(out, &offset, (size_t)width);
        for (uint32_t i = 0; i < items; i++) {
            offset += value_at(values, firsts[i]).len;
            og_buf_append(out, &offset, (size_t)width);
        }
    }
    for (uint32_t i = 0; i < items; i++)
        og_buf_str(out, value_at(values, firsts[i]));
    return !out->failed;
}

static og_status build_block(og_lance__encoder *encoder, const og_lance__values *values,
                             uint32_t items, og_lance__dict_block *out, og_error *err)
{
    og_buf *raw = &encoder->dict_raw, *packed = &encoder->dict_block;
    size_t head = 0;
    if (values->kind == OG_LANCE__VARIABLE)
        head = ((size_t)items + 3) * (values->wide_offsets ? 8 : 4);
    og_buf_clear(raw);
    og_buf_clear(packed);
    if (!put_items(values, (const uint32_t *)encoder->dict_firsts.ptr, items, raw) ||
        !og_lance__zstd_append(encoder, raw->ptr, raw->len, head, packed))
        return og_error_nomem(err);
    bool zstd = packed->len < raw->len - raw->len / 8;
    const og_buf *used = zstd ? packed : raw;
    *out = (og_lance__dict_block){
        .bytes = used->ptr,
        .len = used->len,
        .items = items,
        .zstd = zstd,
        .bits = values->kind == OG_LANCE__FIXED ? values->width * 8 : 0,
        .wide_offsets = values->wide_offsets,
    };
    return OG_OK;
}

og_status og_lance__dict_encode(og_lance__encoder *encoder, const og_lance__values *values,
                                uint64_t plan_bytes, bool *out_used, og_lance__values *out_indices,
                                og_lance__plan *out_plan, og_lance__dict_block *out_dict,
                                og_error *err)
{
    *out_used = false;
    bool may = values->kind == OG_LANCE__VARIABLE ||
               (values->kind == OG_LANCE__FIXED && values->width == 8 && values->list_size == 0);
    /* With a bit per value the indices alone would cost as much. */
    if (!may || values->count < MIN_VALUES || plan_bytes < values->count / 4)
        return OG_OK;
    bool unique;
    OG_TRY(looks_unique(encoder, values, &unique, err));
    if (unique)
        return OG_OK;
    uint32_t items = 0;
    OG_TRY(index_values(encoder, values, &items, err));
    if (items == 0)
        return OG_OK;
    OG_TRY(build_block(encoder, values, items, out_dict, err));
    *out_indices = (og_lance__values){
        .kind = OG_LANCE__FIXED,
        .width = sizeof(uint32_t),
        .data = encoder->dict_indices.ptr,
        .count = values->count,
    };
    uint64_t index_bytes;
    OG_TRY(og_lance__plan_values(encoder, out_indices, out_plan, &index_bytes, err));
    uint64_t bytes = out_dict->len + index_bytes;
    *out_used = bytes < plan_bytes - plan_bytes / 5;
    return OG_OK;
}
