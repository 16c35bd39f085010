/* Rows from files: JSON objects, or a stream of Arrow record batches. */
#include "base/bits.h"
#include "columnar/arrow_ipc.h"
#include "columnar/builder.h"
#include "lancetool/change.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define JSON_BATCH_ROWS 4096
#define MAX_ROW_BYTES ((size_t)256 << 20)

struct tool_rows {
    int fd;
    const char *path;
    uint8_t first[4]; /* read ahead, to tell the kind */
    size_t first_len, first_used;
    og_json_stream *json;
    og_ipc_reader *ipc;
    og_arena *arena; /* of the JSON rows being read */
};

void tool_rows_close(tool_rows *rows)
{
    if (rows == NULL)
        return;
    og_json_stream_free(rows->json);
    og_ipc_close(rows->ipc);
    og_arena_free(rows->arena);
    if (rows->fd > STDIN_FILENO)
        close(rows->fd);
    og_free(rows);
}

static og_status read_file(const tool_rows *rows, uint8_t *dst, size_t cap, size_t *out_len,
                           og_error *err)
{
    ssize_t n;
    do
        n = read(rows->fd, dst, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return og_error_errno(err, errno, "can't read", rows->path);
    *out_len = (size_t)n;
    return OG_OK;
}

static og_status read_on(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    tool_rows *rows = context;
    size_t left = rows->first_len - rows->first_used;
    if (left == 0)
        return read_file(rows, dst, cap, out_len, err);
    *out_len = left < cap ? left : cap;
    memcpy(dst, rows->first + rows->first_used, *out_len);
    rows->first_used += *out_len;
    return OG_OK;
}

/* An Arrow stream begins with a mark of ones, or (old ones) with a length that is no text. */
static bool is_arrow(const tool_rows *rows)
{
    return rows->first_len == 4 &&
           (og_load_u32(rows->first) == UINT32_MAX || (rows->first[3] == 0 && rows->first[2] == 0));
}

og_status tool_rows_open(const char *path, tool_rows **out, og_error *err)
{
    OG_AUTO(tool_rows) rows = og_calloc(1, sizeof *rows);
    if (rows == NULL)
        return og_error_nomem(err);
    bool is_stdin = strcmp(path, "-") == 0;
    rows->path = is_stdin ? "standard input" : path;
    rows->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (rows->fd < 0)
        return og_error_errno(err, errno, "can't read", path);
    for (size_t got = 1; got != 0 && rows->first_len < 4; rows->first_len += got)
        OG_TRY(read_file(rows, rows->first + rows->first_len, 4 - rows->first_len, &got, err));
    OG_TRY(is_arrow(rows) ? og_ipc_open(read_on, rows, &rows->ipc, err)
                          : og_json_stream_new(read_on, rows, MAX_ROW_BYTES, &rows->json, err));
    *out = OG_TAKE(rows);
    return OG_OK;
}

uint32_t tool_rows_fields(const tool_rows *rows, const og_field **out)
{
    uint32_t count = 0;
    *out = rows->ipc != NULL ? og_ipc_fields(rows->ipc, &count) : NULL;
    return count;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static og_status does_not_fit(const og_type *type, og_error *err)
{
    char name[128];
    og_type_name(type, name, sizeof name);
    return og_error_set(err, OG_INVALID, "a value is no %s", name);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Text as it is, or the bytes of {"hex": ".."}. */
static og_status put_bytes(og_builder *builder, const og_type *type, const og_json *value,
                           og_error *err)
{
    if (value->kind == OG_JSON_STRING)
        return og_builder_str(builder, value->text) ? OG_OK : og_error_nomem(err);
    og_str hex = og_json_get_str(value, "hex", (og_str){NULL, 0});
    bool is_text = type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_LARGE_UTF8;
    if (hex.ptr == NULL || hex.len % 2 != 0 || is_text)
        return does_not_fit(type, err);
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    for (size_t i = 0; i < hex.len; i += 2) {
        int high = digit_of(hex.ptr[i]), low = digit_of(hex.ptr[i + 1]);
        if (high < 0 || low < 0)
            return does_not_fit(type, err);
        og_buf_byte(&bytes, (uint8_t)(high << 4 | low));
    }
    return !bytes.failed && og_builder_str(builder, og_buf_view(&bytes)) ? OG_OK
                                                                         : og_error_nomem(err);
}

static og_status put_signed(og_builder *builder, const og_type *type, const og_json *value,
                            og_error *err)
{
    int64_t n, limit = INT64_MAX >> (64 - 8 * og_type_width(type->id));
    if (value->kind != OG_JSON_NUMBER || !og_json_to_i64(value, &n) || n > limit || n < -limit - 1)
        return does_not_fit(type, err);
    return og_builder_i64(builder, n) ? OG_OK : og_error_nomem(err);
}

static og_status put_unsigned(og_builder *builder, const og_type *type, const og_json *value,
                              og_error *err)
{
    uint64_t n;
    if (value->kind != OG_JSON_NUMBER || !og_json_to_u64(value, &n) ||
        n > UINT64_MAX >> (64 - 8 * og_type_width(type->id)))
        return does_not_fit(type, err);
    return og_builder_u64(builder, n) ? OG_OK : og_error_nomem(err);
}

static og_status put_float(og_builder *builder, const og_type *type, const og_json *value,
                           og_error *err)
{
    double n = 0;
    if (value->kind == OG_JSON_STRING && og_str_is(value->text, "nan"))
        n = __builtin_nan("");
    else if (value->kind == OG_JSON_STRING && og_str_is(value->text, "inf"))
        n = __builtin_inf();
    else if (value->kind == OG_JSON_STRING && og_str_is(value->text, "-inf"))
        n = -__builtin_inf();
    else if (value->kind != OG_JSON_NUMBER || !og_json_to_f64(value, &n))
        return does_not_fit(type, err);
    return og_builder_f64(builder, n) ? OG_OK : og_error_nomem(err);
}

static og_status put_list(og_builder *builder, const og_type *type, const og_json *value,
                          og_error *err)
{
    bool fixed = type->id == OG_TYPE_FIXED_SIZE_LIST;
    if (value->kind != OG_JSON_ARRAY || (fixed && value->count != (uint32_t)type->list_size))
        return does_not_fit(type, err);
    for (uint32_t i = 0; i < value->count; i++)
        OG_TRY(tool_put_json(og_builder_child(builder, 0), type->children[0].type, &value->items[i],
                             err));
    return og_builder_end_row(builder) ? OG_OK : og_error_nomem(err);
}

static const og_json *member(const og_json *object, og_str name)
{
    static const og_json null = {.kind = OG_JSON_NULL};
    const og_json *found = &null;
    for (uint32_t i = 0; i < object->count; i++)
        if (og_str_eq(object->keys[i], name))
            found = &object->items[i];
    return found;
}

static og_status put_struct(og_builder *builder, const og_type *type, const og_json *value,
                            og_error *err)
{
    if (value->kind != OG_JSON_OBJECT)
        return does_not_fit(type, err);
    for (uint32_t i = 0; i < type->child_count; i++)
        OG_TRY(tool_put_json(og_builder_child(builder, i), type->children[i].type,
                             member(value, type->children[i].name), err));
    return og_builder_end_row(builder) ? OG_OK : og_error_nomem(err);
}

og_status tool_put_json(og_builder *builder, const og_type *type, const og_json *value,
                        og_error *err)
{
    if (value->kind == OG_JSON_NULL)
        return og_builder_null(builder) ? OG_OK : og_error_nomem(err);
    switch (type->id) {
    case OG_TYPE_BOOL:
        if (value->kind != OG_JSON_BOOL)
            return does_not_fit(type, err);
        return og_builder_bool(builder, value->boolean) ? OG_OK : og_error_nomem(err);
    case OG_TYPE_I8:
    case OG_TYPE_I16:
    case OG_TYPE_I32:
    case OG_TYPE_I64:
    case OG_TYPE_DATE32:
    case OG_TYPE_DATE64:
    case OG_TYPE_TIMESTAMP_US:
        return put_signed(builder, type, value, err);
    case OG_TYPE_U8:
    case OG_TYPE_U16:
    case OG_TYPE_U32:
    case OG_TYPE_U64:
        return put_unsigned(builder, type, value, err);
    case OG_TYPE_F16:
    case OG_TYPE_F32:
    case OG_TYPE_F64:
        return put_float(builder, type, value, err);
    case OG_TYPE_UTF8:
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_BINARY:
        return put_bytes(builder, type, value, err);
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
    case OG_TYPE_FIXED_SIZE_LIST:
        return put_list(builder, type, value, err);
    case OG_TYPE_STRUCT:
        return put_struct(builder, type, value, err);
    case OG_TYPE_NULL:
        break;
    }
    return does_not_fit(type, err);
}

/* Position and size of a part of the object at a uri, 0 of it all:
 * neither has a place without their columns. */
static og_status put_part(og_builder *builder, const og_type *type, const og_json *value,
                          og_error *err)
{
    static const char *const names[] = {"position", "size"};
    uint64_t numbers[2] = {0, 0};
    for (int i = 0; i < 2; i++) {
        const og_json *number = og_json_get(value, names[i]);
        if (number != NULL &&
            (number->kind != OG_JSON_NUMBER || !og_json_to_u64(number, &numbers[i])))
            return og_error_set(err, OG_INVALID, "%s is no whole number", names[i]);
    }
    bool is_part = numbers[0] != 0 || numbers[1] != 0;
    if (type->child_count == 2)
        return is_part ? og_error_set(err, OG_INVALID, "a blob of this table is all of an object")
                       : OG_OK;
    for (uint32_t i = 0; i < 2; i++) {
        og_builder *child = og_builder_child(builder, 2 + i);
        if (!(is_part ? og_builder_u64(child, numbers[i]) : og_builder_null(child)))
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* A blob: its bytes as text or {"hex": ..}, or {"uri": .., "position": .., "size": ..}. */
static og_status put_blob(og_builder *builder, const og_type *type, const og_json *value,
                          og_error *err)
{
    if (value->kind == OG_JSON_NULL)
        return og_builder_null(builder) ? OG_OK : og_error_nomem(err);
    og_str uri = og_json_get_str(value, "uri", (og_str){NULL, 0});
    og_builder *data = og_builder_child(builder, 0), *place = og_builder_child(builder, 1);
    OG_TRY(put_part(builder, type, value, err));
    if (uri.ptr != NULL) {
        if (!og_builder_null(data) || !og_builder_str(place, uri))
            return og_error_nomem(err);
    } else {
        OG_TRY(put_bytes(data, type->children[0].type, value, err));
        if (!og_builder_null(place))
            return og_error_nomem(err);
    }
    return og_builder_end_row(builder) ? OG_OK : og_error_nomem(err);
}

static og_status check_members(const og_json *row, const og_lance_field *fields, uint32_t count,
                               og_error *err)
{
    if (row->kind != OG_JSON_OBJECT)
        return og_error_set(err, OG_INVALID, "a row is no object");
    for (uint32_t i = 0; i < row->count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < count && !known; k++)
            known = og_str_eq(row->keys[i], fields[k].field.name);
        if (!known)
            return og_error_set(err, OG_INVALID, "the table has no column '%.*s'",
                                OG_FMT(row->keys[i]));
    }
    return OG_OK;
}

static og_status put_row(og_builder **builders, const og_lance_field *fields, uint32_t count,
                         const og_json *row, og_error *err)
{
    OG_TRY(check_members(row, fields, count, err));
    for (uint32_t i = 0; i < count; i++) {
        const og_json *value = member(row, fields[i].field.name);
        const og_type *type = fields[i].field.type;
        og_status s = fields[i].is_blob ? put_blob(builders[i], type, value, err)
                                        : tool_put_json(builders[i], type, value, err);
        if (s != OG_OK)
            return og_error_context(err, s, "column '%.*s'", OG_FMT(fields[i].field.name));
    }
    return OG_OK;
}

static og_status fill_json(tool_rows *rows, const og_lance_field *fields, uint32_t count,
                           og_builder **builders, og_error *err)
{
    for (uint32_t i = 0; i < count; i++)
        if ((builders[i] = og_builder_new(fields[i].field.type)) == NULL)
            return og_error_nomem(err);
    for (uint32_t n = 0; n < JSON_BATCH_ROWS; n++) {
        og_json row;
        uint64_t line;
        bool done;
        og_arena_free(OG_TAKE(rows->arena));
        rows->arena = og_arena_new(0);
        if (rows->arena == NULL)
            return og_error_nomem(err);
        og_status s = og_json_stream_next(rows->json, rows->arena, &row, &line, &done, err);
        if (s != OG_OK && err != NULL && err->line != 0) /* else the file could not be read */
            return og_error_context(err, s, "%s:%" PRIu32, rows->path, err->line);
        OG_TRY(s);
        if (done)
            return OG_OK;
        s = put_row(builders, fields, count, &row, err);
        if (s != OG_OK)
            return og_error_context(err, s, "%s:%" PRIu64, rows->path, line);
    }
    return OG_OK;
}

static og_status next_json(tool_rows *rows, const og_lance_field *fields, uint32_t count,
                           og_batch *out, og_error *err)
{
    og_builder **builders = og_calloc((size_t)count + 1, sizeof *builders);
    if (builders == NULL)
        return og_error_nomem(err);
    og_status s = fill_json(rows, fields, count, builders, err);
    OG_AUTO_BATCH batch = {0};
    if (s == OG_OK)
        s = og_batch_init(&batch, count, count != 0 ? og_builder_length(builders[0]) : 0, err);
    for (uint32_t i = 0; i < count; i++) {
        if (s == OG_OK)
            s = og_builder_finish(builders[i], &batch.columns[i], err);
        og_builder_free(builders[i]);
    }
    og_free(builders);
    OG_TRY(s);
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

/* ---- Arrow ----------------------------------------------------------------------------------- */

/* Columns of the stream in the order of the table's. */
static og_status next_arrow(tool_rows *rows, const og_lance_field *fields, uint32_t count,
                            og_batch *out, og_error *err)
{
    uint32_t given_count;
    const og_field *given = og_ipc_fields(rows->ipc, &given_count);
    OG_AUTO_BATCH read = {0};
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_ipc_next(rows->ipc, &read, err));
    OG_TRY(og_batch_init(&batch, count, read.row_count, err));
    for (uint32_t g = 0; g < given_count; g++) {
        uint32_t i = 0;
        while (i < count && !og_str_eq(fields[i].field.name, given[g].name))
            i++;
        if (i == count)
            return og_error_set(err, OG_INVALID, "the table has no column '%.*s'",
                                OG_FMT(given[g].name));
        if (read.row_count > 0 && batch.columns[i] == NULL)
            batch.columns[i] = og_array_ref(read.columns[g]);
    }
    for (uint32_t i = 0; i < count; i++)
        if (batch.columns[i] == NULL &&
            (batch.columns[i] = og_array_new_null(fields[i].field.type, read.row_count)) == NULL)
            return og_error_nomem(err);
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

og_status tool_rows_next(tool_rows *rows, const og_lance_field *fields, uint32_t field_count,
                         og_batch *out, og_error *err)
{
    return rows->ipc != NULL ? next_arrow(rows, fields, field_count, out, err)
                             : next_json(rows, fields, field_count, out, err);
}
