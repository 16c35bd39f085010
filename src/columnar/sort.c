/* The first key of each row is reduced to one 64-bit number whose order is (nearly) that of the
 * values, so most comparisons touch nothing but the entries being sorted. */
#include "columnar/sort.h"

#include "columnar/kernels.h"
#include "columnar/layout_priv.h"

#include <assert.h>
#include <inttypes.h>

/* From here on a radix sort beats merging. */
#define RADIX_MIN_ROWS 256
/* Runs of this length are made by insertion before merging. */
#define RUN_ROWS 16

typedef struct entry {
    uint64_t key;  /* order of the first key's value; inverted when descending; 0 of null */
    uint32_t rank; /* sorts before key: puts nulls in front or at the end */
    uint32_t row;
} entry;

typedef struct sorter {
    const og_sort_key *keys;
    size_t key_count;
    size_t tie_key; /* entries of equal key and rank differ from this key on, if at all */
} sorter;

int og_sort_compare(const og_sort_key *a, int64_t row_a, const og_sort_key *b, int64_t row_b,
                    size_t key_count)
{
    for (size_t i = 0; i < key_count; i++) {
        int order = og_compare_rows(a[i].column, row_a, b[i].column, row_b);
        if (order != 0)
            return a[i].descending ? -order : order;
    }
    return 0;
}

/* ---- entries ------------------------------------------------------------------------------ */

/* The first eight bytes, big-endian: orders texts except those that agree in them. */
static uint64_t text_prefix(og_str s)
{
    uint64_t word = 0;
    memcpy(&word, s.ptr, s.len < 8 ? s.len : 8);
    return __builtin_bswap64(word);
}

static bool is_exact(og_type_id id)
{
    return !og_columnar__is_text(id) && !og_columnar__is_nested(id);
}

static sorter make_sorter(const og_sort_key *keys, size_t key_count)
{
    bool exact = key_count > 0 && is_exact(keys[0].column->type->id);
    return (sorter){.keys = keys, .key_count = key_count, .tie_key = exact ? 1 : 0};
}

static entry make_entry(const sorter *s, int64_t row)
{
    entry e = {.row = (uint32_t)row};
    if (s->key_count == 0)
        return e;
    const og_array *column = s->keys[0].column;
    bool descending = s->keys[0].descending;
    bool null = og_array_is_null(column, row);
    e.rank = null == descending;
    if (null)
        return e;
    if (og_columnar__is_text(column->type->id))
        e.key = text_prefix(og_array_str(column, row));
    else if (!og_columnar__is_nested(column->type->id))
        e.key = og_columnar__order_key(column, row);
    if (descending)
        e.key = ~e.key;
    return e;
}

static bool ties_before(const sorter *s, const entry *a, const entry *b)
{
    int order = 0;
    if (s->tie_key < s->key_count)
        order = og_sort_compare(s->keys + s->tie_key, a->row, s->keys + s->tie_key, b->row,
                                s->key_count - s->tie_key);
    /* The row number as the last key makes the order total, hence every sort stable. */
    return order != 0 ? order < 0 : a->row < b->row;
}

static inline bool before(const sorter *s, const entry *a, const entry *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->key != b->key)
        return a->key < b->key;
    return ties_before(s, a, b);
}

/* ---- merge sort --------------------------------------------------------------------------- */

static void insertion_sort(const sorter *s, entry *e, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        entry moving = e[i];
        size_t j = i;
        for (; j > 0 && before(s, &moving, &e[j - 1]); j--)
            e[j] = e[j - 1];
        e[j] = moving;
    }
}

