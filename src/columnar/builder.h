/* columnar/builder - arrays from values, one row at a time or many. */
#ifndef OG_COLUMNAR_BUILDER_H
#define OG_COLUMNAR_BUILDER_H

#include "columnar/array.h"

typedef struct og_builder og_builder;

/* NULL when out of memory. `type` must outlive the builder and the arrays it makes. */
og_builder *og_builder_new(const og_type *type);
void og_builder_free(og_builder *builder);
OG_DEFINE_AUTO(og_builder, og_builder_free)

int64_t og_builder_length(const og_builder *builder);

/* Room for `rows` more rows and, for text and binary, `bytes` more bytes. Only saves growing; a
 * failure sticks as that of an append does. */
bool og_builder_reserve(og_builder *builder, int64_t rows, int64_t bytes);

/* Append one row. False when out of memory or when an offset would pass 2^31-1 (i32 offsets); the
 * failure sticks and og_builder_finish reports it, so a run of appends may be checked once at its
 * end. The function must fit the type: bool; i64 for all signed integers and dates; u64 for
 * unsigned; f64 for floats (narrowed); str for text and binary. The value must fit the type
 * (asserted). */
bool og_builder_null(og_builder *builder);
bool og_builder_nulls(og_builder *builder, int64_t count);
bool og_builder_bool(og_builder *builder, bool value);
bool og_builder_i64(og_builder *builder, int64_t value);
bool og_builder_u64(og_builder *builder, uint64_t value);
bool og_builder_f64(og_builder *builder, double value);
bool og_builder_str(og_builder *builder, og_str value);
/* Lists: append the items to the child, then end the row. A fixed-size list's row must have
 * list_size items (asserted); its null row is made by og_builder_null, which fills the child with
 * zeros. Struct: append to every child, then end the row; a null row is null in every child. */
og_builder *og_builder_child(og_builder *builder, uint32_t index);
bool og_builder_end_row(og_builder *builder);
/* Append rows [start, start + count) of an array of the same type. */
bool og_builder_append_array(og_builder *builder, const og_array *array, int64_t start,
                             int64_t count);

/* The array of all rows so far; the builder is empty afterwards, also on failure, and may be used
 * again. OG_NOMEM; OG_LIMIT when an i32 offset would have overflowed. */
OG_NODISCARD og_status og_builder_finish(og_builder *builder, og_array **out, og_error *err);

#endif
