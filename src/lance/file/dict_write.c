/* Dictionary pages: repeated strings and 64-bit numbers become u32 indices
 * (docs/dev/lance.md sections 11.1 and 13, step 5). The dictionary is in order of first use,
 * or of its texts when that is smaller. */
#include "base/map.h"
#include "lance/file/page_write.h"

#define MIN_VALUES 100
/* A reader decodes the whole dictionary for the first value it wants. */
#define MAX_ITEMS 100000
#define SAMPLE_VALUES 4096
/* Looking values up takes longer than unpacking them, so it must save a fifth. */
#define DICT_GAIN(bytes) ((bytes) - (bytes) / 5)
/* A smaller dictionary is not worth sorting. */
#define SORT_MIN_BYTES 8192

static og_str text_at(const og_lance__values *values, uint64_t index)
{
    uint32_t start = values->offsets[index];
    return (og_str){(const char *)values->data + start, values->offsets[index + 1] - start};
}

static uint64_t number_at(const og_lance__values *values, uint64_t index)
{
    return og_load_u64(values->data + index * sizeof(uint64_t));
}

static bool is_text(const og_lance__values *values)
{
    return values->kind == OG_LANCE__VARIABLE;
}

/* Open addressing over slots of hash (upper half) and item + 1 (lower half; 0 = free). At most half
 * of them are used; they double in place, in room for as many as there can be. */
typedef struct dict_table {
    uint64_t *slots;
    uint64_t mask;
    const og_lance__values *values;
    uint32_t *firsts;  /* where each item was first seen */
    uint64_t *numbers; /* the items themselves, when they are numbers */
    uint32_t items;
    bool crowded; /* equal hashes in masses: values made up for that */
} dict_table;

#define FIRST_SLOTS 1024
#define MAX_PROBES 1024

static bool table_init(dict_table *t, og_lance__encoder *encoder, const og_lance__values *values,
                       uint64_t max_items)
{
    uint64_t slots = FIRST_SLOTS;
    while (slots < max_items * 2 + 2)
        slots *= 2;
    og_buf_clear(&encoder->dict_slots);
    og_buf_clear(&encoder->dict_firsts);
    og_buf_clear(&encoder->dict_raw);
    if (!og_buf_reserve(&encoder->dict_slots, (size_t)slots * sizeof(uint64_t)) ||
        !og_buf_reserve(&encoder->dict_firsts, ((size_t)max_items + 1) * sizeof(uint32_t)) ||
        !og_buf_reserve(&encoder->dict_raw, ((size_t)max_items + 1) * sizeof(uint64_t)))
        return false;
    *t = (dict_table){
        .slots = (uint64_t *)encoder->dict_slots.ptr,
        .mask = FIRST_SLOTS - 1,
        .values = values,
        .firsts = (uint32_t *)encoder->dict_firsts.ptr,
        .numbers = is_text(values) ? NULL : (uint64_t *)encoder->dict_raw.ptr,
    };
    memset(t->slots, 0, FIRST_SLOTS * sizeof(uint64_t));
    return true;
}

