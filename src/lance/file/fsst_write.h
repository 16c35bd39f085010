/* lance/file/fsst_write - FSST symbol tables and compression of strings.
 *
 * Source: Boncz, Neumann and Leis, "FSST: Fast Random Access String Compression", VLDB 2020. Up to
 * 255 symbols of 1 to 8 bytes; each string becomes a row of one-byte codes, 255 escapes a literal
 * byte. Strings are compressed one by one, so each can be expanded alone. The stored table is
 * described in docs/dev/lance.md section 12. */
#ifndef OG_LANCE_FILE_FSST_WRITE_H
#define OG_LANCE_FILE_FSST_WRITE_H

#include "base/alloc.h"
#include "base/buf.h"

#define OG_LANCE__FSST_TABLE_BYTES 2312
/* Readable bytes that must follow the last string. */
#define OG_LANCE__FSST_SLACK 8

typedef struct og_lance__fsst og_lance__fsst;

og_lance__fsst *og_lance__fsst_new(void);
void og_lance__fsst_free(og_lance__fsst *fsst);

/* Learn a table from a sample of the strings bytes[offsets[i] .. offsets[i + 1]). False when out of
 * memory. */
bool og_lance__fsst_train(og_lance__fsst *fsst, const uint8_t *bytes, const uint32_t *offsets,
                          uint64_t count);
/* Compress `len` bytes to `out`, which has room for 2 * len + 1; returns the bytes written. */
size_t og_lance__fsst_compress(const og_lance__fsst *fsst, const uint8_t *in, size_t len,
                               uint8_t *out);
/* The stored form of the table, OG_LANCE__FSST_TABLE_BYTES long; lives in `fsst`. */
const uint8_t *og_lance__fsst_table(const og_lance__fsst *fsst);

#endif
