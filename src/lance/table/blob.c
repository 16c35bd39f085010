/* Blob values: docs/dev/lance.md section 14. */
#include "columnar/builder.h"
#include "lance/file/writer.h"
#include "lance/table/table_priv.h"

#include <assert.h>
#include <inttypes.h>

enum { KIND_INLINE, KIND_PACKED, KIND_DEDICATED, KIND_EXTERNAL };

/* Children of og_lance_blob_type(). */
enum { CHILD_KIND, CHILD_POSITION, CHILD_SIZE, CHILD_BLOB_ID, CHILD_URI };

typedef struct descriptor {
    bool is_null;
    uint8_t kind;
    uint64_t position, size;
    uint32_t blob_id;
    og_str uri;
} descriptor;

static descriptor read_descriptor(const og_array *array, int64_t row)
{
    descriptor d = {.is_null = og_array_is_null(array, row)};
    if (d.is_null)
        return d;
    d.kind = ((const uint8_t *)array->children[CHILD_KIND]->data)[row];
    d.position = og_array_u64(array->children[CHILD_POSITION], row);
    d.size = og_array_u64(array->children[CHILD_SIZE], row);
    d.blob_id = og_array_u32(array->children[CHILD_BLOB_ID], row);
    const og_array *uri = array->children[CHILD_URI];
    d.uri = og_array_is_null(uri, row) ? OG_STR("") : og_array_str(uri, row);
    /* The second way to say null. */
    d.is_null = d.kind == KIND_INLINE && d.position == 0 && d.size == 0 && d.uri.len == 0;
    return d;
}

/* "<file without .lance>/<blob id, bits reversed, as 32 binary digits>.blob" */
static bool sidecar_name(og_buf *out, const char *file, uint32_t blob_id)
{
    og_str stem = og_str_of(file);
    if (og_str_ends(stem, OG_STR(".lance")))
        stem.len -= strlen(".lance");
    og_buf_str(out, stem);
    og_buf_byte(out, '/');
    for (unsigned bit = 0; bit < 32; bit++)
        og_buf_byte(out, blob_id >> bit & 1 ? '1' : '0');
    return og_buf_text(out, ".blob");
}

static og_status read_payload(og_store *store, const char *file, const descriptor *d, og_blob **out,
                              og_error *err)
{
    if (d->size == 0) {
        *out = og_blob_copy((og_bytes){(const uint8_t *)"", 0});
        return *out != NULL ? OG_OK : og_error_nomem(err);
    }
    if (d->kind == KIND_INLINE)
        return store->ops->get_range(store, file, d->position, (size_t)d->size, out, err);
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!sidecar_name(&name, file, d->blob_id))
        return og_error_nomem(err);
    if (d->kind == KIND_DEDICATED)
        return store->ops->get(store, og_buf_cstr(&name), out, err);
    if (d->kind == KIND_PACKED)
        return store->ops->get_range(store, og_buf_cstr(&name), d->position, (size_t)d->size, out,
                                     err);
    return og_error_set(err, OG_UNSUPPORTED, "blob is stored outside the graph at %.*s",
                        OG_FMT(d->uri));
}

static og_status read_blob(og_lance_table *table, uint32_t field, uint32_t slot,
                           const descriptor *d, og_blob **out, og_error *err)
{
    if (d->kind > KIND_EXTERNAL)
        return og_error_set(err, OG_CORRUPT, "blob of kind %u in %s", d->kind, table->path);
    if (slot >= table->slot_count)
        return og_error_set(err, OG_INVALID, "no slot %u in %s", slot, table->path);
    uint32_t fragment = og_table__fragment_of(table, slot, 0);
    const og_table__place *places;
    OG_TRY(og_table__places(table, fragment, &places, err));
    if (places[field].file == OG_TABLE__NO_FILE)
        return og_error_set(err, OG_INVALID, "slot %u of %s has no blob", slot, table->path);
    const char *file = table->parts[fragment].files[places[field].file].name;
    return read_payload(og_lance_env_store(table->env), file, d, out, err);
}

