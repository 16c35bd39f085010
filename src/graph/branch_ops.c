#include "graph/branch_ops.h"

#include "graph/dag.h"
#include "graph/fork.h"
#include "graph/layout.h"
#include "graph/schema_files.h"

/* Versions this young without a ref belong to a living creator. */
#define CREATE_GRACE_US 10000000

/* ---- names -------------------------------------------------------------------------------- */

static og_status check_public(og_str name, const char *operation, og_error *err)
{
    if (!og_str_is(name, OG_GRAPH__SCHEMA_LOCK))
        return OG_OK;
    return og_error_set(err, OG_INVALID, "%s does not allow internal system ref '%.*s'", operation,
                        OG_FMT(name));
}

static og_status already_exists(const og_graph__branch *branch, og_error *err)
{
    og_error_set(err, OG_EXISTS, "branch '%s' already exists", branch->name);
    return OG_EXISTS;
}

static og_status being_created(const og_graph__branch *branch, og_error *err)
{
    og_error_set(err, OG_CONFLICT, "branch '%s' is being created by another process", branch->name);
    og_error_hint(err, "If that was interrupted, try again in ten seconds.");
    return OG_CONFLICT;
}

static og_status check_absent(const og_repo *repo, const og_graph__branch *branch, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    uint64_t bytes;
    if (!og_lance_branch_ref_name(&name, OG_GRAPH__MANIFEST, og_str_of(branch->name)))
        return og_error_nomem(err);
    og_status s = repo->store->ops->head(repo->store, og_buf_cstr(&name), &bytes, err);
    if (s == OG_NOT_FOUND)
        return OG_OK;
    return s == OG_OK ? already_exists(branch, err) : s;
}

/* ---- the parts of a new branch ------------------------------------------------------------ */

typedef struct creation {
    og_repo *repo;
    og_store *store;
    og_graph__branch *from, *to;
    og_snapshot *snapshot; /* of `from` */
    og_graph__dag dag;     /* of `from` */
    og_graph__fork commits, manifest;
} creation;

static void creation_deinit(creation *c)
{
    og_graph__fork_deinit(&c->commits);
    og_graph__fork_deinit(&c->manifest);
    og_graph__dag_deinit(&c->dag);
    og_snapshot_unref(c->snapshot);
}

/* A data set's branch, in memory. */
static og_status stage(creation *c, const char *path, og_lance_table *source,
                       const og_lance_branch_slots *slots, og_str commit_id, og_graph__fork *out,
                       og_error *err)
{
    og_str parent = c->from->is_main ? OG_STR("") : og_str_of(c->from->name);
    return og_graph__fork_stage(c->repo, path, parent, source, og_str_of(c->to->name), slots,
                                commit_id, out, err);
}

static og_status stage_commits(creation *c, og_error *err)
{
    og_lance_branch_slots slots;
    if (c->dag.commits == NULL)
        return OG_OK; /* derived: the first commit on the branch makes one */
    OG_TRY(
        og_lance_branch_survey(c->store, OG_GRAPH__COMMITS, og_str_of(c->to->name), &slots, err));
    og_str last = og_lance_table_transaction_property(c->dag.commits, OG_STR("og.commit"));
    return stage(c, OG_GRAPH__COMMITS, c->dag.commits, &slots, last.ptr != NULL ? last : OG_STR(""),
                 &c->commits, err);
}

static og_status stage_manifest(creation *c, og_error *err)
{
    og_lance_branch_slots slots;
    OG_TRY(
        og_lance_branch_survey(c->store, OG_GRAPH__MANIFEST, og_str_of(c->to->name), &slots, err));
    if (slots.newest > slots.floor && slots.newest_put_us != 0 &&
        og_repo_now_us(c->repo) - slots.newest_put_us < CREATE_GRACE_US)
        return being_created(c->to, err);
    return stage(c, OG_GRAPH__MANIFEST, og_graph__snapshot_of(c->snapshot)->manifest, &slots,
                 OG_STR(""), &c->manifest, err);
}

/* ---- putting them there ------------------------------------------------------------------- */

