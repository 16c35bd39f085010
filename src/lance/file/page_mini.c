/* Mini-block layout (docs/dev/lance.md section 11.1): narrow values in chunks of a few KiB.
 *
 * Page buffers: [0] chunk words, [1] chunk data, [2] dictionary if there is one, [last] repetition
 * index if there are lists. A chunk word is (bytes / 8 - 1) << 4 | log2(values), u16 or u32; the
 * last chunk takes the items that are left. A chunk:
 *
 *     u16 levels, u16 rep bytes (if rep), u16 def bytes (if def), u16|u32 bytes of each buffer
 *     rep, def, buffers; each part 8-aligned
 *
 * The repetition index has {u64 rows that end, u64 levels of a row begun and not ended} per
 * chunk. */
#include "lance/file/kept_priv.h"
#include "lance/file/page_mini_priv.h"

#include <inttypes.h>

/* Without mapping: chunks this near to each other are fetched in one request. */
enum { FETCH_GAP = 64 * 1024, FETCH_MAX = 8 * 1024 * 1024 };

/* ---- one chunk ---------------------------------------------------------------------------- */

/* The 8-aligned part of `len` bytes at *at; *at moves behind it. */
static og_status take_part(og_bytes chunk, size_t *at, size_t len, og_bytes *out, og_error *err)
{
    size_t start = og_align_up(*at, 8);
    if (start > chunk.len || len > chunk.len - start)
        return og_error_set(err, OG_CORRUPT, "a part of %zu bytes at %zu of the chunk's %zu", len,
                            start, chunk.len);
    *out = (og_bytes){chunk.ptr + start, len};
    *at = start + len;
    return OG_OK;
}

static og_status split_chunk(const og_lance__page *page, og_bytes chunk,
                             og_lance__chunk_parts *parts, og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    const uint32_t size_width = m->large_chunks ? 4 : 2;
    size_t at = 2 + 2 * (m->rep != NULL) + 2 * (m->def != NULL);
    size_t header = at + (size_t)m->values->buffer_count * size_width;
    if (header > chunk.len)
        return og_error_set(err, OG_CORRUPT, "the chunk has %zu bytes, less than its header",
                            chunk.len);
    parts->levels = og_load_u16(chunk.ptr);
    size_t part = header;
    if (m->rep != NULL)
        OG_TRY(take_part(chunk, &part, og_load_u16(chunk.ptr + 2), &parts->rep, err));
    if (m->def != NULL)
        OG_TRY(take_part(chunk, &part, og_load_u16(chunk.ptr + at - 2), &parts->def, err));
    for (uint32_t i = 0; i < m->values->buffer_count; i++, at += size_width) {
        size_t len = m->large_chunks ? og_load_u32(chunk.ptr + at) : og_load_u16(chunk.ptr + at);
        OG_TRY(take_part(chunk, &part, len, &parts->buffers[i], err));
    }
    return OG_OK;
}

void og_lance__window_deinit(og_lance__window *w)
{
    og_lance__span_deinit(&w->span);
}

/* End of the chunks worth fetching together with chunk `c` for rows[from..]. */
static uint64_t fetch_end(const og_lance__mini_block *m, uint32_t c, const og_lance__rows *rows,
                          uint64_t from)
{
    uint64_t start = m->chunks[c].offset, end = m->chunks[c + 1].offset;
    uint32_t next = c + 1;
    for (uint64_t i = from; i < rows->count && next < m->chunk_count; i++) {
        uint64_t row = og_lance__row_at(rows, i);
        if (row < m->chunks[next].first_row)
            continue;
        while (m->chunks[next + 1].first_row <= row && next + 1 < m->chunk_count)
            next++;
        if (m->chunks[next].offset > end + FETCH_GAP ||
            m->chunks[next + 1].offset > start + FETCH_MAX)
            break;
        end = m->chunks[++next].offset;
    }
    return end;
}

