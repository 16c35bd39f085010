/* The commit DAG's tables, made whole again when files of theirs are gone or torn. */
#include "base/map.h"
#include "graph/dag_priv.h"

/* What a data set is to hold: commits by id, first those that are given, then those that only the
 * data set has. */
typedef struct repair {
    const og_graph__dataset *dataset;
    const og_graph__dag_layout *layout;
    og_arena *arena;  /* text of what the data set has */
    og_strmap *known; /* id -> has the data set a row of it? */
    og_graph__commit_rows rows;
    bool is_damaged;    /* not all of the newest version can be read */
    bool has_others;    /* the data set has rows of commits that were not given */
    uint64_t torn_rows; /* of fragments that can't */
} repair;

/* ---- what can still be read --------------------------------------------------------------- */

static og_status check_columns(const og_lance_table *table, const og_graph__dag_layout *layout,
                               og_error *err)
{
    uint32_t count;
    const og_lance_field *fields = og_lance_table_fields(table, &count);
    bool same = count == layout->field_count;
    for (uint32_t i = 0; i < count && same; i++)
        same = og_str_eq(fields[i].field.name, layout->fields[i].field.name) &&
               og_type_eq(fields[i].field.type, layout->fields[i].field.type);
    return same ? OG_OK
                : og_error_set(err, OG_UNSUPPORTED, "%s has other columns than it should",
                               og_lance_table_path(table));
}

static og_str text_at(const repair *r, const og_batch *batch, uint32_t column, int64_t row,
                      bool *ok)
{
    const og_array *array = batch->columns[column];
    if (og_array_is_null(array, row) || og_array_str(array, row).len == 0)
        return OG_STR("");
    og_str text = og_arena_str(r->arena, og_array_str(array, row));
    *ok &= text.ptr != NULL;
    return text;
}

static int64_t time_at(const og_batch *batch, uint32_t column, int64_t row)
{
    const og_array *array = batch->columns[column];
    return og_array_is_null(array, row) ? 0 : og_array_i64(array, row);
}

/* Keep a row of a commit that is not known yet. */
static og_status take_row(repair *r, const og_batch *batch, int64_t row, og_error *err)
{
    bool is_new, ok = true;
    if (og_array_is_null(batch->columns[ID], row))
        return OG_OK;
    uint64_t *has_row = og_strmap_put(r->known, og_array_str(batch->columns[ID], row), &is_new);
    if (has_row == NULL)
        return og_error_nomem(err);
    *has_row = true;
    if (!is_new)
        return OG_OK;
    r->has_others = true;
    og_commit_info commit = {.id = text_at(r, batch, ID, row, &ok)};
    if (r->layout == &og_graph__actor_layout) {
        commit.actor = text_at(r, batch, ACTOR_ID, row, &ok);
        commit.created_at_us = time_at(batch, ACTOR_AT, row);
    } else {
        commit.branch = text_at(r, batch, BRANCH, row, &ok);
        commit.parent = text_at(r, batch, PARENT, row, &ok);
        commit.merged_parent = text_at(r, batch, MERGED_PARENT, row, &ok);
        commit.created_at_us = time_at(batch, CREATED_AT, row);
        if (!og_array_is_null(batch->columns[VERSION], row))
            commit.manifest_version = og_array_u64(batch->columns[VERSION], row);
    }
    return ok && og_vec_push(&r->rows, commit) ? OG_OK : og_error_nomem(err);
}

static og_status read_fragment(repair *r, og_lance_table *table, const og_lance_fragment *fragment,
                               og_error *err)
{
    uint32_t fields[COMMIT_COLUMNS];
    OG_AUTO(og_lance_scan) scan = NULL;
    for (uint32_t i = 0; i < r->layout->field_count; i++)
        fields[i] = i;
    OG_TRY(og_lance_scan_open(table, fields, r->layout->field_count, fragment->first_slot,
                              fragment->first_slot + fragment->physical_rows, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < batch.row_count; row++)
            OG_TRY(take_row(r, &batch, row, err));
    }
}

