#include "columnar/builder_priv.h"

#include "columnar/float16.h"
#include "columnar/layout_priv.h"

#include <assert.h>

/* Buffers grow by doubling: a first block of this many rows (or bytes of text). */
#define FIRST_ROWS 64
#define FIRST_BYTES 1024

og_builder *og_builder_new(const og_type *type)
{
    OG_AUTO(og_builder) b = og_calloc(1, sizeof *b + type->child_count * sizeof(og_builder *));
    if (b == NULL)
        return NULL;
    b->type = type;
    b->id = type->id;
    b->width = (uint8_t)og_type_width(type->id);
    b->offset_width = (uint8_t)og_columnar__offset_width(type->id);
    b->children = (og_builder **)(b + 1);
    for (uint32_t i = 0; i < type->child_count; i++) {
        b->children[i] = og_builder_new(type->children[i].type);
        if (b->children[i] == NULL)
            return NULL;
    }
    return OG_TAKE(b);
}

static void drop_buffers(og_builder *b)
{
    og_free(b->validity);
    og_free(b->data);
    og_free(b->offsets);
    b->validity = b->data = NULL;
    b->offsets = NULL;
    b->length = b->null_count = b->capacity = 0;
    b->text_len = b->text_capacity = 0;
    b->failed = OG_OK;
}

void og_builder_free(og_builder *builder)
{
    if (builder == NULL)
        return;
    for (uint32_t i = 0; i < builder->type->child_count; i++)
        og_builder_free(builder->children[i]);
    drop_buffers(builder);
    og_free(builder);
}

int64_t og_builder_length(const og_builder *builder)
{
    return builder->length;
}

/* ---- room --------------------------------------------------------------------------------- */

bool og_columnar__builder_fail(og_builder *b, og_status status)
{
    if (b->failed == OG_OK)
        b->failed = status;
    return false;
}

/* A larger aligned block with the first `used` bytes of the old one, zeros behind when `clear`. */
static bool grow_block(void **block, size_t used, size_t size, bool clear)
{
    size_t padded = (size_t)og_align_up(size != 0 ? size : 1, 64);
    uint8_t *grown = og_malloc_aligned(padded);
    if (grown == NULL)
        return false;
    if (used > 0)
        memcpy(grown, *block, used);
    if (clear)
        memset(grown + used, 0, padded - used);
    og_free(*block);
    *block = grown;
    return true;
}

/* Buffers that did grow before a later one failed are merely larger than `capacity` says. */
static bool grow_rows_to(og_builder *b, int64_t capacity)
{
    size_t rows = (size_t)capacity, used = (size_t)b->length;
    if (b->width > 0) {
        if (!grow_block((void **)&b->data, used * b->width, rows * b->width, false))
            return false;
    } else if (b->id == OG_TYPE_BOOL) {
        if (!grow_block((void **)&b->data, og_bitmap_bytes(used), og_bitmap_bytes(rows), true))
            return false;
    }
    if (b->offset_width > 0) {
        bool first = b->offsets == NULL;
        size_t keep = first ? 0 : (used + 1) * b->offset_width;
        if (!grow_block(&b->offsets, keep, (rows + 1) * b->offset_width, first))
            return false;
    }
    if (b->validity != NULL &&
        !grow_block((void **)&b->validity, og_bitmap_bytes(used), og_bitmap_bytes(rows), true))
        return false;
    b->capacity = capacity;
    return true;
}

bool og_columnar__builder_grow_rows(og_builder *b, int64_t extra)
{
    if (b->failed != OG_OK)
        return false;
    /* Keeps every byte size below 2^62, so that the products above cannot wrap. */
    if (extra > (INT64_MAX >> 5) - b->length)
        return og_columnar__builder_fail(b, OG_NOMEM);
    int64_t capacity = b->capacity != 0 ? b->capacity * 2 : FIRST_ROWS;
    if (capacity < b->length + extra)
        capacity = (b->length + extra + 63) & ~(int64_t)63;
    return grow_rows_to(b, capacity) || og_columnar__builder_fail(b, OG_NOMEM);
}

bool og_columnar__builder_grow_text(og_builder *b, size_t extra)
{
    if (b->failed != OG_OK)
        return false;
    if (extra > (SIZE_MAX >> 2) - b->text_len)
        return og_columnar__builder_fail(b, OG_NOMEM);
    size_t need = b->text_len + extra;
    if (b->offset_width == 4 && need > INT32_MAX)
        return og_columnar__builder_fail(b, OG_LIMIT);
    size_t capacity = b->text_capacity != 0 ? b->text_capacity * 2 : FIRST_BYTES;
    if (capacity < need)
        capacity = (need + 63) & ~(size_t)63;
    if (!grow_block((void **)&b->data, b->text_len, capacity, false))
        return og_columnar__builder_fail(b, OG_NOMEM);
    b->text_capacity = capacity;
    return true;
}

