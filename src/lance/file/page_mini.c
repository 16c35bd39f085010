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
#include "lance/file/page_priv.h"

#include <inttypes.h>

/* Rows picked from a chunk at a time, so that the pick fits on the stack. */
enum { PICK_ROWS = 1024 };
/* Without mapping: chunks this near to each other are fetched in one request. */
enum { FETCH_GAP = 64 * 1024, FETCH_MAX = 8 * 1024 * 1024 };
/* Slack behind dictionary data and text, so that short texts are copied as one vector. */
enum { SHORT_TEXT = 16 };

/* ---- opening ------------------------------------------------------------------------------ */

static og_status chunk_table(og_lance__page *page, uint64_t items, og_error *err)
{
    og_lance__mini_block *m = &page->mini;
    OG_LANCE__AUTO_SPAN words = {0};
    OG_TRY(og_lance__page_buffer(page, 0, "chunk words", &words, err));
    const uint32_t width = m->large_chunks ? 4 : 2;
    const uint64_t count = words.len / width;
    if (words.len % width != 0 || count > UINT32_MAX - 1)
        return og_error_set(err, OG_CORRUPT, "%zu bytes of chunk words", words.len);
    m->chunks = og_calloc(count + 1, sizeof *m->chunks);
    if (m->chunks == NULL)
        return og_error_nomem(err);
    m->chunk_count = (uint32_t)count;
    uint64_t offset = 0, item = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint32_t word =
            width == 4 ? og_load_u32(words.ptr + i * 4) : og_load_u16(words.ptr + i * 2);
        m->chunks[i] = (og_lance__chunk){.offset = offset, .first_item = item, .first_row = item};
        offset += ((uint64_t)(word >> 4) + 1) * 8;
        item = i + 1 < count ? item + (1u << (word & 15)) : items;
        if (item > items)
            return og_error_set(err, OG_CORRUPT, "chunk %" PRIu64 " ends after item %" PRIu64, i,
                                items);
    }
    m->chunks[count] = (og_lance__chunk){.offset = offset, .first_item = items, .first_row = items};
    if (item != items || page->info->buffer_count < 2 || offset > page->info->buffers[1].size)
        return og_error_set(err, OG_CORRUPT, "the chunks do not cover %" PRIu64 " items", items);
    page->memory += (count + 1) * sizeof *m->chunks;
    return OG_OK;
}

/* first_row and continues of each chunk. */
static og_status repetition_index(og_lance__page *page, og_error *err)
{
    og_lance__mini_block *m = &page->mini;
    OG_LANCE__AUTO_SPAN index = {0};
    OG_TRY(og_lance__page_buffer(page, page->info->buffer_count - 1, "a repetition index", &index,
                                 err));
    if (index.len / 16 < m->chunk_count)
        return og_error_set(err, OG_CORRUPT,
                            "a repetition index of %zu bytes for %" PRIu32 " chunks", index.len,
                            m->chunk_count);
    uint64_t ended = 0;
    bool open = false;
    for (uint32_t i = 0; i < m->chunk_count; i++) {
        m->chunks[i].first_row = ended + open;
        m->chunks[i].continues = open;
        uint64_t ends = og_load_u64(index.ptr + (uint64_t)i * 16);
        open = og_load_u64(index.ptr + (uint64_t)i * 16 + 8) > 0;
        if (ends > page->info->rows - ended)
            return og_error_set(err, OG_CORRUPT,
                                "the repetition index has more than %" PRIu64 " rows",
                                page->info->rows);
        ended += ends;
        if (ended + open < m->chunks[i].first_row)
            return og_error_set(err, OG_CORRUPT, "the repetition index goes back at chunk %" PRIu32,
                                i);
    }
    m->chunks[m->chunk_count].first_row = ended;
    if (ended != page->info->rows || open)
        return og_error_set(err, OG_CORRUPT,
                            "the repetition index has %" PRIu64 " rows, the page %" PRIu64, ended,
                            page->info->rows);
    return OG_OK;
}

