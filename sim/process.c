/* A logical process: its operations, run by the engine as a program would. */
#include "sim.h"

#include <stdio.h>
#include <string.h>

#include "graph/branch_ops.h"
#include "graph/cleanup.h"
#include "graph/load.h"
#include "graph/merge.h"
#include "graph/mutate.h"
#include "graph/optimize.h"
#include "lang/query.h"

typedef struct reader {
    og_str text;
    size_t at;
} reader;

static og_status read_text(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    (void)err;
    reader *in = context;
    size_t left = in->text.len - in->at;
    *out_len = left < cap ? left : cap;
    if (*out_len > 0)
        memcpy(dst, in->text.ptr + in->at, *out_len);
    in->at += *out_len;
    return OG_OK;
}

static og_status append_text(void *context, og_bytes bytes, og_error *err)
{
    return og_buf_append(context, bytes.ptr, bytes.len) ? OG_OK : og_error_nomem(err);
}

og_status sim_export(og_snapshot *snapshot, og_buf *out, og_error *err)
{
    const og_export_input input = {.write = append_text, .write_context = out};
    return og_export_run(snapshot, &input, err);
}

/* ---- operations --------------------------------------------------------------------------- */

typedef struct attempt {
    sim_process *p;
    const sim_op *op;
    const char *branch;
    char actor[16];
    bool committed;
    size_t conflicts;
} attempt;

static og_status run_load(attempt *a, og_str text, og_error *err)
{
    static const og_load_mode_kind modes[] = {
        [SIM_LOAD_MERGE] = OG_LOAD_MERGE,
        [SIM_LOAD_APPEND] = OG_LOAD_APPEND,
        [SIM_LOAD_OVERWRITE] = OG_LOAD_OVERWRITE,
    };
    reader in = {text, 0};
    const og_load_input input = {.branch = a->branch,
                                 .actor = a->actor,
                                 .mode = modes[a->op->kind],
                                 .read = read_text,
                                 .read_context = &in};
    og_load_output output = {0};
    OG_TRY(og_load_run(a->p->repo, &input, &output, err));
    og_load_output_deinit(&output);
    a->committed = true;
    return OG_OK;
}

static og_status run_mutation(attempt *a, og_str text, og_error *err)
{
    OG_AUTO(og_program) program = NULL;
    OG_TRY(og_program_compile(text, NULL, og_repo_catalog(a->p->repo), &program, err));
    const og_mutate_input input = {.branch = a->branch,
                                   .actor = a->actor,
                                   .query = og_program_query(program),
                                   .now_ms = a->p->world->now_us / 1000};
    og_mutate_output output = {0};
    OG_TRY(og_mutate_run(a->p->repo, &input, &output, err));
    a->committed = output.committed;
    return OG_OK;
}

static og_status run_merge(attempt *a, og_error *err)
{
    const og_merge_input input = {
        .source = sim_branch_name(a->op->other), .target = a->branch, .actor = a->actor};
    og_merge_output output;
    OG_TRY(og_merge_run(a->p->repo, &input, &output, err));
    a->committed = output.committed;
    a->conflicts = output.conflict_count;
    for (size_t i = 0; i < output.conflict_count; i++)
        sim_trace(a->p->world, "  conflict: %.*s %.*s: %.*s",
                  OG_FMT(output.conflicts[i].def->table_key), OG_FMT(output.conflicts[i].row_id),
                  OG_FMT(output.conflicts[i].message));
    og_merge_output_deinit(&output);
    return OG_OK;
}

static og_status run_optimize(attempt *a, og_error *err)
{
    og_optimize_output output = {0};
    OG_TRY(og_optimize_run(a->p->repo, a->branch, &output, err));
    og_optimize_output_deinit(&output);
    return OG_OK;
}

static og_status run_cleanup(attempt *a, og_error *err)
{
    const og_cleanup_input input = {.by_count = true, .keep = 8};
    og_cleanup_output output = {0};
    sim_note_cleanup(a->p->world, input.keep);
    OG_TRY(og_cleanup_run(a->p->repo, &input, &output, err));
    og_cleanup_output_deinit(&output);
    return OG_OK;
}

