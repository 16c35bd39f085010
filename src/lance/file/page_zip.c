/* Full-zip layout (docs/dev/lance.md section 11.2): wide values, or levels too sparse for chunks.
 *
 * Buffer 0, for each entry: control word, then the value if it is visible. Control word: none when
 * there are no levels, else u8, u16 or u32 for up to 8, 16, 32 bits: rep << def_bits | def.
 * Fixed values have value_bytes, for null entries too; variable ones u32|u64 length and bytes, and
 * null entries have neither. Buffer 1 (variable values, or lists): rows + 1 byte-packed offsets
 * into buffer 0, so any row is reached directly. */
#include "lance/file/page_priv.h"

#include <inttypes.h>

/* Without mapping: rows this near to each other are fetched in one request. */
enum { FETCH_GAP = 64 * 1024, FETCH_MAX = 8 * 1024 * 1024 };
/* With mapping: what a row costs at least. */
enum { DISK_PAGE = 4096 };

/* ---- opening ------------------------------------------------------------------------------ */

static og_status row_index(og_lance__page *page, og_error *err)
{
    og_lance__full_zip *z = &page->zip;
    OG_TRY(og_lance__page_buffer(page, 1, "row offsets", &z->starts, err));
    uint64_t width = z->starts.len / (page->info->rows + 1);
    if (width == 0 || width > 8 || (width & (width - 1)) != 0)
        return og_error_set(err, OG_CORRUPT, "%zu bytes of row offsets for %" PRIu64 " rows",
                            z->starts.len, page->info->rows);
    z->start_bytes = (uint32_t)width;
    if (z->starts.held != NULL)
        page->memory += z->starts.len;
    return OG_OK;
}

static og_status value_size(og_lance__page *page, const Og__Lance__File__FullZipLayout *m,
                            og_error *err)
{
    og_lance__full_zip *z = &page->zip;
    if (m->details_case == OG__LANCE__FILE__FULL_ZIP_LAYOUT__DETAILS_BITS_PER_VALUE) {
        OG_TRY(og_lance__codec_open(m->value_compression, OG_LANCE__ROW_FIXED, "the values",
                                    &z->values, err));
        z->value_bytes = m->bits_per_value / 8;
        if (m->bits_per_value % 8 != 0 || z->value_bytes != z->values->row_bytes)
            return og_error_set(err, OG_CORRUPT,
                                "values of %" PRIu32 " bits, their encoding has %zu",
                                m->bits_per_value, z->values->row_bytes * 8);
        return OG_OK;
    }
    if (m->details_case != OG__LANCE__FILE__FULL_ZIP_LAYOUT__DETAILS_BITS_PER_OFFSET ||
        (m->bits_per_offset != 32 && m->bits_per_offset != 64))
        return og_error_set(err, OG_CORRUPT, "neither values nor lengths of a known size");
    z->length_bytes = m->bits_per_offset / 8;
    return og_lance__codec_open(m->value_compression, OG_LANCE__ROW_VALUE, "the values", &z->values,
                                err);
}

static og_status zip_open(og_lance__page *page, const Og__Lance__File__PageLayout *layout,
                          og_error *err)
{
    const Og__Lance__File__FullZipLayout *m = layout->full_zip_layout;
    og_lance__full_zip *z = &page->zip;
    OG_TRY(og_lance__layers_parse(m->layers, m->n_layers, &page->layers, err));
    z->rep_bits = m->bits_rep;
    z->def_bits = m->bits_def;
    if (z->rep_bits > 16 || z->def_bits > 16 || (z->rep_bits > 0) != (page->layers.max_rep > 0))
        return og_error_set(err, OG_CORRUPT, "control words of %" PRIu32 " + %" PRIu32 " bits",
                            z->rep_bits, z->def_bits);
    uint32_t bits = z->rep_bits + z->def_bits;
    z->control_bytes = bits == 0 ? 0 : bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
    OG_TRY(value_size(page, m, err));
    if (page->info->buffer_count == 0)
        return og_error_set(err, OG_CORRUPT, "the page has no buffer");
    if (z->length_bytes > 0 || z->rep_bits > 0)
        OG_TRY(row_index(page, err));
    uint64_t size = page->info->buffers[0].size, stride = z->value_bytes + z->control_bytes;
    if (z->starts.ptr == NULL && (stride == 0 || page->info->rows > size / stride))
        return og_error_set(err, OG_CORRUPT, "%" PRIu64 " bytes for %" PRIu64 " rows of %" PRIu64,
                            size, page->info->rows, stride);
    page->memory += og_lance__codec_memory(z->values);
    return OG_OK;
}

