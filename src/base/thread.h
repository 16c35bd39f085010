/* base/thread - a fixed set of threads for loops whose turns are independent.
 *
 * og_pool_run is a parallel for: turn i of 0..count-1 runs once, on any thread, the caller's
 * included, and the call returns when all have. What a turn computes must not depend on which
 * thread took it or when (write to place i of an array), so that results are the same with any
 * number of threads.
 *
 * One pool may serve several callers at once. A turn may call og_pool_run on its own pool: the
 * inner loop then runs on the thread that asked, and on others when they are free.
 *
 * An og_task is one piece of work that goes on beside the caller's own. Whoever waits for a task
 * that no thread has begun runs it himself, so tasks are never stuck behind others. */
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

/* ---- tasks -------------------------------------------------------------------------------- */

/* Set `run` and `context`, zero the rest. From og_pool_start to og_pool_finish it stays where it
 * is; then it may be started again. */
typedef struct og_task {
    og_status (*run)(void *context, og_error *err);
    void *context;
    struct og_task *next; /* the pool's, like all below */
    int state;
    og_status status;
    og_error err;
} og_task;

/* Run the task on a thread of the pool as soon as one is free;
 * at once on the caller when the pool has no other thread or is NULL. */
void og_pool_start(og_pool *pool, og_task *task);
bool og_pool_is_done(og_pool *pool, const og_task *task);
/* Run the task on the calling thread, unless another one has begun it: then false. */
bool og_pool_help(og_pool *pool, og_task *task);
/* Wait until the task has run; returns what it returned. */
OG_NODISCARD og_status og_pool_finish(og_pool *pool, og_task *task, og_error *err);

/* ---- a pool with users -------------------------------------------------------------------- */

/* A pool whose threads exist only while somebody uses it: the first take starts them, the last give
 * ends them. */
typedef struct og_shared_pool og_shared_pool;
/* NULL when out of memory. */
og_shared_pool *og_shared_pool_new(unsigned threads);
/* Every user must have given it back. */
void og_shared_pool_free(og_shared_pool *shared);
OG_DEFINE_AUTO(og_shared_pool, og_shared_pool_free)
/* Change the number of threads, while nobody uses the pool. */
void og_shared_pool_set_threads(og_shared_pool *shared, unsigned threads);
/* NULL when no second thread can be had; then there is nothing to give back. */
og_pool *og_shared_pool_take(og_shared_pool *shared);
void og_shared_pool_give(og_shared_pool *shared);

#endif
