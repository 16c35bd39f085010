/* Codecs of values made of several: fixed-size lists, packed structs. */
#include "lance/file/codec_priv.h"

#include <inttypes.h>

/* ---- FixedSizeList ------------------------------------------------------------------------ */

/* The largest list, in bits: no row of Arrow memory is larger. */
#define MAX_LIST_BITS ((uint64_t)INT32_MAX * 8)

static og_status unsupported_list(const og_lance__codec *codec, og_error *err)
{
    return og_error_set(err, OG_UNSUPPORTED,
                        "FixedSizeList, %" PRIu32 " deep, of values of %" PRIu32 " bits",
                        codec->depth, codec->bits);
}

static og_status fixed_list_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                                 og_lance__place place, og_error *err)
{
    const Og__Lance__File__FixedSizeList *m = NULL;
    uint64_t size = 1;
    size_t head = 0;
    for (;
         encoding != NULL && encoding->compression_case ==
                                 OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FIXED_SIZE_LIST;
         encoding = m->values) {
        m = encoding->fixed_size_list;
        if (codec->depth == OG_LANCE__MAX_DIMS || m->items_per_value == 0 ||
            m->items_per_value > INT32_MAX / size)
            return unsupported_list(codec, err);
        size *= m->items_per_value;
        codec->dims[codec->depth] = (uint32_t)m->items_per_value;
        if (m->has_validity) {
            codec->validity |= 1u << codec->depth;
            codec->buffer_count++;
            head += og_bitmap_bytes(size);
        }
        codec->depth++;
    }
    OG_TRY(og_lance__flat_bits(encoding, "FixedSizeList", &codec->bits, err));
    bool fits = codec->bits == 1 || (codec->bits % 8 == 0 && codec->bits != 0);
    codec->list_size = (uint32_t)size;
    codec->list_bits = size * codec->bits;
    if (!fits || codec->list_bits > MAX_LIST_BITS ||
        (place == OG_LANCE__ROW_FIXED && codec->list_bits % 8 != 0))
        return unsupported_list(codec, err);
    codec->buffer_count++;
    codec->row_bytes = head + (size_t)(codec->list_bits / 8);
    return OG_OK;
}

static uint64_t sink_bits(const og_lance__sink *sink)
{
    return sink->kind == OG_LANCE__BITS    ? sink->list_size
           : sink->kind == OG_LANCE__FIXED ? (uint64_t)sink->item_bytes * 8
                                           : 0;
}

/* The lists of the encoding are the outer ones of the column's type:
 * the innermost of those may be what is a number here. */
static og_status check_list_sink(const og_lance__codec *codec, const og_lance__sink *sink,
                                 og_error *err)
{
    bool fits = sink_bits(sink) == codec->list_bits && sink->lists != NULL &&
                codec->depth <= sink->lists->depth;
    for (uint32_t i = 0; fits && i < codec->depth; i++)
        fits = sink->lists->dims[i] == codec->dims[i];
    if (!fits)
        return og_error_set(err, OG_CORRUPT,
                            "FixedSizeList of %" PRIu32 " values of %" PRIu32
                            " bits does not fit the column's type",
                            codec->list_size, codec->bits);
    return OG_OK;
}

/* Append the validity of `size` items of each picked list, at one level; list i's begin at bit
 * i * size of `bits`, or with `stride` at byte i * stride. Pages without null items leave the level
 * alone until another page has some. */
static og_status append_validity(og_lance__sink *sink, og_lance__validity *to, const uint8_t *bits,
                                 size_t stride, uint64_t size, const og_lance__pick *pick,
                                 og_error *err)
{
    OG_TRY(og_lance__validity_fill(to, true, sink->count * size - to->count, err));
    for (uint64_t i = 0; i < pick->count; i++) {
        uint64_t at = og_lance__pick_at(pick, i);
        OG_TRY(stride == 0 ? og_lance__validity_bits(to, bits, at * size, size, err)
                           : og_lance__validity_bits(to, bits + at * stride, 0, size, err));
    }
    return OG_OK;
}

