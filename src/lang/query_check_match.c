/* Checks of a match: bindings, traversals, filters and not-blocks, in order of the source. */
#include "lang/query_ast.h"

typedef og_lang__compile compile;
typedef og_lang__clause clause;

static const og_str wildcard = {"_", 1};

/* ---- variables ---------------------------------------------------------------------------- */

int64_t og_lang__find_var(const compile *c, og_str name)
{
    const uint64_t *entry = og_strmap_get(c->var_index, name);
    return entry != NULL ? (int64_t)*entry - 1 : -1;
}

og_str og_lang__nearest_var(const compile *c, og_str name)
{
    og_nearest nearest = og_nearest_to(name);
    for (uint32_t i = 0; i < c->param_count; i++)
        og_nearest_offer(&nearest, c->params[i].name);
    for (size_t i = 0; i < c->vars.len; i++)
        if (og_lang__find_var(c, c->vars.items[i].name) == (int64_t)i)
            og_nearest_offer(&nearest, c->vars.items[i].name);
    return nearest.best;
}

/* Add a variable that is visible by its name. A hidden one gets a name of its own. */
static og_status add_var(compile *c, og_str name, bool hidden, bool is_edge, const og_type_def *def,
                         uint32_t *out)
{
    *out = (uint32_t)c->vars.len;
    if (hidden)
        name = og_arena_printf(c->arena, "__any%u", *out);
    if (name.ptr == NULL ||
        !og_vec_push(&c->vars, (og_ir_var){.name = name, .is_edge = is_edge, .def = def}))
        return og_lang__nomem(c);
    if (hidden)
        return OG_OK;
    uint64_t *entry = og_strmap_put(c->var_index, name, NULL);
    if (entry == NULL)
        return og_lang__nomem(c);
    *entry = *out + 1;
    return OG_OK;
}

/* Hide the variables from `first` on: their block ended. With `forget` they were not used. */
static void leave_block(compile *c, size_t first, bool forget)
{
    for (size_t i = first; i < c->vars.len; i++) {
        uint64_t *entry = og_strmap_get(c->var_index, c->vars.items[i].name);
        if (entry != NULL && *entry == i + 1)
            *entry = 0;
    }
    if (forget)
        c->vars.len = first;
}

/* ---- bindings ----------------------------------------------------------------------------- */

static og_status check_member(compile *c, const og_lang__pair *pair, const og_prop_type *actual,
                              const og_prop_type *expected)
{
    bool is_param = pair->value.kind == OG_EXPR_VARIABLE;
    og_str name = pair->name.text;
    if (actual->list)
        return og_lang__fail(c, pair->value.span,
                             "type error: %s: list equality is not supported for property "
                             "`%.*s`; use a scalar %s",
                             is_param ? "T7" : "T3", OG_FMT(name),
                             is_param ? "parameter for membership matching"
                                      : "value to match list membership");
    og_prop_type member = *expected;
    member.list = false;
    if (og_lang__compatible(actual, &member))
        return OG_OK;
    if (is_param)
        return og_lang__fail(
            c, pair->value.span,
            "type error: T7: cannot compare %s membership against %s for property `%.*s`",
            og_lang__type_text(c, actual), og_lang__type_text(c, expected), OG_FMT(name));
    return og_lang__fail(c, pair->value.span,
                         "type error: T3: property `%.*s` has type %s but membership match got %s",
                         OG_FMT(name), og_lang__type_text(c, expected),
                         og_lang__type_text(c, actual));
}

static og_status check_prop_value(compile *c, og_lang__pair *pair, const og_prop_type *expected)
{
    og_lang__expr *value = &pair->value;
    if (value->kind == OG_EXPR_NOW)
        return og_lang__check_now(c, value->span, expected, pair->name.text);
    if (value->kind == OG_EXPR_LITERAL) {
        if (!expected->list || value->literal.kind == OG_LIT_NULL)
            return og_lang__check_literal(c, &value->literal, value->span, expected,
                                          pair->name.text);
        og_prop_type actual;
        OG_TRY(og_lang__literal_type(c, &value->literal, value->span, &actual));
        return check_member(c, pair, &actual, expected);
    }
    int64_t param = og_lang__find_param(c, value->variable.text);
    value->resolved = (og_lang__resolved){.is_param = param >= 0, .index = (uint32_t)param};
    if (param < 0) /* Refused by the lowering, as the reference does not check it. */
        return OG_OK;
    const og_prop_type *actual = &c->params[param].type;
    value->resolved.type = *actual;
    if (expected->list)
        return check_member(c, pair, actual, expected);
    if (og_lang__compatible(actual, expected))
        return OG_OK;
    return og_lang__fail(
        c, value->span, "type error: T7: cannot assign/compare %s with %s for property `%.*s`",
        og_lang__type_text(c, actual), og_lang__type_text(c, expected), OG_FMT(pair->name.text));
}

