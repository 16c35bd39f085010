/* A SCAN that is not the first: each row so far with each node of the type.
 *
 * The nodes that pass the step's predicates are found once; rows are made a vector at a time, so
 * the product itself is never held. Where the next step keeps only rows in which a column of the
 * nodes equals one of the row, only nodes of that value are paired with it (join.c). */
#include "exec/run_priv.h"

#include <inttypes.h>

typedef struct cross {
    og_exec__op op;
    const uint8_t *matched;
    bool prepared;
    uint32_t *slots;    /* of the nodes, ascending */
    uint32_t *vertices; /* parallel; NULL when not used */
    uint32_t count;
    og_exec__rows *rows;
    uint32_t row, given; /* given: nodes of the row; with a join, its place there */
    uint32_t *from;
    bool is_join;
    og_exec__join join;
    uint32_t *nodes; /* with a join: of the vector's rows */
} cross;

static og_status prepare(cross *self, og_error *err)
{
    og_exec *x = self->op.x;
    uint32_t var = self->op.step->var;
    OG_TRY(og_exec__matching_slots(x, self->op.step, &self->slots, &self->count, err));
    OG_TRY(og_exec__reserve(x, "cross product", (size_t)self->count * 8, err));
    self->prepared = true;
    if (self->is_join)
        OG_TRY(og_exec__join_build(&self->join, x, self->slots, self->count, err));
    if (!self->op.step->live_vertices[var])
        return OG_OK;
    const og_exec__table *t;
    OG_TRY(og_exec__table_of(x, var, &t, err));
    self->vertices = og_malloc(((size_t)self->count + 1) * sizeof *self->vertices);
    if (self->vertices == NULL)
        return og_error_nomem(err);
    return og_exec__vertices_of_slots(t->table, self->slots, self->count, self->vertices, err);
}

/* Fill the vector with (row, node) pairs; returns how many. */
static uint32_t fill(cross *self, uint32_t *slots, uint32_t *vertices)
{
    uint32_t count = 0, capacity = self->op.rows.capacity;
    while (self->row < self->rows->count && count < capacity) {
        if (self->matched != NULL && self->matched[self->rows->tags[self->row]])
            self->given = self->count;
        uint32_t n = self->count - self->given;
        if (n > capacity - count)
            n = capacity - count;
        for (uint32_t i = 0; i < n; i++)
            self->from[count + i] = self->row;
        if (n > 0 && slots != NULL)
            memcpy(slots + count, self->slots + self->given, n * sizeof *slots);
        if (n > 0 && vertices != NULL)
            memcpy(vertices + count, self->vertices + self->given, n * sizeof *vertices);
        count += n;
        self->given += n;
        if (self->given == self->count) {
            self->given = 0;
            self->row++;
        }
    }
    return count;
}

/* The same with nodes that may join the row. */
static uint32_t fill_joined(cross *self, uint32_t *slots, uint32_t *vertices)
{
    uint32_t count = 0, capacity = self->op.rows.capacity;
    while (self->row < self->rows->count && count < capacity) {
        if (self->matched != NULL && self->matched[self->rows->tags[self->row]])
            self->given = OG_JOIN_DONE;
        uint32_t n = self->given == OG_JOIN_DONE
                         ? 0
                         : og_exec__join_probe(&self->join, self->row, &self->given,
                                               self->nodes + count, capacity - count);
        for (uint32_t i = 0; i < n; i++)
            self->from[count + i] = self->row;
        count += n;
        if (self->given == OG_JOIN_DONE) {
            self->given = 0;
            self->row++;
        }
    }
    for (uint32_t i = 0; i < count && slots != NULL; i++)
        slots[i] = self->slots[self->nodes[i]];
    for (uint32_t i = 0; i < count && vertices != NULL; i++)
        vertices[i] = self->vertices[self->nodes[i]];
    return count;
}

static og_status next_rows(cross *self, og_error *err)
{
    OG_TRY(og_exec__next(self->op.input, &self->rows, err));
    self->row = self->given = 0;
    if (self->rows == NULL || !self->is_join)
        return OG_OK;
    return og_exec__join_rows(&self->join, self->op.x, self->rows, err);
}

static og_status cross_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    cross *self = (cross *)op;
    const og_exec__step *step = op->step;
    uint32_t *slots = NULL, *vertices = NULL, count = 0;
    if (!self->prepared)
        OG_TRY(prepare(self, err));
    *out = NULL;
    og_exec__rows_clear(op->x, &op->rows);
    if (step->live_vars[step->var])
        OG_TRY(og_exec__rows_slots(op->x, &op->rows, step->var, &slots, err));
    if (step->live_vertices[step->var])
        OG_TRY(og_exec__rows_vertices(op->x, &op->rows, step->var, &vertices, err));
    while (count == 0) {
        if (self->rows == NULL || self->row == self->rows->count)
            OG_TRY(next_rows(self, err));
        if (self->rows == NULL || self->count == 0)
            return OG_OK;
        count = self->is_join ? fill_joined(self, slots, vertices) : fill(self, slots, vertices);
    }
    OG_TRY(og_exec__rows_spread(op->x, self->rows, self->from, count, step, &op->rows, err));
    *out = &op->rows;
    return OG_OK;
}

static void cross_reset(og_exec__op *op)
{
    ((cross *)op)->rows = NULL;
}

static void cross_close(og_exec__op *op)
{
    cross *self = (cross *)op;
    og_free(self->slots);
    og_free(self->vertices);
    og_exec__join_deinit(&self->join);
}

static void cross_describe(const og_exec__op *op, og_buf *out)
{
    const cross *self = (const cross *)op;
    const og_ir_var *var = &op->x->plan->query->vars[op->step->var];
    og_buf_printf(out, "$%.*s: %.*s", OG_FMT(var->name), OG_FMT(var->def->name));
    for (uint32_t i = 0; i < op->step->predicate_count; i++) {
        og_buf_text(out, i == 0 ? " where " : " and ");
        og_exec__describe_predicate(op->x->plan, &op->step->predicates[i], out);
    }
    if (self->is_join) {
        og_buf_text(out, " by ");
        og_exec__describe_predicate(op->x->plan, self->join.predicate, out);
    }
    if (self->prepared)
        og_buf_printf(out, " (%" PRIu32 " nodes)", self->count);
}

static const og_exec__op_ops cross_ops = {
    .name = "Cross",
    .next = cross_next,
    .reset = cross_reset,
    .close = cross_close,
    .describe = cross_describe,
};

static const og_exec__op_ops join_ops = {
    .name = "Join",
    .next = cross_next,
    .reset = cross_reset,
    .close = cross_close,
    .describe = cross_describe,
};

og_status og_exec__make_cross(og_exec *x, const og_exec__step *step, uint32_t step_count,
                              og_exec__op *input, const uint8_t *matched, og_exec__op **out,
                              og_error *err)
{
    og_exec__join join = {0};
    bool is_join = og_exec__find_join(x->plan, step, step_count, &join);
    OG_TRY(og_exec__op_new(x, is_join ? &join_ops : &cross_ops, sizeof(cross), step, input,
                           OG_EXEC_ROWS, out, err));
    cross *self = (cross *)*out;
    self->is_join = is_join;
    self->join = join;
    if (is_join) {
        self->nodes = og_arena_alloc(x->arena, OG_EXEC_ROWS * sizeof *self->nodes);
        if (self->nodes == NULL)
            return og_error_nomem(err);
    }
    self->matched = matched;
    self->from = og_arena_alloc(x->arena, OG_EXEC_ROWS * sizeof *self->from);
    return self->from != NULL ? OG_OK : og_error_nomem(err);
}
