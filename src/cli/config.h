/* cli/config - omnigraph.yaml, the defaults of a folder.
 *
 *     graphs:  { <name>: { uri: <folder>, policy: { file }, queries: {...} } }
 *     cli:     { graph, branch, actor, output_format, table_max_column_width, table_cell_layout }
 *     query:   { roots: [<folder>, ...] }
 *     aliases: { <name>: { command, query, name, args: [...], graph, branch, format } }
 *     policy:  { file }
 *
 * All keys are optional, unknown ones are ignored (other programs read this file too). Relative
 * paths are relative to the file's folder. */
#ifndef OG_CLI_CONFIG_H
#define OG_CLI_CONFIG_H

#include "base/arena.h"
#include "base/error.h"

#define CLI_CONFIG_FILE "omnigraph.yaml"

typedef struct cli_graph_entry {
    const char *name;
    const char *uri;
    bool has_policy;
} cli_graph_entry;

typedef struct cli_alias {
    const char *name;
    bool is_mutation;
    const char *query;       /* file */
    const char *query_name;  /* NULL = the only query of the file */
    const char *const *args; /* parameters that its arguments fill, in order */
    size_t arg_count;
    const char *graph, *branch; /* NULL = not set */
    int format;                 /* og_format, or -1 */
} cli_alias;

/* Texts are NULL when not set. All lives in the arena it was read into. */
typedef struct cli_config {
    const char *base_dir; /* absolute folder of the file, or the current one */
    const cli_graph_entry *graphs;
    size_t graph_count;
    const char *graph, *branch, *actor;
    int format; /* og_format, or -1 */
    uint32_t column_width;
    bool wrap_cells;
    const char *const *roots;
    size_t root_count;
    const cli_alias *aliases;
    size_t alias_count;
    bool has_policy, has_queries; /* at the top: for graphs without a name */
} cli_config;

/* `text` is the file's, `path` its name in messages. base_dir is left to the caller. */
OG_NODISCARD og_status cli_config_parse(og_arena *arena, og_str text, const char *path,
                                        cli_config *out, og_error *err);
/* og_format of "table", "kv", ...; -1 when it is none. */
int cli_format_of(og_str name);

const cli_graph_entry *cli_config_graph(const cli_config *config, const char *name);
const cli_alias *cli_config_alias(const cli_config *config, const char *name);

#endif