static og_status load_dictionary(og_lance__page *page, const Og__Lance__File__MiniBlockLayout *m,
                                 og_error *err)
{
    OG_AUTO(og_lance__codec) codec = NULL;
    OG_LANCE__AUTO_SPAN bytes = {0};
    OG_TRY(og_lance__codec_open(m->dictionary, OG_LANCE__BLOCK, "the dictionary", &codec, err));
    OG_TRY(og_lance__page_buffer(page, 2, "the dictionary", &bytes, err));
    og_lance__sink *dictionary = &page->mini.dictionary;
    if (codec->is_bytes)
        og_lance__sink_init_bytes(dictionary, false);
    else
        og_lance__sink_init_fixed(dictionary, codec->bits);
    page->mini.has_dictionary = true;
    const og_lance__pick all = {.count = m->num_dictionary_items};
    OG_TRY(codec->ops->block(codec, (og_bytes){bytes.ptr, bytes.len}, all.count, &all, dictionary,
                             err));
    if (codec->is_bytes)
        OG_TRY(og_lance__sink_reserve_data(dictionary, SHORT_TEXT, err));
    page->memory += og_lance__sink_memory(dictionary);
    return OG_OK;
}

static og_status mini_open(og_lance__page *page, const Og__Lance__File__PageLayout *layout,
                           og_error *err)
{
    const Og__Lance__File__MiniBlockLayout *m = layout->mini_block_layout;
    og_lance__mini_block *mini = &page->mini;
    OG_TRY(og_lance__layers_parse(m->layers, m->n_layers, &page->layers, err));
    OG_TRY(og_lance__codec_open(m->value_compression, OG_LANCE__CHUNK, "the values", &mini->values,
                                err));
    if (m->num_buffers != mini->values->buffer_count)
        return og_error_set(err, OG_CORRUPT, "%" PRIu64 " value buffers, the encoding has %" PRIu32,
                            m->num_buffers, mini->values->buffer_count);
    if (m->rep_compression != NULL)
        OG_TRY(og_lance__codec_open(m->rep_compression, OG_LANCE__BLOCK, "repetition levels",
                                    &mini->rep, err));
    if (m->def_compression != NULL)
        OG_TRY(og_lance__codec_open(m->def_compression, OG_LANCE__BLOCK, "definition levels",
                                    &mini->def, err));
    if ((mini->rep != NULL) != (page->layers.max_rep > 0))
        return og_error_set(err, OG_CORRUPT, "repetition levels do not fit the layers");
    mini->large_chunks = m->has_large_chunk;
    OG_TRY(chunk_table(page, m->num_items, err));
    if (mini->rep != NULL)
        OG_TRY(repetition_index(page, err));
    else if (m->num_items != page->info->rows)
        return og_error_set(err, OG_CORRUPT, "%" PRIu64 " items for %" PRIu64 " rows", m->num_items,
                            page->info->rows);
    page->memory += og_lance__codec_memory(mini->rep) + og_lance__codec_memory(mini->def) +
                    og_lance__codec_memory(mini->values);
    return m->dictionary != NULL ? load_dictionary(page, m, err) : OG_OK;
}

static void mini_close(og_lance__page *page)
{
    og_lance__mini_block *m = &page->mini;
    og_lance__codec_free(m->rep);
    og_lance__codec_free(m->def);
    og_lance__codec_free(m->values);
    og_lance__sink_deinit(&m->dictionary);
    og_free(m->chunks);
}

/* ---- one chunk ---------------------------------------------------------------------------- */

typedef struct chunk_parts {
    uint64_t items;
    uint32_t levels;
    og_bytes rep, def;
    og_bytes buffers[OG_LANCE__MAX_BUFFERS];
} chunk_parts;

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

static og_status split_chunk(const og_lance__page *page, og_bytes chunk, chunk_parts *parts,
                             og_error *err)
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

/* Bytes of the data buffer that are in memory. On a mapped file that is all of it. */
typedef struct window {
    og_lance__span span;
    uint64_t offset; /* of span.ptr, in the data buffer */
} window;

