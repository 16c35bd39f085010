/* lance/table/branch - branches of a dataset: their names, refs and first versions.
 *
 * A branch `b` is a dataset of its own in `tree/b/`, whose first version is a shallow clone: the
 * parent's manifest, with its files left where they are. The ref file `_refs/branches/<b>.json` in
 * the root names the parent, the version, and the line of forks that leads to it
 * (docs/dev/lance.md section 8). */
#ifndef OG_LANCE_BRANCH_H
#define OG_LANCE_BRANCH_H

#include "base/arena.h"
#include "lance/table/refs.h"

/* One fork on the way from main: the version of the parent, and the branch's id,
 * 32 random hex digits. */
typedef struct og_lance_fork {
    uint64_t version;
    og_str id;
} og_lance_fork;

/* What a ref file says. Texts live in the arena it was read into. */
typedef struct og_lance_ref {
    og_str parent; /* "" = main */
    uint64_t parent_version;
    int64_t created_s;          /* seconds since 1970 */
    uint64_t manifest_bytes;    /* of the parent's version */
    const og_lance_fork *forks; /* from main to this branch; the last is its own */
    size_t fork_count;
    uint64_t first_version; /* of the branch; other programs do not say: then parent_version */
} og_lance_ref;

/* May a branch of this name be made? Lance's rule: segments of letters, digits, '.', '-' and '_'
 * joined by single '/', no "..", not ending in ".lock"; and the name of its ref file must not be
 * too long. OG_INVALID says why not. */
OG_NODISCARD og_status og_lance_branch_check_name(og_str name, og_error *err);
/* OG_INVALID for a name so long that no file system can hold its ref file: a weaker rule,
 * for names that other programs may have given. */
OG_NODISCARD og_status og_lance_branch_check_length(og_str name, og_error *err);
/* Can the name be used in paths without leaving the dataset? A weaker rule,
 * for names that are stored already. */
bool og_lance_branch_is_safe(og_str name);
/* Append the name percent-encoded, as names of ref files have it. */
bool og_lance_branch_encode(og_buf *out, og_str name);

/* "<path>/_refs/branches/<encoded>.json". */
bool og_lance_branch_ref_name(og_buf *out, const char *path, og_str branch);

/* Read a ref file. OG_NOT_FOUND: no such branch. */
OG_NODISCARD og_status og_lance_branch_read(og_store *store, const char *path, og_str branch,
                                            og_arena *arena, og_lance_ref *out, og_error *err);
/* Append the content of a ref file. */
bool og_lance_branch_encode_ref(og_buf *out, const og_lance_ref *ref);
/* Names of the branches that have a ref file, ordered by bytes; in `arena`.
 * Files with other names are passed over. */
OG_NODISCARD og_status og_lance_branch_list(og_store *store, const char *path, og_arena *arena,
                                            og_str **out_names, size_t *out_count, og_error *err);

/* Names of the branches that have versions, whether or not they have a ref; in `arena`. One listing
 * of all branches' folders. */
OG_NODISCARD og_status og_lance_branch_remains(og_store *store, const char *path, og_arena *arena,
                                               og_str **out_names, size_t *out_count,
                                               og_error *err);

/* What stands in a branch's `_versions`, whether or not it has a ref. */
typedef struct og_lance_branch_slots {
    uint64_t newest;       /* the highest version; 0 = none */
    int64_t newest_put_us; /* when that was put, as far as the store knows; 0 = unknown */
    uint64_t floor;        /* versions up to this one were used by an earlier branch of the name */
} og_lance_branch_slots;
OG_NODISCARD og_status og_lance_branch_survey(og_store *store, const char *path, og_str branch,
                                              og_lance_branch_slots *out, og_error *err);
/* Put the mark `og.floor-<last>`, durably: a later branch of this name will use no
 * version number up to `last`. */
OG_NODISCARD og_status og_lance_branch_mark(og_store *store, const char *path, og_str branch,
                                            uint64_t last, og_error *err);
/* Remove the manifests up to the marked version `last` of a branch whose ref is gone,
 * so that other programs, which do not look for marks, can use the name. Versions
 * above belong to somebody else. */
OG_NODISCARD og_status og_lance_branch_clear(og_store *store, const char *path, og_str branch,
                                             uint64_t last, og_error *err);

#endif
