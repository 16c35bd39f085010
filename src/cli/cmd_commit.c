/* commit list and commit show: the history of a graph. */
#include "base/number.h"
#include "cli/cli.h"

static og_status read_limit(const cli *c, uint64_t *out, og_error *err)
{
    const char *text = cli_value(&c->args, CLI_LIMIT);
    *out = 0;
    if (text == NULL || (og_parse_u64(og_str_of(text), out) && *out > 0))
        return OG_OK;
    return og_error_set(err, OG_INVALID, "--limit must be a number above 0, not '%s'", text);
}

og_status cli_run_commit_list(cli *c, og_error *err)
{
    og_commit_list_options options = OG_COMMIT_LIST_OPTIONS_INIT;
    options.actor = cli_value(&c->args, CLI_ACTOR);
    options.reverse = cli_has(&c->args, CLI_REVERSE);
    OG_TRY(read_limit(c, &options.limit, err));
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
