/* @unique: tuples of column values that no two rows of a type may share. */
#include "graph/constraints_priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "base/number.h"
#include "graph/rowset.h"

og_status og_graph__uniques_init(og_graph__type_checks *t, og_error *err)
{
    const og_type_def *def = t->def;
    t->uniques = og_calloc((size_t)def->unique_count + 1, sizeof *t->uniques);
    if (t->uniques == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < def->unique_count; i++) {
        og_graph__unique *u = &t->uniques[i];
        u->columns = og_calloc((size_t)def->uniques[i].count + 1, sizeof *u->columns);
        if (u->columns == NULL)
            return og_error_nomem(err);
        u->column_count = def->uniques[i].count;
        for (uint32_t k = 0; k < u->column_count; k++) {
            u->columns[k] = og_schema_find(def->table_schema, def->uniques[i].names[k]);
            if (u->columns[k] < 0)
                return og_error_set(err, OG_CORRUPT, "@unique of %.*s names no column '%.*s'",
                                    OG_FMT(def->name), OG_FMT(def->uniques[i].names[k]));
            if (def->table_schema->fields[u->columns[k]].type->child_count > 0)
                u->has_nested = true;
        }
    }
    return OG_OK;
}

void og_graph__uniques_deinit(og_graph__type_checks *t)
{
    for (uint32_t i = 0; t->uniques != NULL && i < t->def->unique_count; i++) {
        og_free(t->uniques[i].columns);
        og_strmap_free(t->uniques[i].tuples);
    }
    og_free(t->uniques);
}

/* ---- tuples ------------------------------------------------------------------------------- */

static bool encode_value(og_buf *out, const og_array *column, int64_t row, bool is_only)
{
    size_t width = og_type_width(column->type->id);
    if (width > 0)
        return og_buf_append(out, (const uint8_t *)column->data + (size_t)row * width, width);
    if (column->type->id == OG_TYPE_BOOL)
        return og_buf_byte(out, og_array_bool(column, row));
    og_str text = og_array_str(column, row);
    return (is_only || og_buf_u64(out, text.len)) && og_buf_str(out, text);
}

