/* Merging branches, and how a merge is told. */
#include "graph/merge.h"

#include <inttypes.h>

#include "api/handles_priv.h"
#include "graph/branch_ops.h"

struct og_merge {
    og_merge_output output;
    char *source, *target, *actor; /* actor NULL = none */
    bool preview, deleted_source;
    bool kept_source; /* it was to be deleted, and could not be */
};

const char *og_merge_outcome_id(og_merge_outcome outcome)
{
    static const char *const ids[] = {"already_up_to_date", "fast_forward", "merged", "conflicts"};
    return (unsigned)outcome < sizeof ids / sizeof *ids ? ids[outcome] : "unknown";
}

const char *og_merge_conflict_kind_id(og_merge_conflict_kind kind)
{
    static const char *const ids[] = {
        "divergent_insert", "divergent_update",      "delete_vs_update",          "orphan_edge",
        "unique_violation", "cardinality_violation", "value_constraint_violation"};
    return (unsigned)kind < sizeof ids / sizeof *ids ? ids[kind] : "unknown";
}

/* ---- merging ------------------------------------------------------------------------------ */

void og_merge_free(og_merge *merge)
{
    if (merge == NULL)
        return;
    og_merge_output_deinit(&merge->output);
    og_free(merge->source);
    og_free(merge->target);
    og_free(merge->actor);
    og_free(merge);
}
OG_DEFINE_AUTO(og_merge, og_merge_free)

static void write_value(og_buf *out, const og_array *array, int64_t row)
{
    og_api__write_json(out, array, row, -1);
}

static og_status make(const og_session *session, const char *source, const og_merge_options *o,
                      og_merge **out, og_error *err)
{
    OG_AUTO(og_merge) merge = og_calloc(1, sizeof *merge);
    if (merge == NULL)
        return og_error_nomem(err);
    merge->source = og_strdup(source);
    merge->target = og_strdup(o->target != NULL ? o->target : "main");
    merge->preview = o->preview;
    if (session->actor != NULL && (merge->actor = og_strdup(session->actor)) == NULL)
        return og_error_nomem(err);
    if (merge->source == NULL || merge->target == NULL)
        return og_error_nomem(err);
    *out = OG_TAKE(merge);
    return OG_OK;
}

/* What can be known to fail is refused while nothing is merged. */
static og_status check_deletable(og_repo *repo, const char *source, og_error *err)
{
    og_status s = og_branch_check_removable(repo, source, err);
    if (s == OG_CONFLICT)
        og_error_hint(err, "Delete that one first, or merge without --delete-branch.");
    else if (s != OG_OK && og_str_is(og_str_trim(og_str_of(source)), OG_GRAPH__MAIN))
        og_error_hint(err, "Every graph has it: merge it without --delete-branch.");
    return s;
}

/* The merge stands, whatever comes of this. */
static og_status delete_source(og_repo *repo, og_merge *merge, og_error *err)
{
    og_status s = og_branch_remove_merged(repo, merge->source, &merge->output.source, err);
    merge->deleted_source = s == OG_OK;
    merge->kept_source = s != OG_OK;
    return s == OG_OK ? OG_OK
                      : og_error_context(err, s, "done: %s is merged into %s, but not deleted",
                                         merge->source, merge->target);
}

og_status og_branch_merge(og_session *session, const char *source, const og_merge_options *options,
                          og_merge **out, og_error *err)
{
    og_merge_options o = OG_MERGE_OPTIONS_INIT;
    og_api__read_options(&o, sizeof o, options);
    OG_AUTO(og_merge) merge = NULL;
    *out = NULL;
    og_repo *repo = session->graph->repo;
    OG_TRY(make(session, source, &o, &merge, err));
    if (o.delete_source)
        OG_TRY(check_deletable(repo, merge->source, err));
    __atomic_store_n(&session->cancelled, 0, __ATOMIC_RELAXED);
    const og_merge_input input = {.source = merge->source,
                                  .target = merge->target,
                                  .actor = session->actor,
                                  .property_level = o.property_level,
                                  .preview = o.preview,
                                  .cancel = &session->cancelled,
                                  .deadline_ns = og_api__deadline(session),
                                  .write_value = write_value};
    og_status s = OG_OK;
    OG_TRY(og_merge_run(repo, &input, &merge->output, err));
    if (o.delete_source && !o.preview && merge->output.outcome != OG_MERGE_CONFLICTS)
        s = delete_source(repo, merge, err);
    *out = OG_TAKE(merge);
    return s;
}

