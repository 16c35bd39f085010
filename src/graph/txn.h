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
    const char
        *kind; /* "Mutation", "Load", "BranchMerge", "Optimize": the reference's writer kinds */
    /* ULID of the commit that a merge brings in, for the commit's second parent; NULL or "" = no
     * merge. */
    const char *merged_parent;
    /* Have other writers of the branch wait from the start: for an operation that lost before, and would
     * be run in vain again. */
    bool in_turn;
    bool fold_control; /* also join all fragments of `__manifest` and the commit DAG */
} og_txn_options;

/* Begin on the newest snapshot. */
OG_NODISCARD og_status og_txn_begin(og_repo *repo, const og_txn_options *options, og_txn **out,
                                    og_error *err);
void og_txn_free(og_txn *txn);
OG_DEFINE_AUTO(og_txn, og_txn_free)

/* The snapshot the txn is built on. A head that nobody published is resolved when a table is first
 * written, which may renew the snapshot; so name all tables that will be written before reading
 * (og_txn_prepare), or read through og_txn_snapshot after each og_txn_write. */
og_snapshot *og_txn_snapshot(og_txn *txn);
/* Resolve unpublished heads of these tables now. After it the snapshot does not change any more. */
OG_NODISCARD og_status og_txn_prepare(og_txn *txn, const og_type_def *const *defs, size_t count,
                                      og_error *err);

/* The write of a table, made at the first call with `op` (APPEND, UPDATE, DELETE, OVERWRITE or COMPACT); borrowed.
 * A second call for the same table returns the same write; its op must be equal. */
OG_NODISCARD og_status og_txn_write(og_txn *txn, const og_type_def *def, og_lance_op op,
                                    og_lance_write **out, og_error *err);
/* Say that the outcome depends on a table that is only read (endpoints, uniqueness, where). */
OG_NODISCARD og_status og_txn_reads(og_txn *txn, const og_type_def *def, og_error *err);

typedef struct og_commit_result {
    char commit_id[27]; /* ULID of the commit */
    uint64_t manifest_version;
} og_commit_result;
/* Without this a commit before ours of a table that we write or rely on is a conflict. With it the
 * writes are moved behind that commit, as long as they are of other rows and `holds` agrees: what was
 * decided on `was` is right on `now`, too. It returns OG_CONFLICT when the operation must be run again,
 * or what else is wrong. It may be asked several times, always with the snapshot the txn began with
 * or was moved to. */
typedef og_status (*og_txn_holds_fn)(void *context, og_snapshot *was, og_snapshot *now,
                                     og_error *err);
void og_txn_on_move(og_txn *txn, og_txn_holds_fn holds, void *context);

/* Commit. Without any write it publishes a commit that changes no table (a load of nothing). OG_CONFLICT
 * "stale view of '<table>': expected manifest table version N but current is M - refresh and
 * retry" (the reference's text): nothing of it will ever be visible; OG_UNKNOWN when the outcome could
 * not be learnt, naming the op. */
OG_NODISCARD og_status og_txn_commit(og_txn *txn, og_commit_result *out, og_error *err);

#endif
