/* lance/table/deletion_priv - deletion vectors: sets of row offsets in a fragment.
 *
 * Two stored forms (docs/dev/lance.md section 5): 32-bit Roaring in its portable form (".bin",
 * which we write, also as fragment bitmaps of indices) and an Arrow IPC file with one u32 column
 * (".arrow"). Both decode to ascending offsets without repeats. Bytes are hostile. */
#ifndef OG_LANCE_TABLE_DELETION_PRIV_H
#define OG_LANCE_TABLE_DELETION_PRIV_H

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"

typedef OG_VEC(uint32_t) og_table__u32s;

/* Decode the portable form of Roaring. More than max_count values are OG_CORRUPT.
 * `out` is empty before the call. */
OG_NODISCARD og_status og_table__roaring_decode(og_bytes bytes, size_t max_count,
                                                og_table__u32s *out, og_error *err);
/* Append the values, ascending without repeats, in the portable form. False when out of memory. */
bool og_table__roaring_encode(const uint32_t *values, size_t count, og_buf *out);
/* The same as og_table__roaring_decode, from the Arrow form. */
OG_NODISCARD og_status og_table__ipc_decode(og_bytes bytes, size_t max_count, og_table__u32s *out,
                                            og_error *err);
/* Decode a deletion file of `kind` (0 Arrow, 1 bitmap) for a fragment of `rows` rows that
 * states `count` deleted ones. */
OG_NODISCARD og_status og_table__deletion_decode(int32_t kind, og_bytes bytes, uint32_t rows,
                                                 uint64_t count, og_table__u32s *out,
                                                 og_error *err);

#endif
