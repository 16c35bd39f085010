/* index: make, bring up to date, drop and list the indexes of a table, and find rows by one. */
#include "lancetool/change.h"
#include "lancetool/verbs.h"

#include "base/number.h"
#include "lance/index/btree.h"
#include "store/store.h"

#include <inttypes.h>
#include <string.h>

typedef struct session {
    const tool_call *call;
    tool_place place;
    og_lance_table *table;
} session;

/* ---- changes ------------------------------------------------------------------------------ */

static og_status column_of(const session *s, const char *name, uint32_t *out, og_error *err)
{
    int32_t field = og_lance_table_find_field(s->table, og_str_of(name));
    if (field < 0)
        return og_error_set(err, OG_INVALID, "the table has no column '%s'", name);
    *out = (uint32_t)field;
    return OG_OK;
}

static og_status create(session *s, og_lance_write *write, const char *column, og_error *err)
{
    uint32_t field = 0, count;
    OG_TRY(column_of(s, column, &field, err));
    const og_lance_field *f = &og_lance_table_fields(s->table, &count)[field];
    if (f->value_type_count == 1 && og_str_is(f->value_types[0], "json"))
        return og_error_set(err, OG_UNSUPPORTED, "no BTREE on column '%s' of type json", column);
    const og_lance_fragment *all = og_lance_table_fragments(s->table, &count);
    uint32_t *fragments = og_arena_array_of(s->call->arena, uint32_t, (size_t)count + 1);
    const char *name = tool_value(s->call, "name");
    og_str index =
        name != NULL ? og_str_of(name) : og_arena_printf(s->call->arena, "%s_idx", column);
    if (fragments == NULL || index.ptr == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        fragments[i] = (uint32_t)all[i].id;
    og_status status = og_lance_write_drop_index(write, index, err);
    if (status != OG_OK && status != OG_NOT_FOUND)
        return status;
    return og_lance_btree_build(write, field, index, fragments, count, err);
}

static og_status change(session *s, const char *what, const char *name, og_error *err)
{
    OG_AUTO(og_lance_write) write = NULL;
    bool changed = true;
    OG_TRY(tool_check_no_graph(s->call, &s->place, err));
    if (tool_has(s->call, "version"))
        return og_error_set(err, OG_INVALID, "%s goes by the newest version, without --version",
                            what);
    const og_lance_write_options options = tool_write_options(OG_LANCE_INDEX);
    OG_TRY(og_lance_write_new(s->place.env, s->table, &options, &write, err));
    if (strcmp(what, "create") == 0)
        OG_TRY(create(s, write, name, err));
    else if (strcmp(what, "update") == 0)
        OG_TRY(tool_named(og_lance_btree_update(write, og_str_of(name), &changed, err), err));
    else
        OG_TRY(tool_named(og_lance_write_drop_index(write, og_str_of(name), err), err));
    if (changed)
        return tool_commit(write, true, err);
    printf("up to date\n");
    return OG_OK;
}

/* ---- looking ------------------------------------------------------------------------------ */

static void put_list(const session *s, const og_lance_index *indices, uint32_t count,
                     const char *note)
{
    uint32_t fields;
    const og_lance_field *all = og_lance_table_fields(s->table, &fields);
    for (uint32_t i = 0; i < count; i++) {
        char uuid[37];
        og_str column = OG_STR("?");
        og_uuid_format(indices[i].uuid, uuid);
        for (uint32_t f = 0; indices[i].field_count > 0 && f < fields; f++)
            if (all[f].id == indices[i].field_ids[0])
                column = all[f].field.name;
        printf("%.*s %.*s(%.*s) %s version %" PRIu64 " fragments %" PRIu32 "%s\n",
               OG_FMT(indices[i].name), OG_FMT(indices[i].kind), OG_FMT(column), uuid,
               indices[i].dataset_version, indices[i].fragment_count, note);
    }
}

static og_status list(session *s, og_error *err)
{
    const og_lance_index *indices;
    uint32_t count;
    OG_TRY(og_lance_indices(s->table, s->call->arena, &indices, &count, err));
    put_list(s, indices, count, "");
    OG_TRY(og_lance_address_indices(s->table, s->call->arena, &indices, &count, err));
    put_list(s, indices, count, " of row addresses, not used");
    return OG_OK;
}

static og_status parse_value(const og_field *field, const char *text, og_datum *out, og_error *err)
{
    og_str s = og_str_of(text);
    og_type_id id = field->type->id;
    *out = (og_datum){.type = OG_TYPE_I64};
    if (id == OG_TYPE_UTF8 || id == OG_TYPE_LARGE_UTF8 || id == OG_TYPE_BINARY ||
        id == OG_TYPE_LARGE_BINARY) {
        *out = (og_datum){.type = id, .str = s};
        return OG_OK;
    }
    if (og_parse_i64(s, &out->i64))
        return OG_OK;
    out->type = OG_TYPE_U64;
    if (og_parse_u64(s, &out->u64))
        return OG_OK;
    out->type = OG_TYPE_F64;
    if (og_parse_f64(s, &out->f64))
        return OG_OK;
    return og_error_set(err, OG_INVALID, "'%s' is no value of column '%.*s'", text,
                        OG_FMT(field->name));
}

static og_status bound(const session *s, const og_field *field, const char *option, og_datum *value,
                       const og_datum **out, og_error *err)
{
    const char *text = tool_value(s->call, option);
    if (text == NULL)
        return OG_OK;
    OG_TRY(parse_value(field, text, value, err));
    *out = value;
    return OG_OK;
}

static og_status find(session *s, const char *column, og_error *err)
{
    uint32_t field = 0, count;
    og_datum low, high;
    og_lance_span_of_values span = {0};
    OG_TRY(column_of(s, column, &field, err));
    const og_field *f = &og_lance_table_fields(s->table, &count)[field].field;
    OG_TRY(bound(s, f, "from", &low, &span.low, err));
    OG_TRY(bound(s, f, "to", &high, &span.high, err));
    if (tool_has(s->call, "value")) {
        OG_TRY(bound(s, f, "value", &low, &span.low, err));
        span.high = span.low;
    }
    OG_AUTO_FREE uint32_t *slots = NULL;
    size_t slot_count;
    bool indexed;
    OG_TRY(og_lance_btree_select(s->table, field, tool_has(s->call, "null") ? NULL : &span, &slots,
                                 &slot_count, &indexed, err));
    if (!indexed)
        return og_error_set(err, OG_INVALID, "column '%s' has no BTREE", column);
    OG_AUTO_FREE uint64_t *ids = og_calloc(slot_count + 1, sizeof *ids);
    if (ids == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_row_ids(s->table, slots, slot_count, ids, err));
    for (size_t i = 0; i < slot_count; i++)
        printf("%" PRIu64 "\n", ids[i]);
    return OG_OK;
}

/* ---- the verb ----------------------------------------------------------------------------- */

static og_status dispatch(session *s, og_error *err)
{
    const tool_call *call = s->call;
    const char *what = call->argument_count > 1 ? call->arguments[1] : "list";
    const char *name = call->argument_count > 2 ? call->arguments[2] : NULL;
    if (strcmp(what, "list") == 0 && name == NULL)
        return list(s, err);
    bool is_change =
        strcmp(what, "create") == 0 || strcmp(what, "update") == 0 || strcmp(what, "drop") == 0;
    if (name != NULL && is_change)
        return change(s, what, name, err);
    if (name != NULL && strcmp(what, "find") == 0)
        return find(s, name, err);
    return og_error_set(err, OG_INVALID, "'%s' is not understood here", what);
}

static og_status run(tool_call *call, og_error *err)
{
    session s = {.call = call};
    og_status status = tool_place_open(call, call->arguments[0], false, &s.place, err);
    if (status == OG_OK)
        status = tool_table_open(call, &s.place, &s.table, err);
    if (status == OG_OK)
        status = dispatch(&s, err);
    og_lance_table_unref(s.table);
    tool_place_deinit(&s.place);
    return status;
}

static const tool_option options[] = {
    TOOL_BRANCH,
    TOOL_VERSION,
    {"name", "NAME", "create: name of the index; else COLUMN_idx"},
    {"value", "VALUE", "find: rows with this value"},
    {"from", "VALUE", "find: rows with this value or a higher one"},
    {"to", "VALUE", "find: rows with this value or a lower one"},
    {"null", NULL, "find: rows without a value"},
    TOOL_FORCE,
    {0},
};

const tool_verb tool_index = {
    .name = "index",
    .arguments = "TABLE [list | create COLUMN | update NAME | drop NAME | find COLUMN]",
    .min_arguments = 1,
    .max_arguments = 3,
    .summary = "Indexes of a table: list, make a BTREE, bring it up to date, drop, find rows by it",
    .about =
        "create replaces an index of the same name. find prints the row ids of live rows, in the "
        "order of the table.\n",
    .examples = "  lancetool index people.lance create name\n"
                "  lancetool index people.lance find name --value ana\n",
    .options = options,
    .run = run,
};
