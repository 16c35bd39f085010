#include "table_text.h"

#include "columnar/builder.h"

#include <math.h>
#include <stdio.h>

static bool append_bytes(og_builder *builder, const og_json *value)
{
    if (value->kind == OG_JSON_STRING)
        return og_builder_str(builder, value->text);
    const og_json *hex = og_json_get(value, "hex");
    if (hex == NULL)
        return false;
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    for (size_t i = 0; i + 1 < hex->text.len; i += 2) {
        char digits[3] = {hex->text.ptr[i], hex->text.ptr[i + 1], '\0'};
        unsigned byte;
        if (sscanf(digits, "%2x", &byte) != 1)
            return false;
        og_buf_byte(&bytes, (uint8_t)byte);
    }
    return og_builder_str(builder, og_buf_view(&bytes));
}

static bool append_float(og_builder *builder, const og_json *value)
{
    double number = 0;
    if (value->kind == OG_JSON_STRING)
        number = og_str_is(value->text, "nan")   ? NAN
                 : og_str_is(value->text, "inf") ? INFINITY
                                                 : -INFINITY;
    else if (!og_json_to_f64(value, &number))
        return false;
    return og_builder_f64(builder, number);
}

static bool append_items(og_builder *builder, const og_type *type, const og_json *value)
{
    for (uint32_t i = 0; i < value->count; i++)
        if (!table_text_append(og_builder_child(builder, 0), type->children[0].type,
                               &value->items[i]))
            return false;
    return og_builder_end_row(builder);
}

static bool append_members(og_builder *builder, const og_type *type, const og_json *value)
{
    static const og_json null = {.kind = OG_JSON_NULL};
    for (uint32_t i = 0; i < type->child_count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", OG_FMT(type->children[i].name));
        const og_json *member = og_json_get(value, name);
        if (!table_text_append(og_builder_child(builder, i), type->children[i].type,
                               member != NULL ? member : &null))
            return false;
    }
    return og_builder_end_row(builder);
}

bool table_text_append(og_builder *builder, const og_type *type, const og_json *value)
{
    if (value->kind == OG_JSON_NULL)
        return og_builder_null(builder);
    int64_t i;
    uint64_t u;
    switch (type->id) {
    case OG_TYPE_BOOL:
        return og_builder_bool(builder, value->boolean);
    case OG_TYPE_I8:
    case OG_TYPE_I16:
    case OG_TYPE_I32:
    case OG_TYPE_I64:
    case OG_TYPE_DATE32:
    case OG_TYPE_DATE64:
    case OG_TYPE_TIMESTAMP_US:
        return og_json_to_i64(value, &i) && og_builder_i64(builder, i);
    case OG_TYPE_U8:
    case OG_TYPE_U16:
    case OG_TYPE_U32:
    case OG_TYPE_U64:
        return og_json_to_u64(value, &u) && og_builder_u64(builder, u);
    case OG_TYPE_F16:
    case OG_TYPE_F32:
    case OG_TYPE_F64:
        return append_float(builder, value);
    case OG_TYPE_UTF8:
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_BINARY:
        return append_bytes(builder, value);
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
    case OG_TYPE_FIXED_SIZE_LIST:
        return append_items(builder, type, value);
    case OG_TYPE_STRUCT:
        return append_members(builder, type, value);
    case OG_TYPE_NULL:
        break;
    }
    return false;
}

static bool fill_column(const og_lance_field *field, const og_json *rows, og_array **out)
{
    static const og_json null = {.kind = OG_JSON_NULL};
    OG_AUTO(og_builder) builder = og_builder_new(field->field.type);
    char name[64];
    snprintf(name, sizeof name, "%.*s", OG_FMT(field->field.name));
    for (uint32_t i = 0; builder != NULL && i < rows->count; i++) {
        const og_json *value = og_json_get(&rows->items[i], name);
        if (!table_text_append(builder, field->field.type, value != NULL ? value : &null))
            return false;
    }
    return builder != NULL && og_builder_finish(builder, out, NULL) == OG_OK;
}

bool table_text_batch(const og_lance_field *fields, uint32_t field_count, const og_json *rows,
                      og_batch *out)
{
    OG_AUTO_BATCH batch = {0};
    if (og_batch_init(&batch, field_count, rows->count, NULL) != OG_OK)
        return false;
    for (uint32_t i = 0; i < field_count; i++)
        if (!fill_column(&fields[i], rows, &batch.columns[i]))
            return false;
    *out = batch;
    batch = (og_batch){0};
    return true;
}
