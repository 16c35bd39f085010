#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define OWN_BLOCK_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_BLOCK_EACH 1
#endif
#endif
#ifndef OWN_BLOCK_EACH
#define OWN_BLOCK_EACH 0
#endif

#define FIRST_BLOCK_BYTES ((size_t)4096)
#define MAX_BLOCK_BYTES ((size_t)1 << 20)

typedef struct block {
    struct block *next;
    size_t cap;
    _Alignas(16) uint8_t bytes[];
} block;

typedef struct hook {
    struct hook *next;
    void (*release)(void *object);
    void *object;
} hook;

/* blocks: the one that `next` points into, then older and oversized ones. */
struct og_arena {
    uint8_t *next;
    size_t room; /* bytes left at next */
    block *blocks;
    size_t block_bytes; /* capacity of the next regular block */
    size_t used;
    size_t max_bytes;
    hook *hooks;
};

og_arena *og_arena_new(size_t max_bytes)
{
    og_arena *arena = og_calloc(1, sizeof *arena);
    if (arena == NULL)
        return NULL;
    arena->max_bytes = max_bytes != 0 ? max_bytes : SIZE_MAX;
    arena->block_bytes = FIRST_BLOCK_BYTES;
    return arena;
}

static void run_hooks(og_arena *arena)
{
    while (arena->hooks != NULL) {
        hook *h = arena->hooks;
        arena->hooks = h->next;
        h->release(h->object);
    }
}

static void free_blocks(block *b)
{
    while (b != NULL) {
        block *next = b->next;
        og_free(b);
        b = next;
    }
}

void og_arena_free(og_arena *arena)
{
    if (arena == NULL)
        return;
    run_hooks(arena);
    free_blocks(arena->blocks);
    og_free(arena);
}

void og_arena_reset(og_arena *arena)
{
    run_hooks(arena);
    arena->used = 0;
    /* `next` is the end of the regular block at the head of the list, if there is one: after the
     * first rounds that is a block large enough for a whole round. */
    block *keep = arena->next != NULL ? arena->blocks : NULL;
    if (keep == NULL) {
        free_blocks(arena->blocks);
        arena->blocks = NULL;
        return;
    }
    free_blocks(keep->next);
    keep->next = NULL;
    arena->next = keep->bytes;
    arena->room = keep->cap;
}

static block *new_block(size_t cap)
{
    size_t size;
    if (og_add_overflow(sizeof(block), cap, &size))
        return NULL;
    block *b = og_malloc(size);
    if (b != NULL)
        b->cap = cap;
    return b;
}

/* An oversized allocation gets a block behind the head, so that the head's room stays in use. */
static void *alloc_own_block(og_arena *arena, size_t size)
{
    block *b = new_block(size);
    if (b == NULL)
        return NULL;
    bool head_is_regular = arena->next != NULL;
    block **place = head_is_regular ? &arena->blocks->next : &arena->blocks;
    b->next = *place;
    *place = b;
    arena->used += size;
    return b->bytes;
}

static __attribute__((noinline)) void *alloc_slow(og_arena *arena, size_t size)
{
    if (OWN_BLOCK_EACH || size > arena->block_bytes / 4)
        return alloc_own_block(arena, size);
    block *b = new_block(arena->block_bytes);
    if (b == NULL)
        return NULL;
    b->next = arena->blocks;
    arena->blocks = b;
    arena->next = b->bytes + size;
    arena->room = b->cap - size;
    arena->used += size;
    if (arena->block_bytes < MAX_BLOCK_BYTES)
        arena->block_bytes *= 2;
    return b->bytes;
}

void *og_arena_alloc(og_arena *arena, size_t size)
{
    size += size == 0; /* a valid pointer to no bytes */
    if (size > arena->max_bytes - arena->used)
        return NULL;
    size_t rounded = (size + 15) & ~(size_t)15;
    if (rounded < size || OWN_BLOCK_EACH)
        return alloc_slow(arena, size);
    if (rounded > arena->room)
        return rounded > arena->max_bytes - arena->used ? NULL : alloc_slow(arena, rounded);
    void *p = arena->next;
    arena->next += rounded;
    arena->room -= rounded;
    arena->used += rounded;
    return p;
}

void *og_arena_calloc(og_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (og_mul_overflow(count, size, &bytes))
        return NULL;
    void *p = og_arena_alloc(arena, bytes);
    return p != NULL ? memset(p, 0, bytes) : NULL;
}

og_str og_arena_str(og_arena *arena, og_str text)
{
    char *p = text.len != SIZE_MAX ? og_arena_alloc(arena, text.len + 1) : NULL;
    if (p == NULL)
        return (og_str){NULL, 0};
    if (text.len > 0)
        memcpy(p, text.ptr, text.len);
    p[text.len] = '\0';
    return (og_str){p, text.len};
}

og_str og_arena_printf(og_arena *arena, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = len >= 0 ? og_arena_alloc(arena, (size_t)len + 1) : NULL;
    if (p != NULL)
        vsnprintf(p, (size_t)len + 1, fmt, again);
    va_end(again);
    return (og_str){p, p != NULL ? (size_t)len : 0};
}

void *og_arena_copy(og_arena *arena, const void *bytes, size_t size)
{
    void *p = og_arena_alloc(arena, size);
    if (p != NULL && size > 0)
        memcpy(p, bytes, size);
    return p;
}

bool og_arena_on_free(og_arena *arena, void (*release)(void *object), void *object)
{
    hook *h = og_arena_alloc(arena, sizeof *h);
    if (h == NULL)
        return false;
    *h = (hook){arena->hooks, release, object};
    arena->hooks = h;
    return true;
}

size_t og_arena_used(const og_arena *arena)
{
    return arena->used;
}