static og_status check_prop(compile *c, const clause *binding, og_lang__pair *pair)
{
    const og_type_def *def = binding->def;
    pair->property = og_type_def_property(def, pair->name.text);
    if (pair->property < 0) {
        og_status status =
            og_lang__fail(c, pair->name.span, "type error: T2: type `%.*s` has no property `%.*s`",
                          OG_FMT(def->name), OG_FMT(pair->name.text));
        og_lang__suggest(c, "", og_type_def_nearest_property(def, pair->name.text));
        return status;
    }
    const og_prop_type *expected = &def->properties[pair->property].type;
    if (expected->scalar == OG_SCALAR_BLOB)
        return og_lang__fail(
            c, pair->name.span,
            "type error: T3: blob property `%.*s.%.*s` cannot be used in match patterns",
            OG_FMT(def->name), OG_FMT(pair->name.text));
    return check_prop_value(c, pair, expected);
}

/* A binding of a name that is there already: fine once, after a traversal brought it in. */
static og_status check_rebinding(compile *c, clause *binding, const clause *first, uint32_t var,
                                 bool outer)
{
    const og_ir_var *bound = &c->vars.items[var];
    og_str name = binding->src.text;
    if (bound->is_edge)
        return og_lang__fail(c, binding->src.span,
                             "type error: T23: variable `$%.*s` is bound to edge type `%.*s` and "
                             "cannot be rebound as node type `%.*s`",
                             OG_FMT(name), OG_FMT(bound->def->name), OG_FMT(binding->def->name));
    if (bound->def != binding->def)
        return og_lang__fail(c, binding->src.span,
                             "type error: variable `$%.*s` already bound to type `%.*s`, cannot "
                             "rebind to `%.*s`",
                             OG_FMT(name), OG_FMT(bound->def->name), OG_FMT(binding->def->name));
    bool twice = outer;
    for (const clause *at = first; at != binding && !twice; at = at->next)
        twice = at->kind == OG_LANG__BINDING && at->src_var == var;
    if (!twice)
        return OG_OK;
    og_status status = og_lang__fail(c, binding->src.span,
                                     "type error: variable `$%.*s` is bound twice", OG_FMT(name));
    c->diag.hint = OG_STR("Put all conditions into one pair of braces, or into filters.");
    return status;
}

static og_status check_binding(compile *c, clause *binding, const clause *first, size_t outer_len)
{
    binding->def = og_catalog_node(c->catalog, binding->type_name.text);
    if (binding->def == NULL) {
        og_status status =
            og_lang__fail(c, binding->type_name.span, "type error: T1: unknown node type `%.*s`",
                          OG_FMT(binding->type_name.text));
        og_lang__suggest(c, "", og_catalog_nearest_node(c->catalog, binding->type_name.text));
        return status;
    }
    for (og_lang__pair *pair = binding->pairs; pair != NULL; pair = pair->next)
        OG_TRY(check_prop(c, binding, pair));
    int64_t var = og_lang__find_var(c, binding->src.text);
    if (var >= 0) {
        binding->src_var = (uint32_t)var;
        return check_rebinding(c, binding, first, (uint32_t)var, (size_t)var < outer_len);
    }
    return add_var(c, binding->src.text, false, false, binding->def, &binding->src_var);
}

/* ---- traversals --------------------------------------------------------------------------- */

static og_status check_bounds(compile *c, const clause *t)
{
    if (t->min_hops == 0)
        return og_lang__fail(c, t->span, "type error: T15: traversal min hop bound must be >= 1");
    if (t->unbounded)
        return og_lang__fail(c, t->span,
                             "type error: T15: unbounded traversal is disabled; use "
                             "bounded traversal {min,max}");
    if (t->max_hops < t->min_hops)
        return og_lang__fail(
            c, t->span, "type error: T15: invalid traversal bounds {%u,%u}; max must be >= min",
            t->min_hops, t->max_hops);
    const og_type_def *edge = t->def;
    if (t->undirected && edge->from_type != edge->to_type) {
        og_str from = c->catalog->nodes[edge->from_type].name;
        og_str to = c->catalog->nodes[edge->to_type].name;
        return og_lang__fail(c, t->edge.span,
                             "type error: T22: undirected traversal `<%.*s>` requires a "
                             "same-endpoint-type edge, but `%.*s: %.*s -> %.*s` is asymmetric; use "
                             "the directional form",
                             OG_FMT(edge->name), OG_FMT(edge->name), OG_FMT(from), OG_FMT(to));
    }
    return OG_OK;
}

