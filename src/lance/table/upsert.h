/* lance/table/upsert - rows that replace those of the same key, or are added. */
#ifndef OG_LANCE_UPSERT_H
#define OG_LANCE_UPSERT_H

#include "lance/table/write.h"

typedef struct og_lance_upsert og_lance_upsert;

/* Into a write of op UPDATE. `keys`: indices of the table's fields whose values together tell rows apart;
 * their stored values are read now. OG_INVALID no key; OG_LIMIT too many rows. The write is borrowed. */
OG_NODISCARD og_status og_lance_upsert_new(og_lance_write *write, og_lance_table *base,
                                           const uint32_t *keys, uint32_t key_count,
                                           og_lance_upsert **out, og_error *err);
void og_lance_upsert_free(og_lance_upsert *upsert);
OG_DEFINE_AUTO(og_lance_upsert, og_lance_upsert_free)

/* Rows as for og_lance_write_rows. A stored row of an equal key is replaced, under its row id; a null in a
 * key matches nothing. OG_INVALID: a stored key is given twice. Keys that are new may be given twice. */
OG_NODISCARD og_status og_lance_upsert_rows(og_lance_upsert *upsert, const og_batch *batch,
                                            og_error *err);

#endif
