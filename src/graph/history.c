#include "graph/history.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "graph/later.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"

/* Versions at the end of a data set that a power loss may have torn. */
#define MAX_TORN_VERSIONS 256

#define ULID_LENGTH 26

struct og_history {
    og_arena *arena; /* text of the commits */
    og_strmap *ids;  /* id -> index into commits; keys are borrowed from the arena */
    OG_VEC(og_commit_info) commits;
    /* While reading. */
    og_arena *scratch;
    og_strmap *actors; /* commit -> index into actor_names, plus 1 */
    OG_VEC(og_str) actor_names;
    uint64_t newest; /* no commit of a later version is taken from the data set */
};

void og_history_free(og_history *h)
{
    if (h == NULL)
        return;
    og_strmap_free(h->ids);
    og_strmap_free(h->actors);
    og_vec_deinit(&h->commits);
    og_vec_deinit(&h->actor_names);
    og_arena_free(h->scratch);
    og_arena_free(h->arena);
    og_free(h);
}

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

/* Keep a commit unless its id is known already; its text is copied. */
static og_status add_commit(og_history *h, og_commit_info commit, og_error *err)
{
    const uint64_t *known = commit.id.len > 0 ? og_strmap_get(h->ids, commit.id) : NULL;
    if (known != NULL)
        h->commits.items[*known].has_row |= commit.has_row;
    if (commit.id.len == 0 || known != NULL)
        return OG_OK;
    if (!copy_text(h, &commit.id) || !copy_text(h, &commit.parent) ||
        !copy_text(h, &commit.merged_parent) || !copy_text(h, &commit.branch) ||
        !copy_text(h, &commit.actor) || !copy_text(h, &commit.op) ||
        !og_vec_push(&h->commits, commit))
        return og_error_nomem(err);
    uint64_t *at = og_strmap_put(h->ids, commit.id, NULL);
    if (at == NULL)
        return og_error_nomem(err);
    *at = h->commits.len - 1;
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
                            .manifest_version = (uint64_t)version,
                            .branch = og_json_get_str(og, "branch", OG_STR("")),
                            .actor = og_json_get_str(og, "actor", OG_STR("")),
                            .op = og_json_get_str(og, "op", OG_STR("")),
                            .created_at_us = at};
    return out->id.len > 0;
}

/* ---- scanning ----------------------------------------------------------------------------- */

/* What one data set gives: columns by name, in the order in which `take` gets them. */
typedef struct source {
    const og_field *columns;
    uint32_t column_count;
    og_status (*take)(og_history *h, const og_batch *batch, int64_t row, og_error *err);
} source;

#define MAX_COLUMNS 6

static og_status find_columns(const og_lance_table *table, const source *from, uint32_t *out,
                              og_error *err)
{
    uint32_t count;
    const og_lance_field *fields = og_lance_table_fields(table, &count);
    for (uint32_t i = 0; i < from->column_count; i++) {
        const og_field *wanted = &from->columns[i];
        int32_t at = og_lance_table_find_field(table, wanted->name);
        if (at < 0 || !og_type_eq(fields[at].field.type, wanted->type))
            return og_error_set(err, OG_CORRUPT, "%s has no column '%.*s' of the right type",
                                og_lance_table_path(table), OG_FMT(wanted->name));
        out[i] = (uint32_t)at;
    }
    return OG_OK;
}

static og_status scan_table(og_history *h, og_lance_table *table, const source *from, og_error *err)
{
    uint32_t fields[MAX_COLUMNS];
    OG_TRY(find_columns(table, from, fields, err));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(table, fields, from->column_count, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < batch.row_count; row++)
            OG_TRY(from->take(h, &batch, row, err));
    }
}

static og_str text_at(const og_batch *batch, uint32_t column, int64_t row)
{
    const og_array *array = batch->columns[column];
    return og_array_is_null(array, row) ? OG_STR("") : og_array_str(array, row);
}

static const og_type utf8 = {.id = OG_TYPE_UTF8};
static const og_type u64 = {.id = OG_TYPE_U64};
static const og_type timestamp = {.id = OG_TYPE_TIMESTAMP_US};

