/* What must hold, whatever happened: the engine's graph beside the model's. */
#include "lineage.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/branch.h"
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

const char *sim_branch_name(int branch)
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
                                     .no_derived = true,
                                     .history_rows = SIM_HISTORY_ROWS};
    if (og_repo_open("sim", &options, &repo, &err) != OG_OK)
        sim_wrong(w, "the graph can't be opened: %s (%s)", err.message, err.detail);
    return repo;
}

/* ---- versions ----------------------------------------------------------------------------- */

static sim_version *newest(sim_branch *b)
{
    return b->count > 0 ? &b->versions[b->count - 1] : NULL;
}

static void add_version(sim_branch *b, uint64_t number, int commit, const sim_state *state)
{
    if (b->count == b->capacity) {
        b->capacity = b->capacity * 2 + 16;
        b->versions = realloc(b->versions, b->capacity * sizeof *b->versions);
        if (b->versions == NULL)
            abort();
    }
    b->versions[b->count++] = (sim_version){number, false, commit, *state};
}

/* The text must be that of the state. */
bool sim_is_state(sim_world *w, const sim_state *state, og_str text, const char *what)
{
    OG_AUTO_BUF expected = OG_BUF_INIT;
    sim_state_print(&w->plan->schema, state, &expected);
    if (og_str_eq(og_buf_view(&expected), text))
        return true;
    sim_wrong(w, "%s: the graph is\n%.*s\nand should be\n%.*s", what, OG_FMT(text),
              OG_FMT(og_buf_view(&expected)));
    return false;
}

/* ---- looks -------------------------------------------------------------------------------- */

/* All commits. What is read of them step by step, the newest first, must be the same. */
static og_status read_commits(sim_world *w, og_history *history, const og_commit_info **out,
                              size_t *out_count, og_error *err)
{
    const og_commit_info *commit;
    size_t known = 0;
    do
        OG_TRY(og_history_at(history, known, &commit, err));
    while (commit != NULL && ++known < 8);
    const og_commit_info *const *line = og_graph__history_known(history, &known);
    OG_AUTO_FREE const og_commit_info **before = og_calloc(known + 1, sizeof *before);
    if (before == NULL)
        return og_error_nomem(err);
    memcpy(before, line, known * sizeof *before);
    OG_TRY(og_history_commits(history, out, out_count, err));
    for (size_t i = 0; i < known && i < *out_count; i++)
        if (!og_str_eq(before[i]->id, (*out)[*out_count - 1 - i].id))
            sim_wrong(w, "the newest commits of a branch depend on how they are read");
    return OG_OK;
}

static og_status look(sim_world *w, og_repo *repo, int branch, og_error *err)
{
    sim_branch *b = &w->branches[branch];
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_history) history = NULL;
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_TRY(og_repo_snapshot(repo, sim_branch_name(branch), &snapshot, err));
    uint64_t last = b->count > 0 ? newest(b)->number : 0;
    if (snapshot->manifest_version < last)
        sim_wrong(w, "branch %s went back from version %" PRIu64 " to %" PRIu64,
                  sim_branch_name(branch), last, snapshot->manifest_version);
    if (snapshot->manifest_version <= last)
        return OG_OK;
    OG_TRY(og_history_open(repo, sim_branch_name(branch), &history, err));
    OG_TRY(sim_export(snapshot, &text, err));
    sim_state state = b->count > 0 ? newest(b)->state : (sim_state){0};
    const sim_looked at = {branch, snapshot, og_buf_view(&text)};
    const og_commit_info *commits;
    size_t count;
    OG_TRY(read_commits(w, history, &commits, &count, err));
    int commit = sim_follow_commits(w, &at, commits, count, last, &state);
    if (commit < 0 && b->count > 0)
        commit = newest(b)->commit;
    if (!sim_is_wrong(w))
        sim_is_state(w, &state, og_buf_view(&text), "after a publication");
    sim_trace(w, "branch b%d is at version %" PRIu64 ", commit %d %s", branch,
              snapshot->manifest_version, commit, commit >= 0 ? w->commits[commit].id : "");
    add_version(b, snapshot->manifest_version, commit, &state);
    sim_count(&sim_total->publications);
    if (++w->publications % 16 == 0)
        sim_check_damage(w);
    return OG_OK;
}

