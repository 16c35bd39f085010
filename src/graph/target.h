/* graph/target - which state of the graph is meant: the newest or a past one of a branch. */
#ifndef OG_GRAPH_TARGET_H
#define OG_GRAPH_TARGET_H

#include "graph/repo.h"

typedef enum og_target_kind {
    OG_TARGET_BRANCH,  /* its newest state */
    OG_TARGET_COMMIT,  /* the state that a commit published, on whichever branch */
    OG_TARGET_VERSION, /* a version of `__manifest` on the branch */
    OG_TARGET_TIME,    /* the last commit of the branch not after it */
} og_target_kind;

/* Text is borrowed. {0} is the newest state of main. */
typedef struct og_target {
    og_target_kind kind;
    const char *branch; /* NULL = main; ignored for OG_TARGET_COMMIT */
    /* ULID, in small letters, too. With OG_TARGET_BRANCH: what is meant if no branch is called so;
     * NULL = nothing. */
    const char *commit;
    uint64_t version;
    int64_t time_us; /* since 1970 */
} og_target;

/* What `--snapshot` says: a version of the target's branch ("12", "v12") or a commit.
 * Text is borrowed. */
void og_target_set_snapshot(og_target *target, const char *text);
/* What `--at` says: a version ("12", "v12") or a time (texts of og_parse_datetime, to the
 * microsecond; also without seconds, and with "UTC" for "Z"). OG_INVALID for other texts. */
OG_NODISCARD og_status og_target_set_moment(og_target *target, const char *text, og_error *err);

/* One text for all kinds, for commands that take several targets:
 *
 *   feature                        newest state of a branch
 *   feature@2026-11-01T00:00:00Z   the same at a time; what follows the @ is as in --at
 *   feature@12, feature@v12        the same at a version
 *   @2026-11-01, v12               the same of the branch `branch`
 *   01K9Z3W8Q6YB2T4M5N7P0R1S2V     a commit of any branch; in small letters if no branch is so called
 *
 * A branch whose name looks like a version or a commit is written with an @ behind it, a character
 * that no name has. Texts of *out are borrowed from the arguments or live in `arena`. OG_INVALID as
 * above. */
OG_NODISCARD og_status og_target_parse(og_arena *arena, const char *text, const char *branch,
                                       og_target *out, og_error *err);

/* The snapshot that a target names, a reference. Older snapshots are not cached: each call reads
 * `__manifest` at that version. The schema is the present one.
 *
 * OG_NOT_FOUND: no such branch, "commit '...' not found", no such version, or no commit at or
 * before that time. A version that was cleaned away is OG_NOT_FOUND, too, and says so. */
OG_NODISCARD og_status og_repo_snapshot_at(og_repo *repo, const og_target *target,
                                           og_snapshot **out, og_error *err);

#endif
