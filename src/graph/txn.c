#include "graph/txn.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/vec.h"
#include "graph/commit.h"
#include "graph/foreign.h"
#include "graph/resolve.h"
#include "graph/restore.h"
#include "lance/table/indices.h"
#include "lance/table/rebase.h"
#include "topo/directory.h"

/* How often a commit is moved behind others before it is a conflict. */
#define MAX_COMMIT_ATTEMPTS 8
/* How long a commit waits for its turn; then it goes without. */
#define TURN_WAIT_US 1000000

typedef struct txn_table {
    const og_type_def *def;
    og_lance_op op;
    og_lance_write *write;
    og_lance_table *base; /* what was read; borrowed from the snapshot */
    bool is_fork;         /* first write on the branch: built on */
    og_graph__fork fork;
    og_lance_table *fork_table; /* the clone of base */
} txn_table;

static void table_deinit(txn_table *t)
{
    og_lance_write_free(t->write);
    og_lance_table_unref(t->fork_table);
    og_graph__fork_deinit(&t->fork);
}

struct og_txn {
    og_repo *repo;
    og_snapshot *snapshot;
    char *actor; /* NULL = none */
    const char *kind;
    char merged_parent[27];  /* "" = no merge */
    og_str merged_branch_id; /* borrowed; "" = not told */
    bool fold_control;
    OG_VEC(txn_table) tables;
    OG_VEC(const og_type_def *) reads;
    OG_VEC(const og_type_def *) prepared; /* slot pin + 1 was seen free */
    og_txn_holds_fn holds;                /* NULL: the commit can't be moved */
    void *holds_context;
    og_graph__sidecars sidecars; /* of writers that did not finish, or are at it; seldom any */
    og_turn *turn;               /* NULL: not taken, or not got */
    uint64_t began_ms;           /* no file is older */
    bool is_fenced;              /* a cleanup may have taken them */
};

void og_txn_free(og_txn *txn)
{
    if (txn == NULL)
        return;
    for (size_t i = 0; i < txn->tables.len; i++)
        table_deinit(&txn->tables.items[i]);
    og_vec_deinit(&txn->tables);
    og_vec_deinit(&txn->reads);
    og_vec_deinit(&txn->prepared);
    og_snapshot_unref(txn->snapshot);
    og_graph__sidecars_deinit(&txn->sidecars);
    og_turn_end(txn->turn);
    og_free(txn->actor);
    og_free(txn);
}

/* Writers of a branch take turns at its `__manifest`. */
static void take_turn(og_txn *txn, const og_graph__branch *branch)
{
    if (txn->turn == NULL)
        txn->turn = og_store_take_turn(txn->repo->store, branch->manifest_path, TURN_WAIT_US);
}

og_status og_txn_begin(og_repo *repo, const og_txn_options *options, og_txn **out, og_error *err)
{
    OG_AUTO(og_txn) txn = og_calloc(1, sizeof *txn);
    if (txn == NULL)
        return og_error_nomem(err);
    txn->repo = repo;
    txn->kind = options->kind;
    txn->began_ms = (uint64_t)og_repo_now_us(repo) / 1000;
    txn->fold_control = options->fold_control;
    if (options->actor != NULL && (txn->actor = og_strdup(options->actor)) == NULL)
        return og_error_nomem(err);
    og_str merged = og_str_of(options->merged_parent != NULL ? options->merged_parent : "");
    if (merged.len != 0 && !og_ulid_valid(merged))
        return og_error_set(err, OG_INVALID, "'%.*s' is no commit id", OG_FMT(merged));
    memcpy(txn->merged_parent, merged.ptr, merged.len);
    txn->merged_branch_id =
        og_str_of(options->merged_branch_id != NULL ? options->merged_branch_id : "");
    bool changed;
    OG_TRY(og_graph__foreign_recover(repo, &txn->sidecars, &changed, err));
    if (options->in_turn) {
        og_graph__branch *branch;
        OG_TRY(og_graph__branch_get(repo, options->branch, &branch, err));
        take_turn(txn, branch);
    }
    OG_TRY(og_repo_snapshot(repo, options->branch, &txn->snapshot, err));
    if (og_graph__is_unborn(txn->snapshot)) {
        OG_TRY(og_graph__fork_complete(repo, og_graph__branch_of(txn->snapshot), err));
        og_snapshot_unref(OG_TAKE(txn->snapshot));
        OG_TRY(og_repo_snapshot(repo, options->branch, &txn->snapshot, err));
    }
    *out = OG_TAKE(txn);
    return OG_OK;
}

