/* graph/sidecar - what stands in `__recovery/`: writers that said what they were about to do.
 *
 * The reference writes a sidecar before each of its commits, we do so before those of two or more
 * tables (docs/dev/storage.md). A sidecar belongs to a writer that is at work, or that died. Its
 * form is the reference's schema 1; unknown members are passed over. */
#ifndef OG_GRAPH_SIDECAR_H
#define OG_GRAPH_SIDECAR_H

#include "base/arena.h"
#include "graph/publish.h"
#include "graph/repo.h"

typedef enum og_graph__sidecar_state {
    OG_GRAPH__SIDECAR_READ,
    OG_GRAPH__SIDECAR_NEWER,   /* of a newer schema: only its tables are known */
    OG_GRAPH__SIDECAR_DAMAGED, /* or still being written */
} og_graph__sidecar_state;

/* The reference's kinds. The first two move each table by exactly one version. */
typedef enum og_graph__sidecar_kind {
    OG_GRAPH__SIDECAR_MUTATION,
    OG_GRAPH__SIDECAR_LOAD,
    OG_GRAPH__SIDECAR_SCHEMA_APPLY,
    OG_GRAPH__SIDECAR_BRANCH_MERGE,
    OG_GRAPH__SIDECAR_ENSURE_INDICES,
    OG_GRAPH__SIDECAR_OPTIMIZE,
} og_graph__sidecar_kind;
const char *og_graph__sidecar_kind_name(og_graph__sidecar_kind kind);

typedef struct og_graph__sidecar_table {
    og_str table_key;
    og_str table_branch; /* "" = main */
    uint64_t expected_version, post_commit_pin;
} og_graph__sidecar_table;

typedef struct og_graph__sidecar {
    const char *name; /* of the object */
    og_graph__sidecar_state state;
    bool is_ours; /* has an `og` object: its tables name the operation themselves */
    uint64_t schema_version;
    og_graph__sidecar_kind kind;
    og_str operation_id;
    og_str branch;       /* "" = main */
    og_str actor;        /* "" = none */
    og_str merge_source; /* commit that a merge brings in; "" = none */
    int64_t started_us;  /* as it states, or when the object was made; 0 = unknown */
    og_graph__sidecar_table *tables;
    uint32_t table_count;
    bool changes_types; /* registers or removes tables */
} og_graph__sidecar;

/* Decode a sidecar; one that can't be read is DAMAGED, not an error.
 * Text lives in the arena. OG_NOMEM. */
OG_NODISCARD og_status og_graph__sidecar_decode(og_arena *arena, const char *name, og_bytes bytes,
                                                og_graph__sidecar *out, og_error *err);

/* All sidecars of a graph, in order of their names, which is that of age. Costs one listing and a
 * read of each; those that vanish meanwhile are left out. */
typedef struct og_graph__sidecars {
    og_graph__sidecar *items;
    size_t count;
    og_arena *arena;
} og_graph__sidecars;
OG_NODISCARD og_status og_graph__sidecars_read(const og_repo *repo, og_graph__sidecars *out,
                                               og_error *err);
void og_graph__sidecars_deinit(og_graph__sidecars *sidecars);
#define OG_GRAPH__AUTO_SIDECARS                                                                    \
    __attribute__((cleanup(og_graph__sidecars_deinit))) og_graph__sidecars

/* Append the text of a sidecar of ours for these tables, in the graph at `root`. The reference
 * publishes what a sidecar announces when all its tables have moved so, and undoes it otherwise.
 * One that is not armed announces versions that never exist, so that the reference can only undo
 * it. False when out of memory. */
bool og_graph__sidecar_encode(const og_graph__op *op, const char *root, const og_graph__move *moves,
                              size_t count, bool is_armed, og_buf *out);

/* Does the sidecar name this table on this branch ("" = main)? For one of a NEWER
 * schema only the key counts. */
bool og_graph__sidecar_names(const og_graph__sidecar *sidecar, og_str table_key, og_str branch);

/* Remove the sidecar of an operation whose fate is known, by its name or by the operation's ULID.
 * Failures are ignored. */
void og_graph__sidecar_remove(const og_repo *repo, const char *name);
void og_graph__sidecar_remove_of(const og_repo *repo, og_str op);
/* Rename a damaged sidecar to `<name>.quarantined`, where nobody reads it. */
OG_NODISCARD og_status og_graph__sidecar_quarantine(const og_repo *repo, const char *name,
                                                    og_error *err);

#endif
