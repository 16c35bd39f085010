/* Steps of a plan from the operations of the IR. */
#include "exec/plan_priv.h"

/* A predicate and the variables it needs; at most one on each side. */
typedef struct pending {
    og_exec__predicate predicate;
    uint32_t vars[2];
    uint32_t var_count;
    bool placed;
} pending;

/* One pipeline being built. */
typedef struct work {
    og_exec__builder *b;
    const og_ir_op *ops;
    uint32_t op_count;
    bool *bound; /* by variable: by the outer rows or a step so far */
    bool *done;  /* by op */
    pending *filters;
    uint32_t filter_count;
    og_exec__step *steps;
    uint32_t step_count;
} work;

/* ---- predicates --------------------------------------------------------------------------- */

static og_cmp_op mirrored(og_cmp_op op)
{
    switch (op) {
    case OG_CMP_GT:
        return OG_CMP_LT;
    case OG_CMP_LT:
        return OG_CMP_GT;
    case OG_CMP_GE:
        return OG_CMP_LE;
    case OG_CMP_LE:
        return OG_CMP_GE;
    default:
        return op;
    }
}

static bool is_symmetric(og_cmp_op op)
{
    return op != OG_CMP_CONTAINS && op != OG_CMP_STARTS_WITH;
}

static void note_var(pending *p, const og_plan *plan, og_exec__operand operand)
{
    if (operand.kind != OG_OPERAND_COLUMN)
        return;
    uint32_t var = plan->columns[operand.index].var;
    if (p->var_count == 0 || p->vars[0] != var)
        p->vars[p->var_count++] = var;
}

static og_status add_filter(work *w, const og_ir_filter *filter, og_error *err)
{
    pending *p = &w->filters[w->filter_count];
    og_exec__predicate *out = &p->predicate;
    OG_TRY(og_exec__add_operand(w->b, &filter->left, &out->left, err));
    OG_TRY(og_exec__add_operand(w->b, &filter->right, &out->right, err));
    out->op = filter->op;
    if (out->left.kind == OG_OPERAND_CONST && out->right.kind == OG_OPERAND_COLUMN &&
        is_symmetric(out->op)) {
        og_exec__operand left = out->left;
        out->left = out->right;
        out->right = left;
        out->op = mirrored(out->op);
    }
    note_var(p, w->b->plan, out->left);
    note_var(p, w->b->plan, out->right);
    w->filter_count++;
    return OG_OK;
}

static og_status collect_filters(work *w, og_error *err)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->op_count; i++)
        count += w->ops[i].filter_count;
    w->filters = og_arena_array_of(w->b->plan->arena, pending, count);
    if (w->filters == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < w->op_count; i++) {
        for (uint32_t k = 0; k < w->ops[i].filter_count; k++)
            OG_TRY(add_filter(w, &w->ops[i].filters[k], err));
    }
    return OG_OK;
}

static bool is_ready(const work *w, const pending *p)
{
    for (uint32_t i = 0; i < p->var_count; i++) {
        if (!w->bound[p->vars[i]])
            return false;
    }
    return !p->placed;
}

/* The one variable of a predicate, or OG_NO_VAR. */
static uint32_t only_var(const pending *p)
{
    return p->var_count == 1 ? p->vars[0] : OG_NO_VAR;
}

/* Does it say which node `var` is? The id of a node is the text of the first key property. */
static bool names_id(const og_plan *plan, const og_exec__predicate *p)
{
    if (p->op != OG_CMP_EQ || p->left.kind != OG_OPERAND_COLUMN ||
        p->right.kind != OG_OPERAND_CONST)
        return false;
    const og_exec__column *column = &plan->columns[p->left.index];
    const og_type_def *def = plan->query->vars[column->var].def;
    if (def->is_edge)
        return false;
    if (column->property < 0)
        return true;
    return column->property == def->key_property && !column->type.list &&
           column->type.scalar == OG_SCALAR_STRING;
}

