/* graph/foreign - finishing or undoing what writers, of the reference or ours, announced in a
 * sidecar and left half done (docs/dev/commit.md section 6).
 *
 * The rule is the reference's. Each table of a sidecar has not moved (its head is the pin), has
 * moved as announced, or has moved otherwise. (A head that names another operation counts as moved
 * otherwise; the reference does not look at that.) When all tables moved as announced, their heads
 * are published; otherwise those that moved are restored.
 *
 * The reference does this at once, even in readers. We do it in writers only, and give the owner of
 * the sidecar time, counted from its last sign of life: one second when it has only to publish, ten
 * otherwise. */
#ifndef OG_GRAPH_FOREIGN_H
#define OG_GRAPH_FOREIGN_H

#include "graph/sidecar.h"

/* Finish or undo all sidecars that are due. *out_left, to be deinited, are those that
 * stay, also because they could not be handled; *out_changed: a pin has moved. An error is
 * one of reading the sidecars. */
OG_NODISCARD og_status og_graph__foreign_recover(og_repo *repo, og_graph__sidecars *out_left,
                                                 bool *out_changed, og_error *err);

/* After a branch was deleted: remove our sidecars of it, since the reference does not open a graph
 * that has a sidecar of a missing branch. Failures are ignored; the next write tries again. */
void og_graph__foreign_forget(const og_repo *repo, og_str branch);

/* May the table be written? OG_CONFLICT, naming the sidecar, when one of a newer schema names the
 * table. With `has_foreign_head` (somebody moved the table without publishing) also when any other
 * sidecar names it, or one that can't be read yet. */
OG_NODISCARD og_status og_graph__foreign_check(const og_graph__sidecars *sidecars, og_str table_key,
                                               og_str branch, bool has_foreign_head, og_error *err);

#endif
