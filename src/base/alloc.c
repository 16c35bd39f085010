#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct {
    int64_t countdown; /* < 0: no fault planned */
    bool repeat;
} fault = {.countdown = -1};

void og_alloc_fail_after(int64_t countdown, bool repeat)
{
    __atomic_store_n(&fault.countdown, countdown, __ATOMIC_RELAXED);
    fault.repeat = repeat;
}

/* Off the hot path: reached only while a test has planned a fault. */
static __attribute__((noinline)) bool fault_hits(void)
{
    int64_t before = __atomic_fetch_sub(&fault.countdown, 1, __ATOMIC_RELAXED);
    if (before > 0)
        return false;
    __atomic_store_n(&fault.countdown, fault.repeat ? 0 : -1, __ATOMIC_RELAXED);
    return true;
}

static inline bool must_fail(void)
{
    return __builtin_expect(__atomic_load_n(&fault.countdown, __ATOMIC_RELAXED) >= 0, 0) &&
           fault_hits();
}

void *og_malloc(size_t size)
{
    return must_fail() ? NULL : malloc(size != 0 ? size : 1);
}

void *og_calloc(size_t count, size_t size)
{
    if (count == 0 || size == 0)
        count = size = 1;
    return must_fail() ? NULL : calloc(count, size);
}

void *og_realloc(void *ptr, size_t size)
{
    return must_fail() ? NULL : realloc(ptr, size != 0 ? size : 1);
}

void *og_reallocarray(void *ptr, size_t count, size_t size)
{
    size_t bytes;
    if (og_mul_overflow(count, size, &bytes))
        return NULL;
    return og_realloc(ptr, bytes);
}

void *og_malloc_aligned(size_t size)
{
    void *ptr;
    if (must_fail() || posix_memalign(&ptr, 64, size != 0 ? size : 1) != 0)
        return NULL;
    return ptr;
}

void og_free(void *ptr)
{
    free(ptr);
}

#define HUGE_PAGE ((uintptr_t)2 << 20)

void og_prefer_huge_pages(void *ptr, size_t size)
{
    uintptr_t start = ((uintptr_t)ptr + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
    uintptr_t end = ((uintptr_t)ptr + size) & ~(HUGE_PAGE - 1);
    if (start < end)
        (void)madvise((void *)start, end - start, MADV_HUGEPAGE);
}

char *og_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = og_malloc(size);
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}
