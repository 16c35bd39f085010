#include "cli/args.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/str.h"
#include "cli/help.h"

#define EXIT_USAGE 2

typedef struct parser {
    int argc;
    char **argv;
    int at;
    cli_args *out;
    const char *words[2]; /* of the command's name */
    int exit_code;        /* once the line is answered or refused */
    bool only_arguments;  /* after "--" */
    bool wants_help;
} parser;

/* Options that exclude each other. */
static const cli_option_id conflicts[][2] = {
    {CLI_ALIAS, CLI_QUERY},        {CLI_ALIAS, CLI_QUERY_STRING}, {CLI_QUERY, CLI_QUERY_STRING},
    {CLI_PARAMS, CLI_PARAMS_FILE}, {CLI_JSON, CLI_FORMAT},        {CLI_EXPLAIN, CLI_FORMAT},
    {CLI_SNAPSHOT, CLI_BRANCH},    {CLI_SNAPSHOT, CLI_AT},
};

/* ---- refusing ----------------------------------------------------------------------------- */

/* "error: ...", a tip, the usage and where to find more; always false. */
__attribute__((format(printf, 3, 4))) static bool refuse(parser *p, const char *tip,
                                                         const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("error: ", stderr);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    if (tip != NULL)
        fprintf(stderr, "\n\n  tip: a similar name exists: '%s'", tip);
    fputs("\n\n", stderr);
    cli_usage(stderr, p->out->verb);
    fputs("\nFor more information, try '--help'.\n", stderr);
    p->exit_code = EXIT_USAGE;
    return false;
}

/* Keep the candidate nearest to `name`, if any is near. */
static void consider(const char *name, const char *candidate, size_t *best,
                     const char **out_nearest)
{
    size_t d = og_str_distance(og_str_of(name), og_str_of(candidate), *best);
    if (d > *best || (d == *best && *out_nearest != NULL))
        return;
    *best = d;
    *out_nearest = candidate;
}

/* At most this many edits make a name similar. */
static size_t similar_limit(const char *name)
{
    return strlen(name) < 6 ? 2 : 3;
}

/* The one command of a group that is called so: "branch merge" of "merge". */
static const char *verb_of_a_group(const char *word)
{
    const char *found = NULL;
    for (size_t i = 0; i < cli_verb_count; i++) {
        const char *blank = strchr(cli_verbs[i].name, ' ');
        if (blank == NULL || strcmp(blank + 1, word) != 0)
            continue;
        if (found != NULL)
            return NULL;
        found = cli_verbs[i].name;
    }
    return found;
}

/* `group` is the word before, or NULL. Of "branch create" the first word alone is one, too. */
static const char *nearest_verb(const char *group, const char *word)
{
    static char first[64];
    char name[64];
    snprintf(name, sizeof name, group != NULL ? "%s %s" : "%s%s", group != NULL ? group : "", word);
    size_t best = similar_limit(word);
    const char *nearest = group == NULL ? verb_of_a_group(word) : NULL;
    if (nearest != NULL)
        return nearest;
    for (size_t i = 0; i < cli_verb_count; i++)
        consider(name, cli_verbs[i].name, &best, &nearest);
    for (size_t i = 0; i < cli_verb_count && group == NULL && nearest == NULL; i++) {
        snprintf(first, sizeof first, "%.*s", (int)strcspn(cli_verbs[i].name, " "),
                 cli_verbs[i].name);
        consider(name, first, &best, &nearest);
    }
    return nearest;
}

static bool refuse_option(parser *p, const char *text)
{
    size_t len = strcspn(text, "="), best;
    char name[64], tip[64];
    const char *nearest = NULL;
    snprintf(name, sizeof name, "%.*s", (int)(len < 60 ? len : 60), text);
    best = similar_limit(name + 2);
    for (cli_option_id id = 0; id < CLI_OPTION_COUNT && strncmp(name, "--", 2) == 0; id++) {
        if (p->out->verb != NULL && (p->out->verb->options & CLI_BIT(id)) != 0)
            consider(name + 2, cli_options[id].name, &best, &nearest);
    }
    if (nearest != NULL)
        snprintf(tip, sizeof tip, "--%s", nearest);
    return refuse(p, nearest != NULL ? tip : NULL, "unexpected argument '%s' found", name);
}

