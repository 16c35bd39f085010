#include "graph/fork.h"

#include "graph/layout.h"

void og_graph__fork_deinit(og_graph__fork *fork)
{
    og_lance_write_free(fork->write);
    og_buf_deinit(&fork->ref);
    og_buf_deinit(&fork->ref_name);
    *fork = (og_graph__fork){0};
}

static void new_id(const og_repo *repo, char out[OG_GRAPH__BRANCH_ID + 1])
{
    char text[37];
    og_uuid_format(og_uuid_new(repo->random), text);
    for (const char *p = text; *p != '\0'; p++)
        if (*p != '-')
            *out++ = *p;
    *out = '\0';
}

/* The forks on the way to the parent; none for main, and for a branch whose ref is lost or torn. */
static og_status read_parent(const og_repo *repo, const char *path, og_str parent, og_arena *arena,
                             og_lance_ref *out, og_error *err)
{
    *out = (og_lance_ref){0};
    if (parent.len == 0)
        return OG_OK;
    og_status s = og_lance_branch_read(repo->store, path, parent, arena, out, err);
    if (s != OG_NOT_FOUND && s != OG_CORRUPT)
        return s;
    *out = (og_lance_ref){0};
    return OG_OK;
}

/* The line of forks that leads to the new branch is that of its parent and one more. */
static og_status encode_ref(const og_repo *repo, const char *path, og_str parent,
                            const og_lance_table *source, og_str branch, og_graph__fork *out,
                            og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_lance_ref above;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(read_parent(repo, path, parent, arena, &above, err));
    og_lance_fork *forks = og_arena_array_of(arena, og_lance_fork, above.fork_count + 1);
    if (forks == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < above.fork_count; i++)
        forks[i] = above.forks[i];
    uint64_t version = og_lance_table_version(source);
    forks[above.fork_count] = (og_lance_fork){version, og_str_of(out->id)};
    og_lance_ref ref = {.first_version = out->staged->version,
                        .parent = parent,
                        .parent_version = version,
                        .created_s = og_repo_now_us(repo) / 1000000,
                        .manifest_bytes = og_lance_table_manifest_bytes(source),
                        .forks = forks,
                        .fork_count = above.fork_count + 1};
    if (!og_lance_branch_encode_ref(&out->ref, &ref) ||
        !og_lance_branch_ref_name(&out->ref_name, path, branch))
        return og_error_nomem(err);
    return OG_OK;
}

/* The clone of out->id. */
static og_status stage_clone(const og_repo *repo, og_lance_table *source, og_str branch,
                             uint64_t version, og_str commit_id, og_graph__fork *out, og_error *err)
{
    const og_lance_kv properties[] = {{OG_STR("og.fork"), og_str_of(out->id)},
                                      {OG_STR("og.commit"), commit_id}};
    og_lance_write_options options = {.op = OG_LANCE_CLONE,
                                      .branch = branch,
                                      .version = version,
                                      .min_max_fragment_id = -1,
                                      .properties = properties,
                                      .property_count = commit_id.len > 0 ? 2 : 1,
                                      .now_us = og_repo_now_us(repo),
                                      .random = repo->random};
    OG_TRY(og_lance_write_new(repo->env, source, &options, &out->write, err));
    return og_lance_write_stage(out->write, &out->staged, err);
}

og_status og_graph__fork_stage(const og_repo *repo, const char *path, og_str parent,
                               og_lance_table *source, og_str branch,
                               const og_lance_branch_slots *slots, og_str commit_id,
                               og_graph__fork *out, og_error *err)
{
    uint64_t used = slots->newest > slots->floor ? slots->newest : slots->floor;
    uint64_t version = og_lance_table_version(source);
    if (used == UINT64_MAX)
        return og_error_set(err, OG_CORRUPT, "branch '%.*s' of %s has used all numbers of versions",
                            OG_FMT(branch), path);
    new_id(repo, out->id);
    OG_TRY(stage_clone(repo, source, branch, used >= version ? used + 1 : version, commit_id, out,
                       err));
    return encode_ref(repo, path, parent, source, branch, out, err);
}

og_status og_graph__fork_ended_at(const og_repo *repo, const og_graph__branch *branch,
                                  uint64_t version, bool *out, og_error *err)
{
    og_lance_branch_slots slots;
    OG_AUTO(og_lance_table) next = NULL;
    *out = false;
    OG_TRY(og_lance_branch_survey(repo->store, OG_GRAPH__MANIFEST, og_str_of(branch->name), &slots,
                                  err));
    if (slots.floor != version)
        return OG_OK;
    og_status s = og_lance_table_open(repo->env, branch->manifest_path, version + 1, 0, &next, err);
    /* A clone is the first of the next life. Anything else came between mark and end. */
    *out = s == OG_NOT_FOUND ||
           (s == OG_OK && og_lance_table_transaction_property(next, OG_STR("og.fork")).len > 0);
    return s == OG_NOT_FOUND ? OG_OK : s;
}

/* ---- a first version that is missing ------------------------------------------------------ */

