/* lance/file/message_write - protobuf messages written straight into a buffer.
 *
 * The messages of a page are small trees that are known while they are written, so they go out
 * field by field; the field numbers are those of file.proto. A nested message is opened and closed:
 *
 *     size_t message = og_lance__msg_open(out, FLAT);
 *     og_lance__msg_u64(out, 1, bits);
 *     og_lance__msg_close(out, message);
 *
 * Failures stick to the buffer (out->failed); look once at the end. */
#ifndef OG_LANCE_FILE_MESSAGE_WRITE_H
#define OG_LANCE_FILE_MESSAGE_WRITE_H

#include "base/buf.h"

/* Fields: a varint (0 is left out, as in proto3), bytes, packed varints; a nested message. */
void og_lance__msg_u64(og_buf *out, uint32_t field, uint64_t value);
void og_lance__msg_bytes(og_buf *out, uint32_t field, const void *bytes, size_t len);
void og_lance__msg_packed(og_buf *out, uint32_t field, const uint64_t *values, size_t count);
size_t og_lance__msg_open(og_buf *out, uint32_t field);
void og_lance__msg_close(og_buf *out, size_t message);

/* The cases of CompressiveEncoding: each writes the content of an encoding message that is open. */
void og_lance__put_flat(og_buf *out, uint32_t bits);
void og_lance__put_variable(og_buf *out, bool wide_offsets);
/* General(ZSTD): write the inner encoding, then close. */
typedef struct og_lance__general {
    size_t general, values;
} og_lance__general;
og_lance__general og_lance__open_zstd(og_buf *out);
void og_lance__close_zstd(og_buf *out, og_lance__general general);

/* Field numbers of CompressiveEncoding. */
enum {
    OG_LANCE__PB_FLAT = 1,
    OG_LANCE__PB_VARIABLE = 2,
    OG_LANCE__PB_OUT_OF_LINE_BITPACKING = 4,
    OG_LANCE__PB_INLINE_BITPACKING = 5,
    OG_LANCE__PB_FSST = 6,
    OG_LANCE__PB_RLE = 8,
    OG_LANCE__PB_BYTE_STREAM_SPLIT = 9,
    OG_LANCE__PB_GENERAL = 10,
    OG_LANCE__PB_FIXED_SIZE_LIST = 11,
    OG_LANCE__PB_VARIABLE_PACKED_STRUCT = 13,
};

#endif
