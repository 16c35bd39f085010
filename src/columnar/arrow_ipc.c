#include <inttypes.h>

#include "columnar/arrow_ipc_priv.h"

#define MAX_METADATA (16u << 20)
#define MAX_DEPTH 16
#define MAX_FIELDS 65536
#define STEP (1u << 20) /* a body grows by this much at a time: its stated length may be a lie */

void og_ipc_close(og_ipc_reader *r)
{
    if (r == NULL)
        return;
    og_buf_deinit(&r->metadata);
    og_buf_deinit(&r->body);
    og_buf_deinit(&r->raw);
    for (size_t i = 0; i < r->encoded.len; i++)
        og_array_unref(r->encoded.items[i].dictionary);
    og_vec_deinit(&r->encoded);
    og_arena_free(r->arena);
    og_free(r);
}

const og_field *og_ipc_fields(const og_ipc_reader *reader, uint32_t *out_count)
{
    *out_count = reader->field_count;
    return reader->fields;
}

og_status og_columnar__ipc_damaged(const og_ipc_reader *r, const char *what, og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "Arrow stream, before byte %" PRIu64 ": %s", r->offset,
                        what);
}

/* ---- the stream ------------------------------------------------------------------------------ */

/* Append `count` bytes to the buffer; *out_end: the stream ended before the first. */
static og_status read_bytes(og_ipc_reader *r, uint64_t count, og_buf *buf, bool *out_end,
                            og_error *err)
{
    uint64_t done = 0;
    *out_end = false;
    while (done < count) {
        size_t step = count - done < STEP ? (size_t)(count - done) : STEP, got;
        if (!og_buf_reserve(buf, step))
            return og_error_nomem(err);
        OG_TRY(r->read(r->context, buf->ptr + buf->len, step, &got, err));
        if (got == 0) {
            *out_end = done == 0;
            return *out_end
                       ? OG_OK
                       : og_columnar__ipc_damaged(r, "it ends in the middle of a message", err);
        }
        buf->len += got;
        done += got;
        r->offset += got;
    }
    return OG_OK;
}

og_status og_columnar__ipc_read_message(og_ipc_reader *r, og_bytes *out, int64_t *out_kind,
                                        uint32_t *out_header, og_error *err)
{
    OG_AUTO_BUF prefix = OG_BUF_INIT;
    bool end;
    *out_kind = OG_IPC__END;
    OG_TRY(read_bytes(r, 4, &prefix, &end, err));
    if (end)
        return OG_OK;
    uint32_t size = og_load_u32(prefix.ptr);
    if (size == UINT32_MAX) { /* the mark of newer streams */
        OG_TRY(read_bytes(r, 4, &prefix, &end, err));
        if (end)
            return og_columnar__ipc_damaged(r, "it ends in the middle of a message", err);
        size = og_load_u32(prefix.ptr + 4);
    }
    if (size == 0)
        return OG_OK; /* the end, as newer writers mark it */
    if (size < 4 || size > MAX_METADATA)
        return og_columnar__ipc_damaged(r, "a message has no likely length", err);
    og_buf_clear(&r->metadata);
    og_buf_clear(&r->body);
    OG_TRY(read_bytes(r, size, &r->metadata, &end, err));
    *out = og_buf_bytes(&r->metadata);
    uint32_t message = og_load_u32(r->metadata.ptr);
    bool ok = !end && og_columnar__flat_fits(*out, message, 4);
    *out_kind = ok ? og_columnar__flat_number(*out, message, 1, 1, 0, &ok) : 0;
    int64_t body = ok ? og_columnar__flat_number(*out, message, 3, 8, 0, &ok) : 0;
    ok = ok && og_columnar__flat_target(*out, message, 2, out_header) && *out_header != 0;
    if (!ok || body < 0 || (uint64_t)body > OG_IPC__MAX_BODY)
        return og_columnar__ipc_damaged(r, "the head of a message is damaged", err);
    OG_TRY(read_bytes(r, (uint64_t)body, &r->body, &end, err));
    return end ? og_columnar__ipc_damaged(r, "it ends in the middle of a message", err) : OG_OK;
}

/* ---- the schema ------------------------------------------------------------------------------ */

/* Members of the union Type. */
enum {
    TYPE_INT = 2,
    TYPE_FLOAT = 3,
    TYPE_BINARY = 4,
    TYPE_UTF8 = 5,
    TYPE_BOOL = 6,
    TYPE_DATE = 8,
    TYPE_TIME = 9,
    TYPE_TIMESTAMP = 10,
    TYPE_LIST = 12,
    TYPE_STRUCT = 13,
    TYPE_FIXED_SIZE_LIST = 16,
    TYPE_DURATION = 18,
    TYPE_LARGE_BINARY = 19,
    TYPE_LARGE_UTF8 = 20,
    TYPE_LARGE_LIST = 21,
};

