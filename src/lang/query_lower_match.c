/* Lowering of a match, as the reference's ir/lower.rs: bindings first, then traversals, filters
 * and not-blocks.
 *
 * Of the bindings that traversals connect only the first is scanned; the others wait until a
 * traversal reaches their variable, and their conditions go with it. So a pattern never starts
 * as a cross product. Within a not-block a variable from outside plays the first's part. */
#include "lang/query_ast.h"

typedef og_lang__compile compile;
typedef og_lang__clause clause;

/* What is known of each variable while ops are made, by its index. */
typedef struct var_state {
    uint32_t parent; /* union-find over the traversals of a block; a root points to itself */
    bool rooted;     /* of a root: the component has a variable that is bound */
    bool bound;
    const clause *waiting; /* a binding whose conditions wait for the traversal that binds it */
} var_state;

typedef struct lowering {
    compile *c;
    og_ir_query *query;
    var_state *vars;
} lowering;

typedef struct block {
    og_ir_op *ops;
    uint32_t count;
} block;

static uint32_t find_root(lowering *l, uint32_t var)
{
    while (l->vars[var].parent != var) {
        l->vars[var].parent = l->vars[l->vars[var].parent].parent;
        var = l->vars[var].parent;
    }
    return var;
}

/* Components of the variables of one block; those that reach a variable bound outside are
 * rooted. */
static void connect(lowering *l, const clause *first)
{
    for (const clause *at = first; at != NULL; at = at->next) {
        if (at->kind == OG_LANG__BINDING || at->kind == OG_LANG__TRAVERSAL)
            l->vars[at->src_var].parent = at->src_var;
        if (at->kind == OG_LANG__TRAVERSAL)
            l->vars[at->dst_var].parent = at->dst_var;
    }
    for (const clause *at = first; at != NULL; at = at->next)
        if (at->kind == OG_LANG__TRAVERSAL)
            l->vars[find_root(l, at->src_var)].parent = find_root(l, at->dst_var);
    for (const clause *at = first; at != NULL; at = at->next) {
        if (at->kind != OG_LANG__TRAVERSAL)
            continue;
        var_state *root = &l->vars[find_root(l, at->src_var)];
        root->rooted |= l->vars[at->src_var].bound || l->vars[at->dst_var].bound;
    }
}

/* ---- bindings ----------------------------------------------------------------------------- */

static og_status lower_pair(lowering *l, const clause *binding, const og_lang__pair *pair,
                            og_ir_filter *out)
{
    const og_lang__expr *value = &pair->value;
    if (value->kind == OG_EXPR_VARIABLE && !value->resolved.is_param) {
        og_status status = og_lang__fail(
            l->c, value->span, "type error: variable `$%.*s` must be a declared query parameter",
            OG_FMT(value->variable.text));
        og_lang__suggest(l->c, "$", og_lang__nearest_var(l->c, value->variable.text));
        return status;
    }
    const og_prop_type *type = &binding->def->properties[pair->property].type;
    out->left = (og_ir_expr){
        .kind = OG_EXPR_PROPERTY,
        .type = *type,
        .var = binding->src_var,
        .property = (uint32_t)pair->property,
        .span = pair->name.span,
    };
    out->op = type->list ? OG_CMP_CONTAINS : OG_CMP_EQ;
    out->span = pair->span;
    return og_lang__lower_expr(l->c, value, l->query, &out->right);
}

/* The conditions in a binding's braces, onto the op that binds its variable. */
static og_status lower_pairs(lowering *l, const clause *binding, og_ir_op *op)
{
    size_t count = 0;
    for (const og_lang__pair *pair = binding->pairs; pair != NULL; pair = pair->next)
        count++;
    og_ir_filter *filters = og_arena_array_of(l->c->arena, og_ir_filter, count);
    if (filters == NULL)
        return og_lang__nomem(l->c);
    op->filters = filters;
    for (const og_lang__pair *pair = binding->pairs; pair != NULL; pair = pair->next)
        OG_TRY(lower_pair(l, binding, pair, &filters[op->filter_count++]));
    return OG_OK;
}

static og_status lower_bindings(lowering *l, const clause *first, block *out)
{
    for (const clause *at = first; at != NULL; at = at->next) {
        if (at->kind != OG_LANG__BINDING)
            continue;
        var_state *root = &l->vars[find_root(l, at->src_var)];
        if (root->rooted) {
            l->vars[at->src_var].waiting = at;
            continue;
        }
        root->rooted = true;
        l->vars[at->src_var].bound = true;
        og_ir_op *op = &out->ops[out->count++];
        *op = (og_ir_op){
            .kind = OG_IR_NODE_SCAN,
            .var = at->src_var,
            .edge_var = -1,
            .span = at->span,
        };
        OG_TRY(lower_pairs(l, at, op));
    }
    return OG_OK;
}

/* ---- traversals --------------------------------------------------------------------------- */

static og_direction reversed(og_direction direction)
{
    switch (direction) {
    case OG_DIR_OUT:
        return OG_DIR_IN;
    case OG_DIR_IN:
        return OG_DIR_OUT;
    case OG_DIR_BOTH:
        break;
    }
    return OG_DIR_BOTH;
}