static og_status take_manifest_row(og_history *h, const og_batch *batch, int64_t row, og_error *err)
{
    og_commit_info commit;
    og_arena_reset(h->scratch);
    if (!og_graph__commit_of_metadata(h->scratch, text_at(batch, 0, row), &commit))
        return OG_OK;
    return add_commit(h, commit, err);
}

static const og_field manifest_columns[] = {{{"metadata", 8}, &utf8, true}};
static const source manifest_source = {manifest_columns, 1, take_manifest_row};

static og_status take_actor_row(og_history *h, const og_batch *batch, int64_t row, og_error *err)
{
    og_str commit = text_at(batch, 0, row), actor = text_at(batch, 1, row);
    uint64_t *at = og_strmap_put(h->actors, commit, NULL);
    if (at == NULL || !copy_text(h, &actor) || !og_vec_push(&h->actor_names, actor))
        return og_error_nomem(err);
    *at = h->actor_names.len;
    return OG_OK;
}

static const og_field actor_columns[] = {{{"graph_commit_id", 15}, &utf8, false},
                                         {{"actor_id", 8}, &utf8, false}};
static const source actor_source = {actor_columns, 2, take_actor_row};

static og_status take_commit_row(og_history *h, const og_batch *batch, int64_t row, og_error *err)
{
    if (og_array_is_null(batch->columns[2], row) || og_array_is_null(batch->columns[5], row) ||
        og_array_u64(batch->columns[2], row) > h->newest)
        return OG_OK;
    og_commit_info commit = {.id = text_at(batch, 0, row),
                             .branch = text_at(batch, 1, row),
                             .manifest_version = og_array_u64(batch->columns[2], row),
                             .parent = text_at(batch, 3, row),
                             .merged_parent = text_at(batch, 4, row),
                             .created_at_us = og_array_i64(batch->columns[5], row),
                             .has_row = true};
    const uint64_t *actor = og_strmap_get(h->actors, commit.id);
    commit.actor = actor != NULL ? h->actor_names.items[*actor - 1] : OG_STR("");
    return add_commit(h, commit, err);
}

static const og_field commit_columns[MAX_COLUMNS] = {
    {{"graph_commit_id", 15}, &utf8, false},        {{"manifest_branch", 15}, &utf8, true},
    {{"manifest_version", 16}, &u64, false},        {{"parent_commit_id", 16}, &utf8, true},
    {{"merged_parent_commit_id", 23}, &utf8, true}, {{"created_at", 10}, &timestamp, false},
};
static const source commit_source = {commit_columns, MAX_COLUMNS, take_commit_row};

/* ---- reading both sources ----------------------------------------------------------------- */

/* Scan the newest version that can be read; that there is none is no error. Rows that a torn
 * version gave before it broke are good rows, and the version before has them, too. */
static og_status scan_newest(og_history *h, og_repo *repo, const char *path, const uint64_t *hint,
                             const source *from, og_error *err)
{
    uint64_t version;
    og_status s = og_lance_latest_version(repo->env, path, __atomic_load_n(hint, __ATOMIC_RELAXED),
                                          &version, err);
    if (s == OG_NOT_FOUND)
        return OG_OK;
    OG_TRY(s);
    for (int i = 0; i < MAX_TORN_VERSIONS && version > 0; i++, version--) {
        OG_AUTO(og_lance_table) table = NULL;
        s = og_lance_table_open(repo->env, path, version, 0, &table, err);
        if (s == OG_OK)
            s = scan_table(h, table, from, err);
        if (s != OG_CORRUPT && s != OG_NOT_FOUND)
            return s;
    }
    return OG_OK;
}

static int by_age(const void *a, const void *b)
{
    const og_commit_info *x = a, *y = b;
    if (x->manifest_version != y->manifest_version)
        return x->manifest_version < y->manifest_version ? -1 : 1;
    if (x->created_at_us != y->created_at_us)
        return x->created_at_us < y->created_at_us ? -1 : 1;
    return og_str_cmp(x->id, y->id);
}

/* ---- order -------------------------------------------------------------------------------- */

/* Commits of one version, [first, end), in order of time. A merge that changes no table has the
 * version of its target, and a clock that was set back may give it the earlier time. */
typedef struct same_version {
    og_history *history;
    size_t first, end;
    bool *is_placed;
    size_t *line; /* of parents that are still to be placed, the youngest first */
} same_version;

