/* Differences between two states of a graph, row by row. */
#include "api/diff_priv.h"

#include "base/id.h"
#include "base/vec.h"

#define BATCH_ROWS ((size_t)512)
#define BLOB_BATCH_ROWS ((size_t)16) /* payloads are in memory, twice */

/* ---- opening ------------------------------------------------------------------------------ */

static og_status open_target(og_session *session, const char *text, og_snapshot **out,
                             og_error *err)
{
    if (text == NULL)
        return og_api__snapshot(session, out, err);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_target target;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_target_parse(arena, text, session->branch, &target, err));
    return og_repo_snapshot_at(session->graph->repo, &target, out, err);
}

static og_status check_types(const og_catalog *catalog, const og_diff_options *options,
                             og_error *err)
{
    for (size_t i = 0; i < options->type_count; i++) {
        og_str name = og_str_of(options->type_names[i]);
        bool known = og_catalog_node(catalog, name) != NULL;
        for (uint32_t k = 0; !known && k < catalog->edge_count; k++)
            known = og_str_eq(catalog->edges[k].name, name);
        if (known)
            continue;
        og_error_set(err, OG_INVALID, "unknown type '%.*s'", OG_FMT(name));
        og_str near = og_catalog_nearest_node(catalog, name);
        if (near.len == 0)
            near = og_catalog_nearest_edge(catalog, name);
        if (near.len > 0)
            og_error_hint(err, "Did you mean '%.*s'?", OG_FMT(near));
        else
            og_error_hint(err, "Show the types with: omnigraph schema show --uri GRAPH");
        return OG_INVALID;
    }
    return OG_OK;
}

og_status og_api__diff_open(og_session *session, const char *from, const char *to,
                            const og_diff_options *options, og_api__diff *out, og_error *err)
{
    __atomic_store_n(&session->cancelled, 0, __ATOMIC_RELAXED);
    OG_AUTO(og_snapshot) a = NULL;
    OG_AUTO(og_snapshot) b = NULL;
    OG_TRY(check_types(og_repo_catalog(session->graph->repo), options, err));
    OG_TRY(open_target(session, from, &a, err));
    OG_TRY(open_target(session, to, &b, err));
    *out = (og_api__diff){.session = session,
                          .from = OG_TAKE(a),
                          .to = OG_TAKE(b),
                          .options = options,
                          .deadline_ns = og_api__deadline(session)};
    return OG_OK;
}

void og_api__diff_close(og_api__diff *diff)
{
    og_snapshot_unref(diff->from);
    og_snapshot_unref(diff->to);
}

static og_status check_time(const og_api__diff *diff, og_error *err)
{
    if (__atomic_load_n(&diff->session->cancelled, __ATOMIC_RELAXED) != 0)
        return og_error_set(err, OG_CANCELLED, "the diff was cancelled");
    if (diff->deadline_ns != 0 && og_monotonic_ns() > diff->deadline_ns)
        return og_error_set(err, OG_TIMEOUT, "the diff ran out of time");
    return OG_OK;
}

/* ---- values ------------------------------------------------------------------------------- */

bool og_api__column_is_blob(const og_type_def *def, uint32_t column)
{
    uint32_t first = og_type_def_first_property(def);
    return column >= first && def->properties[column - first].type.scalar == OG_SCALAR_BLOB;
}

static void write_blob(og_buf *out, const og_array *blob, int64_t row)
{
    const og_array *data = blob->children[0], *uri = blob->children[1];
    if (!og_array_is_null(data, row)) {
        og_str bytes = og_array_str(data, row);
        og_buf_text(out, "\"base64:");
        og_base64_encode(out, (og_bytes){(const uint8_t *)bytes.ptr, bytes.len});
        og_buf_byte(out, '"');
    } else if (!og_array_is_null(uri, row)) {
        og_json_write_str(out, og_array_str(uri, row));
    } else {
        og_buf_text(out, "null");
    }
}

void og_api__diff_write_value(og_buf *out, const og_api__diff_row *row,
                              const og_api__diff_image *image, uint32_t column)
{
    const og_array *values = image->columns[column];
    if (og_api__column_is_blob(row->def, column) && !og_array_is_null(values, image->row))
        write_blob(out, values, image->row);
    else
        og_api__write_json(out, values, image->row, -1);
}

void og_api__diff_write_image(og_buf *out, const og_api__diff_row *row,
                              const og_api__diff_image *image)
{
    og_buf_byte(out, '{');
    for (uint32_t i = 1; i < row->def->table_schema->field_count; i++) {
        og_buf_text(out, i > 1 ? "," : "");
        og_json_write_str(out, row->def->table_schema->fields[i].name);
        og_buf_byte(out, ':');
        og_api__diff_write_value(out, row, image, i);
    }
    og_buf_byte(out, '}');
}

