#include "lancetool/tool.h"

#include "base/id.h"
#include "base/json.h"
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

static void put_list(const og_array *array, int64_t row, bool all_bytes, og_buf *out)
{
    int64_t start, end;
    og_array_list(array, row, &start, &end);
    og_buf_byte(out, '[');
    for (int64_t i = start; i < end; i++) {
        if (i > start)
            og_buf_byte(out, ',');
        tool_put_value(array->children[0], i, all_bytes, out);
    }
    og_buf_byte(out, ']');
}

static void put_struct(const og_array *array, int64_t row, bool all_bytes, og_buf *out)
{
    og_buf_byte(out, '{');
    for (uint32_t i = 0; i < array->child_count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        og_json_write_str(out, array->type->children[i].name);
        og_buf_byte(out, ':');
        tool_put_value(array->children[i], row, all_bytes, out);
    }
    og_buf_byte(out, '}');
}

void tool_put_value(const og_array *array, int64_t row, bool all_bytes, og_buf *out)
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
        tool_put_bytes(og_array_str(array, row), all_bytes, out);
        break;
    case OG_TYPE_FIXED_SIZE_LIST:
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
        put_list(array, row, all_bytes, out);
        break;
    case OG_TYPE_STRUCT:
        put_struct(array, row, all_bytes, out);
        break;
    case OG_TYPE_NULL:
        break;
    }
}
