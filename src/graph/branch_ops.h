/* graph/branch_ops - making and deleting branches. Cost does not depend on the number of types, nor on
 * what is stored: a branch begins as two clones of manifests and two refs. */
#ifndef OG_GRAPH_BRANCH_OPS_H
#define OG_GRAPH_BRANCH_OPS_H

#include "graph/repo.h"

/* Make branch `name` of the newest state of branch `from` (NULL: main). White space around names is
 * ignored. First the ref of `__manifest`: whoever puts it has the name, and the branch exists; until its first
 * version is there it is read as its parent was. Then the commit DAG's clone and ref, which are derived, and last
 * `__manifest`'s clone; when its creator dies before, the next writer puts it.
 *
 * OG_INVALID what can be no name; OG_EXISTS; OG_NOT_FOUND no `from`; OG_CONFLICT somebody changes the
 * schema; OG_UNKNOWN when it can't be told whether it exists now. */
OG_NODISCARD og_status og_branch_make(og_repo *repo, const char *from, const char *name,
                                      og_error *err);

/* Delete a branch: its refs go, that of `__manifest` first. What its tables wrote stays for a cleanup to
 * find; the manifests of the branch are removed as far as that works, to free the name. OG_NOT_FOUND; OG_INVALID
 * for main; OG_CONFLICT while a branch that was forked from it exists. */
OG_NODISCARD og_status og_branch_remove(og_repo *repo, const char *name, og_error *err);

#endif
