/* graph/fence - what keeps a cleanup and a writer that slept from hurting each other.
 *
 * A cleanup deletes files that nothing names. A writer that made some of them may have slept and
 * still go on to publish a version that names them. So before deleting the first file a cleanup
 * publishes a horizon, a point in time, on each branch, in the place that every writer reads before
 * it publishes: an operation that began before the horizon gives up (docs/dev/commit.md section
 * 10). */
#ifndef OG_GRAPH_FENCE_H
#define OG_GRAPH_FENCE_H

#include "graph/branch.h"

/* Publish a horizon. After OG_OK no operation that began before `horizon_ms` (since 1970) will be
 * published on the branch. A horizon is never taken back. After OG_UNKNOWN or another error nothing
 * may be deleted. */
OG_NODISCARD og_status og_graph__gc_publish(og_repo *repo, og_graph__branch *branch,
                                            uint64_t horizon_ms, og_error *err);

#endif
