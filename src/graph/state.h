/* graph/state - what one version of `__manifest` says: the pin of every table, and the head commit.
 *
 * Read from the rows, or from the head file when that names the same manifest version and
 * transaction (then no row is read). Immutable, counted. */
#ifndef OG_GRAPH_STATE_H
#define OG_GRAPH_STATE_H

#include "base/arena.h"
#include "base/id.h"
#include "lance/table/table.h"

/* The version of a table that is visible. */
typedef struct og_graph__pin {
    og_str table_key;
    og_str table_path;
    og_str table_branch; /* "" = main */
    uint64_t version;
    uint64_t manifest_bytes; /* size of that version's manifest; 0 = unknown */
    uint64_t row_count;
    char op[27]; /* operation that its row names; "" = none, or not told (head files) */
} og_graph__pin;

typedef struct og_graph__state {
    uint64_t manifest_version;
    const og_graph__pin *pins; /* by table_key, bytes */
    size_t pin_count;
    /* Newest commit that the rows name (`og` object), "" when none does; a program without it may have
     * written since (dag.h tells). */
    og_str commit_id;
    uint64_t commit_version; /* manifest version at which it was published */
    uint64_t horizon_ms;     /* what began before it may not be published any more (fence.h) */
    bool from_head_file;
    int32_t refs;
    og_arena *arena;
} og_graph__state;

og_graph__state *og_graph__state_ref(og_graph__state *state);
void og_graph__state_unref(og_graph__state *state);
OG_DEFINE_AUTO(og_graph__state, og_graph__state_unref)

/* An empty state in an arena of its own, so that one free gives everything back. NULL when out of memory. */
og_graph__state *og_graph__state_new(uint64_t manifest_version);
/* Its pins, which live in its arena; sorts them. */
void og_graph__state_set_pins(og_graph__state *state, og_graph__pin *pins, size_t count);

/* Read all rows of an open `__manifest`. OG_UNSUPPORTED when its internal schema stamp is newer. */
OG_NODISCARD og_status og_graph__state_read(og_lance_table *manifest, og_graph__state **out,
                                            og_error *err);
/* The stamp alone. */
OG_NODISCARD og_status og_graph__stamp_check(const og_lance_table *manifest, og_error *err);
/* The pin of a table, or NULL. */
const og_graph__pin *og_graph__state_pin(const og_graph__state *state, og_str table_key);

/* Was an operation published, or aborted? Scans the rows. */
typedef enum og_graph__op_fate {
    OG_GRAPH__OP_PENDING,
    OG_GRAPH__OP_PUBLISHED,
    OG_GRAPH__OP_ABORTED,
} og_graph__op_fate;
OG_NODISCARD og_status og_graph__op_fate_of(og_lance_table *manifest, og_str op,
                                            og_graph__op_fate *out, og_error *err);
/* The same of an operation that was pending at `base`, an earlier version: reads only rows that came
 * since. */
OG_NODISCARD og_status og_graph__op_fate_since(og_lance_table *base, og_lance_table *manifest,
                                               og_str op, og_graph__op_fate *out, og_error *err);

/* A state made of another by changing pins: for a writer that knows what it published. `pins`
 * replace or add by table_key; commit_id "" leaves the newest commit as it was; the horizon never
 * goes back. */
OG_NODISCARD og_status og_graph__state_advance(const og_graph__state *state,
                                               uint64_t manifest_version, const og_graph__pin *pins,
                                               size_t pin_count, og_str commit_id,
                                               uint64_t horizon_ms, og_graph__state **out,
                                               og_error *err);

#endif
