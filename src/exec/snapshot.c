#include "exec/snapshot.h"

og_snapshot *og_snapshot_ref(og_snapshot *snapshot)
{
    __atomic_add_fetch(&snapshot->refs, 1, __ATOMIC_RELAXED);
    return snapshot;
}

void og_snapshot_unref(og_snapshot *snapshot)
{
    if (snapshot != NULL && __atomic_sub_fetch(&snapshot->refs, 1, __ATOMIC_ACQ_REL) == 0)
        snapshot->ops->release(snapshot);
}

og_status og_snapshot_table(og_snapshot *snapshot, const og_type_def *def, og_lance_table **out,
                            og_error *err)
{
    return snapshot->ops->table(snapshot, def, out, err);
}

og_status og_snapshot_directory(og_snapshot *snapshot, const og_type_def *node, og_directory **out,
                                og_topo_source *out_source, og_error *err)
{
    og_lance_table *table;
    OG_TRY(og_snapshot_table(snapshot, node, &table, err));
    return og_topo_cache_directory(snapshot->topo, table, out, out_source, err);
}

og_status og_snapshot_find(og_snapshot *snapshot, const og_type_def *node, const og_str *ids,
                           size_t count, uint32_t *out_vertices, og_error *err)
{
    og_lance_table *table;
    OG_TRY(og_snapshot_table(snapshot, node, &table, err));
    return og_topo_cache_find(snapshot->topo, table, ids, count, out_vertices, err);
}

typedef struct hop_tables {
    og_lance_table *edges, *from, *to;
} hop_tables;

static og_status tables_of(og_snapshot *snapshot, const og_type_def *edge, hop_tables *out,
                           og_error *err)
{
    const og_catalog *catalog = snapshot->catalog;
    OG_TRY(og_snapshot_table(snapshot, edge, &out->edges, err));
    OG_TRY(og_snapshot_table(snapshot, &catalog->nodes[edge->from_type], &out->from, err));
    return og_snapshot_table(snapshot, &catalog->nodes[edge->to_type], &out->to, err);
}

og_status og_snapshot_topology(og_snapshot *snapshot, const og_type_def *edge, unsigned parts,
                               og_topology **out, og_topo_source *out_source, og_error *err)
{
    hop_tables h;
    OG_TRY(tables_of(snapshot, edge, &h, err));
    return og_topo_cache_topology(snapshot->topo, h.edges, h.from, h.to, parts, out, out_source,
                                  err);
}

og_status og_snapshot_incident(og_snapshot *snapshot, const og_type_def *edge, bool at_src,
                               const og_str *ids, size_t id_count, og_incident *out, og_error *err)
{
    hop_tables h;
    OG_TRY(tables_of(snapshot, edge, &h, err));
    return og_topo_cache_incident(snapshot->topo, h.edges, h.from, h.to, at_src, ids, id_count, out,
                                  err);
}
