/* Mini-block pages: what all reads of one share. The layout is described in page_mini.c. */
#include "lance/file/page_mini_priv.h"

#include <inttypes.h>

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

/* The value of null rows, for those who want codes. */
static og_status add_null(og_lance__page *page, og_error *err)
{
    og_lance__mini_block *m = &page->mini;
    size_t bytes = og_bitmap_bytes((size_t)m->dictionary_items + 1);
    m->dictionary_validity = og_malloc(bytes);
    if (m->dictionary_validity == NULL)
        return og_error_nomem(err);
    memset(m->dictionary_validity, 0xff, bytes);
    og_bit_clear(m->dictionary_validity, m->dictionary_items);
    page->memory += bytes;
    return og_lance__sink_empty(&m->dictionary, 1, err);
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
    page->mini.dictionary_items = dictionary->count;
    if (page->mini.def != NULL && page->mini.rep == NULL)
        OG_TRY(add_null(page, err));
    if (codec->is_bytes)
        OG_TRY(og_lance__sink_reserve_data(dictionary, OG_LANCE__SHORT_TEXT, err));
    page->memory += og_lance__sink_memory(dictionary);
    return OG_OK;
}

og_status og_lance__mini_open(og_lance__page *page, const Og__Lance__File__PageLayout *layout,
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

void og_lance__mini_close(og_lance__page *page)
{
    og_lance__mini_block *m = &page->mini;
    og_lance__codec_free(m->rep);
    og_lance__codec_free(m->def);
    og_lance__codec_free(m->values);
    og_lance__sink_deinit(&m->dictionary);
    og_free(m->dictionary_validity);
    og_free(m->chunks);
}
