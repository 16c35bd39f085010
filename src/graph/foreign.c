#include "graph/foreign.h"

#include "base/vec.h"
#include "graph/audit.h"
#include "graph/branch.h"
#include "graph/commit.h"
#include "graph/layout.h"
#include "graph/restore.h"

/* How long a writer is left alone that has moved all its tables by one version, and any other. */
#define COMPLETE_GRACE_US INT64_C(1000000)
#define PENDING_GRACE_US INT64_C(10000000)

typedef enum movement {
    NOT_MOVED,  /* head is pin */
    AS_TOLD,    /* moved, and by what the sidecar says */
    OTHERWISE,  /* moved by more, or by others */
    IMPOSSIBLE, /* head below pin, or no such table */
} movement;

/* A table of a sidecar, and where it stands. */
typedef struct place {
    const og_graph__sidecar_table *told;
    og_graph__pin pin; /* on the branch that the sidecar speaks of */
    bool is_forked;    /* the pin is there, too; else what stands there is in nobody's way */
    uint64_t head;
    movement movement;
} place;

/* One sidecar against the newest snapshot of its branch. */
typedef struct scene {
    og_repo *repo;
    const og_graph__sidecar *sidecar;
    og_snapshot *snapshot;
    place *places;
    int64_t last_sign_us; /* of its writer */
} scene;

static void scene_deinit(scene *s)
{
    og_snapshot_unref(s->snapshot);
    og_free(s->places);
}

/* ---- looking ------------------------------------------------------------------------------ */

static bool is_strict(const og_graph__sidecar *sidecar)
{
    return sidecar->kind == OG_GRAPH__SIDECAR_MUTATION || sidecar->kind == OG_GRAPH__SIDECAR_LOAD;
}

/* The reference's rules, which go by version numbers alone. */
static movement classify(const og_graph__sidecar *sidecar, const place *p)
{
    uint64_t pinned = p->pin.version;
    if (p->head <= pinned)
        return p->head == pinned ? NOT_MOVED : IMPOSSIBLE;
    if (p->told->expected_version != pinned)
        return OTHERWISE;
    if (!is_strict(sidecar))
        return AS_TOLD;
    return p->head == pinned + 1 && p->told->post_commit_pin == p->head ? AS_TOLD : OTHERWISE;
}

/* A table that is to be forked for the branch has no head there before its first version. */
static og_status find_head(const scene *s, place *p, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    OG_AUTO(og_lance_table) head = NULL;
    if (!og_graph__pin_path(&path, &p->pin))
        return og_error_nomem(err);
    og_status status = og_lance_latest_version(s->repo->env, og_buf_cstr(&path),
                                               p->is_forked ? p->pin.version : 0, &p->head, err);
    if (status == OG_NOT_FOUND) {
        p->head = p->is_forked ? 0 : p->pin.version;
        return OG_OK;
    }
    return status;
}

/* An operation of ours names itself in what it writes. Its version has the number that the sidecar
 * tells when both were after the same slot; published for the sidecar's writer, without the
 * operation's other tables, it would show half of it, and half of what the sidecar tells. */
static bool is_of_another(const og_graph__sidecar *sidecar, const og_lance_table *head)
{
    og_str op = og_lance_table_transaction_property(head, OG_STR("og.op"));
    return op.ptr != NULL && !og_str_eq(op, sidecar->operation_id);
}

static og_status look_at_head(scene *s, place *p, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    OG_AUTO(og_lance_table) head = NULL;
    if (!og_graph__pin_path(&path, &p->pin))
        return og_error_nomem(err);
    OG_TRY(og_lance_table_open(s->repo->env, og_buf_cstr(&path), p->head, 0, &head, err));
    int64_t at = og_lance_table_timestamp_us(head);
    s->last_sign_us = at > s->last_sign_us ? at : s->last_sign_us;
    if (is_of_another(s->sidecar, head))
        p->movement = OTHERWISE;
    return OG_OK;
}

static og_status look_at_table(scene *s, place *p, og_error *err)
{
    const og_graph__pin *pin =
        og_graph__state_pin(og_graph__snapshot_of(s->snapshot)->state, p->told->table_key);
    p->movement = IMPOSSIBLE;
    if (pin == NULL)
        return OG_OK;
    p->pin = *pin;
    p->pin.table_branch = p->told->table_branch;
    p->is_forked = og_str_eq(pin->table_branch, p->told->table_branch);
    OG_TRY(find_head(s, p, err));
    p->movement = classify(s->sidecar, p);
    return p->head > pin->version ? look_at_head(s, p, err) : OG_OK;
}

