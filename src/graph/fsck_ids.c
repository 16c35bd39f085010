/* Ids that occur twice, and edges without an end, in bounded memory.
 *
 * Texts are compared by their XXH3-64. A column is gone through in as many passes as it takes to
 * hold the hashes of one pass, sorted; each pass looks at its share of the hashes. Two different ids with
 * one hash are told apart where they would be called double; an edge that leads to such an id would be
 * missed, once in some 10^19 pairs. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "graph/fsck_priv.h"

#define PASS_HASHES ((uint64_t)16 << 20) /* 128 MiB */
#define MAX_TOLD 100                     /* findings of one kind in one column, told one by one */

typedef OG_VEC(uint64_t) hashes;

/* Which of the passes a hash belongs to. */
static uint64_t pass_of(uint64_t hash, uint64_t passes)
{
    return hash % passes;
}

static uint64_t passes_for(const og_lance_table *table)
{
    return og_lance_table_row_count(table) / PASS_HASHES + 1;
}

static uint64_t hash_of(og_str text)
{
    return og_hash64(text.ptr, text.len);
}

/* ---- going through text columns ----------------------------------------------------------- */

/* Gets the row's texts, one for each field. */
typedef og_status (*row_fn)(void *context, const og_str *texts, og_error *err);

static og_status each_row(og_lance_table *table, const uint32_t *fields, uint32_t field_count,
                          row_fn take, void *context, og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(table, fields, field_count, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < batch.row_count; row++) {
            og_str texts[2];
            for (uint32_t i = 0; i < field_count; i++)
                texts[i] = og_array_is_null(batch.columns[i], row)
                               ? OG_STR("")
                               : og_array_str(batch.columns[i], row);
            OG_TRY(take(context, texts, err));
        }
    }
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

typedef struct collector {
    hashes hashes;
    uint64_t pass, passes;
} collector;

static og_status collect(void *context, const og_str *texts, og_error *err)
{
    collector *c = context;
    uint64_t hash = hash_of(texts[0]);
    if (pass_of(hash, c->passes) == c->pass && !og_vec_push(&c->hashes, hash))
        return og_error_nomem(err);
    return OG_OK;
}

/* The hashes of one pass over a column, sorted. */
static og_status collect_sorted(og_lance_table *table, uint32_t field, collector *c, og_error *err)
{
    c->hashes.len = 0;
    OG_TRY(each_row(table, &field, 1, collect, c, err));
    if (c->hashes.len > 1)
        qsort(c->hashes.items, c->hashes.len, sizeof *c->hashes.items, by_value);
    return OG_OK;
}

/* ---- ids that occur twice ----------------------------------------------------------------- */

typedef struct doubles {
    og_u64map *suspects; /* hashes that occur twice */
    og_strmap *counts;   /* of the texts with such a hash */
} doubles;

static og_status count_text(void *context, const og_str *texts, og_error *err)
{
    doubles *d = context;
    if (og_u64map_get(d->suspects, hash_of(texts[0])) == NULL)
        return OG_OK;
    uint64_t *count = og_strmap_put(d->counts, texts[0], NULL);
    if (count == NULL)
        return og_error_nomem(err);
    ++*count;
    return OG_OK;
}

static og_status find_suspects(og_lance_table *table, uint32_t field, doubles *d,
                               uint64_t *out_left_out, og_error *err)
{
    collector c = {.passes = passes_for(table)};
    og_status s = OG_OK;
    *out_left_out = 0;
    for (c.pass = 0; c.pass < c.passes && s == OG_OK; c.pass++) {
        s = collect_sorted(table, field, &c, err);
        for (size_t i = 1; i < c.hashes.len && s == OG_OK; i++) {
            if (c.hashes.items[i] != c.hashes.items[i - 1] ||
                (i > 1 && c.hashes.items[i] == c.hashes.items[i - 2]))
                continue;
            if (og_u64map_len(d->suspects) >= MAX_TOLD)
                ++*out_left_out;
            else if (og_u64map_put(d->suspects, c.hashes.items[i], NULL) == NULL)
                s = og_error_nomem(err);
        }
    }
    og_vec_deinit(&c.hashes);
    return s;
}

static og_status tell_doubles(og_graph__fsck *f, const doubles *d, uint64_t left_out,
                              og_finding_kind kind, og_str table_key, const char *what,
                              og_error *err)
{
    for (size_t i = 0; i < og_strmap_len(d->counts); i++) {
        uint64_t count;
        og_str text = og_strmap_at(d->counts, i, &count);
        if (count > 1)
            OG_TRY(og_graph__fsck_tell(f, kind, table_key, err,
                                       "%s '%.*s' stands in %" PRIu64 " rows", what,
                                       (int)(text.len < 512 ? text.len : 512), text.ptr, count));
    }
    if (left_out == 0)
        return OG_OK;
    return og_graph__fsck_tell(f, kind, table_key, err,
                               "%" PRIu64 " more of %s stand in several rows", left_out, what);
}

static og_status check_unique(og_graph__fsck *f, og_lance_table *table, uint32_t field, doubles *d,
                              og_finding_kind kind, og_str table_key, const char *what,
                              og_error *err)
{
    uint64_t left_out;
    OG_TRY(find_suspects(table, field, d, &left_out, err));
    if (og_u64map_len(d->suspects) == 0)
        return OG_OK;
    OG_TRY(each_row(table, &field, 1, count_text, d, err));
    return tell_doubles(f, d, left_out, kind, table_key, what, err);
}

