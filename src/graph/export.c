/* A graph as records, in the reference's form byte for byte: tables by key, rows by id, properties
 * by name, null included.
 *
 * Of a table only the ids and their order are held; rows are taken in chunks of that order. A table
 * whose rows lie in order of id already is scanned instead. */
#include "base/id.h"
#include "base/json.h"
#include "base/timeval.h"
#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "columnar/sort.h"
#include "graph/load.h"

#include <math.h>

#define TAKE_ROWS ((size_t)8192)
#define BLOB_ROWS ((int64_t)32) /* whose payloads are in memory at once */
#define OUT_BYTES ((size_t)256 << 10)

typedef struct export_column {
    uint32_t field; /* of the table */
    bool is_blob;
    og_str label; /* `"name":`, with a comma before */
} export_column;

/* One table being written. */
typedef struct exporter {
    const og_export_input *input;
    const og_type_def *def;
    og_lance_table *table;
    og_arena *arena;
    og_str head; /* of each record, up to the first value */
    export_column *columns;
    uint32_t *fields; /* of all columns */
    uint32_t column_count;
    og_buf out;
} exporter;

/* ---- values
 * ------------------------------------------------------------------------------------------ */

static og_status write_float(exporter *e, double value, const char *type, og_error *err)
{
    if (isfinite(value))
        return og_json_write_f64(&e->out, value) ? OG_OK : og_error_nomem(err);
    return og_error_set(err, OG_UNSUPPORTED, "cannot encode %s value '%s%s' as JSON", type,
                        signbit(value) && !isnan(value) ? "-" : "", isnan(value) ? "NaN" : "inf");
}

static og_status write_value(exporter *e, const og_array *a, int64_t row, og_error *err);

static og_status write_items(exporter *e, const og_array *a, int64_t row, og_error *err)
{
    int64_t start, end;
    og_array_list(a, row, &start, &end);
    og_buf_byte(&e->out, '[');
    for (int64_t i = start; i < end; i++) {
        if (i > start)
            og_buf_byte(&e->out, ',');
        OG_TRY(write_value(e, a->children[0], i, err));
    }
    return og_buf_byte(&e->out, ']') ? OG_OK : og_error_nomem(err);
}

static bool write_instant(og_buf *out, int64_t ms)
{
    return og_buf_byte(out, '"') && og_format_datetime(out, ms, false, true) &&
           og_buf_byte(out, '"');
}

static og_status write_value(exporter *e, const og_array *a, int64_t row, og_error *err)
{
    og_buf *out = &e->out;
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
        return write_float(e, og_array_f32(a, row), "f32", err);
    case OG_TYPE_F64:
        return write_float(e, og_array_f64(a, row), "f64", err);
    case OG_TYPE_DATE64:
        ok = write_instant(out, og_array_i64(a, row));
        break;
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
    case OG_TYPE_FIXED_SIZE_LIST:
        return write_items(e, a, row, err);
    default:
        return og_error_set(err, OG_UNSUPPORTED, "a column of a type that no property has");
    }
    return ok ? OG_OK : og_error_nomem(err);
}

