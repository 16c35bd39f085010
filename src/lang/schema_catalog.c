/* The catalog of a canonical schema. Its errors are those of the reference's build_catalog
 * (catalog/mod.rs). */
#include <inttypes.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/map.h"
#include "lang/schema_ast.h"

typedef struct build {
    const og_lang__schema *schema;
    og_catalog *catalog;
    og_arena *arena;
} build;

/* ---- properties --------------------------------------------------------------------------- */

/* One that does not fit is told by og_schema_check_strict and is none here, so that graphs that
 * have it still open. */
static og_status fill_default(build *b, const og_lang__prop *prop, og_str text, og_property *out,
                              og_error *err)
{
    og_status status = og_lang__default_value(&prop->type, text, OG_STR("@default"), b->arena,
                                              &out->default_value, NULL);
    out->has_default = status == OG_OK;
    return status == OG_NOMEM ? og_error_nomem(err) : OG_OK;
}

static og_status fill_property(build *b, const og_lang__prop *prop, og_property *out, og_error *err)
{
    *out = (og_property){.name = prop->name.text,
                         .type = prop->type,
                         .prop_id = prop->prop_id,
                         .embed_source = OG_STR("")};
    const og_lang__annotation *embed =
        og_lang__annotation_find(prop->annotations, prop->annotation_count, "embed");
    if (embed != NULL && embed->has_value)
        out->embed_source = embed->value;
    const og_lang__annotation *dflt =
        og_lang__annotation_find(prop->annotations, prop->annotation_count, "default");
    return dflt != NULL && dflt->has_value ? fill_default(b, prop, dflt->value, out, err) : OG_OK;
}

static og_status fill_properties(build *b, const og_lang__decl *decl, const og_property **out,
                                 uint32_t *out_count, og_error *err)
{
    og_property *properties = og_arena_array_of(b->arena, og_property, decl->prop_count + 1);
    if (properties == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < decl->prop_count; i++)
        OG_TRY(fill_property(b, &decl->props[i], &properties[i], err));
    *out = properties;
    *out_count = decl->prop_count;
    return OG_OK;
}

/* ---- constraints -------------------------------------------------------------------------- */

static og_status fill_columns(build *b, const og_lang__constraint *c, og_columns *out,
                              og_error *err)
{
    og_str *names = og_arena_array_of(b->arena, og_str, c->column_count + 1);
    if (names == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < c->column_count; i++)
        names[i] = c->columns[i].text;
    *out = (og_columns){names, c->column_count};
    return OG_OK;
}

static og_status fill_constraints(build *b, const og_lang__decl *decl, og_type_def *def,
                                  og_error *err)
{
    uint32_t room = decl->constraint_count + 1;
    og_columns *uniques = og_arena_array_of(b->arena, og_columns, room);
    og_columns *indices = og_arena_array_of(b->arena, og_columns, room);
    og_range_constraint *ranges = og_arena_array_of(b->arena, og_range_constraint, room);
    og_check_constraint *checks = og_arena_array_of(b->arena, og_check_constraint, room);
    if (uniques == NULL || indices == NULL || ranges == NULL || checks == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < decl->constraint_count; i++) {
        const og_lang__constraint *c = &decl->constraints[i];
        if (c->kind == OG_LANG__RANGE) {
            ranges[def->range_count++] = (og_range_constraint){
                .property = (uint32_t)og_type_def_property(def, c->columns[0].text),
                .has_min = c->has_min,
                .has_max = c->has_max,
                .min = c->min,
                .max = c->max};
        } else if (c->kind == OG_LANG__CHECK) {
            checks[def->check_count++] = (og_check_constraint){
                .property = (uint32_t)og_type_def_property(def, c->columns[0].text),
                .pattern = c->pattern};
        } else {
            og_columns columns;
            OG_TRY(fill_columns(b, c, &columns, err));
            if (c->kind == OG_LANG__KEY)
                def->key = columns;
            if (c->kind == OG_LANG__UNIQUE)
                uniques[def->unique_count++] = columns;
            else
                indices[def->index_count++] = columns;
        }
    }
    def->uniques = uniques;
    def->indices = indices;
    def->ranges = ranges;
    def->checks = checks;
    def->key_property = def->key.count > 0 ? og_type_def_property(def, def->key.names[0]) : -1;
    return OG_OK;
}

