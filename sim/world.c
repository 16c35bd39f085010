/* The scheduler: whose turn it is, and what becomes of its call. */
#include "sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/memory.h"

sim_counts *sim_total;

const char *const sim_fault_names[SIM_FAULT_KINDS] = {
    "pass", "failed",     "lost answer", "not done, no answer", "disk full",
    "died", "power lost", "slow",        "time jumped",         "torn",
};

/* ---- calls -------------------------------------------------------------------------------- */

/* Which branch a name in `__manifest/.../_versions/` belongs to; -1 = none. */
static int manifest_branch(const char *name)
{
    if (strncmp(name, "__manifest/", 11) != 0 || strstr(name, "_versions/") == NULL)
        return -1;
    if (strncmp(name + 11, "tree/b", 6) != 0)
        return 0;
    int branch = atoi(name + 17);
    return branch > 0 && branch < SIM_BRANCHES ? branch : -1;
}

/* The call that is about to be made may publish something. */
static void note_change(sim_world *w, const sim_process *p)
{
    if (p->next != OG_STORE_PASS && p->next != OG_STORE_LOST_ACK)
        return;
    int branch = strcmp(p->call, "put_if_absent") == 0 ? manifest_branch(p->name) : -1;
    if (branch >= 0)
        w->is_dirty[branch] = true;
    if (branch < 0 && strcmp(p->call, "put_if_absent") == 0 &&
        (strncmp(p->name, "nodes/", 6) == 0 || strncmp(p->name, "edges/", 6) == 0))
        snprintf(w->new_slot, sizeof w->new_slot, "%s", p->name);
    bool is_change = strncmp(p->call, "put", 3) == 0 || strcmp(p->call, "remove") == 0;
    if (is_change && strncmp(p->name, "__manifest/_refs/branches/", 26) == 0)
        w->refs_are_dirty = true;
}

static og_store_fault before_call(void *context, uint64_t call, const char *op, const char *name)
{
    (void)call;
    sim_process *p = context;
    sim_world *w = p->world;
    if (p->is_dead)
        return OG_STORE_CRASH;
    p->is_dead = p->dies_after;
    snprintf(p->call, sizeof p->call, "%s", op);
    snprintf(p->name, sizeof p->name, "%s", name);
    sim_fiber_yield();
    int kind = sim_call_kind(p->call, p->name);
    int op_kind = p->op >= 0 ? (int)w->plan->ops[p->op].kind : SIM_READ;
    if (p->is_dead) {
        sim_count(&sim_total->died_before[op_kind][kind]);
        if (p->last_call >= 0)
            sim_count(&sim_total->died_after[op_kind][p->last_call]);
        return OG_STORE_CRASH;
    }
    p->last_call = kind;
    sim_count(&sim_total->calls[op_kind][kind]);
    note_change(w, p);
    return p->next;
}

static int64_t read_clock(void *context)
{
    return ((sim_process *)context)->world->now_us;
}

static void sleep_on_clock(void *context, int64_t us)
{
    sim_process *p = context;
    p->wake_us = p->world->now_us + us;
    p->call[0] = '\0';
    if (!p->is_dead)
        sim_fiber_yield();
}

static int64_t read_world_clock(void *context)
{
    return ((sim_world *)context)->now_us;
}

static void pass_time(void *context, int64_t us)
{
    ((sim_world *)context)->now_us += us;
}

static void fill_random(void *context, void *dst, size_t len)
{
    sim_rng *r = context;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)dst)[i] = (uint8_t)sim_next(r);
}

void sim_process_connect(sim_process *p)
{
    og_store_hook hook = {before_call, p};
    if (p->store == NULL && og_store_wrap(p->world->store, hook, 0, &p->store, NULL) != OG_OK)
        abort();
}

static void start_process(sim_world *w, int number)
{
    sim_process *p = &w->processes[number];
    *p = (sim_process){.number = number, .world = w, .op = -1, .last_call = -1};
    p->random_state = sim_rng_of(w->plan->seed, 100 + (uint64_t)number);
    p->random = (og_random){fill_random, &p->random_state};
    p->clock = (og_clock){.now_us = read_clock, .sleep_us = sleep_on_clock, .context = p};
    p->fiber = sim_fiber_new(sim_process_main, p);
}

/* ---- trace -------------------------------------------------------------------------------- */

