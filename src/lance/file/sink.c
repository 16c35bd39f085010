#include "lance/file/sink_priv.h"

#include <inttypes.h>

/* Smallest allocation of a growing buffer, in items or bytes. */
enum { FIRST_CAP = 64 };

/* The next capacity: exact at first, doubling later. False on overflow. */
static bool next_cap(uint64_t have, uint64_t need, uint64_t *out)
{
    uint64_t doubled = have * 2;
    if (need > (uint64_t)INT64_MAX / 2)
        return false;
    *out = doubled > need ? doubled : need < FIRST_CAP ? FIRST_CAP : need;
    return true;
}

/* ---- validity ----------------------------------------------------------------------------- */

/* Room for `count` more slots; bits behind v->count are zero. */
static og_status validity_grow(og_lance__validity *v, uint64_t count, og_error *err)
{
    if (v->bits != NULL && count <= v->cap - v->count)
        return OG_OK;
    uint64_t cap;
    if (!next_cap(v->bits != NULL ? v->cap : 0, v->count + count, &cap))
        return og_error_nomem(err);
    cap = og_align_up(cap, 64);
    uint8_t *bits = og_realloc(v->bits, cap / 8);
    if (bits == NULL)
        return og_error_nomem(err);
    size_t used = v->bits != NULL ? og_bitmap_bytes(v->count) : 0;
    memset(bits + used, 0, cap / 8 - used);
    v->bits = bits;
    v->cap = cap;
    return OG_OK;
}

static void set_range(uint8_t *bits, uint64_t start, uint64_t count)
{
    uint64_t i = start, end = start + count;
    for (; i < end && (i & 7) != 0; i++)
        og_bit_set(bits, i);
    if (i < end) {
        memset(bits + i / 8, 0xff, (end - i) / 8);
        for (i += (end - i) & ~(uint64_t)7; i < end; i++)
            og_bit_set(bits, i);
    }
}

/* The bitmap begins to exist: all slots so far are valid. */
static og_status validity_start(og_lance__validity *v, uint64_t more, og_error *err)
{
    bool fresh = v->bits == NULL;
    OG_TRY(validity_grow(v, more, err));
    if (fresh)
        set_range(v->bits, 0, v->count);
    return OG_OK;
}

og_status og_lance__validity_fill(og_lance__validity *v, bool valid, uint64_t count, og_error *err)
{
    if (!valid || v->bits != NULL)
        OG_TRY(validity_start(v, count, err));
    if (valid && v->bits != NULL)
        set_range(v->bits, v->count, count);
    v->count += count;
    v->nulls += valid ? 0 : count;
    return OG_OK;
}

static bool any_above(const uint16_t *def, uint64_t count, uint16_t max_valid)
{
    uint16_t above = 0;
    for (uint64_t i = 0; i < count; i++)
        above |= (uint16_t)(def[i] > max_valid);
    return above != 0;
}

og_status og_lance__validity_levels(og_lance__validity *v, const uint16_t *def, uint64_t count,
                                    uint16_t max_valid, og_error *err)
{
    if (!any_above(def, count, max_valid))
        return og_lance__validity_fill(v, true, count, err);
    OG_TRY(validity_start(v, count, err));
    uint64_t i = 0, at = v->count, valid = 0;
    for (; i < count && (at & 7) != 0; i++, at++) {
        unsigned bit = def[i] <= max_valid;
        v->bits[at >> 3] |= (uint8_t)(bit << (at & 7));
        valid += bit;
    }
    for (; i + 8 <= count; i += 8, at += 8) {
        unsigned byte = 0;
        for (unsigned k = 0; k < 8; k++)
            byte |= (unsigned)(def[i + k] <= max_valid) << k;
        v->bits[at >> 3] = (uint8_t)byte;
        valid += (unsigned)__builtin_popcount(byte);
    }
    for (; i < count; i++, at++) {
        unsigned bit = def[i] <= max_valid;
        v->bits[at >> 3] |= (uint8_t)(bit << (at & 7));
        valid += bit;
    }
    v->count += count;
    v->nulls += count - valid;
    return OG_OK;
}

