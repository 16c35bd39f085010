/* Neighbours along one edge type in one direction.
 *
 * CSR: the topology of the edge table. SCAN: when none is at hand, building one reads both ends of
 * every edge and looks each up, while a scan reads one end and compares it with the few ids of the
 * frontier; so the first few small frontiers are scanned for, and what was found is kept for the
 * run. Both give the neighbours of a vertex in order of the edges' slots. */
#include "exec/run_priv.h"

#include "base/map.h"

/* A scan costs about a seventh of a build, so only a few of them are worth it. */
#define MAX_SCANS 4
#define MAX_SCAN_FRONTIER 256

typedef struct found {
    uint32_t start, count;
} found;

struct og_exec__hop {
    og_exec__hop *next;
    og_exec *x;
    const og_type_def *edge, *near_def, *far_def;
    bool forward;
    og_exec__table edges, near, far;
    bool with_edges;       /* row ids of edges are asked for */
    og_topology *topology; /* CSR; NULL: none yet */
    og_adjacency csr;      /* of its parts only those that were asked for */
    og_topo_source source;
    uint32_t scan_count; /* SCAN */
    og_u64map *index;    /* vertex -> index into found */
    OG_VEC(found) found;
    OG_VEC(uint32_t) targets;
    OG_VEC(uint32_t) edge_ids;
};

/* ---- CSR ---------------------------------------------------------------------------------- */

static const char *source_text(og_topo_source source)
{
    switch (source) {
    case OG_TOPO_CACHED:
        return "cached";
    case OG_TOPO_SAVED:
        return "saved";
    case OG_TOPO_EXTENDED:
        return "extended";
    case OG_TOPO_BUILT:
        return "built";
    }
    return "";
}

static og_str hop_name(const og_exec__hop *hop)
{
    return og_arena_printf(hop->x->arena, "%.*s %s", OG_FMT(hop->edge->name),
                           hop->forward ? "out" : "in");
}

static og_status load_csr(og_exec__hop *hop, const char *because, og_error *err)
{
    unsigned parts = hop->forward ? OG_TOPO_OUT : OG_TOPO_IN;
    if (hop->with_edges)
        parts |= hop->forward ? OG_TOPO_OUT_EDGES : OG_TOPO_IN_EDGES;
    OG_TRY(og_snapshot_topology(hop->x->snapshot, hop->edge, parts, &hop->topology, &hop->source,
                                err));
    const og_exec__table *from = hop->forward ? &hop->near : &hop->far;
    const og_exec__table *to = hop->forward ? &hop->far : &hop->near;
    if (hop->topology->out.vertex_count > from->vertex_limit ||
        hop->topology->in.vertex_count > to->vertex_limit)
        return og_error_set(err, OG_CORRUPT, "topology of '%.*s' names rows that do not exist",
                            OG_FMT(hop->edge->name));
    const og_adjacency *side = hop->forward ? &hop->topology->out : &hop->topology->in;
    hop->csr = (og_adjacency){side->vertex_count, side->offsets, side->targets,
                              hop->with_edges ? side->edges : NULL};
    og_str method = og_arena_printf(hop->x->arena, "csr (%s)", source_text(hop->source));
    if (!og_exec__note_choice(hop->x, hop_name(hop), method, og_str_of(because)))
        return og_error_nomem(err);
    return OG_OK;
}

/* ---- SCAN --------------------------------------------------------------------------------- */

/* Edges found for a frontier: which of its vertices, and the edge's slot. */
typedef struct hit {
    uint32_t place, slot;
} hit;

typedef OG_VEC(hit) hit_list;

