/* What one seed does: its schema, its operations, and how rough it is. */
#include "sim.h"

#include <string.h>

/* On which branches operations work. */
typedef enum place {
    MIXED, /* half of them on main */
    ALONE, /* on main */
    AWAY,  /* on others */
} place;

/* Seeds differ in kind, since what a bug needs to hurt seldom comes together by even chance. */
typedef struct profile {
    int share; /* of 100 seeds */
    int level; /* chance of each fault in 100,000 calls, times 0, 0.5 or 1 */
    int sleep; /* the same of a late call */
    int ids;   /* of each type */
    place where;
    const int *kinds;
    int aims;    /* deaths at calls that are chosen before; with the next at most SIM_AIMS */
    int mishaps; /* writes that are late, or get no answer, at a bad moment */
} profile;

/* Of 100 operations, by sim_op_kind. */
static const int usual[SIM_OP_KINDS] = {16, 6, 3, 43, 6, 8, 3, 10, 3, 2, 0};
static const int busy[SIM_OP_KINDS] = {28, 8, 2, 52, 4, 0, 0, 0, 3, 3, 0};
static const int upkeep[SIM_OP_KINDS] = {16, 6, 4, 38, 4, 4, 2, 4, 10, 12, 0};
static const int branchy[SIM_OP_KINDS] = {14, 4, 2, 34, 4, 14, 8, 16, 2, 2, 0};

/* Tables with indexes are written, compacted and merged. */
static const int indexed[SIM_OP_KINDS] = {22, 4, 3, 36, 2, 5, 1, 8, 6, 2, 0, 11};

/* Writes of several tables, and a program that meddles. */
static const int met[SIM_OP_KINDS] = {36, 10, 2, 36, 2, 2, 0, 2, 1, 1, 8};

/* The same with more of that program. */
static const int watched[SIM_OP_KINDS] = {30, 8, 2, 30, 2, 2, 1, 2, 2, 2, 19, 0};

/* Branches that are gone again before anybody has done much on them,
 * and cleanups of what they leave. */
static const int passing[SIM_OP_KINDS] = {18, 2, 2, 12, 2, 26, 20, 6, 2, 10, 0, 0};

static const int merging[SIM_OP_KINDS] = {24, 3, 1, 26, 0, 10, 1, 32, 2, 1, 0, 0};

static const profile profiles[] = {
    {6, 20, 50, 8, MIXED, met, 0, 0},
    {9, 0, 0, 10, MIXED, usual, 0, 0},       /* without faults: contention alone */
    {14, 20, 20, 10, MIXED, usual, 0, 0},    /* a fault now and then */
    {13, 200, 100, 8, MIXED, usual, 0, 0},   /* often */
    {12, 1500, 200, 6, ALONE, busy, 0, 0},   /* stormy: many on few rows, and much fails */
    {10, 0, 100, 4, ALONE, busy, 0, 0},      /* the same without faults */
    {12, 200, 1500, 6, ALONE, upkeep, 0, 0}, /* sleepy: calls that wait over a cleanup */
    {12, 400, 600, 6, MIXED, branchy, 0, 0}, /* branches come and go */
    {12, 3000, 100, 5, ALONE, busy, 0, 0},   /* hardly anything goes through */
};

/* Seeds of these kinds are drawn first, by numbers of their own,
 * so that all others stay what they were. */
enum { LATER_SHARE = 40 };
static const profile later[] = {
    {12, 20, 50, 8, MIXED, indexed, 24, 0},  /* indexes under writes and compaction */
    {10, 0, 0, 6, ALONE, indexed, 0, 20},    /* the same on few rows, with mishaps alone */
    {14, 20, 50, 10, MIXED, usual, 24, 0},   /* deaths where they are rare */
    {12, 20, 500, 6, MIXED, upkeep, 24, 0},  /* the same */
    {14, 20, 50, 8, MIXED, merging, 24, 0},  /* merges that get far */
    {18, 300, 600, 6, AWAY, passing, 24, 0}, /* names of branches that are used again and again */
    {20, 20, 50, 8, ALONE, watched, 20, 8},  /* a program that meddles meets many */
};

