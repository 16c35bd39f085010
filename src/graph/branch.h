/* graph/branch - branches: their names, where they keep things, and which there are.
 *
 * A branch of a graph is a branch of two Lance datasets (docs/dev/storage.md): of `__manifest`,
 * whose ref file `__manifest/_refs/branches/<name>.json` is what makes it exist, and of the commit
 * DAG. A table gets a branch of its own when it is first written there. Main has no refs and lives
 * in the roots of the datasets.
 *
 * A name may be used again after a delete. One life of a name is told from another by the branch's
 * id, a random number in its ref file. */
#ifndef OG_GRAPH_BRANCH_H
#define OG_GRAPH_BRANCH_H

#include "base/arena.h"
#include "graph/repo.h"
#include "graph/state.h"
#include "lance/table/branch.h"

#define OG_GRAPH__MAIN "main"
#define OG_GRAPH__BRANCH_ID 32 /* characters of a branch's id */

/* What an open graph knows of a branch. Made once per name and kept until the graph is closed. */
typedef struct og_graph__branch {
    char *name;
    bool is_main;
    char *manifest_path;   /* dataset path of its `__manifest` */
    char *commits_path;    /* and of its commit DAG */
    char *head_file;       /* name of its head file */
    og_snapshot *current;  /* newest seen; NULL before the first; guarded by the repo's lock */
    uint64_t commits_hint; /* newest version of its commit DAG known to be ours; 0 = none; atomic */
    /* The newest version of its commit DAG that this process wrote, and the branch's id then;
     * guarded by the repo's lock. NULL = none. */
    og_lance_table *commits;
    char commits_id[OG_GRAPH__BRANCH_ID + 1];
    struct og_graph__branch *next;
} og_graph__branch;

/* The branch of a name, borrowed from the repo; white space around the name is ignored, NULL is
 * main. Whether the branch exists is not asked. OG_INVALID for what can't be a branch's name. */
OG_NODISCARD og_status og_graph__branch_get(og_repo *repo, const char *name, og_graph__branch **out,
                                            og_error *err);
/* For og_repo_close. */
void og_graph__branch_free_all(og_graph__branch *first);

/* OG_NOT_FOUND "branch '...' not found", with a hint. */
og_status og_graph__branch_not_found(const og_graph__branch *branch, og_error *err);

/* Read the branch's ref of `__manifest`; not for main, which has none.
 * OG_NOT_FOUND "branch '...' not found". */
OG_NODISCARD og_status og_graph__branch_ref(const og_repo *repo, const og_graph__branch *branch,
                                            og_arena *arena, og_lance_ref *out, og_error *err);
/* The branch's id ("" for main), and the version of `__manifest` that it begins with (0 for main).
 * Lower versions, which a power loss may bring back, belong to an earlier branch of the name.
 * OG_NOT_FOUND when the branch does not exist, or no more. */
OG_NODISCARD og_status og_graph__branch_life(const og_repo *repo, const og_graph__branch *branch,
                                             char out_id[OG_GRAPH__BRANCH_ID + 1],
                                             uint64_t *out_first, og_error *err);
OG_NODISCARD og_status og_graph__branch_id(const og_repo *repo, const og_graph__branch *branch,
                                           char out_id[OG_GRAPH__BRANCH_ID + 1], og_error *err);

/* Append the path of the dataset that a pin is in: the table's, or that of its branch. */
bool og_graph__pin_path(og_buf *out, const og_graph__pin *pin);

#endif
