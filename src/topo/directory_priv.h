/* topo/directory_priv - how a directory is laid out, for saving it. */
#ifndef OG_TOPO_DIRECTORY_PRIV_H
#define OG_TOPO_DIRECTORY_PRIV_H

#include "topo/directory.h"
#include "topo/packed.h"
#include "topo/summed.h"

/* Bits of the hash that an entry keeps beside its vertex: one in 65,536 entries of other ids has
 * the tag that is looked for, and its text is compared in vain. */
#define OG_TOPO__TAG_BITS 16

struct og_directory {
    int32_t refs;
    int32_t has_duplicates; /* see og_directory_has_duplicates; atomic */
    uint64_t version;       /* of the table it was made from */
    uint64_t next_row_id;
    int64_t max_fragment_id; /* rows added later stand in fragments above it */
    uint64_t entry_count;
    uint64_t place_count; /* more than there are entries, so that a walk ends */
    uint32_t vertex_bits; /* enough for next_row_id, so that no vertex is all ones */
    /* Packed numbers (packed.h) of vertex_bits + OG_TOPO__TAG_BITS each:
     * tag << vertex_bits | vertex, or all ones: empty. */
    const uint8_t *places;
    uint8_t *owned;        /* the places, when they are on the heap; else NULL */
    og_directory *root;    /* what this one only adds rows to; may have a root itself; or NULL */
    og_topo__summed saved; /* the places, when they are in a file; else zeros */
    int32_t is_damaged;    /* a block's sum was wrong: lookups go to `mended` */
    og_directory *mended;  /* made in its stead, once; NULL = not needed */
    bool is_second;        /* stands in for one itself */
};

/* An empty directory with room for `expected` ids of vertices below next_row_id;
 * NULL when out of memory. */
og_directory *og_topo__directory_new(uint64_t expected, uint64_t next_row_id);

/* Announce to the store which blocks a find of these ids will touch, if they are few. */
void og_topo__expect_ids(og_directory *directory, const og_str *ids, size_t count);
/* The one that all others lie upon. */
og_directory *og_topo__bottom_of(og_directory *directory);

/* Places for so many ids. Five sixths full at most: a walk then looks at some four places for an id
 * that is there, at twenty for one that is not, in one or two cache lines. */
static inline uint64_t og_topo__places_for(uint64_t expected)
{
    return expected + expected / 5 + 16;
}

/* Bytes of the places. */
static inline uint64_t og_topo__place_bytes(const og_directory *d)
{
    return og_topo__packed_bytes(d->place_count, d->vertex_bits + OG_TOPO__TAG_BITS);
}

#endif
