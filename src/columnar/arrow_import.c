#include "columnar/arrow_export.h"

#include "base/arena.h"
#include "base/number.h"
#include "columnar/layout_priv.h"

#include <assert.h>
#include <inttypes.h>

#define MAX_DEPTH 64

/* ---- schemas ------------------------------------------------------------------------------ */

static const struct {
    const char *format;
    og_type_id id;
} plain_formats[] = {
    {"n", OG_TYPE_NULL},       {"b", OG_TYPE_BOOL},
    {"c", OG_TYPE_I8},         {"C", OG_TYPE_U8},
    {"s", OG_TYPE_I16},        {"S", OG_TYPE_U16},
    {"i", OG_TYPE_I32},        {"I", OG_TYPE_U32},
    {"l", OG_TYPE_I64},        {"L", OG_TYPE_U64},
    {"e", OG_TYPE_F16},        {"f", OG_TYPE_F32},
    {"g", OG_TYPE_F64},        {"tdD", OG_TYPE_DATE32},
    {"tdm", OG_TYPE_DATE64},   {"tsu:", OG_TYPE_TIMESTAMP_US},
    {"u", OG_TYPE_UTF8},       {"z", OG_TYPE_BINARY},
    {"U", OG_TYPE_LARGE_UTF8}, {"Z", OG_TYPE_LARGE_BINARY},
};

static og_status import_fields(const struct ArrowSchema *schema, og_arena *arena, int depth,
                               og_field **out, og_error *err);

static og_status import_nested(const struct ArrowSchema *schema, og_type *type, og_error *err)
{
    const char *f = schema->format;
    int64_t size = 0;
    if (strcmp(f, "+s") == 0)
        type->id = OG_TYPE_STRUCT;
    else if (strcmp(f, "+l") == 0)
        type->id = OG_TYPE_LIST;
    else if (strcmp(f, "+L") == 0)
        type->id = OG_TYPE_LARGE_LIST;
    else if (strncmp(f, "+w:", 3) == 0 && og_parse_i64(og_str_of(f + 3), &size) && size >= 0 &&
             size <= INT32_MAX)
        type->id = OG_TYPE_FIXED_SIZE_LIST;
    else
        return og_error_set(err, OG_UNSUPPORTED, "Arrow type \"%s\" is not supported", f);
    type->list_size = (int32_t)size;
    if (type->id != OG_TYPE_STRUCT && schema->n_children != 1)
        return og_error_set(err, OG_INVALID, "Arrow list has %" PRId64 " children",
                            schema->n_children);
    return OG_OK;
}