/* `blob` is struct<data, uri>. */
static og_status write_blob(exporter *e, const og_array *blob, int64_t row, og_error *err)
{
    og_buf *out = &e->out;
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

/* ---- rows
 * -------------------------------------------------------------------------------------------- */

/* Payloads of rows [start, start + count) of the batch, in batches' column order; NULL: no blob. */
typedef struct blob_window {
    og_array **columns;
    int64_t start, count;
} blob_window;

static void window_clear(blob_window *w, uint32_t column_count)
{
    for (uint32_t i = 0; i < column_count; i++) {
        og_array_unref(w->columns[i]);
        w->columns[i] = NULL;
    }
}

static og_status window_load(exporter *e, blob_window *w, const og_batch *batch,
                             const uint32_t *slots, int64_t start, og_error *err)
{
    window_clear(w, e->column_count);
    w->start = start;
    w->count = batch->row_count - start < BLOB_ROWS ? batch->row_count - start : BLOB_ROWS;
    for (uint32_t i = 0; i < e->column_count; i++) {
        if (!e->columns[i].is_blob)
            continue;
        OG_AUTO(og_array) part = NULL;
        OG_TRY(og_slice(batch->columns[i], start, w->count, &part, err));
        OG_TRY(og_lance_blob_materialize(e->table, e->columns[i].field, slots + start, part,
                                         &w->columns[i], err));
    }
    return OG_OK;
}

static og_status write_row(exporter *e, const og_batch *batch, const blob_window *blobs,
                           int64_t row, og_error *err)
{
    /* Columns of an edge: id, src, dst; the record has the ends before the id. */
    uint32_t first = og_type_def_first_property(e->def);
    og_buf_str(&e->out, e->head);
    for (uint32_t i = 1; i < first; i++) {
        OG_TRY(write_value(e, batch->columns[i], row, err));
        og_buf_str(&e->out, e->columns[i].label);
    }
    OG_TRY(write_value(e, batch->columns[0], row, err));
    for (uint32_t i = first; i < e->column_count; i++) {
        og_buf_str(&e->out, e->columns[i].label);
        if (e->columns[i].is_blob)
            OG_TRY(write_blob(e, blobs->columns[i], row - blobs->start, err));
        else
            OG_TRY(write_value(e, batch->columns[i], row, err));
    }
    return og_buf_append(&e->out, "}}\n", 3) ? OG_OK : og_error_nomem(err);
}

static og_status drain(exporter *e, size_t above, og_error *err)
{
    if (e->out.len <= above)
        return OG_OK;
    OG_TRY(e->input->write(e->input->write_context, og_buf_bytes(&e->out), err));
    og_buf_clear(&e->out);
    return OG_OK;
}

static bool has_blobs(const exporter *e)
{
    for (uint32_t i = 0; i < e->column_count; i++)
        if (e->columns[i].is_blob)
            return true;
    return false;
}

static og_status write_rows(exporter *e, const og_batch *batch, const uint32_t *slots,
                            blob_window *blobs, og_error *err)
{
    bool blobby = has_blobs(e);
    for (int64_t row = 0; row < batch->row_count; row++) {
        if (blobby && row % BLOB_ROWS == 0)
            OG_TRY(window_load(e, blobs, batch, slots, row, err));
        og_status s = write_row(e, batch, blobs, row, err);
        if (s != OG_OK)
            return og_error_context(err, s, "%.*s, id '%.*s'", OG_FMT(e->def->table_key),
                                    OG_FMT(og_array_str(batch->columns[0], row)));
        OG_TRY(drain(e, OUT_BYTES, err));
    }
    return OG_OK;
}

static og_status write_batch(exporter *e, const og_batch *batch, const uint32_t *slots,
                             og_error *err)
{
    blob_window blobs = {.columns = og_calloc(e->column_count, sizeof(og_array *))};
    if (blobs.columns == NULL)
        return og_error_nomem(err);
    og_status s = write_rows(e, batch, slots, &blobs, err);
    window_clear(&blobs, e->column_count);
    og_free(blobs.columns);
    return s;
}

/* ---- order
 * ------------------------------------------------------------------------------------------- */

/* Slots of all rows, and their ids when these are not in order. */
typedef struct row_order {
    uint32_t *slots;
    size_t count;
    og_array *ids; /* NULL: the slots are in order of id as they are */
} row_order;

static void order_deinit(row_order *order)
{
    og_free(order->slots);
    og_array_unref(order->ids);
}

static og_status read_ids(exporter *e, row_order *out, og_error *err)
{
    size_t rows = (size_t)og_lance_table_row_count(e->table);
    OG_AUTO(og_builder) ids = og_builder_new(og_type_of(OG_TYPE_LARGE_UTF8));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_AUTO_BUF last = OG_BUF_INIT;
    bool sorted = true;
    out->slots = og_calloc(rows, sizeof *out->slots);
    if (out->slots == NULL || ids == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_scan_open(e->table, e->fields, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            break;
        if ((size_t)batch.row_count > rows - out->count)
            return og_error_set(err, OG_CORRUPT, "%s has more rows than it says",
                                og_lance_table_path(e->table));
        memcpy(out->slots + out->count, slots, (size_t)batch.row_count * sizeof *slots);
        out->count += (size_t)batch.row_count;
        const og_array *column = batch.columns[0];
        for (int64_t i = 0; i < batch.row_count; i++) {
            og_str before = i > 0 ? og_array_str(column, i - 1) : og_buf_view(&last);
            sorted = sorted && og_str_cmp(before, og_array_str(column, i)) <= 0;
            og_builder_str(ids, og_array_str(column, i));
        }
        og_buf_clear(&last);
        if (!og_buf_str(&last, og_array_str(column, batch.row_count - 1)))
            return og_error_nomem(err);
    }
    return sorted ? OG_OK : og_builder_finish(ids, &out->ids, err);
}

/* Put the slots in order of id; rows of equal id stay in storage order. */
static og_status sort_slots(row_order *order, og_error *err)
{
    OG_AUTO_FREE uint32_t *rows = og_calloc(order->count, sizeof *rows);
    OG_AUTO_FREE uint32_t *slots = og_calloc(order->count, sizeof *slots);
    if (rows == NULL || slots == NULL)
        return og_error_nomem(err);
    const og_sort_key key = {.column = order->ids};
    OG_TRY(og_sort_rows(&key, 1, (int64_t)order->count, rows, err));
    og_array_unref(order->ids);
    order->ids = NULL;
    for (size_t i = 0; i < order->count; i++)
        slots[i] = order->slots[rows[i]];
    og_free(order->slots);
    order->slots = OG_TAKE(slots);
    return OG_OK;
}

static og_status export_taken(exporter *e, const row_order *order, og_error *err)
{
    for (size_t at = 0; at < order->count; at += TAKE_ROWS) {
        size_t count = order->count - at < TAKE_ROWS ? order->count - at : TAKE_ROWS;
        OG_AUTO_BATCH batch = {0};
        OG_TRY(og_lance_take(e->table, e->fields, e->column_count, order->slots + at, count, &batch,
                             err));
        OG_TRY(write_batch(e, &batch, order->slots + at, err));
    }
    return OG_OK;
}

static og_status export_scanned(exporter *e, og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(e->table, e->fields, e->column_count, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(write_batch(e, &batch, slots, err));
    }
}

/* ---- tables
 * ------------------------------------------------------------------------------------------ */

/* `before"name":behind` in the arena. */
static og_status make_label(exporter *e, const char *before, og_str name, const char *behind,
                            og_str *out, og_error *err)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    og_buf_text(&text, before);
    og_json_write_str(&text, name);
    if (!og_buf_text(&text, behind))
        return og_error_nomem(err);
    *out = og_arena_str(e->arena, og_buf_view(&text));
    return out->ptr != NULL ? OG_OK : og_error_nomem(err);
}

static og_status make_columns(exporter *e, og_error *err)
{
    const og_type_def *def = e->def;
    uint32_t first = og_type_def_first_property(def);
    e->column_count = first + def->property_count;
    e->columns = og_arena_array_of(e->arena, export_column, e->column_count);
    e->fields = og_arena_array_of(e->arena, uint32_t, e->column_count);
    if (e->columns == NULL || e->fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < e->column_count; i++) {
        og_str name = def->table_schema->fields[i].name;
        int32_t field = og_lance_table_find_field(e->table, name);
        if (field < 0)
            return og_error_set(err, OG_CORRUPT, "missing column '%.*s' in %.*s", OG_FMT(name),
                                OG_FMT(def->table_key));
        e->columns[i].field = e->fields[i] = (uint32_t)field;
        e->columns[i].is_blob =
            i >= first && def->properties[i - first].type.scalar == OG_SCALAR_BLOB;
        OG_TRY(make_label(e, ",", name, ":", &e->columns[i].label, err));
    }
    if (!def->is_edge)
        return make_label(e, "{\"type\":", def->name, ",\"data\":{\"id\":", &e->head, err);
    /* What stands behind src and dst. */
    e->columns[1].label = OG_STR(",\"to\":");
    e->columns[2].label = OG_STR(",\"data\":{\"id\":");
    return make_label(e, "{\"edge\":", def->name, ",\"from\":", &e->head, err);
}

static og_status export_rows(exporter *e, og_error *err)
{
    __attribute__((cleanup(order_deinit))) row_order order = {0};
    if (og_lance_table_row_count(e->table) == 0)
        return OG_OK;
    OG_TRY(make_columns(e, err));
    OG_TRY(read_ids(e, &order, err));
    if (order.ids == NULL) {
        OG_TRY(export_scanned(e, err));
    } else {
        OG_TRY(sort_slots(&order, err));
        OG_TRY(export_taken(e, &order, err));
    }
    return drain(e, 0, err);
}

static og_status export_table(og_snapshot *snapshot, const og_export_input *input, og_str key,
                              og_error *err)
{
    exporter e = {.input = input, .def = og_catalog_table(snapshot->catalog, key)};
    if (e.def == NULL)
        return og_error_set(err, OG_CORRUPT, "table %.*s is of no type in the schema", OG_FMT(key));
    OG_TRY(og_snapshot_table(snapshot, e.def, &e.table, err));
    OG_AUTO(og_arena) arena = e.arena = og_arena_new(0);
    if (arena == NULL)
        return og_error_nomem(err);
    og_status s = export_rows(&e, err);
    og_buf_deinit(&e.out);
    return s;
}

/* ---- selection
 * --------------------------------------------------------------------------------------- */

static bool select_key(const og_table_info *infos, size_t count, const char *prefix, og_str name,
                       bool *selected)
{
    size_t skip = strlen(prefix);
    for (size_t i = 0; i < count; i++) {
        og_str key = infos[i].table_key;
        if (og_str_starts(key, og_str_of(prefix)) &&
            og_str_eq(og_str_slice(key, skip, key.len), name)) {
            selected[i] = true;
            return true;
        }
    }
    return false;
}

static og_status unknown_name(const og_snapshot *snapshot, const char *kind, og_str name,
                              og_error *err)
{
    og_error_set(err, OG_INVALID, "unknown export %s '%.*s'", kind, OG_FMT(name));
    og_str near = og_catalog_nearest_node(snapshot->catalog, name);
    if (near.len == 0)
        near = og_catalog_nearest_edge(snapshot->catalog, name);
    if (near.len > 0)
        og_error_hint(err, "Did you mean '%.*s'?", OG_FMT(near));
    return OG_INVALID;
}

static og_status select_tables(const og_snapshot *snapshot, const og_export_input *input,
                               const og_table_info *infos, size_t count, bool *selected,
                               og_error *err)
{
    for (size_t i = 0; i < input->table_count; i++)
        if (!select_key(infos, count, "", input->table_keys[i], selected))
            return unknown_name(snapshot, "table", input->table_keys[i], err);
    for (size_t i = 0; i < input->type_count; i++) {
        bool is_node = select_key(infos, count, "node:", input->type_names[i], selected);
        bool is_edge = select_key(infos, count, "edge:", input->type_names[i], selected);
        if (!is_node && !is_edge)
            return unknown_name(snapshot, "type", input->type_names[i], err);
    }
    for (size_t i = 0; input->table_count + input->type_count == 0 && i < count; i++)
        selected[i] = true;
    return OG_OK;
}

og_status og_export_run(og_snapshot *snapshot, const og_export_input *input, og_error *err)
{
    size_t count;
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    OG_AUTO_FREE bool *selected = og_calloc(count + 1, sizeof *selected);
    if (selected == NULL)
        return og_error_nomem(err);
    OG_TRY(select_tables(snapshot, input, infos, count, selected, err));
    for (size_t i = 0; i < count; i++)
        if (selected[i])
            OG_TRY(export_table(snapshot, input, infos[i].table_key, err));
    return OG_OK;
}
