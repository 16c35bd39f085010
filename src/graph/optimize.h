/* graph/optimize - fewer, larger fragments: nothing that a query shows changes but the order of rows.
 *
 * Each table of the branch is compacted (lance/table/compact.h: the reference's rules) and published
 * by a commit of its own, so that a writer of one table disturbs no other; tables with nothing to do
 * make no commit. Tables that the branch still shares with another one are left to that one. The last
 * of the commits also joins the fragments of `__manifest` and of the commit DAG. */
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

/* `branch` NULL = main. Stops at the first error; what was committed by then stays. A table that
 * another writer changes at the same time is tried again a few times, then OG_CONFLICT. */
OG_NODISCARD og_status og_optimize_run(og_repo *repo, const char *branch, og_optimize_output *out,
                                       og_error *err);

#endif
