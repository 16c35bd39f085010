/* lance/table/upsert - write rows that replace the stored rows of the same key, or are added. */
#ifndef OG_LANCE_UPSERT_H
#define OG_LANCE_UPSERT_H

#include "lance/table/write.h"

typedef struct og_lance_upsert og_lance_upsert;

/* Begin an upsert into `write`, of op UPDATE and built on `base`; the write is borrowed. `keys` are
 * indices of the fields whose values together identify a row; their stored values are read now.
 * OG_INVALID: no key is named, or two stored rows have the same; OG_LIMIT: too many rows. */
OG_NODISCARD og_status og_lance_upsert_new(og_lance_write *write, og_lance_table *base,
                                           const uint32_t *keys, uint32_t key_count,
                                           og_lance_upsert **out, og_error *err);
void og_lance_upsert_free(og_lance_upsert *upsert);
OG_DEFINE_AUTO(og_lance_upsert, og_lance_upsert_free)

/* Write rows, with columns as for og_lance_write_rows. A stored row with an equal key is replaced
 * and keeps its row id; a key with a null matches nothing. OG_INVALID: two given rows replace the
 * same stored row. (Given rows with one new key are both added.) */
OG_NODISCARD og_status og_lance_upsert_rows(og_lance_upsert *upsert, const og_batch *batch,
                                            og_error *err);

#endif