og_status og_graph__put_once(og_store *store, const char *name, og_bytes bytes, og_error *err)
{
    for (int attempt = 0;; attempt++) {
        og_status s = store->ops->put_if_absent(store, name, bytes, true, err);
        if (s != OG_UNKNOWN && s != OG_EXISTS)
            return s;
        OG_AUTO(og_blob) there = NULL;
        og_status seen = store->ops->get(store, name, &there, err);
        if (seen == OG_OK)
            return there->len == bytes.len && memcmp(there->ptr, bytes.ptr, bytes.len) == 0
                       ? OG_OK
                       : OG_EXISTS;
        if (seen != OG_NOT_FOUND || attempt == 2)
            return og_error_set(err, OG_UNKNOWN, "no answer about %s", name);
    }
}

og_status og_graph__fork_put(og_store *store, const og_graph__fork *fork, bool *out_ours,
                             og_error *err)
{
    const char *name = fork->staged->manifest_name;
    og_status s = og_graph__put_once(store, name, og_buf_bytes(&fork->staged->manifest), err);
    if (out_ours != NULL)
        *out_ours = s == OG_OK;
    if (s != OG_OK && s != OG_EXISTS)
        return s;
    return store->ops->sync(store, &name, 1, err);
}

/* Its creator may not have synced it, and what is written on a branch
 * lasts no longer than its ref. */
static og_status sync_ref(const og_repo *repo, const og_graph__branch *branch, og_error *err)
{
    OG_AUTO_BUF ref = OG_BUF_INIT;
    if (!og_lance_branch_ref_name(&ref, OG_GRAPH__MANIFEST, og_str_of(branch->name)))
        return og_error_nomem(err);
    const char *name = og_buf_cstr(&ref);
    uint64_t bytes;
    og_status s = repo->store->ops->sync(repo->store, &name, 1, err);
    if (s != OG_UNKNOWN)
        return s;
    if (repo->store->ops->head(repo->store, name, &bytes, NULL) == OG_NOT_FOUND)
        return og_error_set(err, OG_NOT_FOUND, "branch '%s' not found", branch->name);
    return og_error_set(err, OG_IO, "can't write on branch '%s': its ref could not be synced",
                        branch->name);
}

static og_status complete(og_repo *repo, const og_graph__branch *branch, const og_lance_ref *ref,
                          og_graph__fork *fork, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    OG_AUTO(og_lance_table) source = NULL;
    og_str id = ref->forks[ref->fork_count - 1].id;
    if (id.len > OG_GRAPH__BRANCH_ID)
        return og_error_set(err, OG_CORRUPT, "the ref of branch '%s' has a malformed id",
                            branch->name);
    memcpy(fork->id, id.ptr, id.len);
    fork->id[id.len] = '\0';
    if (!og_lance_branch_path(&path, OG_GRAPH__MANIFEST, ref->parent))
        return og_error_nomem(err);
    OG_TRY(og_lance_table_open(repo->env, og_buf_cstr(&path), ref->parent_version,
                               ref->manifest_bytes, &source, err));
    OG_TRY(stage_clone(repo, source, og_str_of(branch->name), ref->first_version, OG_STR(""), fork,
                       err));
    OG_TRY(sync_ref(repo, branch, err));
    return og_graph__fork_put(repo->store, fork, NULL, err);
}

static bool is_over(const og_repo *repo, const og_graph__branch *branch, const og_graph__fork *fork)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_status s = og_graph__branch_id(repo, branch, id, NULL);
    return s == OG_NOT_FOUND || (s == OG_OK && strcmp(id, fork->id) != 0);
}

og_status og_graph__fork_complete(og_repo *repo, const og_graph__branch *branch, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_lance_ref ref;
    og_graph__fork fork = {0};
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_graph__branch_ref(repo, branch, arena, &ref, err));
    og_status s = complete(repo, branch, &ref, &fork, err);
    if (s == OG_UNKNOWN && is_over(repo, branch, &fork))
        s = og_graph__branch_not_found(branch, err); /* and what was put went with it */
    og_graph__fork_deinit(&fork);
    return s;
}

/* ---- tables ------------------------------------------------------------------------------- */

static og_str name_of(const og_graph__branch *branch)
{
    return branch->is_main ? OG_STR("") : og_str_of(branch->name);
}

bool og_graph__is_home(const og_graph__branch *branch, const og_graph__pin *pin)
{
    return og_str_eq(pin->table_branch, name_of(branch));
}

og_graph__pin og_graph__home_pin(const og_graph__branch *branch, const og_graph__pin *pin)
{
    og_graph__pin home = *pin;
    home.table_branch = name_of(branch);
    return home;
}

og_status og_graph__fork_table(og_snapshot *snapshot, const og_type_def *def, og_graph__fork *out,
                               og_lance_table **out_table, og_error *err)
{
    const og_graph__snapshot *s = og_graph__snapshot_of(snapshot);
    const og_graph__pin *pin = og_graph__state_pin(s->state, def->table_key);
    OG_AUTO_BUF path = OG_BUF_INIT;
    og_lance_table *source;
    og_lance_branch_slots slots;
    OG_TRY(og_snapshot_table(snapshot, def, &source, err));
    if (!og_buf_str(&path, pin->table_path))
        return og_error_nomem(err);
    const char *root = og_buf_cstr(&path);
    OG_TRY(og_lance_branch_survey(s->repo->store, root, name_of(s->branch), &slots, err));
    OG_TRY(og_graph__fork_stage(s->repo, root, pin->table_branch, source, name_of(s->branch),
                                &slots, OG_STR(""), out, err));
    return og_lance_write_table(out->write, out_table, err);
}
