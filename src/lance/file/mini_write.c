/* Mini-block pages: narrow values in chunks of a few KiB (docs/dev/lance.md section 11.1). */
#include "lance/file/bitpack_pack.h"
#include "lance/file/byte_split.h"
#include "lance/file/message_write.h"
#include "lance/file/page_write.h"

/* A point read decodes one chunk, so a chunk is small. */
#define CHUNK_BYTES 8192
/* Tables of a zstd frame cost some microseconds whatever its size. */
#define ZSTD_CHUNK_BYTES 16384
#define BITPACK_VALUES 1024
/* Keeps every level encoding of a chunk below the 65535 bytes that its header can say. */
#define CHUNK_LEVELS 16384

/* ---- values ------------------------------------------------------------------------------- */

static bool encode_bools(const og_lance__values *values, uint64_t start, uint64_t count,
                         og_buf *out)
{
    const uint8_t *in = values->data + start;
    size_t at = out->len;
    if (!og_buf_fill(out, 0, og_bitmap_bytes((size_t)count)))
        return false;
    uint8_t *bits = out->ptr + at;
    uint64_t i = 0;
    for (; i + 8 <= count; i += 8) /* eight bytes of 0 or 1 to eight bits */
        bits[i / 8] = (uint8_t)(og_load_u64(in + i) * 0x0102040810204080u >> 56);
    for (; i < count; i++)
        bits[i / 8] |= (uint8_t)(in[i] << (i & 7));
    return true;
}

static bool encode_bitpacked(const og_lance__values *values, uint64_t start, uint64_t count,
                             og_buf *out)
{
    const uint8_t *in = values->data + start * values->width;
    uint64_t all = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t value = 0;
        memcpy(&value, in + i * values->width, values->width);
        all |= value;
    }
    uint64_t bits = all == 0 ? 0 : 64 - (uint64_t)__builtin_clzll(all);
    return og_buf_append(out, &bits, values->width) &&
           og_lance__pack(in, (size_t)count, values->width * 8, (uint32_t)bits, out);
}

static bool encode_runs(const og_lance__values *values, uint64_t start, uint64_t count,
                        og_buf *runs, og_buf *lengths)
{
    size_t width = values->width;
    const uint8_t *in = values->data + start * width;
    for (uint64_t i = 0; i < count;) {
        uint64_t run = 1;
        while (run < 255 && i + run < count &&
               memcmp(in + (i + run) * width, in + i * width, width) == 0)
            run++;
        if (!og_buf_append(runs, in + i * width, width) || !og_buf_byte(lengths, (uint8_t)run))
            return false;
        i += run;
    }
    return true;
}

static bool encode_split(const og_lance__values *values, uint64_t start, uint64_t count,
                         og_buf *out)
{
    size_t width = values->width;
    if (!og_buf_reserve(out, (size_t)count * width))
        return false;
    og_lance__split_bytes(values->data + start * width, (size_t)count, width, out->ptr + out->len);
    out->len += (size_t)count * width;
    return true;
}

/* Offsets count from the start of the buffer; the end is padded to their width. */
static bool encode_offsets(const og_lance__values *values, uint64_t start, uint64_t count,
                           og_buf *out)
{
    size_t width = values->wide_offsets ? 8 : 4, head = ((size_t)count + 1) * width;
    uint32_t first = values->offsets[start];
    size_t len = values->offsets[start + count] - first;
    if (!og_buf_reserve(out, head + len + width))
        return false;
    uint8_t *at = out->ptr + out->len;
    for (uint64_t i = 0; i <= count; i++) {
        uint64_t offset = head + (values->offsets[start + i] - first);
        memcpy(at + i * width, &offset, width);
    }
    out->len += head;
    return og_buf_append(out, values->data + first, len) &&
           og_buf_fill(out, 0, (size_t)(og_align_up(len, width) - len));
}

static bool encode_item_validity(const og_lance__values *values, uint64_t start, uint64_t count,
                                 og_buf *out)
{
    uint64_t first = start * values->list_size, items = count * values->list_size;
    size_t at = out->len;
    if (!og_buf_fill(out, 0, og_bitmap_bytes((size_t)items)))
        return false;
    for (uint64_t i = 0; i < items; i++) {
        if (values->item_validity[first + i])
            og_bit_set(out->ptr + at, i);
    }
    return true;
}

static uint32_t buffer_count(const og_lance__values *values, const og_lance__plan *plan)
{
    return plan->codec == OG_LANCE__RLE || values->item_validity != NULL ? 2 : 1;
}