/* OG_NOT_FOUND: the branch that the sidecar speaks of is gone. */
static og_status find_branch(const scene *s, og_graph__branch **out, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_str told = s->sidecar->branch;
    if (!og_buf_str(&name, told.len > 0 ? told : OG_STR(OG_GRAPH__MAIN)))
        return og_error_nomem(err);
    OG_TRY(og_graph__branch_get(s->repo, og_buf_cstr(&name), out, err));
    return og_graph__branch_id(s->repo, *out, id, err);
}

static og_status look(scene *s, og_graph__branch *branch, og_error *err)
{
    const og_graph__sidecar *sidecar = s->sidecar;
    OG_TRY(og_graph__repo_refresh(s->repo, branch, &s->snapshot, err));
    s->places = og_calloc((size_t)sidecar->table_count + 1, sizeof *s->places);
    if (s->places == NULL)
        return og_error_nomem(err);
    s->last_sign_us = sidecar->started_us;
    for (uint32_t i = 0; i < sidecar->table_count; i++) {
        s->places[i].told = &sidecar->tables[i];
        OG_TRY(look_at_table(s, &s->places[i], err));
    }
    return OG_OK;
}

static uint32_t count_of(const scene *s, movement wanted)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->sidecar->table_count; i++)
        count += s->places[i].movement == wanted;
    return count;
}

/* ---- forward ------------------------------------------------------------------------------ */

static og_status record(const scene *s, bool is_forward, const og_graph__outcome *outcomes,
                        size_t count, const og_commit_result *commit)
{
    const og_graph__recovery recovery = {
        .commit_id = og_str_of(commit->commit_id),
        .is_forward = is_forward,
        .actor = s->sidecar->actor,
        .operation_id = s->sidecar->operation_id,
        .writer_kind = og_str_of(og_graph__sidecar_kind_name(s->sidecar->kind)),
        .outcomes = outcomes,
        .outcome_count = count,
    };
    (void)!og_graph__audit_append(s->repo, &recovery, NULL);
    og_graph__sidecar_remove(s->repo, s->sidecar->name);
    return OG_OK;
}

static og_status open_taken(const scene *s, const place *p, og_buf *name,
                            og_graph__commit_table *out, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    if (!og_graph__pin_path(&path, &p->pin) ||
        !og_lance_manifest_name(name, og_buf_cstr(&path), p->head))
        return og_error_nomem(err);
    out->pin = &p->pin;
    out->taken_name = og_buf_cstr(name);
    return og_lance_table_open(s->repo->env, og_buf_cstr(&path), p->head, 0, &out->taken, err);
}

/* Publish the heads as they are; of a merge, with the commit it brings in. */
static og_status publish_heads(const scene *s, og_graph__commit_table *tables, og_buf *names,
                               og_commit_result *out, og_error *err)
{
    og_graph__commit commit = {.tables = tables};
    og_graph__op_init(&commit.op, s->repo, OG_STR(OG_GRAPH__RECOVERY_ACTOR), OG_STR("Recovery"));
    if (og_ulid_valid(s->sidecar->merge_source))
        memcpy(commit.op.merged_parent_id, s->sidecar->merge_source.ptr, 26);
    for (uint32_t i = 0; i < s->sidecar->table_count; i++) {
        OG_TRY(open_taken(s, &s->places[i], &names[i], &tables[i], err));
        commit.table_count++;
    }
    return og_graph__commit_run(s->repo, s->snapshot, &commit, out, err);
}

static og_status roll_forward(const scene *s, og_error *err)
{
    uint32_t count = s->sidecar->table_count;
    OG_AUTO_FREE og_graph__commit_table *tables = og_calloc((size_t)count + 1, sizeof *tables);
    OG_AUTO_FREE og_buf *names = og_calloc((size_t)count + 1, sizeof *names);
    OG_AUTO_FREE og_graph__outcome *outcomes = og_calloc((size_t)count + 1, sizeof *outcomes);
    og_commit_result result;
    if (tables == NULL || names == NULL || outcomes == NULL)
        return og_error_nomem(err);
    og_status status = publish_heads(s, tables, names, &result, err);
    for (uint32_t i = 0; i < count; i++) {
        const place *p = &s->places[i];
        outcomes[i] = (og_graph__outcome){p->told->table_key, p->pin.version, p->head};
        og_lance_table_unref(tables[i].taken);
        og_buf_deinit(&names[i]);
    }
    return status == OG_OK ? record(s, true, outcomes, count, &result) : status;
}

