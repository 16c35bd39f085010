#include "graph/mutate.h"

#include <stdlib.h>

#include "base/vec.h"
#include "graph/ahead.h"
#include "graph/commit.h"
#include "graph/constraints.h"
#include "graph/overlay.h"
#include "graph/rowset.h"
#include "lang/frame.h"
#include "lang/query.h"

/* Heads that must be resolved may renew the snapshot, others may commit first; then all statements
 * run again. */
#define MAX_ATTEMPTS 8

/* One run of all statements over one snapshot. */
typedef struct run {
    og_repo *repo;
    const og_mutate_input *input;
    const og_catalog *catalog;
    bool is_repeat;
    og_txn *txn;
    og_snapshot *snapshot;
    og_arena *arena;       /* literals and texts of this run */
    og_overlay **overlays; /* nodes, then edges; NULL until touched */
    og_graph__checks *checks;
    OG_VEC(const og_type_def *) searched; /* by `where`: another row may match once they change */
    bool *has_deleted;                    /* node types of which rows were deleted */
    og_lenient_counts lenient;
    uint64_t affected_nodes, affected_edges;
} run;

static size_t table_count(const run *r)
{
    return (size_t)r->catalog->node_count + r->catalog->edge_count;
}

static void run_deinit(run *r)
{
    og_store_expect_no_more(r->repo->store);
    for (size_t i = 0; r->overlays != NULL && i < table_count(r); i++)
        og_overlay_free(r->overlays[i]);
    og_free(r->overlays);
    og_vec_deinit(&r->searched);
    og_free(r->has_deleted);
    og_graph__checks_free(r->checks);
    og_txn_free(r->txn);
    og_snapshot_unref(r->snapshot);
    og_arena_free(r->arena);
}

static og_status overlay_of(run *r, const og_type_def *def, og_overlay **out, og_error *err)
{
    og_overlay **place =
        &r->overlays[def->is_edge ? r->catalog->node_count + def->index : def->index];
    if (*place == NULL)
        OG_TRY(og_overlay_new(r->snapshot, def, place, err));
    *out = *place;
    return OG_OK;
}

/* Between statements, parts of an update and before the commit: did the caller or the time say
 * stop? */
static og_status check_stop(const run *r, og_error *err)
{
    const og_mutate_input *in = r->input;
    if (in->cancel != NULL && __atomic_load_n(in->cancel, __ATOMIC_RELAXED) != 0)
        return og_error_set(err, OG_CANCELLED, "the mutation was cancelled");
    if (in->deadline_ns != 0 && og_monotonic_ns() > in->deadline_ns)
        return og_error_set(err, OG_TIMEOUT, "the mutation ran out of time");
    return OG_OK;
}

/* ---- values ------------------------------------------------------------------------------- */

static og_status evaluate(run *r, const og_ir_expr *expr, og_literal *out, og_error *err)
{
    switch (expr->kind) {
    case OG_EXPR_LITERAL:
        *out = expr->literal;
        return OG_OK;
    case OG_EXPR_PARAM:
        *out = r->input->params[expr->param];
        return OG_OK;
    case OG_EXPR_NOW:
        *out = (og_literal){.kind = OG_LIT_DATETIME, .integer = r->input->now_ms};
        return OG_OK;
    default:
        return og_error_set(err, OG_INVALID, "unsupported expression in mutation");
    }
}

static const og_prop_type text_type = {.scalar = OG_SCALAR_STRING};

/* The value of an assignment or predicate, as its property's type (text for id, src and dst). */
static og_status evaluate_as(run *r, const og_type_def *def, int32_t property, og_str name,
                             const og_ir_expr *expr, og_literal **out, og_error *err)
{
    og_literal raw;
    OG_TRY(evaluate(r, expr, &raw, err));
    og_literal *value = og_arena_new_of(r->arena, og_literal);
    if (value == NULL)
        return og_error_nomem(err);
    *value = raw;
    *out = value;
    /* now() has no text to convert: it is an instant already. */
    if (expr->kind == OG_EXPR_NOW || raw.kind == OG_LIT_NULL)
        return OG_OK;
    const og_prop_type *type = property >= 0 ? &def->properties[property].type : &text_type;
    /* A key stays as it was given: the id is its text. */
    bool lenient = r->input->lenient && property >= 0 && property != def->key_property;
    og_status s = og_literal_coerce(type, &raw, name, lenient, r->arena, value, err);
    if (s == OG_INVALID)
        og_error_place(err, r->input->query->source, expr->span);
    return s;
}

