/* General: another encoding's bytes under LZ4 or zstd. */
#include "lance/file/codec_priv.h"

#include <inttypes.h>
#include <lz4.h>
#include <stdatomic.h>
#include <zstd.h>

enum { SCHEME_LZ4 = 1, SCHEME_ZSTD = 2 };

/* One page is cut at 8 MiB of Arrow memory; a single value may be larger, up to what i32 offsets
 * can say. */
#define MAX_RAW_BYTES ((uint64_t)INT32_MAX)

static og_status general_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                              og_lance__place place, og_error *err)
{
    const Og__Lance__File__General *m = encoding->general;
    codec->scheme = m->compression != NULL ? m->compression->scheme : 0;
    if (codec->scheme != SCHEME_LZ4 && codec->scheme != SCHEME_ZSTD)
        return og_error_set(err, OG_UNSUPPORTED, "General with compression scheme %" PRId32,
                            codec->scheme);
    OG_TRY(og_lance__codec_open(m->values, place, "compressed values", &codec->inner, err));
    codec->is_bytes = codec->inner->is_bytes;
    codec->bits = codec->inner->bits;
    codec->buffer_count = codec->inner->buffer_count;
    return OG_OK;
}

static og_status too_large(uint64_t raw, size_t stored, og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "%zu compressed bytes claim to be %" PRIu64, stored, raw);
}

/* u32 raw length, one LZ4 block. No block expands more than 255-fold. */
static og_status lz4_expand(og_bytes bytes, uint8_t **out, size_t *out_len, og_error *err)
{
    if (bytes.len < 4)
        return og_error_set(err, OG_CORRUPT, "an LZ4 block of %zu bytes", bytes.len);
    uint64_t raw = og_load_u32(bytes.ptr);
    if (raw > MAX_RAW_BYTES || raw > (uint64_t)bytes.len * 255 || bytes.len - 4 > INT32_MAX)
        return too_large(raw, bytes.len, err);
    OG_AUTO_FREE uint8_t *dst = og_malloc((size_t)raw);
    if (dst == NULL)
        return og_error_nomem(err);
    int len = LZ4_decompress_safe((const char *)bytes.ptr + 4, (char *)dst, (int)(bytes.len - 4),
                                  (int)raw);
    if (len < 0 || (uint64_t)len != raw)
        return og_error_set(err, OG_CORRUPT, "a damaged LZ4 block");
    *out_len = (size_t)raw;
    *out = OG_TAKE(dst);
    return OG_OK;
}

/* The tables of a decompressor are some 160 KiB and take longer to make than most chunks to
 * expand, so a few are kept for whoever expands next. */
static _Atomic(ZSTD_DCtx *) spare_contexts[4];
enum { SPARE_COUNT = sizeof spare_contexts / sizeof spare_contexts[0] };

static ZSTD_DCtx *take_context(void)
{
    for (int i = 0; i < SPARE_COUNT; i++) {
        ZSTD_DCtx *context = atomic_exchange(&spare_contexts[i], NULL);
        if (context != NULL)
            return context;
    }
    return ZSTD_createDCtx();
}

static void keep_context(ZSTD_DCtx *context)
{
    for (int i = 0; i < SPARE_COUNT; i++) {
        ZSTD_DCtx *none = NULL;
        if (atomic_compare_exchange_strong(&spare_contexts[i], &none, context))
            return;
    }
    ZSTD_freeDCtx(context);
}

#define ZSTD_MAGIC UINT32_C(0xFD2FB528)

/* u64 raw length, one zstd frame. Older writers left the length out; as one,
 * the magic number that a frame begins with would be too large. */
