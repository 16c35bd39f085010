/* exec/snapshot - what a query may see: one version of every table of one branch.
 *
 * A read interface, filled by the graph layer (or a test). A query pins one snapshot from start to
 * end. Counted; safe for several threads. */
#ifndef OG_EXEC_SNAPSHOT_H
#define OG_EXEC_SNAPSHOT_H

#include "lang/catalog.h"
#include "topo/cache.h"

typedef struct og_snapshot og_snapshot;

typedef struct og_snapshot_ops {
    /* The table of a type at this snapshot; *out is a borrowed reference that lives as long as
     * the snapshot. */
    og_status (*table)(og_snapshot *snapshot, const og_type_def *def, og_lance_table **out,
                       og_error *err);
    void (*release)(og_snapshot *snapshot);
} og_snapshot_ops;

struct og_snapshot {
    const og_snapshot_ops *ops;
    og_catalog *catalog;       /* borrowed */
    og_topo_cache *topo;       /* borrowed; shared by all snapshots of a graph */
    og_store *store;           /* borrowed; its counts are shown by EXPLAIN; may be NULL */
    const char *branch;        /* "main" */
    uint64_t manifest_version; /* of __manifest */
    int32_t refs;
};

og_snapshot *og_snapshot_ref(og_snapshot *snapshot);
void og_snapshot_unref(og_snapshot *snapshot);
OG_DEFINE_AUTO(og_snapshot, og_snapshot_unref)

/* What a snapshot shows of a type: its table (borrowed), and its directory or topology by the cache
 * (references, to be released). out_source may be NULL. */
OG_NODISCARD og_status og_snapshot_table(og_snapshot *snapshot, const og_type_def *def,
                                         og_lance_table **out, og_error *err);
OG_NODISCARD og_status og_snapshot_directory(og_snapshot *snapshot, const og_type_def *node,
                                             og_directory **out, og_topo_source *out_source,
                                             og_error *err);
/* og_directory_find in the directory. */
OG_NODISCARD og_status og_snapshot_find(og_snapshot *snapshot, const og_type_def *node,
                                        const og_str *ids, size_t count, uint32_t *out_vertices,
                                        og_error *err);
OG_NODISCARD og_status og_snapshot_topology(og_snapshot *snapshot, const og_type_def *edge,
                                            unsigned parts, og_topology **out,
                                            og_topo_source *out_source, og_error *err);
/* The edges whose `src` (else `dst`) is one of these ids (og_topo_cache_incident). */
OG_NODISCARD og_status og_snapshot_incident(og_snapshot *snapshot, const og_type_def *edge,
                                            bool at_src, const og_str *ids, size_t id_count,
                                            og_incident *out, og_error *err);

#endif
