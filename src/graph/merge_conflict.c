/* graph/merge: conflicts, as they are told. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "graph/merge_priv.h"

/* Disputes whose values are in memory at once. */
#define SHOWN_AT_ONCE ((size_t)64)

static og_status add(og_graph__merge *m, const og_graph__conflict *conflict, og_error *err)
{
    if (conflict->message.ptr == NULL)
        return og_error_nomem(err);
    return og_vec_push(&m->conflicts, *conflict) ? OG_OK : og_error_nomem(err);
}

og_status og_graph__report(og_graph__merge *m, const og_type_def *def, og_merge_conflict_kind kind,
                           og_str row_id, og_error *err, const char *fmt, ...)
{
    char message[4096];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof message ? (size_t)len : sizeof message - 1;
    og_graph__conflict conflict = {
        .def = def, .kind = kind, .message = og_arena_str(m->arena, (og_str){message, kept})};
    if (row_id.ptr != NULL) {
        conflict.row_id = og_arena_str(m->arena, row_id);
        if (conflict.row_id.ptr == NULL)
            return og_error_nomem(err);
    }
    return add(m, &conflict, err);
}

static const char *dispute_text(og_merge_conflict_kind kind)
{
    switch (kind) {
    case OG_CONFLICT_DIVERGENT_INSERT:
        return "divergent insert";
    case OG_CONFLICT_DELETE_VS_UPDATE:
        return "delete/update conflict";
    default:
        return "divergent update";
    }
}

/* ---- values ------------------------------------------------------------------------------- */

/* The rows of one side: those that it has, and where each dispute's is (-1 = none). */
typedef struct side {
    og_batch rows;
    int64_t at[SHOWN_AT_ONCE];
} side;

static og_status read_side(const og_graph__merge_table *t, og_lance_table *table,
                           const uint32_t *slots, size_t count, side *out, og_error *err)
{
    uint32_t present[SHOWN_AT_ONCE];
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        out->at[i] = slots[i] != OG_NO_SLOT ? (int64_t)n : -1;
        if (slots[i] != OG_NO_SLOT)
            present[n++] = slots[i];
    }
    return n > 0 ? og_graph__columns_read(t->def, table, present, n, NULL, 0, true, &out->rows, err)
                 : OG_OK;
}

/* A blob is told by its size and a sum, or by the URI that stands for it. */
static void write_blob(og_buf *out, const og_array *blob, int64_t row)
{
    const og_array *data = blob->children[0], *uri = blob->children[1];
    if (og_array_is_null(blob, row) || (og_array_is_null(data, row) && og_array_is_null(uri, row)))
        og_buf_text(out, "null");
    else if (og_array_is_null(data, row))
        og_json_write_str(out, og_array_str(uri, row));
    else {
        og_str bytes = og_array_str(data, row);
        og_buf_printf(out, "\"blob of %zu bytes, xxh3 %016" PRIx64 "\"", bytes.len,
                      og_hash64(bytes.ptr, bytes.len));
    }
}

static void write_value(const og_graph__merge *m, og_buf *out, const side *s, size_t dispute,
                        uint32_t column)
{
    int64_t row = s->at[dispute];
    const og_array *values = row >= 0 ? s->rows.columns[column] : NULL;
    if (values == NULL)
        og_buf_text(out, "null");
    else if (values->type->id == OG_TYPE_STRUCT)
        write_blob(out, values, row);
    else
        m->input->write_value(out, values, row);
}

/* The ends of an edge go by the names that records give them. */
static og_str property_name(const og_type_def *def, uint32_t column)
{
    if (def->is_edge && column == 1)
        return OG_STR("from");
    if (def->is_edge && column == 2)
        return OG_STR("to");
    return def->table_schema->fields[column].name;
}

/* The columns to show, ascending; *out_count of them. */
static uint32_t *shown_columns(const og_graph__merge *m, const og_type_def *def,
                               const uint64_t *set, uint32_t *out_count)
{
    uint32_t count = def->table_schema->field_count;
    uint32_t *columns = og_arena_array_of(m->arena, uint32_t, (size_t)count + 1);
    *out_count = 0;
    for (uint32_t i = 0; columns != NULL && i < count; i++)
        if ((set[i / 64] >> (i % 64) & 1) != 0)
            columns[(*out_count)++] = i;
    return columns;
}

