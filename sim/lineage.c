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

/* Mark the commit and all that it came from, as far as it is known (NULL: all is). Parents stand
 * before their children in the list, except that one published again after a power loss keeps its
 * place; so the walk goes by a stack. */
static void mark(const sim_world *w, int commit, const bool *known, bool *seen)
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
            if (parents[i] >= 0 && !seen[parents[i]] && depth < 2 * 4096 &&
                (known == NULL || known[parents[i]]))
                stack[depth++] = parents[i];
    }
}

static bool *no_commits(const sim_world *w)
{
    bool *none = calloc((size_t)w->commit_count + 1, sizeof *none);
    if (none == NULL)
        abort();
    return none;
}

static bool *ancestors(const sim_world *w, int commit, const bool *known)
{
    bool *seen = no_commits(w);
    mark(w, commit, known, seen);
    return seen;
}

static bool is_ancestor(const sim_world *w, int older, int commit, const bool *known)
{
    bool *seen = ancestors(w, commit, known);
    bool found = older >= 0 && seen[older];
    free(seen);
    return found;
}

bool sim_commit_is_in(const sim_world *w, int older, int commit)
{
    return is_ancestor(w, older, commit, NULL);
}

static void add_base(int base, int *out, int cap, int *count)
{
    for (int i = 0; i < *count; i++)
        if (out[i] == base)
            return;
    if (*count < cap)
        out[(*count)++] = base;
}

static void add_bases(const sim_world *w, int a, int b, const bool *known, int *out, int cap,
                      int *count)
{
    bool *of_a = ancestors(w, a, known), *of_b = ancestors(w, b, known);
    for (int i = 0; i < w->commit_count; i++)
        of_a[i] = of_a[i] && of_b[i];
    for (int i = 0; i < w->commit_count; i++) {
        bool is_last = of_a[i];
        for (int k = 0; is_last && k < w->commit_count; k++)
            is_last = k == i || !of_a[k] || !is_ancestor(w, i, k, known);
        if (is_last)
            add_base(i, out, cap, count);
    }
    free(of_a);
    free(of_b);
}

/* A commit and those before it on its branch, the ones that it inherited among them. */
static void know_line(const sim_world *w, int commit, bool *known)
{
    for (; commit >= 0 && !known[commit];
         commit = sim_commit_find(w, og_str_of(w->commits[commit].parent)))
        known[commit] = true;
}

int sim_merge_bases(const sim_world *w, int a, int b, int *out, int cap)
{
    int count = 0;
    bool *known = no_commits(w);
    know_line(w, a, known);
    know_line(w, b, known);
    for (int i = 0; i < SIM_BRANCHES; i++) {
        const sim_branch *branch = &w->branches[i];
        if (branch->exists && branch->count > 0)
            know_line(w, branch->versions[branch->count - 1].commit, known);
    }
    add_bases(w, a, b, NULL, out, cap, &count);
    add_bases(w, a, b, known, out, cap, &count);
    free(known);
    return count;
}
