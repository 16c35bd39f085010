/* Lowering of expressions, returns and orders, and of a query as a whole. */
#include "base/timeval.h"
#include "lang/query_ast.h"

typedef og_lang__compile compile;
typedef og_lang__expr expr;

/* ---- literals ----------------------------------------------------------------------------- */

static og_status lower_literal(compile *c, const og_literal *literal, og_span span,
                               og_literal *out);

static og_status lower_items(compile *c, const og_literal *list, og_span span, og_literal *out)
{
    og_literal *items = og_arena_array_of(c->arena, og_literal, list->count);
    if (items == NULL)
        return og_lang__nomem(c);
    for (uint32_t i = 0; i < list->count; i++)
        OG_TRY(lower_literal(c, &list->items[i], span, &items[i]));
    out->items = items;
    return OG_OK;
}

/* Copy a literal and parse the dates in it. */
static og_status lower_literal(compile *c, const og_literal *literal, og_span span, og_literal *out)
{
    *out = *literal;
    if (literal->kind == OG_LIT_LIST)
        return lower_items(c, literal, span, out);
    int32_t days;
    if (literal->kind == OG_LIT_DATE) {
        if (!og_parse_date(literal->text, &days))
            return og_lang__fail(c, span, "invalid Date literal '%.*s'", OG_FMT(literal->text));
        out->integer = days;
    }
    if (literal->kind == OG_LIT_DATETIME && !og_parse_datetime(literal->text, &out->integer))
        return og_lang__fail(c, span, "invalid DateTime literal '%.*s'", OG_FMT(literal->text));
    return OG_OK;
}

/* ---- expressions -------------------------------------------------------------------------- */

static og_status unsupported(compile *c, const expr *e, const char *what)
{
    return og_lang__fail(c, e->span, "unsupported %s expression", what);
}

static og_status lower_args(compile *c, const expr *e, og_ir_query *query, og_ir_expr *out)
{
    /* The property of nearest becomes its first argument. */
    uint32_t extra = e->kind == OG_EXPR_NEAREST ? 1 : 0;
    og_ir_expr *args = og_arena_array_of(c->arena, og_ir_expr, e->arg_count + extra);
    if (args == NULL)
        return og_lang__nomem(c);
    if (extra > 0)
        args[0] = (og_ir_expr){
            .kind = OG_EXPR_PROPERTY,
            .type = e->resolved.def->properties[e->resolved.property].type,
            .var = e->resolved.index,
            .property = e->resolved.property,
            .span = {e->variable.span.start, e->name.span.end},
        };
    for (uint32_t i = 0; i < e->arg_count; i++)
        OG_TRY(og_lang__lower_expr(c, e->args[i], query, &args[i + extra]));
    out->args = args;
    out->arg_count = e->arg_count + extra;
    return OG_OK;
}

static og_prop_type aggregate_type(og_agg agg, const og_prop_type *arg)
{
    switch (agg) {
    case OG_AGG_COUNT:
        return og_lang__scalar_type(OG_SCALAR_I64, false);
    case OG_AGG_SUM:
    case OG_AGG_AVG:
        return og_lang__scalar_type(OG_SCALAR_F64, true);
    case OG_AGG_MIN:
    case OG_AGG_MAX:
        break;
    }
    og_prop_type type = *arg;
    type.nullable = true;
    return type;
}

static og_status lower_aggregate(compile *c, const expr *e, og_ir_query *query, og_ir_expr *out)
{
    const expr *arg = e->args[0];
    bool plain = arg->kind == OG_EXPR_PROPERTY || arg->kind == OG_EXPR_VARIABLE ||
                 arg->kind == OG_EXPR_LITERAL || arg->kind == OG_EXPR_NOW;
    if (!plain)
        return unsupported(c, arg, "projection");
    bool sums = e->agg == OG_AGG_SUM || e->agg == OG_AGG_AVG;
    if (sums && arg->resolved.kind == OG_LANG__NODE)
        return og_lang__fail(c, arg->span,
                             "type error: T8: %s requires numeric type, got node `%.*s`",
                             og_agg_name(e->agg), OG_FMT(arg->resolved.def->name));
    OG_TRY(lower_args(c, e, query, out));
    out->type = aggregate_type(e->agg, &out->args[0].type);
    return OG_OK;
}

static void lower_variable(const expr *e, og_ir_expr *out)
{
    if (e->resolved.is_param) {
        out->kind = OG_EXPR_PARAM;
        out->param = e->resolved.index;
        return;
    }
    out->var = e->resolved.index;
    out->type = og_lang__scalar_type(OG_SCALAR_STRING, false);
}

