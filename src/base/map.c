#include "base/map.h"

#include "base/arena.h"
#include "base/vec.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define MIN_SLOTS ((size_t)16)

uint64_t og_hash64(const void *bytes, size_t len)
{
    return XXH3_64bits(bytes, len);
}

/* ---- slots: what both maps share ----------------------------------------------------------
 *
 * A slot holds the number of an entry + 1 (0 = free) and the upper half of its key's hash, so
 * that a probe reads an entry only when it is very likely the right one. Linear probing, at most
 * 3/4 full. Entries lie beside it in order of insertion. */
typedef struct slot {
    uint32_t entry;
    uint32_t tag;
} slot;

typedef struct slots {
    slot *items;
    size_t mask; /* count - 1, count a power of two; 0 = none yet */
} slots;

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static bool slots_full(const slots *s, size_t entry_count)
{
    return s->items == NULL || entry_count >= (s->mask + 1) / 4 * 3;
}

static void slots_insert(slots *s, uint64_t hash, size_t entry)
{
    size_t i = hash & s->mask;
    while (s->items[i].entry != 0)
        i = (i + 1) & s->mask;
    s->items[i] = (slot){(uint32_t)(entry + 1), tag_of(hash)};
}

/* A larger empty table; the caller inserts its entries again. */
static bool slots_alloc(slots *s, size_t entry_count, slots *out)
{
    size_t count = s->items != NULL ? (s->mask + 1) * 2 : MIN_SLOTS;
    while (count / 4 * 3 <= entry_count) {
        if (count > SIZE_MAX / 4)
            return false;
        count *= 2;
    }
    out->items = og_calloc(count, sizeof(slot));
    out->mask = count - 1;
    return out->items != NULL;
}

/* ---- text -> u64 -------------------------------------------------------------------------- */

typedef struct str_entry {
    og_str key;
    uint64_t value;
} str_entry;

struct og_strmap {
    slots slots;
    OG_VEC(str_entry) entries;
    og_arena *key_arena; /* NULL when keys are borrowed */
};

og_strmap *og_strmap_new(bool borrow_keys)
{
    OG_AUTO(og_strmap) map = og_calloc(1, sizeof *map);
    if (map == NULL)
        return NULL;
    if (!borrow_keys && (map->key_arena = og_arena_new(0)) == NULL)
        return NULL;
    return OG_TAKE(map);
}

void og_strmap_free(og_strmap *map)
{
    if (map == NULL)
        return;
    og_free(map->slots.items);
    og_vec_deinit(&map->entries);
    og_arena_free(map->key_arena);
    og_free(map);
}

static uint64_t hash_str(og_str key)
{
    return XXH3_64bits(key.len != 0 ? key.ptr : "", key.len);
}

static str_entry *find_str(const og_strmap *map, og_str key, uint64_t hash)
{
    if (map->slots.items == NULL)
        return NULL;
    for (size_t i = hash & map->slots.mask;; i = (i + 1) & map->slots.mask) {
        slot s = map->slots.items[i];
        if (s.entry == 0)
            return NULL;
        if (s.tag == tag_of(hash) && og_str_eq(map->entries.items[s.entry - 1].key, key))
            return &map->entries.items[s.entry - 1];
    }
}

static bool grow_str(og_strmap *map)
{
    slots larger;
    if (!slots_alloc(&map->slots, map->entries.len, &larger))
        return false;
    for (size_t i = 0; i < map->entries.len; i++)
        slots_insert(&larger, hash_str(map->entries.items[i].key), i);
    og_free(map->slots.items);
    map->slots = larger;
    return true;
}

