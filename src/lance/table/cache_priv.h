/* lance/table/cache_priv - what the tables of one environment share.
 *
 * Entries are immutable objects of the store, by name: open data files and decoded deletion
 * vectors. Each is counted. The cache holds one reference to each; when the bytes pass the limit it
 * gives up the least recently used ones that no table uses.
 *
 * Decoded columns. Reading a few rows of a page costs decoding a chunk, so many small reads cost
 * more than one of the whole column. Therefore the rows decoded for each column of a file are
 * counted; when they reach the rows of the file, the next read decodes the whole column and keeps
 * it, if it seems to fit in half of the cache. The total work is thereby at most about twice that
 * of the better choice. Columns are dropped like entries, but whether or not somebody uses them:
 * readers hold a reference while they copy.
 *
 * A take of a few rows is charged little, because files keep the chunks that they expand for it.
 * Kept chunks are counted with their entry, may take half of the cache too, and are dropped for the
 * file that was read least recently.
 *
 * Locks: env->lock before entry->lock; the store is never called under either. */
#ifndef OG_LANCE_TABLE_CACHE_PRIV_H
#define OG_LANCE_TABLE_CACHE_PRIV_H

#include "base/thread.h"
#include "lance/file/reader.h"
#include "lance/table/table.h"

typedef struct og_table__cached og_table__cached;

/* Announce that the file will be asked for (og_lance_file_expect), unless it is in the cache. */
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

/* The whole column, if it is kept, or worth decoding and keeping from this read
 * on: a new reference. NULL: the caller reads from the file. `work`: rows that
 * this read would decode there. */
og_array *og_table__cached_column(og_table__cached *entry, const og_lance_column *column,
                                  uint64_t work);
/* Tell what a read from the file returned, for the estimate of the column's size. */
void og_table__cached_account(og_table__cached *entry, const og_lance_column *column,
                              const og_array *read);

/* The threads that encode what is written (og_lance_env_set_threads). */
og_shared_pool *og_table__env_encoding(og_lance_env *env);
/* A type equal to `type` that lives as long as the environment; NULL when out of memory. */
const og_type *og_table__intern_type(og_lance_env *env, const og_type *type);

#endif
