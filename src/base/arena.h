/* base/arena - memory that dies together.
 *
 * For what lives as long as one compile, one request or one batch: AST, plan,
 * decoded JSON. No frees inside; og_arena_reset keeps the newest (largest) block for
 * the next round. Name an arena by its lifetime (query_arena, scratch).
 * Under AddressSanitizer each allocation is a malloc of its own, so that an
 * overrun of one is seen. Not thread safe. */
#ifndef OG_BASE_ARENA_H
#define OG_BASE_ARENA_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct og_arena og_arena;

/* NULL when out of memory. `max_bytes` bounds what the arena may ever hold; 0 = no bound. */
og_arena *og_arena_new(size_t max_bytes);
void og_arena_free(og_arena *arena);
OG_DEFINE_AUTO(og_arena, og_arena_free)

/* Give back everything allocated so far; hooks run as in og_arena_free. */
void og_arena_reset(og_arena *arena);

/* 16-byte aligned. NULL when out of memory or past max_bytes. */
void *og_arena_alloc(og_arena *arena, size_t size);
void *og_arena_calloc(og_arena *arena, size_t count, size_t size);
/* Copies; the text gets a NUL behind its length. ptr NULL when out of memory. */
og_str og_arena_str(og_arena *arena, og_str text);
og_str og_arena_printf(og_arena *arena, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void *og_arena_copy(og_arena *arena, const void *bytes, size_t size);

/* Call release(object) when the arena is freed or reset, last added first. False when out of
 * memory (then nothing was added and the caller still owns the object). */
bool og_arena_on_free(og_arena *arena, void (*release)(void *object), void *object);

/* Bytes handed out since creation or reset. */
size_t og_arena_used(const og_arena *arena);

#define og_arena_new_of(arena, type) ((type *)og_arena_calloc((arena), 1, sizeof(type)))
#define og_arena_array_of(arena, type, count)                                                      \
    ((type *)og_arena_calloc((arena), (count), sizeof(type)))

#endif
