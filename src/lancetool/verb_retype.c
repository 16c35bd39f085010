/* retype-column: the values of a column in another type.
 *
 * A value is written as cat prints it and read as import reads it, so what one says the other
 * takes: numbers of other widths, lists and structs of them, text of large_utf8. Between numbers
 * and text the digits stay. A value that does not fit is an error, and nothing is changed. */
#include "base/bits.h"
#include "lance/table/evolve.h"
#include "lancetool/change.h"
#include "lancetool/verbs.h"

#include <inttypes.h>

#define STEP_ROWS 4096

typedef struct cast {
    og_lance_table *table;
    uint32_t from; /* index of the field */
    const og_field *to;
    const uint8_t *deleted;
} cast;

static bool is_text(const og_type *type)
{
    return type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_LARGE_UTF8;
}

static bool is_number(const og_type *type)
{
    return type->id >= OG_TYPE_I8 && type->id <= OG_TYPE_F64;
}

/* The value as JSON that the new type reads. */
static og_status write_value(const cast *c, const og_array *array, int64_t row, og_buf *out,
                             og_error *err)
{
    static const tool_style style = {.all_bytes = true};
    uint32_t count;
    const og_lance_field *field = &og_lance_table_fields(c->table, &count)[c->from];
    bool quote = is_number(array->type) && is_text(c->to->type);
    og_buf_clear(out);
    if (is_text(array->type) && is_number(c->to->type)) {
        og_buf_str(out, og_array_str(array, row));
    } else {
        og_buf_text(out, quote ? "\"" : "");
        tool_put_value(field, array, row, &style, out);
        og_buf_text(out, quote ? "\"" : "");
    }
    return out->failed ? og_error_nomem(err) : OG_OK;
}

static og_status cast_value(const cast *c, const og_array *array, int64_t row, og_buf *text,
                            og_arena *arena, og_builder *builder, og_error *err)
{
    og_json value;
    OG_TRY(write_value(c, array, row, text, err));
    og_status s = og_json_parse(arena, og_buf_view(text), &value, err);
    if (s == OG_OK && is_text(array->type) && is_number(c->to->type) &&
        value.kind != OG_JSON_NUMBER)
        s = OG_INVALID; /* "null" is text like any other */
    if (s == OG_OK)
        s = tool_put_json(builder, c->to->type, &value, err);
    if (s == OG_OK || s == OG_NOMEM)
        return s;
    char name[128];
    og_type_name(c->to->type, name, sizeof name);
    return og_error_set(err, OG_CORRUPT, "the value %.200s is no %s", og_buf_cstr(text), name);
}

static og_status cast_rows(const cast *c, const og_array *array, uint32_t first, og_array **out,
                           og_error *err)
{
    OG_AUTO(og_builder) builder = og_builder_new(c->to->type);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BUF text = OG_BUF_INIT;
    if (builder == NULL || arena == NULL)
        return og_error_nomem(err);
    for (int64_t row = 0; row < array->length; row++) {
        size_t slot = first + (size_t)row;
        bool gone = c->deleted != NULL && c->to->nullable && og_bit_get(c->deleted, slot);
        if (gone || og_array_is_null(array, row)) {
            if (!og_builder_null(builder))
                return og_error_nomem(err);
            continue;
        }
        og_status s = cast_value(c, array, row, &text, arena, builder, err);
        if (s != OG_OK)
            return og_error_context(err, s, "row %zu", slot);
    }
    return og_builder_finish(builder, out, err);
}

static og_status fill(const cast *c, og_lance_write *write, og_error *err)
{
    uint32_t total = (uint32_t)og_lance_table_slot_count(c->table), slots[STEP_ROWS];
    for (uint32_t first = 0; first < total; first += STEP_ROWS) {
        uint32_t count = total - first < STEP_ROWS ? total - first : STEP_ROWS;
        OG_AUTO_BATCH read = {0};
        OG_AUTO_BATCH batch = {0};
        for (uint32_t i = 0; i < count; i++)
            slots[i] = first + i;
        OG_TRY(og_lance_take(c->table, &c->from, 1, slots, count, &read, err));
        OG_TRY(og_batch_init(&batch, 1, count, err));
        OG_TRY(cast_rows(c, read.columns[0], first, &batch.columns[0], err));
        OG_TRY(tool_given(og_lance_write_fill(write, &batch, err), err));
    }
    return OG_OK;
}

/* TYPE as in a schema, under the column's name; null as before, unless it says "!". */
static og_status parse_type(const tool_call *call, const og_lance_field *from,
                            og_lance_new_field *out, og_error *err)
{
    og_lance_new_field *fields;
    uint32_t count;
    og_str text = og_arena_printf(call->arena, "c: %s", call->arguments[2]);
    if (text.ptr == NULL)
        return og_error_nomem(err);
    og_status s = tool_schema(call, text.ptr, &fields, &count, err);
    if (s == OG_INVALID)
        return og_error_set(err, s, "'%s' is no type (int64, utf8, list<...>, ...)",
                            call->arguments[2]);
    OG_TRY(s);
    if (count != 1)
        return og_error_set(err, OG_INVALID, "'%s' is more than a type", call->arguments[2]);
    if (fields[0].is_blob || from->is_blob)
        return og_error_set(err, OG_UNSUPPORTED, "blobs are no values of another type");
    *out = fields[0];
    out->field.name = from->field.name;
    out->field.nullable = fields[0].field.nullable && from->field.nullable;
    out->is_primary_key = from->is_primary_key;
    return OG_OK;
}

static og_status run(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_AUTO(og_lance_write) write = NULL;
    og_str name = og_str_of(call->arguments[1]);
    og_lance_new_field to;
    uint32_t count;
    OG_TRY(tool_begin(call, OG_LANCE_EVOLVE, &place, &table, &write, err));
    cast c = {.table = table, .to = &to.field};
    int32_t field = og_lance_table_find_field(table, name);
    if (field < 0)
        return og_error_set(err, OG_INVALID, "the table has no column '%.*s'", OG_FMT(name));
    c.from = (uint32_t)field;
    OG_TRY(parse_type(call, &og_lance_table_fields(table, &count)[field], &to, err));
    OG_TRY(og_lance_table_deleted(table, &c.deleted, err));
    OG_TRY(og_lance_write_retype_field(write, name, &to, err));
    OG_TRY(fill(&c, write, err));
    return tool_commit(write, true, err);
}

const tool_verb tool_retype_column = {
    .name = "retype-column",
    .arguments = "TABLE COLUMN TYPE",
    .min_arguments = 3,
    .max_arguments = 3,
    .summary = "Give a column another type; its values are written anew",
    .about =
        "A value that the type can't hold is an error, and nothing is changed. Indexes of the\n"
        "column go.\n",
    .examples = "  lancetool retype-column people.lance age int64\n"
                "  lancetool retype-column people.lance tags 'list<large_utf8>'\n",
    .options = (const tool_option[]){TOOL_BRANCH, TOOL_FORCE, {0}},
    .run = run,
};
