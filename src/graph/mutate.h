/* graph/mutate - the statements of a mutation query, as one atomic commit.
 *
 * Statements run in order, and each sees what the ones before it did (overlay.h). Constraints are
 * checked at the end. A mutation that affects no row makes no commit. */
#ifndef OG_GRAPH_MUTATE_H
#define OG_GRAPH_MUTATE_H

#include "graph/load.h"
#include "graph/txn.h"
#include "lang/ir.h"

typedef struct og_mutate_input {
    const char *branch, *actor;
    const og_ir_query *query; /* is_mutation */
    const og_literal *params;
    bool lenient;
    int64_t now_ms;
    const int32_t *cancel; /* atomic flag, nonzero = stop; may be NULL */
    uint64_t deadline_ns;  /* by og_monotonic_ns; 0 = none. Neither interrupts the commit itself */
} og_mutate_input;

typedef struct og_mutate_output {
    uint64_t affected_nodes, affected_edges;
    bool committed;
    og_commit_result commit; /* when committed */
    og_lenient_counts lenient;
} og_mutate_output;

/* Run a mutation. OG_INVALID with the reference's text; OG_CANCELLED, OG_TIMEOUT; what
 * og_txn_commit returns. After an error the graph is as it was, except after OG_UNKNOWN. */
OG_NODISCARD og_status og_mutate_run(og_repo *repo, const og_mutate_input *input,
                                     og_mutate_output *out, og_error *err);

#endif
