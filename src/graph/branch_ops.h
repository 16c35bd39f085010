/* graph/branch_ops - making and deleting branches.
 *
 * The cost depends neither on the number of types nor on what is stored: a branch begins as two
 * clones of manifests and two refs. */
#ifndef OG_GRAPH_BRANCH_OPS_H
#define OG_GRAPH_BRANCH_OPS_H

#include "graph/branch.h"
#include "graph/repo.h"

/* Make branch `name` of the newest state of branch `from` (NULL: main).
 * White space around names is ignored.
 *
 * The ref of `__manifest` is put first: whoever puts it has the name, and the branch exists. Until
 * its first version is there, the branch is read as its parent was. Then come the clone and ref of
 * the commit DAG, which are derived, and last the clone of `__manifest`; when the creator dies
 * before that, the next writer puts it.
 *
 * OG_INVALID: no such name is allowed; OG_EXISTS; OG_NOT_FOUND: there is no `from`; OG_CONFLICT:
 * somebody is changing the schema; OG_UNKNOWN: it can't be told whether the branch exists now. */
OG_NODISCARD og_status og_branch_make(og_repo *repo, const char *from, const char *name,
                                      og_error *err);

/* Delete a branch: its refs are removed, that of `__manifest` first. The manifests of the branch
 * are removed as far as possible, to free the name for other programs; files of its tables stay
 * until a cleanup. OG_NOT_FOUND; OG_INVALID for main; OG_CONFLICT while a branch that was forked
 * from it exists. */
OG_NODISCARD og_status og_branch_remove(og_repo *repo, const char *name, og_error *err);

/* Would a delete be refused now, for its name or for branches made of it? */
OG_NODISCARD og_status og_branch_check_removable(og_repo *repo, const char *name, og_error *err);

/* A state of a branch that a merge has taken. */
typedef struct og_merged {
    char branch_id[OG_GRAPH__BRANCH_ID + 1]; /* the name may be another branch's by now */
    uint64_t version;                        /* of `__manifest` */
} og_merged;

/* The same while the branch has nothing that `only` (NULL: it may) lacks. OG_CONFLICT: somebody has
 * written on it since, and it stays. */
OG_NODISCARD og_status og_branch_remove_merged(og_repo *repo, const char *name,
                                               const og_merged *only, og_error *err);

#endif