/* Of all levels. Bitmaps in buffers of their own, or (buffers NULL) at the head of each row. */
static og_status append_validities(const og_lance__codec *codec, const og_bytes *buffers,
                                   const uint8_t *rows, size_t stride, const og_lance__pick *pick,
                                   og_lance__sink *sink, og_error *err)
{
    uint64_t size = 1;
    for (uint32_t level = 0; level < sink->lists->depth; level++) {
        og_lance__validity *to = &sink->lists->validity[level];
        size *= sink->lists->dims[level];
        if ((codec->validity >> level & 1) == 0) {
            if (to->count > 0)
                OG_TRY(og_lance__validity_fill(to, true, pick->count * size, err));
        } else if (buffers != NULL) {
            OG_TRY(append_validity(sink, to, (buffers++)->ptr, 0, size, pick, err));
        } else {
            OG_TRY(append_validity(sink, to, rows, stride, size, pick, err));
            rows += og_bitmap_bytes(size);
        }
    }
    return OG_OK;
}

static og_status check_list_buffers(const og_lance__codec *codec, const og_bytes *buffers,
                                    uint64_t items, og_error *err)
{
    og_bytes data = buffers[codec->buffer_count - 1];
    bool enough = items <= (uint64_t)data.len * 8 / codec->list_bits;
    uint64_t size = 1;
    for (uint32_t level = 0; enough && level < codec->depth; level++) {
        size *= codec->dims[level];
        if (codec->validity >> level & 1)
            enough = items <= (uint64_t)(buffers++)->len * 8 / size;
    }
    if (!enough)
        return og_error_set(err, OG_CORRUPT,
                            "FixedSizeList: %zu bytes are too few for %" PRIu64 " lists", data.len,
                            items);
    return OG_OK;
}

/* Items of `width` bytes, `stride` apart. */
static void copy_items(const uint8_t *from, size_t stride, size_t width, const og_lance__pick *pick,
                       uint8_t *dst)
{
    if (pick->items == NULL && stride == width) {
        if (pick->count > 0)
            memcpy(dst, from + pick->start * width, pick->count * width);
        return;
    }
    for (uint64_t i = 0; i < pick->count; i++)
        memcpy(dst + i * width, from + og_lance__pick_at(pick, i) * stride, width);
}

/* Lists of booleans, `stride` bits apart. */
static void copy_bits(const uint8_t *from, uint64_t stride, const og_lance__pick *pick,
                      og_lance__sink *sink)
{
    const uint64_t size = sink->list_size;
    for (uint64_t i = 0; i < pick->count; i++)
        og_bitmap_copy(sink->data, (sink->count + i) * size, from,
                       og_lance__pick_at(pick, i) * stride, size);
}

/* Buffers: validity of the items of each level that has it, then the items. */
static og_status fixed_list_chunk(const og_lance__codec *codec, const og_bytes *buffers,
                                  uint64_t items, const og_lance__pick *pick, og_lance__sink *sink,
                                  og_error *err)
{
    OG_TRY(check_list_sink(codec, sink, err));
    OG_TRY(check_list_buffers(codec, buffers, items, err));
    OG_TRY(og_lance__sink_reserve(sink, pick->count, err));
    const uint8_t *data = buffers[codec->buffer_count - 1].ptr;
    if (sink->kind == OG_LANCE__BITS)
        copy_bits(data, sink->list_size, pick, sink);
    else
        copy_items(data, sink->item_bytes, sink->item_bytes, pick,
                   sink->data + sink->count * sink->item_bytes);
    OG_TRY(append_validities(codec, buffers, NULL, 0, pick, sink, err));
    sink->count += pick->count;
    return OG_OK;
}

