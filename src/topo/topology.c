#include "topo/topology.h"

#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "topo/topology_priv.h"

og_topology *og_topology_ref(og_topology *topology)
{
    __atomic_add_fetch(&topology->refs, 1, __ATOMIC_RELAXED);
    return topology;
}

void og_topology_unref(og_topology *t)
{
    if (t == NULL || __atomic_sub_fetch(&t->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    og_topo__backing *b = t->backing;
    for (int i = 0; i < 4; i++)
        og_free(b->texts[i]);
    uint32_t *owned[] = {b->out_offsets, b->out_targets, b->out_edges,     b->in_offsets,
                         b->in_targets,  b->in_edges,    b->order.numbers, b->order.ids};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        og_free(owned[i]);
    for (int i = 0; i < OG_TOPO__SECTIONS; i++)
        og_topo__summed_deinit(&b->sections[i].packed);
    og_free(b);
    og_free(t);
}

size_t og_topology_bytes(const og_topology *t)
{
    const og_topo__backing *b = t->backing;
    const uint32_t *by_edge[] = {b->out_targets, b->out_edges,     b->in_targets,
                                 b->in_edges,    b->order.numbers, b->order.ids};
    size_t entries = 0;
    for (size_t i = 0; i < sizeof by_edge / sizeof *by_edge; i++)
        entries += by_edge[i] != NULL ? t->edge_count : 0;
    entries += b->out_offsets != NULL ? (size_t)t->out.vertex_count + 1 : 0;
    entries += b->in_offsets != NULL ? (size_t)t->in.vertex_count + 1 : 0;
    const og_blob *file = b->sections[0].packed.file; /* the same in all sections */
    size_t read_bytes = file != NULL && !file->is_mapped ? file->len : 0;
    return sizeof *t + sizeof *b + read_bytes + entries * sizeof(uint32_t);
}

og_topology *og_topo__topology_new(const og_topo__key *key)
{
    og_topology *t = og_calloc(1, sizeof *t);
    og_topo__backing *b = og_calloc(1, sizeof *b);
    if (t == NULL || b == NULL) {
        og_free(t);
        og_free(b);
        return NULL;
    }
    t->refs = 1;
    t->backing = b;
    const char *texts[4] = {key->edge_path, key->edge_epoch, key->from_epoch, key->to_epoch};
    bool ok = true;
    for (int i = 0; i < 4; i++)
        ok &= (b->texts[i] = og_strdup(texts[i])) != NULL;
    b->key = *key;
    b->key.edge_path = b->texts[0];
    b->key.edge_epoch = b->texts[1];
    b->key.from_epoch = b->texts[2];
    b->key.to_epoch = b->texts[3];
    if (!ok) {
        og_topology_unref(t);
        return NULL;
    }
    return t;
}

void og_topo__want(og_lance_table *edges, og_lance_table *from, og_lance_table *to,
                   og_topo__wanted *out)
{
    og_lance_table *tables[3] = {edges, from, to};
    for (int i = 0; i < 3; i++)
        snprintf(out->texts[i], sizeof out->texts[i], "%.*s", OG_FMT(og_topo_epoch(tables[i])));
    out->key = (og_topo__key){.edge_path = og_lance_table_path(edges),
                              .edge_version = og_lance_table_version(edges),
                              .edge_epoch = out->texts[0],
                              .from_epoch = out->texts[1],
                              .to_epoch = out->texts[2],
                              .next_row_id = og_lance_table_next_row_id(edges),
                              .max_fragment_id = og_lance_table_max_fragment_id(edges),
                              .from_limit = og_lance_table_next_row_id(from),
                              .to_limit = og_lance_table_next_row_id(to)};
}

/* ---- edges as triples --------------------------------------------------------------------- */

typedef OG_VEC(uint32_t) vertex_list;

/* Edges in slot order, before they are sorted by vertex. */
typedef struct edge_list {
    vertex_list src, dst;
    vertex_list edge;
    uint64_t dangling;
} edge_list;

static void edge_list_deinit(edge_list *l)
{
    og_vec_deinit(&l->src);
    og_vec_deinit(&l->dst);
    og_vec_deinit(&l->edge);
}

static bool edge_list_push(edge_list *l, uint32_t src, uint32_t dst, uint32_t edge)
{
    return og_vec_push(&l->src, src) && og_vec_push(&l->dst, dst) && og_vec_push(&l->edge, edge);
}

/* Where the ends of edges are looked up. */
typedef struct ends {
    og_lance_table *from_table, *to_table;
    og_directory *from, *to;
} ends;

/* Vertices of all values at once. */
static og_status vertices_of_values(const og_array *values, og_directory *directory,
                                    og_lance_table *table, vertex_list *out, og_error *err)
{
    size_t count = (size_t)values->length;
    OG_AUTO_FREE og_str *ids = og_reallocarray(NULL, count, sizeof *ids);
    out->len = 0;
    if (ids == NULL || !og_vec_reserve(out, count))
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        ids[i] = og_array_str(values, (int64_t)i);
    return og_directory_find(directory, table, ids, count, out->items, err);
}

static og_status add_end_batch(const og_lance_codes *batch, const uint32_t *vertices,
                               vertex_list *out, og_error *err)
{
    if (!og_vec_reserve(out, batch->row_count))
        return og_error_nomem(err);
    for (uint32_t i = 0; i < batch->row_count; i++)
        out->items[out->len + i] = vertices[batch->codes[i]];
    out->len += batch->row_count;
    return OG_OK;
}

/* Append the vertices at one end of the live edges from slot `start` on. An id is looked up once
 * for all rows of a page that share it. */
static og_status add_end(og_lance_table *edges, const char *column, uint32_t start,
                         og_directory *directory, og_lance_table *nodes, vertex_list *out,
                         og_error *err)
{
    int32_t field = og_lance_table_find_field(edges, og_str_of(column));
    if (field < 0)
        return og_error_set(err, OG_CORRUPT, "table %s has no column '%s'",
                            og_lance_table_path(edges), column);
    OG_AUTO(og_lance_code_scan) scan = NULL;
    OG_TRY(og_lance_code_scan_open(edges, (uint32_t)field, start, &scan, err));
    vertex_list vertices = {0};
    og_lance_codes batch;
    og_status s;
    for (uint64_t known = 0;; known = batch.values_id) {
        s = og_lance_code_scan_next(scan, &batch, err);
        if (s != OG_OK || batch.row_count == 0)
            break;
        if (batch.values_id != known)
            s = vertices_of_values(batch.values, directory, nodes, &vertices, err);
        if (s == OG_OK)
            s = add_end_batch(&batch, vertices.items, out, err);
        if (s != OG_OK)
            break;
    }
    og_vec_deinit(&vertices);
    return s;
}

/* Append the row ids of the live rows from slot `start` on. */
static og_status add_row_ids(og_lance_table *edges, uint32_t start, vertex_list *out, og_error *err)
{
    const uint8_t *deleted;
    uint32_t slots[1024], next = start, end = (uint32_t)og_lance_table_slot_count(edges);
    uint64_t row_ids[1024];
    OG_TRY(og_lance_table_deleted(edges, &deleted, err));
    while (next < end) {
        size_t count = 0;
        for (; next < end && count < 1024; next++)
            if (deleted == NULL || !og_bit_get(deleted, next))
                slots[count++] = next;
        OG_TRY(og_lance_row_ids(edges, slots, count, row_ids, err));
        if (!og_vec_reserve(out, count))
            return og_error_nomem(err);
        for (size_t i = 0; i < count; i++)
            out->items[out->len++] = (uint32_t)row_ids[i];
    }
    return OG_OK;
}

/* Of the edges from number `first` on, leave out those that lack an end. */
static void drop_dangling(edge_list *list, size_t first)
{
    size_t kept = first;
    for (size_t i = first; i < list->edge.len; i++) {
        list->src.items[kept] = list->src.items[i];
        list->dst.items[kept] = list->dst.items[i];
        list->edge.items[kept] = list->edge.items[i];
        kept += list->src.items[i] != OG_NO_VERTEX && list->dst.items[i] != OG_NO_VERTEX;
    }
    list->dangling += list->edge.len - kept;
    list->src.len = list->dst.len = list->edge.len = kept;
}

/* Add the live edges from slot `start` on. */
static og_status add_edges(edge_list *list, og_lance_table *edges, const ends *e, uint32_t start,
                           og_error *err)
{
    size_t first = list->edge.len;
    if (og_lance_table_next_row_id(edges) >= UINT32_MAX)
        return og_error_set(err, OG_UNSUPPORTED, "table %s has given out more than 2^32 row ids",
                            og_lance_table_path(edges));
    OG_TRY(add_row_ids(edges, start, &list->edge, err));
    OG_TRY(add_end(edges, "src", start, e->from, e->from_table, &list->src, err));
    OG_TRY(add_end(edges, "dst", start, e->to, e->to_table, &list->dst, err));
    if (list->src.len != list->edge.len || list->dst.len != list->edge.len)
        return og_error_set(err, OG_CORRUPT, "the columns of %s differ in length",
                            og_lance_table_path(edges));
    drop_dangling(list, first);
    return OG_OK;
}

/* ---- sorting into adjacency --------------------------------------------------------------- */

/* Where the edges of each vertex begin; NULL when out of memory. */
static uint32_t *count_edges(const vertex_list *by, uint32_t vertex_count)
{
    size_t vertices = vertex_count;
    uint32_t *offsets = og_calloc(vertices + 1, sizeof *offsets);
    if (offsets == NULL)
        return NULL;
    for (size_t i = 0; i < by->len; i++)
        offsets[by->items[i] + 1]++;
    for (size_t v = 0; v < vertices; v++)
        offsets[v + 1] += offsets[v];
    return offsets;
}

/* Counting sort by `by`; stable, so edges of a vertex stay in slot order. Fills offsets and targets
 * of the side, and `numbers` unless NULL. */
static og_status sort_edges(og_adjacency *side, const vertex_list *by, const vertex_list *other,
                            uint32_t **out_offsets, uint32_t **out_targets, uint32_t *numbers,
                            og_error *err)
{
    size_t vertices = side->vertex_count, count = by->len;
    uint32_t *offsets = count_edges(by, side->vertex_count);
    uint32_t *targets = og_reallocarray(NULL, count, sizeof *targets);
    side->offsets = *out_offsets = offsets;
    side->targets = *out_targets = targets;
    if (offsets == NULL || targets == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++) {
        uint32_t place = offsets[by->items[i]]++;
        targets[place] = other->items[i];
        if (numbers != NULL)
            numbers[place] = (uint32_t)i;
    }
    /* Each offset now stands where the next one began: shift them back by one. */
    memmove(offsets + 1, offsets, vertices * sizeof *offsets);
    offsets[0] = 0;
    return OG_OK;
}

static uint32_t vertices_of(const uint32_t *vertices, size_t count)
{
    uint32_t most = 0;
    for (size_t i = 0; i < count; i++)
        if (vertices[i] >= most)
            most = vertices[i] + 1;
    return most;
}

/* Find out whether a degree counts neighbours. The last source that led to each target is enough to
 * see a second edge from it. */
static og_status note_shape(og_topology *t, og_error *err)
{
    uint32_t *last = og_malloc(((size_t)t->in.vertex_count + 1) * sizeof *last);
    if (last == NULL)
        return og_error_nomem(err);
    memset(last, 0xFF, (size_t)t->in.vertex_count * sizeof *last);
    for (uint32_t v = 0; v < t->out.vertex_count; v++)
        for (uint32_t i = t->out.offsets[v]; i < t->out.offsets[v + 1]; i++) {
            uint32_t target = t->out.targets[i];
            t->has_parallel |= last[target] == v;
            t->has_loops |= target == v;
            last[target] = v;
        }
    og_free(last);
    return OG_OK;
}

/* Whether edge i has row id i, as in a table that was loaded at once. */
static bool ids_are_numbers(const edge_list *list)
{
    for (size_t i = 0; i < list->edge.len; i++)
        if (list->edge.items[i] != i)
            return false;
    return true;
}

static og_status sort_sides(og_topology *t, const edge_list *list, og_error *err)
{
    og_topo__backing *b = t->backing;
    uint32_t *numbers = og_reallocarray(NULL, t->edge_count, sizeof *numbers);
    b->order.numbers = numbers;
    if (numbers == NULL)
        return og_error_nomem(err);
    OG_TRY(sort_edges(&t->out, &list->src, &list->dst, &b->out_offsets, &b->out_targets, numbers,
                      err));
    return sort_edges(&t->in, &list->dst, &list->src, &b->in_offsets, &b->in_targets, NULL, err);
}

static og_status make_topology(edge_list *list, const og_topo__key *key, og_topology **out,
                               og_error *err)
{
    OG_AUTO(og_topology) t = og_topo__topology_new(key);
    if (t == NULL)
        return og_error_nomem(err);
    t->edge_count = (uint32_t)list->src.len;
    t->dangling_count = list->dangling;
    t->out.vertex_count = vertices_of(list->src.items, list->src.len);
    t->in.vertex_count = vertices_of(list->dst.items, list->dst.len);
    OG_TRY(sort_sides(t, list, err));
    OG_TRY(note_shape(t, err));
    if (!ids_are_numbers(list)) {
        og_topo__backing_of(t)->order.ids = list->edge.items;
        list->edge.items = NULL;
    }
    *out = OG_TAKE(t);
    return OG_OK;
}

og_status og_topology_build(og_lance_table *edges, og_lance_table *from_table, og_directory *from,
                            og_lance_table *to_table, og_directory *to, og_topology **out,
                            og_error *err)
{
    const ends e = {from_table, to_table, from, to};
    og_topo__wanted wanted;
    og_topo__want(edges, from_table, to_table, &wanted);
    edge_list list = {0};
    size_t rows = (size_t)og_lance_table_row_count(edges);
    og_status s = og_vec_reserve(&list.src, rows) && og_vec_reserve(&list.dst, rows) &&
                          og_vec_reserve(&list.edge, rows)
                      ? add_edges(&list, edges, &e, 0, err)
                      : og_error_nomem(err);
    if (s == OG_OK)
        s = make_topology(&list, &wanted.key, out, err);
    edge_list_deinit(&list);
    return s;
}

/* ---- from an earlier version -------------------------------------------------------------- */

/* The edges of an earlier version: their ends by number. */
typedef struct old_edges {
    const og_topology *base;
    uint32_t *sources, *targets;
} old_edges;

/* Old edges that still stand in the first `slot_count` slots, in slot order: each is put where its
 * slot is, then all are read in order, which costs less than sorting. */
static og_status keep_live(edge_list *list, const old_edges *old, og_lance_table *edges,
                           size_t slot_count, og_error *err)
{
    const og_topo__order *order = &og_topo__backing_of(old->base)->order;
    size_t count = old->base->edge_count;
    OG_AUTO_FREE uint64_t *ids = og_reallocarray(NULL, count, sizeof *ids);
    OG_AUTO_FREE uint32_t *slots = og_reallocarray(NULL, count, sizeof *slots);
    OG_AUTO_FREE uint32_t *at_slot = og_reallocarray(NULL, slot_count, sizeof *at_slot);
    if (ids == NULL || slots == NULL || at_slot == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = og_topo__edge_id(order, i);
    OG_TRY(og_lance_slots_of(edges, ids, count, slots, err));
    memset(at_slot, 0xFF, slot_count * sizeof *at_slot);
    for (uint32_t i = 0; i < count; i++)
        if (slots[i] < slot_count)
            at_slot[slots[i]] = i;
    for (size_t slot = 0; slot < slot_count; slot++) {
        uint32_t i = at_slot[slot];
        if (i != UINT32_MAX &&
            !edge_list_push(list, old->sources[i], old->targets[i], (uint32_t)ids[i]))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static og_status read_old(og_topology *base, old_edges *out, og_error *err)
{
    size_t count = base->edge_count;
    *out = (old_edges){base, og_reallocarray(NULL, count, sizeof *out->sources),
                       og_reallocarray(NULL, count, sizeof *out->targets)};
    if (out->sources == NULL || out->targets == NULL)
        return og_error_nomem(err);
    OG_TRY(og_topo__complete(base, OG_TOPO_OUT, err));
    OG_TRY(og_topo__need_order(base, err));
    return og_topo__ends_by_number(base, out->sources, out->targets, err);
}

static og_status extend(const old_edges *old, og_lance_table *edges, const ends *e,
                        const og_topo__key *key, og_topology **out, og_error *err)
{
    uint32_t start =
        og_topo__first_newer_slot(edges, og_topo__backing_of(old->base)->key.max_fragment_id);
    edge_list list = {0};
    og_status s = keep_live(&list, old, edges, start, err);
    if (s == OG_OK && start < og_lance_table_slot_count(edges))
        s = add_edges(&list, edges, e, start, err);
    if (s == OG_OK)
        s = make_topology(&list, key, out, err);
    edge_list_deinit(&list);
    return s;
}

og_status og_topo__topology_extend(og_topology *base, og_lance_table *edges,
                                   og_lance_table *from_table, og_directory *from,
                                   og_lance_table *to_table, og_directory *to, og_topology **out,
                                   og_error *err)
{
    const ends e = {from_table, to_table, from, to};
    og_topo__wanted wanted;
    old_edges old = {0};
    og_topo__want(edges, from_table, to_table, &wanted);
    /* One that left out edges, for a node that may be there by now, or is damaged, is of no use. */
    bool is_usable = base->dangling_count == 0 && read_old(base, &old, NULL) == OG_OK;
    og_status s = is_usable ? extend(&old, edges, &e, &wanted.key, out, err)
                            : og_topology_build(edges, from_table, from, to_table, to, out, err);
    og_free(old.sources);
    og_free(old.targets);
    return s;
}
