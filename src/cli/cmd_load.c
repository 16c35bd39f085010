/* load, ingest and export: a graph's data in and out. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/progress.h"

/* ---- load --------------------------------------------------------------------------------- */

typedef struct input {
    int fd;
    const char *path;
} input;

static og_status read_input(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    const input *in = context;
    /* Unlike read, poll ends when Ctrl-C comes, so a load that waits for a pipe can be stopped. */
    struct pollfd ready = {.fd = in->fd, .events = POLLIN};
    if (poll(&ready, 1, -1) < 0 && errno == EINTR)
        return og_error_set(err, OG_CANCELLED, "the load was cancelled");
    ssize_t n;
    do
        n = read(in->fd, dst, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return og_error_errno(err, errno, "can't read", in->path);
    *out_len = (size_t)n;
    return OG_OK;
}

static int show_progress(void *context, const char *phase, uint64_t done, uint64_t total)
{
    (void)context, (void)phase, (void)total;
    cli_progress_update(done);
    return 0;
}

static og_status open_input(const char *path, input *out, uint64_t *out_bytes, og_error *err)
{
    struct stat info;
    bool is_stdin = strcmp(path, "-") == 0;
    out->path = is_stdin ? "standard input" : path;
    out->fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (out->fd < 0)
        return og_error_errno(err, errno, "can't read", path);
    if (fstat(out->fd, &info) == 0 && S_ISREG(info.st_mode))
        *out_bytes = (uint64_t)info.st_size;
    return OG_OK;
}

static og_load_mode load_mode(const char *name)
{
    if (strcmp(name, "append") == 0)
        return OG_MODE_APPEND;
    return strcmp(name, "merge") == 0 ? OG_MODE_MERGE : OG_MODE_OVERWRITE;
}

static og_status print_load(const cli *c, const char *mode, const og_write_result *r, og_error *err)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (!cli_has(&c->args, CLI_JSON)) {
        og_buf_printf(&out,
                      "loaded %s on branch %s with %s: %" PRIu64 " nodes across %" PRIu32
                      " node types, %" PRIu64 " edges across %" PRIu32 " edge types\n",
                      c->uri, c->branch, mode, r->node_rows, r->node_types, r->edge_rows,
                      r->edge_types);
        return cli_print_buf(&out, err);
    }
    og_buf_text(&out, "{\n  \"uri\": ");
    og_json_write_str(&out, og_str_of(c->uri));
    og_buf_text(&out, ",\n  \"branch\": ");
    og_json_write_str(&out, og_str_of(c->branch));
    og_buf_printf(&out,
                  ",\n  \"mode\": \"%s\",\n  \"nodes_loaded\": %" PRIu64
                  ",\n  \"edges_loaded\": %" PRIu64 ",\n  \"node_types_loaded\": %" PRIu32
                  ",\n  \"edge_types_loaded\": %" PRIu32 "\n}\n",
                  mode, r->node_rows, r->edge_rows, r->node_types, r->edge_types);
    return cli_print_buf(&out, err);
}

/* Open the graph and load --data into it. */
static og_status load(cli *c, og_load_options *options, const char *mode, og_write_result *out,
                      og_error *err)
{
    input in;
    uint64_t bytes = 0;
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    OG_TRY(open_input(cli_value(&c->args, CLI_DATA), &in, &bytes, err));
    options->mode = load_mode(mode);
    options->progress = show_progress;
    options->create_from = c->args.verb->run == cli_run_ingest ? cli_from(c) : NULL;
    cli_progress_start("loading", bytes);
    og_status s = og_load(c->session, options, read_input, &in, out, err);
    cli_progress_stop();
    if (in.fd != STDIN_FILENO)
        close(in.fd);
    if (s != OG_OK && err->line > 0)
        og_error_context(err, s, "%s:%" PRIu32, in.path, err->line);
    OG_TRY(s);
    c->has_changed = true;
    cli_report_lenient(out);
    return OG_OK;
}

og_status cli_run_load(cli *c, og_error *err)
{
    const char *mode = cli_value(&c->args, CLI_MODE);
    mode = mode != NULL ? mode : "overwrite";
    og_write_result result;
    og_load_options options = OG_LOAD_OPTIONS_INIT;
    OG_TRY(load(c, &options, mode, &result, err));
    return print_load(c, mode, &result, err);
}

