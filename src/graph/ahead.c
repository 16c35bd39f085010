#include "graph/ahead.h"

#include "graph/layout.h"
#include "graph/schema_files.h"
#include "topo/cache.h"

/* `complete`: the name fitted into memory. */
static void expect(og_store *store, og_store_request request, og_buf *name, bool complete)
{
    if (complete)
        og_store_expect(store, request, og_buf_cstr(name), 0);
}

static void expect_ref_of(og_store *store, og_store_request request, const char *path,
                          const og_graph__branch *branch)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!branch->is_main)
        expect(store, request, &name,
               og_lance_branch_ref_name(&name, path, og_str_of(branch->name)));
}

static void expect_slots(og_store *store, const char *dataset_path, size_t max_keys)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (og_buf_printf(&name, "%s/_versions/", dataset_path))
        og_store_expect(store, OG_STORE_LIST, og_buf_cstr(&name), max_keys);
}

static og_snapshot *current(og_repo *repo, const og_graph__branch *branch)
{
    pthread_mutex_lock(&repo->lock);
    og_snapshot *snapshot = branch->current != NULL ? og_snapshot_ref(branch->current) : NULL;
    pthread_mutex_unlock(&repo->lock);
    return snapshot;
}

/* What og_graph__dag_begin asks. */
static void expect_commits(og_repo *repo, const og_graph__branch *branch)
{
    OG_AUTO_BUF next = OG_BUF_INIT;
    uint64_t known = __atomic_load_n(&branch->commits_hint, __ATOMIC_RELAXED);
    if (known != 0)
        expect(repo->store, OG_STORE_HEAD, &next,
               og_lance_manifest_name(&next, branch->commits_path, known + 1));
}

/* What it asks when there is a newer version: who committed may have written it after the head file,
 * by which it would be known. */
static void expect_newest_commits(og_repo *repo, const og_graph__branch *branch)
{
    OG_AUTO_BUF next = OG_BUF_INIT;
    uint64_t known = __atomic_load_n(&branch->commits_hint, __ATOMIC_RELAXED);
    if (repo->store->list_is_cheap)
        expect_slots(repo->store, branch->commits_path, 1);
    if (known != 0)
        expect(repo->store, OG_STORE_GET, &next,
               og_lance_manifest_name(&next, branch->commits_path, known + 1));
}

/* What og_repo_snapshot asks when it knows a snapshot. */
static void expect_probe(og_repo *repo, const og_graph__branch *branch, const og_snapshot *snapshot)
{
    OG_AUTO_BUF next = OG_BUF_INIT;
    expect_ref_of(repo->store, OG_STORE_GET, OG_GRAPH__MANIFEST, branch);
    if (snapshot != NULL)
        expect(
            repo->store, OG_STORE_HEAD, &next,
            og_lance_manifest_name(&next, branch->manifest_path, snapshot->manifest_version + 1));
}

void og_graph__expect_open(og_store *store)
{
    /* Read behind the schema. */
    og_store_read_ahead(store, OG_GRAPH__SCHEMA_STATE);
    og_store_read_ahead(store, OG_GRAPH__HEAD_PREFIX OG_GRAPH__MAIN ".json");
    if (!og_store_is_far(store))
        return;
    og_store_expect(store, OG_STORE_GET, OG_GRAPH__SCHEMA_SOURCE, 0);
    og_store_expect(store, OG_STORE_GET, OG_GRAPH__SCHEMA_STATE, 0);
    og_store_expect(store, OG_STORE_GET, OG_GRAPH__HEAD_PREFIX OG_GRAPH__MAIN ".json", 0);
    expect_slots(store, OG_GRAPH__MANIFEST, 1);
}

/* Its head, and what is read of a table that is not open yet. */
static void expect_table(og_repo *repo, og_snapshot *snapshot, const og_type_def *def)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    OG_AUTO_BUF next = OG_BUF_INIT;
    OG_AUTO_BUF pinned = OG_BUF_INIT;
    const og_graph__snapshot *s = og_graph__snapshot_of(snapshot);
    const og_graph__pin *pin = og_graph__state_pin(s->state, def->table_key);
    if (pin == NULL || !og_graph__pin_path(&path, pin))
        return;
    const char *at = og_buf_cstr(&path);
    expect(repo->store, OG_STORE_HEAD, &next, og_lance_manifest_name(&next, at, pin->version + 1));
    if (og_graph__snapshot_has(snapshot, def))
        return;
    expect(repo->store, OG_STORE_GET, &pinned, og_lance_manifest_name(&pinned, at, pin->version));
    if (!def->is_edge)
        og_topo_cache_expect_directory(repo->topo, at);
}

