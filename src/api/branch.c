/* Branches: make, delete, list. */
#include "api/handles_priv.h"
#include "graph/branch_ops.h"

struct og_branch_list {
    og_arena *arena; /* owns the names, which have a NUL behind them */
    og_str *names;
    size_t count;
};

og_status og_branch_create(og_graph *graph, const char *name, const char *from, og_error *err)
{
    return og_branch_make(graph->repo, from, name, err);
}

og_status og_branch_delete(og_graph *graph, const char *name, og_error *err)
{
    return og_branch_remove(graph->repo, name, err);
}

og_status og_branch_list_read(og_graph *graph, og_branch_list **out, og_error *err)
{
    og_branch_list *list = og_calloc(1, sizeof *list);
    if (list == NULL)
        return og_error_nomem(err);
    list->arena = og_arena_new(0);
    og_status s = list->arena != NULL
                      ? og_repo_branches(graph->repo, list->arena, &list->names, &list->count, err)
                      : og_error_nomem(err);
    if (s != OG_OK) {
        og_branch_list_free(list);
        return s;
    }
    *out = list;
    return OG_OK;
}

void og_branch_list_free(og_branch_list *list)
{
    if (list == NULL)
        return;
    og_arena_free(list->arena);
    og_free(list);
}

size_t og_branch_list_count(const og_branch_list *list)
{
    return list->count;
}

const char *og_branch_list_name(const og_branch_list *list, size_t index)
{
    return index < list->count ? list->names[index].ptr : NULL;
}
