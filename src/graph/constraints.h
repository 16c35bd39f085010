/* graph/constraints - checks that need more than one row, for one operation (a load, a mutation).
 *
 * The operation tells what it does: rows it writes, rows it removes, tables it replaces as a whole.
 * At the end og_graph__checks_finish looks at what is stored, once per table and column, and says
 * whether all holds together:
 *
 *   ids         no two written rows of a type have one id (found at once)
 *   endpoints   the nodes at the ends of each written edge are written, or stored and not removed
 *   dangling    no stored edge of a table that is not replaced loses a node to a replaced table
 *   unique      no two written rows (found at once), and no written and no stored row share a tuple
 *               of @unique. A tuple with a null is exempt; a stored row that is replaced or removed
 *               does not count
 *   card        the edges per source after the operation, for sources that a written or removed
 *               edge touches; the minimum only where an edge is left
 *
 * The tables that decide the outcome are named to the transaction (og_txn_reads). A mutation tells
 * the final state of each row only, not an insert that a later statement replaced. Violations that
 * were there before and are not touched are no error. Memory: the ids, unique tuples and touched
 * sources of the operation; stored values are streamed. */
#ifndef OG_GRAPH_CONSTRAINTS_H
#define OG_GRAPH_CONSTRAINTS_H

#include "graph/txn.h"

typedef struct og_graph__checks og_graph__checks;

OG_NODISCARD og_status og_graph__checks_new(const og_catalog *catalog, og_graph__checks **out,
                                            og_error *err);
void og_graph__checks_free(og_graph__checks *checks);
OG_DEFINE_AUTO(og_graph__checks, og_graph__checks_free)

/* A row that the operation writes: new, or in place of the stored row with that id. */
typedef struct og_graph__written {
    const og_type_def *def;
    og_str id;
    bool id_is_new;  /* just made (ULID): no other row has it, nothing refers to it */
    og_str src, dst; /* edges */
    uint32_t row;    /* number of the row among those of its type, from 0; for messages */
    uint32_t line;   /* of the record, for errors; 0 = none */
} og_graph__written;

/* Tell of a written row. OG_INVALID with err->line when another written row has its id. */
OG_NODISCARD og_status og_graph__checks_write(og_graph__checks *checks,
                                              const og_graph__written *written, og_error *err);

/* Tell the values of written rows, for @unique: each written row once, in batches of the table's
 * columns. `first_row`: number of the batch's first row, as `row` above; `lines`: those of its
 * rows, NULL = none. Cheap when the type has no @unique. */
OG_NODISCARD og_status og_graph__checks_values(og_graph__checks *checks, const og_type_def *def,
                                               const og_batch *batch, uint32_t first_row,
                                               const uint32_t *lines, og_error *err);

/* Must removed rows of this type be told, by og_graph__checks_remove and _lost? */
bool og_graph__checks_asks_removed(const og_type_def *def);
/* Tell of a stored row that is gone after the operation. */
OG_NODISCARD og_status og_graph__checks_remove(og_graph__checks *checks, const og_type_def *def,
                                               og_str id, og_error *err);
/* Tell the source of a stored edge that is removed or replaced: it may have lost an edge. */
OG_NODISCARD og_status og_graph__checks_lost(og_graph__checks *checks, const og_type_def *edge,
                                             og_str src, og_error *err);
/* Tell that all stored rows of the type are replaced. */
void og_graph__checks_replace(og_graph__checks *checks, const og_type_def *def);

/* Has the operation written a row of this type with this id? */
bool og_graph__checks_has_written(const og_graph__checks *checks, const og_type_def *def,
                                  og_str id);

/* Check everything that depends on what is stored in the txn's snapshot. To be called after all
 * og_txn_write (which may renew the snapshot) and before og_txn_commit. OG_INVALID with the
 * reference's text and, where a record is to blame, its line. */
OG_NODISCARD og_status og_graph__checks_finish(og_graph__checks *checks, og_txn *txn,
                                               og_error *err);

/* The operation was checked on `was`: does it also hold on `now`, a later snapshot? Reads only the
 * rows that differ; when edges of a type with @card do, those at touched sources are counted again.
 * OG_CONFLICT, naming table and versions, when the operation must be run again: others wrote or
 * removed what it writes, removes or refers to, or what changed can't be told or is too much.
 * OG_INVALID as above for a rule that it would break now. */
OG_NODISCARD og_status og_graph__checks_again(og_graph__checks *checks, og_snapshot *was,
                                              og_snapshot *now, og_error *err);

#endif
