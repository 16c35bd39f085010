#include "lance/file/blob_write.h"

#include "lance/file/message_write.h"
#include <stdio.h>

#define INLINE_MAX ((size_t)64 << 10)
#define PACKED_MAX ((size_t)4 << 20)
#define PACKED_FILE_MAX ((uint64_t)1 << 30)

enum { KIND_INLINE = 0, KIND_PACKED = 1, KIND_DEDICATED = 2, KIND_EXTERNAL = 3 };

/* ---- blob files --------------------------------------------------------------------------- */

/* "<stem>/<id with its 32 bits reversed, in binary>.blob". */
static char *blob_name(const char *stem, uint32_t id)
{
    char digits[33];
    for (int bit = 0; bit < 32; bit++)
        digits[bit] = (char)('0' + (id >> bit & 1));
    digits[32] = '\0';
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!og_buf_printf(&name, "%s/%s.blob", stem, digits))
        return NULL;
    return og_strdup(og_buf_cstr(&name));
}

static og_status create_file(og_lance__blob_files *files, og_lance__blob_file *out, og_error *err)
{
    if (files->last_id == UINT32_MAX)
        return og_error_set(err, OG_LIMIT, "too many blob files");
    OG_AUTO_FREE char *name = blob_name(files->stem, files->last_id + 1);
    if (name == NULL)
        return og_error_nomem(err);
    og_object_writer *object;
    OG_TRY(files->store->ops->create(files->store, name, &object, err));
    *out = (og_lance__blob_file){object, OG_TAKE(name), ++files->last_id};
    return OG_OK;
}

static void close_file(og_lance__blob_file *file)
{
    og_object_writer_close(file->object);
    og_free(file->name);
    *file = (og_lance__blob_file){0};
}

/* Make it visible and remember its name, unless it is surely not there or not ours. */
static og_status finish_file(og_lance__blob_files *files, og_lance__blob_file *file, og_error *err)
{
    og_status status = OG_OK;
    if (!og_vec_reserve(&files->names, 1))
        status = og_error_nomem(err);
    else
        status = file->object->ops->finish(file->object, err);
    if (status == OG_OK || status == OG_UNKNOWN)
        files->names.items[files->names.len++] = OG_TAKE(file->name);
    close_file(file);
    return status;
}

og_status og_lance__blob_files_finish(og_lance__blob_files *files, og_error *err)
{
    return files->packed.object != NULL ? finish_file(files, &files->packed, err) : OG_OK;
}

void og_lance__blob_files_deinit(og_lance__blob_files *files, bool keep)
{
    close_file(&files->packed);
    if (!keep && files->names.len > 0)
        (void)files->store->ops->remove(files->store, (const char *const *)files->names.items,
                                        files->names.len, NULL);
    for (size_t i = 0; i < files->names.len; i++)
        og_free(files->names.items[i]);
    og_vec_deinit(&files->names);
}

static og_status put_packed(og_lance__blob_files *files, og_bytes bytes, og_lance__blob_row *row,
                            og_error *err)
{
    og_lance__blob_file *packed = &files->packed;
    if (packed->object != NULL && packed->object->bytes > PACKED_FILE_MAX - bytes.len)
        OG_TRY(finish_file(files, packed, err));
    if (packed->object == NULL)
        OG_TRY(create_file(files, packed, err));
    row->kind = KIND_PACKED;
    row->blob_id = packed->id;
    row->position = packed->object->bytes;
    return packed->object->ops->append(packed->object, bytes, err);
}

static og_status put_dedicated(og_lance__blob_files *files, og_bytes bytes, og_lance__blob_row *row,
                               og_error *err)
{
    og_lance__blob_file file = {0};
    OG_TRY(create_file(files, &file, err));
    row->kind = KIND_DEDICATED;
    row->blob_id = file.id;
    og_status status = file.object->ops->append(file.object, bytes, err);
    if (status == OG_OK)
        return finish_file(files, &file, err);
    close_file(&file);
    return status;
}

/* Position 0 with size 0 would read as null, so nothing empty may be the file's first buffer. */
static og_status put_inline(og_lance__sink *sink, og_bytes bytes, og_lance__blob_row *row,
                            og_error *err)
{
    uint64_t unused;
    if (bytes.len == 0 && sink->position == 0)
        OG_TRY(og_lance__sink_buffer(sink, "H", 1, &unused, err));
    row->kind = KIND_INLINE;
    return og_lance__sink_buffer(sink, bytes.ptr, bytes.len, &row->position, err);
}

/* ---- rows --------------------------------------------------------------------------------- */

void og_lance__blob_column_deinit(og_lance__blob_column *column)
{
    og_vec_deinit(&column->rows);
    og_buf_deinit(&column->uris);
}

size_t og_lance__blob_column_bytes(const og_lance__blob_column *column)
{
    return column->rows.len * sizeof *column->rows.items + column->uris.len;
}

static uint64_t part_of(const og_array *numbers, int64_t index)
{
    return og_array_is_null(numbers, index) ? 0 : og_array_u64(numbers, index);
}

