/* The merge base of two histories.
 *
 * Both heads' pasts are painted, the youngest commit first (as git's paint_down_to_common does). A
 * commit that has both colours is common, and what it comes from is stale: an ancestor of a common
 * ancestor. When only stale commits are left to be looked at, each commit between a head and a base
 * has been looked at, as none of them is common. So all bases are among the common ones that are
 * not stale, and a single one is the base, however little of what is stale was found to be so. The
 * times of commits decide in which order they are looked at, and so how far back the histories are
 * read; not what is found.
 *
 * More than one may be bases, or ancestors of each other that the painting did not come to. Then all
 * ancestors are walked over and compared. A parent that is in no history leads nowhere, but to know
 * that, all is read; unless it is of a branch that was merged and is no more (lives.h). */
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
    og_history *const *histories;
    size_t history_count;
    og_graph__lives *lives; /* or NULL */
    bool has_unknown;       /* some parent is in no history */
    uint64_t read;          /* windows, so far */
    og_strmap *index;       /* id -> index into ancestors */
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
static const og_commit_info *find_known(const search *s, og_str id)
{
    const og_commit_info *commit = NULL;
    for (size_t i = 0; i < s->history_count && commit == NULL; i++)
        commit = og_graph__history_peek(s->histories[i], id);
    return commit;
}

/* Histories are read on in turn, so that it does not matter whose past it is in. NULL: none knows
 * it. */
static og_status find(search *s, og_str id, const og_commit_info **out, og_error *err)
{
    bool has_more = true;
    while ((*out = find_known(s, id)) == NULL && has_more) {
        has_more = false;
        for (size_t i = 0; i < s->history_count; i++) {
            if (og_graph__history_is_whole(s->histories[i]))
                continue;
            OG_TRY(og_graph__history_grow(s->histories[i], err));
            has_more = true;
            s->read++;
        }
    }
    s->has_unknown |= *out == NULL;
    return OG_OK;
}

typedef enum parent { PARENT, MERGED_PARENT } parent;

static og_str parent_id(const og_commit_info *commit, parent which)
{
    return which == PARENT ? commit->parent : commit->merged_parent;
}

/* Nothing is read to look for commits of a branch that is no more. *out NULL: no history knows it,
 * or there is none. */
static og_status find_parent(search *s, const og_commit_info *commit, parent which,
                             const og_commit_info **out, og_error *err)
{
    og_str id = parent_id(commit, which);
    bool is_over = false;
    *out = id.len > 0 ? find_known(s, id) : NULL;
    if (*out != NULL || id.len == 0)
        return OG_OK;
    if (which == MERGED_PARENT && commit->merged_branch_id.len > 0 && s->lives != NULL)
        OG_TRY(og_graph__life_is_over(s->lives, commit->merged_branch_id, &is_over, err));
    return is_over ? OG_OK : find(s, id, out, err);
}

/* Note that a commit is `steps` away from the head of `side`; breadth first, so the first note
 * counts. */
static og_status reach(search *s, const og_commit_info *commit, int side, uint64_t steps,
                       og_error *err)
{
    bool is_new;
    if (commit == NULL)
        return OG_OK;
    uint64_t *at = og_strmap_put(s->index, commit->id, &is_new);
    if (at == NULL)
        return og_error_nomem(err);
    if (is_new) {
        *at = s->ancestors.len;
        if (!og_vec_push(&s->ancestors, (ancestor){.commit = commit}))
            return og_error_nomem(err);
    }
    ancestor *a = &s->ancestors.items[*at];
    if (a->steps[side] != 0)
        return OG_OK;
    a->steps[side] = steps;
    return og_vec_push(&s->queue, *at) ? OG_OK : og_error_nomem(err);
}

