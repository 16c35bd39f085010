/* lance/table/commit - make a write visible and durable, by Lance's conflict rules.
 *
 * For tables that stand alone. Whoever commits several tables at once takes the single steps of
 * write.h and rebase.h. */
#ifndef OG_LANCE_TABLE_COMMIT_H
#define OG_LANCE_TABLE_COMMIT_H

#include "lance/table/write.h"

/* Stage, sync the files, take the slot, sync the manifest. When another writer has taken the slot
 * and `may_follow` is set, the write is moved onto the newest version, as far as Lance's rules
 * allow that (rebase.h), and tried again. A write that depends on which rows there are (an upsert)
 * must not follow. *out (may be NULL) is the write's staged form.
 *
 * OG_CONFLICT: another writer was first; nothing was changed, and the operation may be run again on
 * the newest version. OG_UNKNOWN: the store's answer was lost. */
OG_NODISCARD og_status og_lance_write_commit(og_lance_write *write, bool may_follow,
                                             const og_lance_staged **out, og_error *err);

#endif