/* Move the ready predicates on `var` (OG_NO_VAR: those on several or none) into `step`. */
static og_status take_filters(work *w, uint32_t var, og_exec__step *step, og_error *err)
{
    og_plan *plan = w->b->plan;
    og_exec__predicate *list = og_arena_array_of(plan->arena, og_exec__predicate, w->filter_count);
    if (list == NULL)
        return og_error_nomem(err);
    step->key_predicate = -1;
    for (uint32_t i = 0; i < w->filter_count; i++) {
        pending *p = &w->filters[i];
        if (!is_ready(w, p) || only_var(p) != var)
            continue;
        if (var != OG_NO_VAR && step->key_predicate < 0 && names_id(plan, &p->predicate))
            step->key_predicate = (int32_t)step->predicate_count;
        list[step->predicate_count++] = p->predicate;
        p->placed = true;
    }
    step->predicates = list;
    return OG_OK;
}

/* FILTER steps for all that became ready, one for each variable, then one for the rest. */
static og_status place_filters(work *w, og_error *err)
{
    for (uint32_t i = 0; i < w->filter_count; i++) {
        const pending *p = &w->filters[i];
        if (!is_ready(w, p) || only_var(p) == OG_NO_VAR)
            continue;
        og_exec__step *step = &w->steps[w->step_count++];
        *step = (og_exec__step){.kind = OG_STEP_FILTER, .var = only_var(p), .edge_var = -1};
        OG_TRY(take_filters(w, step->var, step, err));
    }
    for (uint32_t i = 0; i < w->filter_count; i++) {
        if (!is_ready(w, &w->filters[i]))
            continue;
        og_exec__step *step = &w->steps[w->step_count++];
        *step = (og_exec__step){.kind = OG_STEP_FILTER, .var = OG_NO_VAR, .edge_var = -1};
        OG_TRY(take_filters(w, OG_NO_VAR, step, err));
    }
    return OG_OK;
}

/* ---- binding ------------------------------------------------------------------------------ */

static og_status add_scan(work *w, const og_ir_op *op, og_error *err)
{
    og_exec__step *step = &w->steps[w->step_count++];
    *step = (og_exec__step){.kind = OG_STEP_SCAN, .var = op->var, .edge_var = -1};
    w->bound[op->var] = true;
    OG_TRY(take_filters(w, op->var, step, err));
    return place_filters(w, err);
}

static og_direction reversed(og_direction direction)
{
    if (direction == OG_DIR_BOTH)
        return direction;
    return direction == OG_DIR_OUT ? OG_DIR_IN : OG_DIR_OUT;
}

static og_status add_expand(work *w, const og_ir_op *op, og_error *err)
{
    og_exec__step *step = &w->steps[w->step_count++];
    *step = (og_exec__step){
        .kind = OG_STEP_EXPAND,
        .var = op->dst_var,
        .src_var = op->src_var,
        .edge_var = op->edge_var,
        .edge = op->edge,
        .direction = op->direction,
        .min_hops = op->min_hops,
        .max_hops = op->max_hops,
        .same_type = op->edge->from_type == op->edge->to_type,
        .key_predicate = -1,
        .mode = OG_EXPAND_ROWS,
    };
    if (!w->bound[step->src_var]) {
        step->src_var = op->dst_var;
        step->var = op->src_var;
        step->direction = reversed(op->direction);
    }
    if (step->direction == OG_DIR_BOTH && !step->same_type) /* only one way leads anywhere */
        step->direction = w->b->plan->query->vars[step->src_var].def->index == op->edge->from_type
                              ? OG_DIR_OUT
                              : OG_DIR_IN;
    step->closing = w->bound[step->var];
    w->bound[step->var] = true;
    if (step->edge_var >= 0)
        w->bound[step->edge_var] = true;
    return place_filters(w, err);
}

static og_status add_anti(work *w, const og_ir_op *op, og_error *err)
{
    og_plan *plan = w->b->plan;
    og_exec__step *step = &w->steps[w->step_count++];
    *step = (og_exec__step){.kind = OG_STEP_ANTI, .edge_var = -1, .key_predicate = -1};
    step->inner = og_arena_new_of(plan->arena, og_exec__pipeline);
    if (step->inner == NULL)
        return og_error_nomem(err);
    return og_exec__build_pipeline(w->b, op->inner, op->inner_count, w->bound, step->inner, err);
}