static og_status walk(search *s, const og_commit_info *head, int side, og_error *err)
{
    s->queue.len = 0;
    OG_TRY(reach(s, head, side, 1, err));
    for (size_t i = 0; i < s->queue.len; i++) {
        const ancestor *a = &s->ancestors.items[s->queue.items[i]];
        const og_commit_info *commit = a->commit, *found;
        uint64_t steps = a->steps[side] + 1;
        for (parent which = PARENT; which <= MERGED_PARENT; which++) {
            OG_TRY(find_parent(s, commit, which, &found, err));
            OG_TRY(reach(s, found, side, steps, err));
        }
    }
    return OG_OK;
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

/* All common ancestors, and the best of those that no other one follows. */
static og_status compare_all(search *s, const og_commit_info *const heads[2],
                             const og_commit_info **out, og_error *err)
{
    s->index = og_strmap_new(true);
    if (s->index == NULL)
        return og_error_nomem(err);
    for (int side = 0; side < 2; side++)
        if (heads[side] != NULL)
            OG_TRY(walk(s, heads[side], side, err));
    for (size_t i = 0; i < s->ancestors.len; i++) {
        const ancestor *a = &s->ancestors.items[i];
        if (!is_common(a))
            continue;
        mark_parent(s, a->commit->parent);
        mark_parent(s, a->commit->merged_parent);
    }
    const ancestor *best = NULL;
    for (size_t i = 0; i < s->ancestors.len; i++) {
        const ancestor *a = &s->ancestors.items[i];
        if (is_common(a) && !a->has_heir && (best == NULL || is_better(a, best)))
            best = a;
    }
    *out = best != NULL ? best->commit : NULL;
    return OG_OK;
}

/* ---- painting ----------------------------------------------------------------------------- */

enum { OF_SOURCE = 1, OF_TARGET = 2, STALE = 4, COMMON = OF_SOURCE | OF_TARGET };

typedef struct painted {
    const og_commit_info *commit; /* NULL: not among what is read; then it is stale */
    unsigned colours;
    bool is_queued;
} painted;

typedef struct painting {
    search *search;
    og_strmap *index; /* id -> index into commits, in order of these */
    OG_VEC(painted) commits;
    OG_VEC(size_t) heap; /* of those that are still to be looked at; the youngest is the first */
    size_t fresh;        /* of these, not stale */
} painting;

static void painting_deinit(painting *p)
{
    og_strmap_free(p->index);
    og_vec_deinit(&p->commits);
    og_vec_deinit(&p->heap);
}

static bool is_younger(const painting *p, size_t a, size_t b)
{
    const og_commit_info *x = p->commits.items[p->heap.items[a]].commit;
    const og_commit_info *y = p->commits.items[p->heap.items[b]].commit;
    if (x->created_at_us != y->created_at_us)
        return x->created_at_us > y->created_at_us;
    return x->manifest_version > y->manifest_version;
}

static void swap(painting *p, size_t a, size_t b)
{
    size_t kept = p->heap.items[a];
    p->heap.items[a] = p->heap.items[b];
    p->heap.items[b] = kept;
}

static bool push(painting *p, size_t commit)
{
    if (!og_vec_push(&p->heap, commit))
        return false;
    for (size_t at = p->heap.len - 1; at > 0 && is_younger(p, at, (at - 1) / 2); at = (at - 1) / 2)
        swap(p, at, (at - 1) / 2);
    return true;
}

static size_t pop(painting *p)
{
    size_t first = p->heap.items[0], at = 0;
    p->heap.items[0] = p->heap.items[--p->heap.len];
    for (;;) {
        size_t next = 2 * at + 1;
        if (next + 1 < p->heap.len && is_younger(p, next + 1, next))
            next++;
        if (next >= p->heap.len || !is_younger(p, next, at))
            return first;
        swap(p, at, next);
        at = next;
    }
}

/* The entry of an id. The pointer is valid until the next one is made. */
static painted *entry_of(painting *p, og_str id)
{
    bool is_new;
    uint64_t *at = og_strmap_put(p->index, id, &is_new);
    if (at == NULL || (is_new && !og_vec_push(&p->commits, (painted){0})))
        return NULL;
    if (is_new)
        *at = p->commits.len - 1;
    return &p->commits.items[*at];
}

/* Have a commit looked at (again), if it has been found. */
static og_status queue(painting *p, painted *c, bool was_fresh, og_error *err)
{
    if (c->commit == NULL)
        return OG_OK;
    if (!c->is_queued && !push(p, (size_t)(c - p->commits.items)))
        return og_error_nomem(err);
    c->is_queued = true;
    p->fresh += (c->colours & STALE) == 0;
    p->fresh -= was_fresh;
    return OG_OK;
}

/* Add colours to a commit. */
static og_status paint(painting *p, og_str id, const og_commit_info *commit, unsigned colours,
                       og_error *err)
{
    painted *c = entry_of(p, id);
    if (c == NULL)
        return og_error_nomem(err);
    bool was_found = c->commit != NULL;
    bool was_fresh = c->is_queued && (c->colours & STALE) == 0;
    if (was_found && (c->colours & colours) == colours)
        return OG_OK;
    c->colours |= colours;
    c->commit = was_found ? c->commit : commit;
    return queue(p, c, was_fresh, err);
}

/* Histories have been read on: are stale commits among what came? */
static og_status find_stale(painting *p, og_error *err)
{
    for (size_t i = 0; i < p->commits.len; i++) {
        og_str id;
        uint64_t at;
        painted *c = &p->commits.items[i];
        if (c->commit != NULL)
            continue;
        id = og_strmap_at(p->index, i, &at);
        c->commit = find_known(p->search, id);
        OG_TRY(queue(p, c, false, err));
    }
    return OG_OK;
}

/* For stale commits nothing is read: they matter where others lead to them. */
static og_status paint_parent(painting *p, const og_commit_info *commit, parent which,
                              unsigned colours, og_error *err)
{
    const og_commit_info *found;
    og_str id = parent_id(commit, which);
    if (id.len == 0)
        return OG_OK;
    if ((colours & STALE) != 0)
        return paint(p, id, find_known(p->search, id), colours, err);
    uint64_t read = p->search->read;
    OG_TRY(find_parent(p->search, commit, which, &found, err));
    if (p->search->read != read)
        OG_TRY(find_stale(p, err));
    return found != NULL ? paint(p, id, found, colours, err) : OG_OK;
}

static og_status paint_down(painting *p, og_error *err)
{
    while (p->fresh > 0) {
        painted *c = &p->commits.items[pop(p)];
        const og_commit_info *commit = c->commit;
        unsigned colours = c->colours;
        c->is_queued = false;
        p->fresh -= (colours & STALE) == 0;
        if ((colours & COMMON) == COMMON)
            colours |= STALE; /* for its parents */
        OG_TRY(paint_parent(p, commit, PARENT, colours, err));
        OG_TRY(paint_parent(p, commit, MERGED_PARENT, colours, err));
    }
    return OG_OK;
}

/* *out_sure: there is one base, *out, or none, NULL. */
static og_status find_by_painting(painting *p, const og_commit_info *const heads[2],
                                  const og_commit_info **out, bool *out_sure, og_error *err)
{
    size_t bases = 0;
    p->index = og_strmap_new(true);
    if (p->index == NULL)
        return og_error_nomem(err);
    OG_TRY(paint(p, heads[0]->id, heads[0], OF_SOURCE, err));
    OG_TRY(paint(p, heads[1]->id, heads[1], OF_TARGET, err));
    OG_TRY(paint_down(p, err));
    *out = NULL;
    for (size_t i = 0; i < p->commits.len; i++) {
        if (p->commits.items[i].colours != COMMON)
            continue;
        *out = p->commits.items[i].commit;
        bases++;
    }
    *out_sure = bases <= 1;
    return OG_OK;
}

/* ---- both --------------------------------------------------------------------------------- */

static og_status find_base(search *s, const og_commit_info **out, og_error *err)
{
    const og_commit_info *heads[2];
    bool is_sure = false;
    for (int side = 0; side < 2; side++)
        OG_TRY(og_history_head(s->histories[side], &heads[side], err));
    if (heads[0] != NULL && heads[1] != NULL) {
        painting p = {.search = s};
        og_status status = find_by_painting(&p, heads, out, &is_sure, err);
        painting_deinit(&p);
        OG_TRY(status);
    }
    return is_sure ? OG_OK : compare_all(s, heads, out, err);
}

og_status og_graph__merge_base_among(og_history *const *histories, size_t count,
                                     og_graph__lives *lives, const og_commit_info **out,
                                     bool *out_unknown, og_error *err)
{
    search s = {.histories = histories, .history_count = count, .lives = lives};
    og_status status = find_base(&s, out, err);
    *out_unknown = s.has_unknown;
    search_deinit(&s);
    return status;
}
