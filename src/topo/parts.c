/* What of a topology is read from its file, or made, when it is first asked for: a direction, the
 * order of the edges, and from that their row ids in both directions.
 *
 * The file has an edge's number at its place among the targets of its source. Its place among the
 * sources of its target follows: edges of a vertex stand in order of their numbers, so one pass
 * over them, with a next place kept for each target, finds all. */
#include "base/map.h"
#include "topo/packed.h"
#include "topo/topology_priv.h"

og_status og_topo__damaged(const og_topology *t, og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "the saved topology of %s is damaged",
                        og_topo__backing_of(t)->key.edge_path);
}

uint64_t og_topo__section_count(const og_topology *t, int section)
{
    switch (section) {
    case OG_TOPO__OUT_DEGREES:
        return t->out.vertex_count;
    case OG_TOPO__IN_DEGREES:
        return t->in.vertex_count;
    default:
        return t->edge_count;
    }
}

/* All numbers of a section. False when it is damaged. */
static bool read_section(const og_topology *t, int section, uint32_t *out)
{
    og_topo__section *s = &og_topo__backing_of(t)->sections[section];
    if (!og_topo__is_all_good(&s->packed))
        return false;
    og_topo__unpack(s->packed.bytes, (size_t)og_topo__section_count(t, section), s->width, out);
    return true;
}

/* ---- a direction -------------------------------------------------------------------------- */

/* Degrees, behind the place for the first offset, to offsets. False when they don't sum up to the
 * number of edges. */
static bool sum_degrees(uint32_t *offsets, size_t vertex_count, uint64_t edge_count)
{
    uint64_t sum = 0;
    offsets[0] = 0;
    for (size_t v = 1; v <= vertex_count; v++) {
        sum += offsets[v];
        offsets[v] = (uint32_t)sum;
    }
    /* Below 2^64, and rising: when the last one fits, all do. */
    return sum == edge_count;
}

static bool are_below(const uint32_t *values, size_t count, uint32_t limit)
{
    uint64_t all = 0; /* the sign of any difference */
#pragma GCC unroll 8
    for (size_t i = 0; i < count; i++)
        all |= (uint64_t)limit - 1 - values[i];
    return count == 0 || all >> 63 == 0;
}

static og_status read_offsets(og_topology *t, og_adjacency *side, int degrees, uint32_t **block,
                              og_error *err)
{
    if (side->offsets != NULL)
        return OG_OK;
    OG_AUTO_FREE uint32_t *offsets =
        og_reallocarray(NULL, (size_t)side->vertex_count + 1, sizeof *offsets);
    if (offsets == NULL)
        return og_error_nomem(err);
    if (!read_section(t, degrees, offsets + 1) ||
        !sum_degrees(offsets, side->vertex_count, t->edge_count))
        return og_topo__damaged(t, err);
    side->offsets = offsets;
    *block = OG_TAKE(offsets);
    return OG_OK;
}

static og_status read_targets(og_topology *t, og_adjacency *side, int section,
                              uint32_t other_vertices, uint32_t **block, og_error *err)
{
    OG_AUTO_FREE uint32_t *targets = og_reallocarray(NULL, t->edge_count, sizeof *targets);
    if (targets == NULL)
        return og_error_nomem(err);
    og_prefer_huge_pages(targets, t->edge_count * sizeof *targets);
    if (!read_section(t, section, targets) || !are_below(targets, t->edge_count, other_vertices))
        return og_topo__damaged(t, err);
    side->targets = targets;
    *block = OG_TAKE(targets);
    return OG_OK;
}

static og_status need_out(og_topology *t, og_error *err)
{
    og_topo__backing *b = t->backing;
    if (t->out.targets != NULL || !b->is_saved)
        return OG_OK;
    OG_TRY(read_offsets(t, &t->out, OG_TOPO__OUT_DEGREES, &b->out_offsets, err));
    return read_targets(t, &t->out, OG_TOPO__OUT_TARGETS, t->in.vertex_count, &b->out_targets, err);
}

static og_status need_in(og_topology *t, og_error *err)
{
    og_topo__backing *b = t->backing;
    if (t->in.targets != NULL || !b->is_saved)
        return OG_OK;
    OG_TRY(read_offsets(t, &t->in, OG_TOPO__IN_DEGREES, &b->in_offsets, err));
    return read_targets(t, &t->in, OG_TOPO__IN_TARGETS, t->out.vertex_count, &b->in_targets, err);
}

og_status og_topo__need_offsets(og_topology *t, og_error *err)
{
    og_topo__backing *b = t->backing;
    if (!b->is_saved)
        return OG_OK;
    OG_TRY(read_offsets(t, &t->out, OG_TOPO__OUT_DEGREES, &b->out_offsets, err));
    return read_offsets(t, &t->in, OG_TOPO__IN_DEGREES, &b->in_offsets, err);
}

/* ---- order -------------------------------------------------------------------------------- */

static bool read_ids(const og_topology *t, uint32_t *ids)
{
    bool ok = read_section(t, OG_TOPO__IDS, ids);
    for (uint32_t i = 0; ok && i < t->edge_count; i++) {
        ids[i] = og_topo__id_from_saved(ids[i], i);
        ok = ids[i] < og_topo__backing_of(t)->key.next_row_id;
    }
    return ok;
}