og_snapshot *og_txn_snapshot(og_txn *txn)
{
    return txn->snapshot;
}

static bool is_prepared(const og_txn *txn, const og_type_def *def)
{
    for (size_t i = 0; i < txn->prepared.len; i++)
        if (txn->prepared.items[i] == def)
            return true;
    return false;
}

void og_txn_on_move(og_txn *txn, og_txn_holds_fn holds, void *context)
{
    txn->holds = holds;
    txn->holds_context = context;
}

/* A table that is written and that others have moved in `now`, or NULL. */
static const txn_table *moved_table(const og_txn *txn, og_snapshot *now)
{
    for (size_t i = 0; i < txn->tables.len; i++) {
        const txn_table *t = &txn->tables.items[i];
        const og_graph__pin *pin =
            og_graph__state_pin(og_graph__snapshot_of(now)->state, t->def->table_key);
        if (pin == NULL || pin->version != og_lance_table_version(t->base))
            return t;
    }
    return NULL;
}

static og_status resolve(og_txn *txn, const og_type_def *const *defs, size_t count, og_error *err)
{
    OG_AUTO(og_snapshot) now = og_snapshot_ref(txn->snapshot);
    OG_TRY(og_graph__resolve_heads(txn->repo, defs, count, &now, err));
    if (now->manifest_version == txn->snapshot->manifest_version)
        return OG_OK;
    const txn_table *moved = moved_table(txn, now);
    if (moved == NULL) {
        og_snapshot_unref(txn->snapshot);
        txn->snapshot = OG_TAKE(now);
        return OG_OK;
    }
    /* Nothing is lost, but the write must go behind that: as the commit does, if it can. */
    const og_graph__pin *pin =
        og_graph__state_pin(og_graph__snapshot_of(now)->state, moved->def->table_key);
    return txn->holds != NULL
               ? OG_OK
               : og_graph__stale(err, moved->def->table_key, og_lance_table_version(moved->base),
                                 pin != NULL ? pin->version : 0);
}

og_status og_txn_prepare(og_txn *txn, const og_type_def *const *defs, size_t count, og_error *err)
{
    og_graph__branch *branch = og_graph__branch_of(txn->snapshot);
    og_str name = branch->is_main ? OG_STR("") : og_str_of(branch->name);
    for (size_t i = 0; i < count; i++)
        OG_TRY(og_graph__foreign_check(&txn->sidecars, defs[i]->table_key, name, false, err));
    OG_TRY(resolve(txn, defs, count, err));
    for (size_t i = 0; i < count; i++)
        if (!is_prepared(txn, defs[i]) && !og_vec_push(&txn->prepared, defs[i]))
            return og_error_nomem(err);
    return OG_OK;
}

/* A table is written where its branch has it; the first time it is cloned there. */
static og_status fork_if_needed(og_snapshot *snapshot, txn_table *t, og_error *err)
{
    const og_graph__snapshot *s = og_graph__snapshot_of(snapshot);
    const og_graph__pin *pin = og_graph__state_pin(s->state, t->def->table_key);
    og_lance_table_unref(OG_TAKE(t->fork_table));
    og_graph__fork_deinit(&t->fork);
    t->is_fork = !og_graph__is_home(s->branch, pin);
    return t->is_fork ? og_graph__fork_table(snapshot, t->def, &t->fork, &t->fork_table, err)
                      : OG_OK;
}

static og_lance_table *built_on(const txn_table *t)
{
    return t->is_fork ? t->fork_table : t->base;
}

