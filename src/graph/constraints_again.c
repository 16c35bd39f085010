/* The checks once more, on a newer snapshot: only rows that differ can have made them wrong. */
#include "graph/constraints_priv.h"

#include "graph/commit.h"
#include "lance/table/delta.h"
#include "lance/table/rebase.h"

/* More changed rows than this are not looked through; the operation is run again. */
#define MAX_CHANGED_ROWS ((size_t)1 << 20)

/* One type whose table moved. */
typedef struct again {
    og_graph__checks *checks;
    og_graph__type_checks *type;
    og_snapshot *now;
    og_lance_table *before, *after;
    bool recount; /* an edge at a touched source came or went */
} again;

static og_status overtaken(const again *a, og_error *err)
{
    return og_graph__stale(err, a->type->def->table_key, og_lance_table_version(a->before),
                           og_lance_table_version(a->after));
}

/* Columns 0.. of the rows (id, of edges src and dst, then `extra`),
 * at most OG_BATCH_ROWS of them. */
static og_status take_rows(const again *a, og_lance_table *table, const uint32_t *slots,
                           size_t count, const og_graph__unique *unique, og_batch *out,
                           og_error *err)
{
    static const og_str ends[] = {{"id", 2}, {"src", 3}, {"dst", 3}};
    const og_type_def *def = a->type->def;
    uint32_t n = def->is_edge ? 3 : 1, extra = unique != NULL ? unique->column_count : 0;
    OG_AUTO_FREE uint32_t *fields = og_calloc((size_t)n + extra, sizeof *fields);
    if (fields == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < n + extra; i++) {
        og_str name = i < n ? ends[i] : def->table_schema->fields[unique->columns[i - n]].name;
        int32_t field = og_lance_table_find_field(table, name);
        if (field < 0)
            return og_error_set(err, OG_CORRUPT, "%s has no column '%.*s'",
                                og_lance_table_path(table), OG_FMT(name));
        fields[i] = (uint32_t)field;
    }
    return og_lance_take(table, fields, n + extra, slots, count, out, err);
}

/* ---- rows that are gone, or were written again ------------------------------------------- */

static bool is_touched(const again *a, og_str src)
{
    const og_graph__type_checks *from = &a->checks->nodes[a->type->def->from_type];
    const uint64_t *at = from->ids != NULL ? og_strmap_get(from->ids, src) : NULL;
    return at != NULL && *at < a->type->degrees.len && a->type->degrees.items[*at].touched;
}

static bool is_known(const og_graph__type_checks *t, og_str id)
{
    return t->ids != NULL && og_strmap_get(t->ids, id) != NULL;
}

/* Nodes that our edges name must still be there. */
static og_status expect_stored(const again *a, const og_str *ids, size_t count, og_error *err)
{
    if (count == 0)
        return OG_OK;
    OG_AUTO_FREE uint32_t *vertices = og_calloc(count, sizeof *vertices);
    if (vertices == NULL)
        return og_error_nomem(err);
    OG_AUTO(og_directory) directory = NULL;
    OG_TRY(og_snapshot_directory(a->now, a->type->def, &directory, NULL, err));
    OG_TRY(og_directory_find(directory, a->after, ids, count, vertices, err));
    for (size_t i = 0; i < count; i++)
        if (vertices[i] == OG_NO_VERTEX)
            return overtaken(a, err);
    return OG_OK;
}

static og_status look_at_gone(again *a, const uint32_t *slots, size_t count, og_error *err)
{
    OG_AUTO_BATCH rows = {0};
    OG_TRY(take_rows(a, a->before, slots, count, NULL, &rows, err));
    OG_AUTO_FREE og_str *named = og_calloc(count, sizeof *named);
    if (named == NULL)
        return og_error_nomem(err);
    size_t named_count = 0;
    for (int64_t row = 0; row < rows.row_count; row++) {
        og_str id = og_array_str(rows.columns[0], row);
        if (a->type->def->is_edge)
            a->recount |= is_touched(a, og_array_str(rows.columns[1], row));
        if (!is_known(a->type, id))
            continue;
        if (og_graph__id_state(a->type, id) != OG_GRAPH__NAMED)
            return overtaken(a, err);
        named[named_count++] = id;
    }
    return expect_stored(a, named, named_count, err);
}

/* ---- rows that are new -------------------------------------------------------------------- */

static bool is_removed(const again *a, uint32_t node_type, og_str id)
{
    const og_graph__type_checks *t = &a->checks->nodes[node_type];
    uint32_t state = og_graph__id_state(t, id);
    return t->replaced ? state < OG_GRAPH__FIRST_WRITTEN : state == OG_GRAPH__REMOVED;
}

