#include "graph/commit_priv.h"
#include "graph/later.h"
#include "lance/table/rebase.h"

/* Slots of `__manifest` that may be lost to disjoint writers before we call it a conflict. */
#define MAX_PUBLISH_ATTEMPTS 16

og_status og_graph__publish_prepare(og_graph__run *r, og_error *err)
{
    og_graph__commit *c = r->commit;
    og_lance_write_free(OG_TAKE(r->publish));
    OG_TRY(og_graph__publish_stage(r->repo->env, r->manifest, r->store->root, &c->op, r->moves,
                                   r->move_count, &c->mark, r->repo->random, &r->publish,
                                   &r->publish_staged, err));
    for (size_t f = 0; f < r->publish_staged->file_count; f++)
        if (!og_vec_push(&r->names, r->publish_staged->file_names[f]))
            return og_error_nomem(err);
    return OG_OK;
}

static og_status check_pin(const og_graph__state *now, const og_graph__pin *was, og_error *err)
{
    const og_graph__pin *pin = og_graph__state_pin(now, was->table_key);
    if (pin != NULL && pin->version == was->version)
        return OG_OK;
    return og_graph__stale(err, was->table_key, was->version, pin != NULL ? pin->version : 0);
}

/* Is what came after our version made of it? We may have slept over a cleanup, and taken a slot
 * that it had freed. */
static og_status was_built_on(og_graph__run *r, const char *path, const og_graph__move *move,
                              og_lance_table *ours, const og_graph__pin *pin, bool *out,
                              og_error *err)
{
    OG_AUTO(og_lance_table) next = NULL;
    OG_AUTO(og_lance_table) pinned = NULL;
    OG_AUTO(og_lance_table) before = NULL;
    og_lance_verdict verdict;
    og_status s = og_lance_table_open(r->repo->env, path, move->pin.version + 1, 0, &next, err);
    if (s != OG_OK && s != OG_NOT_FOUND)
        return s;
    og_str base =
        s == OG_OK ? og_lance_table_transaction_property(next, OG_STR("og.base")) : OG_STR("");
    if (base.len > 0) { /* writers of ours build on pins, but for a restore */
        *out = og_str_eq(base, og_lance_table_transaction_uuid(ours)) &&
               !og_str_is(og_lance_table_transaction_property(next, OG_STR("og.kind")), "Recovery");
        return OG_OK;
    }
    /* Of other programs' versions only rows and files tell, when some of ours are left. */
    OG_TRY(og_lance_table_open(r->repo->env, path, pin->version, 0, &pinned, err));
    OG_TRY(og_lance_succession(ours, pinned, &verdict, err));
    if (verdict != OG_LANCE_FITS)
        return OG_OK;
    s = og_lance_table_open(r->repo->env, path, move->expected_version, 0, &before, err);
    *out = s == OG_OK && og_lance_carries_on(before, ours, pinned);
    return s == OG_NOT_FOUND ? OG_OK : s;
}

/* A program that knows of no operations may have published a head of ours: by its sidecar, or
 * because its own write was built on it. What was undone since is not in the past of the pin. */
static og_status is_absorbed(og_graph__run *r, const og_graph__move *move, const og_graph__pin *pin,
                             bool *out, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    OG_AUTO(og_lance_table) ours = NULL;
    *out = false;
    if (pin == NULL || pin->version < move->pin.version ||
        !og_str_eq(pin->table_branch, move->pin.table_branch))
        return OG_OK;
    if (!og_graph__pin_path(&path, pin))
        return og_error_nomem(err);
    const char *at = og_buf_cstr(&path);
    OG_TRY(og_lance_table_open(r->repo->env, at, move->pin.version, 0, &ours, err));
    og_str op = og_lance_table_transaction_property(ours, OG_STR("og.op"));
    if (op.ptr == NULL || !og_str_is(op, r->commit->op.id))
        return OG_OK;
    *out = pin->version == move->pin.version;
    return *out ? OG_OK : was_built_on(r, at, move, ours, pin, out, err);
}

/* Pins of our tables stand where we left them, or were moved to what we made: then that is done. */
static og_status check_moves(og_graph__run *r, const og_graph__state *now, og_error *err)
{
    size_t left = 0;
    for (size_t i = 0; i < r->move_count; i++) {
        const og_graph__move *move = &r->moves[i];
        const og_graph__pin *pin = og_graph__state_pin(now, move->pin.table_key);
        bool absorbed = false;
        if (pin == NULL || pin->version != move->expected_version)
            OG_TRY(is_absorbed(r, move, pin, &absorbed, err));
        if (absorbed)
            continue;
        if (pin == NULL || pin->version != move->expected_version)
            return og_graph__stale(err, move->pin.table_key, move->expected_version,
                                   pin != NULL ? pin->version : 0);
        r->moves[left++] = *move;
    }
    r->move_count = left;
    return OG_OK;
}

