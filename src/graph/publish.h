/* graph/publish - one version of `__manifest`: the only point at which an operation becomes visible
 * (docs/dev/commit.md sections 1-4).
 *
 * A publish is built on the `__manifest` that a snapshot has open. Its rows are appended as a
 * fragment of their own (and small fragments folded), staged as a data file and the bytes of
 * version m + 1. Taking that slot is one put-if-absent. When it is lost the caller looks at what
 * the winner did and, if its own pins still hold, begins again on the newer version. */
#ifndef OG_GRAPH_PUBLISH_H
#define OG_GRAPH_PUBLISH_H

#include "graph/repo_priv.h"
#include "lance/table/write.h"

/* What identifies an operation, in table transactions and `__manifest` rows. */
typedef struct og_graph__op {
    char id[27];               /* ULID of the operation */
    char commit_id[27];        /* ULID of its commit */
    char parent_id[27];        /* commit it follows; "" = none known */
    char merged_parent_id[27]; /* head of the branch that was merged; "" = no merge */
    og_str merged_branch_id;   /* id of the branch on which that was made; "" = main, or not told */
    og_str branch;             /* on which it is made; "" = main */
    og_str branch_id;          /* id of that branch; "" = main */
    og_str actor;              /* "" = none */
    og_str kind;               /* "Mutation", "Load", "Recovery", "Init" */
    int64_t at_us;
    bool fold_all; /* its publish and its DAG rows join all fragments of their data sets */
} og_graph__op;
/* Fill ids and time. actor and kind are borrowed. The branch is main until
 * og_graph__commit_run sets it. */
void og_graph__op_init(og_graph__op *op, const og_repo *repo, og_str actor, og_str kind);

/* The version of `__manifest` with which a commit is listed: the one at which it was published;
 * for a merge that changed no table the one before, that of its target, as in the reference. */
uint64_t og_graph__listed_version(const og_graph__op *op, size_t move_count, uint64_t published);

/* A table whose pin moves. */
typedef struct og_graph__move {
    og_graph__pin pin;         /* the new pin */
    uint64_t expected_version; /* the old one; 0 = a new table */
    const char *manifest_name; /* of the new version, for manifest_path */
    bool is_registration;      /* also add the `table` row */
} og_graph__move;

/* Rows that belong to no table, and to no commit of the history. */
typedef struct og_graph__mark {
    og_str aborted_op;   /* an og_abort row: this operation is never published; "" = none */
    uint64_t horizon_ms; /* an og_gc row: none that began earlier is published; 0 = none */
} og_graph__mark;
static inline bool og_graph__is_mark(const og_graph__mark *mark)
{
    return mark->aborted_op.len > 0 || mark->horizon_ms > 0;
}

/* Make and stage the write of a publish on `manifest`. Its rows are those of the mark, then those
 * of each move in order; with neither, one row that only carries the commit. `place` is the graph's
 * absolute folder, for manifest_path. *out_staged belongs to *out. */
OG_NODISCARD og_status og_graph__publish_stage(og_lance_env *env, og_lance_table *manifest,
                                               const char *place, const og_graph__op *op,
                                               const og_graph__move *moves, size_t move_count,
                                               const og_graph__mark *mark, const og_random *random,
                                               og_lance_write **out,
                                               const og_lance_staged **out_staged, og_error *err);

/* The schema of `__manifest`: OG_GRAPH__COL_COUNT fields, static. */
const og_lance_new_field *og_graph__manifest_fields(void);
/* Append the rows of a publish to a write of `__manifest` (for init, which makes version 1). */
OG_NODISCARD og_status og_graph__publish_rows(og_lance_write *write, const char *place,
                                              uint64_t manifest_version, const og_graph__op *op,
                                              const og_graph__move *moves, size_t move_count,
                                              const og_graph__mark *mark, og_error *err);

#endif
