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
} og_topo__key;

typedef struct og_topo__backing {
    og_topo__key key;
    char *texts[4];  /* what the key's texts point into, when owned */
    uint32_t *owned; /* all arrays in one block, or NULL */
    og_blob *file;   /* or the mapped file they stand in */
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

/* A topology of `edges` from one of an earlier version of the same epochs: edges that are gone are left
 * out, those in fragments made since are looked up: a replaced edge keeps its row id, not its ends. */
OG_NODISCARD og_status og_topo__topology_extend(const og_topology *base, og_lance_table *edges,
                                                og_lance_table *from_table, og_directory *from,
                                                og_lance_table *to_table, og_directory *to,
                                                og_topology **out, og_error *err);
/* Where the fragments begin that a table has had only since `max_fragment_id` was the highest; its end
 * when there are none. */
uint32_t og_topo__first_newer_slot(const og_lance_table *table, int64_t max_fragment_id);

/* og_topo_cache_incident by this topology, which left out no edge, and a directory of `nodes` without
 * duplicates. */
OG_NODISCARD og_status og_topo__incident(const og_topology *base, og_lance_table *edges,
                                         og_lance_table *nodes, og_directory *directory,
                                         bool at_src, const og_str *ids, size_t id_count,
                                         og_incident *out, og_error *err);

#endif