og_status og_lance__validity_bits(og_lance__validity *v, const uint8_t *bits, uint64_t offset,
                                  uint64_t count, og_error *err)
{
    OG_TRY(validity_start(v, count, err));
    og_bitmap_copy(v->bits, v->count, bits, offset, count);
    for (uint64_t i = 0; i < count; i++)
        v->nulls += !og_bit_get(bits, offset + i);
    v->count += count;
    return OG_OK;
}

void og_lance__validity_move(og_lance__validity *v, og_array *array)
{
    if (v->nulls > 0) {
        array->validity = array->owned[2] = v->bits;
        array->null_count = (int64_t)v->nulls;
        v->bits = NULL;
    }
    og_lance__validity_deinit(v);
}

/* ---- making and freeing ------------------------------------------------------------------- */

void og_lance__sink_init_fixed(og_lance__sink *sink, uint32_t bits)
{
    *sink = (og_lance__sink){
        .kind = OG_LANCE__FIXED, .value_bytes = bits / 8, .list_size = 1, .item_bytes = bits / 8};
}

void og_lance__sink_init_bytes(og_lance__sink *sink, bool large)
{
    *sink = (og_lance__sink){.kind = OG_LANCE__BYTES, .large = large};
}

static og_status unsupported_type(const og_type *type, og_error *err)
{
    char name[128];
    og_type_name(type, name, sizeof name);
    return og_error_set(err, OG_UNSUPPORTED, "a column of type %s cannot be read", name);
}

static void init_bits(og_lance__sink *sink)
{
    *sink = (og_lance__sink){.kind = OG_LANCE__BITS, .list_size = 1};
}

static og_status init_fixed_list(og_lance__sink *sink, const og_type *type, og_error *err)
{
    og_lance__list_shape shape = {0};
    uint64_t size = 1;
    const og_type *item = type;
    for (; item->id == OG_TYPE_FIXED_SIZE_LIST; item = item->children[0].type) {
        if (shape.depth == OG_LANCE__MAX_DIMS || item->list_size <= 0 ||
            (uint64_t)item->list_size > INT32_MAX / size)
            return unsupported_type(type, err);
        shape.dims[shape.depth++] = (uint32_t)item->list_size;
        size *= (uint64_t)item->list_size;
    }
    size_t width = og_type_width(item->id);
    if (width == 0 && item->id != OG_TYPE_BOOL)
        return unsupported_type(type, err);
    if (item->id == OG_TYPE_BOOL)
        init_bits(sink);
    else
        og_lance__sink_init_fixed(sink, (uint32_t)width * 8);
    sink->list_size = (uint32_t)size;
    sink->item_bytes = width * size;
    sink->lists = og_malloc(sizeof *sink->lists);
    if (sink->lists == NULL)
        return og_error_nomem(err);
    *sink->lists = shape;
    return OG_OK;
}

static og_status init_record(og_lance__sink *sink, const og_type *type, og_error *err)
{
    *sink = (og_lance__sink){.kind = OG_LANCE__RECORD};
    sink->children = og_calloc(type->child_count, sizeof *sink->children);
    if (sink->children == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < type->child_count; i++) {
        OG_TRY(og_lance__sink_init(&sink->children[i], type->children[i].type, err));
        sink->child_count++;
    }
    return OG_OK;
}

