/* A column written to a store in memory and read back: for tests of the file writer. */
#ifndef FILE_ROUND_H
#define FILE_ROUND_H

#include "lance/file/reader.h"
#include "lance/file/writer.h"
#include "store/memory.h"

#define ROUND_NAME "t/data/f.lance"

/* Leaves of a type; fills leaves[0 .. count) with 0 .. count - 1. */
uint32_t round_leaves(const og_type *type, uint32_t leaves[8]);
/* Write one column as batches of batch_rows; *out_bytes is the file's size. */
og_status round_write(og_store *store, const char *name, const og_array *array, int64_t batch_rows,
                      bool is_blob, uint64_t *out_bytes, og_error *err);
/* Write, then read all of it, in parts, and single rows: all must equal `array`. Returns the file's
 * size. */
uint64_t round_check(const og_array *array, int64_t batch_rows);
/* Write, and read the first rows as codes; returns of how many values,
 * 0 when they have no codes. */
int64_t round_values(const og_array *array);
/* Write into a folder, then make each of these reads, and one of many rows,
 * as the first of an open file: mapped files are prefetched by what is read. */
void round_check_mapped(const og_array *array);
/* Fail unless rows [start, start + got->length) of `want` equal those of `got`. */
void round_equal(const og_array *want, int64_t start, const og_array *got);

#endif