static og_status run_read(attempt *a, og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_TRY(og_repo_snapshot(a->p->repo, a->branch, &snapshot, err));
    OG_TRY(sim_export(snapshot, &text, err));
    sim_check_read(a->p->world, a->p->op, snapshot->manifest_version, og_buf_view(&text));
    return OG_OK;
}

static og_status open_repo(sim_process *p, og_error *err)
{
    const og_repo_options options = {.store = p->store,
                                     .clock = &p->clock,
                                     .random = &p->random,
                                     .no_derived = p->number % 2 == 1,
                                     .history_rows = SIM_HISTORY_ROWS};
    return p->repo != NULL ? OG_OK : og_repo_open("sim", &options, &p->repo, err);
}

static og_status run_op(attempt *a, og_error *err)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_TRY(open_repo(a->p, err));
    sim_op_input(&a->p->world->plan->schema, a->op, &text);
    switch (a->op->kind) {
    case SIM_LOAD_MERGE:
    case SIM_LOAD_APPEND:
    case SIM_LOAD_OVERWRITE:
        return run_load(a, og_buf_view(&text), err);
    case SIM_MUTATE:
        return run_mutation(a, og_buf_view(&text), err);
    case SIM_BRANCH_CREATE:
        return og_branch_make(a->p->repo, sim_branch_name(a->op->other), a->branch, err);
    case SIM_BRANCH_DELETE:
        return og_branch_remove(a->p->repo, a->branch, err);
    case SIM_BRANCH_MERGE:
        return run_merge(a, err);
    case SIM_OPTIMIZE:
        return run_optimize(a, err);
    case SIM_CLEANUP:
        return run_cleanup(a, err);
    case SIM_FOREIGN:
        return sim_foreign_run(a->p, err);
    case SIM_INDEX:
        return sim_index_run(a->p, a->op, err);
    default:
        return run_read(a, err);
    }
}

/* ---- the task ----------------------------------------------------------------------------- */

static void restart(sim_process *p)
{
    og_repo_close(p->repo);
    og_store_close(p->store);
    p->repo = NULL;
    p->store = NULL;
    p->is_dead = p->dies_after = false;
    p->last_call = -1;
}

static size_t newest(const sim_branch *b)
{
    return b->count > 0 ? b->count - 1 : 0;
}

static void begin(sim_world *w, const sim_op *op, sim_result *r)
{
    r->since = newest(&w->branches[op->branch]);
    r->other_since = newest(&w->branches[op->other]);
    r->life = w->branches[op->branch].life;
    r->other_life = w->branches[op->other].life;
}

static void perform(sim_process *p, int index)
{
    sim_world *w = p->world;
    sim_result *r = &w->results[index];
    attempt a = {.p = p, .op = &w->plan->ops[index]};
    a.branch = sim_branch_name(a.op->branch);
    snprintf(a.actor, sizeof a.actor, "op%d", index);
    og_error err = {0};
    p->op = index;
    p->last_call = -1;
    r->started = true;
    begin(w, a.op, r);
    sim_trace(w, "process %d: operation %d, %s, branch b%d, begins", p->number, index,
              sim_op_names[a.op->kind], a.op->branch);
    r->status = run_op(&a, &err);
    sim_trace(w, "process %d: operation %d ends: %s %s", p->number, index, og_status_id(r->status),
              err.message);
    r->ended = true;
    snprintf(r->message, sizeof r->message, "%.500s", err.message);
    sim_count(&sim_total->outcomes[a.op->kind][r->status]);
    if (p->dies_after && !p->is_dead) { /* its last call was the one; nobody is told */
        p->is_dead = true;
        p->call[0] = '\0';
        sim_fiber_yield();
        sim_count(&sim_total->died_after[a.op->kind][p->last_call]);
    }
    p->op = -1;
    if (p->is_dead)
        restart(p);
    else
        sim_check_outcome(w, index, a.committed, a.conflicts);
}

void sim_process_main(void *process)
{
    sim_process *p = process;
    const sim_plan *plan = p->world->plan;
    for (int i = 0; i < plan->op_count && !sim_is_wrong(p->world); i++) {
        if (plan->ops[i].process != p->number || plan->is_left_out[i])
            continue;
        sim_process_connect(p);
        p->call[0] = '\0';
        sim_fiber_yield();
        if (p->is_dead) { /* by power, since the operation before */
            restart(p);
            sim_process_connect(p);
        }
        perform(p, i);
    }
}