/* A row: validity bits of the items of each level that has it, then the items. */
static og_status fixed_list_fixed(const og_lance__codec *codec, const uint8_t *first, size_t stride,
                                  const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    OG_TRY(check_list_sink(codec, sink, err));
    OG_TRY(og_lance__sink_reserve(sink, pick->count, err));
    const uint8_t *items = first + (codec->row_bytes - (size_t)(codec->list_bits / 8));
    if (sink->kind == OG_LANCE__BITS)
        copy_bits(items, (uint64_t)stride * 8, pick, sink);
    else
        copy_items(items, stride, sink->item_bytes, pick,
                   sink->data + sink->count * sink->item_bytes);
    OG_TRY(append_validities(codec, NULL, first, stride, pick, sink, err));
    sink->count += pick->count;
    return OG_OK;
}

const og_lance__codec_ops og_lance__fixed_list_ops = {
    .name = "FixedSizeList",
    .open = fixed_list_open,
    .chunk = fixed_list_chunk,
    .fixed = fixed_list_fixed,
};

/* ---- PackedStruct ------------------------------------------------------------------------- */

static og_status fixed_struct_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                                   og_lance__place place, og_error *err)
{
    (void)place;
    const Og__Lance__File__PackedStruct *m = encoding->packed_struct;
    uint32_t row_bits;
    OG_TRY(og_lance__flat_bits(m->values, "PackedStruct", &row_bits, err));
    codec->fields = og_calloc(m->n_bits_per_value, sizeof *codec->fields);
    if (codec->fields == NULL)
        return og_error_nomem(err);
    uint64_t left = row_bits;
    for (size_t i = 0; i < m->n_bits_per_value; i++) {
        uint64_t bits = m->bits_per_value[i];
        if (bits == 0 || bits % 8 != 0)
            return og_error_set(err, OG_UNSUPPORTED,
                                "PackedStruct with a field of %" PRIu64 " bits", bits);
        if (bits > left)
            break;
        left -= bits;
        codec->fields[codec->field_count++].bytes = (uint32_t)(bits / 8);
    }
    if (codec->field_count != m->n_bits_per_value || left != 0 || row_bits == 0)
        return og_error_set(err, OG_CORRUPT,
                            "PackedStruct: the fields are not the %" PRIu32 " bits of a row",
                            row_bits);
    codec->buffer_count = 1;
    codec->row_bytes = row_bits / 8;
    return OG_OK;
}

static og_status bad_struct(const og_lance__codec *codec, og_error *err)
{
    return og_error_set(err, OG_CORRUPT,
                        "a packed struct of %" PRIu32 " fields does not fit the column's type",
                        codec->field_count);
}

/* Rows of all fields, one after the other. */
static og_status fixed_struct_fixed(const og_lance__codec *codec, const uint8_t *first,
                                    size_t stride, const og_lance__pick *pick, og_lance__sink *sink,
                                    og_error *err)
{
    if (sink->kind != OG_LANCE__RECORD || sink->child_count != codec->field_count)
        return bad_struct(codec, err);
    OG_TRY(og_lance__sink_reserve(sink, pick->count, err));
    for (uint32_t i = 0; i < codec->field_count; i++) {
        const uint32_t width = codec->fields[i].bytes;
        uint8_t *dst;
        OG_TRY(og_lance__sink_numbers(&sink->children[i], width * 8, pick->count, "PackedStruct",
                                      &dst, err));
        copy_items(first, stride, width, pick, dst);
        first += width;
    }
    sink->count += pick->count;
    return OG_OK;
}

static og_status fixed_struct_chunk(const og_lance__codec *codec, const og_bytes *buffers,
                                    uint64_t items, const og_lance__pick *pick,
                                    og_lance__sink *sink, og_error *err)
{
    if (items > buffers[0].len / codec->row_bytes)
        return og_error_set(err, OG_CORRUPT,
                            "PackedStruct: %zu bytes are too few for %" PRIu64 " rows",
                            buffers[0].len, items);
    return fixed_struct_fixed(codec, buffers[0].ptr, codec->row_bytes, pick, sink, err);
}

const og_lance__codec_ops og_lance__fixed_struct_ops = {
    .name = "PackedStruct",
    .open = fixed_struct_open,
    .chunk = fixed_struct_chunk,
    .fixed = fixed_struct_fixed,
};

/* ---- VariablePackedStruct ----------------------------------------------------------------- */