og_status og_lance__sink_init(og_lance__sink *sink, const og_type *type, og_error *err)
{
    switch (type->id) {
    case OG_TYPE_BOOL:
        init_bits(sink);
        return OG_OK;
    case OG_TYPE_NULL:
        *sink = (og_lance__sink){.kind = OG_LANCE__NOTHING};
        return OG_OK;
    case OG_TYPE_UTF8:
    case OG_TYPE_BINARY:
        og_lance__sink_init_bytes(sink, false);
        return OG_OK;
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_LARGE_BINARY:
        og_lance__sink_init_bytes(sink, true);
        return OG_OK;
    case OG_TYPE_FIXED_SIZE_LIST:
        return init_fixed_list(sink, type, err);
    case OG_TYPE_STRUCT:
        return init_record(sink, type, err);
    default:
        if (og_type_width(type->id) == 0)
            return unsupported_type(type, err);
        og_lance__sink_init_fixed(sink, (uint32_t)og_type_width(type->id) * 8);
        return OG_OK;
    }
}

void og_lance__sink_deinit(og_lance__sink *sink)
{
    for (uint32_t i = 0; i < sink->child_count; i++)
        og_lance__sink_deinit(&sink->children[i]);
    og_free(sink->children);
    og_free(sink->data);
    og_free(sink->offsets);
    for (uint32_t i = 0; sink->lists != NULL && i < sink->lists->depth; i++)
        og_lance__validity_deinit(&sink->lists->validity[i]);
    og_free(sink->lists);
    *sink = (og_lance__sink){0};
}

size_t og_lance__sink_memory(const og_lance__sink *sink)
{
    switch (sink->kind) {
    case OG_LANCE__BITS:
        return og_bitmap_bytes(sink->cap * sink->list_size);
    case OG_LANCE__FIXED:
        return sink->cap * sink->item_bytes;
    case OG_LANCE__BYTES:
        return sink->data_cap + (sink->cap + 1) * (sink->large ? 8 : 4);
    default:
        return 0;
    }
}

/* ---- growing ------------------------------------------------------------------------------ */

/* Bytes of the item buffer (offsets or data) for `cap` items; false on overflow. */
static bool buffer_bytes(const og_lance__sink *sink, uint64_t cap, size_t *out)
{
    switch (sink->kind) {
    case OG_LANCE__BITS:
        if (cap > INT64_MAX / sink->list_size)
            return false;
        *out = og_align_up(cap * sink->list_size, 64) / 8;
        return true;
    case OG_LANCE__FIXED:
        return !og_mul_overflow(cap, sink->item_bytes, out);
    default:
        return !og_mul_overflow(cap + 1, sink->large ? 8u : 4u, out);
    }
}

og_status og_lance__sink_grow(og_lance__sink *sink, uint64_t items, og_error *err)
{
    uint64_t cap;
    if (items > INT64_MAX || !next_cap(sink->cap, sink->count + items, &cap))
        return og_error_nomem(err);
    if (sink->kind == OG_LANCE__RECORD) {
        for (uint32_t i = 0; i < sink->child_count; i++)
            OG_TRY(og_lance__sink_reserve(&sink->children[i], items, err));
        sink->cap = cap;
        return OG_OK;
    }
    if (sink->kind == OG_LANCE__NOTHING) {
        sink->cap = cap;
        return OG_OK;
    }
    void **buffer = sink->kind == OG_LANCE__BYTES ? &sink->offsets : (void **)&sink->data;
    size_t size, used = 0;
    if (!buffer_bytes(sink, cap, &size))
        return og_error_nomem(err);
    void *grown = og_realloc(*buffer, size);
    if (grown == NULL)
        return og_error_nomem(err);
    if (*buffer == NULL && sink->kind == OG_LANCE__BYTES)
        memset(grown, 0, sink->large ? 8 : 4);
    if (sink->kind == OG_LANCE__BITS) {
        /* Bits are set one by one: those not yet written must be zero. */
        used = og_bitmap_bytes(sink->count * sink->list_size);
        memset((uint8_t *)grown + used, 0, size - used);
    }
    *buffer = grown;
    sink->cap = cap;
    /* Text without a byte has data too, so that pointers into it may be formed. */
    return sink->kind == OG_LANCE__BYTES && sink->data == NULL
               ? og_lance__sink_grow_data(sink, 1, err)
               : OG_OK;
}

