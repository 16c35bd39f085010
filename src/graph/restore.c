#include "graph/restore.h"

#include "base/vec.h"
#include "graph/layout.h"
#include "graph/sidecar.h"

#define MAX_SETTLE_ATTEMPTS 8

/* ---- slots -------------------------------------------------------------------------------- */

og_status og_graph__slot_open(og_repo *repo, const og_graph__pin *pin, uint64_t version,
                              og_lance_table **out, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    if (!og_graph__pin_path(&path, pin))
        return og_error_nomem(err);
    return og_lance_table_open(repo->env, og_buf_cstr(&path), version, 0, out, err);
}

bool og_graph__slot_name(og_buf *out, const og_graph__pin *pin, uint64_t version)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    return og_graph__pin_path(&path, pin) &&
           og_lance_manifest_name(out, og_buf_cstr(&path), version);
}

og_status og_graph__slot_is_taken(og_repo *repo, const og_graph__pin *pin, uint64_t version,
                                  bool *out, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!og_graph__slot_name(&name, pin, version))
        return og_error_nomem(err);
    uint64_t bytes;
    og_status s = repo->store->ops->head(repo->store, og_buf_cstr(&name), &bytes, err);
    *out = s == OG_OK;
    return s == OG_NOT_FOUND ? OG_OK : s;
}

/* ---- giving a table back its pin ---------------------------------------------------------- */

typedef OG_VEC(const char *) slot_names;

/* A pin and the versions above it: the newest, and counters that none of them has passed.
 * There may be holes. */
typedef struct survey {
    uint64_t head, next_row_id;
    int64_t max_fragment;
} survey;

static og_status survey_version(og_repo *repo, const og_graph__pin *pin, uint64_t version,
                                survey *out, og_error *err)
{
    OG_AUTO(og_lance_table) table = NULL;
    OG_TRY(og_graph__slot_open(repo, pin, version, &table, err));
    out->head = version;
    if (og_lance_table_next_row_id(table) > out->next_row_id)
        out->next_row_id = og_lance_table_next_row_id(table);
    if (og_lance_table_max_fragment_id(table) > out->max_fragment)
        out->max_fragment = og_lance_table_max_fragment_id(table);
    return OG_OK;
}

static og_status add_slot_name(const og_graph__pin *pin, uint64_t version, og_arena *arena,
                               slot_names *names, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!og_graph__slot_name(&name, pin, version))
        return og_error_nomem(err);
    og_str kept = og_arena_str(arena, og_buf_view(&name));
    return kept.ptr != NULL && og_vec_push(names, kept.ptr) ? OG_OK : og_error_nomem(err);
}

/* `names` gets the slots above the pin that are taken. */
static og_status survey_above(og_repo *repo, const og_graph__pin *pin, og_arena *arena,
                              slot_names *names, survey *out, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count;
    if (!og_graph__pin_path(&path, pin))
        return og_error_nomem(err);
    OG_TRY(og_lance_list_versions(repo->env, og_buf_cstr(&path), &versions, &count, err));
    *out = (survey){.max_fragment = -1};
    OG_TRY(survey_version(repo, pin, pin->version, out, err));
    for (size_t i = 0; i < count; i++) {
        if (versions[i] <= pin->version)
            continue;
        og_status status = survey_version(repo, pin, versions[i], out, err);
        if (status == OG_NOT_FOUND) /* a cleanup freed it just now */
            continue;
        OG_TRY(status);
        OG_TRY(add_slot_name(pin, versions[i], arena, names, err));
    }
    return OG_OK;
}

static og_status restore_write(og_repo *repo, const og_graph__pin *pin, int64_t now_us,
                               og_arena *arena, slot_names *names, og_lance_write **out,
                               og_error *err)
{
    survey above;
    OG_TRY(survey_above(repo, pin, arena, names, &above, err));
    OG_AUTO(og_lance_table) base = NULL;
    OG_AUTO(og_lance_table) pinned = NULL;
    OG_TRY(og_graph__slot_open(repo, pin, above.head, &base, err));
    OG_TRY(og_graph__slot_open(repo, pin, pin->version, &pinned, err));
    og_lance_write_options options = {.op = OG_LANCE_RESTORE,
                                      .restore_from = pinned,
                                      .version = above.head + 1,
                                      .min_next_row_id = above.next_row_id,
                                      .min_max_fragment_id = above.max_fragment,
                                      .now_us = now_us,
                                      .random = repo->random};
    return og_lance_write_new(repo->env, base, &options, out, err);
}

og_status og_graph__restore_pins(og_repo *repo, og_snapshot *snapshot,
                                 const og_graph__pin *const *pins, size_t count,
                                 uint64_t *out_heads, og_commit_result *out, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_FREE og_graph__commit_table *tables = og_calloc(count, sizeof *tables);
    if (arena == NULL || tables == NULL)
        return og_error_nomem(err);
    slot_names names = {0};
    og_graph__commit commit = {.tables = tables};
    og_graph__op_init(&commit.op, repo, OG_STR(OG_GRAPH__RECOVERY_ACTOR), OG_STR("Recovery"));
    og_status status = OG_OK;
    for (size_t i = 0; i < count && status == OG_OK; i++) {
        tables[i].pin = pins[i];
        status =
            restore_write(repo, pins[i], commit.op.at_us, arena, &names, &tables[i].write, err);
        commit.table_count += status == OG_OK;
        if (status == OG_OK && out_heads != NULL)
            out_heads[i] = og_lance_write_version(tables[i].write) - 1;
    }
    commit.below = names.items;
    commit.below_count = names.len;
    if (status == OG_OK)
        status = og_graph__commit_run(repo, snapshot, &commit, out, err);
    for (size_t i = 0; i < commit.table_count; i++)
        og_lance_write_free(tables[i].write);
    og_vec_deinit(&names);
    return status;
}