/* From the end that is bound to the other, which may be bound as well. */
static og_status lower_traversal(lowering *l, const clause *t, block *out)
{
    bool backward = !l->vars[t->src_var].bound;
    uint32_t src = backward ? t->dst_var : t->src_var;
    uint32_t dst = backward ? t->src_var : t->dst_var;
    var_state *reached = &l->vars[dst];
    og_ir_op *op = &out->ops[out->count++];
    *op = (og_ir_op){
        .kind = OG_IR_EXPAND,
        .src_var = src,
        .dst_var = dst,
        .edge_var = t->edge_var_index,
        .edge = t->def,
        .direction = backward ? reversed(t->direction) : t->direction,
        .min_hops = t->min_hops,
        .max_hops = t->max_hops,
        .dst_bound = reached->bound,
        .span = t->span,
    };
    reached->bound = true;
    const clause *waiting = reached->waiting;
    reached->waiting = NULL;
    return waiting != NULL ? lower_pairs(l, waiting, op) : OG_OK;
}

static og_status refuse_unreachable(lowering *l, const clause *t)
{
    og_str type = l->query->vars[t->src_var].def->name;
    og_status status = og_lang__fail(
        l->c, t->span,
        "type error: neither `$%.*s` nor `$%.*s` is connected to a variable with a type",
        OG_FMT(t->src.text), OG_FMT(t->dst.text));
    og_str hint = og_arena_printf(l->c->arena, "Add a binding such as `$%.*s: %.*s`.",
                                  OG_FMT(t->src.text), OG_FMT(type));
    if (hint.ptr != NULL)
        l->c->diag.hint = hint;
    return status;
}

/* In order of the source, pass after pass, as ends become bound. */
static og_status lower_traversals(lowering *l, const clause *first, block *out)
{
    OG_VEC(const clause *) open = {0};
    og_status status = OG_OK;
    for (const clause *at = first; at != NULL && status == OG_OK; at = at->next)
        if (at->kind == OG_LANG__TRAVERSAL && !og_vec_push(&open, at))
            status = og_lang__nomem(l->c);
    while (open.len > 0 && status == OG_OK) {
        size_t left = 0;
        for (size_t i = 0; i < open.len && status == OG_OK; i++) {
            const clause *t = open.items[i];
            if (l->vars[t->src_var].bound || l->vars[t->dst_var].bound)
                status = lower_traversal(l, t, out);
            else
                open.items[left++] = t;
        }
        if (left == open.len && status == OG_OK)
            status = refuse_unreachable(l, open.items[0]);
        open.len = left;
    }
    og_vec_deinit(&open);
    return status;
}

/* ---- filters and not-blocks --------------------------------------------------------------- */

static og_status lower_filter(lowering *l, const clause *f, block *out)
{
    og_ir_filter *filter = og_arena_new_of(l->c->arena, og_ir_filter);
    if (filter == NULL)
        return og_lang__nomem(l->c);
    OG_TRY(og_lang__lower_expr(l->c, &f->left, l->query, &filter->left));
    OG_TRY(og_lang__lower_expr(l->c, &f->right, l->query, &filter->right));
    filter->op = f->op;
    filter->is_call = f->is_call;
    filter->span = f->span;
    out->ops[out->count++] = (og_ir_op){
        .kind = OG_IR_FILTER,
        .edge_var = -1,
        .filters = filter,
        .filter_count = 1,
        .span = f->span,
    };
    return OG_OK;
}

static og_status lower_block(lowering *l, const clause *first, block *out);

static og_status lower_negation(lowering *l, const clause *negation, block *out)
{
    block inner;
    OG_TRY(lower_block(l, negation->inner, &inner));
    out->ops[out->count++] = (og_ir_op){
        .kind = OG_IR_ANTI_JOIN,
        .edge_var = -1,
        .inner = inner.ops,
        .inner_count = inner.count,
        .span = negation->span,
    };
    return OG_OK;
}

static og_status lower_block(lowering *l, const clause *first, block *out)
{
    size_t clause_count = 0;
    for (const clause *at = first; at != NULL; at = at->next)
        clause_count++;
    *out = (block){.ops = og_arena_array_of(l->c->arena, og_ir_op, clause_count)};
    if (out->ops == NULL)
        return og_lang__nomem(l->c);
    connect(l, first);
    OG_TRY(lower_bindings(l, first, out));
    OG_TRY(lower_traversals(l, first, out));
    for (const clause *at = first; at != NULL; at = at->next)
        if (at->kind == OG_LANG__FILTER)
            OG_TRY(lower_filter(l, at, out));
    for (const clause *at = first; at != NULL; at = at->next)
        if (at->kind == OG_LANG__NEGATION)
            OG_TRY(lower_negation(l, at, out));
    return OG_OK;
}

og_status og_lang__lower_match(compile *c, const clause *clauses, og_ir_query *query)
{
    lowering l = {
        .c = c,
        .query = query,
        .vars = og_arena_array_of(c->arena, var_state, query->var_count),
    };
    if (l.vars == NULL)
        return og_lang__nomem(c);
    block top;
    OG_TRY(lower_block(&l, clauses, &top));
    query->ops = top.ops;
    query->op_count = top.count;
    bool scans = false;
    for (uint32_t i = 0; i < top.count; i++)
        scans |= top.ops[i].kind == OG_IR_NODE_SCAN;
    if (scans)
        return OG_OK;
    og_status status =
        og_lang__fail(c, clauses->span, "type error: the match binds no variable to a type");
    c->diag.hint = OG_STR("Add a binding such as `$x: Person`.");
    return status;
}
