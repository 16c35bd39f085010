/* lance/index/btree - the BTREE index of a column: its values in order, each with its row id.
 *
 * A segment is two files in container format 2.2 (docs/dev/lance.md, "BTREE files"; lance-index
 * scalar/btree.rs):
 *
 *   page_data.lance    values: the column's type, ids: u64; sorted by value, nulls first
 *   page_lookup.lance  a row for each page: min, max: the column's type, null_count: u32,
 *                      page_idx: u32; schema metadata "batch_size": rows of a page, 4096
 *
 * A page is that many rows of page_data, cut by row number alone. min and max are the page's first
 * and last value: min is null when the page begins with nulls, max only when all of it is null. */
#ifndef OG_LANCE_BTREE_H
#define OG_LANCE_BTREE_H

#include "columnar/compare.h"
#include "lance/table/indices.h"
#include "lance/table/verify.h"

#define OG_LANCE_BTREE_KIND "BTree"

/* A span of values. A bound that is NULL leaves that side open. */
typedef struct og_lance_span_of_values {
    const og_datum *low, *high;
    bool low_is_out, high_is_out; /* the bound itself does not belong */
} og_lance_span_of_values;

/* Can a column of this type have a BTREE of ours? Text, binary, numbers, booleans and dates can. */
bool og_lance_btree_takes(const og_type *type);

/* ---- writing ------------------------------------------------------------------------------ */

/* Write a segment over the live rows of these fragments of the write's base (ids, ascending),
 * and add it to the write (OG_LANCE_INDEX) as index `name` of column `field`. Memory: the
 * column of these fragments and 12 bytes per row. OG_UNSUPPORTED for a type that
 * og_lance_btree_takes refuses. */
OG_NODISCARD og_status og_lance_btree_build(og_lance_write *write, uint32_t field, og_str name,
                                            const uint32_t *fragments, uint32_t fragment_count,
                                            og_error *err);
/* Bring an index up to date. When only rows were added since, this adds a segment over the
 * fragments that no segment covers; otherwise, and when there would be more than four segments, one
 * new segment over everything replaces them all. *out_changed false: there was nothing to do. */
OG_NODISCARD og_status og_lance_btree_update(og_lance_write *write, og_str name, bool *out_changed,
                                             og_error *err);

/* ---- reading ------------------------------------------------------------------------------ */

/* One open segment. Not for several threads at once. */
typedef struct og_lance_btree og_lance_btree;

/* Open a segment; reads its page_lookup. OG_CORRUPT when its files do not
 * fit each other or the column. */
OG_NODISCARD og_status og_lance_btree_open(og_lance_table *table, const og_lance_index *index,
                                           og_lance_btree **out, og_error *err);
void og_lance_btree_close(og_lance_btree *btree);
OG_DEFINE_AUTO(og_lance_btree, og_lance_btree_close)

typedef struct og_lance_row_id_list {
    uint64_t *items;
    size_t len, cap;
} og_lance_row_id_list;

/* Append the row ids of the entries within the span, or of the null entries (`span` NULL), in order
 * of values. Reads the pages that the span meets. Their rows may be gone or live in fragments that
 * the segment does not cover: og_lance_btree_select leaves those out. */
OG_NODISCARD og_status og_lance_btree_find(og_lance_btree *btree,
                                           const og_lance_span_of_values *span,
                                           og_lance_row_id_list *out, og_error *err);

/* Find the live rows of a table whose value in `field` is within the span, or null (`span` NULL),
 * by its BTREE: slots in ascending order, freed with og_free. Fragments that no segment covers are
 * scanned. *out_indexed false: the column has no BTREE, and nothing was done. */
OG_NODISCARD og_status og_lance_btree_select(og_lance_table *table, uint32_t field,
                                             const og_lance_span_of_values *span,
                                             uint32_t **out_slots, size_t *out_count,
                                             bool *out_indexed, og_error *err);

/* ---- checking ----------------------------------------------------------------------------- */

/* Compare a segment with the rows it covers: the order of its entries, the bounds of its pages, and
 * that each live row of its fragments has one entry, with its value. `tell` is called for each
 * problem. Reads the segment and the column once, in memory for one page. OG_CORRUPT as
 * og_lance_btree_open; otherwise OG_OK, whatever was told. */
OG_NODISCARD og_status og_lance_btree_check(og_lance_table *table, const og_lance_index *index,
                                            og_lance_problem_fn tell, void *context, og_error *err);

#endif