static og_status open_write(const og_txn *txn, txn_table *t, og_error *err)
{
    og_lance_write_options options = {.op = t->op,
                                      .min_max_fragment_id = -1,
                                      .fold = t->op == OG_LANCE_APPEND || t->op == OG_LANCE_UPDATE,
                                      .compact_as_update = true,
                                      .now_us = og_repo_now_us(txn->repo),
                                      .random = txn->repo->random};
    OG_TRY(og_snapshot_table(txn->snapshot, t->def, &t->base, err));
    if (t->op != OG_LANCE_DELETE && t->op != OG_LANCE_COMPACT)
        OG_TRY(og_graph__check_places(t->base, t->def, err));
    OG_TRY(fork_if_needed(txn->snapshot, t, err));
    return og_lance_write_new(txn->repo->env, built_on(t), &options, &t->write, err);
}

og_status og_txn_write(og_txn *txn, const og_type_def *def, og_lance_op op, og_lance_write **out,
                       og_error *err)
{
    for (size_t i = 0; i < txn->tables.len; i++) {
        if (txn->tables.items[i].def == def) {
            *out = txn->tables.items[i].write;
            return OG_OK;
        }
    }
    if (!is_prepared(txn, def))
        OG_TRY(og_txn_prepare(txn, &def, 1, err));
    txn_table t = {.def = def, .op = op};
    og_status s = open_write(txn, &t, err);
    if (s == OG_OK && !og_vec_push(&txn->tables, t))
        s = og_error_nomem(err);
    if (s != OG_OK) {
        table_deinit(&t);
        return s;
    }
    *out = t.write;
    return OG_OK;
}

og_status og_txn_reads(og_txn *txn, const og_type_def *def, og_error *err)
{
    for (size_t i = 0; i < txn->reads.len; i++)
        if (txn->reads.items[i] == def)
            return OG_OK;
    return og_vec_push(&txn->reads, def) ? OG_OK : og_error_nomem(err);
}

/* ---- commit ------------------------------------------------------------------------------- */

static bool is_written(const og_txn *txn, const og_type_def *def)
{
    for (size_t i = 0; i < txn->tables.len; i++)
        if (txn->tables.items[i].def == def)
            return true;
    return false;
}

static int by_key(const void *a, const void *b)
{
    return og_str_cmp(((const txn_table *)a)->def->table_key,
                      ((const txn_table *)b)->def->table_key);
}

/* The branch was deleted, and perhaps made again, since the commit began: may it have been
 * published before, and merged elsewhere? Not while slots were free, nor when nothing came after
 * what it was built on. */
static og_status may_have_gone_with_branch(const og_txn *txn, const og_graph__commit *commit,
                                           bool *out, og_error *err)
{
    const og_graph__branch *branch = og_graph__branch_of(txn->snapshot);
    char id[OG_GRAPH__BRANCH_ID + 1];
    bool ended_before;
    *out = false;
    og_status s = og_graph__branch_id(txn->repo, branch, id, err);
    if (s != OG_OK && s != OG_NOT_FOUND)
        return s;
    if ((s == OG_OK && og_str_is(commit->op.branch_id, id)) || commit->slots_held < txn->tables.len)
        return OG_OK;
    OG_TRY(og_graph__fork_ended_at(txn->repo, branch, txn->snapshot->manifest_version,
                                   &ended_before, err));
    *out = !ended_before;
    return OG_OK;
}

static og_status outcome_unknown(const og_graph__commit *commit, const char *why, og_error *err)
{
    char first[sizeof err->message];
    snprintf(first, sizeof first, "%s", err != NULL ? err->message : "");
    og_error_set(err, OG_UNKNOWN, "the outcome of operation %s is unknown: %s", commit->op.id, why);
    og_error_detail(err, "%s", first);
    return OG_UNKNOWN;
}

/* The commit failed, but holds slots: say so only when nobody can publish it any more.
 * Somebody may have already; then it did not fail. */