static og_status values_of(og_graph__merge *m, const og_type_def *def, const side *s, size_t i,
                           const uint32_t *columns, uint32_t count, og_str *out, og_error *err)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    if (s->at[i] < 0) {
        og_buf_text(&text, "null");
    } else if (count == 1) {
        write_value(m, &text, s, i, columns[0]);
    } else {
        for (uint32_t k = 0; k < count; k++) {
            og_buf_byte(&text, k == 0 ? '{' : ',');
            og_json_write_str(&text, property_name(def, columns[k]));
            og_buf_byte(&text, ':');
            write_value(m, &text, s, i, columns[k]);
        }
        og_buf_byte(&text, '}');
    }
    *out = text.failed ? (og_str){NULL, 0} : og_arena_str(m->arena, og_buf_view(&text));
    return out->ptr != NULL ? OG_OK : og_error_nomem(err);
}

static og_status report_one(og_graph__merge *m, const og_graph__merge_table *t,
                            const og_graph__dispute *d, const side sides[3], size_t i,
                            og_error *err)
{
    og_graph__conflict conflict = {.def = t->def,
                                   .kind = d->kind,
                                   .has_base = sides[0].at[i] >= 0,
                                   .has_ours = sides[1].at[i] >= 0,
                                   .has_theirs = sides[2].at[i] >= 0};
    conflict.row_id = og_arena_str(m->arena, d->id);
    conflict.message =
        og_arena_printf(m->arena, "%s for id '%.*s'", dispute_text(d->kind), OG_FMT(d->id));
    if (conflict.row_id.ptr == NULL)
        return og_error_nomem(err);
    if (m->input->write_value == NULL)
        return add(m, &conflict, err);
    uint32_t count;
    const uint32_t *columns = shown_columns(m, t->def, d->columns, &count);
    if (columns == NULL)
        return og_error_nomem(err);
    if (count == 1)
        conflict.property = property_name(t->def, columns[0]);
    OG_TRY(values_of(m, t->def, &sides[0], i, columns, count, &conflict.base, err));
    OG_TRY(values_of(m, t->def, &sides[1], i, columns, count, &conflict.ours, err));
    OG_TRY(values_of(m, t->def, &sides[2], i, columns, count, &conflict.theirs, err));
    return add(m, &conflict, err);
}

static og_status report_some(og_graph__merge *m, const og_graph__merge_table *t,
                             const og_graph__dispute *disputes, size_t count, side sides[3],
                             og_error *err)
{
    uint32_t base[SHOWN_AT_ONCE], ours[SHOWN_AT_ONCE], theirs[SHOWN_AT_ONCE];
    for (size_t i = 0; i < count; i++) {
        base[i] = disputes[i].base;
        ours[i] = disputes[i].ours;
        theirs[i] = disputes[i].theirs;
    }
    OG_TRY(read_side(t, t->base, base, count, &sides[0], err));
    OG_TRY(read_side(t, t->ours, ours, count, &sides[1], err));
    OG_TRY(read_side(t, t->theirs, theirs, count, &sides[2], err));
    for (size_t i = 0; i < count; i++)
        OG_TRY(report_one(m, t, &disputes[i], sides, i, err));
    return OG_OK;
}

og_status og_graph__report_disputes(og_graph__merge *m, const og_graph__merge_table *t,
                                    const og_graph__dispute *disputes, size_t count, og_error *err)
{
    for (size_t start = 0; start < count; start += SHOWN_AT_ONCE) {
        size_t n = count - start < SHOWN_AT_ONCE ? count - start : SHOWN_AT_ONCE;
        side sides[3] = {0};
        og_status s = report_some(m, t, disputes + start, n, sides, err);
        for (int i = 0; i < 3; i++)
            og_batch_deinit(&sides[i].rows);
        OG_TRY(s);
    }
    return OG_OK;
}