/* put_if_absent, asking when the answer was lost. */
static og_status put_once(og_store *store, const char *name, og_bytes bytes, og_error *err)
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

/* Before the ref is put nobody can see a branch: no answer is a failure. */
static og_status not_done(og_status s, og_error *err)
{
    if (s != OG_UNKNOWN)
        return s;
    if (err != NULL)
        err->status = OG_IO;
    return OG_IO;
}

/* The commit DAG's branch: derived, so a ref that is there belongs to nobody and is replaced. */
static og_status put_commits(creation *c, og_error *err)
{
    if (c->commits.write == NULL)
        return OG_OK;
    og_status s = put_once(c->store, c->commits.staged->manifest_name,
                           og_buf_bytes(&c->commits.staged->manifest), err);
    if (s == OG_EXISTS)
        return being_created(c->to, err);
    OG_TRY(s);
    const char *ref = og_buf_cstr(&c->commits.ref_name);
    OG_TRY(c->store->ops->put(c->store, ref, og_buf_bytes(&c->commits.ref), err));
    const char *names[] = {c->commits.staged->manifest_name, ref};
    return c->store->ops->sync(c->store, names, 2, err);
}

static og_status put_manifest(creation *c, og_error *err)
{
    const char *name = c->manifest.staged->manifest_name;
    og_status s = put_once(c->store, name, og_buf_bytes(&c->manifest.staged->manifest), err);
    if (s == OG_EXISTS)
        return being_created(c->to, err);
    OG_TRY(s);
    return c->store->ops->sync(c->store, &name, 1, err);
}

/* Has another creator, who took us for dead, gone above us? */
static og_status check_alone(creation *c, og_error *err)
{
    OG_AUTO_BUF next = OG_BUF_INIT;
    uint64_t bytes;
    if (!og_lance_manifest_name(&next, c->to->manifest_path, c->manifest.staged->version + 1))
        return og_error_nomem(err);
    og_status s = c->store->ops->head(c->store, og_buf_cstr(&next), &bytes, err);
    if (s == OG_NOT_FOUND)
        return OG_OK;
    return s == OG_OK ? being_created(c->to, err) : s;
}

/* Not to stand in the way of who comes next. Only as long as nobody can have seen a branch here. */
static void withdraw(creation *c)
{
    const char *name = c->manifest.staged->manifest_name;
    (void)!c->store->ops->remove(c->store, &name, 1, NULL);
}

static og_status unknown_create(const creation *c, og_error *err)
{
    og_error_context(err, OG_UNKNOWN, "the outcome of creating branch '%s' is unknown",
                     c->to->name);
    og_error_hint(err, "Show whether it exists with: omnigraph branch list --uri GRAPH");
    if (err != NULL)
        err->status = OG_UNKNOWN;
    return OG_UNKNOWN;
}

/* From here on the branch exists. */
static og_status put_ref(creation *c, og_error *err)
{
    const char *name = og_buf_cstr(&c->manifest.ref_name);
    og_status s = check_alone(c, err);
    if (s == OG_OK)
        s = put_once(c->store, name, og_buf_bytes(&c->manifest.ref), err);
    if (s == OG_EXISTS)
        s = already_exists(c->to, err);
    if (s == OG_OK)
        s = c->store->ops->sync(c->store, &name, 1, err);
    else if (s != OG_UNKNOWN)
        withdraw(c);
    return s != OG_UNKNOWN ? s : unknown_create(c, err);
}

/* Was the source deleted while we made a branch of it? Its delete looks for branches again when the source's ref is
 * gone, and we look for that now: one of us sees the other. */
static og_status check_source(creation *c, og_error *err)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_status s = og_graph__branch_id(c->repo, c->from, id, err);
    if (s == OG_OK && strcmp(id, og_graph__snapshot_of(c->snapshot)->branch_id) != 0)
        s = OG_NOT_FOUND;
    if (s != OG_NOT_FOUND)
        return OG_OK;
    const char *name = og_buf_cstr(&c->manifest.ref_name);
    if (c->store->ops->remove(c->store, &name, 1, err) != OG_OK)
        return unknown_create(c, err);
    withdraw(c);
    return og_error_set(err, OG_NOT_FOUND, "branch '%s' not found", c->from->name);
}

