/* lance/table/rebase_priv - what succession.c, conflict.c, delta.c and rebase.c share. */
#ifndef OG_LANCE_TABLE_REBASE_PRIV_H
#define OG_LANCE_TABLE_REBASE_PRIV_H

#include "lance/table/rebase.h"
#include "lance/table/write_priv.h"

/* ---- succession.c */

/* What a version did, as numbered in a Transaction message. */
enum {
    OG_TABLE__DID_NOTHING_KNOWN = 0,
    OG_TABLE__DID_APPEND = 100,
    OG_TABLE__DID_FIRST = OG_TABLE__DID_APPEND,
    OG_TABLE__DID_DELETE,
    OG_TABLE__DID_OVERWRITE,
    OG_TABLE__DID_CREATE_INDEX,
    OG_TABLE__DID_REWRITE,
    OG_TABLE__DID_MERGE,
    OG_TABLE__DID_RESTORE,
    OG_TABLE__DID_RESERVE_FRAGMENTS,
    OG_TABLE__DID_UPDATE,
    OG_TABLE__DID_PROJECT,
    OG_TABLE__DID_UPDATE_CONFIG,
    OG_TABLE__DID_DATA_REPLACEMENT,
    OG_TABLE__DID_UPDATE_MEM_WAL,
    OG_TABLE__DID_CLONE,
    OG_TABLE__DID_UPDATE_BASES,
    OG_TABLE__DID_LAST = OG_TABLE__DID_UPDATE_BASES,
};
/* The operation of a version and its message, which is left unparsed when a table opens. */
unsigned og_table__operation_of(const og_lance_table *table, og_bytes *out);
/* The version that a restore went back to; 0 when it is none, or does not tell. */
OG_NODISCARD og_status og_table__restored(const og_lance_table *table, uint64_t *out,
                                          og_error *err);

/* Judge the version `at`, one of those above `first`. *below is the version to look at next:
 * one less unless the function sets it. */
typedef og_status (*og_table__judge)(void *context, const og_lance_table *at, uint64_t first,
                                     uint64_t *below, og_lance_verdict *out, og_error *err);
/* Judge all versions from `to` down to above `from`, until one does not fit.
 * RETRY also when there are too many, or when one is gone. */
OG_NODISCARD og_status og_table__walk_down(og_lance_table *from, og_lance_table *to,
                                           og_table__judge judge, void *context,
                                           og_lance_verdict *out, og_error *err);
/* Judge a restore: one of a version at or above `first` fits,
 * and the walk goes on below that version. */
OG_NODISCARD og_status og_table__step_over(const og_lance_table *at, og_bytes operation,
                                           uint64_t first, uint64_t *below, og_lance_verdict *out,
                                           og_error *err);
/* Are both clones of one version? Then they are the same, whatever their numbers. */
bool og_table__same_clone(const og_lance_table *a, const og_lance_table *b);

/* Two slots with the same row id: does that of `to` still hold what that of `from` held? */
OG_NODISCARD og_status og_table__row_is_same(og_lance_table *from, uint32_t from_slot,
                                             og_lance_table *to, uint32_t to_slot, bool *out,
                                             og_error *err);

/* ---- conflict.c */

/* May the write follow what others did between its base and `onto`? Decided by the kinds of
 * operations and by fragments; single rows are not compared. */
OG_NODISCARD og_status og_table__may_follow(og_lance_write *write, og_lance_table *onto,
                                            og_lance_verdict *out, og_error *err);
/* Find the groups of a compaction again, as fragments of `onto`. False:
 * one of their fragments was changed. */
bool og_table__find_groups(const og_lance_write *write, const og_lance_table *onto,
                           og_table__group *out);

#endif
