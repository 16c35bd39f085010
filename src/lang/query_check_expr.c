/* Types of expressions and filters. */
#include "lang/query_ast.h"

typedef og_lang__compile compile;
typedef og_lang__expr expr;

static og_status set_value(expr *e, og_prop_type type)
{
    e->resolved = (og_lang__resolved){.kind = OG_LANG__VALUE, .type = type};
    return OG_OK;
}

static og_status set_scalar(expr *e, og_scalar scalar)
{
    return set_value(e, og_lang__scalar_type(scalar, false));
}

/* "I64?", "node `Person`", "aggregate" */
static const char *class_text(compile *c, const og_lang__resolved *resolved)
{
    switch (resolved->kind) {
    case OG_LANG__VALUE:
        return og_lang__type_text(c, &resolved->type);
    case OG_LANG__NODE: {
        og_str text = og_arena_printf(c->arena, "node `%.*s`", OG_FMT(resolved->def->name));
        return text.ptr != NULL ? text.ptr : "";
    }
    case OG_LANG__AGGREGATE:
        break;
    }
    return "aggregate";
}

/* ---- variables and properties ------------------------------------------------------------- */

static og_status refuse_unbound(compile *c, const og_lang__word *name, const char *code)
{
    og_status status = og_lang__fail(c, name->span, "type error: %svariable `$%.*s` is not bound",
                                     code, OG_FMT(name->text));
    og_lang__suggest(c, "$", og_lang__nearest_var(c, name->text));
    return status;
}

/* The property of a bound variable; `code` is the check's number in messages. */
static og_status find_property(compile *c, expr *e, const char *code)
{
    int64_t var = og_lang__find_var(c, e->variable.text);
    if (var < 0)
        return refuse_unbound(c, &e->variable, code);
    const og_type_def *def = c->vars.items[var].def;
    int32_t property = og_type_def_property(def, e->name.text);
    if (property < 0) {
        og_status status =
            og_lang__fail(c, e->name.span, "type error: %s%s `%.*s` has no property `%.*s`", code,
                          def->is_edge ? "edge" : "type", OG_FMT(def->name), OG_FMT(e->name.text));
        og_lang__suggest(c, "", og_type_def_nearest_property(def, e->name.text));
        return status;
    }
    e->resolved = (og_lang__resolved){
        .kind = OG_LANG__VALUE,
        .type = def->properties[property].type,
        .def = def,
        .index = (uint32_t)var,
        .property = (uint32_t)property,
    };
    return OG_OK;
}

/* A parameter hides a variable of the same name. */
static og_status check_variable(compile *c, expr *e)
{
    int64_t param = og_lang__find_param(c, e->variable.text);
    if (param >= 0) {
        set_value(e, c->params[param].type);
        e->resolved.is_param = true;
        e->resolved.index = (uint32_t)param;
        return OG_OK;
    }
    int64_t var = og_lang__find_var(c, e->variable.text);
    if (var < 0)
        return refuse_unbound(c, &e->variable, "");
    const og_ir_var *bound = &c->vars.items[var];
    if (bound->is_edge)
        return og_lang__fail(c, e->span,
                             "type error: T23: edge binding `$%.*s` cannot be used bare; access "
                             "one of its properties (`$%.*s.{prop}`)",
                             OG_FMT(e->variable.text), OG_FMT(e->variable.text));
    e->resolved = (og_lang__resolved){
        .kind = OG_LANG__NODE,
        .def = bound->def,
        .index = (uint32_t)var,
    };
    return OG_OK;
}

/* A name that no return before it has may still be a result column, in an order. */
static og_status check_alias(compile *c, expr *e)
{
    e->resolved = (og_lang__resolved){.kind = OG_LANG__AGGREGATE};
    const uint64_t *entry = og_strmap_get(c->alias_index, e->name.text);
    if (entry == NULL)
        return OG_OK;
    const og_lang__projection *target = (const og_lang__projection *)(uintptr_t)*entry;
    const og_lang__projection *named = target->expr.resolved.target;
    e->resolved = target->expr.resolved;
    e->resolved.target = target->expr.kind == OG_EXPR_ALIAS ? named : target;
    return OG_OK;
}

/* ---- calls -------------------------------------------------------------------------------- */

/* Number of the check and name of the call, for messages. */
typedef struct call_name {
    const char *code, *name;
} call_name;