/* Of a branch that has no version of its own nothing is left when its source goes. So
 * its creator takes it back, and where it died the name stays; never after somebody was
 * told that the branch was made. */
static void see_stillborn(sim_world *w, og_repo *repo, int branch)
{
    sim_branch *b = &w->branches[branch];
    og_error err = {0};
    OG_AUTO(og_snapshot) snapshot = NULL;
    if (!b->exists || b->is_stillborn || b->count != 1 ||
        og_repo_snapshot(repo, sim_branch_name(branch), &snapshot, &err) != OG_NOT_FOUND)
        return;
    sim_trace(w, "branch b%d is stillborn", branch);
    b->is_stillborn = true;
    for (int i = 0; i < w->plan->op_count; i++)
        if (w->plan->ops[i].kind == SIM_BRANCH_CREATE && w->plan->ops[i].branch == branch &&
            w->results[i].acknowledged && w->results[i].life + 1 == b->life)
            sim_wrong(w, "branch %s was said to be made (operation %d) and can't be read: %s",
                      sim_branch_name(branch), i, err.message);
}

void sim_check_branch(sim_world *w, int branch)
{
    og_error err = {0};
    w->is_dirty[branch] = false;
    if (!w->branches[branch].exists || w->branches[branch].is_stillborn)
        return;
    OG_AUTO(og_repo) repo = sim_open_plain(w);
    og_status s = repo != NULL ? look(w, repo, branch, &err) : OG_OK;
    if (s == OG_NOT_FOUND)
        see_stillborn(w, repo, branch);
    if (s != OG_OK && !w->branches[branch].is_stillborn)
        sim_wrong(w, "branch %s can't be read: %s (%s)", sim_branch_name(branch), err.message,
                  err.detail);
}

/* ---- branches ----------------------------------------------------------------------------- */

/* Operations of this kind on the branch that are under way may have done it. */
static void meet(sim_world *w, int branch, sim_op_kind kind)
{
    for (int i = 0; i < w->plan->op_count; i++) {
        const sim_op *op = &w->plan->ops[i];
        if (op->kind != kind || op->branch != branch || !w->results[i].started)
            continue;
        /* One whose caller was told of no outcome may come true later. */
        bool may = !w->results[i].ended || !w->results[i].is_settled;
        w->results[i].met |= may;
    }
}

static bool read_ref(og_repo *repo, int branch, og_arena *arena, og_lance_ref *out)
{
    og_graph__branch *b;
    return og_graph__branch_get(repo, sim_branch_name(branch), &b, NULL) == OG_OK &&
           og_graph__branch_ref(repo, b, arena, out, NULL) == OG_OK;
}

/* The commit of the version that the branch says it was made of; -1 = not known. */
static int source_commit(const sim_world *w, og_repo *repo, int branch)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_lance_ref ref;
    if (!read_ref(repo, branch, arena, &ref))
        return -1;
    for (int i = 0; i < SIM_BRANCHES; i++) {
        const sim_branch *from = &w->branches[i];
        if (!og_str_is(ref.parent, i == 0 ? "" : sim_branch_name(i)))
            continue;
        for (size_t v = 0; v < from->count; v++)
            if (from->versions[v].number == ref.parent_version)
                return from->versions[v].commit;
    }
    return -1;
}

/* Who deletes a branch puts its ref back when the branch must stay. Then it is what it was, or has
 * what was published meanwhile; of which a power loss may leave nothing. */
static void recall_versions(sim_world *w, og_repo *repo, int branch, uint64_t version)
{
    sim_branch *b = &w->branches[branch];
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_lance_ref ref;
    char id[sizeof b->id];
    if (!read_ref(repo, branch, arena, &ref))
        return;
    snprintf(id, sizeof id, "%.*s", OG_FMT(ref.forks[ref.fork_count - 1].id));
    b->count = strcmp(b->id, id) == 0 ? b->old_count : 0;
    while (b->count > 0 && newest(b)->number >= version)
        b->count--;
    memcpy(b->id, id, sizeof id);
}

