/* lance/file/sink_write - appending to a data file: aligned buffers at known positions. */
#ifndef OG_LANCE_FILE_SINK_WRITE_H
#define OG_LANCE_FILE_SINK_WRITE_H

#include "store/store.h"

typedef struct og_lance__sink {
    og_object_writer *object;
    uint64_t position;
} og_lance__sink;

OG_NODISCARD og_status og_lance__sink_append(og_lance__sink *sink, const void *bytes, size_t len,
                                             og_error *err);
/* Align, then append a buffer; *out_position is where it starts. */
OG_NODISCARD og_status og_lance__sink_buffer(og_lance__sink *sink, const void *bytes, size_t len,
                                             uint64_t *out_position, og_error *err);

#endif
