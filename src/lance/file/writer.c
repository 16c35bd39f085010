/* The container (docs/dev/lance.md section 9) around encoded pages:
 *
 *     page buffers, inline blobs    64-aligned, padded with 'H'
 *     global buffer 0               FileDescriptor, 64-aligned
 *     column metadata               one message a leaf column, back to back
 *     column table                  {u64 position, u64 size} each
 *     global buffer table           the same
 *     footer, 40 bytes
 *
 * Buffers go out as pages are encoded; the metadata of written pages stays in memory until the end.
 * The first error sticks: later calls repeat its status, and nothing becomes visible. */
#include "lance/file/writer.h"

#include "lance/file/blob_write.h"
#include "lance/file/message_write.h"
#include "lance/file/writer_priv.h"
#include <assert.h>

#define VERSION_MAJOR 2
#define VERSION_MINOR 2
#define SUFFIX ".lance"
/* What is left in columns at the end is encoded by several threads from so many bytes on. */
#define SIDE_BY_SIDE_BYTES ((size_t)1 << 20)

typedef struct file_column {
    uint32_t source; /* index in the batch */
    bool is_blob;
    og_lance__leaf leaf;
    og_lance__blob_column blobs;
    og_buf pages; /* Page fields of the ColumnMetadata */
    uint64_t rows_written;
} file_column;

struct og_lance_file_writer {
    og_store *store;
    char *name, *stem;
    og_lance_write_column *sources;
    uint32_t source_count;
    OG_VEC(file_column) columns;
    og_buf schema;
    og_lance__sink sink;
    og_lance__blob_files blob_files;
    og_lance_encoders *encoders;
    og_lance_encoders *own_encoders; /* NULL: others are used, or none has been needed yet */
    og_lance__page blob_page;
    og_buf blob_starts;
    uint64_t rows;
    og_status failed;
    bool ended, finished;
    bool maybe_visible; /* finishing the object had an unknown outcome */
};

/* ---- opening ------------------------------------------------------------------------------ */

static og_status add_column(og_lance_file_writer *w, uint32_t source, const og_type *type,
                            const uint32_t *path, og_error *err)
{
    bool is_blob = w->sources[source].is_blob;
    if (!og_vec_push(&w->columns, (file_column){.source = source, .is_blob = is_blob}))
        return og_error_nomem(err);
    return is_blob ? OG_OK : og_lance__leaf_init(&og_vec_last(&w->columns).leaf, type, path, err);
}

/* One file column for each leaf below `type`, depth first. path[0 .. depth] are the struct children
 * chosen on the way. */
static og_status add_leaves(og_lance_file_writer *w, uint32_t source, const og_type *type,
                            uint32_t nesting, uint32_t *path, uint32_t depth, og_error *err)
{
    const og_type *root = w->sources[source].field->type;
    if (nesting == OG_LANCE__MAX_LAYERS)
        return og_error_set(err, OG_UNSUPPORTED, "column %.*s is nested deeper than %d levels",
                            OG_FMT(w->sources[source].field->name), OG_LANCE__MAX_LAYERS);
    if (type->id == OG_TYPE_LIST || type->id == OG_TYPE_LARGE_LIST)
        return add_leaves(w, source, type->children[0].type, nesting + 1, path, depth, err);
    if (type->id != OG_TYPE_STRUCT)
        return add_column(w, source, root, path, err);
    for (path[depth] = 0; path[depth] < type->child_count; path[depth]++)
        OG_TRY(add_leaves(w, source, type->children[path[depth]].type, nesting + 1, path, depth + 1,
                          err));
    return OG_OK;
}

bool og_lance_is_blob_type(const og_type *type)
{
    static const og_type_id children[] = {OG_TYPE_LARGE_BINARY, OG_TYPE_UTF8, OG_TYPE_U64,
                                          OG_TYPE_U64};
    bool same = type->id == OG_TYPE_STRUCT && (type->child_count == 2 || type->child_count == 4);
    for (uint32_t i = 0; same && i < type->child_count; i++)
        same = type->children[i].type->id == children[i];
    return same;
}