bool og_lance__chunk_encode(const og_lance__values *values, const og_lance__plan *plan,
                            uint64_t start, uint64_t count, og_buf *first, og_buf *second)
{
    switch (plan->codec) {
    case OG_LANCE__BITPACKED:
        return encode_bitpacked(values, start, count, first);
    case OG_LANCE__RLE:
        return encode_runs(values, start, count, first, second);
    case OG_LANCE__SPLIT:
        return encode_split(values, start, count, first);
    case OG_LANCE__OFFSETS:
    case OG_LANCE__FSST:
        return encode_offsets(values, start, count, first);
    case OG_LANCE__FLAT:
        break;
    }
    if (values->kind == OG_LANCE__BOOL)
        return encode_bools(values, start, count, first);
    bool has_nulls = values->item_validity != NULL;
    if (has_nulls && !encode_item_validity(values, start, count, first))
        return false;
    return og_buf_append(has_nulls ? second : first, values->data + start * values->width,
                         (size_t)count * values->width);
}

static uint64_t values_bytes(const og_lance__values *values, uint64_t start, uint64_t count)
{
    if (values->kind != OG_LANCE__VARIABLE)
        return count * values->width;
    return values->offsets[start + count] - values->offsets[start] +
           (count + 1) * (values->wide_offsets ? 8 : 4);
}

uint64_t og_lance__chunk_count(const og_lance__values *values, const og_lance__plan *plan,
                               uint64_t start)
{
    uint64_t left = values->count - start, most = OG_LANCE__CHUNK_VALUES;
    uint64_t bytes = plan->zstd ? ZSTD_CHUNK_BYTES : CHUNK_BYTES;
    if (plan->codec == OG_LANCE__BITPACKED)
        most = BITPACK_VALUES;
    else if (plan->codec == OG_LANCE__RLE || values->kind == OG_LANCE__BOOL)
        bytes = UINT64_MAX;
    if (left <= 2 || (left <= most && values_bytes(values, start, left) <= bytes))
        return left;
    uint64_t count = 2;
    while (count * 2 <= most && count * 2 <= left &&
           values_bytes(values, start, count * 2) <= bytes)
        count *= 2;
    return count;
}

static void put_codec(og_buf *out, const og_lance__values *values, const og_lance__plan *plan)
{
    static const uint32_t fields[] = {
        [OG_LANCE__BITPACKED] = OG_LANCE__PB_INLINE_BITPACKING,
        [OG_LANCE__RLE] = OG_LANCE__PB_RLE,
        [OG_LANCE__SPLIT] = OG_LANCE__PB_BYTE_STREAM_SPLIT,
        [OG_LANCE__FSST] = OG_LANCE__PB_FSST,
    };
    size_t message = og_lance__msg_open(out, fields[plan->codec]), inner;
    switch (plan->codec) {
    case OG_LANCE__BITPACKED:
        og_lance__msg_u64(out, 1, values->width * 8);
        break;
    case OG_LANCE__RLE:
        inner = og_lance__msg_open(out, 1);
        og_lance__put_flat(out, values->width * 8);
        og_lance__msg_close(out, inner);
        inner = og_lance__msg_open(out, 2);
        og_lance__put_flat(out, 8);
        og_lance__msg_close(out, inner);
        break;
    case OG_LANCE__SPLIT:
        inner = og_lance__msg_open(out, 1);
        og_lance__put_flat(out, values->width * 8);
        og_lance__msg_close(out, inner);
        break;
    default:
        og_lance__msg_bytes(out, 1, og_lance__fsst_table(plan->fsst), OG_LANCE__FSST_TABLE_BYTES);
        inner = og_lance__msg_open(out, 2);
        og_lance__put_variable(out, values->wide_offsets);
        og_lance__msg_close(out, inner);
        break;
    }
    og_lance__msg_close(out, message);
}

static void put_flat_values(og_buf *out, const og_lance__values *values)
{
    if (values->list_size == 0) {
        og_lance__put_flat(out, values->kind == OG_LANCE__BOOL ? 1 : values->width * 8);
        return;
    }
    size_t list = og_lance__msg_open(out, OG_LANCE__PB_FIXED_SIZE_LIST);
    og_lance__msg_u64(out, 1, values->list_size);
    size_t item = og_lance__msg_open(out, 2);
    og_lance__put_flat(out, values->width / values->list_size * 8);
    og_lance__msg_close(out, item);
    og_lance__msg_u64(out, 3, values->item_validity != NULL);
    og_lance__msg_close(out, list);
}

void og_lance__put_values(og_buf *out, const og_lance__values *values, const og_lance__plan *plan)
{
    og_lance__general general = {0};
    if (plan->zstd)
        general = og_lance__open_zstd(out);
    if (plan->codec == OG_LANCE__FLAT)
        put_flat_values(out, values);
    else if (plan->codec == OG_LANCE__OFFSETS)
        og_lance__put_variable(out, values->wide_offsets);
    else
        put_codec(out, values, plan);
    if (plan->zstd)
        og_lance__close_zstd(out, general);
}

