/* Ids of all tables, what @unique and @card say of them, and the ends of all edges.
 *
 * Whether an end is a node is asked by hash, like all that is counted (fsck_tally.c): an edge that
 * leads to an id that is not there, but whose hash is another's, would be missed, once in some
 * 10^19 pairs. */
#include <inttypes.h>
#include <stdio.h>

#include "graph/constraints_priv.h"
#include "graph/fsck_priv.h"

/* ---- edges without an end ----------------------------------------------------------------- */

typedef struct ends {
    og_graph__fsck *f;
    const og_type_def *edge;
    og_str node_type;
    const char *word; /* "from" or "to" */
    const og_graph__hashes *nodes;
    uint64_t found;
    og_status told; /* what became of telling */
    og_error *err;
} ends;

static og_str text_at(const og_array *texts, int64_t row)
{
    return og_array_is_null(texts, row) ? OG_STR("") : og_array_str(texts, row);
}

/* Columns: the edge's id, and the id at its end. */
static og_status check_batch(void *context, const og_batch *batch, og_error *err)
{
    ends *e = context;
    for (int64_t row = 0; row < batch->row_count; row++) {
        og_str end = text_at(batch->columns[1], row);
        uint64_t hash = og_graph__tuple_hash(end);
        if (!og_graph__is_of_pass(e->nodes, hash) || og_graph__hashes_have(e->nodes, hash) ||
            ++e->found > OG_GRAPH__MAX_TOLD)
            continue;
        og_str id = og_graph__fsck_shown(text_at(batch->columns[0], row));
        end = og_graph__fsck_shown(end);
        e->told = og_graph__fsck_tell(e->f, OG_FINDING_MISSING_ENDPOINT, e->edge->table_key, e->err,
                                      "edge '%.*s' goes %s '%.*s', which is no %.*s", OG_FMT(id),
                                      e->word, OG_FMT(end), OG_FMT(e->node_type));
        if (e->told != OG_OK)
            return og_error_set(err, OG_CANCELLED, "not told");
    }
    return OG_OK;
}

static og_status check_ends(og_graph__fsck *f, og_snapshot *snapshot, const og_type_def *edge,
                            const og_type_def *node, bool is_from, const og_graph__hashes *nodes,
                            og_error *err)
{
    og_lance_table *table;
    og_error problem;
    if (og_snapshot_table(snapshot, edge, &table, &problem) != OG_OK)
        return OG_OK; /* which was told */
    int32_t id = og_lance_table_find_field(table, OG_STR("id"));
    int32_t end = og_lance_table_find_field(table, is_from ? OG_STR("src") : OG_STR("dst"));
    const uint32_t fields[2] = {(uint32_t)id, (uint32_t)end};
    ends e = {f, edge, node->name, is_from ? "from" : "to", nodes, 0, OG_OK, err};
    og_status s = og_graph__each_batch(f, table, fields, 2, check_batch, &e, &problem);
    OG_TRY(e.told);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_CONTENT, edge->table_key, &problem, err);
    if (e.found <= OG_GRAPH__MAX_TOLD)
        return OG_OK;
    return og_graph__fsck_tell(f, OG_FINDING_MISSING_ENDPOINT, edge->table_key, err,
                               "%" PRIu64 " more edges go %s no %.*s", e.found - OG_GRAPH__MAX_TOLD,
                               e.word, OG_FMT(node->name));
}

/* An edge table and a node table that were not seen together before. */
static og_status is_new_pair(og_graph__fsck *f, og_snapshot *snapshot, const og_type_def *edge,
                             og_lance_table *nodes, bool is_from, bool *out, og_error *err)
{
    og_lance_table *edges;
    char name[1200];
    *out = false;
    if (og_snapshot_table(snapshot, edge, &edges, NULL) != OG_OK ||
        og_graph__fsck_is_broken(f, edges))
        return OG_OK;
    snprintf(name, sizeof name, "%s@%" PRIu64 " %s %s@%" PRIu64, og_lance_table_path(edges),
             og_lance_table_version(edges), is_from ? "from" : "to", og_lance_table_path(nodes),
             og_lance_table_version(nodes));
    return og_graph__fsck_first_time(f, og_str_of(name), out, err);
}

