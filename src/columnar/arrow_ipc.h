/* columnar/arrow_ipc - record batches from a stream of the Arrow IPC format.
 *
 * Format: arrow.apache.org, "Serialization and Interprocess Communication". A message has a length,
 * a FlatBuffer of metadata, and a body of buffers, plain or under LZ4 or zstd. The schema comes
 * first, then record batches, with dictionaries before the batches that need them. A column with a
 * dictionary is read as its values. Bytes are hostile: every length and offset is checked, and
 * arrays that come out are valid. Big-endian streams and types that og_type lacks are
 * OG_UNSUPPORTED, by name. */
#ifndef OG_COLUMNAR_ARROW_IPC_H
#define OG_COLUMNAR_ARROW_IPC_H

#include "base/json.h"
#include "columnar/array.h"

typedef struct og_ipc_reader og_ipc_reader;

/* Open a stream and read its schema. `read` is called as for a stream of JSON (base/json.h).
 * OG_CORRUPT names the byte offset. */
OG_NODISCARD og_status og_ipc_open(og_read_fn read, void *context, og_ipc_reader **out,
                                   og_error *err);
void og_ipc_close(og_ipc_reader *reader);
OG_DEFINE_AUTO(og_ipc_reader, og_ipc_close)
/* The columns, borrowed from the reader. Timestamps in microseconds without a zone keep their type;
 * all other times and timestamps come as the integers they are stored as. */
const og_field *og_ipc_fields(const og_ipc_reader *reader, uint32_t *out_count);
/* The next batch that has rows; row_count 0 at the end. Its arrays own their values,
 * their types belong to the reader. */
OG_NODISCARD og_status og_ipc_next(og_ipc_reader *reader, og_batch *out, og_error *err);

#endif
