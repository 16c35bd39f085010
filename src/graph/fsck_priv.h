/* graph/fsck_priv - what the parts of the check share. */
#ifndef OG_GRAPH_FSCK_PRIV_H
#define OG_GRAPH_FSCK_PRIV_H

#include "base/map.h"
#include "graph/fsck.h"
#include "graph/repo_priv.h"

typedef struct og_graph__fsck {
    og_repo *repo;
    const og_fsck_input *input;
    og_fsck_output *out;
    og_str branch; /* being checked; "" = none */
    og_strmap
        *seen; /* what was checked for another branch: names of table versions and their pairs */
} og_graph__fsck;

/* Tell of a finding on the present branch. */
OG_NODISCARD og_status og_graph__fsck_tell(og_graph__fsck *f, og_finding_kind kind,
                                           og_str table_key, og_error *err, const char *fmt, ...)
    OG_PRINTF(5, 6);
/* The same of what was repaired at once. */
OG_NODISCARD og_status og_graph__fsck_tell_repaired(og_graph__fsck *f, og_finding_kind kind,
                                                    og_str table_key, og_error *err,
                                                    const char *fmt, ...) OG_PRINTF(5, 6);
/* Turn a failed look at the graph into a finding. What is this process's own failure (memory, cancelled)
 * is returned; `status` OG_OK does nothing. */
OG_NODISCARD og_status og_graph__fsck_judge(og_graph__fsck *f, og_status status,
                                            og_finding_kind kind, og_str table_key,
                                            const og_error *problem, og_error *err);
/* True the first time it is called for this text. */
OG_NODISCARD og_status og_graph__fsck_first_time(og_graph__fsck *f, og_str what, bool *out,
                                                 og_error *err);

/* True for a table version whose content gave findings: looking further would only repeat them. */
bool og_graph__fsck_is_broken(const og_graph__fsck *f, const og_lance_table *table);

/* Every table of the snapshot, each by itself (fsck_table.c). */
OG_NODISCARD og_status og_graph__fsck_tables(og_graph__fsck *f, og_snapshot *snapshot,
                                             og_error *err);
/* Read a version of a data set whole; its problems are findings of the kind. *out_problems may be NULL. */
OG_NODISCARD og_status og_graph__fsck_content(og_graph__fsck *f, og_lance_table *table,
                                              og_finding_kind kind, og_str table_key,
                                              uint64_t *out_problems, og_error *err);
/* Values of a text column that occur in two rows (fsck_ids.c); `what` names one: "id". */
OG_NODISCARD og_status og_graph__fsck_unique(og_graph__fsck *f, og_lance_table *table,
                                             uint32_t field, og_finding_kind kind, og_str table_key,
                                             const char *what, og_error *err);
/* Ids of all tables, and the ends of all edges. */
OG_NODISCARD og_status og_graph__fsck_ids(og_graph__fsck *f, og_snapshot *snapshot, og_error *err);
/* The commit DAG of the snapshot's branch (fsck_history.c). */
OG_NODISCARD og_status og_graph__fsck_history(og_graph__fsck *f, og_snapshot *snapshot,
                                              og_error *err);

#endif
