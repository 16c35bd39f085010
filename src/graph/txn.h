/* graph/txn - the one way to change a graph: collect writes of several tables, then commit them as
 * one (docs/dev/commit.md).
 *
 * A txn reads one snapshot. Each table it writes gets one og_lance_write, which streams its files
 * while the operation runs; commit stages the rest, takes the slots, publishes `__manifest` and
 * tidies. A txn that is freed without commit leaves the graph as it was. */
#ifndef OG_GRAPH_TXN_H
#define OG_GRAPH_TXN_H

#include "graph/repo.h"
#include "lance/table/write.h"

typedef struct og_txn og_txn;

typedef struct og_txn_options {
    const char *branch; /* NULL = main */
    const char *actor;  /* NULL = none */
    const char *kind;   /* the reference's writer kind: "Mutation", "Load", "BranchMerge", ... */
    /* ULID of the commit that a merge brings in, for the commit's second parent; NULL or "" = no
     * merge. */
    const char *merged_parent;
    /* Id of the branch on which that was made; NULL = main, or not known. Borrowed until the txn is
     * freed. */
    const char *merged_branch_id;
    /* Take the branch's turn (og_store_take_turn) at the start, so that other writers wait:
     * for an operation that lost to others before. */
    bool in_turn;
    bool fold_control; /* also join all fragments of `__manifest` and the commit DAG */
} og_txn_options;

/* Begin on the newest snapshot. */
OG_NODISCARD og_status og_txn_begin(og_repo *repo, const og_txn_options *options, og_txn **out,
                                    og_error *err);
void og_txn_free(og_txn *txn);
OG_DEFINE_AUTO(og_txn, og_txn_free)

/* The snapshot on which the txn is built. When a table is first written, a head that nobody
 * published is resolved (resolve.h), which may renew the snapshot. So either name all tables that
 * will be written before reading (og_txn_prepare), or call this again after each og_txn_write. */
og_snapshot *og_txn_snapshot(og_txn *txn);
/* Resolve unpublished heads of these tables now. Writing them does not
 * change the snapshot any more. */
OG_NODISCARD og_status og_txn_prepare(og_txn *txn, const og_type_def *const *defs, size_t count,
                                      og_error *err);

/* The write of a table, made at the first call with `op` (APPEND, UPDATE, DELETE,
 * OVERWRITE or COMPACT); borrowed. A second call for the same table returns the same
 * write; its op must be equal. OG_CORRUPT when rows are to be written and the table's columns
 * are not those of the schema. */
OG_NODISCARD og_status og_txn_write(og_txn *txn, const og_type_def *def, og_lance_op op,
                                    og_lance_write **out, og_error *err);
/* Say that the outcome depends on a table that is only read (endpoints, uniqueness, where). */
OG_NODISCARD og_status og_txn_reads(og_txn *txn, const og_type_def *def, og_error *err);

typedef struct og_commit_result {
    char commit_id[27]; /* ULID of the commit */
    uint64_t manifest_version;
} og_commit_result;
/* Does what was decided on `was` also hold on `now`? Returns OG_CONFLICT when the operation must be
 * run again, or another error. May be called several times, with the snapshot on which the txn
 * began or to which it was moved as `was`. */
typedef og_status (*og_txn_holds_fn)(void *context, og_snapshot *was, og_snapshot *now,
                                     og_error *err);
/* When another commit changes a table that the txn writes or relies on, it is a
 * conflict. With this the writes are moved behind that commit instead, as long as they
 * are of other rows and `holds` agrees. */
void og_txn_on_move(og_txn *txn, og_txn_holds_fn holds, void *context);

/* Commit. Without any write it publishes a commit that changes no table (a load of nothing).
 * OG_CONFLICT "stale view of '<table>': expected manifest table version N but current is M -
 * refresh and retry" (the reference's text): nothing of it will ever be visible; OG_UNKNOWN when
 * the outcome could not be learnt, naming the op. */
OG_NODISCARD og_status og_txn_commit(og_txn *txn, og_commit_result *out, og_error *err);

#endif
