/* inspect: what a table or a data file is made of. */
#include "lancetool/verbs.h"

#include "base/timeval.h"
#include "lance/file/look.h"
#include "lance/table/indices.h"
#include "lance/table/look.h"
#include "lance/table/refs.h"

#include <inttypes.h>
#include <sys/stat.h>

/* ---- schema ------------------------------------------------------------------------------- */

static void put_type(const og_type *type, const og_str **types, og_buf *out);

static void put_children(const og_type *type, const og_str **types, og_buf *out)
{
    for (uint32_t i = 0; i < type->child_count; i++) {
        og_buf_text(out, i > 0 ? ", " : "");
        if (type->id == OG_TYPE_STRUCT)
            og_buf_printf(out, "%.*s: ", OG_FMT(type->children[i].name));
        put_type(type->children[i].type, types, out);
        og_buf_text(out, type->children[i].nullable ? "" : " not null");
    }
}

/* As Lance names the values: the next of *types for each type without fields of its own. */
static void put_type(const og_type *type, const og_str **types, og_buf *out)
{
    if (tool_is_list_of_structs(type)) {
        og_buf_printf(out, "fixed_size_list<%d x ", type->list_size);
        put_children(type, types, out);
        og_buf_byte(out, '>');
        return;
    }
    if (type->id != OG_TYPE_STRUCT && type->id != OG_TYPE_LIST && type->id != OG_TYPE_LARGE_LIST) {
        og_buf_str(out, *(*types)++);
        return;
    }
    og_buf_text(out, type->id == OG_TYPE_STRUCT ? "struct<"
                     : type->id == OG_TYPE_LIST ? "list<"
                                                : "large_list<");
    put_children(type, types, out);
    og_buf_byte(out, '>');
}

static void put_fields(const og_lance_field *fields, uint32_t count, og_buf *out)
{
    og_buf_text(out, "schema:\n");
    for (uint32_t i = 0; i < count; i++) {
        const og_str *types = fields[i].value_types;
        og_buf_printf(out, "  %-4d %.*s: ", fields[i].id, OG_FMT(fields[i].field.name));
        if (fields[i].is_blob)
            og_buf_text(out, "blob");
        else
            put_type(fields[i].field.type, &types, out);
        og_buf_printf(out, "%s%s%s\n", fields[i].field.nullable ? "" : " not null",
                      fields[i].is_primary_key ? ", primary key" : "",
                      fields[i].packed != 0 ? ", packed" : "");
    }
}

/* ---- a file ------------------------------------------------------------------------------- */

static og_status put_column(og_lance_file *file, uint32_t column, og_buf *out, og_error *err)
{
    uint32_t pages;
    OG_TRY(og_lance_file_page_count(file, column, &pages, err));
    OG_AUTO_BUF text = OG_BUF_INIT;
    for (uint32_t p = 0; p < pages; p++) {
        og_lance_page_look look;
        og_buf_clear(&text);
        og_status status = og_lance_file_page_look(file, column, p, &look, &text, err);
        if (status != OG_OK && status != OG_UNSUPPORTED && status != OG_CORRUPT)
            return status;
        og_buf_printf(out,
                      "    column %u, page %u: rows %" PRIu64 "..%" PRIu64 ", %" PRIu64
                      " bytes at %" PRIu64 ": %s\n",
                      column, p, look.first_row, look.first_row + look.rows, look.bytes,
                      look.offset, status == OG_OK ? og_buf_cstr(&text) : err->message);
    }
    return OG_OK;
}

static og_status put_file(og_lance_file *file, bool pages, og_buf *out, og_error *err)
{
    uint16_t major, minor;
    og_lance_file_format(file, &major, &minor);
    og_buf_printf(out, "  %s: %" PRIu64 " bytes, version %u.%u, %" PRIu64 " rows, %u columns\n",
                  og_lance_file_name(file), og_lance_file_bytes(file), major, minor,
                  og_lance_file_rows(file), og_lance_file_column_count(file));
    for (uint32_t c = 0; pages && c < og_lance_file_column_count(file); c++)
        OG_TRY(put_column(file, c, out, err));
    return tool_flush_full(out, err);
}

static og_status inspect_file(tool_call *call, const char *path, og_buf *out, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_TRY(tool_place_open(call, path, false, &place, err));
    OG_AUTO(og_lance_file) file = NULL;
    OG_TRY(og_lance_file_open(place.store, place.path, 0, &file, err));
    og_lance_field *fields;
    uint32_t count;
    OG_TRY(og_lance_file_fields(place.env, call->arena, file, &fields, &count, err));
    put_fields(fields, count, out);
    og_buf_text(out, "file:\n");
    return put_file(file, true, out, err);
}

