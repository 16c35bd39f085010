/* Each key's value is reduced to one 64-bit number that has the order of the values, so that
 * sorting touches nothing but its own entries. Rows are sorted by the first key; each run of rows
 * equal in it, which stands in row order, is then sorted by the next. Text goes in steps of seven
 * bytes: a run that agrees in them is sorted by the seven that follow. */
#include "columnar/sort.h"

#include "columnar/kernels.h"
#include "columnar/layout_priv.h"

#include <assert.h>
#include <inttypes.h>

/* From here on a radix sort beats merging. */
#define RADIX_MIN_ROWS 256
/* Runs of this length are made by insertion before merging. */
#define RUN_ROWS 16
/* Bytes of text that one number holds; the last byte of eight says how many there were. */
#define TEXT_STEP 7
#define TEXT_MORE 8
/* Texts that agree in so many bytes are compared as a whole: bounds the recursion. */
#define TEXT_MAX_OFFSET (32 * TEXT_STEP)

typedef struct entry {
    uint64_t key;  /* order of the value; inverted when descending; 0 of null */
    uint32_t rank; /* sorts before key: puts nulls in front or at the end */
    uint32_t row;
} entry;

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

/* Seven bytes of the text, big-endian, then their number (0 to 7), or TEXT_MORE when others follow:
 * the order of texts that agree before `offset`, and when equal without more, so are the texts. */
static uint64_t text_key(og_str s, size_t offset)
{
    size_t left = s.len > offset ? s.len - offset : 0;
    size_t taken = left < TEXT_STEP ? left : TEXT_STEP;
    uint64_t word = 0;
    memcpy(&word, s.ptr + (left > 0 ? offset : 0), taken);
    return __builtin_bswap64(word) | (left > TEXT_STEP ? TEXT_MORE : left);
}

/* By the bytes from `offset` when the key is text. Nested values all have key 0. */
static entry make_entry(const og_sort_key *key, int64_t row, size_t offset)
{
    const og_array *column = key->column;
    og_type_id id = column->type->id;
    bool null = og_array_is_null(column, row);
    entry e = {.row = (uint32_t)row, .rank = null == key->descending};
    if (null)
        return e;
    if (og_columnar__is_text(id))
        e.key = text_key(og_array_str(column, row), offset);
    else if (!og_columnar__is_nested(id))
        e.key = og_columnar__order_key(column, row);
    if (key->descending)
        e.key = ~e.key;
    return e;
}

/* Does this entry's key leave open whether values that share it are equal? */
static bool is_open(const og_sort_key *key, const entry *e)
{
    og_type_id id = key->column->type->id;
    if (og_columnar__is_nested(id))
        return true;
    uint64_t plain = key->descending ? ~e->key : e->key;
    return og_columnar__is_text(id) && (plain & 0xFF) == TEXT_MORE;
}

static bool same_key(const entry *a, const entry *b)
{
    return a->rank == b->rank && a->key == b->key;
}

/* Whole order of two entries made with offset 0, by `key_count` keys. The row number as the last
 * key makes it total. */
static bool before(const og_sort_key *keys, size_t key_count, const entry *a, const entry *b)
{
    if (a->rank != b->rank)
        return a->rank < b->rank;
    if (a->key != b->key)
        return a->key < b->key;
    size_t decided = key_count > 0 && !is_open(&keys[0], a);
    int order =
        og_sort_compare(keys + decided, a->row, keys + decided, b->row, key_count - decided);
    return order != 0 ? order < 0 : a->row < b->row;
}

/* ---- merge sort --------------------------------------------------------------------------- */

/* `whole`: the key to compare as a whole where entries are equal; NULL: they are equal then. Rows
 * of equal value stay in row order in any case. */
static inline bool precedes(const og_sort_key *whole, const entry *a, const entry *b)
{
    if (whole != NULL)
        return before(whole, 1, a, b);
    if (a->rank != b->rank)
        return a->rank < b->rank;
    return a->key != b->key ? a->key < b->key : a->row < b->row;
}

static void insertion_sort(const og_sort_key *whole, entry *e, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        entry moving = e[i];
        size_t j = i;
        for (; j > 0 && precedes(whole, &moving, &e[j - 1]); j--)
            e[j] = e[j - 1];
        e[j] = moving;
    }
}

static void merge(const og_sort_key *whole, const entry *a, const entry *a_end, const entry *b,
                  const entry *b_end, entry *out)
{
    while (a < a_end && b < b_end)
        *out++ = precedes(whole, b, a) ? *b++ : *a++;
    memcpy(out, a, (size_t)(a_end - a) * sizeof *a);
    memcpy(out + (a_end - a), b, (size_t)(b_end - b) * sizeof *b);
}

