/* What a command works on: arguments first, then the alias, then omnigraph.yaml. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/stop.h"

/* ---- places ------------------------------------------------------------------------------- */

const char *cli_join(cli *c, const char *base, const char *path)
{
    if (path[0] == '/')
        return path;
    size_t len = strlen(base);
    const char *slash = len > 0 && base[len - 1] == '/' ? "" : "/";
    return og_arena_printf(c->arena, "%s%s%s", base, slash, path).ptr;
}

bool cli_is_url(const char *uri)
{
    return strstr(uri, "://") != NULL;
}

og_status cli_check_uri(const char *uri, og_error *err)
{
    if (!cli_is_url(uri) || strncmp(uri, "file://", 7) == 0)
        return OG_OK;
    return og_error_set(err, OG_UNSUPPORTED, "this version opens graphs in folders only, not '%s'",
                        uri);
}

/* "." when it was removed: absolute paths still work there. */
static og_status current_folder(cli *c, const char **out, og_error *err)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    for (size_t cap = 256;; cap *= 2) {
        if (!og_buf_reserve(&path, cap))
            return og_error_nomem(err);
        if (getcwd((char *)path.ptr, cap) != NULL)
            break;
        if (errno == ENOENT) {
            *out = ".";
            return OG_OK;
        }
        if (errno != ERANGE)
            return og_error_errno(err, errno, "can't find", "the current folder");
    }
    *out = og_arena_str(c->arena, og_str_of((const char *)path.ptr)).ptr;
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

/* The folder a file is in, `path` being absolute. */
static og_status parent_folder(cli *c, const char *path, const char **out, og_error *err)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == path ? 1 : (size_t)(slash - path);
    *out = og_arena_str(c->arena, (og_str){path, len}).ptr;
    return *out != NULL ? OG_OK : og_error_nomem(err);
}

/* ---- omnigraph.yaml ----------------------------------------------------------------------- */

og_status cli_load_config(cli *c, og_error *err)
{
    const char *given = cli_value(&c->args, CLI_CONFIG);
    const char *path = given != NULL ? given : CLI_CONFIG_FILE, *folder;
    cli_config *config = og_arena_new_of(c->arena, cli_config);
    if (config == NULL)
        return og_error_nomem(err);
    config->format = -1;
    OG_TRY(current_folder(c, &folder, err));
    if (given != NULL || access(path, F_OK) == 0) {
        OG_AUTO_BUF text = OG_BUF_INIT;
        OG_TRY(cli_read_file(path, &text, err));
        OG_TRY(cli_config_parse(c->arena, og_buf_view(&text), path, config, err));
        const char *absolute = cli_join(c, folder, path);
        if (absolute == NULL)
            return og_error_nomem(err);
        OG_TRY(parent_folder(c, absolute, &folder, err));
    }
    config->base_dir = folder;
    c->config = config;
    return OG_OK;
}

/* ---- graph, branch, actor ----------------------------------------------------------------- */

/* A policy that this program can't enforce must not be passed over. */
static og_status check_policy(const cli *c, bool has_policy, og_error *err)
{
    if (!has_policy || !c->args.verb->changes_graph)
        return OG_OK;
    og_error_set(err, OG_UNSUPPORTED,
                 "omnigraph.yaml names a policy file, and this version can't enforce policies");
    og_error_hint(err, "Use a version that can, or write with --config and a file without policy.");
    return OG_UNSUPPORTED;
}

/* A graph with a name has its own policy and queries; those at the top would be passed over in
 * silence. */
static og_status check_named(const cli_config *config, const char *name, og_error *err)
{
    if (!config->has_policy && !config->has_queries)
        return OG_OK;
    const char *what = !config->has_queries  ? "policy.file is"
                       : !config->has_policy ? "queries is"
                                             : "policy.file and queries are";
    return og_error_set(err, OG_INVALID,
                        "named graph '%s' uses its own `graphs.%s.…` block, but top-level %s set "
                        "and would be ignored. Move it to `graphs.%s` (e.g. "
                        "`graphs.%s.policy.file`, `graphs.%s.queries`).",
                        name, name, what, name, name, name);
}

static og_status unknown_graph(const cli_config *config, const char *name, og_error *err)
{
    OG_AUTO_BUF names = OG_BUF_INIT;
    for (size_t i = 0; i < config->graph_count; i++)
        og_buf_printf(&names, "%s%s", i > 0 ? ", " : "", config->graphs[i].name);
    if (names.failed)
        return og_error_nomem(err);
    og_error_set(err, OG_NOT_FOUND, "graph '%s' not found in %s", name, CLI_CONFIG_FILE);
    if (config->graph_count > 0)
        og_error_hint(err, "Its graphs are: %.*s.", OG_FMT(og_buf_view(&names)));
    else
        og_error_hint(err, "It has no graphs: name the folder of one with --uri.");
    return OG_NOT_FOUND;
}

