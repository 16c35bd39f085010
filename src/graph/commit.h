/* graph/commit - the steps S1 to S4 of one operation (docs/dev/commit.md section 2).
 *
 * The tables of the operation come either as writes, whose slots are still to be taken, or as
 * versions that are there already (an operation of another writer that is being helped to its end).
 * All kinds of writes use this one path.
 *
 *   S1  data, deletion and `__manifest` data files, forks, the sidecar   synced before S2
 *   S2  each table's manifest, put-if-absent at exactly pin + 1          synced before S3
 *   S3  `__manifest` m + 1, put-if-absent: visible; synced: acknowledged
 *   S4  DAG rows, head file, sidecar removed                             derived, errors ignored */
#ifndef OG_GRAPH_COMMIT_H
#define OG_GRAPH_COMMIT_H

#include "graph/fork.h"
#include "graph/publish.h"
#include "graph/txn.h"

typedef struct og_graph__commit_table {
    const og_graph__pin *pin; /* what the operation was built on */
    og_graph__fork *fork;     /* the table's first write on a branch needs it; else NULL */
    og_lance_write *write;    /* whose slot is to be taken; NULL: the slot is taken already, */
    og_lance_table *taken;    /* by this version, */
    const char *taken_name;   /* whose manifest has this name */
    og_str epoch; /* row epoch that the new version carries on; "" = it starts a new one */
} og_graph__commit_table;

typedef struct og_graph__commit {
    og_graph__op op;
    og_graph__commit_table *tables;
    size_t table_count;
    const og_graph__pin *const *reads; /* pins that must not move either */
    size_t read_count;
    /* Called when pins of `reads` have moved before the publish: does what was decided by them
     * still hold on `now`? OG_CONFLICT or another error when not. NULL: it never does. */
    og_status (*reads_hold)(void *context, og_snapshot *now, og_error *err);
    void *context;
    /* Manifests of unpublished versions below the slots of the writes: synced with S1,
     * as those who put them may have died before they did. */
    const char *const *below;
    size_t below_count;
    og_graph__mark mark;
    uint64_t began_ms; /* when its first file was made; 0 = the time of op.id */
    /* out */
    size_t slots_held; /* after a failure: slots taken and not published */
    bool by_other;     /* after success: somebody else published it */
    bool is_fenced;    /* a conflict that no retry helps: its files may be gone (fence.h) */
} og_graph__commit;

/* Run the steps on the snapshot `base`. OG_CONFLICT with the reference's text when a slot
 * or a pin was lost (commit->slots_held tells whether the caller must abort the
 * operation); OG_UNKNOWN when it can't be told whether it was published. On OG_OK the
 * repo's current snapshot is the new one. */
OG_NODISCARD og_status og_graph__commit_run(og_repo *repo, og_snapshot *base,
                                            og_graph__commit *commit, og_commit_result *out,
                                            og_error *err);

/* For an operation that failed and was then found published by another writer:
 * make sure that the version it is part of is durable. OG_UNKNOWN when it may not be. */
OG_NODISCARD og_status og_graph__commit_helped(og_repo *repo, og_snapshot *base,
                                               og_graph__commit *commit, og_commit_result *out,
                                               og_error *err);

/* Add to a conflict the hint that running the operation again may succeed. Returns OG_CONFLICT. */
og_status og_graph__retryable(og_error *err);
/* The conflict of a writer whose branch was deleted. Returns OG_CONFLICT. */
og_status og_graph__branch_gone(og_error *err, const char *name);
/* The conflict of a stale view, which names table, expected and actual version.
 * Returns OG_CONFLICT. */
og_status og_graph__stale(og_error *err, og_str table_key, uint64_t expected, uint64_t actual);

#endif
