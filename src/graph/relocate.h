/* graph/relocate - write the absolute places of a graph anew, after it was moved or copied.
 *
 * We derive places from the layout; the reference goes by the ones that are written: `manifest_path` in the rows of
 * `__manifest`, and the base paths in manifests of branches. On every branch each table whose place is wrong
 * gets a version of the same content, all in one commit, whose rows and bases are right (each version that
 * we write has right ones). Earlier versions keep the old places: only we can read them, and
 * merge what begins there (docs/user/maintenance.md). */
#ifndef OG_GRAPH_RELOCATE_H
#define OG_GRAPH_RELOCATE_H

#include "graph/repo.h"

typedef struct og_relocate_output {
    uint64_t branches; /* that had wrong places */
    uint64_t tables;   /* that got a version, of all branches */
} og_relocate_output;

/* Branch by branch; what was done stays done when a later one fails. actor NULL = none. */
OG_NODISCARD og_status og_relocate_run(og_repo *repo, const char *actor, og_relocate_output *out,
                                       og_error *err);

#endif