/* A branch that came begins with a commit that is known. */
static og_status see_new_branch(sim_world *w, og_repo *repo, int branch, og_error *err)
{
    sim_branch *b = &w->branches[branch];
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_history) history = NULL;
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_TRY(og_repo_snapshot(repo, sim_branch_name(branch), &snapshot, err));
    OG_TRY(og_history_open(repo, sim_branch_name(branch), &history, err));
    OG_TRY(sim_export(snapshot, &text, err));
    const og_commit_info *head;
    OG_TRY(og_history_head(history, &head, err));
    int commit = source_commit(w, repo, branch);
    if (commit < 0 && head != NULL)
        commit = sim_commit_find(w, head->id);
    /* Until its own first version is there its commits are not told apart
     * from its parent's later ones. */
    for (int i = w->commit_count - 1;
         i >= 0 && (commit < 0 || !sim_prints_as(w, &w->commits[commit].state, og_buf_view(&text)));
         i--)
        commit = i;
    if (commit < 0 || !sim_prints_as(w, &w->commits[commit].state, og_buf_view(&text))) {
        sim_wrong(w, "branch %s begins with an unknown state", sim_branch_name(branch));
        return OG_OK;
    }
    recall_versions(w, repo, branch, snapshot->manifest_version);
    add_version(b, snapshot->manifest_version, commit, &w->commits[commit].state);
    newest(b)->may_miss = true; /* it is the parent's until the branch has one of its own */
    return OG_OK;
}

/* What somebody was told of a branch must not go with it, unless somebody deletes it. */
static void check_deleted(sim_world *w, int branch)
{
    int life = w->branches[branch].life, lost = -1;
    for (int i = 0; i < w->plan->op_count; i++) {
        const sim_op *op = &w->plan->ops[i];
        const sim_result *r = &w->results[i];
        if (op->branch != branch || !r->started)
            continue;
        /* One under way may have begun before the branch was made, and looked since. */
        if (op->kind == SIM_BRANCH_DELETE && !r->is_settled && (r->life == life || !r->ended))
            return;
        if (op->kind != SIM_BRANCH_CREATE && r->life == life && r->acknowledged && r->published)
            lost = i;
    }
    if (lost >= 0)
        sim_wrong(w, "operation %d was acknowledged, and its branch %s is gone", lost,
                  sim_branch_name(branch));
}

static void see_branch(sim_world *w, og_repo *repo, int branch, bool exists)
{
    sim_branch *b = &w->branches[branch];
    og_error err = {0};
    if (b->exists == exists)
        return;
    if (!exists)
        check_deleted(w, branch);
    sim_trace(w, "branch b%d %s", branch, exists ? "exists" : "is gone");
    b->exists = exists;
    b->life++;
    b->old_count = exists ? b->old_count : b->count;
    b->count = 0;
    b->may_miss = 0;
    meet(w, branch, exists ? SIM_BRANCH_CREATE : SIM_BRANCH_DELETE);
    og_status s = exists ? see_new_branch(w, repo, branch, &err) : OG_OK;
    /* Its creator takes it back, if it lives. */
    b->is_stillborn = s == OG_NOT_FOUND;
    if (s != OG_OK && !b->is_stillborn)
        sim_wrong(w, "new branch %s can't be read: %s (%s)", sim_branch_name(branch), err.message,
                  err.detail);
}

void sim_check_refs(sim_world *w)
{
    og_error err = {0};
    og_str *names = NULL;
    size_t count = 0;
    w->refs_are_dirty = false;
    OG_AUTO(og_repo) repo = sim_open_plain(w);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (repo == NULL)
        return;
    if (og_repo_branches(repo, arena, &names, &count, &err) != OG_OK)
        sim_wrong(w, "branches can't be listed: %s", err.message);
    for (int b = 1; b < SIM_BRANCHES && !sim_is_wrong(w); b++) {
        bool exists = false;
        for (size_t i = 0; i < count; i++)
            exists |= og_str_is(names[i], sim_branch_name(b));
        see_branch(w, repo, b, exists);
        see_stillborn(w, repo, b);
    }
}

void sim_note_cleanup(sim_world *w, uint64_t keep)
{
    for (int i = 0; i < SIM_BRANCHES; i++) {
        sim_branch *b = &w->branches[i];
        /* What is published while it runs counts, too. */
        uint64_t last = b->count > 0 ? newest(b)->number + SIM_OPS : 0;
        if (last > keep && last - keep > b->may_miss)
            b->may_miss = last - keep;
    }
}