static og_status check_text_arg(compile *c, expr *arg, call_name call, const char *role)
{
    OG_TRY(og_lang__check_expr(c, arg));
    const og_lang__resolved *r = &arg->resolved;
    if (r->kind != OG_LANG__VALUE)
        return og_lang__fail(c, arg->span,
                             "type error: %s: %s %s must be a scalar String expression", call.code,
                             call.name, role);
    if (r->type.scalar == OG_SCALAR_STRING && !r->type.list)
        return OG_OK;
    return og_lang__fail(c, arg->span, "type error: %s: %s %s must be String, got %s", call.code,
                         call.name, role, og_lang__type_text(c, &r->type));
}

static og_status check_integer_arg(compile *c, expr *arg, call_name call, const char *role)
{
    OG_TRY(og_lang__check_expr(c, arg));
    const og_lang__resolved *r = &arg->resolved;
    if (r->kind != OG_LANG__VALUE)
        return og_lang__fail(c, arg->span,
                             "type error: %s: %s %s must be an integer scalar expression",
                             call.code, call.name, role);
    bool integer = r->type.scalar == OG_SCALAR_I32 || r->type.scalar == OG_SCALAR_I64 ||
                   r->type.scalar == OG_SCALAR_U32 || r->type.scalar == OG_SCALAR_U64;
    if (integer && !r->type.list)
        return OG_OK;
    return og_lang__fail(c, arg->span, "type error: %s: %s %s must be an integer scalar, got %s",
                         call.code, call.name, role, og_lang__type_text(c, &r->type));
}

/* Text search runs on properties of nodes. */
static og_status refuse_edge_field(compile *c, const expr *field, const char *name)
{
    int64_t var = field->kind == OG_EXPR_PROPERTY ? og_lang__find_var(c, field->variable.text) : -1;
    if (var < 0 || !c->vars.items[var].is_edge)
        return OG_OK;
    return og_lang__fail(c, field->span,
                         "type error: T23: %s cannot target edge property `$%.*s.%.*s`; text/rank "
                         "search runs on node properties — edge properties support comparison "
                         "filters and projection",
                         name, OG_FMT(field->variable.text), OG_FMT(field->name.text));
}

static og_status check_text_call(compile *c, expr *e, call_name call, og_scalar result)
{
    OG_TRY(refuse_edge_field(c, e->args[0], call.name));
    OG_TRY(check_text_arg(c, e->args[0], call, "field"));
    OG_TRY(check_text_arg(c, e->args[1], call, "query"));
    if (e->kind == OG_EXPR_FUZZY && e->arg_count == 3)
        OG_TRY(check_integer_arg(c, e->args[2], call, "max_edits"));
    return set_scalar(e, result);
}

/* The length of a list of numbers, or 0. */
static uint32_t vector_length(const expr *e)
{
    if (e->kind != OG_EXPR_LITERAL || e->literal.kind != OG_LIT_LIST)
        return 0;
    for (uint32_t i = 0; i < e->literal.count; i++) {
        og_literal_kind kind = e->literal.items[i].kind;
        if (kind != OG_LIT_INTEGER && kind != OG_LIT_FLOAT)
            return 0;
    }
    return e->literal.count;
}

static og_status check_nearest_query(compile *c, expr *query, uint32_t dim)
{
    uint32_t length = vector_length(query);
    if (length > 0) {
        query->resolved = (og_lang__resolved){
            .type = {.scalar = OG_SCALAR_VECTOR, .dim = length},
        };
        if (length == dim)
            return OG_OK;
        return og_lang__fail(c, query->span,
                             "type error: T15: nearest vector dimension mismatch: property is "
                             "Vector(%u), query literal has %u elements",
                             dim, length);
    }
    OG_TRY(og_lang__check_expr(c, query));
    const og_lang__resolved *r = &query->resolved;
    if (r->kind != OG_LANG__VALUE)
        return og_lang__fail(c, query->span,
                             "type error: T15: nearest query must be a scalar expression");
    bool vector = r->type.scalar == OG_SCALAR_VECTOR && !r->type.list;
    bool text = r->type.scalar == OG_SCALAR_STRING && !r->type.list;
    if (vector && r->type.dim != dim)
        return og_lang__fail(c, query->span,
                             "type error: T15: nearest vector dimension mismatch: property is "
                             "Vector(%u), query is Vector(%u)",
                             dim, r->type.dim);
    if (vector || text)
        return OG_OK;
    return og_lang__fail(c, query->span,
                         "type error: T15: nearest query must be Vector(%u) or String, got %s", dim,
                         og_lang__type_text(c, &r->type));
}

