/* Codecs of numbers: Flat, the two bit-packings, RLE, byte stream split. */
#include "lance/file/codec_priv.h"

#include "lance/file/byte_split.h"
#include "lance/file/unpack_priv.h"

#include <inttypes.h>

/* Of one value: fixed-size binary can be long. */
#define MAX_FLAT_BITS ((uint64_t)1 << 31)

/* From here on a block is unpacked as a whole rather than value by value: measured on x86-64. */
enum { UNPACK_ALL_FROM = 64 };

static og_status short_buffer(const char *name, size_t bytes, uint64_t items, og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "%s: %zu bytes are too few for %" PRIu64 " values", name,
                        bytes, items);
}

/* dst[i] = src[items[i] - base] for numbers of `bytes` each. */
static void gather(const uint8_t *src, const uint32_t *items, uint64_t base, uint64_t count,
                   uint32_t bytes, uint8_t *dst)
{
#define GATHER(T)                                                                                  \
    for (uint64_t i = 0; i < count; i++)                                                           \
    memcpy(dst + i * sizeof(T), src + (items[i] - base) * sizeof(T), sizeof(T))
    switch (bytes) {
    case 1:
        GATHER(uint8_t);
        break;
    case 2:
        GATHER(uint16_t);
        break;
    case 4:
        GATHER(uint32_t);
        break;
    case 8:
        GATHER(uint64_t);
        break;
    default:
        for (uint64_t i = 0; i < count; i++)
            memcpy(dst + i * bytes, src + (items[i] - base) * (size_t)bytes, bytes);
        break;
    }
#undef GATHER
}

static void store(uint8_t *dst, uint64_t value, uint32_t bytes)
{
    memcpy(dst, &value, bytes); /* little-endian: the low bytes come first */
}

/* ---- Flat --------------------------------------------------------------------------------- */

static og_status flat_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                           og_lance__place place, og_error *err)
{
    uint64_t bits = encoding->flat->bits_per_value;
    if (bits != 1 && (bits == 0 || bits % 8 != 0 || bits > MAX_FLAT_BITS))
        return og_error_set(err, OG_UNSUPPORTED, "Flat values of %" PRIu64 " bits", bits);
    if (bits == 1 && place != OG_LANCE__CHUNK)
        return og_error_set(err, OG_CORRUPT, "Flat values of 1 bit outside of a chunk");
    OG_TRY(og_lance__no_compression(encoding->flat->data, "Flat", err));
    codec->bits = (uint32_t)bits;
    codec->buffer_count = 1;
    codec->row_bytes = bits / 8;
    return OG_OK;
}

static og_status flat_bits(og_bytes bytes, uint64_t items, const og_lance__pick *pick,
                           og_lance__sink *sink, og_error *err)
{
    if (sink->kind != OG_LANCE__BITS || sink->list_size != 1)
        return og_error_set(err, OG_CORRUPT, "Flat of 1 bit does not fit the column's type");
    if (items / 8 + (items % 8 != 0) > bytes.len)
        return short_buffer("Flat", bytes.len, items, err);
    OG_TRY(og_lance__sink_reserve(sink, pick->count, err));
    if (pick->items == NULL) {
        og_bitmap_copy(sink->data, sink->count, bytes.ptr, pick->start, pick->count);
    } else {
        for (uint64_t i = 0; i < pick->count; i++) {
            if (og_bit_get(bytes.ptr, pick->items[i]))
                og_bit_set(sink->data, sink->count + i);
        }
    }
    sink->count += pick->count;
    return OG_OK;
}

static og_status flat_block(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                            const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    if (codec->bits == 1)
        return flat_bits(bytes, items, pick, sink, err);
    const uint32_t width = codec->bits / 8;
    if (items > bytes.len / width)
        return short_buffer("Flat", bytes.len, items, err);
    uint8_t *dst;
    OG_TRY(og_lance__sink_numbers(sink, codec->bits, pick->count, "Flat", &dst, err));
    if (pick->items != NULL)
        gather(bytes.ptr, pick->items, 0, pick->count, width, dst);
    else if (pick->count > 0)
        memcpy(dst, bytes.ptr + pick->start * width, pick->count * width);
    return OG_OK;
}

