/* cli/args - what the command line says, by one table of commands and options.
 *
 * The same tables serve parsing, help and completion. The syntax is what users of the
 * reference know (clap): `--name value`, `--name=value`, `-n value`, options and arguments in any
 * order, `--` before arguments that begin with a dash, no abbreviations, no option twice unless it
 * repeats, exit code 2 with a usage line on anything else. */
#ifndef OG_CLI_ARGS_H
#define OG_CLI_ARGS_H

#include "base/vec.h"
#include "omnigraph.h"

typedef enum cli_option_id {
    CLI_AS,
    CLI_ACTOR,
    CLI_ALIAS,
    CLI_AT,
    CLI_BRANCH,
    CLI_CONFIG,
    CLI_CONFIRM,
    CLI_DATA,
    CLI_DELETE_BRANCH,
    CLI_EXPLAIN,
    CLI_FORCE,
    CLI_FORMAT,
    CLI_FROM,
    CLI_INTO,
    CLI_JSON,
    CLI_JSONL,
    CLI_KEEP,
    CLI_KIND,
    CLI_LENIENT,
    CLI_LIMIT,
    CLI_MODE,
    CLI_NAME,
    CLI_OLDER_THAN,
    CLI_OP,
    CLI_PARAMS,
    CLI_PARAMS_FILE,
    CLI_PREVIEW,
    CLI_PROPERTY_LEVEL,
    CLI_QUERY,
    CLI_QUERY_STRING,
    CLI_REPAIR,
    CLI_REVERSE,
    CLI_SCHEMA,
    CLI_SNAPSHOT,
    CLI_STAT,
    CLI_TABLE,
    CLI_TARGET,
    CLI_TYPE,
    CLI_URI,
    CLI_HELP, /* last: help lists it last */
    CLI_OPTION_COUNT,
} cli_option_id;

typedef struct cli_option {
    const char *name;
    char letter;            /* '\0' = none */
    const char *value;      /* name of its value in help; NULL = a flag */
    bool value_is_optional; /* then only --name=value gives one */
    bool repeats;
    bool is_hidden;
    const char *const *choices; /* ended by NULL; NULL = any text */
    bool takes_several;         /* of the choices, joined by commas */
    bool is_number;             /* a whole one, */
    uint64_t least;             /* from here on */
    const char *help;
} cli_option;
/* By cli_option_id. */
extern const cli_option cli_options[CLI_OPTION_COUNT];

typedef struct cli cli;

typedef struct cli_verb {
    const char *name;     /* "load", "schema show" */
    const char *old_name; /* still understood; NULL = none */
    const char *summary;  /* one line */
    const char *about;    /* "" or paragraphs after it */
    const char *examples; /* lines, indented by two */
    uint64_t options;     /* bits of cli_option_id; --as and --help are in all */
    uint64_t required;    /* of these */
    const char *argument; /* name in usage: "[URI]"; NULL = takes none */
    const char *argument_help;
    bool argument_required;
    bool argument_repeats;
    size_t most_arguments;     /* if it repeats; 0 = any number */
    bool argument_is_no_graph; /* the graph comes by --uri, --target or cli.graph only */
    bool changes_graph;        /* what a policy may forbid */
    og_status (*run)(cli *c, og_error *err);
} cli_verb;
#define CLI_BIT(option) (UINT64_C(1) << (option))
extern const cli_verb cli_verbs[];
extern const size_t cli_verb_count;

typedef OG_VEC(const char *) cli_texts;

typedef struct cli_args {
    const cli_verb *verb;
    cli_texts given[CLI_OPTION_COUNT]; /* values in order; "" for a flag */
    cli_texts arguments;
} cli_args;

/* True: `out` says what to run. False: the line was answered (help, version) or refused here, and
 * *out_exit is the exit code. Texts are borrowed from argv. */
bool cli_parse(int argc, char **argv, cli_args *out, int *out_exit);
void cli_args_deinit(cli_args *args);

static inline bool cli_has(const cli_args *args, cli_option_id option)
{
    return args->given[option].len > 0;
}
/* NULL when not given. */
static inline const char *cli_value(const cli_args *args, cli_option_id option)
{
    return cli_has(args, option) ? args->given[option].items[0] : NULL;
}
/* The value of an option that takes a number; false when not given. */
bool cli_number(const cli_args *args, cli_option_id option, uint64_t *out);

#endif
