#include "store/store.h"

#include "base/arena.h"
#include "store/store_priv.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- blobs -------------------------------------------------------------------------------- */

og_blob *og_blob_ref(og_blob *blob)
{
    __atomic_fetch_add(&blob->refs, 1, __ATOMIC_RELAXED);
    return blob;
}

void og_blob_unref(og_blob *blob)
{
    if (blob != NULL && __atomic_sub_fetch(&blob->refs, 1, __ATOMIC_ACQ_REL) == 0)
        blob->release(blob);
}

static void advise(const og_blob *blob, size_t start, size_t len, int advice)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE) - 1;
    uintptr_t first = ((uintptr_t)blob->ptr + start) & ~page;
    (void)!madvise((void *)first, (uintptr_t)blob->ptr + start + len - first, advice);
}

void og_blob_read_at_random(const og_blob *blob)
{
    if (blob->is_mapped)
        advise(blob, 0, blob->len, MADV_RANDOM);
}

void og_blob_prefetch(const og_blob *blob, uint64_t offset, uint64_t len)
{
    if (!blob->is_mapped || offset >= blob->len || len == 0)
        return;
    size_t left = blob->len - (size_t)offset;
    advise(blob, (size_t)offset, len < left ? (size_t)len : left, MADV_WILLNEED);
}

static void release_heap(og_blob *blob)
{
    og_free(blob);
}

og_blob *og_store__blob_new(size_t len, uint8_t **out_bytes)
{
    /* Header and bytes in one block; the bytes begin at the next multiple of 64. */
    const size_t header = (sizeof(og_blob) + 63) & ~(size_t)63;
    if (len > SIZE_MAX - header)
        return NULL;
    og_blob *blob = og_malloc_aligned(header + len);
    if (blob == NULL)
        return NULL;
    uint8_t *bytes = (uint8_t *)blob + header;
    *blob = (og_blob){.ptr = bytes, .len = len, .release = release_heap, .refs = 1};
    *out_bytes = bytes;
    return blob;
}

og_blob *og_blob_copy(og_bytes bytes)
{
    uint8_t *dst;
    og_blob *blob = og_store__blob_new(bytes.len, &dst);
    if (blob != NULL && bytes.len > 0)
        memcpy(dst, bytes.ptr, bytes.len);
    return blob;
}

/* ---- names -------------------------------------------------------------------------------- */

static bool segment_ok(og_str segment)
{
    if (segment.len == 0 || segment.len > OG_STORE__SEGMENT_MAX)
        return false;
    if (og_str_is(segment, ".") || og_str_is(segment, ".."))
        return false;
    return !og_str_starts(segment, OG_STR(OG_STORE__TEMP_PREFIX));
}

static bool name_ok(og_str name)
{
    if (name.len > OG_STORE__NAME_MAX)
        return false;
    size_t start = 0;
    for (size_t i = 0; i <= name.len; i++) {
        if (i < name.len && name.ptr[i] != '/')
            continue;
        if (!segment_ok(og_str_slice(name, start, i)))
            return false;
        start = i + 1;
    }
    return true;
}

og_status og_store__check_name(const char *name, og_error *err)
{
    if (name_ok(og_str_of(name)))
        return OG_OK;
    return og_error_set(err, OG_INVALID, "\"%s\" is not a valid object name", name);
}

og_status og_store__check_prefix(const char *prefix, og_error *err)
{
    og_str s = og_str_of(prefix);
    if (s.len == 0 || (s.ptr[s.len - 1] == '/' && name_ok(og_str_slice(s, 0, s.len - 1))))
        return OG_OK;
    return og_error_set(err, OG_INVALID, "\"%s\" is not a valid prefix of object names", prefix);
}

/* ---- removing what is still the same -------------------------------------------------------- */

#define REMOVE_WAIT_US 1000000

og_status og_store__check_same(const og_blob *there, const char *name, og_bytes bytes,
                               og_error *err)
{
    if (there->len == bytes.len && memcmp(there->ptr, bytes.ptr, bytes.len) == 0)
        return OG_OK;
    return og_error_set(err, OG_EXISTS, "%s was replaced", name);
}

og_status og_store_remove_same(og_store *s, const char *name, og_bytes bytes, og_error *err)
{
    if (s->ops->remove_same != NULL)
        return s->ops->remove_same(s, name, bytes, err);
    OG_AUTO_FREE char *folder = og_strdup(name);
    if (folder == NULL)
        return og_error_nomem(err);
    char *slash = strrchr(folder, '/');
    *(slash != NULL ? slash : folder) = '\0';
    OG_AUTO(og_turn) turn = slash != NULL ? og_store_take_turn(s, folder, REMOVE_WAIT_US) : NULL;
    OG_AUTO(og_blob) there = NULL;
    OG_TRY(s->ops->get(s, name, &there, err));
    OG_TRY(og_store__check_same(there, name, bytes, err));
    return s->ops->remove(s, &name, 1, err);
}

/* ---- listings ----------------------------------------------------------------------------- */

void og_listing_deinit(og_listing *listing)
{
    og_free(listing->items);
    og_arena_free(listing->arena);
    *listing = (og_listing){0};
}

og_status og_store__list_begin(og_store__lister *lister, const char *start_after, size_t max_keys,
                               og_error *err)
{
    *lister = (og_store__lister){.start_after = start_after, .max_keys = max_keys};
    lister->listing.arena = og_arena_new(0);
    return lister->listing.arena != NULL ? OG_OK : og_error_nomem(err);
}

bool og_store__list_wants(const og_store__lister *lister, og_str name)
{
    const og_listing *l = &lister->listing;
    if (lister->start_after != NULL && og_str_cmp(name, og_str_of(lister->start_after)) <= 0)
        return false;
    return lister->max_keys == 0 || l->len < lister->max_keys ||
           og_str_cmp(name, l->items[l->len - 1].name) < 0;
}

static bool has_room(og_store__lister *lister)
{
    og_listing *l = &lister->listing;
    if (l->len < lister->capacity)
        return true;
    size_t capacity = lister->capacity != 0 ? lister->capacity * 2 : 32;
    og_object_info *items = og_reallocarray(l->items, capacity, sizeof *items);
    if (items == NULL)
        return false;
    l->items = items;
    lister->capacity = capacity;
    return true;
}

/* Where a name belongs among those so far, which are in order. */
static size_t place_of(const og_listing *l, og_str name)
{
    size_t low = 0, high = l->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (og_str_cmp(l->items[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

og_status og_store__list_add(og_store__lister *lister, og_str name, uint64_t bytes,
                             int64_t modified_us, og_error *err)
{
    og_listing *l = &lister->listing;
    if (!og_store__list_wants(lister, name))
        return OG_OK;
    og_str copy = og_arena_str(l->arena, name);
    if (copy.ptr == NULL || !has_room(lister))
        return og_error_nomem(err);
    size_t at = l->len;
    if (lister->max_keys != 0) {
        at = place_of(l, name);
        l->len -= l->len == lister->max_keys; /* the last one has to go */
        memmove(&l->items[at + 1], &l->items[at], (l->len - at) * sizeof *l->items);
    }
    l->items[at] = (og_object_info){.name = copy, .bytes = bytes, .modified_us = modified_us};
    l->len++;
    return OG_OK;
}

static int by_name(const void *a, const void *b)
{
    return og_str_cmp(((const og_object_info *)a)->name, ((const og_object_info *)b)->name);
}

void og_store__list_end(og_store__lister *lister)
{
    og_listing *l = &lister->listing;
    if (lister->max_keys == 0 && l->len > 1)
        qsort(l->items, l->len, sizeof *l->items, by_name);
}