static og_status flat_chunk(const og_lance__codec *codec, const og_bytes *buffers, uint64_t items,
                            const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    return flat_block(codec, buffers[0], items, pick, sink, err);
}

/* In full-zip pages a boolean takes a byte. */
static og_status flat_wide_bools(const uint8_t *first, size_t stride, const og_lance__pick *pick,
                                 og_lance__sink *sink, og_error *err)
{
    OG_TRY(og_lance__sink_reserve(sink, pick->count, err));
    for (uint64_t i = 0; i < pick->count; i++) {
        if (first[og_lance__pick_at(pick, i) * stride] & 1)
            og_bit_set(sink->data, sink->count + i);
    }
    sink->count += pick->count;
    return OG_OK;
}

static og_status flat_fixed(const og_lance__codec *codec, const uint8_t *first, size_t stride,
                            const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    if (sink->kind == OG_LANCE__BITS && sink->list_size == 1 && codec->bits == 8)
        return flat_wide_bools(first, stride, pick, sink, err);
    uint8_t *dst;
    OG_TRY(og_lance__sink_numbers(sink, codec->bits, pick->count, "Flat", &dst, err));
    const uint32_t width = codec->bits / 8;
    for (uint64_t i = 0; i < pick->count; i++)
        memcpy(dst + i * width, first + og_lance__pick_at(pick, i) * stride, width);
    return OG_OK;
}

const og_lance__codec_ops og_lance__flat_ops = {
    .name = "Flat",
    .open = flat_open,
    .chunk = flat_chunk,
    .block = flat_block,
    .fixed = flat_fixed,
};

/* ---- bit-packing -------------------------------------------------------------------------- */

/* The picked values of packed blocks; all of them lie in the blocks that are there. */
static void unpack_picked(const uint8_t *packed, uint32_t packed_bits, uint32_t bits,
                          const og_lance__pick *pick, uint8_t *dst)
{
    const uint32_t width = bits / 8;
    uint8_t block[OG_LANCE__BLOCK_VALUES * 8];
    for (uint64_t done = 0; done < pick->count;) {
        uint64_t at = og_lance__pick_at(pick, done);
        uint64_t base = at & ~(uint64_t)(OG_LANCE__BLOCK_VALUES - 1);
        const uint8_t *source =
            packed + base / OG_LANCE__BLOCK_VALUES * og_lance__packed_bytes(packed_bits);
        uint64_t end = done + 1;
        if (pick->items == NULL) {
            uint64_t left = base + OG_LANCE__BLOCK_VALUES - at;
            end = done + (pick->count - done < left ? pick->count - done : left);
        } else {
            while (end < pick->count && pick->items[end] - base < OG_LANCE__BLOCK_VALUES)
                end++;
        }
        uint8_t *to = dst + done * width;
        if (end - done == OG_LANCE__BLOCK_VALUES && pick->items == NULL) {
            og_lance__unpack_block(source, packed_bits, bits, to);
        } else if (end - done < UNPACK_ALL_FROM) {
            for (uint64_t i = done; i < end; i++)
                store(dst + i * width,
                      og_lance__unpack_value(source, packed_bits, bits,
                                             (uint32_t)(og_lance__pick_at(pick, i) - base)),
                      width);
        } else {
            og_lance__unpack_block(source, packed_bits, bits, block);
            if (pick->items != NULL)
                gather(block, pick->items + done, base, end - done, width, to);
            else
                memcpy(to, block + (at - base) * width, (end - done) * width);
        }
        done = end;
    }
}

static og_status inline_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                             og_lance__place place, og_error *err)
{
    (void)place;
    uint64_t bits = encoding->inline_bitpacking->uncompressed_bits_per_value;
    if (!og_lance__is_word(bits))
        return og_error_set(err, OG_CORRUPT, "InlineBitpacking of %" PRIu64 " bits", bits);
    OG_TRY(og_lance__no_compression(encoding->inline_bitpacking->values, "InlineBitpacking", err));
    codec->bits = (uint32_t)bits;
    codec->buffer_count = 1;
    return OG_OK;
}

