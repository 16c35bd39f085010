#include "graph/optimize.h"

#include <stdlib.h>

#include "graph/txn.h"
#include "lance/table/compact.h"

#define MAX_ATTEMPTS 8

void og_optimize_output_deinit(og_optimize_output *output)
{
    og_free(output->tables);
    *output = (og_optimize_output){0};
}

static int by_key(const void *a, const void *b)
{
    return og_str_cmp(((const og_optimize_table *)a)->def->table_key,
                      ((const og_optimize_table *)b)->def->table_key);
}

static og_status list_tables(og_repo *repo, og_optimize_output *out, og_error *err)
{
    const og_catalog *catalog = og_repo_catalog(repo);
    out->count = (size_t)catalog->node_count + catalog->edge_count;
    out->tables = og_calloc(out->count + 1, sizeof *out->tables);
    if (out->tables == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < catalog->node_count; i++)
        out->tables[i].def = &catalog->nodes[i];
    for (uint32_t i = 0; i < catalog->edge_count; i++)
        out->tables[catalog->node_count + i].def = &catalog->edges[i];
    qsort(out->tables, out->count, sizeof *out->tables, by_key);
    return OG_OK;
}

/* Is there something to compact, in a table of this branch's own? */
static og_status needs_work(og_snapshot *snapshot, const og_type_def *def, bool *out, og_error *err)
{
    *out = false;
    size_t count;
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    for (size_t i = 0; i < count; i++) {
        if (!og_str_eq(infos[i].table_key, def->table_key))
            continue;
        og_str owner = infos[i].table_branch.len > 0 ? infos[i].table_branch : OG_STR("main");
        if (!og_str_is(owner, snapshot->branch))
            return OG_OK;
        og_lance_table *table;
        uint32_t fragments;
        OG_TRY(og_snapshot_table(snapshot, def, &table, err));
        OG_TRY(og_lance_compact_count(table, NULL, &fragments, err));
        *out = fragments > 0;
    }
    return OG_OK;
}

static og_status compact_once(og_repo *repo, const char *branch, bool fold_control,
                              og_optimize_table *t, og_error *err)
{
    const og_txn_options options = {
        .branch = branch, .kind = "Optimize", .fold_control = fold_control};
    OG_AUTO(og_txn) txn = NULL;
    OG_TRY(og_txn_begin(repo, &options, &txn, err));
    OG_TRY(og_txn_prepare(txn, &t->def, 1, err));
    bool needed;
    OG_TRY(needs_work(og_txn_snapshot(txn), t->def, &needed, err));
    if (!needed)
        return OG_OK;
    og_lance_write *write;
    og_lance_compact_stats stats;
    og_commit_result result;
    OG_TRY(og_txn_write(txn, t->def, OG_LANCE_COMPACT, &write, err));
    OG_TRY(og_lance_write_compact(write, NULL, &stats, err));
    OG_TRY(og_txn_commit(txn, &result, err));
    t->fragments_removed = stats.fragments_removed;
    t->fragments_added = stats.fragments_added;
    t->committed = true;
    return OG_OK;
}

static og_status compact_table(og_repo *repo, const char *branch, bool fold_control,
                               og_optimize_table *t, og_error *err)
{
    for (int attempt = 1;; attempt++) {
        og_status s = compact_once(repo, branch, fold_control, t, err);
        if (s != OG_CONFLICT || attempt == MAX_ATTEMPTS)
            return s;
    }
}

/* The index of the last table that needs work; the count when none does. */
static og_status find_last(og_repo *repo, const char *branch, const og_optimize_output *tables,
                           size_t *out, og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_TRY(og_repo_snapshot(repo, branch, &snapshot, err));
    *out = tables->count;
    for (size_t i = tables->count; i-- > 0;) {
        bool needed;
        OG_TRY(needs_work(snapshot, tables->tables[i].def, &needed, err));
        if (needed) {
            *out = i;
            return OG_OK;
        }
    }
    return OG_OK;
}

og_status og_optimize_run(og_repo *repo, const char *branch, og_optimize_output *out, og_error *err)
{
    *out = (og_optimize_output){0};
    size_t last = 0;
    og_status s = list_tables(repo, out, err);
    if (s == OG_OK)
        s = find_last(repo, branch, out, &last, err);
    for (size_t i = 0; s == OG_OK && i < out->count && last < out->count; i++)
        s = compact_table(repo, branch, i == last, &out->tables[i], err);
    if (s != OG_OK)
        og_optimize_output_deinit(out);
    return s;
}
