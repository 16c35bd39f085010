#include "graph/dag.h"

#include <stdio.h>

#include "base/map.h"
#include "graph/dag_priv.h"
#include "graph/later.h"
#include "graph/layout.h"

/* Versions at the end that a power loss may have torn. */
#define MAX_TORN_VERSIONS 256

static const og_type utf8 = {.id = OG_TYPE_UTF8};
static const og_type u64 = {.id = OG_TYPE_U64};
static const og_type timestamp = {.id = OG_TYPE_TIMESTAMP_US};

static const og_lance_new_field commit_fields[COMMIT_COLUMNS] = {
    [ID] = {.field = {{"graph_commit_id", 15}, &utf8, false}},
    [BRANCH] = {.field = {{"manifest_branch", 15}, &utf8, true}},
    [VERSION] = {.field = {{"manifest_version", 16}, &u64, false}},
    [PARENT] = {.field = {{"parent_commit_id", 16}, &utf8, true}},
    [MERGED_PARENT] = {.field = {{"merged_parent_commit_id", 23}, &utf8, true}},
    [CREATED_AT] = {.field = {{"created_at", 10}, &timestamp, false}},
};
static const og_lance_new_field actor_fields[ACTOR_COLUMNS] = {
    [ACTOR_COMMIT] = {.field = {{"graph_commit_id", 15}, &utf8, false}},
    [ACTOR_ID] = {.field = {{"actor_id", 8}, &utf8, false}},
    [ACTOR_AT] = {.field = {{"created_at", 10}, &timestamp, false}},
};

void og_graph__dag_deinit(og_graph__dag *dag)
{
    og_lance_table_unref(dag->commits);
    og_graph__state_unref(dag->unread);
    *dag = (og_graph__dag){0};
}

/* ---- finding the head --------------------------------------------------------------------- */

og_graph__dataset og_graph__commits_of(og_repo *repo, og_graph__branch *branch)
{
    return (og_graph__dataset){repo, branch->commits_path, &branch->commits_hint, branch};
}

og_graph__dataset og_graph__actors_of(og_repo *repo)
{
    return (og_graph__dataset){repo, OG_GRAPH__ACTORS, &repo->actors_hint, NULL};
}

og_str og_graph__newest_commit(const og_lance_table *table)
{
    og_str commit = og_lance_table_transaction_property(table, OG_STR("og.commit"));
    return commit.ptr != NULL ? commit : OG_STR("");
}

og_status og_graph__dataset_newest(const og_graph__dataset *d, uint64_t below, og_lance_table **out,
                                   uint64_t *out_head, og_error *err)
{
    *out = NULL;
    *out_head = 0;
    og_status s = og_lance_latest_version(
        d->repo->env, d->path, __atomic_load_n(d->hint, __ATOMIC_RELAXED), out_head, err);
    if (s == OG_NOT_FOUND)
        return OG_OK;
    OG_TRY(s);
    uint64_t version = below != 0 && below < *out_head ? below : *out_head;
    for (int i = 0; i < MAX_TORN_VERSIONS && version > 0; i++, version--) {
        s = og_lance_table_open(d->repo->env, d->path, version, 0, out, err);
        if (s == OG_OK && og_graph__newest_commit(*out).len > 0)
            __atomic_store_n(d->hint, version, __ATOMIC_RELAXED);
        if (s != OG_CORRUPT && s != OG_NOT_FOUND)
            return s;
        *out = NULL;
    }
    return OG_OK;
}

/* The commit with the highest manifest version; the later row of equals. */
static og_status newest_row(og_lance_table *commits, char out_id[27], uint64_t *out_version,
                            og_error *err)
{
    static const uint32_t fields[] = {ID, VERSION};
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(commits, fields, 2, 0, UINT32_MAX, &scan, err));
    *out_version = 0;
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < batch.row_count; row++) {
            og_str id = og_array_str(batch.columns[0], row);
            uint64_t version = og_array_u64(batch.columns[1], row);
            if (version < *out_version || id.len != 26)
                continue;
            *out_version = version;
            memcpy(out_id, id.ptr, 26);
            out_id[26] = '\0';
        }
    }
}

