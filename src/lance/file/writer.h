/* lance/file/writer - writes one data file (container 2.2) from batches.
 *
 * Pages are cut per column when about 8 MiB are buffered, so memory is bounded by pages whatever
 * the file's size. Each page gets the cheapest encoding the data allows, from those that every
 * Lance 6 reader decodes (docs/dev/lance.md sections 11-13); beyond what Lance itself writes,
 * chunks of text and numbers may be zstd frames. Equal input gives equal bytes, whatever the number
 * of threads that encode pages. No statistics, no column buffers. Calls come from one thread. */
#ifndef OG_LANCE_FILE_WRITER_H
#define OG_LANCE_FILE_WRITER_H

#include "columnar/array.h"
#include "lance/file/encoders.h"
#include "store/store.h"

/* A column to write: a field of the table. */
typedef struct og_lance_write_column {
    const og_field *field;
    bool is_blob; /* the field's type is one that og_lance_is_blob_type accepts */
} og_lance_write_column;

/* Is it a type of blob v2 values? These are struct<data: large_binary, uri: utf8>, which the engine
 * uses, and the same with two more fields, position and size (u64), which name a part of the object
 * at the uri, or are null for all of it. */
bool og_lance_is_blob_type(const og_type *type);

typedef struct og_lance_file_writer og_lance_file_writer;

/* The file appears in the store at finish. `name` is "<dir>/data/<stem>.lance"; blobs of more than
 * 64 KiB go to "<dir>/data/<stem>/<bits>.blob". `descriptor_schema` is the serialized Schema
 * message of the FileDescriptor (fields with the table's ids) that goes to global buffer 0. */
OG_NODISCARD og_status og_lance_file_writer_open(og_store *store, const char *name,
                                                 const og_lance_write_column *columns,
                                                 uint32_t column_count, og_bytes descriptor_schema,
                                                 og_lance_file_writer **out, og_error *err);
/* Encode pages by these encoders, which must outlive the writer; to be called before the first row.
 * Without it the writer encodes its pages itself, one by one. */
void og_lance_file_writer_use(og_lance_file_writer *writer, og_lance_encoders *encoders);
/* Append a batch of any number of rows; its columns are those of the writer, in order. */
OG_NODISCARD og_status og_lance_file_writer_write(og_lance_file_writer *writer,
                                                  const og_batch *batch, og_error *err);
uint64_t og_lance_file_writer_rows(const og_lance_file_writer *writer);
/* Say that no more rows follow: what is buffered begins to be encoded while the
 * caller does something else before it finishes the file, such as filling the next
 * one with the same encoders. */
OG_NODISCARD og_status og_lance_file_writer_end(og_lance_file_writer *writer, og_error *err);
/* Write what is buffered and the footer; *out_bytes is the file's size. */
OG_NODISCARD og_status og_lance_file_writer_finish(og_lance_file_writer *writer,
                                                   uint64_t *out_bytes, og_error *err);
/* Names of further objects written (blob files), borrowed; to be synced with the file. */
const char *const *og_lance_file_writer_extra_names(const og_lance_file_writer *writer,
                                                    size_t *out_count);
/* Without finish, nothing stays (blob files are removed). */
void og_lance_file_writer_close(og_lance_file_writer *writer);
OG_DEFINE_AUTO(og_lance_file_writer, og_lance_file_writer_close)

#endif
