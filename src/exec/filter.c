/* FILTER: rows for which all predicates hold.
 *
 * Values are gathered for the rows at hand. When that has touched a quarter of a type's nodes, the
 * predicates on one variable are evaluated once over the whole table instead, and rows test a bit.
 * A predicate that names the id is answered by the directory: rows compare one vertex. */
#include "exec/run_priv.h"

#include "lance/table/table.h"

typedef struct filter {
    og_exec__op op;
    int32_t skip; /* predicate answered elsewhere, or -1 */
    bool prepared;
    bool nothing; /* a constant predicate is false */
    bool has_key;
    uint32_t key_vertex, key_slot;
    uint64_t tested; /* rows so far */
    uint8_t *set;    /* bit per vertex; NULL = not made */
    og_mask mask, other;
    uint32_t *selected;
    uint32_t buffer_rows;
} filter;

/* ---- values ------------------------------------------------------------------------------- */

static uint32_t predicate_columns(const filter *self, uint32_t *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < self->op.step->predicate_count; i++) {
        const og_exec__predicate *p = &self->op.step->predicates[i];
        if ((int32_t)i == self->skip || count + 2 > OG_EXEC_GATHER_MAX)
            continue;
        if (p->left.kind == OG_OPERAND_COLUMN)
            out[count++] = p->left.index;
        if (p->right.kind == OG_OPERAND_COLUMN)
            out[count++] = p->right.index;
    }
    return count;
}

static og_status test_values(filter *self, og_exec__rows *rows, uint32_t *out_count, og_error *err)
{
    uint32_t columns[OG_EXEC_GATHER_MAX];
    og_mask *all = &self->mask;
    bool first = true;
    OG_TRY(og_exec__gather(self->op.x, rows, columns, predicate_columns(self, columns), err));
    for (uint32_t i = 0; i < self->op.step->predicate_count; i++) {
        if ((int32_t)i == self->skip)
            continue;
        og_mask *mask = first ? all : &self->other;
        OG_TRY(og_exec__test(self->op.x, &self->op.step->predicates[i], rows, mask, err));
        if (!first)
            og_mask_and(all, mask);
        first = false;
    }
    *out_count = first ? rows->count : (uint32_t)og_mask_select(all, self->selected);
    for (uint32_t i = 0; first && i < rows->count; i++)
        self->selected[i] = i;
    return OG_OK;
}

/* ---- the key and the set ------------------------------------------------------------------ */

static uint32_t test_key(filter *self, const og_exec__rows *rows)
{
    uint32_t var = self->op.step->var, count = 0;
    const uint32_t *vertices = rows->vertices[var], *slots = rows->slots[var];
    for (uint32_t i = 0; i < rows->count; i++) {
        self->selected[count] = i;
        count += vertices != NULL ? vertices[i] == self->key_vertex : slots[i] == self->key_slot;
    }
    return count;
}

static og_status build_set(filter *self, const og_exec__table *t, og_error *err)
{
    og_exec *x = self->op.x;
    uint32_t count;
    OG_AUTO_FREE uint32_t *slots = NULL;
    OG_TRY(og_exec__matching_slots(x, self->op.step, &slots, &count, err));
    uint8_t *set = og_arena_calloc(x->arena, og_bitmap_bytes(t->vertex_limit), 1);
    if (set == NULL)
        return og_error_nomem(err);
    OG_TRY(og_exec__vertices_of_slots(t->table, slots, count, slots, err));
    for (uint32_t i = 0; i < count; i++)
        og_bit_set(set, slots[i]);
    self->set = set;
    return OG_OK;
}

/* *out_done false: there is no set (yet), values must be tested. */
static og_status test_set(filter *self, const og_exec__rows *rows, uint32_t *out_count,
                          bool *out_done, og_error *err)
{
    const og_exec__step *step = self->op.step;
    *out_done = false;
    if (step->kind != OG_STEP_FILTER || step->var == OG_NO_VAR || rows->vertices[step->var] == NULL)
        return OG_OK;
    const og_exec__table *t;
    OG_TRY(og_exec__table_of(self->op.x, step->var, &t, err));
    self->tested += rows->count;
    if (self->set == NULL) {
        if (self->tested < 256 + og_lance_table_row_count(t->table) / 4)
            return OG_OK;
        OG_TRY(build_set(self, t, err));
    }
    const uint32_t *vertices = rows->vertices[step->var];
    *out_count = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        self->selected[*out_count] = i;
        *out_count += og_bit_get(self->set, vertices[i]);
    }
    *out_done = true;
    return OG_OK;
}