/* Each fragment by itself: one that is gone takes no other one's rows with it. */
static og_status read_fragments(repair *r, og_lance_table *table, og_error *err)
{
    uint32_t count;
    const og_lance_fragment *fragments = og_lance_table_fragments(table, &count);
    OG_TRY(check_columns(table, r->layout, err));
    for (uint32_t i = 0; i < count; i++) {
        og_status s = read_fragment(r, table, &fragments[i], err);
        if (s != OG_OK && s != OG_CORRUPT && s != OG_NOT_FOUND)
            return s;
        r->is_damaged |= s != OG_OK;
        r->torn_rows += s != OG_OK ? fragments[i].physical_rows : 0;
    }
    return OG_OK;
}

/* ---- the new version ---------------------------------------------------------------------- */

/* Leave only those commits that the data set has no row of. */
static void drop_stored(repair *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->rows.len; i++)
        if (*og_strmap_get(r->known, r->rows.items[i].id) == false)
            r->rows.items[kept++] = r->rows.items[i];
    r->rows.len = kept;
}

/* Rows that were in torn fragments, and are not made again. */
static uint64_t count_lost(const repair *r)
{
    uint64_t left = r->torn_rows;
    for (size_t i = 0; i < r->rows.len && left > 0; i++)
        left -= *og_strmap_get(r->known, r->rows.items[i].id) == false;
    return left;
}

/* `head`: the commit of the newest row; "" = another program's. */
static og_status write_version(const repair *r, og_lance_table *base, uint64_t version,
                               og_str branch_id, og_str head, og_error *err)
{
    const og_graph__dataset *d = r->dataset;
    og_lance_kv properties[2];
    uint32_t count = 0;
    if (head.len > 0)
        properties[count++] = (og_lance_kv){OG_STR("og.commit"), head};
    if (branch_id.len > 0)
        properties[count++] = (og_lance_kv){OG_STR("og.branch_id"), branch_id};
    const og_lance_write_options options = {.op = base == NULL    ? OG_LANCE_CREATE
                                                  : r->is_damaged ? OG_LANCE_OVERWRITE
                                                                  : OG_LANCE_APPEND,
                                            .path = d->path,
                                            .fields = base == NULL ? r->layout->fields : NULL,
                                            .field_count =
                                                base == NULL ? r->layout->field_count : 0,
                                            .version = version,
                                            .min_max_fragment_id = -1,
                                            .properties = properties,
                                            .property_count = count,
                                            .fold = base != NULL && !r->is_damaged,
                                            .fold_one_run = true,
                                            .now_us = og_repo_now_us(d->repo),
                                            .random = d->repo->random};
    OG_AUTO_BATCH batch = {0};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    OG_TRY(og_graph__dag_batch(r->layout, r->rows.items, r->rows.len, &batch, err));
    OG_TRY(og_lance_write_new(d->repo->env, base, &options, &write, err));
    if (batch.row_count > 0)
        OG_TRY(og_lance_write_rows(write, &batch, NULL, err));
    OG_TRY(og_lance_write_stage(write, &staged, err));
    return og_lance_staged_commit(write, false, err);
}

/* The newest version of all that are listed. These tables are not synced, so a power loss may take
 * a version and leave a later one, torn, which those who go from version to version never meet. */
static og_status find_newest(const repair *r, og_lance_table **out, uint64_t *out_version,
                             og_error *err)
{
    uint64_t none = 0;
    og_graph__dataset listed = *r->dataset;
    listed.hint = &none;
    OG_TRY(og_lance_mark_holes(r->dataset->repo->env, r->dataset->path, err));
    return og_graph__dataset_newest(&listed, 0, out, out_version, err);
}

