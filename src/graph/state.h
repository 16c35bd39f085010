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
    char op[27]; /* operation that its row names; "" = none, or unknown */
} og_graph__pin;

typedef struct og_graph__state {
    uint64_t manifest_version;
    const og_graph__pin *pins; /* ordered by table_key, by bytes */
    size_t pin_count;
    /* Newest commit named by an `og` object in the rows, "" when none is. Another program,
     * which writes no such object, may have committed since (dag.h tells). */
    og_str commit_id;
    uint64_t commit_version; /* manifest version at which it was published */
    uint64_t horizon_ms;     /* operations that began earlier must not be published (fence.h) */
    bool from_head_file;
    int32_t refs;
    og_arena *arena;
} og_graph__state;

og_graph__state *og_graph__state_ref(og_graph__state *state);
void og_graph__state_unref(og_graph__state *state);
OG_DEFINE_AUTO(og_graph__state, og_graph__state_unref)

/* An empty state in an arena of its own, so that one free gives everything back.
 * NULL when out of memory. */
og_graph__state *og_graph__state_new(uint64_t manifest_version);
/* Set a new state's pins, which live in its arena; sorts them. */
void og_graph__state_set_pins(og_graph__state *state, og_graph__pin *pins, size_t count);

/* Read all rows of an open `__manifest`. OG_UNSUPPORTED when its internal schema stamp is newer. */
OG_NODISCARD og_status og_graph__state_read(og_lance_table *manifest, og_graph__state **out,
                                            og_error *err);
/* The same for an earlier version than that of `later`, whose `__manifest` is `later_manifest`, of
 * one life of one branch. Tables whose pins did not move in between have the later pins; so only
 * rows that came in between are read, and the last ones before these. When they do not tell all,
 * as after types were added or rows were rewritten in between, all rows are read. */
OG_NODISCARD og_status og_graph__state_read_before(og_lance_table *manifest,
                                                   const og_graph__state *later,
                                                   og_lance_table *later_manifest,
                                                   og_graph__state **out, og_error *err);
/* Only the check of the stamp. */
OG_NODISCARD og_status og_graph__stamp_check(const og_lance_table *manifest, og_error *err);
/* The pin of a table, or NULL. */
const og_graph__pin *og_graph__state_pin(const og_graph__state *state, og_str table_key);

/* What became of an operation. */
typedef enum og_graph__op_fate {
    OG_GRAPH__OP_PENDING,
    OG_GRAPH__OP_PUBLISHED,
    OG_GRAPH__OP_ABORTED,
} og_graph__op_fate;
/* Was the operation published, or aborted, by this version of `__manifest`? Scans its rows. */
OG_NODISCARD og_status og_graph__op_fate_of(og_lance_table *manifest, og_str op,
                                            og_graph__op_fate *out, og_error *err);
/* The same for an operation that was pending at `base`, an earlier version:
 * reads only the rows that came since. */
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
