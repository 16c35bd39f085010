/* Differences as the command line prints them: text for people, JSON lines for programs. */
#include "api/diff_priv.h"

#include <inttypes.h>

#include "base/map.h"

#define PIECE_BYTES 65536 /* output is handed to the sink in pieces of about this size */
#define SHOWN_ITEMS 8     /* of a vector, in text */

typedef struct printer {
    og_buf buf;
    bool rows; /* not only counts */
    uint64_t tables;
    og_diff_result total;
    og_buf summary; /* JSON: of the tables so far */
    og_sink_fn sink;
    void *sink_context;
} printer;

static og_status flush_piece(printer *p, size_t limit, og_error *err)
{
    if (p->buf.len < limit && !p->buf.failed)
        return OG_OK;
    return og_api__flush(&p->buf, p->sink, p->sink_context, err);
}

static void add_counts(printer *p, const og_api__diff_table *t)
{
    p->tables++;
    p->total.inserts += t->counts.inserts;
    p->total.updates += t->counts.updates;
    p->total.deletes += t->counts.deletes;
    p->total.full = p->total.full || t->full != NULL;
}

/* ---- text --------------------------------------------------------------------------------- */

static void write_target(og_buf *out, const char *word, const og_snapshot *snapshot)
{
    const char *commit = og_snapshot_commit(snapshot);
    og_buf_printf(out, "%s %s, version %" PRIu64, word, snapshot->branch,
                  snapshot->manifest_version);
    if (commit[0] != '\0')
        og_buf_printf(out, ", commit %s", commit);
    og_buf_byte(out, '\n');
}

static void write_counts(og_buf *out, uint64_t inserts, uint64_t updates, uint64_t deletes)
{
    const struct {
        uint64_t count;
        const char *word;
    } parts[] = {{inserts, "inserted"}, {updates, "updated"}, {deletes, "deleted"}};
    const char *before = "";
    for (size_t i = 0; i < 3; i++)
        if (parts[i].count != 0) {
            og_buf_printf(out, "%s%" PRIu64 " %s", before, parts[i].count, parts[i].word);
            before = ", ";
        }
    if (before[0] == '\0')
        og_buf_text(out, "no changes");
}

static og_status text_table(void *context, const og_api__diff_table *t, og_error *err)
{
    printer *p = context;
    og_buf_printf(&p->buf, "%s%s %.*s: ", p->rows || p->tables == 0 ? "\n" : "",
                  t->def->is_edge ? "edge" : "node", OG_FMT(t->def->name));
    write_counts(&p->buf, t->counts.inserts, t->counts.updates, t->counts.deletes);
    if (t->full != NULL)
        og_buf_printf(&p->buf, " (full: %s)", t->full);
    og_buf_byte(&p->buf, '\n');
    add_counts(p, t);
    return flush_piece(p, PIECE_BYTES, err);
}

/* A blob is told by its size and a sum, as in a merge's conflicts; a long vector by its first
 * items. */
static void write_short(og_buf *out, const og_api__diff_row *row, const og_api__diff_image *image,
                        uint32_t column)
{
    const og_array *a = image->columns[column];
    bool is_null = og_array_is_null(a, image->row);
    if (!is_null && og_api__column_is_blob(row->def, column) &&
        !og_array_is_null(a->children[0], image->row)) {
        og_str bytes = og_array_str(a->children[0], image->row);
        og_buf_printf(out, "blob of %zu bytes, xxh3 %016" PRIx64, bytes.len,
                      og_hash64(bytes.ptr, bytes.len));
    } else if (!is_null && a->type->id == OG_TYPE_FIXED_SIZE_LIST &&
               a->type->list_size > SHOWN_ITEMS) {
        og_buf_byte(out, '[');
        for (int64_t i = 0; i < SHOWN_ITEMS; i++) {
            og_api__write_json(out, a->children[0], image->row * a->type->list_size + i, -1);
            og_buf_byte(out, ',');
        }
        og_buf_printf(out, "... %d items]", a->type->list_size);
    } else {
        og_api__diff_write_value(out, row, image, column);
    }
}

