/* graph/merge: values of rows, as they are and as they will be. */
#include "columnar/builder.h"
#include "graph/merge_priv.h"

/* One column of the rows, in the form in which it is written or shown. */
static og_status read_column(const og_type_def *def, og_lance_table *table, const uint32_t *slots,
                             size_t count, uint32_t column, bool materialize, og_array **out,
                             og_error *err)
{
    const og_field *field = &def->table_schema->fields[column];
    int32_t found = og_lance_table_find_field(table, field->name);
    if (found < 0) {
        *out = og_array_new_null(field->type, (int64_t)count);
        return *out != NULL ? OG_OK : og_error_nomem(err);
    }
    uint32_t number = (uint32_t)found, all;
    OG_AUTO_BATCH values = {0};
    OG_TRY(og_lance_take(table, &number, 1, slots, count, &values, err));
    if (materialize && og_lance_table_fields(table, &all)[number].is_blob)
        return og_lance_blob_materialize(table, number, slots, values.columns[0], out, err);
    *out = og_array_ref(values.columns[0]);
    return OG_OK;
}

og_status og_graph__columns_read(const og_type_def *def, og_lance_table *table,
                                 const uint32_t *slots, size_t count, const uint32_t *columns,
                                 uint32_t column_count, bool materialize, og_batch *out,
                                 og_error *err)
{
    uint32_t n = columns != NULL ? column_count : def->table_schema->field_count;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, n, (int64_t)count, err));
    for (uint32_t i = 0; i < n; i++)
        OG_TRY(read_column(def, table, slots, count, columns != NULL ? columns[i] : i, materialize,
                           &batch.columns[i], err));
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

/* ---- rows that are combined of both sides ------------------------------------------------- */

static bool is_ours(const og_graph__taken *row, uint32_t column)
{
    return row->from_ours != NULL && (row->from_ours[column / 64] >> (column % 64) & 1) != 0;
}

/* One column: of each row the value of the side that it is taken from. */
static og_status choose(const og_graph__taken *rows, size_t count, uint32_t column,
                        const og_array *theirs, const og_array *ours, og_array **out, og_error *err)
{
    OG_AUTO(og_builder) b = og_builder_new(theirs->type);
    if (b == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        if (!og_builder_append_array(b, is_ours(&rows[i], column) ? ours : theirs, (int64_t)i, 1))
            break;
    return og_builder_finish(b, out, err);
}

static og_status read_side(const og_graph__merge_table *t, const og_graph__taken *rows,
                           size_t count, bool of_ours, const uint32_t *columns,
                           uint32_t column_count, bool materialize, og_batch *out, og_error *err)
{
    OG_AUTO_FREE uint32_t *slots = og_calloc(count, sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    /* A new row has no slot in ours, and takes nothing from there: any slot will do. */
    for (size_t i = 0; i < count; i++)
        slots[i] = !of_ours                     ? rows[i].theirs
                   : rows[i].ours != OG_NO_SLOT ? rows[i].ours
                                                : rows[0].ours;
    return og_graph__columns_read(t->def, of_ours ? t->ours : t->theirs, slots, count, columns,
                                  column_count, materialize, out, err);
}

og_status og_graph__taken_read(const og_graph__merge_table *t, size_t start, size_t count,
                               const uint32_t *columns, uint32_t column_count, bool materialize,
                               og_batch *out, og_error *err)
{
    const og_graph__taken *rows = t->taken.items + start;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(read_side(t, rows, count, false, columns, column_count, materialize, &batch, err));
    bool any_combined = false;
    for (size_t i = 0; i < count; i++)
        any_combined |= rows[i].from_ours != NULL;
    if (any_combined) {
        OG_AUTO_BATCH ours = {0};
        OG_TRY(read_side(t, rows, count, true, columns, column_count, materialize, &ours, err));
        for (uint32_t i = 0; i < batch.column_count; i++) {
            og_array *chosen;
            OG_TRY(choose(rows, count, columns != NULL ? columns[i] : i, batch.columns[i],
                          ours.columns[i], &chosen, err));
            og_array_unref(batch.columns[i]);
            batch.columns[i] = chosen;
        }
    }
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}
