#include "graph/commit.h"

#include <inttypes.h>
#include <stdio.h>

#include "graph/aftermath.h"
#include "graph/ahead.h"
#include "graph/commit_priv.h"
#include "graph/layout.h"
#include "graph/schema_files.h"
#include "graph/sidecar.h"
#include "lance/table/indices.h"

og_status og_graph__retryable(og_error *err)
{
    og_error_hint(err, "Another writer committed first; run the operation again.");
    return OG_CONFLICT;
}

og_status og_graph__branch_gone(og_error *err, const char *name)
{
    return og_error_set(err, OG_CONFLICT, "branch '%s' was deleted meanwhile", name);
}

og_status og_graph__stale(og_error *err, og_str table_key, uint64_t expected, uint64_t actual)
{
    og_error_set(err, OG_CONFLICT,
                 "stale view of '%.*s': expected manifest table version %" PRIu64
                 " but current is %" PRIu64 " \xe2\x80\x94 refresh and retry",
                 OG_FMT(table_key), expected, actual);
    return og_graph__retryable(err);
}

static void run_deinit(og_graph__run *r)
{
    og_lance_write_free(r->publish);
    og_lance_table_unref(r->manifest);
    og_graph__state_unref(r->state);
    og_graph__dag_deinit(&r->dag);
    og_vec_deinit(&r->names);
    og_buf_deinit(&r->base_name);
    og_free(r->moves);
    og_free(r->sidecar_name);
}

/* ---- S0: say in every table which operation it belongs to --------------------------------- */

/* "key@expected>new,…" of all tables, for og.tables. */
static bool list_tables(const og_graph__commit *c, og_buf *out)
{
    for (size_t i = 0; i < c->table_count; i++) {
        const og_graph__pin *pin = c->tables[i].pin;
        const og_lance_write *write = c->tables[i].write;
        og_buf_printf(out, "%s%.*s@%" PRIu64 ">%" PRIu64, i > 0 ? "," : "", OG_FMT(pin->table_key),
                      pin->version,
                      write != NULL ? og_lance_write_version(write) : pin->version + 1);
    }
    return !out->failed;
}

static bool list_reads(const og_graph__commit *c, og_buf *out)
{
    for (size_t i = 0; i < c->read_count; i++)
        og_buf_printf(out, "%s%.*s@%" PRIu64, i > 0 ? "," : "", OG_FMT(c->reads[i]->table_key),
                      c->reads[i]->version);
    return !out->failed;
}

static og_status name_operation(const og_graph__commit *c, const og_graph__commit_table *t,
                                og_error *err)
{
    OG_AUTO_BUF tables = OG_BUF_INIT;
    OG_AUTO_BUF reads = OG_BUF_INIT;
    if (!list_tables(c, &tables) || !list_reads(c, &reads))
        return og_error_nomem(err);
    char began[24] = "";
    if (c->began_ms != 0 && c->began_ms < og_ulid_ms(og_str_of(c->op.id)))
        snprintf(began, sizeof began, "%" PRIu64, c->began_ms);
    const og_lance_kv properties[] = {
        {OG_STR("og.op"), og_str_of(c->op.id)},
        {OG_STR("og.kind"), c->op.kind},
        {OG_STR("og.branch"), c->op.branch.len > 0 ? c->op.branch : OG_STR(OG_GRAPH__MAIN)},
        {OG_STR("og.branch_id"), c->op.branch_id},
        {OG_STR("og.actor"), c->op.actor},
        {OG_STR("og.commit"), og_str_of(c->op.commit_id)},
        {OG_STR("og.merged_parent"), og_str_of(c->op.merged_parent_id)},
        {OG_STR("og.merged_branch_id"), c->op.merged_branch_id},
        {OG_STR("og.tables"), og_buf_view(&tables)},
        {OG_STR("og.reads"), og_buf_view(&reads)},
        {OG_STR("og.base"), og_lance_table_transaction_uuid(og_lance_write_base(t->write))},
        {OG_STR("og.began"), og_str_of(began)},
        {OG_STR("og.epoch"), t->epoch.len > 0 ? t->epoch : og_str_of(c->op.id)},
    };
    return og_lance_write_set_properties(t->write, properties,
                                         sizeof properties / sizeof *properties, err);
}

