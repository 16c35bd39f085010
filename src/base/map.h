/* base/map - hash maps: text -> u64 and u64 -> u64. Open addressing, XXH3.
 *
 * Values are u64: an index, a count, or a pointer cast through uintptr_t. Keys of a text map
 * are copied into the map unless it was made with borrow_keys. Order of iteration is order of
 * insertion, so that results never depend on a hash. No removal: mark the value instead. */
#ifndef OG_BASE_MAP_H
#define OG_BASE_MAP_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct og_strmap og_strmap;

/* NULL when out of memory. */
og_strmap *og_strmap_new(bool borrow_keys);
void og_strmap_free(og_strmap *map);
OG_DEFINE_AUTO(og_strmap, og_strmap_free)

/* The place of the key's value, made (as 0) when absent. NULL when out of memory.
 * *out_new (may be NULL) says whether it was made. The pointer is valid until the next put. */
uint64_t *og_strmap_put(og_strmap *map, og_str key, bool *out_new);
/* NULL when absent. */
uint64_t *og_strmap_get(const og_strmap *map, og_str key);
size_t og_strmap_len(const og_strmap *map);
/* The i-th entry in order of insertion; the key is borrowed from the map. */
og_str og_strmap_at(const og_strmap *map, size_t index, uint64_t *out_value);

typedef struct og_u64map og_u64map;

/* The same with numbers as keys. `expected`: how many keys to make room for; more may come. */
og_u64map *og_u64map_new(size_t expected);
void og_u64map_free(og_u64map *map);
OG_DEFINE_AUTO(og_u64map, og_u64map_free)
uint64_t *og_u64map_put(og_u64map *map, uint64_t key, bool *out_new);
uint64_t *og_u64map_get(const og_u64map *map, uint64_t key);
size_t og_u64map_len(const og_u64map *map);

/* XXH3-64, the hash of everything derived (key directories, sums). */
uint64_t og_hash64(const void *bytes, size_t len);

#endif
