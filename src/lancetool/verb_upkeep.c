/* compact, cleanup, config, and changes of columns. */
#include "base/number.h"
#include "lance/table/cleanup.h"
#include "lance/table/compact.h"
#include "lance/table/evolve.h"
#include "lance/table/look.h"
#include "lancetool/change.h"
#include "lancetool/verbs.h"

#include <inttypes.h>

/* ---- compact -------------------------------------------------------------------------------- */

static og_status run_compact(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    uint64_t target;
    og_lance_compact_options options = {0};
    og_lance_compact_stats stats;
    OG_TRY(tool_number(call, "target-rows", 0, &target, err));
    options.target_rows = target < UINT32_MAX ? (uint32_t)target : UINT32_MAX;
    options.deletion_threshold = tool_has(call, "all-deletions") ? -1 : 0;
    OG_TRY(tool_begin(call, OG_LANCE_COMPACT, &place, &table, &write, err));
    uint32_t work;
    OG_TRY(og_lance_compact_count(table, &options, &work, err));
    if (work == 0) {
        printf("nothing to do\n");
        return OG_OK;
    }
    OG_TRY(og_lance_write_compact(write, &options, &stats, err));
    printf("%" PRIu32 " fragments became %" PRIu32 "\n", stats.fragments_removed,
           stats.fragments_added);
    return tool_commit(write, true, err);
}

const tool_verb tool_compact = {
    .name = "compact",
    .arguments = "TABLE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Join small fragments and leave deleted rows out",
    .about = "Row ids stay. Fragments with a tenth of their rows deleted are rewritten.\n",
    .examples = "  lancetool compact people.lance\n",
    .options =
        (const tool_option[]){{"target-rows", "N", "rows of a fragment (1048576)"},
                              {"all-deletions", NULL, "rewrite for a single deleted row, too"},
                              TOOL_BRANCH,
                              TOOL_FORCE,
                              {0}},
    .run = run_compact,
};

/* ---- cleanup -------------------------------------------------------------------------------- */

static og_status run_cleanup(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    uint64_t keep, days;
    OG_TRY(tool_number(call, "keep", 0, &keep, err));
    OG_TRY(tool_number(call, "older-than-days", 0, &days, err));
    OG_TRY(tool_place_open_to_write(call, call->arguments[0], false, &place, err));
    int64_t now_us = tool_write_options(OG_LANCE_CONFIG).now_us;
    bool fits = days < (uint64_t)now_us / 86400000000u;
    const og_lance_cleanup_options options = {
        .now_us = now_us,
        .by_count = tool_has(call, "keep"),
        .by_age = tool_has(call, "older-than-days"),
        .keep_behind = keep,
        .before_us = fits ? now_us - (int64_t)days * 86400000000 : 0,
    };
    og_lance_cleanup_stats stats;
    OG_TRY(og_lance_cleanup(place.env, place.dataset, &options, &stats, err));
    printf("removed %" PRIu64 " versions and %" PRIu64 " files, %" PRIu64 " bytes\n",
           stats.versions_removed, stats.files_removed, stats.bytes_removed);
    return OG_OK;
}

const tool_verb tool_cleanup = {
    .name = "cleanup",
    .arguments = "TABLE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Remove old versions, on all branches, and stray files",
    .about = "A version goes when it is beyond all bounds given, is not the newest and has no tag. "
             "Without\n"
             "bounds only files go that nothing names and that are older than seven days.\n",
    .examples = "  lancetool cleanup --keep 10 --older-than-days 7 people.lance\n",
    .options = (const tool_option[]){{"keep", "N", "versions behind the newest that stay"},
                                     {"older-than-days", "N", "only versions older than this"},
                                     TOOL_FORCE,
                                     {0}},
    .run = run_cleanup,
};

/* ---- config --------------------------------------------------------------------------------- */

static og_lance_pairs map_of(const tool_call *call)
{
    return tool_has(call, "schema")     ? OG_LANCE_PAIRS_SCHEMA_METADATA
           : tool_has(call, "metadata") ? OG_LANCE_PAIRS_TABLE_METADATA
                                        : OG_LANCE_PAIRS_CONFIG;
}

static og_status print_pairs(const tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    og_lance_kv pair;
    OG_TRY(tool_place_open(call, call->arguments[0], false, &place, err));
    OG_TRY(tool_table_open(call, &place, &table, err));
    for (size_t i = 0; og_lance_table_pair(table, map_of(call), i, &pair); i++)
        printf("%.*s=%.*s\n", OG_FMT(pair.key), OG_FMT(pair.value));
    return OG_OK;
}

