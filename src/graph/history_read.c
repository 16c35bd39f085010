/* Reading a window of a history: the newest commits that are not known yet.
 *
 * Rows of `__manifest` stand in the order in which they were published when their row ids ascend
 * (og_lance_ids_ascend), and what a commit's `og` object says of its version is the version it was
 * published at, or, of a merge that changes no table, the one before. So the versions in its rows
 * ascend, too, and when the rows from some slot on are read, all commits above the version of the
 * first one are known. Rows of the commit DAG stand in any order, as late ones are made up for; but
 * each says its version, and that column alone is small. It is read for all rows, the others for
 * rows of the window, and of these only the ids, unless `__manifest` does not know the commit. */
#include "base/json.h"
#include "graph/dag.h"
#include "graph/history_priv.h"
#include "graph/layout.h"

/* Versions at the end of a data set that a power loss may have torn. */
#define MAX_TORN_VERSIONS 256

/* ---- collecting --------------------------------------------------------------------------- */

static bool copy_text(og_history *h, og_str *text)
{
    if (text->len == 0) {
        *text = OG_STR("");
        return true;
    }
    *text = og_arena_str(h->arena, *text);
    return text->ptr != NULL;
}

/* The commit of an id, in the line or new; NULL when none is known. */
static og_commit_info *known_commit(og_history *h, og_str id)
{
    const uint64_t *at = og_strmap_get(h->ids, id);
    if (at == NULL)
        return NULL;
    return *at < h->line.len ? h->line.items[*at] : &h->fresh.items[*at - h->line.len];
}

/* Keep a commit that is not known yet; its text is copied. */
static og_status add_commit(og_history *h, og_commit_info commit, og_error *err)
{
    if (!copy_text(h, &commit.id) || !copy_text(h, &commit.parent) ||
        !copy_text(h, &commit.merged_parent) || !copy_text(h, &commit.merged_branch_id) ||
        !copy_text(h, &commit.branch) || !copy_text(h, &commit.actor) ||
        !copy_text(h, &commit.op) || !og_vec_push(&h->fresh, commit))
        return og_error_nomem(err);
    uint64_t *at = og_strmap_put(h->ids, commit.id, NULL);
    if (at == NULL)
        return og_error_nomem(err);
    *at = h->line.len + h->fresh.len - 1;
    return OG_OK;
}

static bool read_number(const og_json *object, const char *key, int64_t *out)
{
    const og_json *number = og_json_get(object, key);
    return number != NULL && number->kind == OG_JSON_NUMBER && og_json_to_i64(number, out);
}

bool og_graph__commit_of_metadata(og_arena *arena, og_str metadata, og_commit_info *out)
{
    og_json json;
    int64_t version, at;
    if (og_str_find(metadata, OG_STR("\"og\":{")) == SIZE_MAX ||
        og_json_parse(arena, metadata, &json, NULL) != OG_OK)
        return false;
    const og_json *og = og_json_get(&json, "og");
    if (!read_number(og, "v", &version) || !read_number(og, "at", &at) || version <= 0)
        return false;
    *out = (og_commit_info){.id = og_json_get_str(og, "commit", OG_STR("")),
                            .parent = og_json_get_str(og, "parent", OG_STR("")),
                            .merged_parent = og_json_get_str(og, "merged_parent", OG_STR("")),
                            .merged_branch_id = og_json_get_str(og, "merged_branch_id", OG_STR("")),
                            .manifest_version = (uint64_t)version,
                            .branch = og_json_get_str(og, "branch", OG_STR("")),
                            .actor = og_json_get_str(og, "actor", OG_STR("")),
                            .op = og_json_get_str(og, "op", OG_STR("")),
                            .created_at_us = at};
    return out->id.len > 0;
}

/* ---- columns ------------------------------------------------------------------------------ */

static const og_type utf8 = {.id = OG_TYPE_UTF8};
static const og_type u64 = {.id = OG_TYPE_U64};
static const og_type timestamp = {.id = OG_TYPE_TIMESTAMP_US};

static og_status find_columns(const og_lance_table *table, const og_field *columns, uint32_t count,
                              uint32_t *out, og_error *err)
{
    uint32_t field_count;
    const og_lance_field *fields = og_lance_table_fields(table, &field_count);
    for (uint32_t i = 0; i < count; i++) {
        int32_t at = og_lance_table_find_field(table, columns[i].name);
        if (at < 0 || !og_type_eq(fields[at].field.type, columns[i].type))
            return og_error_set(err, OG_CORRUPT, "%s has no column '%.*s' of the right type",
                                og_lance_table_path(table), OG_FMT(columns[i].name));
        out[i] = (uint32_t)at;
    }
    return OG_OK;
}

