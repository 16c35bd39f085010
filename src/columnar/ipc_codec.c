#include "columnar/ipc_codec.h"

#include "base/bits.h"

#include <lz4frame.h>
#include <string.h>
#include <zstd.h>

#define SIZE_BYTES 8
#define KEPT UINT64_MAX
/* Most bytes that one stored byte can stand for: a block of 128 KiB
 * of one value takes 4 in zstd. */
#define MAX_RATIO_ZSTD 32768
#define MAX_RATIO_LZ4 255

bool og_ipc_buffer_size(og_bytes stored, int codec, size_t *out)
{
    *out = 0;
    if (stored.len == 0)
        return true;
    if (stored.len < SIZE_BYTES)
        return false;
    uint64_t size = og_load_u64(stored.ptr), rest = stored.len - SIZE_BYTES;
    if (size == KEPT) {
        *out = (size_t)rest;
        return true;
    }
    uint64_t ratio = codec == OG_IPC_ZSTD ? MAX_RATIO_ZSTD : MAX_RATIO_LZ4;
    if (size > INT64_MAX || size / ratio > rest)
        return false;
    *out = (size_t)size;
    return true;
}

static bool expand_lz4(og_bytes frame, void *dst, size_t len)
{
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return false;
    size_t done = 0, left = 1;
    while (left != 0 && frame.len != 0 && !LZ4F_isError(left)) {
        size_t room = len - done, taken = frame.len;
        left = LZ4F_decompress(context, (uint8_t *)dst + done, &room, frame.ptr, &taken, NULL);
        if (taken == 0 && room == 0)
            break;
        done += room;
        frame = (og_bytes){frame.ptr + taken, frame.len - taken};
    }
    LZ4F_freeDecompressionContext(context);
    return left == 0 && done == len;
}

bool og_ipc_buffer_expand(og_bytes stored, int codec, void *dst, size_t len)
{
    if (stored.len < SIZE_BYTES)
        return stored.len == 0 && len == 0;
    og_bytes data = {stored.ptr + SIZE_BYTES, stored.len - SIZE_BYTES};
    uint64_t size = og_load_u64(stored.ptr);
    if (size == KEPT) {
        if (data.len < len)
            return false;
        memcpy(dst, data.ptr, len);
        return true;
    }
    if (size != len)
        return false;
    if (codec == OG_IPC_ZSTD)
        return ZSTD_decompress(dst, len, data.ptr, data.len) == len;
    return codec == OG_IPC_LZ4_FRAME && expand_lz4(data, dst, len);
}
