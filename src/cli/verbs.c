/* The tables of commands and options. */
#include "cli/cli.h"

static const char *const modes[] = {"overwrite", "append", "merge", NULL};
static const char *const formats[] = {"table", "kv", "csv", "jsonl", "json", NULL};
static const char *const kinds[] = {"node", "edge", NULL};
static const char *const ops[] = {"insert", "update", "delete", NULL};
static const char *const explains[] = {"plan", "run", NULL};

const cli_option cli_options[CLI_OPTION_COUNT] = {
    [CLI_AS] = {.name = "as",
                .value = "ACTOR",
                .help = "Who writes, for the history; else cli.actor of omnigraph.yaml"},
    [CLI_ACTOR] = {.name = "actor", .value = "ACTOR", .help = "Only commits of this actor"},
    [CLI_ALIAS] = {.name = "alias",
                   .value = "ALIAS",
                   .help = "Run an alias of omnigraph.yaml; arguments fill its parameters"},
    [CLI_AT] = {.name = "at",
                .value = "TIME",
                .help = "Read the last commit of the branch not after a time (2026-11-01, "
                        "'2026-11-01 09:30', 2026-11-01T09:30:00+02:00; UTC if no offset is "
                        "given), or a version (v12)"},
    [CLI_BRANCH] = {.name = "branch",
                    .value = "BRANCH",
                    .help = "Branch to work on; else cli.branch of omnigraph.yaml, else main"},
    [CLI_CONFIG] = {.name = "config",
                    .value = "CONFIG",
                    .help = "Configuration file instead of ./omnigraph.yaml"},
    [CLI_CONFIRM] = {.name = "confirm", .help = "Really remove; without it, only say what for"},
    [CLI_DATA] = {.name = "data",
                  .value = "DATA",
                  .help = "File of JSON records, one after the other; - is standard input"},
    [CLI_DELETE_BRANCH] = {.name = "delete-branch",
                           .help = "Delete the source branch when it was merged"},
    [CLI_EXPLAIN] = {.name = "explain",
                     .value = "run",
                     .value_is_optional = true,
                     .choices = explains,
                     .help = "Show how the query would run; with =run, run it and show counts"},
    [CLI_FORCE] = {.name = "force", .help = "Replace a graph that is already there"},
    [CLI_FORMAT] = {.name = "format",
                    .value = "FORMAT",
                    .choices = formats,
                    .help = "How rows are printed; else cli.output_format, else table"},
    [CLI_FROM] = {.name = "from",
                  .value = "FROM",
                  .help = "Branch that the new one is made of; else cli.branch of omnigraph.yaml, "
                          "else main"},
    [CLI_INTO] = {.name = "into",
                  .value = "BRANCH",
                  .help = "Branch to merge into; else cli.branch of omnigraph.yaml, else main"},
    [CLI_JSON] = {.name = "json", .help = "Print JSON"},
    [CLI_JSONL] = {.name = "jsonl", .is_hidden = true, .help = "Export is always JSONL"},
    [CLI_KIND] = {.name = "kind",
                  .value = "KIND",
                  .choices = kinds,
                  .help = "Only nodes, or only edges"},
    [CLI_KEEP] = {.name = "keep",
                  .value = "KEEP",
                  .is_number = true,
                  .help = "Keep this many versions behind the newest of each table"},
    [CLI_LENIENT] = {.name = "lenient",
                     .help = "Change values of a wrong type as OmniGraph 0.6 did, and count "
                             "them, instead of refusing"},
    [CLI_LIMIT] = {.name = "limit",
                   .value = "LIMIT",
                   .is_number = true,
                   .least = 1,
                   .help = "At most so many"},
    [CLI_MODE] = {.name = "mode",
                  .value = "MODE",
                  .choices = modes,
                  .help = "Replace the types in the file, add rows, or add and replace by key "
                          "[default: load overwrite, ingest merge]"},
    [CLI_NAME] = {.name = "name",
                  .value = "NAME",
                  .help = "Which query of the source; needed when it has several"},
    [CLI_OP] = {.name = "op",
                .value = "OPS",
                .repeats = true,
                .choices = ops,
                .takes_several = true,
                .help = "Only these operations; several are joined by commas"},
    [CLI_OLDER_THAN] =
        {.name = "older-than",
         .value = "OLDER_THAN",
         .help = "Only versions older than this: 90s, 90m, 24h, 7d, 2w; a number without "
                 "a unit is seconds"},
    [CLI_PARAMS] = {.name = "params", .value = "PARAMS", .help = "Parameters as a JSON object"},
    [CLI_PARAMS_FILE] = {.name = "params-file",
                         .value = "PARAMS_FILE",
                         .help = "File with the parameters as a JSON object"},
    [CLI_PREVIEW] = {.name = "preview",
                     .help = "Show the outcome, counts and conflicts, and write nothing"},
    [CLI_PROPERTY_LEVEL] = {.name = "property-level",
                            .help = "Combine edits of different properties of one row, which are "
                                    "else a conflict"},
    [CLI_QUERY] = {.name = "query", .value = "QUERY", .help = "File of queries (.gq)"},
    [CLI_QUERY_STRING] = {.name = "query-string",
                          .letter = 'e',
                          .value = "GQ",
                          .help = "Query text instead of a file"},
    [CLI_REPAIR] = {.name = "repair", .help = "Repair what is safe to repair"},
    [CLI_REVERSE] = {.name = "reverse", .help = "Newest first"},
    [CLI_SCHEMA] = {.name = "schema", .value = "SCHEMA", .help = "Schema file (.pg)"},
    [CLI_SNAPSHOT] = {.name = "snapshot",
                      .value = "SNAPSHOT",
                      .help = "Read the state that a commit made, on whichever branch"},
    [CLI_STAT] = {.name = "stat", .help = "Only count"},
    [CLI_TABLE] = {.name = "table",
                   .value = "TABLE",
                   .repeats = true,
                   .help = "Only this table (node:Person, edge:Knows); may be repeated"},
    [CLI_TARGET] = {.name = "target",
                    .value = "TARGET",
                    .help = "Graph by its name in omnigraph.yaml; else cli.graph"},
    [CLI_TYPE] = {.name = "type",
                  .value = "TYPE",
                  .repeats = true,
                  .help = "Only this node or edge type; may be repeated"},
    [CLI_URI] = {.name = "uri", .value = "URI", .help = "Folder of the graph"},
    [CLI_HELP] = {.name = "help", .letter = 'h', .help = "Print help"},
};