void og_graph__recovery_note(og_repo *repo, const og_graph__recovery *about, bool is_forward,
                             const og_graph__outcome *outcomes, size_t count,
                             const og_commit_result *commit)
{
    og_graph__recovery recovery = *about;
    recovery.commit_id = og_str_of(commit->commit_id);
    recovery.is_forward = is_forward;
    recovery.outcomes = outcomes;
    recovery.outcome_count = count;
    (void)!og_graph__audit_append(repo, &recovery, NULL);
}

static og_status restore_and_record(og_repo *repo, og_snapshot *snapshot,
                                    const og_graph__pin *const *pins, size_t count,
                                    const og_graph__recovery *about, og_error *err)
{
    OG_AUTO_FREE uint64_t *heads = og_calloc(count, sizeof *heads);
    OG_AUTO_FREE og_graph__outcome *outcomes = og_calloc(count, sizeof *outcomes);
    og_commit_result result;
    if (heads == NULL || outcomes == NULL)
        return og_error_nomem(err);
    OG_TRY(og_graph__restore_pins(repo, snapshot, pins, count, heads, &result, err));
    for (size_t i = 0; i < count; i++)
        outcomes[i] = (og_graph__outcome){pins[i]->table_key, heads[i], pins[i]->version};
    if (about != NULL)
        og_graph__recovery_note(repo, about, false, outcomes, count, &result);
    return OG_OK;
}

og_status og_graph__restore_tables(og_repo *repo, og_graph__branch *branch, const og_str *keys,
                                   size_t key_count, const og_graph__recovery *about, og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO_FREE const og_graph__pin **pins = og_calloc(key_count, sizeof *pins);
    size_t count = 0;
    if (pins == NULL)
        return og_error_nomem(err);
    OG_TRY(og_graph__repo_refresh(repo, branch, &snapshot, err));
    for (size_t i = 0; i < key_count; i++) {
        const og_graph__pin *pin =
            og_graph__state_pin(og_graph__snapshot_of(snapshot)->state, keys[i]);
        bool taken = false;
        /* Slots of a table that the branch does not have yet are in nobody's way. */
        if (pin != NULL && og_graph__is_home(branch, pin))
            OG_TRY(og_graph__slot_is_taken(repo, pin, pin->version + 1, &taken, err));
        if (taken)
            pins[count++] = pin;
    }
    return count > 0 ? restore_and_record(repo, snapshot, pins, count, about, err) : OG_OK;
}

/* Are the versions that the operation made the pins of all these tables? A program that knows of no
 * operations publishes them so. */
static og_status is_pinned(og_repo *repo, const og_graph__state *state, og_str op,
                           const og_str *table_keys, size_t table_count, bool *out, og_error *err)
{
    *out = table_count > 0;
    for (size_t i = 0; i < table_count && *out; i++) {
        OG_AUTO(og_lance_table) pinned = NULL;
        const og_graph__pin *pin = og_graph__state_pin(state, table_keys[i]);
        *out = pin != NULL;
        if (pin == NULL)
            return OG_OK;
        OG_TRY(og_graph__slot_open(repo, pin, pin->version, &pinned, err));
        og_str maker = og_lance_table_transaction_property(pinned, OG_STR("og.op"));
        *out = maker.ptr != NULL && og_str_eq(maker, op);
    }
    return OG_OK;
}

/* From here on nobody can publish the operation, unless somebody has. */
static og_status settle(og_repo *repo, og_graph__branch *branch, og_str op,
                        const og_str *table_keys, size_t table_count, og_graph__op_fate *out,
                        og_error *err)
{
    og_status s = OG_OK;
    for (int attempt = 0; attempt < MAX_SETTLE_ATTEMPTS; attempt++) {
        OG_AUTO(og_snapshot) snapshot = NULL;
        OG_TRY(og_graph__repo_refresh(repo, branch, &snapshot, err));
        OG_TRY(og_graph__op_fate_of(og_graph__snapshot_of(snapshot)->manifest, op, out, err));
        if (*out != OG_GRAPH__OP_PENDING)
            return OG_OK;
        bool pinned;
        OG_TRY(is_pinned(repo, og_graph__snapshot_of(snapshot)->state, op, table_keys, table_count,
                         &pinned, err));
        if (pinned) {
            *out = OG_GRAPH__OP_PUBLISHED;
            return OG_OK;
        }
        og_graph__commit commit = {.mark.aborted_op = op};
        og_commit_result result;
        og_graph__op_init(&commit.op, repo, OG_STR(OG_GRAPH__RECOVERY_ACTOR), OG_STR("Recovery"));
        s = og_graph__commit_run(repo, snapshot, &commit, &result, err);
        if (s == OG_OK)
            *out = OG_GRAPH__OP_ABORTED;
        if (s != OG_CONFLICT && s != OG_UNKNOWN)
            return s;
    }
    return s;
}

og_status og_graph__abort_op(og_repo *repo, og_graph__branch *branch, og_str op,
                             const og_str *table_keys, size_t table_count,
                             const og_graph__recovery *about, og_graph__op_fate *out_fate,
                             og_error *err)
{
    OG_TRY(settle(repo, branch, op, table_keys, table_count, out_fate, err));
    /* Its tables, in a commit of their own; what fails here the next writer of the table does. */
    if (*out_fate == OG_GRAPH__OP_ABORTED &&
        og_graph__restore_tables(repo, branch, table_keys, table_count, about, NULL) != OG_OK)
        return OG_OK;
    og_graph__sidecar_remove_of(repo, op);
    return OG_OK;
}
