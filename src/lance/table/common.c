/* The common past of two versions (delta.h). Branches of a dataset are a tree: each
 * says which version of its parent it began with, so both lines are followed up to
 * the nearest branch they share. */
#include "lance/table/branch.h"
#include "lance/table/delta.h"
#include "lance/table/table_priv.h"

#define MAX_DEPTH 64 /* of branches; more is damage */

/* Where a version comes from: of each branch it has in its past everything up to a version. */
typedef struct line {
    og_str branches[MAX_DEPTH]; /* from its own up to main, which is "" */
    uint64_t untils[MAX_DEPTH];
    size_t count;
} line;

/* The branch that the table's path names. */
static og_str branch_of(const og_lance_table *table)
{
    og_str path = og_str_of(table->path);
    size_t root = strlen(table->root);
    if (path.len == root)
        return OG_STR("");
    return og_str_slice(path, root == 0 ? strlen("tree/") : root + strlen("/tree/"), path.len);
}

/* The line of a table; *out_known false when a branch on the way has no ref any more, or a
 * torn one (whoever forks a table puts its ref first, also who then finds that another was
 * faster), or refs go in circles. */
static og_status follow(const og_lance_table *table, og_arena *arena, line *out, bool *out_known,
                        og_error *err)
{
    og_str branch = branch_of(table);
    uint64_t until = og_lance_table_version(table);
    *out_known = false;
    for (out->count = 0; out->count < MAX_DEPTH;) {
        out->branches[out->count] = branch;
        out->untils[out->count++] = until;
        *out_known = branch.len == 0;
        if (*out_known)
            return OG_OK;
        if (!og_lance_branch_is_safe(branch))
            return og_error_set(err, OG_CORRUPT, "%s has a branch named '%.*s'", table->root,
                                OG_FMT(branch));
        og_lance_ref ref;
        og_status status = og_lance_branch_read(og_lance_env_store(table->env), table->root, branch,
                                                arena, &ref, err);
        if (status == OG_NOT_FOUND || status == OG_CORRUPT)
            return OG_OK;
        OG_TRY(status);
        branch = ref.parent;
        until = ref.parent_version;
    }
    *out_known = false;
    return OG_OK;
}

/* Both end in main, so there is one: the first branch of `a` that is on `b`, too. */
static void nearest(const line *a, const line *b, size_t *out_a, size_t *out_b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (og_str_eq(a->branches[i], b->branches[k])) {
                *out_a = i;
                *out_b = k;
                return;
            }
}

static og_status next_row_id_at(og_lance_table *table, og_str branch, uint64_t version,
                                uint64_t *out, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    OG_AUTO(og_lance_table) opened = NULL;
    if (!og_lance_branch_path(&path, table->root, branch))
        return og_error_nomem(err);
    OG_TRY(og_lance_table_open(table->env, og_buf_cstr(&path), version, 0, &opened, err));
    *out = og_lance_table_next_row_id(opened);
    return OG_OK;
}

/* The version at which `table` left the branch at `index` of its line. The first version of the
 * next branch repeats it, and lives longer: it is what that branch rests on. */
static og_status leave(og_lance_table *table, const line *l, size_t index, og_lance_common *out,
                       og_error *err)
{
    uint64_t version = l->untils[index];
    uint64_t next_row_id = og_lance_table_next_row_id(table);
    if (index > 0) {
        og_status status =
            next_row_id_at(table, l->branches[index - 1], version, &next_row_id, err);
        if (status == OG_NOT_FOUND)
            status = next_row_id_at(table, l->branches[index], version, &next_row_id, err);
        if (status == OG_NOT_FOUND) { /* both were cleaned away */
            *out = OG_LANCE_NO_LINEAGE;
            return OG_OK;
        }
        OG_TRY(status);
    }
    *out = (og_lance_common){version, next_row_id};
    return OG_OK;
}

og_status og_lance_common_find(og_lance_table *a, og_lance_table *b, og_lance_common *out,
                               og_error *err)
{
    *out = OG_LANCE_ONE_LINEAGE;
    if (strcmp(a->path, b->path) == 0)
        return OG_OK;
    *out = OG_LANCE_NO_LINEAGE;
    if (strcmp(a->root, b->root) != 0)
        return OG_OK;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (arena == NULL)
        return og_error_nomem(err);
    line line_a, line_b;
    bool a_known, b_known;
    OG_TRY(follow(a, arena, &line_a, &a_known, err));
    OG_TRY(follow(b, arena, &line_b, &b_known, err));
    if (!a_known || !b_known)
        return OG_OK;
    size_t at_a = 0, at_b = 0;
    nearest(&line_a, &line_b, &at_a, &at_b);
    if (line_a.untils[at_a] <= line_b.untils[at_b])
        return leave(a, &line_a, at_a, out, err);
    return leave(b, &line_b, at_b, out, err);
}
