#include "graph/relocate.h"

#include <stdlib.h>

#include "graph/layout.h"
#include "graph/place.h"
#include "graph/txn.h"

/* Runs of a branch's commit that another writer may make us repeat. */
#define MAX_ATTEMPTS 8

typedef struct relocation {
    og_repo *repo;
    const char *actor;
    const og_type_def **stale; /* tables of the branch with a wrong place */
    size_t stale_count;
    bool is_needed; /* `__manifest` itself may name an old place, too */
} relocation;

static bool names_place(const og_graph__places *places, const og_type_def *def)
{
    for (size_t i = 0; i < places->len; i++)
        if (og_str_eq(places->items[i].table_key, def->table_key))
            return true;
    return false;
}

static og_status note_table(relocation *r, og_snapshot *snapshot, const og_graph__places *places,
                            const og_type_def *def, og_error *err)
{
    og_lance_table *table;
    OG_TRY(og_snapshot_table(snapshot, def, &table, err));
    if (names_place(places, def) || !og_graph__bases_are_right(r->repo, table, false))
        r->stale[r->stale_count++] = def;
    return OG_OK;
}

static og_status note_tables(relocation *r, og_snapshot *snapshot, const og_graph__places *places,
                             og_error *err)
{
    const og_catalog *catalog = snapshot->catalog;
    r->stale_count = 0;
    for (uint32_t i = 0; i < catalog->node_count; i++)
        OG_TRY(note_table(r, snapshot, places, &catalog->nodes[i], err));
    for (uint32_t i = 0; i < catalog->edge_count; i++)
        OG_TRY(note_table(r, snapshot, places, &catalog->edges[i], err));
    const og_lance_table *manifest = og_graph__snapshot_of(snapshot)->manifest;
    r->is_needed = r->stale_count > 0 || !og_graph__bases_are_right(r->repo, manifest, false);
    return OG_OK;
}

static og_status find_stale(relocation *r, og_snapshot *snapshot, og_error *err)
{
    const og_graph__snapshot *at = og_graph__snapshot_of(snapshot);
    og_graph__places places;
    OG_TRY(og_graph__places_read(r->repo, at->manifest, at->state, &places, err));
    og_status s = note_tables(r, snapshot, &places, err);
    og_graph__places_deinit(&places);
    return s;
}

/* One commit that gives each stale table a version of the same content. */
static og_status relocate_once(relocation *r, const char *branch, og_error *err)
{
    const og_txn_options options = {.branch = branch, .actor = r->actor, .kind = "Relocate"};
    OG_AUTO(og_txn) txn = NULL;
    og_commit_result result;
    OG_TRY(og_txn_begin(r->repo, &options, &txn, err));
    OG_TRY(find_stale(r, og_txn_snapshot(txn), err));
    if (!r->is_needed)
        return OG_OK;
    OG_TRY(og_txn_prepare(txn, r->stale, r->stale_count, err));
    for (size_t i = 0; i < r->stale_count; i++) {
        og_lance_write *write;
        OG_TRY(og_txn_write(txn, r->stale[i], OG_LANCE_CONFIG, &write, err));
    }
    return og_txn_commit(txn, &result, err);
}

static og_status relocate_branch(relocation *r, const char *branch, og_relocate_output *out,
                                 og_error *err)
{
    og_status s = OG_CONFLICT;
    for (int attempt = 0; attempt < MAX_ATTEMPTS && s == OG_CONFLICT; attempt++)
        s = relocate_once(r, branch, err);
    if (s != OG_OK)
        return og_error_context(err, s, "branch '%s'", branch);
    out->branches += r->is_needed;
    out->tables += r->stale_count;
    return OG_OK;
}

static og_status relocate_all(relocation *r, og_relocate_output *out, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str *names;
    size_t count;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_branch_list(r->repo->store, OG_GRAPH__MANIFEST, arena, &names, &count, err));
    OG_TRY(relocate_branch(r, OG_GRAPH__MAIN, out, err));
    for (size_t i = 0; i < count; i++) {
        og_str name = og_arena_str(arena, names[i]);
        if (name.ptr == NULL)
            return og_error_nomem(err);
        OG_TRY(relocate_branch(r, name.ptr, out, err));
    }
    return OG_OK;
}

og_status og_relocate_run(og_repo *repo, const char *actor, og_relocate_output *out, og_error *err)
{
    const og_catalog *catalog = og_repo_catalog(repo);
    relocation r = {.repo = repo, .actor = actor};
    size_t count = (size_t)catalog->node_count + catalog->edge_count;
    *out = (og_relocate_output){0};
    r.stale = og_calloc(count + 1, sizeof(const og_type_def *));
    og_status s = r.stale != NULL ? relocate_all(&r, out, err) : og_error_nomem(err);
    og_free(r.stale);
    return s;
}
