/* Codecs of byte strings: Variable and FSST. */
#include "lance/file/codec_priv.h"

#include "lance/file/fsst_priv.h"

#include <inttypes.h>

/* Offsets of byte strings as they stand in a chunk or block: `items` + 1 of them, of `bits` each;
 * string i is data[offset i, offset i + 1). Nothing of them has been checked. */
typedef struct strings {
    const uint8_t *offsets;
    og_bytes data;
    uint32_t bits;
} strings;

static og_status bad_offsets(og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "Variable: offsets descend or pass the buffer's end");
}

/* ---- copying whole ranges ----------------------------------------------------------------- */

/* to[i + 1] = base + (from[i + 1] - from[0]); false when the offsets descend or pass `limit`. */
#define DEFINE_REBASE(FROM, TO)                                                                    \
    static bool rebase_##FROM##_##TO(const uint8_t *from, uint64_t count, uint64_t limit,          \
                                     uint64_t base, void *to)                                      \
    {                                                                                              \
        TO##_t *dst = to;                                                                          \
        FROM##_t first, prev;                                                                      \
        memcpy(&first, from, sizeof first);                                                        \
        prev = first;                                                                              \
        bool descends = false;                                                                     \
        for (uint64_t i = 1; i <= count; i++) {                                                    \
            FROM##_t next;                                                                         \
            memcpy(&next, from + i * sizeof next, sizeof next);                                    \
            descends |= next < prev;                                                               \
            dst[i] = (TO##_t)(base + (next - first));                                              \
            prev = next;                                                                           \
        }                                                                                          \
        return !descends && prev <= limit;                                                         \
    }
DEFINE_REBASE(uint32, int32)
DEFINE_REBASE(uint32, int64)
DEFINE_REBASE(uint64, int32)
DEFINE_REBASE(uint64, int64)

static uint64_t offset_at(const strings *s, uint64_t index)
{
    return s->bits == 32 ? og_load_u32(s->offsets + index * 4)
                         : og_load_u64(s->offsets + index * 8);
}

static og_status copy_range(const strings *s, uint64_t start, uint64_t count, og_lance__sink *sink,
                            og_error *err)
{
    if (count == 0)
        return OG_OK;
    OG_TRY(og_lance__sink_reserve(sink, count, err));
    uint64_t first = offset_at(s, start), last = offset_at(s, start + count);
    if (first > last || last > s->data.len)
        return bad_offsets(err);
    OG_TRY(og_lance__sink_reserve_data(sink, last - first, err));
    const uint8_t *from = s->offsets + start * (s->bits / 8);
    void *to = sink->large ? (void *)((int64_t *)sink->offsets + sink->count)
                           : (void *)((int32_t *)sink->offsets + sink->count);
    uint64_t limit = s->data.len, base = sink->data_len;
    bool ok = s->bits == 32 ? (sink->large ? rebase_uint32_int64(from, count, limit, base, to)
                                           : rebase_uint32_int32(from, count, limit, base, to))
                            : (sink->large ? rebase_uint64_int64(from, count, limit, base, to)
                                           : rebase_uint64_int32(from, count, limit, base, to));
    if (!ok)
        return bad_offsets(err);
    if (last > first)
        memcpy(sink->data + base, s->data.ptr + first, last - first);
    sink->data_len += last - first;
    sink->count += count;
    return og_lance__sink_check_data(sink, err);
}

/* ---- one by one --------------------------------------------------------------------------- */

static og_status string_at(const strings *s, uint64_t index, og_bytes *out, og_error *err)
{
    uint64_t start = offset_at(s, index), end = offset_at(s, index + 1);
    if (start > end || end > s->data.len)
        return bad_offsets(err);
    *out = (og_bytes){s->data.ptr + start, (size_t)(end - start)};
    return OG_OK;
}

static og_status copy_picked(const strings *s, const og_lance__pick *pick, og_lance__sink *sink,
                             og_error *err)
{
    if (sink->kind != OG_LANCE__BYTES)
        return og_error_set(err, OG_CORRUPT, "Variable does not fit the column's type");
    if (pick->items == NULL)
        return copy_range(s, pick->start, pick->count, sink, err);
    for (uint64_t i = 0; i < pick->count; i++) {
        og_bytes text;
        OG_TRY(string_at(s, pick->items[i], &text, err));
        OG_TRY(og_lance__sink_text(sink, text, err));
    }
    return OG_OK;
}

/* ---- Variable ----------------------------------------------------------------------------- */

static og_status variable_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                               og_lance__place place, og_error *err)
{
    codec->is_bytes = true;
    codec->buffer_count = 1;
    OG_TRY(og_lance__no_compression(encoding->variable->values, "Variable", err));
    if (place == OG_LANCE__ROW_VALUE)
        return OG_OK; /* the lengths are the layout's; the offsets' width means nothing here */
    OG_TRY(og_lance__flat_bits(encoding->variable->offsets, "Variable", &codec->bits, err));
    if (codec->bits != 32 && codec->bits != 64)
        return og_error_set(err, OG_CORRUPT, "Variable with offsets of %" PRIu32 " bits",
                            codec->bits);
    return OG_OK;
}

