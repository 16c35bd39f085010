/* Lowering of insert, update and delete. */
#include "lang/query.h"
#include "lang/query_ast.h"

typedef og_lang__compile compile;
typedef og_lang__mutation mutation;
typedef og_lang__pair pair;

/* What a strict run says of a literal that does not fit. A lenient one may store it,
 * so it is for who runs the query to refuse it; not so for a key, whose text is the id. */
static og_status refuse(compile *c, const og_type_def *def, const pair *p, const og_literal *value,
                        const og_error *why, og_ir_query *query)
{
    const og_prop_type *type = &def->properties[p->property].type;
    og_literal changed;
    bool may_pass =
        p->property != def->key_property &&
        og_literal_coerce(type, value, OG_STR(""), true, c->arena, &changed, NULL) == OG_OK;
    if (!may_pass)
        return og_lang__fail(c, p->value.span, "%s", why->message);
    if (query->refused.len > 0)
        return OG_OK;
    query->refused = og_arena_str(c->arena, og_str_of(why->message));
    query->refused_span = p->value.span;
    return query->refused.ptr != NULL ? OG_OK : og_lang__nomem(c);
}

/* A literal of an assignment gets the property's type here, so that what can never be stored is
 * refused before anything runs. */
static og_status coerce(compile *c, const og_type_def *def, const pair *p, og_ir_query *query,
                        og_ir_expr *value)
{
    const og_prop_type *type = &def->properties[p->property].type;
    og_str what = og_arena_printf(c->arena, "property '%.*s'", OG_FMT(p->name.text));
    if (what.ptr == NULL)
        return og_lang__nomem(c);
    og_error err;
    og_status status =
        og_literal_coerce(type, &value->literal, what, false, c->arena, &value->literal, &err);
    if (status == OG_NOMEM)
        return og_lang__nomem(c);
    if (status != OG_OK)
        return refuse(c, def, p, &value->literal, &err, query);
    value->type = *type;
    return OG_OK;
}

static og_status lower_assignment(compile *c, const og_type_def *def, const pair *p,
                                  og_ir_query *query, og_ir_assignment *out)
{
    *out = (og_ir_assignment){
        .name = p->name.text,
        .property = p->property,
        .is_from = p->property < 0 && og_str_is(p->name.text, "from"),
        .is_to = p->property < 0 && og_str_is(p->name.text, "to"),
        .span = p->span,
    };
    OG_TRY(og_lang__lower_expr(c, &p->value, query, &out->value));
    if (p->property >= 0 && out->value.kind == OG_EXPR_LITERAL)
        return coerce(c, def, p, query, &out->value);
    return OG_OK;
}

static og_status lower_predicate(compile *c, const mutation *m, og_ir_query *query,
                                 og_ir_predicate *out)
{
    const pair *p = &m->predicate;
    *out = (og_ir_predicate){
        .name = p->name.text,
        .property = p->property,
        .is_from = p->property < 0 && og_str_is(p->name.text, "from"),
        .is_to = p->property < 0 && og_str_is(p->name.text, "to"),
        .op = p->op,
        .span = p->span,
    };
    if (p->property >= 0) {
        const og_prop_type *type = &m->def->properties[p->property].type;
        if (type->list || type->scalar == OG_SCALAR_VECTOR)
            return og_lang__fail(c, p->name.span,
                                 "type error: T7: property `%.*s` of type %s cannot be used in "
                                 "WHERE predicates",
                                 OG_FMT(p->name.text), og_lang__type_text(c, type));
    }
    return og_lang__lower_expr(c, &p->value, query, &out->value);
}

static og_status lower_mutation(compile *c, const mutation *m, og_ir_query *query,
                                og_ir_mutation *out)
{
    *out = (og_ir_mutation){.kind = m->kind, .def = m->def, .span = m->span};
    size_t count = 0;
    for (const pair *p = m->assignments; p != NULL; p = p->next)
        count++;
    og_ir_assignment *assignments = og_arena_array_of(c->arena, og_ir_assignment, count);
    if (assignments == NULL)
        return og_lang__nomem(c);
    out->assignments = assignments;
    for (const pair *p = m->assignments; p != NULL; p = p->next)
        OG_TRY(lower_assignment(c, m->def, p, query, &assignments[out->assignment_count++]));
    return m->kind == OG_MUT_INSERT ? OG_OK : lower_predicate(c, m, query, &out->predicate);
}

og_status og_lang__lower_mutations(compile *c, const mutation *first, og_ir_query *query)
{
    size_t count = 0;
    for (const mutation *m = first; m != NULL; m = m->next)
        count++;
    og_ir_mutation *mutations = og_arena_array_of(c->arena, og_ir_mutation, count);
    if (mutations == NULL)
        return og_lang__nomem(c);
    query->mutations = mutations;
    for (const mutation *m = first; m != NULL; m = m->next)
        OG_TRY(lower_mutation(c, m, query, &mutations[query->mutation_count++]));
    return OG_OK;
}
