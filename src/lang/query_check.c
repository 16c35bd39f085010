/* The checks of a whole query: parameters, match, returns, orders. Numbers in messages ("T17") are
 * the reference's (query/typecheck.rs). */
#include "base/number.h"
#include "lang/query_ast.h"

typedef og_lang__compile compile;

/* The reference passes the time of now() in a parameter of this name. */
#define NOW_PARAM_NAME "__nanograph_now"

/* ---- parameters --------------------------------------------------------------------------- */

static bool vector_dim(og_str name, uint32_t *out)
{
    static const og_str prefix = {"Vector(", 7};
    uint64_t dim;
    if (!og_str_starts(name, prefix) ||
        !og_parse_u64(og_str_slice(name, prefix.len, name.len - 1), &dim) || dim == 0 ||
        dim > INT32_MAX)
        return false;
    *out = (uint32_t)dim;
    return true;
}

/* The type that a parameter declares, or false. */
static bool type_of_param(og_str name, bool nullable, og_prop_type *out)
{
    *out = (og_prop_type){.nullable = nullable, .list = name.ptr[0] == '['};
    if (out->list)
        name = og_str_slice(name, 1, name.len - 1);
    for (out->scalar = OG_SCALAR_STRING; out->scalar <= OG_SCALAR_BLOB; out->scalar++)
        if (out->scalar != OG_SCALAR_VECTOR &&
            og_str_eq(name, og_scalar_name(NULL, out->scalar, 0)))
            return true;
    out->scalar = OG_SCALAR_VECTOR;
    return vector_dim(name, &out->dim);
}

int64_t og_lang__find_param(const compile *c, og_str name)
{
    const uint64_t *entry = og_strmap_get(c->param_index, name);
    return entry != NULL ? (int64_t)*entry : -1;
}

static og_status add_param(compile *c, const og_lang__param *param)
{
    if (og_str_is(param->name.text, NOW_PARAM_NAME))
        return og_lang__fail(c, param->name.span,
                             "type error: parameter name `$%s` is reserved for runtime timestamp "
                             "injection",
                             NOW_PARAM_NAME);
    og_ir_param *out = &c->params[c->param_count];
    *out = (og_ir_param){.name = param->name.text, .type_name = param->type_name.text};
    if (!type_of_param(param->type_name.text, param->nullable, &out->type))
        return og_lang__fail(c, param->type_name.span,
                             "type error: unknown parameter type `%.*s` for `$%.*s`",
                             OG_FMT(param->type_name.text), OG_FMT(param->name.text));
    bool is_new;
    uint64_t *entry = og_strmap_put(c->param_index, out->name, &is_new);
    if (entry == NULL)
        return og_lang__nomem(c);
    if (!is_new)
        return og_lang__fail(c, param->name.span, "type error: parameter `$%.*s` is declared twice",
                             OG_FMT(param->name.text));
    *entry = c->param_count++;
    return OG_OK;
}

static og_status check_params(compile *c, const og_lang__query_decl *decl)
{
    size_t count = 0;
    for (const og_lang__param *p = decl->params; p != NULL; p = p->next)
        count++;
    c->params = og_arena_array_of(c->arena, og_ir_param, count);
    if (c->params == NULL)
        return og_lang__nomem(c);
    c->param_count = 0;
    for (const og_lang__param *p = decl->params; p != NULL; p = p->next)
        OG_TRY(add_param(c, p));
    return OG_OK;
}

/* ---- returns and orders ------------------------------------------------------------------- */

static og_status check_returns(compile *c, og_lang__query_decl *decl)
{
    for (og_lang__projection *p = decl->projections; p != NULL; p = p->next) {
        OG_TRY(og_lang__check_expr(c, &p->expr));
        if (p->alias.text.len == 0)
            continue;
        uint64_t *entry = og_strmap_put(c->alias_index, p->alias.text, NULL);
        if (entry == NULL)
            return og_lang__nomem(c);
        *entry = (uint64_t)(uintptr_t)p;
    }
    return OG_OK;
}

/* Does the expression contain a call of that kind, also by way of a result name? A nearest inside
 * rrf is rrf's own. A result is looked into once a search, as results may name each other. */