/* `items` + 1 offsets from the start of `bytes`. */
static og_status locate(og_bytes bytes, uint32_t bits, uint64_t items, og_error *err)
{
    uint64_t slots = bytes.len / (bits / 8);
    if (items >= slots && items != 0)
        return og_error_set(err, OG_CORRUPT,
                            "Variable: %zu bytes are too few for %" PRIu64 " offsets", bytes.len,
                            items);
    return OG_OK;
}

static og_status chunk_strings(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                               strings *out, og_error *err)
{
    OG_TRY(locate(bytes, codec->bits, items, err));
    *out = (strings){bytes.ptr, bytes, codec->bits};
    return OG_OK;
}

/* [u32 32][u32 start] or [u64 64][u64 start], offsets, data at `start`. */
static og_status block_strings(og_bytes bytes, uint64_t items, strings *out, og_error *err)
{
    if (bytes.len < 8)
        return og_error_set(err, OG_CORRUPT, "Variable: a block of %zu bytes", bytes.len);
    uint32_t bits = og_load_u32(bytes.ptr);
    size_t header = bits == 32 ? 8 : 16;
    if ((bits != 32 && bits != 64) || bytes.len < header)
        return og_error_set(err, OG_CORRUPT, "Variable: a block with offsets of %" PRIu32 " bits",
                            bits);
    uint64_t start = bits == 32 ? og_load_u32(bytes.ptr + 4) : og_load_u64(bytes.ptr + 8);
    if (start < header || start > bytes.len)
        return og_error_set(err, OG_CORRUPT,
                            "Variable: the data of a block starts at %" PRIu64 " of %zu", start,
                            bytes.len);
    OG_TRY(locate((og_bytes){bytes.ptr + header, start - header}, bits, items, err));
    *out = (strings){bytes.ptr + header, {bytes.ptr + start, bytes.len - start}, bits};
    return OG_OK;
}

static og_status variable_chunk(const og_lance__codec *codec, const og_bytes *buffers,
                                uint64_t items, const og_lance__pick *pick, og_lance__sink *sink,
                                og_error *err)
{
    strings s;
    OG_TRY(chunk_strings(codec, buffers[0], items, &s, err));
    return copy_picked(&s, pick, sink, err);
}

static og_status variable_block(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                                const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    (void)codec;
    strings s;
    OG_TRY(block_strings(bytes, items, &s, err));
    return copy_picked(&s, pick, sink, err);
}

static og_status variable_value(const og_lance__codec *codec, og_bytes bytes, og_lance__sink *sink,
                                og_error *err)
{
    (void)codec;
    return og_lance__sink_text(sink, bytes, err);
}

const og_lance__codec_ops og_lance__variable_ops = {
    .name = "Variable",
    .open = variable_open,
    .chunk = variable_chunk,
    .block = variable_block,
    .value = variable_value,
};

/* ---- FSST --------------------------------------------------------------------------------- */

