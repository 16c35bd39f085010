/* What commits that came made of a branch: the model goes the same way. */
#include "lineage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/repo_priv.h"
#include "graph/state.h"

/* ---- publications ------------------------------------------------------------------------- */

static int op_of(const sim_world *w, og_str actor)
{
    if (!og_str_starts(actor, OG_STR("op")))
        return -1;
    int op = atoi(actor.ptr + 2);
    return op < w->plan->op_count ? op : -1;
}

/* Say that the operation is in the graph now. */
static bool publish(sim_world *w, int op, uint64_t version)
{
    sim_result *r = &w->results[op];
    if (r->published && !r->by_foreign)
        sim_wrong(w, "operation %d was published twice", op);
    else if (r->is_settled)
        sim_wrong(w, "operation %d ended with '%s' (%s) and appears nevertheless", op,
                  og_status_id(r->status), r->message);
    r->published = true;
    r->version = version;
    return !sim_is_wrong(w);
}

bool sim_prints_as(const sim_world *w, const sim_state *state, og_str text)
{
    OG_AUTO_BUF printed = OG_BUF_INIT;
    sim_state_print(&w->plan->schema, state, &printed);
    return og_str_eq(og_buf_view(&printed), text);
}

/* What a merge makes of the state. With several bases any of them may have been taken. */
static void follow_merge(sim_world *w, int op, const og_commit_info *commit, og_str text,
                         sim_state *state)
{
    int ours = sim_commit_find(w, commit->parent), bases[8];
    int theirs = sim_commit_find(w, commit->merged_parent);
    if (ours < 0 || theirs < 0) {
        sim_wrong(w, "operation %d, a merge, has parents that are no commits: '%.*s', '%.*s'", op,
                  OG_FMT(commit->parent), OG_FMT(commit->merged_parent));
        return;
    }
    int count = sim_merge_bases(w, ours, theirs, bases, 8);
    sim_state found = *state;
    bool is_merged = false;
    for (int i = 0; i < count; i++) {
        sim_state next = *state;
        if (sim_merge(&w->plan->schema, &w->commits[bases[i]].state, &w->commits[theirs].state,
                      SIM_TOLERANT, &next) == SIM_REFUSED)
            continue;
        if (!is_merged || sim_prints_as(w, &next, text))
            found = next;
        is_merged = true;
    }
    if (!is_merged)
        sim_wrong(w, "operation %d, a merge, was published in spite of conflicts", op);
    *state = found;
}

/* What a stranger makes of an operation: its tables as they came of an earlier version, on which it
 * was decided, and which none of these tables has left. Those that it only read may have. */
static bool apply_as_decided(const sim_world *w, const sim_op *op, const sim_state *decided,
                             sim_state *now)
{
    sim_state made = *decided, next = *now;
    if (sim_apply(&w->plan->schema, op, SIM_TOLERANT, &made) != SIM_CHANGED)
        return false;
    for (int t = 0; t < SIM_TYPES; t++) {
        if (sim_type_eq(&made, decided, t))
            continue;
        if (!sim_type_eq(decided, now, t))
            return false;
        memcpy(next.rows[t], made.rows[t], sizeof next.rows[t]);
    }
    *now = next;
    return true;
}

/* ULID of the operation of the plan whose writer, or one of its attempts,
 * made the version of a table. */
static bool find_maker(og_lance_table *table, int op, char out[27])
{
    char actor[16];
    snprintf(actor, sizeof actor, "op%d", op);
    og_str maker = og_lance_table_transaction_property(table, OG_STR("og.actor"));
    og_str id = og_lance_table_transaction_property(table, OG_STR("og.op"));
    if (!og_str_is(maker, actor) || id.len != 26)
        return false;
    memcpy(out, id.ptr, 26);
    out[26] = '\0';
    return true;
}