static og_str text_at(const og_batch *batch, uint32_t column, int64_t row)
{
    const og_array *array = batch->columns[column];
    return og_array_is_null(array, row) ? OG_STR("") : og_array_str(array, row);
}

/* ---- `__manifest` ------------------------------------------------------------------------- */

static const og_field manifest_columns[] = {{{"metadata", 8}, &utf8, true}};

/* One pass over rows at the end of what is not read yet. */
typedef struct pass {
    og_history *history;
    uint32_t start;
    uint64_t first_version; /* of the first commit, whose rows may begin before `start` */
    uint64_t last_version;
    uint32_t first_slot; /* of the first row that was taken; UINT32_MAX = none was */
} pass;

static og_status take_manifest_row(pass *p, og_str metadata, uint32_t slot, og_error *err)
{
    og_history *h = p->history;
    og_commit_info commit;
    og_arena_reset(h->scratch);
    if (!og_graph__commit_of_metadata(h->scratch, metadata, &commit))
        return OG_OK;
    uint64_t version = commit.manifest_version;
    h->is_contradicted |= h->is_ordered && (version < p->last_version || version > h->unread);
    p->last_version = version;
    if (p->first_version == 0)
        p->first_version = version;
    if (p->start > 0 && version == p->first_version)
        return OG_OK;
    if (p->first_slot == UINT32_MAX)
        p->first_slot = slot;
    const og_commit_info *known = known_commit(h, commit.id);
    h->is_contradicted |= known != NULL && known->manifest_version != version && h->is_ordered;
    return known != NULL ? OG_OK : add_commit(h, commit, err);
}

static og_status run_pass(pass *p, og_error *err)
{
    og_history *h = p->history;
    uint32_t field;
    OG_TRY(find_columns(h->manifest, manifest_columns, 1, &field, err));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(h->manifest, &field, 1, p->start, h->manifest_end, &scan, err));
    while (!h->is_contradicted) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            break;
        for (int64_t row = 0; row < batch.row_count; row++)
            OG_TRY(take_manifest_row(p, text_at(&batch, 0, row), slots[row], err));
    }
    return OG_OK;
}

/* Read rows backwards until commits of two versions are among them, or all are read.
 * *out_floor: the lowest version of which none is missing. */
static og_status read_manifest(og_history *h, size_t rows, uint64_t *out_floor, og_error *err)
{
    for (;;) {
        bool is_part = h->is_ordered && h->manifest_end > rows;
        pass p = {.history = h,
                  .start = is_part ? h->manifest_end - (uint32_t)rows : 0,
                  .first_slot = UINT32_MAX};
        OG_TRY(run_pass(&p, err));
        *out_floor = p.start > 0 ? p.first_version + 1 : 0;
        if (p.start == 0 || p.first_slot != UINT32_MAX || h->is_contradicted) {
            h->manifest_end = p.start > 0 ? p.first_slot : 0;
            return OG_OK;
        }
        rows = rows > SIZE_MAX / 2 ? SIZE_MAX : rows * 2;
    }
}

/* ---- actors ------------------------------------------------------------------------------- */

static const og_field actor_columns[] = {{{"graph_commit_id", 15}, &utf8, false},
                                         {{"actor_id", 8}, &utf8, false}};

static og_status take_actor_row(og_history *h, const og_batch *batch, int64_t row, og_error *err)
{
    og_str commit = text_at(batch, 0, row), actor = text_at(batch, 1, row);
    uint64_t *at = og_strmap_put(h->actors, commit, NULL);
    if (at == NULL || !copy_text(h, &actor) || !og_vec_push(&h->actor_names, actor))
        return og_error_nomem(err);
    *at = h->actor_names.len;
    return OG_OK;
}

static og_status scan_actors(og_history *h, uint64_t version, og_error *err)
{
    uint32_t fields[2];
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_table_open(h->repo->env, OG_GRAPH__ACTORS, version, 0, &table, err));
    OG_TRY(find_columns(table, actor_columns, 2, fields, err));
    OG_TRY(og_lance_scan_open(table, fields, 2, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < batch.row_count; row++)
            OG_TRY(take_actor_row(h, &batch, row, err));
    }
}

/* *out 0: the data set is not there. */
static og_status newest_version(og_history *h, const char *path, const uint64_t *hint,
                                uint64_t *out, og_error *err)
{
    og_status s = og_lance_latest_version(h->repo->env, path,
                                          __atomic_load_n(hint, __ATOMIC_RELAXED), out, err);
    if (s == OG_NOT_FOUND)
        *out = 0;
    return s == OG_NOT_FOUND ? OG_OK : s;
}

static bool is_torn(og_status status)
{
    return status == OG_CORRUPT || status == OG_NOT_FOUND;
}

