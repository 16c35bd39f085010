/* graph/merge: what the merged graph would violate that neither branch violates by itself.
 *
 * Only what both sides changed can do that together, so only the changes of both are looked at:
 *   ends    an edge that theirs brings, at a node that ours deleted; an edge that ours changed, at
 * a node that theirs deleted card    sources at which both sides changed edges unique  rows that
 * theirs brings against rows that ours changed (merge_unique.c) values  rows that theirs brings: a
 * value of theirs that ours does not have A disputed row counts as it is in ours; what it would
 * violate is not told: that depends on how the dispute ends. */
#include <stdlib.h>

#include "graph/constraints_priv.h"
#include "graph/merge_priv.h"

/* Column 0 is the id. */
enum { ID = 0, SRC = 1, DST = 2 };

static og_graph__merge_table *node_of(og_graph__merge *m, const og_type_def *edge, int end)
{
    uint32_t index = end == SRC ? edge->from_type : edge->to_type;
    return og_graph__merge_table_of(m, &m->catalog->nodes[index]);
}

static og_status report_orphan(og_graph__merge *m, const og_graph__merge_table *edges, og_str id,
                               int end, og_str node_id, const og_type_def *node, og_error *err)
{
    return og_graph__report(m, edges->def, OG_CONFLICT_ORPHAN_EDGE, id, err,
                            "%s '%.*s' not found in %.*s", end == SRC ? "src" : "dst",
                            OG_FMT(node_id), OG_FMT(node->name));
}

/* ---- edges that theirs brings ------------------------------------------------------------- */

/* Does theirs lack the node, too? Then the edge dangles there already. */
static bool theirs_lacks(const og_graph__merge_table *nodes, og_str id)
{
    const og_row_change *change = og_graph__merge_change_of(nodes, id);
    return change != NULL && change->to_slot == OG_NO_SLOT;
}

/* Did ours have the same end in this edge, and lost the node all the same? */
static og_status ours_dangles(const og_graph__merge_table *edges, const og_graph__taken *row,
                              uint32_t end, og_str node_id, bool *out, og_error *err)
{
    *out = false;
    if (row->ours == OG_NO_SLOT)
        return OG_OK;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_graph__columns_read(edges->def, edges->ours, &row->ours, 1, &end, 1, false, &batch,
                                  err));
    *out = og_str_eq(og_array_str(batch.columns[0], 0), node_id);
    return OG_OK;
}

static og_status check_taken_end(og_graph__merge *m, og_graph__merge_table *edges, int end,
                                 og_error *err)
{
    og_graph__merge_table *nodes = node_of(m, edges->def, end);
    uint32_t column = (uint32_t)end;
    bool any;
    OG_TRY(og_txn_reads(m->txn, nodes->def, err));
    OG_TRY(og_graph__merge_open(m, nodes, err));
    OG_TRY(og_graph__ours_lost_any(nodes, &any, err));
    for (size_t start = 0; any && start < edges->taken.len; start += OG_BATCH_ROWS) {
        size_t left = edges->taken.len - start, count = left < OG_BATCH_ROWS ? left : OG_BATCH_ROWS;
        OG_AUTO_BATCH rows = {0};
        OG_TRY(og_graph__taken_read(edges, start, count, &column, 1, false, &rows, err));
        for (size_t i = 0; i < count; i++) {
            const og_graph__taken *row = &edges->taken.items[start + i];
            og_str node_id = og_array_str(rows.columns[0], (int64_t)i);
            bool dangled;
            if (!og_graph__ours_lost(nodes, node_id) || theirs_lacks(nodes, node_id))
                continue;
            OG_TRY(ours_dangles(edges, row, column, node_id, &dangled, err));
            if (!dangled)
                OG_TRY(report_orphan(m, edges, row->id, end, node_id, nodes->def, err));
        }
    }
    return OG_OK;
}

/* ---- edges of ours at nodes that theirs deleted ------------------------------------------- */

