/* graph/ahead - what an operation is going to ask of the store, said before it does: calls that don't need
 * each other's answers then travel side by side (og_store_expect). Stores that are near are told
 * at most what to read ahead.
 *
 * Each function is followed by the calls that it announces, in whatever order, and in the end by
 * og_store_expect_no_more. A call that does not follow was made in vain, no more. */
#ifndef OG_GRAPH_AHEAD_H
#define OG_GRAPH_AHEAD_H

#include "graph/repo_priv.h"

/* A graph is opened. */
void og_graph__expect_open(og_store *store);
/* A txn begins that is going to write these tables. */
void og_graph__expect_txn(og_repo *repo, const char *branch, const og_type_def *const *defs,
                          size_t count);
/* Is the schema at rest, and does the branch still exist? */
void og_graph__expect_checks(og_repo *repo, const og_graph__branch *branch);
/* A branch is made of another. */
void og_graph__expect_create(og_repo *repo, const og_graph__branch *from,
                             const og_graph__branch *to);
/* A branch is deleted: before anything is written, and between its mark and its ref. */
void og_graph__expect_delete(og_repo *repo, const og_graph__branch *branch);
/* The refs of all these branches but one. */
void og_graph__expect_refs(og_store *store, const og_str *names, size_t count, const char *but);
void og_graph__expect_ref(og_repo *repo, const og_graph__branch *branch);

#endif