/* What is known of the new branch without reading it back. Derived. */
static void remember(creation *c)
{
    og_graph__snapshot *from = og_graph__snapshot_of(c->snapshot);
    OG_AUTO(og_graph__state) state = NULL;
    OG_AUTO(og_lance_table) manifest = NULL;
    OG_AUTO(og_snapshot) snapshot = NULL;
    if (og_graph__state_advance(from->state, c->manifest.staged->version, NULL, 0, OG_STR(""), 0,
                                &state, NULL) != OG_OK ||
        og_lance_write_table(c->manifest.write, &manifest, NULL) != OG_OK)
        return;
    if (og_graph__snapshot_new(c->repo, c->to, c->manifest.id, state, manifest, c->snapshot,
                               &snapshot, NULL) != OG_OK)
        return;
    og_graph__repo_advance(snapshot);
    const og_graph__hints hints = {
        .commits = c->commits.write != NULL ? c->commits.staged->version : 0,
        .actors = __atomic_load_n(&c->repo->actors_hint, __ATOMIC_RELAXED),
    };
    if (!c->repo->no_derived)
        og_graph__head_write(c->store, c->to->head_file, state,
                             og_lance_table_transaction_uuid(manifest), &hints);
}

static og_status create(creation *c, og_error *err)
{
    OG_TRY(check_absent(c->repo, c->to, err));
    OG_TRY(og_graph__schema_idle(c->store, c->repo->catalog, err));
    /* The DAG before `__manifest`: it may lack rows of what we clone, but never has more. */
    OG_TRY(og_graph__dag_newest(c->repo, c->from, &c->dag, err));
    OG_TRY(og_repo_snapshot(c->repo, c->from->name, &c->snapshot, err));
    OG_TRY(stage_commits(c, err));
    OG_TRY(stage_manifest(c, err));
    OG_TRY(not_done(put_commits(c, err), err));
    OG_TRY(not_done(put_manifest(c, err), err));
    OG_TRY(put_ref(c, err));
    OG_TRY(check_source(c, err));
    remember(c);
    return OG_OK;
}

og_status og_branch_make(og_repo *repo, const char *from, const char *name, og_error *err)
{
    creation c = {.repo = repo, .store = repo->store};
    og_str trimmed = og_str_trim(og_str_of(name));
    OG_TRY(check_public(trimmed, "branch_create", err));
    if (og_str_is(trimmed, OG_GRAPH__MAIN))
        return og_error_set(err, OG_INVALID, "cannot create branch 'main'");
    OG_TRY(og_lance_branch_check_name(trimmed, err));
    OG_TRY(og_graph__branch_get(repo, from, &c.from, err));
    OG_TRY(check_public(og_str_of(c.from->name), "branch_create", err));
    OG_TRY(og_graph__branch_get(repo, name, &c.to, err));
    og_status s = create(&c, err);
    creation_deinit(&c);
    return s;
}

/* ---- delete ------------------------------------------------------------------------------- */

/* Forks, not names, make descendants. Of several the first by name is told, as the reference does. */
static og_status check_no_descendants(og_repo *repo, const og_graph__branch *branch, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str *names;
    size_t count;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_branch_list(repo->store, OG_GRAPH__MANIFEST, arena, &names, &count, err));
    for (size_t i = 0; i < count; i++) {
        og_lance_ref ref;
        if (og_str_is(names[i], branch->name))
            continue;
        og_status s =
            og_lance_branch_read(repo->store, OG_GRAPH__MANIFEST, names[i], arena, &ref, err);
        if (s == OG_NOT_FOUND)
            continue; /* deleted since the listing */
        OG_TRY(s);
        if (!og_str_is(ref.parent, branch->name))
            continue;
        return og_error_set(err, OG_CONFLICT,
                            "cannot delete branch '%s' because descendant branch '%.*s' still "
                            "depends on it",
                            branch->name, OG_FMT(names[i]));
    }
    return OG_OK;
}

