/* Constant: one value for all, or none for nulls alone, kept in the encoding itself. */
#include "lance/file/codec_priv.h"

#include <inttypes.h>

static og_status constant_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                               og_lance__place place, og_error *err)
{
    (void)place;
    const Og__Lance__File__ConstantValue *m = encoding->constant;
    if (!m->has_value)
        return OG_OK;
    if (m->value.len == 0 || m->value.len > UINT32_MAX / 8)
        return og_error_set(err, OG_CORRUPT, "Constant: a value of %zu bytes", m->value.len);
    codec->row_bytes = m->value.len;
    codec->bits = (uint32_t)m->value.len * 8;
    codec->constant = og_malloc(m->value.len);
    if (codec->constant == NULL)
        return og_error_nomem(err);
    memcpy(codec->constant, m->value.data, m->value.len);
    return OG_OK;
}

static og_status repeat(const og_lance__codec *codec, uint64_t count, og_lance__sink *sink,
                        og_error *err)
{
    if (codec->constant == NULL)
        return og_lance__sink_empty(sink, count, err);
    uint8_t *dst;
    OG_TRY(og_lance__sink_numbers(sink, codec->bits, count, "Constant", &dst, err));
    for (uint64_t i = 0; i < count; i++)
        memcpy(dst + i * codec->row_bytes, codec->constant, codec->row_bytes);
    return OG_OK;
}

static og_status constant_block(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                                const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    (void)bytes;
    /* No bytes bound the number of values here. */
    if (items > OG_LANCE__MAX_UNSTORED)
        return og_error_set(err, OG_CORRUPT, "Constant: %" PRIu64 " values", items);
    return repeat(codec, pick->count, sink, err);
}

/* The value stands in each row, too. */
static og_status constant_fixed(const og_lance__codec *codec, const uint8_t *first, size_t stride,
                                const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    (void)first;
    (void)stride;
    return repeat(codec, pick->count, sink, err);
}

const og_lance__codec_ops og_lance__constant_codec_ops = {
    .name = "Constant",
    .open = constant_open,
    .block = constant_block,
    .fixed = constant_fixed,
};
