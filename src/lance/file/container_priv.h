/* lance/file/container_priv - the bytes of an open data file, its columns and its pages.
 *
 *     page buffers, blob payloads   64-aligned
 *     global buffer 0               FileDescriptor
 *     column metadata               ColumnMetadata, back to back
 *     CMO table, GBO table          n x {u64 position, u64 size} for columns, global buffers
 *     footer, 40 bytes              u64 column_meta_start, cmo_start, gbo_start,
 *                                   u32 global_buffers, u32 columns, u16 major, u16 minor, "LANC"
 *
 * Everything is immutable except the atomic pointers to what is decoded at first use - columns and
 * pages - and the chunks that are kept (kept_priv.h). Two threads may decode the same page; the
 * first publishes, the other drops its own. */
#ifndef OG_LANCE_FILE_CONTAINER_PRIV_H
#define OG_LANCE_FILE_CONTAINER_PRIV_H

#include "lance/file/reader.h"

#include <pthread.h>

#include "file.pb-c.h"

/* Rows and level counts are bounded so that sums of a few of them can't overflow. */
#define OG_LANCE__MAX_ROWS ((uint64_t)UINT32_MAX)

typedef struct og_lance__page og_lance__page; /* page_priv.h */
typedef struct og_lance__kept og_lance__kept; /* kept_priv.h */

/* Bytes of the file in memory: borrowed from the mapping, or held. */
typedef struct og_lance__span {
    const uint8_t *ptr;
    size_t len;
    og_blob *held;
} og_lance__span;

static inline void og_lance__span_deinit(og_lance__span *span)
{
    og_blob_unref(span->held);
    *span = (og_lance__span){0};
}
#define OG_LANCE__AUTO_SPAN __attribute__((cleanup(og_lance__span_deinit))) og_lance__span

typedef struct og_lance__buffer {
    uint64_t offset, size; /* within the file: checked */
} og_lance__buffer;

typedef struct og_lance__page_info {
    uint64_t first_row, rows;
    og_lance__buffer *buffers; /* in the column's block */
    uint32_t buffer_count;
    og_bytes layout;       /* Any with a PageLayout message; in the column's message */
    og_lance__page *state; /* atomic; NULL until the page is first read */
    uint64_t expected;     /* atomic; the windows brought in last (expect.c) */
    uint32_t few_reads;    /* atomic; reads of a few rows, before windows are brought in */
    og_lance__kept *kept;  /* under the file's kept_lock; NULL: nothing */
} og_lance__page_info;

typedef struct og_lance__column {
    Og__Lance__File__ColumnMetadata *message;
    og_lance__buffer *buffers;
    og_lance__page_info *pages; /* in row order, no gaps */
    uint32_t page_count;
    uint64_t rows; /* of all pages: the file's, or a multiple (assemble_priv.h) */
    uint32_t index;
    size_t memory; /* bytes of all this, without the pages' states */
} og_lance__column;

struct og_lance_file {
    int32_t refs;
    og_store *store;
    char *name;
    uint64_t bytes;
    og_blob *head; /* the whole file, or its last bytes from head_start on */
    uint64_t head_start;
    uint64_t cmo_start;
    uint64_t rows;
    og_lance__buffer descriptor; /* global buffer 0 */
    uint16_t major, minor;
    uint32_t column_count;
    og_lance__column **columns; /* atomic each; NULL until first used */
    size_t cached_bytes;        /* atomic */
    pthread_mutex_t kept_lock;  /* expanded chunks */
    size_t kept_limit, kept_bytes;
};

/* `len` bytes at `offset`. OG_CORRUPT when they are not inside the file. */
OG_NODISCARD og_status og_lance__file_span(og_lance_file *file, uint64_t offset, uint64_t len,
                                           og_lance__span *out, og_error *err);
/* True when spans cost nothing, so that callers need not plan their fetches. */
static inline bool og_lance__file_is_whole(const og_lance_file *file)
{
    return file->head_start == 0;
}
/* Column `index`, decoded at first use; borrowed from the file. OG_CORRUPT: no such column (the
 * index comes from a manifest). */
OG_NODISCARD og_status og_lance__file_column(og_lance_file *file, uint32_t index,
                                             og_lance__column **out, og_error *err);
/* Index of the page that holds `row` (< the column's rows). */
uint32_t og_lance__column_find(const og_lance__column *column, uint64_t row);

/* Put `mine` into the slot, or drop it when another thread has filled the slot already.
 * Returns what is in the slot. */
void *og_lance__publish(void **slot, void *mine, void (*drop)(void *));
static inline void og_lance__file_count(og_lance_file *file, size_t bytes)
{
    __atomic_fetch_add(&file->cached_bytes, bytes, __ATOMIC_RELAXED);
}

#endif