/* The newest version that can be read; that there is none is no error. Rows that a torn
 * version gave before it broke are good rows, and the version before has them, too. */
static og_status need_actors(og_history *h, og_error *err)
{
    uint64_t version;
    if (h->has_actors)
        return OG_OK;
    OG_TRY(newest_version(h, OG_GRAPH__ACTORS, &h->repo->actors_hint, &version, err));
    og_status s = OG_NOT_FOUND;
    for (int i = 0; i < MAX_TORN_VERSIONS && version > 0 && is_torn(s); i++, version--)
        s = scan_actors(h, version, err);
    h->has_actors = s == OG_OK || is_torn(s);
    return h->has_actors ? OG_OK : s;
}

/* ---- the commit DAG ----------------------------------------------------------------------- */

enum { ID, BRANCH, VERSION, PARENT, MERGED_PARENT, CREATED_AT, DAG_COLUMNS };

static const og_field dag_columns[DAG_COLUMNS] = {
    [ID] = {{"graph_commit_id", 15}, &utf8, false},
    [BRANCH] = {{"manifest_branch", 15}, &utf8, true},
    [VERSION] = {{"manifest_version", 16}, &u64, false},
    [PARENT] = {{"parent_commit_id", 16}, &utf8, true},
    [MERGED_PARENT] = {{"merged_parent_commit_id", 23}, &utf8, true},
    [CREATED_AT] = {{"created_at", 10}, &timestamp, false},
};

