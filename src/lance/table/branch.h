/* lance/table/branch - branches of a dataset: their names, refs and first versions.
 *
 * A branch `b` is a dataset of its own in `tree/b/`, whose first version is a shallow clone: the parent's
 * manifest, with its files left where they are. The ref file `_refs/branches/<b>.json` in the root names
 * the parent, the version, and the line of forks that leads to it (docs/dev/lance.md section 8). */
#ifndef OG_LANCE_BRANCH_H
#define OG_LANCE_BRANCH_H

#include "base/arena.h"
#include "lance/table/refs.h"

/* One fork on the way from main: the version of the parent, and a random number of 32 hex digits. */
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

/* What may be made a branch, by Lance's rule: segments of letters, digits, '.', '-', '_' joined by single
 * '/', no "..", not ending in ".lock"; the result must be a file's name. OG_INVALID says why not. */
OG_NODISCARD og_status og_lance_branch_check_name(og_str name, og_error *err);
/* OG_INVALID for a name that no ref file can have. */
OG_NODISCARD og_status og_lance_branch_check_length(og_str name, og_error *err);
/* What may be looked for as a branch without leaving the dataset: a weaker rule, for stored names. */
bool og_lance_branch_is_safe(og_str name);
/* Percent-encoded, as in names of ref files. */
bool og_lance_branch_encode(og_buf *out, og_str name);

/* "<path>/_refs/branches/<encoded>.json". */
bool og_lance_branch_ref_name(og_buf *out, const char *path, og_str branch);

/* Read a ref file. OG_NOT_FOUND: no such branch. */
OG_NODISCARD og_status og_lance_branch_read(og_store *store, const char *path, og_str branch,
                                            og_arena *arena, og_lance_ref *out, og_error *err);
/* Its bytes, for the store. */
bool og_lance_branch_encode_ref(og_buf *out, const og_lance_ref *ref);
/* Names of the branches that have a ref file, by bytes. Files of other names are passed over. */
OG_NODISCARD og_status og_lance_branch_list(og_store *store, const char *path, og_arena *arena,
                                            og_str **out_names, size_t *out_count, og_error *err);

/* What stands in a branch's `_versions`, whether or not it has a ref. */
typedef struct og_lance_branch_slots {
    uint64_t newest;       /* version; 0 = none */
    int64_t newest_put_us; /* when it was put, as far as the store knows; 0 = unknown */
    uint64_t floor;        /* versions up to this one were used by an earlier branch of the name */
} og_lance_branch_slots;
OG_NODISCARD og_status og_lance_branch_survey(og_store *store, const char *path, og_str branch,
                                              og_lance_branch_slots *out, og_error *err);
/* Put the mark `og.floor-<last>`, durably: a later branch of the name uses no number up to `last`. */
OG_NODISCARD og_status og_lance_branch_mark(og_store *store, const char *path, og_str branch,
                                            uint64_t last, og_error *err);
/* Of a branch whose ref is gone: remove manifests up to the marked version, so that other programs, which do not
 * look for marks, can use the name. What is above belongs to somebody else. */
OG_NODISCARD og_status og_lance_branch_clear(og_store *store, const char *path, og_str branch,
                                             uint64_t last, og_error *err);

#endif
