#include "graph/repo.h"

#include "graph/ahead.h"
#include "graph/head_file.h"
#include "graph/later.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"
#include "graph/schema_files.h"
#include "store/file.h"

#define DEFAULT_CACHE_BYTES ((size_t)256 << 20)
#define DEFAULT_TOPOLOGY_BYTES ((size_t)512 << 20)
/* A window of a history takes half a millisecond for so many rows; where each one is
 * a round trip, few large ones are faster. */
#define HISTORY_ROWS 128
#define FAR_HISTORY_ROWS 1024

const char *og_repo_uri(const og_repo *repo)
{
    return repo->uri;
}

og_catalog *og_repo_catalog(const og_repo *repo)
{
    return repo->catalog;
}

og_str og_repo_schema_source(const og_repo *repo)
{
    return og_buf_view(&repo->schema_source);
}

og_lance_env *og_repo_env(og_repo *repo)
{
    return repo->env;
}

int64_t og_repo_now_us(const og_repo *repo)
{
    return repo->clock->now_us(repo->clock->context);
}

og_ulid og_repo_new_ulid(const og_repo *repo)
{
    return og_ulid_new(repo->clock, repo->random);
}

void og_repo_close(og_repo *repo)
{
    if (repo == NULL)
        return;
    og_graph__later_wait(repo);
    og_graph__branch_free_all(repo->branches);
    og_catalog_unref(repo->catalog);
    og_topo_cache_free(repo->topo);
    og_lance_env_free(repo->env);
    og_store_close(repo->owned_store);
    og_buf_deinit(&repo->schema_source);
    og_free(repo->uri);
    pthread_cond_destroy(&repo->later_end);
    pthread_mutex_destroy(&repo->lock);
    og_free(repo);
}

static og_status no_graph(const og_repo *repo, og_error *err)
{
    og_error_set(err, OG_NOT_FOUND, "no graph at '%s'", repo->uri);
    og_error_hint(err, "Make one with: omnigraph init --schema SCHEMA.pg %s", repo->uri);
    return OG_NOT_FOUND;
}

/* Store, caches and schema; every part is freed by og_repo_close whatever was reached. */
static og_status open_parts(og_repo *repo, const og_repo_options *o, og_error *err)
{
    repo->store = o->store;
    if (repo->store == NULL) {
        og_status s = og_store_open_file(repo->uri, false, &repo->owned_store, err);
        if (s == OG_NOT_FOUND)
            return no_graph(repo, err);
        OG_TRY(s);
        repo->store = repo->owned_store;
    }
    size_t cache = o->cache_bytes != 0 ? o->cache_bytes : DEFAULT_CACHE_BYTES;
    size_t topology = o->topology_bytes != 0 ? o->topology_bytes : DEFAULT_TOPOLOGY_BYTES;
    og_graph__expect_open(repo->store);
    OG_TRY(og_lance_env_new(repo->store, cache, &repo->env, err));
    OG_TRY(og_topo_cache_new(repo->env, topology, o->no_derived ? NULL : repo->clock, &repo->topo,
                             err));
    og_status s = og_graph__schema_open(repo->store, &repo->schema_source, &repo->catalog, err);
    return s == OG_NOT_FOUND ? no_graph(repo, err) : s;
}

static og_status open_main(og_repo *repo, og_error *err)
{
    OG_AUTO(og_snapshot) first = NULL;
    og_graph__branch *main_branch;
    OG_TRY(og_graph__branch_get(repo, NULL, &main_branch, err));
    return og_graph__repo_refresh(repo, main_branch, &first, err);
}

og_status og_repo_open(const char *uri, const og_repo_options *options, og_repo **out,
                       og_error *err)
{
    const og_repo_options defaults = {0};
    const og_repo_options *o = options != NULL ? options : &defaults;
    OG_AUTO(og_repo) repo = og_calloc(1, sizeof *repo);
    if (repo == NULL)
        return og_error_nomem(err);
    pthread_mutex_init(&repo->lock, NULL);
    pthread_cond_init(&repo->later_end, NULL);
    repo->clock = o->clock != NULL ? o->clock : &og_system_clock;
    repo->random = o->random != NULL ? o->random : &og_system_random;
    repo->no_derived = o->no_derived;
    repo->uri = og_strdup(uri);
    if (repo->uri == NULL)
        return og_error_nomem(err);
    og_status s = open_parts(repo, o, err);
    if (s == OG_OK) {
        size_t rows = og_store_is_far(repo->store) ? FAR_HISTORY_ROWS : HISTORY_ROWS;
        repo->history_rows = o->history_rows != 0 ? o->history_rows : rows;
        s = open_main(repo, err);
    }
    if (repo->store != NULL)
        og_store_expect_no_more(repo->store);
    if (s == OG_OK)
        *out = OG_TAKE(repo);
    return s;
}

