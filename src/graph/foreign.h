/* graph/foreign - going on with what writers of the reference, or of ours, left half done and said so in a
 * sidecar (docs/dev/commit.md section 6).
 *
 * The classes are the reference's. A table has not moved (head is pin), moved as announced, or
 * otherwise; what names another operation was not announced, which the reference does not look at. When
 * all moved as announced their heads are published; else those that moved are restored. It does so at
 * once, readers too; we, writers only, give the writer time to live: one second when all it has to do is
 * publish, ten otherwise, counted from the last sign of it. */
#ifndef OG_GRAPH_FOREIGN_H
#define OG_GRAPH_FOREIGN_H

#include "graph/sidecar.h"

/* Go on with all that is due. *out_left: the sidecars that stay, to be deinited; *out_changed: a pin
 * moved. One that can't be gone on with stays; errors are of reading them all. */
OG_NODISCARD og_status og_graph__foreign_recover(og_repo *repo, og_graph__sidecars *out_left,
                                                 bool *out_changed, og_error *err);

/* A branch was deleted: remove what writers of ours said of it. The reference opens no graph with a
 * sidecar of a branch that is not there. Failures are ignored; the next write removes it, too. */
void og_graph__foreign_forget(const og_repo *repo, og_str branch);

/* May the table be written? OG_CONFLICT, naming the sidecar, when one of a newer schema names it; with
 * `has_foreign_head` (somebody moved it without publishing) also when any other does, or one that
 * can't be read yet might. */
OG_NODISCARD og_status og_graph__foreign_check(const og_graph__sidecars *sidecars, og_str table_key,
                                               og_str branch, bool has_foreign_head, og_error *err);

#endif
