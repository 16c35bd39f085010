/* lance/table/rebase - another writer was first: does our change still fit, and moving it there.
 *
 * Two versions of a table are compared by their manifests: transactions, deletion vectors, row ids and
 * lineage. No value is read. A write that was built on the older version is moved onto the newer one:
 * its data files are kept as they are, for row ids and lineage stand in the manifest.
 *
 * The rules are Lance's own (docs/dev/lance.md section 7): kinds of operations are compared, then what they
 * touch. They are finer for rows that are deleted or changed: Lance goes by fragments, this by rows; and
 * stricter where Lance trusts that a column is still what it was. What was overwritten, or restored to a
 * version before ours, is INCOMPATIBLE. What changed the same rows, or in a way we do not know, is RETRY.
 */
#ifndef OG_LANCE_TABLE_REBASE_H
#define OG_LANCE_TABLE_REBASE_H

#include "lance/table/write.h"

typedef enum og_lance_verdict {
    OG_LANCE_FITS,
    OG_LANCE_RETRY,        /* the operation must be run again on the newer version */
    OG_LANCE_INCOMPATIBLE, /* the table was replaced: what the operation saw is gone */
} og_lance_verdict;

/* Did `to` come from `from` by changes that keep rows what they are? Reads the manifests between, the
 * newest first; a restore of a version at or above `from` steps over what it undid. `to` may be the
 * version of `from`. */
OG_NODISCARD og_status og_lance_succession(og_lance_table *from, og_lance_table *to,
                                           og_lance_verdict *out, og_error *err);

/* Does `later` hold a data or deletion file that `made` brought, which `before` does not name? Then it was built on
 * `made`; numbers do not tell, since a cleanup may have freed the slot that `made` stands in. False also when what
 * `made` brought was replaced since. */
bool og_lance_carries_on(const og_lance_table *before, const og_lance_table *made,
                         const og_lance_table *later);

/* Move a write, staged or not, onto `onto`, a later version of its base, or its base again. With FITS the write is
 * open once more: built on `onto`, for the slot above it, new rows under new ids, deletions found again by
 * row id, compacted fragments in their places; properties may be set, then it is staged anew. Rows that are added
 * from then on have the columns of `onto`. With another verdict it is as it was; CREATE and CLONE are
 * always RETRY. A write that holds its slot may be moved when that slot was given up (restored); its files then
 * stay in any case. OG_INVALID when its outcome is in doubt. */
OG_NODISCARD og_status og_lance_write_rebase(og_lance_write *write, og_lance_table *onto,
                                             og_lance_verdict *out, og_error *err);

#endif
