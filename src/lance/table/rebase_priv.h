/* lance/table/rebase_priv - what delta.c and rebase.c share. */
#ifndef OG_LANCE_TABLE_REBASE_PRIV_H
#define OG_LANCE_TABLE_REBASE_PRIV_H

#include "lance/table/write_priv.h"

/* Does the slot of `to`, which has the row id of that slot of `from`, still hold what it held? */
OG_NODISCARD og_status og_table__row_is_same(og_lance_table *from, uint32_t from_slot,
                                             og_lance_table *to, uint32_t to_slot, bool *out,
                                             og_error *err);

#endif
