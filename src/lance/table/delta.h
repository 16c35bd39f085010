/* lance/table/delta - the rows in which two versions of a table may differ, from manifests alone.
 *
 * No data file is read. Fragments with equal files and equal deletions hold equal rows; a row that
 * moved (by a fold or a compaction) is recognized by its row id and the version that changed it
 * last. All other rows are candidates, which the caller compares by value, since rows that were
 * written again may well be equal.
 *
 * Why it is sound to leave a row out:
 *   (1) The last-updated stamp s of a row in version V is a version in V's own past, and between s
 *       and V the row did not change. So two versions of one lineage that hold a row under one id
 *       and one stamp hold the same values: those of version s. It stays true when stamps are
 *       coarsened (raised to a later stamp of the same version) and when an older version is
 *       restored (its stamps come back with its values); version numbers are never given twice.
 *   (2) After a fork both sides hand out the same row ids and version numbers to different rows.
 *       Across branches (1) holds for rows that both got from before the fork: id below the fork's
 *       next_row_id, stamp at most the fork's version, on both sides.
 *   (3) Data files have unique names and are never replaced.
 * Where these can't be relied on, rows of all unequal fragments are candidates,
 * and `reason` says why.
 *
 * Time and memory: the runs of row ids and stamps in unequal fragments, deletions, and candidates.
 * Store calls: the deletion files of fragments whose deletions differ, unless cached. */
#ifndef OG_LANCE_DELTA_H
#define OG_LANCE_DELTA_H

#include "lance/table/table.h"

/* The common past of two versions, given by the state at their fork. Both numbers
 * UINT64_MAX: the versions are of one lineage, all is common. Both 0: no common past is
 * known, so only equal files count. */
typedef struct og_lance_common {
    uint64_t version;     /* the last one that both have in their past */
    uint64_t next_row_id; /* of that version, which the branch's first manifest repeats */
} og_lance_common;
#define OG_LANCE_ONE_LINEAGE ((og_lance_common){UINT64_MAX, UINT64_MAX})
#define OG_LANCE_NO_LINEAGE ((og_lance_common){0, 0})

/* Find the common past of two open versions. With equal paths they are of one lineage, which costs
 * no store call. For branches of one dataset the parents are read from `_refs/branches`, and the
 * first manifest of the branch that left the common line. Tables of different datasets, and forks
 * that nothing records any more, have OG_LANCE_NO_LINEAGE. */
OG_NODISCARD og_status og_lance_common_find(og_lance_table *a, og_lance_table *b,
                                            og_lance_common *out, og_error *err);

/* Why a delta names more rows than may have changed. */
typedef enum og_lance_delta_reason {
    OG_LANCE_DELTA_EXACT = 0,    /* it does not */
    OG_LANCE_DELTA_NO_COMMON,    /* no common lineage */
    OG_LANCE_DELTA_NO_STAMPS,    /* some fragment has no last-updated stamps */
    OG_LANCE_DELTA_WRITER,       /* a version is by a program whose stamps can't be relied on */
    OG_LANCE_DELTA_SCHEMA,       /* a column was added, dropped or replaced */
    OG_LANCE_DELTA_REPEATED_IDS, /* two rows of a version have one row id */
    OG_LANCE_DELTA_OVERWRITTEN,  /* the two have no row in common: an overwrite lies between */
} og_lance_delta_reason;
/* Words for the user, e.g. "no row in common, as after an overwrite". */
const char *og_lance_delta_reason_text(og_lance_delta_reason reason);

typedef struct og_lance_delta {
    uint32_t *from_slots; /* live rows of `from` that are not known to be in `to`, ascending */
    uint32_t *to_slots;   /* live rows of `to` that are not known to be in `from`, ascending */
    size_t from_count, to_count;
    og_lance_delta_reason reason;
} og_lance_delta;

/* The candidates between two versions, either of which may be the older. `common` is what
 * og_lance_common_find says, unless the caller knows better, as in a merge across a base. A
 * row may be a candidate on one side (inserted, deleted) or on both (changed, rewritten). The
 * caller must pair both sides by value, never by row id: after a fork one id names different
 * rows. A row that is no candidate has the same values and the same row id on both sides.
 * *out is empty after an error. */
OG_NODISCARD og_status og_lance_delta_find(og_lance_table *from, og_lance_table *to,
                                           og_lance_common common, og_lance_delta *out,
                                           og_error *err);
void og_lance_delta_deinit(og_lance_delta *delta);
#define OG_AUTO_DELTA __attribute__((cleanup(og_lance_delta_deinit))) og_lance_delta

#endif
