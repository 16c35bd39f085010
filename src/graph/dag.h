/* graph/dag - the tables of the commit DAG, as the reference lays them out.
 *
 * They are derived: the truth about a commit of ours is the `og` object in its `__manifest` rows.
 * The tables are filled after a commit has become visible, and the next writer adds what a dead one
 * left out. Commits of the reference have no `og` object: for them the row here is the truth.
 *
 * The commit of the newest row is kept in the transaction property "og.commit", so that a writer
 * knows without a scan whether the tables are complete; a version without it is another program's.
 * "og.branch_id" says for which branch of the name it was written.
 * The tables are not synced: after a power loss the newest versions may be torn, or a whole table
 * gone. Then the newest readable version is built on, and what it lacks is added. */
#ifndef OG_GRAPH_DAG_H
#define OG_GRAPH_DAG_H

#include "graph/history.h"
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

/* Is this version of a branch's commits one that was written for an earlier branch of the name, and
 * perhaps put late? First versions, and those of other programs, do not tell. */
bool og_graph__dag_is_of_another(const og_lance_table *commits, og_str branch_id);

/* Open the DAG of a branch and find the head commit at a state: the newer of what `__manifest` and
 * the DAG tell. A damaged DAG is no error, and one of an earlier branch of the name counts as
 * none. */
OG_NODISCARD og_status og_graph__dag_open(og_repo *repo, og_graph__branch *branch, og_str branch_id,
                                          const og_graph__state *state, og_graph__dag *out,
                                          og_error *err);

/* Open only the newest readable version of the branch's commits;
 * whether it is complete is not asked. */
OG_NODISCARD og_status og_graph__dag_newest(og_repo *repo, og_graph__branch *branch,
                                            og_graph__dag *out, og_error *err);

/* The same as og_graph__dag_open for a writer. When the newest version of `__manifest` is a commit
 * of ours, and the table has no version above the newest one known to be ours, then that commit is
 * the head, and the tables are taken from memory, or opened, only when rows are appended. Otherwise
 * what earlier commits of this process left to be done (later.h) is waited for. */
OG_NODISCARD og_status og_graph__dag_begin(og_repo *repo, og_graph__branch *branch,
                                           og_str branch_id, og_graph__state *state,
                                           og_graph__dag *out, og_error *err);

/* Append the row of `op`, published at `manifest_version`, and rows that are missing. Not durable,
 * and nobody depends on it: an error only says why it was not done. */
OG_NODISCARD og_status og_graph__dag_append(og_repo *repo, og_graph__dag *dag,
                                            og_lance_table *manifest, const og_graph__op *op,
                                            uint64_t manifest_version, og_error *err);

/* Give each of `commits`, the whole history of the branch as og_history_commits tells it, a row.
 * `is_damaged`: not all of the newest version can be read; then it is followed by one of these
 * commits and of those that only the table has, as far as they can be read (dag_repair.c). Rows of
 * other writers that come meanwhile stay. *out_lost: rows of damaged files that are not made again,
 * as they stood there only. Not durable. OG_CONFLICT the branch was deleted. */
OG_NODISCARD og_status og_graph__dag_repair(og_repo *repo, og_graph__branch *branch,
                                            og_str branch_id, bool is_damaged,
                                            const og_commit_info *commits, size_t count,
                                            uint64_t *out_lost, og_error *err);
/* The same with the table of actors: `commits` are those of all branches, some perhaps twice. */
OG_NODISCARD og_status og_graph__dag_repair_actors(og_repo *repo, bool is_damaged,
                                                   const og_commit_info *commits, size_t count,
                                                   uint64_t *out_lost, og_error *err);

/* How many of these commits have an actor, and no row in the table of actors that can be read; the
 * last of them, if any, borrowed. */
OG_NODISCARD og_status og_graph__dag_find_actorless(og_repo *repo, const og_commit_info *commits,
                                                    size_t count, size_t *out_count,
                                                    const og_commit_info **out_last, og_error *err);

/* Append rows to another derived table (the recoveries), which is made when it is not there.
 * Not durable either. */
OG_NODISCARD og_status og_graph__dag_append_beside(og_repo *repo, const char *path,
                                                   const og_lance_new_field *fields,
                                                   uint32_t field_count, const og_batch *batch,
                                                   const og_graph__op *op, og_error *err);

/* Make both tables of a new graph, with its first commit, durably. */
OG_NODISCARD og_status og_graph__dag_create(og_lance_env *env, const og_graph__op *op,
                                            uint64_t manifest_version, const og_random *random,
                                            og_error *err);

/* The commit of the newest row of a version of the DAG, borrowed; "" when another program wrote
 * that version. */
og_str og_graph__newest_commit(const og_lance_table *commits);

#endif