static og_status check_nearest(compile *c, expr *e)
{
    int64_t var = og_lang__find_var(c, e->variable.text);
    if (var >= 0 && c->vars.items[var].is_edge)
        return og_lang__fail(c, e->variable.span,
                             "type error: T23: nearest cannot target edge binding `$%.*s`; vector "
                             "search runs on node properties",
                             OG_FMT(e->variable.text));
    OG_TRY(find_property(c, e, "T15: "));
    og_lang__resolved property = e->resolved;
    if (property.type.scalar != OG_SCALAR_VECTOR)
        return og_lang__fail(
            c, e->name.span,
            "type error: T15: nearest requires a Vector property, got %.*s.%.*s: %s",
            OG_FMT(property.def->name), OG_FMT(e->name.text),
            og_lang__type_text(c, &property.type));
    if (property.type.list)
        return og_lang__fail(c, e->name.span,
                             "type error: T15: nearest does not support list-wrapped vectors");
    OG_TRY(check_nearest_query(c, e->args[0], property.type.dim));
    e->resolved = property;
    e->resolved.type = og_lang__scalar_type(OG_SCALAR_F64, false);
    return OG_OK;
}

static og_status check_rrf(compile *c, expr *e)
{
    OG_TRY(og_lang__check_expr(c, e->args[0]));
    OG_TRY(og_lang__check_expr(c, e->args[1]));
    if (e->arg_count == 3) {
        expr *k = e->args[2];
        OG_TRY(check_integer_arg(c, k, (call_name){"T21", "rrf"}, "k"));
        if (k->kind == OG_EXPR_LITERAL && !k->literal.is_unsigned && k->literal.integer <= 0)
            return og_lang__fail(c, k->span, "type error: T21: rrf k must be greater than 0");
    }
    return set_scalar(e, OG_SCALAR_F64);
}

static og_status check_aggregate(compile *c, expr *e)
{
    OG_TRY(og_lang__check_expr(c, e->args[0]));
    const og_lang__resolved *arg = &e->args[0]->resolved;
    const og_prop_type *type = &arg->type;
    bool numeric = !type->list && og_scalar_is_numeric(type->scalar);
    bool ordered = numeric || (!type->list && (type->scalar == OG_SCALAR_STRING ||
                                               type->scalar == OG_SCALAR_DATE ||
                                               type->scalar == OG_SCALAR_DATETIME));
    bool sums = e->agg == OG_AGG_SUM || e->agg == OG_AGG_AVG;
    bool picks = e->agg == OG_AGG_MIN || e->agg == OG_AGG_MAX;
    if (arg->kind == OG_LANG__VALUE && sums && !numeric)
        return og_lang__fail(c, e->args[0]->span,
                             "type error: T8: %s requires numeric type, got %s",
                             og_agg_name(e->agg), og_lang__type_text(c, type));
    if (arg->kind == OG_LANG__VALUE && picks && !ordered)
        return og_lang__fail(c, e->args[0]->span,
                             "type error: T8: %s requires numeric or string type, got %s",
                             og_agg_name(e->agg), og_lang__type_text(c, type));
    e->resolved = (og_lang__resolved){.kind = OG_LANG__AGGREGATE};
    return OG_OK;
}

og_status og_lang__check_expr(compile *c, expr *e)
{
    switch (e->kind) {
    case OG_EXPR_NOW:
        return set_scalar(e, OG_SCALAR_DATETIME);
    case OG_EXPR_PROPERTY:
        return find_property(c, e, "T6: ");
    case OG_EXPR_VARIABLE:
    case OG_EXPR_PARAM:
        return check_variable(c, e);
    case OG_EXPR_LITERAL: {
        og_prop_type type;
        OG_TRY(og_lang__literal_type(c, &e->literal, e->span, &type));
        return set_value(e, type);
    }
    case OG_EXPR_ALIAS:
        return check_alias(c, e);
    case OG_EXPR_AGGREGATE:
        return check_aggregate(c, e);
    case OG_EXPR_NEAREST:
        return check_nearest(c, e);
    case OG_EXPR_SEARCH:
        return check_text_call(c, e, (call_name){"T19", "search"}, OG_SCALAR_BOOL);
    case OG_EXPR_FUZZY:
        return check_text_call(c, e, (call_name){"T19", "fuzzy"}, OG_SCALAR_BOOL);
    case OG_EXPR_MATCH_TEXT:
        return check_text_call(c, e, (call_name){"T20", "match_text"}, OG_SCALAR_BOOL);
    case OG_EXPR_BM25:
        return check_text_call(c, e, (call_name){"T20", "bm25"}, OG_SCALAR_F64);
    case OG_EXPR_RRF:
        return check_rrf(c, e);
    }
    return OG_OK;
}

