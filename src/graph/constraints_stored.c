/* The checks at the end of an operation: what it did against what is stored. */
#include "graph/constraints_priv.h"

#include <inttypes.h>

/* ---- scans -------------------------------------------------------------------------------- */

#define MAX_SCAN_COLUMNS 64

og_status og_graph__column_scan_open(og_lance_table *table, const og_str *names, uint32_t count,
                                     og_graph__column_scan *out, og_error *err)
{
    uint32_t fields[MAX_SCAN_COLUMNS];
    if (count > MAX_SCAN_COLUMNS)
        return og_error_set(err, OG_LIMIT, "%u columns in one constraint", count);
    if (og_lance_table_row_count(table) == 0)
        return OG_OK;
    for (uint32_t i = 0; i < count; i++) {
        int32_t field = og_lance_table_find_field(table, names[i]);
        if (field < 0)
            return og_error_set(err, OG_CORRUPT, "%s has no column '%.*s'",
                                og_lance_table_path(table), OG_FMT(names[i]));
        fields[i] = (uint32_t)field;
    }
    return og_lance_scan_open(table, fields, count, 0, UINT32_MAX, &out->scan, err);
}

og_status og_graph__column_scan_next(og_graph__column_scan *scan, og_error *err)
{
    og_batch_deinit(&scan->batch);
    scan->batch = (og_batch){0};
    if (scan->scan == NULL)
        return OG_OK;
    const uint32_t *slots;
    return og_lance_scan_next(scan->scan, &scan->batch, &slots, err);
}

void og_graph__column_scan_close(og_graph__column_scan *scan)
{
    og_batch_deinit(&scan->batch);
    og_lance_scan_close(scan->scan);
}

/* ---- stored ids --------------------------------------------------------------------------- */

#define PROBE_IDS 4096

/* Which of `count` (at most PROBE_IDS) ids are stored, before the operation. */
static og_status find_stored(og_txn *txn, const og_type_def *def, const og_str *ids, size_t count,
                             uint32_t *out_vertices, og_error *err)
{
    og_snapshot *snapshot = og_txn_snapshot(txn);
    og_lance_table *table;
    OG_TRY(og_snapshot_table(snapshot, def, &table, err));
    if (og_lance_table_row_count(table) == 0) {
        for (size_t i = 0; i < count; i++)
            out_vertices[i] = OG_NO_VERTEX;
        return OG_OK;
    }
    return og_snapshot_find(snapshot, def, ids, count, out_vertices, err);
}

/* ---- endpoints ---------------------------------------------------------------------------- */

static og_str id_text(const og_graph__type_checks *t, uint32_t index)
{
    return og_strmap_at(t->ids, index, NULL);
}

static og_status missing_node(const og_graph__checks *checks, const og_graph__type_checks *node,
                              const og_graph__end *end, og_error *err)
{
    const og_type_def *edge = &checks->catalog->edges[end->edge_type & ~OG_GRAPH__IS_DST];
    og_str id = id_text(node, end->id);
    return og_error_set_at(err, OG_INVALID, end->line, 0,
                           "edge %.*s row %" PRIu64 ": %s '%.*s' not found in %.*s",
                           OG_FMT(edge->name), (uint64_t)end->row + 1,
                           (end->edge_type & OG_GRAPH__IS_DST) != 0 ? "dst" : "src", OG_FMT(id),
                           OG_FMT(node->def->name));
}

/* The first of ends[from..] whose node is not there, or NULL. */
static og_status find_missing(const og_graph__type_checks *node, og_txn *txn,
                              const og_graph__end **out, og_error *err)
{
    const og_graph__end *pending[PROBE_IDS];
    og_str ids[PROBE_IDS];
    uint32_t vertices[PROBE_IDS];
    *out = NULL;
    for (size_t i = 0; i < node->ends.len;) {
        size_t count = 0;
        const og_graph__end *missing = NULL;
        for (; i < node->ends.len && count < PROBE_IDS && missing == NULL; i++) {
            const og_graph__end *end = &node->ends.items[i];
            uint32_t state = node->states.items[end->id];
            if (state == OG_GRAPH__REMOVED || (state == OG_GRAPH__NAMED && node->replaced)) {
                missing = end;
            } else if (state == OG_GRAPH__NAMED) {
                ids[count] = id_text(node, end->id);
                pending[count++] = end;
            }
        }
        if (count > 0)
            OG_TRY(find_stored(txn, node->def, ids, count, vertices, err));
        for (size_t k = 0; k < count && *out == NULL; k++)
            if (vertices[k] == OG_NO_VERTEX)
                *out = pending[k];
        if (*out == NULL)
            *out = missing;
        if (*out != NULL)
            return OG_OK;
    }
    return OG_OK;
}

