/* graph/retain - which versions a cleanup must keep, by the rules in graph/cleanup.h: states of the
 * graph on every branch, as versions of `__manifest`, and the table versions that these pin. */
#ifndef OG_GRAPH_RETAIN_H
#define OG_GRAPH_RETAIN_H

#include "base/map.h"
#include "graph/cleanup.h"
#include "lance/table/refs.h"

typedef struct og_graph__retained {
    og_strmap *versions; /* "<dataset path>@<version>"; and each path -> its newest of them */
    og_lance_refs refs;  /* of `__manifest`: the branches that were looked at */
} og_graph__retained;
void og_graph__retained_deinit(og_graph__retained *retained);

/* The bounds of `input`, for the cleanup of a dataset at time `now_us`. */
og_lance_cleanup_options og_graph__cleanup_bounds(const og_cleanup_input *input, int64_t now_us);

/* Find what must be kept. Reads each version of `__manifest` that stays. OG_NOT_FOUND: a branch was
 * made or deleted meanwhile; ask again. */
OG_NODISCARD og_status og_graph__retain(og_repo *repo, const og_lance_cleanup_options *bounds,
                                        og_graph__retained *out, og_error *err);

/* Is this version of the dataset at `path` among them? `context` is the og_graph__retained: this is
 * is_pinned of og_lance_cleanup_options. */
bool og_graph__is_retained(void *context, const char *path, uint64_t version);
/* The same for tables that others go on writing: what is above all that was found to be kept came
 * later, and a branch that came later may pin it. */
bool og_graph__must_stay(void *context, const char *path, uint64_t version);
/* Must any version of the dataset (a branch's) at `path` be kept? */
bool og_graph__is_place_retained(const og_graph__retained *retained, const char *path);

#endif