static og_status add_source(og_lance_file_writer *w, uint32_t source, og_error *err)
{
    uint32_t path[OG_LANCE__MAX_LAYERS] = {0};
    const og_lance_write_column *column = &w->sources[source];
    if (!column->is_blob)
        return add_leaves(w, source, column->field->type, 0, path, 0, err);
    if (!og_lance_is_blob_type(column->field->type))
        return og_error_set(err, OG_INVALID, "blob column %.*s is no struct of data and uri",
                            OG_FMT(column->field->name));
    return add_column(w, source, column->field->type, path, err);
}

static og_status set_names(og_lance_file_writer *w, const char *name, og_error *err)
{
    og_str stem = og_str_of(name);
    if (og_str_ends(stem, OG_STR(SUFFIX)))
        stem.len -= sizeof SUFFIX - 1;
    w->name = og_strdup(name);
    w->stem = og_malloc(stem.len + 1);
    if (w->name == NULL || w->stem == NULL)
        return og_error_nomem(err);
    memcpy(w->stem, stem.ptr, stem.len);
    w->stem[stem.len] = '\0';
    w->blob_files.store = w->store;
    w->blob_files.stem = w->stem;
    return OG_OK;
}

og_status og_lance_file_writer_open(og_store *store, const char *name,
                                    const og_lance_write_column *columns, uint32_t column_count,
                                    og_bytes descriptor_schema, og_lance_file_writer **out,
                                    og_error *err)
{
    OG_AUTO(og_lance_file_writer) w = og_calloc(1, sizeof *w);
    if (w == NULL)
        return og_error_nomem(err);
    w->store = store;
    OG_TRY(set_names(w, name, err));
    w->sources = og_calloc(column_count > 0 ? column_count : 1, sizeof *w->sources);
    if (w->sources == NULL ||
        !og_buf_append(&w->schema, descriptor_schema.ptr, descriptor_schema.len))
        return og_error_nomem(err);
    w->source_count = column_count;
    if (column_count > 0)
        memcpy(w->sources, columns, column_count * sizeof *columns);
    for (uint32_t i = 0; i < column_count; i++)
        OG_TRY(add_source(w, i, err));
    OG_TRY(store->ops->create(store, name, &w->sink.object, err));
    *out = OG_TAKE(w);
    return OG_OK;
}

void og_lance_file_writer_use(og_lance_file_writer *w, og_lance_encoders *encoders)
{
    assert(w->encoders == NULL);
    w->encoders = encoders;
    for (size_t i = 0; i < w->columns.len; i++)
        if (!w->columns.items[i].is_blob)
            og_lance__encoders_lend(encoders, &w->columns.items[i].leaf);
}

void og_lance_file_writer_close(og_lance_file_writer *w)
{
    if (w == NULL)
        return;
    if (w->encoders != NULL)
        og_lance__encoders_forget(w->encoders, w);
    og_lance_encoders_free(w->own_encoders);
    og_object_writer_close(w->sink.object);
    if (w->maybe_visible)
        (void)w->store->ops->remove(w->store, (const char *const[]){w->name}, 1, NULL);
    if (w->blob_files.store != NULL)
        og_lance__blob_files_deinit(&w->blob_files, w->finished);
    for (size_t i = 0; i < w->columns.len; i++) {
        og_lance__leaf_deinit(&w->columns.items[i].leaf);
        og_lance__blob_column_deinit(&w->columns.items[i].blobs);
        og_buf_deinit(&w->columns.items[i].pages);
    }
    og_vec_deinit(&w->columns);
    og_lance__page_deinit(&w->blob_page);
    og_buf_deinit(&w->blob_starts);
    og_buf_deinit(&w->schema);
    og_free(w->sources);
    og_free(w->name);
    og_free(w->stem);
    og_free(w);
}

/* ---- pages -------------------------------------------------------------------------------- */

/* Encoding.direct: a google.protobuf.Any around the message bytes. */
static void put_encoding(og_buf *out, uint32_t field, const char *type_url, og_bytes message)
{
    size_t encoding = og_lance__msg_open(out, field);
    size_t direct = og_lance__msg_open(out, 2);
    size_t any = og_lance__msg_open(out, 1);
    og_lance__msg_bytes(out, 1, type_url, strlen(type_url));
    og_lance__msg_bytes(out, 2, message.ptr, message.len);
    og_lance__msg_close(out, any);
    og_lance__msg_close(out, direct);
    og_lance__msg_close(out, encoding);
}

