#include "lineage.h"

#include <stdlib.h>
#include <string.h>

int sim_commit_find(const sim_world *w, og_str id)
{
    for (int i = w->commit_count - 1; id.len == 26 && i >= 0; i--)
        if (memcmp(w->commits[i].id, id.ptr, 26) == 0)
            return i;
    return -1;
}

static void copy_id(char dst[27], og_str id)
{
    if (id.len == 26)
        memcpy(dst, id.ptr, 26);
    dst[26] = '\0';
}

int sim_commit_add(sim_world *w, og_str id, og_str parent, og_str merged_parent,
                   const sim_state *state)
{
    if (w->commit_count == w->commit_capacity) {
        w->commit_capacity = w->commit_capacity * 2 + 64;
        w->commits = realloc(w->commits, (size_t)w->commit_capacity * sizeof *w->commits);
        if (w->commits == NULL)
            abort();
    }
    sim_commit *c = &w->commits[w->commit_count];
    memset(c, 0, sizeof *c);
    copy_id(c->id, id);
    copy_id(c->parent, parent);
    copy_id(c->merged_parent, merged_parent);
    c->state = *state;
    return w->commit_count++;
}

/* Mark the commit and all that it came from. Parents stand before their children
 * in the list, except that one published again after a power loss keeps its place;
 * so the walk goes by a stack. */
static void mark(const sim_world *w, int commit, bool *seen)
{
    int stack[2 * 4096], depth = 0;
    if (commit >= 0)
        stack[depth++] = commit;
    while (depth > 0) {
        int at = stack[--depth];
        if (seen[at])
            continue;
        seen[at] = true;
        int parents[2] = {sim_commit_find(w, og_str_of(w->commits[at].parent)),
                          sim_commit_find(w, og_str_of(w->commits[at].merged_parent))};
        for (int i = 0; i < 2; i++)
            if (parents[i] >= 0 && !seen[parents[i]] && depth < 2 * 4096)
                stack[depth++] = parents[i];
    }
}

static bool *ancestors(const sim_world *w, int commit)
{
    bool *seen = calloc((size_t)w->commit_count + 1, sizeof *seen);
    if (seen == NULL)
        abort();
    mark(w, commit, seen);
    return seen;
}

bool sim_commit_is_in(const sim_world *w, int older, int commit)
{
    bool *seen = ancestors(w, commit);
    bool found = older >= 0 && seen[older];
    free(seen);
    return found;
}

int sim_merge_bases(const sim_world *w, int a, int b, int *out, int cap)
{
    bool *of_a = ancestors(w, a), *of_b = ancestors(w, b);
    int count = 0;
    for (int i = 0; i < w->commit_count; i++)
        of_a[i] = of_a[i] && of_b[i];
    for (int i = 0; i < w->commit_count; i++) {
        bool is_last = of_a[i];
        for (int k = 0; is_last && k < w->commit_count; k++)
            is_last = k == i || !of_a[k] || !sim_commit_is_in(w, i, k);
        if (is_last && count < cap)
            out[count++] = i;
    }
    free(of_a);
    free(of_b);
    return count;
}
