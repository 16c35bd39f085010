#include "lancetool/tool.h"

#include "base/id.h"
#include "base/json.h"
#include "base/number.h"
#include "columnar/float16.h"

#include <inttypes.h>
#include <math.h>

#define MAX_PLAIN_BYTES 4096 /* more are shown by their digest */

static void put_float(double value, og_buf *out)
{
    if (isnan(value))
        og_buf_text(out, "\"nan\"");
    else if (isinf(value))
        og_buf_text(out, value > 0 ? "\"inf\"" : "\"-inf\"");
    else
        og_json_write_f64(out, value);
}

void tool_put_bytes(og_str bytes, bool all_bytes, og_buf *out)
{
    static const char digits[] = "0123456789abcdef";
    if (bytes.len > MAX_PLAIN_BYTES && !all_bytes) {
        char digest[65];
        og_sha256_hex((og_bytes){(const uint8_t *)bytes.ptr, bytes.len}, digest);
        og_buf_printf(out, "{\"len\":%zu,\"sha256\":\"%s\"}", bytes.len, digest);
        return;
    }
    og_buf_text(out, "{\"hex\":\"");
    for (size_t i = 0; i < bytes.len; i++) {
        og_buf_byte(out, (uint8_t)digits[(uint8_t)bytes.ptr[i] >> 4]);
        og_buf_byte(out, (uint8_t)digits[(uint8_t)bytes.ptr[i] & 15]);
    }
    og_buf_text(out, "\"}");
}

/* ---- values whose type has another name --------------------------------------------------- */

#define FIXED_LIST "fixed_size_list:"
#define MAX_LIMBS 8 /* of 32 bits: 256 */
#define MAX_DIGITS 80

/* The digits of a two's complement number of `bytes` little-endian bytes, lowest first,
 * at least one; returns how many. */