/* ---- the newest snapshot ------------------------------------------------------------------ */

/* A name that was deleted and made again begins at a version above all of its earlier life,
 * so the order of versions is that of time. */
void og_graph__repo_advance(og_snapshot *snapshot)
{
    og_graph__snapshot *s = og_graph__snapshot_of(snapshot);
    og_graph__branch *branch = s->branch;
    pthread_mutex_lock(&s->repo->lock);
    og_snapshot *old = NULL;
    bool is_made_again =
        branch->current != NULL &&
        strcmp(og_graph__snapshot_of(branch->current)->branch_id, s->branch_id) != 0;
    if (is_made_again)
        __atomic_store_n(&branch->commits_hint, 0, __ATOMIC_RELAXED);
    if (branch->current == NULL || is_made_again ||
        branch->current->manifest_version < snapshot->manifest_version) {
        old = branch->current;
        branch->current = og_snapshot_ref(snapshot);
    }
    pthread_mutex_unlock(&s->repo->lock);
    og_snapshot_unref(old);
}

/* What is current of that life of the branch; a reference, or NULL. */
static og_snapshot *current_ref(og_repo *repo, const og_graph__branch *branch, const char *id)
{
    og_snapshot *current = NULL;
    pthread_mutex_lock(&repo->lock);
    if (branch->current != NULL &&
        strcmp(og_graph__snapshot_of(branch->current)->branch_id, id) == 0)
        current = og_snapshot_ref(branch->current);
    pthread_mutex_unlock(&repo->lock);
    return current;
}

/* A branch whose creator died before it saw that its ref can't stay. */
static og_status stillborn(const og_graph__branch *branch, const char *why, og_error *err)
{
    og_error_set(err, OG_NOT_FOUND, "branch '%s' not found: %s", branch->name, why);
    og_error_hint(err, "Free the name with: omnigraph branch delete %s --uri GRAPH", branch->name);
    return OG_NOT_FOUND;
}

/* Did another branch of the name make this version? What other programs wrote does not tell. */
static bool is_of_another_life(const og_lance_table *manifest, const char *id)
{
    og_str life = og_lance_table_transaction_property(manifest, OG_STR("og.branch_id"));
    if (life.len == 0)
        life = og_lance_table_transaction_property(manifest, OG_STR("og.fork"));
    return life.len > 0 && !og_str_is(life, id);
}

/* Its ref makes a branch exist; until its first version is there it is what its parent was. */
static og_status open_parent(og_repo *repo, const og_graph__branch *branch, og_lance_table **out,
                             og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BUF path = OG_BUF_INIT;
    og_lance_ref ref;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_graph__branch_ref(repo, branch, arena, &ref, err));
    if (!og_lance_branch_path(&path, OG_GRAPH__MANIFEST, ref.parent))
        return og_error_nomem(err);
    og_status s = og_lance_table_open(repo->env, og_buf_cstr(&path), ref.parent_version,
                                      ref.manifest_bytes, out, err);
    return s == OG_NOT_FOUND ? stillborn(branch, "its source was deleted before it was made", err)
                             : s;
}

/* Its schema is there, which init writes last. */
static og_status no_manifest(const og_repo *repo, og_error *err)
{
    og_error_set(err, OG_CORRUPT, "the graph at '%s' has lost its " OG_GRAPH__MANIFEST, repo->uri);
    og_error_hint(err, "Put the folder back: it says what the graph holds.");
    return OG_CORRUPT;
}

/* first: versions below it are of an earlier branch of the name. */
static og_status open_manifest(og_repo *repo, const og_graph__branch *branch, const char *id,
                               uint64_t first, uint64_t hint, og_lance_table **out, og_error *err)
{
    const char *path = branch->manifest_path;
    uint64_t version;
    og_status s =
        og_lance_latest_version(repo->env, path, hint > first ? hint : first, &version, err);
    if (s == OG_NOT_FOUND && branch->is_main)
        return no_manifest(repo, err);
    if (s == OG_NOT_FOUND || (s == OG_OK && version < first))
        return open_parent(repo, branch, out, err);
    OG_TRY(s);
    OG_AUTO(og_lance_table) manifest = NULL;
    s = og_lance_table_open(repo->env, path, version, 0, &manifest, err);
    if (s != OG_OK)
        return og_error_context(err, s, "reading %s", path);
    if (!branch->is_main && is_of_another_life(manifest, id))
        return stillborn(branch, "its name was used by others while it was made", err);
    *out = OG_TAKE(manifest);
    return OG_OK;
}

