/* query and mutate: one query of a source, with its parameters. */
#include <inttypes.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"

/* Everything a run needs, made in the order in which a user would want to hear of mistakes. */
typedef struct run {
    const cli_alias *alias;
    og_query *query;
    og_params *params;
} run;

static void run_deinit(run *r)
{
    og_params_free(r->params);
    og_query_free(r->query);
}

static og_status find_alias(cli *c, bool is_mutation, const cli_alias **out, og_error *err)
{
    const char *name = cli_value(&c->args, CLI_ALIAS);
    *out = NULL;
    if (name == NULL)
        return OG_OK;
    const cli_alias *alias = cli_config_alias(c->config, name);
    if (alias == NULL)
        return og_error_set(err, OG_NOT_FOUND, "alias '%s' not found", name);
    if (alias->is_mutation != is_mutation) {
        og_error_set(err, OG_INVALID, "alias '%s' is a %s alias, not a %s alias", name,
                     alias->is_mutation ? "Change" : "Read", is_mutation ? "Change" : "Read");
        og_error_hint(err, "Run it with: omnigraph %s --alias %s",
                      alias->is_mutation ? "mutate" : "query", name);
        return OG_INVALID;
    }
    *out = alias;
    return OG_OK;
}

/* Without an alias there is one argument, the graph. */
static og_status check_arguments(const cli *c, og_error *err)
{
    size_t count = c->args.arguments.len;
    size_t most = cli_has(&c->args, CLI_URI) ? 0 : 1;
    if (cli_has(&c->args, CLI_ALIAS) || count <= most)
        return OG_OK;
    og_error_set(err, OG_INVALID, "alias '<alias>' expects at most 0 args but got %zu",
                 count - most);
    og_error_hint(err, "Without --alias there is one argument, the folder of the graph, or --uri.");
    return OG_INVALID;
}

static og_status prepare(cli *c, bool is_mutation, run *r, og_error *err)
{
    og_text source, params;
    if (!cli_has(&c->args, CLI_ALIAS) && !cli_has(&c->args, CLI_QUERY) &&
        !cli_has(&c->args, CLI_QUERY_STRING))
        return og_error_set(err, OG_INVALID,
                            "exactly one of --query, --query-string, or --alias must be provided");
    if (cli_has(&c->args, CLI_QUERY))
        cli_read_ahead(cli_value(&c->args, CLI_QUERY)); /* most often where it says */
    OG_TRY(cli_load_config(c, err));
    OG_TRY(find_alias(c, is_mutation, &r->alias, err));
    OG_TRY(check_arguments(c, err));
    OG_TRY(cli_resolve(c, r->alias, err));
    OG_TRY(cli_query_source(c, r->alias, &source, err));
    OG_TRY(cli_params(c, r->alias, &params, err));
    OG_TRY(cli_open(c, r->alias, err));
    const char *name = cli_value(&c->args, CLI_NAME);
    if (name == NULL && r->alias != NULL)
        name = r->alias->query_name;
    OG_TRY(og_query_prepare(c->graph, source, name, &r->query, err));
    OG_TRY(og_params_new(r->query, &r->params, err));
    return params.ptr != NULL ? og_params_set_json(r->params, params, err) : OG_OK;
}

/* ---- query -------------------------------------------------------------------------------- */

static og_status explain(cli *c, const run *r, og_error *err)
{
    bool analyze = strcmp(cli_value(&c->args, CLI_EXPLAIN), "run") == 0;
    if (analyze)
        cli_progress_start("running", 0);
    return og_query_explain(c->session, r->query, r->params, analyze, cli_has(&c->args, CLI_JSON),
                            cli_write_stdout, NULL, err);
}

static og_format choose_format(const cli *c, const cli_alias *alias)
{
    const char *given = cli_value(&c->args, CLI_FORMAT);
    if (cli_has(&c->args, CLI_JSON))
        return OG_FORMAT_JSON;
    if (given != NULL)
        return (og_format)cli_format_of(og_str_of(given));
    if (alias != NULL && alias->format >= 0)
        return (og_format)alias->format;
    return c->config->format >= 0 ? (og_format)c->config->format : OG_FORMAT_TABLE;
}

/* The line goes before the first row comes. */
static og_status write_rows(void *context, const uint8_t *bytes, size_t len, og_error *err)
{
    cli_progress_stop();
    return cli_write_stdout(context, bytes, len, err);
}

static og_status print_rows(cli *c, const run *r, og_error *err)
{
    og_cursor *cursor;
    og_format_options options = OG_FORMAT_OPTIONS_INIT;
    options.format = choose_format(c, r->alias);
    options.max_column_width = c->config->column_width;
    options.wrap_cells = c->config->wrap_cells;
    options.for_terminal = isatty(STDOUT_FILENO);
    cli_progress_start("running", 0);
    OG_TRY(og_query_run(c->session, r->query, r->params, &cursor, err));
    og_status s = og_cursor_write(cursor, &options, write_rows, NULL, err);
    og_cursor_close(cursor);
    return s;
}

og_status cli_run_query(cli *c, og_error *err)
{
    run r = {0};
    og_status s = prepare(c, false, &r, err);
    if (s == OG_OK)
        s = cli_has(&c->args, CLI_EXPLAIN) ? explain(c, &r, err) : print_rows(c, &r, err);
    run_deinit(&r);
    return s;
}

/* ---- mutate ------------------------------------------------------------------------------- */

static void write_json(const cli *c, const run *r, const og_write_result *done, og_buf *out)
{
    og_buf_text(out, "{\n  \"branch\": ");
    og_json_write_str(out, og_str_of(c->branch));
    og_buf_text(out, ",\n  \"query_name\": ");
    og_json_write_str(out, og_str_of(og_query_name(r->query)));
    og_buf_printf(out,
                  ",\n  \"affected_nodes\": %" PRIu64 ",\n  \"affected_edges\": %" PRIu64
                  ",\n  \"actor_id\": ",
                  done->node_rows, done->edge_rows);
    if (c->actor != NULL)
        og_json_write_str(out, og_str_of(c->actor));
    else
        og_buf_text(out, "null");
    og_buf_text(out, "\n}\n");
}

static og_status print_change(const cli *c, const run *r, const og_write_result *done,
                              og_error *err)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (cli_has(&c->args, CLI_JSON)) {
        write_json(c, r, done, &out);
    } else {
        og_buf_printf(&out, "changed %s via %s: %" PRIu64 " nodes, %" PRIu64 " edges\n", c->branch,
                      og_query_name(r->query), done->node_rows, done->edge_rows);
        if (c->actor != NULL)
            og_buf_printf(&out, "actor_id: %s\n", c->actor);
    }
    return cli_print_buf(&out, err);
}

og_status cli_run_mutate(cli *c, og_error *err)
{
    run r = {0};
    og_write_result done;
    og_status s = prepare(c, true, &r, err);
    if (s == OG_OK) {
        cli_progress_start("running", 0);
        s = og_mutate(c->session, r.query, r.params, &done, err);
        cli_progress_stop();
    }
    if (s == OG_OK) {
        c->has_changed = true;
        cli_report_lenient(&done);
        s = print_change(c, &r, &done, err);
    }
    run_deinit(&r);
    return s;
}
