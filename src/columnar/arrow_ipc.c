#include "columnar/arrow_ipc.h"

#include <inttypes.h>

#include "base/arena.h"
#include "base/vec.h"
#include "columnar/ipc_codec.h"
#include "columnar/kernels.h"
#include "columnar/layout_priv.h"

#define MAX_METADATA (16u << 20)
#define MAX_BODY ((uint64_t)2 << 30)
#define MAX_DEPTH 16
#define MAX_FIELDS 65536
#define STEP (1u << 20) /* a body grows by this much at a time: its stated length may be a lie */

/* A field whose batches hold places in a dictionary. */
typedef struct encoded {
    const og_field *field;
    int64_t id;           /* of the dictionary; fields may share one */
    og_type_id index;     /* type of the places */
    og_array *dictionary; /* as of now; NULL: none yet */
} encoded;

struct og_ipc_reader {
    og_read_fn read;
    void *context;
    uint64_t offset; /* of the next byte in the stream */
    og_arena *arena; /* fields and types */
    og_field *fields;
    uint32_t field_count, all_fields; /* top level; with children */
    OG_VEC(encoded) encoded;
    og_buf metadata, body;
    og_buf raw; /* the buffer that was expanded last */
};

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

static og_status damaged(const og_ipc_reader *r, const char *what, og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "Arrow stream, before byte %" PRIu64 ": %s", r->offset,
                        what);
}

/* ---- FlatBuffers: positions in the metadata; 0 = absent -------------------------------------- */

typedef struct flat {
    const og_ipc_reader *reader;
    og_bytes bytes;
} flat;

static bool fits(const flat *f, uint64_t at, uint64_t width)
{
    return at <= f->bytes.len && width <= f->bytes.len - at;
}

/* The place of a table's field of `width` bytes. False: damaged. */
static bool field_at(const flat *f, uint32_t table, unsigned slot, unsigned width, uint32_t *out)
{
    *out = 0;
    if (!fits(f, table, 4))
        return false;
    int64_t vtable = (int64_t)table - (int32_t)og_load_u32(f->bytes.ptr + table);
    if (vtable < 0 || !fits(f, (uint64_t)vtable, 4))
        return false;
    uint32_t size = og_load_u16(f->bytes.ptr + vtable);
    if (!fits(f, (uint64_t)vtable, size) || 6 + 2 * slot > size)
        return fits(f, (uint64_t)vtable, size);
    uint32_t offset = og_load_u16(f->bytes.ptr + vtable + 4 + 2 * slot);
    if (offset == 0)
        return true;
    *out = table + offset;
    return fits(f, (uint64_t)table + offset, width);
}

/* Follow the reference in a field, to a table, vector or text. */
static bool target_at(const flat *f, uint32_t table, unsigned slot, uint32_t *out)
{
    uint32_t at;
    if (!field_at(f, table, slot, 4, &at))
        return false;
    *out = 0;
    if (at == 0)
        return true;
    uint64_t target = (uint64_t)at + og_load_u32(f->bytes.ptr + at);
    *out = (uint32_t)target;
    return fits(f, target, 4);
}

static bool vector_at(const flat *f, uint32_t table, unsigned slot, unsigned item, uint32_t *out,
                      uint32_t *out_count)
{
    uint32_t at;
    *out_count = 0;
    if (!target_at(f, table, slot, &at))
        return false;
    if (at == 0)
        return true;
    *out_count = og_load_u32(f->bytes.ptr + at);
    *out = at + 4;
    return fits(f, (uint64_t)at + 4, (uint64_t)*out_count * item);
}

static int64_t number_at(const flat *f, uint32_t table, unsigned slot, unsigned width,
                         int64_t fallback, bool *ok)
{
    uint32_t at;
    *ok = field_at(f, table, slot, width, &at) && *ok;
    if (!*ok || at == 0)
        return fallback;
    const uint8_t *p = f->bytes.ptr + at;
    switch (width) {
    case 1:
        return *p;
    case 2:
        return (int16_t)og_load_u16(p);
    case 4:
        return (int32_t)og_load_u32(p);
    default:
        return (int64_t)og_load_u64(p);
    }
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
            return *out_end ? OG_OK : damaged(r, "it ends in the middle of a message", err);
        }
        buf->len += got;
        done += got;
        r->offset += got;
    }
    return OG_OK;
}

