#include "lance/file/container_priv.h"

#include "lance/file/kept_priv.h"
#include "lance/file/proto.h"

#include <inttypes.h>

enum {
    FOOTER_BYTES = 40,
    TABLE_ENTRY_BYTES = 16,
    /* Without mapping, one request for the tail usually gets all metadata; a file of this size is
     * fetched whole. */
    TAIL_BYTES = 64 * 1024,
    /* Of a mapping, where there is nothing to fetch twice. */
    MAPPED_TAIL_BYTES = 16 * 1024,
};

/* ---- bytes -------------------------------------------------------------------------------- */

/* Bytes [offset, offset + len) lie inside the file. */
static bool inside(const og_lance_file *file, uint64_t offset, uint64_t len)
{
    return offset <= file->bytes && len <= file->bytes - offset;
}

og_status og_lance__file_span(og_lance_file *file, uint64_t offset, uint64_t len,
                              og_lance__span *out, og_error *err)
{
    if (!inside(file, offset, len))
        return og_error_set(err, OG_CORRUPT,
                            "bytes %" PRIu64 " + %" PRIu64 " are past the end of the file (%" PRIu64
                            " bytes)",
                            offset, len, file->bytes);
    if (offset >= file->head_start) {
        *out = (og_lance__span){file->head->ptr + (offset - file->head_start), (size_t)len, NULL};
        return OG_OK;
    }
    og_blob *blob;
    OG_TRY(file->store->ops->get_range(file->store, file->name, offset, (size_t)len, &blob, err));
    if (blob->len != len) {
        og_blob_unref(blob);
        return og_error_set(err, OG_CORRUPT, "bytes %" PRIu64 " + %" PRIu64 " could not be read",
                            offset, len);
    }
    *out = (og_lance__span){blob->ptr, blob->len, blob};
    return OG_OK;
}

/* ---- opening ------------------------------------------------------------------------------ */

void og_lance_file_expect(og_store *store, const char *name, uint64_t bytes)
{
    if (bytes != 0 && bytes <= TAIL_BYTES)
        og_store_expect(store, OG_STORE_GET, name, 0);
}

/* The whole object where that costs nothing or little, else its tail. */
static og_status load_head(og_lance_file *file, og_error *err)
{
    if (file->store->maps_objects || (file->bytes != 0 && file->bytes <= TAIL_BYTES)) {
        OG_TRY(file->store->ops->get(file->store, file->name, &file->head, err));
        if (file->bytes == 0)
            file->bytes = file->head->len;
        if (file->head->len != file->bytes)
            return og_error_set(err, OG_CORRUPT, "the file has %zu bytes, its table says %" PRIu64,
                                file->head->len, file->bytes);
        og_blob_read_at_random(file->head);
        if (file->bytes > MAPPED_TAIL_BYTES)
            og_blob_prefetch(file->head, file->bytes - MAPPED_TAIL_BYTES, MAPPED_TAIL_BYTES);
        return OG_OK;
    }
    if (file->bytes == 0)
        OG_TRY(file->store->ops->head(file->store, file->name, &file->bytes, err));
    size_t len = file->bytes < TAIL_BYTES ? (size_t)file->bytes : TAIL_BYTES;
    file->head_start = file->bytes - len;
    OG_TRY(file->store->ops->get_range(file->store, file->name, file->head_start, len, &file->head,
                                       err));
    if (file->head->len != len)
        return og_error_set(err, OG_CORRUPT, "the file is shorter than its %" PRIu64 " bytes",
                            file->bytes);
    return OG_OK;
}

/* All metadata (everything from global buffer 0 on) becomes part of the head. */
static og_status extend_head(og_lance_file *file, uint64_t start, og_error *err)
{
    if (start >= file->head_start)
        return OG_OK;
    if (!inside(file, start, 0))
        return og_error_set(err, OG_CORRUPT, "the footer points past the end of the file");
    og_blob *blob;
    uint64_t len = file->bytes - start;
    OG_TRY(file->store->ops->get_range(file->store, file->name, start, (size_t)len, &blob, err));
    og_blob_unref(file->head);
    file->head = blob;
    file->head_start = start;
    if (blob->len != len)
        return og_error_set(err, OG_CORRUPT, "the file is shorter than its %" PRIu64 " bytes",
                            file->bytes);
    return OG_OK;
}