static og_status look_at_fresh(again *a, const uint32_t *slots, size_t count, og_error *err)
{
    const og_type_def *def = a->type->def;
    OG_AUTO_BATCH rows = {0};
    OG_TRY(take_rows(a, a->after, slots, count, NULL, &rows, err));
    for (int64_t row = 0; row < rows.row_count; row++) {
        og_str id = og_array_str(rows.columns[0], row);
        if (og_graph__id_state(a->type, id) != OG_GRAPH__NAMED)
            return overtaken(a, err);
        if (!def->is_edge)
            continue;
        /* An edge to a node that we remove: it would have to go, too. */
        if (is_removed(a, def->from_type, og_array_str(rows.columns[1], row)) ||
            is_removed(a, def->to_type, og_array_str(rows.columns[2], row)))
            return overtaken(a, err);
        a->recount |= is_touched(a, og_array_str(rows.columns[1], row));
    }
    return OG_OK;
}

static og_status look_for_tuples(again *a, const uint32_t *slots, size_t count, og_error *err)
{
    for (uint32_t i = 0; i < a->type->def->unique_count; i++) {
        const og_graph__unique *u = &a->type->uniques[i];
        if (u->tuples == NULL || og_strmap_len(u->tuples) == 0)
            continue;
        OG_AUTO_BATCH rows = {0};
        OG_TRY(take_rows(a, a->after, slots, count, u, &rows, err));
        uint32_t first = a->type->def->is_edge ? 3 : 1;
        OG_TRY(og_graph__uniques_probe(a->checks, a->type, u, rows.columns[0],
                                       (const og_array *const *)rows.columns + first, err));
    }
    return OG_OK;
}

/* ---- one table ---------------------------------------------------------------------------- */

typedef og_status (*look_fn)(again *a, const uint32_t *slots, size_t count, og_error *err);

static og_status in_parts(again *a, look_fn look, const uint32_t *slots, size_t count,
                          og_error *err)
{
    for (size_t at = 0; at < count; at += OG_BATCH_ROWS) {
        size_t n = count - at < OG_BATCH_ROWS ? count - at : OG_BATCH_ROWS;
        OG_TRY(look(a, slots + at, n, err));
    }
    return OG_OK;
}

static og_status look_at_delta(again *a, og_error *err)
{
    og_lance_verdict verdict;
    OG_AUTO_DELTA delta = {0};
    OG_TRY(og_lance_succession(a->before, a->after, &verdict, err));
    if (verdict != OG_LANCE_FITS)
        return overtaken(a, err);
    OG_TRY(og_lance_delta_find(a->before, a->after, OG_LANCE_ONE_LINEAGE, &delta, err));
    if (delta.reason != OG_LANCE_DELTA_EXACT || delta.from_count > MAX_CHANGED_ROWS ||
        delta.to_count > MAX_CHANGED_ROWS)
        return overtaken(a, err);
    if (a->type->replaced) /* by an operation that was not told of other rows than it saw */
        return delta.from_count + delta.to_count > 0 ? overtaken(a, err) : OG_OK;
    OG_TRY(in_parts(a, look_at_gone, delta.from_slots, delta.from_count, err));
    OG_TRY(in_parts(a, look_at_fresh, delta.to_slots, delta.to_count, err));
    OG_TRY(in_parts(a, look_for_tuples, delta.to_slots, delta.to_count, err));
    return a->recount ? og_graph__cards_check(a->checks, a->type, a->now, err) : OG_OK;
}

/* Can a change of this table touch what the operation decided? */
static bool matters(const og_graph__checks *checks, const og_graph__type_checks *t)
{
    if (t->ids != NULL || t->replaced || t->degrees.len > 0)
        return true;
    for (uint32_t i = 0; i < t->def->unique_count; i++)
        if (t->uniques[i].tuples != NULL)
            return true;
    return t->def->is_edge &&
           (checks->nodes[t->def->from_type].ids != NULL ||
            checks->nodes[t->def->to_type].ids != NULL ||
            checks->nodes[t->def->from_type].replaced || checks->nodes[t->def->to_type].replaced);
}

static og_status check_types(og_graph__checks *checks, og_graph__type_checks *types, uint32_t count,
                             og_snapshot *was, og_snapshot *now, og_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        again a = {.checks = checks, .type = &types[i], .now = now};
        if (!matters(checks, a.type))
            continue;
        OG_TRY(og_snapshot_table(was, a.type->def, &a.before, err));
        OG_TRY(og_snapshot_table(now, a.type->def, &a.after, err));
        if (a.before == a.after ||
            (og_lance_table_version(a.before) == og_lance_table_version(a.after) &&
             strcmp(og_lance_table_path(a.before), og_lance_table_path(a.after)) == 0))
            continue;
        OG_TRY(look_at_delta(&a, err));
    }
    return OG_OK;
}

og_status og_graph__checks_again(og_graph__checks *checks, og_snapshot *was, og_snapshot *now,
                                 og_error *err)
{
    OG_TRY(check_types(checks, checks->nodes, checks->catalog->node_count, was, now, err));
    return check_types(checks, checks->edges, checks->catalog->edge_count, was, now, err);
}
