/* sim/fiber - tasks that take turns on one thread: a task runs until it yields,
 * never beside another. */
#ifndef SIM_FIBER_H
#define SIM_FIBER_H

#include <stdbool.h>

typedef struct sim_fiber sim_fiber;

/* A task that will run `fn`; aborts when out of memory. */
sim_fiber *sim_fiber_new(void (*fn)(void *context), void *context);
/* From the scheduler: let the task run until it yields or ends. */
void sim_fiber_resume(sim_fiber *fiber);
/* From a task: go back to the scheduler. */
void sim_fiber_yield(void);
bool sim_fiber_is_done(const sim_fiber *fiber);
/* The task must be done. */
void sim_fiber_free(sim_fiber *fiber);

#endif