static og_type_id integer_type(og_bytes flat, uint32_t table, bool *ok)
{
    static const og_type_id types[2][4] = {{OG_TYPE_U8, OG_TYPE_U16, OG_TYPE_U32, OG_TYPE_U64},
                                           {OG_TYPE_I8, OG_TYPE_I16, OG_TYPE_I32, OG_TYPE_I64}};
    int64_t bits = og_columnar__flat_number(flat, table, 0, 4, 0, ok);
    bool is_signed = og_columnar__flat_number(flat, table, 1, 1, 0, ok) != 0;
    for (int i = 0; i < 4; i++)
        if (bits == 8 << i)
            return types[is_signed][i];
    return OG_TYPE_NULL;
}

static og_type_id timestamp_type(og_bytes flat, uint32_t table, bool *ok)
{
    uint32_t zone;
    int64_t unit = og_columnar__flat_number(flat, table, 0, 2, 0, ok);
    *ok = *ok && og_columnar__flat_target(flat, table, 1, &zone);
    return *ok && unit == 2 && zone == 0 ? OG_TYPE_TIMESTAMP_US : OG_TYPE_I64;
}

/* Ours for a member of the union; OG_TYPE_NULL: not supported. */
static og_type_id type_of(og_bytes flat, int64_t kind, uint32_t table, bool *ok)
{
    int64_t n;
    switch (kind) {
    case TYPE_INT:
        return integer_type(flat, table, ok);
    case TYPE_FLOAT:
        n = og_columnar__flat_number(flat, table, 0, 2, 0, ok);
        return n == 0 ? OG_TYPE_F16 : n == 1 ? OG_TYPE_F32 : n == 2 ? OG_TYPE_F64 : OG_TYPE_NULL;
    case TYPE_DATE:
        return og_columnar__flat_number(flat, table, 0, 2, 1, ok) == 0 ? OG_TYPE_DATE32
                                                                       : OG_TYPE_DATE64;
    case TYPE_TIME:
        return og_columnar__flat_number(flat, table, 1, 4, 32, ok) == 32 ? OG_TYPE_I32
                                                                         : OG_TYPE_I64;
    case TYPE_TIMESTAMP:
        return timestamp_type(flat, table, ok);
    case TYPE_DURATION:
        return OG_TYPE_I64;
    case TYPE_BOOL:
        return OG_TYPE_BOOL;
    case TYPE_UTF8:
        return OG_TYPE_UTF8;
    case TYPE_BINARY:
        return OG_TYPE_BINARY;
    case TYPE_LARGE_UTF8:
        return OG_TYPE_LARGE_UTF8;
    case TYPE_LARGE_BINARY:
        return OG_TYPE_LARGE_BINARY;
    case TYPE_LIST:
        return OG_TYPE_LIST;
    case TYPE_LARGE_LIST:
        return OG_TYPE_LARGE_LIST;
    case TYPE_FIXED_SIZE_LIST:
        return OG_TYPE_FIXED_SIZE_LIST;
    case TYPE_STRUCT:
        return OG_TYPE_STRUCT;
    default:
        return OG_TYPE_NULL;
    }
}

static og_status read_fields(og_ipc_reader *r, og_bytes flat, uint32_t at, uint32_t count,
                             unsigned depth, og_field **out, og_error *err);

static og_status read_nested(og_ipc_reader *r, og_bytes flat, uint32_t field, uint32_t table,
                             og_type_id id, unsigned depth, const og_type **out, og_error *err)
{
    og_type *type = og_arena_new_of(r->arena, og_type);
    uint32_t children = 0, count = 0;
    bool ok = og_columnar__flat_vector(flat, field, 5, 4, &children, &count);
    int64_t size = id == OG_TYPE_FIXED_SIZE_LIST && ok
                       ? og_columnar__flat_number(flat, table, 0, 4, 0, &ok)
                       : 0;
    if (!ok || size < 0 || (id != OG_TYPE_STRUCT && count != 1))
        return og_columnar__ipc_damaged(r, "a field is damaged", err);
    if (id == OG_TYPE_FIXED_SIZE_LIST && size == 0)
        return og_error_set(err, OG_UNSUPPORTED, "Arrow lists of no items");
    if (type == NULL)
        return og_error_nomem(err);
    og_field *fields = NULL;
    OG_TRY(read_fields(r, flat, children, count, depth + 1, &fields, err));
    *type =
        (og_type){.id = id, .list_size = (int32_t)size, .child_count = count, .children = fields};
    *out = type;
    return OG_OK;
}

