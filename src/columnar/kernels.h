/* columnar/kernels - whole-column operations: take, slice, concat; order, equality and hash of
 * rows. Filters are in columnar/compare.h, sorting in columnar/sort.h.
 *
 * Results are arrays of their own. OG_NOMEM; OG_LIMIT when i32 offsets would pass 2^31-1. */
#ifndef OG_COLUMNAR_KERNELS_H
#define OG_COLUMNAR_KERNELS_H

#include "columnar/array.h"

/* rows[i] of `array` as row i; -1 gives null. Rows must be below array->length. */
OG_NODISCARD og_status og_take_rows(const og_array *array, const int64_t *rows, int64_t count,
                                    og_array **out, og_error *err);
OG_NODISCARD og_status og_take_u32(const og_array *array, const uint32_t *rows, int64_t count,
                                   og_array **out, og_error *err);
/* Rows [start, start + count) as an array of their own. */
OG_NODISCARD og_status og_slice(const og_array *array, int64_t start, int64_t count, og_array **out,
                                og_error *err);
/* All rows of one array after the other; at least one array, all of one type. */
OG_NODISCARD og_status og_concat(const og_array *const *arrays, size_t array_count, og_array **out,
                                 og_error *err);
/* Of array i the rows [starts[i], starts[i] + counts[i]). */
OG_NODISCARD og_status og_concat_ranges(const og_array *const *arrays, const int64_t *starts,
                                        const int64_t *counts, size_t array_count, og_array **out,
                                        og_error *err);

/* Order of two rows of the same type: null first; text by bytes; numbers by value; floats in the
 * IEEE total order except that all NaNs are one value, the last (-0.0 is before 0.0); bools false
 * first; lists item by item, structs field by field. < 0, 0, > 0. */
int og_compare_rows(const og_array *a, int64_t row_a, const og_array *b, int64_t row_b);
/* Equality in the sense of og_compare_rows == 0, and a hash that agrees with it. */
bool og_rows_equal(const og_array *a, int64_t row_a, const og_array *b, int64_t row_b);
uint64_t og_hash_row(const og_array *array, int64_t row, uint64_t seed);
/* hashes[i] = og_hash_row(array, i, hashes[i]); start with zeros, then column by column. */
void og_hash_column(const og_array *array, uint64_t *hashes);

#endif