og_status og_graph__follow_head(og_graph__run *r, og_error *err)
{
    og_graph__dag_deinit(&r->dag);
    if (og_store_is_far(r->store))
        og_graph__later_wait(r->repo);
    OG_TRY(
        og_graph__dag_begin(r->repo, r->branch, r->commit->op.branch_id, r->state, &r->dag, err));
    memcpy(r->commit->op.parent_id, r->dag.head_id, sizeof r->dag.head_id);
    return OG_OK;
}

static og_status check_reads(const og_graph__commit *c, og_snapshot *now, og_error *err)
{
    og_status s = OG_OK;
    for (size_t i = 0; i < c->read_count && s == OG_OK; i++)
        s = check_pin(og_graph__snapshot_of(now)->state, c->reads[i], err);
    return s == OG_CONFLICT && c->reads_hold != NULL ? c->reads_hold(c->context, now, err) : s;
}

/* The `__manifest` slot is lost: look at what became visible, and build on it if our pins hold. */
static og_status rebase_publish(og_graph__run *r, bool *out_published, og_error *err)
{
    og_graph__commit *c = r->commit;
    OG_AUTO(og_snapshot) newest = NULL;
    og_status status = og_graph__repo_refresh(r->repo, r->branch, &newest, err);
    if (status != OG_OK)
        return status == OG_NOT_FOUND ? og_graph__branch_gone(err, r->branch->name) : status;
    og_graph__snapshot *s = og_graph__snapshot_of(newest);
    if (!og_str_is(r->commit->op.branch_id, s->branch_id))
        return og_graph__branch_gone(err, r->branch->name);
    og_graph__op_fate fate;
    OG_TRY(og_graph__op_fate_since(r->manifest, s->manifest, og_str_of(c->op.id), &fate, err));
    *out_published = fate == OG_GRAPH__OP_PUBLISHED;
    if (*out_published)
        return OG_OK;
    if (fate == OG_GRAPH__OP_ABORTED) {
        og_error_set(err, OG_CONFLICT, "operation %s was aborted by another writer", c->op.id);
        return og_graph__retryable(err);
    }
    if (c->mark.aborted_op.len > 0) {
        OG_TRY(og_graph__op_fate_since(r->manifest, s->manifest, c->mark.aborted_op, &fate, err));
        if (fate != OG_GRAPH__OP_PENDING) {
            og_error_set(err, OG_CONFLICT, "operation %.*s was settled by another writer",
                         OG_FMT(c->mark.aborted_op));
            return og_graph__retryable(err);
        }
    }
    OG_TRY(check_moves(r, s->state, err));
    if (r->move_count > 0 || c->table_count == 0) /* else it is done, whatever it had read */
        OG_TRY(check_reads(c, newest, err));
    og_lance_table_unref(r->manifest);
    og_graph__state_unref(r->state);
    r->manifest = og_lance_table_ref(s->manifest);
    r->base_is_synced = s->is_synced;
    r->state = og_graph__state_ref(s->state);
    return og_graph__follow_head(r, err);
}

/* A cleanup has passed that may have taken our files for garbage. */
static og_status check_fence(og_graph__run *r, og_error *err)
{
    og_graph__commit *c = r->commit;
    uint64_t began = c->began_ms != 0 ? c->began_ms : og_ulid_ms(og_str_of(c->op.id));
    if (began >= r->state->horizon_ms)
        return OG_OK;
    c->is_fenced = true;
    og_error_set(err, OG_CONFLICT,
                 "operation %s began before a cleanup that was not to wait for it", c->op.id);
    og_error_hint(err, "Run the operation again.");
    return OG_CONFLICT;
}

og_status og_graph__publish(og_graph__run *r, bool *out_by_helper, og_error *err)
{
    *out_by_helper = false;
    for (int attempt = 0; attempt < MAX_PUBLISH_ATTEMPTS; attempt++) {
        if (attempt > 0) {
            OG_TRY(og_graph__publish_prepare(r, err));
            OG_TRY(og_graph__sync_staged(r, err));
        }
        OG_TRY(check_fence(r, err));
        og_status s = og_graph__take_slot(r, r->publish, r->branch->manifest_path, NULL, err);
        if (s == OG_OK) {
            const char *name = r->publish_staged->manifest_name;
            return r->store->ops->sync(r->store, &name, 1, err);
        }
        if (s != OG_EXISTS)
            return s;
        OG_TRY(rebase_publish(r, out_by_helper, err));
        if (*out_by_helper)
            return OG_OK;
    }
    og_error_set(err, OG_CONFLICT, "too many concurrent writers of this graph");
    return og_graph__retryable(err);
}