/* Does theirs have the edge with this end, although it deleted the node? */
static og_status theirs_dangles(og_graph__merge_table *edges, og_str id, uint32_t end,
                                og_str node_id, bool *out, og_error *err)
{
    og_lance_table *table;
    uint32_t slot;
    OG_TRY(og_graph__theirs_row(edges, id, &table, &slot, out, err));
    if (!*out)
        return OG_OK;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_graph__columns_read(edges->def, table, &slot, 1, &end, 1, false, &batch, err));
    *out = og_str_eq(og_array_str(batch.columns[0], 0), node_id);
    return OG_OK;
}

static og_status check_left_edge(og_graph__merge *m, og_graph__merge_table *edges,
                                 const og_graph__merge_table *nodes, const og_strmap *gone,
                                 const og_batch *rows, int64_t row, int end, og_error *err)
{
    og_str node_id = og_array_str(rows->columns[end], row);
    if (&m->catalog->nodes[end == SRC ? edges->def->from_type : edges->def->to_type] !=
            nodes->def ||
        og_strmap_get(gone, node_id) == NULL)
        return OG_OK;
    og_str id = og_array_str(rows->columns[ID], row);
    bool dangled;
    OG_TRY(theirs_dangles(edges, id, (uint32_t)end, node_id, &dangled, err));
    return dangled ? OG_OK : report_orphan(m, edges, id, end, node_id, nodes->def, err);
}

/* The slots that ours changed and the merge does not touch: the caller frees *out. */
static og_status left_slots(og_graph__merge_table *t, uint32_t **out, size_t *out_count,
                            og_error *err)
{
    const uint32_t *changed;
    size_t changed_count, count = 0;
    OG_TRY(og_graph__ours_changed(t, &changed, &changed_count, err));
    uint32_t *slots = og_calloc(changed_count, sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < changed_count; i++)
        if (og_u64map_get(t->touched, changed[i]) == NULL)
            slots[count++] = changed[i];
    *out = slots;
    *out_count = count;
    return OG_OK;
}

static og_status check_left_edges(og_graph__merge *m, og_graph__merge_table *edges,
                                  const og_graph__merge_table *nodes, const og_strmap *gone,
                                  og_error *err)
{
    static const uint32_t columns[] = {ID, SRC, DST};
    OG_AUTO_FREE uint32_t *slots = NULL;
    size_t count = 0;
    OG_TRY(og_txn_reads(m->txn, edges->def, err));
    OG_TRY(og_graph__merge_open(m, edges, err));
    OG_TRY(left_slots(edges, &slots, &count, err));
    for (size_t start = 0; start < count; start += OG_BATCH_ROWS) {
        size_t n = count - start < OG_BATCH_ROWS ? count - start : OG_BATCH_ROWS;
        OG_AUTO_BATCH rows = {0};
        OG_TRY(og_graph__merge_check_stop(m, err));
        OG_TRY(og_graph__columns_read(edges->def, edges->ours, slots + start, n, columns, 3, false,
                                      &rows, err));
        for (int64_t i = 0; i < rows.row_count; i++) {
            OG_TRY(check_left_edge(m, edges, nodes, gone, &rows, i, SRC, err));
            OG_TRY(check_left_edge(m, edges, nodes, gone, &rows, i, DST, err));
        }
    }
    return OG_OK;
}

static og_status check_gone_nodes(og_graph__merge *m, const og_graph__merge_table *nodes,
                                  og_error *err)
{
    if (nodes->gone.len == 0)
        return OG_OK;
    OG_AUTO(og_strmap) gone = og_strmap_new(true);
    if (gone == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < nodes->gone.len; i++)
        if (og_strmap_put(gone, nodes->gone.items[i].id, NULL) == NULL)
            return og_error_nomem(err);
    for (uint32_t i = 0; i < m->catalog->edge_count; i++) {
        const og_type_def *edge = &m->catalog->edges[i];
        if (edge->from_type == nodes->def->index || edge->to_type == nodes->def->index)
            OG_TRY(check_left_edges(m, og_graph__merge_table_of(m, edge), nodes, gone, err));
    }
    return OG_OK;
}

/* ---- @card -------------------------------------------------------------------------------- */

/* Edges at a source: how many the merge adds (or takes away), whether ours changed any. */
typedef struct degree {
    int64_t added;
    bool ours_changed;
    uint64_t ours, theirs; /* counted when both sides changed edges there */
} degree;

