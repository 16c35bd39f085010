#include "graph/branch.h"

#include <stdlib.h>

#include "base/vec.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"

/* ---- the branches an open graph knows ----------------------------------------------------- */

static void branch_free(og_graph__branch *branch)
{
    if (branch == NULL)
        return;
    og_snapshot_unref(branch->current);
    og_lance_table_unref(branch->commits);
    og_free(branch->name);
    og_free(branch->manifest_path);
    og_free(branch->commits_path);
    og_free(branch->head_file);
    og_free(branch);
}
OG_DEFINE_AUTO(og_graph__branch, branch_free)

void og_graph__branch_free_all(og_graph__branch *first)
{
    while (first != NULL) {
        og_graph__branch *next = first->next;
        branch_free(first);
        first = next;
    }
}

static char *branch_path(const char *dataset, og_str branch)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    return og_lance_branch_path(&path, dataset, branch) ? og_strdup(og_buf_cstr(&path)) : NULL;
}

static og_status branch_new(og_str name, og_graph__branch **out, og_error *err)
{
    OG_AUTO(og_graph__branch) b = og_calloc(1, sizeof *b);
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_AUTO_BUF head = OG_BUF_INIT;
    if (b == NULL)
        return og_error_nomem(err);
    b->is_main = og_str_is(name, OG_GRAPH__MAIN);
    og_str branch = b->is_main ? OG_STR("") : name;
    og_buf_text(&head, OG_GRAPH__HEAD_PREFIX);
    og_lance_branch_encode(&head, name);
    if (!og_buf_text(&head, ".json") || !og_buf_str(&text, name))
        return og_error_nomem(err);
    b->name = og_strdup(og_buf_cstr(&text));
    b->head_file = og_strdup(og_buf_cstr(&head));
    b->manifest_path = branch_path(OG_GRAPH__MANIFEST, branch);
    b->commits_path = branch_path(OG_GRAPH__COMMITS, branch);
    if (b->name == NULL || b->head_file == NULL || b->manifest_path == NULL ||
        b->commits_path == NULL)
        return og_error_nomem(err);
    *out = OG_TAKE(b);
    return OG_OK;
}

static og_graph__branch *find(const og_repo *repo, og_str name)
{
    for (og_graph__branch *b = repo->branches; b != NULL; b = b->next)
        if (og_str_is(name, b->name))
            return b;
    return NULL;
}

og_status og_graph__branch_get(og_repo *repo, const char *name, og_graph__branch **out,
                               og_error *err)
{
    og_str wanted = og_str_trim(og_str_of(name != NULL ? name : OG_GRAPH__MAIN));
    if (wanted.len == 0)
        return og_error_set(err, OG_INVALID, "branch name cannot be empty");
    OG_TRY(og_lance_branch_check_length(wanted, err));
    if (!og_lance_branch_is_safe(wanted))
        return og_error_set(err, OG_NOT_FOUND, "branch '%.*s' not found", OG_FMT(wanted));
    pthread_mutex_lock(&repo->lock);
    og_status s = OG_OK;
    og_graph__branch *branch = find(repo, wanted);
    if (branch == NULL) {
        s = branch_new(wanted, &branch, err);
        if (s == OG_OK) {
            branch->next = repo->branches;
            repo->branches = branch;
        }
    }
    pthread_mutex_unlock(&repo->lock);
    if (s == OG_OK)
        *out = branch;
    return s;
}

/* ---- refs --------------------------------------------------------------------------------- */

og_status og_graph__branch_not_found(const og_graph__branch *branch, og_error *err)
{
    og_error_set(err, OG_NOT_FOUND, "branch '%s' not found", branch->name);
    og_error_hint(err, "Show the branches with: omnigraph branch list --uri GRAPH");
    return OG_NOT_FOUND;
}

og_status og_graph__branch_ref(const og_repo *repo, const og_graph__branch *branch, og_arena *arena,
                               og_lance_ref *out, og_error *err)
{
    og_status s = og_lance_branch_read(repo->store, OG_GRAPH__MANIFEST, og_str_of(branch->name),
                                       arena, out, err);
    return s == OG_NOT_FOUND ? og_graph__branch_not_found(branch, err) : s;
}

og_status og_graph__branch_life(const og_repo *repo, const og_graph__branch *branch,
                                char out_id[OG_GRAPH__BRANCH_ID + 1], uint64_t *out_first,
                                og_error *err)
{
    out_id[0] = '\0';
    *out_first = 0;
    if (branch->is_main)
        return OG_OK;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (arena == NULL)
        return og_error_nomem(err);
    og_lance_ref ref;
    OG_TRY(og_graph__branch_ref(repo, branch, arena, &ref, err));
    og_str id = ref.forks[ref.fork_count - 1].id;
    if (id.len > OG_GRAPH__BRANCH_ID)
        return og_error_set(err, OG_CORRUPT, "the ref of branch '%s' has a malformed id",
                            branch->name);
    memcpy(out_id, id.ptr, id.len);
    out_id[id.len] = '\0';
    *out_first = ref.first_version;
    return OG_OK;
}

og_status og_graph__branch_id(const og_repo *repo, const og_graph__branch *branch,
                              char out_id[OG_GRAPH__BRANCH_ID + 1], og_error *err)
{
    uint64_t first;
    return og_graph__branch_life(repo, branch, out_id, &first, err);
}

/* The schema lock of the reference is a branch too; nobody means it. */
static bool is_internal(og_str name)
{
    return og_str_is(name, OG_GRAPH__SCHEMA_LOCK);
}

static int by_bytes(const void *a, const void *b)
{
    return og_str_cmp(*(const og_str *)a, *(const og_str *)b);
}

og_status og_repo_branches(og_repo *repo, og_arena *arena, og_str **out_names, size_t *out_count,
                           og_error *err)
{
    og_str *stored;
    size_t count, kept = 0;
    OG_TRY(og_lance_branch_list(repo->store, OG_GRAPH__MANIFEST, arena, &stored, &count, err));
    og_str *names = og_arena_array_of(arena, og_str, count + 1);
    if (names == NULL)
        return og_error_nomem(err);
    names[kept++] = OG_STR(OG_GRAPH__MAIN);
    for (size_t i = 0; i < count; i++)
        if (!is_internal(stored[i]) && !og_str_is(stored[i], OG_GRAPH__MAIN))
            names[kept++] = stored[i];
    qsort(names, kept, sizeof *names, by_bytes);
    *out_names = names;
    *out_count = kept;
    return OG_OK;
}

/* ---- tables ------------------------------------------------------------------------------- */

bool og_graph__pin_path(og_buf *out, const og_graph__pin *pin)
{
    OG_AUTO_BUF root = OG_BUF_INIT;
    return og_buf_str(&root, pin->table_path) &&
           og_lance_branch_path(out, og_buf_cstr(&root), pin->table_branch);
}