/* Step back from versions whose files are torn to one that can be read, and its newest commit. */
static og_status read_newest(og_repo *repo, og_graph__dag *dag, char out_id[27],
                             uint64_t *out_version, og_error *err)
{
    const og_graph__dataset d = og_graph__commits_of(repo, dag->branch);
    while (dag->commits != NULL) {
        og_status s = newest_row(dag->commits, out_id, out_version, err);
        if (s != OG_CORRUPT && s != OG_NOT_FOUND)
            return s;
        uint64_t torn = og_lance_table_version(dag->commits), head;
        og_lance_table_unref(OG_TAKE(dag->commits));
        if (torn > 1)
            OG_TRY(og_graph__dataset_newest(&d, torn - 1, &dag->commits, &head, err));
    }
    *out_version = 0;
    return OG_OK;
}

/* Whatever came last to `__manifest` was a commit of ours. */
static bool is_ours(const og_graph__state *state)
{
    return state->commit_id.len == 26 && state->commit_version == state->manifest_version;
}

/* Another program's commit is newer than ours when its version is. A merge of its that changes
 * no table has the version of its target, and comes after it. */
static bool is_newer(const og_graph__state *state, const char id[27], uint64_t version)
{
    if (version != state->commit_version)
        return version > state->commit_version;
    return is_ours(state) && !og_str_is(state->commit_id, id);
}

bool og_graph__dag_is_of_another(const og_lance_table *commits, og_str branch_id)
{
    og_str id = og_lance_table_transaction_property(commits, OG_STR("og.branch_id"));
    return id.len > 0 && !og_str_eq(id, branch_id);
}

static void drop_another(og_lance_table **commits, og_str branch_id)
{
    if (*commits != NULL && og_graph__dag_is_of_another(*commits, branch_id))
        og_lance_table_unref(OG_TAKE(*commits));
}

og_status og_graph__dag_open(og_repo *repo, og_graph__branch *branch, og_str branch_id,
                             const og_graph__state *state, og_graph__dag *out, og_error *err)
{
    *out = (og_graph__dag){.branch = branch};
    const og_graph__dataset d = og_graph__commits_of(repo, branch);
    OG_TRY(og_graph__dataset_newest(&d, 0, &out->commits, &out->head_version, err));
    drop_another(&out->commits, branch_id);
    if (state->commit_id.len == 26)
        memcpy(out->head_id, state->commit_id.ptr, 26);
    if (out->commits == NULL)
        return OG_OK;
    og_str last = og_graph__newest_commit(out->commits);
    if (last.len > 0 && is_ours(state)) {
        out->is_complete = og_str_eq(last, state->commit_id);
        return OG_OK;
    }
    char id[27];
    uint64_t version = 0;
    og_status s = read_newest(repo, out, id, &version, err);
    if (s != OG_OK) {
        og_graph__dag_deinit(out);
        return s;
    }
    if (version > 0 && is_newer(state, id, version))
        memcpy(out->head_id, id, sizeof id);
    return OG_OK;
}

/* The newest version that this process wrote, if its newest row is the head. */
static bool recall(og_repo *repo, og_str branch_id, og_graph__dag *dag)
{
    pthread_mutex_lock(&repo->lock);
    if (dag->branch->commits != NULL && og_str_is(branch_id, dag->branch->commits_id))
        dag->commits = og_lance_table_ref(dag->branch->commits);
    pthread_mutex_unlock(&repo->lock);
    if (dag->commits == NULL)
        return false;
    og_str last = og_graph__newest_commit(dag->commits);
    dag->is_complete = last.len > 0 && og_str_is(last, dag->head_id);
    dag->head_version = og_lance_table_version(dag->commits);
    if (!dag->is_complete)
        og_lance_table_unref(OG_TAKE(dag->commits));
    return dag->is_complete;
}

/* Is there a version above the newest one that is known to be ours? */
static og_status has_newer(const og_graph__dataset *d, bool *out, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    uint64_t bytes, known = __atomic_load_n(d->hint, __ATOMIC_RELAXED);
    *out = true;
    if (known == 0)
        return OG_OK;
    if (!og_lance_manifest_name(&name, d->path, known + 1))
        return og_error_nomem(err);
    og_status s = d->repo->store->ops->head(d->repo->store, og_buf_cstr(&name), &bytes, err);
    *out = s == OG_OK;
    return s == OG_NOT_FOUND ? OG_OK : s;
}

og_status og_graph__dag_begin(og_repo *repo, og_graph__branch *branch, og_str branch_id,
                              og_graph__state *state, og_graph__dag *out, og_error *err)
{
    /* A foreign commit is in the DAG only, and its version of `__manifest` above that of ours,
     * unless it is a merge that changed nothing. */
    const og_graph__dataset d = og_graph__commits_of(repo, branch);
    bool is_open = true;
    if (is_ours(state))
        OG_TRY(has_newer(&d, &is_open, err));
    if (is_open) {
        og_graph__later_wait(repo);
        return og_graph__dag_open(repo, branch, branch_id, state, out, err);
    }
    *out = (og_graph__dag){.branch = branch, .unread = og_graph__state_ref(state)};
    memcpy(out->head_id, state->commit_id.ptr, 26);
    return OG_OK;
}