/* Two multiplications: after one, decimal fractions as floats still crowd. */
static inline uint64_t hash_at(const og_lance__values *values, uint64_t index)
{
    if (is_text(values)) {
        og_str text = text_at(values, index);
        return og_hash64(text.ptr, text.len);
    }
    uint64_t hash = number_at(values, index) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

static inline bool is_item(const dict_table *t, uint32_t item, uint64_t index)
{
    if (t->numbers != NULL)
        return t->numbers[item] == number_at(t->values, index);
    return og_str_eq(text_at(t->values, t->firsts[item]), text_at(t->values, index));
}

static void table_double(dict_table *t)
{
    t->mask = t->mask * 2 + 1;
    memset(t->slots, 0, (size_t)(t->mask + 1) * sizeof(uint64_t));
    for (uint32_t i = 0; i < t->items; i++) {
        uint64_t hash = hash_at(t->values, t->firsts[i]), at = hash & t->mask;
        while (t->slots[at] != 0)
            at = (at + 1) & t->mask;
        t->slots[at] = (hash & ~(uint64_t)UINT32_MAX) | (i + 1);
    }
}

static uint32_t table_add(dict_table *t, uint64_t index, uint64_t at, uint64_t tag)
{
    uint32_t item = t->items++;
    t->firsts[item] = (uint32_t)index;
    if (t->numbers != NULL)
        t->numbers[item] = number_at(t->values, index);
    t->slots[at] = tag | t->items;
    if ((uint64_t)t->items * 2 > t->mask)
        table_double(t);
    return item;
}

/* The item of a value, made when it is new; the caller stops at the table's maximum. */
static inline uint32_t table_put(dict_table *t, uint64_t index)
{
    uint64_t hash = hash_at(t->values, index), tag = hash & ~(uint64_t)UINT32_MAX;
    uint64_t at = hash & t->mask;
    for (uint32_t probe = 0;; probe++, at = (at + 1) & t->mask) {
        uint64_t slot = t->slots[at];
        if (slot == 0)
            return table_add(t, index, at, tag);
        uint32_t item = (uint32_t)slot - 1;
        if ((slot ^ tag) >> 32 == 0 && is_item(t, item, index))
            return item;
        if (probe == MAX_PROBES) {
            t->crowded = true;
            return item;
        }
    }
}

/* Of values at even distances nearly all differ, so the whole page would not repeat enough;
 * or so many that their indices would need as much as packed values. */
static og_status looks_hopeless(og_lance__encoder *encoder, const og_lance__values *values,
                                const og_lance__plan *plan, uint64_t plan_bytes, bool *out,
                                og_error *err)
{
    *out = false;
    if (values->count < 2 * SAMPLE_VALUES)
        return OG_OK;
    dict_table table;
    if (!table_init(&table, encoder, values, SAMPLE_VALUES))
        return og_error_nomem(err);
    uint64_t step = values->count / SAMPLE_VALUES;
    for (uint64_t i = 0; i < SAMPLE_VALUES; i++)
        (void)table_put(&table, i * step);
    uint32_t bits = 32 - (uint32_t)__builtin_clz(table.items);
    bool packed = plan->codec == OG_LANCE__BITPACKED && !plan->zstd;
    *out = table.items > SAMPLE_VALUES - SAMPLE_VALUES / 100 ||
           (packed && values->count / 8 * bits > DICT_GAIN(plan_bytes));
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
    uint32_t *items = (uint32_t *)indices->ptr;
    for (uint64_t i = 0; i < values->count; i++) {
        items[i] = table_put(&table, i);
        if (table.items > max_items || table.crowded)
            return OG_OK;
    }
    *out_items = table.items;
    return OG_OK;
}

/* Block form of strings: width, start, offsets from 0, bytes. */
static bool put_texts(const og_lance__values *values, const uint32_t *firsts, uint32_t items,
                      og_buf *out)
{
    uint64_t width = values->wide_offsets ? 8 : 4, bits = width * 8;
    uint64_t start = (2 + (uint64_t)items + 1) * width, offset = 0;
    og_buf_append(out, &bits, (size_t)width);
    og_buf_append(out, &start, (size_t)width);
    og_buf_append(out, &offset, (size_t)width);
    for (uint32_t i = 0; i < items; i++) {
        offset += text_at(values, firsts[i]).len;
        og_buf_append(out, &offset, (size_t)width);
    }
    for (uint32_t i = 0; i < items; i++)
        og_buf_str(out, text_at(values, firsts[i]));
    return !out->failed;
}

/* firsts: where each item was first seen. The block stands in `raw` or `packed`;
 * items that are numbers stand in `raw` already. */
static og_status build_block(og_lance__encoder *encoder, const og_lance__values *values,
                             const uint32_t *firsts, uint32_t items, og_buf *raw, og_buf *packed,
                             og_lance__dict_block *out, og_error *err)
{
    size_t head = 0;
    og_buf_clear(raw);
    og_buf_clear(packed);
    if (is_text(values)) {
        head = ((size_t)items + 3) * (values->wide_offsets ? 8 : 4);
        if (!put_texts(values, firsts, items, raw))
            return og_error_nomem(err);
    } else {
        raw->len = items * sizeof(uint64_t); /* the table's numbers */
    }
    if (!og_lance__zstd_dict(encoder, raw->ptr, raw->len, head, packed))
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

/* A dictionary with its indices, and how these are going to be stored. */
typedef struct candidate {
    og_lance__dict_block block;
    og_lance__values indices;
    og_lance__plan plan;
    uint64_t bytes;
} candidate;

static og_status plan_indices(og_lance__encoder *encoder, const og_buf *indices, uint64_t count,
                              candidate *c, og_error *err)
{
    c->indices = (og_lance__values){
        .kind = OG_LANCE__FIXED,
        .width = sizeof(uint32_t),
        .data = indices->ptr,
        .count = count,
    };
    OG_TRY(og_lance__plan_values(encoder, &c->indices, &c->plan, &c->bytes, err));
    c->bytes += c->block.len;
    return OG_OK;
}

/* Reorder the items by their texts; the indices follow. */
static bool sort_items(og_lance__encoder *encoder, const og_lance__values *values, uint32_t items)
{
    const uint32_t *firsts = (const uint32_t *)encoder->dict_firsts.ptr;
    const uint32_t *indices = (const uint32_t *)encoder->dict_indices.ptr;
    og_buf_clear(&encoder->sorted_firsts);
    og_buf_clear(&encoder->sorted_indices);
    OG_AUTO_FREE uint32_t *order = og_reallocarray(NULL, (size_t)items * 2, sizeof *order);
    if (order == NULL || !og_lance__dict_order(values, firsts, items, order) ||
        !og_buf_reserve(&encoder->sorted_firsts, items * sizeof *firsts) ||
        !og_buf_reserve(&encoder->sorted_indices, (size_t)values->count * sizeof *indices))
        return false;
    uint32_t *new_firsts = (uint32_t *)encoder->sorted_firsts.ptr, *rank = order + items;
    for (uint32_t i = 0; i < items; i++) {
        new_firsts[i] = firsts[order[i]];
        rank[order[i]] = i;
    }
    uint32_t *new_indices = (uint32_t *)encoder->sorted_indices.ptr;
    for (uint64_t i = 0; i < values->count; i++)
        new_indices[i] = rank[indices[i]];
    return true;
}

/* Sorted texts take less, unless they share little; indices may take more, where texts that come
 * together were first seen together. */
static og_status use_sorted_if_smaller(og_lance__encoder *encoder, const og_lance__values *values,
                                       candidate *best, og_error *err)
{
    uint32_t items = best->block.items;
    candidate sorted;
    if (!sort_items(encoder, values, items))
        return og_error_nomem(err);
    OG_TRY(build_block(encoder, values, (const uint32_t *)encoder->sorted_firsts.ptr, items,
                       &encoder->sorted_raw, &encoder->sorted_block, &sorted.block, err));
    OG_TRY(plan_indices(encoder, &encoder->sorted_indices, values->count, &sorted, err));
    if (sorted.bytes < best->bytes)
        *best = sorted;
    return OG_OK;
}

og_status og_lance__dict_encode(og_lance__encoder *encoder, const og_lance__values *values,
                                const og_lance__plan *plan, uint64_t plan_bytes, bool *out_used,
                                og_lance__values *out_indices, og_lance__plan *out_plan,
                                og_lance__dict_block *out_dict, og_error *err)
{
    *out_used = false;
    bool may = values->kind == OG_LANCE__VARIABLE ||
               (values->kind == OG_LANCE__FIXED && values->width == 8 && values->list_size == 0);
    /* With a bit per value the indices alone would cost as much. */
    if (!may || values->count < MIN_VALUES || plan_bytes < values->count / 4)
        return OG_OK;
    bool hopeless;
    OG_TRY(looks_hopeless(encoder, values, plan, plan_bytes, &hopeless, err));
    if (hopeless)
        return OG_OK;
    uint32_t items = 0;
    OG_TRY(index_values(encoder, values, &items, err));
    if (items == 0)
        return OG_OK;
    candidate best;
    OG_TRY(build_block(encoder, values, (const uint32_t *)encoder->dict_firsts.ptr, items,
                       &encoder->dict_raw, &encoder->dict_block, &best.block, err));
    OG_TRY(plan_indices(encoder, &encoder->dict_indices, values->count, &best, err));
    if (is_text(values) && best.block.len >= SORT_MIN_BYTES)
        OG_TRY(use_sorted_if_smaller(encoder, values, &best, err));
    *out_dict = best.block;
    *out_indices = best.indices;
    *out_plan = best.plan;
    *out_used = best.bytes < DICT_GAIN(plan_bytes);
    return OG_OK;
}