og_status og_graph__tuple_encode(og_buf *out, const og_array *const *columns, uint32_t count,
                                 int64_t row, bool *out_exempt, og_error *err)
{
    og_buf_clear(out);
    *out_exempt = false;
    for (uint32_t i = 0; i < count; i++) {
        if (og_array_is_null(columns[i], row)) {
            *out_exempt = true;
            return OG_OK;
        }
        if (!encode_value(out, columns[i], row, count == 1))
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* ---- messages ----------------------------------------------------------------------------- */

/* An F32 has the digits that tell it from other F32s, not those of the double it equals. */
static bool write_f32(og_buf *out, float value)
{
    char digits[9], text[32];
    double same = value;
    if (value - value == 0 && value != 0) {
        int exponent, count = og_f32_shortest(value < 0 ? -value : value, digits, &exponent);
        snprintf(text, sizeof text, "%s0.%.*se%d", value < 0 ? "-" : "", count, digits, exponent);
        if (!og_parse_f64(og_str_of(text), &same))
            same = value;
    }
    return og_graph__write_number(out, same);
}

bool og_graph__write_value(og_buf *out, const og_array *column, int64_t row)
{
    switch (column->type->id) {
    case OG_TYPE_BOOL:
        return og_buf_text(out, og_array_bool(column, row) ? "true" : "false");
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        return og_json_write_i64(out, og_array_i32(column, row));
    case OG_TYPE_I64:
    case OG_TYPE_DATE64:
        return og_json_write_i64(out, og_array_i64(column, row));
    case OG_TYPE_U32:
        return og_json_write_u64(out, og_array_u32(column, row));
    case OG_TYPE_U64:
        return og_json_write_u64(out, og_array_u64(column, row));
    case OG_TYPE_F32:
        return write_f32(out, og_array_f32(column, row));
    case OG_TYPE_F64:
        return og_graph__write_number(out, og_array_f64(column, row));
    default:
        return og_buf_str(out, og_array_str(column, row));
    }
}

/* "T.a: value 'x'", or "T.(a, b): value '(x, y)'". */
static void describe(og_buf *out, const og_type_def *def, const og_graph__unique *u,
                     const og_array *const *columns, int64_t row)
{
    const char *open = u->column_count > 1 ? "(" : "", *close = u->column_count > 1 ? ")" : "";
    og_buf_printf(out, "%.*s.%s", OG_FMT(def->name), open);
    for (uint32_t i = 0; i < u->column_count; i++) {
        og_str name = def->table_schema->fields[u->columns[i]].name;
        og_buf_printf(out, "%s%.*s", i > 0 ? ", " : "", OG_FMT(name));
    }
    og_buf_printf(out, "%s: value '%s", close, open);
    for (uint32_t i = 0; i < u->column_count; i++) {
        og_buf_text(out, i > 0 ? ", " : "");
        og_graph__write_value(out, columns[i], row);
    }
    og_buf_printf(out, "%s'", close);
}

/* ---- among written rows ------------------------------------------------------------------- */

static og_status add_tuple(og_graph__checks *checks, const og_graph__type_checks *t,
                           og_graph__unique *u, const og_array *const *columns, int64_t row,
                           uint32_t number, uint32_t line, og_error *err)
{
    bool exempt, is_new;
    OG_TRY(og_graph__tuple_encode(&checks->scratch, columns, u->column_count, row, &exempt, err));
    if (exempt)
        return OG_OK;
    uint64_t *place = og_strmap_put(u->tuples, og_buf_view(&checks->scratch), &is_new);
    if (place == NULL)
        return og_error_nomem(err);
    if (!is_new) {
        OG_AUTO_BUF what = OG_BUF_INIT;
        describe(&what, t->def, u, columns, row);
        return og_error_set_at(err, OG_INVALID, line, 0,
                               "@unique violation on %s appears in rows %" PRIu64 " and %" PRIu64,
                               og_buf_cstr(&what), (uint64_t)(uint32_t)*place + 1,
                               (uint64_t)number + 1);
    }
    *place = number | (uint64_t)line << 32;
    return OG_OK;
}

static og_status add_tuples(og_graph__checks *checks, const og_graph__type_checks *t,
                            og_graph__unique *u, const og_batch *batch, uint32_t first_row,
                            const uint32_t *lines, og_error *err)
{
    OG_AUTO_FREE const og_array **columns = og_calloc(u->column_count, sizeof *columns);
    if (columns == NULL || (u->tuples == NULL && (u->tuples = og_strmap_new(false)) == NULL))
        return og_error_nomem(err);
    for (uint32_t i = 0; i < u->column_count; i++)
        columns[i] = batch->columns[u->columns[i]];
    for (int64_t row = 0; row < batch->row_count; row++)
        OG_TRY(add_tuple(checks, t, u, columns, row, first_row + (uint32_t)row,
                         lines != NULL ? lines[row] : 0, err));
    return OG_OK;
}

og_status og_graph__checks_values(og_graph__checks *checks, const og_type_def *def,
                                  const og_batch *batch, uint32_t first_row, const uint32_t *lines,
                                  og_error *err)
{
    og_graph__type_checks *t = og_graph__checks_of(checks, def);
    for (uint32_t i = 0; i < def->unique_count; i++)
        if (!t->uniques[i].has_nested)
            OG_TRY(add_tuples(checks, t, &t->uniques[i], batch, first_row, lines, err));
    return OG_OK;
}

/* ---- against stored rows ------------------------------------------------------------------ */

static og_status taken(const og_graph__type_checks *t, const og_graph__unique *u,
                       const og_array *const *columns, int64_t row, og_str id, uint64_t place,
                       og_error *err)
{
    OG_AUTO_BUF what = OG_BUF_INIT;
    describe(&what, t->def, u, columns, row);
    return og_error_set_at(err, OG_INVALID, (uint32_t)(place >> 32), 0,
                           "@unique violation on %s is stored already, with id '%.*s'",
                           og_buf_cstr(&what), OG_FMT(id));
}

og_status og_graph__uniques_probe(og_graph__checks *checks, const og_graph__type_checks *t,
                                  const og_graph__unique *u, const og_array *ids,
                                  const og_array *const *columns, og_error *err)
{
    for (int64_t row = 0; row < ids->length; row++) {
        bool exempt;
        OG_TRY(
            og_graph__tuple_encode(&checks->scratch, columns, u->column_count, row, &exempt, err));
        if (exempt)
            continue;
        uint64_t *place = og_strmap_get(u->tuples, og_buf_view(&checks->scratch));
        if (place == NULL)
            continue;
        og_str id = og_array_str(ids, row);
        if (og_graph__id_state(t, id) == OG_GRAPH__NAMED)
            return taken(t, u, columns, row, id, *place, err);
    }
    return OG_OK;
}

/* Column 0 of the batch is the id, the tuple's columns follow. */
static og_status probe_batch(og_graph__checks *checks, const og_graph__type_checks *t,
                             const og_graph__unique *u, const og_batch *batch, og_error *err)
{
    return og_graph__uniques_probe(checks, t, u, batch->columns[0],
                                   (const og_array *const *)batch->columns + 1, err);
}

static og_status probe_stored(og_graph__checks *checks, const og_graph__type_checks *t,
                              const og_graph__unique *u, og_lance_table *table, og_error *err)
{
    OG_AUTO_FREE og_str *names = og_calloc((size_t)u->column_count + 1, sizeof *names);
    if (names == NULL)
        return og_error_nomem(err);
    names[0] = OG_STR("id");
    for (uint32_t i = 0; i < u->column_count; i++)
        names[1 + i] = t->def->table_schema->fields[u->columns[i]].name;
    OG_GRAPH__AUTO_SCAN scan = {0};
    OG_TRY(og_graph__column_scan_open(table, names, 1 + u->column_count, &scan, err));
    for (;;) {
        OG_TRY(og_graph__column_scan_next(&scan, err));
        if (scan.batch.row_count == 0)
            return OG_OK;
        OG_TRY(probe_batch(checks, t, u, &scan.batch, err));
    }
}

og_status og_graph__uniques_finish(og_graph__checks *checks, const og_graph__type_checks *t,
                                   og_txn *txn, og_error *err)
{
    if (t->replaced)
        return OG_OK;
    for (uint32_t i = 0; i < t->def->unique_count; i++) {
        const og_graph__unique *u = &t->uniques[i];
        if (u->tuples == NULL || og_strmap_len(u->tuples) == 0)
            continue;
        og_lance_table *table;
        OG_TRY(og_snapshot_table(og_txn_snapshot(txn), t->def, &table, err));
        OG_TRY(probe_stored(checks, t, u, table, err));
    }
    return OG_OK;
}
