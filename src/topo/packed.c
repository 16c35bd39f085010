#include "topo/packed.h"

uint32_t og_topo__width_of(const uint32_t *values, size_t count)
{
    uint32_t all = 0;
    for (size_t i = 0; i < count; i++)
        all |= values[i];
    return all != 0 ? 32 - (uint32_t)__builtin_clz(all) : 0;
}

uint64_t og_topo__packed_bytes(uint64_t count, uint32_t width)
{
    return (count * width + 7) / 8 + 8;
}

bool og_topo__pack(const uint32_t *values, size_t count, uint32_t width, og_buf *out)
{
    size_t bytes = (size_t)og_topo__packed_bytes(count, width);
    if (!og_buf_reserve(out, bytes))
        return false;
    uint8_t *start = out->ptr + out->len, *at = start;
    uint64_t bits = 0;
    uint32_t held = 0; /* bits not written yet, below 32 */
    for (size_t i = 0; i < count; i++) {
        bits |= (uint64_t)values[i] << held;
        held += width;
        if (held >= 32) {
            memcpy(at, &(uint32_t){(uint32_t)bits}, 4);
            at += 4;
            bits >>= 32;
            held -= 32;
        }
    }
    memcpy(at, &bits, 8); /* within the eight at the end */
    at += 8;
    if (at < start + bytes)
        memset(at, 0, (size_t)(start + bytes - at));
    out->len += bytes;
    return true;
}

/* Eight numbers take `width` bytes, so each of the eight begins at the same bit every time. */
static inline __attribute__((always_inline)) void unpack(const uint8_t *packed, size_t count,
                                                         uint32_t width, uint32_t *out)
{
    size_t i = 0;
    for (; i + 8 <= count; i += 8, packed += width)
#pragma GCC unroll 8
        for (uint32_t j = 0; j < 8; j++)
            out[i + j] = (uint32_t)og_topo__packed_at(packed, width, j);
    for (uint32_t j = 0; i + j < count; j++)
        out[i + j] = (uint32_t)og_topo__packed_at(packed, width, j);
}

void og_topo__unpack(const uint8_t *packed, size_t count, uint32_t width, uint32_t *out)
{
    /* The widths of ten thousand to four million rows by themselves: their shifts are constants. */
    switch (width) {
#define CASE(n)                                                                                    \
    case n:                                                                                        \
        unpack(packed, count, n, out);                                                             \
        break
        CASE(14);
        CASE(15);
        CASE(16);
        CASE(17);
        CASE(18);
        CASE(19);
        CASE(20);
        CASE(21);
        CASE(22);
#undef CASE
    default:
        unpack(packed, count, width, out);
    }
}
