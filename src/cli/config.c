#include "cli/config.h"

#include "base/number.h"
#include "cli/config_yaml.h"
#include "omnigraph.h"

static const char *const format_names[] = {
    [OG_FORMAT_JSON] = "json", [OG_FORMAT_JSONL] = "jsonl", [OG_FORMAT_CSV] = "csv",
    [OG_FORMAT_KV] = "kv",     [OG_FORMAT_TABLE] = "table",
};

int cli_format_of(og_str name)
{
    for (size_t i = 0; i < sizeof format_names / sizeof *format_names; i++)
        if (og_str_is(name, format_names[i]))
            return (int)i;
    return -1;
}

/* ---- typed members ------------------------------------------------------------------------ */

static const og_json *member(const og_json *object, const char *key)
{
    const og_json *value = og_json_get(object, key);
    return value != NULL && value->kind != OG_JSON_NULL ? value : NULL;
}

/* *out is left alone when the key is absent. Texts of the tree end with a NUL (og_arena_str). */
static og_status get_text(const og_json *object, const char *key, const char **out, og_error *err)
{
    const og_json *value = member(object, key);
    if (value == NULL)
        return OG_OK;
    if (value->kind != OG_JSON_STRING)
        return og_error_set(err, OG_INVALID, "'%s' must be text", key);
    *out = value->text.ptr;
    return OG_OK;
}

static og_status get_object(const og_json *object, const char *key, const og_json **out,
                            og_error *err)
{
    *out = member(object, key);
    if (*out != NULL && (*out)->kind != OG_JSON_OBJECT)
        return og_error_set(err, OG_INVALID, "'%s' must be a mapping", key);
    return OG_OK;
}

static og_status get_list(og_arena *arena, const og_json *object, const char *key,
                          const char *const **out, size_t *out_count, og_error *err)
{
    const og_json *value = member(object, key);
    if (value == NULL)
        return OG_OK;
    if (value->kind != OG_JSON_ARRAY)
        return og_error_set(err, OG_INVALID, "'%s' must be a list", key);
    const char **texts = og_arena_array_of(arena, const char *, value->count + 1);
    if (texts == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->items[i].kind != OG_JSON_STRING)
            return og_error_set(err, OG_INVALID, "'%s' must be a list of texts", key);
        texts[i] = value->items[i].text.ptr;
    }
    *out = texts;
    *out_count = value->count;
    return OG_OK;
}

static og_status get_format(const og_json *object, const char *key, int *out, og_error *err)
{
    const char *text = NULL;
    *out = -1;
    OG_TRY(get_text(object, key, &text, err));
    if (text == NULL)
        return OG_OK;
    *out = cli_format_of(og_str_of(text));
    if (*out < 0)
        return og_error_set(err, OG_INVALID,
                            "'%s' must be one of table, kv, csv, jsonl, json; it is '%s'", key,
                            text);
    return OG_OK;
}

/* ---- sections ----------------------------------------------------------------------------- */

static og_status read_has_policy(const og_json *object, bool *out, og_error *err)
{
    const og_json *policy;
    const char *file = NULL;
    OG_TRY(get_object(object, "policy", &policy, err));
    OG_TRY(get_text(policy, "file", &file, err));
    *out = file != NULL;
    return OG_OK;
}

static og_status read_graphs(og_arena *arena, const og_json *root, cli_config *out, og_error *err)
{
    const og_json *graphs;
    OG_TRY(get_object(root, "graphs", &graphs, err));
    if (graphs == NULL)
        return OG_OK;
    cli_graph_entry *entries = og_arena_array_of(arena, cli_graph_entry, graphs->count + 1);
    if (entries == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < graphs->count; i++) {
        cli_graph_entry *e = &entries[i];
        e->name = graphs->keys[i].ptr;
        OG_TRY(get_text(&graphs->items[i], "uri", &e->uri, err));
        OG_TRY(read_has_policy(&graphs->items[i], &e->has_policy, err));
        if (e->uri == NULL)
            return og_error_set(err, OG_INVALID, "graph '%s' has no 'uri'", e->name);
    }
    out->graphs = entries;
    out->graph_count = graphs->count;
    return OG_OK;
}

