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

/* The report has no room for places and hints: they go to standard error. */
static void show_error(void *context, const og_error *error)
{
    (void)context;
    cli_print_error(error);
}

static og_status run_lint(cli *c, og_text query, og_lint_options *options, og_error *err)
{
    bool failed;
    options->json = cli_has(&c->args, CLI_JSON);
    options->take_error = show_error;
    OG_TRY(og_lint_queries(query, options, cli_write_stdout, NULL, &failed, err));
    c->exit_code = failed ? 1 : 0;
    return OG_OK;
}

static og_status lint_with_schema(cli *c, og_text query, og_lint_options *options, og_error *err)
{
    OG_AUTO_BUF schema = OG_BUF_INIT;
    options->schema_path = cli_value(&c->args, CLI_SCHEMA);
    OG_TRY(cli_read_file(options->schema_path, &schema, err));
    og_str text = og_buf_view(&schema);
    options->schema = (og_text){text.ptr, text.len};
    return run_lint(c, query, options, err);
}

static og_status lint_with_graph(cli *c, og_text query, og_lint_options *options, og_error *err)
{
    bool has_graph =
        c->args.arguments.len > 0 || cli_has(&c->args, CLI_TARGET) || c->config->graph != NULL;
    if (!has_graph)
        return og_error_set(
            err, OG_INVALID,
            "query lint requires --schema <schema.pg> or a resolvable graph target");
    OG_TRY(cli_open(c, NULL, err));
    options->graph = c->graph;
    return run_lint(c, query, options, err);
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
    og_lint_options options = OG_LINT_OPTIONS_INIT;
    options.query_path = path;
    return cli_has(&c->args, CLI_SCHEMA) ? lint_with_schema(c, text, &options, err)
                                         : lint_with_graph(c, text, &options, err);
}
