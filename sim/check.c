/* What must hold, whatever happened: the engine's graph beside the model's. */
#include "sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/history.h"
#include "graph/load.h"
#include "graph/mutate.h"
#include "graph/target.h"
#include "lang/query.h"

void sim_wrong(sim_world *w, const char *format, ...)
{
    char text[8192];
    va_list args;
    if (sim_is_wrong(w))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    og_buf_text(&w->failure, text);
}

static const char *branch_name(int branch)
{
    static char names[SIM_BRANCHES][8];
    snprintf(names[branch], sizeof names[branch], branch == 0 ? "main" : "b%d", branch);
    return names[branch];
}

og_repo *sim_open_plain(sim_world *w)
{
    og_error err = {0};
    og_repo *repo = NULL;
    const og_repo_options options = {.store = w->store,
                                     .clock = &w->clock,
                                     .random = &w->processes[0].random,
                                     .no_derived = true};
    if (og_repo_open("sim", &options, &repo, &err) != OG_OK)
        sim_wrong(w, "the graph can't be opened: %s (%s)", err.message, err.detail);
    return repo;
}

/* ---- versions ----------------------------------------------------------------------------- */

static sim_version *newest(sim_branch *b)
{
    return b->count > 0 ? &b->versions[b->count - 1] : NULL;
}

static void add_version(sim_branch *b, uint64_t number, const sim_state *state)
{
    if (b->count == b->capacity) {
        b->capacity = b->capacity * 2 + 16;
        b->versions = realloc(b->versions, b->capacity * sizeof *b->versions);
        if (b->versions == NULL)
            abort();
    }
    b->versions[b->count++] = (sim_version){number, *state};
}

/* The text must be that of the state. */
static bool is_state(sim_world *w, const sim_state *state, og_str text, const char *what)
{
    OG_AUTO_BUF expected = OG_BUF_INIT;
    sim_state_print(&w->plan->schema, state, &expected);
    if (og_str_eq(og_buf_view(&expected), text))
        return true;
    sim_wrong(w, "%s: the graph is\n%.*s\nand should be\n%.*s", what, OG_FMT(text),
              OG_FMT(og_buf_view(&expected)));
    return false;
}

/* ---- publications ------------------------------------------------------------------------- */

static int op_of(const sim_world *w, og_str actor)
{
    if (!og_str_starts(actor, OG_STR("op")))
        return -1;
    int op = atoi(actor.ptr + 2);
    return op < w->plan->op_count ? op : -1;
}

/* The state after a commit that was just published. */
static void follow_commit(sim_world *w, const og_commit_info *commit, sim_state *state)
{
    int op = op_of(w, commit->actor);
    if (op < 0) {
        if (commit->actor.len > 0 && !og_str_is(commit->actor, "omnigraph:recovery"))
            sim_wrong(w, "a commit by '%.*s'", OG_FMT(commit->actor));
        return;
    }
    sim_result *r = &w->results[op];
    if (r->published)
        sim_wrong(w, "operation %d was published twice", op);
    else if (r->is_settled)
        sim_wrong(w, "operation %d ended with '%s' (%s) and appears nevertheless", op,
                  og_status_id(r->status), r->message);
    else if (sim_apply(&w->plan->schema, &w->plan->ops[op], state) == SIM_REFUSED)
        sim_wrong(w, "operation %d was published on a state that refuses it", op);
    r->published = true;
    r->version = commit->manifest_version;
}

static og_status look(sim_world *w, og_repo *repo, int branch, og_error *err)
{
    sim_branch *b = &w->branches[branch];
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_history) history = NULL;
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_TRY(og_repo_snapshot(repo, branch_name(branch), &snapshot, err));
    uint64_t last = b->count > 0 ? newest(b)->number : 0;
    if (snapshot->manifest_version < last)
        sim_wrong(w, "branch %s went back from version %" PRIu64 " to %" PRIu64,
                  branch_name(branch), last, snapshot->manifest_version);
    if (snapshot->manifest_version <= last)
        return OG_OK;
    OG_TRY(og_history_open(repo, branch_name(branch), &history, err));
    OG_TRY(sim_export(snapshot, &text, err));
    size_t count;
    const og_commit_info *commits = og_history_commits(history, &count);
    sim_state state = b->count > 0 ? newest(b)->state : (sim_state){0};
    for (size_t i = 0; i < count && b->count > 0; i++)
        if (commits[i].manifest_version > last)
            follow_commit(w, &commits[i], &state);
    if (!sim_is_wrong(w))
        is_state(w, &state, og_buf_view(&text), "after a publication");
    add_version(b, snapshot->manifest_version, &state);
    sim_count(&sim_total->publications);
    return OG_OK;
}