static void merge(const sorter *s, const entry *a, const entry *a_end, const entry *b,
                  const entry *b_end, entry *out)
{
    while (a < a_end && b < b_end)
        *out++ = before(s, b, a) ? *b++ : *a++;
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

/* Returns which of the two buffers holds the result. */
static entry *merge_sort(const sorter *s, entry *e, entry *scratch, size_t n)
{
    for (size_t i = 0; i < n; i += RUN_ROWS)
        insertion_sort(s, e + i, n - i < RUN_ROWS ? n - i : RUN_ROWS);
    for (size_t run = RUN_ROWS; run < n; run *= 2) {
        for (size_t i = 0; i < n; i += 2 * run) {
            size_t mid = n - i < run ? n : i + run;
            size_t end = n - i < 2 * run ? n : i + 2 * run;
            /* Parts that are in order already, as in sorted input, only move. */
            if (mid == end || !before(s, &e[mid], &e[mid - 1]))
                memcpy(scratch + i, e + i, (end - i) * sizeof *e);
            else
                merge(s, e + i, e + mid, e + mid, e + end, scratch + i);
        }
        entry *swap = e;
        e = scratch;
        scratch = swap;
    }
    return e;
}

/* ---- radix sort --------------------------------------------------------------------------- */

static inline size_t digit(const entry *e, int pass)
{
    return pass < 8 ? (size_t)(e->key >> (8 * pass)) & 0xFF : e->rank;
}

/* Least significant byte first, the rank last; bytes equal in all entries cost nothing. Entries
 * start in row order, which a stable pass keeps. Returns the buffer that holds the result. */
static entry *radix_sort(entry *e, entry *scratch, size_t n)
{
    for (int pass = 0; pass < 9; pass++) {
        size_t counts[256] = {0};
        for (size_t i = 0; i < n; i++)
            counts[digit(&e[i], pass)]++;
        if (counts[digit(&e[0], pass)] == n)
            continue;
        size_t at = 0;
        for (size_t d = 0; d < 256; d++) {
            size_t count = counts[d];
            counts[d] = at;
            at += count;
        }
        for (size_t i = 0; i < n; i++)
            scratch[counts[digit(&e[i], pass)]++] = e[i];
        entry *swap = e;
        e = scratch;
        scratch = swap;
    }
    return e;
}

static og_status check_rows(const og_sort_key *keys, size_t key_count, int64_t row_count,
                            og_error *err)
{
    for (size_t i = 0; i < key_count; i++)
        assert(keys[i].column->length >= row_count);
    if (row_count > UINT32_MAX)
        return og_error_set(err, OG_LIMIT, "cannot sort %" PRId64 " rows at once", row_count);
    return OG_OK;
}

og_status og_sort_rows(const og_sort_key *keys, size_t key_count, int64_t row_count,
                       uint32_t *out_rows, og_error *err)
{
    OG_TRY(check_rows(keys, key_count, row_count, err));
    size_t n = (size_t)row_count;
    sorter s = make_sorter(keys, key_count);
    OG_AUTO_FREE entry *block = og_malloc(2 * n * sizeof *block);
    if (block == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        block[i] = make_entry(&s, (int64_t)i);
    bool radix = s.tie_key >= s.key_count && n >= RADIX_MIN_ROWS;
    const entry *sorted =
        radix ? radix_sort(block, block + n, n) : merge_sort(&s, block, block + n, n);
    for (size_t i = 0; i < n; i++)
        out_rows[i] = sorted[i].row;
    return OG_OK;
}

/* ---- top k -------------------------------------------------------------------------------- */

/* A heap whose root is the last of the rows kept. */
static void sift_down(const sorter *s, entry *heap, size_t n, size_t at)
{
    entry moving = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= n)
            break;
        if (child + 1 < n && before(s, &heap[child], &heap[child + 1]))
            child++;
        if (!before(s, &moving, &heap[child]))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = moving;
}

og_status og_top_rows(const og_sort_key *keys, size_t key_count, int64_t row_count, int64_t limit,
                      uint32_t *out_rows, int64_t *out_count, og_error *err)
{
    OG_TRY(check_rows(keys, key_count, row_count, err));
    if (limit > row_count)
        limit = row_count;
    if (limit <= 0) {
        *out_count = 0;
        return OG_OK;
    }
    size_t k = (size_t)limit;
    sorter s = make_sorter(keys, key_count);
    OG_AUTO_FREE entry *heap = og_malloc(k * sizeof *heap);
    if (heap == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < k; i++)
        heap[i] = make_entry(&s, (int64_t)i);
    for (size_t i = k / 2; i-- > 0;)
        sift_down(&s, heap, k, i);
    for (int64_t row = limit; row < row_count; row++) {
        entry e = make_entry(&s, row);
        if (before(&s, &e, &heap[0])) {
            heap[0] = e;
            sift_down(&s, heap, k, 0);
        }
    }
    /* The root, last of those left, goes to the end each time. */
    for (size_t n = k; n > 0; n--) {
        out_rows[n - 1] = heap[0].row;
        heap[0] = heap[n - 1];
        sift_down(&s, heap, n - 1, 0);
    }
    *out_count = limit;
    return OG_OK;
}
