/* lance/file/byte_split - numbers as streams of their bytes: all first bytes, then all second ones,
 * and so on. The form of ByteStreamSplit (docs/dev/lance.md section 12). */
#ifndef OG_LANCE_FILE_BYTE_SPLIT_H
#define OG_LANCE_FILE_BYTE_SPLIT_H

#include <stddef.h>
#include <stdint.h>

/* `count` numbers of `width` bytes (any width; 4 and 8 are fast) as `width` streams of `count`
 * bytes, back to back in `streams`. */
void og_lance__split_bytes(const uint8_t *numbers, size_t count, size_t width, uint8_t *streams);
/* The inverse, from streams that begin `stride` bytes apart. */
void og_lance__join_bytes(const uint8_t *streams, size_t stride, size_t count, size_t width,
                          uint8_t *numbers);

#endif
