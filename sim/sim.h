/* sim - the engine under a seeded scheduler.
 *
 * Several logical processes work on one graph in a memory store. Each runs the engine as it is,
 * on a task of its own; before each call of the store it goes back to the scheduler, which
 * decides by the seed who goes on, and what happens to the call: it passes, fails, is done
 * without an answer, comes late, or is the moment at which the process dies or the power goes.
 * A dead process's calls all fail from then on, so that it unwinds without a trace in the
 * store. Time is the scheduler's, too.
 *
 * After every call that published something the checker (check.c) reads the graph without faults
 * and compares it with the model. One seed is one run, exactly. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "fiber.h"
#include "graph/branch.h"
#include "graph/history.h"
#include "graph/repo.h"
#include "model.h"
#include "store/wrap.h"

enum {
    SIM_PROCESSES = 4,
    SIM_BRANCHES = 4,
    SIM_OPS = 512,
    SIM_AIMS = 32,
    SIM_HISTORY_ROWS = 4,            /* read at first, so that histories have to be read on */
    SIM_FAULTS = OG_STORE_CRASH + 1, /* and those below */
    SIM_FAULT_POWER = SIM_FAULTS,
    SIM_FAULT_SLOW,
    SIM_FAULT_JUMP,
    SIM_FAULT_TORN, /* of a file that is written over, only a part */
    SIM_FAULT_KINDS,
    SIM_CALL_KINDS = 64, /* (function of the store, what it was about) */
};

/* What happened, over all seeds. In memory that workers share; added to atomically. */
typedef struct sim_counts {
    uint64_t seeds, steps, publications, lookups;
    uint64_t faults[SIM_FAULT_KINDS];
    uint64_t outcomes[SIM_OP_KINDS][16]; /* by status */
    uint64_t calls[SIM_OP_KINDS][SIM_CALL_KINDS];
    uint64_t died_before[SIM_OP_KINDS][SIM_CALL_KINDS], died_after[SIM_OP_KINDS][SIM_CALL_KINDS];
} sim_counts;
extern sim_counts *sim_total;
static inline void sim_count(uint64_t *counter)
{
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}
extern const char *const sim_fault_names[SIM_FAULT_KINDS];

/* ---- calls.c ------------------------------------------------------------------------------ */

/* A fault that waits until an operation of the kind makes such a call. */
typedef struct sim_aim {
    sim_op_kind op;
    int call;   /* kind; -1: it is spent */
    int skip;   /* so many calls of the kind pass before */
    int fault;  /* as in sim_fault_names */
    bool after; /* of a death: when the call is done, not before it */
} sim_aim;
/* Number of the kind of a call; its name is in sim_call_name (NULL: there is none). */
int sim_call_kind(const char *op, const char *name);
const char *sim_call_name(int kind);
/* Is an operation of this kind known to make such calls? */
bool sim_call_is_known(sim_op_kind op, int call);
/* Deaths at calls that operations of kinds with a share make, at rare ones rather than at others;
 * before some of them what brings such a call about. `out` has room for SIM_AIMS. */
int sim_aims_random(sim_rng *r, const int *shares, int count, sim_aim *out);
/* A write that is late, or gets no answer, while its tables are there and nobody sees them yet. */
sim_aim sim_mishap_random(sim_rng *r);

/* ---- processes and plans ------------------------------------------------------------------ */

/* How an operation ended, as its caller saw it. */
typedef struct sim_result {
    bool started, ended;
    bool had_fault;       /* some call of it did not pass */
    bool is_settled;      /* refused, conflict or failed: may never appear */
    bool acknowledged;    /* it was said to be done */
    bool published;       /* the checker has seen its commit */
    bool by_foreign;      /* its tables were published by a stranger (foreign.c) */
    char foreign_id[27];  /* ULID of the attempt whose tables these were */
    uint64_t version;     /* of `__manifest` on its branch */
    size_t since;         /* newest published version when it began (index) */
    size_t other_since;   /* the same of the branch it reads beside its own */
    int life, other_life; /* of both branches, when it began */
    bool met;             /* something that it may have done to a branch was seen while it ran */
    og_status status;
    char message[512];
} sim_result;

/* A published commit and the state it left. */
typedef struct sim_commit {
    char id[27], parent[27], merged_parent[27];
    bool is_lost; /* with its version, by power; it may come back */
    sim_state state;
} sim_commit;

/* A version of `__manifest` on a branch. */
typedef struct sim_version {
    uint64_t number;
    bool may_miss; /* a power loss took its name, of which nobody was told */
    int commit;    /* its newest one: index in the world's list; -1 = none */
    sim_state state;
} sim_version;

typedef struct sim_branch {
    bool exists;
    /* Its creator died, or is about to take it back, and its source is gone: only its name is
     * there. */
    bool is_stillborn;
    int life;                         /* grows with each making and deleting of the name */
    uint64_t may_miss;                /* versions below this one a cleanup may have taken */
    char id[OG_GRAPH__BRANCH_ID + 1]; /* of the newest life */
    sim_version *versions;
    size_t count, capacity;
    size_t old_count; /* so many stand there from before the branch went */
} sim_branch;

typedef struct sim_world sim_world;

typedef struct sim_process {
    int number;
    sim_world *world;
    sim_fiber *fiber;
    og_store *store; /* around the world's */
    og_repo *repo;   /* NULL until the first operation after a (re)start */
    og_random random;
    sim_rng random_state;
    og_clock clock;
    bool is_dead;
    bool dies_after;          /* before anything else, when the call under way is done */
    int64_t wake_us;          /* runs no earlier */
    int op;                   /* index of the operation under way; -1 = none */
    og_store_fault next;      /* fate of the call that is waiting */
    char call[16], name[256]; /* that call */
    int last_call;            /* kind of the call before it; -1 = none */
} sim_process;

