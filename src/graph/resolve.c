#include "graph/resolve.h"

#include "base/number.h"
#include "base/vec.h"
#include "graph/foreign.h"
#include "graph/restore.h"

/* How long an operation that holds only some of its slots is taken to be alive. */
#define PENDING_GRACE_MS 10000
/* How long one that holds all its slots may take to publish before we do it for it. */
#define HELP_AFTER_MS 20
#define FIRST_WAIT_MS 5
#define MAX_TABLES_OF_OP 4096

/* ---- what an operation says of itself ----------------------------------------------------- */

/* One item of og.tables, key@expected>new, or of og.reads, key@expected. */
typedef struct op_table {
    og_str key;
    uint64_t expected, version;
} op_table;
typedef OG_VEC(op_table) op_tables;

static bool parse_op_table(og_str item, bool is_read, op_table *out)
{
    size_t at = og_str_find(item, OG_STR("@")), gt = og_str_find(item, OG_STR(">"));
    if (at == SIZE_MAX || (gt == SIZE_MAX) != is_read || gt < at)
        return false;
    out->key = og_str_slice(item, 0, at);
    size_t end = is_read ? item.len : gt;
    return og_parse_u64(og_str_slice(item, at + 1, end), &out->expected) &&
           (is_read || og_parse_u64(og_str_slice(item, gt + 1, item.len), &out->version));
}

static og_status parse_op_tables(og_str text, bool are_reads, op_tables *out, og_error *err)
{
    while (text.len > 0 && out->len < MAX_TABLES_OF_OP) {
        size_t comma = og_str_find(text, OG_STR(","));
        size_t end = comma == SIZE_MAX ? text.len : comma;
        op_table item;
        if (!parse_op_table(og_str_slice(text, 0, end), are_reads, &item))
            return og_error_set(err, OG_CORRUPT, "transaction property %s is damaged",
                                are_reads ? "og.reads" : "og.tables");
        if (!og_vec_push(out, item))
            return og_error_nomem(err);
        text = comma == SIZE_MAX ? OG_STR("") : og_str_slice(text, comma + 1, text.len);
    }
    return OG_OK;
}

/* Where an operation stands. */
typedef struct op_view {
    og_str id; /* of the head's transaction; borrowed from `head` */
    og_lance_table *head;
    op_tables tables;
    op_tables reads; /* that it was decided by */
    bool holds_all;  /* every slot is the operation's, no pin moved: it may be helped */
    bool is_blocked; /* it can't be published any more: a slot is another's, a pin moved, or it
                      * is aborted */
} op_view;

static void op_view_deinit(op_view *v)
{
    og_lance_table_unref(v->head);
    og_vec_deinit(&v->tables);
    og_vec_deinit(&v->reads);
}

static og_status look_at_slot(const og_graph__snapshot *s, op_view *v, const op_table *t,
                              og_error *err)
{
    const og_graph__pin *pin = og_graph__state_pin(s->state, t->key);
    if (pin == NULL || pin->version != t->expected) {
        v->is_blocked = true;
        return OG_OK;
    }
    OG_AUTO(og_lance_table) there = NULL;
    og_graph__pin home = og_graph__home_pin(s->branch, pin);
    og_status status = og_graph__slot_open(s->repo, &home, t->version, &there, err);
    if (status == OG_NOT_FOUND) {
        v->holds_all = false;
        return OG_OK;
    }
    OG_TRY(status);
    og_str op = og_lance_table_transaction_property(there, OG_STR("og.op"));
    v->is_blocked |= op.ptr == NULL || !og_str_eq(op, v->id);
    return OG_OK;
}

/* The reads of the operation have not moved; who moved behind others checks them itself. */
static bool reads_hold(const og_graph__state *state, const op_view *v)
{
    for (size_t i = 0; i < v->reads.len; i++) {
        const og_graph__pin *read = og_graph__state_pin(state, v->reads.items[i].key);
        if (read == NULL || read->version != v->reads.items[i].expected)
            return false;
    }
    return true;
}

/* Whose head is it? */
static og_status identify_op(og_repo *repo, const og_graph__pin *pin, op_view *v, og_error *err)
{
    OG_TRY(og_graph__slot_open(repo, pin, pin->version + 1, &v->head, err));
    v->id = og_lance_table_transaction_property(v->head, OG_STR("og.op"));
    if (v->id.ptr == NULL || !og_ulid_valid(v->id))
        v->id = OG_STR("");
    return OG_OK;
}

