/* Types and arrays as text, for tests and tools: "list<utf8>" to a type, an array to JSON. */
#ifndef OG_LANCE_TEXT_H
#define OG_LANCE_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "columnar/array.h"

/* bool i8 u8 .. i64 u64 f16 f32 f64 date32 date64 utf8 binary large_utf8 large_binary, list<T>
 * large_list<T>, fsl<T,N>, struct<a:T,b:T>. NULL when malformed or out of memory. */
const og_type *lance_text_type(og_arena *arena, const char *text);
/* One row: numbers, strings, {"hex": ".."} for binary, lists, structs; floats that JSON lacks as
 * strings ("nan", "inf", "-inf"), others with 17 digits. */
void lance_text_value(const og_array *array, int64_t row, og_buf *out);
/* All rows: [..]. */
void lance_text_array(const og_array *array, og_buf *out);

#endif
