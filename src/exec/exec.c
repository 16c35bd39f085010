/* A run: opening, pulling, closing, and what all operators share. */
#include "exec/run_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/timeval.h"

/* Marks above this are not kept with the plan after a run. */
#define MAX_KEPT_MARKS ((size_t)1 << 20)

/* ---- limits ------------------------------------------------------------------------------- */

og_status og_exec__check(og_exec *x, og_error *err)
{
    const og_exec_options *o = &x->options;
    if (o->cancel != NULL && __atomic_load_n(o->cancel, __ATOMIC_RELAXED) != 0)
        return og_error_set(err, OG_CANCELLED, "the query was cancelled");
    if (o->deadline_ns != 0 && og_monotonic_ns() >= o->deadline_ns)
        return og_error_set(err, OG_TIMEOUT, "the query ran out of time");
    return OG_OK;
}

og_status og_exec__reserve(og_exec *x, const char *name, size_t bytes, og_error *err)
{
    if (!og_budget_try_add(x->options.budget, bytes)) {
        const og_budget *b = x->options.budget;
        return og_error_set(err, OG_NOMEM, "memory limit: %s needs %" PRIu64 " of %" PRIu64, name,
                            og_budget_used(b) + bytes, b->limit);
    }
    x->reserved += bytes;
    return OG_OK;
}

bool og_exec__note_choice(og_exec *x, og_str what, og_str method, og_str because)
{
    return what.ptr != NULL && method.ptr != NULL && because.ptr != NULL &&
           og_vec_push(&x->choices, (og_exec__choice){what, method, because});
}

/* ---- operators ---------------------------------------------------------------------------- */

og_status og_exec__op_new(og_exec *x, const og_exec__op_ops *ops, size_t size,
                          const og_exec__step *step, og_exec__op *input, uint32_t capacity,
                          og_exec__op **out, og_error *err)
{
    og_exec__op *op = og_arena_calloc(x->arena, 1, size);
    if (op == NULL)
        return og_error_nomem(err);
    op->ops = ops;
    op->x = x;
    op->input = input;
    op->step = step;
    *out = op;
    return capacity > 0 ? og_exec__rows_init(x, &op->rows, capacity, err) : OG_OK;
}

static og_status timed_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    og_exec__cost start = og_exec__cost_now(op->x);
    og_status status = op->ops->next(op, out, err);
    og_exec__cost_add(op->x, &start, &op->cost);
    return status;
}

og_status og_exec__next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    OG_TRY(og_exec__check(op->x, err));
    if (op->x->options.analyze)
        OG_TRY(timed_next(op, out, err));
    else
        OG_TRY(op->ops->next(op, out, err));
    if (*out != NULL) {
        op->row_count += (*out)->count;
        op->batch_count++;
    }
    return OG_OK;
}

void og_exec__reset(og_exec__op *op)
{
    for (; op != NULL; op = op->input) {
        if (op->ops->reset != NULL)
            op->ops->reset(op);
    }
}

void og_exec__close_chain(og_exec__op *op)
{
    for (; op != NULL; op = op->input) {
        if (op->ops->close != NULL)
            op->ops->close(op);
        og_exec__rows_clear(op->x, &op->rows);
    }
}

/* The step, of `step_count` left. */
static og_status make_step(og_exec *x, const og_exec__step *step, uint32_t step_count,
                           og_exec__op *input, const uint8_t *matched, og_exec__op **out,
                           og_error *err)
{
    switch (step->kind) {
    case OG_STEP_SCAN:
        return og_exec__make_cross(x, step, step_count, input, matched, out, err);
    case OG_STEP_EXPAND:
        return og_exec__make_expand(x, step, input, matched, out, err);
    case OG_STEP_FILTER:
        return og_exec__make_filter(x, step, -1, input, out, err);
    case OG_STEP_ANTI:
        return og_exec__make_anti(x, step, input, out, err);
    }
    return OG_OK;
}

og_status og_exec__make_chain(og_exec *x, const og_exec__pipeline *pipeline, uint32_t first,
                              og_exec__op *input, const uint8_t *matched, og_exec__op **out,
                              og_error *err)
{
    /* *out is kept up to date so that a chain cut short by an error can be closed. */
    *out = input;
    for (uint32_t i = first; i < pipeline->step_count; i++) {
        og_exec__op *op = NULL;
        og_status status =
            make_step(x, &pipeline->steps[i], pipeline->step_count - i, *out, matched, &op, err);
        if (op != NULL)
            *out = op;
        OG_TRY(status);
    }
    return OG_OK;
}

/* ---- opening ------------------------------------------------------------------------------ */

static og_exec__scratch *scratch_new(void)
{
    og_exec__scratch *scratch = og_calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return NULL;
    scratch->arena = og_arena_new(0);
    if (scratch->arena == NULL) {
        og_free(scratch);
        return NULL;
    }
    return scratch;
}

/* One finished run leaves its scratch with the plan for the next. */
static og_exec__scratch *scratch_take(const og_plan *plan)
{
    og_exec__scratch *spare = __atomic_exchange_n((void **)&plan->spare, NULL, __ATOMIC_ACQ_REL);
    return spare != NULL ? spare : scratch_new();
}

static void scratch_give(const og_plan *plan, og_exec__scratch *scratch)
{
    if (scratch->marks.count > MAX_KEPT_MARKS) {
        og_free(scratch->marks.items);
        scratch->marks = (og_exec__marks){0};
    }
    og_arena_reset(scratch->arena);
    og_exec__scratch_free(__atomic_exchange_n((void **)&plan->spare, scratch, __ATOMIC_ACQ_REL));
}