/* ---- chunks ------------------------------------------------------------------------------- */

typedef struct cursor {
    uint64_t value, level;   /* where the chunk starts */
    uint64_t values, levels; /* what it holds */
    bool is_last;
} cursor;

/* The entry behind the one that holds the `count`-th value from `entry`, or UINT64_MAX when that is
 * more than CHUNK_LEVELS away. Entries without a value belong to the chunk of the next value. */
static uint64_t level_end(const og_lance__levels *levels, uint64_t entry, uint64_t count)
{
    if (levels->rep == NULL || levels->def == NULL)
        return count <= CHUNK_LEVELS ? entry + count : UINT64_MAX;
    uint64_t seen = 0, start = entry;
    while (seen < count) {
        if (entry - start >= CHUNK_LEVELS)
            return UINT64_MAX;
        seen += og_lance__is_visible(levels, entry++);
    }
    return entry;
}

/* How many values the chunk at `at` takes, so that its levels fit too. False when even two do
 * not. */
static bool cut_chunk(const og_lance__values *values, const og_lance__levels *levels,
                      const og_lance__plan *plan, cursor *at)
{
    uint64_t left = values->count - at->value;
    uint64_t count = og_lance__chunk_count(values, plan, at->value);
    at->is_last = count == left && levels->count - at->level <= CHUNK_LEVELS;
    if (at->is_last) {
        at->values = count;
        at->levels = levels->count - at->level;
        return true;
    }
    if (count == left && count > 1) /* The levels are too many for one chunk. */
        count = 1ull << (63 - __builtin_clzll(count - 1));
    for (; count >= 2; count /= 2) {
        uint64_t end = level_end(levels, at->level, count);
        if (end == UINT64_MAX)
            continue;
        at->values = count;
        at->levels = end - at->level;
        return true;
    }
    return false;
}

/* Per chunk: rows that end in it, and levels behind the last row start (0 when the next chunk
 * starts with a row). A row is known to end only when the next one starts. */
static bool index_chunk(const og_lance__levels *levels, const cursor *at, og_buf *index)
{
    const uint16_t *rep = levels->rep + at->level;
    uint64_t ends = at->is_last, left = at->is_last ? 0 : at->levels;
    for (uint64_t i = 0; i < at->levels; i++) {
        if (rep[i] != levels->max_rep)
            continue;
        ends += i > 0;
        if (!at->is_last)
            left = at->levels - i;
    }
    if (index->len > 0 && rep[0] == levels->max_rep) {
        uint64_t *before = (uint64_t *)(index->ptr + index->len) - 2;
        before[0]++;
        before[1] = 0;
    }
    return og_buf_u64(index, ends) && og_buf_u64(index, left);
}

static bool pad8(og_buf *out)
{
    return og_buf_fill(out, 0, (size_t)(-out->len & 7));
}

static bool put_level_part(const uint16_t *levels, og_lance__level_plan plan, const cursor *at,
                           size_t header, og_buf *out)
{
    if (levels == NULL)
        return true;
    size_t start = out->len;
    if (!og_lance__level_encode(plan, levels + at->level, at->levels, out))
        return false;
    uint16_t len = (uint16_t)(out->len - start);
    memcpy(out->ptr + header, &len, sizeof len);
    return pad8(out);
}

typedef struct mini_page {
    const og_lance__values *values;
    const og_lance__levels *levels;
    const og_lance__plan *plan;
    og_lance__level_plan rep_plan, def_plan;
} mini_page;

/* Values go straight to the page, unless they are to be compressed. */
static bool put_values(og_lance__encoder *encoder, const mini_page *page, const cursor *at,
                       og_buf *out, og_buf *second)
{
    const og_lance__plan *plan = page->plan;
    if (!plan->zstd)
        return og_lance__chunk_encode(page->values, plan, at->value, at->values, out, second);
    og_buf *raw = &encoder->chunk;
    og_buf_clear(raw);
    return og_lance__chunk_encode(page->values, plan, at->value, at->values, raw, second) &&
           og_lance__zstd_chunk(encoder, page->values, at->values, raw, out);
}

/* The length of a buffer that has been written from `start` on. */
static bool put_part_end(og_buf *out, size_t start, size_t header)
{
    uint32_t len = (uint32_t)(out->len - start);
    memcpy(out->ptr + header, &len, sizeof len);
    return pad8(out);
}

