/* graph/overlay - one table as a mutation sees it: the rows of the snapshot, with what earlier
 * statements did laid over them.
 *
 * A row is either the snapshot's, named by its slot, or pending: made by a statement, and named by
 * a number. A pending row may replace a row of the snapshot, whose slot it then shadows. Nothing is
 * written until og_overlay_apply, which turns the difference into one write of the table; replaced
 * rows keep their row ids. */
#ifndef OG_GRAPH_OVERLAY_H
#define OG_GRAPH_OVERLAY_H

#include "graph/txn.h"
#include "lang/ir.h"

#define OG_NO_SLOT UINT32_MAX

typedef struct og_overlay og_overlay;

OG_NODISCARD og_status og_overlay_new(og_snapshot *snapshot, const og_type_def *def,
                                      og_overlay **out, og_error *err);
void og_overlay_free(og_overlay *overlay);
OG_DEFINE_AUTO(og_overlay, og_overlay_free)

/* A set of rows: slots of the snapshot, ascending, then pending rows by number. */
typedef struct og_overlay_rows {
    uint32_t *slots;
    size_t slot_count;
    uint32_t *pending;
    size_t pending_count;
} og_overlay_rows;
void og_overlay_rows_deinit(og_overlay_rows *rows);
static inline size_t og_overlay_rows_count(const og_overlay_rows *rows)
{
    return rows->slot_count + rows->pending_count;
}

/* Rows for which `property op value` is true. `property` -1: the column called `column` (id,
 * src or dst) is meant. */
OG_NODISCARD og_status og_overlay_find(og_overlay *overlay, int32_t property, og_str column,
                                       og_cmp_op op, const og_literal *value, og_overlay_rows *out,
                                       og_error *err);
/* Rows of an edge table whose `src` (else `dst`) is one of `ids`. */
OG_NODISCARD og_status og_overlay_find_ends(og_overlay *overlay, bool at_src, const og_str *ids,
                                            size_t id_count, og_overlay_rows *out, og_error *err);

/* Read rows, slots first: the columns `fields` (NULL = all of the table, in order).
 * Blob columns come as they are written (struct<data, uri>). */
OG_NODISCARD og_status og_overlay_read(og_overlay *overlay, const og_overlay_rows *rows,
                                       const uint32_t *fields, uint32_t field_count, og_batch *out,
                                       og_error *err);

/* Put rows (all columns of the table, in order). A row with the id of an existing one replaces it.
 * Takes references of the columns. */
OG_NODISCARD og_status og_overlay_put(og_overlay *overlay, const og_batch *batch, og_error *err);
/* Delete rows of either kind. */
OG_NODISCARD og_status og_overlay_delete(og_overlay *overlay, const og_overlay_rows *rows,
                                         og_error *err);

/* Is there any difference from the snapshot? */
bool og_overlay_is_changed(const og_overlay *overlay);
/* The pending rows that will be written, for the checks at the end. */
OG_NODISCARD og_status og_overlay_changes(og_overlay *overlay, og_overlay_rows *out, og_error *err);
/* The slots of the snapshot that are deleted or replaced, ascending; borrowed. */
const uint32_t *og_overlay_shadowed(og_overlay *overlay, size_t *out_count);
const og_type_def *og_overlay_def(const og_overlay *overlay);

/* Stream the difference into the transaction's write of this table. */
OG_NODISCARD og_status og_overlay_apply(og_overlay *overlay, og_txn *txn, og_error *err);

#endif
