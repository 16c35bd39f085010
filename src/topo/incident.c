/* The edges at some nodes, by a topology of an earlier version.
 *
 * A topology need not be brought up to date to say which edges there are at a node: of the edges it
 * knows, those that are gone have no slot, and those that were replaced stand, like new ones, in
 * fragments made since, which the caller scans. Only edges that it left out make it useless.
 *
 * Few of its numbers are wanted, so they are read one by one where they are packed in its file. */
#include <stdlib.h>

#include "base/vec.h"
#include "topo/packed.h"
#include "topo/topology_priv.h"

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
typedef OG_VEC(uint32_t) vertex_list;

/* Numbers of a topology: in memory, or packed in its file. */
typedef struct numbers {
    const uint32_t *values;
    og_topo__section *packed;
} numbers;

static numbers numbers_of(const og_topology *t, const uint32_t *values, int section)
{
    return (numbers){values, &og_topo__backing_of(t)->sections[section]};
}

/* False when they are damaged. */
static bool get_number(const numbers *n, uint32_t i, uint32_t *out)
{
    if (n->values != NULL) {
        *out = n->values[i];
        return true;
    }
    og_topo__section *s = n->packed;
    *out = (uint32_t)og_topo__packed_at(s->packed.bytes, s->width, i);
    return og_topo__number_is_good(&s->packed, s->width, i);
}

/* What tells the row ids of edges by their places among the targets of their sources. */
typedef struct edge_ids {
    const og_topology *t;
    numbers numbers, ids;
    id_list found;
} edge_ids;

static edge_ids edge_ids_of(const og_topology *t)
{
    const og_topo__order *order = &og_topo__backing_of(t)->order;
    return (edge_ids){.t = t,
                      .numbers = numbers_of(t, order->numbers, OG_TOPO__NUMBERS),
                      .ids = numbers_of(t, order->ids, OG_TOPO__IDS)};
}

static og_status add_edge(edge_ids *e, uint32_t place, og_error *err)
{
    uint32_t number, id, count = e->t->edge_count;
    if (!get_number(&e->numbers, place, &number) || number >= count)
        return og_topo__damaged(e->t, err);
    if (e->numbers.values == NULL)
        number = og_topo__number_from_saved(number, place, count);
    if (e->ids.values == NULL && e->ids.packed->width == 0)
        id = number;
    else if (!get_number(&e->ids, number, &id))
        return og_topo__damaged(e->t, err);
    else if (e->ids.values == NULL)
        id = og_topo__id_from_saved(id, number);
    return og_vec_push(&e->found, id) ? OG_OK : og_error_nomem(err);
}

static og_status find_by_source(const og_topology *t, const uint32_t *vertices, size_t count,
                                edge_ids *out, og_error *err)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t start, end;
        og_adjacency_range(&t->out, vertices[i], &start, &end); /* none for OG_NO_VERTEX */
        for (uint32_t place = start; place < end; place++)
            OG_TRY(add_edge(out, place, err));
    }
    return OG_OK;
}

/* ---- by target ---------------------------------------------------------------------------- */

/* Sets of vertices: a byte for each. */
typedef struct neighbourhood {
    uint8_t *targets; /* those asked about */
    uint8_t *sources; /* those with an edge to one of them */
    vertex_list list; /* the same as a list */
} neighbourhood;

static void neighbourhood_deinit(neighbourhood *n)
{
    og_free(n->targets);
    og_free(n->sources);
    og_vec_deinit(&n->list);
}

static og_status note_sources(const og_topology *t, const uint32_t *vertices, size_t count,
                              neighbourhood *out, og_error *err)
{
    const numbers sources = numbers_of(t, t->in.targets, OG_TOPO__IN_TARGETS);
    for (size_t i = 0; i < count; i++) {
        uint32_t start, end;
        og_adjacency_range(&t->in, vertices[i], &start, &end);
        if (start < end)
            out->targets[vertices[i]] = 1;
        for (uint32_t place = start; place < end; place++) {
            uint32_t source;
            if (!get_number(&sources, place, &source) || source >= t->out.vertex_count)
                return og_topo__damaged(t, err);
            if (out->sources[source] == 0 && !og_vec_push(&out->list, source))
                return og_error_nomem(err);
            out->sources[source] = 1;
        }
    }
    return OG_OK;
}

/* A target knows its sources but not which of their edges lead to it: each source is looked
 * through, once for all targets. */
static og_status scan_sources(const og_topology *t, const neighbourhood *near, edge_ids *out,
                              og_error *err)
{
    const numbers targets = numbers_of(t, t->out.targets, OG_TOPO__OUT_TARGETS);
    for (size_t i = 0; i < near->list.len; i++) {
        uint32_t start, end;
        og_adjacency_range(&t->out, near->list.items[i], &start, &end);
        for (uint32_t place = start; place < end; place++) {
            uint32_t target;
            if (!get_number(&targets, place, &target) || target >= t->in.vertex_count)
                return og_topo__damaged(t, err);
            if (near->targets[target] != 0)
                OG_TRY(add_edge(out, place, err));
        }
    }
    return OG_OK;
}

static og_status find_by_target(const og_topology *t, const uint32_t *vertices, size_t count,
                                edge_ids *out, og_error *err)
{
    neighbourhood near = {og_calloc((size_t)t->in.vertex_count + 1, 1),
                          og_calloc((size_t)t->out.vertex_count + 1, 1),
                          {0}};
    og_status s = near.targets != NULL && near.sources != NULL
                      ? note_sources(t, vertices, count, &near, err)
                      : og_error_nomem(err);
    if (s == OG_OK)
        s = scan_sources(t, &near, out, err);
    neighbourhood_deinit(&near);
    return s;
}

/* Row ids, in no order; free found, also after an error. */
static og_status find_edges(og_topology *t, bool at_src, const uint32_t *vertices, size_t count,
                            edge_ids *out, og_error *err)
{
    OG_TRY(og_topo__need_offsets(t, err));
    *out = edge_ids_of(t);
    return at_src ? find_by_source(t, vertices, count, out, err)
                  : find_by_target(t, vertices, count, out, err);
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
    if (og_directory_has_duplicates(directory))
        return OG_OK;
    edge_ids edges_found = {0};
    og_status s = find_edges(base, at_src, vertices, id_count, &edges_found, err);
    const id_list *found = &edges_found.found;
    uint32_t *slots = s == OG_OK ? og_reallocarray(NULL, found->len, sizeof *slots) : NULL;
    if (s == OG_OK)
        s = slots != NULL ? og_lance_slots_of(edges, found->items, found->len, slots, err)
                          : og_error_nomem(err);
    if (s == OG_OK)
        *out = (og_incident){slots, sort_slots(slots, found->len, newer), newer};
    else
        og_free(slots);
    og_vec_deinit(&edges_found.found);
    return s;
}
