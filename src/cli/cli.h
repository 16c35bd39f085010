/* cli/cli - what the commands share: arguments, configuration, output and the open graph.
 *
 * The program uses omnigraph.h and base only. A command returns a status and fills the error; main
 * prints it and makes the exit code (0, 1; wrong arguments 2). */
#ifndef OG_CLI_CLI_H
#define OG_CLI_CLI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/args.h"
#include "cli/config.h"

struct cli {
    cli_args args;
    og_arena *arena; /* lives as long as the program */
    const cli_config *config;
    og_graph *graph;
    og_session *session;
    const char *uri; /* of the graph, as it is shown */
    const char *branch;
    const char *actor; /* NULL = none */
    bool
        has_changed; /* the graph was changed; a failure from here on is only one of reporting it */
    int exit_code;   /* of a command that succeeded: 1 when it found something (lint) */
};

/* ---- io.c: files, standard output, errors ------------------------------------------------- */

OG_NODISCARD og_status cli_read_file(const char *path, og_buf *out, og_error *err);
/* Begin to bring a file into memory that will be read soon; it may be missing. */
void cli_read_ahead(const char *path);
/* An og_sink_fn for standard output, unbuffered: callers hand over large pieces. */
og_status cli_write_stdout(void *context, const uint8_t *bytes, size_t len, og_error *err);
OG_NODISCARD og_status cli_print(og_error *err, const char *fmt, ...) OG_PRINTF(2, 3);
/* Print the buffer; OG_NOMEM when an append to it had failed. */
OG_NODISCARD og_status cli_print_buf(const og_buf *buf, og_error *err);
void cli_print_error(const og_error *err);
/* Print what --lenient changed, a warning for each kind. */
void cli_report_lenient(const og_write_result *done);
/* An og_sink_fn for standard error: "Error: " and what follows, for errors of many lines. */
og_status cli_write_error(void *context, const uint8_t *bytes, size_t len, og_error *err);
void cli_warn(const char *fmt, ...) OG_PRINTF(1, 2);
/* Use colours on this descriptor? Only on a terminal, and not with NO_COLOR. */
bool cli_wants_colour(int fd);

/* ---- settings.c: what the arguments and omnigraph.yaml say together ----------------------- */

/* Read --config, or omnigraph.yaml when there is one. */
OG_NODISCARD og_status cli_load_config(cli *c, og_error *err);
/* --from; else cli.branch of omnigraph.yaml, else main. */
const char *cli_from(const cli *c);
/* The graph (argument, --uri, --target, alias, cli.graph), branch and actor of a command, by the
 * reference's precedence. */
OG_NODISCARD og_status cli_resolve(cli *c, const cli_alias *alias, og_error *err);
/* The same, then open it and a session. */
OG_NODISCARD og_status cli_open(cli *c, const cli_alias *alias, og_error *err);
void cli_close(cli *c);
bool cli_is_url(const char *uri);
/* OG_UNSUPPORTED for a URL that is no file:// URL. */
OG_NODISCARD og_status cli_check_uri(const char *uri, og_error *err);
/* `path` when it is absolute, else `path` below `base`, in the arena. NULL when out of memory. */
const char *cli_join(cli *c, const char *base, const char *path);
/* Where a query file is: as given, or in one of query.roots. */
OG_NODISCARD og_status cli_find_query(cli *c, const char *path, const char **out, og_error *err);
/* Text of -e, --query or the alias; in the arena. */
OG_NODISCARD og_status cli_query_source(cli *c, const cli_alias *alias, og_text *out,
                                        og_error *err);
/* Parameters of --params, --params-file and an alias's arguments, as one JSON object; len 0 when
 * none were given. */
OG_NODISCARD og_status cli_params(cli *c, const cli_alias *alias, og_text *out, og_error *err);

/* ---- commands ----------------------------------------------------------------------------- */

og_status cli_run_version(cli *c, og_error *err);
og_status cli_run_init(cli *c, og_error *err);
og_status cli_run_load(cli *c, og_error *err);
og_status cli_run_ingest(cli *c, og_error *err);
og_status cli_run_branch_create(cli *c, og_error *err);
og_status cli_run_branch_list(cli *c, og_error *err);
og_status cli_run_branch_delete(cli *c, og_error *err);
og_status cli_run_query(cli *c, og_error *err);
og_status cli_run_mutate(cli *c, og_error *err);
og_status cli_run_snapshot(cli *c, og_error *err);
og_status cli_run_export(cli *c, og_error *err);
og_status cli_run_branch_merge(cli *c, og_error *err);
og_status cli_run_commit_list(cli *c, og_error *err);
og_status cli_run_commit_show(cli *c, og_error *err);
og_status cli_run_diff(cli *c, og_error *err);
og_status cli_run_fsck(cli *c, og_error *err);
og_status cli_run_relocate(cli *c, og_error *err);
og_status cli_run_lint(cli *c, og_error *err);
og_status cli_run_schema_show(cli *c, og_error *err);
og_status cli_run_optimize(cli *c, og_error *err);
og_status cli_run_cleanup(cli *c, og_error *err);

#endif