/* Write the encoded page's buffers and note it in the column's metadata. */
static og_status put_page(og_lance_file_writer *w, file_column *column, uint64_t rows,
                          const og_lance__page *page, og_error *err)
{
    uint64_t offsets[OG_LANCE__PAGE_BUFFERS], sizes[OG_LANCE__PAGE_BUFFERS];
    for (uint32_t i = 0; i < page->buffer_count; i++) {
        const og_buf *buffer = &page->buffers[i];
        sizes[i] = buffer->len;
        OG_TRY(og_lance__sink_buffer(&w->sink, buffer->ptr, buffer->len, &offsets[i], err));
    }
    og_buf *out = &column->pages;
    size_t message = og_lance__msg_open(out, 2);
    og_lance__msg_packed(out, 1, offsets, page->buffer_count);
    og_lance__msg_packed(out, 2, sizes, page->buffer_count);
    og_lance__msg_u64(out, 3, rows);
    put_encoding(out, 4, "/lance.encodings21.PageLayout", og_buf_bytes(&page->layout));
    og_lance__msg_u64(out, 5, column->rows_written);
    og_lance__msg_close(out, message);
    column->rows_written += rows;
    return out->failed ? og_error_nomem(err) : OG_OK;
}

static og_status repeat_failure(const og_lance_file_writer *w, og_error *err)
{
    return og_error_set(err, w->failed, "an earlier write to %s failed", w->name);
}

og_status og_lance__writer_put(og_lance_file_writer *w, size_t column, uint64_t rows,
                               const og_lance__page *page, og_status encoded, og_error *err)
{
    if (w->failed != OG_OK)
        return repeat_failure(w, err);
    w->failed = encoded;
    if (encoded == OG_OK)
        w->failed = put_page(w, &w->columns.items[column], rows, page, err);
    return w->failed;
}

static size_t column_bytes(const file_column *column)
{
    return column->is_blob ? og_lance__blob_column_bytes(&column->blobs)
                           : og_lance__leaf_bytes(&column->leaf);
}

static og_status need_encoders(og_lance_file_writer *w, og_error *err)
{
    if (w->encoders == NULL)
        w->encoders = w->own_encoders = og_lance_encoders_new(NULL);
    return w->encoders != NULL ? OG_OK : og_error_nomem(err);
}

static og_status drain(og_lance_file_writer *w, og_error *err)
{
    return w->encoders != NULL ? og_lance__encoders_drain(w->encoders, w, err) : OG_OK;
}

/* Cut a page. Those of blobs are made at once, behind what was cut before. */
static og_status flush_column(og_lance_file_writer *w, size_t index, bool side_by_side,
                              og_error *err)
{
    file_column *column = &w->columns.items[index];
    uint64_t rows = column->is_blob ? column->blobs.rows.len : column->leaf.row_count;
    if (rows == 0)
        return OG_OK;
    if (!column->is_blob) {
        OG_TRY(need_encoders(w, err));
        return og_lance__encoders_add(w->encoders, w, index, &column->leaf, side_by_side, err);
    }
    OG_TRY(drain(w, err));
    OG_TRY(og_lance__blob_encode(&column->blobs, &w->blob_starts, &w->blob_page, err));
    return put_page(w, column, rows, &w->blob_page, err);
}

/* ---- rows --------------------------------------------------------------------------------- */

/* About the bytes that rows [start, end) will buffer. */
static uint64_t range_bytes(const og_array *array, int64_t start, int64_t end)
{
    uint64_t bytes = 0;
    switch (array->type->id) {
    case OG_TYPE_UTF8:
    case OG_TYPE_BINARY:
        return (uint64_t)(((const int32_t *)array->offsets)[end] -
                          ((const int32_t *)array->offsets)[start]);
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_LARGE_BINARY:
        return (uint64_t)(((const int64_t *)array->offsets)[end] -
                          ((const int64_t *)array->offsets)[start]);
    case OG_TYPE_FIXED_SIZE_LIST:
        return range_bytes(array->children[0], start * array->type->list_size,
                           end * array->type->list_size);
    case OG_TYPE_LIST:
        return range_bytes(array->children[0], ((const int32_t *)array->offsets)[start],
                           ((const int32_t *)array->offsets)[end]);
    case OG_TYPE_LARGE_LIST:
        return range_bytes(array->children[0], ((const int64_t *)array->offsets)[start],
                           ((const int64_t *)array->offsets)[end]);
    case OG_TYPE_STRUCT:
        for (uint32_t i = 0; i < array->child_count; i++)
            bytes += range_bytes(array->children[i], start, end);
        return bytes;
    default:
        return (uint64_t)(end - start) * og_type_width(array->type->id);
    }
}

