/* base/alloc - the one door to the heap.
 *
 * Every allocation of the library goes through these, so that a test can make
 * the n-th one fail (og_alloc_fail_after) and a build can swap the allocator.
 * All return NULL on failure; the caller turns that into OG_NOMEM.
 *
 * Also the cleanup macros that make "who frees this" visible at the declaration. */
#ifndef OG_BASE_ALLOC_H
#define OG_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `size` 0 gives a valid pointer to no bytes. */
void *og_malloc(size_t size) __attribute__((malloc));
void *og_calloc(size_t count, size_t size) __attribute__((malloc));
void *og_realloc(void *ptr, size_t size);
/* count * size with an overflow check; keeps the old block when it fails. */
void *og_reallocarray(void *ptr, size_t count, size_t size);
/* 64-byte aligned, for buffers that kernels read; free with og_free. */
void *og_malloc_aligned(size_t size) __attribute__((malloc));
void og_free(void *ptr);
/* Ask the system to back a large block that is about to be filled with huge pages:
 * faulting in small pages one by one can cost more than filling them. Only a hint. */
void og_prefer_huge_pages(void *ptr, size_t size);
char *og_strdup(const char *text) __attribute__((malloc));

/* Tests: the allocation after `countdown` successful ones fails, and all later ones too
 * when `repeat`. A negative countdown switches the fault off. Process wide. */
void og_alloc_fail_after(int64_t countdown, bool repeat);

/* An owned pointer that is destroyed at the end of its scope:
 *     OG_DEFINE_AUTO(og_table, og_table_close)   beside the type
 *     OG_AUTO(og_table) t = NULL;                in a function
 *     *out = OG_TAKE(t);                         ownership leaves the function */
#define OG_DEFINE_AUTO(type, destroy)                                                              \
    static inline void type##_auto_(type **p)                                                      \
    {                                                                                              \
        destroy(*p);                                                                               \
    }
#define OG_AUTO(type) __attribute__((cleanup(type##_auto_))) type *
#define OG_TAKE(p)                                                                                 \
    ({                                                                                             \
        __typeof__(p) *take_ = &(p);                                                               \
        __typeof__(p) take_v_ = *take_;                                                            \
        *take_ = NULL;                                                                             \
        take_v_;                                                                                   \
    })
/* A heap block freed at the end of its scope: OG_AUTO_FREE char *name = NULL; */
static inline void og_free_auto_(void *p)
{
    og_free(*(void **)p);
}
#define OG_AUTO_FREE __attribute__((cleanup(og_free_auto_)))

/* Overflow-checked arithmetic for sizes that come from storage: true = overflowed. */
#define og_add_overflow(a, b, out) __builtin_add_overflow(a, b, out)
#define og_mul_overflow(a, b, out) __builtin_mul_overflow(a, b, out)

#endif