static og_status named_graph(cli *c, const char *name, og_error *err)
{
    const cli_graph_entry *entry = cli_config_graph(c->config, name);
    if (entry == NULL)
        return unknown_graph(c->config, name, err);
    OG_TRY(check_named(c->config, name, err));
    OG_TRY(check_policy(c, entry->has_policy, err));
    c->uri = cli_is_url(entry->uri) ? entry->uri : cli_join(c, c->config->base_dir, entry->uri);
    return c->uri != NULL ? OG_OK : og_error_nomem(err);
}

/* Of commands that take nothing but the graph. */
static og_status check_given_once(const cli_args *args, og_error *err)
{
    const char *uri = cli_value(args, CLI_URI);
    if (uri == NULL || args->arguments.len == 0 || args->verb->argument_is_no_graph ||
        args->verb->argument_repeats)
        return OG_OK;
    return og_error_set(err, OG_INVALID, "the graph was given twice: '%s' and --uri '%s'",
                        args->arguments.items[0], uri);
}

/* Where the command line itself says the graph is, or NULL. An alias's first argument is the
 * graph only when nothing else says where it is. */
static const char *given_uri(cli *c, const char *target)
{
    const cli_args *args = &c->args;
    const char *uri = cli_value(args, CLI_URI);
    bool first_is_uri = args->arguments.len > 0 && !args->verb->argument_is_no_graph;
    if (cli_has(args, CLI_ALIAS) && (target != NULL || c->config->graph != NULL))
        first_is_uri = false;
    return uri != NULL ? uri : first_is_uri ? args->arguments.items[0] : NULL;
}

og_status cli_resolve(cli *c, const cli_alias *alias, og_error *err)
{
    const char *target = cli_value(&c->args, CLI_TARGET);
    OG_TRY(check_given_once(&c->args, err));
    if (target == NULL && alias != NULL)
        target = alias->graph;
    const char *uri = given_uri(c, target);
    if (uri != NULL) {
        OG_TRY(check_policy(c, c->config->has_policy, err));
        c->uri = uri;
    } else {
        const char *name = target != NULL ? target : c->config->graph;
        if (name == NULL)
            return og_error_set(err, OG_INVALID,
                                "URI must be provided via <URI>, --target, or config");
        OG_TRY(named_graph(c, name, err));
    }
    const char *branch = cli_value(&c->args, CLI_BRANCH);
    if (branch == NULL && alias != NULL)
        branch = alias->branch;
    if (branch == NULL)
        branch = c->config->branch;
    c->branch = branch != NULL ? branch : "main";
    const char *actor = cli_value(&c->args, CLI_AS);
    c->actor = actor != NULL ? actor : c->config->actor;
    if (c->actor != NULL && c->actor[0] == '\0') {
        og_error_set(err, OG_INVALID, "%s is empty", actor != NULL ? "--as" : "cli.actor");
        og_error_hint(err, "Leave it out to write without an actor.");
        return OG_INVALID;
    }
    return OG_OK;
}

const char *cli_from(const cli *c)
{
    const char *from = cli_value(&c->args, CLI_FROM);
    if (from == NULL)
        from = c->config->branch;
    return from != NULL ? from : "main";
}

og_status cli_open(cli *c, const cli_alias *alias, og_error *err)
{
    OG_TRY(cli_resolve(c, alias, err));
    OG_TRY(cli_check_uri(c->uri, err));
    OG_TRY(og_graph_open(c->uri, NULL, &c->graph, err));
    og_session_options options = OG_SESSION_OPTIONS_INIT;
    options.actor = c->actor;
    options.branch = c->branch;
    options.lenient = cli_has(&c->args, CLI_LENIENT);
    options.snapshot = cli_value(&c->args, CLI_SNAPSHOT);
    options.at = cli_value(&c->args, CLI_AT);
    OG_TRY(og_session_open(c->graph, &options, &c->session, err));
    cli_stop_on_interrupt(c->session);
    return OG_OK;
}

void cli_close(cli *c)
{
    cli_stop_on_interrupt(NULL);
    og_session_close(c->session);
    og_graph_close(c->graph);
    c->session = NULL;
    c->graph = NULL;
}

/* ---- queries and parameters --------------------------------------------------------------- */

