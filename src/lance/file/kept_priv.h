/* lance/file/kept_priv - chunks of mini-block pages that were expanded once, kept for the next read.
 *
 * A chunk under zstd takes ten times as long to expand as to pick a value from, and who asks for single rows
 * asks again nearby, or everywhere. So the bytes that reads of a few rows had to expand are kept with the
 * page, up to the file's limit; beyond it all of the file's go, and it begins anew. Neighbours come in
 * groups: the second chunk of a group that had to be expanded brings the others along, and where half of a
 * page's groups have been met, the first does.
 *
 * What is kept is counted in the file's cached bytes; whoever bounds those drops it. The lock is the
 * file's; nothing is expanded under it. */
#ifndef OG_LANCE_FILE_KEPT_PRIV_H
#define OG_LANCE_FILE_KEPT_PRIV_H

#include "lance/file/page_priv.h"

/* Chunks of a group: what the second read pays for, a tenth of a millisecond. */
enum { OG_LANCE__KEPT_GROUP = 8 };

/* The first buffer of a chunk, expanded. Immutable, counted. */
typedef struct og_lance__expanded {
    int32_t refs;
    size_t len;
    uint8_t *bytes;
} og_lance__expanded;

void og_lance__expanded_unref(og_lance__expanded *expanded);
OG_DEFINE_AUTO(og_lance__expanded, og_lance__expanded_unref)

/* Chunks under this page's codec are worth keeping. */
static inline bool og_lance__keeps_chunks(const og_lance__page *page)
{
    return page->file->kept_limit > 0 && page->mini.values->ops == &og_lance__general_ops;
}
/* The chunk, as a reference; NULL when it is not kept. */
og_lance__expanded *og_lance__kept_get(const og_lance__page *page, uint32_t chunk);
/* Keep what a chunk was expanded to; `bytes` are taken over, also on failure. *out is a reference to these, or
 * to those that another thread was first to keep. Not keeping them is no error. */
OG_NODISCARD og_status og_lance__kept_put(const og_lance__page *page, uint32_t chunk,
                                          uint8_t *bytes, size_t len, og_lance__expanded **out,
                                          og_error *err);
/* Note that a chunk had to be expanded. True when the others of its group should be, too. */
bool og_lance__kept_note(const og_lance__page *page, uint32_t chunk);
/* Returns the bytes that are kept no longer. */
size_t og_lance__kept_free(og_lance__kept *kept);

#endif
