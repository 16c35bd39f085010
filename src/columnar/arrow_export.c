#include "columnar/arrow_export.h"

#include "columnar/layout_priv.h"

#include <inttypes.h>
#include <stdio.h>

/* ---- schemas ------------------------------------------------------------------------------ */

static const char *const formats[] = {
    [OG_TYPE_NULL] = "n",
    [OG_TYPE_BOOL] = "b",
    [OG_TYPE_I8] = "c",
    [OG_TYPE_U8] = "C",
    [OG_TYPE_I16] = "s",
    [OG_TYPE_U16] = "S",
    [OG_TYPE_I32] = "i",
    [OG_TYPE_U32] = "I",
    [OG_TYPE_I64] = "l",
    [OG_TYPE_U64] = "L",
    [OG_TYPE_F16] = "e",
    [OG_TYPE_F32] = "f",
    [OG_TYPE_F64] = "g",
    [OG_TYPE_DATE32] = "tdD",
    [OG_TYPE_DATE64] = "tdm",
    [OG_TYPE_TIMESTAMP_US] = "tsu:",
    [OG_TYPE_UTF8] = "u",
    [OG_TYPE_BINARY] = "z",
    [OG_TYPE_LARGE_UTF8] = "U",
    [OG_TYPE_LARGE_BINARY] = "Z",
    [OG_TYPE_FIXED_SIZE_LIST] = "+w:",
    [OG_TYPE_LIST] = "+l",
    [OG_TYPE_LARGE_LIST] = "+L",
    [OG_TYPE_STRUCT] = "+s",
};

/* What an exported ArrowSchema owns: children, then its texts. */
typedef struct schema_private {
    char format[16];
    char *name;
    struct ArrowSchema *child_structs;
    struct ArrowSchema **children;
} schema_private;

static void release_schema(struct ArrowSchema *schema)
{
    schema_private *p = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++) {
        /* A consumer may have moved a child out. */
        if (schema->children[i]->release != NULL)
            schema->children[i]->release(schema->children[i]);
    }
    og_free(p->name);
    og_free(p->child_structs);
    og_free(p->children);
    og_free(p);
    schema->release = NULL;
}

static og_status export_fields(const og_field *fields, uint32_t count, struct ArrowSchema *out,
                               schema_private *p, og_error *err)
{
    if (count == 0)
        return OG_OK;
    p->child_structs = og_calloc(count, sizeof *p->child_structs);
    p->children = og_calloc(count, sizeof *p->children);
    if (p->child_structs == NULL || p->children == NULL)
        return og_error_nomem(err);
    out->children = p->children;
    for (uint32_t i = 0; i < count; i++) {
        p->children[i] = &p->child_structs[i];
        OG_TRY(og_arrow_export_field(&fields[i], p->children[i], err));
        out->n_children = i + 1;
    }
    return OG_OK;
}

static char *copy_text(og_str s)
{
    char *copy = og_malloc(s.len + 1);
    if (copy == NULL)
        return NULL;
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

og_status og_arrow_export_field(const og_field *field, struct ArrowSchema *out, og_error *err)
{
    schema_private *p = og_calloc(1, sizeof *p);
    if (p == NULL)
        return og_error_nomem(err);
    struct ArrowSchema schema = {.format = p->format,
                                 .flags = field->nullable ? ARROW_FLAG_NULLABLE : 0,
                                 .release = release_schema,
                                 .private_data = p};
    const og_type *type = field->type;
    if (type->id == OG_TYPE_FIXED_SIZE_LIST)
        snprintf(p->format, sizeof p->format, "+w:%" PRId32, type->list_size);
    else
        snprintf(p->format, sizeof p->format, "%s", formats[type->id]);
    schema.name = p->name = copy_text(field->name);
    og_status status = p->name != NULL
                           ? export_fields(type->children, type->child_count, &schema, p, err)
                           : og_error_nomem(err);
    if (status != OG_OK) {
        release_schema(&schema);
        return status;
    }
    *out = schema;
    return OG_OK;
}

og_status og_arrow_export_schema(const og_schema *schema, struct ArrowSchema *out, og_error *err)
{
    const og_type type = {
        .id = OG_TYPE_STRUCT, .child_count = schema->field_count, .children = schema->fields};
    const og_field field = {.name = OG_STR(""), .type = &type};
    return og_arrow_export_field(&field, out, err);
}

/* ---- arrays ------------------------------------------------------------------------------- */

typedef struct array_private {
    const void *buffers[3];
    og_array *array; /* NULL for a batch */
    struct ArrowArray *child_structs;
    struct ArrowArray **children;
} array_private;

static void release_array(struct ArrowArray *array)
{
    array_private *p = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++) {
        if (array->children[i]->release != NULL)
            array->children[i]->release(array->children[i]);
    }
    og_array_unref(p->array);
    og_free(p->child_structs);
    og_free(p->children);
    og_free(p);
    array->release = NULL;
}

static og_status export_columns(og_array *const *columns, uint32_t count, struct ArrowArray *out,
                                og_error *err)
{
    array_private *p = out->private_data;
    if (count == 0)
        return OG_OK;
    p->child_structs = og_calloc(count, sizeof *p->child_structs);
    p->children = og_calloc(count, sizeof *p->children);
    if (p->child_structs == NULL || p->children == NULL)
        return og_error_nomem(err);
    out->children = p->children;
    for (uint32_t i = 0; i < count; i++) {
        p->children[i] = &p->child_structs[i];
        OG_TRY(og_arrow_export_array(columns[i], p->children[i], err));
        out->n_children = i + 1;
    }
    return OG_OK;
}

/* Validity first, where the layout has it; then offsets, then data. */
static int64_t list_buffers(const og_array *a, const void *buffers[3])
{
    og_type_id id = a->type->id;
    if (id == OG_TYPE_NULL)
        return 0;
    int64_t n = 0;
    buffers[n++] = a->validity;
    if (og_columnar__offset_width(id) > 0)
        buffers[n++] = a->offsets;
    if (!og_columnar__is_nested(id))
        buffers[n++] = a->data;
    return n;
}

og_status og_arrow_export_array(const og_array *array, struct ArrowArray *out, og_error *err)
{
    array_private *p = og_calloc(1, sizeof *p);
    if (p == NULL)
        return og_error_nomem(err);
    /* Counting is the one thing that changes in a shared array. */
    p->array = og_array_ref((og_array *)(uintptr_t)array);
    struct ArrowArray exported = {.length = array->length,
                                  .null_count = array->null_count,
                                  .n_buffers = list_buffers(array, p->buffers),
                                  .buffers = p->buffers,
                                  .release = release_array,
                                  .private_data = p};
    og_status status = export_columns(array->children, array->child_count, &exported, err);
    if (status != OG_OK) {
        release_array(&exported);
        return status;
    }
    *out = exported;
    return OG_OK;
}

og_status og_arrow_export_batch(const og_batch *batch, struct ArrowArray *out, og_error *err)
{
    array_private *p = og_calloc(1, sizeof *p);
    if (p == NULL)
        return og_error_nomem(err);
    struct ArrowArray exported = {.length = batch->row_count,
                                  .n_buffers = 1,
                                  .buffers = p->buffers,
                                  .release = release_array,
                                  .private_data = p};
    og_status status = export_columns(batch->columns, batch->column_count, &exported, err);
    if (status != OG_OK) {
        release_array(&exported);
        return status;
    }
    *out = exported;
    return OG_OK;
}
