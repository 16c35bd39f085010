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

#include "graph/audit.h"
#include "graph/commit.h"

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

/* Make a commit, as actor omnigraph:recovery, that restores tables to what these pins
 * show: a Restore at head + 1 becomes the new pin. out_heads (may be NULL): the
 * versions that the tables had. */
OG_NODISCARD og_status og_graph__restore_pins(og_repo *repo, og_snapshot *snapshot,
                                              const og_graph__pin *const *pins, size_t count,
                                              uint64_t *out_heads, og_commit_result *out,
                                              og_error *err);

/* Abort an operation that holds slots: publish its og_abort row and restore its tables. After OG_OK
 * its fate is decided: *out_fate is ABORTED, and nobody can publish it any more, or PUBLISHED, as
 * somebody else was first. After an error it is open. `about`: actor, kind and id of another's
 * operation, for the table of recoveries; NULL when it is the caller's own. */
OG_NODISCARD og_status og_graph__abort_op(og_repo *repo, og_graph__branch *branch, og_str op,
                                          const og_str *table_keys, size_t table_count,
                                          const og_graph__recovery *about,
                                          og_graph__op_fate *out_fate, og_error *err);

#endif
