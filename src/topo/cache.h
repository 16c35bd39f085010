/* topo/cache - directories and topologies of a graph, kept in the process and saved beside it.
 *
 * Looked for in this order: in memory, saved under `_omnigraph/` (checked against what the
 * manifests say: epoch, version, transaction uuid, sizes, sums), built. What took longer than a
 * millisecond to build is saved when the store allows; failing to save is no error.
 * LRU by bytes. Thread safe. */
#ifndef OG_TOPO_CACHE_H
#define OG_TOPO_CACHE_H

#include "base/timeval.h"
#include "topo/topology.h"

typedef struct og_topo_cache og_topo_cache;

/* save_clock: by it the time is taken that decides what is saved; NULL: no derived files are written.
 * Borrows both. */
OG_NODISCARD og_status og_topo_cache_new(og_lance_env *env, size_t max_bytes,
                                         const og_clock *save_clock, og_topo_cache **out,
                                         og_error *err);
void og_topo_cache_free(og_topo_cache *cache);
OG_DEFINE_AUTO(og_topo_cache, og_topo_cache_free)

/* Where the answer came from, for EXPLAIN. */
typedef enum og_topo_source {
    OG_TOPO_CACHED,
    OG_TOPO_SAVED,
    OG_TOPO_EXTENDED, /* an earlier one plus what changed since */
    OG_TOPO_BUILT,
} og_topo_source;

/* Give a reference. out_source may be NULL. */
OG_NODISCARD og_status og_topo_cache_directory(og_topo_cache *cache, og_lance_table *table,
                                               og_directory **out, og_topo_source *out_source,
                                               og_error *err);
/* The directory of the table at this path is going to be asked for: have the store fetch the saved one, if none is in
 * memory (og_store_expect). */
void og_topo_cache_expect_directory(og_topo_cache *cache, const char *path);
/* With these parts of it (OG_TOPO_OUT and others); others may be missing, or come while it is used. */
OG_NODISCARD og_status og_topo_cache_topology(og_topo_cache *cache, og_lance_table *edges,
                                              og_lance_table *from, og_lance_table *to,
                                              unsigned parts, og_topology **out,
                                              og_topo_source *out_source, og_error *err);
/* The edges at nodes with these ids, at their `src` or `dst`, as far as a topology that is at hand, of this version
 * or an earlier one, tells; nothing is built: `scan_from` is 0 when none does. */
OG_NODISCARD og_status og_topo_cache_incident(og_topo_cache *cache, og_lance_table *edges,
                                              og_lance_table *from, og_lance_table *to, bool at_src,
                                              const og_str *ids, size_t id_count, og_incident *out,
                                              og_error *err);
/* For choosing a method: is a topology at hand (in memory or saved), or worth building now? It is when it can be
 * saved for those who come after, up to OG_TOPO_BUILD_EDGES edges (about a second), and when the same
 * was asked for before. */
#define OG_TOPO_BUILD_EDGES 4000000
bool og_topo_cache_prefers_topology(og_topo_cache *cache, og_lance_table *edges,
                                    og_lance_table *from, og_lance_table *to);

#endif