void sim_trace(const sim_world *w, const char *format, ...)
{
    va_list args;
    if (!w->plan->is_traced)
        return;
    fprintf(stderr, "%12.3f ", (double)(w->now_us % INT64_C(1000000000000)) / 1e6);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

/* ---- turns -------------------------------------------------------------------------------- */

static bool is_hit(sim_world *w, int fault)
{
    return sim_chance(&w->rng, w->plan->fault_rate[fault], 100000);
}

static void resume(sim_process *p)
{
    sim_fiber_resume(p->fiber);
    sim_count(&sim_total->steps);
}

static void note_fault(sim_process *p, int fault)
{
    sim_count(&sim_total->faults[fault]);
    if (p->op >= 0)
        p->world->results[p->op].had_fault = true;
}

/* Everybody is dead, and what was not synced may be gone. */
static void lose_power(sim_world *w)
{
    for (int i = 0; i < w->plan->process_count; i++) {
        sim_process *p = &w->processes[i];
        if (sim_fiber_is_done(p->fiber))
            continue;
        note_fault(p, SIM_FAULT_POWER);
        p->is_dead = true; /* also between operations, when it has only its memory to lose */
    }
    sim_trace(w, "power lost");
    og_store_memory_crash(w->store, sim_next(&w->rng));
    sim_forget_slots(w);
    sim_check_power_loss(w);
}

/* The aim that this call meets, now spent; NULL: none does. */
static const sim_aim *meet_aim(sim_world *w, const sim_process *p, bool is_late)
{
    int kind = sim_call_kind(p->call, p->name);
    for (int i = 0; i < w->plan->aim_count; i++) {
        sim_aim *aim = &w->aims[i];
        if (aim->call != kind || aim->op != w->plan->ops[p->op].kind ||
            (aim->fault == SIM_FAULT_SLOW) != is_late || aim->skip-- > 0)
            continue;
        aim->call = -1;
        return aim;
    }
    return NULL;
}

/* A write over an object that is cut off leaves a part of it (store/wrap.h). */
static bool may_tear(const sim_process *p)
{
    return strcmp(p->call, "put_summed") == 0;
}

static og_store_fault choose_fault(sim_world *w, sim_process *p)
{
    const sim_aim *aim = p->is_dead ? NULL : meet_aim(w, p, false);
    if (aim != NULL && !aim->after)
        return (og_store_fault)aim->fault;
    if (aim != NULL) {
        note_fault(p, OG_STORE_CRASH);
        sim_trace(w, "  process %d dies after its next call", p->number);
        p->dies_after = true;
        return OG_STORE_PASS;
    }
    for (int f = OG_STORE_FAIL; f < SIM_FAULTS; f++)
        if (is_hit(w, f))
            return (og_store_fault)f;
    if (may_tear(p) && is_hit(w, SIM_FAULT_TORN))
        return OG_STORE_UNDONE;
    return OG_STORE_PASS;
}

static void decide(sim_world *w, sim_process *p)
{
    p->next = OG_STORE_PASS;
    if (p->call[0] == '\0' || p->op < 0)
        return;
    p->next = choose_fault(w, p);
    if (p->next != OG_STORE_PASS)
        note_fault(p, p->next);
    if (may_tear(p) && !p->is_dead && (p->next == OG_STORE_UNDONE || p->next == OG_STORE_CRASH))
        note_fault(p, SIM_FAULT_TORN);
    p->is_dead |= p->next == OG_STORE_CRASH;
    sim_trace(w, "  process %d: %s %s%s%s", p->number, p->call, p->name,
              p->next != OG_STORE_PASS ? ": " : "",
              p->next != OG_STORE_PASS ? sim_fault_names[p->next] : "");
}

static bool is_late(sim_world *w, sim_process *p)
{
    if (p->is_dead || p->op < 0)
        return false;
    return is_hit(w, SIM_FAULT_SLOW) || (p->call[0] != '\0' && meet_aim(w, p, true) != NULL);
}

/* A process that may run, or NULL when all are done. */
static sim_process *pick(sim_world *w)
{
    for (;;) {
        sim_process *ready[SIM_PROCESSES];
        int count = 0;
        int64_t first = INT64_MAX;
        for (int i = 0; i < w->plan->process_count; i++) {
            sim_process *p = &w->processes[i];
            if (sim_fiber_is_done(p->fiber))
                continue;
            if (p->wake_us <= w->now_us || p->is_dead)
                ready[count++] = p;
            else if (p->wake_us < first)
                first = p->wake_us;
        }
        if (count > 0)
            return ready[sim_below(&w->rng, count)];
        if (first == INT64_MAX)
            return NULL;
        w->now_us = first;
    }
}

/* One call of one process. */
static bool step(sim_world *w)
{
    if (is_hit(w, SIM_FAULT_POWER))
        lose_power(w);
    if (is_hit(w, SIM_FAULT_JUMP)) {
        sim_count(&sim_total->faults[SIM_FAULT_JUMP]);
        w->now_us += sim_chance(&w->rng, 1, 2) ? INT64_C(15000000) : -INT64_C(15000000);
    }
    sim_process *p = pick(w);
    if (p == NULL)
        return false;
    w->now_us += 200 + sim_below(&w->rng, 2000);
    if (is_late(w, p)) {
        note_fault(p, SIM_FAULT_SLOW); /* its files may be taken for strays meanwhile */
        int64_t day = INT64_C(86400000000);
        p->wake_us = w->now_us + (sim_chance(&w->rng, 1, 4) ? 9 * day : INT64_C(20000000));
        return true;
    }
    decide(w, p);
    resume(p);
    if (w->new_slot[0] != '\0' && !sim_is_wrong(w))
        sim_check_slot(w, w->new_slot);
    w->new_slot[0] = '\0';
    if (w->refs_are_dirty && !sim_is_wrong(w))
        sim_check_refs(w);
    for (int b = 0; b < SIM_BRANCHES; b++) {
        if (!w->is_dirty[b] || sim_is_wrong(w))
            continue;
        sim_check_branch(w, b);
        if (!sim_is_wrong(w))
            sim_check_indexes(w, b);
    }
    return true;
}

/* ---- runs --------------------------------------------------------------------------------- */

static og_status make_graph(sim_world *w, og_error *err)
{
    OG_AUTO_BUF schema = OG_BUF_INIT;
    sim_schema_print(&w->plan->schema, &schema);
    og_repo_options options = {
        .store = w->store, .clock = &w->clock, .random = &w->processes[0].random};
    return og_repo_init("sim", og_buf_view(&schema), false, &options, err);
}

/* Let everybody unwind. */
static void stop_all(sim_world *w)
{
    for (int i = 0; i < w->plan->process_count; i++) {
        sim_process *p = &w->processes[i];
        while (!sim_fiber_is_done(p->fiber)) {
            p->is_dead = true;
            resume(p);
        }
    }
}

bool sim_run(const sim_plan *plan, sim_world *w)
{
    og_error err = {0};
    memset(w, 0, sizeof *w);
    w->plan = plan;
    w->failure = OG_BUF_INIT;
    w->rng = sim_rng_of(plan->seed, 2);
    memcpy(w->aims, plan->aims, sizeof w->aims);
    w->now_us = INT64_C(1790000000000000);
    w->clock = (og_clock){.now_us = read_world_clock, .sleep_us = pass_time, .context = w};
    if (og_store_open_memory(&w->store, &err) != OG_OK)
        abort();
    og_store_memory_set_clock(w->store, &w->clock);
    for (int i = 0; i < plan->process_count; i++)
        start_process(w, i);
    if (make_graph(w, &err) != OG_OK)
        sim_wrong(w, "init: %s", err.message);
    w->branches[0].exists = true;
    if (!sim_is_wrong(w))
        sim_check_branch(w, 0);
    while (!sim_is_wrong(w) && step(w))
        continue;
    stop_all(w);
    if (!sim_is_wrong(w))
        sim_check_end(w);
    sim_count(&sim_total->seeds);
    return !sim_is_wrong(w);
}

void sim_world_free(sim_world *w)
{
    for (int i = 0; i < w->plan->process_count; i++) {
        sim_process *p = &w->processes[i];
        og_repo_close(p->repo);
        og_store_close(p->store);
        sim_fiber_free(p->fiber);
    }
    for (int b = 0; b < SIM_BRANCHES; b++)
        free(w->branches[b].versions);
    free(w->commits);
    free(w->slots);
    og_store_close(w->store);
    og_buf_deinit(&w->failure);
}
