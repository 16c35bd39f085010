/* graph/ahead - announcing what an operation is going to ask of the store, so that calls that don't
 * need each other's answers travel side by side (og_store_expect). A store that is near is told at
 * most what to read ahead.
 *
 * After each of these functions the caller makes the calls that it announces, in any order, and
 * then calls og_store_expect_no_more. An announced call that is not made was sent in vain, no more.
 */
#ifndef OG_GRAPH_AHEAD_H
#define OG_GRAPH_AHEAD_H

#include "graph/repo_priv.h"

/* Before a graph is opened. */
void og_graph__expect_open(og_store *store);
/* Before a txn begins that will write these tables. The version of `__manifest` for which they are
 * announced; 0: none is known. */
uint64_t og_graph__expect_txn(og_repo *repo, const char *branch, const og_type_def *const *defs,
                              size_t count);
/* Before it prepares them, when it began on another snapshot than was current before: what was
 * announced of tables does not hold then. */
void og_graph__expect_moved(og_repo *repo, og_snapshot *snapshot, const og_type_def *const *defs,
                            size_t count);
/* Before the newest version of `__manifest` is looked for, above a known one, and read. */
void og_graph__expect_refresh(og_repo *repo, const og_graph__branch *branch, uint64_t known);
/* Before asking whether the schema is unchanged and whether the branch still exists. */
void og_graph__expect_checks(og_repo *repo, const og_graph__branch *branch);
/* Before a branch is made of another. */
void og_graph__expect_create(og_repo *repo, const og_graph__branch *from,
                             const og_graph__branch *to);
/* Before a branch is deleted. */
void og_graph__expect_delete(og_repo *repo, const og_graph__branch *branch);
/* Before the refs of all these branches except `but` are read. */
void og_graph__expect_refs(og_store *store, const og_str *names, size_t count, const char *but);

#endif
