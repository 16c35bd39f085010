/* import, append, delete, restore: rows in and out. */
#include "base/bits.h"
#include "base/number.h"
#include "columnar/compare.h"
#include "lance/table/look.h"
#include "lance/table/upsert.h"
#include "lancetool/change.h"
#include "lancetool/verbs.h"

/* ---- import and append ---------------------------------------------------------------------- */

static og_status put_batch(const og_batch *batch, og_lance_write *write, og_lance_upsert *upsert,
                           og_error *err)
{
    return upsert != NULL ? og_lance_upsert_rows(upsert, batch, err)
                          : og_lance_write_rows(write, batch, NULL, err);
}

static og_status put_all(tool_rows *rows, const og_lance_field *fields, uint32_t field_count,
                         og_lance_write *write, og_lance_upsert *upsert, og_error *err)
{
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        OG_TRY(tool_given(tool_rows_next(rows, fields, field_count, &batch, err), err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(tool_given(put_batch(&batch, write, upsert, err), err));
    }
}

static og_status open_rows(const tool_call *call, tool_rows **out, og_error *err)
{
    return tool_named(tool_rows_open(call->argument_count > 1 ? call->arguments[1] : "-", out, err),
                      err);
}

/* The columns of --schema, or of an Arrow stream. *out_count 0: rows of JSON and no schema. */
static og_status choose_schema(const tool_call *call, const tool_rows *rows,
                               og_lance_new_field **out, uint32_t *out_count, og_error *err)
{
    const char *text = tool_value(call, "schema");
    if (text != NULL)
        return tool_schema(call, text, out, out_count, err);
    const og_field *fields;
    *out_count = tool_rows_fields(rows, &fields);
    *out = og_arena_array_of(call->arena, og_lance_new_field, (size_t)*out_count + 1);
    if (*out == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < *out_count; i++)
        (*out)[i].field = fields[i];
    return OG_OK;
}

/* What rows are read into. */
static og_status columns_of(const tool_call *call, const og_lance_new_field *fields, uint32_t count,
                            const og_lance_field **out, og_error *err)
{
    og_lance_field *columns = og_arena_array_of(call->arena, og_lance_field, (size_t)count + 1);
    if (columns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        columns[i].field = fields[i].field;
        columns[i].is_blob = fields[i].is_blob;
    }
    *out = columns;
    return OG_OK;
}

static og_status check_free(const tool_call *call, const tool_place *place, og_error *err)
{
    uint64_t there;
    og_status s = og_lance_latest_version(place->env, place->path, 0, &there, err);
    if (s == OG_NOT_FOUND)
        return OG_OK;
    OG_TRY(s);
    og_error_set(err, OG_INVALID, "there is a table at '%s'", call->arguments[0]);
    og_error_hint(err, "Rows in place of all that it has: import --overwrite");
    return OG_INVALID;
}

static og_status begin_create(const tool_call *call, const tool_place *place,
                              og_lance_write_options *options, og_lance_write **out, og_error *err)
{
    if (tool_has(call, "branch"))
        return og_error_set(err, OG_INVALID, "--branch is for --overwrite");
    if (options->field_count == 0)
        return og_error_set(err, OG_INVALID, "JSON rows need a --schema");
    OG_TRY(check_free(call, place, err));
    options->op = OG_LANCE_CREATE;
    options->path = place->path;
    return og_lance_write_new(place->env, NULL, options, out, err);
}

/* Of rows without a schema: in the columns that the table has. */
static og_status begin_overwrite(const tool_call *call, const tool_place *place,
                                 og_lance_write_options *options, og_lance_table **out_table,
                                 og_lance_write **out, og_error *err)
{
    og_status s = og_lance_table_open(place->env, place->path, 0, 0, out_table, err);
    if (s == OG_NOT_FOUND)
        return tool_no_table(call, place, err);
    OG_TRY(s);
    options->op = OG_LANCE_OVERWRITE;
    if (options->field_count == 0)
        options->fields = NULL;
    return og_lance_write_new(place->env, *out_table, options, out, err);
}

static og_status run_import(tool_call *call, og_error *err)
{
    OG_AUTO(tool_rows) rows = NULL;
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) old = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    og_lance_new_field *fields;
    const og_lance_field *columns = NULL;
    uint32_t count;
    bool overwrite = tool_has(call, "overwrite");
    OG_TRY(open_rows(call, &rows, err));
    OG_TRY(choose_schema(call, rows, &fields, &count, err));
    OG_TRY(tool_place_open_to_write(call, call->arguments[0], !overwrite, &place, err));
    og_lance_write_options options = tool_write_options(OG_LANCE_CREATE);
    options.fields = fields;
    options.field_count = count;
    OG_TRY(overwrite ? begin_overwrite(call, &place, &options, &old, &write, err)
                     : begin_create(call, &place, &options, &write, err));
    if (count != 0)
        OG_TRY(columns_of(call, fields, count, &columns, err));
    else
        columns = og_lance_table_fields(old, &count);
    OG_TRY(put_all(rows, columns, count, write, NULL, err));
    return tool_commit(write, true, err);
}

