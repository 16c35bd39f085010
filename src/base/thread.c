#include "base/thread.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>

/* A loop lives on its caller's stack while it runs. Threads take turns by an atomic counter; the
 * pool's lock guards only the list of open loops and the count of helpers in each. The caller takes
 * turns too, and leaves when no turn is left and no helper is inside. */
typedef struct loop {
    struct loop *next;
    og_pool_fn fn;
    void *context;
    size_t count;
    size_t next_index; /* atomic */
    unsigned helpers;  /* inside run_turns, under the pool's lock */
    pthread_mutex_t error_lock;
    size_t failed_index; /* SIZE_MAX: none; under error_lock */
    og_status status;
    og_error *err;
} loop;

enum { TASK_IDLE, TASK_WAITS, TASK_RUNS, TASK_DONE };

struct og_pool {
    pthread_mutex_t lock;
    pthread_cond_t work;     /* a loop was opened, a task started, or the pool closes */
    pthread_cond_t finished; /* a helper left a loop, or ran a task */
    loop *loops;             /* with turns left */
    og_task *tasks;          /* that wait, the oldest first; their states are under the lock, too */
    bool closing;
    unsigned thread_count; /* without the caller */
    pthread_t threads[];
};

unsigned og_processor_count(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
}

/* ---- turns -------------------------------------------------------------------------------- */

static void keep_error(loop *l, size_t index, og_status status, const og_error *turn_err)
{
    pthread_mutex_lock(&l->error_lock);
    if (index < l->failed_index) {
        l->failed_index = index;
        l->status = status;
        if (l->err != NULL)
            *l->err = *turn_err;
    }
    pthread_mutex_unlock(&l->error_lock);
    __atomic_store_n(&l->next_index, l->count, __ATOMIC_RELAXED);
}

/* Not all of its 8 KiB. */
static void clear_error(og_error *err)
{
    err->status = OG_OK;
    err->message[0] = err->detail[0] = err->hint[0] = '\0';
    err->line = err->column = 0;
}

/* Its own frame, as og_error is 8 KiB. */
static __attribute__((noinline)) bool run_turn(loop *l, size_t index)
{
    og_error turn_err;
    clear_error(&turn_err);
    og_status status = l->fn(l->context, index, &turn_err);
    if (status != OG_OK) {
        turn_err.status = status;
        keep_error(l, index, status, &turn_err);
    }
    return status == OG_OK;
}

static void run_turns(loop *l)
{
    for (;;) {
        size_t index = __atomic_load_n(&l->next_index, __ATOMIC_RELAXED);
        /* No blind increment: after a failure the counter must stay at the end. */
        do {
            if (index >= l->count)
                return;
        } while (!__atomic_compare_exchange_n(&l->next_index, &index, index + 1, true,
                                              __ATOMIC_RELAXED, __ATOMIC_RELAXED));
        if (!run_turn(l, index))
            return;
    }
}

/* ---- tasks -------------------------------------------------------------------------------- */

static void run_task(og_task *task)
{
    clear_error(&task->err);
    task->status = task->run(task->context, &task->err);
    if (task->status != OG_OK)
        task->err.status = task->status;
}

/* Take it from those that wait; under the lock. */
static void claim(og_pool *pool, og_task *task)
{
    og_task **place = &pool->tasks;
    while (*place != task)
        place = &(*place)->next;
    *place = task->next;
    task->state = TASK_RUNS;
}

/* The lock is held before and after, not while the task runs. */
static void run_claimed(og_pool *pool, og_task *task)
{
    pthread_mutex_unlock(&pool->lock);
    run_task(task);
    pthread_mutex_lock(&pool->lock);
    task->state = TASK_DONE;
    pthread_cond_broadcast(&pool->finished);
}

void og_pool_start(og_pool *pool, og_task *task)
{
    assert(task->state == TASK_IDLE);
    if (og_pool_threads(pool) < 2) {
        run_task(task);
        task->state = TASK_DONE;
        return;
    }
    pthread_mutex_lock(&pool->lock);
    og_task **last = &pool->tasks;
    while (*last != NULL)
        last = &(*last)->next;
    *last = task;
    task->next = NULL;
    task->state = TASK_WAITS;
    pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);
}

static int state_of(og_pool *pool, const og_task *task)
{
    if (pool == NULL)
        return task->state;
    pthread_mutex_lock(&pool->lock);
    int state = task->state;
    pthread_mutex_unlock(&pool->lock);
    return state;
}

bool og_pool_is_done(og_pool *pool, const og_task *task)
{
    return state_of(pool, task) == TASK_DONE;
}

bool og_pool_help(og_pool *pool, og_task *task)
{
    if (pool == NULL)
        return false;
    pthread_mutex_lock(&pool->lock);
    bool waits = task->state == TASK_WAITS;
    if (waits) {
        claim(pool, task);
        run_claimed(pool, task);
    }
    pthread_mutex_unlock(&pool->lock);
    return waits;
}

