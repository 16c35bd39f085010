/* graph/optimize - fewer, larger fragments. Of what a query shows only the order of rows changes.
 *
 * Each table of the branch is compacted by the reference's rules (lance/table/compact.h) and
 * published by a commit of its own, so that somebody who writes one table disturbs only that one.
 * A table with nothing to do makes no commit; a table that the branch still shares with its parent
 * is left to the parent. The last commit also joins the fragments of `__manifest` and the commit
 * DAG. */
#ifndef OG_GRAPH_OPTIMIZE_H
#define OG_GRAPH_OPTIMIZE_H

#include "graph/repo.h"

typedef struct og_optimize_table {
    const og_type_def *def; /* of the repo's catalog */
    uint32_t fragments_removed, fragments_added;
    bool committed;
} og_optimize_table;

typedef struct og_optimize_output {
    og_optimize_table *tables; /* by table key */
    size_t count;
} og_optimize_output;
void og_optimize_output_deinit(og_optimize_output *output);

/* Optimize a branch (NULL = main). Stops at the first error; what was committed by then
 * stays. A table that another writer changes at the same time is tried again a few
 * times, then it is OG_CONFLICT. */
OG_NODISCARD og_status og_optimize_run(og_repo *repo, const char *branch, og_optimize_output *out,
                                       og_error *err);

#endif
