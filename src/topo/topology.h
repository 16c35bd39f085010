/* topo/topology - the adjacency of one edge table version, in both directions (CSR).
 *
 * Vertices are row ids of the node tables as u32; edges are row ids of the edge table. Targets of a
 * source stand in order of the edges' slots, so results are the same whichever method finds them
 * (src/exec/README.md). An edge whose end is not a live node is left out and counted.
 *
 * The parts of a saved topology are read when they are first asked for; otherwise it is immutable.
 * Counted. */
#ifndef OG_TOPO_TOPOLOGY_H
#define OG_TOPO_TOPOLOGY_H

#include "topo/directory.h"

typedef struct og_adjacency {
    uint32_t vertex_count; /* offsets has vertex_count + 1 entries; vertices above have no edges */
    const uint32_t *offsets;
    const uint32_t *targets; /* vertices of the other end */
    const uint32_t *edges;   /* edge row ids, parallel to targets; NULL when not asked for */
} og_adjacency;

/* Parts of a topology. */
enum {
    OG_TOPO_OUT = 1,       /* targets by source: `out` */
    OG_TOPO_IN = 2,        /* sources by target: `in` */
    OG_TOPO_OUT_EDGES = 4, /* the edges' row ids in `out`; includes OG_TOPO_OUT */
    OG_TOPO_IN_EDGES = 8,  /* the edges' row ids in `in`; includes OG_TOPO_OUT and OG_TOPO_IN */
};

typedef struct og_topology {
    og_adjacency out; /* by src */
    og_adjacency in;  /* by dst. Of a part that is missing only vertex_count is set */
    uint32_t edge_count;
    uint64_t dangling_count; /* edges left out */
    bool has_parallel;       /* two edges have the same ends: degrees do not count neighbours */
    bool has_loops; /* an edge has the same number at both ends (a loop when the types are equal) */
    int32_t refs;
    void *backing; /* private to topology.c */
} og_topology;

og_topology *og_topology_ref(og_topology *topology);
void og_topology_unref(og_topology *topology);
OG_DEFINE_AUTO(og_topology, og_topology_unref)

/* Build a topology with OG_TOPO_OUT and OG_TOPO_IN: src and dst of `edges` are streamed,
 * looked up in the directories of the node tables, and sorted by counting. */
OG_NODISCARD og_status og_topology_build(og_lance_table *edges, og_lance_table *from_table,
                                         og_directory *from, og_lance_table *to_table,
                                         og_directory *to, og_topology **out, og_error *err);
/* Bytes of memory it holds, its file included unless that is mapped. */
size_t og_topology_bytes(const og_topology *topology);

/* The edges at some nodes, as far as they are known: slots of the edge table,
 * all below `scan_from`, ascending. Rows from `scan_from` on must be scanned. */
typedef struct og_incident {
    uint32_t *slots; /* og_free; NULL when there are none */
    size_t slot_count;
    uint32_t scan_from;
} og_incident;

/* Neighbours of a vertex: targets[*out_start .. *out_end). */
static inline void og_adjacency_range(const og_adjacency *a, uint32_t vertex, uint32_t *out_start,
                                      uint32_t *out_end)
{
    if (vertex >= a->vertex_count) {
        *out_start = *out_end = 0;
        return;
    }
    *out_start = a->offsets[vertex];
    *out_end = a->offsets[vertex + 1];
}

#endif
