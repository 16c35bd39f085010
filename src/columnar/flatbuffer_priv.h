/* columnar/flatbuffer_priv - reading FlatBuffers, as far as Arrow's metadata needs them.
 *
 * Format: flatbuffers.dev, "FlatBuffer Internals". A table begins with the distance back to its
 * vtable, which has an offset for each field ("slot"; 0 = absent). Positions are offsets in the
 * buffer; 0 stands for absent. Bytes are hostile: no function reads outside of the buffer, and all
 * say whether it is damaged. */
#ifndef OG_COLUMNAR_FLATBUFFER_PRIV_H
#define OG_COLUMNAR_FLATBUFFER_PRIV_H

#include "base/str.h"

/* Are bytes [at, at + width) within the buffer? */
static inline bool og_columnar__flat_fits(og_bytes flat, uint64_t at, uint64_t width)
{
    return at <= flat.len && width <= flat.len - at;
}
/* The position of the table, vector or text that a field refers to. False: damaged. */
bool og_columnar__flat_target(og_bytes flat, uint32_t table, unsigned slot, uint32_t *out);
/* The first item of a vector, of *out_count items of `item` bytes, to which a field refers.
 * False: damaged. */
bool og_columnar__flat_vector(og_bytes flat, uint32_t table, unsigned slot, unsigned item,
                              uint32_t *out, uint32_t *out_count);
/* A number of `width` bytes (1: unsigned, 2, 4 and 8: signed); `fallback` when it is absent.
 * *ok becomes false when the buffer is damaged. */
int64_t og_columnar__flat_number(og_bytes flat, uint32_t table, unsigned slot, unsigned width,
                                 int64_t fallback, bool *ok);

#endif