/* OG_EXISTS: another writer's version came first. */
static og_status run(repair *r, og_str branch_id, og_str head, og_error *err)
{
    OG_AUTO(og_lance_table) base = NULL;
    uint64_t newest;
    OG_TRY(find_newest(r, &base, &newest, err));
    OG_TRY(og_graph__dataset_check_life(r->dataset, branch_id, err));
    if (base != NULL && og_graph__dag_is_of_another(base, branch_id))
        og_lance_table_unref(OG_TAKE(base));
    if (base != NULL)
        OG_TRY(read_fragments(r, base, err));
    if (r->has_others) /* one of those may be newer: then it is the next one's parent */
        head = OG_STR("");
    if (base != NULL && !r->is_damaged)
        drop_stored(r);
    if (base != NULL && !r->is_damaged && r->rows.len == 0)
        return OG_OK;
    return write_version(r, base, newest + 1, branch_id, head, err);
}

/* Begin with the commits given that have a row in this layout. */
static og_status begin(repair *r, const og_commit_info *commits, size_t count, og_error *err)
{
    r->arena = og_arena_new(0);
    r->known = og_strmap_new(false);
    if (r->arena == NULL || r->known == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++) {
        if (r->layout == &og_graph__actor_layout && commits[i].actor.len == 0)
            continue;
        bool is_new;
        if (og_strmap_put(r->known, commits[i].id, &is_new) == NULL ||
            (is_new && !og_vec_push(&r->rows, commits[i])))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static void repair_deinit(repair *r)
{
    og_vec_deinit(&r->rows);
    og_strmap_free(r->known);
    og_arena_free(r->arena);
}

static og_status repair_dataset(const og_graph__dataset *d, const og_graph__dag_layout *layout,
                                bool is_damaged, const og_commit_info *commits, size_t count,
                                og_str branch_id, uint64_t *out_lost, og_error *err)
{
    og_str head = count > 0 && commits[count - 1].op.len > 0 ? commits[count - 1].id : OG_STR("");
    for (int attempt = 0; attempt < 8; attempt++) {
        repair r = {.dataset = d, .layout = layout, .is_damaged = is_damaged};
        og_status s = begin(&r, commits, count, err);
        if (s == OG_OK)
            s = run(&r, branch_id, head, err);
        if (s == OG_OK)
            *out_lost = count_lost(&r);
        repair_deinit(&r);
        if (s != OG_EXISTS)
            return s;
    }
    return og_error_set(err, OG_CONFLICT, "too many concurrent writers of %s", d->path);
}

og_status og_graph__dag_repair(og_repo *repo, og_graph__branch *branch, og_str branch_id,
                               bool is_damaged, const og_commit_info *commits, size_t count,
                               uint64_t *out_lost, og_error *err)
{
    const og_graph__dataset d = og_graph__commits_of(repo, branch);
    return repair_dataset(&d, &og_graph__commit_layout, is_damaged, commits, count, branch_id,
                          out_lost, err);
}

og_status og_graph__dag_repair_actors(og_repo *repo, bool is_damaged, const og_commit_info *commits,
                                      size_t count, uint64_t *out_lost, og_error *err)
{
    const og_graph__dataset d = og_graph__actors_of(repo);
    return repair_dataset(&d, &og_graph__actor_layout, is_damaged, commits, count, OG_STR(""),
                          out_lost, err);
}

/* Mark which commits have a row. */
static og_status look_up(repair *r, og_error *err)
{
    OG_AUTO(og_lance_table) newest = NULL;
    uint64_t version;
    OG_TRY(og_graph__dataset_newest(r->dataset, 0, &newest, &version, err));
    return newest != NULL ? read_fragments(r, newest, err) : OG_OK;
}

og_status og_graph__dag_find_actorless(og_repo *repo, const og_commit_info *commits, size_t count,
                                       size_t *out_count, const og_commit_info **out_last,
                                       og_error *err)
{
    const og_graph__dataset d = og_graph__actors_of(repo);
    repair r = {.dataset = &d, .layout = &og_graph__actor_layout};
    og_status s = begin(&r, commits, count, err);
    if (s == OG_OK)
        s = look_up(&r, err);
    *out_count = 0;
    for (size_t i = 0; i < count && s == OG_OK; i++) {
        const uint64_t *has_row = og_strmap_get(r.known, commits[i].id);
        if (has_row == NULL || *has_row)
            continue;
        ++*out_count;
        *out_last = &commits[i];
    }
    repair_deinit(&r);
    return s;
}