static void zip_close(og_lance__page *page)
{
    og_lance__codec_free(page->zip.values);
    og_lance__span_deinit(&page->zip.starts);
}

/* ---- fixed rows, no lists ----------------------------------------------------------------- */

/* Definition levels of rows that stand `stride` apart. */
static og_status read_controls(const og_lance__page *page, const uint8_t *first, size_t stride,
                               const og_lance__pick *pick, og_lance__leaf_values *leaf,
                               og_error *err)
{
    const og_lance__full_zip *z = &page->zip;
    const uint32_t mask = (1u << z->def_bits) - 1;
    uint8_t *dst;
    OG_TRY(og_lance__sink_numbers(&leaf->def, 16, pick->count, "levels", &dst, err));
    uint16_t *def = (uint16_t *)dst;
    for (uint64_t i = 0; i < pick->count; i++) {
        const uint8_t *at = first + og_lance__pick_at(pick, i) * stride;
        def[i] = (uint16_t)((z->control_bytes == 1 ? *at : og_load_u16(at)) & mask);
    }
    if (!og_lance__levels_ok(def, pick->count, page->layers.max_def))
        return og_error_set(err, OG_CORRUPT, "a level is above %u", page->layers.max_def);
    return OG_OK;
}

/* How many rows from `done` on are read from one piece of memory: all where the file is mapped. */
static uint64_t group_rows(const og_lance__page *page, const og_lance__rows *rows, uint64_t done,
                           uint64_t stride)
{
    if (og_lance__file_is_whole(page->file))
        return rows->count - done;
    uint64_t first = og_lance__row_at(rows, done), prev = first, n = 1;
    for (; done + n < rows->count; n++) {
        uint64_t row = og_lance__row_at(rows, done + n);
        if ((row - prev) * stride > FETCH_GAP || (row - first) * stride > FETCH_MAX)
            break;
        prev = row;
    }
    return n;
}

/* Rows per pick of a list, so that the pick fits on the stack. */
enum { PICK_ROWS = 1024 };

static og_status read_fixed_group(const og_lance__page *page, const og_lance__rows *rows,
                                  uint64_t done, uint64_t count, og_lance__leaf_values *leaf,
                                  og_error *err)
{
    const og_lance__full_zip *z = &page->zip;
    const size_t stride = z->value_bytes + z->control_bytes;
    const uint64_t first = og_lance__row_at(rows, done);
    const uint64_t last = og_lance__row_at(rows, done + count - 1);
    OG_LANCE__AUTO_SPAN span = {0};
    OG_TRY(og_lance__file_span(page->file, page->info->buffers[0].offset + first * stride,
                               (last - first + 1) * stride, &span, err));
    uint32_t items[PICK_ROWS];
    while (count > 0) {
        og_lance__pick pick = {NULL, og_lance__row_at(rows, done) - first, count};
        if (rows->list != NULL) {
            pick.items = items;
            pick.count = count < PICK_ROWS ? count : PICK_ROWS;
            for (uint64_t i = 0; i < pick.count; i++)
                items[i] = (uint32_t)(og_lance__row_at(rows, done + i) - first);
        }
        if (z->control_bytes > 0)
            OG_TRY(read_controls(page, span.ptr, stride, &pick, leaf, err));
        OG_TRY(z->values->ops->fixed(z->values, span.ptr + z->control_bytes, stride, &pick,
                                     &leaf->values, err));
        done += pick.count;
        count -= pick.count;
    }
    return OG_OK;
}