static og_status bind_edge_var(compile *c, clause *t)
{
    t->edge_var_index = -1;
    if (!t->has_edge_var)
        return OG_OK;
    og_str name = t->edge_var.text;
    if (t->min_hops != 1 || t->max_hops != 1)
        return og_lang__fail(c, t->edge_var.span,
                             "type error: T23: edge binding `$%.*s` cannot be combined with "
                             "traversal bounds; a multi-hop traversal matches a path of edges, not "
                             "one edge",
                             OG_FMT(name));
    bool anonymous = og_str_eq(name, wildcard);
    if (!anonymous) {
        if (og_str_eq(name, t->src.text) || og_str_eq(name, t->dst.text))
            return og_lang__fail(c, t->edge_var.span,
                                 "type error: T23: edge binding `$%.*s` cannot reuse a traversal "
                                 "endpoint name; edge bindings and node endpoints need distinct "
                                 "names",
                                 OG_FMT(name));
        if (og_lang__find_var(c, name) >= 0)
            return og_lang__fail(c, t->edge_var.span,
                                 "type error: T23: variable `$%.*s` is already bound; an edge "
                                 "binding needs a fresh name",
                                 OG_FMT(name));
    }
    uint32_t var;
    OG_TRY(add_var(c, name, anonymous, true, t->def, &var));
    t->edge_var_index = (int32_t)var;
    return OG_OK;
}

static og_status refuse_edge_endpoint(compile *c, const og_lang__word *name)
{
    return og_lang__fail(c, name->span,
                         "type error: T23: edge binding `$%.*s` cannot be used as a traversal "
                         "endpoint; traversal endpoints must be node bindings",
                         OG_FMT(name->text));
}

/* An end of a traversal: bound to the expected type, or bound now. `$_` stands for a new variable
 * each time, unless a binding gave it a type. */
static og_status bind_endpoint(compile *c, const og_lang__word *name, uint32_t type,
                               const og_type_def *edge, uint32_t *out)
{
    const og_type_def *expected = &c->catalog->nodes[type];
    int64_t var = og_lang__find_var(c, name->text);
    if (var < 0)
        return add_var(c, name->text, og_str_eq(name->text, wildcard), false, expected, out);
    *out = (uint32_t)var;
    const og_ir_var *bound = &c->vars.items[var];
    if (bound->is_edge)
        return refuse_edge_endpoint(c, name);
    if (bound->def == expected)
        return OG_OK;
    return og_lang__fail(
        c, name->span,
        "type error: T5: variable `$%.*s` has type `%.*s` but edge `%.*s` expects `%.*s`",
        OG_FMT(name->text), OG_FMT(bound->def->name), OG_FMT(edge->name), OG_FMT(expected->name));
}

static og_status refuse_endpoint(compile *c, const og_lang__word *name, const og_type_def *bound,
                                 const og_type_def *edge)
{
    og_str from = c->catalog->nodes[edge->from_type].name;
    og_str to = c->catalog->nodes[edge->to_type].name;
    return og_lang__fail(c, name->span,
                         "type error: T5: variable `$%.*s` has type `%.*s`, which is not an "
                         "endpoint of edge `%.*s: %.*s -> %.*s`",
                         OG_FMT(name->text), OG_FMT(bound->name), OG_FMT(edge->name), OG_FMT(from),
                         OG_FMT(to));
}

/* The direction follows from the end that is bound: the source's type when it is, else the
 * destination's. */
static og_status bind_endpoints(compile *c, clause *t)
{
    const og_type_def *edge = t->def;
    int64_t src = og_lang__find_var(c, t->src.text);
    int64_t dst = og_lang__find_var(c, t->dst.text);
    int64_t known = src >= 0 ? src : dst;
    const og_lang__word *name = src >= 0 ? &t->src : &t->dst;
    t->direction = OG_DIR_OUT;
    if (known >= 0) {
        const og_ir_var *var = &c->vars.items[known];
        if (var->is_edge)
            return refuse_edge_endpoint(c, name);
        const og_type_def *from = &c->catalog->nodes[edge->from_type];
        const og_type_def *to = &c->catalog->nodes[edge->to_type];
        if (var->def != (src >= 0 ? from : to))
            t->direction = OG_DIR_IN;
        if (var->def != from && var->def != to)
            return refuse_endpoint(c, name, var->def, edge);
    }
    uint32_t src_type = t->direction == OG_DIR_OUT ? edge->from_type : edge->to_type;
    uint32_t dst_type = t->direction == OG_DIR_OUT ? edge->to_type : edge->from_type;
    OG_TRY(bind_endpoint(c, &t->src, src_type, edge, &t->src_var));
    OG_TRY(bind_endpoint(c, &t->dst, dst_type, edge, &t->dst_var));
    if (t->undirected)
        t->direction = OG_DIR_BOTH;
    return OG_OK;
}