/* In the order of input; `from` before `to`. */
static bool comes_first(const og_graph__end *a, const og_graph__end *b)
{
    if (a->line != b->line)
        return a->line < b->line;
    bool same_edge = a->row == b->row && ((a->edge_type ^ b->edge_type) & ~OG_GRAPH__IS_DST) == 0;
    return same_edge && (a->edge_type & OG_GRAPH__IS_DST) < (b->edge_type & OG_GRAPH__IS_DST);
}

static og_status check_endpoints(const og_graph__checks *checks, og_txn *txn, og_error *err)
{
    const og_graph__type_checks *node = NULL;
    const og_graph__end *first = NULL;
    for (uint32_t i = 0; i < checks->catalog->node_count; i++) {
        const og_graph__type_checks *t = &checks->nodes[i];
        const og_graph__end *missing;
        if (t->ends.len == 0)
            continue;
        OG_TRY(og_txn_reads(txn, t->def, err));
        OG_TRY(find_missing(t, txn, &missing, err));
        if (missing != NULL && (first == NULL || comes_first(missing, first))) {
            first = missing;
            node = t;
        }
    }
    return first != NULL ? missing_node(checks, node, first, err) : OG_OK;
}

/* ---- edges that would dangle -------------------------------------------------------------- */

typedef struct dangling {
    uint64_t count;
    og_buf first_ids;
} dangling;

/* Rows of the batch (id, src, dst) whose end is a stored node that the operation does not write
 * again, marked in `lost`. */
static og_status mark_lost(const og_graph__type_checks *node, og_txn *txn, const og_array *ends,
                           bool *lost, og_error *err)
{
    og_str ids[PROBE_IDS];
    int64_t rows[PROBE_IDS];
    uint32_t vertices[PROBE_IDS];
    for (int64_t row = 0; row < ends->length;) {
        size_t count = 0;
        for (; row < ends->length && count < PROBE_IDS; row++) {
            og_str id = og_array_str(ends, row);
            if (og_graph__id_state(node, id) < OG_GRAPH__FIRST_WRITTEN) {
                ids[count] = id;
                rows[count++] = row;
            }
        }
        if (count == 0)
            continue;
        /* A node that was not stored before is not lost by us. */
        OG_TRY(find_stored(txn, node->def, ids, count, vertices, err));
        for (size_t i = 0; i < count; i++)
            lost[rows[i]] = lost[rows[i]] || vertices[i] != OG_NO_VERTEX;
    }
    return OG_OK;
}

static og_status count_dangling(const og_graph__type_checks *node, const og_type_def *edge,
                                og_txn *txn, dangling *found, og_error *err)
{
    og_lance_table *table;
    OG_TRY(og_snapshot_table(og_txn_snapshot(txn), edge, &table, err));
    const og_str names[3] = {OG_STR("id"), OG_STR("src"), OG_STR("dst")};
    OG_GRAPH__AUTO_SCAN scan = {0};
    OG_TRY(og_graph__column_scan_open(table, names, 3, &scan, err));
    for (;;) {
        bool lost[OG_BATCH_ROWS] = {false};
        OG_TRY(og_graph__column_scan_next(&scan, err));
        if (scan.batch.row_count == 0)
            return OG_OK;
        if (edge->from_type == node->def->index)
            OG_TRY(mark_lost(node, txn, scan.batch.columns[1], lost, err));
        if (edge->to_type == node->def->index)
            OG_TRY(mark_lost(node, txn, scan.batch.columns[2], lost, err));
        for (int64_t row = 0; row < scan.batch.row_count; row++) {
            if (!lost[row])
                continue;
            if (found->count++ < 3)
                og_buf_printf(&found->first_ids, "%s'%.*s'", found->count > 1 ? ", " : "",
                              OG_FMT(og_array_str(scan.batch.columns[0], row)));
        }
    }
}

static og_status check_dangling_of(const og_graph__checks *checks,
                                   const og_graph__type_checks *node, const og_type_def *edge,
                                   og_txn *txn, og_error *err)
{
    bool touches = edge->from_type == node->def->index || edge->to_type == node->def->index;
    if (!touches || og_graph__checks_of(checks, edge)->replaced)
        return OG_OK;
    OG_TRY(og_txn_reads(txn, edge, err));
    dangling found = {0};
    og_status s = count_dangling(node, edge, txn, &found, err);
    if (s == OG_OK && found.count > 0) {
        s = og_error_set(err, OG_INVALID,
                         "replacing %.*s would leave %" PRIu64 " stored %s of %.*s without a node "
                         "(first ids: %s)",
                         OG_FMT(node->def->name), found.count, found.count == 1 ? "edge" : "edges",
                         OG_FMT(edge->name), og_buf_cstr(&found.first_ids));
        og_error_hint(err, "Give the edges of %.*s in the same input, or use merge.",
                      OG_FMT(edge->name));
    }
    og_buf_deinit(&found.first_ids);
    return s;
}