typedef struct degrees {
    og_strmap *sources; /* -> index into items; of edges that theirs changed */
    OG_VEC(degree) items;
    bool any_shared;
} degrees;

static og_status add_sources(degrees *d, const og_array *sources, int by, og_error *err)
{
    for (int64_t i = 0; i < sources->length; i++) {
        bool is_new;
        if (!og_vec_reserve(&d->items, 1))
            return og_error_nomem(err);
        uint64_t *index = og_strmap_put(d->sources, og_array_str(sources, i), &is_new);
        if (index == NULL)
            return og_error_nomem(err);
        if (is_new) {
            *index = d->items.len;
            d->items.items[d->items.len++] = (degree){0};
        }
        d->items.items[*index].added += by;
    }
    return OG_OK;
}

static og_status mark_shared(degrees *d, const og_array *sources, int by, og_error *err)
{
    (void)by, (void)err;
    for (int64_t i = 0; i < sources->length; i++) {
        const uint64_t *index = og_strmap_get(d->sources, og_array_str(sources, i));
        if (index != NULL)
            d->any_shared = d->items.items[*index].ours_changed = true;
    }
    return OG_OK;
}

/* Hand the sources of some rows of a table to a function. */
static og_status each_source(const og_type_def *def, og_lance_table *table, const uint32_t *slots,
                             size_t count, degrees *d,
                             og_status (*take)(degrees *, const og_array *, int, og_error *),
                             int by, og_error *err)
{
    static const uint32_t src[] = {SRC};
    for (size_t start = 0; start < count; start += OG_BATCH_ROWS) {
        size_t n = count - start < OG_BATCH_ROWS ? count - start : OG_BATCH_ROWS;
        OG_AUTO_BATCH rows = {0};
        OG_TRY(og_graph__columns_read(def, table, slots + start, n, src, 1, false, &rows, err));
        OG_TRY(take(d, rows.columns[0], by, err));
    }
    return OG_OK;
}

static og_status add_taken(const og_graph__merge_table *t, degrees *d, og_error *err)
{
    static const uint32_t src[] = {SRC};
    for (size_t start = 0; start < t->taken.len; start += OG_BATCH_ROWS) {
        size_t left = t->taken.len - start, n = left < OG_BATCH_ROWS ? left : OG_BATCH_ROWS;
        OG_AUTO_BATCH rows = {0};
        OG_TRY(og_graph__taken_read(t, start, n, src, 1, false, &rows, err));
        OG_TRY(add_sources(d, rows.columns[0], 1, err));
    }
    OG_AUTO_FREE uint32_t *slots = og_calloc(t->taken.len + t->gone.len, sizeof *slots);
    size_t count = 0;
    if (slots == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < t->taken.len && t->taken.items[i].ours != OG_NO_SLOT; i++)
        slots[count++] = t->taken.items[i].ours;
    for (size_t i = 0; i < t->gone.len; i++)
        slots[count++] = t->gone.items[i].ours;
    return each_source(t->def, t->ours, slots, count, d, add_sources, -1, err);
}

/* Count the edges of the sources in question in a whole table. */
static og_status count_edges(og_lance_table *table, degrees *d, bool of_ours, og_error *err)
{
    const og_str src = OG_STR("src");
    OG_GRAPH__AUTO_SCAN scan = {0};
    OG_TRY(og_graph__column_scan_open(table, &src, 1, &scan, err));
    for (;;) {
        OG_TRY(og_graph__column_scan_next(&scan, err));
        if (scan.batch.row_count == 0)
            return OG_OK;
        for (int64_t i = 0; i < scan.batch.row_count; i++) {
            const uint64_t *index =
                og_strmap_get(d->sources, og_array_str(scan.batch.columns[0], i));
            if (index == NULL)
                continue;
            degree *at = &d->items.items[*index];
            *(of_ours ? &at->ours : &at->theirs) += 1;
        }
    }
}

static int by_text(const void *a, const void *b)
{
    return og_str_cmp(*(const og_str *)a, *(const og_str *)b);
}

