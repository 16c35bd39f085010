#include "lance/table/evolve.h"

#include "base/number.h"
#include "base/vec.h"
#include "columnar/kernels.h"
#include "lance/table/write_priv.h"

#include <inttypes.h>

struct og_table__evolution {
    OG_VEC(OgPb__Field *) fields; /* of the new schema, parents before children */
    OG_VEC(OgPb__Field *) added;  /* those of them that are new, children too */
    OG_VEC(int32_t) gone;         /* ids of the old schema that the new one does not have */
    int32_t next_id;
    bool retypes;

    /* Filling; made at the first batch. */
    og_lance_field *columns;
    uint32_t column_count;
    og_lance_write_column *write_columns;
    og_buf descriptor;
    og_lance_file_writer *writer; /* NULL: the next rows begin a file */
    const char *file;
    OgPb__DataFile **files; /* per fragment of base; NULL: none yet */
    uint32_t fragment;      /* being filled */
    uint32_t rows;          /* of it that have values */
};

void og_table__evolution_deinit(og_table__evolution *e)
{
    if (e == NULL)
        return;
    og_lance_file_writer_close(e->writer);
    og_vec_deinit(&e->fields);
    og_vec_deinit(&e->added);
    og_vec_deinit(&e->gone);
    og_buf_deinit(&e->descriptor);
    og_free(e);
}

/* ---- the schema ------------------------------------------------------------------------------ */

/* Beyond, the mark must do: others than us drop a column and add another
 * within few versions, if at all. */
#define MAX_VERSIONS_LOOKED_AT 64

