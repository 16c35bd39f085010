/* The plan of a query: its output, order and reduction; steps are made by pipeline.c. */
#include "exec/plan_priv.h"

#include "exec/run_priv.h"

/* ---- columns and constants ---------------------------------------------------------------- */

static og_status grow(og_arena *arena, void **items, size_t *cap, size_t count, size_t item_size,
                      og_error *err)
{
    if (count < *cap)
        return OG_OK;
    size_t wanted = *cap == 0 ? 8 : *cap * 2;
    void *grown = og_arena_calloc(arena, wanted, item_size);
    if (grown == NULL)
        return og_error_nomem(err);
    if (count > 0)
        memcpy(grown, *items, count * item_size);
    *items = grown;
    *cap = wanted;
    return OG_OK;
}

static og_status fill_column(og_plan *plan, uint32_t var, int32_t property, og_exec__column *out,
                             og_error *err)
{
    const og_type_def *def = plan->query->vars[var].def;
    *out = (og_exec__column){.var = var, .property = property};
    if (property < 0) {
        out->name = OG_STR("id");
        out->type = (og_prop_type){.scalar = OG_SCALAR_STRING};
    } else {
        out->name = def->properties[property].name;
        out->type = def->properties[property].type;
    }
    if (out->type.scalar == OG_SCALAR_BLOB && !out->type.list)
        out->arrow = og_type_of(OG_TYPE_UTF8);
    else
        out->arrow = og_prop_type_to_arrow(plan->arena, &out->type);
    return out->arrow != NULL ? OG_OK : og_error_nomem(err);
}

/* The index of a column, added to the plan when new. */
static og_status add_column(og_exec__builder *b, uint32_t var, int32_t property, uint32_t *out,
                            og_error *err)
{
    og_plan *plan = b->plan;
    for (uint32_t i = 0; i < plan->column_count; i++) {
        if (b->columns[i].var == var && b->columns[i].property == property) {
            *out = i;
            return OG_OK;
        }
    }
    OG_TRY(grow(plan->arena, (void **)&b->columns, &b->column_cap, plan->column_count,
                sizeof *b->columns, err));
    OG_TRY(fill_column(plan, var, property, &b->columns[plan->column_count], err));
    plan->columns = b->columns;
    *out = plan->column_count++;
    return OG_OK;
}

static og_prop_type constant_type(const og_plan *plan, const og_ir_expr *expr)
{
    if (expr->kind == OG_EXPR_PARAM)
        return plan->query->params[expr->param].type;
    if (expr->kind == OG_EXPR_NOW)
        return (og_prop_type){.scalar = OG_SCALAR_DATETIME};
    if (expr->literal.kind == OG_LIT_NULL)
        return (og_prop_type){.scalar = OG_SCALAR_STRING, .nullable = true};
    return expr->type;
}

static og_status add_constant(og_exec__builder *b, const og_ir_expr *expr, uint32_t *out,
                              og_error *err)
{
    og_plan *plan = b->plan;
    size_t cap = b->constant_cap;
    OG_TRY(grow(plan->arena, (void **)&b->constants, &cap, plan->constant_count,
                sizeof *b->constants, err));
    OG_TRY(grow(plan->arena, (void **)&b->constant_types, &b->constant_cap, plan->constant_count,
                sizeof *b->constant_types, err));
    og_prop_type type = constant_type(plan, expr);
    const og_type *arrow = og_prop_type_to_arrow(plan->arena, &type);
    if (arrow == NULL)
        return og_error_nomem(err);
    b->constants[plan->constant_count] = expr;
    b->constant_types[plan->constant_count] = arrow;
    plan->constants = b->constants;
    plan->constant_types = b->constant_types;
    *out = plan->constant_count++;
    return OG_OK;
}

og_status og_exec__add_operand(og_exec__builder *b, const og_ir_expr *expr, og_exec__operand *out,
                               og_error *err)
{
    switch (expr->kind) {
    case OG_EXPR_PROPERTY:
        out->kind = OG_OPERAND_COLUMN;
        return add_column(b, expr->var, (int32_t)expr->property, &out->index, err);
    case OG_EXPR_VARIABLE:
        out->kind = OG_OPERAND_COLUMN;
        return add_column(b, expr->var, -1, &out->index, err);
    case OG_EXPR_PARAM:
    case OG_EXPR_LITERAL:
    case OG_EXPR_NOW:
        out->kind = OG_OPERAND_CONST;
        return add_constant(b, expr, &out->index, err);
    default:
        return og_error_set(err, OG_UNSUPPORTED, "unsupported expression");
    }
}

og_str og_exec__var_name(const og_plan *plan, uint32_t var)
{
    return plan->query->vars[var].name;
}

