/* Indexes on tables of the graph, as other programs leave them (BTREEs on id, src and dst),
 * and what is found by them beside what the model holds. */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "graph/txn.h"
#include "lance/index/btree.h"

static const char *const columns[] = {"id", "src", "dst"};
enum { COLUMNS = sizeof columns / sizeof *columns };

static const og_type_def *type_of(const og_catalog *catalog, int type)
{
    char name[8];
    snprintf(name, sizeof name, sim_is_edge(type) ? "E%d" : "N%d", type % SIM_NODE_TYPES);
    return sim_is_edge(type) ? og_catalog_edge(catalog, og_str_of(name))
                             : og_catalog_node(catalog, og_str_of(name));
}

static void index_name(char out[16], int column)
{
    snprintf(out, 16, "%s_idx", columns[column]);
}

/* ---- making ------------------------------------------------------------------------------- */

/* Over all fragments, in place of what there was. */
static og_status build(og_lance_write *write, uint32_t field, og_str name, og_error *err)
{
    uint32_t count;
    const og_lance_fragment *all = og_lance_table_fragments(og_lance_write_base(write), &count);
    OG_AUTO_FREE uint32_t *fragments = og_calloc((size_t)count + 1, sizeof *fragments);
    if (fragments == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        fragments[i] = (uint32_t)all[i].id;
    og_status s = og_lance_write_drop_index(write, name, err);
    if (s != OG_OK && s != OG_NOT_FOUND)
        return s;
    return og_lance_btree_build(write, field, name, fragments, count, err);
}

static og_status make_index(og_lance_write *write, int column, bool anew, og_error *err)
{
    char name[16];
    bool changed;
    int32_t field =
        og_lance_table_find_field(og_lance_write_base(write), og_str_of(columns[column]));
    if (field < 0)
        return OG_OK; /* a node has no ends */
    index_name(name, column);
    og_status s =
        anew ? OG_NOT_FOUND : og_lance_btree_update(write, og_str_of(name), &changed, err);
    return s == OG_NOT_FOUND ? build(write, (uint32_t)field, og_str_of(name), err) : s;
}

/* A segment speaks of its fragments, whatever others did to the graph meanwhile. */
static og_status always_holds(void *context, og_snapshot *was, og_snapshot *now, og_error *err)
{
    (void)context, (void)was, (void)now, (void)err;
    return OG_OK;
}

og_status sim_index_run(sim_process *p, const sim_op *op, og_error *err)
{
    const og_txn_options options = {.branch = sim_branch_name(op->branch), .kind = "EnsureIndices"};
    OG_AUTO(og_txn) txn = NULL;
    og_commit_result result;
    p->world->has_indexes = true;
    OG_TRY(og_txn_begin(p->repo, &options, &txn, err));
    og_txn_on_move(txn, always_holds, NULL);
    for (int t = 0; t < SIM_TYPES; t++) {
        const og_type_def *def = type_of(og_repo_catalog(p->repo), t);
        og_lance_write *write;
        if (def == NULL || (op->index.types >> t & 1) == 0)
            continue;
        OG_TRY(og_txn_write(txn, def, OG_LANCE_INDEX, &write, err));
        for (int c = 0; c < COLUMNS; c++)
            OG_TRY(make_index(write, c, op->index.anew, err));
    }
    return og_txn_commit(txn, &result, err);
}

/* ---- looking ------------------------------------------------------------------------------ */

/* How many rows of the model have this end or id. */
static size_t expected(const sim_state *state, int type, int column, int id)
{
    size_t count = 0;
    for (int i = 0; i < SIM_IDS; i++) {
        const sim_row *row = &state->rows[type][i];
        int value = column == 0 ? i : column == 1 ? row->from : row->to;
        count += row->present && value == id;
    }
    return count;
}

/* Rows that were found must hold what was looked for. */
static og_status check_values(sim_world *w, og_lance_table *table, uint32_t field,
                              const og_datum *value, const uint32_t *slots, size_t count,
                              og_error *err)
{
    OG_AUTO_BATCH rows = {0};
    OG_TRY(og_lance_take(table, &field, 1, slots, count, &rows, err));
    for (size_t i = 0; i < count; i++) {
        og_datum found = og_datum_of_row(rows.columns[0], (int64_t)i);
        if (found.is_null || og_compare_data(&found, value) != 0)
            sim_wrong(w, "the index finds '%.*s' in place of '%.*s'", OG_FMT(found.str),
                      OG_FMT(value->str));
    }
    return OG_OK;
}

static og_status look_up_one(sim_world *w, og_lance_table *table, uint32_t field, og_str key,
                             size_t should, bool *out_indexed, og_error *err)
{
    OG_AUTO_FREE uint32_t *slots = NULL;
    size_t count;
    const og_datum value = {.type = OG_TYPE_UTF8, .str = key};
    const og_lance_span_of_values span = {.low = &value, .high = &value};
    OG_TRY(og_lance_btree_select(table, field, &span, &slots, &count, out_indexed, err));
    if (!*out_indexed)
        return OG_OK;
    sim_count(&sim_total->lookups);
    if (count != should)
        sim_wrong(w, "an index finds %zu rows of '%.*s' and should find %zu", count, OG_FMT(key),
                  should);
    return check_values(w, table, field, &value, slots, count, err);
}

static og_status look_up(sim_world *w, og_lance_table *table, const sim_state *state, int type,
                         int column, og_error *err)
{
    int32_t field = og_lance_table_find_field(table, og_str_of(columns[column]));
    bool indexed = field >= 0;
    for (int id = 0; id < SIM_IDS && indexed && !sim_is_wrong(w); id++) {
        char key[8];
        snprintf(key, sizeof key, sim_is_edge(type) && column == 0 ? "e%d" : "n%d", id);
        OG_TRY(look_up_one(w, table, (uint32_t)field, og_str_of(key),
                           expected(state, type, column, id), &indexed, err));
    }
    return OG_OK;
}

static og_status look_up_all(sim_world *w, int branch, og_error *err)
{
    const sim_branch *b = &w->branches[branch];
    OG_AUTO(og_repo) repo = sim_open_plain(w);
    OG_AUTO(og_snapshot) snapshot = NULL;
    if (repo == NULL)
        return OG_OK;
    OG_TRY(og_repo_snapshot(repo, sim_branch_name(branch), &snapshot, err));
    for (int t = 0; t < SIM_TYPES; t++) {
        const og_type_def *def = type_of(og_repo_catalog(repo), t);
        og_lance_table *table;
        if (def == NULL)
            continue;
        OG_TRY(og_snapshot_table(snapshot, def, &table, err));
        for (int c = 0; c < COLUMNS; c++)
            OG_TRY(look_up(w, table, &b->versions[b->count - 1].state, t, c, err));
    }
    return OG_OK;
}

void sim_check_indexes(sim_world *w, int branch)
{
    const sim_branch *b = &w->branches[branch];
    og_error err = {0};
    if (!w->has_indexes || !b->exists || b->is_stillborn || b->count == 0)
        return;
    og_status s = look_up_all(w, branch, &err);
    if (s != OG_OK)
        sim_wrong(w, "indexes of %s can't be read: %s (%s)", sim_branch_name(branch), err.message,
                  err.detail);
}