static og_status remove_ref(og_repo *repo, const char *path, const og_graph__branch *branch,
                            og_error *err)
{
    OG_AUTO_BUF ref = OG_BUF_INIT;
    uint64_t bytes;
    if (!og_lance_branch_ref_name(&ref, path, og_str_of(branch->name)))
        return og_error_nomem(err);
    const char *name = og_buf_cstr(&ref);
    og_status s = OG_UNKNOWN;
    for (int attempt = 0; s == OG_UNKNOWN && attempt < 3; attempt++) {
        s = repo->store->ops->remove(repo->store, &name, 1, err);
        if (s == OG_UNKNOWN &&
            repo->store->ops->head(repo->store, name, &bytes, NULL) == OG_NOT_FOUND)
            s = OG_OK;
    }
    return s;
}

static void forget(og_repo *repo, og_graph__branch *branch)
{
    pthread_mutex_lock(&repo->lock);
    og_snapshot *old = branch->current;
    branch->current = NULL;
    pthread_mutex_unlock(&repo->lock);
    og_snapshot_unref(old);
    __atomic_store_n(&branch->commits_hint, 0, __ATOMIC_RELAXED);
}

static og_status unknown_delete(const og_graph__branch *branch, og_error *err)
{
    og_error_context(err, OG_UNKNOWN, "the outcome of deleting branch '%s' is unknown",
                     branch->name);
    og_error_hint(err, "Show whether it exists with: omnigraph branch list --uri GRAPH");
    if (err != NULL)
        err->status = OG_UNKNOWN;
    return OG_UNKNOWN;
}

/* The ref goes, unless a branch is being made of this one (check_source); then it comes back. */
static og_status remove_branch(og_repo *repo, const og_graph__branch *branch, og_error *err)
{
    OG_AUTO(og_blob) ref = NULL;
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!og_lance_branch_ref_name(&name, OG_GRAPH__MANIFEST, og_str_of(branch->name)))
        return og_error_nomem(err);
    OG_TRY(repo->store->ops->get(repo->store, og_buf_cstr(&name), &ref, err));
    og_status s = remove_ref(repo, OG_GRAPH__MANIFEST, branch, err);
    if (s != OG_OK)
        return s == OG_UNKNOWN ? unknown_delete(branch, err) : s;
    s = check_no_descendants(repo, branch, err);
    if (s == OG_OK)
        return OG_OK;
    og_status back =
        put_once(repo->store, og_buf_cstr(&name), (og_bytes){ref->ptr, ref->len}, NULL);
    return back == OG_OK ? s : unknown_delete(branch, err);
}

og_status og_branch_remove(og_repo *repo, const char *name, og_error *err)
{
    og_graph__branch *branch;
    og_str trimmed = og_str_trim(og_str_of(name));
    OG_TRY(check_public(trimmed, "branch_delete", err));
    OG_TRY(og_graph__branch_get(repo, name, &branch, err));
    if (branch->is_main)
        return og_error_set(err, OG_INVALID, "cannot delete branch 'main'");
    char id[OG_GRAPH__BRANCH_ID + 1];
    OG_TRY(og_graph__schema_idle(repo->store, repo->catalog, err));
    OG_TRY(og_graph__branch_id(repo, branch, id, err));
    OG_TRY(check_no_descendants(repo, branch, err));
    OG_TRY(remove_branch(repo, branch, err));
    /* The branch is gone. What follows frees its name; whoever uses it again copes with what is left. */
    forget(repo, branch);
    const char *head = branch->head_file;
    og_str text = og_str_of(branch->name);
    (void)!remove_ref(repo, OG_GRAPH__COMMITS, branch, NULL);
    (void)!og_lance_branch_clear(repo->store, OG_GRAPH__MANIFEST, text, NULL);
    (void)!og_lance_branch_clear(repo->store, OG_GRAPH__COMMITS, text, NULL);
    (void)!repo->store->ops->remove(repo->store, &head, 1, NULL);
    return OG_OK;
}
