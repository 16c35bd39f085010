/* graph/fence - what keeps a cleanup from hurting others, who slept or are under way.
 *
 * A cleanup deletes files that nothing names. A writer that made some of them may have slept and
 * still go on to publish a version that names them. So before deleting the first file a cleanup
 * publishes a horizon, a point in time, on each branch, in the place that every writer reads before
 * it publishes: an operation that began before the horizon gives up (docs/dev/commit.md section
 * 10).
 *
 * A cleanup looks at all branches, then at their states, then at the branches again, and removes
 * what no state needs. Who makes a branch of a state does so while that is the newest one, or looks
 * for the mark that each cleanup puts before its first look and takes away behind its last removal
 * (section 9). */
#ifndef OG_GRAPH_FENCE_H
#define OG_GRAPH_FENCE_H

#include "graph/branch.h"

/* Publish a horizon. After OG_OK no operation that began before `horizon_ms` (since 1970) will be
 * published on the branch. A horizon is never taken back. After OG_UNKNOWN or another error nothing
 * may be deleted. */
OG_NODISCARD og_status og_graph__gc_publish(og_repo *repo, og_graph__branch *branch,
                                            uint64_t horizon_ms, og_error *err);

/* The mark of a cleanup under way. */
typedef struct og_graph__cleanup_mark {
    char name[64]; /* of the object; "" = none */
} og_graph__cleanup_mark;

/* Put a mark, before anything is looked at. Marks that are older than a day are of cleanups that
 * died, and are removed. */
OG_NODISCARD og_status og_graph__cleanup_begin(og_repo *repo, og_graph__cleanup_mark *out,
                                               og_error *err);
/* OG_CONFLICT: somebody took the cleanup for dead; it must not remove anything any more. */
OG_NODISCARD og_status og_graph__cleanup_lives(og_repo *repo, const og_graph__cleanup_mark *mark,
                                               og_error *err);
/* A mark that can't be removed harms little: whoever makes a branch of a state that its source has
 * left makes it of a newer one. */
void og_graph__cleanup_end(og_repo *repo, og_graph__cleanup_mark *mark);
/* Is there any mark? When that can't be told, there is. */
bool og_graph__is_cleaned(og_repo *repo);

#endif