/* As a traversal spells it: with a small first letter, where the schema has a capital of ASCII. */
static void suggest_edge(compile *c, og_str nearest)
{
    if (nearest.len == 0)
        return;
    char *name = og_arena_copy(c->arena, nearest.ptr, nearest.len);
    if (name == NULL)
        return;
    name[0] |= 0x20;
    og_lang__suggest(c, "", (og_str){name, nearest.len});
}

static og_status check_traversal(compile *c, clause *t)
{
    t->def = og_catalog_edge(c->catalog, t->edge.text);
    if (t->def == NULL) {
        og_status status = og_lang__fail(
            c, t->edge.span, "type error: T4: unknown edge type `%.*s`", OG_FMT(t->edge.text));
        suggest_edge(c, og_catalog_nearest_edge(c->catalog, t->edge.text));
        return status;
    }
    OG_TRY(check_bounds(c, t));
    OG_TRY(bind_edge_var(c, t));
    return bind_endpoints(c, t);
}

/* ---- not { } ------------------------------------------------------------------------------ */

static bool is_outer(const compile *c, og_str name, size_t outer_len)
{
    int64_t var = og_lang__find_var(c, name);
    return var >= 0 && (size_t)var < outer_len;
}

static bool mentions_outer(const compile *c, const og_lang__expr *expr, size_t outer_len)
{
    if (expr->variable.text.len > 0 && is_outer(c, expr->variable.text, outer_len))
        return true;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (mentions_outer(c, expr->args[i], outer_len))
            return true;
    return false;
}

static bool clause_mentions_outer(const compile *c, const clause *at, size_t outer_len)
{
    switch (at->kind) {
    case OG_LANG__BINDING:
        return is_outer(c, at->src.text, outer_len);
    case OG_LANG__TRAVERSAL:
        return is_outer(c, at->src.text, outer_len) || is_outer(c, at->dst.text, outer_len);
    case OG_LANG__FILTER:
        return mentions_outer(c, &at->left, outer_len) || mentions_outer(c, &at->right, outer_len);
    case OG_LANG__NEGATION:
        return false;
    }
    return false;
}

static og_status check_clauses(compile *c, clause *first, bool trial);

static og_status check_negation(compile *c, clause *negation, bool trial)
{
    size_t outer_len = c->vars.len;
    OG_TRY(check_clauses(c, negation->inner, trial));
    bool mentioned = false;
    for (const clause *at = negation->inner; at != NULL && !mentioned; at = at->next)
        mentioned = clause_mentions_outer(c, at, outer_len);
    leave_block(c, outer_len, trial);
    if (mentioned)
        return OG_OK;
    return og_lang__fail(c, negation->span,
                         "type error: T9: negation block must reference at "
                         "least one outer-bound variable");
}

/* Check clauses in order of the source. A not-block sees what is bound before it, so that errors
 * come in that order; but a name that the enclosing block binds after it is the same variable all
 * the same. So not-blocks are checked twice: on trial in their place, and once more with
 * everything bound, which is what stays in the tree. Within a trial once is enough. */
static og_status check_clauses(compile *c, clause *first, bool trial)
{
    size_t outer_len = c->vars.len;
    for (clause *at = first; at != NULL; at = at->next) {
        switch (at->kind) {
        case OG_LANG__BINDING:
            OG_TRY(check_binding(c, at, first, outer_len));
            break;
        case OG_LANG__TRAVERSAL:
            OG_TRY(check_traversal(c, at));
            break;
        case OG_LANG__FILTER:
            OG_TRY(og_lang__check_filter(c, at));
            break;
        case OG_LANG__NEGATION:
            OG_TRY(check_negation(c, at, true));
            break;
        }
    }
    for (clause *at = trial ? NULL : first; at != NULL; at = at->next)
        if (at->kind == OG_LANG__NEGATION)
            OG_TRY(check_negation(c, at, false));
    return OG_OK;
}

og_status og_lang__check_match(compile *c, clause *clauses)
{
    return check_clauses(c, clauses, false);
}
