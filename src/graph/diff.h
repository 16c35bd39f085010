/* graph/diff - what changed in a table, or a graph, between two snapshots.
 *
 * Candidates come from manifests (lance/table/delta.h), are joined by `id` and compared by value:
 *   - a row that was written again with equal values is no change;
 *   - an id that was deleted and inserted again is an update;
 *   - blobs are compared by content, those that were given as a URI by that;
 *   - floats are compared by bits, but all NaNs are one value (-0.0 and 0.0 differ, as they print);
 *   - a column that one side does not have is null there.
 * Where an id stands on several rows (a foreign writer may store that), they are paired in storage
 * order.
 *
 * Cost follows the change, not the table, unless `reason` says otherwise. Memory:
 * slots of candidates, ids of a bounded number of them at a time, and the changes;
 * values are read in batches. */
#ifndef OG_GRAPH_DIFF_H
#define OG_GRAPH_DIFF_H

#include "graph/repo.h"
#include "lance/table/delta.h"

#define OG_NO_SLOT UINT32_MAX

/* Bits, so that they make a filter. */
typedef enum og_change_kind {
    OG_CHANGED_INSERT = 1,
    OG_CHANGED_UPDATE = 2,
    OG_CHANGED_DELETE = 4,
} og_change_kind;

typedef struct og_row_change {
    og_change_kind kind;
    og_str id;
    uint32_t from_slot; /* in `from`; OG_NO_SLOT when inserted */
    uint32_t to_slot;   /* in `to`; OG_NO_SLOT when deleted */
    /* Updates: bit i is set when column i of def->table_schema differs. Else NULL. */
    const uint64_t *columns;
} og_row_change;

static inline bool og_row_change_has(const og_row_change *change, uint32_t column)
{
    return (change->columns[column / 64] >> (column % 64) & 1) != 0;
}

typedef struct og_table_changes {
    const og_type_def *def;
    og_lance_table *from, *to; /* references; NULL: there was no such table then */
    og_row_change *rows;       /* ascending by id in bytes, then by slots */
    size_t row_count;
    og_lance_delta_reason reason; /* not OG_LANCE_DELTA_EXACT: whole fragments were compared */
    og_arena *arena;              /* owns ids and bits */
} og_table_changes;
void og_table_changes_deinit(og_table_changes *changes);
#define OG_AUTO_TABLE_CHANGES __attribute__((cleanup(og_table_changes_deinit))) og_table_changes

/* The changes that lead from one version of a type's table to another; either may be NULL.
 * `common` is what og_lance_common_find says; NULL: it is called. *out is empty after an error. */
OG_NODISCARD og_status og_table_changes_find(const og_type_def *def, og_lance_table *from,
                                             og_lance_table *to, const og_lance_common *common,
                                             og_table_changes *out, og_error *err);
/* The same, joining at most about `most` candidates at a time,
 * where og_table_changes_find takes two million. */
OG_NODISCARD og_status og_table_changes_find_in_parts(const og_type_def *def, og_lance_table *from,
                                                      og_lance_table *to,
                                                      const og_lance_common *common, size_t most,
                                                      og_table_changes *out, og_error *err);
/* The same between two snapshots, which share a catalog. Equal pins cost nothing. */
OG_NODISCARD og_status og_table_changes_between(const og_type_def *def, og_snapshot *from,
                                                og_snapshot *to, og_table_changes *out,
                                                og_error *err);

/* Rows of a table with the columns of def->table_schema, null where the table has no such column;
 * blob columns are descriptors. */
OG_NODISCARD og_status og_type_rows_read(const og_type_def *def, og_lance_table *table,
                                         const uint32_t *slots, size_t count, og_batch *out,
                                         og_error *err);
/* Compare row a_slots[i] of `a` with row b_slots[i] of `b` in all columns but `id`;
 * at most OG_BATCH_ROWS rows. Row i sets og_type_column_words(def) words of
 * out_columns, as in og_row_change. */
OG_NODISCARD og_status og_type_rows_compare(const og_type_def *def, og_lance_table *a,
                                            const uint32_t *a_slots, og_lance_table *b,
                                            const uint32_t *b_slots, size_t count,
                                            uint64_t *out_columns, og_error *err);
static inline size_t og_type_column_words(const og_type_def *def)
{
    return (def->table_schema->field_count + 63) / 64;
}

#endif