void sim_check_branch(sim_world *w, int branch)
{
    og_error err = {0};
    w->is_dirty[branch] = false;
    OG_AUTO(og_repo) repo = sim_open_plain(w);
    if (repo != NULL && look(w, repo, branch, &err) != OG_OK)
        sim_wrong(w, "branch %s can't be read: %s (%s)", branch_name(branch), err.message,
                  err.detail);
}

/* ---- power loss --------------------------------------------------------------------------- */

static void forget_versions(sim_world *w, int branch, uint64_t number)
{
    sim_branch *b = &w->branches[branch];
    while (b->count > 0 && newest(b)->number > number)
        b->count--;
    for (int i = 0; i < w->plan->op_count; i++) {
        sim_result *r = &w->results[i];
        if (w->plan->ops[i].branch != branch || !r->published || r->version <= number)
            continue;
        if (r->acknowledged)
            sim_wrong(w, "operation %d was acknowledged and is lost", i);
        r->published = false;
    }
}

void sim_check_power_loss(sim_world *w)
{
    og_error err = {0};
    OG_AUTO(og_repo) repo = sim_open_plain(w);
    for (int b = 0; b < SIM_BRANCHES && repo != NULL && !sim_is_wrong(w); b++) {
        OG_AUTO(og_snapshot) snapshot = NULL;
        OG_AUTO_BUF text = OG_BUF_INIT;
        if (!w->branches[b].exists)
            continue;
        og_status s = og_repo_snapshot(repo, branch_name(b), &snapshot, &err);
        if (s == OG_OK)
            s = sim_export(snapshot, &text, &err);
        if (s != OG_OK) {
            sim_wrong(w, "after power loss branch %s can't be read: %s (%s)", branch_name(b),
                      err.message, err.detail);
            return;
        }
        forget_versions(w, b, snapshot->manifest_version);
        sim_version *v = newest(&w->branches[b]);
        if (v == NULL || v->number != snapshot->manifest_version)
            sim_wrong(w, "after power loss branch %s is at an unknown version", branch_name(b));
        else
            is_state(w, &v->state, og_buf_view(&text), "after power loss");
    }
}

/* ---- outcomes ----------------------------------------------------------------------------- */

/* Did the operation have this outcome at some moment while it ran? Without changing anything counts as
 * SIM_NOTHING. */
static bool was_possible(sim_world *w, int op, sim_outcome outcome)
{
    const sim_branch *b = &w->branches[w->plan->ops[op].branch];
    size_t since = w->results[op].since < b->count ? w->results[op].since : 0;
    for (size_t v = since; v < b->count; v++) {
        sim_state state = b->versions[v].state;
        sim_outcome found = sim_apply(&w->plan->schema, &w->plan->ops[op], &state);
        bool unchanged = sim_state_eq(&state, &b->versions[v].state);
        if (found == outcome || (outcome == SIM_NOTHING && found != SIM_REFUSED && unchanged))
            return true;
    }
    return false;
}