static void label(cli_option_id id, char *dst, size_t cap)
{
    const cli_option *o = &cli_options[id];
    if (o->value == NULL || o->value_is_optional)
        snprintf(dst, cap, "--%s", o->name);
    else
        snprintf(dst, cap, "--%s <%s>", o->name, o->value);
}

static bool out_of_memory(parser *p)
{
    fputs("Error: out of memory\n", stderr);
    p->exit_code = og_status_exit_code(OG_NOMEM);
    return false;
}

/* ---- the command -------------------------------------------------------------------------- */

static bool is_group(const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; i < cli_verb_count; i++)
        if (strncmp(cli_verbs[i].name, word, len) == 0 && cli_verbs[i].name[len] == ' ')
            return true;
    return false;
}

static bool verb_is(const cli_verb *v, const char *word)
{
    return strcmp(v->name, word) == 0 || (v->old_name != NULL && strcmp(v->old_name, word) == 0);
}

static const cli_verb *find_verb(const char *first, const char *second)
{
    char name[64];
    snprintf(name, sizeof name, second != NULL ? "%s %s" : "%s", first, second);
    for (size_t i = 0; i < cli_verb_count; i++)
        if (verb_is(&cli_verbs[i], name))
            return &cli_verbs[i];
    return NULL;
}

/* A word before the command is complete. */
static bool take_word(parser *p, const char *word)
{
    if (p->words[0] == NULL && is_group(word)) {
        p->words[0] = word;
        return true;
    }
    const char *group = p->words[0];
    p->out->verb = group != NULL ? find_verb(group, word) : find_verb(word, NULL);
    if (p->out->verb == NULL)
        return refuse(p, nearest_verb(group, word), "unrecognized subcommand '%s'", word);
    return true;
}

/* `omnigraph help [COMMAND]` */
static bool answer_help(parser *p)
{
    const char *first = p->at < p->argc ? p->argv[p->at] : NULL;
    const char *second = p->at + 1 < p->argc ? p->argv[p->at + 1] : NULL;
    if (first == NULL || strcmp(first, "-h") == 0 || strcmp(first, "--help") == 0) {
        cli_help_all(stdout);
        return false;
    }
    const cli_verb *verb = find_verb(first, second);
    if (verb == NULL && is_group(first) && second == NULL)
        cli_help_group(stdout, first);
    else if (verb == NULL)
        return refuse(p, nearest_verb(NULL, first), "unrecognized subcommand '%s'", first);
    else
        cli_help_verb(stdout, verb);
    return false;
}

/* ---- options ------------------------------------------------------------------------------ */

static bool is_choice(const cli_option *o, og_str value)
{
    for (size_t i = 0; o->choices[i] != NULL; i++)
        if (og_str_is(value, o->choices[i]))
            return true;
    return false;
}

/* Of "insert,foo" the message names the word that is none of the choices. */
static bool check_choice(parser *p, cli_option_id id, const char *text)
{
    const cli_option *o = &cli_options[id];
    char name[64], list[128] = "";
    og_str value, rest = og_str_of(text);
    do {
        size_t comma = o->takes_several ? og_str_find(rest, OG_STR(",")) : SIZE_MAX;
        value = og_str_slice(rest, 0, comma != SIZE_MAX ? comma : rest.len);
        if (!is_choice(o, value))
            break;
        if (comma == SIZE_MAX)
            return true;
        rest = og_str_slice(rest, comma + 1, rest.len);
    } while (true);
    for (size_t i = 0; o->choices[i] != NULL; i++) {
        size_t len = strlen(list);
        snprintf(list + len, sizeof list - len, "%s%s", i > 0 ? ", " : "", o->choices[i]);
    }
    label(id, name, sizeof name);
    if (text[0] == '\0')
        return refuse(p, NULL,
                      "a value is required for '%s' but none was supplied\n  [possible values: %s]",
                      name, list);
    return refuse(p, NULL, "invalid value '%.*s' for '%s'\n  [possible values: %s]", OG_FMT(value),
                  name, list);
}