static og_status import_type(const struct ArrowSchema *schema, og_arena *arena, int depth,
                             const og_type **out, og_error *err)
{
    if (schema->format == NULL || schema->release == NULL)
        return og_error_set(err, OG_INVALID, "Arrow schema is released or has no format");
    if (schema->dictionary != NULL)
        return og_error_set(err, OG_UNSUPPORTED, "Arrow dictionaries are not supported");
    if (depth > MAX_DEPTH)
        return og_error_set(err, OG_LIMIT, "Arrow type is nested deeper than %d", MAX_DEPTH);
    for (size_t i = 0; i < sizeof plain_formats / sizeof *plain_formats; i++) {
        if (strcmp(schema->format, plain_formats[i].format) == 0) {
            *out = og_type_of(plain_formats[i].id);
            return OG_OK;
        }
    }
    og_type type = {0};
    og_field *children = NULL; /* gcc 12 does not see that import_fields sets it */
    OG_TRY(import_nested(schema, &type, err));
    OG_TRY(import_fields(schema, arena, depth, &children, err));
    type.children = children;
    type.child_count = (uint32_t)schema->n_children;
    *out = og_arena_copy(arena, &type, sizeof type);
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

static og_status import_fields(const struct ArrowSchema *schema, og_arena *arena, int depth,
                               og_field **out, og_error *err)
{
    int64_t n = schema->n_children;
    if (n < 0 || n > INT32_MAX || (n > 0 && schema->children == NULL))
        return og_error_set(err, OG_INVALID, "Arrow schema has %" PRId64 " children", n);
    og_field *fields = og_arena_array_of(arena, og_field, (size_t)n);
    if (fields == NULL)
        return og_error_nomem(err);
    for (int64_t i = 0; i < n; i++) {
        const struct ArrowSchema *child = schema->children[i];
        fields[i].name = og_str_of(child->name != NULL ? child->name : "");
        fields[i].nullable = (child->flags & ARROW_FLAG_NULLABLE) != 0;
        OG_TRY(import_type(child, arena, depth + 1, &fields[i].type, err));
    }
    *out = fields;
    return OG_OK;
}

og_status og_arrow_import_schema(const struct ArrowSchema *schema, og_schema **out, og_error *err)
{
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    const og_type *type;
    if (scratch == NULL)
        return og_error_nomem(err);
    OG_TRY(import_type(schema, scratch, 0, &type, err));
    if (type->id != OG_TYPE_STRUCT)
        return og_error_set(err, OG_INVALID, "Arrow schema is not a struct of fields");
    og_schema *copy = og_schema_new(type->children, type->child_count);
    if (copy == NULL)
        return og_error_nomem(err);
    *out = copy;
    return OG_OK;
}

/* ---- arrays ------------------------------------------------------------------------------- */

/* The foreign array, released when the last of our arrays that read its buffers is gone. */
typedef struct shared_source {
    struct ArrowArray array;
    int32_t refs; /* atomic */
} shared_source;

static void unref_source(void *context)
{
    shared_source *source = context;
    if (__atomic_sub_fetch(&source->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    if (source->array.release != NULL)
        source->array.release(&source->array);
    og_free(source);
}

static og_status bad_shape(const char *what, og_error *err)
{
    return og_error_set(err, OG_INVALID, "Arrow array does not fit its type: %s", what);
}

/* An aligned copy of bits [start, start + count). */
static uint8_t *copy_bits(const uint8_t *bits, int64_t start, int64_t count)
{
    size_t size = og_bitmap_bytes((size_t)count);
    uint8_t *copy = og_malloc_aligned(size);
    if (copy == NULL)
        return NULL;
    memset(copy, 0, size);
    og_bitmap_copy(copy, 0, bits, (size_t)start, (size_t)count);
    return copy;
}

/* Bits from `start`, shared when they begin at a byte; *owned is the copy otherwise. */
static const uint8_t *take_bits(const uint8_t *bits, int64_t start, int64_t count, void **owned)
{
    if ((start & 7) == 0)
        return bits + start / 8;
    *owned = copy_bits(bits, start, count);
    return *owned;
}

static og_status import_validity(og_array *a, const struct ArrowArray *source, int64_t start,
                                 og_error *err)
{
    const uint8_t *bits = source->n_buffers > 0 ? source->buffers[0] : NULL;
    if (a->type->id == OG_TYPE_NULL && a->length > 0) {
        a->owned[2] = og_calloc(1, og_bitmap_bytes((size_t)a->length));
        a->validity = a->owned[2];
        a->null_count = a->length;
        return a->validity != NULL ? OG_OK : og_error_nomem(err);
    }
    if (bits == NULL || a->length == 0)
        return OG_OK;
    a->validity = take_bits(bits, start, a->length, &a->owned[2]);
    if (a->validity == NULL)
        return og_error_nomem(err);
    a->null_count = a->length - (int64_t)og_bitmap_count(a->validity, (size_t)a->length);
    if (a->null_count == 0)
        a->validity = NULL;
    return OG_OK;
}

/* Offsets from `start`, moved to begin at 0. *out_first, *out_end: the range in data or child. */
static og_status import_offsets(og_array *a, const void *offsets, int64_t start, int64_t *out_first,
                                int64_t *out_end, og_error *err)
{
    size_t width = og_columnar__offset_width(a->type->id);
    /* Of an empty array the buffer may be missing altogether. */
    if (offsets == NULL && a->length > 0)
        return bad_shape("no offsets", err);
    const uint8_t *from = offsets != NULL ? (const uint8_t *)offsets + (size_t)start * width : NULL;
    a->offsets = from;
    *out_first = from != NULL ? og_columnar__offset(a, 0) : 0;
    *out_end = from != NULL ? og_columnar__offset(a, a->length) : 0;
    if (*out_first < 0 || *out_end < *out_first)
        return bad_shape("offsets fall", err);
    if (from != NULL && *out_first == 0)
        return OG_OK;
    size_t size = ((size_t)a->length + 1) * width;
    uint8_t *moved = og_malloc_aligned(size);
    if (moved == NULL)
        return og_error_nomem(err);
    memset(moved, 0, size);
    for (int64_t i = 0; from != NULL && i <= a->length; i++) {
        if (width == 4)
            ((int32_t *)moved)[i] = ((const int32_t *)from)[i] - (int32_t)*out_first;
        else
            ((int64_t *)moved)[i] = ((const int64_t *)from)[i] - *out_first;
    }
    a->offsets = a->owned[1] = moved;
    return OG_OK;
}

static og_status import_data(og_array *a, const struct ArrowArray *source, int64_t start,
                             int64_t text_start, og_error *err)
{
    static const uint64_t nothing;
    og_type_id id = a->type->id;
    const uint8_t *data = source->buffers[source->n_buffers - 1];
    bool text = og_columnar__is_text(id);
    if (data == NULL) {
        if (a->length > 0 && (!text || og_columnar__offset(a, a->length) > 0))
            return bad_shape("no data", err);
        a->data = &nothing;
    } else if (id == OG_TYPE_BOOL) {
        a->data = take_bits(data, start, a->length, &a->owned[0]);
    } else {
        a->data = text ? data + text_start : data + (size_t)start * og_type_width(id);
    }
    return a->data != NULL ? OG_OK : og_error_nomem(err);
}

static og_status import_range(shared_source *source, const struct ArrowArray *array,
                              const og_type *type, int64_t start, int64_t count, og_array **out,
                              og_error *err);

static og_status import_children(og_array *a, shared_source *source, const struct ArrowArray *array,
                                 int64_t start, int64_t first_item, int64_t end_item, og_error *err)
{
    int64_t child_start = first_item, child_count = end_item - first_item;
    if (a->type->id == OG_TYPE_STRUCT) {
        child_start = start;
        child_count = a->length;
    } else if (a->type->id == OG_TYPE_FIXED_SIZE_LIST) {
        int64_t size = a->type->list_size;
        if (og_mul_overflow(start, size, &child_start) ||
            og_mul_overflow(a->length, size, &child_count))
            return bad_shape("too many items", err);
    }
    for (uint32_t i = 0; i < a->child_count; i++)
        OG_TRY(import_range(source, array->children[i], a->type->children[i].type, child_start,
                            child_count, &a->children[i], err));
    return OG_OK;
}

static int64_t buffer_count(og_type_id id)
{
    if (id == OG_TYPE_NULL)
        return 0;
    return 1 + (og_columnar__offset_width(id) > 0) + !og_columnar__is_nested(id);
}

static og_status check_shape(const struct ArrowArray *array, const og_type *type, int64_t start,
                             int64_t count, og_error *err)
{
    if (array == NULL || array->release == NULL)
        return bad_shape("released", err);
    if (array->dictionary != NULL)
        return og_error_set(err, OG_UNSUPPORTED, "Arrow dictionaries are not supported");
    if (array->n_buffers != buffer_count(type->id) ||
        (array->n_buffers > 0 && array->buffers == NULL))
        return bad_shape("number of buffers", err);
    if (array->n_children != type->child_count ||
        (array->n_children > 0 && array->children == NULL))
        return bad_shape("number of children", err);
    if (array->length < 0 || array->offset < 0 || array->offset > INT64_MAX / 16 ||
        array->length > INT64_MAX / 16)
        return bad_shape("length", err);
    if (start > array->length || count > array->length - start)
        return bad_shape("a child is too short", err);
    return OG_OK;
}

/* Rows [start, start + count) of `array`, counted from its own offset. */
static og_status import_range(shared_source *source, const struct ArrowArray *array,
                              const og_type *type, int64_t start, int64_t count, og_array **out,
                              og_error *err)
{
    OG_TRY(check_shape(array, type, start, count, err));
    OG_AUTO(og_array) a = og_array_new(type, count);
    if (a == NULL)
        return og_error_nomem(err);
    __atomic_fetch_add(&source->refs, 1, __ATOMIC_RELAXED);
    a->on_release = unref_source;
    a->release_context = source;

    start += array->offset;
    int64_t first = 0, end = 0;
    OG_TRY(import_validity(a, array, start, err));
    if (og_columnar__offset_width(type->id) > 0)
        OG_TRY(import_offsets(a, array->buffers[1], start, &first, &end, err));
    if (!og_columnar__is_nested(type->id) && type->id != OG_TYPE_NULL)
        OG_TRY(import_data(a, array, start, first, err));
    OG_TRY(import_children(a, source, array, start, first, end, err));
    *out = OG_TAKE(a);
    return OG_OK;
}

static shared_source *take_source(struct ArrowArray *array)
{
    shared_source *source = og_malloc(sizeof *source);
    if (source == NULL) {
        if (array->release != NULL)
            array->release(array);
        return NULL;
    }
    *source = (shared_source){.array = *array, .refs = 1};
    array->release = NULL;
    return source;
}

og_status og_arrow_import_array(struct ArrowArray *array, const og_type *type, og_array **out,
                                og_error *err)
{
    shared_source *source = take_source(array);
    if (source == NULL)
        return og_error_nomem(err);
    og_status status =
        import_range(source, &source->array, type, 0, source->array.length, out, err);
    unref_source(source);
    return status;
}

og_status og_arrow_import_batch(struct ArrowArray *array, const og_schema *schema, og_batch *out,
                                og_error *err)
{
    /* Only for the walk: the columns keep the types of the schema. */
    const og_type type = {
        .id = OG_TYPE_STRUCT, .child_count = schema->field_count, .children = schema->fields};
    OG_AUTO(og_array) rows = NULL;
    OG_TRY(og_arrow_import_array(array, &type, &rows, err));
    if (rows->null_count > 0)
        return bad_shape("a batch has null rows", err);
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, schema->field_count, rows->length, err));
    for (uint32_t i = 0; i < schema->field_count; i++)
        batch.columns[i] = og_array_ref(rows->children[i]);
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}