og_status og_lance_blob_read(og_lance_table *table, uint32_t field, uint32_t slot,
                             const og_array *descriptors, int64_t row, og_blob **out, og_error *err)
{
    assert(field < table->field_count && table->fields[field].is_blob);
    descriptor d = read_descriptor(descriptors, row);
    if (d.is_null) {
        *out = NULL;
        return OG_OK;
    }
    if (d.kind == KIND_EXTERNAL)
        return og_error_set(err, OG_UNSUPPORTED, "blob is stored outside the graph at %.*s",
                            OG_FMT(d.uri));
    return read_blob(table, field, slot, &d, out, err);
}

og_status og_lance_blob_equal(const og_lance_blob_place *a, const og_lance_blob_place *b, bool *out,
                              og_error *err)
{
    descriptor x = read_descriptor(a->descriptors, a->row);
    descriptor y = read_descriptor(b->descriptors, b->row);
    bool x_external = !x.is_null && x.kind == KIND_EXTERNAL;
    bool y_external = !y.is_null && y.kind == KIND_EXTERNAL;
    *out = false;
    if (x.is_null != y.is_null || x_external != y_external)
        return OG_OK;
    if (x.is_null || x_external) {
        *out =
            x.is_null || (og_str_eq(x.uri, y.uri) && x.position == y.position && x.size == y.size);
        return OG_OK;
    }
    if (x.size != y.size)
        return OG_OK;
    OG_AUTO(og_blob) x_bytes = NULL;
    OG_AUTO(og_blob) y_bytes = NULL;
    OG_TRY(read_blob(a->table, a->field, a->slot, &x, &x_bytes, err));
    OG_TRY(read_blob(b->table, b->field, b->slot, &y, &y_bytes, err));
    *out = x_bytes->len == y_bytes->len && memcmp(x_bytes->ptr, y_bytes->ptr, x_bytes->len) == 0;
    return OG_OK;
}

/* Which part of an external object it is; all of it: null. */
static bool append_part(const descriptor *d, og_builder *position, og_builder *size)
{
    bool is_part = d->kind == KIND_EXTERNAL && (d->position != 0 || d->size != 0);
    if (!is_part)
        return og_builder_null(position) && og_builder_null(size);
    return og_builder_u64(position, d->position) && og_builder_u64(size, d->size);
}

/* struct<data, uri>, or with position and size: the payload, or the place of an external one. */
static og_status append_value(og_lance_table *table, uint32_t field, uint32_t slot,
                              const descriptor *d, og_builder *builder, og_error *err)
{
    bool ok;
    if (d->is_null)
        return og_builder_null(builder) ? OG_OK : og_error_nomem(err);
    if (d->kind == KIND_EXTERNAL) {
        ok = og_builder_null(og_builder_child(builder, 0)) &&
             og_builder_str(og_builder_child(builder, 1), d->uri);
    } else {
        OG_AUTO(og_blob) blob = NULL;
        OG_TRY(read_blob(table, field, slot, d, &blob, err));
        ok = og_builder_str(og_builder_child(builder, 0),
                            (og_str){(const char *)blob->ptr, blob->len}) &&
             og_builder_null(og_builder_child(builder, 1));
    }
    if (table->fields[field].field.type->child_count == 4)
        ok = ok && append_part(d, og_builder_child(builder, 2), og_builder_child(builder, 3));
    return ok && og_builder_end_row(builder) ? OG_OK : og_error_nomem(err);
}

og_status og_lance_blob_materialize(og_lance_table *table, uint32_t field, const uint32_t *slots,
                                    const og_array *descriptors, og_array **out, og_error *err)
{
    assert(field < table->field_count && table->fields[field].is_blob);
    if (!og_lance_is_blob_type(table->fields[field].field.type))
        return og_error_set(err, OG_UNSUPPORTED, "blob field '%.*s' of %s has other fields",
                            OG_FMT(table->fields[field].field.name), table->path);
    OG_AUTO(og_builder) builder = og_builder_new(table->fields[field].field.type);
    if (builder == NULL)
        return og_error_nomem(err);
    for (int64_t row = 0; row < descriptors->length; row++) {
        descriptor d = read_descriptor(descriptors, row);
        OG_TRY(append_value(table, field, slots[row], &d, builder, err));
    }
    return og_builder_finish(builder, out, err);
}
