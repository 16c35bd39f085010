#include "graph/history.h"

#include "graph/history_priv.h"
#include "graph/later.h"

void og_history_free(og_history *h)
{
    if (h == NULL)
        return;
    og_strmap_free(h->ids);
    og_strmap_free(h->actors);
    og_vec_deinit(&h->line);
    og_vec_deinit(&h->dag_rows);
    og_vec_deinit(&h->actor_names);
    og_vec_deinit(&h->fresh);
    og_lance_table_unref(h->manifest);
    og_lance_table_unref(h->dag);
    og_arena_free(h->scratch);
    og_arena_free(h->arena);
    og_free(h);
}

/* ---- opening ------------------------------------------------------------------------------ */

static og_status open_history(og_snapshot *snapshot, uint64_t newest, og_history **out,
                              og_error *err)
{
    og_graph__snapshot *at = og_graph__snapshot_of(snapshot);
    OG_AUTO(og_history) h = og_calloc(1, sizeof *h);
    if (h == NULL)
        return og_error_nomem(err);
    h->arena = og_arena_new(0);
    h->scratch = og_arena_new(0);
    h->actors = og_strmap_new(false);
    if (h->arena == NULL || h->scratch == NULL || h->actors == NULL)
        return og_error_nomem(err);
    h->repo = at->repo;
    h->branch = at->branch;
    h->manifest = og_lance_table_ref(at->manifest);
    memcpy(h->branch_id, at->branch_id, sizeof h->branch_id);
    h->newest = newest;
    h->step = at->repo->history_rows;
    OG_TRY(og_graph__history_begin(h, err));
    *out = OG_TAKE(h);
    return OG_OK;
}

og_status og_history_open(og_repo *repo, const char *branch, og_history **out, og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_graph__later_wait(repo);
    OG_TRY(og_repo_snapshot(repo, branch, &snapshot, err));
    return open_history(snapshot, UINT64_MAX, out, err);
}

og_status og_history_of(og_snapshot *snapshot, og_history **out, og_error *err)
{
    og_graph__later_wait(og_graph__snapshot_of(snapshot)->repo);
    return open_history(snapshot, snapshot->manifest_version, out, err);
}

/* ---- growing ------------------------------------------------------------------------------ */

/* Commits that were given away stay in the arena. */
static void forget(og_history *h)
{
    og_strmap_free(h->ids);
    h->ids = NULL;
    h->line.len = 0;
    h->fresh.len = 0;
    h->unread = UINT64_MAX;
    h->is_whole = false;
    h->manifest_end = (uint32_t)og_lance_table_slot_count(h->manifest);
}

static og_status read_window(og_history *h, size_t rows, og_error *err)
{
    if (h->ids == NULL) {
        h->ids = og_strmap_new(true);
        if (h->ids == NULL)
            return og_error_nomem(err);
    }
    h->is_contradicted = false;
    OG_TRY(og_graph__history_read(h, rows, err));
    return h->is_contradicted ? OG_OK : og_graph__history_place(h, err);
}

/* Read a window. Rows that are in no order are read at once: then none comes too late. */
static og_status read_on(og_history *h, size_t rows, og_error *err)
{
    if (h->ids == NULL)
        forget(h);
    og_status s = read_window(h, rows, err);
    if (s == OG_OK && h->is_contradicted) {
        forget(h);
        h->is_ordered = false;
        s = read_window(h, SIZE_MAX, err);
    }
    if (s != OG_OK)
        forget(h);
    return s;
}

og_status og_graph__history_grow(og_history *h, og_error *err)
{
    size_t before = h->line.len;
    while (!h->is_whole && h->line.len <= before) {
        size_t rows = h->step;
        h->step = rows > SIZE_MAX / 2 ? SIZE_MAX : rows * 2;
        OG_TRY(read_on(h, rows, err));
    }
    return OG_OK;
}

/* ---- asking ------------------------------------------------------------------------------- */

const og_commit_info *const *og_graph__history_known(const og_history *h, size_t *out_count)
{
    *out_count = h->line.len;
    return (const og_commit_info *const *)h->line.items;
}

const og_commit_info *og_graph__history_peek(const og_history *h, og_str id)
{
    const uint64_t *at = h->ids != NULL ? og_strmap_get(h->ids, id) : NULL;
    return at != NULL ? h->line.items[*at] : NULL;
}

bool og_graph__history_is_whole(const og_history *h)
{
    return h->is_whole;
}

og_status og_history_at(og_history *h, size_t newer, const og_commit_info **out, og_error *err)
{
    while (h->line.len <= newer && !h->is_whole)
        OG_TRY(og_graph__history_grow(h, err));
    *out = newer < h->line.len ? h->line.items[newer] : NULL;
    return OG_OK;
}

og_status og_history_head(og_history *h, const og_commit_info **out, og_error *err)
{
    return og_history_at(h, 0, out, err);
}

og_status og_history_find(og_history *h, og_str id, const og_commit_info **out, og_error *err)
{
    while ((*out = og_graph__history_peek(h, id)) == NULL && !h->is_whole)
        OG_TRY(og_graph__history_grow(h, err));
    return OG_OK;
}

og_status og_history_commits(og_history *h, const og_commit_info **out, size_t *out_count,
                             og_error *err)
{
    if (!h->is_whole)
        OG_TRY(read_on(h, SIZE_MAX, err));
    *out_count = h->line.len;
    if (h->all == NULL) {
        h->all = og_arena_array_of(h->arena, og_commit_info, h->line.len + 1);
        if (h->all == NULL)
            return og_error_nomem(err);
        for (size_t i = 0; i < h->line.len; i++)
            h->all[h->line.len - 1 - i] = *h->line.items[i];
    }
    *out = h->all;
    return OG_OK;
}
