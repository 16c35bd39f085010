/* graph/export_priv - a table while it is exported. */
#ifndef OG_GRAPH_EXPORT_PRIV_H
#define OG_GRAPH_EXPORT_PRIV_H

#include "graph/load.h"

typedef struct og_graph__export_column {
    bool is_blob;
    og_str label; /* JSON text before a property's value, but behind the value of src or dst */
} og_graph__export_column;

/* Not changed while rows are written, so that several threads may write. */
typedef struct og_graph__export_table {
    const og_type_def *def;
    og_lance_table *table;
    og_str head; /* of each record, up to the first value */
    og_graph__export_column *columns;
    uint32_t *fields; /* of the columns, in the stored table: of the ids and of blobs */
    uint32_t column_count;
    bool has_blobs;
} og_graph__export_table;

/* Append the records of a batch, whose columns are those of the schema, to `out`. OG_UNSUPPORTED,
 * naming row and value, for a value that JSON can't hold. */
OG_NODISCARD og_status og_graph__export_batch(const og_graph__export_table *t,
                                              const og_batch *batch, const uint32_t *slots,
                                              og_buf *out, og_error *err);

#endif