/* Returns which of the two buffers holds the result. */
static entry *merge_sort(const og_sort_key *whole, entry *e, entry *scratch, size_t n)
{
    for (size_t i = 0; i < n; i += RUN_ROWS)
        insertion_sort(whole, e + i, n - i < RUN_ROWS ? n - i : RUN_ROWS);
    for (size_t run = RUN_ROWS; run < n; run *= 2) {
        for (size_t i = 0; i < n; i += 2 * run) {
            size_t mid = n - i < run ? n : i + run;
            size_t end = n - i < 2 * run ? n : i + 2 * run;
            /* Parts that are in order already, as in sorted input, only move. */
            if (mid == end || !precedes(whole, &e[mid], &e[mid - 1]))
                memcpy(scratch + i, e + i, (end - i) * sizeof *e);
            else
                merge(whole, e + i, e + mid, e + mid, e + end, scratch + i);
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

/* ---- keys, one after the other ------------------------------------------------------------ */

static void sort_runs(const og_sort_key *keys, size_t key_count, size_t offset, bool whole,
                      entry *e, entry *scratch, size_t n);

/* Sorts entries that agree in all keys before `keys` (and in its text before `offset`). */
static void sort_level(const og_sort_key *keys, size_t key_count, size_t offset, entry *e,
                       entry *scratch, size_t n)
{
    if (key_count == 0 || n < 2)
        return;
    bool nested = og_columnar__is_nested(keys[0].column->type->id);
    bool whole = nested || offset >= TEXT_MAX_OFFSET;
    if (whole)
        offset = 0; /* `before` compares keys made from the start */
    for (size_t i = 0; i < n; i++)
        e[i] = make_entry(&keys[0], e[i].row, offset);
    const entry *sorted = !whole && n >= RADIX_MIN_ROWS
                              ? radix_sort(e, scratch, n)
                              : merge_sort(whole ? &keys[0] : NULL, e, scratch, n);
    if (sorted != e)
        memcpy(e, sorted, n * sizeof *e);
    sort_runs(keys, key_count, offset, whole, e, scratch, n);
}

static void sort_runs(const og_sort_key *keys, size_t key_count, size_t offset, bool whole,
                      entry *e, entry *scratch, size_t n)
{
    for (size_t start = 0, end; start < n; start = end) {
        bool open = is_open(&keys[0], &e[start]);
        bool compare = whole && open;
        for (end = start + 1; end < n && same_key(&e[start], &e[end]); end++) {
            if (compare && og_sort_compare(keys, e[start].row, keys, e[end].row, 1) != 0)
                break;
        }
        if (open && !whole)
            sort_level(keys, key_count, offset + TEXT_STEP, e + start, scratch, end - start);
        else
            sort_level(keys + 1, key_count - 1, 0, e + start, scratch, end - start);
    }
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
    OG_AUTO_FREE entry *block = og_malloc(2 * n * sizeof *block);
    if (block == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < n; i++)
        block[i].row = (uint32_t)i;
    sort_level(keys, key_count, 0, block, block + n, n);
    for (size_t i = 0; i < n; i++)
        out_rows[i] = block[i].row;
    return OG_OK;
}

/* ---- top k -------------------------------------------------------------------------------- */

/* A heap whose root is the last of the rows kept. */
typedef struct heap {
    const og_sort_key *keys;
    size_t key_count;
    entry *entries;
    size_t len;
} heap;

static entry heap_entry(const heap *h, int64_t row)
{
    return h->key_count > 0 ? make_entry(&h->keys[0], row, 0) : (entry){.row = (uint32_t)row};
}

static void sift_down(heap *h, size_t at)
{
    entry moving = h->entries[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= h->len)
            break;
        const entry *e = h->entries;
        if (child + 1 < h->len && before(h->keys, h->key_count, &e[child], &e[child + 1]))
            child++;
        if (!before(h->keys, h->key_count, &moving, &e[child]))
            break;
        h->entries[at] = e[child];
        at = child;
    }
    h->entries[at] = moving;
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
    OG_AUTO_FREE entry *entries = og_malloc((size_t)limit * sizeof *entries);
    if (entries == NULL)
        return og_error_nomem(err);
    heap h = {.keys = keys, .key_count = key_count, .entries = entries, .len = (size_t)limit};
    for (size_t i = 0; i < h.len; i++)
        entries[i] = heap_entry(&h, (int64_t)i);
    for (size_t i = h.len / 2; i-- > 0;)
        sift_down(&h, i);
    for (int64_t row = limit; row < row_count; row++) {
        entry e = heap_entry(&h, row);
        if (before(keys, key_count, &e, &entries[0])) {
            entries[0] = e;
            sift_down(&h, 0);
        }
    }
    /* The root, last of those left, goes to the end each time. */
    while (h.len > 0) {
        h.len--;
        out_rows[h.len] = entries[0].row;
        entries[0] = entries[h.len];
        sift_down(&h, 0);
    }
    *out_count = limit;
    return OG_OK;
}
