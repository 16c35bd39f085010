/* graph/merge_priv - a merge while it is worked out: which rows of each table are taken, and which
 * are in conflict.
 *
 *   merge.c           finding base, ours and theirs; the order of the steps; the commit
 *   merge_rows.c      deciding about one row, and about the rows of a table
 *   merge_read.c      reading rows as they will be
 *   merge_ours.c      what ours changed of a table since the base
 *   merge_conflict.c  conflicts and their texts
 *   merge_check.c     checking ends of edges and @card
 *   merge_values.c    checking values
 *   merge_unique.c    checking @unique
 *   merge_apply.c     writing the rows of a table */
#ifndef OG_GRAPH_MERGE_PRIV_H
#define OG_GRAPH_MERGE_PRIV_H

#include "base/map.h"
#include "base/vec.h"
#include "graph/diff.h"
#include "graph/merge.h"

/* ---- one row ------------------------------------------------------------------------------ */

/* What is known of a row in the three states. The sets are bitmaps: bit i is set when
 * column i of the table's schema differs between two states. A set is looked at only when
 * both of its states have the row. */
typedef struct og_graph__row_sides {
    bool in_base, in_ours, in_theirs;
    bool is_edge;
    const uint64_t *theirs_changed; /* base and theirs */
    const uint64_t *ours_changed;   /* base and ours */
    const uint64_t *differ;         /* ours and theirs */
    size_t words;
} og_graph__row_sides;

typedef enum og_graph__verdict {
    OG_GRAPH__KEEP_OURS,
    OG_GRAPH__TAKE_THEIRS, /* write their row, or delete it when they have none */
    OG_GRAPH__COMBINE,     /* columns of ours_changed from ours, the rest from theirs */
    OG_GRAPH__DISPUTE,
} og_graph__verdict;

/* What happens with a row. */
og_graph__verdict og_graph__merge_decide(const og_graph__row_sides *sides, bool property_level);
/* The kind of conflict, when the verdict is DISPUTE. */
og_merge_conflict_kind og_graph__dispute_kind(const og_graph__row_sides *sides);

/* ---- tables ------------------------------------------------------------------------------- */

/* A row of theirs that is written to ours. */
typedef struct og_graph__taken {
    og_str id;                 /* borrowed from the table's changes */
    uint32_t theirs;           /* its slot in theirs */
    uint32_t ours;             /* the slot it replaces; OG_NO_SLOT = a new row */
    const uint64_t *from_ours; /* columns that stay as in ours; NULL = none */
} og_graph__taken;

/* A row that is deleted from ours. */
typedef struct og_graph__gone {
    og_str id;
    uint32_t ours;
} og_graph__gone;

/* What ours changed of a table since the base. Its parts are found when they are first needed. */
typedef struct og_graph__ours {
    bool has_delta, has_ids, has_base_ids;
    og_lance_delta delta; /* from base to ours: candidates */
    og_strmap *ids;       /* of delta.to_slots -> slot */
    og_strmap *base_ids;  /* of delta.from_slots -> slot in the base */
    og_str last_id;       /* the last one looked up in ids; changes come ordered by id */
} og_graph__ours;

typedef struct og_graph__merge_table {
    const og_type_def *def;
    og_lance_table *base, *ours, *theirs; /* borrowed from the snapshots */
    bool is_planned;                      /* og_graph__merge_plan was called: theirs differs */
    og_table_changes changes;             /* base to theirs */
    OG_VEC(og_graph__taken) taken;
    OG_VEC(og_graph__gone) gone;
    OG_VEC(uint32_t) disputed; /* slots of ours in conflict */
    og_u64map *touched;        /* slots of ours in taken, gone or disputed; NULL until asked for */
    og_graph__ours mine;
} og_graph__merge_table;

typedef struct og_graph__merge {
    og_repo *repo;
    const og_merge_input *input;
    const og_catalog *catalog;
    og_txn *txn; /* on the target; its snapshot is ours */
    og_snapshot *base, *theirs;
    og_graph__merge_table *tables; /* nodes, then edges */
    OG_VEC(og_graph__conflict) conflicts;
    og_arena *arena; /* of the output */
} og_graph__merge;

static inline size_t og_graph__merge_table_count(const og_graph__merge *m)
{
    return (size_t)m->catalog->node_count + m->catalog->edge_count;
}
static inline og_graph__merge_table *og_graph__merge_table_of(const og_graph__merge *m,
                                                              const og_type_def *def)
{
    return &m->tables[def->is_edge ? m->catalog->node_count + def->index : def->index];
}
/* OG_CANCELLED or OG_TIMEOUT when the merge is to stop. */
OG_NODISCARD og_status og_graph__merge_check_stop(const og_graph__merge *m, og_error *err);