static void window_deinit(window *w)
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
static og_status load_chunk(const og_lance__page *page, uint32_t c, const og_lance__rows *rows,
                            uint64_t from, window *w, chunk_parts *parts, og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    const og_lance__chunk *chunk = &m->chunks[c];
    uint64_t end = chunk[1].offset;
    if (w->span.ptr == NULL || chunk->offset < w->offset || end - w->offset > w->span.len) {
        window_deinit(w);
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
static og_status checked_indices(const og_lance__sink *indices, uint64_t limit, uint32_t **widened,
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
    OG_TRY(og_lance__sink_reserve_text(sink, bytes + SHORT_TEXT, err));
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *text = dictionary->data + offsets[indices[i]];
        size_t len = (size_t)(offsets[indices[i] + 1] - offsets[indices[i]]);
        /* Both sides have the slack to copy a short text as one vector. */
        if (len <= SHORT_TEXT)
            memcpy(sink->data + sink->data_len, text, SHORT_TEXT);
        else
            memcpy(sink->data + sink->data_len, text, len);
        sink->data_len += len;
        og_lance__sink_end_item(sink);
    }
    return og_lance__sink_check_data(sink, err);
}

static og_status read_dictionary(const og_lance__page *page, const chunk_parts *parts,
                                 const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    OG_LANCE__AUTO_SINK indices;
    og_lance__sink_init_fixed(&indices, m->values->bits);
    OG_TRY(m->values->ops->chunk(m->values, parts->buffers, parts->items, pick, &indices, err));
    OG_AUTO_FREE uint32_t *widened = NULL;
    const uint32_t *checked = NULL;
    OG_TRY(checked_indices(&indices, m->dictionary.count, &widened, &checked, err));
    return m->dictionary.kind == OG_LANCE__BYTES
               ? lookup_texts(&m->dictionary, checked, indices.count, sink, err)
               : lookup_numbers(&m->dictionary, checked, indices.count, sink, err);
}

static og_status read_values(const og_lance__page *page, const chunk_parts *parts,
                             const og_lance__pick *pick, og_lance__sink *sink, og_error *err)
{
    const og_lance__codec *codec = page->mini.values;
    if (pick->count == 0)
        return OG_OK;
    if (page->mini.has_dictionary)
        return read_dictionary(page, parts, pick, sink, err);
    return codec->ops->chunk(codec, parts->buffers, parts->items, pick, sink, err);
}

/* Appends the picked levels and checks them. */
static og_status read_levels(const og_lance__codec *codec, og_bytes bytes, uint64_t levels,
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
static uint32_t find_chunk(const og_lance__mini_block *m, uint32_t from, uint64_t row)
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

/* The rows from rows[done] on that lie in `chunk`, at most PICK_ROWS of a list. */
static og_lance__pick pick_rows(const og_lance__chunk *chunk, const og_lance__rows *rows,
                                uint64_t done, uint32_t items[PICK_ROWS])
{
    if (rows->list == NULL) {
        uint64_t start = rows->start + done, left = rows->count - done;
        uint64_t in_chunk = chunk[1].first_row - start;
        return (og_lance__pick){NULL, start - chunk->first_row, left < in_chunk ? left : in_chunk};
    }
    uint64_t n = 0;
    for (; n < PICK_ROWS && done + n < rows->count; n++) {
        uint64_t row = og_lance__row_at(rows, done + n);
        if (row >= chunk[1].first_row)
            break;
        items[n] = (uint32_t)(row - chunk->first_row);
    }
    return (og_lance__pick){items, 0, n};
}

static og_status read_flat_chunk(const og_lance__page *page, const chunk_parts *parts,
                                 const og_lance__pick *pick, og_lance__leaf_values *leaf,
                                 og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    if (m->def != NULL) {
        if (parts->levels != parts->items)
            return og_error_set(err, OG_CORRUPT, "%" PRIu32 " levels for %" PRIu64 " items",
                                parts->levels, parts->items);
        OG_TRY(read_levels(m->def, parts->def, parts->levels, pick, page->layers.max_def,
                           &leaf->def, err));
    }
    return read_values(page, parts, pick, &leaf->values, err);
}

static og_status chunk_context(const og_lance__page *page, uint32_t c, og_status status,
                               og_error *err)
{
    return og_error_context(err, status, "chunk %" PRIu32 " at byte %" PRIu64, c,
                            page->info->buffers[1].offset + page->mini.chunks[c].offset);
}

/* Say which chunks the rows lead to. */
static void expect_chunks(const og_lance__page *page, const og_lance__rows *rows)
{
    const og_lance__mini_block *m = &page->mini;
    if (rows->count == 0 || og_lance__page_is_expected(page, 1))
        return;
    uint32_t first = find_chunk(m, 0, og_lance__row_at(rows, 0));
    uint32_t last = find_chunk(m, first, og_lance__row_at(rows, rows->count - 1));
    uint64_t start = m->chunks[first].offset, end = m->chunks[last + 1].offset;
    uint64_t usual = page->info->buffers[1].size / m->chunk_count;
    uint64_t touched = rows->list == NULL ? end - start : rows->count * usual;
    if (og_lance__page_expect(page, 1, rows, start, end, touched))
        return;
    for (uint64_t i = 0, seen = UINT64_MAX; i < rows->count; i++) {
        uint32_t c = first = find_chunk(m, first, og_lance__row_at(rows, i));
        if (c != seen)
            og_lance__page_expect_at(page, 1, m->chunks[c].offset, m->chunks[c + 1].offset);
        seen = c;
    }
}

static og_status read_flat(const og_lance__page *page, const og_lance__rows *rows, window *w,
                           og_lance__leaf_values *leaf, og_error *err)
{
    uint32_t items[PICK_ROWS];
    uint32_t c = 0;
    if (page->mini.def != NULL)
        OG_TRY(og_lance__sink_reserve(&leaf->def, rows->count, err));
    for (uint64_t done = 0; done < rows->count;) {
        c = find_chunk(&page->mini, c, og_lance__row_at(rows, done));
        og_lance__pick pick = pick_rows(&page->mini.chunks[c], rows, done, items);
        chunk_parts parts;
        og_status status = load_chunk(page, c, rows, done, w, &parts, err);
        if (status == OG_OK)
            status = read_flat_chunk(page, &parts, &pick, leaf, err);
        if (status != OG_OK)
            return chunk_context(page, c, status, err);
        done += pick.count;
    }
    return OG_OK;
}

/* ---- codes -------------------------------------------------------------------------------- */

og_status og_lance__mini_values(const og_lance__page *page, const og_type *type, og_array **out,
                                og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    const og_lance__sink *d = &m->dictionary;
    *out = NULL;
    if (page->ops != &og_lance__mini_block_ops || !m->has_dictionary || m->rep != NULL ||
        m->def != NULL || m->chunk_count == 0 || d->count == 0 || page->layers.count != 1)
        return OG_OK;
    bool is_text = type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_BINARY;
    size_t width = og_type_width(type->id);
    if (d->kind == OG_LANCE__BYTES ? !is_text : width == 0 || width != d->item_bytes)
        return OG_OK;
    og_array *array = og_array_new(type, (int64_t)d->count);
    if (array == NULL)
        return og_error_nomem(err);
    array->data = d->data;
    array->offsets = is_text ? d->offsets : NULL;
    *out = array;
    return OG_OK;
}

/* The codes of one chunk's rows. */
static og_status chunk_codes(const og_lance__page *page, const chunk_parts *parts,
                             const og_lance__pick *pick, og_lance__sink *indices, uint32_t *out,
                             og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    OG_AUTO_FREE uint32_t *widened = NULL;
    const uint32_t *checked = NULL;
    og_lance__sink_clear(indices);
    OG_TRY(m->values->ops->chunk(m->values, parts->buffers, parts->items, pick, indices, err));
    OG_TRY(checked_indices(indices, m->dictionary.count, &widened, &checked, err));
    memcpy(out, checked, pick->count * sizeof *out);
    return OG_OK;
}

og_status og_lance__mini_codes(const og_lance__page *page, const og_lance__rows *rows,
                               uint32_t *out, og_error *err)
{
    __attribute__((cleanup(window_deinit))) window w = {0};
    OG_LANCE__AUTO_SINK indices;
    og_lance__sink_init_fixed(&indices, page->mini.values->bits);
    expect_chunks(page, rows);
    uint32_t c = 0;
    for (uint64_t done = 0; done < rows->count;) {
        c = find_chunk(&page->mini, c, og_lance__row_at(rows, done));
        og_lance__pick pick = pick_rows(&page->mini.chunks[c], rows, done, NULL);
        chunk_parts parts;
        og_status status = load_chunk(page, c, rows, done, &w, &parts, err);
        if (status == OG_OK)
            status = chunk_codes(page, &parts, &pick, &indices, out + done, err);
        if (status != OG_OK)
            return chunk_context(page, c, status, err);
        done += pick.count;
    }
    return OG_OK;
}

/* ---- reading with lists ------------------------------------------------------------------- */

/* A walk over the levels of chunks that collects those of the wanted rows. */
typedef struct list_reader {
    const og_lance__page *page;
    const og_lance__rows *rows;
    uint64_t done;           /* rows[0..done) are complete, or being collected when `wanted` */
    bool wanted;             /* the row that the walk is in is rows[done - 1] */
    og_lance__sink rep, def; /* levels of the current chunk */
    og_lance__leaf_values *leaf;
} list_reader;

/* Append levels [start, end) of the chunk and their values [first, last). */
static og_status emit(list_reader *r, const chunk_parts *parts, uint64_t start, uint64_t end,
                      uint64_t first, uint64_t last, og_error *err)
{
    if (start == end)
        return OG_OK;
    const uint16_t *rep = (const uint16_t *)r->rep.data, *def = (const uint16_t *)r->def.data;
    OG_TRY(og_lance__levels_copy(&r->leaf->rep, rep + start, end - start, err));
    if (r->page->mini.def != NULL)
        OG_TRY(og_lance__levels_copy(&r->leaf->def, def + start, end - start, err));
    const og_lance__pick pick = {NULL, first, last - first};
    return read_values(r->page, parts, &pick, &r->leaf->values, err);
}

/* A row starts: is it the next one wanted? */
static bool row_starts(list_reader *r, uint64_t row)
{
    r->wanted = r->done < r->rows->count && og_lance__row_at(r->rows, r->done) == row;
    r->done += r->wanted;
    return r->wanted;
}

static og_status walk_levels(list_reader *r, const og_lance__chunk *chunk, const chunk_parts *parts,
                             og_error *err)
{
    const og_lance__layers *layers = &r->page->layers;
    const uint16_t *rep = (const uint16_t *)r->rep.data, *def = (const uint16_t *)r->def.data;
    const bool has_def = r->page->mini.def != NULL;
    uint64_t row = chunk->first_row, item = 0;
    bool taking = chunk->continues && r->wanted;
    uint64_t start = 0, first = 0;
    for (uint32_t i = 0; i < parts->levels; i++) {
        if (rep[i] == layers->max_rep) {
            bool was = taking;
            taking = row_starts(r, row++);
            if (was && !taking)
                OG_TRY(emit(r, parts, start, i, first, item, err));
            if (taking && !was) {
                start = i;
                first = item;
            }
        } else if (i == 0 && !chunk->continues) {
            return og_error_set(err, OG_CORRUPT, "the chunk does not start with a row");
        }
        item += !has_def || def[i] <= layers->max_visible_def;
        if (item > parts->items)
            break;
    }
    if (item != parts->items || row != chunk[1].first_row)
        return og_error_set(err, OG_CORRUPT,
                            "the levels have %" PRIu64 " items and %" PRIu64
                            " rows, the indices %" PRIu64 " and %" PRIu64,
                            item, row - chunk->first_row, parts->items,
                            chunk[1].first_row - chunk->first_row);
    return taking ? emit(r, parts, start, parts->levels, first, item, err) : OG_OK;
}

static og_status read_list_chunk(list_reader *r, uint32_t c, window *w, og_error *err)
{
    const og_lance__mini_block *m = &r->page->mini;
    chunk_parts parts;
    OG_TRY(load_chunk(r->page, c, r->rows, r->done, w, &parts, err));
    const og_lance__pick all = {.count = parts.levels};
    og_lance__sink_clear(&r->rep);
    og_lance__sink_clear(&r->def);
    OG_TRY(
        read_levels(m->rep, parts.rep, parts.levels, &all, r->page->layers.max_rep, &r->rep, err));
    if (m->def != NULL)
        OG_TRY(read_levels(m->def, parts.def, parts.levels, &all, r->page->layers.max_def, &r->def,
                           err));
    return walk_levels(r, &m->chunks[c], &parts, err);
}

static og_status read_lists(list_reader *r, window *w, og_error *err)
{
    const og_lance__mini_block *m = &r->page->mini;
    uint32_t c = 0;
    bool again = false; /* the last wanted row goes on in the next chunk */
    while (again || r->done < r->rows->count) {
        c = again ? c + 1 : find_chunk(m, c, og_lance__row_at(r->rows, r->done));
        og_status status = read_list_chunk(r, c, w, err);
        if (status != OG_OK)
            return chunk_context(r->page, c, status, err);
        again = r->wanted && c + 1 < m->chunk_count && m->chunks[c + 1].continues;
    }
    return OG_OK;
}

/* ---- the layout --------------------------------------------------------------------------- */

static og_status mini_read(const og_lance__page *page, const og_lance__rows *rows,
                           og_lance__leaf_values *leaf, og_error *err)
{
    __attribute__((cleanup(window_deinit))) window w = {0};
    if (page->mini.chunk_count == 0)
        return og_error_set(err, OG_CORRUPT, "the page has rows but no chunks");
    expect_chunks(page, rows);
    if (page->mini.rep == NULL)
        return read_flat(page, rows, &w, leaf, err);
    list_reader r = {.page = page, .rows = rows, .leaf = leaf};
    og_lance__sink_init_fixed(&r.rep, 16);
    og_lance__sink_init_fixed(&r.def, 16);
    og_status status = read_lists(&r, &w, err);
    og_lance__sink_deinit(&r.rep);
    og_lance__sink_deinit(&r.def);
    return status;
}

const og_lance__page_ops og_lance__mini_block_ops = {
    .name = "mini-block",
    .open = mini_open,
    .read = mini_read,
    .close = mini_close,
};