/* As many rows as do not pass a page by much. */
static int64_t rows_at_once(const og_array *array, int64_t start)
{
    int64_t rows = array->length - start;
    if (rows > OG_BATCH_ROWS)
        rows = OG_BATCH_ROWS;
    while (rows > 1 && range_bytes(array, start, start + rows) > OG_LANCE__PAGE_BYTES)
        rows /= 2;
    return rows;
}

/* Bytes of blobs go straight to the file, so that they lie behind the pages that were cut before,
 * however long these take. */
static og_status append_column(og_lance_file_writer *w, size_t index, const og_array *array,
                               og_error *err)
{
    file_column *column = &w->columns.items[index];
    if (column->is_blob)
        OG_TRY(drain(w, err));
    for (int64_t at = 0, rows; at < array->length; at += rows) {
        rows = rows_at_once(array, at);
        if (column->is_blob)
            OG_TRY(og_lance__blob_append(&column->blobs, array, at, rows, &w->sink, &w->blob_files,
                                         err));
        else
            OG_TRY(og_lance__leaf_append(&column->leaf, array, at, rows, err));
        if (column_bytes(column) >= OG_LANCE__PAGE_BYTES)
            OG_TRY(flush_column(w, index, true, err));
    }
    return OG_OK;
}

static og_status check_batch(const og_lance_file_writer *w, const og_batch *batch, og_error *err)
{
    if (batch->column_count != w->source_count)
        return og_error_set(err, OG_INVALID, "a batch of %u columns for a file of %u",
                            batch->column_count, w->source_count);
    for (uint32_t i = 0; i < batch->column_count; i++) {
        const og_array *array = batch->columns[i];
        const og_field *field = w->sources[i].field;
        if (array->length != batch->row_count || !og_type_eq(array->type, field->type))
            return og_error_set(err, OG_INVALID, "column %.*s does not fit its type or row count",
                                OG_FMT(field->name));
    }
    return OG_OK;
}

static og_status write_batch(og_lance_file_writer *w, const og_batch *batch, og_error *err)
{
    OG_TRY(check_batch(w, batch, err));
    for (size_t i = 0; i < w->columns.len; i++)
        OG_TRY(append_column(w, i, batch->columns[w->columns.items[i].source], err));
    w->rows += (uint64_t)batch->row_count;
    return OG_OK;
}

og_status og_lance_file_writer_write(og_lance_file_writer *w, const og_batch *batch, og_error *err)
{
    assert(!w->ended);
    if (w->failed != OG_OK)
        return repeat_failure(w, err);
    w->failed = write_batch(w, batch, err);
    return w->failed;
}

uint64_t og_lance_file_writer_rows(const og_lance_file_writer *w)
{
    return w->rows;
}

/* ---- the end ------------------------------------------------------------------------------ */

typedef struct file_parts {
    uint64_t descriptor, descriptor_bytes; /* global buffer 0 */
    uint64_t metadata, column_table, buffer_table;
} file_parts;

static og_status put_descriptor(og_lance_file_writer *w, file_parts *parts, og_error *err)
{
    OG_AUTO_BUF message = OG_BUF_INIT;
    og_lance__msg_bytes(&message, 1, w->schema.ptr, w->schema.len);
    og_lance__msg_u64(&message, 2, w->rows);
    if (message.failed)
        return og_error_nomem(err);
    parts->descriptor = w->sink.position;
    parts->descriptor_bytes = message.len;
    return og_lance__sink_append(&w->sink, message.ptr, message.len, err);
}

