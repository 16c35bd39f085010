/* Block encodings of repetition and definition levels (docs/dev/lance.md sections 12 and 13). */
#include "lance/file/bitpack_pack.h"
#include "lance/file/message_write.h"
#include "lance/file/page_write.h"

#define BLOCK 1024

static uint64_t count_runs(const uint16_t *levels, uint64_t count)
{
    uint64_t runs = count > 0;
    for (uint64_t i = 1; i < count; i++)
        runs += levels[i] != levels[i - 1];
    return runs;
}

og_lance__level_plan og_lance__level_plan_of(const uint16_t *levels, uint64_t count)
{
    uint16_t all = 0;
    for (uint64_t i = 0; i < count; i++)
        all |= levels[i];
    uint32_t bits = all == 0 ? 1 : 32 - (uint32_t)__builtin_clz(all);
    uint64_t flat = count * 2;
    uint64_t rle = (count_runs(levels, count) + count / 255) * 3 + 8;
    uint64_t tail = count % BLOCK, block = bits * (BLOCK / 8);
    uint64_t packed = count / BLOCK * block + (tail * 2 < block ? tail * 2 : block);
    if (rle < flat && rle <= packed)
        return (og_lance__level_plan){OG_LANCE__LEVELS_RLE, 16};
    if (packed < flat)
        return (og_lance__level_plan){OG_LANCE__LEVELS_PACKED, bits};
    return (og_lance__level_plan){OG_LANCE__LEVELS_FLAT, 16};
}

/* u64 bytes of values | values u16 | run lengths u8. */
static bool encode_runs(const uint16_t *levels, uint64_t count, og_buf *out)
{
    size_t head = out->len;
    if (!og_buf_u64(out, 0))
        return false;
    for (uint64_t i = 0; i < count;) {
        uint64_t run = 1;
        while (run < 255 && i + run < count && levels[i + run] == levels[i])
            run++;
        if (!og_buf_u16(out, levels[i]))
            return false;
        i += run;
    }
    uint64_t value_bytes = out->len - head - sizeof(uint64_t);
    memcpy(out->ptr + head, &value_bytes, sizeof value_bytes);
    for (uint64_t i = 0; i < count;) {
        uint64_t run = 1;
        while (run < 255 && i + run < count && levels[i + run] == levels[i])
            run++;
        if (!og_buf_byte(out, (uint8_t)run))
            return false;
        i += run;
    }
    return true;
}

/* Whole blocks, then the tail: raw when that is not larger than one more block. */
static bool encode_packed(const uint16_t *levels, uint64_t count, uint32_t bits, og_buf *out)
{
    uint64_t block_words = bits * (BLOCK / 16), i = 0;
    for (; count - i >= BLOCK; i += BLOCK) {
        if (!og_lance__pack(levels + i, BLOCK, 16, bits, out))
            return false;
    }
    uint64_t tail = count - i;
    if (tail <= block_words)
        return og_buf_append(out, levels + i, (size_t)tail * sizeof *levels);
    return og_lance__pack(levels + i, tail, 16, bits, out);
}

bool og_lance__level_encode(og_lance__level_plan plan, const uint16_t *levels, uint64_t count,
                            og_buf *out)
{
    switch (plan.codec) {
    case OG_LANCE__LEVELS_RLE:
        return encode_runs(levels, count, out);
    case OG_LANCE__LEVELS_PACKED:
        return encode_packed(levels, count, plan.bits, out);
    default:
        return og_buf_append(out, levels, (size_t)count * sizeof *levels);
    }
}

void og_lance__put_levels(og_buf *out, og_lance__level_plan plan)
{
    if (plan.codec == OG_LANCE__LEVELS_FLAT) {
        og_lance__put_flat(out, 16);
        return;
    }
    bool is_rle = plan.codec == OG_LANCE__LEVELS_RLE;
    size_t message =
        og_lance__msg_open(out, is_rle ? OG_LANCE__PB_RLE : OG_LANCE__PB_OUT_OF_LINE_BITPACKING);
    if (!is_rle)
        og_lance__msg_u64(out, 1, 16);
    size_t values = og_lance__msg_open(out, is_rle ? 1 : 3);
    og_lance__put_flat(out, is_rle ? 16 : plan.bits);
    og_lance__msg_close(out, values);
    if (is_rle) {
        size_t lengths = og_lance__msg_open(out, 2);
        og_lance__put_flat(out, 8);
        og_lance__msg_close(out, lengths);
    }
    og_lance__msg_close(out, message);
}
