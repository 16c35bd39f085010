#include "lang/catalog.h"

#include "lang/schema_ast.h"

og_catalog *og_catalog_ref(og_catalog *catalog)
{
    __atomic_add_fetch(&catalog->refs, 1, __ATOMIC_RELAXED);
    return catalog;
}

void og_catalog_unref(og_catalog *catalog)
{
    if (catalog == NULL || __atomic_sub_fetch(&catalog->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    /* The catalog itself lives in its arena. */
    og_arena_free(catalog->arena);
}

/* ---- by name ------------------------------------------------------------------------------ */

static const og_type_def *find_def(const og_type_def *defs, uint32_t count, og_str name)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = og_str_cmp(defs[middle].name, name);
        if (order == 0)
            return &defs[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

int og_lang__cmp_folded(og_str a, og_str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < shared; i++) {
        uint8_t x = (uint8_t)a.ptr[i], y = (uint8_t)b.ptr[i];
        x = x >= 'A' && x <= 'Z' ? (uint8_t)(x | 0x20) : x;
        y = y >= 'A' && y <= 'Z' ? (uint8_t)(y | 0x20) : y;
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

const og_type_def *og_catalog_node(const og_catalog *catalog, og_str name)
{
    return find_def(catalog->nodes, catalog->node_count, name);
}

static const og_type_def *find_edge_folded(const og_catalog *catalog, og_str name)
{
    uint32_t low = 0, high = catalog->edge_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const og_type_def *edge = &catalog->edges[catalog->edges_by_folded_name[middle]];
        int order = og_lang__cmp_folded(edge->name, name);
        if (order == 0)
            return edge;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const og_type_def *og_catalog_edge(const og_catalog *catalog, og_str name)
{
    const og_type_def *exact = find_def(catalog->edges, catalog->edge_count, name);
    return exact != NULL ? exact : find_edge_folded(catalog, name);
}

const og_type_def *og_catalog_table(const og_catalog *catalog, og_str table_key)
{
    static const og_str node = {"node:", 5}, edge = {"edge:", 5};
    if (og_str_starts(table_key, node))
        return og_catalog_node(catalog, og_str_slice(table_key, node.len, table_key.len));
    if (og_str_starts(table_key, edge))
        return find_def(catalog->edges, catalog->edge_count,
                        og_str_slice(table_key, edge.len, table_key.len));
    return NULL;
}

int32_t og_type_def_property(const og_type_def *def, og_str name)
{
    uint32_t low = 0, high = def->property_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = og_str_cmp(def->properties[middle].name, name);
        if (order == 0)
            return (int32_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

/* ---- near misses -------------------------------------------------------------------------- */

static og_str nearest_def(const og_type_def *defs, uint32_t count, og_str name)
{
    og_nearest nearest = og_nearest_to(name);
    for (uint32_t i = 0; i < count; i++)
        og_nearest_offer(&nearest, defs[i].name);
    return nearest.best;
}

og_str og_catalog_nearest_node(const og_catalog *catalog, og_str name)
{
    return nearest_def(catalog->nodes, catalog->node_count, name);
}

og_str og_catalog_nearest_edge(const og_catalog *catalog, og_str name)
{
    return nearest_def(catalog->edges, catalog->edge_count, name);
}

og_str og_type_def_nearest_property(const og_type_def *def, og_str name)
{
    og_nearest nearest = og_nearest_to(name);
    for (uint32_t i = 0; i < def->property_count; i++)
        og_nearest_offer(&nearest, def->properties[i].name);
    return nearest.best;
}
