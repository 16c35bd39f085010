/* Vectors of match rows, and the scratch memory that survives a run. */
#include "exec/run_priv.h"

#include "columnar/kernels.h"

/* ---- scratch ------------------------------------------------------------------------------ */

void og_exec__scratch_free(og_exec__scratch *scratch)
{
    if (scratch == NULL)
        return;
    og_arena_free(scratch->arena);
    og_free(scratch->marks.items);
    og_free(scratch);
}

og_status og_exec__marks_begin(og_exec__marks *marks, size_t count, og_error *err)
{
    if (marks->count < count) {
        uint32_t *grown = og_calloc(count, sizeof *grown);
        if (grown == NULL)
            return og_error_nomem(err);
        og_free(marks->items);
        *marks = (og_exec__marks){grown, count, 0};
    }
    if (++marks->epoch == 0) {
        memset(marks->items, 0, marks->count * sizeof *marks->items);
        marks->epoch = 1;
    }
    return OG_OK;
}

/* ---- rows --------------------------------------------------------------------------------- */

og_status og_exec__rows_init(og_exec *x, og_exec__rows *rows, uint32_t capacity, og_error *err)
{
    uint32_t var_count = x->plan->query->var_count;
    uint32_t **pointers = og_arena_array_of(x->arena, uint32_t *, (size_t)var_count * 4);
    og_array **columns = og_arena_array_of(x->arena, og_array *, x->plan->column_count);
    if (pointers == NULL || columns == NULL)
        return og_error_nomem(err);
    *rows = (og_exec__rows){.capacity = capacity, .columns = columns};
    rows->vertices = pointers;
    rows->slots = pointers + var_count;
    rows->vertex_buffers = pointers + 2 * (size_t)var_count;
    rows->slot_buffers = pointers + 3 * (size_t)var_count;
    return OG_OK;
}

void og_exec__rows_clear(const og_exec *x, og_exec__rows *rows)
{
    if (rows->columns == NULL)
        return;
    for (uint32_t i = 0; i < x->plan->column_count; i++) {
        og_array_unref(rows->columns[i]);
        rows->columns[i] = NULL;
    }
    memset(rows->vertices, 0, x->plan->query->var_count * 2 * sizeof *rows->vertices);
    rows->tags = NULL;
    rows->weights = NULL;
    rows->count = 0;
}

static og_status carry(og_exec *x, uint32_t capacity, uint32_t **buffer, uint32_t **out,
                       og_error *err)
{
    if (*buffer == NULL)
        *buffer = og_arena_alloc(x->arena, (size_t)capacity * sizeof **buffer);
    *out = *buffer;
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_exec__rows_vertices(og_exec *x, og_exec__rows *rows, uint32_t var, uint32_t **out,
                                 og_error *err)
{
    OG_TRY(carry(x, rows->capacity, &rows->vertex_buffers[var], &rows->vertices[var], err));
    *out = rows->vertices[var];
    return OG_OK;
}

og_status og_exec__rows_slots(og_exec *x, og_exec__rows *rows, uint32_t var, uint32_t **out,
                              og_error *err)
{
    OG_TRY(carry(x, rows->capacity, &rows->slot_buffers[var], &rows->slots[var], err));
    *out = rows->slots[var];
    return OG_OK;
}

og_status og_exec__rows_tags(og_exec *x, og_exec__rows *rows, og_error *err)
{
    return carry(x, rows->capacity, &rows->tag_buffer, &rows->tags, err);
}

og_status og_exec__rows_weights(og_exec *x, og_exec__rows *rows, og_error *err)
{
    if (rows->weight_buffer == NULL)
        rows->weight_buffer =
            og_arena_alloc(x->arena, (size_t)rows->capacity * sizeof *rows->weight_buffer);
    rows->weights = rows->weight_buffer;
    return rows->weights != NULL ? OG_OK : og_error_nomem(err);
}

static void pick(uint32_t *values, const uint32_t *selected, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        values[i] = values[selected[i]];
}

static og_status select_column(og_array **column, const uint32_t *selected, uint32_t count,
                               bool live, og_error *err)
{
    og_array *kept = NULL;
    if (live)
        OG_TRY(og_take_u32(*column, selected, count, &kept, err));
    og_array_unref(*column);
    *column = kept;
    return OG_OK;
}

og_status og_exec__rows_select(og_exec *x, og_exec__rows *rows, const uint32_t *selected,
                               uint32_t count, const bool *live_columns, og_error *err)
{
    for (uint32_t i = 0; i < x->plan->column_count; i++) {
        if (rows->columns[i] == NULL || (count == rows->count && live_columns[i]))
            continue;
        OG_TRY(select_column(&rows->columns[i], selected, count, live_columns[i], err));
    }
    if (count == rows->count)
        return OG_OK;
    for (uint32_t v = 0; v < x->plan->query->var_count; v++) {
        if (rows->vertices[v] != NULL)
            pick(rows->vertices[v], selected, count);
        if (rows->slots[v] != NULL)
            pick(rows->slots[v], selected, count);
    }
    if (rows->tags != NULL)
        pick(rows->tags, selected, count);
    for (uint32_t i = 0; rows->weights != NULL && i < count; i++)
        rows->weights[i] = rows->weights[selected[i]];
    rows->count = count;
    return OG_OK;
}

static void spread(uint32_t *dst, const uint32_t *values, const uint32_t *from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        dst[i] = values[from[i]];
}

static og_status spread_var(og_exec *x, const og_exec__rows *rows, uint32_t var,
                            const uint32_t *from, uint32_t count, bool vertex_used,
                            og_exec__rows *out, og_error *err)
{
    uint32_t *dst;
    if (rows->vertices[var] != NULL && (vertex_used || rows->slots[var] == NULL)) {
        OG_TRY(og_exec__rows_vertices(x, out, var, &dst, err));
        spread(dst, rows->vertices[var], from, count);
    }
    if (rows->slots[var] != NULL) {
        OG_TRY(og_exec__rows_slots(x, out, var, &dst, err));
        spread(dst, rows->slots[var], from, count);
    }
    return OG_OK;
}

og_status og_exec__rows_spread(og_exec *x, const og_exec__rows *rows, const uint32_t *from,
                               uint32_t count, const og_exec__step *step, og_exec__rows *out,
                               og_error *err)
{
    for (uint32_t v = 0; v < x->plan->query->var_count; v++) {
        if (step->live_vars[v])
            OG_TRY(spread_var(x, rows, v, from, count, step->live_vertices[v], out, err));
    }
    for (uint32_t c = 0; c < x->plan->column_count; c++) {
        if (rows->columns[c] != NULL && step->live_columns[c])
            OG_TRY(og_take_u32(rows->columns[c], from, count, &out->columns[c], err));
    }
    if (rows->tags != NULL) {
        OG_TRY(og_exec__rows_tags(x, out, err));
        spread(out->tags, rows->tags, from, count);
    }
    if (rows->weights != NULL) {
        OG_TRY(og_exec__rows_weights(x, out, err));
        for (uint32_t i = 0; i < count; i++)
            out->weights[i] = rows->weights[from[i]];
    }
    out->count = count;
    return OG_OK;
}
