/* lance/table/rebase - moving a write behind the commits of other writers, where it still fits.
 *
 * Two versions of a table are compared by their manifests: transactions, deletion vectors, row ids
 * and lineage. No value is read. A write that was built on the older version can then be moved onto
 * the newer one. Its data files stay as they are, because row ids and lineage are in the manifest.
 *
 * The rules are Lance's own (docs/dev/lance.md section 7): the kinds of both operations are
 * compared, then what they touch. They are finer for deleted and changed rows, where Lance compares
 * fragments and this compares rows; and stricter where Lance trusts that a column is still what it
 * was. A table that was overwritten, or restored to a version before ours, is INCOMPATIBLE. A
 * change of the same rows, or of a kind that we do not know, is RETRY. */
#ifndef OG_LANCE_TABLE_REBASE_H
#define OG_LANCE_TABLE_REBASE_H

#include "lance/table/write.h"

typedef enum og_lance_verdict {
    OG_LANCE_FITS,
    OG_LANCE_RETRY,        /* the operation must be run again on the newer version */
    OG_LANCE_INCOMPATIBLE, /* the table was replaced: what the operation saw is gone */
} og_lance_verdict;

/* Did `to` come from `from` by changes after which a row id still means the same row? Reads the
 * manifests between, the newest first; a restore of a version at or above `from` skips the versions
 * that it undid. Both may be the same version. */
OG_NODISCARD og_status og_lance_succession(og_lance_table *from, og_lance_table *to,
                                           og_lance_verdict *out, og_error *err);

/* Was `later` built on `made`, a version made of `before`? True when it names a data or
 * deletion file that `made` added. (Version numbers do not tell: a cleanup may have
 * freed the slot, and another version may be there now.) False also when everything that
 * `made` added was replaced since. */
bool og_lance_carries_on(const og_lance_table *before, const og_lance_table *made,
                         const og_lance_table *later);

/* Move a write, staged or not, onto `onto`, which is a later version
 * of its base, or its base again.
 *
 * With FITS the write is open again, built on `onto` and for the slot above it: new rows have new
 * ids, deletions were found again by row id, and compacted fragments are in their places.
 * Properties may be set and rows added (with the columns of `onto`); then it is staged anew. With
 * any other verdict the write is as it was. CREATE and CLONE are always RETRY.
 *
 * A write that has taken its slot may be moved when that slot was given up (restored since);
 * its files then stay in any case. OG_INVALID when it is not known whether it has the slot. */
OG_NODISCARD og_status og_lance_write_rebase(og_lance_write *write, og_lance_table *onto,
                                             og_lance_verdict *out, og_error *err);

#endif
