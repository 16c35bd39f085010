/* lance/table/cleanup - removing old versions of a dataset, and files that nothing names.
 *
 * Rules (docs/dev/lance.md section 8). A version, of the dataset or of one of its branches, is
 * removed when it is not the newest one there, no tag names it, the caller does not pin it, and it
 * is beyond all bounds that are set. A file is removed when only removed versions name it, or when
 * nothing names it and it is older than seven days: a younger one may belong to a write that is
 * staged and not yet committed. Whatever a remaining version names, on any branch, stays. Manifests
 * are removed before files, so a cleanup that dies leaves no version whose files are missing.
 *
 * Cost: one listing of the dataset, and one read of each manifest. A manifest that can't be read
 * ends the cleanup before anything is removed. */
#ifndef OG_LANCE_CLEANUP_H
#define OG_LANCE_CLEANUP_H

#include "lance/table/table.h"

/* A file that nothing names is removed when it is older than this. */
#define OG_LANCE_STRAY_US (INT64_C(7) * 24 * 3600 * 1000000)

typedef struct og_lance_cleanup_options {
    int64_t now_us;
    /* Bounds: a version is removed only beyond all that are set.
     * With none set only stray files are removed. */
    bool by_age, by_count;
    int64_t before_us;    /* by_age: versions made before this */
    uint64_t keep_behind; /* by_count: versions more than this many numbers behind the newest */
    /* True for a version that must stay; may be NULL. `path` is that of the dataset or of its
     * branch ("nodes/1a2b/tree/b"). */
    bool (*is_pinned)(void *context, const char *path, uint64_t version);
    void *context;
} og_lance_cleanup_options;

typedef struct og_lance_cleanup_stats {
    uint64_t versions_removed;
    uint64_t files_removed; /* manifests not counted */
    uint64_t bytes_removed; /* of both; copies of transactions are not counted, as in Lance */
} og_lance_cleanup_stats;

/* Clean the dataset at `path` (not that of a branch) and all of its branches. */
OG_NODISCARD og_status og_lance_cleanup(og_lance_env *env, const char *path,
                                        const og_lance_cleanup_options *options,
                                        og_lance_cleanup_stats *out, og_error *err);

/* Does nobody have the branch any more? */
typedef struct og_lance_last_look {
    og_status (*is_gone)(void *context, og_str branch, bool *out, og_error *err);
    void *context;
} og_lance_last_look;

/* Remove a branch: the table's files in its folder, versions first, and its ref. Branches below it
 * ("a/b" below "a") are left alone, whether they have refs or not, and so are the marks of used
 * version numbers (branch.h). A missing branch is no error.
 *
 * `look` (may be NULL) is asked once it has been seen what there is, and nothing that comes later
 * is removed: should others use the name again from then on, all that is theirs stays. */
OG_NODISCARD og_status og_lance_cleanup_branch(og_lance_env *env, const char *path, og_str branch,
                                               const og_lance_last_look *look, og_error *err);

#endif
