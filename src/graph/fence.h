/* graph/fence - what keeps a cleanup and a writer that slept from hurting each other.
 *
 * A cleanup deletes files that nothing names. A writer may have made some of them, slept, and go on to
 * publish a version that names them. So before the first file is deleted, a horizon is published on
 * each branch, in the one place that every writer reads before it publishes: an operation that began
 * before it gives up (docs/dev/commit.md section 10). */
#ifndef OG_GRAPH_FENCE_H
#define OG_GRAPH_FENCE_H

#include "graph/branch.h"

/* From OG_OK on no operation that began before `horizon_ms` (since 1970) is published on the branch. A
 * horizon is never taken back. OG_UNKNOWN, or another error: nothing may be deleted. */
OG_NODISCARD og_status og_graph__gc_publish(og_repo *repo, og_graph__branch *branch,
                                            uint64_t horizon_ms, og_error *err);

#endif
