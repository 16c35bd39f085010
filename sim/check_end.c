/* What must hold when all is done: old versions can be read, the next write goes through at once,
 * and fsck finds nothing. */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>

#include "graph/fsck.h"
#include "graph/mutate.h"
#include "graph/target.h"
#include "lang/query.h"

typedef struct sim_findings {
    sim_world *world;
    bool leftovers_too;
} sim_findings;

/* ---- the end ------------------------------------------------------------------------------ */

static void check_old_versions(sim_world *w, og_repo *repo, int branch)
{
    const sim_branch *b = &w->branches[branch];
    for (size_t v = 0; v < b->count && !sim_is_wrong(w); v += 1 + b->count / 8) {
        og_error err = {0};
        const og_target target = {.kind = OG_TARGET_VERSION,
                                  .branch = sim_branch_name(branch),
                                  .version = b->versions[v].number};
        OG_AUTO(og_snapshot) snapshot = NULL;
        OG_AUTO_BUF text = OG_BUF_INIT;
        og_status s = og_repo_snapshot_at(repo, &target, &snapshot, &err);
        if (s == OG_OK)
            s = sim_export(snapshot, &text, &err);
        if (s == OG_NOT_FOUND && (b->versions[v].may_miss || b->versions[v].number < b->may_miss))
            continue;
        if (s != OG_OK)
            sim_wrong(w, "version %" PRIu64 " of %s can't be read any more: %s",
                      b->versions[v].number, sim_branch_name(branch), err.message);
        else {
            char what[64];
            snprintf(what, sizeof what, "version %" PRIu64 " of %s", b->versions[v].number,
                     sim_branch_name(branch));
            sim_is_state(w, &b->versions[v].state, og_buf_view(&text), what);
        }
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
        const og_mutate_input input = {.branch = sim_branch_name(branch),
                                       .query = og_program_query(program)};
        s = og_mutate_run(repo, &input, &output, &err);
    }
    if (s != OG_OK)
        sim_wrong(w, "the next write on %s fails with '%s': %s", sim_branch_name(branch),
                  og_status_id(s), err.message);
}

/* ---- fsck --------------------------------------------------------------------------------- */

static bool is_of_stillborn(const sim_world *w, og_str branch)
{
    for (int b = 1; b < SIM_BRANCHES; b++)
        if (w->branches[b].is_stillborn && og_str_is(branch, sim_branch_name(b)))
            return true;
    return false;
}

/* A stranger may have published what breaks a constraint by then. */
static bool is_known_broken(const sim_world *w, const og_finding *finding)
{
    for (int b = 0; b < SIM_BRANCHES; b++) {
        const sim_branch *branch = &w->branches[b];
        if (!og_str_is(finding->branch, sim_branch_name(b)) || branch->count == 0)
            continue;
        sim_broken broken =
            sim_broken_in(&w->plan->schema, &branch->versions[branch->count - 1].state);
        return finding->kind == OG_FINDING_MISSING_ENDPOINT ? broken.ends
               : finding->kind == OG_FINDING_UNIQUE         ? broken.unique
               : finding->kind == OG_FINDING_CARDINALITY    ? broken.card
                                                            : false;
    }
    return false;
}

static og_status note_finding(void *context, const og_finding *finding, og_error *err)
{
    (void)err;
    sim_findings *f = context;
    og_finding_level level = og_finding_classes[finding->kind].level;
    /* Power loss may tear a sidecar, which is then set aside for people to see. */
    bool counts = level == OG_FINDING_DAMAGE || (f->leftovers_too && level == OG_FINDING_LEFTOVER &&
                                                 finding->kind != OG_FINDING_QUARANTINED);
    if (!counts || finding->repaired || is_of_stillborn(f->world, finding->branch) ||
        is_known_broken(f->world, finding))
        return OG_OK;
    sim_wrong(f->world, "fsck: %s, branch %.*s, %.*s: %s", og_finding_classes[finding->kind].id,
              OG_FMT(finding->branch), OG_FMT(finding->table_key), finding->message);
    return OG_OK;
}

static void run_fsck(sim_world *w, bool repair, bool leftovers_too)
{
    og_error err = {0};
    og_fsck_output output;
    sim_findings findings = {w, leftovers_too};
    const og_repo_options options = {.store = w->store,
                                     .clock = &w->clock,
                                     .random = &w->processes[0].random,
                                     .no_derived = true};
    const og_fsck_input input = {.repair = repair, .found = note_finding, .context = &findings};
    if (!sim_is_wrong(w) && og_fsck_run("sim", &options, &input, &output, &err) != OG_OK)
        sim_wrong(w, "fsck failed: %s", err.message);
}

void sim_check_damage(sim_world *w)
{
    run_fsck(w, false, false);
}

void sim_check_end(sim_world *w)
{
    w->now_us += INT64_C(60000000);
    sim_check_refs(w);
    OG_AUTO(og_repo) repo = sim_open_plain(w);
    for (int b = 0; b < SIM_BRANCHES && repo != NULL; b++)
        if (w->branches[b].exists && !w->branches[b].is_stillborn && !sim_is_wrong(w)) {
            check_next_write(w, repo, b);
            if (!sim_is_wrong(w))
                check_old_versions(w, repo, b);
        }
    /* What is left of dead writers may be repaired; then there is nothing. */
    run_fsck(w, false, false);
    run_fsck(w, true, false);
    run_fsck(w, true, false); /* a head that was settled frees a sidecar */
    run_fsck(w, false, true);
}
