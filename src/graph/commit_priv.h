/* graph/commit_priv - a commit while it goes through its steps (docs/dev/commit.md, section 2).
 *
 *   commit.c          the order of the steps: S0, S1, S2 and S4
 *   commit_slots.c    taking the slot of a version, and having names last
 *   commit_publish.c  S3: the slot of `__manifest`, against others who publish, too */
#ifndef OG_GRAPH_COMMIT_PRIV_H
#define OG_GRAPH_COMMIT_PRIV_H

#include "base/vec.h"
#include "graph/commit.h"
#include "graph/dag.h"

/* Everything a run needs while it goes through its steps. */
typedef struct og_graph__run {
    og_repo *repo;
    og_store *store;
    og_graph__branch *branch;
    og_graph__commit *commit;
    og_graph__dag dag;
    og_lance_table *manifest; /* the `__manifest` version being built on */
    bool base_is_synced;      /* and it is durable */
    og_graph__state *state;   /* of that version */
    og_graph__move *moves; /* of the tables, in their order; those that are still to be published */
    size_t move_count;
    og_lance_write *publish;
    const og_lance_staged *publish_staged;
    OG_VEC(const char *) names; /* to sync next; borrowed */
    og_buf base_name;           /* of manifest; among names */
    char *sidecar_name;         /* NULL = none was written */
} og_graph__run;

/* ---- commit_slots.c ----------------------------------------------------------------------- */

/* Put the manifest of a staged write into its slot; an unclear answer is settled by looking
 * (section 5). fork: whose first version it is, or NULL. OG_EXISTS: another holds the slot;
 * OG_UNKNOWN: there was no answer. */
OG_NODISCARD og_status og_graph__take_slot(og_graph__run *r, og_lance_write *write,
                                           const char *path, const og_graph__fork *fork,
                                           og_error *err);
/* Sync run.names, and empty the list. */
OG_NODISCARD og_status og_graph__sync_names(og_graph__run *r, og_error *err);
/* The same at the end of S1, with the version that is built on. No slot names those files yet: that
 * they may not last is a failure, not an open question. */
OG_NODISCARD og_status og_graph__sync_staged(og_graph__run *r, og_error *err);
/* OG_CONFLICT: the branch was deleted, so nobody would see what we publish. */
OG_NODISCARD og_status og_graph__check_branch(og_graph__run *r, og_error *err);

/* ---- commit_publish.c --------------------------------------------------------------------- */

/* Our commit comes after the newest one of the version that is built on. */
OG_NODISCARD og_status og_graph__follow_head(og_graph__run *r, og_error *err);
/* Make the rows of the publish, for the slot above run.manifest. Its files are added to names. */
OG_NODISCARD og_status og_graph__publish_prepare(og_graph__run *r, og_error *err);
/* Take that slot, again and again on newer versions while only others' tables moved.
 * out_by_helper: another writer has published the operation. */
OG_NODISCARD og_status og_graph__publish(og_graph__run *r, bool *out_by_helper, og_error *err);

#endif