/* The parts of chunk `c`, which rows[from] leads to. */
og_status og_lance__mini_load(const og_lance__page *page, uint32_t c, const og_lance__rows *rows,
                              uint64_t from, og_lance__window *w, og_lance__chunk_parts *parts,
                              og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    const og_lance__chunk *chunk = &m->chunks[c];
    uint64_t end = chunk[1].offset;
    if (w->span.ptr == NULL || chunk->offset < w->offset || end - w->offset > w->span.len) {
        og_lance__window_deinit(w);
        const og_lance__buffer *data = &page->info->buffers[1];
        bool whole = og_lance__file_is_whole(page->file);
        uint64_t start = whole ? 0 : chunk->offset;
        uint64_t stop = whole ? data->size : fetch_end(m, c, rows, from);
        OG_TRY(og_lance__file_span(page->file, data->offset + start, stop - start, &w->span, err));
        w->offset = start;
    }
    parts->items = chunk[1].first_item - chunk->first_item;
    return split_chunk(page,
                       (og_bytes){w->span.ptr + (chunk->offset - w->offset), end - chunk->offset},
                       parts, err);
}

/* ---- values ------------------------------------------------------------------------------- */

static og_status bad_index(uint64_t index, uint64_t count, og_error *err)
{
    return og_error_set(err, OG_CORRUPT,
                        "index %" PRIu64 " into a dictionary of %" PRIu64 " values", index, count);
}

/* The indices as u32, checked: in place, or in *widened when they have another width. */
og_status og_lance__mini_indices(const og_lance__sink *indices, uint64_t limit, uint32_t **widened,
                                 const uint32_t **out, og_error *err)
{
    const uint32_t *narrow = (const uint32_t *)indices->data;
    if (indices->value_bytes != sizeof *narrow) {
        *widened = og_malloc(indices->count * sizeof **widened);
        if (*widened == NULL)
            return og_error_nomem(err);
        for (uint64_t i = 0; i < indices->count; i++) {
            uint64_t index = 0;
            memcpy(&index, indices->data + i * indices->value_bytes, indices->value_bytes);
            (*widened)[i] = index < UINT32_MAX ? (uint32_t)index : UINT32_MAX;
        }
        narrow = *widened;
    }
    uint32_t highest = 0;
    for (uint64_t i = 0; i < indices->count; i++)
        highest = narrow[i] > highest ? narrow[i] : highest;
    if (highest >= limit)
        return bad_index(highest, limit, err);
    *out = narrow;
    return OG_OK;
}

static og_status lookup_numbers(const og_lance__sink *dictionary, const uint32_t *indices,
                                uint64_t count, og_lance__sink *sink, og_error *err)
{
    uint8_t *dst;
    OG_TRY(
        og_lance__sink_numbers(sink, dictionary->value_bytes * 8, count, "Dictionary", &dst, err));
    const size_t width = dictionary->item_bytes;
    if (width == 8) {
        for (uint64_t i = 0; i < count; i++)
            memcpy(dst + i * 8, dictionary->data + indices[i] * (size_t)8, 8);
    } else {
        for (uint64_t i = 0; i < count; i++)
            memcpy(dst + i * width, dictionary->data + indices[i] * width, width);
    }
    return OG_OK;
}

static og_status lookup_texts(const og_lance__sink *dictionary, const uint32_t *indices,
                              uint64_t count, og_lance__sink *sink, og_error *err)
{
    if (sink->kind != OG_LANCE__BYTES)
        return og_error_set(err, OG_CORRUPT,
                            "a dictionary of texts does not fit the column's type");
    const int32_t *offsets = dictionary->offsets;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < count; i++)
        bytes += (uint32_t)(offsets[indices[i] + 1] - offsets[indices[i]]);
    OG_TRY(og_lance__sink_reserve(sink, count, err));
    OG_TRY(og_lance__sink_reserve_text(sink, bytes + OG_LANCE__SHORT_TEXT, err));
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *text = dictionary->data + offsets[indices[i]];
        size_t len = (size_t)(offsets[indices[i] + 1] - offsets[indices[i]]);
        /* Both sides have the slack to copy a short text as one vector. */
        if (len <= OG_LANCE__SHORT_TEXT)
            memcpy(sink->data + sink->data_len, text, OG_LANCE__SHORT_TEXT);
        else
            memcpy(sink->data + sink->data_len, text, len);
        sink->data_len += len;
        og_lance__sink_end_item(sink);
    }
    return og_lance__sink_check_data(sink, err);
}

