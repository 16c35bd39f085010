#include "graph/lives.h"

#include "graph/layout.h"
#include "graph/repo_priv.h"
#include "lance/table/branch.h"

void og_graph__lives_deinit(og_graph__lives *l)
{
    og_strmap_free(l->branches);
    og_arena_free(l->arena);
    *l = (og_graph__lives){0};
}

static og_status index_names(og_graph__lives *l, const og_str *names, size_t count, og_error *err)
{
    OG_AUTO(og_strmap) branches = og_strmap_new(true);
    l->ids = og_arena_array_of(l->arena, og_str, count + 1);
    if (branches == NULL || l->ids == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++) {
        uint64_t *at = og_strmap_put(branches, names[i], NULL);
        if (at == NULL)
            return og_error_nomem(err);
        *at = i;
        l->ids[i] = OG_STR("");
    }
    l->branches = OG_TAKE(branches);
    return OG_OK;
}

static og_status list(og_graph__lives *l, og_error *err)
{
    og_str *names;
    size_t count;
    if (l->arena == NULL && (l->arena = og_arena_new(0)) == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_branch_list(l->repo->store, OG_GRAPH__MANIFEST, l->arena, &names, &count, err));
    return index_names(l, names, count, err);
}

og_status og_graph__life_is_over(og_graph__lives *l, og_str branch, og_str id, bool *out,
                                 og_error *err)
{
    *out = false;
    if (l->branches == NULL)
        OG_TRY(list(l, err));
    const uint64_t *at = og_strmap_get(l->branches, branch);
    og_status s = OG_OK;
    if (at != NULL && l->ids[*at].len == 0) {
        og_lance_ref ref;
        s = og_lance_branch_read(l->repo->store, OG_GRAPH__MANIFEST, branch, l->arena, &ref, err);
        if (s == OG_OK)
            l->ids[*at] = ref.forks[ref.fork_count - 1].id;
    }
    *out = at == NULL || s == OG_NOT_FOUND || (s == OG_OK && !og_str_eq(l->ids[*at], id));
    return s == OG_NOMEM ? s : OG_OK;
}
