/* graph/layout - the names of things in a graph's folder, in one place.
 *
 *   _schema.pg                                            the schema's source,
 *   _schema.ir.json, __schema_state.json                  its canonical form, and the hash of that
 *   __manifest/                                           which version of each table is visible
 *   nodes/<hash>/, edges/<hash>/                          one Lance dataset per type
 *   _graph_commits.lance/, _graph_commit_actors.lance/    the commit DAG (derived, see dag.h)
 *   __recovery/<op>.json                                  sidecars of commits in flight
 *   _omnigraph/                                           derived files of this program */
#ifndef OG_GRAPH_LAYOUT_H
#define OG_GRAPH_LAYOUT_H

#define OG_GRAPH__MANIFEST "__manifest"
#define OG_GRAPH__COMMITS "_graph_commits.lance"
#define OG_GRAPH__ACTORS "_graph_commit_actors.lance"
#define OG_GRAPH__RECOVERIES "_graph_commit_recoveries.lance"
#define OG_GRAPH__SCHEMA_SOURCE "_schema.pg"
#define OG_GRAPH__SCHEMA_IR "_schema.ir.json"
#define OG_GRAPH__SCHEMA_STATE "__schema_state.json"
#define OG_GRAPH__RECOVERY "__recovery/"
/* Head files: this, the branch's encoded name, and ".json". */
#define OG_GRAPH__HEAD_PREFIX "_omnigraph/head-"
/* Marks of cleanups under way (graph/fence.h): this and a ULID. */
#define OG_GRAPH__CLEANUPS "_omnigraph/cleanup/"
/* The reference holds this branch while it changes the types. */
#define OG_GRAPH__SCHEMA_LOCK "__schema_apply_lock__"
/* There while an init is under way; holds its ULID. */
#define OG_GRAPH__INIT_MARKER "_omnigraph/init.json"
/* This, the ULID of an init that died, and ".json": put by the init that took over;
 * holds the ULID of that. */
#define OG_GRAPH__INIT_FOLLOWER "_omnigraph/init-"

/* Schema metadata of `__manifest`: the shape of its rows. The reference's v0.6.1 writes 3. */
#define OG_GRAPH__STAMP_KEY "omnigraph:internal_schema_version"
#define OG_GRAPH__STAMP 3

/* Kinds of rows in `__manifest`. The og_* kinds are ours;
 * the reference skips what it does not know. */
#define OG_GRAPH__ROW_TABLE "table"
#define OG_GRAPH__ROW_VERSION "table_version"
#define OG_GRAPH__ROW_TOMBSTONE "table_tombstone"
#define OG_GRAPH__ROW_COMMIT "og_commit"
#define OG_GRAPH__ROW_ABORT "og_abort"
#define OG_GRAPH__ROW_GC "og_gc"

/* Columns of `__manifest`, in order. */
enum {
    OG_GRAPH__COL_OBJECT_ID,
    OG_GRAPH__COL_OBJECT_TYPE,
    OG_GRAPH__COL_LOCATION,
    OG_GRAPH__COL_METADATA,
    OG_GRAPH__COL_BASE_OBJECTS,
    OG_GRAPH__COL_TABLE_KEY,
    OG_GRAPH__COL_TABLE_VERSION,
    OG_GRAPH__COL_TABLE_BRANCH,
    OG_GRAPH__COL_ROW_COUNT,
    OG_GRAPH__COL_COUNT,
};

/* Actor of commits that repair what a dead or foreign writer left. */
#define OG_GRAPH__RECOVERY_ACTOR "omnigraph:recovery"

#endif
