/* graph/restore - undoing what stands in a table's slots above its pin (docs/dev/commit.md section
 * 6): giving tables back their pins, and aborting an operation. */
#ifndef OG_GRAPH_RESTORE_H
#define OG_GRAPH_RESTORE_H

#include "graph/audit.h"
#include "graph/commit.h"

/* ---- slots -------------------------------------------------------------------------------- */

/* Append the name of the manifest in slot `version` of the dataset that a pin is in. */
bool og_graph__slot_name(og_buf *out, const og_graph__pin *pin, uint64_t version);
OG_NODISCARD og_status og_graph__slot_is_taken(og_repo *repo, const og_graph__pin *pin,
                                               uint64_t version, bool *out, og_error *err);
/* Open the version in a slot. OG_NOT_FOUND: the slot is free. */
OG_NODISCARD og_status og_graph__slot_open(og_repo *repo, const og_graph__pin *pin,
                                           uint64_t version, og_lance_table **out, og_error *err);

/* ---- restoring ---------------------------------------------------------------------------- */

/* Make a commit, as actor omnigraph:recovery, that restores tables to what these pins
 * show: a Restore at head + 1 becomes the new pin. out_heads (may be NULL): the
 * versions that the tables had. */
OG_NODISCARD og_status og_graph__restore_pins(og_repo *repo, og_snapshot *snapshot,
                                              const og_graph__pin *const *pins, size_t count,
                                              uint64_t *out_heads, og_commit_result *out,
                                              og_error *err);

/* The same for those of the tables `keys` whose slot pin + 1 is taken, at the newest snapshot of
 * the branch. `about`: the operation that is undone, to be noted in the table of recoveries; NULL:
 * it is not noted. */
OG_NODISCARD og_status og_graph__restore_tables(og_repo *repo, og_graph__branch *branch,
                                                const og_str *keys, size_t key_count,
                                                const og_graph__recovery *about, og_error *err);

/* Note in the table of recoveries that another's operation, `about`, was finished or undone by
 * `commit`. For people who look, so failures are ignored. */
void og_graph__recovery_note(og_repo *repo, const og_graph__recovery *about, bool is_forward,
                             const og_graph__outcome *outcomes, size_t count,
                             const og_commit_result *commit);

/* Abort an operation that holds slots: publish its og_abort row and restore its tables. After OG_OK
 * its fate is decided: *out_fate is ABORTED, and nobody can publish it any more, or PUBLISHED, as
 * somebody else was first. After an error it is open. `about`: actor, kind and id of another's
 * operation, for the table of recoveries; NULL when it is the caller's own. */
OG_NODISCARD og_status og_graph__abort_op(og_repo *repo, og_graph__branch *branch, og_str op,
                                          const og_str *table_keys, size_t table_count,
                                          const og_graph__recovery *about,
                                          og_graph__op_fate *out_fate, og_error *err);

#endif