typedef struct footer {
    uint64_t meta_start, cmo_start, gbo_start;
    uint32_t global_count, column_count;
    uint16_t major, minor;
} footer;

static og_status parse_footer(og_lance_file *file, footer *out, og_error *err)
{
    if (file->bytes < FOOTER_BYTES)
        return og_error_set(err, OG_CORRUPT, "the file has %" PRIu64 " bytes, less than a footer",
                            file->bytes);
    const uint8_t *p = file->head->ptr + file->head->len - FOOTER_BYTES;
    if (memcmp(p + 36, "LANC", 4) != 0)
        return og_error_set(err, OG_CORRUPT, "the file does not end in \"LANC\"");
    *out = (footer){
        .meta_start = og_load_u64(p),
        .cmo_start = og_load_u64(p + 8),
        .gbo_start = og_load_u64(p + 16),
        .global_count = og_load_u32(p + 24),
        .column_count = og_load_u32(p + 28),
        .major = og_load_u16(p + 32),
        .minor = og_load_u16(p + 34),
    };
    if (out->major == 0 && out->minor == 3) /* how it says 2.0 */
        return og_error_set(err, OG_UNSUPPORTED, "the file has format version 2.0, not 2.1 or 2.2");
    if (out->major != 2 || out->minor < 1 || out->minor > 2)
        return og_error_set(err, OG_UNSUPPORTED,
                            "the file has format version %u.%u, not 2.1 or 2.2", out->major,
                            out->minor);
    /* Products of a u32 and 16 fit in 64 bits. */
    if (!inside(file, out->cmo_start, (uint64_t)out->column_count * TABLE_ENTRY_BYTES) ||
        !inside(file, out->gbo_start, (uint64_t)out->global_count * TABLE_ENTRY_BYTES))
        return og_error_set(err, OG_CORRUPT, "a table of the footer is past the end of the file");
    if (out->global_count == 0)
        return og_error_set(err, OG_CORRUPT, "the file has no descriptor");
    return OG_OK;
}

static og_status read_descriptor(og_lance_file *file, uint64_t gbo_start, og_error *err)
{
    OG_LANCE__AUTO_SPAN entry = {0}, bytes = {0};
    OG_TRY(og_lance__file_span(file, gbo_start, TABLE_ENTRY_BYTES, &entry, err));
    file->descriptor = (og_lance__buffer){og_load_u64(entry.ptr), og_load_u64(entry.ptr + 8)};
    OG_TRY(og_lance__file_span(file, file->descriptor.offset, file->descriptor.size, &bytes, err));
    OG_AUTO_PROTO ProtobufCMessage *message = NULL;
    OG_TRY(og_lance_proto_unpack(&og__lance__file__file_descriptor__descriptor,
                                 (og_bytes){bytes.ptr, bytes.len}, "the file descriptor", &message,
                                 err));
    file->rows = ((Og__Lance__File__FileDescriptor *)message)->length;
    if (file->rows > OG_LANCE__MAX_ROWS)
        return og_error_set(err, OG_CORRUPT, "the file claims %" PRIu64 " rows", file->rows);
    return OG_OK;
}

