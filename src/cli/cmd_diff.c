/* diff: what leads from one state of the graph to another. */
#include "cli/cli.h"

static uint32_t op_of(og_str word)
{
    static const char *const words[] = {"insert", "update", "delete"};
    for (uint32_t i = 0; i < 3; i++)
        if (og_str_is(word, words[i]))
            return 1u << i; /* OG_DIFF_INSERT, OG_DIFF_UPDATE, OG_DIFF_DELETE */
    return 0;
}

/* "insert,delete", as often as the option is given. */
static uint32_t read_ops(const cli *c)
{
    uint32_t ops = 0;
    for (size_t i = 0; i < c->args.given[CLI_OP].len; i++) {
        og_str rest = og_str_of(c->args.given[CLI_OP].items[i]);
        for (bool more = true; more;) {
            size_t comma = og_str_find(rest, OG_STR(","));
            more = comma != SIZE_MAX;
            ops |= op_of(og_str_slice(rest, 0, more ? comma : rest.len));
            rest = og_str_slice(rest, more ? comma + 1 : rest.len, rest.len);
        }
    }
    return ops;
}

og_status cli_run_diff(cli *c, og_error *err)
{
    const cli_texts *states = &c->args.arguments;
    const char *kind = cli_value(&c->args, CLI_KIND);
    og_diff_options options = OG_DIFF_OPTIONS_INIT;
    options.type_names = c->args.given[CLI_TYPE].items;
    options.type_count = c->args.given[CLI_TYPE].len;
    if (kind != NULL)
        options.kinds = strcmp(kind, "node") == 0 ? OG_DIFF_NODES : OG_DIFF_EDGES;
    options.ops = read_ops(c);
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    return og_diff_print(c->session, states->items[0], states->len == 2 ? states->items[1] : NULL,
                         &options, cli_has(&c->args, CLI_STAT), cli_has(&c->args, CLI_JSON),
                         cli_write_stdout, NULL, err);
}
