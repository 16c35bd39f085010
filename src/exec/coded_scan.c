/* SCAN with one predicate, column against constant: tested on the values of a page's dictionary, its one
 * value or its runs before any row is expanded. Gives slots; what else rows need is read for those
 * that are left. */
#include "exec/run_priv.h"

typedef struct coded_scan {
    og_exec__op op;
    const og_exec__table *table;
    uint32_t field;
    og_lance_code_scan *scan;
    og_lance_codes batch; /* rows from `at` on are still to be looked at */
    uint32_t at;
    og_mask passes; /* by value */
    uint64_t tested_id;
} coded_scan;

static const og_exec__predicate *predicate(const coded_scan *self)
{
    return &self->op.step->predicates[0];
}

static og_status next_batch(coded_scan *self, og_error *err)
{
    const og_literal *value = &self->op.x->constants[predicate(self)->right.index];
    self->at = 0;
    OG_TRY(og_lance_code_scan_next(self->scan, &self->batch, err));
    if (self->batch.row_count == 0 || self->batch.values_id == self->tested_id)
        return OG_OK;
    OG_TRY(
        og_exec__test_constant(self->batch.values, predicate(self)->op, value, &self->passes, err));
    self->tested_id = self->batch.values_id;
    return OG_OK;
}

/* Enough to hand on: a limit above may want no more. */
#define ENOUGH_ROWS 1024

/* Slots of rows that pass, at most a full batch; none at the end. */
static og_status collect(coded_scan *self, uint32_t *slots, uint32_t *out_count, og_error *err)
{
    uint32_t count = 0, room = self->op.rows.capacity;
    while (count < room) {
        if (self->at == self->batch.row_count) {
            if (count >= ENOUGH_ROWS)
                break;
            OG_TRY(next_batch(self, err));
            if (self->batch.row_count == 0)
                break;
        }
        const og_lance_codes *b = &self->batch;
        for (; self->at < b->row_count && count < room; self->at++) {
            slots[count] = b->slots[self->at];
            count += og_mask_true(&self->passes, b->codes[self->at]);
        }
    }
    *out_count = count;
    return OG_OK;
}

static og_status coded_scan_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    coded_scan *self = (coded_scan *)op;
    uint32_t *slots, count;
    *out = NULL;
    og_exec__rows_clear(op->x, &op->rows);
    if (self->scan == NULL)
        OG_TRY(og_lance_code_scan_open(self->table->table, self->field, 0, &self->scan, err));
    OG_TRY(og_exec__rows_slots(op->x, &op->rows, op->step->var, &slots, err));
    OG_TRY(collect(self, slots, &count, err));
    if (count == 0)
        return OG_OK;
    *out = &op->rows;
    return og_exec__rows_found(op, self->table->table, slots, count, err);
}

static void coded_scan_reset(og_exec__op *op)
{
    coded_scan *self = (coded_scan *)op;
    og_lance_code_scan_close(self->scan);
    self->scan = NULL;
    self->batch = (og_lance_codes){0};
    self->at = 0;
    self->tested_id = 0;
}

static void coded_scan_close(og_exec__op *op)
{
    coded_scan_reset(op);
    og_mask_deinit(&((coded_scan *)op)->passes);
}

static void coded_scan_describe(const og_exec__op *op, og_buf *out)
{
    const og_ir_var *var = &op->x->plan->query->vars[op->step->var];
    og_buf_printf(out, "$%.*s: %.*s, ", OG_FMT(var->name), OG_FMT(var->def->name));
    og_exec__describe_predicate(op->x->plan, &op->step->predicates[0], out);
    og_buf_text(out, " (by value)");
}

static const og_exec__op_ops coded_scan_ops = {
    .name = "Scan",
    .next = coded_scan_next,
    .reset = coded_scan_reset,
    .close = coded_scan_close,
    .describe = coded_scan_describe,
};

/* Numbers that are wanted later would be read twice; text is seldom left in so many rows. */
static bool is_worth(const og_exec *x, const og_exec__step *step, uint32_t column)
{
    const og_exec__column *c = &x->plan->columns[column];
    if (c->var != step->var || c->type.list || c->type.scalar == OG_SCALAR_BLOB)
        return false;
    return !step->live_columns[column] || c->arrow->id == OG_TYPE_UTF8;
}

og_status og_exec__make_coded_scan(og_exec *x, const og_exec__step *step, og_exec__op **out,
                                   og_error *err)
{
    *out = NULL;
    const og_exec__predicate *p = &step->predicates[0];
    int32_t field;
    if (step->predicate_count != 1 || p->left.kind != OG_OPERAND_COLUMN ||
        p->right.kind != OG_OPERAND_CONST || !is_worth(x, step, p->left.index))
        return OG_OK;
    OG_TRY(og_exec__field_of(x, p->left.index, &field, err));
    if (field < 0)
        return OG_OK;
    OG_TRY(og_exec__op_new(x, &coded_scan_ops, sizeof(coded_scan), step, NULL, OG_BATCH_ROWS, out,
                           err));
    coded_scan *self = (coded_scan *)*out;
    self->field = (uint32_t)field;
    return og_exec__table_of(x, step->var, &self->table, err);
}
