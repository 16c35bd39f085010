/* lancetool/tool - what the verbs of lancetool share.
 *
 * A verb is a const struct in a file of its own, listed in verbs.c; it names its options, and
 * parsing, help and completion follow from that. Options are asked for by name, so that a verb's
 * table and its code stand side by side:
 *
 *     lancetool VERB [--option VALUE | --option=VALUE | --flag]... ARGUMENT...
 *
 * Failures are returned as everywhere in the library; main turns them into a line on stderr and an
 * exit code: OG_INVALID 2 (the command line is wrong, or names what is not there), OG_UNSUPPORTED
 * 3, all others 1. */
#ifndef OG_LANCETOOL_TOOL_H
#define OG_LANCETOOL_TOOL_H

#include "base/arena.h"
#include "lance/table/table.h"

#include <stdio.h>

#define TOOL_MAX_OPTIONS 16

typedef struct tool_option {
    const char *name;  /* without the dashes */
    const char *value; /* name of its value in help; NULL = a flag */
    const char *help;
} tool_option;

/* Options that several verbs have. */
#define TOOL_BRANCH                                                                                \
    {                                                                                              \
        "branch", "NAME", "a branch of the table (default: main)"                                  \
    }
#define TOOL_VERSION                                                                               \
    {                                                                                              \
        "version", "N|TAG", "a version by number or tag (default: the newest)"                     \
    }

typedef struct tool_call tool_call;

typedef struct tool_verb {
    const char *name;
    const char *arguments; /* as usage names them: "TABLE" */
    uint32_t min_arguments, max_arguments;
    const char *summary;        /* one line */
    const char *about;          /* "" or lines after it, each with its newline */
    const char *examples;       /* lines, each with its newline, indented by two */
    const tool_option *options; /* ended by one without a name */
    og_status (*run)(tool_call *call, og_error *err);
} tool_verb;
/* Ended by NULL. */
extern const tool_verb *const tool_verbs[];

/* A parsed command line. */
struct tool_call {
    const tool_verb *verb;
    const char *values[TOOL_MAX_OPTIONS]; /* by option; "" for a flag; NULL = not given */
    const char *const *arguments;
    uint32_t argument_count;
    og_arena *arena; /* lives as long as the call */
};

/* ---- the command line (args.c) ------------------------------------------------------------ */

/* True: `out` says what to run. False: the line was answered (help) or refused, and *out_exit is
 * the exit code. The arena is the caller's to set. `argv` is reordered. */
bool tool_parse(int argc, char **argv, tool_call *out, int *out_exit);
/* Text of an option of the verb, NULL when not given. */
const char *tool_value(const tool_call *call, const char *option);
static inline bool tool_has(const tool_call *call, const char *option)
{
    return tool_value(call, option) != NULL;
}
/* An option that is a whole number; `fallback` when not given. OG_INVALID when it is none. */
OG_NODISCARD og_status tool_number(const tool_call *call, const char *option, uint64_t fallback,
                                   uint64_t *out, og_error *err);
/* The items of a comma-separated list, in the call's arena. */
OG_NODISCARD og_status tool_list(const tool_call *call, const char *text, og_str **out,
                                 uint32_t *out_count, og_error *err);

/* ---- tables (open.c) ---------------------------------------------------------------------- */

/* Where a table lies. The store is the folder around the dataset,
 * so that the dataset and all of its branches are inside. */
typedef struct tool_place {
    og_store *store;
    og_lance_env *env;
    const char *folder;  /* the folder that the store is, an absolute path */
    const char *path;    /* of the dataset or its branch, within the store */
    const char *dataset; /* of the dataset itself */
} tool_place;
void tool_place_deinit(tool_place *place);
#define TOOL_AUTO_PLACE __attribute__((cleanup(tool_place_deinit))) tool_place

/* Open the place of the dataset (or branch of one) in folder `argument`; where the verb has the
 * option --branch, of the branch that it names. `create`: make the folder around the dataset when
 * it is missing. OG_INVALID when the table there has no such branch. */
OG_NODISCARD og_status tool_place_open(const tool_call *call, const char *argument, bool create,
                                       tool_place *out, og_error *err);
/* Returns OG_INVALID with the message that there is no table at the place, or that it is a file. */
OG_NODISCARD og_status tool_no_table(const tool_call *call, const tool_place *place, og_error *err);
/* The version that --version names - a number or a tag - or the newest. OG_INVALID when there is
 * none such. A tag of another branch moves `place` there. */
OG_NODISCARD og_status tool_table_open(const tool_call *call, tool_place *place,
                                       og_lance_table **out, og_error *err);

/* ---- sums of files (sums.c) --------------------------------------------------------------- */

typedef struct tool_summed {
    uint64_t same, changed, fresh; /* files with their sum, with another, and without one yet */
    uint64_t gone;                 /* sums whose file is no longer there (a cleanup, or a loss) */
    uint64_t bytes;                /* of all files */
} tool_summed;

/* Compare all files of the dataset with the sums in the file `path`, complaining of each that
 * differs; sums of files that are new are added to it. OG_INVALID when it is no file of sums. */
OG_NODISCARD og_status tool_check_sums(tool_place *place, const char *path, tool_summed *out,
                                       og_error *err);

/* ---- output (output.c) -------------------------------------------------------------------- */

/* Write the buffer to standard output and empty it. OG_IO. */
OG_NODISCARD og_status tool_flush(og_buf *text, og_error *err);
/* The same, but only once it holds 64 KiB. */
OG_NODISCARD og_status tool_flush_full(og_buf *text, og_error *err);

/* Print a line to standard error; control characters,
 * as damaged files may hold them, are spelled out. */
void tool_complain(const char *label, const char *text);

/* ---- values (value.c) --------------------------------------------------------------------- */

/* A fixed-size list whose items have fields, and so type names, of their own. */
static inline bool tool_is_list_of_structs(const og_type *type)
{
    return type->id == OG_TYPE_FIXED_SIZE_LIST && type->children[0].type->id == OG_TYPE_STRUCT;
}

typedef struct tool_style {
    bool all_bytes; /* else more than 4096 are shown as {"len": .., "sha256": ..} */
} tool_style;

/* The value of `row` as JSON: numbers; text; lists; objects for structs; NaN and infinities as
 * "nan", "inf" and "-inf"; bytes as {"hex": ..}; dates, times and timestamps as the stored integer;
 * decimals as text; maps as lists of objects of key and value. */
void tool_put_value(const og_lance_field *field, const og_array *array, int64_t row,
                    const tool_style *style, og_buf *out);
/* The stored form of a value of type json, as JSON text (jsonb.c). False: it is damaged,
 * and nothing was written. */
bool tool_put_jsonb(og_str bytes, og_buf *out);
/* The bytes of a blob, as tool_put_value writes them. */
void tool_put_bytes(og_str bytes, bool all_bytes, og_buf *out);

#endif
