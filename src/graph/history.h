/* graph/history - the commits of a branch, and the commit at which two branches parted.
 *
 * A branch's history is the union of two sources, one entry per ULID:
 *
 *   `og` objects in the rows of the branch's `__manifest`   the truth for commits of ours
 *   rows of `_graph_commits.lance` and of the actors' table the truth for the reference's
 *
 * Where both know a commit the `og` object counts. Rows of the tables that are missing, doubled or
 * torn change nothing for commits of ours; a table that is gone or can't be read counts as empty.
 * Both sources hold what the branch inherited from the one it was forked from.
 *
 * Order, as the reference lists: manifest version, then time, then id; of equal versions each
 * commit stands behind its parent, though, whatever the clocks said. The last one is the head. */
#ifndef OG_GRAPH_HISTORY_H
#define OG_GRAPH_HISTORY_H

#include "base/arena.h"
#include "graph/repo.h"

/* One commit; text is borrowed from its history. */
typedef struct og_commit_info {
    og_str id;                 /* ULID */
    og_str parent;             /* "" = none */
    og_str merged_parent;      /* head of the branch that was merged; "" = no merge */
    uint64_t manifest_version; /* of `__manifest` on `branch` */
    og_str branch;             /* on which it was made; "" = main */
    og_str actor;              /* "" = none */
    og_str op;                 /* ULID of the operation; "" = a commit of the reference's */
    int64_t created_at_us;     /* since 1970 */
    bool has_row;              /* the commit DAG's table has a row of it */
} og_commit_info;

/* Immutable; not counted. */
typedef struct og_history og_history;

/* Read the history of a branch (NULL or "main": main) as of now. Costs a scan of `__manifest`
 * and of both data sets. OG_NOT_FOUND for a branch that does not exist. */
OG_NODISCARD og_status og_history_open(og_repo *repo, const char *branch, og_history **out,
                                       og_error *err);
/* The same as of a snapshot: what was published since is left out. When its branch was deleted
 * and made again meanwhile, rows of the later life may be among it: compare the branch's id
 * afterwards. */
OG_NODISCARD og_status og_history_of(og_snapshot *snapshot, og_history **out, og_error *err);
void og_history_free(og_history *history);
OG_DEFINE_AUTO(og_history, og_history_free)

/* All commits in the reference's order, oldest first; borrowed. */
const og_commit_info *og_history_commits(const og_history *history, size_t *out_count);
/* The newest commit; NULL when there is none at all. */
const og_commit_info *og_history_head(const og_history *history);
/* A commit by its ULID; NULL when the branch does not know it. */
const og_commit_info *og_history_find(const og_history *history, og_str id);

/* The commit with this ULID, or of the operation with it, on any branch: main is asked first.
 * *out_commit is borrowed from *out_history. OG_NOT_FOUND "commit '...' not found"; of an
 * operation that was aborted it says so. */
OG_NODISCARD og_status og_history_find_any(og_repo *repo, og_str id, og_history **out_history,
                                           const og_commit_info **out_commit, og_error *err);

/* The commit at which both sides were last the same: of the common ancestors of both heads those
 * that are no ancestor of another one; of these the one with the fewest steps from both heads
 * together, then the highest manifest version, time and id. (The reference takes the fewest
 * steps among all common ancestors; it differs after merges to and fro only.) *out is borrowed
 * from one of the histories, its branch and version say where it was published; NULL when there
 * is no common ancestor. */
OG_NODISCARD og_status og_graph__merge_base(const og_history *source, const og_history *target,
                                            const og_commit_info **out, og_error *err);

/* The same with more histories, in which commits are looked for that neither side knows: a merge
 * of a third branch leads there. The first is the source's, the second the target's.
 * *out_unknown: an ancestor is in none of them, so that there may be a nearer base. */
OG_NODISCARD og_status og_graph__merge_base_among(const og_history *const *histories, size_t count,
                                                  const og_commit_info **out, bool *out_unknown,
                                                  og_error *err);

/* The commit in a `__manifest` row's metadata; false when there is no `og` object, or none that
 * can be used. Text is in the arena or points into `metadata`. */
bool og_graph__commit_of_metadata(og_arena *arena, og_str metadata, og_commit_info *out);

#endif
