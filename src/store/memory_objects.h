/* store/memory_objects - the objects of a store in memory, in order of their names.
 *
 * A list of pages, none of them empty, each of at most OG_STORE__PAGE objects in order. Finding,
 * adding or removing a name costs a binary search and at most the move of a page's content, and a
 * listing starts right at its prefix. Not thread safe. */
#ifndef OG_STORE_MEMORY_OBJECTS_H
#define OG_STORE_MEMORY_OBJECTS_H

#include "base/vec.h"
#include "store/store.h"

#define OG_STORE__PAGE 256

/* One name. At least one of live and durable is there. */
typedef struct og_store__object {
    char *name;
    og_blob *live;    /* what readers see; NULL: removed */
    og_blob *durable; /* what the last sync saved; NULL: nothing */
    og_blob *under;   /* what live was written over since; NULL: it is an object of its own */
    bool whole;       /* the content of `live` is durable; its name may not be */
    bool unlinked;    /* `durable` was removed before `live` was made */
    int64_t modified_us;
} og_store__object;

typedef struct og_store__page {
    size_t len;
    og_store__object items[OG_STORE__PAGE];
} og_store__page;

typedef struct og_store__objects {
    OG_VEC(og_store__page *) pages;
} og_store__objects;

void og_store__objects_deinit(og_store__objects *objects);

/* Where an object stands; valid until the next change. */
typedef struct og_store__place {
    size_t page, index;
} og_store__place;

/* The place of `name`; when *out_found is false, that of the first name above it. */
og_store__place og_store__objects_seek(const og_store__objects *objects, const char *name,
                                       bool *out_found);
/* The object at a place; NULL behind the last one. */
og_store__object *og_store__objects_at(const og_store__objects *objects, og_store__place place);
og_store__place og_store__objects_next(const og_store__objects *objects, og_store__place place);

/* Insert an object without content, which the caller must give it at once. `place` is where seek
 * did not find the name. NULL when out of memory: nothing changed. */
og_store__object *og_store__objects_insert(og_store__objects *objects, og_store__place place,
                                           const char *name);
/* Remove and free the object at a place. Returns the place of the one that followed it. */
og_store__place og_store__objects_remove(og_store__objects *objects, og_store__place place);

#endif
