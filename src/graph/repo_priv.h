/* graph/repo_priv - what the files of this folder share about an open graph. */
#ifndef OG_GRAPH_REPO_PRIV_H
#define OG_GRAPH_REPO_PRIV_H

#include <pthread.h>

#include "base/buf.h"
#include "graph/branch.h"
#include "graph/repo.h"
#include "graph/state.h"

struct og_repo {
    char *uri;       /* as given */
    og_store *store; /* borrowed when owned_store is NULL */
    og_store *owned_store;
    og_lance_env *env;
    og_topo_cache *topo;
    og_catalog *catalog;
    og_buf schema_source;
    const og_clock *clock;
    const og_random *random;
    bool no_derived;
    size_t history_rows;
    pthread_mutex_t lock;          /* guards `branches` and the `current` of each */
    og_graph__branch *branches;    /* all that were asked for so far */
    struct og_graph__piece *later; /* later.h; guarded by lock, like the next two */
    uint64_t later_begun, later_ended;
    pthread_cond_t later_end; /* later_ended has grown */
    bool has_committed;       /* og_graph__beside was called; atomic */
    uint64_t actors_hint;     /* a version of the actors' data set known to exist; atomic */
};

/* A snapshot of this layer: the base first, so that pointers convert. */
typedef struct og_graph__snapshot {
    og_snapshot base;
    og_repo *repo;                           /* borrowed: outlives its snapshots */
    og_graph__branch *branch;                /* borrowed from the repo */
    char branch_id[OG_GRAPH__BRANCH_ID + 1]; /* "" = main */
    og_graph__state *state;
    og_lance_table *manifest; /* `__manifest` at this version */
    og_table_info *infos;     /* for og_snapshot_tables */
    bool is_synced;           /* the version is durable: this process published it */
    bool is_past;             /* a past state of its branch: what it needs may be cleaned away */
    char commit_id[27];       /* the commit by which it was asked for; "" = otherwise */
    pthread_mutex_t lock;     /* guards tables */
    og_lance_table **tables;  /* nodes, then edges; NULL until opened */
} og_graph__snapshot;

static inline og_graph__snapshot *og_graph__snapshot_of(og_snapshot *snapshot)
{
    return (og_graph__snapshot *)snapshot;
}

/* Make a snapshot of `state` on the branch with this id. Takes references to state and manifest.
 * Tables that `previous` (may be NULL) has open at the same version are shared. */
OG_NODISCARD og_status og_graph__snapshot_new(og_repo *repo, og_graph__branch *branch,
                                              const char *branch_id, og_graph__state *state,
                                              og_lance_table *manifest, og_snapshot *previous,
                                              og_snapshot **out, og_error *err);

/* Give a snapshot that nobody else has yet an open table, so that it need not open it itself;
 * ignored when that is not the version it pins. */
void og_graph__snapshot_put(og_snapshot *snapshot, og_str table_key, og_lance_table *table);

/* The hint of an error about a past state of which a cleanup took something. */
void og_graph__hint_cleaned(og_error *err);

/* Can rows be read and written by the places of the schema's columns? OG_CORRUPT when the table lacks
 * one, or has it elsewhere: values would be lost without a word. Past states lack what the schema
 * has got since, so this is for the newest ones. */
OG_NODISCARD og_status og_graph__check_places(const og_lance_table *table, const og_type_def *def,
                                              og_error *err);

/* Does the snapshot have the table open? */
bool og_graph__snapshot_has(og_snapshot *snapshot, const og_type_def *def);

/* Read the branch's newest `__manifest` from the store, whatever is cached, and make it current. */
OG_NODISCARD og_status og_graph__repo_refresh(og_repo *repo, og_graph__branch *branch,
                                              og_snapshot **out, og_error *err);
/* Make a snapshot its branch's current one, if it is newer than that,
 * or of a newer branch of the name. For a writer that has just published it. */
void og_graph__repo_advance(og_snapshot *snapshot);
/* Is it a snapshot of a branch whose first version is missing? It then reads its parent's,
 * and nothing can be built on it before og_graph__fork_complete. */
bool og_graph__is_unborn(og_snapshot *snapshot);
/* The branch of a snapshot of this layer. */
static inline og_graph__branch *og_graph__branch_of(og_snapshot *snapshot)
{
    return og_graph__snapshot_of(snapshot)->branch;
}

#endif