bool og_builder_reserve(og_builder *builder, int64_t rows, int64_t bytes)
{
    return og_columnar__builder_make_rows(builder, rows) &&
           (!og_columnar__is_text(builder->id) ||
            og_columnar__builder_make_text(builder, (size_t)bytes));
}

bool og_columnar__builder_make_validity(og_builder *b)
{
    if (b->validity != NULL)
        return true;
    size_t used = (size_t)b->length;
    void *block = NULL;
    if (!grow_block(&block, 0, og_bitmap_bytes((size_t)b->capacity), true))
        return og_columnar__builder_fail(b, OG_NOMEM);
    b->validity = block;
    memset(b->validity, 0xFF, used >> 3);
    if ((used & 7) != 0)
        b->validity[used >> 3] = (uint8_t)((1u << (used & 7)) - 1);
    return true;
}

/* ---- one row ------------------------------------------------------------------------------ */

/* Ends the row at `length`, whose value is in place. */
static inline bool end_valid(og_builder *b)
{
    if (b->validity != NULL)
        og_bit_set(b->validity, (size_t)b->length);
    b->length++;
    return true;
}

void og_columnar__builder_set_bits(uint8_t *bits, int64_t start, int64_t count)
{
    int64_t i = start, end = start + count;
    for (; i < end && (i & 7) != 0; i++)
        og_bit_set(bits, (size_t)i);
    if (end - i >= 8) {
        memset(bits + (i >> 3), 0xFF, (size_t)((end - i) >> 3));
        i += (end - i) & ~(int64_t)7;
    }
    for (; i < end; i++)
        og_bit_set(bits, (size_t)i);
}

/* offsets[length + 1 ..] = the end of the text or of the child's items so far. */
static void repeat_offset(og_builder *b, int64_t count)
{
    int64_t at = b->length;
    if (b->offset_width == 4) {
        int32_t *o = b->offsets;
        for (int64_t i = 0; i < count; i++)
            o[at + 1 + i] = o[at];
    } else {
        int64_t *o = b->offsets;
        for (int64_t i = 0; i < count; i++)
            o[at + 1 + i] = o[at];
    }
}

/* `count` rows without a value of their own: null, or zeros and empty texts under a null list. */
static bool append_blank(og_builder *b, int64_t count, bool null)
{
    null = null || b->id == OG_TYPE_NULL;
    if (!og_columnar__builder_make_rows(b, count) ||
        (null && count > 0 && !og_columnar__builder_make_validity(b)))
        return false;
    for (uint32_t i = 0; i < b->type->child_count; i++) {
        int64_t items = 0;
        if (b->id == OG_TYPE_STRUCT)
            items = count;
        else if (b->id == OG_TYPE_FIXED_SIZE_LIST &&
                 og_mul_overflow(count, (int64_t)b->type->list_size, &items))
            return og_columnar__builder_fail(b, OG_NOMEM);
        /* Under a null list the items are valid zeros, so that the child needs no bitmap. */
        if (!append_blank(b->children[i], items, null && b->id == OG_TYPE_STRUCT))
            return og_columnar__builder_fail(b, b->children[i]->failed);
    }
    if (b->width > 0 && count > 0)
        memset(b->data + b->length * b->width, 0, (size_t)count * b->width);
    if (b->offset_width > 0)
        repeat_offset(b, count);
    if (null)
        b->null_count += count;
    else if (b->validity != NULL)
        og_columnar__builder_set_bits(b->validity, b->length, count);
    b->length += count;
    return true;
}

bool og_builder_null(og_builder *builder)
{
    return append_blank(builder, 1, true);
}

bool og_builder_nulls(og_builder *builder, int64_t count)
{
    return append_blank(builder, count, true);
}

bool og_builder_bool(og_builder *builder, bool value)
{
    og_builder *b = builder;
    assert(b->id == OG_TYPE_BOOL);
    if (!og_columnar__builder_make_rows(b, 1))
        return false;
    if (value)
        og_bit_set(b->data, (size_t)b->length);
    return end_valid(b);
}

/* The low bytes of `value` are the value in any narrower integer type. */
static inline void put_integer(og_builder *b, uint64_t value)
{
    size_t at = (size_t)b->length;
    switch (b->width) {
    case 1:
        b->data[at] = (uint8_t)value;
        break;
    case 2:
        ((uint16_t *)b->data)[at] = (uint16_t)value;
        break;
    case 4:
        ((uint32_t *)b->data)[at] = (uint32_t)value;
        break;
    default:
        ((uint64_t *)b->data)[at] = value;
        break;
    }
}

bool og_builder_i64(og_builder *builder, int64_t value)
{
    og_builder *b = builder;
    assert(b->id == OG_TYPE_I64 || b->id == OG_TYPE_I32 || b->id == OG_TYPE_I16 ||
           b->id == OG_TYPE_I8 || b->id == OG_TYPE_DATE32 || b->id == OG_TYPE_DATE64 ||
           b->id == OG_TYPE_TIMESTAMP_US);
    assert(b->width == 8 || value >> (8 * b->width - 1) == value >> 63);
    if (!og_columnar__builder_make_rows(b, 1))
        return false;
    put_integer(b, (uint64_t)value);
    return end_valid(b);
}