static og_status split_frame(og_bytes bytes, uint64_t *raw, og_bytes *frame, og_error *err)
{
    if (bytes.len < 8)
        return og_error_set(err, OG_CORRUPT, "a zstd frame of %zu bytes", bytes.len);
    if (og_load_u32(bytes.ptr) != ZSTD_MAGIC) {
        *raw = og_load_u64(bytes.ptr);
        *frame = (og_bytes){bytes.ptr + 8, bytes.len - 8};
        return OG_OK;
    }
    *raw = ZSTD_getFrameContentSize(bytes.ptr, bytes.len);
    *frame = bytes;
    if (*raw == ZSTD_CONTENTSIZE_UNKNOWN)
        return og_error_set(err, OG_UNSUPPORTED, "a zstd frame that does not tell its size");
    return OG_OK; /* ZSTD_CONTENTSIZE_ERROR is too large for anything */
}

/* A block of 4 bytes may stand for at most 128 KiB. */
static og_status zstd_expand(og_bytes bytes, uint8_t **out, size_t *out_len, og_error *err)
{
    uint64_t raw = 0;
    og_bytes frame = {NULL, 0};
    OG_TRY(split_frame(bytes, &raw, &frame, err));
    if (raw > MAX_RAW_BYTES || raw / ZSTD_BLOCKSIZE_MAX > frame.len / 4)
        return too_large(raw, bytes.len, err);
    OG_AUTO_FREE uint8_t *dst = og_malloc((size_t)raw);
    ZSTD_DCtx *context = dst != NULL ? take_context() : NULL;
    if (context == NULL)
        return og_error_nomem(err);
    size_t len = ZSTD_decompressDCtx(context, dst, (size_t)raw, frame.ptr, frame.len);
    keep_context(context);
    if (ZSTD_isError(len) || len != raw)
        return og_error_set(err, OG_CORRUPT, "a damaged zstd frame: %s",
                            ZSTD_isError(len) ? ZSTD_getErrorName(len) : "wrong length");
    *out_len = (size_t)raw;
    *out = OG_TAKE(dst);
    return OG_OK;
}

og_status og_lance__general_expand(const og_lance__codec *codec, og_bytes bytes, uint8_t **out,
                                   size_t *out_len, og_error *err)
{
    return codec->scheme == SCHEME_LZ4 ? lz4_expand(bytes, out, out_len, err)
                                       : zstd_expand(bytes, out, out_len, err);
}

static og_status general_chunk(const og_lance__codec *codec, const og_bytes *buffers,
                               uint64_t items, const og_lance__pick *pick, og_lance__sink *sink,
                               og_error *err)
{
    /* Only the first buffer is compressed: the others are small (validity, run lengths). */
    og_bytes raw[OG_LANCE__MAX_BUFFERS];
    OG_AUTO_FREE uint8_t *expanded = NULL;
    size_t len = 0;
    OG_TRY(og_lance__general_expand(codec, buffers[0], &expanded, &len, err));
    memcpy(raw, buffers, codec->buffer_count * sizeof raw[0]);
    raw[0] = (og_bytes){expanded, len};
    return codec->inner->ops->chunk(codec->inner, raw, items, pick, sink, err);
}

static og_status general_block(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                               const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    OG_AUTO_FREE uint8_t *expanded = NULL;
    size_t len = 0;
    OG_TRY(og_lance__general_expand(codec, bytes, &expanded, &len, err));
    return codec->inner->ops->block(codec->inner, (og_bytes){expanded, len}, items, pick, sink,
                                    err);
}

static og_status general_value(const og_lance__codec *codec, og_bytes bytes, og_lance__sink *sink,
                               og_error *err)
{
    if (bytes.len == 0)
        return codec->inner->ops->value(codec->inner, bytes, sink, err);
    OG_AUTO_FREE uint8_t *expanded = NULL;
    size_t len = 0;
    OG_TRY(og_lance__general_expand(codec, bytes, &expanded, &len, err));
    /* The inner encoding only describes the values; the expanded bytes are the value. */
    return og_lance__sink_text(sink, (og_bytes){expanded, len}, err);
}

const og_lance__codec_ops og_lance__general_ops = {
    .name = "General",
    .open = general_open,
    .chunk = general_chunk,
    .block = general_block,
    .value = general_value,
};