/* The field's DictionaryEncoding. */
static og_status read_encoding(og_ipc_reader *r, og_bytes flat, uint32_t table,
                               const og_field *field, og_error *err)
{
    bool ok = true;
    uint32_t index;
    og_columnar__ipc_encoded e = {.field = field,
                                  .id = og_columnar__flat_number(flat, table, 0, 8, 0, &ok),
                                  .index = OG_TYPE_I32};
    ok = ok && og_columnar__flat_target(flat, table, 1, &index);
    if (ok && index != 0)
        e.index = integer_type(flat, index, &ok);
    if (!ok || e.index == OG_TYPE_NULL)
        return og_columnar__ipc_damaged(r, "a dictionary's encoding is damaged", err);
    return og_vec_push(&r->encoded, e) ? OG_OK : og_error_nomem(err);
}

static og_status read_field(og_ipc_reader *r, og_bytes flat, uint32_t field, unsigned depth,
                            og_field *out, og_error *err)
{
    uint32_t name, name_len, table, dictionary;
    bool ok = og_columnar__flat_vector(flat, field, 0, 1, &name, &name_len) &&
              og_columnar__flat_target(flat, field, 3, &table) &&
              og_columnar__flat_target(flat, field, 4, &dictionary);
    int64_t kind = ok ? og_columnar__flat_number(flat, field, 2, 1, 0, &ok) : 0;
    out->nullable = ok && og_columnar__flat_number(flat, field, 1, 1, 0, &ok) != 0;
    if (!ok || table == 0)
        return og_columnar__ipc_damaged(r, "a field is damaged", err);
    og_str text = {name_len != 0 ? (const char *)flat.ptr + name : "", name_len};
    out->name = og_arena_str(r->arena, text);
    if (out->name.ptr == NULL)
        return og_error_nomem(err);
    if (!og_utf8_valid(text, NULL))
        return og_columnar__ipc_damaged(r, "a field's name is no text", err);
    og_type_id id = type_of(flat, kind, table, &ok);
    if (!ok)
        return og_columnar__ipc_damaged(r, "a type is damaged", err);
    if (id == OG_TYPE_NULL)
        return og_error_set(err, OG_UNSUPPORTED, "column '%.*s': Arrow type %" PRId64,
                            OG_FMT(out->name), kind);
    if (dictionary != 0)
        OG_TRY(read_encoding(r, flat, dictionary, out, err));
    if (id > OG_TYPE_LARGE_BINARY)
        return read_nested(r, flat, field, table, id, depth, &out->type, err);
    out->type = og_type_of(id);
    return OG_OK;
}

/* Fields of a vector of references to tables. */
static og_status read_fields(og_ipc_reader *r, og_bytes flat, uint32_t at, uint32_t count,
                             unsigned depth, og_field **out, og_error *err)
{
    if (depth >= MAX_DEPTH || count > MAX_FIELDS - r->all_fields)
        return og_error_set(err, OG_LIMIT, "an Arrow schema is too large or too deep");
    r->all_fields += count;
    og_field *fields = og_arena_array_of(r->arena, og_field, (size_t)count + 1);
    if (fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t place = at + 4 * i;
        uint64_t target = (uint64_t)place + og_load_u32(flat.ptr + place);
        if (!og_columnar__flat_fits(flat, target, 4))
            return og_columnar__ipc_damaged(r, "a field is damaged", err);
        OG_TRY(read_field(r, flat, (uint32_t)target, depth, &fields[i], err));
    }
    *out = fields;
    return OG_OK;
}

static og_status read_schema(og_ipc_reader *r, og_error *err)
{
    og_bytes flat;
    int64_t kind;
    uint32_t schema = 0, fields = 0, count = 0;
    OG_TRY(og_columnar__ipc_read_message(r, &flat, &kind, &schema, err));
    bool ok = kind == OG_IPC__SCHEMA;
    int64_t big_endian = ok ? og_columnar__flat_number(flat, schema, 0, 2, 0, &ok) : 0;
    if (!ok || !og_columnar__flat_vector(flat, schema, 1, 4, &fields, &count))
        return og_columnar__ipc_damaged(r, "it does not begin with a schema", err);
    if (big_endian != 0)
        return og_error_set(err, OG_UNSUPPORTED, "big-endian Arrow streams");
    OG_TRY(read_fields(r, flat, fields, count, 0, &r->fields, err));
    r->field_count = count;
    return OG_OK;
}

og_status og_ipc_open(og_read_fn read, void *context, og_ipc_reader **out, og_error *err)
{
    OG_AUTO(og_ipc_reader) r = og_calloc(1, sizeof *r);
    if (r == NULL)
        return og_error_nomem(err);
    r->read = read;
    r->context = context;
    r->arena = og_arena_new((size_t)MAX_METADATA * 8);
    if (r->arena == NULL)
        return og_error_nomem(err);
    OG_TRY(read_schema(r, err));
    *out = OG_TAKE(r);
    return OG_OK;
}