const tool_verb tool_import = {
    .name = "import",
    .arguments = "TABLE [FILE]",
    .min_arguments = 1,
    .max_arguments = 2,
    .summary = "Make a table of rows, or put them in the place of all that one has",
    .about =
        "FILE holds JSON objects, one a row, or an Arrow IPC stream, which brings its schema; "
        "without\n"
        "it, or as -, standard input is read. What a table had before --overwrite stays in its\n"
        "earlier versions; JSON rows without a schema go into the columns that it has.\n",
    .examples = "  lancetool import people.lance people.arrows\n"
                "  lancetool import --schema 'id: utf8!, age: int32' people.lance people.jsonl\n"
                "  lancetool import --overwrite people.lance people.arrows\n",
    .options =
        (const tool_option[]){
            {"schema", "FIELDS", "columns, as NAME: TYPE, ...; ! = not null"},
            {"overwrite", NULL, "the table is there: these rows, and their columns, instead"},
            {"branch", "BRANCH", "--overwrite: a branch of the table"},
            TOOL_FORCE,
            {0}},
    .run = run_import,
};

/* Indices of the fields that --key names. */
static og_status find_keys(const tool_call *call, const og_lance_table *table, uint32_t **out,
                           uint32_t *out_count, og_error *err)
{
    og_str *names;
    OG_TRY(tool_list(call, tool_value(call, "key"), &names, out_count, err));
    *out = og_arena_array_of(call->arena, uint32_t, (size_t)*out_count + 1);
    if (*out == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < *out_count; i++) {
        int32_t field = og_lance_table_find_field(table, names[i]);
        if (field < 0)
            return og_error_set(err, OG_INVALID, "the table has no column '%.*s'",
                                OG_FMT(names[i]));
        (*out)[i] = (uint32_t)field;
    }
    return OG_OK;
}

static og_status run_append(tool_call *call, og_error *err)
{
    OG_AUTO(tool_rows) rows = NULL;
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    OG_AUTO(og_lance_upsert) upsert = NULL;
    bool keyed = tool_has(call, "key");
    OG_TRY(open_rows(call, &rows, err));
    OG_TRY(
        tool_begin(call, keyed ? OG_LANCE_UPDATE : OG_LANCE_APPEND, &place, &table, &write, err));
    if (keyed) {
        uint32_t *keys, count;
        OG_TRY(find_keys(call, table, &keys, &count, err));
        OG_TRY(og_lance_upsert_new(write, table, keys, count, &upsert, err));
    }
    uint32_t field_count;
    const og_lance_field *fields = og_lance_table_fields(table, &field_count);
    OG_TRY(put_all(rows, fields, field_count, write, upsert, err));
    return tool_commit(write, upsert == NULL, err);
}