/* ---- output ------------------------------------------------------------------------------- */

static void operand_type(const og_plan *plan, og_exec__operand operand, og_result_column *out)
{
    if (operand.kind == OG_OPERAND_COLUMN) {
        out->type = plan->columns[operand.index].type;
        out->array_type = plan->columns[operand.index].arrow;
    } else {
        out->type = constant_type(plan, plan->constants[operand.index]);
        out->array_type = plan->constant_types[operand.index];
    }
}

static void aggregate_type(og_agg agg, og_result_column *column)
{
    if (agg == OG_AGG_COUNT) {
        column->type = (og_prop_type){.scalar = OG_SCALAR_I64};
        column->array_type = og_type_of(OG_TYPE_I64);
    } else if (agg == OG_AGG_SUM || agg == OG_AGG_AVG) {
        column->type = (og_prop_type){.scalar = OG_SCALAR_F64, .nullable = true};
        column->array_type = og_type_of(OG_TYPE_F64);
    } else {
        column->type.nullable = true;
    }
}

static og_status add_output(og_exec__builder *b, const og_ir_expr *expr, og_exec__output *out,
                            og_result_column *result, og_error *err)
{
    if (expr->kind != OG_EXPR_AGGREGATE) {
        OG_TRY(og_exec__add_operand(b, expr, &out->operand, err));
        operand_type(b->plan, out->operand, result);
        return OG_OK;
    }
    b->plan->has_aggregates = true;
    out->agg = expr->agg;
    if (expr->agg == OG_AGG_COUNT && expr->args[0].kind == OG_EXPR_VARIABLE) {
        out->kind = OG_OUTPUT_COUNT_ROWS; /* an id is never null */
    } else {
        out->kind = OG_OUTPUT_AGGREGATE;
        OG_TRY(og_exec__add_operand(b, &expr->args[0], &out->operand, err));
        operand_type(b->plan, out->operand, result);
    }
    aggregate_type(expr->agg, result);
    return OG_OK;
}

static og_status build_outputs(og_exec__builder *b, og_error *err)
{
    og_plan *plan = b->plan;
    uint32_t count = plan->query->return_count;
    og_exec__output *outputs = og_arena_array_of(plan->arena, og_exec__output, count);
    og_result_column *results = og_arena_array_of(plan->arena, og_result_column, count);
    if (outputs == NULL || results == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const og_ir_projection *p = &plan->query->returns[i];
        OG_TRY(add_output(b, &p->expr, &outputs[i], &results[i], err));
        results[i].name = p->name;
    }
    plan->outputs = outputs;
    plan->results = results;
    plan->output_count = count;
    return OG_OK;
}

/* ---- order -------------------------------------------------------------------------------- */

static bool same_value(const og_exec__output *output, og_exec__operand operand)
{
    return output->kind == OG_OUTPUT_VALUE && output->operand.kind == operand.kind &&
           output->operand.index == operand.index;
}

static og_status order_by_value(og_exec__builder *b, const og_ir_expr *expr, og_exec__order *out,
                                bool *out_constant, og_error *err)
{
    og_plan *plan = b->plan;
    og_exec__operand operand;
    OG_TRY(og_exec__add_operand(b, expr, &operand, err));
    *out_constant = operand.kind == OG_OPERAND_CONST;
    out->index = operand.index;
    for (uint32_t i = 0; i < plan->output_count; i++) {
        if (same_value(&plan->outputs[i], operand)) {
            out->by_output = true;
            out->index = i;
            return OG_OK;
        }
    }
    if (plan->has_aggregates && !*out_constant)
        return og_error_set(err, OG_INVALID,
                            "a query with aggregates is ordered by its result columns only");
    return OG_OK;
}

static og_status build_orders(og_exec__builder *b, og_error *err)
{
    og_plan *plan = b->plan;
    const og_ir_query *query = plan->query;
    og_exec__order *orders = og_arena_array_of(plan->arena, og_exec__order, query->ordering_count);
    if (orders == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < query->ordering_count; i++) {
        const og_ir_ordering *ordering = &query->orderings[i];
        og_exec__order *out = &orders[plan->order_count];
        *out = (og_exec__order){.descending = ordering->descending};
        bool constant = false;
        if (ordering->expr.kind == OG_EXPR_ALIAS) {
            out->by_output = true;
            out->index = ordering->expr.column;
        } else {
            OG_TRY(order_by_value(b, &ordering->expr, out, &constant, err));
        }
        plan->order_count += !constant; /* a constant orders nothing */
    }
    plan->orders = orders;
    plan->has_limit = query->has_limit;
    plan->limit = query->limit;
    return OG_OK;
}

/* ---- what the output uses; the reduction -------------------------------------------------- */