static og_status read_dictionary(const og_lance__page *page, const og_lance__codec *codec,
                                 const og_lance__chunk_parts *parts, const og_lance__pick *pick,
                                 og_lance__sink *sink, og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    OG_LANCE__AUTO_SINK indices;
    og_lance__sink_init_fixed(&indices, codec->bits);
    OG_TRY(codec->ops->chunk(codec, parts->buffers, parts->items, pick, &indices, err));
    OG_AUTO_FREE uint32_t *widened = NULL;
    const uint32_t *checked = NULL;
    OG_TRY(og_lance__mini_indices(&indices, m->dictionary_items, &widened, &checked, err));
    return m->dictionary.kind == OG_LANCE__BYTES
               ? lookup_texts(&m->dictionary, checked, indices.count, sink, err)
               : lookup_numbers(&m->dictionary, checked, indices.count, sink, err);
}

/* `codec` is the page's, or what is inside of it when the buffers have been expanded. */
static og_status read_values(const og_lance__page *page, const og_lance__codec *codec,
                             const og_lance__chunk_parts *parts, const og_lance__pick *pick,
                             og_lance__sink *sink, og_error *err)
{
    if (pick->count == 0)
        return OG_OK;
    if (page->mini.has_dictionary)
        return read_dictionary(page, codec, parts, pick, sink, err);
    return codec->ops->chunk(codec, parts->buffers, parts->items, pick, sink, err);
}

og_status og_lance__mini_read_values(const og_lance__page *page, const og_lance__chunk_parts *parts,
                                     const og_lance__pick *pick, og_lance__sink *sink,
                                     og_error *err)
{
    return read_values(page, page->mini.values, parts, pick, sink, err);
}

/* Appends the picked levels and checks them. */
og_status og_lance__mini_levels(const og_lance__codec *codec, og_bytes bytes, uint64_t levels,
                                const og_lance__pick *pick, uint16_t max, og_lance__sink *sink,
                                og_error *err)
{
    uint64_t before = sink->count;
    if (pick->count == 0)
        return OG_OK;
    OG_TRY(codec->ops->block(codec, bytes, levels, pick, sink, err));
    if (!og_lance__levels_ok((const uint16_t *)sink->data + before, sink->count - before, max))
        return og_error_set(err, OG_CORRUPT, "a level is above %u", max);
    return OG_OK;
}

/* ---- reading without lists ---------------------------------------------------------------- */

/* Index of the chunk with the last first_row <= row. Rows ascend, so the search goes on from
 * `from`, first in its neighbourhood. */
