/* Gathers: the inner loops of property gather and sort. One loop for each width of value and
 * each kind of index, over plain pointers; validity is a pass of its own, and only when there
 * are nulls. */
#include "columnar/kernels.h"

#include "columnar/builder.h"
#include "columnar/layout_priv.h"

#include <assert.h>
#include <inttypes.h>

/* Rows to take: 64-bit with -1 for null, or 32-bit without nulls. One of the pointers is set. */
typedef struct row_list {
    const int64_t *wide;
    const uint32_t *narrow;
    int64_t count;
} row_list;

/* Run the statements for each i with `row` = rows[i]; the branch on the kind is outside the
 * loop. */
#define FOR_ROWS(rows, ...)                                                                        \
    do {                                                                                           \
        int64_t n_ = (rows)->count;                                                                \
        if ((rows)->wide != NULL) {                                                                \
            const int64_t *list_ = (rows)->wide;                                                   \
            for (int64_t i = 0; i < n_; i++) {                                                     \
                int64_t row = list_[i];                                                            \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        } else {                                                                                   \
            const uint32_t *list_ = (rows)->narrow;                                                \
            for (int64_t i = 0; i < n_; i++) {                                                     \
                int64_t row = list_[i];                                                            \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    } while (0)

static void *new_buffer(uint64_t size)
{
    if (size > SIZE_MAX - 64)
        return NULL;
    return og_malloc_aligned((size_t)og_align_up(size != 0 ? size : 1, 64));
}

static og_status too_long(og_error *err)
{
    return og_error_set(err, OG_LIMIT, "column chunk is larger than 2 GiB");
}

/* ---- validity ----------------------------------------------------------------------------- */

/* dst bit i = row valid; returns the number of nulls. Whole words are put together in a
 * register. */
static int64_t gather_validity(uint64_t *dst, const uint8_t *src, const row_list *rows)
{
    int64_t valid_count = 0;
    uint64_t word = 0;
    FOR_ROWS(rows, {
        uint64_t valid = row >= 0 && (src == NULL || og_bit_get(src, (size_t)row));
        word |= valid << (i & 63);
        valid_count += (int64_t)valid;
        if ((i & 63) == 63) {
            dst[i >> 6] = word;
            word = 0;
        }
    });
    if ((rows->count & 63) != 0)
        dst[rows->count >> 6] = word;
    return rows->count - valid_count;
}

static bool has_missing(const row_list *rows)
{
    int64_t any = 0;
    if (rows->wide != NULL) {
        for (int64_t i = 0; i < rows->count; i++)
            any |= rows->wide[i];
    }
    return any < 0;
}

static og_status take_validity(og_array *dst, const og_array *src, const row_list *rows,
                               bool missing, og_error *err)
{
    if (src->validity == NULL && !missing)
        return OG_OK;
    uint64_t *bits = new_buffer(((uint64_t)rows->count + 63) / 64 * 8);
    if (bits == NULL)
        return og_error_nomem(err);
    dst->null_count = gather_validity(bits, src->validity, rows);
    if (dst->null_count == 0) {
        og_free(bits);
        return OG_OK;
    }
    dst->owned[2] = bits;
    dst->validity = (const uint8_t *)bits;
    return OG_OK;
}

/* ---- fixed width -------------------------------------------------------------------------- */

#define GATHER(type)                                                                               \
    do {                                                                                           \
        const type *from = src;                                                                    \
        type *to = dst;                                                                            \
        if (missing)                                                                               \
            FOR_ROWS(rows, to[i] = row >= 0 ? from[row] : 0;);                                     \
        else                                                                                       \
            FOR_ROWS(rows, to[i] = from[row];);                                                    \
    } while (0)

static void gather_values(void *dst, const void *src, size_t width, const row_list *rows,
                          bool missing)
{
    switch (width) {
    case 1:
        GATHER(uint8_t);
        break;
    case 2:
        GATHER(uint16_t);
        break;
    case 4:
        GATHER(uint32_t);
        break;
    case 8:
        GATHER(uint64_t);
        break;
    default: {
        /* Fixed-size lists of fixed-width items. */
        uint8_t *to = dst;
        const uint8_t *from = src;
        FOR_ROWS(rows, {
            if (row >= 0)
                memcpy(to + (size_t)i * width, from + (size_t)row * width, width);
            else
                memset(to + (size_t)i * width, 0, width);
        });
        break;
    }
    }
}

static og_status take_fixed(og_array *dst, const og_array *src, size_t width, const row_list *rows,
                            bool missing, og_error *err)
{
    uint64_t size;
    if (og_mul_overflow((uint64_t)rows->count, (uint64_t)width, &size))
        return og_error_nomem(err);
    dst->data = dst->owned[0] = new_buffer(size);
    if (dst->data == NULL)
        return og_error_nomem(err);
    gather_values(dst->owned[0], src->data, width, rows, missing);
    return OG_OK;
}

static og_status take_bools(og_array *dst, const og_array *src, const row_list *rows, og_error *err)
{
    uint64_t *bits = new_buffer(((uint64_t)rows->count + 63) / 64 * 8);
    if (bits == NULL)
        return og_error_nomem(err);
    dst->data = dst->owned[0] = bits;
    gather_validity(bits, src->data, rows);
    return OG_OK;
}

/* ---- text --------------------------------------------------------------------------------- */

/* Offsets of the taken rows from those of the source; false when they pass `max`. */
#define GATHER_OFFSETS(type, max)                                                                  \
    do {                                                                                           \
        const type *from = src->offsets;                                                           \
        type *to = dst->owned[1];                                                                  \
        to[0] = 0;                                                                                 \
        FOR_ROWS(rows, {                                                                           \
            if (row >= 0)                                                                          \
                total += from[row + 1] - from[row];                                                \
            to[i + 1] = (type)total;                                                               \
        });                                                                                        \
        if (total > (max))                                                                         \
            return too_long(err);                                                                  \
    } while (0)

static og_status take_offsets(og_array *dst, const og_array *src, const row_list *rows,
                              int64_t *out_total, og_error *err)
{
    size_t width = og_columnar__offset_width(src->type->id);
    dst->offsets = dst->owned[1] = new_buffer(((uint64_t)rows->count + 1) * width);
    if (dst->offsets == NULL)
        return og_error_nomem(err);

    int64_t total = 0;
    if (width == 4)
        GATHER_OFFSETS(int32_t, INT32_MAX);
    else
        GATHER_OFFSETS(int64_t, INT64_MAX - 64);
    *out_total = total;
    return OG_OK;
}

/* Copies of at most 16 bytes, most of them in practice, are one fixed-size move when both buffers
 * have 16 bytes there; what it writes too much is written over by the next row. */
static inline void copy_text(uint8_t *to, const uint8_t *to_end, const uint8_t *from,
                             const uint8_t *from_end, size_t len)
{
    if (len <= 16 && to_end - to >= 16 && from_end - from >= 16)
        memcpy(to, from, 16);
    else
        memcpy(to, from, len);
}

#define COPY_TEXTS(type)                                                                           \
    do {                                                                                           \
        const type *offsets = src->offsets;                                                        \
        const uint8_t *from_end = from + offsets[src->length];                                     \
        FOR_ROWS(rows, {                                                                           \
            if (row >= 0) {                                                                        \
                size_t len = (size_t)(offsets[row + 1] - offsets[row]);                            \
                copy_text(to, to_end, from + offsets[row], from_end, len);                         \
                to += len;                                                                         \
            }                                                                                      \
            (void)i;                                                                               \
        });                                                                                        \
    } while (0)

static og_status take_text(og_array *dst, const og_array *src, const row_list *rows, og_error *err)
{
    int64_t total;
    OG_TRY(take_offsets(dst, src, rows, &total, err));
    uint8_t *to = new_buffer((uint64_t)total);
    if (to == NULL)
        return og_error_nomem(err);
    dst->data = dst->owned[0] = to;
    const uint8_t *to_end = to + total;
    const uint8_t *from = src->data;
    if (og_columnar__offset_width(src->type->id) == 4)
        COPY_TEXTS(int32_t);
    else
        COPY_TEXTS(int64_t);
    return OG_OK;
}

/* ---- nested ------------------------------------------------------------------------------- */

static og_status take(const og_array *array, const row_list *rows, og_array **out, og_error *err);

/* Items of the taken lists as rows of the child. */
static og_status take_items(og_array *dst, const og_array *src, const row_list *rows,
                            int64_t item_count, og_error *err)
{
    if ((uint64_t)item_count > SIZE_MAX / sizeof(int64_t))
        return og_error_nomem(err);
    OG_AUTO_FREE int64_t *items = og_malloc((size_t)item_count * sizeof *items);
    if (items == NULL)
        return og_error_nomem(err);
    int64_t n = 0;
    bool fixed = src->type->id == OG_TYPE_FIXED_SIZE_LIST;
    FOR_ROWS(rows, {
        if (row >= 0) {
            int64_t start, end;
            og_array_list(src, row, &start, &end);
            while (start < end)
                items[n++] = start++;
        } else if (fixed) {
            for (int32_t k = 0; k < src->type->list_size; k++)
                items[n++] = -1;
        }
        (void)i;
    });
    assert(n == item_count);
    row_list item_rows = {.wide = items, .count = n};
    return take(src->children[0], &item_rows, &dst->children[0], err);
}

/* A fixed-size list of fixed-width items without nulls is one wide value. */
static og_status take_vectors(og_array *dst, const og_array *src, size_t item_width,
                              const row_list *rows, bool missing, og_error *err)
{
    int32_t size = src->type->list_size;
    const og_array *items = src->children[0];
    int64_t item_count;
    if (og_mul_overflow(rows->count, (int64_t)size, &item_count))
        return og_error_nomem(err);
    og_array *child = dst->children[0] = og_array_new(items->type, item_count);
    if (child == NULL)
        return og_error_nomem(err);
    return take_fixed(child, items, item_width * (size_t)size, rows, missing, err);
}

static og_status take_nested(og_array *dst, const og_array *src, const row_list *rows, bool missing,
                             og_error *err)
{
    int64_t item_count;
    if (src->type->id == OG_TYPE_STRUCT) {
        for (uint32_t i = 0; i < src->child_count; i++)
            OG_TRY(take(src->children[i], rows, &dst->children[i], err));
        return OG_OK;
    }
    if (src->type->id == OG_TYPE_FIXED_SIZE_LIST) {
        const og_array *items = src->children[0];
        size_t width = og_type_width(items->type->id);
        if (width > 0 && items->validity == NULL)
            return take_vectors(dst, src, width, rows, missing, err);
        if (og_mul_overflow(rows->count, (int64_t)src->type->list_size, &item_count))
            return og_error_nomem(err);
    } else {
        OG_TRY(take_offsets(dst, src, rows, &item_count, err));
    }
    return take_items(dst, src, rows, item_count, err);
}

static og_status take(const og_array *array, const row_list *rows, og_array **out, og_error *err)
{
    og_type_id id = array->type->id;
    OG_AUTO(og_array) dst = og_array_new(array->type, rows->count);
    if (dst == NULL)
        return og_error_nomem(err);
    bool missing = has_missing(rows);
    OG_TRY(take_validity(dst, array, rows, missing, err));
    if (og_columnar__is_nested(id))
        OG_TRY(take_nested(dst, array, rows, missing, err));
    else if (og_columnar__is_text(id))
        OG_TRY(take_text(dst, array, rows, err));
    else if (id == OG_TYPE_BOOL)
        OG_TRY(take_bools(dst, array, rows, err));
    else if (id != OG_TYPE_NULL)
        OG_TRY(take_fixed(dst, array, og_type_width(id), rows, missing, err));
    *out = OG_TAKE(dst);
    return OG_OK;
}

og_status og_take_rows(const og_array *array, const int64_t *rows, int64_t count, og_array **out,
                       og_error *err)
{
    row_list list = {.wide = rows, .count = count};
    /* An empty list may be NULL, which would select the other kind: just as empty. */
    return take(array, &list, out, err);
}

og_status og_take_u32(const og_array *array, const uint32_t *rows, int64_t count, og_array **out,
                      og_error *err)
{
    row_list list = {.narrow = rows, .count = count};
    return take(array, &list, out, err);
}

/* ---- ranges ------------------------------------------------------------------------------- */

og_status og_slice(const og_array *array, int64_t start, int64_t count, og_array **out,
                   og_error *err)
{
    const og_array *const arrays[] = {array};
    const int64_t starts[] = {start}, counts[] = {count};
    return og_concat_ranges(arrays, starts, counts, 1, out, err);
}

og_status og_concat(const og_array *const *arrays, size_t array_count, og_array **out,
                    og_error *err)
{
    return og_concat_ranges(arrays, NULL, NULL, array_count, out, err);
}

og_status og_concat_ranges(const og_array *const *arrays, const int64_t *starts,
                           const int64_t *counts, size_t array_count, og_array **out, og_error *err)
{
    assert(array_count > 0);
    OG_AUTO(og_builder) builder = og_builder_new(arrays[0]->type);
    if (builder == NULL)
        return og_error_nomem(err);
    int64_t rows = 0, bytes = 0;
    for (size_t i = 0; i < array_count; i++) {
        int64_t start = starts != NULL ? starts[i] : 0;
        int64_t count = counts != NULL ? counts[i] : arrays[i]->length;
        rows += count;
        if (og_columnar__is_text(arrays[i]->type->id))
            bytes += og_columnar__offset(arrays[i], start + count) -
                     og_columnar__offset(arrays[i], start);
    }
    /* A reserve that fails shows at finish. */
    og_builder_reserve(builder, rows, bytes);
    for (size_t i = 0; i < array_count; i++) {
        int64_t start = starts != NULL ? starts[i] : 0;
        int64_t count = counts != NULL ? counts[i] : arrays[i]->length;
        if (!og_builder_append_array(builder, arrays[i], start, count))
            break;
    }
    return og_builder_finish(builder, out, err);
}