static og_status put_columns(og_lance_file_writer *w, file_parts *parts, og_error *err)
{
    static const uint8_t values[] = {0x0a, 0x00}; /* ColumnEncoding { values {} } */
    OG_AUTO_BUF head = OG_BUF_INIT;
    OG_AUTO_BUF table = OG_BUF_INIT;
    put_encoding(&head, 1, "/lance.encodings.ColumnEncoding", (og_bytes){values, sizeof values});
    parts->metadata = w->sink.position;
    for (size_t i = 0; i < w->columns.len; i++) {
        const og_buf *pages = &w->columns.items[i].pages;
        og_buf_u64(&table, w->sink.position);
        og_buf_u64(&table, head.len + pages->len);
        if (head.failed || table.failed)
            return og_error_nomem(err);
        OG_TRY(og_lance__sink_append(&w->sink, head.ptr, head.len, err));
        OG_TRY(og_lance__sink_append(&w->sink, pages->ptr, pages->len, err));
    }
    parts->column_table = w->sink.position;
    return og_lance__sink_append(&w->sink, table.ptr, table.len, err);
}

static og_status put_footer(og_lance_file_writer *w, file_parts *parts, og_error *err)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    parts->buffer_table = w->sink.position;
    og_buf_u64(&out, parts->descriptor);
    og_buf_u64(&out, parts->descriptor_bytes);
    og_buf_u64(&out, parts->metadata);
    og_buf_u64(&out, parts->column_table);
    og_buf_u64(&out, parts->buffer_table);
    og_buf_u32(&out, 1);
    og_buf_u32(&out, (uint32_t)w->columns.len);
    og_buf_u16(&out, VERSION_MAJOR);
    og_buf_u16(&out, VERSION_MINOR);
    og_buf_text(&out, "LANC");
    if (out.failed)
        return og_error_nomem(err);
    return og_lance__sink_append(&w->sink, out.ptr, out.len, err);
}

/* Is there enough in the columns for several threads? The caller encodes a single page himself,
 * unless he goes on with something else. */
static bool are_worth_threads(const og_lance_file_writer *w, bool goes_on)
{
    size_t bytes = 0, columns = 0;
    for (size_t i = 0; i < w->columns.len; i++) {
        size_t here = column_bytes(&w->columns.items[i]);
        bytes += here;
        columns += here > 0;
    }
    bool busy = w->encoders != NULL && og_lance__encoders_busy(w->encoders);
    return bytes >= SIDE_BY_SIDE_BYTES && (columns > 1 || busy || goes_on);
}

static og_status flush_all(og_lance_file_writer *w, bool goes_on, og_error *err)
{
    bool side_by_side = are_worth_threads(w, goes_on);
    w->ended = true;
    for (size_t i = 0; i < w->columns.len; i++)
        OG_TRY(flush_column(w, i, side_by_side, err));
    /* The last one that is kept is the first one lent. */
    for (size_t i = w->columns.len; w->encoders != NULL && i-- > 0;)
        og_lance__encoders_keep(w->encoders, &w->columns.items[i].leaf);
    return OG_OK;
}

og_status og_lance_file_writer_end(og_lance_file_writer *w, og_error *err)
{
    assert(!w->ended);
    if (w->failed != OG_OK)
        return repeat_failure(w, err);
    w->failed = flush_all(w, true, err);
    return w->failed;
}

static og_status finish_file(og_lance_file_writer *w, og_error *err)
{
    if (!w->ended)
        OG_TRY(flush_all(w, false, err));
    OG_TRY(drain(w, err));
    for (size_t i = 0; i < w->columns.len; i++)
        assert(w->columns.items[i].rows_written == w->rows);
    OG_TRY(og_lance__blob_files_finish(&w->blob_files, err));
    file_parts parts = {0};
    OG_TRY(put_descriptor(w, &parts, err));
    OG_TRY(put_columns(w, &parts, err));
    OG_TRY(put_footer(w, &parts, err));
    assert(w->sink.position == w->sink.object->bytes);
    og_status status = w->sink.object->ops->finish(w->sink.object, err);
    w->maybe_visible = status == OG_UNKNOWN;
    return status;
}

og_status og_lance_file_writer_finish(og_lance_file_writer *w, uint64_t *out_bytes, og_error *err)
{
    assert(!w->finished);
    if (w->failed != OG_OK)
        return repeat_failure(w, err);
    w->failed = finish_file(w, err);
    if (w->failed != OG_OK)
        return w->failed;
    w->finished = true;
    *out_bytes = w->sink.position;
    return OG_OK;
}

const char *const *og_lance_file_writer_extra_names(const og_lance_file_writer *w,
                                                    size_t *out_count)
{
    *out_count = w->blob_files.names.len;
    return (const char *const *)w->blob_files.names.items;
}
