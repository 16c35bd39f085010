/* lance/file/blob_write - blob v2 columns: descriptors in a page, bytes wherever their size puts
 * them.
 *
 * Format: docs/dev/lance.md section 14. Up to 64 KiB a blob lies in the data file, up to 4 MiB in a
 * packed file shared with others, above in a file of its own; a value with a URI and no bytes is
 * external. Blob files are numbered from 1 within the data file. */
#ifndef OG_LANCE_FILE_BLOB_WRITE_H
#define OG_LANCE_FILE_BLOB_WRITE_H

#include "base/vec.h"
#include "lance/file/page_write.h"
#include "lance/file/sink_write.h"
#include "store/store.h"

/* A blob file that is being written. */
typedef struct og_lance__blob_file {
    og_object_writer *object; /* NULL = none */
    char *name;
    uint32_t id;
} og_lance__blob_file;

/* The blob files of one data file. */
typedef struct og_lance__blob_files {
    og_store *store;
    const char *stem; /* "<dir>/data/<stem>"; borrowed */
    uint32_t last_id;
    og_lance__blob_file packed; /* the one that takes small blobs */
    OG_VEC(char *) names;       /* files that are, or may be, visible */
} og_lance__blob_files;

/* Make the packed file visible. */
OG_NODISCARD og_status og_lance__blob_files_finish(og_lance__blob_files *files, og_error *err);
/* Unless `keep`, the files are removed from the store. */
void og_lance__blob_files_deinit(og_lance__blob_files *files, bool keep);

typedef struct og_lance__blob_row {
    uint8_t kind;
    bool is_null;
    uint32_t blob_id;
    uint64_t position, size;
    uint32_t uri_start, uri_len; /* in uris */
} og_lance__blob_row;

typedef struct og_lance__blob_column {
    OG_VEC(og_lance__blob_row) rows;
    og_buf uris;
    uint64_t null_count;
} og_lance__blob_column;

void og_lance__blob_column_deinit(og_lance__blob_column *column);
size_t og_lance__blob_column_bytes(const og_lance__blob_column *column);
/* Append rows of a blob type (og_lance_is_blob_type); their bytes are written at once.
 * A row without bytes and URI is null. */
OG_NODISCARD og_status og_lance__blob_append(og_lance__blob_column *column, const og_array *array,
                                             int64_t start, int64_t count, og_lance__sink *sink,
                                             og_lance__blob_files *files, og_error *err);
/* Encode the rows as one page, and empty the column. */
OG_NODISCARD og_status og_lance__blob_encode(og_lance__blob_column *column, og_buf *row_starts,
                                             og_lance__page *page, og_error *err);

#endif
