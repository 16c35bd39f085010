/* graph/rowset - rows of one table on their way in, as columns that fill row by row.
 *
 * Both load and mutate write through it. Each value is converted to its column's type as it is
 * appended, and checked against all that the schema says of a single value: type, range of the
 * type, required, enum, @range, @check. constraints.h has the checks that need more than one row.
 *
 * Columns are those of the table, in order: id, on edges src and dst, then the properties by name.
 * Blobs are struct<data large_binary, uri utf8> (lance/table/write.h).
 *
 * Strict (the default): a value that can't be kept as it is, is refused. Lenient: it is changed as
 * the reference does, and counted (docs/user/data.md has the table). A message has the reference's
 * text wherever the reference refuses too. */
#ifndef OG_GRAPH_ROWSET_H
#define OG_GRAPH_ROWSET_H

#include "base/json.h"
#include "graph/load.h"
#include "lang/catalog.h"

typedef enum og_graph__value_kind {
    OG_GRAPH__ABSENT,  /* not given: the @default, else null */
    OG_GRAPH__JSON,    /* null included */
    OG_GRAPH__LITERAL, /* of the property's type, as og_literal_coerce makes it; null included */
    OG_GRAPH__KEEP,    /* as in the old row: copied, not checked again */
} og_graph__value_kind;

/* The value of one property. */
typedef struct og_graph__value {
    og_graph__value_kind kind;
    union {
        const og_json *json;
        const og_literal *literal;
    };
} og_graph__value;

typedef struct og_graph__row {
    og_str id;
    og_str src, dst;               /* edges */
    const og_graph__value *values; /* one for each property of the type, in the catalog's order */
    /* What KEEP copies from: a row of a batch with all columns of the table,
     * blob columns materialized (og_lance_blob_materialize). */
    const og_batch *old;
    int64_t old_row;
} og_graph__row;

typedef struct og_graph__rowset og_graph__rowset;

/* An empty rowset; the type must outlive it. `lenient` NULL = strict, else where changes are
 * counted. Compiles the patterns of @check (OG_INVALID with the reference's text when one is
 * broken). */
OG_NODISCARD og_status og_graph__rowset_new(const og_type_def *def, og_lenient_counts *lenient,
                                            og_graph__rowset **out, og_error *err);
void og_graph__rowset_free(og_graph__rowset *rowset);
OG_DEFINE_AUTO(og_graph__rowset, og_graph__rowset_free)

/* Append a row. OG_INVALID with the reference's text and no place: the caller knows the line. After
 * a failure the rowset is only to be freed: columns may differ in length. */
OG_NODISCARD og_status og_graph__rowset_append(og_graph__rowset *rowset, const og_graph__row *row,
                                               og_error *err);
int64_t og_graph__rowset_rows(const og_graph__rowset *rowset);
/* All rows as a batch of the table's columns; the rowset is empty afterwards and may be filled
 * again. */
OG_NODISCARD og_status og_graph__rowset_finish(og_graph__rowset *rowset, og_batch *out,
                                               og_error *err);

/* The id that a node has by the value of its first @key property (def->key_property): String as it
 * is, integers in decimal, dates as days "2024-02-29" and instants with a Z, Bool true or false.
 * `scratch` is used for texts that are made; *out points into it or into the value. ABSENT, null,
 * or another type: OG_INVALID "node T missing @key property 'p'". */
OG_NODISCARD og_status og_graph__key_id(const og_type_def *def, const og_graph__value *value,
                                        og_buf *scratch, og_str *out, og_error *err);

/* A float as Rust prints it, which is how the reference's messages show numbers: shortest digits
 * that read back, never an exponent, no ".0". */
bool og_graph__write_number(og_buf *out, double value);

#endif