/* One word with the packed width, then one block (the last is padded with zeros). */
static og_status inline_block(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                              const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    const uint32_t word = codec->bits / 8;
    uint64_t packed_bits = 0;
    if (bytes.len < word || items > OG_LANCE__BLOCK_VALUES)
        return short_buffer("InlineBitpacking", bytes.len, items, err);
    memcpy(&packed_bits, bytes.ptr, word);
    if (packed_bits > codec->bits)
        return og_error_set(err, OG_CORRUPT,
                            "InlineBitpacking: width %" PRIu64 " of %" PRIu32 " bits", packed_bits,
                            codec->bits);
    if (og_lance__packed_bytes((uint32_t)packed_bits) > bytes.len - word)
        return short_buffer("InlineBitpacking", bytes.len, items, err);
    uint8_t *dst;
    OG_TRY(og_lance__sink_numbers(sink, codec->bits, pick->count, "InlineBitpacking", &dst, err));
    unpack_picked(bytes.ptr + word, (uint32_t)packed_bits, codec->bits, pick, dst);
    return OG_OK;
}

static og_status inline_chunk(const og_lance__codec *codec, const og_bytes *buffers, uint64_t items,
                              const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    return inline_block(codec, buffers[0], items, pick, sink, err);
}

const og_lance__codec_ops og_lance__inline_bitpack_ops = {
    .name = "InlineBitpacking",
    .open = inline_open,
    .chunk = inline_chunk,
    .block = inline_block,
};

static og_status bitpack_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                              og_lance__place place, og_error *err)
{
    (void)place;
    const Og__Lance__File__OutOfLineBitpacking *m = encoding->out_of_line_bitpacking;
    OG_TRY(og_lance__flat_bits(m->values, "OutOfLineBitpacking", &codec->packed_bits, err));
    if (!og_lance__is_word(m->uncompressed_bits_per_value) ||
        codec->packed_bits > m->uncompressed_bits_per_value)
        return og_error_set(err, OG_CORRUPT,
                            "OutOfLineBitpacking: width %" PRIu32 " of %" PRIu64 " bits",
                            codec->packed_bits, m->uncompressed_bits_per_value);
    codec->bits = (uint32_t)m->uncompressed_bits_per_value;
    return OG_OK;
}

/* The part of `pick` below `limit` and the part from it on, counted from `limit`. */
static void split_pick(const og_lance__pick *pick, uint64_t limit, og_lance__pick *below,
                       uint64_t *out_below)
{
    *below = *pick;
    uint64_t n = 0;
    if (pick->items == NULL) {
        n = pick->start >= limit ? 0 : limit - pick->start;
        n = n < pick->count ? n : pick->count;
    } else {
        while (n < pick->count && pick->items[n] < limit)
            n++;
    }
    below->count = n;
    *out_below = n;
}

/* Whole blocks, then a tail: raw words when as many words as values are left, else one more
 * block. Unambiguous, because packing was chosen for being smaller. */
static og_status bitpack_block(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                               const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    const uint32_t word = codec->bits / 8;
    const size_t block_bytes = og_lance__packed_bytes(codec->packed_bits);
    const uint64_t blocks = items / OG_LANCE__BLOCK_VALUES, tail = items % OG_LANCE__BLOCK_VALUES;
    if (codec->packed_bits == 0 ? items > OG_LANCE__MAX_UNSTORED : blocks > bytes.len / block_bytes)
        return short_buffer("OutOfLineBitpacking", bytes.len, items, err);
    const size_t rest = bytes.len - blocks * block_bytes;
    const bool raw_tail = tail > 0 && rest == tail * word;
    if (tail > 0 && !raw_tail && rest < block_bytes)
        return short_buffer("OutOfLineBitpacking", bytes.len, items, err);
    uint8_t *dst;
    OG_TRY(
        og_lance__sink_numbers(sink, codec->bits, pick->count, "OutOfLineBitpacking", &dst, err));
    og_lance__pick packed = *pick;
    uint64_t below = pick->count;
    if (raw_tail)
        split_pick(pick, blocks * OG_LANCE__BLOCK_VALUES, &packed, &below);
    unpack_picked(bytes.ptr, codec->packed_bits, codec->bits, &packed, dst);
    const uint8_t *raw = bytes.ptr + blocks * block_bytes;
    for (uint64_t i = below; i < pick->count; i++) {
        uint64_t at = og_lance__pick_at(pick, i) - blocks * OG_LANCE__BLOCK_VALUES;
        memcpy(dst + i * word, raw + at * word, word);
    }
    return OG_OK;
}

