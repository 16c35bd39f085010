/* base/thread - a fixed set of threads for loops whose turns are independent.
 *
 * og_pool_run is a parallel for: turn i of 0..count-1 runs once, on any thread, the caller's
 * included, and the call returns when all have. What a turn computes must not depend on which
 * thread took it or when (write to place i of an array), so that results are the same with any
 * number of threads.
 *
 * One pool may serve several callers at once. A turn may call og_pool_run on its own pool: the
 * inner loop then runs on the thread that asked, and on others when they are free. */
#ifndef OG_BASE_THREAD_H
#define OG_BASE_THREAD_H

#include "base/alloc.h"
#include "base/error.h"

typedef struct og_pool og_pool;

/* `threads` counts the caller's: 1 (or 0) makes a pool that runs everything on the caller. NULL
 * when out of memory; fewer threads than asked for when the system gives no more. */
og_pool *og_pool_new(unsigned threads);
/* No og_pool_run may be under way. */
void og_pool_free(og_pool *pool);
OG_DEFINE_AUTO(og_pool, og_pool_free)
/* Threads of the pool, the caller's included. 1 for NULL. */
unsigned og_pool_threads(const og_pool *pool);
/* Processors this process may use, at least 1. */
unsigned og_processor_count(void);

typedef og_status (*og_pool_fn)(void *context, size_t index, og_error *err);

/* A NULL pool runs the turns in order on the caller. After a failure no further turn begins, and
 * the error of the lowest failed index that ran is returned. */
OG_NODISCARD og_status og_pool_run(og_pool *pool, size_t count, og_pool_fn fn, void *context,
                                   og_error *err);

#endif