typedef struct side {
    const og_type_def *edge;
    bool is_from;
} side;
typedef OG_VEC(side) side_list;

/* The ends of edges that are nodes of this type, and have to be looked at. */
static og_status list_sides(og_graph__fsck *f, og_snapshot *snapshot, const og_type_def *node,
                            og_lance_table *nodes, side_list *out, og_error *err)
{
    const og_catalog *catalog = snapshot->catalog;
    for (uint32_t i = 0; i < catalog->edge_count; i++) {
        const og_type_def *edge = &catalog->edges[i];
        for (int from = 1; from >= 0; from--) {
            bool is_new;
            if ((from ? edge->from_type : edge->to_type) != node->index)
                continue;
            OG_TRY(is_new_pair(f, snapshot, edge, nodes, from, &is_new, err));
            if (is_new && !og_vec_push(out, (side){edge, from}))
                return og_error_nomem(err);
        }
    }
    return OG_OK;
}

static og_status check_sides(og_graph__fsck *f, og_snapshot *snapshot, const og_type_def *node,
                             og_lance_table *nodes, const side_list *sides, og_error *err)
{
    int32_t id = og_lance_table_find_field(nodes, OG_STR("id"));
    const uint32_t field = (uint32_t)id;
    og_graph__hashes h = {.passes = og_graph__passes_for(nodes)};
    og_status s = OG_OK;
    for (; h.pass < h.passes && s == OG_OK && sides->len > 0; h.pass++) {
        og_error problem;
        s = og_graph__hashes_collect(f, nodes, &field, 1, &h, &problem);
        if (s != OG_OK) {
            s = og_graph__fsck_judge(f, s, OG_FINDING_CONTENT, node->table_key, &problem, err);
            break;
        }
        for (size_t i = 0; i < sides->len && s == OG_OK; i++)
            s = check_ends(f, snapshot, sides->items[i].edge, node, sides->items[i].is_from, &h,
                           err);
    }
    og_graph__hashes_deinit(&h);
    return s;
}

/* ---- what may not occur too often, or too seldom ------------------------------------------ */

/* Fields of the table with these names; false when it lacks one. */
static bool find_fields(const og_lance_table *table, const og_str *names, uint32_t count,
                        uint32_t *out)
{
    for (uint32_t i = 0; i < count; i++) {
        int32_t field = og_lance_table_find_field(table, names[i]);
        if (field < 0)
            return false;
        out[i] = (uint32_t)field;
    }
    return true;
}

/* Lists, vectors and blobs are not compared, when rows are written neither. */
static bool is_comparable(const og_lance_table *table, const uint32_t *fields, uint32_t count)
{
    uint32_t all;
    const og_lance_field *of = og_lance_table_fields(table, &all);
    for (uint32_t i = 0; i < count; i++)
        if (of[fields[i]].field.type->child_count > 0)
            return false;
    return true;
}

/* "@unique violation on Person.email: value", or "... on Person.(a, b): value". */
static bool name_unique(og_buf *out, const og_type_def *def, const og_columns *unique)
{
    og_buf_printf(out, "@unique violation on %.*s.%s", OG_FMT(def->name),
                  unique->count > 1 ? "(" : "");
    for (uint32_t i = 0; i < unique->count; i++)
        og_buf_printf(out, "%s%.*s", i > 0 ? ", " : "", OG_FMT(unique->names[i]));
    return og_buf_printf(out, "%s: value", unique->count > 1 ? ")" : "");
}

static og_status check_unique(og_graph__fsck *f, const og_type_def *def, og_lance_table *table,
                              const og_columns *unique, og_error *err)
{
    OG_AUTO_BUF what = OG_BUF_INIT;
    OG_AUTO_FREE uint32_t *fields = og_calloc((size_t)unique->count + 1, sizeof *fields);
    if (fields == NULL || !name_unique(&what, def, unique))
        return og_error_nomem(err);
    if (!find_fields(table, unique->names, unique->count, fields) ||
        !is_comparable(table, fields, unique->count))
        return OG_OK;
    const og_graph__rule rule = {.kind = OG_FINDING_UNIQUE,
                                 .table_key = def->table_key,
                                 .fields = fields,
                                 .field_count = unique->count,
                                 .high = 1,
                                 .what = og_buf_cstr(&what)};
    return og_graph__fsck_tally(f, table, &rule, err);
}

