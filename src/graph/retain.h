/* graph/retain - which versions a cleanup must leave: the states of the graph on every branch, as versions of
 * `__manifest`, and of every table what one of those pins (graph/cleanup.h says the rules). */
#ifndef OG_GRAPH_RETAIN_H
#define OG_GRAPH_RETAIN_H

#include "base/map.h"
#include "graph/cleanup.h"

typedef struct og_graph__retained {
    og_strmap *versions; /* "<dataset path>@<version>" */
} og_graph__retained;
void og_graph__retained_deinit(og_graph__retained *retained);

/* The bounds of `input` as those of a dataset's cleanup at time `now_us`. */
og_lance_cleanup_options og_graph__cleanup_bounds(const og_cleanup_input *input, int64_t now_us);

/* Reads each version of `__manifest` that stays. */
OG_NODISCARD og_status og_graph__retain(og_repo *repo, const og_lance_cleanup_options *bounds,
                                        og_graph__retained *out, og_error *err);

/* Is there a version of the dataset at `path` among them? `context` is the og_graph__retained; for
 * og_lance_cleanup_options. */
bool og_graph__is_retained(void *context, const char *path, uint64_t version);
/* Is any version of the dataset at `path` (of a branch) among them? */
bool og_graph__is_place_retained(const og_graph__retained *retained, const char *path);

#endif