static og_status fsst_open(og_lance__codec *codec, const og_lance__encoding *encoding,
                           og_lance__place place, og_error *err)
{
    const Og__Lance__File__Fsst *m = encoding->fsst;
    OG_TRY(og_lance__codec_open(m->values, place, "FSST strings", &codec->inner, err));
    if (codec->inner->ops != &og_lance__variable_ops)
        return og_error_set(err, OG_UNSUPPORTED, "FSST over %s", codec->inner->ops->name);
    codec->is_bytes = true;
    codec->bits = codec->inner->bits;
    codec->buffer_count = 1;
    codec->fsst = og_malloc(sizeof *codec->fsst);
    if (codec->fsst == NULL)
        return og_error_nomem(err);
    return og_lance__fsst_open((og_bytes){m->symbol_table.data, m->symbol_table.len}, codec->fsst,
                               err);
}

static og_status bad_code(og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "FSST: a string has an unknown code");
}

static og_status fsst_value(const og_lance__codec *codec, og_bytes bytes, og_lance__sink *sink,
                            og_error *err)
{
    if (!codec->fsst->on)
        return og_lance__sink_text(sink, bytes, err);
    if (sink->kind != OG_LANCE__BYTES)
        return og_error_set(err, OG_CORRUPT, "FSST strings do not fit the column's type");
    OG_TRY(og_lance__sink_reserve(sink, 1, err));
    OG_TRY(og_lance__sink_reserve_data(sink, og_lance__fsst_room(bytes.len), err));
    size_t len = og_lance__fsst_expand(codec->fsst, bytes, sink->data + sink->data_len);
    if (len == SIZE_MAX)
        return bad_code(err);
    sink->data_len += len;
    OG_TRY(og_lance__sink_check_data(sink, err));
    og_lance__sink_end_item(sink);
    return OG_OK;
}

/* Expand neighbouring strings, with room made once for all of them. */
static og_status fsst_range(const og_lance__codec *codec, const strings *s, uint64_t start,
                            uint64_t count, og_lance__sink *sink, og_error *err)
{
    uint64_t first = offset_at(s, start), last = offset_at(s, start + count);
    if (first > last || last > s->data.len)
        return bad_offsets(err);
    OG_TRY(og_lance__sink_reserve(sink, count, err));
    OG_TRY(og_lance__sink_reserve_data(sink, og_lance__fsst_room(last - first), err));
    for (uint64_t i = start, at = first; i < start + count; i++) {
        uint64_t end = offset_at(s, i + 1);
        if (end < at || end > last)
            return bad_offsets(err);
        size_t len =
            og_lance__fsst_expand(codec->fsst, (og_bytes){s->data.ptr + at, (size_t)(end - at)},
                                  sink->data + sink->data_len);
        if (len == SIZE_MAX)
            return bad_code(err);
        sink->data_len += len;
        og_lance__sink_end_item(sink);
        at = end;
    }
    return og_lance__sink_check_data(sink, err);
}

static og_status fsst_strings(const og_lance__codec *codec, const strings *s,
                              const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    if (!codec->fsst->on || sink->kind != OG_LANCE__BYTES)
        return copy_picked(s, pick, sink, err);
    if (pick->items == NULL)
        return pick->count > 0 ? fsst_range(codec, s, pick->start, pick->count, sink, err) : OG_OK;
    for (uint64_t i = 0; i < pick->count; i++) {
        og_bytes text;
        OG_TRY(string_at(s, pick->items[i], &text, err));
        OG_TRY(fsst_value(codec, text, sink, err));
    }
    return OG_OK;
}

static og_status fsst_chunk(const og_lance__codec *codec, const og_bytes *buffers, uint64_t items,
                            const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    strings s;
    OG_TRY(chunk_strings(codec, buffers[0], items, &s, err));
    return fsst_strings(codec, &s, pick, sink, err);
}

static og_status fsst_block(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                            const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    strings s;
    OG_TRY(block_strings(bytes, items, &s, err));
    return fsst_strings(codec, &s, pick, sink, err);
}

const og_lance__codec_ops og_lance__fsst_ops = {
    .name = "Fsst",
    .open = fsst_open,
    .chunk = fsst_chunk,
    .block = fsst_block,
    .value = fsst_value,
};