static bool reaches(const work *w, const og_ir_op *op)
{
    return w->bound[op->src_var] || w->bound[op->dst_var];
}

/* Inside ANTI: edges that lead on from what is bound come first, and a SCAN is left out when an
 * edge binds its variable. Order there means nothing, so this saves a cross product for free. */
static const og_ir_op *next_inner(work *w)
{
    for (uint32_t i = 0; i < w->op_count; i++) {
        if (w->done[i])
            continue;
        if (w->ops[i].kind == OG_IR_NODE_SCAN && w->bound[w->ops[i].var])
            w->done[i] = true;
        if (w->ops[i].kind == OG_IR_EXPAND && reaches(w, &w->ops[i])) {
            w->done[i] = true;
            return &w->ops[i];
        }
    }
    for (uint32_t i = 0; i < w->op_count; i++) {
        if (!w->done[i] && w->ops[i].kind == OG_IR_NODE_SCAN) {
            w->done[i] = true;
            return &w->ops[i];
        }
    }
    return NULL;
}

static const og_ir_op *next_outer(work *w)
{
    for (uint32_t i = 0; i < w->op_count; i++) {
        if (w->done[i])
            continue;
        w->done[i] = true;
        if (w->ops[i].kind == OG_IR_NODE_SCAN || w->ops[i].kind == OG_IR_EXPAND)
            return &w->ops[i];
    }
    return NULL;
}

static og_status start_work(work *w, const bool *outer_bound, og_error *err)
{
    const og_plan *plan = w->b->plan;
    uint32_t var_count = plan->query->var_count;
    w->bound = og_arena_array_of(plan->arena, bool, var_count);
    w->done = og_arena_array_of(plan->arena, bool, w->op_count);
    if (w->bound == NULL || w->done == NULL)
        return og_error_nomem(err);
    if (outer_bound != NULL)
        memcpy(w->bound, outer_bound, var_count * sizeof *w->bound);
    OG_TRY(collect_filters(w, err));
    w->steps = og_arena_array_of(plan->arena, og_exec__step, w->op_count + w->filter_count + 1);
    return w->steps != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_exec__build_pipeline(og_exec__builder *b, const og_ir_op *ops, uint32_t op_count,
                                  const bool *outer_bound, og_exec__pipeline *out, og_error *err)
{
    work w = {.b = b, .ops = ops, .op_count = op_count};
    OG_TRY(start_work(&w, outer_bound, err));
    if (outer_bound != NULL)
        OG_TRY(place_filters(&w, err));
    const og_ir_op *op;
    while ((op = outer_bound != NULL ? next_inner(&w) : next_outer(&w)) != NULL) {
        if (op->kind == OG_IR_NODE_SCAN)
            OG_TRY(add_scan(&w, op, err));
        else
            OG_TRY(add_expand(&w, op, err));
    }
    for (uint32_t i = 0; i < op_count; i++) {
        if (ops[i].kind == OG_IR_ANTI_JOIN)
            OG_TRY(add_anti(&w, &ops[i], err));
    }
    *out = (og_exec__pipeline){.steps = w.steps, .step_count = w.step_count};
    return OG_OK;
}

/* ---- liveness ----------------------------------------------------------------------------- */

/* What later steps use. */
typedef struct uses {
    bool *vars, *vertices, *columns;
} uses;

static const bool *copy_flags(og_arena *arena, const bool *flags, uint32_t count)
{
    return og_arena_copy(arena, flags, count * sizeof *flags);
}

static void use_operand(const og_plan *plan, og_exec__operand operand, uses *u)
{
    if (operand.kind != OG_OPERAND_COLUMN)
        return;
    u->columns[operand.index] = true;
    u->vars[plan->columns[operand.index].var] = true;
}

static void use_vertex(uint32_t var, uses *u)
{
    u->vars[var] = u->vertices[var] = true;
}

static void unuse_var(const og_plan *plan, uint32_t var, uses *u)
{
    u->vars[var] = u->vertices[var] = false;
    for (uint32_t i = 0; i < plan->column_count; i++) {
        if (plan->columns[i].var == var)
            u->columns[i] = false;
    }
}

/* A weight stands for equal rows. Sums of floats depend on each addition, so they take rows. */
static bool weights_allowed(const og_plan *plan)
{
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const og_exec__output *output = &plan->outputs[i];
        if (output->kind == OG_OUTPUT_AGGREGATE &&
            (output->agg == OG_AGG_SUM || output->agg == OG_AGG_AVG))
            return false;
    }
    return plan->has_aggregates;
}