/* ---- power loss --------------------------------------------------------------------------- */

/* Names of a folder may be lost one by one: a version below the newest,
 * of which nobody was told. */
static void drop_lost_versions(sim_world *w, int branch)
{
    sim_branch *b = &w->branches[branch];
    size_t kept = 0;
    for (size_t v = 0; v < b->count; v++) {
        OG_AUTO_BUF path = OG_BUF_INIT;
        OG_AUTO_BUF name = OG_BUF_INIT;
        uint64_t bytes;
        og_buf_text(&path, "__manifest");
        if (branch > 0)
            og_buf_printf(&path, "/tree/%s", sim_branch_name(branch));
        og_lance_manifest_name(&name, og_buf_cstr(&path), b->versions[v].number);
        /* A branch's first version may still stand in its parent's folder only. */
        bool is_there = w->store->ops->head(w->store, og_buf_cstr(&name), &bytes, NULL) == OG_OK;
        b->versions[v].may_miss |= !is_there;
        if (is_there || v + 1 == b->count)
            b->versions[kept++] = b->versions[v];
    }
    b->count = kept;
}

static void forget_versions(sim_world *w, int branch, uint64_t number)
{
    sim_branch *b = &w->branches[branch];
    while (b->count > 0 && newest(b)->number > number) {
        int commit = newest(b)->commit;
        b->count--;
        /* It may be published again, by whoever finishes it. */
        if (commit >= 0 && (b->count == 0 || newest(b)->commit != commit))
            w->commits[commit].is_lost = true;
    }
    for (int i = 0; i < w->plan->op_count; i++) {
        sim_result *r = &w->results[i];
        bool was_before = r->life + 1 < b->life; /* of an earlier branch of the name */
        if (w->plan->ops[i].branch != branch || was_before || !r->published || r->version <= number)
            continue;
        if (r->acknowledged)
            sim_wrong(w, "operation %d was acknowledged and is lost", i);
        r->published = r->by_foreign = false;
    }
    if (b->count > 0)
        drop_lost_versions(w, branch);
}

/* A branch that somebody was told of, and that nobody deleted, must be there. */
static void check_made_branches(sim_world *w)
{
    for (int i = 0; i < w->plan->op_count; i++) {
        const sim_result *r = &w->results[i];
        const sim_branch *b = &w->branches[w->plan->ops[i].branch];
        if (w->plan->ops[i].kind == SIM_BRANCH_CREATE && r->acknowledged && !b->exists &&
            b->life == r->life + 1)
            sim_wrong(w, "branch %s was said to be made (operation %d) and is lost",
                      sim_branch_name(w->plan->ops[i].branch), i);
    }
}

/* What a creator put to take its branch back may be lost before the ref is gone: then the branch
 * is there after all. */
static void see_born(sim_world *w, og_repo *repo, int branch)
{
    sim_branch *b = &w->branches[branch];
    og_error err = {0};
    b->count = 0;
    b->is_stillborn = see_new_branch(w, repo, branch, &err) != OG_OK;
    if (!b->is_stillborn)
        sim_trace(w, "branch b%d is there after all", branch);
}

void sim_check_power_loss(sim_world *w)
{
    og_error err = {0};
    sim_check_refs(w);
    check_made_branches(w);
    OG_AUTO(og_repo) repo = sim_is_wrong(w) ? NULL : sim_open_plain(w);
    for (int b = 0; b < SIM_BRANCHES && repo != NULL && !sim_is_wrong(w); b++) {
        OG_AUTO(og_snapshot) snapshot = NULL;
        OG_AUTO_BUF text = OG_BUF_INIT;
        if (w->branches[b].exists && w->branches[b].is_stillborn)
            see_born(w, repo, b);
        if (!w->branches[b].exists || w->branches[b].is_stillborn)
            continue;
        og_status s = og_repo_snapshot(repo, sim_branch_name(b), &snapshot, &err);
        if (s == OG_OK)
            s = sim_export(snapshot, &text, &err);
        if (s != OG_OK) {
            sim_wrong(w, "after power loss branch %s can't be read: %s (%s)", sim_branch_name(b),
                      err.message, err.detail);
            return;
        }
        forget_versions(w, b, snapshot->manifest_version);
        sim_version *v = newest(&w->branches[b]);
        if (v == NULL || v->number != snapshot->manifest_version)
            sim_wrong(w, "after power loss branch %s is at an unknown version", sim_branch_name(b));
        else
            sim_is_state(w, &v->state, og_buf_view(&text), "after power loss");
    }
}

