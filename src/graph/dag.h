/* graph/dag - the tables of the commit DAG, as the reference lays them out.
 *
 * Derived: the truth of a commit of ours is the `og` object in its `__manifest` rows; these
 * tables are filled after the commit became visible, and what a dead writer left out is added by
 * the next. Commits of the reference have no `og` object: for them the row here is the truth.
 * The newest row's commit is kept in the transaction property "og.commit", so that a writer
 * knows without a scan whether the tables are complete; a version without it is another
 * program's. They are not synced: after a power loss the newest versions may be torn, or the
 * data set gone; then the newest readable version is built on, and what it lacks is added. */
#ifndef OG_GRAPH_DAG_H
#define OG_GRAPH_DAG_H

#include "graph/publish.h"

typedef struct og_graph__dag {
    og_graph__branch *branch; /* borrowed from the repo */
    /* Set when the tables were not opened yet: the state at which they are,
     * once rows are appended. Owned. */
    og_graph__state *unread;
    og_lance_table *commits; /* newest readable version; NULL when there is none */
    uint64_t head_version;   /* newest version, readable or not; 0 = none */
    bool is_complete;        /* the newest row is the head commit */
    char head_id[27];        /* newest commit of the branch, whoever made it; "" = none known */
} og_graph__dag;
void og_graph__dag_deinit(og_graph__dag *dag);

/* Find the head commit of a branch at a snapshot: the newer of what the rows of `__manifest` and
 * of the DAG say. A damaged DAG is no error. */
OG_NODISCARD og_status og_graph__dag_open(og_repo *repo, og_graph__branch *branch,
                                          const og_graph__state *state, og_graph__dag *out,
                                          og_error *err);

/* Open only the newest readable version of the branch's commits;
 * whether it is complete is not asked. */
OG_NODISCARD og_status og_graph__dag_newest(og_repo *repo, og_graph__branch *branch,
                                            og_graph__dag *out, og_error *err);

/* The same for a writer. When the newest version of `__manifest` is a commit of ours, and the
 * data set has no version above the newest one that is known to be ours, the head is known; then
 * the data set is taken from memory, or opened, when rows are appended. Else what another commit
 * leaves to be done is waited for. */
OG_NODISCARD og_status og_graph__dag_begin(og_repo *repo, og_graph__branch *branch,
                                           og_graph__state *state, og_graph__dag *out,
                                           og_error *err);

/* Append the rows of `op`, published at `manifest_version`, and rows that are missing. Not
 * durable and not waited for by anyone: errors only say why it was not done. */
OG_NODISCARD og_status og_graph__dag_append(og_repo *repo, og_graph__dag *dag,
                                            og_lance_table *manifest, const og_graph__op *op,
                                            uint64_t manifest_version, og_error *err);

/* Append rows to a data set beside the DAG, which is made when it is not there. As little
 * durable. */
OG_NODISCARD og_status og_graph__dag_append_beside(og_repo *repo, const char *path,
                                                   const og_lance_new_field *fields,
                                                   uint32_t field_count, const og_batch *batch,
                                                   const og_graph__op *op, og_error *err);

/* Make both tables of a new graph, with its first commit, durably. */
OG_NODISCARD og_status og_graph__dag_create(og_lance_env *env, const og_graph__op *op,
                                            uint64_t manifest_version, const og_random *random,
                                            og_error *err);

#endif