/* Index of the parent of a commit, if it is of the same version; else `end`. */
static size_t parent_within(const same_version *v, size_t at)
{
    const og_history *h = v->history;
    og_str parent = h->commits.items[at].parent;
    const uint64_t *found = parent.len > 0 ? og_strmap_get(h->ids, parent) : NULL;
    return found != NULL && *found >= v->first && *found < v->end ? (size_t)*found : v->end;
}

static bool parents_stand_first(const same_version *v)
{
    for (size_t i = v->first; i < v->end; i++) {
        size_t parent = parent_within(v, i);
        if (parent != v->end && parent > i)
            return false;
    }
    return true;
}

/* In order of time, but each behind its parent. A circle, which only damage makes, is cut
 * anywhere. */
static void place_all(same_version *v, og_commit_info *out)
{
    size_t placed = 0;
    for (size_t i = v->first; i < v->end; i++) {
        size_t waiting = 0;
        for (size_t at = i; at != v->end && !v->is_placed[at - v->first];
             at = parent_within(v, at)) {
            v->is_placed[at - v->first] = true;
            v->line[waiting++] = at;
        }
        while (waiting > 0)
            out[placed++] = v->history->commits.items[v->line[--waiting]];
    }
}

static og_status put_parents_first(og_history *h, size_t first, size_t end, og_error *err)
{
    size_t count = end - first;
    same_version v = {.history = h, .first = first, .end = end};
    if (parents_stand_first(&v))
        return OG_OK;
    OG_AUTO_FREE bool *is_placed = og_calloc(count, sizeof *is_placed);
    OG_AUTO_FREE size_t *line = og_calloc(count, sizeof *line);
    OG_AUTO_FREE og_commit_info *ordered = og_calloc(count, sizeof *ordered);
    if (is_placed == NULL || line == NULL || ordered == NULL)
        return og_error_nomem(err);
    v.is_placed = is_placed;
    v.line = line;
    place_all(&v, ordered);
    memcpy(&h->commits.items[first], ordered, count * sizeof *ordered);
    return OG_OK;
}

static void note_places(og_history *h)
{
    for (size_t i = 0; i < h->commits.len; i++)
        *og_strmap_get(h->ids, h->commits.items[i].id) = i;
}

static og_status put_in_order(og_history *h, og_error *err)
{
    const og_commit_info *all = h->commits.items;
    if (h->commits.len < 2)
        return OG_OK;
    qsort(h->commits.items, h->commits.len, sizeof *all, by_age);
    note_places(h);
    for (size_t first = 0, end; first < h->commits.len; first = end) {
        for (end = first + 1; end < h->commits.len; end++)
            if (all[end].manifest_version != all[first].manifest_version)
                break;
        if (end - first > 1)
            OG_TRY(put_parents_first(h, first, end, err));
    }
    note_places(h);
    return OG_OK;
}

static og_status read_sources(og_history *h, og_graph__snapshot *at, og_error *err)
{
    OG_TRY(scan_table(h, at->manifest, &manifest_source, err));
    og_repo *repo = at->repo;
    const og_graph__branch *b = at->branch;
    OG_TRY(scan_newest(h, repo, OG_GRAPH__ACTORS, &repo->actors_hint, &actor_source, err));
    return scan_newest(h, repo, b->commits_path, &b->commits_hint, &commit_source, err);
}

static og_status read_history(og_snapshot *snapshot, uint64_t newest, og_history **out,
                              og_error *err)
{
    og_graph__snapshot *at = og_graph__snapshot_of(snapshot);
    OG_AUTO(og_history) h = og_calloc(1, sizeof *h);
    if (h == NULL)
        return og_error_nomem(err);
    h->arena = og_arena_new(0);
    h->scratch = og_arena_new(0);
    h->ids = og_strmap_new(true);
    h->actors = og_strmap_new(false);
    if (h->arena == NULL || h->scratch == NULL || h->ids == NULL || h->actors == NULL)
        return og_error_nomem(err);
    h->newest = newest;
    OG_TRY(read_sources(h, at, err));
    OG_TRY(put_in_order(h, err));
    *out = OG_TAKE(h);
    return OG_OK;
}