/* ---- tables ------------------------------------------------------------------------------- */

static void release_schema(void *schema)
{
    og_schema_unref(schema);
}

static og_status fill_table(build *b, og_type_def *def, og_error *err)
{
    static const og_str fixed[] = {{"id", 2}, {"src", 3}, {"dst", 3}};
    uint32_t first = og_type_def_first_property(def), count = first + def->property_count;
    og_field *fields = og_arena_array_of(b->arena, og_field, count);
    if (fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < first; i++)
        fields[i] = (og_field){fixed[i], og_type_of(OG_TYPE_UTF8), false};
    for (uint32_t i = 0; i < def->property_count; i++) {
        const og_property *p = &def->properties[i];
        const og_type *type = og_prop_type_to_arrow(b->arena, &p->type);
        if (type == NULL)
            return og_error_nomem(err);
        fields[first + i] = (og_field){p->name, type, p->type.nullable};
    }
    def->table_schema = og_schema_new(fields, count);
    if (def->table_schema == NULL)
        return og_error_nomem(err);
    if (!og_arena_on_free(b->arena, release_schema, def->table_schema)) {
        og_schema_unref(def->table_schema);
        return og_error_nomem(err);
    }
    const char *kind = def->is_edge ? "edge" : "node";
    def->table_key = og_arena_printf(b->arena, "%s:%.*s", kind, OG_FMT(def->name));
    def->table_path = og_arena_printf(b->arena, "%ss/%016" PRIx64, kind, og_fnv1a64(def->name));
    return def->table_key.ptr != NULL && def->table_path.ptr != NULL ? OG_OK : og_error_nomem(err);
}

static og_status fill_def(build *b, const og_lang__decl *decl, uint32_t index, og_type_def *def,
                          og_error *err)
{
    *def = (og_type_def){.name = decl->name.text,
                         .is_edge = decl->kind == OG_LANG__EDGE,
                         .index = index,
                         .type_id = decl->type_id,
                         .card_min = decl->has_card ? decl->card_min : 0,
                         .card_max = decl->has_card ? decl->card_max : UINT32_MAX};
    og_str *interfaces = og_arena_array_of(b->arena, og_str, decl->implements_count + 1);
    if (interfaces == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < decl->implements_count; i++)
        interfaces[i] = decl->implements[i].text;
    def->interfaces = interfaces;
    def->interface_count = decl->implements_count;
    OG_TRY(fill_properties(b, decl, &def->properties, &def->property_count, err));
    OG_TRY(fill_constraints(b, decl, def, err));
    return fill_table(b, def, err);
}

/* ---- the three kinds ---------------------------------------------------------------------- */

/* Declarations of one kind stand together, sorted by name. */
static const og_lang__decl *decls_of(const og_lang__schema *schema, og_lang__decl_kind kind,
                                     uint32_t *out_count)
{
    uint32_t first = 0, last;
    while (first < schema->decl_count && schema->decls[first].kind != kind)
        first++;
    for (last = first; last < schema->decl_count && schema->decls[last].kind == kind;)
        last++;
    *out_count = last - first;
    return first < schema->decl_count ? &schema->decls[first] : NULL;
}

static og_status fill_interfaces(build *b, og_error *err)
{
    uint32_t count, kept = 0;
    const og_lang__decl *decls = decls_of(b->schema, OG_LANG__INTERFACE, &count);
    og_interface_def *interfaces = og_arena_array_of(b->arena, og_interface_def, count + 1);
    if (interfaces == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        /* Of two of one name the last counts, as in the reference's map. */
        if (kept == 0 || !og_str_eq(interfaces[kept - 1].name, decls[i].name.text))
            kept++;
        og_interface_def *def = &interfaces[kept - 1];
        def->name = decls[i].name.text;
        OG_TRY(fill_properties(b, &decls[i], &def->properties, &def->property_count, err));
    }
    b->catalog->interfaces = interfaces;
    b->catalog->interface_count = kept;
    return OG_OK;
}