uint64_t *og_strmap_put(og_strmap *map, og_str key, bool *out_new)
{
    uint64_t hash = hash_str(key);
    str_entry *found = find_str(map, key, hash);
    if (found != NULL) {
        if (out_new != NULL)
            *out_new = false;
        return &found->value;
    }
    if (map->entries.len >= UINT32_MAX - 1 || !og_vec_reserve(&map->entries, 1))
        return NULL;
    if (slots_full(&map->slots, map->entries.len) && !grow_str(map))
        return NULL;
    if (map->key_arena != NULL && (key = og_arena_str(map->key_arena, key)).ptr == NULL)
        return NULL;
    size_t index = map->entries.len++;
    map->entries.items[index] = (str_entry){key, 0};
    slots_insert(&map->slots, hash, index);
    if (out_new != NULL)
        *out_new = true;
    return &map->entries.items[index].value;
}

uint64_t *og_strmap_get(const og_strmap *map, og_str key)
{
    str_entry *found = find_str(map, key, hash_str(key));
    return found != NULL ? &found->value : NULL;
}

size_t og_strmap_len(const og_strmap *map)
{
    return map->entries.len;
}

og_str og_strmap_at(const og_strmap *map, size_t index, uint64_t *out_value)
{
    const str_entry *entry = &map->entries.items[index];
    if (out_value != NULL)
        *out_value = entry->value;
    return entry->key;
}

/* ---- u64 -> u64 --------------------------------------------------------------------------- */

typedef struct u64_entry {
    uint64_t key;
    uint64_t value;
} u64_entry;

struct og_u64map {
    slots slots;
    OG_VEC(u64_entry) entries;
};

og_u64map *og_u64map_new(size_t expected)
{
    OG_AUTO(og_u64map) map = og_calloc(1, sizeof *map);
    if (map == NULL)
        return NULL;
    if (expected > 0 && (!og_vec_reserve(&map->entries, expected) ||
                         !slots_alloc(&(slots){0}, expected, &map->slots)))
        return NULL;
    return OG_TAKE(map);
}

void og_u64map_free(og_u64map *map)
{
    if (map == NULL)
        return;
    og_free(map->slots.items);
    og_vec_deinit(&map->entries);
    og_free(map);
}

static uint64_t hash_u64(uint64_t key)
{
    return XXH3_64bits(&key, sizeof key);
}

static u64_entry *find_u64(const og_u64map *map, uint64_t key, uint64_t hash)
{
    if (map->slots.items == NULL)
        return NULL;
    for (size_t i = hash & map->slots.mask;; i = (i + 1) & map->slots.mask) {
        slot s = map->slots.items[i];
        if (s.entry == 0)
            return NULL;
        if (s.tag == tag_of(hash) && map->entries.items[s.entry - 1].key == key)
            return &map->entries.items[s.entry - 1];
    }
}

static bool grow_u64(og_u64map *map)
{
    slots larger;
    if (!slots_alloc(&map->slots, map->entries.len, &larger))
        return false;
    for (size_t i = 0; i < map->entries.len; i++)
        slots_insert(&larger, hash_u64(map->entries.items[i].key), i);
    og_free(map->slots.items);
    map->slots = larger;
    return true;
}

uint64_t *og_u64map_put(og_u64map *map, uint64_t key, bool *out_new)
{
    uint64_t hash = hash_u64(key);
    u64_entry *found = find_u64(map, key, hash);
    if (found != NULL) {
        if (out_new != NULL)
            *out_new = false;
        return &found->value;
    }
    if (map->entries.len >= UINT32_MAX - 1 || !og_vec_reserve(&map->entries, 1))
        return NULL;
    if (slots_full(&map->slots, map->entries.len) && !grow_u64(map))
        return NULL;
    size_t index = map->entries.len++;
    map->entries.items[index] = (u64_entry){key, 0};
    slots_insert(&map->slots, hash, index);
    if (out_new != NULL)
        *out_new = true;
    return &map->entries.items[index].value;
}

uint64_t *og_u64map_get(const og_u64map *map, uint64_t key)
{
    u64_entry *found = find_u64(map, key, hash_u64(key));
    return found != NULL ? &found->value : NULL;
}

size_t og_u64map_len(const og_u64map *map)
{
    return map->entries.len;
}