static bool is_null_in(const og_api__diff_image *image, uint32_t column)
{
    return og_array_is_null(image->columns[column], image->row);
}

/* Values of a row that is on one side only, but nulls. */
static void write_one_side(og_buf *out, const og_api__diff_row *row,
                           const og_api__diff_image *image)
{
    const og_field *fields = row->def->table_schema->fields;
    for (uint32_t i = og_type_def_first_property(row->def); i < row->def->table_schema->field_count;
         i++) {
        if (is_null_in(image, i))
            continue;
        og_buf_printf(out, "    %.*s: ", OG_FMT(fields[i].name));
        write_short(out, row, image, i);
        og_buf_byte(out, '\n');
    }
}

static void write_both_sides(og_buf *out, const og_api__diff_row *row)
{
    const og_field *fields = row->def->table_schema->fields;
    for (uint32_t i = 1; i < row->def->table_schema->field_count; i++) {
        if (!og_row_change_has(row->change, i))
            continue;
        og_buf_printf(out, "    %.*s: ", OG_FMT(fields[i].name));
        write_short(out, row, &row->before, i);
        og_buf_text(out, " -> ");
        write_short(out, row, &row->after, i);
        og_buf_byte(out, '\n');
    }
}

static void write_ends(og_buf *out, const og_api__diff_image *image)
{
    og_buf_byte(out, ' ');
    og_api__write_json(out, image->columns[1], image->row, -1);
    og_buf_text(out, " -> ");
    og_api__write_json(out, image->columns[2], image->row, -1);
}

static og_status text_row(void *context, const og_api__diff_row *row, og_error *err)
{
    printer *p = context;
    bool is_insert = row->change->kind == OG_CHANGED_INSERT;
    bool is_update = row->change->kind == OG_CHANGED_UPDATE;
    const og_api__diff_image *last = is_insert || is_update ? &row->after : &row->before;
    og_buf_text(&p->buf, is_insert ? "+ " : is_update ? "~ " : "- ");
    og_json_write_str(&p->buf, row->change->id);
    if (row->def->is_edge)
        write_ends(&p->buf, last);
    og_buf_byte(&p->buf, '\n');
    if (is_update)
        write_both_sides(&p->buf, row);
    else
        write_one_side(&p->buf, row, last);
    return flush_piece(p, PIECE_BYTES, err);
}

static og_status print_text(const og_api__diff *diff, printer *p, og_error *err)
{
    write_target(&p->buf, "from", diff->from);
    write_target(&p->buf, "to  ", diff->to);
    og_api__diff_visitor v = {text_table, p->rows ? text_row : NULL, p};
    OG_TRY(og_api__diff_walk(diff, &v, err));
    og_buf_byte(&p->buf, '\n');
    write_counts(&p->buf, p->total.inserts, p->total.updates, p->total.deletes);
    og_buf_byte(&p->buf, '\n');
    return flush_piece(p, 0, err);
}

/* ---- JSON lines --------------------------------------------------------------------------- */

static void json_target(og_buf *out, const char *key, const og_snapshot *snapshot)
{
    const char *commit = og_snapshot_commit(snapshot);
    og_buf_printf(out, "\"%s\":{\"branch\":", key);
    og_json_write_str(out, og_str_of(snapshot->branch));
    og_buf_printf(
        out, ",\"manifest_version\":%" PRIu64 ",\"graph_commit_id\":", snapshot->manifest_version);
    if (commit[0] != '\0')
        og_json_write_str(out, og_str_of(commit));
    else
        og_buf_text(out, "null");
    og_buf_byte(out, '}');
}

static void json_counts(og_buf *out, uint64_t inserts, uint64_t updates, uint64_t deletes,
                        bool full)
{
    og_buf_printf(out,
                  "\"inserts\":%" PRIu64 ",\"updates\":%" PRIu64 ",\"deletes\":%" PRIu64
                  ",\"method\":\"%s\"",
                  inserts, updates, deletes, full ? "full" : "changes");
}