og_status og_lance__sink_grow_data(og_lance__sink *sink, size_t bytes, og_error *err)
{
    uint64_t cap;
    if (bytes > INT64_MAX || !next_cap(sink->data_cap, (uint64_t)sink->data_len + bytes, &cap))
        return og_error_nomem(err);
    uint8_t *grown = og_realloc(sink->data, cap);
    if (grown == NULL)
        return og_error_nomem(err);
    sink->data = grown;
    sink->data_cap = cap;
    return OG_OK;
}

/* ---- appending ---------------------------------------------------------------------------- */

/* The items of `count` fixed-size lists that are about to be appended are all valid. Does nothing
 * for other kinds of items. */
static og_status items_valid(og_lance__sink *sink, uint64_t count, og_error *err)
{
    uint64_t size = 1;
    for (uint32_t i = 0; sink->lists != NULL && i < sink->lists->depth; i++) {
        og_lance__validity *validity = &sink->lists->validity[i];
        size *= sink->lists->dims[i];
        if (validity->count > 0)
            OG_TRY(og_lance__validity_fill(validity, true, count * size, err));
    }
    return OG_OK;
}

og_status og_lance__sink_numbers(og_lance__sink *sink, uint32_t bits, uint64_t items,
                                 const char *encoding, uint8_t **dst, og_error *err)
{
    if (sink->kind != OG_LANCE__FIXED || sink->item_bytes != bits / 8 || bits % 8 != 0)
        return og_error_set(err, OG_CORRUPT,
                            "%s of %" PRIu32 " bits does not fit the column's type", encoding,
                            bits);
    /* One at least, so that there is a place to point to also for a page of nulls alone. */
    OG_TRY(og_lance__sink_reserve(sink, items > 0 ? items : 1, err));
    OG_TRY(items_valid(sink, items, err));
    *dst = sink->data + sink->count * sink->item_bytes;
    sink->count += items;
    return OG_OK;
}

static og_status too_much_text(og_error *err)
{
    return og_error_set(err, OG_LIMIT, "more than 2 GiB of text in one batch");
}

og_status og_lance__sink_reserve_text(og_lance__sink *sink, uint64_t bytes, og_error *err)
{
    if (!sink->large && bytes > (uint64_t)INT32_MAX - sink->data_len)
        return too_much_text(err);
    return og_lance__sink_reserve_data(sink, bytes, err);
}

og_status og_lance__sink_check_data(const og_lance__sink *sink, og_error *err)
{
    return sink->large || sink->data_len <= INT32_MAX ? OG_OK : too_much_text(err);
}

og_status og_lance__sink_text(og_lance__sink *sink, og_bytes text, og_error *err)
{
    if (sink->kind != OG_LANCE__BYTES)
        return og_error_set(err, OG_CORRUPT, "byte strings do not fit the column's type");
    OG_TRY(og_lance__sink_reserve(sink, 1, err));
    OG_TRY(og_lance__sink_reserve_data(sink, text.len, err));
    if (text.len > 0)
        memcpy(sink->data + sink->data_len, text.ptr, text.len);
    sink->data_len += text.len;
    OG_TRY(og_lance__sink_check_data(sink, err));
    og_lance__sink_end_item(sink);
    return OG_OK;
}

og_status og_lance__sink_empty(og_lance__sink *sink, uint64_t items, og_error *err)
{
    OG_TRY(og_lance__sink_reserve(sink, items, err));
    OG_TRY(items_valid(sink, items, err));
    switch (sink->kind) {
    case OG_LANCE__BITS: /* zero already */
    case OG_LANCE__NOTHING:
        break;
    case OG_LANCE__FIXED:
        if (items > 0)
            memset(sink->data + sink->count * sink->item_bytes, 0, items * sink->item_bytes);
        break;
    case OG_LANCE__BYTES:
        for (uint64_t i = 0; i < items; i++)
            og_lance__sink_end_item(sink);
        return OG_OK;
    case OG_LANCE__RECORD:
        for (uint32_t i = 0; i < sink->child_count; i++)
            OG_TRY(og_lance__sink_empty(&sink->children[i], items, err));
        break;
    }
    sink->count += items;
    return OG_OK;
}

