/* lance/table/refs - the tags and branches of a dataset (reading).
 *
 * Format: docs/dev/lance.md section 8. Both are small JSON objects of the dataset, never of a
 * branch: `_refs/tags/<tag>.json`, and `_refs/branches/<branch>.json` with each '/' of the name as
 * %2F. A branch has its versions under `tree/<branch>`; the one at which it was cut from its parent
 * is the first. */
#ifndef OG_LANCE_REFS_H
#define OG_LANCE_REFS_H

#include "lance/table/table.h"

typedef struct og_lance_tag {
    og_str name;
    og_str branch; /* ptr NULL: main */
    uint64_t version;
    uint64_t manifest_bytes; /* 0 = not stated */
} og_lance_tag;

typedef struct og_lance_branch {
    og_str name;
    og_str parent; /* ptr NULL: main */
    uint64_t parent_version;
    int64_t created_s; /* since 1970; 0 = not stated */
} og_lance_branch;

/* Both lists in order of their names. */
typedef struct og_lance_refs {
    og_lance_tag *tags;
    uint32_t tag_count;
    og_lance_branch *branches;
    uint32_t branch_count;
    struct og_arena *arena;
} og_lance_refs;

/* Read all tags and branches of the dataset at `path` (not that of a branch).
 * OG_CORRUPT names the object. */
OG_NODISCARD og_status og_lance_refs_read(og_lance_env *env, const char *path, og_lance_refs *out,
                                          og_error *err);
void og_lance_refs_deinit(og_lance_refs *refs);
/* The tag or branch of this name; NULL when there is none. */
const og_lance_tag *og_lance_refs_tag(const og_lance_refs *refs, og_str name);
const og_lance_branch *og_lance_refs_branch(const og_lance_refs *refs, og_str name);
/* "<path>/tree/<branch>"; an empty `branch` is main, the dataset itself. */
bool og_lance_branch_path(og_buf *out, const char *path, og_str branch);

#endif
