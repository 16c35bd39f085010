/* graph/rowset_priv - what the files of a rowset share: columns, and values on their way into them.
 *
 * rowset.c has the columns and the rules of single values; rowset_json.c and rowset_literal.c
 * convert values of their kind to a column's type and append them by the functions below. */
#ifndef OG_GRAPH_ROWSET_PRIV_H
#define OG_GRAPH_ROWSET_PRIV_H

#include "base/regex.h"
#include "columnar/builder.h"
#include "graph/rowset.h"

/* The column of a property. */
typedef struct og_graph__column {
    const og_property *prop;
    og_builder *builder;
    bool has_range; /* some of def->ranges are about it */
    bool has_check; /* some of def->checks are about it */
} og_graph__column;

struct og_graph__rowset {
    const og_type_def *def;
    og_lenient_counts *lenient; /* NULL = strict */
    og_builder *ids[3];         /* id, src, dst; those that the type has */
    og_graph__column *columns;  /* of the properties */
    og_regex **patterns;        /* of def->checks */
    og_buf scratch;             /* decoded blobs */
    int64_t rows;
};

/* Put one value into `b`: the column's builder, or the builder of its list items. They check the
 * rules of the value (enum, @range, @check, range of the column's type) and fail with OG_INVALID or
 * OG_NOMEM. `is_item`: a list's item, to which only enum applies, as in the reference. */
OG_NODISCARD og_status og_graph__put_text(og_graph__rowset *rs, const og_graph__column *c,
                                          og_builder *b, og_str text, bool is_item, og_error *err);
OG_NODISCARD og_status og_graph__put_i64(og_graph__rowset *rs, const og_graph__column *c,
                                         og_builder *b, int64_t value, bool is_item, og_error *err);
OG_NODISCARD og_status og_graph__put_u64(og_graph__rowset *rs, const og_graph__column *c,
                                         og_builder *b, uint64_t value, bool is_item,
                                         og_error *err);
/* Narrowed to F32 where the column is one; the caller has looked for overflow. */
OG_NODISCARD og_status og_graph__put_f64(og_graph__rowset *rs, const og_graph__column *c,
                                         og_builder *b, double value, bool is_item, og_error *err);
/* "base64:..." or a URI. */
OG_NODISCARD og_status og_graph__put_blob(og_graph__rowset *rs, const og_graph__column *c,
                                          og_str text, og_error *err);
/* Null, or the error that the property is required. */
OG_NODISCARD og_status og_graph__put_null(const og_graph__column *c, og_error *err);

/* Is |value| too large for a finite F32? */
static inline bool og_graph__overflows_f32(double value)
{
    return value - value == 0 && __builtin_isinf((float)value);
}

/* The reference's text for a required property without a usable value. */
og_status og_graph__required(const og_graph__column *c, og_error *err);

/* rowset_json.c, rowset_literal.c: append one value to the column. */
OG_NODISCARD og_status og_graph__append_json(og_graph__rowset *rs, const og_graph__column *c,
                                             const og_json *value, og_error *err);
OG_NODISCARD og_status og_graph__append_literal(og_graph__rowset *rs, const og_graph__column *c,
                                                const og_literal *value, og_error *err);

#endif