static og_status resolve_constants(og_exec *x, const og_literal *params, og_error *err)
{
    const og_plan *plan = x->plan;
    x->constants = og_arena_array_of(x->arena, og_literal, plan->constant_count);
    if (x->constants == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < plan->constant_count; i++) {
        const og_ir_expr *expr = plan->constants[i];
        if (expr->kind == OG_EXPR_PARAM)
            x->constants[i] = params[expr->param];
        else if (expr->kind == OG_EXPR_NOW)
            x->constants[i] = (og_literal){.kind = OG_LIT_DATETIME, .integer = x->options.now_ms};
        else
            x->constants[i] = expr->literal;
    }
    return OG_OK;
}

/* Columns that the consumer wants of every row: read along by a scan that nothing follows. */
static og_status attached_columns(og_exec *x, const bool **out, og_error *err)
{
    const og_plan *plan = x->plan;
    *out = NULL;
    if (plan->main.step_count > 1)
        return OG_OK;
    bool *wanted = og_arena_array_of(x->arena, bool, plan->column_count);
    if (wanted == NULL)
        return og_error_nomem(err);
    bool keys_only = plan->order_count > 0 && !plan->has_aggregates;
    for (uint32_t i = 0; !keys_only && i < plan->output_count; i++) {
        const og_exec__output *o = &plan->outputs[i];
        if (o->kind != OG_OUTPUT_COUNT_ROWS && o->operand.kind == OG_OPERAND_COLUMN)
            wanted[o->operand.index] = true;
    }
    for (uint32_t i = 0; i < plan->order_count; i++) {
        const og_exec__order *order = &plan->orders[i];
        const og_exec__operand *o = &plan->outputs[order->by_output ? order->index : 0].operand;
        if (!order->by_output)
            wanted[order->index] = true;
        else if (!plan->has_aggregates && o->kind == OG_OPERAND_COLUMN)
            wanted[o->index] = true;
    }
    *out = wanted;
    return OG_OK;
}

static og_status make_main(og_exec *x, og_error *err)
{
    const og_exec__pipeline *main = &x->plan->main;
    const bool *attach;
    bool reduced;
    uint32_t *slots = NULL, slot_count = 0;
    OG_TRY(attached_columns(x, &attach, err));
    OG_TRY(og_exec__reduce(x, &reduced, &slots, &slot_count, err));
    OG_TRY(og_exec__make_scan(x, &main->steps[0], slots, slot_count, attach, &x->chain, err));
    return og_exec__make_chain(x, main, 1, x->chain, NULL, &x->chain, err);
}

static og_status make_sink(og_exec *x, og_error *err)
{
    if (x->plan->has_aggregates)
        return og_exec__make_aggregate(x, &x->sink, err);
    if (x->plan->order_count > 0)
        return og_exec__make_sort(x, &x->sink, err);
    return og_exec__make_project(x, &x->sink, err);
}

static og_status make_run(og_exec *x, const og_literal *params, og_error *err)
{
    const og_plan *plan = x->plan;
    x->tables = og_arena_array_of(x->arena, og_exec__table, plan->query->var_count);
    x->fields = og_arena_array_of(x->arena, int32_t, plan->column_count);
    if (x->tables == NULL || x->fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < plan->column_count; i++)
        x->fields[i] = -2;
    OG_TRY(resolve_constants(x, params, err));
    OG_TRY(og_exec__check(x, err));
    OG_TRY(make_main(x, err));
    return make_sink(x, err);
}

og_status og_exec_open(const og_plan *plan, const og_literal *params, og_snapshot *snapshot,
                       const og_exec_options *options, og_exec **out, og_error *err)
{
    og_exec__scratch *scratch = scratch_take(plan);
    if (scratch == NULL)
        return og_error_nomem(err);
    OG_AUTO(og_exec) x = og_arena_new_of(scratch->arena, og_exec);
    if (x == NULL) {
        scratch_give(plan, scratch);
        return og_error_nomem(err);
    }
    x->plan = plan;
    x->snapshot = og_snapshot_ref(snapshot);
    x->options = *options;
    x->scratch = scratch;
    x->arena = scratch->arena;
    og_exec__cost start = {0};
    if (options->analyze)
        start = og_exec__cost_now(x);
    OG_TRY(make_run(x, params, err));
    if (options->analyze)
        og_exec__cost_add(x, &start, &x->opening);
    *out = OG_TAKE(x);
    return OG_OK;
}

/* ---- running ------------------------------------------------------------------------------ */

og_status og_exec_next(og_exec *exec, og_batch *out, og_error *err)
{
    og_exec__sink *sink = exec->sink;
    og_exec__cost start = {0};
    if (exec->options.analyze)
        start = og_exec__cost_now(exec);
    OG_TRY(sink->ops->next(sink, out, err));
    if (exec->options.analyze)
        og_exec__cost_add(exec, &start, &sink->cost);
    sink->row_count += (uint64_t)out->row_count;
    sink->batch_count += out->row_count > 0;
    return OG_OK;
}

void og_exec_close(og_exec *exec)
{
    if (exec == NULL)
        return;
    if (exec->sink != NULL && exec->sink->ops->close != NULL)
        exec->sink->ops->close(exec->sink);
    og_exec__close_chain(exec->chain);
    og_exec__hops_free(exec);
    og_vec_deinit(&exec->choices);
    og_budget_release(exec->options.budget, exec->reserved);
    og_snapshot_unref(exec->snapshot);
    scratch_give(exec->plan, exec->scratch);
}