static og_status mark_plan(og_plan *plan, og_error *err)
{
    uint32_t var_count = plan->query->var_count;
    bool *vars = og_arena_array_of(plan->arena, bool, var_count);
    bool *vertices = og_arena_array_of(plan->arena, bool, var_count);
    bool *columns = og_arena_array_of(plan->arena, bool, plan->column_count);
    if (vars == NULL || vertices == NULL || columns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const og_exec__output *output = &plan->outputs[i];
        if (output->kind != OG_OUTPUT_COUNT_ROWS && output->operand.kind == OG_OPERAND_COLUMN)
            columns[output->operand.index] = true;
    }
    for (uint32_t i = 0; i < plan->order_count; i++) {
        if (!plan->orders[i].by_output)
            columns[plan->orders[i].index] = true;
    }
    for (uint32_t i = 0; i < plan->column_count; i++)
        vars[plan->columns[i].var] |= columns[i];
    return og_exec__mark_live(plan, &plan->main, false, vars, vertices, columns, err);
}

/* The EXPAND that binds `var`, or UINT32_MAX. */
static uint32_t binding_step(const og_exec__pipeline *p, uint32_t var)
{
    for (uint32_t i = 0; i < p->step_count; i++) {
        const og_exec__step *step = &p->steps[i];
        if (step->kind == OG_STEP_EXPAND && !step->closing && step->var == var)
            return i;
    }
    return UINT32_MAX;
}

/* Follow the edges from `var` back to the first SCAN; steps are written last to first. */
static uint32_t trace_back(const og_exec__pipeline *p, uint32_t var, uint32_t *steps)
{
    uint32_t count = 0;
    while (var != p->steps[0].var) {
        uint32_t step = binding_step(p, var);
        if (step == UINT32_MAX)
            return 0;
        steps[count++] = step;
        var = p->steps[step].src_var;
    }
    return count;
}

static og_status find_reduction(og_plan *plan, og_error *err)
{
    const og_exec__pipeline *p = &plan->main;
    if (p->step_count == 0 || p->steps[0].kind != OG_STEP_SCAN || p->steps[0].key_predicate >= 0)
        return OG_OK;
    uint32_t *steps = og_arena_array_of(plan->arena, uint32_t, p->step_count);
    if (steps == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 1; i < p->step_count; i++) {
        if (p->steps[i].kind != OG_STEP_FILTER || p->steps[i].key_predicate < 0)
            continue;
        uint32_t count = trace_back(p, p->steps[i].var, steps);
        if (count == 0)
            continue;
        for (uint32_t k = 0; k < count / 2; k++) {
            uint32_t swapped = steps[k];
            steps[k] = steps[count - 1 - k];
            steps[count - 1 - k] = swapped;
        }
        plan->reduction = (og_exec__path){steps, count, i};
        return OG_OK;
    }
    return OG_OK;
}

/* ---- the plan ----------------------------------------------------------------------------- */

static og_status build(og_plan *plan, og_error *err)
{
    og_exec__builder b = {.plan = plan};
    const og_ir_query *query = plan->query;
    OG_TRY(og_exec__build_pipeline(&b, query->ops, query->op_count, NULL, &plan->main, err));
    if (plan->main.step_count == 0 || plan->main.steps[0].kind != OG_STEP_SCAN)
        return og_error_set(err, OG_INVALID, "query '%.*s' binds no node type",
                            OG_FMT(query->name));
    OG_TRY(build_outputs(&b, err));
    OG_TRY(build_orders(&b, err));
    OG_TRY(mark_plan(plan, err));
    return find_reduction(plan, err);
}

og_status og_plan_new(const og_ir_query *query, const og_catalog *catalog, og_plan **out,
                      og_error *err)
{
    if (query->is_mutation)
        return og_error_set(err, OG_INVALID, "'%.*s' is a mutation, not a query",
                            OG_FMT(query->name));
    if (query->uses_search)
        return og_error_set(err, OG_UNSUPPORTED, "this version has no search index yet");
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_plan *plan = arena != NULL ? og_arena_new_of(arena, og_plan) : NULL;
    if (plan == NULL)
        return og_error_nomem(err);
    plan->query = query;
    plan->catalog = catalog;
    plan->arena = arena;
    OG_TRY(build(plan, err));
    (void)OG_TAKE(arena);
    *out = plan;
    return OG_OK;
}

void og_plan_free(og_plan *plan)
{
    if (plan == NULL)
        return;
    og_exec__scratch_free(plan->spare);
    og_arena_free(plan->arena);
}

const og_result_column *og_plan_columns(const og_plan *plan, uint32_t *out_count)
{
    *out_count = plan->output_count;
    return plan->results;
}