const og_lance__codec_ops og_lance__bitpack_ops = {
    .name = "OutOfLineBitpacking",
    .open = bitpack_open,
    .block = bitpack_block,
};

/* ---- run lengths -------------------------------------------------------------------------- */

static og_status rle_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                          og_lance__place place, og_error *err)
{
    (void)place;
    uint32_t length_bits;
    OG_TRY(og_lance__flat_bits(encoding->rle->values, "Rle", &codec->bits, err));
    OG_TRY(og_lance__flat_bits(encoding->rle->run_lengths, "Rle", &length_bits, err));
    if (!og_lance__is_word(codec->bits) || length_bits != 8)
        return og_error_set(err, OG_CORRUPT, "Rle of %" PRIu32 " bits with lengths of %" PRIu32,
                            codec->bits, length_bits);
    codec->buffer_count = 2;
    return OG_OK;
}

/* Runs [0, runs) as a cursor: the picked items are ascending, so one pass serves them all. The
 * whole must hold `items`, which is checked as far as the pick goes. */
#define DEFINE_RLE(T)                                                                              \
    static bool rle_expand##T(const uint8_t *values, const uint8_t *lengths, uint64_t runs,        \
                              const og_lance__pick *pick, uint8_t *dst)                            \
    {                                                                                              \
        uint64_t run = 0, run_end = 0, done = 0;                                                   \
        uint##T##_t value = 0;                                                                     \
        while (done < pick->count) {                                                               \
            uint64_t at = og_lance__pick_at(pick, done);                                           \
            while (run_end <= at) {                                                                \
                if (run == runs)                                                                   \
                    return false;                                                                  \
                memcpy(&value, values + run * sizeof value, sizeof value);                         \
                run_end += lengths[run++];                                                         \
            }                                                                                      \
            uint64_t end = done + 1;                                                               \
            if (pick->items == NULL)                                                               \
                end = pick->count - done < run_end - at ? pick->count : done + (run_end - at);     \
            for (; done < end; done++)                                                             \
                memcpy(dst + done * sizeof value, &value, sizeof value);                           \
        }                                                                                          \
        return true;                                                                               \
    }
DEFINE_RLE(8)
DEFINE_RLE(16)
DEFINE_RLE(32)
DEFINE_RLE(64)

static og_status rle_runs(const og_lance__codec *codec, og_bytes values, og_bytes lengths,
                          uint64_t items, const og_lance__pick *pick, og_lance__sink *sink,
                          og_error *err)
{
    const uint32_t width = codec->bits / 8;
    uint64_t runs = values.len / width < lengths.len ? values.len / width : lengths.len;
    if (items > runs * UINT8_MAX)
        return short_buffer("Rle", values.len, items, err);
    uint8_t *dst;
    OG_TRY(og_lance__sink_numbers(sink, codec->bits, pick->count, "Rle", &dst, err));
    bool ok;
    switch (codec->bits) {
    case 8:
        ok = rle_expand8(values.ptr, lengths.ptr, runs, pick, dst);
        break;
    case 16:
        ok = rle_expand16(values.ptr, lengths.ptr, runs, pick, dst);
        break;
    case 32:
        ok = rle_expand32(values.ptr, lengths.ptr, runs, pick, dst);
        break;
    default:
        ok = rle_expand64(values.ptr, lengths.ptr, runs, pick, dst);
        break;
    }
    return ok ? OG_OK : short_buffer("Rle", values.len, items, err);
}