static og_status append_row(og_lance__blob_column *column, const og_array *array, int64_t index,
                            og_lance__sink *sink, og_lance__blob_files *files, og_error *err)
{
    const og_array *data = array->children[0], *uri = array->children[1];
    og_lance__blob_row row = {0};
    bool has_row = !og_array_is_null(array, index);
    if (has_row && !og_array_is_null(data, index)) {
        og_str text = og_array_str(data, index);
        og_bytes bytes = {(const uint8_t *)text.ptr, text.len};
        row.size = bytes.len;
        if (bytes.len <= INLINE_MAX)
            OG_TRY(put_inline(sink, bytes, &row, err));
        else if (bytes.len <= PACKED_MAX)
            OG_TRY(put_packed(files, bytes, &row, err));
        else
            OG_TRY(put_dedicated(files, bytes, &row, err));
    } else if (has_row && !og_array_is_null(uri, index)) {
        og_str text = og_array_str(uri, index);
        row.kind = KIND_EXTERNAL;
        if (array->child_count == 4) { /* a part of the object */
            row.position = part_of(array->children[2], index);
            row.size = part_of(array->children[3], index);
        }
        if (text.len > UINT32_MAX - column->uris.len)
            return og_error_set(err, OG_LIMIT, "a blob URI of %zu bytes is too long", text.len);
        row.uri_start = (uint32_t)column->uris.len;
        row.uri_len = (uint32_t)text.len;
        if (!og_buf_str(&column->uris, text))
            return og_error_nomem(err);
    } else {
        row.is_null = true;
        column->null_count++;
    }
    return og_vec_push(&column->rows, row) ? OG_OK : og_error_nomem(err);
}

og_status og_lance__blob_append(og_lance__blob_column *column, const og_array *array, int64_t start,
                                int64_t count, og_lance__sink *sink, og_lance__blob_files *files,
                                og_error *err)
{
    for (int64_t i = start; i < start + count; i++)
        OG_TRY(append_row(column, array, i, sink, files, err));
    return OG_OK;
}

/* ---- the page ----------------------------------------------------------------------------- */

/* u32 length of what follows | kind u8 | position u64 | size u64 | blob_id u32 | u32 length,
 * URI. */
static void put_row(const og_lance__blob_column *column, const og_lance__blob_row *row, og_buf *out)
{
    og_buf_u32(out, 1 + 8 + 8 + 4 + 4 + row->uri_len);
    og_buf_byte(out, row->kind);
    og_buf_u64(out, row->position);
    og_buf_u64(out, row->size);
    og_buf_u32(out, row->blob_id);
    og_buf_u32(out, row->uri_len);
    og_buf_append(out, column->uris.ptr + row->uri_start, row->uri_len);
}

static void put_descriptor(og_buf *out)
{
    static const uint32_t bits[] = {8, 64, 64, 32};
    size_t packed = og_lance__msg_open(out, OG_LANCE__PB_VARIABLE_PACKED_STRUCT);
    for (size_t i = 0; i <= sizeof bits / sizeof *bits; i++) {
        bool is_uri = i == sizeof bits / sizeof *bits;
        size_t field = og_lance__msg_open(out, 1);
        size_t value = og_lance__msg_open(out, 1);
        if (is_uri)
            og_lance__put_variable(out, false);
        else
            og_lance__put_flat(out, bits[i]);
        og_lance__msg_close(out, value);
        og_lance__msg_u64(out, is_uri ? 3 : 2, is_uri ? 32 : bits[i]);
        og_lance__msg_close(out, field);
    }
    og_lance__msg_close(out, packed);
}

static void put_layout(og_buf *out, uint64_t rows, bool nulls)
{
    uint64_t layers[2] = {OG_LANCE__ITEM, nulls ? OG_LANCE__NULLABLE_ITEM : OG_LANCE__ITEM};
    size_t layout = og_lance__msg_open(out, 3);
    og_lance__msg_u64(out, 2, nulls);
    og_lance__msg_u64(out, 4, 32);
    og_lance__msg_u64(out, 5, rows);
    og_lance__msg_u64(out, 6, rows);
    size_t encoding = og_lance__msg_open(out, 7);
    put_descriptor(out);
    og_lance__msg_close(out, encoding);
    og_lance__msg_packed(out, 8, layers, 2);
    og_lance__msg_close(out, layout);
}

og_status og_lance__blob_encode(og_lance__blob_column *column, og_buf *row_starts,
                                og_lance__page *page, og_error *err)
{
    og_lance__page_clear(page);
    og_buf_clear(row_starts);
    bool nulls = column->null_count > 0;
    og_buf *out = &page->buffers[0];
    for (size_t i = 0; i < column->rows.len; i++) {
        const og_lance__blob_row *row = &column->rows.items[i];
        og_buf_u64(row_starts, out->len);
        if (nulls)
            og_buf_byte(out, row->is_null);
        if (!row->is_null)
            put_row(column, row, out);
    }
    og_buf_u64(row_starts, out->len);
    put_layout(&page->layout, column->rows.len, nulls);
    page->buffer_count = 2;
    if (out->failed || row_starts->failed || page->layout.failed ||
        !og_lance__put_row_index(row_starts, &page->buffers[1]))
        return og_error_nomem(err);
    column->rows.len = 0;
    column->null_count = 0;
    og_buf_clear(&column->uris);
    return OG_OK;
}
