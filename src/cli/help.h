/* cli/help - help and usage texts, made from the tables of args.h. */
#ifndef OG_CLI_HELP_H
#define OG_CLI_HELP_H

#include <stdio.h>

#include "cli/args.h"

/* The list of commands. */
void cli_help_all(FILE *out);
/* The commands of a group ("schema"). */
void cli_help_group(FILE *out, const char *group);
void cli_help_verb(FILE *out, const cli_verb *verb);
/* "omnigraph load [OPTIONS] --data <DATA> [URI]"; verb NULL: the program's. */
void cli_usage(FILE *out, const cli_verb *verb);
/* "--data <DATA>". */
void cli_option_label(FILE *out, cli_option_id option);

#endif