/* "KEY=VALUE" sets, "KEY" removes. */
static og_status parse_pairs(const tool_call *call, og_lance_kv *out, og_error *err)
{
    for (uint32_t i = 1; i < call->argument_count; i++) {
        og_str text = og_str_of(call->arguments[i]);
        const char *equals = strchr(text.ptr, '=');
        og_lance_kv *pair = &out[i - 1];
        pair->key = og_str_slice(text, 0, equals != NULL ? (size_t)(equals - text.ptr) : text.len);
        pair->value = equals != NULL ? og_str_of(equals + 1) : (og_str){NULL, 0};
        if (pair->key.len == 0)
            return og_error_set(err, OG_INVALID, "'%s' has no key", text.ptr);
        if (equals != NULL && map_of(call) == OG_LANCE_PAIRS_CONFIG &&
            og_str_starts(pair->key, OG_STR("lance.auto_cleanup.")))
            return og_error_set(err, OG_UNSUPPORTED,
                                "'%.*s' would let writers remove versions unasked: it is never set",
                                OG_FMT(pair->key));
    }
    return OG_OK;
}

static og_status run_config(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    uint32_t count = call->argument_count - 1;
    if (tool_has(call, "schema") && tool_has(call, "metadata"))
        return og_error_set(err, OG_INVALID, "config takes either --schema or --metadata");
    if (count == 0)
        return print_pairs(call, err);
    og_lance_kv *pairs = og_arena_array_of(call->arena, og_lance_kv, count);
    if (pairs == NULL)
        return og_error_nomem(err);
    OG_TRY(parse_pairs(call, pairs, err));
    og_lance_write_options options = tool_write_options(OG_LANCE_CONFIG);
    bool schema = tool_has(call, "schema"), metadata = tool_has(call, "metadata");
    *(schema ? &options.schema_metadata : metadata ? &options.metadata : &options.config) = pairs;
    *(schema     ? &options.schema_metadata_count
      : metadata ? &options.metadata_count
                 : &options.config_count) = count;
    OG_TRY(tool_begin_with(call, &options, &place, &table, &write, err));
    return tool_commit(write, true, err);
}

const tool_verb tool_config = {
    .name = "config",
    .arguments = "TABLE [KEY=VALUE | KEY]...",
    .min_arguments = 1,
    .max_arguments = UINT32_MAX,
    .summary = "Show, set and remove config keys and metadata of a table",
    .about = "KEY=VALUE sets, KEY alone removes; without either all are shown.\n",
    .examples = "  lancetool config people.lance\n"
                "  lancetool config --schema people.lance source=survey-7 draft\n",
    .options = (const tool_option[]){{"schema", NULL, "the metadata of the schema, not the config"},
                                     {"metadata", NULL, "the metadata of the table"},
                                     {"version", "N|TAG", "show: of this version or tag"},
                                     TOOL_BRANCH,
                                     TOOL_FORCE,
                                     {0}},
    .run = run_config,
};

/* ---- columns -------------------------------------------------------------------------------- */

static og_status run_drop_columns(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    OG_TRY(tool_begin(call, OG_LANCE_EVOLVE, &place, &table, &write, err));
    for (uint32_t i = 1; i < call->argument_count; i++)
        OG_TRY(
            tool_named(og_lance_write_drop_field(write, og_str_of(call->arguments[i]), err), err));
    return tool_commit(write, true, err);
}

const tool_verb tool_drop_columns = {
    .name = "drop-columns",
    .arguments = "TABLE COLUMN...",
    .min_arguments = 2,
    .max_arguments = UINT32_MAX,
    .summary = "Drop columns; no file is rewritten",
    .about = "",
    .examples = "  lancetool drop-columns people.lance age phone\n",
    .options = (const tool_option[]){TOOL_BRANCH, TOOL_FORCE, {0}},
    .run = run_drop_columns,
};

static og_status run_rename_column(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    OG_TRY(tool_begin(call, OG_LANCE_EVOLVE, &place, &table, &write, err));
    OG_TRY(tool_named(og_lance_write_rename_field(write, og_str_of(call->arguments[1]),
                                                  og_str_of(call->arguments[2]), err),
                      err));
    return tool_commit(write, true, err);
}

const tool_verb tool_rename_column = {
    .name = "rename-column",
    .arguments = "TABLE COLUMN NAME",
    .min_arguments = 3,
    .max_arguments = 3,
    .summary = "Give a column another name",
    .about = "",
    .examples = "  lancetool rename-column people.lance age years\n",
    .options = (const tool_option[]){TOOL_BRANCH, TOOL_FORCE, {0}},
    .run = run_rename_column,
};

static og_status run_add_columns(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    og_lance_new_field *fields;
    uint32_t count;
    OG_TRY(tool_schema(call, call->arguments[1], &fields, &count, err));
    OG_TRY(tool_begin(call, OG_LANCE_EVOLVE, &place, &table, &write, err));
    for (uint32_t i = 0; i < count; i++)
        OG_TRY(tool_named(og_lance_write_add_field(write, &fields[i], err), err));
    return tool_commit(write, true, err);
}

const tool_verb tool_add_columns = {
    .name = "add-columns",
    .arguments = "TABLE FIELDS",
    .min_arguments = 2,
    .max_arguments = 2,
    .summary = "Add columns that are null in all rows",
    .about = "FIELDS is NAME: TYPE, ... as for import --schema.\n",
    .examples = "  lancetool add-columns people.lance 'note: utf8, tags: list<utf8>'\n",
    .options = (const tool_option[]){TOOL_BRANCH, TOOL_FORCE, {0}},
    .run = run_add_columns,
};
