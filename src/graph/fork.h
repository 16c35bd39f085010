/* graph/fork - a data set's branch being made: of `__manifest` and the commit DAG with the branch itself, of
 * a table when it is first written there (docs/dev/commit.md section 9). */
#ifndef OG_GRAPH_FORK_H
#define OG_GRAPH_FORK_H

#include "graph/repo_priv.h"
#include "lance/table/write.h"

/* Everything in memory, nothing in the store yet. */
typedef struct og_graph__fork {
    og_lance_write *write; /* the clone, staged */
    const og_lance_staged *staged;
    char id[OG_GRAPH__BRANCH_ID +
            1]; /* of the data set's branch; og.fork of the clone's transaction */
    og_buf ref, ref_name;
} og_graph__fork;
void og_graph__fork_deinit(og_graph__fork *fork);

/* Clone `source`, a version of the data set at `path` on its branch `parent` ("" = main), as the first
 * version of `branch`. It gets the source's number, or the next one that no earlier branch of the name has
 * used (`slots`). `commit_id`: og.commit of the clone's transaction; "" = none. */
OG_NODISCARD og_status og_graph__fork_stage(const og_repo *repo, const char *path, og_str parent,
                                            og_lance_table *source, og_str branch,
                                            const og_lance_branch_slots *slots, og_str commit_id,
                                            og_graph__fork *out, og_error *err);

/* put_if_absent, asking when the answer was lost. OG_EXISTS: other bytes are there. */
OG_NODISCARD og_status og_graph__put_once(og_store *store, const char *name, og_bytes bytes,
                                          og_error *err);

/* Put the clone, durably. Of one life of a name only one clone has its number, so who finds it taken finds it
 * done; but another's has other bytes than the one that is staged. `out_ours` may be NULL. */
OG_NODISCARD og_status og_graph__fork_put(og_store *store, const og_graph__fork *fork,
                                          bool *out_ours, og_error *err);

/* The ref of a branch of `__manifest` exists, but its first version may not (its creator died or is slow): put
 * that, as the ref says it is. Anyone may, at any time. */
OG_NODISCARD og_status og_graph__fork_complete(og_repo *repo, const og_graph__branch *branch,
                                               og_error *err);

/* Of a branch that was deleted, and perhaps made again since: was `version` its last one? By the mark that
 * the delete left; false also when a later life of the name is over, too, so that it can't be told. */
OG_NODISCARD og_status og_graph__fork_ended_at(const og_repo *repo, const og_graph__branch *branch,
                                               uint64_t version, bool *out, og_error *err);

/* ---- tables ------------------------------------------------------------------------------- */

/* Has the snapshot's branch this table to itself? Else it reads what it inherited. */
bool og_graph__is_home(const og_graph__branch *branch, const og_graph__pin *pin);
/* The same pin, as if the table were the branch's own: where its slots are. Text is borrowed. */
og_graph__pin og_graph__home_pin(const og_graph__branch *branch, const og_graph__pin *pin);

/* The fork of a type's table that its first write on the snapshot's branch needs. *out_table is the
 * clone, open, to be built on. */
OG_NODISCARD og_status og_graph__fork_table(og_snapshot *snapshot, const og_type_def *def,
                                            og_graph__fork *out, og_lance_table **out_table,
                                            og_error *err);

#endif