static og_status check_card(og_graph__fsck *f, const og_type_def *def, og_lance_table *table,
                            og_error *err)
{
    const og_str src = OG_STR("src");
    uint32_t field;
    OG_AUTO_BUF what = OG_BUF_INIT;
    if (!og_graph__has_card(def) || !find_fields(table, &src, 1, &field))
        return OG_OK;
    if (!og_buf_printf(&what, "@card violation on edge %.*s: source", OG_FMT(def->name)))
        return og_error_nomem(err);
    const og_graph__rule rule = {
        .kind = OG_FINDING_CARDINALITY,
        .table_key = def->table_key,
        .fields = &field,
        .field_count = 1,
        .low = def->card_min,
        .high = def->card_max == UINT32_MAX ? UINT64_MAX : def->card_max,
        .what = og_buf_cstr(&what),
        .counts_edges = true,
    };
    return og_graph__fsck_tally(f, table, &rule, err);
}

og_status og_graph__fsck_unique(og_graph__fsck *f, og_lance_table *table, uint32_t field,
                                og_finding_kind kind, og_str table_key, const char *what,
                                og_error *err)
{
    const og_graph__rule rule = {.kind = kind,
                                 .table_key = table_key,
                                 .fields = &field,
                                 .field_count = 1,
                                 .high = 1,
                                 .what = what};
    return og_graph__fsck_tally(f, table, &rule, err);
}

static og_status check_counts(og_graph__fsck *f, const og_type_def *def, og_lance_table *table,
                              og_error *err)
{
    int32_t id = og_lance_table_find_field(table, OG_STR("id"));
    OG_TRY(og_graph__fsck_unique(f, table, (uint32_t)id, OG_FINDING_DUPLICATE_ID, def->table_key,
                                 "id", err));
    for (uint32_t i = 0; i < def->unique_count; i++)
        OG_TRY(check_unique(f, def, table, &def->uniques[i], err));
    return def->is_edge ? check_card(f, def, table, err) : OG_OK;
}

/* ---- all tables --------------------------------------------------------------------------- */

static og_status check_rows_of(og_graph__fsck *f, og_snapshot *snapshot, const og_type_def *def,
                               og_lance_table **out, og_error *err)
{
    char name[600];
    bool is_new;
    og_lance_table *table;
    *out = NULL;
    if (og_snapshot_table(snapshot, def, &table, NULL) != OG_OK ||
        og_graph__fsck_is_broken(f, table))
        return OG_OK; /* which was told */
    *out = table;
    snprintf(name, sizeof name, "rows of %s@%" PRIu64, og_lance_table_path(*out),
             og_lance_table_version(*out));
    OG_TRY(og_graph__fsck_first_time(f, og_str_of(name), &is_new, err));
    if (!is_new)
        return OG_OK;
    OG_TRY(check_counts(f, def, table, err));
    return og_graph__fsck_values(f, def, table, err);
}

og_status og_graph__fsck_rows(og_graph__fsck *f, og_snapshot *snapshot, og_error *err)
{
    const og_catalog *catalog = snapshot->catalog;
    og_lance_table *table;
    for (uint32_t i = 0; i < catalog->edge_count; i++)
        OG_TRY(check_rows_of(f, snapshot, &catalog->edges[i], &table, err));
    for (uint32_t i = 0; i < catalog->node_count; i++) {
        const og_type_def *node = &catalog->nodes[i];
        side_list sides = {0};
        OG_TRY(check_rows_of(f, snapshot, node, &table, err));
        if (table == NULL)
            continue;
        og_status s = list_sides(f, snapshot, node, table, &sides, err);
        if (s == OG_OK)
            s = check_sides(f, snapshot, node, table, &sides, err);
        og_vec_deinit(&sides);
        OG_TRY(s);
    }
    return OG_OK;
}