/* For recall. */
static void remember(const og_graph__dataset *d, const og_graph__op *op, og_lance_write *write)
{
    og_lance_table *old, *table;
    if (d->branch == NULL || og_lance_write_table(write, &table, NULL) != OG_OK)
        return;
    pthread_mutex_lock(&d->repo->lock);
    old = d->branch->commits;
    d->branch->commits = table;
    snprintf(d->branch->commits_id, sizeof d->branch->commits_id, "%.*s", OG_FMT(op->branch_id));
    pthread_mutex_unlock(&d->repo->lock);
    og_lance_table_unref(old);
}

og_status og_graph__dag_newest(og_repo *repo, og_graph__branch *branch, og_graph__dag *out,
                               og_error *err)
{
    *out = (og_graph__dag){.branch = branch};
    const og_graph__dataset d = og_graph__commits_of(repo, branch);
    return og_graph__dataset_newest(&d, 0, &out->commits, &out->head_version, err);
}

/* ---- rows that are missing ---------------------------------------------------------------- */

static og_status known_ids(og_lance_table *commits, og_strmap *out, og_error *err)
{
    static const uint32_t fields[] = {ID};
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(commits, fields, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < batch.row_count; row++)
            if (og_strmap_put(out, og_array_str(batch.columns[0], row), NULL) == NULL)
                return og_error_nomem(err);
    }
}

/* Commits of ours that `__manifest` names and the DAG does not, in order of publication. */
static og_status missing_rows(og_graph__dag *dag, og_lance_table *manifest, og_arena *arena,
                              og_graph__commit_rows *out, og_error *err)
{
    OG_AUTO(og_strmap) known = og_strmap_new(false);
    if (known == NULL)
        return og_error_nomem(err);
    if (dag->commits != NULL)
        OG_TRY(known_ids(dag->commits, known, err));
    int32_t field = og_lance_table_find_field(manifest, OG_STR("metadata"));
    if (field < 0)
        return og_error_set(err, OG_CORRUPT, "__manifest has no column 'metadata'");
    uint32_t fields[] = {(uint32_t)field};
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(manifest, fields, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t i = 0; i < batch.row_count; i++) {
            if (og_array_is_null(batch.columns[0], i))
                continue;
            og_str metadata = og_arena_str(arena, og_array_str(batch.columns[0], i));
            og_commit_info row;
            bool is_new;
            if (metadata.ptr == NULL)
                return og_error_nomem(err);
            if (!og_graph__commit_of_metadata(arena, metadata, &row))
                continue;
            if (og_strmap_put(known, row.id, &is_new) == NULL || (is_new && !og_vec_push(out, row)))
                return og_error_nomem(err);
        }
    }
}

/* ---- appending ---------------------------------------------------------------------------- */

static bool put_text(og_builder *column, og_str text)
{
    return text.len > 0 ? og_builder_str(column, text) : og_builder_null(column);
}

static bool put_commit(og_builder **c, const og_commit_info *row)
{
    return og_builder_str(c[ID], row->id) && put_text(c[BRANCH], row->branch) &&
           og_builder_u64(c[VERSION], row->manifest_version) && put_text(c[PARENT], row->parent) &&
           put_text(c[MERGED_PARENT], row->merged_parent) &&
           og_builder_i64(c[CREATED_AT], row->created_at_us);
}

static bool put_actor(og_builder **c, const og_commit_info *row)
{
    return row->actor.len == 0 ||
           (og_builder_str(c[ACTOR_COMMIT], row->id) && og_builder_str(c[ACTOR_ID], row->actor) &&
            og_builder_i64(c[ACTOR_AT], row->created_at_us));
}

const og_graph__dag_layout og_graph__commit_layout = {commit_fields, COMMIT_COLUMNS, put_commit};
const og_graph__dag_layout og_graph__actor_layout = {actor_fields, ACTOR_COLUMNS, put_actor};

