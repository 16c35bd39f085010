/* graph/audit - `_graph_commit_recoveries.lance`: which unfinished writes were continued or undone,
 * as the reference records it. Derived, not durable. */
#ifndef OG_GRAPH_AUDIT_H
#define OG_GRAPH_AUDIT_H

#include "graph/publish.h"

/* What became of one table. */
typedef struct og_graph__outcome {
    og_str table_key;
    uint64_t from_version, to_version; /* forward: old pin, new pin; back: head, pin */
} og_graph__outcome;

typedef struct og_graph__recovery {
    og_str commit_id; /* of the commit that did it */
    bool is_forward;
    og_str actor; /* of the unfinished write; "" = none */
    og_str operation_id;
    og_str writer_kind; /* of its sidecar */
    const og_graph__outcome *outcomes;
    size_t outcome_count;
} og_graph__recovery;

/* Append the rows of a recovery. Not durable; an error only says why it was not recorded. */
OG_NODISCARD og_status og_graph__audit_append(og_repo *repo, const og_graph__recovery *recovery,
                                              og_error *err);

#endif
