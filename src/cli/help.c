#include "cli/help.h"

#include <string.h>

#define NAME_WIDTH 12

void cli_option_label(FILE *out, cli_option_id id)
{
    const cli_option *o = &cli_options[id];
    fprintf(out, "--%s", o->name);
    if (o->value == NULL)
        return;
    if (o->value_is_optional)
        fprintf(out, "[=%s]", o->value);
    else
        fprintf(out, " <%s>", o->value);
}

void cli_usage(FILE *out, const cli_verb *verb)
{
    fputs("Usage: omnigraph ", out);
    if (verb == NULL) {
        fputs("[OPTIONS] <COMMAND>\n", out);
        return;
    }
    fprintf(out, "%s [OPTIONS]", verb->name);
    for (cli_option_id id = 0; id < CLI_OPTION_COUNT; id++) {
        if ((verb->required & CLI_BIT(id)) == 0)
            continue;
        fputc(' ', out);
        cli_option_label(out, id);
    }
    if (verb->argument != NULL)
        fprintf(out, verb->argument_required ? " <%s>" : " [%s]", verb->argument);
    fputs(verb->argument_repeats ? "...\n" : "\n", out);
}

/* The first word of a verb's name, and whether there is a second. */
static size_t group_len(const cli_verb *verb, bool *out_is_group)
{
    const char *space = strchr(verb->name, ' ');
    *out_is_group = space != NULL;
    return space != NULL ? (size_t)(space - verb->name) : strlen(verb->name);
}

static void print_globals(FILE *out, bool with_version)
{
    fputs("\nOptions:\n", out);
    fprintf(out, "      --as <ACTOR>  %s\n", cli_options[CLI_AS].help);
    if (with_version)
        fputs("  -v, --version     Print the version\n", out);
    fputs("  -h, --help        Print help; `omnigraph COMMAND --help` for one command\n", out);
}

void cli_help_all(FILE *out)
{
    fputs("A typed property graph on columnar tables, with branches and commits\n\n", out);
    cli_usage(out, NULL);
    fputs("\nCommands:\n", out);
    for (size_t i = 0; i < cli_verb_count; i++) {
        const cli_verb *v = &cli_verbs[i];
        bool is_group;
        group_len(v, &is_group);
        fprintf(out, "  %-*s  %s", NAME_WIDTH + 1, v->name, v->summary);
        if (v->old_name != NULL && !is_group)
            fprintf(out, " [old name: %s]", v->old_name);
        fputc('\n', out);
    }
    fprintf(out, "  %-*s  %s\n", NAME_WIDTH + 1, "help", "Print help of the program or a command");
    print_globals(out, true);
    fputs("\nA first session:\n"
          "  omnigraph init --schema team.pg team.omni\n"
          "  omnigraph load --data team.jsonl\n"
          "  omnigraph query -e 'query all() { match { $p: Person } return { $p.name } }'\n",
          out);
}

void cli_help_group(FILE *out, const char *group)
{
    size_t len = strlen(group);
    fprintf(out, "Usage: omnigraph %s [OPTIONS] <COMMAND>\n\nCommands:\n", group);
    for (size_t i = 0; i < cli_verb_count; i++) {
        bool is_group;
        if (group_len(&cli_verbs[i], &is_group) == len && is_group &&
            strncmp(cli_verbs[i].name, group, len) == 0)
            fprintf(out, "  %-*s  %s\n", NAME_WIDTH, cli_verbs[i].name + len + 1,
                    cli_verbs[i].summary);
    }
    print_globals(out, false);
}

static void print_option(FILE *out, cli_option_id id)
{
    const cli_option *o = &cli_options[id];
    if (o->letter != '\0')
        fprintf(out, "  -%c, ", o->letter);
    else
        fputs("      ", out);
    cli_option_label(out, id);
    fprintf(out, "\n          %s", o->help);
    for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
        fprintf(out, "%s%s", i == 0 ? " [possible values: " : ", ", o->choices[i]);
    fputs(o->choices != NULL ? "]\n" : "\n", out);
}

void cli_help_verb(FILE *out, const cli_verb *verb)
{
    fprintf(out, "%s\n\n", verb->summary);
    if (verb->about[0] != '\0')
        fprintf(out, "%s\n\n", verb->about);
    cli_usage(out, verb);
    if (verb->argument != NULL)
        fprintf(out, "\nArguments:\n  %s\n          %s\n", verb->argument, verb->argument_help);
    fputs("\nOptions:\n", out);
    for (cli_option_id id = 0; id < CLI_OPTION_COUNT; id++) {
        if ((verb->options & CLI_BIT(id)) != 0 && !cli_options[id].is_hidden)
            print_option(out, id);
    }
    fprintf(out, "\nExamples:\n%s", verb->examples);
}
