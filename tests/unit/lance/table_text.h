/* Rows as JSON into batches, for tests and tools. */
#ifndef OG_TABLE_TEXT_H
#define OG_TABLE_TEXT_H

#include "base/json.h"
#include "columnar/array.h"
#include "lance/table/table.h"

/* A value of the type: JSON of the same shape; binary as {"hex": ".."} or text; dates and times as
 * stored integers; "nan", "inf", "-inf" for floats. False when it does not fit. */
struct og_builder;
bool table_text_append(struct og_builder *builder, const og_type *type, const og_json *value);
/* `rows`: array of objects; absent keys are null. Columns in the order of the fields. */
bool table_text_batch(const og_lance_field *fields, uint32_t field_count, const og_json *rows,
                      og_batch *out);

#endif
