/* General(ZSTD): u64 raw length, one frame (docs/dev/lance.md section 12). */
#include "lance/file/page_write.h"

#include <zstd.h>

/* Fast enough that a load does not wait for it; higher levels save
 * little on chunks of a few KiB. */
#define LEVEL 1
/* A block of its own costs some 100 bytes of tables. */
#define MIN_HEAD 512
/* Of large inputs the level looks for matches of seven bytes only; neighbours in a sorted
 * dictionary often share five or six, which is half of what they take. */
#define DICT_MIN_MATCH 5
/* Of offsets and of text under FSST, shorter matches save next to nothing,
 * and take half of the time. */
#define TEXT_MIN_MATCH 6

/* Made when first used: asking the processor what it can do takes
 * longer than a small file's pages. */
static bool has_context(og_lance__encoder *encoder)
{
    if (encoder->zstd != NULL)
        return true;
    encoder->zstd = ZSTD_createCCtx();
    return encoder->zstd != NULL &&
           !ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_compressionLevel, LEVEL));
}

/* Flush after the head ends its block. The frame still states its size. */
static bool compress_parts(ZSTD_CCtx *zstd, const void *bytes, size_t len, size_t head,
                           ZSTD_outBuffer *out)
{
    ZSTD_inBuffer in = {bytes, head, 0};
    ZSTD_CCtx_reset(zstd, ZSTD_reset_session_only);
    if (ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd, len)) ||
        ZSTD_compressStream2(zstd, out, &in, ZSTD_e_flush) != 0)
        return false;
    in.size = len;
    return ZSTD_compressStream2(zstd, out, &in, ZSTD_e_end) == 0;
}

bool og_lance__zstd_append(og_lance__encoder *encoder, const void *bytes, size_t len, size_t head,
                           og_buf *out)
{
    size_t bound = ZSTD_compressBound(len) + ZSTD_compressBound(head);
    if (!has_context(encoder) || !og_buf_u64(out, len) || !og_buf_reserve(out, bound))
        return false;
    ZSTD_outBuffer frame = {out->ptr + out->len, bound, 0};
    if (head >= MIN_HEAD && head < len) {
        if (!compress_parts(encoder->zstd, bytes, len, head, &frame))
            return false;
    } else {
        frame.pos = ZSTD_compress2(encoder->zstd, frame.dst, frame.size, bytes, len);
        if (ZSTD_isError(frame.pos))
            return false;
    }
    out->len += frame.pos;
    return true;
}

/* The level's own minimum is left behind: what a page becomes depends on no page before it. */
static bool append_matching(og_lance__encoder *encoder, int min_match, const void *bytes,
                            size_t len, size_t head, og_buf *out)
{
    if (!has_context(encoder) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_minMatch, min_match)))
        return false;
    bool ok = og_lance__zstd_append(encoder, bytes, len, head, out);
    return !ZSTD_isError(ZSTD_CCtx_setParameter(encoder->zstd, ZSTD_c_minMatch, 0)) && ok;
}

bool og_lance__zstd_chunk(og_lance__encoder *encoder, const og_lance__values *values,
                          uint64_t count, const og_buf *chunk, og_buf *out)
{
    if (values->kind != OG_LANCE__VARIABLE)
        return og_lance__zstd_append(encoder, chunk->ptr, chunk->len, 0, out);
    size_t head = ((size_t)count + 1) * (values->wide_offsets ? 8 : 4);
    return append_matching(encoder, TEXT_MIN_MATCH, chunk->ptr, chunk->len, head, out);
}

bool og_lance__zstd_dict(og_lance__encoder *encoder, const void *bytes, size_t len, size_t head,
                         og_buf *out)
{
    return append_matching(encoder, DICT_MIN_MATCH, bytes, len, head, out);
}
