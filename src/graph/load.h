/* graph/load - JSON records into a graph, and a graph into JSON records.
 *
 * Records are JSON values, {"type": T, "data": {...}} for nodes and {"edge": E, "from": id, "to":
 * id, "data": {...}} for edges (docs/user/data.md). Everything is checked before anything is
 * visible: types, unknown properties, enums, ranges, checks, keys, uniqueness, endpoints,
 * cardinality. */
#ifndef OG_GRAPH_LOAD_H
#define OG_GRAPH_LOAD_H

#include "base/json.h"
#include "graph/txn.h"

typedef enum og_load_mode_kind {
    OG_LOAD_OVERWRITE, /* replace the types that occur in the input */
    OG_LOAD_APPEND,    /* add; a stored key or edge id is an error */
    OG_LOAD_MERGE,     /* add or replace by id */
} og_load_mode_kind;

/* How many values of each kind a lenient load or mutation changed instead of refusing them. */
typedef struct og_lenient_counts {
    uint64_t unknown_properties, wrong_types, integers_wrapped, float_overflows, vector_items,
        list_items;
} og_lenient_counts;

typedef struct og_load_input {
    const char *branch, *actor;
    og_load_mode_kind mode;
    bool lenient;
    og_read_fn read; /* gives the records, with read_context */
    void *read_context;
    /* Called now and then with bytes read and records seen; may be NULL.
     * A nonzero return cancels. */
    int (*progress)(void *context, uint64_t bytes, uint64_t records);
    void *progress_context;
} og_load_input;

/* Rows written per type, in order of name; nodes first. */
typedef struct og_load_count {
    const og_type_def *def;
    uint64_t rows;
} og_load_count;

typedef struct og_load_output {
    og_load_count *counts; /* only types that occur; og_free */
    size_t count_len;
    uint64_t node_rows, edge_rows;
    og_lenient_counts lenient;
    og_commit_result commit;
} og_load_output;
void og_load_output_deinit(og_load_output *output);

/* Read all records and commit them as one, also when there are none.
 *
 * Memory: a chunk of each type that occurs, pages being written, and the sets of ids,
 * unique tuples and sources that checks need.
 *
 * OG_INVALID with err->line, the line on which the record to blame begins (0: no single one is),
 * and the reference's text where it refuses too; OG_LIMIT: a record above 256 MB; OG_CANCELLED by
 * progress; what `read` and og_txn_commit return. After an error the graph is as it was, except
 * after OG_UNKNOWN. */
OG_NODISCARD og_status og_load_run(og_repo *repo, const og_load_input *input, og_load_output *out,
                                   og_error *err);

/* Where output bytes go. */
typedef og_status (*og_write_fn)(void *context, og_bytes bytes, og_error *err);

typedef struct og_export_input {
    const og_str *type_names; /* only these types (node or edge names); count 0 = all */
    size_t type_count;
    const og_str *table_keys; /* only these tables */
    size_t table_count;
    og_write_fn write;
    void *write_context;
} og_export_input;
/* Write all rows as records that load reads again (docs/user/data.md has the form): tables in order
 * of their keys (edges before nodes), rows in order of their ids (by bytes). Streams; only the ids
 * of a table are held, for sorting. `write` is called from the caller's thread. OG_INVALID "unknown
 * export type 'X'"; OG_UNSUPPORTED, naming its row, for a value that JSON can't hold (an infinite
 * float); what `write` returns. */
OG_NODISCARD og_status og_export_run(og_snapshot *snapshot, const og_export_input *input,
                                     og_error *err);

#endif