static bool put_chunk(og_lance__encoder *encoder, const mini_page *page, const cursor *at,
                      og_buf *out)
{
    bool has_rep = page->levels->rep != NULL, has_def = page->levels->def != NULL;
    uint32_t buffers = buffer_count(page->values, page->plan);
    size_t start = out->len, rep_header = start + 2, def_header = rep_header + 2 * has_rep;
    size_t size_header = def_header + 2 * has_def;
    if (!og_buf_fill(out, 0, size_header + 4 * buffers - start) || !pad8(out))
        return false;
    uint16_t level_count = has_rep || has_def ? (uint16_t)at->levels : 0;
    memcpy(out->ptr + start, &level_count, sizeof level_count);
    if (!put_level_part(page->levels->rep, page->rep_plan, at, rep_header, out) ||
        !put_level_part(page->levels->def, page->def_plan, at, def_header, out))
        return false;
    og_buf *second = &encoder->second;
    og_buf_clear(second);
    size_t first_start = out->len;
    if (!put_values(encoder, page, at, out, second) || !put_part_end(out, first_start, size_header))
        return false;
    if (buffers == 1)
        return true;
    size_t second_start = out->len;
    return og_buf_append(out, second->ptr, second->len) &&
           put_part_end(out, second_start, size_header + 4);
}

static bool put_chunk_word(const cursor *at, size_t bytes, og_buf *out)
{
    uint32_t log2 = at->is_last ? 0 : 63 - (uint32_t)__builtin_clzll(at->values);
    return og_buf_u32(out, (uint32_t)(bytes / 8 - 1) << 4 | log2);
}

static void put_dictionary(og_buf *out, const og_lance__dict_block *dict)
{
    size_t message = og_lance__msg_open(out, 4);
    og_lance__general general = {0};
    if (dict->zstd)
        general = og_lance__open_zstd(out);
    if (dict->bits == 0)
        og_lance__put_variable(out, dict->wide_offsets);
    else
        og_lance__put_flat(out, dict->bits);
    if (dict->zstd)
        og_lance__close_zstd(out, general);
    og_lance__msg_close(out, message);
    og_lance__msg_u64(out, 5, dict->items);
}

static void put_layout(og_buf *out, const mini_page *page, const og_lance__dict_block *dict)
{
    const og_lance__levels *levels = page->levels;
    size_t layout = og_lance__msg_open(out, 1), part;
    if (levels->rep != NULL) {
        part = og_lance__msg_open(out, 1);
        og_lance__put_levels(out, page->rep_plan);
        og_lance__msg_close(out, part);
    }
    if (levels->def != NULL) {
        part = og_lance__msg_open(out, 2);
        og_lance__put_levels(out, page->def_plan);
        og_lance__msg_close(out, part);
    }
    part = og_lance__msg_open(out, 3);
    og_lance__put_values(out, page->values, page->plan);
    og_lance__msg_close(out, part);
    if (dict != NULL)
        put_dictionary(out, dict);
    og_lance__msg_packed(out, 6, levels->layers, levels->layer_count);
    og_lance__msg_u64(out, 7, buffer_count(page->values, page->plan));
    og_lance__msg_u64(out, 8, levels->rep != NULL);
    og_lance__msg_u64(out, 9, page->values->count);
    og_lance__msg_u64(out, 10, true);
    og_lance__msg_close(out, layout);
}

static og_lance__level_plan plan_levels(const uint16_t *levels, uint64_t count)
{
    return levels != NULL ? og_lance__level_plan_of(levels, count) : (og_lance__level_plan){0};
}

og_status og_lance__mini_encode(og_lance__encoder *encoder, const og_lance__values *values,
                                const og_lance__levels *levels, const og_lance__plan *plan,
                                const og_lance__dict_block *dict, og_lance__page *out,
                                bool *out_fits, og_error *err)
{
    mini_page page = {values, levels, plan, plan_levels(levels->rep, levels->count),
                      plan_levels(levels->def, levels->count)};
    og_lance__page_clear(out);
    og_buf *words = &out->buffers[0], *data = &out->buffers[1];
    og_buf *index = &out->buffers[dict != NULL ? 3 : 2];
    *out_fits = false;
    /* Most pages keep about this much; growing to it step by step would copy it. */
    if (!og_buf_reserve(data, (size_t)values_bytes(values, 0, values->count) / 2))
        return og_error_nomem(err);
    for (cursor at = {0}; !at.is_last; at.value += at.values, at.level += at.levels) {
        if (!cut_chunk(values, levels, plan, &at))
            return OG_OK;
        size_t start = data->len;
        if (!put_chunk(encoder, &page, &at, data) ||
            !put_chunk_word(&at, data->len - start, words) ||
            (levels->rep != NULL && !index_chunk(levels, &at, index)))
            return og_error_nomem(err);
    }
    if (dict != NULL)
        og_buf_append(&out->buffers[2], dict->bytes, dict->len);
    put_layout(&out->layout, &page, dict);
    out->buffer_count = 2 + (dict != NULL) + (levels->rep != NULL);
    if (out->layout.failed || out->buffers[2].failed)
        return og_error_nomem(err);
    *out_fits = true;
    return OG_OK;
}
