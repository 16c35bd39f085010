/* The command line: parsing and help, by the tables of the verbs. */
#include "lancetool/tool.h"

#include "base/number.h"

#define EXIT_USAGE 2

/* ---- help --------------------------------------------------------------------------------- */

static const tool_option help_option = {"help", NULL, "print this help"};

static void print_option(const tool_option *option)
{
    char label[64];
    snprintf(label, sizeof label, "--%s%s%s%s", option->name, option->value != NULL ? " <" : "",
             option->value != NULL ? option->value : "", option->value != NULL ? ">" : "");
    printf("  %-22s %s\n", label, option->help);
}

static void print_verb_help(const tool_verb *verb)
{
    printf("%s\n\nUsage: lancetool %s [OPTIONS] %s\n\n%s%sOptions:\n", verb->summary, verb->name,
           verb->arguments, verb->about, verb->about[0] != '\0' ? "\n" : "");
    for (const tool_option *option = verb->options; option->name != NULL; option++)
        print_option(option);
    print_option(&help_option);
    printf("\nExamples:\n%s", verb->examples);
}

static void print_help(void)
{
    printf("Look into Lance tables, and change them.\n\n"
           "Usage: lancetool <COMMAND> [OPTIONS] [ARGUMENTS]\n\nCommands:\n");
    for (const tool_verb *const *verb = tool_verbs; *verb != NULL; verb++)
        printf("  %-14s %s\n", (*verb)->name, (*verb)->summary);
    printf(
        "\nOptions:\n  --help      print help; after a command, its own\n"
        "  --version   print the version\n\n"
        "A table is a folder with `_versions` in it. Exit codes: 0 good, 1 wrong data, 2 usage,\n"
        "3 a feature that is not supported.\n");
}

/* ---- parsing ------------------------------------------------------------------------------ */

static bool refuse(const tool_verb *verb, const char *problem, const char *what, int *out_exit)
{
    fprintf(stderr, "error: %s%s%s%s\n\n", problem, what[0] != '\0' ? " '" : "", what,
            what[0] != '\0' ? "'" : "");
    if (verb != NULL)
        fprintf(stderr, "Usage: lancetool %s [OPTIONS] %s\n", verb->name, verb->arguments);
    else
        fprintf(stderr, "Usage: lancetool <COMMAND> [OPTIONS] [ARGUMENTS]\n");
    *out_exit = EXIT_USAGE;
    return false;
}

static const tool_verb *find_verb(const char *name)
{
    for (const tool_verb *const *verb = tool_verbs; *verb != NULL; verb++)
        if (strcmp((*verb)->name, name) == 0)
            return *verb;
    return NULL;
}

/* Index of the option `text` names ("name" or "name=value"), or -1. */
static int find_option(const tool_verb *verb, og_str name)
{
    for (int i = 0; verb->options[i].name != NULL; i++)
        if (og_str_is(name, verb->options[i].name))
            return i;
    return -1;
}

/* The option at argv[*at]; *at moves on over a value that stands by itself. */
static bool parse_option(tool_call *call, int argc, char **argv, int *at, int *out_exit)
{
    const char *text = argv[*at] + 2, *equals = strchr(text, '=');
    og_str name = {text, equals != NULL ? (size_t)(equals - text) : strlen(text)};
    int index = find_option(call->verb, name);
    if (index < 0)
        return refuse(call->verb, "unexpected option", argv[*at], out_exit);
    const tool_option *option = &call->verb->options[index];
    if (call->values[index] != NULL)
        return refuse(call->verb, "an option is given twice:", argv[*at], out_exit);
    if (option->value == NULL) {
        if (equals != NULL)
            return refuse(call->verb, "an option takes no value:", argv[*at], out_exit);
        call->values[index] = "";
        return true;
    }
    if (equals == NULL && *at + 1 >= argc)
        return refuse(call->verb, "a value is missing for", argv[*at], out_exit);
    call->values[index] = equals != NULL ? equals + 1 : argv[++*at];
    return true;
}

static bool parse_words(tool_call *call, int argc, char **argv, int *out_exit)
{
    int kept = 0;
    bool options_end = false;
    for (int i = 0; i < argc; i++) {
        if (options_end || strncmp(argv[i], "-", 1) != 0 || strcmp(argv[i], "-") == 0) {
            argv[kept++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            options_end = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_verb_help(call->verb);
            *out_exit = 0;
            return false;
        } else if (strncmp(argv[i], "--", 2) != 0) {
            return refuse(call->verb, "unexpected option", argv[i], out_exit);
        } else if (!parse_option(call, argc, argv, &i, out_exit)) {
            return false;
        }
    }
    call->arguments = (const char *const *)argv;
    call->argument_count = (uint32_t)kept;
    if (call->argument_count < call->verb->min_arguments)
        return refuse(call->verb, "an argument is missing", "", out_exit);
    if (call->argument_count > call->verb->max_arguments)
        return refuse(call->verb, "unexpected argument", argv[call->verb->max_arguments], out_exit);
    return true;
}

bool tool_parse(int argc, char **argv, tool_call *out, int *out_exit)
{
    *out = (tool_call){0};
    const char *word = argc > 1 ? argv[1] : "";
    bool asks = strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
    *out_exit = 0;
    if (strcmp(word, "--version") == 0 || strcmp(word, "version") == 0) {
        printf("lancetool %s\n", OG_VERSION);
        return false;
    }
    if (asks && argc > 2)
        word = argv[2];
    else if (asks) {
        print_help();
        return false;
    }
    if (word[0] == '\0')
        return refuse(NULL, "a command is missing; see lancetool --help", "", out_exit);
    out->verb = find_verb(word);
    if (out->verb == NULL)
        return refuse(NULL, "no such command:", word, out_exit);
    if (asks) {
        print_verb_help(out->verb);
        return false;
    }
    return parse_words(out, argc - 2, argv + 2, out_exit);
}

/* ---- what was given ----------------------------------------------------------------------- */

const char *tool_value(const tool_call *call, const char *option)
{
    int index = find_option(call->verb, og_str_of(option));
    return index >= 0 ? call->values[index] : NULL;
}

og_status tool_number(const tool_call *call, const char *option, uint64_t fallback, uint64_t *out,
                      og_error *err)
{
    const char *text = tool_value(call, option);
    *out = fallback;
    if (text != NULL && !og_parse_u64(og_str_of(text), out))
        return og_error_set(err, OG_INVALID, "--%s takes a whole number, not '%s'", option, text);
    return OG_OK;
}

og_status tool_list(const tool_call *call, const char *text, og_str **out, uint32_t *out_count,
                    og_error *err)
{
    uint32_t count = 1;
    for (const char *at = text; *at != '\0'; at++)
        count += *at == ',';
    og_str *items = og_arena_array_of(call->arena, og_str, count);
    if (items == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        const char *end = strchr(text, ',');
        items[i] = (og_str){text, end != NULL ? (size_t)(end - text) : strlen(text)};
        text = end != NULL ? end + 1 : "";
    }
    *out = items;
    *out_count = count;
    return OG_OK;
}