/* Ids of the vertices, as one array. */
static og_status read_ids(og_exec__hop *hop, const uint32_t *vertices, uint32_t count,
                          og_batch *out, og_error *err)
{
    int32_t field = og_lance_table_find_field(hop->near.table, OG_STR("id"));
    if (field < 0)
        return og_error_set(err, OG_CORRUPT, "%s: no column 'id'",
                            og_lance_table_path(hop->near.table));
    OG_AUTO_FREE uint32_t *slots = og_malloc(count * sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    OG_TRY(og_exec__slots_of_vertices(hop->near.table, vertices, count, slots, err));
    return og_lance_take(hop->near.table, &(uint32_t){(uint32_t)field}, 1, slots, count, out, err);
}

static og_status index_ids(const og_array *ids, og_strmap *map, og_error *err)
{
    for (int64_t i = 0; i < ids->length; i++) {
        uint64_t *place = og_strmap_put(map, og_array_str(ids, i), NULL);
        if (place == NULL)
            return og_error_nomem(err);
        *place = (uint64_t)i;
    }
    return OG_OK;
}

static og_status match_batch(const og_array *ends, const uint32_t *slots, const og_strmap *map,
                             hit_list *hits, og_error *err)
{
    for (int64_t i = 0; i < ends->length; i++) {
        if (og_array_is_null(ends, i))
            continue;
        const uint64_t *place = og_strmap_get(map, og_array_str(ends, i));
        if (place != NULL && !og_vec_push(hits, (hit){(uint32_t)*place, slots[i]}))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static og_status end_field(const og_exec__hop *hop, bool near, uint32_t *out, og_error *err)
{
    const char *name = hop->forward == near ? "src" : "dst";
    int32_t field = og_lance_table_find_field(hop->edges.table, og_str_of(name));
    if (field < 0)
        return og_error_set(err, OG_CORRUPT, "%s: no column '%s'",
                            og_lance_table_path(hop->edges.table), name);
    *out = (uint32_t)field;
    return OG_OK;
}

static og_status scan_edges(og_exec__hop *hop, const og_strmap *map, hit_list *hits, og_error *err)
{
    uint32_t field;
    OG_TRY(end_field(hop, true, &field, err));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(hop->edges.table, &field, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_TRY(og_exec__check(hop->x, err));
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(match_batch(batch.columns[0], slots, map, hits, err));
    }
}

/* Order hits by vertex; those of one vertex keep the order of their slots. */
static og_status group_hits(hit_list *hits, uint32_t place_count, uint32_t *starts, og_error *err)
{
    memset(starts, 0, ((size_t)place_count + 1) * sizeof *starts);
    for (size_t i = 0; i < hits->len; i++)
        starts[hits->items[i].place + 1]++;
    for (uint32_t i = 0; i < place_count; i++)
        starts[i + 1] += starts[i];
    hit *sorted = og_malloc((hits->len + 1) * sizeof *sorted);
    if (sorted == NULL)
        return og_error_nomem(err);
    OG_AUTO_FREE uint32_t *next = og_malloc(((size_t)place_count + 1) * sizeof *next);
    if (next == NULL) {
        og_free(sorted);
        return og_error_nomem(err);
    }
    memcpy(next, starts, ((size_t)place_count + 1) * sizeof *next);
    for (size_t i = 0; i < hits->len; i++)
        sorted[next[hits->items[i].place]++] = hits->items[i];
    og_free(hits->items);
    hits->items = sorted;
    hits->cap = hits->len + 1;
    return OG_OK;
}

/* Far ends of edges at `slots`, OG_NO_VERTEX for those that are no live node. */
static og_status find_far_ends(og_exec__hop *hop, const uint32_t *slots, uint32_t count,
                               uint32_t *out, og_error *err)
{
    uint32_t field;
    OG_TRY(end_field(hop, false, &field, err));
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_lance_take(hop->edges.table, &field, 1, slots, count, &batch, err));
    OG_AUTO(og_directory) directory = NULL;
    OG_TRY(og_snapshot_directory(hop->x->snapshot, hop->far_def, &directory, NULL, err));
    OG_AUTO_FREE og_str *ids = og_malloc(count * sizeof *ids);
    if (ids == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = og_array_is_null(batch.columns[0], i) ? (og_str){"", 0}
                                                       : og_array_str(batch.columns[0], i);
    return og_directory_find(directory, hop->far.table, ids, count, out, err);
}

static og_status keep_vertex(og_exec__hop *hop, uint32_t vertex, const uint32_t *targets,
                             const uint32_t *edge_ids, uint32_t count, og_error *err)
{
    found f = {(uint32_t)hop->targets.len, 0};
    if (!og_vec_reserve(&hop->targets, count) || !og_vec_reserve(&hop->edge_ids, count))
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        if (targets[i] == OG_NO_VERTEX)
            continue;
        hop->targets.items[hop->targets.len++] = targets[i];
        hop->edge_ids.items[hop->edge_ids.len++] = edge_ids[i];
        f.count++;
    }
    uint64_t *place = og_u64map_put(hop->index, vertex, NULL);
    if (place == NULL)
        return og_error_nomem(err);
    *place = hop->found.len;
    return og_vec_push(&hop->found, f) ? OG_OK : og_error_nomem(err);
}

/* starts: of each vertex's hits. */
static og_status keep_hits(og_exec__hop *hop, const uint32_t *vertices, uint32_t count,
                           const hit_list *hits, const uint32_t *starts, og_error *err)
{
    uint32_t hit_count = (uint32_t)hits->len;
    OG_AUTO_FREE uint32_t *slots = og_malloc(((size_t)hit_count * 3 + 1) * sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    uint32_t *targets = slots + hit_count, *edge_ids = targets + hit_count;
    for (uint32_t i = 0; i < hit_count; i++)
        slots[i] = hits->items[i].slot;
    if (hit_count > 0) {
        OG_TRY(find_far_ends(hop, slots, hit_count, targets, err));
        OG_TRY(og_exec__vertices_of_slots(hop->edges.table, slots, hit_count, edge_ids, err));
    }
    for (uint32_t i = 0; i < count; i++)
        OG_TRY(keep_vertex(hop, vertices[i], targets + starts[i], edge_ids + starts[i],
                           starts[i + 1] - starts[i], err));
    return OG_OK;
}

static og_status scan_for(og_exec__hop *hop, const uint32_t *vertices, uint32_t count,
                          og_error *err)
{
    OG_AUTO_BATCH ids = {0};
    OG_TRY(read_ids(hop, vertices, count, &ids, err));
    OG_AUTO(og_strmap) map = og_strmap_new(true);
    if (map == NULL)
        return og_error_nomem(err);
    OG_TRY(index_ids(ids.columns[0], map, err));
    OG_AUTO_FREE uint32_t *starts = og_malloc(((size_t)count + 1) * sizeof *starts);
    if (starts == NULL)
        return og_error_nomem(err);
    hit_list hits = {0};
    og_status status = scan_edges(hop, map, &hits, err);
    if (status == OG_OK)
        status = group_hits(&hits, count, starts, err);
    if (status == OG_OK)
        status = keep_hits(hop, vertices, count, &hits, starts, err);
    og_vec_deinit(&hits);
    hop->scan_count++;
    return status;
}

/* ---- choosing ----------------------------------------------------------------------------- */

/* The vertices not looked for yet, each once. */
static og_status unknown_vertices(og_exec__hop *hop, const uint32_t *vertices, uint32_t count,
                                  uint32_t *out, uint32_t *out_count, og_error *err)
{
    if (hop->index == NULL && (hop->index = og_u64map_new(count)) == NULL)
        return og_error_nomem(err);
    OG_AUTO(og_u64map) seen = og_u64map_new(count);
    if (seen == NULL)
        return og_error_nomem(err);
    *out_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool is_new;
        if (og_u64map_get(hop->index, vertices[i]) != NULL)
            continue;
        if (og_u64map_put(seen, vertices[i], &is_new) == NULL)
            return og_error_nomem(err);
        if (is_new)
            out[(*out_count)++] = vertices[i];
    }
    return OG_OK;
}

static bool scan_is_cheaper(const og_exec__hop *hop, uint32_t count)
{
    return hop->scan_count < MAX_SCANS && count <= MAX_SCAN_FRONTIER;
}

static og_status fetch_without_csr(og_exec__hop *hop, const uint32_t *vertices, uint32_t count,
                                   og_error *err)
{
    bool forced = hop->x->options.hop_method == OG_HOP_SCAN;
    uint32_t wanted = 0;
    OG_AUTO_FREE uint32_t *unknown = og_malloc(((size_t)count + 1) * sizeof *unknown);
    if (unknown == NULL)
        return og_error_nomem(err);
    OG_TRY(unknown_vertices(hop, vertices, count, unknown, &wanted, err));
    if (wanted == 0)
        return OG_OK;
    if (!forced && !scan_is_cheaper(hop, wanted))
        return load_csr(hop, "more scans of the edges would cost as much", err);
    if (hop->scan_count == 0) {
        og_str because = og_arena_printf(hop->x->arena, "%u vertices, no topology at hand", wanted);
        if (!og_exec__note_choice(hop->x, hop_name(hop), OG_STR("scan"),
                                  forced ? OG_STR("asked for") : because))
            return og_error_nomem(err);
    }
    return scan_for(hop, unknown, wanted, err);
}

og_status og_exec__hop_fetch(og_exec__hop *hop, const uint32_t *vertices, uint32_t count,
                             og_error *err)
{
    if (hop->topology != NULL)
        return OG_OK;
    og_hop_method method = hop->x->options.hop_method;
    if (method == OG_HOP_CSR)
        return load_csr(hop, "asked for", err);
    const og_exec__table *from = hop->forward ? &hop->near : &hop->far;
    const og_exec__table *to = hop->forward ? &hop->far : &hop->near;
    if (method == OG_HOP_AUTO && hop->scan_count == 0 &&
        og_topo_cache_prefers_topology(hop->x->snapshot->topo, hop->edges.table, from->table,
                                       to->table))
        return load_csr(hop, "topology at hand, or worth building", err);
    return fetch_without_csr(hop, vertices, count, err);
}

og_exec__ends og_exec__hop_ends(const og_exec__hop *hop, uint32_t vertex)
{
    if (hop->topology != NULL) {
        uint32_t start, end;
        og_adjacency_range(&hop->csr, vertex, &start, &end);
        return (og_exec__ends){hop->csr.targets + start,
                               hop->with_edges ? hop->csr.edges + start : NULL, end - start};
    }
    const uint64_t *place = og_u64map_get(hop->index, vertex);
    if (place == NULL)
        return (og_exec__ends){0};
    found f = hop->found.items[*place];
    return (og_exec__ends){hop->targets.items + f.start, hop->edge_ids.items + f.start, f.count};
}

bool og_exec__hop_is_simple(const og_exec__hop *hop)
{
    const og_topology *t = hop->topology;
    return t != NULL && !t->has_parallel && (!t->has_loops || hop->near_def != hop->far_def);
}

const og_exec__table *og_exec__hop_targets(const og_exec__hop *hop)
{
    return &hop->far;
}

const char *og_exec__hop_method_name(const og_exec__hop *hop)
{
    if (hop->topology != NULL)
        return "csr";
    return hop->scan_count > 0 ? "scan" : "not chosen yet";
}

og_status og_exec__hop_of(og_exec *x, const og_type_def *edge, bool forward, bool with_edges,
                          og_exec__hop **out, og_error *err)
{
    for (og_exec__hop *h = x->hops; h != NULL; h = h->next) {
        if (h->edge == edge && h->forward == forward && h->with_edges == with_edges) {
            *out = h;
            return OG_OK;
        }
    }
    og_exec__hop *hop = og_arena_new_of(x->arena, og_exec__hop);
    if (hop == NULL)
        return og_error_nomem(err);
    const og_catalog *catalog = x->plan->catalog;
    const og_type_def *from = &catalog->nodes[edge->from_type],
                      *to = &catalog->nodes[edge->to_type];
    hop->x = x;
    hop->edge = edge;
    hop->forward = forward;
    hop->with_edges = with_edges;
    hop->near_def = forward ? from : to;
    hop->far_def = forward ? to : from;
    OG_TRY(og_exec__table_fill(x, edge, &hop->edges, err));
    OG_TRY(og_exec__table_fill(x, hop->near_def, &hop->near, err));
    OG_TRY(og_exec__table_fill(x, hop->far_def, &hop->far, err));
    hop->next = x->hops;
    x->hops = hop;
    *out = hop;
    return OG_OK;
}

void og_exec__hops_free(og_exec *x)
{
    for (og_exec__hop *h = x->hops; h != NULL; h = h->next) {
        og_topology_unref(h->topology);
        og_u64map_free(h->index);
        og_vec_deinit(&h->found);
        og_vec_deinit(&h->targets);
        og_vec_deinit(&h->edge_ids);
    }
}
