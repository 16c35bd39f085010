/* The edges at some nodes, by a topology of an earlier version.
 *
 * A topology need not be brought up to date to say which edges there are at a node: of the edges it
 * knows, those that are gone have no slot, and those that were replaced stand, like new ones, in
 * fragments made since, which the caller scans. Only edges that it left out make it useless. */
#include <stdlib.h>

#include "base/vec.h"
#include "topo/topology_priv.h"

/* Looking through all edges takes a fraction of what it takes to give each vertex its own, so that is done for
 * the first few questions. A process that removes one node asks two. */
#define MAX_SCANS 2

uint32_t og_topo__first_newer_slot(const og_lance_table *table, int64_t max_fragment_id)
{
    uint32_t count;
    const og_lance_fragment *fragments = og_lance_table_fragments(table, &count);
    for (uint32_t i = 0; i < count; i++)
        if ((int64_t)fragments[i].id > max_fragment_id)
            return fragments[i].first_slot;
    return (uint32_t)og_lance_table_slot_count(table);
}

typedef OG_VEC(uint64_t) id_list;

static og_status edges_of(const og_adjacency *side, const uint32_t *vertices, size_t count,
                          id_list *out, og_error *err)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t start, end;
        og_adjacency_range(side, vertices[i], &start, &end); /* none for OG_NO_VERTEX */
        if (!og_vec_reserve(out, end - start))
            return og_error_nomem(err);
        for (uint32_t e = start; e < end; e++)
            out->items[out->len++] = side->edges[e];
    }
    return OG_OK;
}

/* ---- by the order of edges ---------------------------------------------------------------- */

/* 1 for each of these vertices below `limit`, else 0; NULL when out of memory. Bytes, as bits take twice as long
 * to look at. */
static uint8_t *mark(const uint32_t *vertices, size_t count, uint32_t limit)
{
    uint8_t *marked = og_calloc((size_t)limit + 1, 1);
    for (size_t i = 0; marked != NULL && i < count; i++)
        if (vertices[i] < limit)
            marked[vertices[i]] = 1;
    return marked;
}

/* The first of `vertices` from `i` on that is marked, or `count`. */
static uint32_t next_marked(const uint8_t *marked, const uint32_t *vertices, uint32_t i,
                            uint32_t count)
{
    for (; count - i >= 8; i += 8) {
        uint8_t any = 0;
#pragma GCC unroll 8
        for (uint32_t j = 0; j < 8; j++)
            any |= marked[vertices[i + j]];
        if (any != 0)
            break;
    }
    while (i < count && marked[vertices[i]] == 0)
        i++;
    return i;
}

/* The edges whose source is marked. */
static og_status scan_by_source(const og_topology *t, const uint8_t *marked, id_list *out,
                                og_error *err)
{
    const og_topo__order *order = &og_topo__backing_of(t)->order;
    uint32_t count = t->edge_count;
    for (uint32_t i = next_marked(marked, order->sources, 0, count); i < count;
         i = next_marked(marked, order->sources, i + 1, count))
        if (!og_vec_push(out, og_topo__edge_id(order, i)))
            return og_error_nomem(err);
    return OG_OK;
}

static void mark_sources(const og_topology *t, const uint8_t *targets, uint8_t *out)
{
    uint32_t v = 0, count = t->edge_count;
    for (uint32_t i = next_marked(targets, t->out.targets, 0, count); i < count;
         i = next_marked(targets, t->out.targets, i + 1, count)) {
        while (t->out.offsets[v + 1] <= i)
            v++;
        out[v] = 1;
    }
}

/* The edges whose target is marked: of a source that has such, each edge is told its target as it comes. */
static og_status scan_by_target(const og_topology *t, const uint8_t *marked, id_list *out,
                                og_error *err)
{
    const og_topo__order *order = &og_topo__backing_of(t)->order;
    uint32_t vertices = t->out.vertex_count, count = t->edge_count;
    OG_AUTO_FREE uint8_t *near = mark(NULL, 0, vertices);
    OG_AUTO_FREE uint32_t *next = og_reallocarray(NULL, vertices, sizeof *next);
    if (near == NULL || next == NULL)
        return og_error_nomem(err);
    mark_sources(t, marked, near);
    memcpy(next, t->out.offsets, vertices * sizeof *next);
    for (uint32_t i = next_marked(near, order->sources, 0, count); i < count;
         i = next_marked(near, order->sources, i + 1, count)) {
        uint32_t source = order->sources[i], place = next[source]++;
        if (place == t->out.offsets[source + 1])
            return og_topo__damaged(t, err);
        if (marked[t->out.targets[place]] != 0 && !og_vec_push(out, og_topo__edge_id(order, i)))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static og_status scan_edges(og_topology *t, bool at_src, const uint32_t *vertices, size_t count,
                            id_list *out, og_error *err)
{
    OG_AUTO_FREE uint8_t *marked =
        mark(vertices, count, at_src ? t->out.vertex_count : t->in.vertex_count);
    if (marked == NULL)
        return og_error_nomem(err);
    OG_TRY(og_topo__need_order(t, err));
    if (at_src)
        return scan_by_source(t, marked, out, err);
    OG_TRY(og_topo__complete(t, OG_TOPO_OUT, err));
    return scan_by_target(t, marked, out, err);
}

static og_status find_edges(og_topology *t, bool at_src, const uint32_t *vertices, size_t count,
                            id_list *out, og_error *err)
{
    og_topo__backing *b = t->backing;
    bool has_edges = (at_src ? b->out_edges : b->in_edges) != NULL;
    if (!has_edges && b->scan_count < MAX_SCANS) {
        b->scan_count++;
        return scan_edges(t, at_src, vertices, count, out, err);
    }
    OG_TRY(og_topo__complete(t, at_src ? OG_TOPO_OUT_EDGES : OG_TOPO_IN_EDGES, err));
    return edges_of(at_src ? &t->out : &t->in, vertices, count, out, err);
}

/* ---- slots -------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The slots below `end`, ascending, each once; returns how many. */
static size_t sort_slots(uint32_t *slots, size_t count, uint32_t end)
{
    if (count > 1)
        qsort(slots, count, sizeof *slots, by_value);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (slots[i] < end && (kept == 0 || slots[i] != slots[kept - 1]))
            slots[kept++] = slots[i];
    return kept;
}

og_status og_topo__incident(og_topology *base, og_lance_table *edges, og_lance_table *nodes,
                            og_directory *directory, bool at_src, const og_str *ids,
                            size_t id_count, og_incident *out, og_error *err)
{
    uint32_t newer =
        og_topo__first_newer_slot(edges, og_topo__backing_of(base)->key.max_fragment_id);
    OG_AUTO_FREE uint32_t *vertices = og_reallocarray(NULL, id_count, sizeof *vertices);
    if (vertices == NULL)
        return og_error_nomem(err);
    OG_TRY(og_directory_find(directory, nodes, ids, id_count, vertices, err));
    id_list found = {0};
    og_status s = find_edges(base, at_src, vertices, id_count, &found, err);
    uint32_t *slots = s == OG_OK ? og_reallocarray(NULL, found.len, sizeof *slots) : NULL;
    if (s == OG_OK)
        s = slots != NULL ? og_lance_slots_of(edges, found.items, found.len, slots, err)
                          : og_error_nomem(err);
    if (s == OG_OK)
        *out = (og_incident){slots, sort_slots(slots, found.len, newer), newer};
    else
        og_free(slots);
    og_vec_deinit(&found);
    return s;
}
