#include "graph/lives.h"

#include "graph/ahead.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"

void og_graph__lives_deinit(og_graph__lives *l)
{
    og_strmap_free(l->ids);
    *l = (og_graph__lives){0};
}

og_status og_graph__lives_add(og_graph__lives *l, const og_lance_ref *ref, og_error *err)
{
    if (l->ids == NULL && (l->ids = og_strmap_new(false)) == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < ref->fork_count; i++)
        if (og_strmap_put(l->ids, ref->forks[i].id, NULL) == NULL)
            return og_error_nomem(err);
    return OG_OK;
}

static og_status add_all(og_graph__lives *l, og_error *err)
{
    og_store *store = l->repo->store;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_str *names;
    size_t count;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_branch_list(store, OG_GRAPH__MANIFEST, arena, &names, &count, err));
    og_graph__expect_refs(store, names, count, "");
    for (size_t i = 0; i < count; i++) {
        og_lance_ref ref;
        og_status s = og_lance_branch_read(store, OG_GRAPH__MANIFEST, names[i], arena, &ref, err);
        if (s == OG_OK)
            s = og_graph__lives_add(l, &ref, err);
        if (s == OG_NOMEM)
            return s;
        l->is_unsure |= s != OG_OK && s != OG_NOT_FOUND;
    }
    l->is_listed = true;
    return OG_OK;
}

static bool is_known(const og_graph__lives *l, og_str id)
{
    return l->ids != NULL && og_strmap_get(l->ids, id) != NULL;
}

og_status og_graph__life_is_over(og_graph__lives *l, og_str id, bool *out, og_error *err)
{
    *out = false;
    if (!l->is_listed && !is_known(l, id))
        OG_TRY(add_all(l, err));
    *out = !l->is_unsure && !is_known(l, id);
    return OG_OK;
}
