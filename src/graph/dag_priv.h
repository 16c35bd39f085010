/* graph/dag_priv - the two data sets of the commit DAG: their columns, rows and newest versions. */
#ifndef OG_GRAPH_DAG_PRIV_H
#define OG_GRAPH_DAG_PRIV_H

#include "base/vec.h"
#include "columnar/builder.h"
#include "graph/dag.h"
#include "graph/history.h"
#include "graph/repo_priv.h"

/* Columns of the commits, and of the actors. */
enum { ID, BRANCH, VERSION, PARENT, MERGED_PARENT, CREATED_AT, COMMIT_COLUMNS };
enum { ACTOR_COMMIT, ACTOR_ID, ACTOR_AT, ACTOR_COLUMNS };

/* Commits as rows; text is borrowed. */
typedef OG_VEC(og_commit_info) og_graph__commit_rows;

/* How commits stand in a data set. */
typedef struct og_graph__dag_layout {
    const og_lance_new_field *fields;
    uint32_t field_count;
    /* Append a commit's row, if it has one; false when out of memory. */
    bool (*put)(og_builder **columns, const og_commit_info *commit);
} og_graph__dag_layout;
extern const og_graph__dag_layout og_graph__commit_layout, og_graph__actor_layout;

/* The commits as a batch of the layout's fields. */
OG_NODISCARD og_status og_graph__dag_batch(const og_graph__dag_layout *layout,
                                           const og_commit_info *commits, size_t count,
                                           og_batch *out, og_error *err);

/* One of the two data sets, and where a version of it is remembered, to look for newer ones from
 * there. */
typedef struct og_graph__dataset {
    og_repo *repo;
    const char *path;
    uint64_t *hint;
    og_graph__branch *branch; /* whose commits these are; NULL: they are not commits */
} og_graph__dataset;
og_graph__dataset og_graph__commits_of(og_repo *repo, og_graph__branch *branch);
og_graph__dataset og_graph__actors_of(og_repo *repo);

/* The newest version that opens, at `below` or earlier (0: any); *out_head is the newest version
 * there is. *out NULL when none opens. A version of another program's is not remembered: it is
 * to be met again. */
OG_NODISCARD og_status og_graph__dataset_newest(const og_graph__dataset *d, uint64_t below,
                                                og_lance_table **out, uint64_t *out_head,
                                                og_error *err);

/* What was opened after something became visible on a branch may be of a later branch of the name:
 * then it is not for its rows, and this is OG_CONFLICT. */
OG_NODISCARD og_status og_graph__dataset_check_life(const og_graph__dataset *d, og_str branch_id,
                                                    og_error *err);

#endif