/* ---- ingest ------------------------------------------------------------------------------- */

/* Lines of the answer, one per table. */
typedef struct table_lines {
    og_buf text;
    bool json;
} table_lines;

static void add_table(void *context, const og_type_count *count)
{
    table_lines *lines = context;
    const char *kind = count->is_edge ? "edge" : "node";
    if (lines->json)
        og_buf_printf(&lines->text,
                      "%s\n    {\n      \"table_key\": \"%s:%s\",\n      \"rows_loaded\": %" PRIu64
                      "\n    }",
                      lines->text.len > 0 ? "," : "", kind, count->type_name, count->rows);
    else
        og_buf_printf(&lines->text, "%s:%s rows_loaded=%" PRIu64 "\n", kind, count->type_name,
                      count->rows);
}

static og_status print_ingest(const cli *c, const char *mode, const og_write_result *r,
                              const table_lines *tables, og_error *err)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    if (!r->branch_created && cli_has(&c->args, CLI_FROM))
        cli_warn("branch '%s' was there already; --from %s made no difference", c->branch,
                 cli_from(c));
    if (!tables->json) {
        og_buf_printf(&out, "ingested %s into branch %s from %s with %s (branch %s)\n", c->uri,
                      c->branch, cli_from(c), mode, r->branch_created ? "created" : "exists");
        og_buf_str(&out, og_buf_view(&tables->text));
        return cli_print_buf(&out, err);
    }
    og_buf_text(&out, "{\n  \"uri\": ");
    og_json_write_str(&out, og_str_of(c->uri));
    og_buf_text(&out, ",\n  \"branch\": ");
    og_json_write_str(&out, og_str_of(c->branch));
    og_buf_text(&out, ",\n  \"base_branch\": ");
    og_json_write_str(&out, og_str_of(cli_from(c)));
    og_buf_printf(&out, ",\n  \"branch_created\": %s,\n  \"mode\": \"%s\",\n  \"tables\": [",
                  r->branch_created ? "true" : "false", mode);
    og_buf_str(&out, og_buf_view(&tables->text));
    og_buf_printf(&out, "%s],\n  \"actor_id\": null\n}\n", tables->text.len > 0 ? "\n  " : "");
    return cli_print_buf(&out, err);
}

og_status cli_run_ingest(cli *c, og_error *err)
{
    const char *mode = cli_value(&c->args, CLI_MODE);
    mode = mode != NULL ? mode : "merge";
    og_write_result result;
    table_lines tables = {.text = OG_BUF_INIT, .json = cli_has(&c->args, CLI_JSON)};
    og_load_options options = OG_LOAD_OPTIONS_INIT;
    options.count = add_table;
    options.count_context = &tables;
    og_status s = load(c, &options, mode, &result, err);
    if (s == OG_OK)
        s = tables.text.failed ? og_error_nomem(err) : print_ingest(c, mode, &result, &tables, err);
    og_buf_deinit(&tables.text);
    return s;
}

/* ---- export ------------------------------------------------------------------------------- */

/* Count what is written; a bar beside rows on the same terminal would only disturb. */
static og_status write_counted(void *context, const uint8_t *bytes, size_t len, og_error *err)
{
    uint64_t *written = context;
    OG_TRY(cli_write_stdout(NULL, bytes, len, err));
    *written += len;
    cli_progress_update(*written);
    return OG_OK;
}

og_status cli_run_export(cli *c, og_error *err)
{
    const cli_texts *types = &c->args.given[CLI_TYPE], *tables = &c->args.given[CLI_TABLE];
    uint64_t written = 0;
    OG_TRY(cli_load_config(c, err));
    if (cli_has(&c->args, CLI_JSONL))
        cli_warn("--jsonl is deprecated; `omnigraph export` always emits JSONL");
    OG_TRY(cli_open(c, NULL, err));
    if (!isatty(STDOUT_FILENO))
        cli_progress_start("exporting", 0);
    return og_export(c->session, types->items, types->len, tables->items, tables->len,
                     write_counted, &written, err);
}
