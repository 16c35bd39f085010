/* Checks of insert, update and delete. */
#include "lang/query_ast.h"

typedef og_lang__compile compile;
typedef og_lang__mutation mutation;
typedef og_lang__pair pair;

static bool is_endpoint(og_str name)
{
    return og_str_is(name, "from") || og_str_is(name, "to");
}

static og_status unknown_type(compile *c, const og_lang__word *name)
{
    og_status status = og_lang__fail(
        c, name->span, "type error: T10: unknown node/edge type `%.*s`", OG_FMT(name->text));
    og_str nearest = og_catalog_nearest_node(c->catalog, name->text);
    if (nearest.len == 0)
        nearest = og_catalog_nearest_edge(c->catalog, name->text);
    og_lang__suggest(c, "", nearest);
    return status;
}

/* An edge type by its exact name; the name of a traversal is looser. */
static const og_type_def *exact_edge(const og_catalog *catalog, og_str name)
{
    const og_type_def *edge = og_catalog_edge(catalog, name);
    return edge != NULL && og_str_eq(edge->name, name) ? edge : NULL;
}

static og_status find_property(compile *c, const og_type_def *def, pair *p)
{
    p->property = og_type_def_property(def, p->name.text);
    if (p->property >= 0)
        return OG_OK;
    og_status status =
        og_lang__fail(c, p->name.span, "type error: T11: type `%.*s` has no property `%.*s`",
                      OG_FMT(def->name), OG_FMT(p->name.text));
    og_lang__suggest(c, "", og_type_def_nearest_property(def, p->name.text));
    return status;
}

/* A property, or an end of an edge: `from` and `to` are required text. */
static og_status check_pair(compile *c, const og_type_def *def, pair *p)
{
    static const og_prop_type endpoint_type = {.scalar = OG_SCALAR_STRING};
    if (def->is_edge && is_endpoint(p->name.text)) {
        p->property = -1;
        return og_lang__check_value(c, p, &endpoint_type);
    }
    OG_TRY(find_property(c, def, p));
    return og_lang__check_value(c, p, &def->properties[p->property].type);
}

static og_status check_assignments(compile *c, const mutation *m)
{
    for (pair *p = m->assignments; p != NULL; p = p->next)
        OG_TRY(check_pair(c, m->def, p));
    return OG_OK;
}

static og_status check_duplicates(compile *c, const mutation *m)
{
    OG_AUTO(og_strmap) seen = og_strmap_new(true);
    if (seen == NULL)
        return og_lang__nomem(c);
    for (const pair *p = m->assignments; p != NULL; p = p->next) {
        bool is_new;
        if (og_strmap_put(seen, p->name.text, &is_new) == NULL)
            return og_lang__nomem(c);
        if (!is_new)
            return og_lang__fail(c, p->name.span,
                                 "type error: T13: duplicate assignment for property `%.*s`",
                                 OG_FMT(p->name.text));
    }
    return OG_OK;
}

static bool assigns(const mutation *m, og_str name)
{
    for (const pair *p = m->assignments; p != NULL; p = p->next)
        if (og_str_eq(p->name.text, name))
            return true;
    return false;
}

static og_status check_required(compile *c, const mutation *m)
{
    static const char *const endpoints[] = {"from", "to"};
    const og_type_def *def = m->def;
    for (size_t i = 0; def->is_edge && i < 2; i++)
        if (!assigns(m, og_str_of(endpoints[i])))
            return og_lang__fail(
                c, m->type_name.span,
                "type error: T12: insert for `%.*s` must provide required endpoint `%s`",
                OG_FMT(def->name), endpoints[i]);
    for (uint32_t i = 0; i < def->property_count; i++) {
        const og_property *property = &def->properties[i];
        og_str source = property->embed_source;
        if (property->type.nullable || property->has_default || assigns(m, property->name) ||
            (source.len > 0 && assigns(m, source)))
            continue;
        if (source.len > 0)
            return og_lang__fail(c, m->type_name.span,
                                 "type error: T12: insert for `%.*s` must provide non-nullable "
                                 "property `%.*s` or @embed source `%.*s`",
                                 OG_FMT(def->name), OG_FMT(property->name), OG_FMT(source));
        return og_lang__fail(
            c, m->type_name.span,
            "type error: T12: insert for `%.*s` must provide non-nullable property `%.*s`",
            OG_FMT(def->name), OG_FMT(property->name));
    }
    return OG_OK;
}

static og_status check_insert(compile *c, mutation *m)
{
    OG_TRY(check_duplicates(c, m));
    m->def = og_catalog_node(c->catalog, m->type_name.text);
    if (m->def == NULL)
        m->def = exact_edge(c->catalog, m->type_name.text);
    if (m->def == NULL)
        return unknown_type(c, &m->type_name);
    OG_TRY(check_assignments(c, m));
    return check_required(c, m);
}

static og_status check_predicate(compile *c, mutation *m)
{
    pair *p = &m->predicate;
    if (m->def->is_edge && is_endpoint(p->name.text))
        return check_pair(c, m->def, p);
    OG_TRY(find_property(c, m->def, p));
    const og_prop_type *type = &m->def->properties[p->property].type;
    if (type->scalar == OG_SCALAR_BLOB)
        return og_lang__fail(c, p->name.span,
                             "type error: T11: blob property `%.*s` cannot be used in WHERE "
                             "predicates",
                             OG_FMT(p->name.text));
    return og_lang__check_value(c, p, type);
}

static og_status check_update(compile *c, mutation *m)
{
    m->def = og_catalog_node(c->catalog, m->type_name.text);
    if (m->def == NULL && exact_edge(c->catalog, m->type_name.text) != NULL)
        return og_lang__fail(
            c, m->type_name.span,
            "type error: T16: update mutation for edge type `%.*s` is not supported",
            OG_FMT(m->type_name.text));
    if (m->def == NULL)
        return unknown_type(c, &m->type_name);
    OG_TRY(check_duplicates(c, m));
    OG_TRY(check_assignments(c, m));
    return check_predicate(c, m);
}

static og_status check_delete(compile *c, mutation *m)
{
    m->def = og_catalog_node(c->catalog, m->type_name.text);
    if (m->def == NULL)
        m->def = exact_edge(c->catalog, m->type_name.text);
    if (m->def == NULL)
        return unknown_type(c, &m->type_name);
    return check_predicate(c, m);
}

og_status og_lang__check_mutations(compile *c, mutation *first)
{
    for (mutation *m = first; m != NULL; m = m->next) {
        switch (m->kind) {
        case OG_MUT_INSERT:
            OG_TRY(check_insert(c, m));
            break;
        case OG_MUT_UPDATE:
            OG_TRY(check_update(c, m));
            break;
        case OG_MUT_DELETE:
            OG_TRY(check_delete(c, m));
            break;
        }
    }
    return OG_OK;
}