/* ---- back --------------------------------------------------------------------------------- */

static og_status roll_back(const scene *s, og_error *err)
{
    uint32_t count = s->sidecar->table_count;
    OG_AUTO_FREE const og_graph__pin **pins = og_calloc((size_t)count + 1, sizeof *pins);
    OG_AUTO_FREE og_graph__outcome *outcomes = og_calloc((size_t)count + 1, sizeof *outcomes);
    og_commit_result result;
    size_t moved = 0, restored = 0;
    if (pins == NULL || outcomes == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const place *p = &s->places[i];
        if (p->movement == NOT_MOVED)
            continue;
        outcomes[moved++] = (og_graph__outcome){p->told->table_key, p->head, p->pin.version};
        if (p->is_forked)
            pins[restored++] = &p->pin;
    }
    OG_TRY(og_graph__restore_pins(s->repo, s->snapshot, pins, restored, NULL, &result, err));
    return record(s, false, outcomes, moved, &result);
}

/* Nothing is left to do but to say so: it was published, or never moved a table. */
static og_status note_only(const scene *s, og_error *err)
{
    uint32_t count = s->sidecar->table_count;
    OG_AUTO_FREE og_graph__outcome *outcomes = og_calloc((size_t)count + 1, sizeof *outcomes);
    og_graph__commit commit = {0};
    og_commit_result result;
    if (outcomes == NULL)
        return og_error_nomem(err);
    bool published = false;
    for (uint32_t i = 0; i < count; i++) {
        const place *p = &s->places[i];
        outcomes[i] =
            (og_graph__outcome){p->told->table_key, p->told->expected_version, p->pin.version};
        published |= p->pin.version > p->told->expected_version;
    }
    og_graph__op_init(&commit.op, s->repo, OG_STR(OG_GRAPH__RECOVERY_ACTOR), OG_STR("Recovery"));
    OG_TRY(og_graph__commit_run(s->repo, s->snapshot, &commit, &result, err));
    return record(s, published, outcomes, published ? count : 0, &result);
}

/* ---- deciding ----------------------------------------------------------------------------- */

/* A schema change goes on only in the program that knows both schemas. */
static og_status is_schema_staged(const scene *s, bool *out, og_error *err)
{
    static const char *const staged[] = {OG_GRAPH__SCHEMA_SOURCE ".staging",
                                         OG_GRAPH__SCHEMA_IR ".staging",
                                         OG_GRAPH__SCHEMA_STATE ".staging"};
    *out = false;
    for (size_t i = 0; i < sizeof staged / sizeof *staged && !*out; i++) {
        uint64_t bytes;
        og_status status = s->repo->store->ops->head(s->repo->store, staged[i], &bytes, err);
        *out = status == OG_OK;
        if (status != OG_OK && status != OG_NOT_FOUND)
            return status;
    }
    return OG_OK;
}

static og_status go_on(scene *s, bool *out_changed, og_error *err)
{
    uint32_t count = s->sidecar->table_count, as_told = count_of(s, AS_TOLD);
    bool changes_schema =
        s->sidecar->kind == OG_GRAPH__SIDECAR_SCHEMA_APPLY || s->sidecar->changes_types;
    bool is_complete = as_told == count && !changes_schema;
    int64_t grace = is_complete && is_strict(s->sidecar) ? COMPLETE_GRACE_US : PENDING_GRACE_US;
    bool is_staged = false;
    if (count_of(s, IMPOSSIBLE) > 0 || og_repo_now_us(s->repo) - s->last_sign_us < grace)
        return OG_OK;
    if (changes_schema)
        OG_TRY(is_schema_staged(s, &is_staged, err));
    if (is_staged)
        return OG_OK;
    OG_TRY(count_of(s, NOT_MOVED) == count ? note_only(s, err)
           : is_complete                   ? roll_forward(s, err)
                                           : roll_back(s, err));
    *out_changed = true;
    return OG_OK;
}

/* May anybody but its writer still publish it? What stands in a fork that was never
 * published leads nobody to it. */