static int32_t higher(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

int32_t og_table__highest_field_id(const OgPb__Manifest *m)
{
    int32_t highest = -1;
    for (size_t i = 0; i < m->n_fields; i++)
        highest = higher(highest, m->fields[i]->id);
    for (size_t f = 0; f < m->n_fragments; f++)
        for (size_t k = 0; k < m->fragments[f]->n_files; k++) {
            const OgPb__DataFile *file = m->fragments[f]->files[k];
            for (size_t i = 0; i < file->n_fields; i++)
                highest = higher(highest, file->fields[i]);
        }
    return highest;
}

int32_t og_table__highest_field_id_ever(const og_lance_table *table)
{
    const OgPb__Manifest *m = table->manifest;
    og_str mark =
        og_table__pairs_get(m->table_metadata, m->n_table_metadata, OG_STR(OG_TABLE__FIELD_MARK));
    uint64_t marked;
    int32_t highest = og_table__highest_field_id(m);
    bool valid = mark.ptr != NULL && og_parse_u64(mark, &marked) && marked < INT32_MAX;
    return valid ? higher(highest, (int32_t)marked) : highest;
}

/* One more than all ids that the table ever had: two versions in which an id names different
 * columns could not be told apart where a compaction lies between. Lance itself asks the newest
 * version only, so for what it dropped those before are asked, too. */
static og_status first_free_id(og_lance_table *base, int32_t *out, og_error *err)
{
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count, looked_at = 0;
    int32_t highest = og_table__highest_field_id_ever(base);
    OG_TRY(og_lance_list_versions(base->env, base->path, &versions, &count, err));
    for (size_t i = count; i-- > 0 && looked_at < MAX_VERSIONS_LOOKED_AT;) {
        if (versions[i] >= base->manifest->version)
            continue;
        OG_AUTO(og_lance_table) old = NULL;
        og_status s = og_lance_table_open(base->env, base->path, versions[i], 0, &old, err);
        if (s == OG_NOMEM)
            return s;
        if (s == OG_OK) /* one that can't be read has no say */
            highest = higher(highest, og_table__highest_field_id_ever(old));
        looked_at++;
    }
    *out = highest < INT32_MAX ? highest + 1 : INT32_MAX;
    return OG_OK;
}

static og_status begin(og_lance_write *write, og_error *err)
{
    if (write->options.op != OG_LANCE_EVOLVE || write->state != OG_TABLE__OPEN)
        return og_error_set(err, OG_INVALID, "this write can't change columns");
    if (write->evolution != NULL)
        return write->evolution->columns == NULL
                   ? OG_OK
                   : og_error_set(err, OG_INVALID, "columns are being filled already");
    og_table__evolution *e = write->evolution = og_calloc(1, sizeof *e);
    if (e == NULL)
        return og_error_nomem(err);
    OG_TRY(first_free_id(write->base, &e->next_id, err));
    for (size_t i = 0; i < write->field_message_count; i++)
        if (!og_vec_push(&e->fields, write->field_messages[i]))
            return og_error_nomem(err);
    return OG_OK;
}

/* The place of a top-level field; SIZE_MAX when there is none of that name. */
static size_t find(const og_table__evolution *e, og_str name)
{
    for (size_t i = 0; i < e->fields.len; i++)
        if (e->fields.items[i]->parent_id < 0 &&
            og_str_eq(og_table__text(e->fields.items[i]->name), name))
            return i;
    return SIZE_MAX;
}

static og_status find_field(const og_lance_write *write, og_str name, size_t *out, og_error *err)
{
    *out = find(write->evolution, name);
    return *out != SIZE_MAX ? OG_OK
                            : og_error_set(err, OG_NOT_FOUND, "%s has no column '%.*s'",
                                           write->options.path, OG_FMT(name));
}

static og_status check_free(const og_lance_write *write, og_str name, og_error *err)
{
    OG_TRY(og_table__column_name_check(name, err));
    return find(write->evolution, name) == SIZE_MAX
               ? OG_OK
               : og_error_set(err, OG_EXISTS, "%s has a column '%.*s' already", write->options.path,
                              OG_FMT(name));
}

/* Behind the field at `start` stand its children, theirs, and so on. */
static size_t end_of_field(const og_table__evolution *e, size_t start)
{
    size_t end = start + 1;
    while (end < e->fields.len && e->fields.items[end]->parent_id >= 0)
        end++;
    return end;
}

static bool is_added(const og_table__evolution *e, const OgPb__Field *field)
{
    for (size_t i = 0; i < e->added.len; i++)
        if (e->added.items[i] == field)
            return true;
    return false;
}

/* Take the field at `start` out. */
static og_status remove_field(og_table__evolution *e, size_t start, og_error *err)
{
    size_t end = end_of_field(e, start);
    for (size_t i = start; i < end; i++)
        if (!og_vec_push(&e->gone, e->fields.items[i]->id))
            return og_error_nomem(err);
    memmove(e->fields.items + start, e->fields.items + end,
            (e->fields.len - end) * sizeof *e->fields.items);
    e->fields.len -= end - start;
    return OG_OK;
}

/* Put the messages of a new field in front of the one at `at`. */
static og_status insert_field(og_lance_write *write, size_t at, const og_lance_new_field *field,
                              og_error *err)
{
    og_table__evolution *e = write->evolution;
    OgPb__Field **messages;
    size_t count;
    OG_TRY(og_table__fields_encode(field, 1, write->arena, &messages, &count, err));
    if (count > (size_t)(INT32_MAX - e->next_id))
        return og_error_set(err, OG_LIMIT, "%s has no field ids left", write->options.path);
    if (!og_vec_reserve(&e->fields, count) || !og_vec_reserve(&e->added, count))
        return og_error_nomem(err);
    memmove(e->fields.items + at + count, e->fields.items + at,
            (e->fields.len - at) * sizeof *e->fields.items);
    e->fields.len += count;
    for (size_t i = 0; i < count; i++) {
        OG_PB_SET(messages[i], id, messages[i]->id + e->next_id);
        if (messages[i]->parent_id >= 0)
            messages[i]->parent_id += e->next_id;
        e->fields.items[at + i] = messages[i];
        e->added.items[e->added.len++] = messages[i];
    }
    e->next_id += (int32_t)count;
    return OG_OK;
}

og_status og_lance_write_drop_field(og_lance_write *write, og_str name, og_error *err)
{
    size_t at;
    OG_TRY(begin(write, err));
    OG_TRY(find_field(write, name, &at, err));
    og_table__evolution *e = write->evolution;
    if (is_added(e, e->fields.items[at]))
        return og_error_set(err, OG_INVALID, "column '%.*s' is new", OG_FMT(name));
    if (end_of_field(e, at) - at == e->fields.len)
        return og_error_set(err, OG_INVALID, "'%.*s' is the last column of %s", OG_FMT(name),
                            write->options.path);
    return remove_field(e, at, err);
}

og_status og_lance_write_rename_field(og_lance_write *write, og_str from, og_str to, og_error *err)
{
    size_t at;
    OG_TRY(begin(write, err));
    OG_TRY(find_field(write, from, &at, err));
    OG_TRY(check_free(write, to, err));
    og_table__evolution *e = write->evolution;
    if (is_added(e, e->fields.items[at]))
        return og_error_set(err, OG_INVALID, "column '%.*s' is new", OG_FMT(from));
    OgPb__Field *copy = og_arena_copy(write->arena, e->fields.items[at], sizeof *copy);
    og_str name = og_arena_str(write->arena, to);
    if (copy == NULL || name.ptr == NULL)
        return og_error_nomem(err);
    OG_PB_SET(copy, name, og_table__binary_str(name));
    e->fields.items[at] = copy;
    return OG_OK;
}

og_status og_lance_write_add_field(og_lance_write *write, const og_lance_new_field *field,
                                   og_error *err)
{
    OG_TRY(begin(write, err));
    OG_TRY(check_free(write, field->field.name, err));
    return insert_field(write, write->evolution->fields.len, field, err);
}

og_status og_lance_write_retype_field(og_lance_write *write, og_str name,
                                      const og_lance_new_field *field, og_error *err)
{
    size_t at;
    OG_TRY(begin(write, err));
    OG_TRY(find_field(write, name, &at, err));
    if (!og_str_eq(name, field->field.name))
        OG_TRY(check_free(write, field->field.name, err));
    if (is_added(write->evolution, write->evolution->fields.items[at]))
        return og_error_set(err, OG_INVALID, "column '%.*s' is new", OG_FMT(name));
    OG_TRY(remove_field(write->evolution, at, err));
    write->evolution->retypes = true;
    return insert_field(write, at, field, err);
}

/* ---- values ---------------------------------------------------------------------------------- */

static og_status begin_filling(og_lance_write *write, og_error *err)
{
    og_table__evolution *e = write->evolution;
    if (e == NULL || e->added.len == 0)
        return og_error_set(err, OG_INVALID, "no column is to be filled");
    OG_TRY(og_table__fields_decode(write->env, write->arena, e->added.items, e->added.len,
                                   &e->columns, &e->column_count, err));
    e->write_columns =
        og_arena_array_of(write->arena, og_lance_write_column, (size_t)e->column_count + 1);
    e->files =
        og_arena_array_of(write->arena, OgPb__DataFile *, (size_t)write->base->fragment_count + 1);
    if (e->write_columns == NULL || e->files == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < e->column_count; i++)
        e->write_columns[i] = (og_lance_write_column){&e->columns[i].field, e->columns[i].is_blob};
    OgPb__Schema schema;
    og_pb__schema__init(&schema);
    schema.fields = e->added.items;
    schema.n_fields = e->added.len;
    return og_table__pack(&schema, &e->descriptor, err);
}

static og_status check_values(const og_lance_write *write, const og_batch *batch, og_error *err)
{
    const og_table__evolution *e = write->evolution;
    if (batch->column_count != e->column_count)
        return og_error_set(err, OG_INVALID, "values of %u columns for %u", batch->column_count,
                            e->column_count);
    for (uint32_t i = 0; i < e->column_count; i++) {
        const og_field *field = &e->columns[i].field;
        if (!og_type_eq(batch->columns[i]->type, field->type) ||
            batch->columns[i]->length != batch->row_count)
            return og_error_set(err, OG_INVALID, "column '%.*s' has another type or length",
                                OG_FMT(field->name));
        if (!field->nullable && batch->columns[i]->null_count != 0)
            return og_error_set(err, OG_INVALID, "column '%.*s' must not be null",
                                OG_FMT(field->name));
    }
    return OG_OK;
}

static og_status end_fragment(og_lance_write *write, og_error *err)
{
    og_table__evolution *e = write->evolution;
    uint64_t bytes;
    OG_TRY(og_table__file_end(write, &e->writer, &bytes, err));
    OG_TRY(og_table__data_file_new(write->arena, e->columns, e->column_count, e->file, bytes,
                                   &e->files[e->fragment], err));
    e->fragment++;
    e->rows = 0;
    return OG_OK;
}

/* Rows [start, start + count) of the batch into the fragment being filled. */
static og_status fill_rows(og_lance_write *write, const og_batch *batch, int64_t start,
                           int64_t count, og_error *err)
{
    og_table__evolution *e = write->evolution;
    if (e->writer == NULL)
        OG_TRY(og_table__file_begin(write, e->write_columns, e->column_count,
                                    og_buf_bytes(&e->descriptor), &e->file, &e->writer, err));
    OG_AUTO_BATCH piece = {0};
    OG_TRY(og_batch_init(&piece, batch->column_count, count, err));
    for (uint32_t i = 0; i < batch->column_count; i++)
        OG_TRY(og_slice(batch->columns[i], start, count, &piece.columns[i], err));
    OG_TRY(og_lance_file_writer_write(e->writer, &piece, err));
    e->rows += (uint32_t)count;
    return OG_OK;
}

og_status og_lance_write_fill(og_lance_write *write, const og_batch *batch, og_error *err)
{
    if (write->options.op != OG_LANCE_EVOLVE || write->state != OG_TABLE__OPEN)
        return og_error_set(err, OG_INVALID, "this write can't fill columns");
    if (write->evolution == NULL || write->evolution->columns == NULL)
        OG_TRY(begin_filling(write, err));
    OG_TRY(check_values(write, batch, err));
    og_table__evolution *e = write->evolution;
    for (int64_t start = 0; start < batch->row_count;) {
        if (e->fragment == write->base->fragment_count)
            return og_error_set(err, OG_INVALID, "more values than %s has slots",
                                write->options.path);
        uint32_t rows = write->base->fragments[e->fragment].physical_rows;
        int64_t count = batch->row_count - start;
        count = count < rows - e->rows ? count : rows - e->rows;
        if (count > 0)
            OG_TRY(fill_rows(write, batch, start, count, err));
        start += count;
        if (e->rows == rows && e->writer != NULL)
            OG_TRY(end_fragment(write, err));
        else if (rows == 0)
            e->fragment++;
    }
    return OG_OK;
}

/* ---- staging --------------------------------------------------------------------------------- */

static og_status check_filled(const og_lance_write *write, og_error *err)
{
    const og_table__evolution *e = write->evolution;
    uint32_t fragment = e->fragment;
    while (fragment < write->base->fragment_count &&
           write->base->fragments[fragment].physical_rows == 0)
        fragment++;
    bool none = e->columns == NULL, all = !none && fragment == write->base->fragment_count;
    if (!none && !all)
        return og_error_set(err, OG_INVALID, "values for only some rows of %s",
                            write->options.path);
    bool must = e->retypes;
    for (size_t i = 0; i < e->added.len; i++)
        must = must || (e->added.items[i]->parent_id < 0 && !e->added.items[i]->nullable);
    if (must && none && write->base->slot_count != 0)
        return og_error_set(err, OG_INVALID, "a column of %s needs values", write->options.path);
    return OG_OK;
}

og_status og_table__evolve_schema(og_lance_write *write, og_error *err)
{
    og_table__evolution *e = write->evolution;
    OG_TRY(check_filled(write, err));
    write->field_messages = e->fields.items;
    write->field_message_count = e->fields.len;
    return og_table__fields_decode(write->env, write->arena, write->field_messages,
                                   write->field_message_count, &write->fields, &write->field_count,
                                   err);
}

static bool is_gone(const og_table__evolution *e, int32_t id)
{
    for (size_t i = 0; i < e->gone.len; i++)
        if (e->gone.items[i] == id)
            return true;
    return false;
}

/* Does the file hold a column that the schema still has? */
static bool is_used(const og_table__evolution *e, const OgPb__DataFile *file)
{
    for (size_t i = 0; i < file->n_fields; i++)
        for (size_t k = 0; k < e->fields.len; k++)
            if (file->fields[i] == e->fields.items[k]->id)
                return true;
    return false;
}

og_status og_table__evolve_fragment(og_lance_write *write, uint32_t index,
                                    OgPb__DataFragment *fragment, og_error *err)
{
    const og_table__evolution *e = write->evolution;
    OgPb__DataFile **files =
        og_arena_array_of(write->arena, OgPb__DataFile *, fragment->n_files + 1);
    if (files == NULL)
        return og_error_nomem(err);
    size_t count = 0;
    for (size_t i = 0; i < fragment->n_files; i++)
        if (is_used(e, fragment->files[i]))
            files[count++] = fragment->files[i];
    if (e->files != NULL && e->files[index] != NULL)
        files[count++] = e->files[index];
    /* All that is left is null everywhere; a fragment still has a file,
     * which says how many rows. */
    if (count == 0 && fragment->n_files != 0)
        files[count++] = fragment->files[0];
    fragment->files = files;
    fragment->n_files = count;
    return OG_OK;
}

bool og_table__evolve_outdates(const og_lance_write *write, const OgPb__IndexMetadata *index)
{
    for (size_t i = 0; i < index->n_fields; i++)
        if (is_gone(write->evolution, index->fields[i]))
            return true;
    return false;
}

bool og_table__evolve_only_projects(const og_lance_write *write)
{
    return write->evolution == NULL || write->evolution->added.len == 0;
}