/* When its first file was made: before its ULID, when it went behind others. */
static uint64_t began_ms(const op_view *v)
{
    uint64_t began;
    og_str text = og_lance_table_transaction_property(v->head, OG_STR("og.began"));
    return text.ptr != NULL && og_parse_u64(text, &began) ? began : og_ulid_ms(v->id);
}

static og_status look_at_op(const og_graph__snapshot *s, op_view *v, og_error *err)
{
    og_str tables = og_lance_table_transaction_property(v->head, OG_STR("og.tables"));
    og_str reads = og_lance_table_transaction_property(v->head, OG_STR("og.reads"));
    OG_TRY(parse_op_tables(tables, false, &v->tables, err));
    OG_TRY(parse_op_tables(reads, true, &v->reads, err));
    og_graph__op_fate fate;
    OG_TRY(og_graph__op_fate_of(s->manifest, v->id, &fate, err));
    /* Aborted, and its tables are not yet restored; or a cleanup may have taken its files. */
    v->is_blocked = fate == OG_GRAPH__OP_ABORTED || began_ms(v) < s->state->horizon_ms;
    /* Meant for an earlier branch of the name. */
    og_str branch = og_lance_table_transaction_property(v->head, OG_STR("og.branch_id"));
    v->is_blocked |= branch.ptr != NULL && !og_str_is(branch, s->branch_id);
    v->holds_all = v->tables.len > 0 && reads_hold(s->state, v);
    for (size_t i = 0; i < v->tables.len; i++)
        OG_TRY(look_at_slot(s, v, &v->tables.items[i], err));
    v->holds_all &= !v->is_blocked;
    return OG_OK;
}

/* ---- helping an operation that holds all its slots ---------------------------------------- */

static og_str property(const og_lance_table *head, og_str key, og_str otherwise)
{
    og_str value = og_lance_table_transaction_property(head, key);
    return value.ptr != NULL ? value : otherwise;
}

/* What the helped operation wrote about itself, so that its commit looks as its own. */
static void op_from_properties(og_graph__op *op, const og_lance_table *head, og_str id)
{
    og_str commit = property(head, OG_STR("og.commit"), OG_STR(""));
    og_str merged = property(head, OG_STR("og.merged_parent"), OG_STR(""));
    memcpy(op->id, id.ptr, 26);
    op->id[26] = '\0';
    if (og_ulid_valid(commit))
        memcpy(op->commit_id, commit.ptr, 26);
    if (og_ulid_valid(merged))
        memcpy(op->merged_parent_id, merged.ptr, 26);
    op->merged_branch_id = property(head, OG_STR("og.merged_branch_id"), OG_STR(""));
    op->actor = property(head, OG_STR("og.actor"), OG_STR(""));
    op->kind = property(head, OG_STR("og.kind"), OG_STR("Mutation"));
    op->at_us = og_lance_table_timestamp_us(head);
}

/* The same for the record; the rest of it is told by what was done. */
static og_graph__recovery recovery_of(const og_graph__op *op)
{
    return (og_graph__recovery){
        .actor = op->actor, .operation_id = og_str_of(op->id), .writer_kind = op->kind};
}

static og_status fill_taken(const og_graph__snapshot *s, const op_view *v, og_graph__commit *commit,
                            og_buf *names, og_error *err)
{
    for (size_t i = 0; i < v->tables.len; i++) {
        og_graph__commit_table *t = &commit->tables[commit->table_count];
        t->pin = og_graph__state_pin(s->state, v->tables.items[i].key);
        og_graph__pin home = og_graph__home_pin(s->branch, t->pin);
        OG_TRY(og_graph__slot_open(s->repo, &home, v->tables.items[i].version, &t->taken, err));
        commit->table_count++;
        if (!og_graph__slot_name(&names[i], &home, v->tables.items[i].version))
            return og_error_nomem(err);
        t->taken_name = og_buf_cstr(&names[i]);
    }
    return OG_OK;
}

/* What it was decided by must hold until it is published, whoever publishes. */
static const og_graph__pin **pins_of_reads(const og_graph__state *state, const op_view *v)
{
    const og_graph__pin **pins = og_calloc(v->reads.len + 1, sizeof *pins);
    for (size_t i = 0; pins != NULL && i < v->reads.len; i++)
        pins[i] = og_graph__state_pin(state, v->reads.items[i].key);
    return pins;
}