static bool holds_slot(const scene *s)
{
    for (uint32_t i = 0; i < s->sidecar->table_count; i++) {
        const place *p = &s->places[i];
        if (p->is_forked && p->movement != NOT_MOVED && p->movement != IMPOSSIBLE)
            return true;
    }
    return false;
}

/* Of ours: once it is published or aborted, or took no slot, the sidecar says nothing. */
static og_status tidy_ours(scene *s, og_error *err)
{
    og_graph__op_fate fate;
    OG_TRY(og_graph__op_fate_of(og_graph__snapshot_of(s->snapshot)->manifest,
                                s->sidecar->operation_id, &fate, err));
    if (fate != OG_GRAPH__OP_PENDING || !holds_slot(s))
        og_graph__sidecar_remove(s->repo, s->sidecar->name);
    return OG_OK;
}

static og_status go_on_with(og_repo *repo, const og_graph__sidecar *sidecar, bool *out_changed,
                            og_error *err)
{
    bool is_young = og_repo_now_us(repo) - sidecar->started_us < PENDING_GRACE_US;
    bool is_read = sidecar->state == OG_GRAPH__SIDECAR_READ;
    if (sidecar->state == OG_GRAPH__SIDECAR_NEWER || (is_young && (!is_read || sidecar->is_ours)))
        return OG_OK;
    if (!is_read)
        return og_graph__sidecar_quarantine(repo, sidecar->name, err);
    __attribute__((cleanup(scene_deinit))) scene s = {.repo = repo, .sidecar = sidecar};
    og_graph__branch *branch;
    og_status found = find_branch(&s, &branch, err);
    if (found == OG_NOT_FOUND) { /* with its branch went whatever the operation could become */
        if (!is_young)
            og_graph__sidecar_remove(repo, sidecar->name);
        return OG_OK;
    }
    OG_TRY(found);
    OG_TRY(look(&s, branch, err));
    return sidecar->is_ours ? tidy_ours(&s, err) : go_on(&s, out_changed, err);
}

og_status og_graph__foreign_recover(og_repo *repo, og_graph__sidecars *out_left, bool *out_changed,
                                    og_error *err)
{
    OG_GRAPH__AUTO_SIDECARS found = {0};
    *out_left = (og_graph__sidecars){0};
    *out_changed = false;
    OG_TRY(og_graph__sidecars_read(repo, &found, err));
    if (found.count == 0)
        return OG_OK;
    for (size_t i = 0; i < found.count; i++) /* what can't be done now is left to a later writer */
        if (go_on_with(repo, &found.items[i], out_changed, err) == OG_NOMEM)
            return OG_NOMEM;
    return og_graph__sidecars_read(repo, out_left, err);
}

void og_graph__foreign_forget(const og_repo *repo, og_str branch)
{
    OG_GRAPH__AUTO_SIDECARS found = {0};
    if (og_graph__sidecars_read(repo, &found, NULL) != OG_OK)
        return;
    for (size_t i = 0; i < found.count; i++) {
        const og_graph__sidecar *s = &found.items[i];
        if (s->state == OG_GRAPH__SIDECAR_READ && s->is_ours && og_str_eq(s->branch, branch))
            og_graph__sidecar_remove(repo, s->name);
    }
}

og_status og_graph__foreign_check(const og_graph__sidecars *sidecars, og_str table_key,
                                  og_str branch, bool has_foreign_head, og_error *err)
{
    for (size_t i = 0; i < sidecars->count; i++) {
        const og_graph__sidecar *s = &sidecars->items[i];
        bool names = og_graph__sidecar_names(s, table_key, branch);
        if (s->state == OG_GRAPH__SIDECAR_NEWER && names) {
            og_error_set(err, OG_CONFLICT,
                         "a newer version of omnigraph has an unfinished write of '%.*s'",
                         OG_FMT(table_key));
            og_error_hint(err, "%s is of schema version %llu: let that version finish it.", s->name,
                          (unsigned long long)s->schema_version);
            return OG_CONFLICT;
        }
        if (has_foreign_head && !s->is_ours && (names || s->state == OG_GRAPH__SIDECAR_DAMAGED)) {
            og_error_set(err, OG_CONFLICT, "foreign write in progress on '%.*s'",
                         OG_FMT(table_key));
            og_error_hint(err,
                          "%s is of a writer of another program: if it does not finish, the "
                          "next write after ten seconds goes on without it.",
                          s->name);
            return OG_CONFLICT;
        }
    }
    return OG_OK;
}