og_status og_graph__fsck_unique(og_graph__fsck *f, og_lance_table *table, uint32_t field,
                                og_finding_kind kind, og_str table_key, const char *what,
                                og_error *err)
{
    OG_AUTO(og_u64map) suspects = og_u64map_new(16);
    OG_AUTO(og_strmap) counts = og_strmap_new(false);
    doubles d = {suspects, counts};
    if (suspects == NULL || counts == NULL)
        return og_error_nomem(err);
    og_error problem;
    og_status s = check_unique(f, table, field, &d, kind, table_key, what, &problem);
    return og_graph__fsck_judge(f, s, kind, table_key, &problem, err);
}

/* ---- edges without an end ----------------------------------------------------------------- */

typedef struct ends {
    og_graph__fsck *f;
    const og_type_def *edge;
    og_str node_type;
    const char *word; /* "from" or "to" */
    const collector *nodes;
    uint64_t found;
} ends;

/* texts: the edge's id, and the id at its end. */
static og_status check_end(void *context, const og_str *texts, og_error *err)
{
    ends *e = context;
    uint64_t hash = hash_of(texts[1]);
    const hashes *known = &e->nodes->hashes;
    if (pass_of(hash, e->nodes->passes) != e->nodes->pass ||
        (known->len > 0 && bsearch(&hash, known->items, known->len, sizeof hash, by_value) != NULL))
        return OG_OK;
    if (++e->found > MAX_TOLD)
        return OG_OK;
    return og_graph__fsck_tell(e->f, OG_FINDING_MISSING_ENDPOINT, e->edge->table_key, err,
                               "edge '%.*s' goes %s '%.*s', which is no %.*s",
                               (int)(texts[0].len < 512 ? texts[0].len : 512), texts[0].ptr,
                               e->word, (int)(texts[1].len < 512 ? texts[1].len : 512),
                               texts[1].ptr, OG_FMT(e->node_type));
}

static og_status check_ends(og_graph__fsck *f, og_snapshot *snapshot, const og_type_def *edge,
                            const og_type_def *node, bool is_from, const collector *nodes,
                            og_error *err)
{
    og_lance_table *table;
    og_error problem;
    if (og_snapshot_table(snapshot, edge, &table, &problem) != OG_OK)
        return OG_OK; /* which was told */
    int32_t id = og_lance_table_find_field(table, OG_STR("id"));
    int32_t end = og_lance_table_find_field(table, is_from ? OG_STR("src") : OG_STR("dst"));
    const uint32_t fields[2] = {(uint32_t)id, (uint32_t)end};
    ends e = {f, edge, node->name, is_from ? "from" : "to", nodes, 0};
    og_status s = each_row(table, fields, 2, check_end, &e, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_CONTENT, edge->table_key, &problem, err);
    if (e.found <= MAX_TOLD)
        return OG_OK;
    return og_graph__fsck_tell(f, OG_FINDING_MISSING_ENDPOINT, edge->table_key, err,
                               "%" PRIu64 " more edges go %s no %.*s", e.found - MAX_TOLD, e.word,
                               OG_FMT(node->name));
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
    collector c = {.passes = passes_for(nodes)};
    og_status s = OG_OK;
    for (c.pass = 0; c.pass < c.passes && s == OG_OK && sides->len > 0; c.pass++) {
        og_error problem;
        s = collect_sorted(nodes, (uint32_t)id, &c, &problem);
        if (s != OG_OK) {
            s = og_graph__fsck_judge(f, s, OG_FINDING_CONTENT, node->table_key, &problem, err);
            break;
        }
        for (size_t i = 0; i < sides->len && s == OG_OK; i++)
            s = check_ends(f, snapshot, sides->items[i].edge, node, sides->items[i].is_from, &c,
                           err);
    }
    og_vec_deinit(&c.hashes);
    return s;
}

/* ---- all tables --------------------------------------------------------------------------- */

static og_status check_ids_of(og_graph__fsck *f, og_snapshot *snapshot, const og_type_def *def,
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
    snprintf(name, sizeof name, "ids of %s@%" PRIu64, og_lance_table_path(*out),
             og_lance_table_version(*out));
    OG_TRY(og_graph__fsck_first_time(f, og_str_of(name), &is_new, err));
    int32_t field = og_lance_table_find_field(*out, OG_STR("id"));
    if (!is_new)
        return OG_OK;
    return og_graph__fsck_unique(f, *out, (uint32_t)field, OG_FINDING_DUPLICATE_ID, def->table_key,
                                 "id", err);
}

og_status og_graph__fsck_ids(og_graph__fsck *f, og_snapshot *snapshot, og_error *err)
{
    const og_catalog *catalog = snapshot->catalog;
    og_lance_table *table;
    for (uint32_t i = 0; i < catalog->edge_count; i++)
        OG_TRY(check_ids_of(f, snapshot, &catalog->edges[i], &table, err));
    for (uint32_t i = 0; i < catalog->node_count; i++) {
        const og_type_def *node = &catalog->nodes[i];
        side_list sides = {0};
        OG_TRY(check_ids_of(f, snapshot, node, &table, err));
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
