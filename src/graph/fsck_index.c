/* The indices of a pinned version. We search by none of them: what is wrong misleads other
 * programs. */
#include <inttypes.h>

#include "graph/fsck_priv.h"
#include "lance/index/btree.h"

typedef struct indices {
    og_graph__fsck *f;
    og_lance_table *table;
    og_str key;
    og_status told; /* what became of telling */
    og_error *err;
} indices;

static void tell_problem(void *context, const og_error *problem)
{
    indices *i = context;
    if (i->told == OG_OK)
        i->told =
            og_graph__fsck_tell(i->f, OG_FINDING_INDEX, i->key, i->err, "%s", problem->message);
}

static og_status has_files(const indices *i, const og_lance_index *index, bool *out, og_error *err)
{
    og_store *store = i->f->repo->store;
    og_listing names = {0};
    OG_TRY(store->ops->list(store, index->folder, false, NULL, 1, &names, err));
    *out = names.len > 0;
    og_listing_deinit(&names);
    return OG_OK;
}

/* Fragments that are gone may be named, those that never were may not: a row that comes to one
 * would be taken for covered. */
static og_status check_coverage(const indices *i, const og_lance_index *index, og_error *err)
{
    int64_t max = og_lance_table_max_fragment_id(i->table);
    for (uint32_t f = 0; f < index->fragment_count; f++)
        if ((int64_t)index->fragments[f] > max)
            return og_graph__fsck_tell(i->f, OG_FINDING_INDEX, i->key, err,
                                       "index %.*s covers fragment %" PRIu32
                                       ", the newest one is %" PRId64,
                                       OG_FMT(index->name), index->fragments[f], max);
    if (index->dataset_version <= og_lance_table_version(i->table))
        return OG_OK;
    return og_graph__fsck_tell(i->f, OG_FINDING_INDEX, i->key, err,
                               "index %.*s is of version %" PRIu64 ", the table of %" PRIu64,
                               OG_FMT(index->name), index->dataset_version,
                               og_lance_table_version(i->table));
}

static og_status check_index(indices *i, const og_lance_index *index, og_error *err)
{
    bool exists;
    OG_TRY(has_files(i, index, &exists, err));
    if (!exists)
        return og_graph__fsck_tell(i->f, OG_FINDING_INDEX, i->key, err,
                                   "index %.*s has no files in %s", OG_FMT(index->name),
                                   index->folder);
    OG_TRY(check_coverage(i, index, err));
    if (!og_str_is(index->kind, OG_LANCE_BTREE_KIND))
        return OG_OK;
    og_error problem;
    i->err = err;
    og_status s = og_lance_btree_check(i->table, index, tell_problem, i, &problem);
    OG_TRY(i->told);
    OG_TRY(og_graph__fsck_judge(i->f, s, OG_FINDING_INDEX, i->key, &problem, err));
    return og_graph__fsck_progress(i->f, og_lance_table_row_count(i->table), err);
}

og_status og_graph__fsck_indices(og_graph__fsck *f, og_lance_table *table, og_str key,
                                 og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_index *all;
    uint32_t count;
    og_error problem;
    if (arena == NULL)
        return og_error_nomem(err);
    og_status s = og_lance_indices(table, arena, &all, &count, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_INDEX, key, &problem, err);
    indices i = {.f = f, .table = table, .key = key};
    for (uint32_t n = 0; n < count; n++)
        OG_TRY(check_index(&i, &all[n], err));
    return OG_OK;
}
