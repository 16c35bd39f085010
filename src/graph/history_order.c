/* The order of commits (history.h). */
#include <stdlib.h>

#include "graph/history_priv.h"

static int by_age(const void *a, const void *b)
{
    const og_commit_info *x = a, *y = b;
    if (x->manifest_version != y->manifest_version)
        return x->manifest_version < y->manifest_version ? -1 : 1;
    if (x->created_at_us != y->created_at_us)
        return x->created_at_us < y->created_at_us ? -1 : 1;
    return og_str_cmp(x->id, y->id);
}

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
    og_str parent = h->fresh.items[at].parent;
    const uint64_t *found = parent.len > 0 ? og_strmap_get(h->ids, parent) : NULL;
    if (found == NULL || *found < h->line.len + v->first || *found >= h->line.len + v->end)
        return v->end;
    return (size_t)*found - h->line.len;
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
            out[placed++] = v->history->fresh.items[v->line[--waiting]];
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
    memcpy(&h->fresh.items[first], ordered, count * sizeof *ordered);
    return OG_OK;
}

static og_status put_in_order(og_history *h, og_error *err)
{
    const og_commit_info *all = h->fresh.items;
    qsort(h->fresh.items, h->fresh.len, sizeof *all, by_age);
    for (size_t i = 0; i < h->fresh.len; i++)
        *og_strmap_get(h->ids, all[i].id) = h->line.len + i;
    for (size_t first = 0, end; first < h->fresh.len; first = end) {
        for (end = first + 1; end < h->fresh.len; end++)
            if (all[end].manifest_version != all[first].manifest_version)
                break;
        if (end - first > 1)
            OG_TRY(put_parents_first(h, first, end, err));
    }
    return OG_OK;
}

og_status og_graph__history_place(og_history *h, og_error *err)
{
    size_t count = h->fresh.len;
    if (count == 0)
        return OG_OK;
    OG_TRY(put_in_order(h, err));
    og_commit_info *block = og_arena_copy(h->arena, h->fresh.items, count * sizeof *block);
    if (block == NULL || !og_vec_reserve(&h->line, count))
        return og_error_nomem(err);
    bool is_all = h->is_whole && h->line.len == 0;
    while (count > 0) {
        og_commit_info *commit = &block[--count];
        *og_strmap_get(h->ids, commit->id) = h->line.len;
        h->line.items[h->line.len++] = commit;
    }
    h->all = is_all ? block : NULL;
    h->fresh.len = 0;
    return OG_OK;
}
