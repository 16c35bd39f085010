/* SCAN with predicates of columns against constants: tested on the values of a page's dictionary,
 * its one value or its runs before any row is expanded. Gives slots; what else rows need is read
 * for those that are left.
 *
 * Of several predicates the first one, an equality when there is one, leads: it gives slots. The
 * others are looked at where it left some, and pass over the pages between. Each has a scan of its
 * own, because the pages of two columns end in different rows. */
#include "exec/run_priv.h"

#include <inttypes.h>

typedef struct part {
    const og_exec__predicate *predicate;
    uint32_t field;
    og_lance_code_scan *scan;
    og_lance_codes batch; /* rows from `at` on are still to be looked at */
    uint32_t at;
    og_mask passes; /* by value */
    uint64_t tested_id;
} part;

typedef struct coded_scan {
    og_exec__op op;
    const og_exec__table *table;
    part *parts;
    uint32_t count;
} coded_scan;

/* row_count 0 at the end. */
static og_status next_batch(og_exec *x, part *p, og_error *err)
{
    p->at = 0;
    OG_TRY(og_lance_code_scan_next(p->scan, &p->batch, err));
    if (p->batch.row_count == 0 || p->batch.values_id == p->tested_id)
        return OG_OK;
    OG_TRY(og_exec__test_constant(p->batch.values, p->predicate->op,
                                  &x->constants[p->predicate->right.index], &p->passes, err));
    p->tested_id = p->batch.values_id;
    return OG_OK;
}

/* Enough to hand on: a limit above may want no more. */
#define ENOUGH_ROWS 1024

/* Slots of rows that pass by the part that leads, at most `room`; none at the end. */
static og_status collect(og_exec *x, part *p, uint32_t *slots, uint32_t room, uint32_t *out_count,
                         og_error *err)
{
    uint32_t count = 0;
    while (count < room) {
        if (p->at == p->batch.row_count) {
            if (count >= ENOUGH_ROWS)
                break;
            OG_TRY(next_batch(x, p, err));
            if (p->batch.row_count == 0)
                break;
        }
        const og_lance_codes *b = &p->batch;
        for (; p->at < b->row_count && count < room; p->at++) {
            slots[count] = b->slots[p->at];
            count += og_mask_true(&p->passes, b->codes[p->at]);
        }
    }
    *out_count = count;
    return OG_OK;
}

/* Of `slots`, live and ascending from call to call, keep those whose row passes by `p`, too. */
static og_status keep_passing(og_exec *x, part *p, uint32_t *slots, uint32_t count,
                              uint32_t *out_count, og_error *err)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count;) {
        const og_lance_codes *b = &p->batch;
        if (p->at == b->row_count || b->slots[b->row_count - 1] < slots[i]) {
            og_lance_code_scan_skip(p->scan, slots[i]);
            OG_TRY(next_batch(x, p, err));
            if (p->batch.row_count == 0) /* the slot lives by another column */
                return og_error_set(err, OG_CORRUPT,
                                    "field %" PRIu32 " has fewer rows than others of its table",
                                    p->field);
            continue;
        }
        uint32_t last = b->slots[b->row_count - 1], at = p->at;
        for (; i < count && slots[i] <= last; i++) {
            while (b->slots[at] < slots[i])
                at++;
            slots[kept] = slots[i];
            kept += og_mask_true(&p->passes, b->codes[at]);
        }
        p->at = at;
    }
    *out_count = kept;
    return OG_OK;
}

static og_status open_scans(coded_scan *self, og_error *err)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (self->parts[i].scan == NULL)
            OG_TRY(og_lance_code_scan_open(self->table->table, self->parts[i].field, 0,
                                           &self->parts[i].scan, err));
    return OG_OK;
}

static og_status coded_scan_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    coded_scan *self = (coded_scan *)op;
    uint32_t *slots, count = 0, found = 1;
    *out = NULL;
    og_exec__rows_clear(op->x, &op->rows);
    OG_TRY(open_scans(self, err));
    OG_TRY(og_exec__rows_slots(op->x, &op->rows, op->step->var, &slots, err));
    while (count == 0 && found != 0) {
        OG_TRY(collect(op->x, &self->parts[0], slots, op->rows.capacity, &found, err));
        count = found;
        for (uint32_t i = 1; i < self->count && count != 0; i++)
            OG_TRY(keep_passing(op->x, &self->parts[i], slots, count, &count, err));
    }
    if (count == 0)
        return OG_OK;
    *out = &op->rows;
    return og_exec__rows_found(op, self->table->table, slots, count, err);
}

static void coded_scan_reset(og_exec__op *op)
{
    coded_scan *self = (coded_scan *)op;
    for (uint32_t i = 0; i < self->count; i++) {
        part *p = &self->parts[i];
        og_lance_code_scan_close(p->scan);
        p->scan = NULL;
        p->batch = (og_lance_codes){0};
        p->at = 0;
        p->tested_id = 0;
    }
}

static void coded_scan_close(og_exec__op *op)
{
    coded_scan *self = (coded_scan *)op;
    coded_scan_reset(op);
    for (uint32_t i = 0; i < self->count; i++)
        og_mask_deinit(&self->parts[i].passes);
}

