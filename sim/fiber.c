#include "fiber.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#else
/* Without the sanitizer nobody needs to know of a stack that changes. */
static void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size)
{
    (void)save, (void)bottom, (void)size;
}
static void __sanitizer_finish_switch_fiber(void *save, const void **bottom, size_t *size)
{
    (void)save, (void)bottom, (void)size;
}
#endif

/* Enough for the engine under sanitizers; pages that are not touched cost nothing. */
#define STACK_BYTES ((size_t)4 << 20)
#define KEPT_STACKS 16

struct sim_fiber {
    ucontext_t context;
    void (*fn)(void *);
    void *argument;
    void *stack;
    void *fake_stack; /* the sanitizer's, while the task does not run */
    bool done;
};

static sim_fiber *running;
static ucontext_t scheduler;
static const void *scheduler_stack;
static size_t scheduler_stack_bytes;

static void *kept[KEPT_STACKS];
static int kept_count;

static void *take_stack(void)
{
    if (kept_count > 0)
        return kept[--kept_count];
    void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED) {
        perror("mmap");
        abort();
    }
    return stack;
}

static void enter(void)
{
    sim_fiber *f = running;
    __sanitizer_finish_switch_fiber(NULL, &scheduler_stack, &scheduler_stack_bytes);
    f->fn(f->argument);
    f->done = true;
    /* NULL: this stack is not needed any more. */
    __sanitizer_start_switch_fiber(NULL, scheduler_stack, scheduler_stack_bytes);
    setcontext(&scheduler);
}

sim_fiber *sim_fiber_new(void (*fn)(void *context), void *context)
{
    sim_fiber *f = calloc(1, sizeof *f);
    if (f == NULL || getcontext(&f->context) != 0)
        abort();
    f->fn = fn;
    f->argument = context;
    f->stack = take_stack();
    f->context.uc_stack.ss_sp = f->stack;
    f->context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&f->context, enter, 0);
    return f;
}

void sim_fiber_resume(sim_fiber *f)
{
    void *fake = NULL;
    running = f;
    __sanitizer_start_switch_fiber(&fake, f->stack, STACK_BYTES);
    swapcontext(&scheduler, &f->context);
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    running = NULL;
}

void sim_fiber_yield(void)
{
    sim_fiber *f = running;
    __sanitizer_start_switch_fiber(&f->fake_stack, scheduler_stack, scheduler_stack_bytes);
    swapcontext(&f->context, &scheduler);
    __sanitizer_finish_switch_fiber(f->fake_stack, &scheduler_stack, &scheduler_stack_bytes);
}

bool sim_fiber_is_done(const sim_fiber *f)
{
    return f->done;
}

void sim_fiber_free(sim_fiber *f)
{
    if (f == NULL)
        return;
    if (kept_count < KEPT_STACKS)
        kept[kept_count++] = f->stack;
    else
        munmap(f->stack, STACK_BYTES);
    free(f);
}