/* Say where the rows are that a read of fixed values leads to. */
static void expect_fixed(const og_lance__page *page, const og_lance__rows *rows, uint64_t stride)
{
    if (rows->count == 0 || og_lance__page_is_expected(page, 0))
        return;
    uint64_t start = og_lance__row_at(rows, 0) * stride;
    uint64_t end = (og_lance__row_at(rows, rows->count - 1) + 1) * stride;
    uint64_t bytes = rows->count * (stride < DISK_PAGE && rows->list != NULL ? DISK_PAGE : stride);
    if (og_lance__page_expect(page, 0, rows, start, end, bytes))
        return;
    for (uint64_t i = 0; i < rows->count; i++) {
        uint64_t at = og_lance__row_at(rows, i) * stride;
        og_lance__page_expect_at(page, 0, at, at + stride);
    }
}

static og_status read_fixed(const og_lance__page *page, const og_lance__rows *rows,
                            og_lance__leaf_values *leaf, og_error *err)
{
    const uint64_t stride = page->zip.value_bytes + page->zip.control_bytes;
    expect_fixed(page, rows, stride);
    for (uint64_t done = 0; done < rows->count;) {
        uint64_t n = group_rows(page, rows, done, stride);
        OG_TRY(read_fixed_group(page, rows, done, n, leaf, err));
        done += n;
    }
    return OG_OK;
}

/* ---- rows by index ------------------------------------------------------------------------ */

static uint64_t row_start(const og_lance__full_zip *z, uint64_t row)
{
    uint64_t start = 0;
    memcpy(&start, z->starts.ptr + row * z->start_bytes, z->start_bytes);
    return start;
}

/* One entry: its levels, and its value or a placeholder. */
typedef struct entry {
    uint16_t rep, def;
} entry;

static og_status read_control(const og_lance__page *page, const uint8_t **p, const uint8_t *end,
                              entry *out, og_error *err)
{
    const og_lance__full_zip *z = &page->zip;
    uint32_t word = 0;
    if (z->control_bytes > (size_t)(end - *p))
        return og_error_set(err, OG_CORRUPT, "a row ends inside a control word");
    memcpy(&word, *p, z->control_bytes);
    *p += z->control_bytes;
    out->def = (uint16_t)(word & ((1u << z->def_bits) - 1));
    out->rep = (uint16_t)(word >> z->def_bits);
    if (out->def > page->layers.max_def || out->rep > page->layers.max_rep)
        return og_error_set(err, OG_CORRUPT, "levels %u and %u are above %u and %u", out->rep,
                            out->def, page->layers.max_rep, page->layers.max_def);
    return OG_OK;
}

static og_status append_entry(const og_lance__full_zip *z, entry e, og_lance__leaf_values *leaf,
                              og_error *err)
{
    if (z->rep_bits > 0)
        OG_TRY(og_lance__levels_copy(&leaf->rep, &e.rep, 1, err));
    if (z->def_bits > 0)
        OG_TRY(og_lance__levels_copy(&leaf->def, &e.def, 1, err));
    return OG_OK;
}

