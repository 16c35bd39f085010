/* General(ZSTD): u64 raw length, one frame (docs/dev/lance.md section 12). */
#include "lance/file/page_write.h"

#include <zstd.h>

/* Fast enough that a load does not wait for it; higher levels save little on chunks of a few KiB.
 * FSST's symbols are a third of the text, so they can have the slower one. */
#define LEVEL 1
#define SYMBOL_LEVEL 2
/* A block of its own costs some 100 bytes of tables. */
#define MIN_HEAD 512

og_status og_lance__encoder_init(og_lance__encoder *encoder, og_error *err)
{
    *encoder = (og_lance__encoder){0};
    encoder->zstd = ZSTD_createCCtx();
    return encoder->zstd != NULL ? OG_OK : og_error_nomem(err);
}

/* Flush after the head ends its block. The frame still states its size. */
static bool compress(ZSTD_CCtx *zstd, const void *bytes, size_t len, size_t head, int level,
                     ZSTD_outBuffer *out)
{
    ZSTD_inBuffer in = {bytes, head, 0};
    ZSTD_CCtx_reset(zstd, ZSTD_reset_session_only);
    if (ZSTD_isError(ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, level)) ||
        ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(zstd, len)))
        return false;
    if (head >= MIN_HEAD && head < len && ZSTD_compressStream2(zstd, out, &in, ZSTD_e_flush) != 0)
        return false;
    in.size = len;
    return ZSTD_compressStream2(zstd, out, &in, ZSTD_e_end) == 0;
}

static bool append(og_lance__encoder *encoder, const void *bytes, size_t len, size_t head,
                   int level, og_buf *out)
{
    size_t bound = ZSTD_compressBound(len) + ZSTD_compressBound(head);
    if (!og_buf_u64(out, len) || !og_buf_reserve(out, bound))
        return false;
    ZSTD_outBuffer frame = {out->ptr + out->len, bound, 0};
    if (!compress(encoder->zstd, bytes, len, head, level, &frame))
        return false;
    out->len += frame.pos;
    return true;
}

bool og_lance__zstd_append(og_lance__encoder *encoder, const void *bytes, size_t len, size_t head,
                           og_buf *out)
{
    return append(encoder, bytes, len, head, LEVEL, out);
}

bool og_lance__zstd_chunk(og_lance__encoder *encoder, const og_lance__values *values,
                          const og_lance__plan *plan, uint64_t count, const og_buf *chunk,
                          og_buf *out)
{
    size_t head = 0;
    if (values->kind == OG_LANCE__VARIABLE)
        head = ((size_t)count + 1) * (values->wide_offsets ? 8 : 4);
    int level = plan->codec == OG_LANCE__FSST ? SYMBOL_LEVEL : LEVEL;
    return append(encoder, chunk->ptr, chunk->len, head, level, out);
}
