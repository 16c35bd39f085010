/* lance/file/look - what a data file is made of, for tools: nothing here decodes a value. */
#ifndef OG_LANCE_FILE_LOOK_H
#define OG_LANCE_FILE_LOOK_H

#include "base/buf.h"
#include "lance/file/reader.h"

/* Version of the container format: 2 and 2. */
void og_lance_file_format(const og_lance_file *file, uint16_t *out_major, uint16_t *out_minor);
uint64_t og_lance_file_bytes(const og_lance_file *file);
/* Append the serialized Schema message of the file's descriptor;
 * it belongs to the table layer of the format. */
OG_NODISCARD og_status og_lance_file_schema(og_lance_file *file, og_buf *out, og_error *err);
OG_NODISCARD og_status og_lance_file_page_count(og_lance_file *file, uint32_t column, uint32_t *out,
                                                og_error *err);

typedef struct og_lance_page_look {
    uint64_t first_row, rows;
    uint64_t offset;      /* of the first buffer in the file; 0 without buffers */
    uint64_t bytes;       /* of all buffers */
    uint64_t index_bytes; /* of the buffers that say where rows are, not what they hold */
    uint32_t buffers;
} og_lance_page_look;

/* The facts of a page. Its encoding is appended to `text` as one line: "mini-block, 3 chunks,
 * nullable item: InlineBitpacking(32)". OG_UNSUPPORTED for an unknown layout. */
OG_NODISCARD og_status og_lance_file_page_look(og_lance_file *file, uint32_t column, uint32_t page,
                                               og_lance_page_look *out, og_buf *text,
                                               og_error *err);

#endif