/* ---- a table ------------------------------------------------------------------------------ */

static void put_about(const og_lance_table *table, og_buf *out)
{
    og_lance_about about;
    og_lance_table_about(table, &about);
    uint32_t fragments;
    og_lance_table_fragments(table, &fragments);
    og_buf_printf(out, "version %" PRIu64 " of %s, ", og_lance_table_version(table),
                  og_lance_table_path(table));
    og_format_datetime(out, og_lance_table_timestamp_us(table) / 1000, true, true);
    og_buf_printf(out, "%s%s%s%.*s\n", about.operation[0] != '\0' ? ", made by " : "",
                  about.operation, about.branch.len != 0 ? ", branch " : "", OG_FMT(about.branch));
    og_buf_printf(out, "rows: %" PRIu64 " of %" PRIu64 " stored, in %u fragments\n",
                  og_lance_table_row_count(table), og_lance_table_slot_count(table), fragments);
    if (about.has_stable_row_ids)
        og_buf_printf(out, "row ids: stable, next %" PRIu64, og_lance_table_next_row_id(table));
    else
        og_buf_text(out, "row ids: addresses");
    og_buf_printf(out, "; highest fragment %" PRId64 "; flags %" PRIu64 " and %" PRIu64 "\n",
                  og_lance_table_max_fragment_id(table), about.reader_flags, about.writer_flags);
    og_buf_printf(out, "files: version %.*s, written by %.*s %.*s\n", OG_FMT(about.file_version),
                  OG_FMT(about.library), OG_FMT(about.library_version));
}

static void put_pairs(const og_lance_table *table, og_buf *out)
{
    static const char *const names[] = {"config", "table metadata", "schema metadata"};
    og_lance_kv kv;
    for (int map = OG_LANCE_PAIRS_CONFIG; map <= OG_LANCE_PAIRS_SCHEMA_METADATA; map++)
        for (size_t i = 0; og_lance_table_pair(table, (og_lance_pairs)map, i, &kv); i++)
            og_buf_printf(out, "%s%s%s  %.*s = %.*s\n", i == 0 ? names[map] : "", i == 0 ? ":" : "",
                          i == 0 ? "\n" : "", OG_FMT(kv.key), OG_FMT(kv.value));
    og_lance_base base;
    for (size_t i = 0; og_lance_table_base(table, i, &base); i++)
        og_buf_printf(out, "%s  %u: %.*s\n", i == 0 ? "bases:\n" : "", base.id, OG_FMT(base.path));
}

/* Those that the table still has. */
static uint32_t covered_fragments(const og_lance_table *table, const og_lance_index *index)
{
    uint32_t count, covered = 0;
    const og_lance_fragment *fragments = og_lance_table_fragments(table, &count);
    for (uint32_t i = 0; i < count; i++)
        covered += og_lance_index_covers(index, fragments[i].id);
    return covered;
}

static void put_list(const og_lance_table *table, const og_lance_index *indices, uint32_t count,
                     const char *title, og_buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const og_lance_index *x = &indices[i];
        char uuid[37];
        og_uuid_format(x->uuid, uuid);
        og_buf_printf(out, "%s  %.*s: %.*s on fields", i == 0 ? title : "", OG_FMT(x->name),
                      OG_FMT(x->kind));
        for (uint32_t f = 0; f < x->field_count; f++)
            og_buf_printf(out, " %d", x->field_ids[f]);
        og_buf_printf(out, ", %" PRIu32 " fragments, since version %" PRIu64 ", %s\n",
                      covered_fragments(table, x), x->dataset_version, uuid);
    }
}

static og_status put_indices(const og_lance_table *table, og_arena *arena, og_buf *out,
                             og_error *err)
{
    const og_lance_index *indices;
    uint32_t count;
    OG_TRY(og_lance_indices(table, arena, &indices, &count, err));
    put_list(table, indices, count, "indices:\n", out);
    OG_TRY(og_lance_address_indices(table, arena, &indices, &count, err));
    put_list(table, indices, count, "indices of row addresses, which are not used:\n", out);
    return OG_OK;
}

static og_status put_versions(tool_place *place, og_buf *out, og_error *err)
{
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count;
    OG_TRY(og_lance_list_versions(place->env, place->path, &versions, &count, err));
    og_buf_printf(out, "versions: %zu", count);
    for (size_t i = 0; i < count; i++) {
        size_t first = i;
        while (i + 1 < count && versions[i + 1] == versions[i] + 1)
            i++;
        og_buf_printf(out, "%s %" PRIu64, first == 0 ? ":" : ",", versions[first]);
        if (i > first)
            og_buf_printf(out, "..%" PRIu64, versions[i]);
    }
    og_buf_byte(out, '\n');
    return OG_OK;
}

