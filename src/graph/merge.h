/* graph/merge - bring what one branch changed into another.
 *
 * Three states matter: *base*, at which both branches were last the same; *ours*, the newest of the
 * target; *theirs*, the newest of the source. Only rows that differ between base and theirs are
 * looked at, each by its content:
 *
 *   ours equals base      theirs is taken
 *   ours equals theirs    nothing to do
 *   else                  a conflict; with property_level the edits of both are combined when they
 *                         concern different properties
 *
 * So only contents count, not history: equal edits on both sides merge, and an edit that was undone
 * is none.
 *
 * Before anything is written, what is taken is checked against what ours changed since the base: a
 * merge is refused when it would make a violation that neither branch has by itself. A violation
 * that one branch has already does not block. All conflicts are reported, not only the first.
 *
 * Cost: reading the rows that differ between base and theirs; of ours the manifests, and where
 * needed the ids and constrained columns of rows that ours changed. Memory: ids and slots of these
 * rows; values are read in batches. */
#ifndef OG_GRAPH_MERGE_H
#define OG_GRAPH_MERGE_H

#include "base/arena.h"
#include "graph/branch_ops.h"
#include "graph/txn.h"

typedef struct og_merge_input {
    const char *source;
    const char *target; /* NULL = main */
    const char *actor;  /* NULL = none */
    bool property_level;
    bool preview;          /* find the outcome, write nothing */
    const int32_t *cancel; /* atomic, nonzero = stop; NULL = never */
    uint64_t deadline_ns;  /* by og_monotonic_ns; 0 = none */
    /* How values in conflicts are written: one line of JSON. NULL: conflicts have no values. */
    void (*write_value)(og_buf *out, const og_array *array, int64_t row);
} og_merge_input;

/* A conflict: a row that both sides changed, or a constraint that the
 * merged graph would violate. */
typedef struct og_graph__conflict {
    const og_type_def *def;
    og_merge_conflict_kind kind;
    og_str row_id;  /* ptr NULL: it concerns no single row */
    og_str message; /* the reference's text */
    /* The property in which the sides differ, and its values as JSON; `null` for a side without the
     * row. When several properties differ, property.ptr is NULL and the values are objects of them.
     * When no property is to blame, all four are NULL. */
    og_str property, base, ours, theirs;
    bool has_base, has_ours, has_theirs; /* the side has the row */
} og_graph__conflict;

/* What the merge changes in a table of the target. */
typedef struct og_graph__merge_counts {
    const og_type_def *def;
    uint64_t inserted, updated, deleted;
    const char *full_reason; /* why more than the change had to be compared; NULL: it had not */
} og_graph__merge_counts;

typedef struct og_merge_output {
    og_merge_outcome outcome;
    const og_graph__conflict *conflicts; /* rows by table and id, then constraints */
    size_t conflict_count;
    const og_graph__merge_counts *tables; /* those that change, by table key */
    size_t table_count;
    bool committed;
    og_commit_result commit;
    og_merged source; /* the state of it that was merged */
    og_arena *arena;  /* owns all text and arrays */
} og_merge_output;
void og_merge_output_deinit(og_merge_output *output);

/* Merge. Conflicts are an outcome, not an error; after conflicts, and in a preview, nothing is
 * written. A merge that changes nothing still makes a commit, unless ours has all of theirs
 * already. When others write the target meanwhile the merge is repeated, a few times. OG_INVALID:
 * source and target are one branch; OG_NOT_FOUND: no such branch, or the base was cleaned away;
 * OG_CONFLICT: others kept writing the target. *out is empty after an error. */
OG_NODISCARD og_status og_merge_run(og_repo *repo, const og_merge_input *input,
                                    og_merge_output *out, og_error *err);

#endif
