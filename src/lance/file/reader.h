/* lance/file/reader - one immutable data file (container 2.1 / 2.2): columns by range or by row.
 *
 * Format: docs/dev/lance.md sections 9-14. A file knows columns and pages, not tables: which field
 * a column belongs to, deletions and row ids are the table's. Opening reads the footer and
 * the column metadata only; a page's chunk table and dictionary are decoded at first use and kept.
 * On a store that maps objects the bytes are used in place, elsewhere only the ranges needed are
 * fetched. Immutable, counted, safe for several threads. The store must outlive the file. */
#ifndef OG_LANCE_FILE_READER_H
#define OG_LANCE_FILE_READER_H

#include "columnar/array.h"
#include "store/store.h"

typedef struct og_lance_file og_lance_file;

/* Announce that the file will be opened, so that a store that is far away can fetch what opening
 * reads (og_store_expect). `bytes` as in og_lance_file_open. */
void og_lance_file_expect(og_store *store, const char *name, uint64_t bytes);
/* `bytes`: the size the manifest states (0 = unknown; then the store is asked). OG_CORRUPT naming
 * file and place when the container is damaged, OG_UNSUPPORTED for another major version. */
OG_NODISCARD og_status og_lance_file_open(og_store *store, const char *name, uint64_t bytes,
                                          og_lance_file **out, og_error *err);
void og_lance_file_unref(og_lance_file *file);
OG_DEFINE_AUTO(og_lance_file, og_lance_file_unref)

uint64_t og_lance_file_rows(const og_lance_file *file);
uint32_t og_lance_file_column_count(const og_lance_file *file);
const char *og_lance_file_name(const og_lance_file *file);
/* Bytes of memory held by decoded chunk tables and dictionaries, and by chunks that are kept. */
size_t og_lance_file_cached_bytes(const og_lance_file *file);
/* A take of at most so many rows counts as one of few rows: it looks up a key,
 * or its neighbours. */
#define OG_LANCE_FEW_ROWS 64
/* Keep the compressed chunks that takes of a few rows expand (except of columns of lists),
 * up to `max_bytes`; 0, as at first, keeps none. To be set before threads share the file. */
void og_lance_file_keep_chunks(og_lance_file *file, size_t max_bytes);

/* What to read: a field and the file columns of its leaves, depth first (one for every type the
 * engine stores; lists and structs of several leaves have several). */
typedef struct og_lance_column {
    const og_field *field;
    const uint32_t *leaves;
    uint32_t leaf_count;
    bool is_blob; /* blob v2: the array is a struct of og_lance_blob_type() */
    /* Bit i: the i-th type of the field, counted depth first from the field's own,
     * is a struct that is stored as one column. */
    uint64_t packed;
} og_lance_column;

/* Free the chunks that are kept of a column; NULL: of all columns. */
void og_lance_file_drop_chunks(og_lance_file *file, const og_lance_column *column);

/* Descriptor of a blob v2 value: struct<kind u8, position u64, size u64, blob_id u32, uri utf8>,
 * null for a null blob. */
const og_type *og_lance_blob_type(void);

/* Rows [start, start + count) in physical order (deleted rows included). */
OG_NODISCARD og_status og_lance_file_read(og_lance_file *file, const og_lance_column *column,
                                          uint64_t start, uint64_t count, og_array **out,
                                          og_error *err);
/* The rows named, ascending (equal ones allowed); only the chunks that hold them are decoded. */
OG_NODISCARD og_status og_lance_file_take(og_lance_file *file, const og_lance_column *column,
                                          const uint32_t *rows, uint64_t count, og_array **out,
                                          og_error *err);

/* Begin to bring in from disk those pages of these rows that nobody has looked at yet: for rows of
 * several columns that will be read one after the other. Does nothing unless the file is mapped. */
void og_lance_file_read_ahead(og_lance_file *file, const og_lance_column *column, uint64_t start,
                              uint64_t count);

/* Rows as codes: the value of row start + i is values[codes[i]]. The values are the entries of the
 * page's dictionary, its single value, or the values of its runs. */
typedef struct og_lance_coded {
    og_array *values; /* a reference; borrows from the file. Text is not checked to be UTF-8 */
    uint32_t page;    /* the page's number */
    uint32_t count;   /* rows read, at most to the end of the page; 0: the page has no codes */
    bool of_rows;     /* the values are those of these rows only; else of the whole page */
} og_lance_coded;
/* Rows from `start` on, at most `count`, codes into `out_codes`; each is below values->length. */
OG_NODISCARD og_status og_lance_file_read_coded(og_lance_file *file, const og_lance_column *column,
                                                uint64_t start, uint32_t count, uint32_t *out_codes,
                                                og_lance_coded *out, og_error *err);

#endif