static bool parse_number(const char *text, uint64_t *out)
{
    return og_parse_u64(og_str_of(text[0] == '+' ? text + 1 : text), out);
}

static bool check_number(parser *p, cli_option_id id, const char *value)
{
    char name[64];
    uint64_t number;
    if (parse_number(value, &number) && number >= cli_options[id].least)
        return true;
    label(id, name, sizeof name);
    return refuse(p, NULL,
                  "invalid value '%s' for '%s': a whole number from %" PRIu64 " on is wanted",
                  value, name, cli_options[id].least);
}

static bool check_value(parser *p, cli_option_id id, const char *value)
{
    if (cli_options[id].choices != NULL)
        return check_choice(p, id, value);
    return !cli_options[id].is_number || check_number(p, id, value);
}

bool cli_number(const cli_args *args, cli_option_id option, uint64_t *out)
{
    const char *text = cli_value(args, option);
    return text != NULL && parse_number(text, out);
}

/* `inline_value`: what stood behind '=', or NULL. */
static bool take_option(parser *p, cli_option_id id, const char *inline_value)
{
    const cli_option *o = &cli_options[id];
    char name[64];
    const char *value = inline_value;
    label(id, name, sizeof name);
    if (o->value == NULL && inline_value != NULL)
        return refuse(p, NULL, "unexpected value '%s' for '%s' found; no more were expected",
                      inline_value, name);
    bool has_none = o->value == NULL || (o->value_is_optional && value == NULL);
    if (has_none)
        value = "";
    if (value == NULL) {
        const char *next = p->at < p->argc ? p->argv[p->at] : NULL;
        if (next == NULL || (next[0] == '-' && next[1] != '\0'))
            return refuse(p, NULL, "a value is required for '%s' but none was supplied", name);
        value = next;
        p->at++;
    }
    if (p->out->given[id].len > 0 && !o->repeats)
        return refuse(p, NULL, "the argument '%s' cannot be used multiple times", name);
    if (id == CLI_HELP)
        p->wants_help = true;
    return (has_none || check_value(p, id, value)) &&
           (og_vec_push(&p->out->given[id], value) || out_of_memory(p));
}

static bool is_allowed(const parser *p, cli_option_id id)
{
    const uint64_t always = CLI_BIT(CLI_AS) | CLI_BIT(CLI_HELP);
    return ((p->out->verb != NULL ? p->out->verb->options | always : always) & CLI_BIT(id)) != 0;
}

static bool take_long(parser *p, const char *text)
{
    const char *equals = strchr(text, '=');
    og_str name =
        equals != NULL ? (og_str){text + 2, (size_t)(equals - text) - 2} : og_str_of(text + 2);
    for (cli_option_id id = 0; id < CLI_OPTION_COUNT; id++)
        if (og_str_is(name, cli_options[id].name) && is_allowed(p, id))
            return take_option(p, id, equals != NULL ? equals + 1 : NULL);
    return refuse_option(p, text);
}

/* -e text, -etext, -e=text; flags don't combine, there are too few. */
static bool take_short(parser *p, const char *text)
{
    for (cli_option_id id = 0; id < CLI_OPTION_COUNT; id++) {
        const cli_option *o = &cli_options[id];
        if (o->letter == '\0' || o->letter != text[1] || !is_allowed(p, id))
            continue;
        if (o->value == NULL && text[2] != '\0')
            break;
        const char *rest = text[2] == '=' ? text + 3 : text + 2;
        return take_option(p, id, text[2] != '\0' ? rest : NULL);
    }
    return refuse_option(p, text);
}

