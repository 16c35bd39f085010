#include "lance/file/reader.h"

#include "columnar/kernels.h"
#include "lance/file/assemble_priv.h"

#include <inttypes.h>

/* Of a buffer: the rest is brought in when it is read, by windows (expect.c). */
#define READ_AHEAD_BYTES ((uint64_t)1 << 20)
#define SMALL_BYTES ((uint64_t)1 << 10)

/* ---- blobs -------------------------------------------------------------------------------- */

const og_type *og_lance_blob_type(void)
{
    static const og_type u8 = {OG_TYPE_U8}, u32 = {OG_TYPE_U32}, u64 = {OG_TYPE_U64},
                         utf8 = {OG_TYPE_UTF8};
    static const og_field fields[] = {
        {{"kind", 4}, &u8, false},     {{"position", 8}, &u64, false},  {{"size", 4}, &u64, false},
        {{"blob_id", 7}, &u32, false}, {{"blob_uri", 8}, &utf8, false},
    };
    static const og_type type = {OG_TYPE_STRUCT, 0, sizeof fields / sizeof fields[0], fields};
    return &type;
}

/* A blob that is inline, empty, at position 0 and without a URI is null too: scanners that
 * ignore levels write and read it so. */
static og_status add_blob_nulls(og_array *blobs, og_error *err)
{
    const uint8_t *kind = blobs->children[0]->data;
    const uint64_t *position = blobs->children[1]->data, *size = blobs->children[2]->data;
    uint8_t *validity = (uint8_t *)blobs->validity;
    for (int64_t i = 0; i < blobs->length; i++) {
        if (og_array_is_null(blobs, i) || kind[i] != 0 || position[i] != 0 || size[i] != 0 ||
            og_array_str(blobs->children[4], i).len != 0)
            continue;
        if (validity == NULL) {
            size_t bytes = og_bitmap_bytes((size_t)blobs->length);
            validity = og_malloc(bytes);
            if (validity == NULL)
                return og_error_nomem(err);
            memset(validity, 0xff, bytes);
            blobs->validity = blobs->owned[2] = validity;
        }
        og_bit_clear(validity, (size_t)i);
        blobs->null_count++;
    }
    return OG_OK;
}

/* ---- one leaf ----------------------------------------------------------------------------- */

/* Rows of the file, as the caller names them: a range, or a list. */
typedef struct selection {
    const uint32_t *list;
    uint64_t start, count;
} selection;

static uint64_t selected_row(const selection *s, uint64_t i)
{
    return s->list != NULL ? s->list[i] : s->start + i;
}

/* How many rows from number `done` on lie before row `end`. */
static uint64_t rows_before(const selection *s, uint64_t done, uint64_t end)
{
    if (s->list == NULL) {
        uint64_t left = s->count - done, room = end - (s->start + done);
        return left < room ? left : room;
    }
    uint64_t low = done, high = s->count; /* list[low - 1] < end <= list[high] */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (s->list[middle] < end)
            low = middle + 1;
        else
            high = middle;
    }
    return low - done;
}

static og_status page_context(const og_lance_file *file, const og_lance__column *column,
                              uint32_t page, og_status status, og_error *err)
{
    return og_error_context(err, status,
                            "%s: column %" PRIu32 ", page %" PRIu32 " (rows from %" PRIu64 ")",
                            file->name, column->index, page, column->pages[page].first_row);
}

static og_status read_pages(og_lance_file *file, og_lance__column *column, const selection *s,
                            og_lance__assembly *a, og_error *err)
{
    for (uint64_t done = 0; done < s->count;) {
        uint32_t index = og_lance__column_find(column, selected_row(s, done));
        const og_lance__page_info *info = &column->pages[index];
        const og_lance__page *page;
        og_lance__rows rows = {
            .list = s->list != NULL ? s->list + done : NULL,
            .base = info->first_row,
            .start = s->list != NULL ? 0 : s->start + done - info->first_row,
            .count = rows_before(s, done, info->first_row + info->rows),
        };
        og_status status = og_lance__page_get(file, column, index, &page, err);
        if (status == OG_OK)
            status = og_lance__assembly_read(a, page, &rows, err);
        if (status != OG_OK)
            return page_context(file, column, index, status, err);
        done += rows.count;
    }
    return OG_OK;
}

/* A range inside one page that can be used where it stands; *out NULL: it must be decoded. */
static og_status borrow_range(og_lance_file *file, const og_lance_column *request,
                              og_lance__column *column, const selection *s, og_array **out,
                              og_error *err)
{
    *out = NULL;
    const og_type *type = request->field->type;
    bool plain = type->id == OG_TYPE_FIXED_SIZE_LIST || og_type_width(type->id) != 0;
    if (s->list != NULL || s->count == 0 || request->is_blob || !plain)
        return OG_OK;
    uint32_t index = og_lance__column_find(column, s->start);
    const og_lance__page_info *info = &column->pages[index];
    if (rows_before(s, 0, info->first_row + info->rows) != s->count)
        return OG_OK;
    const og_lance__page *page;
    og_status status = og_lance__page_get(file, column, index, &page, err);
    if (status == OG_OK)
        status = og_lance__zip_borrow(page, s->start - info->first_row, s->count, type, out, err);
    return status == OG_OK ? OG_OK : page_context(file, column, index, status, err);
}

