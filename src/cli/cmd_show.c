/* Commands that only look: version, snapshot, schema show, lint. */
#include "cli/cli.h"

og_status cli_run_version(cli *c, og_error *err)
{
    (void)c;
    return cli_print(err, "omnigraph %s\n", og_version());
}

og_status cli_run_snapshot(cli *c, og_error *err)
{
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    return og_snapshot_print(c->session, cli_has(&c->args, CLI_JSON), cli_write_stdout, NULL, err);
}

og_status cli_run_schema_show(cli *c, og_error *err)
{
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    og_text source = og_graph_schema(c->graph);
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (cli_has(&c->args, CLI_JSON)) {
        og_buf_text(&out, "{\n  \"schema_source\": ");
        og_json_write_str(&out, (og_str){source.ptr, source.len});
        og_buf_text(&out, "\n}\n");
    } else {
        og_buf_append(&out, source.ptr, source.len);
        og_buf_byte(&out, '\n');
    }
    return cli_print_buf(&out, err);
}

/* ---- lint --------------------------------------------------------------------------------- */

static og_status lint_with_schema(cli *c, og_text query, const char *query_path, og_error *err)
{
    const char *path = cli_value(&c->args, CLI_SCHEMA);
    OG_AUTO_BUF schema = OG_BUF_INIT;
    OG_TRY(cli_read_file(path, &schema, err));
    bool failed;
    og_str text = og_buf_view(&schema);
    OG_TRY(og_lint_queries(query, query_path, (og_text){text.ptr, text.len}, path, NULL,
                           cli_has(&c->args, CLI_JSON), cli_write_stdout, NULL, &failed, err));
    c->exit_code = failed ? 1 : 0;
    return OG_OK;
}

static og_status lint_with_graph(cli *c, og_text query, const char *query_path, og_error *err)
{
    bool has_graph =
        c->args.arguments.len > 0 || cli_has(&c->args, CLI_TARGET) || c->config->graph != NULL;
    if (!has_graph)
        return og_error_set(
            err, OG_INVALID,
            "query lint requires --schema <schema.pg> or a resolvable graph target");
    OG_TRY(cli_open(c, NULL, err));
    bool failed;
    OG_TRY(og_lint_queries(query, query_path, (og_text){0}, NULL, c->graph,
                           cli_has(&c->args, CLI_JSON), cli_write_stdout, NULL, &failed, err));
    c->exit_code = failed ? 1 : 0;
    return OG_OK;
}

og_status cli_run_lint(cli *c, og_error *err)
{
    const char *path;
    OG_AUTO_BUF query = OG_BUF_INIT;
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_find_query(c, cli_value(&c->args, CLI_QUERY), &path, err));
    OG_TRY(cli_read_file(path, &query, err));
    og_str view = og_buf_view(&query);
    og_text text = {view.ptr, view.len};
    return cli_has(&c->args, CLI_SCHEMA) ? lint_with_schema(c, text, path, err)
                                         : lint_with_graph(c, text, path, err);
}