/* Someone else's operation was published; its own commit says so. */
static void record_help(og_repo *repo, const og_graph__commit *commit, const op_view *v,
                        const og_commit_result *result)
{
    OG_AUTO_FREE og_graph__outcome *outcomes = og_calloc(v->tables.len, sizeof *outcomes);
    const og_graph__recovery about = recovery_of(&commit->op);
    for (size_t i = 0; outcomes != NULL && i < v->tables.len; i++)
        outcomes[i] = (og_graph__outcome){v->tables.items[i].key, v->tables.items[i].expected,
                                          v->tables.items[i].version};
    if (outcomes != NULL)
        og_graph__recovery_note(repo, &about, true, outcomes, v->tables.len, result);
}

static og_status help(og_repo *repo, og_snapshot *snapshot, const op_view *v, og_error *err)
{
    OG_AUTO_FREE og_graph__commit_table *tables = og_calloc(v->tables.len, sizeof *tables);
    OG_AUTO_FREE og_buf *names = og_calloc(v->tables.len, sizeof *names);
    const og_graph__state *state = og_graph__snapshot_of(snapshot)->state;
    OG_AUTO_FREE const og_graph__pin **reads = pins_of_reads(state, v);
    if (tables == NULL || names == NULL || reads == NULL)
        return og_error_nomem(err);
    og_graph__commit commit = {
        .tables = tables, .reads = reads, .read_count = v->reads.len, .began_ms = began_ms(v)};
    og_graph__op_init(&commit.op, repo, OG_STR(""), OG_STR(""));
    op_from_properties(&commit.op, v->head, v->id);
    og_status s = fill_taken(og_graph__snapshot_of(snapshot), v, &commit, names, err);
    og_commit_result result;
    if (s == OG_OK)
        s = og_graph__commit_run(repo, snapshot, &commit, &result, err);
    if (s == OG_OK) {
        og_graph__sidecar_remove_of(repo, v->id);
        if (!commit.by_other)
            record_help(repo, &commit, v, &result);
    }
    for (size_t i = 0; i < v->tables.len; i++) {
        og_lance_table_unref(tables[i].taken);
        og_buf_deinit(&names[i]);
    }
    return s == OG_CONFLICT ? OG_OK : s; /* it moved under us: look again */
}

/* ---- deciding ----------------------------------------------------------------------------- */

/* A head that names no operation of ours. */
static og_status resolve_foreign(og_repo *repo, og_graph__branch *branch, const og_graph__pin *pin,
                                 og_error *err)
{
    OG_GRAPH__AUTO_SIDECARS left = {0};
    bool changed = false;
    OG_TRY(og_graph__foreign_recover(repo, &left, &changed, err));
    if (changed) /* perhaps this table: look again */
        return OG_OK;
    OG_TRY(og_graph__foreign_check(
        &left, pin->table_key, branch->is_main ? OG_STR("") : og_str_of(branch->name), true, err));
    return og_graph__restore_tables(repo, branch, &pin->table_key, 1, NULL, err);
}

static og_status abort_view(og_repo *repo, og_graph__branch *branch, const op_view *v,
                            og_error *err)
{
    OG_AUTO_FREE og_str *keys = og_calloc(v->tables.len, sizeof *keys);
    if (keys == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < v->tables.len; i++)
        keys[i] = v->tables.items[i].key;
    og_graph__op op;
    og_graph__op_fate fate;
    og_graph__op_init(&op, repo, OG_STR(""), OG_STR(""));
    op_from_properties(&op, v->head, v->id);
    const og_graph__recovery about = recovery_of(&op);
    return og_graph__abort_op(repo, branch, v->id, keys, v->tables.len, &about, &fate, err);
}

/* An operation of ours: help it, wait for it, or abort it. */
static og_status resolve_op(og_repo *repo, og_snapshot *snapshot, op_view *v, int64_t waited_ms,
                            int64_t *out_wait_ms, og_error *err)
{
    og_graph__snapshot *s = og_graph__snapshot_of(snapshot);
    int64_t age_ms = og_repo_now_us(repo) / 1000 - (int64_t)og_ulid_ms(v->id);
    bool is_alive = age_ms < PENDING_GRACE_MS && waited_ms < PENDING_GRACE_MS;
    /* Most are at their last step; only who does not go on is looked at closely. */
    if (is_alive && waited_ms == 0) {
        *out_wait_ms = FIRST_WAIT_MS;
        return OG_OK;
    }
    OG_TRY(look_at_op(s, v, err));
    if (v->holds_all && waited_ms >= HELP_AFTER_MS)
        return help(repo, snapshot, v, err);
    if (!v->holds_all && (!is_alive || v->is_blocked))
        return abort_view(repo, s->branch, v, err);
    *out_wait_ms = waited_ms < FIRST_WAIT_MS ? FIRST_WAIT_MS : waited_ms < 500 ? waited_ms : 500;
    return OG_OK;
}

