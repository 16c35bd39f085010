/* commit list and commit show: the history of a graph. */
#include "cli/cli.h"

og_status cli_run_commit_list(cli *c, og_error *err)
{
    og_commit_list_options options = OG_COMMIT_LIST_OPTIONS_INIT;
    options.actor = cli_value(&c->args, CLI_ACTOR);
    options.reverse = cli_has(&c->args, CLI_REVERSE);
    (void)!cli_number(&c->args, CLI_LIMIT, &options.limit);
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    return og_commit_list_print(c->session, &options, cli_has(&c->args, CLI_JSON), cli_write_stdout,
                                NULL, err);
}

og_status cli_run_commit_show(cli *c, og_error *err)
{
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    return og_commit_show_print(c->session, c->args.arguments.items[0], cli_has(&c->args, CLI_JSON),
                                cli_write_stdout, NULL, err);
}
