/* columnar/ipc_codec - compressed buffers of the Arrow IPC format (its BodyCompression).
 *
 * A stored buffer is an i64, the size of its content, and an LZ4 or zstd frame. With -1 as size the
 * content follows uncompressed. A buffer of no bytes is empty. Bytes are hostile. */
#ifndef OG_COLUMNAR_IPC_CODEC_H
#define OG_COLUMNAR_IPC_CODEC_H

#include "base/str.h"

/* Members of the format's CompressionType. */
enum { OG_IPC_LZ4_FRAME = 0, OG_IPC_ZSTD = 1 };

/* The size of a stored buffer's content. False: damaged, or more than the codec could make of so
 * few bytes, so that nothing is allocated for a lie. */
bool og_ipc_buffer_size(og_bytes stored, int codec, size_t *out);
/* Expand a stored buffer, whose content must be `len` bytes; of uncompressed content the first
 * `len` are copied. False: damaged, or an unknown codec. */
bool og_ipc_buffer_expand(og_bytes stored, int codec, void *dst, size_t len);

#endif