/* ---- rows --------------------------------------------------------------------------------- */

/* Rows of one side that are in memory. */
typedef struct images {
    uint32_t slots[BATCH_ROWS];
    size_t count;
    og_batch values;
} images;

static og_status load_blobs(const og_type_def *def, og_lance_table *table, images *m, og_error *err)
{
    for (uint32_t i = 0; i < m->values.column_count; i++) {
        int32_t field = og_lance_table_find_field(table, def->table_schema->fields[i].name);
        if (!og_api__column_is_blob(def, i) || field < 0)
            continue;
        og_array *payload;
        OG_TRY(og_lance_blob_materialize(table, (uint32_t)field, m->slots, m->values.columns[i],
                                         &payload, err));
        og_array_unref(m->values.columns[i]);
        m->values.columns[i] = payload;
    }
    return OG_OK;
}

static og_status load_images(const og_type_def *def, og_lance_table *table, images *m,
                             og_error *err)
{
    if (m->count == 0)
        return OG_OK;
    OG_TRY(og_type_rows_read(def, table, m->slots, m->count, &m->values, err));
    return load_blobs(def, table, m, err);
}

static og_status show_rows(const og_table_changes *changes, size_t start, size_t end,
                           const images *from, const images *to, const og_api__diff_visitor *v,
                           og_error *err)
{
    int64_t from_row = 0, to_row = 0;
    for (size_t i = start; i < end; i++) {
        const og_row_change *change = &changes->rows[i];
        og_api__diff_row row = {.def = changes->def, .change = change};
        if (change->from_slot != OG_NO_SLOT)
            row.before = (og_api__diff_image){from->values.columns, from_row++};
        if (change->to_slot != OG_NO_SLOT)
            row.after = (og_api__diff_image){to->values.columns, to_row++};
        OG_TRY(v->row(v->context, &row, err));
    }
    return OG_OK;
}

static og_status visit_batch(const og_table_changes *changes, size_t start, size_t end,
                             images *both, const og_api__diff_visitor *v, og_error *err)
{
    images *from = &both[0], *to = &both[1];
    from->count = to->count = 0;
    for (size_t i = start; i < end; i++) {
        if (changes->rows[i].from_slot != OG_NO_SLOT)
            from->slots[from->count++] = changes->rows[i].from_slot;
        if (changes->rows[i].to_slot != OG_NO_SLOT)
            to->slots[to->count++] = changes->rows[i].to_slot;
    }
    og_status status = load_images(changes->def, changes->from, from, err);
    if (status == OG_OK)
        status = load_images(changes->def, changes->to, to, err);
    if (status == OG_OK)
        status = show_rows(changes, start, end, from, to, v, err);
    og_batch_deinit(&from->values);
    og_batch_deinit(&to->values);
    return status;
}

static og_status visit_rows(const og_api__diff *diff, const og_table_changes *changes,
                            const og_api__diff_visitor *v, og_error *err)
{
    size_t step = BATCH_ROWS;
    for (uint32_t i = 0; i < changes->def->table_schema->field_count; i++)
        step = og_api__column_is_blob(changes->def, i) ? BLOB_BATCH_ROWS : step;
    OG_AUTO_FREE images *both = og_calloc(2, sizeof *both);
    if (both == NULL)
        return og_error_nomem(err);
    for (size_t start = 0; start < changes->row_count; start += step) {
        size_t end = changes->row_count - start < step ? changes->row_count : start + step;
        OG_TRY(check_time(diff, err));
        OG_TRY(visit_batch(changes, start, end, both, v, err));
    }
    return OG_OK;
}

/* ---- tables ------------------------------------------------------------------------------- */

/* Leave only the operations that are asked for. */
static void filter_rows(og_table_changes *changes, uint32_t ops, og_api__diff_counts *out)
{
    size_t kept = 0;
    for (size_t i = 0; i < changes->row_count; i++) {
        og_row_change *change = &changes->rows[i];
        if (ops != 0 && (ops & (uint32_t)change->kind) == 0)
            continue;
        out->inserts += change->kind == OG_CHANGED_INSERT;
        out->updates += change->kind == OG_CHANGED_UPDATE;
        out->deletes += change->kind == OG_CHANGED_DELETE;
        changes->rows[kept++] = *change;
    }
    changes->row_count = kept;
}