static og_status put_refs(tool_place *place, og_buf *out, og_error *err)
{
    og_lance_refs refs;
    OG_TRY(og_lance_refs_read(place->env, place->dataset, &refs, err));
    for (uint32_t i = 0; i < refs.tag_count; i++) {
        const og_lance_tag *t = &refs.tags[i];
        og_buf_printf(out, "%s  %.*s: version %" PRIu64 "%s%.*s\n", i == 0 ? "tags:\n" : "",
                      OG_FMT(t->name), t->version, t->branch.ptr != NULL ? " of " : "",
                      OG_FMT(t->branch));
    }
    for (uint32_t i = 0; i < refs.branch_count; i++) {
        const og_lance_branch *b = &refs.branches[i];
        og_str parent = b->parent.ptr != NULL ? b->parent : OG_STR("main");
        og_buf_printf(out, "%s  %.*s: cut from %.*s at version %" PRIu64 "\n",
                      i == 0 ? "branches:\n" : "", OG_FMT(b->name), OG_FMT(parent),
                      b->parent_version);
    }
    og_lance_refs_deinit(&refs);
    return OG_OK;
}

static og_status put_data_file(tool_place *place, const og_lance_data_file *data, bool pages,
                               og_buf *out, og_error *err)
{
    OG_AUTO(og_lance_file) file = NULL;
    og_status status = og_lance_file_open(place->store, data->name, data->bytes, &file, err);
    if (status != OG_OK) {
        og_buf_printf(out, "  %s: %s\n", data->name, err->message);
        return OG_OK;
    }
    OG_TRY(put_file(file, pages, out, err));
    og_buf_text(out, "    fields");
    for (uint32_t i = 0; i < data->column_count; i++)
        og_buf_printf(out, " %d@%d", data->field_ids[i], data->columns[i]);
    og_buf_byte(out, '\n');
    return OG_OK;
}

static og_status put_fragments(const tool_call *call, tool_place *place,
                               const og_lance_table *table, og_buf *out, og_error *err)
{
    uint32_t count;
    const og_lance_fragment *fragments = og_lance_table_fragments(table, &count);
    for (uint32_t i = 0; i < count; i++) {
        const char *deletions = og_lance_table_deletion_file(table, i);
        og_buf_printf(out, "fragment %" PRIu64 ": %u rows, %u deleted%s%s\n", fragments[i].id,
                      fragments[i].physical_rows, fragments[i].deleted_rows,
                      deletions != NULL ? " by " : "", deletions != NULL ? deletions : "");
        for (uint32_t f = 0; f < og_lance_table_file_count(table, i); f++) {
            og_lance_data_file data = og_lance_table_file(table, i, f);
            OG_TRY(put_data_file(place, &data, tool_has(call, "pages"), out, err));
        }
    }
    return OG_OK;
}

static og_status inspect_table(tool_call *call, og_buf *out, og_error *err)
{
    TOOL_AUTO_PLACE place = {0};
    OG_AUTO(og_lance_table) table = NULL;
    OG_TRY(tool_place_open(call, call->arguments[0], false, &place, err));
    OG_TRY(tool_table_open(call, &place, &table, err));
    uint32_t field_count;
    const og_lance_field *fields = og_lance_table_fields(table, &field_count);
    put_about(table, out);
    OG_TRY(put_versions(&place, out, err));
    OG_TRY(put_refs(&place, out, err));
    put_fields(fields, field_count, out);
    OG_TRY(put_indices(table, call->arena, out, err));
    put_pairs(table, out);
    return put_fragments(call, &place, table, out, err);
}

static og_status run(tool_call *call, og_error *err)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    struct stat info;
    if (stat(call->arguments[0], &info) == 0 && S_ISREG(info.st_mode))
        OG_TRY(inspect_file(call, call->arguments[0], &out, err));
    else
        OG_TRY(inspect_table(call, &out, err));
    return tool_flush(&out, err);
}

static const tool_option options[] = {
    TOOL_VERSION,
    TOOL_BRANCH,
    {"pages", NULL, "list the pages of each data file, with their encodings"},
    {0},
};

const tool_verb tool_inspect = {
    .name = "inspect",
    .arguments = "TABLE|FILE",
    .min_arguments = 1,
    .max_arguments = 1,
    .summary = "Show what a table or one of its data files is made of",
    .about =
        "Of a table: versions, tags, branches, schema, indices, config, and the files of each\n"
        "fragment. Of a data file: schema and pages. No value is decoded.\n",
    .examples = "  lancetool inspect people.lance\n"
                "  lancetool inspect --version 3 --pages people.lance\n"
                "  lancetool inspect people.lance/data/0110a.lance\n",
    .options = options,
    .run = run,
};