#define ALWAYS (CLI_BIT(CLI_AS) | CLI_BIT(CLI_HELP))
#define ON_GRAPH (ALWAYS | CLI_BIT(CLI_TARGET) | CLI_BIT(CLI_CONFIG) | CLI_BIT(CLI_URI))
#define TIME_TRAVEL (CLI_BIT(CLI_BRANCH) | CLI_BIT(CLI_SNAPSHOT) | CLI_BIT(CLI_AT))
#define WITH_QUERY                                                                                 \
    (ON_GRAPH | CLI_BIT(CLI_ALIAS) | CLI_BIT(CLI_QUERY) | CLI_BIT(CLI_QUERY_STRING) |              \
     CLI_BIT(CLI_NAME) | CLI_BIT(CLI_PARAMS) | CLI_BIT(CLI_PARAMS_FILE) | CLI_BIT(CLI_BRANCH) |    \
     CLI_BIT(CLI_JSON) | CLI_BIT(CLI_LENIENT))

const cli_verb cli_verbs[] = {
    {.name = "init",
     .summary = "Make a new graph from a schema",
     .about =
         "Writes omnigraph.yaml beside the graph's folder when there is none, so that commands "
         "run\nthere find the graph.",
     .examples = "  omnigraph init --schema team.pg team.omni\n"
                 "  omnigraph init --schema team.pg --force team.omni\n",
     .options = ALWAYS | CLI_BIT(CLI_SCHEMA) | CLI_BIT(CLI_FORCE),
     .required = CLI_BIT(CLI_SCHEMA),
     .argument = "URI",
     .argument_help = "Folder of the graph; made when it is not there",
     .argument_required = true,
     .run = cli_run_init},
    {.name = "load",
     .summary = "Load data into a graph",
     .about =
         "All of the file becomes visible as one commit, or nothing does. Node records are\n"
         "{\"type\": T, \"data\": {...}}, edge records {\"edge\": E, \"from\": id, \"to\": id, "
         "\"data\": {...}}.",
     .examples = "  omnigraph load --data team.jsonl team.omni\n"
                 "  omnigraph load --data new.jsonl --mode merge --as ana\n"
                 "  make-records | omnigraph load --data - --mode append\n",
     .options = ON_GRAPH | CLI_BIT(CLI_DATA) | CLI_BIT(CLI_BRANCH) | CLI_BIT(CLI_MODE) |
                CLI_BIT(CLI_JSON) | CLI_BIT(CLI_LENIENT),
     .required = CLI_BIT(CLI_DATA),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .changes_graph = true,
     .run = cli_run_load},
    {.name = "ingest",
     .summary = "Load data into a branch of its own, to be looked at and merged",
     .about = "Makes the branch when it is not there; else loads into it.",
     .examples = "  omnigraph ingest --data new.jsonl --branch review team.omni\n"
                 "  omnigraph ingest --data new.jsonl --branch review --from staging --json\n",
     .options = ON_GRAPH | CLI_BIT(CLI_DATA) | CLI_BIT(CLI_BRANCH) | CLI_BIT(CLI_FROM) |
                CLI_BIT(CLI_MODE) | CLI_BIT(CLI_JSON) | CLI_BIT(CLI_LENIENT),
     .required = CLI_BIT(CLI_DATA),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .changes_graph = true,
     .run = cli_run_ingest},
    {.name = "query",
     .old_name = "read",
     .summary = "Run a read query",
     .about = "The query comes from a file (--query), the command line (-e) or an alias "
              "(--alias).",
     .examples =
         "  omnigraph query -e 'query all() { match { $p: Person } return { $p.name } }' "
         "team.omni\n"
         "  omnigraph query --query team.gq --name friends --params '{\"name\": \"ana\"}'\n"
         "  omnigraph query --query team.gq --name friends --params-file ana.json --format csv\n"
         "  omnigraph query --alias friends ana\n"
         "  omnigraph query --query team.gq --name friends --at 2026-11-01\n"
         "  omnigraph query --query team.gq --name friends --explain=run\n",
     .options = WITH_QUERY | TIME_TRAVEL | CLI_BIT(CLI_FORMAT) | CLI_BIT(CLI_EXPLAIN),
     .argument = "ALIAS_ARGS",
     .argument_help = "Folder of the graph, or arguments of the alias",
     .argument_repeats = true,
     .run = cli_run_query},
    {.name = "mutate",
     .old_name = "change",
     .summary = "Run a mutation query",
     .about = "Its statements become visible as one commit, or none does.",
     .examples = "  omnigraph mutate -e 'query add($n: String) { insert Person { name: $n } }' \\\n"
                 "      --params '{\"n\": \"ana\"}' team.omni\n"
                 "  omnigraph mutate --query team.gq --name hire --params-file ana.json --as bob\n",
     .options = WITH_QUERY,
     .argument = "ALIAS_ARGS",
     .argument_help = "Folder of the graph, or arguments of the alias",
     .argument_repeats = true,
     .changes_graph = true,
     .run = cli_run_mutate},
    {.name = "branch create",
     .summary = "Make a branch",
     .about = "A branch begins as the newest state of another. What is written on it is seen there "
              "only,\nuntil it is merged.",
     .examples = "  omnigraph branch create --uri team.omni review\n"
                 "  omnigraph branch create --from review review/second\n",
     .options = ON_GRAPH | CLI_BIT(CLI_FROM) | CLI_BIT(CLI_JSON),
     .argument = "NAME",
     .argument_help = "Letters, digits, '.', '-' and '_', with '/' between segments",
     .argument_required = true,
     .argument_is_no_graph = true,
     .changes_graph = true,
     .run = cli_run_branch_create},
    {.name = "branch list",
     .summary = "List the branches of a graph",
     .about = "",
     .examples = "  omnigraph branch list team.omni\n",
     .options = ON_GRAPH | CLI_BIT(CLI_JSON),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_branch_list},
    {.name = "branch delete",
     .summary = "Delete a branch",
     .about = "Refused while a branch that was made of it exists. What was merged elsewhere stays "
              "there.",
     .examples = "  omnigraph branch delete --uri team.omni review\n",
     .options = ON_GRAPH | CLI_BIT(CLI_JSON),
     .argument = "NAME",
     .argument_help = "Name of the branch",
     .argument_required = true,
     .argument_is_no_graph = true,
     .changes_graph = true,
     .run = cli_run_branch_delete},
    {.name = "branch merge",
     .summary = "Merge a branch into another",
     .about =
         "As one commit with two parents. Rows are compared by content with what both branches "
         "had when they\nwere last the same. Conflicts are listed, one a line, with exit code "
         "1; then nothing is merged.",
     .examples = "  omnigraph branch merge review\n"
                 "  omnigraph branch merge review --into main --delete-branch --uri team.omni\n"
                 "  omnigraph branch merge review --preview --json\n",
     .options = ON_GRAPH | CLI_BIT(CLI_INTO) | CLI_BIT(CLI_DELETE_BRANCH) | CLI_BIT(CLI_PREVIEW) |
                CLI_BIT(CLI_PROPERTY_LEVEL) | CLI_BIT(CLI_JSON),
     .argument = "SOURCE",
     .argument_help = "Branch whose changes are taken",
     .argument_required = true,
     .argument_is_no_graph = true,
     .run = cli_run_branch_merge},
    {.name = "snapshot",
     .summary = "Show the tables of a graph",
     .about = "",
     .examples = "  omnigraph snapshot team.omni\n"
                 "  omnigraph snapshot --json\n"
                 "  omnigraph snapshot --at 2026-11-01T09:30:00Z\n",
     .options = ON_GRAPH | TIME_TRAVEL | CLI_BIT(CLI_JSON),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_snapshot},
    {.name = "export",
     .summary = "Write a graph as JSON records that load reads again",
     .about = "",
     .examples = "  omnigraph export team.omni > team.jsonl\n"
                 "  omnigraph export --type Person --type Knows\n"
                 "  omnigraph export --snapshot 01K9Z3W8Q6YB2T4M5N7P0R1S2V\n",
     .options =
         ON_GRAPH | TIME_TRAVEL | CLI_BIT(CLI_JSONL) | CLI_BIT(CLI_TYPE) | CLI_BIT(CLI_TABLE),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_export},
    {.name = "commit list",
     .summary = "List the commits of a branch, oldest first",
     .about = "With those that the branch inherited from the one it was made of. --limit takes the "
              "first ones of\nwhat is listed: with --reverse the newest.",
     .examples = "  omnigraph commit list team.omni\n"
                 "  omnigraph commit list --reverse --limit 10\n"
                 "  omnigraph commit list --branch review --actor ana --json\n",
     .options = ON_GRAPH | CLI_BIT(CLI_BRANCH) | CLI_BIT(CLI_ACTOR) | CLI_BIT(CLI_LIMIT) |
                CLI_BIT(CLI_REVERSE) | CLI_BIT(CLI_JSON),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_commit_list},
    {.name = "commit show",
     .summary = "Show a commit",
     .about = "Takes the id of a commit, of any branch; or of an operation whose outcome a message "
              "called unknown:\nthen it tells whether that was published.",
     .examples = "  omnigraph commit show --uri team.omni 01K9Z3W8Q6YB2T4M5N7P0R1S2V\n"
                 "  omnigraph commit show 01K9Z3W8Q6YB2T4M5N7P0R1S2V --json\n",
     .options = ON_GRAPH | CLI_BIT(CLI_JSON),
     .argument = "COMMIT_ID",
     .argument_help = "Id of the commit or operation",
     .argument_required = true,
     .argument_is_no_graph = true,
     .run = cli_run_commit_show},
    {.name = "diff",
     .summary = "Show what changed between two states of a graph",
     .about =
         "A state is a branch (feature), a commit's id, a version (v12), or a moment of a branch\n"
         "(feature@v12, feature@2026-11-01T09:30:00Z). Changes lead from the first to the second, "
         "or "
         "to the\nnewest state of --branch. A row that was written again with equal values is no "
         "change. Text shows\nlong vectors and blobs in short; --json prints a line for each row "
         "and "
         "a last one of counts.",
     .examples = "  omnigraph diff main feature --uri team.omni\n"
                 "  omnigraph diff v12 v15\n"
                 "  omnigraph diff main@2026-11-01 main --type Person --op insert,delete --json\n"
                 "  omnigraph diff 01K9Z3W8Q6YB2T4M5N7P0R1S2V --stat\n",
     .options = ON_GRAPH | CLI_BIT(CLI_BRANCH) | CLI_BIT(CLI_TYPE) | CLI_BIT(CLI_KIND) |
                CLI_BIT(CLI_OP) | CLI_BIT(CLI_STAT) | CLI_BIT(CLI_JSON),
     .argument = "STATE",
     .argument_help = "Branch, commit, version or moment: one or two",
     .argument_required = true,
     .argument_repeats = true,
     .most_arguments = 2,
     .argument_is_no_graph = true,
     .run = cli_run_diff},
    {.name = "optimize",
     .summary = "Join small files of a graph's tables and drop deleted rows",
     .about = "What queries answer stays the same, but for the order of rows without `order`. The "
              "files that were joined\nremain, for earlier versions, until a cleanup.",
     .examples = "  omnigraph optimize team.omni\n"
                 "  omnigraph optimize --branch review --json\n",
     .options = ON_GRAPH | CLI_BIT(CLI_BRANCH) | CLI_BIT(CLI_JSON),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_optimize},
    {.name = "cleanup",
     .summary = "Remove old versions of a graph's tables for good",
     .about = "Needs --keep or --older-than; with both, what either keeps stays. What the newest "
              "state of any branch, or a\nmerge of two, needs is never removed. Earlier states "
              "that go can't be read any more.",
     .examples = "  omnigraph cleanup --keep 10 team.omni\n"
                 "  omnigraph cleanup --keep 10 --older-than 7d --confirm team.omni\n",
     .options = ON_GRAPH | CLI_BIT(CLI_KEEP) | CLI_BIT(CLI_OLDER_THAN) | CLI_BIT(CLI_CONFIRM) |
                CLI_BIT(CLI_JSON),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_cleanup},
    {.name = "fsck",
     .summary = "Read all of a graph and tell what is wrong with it",
     .about =
         "One finding a line: damage, when answers are or may be wrong; leftovers of interrupted "
         "writes and of moves,\nwhich no answer shows. Exit code 1 when findings remain.",
     .examples = "  omnigraph fsck team.omni\n"
                 "  omnigraph fsck --repair --json\n",
     .options = ON_GRAPH | CLI_BIT(CLI_JSON) | CLI_BIT(CLI_REPAIR),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_fsck},
    {.name = "relocate",
     .summary = "Write anew the places of a graph that was moved or copied",
     .about =
         "This program finds a graph's parts wherever it is; OmniGraph 0.6 goes by absolute paths "
         "in it.\nNeeds one commit on each branch. Earlier states keep the old paths.",
     .examples = "  mv team.omni /srv/team.omni && omnigraph relocate /srv/team.omni\n",
     .options = ON_GRAPH | CLI_BIT(CLI_JSON),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_relocate},
    {.name = "lint",
     .old_name = "check",
     .summary = "Check a file of queries against a schema or a graph",
     .about = "Exit code 1 when there are errors.",
     .examples = "  omnigraph lint --schema team.pg --query team.gq\n"
                 "  omnigraph lint --query team.gq team.omni --json\n",
     .options = ON_GRAPH | CLI_BIT(CLI_QUERY) | CLI_BIT(CLI_SCHEMA) | CLI_BIT(CLI_JSON),
     .required = CLI_BIT(CLI_QUERY),
     .argument = "URI",
     .argument_help = "Folder of the graph, when no schema is given",
     .run = cli_run_lint},
    {.name = "schema show",
     .old_name = "schema get",
     .summary = "Print the schema of a graph",
     .about = "",
     .examples = "  omnigraph schema show team.omni\n",
     .options = ON_GRAPH | CLI_BIT(CLI_JSON),
     .argument = "URI",
     .argument_help = "Folder of the graph",
     .run = cli_run_schema_show},
    {.name = "version",
     .summary = "Print the version",
     .about = "",
     .examples = "  omnigraph version\n",
     .options = ALWAYS,
     .run = cli_run_version},
};
const size_t cli_verb_count = sizeof cli_verbs / sizeof *cli_verbs;