/* merge.c: open the table in base, ours and theirs. */
OG_NODISCARD og_status og_graph__merge_open(og_graph__merge *m, og_graph__merge_table *t,
                                            og_error *err);
/* merge_rows.c: fill taken, gone and disputed, and report disputes. */
OG_NODISCARD og_status og_graph__merge_plan(og_graph__merge *m, og_graph__merge_table *t,
                                            og_error *err);
/* Build t->touched. */
OG_NODISCARD og_status og_graph__merge_index(og_graph__merge_table *t, og_error *err);
/* How theirs changed the row with this id; NULL: not at all. */
const og_row_change *og_graph__merge_change_of(const og_graph__merge_table *t, og_str id);

/* ---- merge_ours.c ------------------------------------------------------------------------- */

/* Find the slots in ours of the rows of `changes`, OG_NO_SLOT where ours has none. out_same[i]:
 * the row is known, without reading values, to be as in the base. */
OG_NODISCARD og_status og_graph__ours_find(og_graph__merge_table *t, const og_row_change *changes,
                                           size_t count, uint32_t *out_slots, bool *out_same,
                                           og_error *err);
/* Rows of ours that may not be in the base, ascending; borrowed. */
OG_NODISCARD og_status og_graph__ours_changed(og_graph__merge_table *t, const uint32_t **out_slots,
                                              size_t *out_count, og_error *err);
/* Could ours have lost a row of the base? *out false: it has lost none.
 * To be called before og_graph__ours_lost. */
OG_NODISCARD og_status og_graph__ours_lost_any(og_graph__merge_table *t, bool *out, og_error *err);
/* Does the base have a row with this id, while ours has none? */
bool og_graph__ours_lost(const og_graph__merge_table *t, og_str id);
/* Find theirs' row with the id of a row that og_graph__ours_changed names: *out_table and *out_slot
 * say where its values are, which is in theirs or, when it is unchanged, in the base. *out_found
 * false: theirs has no such row. */
OG_NODISCARD og_status og_graph__theirs_row(og_graph__merge_table *t, og_str id,
                                            og_lance_table **out_table, uint32_t *out_slot,
                                            bool *out_found, og_error *err);
void og_graph__ours_deinit(og_graph__ours *mine);

/* ---- merge_conflict.c --------------------------------------------------------------------- */

/* A conflict about a row. Slots are OG_NO_SLOT where a state does not have it;
 * `columns` are those to show. */
typedef struct og_graph__dispute {
    og_merge_conflict_kind kind;
    og_str id;
    uint32_t base, ours, theirs;
    const uint64_t *columns;
} og_graph__dispute;
OG_NODISCARD og_status og_graph__report_disputes(og_graph__merge *m, const og_graph__merge_table *t,
                                                 const og_graph__dispute *disputes, size_t count,
                                                 og_error *err);
/* Report a constraint that the merged graph would violate. row_id.ptr NULL:
 * it concerns no single row. */
OG_NODISCARD og_status og_graph__report(og_graph__merge *m, const og_type_def *def,
                                        og_merge_conflict_kind kind, og_str row_id, og_error *err,
                                        const char *fmt, ...) OG_PRINTF(6, 7);

/* ---- merge_read.c ------------------------------------------------------------------------- */

/* Read rows taken[start, start + count), at most OG_BATCH_ROWS, as they will be in ours. `columns`:
 * the columns to read, null where a table has no such column; NULL = all, in order of the schema.
 * `materialize`: blobs as they are written, else as descriptors. */
OG_NODISCARD og_status og_graph__taken_read(const og_graph__merge_table *t, size_t start,
                                            size_t count, const uint32_t *columns,
                                            uint32_t column_count, bool materialize, og_batch *out,
                                            og_error *err);
/* Read rows of one table in the same way. */
OG_NODISCARD og_status og_graph__columns_read(const og_type_def *def, og_lance_table *table,
                                              const uint32_t *slots, size_t count,
                                              const uint32_t *columns, uint32_t column_count,
                                              bool materialize, og_batch *out, og_error *err);

/* ---- merge_check.c, merge_values.c, merge_unique.c, merge_apply.c ------------------------- */

/* Report all constraints that the merged graph would violate, and name to the transaction the
 * tables on which that depends; all of them, or for one table the values or @unique. */
OG_NODISCARD og_status og_graph__merge_check(og_graph__merge *m, og_error *err);
OG_NODISCARD og_status og_graph__merge_check_values(og_graph__merge *m, og_graph__merge_table *t,
                                                    og_error *err);
OG_NODISCARD og_status og_graph__merge_check_uniques(og_graph__merge *m, og_graph__merge_table *t,
                                                     og_error *err);
/* Stream the rows of a table that change into the transaction. */
OG_NODISCARD og_status og_graph__merge_apply(og_graph__merge *m, og_graph__merge_table *t,
                                             og_error *err);

#endif