static bool contains_call(const compile *c, const og_lang__expr *e, og_ir_expr_kind kind,
                          uint32_t visit)
{
    if (e->kind == kind)
        return true;
    if (e->kind == OG_EXPR_RRF)
        return false;
    if (e->kind == OG_EXPR_ALIAS) {
        const uint64_t *entry = og_strmap_get(c->alias_index, e->name.text);
        og_lang__projection *p = entry != NULL ? (og_lang__projection *)(uintptr_t)*entry : NULL;
        if (p == NULL || p->visit == visit)
            return false;
        p->visit = visit;
        return contains_call(c, &p->expr, kind, visit);
    }
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (contains_call(c, e->args[i], kind, visit))
            return true;
    return false;
}

/* The first order by a call of that kind, or NULL. */
static const og_lang__expr *find_order(const compile *c, const og_lang__query_decl *decl,
                                       og_ir_expr_kind kind, uint32_t visit)
{
    for (const og_lang__ordering *o = decl->orderings; o != NULL; o = o->next)
        if (contains_call(c, &o->expr, kind, visit))
            return &o->expr;
    return NULL;
}

static og_status check_orders(compile *c, og_lang__query_decl *decl)
{
    const og_lang__expr *alias = NULL;
    for (og_lang__ordering *o = decl->orderings; o != NULL; o = o->next) {
        OG_TRY(og_lang__check_expr(c, &o->expr));
        if (alias == NULL && o->expr.kind == OG_EXPR_ALIAS)
            alias = &o->expr;
    }
    const og_lang__expr *nearest = find_order(c, decl, OG_EXPR_NEAREST, 1);
    const og_lang__expr *rrf = find_order(c, decl, OG_EXPR_RRF, 2);
    if (rrf != NULL && !decl->has_limit)
        return og_lang__fail(c, rrf->span, "type error: T21: rrf ordering requires a limit clause");
    if (nearest != NULL && !decl->has_limit)
        return og_lang__fail(c, nearest->span,
                             "type error: T17: nearest ordering requires a limit clause");
    if (nearest != NULL && alias != NULL)
        return og_lang__fail(c, alias->span,
                             "type error: T18: alias-based ordering is not "
                             "supported together with nearest in phase 1");
    return OG_OK;
}

static og_status check_grouping(compile *c, const og_lang__query_decl *decl)
{
    bool aggregates = false;
    for (const og_lang__projection *p = decl->projections; p != NULL; p = p->next)
        aggregates |= p->expr.kind == OG_EXPR_AGGREGATE;
    for (const og_lang__projection *p = decl->projections; aggregates && p != NULL; p = p->next) {
        og_ir_expr_kind kind = p->expr.kind;
        if (kind != OG_EXPR_AGGREGATE && kind != OG_EXPR_PROPERTY && kind != OG_EXPR_VARIABLE)
            return og_lang__fail(c, p->expr.span,
                                 "type error: T9: non-aggregate expressions in an aggregate query "
                                 "must be property accesses or variables");
    }
    return OG_OK;
}

static og_status start(compile *c, const og_lang__query_decl *decl)
{
    og_strmap_free(c->param_index);
    og_strmap_free(c->var_index);
    og_strmap_free(c->alias_index);
    c->param_index = og_strmap_new(true);
    c->var_index = og_strmap_new(true);
    c->alias_index = og_strmap_new(true);
    c->vars.len = 0;
    c->decl = decl;
    c->diag = (og_lang__diag){0};
    if (c->param_index == NULL || c->var_index == NULL || c->alias_index == NULL)
        return og_lang__nomem(c);
    return OG_OK;
}

og_status og_lang__check(compile *c, og_lang__query_decl *decl)
{
    OG_TRY(start(c, decl));
    OG_TRY(check_params(c, decl));
    if (decl->mutations != NULL)
        return og_lang__check_mutations(c, decl->mutations);
    OG_TRY(og_lang__check_match(c, decl->clauses));
    OG_TRY(check_returns(c, decl));
    OG_TRY(check_orders(c, decl));
    return check_grouping(c, decl);
}