static og_status open_file(og_lance_file *file, og_error *err)
{
    OG_TRY(load_head(file, err));
    footer f = {0};
    OG_TRY(parse_footer(file, &f, err));
    uint64_t start = f.meta_start < f.cmo_start ? f.meta_start : f.cmo_start;
    OG_TRY(extend_head(file, start < f.gbo_start ? start : f.gbo_start, err));
    OG_TRY(read_descriptor(file, f.gbo_start, err));
    file->cmo_start = f.cmo_start;
    file->major = f.major;
    file->minor = f.minor;
    file->column_count = f.column_count;
    file->columns = og_calloc(f.column_count, sizeof *file->columns);
    return file->columns != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_lance_file_open(og_store *store, const char *name, uint64_t bytes, og_lance_file **out,
                             og_error *err)
{
    OG_AUTO(og_lance_file) file = og_calloc(1, sizeof *file);
    if (file == NULL)
        return og_error_nomem(err);
    file->refs = 1;
    pthread_mutex_init(&file->kept_lock, NULL);
    file->store = store;
    file->bytes = bytes;
    file->name = og_strdup(name);
    if (file->name == NULL)
        return og_error_nomem(err);
    og_status status = open_file(file, err);
    if (status == OG_CORRUPT || status == OG_UNSUPPORTED)
        return og_error_context(err, status, "%s", name);
    if (status != OG_OK)
        return status;
    *out = OG_TAKE(file);
    return OG_OK;
}

/* ---- columns ------------------------------------------------------------------------------ */

static void column_free(void *p)
{
    og_lance__column *column = p;
    if (column == NULL)
        return;
    for (uint32_t i = 0; i < column->page_count; i++) {
        og_lance__page_free(column->pages[i].state);
        og_lance__kept_free(column->pages[i].kept);
    }
    og_free(column->pages);
    og_free(column->buffers);
    og_lance_proto_free(column->message);
    og_free(column);
}

/* The Any that holds the PageLayout message of a page. */
static og_status find_layout(const Og__Lance__File__Page *page, og_bytes *out, og_error *err)
{
    const Og__Lance__File__Encoding *encoding = page->encoding;
    if (encoding == NULL || encoding->location_case != OG__LANCE__FILE__ENCODING__LOCATION_DIRECT)
        return og_error_set(err, OG_CORRUPT, "the page has no direct encoding");
    *out = (og_bytes){encoding->direct->encoding.data, encoding->direct->encoding.len};
    return OG_OK;
}

static og_status fill_page(const og_lance_file *file, const Og__Lance__File__Page *page,
                           uint64_t first_row, og_lance__buffer *buffers, og_lance__page_info *info,
                           og_error *err)
{
    if (page->n_buffer_offsets != page->n_buffer_sizes)
        return og_error_set(err, OG_CORRUPT, "%zu buffer offsets and %zu sizes",
                            page->n_buffer_offsets, page->n_buffer_sizes);
    for (size_t i = 0; i < page->n_buffer_offsets; i++) {
        buffers[i] = (og_lance__buffer){page->buffer_offsets[i], page->buffer_sizes[i]};
        if (!inside(file, buffers[i].offset, buffers[i].size))
            return og_error_set(err, OG_CORRUPT,
                                "buffer %zu, bytes %" PRIu64 " + %" PRIu64
                                ", is past the end of the file",
                                i, buffers[i].offset, buffers[i].size);
    }
    *info = (og_lance__page_info){
        .first_row = first_row,
        .rows = page->length,
        .buffers = buffers,
        .buffer_count = (uint32_t)page->n_buffer_offsets,
    };
    if (page->length > OG_LANCE__MAX_ROWS - first_row)
        return og_error_set(err, OG_CORRUPT, "it claims %" PRIu64 " rows", page->length);
    return find_layout(page, &info->layout, err);
}

static og_status fill_column(og_lance_file *file, og_lance__column *column, og_error *err)
{
    const Og__Lance__File__ColumnMetadata *message = column->message;
    size_t buffer_count = 0;
    for (size_t i = 0; i < message->n_pages; i++)
        buffer_count += message->pages[i]->n_buffer_offsets;
    column->pages = og_calloc(message->n_pages, sizeof *column->pages);
    column->buffers = og_calloc(buffer_count, sizeof *column->buffers);
    if (column->pages == NULL || column->buffers == NULL)
        return og_error_nomem(err);
    og_lance__buffer *buffers = column->buffers;
    uint64_t row = 0;
    for (size_t i = 0; i < message->n_pages; i++) {
        const Og__Lance__File__Page *page = message->pages[i];
        og_lance__page_info *info = &column->pages[i];
        og_status status = fill_page(file, page, row, buffers, info, err);
        if (status != OG_OK)
            return og_error_context(err, status, "page %zu", i);
        row += info->rows;
        buffers += info->buffer_count;
        column->page_count++;
    }
    column->rows = row;
    if (file->rows == 0 ? row != 0 : row == 0 || row % file->rows != 0)
        return og_error_set(err, OG_CORRUPT, "its pages hold %" PRIu64 " rows, the file %" PRIu64,
                            row, file->rows);
    column->memory = sizeof *column + message->n_pages * sizeof *column->pages +
                     buffer_count * sizeof *column->buffers;
    return OG_OK;
}

static og_status load_column(og_lance_file *file, uint32_t index, og_lance__column *column,
                             og_error *err)
{
    OG_LANCE__AUTO_SPAN entry = {0}, bytes = {0};
    OG_TRY(og_lance__file_span(file, file->cmo_start + (uint64_t)index * TABLE_ENTRY_BYTES,
                               TABLE_ENTRY_BYTES, &entry, err));
    OG_TRY(
        og_lance__file_span(file, og_load_u64(entry.ptr), og_load_u64(entry.ptr + 8), &bytes, err));
    ProtobufCMessage *message;
    OG_TRY(og_lance_proto_unpack(&og__lance__file__column_metadata__descriptor,
                                 (og_bytes){bytes.ptr, bytes.len}, "its metadata", &message, err));
    column->message = (Og__Lance__File__ColumnMetadata *)message;
    column->index = index;
    return fill_column(file, column, err);
}

og_status og_lance__file_column(og_lance_file *file, uint32_t index, og_lance__column **out,
                                og_error *err)
{
    if (index >= file->column_count)
        return og_error_set(err, OG_CORRUPT, "%s: there is no column %" PRIu32 " of %" PRIu32,
                            file->name, index, file->column_count);
    og_lance__column *column = __atomic_load_n(&file->columns[index], __ATOMIC_ACQUIRE);
    if (column == NULL) {
        column = og_calloc(1, sizeof *column);
        if (column == NULL)
            return og_error_nomem(err);
        og_status status = load_column(file, index, column, err);
        if (status != OG_OK) {
            column_free(column);
            return og_error_context(err, status, "%s: column %" PRIu32, file->name, index);
        }
        size_t memory = column->memory;
        void *mine = column;
        column = og_lance__publish((void **)&file->columns[index], mine, column_free);
        if (column == mine)
            og_lance__file_count(file, memory);
    }
    *out = column;
    return OG_OK;
}

uint32_t og_lance__column_find(const og_lance__column *column, uint64_t row)
{
    uint32_t low = 0, high = column->page_count - 1;
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (column->pages[middle].first_row <= row)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

void *og_lance__publish(void **slot, void *mine, void (*drop)(void *))
{
    void *winner = NULL;
    if (__atomic_compare_exchange_n(slot, &winner, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return mine;
    drop(mine);
    return winner;
}

/* ---- the handle --------------------------------------------------------------------------- */

void og_lance_file_unref(og_lance_file *file)
{
    if (file == NULL || __atomic_sub_fetch(&file->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (uint32_t i = 0; file->columns != NULL && i < file->column_count; i++)
        column_free(file->columns[i]);
    og_free(file->columns);
    og_blob_unref(file->head);
    pthread_mutex_destroy(&file->kept_lock);
    og_free(file->name);
    og_free(file);
}

uint64_t og_lance_file_rows(const og_lance_file *file)
{
    return file->rows;
}

uint32_t og_lance_file_column_count(const og_lance_file *file)
{
    return file->column_count;
}

const char *og_lance_file_name(const og_lance_file *file)
{
    return file->name;
}

size_t og_lance_file_cached_bytes(const og_lance_file *file)
{
    return __atomic_load_n(&file->cached_bytes, __ATOMIC_RELAXED);
}
