/* graph/relocate - correct the absolute paths in a graph, after it was moved or copied.
 *
 * We derive places from the layout; the reference goes by stored paths: `manifest_path` in the rows
 * of `__manifest`, and the base paths in manifests of branches. Every version that we write has
 * right ones. So on each branch every table with a wrong path gets a new version with the same
 * content, all in one commit. Earlier versions keep the old paths: only we can read them, and merge
 * branches that were forked there (docs/user/maintenance.md). */
#ifndef OG_GRAPH_RELOCATE_H
#define OG_GRAPH_RELOCATE_H

#include "graph/repo.h"

typedef struct og_relocate_output {
    uint64_t branches; /* that had wrong paths */
    uint64_t tables;   /* that got a new version, on all branches */
} og_relocate_output;

/* Relocate branch by branch; what was done stays when a later branch fails. `actor` NULL = none. */
OG_NODISCARD og_status og_relocate_run(og_repo *repo, const char *actor, og_relocate_output *out,
                                       og_error *err);

#endif