/* One look at a head above its pin, and one step towards an end. */
static og_status resolve_step(og_repo *repo, og_snapshot *snapshot, const og_graph__pin *pin,
                              int64_t waited_ms, int64_t *out_wait_ms, og_error *err)
{
    op_view v = {0};
    *out_wait_ms = 0;
    og_status status = identify_op(repo, pin, &v, err);
    bool is_ours = status == OG_OK && v.id.len > 0;
    if (is_ours)
        status = resolve_op(repo, snapshot, &v, waited_ms, out_wait_ms, err);
    else if (status == OG_OK)
        status = resolve_foreign(repo, og_graph__branch_of(snapshot), pin, err);
    else if (status == OG_NOT_FOUND) /* gone again: nothing in the way */
        status = OG_OK;
    op_view_deinit(&v);
    /* Somebody else resolved it first: look again. */
    return status == OG_CONFLICT && is_ours ? OG_OK : status;
}

static og_status resolve_table(og_repo *repo, og_str key, og_snapshot **inout_snapshot,
                               og_error *err)
{
    int64_t waited_ms = 0;
    for (int step = 0; step < 256; step++) {
        const og_graph__pin *pin =
            og_graph__state_pin(og_graph__snapshot_of(*inout_snapshot)->state, key);
        bool taken = false;
        /* A first write on a branch goes above whatever is there (fork.h). */
        if (pin != NULL && og_graph__is_home(og_graph__branch_of(*inout_snapshot), pin))
            OG_TRY(og_graph__slot_is_taken(repo, pin, pin->version + 1, &taken, err));
        if (!taken)
            return OG_OK;
        OG_AUTO(og_snapshot) newest = NULL;
        OG_TRY(og_graph__repo_refresh(repo, og_graph__branch_of(*inout_snapshot), &newest, err));
        if (newest->manifest_version != (*inout_snapshot)->manifest_version) {
            og_snapshot_unref(*inout_snapshot);
            *inout_snapshot = OG_TAKE(newest);
            continue;
        }
        int64_t wait_ms;
        OG_TRY(resolve_step(repo, *inout_snapshot, pin, waited_ms, &wait_ms, err));
        og_clock_sleep(repo->clock, wait_ms * 1000);
        waited_ms += wait_ms;
    }
    og_error_set(err, OG_CONFLICT, "table '%.*s' is being written by others without end",
                 OG_FMT(key));
    return og_graph__retryable(err);
}

og_status og_graph__resolve_heads(og_repo *repo, const og_type_def *const *defs, size_t def_count,
                                  og_snapshot **inout_snapshot, og_error *err)
{
    for (size_t i = 0; i < def_count; i++)
        OG_TRY(resolve_table(repo, defs[i]->table_key, inout_snapshot, err));
    return OG_OK;
}

og_status og_graph__resolve_above_hole(og_repo *repo, const og_type_def *def,
                                       og_snapshot **inout_snapshot, og_error *err)
{
    og_graph__branch *branch = og_graph__branch_of(*inout_snapshot);
    OG_AUTO(og_snapshot) newest = NULL;
    OG_AUTO(og_snapshot) restored = NULL;
    OG_AUTO_BUF path = OG_BUF_INIT;
    uint64_t head;
    bool taken;
    og_commit_result result;
    OG_TRY(og_graph__repo_refresh(repo, branch, &newest, err));
    const og_graph__pin *pin =
        og_graph__state_pin(og_graph__snapshot_of(newest)->state, def->table_key);
    if (pin == NULL || !og_graph__is_home(branch, pin))
        return OG_OK;
    if (!og_graph__pin_path(&path, pin))
        return og_error_nomem(err);
    OG_TRY(og_lance_latest_version(repo->env, og_buf_cstr(&path), pin->version, &head, err));
    if (head <= pin->version)
        return OG_OK;
    OG_TRY(og_graph__slot_is_taken(repo, pin, pin->version + 1, &taken, err));
    if (taken)
        return og_error_set(err, OG_CONFLICT, "table '%.*s' is being written",
                            OG_FMT(def->table_key));
    OG_TRY(og_graph__restore_pins(repo, newest, &pin, 1, NULL, &result, err));
    OG_TRY(og_graph__repo_refresh(repo, branch, &restored, err));
    og_snapshot_unref(*inout_snapshot);
    *inout_snapshot = OG_TAKE(restored);
    return OG_OK;
}