static uint32_t decimal_digits(const uint8_t *bytes, uint32_t width, bool *out_negative,
                               char digits[MAX_DIGITS])
{
    uint32_t limbs[MAX_LIMBS], count = width / 4, n = 0, rest = 0;
    memcpy(limbs, bytes, width);
    *out_negative = limbs[count - 1] >> 31 != 0;
    uint64_t carry = 1;
    for (uint32_t i = 0; *out_negative && i < count; i++) {
        carry += (uint32_t)~limbs[i];
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    do {
        uint64_t remainder = 0;
        rest = 0;
        for (uint32_t i = count; i-- > 0;) {
            uint64_t value = remainder << 32 | limbs[i];
            limbs[i] = (uint32_t)(value / 10);
            remainder = value % 10;
            rest |= limbs[i];
        }
        digits[n++] = (char)('0' + remainder);
    } while (rest != 0 && n < MAX_DIGITS);
    return n;
}

/* In plain notation with as many places as the type has: "-12.30". */
static void put_decimal(const uint8_t *bytes, uint32_t width, int64_t scale, og_buf *out)
{
    char digits[MAX_DIGITS];
    bool negative;
    uint32_t count = decimal_digits(bytes, width, &negative, digits);
    og_buf_text(out, negative ? "\"-" : "\"");
    int64_t whole = (int64_t)count - scale;
    for (int64_t i = 0; i < whole; i++)
        og_buf_byte(out, i < count ? (uint8_t)digits[count - 1 - i] : '0');
    if (whole <= 0)
        og_buf_byte(out, '0');
    if (scale > 0)
        og_buf_byte(out, '.');
    for (int64_t i = scale; i-- > 0;)
        og_buf_byte(out, i < count ? (uint8_t)digits[i] : '0');
    og_buf_byte(out, '"');
}

static int64_t scale_of(og_str type)
{
    size_t colon = type.len;
    while (colon > 0 && type.ptr[colon - 1] != ':')
        colon--;
    int64_t scale = 0;
    bool parsed = og_parse_i64(og_str_slice(type, colon, type.len), &scale);
    return parsed && scale >= -MAX_DIGITS && scale <= MAX_DIGITS ? scale : 0;
}

/* Bytes that are one value. False: they are a list. */
static bool put_opaque(const og_array *array, int64_t row, og_str type, const tool_style *style,
                       og_buf *out)
{
    uint32_t width = (uint32_t)array->type->list_size;
    const uint8_t *bytes = (const uint8_t *)array->children[0]->data + row * width;
    if (og_str_starts(type, OG_STR("decimal:")) && width % 4 == 0 && width <= MAX_LIMBS * 4)
        put_decimal(bytes, width, scale_of(type), out);
    else if (og_str_starts(type, OG_STR("fixed_size_binary:")))
        tool_put_bytes((og_str){(const char *)bytes, width}, style->all_bytes, out);
    else
        return false;
    return true;
}

/* Of fixed_size_list:{item}:{size}; other lists have the types of their items in the list. */
static og_str item_type(const og_array *array, og_str type)
{
    if (array->type->id != OG_TYPE_FIXED_SIZE_LIST || !og_str_starts(type, OG_STR(FIXED_LIST)))
        return type;
    while (type.len > 0 && type.ptr[type.len - 1] != ':')
        type.len--;
    return og_str_slice(type, strlen(FIXED_LIST), type.len > 0 ? type.len - 1 : 0);
}

/* ---- nested values ------------------------------------------------------------------------ */

static void put_value(const og_array *array, int64_t row, const og_str *types,
                      const tool_style *style, og_buf *out);

/* Values below a type that have a type name of their own. */
static uint32_t named_types(const og_type *type)
{
    if (type->child_count == 0 ||
        (type->id == OG_TYPE_FIXED_SIZE_LIST && !tool_is_list_of_structs(type)))
        return 1;
    uint32_t count = 0;
    for (uint32_t i = 0; i < type->child_count; i++)
        count += named_types(type->children[i].type);
    return count;
}

static void put_list(const og_array *array, int64_t row, const og_str *types,
                     const tool_style *style, og_buf *out)
{
    const og_array *items = array->children[0];
    og_str item = types != NULL ? item_type(array, types[0]) : (og_str){NULL, 0};
    bool is_fixed =
        array->type->id == OG_TYPE_FIXED_SIZE_LIST && !tool_is_list_of_structs(array->type);
    int64_t start, end;
    og_array_list(array, row, &start, &end);
    og_buf_byte(out, '[');
    for (int64_t i = start; i < end; i++) {
        if (i > start)
            og_buf_byte(out, ',');
        put_value(items, i, is_fixed && types != NULL ? &item : types, style, out);
    }
    og_buf_byte(out, ']');
}

static void put_struct(const og_array *array, int64_t row, const og_str *types,
                       const tool_style *style, og_buf *out)
{
    og_buf_byte(out, '{');
    for (uint32_t i = 0; i < array->child_count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        og_json_write_str(out, array->type->children[i].name);
        og_buf_byte(out, ':');
        put_value(array->children[i], row, types, style, out);
        types += types != NULL ? named_types(array->type->children[i].type) : 0;
    }
    og_buf_byte(out, '}');
}

void tool_put_value(const og_lance_field *field, const og_array *array, int64_t row,
                    const tool_style *style, og_buf *out)
{
    put_value(array, row, field->value_types, style, out);
}

static void put_value(const og_array *array, int64_t row, const og_str *types,
                      const tool_style *style, og_buf *out)
{
    if (array->type->id == OG_TYPE_NULL || og_array_is_null(array, row)) {
        og_buf_text(out, "null");
        return;
    }
    switch (array->type->id) {
    case OG_TYPE_BOOL:
        og_buf_text(out, og_array_bool(array, row) ? "true" : "false");
        break;
    case OG_TYPE_I8:
        og_json_write_i64(out, ((const int8_t *)array->data)[row]);
        break;
    case OG_TYPE_U8:
        og_json_write_u64(out, ((const uint8_t *)array->data)[row]);
        break;
    case OG_TYPE_I16:
        og_json_write_i64(out, ((const int16_t *)array->data)[row]);
        break;
    case OG_TYPE_U16:
        og_json_write_u64(out, ((const uint16_t *)array->data)[row]);
        break;
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        og_json_write_i64(out, og_array_i32(array, row));
        break;
    case OG_TYPE_U32:
        og_json_write_u64(out, og_array_u32(array, row));
        break;
    case OG_TYPE_I64:
    case OG_TYPE_DATE64:
    case OG_TYPE_TIMESTAMP_US:
        og_json_write_i64(out, og_array_i64(array, row));
        break;
    case OG_TYPE_U64:
        og_json_write_u64(out, og_array_u64(array, row));
        break;
    case OG_TYPE_F16:
        put_float(og_f16_to_f64(((const uint16_t *)array->data)[row]), out);
        break;
    case OG_TYPE_F32:
        put_float((double)og_array_f32(array, row), out);
        break;
    case OG_TYPE_F64:
        put_float(og_array_f64(array, row), out);
        break;
    case OG_TYPE_UTF8:
    case OG_TYPE_LARGE_UTF8:
        og_json_write_str(out, og_array_str(array, row));
        break;
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_BINARY:
        if (types == NULL || !og_str_is(types[0], "json") ||
            !tool_put_jsonb(og_array_str(array, row), out))
            tool_put_bytes(og_array_str(array, row), style->all_bytes, out);
        break;
    case OG_TYPE_FIXED_SIZE_LIST:
        if (types == NULL || array->type->children[0].type->id != OG_TYPE_U8 ||
            !put_opaque(array, row, types[0], style, out))
            put_list(array, row, types, style, out);
        break;
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
        put_list(array, row, types, style, out);
        break;
    case OG_TYPE_STRUCT:
        put_struct(array, row, types, style, out);
        break;
    case OG_TYPE_NULL:
        break;
    }
}