og_status og_pool_finish(og_pool *pool, og_task *task, og_error *err)
{
    assert(state_of(pool, task) != TASK_IDLE);
    if (pool != NULL && !og_pool_help(pool, task)) {
        pthread_mutex_lock(&pool->lock);
        while (task->state == TASK_RUNS)
            pthread_cond_wait(&pool->finished, &pool->lock);
        pthread_mutex_unlock(&pool->lock);
    }
    assert(task->state == TASK_DONE);
    task->state = TASK_IDLE;
    if (task->status != OG_OK && err != NULL)
        *err = task->err;
    return task->status;
}

/* ---- threads ------------------------------------------------------------------------------ */

static void unlink_loop(og_pool *pool, const loop *l)
{
    for (loop **place = &pool->loops; *place != NULL; place = &(*place)->next) {
        if (*place == l) {
            *place = l->next;
            return;
        }
    }
}

static void *help(void *context)
{
    og_pool *pool = context;
    pthread_mutex_lock(&pool->lock);
    while (!pool->closing) {
        og_task *task = pool->tasks;
        loop *l = pool->loops;
        if (task != NULL) {
            claim(pool, task);
            run_claimed(pool, task);
            continue;
        }
        if (l == NULL) {
            pthread_cond_wait(&pool->work, &pool->lock);
            continue;
        }
        l->helpers++;
        pthread_mutex_unlock(&pool->lock);
        run_turns(l);
        pthread_mutex_lock(&pool->lock);
        unlink_loop(pool, l); /* no turn is left to begin */
        l->helpers--;
        pthread_cond_broadcast(&pool->finished);
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

og_pool *og_pool_new(unsigned threads)
{
    unsigned wanted = threads > 1 ? threads - 1 : 0;
    og_pool *pool = og_calloc(1, sizeof *pool + wanted * sizeof pool->threads[0]);
    if (pool == NULL)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->finished, NULL);
    while (pool->thread_count < wanted &&
           pthread_create(&pool->threads[pool->thread_count], NULL, help, pool) == 0)
        pool->thread_count++;
    return pool;
}

void og_pool_free(og_pool *pool)
{
    if (pool == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->closing = true;
    assert(pool->tasks == NULL && pool->loops == NULL);
    pthread_cond_broadcast(&pool->work);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->thread_count; i++)
        pthread_join(pool->threads[i], NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->work);
    pthread_mutex_destroy(&pool->lock);
    og_free(pool);
}

unsigned og_pool_threads(const og_pool *pool)
{
    return pool != NULL ? pool->thread_count + 1 : 1;
}

static void run_shared(og_pool *pool, loop *l)
{
    pthread_mutex_lock(&pool->lock);
    l->next = pool->loops;
    pool->loops = l;
    if (l->count > 2)
        pthread_cond_broadcast(&pool->work);
    else
        pthread_cond_signal(&pool->work);
    pthread_mutex_unlock(&pool->lock);

    run_turns(l);

    pthread_mutex_lock(&pool->lock);
    unlink_loop(pool, l);
    while (l->helpers > 0)
        pthread_cond_wait(&pool->finished, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

og_status og_pool_run(og_pool *pool, size_t count, og_pool_fn fn, void *context, og_error *err)
{
    loop l = {.fn = fn, .context = context, .count = count, .failed_index = SIZE_MAX, .err = err};
    pthread_mutex_init(&l.error_lock, NULL);
    if (count > 1 && og_pool_threads(pool) > 1)
        run_shared(pool, &l);
    else
        run_turns(&l);
    pthread_mutex_destroy(&l.error_lock);
    return l.status;
}

/* ---- shared ------------------------------------------------------------------------------- */

struct og_shared_pool {
    pthread_mutex_t lock;
    og_pool *pool; /* while there are users */
    unsigned threads, users;
};

og_shared_pool *og_shared_pool_new(unsigned threads)
{
    og_shared_pool *shared = og_calloc(1, sizeof *shared);
    if (shared == NULL)
        return NULL;
    pthread_mutex_init(&shared->lock, NULL);
    shared->threads = threads;
    return shared;
}

void og_shared_pool_free(og_shared_pool *shared)
{
    if (shared == NULL)
        return;
    assert(shared->users == 0);
    pthread_mutex_destroy(&shared->lock);
    og_free(shared);
}

void og_shared_pool_set_threads(og_shared_pool *shared, unsigned threads)
{
    pthread_mutex_lock(&shared->lock);
    assert(shared->users == 0);
    shared->threads = threads;
    pthread_mutex_unlock(&shared->lock);
}

og_pool *og_shared_pool_take(og_shared_pool *shared)
{
    pthread_mutex_lock(&shared->lock);
    if (shared->users == 0 && shared->threads > 1)
        shared->pool = og_pool_new(shared->threads);
    if (shared->users == 0 && og_pool_threads(shared->pool) < 2) {
        og_pool_free(shared->pool);
        shared->pool = NULL;
    }
    shared->users += shared->pool != NULL;
    og_pool *pool = shared->pool;
    pthread_mutex_unlock(&shared->lock);
    return pool;
}

void og_shared_pool_give(og_shared_pool *shared)
{
    pthread_mutex_lock(&shared->lock);
    assert(shared->users > 0);
    og_pool *unused = --shared->users == 0 ? OG_TAKE(shared->pool) : NULL;
    pthread_mutex_unlock(&shared->lock);
    og_pool_free(unused);
}
