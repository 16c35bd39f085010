/* init: a new graph, and the omnigraph.yaml that makes it the folder's default. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* The reference's text, which `cli.graph: local` of every command relies on. */
static const char config_head[] = "project:\n"
                                  "  name: Omnigraph Project\n"
                                  "\n"
                                  "graphs:\n"
                                  "  local:\n"
                                  "    uri: ";
static const char config_tail[] = "\n"
                                  "    # bearer_token_env: OMNIGRAPH_BEARER_TOKEN\n"
                                  "\n"
                                  "server:\n"
                                  "  graph: local\n"
                                  "  bind: 127.0.0.1:8080\n"
                                  "\n"
                                  "cli:\n"
                                  "  graph: local\n"
                                  "  branch: main\n"
                                  "  output_format: table\n"
                                  "  table_max_column_width: 80\n"
                                  "  table_cell_layout: truncate\n"
                                  "\n"
                                  "query:\n"
                                  "  roots:\n"
                                  "    - queries\n"
                                  "    - .\n"
                                  "\n"
                                  "aliases:\n"
                                  "  # owner:\n"
                                  "  #   command: read\n"
                                  "  #   query: context.gq\n"
                                  "  #   name: decision_owner\n"
                                  "  #   args: [slug]\n"
                                  "  #   graph: local\n"
                                  "  #   branch: main\n"
                                  "  #   format: kv\n"
                                  "  #\n"
                                  "  # attach_trace:\n"
                                  "  #   command: change\n"
                                  "  #   query: mutations.gq\n"
                                  "  #   name: attach_trace\n"
                                  "  #   args: [decision_slug, trace_slug]\n"
                                  "  #   graph: local\n"
                                  "  #   branch: main\n"
                                  "\n"
                                  "# auth:\n"
                                  "#   env_file: ./.env.omni\n"
                                  "#\n"
                                  "# policy:\n"
                                  "#   file: ./policy.yaml\n";

/* Split "a/b/graph.omni/" into the folder the graph lies in ("a/b", "" for the current one) and the
 * graph's name there. */
static void split_uri(og_str uri, og_str *out_folder, og_str *out_name)
{
    while (uri.len > 1 && uri.ptr[uri.len - 1] == '/')
        uri.len--;
    size_t at = uri.len;
    while (at > 0 && uri.ptr[at - 1] != '/')
        at--;
    *out_folder = og_str_slice(uri, 0, at > 1 ? at - 1 : at);
    *out_name = og_str_slice(uri, at, uri.len);
}

static void write_config(og_buf *out, og_str uri)
{
    og_buf_append(out, config_head, sizeof config_head - 1);
    og_buf_byte(out, '\'');
    for (size_t i = 0; i < uri.len; i++)
        og_buf_text(out, uri.ptr[i] == '\'' ? "''" : (char[]){uri.ptr[i], '\0'});
    og_buf_byte(out, '\'');
    og_buf_append(out, config_tail, sizeof config_tail - 1);
}

/* *out_was_there: the file is left as it is. */
static og_status write_new_file(const char *path, const og_buf *text, bool *out_was_there,
                                og_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    *out_was_there = fd < 0 && errno == EEXIST;
    if (*out_was_there)
        return OG_OK;
    if (fd < 0)
        return og_error_errno(err, errno, "can't write", path);
    og_status s = OG_OK;
    for (size_t at = 0; at < text->len && s == OG_OK;) {
        ssize_t n = write(fd, text->ptr + at, text->len - at);
        if (n < 0 && errno != EINTR)
            s = og_error_errno(err, errno, "can't write", path);
        at += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    return s;
}

static bool is_same_folder(const char *a, const char *b)
{
    struct stat at_a, at_b;
    return stat(a, &at_a) == 0 && stat(b, &at_b) == 0 && at_a.st_dev == at_b.st_dev &&
           at_a.st_ino == at_b.st_ino;
}

/* Is `uri` what commands in `folder`, with its omnigraph.yaml at `path`, work on by default? */
static bool leads_to(cli *c, const char *path, og_str folder, const char *uri)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    cli_config config = {0};
    if (cli_read_file(path, &text, NULL) != OG_OK ||
        cli_config_parse(c->arena, og_buf_view(&text), path, &config, NULL) != OG_OK ||
        config.graph == NULL)
        return false;
    const cli_graph_entry *entry = cli_config_graph(&config, config.graph);
    if (entry == NULL || strcmp(entry->uri, uri) == 0)
        return entry != NULL;
    og_str base = og_arena_str(c->arena, folder.len > 0 ? folder : OG_STR("."));
    const char *named = base.ptr != NULL ? cli_join(c, base.ptr, entry->uri) : NULL;
    return named != NULL && is_same_folder(named, uri);
}

/* Beside the graph, unless there is one; for a URL, in the current folder. A relative path is meant
 * from the file's folder. */
static og_status scaffold_config(cli *c, const char *uri, og_error *err)
{
    og_str folder, name;
    split_uri(og_str_of(cli_is_url(uri) ? "" : uri), &folder, &name);
    og_str path = folder.len == 0
                      ? OG_STR(CLI_CONFIG_FILE)
                      : og_arena_printf(c->arena, "%.*s/%s", OG_FMT(folder), CLI_CONFIG_FILE);
    if (path.ptr == NULL)
        return og_error_nomem(err);
    OG_AUTO_BUF text = OG_BUF_INIT;
    write_config(&text, uri[0] == '/' || name.len == 0 ? og_str_of(uri) : name);
    if (text.failed)
        return og_error_nomem(err);
    bool was_there;
    OG_TRY(write_new_file(path.ptr, &text, &was_there, err));
    if (was_there && !leads_to(c, path.ptr, folder, uri))
        cli_warn("%s was there already and does not lead to this graph: give commands '%s', or add "
                 "it to the file",
                 path.ptr, uri);
    return OG_OK;
}

og_status cli_run_init(cli *c, og_error *err)
{
    const char *uri = c->args.arguments.items[0];
    OG_AUTO_BUF schema = OG_BUF_INIT;
    OG_TRY(cli_check_uri(uri, err));
    OG_TRY(cli_read_file(cli_value(&c->args, CLI_SCHEMA), &schema, err));
    og_str text = og_buf_view(&schema);
    OG_TRY(og_graph_init(uri, (og_text){text.ptr, text.len}, cli_has(&c->args, CLI_FORCE), err));
    c->has_changed = true;
    OG_TRY(scaffold_config(c, uri, err));
    return cli_print(err, "initialized %s\n", uri);
}