static void mark_expand(const og_plan *plan, og_exec__step *step, bool inner, uses *u)
{
    bool edge_used = step->edge_var >= 0 && u->vars[step->edge_var];
    if (!step->closing && !u->vars[step->var] && !edge_used) {
        if (inner)
            step->mode = OG_EXPAND_EXISTS;
        else if (weights_allowed(plan))
            step->mode = OG_EXPAND_COUNT;
    }
    if (step->edge_var >= 0)
        unuse_var(plan, (uint32_t)step->edge_var, u);
    if (step->closing)
        use_vertex(step->var, u);
    else
        unuse_var(plan, step->var, u);
    use_vertex(step->src_var, u);
}

static og_status mark_anti(og_plan *plan, og_exec__step *step, uses *u, og_error *err)
{
    uint32_t var_count = plan->query->var_count;
    uses inner = {og_arena_array_of(plan->arena, bool, var_count),
                  og_arena_array_of(plan->arena, bool, var_count),
                  og_arena_array_of(plan->arena, bool, plan->column_count)};
    if (inner.vars == NULL || inner.vertices == NULL || inner.columns == NULL)
        return og_error_nomem(err);
    OG_TRY(og_exec__mark_live(plan, step->inner, true, inner.vars, inner.vertices, inner.columns,
                              err));
    step->inner->input = og_arena_new_of(plan->arena, og_exec__step);
    if (step->inner->input == NULL)
        return og_error_nomem(err);
    step->inner->input->live_vars = inner.vars;
    step->inner->input->live_vertices = inner.vertices;
    step->inner->input->live_columns = inner.columns;
    for (uint32_t i = 0; i < var_count; i++) {
        u->vars[i] |= inner.vars[i];
        u->vertices[i] |= inner.vertices[i];
    }
    for (uint32_t i = 0; i < plan->column_count; i++)
        u->columns[i] |= inner.columns[i];
    return OG_OK;
}

static og_status mark_step(og_plan *plan, og_exec__step *step, bool inner, uses *u, og_error *err)
{
    switch (step->kind) {
    case OG_STEP_SCAN:
        unuse_var(plan, step->var, u);
        return OG_OK;
    case OG_STEP_EXPAND:
        mark_expand(plan, step, inner, u);
        return OG_OK;
    case OG_STEP_FILTER:
        for (uint32_t i = 0; i < step->predicate_count; i++) {
            use_operand(plan, step->predicates[i].left, u);
            use_operand(plan, step->predicates[i].right, u);
        }
        return OG_OK;
    case OG_STEP_ANTI:
        return mark_anti(plan, step, u, err);
    }
    return OG_OK;
}

og_status og_exec__mark_live(og_plan *plan, og_exec__pipeline *pipeline, bool inner, bool *vars,
                             bool *vertices, bool *columns, og_error *err)
{
    uses u = {vars, vertices, columns};
    uint32_t var_count = plan->query->var_count;
    for (uint32_t i = pipeline->step_count; i-- > 0;) {
        og_exec__step *step = &pipeline->steps[i];
        step->live_vars = copy_flags(plan->arena, vars, var_count);
        step->live_vertices = copy_flags(plan->arena, vertices, var_count);
        step->live_columns = copy_flags(plan->arena, columns, plan->column_count);
        if (step->live_vars == NULL || step->live_vertices == NULL || step->live_columns == NULL)
            return og_error_nomem(err);
        OG_TRY(mark_step(plan, step, inner, &u, err));
    }
    return OG_OK;
}