static const profile *choose(sim_rng *r, const profile *all)
{
    int which = sim_below(r, 100);
    for (; which >= all->share; all++)
        which -= all->share;
    return all;
}

static const profile *choose_profile(sim_rng *r, uint64_t seed)
{
    sim_rng own = sim_rng_of(seed, 8);
    if (sim_chance(&own, LATER_SHARE, 100))
        return choose(&own, later);
    return choose(r, profiles);
}

static sim_op_kind choose_kind(sim_rng *r, const int *shares)
{
    int which = sim_below(r, 100), i = 0;
    while (i < SIM_OP_KINDS - 1 && which >= shares[i])
        which -= shares[i++];
    return (sim_op_kind)i;
}

static int choose_branch(sim_rng *r, place where)
{
    if (where == AWAY)
        return 1 + sim_below(r, SIM_BRANCHES - 1);
    return where == ALONE || sim_chance(r, 1, 2) ? 0 : sim_below(r, SIM_BRANCHES);
}

static void choose_branches(sim_rng *r, place where, sim_op *op)
{
    op->branch = choose_branch(r, where);
    op->other = choose_branch(r, where == AWAY ? MIXED : where);
    if (op->kind == SIM_BRANCH_CREATE || op->kind == SIM_BRANCH_DELETE)
        op->branch = 1 + sim_below(r, SIM_BRANCHES - 1);
    if (op->kind == SIM_BRANCH_MERGE && op->other == op->branch)
        op->other = (op->branch + 1) % SIM_BRANCHES;
}

static void choose_faults(sim_rng *r, const profile *p, sim_plan *plan)
{
    for (int f = 1; f < SIM_FAULT_TORN; f++)
        plan->fault_rate[f] = p->level * sim_below(r, 3) / 2;
    plan->fault_rate[SIM_FAULT_POWER] /= 8;
    plan->fault_rate[SIM_FAULT_SLOW] = p->sleep;
    plan->fault_rate[SIM_FAULT_JUMP] = 100;
    plan->fault_rate[SIM_FAULT_TORN] = p->level > 0 ? 5000 : 0; /* of calls that may be torn */
}

/* One table, or two in one commit. */
static void choose_index(sim_rng *r, const sim_schema *s, sim_op *op)
{
    unsigned node = 1u << sim_below(r, s->node_types);
    unsigned edge = 1u << (SIM_NODE_TYPES + sim_below(r, s->edge_types));
    int which = sim_below(r, 3);
    op->index.types = (which != 1 ? node : 0) | (which != 0 ? edge : 0);
    op->index.anew = sim_chance(r, 1, 2);
}

void sim_plan_make(uint64_t seed, int op_count, sim_plan *plan)
{
    memset(plan, 0, sizeof *plan);
    sim_rng r = sim_rng_of(seed, 1);
    const profile *p = choose_profile(&r, seed);
    plan->seed = seed;
    plan->process_count = 3 + sim_below(&r, SIM_PROCESSES - 2);
    sim_schema_random(&r, &plan->schema);
    plan->schema.ids = p->ids;
    plan->op_count = op_count < SIM_OPS ? op_count : SIM_OPS;
    for (int i = 0; i < plan->op_count; i++) {
        plan->ops[i].kind = choose_kind(&r, p->kinds);
        sim_op_random(&r, &plan->schema, &plan->ops[i]);
        plan->ops[i].process = sim_below(&r, plan->process_count);
        choose_branches(&r, p->where, &plan->ops[i]);
        if (plan->ops[i].kind == SIM_INDEX)
            choose_index(&r, &plan->schema, &plan->ops[i]);
    }
    choose_faults(&r, p, plan);
    sim_rng aims = sim_rng_of(seed, 9);
    plan->aim_count = sim_aims_random(&aims, p->kinds, p->aims, plan->aims);
    for (int i = 0; i < p->mishaps && plan->aim_count < SIM_AIMS; i++)
        plan->aims[plan->aim_count++] = sim_mishap_random(&aims);
}