og_status cli_find_query(cli *c, const char *path, const char **out, og_error *err)
{
    const cli_config *config = c->config;
    const char *found = cli_join(c, config->base_dir, path);
    if (found == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; path[0] != '/' && access(found, F_OK) != 0; i++) {
        if (i == config->root_count)
            return og_error_set(err, OG_NOT_FOUND, "query file '%s' not found", path);
        const char *root = cli_join(c, config->base_dir, config->roots[i]);
        found = root != NULL ? cli_join(c, root, path) : NULL;
        if (found == NULL)
            return og_error_nomem(err);
    }
    *out = found;
    return OG_OK;
}

static og_status read_text(cli *c, const char *path, og_text *out, og_error *err)
{
    OG_AUTO_BUF buf = OG_BUF_INIT;
    OG_TRY(cli_read_file(path, &buf, err));
    og_str text = og_arena_str(c->arena, og_buf_view(&buf));
    *out = (og_text){text.ptr, text.len};
    return text.ptr != NULL ? OG_OK : og_error_nomem(err);
}

og_status cli_query_source(cli *c, const cli_alias *alias, og_text *out, og_error *err)
{
    const char *given = cli_value(&c->args, CLI_QUERY_STRING);
    if (given != NULL) {
        if (og_str_trim(og_str_of(given)).len == 0)
            return og_error_set(err, OG_INVALID, "--query-string must not be empty");
        *out = (og_text){given, strlen(given)};
        return OG_OK;
    }
    const char *path = cli_value(&c->args, CLI_QUERY);
    OG_TRY(cli_find_query(c, path != NULL ? path : alias->query, &path, err));
    return read_text(c, path, out, err);
}

/* What --params or --params-file say; a null tree when neither is given. */
static og_status explicit_params(cli *c, og_json *out, og_error *err)
{
    const char *inline_text = cli_value(&c->args, CLI_PARAMS);
    const char *path = cli_value(&c->args, CLI_PARAMS_FILE);
    og_text text = {inline_text, inline_text != NULL ? strlen(inline_text) : 0};
    *out = (og_json){.kind = OG_JSON_NULL};
    if (inline_text == NULL && path == NULL)
        return OG_OK;
    if (path != NULL)
        OG_TRY(read_text(c, path, &text, err));
    og_status s = og_json_parse(c->arena, (og_str){text.ptr, text.len}, out, err);
    if (s != OG_OK)
        return og_error_context(err, s, "%s:%u:%u", path != NULL ? path : "--params", err->line,
                                err->column);
    if (out->kind != OG_JSON_OBJECT)
        return og_error_set(err, OG_INVALID, "params JSON must be an object");
    return OG_OK;
}

/* Arguments of the alias as members: JSON when they read as JSON, else text. */
static og_status alias_params(cli *c, const cli_alias *alias, og_buf *out, og_error *err)
{
    const cli_texts *given = &c->args.arguments;
    /* The first one was the graph when it was taken as such. */
    size_t first = given->len > 0 && c->uri == given->items[0] ? 1 : 0;
    size_t count = given->len - first;
    if (count > alias->arg_count)
        return og_error_set(err, OG_INVALID, "alias '%s' expects at most %zu args but got %zu",
                            alias->name, alias->arg_count, count);
    for (size_t i = 0; i < count; i++) {
        og_str text = og_str_of(given->items[first + i]);
        og_json value = {.kind = OG_JSON_STRING, .text = text};
        og_json parsed;
        if (og_json_parse(c->arena, text, &parsed, NULL) == OG_OK)
            value = parsed;
        og_json_write_str(out, og_str_of(alias->args[i]));
        og_buf_byte(out, ':');
        og_json_write(out, &value, false);
        og_buf_byte(out, ',');
    }
    return OG_OK;
}

og_status cli_params(cli *c, const cli_alias *alias, og_text *out, og_error *err)
{
    OG_AUTO_BUF buf = OG_BUF_INIT;
    og_json explicit;
    OG_TRY(explicit_params(c, &explicit, err));
    og_buf_byte(&buf, '{');
    if (alias != NULL)
        OG_TRY(alias_params(c, alias, &buf, err));
    /* Of equal names the last counts: these. */
    for (uint32_t i = 0; i < explicit.count; i++) {
        og_json_write_str(&buf, explicit.keys[i]);
        og_buf_byte(&buf, ':');
        og_json_write(&buf, &explicit.items[i], false);
        og_buf_byte(&buf, ',');
    }
    *out = (og_text){0};
    if (buf.len == 1)
        return OG_OK;
    buf.ptr[buf.len - 1] = '}'; /* instead of the last comma */
    og_str text = og_arena_str(c->arena, og_buf_view(&buf));
    if (buf.failed || text.ptr == NULL)
        return og_error_nomem(err);
    *out = (og_text){text.ptr, text.len};
    return OG_OK;
}