/* ---- the operator ------------------------------------------------------------------------- */

static bool is_constant(const og_exec__predicate *p)
{
    return p->left.kind == OG_OPERAND_CONST && p->right.kind == OG_OPERAND_CONST;
}

/* A predicate without columns holds for all rows or for none. */
static og_status test_constants(filter *self, og_error *err)
{
    og_exec__rows one = {.count = 1};
    for (uint32_t i = 0; i < self->op.step->predicate_count; i++) {
        if (!is_constant(&self->op.step->predicates[i]))
            continue;
        OG_TRY(og_exec__test(self->op.x, &self->op.step->predicates[i], &one, &self->mask, err));
        self->nothing |= og_mask_count(&self->mask) == 0;
    }
    return OG_OK;
}

static og_status prepare(filter *self, og_error *err)
{
    const og_exec__step *step = self->op.step;
    OG_TRY(test_constants(self, err));
    self->prepared = true;
    if (step->kind != OG_STEP_FILTER || step->var == OG_NO_VAR)
        return OG_OK;
    OG_TRY(og_exec__find_key(self->op.x, step, &self->has_key, &self->key_vertex, err));
    if (!self->has_key)
        return OG_OK;
    self->skip = step->key_predicate;
    self->nothing |= self->key_vertex == OG_NO_VERTEX;
    if (self->nothing)
        return OG_OK;
    const og_exec__table *t;
    OG_TRY(og_exec__table_of(self->op.x, step->var, &t, err));
    return og_exec__slots_of_vertices(t->table, &self->key_vertex, 1, &self->key_slot, err);
}

static og_status make_buffer(filter *self, uint32_t rows, og_error *err)
{
    if (rows <= self->buffer_rows)
        return OG_OK;
    self->selected = og_arena_alloc(self->op.x->arena, ((size_t)rows + 1) * sizeof(uint32_t));
    if (self->selected == NULL)
        return og_error_nomem(err);
    self->buffer_rows = rows;
    return OG_OK;
}

static og_status keep_selected(filter *self, og_exec__rows *rows, uint32_t count, og_error *err)
{
    return og_exec__rows_select(self->op.x, rows, self->selected, count,
                                self->op.step->live_columns, err);
}

static og_status filter_rows(filter *self, og_exec__rows *rows, og_error *err)
{
    OG_TRY(make_buffer(self, rows->capacity, err));
    if (self->has_key)
        OG_TRY(keep_selected(self, rows, test_key(self, rows), err));
    if (rows->count == 0)
        return OG_OK;
    bool done;
    uint32_t count;
    OG_TRY(test_set(self, rows, &count, &done, err));
    if (!done)
        OG_TRY(test_values(self, rows, &count, err));
    return keep_selected(self, rows, count, err);
}

static og_status filter_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    filter *self = (filter *)op;
    if (!self->prepared)
        OG_TRY(prepare(self, err));
    *out = NULL;
    while (!self->nothing) {
        og_exec__rows *rows;
        OG_TRY(og_exec__next(op->input, &rows, err));
        if (rows == NULL)
            return OG_OK;
        OG_TRY(filter_rows(self, rows, err));
        if (rows->count > 0) {
            *out = rows;
            return OG_OK;
        }
    }
    return OG_OK;
}

static void filter_close(og_exec__op *op)
{
    og_mask_deinit(&((filter *)op)->mask);
    og_mask_deinit(&((filter *)op)->other);
}

static void filter_describe(const og_exec__op *op, og_buf *out)
{
    const filter *self = (const filter *)op;
    bool first = true;
    for (uint32_t i = 0; i < op->step->predicate_count; i++) {
        if ((int32_t)i == self->skip && !self->has_key)
            continue; /* said by what answered it */
        og_buf_text(out, first ? "" : " and ");
        og_exec__describe_predicate(op->x->plan, &op->step->predicates[i], out);
        first = false;
    }
    if (self->has_key)
        og_buf_text(out, " (by directory)");
    if (self->set != NULL)
        og_buf_text(out, " (by set)");
}

static const og_exec__op_ops filter_ops = {
    .name = "Filter",
    .next = filter_next,
    .close = filter_close,
    .describe = filter_describe,
};

og_status og_exec__make_filter(og_exec *x, const og_exec__step *step, int32_t skip,
                               og_exec__op *input, og_exec__op **out, og_error *err)
{
    OG_TRY(og_exec__op_new(x, &filter_ops, sizeof(filter), step, input, 0, out, err));
    ((filter *)*out)->skip = skip;
    return OG_OK;
}