static og_status rle_chunk(const og_lance__codec *codec, const og_bytes *buffers, uint64_t items,
                           const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    return rle_runs(codec, buffers[0], buffers[1], items, pick, sink, err);
}

og_status og_lance__rle_codes(const og_lance__codec *codec, const og_bytes *buffers, uint64_t items,
                              const og_lance__pick *pick, og_lance__sink *sink, uint32_t *codes,
                              og_error *err)
{
    const uint32_t width = codec->bits / 8;
    const uint8_t *values = buffers[0].ptr, *lengths = buffers[1].ptr;
    uint64_t runs =
        buffers[0].len / width < buffers[1].len ? buffers[0].len / width : buffers[1].len;
    uint64_t end = pick->start + pick->count, done = 0;
    for (uint64_t run = 0, at = 0; done < pick->count; at += lengths[run++]) {
        if (run == runs)
            return short_buffer("Rle", buffers[0].len, items, err);
        uint64_t stop = at + lengths[run] < end ? at + lengths[run] : end;
        if (stop <= pick->start + done)
            continue;
        uint8_t *dst;
        OG_TRY(og_lance__sink_numbers(sink, codec->bits, 1, "Rle", &dst, err));
        memcpy(dst, values + run * width, width);
        for (uint32_t code = (uint32_t)(sink->count - 1); done < stop - pick->start; done++)
            codes[done] = code;
    }
    return OG_OK;
}

/* u64 bytes of the values, values, lengths. */
static og_status rle_block(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                           const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    if (items == 0)
        return OG_OK;
    if (bytes.len < 8 || og_load_u64(bytes.ptr) > bytes.len - 8)
        return short_buffer("Rle", bytes.len, items, err);
    size_t value_bytes = (size_t)og_load_u64(bytes.ptr);
    og_bytes values = {bytes.ptr + 8, value_bytes};
    og_bytes lengths = {values.ptr + value_bytes, bytes.len - 8 - value_bytes};
    return rle_runs(codec, values, lengths, items, pick, sink, err);
}

const og_lance__codec_ops og_lance__rle_ops = {
    .name = "Rle",
    .open = rle_open,
    .chunk = rle_chunk,
    .block = rle_block,
};

/* ---- byte stream split -------------------------------------------------------------------- */

static og_status split_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                            og_lance__place place, og_error *err)
{
    (void)place;
    OG_TRY(og_lance__flat_bits(encoding->byte_stream_split->values, "ByteStreamSplit", &codec->bits,
                               err));
    if (!og_lance__is_word(codec->bits))
        return og_error_set(err, OG_CORRUPT, "ByteStreamSplit of %" PRIu32 " bits", codec->bits);
    codec->buffer_count = 1;
    return OG_OK;
}

/* Byte k of all values, for each k. */
static og_status split_chunk(const og_lance__codec *codec, const og_bytes *buffers, uint64_t items,
                             const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    const uint32_t width = codec->bits / 8;
    if (items > buffers[0].len / width)
        return short_buffer("ByteStreamSplit", buffers[0].len, items, err);
    uint8_t *dst;
    OG_TRY(og_lance__sink_numbers(sink, codec->bits, pick->count, "ByteStreamSplit", &dst, err));
    const uint8_t *streams = buffers[0].ptr;
    if (pick->items == NULL) {
        og_lance__join_bytes(streams + pick->start, items, pick->count, width, dst);
        return OG_OK;
    }
    for (uint64_t i = 0; i < pick->count; i++) {
        for (uint32_t k = 0; k < width; k++)
            dst[i * width + k] = streams[k * items + pick->items[i]];
    }
    return OG_OK;
}

const og_lance__codec_ops og_lance__stream_split_ops = {
    .name = "ByteStreamSplit",
    .open = split_open,
    .chunk = split_chunk,
};
