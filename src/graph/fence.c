#include "graph/fence.h"

#include <stdio.h>

#include "graph/commit.h"
#include "graph/fork.h"
#include "graph/layout.h"

#define MAX_ATTEMPTS 8
#define DEAD_MS (INT64_C(24) * 3600 * 1000)

og_status og_graph__gc_publish(og_repo *repo, og_graph__branch *branch, uint64_t horizon_ms,
                               og_error *err)
{
    og_status s = OG_OK;
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        OG_AUTO(og_snapshot) snapshot = NULL;
        og_commit_result result;
        OG_TRY(og_graph__repo_refresh(repo, branch, &snapshot, err));
        if (og_graph__is_unborn(snapshot)) {
            OG_TRY(og_graph__fork_complete(repo, branch, err));
            continue;
        }
        if (og_graph__snapshot_of(snapshot)->state->horizon_ms >= horizon_ms)
            return OG_OK;
        og_graph__commit commit = {.mark.horizon_ms = horizon_ms, .began_ms = UINT64_MAX};
        og_graph__op_init(&commit.op, repo, OG_STR(""), OG_STR("Cleanup"));
        s = og_graph__commit_run(repo, snapshot, &commit, &result, err);
        /* Lost or unknown: look again. */
        if (s != OG_CONFLICT && s != OG_UNKNOWN)
            return s;
    }
    return s;
}

/* ---- marks of cleanups -------------------------------------------------------------------- */

static og_status list_marks(og_repo *repo, og_listing *out, og_error *err)
{
    return repo->store->ops->list(repo->store, OG_GRAPH__CLEANUPS, false, NULL, 0, out, err);
}

static void remove_dead(og_repo *repo)
{
    og_listing listing = {0};
    if (list_marks(repo, &listing, NULL) != OG_OK)
        return;
    for (size_t i = 0; i < listing.len; i++) {
        og_str name = listing.items[i].name;
        og_str id = og_str_slice(name, strlen(OG_GRAPH__CLEANUPS), name.len);
        OG_AUTO_BUF text = OG_BUF_INIT;
        if (!og_ulid_valid(id) || !og_buf_str(&text, name) ||
            og_repo_now_us(repo) / 1000 - (int64_t)og_ulid_ms(id) < DEAD_MS)
            continue;
        const char *mark = og_buf_cstr(&text);
        (void)!repo->store->ops->remove(repo->store, &mark, 1, NULL);
    }
    og_listing_deinit(&listing);
}

og_status og_graph__cleanup_begin(og_repo *repo, og_graph__cleanup_mark *out, og_error *err)
{
    og_ulid id = og_repo_new_ulid(repo);
    og_status s = OG_UNKNOWN;
    remove_dead(repo);
    snprintf(out->name, sizeof out->name, "%s%s", OG_GRAPH__CLEANUPS, id.text);
    for (int attempt = 0; s == OG_UNKNOWN && attempt < MAX_ATTEMPTS; attempt++)
        s = repo->store->ops->put(repo->store, out->name, (og_bytes){(const uint8_t *)"", 0}, err);
    return s;
}

og_status og_graph__cleanup_lives(og_repo *repo, const og_graph__cleanup_mark *mark, og_error *err)
{
    uint64_t bytes;
    og_status s = repo->store->ops->head(repo->store, mark->name, &bytes, err);
    if (s != OG_NOT_FOUND)
        return s;
    og_error_set(err, OG_CONFLICT, "another cleanup took this one for dead");
    og_error_hint(err, "Run it again: it goes on where this one ended.");
    return OG_CONFLICT;
}

void og_graph__cleanup_end(og_repo *repo, og_graph__cleanup_mark *mark)
{
    const char *name = mark->name;
    if (name[0] != '\0')
        (void)!repo->store->ops->remove(repo->store, &name, 1, NULL);
    mark->name[0] = '\0';
}

bool og_graph__is_cleaned(og_repo *repo)
{
    og_listing listing = {0};
    if (list_marks(repo, &listing, NULL) != OG_OK)
        return true;
    bool is_cleaned = listing.len > 0;
    og_listing_deinit(&listing);
    return is_cleaned;
}
