/* graph/resolve - heads above their pin: what a dead, slow or foreign writer left in a table's slots
 * (docs/dev/commit.md section 6).
 *
 * What `__manifest` names is the truth. Before a table is written its slot pin + 1 must be free; if it
 * is not, the operation that holds it is helped to its end when it holds all its slots, waited for while
 * it may be alive, and otherwise aborted: the pin's content goes to head + 1 as a Restore, which is
 * published as the new pin. Counters never go back, so no row or fragment id of the orphan is given again.
 * Clocks decide only how long to wait, never what is true. */
#ifndef OG_GRAPH_RESOLVE_H
#define OG_GRAPH_RESOLVE_H

#include "graph/audit.h"
#include "graph/commit.h"

/* Free the slot pin + 1 of each table. *inout_snapshot is replaced by the newest one when anything moved.
 * OG_CONFLICT when a living foreign writer (one with a sidecar) is in the way. */
OG_NODISCARD og_status og_graph__resolve_heads(og_repo *repo, const og_type_def *const *defs,
                                               size_t def_count, og_snapshot **inout_snapshot,
                                               og_error *err);

/* Versions of a table above a free slot pin + 1, since a cleanup or a power loss took those below: restore the pin
 * above them. Writers don't look that far; they meet them when the pin is just below.
 * OG_CONFLICT when the slot is taken meanwhile. */
OG_NODISCARD og_status og_graph__resolve_above_hole(og_repo *repo, const og_type_def *def,
                                                    og_snapshot **inout_snapshot, og_error *err);

/* A commit, by omnigraph:recovery, that gives tables back what these pins show: at head + 1, as a Restore,
 * which becomes the pin. out_heads (may be NULL): the versions they had. */
OG_NODISCARD og_status og_graph__restore_pins(og_repo *repo, og_snapshot *snapshot,
                                              const og_graph__pin *const *pins, size_t count,
                                              uint64_t *out_heads, og_commit_result *out,
                                              og_error *err);

/* Abort an operation that holds slots: publish its og_abort row and restore its tables. After OG_OK it is
 * decided: *out_fate is ABORTED, and nobody can publish it any more, or PUBLISHED, as others did
 * before. After an error it is open. `about` NULL: it is the caller's own; else another's, and is noted
 * in the table of recoveries by actor, kind and id. */
OG_NODISCARD og_status og_graph__abort_op(og_repo *repo, og_graph__branch *branch, og_str op,
                                          const og_str *table_keys, size_t table_count,
                                          const og_graph__recovery *about,
                                          og_graph__op_fate *out_fate, og_error *err);

#endif