og_status og_graph__dag_batch(const og_graph__dag_layout *layout, const og_commit_info *commits,
                              size_t count, og_batch *out, og_error *err)
{
    og_builder *columns[COMMIT_COLUMNS] = {NULL};
    bool ok = true;
    for (uint32_t i = 0; i < layout->field_count; i++)
        ok &= (columns[i] = og_builder_new(layout->fields[i].field.type)) != NULL;
    for (size_t i = 0; i < count && ok; i++)
        ok = layout->put(columns, &commits[i]);
    og_status s = ok ? og_batch_init(out, layout->field_count, og_builder_length(columns[0]), err)
                     : og_error_nomem(err);
    for (uint32_t i = 0; i < layout->field_count; i++) {
        if (s == OG_OK)
            s = og_builder_finish(columns[i], &out->columns[i], err);
        og_builder_free(columns[i]);
    }
    return s;
}

og_status og_graph__dataset_check_life(const og_graph__dataset *d, og_str branch_id, og_error *err)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    if (d->branch == NULL || d->branch->is_main)
        return OG_OK;
    OG_TRY(og_graph__branch_id(d->repo, d->branch, id, err));
    if (og_str_is(branch_id, id))
        return OG_OK;
    return og_error_set(err, OG_CONFLICT, "branch '%s' was deleted meanwhile", d->branch->name);
}

/* Put a batch behind the rows of `base` (NULL: as a new data set) in the version after `head`. A
 * lost slot is retried on the winner's version. */
static og_status append_batch(const og_graph__dataset *d, const og_lance_new_field *fields,
                              uint32_t field_count, og_lance_table *base, uint64_t head,
                              const og_batch *batch, const og_graph__op *op, og_error *err)
{
    bool is_of_branch = d->branch != NULL && op->branch_id.len > 0;
    const og_lance_kv properties[] = {{OG_STR("og.commit"), og_str_of(op->commit_id)},
                                      {OG_STR("og.branch_id"), op->branch_id}};
    og_lance_write_options options = {.path = d->path,
                                      .fields = fields,
                                      .field_count = field_count,
                                      .min_max_fragment_id = -1,
                                      .properties = properties,
                                      .property_count = is_of_branch ? 2 : 1,
                                      .fold_one_run = true,
                                      .fold_all = op->fold_all,
                                      .now_us = og_repo_now_us(d->repo),
                                      .random = d->repo->random};
    OG_AUTO(og_lance_table) current = base != NULL ? og_lance_table_ref(base) : NULL;
    for (int attempt = 0; attempt < 8; attempt++) {
        OG_AUTO(og_lance_write) write = NULL;
        const og_lance_staged *staged;
        options.op = current != NULL ? OG_LANCE_APPEND : OG_LANCE_CREATE;
        options.fold = current != NULL;
        options.version = head + 1;
        OG_TRY(og_lance_write_new(d->repo->env, current, &options, &write, err));
        OG_TRY(og_lance_write_rows(write, batch, NULL, err));
        OG_TRY(og_lance_write_stage(write, &staged, err));
        og_status s = og_lance_staged_commit(write, false, err);
        if (s == OG_OK) {
            __atomic_store_n(d->hint, staged->version, __ATOMIC_RELAXED);
            remember(d, op, write);
        }
        if (s != OG_EXISTS)
            return s;
        og_lance_table_unref(OG_TAKE(current));
        OG_TRY(og_graph__dataset_newest(d, 0, &current, &head, err));
        OG_TRY(og_graph__dataset_check_life(d, op->branch_id, err));
        if (is_of_branch)
            drop_another(&current, op->branch_id);
    }
    return og_error_set(err, OG_CONFLICT, "too many concurrent writers of %s", d->path);
}

static og_status append_actors(og_repo *repo, const og_graph__commit_rows *rows,
                               const og_graph__op *op, og_error *err)
{
    bool any = false;
    for (size_t i = 0; i < rows->len; i++)
        any |= rows->items[i].actor.len > 0;
    if (!any)
        return OG_OK;
    OG_AUTO(og_lance_table) actors = NULL;
    uint64_t head;
    const og_graph__dataset d = og_graph__actors_of(repo);
    OG_TRY(og_graph__dataset_newest(&d, 0, &actors, &head, err));
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_graph__dag_batch(&og_graph__actor_layout, rows->items, rows->len, &batch, err));
    return append_batch(&d, actor_fields, ACTOR_COLUMNS, actors, head, &batch, op, err);
}

static og_commit_info row_of(const og_graph__op *op, uint64_t manifest_version)
{
    return (og_commit_info){.id = og_str_of(op->commit_id),
                            .parent = og_str_of(op->parent_id),
                            .merged_parent = og_str_of(op->merged_parent_id),
                            .branch = op->branch,
                            .actor = op->actor,
                            .manifest_version = manifest_version,
                            .created_at_us = op->at_us};
}

