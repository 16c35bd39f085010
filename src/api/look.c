/* Looking without changing: the snapshot, the linter, plans. */
#include "api/handles_priv.h"
#include "lang/lint.h"
#include "lang/schema.h"

#include <inttypes.h>

/* ---- snapshot ----------------------------------------------------------------------------- */

static void write_table_json(og_buf *out, const og_table_info *t)
{
    og_buf_text(out, "\n    {\n      \"table_key\": ");
    og_json_write_str(out, t->table_key);
    og_buf_text(out, ",\n      \"table_path\": ");
    og_json_write_str(out, t->table_path);
    og_buf_printf(out,
                  ",\n      \"table_version\": %" PRIu64 ",\n      \"table_branch\": ", t->version);
    if (t->table_branch.len > 0)
        og_json_write_str(out, t->table_branch);
    else
        og_buf_text(out, "null");
    og_buf_printf(out, ",\n      \"row_count\": %" PRIu64 "\n    }", t->row_count);
}

static void write_snapshot_json(og_buf *out, const char *branch, const og_snapshot *snapshot)
{
    size_t count;
    const og_table_info *tables = og_snapshot_tables(snapshot, &count);
    og_buf_text(out, "{\n  \"branch\": ");
    og_json_write_str(out, og_str_of(branch));
    og_buf_printf(out, ",\n  \"manifest_version\": %" PRIu64 ",\n  \"tables\": [",
                  snapshot->manifest_version);
    for (size_t i = 0; i < count; i++) {
        og_buf_text(out, i > 0 ? "," : "");
        write_table_json(out, &tables[i]);
    }
    og_buf_text(out, count > 0 ? "\n  ]\n}\n" : "]\n}\n");
}

static void write_snapshot_text(og_buf *out, const char *branch, const og_snapshot *snapshot)
{
    size_t count;
    const og_table_info *tables = og_snapshot_tables(snapshot, &count);
    og_buf_printf(out, "branch: %s\nmanifest_version: %" PRIu64 "\n", branch,
                  snapshot->manifest_version);
    for (size_t i = 0; i < count; i++) {
        const og_table_info *t = &tables[i];
        og_str at = t->table_branch.len > 0 ? t->table_branch : OG_STR("main");
        og_buf_printf(out, "%.*s v%" PRIu64 " branch=%.*s rows=%" PRIu64 "\n", OG_FMT(t->table_key),
                      t->version, OG_FMT(at), t->row_count);
    }
}

og_status og_snapshot_print(og_session *session, bool json, og_sink_fn sink, void *sink_context,
                            og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_TRY(og_api__snapshot(session, &snapshot, err));
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (json)
        write_snapshot_json(&out, snapshot->branch, snapshot);
    else
        write_snapshot_text(&out, snapshot->branch, snapshot);
    return og_api__flush(&out, sink, sink_context, err);
}

/* ---- lint --------------------------------------------------------------------------------- */

og_status og_lint_queries(og_text query_source, const og_lint_options *options, og_sink_fn sink,
                          void *sink_context, bool *out_failed, og_error *err)
{
    og_lint_options o = OG_LINT_OPTIONS_INIT;
    og_api__read_options(&o, sizeof o, options);
    bool from_graph = o.schema.ptr == NULL;
    if (from_graph && o.graph == NULL)
        return og_error_set(err, OG_INVALID, "lint needs a schema or a graph");
    OG_AUTO(og_catalog) compiled = NULL;
    if (!from_graph)
        OG_TRY(og_schema_compile(og_api__source(o.schema), &compiled, err));
    const og_catalog *catalog = from_graph ? og_repo_catalog(o.graph->repo) : compiled;
    og_lint_input input = {
        .query_path = og_str_of(o.query_path),
        .query_source = og_api__source(query_source),
        .schema_from_graph = from_graph,
        .schema_path = og_str_of(from_graph ? og_repo_uri(o.graph->repo) : o.schema_path),
        .take_error = o.take_error,
        .take_context = o.take_context,
    };
    OG_AUTO_BUF out = OG_BUF_INIT;
    bool failed;
    OG_TRY(og_lint(catalog, &input, o.json, &out, &failed, err));
    OG_TRY(og_api__flush(&out, sink, sink_context, err));
    *out_failed = failed;
    return OG_OK;
}

/* ---- explain ------------------------------------------------------------------------------ */

static og_status explain(og_cursor *cursor, bool analyze, bool json, og_buf *out, og_error *err)
{
    while (analyze && !cursor->is_done)
        OG_TRY(og_api__next_batch(cursor, err));
    return og_exec_explain(cursor->exec, json, out, err);
}

og_status og_query_explain(og_session *session, const og_query *query, const og_params *params,
                           bool analyze, bool json, og_sink_fn sink, void *sink_context,
                           og_error *err)
{
    og_cursor *cursor;
    OG_TRY(og_api__open_cursor(session, query, params, analyze, &cursor, err));
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_status s = explain(cursor, analyze, json, &out, err);
    og_cursor_close(cursor);
    if (s != OG_OK)
        return s;
    return og_api__flush(&out, sink, sink_context, err);
}