const tool_verb tool_append = {
    .name = "append",
    .arguments = "TABLE [FILE]",
    .min_arguments = 1,
    .max_arguments = 2,
    .summary = "Add rows, or replace rows of the same key",
    .about = "FILE is as for import. Columns are found by name; those that a row lacks are null.\n",
    .examples = "  lancetool append people.lance more.jsonl\n"
                "  lancetool append --key id people.lance changed.jsonl\n",
    .options =
        (const tool_option[]){{"key", "COLUMNS", "replace rows whose values in these are equal"},
                              TOOL_BRANCH,
                              TOOL_FORCE,
                              {0}},
    .run = run_append,
};

/* ---- delete --------------------------------------------------------------------------------- */

/* The slot of a row id, which is the address in tables without stable ones;
 * UINT32_MAX: there is none. */
static og_status find_row(og_lance_table *table, uint64_t id, uint32_t *out, og_error *err)
{
    og_lance_about about;
    og_lance_table_about(table, &about);
    if (about.has_stable_row_ids)
        return og_lance_slots_of(table, &id, 1, out, err);
    uint32_t count;
    const og_lance_fragment *f = og_lance_table_fragments(table, &count);
    const uint8_t *deleted;
    OG_TRY(og_lance_table_deleted(table, &deleted, err));
    *out = UINT32_MAX;
    for (uint32_t i = 0; i < count; i++)
        if (f[i].id == id >> 32 && (uint32_t)id < f[i].physical_rows)
            *out = f[i].first_slot + (uint32_t)id;
    if (*out != UINT32_MAX && deleted != NULL && og_bit_get(deleted, *out))
        *out = UINT32_MAX;
    return OG_OK;
}

static og_status delete_ids(const tool_call *call, og_lance_table *table, og_lance_write *write,
                            og_error *err)
{
    og_str *texts;
    uint32_t count;
    OG_TRY(tool_list(call, tool_value(call, "ids"), &texts, &count, err));
    for (uint32_t i = 0; i < count; i++) {
        uint64_t id;
        uint32_t slot;
        if (!og_parse_u64(og_str_trim(texts[i]), &id))
            return og_error_set(err, OG_INVALID, "'%.*s' is no row id", OG_FMT(texts[i]));
        OG_TRY(find_row(table, id, &slot, err));
        if (slot == UINT32_MAX)
            return og_error_set(err, OG_INVALID, "no row has the id %.*s", OG_FMT(texts[i]));
        OG_TRY(og_lance_write_delete(write, &slot, 1, err));
    }
    return OG_OK;
}

/* "COLUMN OP VALUE". */
typedef struct condition {
    uint32_t field;
    og_compare_op op;
    og_datum value;
} condition;

static og_status parse_value(og_str text, og_datum *out, og_error *err)
{
    *out = (og_datum){.type = OG_TYPE_NULL, .is_null = true};
    if (og_str_is(text, "null"))
        return og_error_set(err, OG_INVALID, "a comparison with null is never true");
    out->is_null = false;
    if (text.len >= 2 && text.ptr[0] == '\'' && text.ptr[text.len - 1] == '\'') {
        out->type = OG_TYPE_UTF8;
        out->str = og_str_slice(text, 1, text.len - 1);
    } else if (og_str_is(text, "true") || og_str_is(text, "false")) {
        out->type = OG_TYPE_BOOL;
        out->boolean = text.ptr[0] == 't';
    } else if (og_parse_i64(text, &out->i64)) {
        out->type = OG_TYPE_I64;
    } else if (og_parse_f64(text, &out->f64)) {
        out->type = OG_TYPE_F64;
    } else {
        return og_error_set(err, OG_INVALID, "'%.*s' is no number, 'text', true or false",
                            OG_FMT(text));
    }
    return OG_OK;
}

