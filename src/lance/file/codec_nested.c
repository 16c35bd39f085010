/* Codecs of values made of several: fixed-size lists of numbers, packed structs. */
#include "lance/file/codec_priv.h"

#include <inttypes.h>

/* ---- FixedSizeList ------------------------------------------------------------------------ */

static og_status fixed_list_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                                 og_lance__place place, og_error *err)
{
    (void)place;
    const Og__Lance__File__FixedSizeList *m = encoding->fixed_size_list;
    if (m->values != NULL && m->values->compression_case ==
                                 OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FIXED_SIZE_LIST)
        return og_error_set(err, OG_UNSUPPORTED, "FixedSizeList inside FixedSizeList");
    OG_TRY(og_lance__flat_bits(m->values, "FixedSizeList", &codec->bits, err));
    if (!og_lance__is_word(codec->bits) || m->items_per_value == 0 ||
        m->items_per_value > INT32_MAX)
        return og_error_set(err, OG_UNSUPPORTED,
                            "FixedSizeList of %" PRIu64 " values of %" PRIu32 " bits",
                            m->items_per_value, codec->bits);
    codec->list_size = (uint32_t)m->items_per_value;
    codec->has_validity = m->has_validity;
    codec->buffer_count = codec->has_validity ? 2 : 1;
    codec->row_bytes = (codec->has_validity ? og_bitmap_bytes(codec->list_size) : 0) +
                       (size_t)codec->list_size * (codec->bits / 8);
    return OG_OK;
}

static og_status check_list_sink(const og_lance__codec *codec, const og_lance__sink *sink,
                                 og_error *err)
{
    if (sink->kind != OG_LANCE__FIXED || sink->list_size != codec->list_size ||
        sink->value_bytes * 8 != codec->bits)
        return og_error_set(err, OG_CORRUPT,
                            "FixedSizeList of %" PRIu32 " values of %" PRIu32
                            " bits does not fit the column's type",
                            codec->list_size, codec->bits);
    return OG_OK;
}

/* Pages without null items leave the list validity alone until another page has some. */
static og_status align_validity(og_lance__sink *sink, og_error *err)
{
    uint64_t before = sink->count * sink->list_size;
    return og_lance__validity_fill(&sink->list_validity, true, before - sink->list_validity.count,
                                   err);
}

/* Buffers: validity of the items if has_validity, then the items. */
static og_status fixed_list_chunk(const og_lance__codec *codec, const og_bytes *buffers,
                                  uint64_t items, const og_lance__pick *pick, og_lance__sink *sink,
                                  og_error *err)
{
    OG_TRY(check_list_sink(codec, sink, err));
    og_bytes data = buffers[codec->buffer_count - 1];
    const size_t width = sink->item_bytes;
    if (items > data.len / width ||
        (codec->has_validity && buffers[0].len < og_bitmap_bytes(items * codec->list_size)))
        return og_error_set(err, OG_CORRUPT,
                            "FixedSizeList: %zu bytes are too few for %" PRIu64 " lists", data.len,
                            items);
    OG_TRY(og_lance__sink_reserve(sink, pick->count, err));
    uint8_t *dst = sink->data + sink->count * width;
    if (pick->items == NULL) {
        if (pick->count > 0)
            memcpy(dst, data.ptr + pick->start * width, pick->count * width);
    } else {
        for (uint64_t i = 0; i < pick->count; i++)
            memcpy(dst + i * width, data.ptr + pick->items[i] * width, width);
    }
    if (codec->has_validity) {
        OG_TRY(align_validity(sink, err));
        for (uint64_t i = 0; i < pick->count; i++)
            OG_TRY(og_lance__validity_bits(&sink->list_validity, buffers[0].ptr,
                                           og_lance__pick_at(pick, i) * codec->list_size,
                                           codec->list_size, err));
    } else if (sink->list_validity.count > 0) {
        OG_TRY(og_lance__validity_fill(&sink->list_validity, true, pick->count * codec->list_size,
                                       err));
    }
    sink->count += pick->count;
    return OG_OK;
}

/* A row: validity bits of its items if has_validity, then the items. */
static og_status fixed_list_fixed(const og_lance__codec *codec, const uint8_t *first, size_t stride,
                                  const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    OG_TRY(check_list_sink(codec, sink, err));
    OG_TRY(og_lance__sink_reserve(sink, pick->count, err));
    const size_t width = sink->item_bytes, head = codec->row_bytes - width;
    uint8_t *dst = sink->data + sink->count * width;
    if (codec->has_validity)
        OG_TRY(align_validity(sink, err));
    if (pick->items == NULL && stride == width) {
        if (pick->count > 0)
            memcpy(dst, first + pick->start * stride, pick->count * width);
    } else {
        for (uint64_t i = 0; i < pick->count; i++)
            memcpy(dst + i * width, first + og_lance__pick_at(pick, i) * stride + head, width);
    }
    if (codec->has_validity) {
        for (uint64_t i = 0; i < pick->count; i++)
            OG_TRY(og_lance__validity_bits(&sink->list_validity,
                                           first + og_lance__pick_at(pick, i) * stride, 0,
                                           codec->list_size, err));
    } else if (sink->list_validity.count > 0) {
        OG_TRY(og_lance__validity_fill(&sink->list_validity, true, pick->count * codec->list_size,
                                       err));
    }
    sink->count += pick->count;
    return OG_OK;
}

const og_lance__codec_ops og_lance__fixed_list_ops = {
    .name = "FixedSizeList",
    .open = fixed_list_open,
    .chunk = fixed_list_chunk,
    .fixed = fixed_list_fixed,
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
        return og_error_set(err, OG_CORRUPT,
                            "a packed struct of %" PRIu32 " fields does not fit the column's type",
                            codec->field_count);
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
