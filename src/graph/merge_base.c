/* The merge base of two histories. */
#include "base/map.h"
#include "base/vec.h"
#include "graph/history.h"

/* A commit that can be reached from one of the heads. Steps are + 1, so that 0 says "not from
 * there". */
typedef struct ancestor {
    const og_commit_info *commit;
    uint64_t steps[2]; /* from the head of the source, of the target */
    bool has_heir;     /* a common ancestor follows it */
} ancestor;

typedef struct search {
    const og_history *const *histories;
    size_t history_count;
    bool has_unknown; /* some parent is in no history */
    og_strmap *index; /* id -> index into ancestors */
    OG_VEC(ancestor) ancestors;
    OG_VEC(size_t) queue;
} search;

static void search_deinit(search *s)
{
    og_strmap_free(s->index);
    og_vec_deinit(&s->ancestors);
    og_vec_deinit(&s->queue);
}

/* Any history may know a parent: merges lead from one into the other. */
static const og_commit_info *find(search *s, og_str id)
{
    for (size_t i = 0; i < s->history_count; i++) {
        const og_commit_info *commit = og_history_find(s->histories[i], id);
        if (commit != NULL)
            return commit;
    }
    s->has_unknown = true;
    return NULL;
}

/* Note that a commit is `steps` away from the head of `side`; breadth first, so the first note
 * counts. */
static bool reach(search *s, og_str id, int side, uint64_t steps)
{
    const og_commit_info *commit = id.len > 0 ? find(s, id) : NULL;
    bool is_new;
    if (commit == NULL)
        return true;
    uint64_t *at = og_strmap_put(s->index, commit->id, &is_new);
    if (at == NULL)
        return false;
    if (is_new) {
        *at = s->ancestors.len;
        if (!og_vec_push(&s->ancestors, (ancestor){.commit = commit}))
            return false;
    }
    ancestor *a = &s->ancestors.items[*at];
    if (a->steps[side] != 0)
        return true;
    a->steps[side] = steps;
    return og_vec_push(&s->queue, *at);
}

static og_status walk(search *s, const og_commit_info *head, int side, og_error *err)
{
    s->queue.len = 0;
    bool ok = reach(s, head->id, side, 1);
    for (size_t i = 0; ok && i < s->queue.len; i++) {
        const ancestor *a = &s->ancestors.items[s->queue.items[i]];
        const og_commit_info *commit = a->commit;
        uint64_t steps = a->steps[side] + 1;
        ok = reach(s, commit->parent, side, steps) && reach(s, commit->merged_parent, side, steps);
    }
    return ok ? OG_OK : og_error_nomem(err);
}

static bool is_common(const ancestor *a)
{
    return a->steps[0] != 0 && a->steps[1] != 0;
}

static void mark_parent(search *s, og_str id)
{
    const uint64_t *at = og_strmap_get(s->index, id);
    if (at != NULL)
        s->ancestors.items[*at].has_heir = true;
}

static bool is_better(const ancestor *a, const ancestor *b)
{
    uint64_t a_steps = a->steps[0] + a->steps[1], b_steps = b->steps[0] + b->steps[1];
    const og_commit_info *x = a->commit, *y = b->commit;
    if (a_steps != b_steps)
        return a_steps < b_steps;
    if (x->manifest_version != y->manifest_version)
        return x->manifest_version > y->manifest_version;
    if (x->created_at_us != y->created_at_us)
        return x->created_at_us > y->created_at_us;
    return og_str_cmp(x->id, y->id) > 0;
}

og_status og_graph__merge_base_among(const og_history *const *histories, size_t count,
                                     const og_commit_info **out, bool *out_unknown, og_error *err)
{
    search s = {.histories = histories, .history_count = count, .index = og_strmap_new(true)};
    og_status status = s.index != NULL ? OG_OK : og_error_nomem(err);
    for (int side = 0; side < 2 && status == OG_OK; side++) {
        const og_commit_info *head = og_history_head(histories[side]);
        status = head != NULL ? walk(&s, head, side, err) : OG_OK;
    }
    for (size_t i = 0; i < s.ancestors.len; i++) {
        const ancestor *a = &s.ancestors.items[i];
        if (!is_common(a))
            continue;
        mark_parent(&s, a->commit->parent);
        mark_parent(&s, a->commit->merged_parent);
    }
    const ancestor *best = NULL;
    for (size_t i = 0; i < s.ancestors.len; i++) {
        const ancestor *a = &s.ancestors.items[i];
        if (is_common(a) && !a->has_heir && (best == NULL || is_better(a, best)))
            best = a;
    }
    if (status == OG_OK) {
        *out = best != NULL ? best->commit : NULL;
        *out_unknown = s.has_unknown;
    }
    search_deinit(&s);
    return status;
}

og_status og_graph__merge_base(const og_history *source, const og_history *target,
                               const og_commit_info **out, og_error *err)
{
    const og_history *const histories[] = {source, target};
    bool unknown;
    return og_graph__merge_base_among(histories, 2, out, &unknown, err);
}