/* ---- filters ------------------------------------------------------------------------------ */

static bool is_null(const expr *e)
{
    return e->kind == OG_EXPR_LITERAL && e->literal.kind == OG_LIT_NULL;
}

static og_status check_text_filter(compile *c, const og_lang__clause *f, const char *word)
{
    const og_prop_type *right = &f->right.resolved.type;
    if (is_null(&f->right) || (!right->list && right->scalar == OG_SCALAR_STRING))
        return OG_OK;
    return og_lang__fail(c, f->right.span,
                         "type error: T7: %s requires a String right operand, got %s", word,
                         og_lang__type_text(c, right));
}

static og_status check_contains(compile *c, const og_lang__clause *f)
{
    const og_prop_type *left = &f->left.resolved.type, *right = &f->right.resolved.type;
    if (!left->list && left->scalar == OG_SCALAR_STRING)
        return check_text_filter(c, f, "string contains");
    if (!left->list)
        return og_lang__fail(
            c, f->left.span,
            "type error: T7: contains requires a list property on the left, got %s",
            og_lang__type_text(c, left));
    if (right->list)
        return og_lang__fail(c, f->right.span,
                             "type error: T7: contains requires a scalar right operand");
    if (left->scalar == OG_SCALAR_VECTOR || right->scalar == OG_SCALAR_VECTOR)
        return og_lang__fail(c, f->span,
                             "type error: T7: vector membership filters are not supported");
    og_prop_type member = *left;
    member.list = false;
    if (is_null(&f->right) || og_lang__compatible(&member, right))
        return OG_OK;
    return og_lang__fail(c, f->span, "type error: T7: cannot test membership of %s in %s",
                         og_lang__type_text(c, right), og_lang__type_text(c, left));
}

static og_status check_starts_with(compile *c, const og_lang__clause *f)
{
    const og_prop_type *left = &f->left.resolved.type;
    if (left->list || left->scalar != OG_SCALAR_STRING)
        return og_lang__fail(
            c, f->left.span,
            "type error: T7: starts_with requires a String property on the left, got %s",
            og_lang__type_text(c, left));
    return check_text_filter(c, f, "starts_with");
}

static og_status check_comparison(compile *c, const og_lang__clause *f)
{
    const og_prop_type *left = &f->left.resolved.type, *right = &f->right.resolved.type;
    if (left->list || right->list)
        return og_lang__fail(c, f->span,
                             "type error: T7: list comparisons in filters are not supported; use "
                             "`contains` for list membership");
    if (left->scalar == OG_SCALAR_VECTOR || right->scalar == OG_SCALAR_VECTOR)
        return og_lang__fail(c, f->span,
                             "type error: T7: vector comparisons in filters are not supported");
    if (left->scalar == OG_SCALAR_BLOB || right->scalar == OG_SCALAR_BLOB)
        return og_lang__fail(c, f->span,
                             "type error: T7: blob comparisons in filters are not supported");
    if (is_null(&f->left) || is_null(&f->right) || og_lang__compatible(left, right))
        return OG_OK;
    return og_lang__fail(c, f->span, "type error: T7: cannot compare %s with %s",
                         og_lang__type_text(c, left), og_lang__type_text(c, right));
}

og_status og_lang__check_filter(compile *c, og_lang__clause *f)
{
    OG_TRY(og_lang__check_expr(c, &f->left));
    OG_TRY(og_lang__check_expr(c, &f->right));
    const og_lang__resolved *left = &f->left.resolved, *right = &f->right.resolved;
    if (left->kind != OG_LANG__VALUE || right->kind != OG_LANG__VALUE)
        return og_lang__fail(
            c, f->span, "type error: T7: filter comparisons require scalar operands, got %s and %s",
            class_text(c, left), class_text(c, right));
    if (f->op == OG_CMP_CONTAINS)
        return check_contains(c, f);
    if (f->op == OG_CMP_STARTS_WITH)
        return check_starts_with(c, f);
    return check_comparison(c, f);
}