static void raise_hint(uint64_t *hint, uint64_t version)
{
    uint64_t known = __atomic_load_n(hint, __ATOMIC_RELAXED);
    while (known < version && !__atomic_compare_exchange_n(hint, &known, version, true,
                                                           __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
}

/* The manifest version in the head file; what it knows of the DAG goes to branch and repo. A
 * writer of an earlier branch of the name may have put it late, and rows of the DAG before. */
static uint64_t read_hints(og_repo *repo, og_graph__branch *branch, uint64_t first, og_buf *head)
{
    og_graph__hints hints = og_graph__head_hints(repo->store, branch->head_file, head);
    if (hints.manifest < first)
        return 0;
    raise_hint(&branch->commits_hint, hints.commits);
    raise_hint(&repo->actors_hint, hints.actors);
    return hints.manifest;
}

static og_status open_newest(og_repo *repo, og_graph__branch *branch, const char *id,
                             uint64_t first, og_snapshot *previous, og_snapshot **out,
                             og_error *err)
{
    OG_AUTO_BUF head = OG_BUF_INIT;
    uint64_t hint =
        previous != NULL ? previous->manifest_version : read_hints(repo, branch, first, &head);
    OG_AUTO(og_lance_table) manifest = NULL;
    OG_TRY(open_manifest(repo, branch, id, first, hint, &manifest, err));
    if (previous != NULL)
        OG_TRY(og_graph__schema_unchanged(repo->store, repo->catalog, err));
    if (previous != NULL && og_lance_table_version(manifest) != previous->manifest_version)
        (void)read_hints(repo, branch, first, &head);

    OG_AUTO(og_graph__state) state = NULL;
    OG_TRY(og_graph__state_from_head(og_buf_view(&head), manifest, &state, err));
    if (state == NULL)
        OG_TRY(og_graph__state_read(manifest, &state, err));
    return og_graph__snapshot_new(repo, branch, id, state, manifest, previous, out, err);
}

static og_status refresh(og_repo *repo, og_graph__branch *branch, const char *id, uint64_t first,
                         og_snapshot **out, og_error *err)
{
    OG_AUTO(og_snapshot) previous = current_ref(repo, branch, id);
    OG_AUTO(og_snapshot) snapshot = NULL;
    if (previous != NULL)
        og_graph__expect_refresh(repo, branch, previous->manifest_version);
    og_status s = open_newest(repo, branch, id, first, previous, &snapshot, err);
    if (previous != NULL)
        og_store_expect_no_more(repo->store);
    OG_TRY(s);
    if (!og_graph__is_unborn(snapshot))
        og_graph__repo_advance(snapshot);
    *out = OG_TAKE(snapshot);
    return OG_OK;
}

bool og_graph__is_unborn(og_snapshot *snapshot)
{
    const og_graph__snapshot *s = og_graph__snapshot_of(snapshot);
    return strcmp(og_lance_table_path(s->manifest), s->branch->manifest_path) != 0;
}

og_status og_graph__repo_refresh(og_repo *repo, og_graph__branch *branch, og_snapshot **out,
                                 og_error *err)
{
    char id[OG_GRAPH__BRANCH_ID + 1];
    uint64_t first;
    OG_TRY(og_graph__branch_life(repo, branch, id, &first, err));
    return refresh(repo, branch, id, first, out, err);
}

/* Is there no version of `__manifest` after this one? The usual answer of the
 * store is an error, whose text nobody needs: it is asked for without, and once
 * more when there is something to say. */
static og_status next_is_free(og_repo *repo, const og_graph__branch *branch, uint64_t version,
                              bool *out, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!og_lance_manifest_name(&name, branch->manifest_path, version + 1))
        return og_error_nomem(err);
    uint64_t bytes;
    og_status s = repo->store->ops->head(repo->store, og_buf_cstr(&name), &bytes, NULL);
    if (s != OG_OK && s != OG_NOT_FOUND)
        s = repo->store->ops->head(repo->store, og_buf_cstr(&name), &bytes, err);
    *out = s == OG_NOT_FOUND;
    return *out ? OG_OK : s;
}

og_status og_repo_snapshot(og_repo *repo, const char *name, og_snapshot **out, og_error *err)
{
    og_graph__branch *branch;
    char id[OG_GRAPH__BRANCH_ID + 1];
    uint64_t first;
    OG_TRY(og_graph__branch_get(repo, name, &branch, err));
    OG_TRY(og_graph__branch_life(repo, branch, id, &first, err));
    OG_AUTO(og_snapshot) current = current_ref(repo, branch, id);
    bool is_newest = false;
    if (current != NULL)
        OG_TRY(next_is_free(repo, branch, current->manifest_version, &is_newest, err));
    if (is_newest) {
        *out = OG_TAKE(current);
        return OG_OK;
    }
    return refresh(repo, branch, id, first, out, err);
}