/* Which version each row is of. */
static og_status scan_versions(og_history *h, og_error *err)
{
    uint32_t fields[DAG_COLUMNS];
    OG_AUTO(og_lance_scan) scan = NULL;
    h->dag_rows.len = 0;
    OG_TRY(find_columns(h->dag, dag_columns, DAG_COLUMNS, fields, err));
    OG_TRY(og_lance_scan_open(h->dag, &fields[VERSION], 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        if (!og_vec_reserve(&h->dag_rows, (size_t)batch.row_count))
            return og_error_nomem(err);
        for (int64_t row = 0; row < batch.row_count; row++)
            if (!og_array_is_null(batch.columns[0], row) &&
                og_array_u64(batch.columns[0], row) <= h->newest)
                h->dag_rows.items[h->dag_rows.len++] = (og_graph__dag_row){
                    .version = og_array_u64(batch.columns[0], row), .slot = slots[row]};
    }
}

/* Open the newest version at `version` or below that can be read; NULL when there is none, or it is
 * an earlier branch's. */
static og_status open_dag(og_history *h, uint64_t version, og_error *err)
{
    const char *path = h->branch->commits_path;
    og_status s = OG_NOT_FOUND;
    for (int i = 0; i < MAX_TORN_VERSIONS && version > 0 && is_torn(s); i++, version--) {
        og_lance_table_unref(OG_TAKE(h->dag));
        s = og_lance_table_open(h->repo->env, path, version, 0, &h->dag, err);
        if (s == OG_OK)
            s = scan_versions(h, err);
    }
    if (s == OG_OK && !og_graph__dag_is_of_another(h->dag, og_str_of(h->branch_id)))
        return OG_OK;
    og_lance_table_unref(OG_TAKE(h->dag));
    h->dag_rows.len = 0;
    return s == OG_OK || is_torn(s) ? OG_OK : s;
}

/* Files of a version that is no longer the newest may have been cleaned away while it was read:
 * then there is a newer one. Otherwise the version is torn. */
static og_status reopen_dag(og_history *h, bool is_gone, og_error *err)
{
    uint64_t opened = og_lance_table_version(h->dag), newest = 0;
    if (is_gone)
        OG_TRY(newest_version(h, h->branch->commits_path, &h->branch->commits_hint, &newest, err));
    return open_dag(h, newest > opened ? newest : opened - 1, err);
}

og_status og_graph__history_begin(og_history *h, og_error *err)
{
    uint64_t version;
    og_status s = og_lance_ids_ascend(h->manifest, &h->is_ordered, err);
    if (s == OG_CORRUPT) /* what it says of its commits is not damaged by that */
        h->is_ordered = false;
    else
        OG_TRY(s);
    OG_TRY(newest_version(h, h->branch->commits_path, &h->branch->commits_hint, &version, err));
    return open_dag(h, version, err);
}

/* ---- rows of the DAG ---------------------------------------------------------------------- */

typedef OG_VEC(uint32_t) slot_list;

/* Some rows of the DAG, a batch at a time, for `take`. */
typedef struct dag_take {
    og_history *history;
    const uint32_t *fields; /* by column */
    uint32_t column_count;  /* the first so many columns */
    slot_list *unknown;     /* rows of commits that are not known */
    og_status (*take)(const struct dag_take *t, const og_batch *batch, int64_t row, uint32_t slot,
                      og_error *err);
} dag_take;

static og_status take_rows(const dag_take *t, const slot_list *slots, og_error *err)
{
    for (size_t at = 0; at < slots->len; at += OG_BATCH_ROWS) {
        OG_AUTO_BATCH batch = {0};
        size_t n = slots->len - at < OG_BATCH_ROWS ? slots->len - at : OG_BATCH_ROWS;
        OG_TRY(og_lance_take(t->history->dag, t->fields, t->column_count, slots->items + at, n,
                             &batch, err));
        for (int64_t row = 0; row < batch.row_count; row++)
            OG_TRY(t->take(t, &batch, row, slots->items[at + (size_t)row], err));
    }
    return OG_OK;
}

static og_status take_id(const dag_take *t, const og_batch *batch, int64_t row, uint32_t slot,
                         og_error *err)
{
    og_history *h = t->history;
    og_str id = text_at(batch, ID, row);
    og_commit_info *known = id.len > 0 ? known_commit(h, id) : NULL;
    if (known != NULL) {
        bool is_fresh = *og_strmap_get(h->ids, id) >= h->line.len;
        h->is_contradicted |= !is_fresh && known->op.len == 0; /* it had a row of another version */
        known->has_row = true;
    } else if (id.len > 0 && !og_vec_push(t->unknown, slot))
        return og_error_nomem(err);
    return OG_OK;
}

static og_status take_commit(const dag_take *t, const og_batch *batch, int64_t row, uint32_t slot,
                             og_error *err)
{
    (void)slot;
    og_history *h = t->history;
    if (og_array_is_null(batch->columns[VERSION], row) ||
        og_array_is_null(batch->columns[CREATED_AT], row))
        return OG_OK;
    og_commit_info commit = {.id = text_at(batch, ID, row),
                             .branch = text_at(batch, BRANCH, row),
                             .manifest_version = og_array_u64(batch->columns[VERSION], row),
                             .parent = text_at(batch, PARENT, row),
                             .merged_parent = text_at(batch, MERGED_PARENT, row),
                             .created_at_us = og_array_i64(batch->columns[CREATED_AT], row),
                             .has_row = true};
    if (known_commit(h, commit.id) != NULL) /* a doubled row */
        return OG_OK;
    const uint64_t *actor = og_strmap_get(h->actors, commit.id);
    commit.actor = actor != NULL ? h->actor_names.items[*actor - 1] : OG_STR("");
    return add_commit(h, commit, err);
}

/* The rows of versions from `floor` to what is known. */
static og_status read_dag_rows(og_history *h, uint64_t floor, slot_list *wanted, slot_list *unknown,
                               og_error *err)
{
    uint32_t fields[DAG_COLUMNS];
    wanted->len = unknown->len = 0;
    OG_TRY(find_columns(h->dag, dag_columns, DAG_COLUMNS, fields, err));
    for (size_t i = 0; i < h->dag_rows.len; i++) {
        const og_graph__dag_row *row = &h->dag_rows.items[i];
        if (row->version >= floor && row->version <= h->unread && !og_vec_push(wanted, row->slot))
            return og_error_nomem(err);
    }
    const dag_take ids = {h, fields, 1, unknown, take_id};
    OG_TRY(take_rows(&ids, wanted, err));
    if (unknown->len == 0)
        return OG_OK;
    OG_TRY(need_actors(h, err));
    const dag_take rows = {h, fields, DAG_COLUMNS, NULL, take_commit};
    return take_rows(&rows, unknown, err);
}

static og_status read_dag(og_history *h, uint64_t floor, og_error *err)
{
    slot_list wanted = {0}, unknown = {0};
    og_status s = OG_OK;
    bool is_first = true;
    while (h->dag != NULL) {
        s = read_dag_rows(h, floor, &wanted, &unknown, err);
        if (!is_torn(s))
            break;
        s = reopen_dag(h, s == OG_NOT_FOUND && is_first, err);
        if (s != OG_OK)
            break;
        is_first = false;
    }
    og_vec_deinit(&wanted);
    og_vec_deinit(&unknown);
    return s;
}

/* ---- both --------------------------------------------------------------------------------- */

og_status og_graph__history_read(og_history *h, size_t rows, og_error *err)
{
    uint64_t floor;
    OG_TRY(read_manifest(h, rows, &floor, err));
    if (h->is_contradicted)
        return OG_OK;
    OG_TRY(read_dag(h, floor, err));
    h->is_whole = floor == 0;
    h->unread = floor == 0 ? 0 : floor - 1;
    return OG_OK;
}