uint32_t og_lance__mini_find(const og_lance__mini_block *m, uint32_t from, uint64_t row)
{
    uint32_t low = from, step = 1;
    while (low + step < m->chunk_count && m->chunks[low + step].first_row <= row) {
        low += step;
        step *= 2;
    }
    uint32_t high = low + step < m->chunk_count ? low + step : m->chunk_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (m->chunks[middle].first_row <= row)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The rows from rows[done] on that lie in `chunk`, at most OG_LANCE__PICK_ROWS of a list. */
og_lance__pick og_lance__mini_pick(const og_lance__chunk *chunk, const og_lance__rows *rows,
                                   uint64_t done, uint32_t items[OG_LANCE__PICK_ROWS])
{
    if (rows->list == NULL) {
        uint64_t start = rows->start + done, left = rows->count - done;
        uint64_t in_chunk = chunk[1].first_row - start;
        return (og_lance__pick){NULL, start - chunk->first_row, left < in_chunk ? left : in_chunk};
    }
    uint64_t n = 0;
    for (; n < OG_LANCE__PICK_ROWS && done + n < rows->count; n++) {
        uint64_t row = og_lance__row_at(rows, done + n);
        if (row >= chunk[1].first_row)
            break;
        items[n] = (uint32_t)(row - chunk->first_row);
    }
    return (og_lance__pick){items, 0, n};
}

og_status og_lance__mini_defs(const og_lance__page *page, const og_lance__chunk_parts *parts,
                              const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    if (parts->levels != parts->items)
        return og_error_set(err, OG_CORRUPT, "%" PRIu32 " levels for %" PRIu64 " items",
                            parts->levels, parts->items);
    return og_lance__mini_levels(page->mini.def, parts->def, parts->levels, pick,
                                 page->layers.max_def, sink, err);
}

static og_status read_flat_chunk(const og_lance__page *page, const og_lance__chunk_parts *parts,
                                 const og_lance__pick *pick, og_lance__leaf_values *leaf,
                                 og_error *err)
{
    if (page->mini.def != NULL)
        OG_TRY(og_lance__mini_defs(page, parts, pick, &leaf->def, err));
    return og_lance__mini_read_values(page, parts, pick, &leaf->values, err);
}

og_status og_lance__mini_context(const og_lance__page *page, uint32_t c, og_status status,
                                 og_error *err)
{
    return og_error_context(err, status, "chunk %" PRIu32 " at byte %" PRIu64, c,
                            page->info->buffers[1].offset + page->mini.chunks[c].offset);
}

/* Say which chunks the rows lead to. */
void og_lance__mini_expect(const og_lance__page *page, const og_lance__rows *rows)
{
    const og_lance__mini_block *m = &page->mini;
    if (rows->count == 0 || og_lance__page_is_expected(page, 1))
        return;
    uint32_t first = og_lance__mini_find(m, 0, og_lance__row_at(rows, 0));
    uint32_t last = og_lance__mini_find(m, first, og_lance__row_at(rows, rows->count - 1));
    uint64_t start = m->chunks[first].offset, end = m->chunks[last + 1].offset;
    uint64_t usual = page->info->buffers[1].size / m->chunk_count;
    uint64_t touched = rows->list == NULL ? end - start : rows->count * usual;
    if (og_lance__page_expect(page, 1, rows, start, end, touched))
        return;
    for (uint64_t i = 0, seen = UINT64_MAX; i < rows->count; i++) {
        uint32_t c = first = og_lance__mini_find(m, first, og_lance__row_at(rows, i));
        if (c != seen)
            og_lance__page_expect_at(page, 1, m->chunks[c].offset, m->chunks[c + 1].offset);
        seen = c;
    }
}

/* ---- a few rows of chunks under a compression ---------------------------------------------- */

/* Expand the other chunks of a group, too. That this fails is for those to say who read them.
 * On a whole file, where the window is the page and does not move. */
static void expand_group(const og_lance__page *page, uint32_t c, og_lance__window *w)
{
    const og_lance__mini_block *m = &page->mini;
    const og_lance__rows none = {0};
    uint32_t first = c - c % OG_LANCE__KEPT_GROUP, end = first + OG_LANCE__KEPT_GROUP;
    for (uint32_t i = first; i < end && i < m->chunk_count; i++) {
        OG_AUTO(og_lance__expanded) kept = og_lance__kept_get(page, i);
        og_lance__chunk_parts parts;
        uint8_t *bytes;
        size_t len;
        if (kept != NULL)
            continue;
        if (og_lance__mini_load(page, i, &none, 0, w, &parts, NULL) != OG_OK ||
            og_lance__general_expand(m->values, parts.buffers[0], &bytes, &len, NULL) != OG_OK ||
            og_lance__kept_put(page, i, bytes, len, &kept, NULL) != OG_OK)
            return;
    }
}

/* The chunk's first buffer expanded, as it is kept, or from now on is. `parts` has been loaded. */
static og_status expand_chunk(const og_lance__page *page, uint32_t c,
                              const og_lance__chunk_parts *parts, og_lance__window *w,
                              og_lance__expanded **out, og_error *err)
{
    uint8_t *bytes;
    size_t len;
    OG_TRY(og_lance__general_expand(page->mini.values, parts->buffers[0], &bytes, &len, err));
    OG_TRY(og_lance__kept_put(page, c, bytes, len, out, err));
    /* Not before the page is in memory: neighbours are not worth waiting for. */
    if (og_lance__kept_note(page, c) && og_lance__file_is_whole(page->file) &&
        og_lance__page_is_expected(page, 1))
        expand_group(page, c, w);
    return OG_OK;
}

static og_status read_few(const og_lance__page *page, uint32_t c, const og_lance__rows *rows,
                          uint64_t done, const og_lance__pick *pick, og_lance__window *w,
                          og_lance__leaf_values *leaf, og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    OG_AUTO(og_lance__expanded) kept = og_lance__kept_get(page, c);
    og_lance__chunk_parts parts = {.items = m->chunks[c + 1].first_item - m->chunks[c].first_item};
    if (kept == NULL || m->def != NULL || m->values->buffer_count > 1)
        OG_TRY(og_lance__mini_load(page, c, rows, done, w, &parts, err));
    if (kept == NULL)
        OG_TRY(expand_chunk(page, c, &parts, w, &kept, err));
    if (m->def != NULL)
        OG_TRY(og_lance__mini_defs(page, &parts, pick, &leaf->def, err));
    parts.buffers[0] = (og_bytes){kept->bytes, kept->len};
    return read_values(page, m->values->inner, &parts, pick, &leaf->values, err);
}

/* ---- all rows ------------------------------------------------------------------------------ */

static og_status read_many(const og_lance__page *page, uint32_t c, const og_lance__rows *rows,
                           uint64_t done, const og_lance__pick *pick, og_lance__window *w,
                           og_lance__leaf_values *leaf, og_error *err)
{
    og_lance__chunk_parts parts;
    OG_TRY(og_lance__mini_load(page, c, rows, done, w, &parts, err));
    return read_flat_chunk(page, &parts, pick, leaf, err);
}

static og_status read_flat(const og_lance__page *page, const og_lance__rows *rows,
                           og_lance__window *w, og_lance__leaf_values *leaf, og_error *err)
{
    uint32_t items[OG_LANCE__PICK_ROWS];
    uint32_t c = 0;
    bool is_few =
        rows->list != NULL && rows->count <= OG_LANCE_FEW_ROWS && og_lance__keeps_chunks(page);
    if (page->mini.def != NULL)
        OG_TRY(og_lance__sink_reserve(&leaf->def, rows->count, err));
    for (uint64_t done = 0; done < rows->count;) {
        c = og_lance__mini_find(&page->mini, c, og_lance__row_at(rows, done));
        og_lance__pick pick = og_lance__mini_pick(&page->mini.chunks[c], rows, done, items);
        og_status status = is_few ? read_few(page, c, rows, done, &pick, w, leaf, err)
                                  : read_many(page, c, rows, done, &pick, w, leaf, err);
        if (status != OG_OK)
            return og_lance__mini_context(page, c, status, err);
        done += pick.count;
    }
    return OG_OK;
}

/* ---- the layout --------------------------------------------------------------------------- */

static og_status mini_read(const og_lance__page *page, const og_lance__rows *rows,
                           og_lance__leaf_values *leaf, og_error *err)
{
    OG_LANCE__AUTO_WINDOW w = {0};
    if (page->mini.chunk_count == 0)
        return og_error_set(err, OG_CORRUPT, "the page has rows but no chunks");
    og_lance__mini_expect(page, rows);
    if (page->mini.rep == NULL)
        return read_flat(page, rows, &w, leaf, err);
    return og_lance__mini_read_lists(page, rows, &w, leaf, err);
}

const og_lance__page_ops og_lance__mini_block_ops = {
    .name = "mini-block",
    .open = og_lance__mini_open,
    .read = mini_read,
    .close = og_lance__mini_close,
};
