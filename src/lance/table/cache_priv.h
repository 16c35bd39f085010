/* lance/table/cache_priv - what the tables of one environment share.
 *
 * Entries are immutable objects of the store under their names: open data files and decoded
 * deletion vectors. Each is counted; the cache holds one reference and gives it up for the least
 * recently used when the bytes pass the limit and no table uses it.
 *
 * Decoded columns. Reading a few rows of a page costs a chunk, so many small reads cost more than
 * the whole. Each column of a file has an account of the rows decoded for it; when that reaches
 * the file's rows, the next read decodes the whole column and keeps it, if it is thought to
 * fit in half of the cache. Total work is thereby at most about twice the better choice, known or
 * not. Columns are dropped like entries, used or not: readers hold a reference while they copy.
 *
 * Takes of a few rows are charged little, for files keep the chunks that they expand for them. These
 * are counted with the entry, may take half of the cache too, and go when the file was read least recently.
 *
 * Locks: env->lock before entry->lock; the store is never called under either. */
#ifndef OG_LANCE_TABLE_CACHE_PRIV_H
#define OG_LANCE_TABLE_CACHE_PRIV_H

#include "base/thread.h"
#include "lance/file/reader.h"
#include "lance/table/table.h"

typedef struct og_table__cached og_table__cached;

/* The file is going to be asked for. */
void og_table__cache_expect(og_lance_env *env, const char *name, uint64_t bytes);
/* A data file, opened unless it is in the cache. *out is a reference. */
OG_NODISCARD og_status og_table__cache_file(og_lance_env *env, const char *name, uint64_t bytes,
                                            og_table__cached **out, og_error *err);
/* A deletion vector: lance/table/deletion_priv.h. */
OG_NODISCARD og_status og_table__cache_deletions(og_lance_env *env, const char *name, int32_t kind,
                                                 uint32_t rows, uint64_t count,
                                                 og_table__cached **out, og_error *err);
void og_table__cached_unref(og_table__cached *entry);
og_lance_file *og_table__cached_file(const og_table__cached *entry);
const uint32_t *og_table__cached_offsets(const og_table__cached *entry, size_t *out_count);

/* The whole column when it is kept, or worth keeping from this read on: a reference the caller
 * drops; NULL: read from the file. `work`: rows this read would decode. */
og_array *og_table__cached_column(og_table__cached *entry, const og_lance_column *column,
                                  uint64_t work);
/* Tell what a read from the file returned, for the estimate of the column's size. */
void og_table__cached_account(og_table__cached *entry, const og_lance_column *column,
                              const og_array *read);

/* Threads that encode what is written; og_lance_env_set_threads. */
og_shared_pool *og_table__env_encoding(og_lance_env *env);
/* The same type with the environment's lifetime; NULL when out of memory. */
const og_type *og_table__intern_type(og_lance_env *env, const og_type *type);

#endif
