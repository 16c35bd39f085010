/* cat: the rows of a table as JSON lines. */
#include "lancetool/verbs.h"

#include "base/json.h"
#include "lance/table/look.h"

#include <inttypes.h>

typedef struct printer {
    og_lance_table *table;
    const og_lance_field *all_fields;
    uint32_t *fields;
    uint32_t field_count;
    bool row_ids, by_address; /* by_address: these are the ids of the rows, too */
    tool_style style;
    uint32_t fragment; /* of the last row, about */
    og_buf text;
    uint64_t ids[OG_BATCH_ROWS], updated[OG_BATCH_ROWS], created[OG_BATCH_ROWS];
} printer;

static void printer_free(printer *p)
{
    if (p != NULL)
        og_buf_deinit(&p->text);
    og_free(p);
}
OG_DEFINE_AUTO(printer, printer_free)

static og_status choose_fields(const tool_call *call, printer *p, og_error *err)
{
    uint32_t count, chosen;
    p->all_fields = og_lance_table_fields(p->table, &count);
    const char *columns = tool_value(call, "columns");
    og_str *names = NULL;
    chosen = count;
    if (columns != NULL)
        OG_TRY(tool_list(call, columns, &names, &chosen, err));
    p->fields = og_arena_array_of(call->arena, uint32_t, (size_t)chosen + 1);
    if (p->fields == NULL)
        return og_error_nomem(err);
    for (p->field_count = 0; p->field_count < chosen; p->field_count++) {
        int32_t index = (int32_t)p->field_count;
        if (names != NULL) {
            index = og_lance_table_find_field(p->table, names[p->field_count]);
            if (index < 0)
                return og_error_set(err, OG_INVALID, "the table has no column '%.*s'",
                                    OG_FMT(names[p->field_count]));
        }
        for (uint32_t i = 0; i < p->field_count; i++)
            if (p->fields[i] == (uint32_t)index)
                return og_error_set(err, OG_INVALID, "column '%.*s' is given twice",
                                    OG_FMT(names[p->field_count]));
        p->fields[p->field_count] = (uint32_t)index;
    }
    return OG_OK;
}

/* A blob by its bytes; one that lies elsewhere by its place. */
static og_status put_blob(printer *p, uint32_t field, uint32_t slot, const og_array *column,
                          int64_t row, og_error *err)
{
    OG_AUTO(og_blob) blob = NULL;
    og_status status = og_lance_blob_read(p->table, field, slot, column, row, &blob, err);
    if (status == OG_UNSUPPORTED) {
        og_buf_text(&p->text, "{\"uri\":");
        og_json_write_str(&p->text, og_array_str(column->children[4], row));
        og_buf_printf(&p->text, ",\"position\":%" PRIu64 ",\"size\":%" PRIu64 "}",
                      og_array_u64(column->children[1], row),
                      og_array_u64(column->children[2], row));
        return OG_OK;
    }
    OG_TRY(status);
    if (blob == NULL)
        og_buf_text(&p->text, "null");
    else
        tool_put_bytes((og_str){(const char *)blob->ptr, blob->len}, p->style.all_bytes, &p->text);
    return OG_OK;
}

static void put_row_ids(printer *p, uint32_t slot, int64_t row)
{
    uint32_t count;
    const og_lance_fragment *fragments = og_lance_table_fragments(p->table, &count);
    const og_lance_fragment *f = &fragments[p->fragment];
    while (slot - f->first_slot >= f->physical_rows) /* slots ascend */
        f = &fragments[++p->fragment];
    uint64_t address = f->id << 32 | (slot - f->first_slot);
    og_buf_printf(&p->text,
                  "%s\"_rowid\":%" PRIu64 ",\"_rowaddr\":%" PRIu64
                  ",\"_row_created_at_version\":%" PRIu64
                  ",\"_row_last_updated_at_version\":%" PRIu64,
                  p->field_count != 0 ? "," : "", p->by_address ? address : p->ids[row], address,
                  p->created[row], p->updated[row]);
}

static og_status put_row(printer *p, const og_batch *batch, int64_t row, uint32_t slot,
                         og_error *err)
{
    og_buf_byte(&p->text, '{');
    for (uint32_t i = 0; i < p->field_count; i++) {
        const og_lance_field *field = &p->all_fields[p->fields[i]];
        og_buf_text(&p->text, i > 0 ? "," : "");
        og_json_write_str(&p->text, field->field.name);
        og_buf_byte(&p->text, ':');
        if (field->is_blob)
            OG_TRY(put_blob(p, p->fields[i], slot, batch->columns[i], row, err));
        else
            tool_put_value(field, batch->columns[i], row, &p->style, &p->text);
    }
    if (p->row_ids)
        put_row_ids(p, slot, row);
    og_buf_text(&p->text, "}\n");
    return tool_flush_full(&p->text, err);
}

static og_status put_batch(printer *p, const og_batch *batch, const uint32_t *slots, og_error *err)
{
    size_t count = (size_t)batch->row_count;
    if (p->row_ids) {
        OG_TRY(og_lance_row_ids(p->table, slots, count, p->ids, err));
        OG_TRY(og_lance_row_versions(p->table, slots, count, p->updated, p->created, err));
    }
    for (size_t row = 0; row < count; row++)
        OG_TRY(put_row(p, batch, (int64_t)row, slots[row], err));
    return OG_OK;
}

static og_status put_rows(printer *p, og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(p->table, p->fields, p->field_count, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return tool_flush(&p->text, err);
        OG_TRY(put_batch(p, &batch, slots, err));
    }
}

static og_status run(tool_call *call, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_TRY(tool_place_open(call, call->arguments[0], false, &place, err));
    OG_TRY(tool_table_open(call, &place, &table, err));
    OG_AUTO(printer) p = og_calloc(1, sizeof *p);
    if (p == NULL)
        return og_error_nomem(err);
    p->table = table;
    og_lance_about about;
    og_lance_table_about(table, &about);
    p->row_ids = tool_has(call, "row-ids");
    p->by_address = !about.has_stable_row_ids;
    p->style.all_bytes = tool_has(call, "all-bytes");
    OG_TRY(choose_fields(call, p, err));
    return put_rows(p, err);
}

static const tool_option options[] = {
    TOOL_VERSION,
    TOOL_BRANCH,
    {"columns", "A,B", "only these columns, in this order"},
    {"row-ids", NULL, "add _rowid, _rowaddr and both version columns"},
    {"all-bytes", NULL, "print bytes above 4096, too, instead of their digest"},
    {0},
};

const tool_verb tool_cat = {
    .name = "cat",
    .arguments = "TABLE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Print the rows of a table, one JSON object a row, in scan order",
    .about =
        "Dates and times are the stored integers, bytes {\"hex\": ..}, NaN and infinities texts.\n",
    .examples = "  lancetool cat people.lance\n"
                "  lancetool cat --version 3 --columns name,age people.lance\n"
                "  lancetool cat --version before-import --row-ids people.lance\n",
    .options = options,
    .run = run,
};
