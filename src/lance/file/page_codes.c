/* Rows as codes of few values: the entries of a dictionary, a page's one value, or the values of
 * runs; and a null behind them where rows may be null. What depends on the value alone, such as a
 * filter, is then worked out once for each. */
#include "lance/file/page_mini_priv.h"

/* Each row has one value, or is null. */
static bool is_plain(const og_lance__page *page)
{
    return page->layers.count == 1 && page->layers.max_rep == 0 && page->layers.max_def <= 1;
}

/* Codes of null rows, by their definition levels. */
static void mark_nulls(const uint16_t *def, uint64_t count, uint32_t null_code, uint32_t *codes)
{
    for (uint64_t i = 0; i < count; i++)
        codes[i] = def[i] != 0 ? null_code : codes[i];
}

/* The values of a sink as an array, its last one null when `with_null`. */
static og_status values_array(og_lance__sink *values, const og_type *type, bool with_null,
                              og_array **out, og_error *err)
{
    uint64_t count = values->count;
    __attribute__((cleanup(og_lance__validity_deinit))) og_lance__validity validity = {0};
    if (with_null) {
        OG_TRY(og_lance__sink_empty(values, 1, err));
        OG_TRY(og_lance__validity_fill(&validity, true, count, err));
        OG_TRY(og_lance__validity_fill(&validity, false, 1, err));
    }
    OG_TRY(og_lance__sink_array(values, type, out, err));
    if (with_null)
        og_lance__validity_move(&validity, *out);
    return OG_OK;
}

/* ---- a constant --------------------------------------------------------------------------- */

static og_status constant_codes(const og_lance__page *page, const og_lance__rows *rows,
                                const og_type *type, uint32_t *codes, og_array **out, og_error *err)
{
    const og_lance__constant *c = &page->constant;
    const bool nullable = page->layers.max_def > 0;
    og_lance__leaf_values leaf = {0};
    og_lance__sink_init_fixed(&leaf.rep, 16);
    og_lance__sink_init_fixed(&leaf.def, 16);
    og_status status = og_lance__sink_init(&leaf.values, type, err);
    if (status == OG_OK)
        status = page->ops->read(page, &(og_lance__rows){.start = 0, .count = 1}, &leaf, err);
    if (status == OG_OK)
        status = values_array(&leaf.values, type, nullable, out, err);
    og_lance__sink_deinit(&leaf.values);
    og_lance__sink_deinit(&leaf.rep);
    og_lance__sink_deinit(&leaf.def);
    if (status != OG_OK)
        return status;
    const bool all_null = !c->has_value && c->def.count == 0;
    for (uint64_t i = 0; i < rows->count; i++)
        codes[i] = all_null;
    if (c->def.count > 0)
        mark_nulls((const uint16_t *)c->def.data + rows->start, rows->count, 1, codes);
    return OG_OK;
}

/* ---- chunks ------------------------------------------------------------------------------- */

typedef struct code_reader {
    const og_lance__page *page;
    og_lance__sink indices; /* of one chunk, with a dictionary */
    og_lance__sink def;     /* of one chunk */
    og_lance__sink runs;    /* values of all runs, without */
} code_reader;

static og_status dictionary_codes(code_reader *r, const og_lance__chunk_parts *parts,
                                  const og_lance__pick *pick, uint32_t *codes, og_error *err)
{
    const og_lance__mini_block *m = &r->page->mini;
    OG_AUTO_FREE uint32_t *widened = NULL;
    const uint32_t *checked = NULL;
    og_lance__sink_clear(&r->indices);
    OG_TRY(m->values->ops->chunk(m->values, parts->buffers, parts->items, pick, &r->indices, err));
    OG_TRY(og_lance__mini_indices(&r->indices, m->dictionary_items, &widened, &checked, err));
    memcpy(codes, checked, pick->count * sizeof *codes);
    return OG_OK;
}

/* How many values there will be, and so the code of null, is known at the end:
 * UINT32_MAX till then. */
static og_status chunk_codes(code_reader *r, const og_lance__chunk_parts *parts,
                             const og_lance__pick *pick, uint32_t *codes, og_error *err)
{
    const og_lance__mini_block *m = &r->page->mini;
    if (m->has_dictionary)
        OG_TRY(dictionary_codes(r, parts, pick, codes, err));
    else
        OG_TRY(og_lance__rle_codes(m->values, parts->buffers, parts->items, pick, &r->runs, codes,
                                   err));
    if (m->def == NULL)
        return OG_OK;
    og_lance__sink_clear(&r->def);
    OG_TRY(og_lance__mini_defs(r->page, parts, pick, &r->def, err));
    mark_nulls((const uint16_t *)r->def.data, pick->count, UINT32_MAX, codes);
    return OG_OK;
}

