/* The edges at some nodes, by a topology of an earlier version.
 *
 * A topology need not be brought up to date to say which edges there are at a node: of the edges it
 * knows, those that are gone have no slot, and those that were replaced stand, like new ones, in
 * fragments made since, which the caller scans. Only edges that it left out make it useless. */
#include <stdlib.h>

#include "base/vec.h"
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

og_status og_topo__incident(const og_topology *base, og_lance_table *edges, og_lance_table *nodes,
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
    og_status s = edges_of(at_src ? &base->out : &base->in, vertices, id_count, &found, err);
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