/* A bound that is broken after the merge, and on neither side before. */
static bool breaks(const degree *d, const og_type_def *edge, bool is_max, uint64_t merged)
{
    uint32_t bound = is_max ? edge->card_max : edge->card_min;
    const uint64_t counts[3] = {merged, d->ours, d->theirs};
    bool broken[3];
    for (int i = 0; i < 3; i++)
        broken[i] = is_max ? counts[i] > bound : counts[i] > 0 && counts[i] < bound;
    return broken[0] && !broken[1] && !broken[2];
}

static og_status report_degrees(og_graph__merge *m, const og_type_def *edge, const degrees *d,
                                og_error *err)
{
    size_t count = og_strmap_len(d->sources);
    OG_AUTO_FREE og_str *sources = og_calloc(count, sizeof *sources);
    if (sources == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        sources[i] = og_strmap_at(d->sources, i, NULL);
    qsort(sources, count, sizeof *sources, by_text);
    for (size_t i = 0; i < count; i++) {
        const degree *at = &d->items.items[*og_strmap_get(d->sources, sources[i])];
        int64_t sum = (int64_t)at->ours + at->added;
        uint64_t merged = sum > 0 ? (uint64_t)sum : 0;
        bool is_max = breaks(at, edge, true, merged);
        if (at->ours_changed && (is_max || breaks(at, edge, false, merged)))
            OG_TRY(og_graph__report(
                m, edge, OG_CONFLICT_CARDINALITY_VIOLATION, (og_str){NULL, 0}, err,
                "@card violation on edge %.*s: source '%.*s' has %llu edges (%s %u)",
                OG_FMT(edge->name), OG_FMT(sources[i]), (unsigned long long)merged,
                is_max ? "max" : "min", is_max ? edge->card_max : edge->card_min));
    }
    return OG_OK;
}

static og_status find_degrees(og_graph__merge *m, og_graph__merge_table *t, degrees *d,
                              og_error *err)
{
    const og_lance_delta *mine = &t->mine.delta;
    OG_TRY(add_taken(t, d, err));
    OG_TRY(each_source(t->def, t->ours, mine->to_slots, mine->to_count, d, mark_shared, 0, err));
    OG_TRY(
        each_source(t->def, t->base, mine->from_slots, mine->from_count, d, mark_shared, 0, err));
    if (!d->any_shared)
        return OG_OK;
    OG_TRY(count_edges(t->ours, d, true, err));
    OG_TRY(count_edges(t->theirs, d, false, err));
    return report_degrees(m, t->def, d, err);
}

static og_status check_card(og_graph__merge *m, og_graph__merge_table *t, og_error *err)
{
    if (!og_graph__has_card(t->def) || t->taken.len + t->gone.len == 0)
        return OG_OK;
    degrees d = {.sources = og_strmap_new(false)};
    og_status s = d.sources != NULL ? find_degrees(m, t, &d, err) : og_error_nomem(err);
    og_strmap_free(d.sources);
    og_vec_deinit(&d.items);
    return s;
}

/* ---- all ---------------------------------------------------------------------------------- */

static og_status check_table(og_graph__merge *m, og_graph__merge_table *t, og_error *err)
{
    if (!t->is_planned)
        return OG_OK;
    OG_TRY(og_graph__merge_check_stop(m, err));
    OG_TRY(og_graph__merge_check_values(m, t, err));
    OG_TRY(og_graph__merge_check_uniques(m, t, err));
    if (t->def->is_edge && t->taken.len > 0) {
        OG_TRY(check_taken_end(m, t, SRC, err));
        OG_TRY(check_taken_end(m, t, DST, err));
    }
    return t->def->is_edge ? check_card(m, t, err) : OG_OK;
}

og_status og_graph__merge_check(og_graph__merge *m, og_error *err)
{
    size_t count = og_graph__merge_table_count(m);
    for (size_t i = 0; i < count; i++)
        OG_TRY(og_graph__merge_index(&m->tables[i], err));
    for (size_t i = 0; i < count; i++)
        OG_TRY(check_table(m, &m->tables[i], err));
    for (size_t i = 0; i < count; i++)
        if (!m->tables[i].def->is_edge)
            OG_TRY(check_gone_nodes(m, &m->tables[i], err));
    return OG_OK;
}
