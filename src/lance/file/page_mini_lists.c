/* Mini-block pages with lists: rows are found by walking the levels. */
#include "lance/file/page_mini_priv.h"

#include <inttypes.h>

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
static og_status emit(list_reader *r, const og_lance__chunk_parts *parts, uint64_t start,
                      uint64_t end, uint64_t first, uint64_t last, og_error *err)
{
    if (start == end)
        return OG_OK;
    const uint16_t *rep = (const uint16_t *)r->rep.data, *def = (const uint16_t *)r->def.data;
    OG_TRY(og_lance__levels_copy(&r->leaf->rep, rep + start, end - start, err));
    if (r->page->mini.def != NULL)
        OG_TRY(og_lance__levels_copy(&r->leaf->def, def + start, end - start, err));
    const og_lance__pick pick = {NULL, first, last - first};
    return og_lance__mini_read_values(r->page, parts, &pick, &r->leaf->values, err);
}

/* A row starts: is it the next one wanted? */
static bool row_starts(list_reader *r, uint64_t row)
{
    r->wanted = r->done < r->rows->count && og_lance__row_at(r->rows, r->done) == row;
    r->done += r->wanted;
    return r->wanted;
}

static og_status walk_levels(list_reader *r, const og_lance__chunk *chunk,
                             const og_lance__chunk_parts *parts, og_error *err)
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

static og_status read_list_chunk(list_reader *r, uint32_t c, og_lance__window *w, og_error *err)
{
    const og_lance__mini_block *m = &r->page->mini;
    og_lance__chunk_parts parts;
    OG_TRY(og_lance__mini_load(r->page, c, r->rows, r->done, w, &parts, err));
    const og_lance__pick all = {.count = parts.levels};
    og_lance__sink_clear(&r->rep);
    og_lance__sink_clear(&r->def);
    OG_TRY(og_lance__mini_levels(m->rep, parts.rep, parts.levels, &all, r->page->layers.max_rep,
                                 &r->rep, err));
    if (m->def != NULL)
        OG_TRY(og_lance__mini_levels(m->def, parts.def, parts.levels, &all, r->page->layers.max_def,
                                     &r->def, err));
    return walk_levels(r, &m->chunks[c], &parts, err);
}

static og_status walk_chunks(list_reader *r, og_lance__window *w, og_error *err)
{
    const og_lance__mini_block *m = &r->page->mini;
    uint32_t c = 0;
    bool again = false; /* the last wanted row goes on in the next chunk */
    while (again || r->done < r->rows->count) {
        c = again ? c + 1 : og_lance__mini_find(m, c, og_lance__row_at(r->rows, r->done));
        og_status status = read_list_chunk(r, c, w, err);
        if (status != OG_OK)
            return og_lance__mini_context(r->page, c, status, err);
        again = r->wanted && c + 1 < m->chunk_count && m->chunks[c + 1].continues;
    }
    return OG_OK;
}

og_status og_lance__mini_read_lists(const og_lance__page *page, const og_lance__rows *rows,
                                    og_lance__window *w, og_lance__leaf_values *leaf, og_error *err)
{
    list_reader r = {.page = page, .rows = rows, .leaf = leaf};
    og_lance__sink_init_fixed(&r.rep, 16);
    og_lance__sink_init_fixed(&r.def, 16);
    og_status status = walk_chunks(&r, w, err);
    og_lance__sink_deinit(&r.rep);
    og_lance__sink_deinit(&r.def);
    return status;
}