/* ---- looking at the result ---------------------------------------------------------------- */

og_merge_outcome og_merge_get_outcome(const og_merge *merge)
{
    return merge->output.outcome;
}

const char *og_merge_commit_id(const og_merge *merge)
{
    return merge->output.committed ? merge->output.commit.commit_id : "";
}

size_t og_merge_table_count(const og_merge *merge)
{
    return merge->output.table_count;
}

static og_text text_of(og_str s)
{
    return (og_text){s.ptr, s.len};
}

og_merge_table og_merge_table_at(const og_merge *merge, size_t index)
{
    const og_graph__merge_counts *t = &merge->output.tables[index];
    return (og_merge_table){text_of(t->def->table_key), t->inserted, t->updated, t->deleted,
                            t->full_reason};
}

size_t og_merge_conflict_count(const og_merge *merge)
{
    return merge->output.conflict_count;
}

og_merge_conflict og_merge_conflict_at(const og_merge *merge, size_t index)
{
    const og_graph__conflict *c = &merge->output.conflicts[index];
    return (og_merge_conflict){.table_key = text_of(c->def->table_key),
                               .row_id = text_of(c->row_id),
                               .kind = c->kind,
                               .message = text_of(c->message),
                               .property = text_of(c->property),
                               .base = text_of(c->base),
                               .ours = text_of(c->ours),
                               .theirs = text_of(c->theirs)};
}

/* ---- text --------------------------------------------------------------------------------- */

/* The kinds as documents and messages call them. */
static const char *kind_name(og_merge_conflict_kind kind)
{
    static const char *const names[] = {
        "DivergentInsert", "DivergentUpdate",      "DeleteVsUpdate",          "OrphanEdge",
        "UniqueViolation", "CardinalityViolation", "ValueConstraintViolation"};
    return names[kind];
}

/* Ids may hold anything: a line stays one, and sends nothing to a terminal. */
static void put_line_text(og_buf *out, og_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        bool is_c1 = c == 0xC2 && i + 1 < text.len && (uint8_t)text.ptr[i + 1] < 0xA0;
        if (is_c1)
            og_buf_printf(out, "\\u%04x", (uint8_t)text.ptr[++i]);
        else if (c < 0x20 || c == 0x7F)
            og_buf_printf(out, "\\u%04x", c);
        else
            og_buf_byte(out, c);
    }
}

/* `absent` stands for a side that has no such row, which is not null. */
static void put_side(og_buf *out, const char *name, og_str value, bool has_row, const char *absent)
{
    og_str shown = has_row ? value : og_str_of(absent);
    og_buf_printf(out, "%s %.*s", name, OG_FMT(shown));
}

/* node:Person 'ana': DivergentUpdate: divergent update for id 'ana' (age: base 1,
 * ours 2, theirs 3) */
static void put_conflict_line(og_buf *out, const og_graph__conflict *c)
{
    og_buf_str(out, c->def->table_key);
    if (c->row_id.ptr != NULL) {
        og_buf_text(out, " '");
        put_line_text(out, c->row_id);
        og_buf_byte(out, '\'');
    }
    og_buf_printf(out, ": %s: ", kind_name(c->kind));
    put_line_text(out, c->message);
    if (c->base.ptr != NULL) {
        og_buf_text(out, " (");
        if (c->property.ptr != NULL)
            og_buf_printf(out, "%.*s: ", OG_FMT(c->property));
        put_side(out, "base", c->base, c->has_base, "none");
        put_side(out, ", ours", c->ours, c->has_ours, "deleted");
        put_side(out, ", theirs", c->theirs, c->has_theirs, "deleted");
        og_buf_byte(out, ')');
    }
    og_buf_byte(out, '\n');
}

static void put_count_line(og_buf *out, const og_graph__merge_counts *t)
{
    og_buf_printf(out, "%.*s: %" PRIu64 " inserted, %" PRIu64 " updated, %" PRIu64 " deleted",
                  OG_FMT(t->def->table_key), t->inserted, t->updated, t->deleted);
    if (t->full_reason != NULL)
        og_buf_printf(out, " (compared in full: %s)", t->full_reason);
    og_buf_byte(out, '\n');
}