enum { HEADER_SCHEMA = 1, HEADER_DICTIONARY = 2, HEADER_BATCH = 3 };

/* The next message: its kind (0 at the end), the table of its header, and its body. */
static og_status read_message(og_ipc_reader *r, flat *out, int64_t *out_kind, uint32_t *out_header,
                              og_error *err)
{
    OG_AUTO_BUF prefix = OG_BUF_INIT;
    bool end;
    *out_kind = 0;
    OG_TRY(read_bytes(r, 4, &prefix, &end, err));
    if (end)
        return OG_OK;
    uint32_t size = og_load_u32(prefix.ptr);
    if (size == UINT32_MAX) { /* the mark of newer streams */
        OG_TRY(read_bytes(r, 4, &prefix, &end, err));
        if (end)
            return damaged(r, "it ends in the middle of a message", err);
        size = og_load_u32(prefix.ptr + 4);
    }
    if (size == 0)
        return OG_OK; /* the end, as newer writers mark it */
    if (size < 4 || size > MAX_METADATA)
        return damaged(r, "a message has no likely length", err);
    og_buf_clear(&r->metadata);
    og_buf_clear(&r->body);
    OG_TRY(read_bytes(r, size, &r->metadata, &end, err));
    *out = (flat){r, og_buf_bytes(&r->metadata)};
    uint32_t message = og_load_u32(r->metadata.ptr);
    bool ok = !end && fits(out, message, 4);
    *out_kind = ok ? number_at(out, message, 1, 1, 0, &ok) : 0;
    int64_t body = ok ? number_at(out, message, 3, 8, 0, &ok) : 0;
    ok = ok && target_at(out, message, 2, out_header) && *out_header != 0;
    if (!ok || body < 0 || (uint64_t)body > MAX_BODY)
        return damaged(r, "the head of a message is damaged", err);
    OG_TRY(read_bytes(r, (uint64_t)body, &r->body, &end, err));
    return end ? damaged(r, "it ends in the middle of a message", err) : OG_OK;
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

static og_type_id integer_type(const flat *f, uint32_t table, bool *ok)
{
    static const og_type_id types[2][4] = {{OG_TYPE_U8, OG_TYPE_U16, OG_TYPE_U32, OG_TYPE_U64},
                                           {OG_TYPE_I8, OG_TYPE_I16, OG_TYPE_I32, OG_TYPE_I64}};
    int64_t bits = number_at(f, table, 0, 4, 0, ok);
    bool is_signed = number_at(f, table, 1, 1, 0, ok) != 0;
    for (int i = 0; i < 4; i++)
        if (bits == 8 << i)
            return types[is_signed][i];
    return OG_TYPE_NULL;
}

static og_type_id timestamp_type(const flat *f, uint32_t table, bool *ok)
{
    uint32_t zone;
    int64_t unit = number_at(f, table, 0, 2, 0, ok);
    *ok = *ok && target_at(f, table, 1, &zone);
    return *ok && unit == 2 && zone == 0 ? OG_TYPE_TIMESTAMP_US : OG_TYPE_I64;
}

/* Ours for a member of the union; OG_TYPE_NULL: not supported. */
static og_type_id type_of(const flat *f, int64_t kind, uint32_t table, bool *ok)
{
    int64_t n;
    switch (kind) {
    case TYPE_INT:
        return integer_type(f, table, ok);
    case TYPE_FLOAT:
        n = number_at(f, table, 0, 2, 0, ok);
        return n == 0 ? OG_TYPE_F16 : n == 1 ? OG_TYPE_F32 : n == 2 ? OG_TYPE_F64 : OG_TYPE_NULL;
    case TYPE_DATE:
        return number_at(f, table, 0, 2, 1, ok) == 0 ? OG_TYPE_DATE32 : OG_TYPE_DATE64;
    case TYPE_TIME:
        return number_at(f, table, 1, 4, 32, ok) == 32 ? OG_TYPE_I32 : OG_TYPE_I64;
    case TYPE_TIMESTAMP:
        return timestamp_type(f, table, ok);
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

static og_status read_fields(og_ipc_reader *r, const flat *f, uint32_t at, uint32_t count,
                             unsigned depth, og_field **out, og_error *err);

static og_status read_nested(og_ipc_reader *r, const flat *f, uint32_t field, uint32_t table,
                             og_type_id id, unsigned depth, const og_type **out, og_error *err)
{
    og_type *type = og_arena_new_of(r->arena, og_type);
    uint32_t children = 0, count = 0;
    bool ok = vector_at(f, field, 5, 4, &children, &count);
    int64_t size = id == OG_TYPE_FIXED_SIZE_LIST && ok ? number_at(f, table, 0, 4, 0, &ok) : 0;
    if (!ok || size < 0 || (id != OG_TYPE_STRUCT && count != 1))
        return damaged(r, "a field is damaged", err);
    if (id == OG_TYPE_FIXED_SIZE_LIST && size == 0)
        return og_error_set(err, OG_UNSUPPORTED, "Arrow lists of no items");
    if (type == NULL)
        return og_error_nomem(err);
    og_field *fields = NULL;
    OG_TRY(read_fields(r, f, children, count, depth + 1, &fields, err));
    *type =
        (og_type){.id = id, .list_size = (int32_t)size, .child_count = count, .children = fields};
    *out = type;
    return OG_OK;
}

/* The field's DictionaryEncoding. */
static og_status read_encoding(og_ipc_reader *r, const flat *f, uint32_t table,
                               const og_field *field, og_error *err)
{
    bool ok = true;
    uint32_t index;
    encoded e = {.field = field, .id = number_at(f, table, 0, 8, 0, &ok), .index = OG_TYPE_I32};
    ok = ok && target_at(f, table, 1, &index);
    if (ok && index != 0)
        e.index = integer_type(f, index, &ok);
    if (!ok || e.index == OG_TYPE_NULL)
        return damaged(r, "a dictionary's encoding is damaged", err);
    return og_vec_push(&r->encoded, e) ? OG_OK : og_error_nomem(err);
}

static og_status read_field(og_ipc_reader *r, const flat *f, uint32_t field, unsigned depth,
                            og_field *out, og_error *err)
{
    uint32_t name, name_len, table, dictionary;
    bool ok = vector_at(f, field, 0, 1, &name, &name_len) && target_at(f, field, 3, &table) &&
              target_at(f, field, 4, &dictionary);
    int64_t kind = ok ? number_at(f, field, 2, 1, 0, &ok) : 0;
    out->nullable = ok && number_at(f, field, 1, 1, 0, &ok) != 0;
    if (!ok || table == 0)
        return damaged(r, "a field is damaged", err);
    og_str text = {name_len != 0 ? (const char *)f->bytes.ptr + name : "", name_len};
    out->name = og_arena_str(r->arena, text);
    if (out->name.ptr == NULL)
        return og_error_nomem(err);
    if (!og_utf8_valid(text, NULL))
        return damaged(r, "a field's name is no text", err);
    og_type_id id = type_of(f, kind, table, &ok);
    if (!ok)
        return damaged(r, "a type is damaged", err);
    if (id == OG_TYPE_NULL)
        return og_error_set(err, OG_UNSUPPORTED, "column '%.*s': Arrow type %" PRId64,
                            OG_FMT(out->name), kind);
    if (dictionary != 0)
        OG_TRY(read_encoding(r, f, dictionary, out, err));
    if (id > OG_TYPE_LARGE_BINARY)
        return read_nested(r, f, field, table, id, depth, &out->type, err);
    out->type = og_type_of(id);
    return OG_OK;
}

/* Fields of a vector of references to tables. */
static og_status read_fields(og_ipc_reader *r, const flat *f, uint32_t at, uint32_t count,
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
        uint64_t target = (uint64_t)place + og_load_u32(f->bytes.ptr + place);
        if (!fits(f, target, 4))
            return damaged(r, "a field is damaged", err);
        OG_TRY(read_field(r, f, (uint32_t)target, depth, &fields[i], err));
    }
    *out = fields;
    return OG_OK;
}

static og_status read_schema(og_ipc_reader *r, og_error *err)
{
    flat f;
    int64_t kind;
    uint32_t schema = 0, fields = 0, count = 0;
    OG_TRY(read_message(r, &f, &kind, &schema, err));
    bool ok = kind == HEADER_SCHEMA;
    int64_t big_endian = ok ? number_at(&f, schema, 0, 2, 0, &ok) : 0;
    if (!ok || !vector_at(&f, schema, 1, 4, &fields, &count))
        return damaged(r, "it does not begin with a schema", err);
    if (big_endian != 0)
        return og_error_set(err, OG_UNSUPPORTED, "big-endian Arrow streams");
    OG_TRY(read_fields(r, &f, fields, count, 0, &r->fields, err));
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

/* ---- record batches -------------------------------------------------------------------------- */

#define NOT_COMPRESSED (-1)

/* The lists of a batch, walked in step with its fields. */
typedef struct walk {
    og_ipc_reader *reader;
    const flat *flat;
    int codec;                                         /* or NOT_COMPRESSED */
    uint32_t nodes, node_count, buffers, buffer_count; /* places and what is left */
} walk;

static og_status next_node(walk *w, int64_t *out_length, og_error *err)
{
    if (w->node_count == 0)
        return damaged(w->reader, "a batch has too few columns", err);
    *out_length = (int64_t)og_load_u64(w->flat->bytes.ptr + w->nodes);
    w->nodes += 16;
    w->node_count--;
    if (*out_length < 0 || *out_length > INT32_MAX)
        return damaged(w->reader, "a column has no likely length", err);
    return OG_OK;
}

static og_status expand(walk *w, og_bytes *inout, og_error *err)
{
    og_buf *raw = &w->reader->raw;
    size_t size;
    if (!og_ipc_buffer_size(*inout, w->codec, &size) || size > MAX_BODY)
        return damaged(w->reader, "a compressed buffer has no likely length", err);
    og_buf_clear(raw);
    if (!og_buf_reserve(raw, size + 1))
        return og_error_nomem(err);
    if (!og_ipc_buffer_expand(*inout, w->codec, raw->ptr, size))
        return damaged(w->reader, "a compressed buffer is damaged", err);
    *inout = (og_bytes){raw->ptr, size};
    return OG_OK;
}

/* The next buffer, of at least `need` bytes; valid until the one after it. Never NULL,
 * also where there is no body at all. */
static og_status next_buffer(walk *w, uint64_t need, og_bytes *out, og_error *err)
{
    static const uint8_t nothing[1];
    if (w->buffer_count == 0)
        return damaged(w->reader, "a batch has too few buffers", err);
    uint64_t offset = og_load_u64(w->flat->bytes.ptr + w->buffers);
    uint64_t length = og_load_u64(w->flat->bytes.ptr + w->buffers + 8);
    w->buffers += 16;
    w->buffer_count--;
    og_buf *body = &w->reader->body;
    if (offset > body->len || length > body->len - offset)
        return damaged(w->reader, "a buffer does not fit", err);
    *out = (og_bytes){length != 0 ? body->ptr + offset : nothing, (size_t)length};
    if (w->codec != NOT_COMPRESSED)
        OG_TRY(expand(w, out, err));
    return out->len >= need ? OG_OK : damaged(w->reader, "a buffer does not fit", err);
}

/* A copy that the array owns; never NULL, whatever its size. */
static og_status keep(og_array *a, int place, const void *bytes, size_t len, const void **out,
                      og_error *err)
{
    void *copy = og_malloc(len + 8);
    if (copy == NULL)
        return og_error_nomem(err);
    memcpy(copy, bytes, len);
    memset((uint8_t *)copy + len, 0, 8);
    a->owned[place] = copy;
    *out = copy;
    return OG_OK;
}

static og_status read_validity(walk *w, og_array *a, og_error *err)
{
    og_bytes bits;
    OG_TRY(next_buffer(w, 0, &bits, err));
    if (bits.len == 0)
        return OG_OK;
    size_t bytes = og_bitmap_bytes((size_t)a->length);
    if (bits.len < bytes)
        return damaged(w->reader, "a buffer does not fit", err);
    int64_t valid = 0;
    for (int64_t i = 0; i < a->length; i++)
        valid += og_bit_get(bits.ptr, (size_t)i);
    a->null_count = a->length - valid;
    if (a->null_count == 0)
        return OG_OK;
    const void *copy = NULL;
    OG_TRY(keep(a, 0, bits.ptr, bytes, &copy, err));
    a->validity = copy;
    return OG_OK;
}

static int64_t offset_of(og_bytes offsets, int64_t row, bool large)
{
    return large ? (int64_t)og_load_u64(offsets.ptr + 8 * row)
                 : (int32_t)og_load_u32(offsets.ptr + 4 * row);
}

/* Offsets from 0 on; the stored ones go from *out_first to *out_end. */
static og_status read_offsets(walk *w, og_array *a, int64_t *out_first, int64_t *out_end,
                              og_error *err)
{
    bool large = og_columnar__offset_width(a->type->id) == 8;
    size_t width = large ? 8 : 4;
    og_bytes stored;
    OG_TRY(next_buffer(w, a->length != 0 ? ((uint64_t)a->length + 1) * width : 0, &stored, err));
    void *offsets = og_calloc((size_t)a->length + 1, width);
    if (offsets == NULL)
        return og_error_nomem(err);
    a->owned[1] = offsets;
    a->offsets = offsets;
    *out_first = *out_end = a->length != 0 ? offset_of(stored, 0, large) : 0;
    if (*out_first < 0)
        return damaged(w->reader, "an offset is negative", err);
    for (int64_t row = 1; row <= a->length && a->length != 0; row++) {
        int64_t end = offset_of(stored, row, large);
        if (end < *out_end)
            return damaged(w->reader, "offsets go back", err);
        *out_end = end;
        if (large)
            ((int64_t *)offsets)[row] = end - *out_first;
        else
            ((int32_t *)offsets)[row] = (int32_t)(end - *out_first);
    }
    return OG_OK;
}

static og_status read_values(walk *w, og_array *a, int64_t first, int64_t end, og_error *err)
{
    og_type_id id = a->type->id;
    og_bytes values;
    uint64_t need = id == OG_TYPE_BOOL                  ? og_bitmap_bytes((size_t)a->length)
                    : og_columnar__offset_width(id) > 0 ? (uint64_t)end
                                                        : (uint64_t)a->length * og_type_width(id);
    OG_TRY(next_buffer(w, need, &values, err));
    return keep(a, 2, values.ptr + first, (size_t)(need - (uint64_t)first), &a->data, err);
}

static og_status read_field_column(walk *w, const og_field *field, int64_t rows, og_array **out,
                                   og_error *err);

/* `first` and `end`: what the offsets of a list name of its items. */
static og_status read_items(walk *w, og_array *a, int64_t first, int64_t end, og_error *err)
{
    int64_t rows = a->type->id == OG_TYPE_STRUCT            ? a->length
                   : a->type->id == OG_TYPE_FIXED_SIZE_LIST ? a->length * a->type->list_size
                                                            : -1;
    for (uint32_t i = 0; i < a->type->child_count; i++) {
        OG_AUTO(og_array) child = NULL;
        OG_TRY(read_field_column(w, &a->type->children[i], rows, &child, err));
        if (rows < 0 && end > child->length)
            return damaged(w->reader, "a list has too few items", err);
        if (rows < 0 && (first != 0 || end != child->length))
            OG_TRY(og_slice(child, first, end - first, &a->children[i], err));
        else
            a->children[i] = OG_TAKE(child);
    }
    return OG_OK;
}

/* A column of `rows` rows, or as many as it says (-1). */
static og_status read_column(walk *w, const og_type *type, int64_t rows, og_array **out,
                             og_error *err)
{
    int64_t length = 0, first = 0, end = 0;
    OG_TRY(next_node(w, &length, err));
    if (rows >= 0 && length != rows)
        return damaged(w->reader, "columns have different lengths", err);
    OG_AUTO(og_array) a = og_array_new(type, length);
    if (a == NULL)
        return og_error_nomem(err);
    OG_TRY(read_validity(w, a, err));
    if (og_columnar__offset_width(type->id) > 0)
        OG_TRY(read_offsets(w, a, &first, &end, err));
    if (og_columnar__is_nested(type->id))
        OG_TRY(read_items(w, a, first, end, err));
    else
        OG_TRY(read_values(w, a, first, end, err));
    *out = OG_TAKE(a);
    return OG_OK;
}

/* ---- dictionaries ---------------------------------------------------------------------------- */

static encoded *encoding_of(const og_ipc_reader *r, const og_field *field)
{
    for (size_t i = 0; i < r->encoded.len; i++)
        if (r->encoded.items[i].field == field)
            return &r->encoded.items[i];
    return NULL;
}

/* Not below 0 as a number of 64 bits: it is then beyond any dictionary. */
static uint64_t place_at(const og_array *indices, int64_t row)
{
    switch (indices->type->id) {
    case OG_TYPE_I8:
        return (uint64_t)((const int8_t *)indices->data)[row];
    case OG_TYPE_U8:
        return ((const uint8_t *)indices->data)[row];
    case OG_TYPE_I16:
        return (uint64_t)((const int16_t *)indices->data)[row];
    case OG_TYPE_U16:
        return ((const uint16_t *)indices->data)[row];
    case OG_TYPE_I32:
        return (uint64_t)((const int32_t *)indices->data)[row];
    case OG_TYPE_U32:
        return og_array_u32(indices, row);
    default:
        return og_array_u64(indices, row);
    }
}

/* The places in the dictionary, -1 for null. */
static og_status read_places(const walk *w, const og_array *indices, const og_array *dictionary,
                             int64_t *out, og_error *err)
{
    uint64_t count = dictionary != NULL ? (uint64_t)dictionary->length : 0;
    for (int64_t row = 0; row < indices->length; row++) {
        out[row] = -1;
        if (og_array_is_null(indices, row))
            continue;
        uint64_t place = place_at(indices, row);
        if (place >= count)
            return damaged(w->reader, "a value is not in its dictionary", err);
        out[row] = (int64_t)place;
    }
    return OG_OK;
}

static og_status look_up(walk *w, const encoded *e, int64_t rows, og_array **out, og_error *err)
{
    OG_AUTO(og_array) indices = NULL;
    OG_TRY(read_column(w, og_type_of(e->index), rows, &indices, err));
    OG_AUTO_FREE int64_t *places = og_calloc((size_t)indices->length + 1, sizeof *places);
    if (places == NULL)
        return og_error_nomem(err);
    OG_TRY(read_places(w, indices, e->dictionary, places, err));
    if (e->dictionary != NULL)
        return og_take_rows(e->dictionary, places, indices->length, out, err);
    *out = og_array_new_null(e->field->type, indices->length);
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

static og_status read_field_column(walk *w, const og_field *field, int64_t rows, og_array **out,
                                   og_error *err)
{
    const encoded *e = encoding_of(w->reader, field);
    return e != NULL ? look_up(w, e, rows, out, err) : read_column(w, field->type, rows, out, err);
}

/* ---- batches --------------------------------------------------------------------------------- */

static og_status open_walk(og_ipc_reader *r, const flat *f, uint32_t header, walk *out,
                           int64_t *out_rows, og_error *err)
{
    *out = (walk){.reader = r, .flat = f, .codec = NOT_COMPRESSED};
    bool ok = true;
    *out_rows = number_at(f, header, 0, 8, 0, &ok);
    uint32_t compression = 0;
    ok = ok && vector_at(f, header, 1, 16, &out->nodes, &out->node_count) &&
         vector_at(f, header, 2, 16, &out->buffers, &out->buffer_count) &&
         target_at(f, header, 3, &compression);
    if (ok && compression != 0)
        out->codec = (int)number_at(f, compression, 0, 1, OG_IPC_LZ4_FRAME, &ok);
    if (!ok || *out_rows < 0 || *out_rows > INT32_MAX)
        return damaged(r, "a batch is damaged", err);
    if (compression != 0 && out->codec != OG_IPC_LZ4_FRAME && out->codec != OG_IPC_ZSTD)
        return og_error_set(err, OG_UNSUPPORTED, "Arrow streams compressed by codec %d",
                            out->codec);
    return OG_OK;
}

/* A dictionary for the first time, in place of the one before, or more values for it. */
static og_status set_dictionary(encoded *e, og_array *values, bool is_delta, og_error *err)
{
    og_array *all = NULL;
    if (is_delta && e->dictionary != NULL) {
        const og_array *parts[] = {e->dictionary, values};
        OG_TRY(og_concat(parts, 2, &all, err));
    } else {
        all = og_array_ref(values);
    }
    og_array_unref(e->dictionary);
    e->dictionary = all;
    return OG_OK;
}

static og_status read_dictionary(og_ipc_reader *r, const flat *f, uint32_t header, og_error *err)
{
    bool ok = true;
    int64_t id = number_at(f, header, 0, 8, 0, &ok), rows;
    bool is_delta = number_at(f, header, 2, 1, 0, &ok) != 0;
    uint32_t data;
    if (!ok || !target_at(f, header, 1, &data) || data == 0)
        return damaged(r, "a dictionary is damaged", err);
    for (size_t i = 0; i < r->encoded.len; i++) {
        encoded *e = &r->encoded.items[i];
        if (e->id != id)
            continue;
        walk w;
        OG_AUTO(og_array) values = NULL;
        OG_TRY(open_walk(r, f, data, &w, &rows, err));
        OG_TRY(read_column(&w, e->field->type, rows, &values, err));
        og_status s = og_array_validate(values, true, err);
        if (s != OG_OK)
            return og_error_context(err, s, "a dictionary of Arrow column '%.*s'",
                                    OG_FMT(e->field->name));
        OG_TRY(set_dictionary(e, values, is_delta, err));
    }
    return OG_OK;
}

static og_status read_batch(og_ipc_reader *r, const flat *f, uint32_t header, og_batch *out,
                            og_error *err)
{
    walk w;
    int64_t rows;
    OG_TRY(open_walk(r, f, header, &w, &rows, err));
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, r->field_count, rows, err));
    for (uint32_t i = 0; i < r->field_count; i++) {
        OG_TRY(read_field_column(&w, &r->fields[i], rows, &batch.columns[i], err));
        og_status s = og_array_validate(batch.columns[i], true, err);
        if (s != OG_OK)
            return og_error_context(err, s, "Arrow column '%.*s'", OG_FMT(r->fields[i].name));
    }
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

og_status og_ipc_next(og_ipc_reader *r, og_batch *out, og_error *err)
{
    *out = (og_batch){0};
    for (;;) {
        flat f;
        int64_t kind;
        uint32_t header = 0;
        OG_TRY(read_message(r, &f, &kind, &header, err));
        if (kind == 0)
            return OG_OK;
        if (kind == HEADER_DICTIONARY) {
            OG_TRY(read_dictionary(r, &f, header, err));
            continue;
        }
        if (kind != HEADER_BATCH)
            return damaged(r, "a message is no batch of rows", err);
        OG_TRY(read_batch(r, &f, header, out, err));
        if (out->row_count > 0)
            return OG_OK;
        og_batch_deinit(out);
        *out = (og_batch){0};
    }
}