og_status og_history_open(og_repo *repo, const char *branch, og_history **out, og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_graph__later_wait(repo);
    OG_TRY(og_repo_snapshot(repo, branch, &snapshot, err));
    return read_history(snapshot, UINT64_MAX, out, err);
}

og_status og_history_of(og_snapshot *snapshot, og_history **out, og_error *err)
{
    og_graph__later_wait(og_graph__snapshot_of(snapshot)->repo);
    return read_history(snapshot, snapshot->manifest_version, out, err);
}

const og_commit_info *og_history_commits(const og_history *history, size_t *out_count)
{
    *out_count = history->commits.len;
    return history->commits.items;
}

const og_commit_info *og_history_head(const og_history *history)
{
    return history->commits.len > 0 ? &og_vec_last(&history->commits) : NULL;
}

const og_commit_info *og_history_find(const og_history *history, og_str id)
{
    const uint64_t *at = og_strmap_get(history->ids, id);
    return at != NULL ? &history->commits.items[*at] : NULL;
}

/* ---- one commit, on whichever branch ------------------------------------------------------ */

typedef struct search {
    og_repo *repo;
    og_str id;
    og_history *history; /* of the branch that knows it; owned */
    const og_commit_info *found;
    bool was_aborted; /* a branch says so of the operation `id` */
} search;

static const og_commit_info *find_commit_or_op(const og_history *h, og_str id)
{
    const og_commit_info *found = og_history_find(h, id);
    for (size_t i = 0; i < h->commits.len && found == NULL; i++)
        if (og_str_eq(h->commits.items[i].op, id))
            found = &h->commits.items[i];
    return found;
}

static og_status look_for_abort(search *s, const char *branch, og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_graph__op_fate fate;
    OG_TRY(og_repo_snapshot(s->repo, branch, &snapshot, err));
    OG_TRY(og_graph__op_fate_of(og_graph__snapshot_of(snapshot)->manifest, s->id, &fate, err));
    s->was_aborted = fate == OG_GRAPH__OP_ABORTED;
    return OG_OK;
}

static og_status search_branch(search *s, const char *branch, og_error *err)
{
    OG_AUTO(og_history) history = NULL;
    OG_TRY(og_history_open(s->repo, branch, &history, err));
    s->found = find_commit_or_op(history, s->id);
    if (s->found != NULL)
        s->history = OG_TAKE(history);
    else if (s->id.len == ULID_LENGTH && !s->was_aborted)
        OG_TRY(look_for_abort(s, branch, err));
    return OG_OK;
}

static og_status search_branches(search *s, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str *names;
    size_t count;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(search_branch(s, NULL, err));
    if (s->found != NULL)
        return OG_OK;
    OG_TRY(og_lance_branch_list(s->repo->store, OG_GRAPH__MANIFEST, arena, &names, &count, err));
    for (size_t i = 0; i < count && s->found == NULL; i++) {
        og_str name = og_arena_str(arena, names[i]);
        og_status status = name.ptr != NULL ? search_branch(s, name.ptr, err) : og_error_nomem(err);
        if (status != OG_OK && status != OG_NOT_FOUND) /* deleted since it was listed */
            return og_error_context(err, status, "branch '%.*s'", OG_FMT(names[i]));
    }
    return OG_OK;
}

static og_status not_found(const search *s, og_error *err)
{
    if (s->was_aborted)
        return og_error_set(
            err, OG_NOT_FOUND,
            "operation '%.*s' was aborted: nothing of it was published, and nothing "
            "ever will be",
            OG_FMT(s->id));
    og_error_set(err, OG_NOT_FOUND, "commit '%.*s' not found", OG_FMT(s->id));
    og_error_hint(err, s->id.len == ULID_LENGTH
                           ? "No operation of this id was published; one whose writer still runs "
                             "may be."
                           : "The commits of a branch: omnigraph commit list");
    return OG_NOT_FOUND;
}

og_status og_history_find_any(og_repo *repo, og_str id, og_history **out_history,
                              const og_commit_info **out_commit, og_error *err)
{
    search s = {.repo = repo, .id = id};
    OG_TRY(search_branches(&s, err));
    if (s.found == NULL)
        return not_found(&s, err);
    *out_commit = s.found;
    *out_history = s.history;
    return OG_OK;
}