og_status og_lang__lower_expr(compile *c, const expr *e, og_ir_query *query, og_ir_expr *out)
{
    *out = (og_ir_expr){
        .kind = e->kind,
        .type = e->resolved.type,
        .agg = e->agg,
        .span = e->span,
    };
    switch (e->kind) {
    case OG_EXPR_PROPERTY:
        out->var = e->resolved.index;
        out->property = e->resolved.property;
        return OG_OK;
    case OG_EXPR_VARIABLE:
    case OG_EXPR_PARAM:
        lower_variable(e, out);
        return OG_OK;
    case OG_EXPR_LITERAL:
        /* The check of nearest has found a list of numbers to be a vector. */
        if (out->type.scalar != OG_SCALAR_VECTOR)
            OG_TRY(og_lang__literal_type(c, &e->literal, e->span, &out->type));
        return lower_literal(c, &e->literal, e->span, &out->literal);
    case OG_EXPR_NOW:
        out->type = og_lang__scalar_type(OG_SCALAR_DATETIME, false);
        query->uses_now = true;
        return OG_OK;
    case OG_EXPR_AGGREGATE:
        return lower_aggregate(c, e, query, out);
    case OG_EXPR_ALIAS:
        /* Inside an expression a result name stands for what it names. */
        if (e->resolved.target == NULL)
            return unsupported(c, e, "projection");
        return og_lang__lower_expr(c, &e->resolved.target->expr, query, out);
    case OG_EXPR_NEAREST:
    case OG_EXPR_SEARCH:
    case OG_EXPR_FUZZY:
    case OG_EXPR_MATCH_TEXT:
    case OG_EXPR_BM25:
    case OG_EXPR_RRF:
        query->uses_search = true;
        return lower_args(c, e, query, out);
    }
    return OG_OK;
}

/* ---- returns ------------------------------------------------------------------------------ */

/* The column's name when it has none of its own. */
static og_str column_name(compile *c, const expr *e)
{
    switch (e->kind) {
    case OG_EXPR_PROPERTY:
        return og_arena_printf(c->arena, "%.*s.%.*s", OG_FMT(e->variable.text),
                               OG_FMT(e->name.text));
    case OG_EXPR_VARIABLE:
    case OG_EXPR_PARAM:
        return e->variable.text;
    case OG_EXPR_ALIAS:
        return e->name.text;
    case OG_EXPR_AGGREGATE:
        return column_name(c, e->args[0]);
    case OG_EXPR_LITERAL:
        return OG_STR("literal");
    case OG_EXPR_NOW:
        return OG_STR("now");
    case OG_EXPR_NEAREST:
        return OG_STR("nearest");
    case OG_EXPR_SEARCH:
        return OG_STR("search");
    case OG_EXPR_FUZZY:
        return OG_STR("fuzzy");
    case OG_EXPR_MATCH_TEXT:
        return OG_STR("match_text");
    case OG_EXPR_BM25:
        return OG_STR("bm25");
    case OG_EXPR_RRF:
        break;
    }
    return OG_STR("rrf");
}

static og_status lower_projection(compile *c, const og_lang__projection *p, og_ir_query *query,
                                  og_ir_projection *out)
{
    if (p->expr.kind == OG_EXPR_ALIAS && p->expr.resolved.target == NULL)
        return og_lang__fail(c, p->expr.span, "no return before this one is called `%.*s`",
                             OG_FMT(p->expr.name.text));
    OG_TRY(og_lang__lower_expr(c, &p->expr, query, &out->expr));
    out->has_alias = p->alias.text.len > 0;
    out->name = out->has_alias ? p->alias.text : column_name(c, &p->expr);
    if (out->name.ptr == NULL)
        return og_lang__nomem(c);
    query->has_aggregates |= out->expr.kind == OG_EXPR_AGGREGATE;
    return OG_OK;
}

static og_status lower_projections(compile *c, const og_lang__query_decl *decl, og_ir_query *query)
{
    size_t count = 0;
    for (const og_lang__projection *p = decl->projections; p != NULL; p = p->next)
        count++;
    og_ir_projection *returns = og_arena_array_of(c->arena, og_ir_projection, count);
    if (returns == NULL)
        return og_lang__nomem(c);
    query->returns = returns;
    for (const og_lang__projection *p = decl->projections; p != NULL; p = p->next)
        OG_TRY(lower_projection(c, p, query, &returns[query->return_count++]));
    return OG_OK;
}

/* ---- orders ------------------------------------------------------------------------------- */

static og_ir_expr column_expr(const og_ir_query *query, uint32_t column, og_span span)
{
    return (og_ir_expr){
        .kind = OG_EXPR_ALIAS,
        .type = query->returns[column].expr.type,
        .column = column,
        .span = span,
    };
}