static bool is_selected(const og_diff_options *options, const og_type_def *def)
{
    uint32_t kind = def->is_edge ? OG_DIFF_EDGES : OG_DIFF_NODES;
    if (options->kinds != 0 && (options->kinds & kind) == 0)
        return false;
    bool selected = options->type_count == 0;
    for (size_t i = 0; !selected && i < options->type_count; i++)
        selected = og_str_is(def->name, options->type_names[i]);
    return selected;
}

static og_status walk_table(const og_api__diff *diff, const og_type_def *def,
                            const og_api__diff_visitor *v, og_error *err)
{
    if (!is_selected(diff->options, def))
        return OG_OK;
    OG_TRY(check_time(diff, err));
    OG_AUTO_TABLE_CHANGES changes = {0};
    OG_TRY(og_table_changes_between(def, diff->from, diff->to, &changes, err));
    og_api__diff_table table = {.def = def};
    filter_rows(&changes, diff->options->ops, &table.counts);
    if (changes.reason != OG_LANCE_DELTA_EXACT)
        table.full = og_lance_delta_reason_text(changes.reason);
    if (changes.row_count == 0 && table.full == NULL)
        return OG_OK;
    OG_TRY(v->table(v->context, &table, err));
    return v->row != NULL ? visit_rows(diff, &changes, v, err) : OG_OK;
}

/* "edge:..." is before "node:...", and types are sorted by name: the order of table keys. */
og_status og_api__diff_walk(const og_api__diff *diff, const og_api__diff_visitor *v, og_error *err)
{
    const og_catalog *catalog = diff->to->catalog;
    for (uint32_t i = 0; i < catalog->edge_count; i++)
        OG_TRY(walk_table(diff, &catalog->edges[i], v, err));
    for (uint32_t i = 0; i < catalog->node_count; i++)
        OG_TRY(walk_table(diff, &catalog->nodes[i], v, err));
    return OG_OK;
}

/* ---- for callers -------------------------------------------------------------------------- */

typedef struct caller {
    og_diff_fn take;
    void *context;
    og_diff_result result;
    og_buf before, after; /* of the row that is handed over */
    OG_VEC(og_text) changed;
} caller;

static og_status count_table(void *context, const og_api__diff_table *table, og_error *err)
{
    (void)err;
    og_diff_result *result = &((caller *)context)->result;
    result->inserts += table->counts.inserts;
    result->updates += table->counts.updates;
    result->deletes += table->counts.deletes;
    result->full = result->full || table->full != NULL;
    return OG_OK;
}

static og_status hand_over(void *context, const og_api__diff_row *row, og_error *err)
{
    caller *c = context;
    const og_row_change *change = row->change;
    og_buf_clear(&c->before);
    og_buf_clear(&c->after);
    c->changed.len = 0;
    if (row->before.columns != NULL)
        og_api__diff_write_image(&c->before, row, &row->before);
    if (row->after.columns != NULL)
        og_api__diff_write_image(&c->after, row, &row->after);
    for (uint32_t i = 1; change->columns != NULL && i < row->def->table_schema->field_count; i++) {
        og_str name = row->def->table_schema->fields[i].name;
        if (og_row_change_has(change, i) &&
            !og_vec_push(&c->changed, (og_text){name.ptr, name.len}))
            return og_error_nomem(err);
    }
    if (c->before.failed || c->after.failed)
        return og_error_nomem(err);
    og_str before = og_buf_view(&c->before), after = og_buf_view(&c->after);
    const og_diff_row out = {.op = (og_diff_op)change->kind,
                             .is_edge = row->def->is_edge,
                             .type_name = {row->def->name.ptr, row->def->name.len},
                             .id = {change->id.ptr, change->id.len},
                             .before = {before.ptr, before.len},
                             .after = {after.ptr, after.len},
                             .changed = c->changed.items,
                             .changed_count = c->changed.len};
    return c->take(c->context, &out, err);
}

og_status og_diff(og_session *session, const char *from, const char *to,
                  const og_diff_options *options, og_diff_fn take, void *context,
                  og_diff_result *out, og_error *err)
{
    og_diff_options known = OG_DIFF_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    caller c = {.take = take, .context = context};
    og_api__diff_visitor visitor = {count_table, take != NULL ? hand_over : NULL, &c};
    og_api__diff diff;
    OG_TRY(og_api__diff_open(session, from, to, &known, &diff, err));
    og_status status = og_api__diff_walk(&diff, &visitor, err);
    og_api__diff_close(&diff);
    og_buf_deinit(&c.before);
    og_buf_deinit(&c.after);
    og_vec_deinit(&c.changed);
    if (status == OG_OK && out != NULL)
        *out = c.result;
    return status;
}
