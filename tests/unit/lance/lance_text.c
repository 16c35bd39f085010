#include "lance_text.h"

#include "base/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* ---- types -------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    og_type_id id;
} names[] = {
    {"bool", OG_TYPE_BOOL},
    {"i8", OG_TYPE_I8},
    {"u8", OG_TYPE_U8},
    {"i16", OG_TYPE_I16},
    {"u16", OG_TYPE_U16},
    {"i32", OG_TYPE_I32},
    {"u32", OG_TYPE_U32},
    {"i64", OG_TYPE_I64},
    {"u64", OG_TYPE_U64},
    {"f16", OG_TYPE_F16},
    {"f32", OG_TYPE_F32},
    {"f64", OG_TYPE_F64},
    {"date32", OG_TYPE_DATE32},
    {"date64", OG_TYPE_DATE64},
    {"utf8", OG_TYPE_UTF8},
    {"binary", OG_TYPE_BINARY},
    {"large_utf8", OG_TYPE_LARGE_UTF8},
    {"large_binary", OG_TYPE_LARGE_BINARY},
    {"fsl", OG_TYPE_FIXED_SIZE_LIST},
    {"list", OG_TYPE_LIST},
    {"large_list", OG_TYPE_LARGE_LIST},
    {"struct", OG_TYPE_STRUCT},
};

static const og_type *parse(og_arena *arena, const char **text);

/* "<T>", "<T,N>" or "<a:T,b:T>" behind the name of a nested type. */
static const og_type *parse_nested(og_arena *arena, og_type *type, const char **text)
{
    og_field fields[32];
    uint32_t n = 0;
    do {
        (*text)++;
        fields[n] = (og_field){.name = OG_STR("item"), .nullable = true};
        if (type->id == OG_TYPE_FIXED_SIZE_LIST && n == 1) {
            char *end;
            type->list_size = (int32_t)strtol(*text, &end, 10);
            *text = end;
            continue;
        }
        if (type->id == OG_TYPE_STRUCT) {
            size_t len = strcspn(*text, ":");
            fields[n].name = og_arena_str(arena, (og_str){*text, len});
            *text += len + 1;
        }
        fields[n].type = parse(arena, text);
        if (fields[n++].type == NULL)
            return NULL;
    } while (**text == ',' && n < 32);
    if (*(*text)++ != '>')
        return NULL;
    type->child_count = n;
    type->children = og_arena_copy(arena, fields, n * sizeof fields[0]);
    return type;
}

static const og_type *parse(og_arena *arena, const char **text)
{
    size_t len = strcspn(*text, "<>,:");
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!og_str_is((og_str){*text, len}, names[i].name))
            continue;
        *text += len;
        if (**text != '<')
            return og_type_of(names[i].id);
        og_type *type = og_arena_new_of(arena, og_type);
        if (type == NULL)
            return NULL;
        type->id = names[i].id;
        return parse_nested(arena, type, text);
    }
    return NULL;
}

const og_type *lance_text_type(og_arena *arena, const char *text)
{
    const og_type *type = parse(arena, &text);
    return *text == '\0' ? type : NULL;
}

/* ---- values ------------------------------------------------------------------------------- */

static void put_double(double value, og_buf *out)
{
    if (isnan(value))
        og_buf_text(out, "\"nan\"");
    else if (isinf(value))
        og_buf_text(out, value > 0 ? "\"inf\"" : "\"-inf\"");
    else
        og_buf_printf(out, "%.17g", value);
}

static void put_hex(og_str bytes, og_buf *out)
{
    og_buf_text(out, "{\"hex\":\"");
    for (size_t i = 0; i < bytes.len; i++)
        og_buf_printf(out, "%02x", (uint8_t)bytes.ptr[i]);
    og_buf_text(out, "\"}");
}

static void put_list(const og_array *array, int64_t row, og_buf *out)
{
    int64_t start, end;
    og_array_list(array, row, &start, &end);
    og_buf_byte(out, '[');
    for (int64_t i = start; i < end; i++) {
        if (i > start)
            og_buf_byte(out, ',');
        lance_text_value(array->children[0], i, out);
    }
    og_buf_byte(out, ']');
}

static void put_struct(const og_array *array, int64_t row, og_buf *out)
{
    og_buf_byte(out, '{');
    for (uint32_t i = 0; i < array->child_count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        og_json_write_str(out, array->type->children[i].name);
        og_buf_byte(out, ':');
        lance_text_value(array->children[i], row, out);
    }
    og_buf_byte(out, '}');
}

static void put_integer(const og_array *array, int64_t row, og_buf *out)
{
    switch (array->type->id) {
    case OG_TYPE_I8:
        og_buf_printf(out, "%d", ((const int8_t *)array->data)[row]);
        break;
    case OG_TYPE_U8:
        og_buf_printf(out, "%u", ((const uint8_t *)array->data)[row]);
        break;
    case OG_TYPE_I16:
        og_buf_printf(out, "%d", ((const int16_t *)array->data)[row]);
        break;
    case OG_TYPE_U16:
    case OG_TYPE_F16:
        og_buf_printf(out, "%u", ((const uint16_t *)array->data)[row]);
        break;
    case OG_TYPE_U32:
        og_buf_printf(out, "%" PRIu32, og_array_u32(array, row));
        break;
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        og_buf_printf(out, "%" PRId32, og_array_i32(array, row));
        break;
    case OG_TYPE_U64:
        og_buf_printf(out, "%" PRIu64, og_array_u64(array, row));
        break;
    default:
        og_buf_printf(out, "%" PRId64, og_array_i64(array, row));
        break;
    }
}

void lance_text_value(const og_array *array, int64_t row, og_buf *out)
{
    if (og_array_is_null(array, row)) {
        og_buf_text(out, "null");
        return;
    }
    switch (array->type->id) {
    case OG_TYPE_BOOL:
        og_buf_text(out, og_array_bool(array, row) ? "true" : "false");
        break;
    case OG_TYPE_F32:
        put_double((double)og_array_f32(array, row), out);
        break;
    case OG_TYPE_F64:
        put_double(og_array_f64(array, row), out);
        break;
    case OG_TYPE_UTF8:
    case OG_TYPE_LARGE_UTF8:
        og_json_write_str(out, og_array_str(array, row));
        break;
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_BINARY:
        put_hex(og_array_str(array, row), out);
        break;
    case OG_TYPE_FIXED_SIZE_LIST:
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
        put_list(array, row, out);
        break;
    case OG_TYPE_STRUCT:
        put_struct(array, row, out);
        break;
    default:
        put_integer(array, row, out);
        break;
    }
}

void lance_text_array(const og_array *array, og_buf *out)
{
    og_buf_byte(out, '[');
    for (int64_t i = 0; i < array->length; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        lance_text_value(array, i, out);
    }
    og_buf_byte(out, ']');
}
