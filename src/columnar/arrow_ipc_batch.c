/* Record batches of an Arrow IPC stream, and the dictionaries they refer to. */
#include "columnar/arrow_ipc_priv.h"
#include "columnar/ipc_codec.h"
#include "columnar/kernels.h"
#include "columnar/layout_priv.h"

/* ---- columns ------------------------------------------------------------------------------ */

#define NOT_COMPRESSED (-1)

/* The lists of a batch, walked in step with its fields. */
typedef struct walk {
    og_ipc_reader *reader;
    og_bytes flat;
    int codec;                                         /* or NOT_COMPRESSED */
    uint32_t nodes, node_count, buffers, buffer_count; /* places and what is left */
} walk;

static og_status next_node(walk *w, int64_t *out_length, og_error *err)
{
    if (w->node_count == 0)
        return og_columnar__ipc_damaged(w->reader, "a batch has too few columns", err);
    *out_length = (int64_t)og_load_u64(w->flat.ptr + w->nodes);
    w->nodes += 16;
    w->node_count--;
    if (*out_length < 0 || *out_length > INT32_MAX)
        return og_columnar__ipc_damaged(w->reader, "a column has no likely length", err);
    return OG_OK;
}

static og_status expand(walk *w, og_bytes *inout, og_error *err)
{
    og_buf *raw = &w->reader->raw;
    size_t size;
    if (!og_ipc_buffer_size(*inout, w->codec, &size) || size > OG_IPC__MAX_BODY)
        return og_columnar__ipc_damaged(w->reader, "a compressed buffer has no likely length", err);
    og_buf_clear(raw);
    if (!og_buf_reserve(raw, size + 1))
        return og_error_nomem(err);
    if (!og_ipc_buffer_expand(*inout, w->codec, raw->ptr, size))
        return og_columnar__ipc_damaged(w->reader, "a compressed buffer is damaged", err);
    *inout = (og_bytes){raw->ptr, size};
    return OG_OK;
}

/* The next buffer, of at least `need` bytes; valid until the one after it. Never NULL,
 * also where there is no body at all. */
static og_status next_buffer(walk *w, uint64_t need, og_bytes *out, og_error *err)
{
    static const uint8_t nothing[1];
    if (w->buffer_count == 0)
        return og_columnar__ipc_damaged(w->reader, "a batch has too few buffers", err);
    uint64_t offset = og_load_u64(w->flat.ptr + w->buffers);
    uint64_t length = og_load_u64(w->flat.ptr + w->buffers + 8);
    w->buffers += 16;
    w->buffer_count--;
    og_buf *body = &w->reader->body;
    if (offset > body->len || length > body->len - offset)
        return og_columnar__ipc_damaged(w->reader, "a buffer does not fit", err);
    *out = (og_bytes){length != 0 ? body->ptr + offset : nothing, (size_t)length};
    if (w->codec != NOT_COMPRESSED)
        OG_TRY(expand(w, out, err));
    return out->len >= need ? OG_OK
                            : og_columnar__ipc_damaged(w->reader, "a buffer does not fit", err);
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
        return og_columnar__ipc_damaged(w->reader, "a buffer does not fit", err);
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
        return og_columnar__ipc_damaged(w->reader, "an offset is negative", err);
    for (int64_t row = 1; row <= a->length && a->length != 0; row++) {
        int64_t end = offset_of(stored, row, large);
        if (end < *out_end)
            return og_columnar__ipc_damaged(w->reader, "offsets go back", err);
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
            return og_columnar__ipc_damaged(w->reader, "a list has too few items", err);
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
        return og_columnar__ipc_damaged(w->reader, "columns have different lengths", err);
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

static og_columnar__ipc_encoded *encoding_of(const og_ipc_reader *r, const og_field *field)
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
            return og_columnar__ipc_damaged(w->reader, "a value is not in its dictionary", err);
        out[row] = (int64_t)place;
    }
    return OG_OK;
}

