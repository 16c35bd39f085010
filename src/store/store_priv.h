/* store/store_priv - what the backends of this folder share. */
#ifndef OG_STORE_STORE_PRIV_H
#define OG_STORE_STORE_PRIV_H

#include "store/store.h"

/* Longest object name in bytes: what S3 allows for a key. */
#define OG_STORE__NAME_MAX 1024
/* Longest segment: what Linux file systems allow for a file name. */
#define OG_STORE__SEGMENT_MAX 255
/* Segments that begin so are ours and never objects. */
#define OG_STORE__TEMP_PREFIX ".og-tmp."

/* OG_INVALID unless `name` is a name of an object: segments between single '/', none of them empty,
 * ".", ".." or a temporary file's, none too long. */
OG_NODISCARD og_status og_store__check_name(const char *name, og_error *err);
/* The same for the prefix of a listing: "" or a name with one '/' behind it. */
OG_NODISCARD og_status og_store__check_prefix(const char *prefix, og_error *err);

/* For remove_same: OG_EXISTS unless the object, `there`, holds these bytes. */
OG_NODISCARD og_status og_store__check_same(const og_blob *there, const char *name, og_bytes bytes,
                                            og_error *err);

/* A blob of `len` bytes on the heap, 64-byte aligned, for the caller to fill through *out_bytes.
 * NULL when out of memory. */
og_blob *og_store__blob_new(size_t len, uint8_t **out_bytes);

static inline void og_store__count(uint64_t *counter, uint64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

/* A listing under way. Names may come in any order; `end` sorts them.
 * With max_keys the first ones of those so far are kept, in order. */
typedef struct og_store__lister {
    og_listing listing;
    size_t capacity;
    const char *start_after; /* NULL = from the first */
    size_t max_keys;         /* 0 = all */
} og_store__lister;

OG_NODISCARD og_status og_store__list_begin(og_store__lister *lister, const char *start_after,
                                            size_t max_keys, og_error *err);
/* Would `add` take this name? Lets a backend skip looking up the others' sizes. */
bool og_store__list_wants(const og_store__lister *lister, og_str name);
/* Add a name, if it belongs to the listing. */
OG_NODISCARD og_status og_store__list_add(og_store__lister *lister, og_str name, uint64_t bytes,
                                          int64_t modified_us, og_error *err);
/* Sort the listing by bytes. */
void og_store__list_end(og_store__lister *lister);

#endif