static og_status stage_tables(og_graph__run *r, og_error *err)
{
    og_graph__commit *c = r->commit;
    for (size_t i = 0; i < c->table_count; i++) {
        og_graph__commit_table *t = &c->tables[i];
        og_graph__move *move = &r->moves[i];
        *move = (og_graph__move){.pin = og_graph__home_pin(r->branch, t->pin),
                                 .expected_version = t->pin->version};
        move->pin.op[0] = '\0';
        if (t->write == NULL) {
            move->pin.version = og_lance_table_version(t->taken);
            move->pin.manifest_bytes = og_lance_table_manifest_bytes(t->taken);
            move->pin.row_count = og_lance_table_row_count(t->taken);
            move->manifest_name = t->taken_name;
            /* Who took the slot may have died before its sync. */
            if (!og_vec_push(&r->names, t->taken_name))
                return og_error_nomem(err);
            continue;
        }
        const og_lance_staged *staged;
        OG_TRY(name_operation(c, t, err));
        OG_TRY(og_lance_write_stage(t->write, &staged, err));
        memcpy(move->pin.op, c->op.id, sizeof move->pin.op);
        move->pin.version = staged->version;
        move->pin.manifest_bytes = staged->manifest.len;
        move->pin.row_count = staged->row_count;
        move->manifest_name = staged->manifest_name;
        for (size_t f = 0; f < staged->file_count; f++)
            if (!og_vec_push(&r->names, staged->file_names[f]))
                return og_error_nomem(err);
    }
    for (size_t i = 0; i < c->below_count; i++)
        if (!og_vec_push(&r->names, c->below[i]))
            return og_error_nomem(err);
    return OG_OK;
}

/* ---- the sidecar, for the reference's sake ------------------------------------------------ */

/* Tell of the first `count` tables. */
static og_status write_sidecar(og_graph__run *r, size_t count, bool is_armed, og_error *err)
{
    OG_AUTO_BUF json = OG_BUF_INIT;
    if (!og_graph__sidecar_encode(&r->commit->op, r->store->root, r->moves, count, is_armed, &json))
        return og_error_nomem(err);
    return r->store->ops->put(r->store, r->sidecar_name, og_buf_bytes(&json), err);
}

/* Written only while several slots are being taken: half of an operation must not look whole to the
 * reference. */
static og_status put_sidecar(og_graph__run *r, og_error *err)
{
    og_graph__commit *c = r->commit;
    if (c->table_count < 2 || c->tables[0].write == NULL)
        return OG_OK;
    char name[64];
    snprintf(name, sizeof name, OG_GRAPH__RECOVERY "%s.json", c->op.id);
    r->sidecar_name = og_strdup(name);
    return r->sidecar_name != NULL ? write_sidecar(r, c->table_count, true, err)
                                   : og_error_nomem(err);
}

/* The operation is going to be undone. Until it is, the reference must not take a winner's version
 * for the one that we lost, nor publish what we are to report as failed: it is to undo the tables
 * that we hold, too. */
static void disarm_sidecar(og_graph__run *r)
{
    size_t held = r->commit->slots_held;
    if (r->sidecar_name != NULL)
        (void)!write_sidecar(r, held < r->move_count ? held : r->move_count, false, NULL);
}

static void remove_sidecar(og_graph__run *r)
{
    OG_AUTO_FREE char *name = OG_TAKE(r->sidecar_name);
    if (name != NULL)
        (void)!r->store->ops->remove(r->store, (const char *const[]){name}, 1, NULL);
}

/* ---- S1 and S2 ---------------------------------------------------------------------------- */

/* The slots' content goes to disk with the files of S1, so S2 and S3 sync names only. */
static og_status announce_slots(og_graph__run *r, og_error *err)
{
    og_graph__commit *c = r->commit;
    for (size_t i = 0; i < c->table_count; i++)
        if (c->tables[i].write != NULL && og_lance_staged_announce(c->tables[i].write) &&
            !og_vec_push(&r->names, r->moves[i].manifest_name))
            return og_error_nomem(err);
    if (og_lance_staged_announce(r->publish) &&
        !og_vec_push(&r->names, r->publish_staged->manifest_name))
        return og_error_nomem(err);
    return OG_OK;
}

/* A table that is new on the branch: its ref, by which a cleanup finds what it holds, and its first
 * version. That belongs to no operation; whoever finds one that nobody published goes above it. */
static og_status take_fork(og_graph__run *r, const og_graph__commit_table *t, og_error *err)
{
    og_graph__fork *fork = t->fork;
    const char *ref = og_buf_cstr(&fork->ref_name);
    og_graph__pin home = og_graph__home_pin(r->branch, t->pin);
    OG_AUTO_BUF path = OG_BUF_INIT;
    if (!og_graph__pin_path(&path, &home))
        return og_error_nomem(err);
    OG_TRY(r->store->ops->put(r->store, ref, og_buf_bytes(&fork->ref), err));
    og_status s = og_graph__take_slot(r, fork->write, og_buf_cstr(&path), fork, err);
    if (s == OG_EXISTS)
        return og_graph__stale(err, t->pin->table_key, t->pin->version, fork->staged->version);
    OG_TRY(s);
    if (!og_vec_push(&r->names, ref) || !og_vec_push(&r->names, fork->staged->manifest_name))
        return og_error_nomem(err);
    return OG_OK;
}

