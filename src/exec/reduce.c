/* The reduction: when a later variable's id is known, the rows start with the nodes from which it
 * can be reached, found by walking the edges back from it. They are a superset - predicates and
 * exact distances are checked by the steps as always - so neither rows nor their order change. */
#include "exec/run_priv.h"

#include <stdlib.h>

typedef OG_VEC(uint32_t) vertex_list;

/* Neighbours of all of `from` along the step, backwards, each once; appended to `to`. */
static og_status walk_back(og_exec *x, const og_exec__step *step, const vertex_list *from,
                           size_t first, vertex_list *to, og_error *err)
{
    /* By `forward`: a step OUT is walked back along the edges' in side. */
    const bool used[2] = {step->direction != OG_DIR_IN, step->direction != OG_DIR_OUT};
    og_exec__marks *marks = &x->scratch->marks;
    size_t count = from->len - first;
    for (int forward = 0; forward < 2; forward++) {
        og_exec__hop *hop;
        if (!used[forward] || count == 0)
            continue;
        OG_TRY(og_exec__hop_of(x, step->edge, forward != 0, false, &hop, err));
        OG_TRY(og_exec__hop_fetch(hop, from->items + first, (uint32_t)count, err));
        for (size_t i = first; i < first + count; i++) {
            og_exec__ends e = og_exec__hop_ends(hop, from->items[i]);
            if (!og_vec_reserve(to, e.count))
                return og_error_nomem(err);
            for (uint32_t k = 0; k < e.count; k++) {
                if (marks->items[e.targets[k]] == marks->epoch)
                    continue;
                marks->items[e.targets[k]] = marks->epoch;
                to->items[to->len++] = e.targets[k];
            }
        }
        OG_TRY(og_exec__check(x, err));
    }
    return OG_OK;
}

/* All vertices from which a vertex of `set` is reached by the step; replaces `set`. */
static og_status step_back(og_exec *x, const og_exec__step *step, vertex_list *set, og_error *err)
{
    const og_exec__table *t;
    OG_TRY(og_exec__table_of(x, step->src_var, &t, err));
    OG_TRY(og_exec__marks_begin(&x->scratch->marks, t->vertex_limit, err));
    vertex_list reached = {0};
    og_status status = walk_back(x, step, set, 0, &reached, err);
    uint32_t levels = step->same_type ? step->max_hops : 1;
    size_t first = 0;
    for (uint32_t level = 2; status == OG_OK && level <= levels && first < reached.len; level++) {
        vertex_list next = {0};
        status = walk_back(x, step, &reached, first, &next, err);
        first = reached.len;
        if (status == OG_OK && !og_vec_reserve(&reached, next.len))
            status = og_error_nomem(err);
        if (status == OG_OK && next.len > 0) {
            memcpy(reached.items + reached.len, next.items, next.len * sizeof *next.items);
            reached.len += next.len;
        }
        og_vec_deinit(&next);
    }
    og_vec_deinit(set);
    *set = reached;
    return status;
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static og_status to_slots(og_exec *x, const vertex_list *set, uint32_t **out, uint32_t *out_count,
                          og_error *err)
{
    const og_exec__table *t;
    OG_TRY(og_exec__table_of(x, x->plan->main.steps[0].var, &t, err));
    uint32_t *slots = og_arena_alloc(x->arena, (set->len + 1) * sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    OG_TRY(og_exec__slots_of_vertices(t->table, set->items, (uint32_t)set->len, slots, err));
    uint32_t count = 0;
    for (size_t i = 0; i < set->len; i++) {
        if (slots[i] != UINT32_MAX)
            slots[count++] = slots[i];
    }
    qsort(slots, count, sizeof *slots, by_number);
    *out = slots;
    *out_count = count;
    return OG_OK;
}

og_status og_exec__reduce(og_exec *x, bool *out_used, uint32_t **out_slots, uint32_t *out_count,
                          og_error *err)
{
    const og_exec__path *path = &x->plan->reduction;
    uint32_t vertex;
    *out_used = false;
    if (path->step_count == 0)
        return OG_OK;
    OG_TRY(og_exec__find_key(x, &x->plan->main.steps[path->key_step], out_used, &vertex, err));
    if (!*out_used)
        return OG_OK;
    vertex_list set = {0};
    og_status status = OG_OK;
    if (vertex != OG_NO_VERTEX && !og_vec_push(&set, vertex))
        status = og_error_nomem(err);
    for (uint32_t i = path->step_count; status == OG_OK && i-- > 0;)
        status = step_back(x, &x->plan->main.steps[path->steps[i]], &set, err);
    if (status == OG_OK)
        status = to_slots(x, &set, out_slots, out_count, err);
    og_vec_deinit(&set);
    return status;
}
