#include "lance/file/codec_priv.h"

#include "lance/file/fsst_priv.h"

#include <inttypes.h>

/* ---- the table ---------------------------------------------------------------------------- */

/* By number of the one-of case. Lance has a message for Dictionary as an encoding and
 * neither writes nor reads it (a page's dictionary is part of its layout): it has a
 * name only, for the message. */
static const og_lance__codec_ops dictionary_ops = {.name = "Dictionary"};

static const og_lance__codec_ops *const codecs[] = {
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FLAT] = &og_lance__flat_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_VARIABLE] = &og_lance__variable_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_CONSTANT] = &og_lance__constant_codec_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_OUT_OF_LINE_BITPACKING] =
        &og_lance__bitpack_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_INLINE_BITPACKING] =
        &og_lance__inline_bitpack_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FSST] = &og_lance__fsst_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_DICTIONARY] = &dictionary_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_RLE] = &og_lance__rle_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_BYTE_STREAM_SPLIT] =
        &og_lance__stream_split_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_GENERAL] = &og_lance__general_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FIXED_SIZE_LIST] =
        &og_lance__fixed_list_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_PACKED_STRUCT] =
        &og_lance__fixed_struct_ops,
    [OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_VARIABLE_PACKED_STRUCT] =
        &og_lance__packed_struct_ops,
};

static bool has_place(const og_lance__codec_ops *ops, og_lance__place place)
{
    switch (place) {
    case OG_LANCE__CHUNK:
        return ops->chunk != NULL;
    case OG_LANCE__BLOCK:
        return ops->block != NULL;
    case OG_LANCE__ROW_FIXED:
        return ops->fixed != NULL;
    default:
        return ops->value != NULL;
    }
}

/* ---- making ------------------------------------------------------------------------------- */

og_status og_lance__codec_open(const og_lance__encoding *encoding, og_lance__place place,
                               const char *what, og_lance__codec **out, og_error *err)
{
    static const char *const places[] = {"a mini-block chunk", "a block", "rows of fixed size",
                                         "values of variable size"};
    if (encoding == NULL ||
        encoding->compression_case == OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION__NOT_SET)
        return og_error_set(err, OG_CORRUPT, "the encoding of %s is missing or unknown", what);
    const og_lance__codec_ops *ops = codecs[encoding->compression_case];
    if (!has_place(ops, place))
        return og_error_set(err, OG_UNSUPPORTED, "%s have encoding %s in %s", what, ops->name,
                            places[place]);
    OG_AUTO(og_lance__codec) codec = og_calloc(1, sizeof *codec);
    if (codec == NULL)
        return og_error_nomem(err);
    codec->ops = ops;
    OG_TRY(ops->open(codec, encoding, place, err));
    if (codec->buffer_count > OG_LANCE__MAX_BUFFERS)
        return og_error_set(err, OG_CORRUPT, "%s have %" PRIu32 " buffers in a chunk", what,
                            codec->buffer_count);
    *out = OG_TAKE(codec);
    return OG_OK;
}

void og_lance__codec_free(og_lance__codec *codec)
{
    if (codec == NULL)
        return;
    og_lance__codec_free(codec->inner);
    for (uint32_t i = 0; i < codec->field_count; i++)
        og_lance__codec_free(codec->fields[i].codec);
    og_free(codec->fields);
    og_free(codec->fsst);
    og_free(codec->constant);
    og_free(codec);
}

size_t og_lance__codec_memory(const og_lance__codec *codec)
{
    if (codec == NULL)
        return 0;
    size_t bytes = sizeof *codec + og_lance__codec_memory(codec->inner) +
                   codec->field_count * sizeof *codec->fields;
    for (uint32_t i = 0; i < codec->field_count; i++)
        bytes += og_lance__codec_memory(codec->fields[i].codec);
    return bytes + (codec->fsst != NULL ? sizeof *codec->fsst : 0);
}

og_status og_lance__no_compression(const Og__Lance__File__BufferCompression *compression,
                                   const char *encoding, og_error *err)
{
    return compression == NULL
               ? OG_OK
               : og_error_set(err, OG_UNSUPPORTED, "%s with buffer compression %" PRId32, encoding,
                              compression->scheme);
}

og_status og_lance__flat_bits(const og_lance__encoding *encoding, const char *parent,
                              uint32_t *out_bits, og_error *err)
{
    if (encoding == NULL ||
        encoding->compression_case != OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FLAT ||
        encoding->flat->bits_per_value > UINT32_MAX)
        return og_error_set(err, OG_CORRUPT, "%s has no Flat values", parent);
    OG_TRY(og_lance__no_compression(encoding->flat->data, parent, err));
    *out_bits = (uint32_t)encoding->flat->bits_per_value;
    return OG_OK;
}