uint64_t og_graph__expect_txn(og_repo *repo, const char *name, const og_type_def *const *defs,
                              size_t count)
{
    og_graph__branch *branch;
    if (!og_store_is_far(repo->store) || og_graph__branch_get(repo, name, &branch, NULL) != OG_OK)
        return 0;
    OG_AUTO(og_snapshot) snapshot = current(repo, branch);
    og_store_expect(repo->store, OG_STORE_LIST, OG_GRAPH__RECOVERY, 0);
    expect_probe(repo, branch, snapshot);
    expect_commits(repo, branch);
    for (size_t i = 0; snapshot != NULL && i < count; i++)
        expect_table(repo, snapshot, defs[i]);
    return snapshot != NULL ? snapshot->manifest_version : 0;
}

void og_graph__expect_moved(og_repo *repo, og_snapshot *snapshot, const og_type_def *const *defs,
                            size_t count)
{
    if (!og_store_is_far(repo->store))
        return;
    og_store_expect_no_more(repo->store);
    expect_commits(repo, og_graph__branch_of(snapshot));
    expect_newest_commits(repo, og_graph__branch_of(snapshot));
    for (size_t i = 0; i < count; i++)
        expect_table(repo, snapshot, defs[i]);
}

/* Mostly the next version is the newest one. */
void og_graph__expect_refresh(og_repo *repo, const og_graph__branch *branch, uint64_t known)
{
    OG_AUTO_BUF next = OG_BUF_INIT;
    if (!og_store_is_far(repo->store))
        return;
    if (repo->store->list_is_cheap)
        expect_slots(repo->store, branch->manifest_path, 1);
    expect(repo->store, OG_STORE_GET, &next,
           og_lance_manifest_name(&next, branch->manifest_path, known + 1));
    og_store_expect(repo->store, OG_STORE_GET, OG_GRAPH__SCHEMA_STATE, 0);
    og_store_expect(repo->store, OG_STORE_GET, branch->head_file, 0);
}

void og_graph__expect_checks(og_repo *repo, const og_graph__branch *branch)
{
    if (!og_store_is_far(repo->store))
        return;
    og_graph__schema_expect(repo->store);
    expect_ref_of(repo->store, OG_STORE_GET, OG_GRAPH__MANIFEST, branch);
}

void og_graph__expect_create(og_repo *repo, const og_graph__branch *from,
                             const og_graph__branch *to)
{
    if (!og_store_is_far(repo->store))
        return;
    OG_AUTO(og_snapshot) snapshot = current(repo, from);
    expect_ref_of(repo->store, OG_STORE_HEAD, OG_GRAPH__MANIFEST, to);
    og_graph__schema_expect(repo->store);
    expect_probe(repo, from, snapshot);
    expect_slots(repo->store, from->commits_path, 1);
    expect_slots(repo->store, to->commits_path, 0);
    expect_slots(repo->store, to->manifest_path, 0);
}

void og_graph__expect_delete(og_repo *repo, const og_graph__branch *branch)
{
    if (!og_store_is_far(repo->store))
        return;
    og_graph__expect_checks(repo, branch);
    expect_ref_of(repo->store, OG_STORE_GET, OG_GRAPH__MANIFEST, branch); /* asked for twice */
    og_store_expect(repo->store, OG_STORE_LIST, OG_GRAPH__MANIFEST "/_refs/branches/", 0);
    expect_slots(repo->store, branch->commits_path, 0);
    expect_slots(repo->store, branch->manifest_path, 0);
}

void og_graph__expect_refs(og_store *store, const og_str *names, size_t count, const char *but)
{
    for (size_t i = 0; og_store_is_far(store) && i < count; i++) {
        OG_AUTO_BUF name = OG_BUF_INIT;
        if (!og_str_is(names[i], but))
            expect(store, OG_STORE_GET, &name,
                   og_lance_branch_ref_name(&name, OG_GRAPH__MANIFEST, names[i]));
    }
}