bool og_builder_u64(og_builder *builder, uint64_t value)
{
    og_builder *b = builder;
    assert(b->id == OG_TYPE_U64 || b->id == OG_TYPE_U32 || b->id == OG_TYPE_U16 ||
           b->id == OG_TYPE_U8);
    assert(b->width == 8 || value >> (8 * b->width) == 0);
    if (!og_columnar__builder_make_rows(b, 1))
        return false;
    put_integer(b, value);
    return end_valid(b);
}

bool og_builder_f64(og_builder *builder, double value)
{
    og_builder *b = builder;
    if (!og_columnar__builder_make_rows(b, 1))
        return false;
    switch (b->id) {
    case OG_TYPE_F64:
        ((double *)b->data)[b->length] = value;
        break;
    case OG_TYPE_F32:
        ((float *)b->data)[b->length] = (float)value;
        break;
    default:
        assert(b->id == OG_TYPE_F16);
        ((uint16_t *)b->data)[b->length] = og_f16_from_f64(value);
        break;
    }
    return end_valid(b);
}

bool og_builder_str(og_builder *builder, og_str value)
{
    og_builder *b = builder;
    assert(og_columnar__is_text(b->id));
    if (!og_columnar__builder_make_rows(b, 1) || !og_columnar__builder_make_text(b, value.len))
        return false;
    if (value.len > 0)
        memcpy(b->data + b->text_len, value.ptr, value.len);
    b->text_len += value.len;
    if (b->offset_width == 4)
        ((int32_t *)b->offsets)[b->length + 1] = (int32_t)b->text_len;
    else
        ((int64_t *)b->offsets)[b->length + 1] = (int64_t)b->text_len;
    return end_valid(b);
}

og_builder *og_builder_child(og_builder *builder, uint32_t index)
{
    assert(index < builder->type->child_count);
    return builder->children[index];
}

bool og_builder_end_row(og_builder *builder)
{
    og_builder *b = builder;
    assert(og_columnar__is_nested(b->id));
    /* A child that failed has lost items: this row, and with it the column, is lost too. */
    for (uint32_t i = 0; i < b->type->child_count; i++) {
        if (b->children[i]->failed != OG_OK)
            return og_columnar__builder_fail(b, b->children[i]->failed);
    }
    if (!og_columnar__builder_make_rows(b, 1))
        return false;
    int64_t items = b->type->child_count > 0 ? b->children[0]->length : 0;
    if (b->id == OG_TYPE_FIXED_SIZE_LIST) {
        assert(items == (b->length + 1) * b->type->list_size);
    } else if (b->id == OG_TYPE_STRUCT) {
        for (uint32_t i = 0; i < b->type->child_count; i++)
            assert(b->children[i]->length == b->length + 1);
    } else if (b->offset_width == 4) {
        if (items > INT32_MAX)
            return og_columnar__builder_fail(b, OG_LIMIT);
        ((int32_t *)b->offsets)[b->length + 1] = (int32_t)items;
    } else {
        ((int64_t *)b->offsets)[b->length + 1] = items;
    }
    return end_valid(b);
}

/* ---- finish ------------------------------------------------------------------------------- */

static og_status first_failure(const og_builder *b)
{
    og_status status = b->failed;
    for (uint32_t i = 0; i < b->type->child_count && status == OG_OK; i++)
        status = first_failure(b->children[i]);
    return status;
}

static void reset(og_builder *b)
{
    for (uint32_t i = 0; i < b->type->child_count; i++)
        reset(b->children[i]);
    drop_buffers(b);
}

static og_array *take_array(og_builder *b)
{
    /* Also gives an empty column the buffers that its type has. */
    if (b->capacity == 0 && !og_columnar__builder_grow_rows(b, 1))
        return NULL;
    if (og_columnar__is_text(b->id) && b->data == NULL && !og_columnar__builder_grow_text(b, 1))
        return NULL;
    OG_AUTO(og_array) a = og_array_new(b->type, b->length);
    if (a == NULL)
        return NULL;
    for (uint32_t i = 0; i < b->type->child_count; i++) {
        a->children[i] = take_array(b->children[i]);
        if (a->children[i] == NULL)
            return NULL;
    }
    a->null_count = b->null_count;
    a->data = a->owned[0] = OG_TAKE(b->data);
    a->offsets = a->owned[1] = OG_TAKE(b->offsets);
    a->validity = a->owned[2] = OG_TAKE(b->validity);
    return OG_TAKE(a);
}

og_status og_builder_finish(og_builder *builder, og_array **out, og_error *err)
{
    og_status failed = first_failure(builder);
    og_array *array = failed == OG_OK ? take_array(builder) : NULL;
    reset(builder);
    if (failed == OG_LIMIT)
        return og_error_set(err, OG_LIMIT, "column chunk is larger than 2 GiB");
    if (array == NULL)
        return og_error_nomem(err);
    *out = array;
    return OG_OK;
}
