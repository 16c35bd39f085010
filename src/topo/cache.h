/* topo/cache - directories and topologies of a graph, kept in the process and saved beside it.
 *
 * Each is looked for in memory, then among the saved ones under `_omnigraph/` (checked against
 * epoch, version, transaction uuid, sizes and sums), and is built otherwise. What took longer than
 * a millisecond to build is saved, when derived files may be written; failing to save is no error.
 * The least recently used go when there are too many bytes. Thread safe. */
#ifndef OG_TOPO_CACHE_H
#define OG_TOPO_CACHE_H

#include "base/timeval.h"
#include "topo/topology.h"

typedef struct og_topo_cache og_topo_cache;

/* save_clock: measures how long building takes, which decides what is saved; NULL:
 * nothing is saved. Environment and clock are borrowed. */
OG_NODISCARD og_status og_topo_cache_new(og_lance_env *env, size_t max_bytes,
                                         const og_clock *save_clock, og_topo_cache **out,
                                         og_error *err);
void og_topo_cache_free(og_topo_cache *cache);
OG_DEFINE_AUTO(og_topo_cache, og_topo_cache_free)

/* Where a directory or topology came from, for EXPLAIN. */
typedef enum og_topo_source {
    OG_TOPO_CACHED,
    OG_TOPO_SAVED,
    OG_TOPO_EXTENDED, /* an earlier one plus what changed since */
    OG_TOPO_BUILT,
} og_topo_source;

/* The directory of a node table's version; *out is a reference. out_source may be NULL. */
OG_NODISCARD og_status og_topo_cache_directory(og_topo_cache *cache, og_lance_table *table,
                                               og_directory **out, og_topo_source *out_source,
                                               og_error *err);
/* og_directory_find in that directory. */
OG_NODISCARD og_status og_topo_cache_find(og_topo_cache *cache, og_lance_table *table,
                                          const og_str *ids, size_t count, uint32_t *out_vertices,
                                          og_error *err);
/* Announce that the directory of the table at this path will be asked for: unless one is in memory,
 * the store begins to fetch the saved one (og_store_expect). */
void og_topo_cache_expect_directory(og_topo_cache *cache, const char *path);
/* The topology of an edge table's version, with at least these parts of it (OG_TOPO_OUT and
 * others); *out is a reference. Other parts may be missing, or appear while it is used. */
OG_NODISCARD og_status og_topo_cache_topology(og_topo_cache *cache, og_lance_table *edges,
                                              og_lance_table *from, og_lance_table *to,
                                              unsigned parts, og_topology **out,
                                              og_topo_source *out_source, og_error *err);
/* The edges whose `src` (else `dst`) is one of these ids, as far as a topology tells
 * that is at hand, of this version or an earlier one. Nothing is built: without such
 * a topology `scan_from` is 0. */
OG_NODISCARD og_status og_topo_cache_incident(og_topo_cache *cache, og_lance_table *edges,
                                              og_lance_table *from, og_lance_table *to, bool at_src,
                                              const og_str *ids, size_t id_count, og_incident *out,
                                              og_error *err);
/* For choosing a method: is a topology at hand (in memory or saved), or worth building now? It is
 * when it can be saved for those who come after, up to OG_TOPO_BUILD_EDGES edges (about a second),
 * and when the same was asked for before. */
#define OG_TOPO_BUILD_EDGES 4000000
bool og_topo_cache_prefers_topology(og_topo_cache *cache, og_lance_table *edges,
                                    og_lance_table *from, og_lance_table *to);

#endif
