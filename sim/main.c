/* sim [--seeds A..B] [--ops N] [--jobs N] [--report] [--trace] [--first]
 *
 * Runs seeds in worker processes; --first stops at the first failure and does not shrink it. A
 * failure prints its seed and what was wrong, then the plan with all operations left out that it
 * does not need. Exit code 0: every seed was clean. */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_FAILURES = 5 };

typedef struct options {
    uint64_t first, last;
    int ops, jobs;
    bool report, trace, stop;
} options;

typedef struct shared {
    sim_counts counts;
    uint64_t next_seed;
    uint64_t current[64]; /* seed of each worker */
    uint64_t failures;
} shared;
static shared *common;

static bool try_plan(const sim_plan *plan, og_buf *out_failure)
{
    sim_world *w = calloc(1, sizeof *w);
    if (w == NULL)
        abort();
    bool ok = sim_run(plan, w);
    if (!ok && out_failure != NULL) {
        og_buf_clear(out_failure);
        og_buf_str(out_failure, og_buf_view(&w->failure));
    }
    sim_world_free(w);
    free(w);
    return ok;
}

/* Leave out operations, ever smaller runs of them, as long as something stays wrong. */
static void shrink(sim_plan *plan, bool trace, og_buf *failure)
{
    for (int size = plan->op_count / 2; size > 0; size /= 2)
        for (int at = 0; at + size <= plan->op_count; at += size) {
            sim_plan trial = *plan;
            memset(trial.is_left_out + at, true, (size_t)size * sizeof(bool));
            if (!try_plan(&trial, failure))
                *plan = trial;
        }
    plan->is_traced = trace;
    (void)try_plan(plan, failure);
    plan->is_traced = false;
}

static void print_plan(const sim_plan *plan, og_buf *out)
{
    sim_schema_print(&plan->schema, out);
    for (int i = 0; i < plan->op_count; i++)
        if (!plan->is_left_out[i]) {
            og_buf_printf(out, "%d: ", i);
            sim_op_print(&plan->schema, &plan->ops[i], out);
        }
}

static void run_seed(uint64_t seed, const options *o)
{
    static sim_plan plan;
    OG_AUTO_BUF failure = OG_BUF_INIT;
    sim_plan_make(seed, o->ops, &plan);
    plan.is_traced = o->trace && o->first == o->last;
    if (try_plan(&plan, &failure))
        return;
    sim_count(&common->failures);
    OG_AUTO_BUF text = OG_BUF_INIT;
    og_buf_printf(&text, "FAILED seed %" PRIu64 ": %.*s\n", seed, OG_FMT(og_buf_view(&failure)));
    if (!o->stop) {
        shrink(&plan, o->trace, &failure);
        og_buf_printf(&text, "shrunk: %.*s\n", OG_FMT(og_buf_view(&failure)));
        print_plan(&plan, &text);
    }
    og_buf_printf(&text, "again: sim --seeds %" PRIu64 "..%" PRIu64 " --ops %d\n", seed, seed,
                  o->ops);
    fwrite(text.ptr, 1, text.len, stdout);
    fflush(stdout);
}

static void work(int worker, const options *o)
{
    while (common->failures < (o->stop ? 1 : MAX_FAILURES)) {
        uint64_t seed = __atomic_fetch_add(&common->next_seed, 1, __ATOMIC_RELAXED);
        if (seed > o->last) {
            __atomic_fetch_sub(&common->next_seed, 1, __ATOMIC_RELAXED);
            return;
        }
        common->current[worker] = seed;
        run_seed(seed, o);
    }
}

/* ---- arguments ---------------------------------------------------------------------------- */

static void read_options(int argc, char **argv, options *o)
{
    *o = (options){.first = 1, .last = 300, .ops = 50, .jobs = 2};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--report") == 0)
            o->report = true;
        else if (strcmp(argv[i], "--first") == 0)
            o->stop = true;
        else if (strcmp(argv[i], "--trace") == 0)
            o->trace = true;
        else if (i + 1 < argc && strcmp(argv[i], "--ops") == 0)
            o->ops = atoi(argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--jobs") == 0)
            o->jobs = atoi(argv[++i]);
        else if (i + 1 < argc && strcmp(argv[i], "--seeds") == 0 &&
                 sscanf(argv[i + 1], "%" SCNu64 "..%" SCNu64, &o->first, &o->last) == 2)
            i++;
        else {
            fprintf(
                stderr,
                "usage: sim [--seeds A..B] [--ops N] [--jobs N] [--report] [--trace] [--first]\n");
            exit(2);
        }
    }
    if (o->jobs < 0 || o->jobs > 64 || o->ops < 1 || o->ops > SIM_OPS)
        exit(2);
}

int main(int argc, char **argv)
{
    options o;
    read_options(argc, argv, &o);
    common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (common == MAP_FAILED)
        return 2;
    sim_total = &common->counts;
    common->next_seed = o.first;
    if (o.jobs == 0)
        work(0, &o);
    pid_t children[64];
    for (int j = 0; j < o.jobs; j++) {
        children[j] = fork();
        if (children[j] == 0) {
            work(j, &o);
            _exit(0);
        }
    }
    for (int j = 0; j < o.jobs; j++) {
        int status;
        if (waitpid(children[j], &status, 0) == children[j] && status != 0) {
            printf("FAILED seed %" PRIu64 ": the simulator died of signal %d\n", common->current[j],
                   WTERMSIG(status));
            common->failures++;
        }
    }
    sim_report(&common->counts, o.report);
    printf("sim: %" PRIu64 " passed, %" PRIu64 " failed\n",
           common->next_seed - o.first - common->failures, common->failures);
    return common->failures > 0;
}