static og_status read_value(const og_lance__full_zip *z, const uint8_t **p, const uint8_t *end,
                            uint16_t def, og_lance__sink *sink, og_error *err)
{
    if (z->length_bytes == 0) {
        if (z->value_bytes > (size_t)(end - *p))
            return og_error_set(err, OG_CORRUPT, "a row ends inside a value");
        const og_lance__pick one = {.count = 1};
        const uint8_t *at = *p;
        *p += z->value_bytes;
        return z->values->ops->fixed(z->values, at, z->value_bytes, &one, sink, err);
    }
    if (def > 0)
        return og_lance__sink_empty(sink, 1, err);
    if (z->length_bytes > (size_t)(end - *p))
        return og_error_set(err, OG_CORRUPT, "a row ends inside a length");
    uint64_t len = z->length_bytes == 4 ? og_load_u32(*p) : og_load_u64(*p);
    *p += z->length_bytes;
    if (len > (uint64_t)(end - *p))
        return og_error_set(err, OG_CORRUPT, "a value of %" PRIu64 " bytes in %zu", len,
                            (size_t)(end - *p));
    og_bytes bytes = {*p, (size_t)len};
    *p += len;
    return z->values->ops->value(z->values, bytes, sink, err);
}

/* The entries of `count` neighbouring rows from `row` on, which are exactly the bytes given. Each
 * row begins where the index says: else it would read differently when it is asked for alone. */
static og_status read_entries(const og_lance__page *page, uint64_t row, uint64_t count,
                              og_bytes bytes, og_lance__leaf_values *leaf, og_error *err)
{
    const og_lance__full_zip *z = &page->zip;
    const uint8_t *p = bytes.ptr, *end = bytes.ptr + bytes.len;
    uint64_t rows = 0, first = row_start(z, row);
    bool lists = z->rep_bits > 0;
    while (p < end || (!lists && rows < count)) {
        entry e = {0};
        uint64_t at = first + (uint64_t)(p - bytes.ptr);
        OG_TRY(read_control(page, &p, end, &e, err));
        bool begins = !lists || e.rep == page->layers.max_rep;
        if (begins ? rows == count || row_start(z, row + rows) != at : rows == 0)
            return og_error_set(err, OG_CORRUPT, "the row offsets do not fit the rows");
        rows += begins;
        OG_TRY(append_entry(z, e, leaf, err));
        if (!lists || e.def <= page->layers.max_visible_def)
            OG_TRY(read_value(z, &p, end, e.def, &leaf->values, err));
    }
    if (rows != count)
        return og_error_set(err, OG_CORRUPT, "the row offsets do not fit the rows");
    return OG_OK;
}

/* Bytes of `count` rows from `row` on. */
static og_status rows_span(const og_lance__page *page, uint64_t row, uint64_t count,
                           og_lance__span *out, og_error *err)
{
    uint64_t start = row_start(&page->zip, row), end = row_start(&page->zip, row + count);
    const og_lance__buffer *data = &page->info->buffers[0];
    if (start > end || end > data->size)
        return og_error_set(err, OG_CORRUPT,
                            "rows at %" PRIu64 "..%" PRIu64 " of a buffer of %" PRIu64 " bytes",
                            start, end, data->size);
    return og_lance__file_span(page->file, data->offset + start, end - start, out, err);
}

/* Neighbouring rows from `done` on; equal ones follow each other alone. */
static uint64_t run_length(const og_lance__rows *rows, uint64_t done)
{
    if (rows->list == NULL)
        return rows->count - done;
    uint64_t n = 1;
    while (done + n < rows->count && rows->list[done + n] == rows->list[done] + n)
        n++;
    return n;
}

/* The same for rows that the index leads to; a few are left to be found as they are touched. */
static void expect_indexed(const og_lance__page *page, const og_lance__rows *rows)
{
    if (rows->count == 0 || og_lance__page_is_expected(page, 0))
        return;
    uint64_t start = row_start(&page->zip, og_lance__row_at(rows, 0));
    uint64_t end = row_start(&page->zip, og_lance__row_at(rows, rows->count - 1) + 1);
    (void)!og_lance__page_expect(page, 0, rows, start, end,
                                 rows->list == NULL ? end - start : rows->count * DISK_PAGE);
}