/* ---- outcomes ----------------------------------------------------------------------------- */

/* Did the operation have this outcome at some moment while it ran? Without changing anything counts
 * as SIM_NOTHING. */
static bool was_possible(sim_world *w, int op, sim_outcome outcome)
{
    const sim_branch *b = &w->branches[w->plan->ops[op].branch];
    size_t since = w->results[op].since < b->count ? w->results[op].since : 0;
    for (size_t v = since; v < b->count; v++) {
        for (sim_view view = SIM_STRICT; view <= SIM_TOLERANT; view++) {
            sim_state state = b->versions[v].state;
            sim_outcome found = sim_apply(&w->plan->schema, &w->plan->ops[op], view, &state);
            bool unchanged = sim_state_eq(&state, &b->versions[v].state);
            if (found == outcome || (outcome == SIM_NOTHING && found != SIM_REFUSED && unchanged))
                return true;
        }
    }
    return false;
}

/* Did nothing happen to the branches it is about while it ran? */
static bool is_undisturbed(const sim_world *w, int op)
{
    const sim_result *r = &w->results[op];
    const sim_op *o = &w->plan->ops[op];
    return w->branches[o->branch].life == r->life && w->branches[o->other].life == r->other_life;
}

static bool is_whole(const sim_branch *b)
{
    return b->exists && !b->is_stillborn;
}

static bool are_there(const sim_world *w, int op)
{
    const sim_op *o = &w->plan->ops[op];
    bool reads_other = o->kind == SIM_BRANCH_MERGE || o->kind == SIM_BRANCH_CREATE;
    bool needs_own = o->kind != SIM_BRANCH_CREATE;
    return (!needs_own || is_whole(&w->branches[o->branch])) &&
           (!reads_other || is_whole(&w->branches[o->other]));
}

/* Could a merge of any states that both branches had meanwhile have ended so? */
static bool merge_was_possible(sim_world *w, int op, bool conflicts)
{
    const sim_branch *ours = &w->branches[w->plan->ops[op].branch];
    const sim_branch *theirs = &w->branches[w->plan->ops[op].other];
    for (size_t i = w->results[op].since; i < ours->count; i++)
        for (size_t k = w->results[op].other_since; k < theirs->count; k++) {
            int a = ours->versions[i].commit, b = theirs->versions[k].commit, bases[8];
            if (!conflicts && sim_commit_is_in(w, b, a))
                return true;
            int count = conflicts ? sim_merge_bases(w, a, b, bases, 8) : 0;
            for (int n = 0; n < count; n++) {
                sim_state state = ours->versions[i].state;
                if (sim_merge(&w->plan->schema, &w->commits[bases[n]].state,
                              &theirs->versions[k].state, SIM_STRICT, &state) == SIM_REFUSED)
                    return true;
            }
        }
    return false;
}

static void check_merge(sim_world *w, int op, bool committed, size_t conflicts)
{
    sim_result *r = &w->results[op];
    r->acknowledged = committed;
    r->is_settled = !committed;
    if (committed && !r->published && is_undisturbed(w, op))
        sim_wrong(w, "operation %d, a merge, was acknowledged and was not published", op);
    else if (!committed && r->published)
        sim_wrong(w, "operation %d, a merge, is said not to have happened, and was published", op);
    else if (!committed && is_undisturbed(w, op) && are_there(w, op) &&
             !merge_was_possible(w, op, conflicts > 0))
        sim_wrong(w, "operation %d, a merge, ended %s without a cause", op,
                  conflicts > 0 ? "in conflicts" : "as already done");
}

