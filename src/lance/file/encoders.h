/* lance/file/encoders - threads that encode the pages of data files side by side.
 *
 * A file writer hands over each page that it cuts. The page is encoded by a thread of the pool, or
 * by the caller when all threads are busy, and is written to its file in the order of cutting, so a
 * file's bytes do not depend on threads. At most one page more than there are threads is in memory,
 * with its values and its encoded form: some 20 MiB each. Several writers may use the encoders one
 * after the other, so that the last pages of one file are encoded while the next one is being
 * filled. All calls come from one thread.
 *
 * Threads are taken from the pool only when there is work for two: a small file is written by its
 * caller alone. */
#ifndef OG_LANCE_FILE_ENCODERS_H
#define OG_LANCE_FILE_ENCODERS_H

#include "base/thread.h"

typedef struct og_lance_encoders og_lance_encoders;

/* `threads` is borrowed; NULL: the caller encodes all pages. Returns NULL when out of memory. */
og_lance_encoders *og_lance_encoders_new(og_shared_pool *threads);
/* All writers that use them must be closed. */
void og_lance_encoders_free(og_lance_encoders *encoders);
OG_DEFINE_AUTO(og_lance_encoders, og_lance_encoders_free)

#endif