static og_status read_cli(const og_json *root, cli_config *out, og_error *err)
{
    const og_json *section;
    const char *width = NULL, *layout = NULL;
    OG_TRY(get_object(root, "cli", &section, err));
    OG_TRY(get_text(section, "graph", &out->graph, err));
    OG_TRY(get_text(section, "branch", &out->branch, err));
    OG_TRY(get_text(section, "actor", &out->actor, err));
    OG_TRY(get_format(section, "output_format", &out->format, err));
    OG_TRY(get_text(section, "table_max_column_width", &width, err));
    OG_TRY(get_text(section, "table_cell_layout", &layout, err));
    uint64_t number;
    if (width != NULL &&
        (!og_parse_u64(og_str_of(width), &number) || number == 0 || number > UINT32_MAX))
        return og_error_set(err, OG_INVALID, "'table_max_column_width' must be a number from 1");
    out->column_width = width != NULL ? (uint32_t)number : 0;
    out->wrap_cells = layout != NULL && strcmp(layout, "wrap") == 0;
    if (layout != NULL && !out->wrap_cells && strcmp(layout, "truncate") != 0)
        return og_error_set(err, OG_INVALID, "'table_cell_layout' must be truncate or wrap");
    return OG_OK;
}

static og_status read_alias(og_arena *arena, const og_json *object, cli_alias *out, og_error *err)
{
    const char *command = NULL;
    OG_TRY(get_text(object, "command", &command, err));
    OG_TRY(get_text(object, "query", &out->query, err));
    OG_TRY(get_text(object, "name", &out->query_name, err));
    OG_TRY(get_text(object, "graph", &out->graph, err));
    OG_TRY(get_text(object, "branch", &out->branch, err));
    OG_TRY(get_list(arena, object, "args", &out->args, &out->arg_count, err));
    OG_TRY(get_format(object, "format", &out->format, err));
    og_str kind = og_str_of(command != NULL ? command : "");
    out->is_mutation = og_str_is(kind, "change") || og_str_is(kind, "mutate");
    if (!out->is_mutation && !og_str_is(kind, "read") && !og_str_is(kind, "query"))
        return og_error_set(err, OG_INVALID, "'command' must be query or mutate");
    if (out->query == NULL)
        return og_error_set(err, OG_INVALID, "it has no 'query'");
    return OG_OK;
}

static og_status read_aliases(og_arena *arena, const og_json *root, cli_config *out, og_error *err)
{
    const og_json *section;
    OG_TRY(get_object(root, "aliases", &section, err));
    if (section == NULL)
        return OG_OK;
    cli_alias *aliases = og_arena_array_of(arena, cli_alias, section->count + 1);
    if (aliases == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < section->count; i++) {
        aliases[i].name = section->keys[i].ptr;
        og_status s = read_alias(arena, &section->items[i], &aliases[i], err);
        if (s != OG_OK)
            return og_error_context(err, s, "alias '%s'", aliases[i].name);
    }
    out->aliases = aliases;
    out->alias_count = section->count;
    return OG_OK;
}

static og_status read_all(og_arena *arena, const og_json *root, cli_config *out, og_error *err)
{
    const og_json *query, *queries;
    if (root->kind != OG_JSON_NULL && root->kind != OG_JSON_OBJECT)
        return og_error_set(err, OG_INVALID, "a mapping is expected");
    OG_TRY(read_graphs(arena, root, out, err));
    OG_TRY(read_cli(root, out, err));
    OG_TRY(read_aliases(arena, root, out, err));
    OG_TRY(read_has_policy(root, &out->has_policy, err));
    OG_TRY(get_object(root, "queries", &queries, err));
    out->has_queries = queries != NULL && queries->count > 0;
    OG_TRY(get_object(root, "query", &query, err));
    return get_list(arena, query, "roots", &out->roots, &out->root_count, err);
}

og_status cli_config_parse(og_arena *arena, og_str text, const char *path, cli_config *out,
                           og_error *err)
{
    og_json root;
    cli_config config = {.format = -1};
    og_status s = cli_yaml_parse(arena, text, &root, err);
    if (s == OG_OK)
        s = read_all(arena, &root, &config, err);
    if (s != OG_OK && err != NULL && err->line > 0)
        return og_error_context(err, s, "%s:%u:%u", path, err->line, err->column);
    if (s != OG_OK)
        return og_error_context(err, s, "%s", path);
    *out = config;
    return OG_OK;
}

const cli_graph_entry *cli_config_graph(const cli_config *config, const char *name)
{
    for (size_t i = 0; i < config->graph_count; i++)
        if (strcmp(config->graphs[i].name, name) == 0)
            return &config->graphs[i];
    return NULL;
}

const cli_alias *cli_config_alias(const cli_config *config, const char *name)
{
    for (size_t i = 0; i < config->alias_count; i++)
        if (strcmp(config->aliases[i].name, name) == 0)
            return &config->aliases[i];
    return NULL;
}
