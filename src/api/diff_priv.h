/* api/diff_priv - a diff on its way to a caller or to text.
 *
 * A walk visits the tables in order of their keys: for each table the visitor is called with the
 * counts, then with the rows in order of id. Memory: ids and slots of a table's changes, and a
 * batch of their values. */
#ifndef OG_API_DIFF_PRIV_H
#define OG_API_DIFF_PRIV_H

#include "api/handles_priv.h"
#include "graph/diff.h"

typedef struct og_api__diff {
    og_session *session;
    og_snapshot *from, *to;
    const og_diff_options *options;
    uint64_t deadline_ns;
} og_api__diff;

/* Counts after the filter of operations. */
typedef struct og_api__diff_counts {
    uint64_t inserts, updates, deletes;
} og_api__diff_counts;

typedef struct og_api__diff_table {
    const og_type_def *def;
    og_api__diff_counts counts;
    const char *full; /* NULL, or why whole fragments were compared */
} og_api__diff_table;

/* One side of a row: columns of the type's table, blobs as struct<data, uri>.
 * NULL: there is none. */
typedef struct og_api__diff_image {
    og_array *const *columns;
    int64_t row;
} og_api__diff_image;

typedef struct og_api__diff_row {
    const og_type_def *def;
    const og_row_change *change;
    og_api__diff_image before, after;
} og_api__diff_row;

/* Called by a walk. Tables without changes are left out, unless they were compared as a whole. */
typedef struct og_api__diff_visitor {
    og_status (*table)(void *context, const og_api__diff_table *table, og_error *err);
    og_status (*row)(void *context, const og_api__diff_row *row, og_error *err); /* NULL: none */
    void *context;
} og_api__diff_visitor;

OG_NODISCARD og_status og_api__diff_open(og_session *session, const char *from, const char *to,
                                         const og_diff_options *options, og_api__diff *out,
                                         og_error *err);
void og_api__diff_close(og_api__diff *diff);
OG_NODISCARD og_status og_api__diff_walk(const og_api__diff *diff, const og_api__diff_visitor *v,
                                         og_error *err);

bool og_api__column_is_blob(const og_type_def *def, uint32_t column);
/* A value as in JSON lines: blobs as an export has them. */
void og_api__diff_write_value(og_buf *out, const og_api__diff_row *row,
                              const og_api__diff_image *image, uint32_t column);
/* {"src":..,"dst":..,"age":..}: all columns but the id. */
void og_api__diff_write_image(og_buf *out, const og_api__diff_row *row,
                              const og_api__diff_image *image);

#endif
