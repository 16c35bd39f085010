/* topo/topology_priv - what a topology owns, and what it was made of. */
#ifndef OG_TOPO_TOPOLOGY_PRIV_H
#define OG_TOPO_TOPOLOGY_PRIV_H

#include "topo/topology.h"

/* What a topology is of. It answers for exactly this version of the edge table; the epochs say that the
 * vertices still mean the same nodes. */
typedef struct og_topo__key {
    const char *edge_path;
    uint64_t edge_version;
    const char *edge_epoch;
    const char *from_epoch;
    const char *to_epoch;
    uint64_t next_row_id;    /* of the edge table */
    int64_t max_fragment_id; /* of the edge table */
    /* Vertices that the node tables have given out: no topology names more. */
    uint64_t from_limit, to_limit;
} og_topo__key;

/* The edges in order of their slots. */
typedef struct og_topo__order {
    uint32_t *sources;
    uint32_t *ids; /* row ids; NULL: edge i has row id i */
} og_topo__order;

/* Arrays of numbers that a file has (packed.h). */
enum {
    OG_TOPO__OUT_DEGREES, /* of each source */
    OG_TOPO__OUT_TARGETS, /* as out.targets */
    OG_TOPO__IN_DEGREES,
    OG_TOPO__IN_TARGETS,
    OG_TOPO__SOURCES, /* of each edge, in order of their slots */
    OG_TOPO__IDS,     /* row ids of edges, see og_topo__id_to_saved */
    OG_TOPO__SECTIONS
};

typedef struct og_topo__section {
    const uint8_t *packed;
    uint32_t width;
    uint64_t sum; /* XXH3-64 of the packed bytes; checked when they are read */
} og_topo__section;

typedef struct og_topo__backing {
    og_topo__key key;
    char *texts[4]; /* what the key's texts point into, when owned */
    /* Each of these in one block, or NULL when it was not asked for yet. */
    uint32_t *out_block; /* out.offsets, out.targets */
    uint32_t *in_block;  /* in.offsets, in.targets */
    uint32_t *out_edges, *in_edges;
    og_topo__order order;
    uint32_t scan_count; /* how often the order was looked through for a few edges */
    /* The file the parts come from; NULL: it was built, and has both directions and the order. */
    og_blob *file;
    og_topo__section sections[OG_TOPO__SECTIONS];
} og_topo__backing;

static inline og_topo__backing *og_topo__backing_of(const og_topology *t)
{
    return t->backing;
}

/* The key of what is asked for; texts are borrowed from the tables. `texts` (4 x 80 bytes) holds copies of the
 * epochs with a NUL. */
typedef struct og_topo__wanted {
    og_topo__key key;
    char texts[3][80];
} og_topo__wanted;
void og_topo__want(og_lance_table *edges, og_lance_table *from, og_lance_table *to,
                   og_topo__wanted *out);

/* A topology with the key copied and no arrays yet; NULL when out of memory. */
og_topology *og_topo__topology_new(const og_topo__key *key);

/* parts.c: numbers in a section. */
uint64_t og_topo__section_count(const og_topology *topology, int section);
/* Row ids are saved as what they differ by from the edge's number, which is mostly nothing, with the sign in the
 * lowest bit. */
static inline uint32_t og_topo__id_to_saved(uint32_t id, uint32_t number)
{
    uint32_t difference = id - number;
    return difference << 1 ^ (0 - (difference >> 31));
}
static inline uint32_t og_topo__id_from_saved(uint32_t saved, uint32_t number)
{
    return number + (saved >> 1 ^ (0 - (saved & 1)));
}
/* Row id of edge number i of an order. */
static inline uint32_t og_topo__edge_id(const og_topo__order *order, uint32_t i)
{
    return order->ids != NULL ? order->ids[i] : i;
}
/* The error of a damaged file, OG_CORRUPT. */
og_status og_topo__damaged(const og_topology *topology, og_error *err);
/* Have these parts, and the order of edges, in memory. OG_CORRUPT when the file is damaged: it is of no more use
 * then. Not thread safe, but other threads may go on reading the parts they asked for. */
OG_NODISCARD og_status og_topo__complete(og_topology *topology, unsigned parts, og_error *err);
OG_NODISCARD og_status og_topo__need_order(og_topology *topology, og_error *err);
/* Targets of the edges in order of their slots; needs OG_TOPO_OUT and the order. OG_CORRUPT as above. */
OG_NODISCARD og_status og_topo__targets_in_order(const og_topology *topology, uint32_t *out,
                                                 og_error *err);

/* A topology of `edges` from one of an earlier version of the same epochs: edges that are gone are left
 * out, those in fragments made since are looked up: a replaced edge keeps its row id, not its ends. */
OG_NODISCARD og_status og_topo__topology_extend(og_topology *base, og_lance_table *edges,
                                                og_lance_table *from_table, og_directory *from,
                                                og_lance_table *to_table, og_directory *to,
                                                og_topology **out, og_error *err);
/* Where the fragments begin that a table has had only since `max_fragment_id` was the highest; its end
 * when there are none. */
uint32_t og_topo__first_newer_slot(const og_lance_table *table, int64_t max_fragment_id);

/* og_topo_cache_incident by this topology, which left out no edge, and a directory of `nodes` without
 * duplicates. OG_CORRUPT as above, or when the tables are. */
OG_NODISCARD og_status og_topo__incident(og_topology *base, og_lance_table *edges,
                                         og_lance_table *nodes, og_directory *directory,
                                         bool at_src, const og_str *ids, size_t id_count,
                                         og_incident *out, og_error *err);

#endif
