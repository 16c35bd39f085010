/* The common past of two versions (delta.h). Branches of a dataset are a tree: each says which version
 * of its parent it began with, so both lines are followed up to the nearest branch they share. */
#include "lance/table/delta.h"
#include "lance/table/refs.h"
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

/* False when a branch on the way has no ref any more, or refs go in circles. */
static bool follow(const og_lance_refs *refs, const og_lance_table *table, line *out)
{
    og_str branch = branch_of(table);
    uint64_t until = og_lance_table_version(table);
    for (out->count = 0; out->count < MAX_DEPTH;) {
        out->branches[out->count] = branch;
        out->untils[out->count++] = until;
        if (branch.len == 0)
            return true;
        const og_lance_branch *ref = og_lance_refs_branch(refs, branch);
        if (ref == NULL)
            return false;
        branch = ref->parent.ptr != NULL ? ref->parent : OG_STR("");
        until = ref->parent_version;
    }
    return false;
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
    if (!og_lance_branch_path(&path, table->root, branch.len != 0 ? branch : (og_str){NULL, 0}))
        return og_error_nomem(err);
    OG_TRY(og_lance_table_open(table->env, og_buf_cstr(&path), version, 0, &opened, err));
    *out = og_lance_table_next_row_id(opened);
    return OG_OK;
}

/* The version at which `table` left the branch at `index` of its line. The first version of the next
 * branch repeats it, and lives longer: it is what that branch rests on. */
static og_status leave(og_lance_table *table, const line *l, size_t index, og_lance_common *out,
                       og_error *err)
{
    uint64_t version = l->untils[index];
    uint64_t next_row_id = og_lance_table_next_row_id(table);
    if (index > 0) {
        og_status status =
            next_row_id_at(table, l->branches[index - 1], version, &next_row_id, NULL);
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

static og_status find(og_lance_table *a, og_lance_table *b, const og_lance_refs *refs,
                      og_lance_common *out, og_error *err)
{
    line line_a, line_b;
    *out = OG_LANCE_NO_LINEAGE;
    if (!follow(refs, a, &line_a) || !follow(refs, b, &line_b))
        return OG_OK;
    size_t at_a = 0, at_b = 0;
    nearest(&line_a, &line_b, &at_a, &at_b);
    if (line_a.untils[at_a] <= line_b.untils[at_b])
        return leave(a, &line_a, at_a, out, err);
    return leave(b, &line_b, at_b, out, err);
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
    og_lance_refs refs = {0};
    og_status status = og_lance_refs_read(a->env, a->root, &refs, err);
    if (status == OG_OK)
        status = find(a, b, &refs, out, err);
    og_lance_refs_deinit(&refs);
    return status;
}