/* ---- to arrays ---------------------------------------------------------------------------- */

static bool is_ascii(const uint8_t *text, size_t len)
{
    uint8_t high = 0;
    for (size_t i = 0; i < len; i++)
        high |= text[i];
    return high < 0x80;
}

/* Text is checked once as a whole: when all of it is well formed and no item starts inside a code
 * point, each item is. */
static og_status check_utf8(const og_lance__sink *sink, og_error *err)
{
    if (is_ascii(sink->data, sink->data_len))
        return OG_OK;
    if (!og_utf8_valid((og_str){(const char *)sink->data, sink->data_len}, NULL))
        return og_error_set(err, OG_CORRUPT, "malformed UTF-8 in a text value");
    for (uint64_t i = 0; i < sink->count; i++) {
        size_t start = sink->large ? (size_t)((const int64_t *)sink->offsets)[i]
                                   : (size_t)((const int32_t *)sink->offsets)[i];
        if (start < sink->data_len && (sink->data[start] & 0xc0) == 0x80)
            return og_error_set(err, OG_CORRUPT, "a text value starts inside a character");
    }
    return OG_OK;
}

static og_status bytes_array(og_lance__sink *sink, const og_type *type, og_array *array,
                             og_error *err)
{
    OG_TRY(og_lance__sink_check_data(sink, err));
    if (type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_LARGE_UTF8)
        OG_TRY(check_utf8(sink, err));
    if (sink->offsets == NULL)
        OG_TRY(og_lance__sink_grow(sink, 0, err)); /* no rows have an offset too */
    array->data = array->owned[0] = OG_TAKE(sink->data);
    array->offsets = array->owned[1] = OG_TAKE(sink->offsets);
    return OG_OK;
}

static og_status list_array(og_lance__sink *sink, og_array *array, og_error *err)
{
    for (uint32_t level = 0; level < sink->lists->depth; level++) {
        const og_type *child = array->type->children[0].type;
        og_array *items = og_array_new(child, array->length * array->type->list_size);
        if (items == NULL)
            return og_error_nomem(err);
        array->children[0] = items;
        if (sink->lists->validity[level].count > 0)
            og_lance__validity_move(&sink->lists->validity[level], items);
        array = items;
    }
    array->data = array->owned[0] = OG_TAKE(sink->data);
    return OG_OK;
}

static og_status fill_array(og_lance__sink *sink, const og_type *type, og_array *array,
                            og_error *err)
{
    switch (sink->kind) {
    case OG_LANCE__BYTES:
        return bytes_array(sink, type, array, err);
    case OG_LANCE__RECORD:
        for (uint32_t i = 0; i < sink->child_count; i++)
            OG_TRY(og_lance__sink_array(&sink->children[i], type->children[i].type,
                                        &array->children[i], err));
        return OG_OK;
    case OG_LANCE__NOTHING:
        return OG_OK;
    default:
        if (sink->data == NULL)
            OG_TRY(og_lance__sink_grow(sink, 1, err));
        if (sink->lists != NULL)
            return list_array(sink, array, err);
        array->data = array->owned[0] = OG_TAKE(sink->data);
        return OG_OK;
    }
}

og_status og_lance__sink_array(og_lance__sink *sink, const og_type *type, og_array **out,
                               og_error *err)
{
    OG_AUTO(og_array) array = og_array_new(type, (int64_t)sink->count);
    if (array == NULL)
        return og_error_nomem(err);
    OG_TRY(fill_array(sink, type, array, err));
    og_lance__sink_deinit(sink);
    *out = OG_TAKE(array);
    return OG_OK;
}