void sim_check_outcome(sim_world *w, int op, bool committed)
{
    sim_result *r = &w->results[op];
    const char *status = og_status_id(r->status);
    if (w->plan->ops[op].kind == SIM_READ) {
        if (r->status != OG_OK && !r->had_fault)
            sim_wrong(w, "operation %d, a read, failed without a fault: %s", op, r->message);
        return;
    }
    if (r->status == OG_OK) {
        r->acknowledged = committed;
        if (committed && !r->published)
            sim_wrong(w, "operation %d was acknowledged and was not published", op);
        else if (!committed && !was_possible(w, op, SIM_NOTHING))
            sim_wrong(w, "operation %d is said to have changed nothing, but would have", op);
        r->is_settled = !committed;
        return;
    }
    if (r->status == OG_UNKNOWN) {
        if (!r->had_fault)
            sim_wrong(w, "operation %d ended with '%s' without a fault: %s", op, status,
                      r->message);
        return;
    }
    r->is_settled = true;
    if (r->published)
        sim_wrong(w, "operation %d was published and ended with '%s': %s", op, status, r->message);
    else if (r->status == OG_INVALID && !was_possible(w, op, SIM_REFUSED))
        sim_wrong(w, "operation %d was refused without a cause: %s", op, r->message);
    else if (r->status == OG_CORRUPT)
        sim_wrong(w, "operation %d found damage: %s", op, r->message);
    else if (r->status != OG_INVALID && r->status != OG_CONFLICT && !r->had_fault)
        sim_wrong(w, "operation %d failed without a fault: %s", op, r->message);
}

void sim_check_read(sim_world *w, int op, uint64_t version, og_str text)
{
    const sim_branch *b = &w->branches[w->plan->ops[op].branch];
    for (size_t v = w->results[op].since; v < b->count; v++)
        if (b->versions[v].number == version) {
            is_state(w, &b->versions[v].state, text, "a reader's snapshot");
            return;
        }
    if (!w->processes[w->plan->ops[op].process].is_dead)
        sim_wrong(w, "operation %d, a read, was given version %" PRIu64 ", which is none", op,
                  version);
}

/* ---- the end ------------------------------------------------------------------------------ */

static void check_old_versions(sim_world *w, og_repo *repo, int branch)
{
    const sim_branch *b = &w->branches[branch];
    for (size_t v = 0; v < b->count && !sim_is_wrong(w); v += 1 + b->count / 8) {
        og_error err = {0};
        const og_target target = {.kind = OG_TARGET_VERSION,
                                  .branch = branch_name(branch),
                                  .version = b->versions[v].number};
        OG_AUTO(og_snapshot) snapshot = NULL;
        OG_AUTO_BUF text = OG_BUF_INIT;
        og_status s = og_repo_snapshot_at(repo, &target, &snapshot, &err);
        if (s == OG_OK)
            s = sim_export(snapshot, &text, &err);
        if (s != OG_OK)
            sim_wrong(w, "version %" PRIu64 " of %s can't be read any more: %s",
                      b->versions[v].number, branch_name(branch), err.message);
        else
            is_state(w, &b->versions[v].state, og_buf_view(&text), "an old version");
    }
}

/* One write that touches every type, without faults and alone: it must go through at once. */
static void check_next_write(sim_world *w, og_repo *repo, int branch)
{
    og_error err = {0};
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_AUTO(og_program) program = NULL;
    sim_op op = {.kind = SIM_MUTATE};
    for (int t = 0; t < w->plan->schema.node_types; t++) {
        op.changes[op.change_count++] =
            (sim_change){SIM_PUT, t, 0, {.present = true, .value = SIM_NULL, .unique = SIM_NULL}};
        op.changes[op.change_count++] = (sim_change){.kind = SIM_REMOVE, .type = t};
    }
    sim_op_input(&w->plan->schema, &op, &text);
    og_mutate_output output = {0};
    og_status s =
        og_program_compile(og_buf_view(&text), NULL, og_repo_catalog(repo), &program, &err);
    if (s == OG_OK) {
        const og_mutate_input input = {.branch = branch_name(branch),
                                       .query = og_program_query(program)};
        s = og_mutate_run(repo, &input, &output, &err);
    }
    if (s != OG_OK)
        sim_wrong(w, "the next write on %s fails with '%s': %s", branch_name(branch),
                  og_status_id(s), err.message);
}

void sim_check_end(sim_world *w)
{
    w->now_us += INT64_C(60000000);
    OG_AUTO(og_repo) repo = sim_open_plain(w);
    for (int b = 0; b < SIM_BRANCHES && repo != NULL; b++)
        if (w->branches[b].exists && !sim_is_wrong(w)) {
            check_next_write(w, repo, b);
            if (!sim_is_wrong(w))
                check_old_versions(w, repo, b);
        }
}
