/* topo/topology_priv - what a topology owns, and what it was made of. */
#ifndef OG_TOPO_TOPOLOGY_PRIV_H
#define OG_TOPO_TOPOLOGY_PRIV_H

#include "topo/summed.h"
#include "topo/topology.h"

/* What a topology was made of: exactly this version of the edge table. While the epochs are equal,
 * its vertices mean the same nodes. */
typedef struct og_topo__key {
    const char *edge_path;
    uint64_t edge_version;
    const char *edge_epoch;
    const char *from_epoch;
    const char *to_epoch;
    uint64_t next_row_id;    /* of the edge table */
    int64_t max_fragment_id; /* of the edge table */
    /* next_row_id of the node tables: every vertex is below. */
    uint64_t from_limit, to_limit;
} og_topo__key;

/* Edges have numbers: their places in order of their slots. */
typedef struct og_topo__order {
    uint32_t *numbers; /* of the edges behind out.targets, parallel to them */
    uint32_t *ids;     /* row ids by number; NULL: edge i has row id i */
} og_topo__order;

/* The sections of a saved topology: packed arrays of numbers (packed.h). */
enum {
    OG_TOPO__OUT_DEGREES, /* of each source */
    OG_TOPO__OUT_TARGETS, /* as out.targets */
    OG_TOPO__IN_DEGREES,
    OG_TOPO__IN_TARGETS,
    OG_TOPO__NUMBERS, /* of edges, parallel to out.targets, see og_topo__number_to_saved */
    OG_TOPO__IDS,     /* row ids of edges by number, see og_topo__id_to_saved */
    OG_TOPO__SECTIONS
};

typedef struct og_topo__section {
    og_topo__summed packed;
    uint32_t width;
} og_topo__section;

typedef struct og_topo__backing {
    og_topo__key key;
    char *texts[4]; /* what the key's texts point into, when owned */
    /* What `out` and `in` point to; NULL: not asked for yet. */
    uint32_t *out_offsets, *out_targets, *out_edges;
    uint32_t *in_offsets, *in_targets, *in_edges;
    og_topo__order order;
    /* The parts come from a file; else it was built, and has both directions and the order. */
    bool is_saved;
    og_topo__section sections[OG_TOPO__SECTIONS];
} og_topo__backing;

static inline og_topo__backing *og_topo__backing_of(const og_topology *t)
{
    return t->backing;
}

/* The key of what is asked for; texts are borrowed from the tables.
 * `texts` (4 x 80 bytes) holds copies of the epochs with a NUL. */
typedef struct og_topo__wanted {
    og_topo__key key;
    char texts[3][80];
} og_topo__wanted;
void og_topo__want(og_lance_table *edges, og_lance_table *from, og_lance_table *to,
                   og_topo__wanted *out);

/* A topology with the key copied and no arrays yet; NULL when out of memory. */
og_topology *og_topo__topology_new(const og_topo__key *key);

/* ---- parts.c ---- */

/* How many numbers a section holds. */
uint64_t og_topo__section_count(const og_topology *topology, int section);
/* The row id of edge `number` is saved as its difference from the number, which is mostly 0,
 * with the sign in the lowest bit. */
static inline uint32_t og_topo__id_to_saved(uint32_t id, uint32_t number)
{
    uint32_t difference = id - number;
    return difference << 1 ^ (0 - (difference >> 31));
}
static inline uint32_t og_topo__id_from_saved(uint32_t saved, uint32_t number)
{
    return number + (saved >> 1 ^ (0 - (saved & 1)));
}
/* Numbers are saved as what they are ahead of their place, modulo the number of edges:
 * nothing when the edges were stored by source. All values are below edge_count. */
static inline uint32_t og_topo__number_to_saved(uint32_t number, uint32_t place,
                                                uint32_t edge_count)
{
    return number >= place ? number - place : edge_count - (place - number);
}
static inline uint32_t og_topo__number_from_saved(uint32_t saved, uint32_t place,
                                                  uint32_t edge_count)
{
    uint32_t left = edge_count - place; /* places from this one on */
    return saved < left ? place + saved : saved - left;
}
/* Row id of edge number i of an order. */
static inline uint32_t og_topo__edge_id(const og_topo__order *order, uint32_t i)
{
    return order->ids != NULL ? order->ids[i] : i;
}
/* The error of a damaged file, OG_CORRUPT. */
og_status og_topo__damaged(const og_topology *topology, og_error *err);
/* Bring these parts, or the order of edges, into memory. OG_CORRUPT when the file is damaged: the
 * topology is then of no use any more. Not thread safe, but other threads may go on reading the
 * parts they asked for. */
OG_NODISCARD og_status og_topo__complete(og_topology *topology, unsigned parts, og_error *err);
OG_NODISCARD og_status og_topo__need_order(og_topology *topology, og_error *err);
/* The offsets of `out` and `in`, which are small, without the rest. */
OG_NODISCARD og_status og_topo__need_offsets(og_topology *topology, og_error *err);
/* Sources and targets of the edges by number, edge_count each; needs OG_TOPO_OUT and the order.
 * OG_CORRUPT as above. */
OG_NODISCARD og_status og_topo__ends_by_number(const og_topology *topology, uint32_t *out_sources,
                                               uint32_t *out_targets, og_error *err);

/* Make a topology of `edges` from one of an earlier version of the same epochs: edges that are gone
 * are left out, and the edges in fragments made since are looked up (a replaced edge keeps its row
 * id, but not its ends). */
OG_NODISCARD og_status og_topo__topology_extend(og_topology *base, og_lance_table *edges,
                                                og_lance_table *from_table, og_directory *from,
                                                og_lance_table *to_table, og_directory *to,
                                                og_topology **out, og_error *err);
/* The first slot of the fragments with ids above `max_fragment_id`;
 * the end of the table when there are none. */
uint32_t og_topo__first_newer_slot(const og_lance_table *table, int64_t max_fragment_id);

/* The work of og_topo_cache_incident, by a topology that left out no edge, and a directory of
 * `nodes` without duplicates. OG_CORRUPT as above, or when the tables are damaged. */
OG_NODISCARD og_status og_topo__incident(og_topology *base, og_lance_table *edges,
                                         og_lance_table *nodes, og_directory *directory,
                                         bool at_src, const og_str *ids, size_t id_count,
                                         og_incident *out, og_error *err);

#endif
