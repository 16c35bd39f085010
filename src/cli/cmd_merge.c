/* branch merge: what one branch changed, into another. */
#include "cli/cli.h"

static og_status report(cli *c, const og_merge *merge, og_error *err)
{
    bool json = cli_has(&c->args, CLI_JSON);
    bool failed = og_merge_get_outcome(merge) == OG_MERGE_CONFLICTS;
    bool is_error = failed && !json && !cli_has(&c->args, CLI_PREVIEW);
    c->has_changed = og_merge_commit_id(merge)[0] != '\0';
    c->exit_code = failed ? 1 : 0;
    return og_merge_print(merge, json, is_error ? cli_write_error : cli_write_stdout, NULL, err);
}

og_status cli_run_branch_merge(cli *c, og_error *err)
{
    const char *into = cli_value(&c->args, CLI_INTO);
    og_merge *merge;
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    og_merge_options options = OG_MERGE_OPTIONS_INIT;
    options.target = into != NULL ? into : c->branch;
    options.property_level = cli_has(&c->args, CLI_PROPERTY_LEVEL);
    options.preview = cli_has(&c->args, CLI_PREVIEW);
    options.delete_source = cli_has(&c->args, CLI_DELETE_BRANCH);
    og_status done = og_branch_merge(c->session, c->args.arguments.items[0], &options, &merge, err);
    if (merge == NULL)
        return done;
    /* When only deleting the source failed, that error is the one to show: it says what is done. */
    og_status told = report(c, merge, done == OG_OK ? err : NULL);
    og_merge_free(merge);
    if (done == OG_OK)
        return told;
    c->has_changed = false;
    return done;
}