static og_status read_indexed(const og_lance__page *page, const og_lance__rows *rows,
                              og_lance__leaf_values *leaf, og_error *err)
{
    expect_indexed(page, rows);
    for (uint64_t done = 0; done < rows->count;) {
        uint64_t row = og_lance__row_at(rows, done), n = run_length(rows, done);
        OG_LANCE__AUTO_SPAN span = {0};
        og_status status = rows_span(page, row, n, &span, err);
        if (status == OG_OK && leaf->values.kind == OG_LANCE__BYTES)
            status = og_lance__sink_reserve_data(&leaf->values, span.len, err);
        if (status == OG_OK)
            status = read_entries(page, row, n, (og_bytes){span.ptr, span.len}, leaf, err);
        if (status != OG_OK)
            return og_error_context(err, status, "rows from %" PRIu64 " of the page", row);
        done += n;
    }
    return OG_OK;
}

static og_status zip_read(const og_lance__page *page, const og_lance__rows *rows,
                          og_lance__leaf_values *leaf, og_error *err)
{
    return page->zip.starts.ptr == NULL ? read_fixed(page, rows, leaf, err)
                                        : read_indexed(page, rows, leaf, err);
}

/* ---- in place ----------------------------------------------------------------------------- */

static void release_blob(void *blob)
{
    og_blob_unref(blob);
}

/* An array over bytes of `held`, which it keeps. */
static og_array *borrowed_array(const og_type *type, int64_t count, const uint8_t *data,
                                og_blob *held)
{
    OG_AUTO(og_array) array = og_array_new(type, count);
    if (array == NULL)
        return NULL;
    if (type->id == OG_TYPE_FIXED_SIZE_LIST) {
        array->children[0] =
            borrowed_array(type->children[0].type, count * type->list_size, data, held);
        return array->children[0] != NULL ? OG_TAKE(array) : NULL;
    }
    array->data = data;
    array->release_context = og_blob_ref(held);
    array->on_release = release_blob;
    return OG_TAKE(array);
}

/* Bytes of a value of fixed-size lists of numbers, and of its numbers; 0 = it is something else. */
static size_t plain_bytes(const og_type *type, size_t *out_width)
{
    size_t count = 1;
    for (; type->id == OG_TYPE_FIXED_SIZE_LIST; type = type->children[0].type)
        if (type->list_size <= 0 || og_mul_overflow(count, (size_t)type->list_size, &count))
            return 0;
    *out_width = og_type_width(type->id);
    size_t bytes;
    return og_mul_overflow(count, *out_width, &bytes) ? 0 : bytes;
}

og_status og_lance__zip_borrow(const og_lance__page *page, uint64_t start, uint64_t count,
                               const og_type *type, og_array **out, og_error *err)
{
    *out = NULL;
    const og_lance__full_zip *z = &page->zip;
    if (page->ops != &og_lance__full_zip_ops || page->layers.count != 1 || z->control_bytes != 0 ||
        z->length_bytes != 0 || !og_lance__file_is_whole(page->file))
        return OG_OK;
    bool flat = z->values->ops == &og_lance__flat_ops ||
                (z->values->ops == &og_lance__fixed_list_ops && z->values->validity == 0);
    size_t width = 0, bytes = plain_bytes(type, &width);
    if (!flat || bytes == 0 || bytes != z->value_bytes)
        return OG_OK;
    const og_lance__rows range = {.start = start, .count = count};
    expect_fixed(page, &range, bytes);
    OG_LANCE__AUTO_SPAN span = {0};
    OG_TRY(og_lance__file_span(page->file, page->info->buffers[0].offset + start * bytes,
                               count * bytes, &span, err));
    if ((uintptr_t)span.ptr % width != 0)
        return OG_OK;
    *out = borrowed_array(type, (int64_t)count, span.ptr, page->file->head);
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

const og_lance__page_ops og_lance__full_zip_ops = {
    .name = "full-zip",
    .open = zip_open,
    .read = zip_read,
    .close = zip_close,
};
