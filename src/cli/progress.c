#include "cli/progress.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/timeval.h"

#define FIRST_NS UINT64_C(1000000000)
#define STEP_NS UINT64_C(100000000)
#define BAR_WIDTH 24

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stopped;
    bool is_running, wants_stop;
    bool is_drawn;
    const char *what, *unit; /* unit NULL: bytes */
    uint64_t start_ns;
    uint64_t total;
    uint64_t done; /* atomic */
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void format_bytes(uint64_t bytes, char *dst, size_t cap)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1000 && unit < 4; unit++)
        value /= 1000;
    snprintf(dst, cap, unit > 0 && value < 100 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

/* "loading [=======>          ]  42%  12.3 MB of 29.1 MB  3 s" */
static void draw(void)
{
    uint64_t done = __atomic_load_n(&state.done, __ATOMIC_RELAXED);
    uint64_t seconds = (og_monotonic_ns() - state.start_ns) / 1000000000u;
    char line[176], bar[BAR_WIDTH + 1], now[40], all[24];
    if (state.unit != NULL)
        snprintf(now, sizeof now, "%" PRIu64 " %.10s", done, state.unit);
    else
        format_bytes(done, now, sizeof now);
    format_bytes(state.total, all, sizeof all);
    if (state.total > 0 && done < state.total) {
        size_t filled = (size_t)((double)done / (double)state.total * BAR_WIDTH);
        memset(bar, ' ', BAR_WIDTH);
        memset(bar, '=', filled);
        bar[filled] = '>';
        bar[BAR_WIDTH] = '\0';
        snprintf(line, sizeof line, "%s [%s] %3u%%  %s of %s  %" PRIu64 " s", state.what, bar,
                 (unsigned)((double)done / (double)state.total * 100), now, all, seconds);
    } else if (state.total > 0) {
        snprintf(line, sizeof line, "%s: all read, committing  %" PRIu64 " s", state.what, seconds);
    } else if (done > 0) {
        snprintf(line, sizeof line, "%s  %s  %" PRIu64 " s", state.what, now, seconds);
    } else {
        snprintf(line, sizeof line, "%s  %" PRIu64 " s", state.what, seconds);
    }
    fprintf(stderr, "\r\033[K%s", line);
    fflush(stderr);
}

static struct timespec deadline_in(uint64_t ns)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t sum = (uint64_t)t.tv_nsec + ns;
    t.tv_sec += (time_t)(sum / 1000000000u);
    t.tv_nsec = (long)(sum % 1000000000u);
    return t;
}

/* With the lock held. */
static void erase(void)
{
    if (!state.is_drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    state.is_drawn = false;
}

static void *draw_until_stopped(void *context)
{
    (void)context;
    pthread_mutex_lock(&state.lock);
    struct timespec deadline = deadline_in(FIRST_NS);
    while (!state.wants_stop) {
        if (pthread_cond_timedwait(&state.stopped, &state.lock, &deadline) == 0)
            continue;
        draw();
        state.is_drawn = true;
        deadline = deadline_in(STEP_NS);
    }
    erase();
    pthread_mutex_unlock(&state.lock);
    return NULL;
}

static void start(const char *what, const char *unit, uint64_t total)
{
    if (!isatty(STDERR_FILENO) || state.is_running)
        return;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&state.stopped, &attributes);
    pthread_condattr_destroy(&attributes);
    state.what = what;
    state.unit = unit;
    state.total = total;
    state.done = 0;
    state.is_drawn = state.wants_stop = false;
    state.start_ns = og_monotonic_ns();
    state.is_running = pthread_create(&state.thread, NULL, draw_until_stopped, NULL) == 0;
}

void cli_progress_start(const char *what, uint64_t total)
{
    start(what, NULL, total);
}

void cli_progress_count(const char *what, const char *unit)
{
    start(what, unit, 0);
}

void cli_progress_pause(void)
{
    if (!state.is_running)
        return;
    pthread_mutex_lock(&state.lock);
    erase();
}

void cli_progress_resume(void)
{
    if (state.is_running)
        pthread_mutex_unlock(&state.lock);
}

void cli_progress_update(uint64_t done)
{
    __atomic_store_n(&state.done, done, __ATOMIC_RELAXED);
}

void cli_progress_stop(void)
{
    if (!state.is_running)
        return;
    pthread_mutex_lock(&state.lock);
    state.wants_stop = true;
    pthread_cond_signal(&state.stopped);
    pthread_mutex_unlock(&state.lock);
    pthread_join(state.thread, NULL);
    pthread_cond_destroy(&state.stopped);
    state.is_running = false;
}
