/* lance/file/encoders - pages of files on their way from columns to the store, encoded side by side.
 *
 * A file writer hands over each page that is cut; it is encoded by a thread of the pool, or by the
 * caller when all are at work, and goes to its file in the order of cutting. So a file's bytes do not
 * depend on threads. There may be one page more than threads, which is what memory is bounded by:
 * values and encoded form of each, some 20 MiB. Writers may follow one another, so that the last pages of one
 * file are encoded while the next is being filled. All calls come from one thread.
 *
 * Threads are asked for when there is work for two: a small file is written by its caller alone. */
#ifndef OG_LANCE_FILE_ENCODERS_H
#define OG_LANCE_FILE_ENCODERS_H

#include "base/thread.h"

typedef struct og_lance_encoders og_lance_encoders;

/* `threads` is borrowed; NULL: none but the caller's. NULL when out of memory. */
og_lance_encoders *og_lance_encoders_new(og_shared_pool *threads);
/* The writers that use them are closed. */
void og_lance_encoders_free(og_lance_encoders *encoders);
OG_DEFINE_AUTO(og_lance_encoders, og_lance_encoders_free)

#endif