/* The rows of a column that has `spread` of them for each of the file;
 * a list is the caller's to free. */
static og_status spread_selection(const selection *s, uint64_t spread, selection *out,
                                  uint32_t **out_list, og_error *err)
{
    *out = (selection){NULL, s->start * spread, s->count * spread};
    if (s->list == NULL)
        return OG_OK;
    uint32_t *list = *out_list = og_reallocarray(NULL, s->count, spread * sizeof *list);
    if (list == NULL)
        return og_error_nomem(err);
    for (uint64_t i = 0; i < s->count; i++)
        for (uint64_t k = 0; k < spread; k++)
            list[i * spread + k] = (uint32_t)(s->list[i] * spread + k);
    out->list = list;
    return OG_OK;
}

static og_status decode_leaf(og_lance_file *file, const og_lance_column *request, uint32_t leaf,
                             og_lance__column *column, const selection *s, og_lance__assembly *a,
                             og_error *err)
{
    const og_type *type = request->is_blob ? og_lance_blob_type() : request->field->type;
    uint64_t packed = request->is_blob ? 1 : request->packed;
    OG_TRY(og_lance__assembly_init(a, type, packed, leaf, err));
    if (column->rows / a->spread != file->rows || column->rows % a->spread != 0)
        return og_error_set(err, OG_CORRUPT,
                            "%s: column %" PRIu32 " has %" PRIu64 " rows, the file %" PRIu64,
                            file->name, column->index, column->rows, file->rows);
    selection all = *s;
    OG_AUTO_FREE uint32_t *list = NULL;
    if (a->spread != 1)
        OG_TRY(spread_selection(s, a->spread, &all, &list, err));
    OG_TRY(og_lance__sink_reserve(&a->leaf.values, all.count, err));
    return read_pages(file, column, &all, a, err);
}

static og_status read_leaf(og_lance_file *file, const og_lance_column *request, uint32_t leaf,
                           const selection *s, og_array **out, og_error *err)
{
    og_lance__column *column;
    OG_TRY(og_lance__file_column(file, request->leaves[leaf], &column, err));
    OG_TRY(borrow_range(file, request, column, s, out, err));
    if (*out != NULL)
        return OG_OK;
    OG_LANCE__AUTO_ASSEMBLY a;
    OG_TRY(decode_leaf(file, request, leaf, column, s, &a, err));
    og_status status = og_lance__assembly_finish(&a, out, err);
    return status == OG_OK
               ? OG_OK
               : og_error_context(err, status, "%s: column %" PRIu32, file->name, column->index);
}

/* ---- a field ------------------------------------------------------------------------------ */

static og_status read_field(og_lance_file *file, const og_lance_column *request, const selection *s,
                            og_array **out, og_error *err)
{
    OG_AUTO(og_array) array = NULL;
    OG_TRY(read_leaf(file, request, 0, s, &array, err));
    for (uint32_t i = 1; i < request->leaf_count; i++) {
        OG_AUTO(og_array) other = NULL;
        OG_TRY(read_leaf(file, request, i, s, &other, err));
        og_status status = og_lance__merge_leaves(array, other, err);
        if (status != OG_OK)
            return og_error_context(err, status, "%s: columns %" PRIu32 " and %" PRIu32, file->name,
                                    request->leaves[0], request->leaves[i]);
    }
    if (request->is_blob)
        OG_TRY(add_blob_nulls(array, err));
    *out = OG_TAKE(array);
    return OG_OK;
}

static og_status check_request(const og_lance_column *request, og_error *err)
{
    uint64_t packed = request->is_blob ? 1 : request->packed;
    uint32_t leaves = og_lance__leaf_count(request->field->type, packed);
    if (request->leaf_count != leaves || leaves == 0)
        return og_error_set(err, OG_INVALID,
                            "%" PRIu32 " columns for field %.*s, which has %" PRIu32,
                            request->leaf_count, OG_FMT(request->field->name), leaves);
    return OG_OK;
}

og_status og_lance_file_read(og_lance_file *file, const og_lance_column *column, uint64_t start,
                             uint64_t count, og_array **out, og_error *err)
{
    OG_TRY(check_request(column, err));
    if (start > file->rows || count > file->rows - start)
        return og_error_set(err, OG_INVALID,
                            "rows %" PRIu64 " + %" PRIu64 " of %s, which has %" PRIu64, start,
                            count, file->name, file->rows);
    return read_field(file, column, &(selection){NULL, start, count}, out, err);
}