static og_status open_unread(og_repo *repo, og_graph__dag *dag, const og_graph__op *op,
                             og_error *err)
{
    og_graph__dag opened;
    OG_TRY(og_graph__dag_open(repo, dag->branch, op->branch_id, dag->unread, &opened, err));
    og_graph__dag_deinit(dag);
    *dag = opened;
    const og_graph__dataset d = og_graph__commits_of(repo, dag->branch);
    return og_graph__dataset_check_life(&d, op->branch_id, err);
}

og_status og_graph__dag_append(og_repo *repo, og_graph__dag *dag, og_lance_table *manifest,
                               const og_graph__op *op, uint64_t manifest_version, og_error *err)
{
    if (dag->unread != NULL && !recall(repo, op->branch_id, dag))
        OG_TRY(open_unread(repo, dag, op, err));
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_graph__commit_rows rows = {0};
    og_commit_info own = row_of(op, manifest_version);
    if (arena == NULL)
        return og_error_nomem(err);
    og_status s = dag->is_complete ? OG_OK : missing_rows(dag, manifest, arena, &rows, err);
    bool listed = false;
    for (size_t i = 0; i < rows.len; i++)
        listed |= og_str_eq(rows.items[i].id, own.id);
    if (s == OG_OK && !listed && !og_vec_push(&rows, own))
        s = og_error_nomem(err);
    const og_graph__dataset d = og_graph__commits_of(repo, dag->branch);
    OG_AUTO_BATCH batch = {0};
    if (s == OG_OK)
        s = og_graph__dag_batch(&og_graph__commit_layout, rows.items, rows.len, &batch, err);
    if (s == OG_OK)
        s = append_batch(&d, commit_fields, COMMIT_COLUMNS, dag->commits, dag->head_version, &batch,
                         op, err);
    if (s == OG_OK)
        s = append_actors(repo, &rows, op, err);
    og_vec_deinit(&rows);
    return s;
}

og_status og_graph__dag_append_beside(og_repo *repo, const char *path,
                                      const og_lance_new_field *fields, uint32_t field_count,
                                      const og_batch *batch, const og_graph__op *op, og_error *err)
{
    OG_AUTO(og_lance_table) newest = NULL;
    uint64_t hint = 0, head;
    const og_graph__dataset d = {repo, path, &hint, NULL};
    OG_TRY(og_graph__dataset_newest(&d, 0, &newest, &head, err));
    return append_batch(&d, fields, field_count, newest, head, batch, op, err);
}

/* ---- a new graph -------------------------------------------------------------------------- */

static og_status create_table(og_lance_env *env, const char *path, const og_lance_new_field *fields,
                              uint32_t field_count, const og_batch *batch, const og_graph__op *op,
                              const og_random *random, og_error *err)
{
    const og_lance_kv property = {OG_STR("og.commit"), og_str_of(op->commit_id)};
    og_lance_write_options options = {.op = OG_LANCE_CREATE,
                                      .path = path,
                                      .fields = fields,
                                      .field_count = field_count,
                                      .min_max_fragment_id = -1,
                                      .properties = &property,
                                      .property_count = 1,
                                      .now_us = op->at_us,
                                      .random = random};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    OG_TRY(og_lance_write_new(env, NULL, &options, &write, err));
    if (batch->row_count > 0)
        OG_TRY(og_lance_write_rows(write, batch, NULL, err));
    OG_TRY(og_lance_write_stage(write, &staged, err));
    og_store *store = og_lance_env_store(env);
    OG_TRY(store->ops->sync(store, staged->file_names, staged->file_count, err));
    OG_TRY(og_lance_staged_commit(write, true, err));
    const char *name = staged->manifest_name;
    return store->ops->sync(store, &name, 1, err);
}

og_status og_graph__dag_create(og_lance_env *env, const og_graph__op *op, uint64_t manifest_version,
                               const og_random *random, og_error *err)
{
    og_commit_info genesis = row_of(op, manifest_version);
    OG_AUTO_BATCH commits = {0};
    OG_AUTO_BATCH actors = {0};
    OG_TRY(og_graph__dag_batch(&og_graph__commit_layout, &genesis, 1, &commits, err));
    OG_TRY(og_graph__dag_batch(&og_graph__actor_layout, &genesis, 1, &actors, err));
    OG_TRY(create_table(env, OG_GRAPH__COMMITS, commit_fields, COMMIT_COLUMNS, &commits, op, random,
                        err));
    return create_table(env, OG_GRAPH__ACTORS, actor_fields, ACTOR_COLUMNS, &actors, op, random,
                        err);
}