/* The value of a predicate: of the property's type, or of its items for `contains`; a comparison of
 * a number keeps the number as written. */
static og_status predicate_value(run *r, const og_ir_mutation *m, og_literal **out, og_error *err)
{
    const og_ir_predicate *p = &m->predicate;
    og_literal raw;
    OG_TRY(evaluate(r, &p->value, &raw, err));
    bool is_number = raw.kind == OG_LIT_INTEGER || raw.kind == OG_LIT_FLOAT;
    bool is_list = p->property >= 0 && m->def->properties[p->property].type.list;
    if (!is_number && !is_list)
        return evaluate_as(r, m->def, p->property, p->name, &p->value, out, err);
    *out = og_arena_copy(r->arena, &raw, sizeof raw);
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

static og_status find(run *r, const og_ir_mutation *m, og_overlay_rows *out, og_error *err)
{
    og_overlay *overlay;
    og_literal *value;
    const og_ir_predicate *p = &m->predicate;
    OG_TRY(overlay_of(r, m->def, &overlay, err));
    OG_TRY(predicate_value(r, m, &value, err));
    og_str column = p->is_from ? OG_STR("src") : p->is_to ? OG_STR("dst") : p->name;
    OG_TRY(og_txn_reads(r->txn, m->def, err));
    if (!og_vec_push(&r->searched, m->def))
        return og_error_nomem(err);
    return og_overlay_find(overlay, p->property, column, p->op, value, out, err);
}

/* ---- insert ------------------------------------------------------------------------------- */

static og_status fresh_id(run *r, og_str *out, og_error *err)
{
    og_ulid id = og_repo_new_ulid(r->repo);
    *out = og_arena_str(r->arena, og_str_of(id.text));
    return out->ptr != NULL ? OG_OK : og_error_nomem(err);
}

/* Assigned values by property, and the ends of an edge. */
static og_status assign(run *r, const og_ir_mutation *m, og_graph__value *values,
                        og_graph__row *row, og_error *err)
{
    for (uint32_t i = 0; i < m->assignment_count; i++) {
        const og_ir_assignment *a = &m->assignments[i];
        og_literal *value;
        OG_TRY(evaluate_as(r, m->def, a->property, a->name, &a->value, &value, err));
        if (a->property >= 0)
            values[a->property] = (og_graph__value){.kind = OG_GRAPH__LITERAL, .literal = value};
        else if (value->kind != OG_LIT_STRING)
            return og_error_set(err, OG_INVALID, "edge endpoint '%.*s' must be a String",
                                OG_FMT(a->name));
        else if (a->is_from)
            row->src = value->text;
        else
            row->dst = value->text;
    }
    return OG_OK;
}

static og_status name_row(run *r, const og_type_def *def, const og_graph__value *values,
                          og_graph__row *row, og_error *err)
{
    if (def->is_edge) {
        if (row->src.ptr == NULL || row->dst.ptr == NULL)
            return og_error_set(err, OG_INVALID, "missing required edge endpoint '%s'",
                                row->src.ptr == NULL ? "from" : "to");
        return fresh_id(r, &row->id, err);
    }
    if (def->key_property < 0)
        return fresh_id(r, &row->id, err);
    OG_AUTO_BUF scratch = OG_BUF_INIT;
    og_str id;
    OG_TRY(og_graph__key_id(def, &values[def->key_property], &scratch, &id, err));
    row->id = og_arena_str(r->arena, id);
    return row->id.ptr != NULL ? OG_OK : og_error_nomem(err);
}

/* A node that this mutation deleted may come back. Edges that others put to it meanwhile are to go
 * all the same, and no check would miss them: with edge tables that have moved all statements run
 * again. */
static og_status search_edges_of(run *r, const og_type_def *node, og_error *err)
{
    for (uint32_t i = 0; i < r->catalog->edge_count; i++) {
        const og_type_def *edge = &r->catalog->edges[i];
        bool touches = edge->from_type == node->index || edge->to_type == node->index;
        if (touches && !og_vec_push(&r->searched, edge))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static og_status insert(run *r, const og_ir_mutation *m, og_error *err)
{
    const og_type_def *def = m->def;
    og_graph__value *values = og_arena_array_of(r->arena, og_graph__value, def->property_count + 1);
    if (values == NULL)
        return og_error_nomem(err);
    og_graph__row row = {.values = values};
    OG_TRY(assign(r, m, values, &row, err));
    OG_TRY(name_row(r, def, values, &row, err));

    OG_AUTO(og_graph__rowset) rows = NULL;
    og_overlay *overlay;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_graph__rowset_new(def, r->input->lenient ? &r->lenient : NULL, &rows, err));
    OG_TRY(og_graph__rowset_append(rows, &row, err));
    OG_TRY(og_graph__rowset_finish(rows, &batch, err));
    OG_TRY(overlay_of(r, def, &overlay, err));
    OG_TRY(og_overlay_put(overlay, &batch, err));
    if (!def->is_edge && r->has_deleted[def->index])
        OG_TRY(search_edges_of(r, def, err));
    *(def->is_edge ? &r->affected_edges : &r->affected_nodes) += 1;
    return OG_OK;
}

/* ---- update ------------------------------------------------------------------------------- */

/* Rows [start, start + count) of a set, as a set that borrows. */
static og_overlay_rows part_of(const og_overlay_rows *rows, size_t start, size_t count)
{
    og_overlay_rows part = {0};
    size_t slots = start < rows->slot_count ? rows->slot_count - start : 0;
    part.slot_count = slots < count ? slots : count;
    part.slots = rows->slots + (start < rows->slot_count ? start : 0);
    size_t first_pending = start > rows->slot_count ? start - rows->slot_count : 0;
    part.pending = rows->pending + first_pending;
    part.pending_count = count - part.slot_count;
    return part;
}

static og_status update_part(run *r, og_overlay *overlay, const og_overlay_rows *part,
                             const og_graph__value *values, og_graph__rowset *rows, og_error *err)
{
    OG_AUTO_BATCH old = {0};
    OG_AUTO_BATCH fresh = {0};
    OG_TRY(check_stop(r, err));
    OG_TRY(og_overlay_read(overlay, part, NULL, 0, &old, err));
    for (int64_t i = 0; i < old.row_count; i++) {
        og_graph__row row = {
            .id = og_array_str(old.columns[0], i), .values = values, .old = &old, .old_row = i};
        OG_TRY(og_graph__rowset_append(rows, &row, err));
    }
    OG_TRY(og_graph__rowset_finish(rows, &fresh, err));
    return og_overlay_put(overlay, &fresh, err);
}

static og_status update_rows(run *r, const og_ir_mutation *m, const og_overlay_rows *matched,
                             og_error *err)
{
    const og_type_def *def = m->def;
    og_graph__value *values = og_arena_array_of(r->arena, og_graph__value, def->property_count + 1);
    if (values == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < def->property_count; i++)
        values[i].kind = OG_GRAPH__KEEP;
    og_graph__row ends = {0};
    OG_TRY(assign(r, m, values, &ends, err));

    og_overlay *overlay;
    OG_AUTO(og_graph__rowset) rows = NULL;
    OG_TRY(overlay_of(r, def, &overlay, err));
    OG_TRY(og_graph__rowset_new(def, r->input->lenient ? &r->lenient : NULL, &rows, err));
    size_t count = og_overlay_rows_count(matched);
    for (size_t start = 0; start < count; start += OG_BATCH_ROWS) {
        size_t n = count - start < OG_BATCH_ROWS ? count - start : OG_BATCH_ROWS;
        og_overlay_rows part = part_of(matched, start, n);
        OG_TRY(update_part(r, overlay, &part, values, rows, err));
    }
    r->affected_nodes += count;
    return OG_OK;
}

/* The key is what a row is: edges name it. */
static og_status check_keeps_key(const run *r, const og_ir_mutation *m, og_error *err)
{
    const og_ir_assignment *a = m->assignments, *end = a + m->assignment_count;
    while (a < end && (a->property < 0 || a->property != m->def->key_property))
        a++;
    if (a == end)
        return OG_OK;
    og_error_set(err, OG_INVALID,
                 "cannot update @key property '%.*s' \xe2\x80\x94 delete and re-insert instead",
                 OG_FMT(a->name));
    og_error_place(err, r->input->query->source, a->span);
    return OG_INVALID;
}

static og_status update(run *r, const og_ir_mutation *m, og_error *err)
{
    OG_TRY(check_keeps_key(r, m, err));
    og_overlay_rows matched = {0};
    og_status s = find(r, m, &matched, err);
    if (s == OG_OK && og_overlay_rows_count(&matched) > 0)
        s = update_rows(r, m, &matched, err);
    og_overlay_rows_deinit(&matched);
    return s;
}

/* ---- delete ------------------------------------------------------------------------------- */

/* Edges at one end of deleted nodes go with them. */
static og_status cascade_end(run *r, og_overlay *edges, bool at_src, const og_str *ids,
                             size_t id_count, og_error *err)
{
    og_overlay_rows rows = {0};
    OG_TRY(og_overlay_find_ends(edges, at_src, ids, id_count, &rows, err));
    og_status s = og_overlay_delete(edges, &rows, err);
    r->affected_edges += og_overlay_rows_count(&rows);
    og_overlay_rows_deinit(&rows);
    return s;
}

static og_status cascade(run *r, const og_type_def *node, const og_str *ids, size_t id_count,
                         og_error *err)
{
    for (uint32_t i = 0; i < r->catalog->edge_count; i++) {
        const og_type_def *edge = &r->catalog->edges[i];
        bool is_from = edge->from_type == node->index, is_to = edge->to_type == node->index;
        if (!is_from && !is_to)
            continue;
        og_overlay *overlay;
        OG_TRY(overlay_of(r, edge, &overlay, err));
        OG_TRY(og_txn_reads(r->txn, edge, err));
        if (is_from)
            OG_TRY(cascade_end(r, overlay, true, ids, id_count, err));
        if (is_to)
            OG_TRY(cascade_end(r, overlay, false, ids, id_count, err));
    }
    return OG_OK;
}

static og_status delete_rows(run *r, const og_ir_mutation *m, const og_overlay_rows *matched,
                             og_error *err)
{
    og_overlay *overlay;
    OG_TRY(overlay_of(r, m->def, &overlay, err));
    size_t count = og_overlay_rows_count(matched);
    if (m->def->is_edge) {
        r->affected_edges += count;
        return og_overlay_delete(overlay, matched, err);
    }
    static const uint32_t id_column[] = {0};
    OG_AUTO_BATCH ids = {0};
    OG_AUTO_FREE og_str *texts = og_reallocarray(NULL, count, sizeof *texts);
    if (texts == NULL)
        return og_error_nomem(err);
    OG_TRY(og_overlay_read(overlay, matched, id_column, 1, &ids, err));
    for (size_t i = 0; i < count; i++)
        texts[i] = og_array_str(ids.columns[0], (int64_t)i);
    OG_TRY(og_overlay_delete(overlay, matched, err));
    r->affected_nodes += count;
    r->has_deleted[m->def->index] = true;
    return cascade(r, m->def, texts, count, err);
}

static og_status delete_matching(run *r, const og_ir_mutation *m, og_error *err)
{
    og_overlay_rows matched = {0};
    og_status s = find(r, m, &matched, err);
    if (s == OG_OK && og_overlay_rows_count(&matched) > 0)
        s = delete_rows(r, m, &matched, err);
    og_overlay_rows_deinit(&matched);
    return s;
}

/* ---- the end: constraints, writes, commit ------------------------------------------------- */

/* Tell the checks of stored rows that are gone or replaced. */
static og_status check_shadowed(run *r, og_overlay *overlay, og_error *err)
{
    const og_type_def *def = og_overlay_def(overlay);
    og_overlay_rows gone = {0};
    gone.slots = (uint32_t *)og_overlay_shadowed(overlay, &gone.slot_count);
    static const uint32_t columns[] = {0, 1};
    if (gone.slot_count == 0 || !og_graph__checks_asks_removed(def))
        return OG_OK;
    OG_AUTO_BATCH rows = {0};
    OG_TRY(og_overlay_read(overlay, &gone, columns, def->is_edge ? 2 : 1, &rows, err));
    for (int64_t i = 0; i < rows.row_count; i++) {
        og_str id = og_array_str(rows.columns[0], i);
        if (!og_graph__checks_has_written(r->checks, def, id))
            OG_TRY(og_graph__checks_remove(r->checks, def, id, err));
        if (def->is_edge)
            OG_TRY(og_graph__checks_lost(r->checks, def, og_array_str(rows.columns[1], i), err));
    }
    return OG_OK;
}

static og_status check_written(run *r, og_overlay *overlay, og_error *err)
{
    const og_type_def *def = og_overlay_def(overlay);
    og_overlay_rows changes = {0};
    OG_TRY(og_overlay_changes(overlay, &changes, err));
    OG_AUTO_BATCH rows = {0};
    og_status s =
        changes.pending_count > 0 ? og_overlay_read(overlay, &changes, NULL, 0, &rows, err) : OG_OK;
    og_overlay_rows_deinit(&changes);
    OG_TRY(s);
    for (int64_t i = 0; i < rows.row_count; i++) {
        /* A node without a key may be an update of a stored one, which edges refer to. */
        og_graph__written written = {.def = def,
                                     .id = og_array_str(rows.columns[0], i),
                                     .id_is_new = def->is_edge,
                                     .row = (uint32_t)i};
        if (def->is_edge) {
            written.src = og_array_str(rows.columns[1], i);
            written.dst = og_array_str(rows.columns[2], i);
        }
        OG_TRY(og_graph__checks_write(r->checks, &written, err));
    }
    return rows.row_count > 0 ? og_graph__checks_values(r->checks, def, &rows, 0, NULL, err)
                              : OG_OK;
}

static og_status apply(run *r, og_error *err)
{
    for (size_t i = 0; i < table_count(r); i++)
        if (r->overlays[i] != NULL && og_overlay_is_changed(r->overlays[i]))
            OG_TRY(check_written(r, r->overlays[i], err));
    for (size_t i = 0; i < table_count(r); i++) {
        if (r->overlays[i] == NULL || !og_overlay_is_changed(r->overlays[i]))
            continue;
        OG_TRY(check_shadowed(r, r->overlays[i], err));
        OG_TRY(og_overlay_apply(r->overlays[i], r->txn, err));
    }
    return OG_OK;
}

/* May the writes go behind another's commit as they are? (Else all statements run again.) */
static og_status holds(void *context, og_snapshot *was, og_snapshot *now, og_error *err)
{
    const run *r = context;
    for (size_t i = 0; i < r->searched.len; i++) {
        og_lance_table *before, *after;
        OG_TRY(og_snapshot_table(was, r->searched.items[i], &before, err));
        OG_TRY(og_snapshot_table(now, r->searched.items[i], &after, err));
        uint64_t expected = og_lance_table_version(before), actual = og_lance_table_version(after);
        if (expected != actual)
            return og_graph__stale(err, r->searched.items[i]->table_key, expected, actual);
    }
    return og_graph__checks_again(r->checks, was, now, err);
}

/* Begin, and resolve the heads of tables that statements name before anything is read. */
static og_status begin(run *r, og_error *err)
{
    const og_txn_options options = {.branch = r->input->branch,
                                    .actor = r->input->actor,
                                    .kind = "Mutation",
                                    .in_turn = r->is_repeat};
    const og_ir_query *q = r->input->query;
    OG_AUTO_FREE const og_type_def **defs = og_calloc(q->mutation_count, sizeof *defs);
    if (defs == NULL)
        return og_error_nomem(err);
    size_t count = 0;
    for (uint32_t i = 0; i < q->mutation_count; i++) {
        size_t at = 0;
        while (at < count && defs[at] != q->mutations[i].def)
            at++;
        defs[at] = q->mutations[i].def;
        count += at == count;
    }
    uint64_t known = og_graph__expect_txn(r->repo, r->input->branch, defs, count);
    OG_TRY(og_txn_begin(r->repo, &options, &r->txn, err));
    if (og_txn_snapshot(r->txn)->manifest_version != known)
        og_graph__expect_moved(r->repo, og_txn_snapshot(r->txn), defs, count);
    og_txn_on_move(r->txn, holds, r);
    return og_txn_prepare(r->txn, defs, count, err);
}

static og_status run_statements(run *r, og_error *err)
{
    const og_ir_query *q = r->input->query;
    OG_TRY(begin(r, err));
    r->snapshot = og_snapshot_ref(og_txn_snapshot(r->txn));
    r->arena = og_arena_new(0);
    r->overlays = og_calloc(table_count(r), sizeof *r->overlays);
    r->has_deleted = og_calloc((size_t)r->catalog->node_count + 1, sizeof *r->has_deleted);
    if (r->arena == NULL || r->overlays == NULL || r->has_deleted == NULL)
        return og_error_nomem(err);
    OG_TRY(og_graph__checks_new(r->catalog, &r->checks, err));
    for (uint32_t i = 0; i < q->mutation_count; i++) {
        const og_ir_mutation *m = &q->mutations[i];
        OG_TRY(check_stop(r, err));
        OG_TRY(m->kind == OG_MUT_INSERT   ? insert(r, m, err)
               : m->kind == OG_MUT_UPDATE ? update(r, m, err)
                                          : delete_matching(r, m, err));
    }
    return OG_OK;
}

/* One attempt. *out_again: a head was resolved after rows had been read; nothing is lost, run
 * again. */
static og_status attempt(run *r, og_mutate_output *out, bool *out_again, og_error *err)
{
    *out_again = false;
    OG_TRY(run_statements(r, err));
    *out = (og_mutate_output){.affected_nodes = r->affected_nodes,
                              .affected_edges = r->affected_edges,
                              .lenient = r->lenient};
    if (r->affected_nodes + r->affected_edges == 0)
        return OG_OK;
    og_status s = apply(r, err);
    /* Whatever came of it: rows that were found stand elsewhere in the version that is built on
     * now. */
    *out_again = og_txn_snapshot(r->txn)->manifest_version != r->snapshot->manifest_version;
    if (*out_again || s != OG_OK)
        return *out_again ? OG_OK : s;
    OG_TRY(og_graph__checks_finish(r->checks, r->txn, err));
    OG_TRY(check_stop(r, err));
    OG_TRY(og_txn_commit(r->txn, &out->commit, err));
    out->committed = true;
    return OG_OK;
}

og_status og_mutate_run(og_repo *repo, const og_mutate_input *input, og_mutate_output *out,
                        og_error *err)
{
    const og_ir_query *q = input->query;
    if (q->refused.len > 0 && !input->lenient) {
        og_error_set(err, OG_INVALID, "%.*s", OG_FMT(q->refused));
        og_error_place(err, q->source, q->refused_span);
        return OG_INVALID;
    }
    for (int i = 0; i < MAX_ATTEMPTS; i++) {
        bool again;
        run r = {
            .repo = repo, .input = input, .catalog = og_repo_catalog(repo), .is_repeat = i > 0};
        og_status s = attempt(&r, out, &again, err);
        if (r.snapshot != NULL)
            s = og_repo_read_outcome(r.snapshot, s, err);
        run_deinit(&r);
        bool is_last = i + 1 == MAX_ATTEMPTS;
        if (s == OG_CONFLICT ? is_last : s != OG_OK || !again)
            return s;
    }
    og_error_set(err, OG_CONFLICT, "tables of this mutation are being written by others");
    return og_graph__retryable(err);
}
