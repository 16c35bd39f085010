/* graph/value_check - stored values against what the schema says of one value: required, enum, @range,
 * @check, and that the id of a node is its key. Programs that check what they write leave nothing to find. */
#ifndef OG_GRAPH_VALUE_CHECK_H
#define OG_GRAPH_VALUE_CHECK_H

#include "graph/rowset.h"

/* Does the schema say anything of the property's values? */
bool og_graph__is_constrained(const og_type_def *def, uint32_t property);

/* Check the value of a property in a row of its column. OG_INVALID, with the text of a refused write, when it
 * breaks a rule. `rs` is a rowset of the type; good values are kept in it until it is freed. */
OG_NODISCARD og_status og_graph__value_check(og_graph__rowset *rs, uint32_t property,
                                             const og_array *values, int64_t row, og_error *err);

/* Is `id` what the key in that row makes it? Keys that are neither text nor integers are not looked at: other
 * programs may write their text otherwise. The type has a key. */
bool og_graph__is_key_text(const og_type_def *def, const og_array *keys, int64_t row, og_str id,
                           og_buf *scratch);

#endif
