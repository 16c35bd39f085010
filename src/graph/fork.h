/* graph/fork - making the branch of a dataset: for `__manifest` and the commit DAG when a branch of
 * the graph is made, for a table when it is first written there (docs/dev/commit.md section 9). */
#ifndef OG_GRAPH_FORK_H
#define OG_GRAPH_FORK_H

#include "graph/repo_priv.h"
#include "lance/table/write.h"

/* A fork in memory: nothing of it is in the store yet. */
typedef struct og_graph__fork {
    og_lance_write *write; /* the clone, staged */
    const og_lance_staged *staged;
    /* Id of the dataset's branch, which is og.fork in the clone's transaction. */
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_buf ref, ref_name; /* content and name of the ref file */
} og_graph__fork;
void og_graph__fork_deinit(og_graph__fork *fork);

/* Stage a clone of `source`, a version of the dataset at `path` on its branch `parent` ("" = main),
 * as the first version of `branch`. It gets the source's version number or, when an earlier branch
 * of the name used that (`slots`), the next one that is free. `commit_id`: og.commit in the clone's
 * transaction; "" = none. */
OG_NODISCARD og_status og_graph__fork_stage(const og_repo *repo, const char *path, og_str parent,
                                            og_lance_table *source, og_str branch,
                                            const og_lance_branch_slots *slots, og_str commit_id,
                                            og_graph__fork *out, og_error *err);

/* put_if_absent that looks at the object when the answer was lost. OG_EXISTS:
 * other bytes are there. */
OG_NODISCARD og_status og_graph__put_once(og_store *store, const char *name, og_bytes bytes,
                                          og_error *err);

/* Put the clone, durably. In one life of a name only one clone can have this number, so whoever
 * finds the number taken finds the work done; *out_ours (may be NULL) says whether it is the staged
 * one, as another's has other bytes. */
OG_NODISCARD og_status og_graph__fork_put(og_store *store, const og_graph__fork *fork,
                                          bool *out_ours, og_error *err);

/* Put the first version of a branch of `__manifest`, as its ref describes it, unless it is there:
 * the creator may have died after putting the ref, or be slow. Anyone may call this at any time. */
OG_NODISCARD og_status og_graph__fork_complete(og_repo *repo, const og_graph__branch *branch,
                                               og_error *err);

/* Was `version` the last one of a branch that was deleted, and perhaps made again since? The mark
 * that the delete left tells; false also when a later branch of the name was deleted, too, so that
 * it can't be told. */
OG_NODISCARD og_status og_graph__fork_ended_at(const og_repo *repo, const og_graph__branch *branch,
                                               uint64_t version, bool *out, og_error *err);

/* ---- tables ------------------------------------------------------------------------------- */

/* Does the branch have a branch of its own of this table? Otherwise it reads what it inherited. */
bool og_graph__is_home(const og_graph__branch *branch, const og_graph__pin *pin);
/* The pin as it would be on the branch's own branch of the table, which is where its slots are.
 * Text is borrowed. */
og_graph__pin og_graph__home_pin(const og_graph__branch *branch, const og_graph__pin *pin);

/* Stage the fork of a type's table that the first write on the snapshot's branch needs.
 * *out_table is the clone, open, to build that write on. */
OG_NODISCARD og_status og_graph__fork_table(og_snapshot *snapshot, const og_type_def *def,
                                            og_graph__fork *out, og_lance_table **out_table,
                                            og_error *err);

#endif
