/* graph/export: rows as text. */
#include "graph/export_priv.h"

#include <math.h>

#include "base/id.h"
#include "base/json.h"
#include "base/timeval.h"

/* ---- values ------------------------------------------------------------------------------- */

static og_status write_float(og_buf *out, double value, const char *type, og_error *err)
{
    if (isfinite(value))
        return og_json_write_f64(out, value) ? OG_OK : og_error_nomem(err);
    return og_error_set(err, OG_UNSUPPORTED, "cannot encode %s value '%s%s' as JSON", type,
                        signbit(value) && !isnan(value) ? "-" : "", isnan(value) ? "NaN" : "inf");
}

static og_status write_value(og_buf *out, const og_array *a, int64_t row, og_error *err);

static og_status write_items(og_buf *out, const og_array *a, int64_t row, og_error *err)
{
    int64_t start, end;
    og_array_list(a, row, &start, &end);
    og_buf_byte(out, '[');
    for (int64_t i = start; i < end; i++) {
        if (i > start)
            og_buf_byte(out, ',');
        OG_TRY(write_value(out, a->children[0], i, err));
    }
    return og_buf_byte(out, ']') ? OG_OK : og_error_nomem(err);
}

/* One beyond all calendars is a number, which load takes as well. */
static bool write_instant(og_buf *out, int64_t ms)
{
    if (!og_datetime_has_text(ms))
        return og_json_write_i64(out, ms);
    return og_buf_byte(out, '"') && og_format_datetime(out, ms, false, true) &&
           og_buf_byte(out, '"');
}

static og_status write_value(og_buf *out, const og_array *a, int64_t row, og_error *err)
{
    if (og_array_is_null(a, row))
        return og_buf_append(out, "null", 4) ? OG_OK : og_error_nomem(err);
    bool ok;
    switch (a->type->id) {
    case OG_TYPE_UTF8:
    case OG_TYPE_LARGE_UTF8:
        ok = og_json_write_str(out, og_array_str(a, row));
        break;
    case OG_TYPE_BOOL:
        ok = og_buf_text(out, og_array_bool(a, row) ? "true" : "false");
        break;
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        ok = og_json_write_i64(out, og_array_i32(a, row));
        break;
    case OG_TYPE_I64:
        ok = og_json_write_i64(out, og_array_i64(a, row));
        break;
    case OG_TYPE_U32:
        ok = og_json_write_u64(out, og_array_u32(a, row));
        break;
    case OG_TYPE_U64:
        ok = og_json_write_u64(out, og_array_u64(a, row));
        break;
    case OG_TYPE_F32:
        return write_float(out, og_array_f32(a, row), "f32", err);
    case OG_TYPE_F64:
        return write_float(out, og_array_f64(a, row), "f64", err);
    case OG_TYPE_DATE64:
        ok = write_instant(out, og_array_i64(a, row));
        break;
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
    case OG_TYPE_FIXED_SIZE_LIST:
        return write_items(out, a, row, err);
    default:
        return og_error_set(err, OG_UNSUPPORTED, "a column of a type that no property has");
    }
    return ok ? OG_OK : og_error_nomem(err);
}

/* `blob` is struct<data, uri>. */
static og_status write_blob(og_buf *out, const og_array *blob, int64_t row, og_error *err)
{
    const og_array *data = blob->children[0], *uri = blob->children[1];
    bool ok;
    if (og_array_is_null(blob, row) ||
        (og_array_is_null(data, row) && og_array_is_null(uri, row))) {
        ok = og_buf_append(out, "null", 4);
    } else if (og_array_is_null(data, row)) {
        ok = og_json_write_str(out, og_array_str(uri, row));
    } else {
        og_str bytes = og_array_str(data, row);
        ok = og_buf_text(out, "\"base64:") &&
             og_base64_encode(out, (og_bytes){(const uint8_t *)bytes.ptr, bytes.len}) &&
             og_buf_byte(out, '"');
    }
    return ok ? OG_OK : og_error_nomem(err);
}

/* ---- rows --------------------------------------------------------------------------------- */

static og_status write_row(const og_graph__export_table *t, const og_batch *batch,
                           og_array *const *blobs, int64_t row, og_buf *out, og_error *err)
{
    /* Columns of an edge: id, src, dst; the record has the ends before the id. */
    uint32_t first = og_type_def_first_property(t->def);
    og_buf_str(out, t->head);
    for (uint32_t i = 1; i < first; i++) {
        OG_TRY(write_value(out, batch->columns[i], row, err));
        og_buf_str(out, t->columns[i].label);
    }
    OG_TRY(write_value(out, batch->columns[0], row, err));
    for (uint32_t i = first; i < t->column_count; i++) {
        og_buf_str(out, t->columns[i].label);
        if (t->columns[i].is_blob)
            OG_TRY(write_blob(out, blobs[i], row, err));
        else
            OG_TRY(write_value(out, batch->columns[i], row, err));
    }
    return og_buf_append(out, "}}\n", 3) ? OG_OK : og_error_nomem(err);
}

static og_status write_rows(const og_graph__export_table *t, const og_batch *batch,
                            og_array *const *blobs, og_buf *out, og_error *err)
{
    for (int64_t row = 0; row < batch->row_count; row++) {
        og_status s = write_row(t, batch, blobs, row, out, err);
        if (s != OG_OK)
            return og_error_context(err, s, "%.*s, id '%.*s'", OG_FMT(t->def->table_key),
                                    OG_FMT(og_array_str(batch->columns[0], row)));
    }
    return OG_OK;
}

/* The payloads of a blob column's rows are in memory while its batch is written. */
static og_status read_blobs(const og_graph__export_table *t, const og_batch *batch,
                            const uint32_t *slots, og_array **blobs, og_error *err)
{
    for (uint32_t i = 0; i < t->column_count; i++)
        if (t->columns[i].is_blob)
            OG_TRY(og_lance_blob_materialize(t->table, t->fields[i], slots, batch->columns[i],
                                             &blobs[i], err));
    return OG_OK;
}

og_status og_graph__export_batch(const og_graph__export_table *t, const og_batch *batch,
                                 const uint32_t *slots, og_buf *out, og_error *err)
{
    OG_AUTO_FREE og_array **blobs = og_calloc(t->column_count, sizeof *blobs);
    if (blobs == NULL)
        return og_error_nomem(err);
    og_status s = read_blobs(t, batch, slots, blobs, err);
    if (s == OG_OK)
        s = write_rows(t, batch, blobs, out, err);
    for (uint32_t i = 0; i < t->column_count; i++)
        og_array_unref(blobs[i]);
    return s;
}
