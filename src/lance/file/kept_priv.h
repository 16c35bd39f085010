/* lance/file/kept_priv - expanded chunks of mini-block pages, kept for the next read.
 *
 * Expanding a chunk under zstd takes ten times as long as picking a value from it, and whoever asks
 * for single rows asks again, nearby or everywhere. So chunks that reads of a few rows had to
 * expand are kept with their page, up to the file's limit; when that is passed, all kept chunks of
 * the file are freed and keeping begins anew.
 *
 * Neighbours are expanded in groups of OG_LANCE__KEPT_GROUP chunks: the second chunk of a group
 * that has to be expanded brings the rest of the group along; once half of a page's groups have
 * been touched, the first chunk of a group does.
 *
 * Kept chunks count in the file's cached bytes; whoever bounds those frees them. Everything is
 * guarded by the file's kept_lock, under which nothing is expanded. */
#ifndef OG_LANCE_FILE_KEPT_PRIV_H
#define OG_LANCE_FILE_KEPT_PRIV_H

#include "lance/file/page_priv.h"

/* Chunks of a group. Expanding one takes the second read about a tenth of a millisecond. */
enum { OG_LANCE__KEPT_GROUP = 8 };

/* The first buffer of a chunk, expanded. Immutable, counted. */
typedef struct og_lance__expanded {
    int32_t refs;
    size_t len;
    uint8_t *bytes;
} og_lance__expanded;

void og_lance__expanded_unref(og_lance__expanded *expanded);
OG_DEFINE_AUTO(og_lance__expanded, og_lance__expanded_unref)

/* Are chunks of this page worth keeping? Those under a general compression are. */
static inline bool og_lance__keeps_chunks(const og_lance__page *page)
{
    return page->file->kept_limit > 0 && page->mini.values->ops == &og_lance__general_ops;
}
/* A reference to an expanded chunk; NULL when it is not kept. */
og_lance__expanded *og_lance__kept_get(const og_lance__page *page, uint32_t chunk);
/* Keep an expanded chunk. Takes over `bytes`, also on failure. *out is a reference to
 * it, or to the one that another thread kept first. When there is no room to keep it,
 * *out is all that refers to it. */
OG_NODISCARD og_status og_lance__kept_put(const og_lance__page *page, uint32_t chunk,
                                          uint8_t *bytes, size_t len, og_lance__expanded **out,
                                          og_error *err);
/* Note that a chunk had to be expanded. True when the others of its group should be, too. */
bool og_lance__kept_note(const og_lance__page *page, uint32_t chunk);
/* Free all that is kept of a page. Returns how many bytes that were. */
size_t og_lance__kept_free(og_lance__kept *kept);

#endif