og_status og_lance_file_read_coded(og_lance_file *file, const og_lance_column *column,
                                   uint64_t start, uint32_t count, uint32_t *out_codes,
                                   og_lance_coded *out, og_error *err)
{
    *out = (og_lance_coded){0};
    OG_TRY(check_request(column, err));
    if (start >= file->rows || count == 0 || column->is_blob || column->leaf_count != 1)
        return OG_OK;
    og_lance__column *c;
    OG_TRY(og_lance__file_column(file, column->leaves[0], &c, err));
    uint32_t index = og_lance__column_find(c, start);
    const og_lance__page_info *info = &c->pages[index];
    uint64_t from = start - info->first_row;
    const og_lance__page *page;
    OG_AUTO(og_array) values = NULL;
    og_status status = og_lance__page_get(file, c, index, &page, err);
    const og_lance__rows rows = {.start = from,
                                 .count = count < info->rows - from ? count : info->rows - from};
    bool of_rows = false;
    if (status == OG_OK)
        status = og_lance__page_codes(page, &rows, column->field->type, out_codes, &values,
                                      &of_rows, err);
    if (status == OG_OK && values != NULL)
        *out = (og_lance_coded){.page = index, .count = (uint32_t)rows.count, .of_rows = of_rows};
    if (status != OG_OK)
        return og_error_context(err, status, "%s: column %" PRIu32 ", page %" PRIu32, file->name,
                                c->index, index);
    out->values = OG_TAKE(values);
    return OG_OK;
}

/* The pages that rows [start, end) of a column lie in; the last of them may be long. */
static void read_pages_ahead(og_lance_file *file, const og_lance__column *column, uint64_t start,
                             uint64_t end)
{
    uint32_t p = column->rows > start ? og_lance__column_find(column, start) : column->page_count;
    for (; p < column->page_count && column->pages[p].first_row < end; p++) {
        const og_lance__page_info *info = &column->pages[p];
        if (__atomic_load_n(&info->state, __ATOMIC_RELAXED) != NULL)
            continue;
        for (uint32_t b = 0; b < info->buffer_count; b++) {
            uint64_t bytes = info->buffers[b].size;
            if (bytes > SMALL_BYTES) /* else it comes with its neighbours */
                og_blob_prefetch(file->head, info->buffers[b].offset,
                                 bytes < READ_AHEAD_BYTES ? bytes : READ_AHEAD_BYTES);
        }
    }
}

void og_lance_file_read_ahead(og_lance_file *file, const og_lance_column *column, uint64_t start,
                              uint64_t count)
{
    if (!file->head->is_mapped || count > file->rows)
        return;
    for (uint32_t i = 0; i < column->leaf_count; i++) {
        og_lance__column *leaf;
        if (og_lance__file_column(file, column->leaves[i], &leaf, NULL) == OG_OK &&
            leaf->rows == file->rows)
            read_pages_ahead(file, leaf, start, start + count);
    }
}

static bool contains_list(const og_type *type)
{
    if (type->id == OG_TYPE_LIST || type->id == OG_TYPE_LARGE_LIST)
        return true;
    for (uint32_t i = 0; i < type->child_count; i++) {
        if (contains_list(type->children[i].type))
            return true;
    }
    return false;
}

/* Lists are walked level by level, which meets each row once: read the distinct rows, then repeat
 * those that are wanted more than once. */
static og_status take_distinct(og_lance_file *file, const og_lance_column *column,
                               const uint32_t *rows, uint64_t count, og_array **out, og_error *err)
{
    OG_AUTO_FREE uint32_t *distinct = og_malloc(count * sizeof *distinct);
    OG_AUTO_FREE uint32_t *places = og_malloc(count * sizeof *places);
    if (distinct == NULL || places == NULL)
        return og_error_nomem(err);
    uint64_t n = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (n == 0 || distinct[n - 1] != rows[i])
            distinct[n++] = rows[i];
        places[i] = (uint32_t)(n - 1);
    }
    OG_AUTO(og_array) array = NULL;
    OG_TRY(read_field(file, column, &(selection){distinct, 0, n}, &array, err));
    return og_take_u32(array, places, (int64_t)count, out, err);
}

og_status og_lance_file_take(og_lance_file *file, const og_lance_column *column,
                             const uint32_t *rows, uint64_t count, og_array **out, og_error *err)
{
    OG_TRY(check_request(column, err));
    bool ascends = true, repeats = false;
    for (uint64_t i = 1; i < count; i++) {
        ascends &= rows[i - 1] <= rows[i];
        repeats |= rows[i - 1] == rows[i];
    }
    if (!ascends)
        return og_error_set(err, OG_INVALID, "rows to take from %s do not ascend", file->name);
    if (count > 0 && rows[count - 1] >= file->rows)
        return og_error_set(err, OG_INVALID, "row %" PRIu32 " of %s, which has %" PRIu64,
                            rows[count - 1], file->name, file->rows);
    if (repeats && !column->is_blob && contains_list(column->field->type))
        return take_distinct(file, column, rows, count, out, err);
    return read_field(file, column, &(selection){rows, 0, count}, out, err);
}