static og_status give_way(og_txn *txn, og_graph__commit *commit, og_status cause,
                          og_commit_result *out, og_error *err)
{
    OG_AUTO_FREE og_str *keys = og_calloc(txn->tables.len, sizeof *keys);
    og_error abort_error;
    og_graph__op_fate fate = OG_GRAPH__OP_PENDING;
    for (size_t i = 0; keys != NULL && i < txn->tables.len; i++)
        keys[i] = txn->tables.items[i].def->table_key;
    og_status s = keys == NULL ? og_error_nomem(&abort_error)
                               : og_graph__abort_op(txn->repo, og_graph__branch_of(txn->snapshot),
                                                    og_str_of(commit->op.id), keys, txn->tables.len,
                                                    NULL, &fate, &abort_error);
    if (s == OG_OK && fate == OG_GRAPH__OP_PUBLISHED)
        return og_graph__commit_helped(txn->repo, txn->snapshot, commit, out, err);
    bool may_be_gone = false;
    if (s == OG_OK || s == OG_NOT_FOUND)
        s = may_have_gone_with_branch(txn, commit, &may_be_gone, &abort_error);
    if (s == OG_OK && !may_be_gone)
        return cause;
    if (s == OG_OK) {
        outcome_unknown(commit, "the branch was deleted meanwhile, perhaps after it was published",
                        err);
        og_error_hint(err, "Where the branch was merged before, look for what it wrote.");
        return OG_UNKNOWN;
    }
    OG_AUTO_BUF why = OG_BUF_INIT;
    og_buf_printf(&why, "it failed and could not be undone (%s)", abort_error.message);
    outcome_unknown(commit, og_buf_cstr(&why), err);
    og_error_hint(err, "The next write settles it.");
    return OG_UNKNOWN;
}

static og_status holds_on(void *context, og_snapshot *now, og_error *err)
{
    og_txn *txn = context;
    return txn->holds(txn->holds_context, txn->snapshot, now, err);
}

static og_status commit_tables(og_txn *txn, og_graph__commit_table *tables,
                               const og_graph__pin **reads, og_commit_result *out, og_error *err)
{
    const og_graph__state *state = og_graph__snapshot_of(txn->snapshot)->state;
    og_graph__commit commit = {.tables = tables,
                               .table_count = txn->tables.len,
                               .reads = reads,
                               .began_ms = txn->began_ms,
                               .reads_hold = txn->holds != NULL ? holds_on : NULL,
                               .context = txn};
    og_graph__op_init(&commit.op, txn->repo, og_str_of(txn->actor != NULL ? txn->actor : ""),
                      og_str_of(txn->kind));
    memcpy(commit.op.merged_parent_id, txn->merged_parent, sizeof txn->merged_parent);
    commit.op.merged_branch_id = txn->merged_branch_id;
    commit.op.fold_all = txn->fold_control;
    for (size_t i = 0; i < txn->tables.len; i++) {
        txn_table *t = &txn->tables.items[i];
        /* On a branch row ids are given that its parent gives, too. */
        bool new_epoch = t->op == OG_LANCE_OVERWRITE || t->is_fork;
        tables[i] =
            (og_graph__commit_table){.pin = og_graph__state_pin(state, t->def->table_key),
                                     .fork = t->is_fork ? &t->fork : NULL,
                                     .write = t->write,
                                     .epoch = new_epoch ? OG_STR("") : og_topo_epoch(t->base)};
    }
    for (size_t i = 0; i < txn->reads.len; i++)
        if (!is_written(txn, txn->reads.items[i]))
            reads[commit.read_count++] = og_graph__state_pin(state, txn->reads.items[i]->table_key);
    og_status s = og_graph__commit_run(txn->repo, txn->snapshot, &commit, out, err);
    txn->is_fenced = commit.is_fenced;
    if (s != OG_OK && s != OG_UNKNOWN && commit.slots_held > 0)
        s = give_way(txn, &commit, s, out, err);
    return s;
}

static og_status commit_once(og_txn *txn, og_commit_result *out, og_error *err)
{
    OG_AUTO_FREE og_graph__commit_table *tables = og_calloc(txn->tables.len, sizeof *tables);
    OG_AUTO_FREE const og_graph__pin **reads = og_calloc(txn->reads.len, sizeof *reads);
    if (tables == NULL || reads == NULL)
        return og_error_nomem(err);
    return commit_tables(txn, tables, reads, out, err);
}

/* ---- going behind another's commit -------------------------------------------------------- */

