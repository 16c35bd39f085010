/* branch create, branch list and branch delete. */
#include "cli/cli.h"

static void member(og_buf *out, const char *key, const char *text)
{
    og_buf_printf(out, "%s  \"%s\": ", out->len > 0 ? ",\n" : "{\n", key);
    if (text != NULL)
        og_json_write_str(out, og_str_of(text));
    else
        og_buf_text(out, "null");
}

og_status cli_run_branch_create(cli *c, og_error *err)
{
    const char *name = c->args.arguments.items[0];
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    const char *from = cli_from(c);
    OG_TRY(og_branch_create(c->graph, name, from, err));
    c->has_changed = true;
    if (!cli_has(&c->args, CLI_JSON))
        return cli_print(err, "created branch %s from %s\n", name, from);
    OG_AUTO_BUF out = OG_BUF_INIT;
    member(&out, "uri", c->uri);
    member(&out, "from", from);
    member(&out, "name", name);
    member(&out, "actor_id", c->actor);
    og_buf_text(&out, "\n}\n");
    return cli_print_buf(&out, err);
}

og_status cli_run_branch_delete(cli *c, og_error *err)
{
    const char *name = c->args.arguments.items[0];
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    OG_TRY(og_branch_delete(c->graph, name, err));
    c->has_changed = true;
    if (!cli_has(&c->args, CLI_JSON))
        return cli_print(err, "deleted branch %s\n", name);
    OG_AUTO_BUF out = OG_BUF_INIT;
    member(&out, "uri", c->uri);
    member(&out, "name", name);
    member(&out, "actor_id", c->actor);
    og_buf_text(&out, "\n}\n");
    return cli_print_buf(&out, err);
}

static void write_names(const og_branch_list *list, bool json, og_buf *out)
{
    for (size_t i = 0; i < og_branch_list_count(list); i++) {
        og_str name = og_str_of(og_branch_list_name(list, i));
        if (json) {
            og_buf_text(out, i > 0 ? ",\n    " : "{\n  \"branches\": [\n    ");
            og_json_write_str(out, name);
        } else {
            og_buf_str(out, name);
            og_buf_byte(out, '\n');
        }
    }
    if (json)
        og_buf_text(out, "\n  ]\n}\n");
}

og_status cli_run_branch_list(cli *c, og_error *err)
{
    og_branch_list *list;
    OG_TRY(cli_load_config(c, err));
    OG_TRY(cli_open(c, NULL, err));
    OG_TRY(og_branch_list_read(c->graph, &list, err));
    OG_AUTO_BUF out = OG_BUF_INIT;
    write_names(list, cli_has(&c->args, CLI_JSON), &out);
    og_branch_list_free(list);
    return cli_print_buf(&out, err);
}
