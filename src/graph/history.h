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
 * commit stands behind its parent, though, whatever the clocks said. The last one is the head.
 *
 * A history is read from its newest commit back, as far as it is asked for: what needs a few
 * commits costs these, and the column of versions of the commit DAG (history_read.c). What is known
 * is what a reading of all would give. (One exception: a row of the DAG that gives a commit another
 * version than `__manifest` or an earlier row does, which no program writes. It counts until the
 * other one is met; then all is read anew.) */
#ifndef OG_GRAPH_HISTORY_H
#define OG_GRAPH_HISTORY_H

#include "base/arena.h"
#include "graph/lives.h"
#include "graph/repo.h"

/* One commit; text is borrowed from its history. */
typedef struct og_commit_info {
    og_str id;                 /* ULID */
    og_str parent;             /* "" = none */
    og_str merged_parent;      /* head of the branch that was merged; "" = no merge */
    og_str merged_branch_id;   /* id of the branch on which that was made; "" = main, or not told */
    uint64_t manifest_version; /* of `__manifest` on `branch` */
    og_str branch;             /* on which it was made; "" = main */
    og_str actor;              /* "" = none */
    og_str op;                 /* ULID of the operation; "" = a commit of the reference's */
    int64_t created_at_us;     /* since 1970 */
    bool has_row;              /* the DAG's table has a row of it; known when all is read */
} og_commit_info;

/* For one thread at a time; not counted. Commits that it gave stay valid until it is freed. */
typedef struct og_history og_history;

/* The history of a branch (NULL or "main": main) as of now. OG_NOT_FOUND for a branch that does not
 * exist. The repo must outlive it. */
OG_NODISCARD og_status og_history_open(og_repo *repo, const char *branch, og_history **out,
                                       og_error *err);
/* The same as of a snapshot: what was published since is left out. When its branch was deleted
 * and made again meanwhile, rows of the later life may be among it: compare the branch's id
 * afterwards. */
OG_NODISCARD og_status og_history_of(og_snapshot *snapshot, og_history **out, og_error *err);
void og_history_free(og_history *history);
OG_DEFINE_AUTO(og_history, og_history_free)

/* The commit that has `newer` newer ones, 0 = the head; *out NULL when there are not so many. */
OG_NODISCARD og_status og_history_at(og_history *history, size_t newer, const og_commit_info **out,
                                     og_error *err);
/* The newest commit; *out NULL when there is none at all. */
OG_NODISCARD og_status og_history_head(og_history *history, const og_commit_info **out,
                                       og_error *err);
/* A commit by its ULID; *out NULL when the branch does not know it, for which all is read. */
OG_NODISCARD og_status og_history_find(og_history *history, og_str id, const og_commit_info **out,
                                       og_error *err);
/* All commits, oldest first; borrowed. */
OG_NODISCARD og_status og_history_commits(og_history *history, const og_commit_info **out,
                                          size_t *out_count, og_error *err);

/* The commit with this ULID, or of the operation with it, on any branch: main is asked first.
 * *out_commit is borrowed from *out_history. OG_NOT_FOUND "commit '...' not found"; of an
 * operation that was aborted it says so. */
OG_NODISCARD og_status og_history_find_any(og_repo *repo, og_str id, og_history **out_history,
                                           const og_commit_info **out_commit, og_error *err);

/* The commit at which both sides were last the same: of the common ancestors of both heads those
 * that are no ancestor of another one; of these the one with the fewest steps from both heads
 * together, then the highest manifest version, time and id. (The reference takes the fewest
 * steps among all common ancestors; it differs after merges to and fro only.) Ancestors are looked
 * for in all histories: a merge of a third branch leads to commits that neither side knows. The
 * first history is the source's, the second the target's. *out is borrowed from one of them, its
 * branch and version say where it was published; NULL when there is no common ancestor.
 * *out_unknown: an ancestor is in none of them, so that there may be a nearer base. Commits of a
 * branch whose life is over do not count as that, and are not looked for; `lives` NULL: not asked,
 * they do. */
OG_NODISCARD og_status og_graph__merge_base_among(og_history *const *histories, size_t count,
                                                  og_graph__lives *lives,
                                                  const og_commit_info **out, bool *out_unknown,
                                                  og_error *err);

/* ---- what is read so far ------------------------------------------------------------------ */

/* The commits that are known, the newest first; of what they leave out none is newer.
 * Borrowed until more is read. */
const og_commit_info *const *og_graph__history_known(const og_history *history, size_t *out_count);
/* A commit by its ULID, if it is known; else NULL. */
const og_commit_info *og_graph__history_peek(const og_history *history, og_str id);
/* Is all read? */
bool og_graph__history_is_whole(const og_history *history);
/* Read on: at least one commit more, about as many as are known, or all that is left. */
OG_NODISCARD og_status og_graph__history_grow(og_history *history, og_error *err);

/* The commit in a `__manifest` row's metadata; false when there is no `og` object, or none that
 * can be used. Text is in the arena or points into `metadata`. */
bool og_graph__commit_of_metadata(og_arena *arena, og_str metadata, og_commit_info *out);

#endif