/* One seed's plan. */
typedef struct sim_plan {
    uint64_t seed;
    sim_schema schema;
    int process_count;
    sim_op ops[SIM_OPS];
    sim_aim aims[SIM_AIMS];
    int aim_count;
    bool is_left_out[SIM_OPS]; /* while shrinking */
    bool is_traced;            /* say on stderr what happens */
    int op_count;
    /* Chances in 100,000 calls. */
    int fault_rate[SIM_FAULT_KINDS];
} sim_plan;
/* plan.c */
void sim_plan_make(uint64_t seed, int op_count, sim_plan *out);

struct sim_world {
    const sim_plan *plan;
    og_store *store;
    int64_t now_us;
    og_clock clock;         /* for the checker: who waits on it waits alone */
    sim_rng rng;            /* of the scheduler */
    sim_aim aims[SIM_AIMS]; /* of the plan, as far as they are left */
    sim_process processes[SIM_PROCESSES];
    sim_branch branches[SIM_BRANCHES];
    sim_commit *commits;
    int commit_count, commit_capacity;
    int publications;
    sim_result results[SIM_OPS];
    bool is_dirty[SIM_BRANCHES]; /* a slot of its `__manifest` was taken since the last look */
    bool refs_are_dirty;         /* a branch may have come or gone */
    char new_slot[256];      /* name of a table's version that may just have been put; "" = none */
    struct sim_slots *slots; /* of slots.c */
    bool has_indexes;        /* somebody made one, or tried to */
    og_buf failure;          /* what is wrong; empty = nothing */
};

/* Run a plan. False: something is wrong, world->failure says what. The world is to be freed. */
bool sim_run(const sim_plan *plan, sim_world *world);
void sim_world_free(sim_world *world);

/* Put the process before its store, if it is not. */
void sim_process_connect(sim_process *p);
/* foreign.c: what the reference does when it opens the graph. */
OG_NODISCARD og_status sim_foreign_run(sim_process *p, og_error *err);
/* index.c: indexes for the tables that the operation names, in one commit. */
OG_NODISCARD og_status sim_index_run(sim_process *p, const sim_op *op, og_error *err);
/* What is found by indexes in the newest version of a branch must be what the model holds. */
void sim_check_indexes(sim_world *w, int branch);
/* The task of a process: its operations, one after the other. */
void sim_process_main(void *process);
og_repo *sim_open_plain(sim_world *world); /* without faults; NULL: sim_wrong was said */

/* One line of a trace, with the time, when the plan is traced. */
__attribute__((format(printf, 2, 3))) void sim_trace(const sim_world *w, const char *format, ...);

/* ---- check.c ------------------------------------------------------------------------------ */

/* Say what is wrong; the first one counts. */
__attribute__((format(printf, 2, 3))) void sim_wrong(sim_world *w, const char *format, ...);
static inline bool sim_is_wrong(const sim_world *w)
{
    return w->failure.len > 0;
}
/* Look at what was published on a branch since the last look. */
void sim_check_branch(sim_world *w, int branch);
/* Look at which branches there are. */
void sim_check_refs(sim_world *w);
/* After power loss: versions that nobody was told of may be gone. */
void sim_check_power_loss(sim_world *w);
/* An operation ended. `conflicts`: of a merge. */
void sim_check_outcome(sim_world *w, int op, bool committed, size_t conflicts);
/* A cleanup that keeps this many versions has begun: older ones may go. */
void sim_note_cleanup(sim_world *w, uint64_t keep);
const char *sim_branch_name(int branch);
/* What a reader was given. */
void sim_check_read(sim_world *w, int op, uint64_t version, og_str text);
/* The text must be that of the state. */
bool sim_is_state(sim_world *w, const sim_state *state, og_str text, const char *what);

/* ---- check_commits.c ---------------------------------------------------------------------- */

/* A branch as it is now. */
typedef struct sim_looked {
    int branch;
    og_snapshot *snapshot;
    og_str text; /* its export */
} sim_looked;
/* Those of a branch's commits from version `last` on that are not known yet:
 * `state` becomes what they left. The newest one's index; -1 = none. */
int sim_follow_commits(sim_world *w, const sim_looked *at, const og_commit_info *commits,
                       size_t count, uint64_t last, sim_state *state);
bool sim_prints_as(const sim_world *w, const sim_state *state, og_str text);

/* ---- check_end.c -------------------------------------------------------------------------- */

/* At the end: old versions can be read, every branch takes a write at once, fsck is clean. */
void sim_check_end(sim_world *w);
/* At any time: fsck finds leftovers at most. */
void sim_check_damage(sim_world *w);

/* ---- slots.c ------------------------------------------------------------------------------ */

/* A version of a table was put: numbers that it gives were never given before, published or not. */
void sim_check_slot(sim_world *w, const char *name);
/* Power loss: what only lost versions had given is given again. */
void sim_forget_slots(sim_world *w);

/* ---- report.c ----------------------------------------------------------------------------- */

/* What happened over all seeds; `all`: also where processes died, and where none did. */
void sim_report(const sim_counts *c, bool all);
/* Export of a snapshot as text. */
OG_NODISCARD og_status sim_export(og_snapshot *snapshot, og_buf *out, og_error *err);

#endif
