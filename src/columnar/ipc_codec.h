/* columnar/ipc_codec - compressed buffers of the Arrow IPC format (its BodyCompression).
 *
 * A buffer begins with its size as i64, -1 when what follows was kept as it is; then comes an LZ4 frame or a zstd
 * frame. A buffer of no bytes is empty. Bytes are hostile. */
#ifndef OG_COLUMNAR_IPC_CODEC_H
#define OG_COLUMNAR_IPC_CODEC_H

#include "base/str.h"

/* Members of the format's CompressionType. */
enum { OG_IPC_LZ4_FRAME = 0, OG_IPC_ZSTD = 1 };

/* How many bytes the stored ones stand for. False: damaged, or more than the codec can make of them, so
 * that nothing is allocated for a lie. */
bool og_ipc_buffer_size(og_bytes stored, int codec, size_t *out);
/* Expand to `len` bytes, all that there are; of what was kept as it is the first ones. False: damaged, or
 * a codec that is not known. */
bool og_ipc_buffer_expand(og_bytes stored, int codec, void *dst, size_t len);

#endif