static og_status fill_nodes(build *b, og_error *err)
{
    uint32_t count;
    const og_lang__decl *decls = decls_of(b->schema, OG_LANG__NODE, &count);
    og_type_def *nodes = og_arena_array_of(b->arena, og_type_def, count + 1);
    if (nodes == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && og_str_eq(decls[i].name.text, decls[i - 1].name.text))
            return og_lang__schema_fail(b->schema, decls[i].name.span, err,
                                        "duplicate node type: %.*s", OG_FMT(decls[i].name.text));
        OG_TRY(fill_def(b, &decls[i], i, &nodes[i], err));
    }
    b->catalog->nodes = nodes;
    b->catalog->node_count = count;
    return OG_OK;
}

static og_status find_end(build *b, const og_lang__decl *edge, const og_lang__name *end,
                          const char *word, uint32_t *out, og_error *err)
{
    const og_type_def *node = og_catalog_node(b->catalog, end->text);
    if (node != NULL) {
        *out = node->index;
        return OG_OK;
    }
    og_lang__schema_fail(b->schema, end->span, err, "edge %.*s references unknown %s type: %.*s",
                         OG_FMT(edge->name.text), word, OG_FMT(end->text));
    og_str nearest = og_catalog_nearest_node(b->catalog, end->text);
    if (nearest.len > 0)
        og_error_hint(err, "Did you mean '%.*s'?", OG_FMT(nearest));
    return OG_INVALID;
}

static void fold(og_str name, char *dst)
{
    for (size_t i = 0; i < name.len; i++)
        dst[i] =
            name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] | 0x20) : name.ptr[i];
}

/* Edges are also found without regard to case, so two names may not fold to one. */
static og_status check_folded(build *b, og_strmap *folded, const og_lang__decl *decls, uint32_t i,
                              og_error *err)
{
    og_str name = decls[i].name.text;
    char *lower = og_arena_alloc(b->arena, name.len + 1);
    if (lower == NULL)
        return og_error_nomem(err);
    fold(name, lower);
    bool is_new;
    uint64_t *at = og_strmap_put(folded, (og_str){lower, name.len}, &is_new);
    if (at == NULL)
        return og_error_nomem(err);
    if (!is_new)
        return og_lang__schema_fail(b->schema, decls[i].name.span, err,
                                    "edge name collision after case folding: "
                                    "'%.*s' conflicts with '%.*s'",
                                    OG_FMT(name), OG_FMT(decls[*at].name.text));
    *at = i;
    return OG_OK;
}

static og_status fill_edges(build *b, og_error *err)
{
    uint32_t count;
    const og_lang__decl *decls = decls_of(b->schema, OG_LANG__EDGE, &count);
    og_type_def *edges = og_arena_array_of(b->arena, og_type_def, count + 1);
    OG_AUTO(og_strmap) folded = og_strmap_new(false);
    if (edges == NULL || folded == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && og_str_eq(decls[i].name.text, decls[i - 1].name.text))
            return og_lang__schema_fail(b->schema, decls[i].name.span, err,
                                        "duplicate edge type: %.*s", OG_FMT(decls[i].name.text));
        uint32_t from = 0, to = 0;
        OG_TRY(find_end(b, &decls[i], &decls[i].from, "source", &from, err));
        OG_TRY(find_end(b, &decls[i], &decls[i].to, "target", &to, err));
        OG_TRY(check_folded(b, folded, decls, i, err));
        OG_TRY(fill_def(b, &decls[i], i, &edges[i], err));
        edges[i].from_type = from;
        edges[i].to_type = to;
    }
    b->catalog->edges = edges;
    b->catalog->edge_count = count;
    return OG_OK;
}

static int by_folded_name(const void *a, const void *b, void *edges)
{
    const og_type_def *defs = edges;
    return og_lang__cmp_folded(defs[*(const uint32_t *)a].name, defs[*(const uint32_t *)b].name);
}

static og_status index_folded(build *b, og_error *err)
{
    uint32_t count = b->catalog->edge_count;
    uint32_t *order = og_arena_array_of(b->arena, uint32_t, count + 1);
    if (order == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    if (count > 1)
        qsort_r(order, count, sizeof *order, by_folded_name, (void *)b->catalog->edges);
    b->catalog->edges_by_folded_name = order;
    return OG_OK;
}

og_status og_lang__schema_catalog(const og_lang__schema *schema, og_catalog *catalog, og_error *err)
{
    build b = {schema, catalog, schema->arena};
    OG_TRY(fill_interfaces(&b, err));
    OG_TRY(fill_nodes(&b, err));
    OG_TRY(fill_edges(&b, err));
    return index_folded(&b, err);
}