static og_status open_field(const Og__Lance__File__VariablePackedField *m,
                            og_lance__packed_field *field, og_error *err)
{
    uint64_t bits;
    if (m->size_case == OG__LANCE__FILE__VARIABLE_PACKED_FIELD__SIZE_BITS_PER_VALUE) {
        bits = m->bits_per_value;
        OG_TRY(og_lance__codec_open(m->value, OG_LANCE__ROW_FIXED, "fields of a packed struct",
                                    &field->codec, err));
        if (field->codec->row_bytes * 8 != bits)
            return og_error_set(err, OG_CORRUPT,
                                "a field of a packed struct has %" PRIu64 " bits, its values %zu",
                                bits, field->codec->row_bytes * 8);
    } else if (m->size_case == OG__LANCE__FILE__VARIABLE_PACKED_FIELD__SIZE_BITS_PER_LENGTH) {
        bits = m->bits_per_length;
        OG_TRY(og_lance__codec_open(m->value, OG_LANCE__ROW_VALUE, "fields of a packed struct",
                                    &field->codec, err));
        field->has_length = true;
        if (bits != 32 && bits != 64)
            return og_error_set(err, OG_CORRUPT,
                                "a field of a packed struct has lengths of %" PRIu64 " bits", bits);
    } else {
        return og_error_set(err, OG_CORRUPT, "a field of a packed struct has no size");
    }
    field->bytes = (uint32_t)(bits / 8);
    return OG_OK;
}

static og_status packed_struct_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                                    og_lance__place place, og_error *err)
{
    (void)place;
    const Og__Lance__File__VariablePackedStruct *m = encoding->variable_packed_struct;
    codec->is_bytes = true;
    codec->fields = og_calloc(m->n_fields, sizeof *codec->fields);
    if (codec->fields == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < m->n_fields; i++) {
        codec->field_count++;
        OG_TRY(open_field(m->fields[i], &codec->fields[i], err));
    }
    return OG_OK;
}

/* Append one field's value and advance *p. */
static og_status read_field(const og_lance__packed_field *field, const uint8_t **p,
                            const uint8_t *end, og_lance__sink *sink, og_error *err)
{
    if (field->bytes > (size_t)(end - *p))
        return og_error_set(err, OG_CORRUPT, "a packed struct ends inside a field");
    const uint8_t *at = *p;
    *p += field->bytes;
    if (!field->has_length) {
        const og_lance__pick one = {.count = 1};
        return field->codec->ops->fixed(field->codec, at, field->bytes, &one, sink, err);
    }
    uint64_t len = field->bytes == 4 ? og_load_u32(at) : og_load_u64(at);
    if (len > (uint64_t)(end - *p))
        return og_error_set(err, OG_CORRUPT, "a packed struct ends inside a text");
    og_bytes text = {*p, (size_t)len};
    *p += len;
    return field->codec->ops->value(field->codec, text, sink, err);
}

/* Fixed children raw, variable children length and bytes; a row of no bytes has only empty
 * children. */
static og_status packed_struct_value(const og_lance__codec *codec, og_bytes bytes,
                                     og_lance__sink *sink, og_error *err)
{
    if (sink->kind != OG_LANCE__RECORD || sink->child_count != codec->field_count)
        return bad_struct(codec, err);
    if (bytes.len == 0)
        return og_lance__sink_empty(sink, 1, err);
    OG_TRY(og_lance__sink_reserve(sink, 1, err));
    const uint8_t *p = bytes.ptr, *end = p + bytes.len;
    for (uint32_t i = 0; i < codec->field_count; i++)
        OG_TRY(read_field(&codec->fields[i], &p, end, &sink->children[i], err));
    if (p != end)
        return og_error_set(err, OG_CORRUPT, "a packed struct has %zu bytes too many",
                            (size_t)(end - p));
    sink->count++;
    return OG_OK;
}

const og_lance__codec_ops og_lance__packed_struct_ops = {
    .name = "VariablePackedStruct",
    .open = packed_struct_open,
    .value = packed_struct_value,
};