static bool read_numbers(const og_topology *t, uint32_t *numbers)
{
    uint32_t count = t->edge_count;
    if (!read_section(t, OG_TOPO__NUMBERS, numbers) || !are_below(numbers, count, count))
        return false;
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = og_topo__number_from_saved(numbers[i], i, count);
    return true;
}

og_status og_topo__need_order(og_topology *t, og_error *err)
{
    og_topo__backing *b = t->backing;
    if (b->order.numbers != NULL || !b->is_saved) /* built: perhaps without edges */
        return OG_OK;
    bool has_ids = b->sections[OG_TOPO__IDS].width > 0;
    OG_AUTO_FREE uint32_t *numbers = og_reallocarray(NULL, t->edge_count, sizeof *numbers);
    OG_AUTO_FREE uint32_t *ids = has_ids ? og_reallocarray(NULL, t->edge_count, sizeof *ids) : NULL;
    if (numbers == NULL || (has_ids && ids == NULL))
        return og_error_nomem(err);
    if (!read_numbers(t, numbers) || (has_ids && !read_ids(t, ids)))
        return og_topo__damaged(t, err);
    b->order = (og_topo__order){OG_TAKE(numbers), OG_TAKE(ids)};
    return OG_OK;
}

og_status og_topo__ends_by_number(const og_topology *t, uint32_t *out_sources,
                                  uint32_t *out_targets, og_error *err)
{
    const uint32_t *numbers = og_topo__backing_of(t)->order.numbers;
    memset(out_sources, 0xFF, t->edge_count * sizeof *out_sources);
    for (uint32_t v = 0; v < t->out.vertex_count; v++)
        for (uint32_t i = t->out.offsets[v]; i < t->out.offsets[v + 1]; i++) {
            out_sources[numbers[i]] = v;
            out_targets[numbers[i]] = t->out.targets[i];
        }
    for (uint32_t i = 0; i < t->edge_count; i++)
        if (out_sources[i] == OG_NO_VERTEX)
            return og_topo__damaged(t, err); /* two edges of one number */
    return OG_OK;
}

/* ---- row ids ------------------------------------------------------------------------------ */

static uint32_t *new_edges(size_t count)
{
    uint32_t *edges = og_reallocarray(NULL, count, sizeof *edges);
    if (edges != NULL)
        og_prefer_huge_pages(edges, count * sizeof *edges);
    return edges;
}

static og_status need_out_edges(og_topology *t, og_error *err)
{
    og_topo__backing *b = t->backing;
    uint32_t *edges = new_edges(t->edge_count);
    if (edges == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < t->edge_count; i++)
        edges[i] = og_topo__edge_id(&b->order, b->order.numbers[i]);
    t->out.edges = b->out_edges = edges;
    return OG_OK;
}

/* Give each edge's row id to its place among those of its target. */
static og_status place_ids(const og_topology *t, const uint32_t *targets, uint32_t *edges,
                           og_error *err)
{
    const og_topo__order *order = &og_topo__backing_of(t)->order;
    OG_AUTO_FREE uint32_t *next = og_reallocarray(NULL, t->in.vertex_count, sizeof *next);
    if (next == NULL)
        return og_error_nomem(err);
    memcpy(next, t->in.offsets, t->in.vertex_count * sizeof *next);
    for (uint32_t i = 0; i < t->edge_count; i++) {
        uint32_t place = next[targets[i]]++;
        if (place == t->in.offsets[targets[i] + 1])
            return og_topo__damaged(t, err);
        edges[place] = og_topo__edge_id(order, i);
    }
    return OG_OK;
}

static og_status need_in_edges(og_topology *t, og_error *err)
{
    OG_AUTO_FREE uint32_t *sources = og_reallocarray(NULL, t->edge_count, sizeof *sources);
    OG_AUTO_FREE uint32_t *targets = og_reallocarray(NULL, t->edge_count, sizeof *targets);
    OG_AUTO_FREE uint32_t *edges = new_edges(t->edge_count);
    if (sources == NULL || targets == NULL || edges == NULL)
        return og_error_nomem(err);
    OG_TRY(og_topo__ends_by_number(t, sources, targets, err));
    OG_TRY(place_ids(t, targets, edges, err));
    t->in.edges = edges;
    og_topo__backing_of(t)->in_edges = OG_TAKE(edges);
    return OG_OK;
}

og_status og_topo__complete(og_topology *t, unsigned parts, og_error *err)
{
    og_topo__backing *b = t->backing;
    if ((parts & (OG_TOPO_OUT | OG_TOPO_OUT_EDGES | OG_TOPO_IN_EDGES)) != 0)
        OG_TRY(need_out(t, err));
    if ((parts & (OG_TOPO_IN | OG_TOPO_IN_EDGES)) != 0)
        OG_TRY(need_in(t, err));
    bool out_edges = (parts & OG_TOPO_OUT_EDGES) != 0 && b->out_edges == NULL;
    bool in_edges = (parts & OG_TOPO_IN_EDGES) != 0 && b->in_edges == NULL;
    if (out_edges || in_edges)
        OG_TRY(og_topo__need_order(t, err));
    if (out_edges)
        OG_TRY(need_out_edges(t, err));
    return in_edges ? need_in_edges(t, err) : OG_OK;
}
