/* graph/value_check - checking stored values against what the schema says of a single value:
 * required, enum, @range, @check, and that the id of a node is its key. */
#ifndef OG_GRAPH_VALUE_CHECK_H
#define OG_GRAPH_VALUE_CHECK_H

#include "graph/rowset.h"

/* Does the schema say anything of the property's values? */
bool og_graph__is_constrained(const og_type_def *def, uint32_t property);

/* Check the value in a row of a property's column. OG_INVALID when it breaks a rule, with the text
 * that refuses it when it is written. `rs` is a rowset of the type; right values are kept in it
 * until it is freed. */
OG_NODISCARD og_status og_graph__value_check(og_graph__rowset *rs, uint32_t property,
                                             const og_array *values, int64_t row, og_error *err);

/* Is `id` the text of the key in this row? The type must have a key. True for keys that are neither
 * text nor integers: other programs may form the text of these in another way. */
bool og_graph__is_key_text(const og_type_def *def, const og_array *keys, int64_t row, og_str id,
                           og_buf *scratch);

#endif