/* Making and deleting branches. */
static void check_branch_op(sim_world *w, int op)
{
    sim_result *r = &w->results[op];
    const sim_op *o = &w->plan->ops[op];
    bool makes = o->kind == SIM_BRANCH_CREATE;
    if (r->status == OG_OK) {
        r->acknowledged = true;
        if (!r->met)
            sim_wrong(w, "operation %d is said to have %s branch %s, which did not happen", op,
                      makes ? "made" : "deleted", sim_branch_name(o->branch));
        return;
    }
    if (r->status == OG_UNKNOWN)
        return;
    r->is_settled = true;
    bool exists = w->branches[o->branch].exists, still = is_undisturbed(w, op);
    bool expected =
        r->status == OG_CONFLICT || (r->status == OG_EXISTS && makes) || r->status == OG_NOT_FOUND;
    if (!expected && !r->had_fault)
        sim_wrong(w, "operation %d on branch %s failed without a fault: %s", op,
                  sim_branch_name(o->branch), r->message);
    else if (still && r->status == OG_EXISTS && !exists)
        sim_wrong(w, "operation %d: branch %s does not exist: %s", op, sim_branch_name(o->branch),
                  r->message);
    else if (still && r->status == OG_NOT_FOUND && are_there(w, op))
        sim_wrong(w, "operation %d did not find what is there: %s", op, r->message);
}

static void check_failure(sim_world *w, int op)
{
    sim_result *r = &w->results[op];
    const char *status = og_status_id(r->status);
    bool is_write = w->plan->ops[op].kind <= SIM_MUTATE;
    r->is_settled = true;
    if (r->published && !r->by_foreign)
        sim_wrong(w, "operation %d was published and ended with '%s': %s", op, status, r->message);
    else if (r->status == OG_CORRUPT)
        sim_wrong(w, "operation %d found damage: %s", op, r->message);
    else if (r->status == OG_NOT_FOUND && (!is_undisturbed(w, op) || !are_there(w, op)))
        return;
    else if (r->status == OG_NOT_FOUND && w->plan->ops[op].kind == SIM_CLEANUP)
        return; /* it looks at all branches, of which one may have gone */
    else if (r->status == OG_INVALID && is_write && is_undisturbed(w, op) &&
             !was_possible(w, op, SIM_REFUSED))
        sim_wrong(w, "operation %d was refused without a cause: %s", op, r->message);
    else if (r->status != OG_INVALID && r->status != OG_CONFLICT && !r->had_fault)
        sim_wrong(w, "operation %d failed without a fault: %s: %s", op, status, r->message);
}

static void check_write(sim_world *w, int op, bool committed)
{
    sim_result *r = &w->results[op];
    r->acknowledged = committed;
    r->is_settled = !committed;
    /* On a branch that was deleted meanwhile it came before the delete. */
    if (committed && !r->published && is_undisturbed(w, op))
        sim_wrong(w, "operation %d was acknowledged and was not published", op);
    else if (!committed && is_undisturbed(w, op) && !was_possible(w, op, SIM_NOTHING))
        sim_wrong(w, "operation %d is said to have changed nothing, but would have", op);
}

void sim_check_outcome(sim_world *w, int op, bool committed, size_t conflicts)
{
    sim_result *r = &w->results[op];
    sim_op_kind kind = w->plan->ops[op].kind;
    if (r->status == OG_NOT_FOUND) /* perhaps only the name is left of its branch */
        sim_check_refs(w);
    if (kind == SIM_BRANCH_CREATE || kind == SIM_BRANCH_DELETE)
        check_branch_op(w, op);
    else if (r->status == OG_UNKNOWN && !r->had_fault && is_undisturbed(w, op))
        sim_wrong(w, "operation %d ended with unknown outcome without a fault: %s", op, r->message);
    else if (r->status == OG_UNKNOWN)
        return;
    else if (r->status != OG_OK)
        check_failure(w, op);
    else if (kind == SIM_BRANCH_MERGE)
        check_merge(w, op, committed, conflicts);
    else if (kind <= SIM_MUTATE)
        check_write(w, op, committed);
}

void sim_check_read(sim_world *w, int op, uint64_t version, og_str text)
{
    const sim_branch *b = &w->branches[w->plan->ops[op].branch];
    if (b->life != w->results[op].life || !b->exists)
        return; /* another branch of that name */
    for (size_t v = w->results[op].since; v < b->count; v++)
        if (b->versions[v].number == version) {
            sim_is_state(w, &b->versions[v].state, text, "a reader's snapshot");
            return;
        }
    if (!w->processes[w->plan->ops[op].process].is_dead)
        sim_wrong(w, "operation %d, a read, was given version %" PRIu64 ", which is none", op,
                  version);
}