/* With S1, so that the sidecar's tables are there before it is. */
static og_status take_forks(og_graph__run *r, og_error *err)
{
    for (size_t i = 0; i < r->commit->table_count; i++)
        if (r->commit->tables[i].fork != NULL)
            OG_TRY(take_fork(r, &r->commit->tables[i], err));
    return OG_OK;
}

/* S2 */
static og_status take_tables(og_graph__run *r, og_error *err)
{
    og_graph__commit *c = r->commit;
    for (size_t i = 0; i < c->table_count; i++) {
        og_graph__commit_table *t = &c->tables[i];
        if (t->write == NULL)
            continue;
        OG_AUTO_BUF path = OG_BUF_INIT;
        if (!og_graph__pin_path(&path, &r->moves[i].pin))
            return og_error_nomem(err);
        og_status s = og_graph__take_slot(r, t->write, og_buf_cstr(&path), NULL, err);
        if (s == OG_EXISTS)
            return og_graph__stale(err, t->pin->table_key, t->pin->version,
                                   r->moves[i].pin.version);
        OG_TRY(s);
        c->slots_held++;
        if (!og_vec_push(&r->names, r->moves[i].manifest_name))
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* ---- S4 ----------------------------------------------------------------------------------- */

/* The snapshot of what was just published, without reading it back. */
static og_status new_snapshot(og_graph__run *r, og_snapshot *base, og_snapshot **out, og_error *err)
{
    og_graph__commit *c = r->commit;
    OG_AUTO_FREE og_graph__pin *pins = og_calloc(r->move_count, sizeof *pins);
    if (pins == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < r->move_count; i++)
        pins[i] = r->moves[i].pin;
    OG_AUTO(og_graph__state) state = NULL;
    OG_AUTO(og_lance_table) manifest = NULL;
    /* Marks are no part of the history. */
    og_str id = og_graph__is_mark(&c->mark) ? OG_STR("") : og_str_of(c->op.commit_id);
    OG_TRY(og_graph__state_advance(r->state, r->publish_staged->version, pins, r->move_count, id,
                                   c->mark.horizon_ms, &state, err));
    OG_TRY(og_lance_write_table(r->publish, &manifest, err));
    return og_graph__snapshot_new(r->repo, r->branch, og_graph__snapshot_of(base)->branch_id, state,
                                  manifest, base, out, err);
}

/* The tables that were written need not be read back either. */
static void keep_tables(const og_graph__commit *c, og_snapshot *snapshot)
{
    for (size_t i = 0; i < c->table_count; i++) {
        OG_AUTO(og_lance_table) table = NULL;
        if (c->tables[i].write != NULL &&
            og_lance_write_table(c->tables[i].write, &table, NULL) == OG_OK)
            og_graph__snapshot_put(snapshot, c->tables[i].pin->table_key, table);
    }
}

static void tidy(og_graph__run *r, og_snapshot *base)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    bool taken = false;
    /* Near, it is away before this process looks for sidecars again. */
    if (!og_store_is_far(r->store))
        remove_sidecar(r);
    if (new_snapshot(r, base, &snapshot, NULL) == OG_OK) {
        og_graph__snapshot_of(snapshot)->is_synced = true;
        keep_tables(r->commit, snapshot);
        taken = og_graph__aftermath(r->repo, snapshot, r->commit, &r->dag, &r->sidecar_name);
    }
    if (taken)
        og_graph__repo_advance(snapshot);
    else
        remove_sidecar(r);
}

/* Whoever published for us may not have synced the slot yet. */
static og_status sync_versions(og_graph__run *r, uint64_t first, uint64_t last, og_error *err)
{
    for (uint64_t version = first; version <= last; version++) {
        OG_AUTO_BUF buf = OG_BUF_INIT;
        if (!og_lance_manifest_name(&buf, r->branch->manifest_path, version))
            return og_error_nomem(err);
        const char *name = og_buf_cstr(&buf);
        OG_TRY(r->store->ops->sync(r->store, &name, 1, err));
    }
    return OG_OK;
}

/* A helper has published us: whatever fails now, "failed" would be a lie. */
static og_status finish_helped(og_graph__run *r, const og_snapshot *base, og_commit_result *out,
                               og_error *err)
{
    OG_AUTO(og_snapshot) newest = NULL;
    og_status s = og_graph__repo_refresh(r->repo, r->branch, &newest, err);
    if (s == OG_OK)
        s = sync_versions(r, base->manifest_version + 1, newest->manifest_version, err);
    if (s != OG_OK) {
        og_error_context(err, s, "operation %s is visible, but may not be durable",
                         r->commit->op.id);
        if (err != NULL)
            err->status = OG_UNKNOWN;
        return OG_UNKNOWN;
    }
    out->manifest_version = newest->manifest_version;
    remove_sidecar(r);
    return OG_OK;
}

/* ---- all steps ---------------------------------------------------------------------------- */

static og_status prepare(og_graph__run *r, og_snapshot *base, og_error *err)
{
    og_graph__snapshot *s = og_graph__snapshot_of(base);
    r->manifest = og_lance_table_ref(s->manifest);
    r->base_is_synced = s->is_synced;
    r->state = og_graph__state_ref(s->state);
    r->moves = og_calloc(r->commit->table_count, sizeof *r->moves);
    r->move_count = r->commit->table_count;
    if (r->moves == NULL)
        return og_error_nomem(err);
    return og_graph__follow_head(r, err);
}

static og_status run_steps(og_graph__run *r, og_snapshot *base, og_commit_result *out,
                           og_error *err)
{
    og_graph__commit *c = r->commit;
    OG_TRY(prepare(r, base, err));
    OG_TRY(stage_tables(r, err));
    OG_TRY(og_graph__publish_prepare(r, err));
    OG_TRY(take_forks(r, err));
    OG_TRY(put_sidecar(r, err));
    OG_TRY(announce_slots(r, err));
    OG_TRY(og_graph__sync_staged(r, err));
    og_graph__expect_checks(r->repo, r->branch);
    OG_TRY(take_tables(r, err));
    OG_TRY(og_graph__sync_names(r, err));
    OG_TRY(og_graph__schema_idle(r->store, r->repo->catalog, err));
    OG_TRY(og_graph__check_branch(r, err));
    bool by_helper;
    OG_TRY(og_graph__publish(r, &by_helper, err));
    c->by_other = by_helper;
    c->slots_held = 0;
    memcpy(out->commit_id, c->op.commit_id, sizeof out->commit_id);
    if (by_helper)
        return finish_helped(r, base, out, err);
    out->manifest_version = r->publish_staged->version;
    tidy(r, base);
    return OG_OK;
}

/* The branch was deleted and made again while the operation ran, and has no version of its own yet:
 * what `base` shows is its parent's, in whose slots we have no business. */
static og_status refuse_unborn(og_repo *repo, og_snapshot *base, og_error *err)
{
    const og_graph__branch *branch = og_graph__branch_of(base);
    OG_TRY(og_graph__fork_complete(repo, branch, err));
    og_error_set(err, OG_CONFLICT, "branch '%s' was made again meanwhile", branch->name);
    return og_graph__retryable(err);
}

og_status og_graph__commit_run(og_repo *repo, og_snapshot *base, og_graph__commit *commit,
                               og_commit_result *out, og_error *err)
{
    og_graph__snapshot *snapshot = og_graph__snapshot_of(base);
    og_graph__run r = {
        .repo = repo, .store = repo->store, .branch = snapshot->branch, .commit = commit};
    commit->slots_held = 0;
    if (og_graph__is_unborn(base))
        return refuse_unborn(repo, base, err);
    commit->op.branch = snapshot->branch->is_main ? OG_STR("") : og_str_of(snapshot->branch->name);
    commit->op.branch_id = og_str_of(snapshot->branch_id);
    og_status s = run_steps(&r, base, out, err);
    og_store_expect_no_more(repo->store);
    if (s != OG_OK && s != OG_UNKNOWN && commit->slots_held == 0)
        remove_sidecar(&r);
    else if (s != OG_OK && s != OG_UNKNOWN)
        disarm_sidecar(&r);
    run_deinit(&r);
    return s;
}

og_status og_graph__commit_helped(og_repo *repo, og_snapshot *base, og_graph__commit *commit,
                                  og_commit_result *out, og_error *err)
{
    og_graph__run r = {
        .repo = repo, .store = repo->store, .branch = og_graph__branch_of(base), .commit = commit};
    memcpy(out->commit_id, commit->op.commit_id, sizeof out->commit_id);
    return finish_helped(&r, base, out, err);
}
