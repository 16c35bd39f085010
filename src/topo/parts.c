/* What of a topology is read from its file, or made, when it is first asked for: a direction, the order of the
 * edges, and from that their row ids in both directions.
 *
 * An edge's place among the targets of its source follows from the order: a source's first edge has its
 * first target. So one pass over the edges, with a next place kept for each vertex, finds for each
 * edge its places in both directions. */
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
    const og_topo__backing *b = t->backing;
    const og_topo__section *s = &b->sections[section];
    uint64_t count = og_topo__section_count(t, section);
    size_t bytes = (size_t)og_topo__packed_bytes(count, s->width);
    if (og_hash64(s->packed, bytes) != s->sum)
        return false;
    og_topo__unpack(s->packed, (size_t)count, s->width, out);
    return true;
}

/* Have the store bring in two sections, which stand one behind the other. */
static void expect_sections(const og_topology *t, int first)
{
    const og_topo__backing *b = t->backing;
    const og_topo__section *last = &b->sections[first + 1];
    uint64_t begin = (uint64_t)(b->sections[first].packed - b->file->ptr);
    uint64_t end = (uint64_t)(last->packed - b->file->ptr) +
                   og_topo__packed_bytes(og_topo__section_count(t, first + 1), last->width);
    og_blob_prefetch(b->file, begin, end - begin);
}

/* ---- a direction -------------------------------------------------------------------------- */

/* Degrees, behind the place for the first offset, to offsets. False when they don't sum up to the number of
 * edges. */
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

/* first: the section of its degrees; that of its targets follows. */
static og_status read_side(og_topology *t, og_adjacency *side, int first, uint32_t other_vertices,
                           uint32_t **out_block, og_error *err)
{
    size_t offset_count = (size_t)side->vertex_count + 1, entries = offset_count + t->edge_count;
    OG_AUTO_FREE uint32_t *block = og_reallocarray(NULL, entries, sizeof *block);
    if (block == NULL)
        return og_error_nomem(err);
    og_prefer_huge_pages(block, entries * sizeof *block);
    expect_sections(t, first);
    if (!read_section(t, first, block + 1) ||
        !sum_degrees(block, side->vertex_count, t->edge_count) ||
        !read_section(t, first + 1, block + offset_count) ||
        !are_below(block + offset_count, t->edge_count, other_vertices))
        return og_topo__damaged(t, err);
    side->offsets = block;
    side->targets = block + offset_count;
    *out_block = OG_TAKE(block);
    return OG_OK;
}

static og_status need_out(og_topology *t, og_error *err)
{
    og_topo__backing *b = t->backing;
    if (b->out_block != NULL)
        return OG_OK;
    return read_side(t, &t->out, OG_TOPO__OUT_DEGREES, t->in.vertex_count, &b->out_block, err);
}

static og_status need_in(og_topology *t, og_error *err)
{
    og_topo__backing *b = t->backing;
    if (b->in_block != NULL)
        return OG_OK;
    return read_side(t, &t->in, OG_TOPO__IN_DEGREES, t->out.vertex_count, &b->in_block, err);
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

og_status og_topo__need_order(og_topology *t, og_error *err)
{
    og_topo__backing *b = t->backing;
    if (b->order.sources != NULL || b->file == NULL) /* built: perhaps without edges */
        return OG_OK;
    bool has_ids = b->sections[OG_TOPO__IDS].width > 0;
    OG_AUTO_FREE uint32_t *sources = og_reallocarray(NULL, t->edge_count, sizeof *sources);
    OG_AUTO_FREE uint32_t *ids = has_ids ? og_reallocarray(NULL, t->edge_count, sizeof *ids) : NULL;
    if (sources == NULL || (has_ids && ids == NULL))
        return og_error_nomem(err);
    expect_sections(t, OG_TOPO__SOURCES);
    if (!read_section(t, OG_TOPO__SOURCES, sources) ||
        !are_below(sources, t->edge_count, t->out.vertex_count) || (has_ids && !read_ids(t, ids)))
        return og_topo__damaged(t, err);
    b->order = (og_topo__order){OG_TAKE(sources), OG_TAKE(ids)};
    return OG_OK;
}

og_status og_topo__targets_in_order(const og_topology *t, uint32_t *out, og_error *err)
{
    const uint32_t *sources = og_topo__backing_of(t)->order.sources;
    size_t vertices = t->out.vertex_count;
    OG_AUTO_FREE uint32_t *next = og_reallocarray(NULL, vertices, sizeof *next);
    if (next == NULL)
        return og_error_nomem(err);
    memcpy(next, t->out.offsets, vertices * sizeof *next);
    for (uint32_t i = 0; i < t->edge_count; i++) {
        uint32_t place = next[sources[i]]++;
        if (place == t->out.offsets[sources[i] + 1])
            return og_topo__damaged(t, err);
        out[i] = t->out.targets[place];
    }
    return OG_OK;
}

/* ---- row ids ------------------------------------------------------------------------------ */

/* Give each edge's row id to its place at the vertex it has on this side. */
static og_status place_ids(const og_topology *t, const og_adjacency *side, const uint32_t *vertices,
                           uint32_t *edges, og_error *err)
{
    const og_topo__order *order = &og_topo__backing_of(t)->order;
    OG_AUTO_FREE uint32_t *next = og_reallocarray(NULL, side->vertex_count, sizeof *next);
    if (next == NULL)
        return og_error_nomem(err);
    memcpy(next, side->offsets, side->vertex_count * sizeof *next);
    for (uint32_t i = 0; i < t->edge_count; i++) {
        uint32_t place = next[vertices[i]]++;
        if (place == side->offsets[vertices[i] + 1])
            return og_topo__damaged(t, err);
        edges[place] = og_topo__edge_id(order, i);
    }
    return OG_OK;
}

static og_status need_edges(og_topology *t, og_adjacency *side, uint32_t **block,
                            const uint32_t *vertices, og_error *err)
{
    size_t count = t->edge_count;
    OG_AUTO_FREE uint32_t *edges = og_reallocarray(NULL, count, sizeof *edges);
    if (edges == NULL)
        return og_error_nomem(err);
    og_prefer_huge_pages(edges, count * sizeof *edges);
    OG_TRY(place_ids(t, side, vertices, edges, err));
    side->edges = edges;
    *block = OG_TAKE(edges);
    return OG_OK;
}

static og_status need_in_edges(og_topology *t, og_error *err)
{
    OG_AUTO_FREE uint32_t *targets = og_reallocarray(NULL, t->edge_count, sizeof *targets);
    if (targets == NULL)
        return og_error_nomem(err);
    OG_TRY(og_topo__targets_in_order(t, targets, err));
    return need_edges(t, &t->in, &og_topo__backing_of(t)->in_edges, targets, err);
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
        OG_TRY(need_edges(t, &t->out, &b->out_edges, b->order.sources, err));
    return in_edges ? need_in_edges(t, err) : OG_OK;
}