static void coded_scan_describe(const og_exec__op *op, og_buf *out)
{
    const coded_scan *self = (const coded_scan *)op;
    const og_ir_var *var = &op->x->plan->query->vars[op->step->var];
    og_buf_printf(out, "$%.*s: %.*s", OG_FMT(var->name), OG_FMT(var->def->name));
    for (uint32_t i = 0; i < self->count; i++) {
        og_buf_text(out, i == 0 ? ", " : " and ");
        og_exec__describe_predicate(op->x->plan, self->parts[i].predicate, out);
    }
    og_buf_text(out, " (by value)");
}

static const og_exec__op_ops coded_scan_ops = {
    .name = "Scan",
    .next = coded_scan_next,
    .reset = coded_scan_reset,
    .close = coded_scan_close,
    .describe = coded_scan_describe,
};

/* ---- choosing ----------------------------------------------------------------------------- */

static bool is_text(const og_exec *x, const og_exec__predicate *p)
{
    return x->plan->columns[p->left.index].arrow->id == OG_TYPE_UTF8;
}

/* Numbers that are wanted later would be read twice; text is seldom left in so many rows. */
static bool is_worth(const og_exec *x, const og_exec__step *step, const og_exec__predicate *p)
{
    if (p->left.kind != OG_OPERAND_COLUMN || p->right.kind != OG_OPERAND_CONST)
        return false;
    const og_exec__column *c = &x->plan->columns[p->left.index];
    if (c->var != step->var || c->type.list || c->type.scalar == OG_SCALAR_BLOB)
        return false;
    return !step->live_columns[p->left.index] || is_text(x, p);
}

/* Which predicates are parts of the scan, and the step without them. */
typedef struct choice {
    og_exec *x;
    part *parts;
    uint32_t count;
    og_exec__step *rest;
    og_exec__predicate *others; /* of `rest` */
} choice;

static og_status choose_one(choice *c, const og_exec__step *step, const og_exec__predicate *p,
                            og_error *err)
{
    int32_t field = -1;
    if (is_worth(c->x, step, p))
        OG_TRY(og_exec__field_of(c->x, p->left.index, &field, err));
    if (field >= 0)
        c->parts[c->count++] = (part){.predicate = p, .field = (uint32_t)field};
    else
        c->others[c->rest->predicate_count++] = *p;
    return OG_OK;
}

/* An equality leaves the fewest rows, of text most of all. */
static uint32_t rank(const og_exec *x, const og_exec__predicate *p)
{
    return p->op != OG_CMP_EQ ? 0 : is_text(x, p) ? 2 : 1;
}

static void choose_lead(choice *c)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < c->count; i++)
        if (rank(c->x, c->parts[i].predicate) > rank(c->x, c->parts[best].predicate))
            best = i;
    const part lead = c->parts[best];
    c->parts[best] = c->parts[0];
    c->parts[0] = lead;
}

static og_status choose(choice *c, const og_exec__step *step, og_error *err)
{
    og_arena *arena = c->x->arena;
    c->rest = og_arena_copy(arena, step, sizeof *step);
    c->others = og_arena_array_of(arena, og_exec__predicate, step->predicate_count);
    c->parts = og_arena_array_of(arena, part, step->predicate_count);
    if (c->rest == NULL || c->others == NULL || c->parts == NULL)
        return og_error_nomem(err);
    c->rest->predicates = c->others;
    c->rest->predicate_count = 0;
    c->rest->key_predicate = -1;
    for (uint32_t i = 0; i < step->predicate_count; i++)
        OG_TRY(choose_one(c, step, &step->predicates[i], err));
    if (c->count > 1)
        choose_lead(c);
    return OG_OK;
}

static bool has_text(const choice *c)
{
    bool found = false;
    for (uint32_t i = 0; i < c->count; i++)
        found = found || is_text(c->x, c->parts[i].predicate);
    return found;
}

/* Other columns are read for the rows that are left: these must be few, else all are read in one
 * go. So are several columns of numbers, which cost little to expand. */
static bool pays(const choice *c)
{
    if (c->rest->predicate_count != 0)
        return c->count != 0 && rank(c->x, c->parts[0].predicate) == 2;
    return c->count == 1 || has_text(c);
}

og_status og_exec__make_coded_scan(og_exec *x, const og_exec__step *step, og_exec__op **out,
                                   og_error *err)
{
    *out = NULL;
    if (step->predicate_count == 0)
        return OG_OK;
    choice c = {.x = x};
    OG_TRY(choose(&c, step, err));
    if (!pays(&c))
        return OG_OK;
    OG_TRY(og_exec__op_new(x, &coded_scan_ops, sizeof(coded_scan), step, NULL, OG_BATCH_ROWS, out,
                           err));
    coded_scan *self = (coded_scan *)*out;
    self->parts = c.parts;
    self->count = c.count;
    OG_TRY(og_exec__table_of(x, step->var, &self->table, err));
    return c.rest->predicate_count == 0 ? OG_OK
                                        : og_exec__make_filter(x, c.rest, -1, *out, out, err);
}