static og_status parse_condition(const og_lance_table *table, const char *text, condition *out,
                                 og_error *err)
{
    static const struct {
        const char *text;
        og_compare_op op;
    } ops[] = {{"!=", OG_COMPARE_NE}, {"<=", OG_COMPARE_LE}, {">=", OG_COMPARE_GE},
               {"=", OG_COMPARE_EQ},  {"<", OG_COMPARE_LT},  {">", OG_COMPARE_GT}};
    og_str whole = og_str_of(text);
    size_t at = strcspn(text, "!<>=");
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++) {
        if (!og_str_starts(og_str_slice(whole, at, whole.len), og_str_of(ops[i].text)))
            continue;
        og_str name = og_str_trim(og_str_slice(whole, 0, at));
        int32_t field = og_lance_table_find_field(table, name);
        if (field < 0)
            return og_error_set(err, OG_INVALID, "the table has no column '%.*s'", OG_FMT(name));
        out->field = (uint32_t)field;
        out->op = ops[i].op;
        og_str value = og_str_slice(whole, at + strlen(ops[i].text), whole.len);
        return parse_value(og_str_trim(value), &out->value, err);
    }
    return og_error_set(err, OG_INVALID, "'%s' is not COLUMN = VALUE (or != < <= > >=)", text);
}

static og_status delete_where(const tool_call *call, og_lance_table *table, og_lance_write *write,
                              og_error *err)
{
    condition c;
    OG_TRY(parse_condition(table, tool_value(call, "where"), &c, err));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(table, &c.field, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_AUTO_MASK mask = {0};
        OG_TRY(og_compare_datum(batch.columns[0], c.op, &c.value, &mask, err));
        for (int64_t row = 0; row < batch.row_count; row++)
            if (og_mask_true(&mask, row))
                OG_TRY(og_lance_write_delete(write, &slots[row], 1, err));
    }
}

static og_status run_delete(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    if (tool_has(call, "ids") == tool_has(call, "where"))
        return og_error_set(err, OG_INVALID, "delete needs either --ids or --where");
    OG_TRY(tool_begin(call, OG_LANCE_DELETE, &place, &table, &write, err));
    OG_TRY(tool_has(call, "ids") ? delete_ids(call, table, write, err)
                                 : delete_where(call, table, write, err));
    return tool_commit(write, true, err);
}

const tool_verb tool_delete = {
    .name = "delete",
    .arguments = "TABLE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Delete rows by their ids or by a condition",
    .about = "A condition compares a column with a value: n >= 10, name = 'ana', done != true.\n",
    .examples = "  lancetool delete --ids 3,17 people.lance\n"
                "  lancetool delete --where 'age < 18' people.lance\n",
    .options = (const tool_option[]){{"ids", "IDS", "row ids (_rowid), joined by commas"},
                                     {"where", "CONDITION", "COLUMN OP VALUE; OP = != < <= > >="},
                                     TOOL_BRANCH,
                                     TOOL_FORCE,
                                     {0}},
    .run = run_delete,
};

/* ---- restore -------------------------------------------------------------------------------- */

static og_status run_restore(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_table) old = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    OG_TRY(tool_place_open_to_write(call, call->arguments[0], false, &place, err));
    const char *path = place.path;
    if (!tool_has(call, "version"))
        return og_error_set(err, OG_INVALID, "restore needs --version");
    OG_TRY(tool_table_open(call, &place, &old, err));
    if (strcmp(path, place.path) != 0)
        return og_error_set(err, OG_INVALID, "the tag names a version of another branch");
    OG_TRY(og_lance_table_open(place.env, place.path, 0, 0, &table, err));
    og_lance_write_options options = tool_write_options(OG_LANCE_RESTORE);
    options.restore_from = old;
    OG_TRY(og_lance_write_new(place.env, table, &options, &write, err));
    return tool_commit(write, true, err);
}

const tool_verb tool_restore = {
    .name = "restore",
    .arguments = "TABLE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Make an earlier version the newest again",
    .about = "The version becomes a new one; nothing is lost.\n",
    .examples = "  lancetool restore --version 3 people.lance\n",
    .options =
        (const tool_option[]){
            {"version", "VERSION", "a number or a tag"}, TOOL_BRANCH, TOOL_FORCE, {0}},
    .run = run_restore,
};
