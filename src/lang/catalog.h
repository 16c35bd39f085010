/* lang/catalog - the types of a graph, checked and resolved, as every other layer sees them.
 *
 * Built from the schema IR (schema.h), so it is canonical: node types, edge types and interfaces
 * sorted by name, properties of a type sorted by name - which is also the order of the columns on
 * disk, after `id` (nodes) or `id`, `src`, `dst` (edges). Immutable and counted. */
#ifndef OG_LANG_CATALOG_H
#define OG_LANG_CATALOG_H

#include "lang/types.h"

typedef struct og_property {
    og_str name;
    og_prop_type type;
    uint32_t prop_id;
    bool has_default;         /* @default(...) of a value that fits */
    og_literal default_value; /* of the property's type, checked */
    og_str embed_source;      /* @embed(property); "" = none */
} og_property;

/* Column names of one @key, @unique or @index, sorted by bytes as in the IR;
 * for edges "src" and "dst" may be among them. */
typedef struct og_columns {
    const og_str *names;
    uint32_t count;
} og_columns;

typedef struct og_range_constraint {
    uint32_t property; /* index into properties */
    bool has_min, has_max;
    og_literal min, max; /* INTEGER or FLOAT */
} og_range_constraint;

typedef struct og_check_constraint {
    uint32_t property;
    og_str pattern;
} og_check_constraint;

/* A node type or an edge type, told apart by is_edge. */
typedef struct og_type_def {
    og_str name;
    og_str table_key;  /* "node:Person", "edge:Knows" */
    og_str table_path; /* "nodes/<fnv1a64 hex of the name>", "edges/..." */
    bool is_edge;
    uint32_t index; /* within nodes or edges */
    uint32_t type_id;
    const og_property *properties;
    uint32_t property_count;
    const og_str *interfaces;
    uint32_t interface_count;
    const og_columns *uniques;
    uint32_t unique_count;
    const og_columns *indices; /* those of @index, then that of @key */
    uint32_t index_count;
    const og_range_constraint *ranges;
    uint32_t range_count;
    const og_check_constraint *checks;
    uint32_t check_count;
    /* Nodes: the columns of @key; count 0 = none. The id is made of the first one by bytes,
     * names[0], however the schema orders them (as in the reference). */
    og_columns key;
    int32_t key_property; /* index of key.names[0] in properties, or -1 */
    /* edges */
    uint32_t from_type, to_type; /* indices into nodes */
    uint32_t card_min;
    uint32_t card_max; /* UINT32_MAX = unbounded */
    /* columns on disk */
    og_schema *table_schema; /* id (src, dst), then properties; owned by the catalog */
} og_type_def;

/* Columns before the first property: 1 for nodes, 3 for edges. */
static inline uint32_t og_type_def_first_property(const og_type_def *def)
{
    return def->is_edge ? 3 : 1;
}

typedef struct og_interface_def {
    og_str name;
    const og_property *properties;
    uint32_t property_count;
} og_interface_def;

typedef struct og_catalog {
    const og_type_def *nodes;
    uint32_t node_count;
    const og_type_def *edges;
    uint32_t edge_count;
    const og_interface_def *interfaces;
    uint32_t interface_count;
    const uint32_t *edges_by_folded_name; /* indices into edges, by name with letters lowered */
    char schema_hash[72];                 /* of the IR, as in __schema_state.json: "sha256:..." */
    int32_t refs;
    og_arena *arena; /* owns all of the above */
} og_catalog;

og_catalog *og_catalog_ref(og_catalog *catalog);
void og_catalog_unref(og_catalog *catalog);
OG_DEFINE_AUTO(og_catalog, og_catalog_unref)

/* NULL when absent. */
const og_type_def *og_catalog_node(const og_catalog *catalog, og_str name);
/* Exact name first, then without regard to case. */
const og_type_def *og_catalog_edge(const og_catalog *catalog, og_str name);
/* The node type of "node:X", the edge type of "edge:X"; NULL when absent. */
const og_type_def *og_catalog_table(const og_catalog *catalog, og_str table_key);
/* Index of a property by name, or -1. */
int32_t og_type_def_property(const og_type_def *def, og_str name);
/* The name of the node type, edge type or property nearest to a misspelt `name`, for hints;
 * "" when none is near. */
og_str og_catalog_nearest_node(const og_catalog *catalog, og_str name);
og_str og_catalog_nearest_edge(const og_catalog *catalog, og_str name);
og_str og_type_def_nearest_property(const og_type_def *def, og_str name);

#endif