static og_status move_write(txn_table *t, og_snapshot *now, og_error *err)
{
    og_lance_table *base;
    og_lance_verdict verdict;
    OG_TRY(og_snapshot_table(now, t->def, &base, err));
    OG_TRY(fork_if_needed(now, t, err));
    og_lance_table *onto = t->is_fork ? t->fork_table : base;
    /* Where columns changed a table takes rows that the graph's types may not. */
    OG_TRY(og_lance_succession(og_lance_write_base(t->write), onto, &verdict, err));
    if (verdict == OG_LANCE_FITS)
        OG_TRY(og_lance_write_rebase(t->write, onto, &verdict, err));
    if (verdict != OG_LANCE_FITS)
        return og_graph__stale(err, t->def->table_key, og_lance_table_version(t->base),
                               og_lance_table_version(base));
    t->base = base;
    return OG_OK;
}

/* A branch that is deleted while it is written is a conflict. */
static og_status newest_snapshot(const og_txn *txn, og_snapshot **out, og_error *err)
{
    const char *name = og_graph__branch_of(txn->snapshot)->name;
    og_status s = og_repo_snapshot(txn->repo, name, out, err);
    if (s == OG_NOT_FOUND)
        return og_graph__branch_gone(err, name);
    return s;
}

static og_status build_on_newest(og_txn *txn, og_error *err)
{
    OG_AUTO(og_snapshot) now = NULL;
    OG_AUTO_FREE const og_type_def **defs = og_calloc(txn->tables.len, sizeof *defs);
    if (defs == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < txn->tables.len; i++)
        defs[i] = txn->tables.items[i].def;
    OG_TRY(newest_snapshot(txn, &now, err));
    OG_TRY(og_graph__resolve_heads(txn->repo, defs, txn->tables.len, &now, err));
    OG_TRY(txn->holds(txn->holds_context, txn->snapshot, now, err));
    for (size_t i = 0; i < txn->tables.len; i++)
        OG_TRY(move_write(&txn->tables.items[i], now, err));
    og_snapshot_unref(txn->snapshot);
    txn->snapshot = OG_TAKE(now);
    return OG_OK;
}

/* Build on the newest snapshot. After a conflict the txn can only be freed: some writes may be
 * moved. Who slept over a cleanup can't tell what differs from what it had read. */
static og_status move_to_newest(og_txn *txn, og_error *err)
{
    og_status s = build_on_newest(txn, err);
    if (s != OG_NOT_FOUND)
        return s;
    og_error_set(err, OG_CONFLICT, "what the operation was decided on was cleaned away meanwhile");
    return og_graph__retryable(err);
}

/* Others may have committed while we worked: seen before a slot is lost, it costs less. */
static og_status catch_up(og_txn *txn, og_error *err)
{
    OG_AUTO(og_snapshot) now = NULL;
    OG_TRY(newest_snapshot(txn, &now, err));
    if (now->manifest_version == txn->snapshot->manifest_version)
        return OG_OK;
    return move_to_newest(txn, err);
}

/* Those who met come back at different times; a turn is enough where there are turns. */
static void step_back(const og_txn *txn, int attempt)
{
    uint32_t bits;
    if (txn->turn != NULL)
        return;
    txn->repo->random->fill(txn->repo->random->context, &bits, sizeof bits);
    og_clock_sleep(txn->repo->clock, (int64_t)(bits % (1000u << attempt)));
}

static og_status commit_movable(og_txn *txn, og_commit_result *out, og_error *err)
{
    take_turn(txn, og_graph__branch_of(txn->snapshot));
    /* Without a turn somebody may still come before us: then a lost slot tells,
     * and the look is spared. */
    og_status s = txn->turn != NULL ? catch_up(txn, err) : OG_OK;
    for (int attempt = 1; s == OG_OK; attempt++) {
        s = commit_once(txn, out, err);
        if (s != OG_CONFLICT || attempt == MAX_COMMIT_ATTEMPTS || txn->is_fenced)
            return s;
        step_back(txn, attempt);
        s = move_to_newest(txn, err);
    }
    return s;
}

og_status og_txn_commit(og_txn *txn, og_commit_result *out, og_error *err)
{
    /* Ascending keys: two writers of the same tables meet at the first,
     * so neither waits in a circle. */
    if (txn->tables.len > 1)
        qsort(txn->tables.items, txn->tables.len, sizeof *txn->tables.items, by_key);
    og_status s = txn->holds != NULL ? commit_movable(txn, out, err) : commit_once(txn, out, err);
    og_turn_end(txn->turn);
    txn->turn = NULL;
    return s;
}
