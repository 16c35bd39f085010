/* graph/resolve - heads above their pin: what a dead, slow or foreign writer left in a table's
 * slots (docs/dev/commit.md section 6).
 *
 * What `__manifest` names is the truth. Before a table is written its slot pin + 1 must be free.
 * When it is not, the operation that holds it is helped to its end if it holds all its slots,
 * waited for while its writer may be alive, and aborted otherwise: the pin's content goes to
 * head + 1 as a Restore, which is published as the new pin. Counters never go back, so no row or
 * fragment id of the aborted version is given again. Clocks decide only how long to wait, never
 * what is true. */
#ifndef OG_GRAPH_RESOLVE_H
#define OG_GRAPH_RESOLVE_H

#include "graph/repo.h"

/* Make the slot pin + 1 of each table free. *inout_snapshot is replaced by the newest one when a
 * pin moved. OG_CONFLICT when a living foreign writer (one with a sidecar) is in the way. */
OG_NODISCARD og_status og_graph__resolve_heads(og_repo *repo, const og_type_def *const *defs,
                                               size_t def_count, og_snapshot **inout_snapshot,
                                               og_error *err);

/* Restore a table's pin above versions that stand above a free slot pin + 1, because a cleanup or a
 * power loss took the ones between. Writers don't look that far; they would meet these versions
 * once the pin is just below. OG_CONFLICT when the slot is taken meanwhile. */
OG_NODISCARD og_status og_graph__resolve_above_hole(og_repo *repo, const og_type_def *def,
                                                    og_snapshot **inout_snapshot, og_error *err);

#endif