static og_status look_up(walk *w, const og_columnar__ipc_encoded *e, int64_t rows, og_array **out,
                         og_error *err)
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
    const og_columnar__ipc_encoded *e = encoding_of(w->reader, field);
    return e != NULL ? look_up(w, e, rows, out, err) : read_column(w, field->type, rows, out, err);
}

/* ---- batches --------------------------------------------------------------------------------- */

static og_status open_walk(og_ipc_reader *r, og_bytes flat, uint32_t header, walk *out,
                           int64_t *out_rows, og_error *err)
{
    *out = (walk){.reader = r, .flat = flat, .codec = NOT_COMPRESSED};
    bool ok = true;
    *out_rows = og_columnar__flat_number(flat, header, 0, 8, 0, &ok);
    uint32_t compression = 0;
    ok = ok && og_columnar__flat_vector(flat, header, 1, 16, &out->nodes, &out->node_count) &&
         og_columnar__flat_vector(flat, header, 2, 16, &out->buffers, &out->buffer_count) &&
         og_columnar__flat_target(flat, header, 3, &compression);
    if (ok && compression != 0)
        out->codec = (int)og_columnar__flat_number(flat, compression, 0, 1, OG_IPC_LZ4_FRAME, &ok);
    if (!ok || *out_rows < 0 || *out_rows > INT32_MAX)
        return og_columnar__ipc_damaged(r, "a batch is damaged", err);
    if (compression != 0 && out->codec != OG_IPC_LZ4_FRAME && out->codec != OG_IPC_ZSTD)
        return og_error_set(err, OG_UNSUPPORTED, "Arrow streams compressed by codec %d",
                            out->codec);
    return OG_OK;
}

/* A dictionary for the first time, in place of the one before, or more values for it. */
static og_status set_dictionary(og_columnar__ipc_encoded *e, og_array *values, bool is_delta,
                                og_error *err)
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

static og_status read_dictionary(og_ipc_reader *r, og_bytes flat, uint32_t header, og_error *err)
{
    bool ok = true;
    int64_t id = og_columnar__flat_number(flat, header, 0, 8, 0, &ok), rows;
    bool is_delta = og_columnar__flat_number(flat, header, 2, 1, 0, &ok) != 0;
    uint32_t data;
    if (!ok || !og_columnar__flat_target(flat, header, 1, &data) || data == 0)
        return og_columnar__ipc_damaged(r, "a dictionary is damaged", err);
    for (size_t i = 0; i < r->encoded.len; i++) {
        og_columnar__ipc_encoded *e = &r->encoded.items[i];
        if (e->id != id)
            continue;
        walk w;
        OG_AUTO(og_array) values = NULL;
        OG_TRY(open_walk(r, flat, data, &w, &rows, err));
        OG_TRY(read_column(&w, e->field->type, rows, &values, err));
        og_status s = og_array_validate(values, true, err);
        if (s != OG_OK)
            return og_error_context(err, s, "a dictionary of Arrow column '%.*s'",
                                    OG_FMT(e->field->name));
        OG_TRY(set_dictionary(e, values, is_delta, err));
    }
    return OG_OK;
}

static og_status read_batch(og_ipc_reader *r, og_bytes flat, uint32_t header, og_batch *out,
                            og_error *err)
{
    walk w;
    int64_t rows;
    OG_TRY(open_walk(r, flat, header, &w, &rows, err));
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
        og_bytes flat;
        int64_t kind;
        uint32_t header = 0;
        OG_TRY(og_columnar__ipc_read_message(r, &flat, &kind, &header, err));
        if (kind == OG_IPC__END)
            return OG_OK;
        if (kind == OG_IPC__DICTIONARY) {
            OG_TRY(read_dictionary(r, flat, header, err));
            continue;
        }
        if (kind != OG_IPC__BATCH)
            return og_columnar__ipc_damaged(r, "a message is no batch of rows", err);
        OG_TRY(read_batch(r, flat, header, out, err));
        if (out->row_count > 0)
            return OG_OK;
        og_batch_deinit(out);
        *out = (og_batch){0};
    }
}
