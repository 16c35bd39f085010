/* columnar/sort - the order of rows by several columns.
 *
 * Rows are ordered by og_compare_rows on the first key, ties by the next; rows equal in all keys
 * keep their order. Nulls count as below every value: first when ascending, last when
 * descending. */
#ifndef OG_COLUMNAR_SORT_H
#define OG_COLUMNAR_SORT_H

#include "columnar/array.h"

typedef struct og_sort_key {
    const og_array *column;
    bool descending;
} og_sort_key;

/* Row numbers 0 .. row_count - 1 in order into out_rows. At most UINT32_MAX rows (OG_LIMIT).
 * OG_NOMEM; 32 bytes of scratch a row. */
OG_NODISCARD og_status og_sort_rows(const og_sort_key *keys, size_t key_count, int64_t row_count,
                                    uint32_t *out_rows, og_error *err);
/* The first `limit` of that order, or all when there are fewer; out_rows has room for
 * min(limit, row_count). Scratch for `limit` rows only. */
OG_NODISCARD og_status og_top_rows(const og_sort_key *keys, size_t key_count, int64_t row_count,
                                   int64_t limit, uint32_t *out_rows, int64_t *out_count,
                                   og_error *err);

/* Order of a row of one set of columns and a row of another (the same types and directions), for
 * merging what was sorted in parts. < 0, 0, > 0. */
int og_sort_compare(const og_sort_key *a, int64_t row_a, const og_sort_key *b, int64_t row_b,
                    size_t key_count);

#endif