static og_status json_table(void *context, const og_api__diff_table *t, og_error *err)
{
    printer *p = context;
    og_buf_text(&p->summary, p->tables > 0 ? ",{\"table_key\":" : "{\"table_key\":");
    og_json_write_str(&p->summary, t->def->table_key);
    og_buf_byte(&p->summary, ',');
    json_counts(&p->summary, t->counts.inserts, t->counts.updates, t->counts.deletes,
                t->full != NULL);
    if (t->full != NULL) {
        og_buf_text(&p->summary, ",\"reason\":");
        og_json_write_str(&p->summary, og_str_of(t->full));
    }
    og_buf_byte(&p->summary, '}');
    add_counts(p, t);
    return p->summary.failed ? og_error_nomem(err) : OG_OK;
}

static void json_changed(og_buf *out, const og_api__diff_row *row)
{
    const char *before = "";
    og_buf_text(out, ",\"changed\":[");
    for (uint32_t i = 1; i < row->def->table_schema->field_count; i++)
        if (og_row_change_has(row->change, i)) {
            og_buf_text(out, before);
            og_json_write_str(out, row->def->table_schema->fields[i].name);
            before = ",";
        }
    og_buf_byte(out, ']');
}

static og_status json_row(void *context, const og_api__diff_row *row, og_error *err)
{
    printer *p = context;
    og_change_kind kind = row->change->kind;
    og_buf_printf(&p->buf, "{\"op\":\"%s\",\"kind\":\"%s\",\"type\":",
                  kind == OG_CHANGED_INSERT   ? "insert"
                  : kind == OG_CHANGED_UPDATE ? "update"
                                              : "delete",
                  row->def->is_edge ? "edge" : "node");
    og_json_write_str(&p->buf, row->def->name);
    og_buf_text(&p->buf, ",\"id\":");
    og_json_write_str(&p->buf, row->change->id);
    if (kind == OG_CHANGED_UPDATE)
        json_changed(&p->buf, row);
    if (row->before.columns != NULL) {
        og_buf_text(&p->buf, ",\"before\":");
        og_api__diff_write_image(&p->buf, row, &row->before);
    }
    if (row->after.columns != NULL) {
        og_buf_text(&p->buf, ",\"after\":");
        og_api__diff_write_image(&p->buf, row, &row->after);
    }
    og_buf_text(&p->buf, "}\n");
    return flush_piece(p, PIECE_BYTES, err);
}

static og_status print_json(const og_api__diff *diff, printer *p, og_error *err)
{
    og_api__diff_visitor v = {json_table, p->rows ? json_row : NULL, p};
    OG_TRY(og_api__diff_walk(diff, &v, err));
    og_buf_text(&p->buf, "{\"summary\":{");
    json_target(&p->buf, "from", diff->from);
    og_buf_byte(&p->buf, ',');
    json_target(&p->buf, "to", diff->to);
    og_buf_byte(&p->buf, ',');
    json_counts(&p->buf, p->total.inserts, p->total.updates, p->total.deletes, p->total.full);
    og_buf_text(&p->buf, ",\"tables\":[");
    og_buf_str(&p->buf, og_buf_view(&p->summary));
    og_buf_text(&p->buf, "]}}\n");
    return flush_piece(p, 0, err);
}

og_status og_diff_print(og_session *session, const char *from, const char *to,
                        const og_diff_options *options, bool stat, bool json, og_sink_fn sink,
                        void *sink_context, og_error *err)
{
    og_diff_options known = OG_DIFF_OPTIONS_INIT;
    og_api__read_options(&known, sizeof known, options);
    printer p = {.rows = !stat, .sink = sink, .sink_context = sink_context};
    og_api__diff diff;
    OG_TRY(og_api__diff_open(session, from, to, &known, &diff, err));
    og_status status = json ? print_json(&diff, &p, err) : print_text(&diff, &p, err);
    og_api__diff_close(&diff);
    og_buf_deinit(&p.buf);
    og_buf_deinit(&p.summary);
    return status;
}
