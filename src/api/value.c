/* Values as text: JSON for results, plain text for the cells of a table. The forms are the
 * reference's (omnigraph-compiler json_output.rs, read_format.rs). */
#include "api/handles_priv.h"

#include <math.h>

#include "base/timeval.h"

static void write_date(og_buf *out, int32_t days, bool quoted)
{
    if (!og_date_has_text(days)) {
        og_json_write_i64(out, days);
        return;
    }
    if (quoted)
        og_buf_byte(out, '"');
    og_format_date(out, days);
    if (quoted)
        og_buf_byte(out, '"');
}

static void write_datetime(og_buf *out, int64_t ms, bool quoted)
{
    if (!og_datetime_has_text(ms)) {
        og_json_write_i64(out, ms);
        return;
    }
    if (quoted)
        og_buf_byte(out, '"');
    og_format_datetime(out, ms, true, false);
    if (quoted)
        og_buf_byte(out, '"');
}

/* JSON has no word for what is not finite; the reference writes it as text. */
static void write_float(og_buf *out, double value, bool quoted)
{
    if (isfinite(value)) {
        og_json_write_f64(out, value);
        return;
    }
    if (quoted)
        og_buf_byte(out, '"');
    og_buf_text(out, isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
    if (quoted)
        og_buf_byte(out, '"');
}

static void new_line(og_buf *out, int indent)
{
    og_buf_byte(out, '\n');
    og_buf_fill(out, ' ', (size_t)indent);
}

static void write_item(og_buf *out, const og_array *items, int64_t at, bool is_vector, int indent)
{
    /* Items of a vector that are not finite are null, those of a list are text. */
    if (is_vector && items->type->id == OG_TYPE_F32 && !og_array_is_null(items, at))
        og_json_write_f64(out, og_array_f32(items, at));
    else
        og_api__write_json(out, items, at, indent);
}

static void write_list(og_buf *out, const og_array *a, int64_t row, int indent)
{
    int64_t start, end;
    og_array_list(a, row, &start, &end);
    bool is_pretty = indent >= 0 && start < end;
    int inner = is_pretty ? indent + 2 : -1;
    og_buf_byte(out, '[');
    for (int64_t i = start; i < end; i++) {
        if (i > start)
            og_buf_byte(out, ',');
        if (is_pretty)
            new_line(out, inner);
        write_item(out, a->children[0], i, a->type->id == OG_TYPE_FIXED_SIZE_LIST, inner);
    }
    if (is_pretty)
        new_line(out, indent);
    og_buf_byte(out, ']');
}

/* `quoted`: as JSON; else text as it is. */
static void write_any(og_buf *out, const og_array *a, int64_t row, int indent, bool quoted)
{
    if (og_array_is_null(a, row)) {
        og_buf_append(out, "null", 4);
        return;
    }
    switch (a->type->id) {
    case OG_TYPE_UTF8:
    case OG_TYPE_LARGE_UTF8:
        if (quoted)
            og_json_write_str(out, og_array_str(a, row));
        else
            og_buf_str(out, og_array_str(a, row));
        break;
    case OG_TYPE_BOOL:
        og_buf_text(out, og_array_bool(a, row) ? "true" : "false");
        break;
    case OG_TYPE_I32:
        og_json_write_i64(out, og_array_i32(a, row));
        break;
    case OG_TYPE_I64:
        og_json_write_i64(out, og_array_i64(a, row));
        break;
    case OG_TYPE_U32:
        og_json_write_u64(out, og_array_u32(a, row));
        break;
    case OG_TYPE_U64:
        og_json_write_u64(out, og_array_u64(a, row));
        break;
    case OG_TYPE_F32:
        write_float(out, og_array_f32(a, row), quoted);
        break;
    case OG_TYPE_F64:
        write_float(out, og_array_f64(a, row), quoted);
        break;
    case OG_TYPE_DATE32:
        write_date(out, og_array_i32(a, row), quoted);
        break;
    case OG_TYPE_DATE64:
        write_datetime(out, og_array_i64(a, row), quoted);
        break;
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
    case OG_TYPE_FIXED_SIZE_LIST:
        write_list(out, a, row, indent);
        break;
    default: /* untyped nulls, and blobs, which results never show */
        og_buf_append(out, "null", 4);
    }
}

void og_api__write_json(og_buf *out, const og_array *array, int64_t row, int indent)
{
    write_any(out, array, row, indent, true);
}

void og_api__write_cell(og_buf *out, const og_array *array, int64_t row)
{
    write_any(out, array, row, -1, false);
}

bool og_api__write_value(og_buf *out, const og_result_column *column, const og_array *array,
                         int64_t row)
{
    if (column->type.scalar == OG_SCALAR_BLOB)
        og_buf_append(out, "null", 4);
    else
        og_api__write_json(out, array, row, -1);
    return !out->failed;
}