static void put_text(const og_merge *m, og_buf *out)
{
    const og_merge_output *r = &m->output;
    if (r->outcome == OG_MERGE_CONFLICTS)
        og_buf_printf(out, "merge conflicts: %zu between %s and %s; nothing %s merged\n",
                      r->conflict_count, m->source, m->target, m->preview ? "would be" : "was");
    else
        og_buf_printf(out, "%s %s into %s: %s\n", m->preview ? "would merge" : "merged", m->source,
                      m->target, og_merge_outcome_id(r->outcome));
    for (size_t i = 0; i < r->conflict_count; i++)
        put_conflict_line(out, &r->conflicts[i]);
    for (size_t i = 0; m->preview && i < r->table_count; i++)
        put_count_line(out, &r->tables[i]);
    if (m->deleted_source)
        og_buf_printf(out, "deleted branch %s\n", m->source);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void put_member(og_buf *out, const char *indent, const char *key, og_str text)
{
    og_buf_printf(out, ",\n%s\"%s\": ", indent, key);
    if (text.ptr != NULL)
        og_json_write_str(out, text);
    else
        og_buf_text(out, "null");
}

/* A value that is JSON already. */
static void put_raw(og_buf *out, const char *key, og_str json)
{
    og_buf_printf(out, ",\n      \"%s\": %.*s", key, json.ptr != NULL ? (int)json.len : 4,
                  json.ptr != NULL ? json.ptr : "null");
}

static void put_conflict(og_buf *out, const og_graph__conflict *c)
{
    static const char indent[] = "      ";
    og_buf_printf(out, "\n    {\n%s\"table_key\": ", indent);
    og_json_write_str(out, c->def->table_key);
    put_member(out, indent, "row_id", c->row_id);
    put_member(out, indent, "kind", og_str_of(og_merge_conflict_kind_id(c->kind)));
    put_member(out, indent, "message", c->message);
    put_member(out, indent, "property", c->property);
    put_raw(out, "base", c->base);
    put_raw(out, "ours", c->ours);
    put_raw(out, "theirs", c->theirs);
    og_buf_text(out, "\n    }");
}

static void put_counts(og_buf *out, const og_graph__merge_counts *t)
{
    static const char indent[] = "      ";
    og_buf_printf(out, "\n    {\n%s\"table_key\": ", indent);
    og_json_write_str(out, t->def->table_key);
    put_member(out, indent, "method", og_str_of(t->full_reason != NULL ? "full" : "delta"));
    og_buf_printf(out,
                  ",\n%s\"inserted\": %" PRIu64 ",\n%s\"updated\": %" PRIu64
                  ",\n%s\"deleted\": %" PRIu64 "\n    }",
                  indent, t->inserted, indent, t->updated, indent, t->deleted);
}

static void put_json(const og_merge *m, og_buf *out)
{
    const og_merge_output *r = &m->output;
    og_buf_text(out, "{\n  \"source\": ");
    og_json_write_str(out, og_str_of(m->source));
    put_member(out, "  ", "target", og_str_of(m->target));
    put_member(out, "  ", "outcome", og_str_of(og_merge_outcome_id(r->outcome)));
    put_member(out, "  ", "actor_id", m->actor != NULL ? og_str_of(m->actor) : (og_str){NULL, 0});
    if (m->preview) {
        og_buf_text(out, ",\n  \"preview\": true,\n  \"tables\": [");
        for (size_t i = 0; i < r->table_count; i++) {
            og_buf_text(out, i > 0 ? "," : "");
            put_counts(out, &r->tables[i]);
        }
        og_buf_text(out, r->table_count > 0 ? "\n  ]" : "]");
    }
    if (r->conflict_count > 0) {
        og_buf_text(out, ",\n  \"merge_conflicts\": [");
        for (size_t i = 0; i < r->conflict_count; i++) {
            og_buf_text(out, i > 0 ? "," : "");
            put_conflict(out, &r->conflicts[i]);
        }
        og_buf_text(out, "\n  ]");
    }
    if (m->deleted_source || m->kept_source)
        og_buf_printf(out, ",\n  \"deleted_source\": %s", m->deleted_source ? "true" : "false");
    og_buf_text(out, "\n}\n");
}

og_status og_merge_print(const og_merge *merge, bool json, og_sink_fn sink, void *sink_context,
                         og_error *err)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (json)
        put_json(merge, &out);
    else
        put_text(merge, &out);
    if (out.failed)
        return og_error_nomem(err);
    return og_api__flush(&out, sink, sink_context, err);
}