static og_status all_codes(code_reader *r, const og_lance__rows *rows, uint32_t *codes,
                           og_error *err)
{
    OG_LANCE__AUTO_WINDOW w = {0};
    const og_lance__mini_block *m = &r->page->mini;
    og_lance__mini_expect(r->page, rows);
    uint32_t c = 0;
    for (uint64_t done = 0; done < rows->count;) {
        c = og_lance__mini_find(m, c, og_lance__row_at(rows, done));
        og_lance__pick pick = og_lance__mini_pick(&m->chunks[c], rows, done, NULL);
        og_lance__chunk_parts parts;
        og_status status = og_lance__mini_load(r->page, c, rows, done, &w, &parts, err);
        if (status == OG_OK)
            status = chunk_codes(r, &parts, &pick, codes + done, err);
        if (status != OG_OK)
            return og_lance__mini_context(r->page, c, status, err);
        done += pick.count;
    }
    return OG_OK;
}

/* The entries, borrowed from the page, and the null behind them that opening has put there. */
static og_status dictionary_values(const og_lance__page *page, const og_type *type, og_array **out,
                                   og_error *err)
{
    const og_lance__mini_block *m = &page->mini;
    const og_lance__sink *d = &m->dictionary;
    og_array *array = og_array_new(type, (int64_t)d->count);
    if (array == NULL)
        return og_error_nomem(err);
    array->data = d->data;
    array->offsets = d->kind == OG_LANCE__BYTES ? d->offsets : NULL;
    array->validity = m->dictionary_validity;
    array->null_count = m->dictionary_validity != NULL;
    *out = array;
    return OG_OK;
}

static og_status read_codes(code_reader *r, const og_lance__rows *rows, const og_type *type,
                            uint32_t *codes, og_array **out, og_error *err)
{
    const og_lance__mini_block *m = &r->page->mini;
    OG_TRY(og_lance__sink_init(&r->runs, type, err));
    OG_TRY(all_codes(r, rows, codes, err));
    uint32_t null_code = (uint32_t)(m->has_dictionary ? m->dictionary_items : r->runs.count);
    for (uint64_t i = 0; m->def != NULL && i < rows->count; i++)
        codes[i] = codes[i] == UINT32_MAX ? null_code : codes[i];
    if (m->has_dictionary)
        return dictionary_values(r->page, type, out, err);
    return values_array(&r->runs, type, m->def != NULL, out, err);
}

static og_status mini_codes(const og_lance__page *page, const og_lance__rows *rows,
                            const og_type *type, uint32_t *codes, og_array **out, og_error *err)
{
    code_reader r = {.page = page};
    og_lance__sink_init_fixed(&r.indices, page->mini.values->bits);
    og_lance__sink_init_fixed(&r.def, 16);
    og_status status = read_codes(&r, rows, type, codes, out, err);
    og_lance__sink_deinit(&r.indices);
    og_lance__sink_deinit(&r.def);
    og_lance__sink_deinit(&r.runs);
    return status;
}

/* ---- any page ----------------------------------------------------------------------------- */

static bool dictionary_fits(const og_lance__mini_block *m, const og_type *type)
{
    if (m->dictionary_items == 0)
        return false;
    if (m->dictionary.kind == OG_LANCE__BYTES)
        return type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_BINARY;
    size_t width = og_type_width(type->id);
    return width > 0 && width == m->dictionary.item_bytes;
}

og_status og_lance__page_codes(const og_lance__page *page, const og_lance__rows *rows,
                               const og_type *type, uint32_t *codes, og_array **out_values,
                               bool *out_of_rows, og_error *err)
{
    *out_values = NULL;
    *out_of_rows = false;
    bool is_scalar = og_type_width(type->id) > 0 || type->id == OG_TYPE_BOOL ||
                     type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_BINARY;
    if (!is_scalar || !is_plain(page))
        return OG_OK;
    if (page->ops == &og_lance__constant_ops)
        return constant_codes(page, rows, type, codes, out_values, err);
    const og_lance__mini_block *m = &page->mini;
    if (page->ops != &og_lance__mini_block_ops || m->rep != NULL || m->chunk_count == 0)
        return OG_OK;
    *out_of_rows = !m->has_dictionary;
    bool has_runs = !m->has_dictionary && m->values->ops == &og_lance__rle_ops;
    if (!has_runs && !(m->has_dictionary && dictionary_fits(m, type)))
        return OG_OK;
    return mini_codes(page, rows, type, codes, out_values, err);
}