/* Is a pinned version the operation's? */
static bool is_pinned(og_snapshot *snapshot, const sim_schema *s, int op, char out_id[27])
{
    bool found = false;
    for (int t = 0; t < SIM_TYPES && !found; t++) {
        char name[8];
        og_lance_table *table;
        int number = t % SIM_NODE_TYPES;
        if (number >= (sim_is_edge(t) ? s->edge_types : s->node_types))
            continue;
        snprintf(name, sizeof name, sim_is_edge(t) ? "E%d" : "N%d", number);
        const og_type_def *def = sim_is_edge(t)
                                     ? og_catalog_edge(snapshot->catalog, og_str_of(name))
                                     : og_catalog_node(snapshot->catalog, og_str_of(name));
        found = og_snapshot_table(snapshot, def, &table, NULL) == OG_OK &&
                find_maker(table, op, out_id);
    }
    return found;
}

/* Find what a stranger made of an operation that was under way. */
static void apply_foreign(sim_world *w, int op, int branch, og_str text, sim_state *state)
{
    const sim_branch *b = &w->branches[branch];
    for (size_t v = b->count; v > 0 && !sim_prints_as(w, state, text); v--) {
        sim_state next = *state;
        if (apply_as_decided(w, &w->plan->ops[op], &b->versions[v - 1].state, &next) &&
            sim_prints_as(w, &next, text))
            *state = next;
    }
}

static void follow_foreign(sim_world *w, const sim_looked *at, const og_commit_info *commit,
                           sim_state *state)
{
    for (int i = 0; i < w->plan->op_count; i++) {
        sim_result *r = &w->results[i];
        if (!r->started || r->published || w->plan->ops[i].branch != at->branch ||
            !is_pinned(at->snapshot, &w->plan->schema, i, r->foreign_id))
            continue;
        sim_trace(w, "operation %d was published by a stranger", i);
        /* Of an operation that was aborted, too: it does not know what that is. */
        r->published = r->by_foreign = true;
        r->version = commit->manifest_version;
        apply_foreign(w, i, at->branch, at->text, state);
        return;
    }
}

/* Its own commit comes behind what a stranger published of it.
 * An attempt that had been aborted was run again. */
static void follow_again(sim_world *w, int op, const sim_looked *at, sim_state *state)
{
    og_graph__op_fate fate;
    sim_state next = *state;
    og_lance_table *manifest = og_graph__snapshot_of(at->snapshot)->manifest;
    if (!sim_prints_as(w, state, at->text) &&
        og_graph__op_fate_of(manifest, og_str_of(w->results[op].foreign_id), &fate, NULL) ==
            OG_OK &&
        fate == OG_GRAPH__OP_ABORTED &&
        sim_apply(&w->plan->schema, &w->plan->ops[op], SIM_TOLERANT, &next) == SIM_CHANGED)
        *state = next;
}

/* The state after a commit that was just published. */
static void follow_commit(sim_world *w, const sim_looked *at, const og_commit_info *commit,
                          sim_state *state)
{
    int op = op_of(w, commit->actor);
    if (op < 0) {
        if (commit->actor.len > 0 && !og_str_is(commit->actor, "omnigraph:recovery"))
            sim_wrong(w, "a commit by '%.*s'", OG_FMT(commit->actor));
        follow_foreign(w, at, commit, state);
        return;
    }
    bool is_done = w->results[op].by_foreign;
    if (!publish(w, op, commit->manifest_version))
        return;
    if (is_done)
        follow_again(w, op, at, state);
    else if (w->plan->ops[op].kind == SIM_BRANCH_MERGE)
        follow_merge(w, op, commit, at->text, state);
    else if (sim_apply(&w->plan->schema, &w->plan->ops[op], SIM_TOLERANT, state) == SIM_REFUSED)
        sim_wrong(w, "operation %d was published on a state that refuses it", op);
}

int sim_follow_commits(sim_world *w, const sim_looked *at, const og_commit_info *commits,
                       size_t count, uint64_t last, sim_state *state)
{
    int newest_commit = -1;
    for (size_t i = 0; i < count && !sim_is_wrong(w); i++) {
        const og_commit_info *c = &commits[i];
        /* A merge that changed nothing is listed with the version of its target. */
        int known = sim_commit_find(w, c->id);
        if (c->manifest_version < last || (known >= 0 && !w->commits[known].is_lost))
            continue;
        follow_commit(w, at, c, state);
        newest_commit = sim_commit_add(w, c->id, c->parent, c->merged_parent, state);
    }
    return newest_commit;
}