/* The first column of that name, as the reference takes it. */
static og_status order_by_name(compile *c, const expr *e, const og_ir_query *query, og_ir_expr *out)
{
    og_nearest nearest = og_nearest_to(e->name.text);
    for (uint32_t i = 0; i < query->return_count; i++) {
        if (og_str_eq(query->returns[i].name, e->name.text)) {
            *out = column_expr(query, i, e->span);
            return OG_OK;
        }
        og_nearest_offer(&nearest, query->returns[i].name);
    }
    og_status status =
        og_lang__fail(c, e->span, "alias '%.*s' not found for ordering", OG_FMT(e->name.text));
    og_lang__suggest(c, "", nearest.best);
    return status;
}

/* Do both give the same value in every row? Of those expressions that grouping allows. */
static bool same_expr(const og_ir_expr *a, const og_ir_expr *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case OG_EXPR_PROPERTY:
        return a->var == b->var && a->property == b->property;
    case OG_EXPR_VARIABLE:
        return a->var == b->var;
    case OG_EXPR_AGGREGATE:
        return a->agg == b->agg && same_expr(&a->args[0], &b->args[0]);
    default:
        return false;
    }
}

/* After grouping only result columns are left to order by. */
static og_status order_by_column(compile *c, const expr *e, const og_ir_query *query,
                                 og_ir_expr *out)
{
    for (uint32_t i = 0; i < query->return_count; i++) {
        if (same_expr(out, &query->returns[i].expr)) {
            *out = column_expr(query, i, e->span);
            return OG_OK;
        }
    }
    og_str name = column_name(c, e);
    if (name.ptr == NULL)
        return og_lang__nomem(c);
    og_status status =
        og_lang__fail(c, e->span, "column '%.*s' not found for ordering", OG_FMT(name));
    c->diag.hint = OG_STR("A query with aggregates can be ordered by what it returns only.");
    return status;
}

static og_status check_sortable(compile *c, const og_ir_expr *e)
{
    bool search = e->kind >= OG_EXPR_NEAREST && e->kind <= OG_EXPR_RRF;
    if (search ||
        (!e->type.list && e->type.scalar != OG_SCALAR_VECTOR && e->type.scalar != OG_SCALAR_BLOB))
        return OG_OK;
    return og_lang__fail(c, e->span, "cannot order by a value of type %s",
                         og_lang__type_text(c, &e->type));
}

static og_status lower_ordering(compile *c, const og_lang__ordering *o, og_ir_query *query,
                                og_ir_ordering *out)
{
    const expr *e = &o->expr;
    out->descending = o->descending;
    if (e->kind == OG_EXPR_ALIAS) {
        OG_TRY(order_by_name(c, e, query, &out->expr));
        return check_sortable(c, &out->expr);
    }
    OG_TRY(og_lang__lower_expr(c, e, query, &out->expr));
    bool search = out->expr.kind >= OG_EXPR_NEAREST && out->expr.kind <= OG_EXPR_RRF;
    if (query->has_aggregates && !search)
        OG_TRY(order_by_column(c, e, query, &out->expr));
    else if (!search && out->expr.kind != OG_EXPR_PROPERTY && out->expr.kind != OG_EXPR_VARIABLE)
        return unsupported(c, e, "ordering");
    return check_sortable(c, &out->expr);
}

/* Fill query->returns and query->orderings. */
static og_status lower_returns(compile *c, const og_lang__query_decl *decl, og_ir_query *query)
{
    OG_TRY(lower_projections(c, decl, query));
    size_t count = 0;
    for (const og_lang__ordering *o = decl->orderings; o != NULL; o = o->next)
        count++;
    og_ir_ordering *orderings = og_arena_array_of(c->arena, og_ir_ordering, count);
    if (orderings == NULL)
        return og_lang__nomem(c);
    query->orderings = orderings;
    for (const og_lang__ordering *o = decl->orderings; o != NULL; o = o->next)
        OG_TRY(lower_ordering(c, o, query, &orderings[query->ordering_count++]));
    query->has_limit = decl->has_limit;
    query->limit = decl->limit;
    return OG_OK;
}

/* ---- a query ------------------------------------------------------------------------------ */

og_status og_lang__lower(compile *c, og_lang__query_decl *decl, og_ir_query *out)
{
    *out = (og_ir_query){
        .name = decl->name.text,
        .description = decl->description,
        .instruction = decl->instruction,
        .params = c->params,
        .param_count = c->param_count,
        .is_mutation = decl->mutations != NULL,
        .source = c->source,
    };
    if (out->is_mutation)
        return og_lang__lower_mutations(c, decl->mutations, out);
    out->vars = og_arena_copy(c->arena, c->vars.items, c->vars.len * sizeof *c->vars.items);
    if (out->vars == NULL)
        return og_lang__nomem(c);
    out->var_count = (uint32_t)c->vars.len;
    OG_TRY(og_lang__lower_match(c, decl->clauses, out));
    return lower_returns(c, decl, out);
}