static bool take_argument(parser *p, const char *text)
{
    const cli_verb *verb = p->out->verb;
    if (verb == NULL)
        return take_word(p, text);
    size_t most = verb->argument_repeats ? verb->most_arguments : 1, count = p->out->arguments.len;
    if (verb->argument == NULL || (most > 0 && count >= most))
        return refuse(p, NULL, "unexpected argument '%s' found", text);
    return og_vec_push(&p->out->arguments, text) || out_of_memory(p);
}

static bool take(parser *p, const char *text)
{
    bool is_first = p->out->verb == NULL && p->words[0] == NULL;
    if (p->only_arguments || text[0] != '-' || text[1] == '\0') {
        if (is_first && strcmp(text, "help") == 0)
            return answer_help(p);
        return take_argument(p, text);
    }
    if (strcmp(text, "--") == 0)
        return p->only_arguments = true;
    if (is_first && (strcmp(text, "-v") == 0 || strcmp(text, "--version") == 0)) {
        printf("omnigraph %s\n", og_version());
        return false;
    }
    return text[1] == '-' ? take_long(p, text) : take_short(p, text);
}

/* ---- the whole line ----------------------------------------------------------------------- */

static bool check_required(parser *p)
{
    const cli_verb *v = p->out->verb;
    char missing[256] = "", name[64];
    for (cli_option_id id = 0; id < CLI_OPTION_COUNT; id++) {
        if ((v->required & CLI_BIT(id)) == 0 || cli_has(p->out, id))
            continue;
        label(id, name, sizeof name);
        size_t len = strlen(missing);
        snprintf(missing + len, sizeof missing - len, "\n  %s", name);
    }
    if (v->argument_required && p->out->arguments.len == 0) {
        size_t len = strlen(missing);
        snprintf(missing + len, sizeof missing - len, "\n  <%s>", v->argument);
    }
    if (missing[0] == '\0')
        return true;
    return refuse(p, NULL, "the following required arguments were not provided:%s", missing);
}

static bool check_conflicts(parser *p)
{
    for (size_t i = 0; i < sizeof conflicts / sizeof *conflicts; i++) {
        if (!cli_has(p->out, conflicts[i][0]) || !cli_has(p->out, conflicts[i][1]))
            continue;
        char a[64], b[64];
        label(conflicts[i][0], a, sizeof a);
        label(conflicts[i][1], b, sizeof b);
        return refuse(p, NULL, "the argument '%s' cannot be used with '%s'", a, b);
    }
    return true;
}

/* No command: its list, as an answer or as a refusal. */
static bool finish_without_verb(parser *p)
{
    FILE *out = p->wants_help ? stdout : stderr;
    p->exit_code = p->wants_help ? 0 : EXIT_USAGE;
    if (p->words[0] != NULL)
        cli_help_group(out, p->words[0]);
    else
        cli_help_all(out);
    return false;
}

bool cli_parse(int argc, char **argv, cli_args *out, int *out_exit)
{
    parser p = {.argc = argc, .argv = argv, .at = 1, .out = out};
    bool ok = true;
    while (ok && p.at < argc)
        ok = take(&p, argv[p.at++]);
    if (ok && out->verb == NULL)
        ok = finish_without_verb(&p);
    if (ok && p.wants_help) {
        cli_help_verb(stdout, out->verb);
        ok = false;
    }
    ok = ok && check_required(&p) && check_conflicts(&p);
    *out_exit = p.exit_code;
    return ok;
}

void cli_args_deinit(cli_args *args)
{
    for (size_t i = 0; i < CLI_OPTION_COUNT; i++)
        og_vec_deinit(&args->given[i]);
    og_vec_deinit(&args->arguments);
}