static og_status check_dangling(const og_graph__checks *checks, og_txn *txn, og_error *err)
{
    for (uint32_t i = 0; i < checks->catalog->node_count; i++) {
        og_lance_table *table;
        if (!checks->nodes[i].replaced)
            continue;
        OG_TRY(og_snapshot_table(og_txn_snapshot(txn), checks->nodes[i].def, &table, err));
        if (og_lance_table_row_count(table) == 0)
            continue;
        for (uint32_t k = 0; k < checks->catalog->edge_count; k++)
            OG_TRY(
                check_dangling_of(checks, &checks->nodes[i], &checks->catalog->edges[k], txn, err));
    }
    return OG_OK;
}

/* ---- cardinality -------------------------------------------------------------------------- */

/* Add the stored edges that stay, at touched sources. */
static og_status count_stored(const og_graph__checks *checks, og_graph__type_checks *edge,
                              og_snapshot *snapshot, og_error *err)
{
    const og_graph__type_checks *from = &checks->nodes[edge->def->from_type];
    og_lance_table *table;
    for (size_t i = 0; i < edge->degrees.len; i++)
        edge->degrees.items[i].stored = 0;
    OG_TRY(og_snapshot_table(snapshot, edge->def, &table, err));
    const og_str names[2] = {OG_STR("id"), OG_STR("src")};
    OG_GRAPH__AUTO_SCAN scan = {0};
    OG_TRY(og_graph__column_scan_open(table, names, 2, &scan, err));
    for (;;) {
        OG_TRY(og_graph__column_scan_next(&scan, err));
        if (scan.batch.row_count == 0)
            return OG_OK;
        for (int64_t row = 0; row < scan.batch.row_count; row++) {
            uint64_t *source = og_strmap_get(from->ids, og_array_str(scan.batch.columns[1], row));
            if (source == NULL || *source >= edge->degrees.len ||
                !edge->degrees.items[*source].touched)
                continue;
            og_str id = og_array_str(scan.batch.columns[0], row);
            if (og_graph__id_state(edge, id) == OG_GRAPH__NAMED)
                edge->degrees.items[*source].stored++;
        }
    }
}

static og_status check_degrees(const og_graph__checks *checks, const og_graph__type_checks *edge,
                               og_error *err)
{
    const og_type_def *def = edge->def;
    const og_graph__type_checks *from = &checks->nodes[def->from_type];
    for (size_t i = 0; i < edge->degrees.len; i++) {
        const og_graph__degree *d = &edge->degrees.items[i];
        uint32_t count = d->count + d->stored;
        bool is_above = count > def->card_max, is_below = count < def->card_min;
        if (!d->touched || count == 0 || (!is_above && !is_below))
            continue;
        return og_error_set_at(err, OG_INVALID, d->line, 0,
                               "@card violation on edge %.*s: source '%.*s' has %u edges (%s %u)",
                               OG_FMT(def->name), OG_FMT(id_text(from, (uint32_t)i)), count,
                               is_above ? "max" : "min", is_above ? def->card_max : def->card_min);
    }
    return OG_OK;
}

og_status og_graph__cards_check(const og_graph__checks *checks, og_graph__type_checks *edge,
                                og_snapshot *snapshot, og_error *err)
{
    if (edge->degrees.len == 0)
        return OG_OK;
    if (!edge->replaced)
        OG_TRY(count_stored(checks, edge, snapshot, err));
    return check_degrees(checks, edge, err);
}

og_status og_graph__checks_finish(og_graph__checks *checks, og_txn *txn, og_error *err)
{
    OG_TRY(check_endpoints(checks, txn, err));
    OG_TRY(check_dangling(checks, txn, err));
    for (uint32_t i = 0; i < checks->catalog->node_count; i++)
        OG_TRY(og_graph__uniques_finish(checks, &checks->nodes[i], txn, err));
    for (uint32_t i = 0; i < checks->catalog->edge_count; i++)
        OG_TRY(og_graph__uniques_finish(checks, &checks->edges[i], txn, err));
    for (uint32_t i = 0; i < checks->catalog->edge_count; i++)
        OG_TRY(og_graph__cards_check(checks, &checks->edges[i], og_txn_snapshot(txn), err));
    return OG_OK;
}
