#include "lance/table/write.h"

#include "lance/table/write_priv.h"

#include <inttypes.h>

/* ---- beginning ---------------------------------------------------------------------------- */

static bool copy_kvs(og_arena *arena, const og_lance_kv **kvs, uint32_t count)
{
    og_lance_kv *copy = og_arena_array_of(arena, og_lance_kv, (size_t)count + 1);
    if (copy == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        copy[i].key = og_arena_str(arena, (*kvs)[i].key);
        if ((*kvs)[i].value.ptr != NULL)
            copy[i].value = og_arena_str(arena, (*kvs)[i].value);
        if (copy[i].key.ptr == NULL || (copy[i].value.ptr == NULL && (*kvs)[i].value.ptr != NULL))
            return false;
    }
    *kvs = copy;
    return true;
}

static og_status copy_options(og_lance_write *write, const og_lance_write_options *options,
                              og_error *err)
{
    og_lance_write_options *o = &write->options;
    *o = *options;
    const char *path = write->base != NULL ? og_lance_table_path(write->base) : options->path;
    if (options->op == OG_LANCE_CLONE)
        path = og_table__clone_path(write->arena, write->base, options->branch);
    o->path = path != NULL ? og_arena_str(write->arena, og_str_of(path)).ptr : NULL;
    o->branch = og_arena_str(write->arena, options->branch);
    if (o->path == NULL || o->branch.ptr == NULL ||
        !copy_kvs(write->arena, &o->properties, o->property_count) ||
        !copy_kvs(write->arena, &o->config, o->config_count) ||
        !copy_kvs(write->arena, &o->metadata, o->metadata_count) ||
        !copy_kvs(write->arena, &o->schema_metadata, o->schema_metadata_count))
        return og_error_nomem(err);
    return OG_OK;
}

static bool writes_rows(og_lance_op op)
{
    return op == OG_LANCE_CREATE || op == OG_LANCE_APPEND || op == OG_LANCE_UPDATE ||
           op == OG_LANCE_OVERWRITE;
}

static bool writes_files(og_lance_op op)
{
    return writes_rows(op) || op == OG_LANCE_COMPACT || op == OG_LANCE_EVOLVE;
}

/* Values whose stored form has the layout of the type that we keep them as. */
static bool is_written_type(og_str name)
{
    static const char *const others[] = {"decimal", "fixed_size_binary", "dict", "bfloat", "json"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (og_str_find(name, og_str_of(others[i])) != SIZE_MAX)
            return false;
    return true;
}

/* Data files of a table with such a column are read, but not written. */
static og_status check_field(const og_lance_table *table, const og_lance_field *field,
                             og_error *err)
{
    og_str what = {NULL, 0};
    if (field->packed != 0)
        what = OG_STR("a packed struct");
    else if (field->is_blob && !og_lance_is_blob_type(field->field.type))
        what = OG_STR("a blob with other fields than data, uri, position and size");
    for (uint32_t i = 0; what.ptr == NULL && i < field->value_type_count; i++)
        if (!is_written_type(field->value_types[i]))
            what = field->value_types[i];
    return what.ptr == NULL ? OG_OK
                            : og_error_set(err, OG_UNSUPPORTED,
                                           "column '%.*s' of %s can't be written: it is %.*s",
                                           OG_FMT(field->field.name), table->path, OG_FMT(what));
}

/* What must hold of a table that we change: foreign ones may have been made differently. */
static og_status check_writable(const og_lance_table *table, og_lance_op op, og_error *err)
{
    const OgPb__Manifest *m = table->manifest;
    if ((m->writer_feature_flags & ~(uint64_t)OG_TABLE__FLAGS_KNOWN) != 0)
        return og_error_set(err, OG_UNSUPPORTED,
                            "%s needs features this version can't write (flags 0x%" PRIx64 ")",
                            table->path, m->writer_feature_flags);
    og_str version = m->data_format != NULL ? og_table__text(m->data_format->version) : OG_STR("");
    if (writes_files(op) && version.len != 0 && !og_str_is(version, "2.2"))
        return og_error_set(err, OG_UNSUPPORTED,
                            "%s has files of version %.*s; only 2.2 is written", table->path,
                            OG_FMT(version));
    bool new_files = writes_files(op) && op != OG_LANCE_EVOLVE;
    for (uint32_t i = 0; new_files && i < table->field_count; i++)
        OG_TRY(check_field(table, &table->fields[i], err));
    return OG_OK;
}

static og_status check_options(const og_lance_table *base, const og_lance_write_options *o,
                               og_error *err)
{
    if ((base == NULL) != (o->op == OG_LANCE_CREATE))
        return og_error_set(err, OG_INVALID, "only CREATE has no base version");
    if (base == NULL && o->path == NULL)
        return og_error_set(err, OG_INVALID, "CREATE needs a path");
    if ((o->restore_from != NULL) != (o->op == OG_LANCE_RESTORE))
        return og_error_set(err, OG_INVALID, "RESTORE needs the version to restore");
    if ((o->branch.len != 0) != (o->op == OG_LANCE_CLONE))
        return og_error_set(err, OG_INVALID, "CLONE needs the branch to make");
    uint64_t lowest = base != NULL ? base->manifest->version + (o->op != OG_LANCE_CLONE) : 0;
    if (base != NULL && o->version != 0 && o->version < lowest)
        return og_error_set(err, OG_INVALID, "version %" PRIu64 " is not above its base",
                            o->version);
    if (base != NULL)
        OG_TRY(check_writable(base, o->op, err));
    return OG_OK;
}

static void set_counters(og_lance_write *write)
{
    const og_lance_write_options *o = &write->options;
    write->version = o->version;
    write->next_row_id = o->min_next_row_id;
    write->max_fragment_id = o->min_max_fragment_id;
    if (write->base == NULL) {
        write->max_fragment_id = o->min_max_fragment_id > 0 ? o->min_max_fragment_id : -1;
        write->version = o->version != 0 ? o->version : 1;
        return;
    }
    if (o->version == 0)
        write->version = write->base->manifest->version + (o->op != OG_LANCE_CLONE);
    const og_lance_table *tables[2] = {write->base, write->source};
    for (int i = 0; i < 2; i++) {
        uint64_t next = og_lance_table_next_row_id(tables[i]);
        int64_t highest = og_lance_table_max_fragment_id(tables[i]);
        write->next_row_id = next > write->next_row_id ? next : write->next_row_id;
        write->max_fragment_id =
            highest > write->max_fragment_id ? highest : write->max_fragment_id;
    }
}

/* The schema of the new version, and what the file writer needs of it. */
static og_status set_schema(og_lance_write *write, og_error *err)
{
    const og_lance_write_options *o = &write->options;
    bool new_schema =
        o->op == OG_LANCE_CREATE || (o->op == OG_LANCE_OVERWRITE && o->fields != NULL);
    write->has_own_schema = new_schema;
    if (new_schema) {
        for (uint32_t i = 0; i < o->field_count; i++)
            OG_TRY(og_table__column_name_check(o->fields[i].field.name, err));
        OG_TRY(og_table__fields_encode(o->fields, o->field_count, write->arena,
                                       &write->field_messages, &write->field_message_count, err));
        OG_TRY(og_table__fields_decode(write->env, write->arena, write->field_messages,
                                       write->field_message_count, &write->fields,
                                       &write->field_count, err));
    } else {
        write->field_messages = write->source->manifest->fields;
        write->field_message_count = write->source->manifest->n_fields;
        write->fields = write->source->fields;
        write->field_count = write->source->field_count;
    }
    write->options.fields = NULL; /* the caller's; not needed any more */

    write->columns =
        og_arena_array_of(write->arena, og_lance_write_column, (size_t)write->field_count + 1);
    if (write->columns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < write->field_count; i++)
        write->columns[i] =
            (og_lance_write_column){&write->fields[i].field, write->fields[i].is_blob};
    og_buf_clear(&write->descriptor);
    OgPb__Schema schema;
    og_pb__schema__init(&schema);
    schema.fields = write->field_messages;
    schema.n_fields = write->field_message_count;
    return og_table__pack(&schema, &write->descriptor, err);
}

og_status og_lance_write_new(og_lance_env *env, og_lance_table *base,
                             const og_lance_write_options *options, og_lance_write **out,
                             og_error *err)
{
    OG_TRY(check_options(base, options, err));
    OG_AUTO(og_lance_write) write = og_calloc(1, sizeof *write);
    if (write == NULL)
        return og_error_nomem(err);
    write->env = env;
    write->out.write = write->late.write = write->folded.write = write;
    write->base = base != NULL ? og_lance_table_ref(base) : NULL;
    og_lance_table *source = options->restore_from != NULL ? options->restore_from : base;
    write->source = source != NULL ? og_lance_table_ref(source) : NULL;
    write->arena = og_arena_new(0);
    if (write->arena == NULL)
        return og_error_nomem(err);
    OG_TRY(copy_options(write, options, err));
    set_counters(write);
    OG_TRY(set_schema(write, err));
    *out = OG_TAKE(write);
    return OG_OK;
}

og_status og_table__write_build_on(og_lance_write *write, og_lance_table *base, og_error *err)
{
    if (!og_vec_push(&write->former, write->base))
        return og_error_nomem(err);
    write->base = og_lance_table_ref(base);
    if (write->options.op != OG_LANCE_RESTORE) {
        og_lance_table_unref(write->source);
        write->source = og_lance_table_ref(base);
    }
    write->options.version = 0;
    set_counters(write);
    /* What an overwrite writes is as it was begun. */
    return write->options.op == OG_LANCE_OVERWRITE ? OG_OK : set_schema(write, err);
}

static void drop_files(og_lance_write *write)
{
    if (write->names.len == 0)
        return;
    og_store *store = og_lance_env_store(write->env);
    /* What can't be removed is garbage that a cleanup finds; nothing refers to it. */
    (void)store->ops->remove(store, (const char *const *)write->names.items, write->names.len,
                             NULL);
}

void og_lance_write_free(og_lance_write *write)
{
    if (write == NULL)
        return;
    og_table__rows_deinit(&write->out);
    og_table__rows_deinit(&write->late);
    og_table__rows_deinit(&write->folded);
    if (write->state != OG_TABLE__COMMITTED && write->state != OG_TABLE__IN_DOUBT &&
        !write->keep_files)
        drop_files(write);
    if (write->is_announced && write->state != OG_TABLE__COMMITTED)
        (void)og_lance_env_store(write->env)
            ->ops->announce(og_lance_env_store(write->env), write->staged.manifest_name,
                            (og_bytes){NULL, 0});
    for (size_t i = 0; i < write->names.len; i++)
        og_free(write->names.items[i]);
    og_vec_deinit(&write->names);
    og_vec_deinit(&write->groups);
    og_table__evolution_deinit(write->evolution);
    og_lance_encoders_free(write->encoders);
    og_vec_deinit(&write->new_indices);
    og_vec_deinit(&write->old_indices);
    og_free(write->deleted);
    og_free(write->kept);
    og_buf_deinit(&write->descriptor);
    og_buf_deinit(&write->staged.manifest);
    og_buf_deinit(&write->staged.transaction);
    og_lance_table_unref(write->source);
    og_lance_table_unref(write->base);
    for (size_t i = 0; i < write->former.len; i++)
        og_lance_table_unref(write->former.items[i]);
    og_vec_deinit(&write->former);
    og_arena_free(write->arena);
    og_free(write);
}

uint64_t og_lance_write_version(const og_lance_write *write)
{
    return write->version;
}

og_status og_lance_write_set_properties(og_lance_write *write, const og_lance_kv *properties,
                                        uint32_t count, og_error *err)
{
    if (write->state != OG_TABLE__OPEN)
        return og_error_set(err, OG_INVALID, "the write is staged already");
    if (!copy_kvs(write->arena, &properties, count))
        return og_error_nomem(err);
    write->options.properties = properties;
    write->options.property_count = count;
    return OG_OK;
}

/* ---- deletions ---------------------------------------------------------------------------- */

static og_status need_bits(const og_lance_write *write, uint8_t **bits, og_error *err)
{
    if (*bits == NULL)
        *bits = og_calloc(og_bitmap_bytes((size_t)write->base->slot_count) + 1, 1);
    return *bits != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_lance_write_delete(og_lance_write *write, const uint32_t *slots, size_t count,
                                og_error *err)
{
    if (write->state != OG_TABLE__OPEN ||
        (write->options.op != OG_LANCE_UPDATE && write->options.op != OG_LANCE_DELETE))
        return og_error_set(err, OG_INVALID, "this write can't delete rows");
    for (size_t i = 0; i < count; i++)
        if (slots[i] >= write->base->slot_count)
            return og_error_set(err, OG_INVALID, "no slot %u in %s", slots[i], write->options.path);
    OG_TRY(need_bits(write, &write->deleted, err));
    for (size_t i = 0; i < count; i++)
        og_bit_set(write->deleted, slots[i]);
    return OG_OK;
}

/* ---- rows --------------------------------------------------------------------------------- */

static og_status check_batch(const og_lance_write *write, const og_batch *batch, og_error *err)
{
    if (write->state != OG_TABLE__OPEN || !writes_rows(write->options.op))
        return og_error_set(err, OG_INVALID, "this write can't add rows");
    if (batch->column_count != write->field_count || batch->row_count > INT32_MAX)
        return og_error_set(err, OG_INVALID, "a batch of %u columns for a table of %u",
                            batch->column_count, write->field_count);
    for (uint32_t i = 0; i < batch->column_count; i++) {
        const og_field *field = &write->fields[i].field;
        const og_array *column = batch->columns[i];
        if (!og_type_eq(column->type, field->type) || column->length != batch->row_count)
            return og_error_set(err, OG_INVALID, "column '%.*s' has another type or length",
                                OG_FMT(field->name));
        if (!field->nullable && column->null_count != 0)
            return og_error_set(err, OG_INVALID, "column '%.*s' must not be null",
                                OG_FMT(field->name));
    }
    return OG_OK;
}

/* Ids and created versions of the kept rows [0, count) of a batch. */
static og_status keep_rows(og_lance_write *write, const uint64_t *row_ids,
                           og_table__row_facts *facts, og_error *err)
{
    OG_TRY(need_bits(write, &write->kept, err));
    uint32_t count = facts->kept_rows;
    uint32_t slots[512];
    uint64_t updated[512], made[512];
    for (uint32_t start = 0; start < count; start += 512) {
        uint32_t n = count - start < 512 ? count - start : 512;
        OG_TRY(og_lance_slots_of(write->base, row_ids + start, n, slots, err));
        for (uint32_t i = 0; i < n; i++)
            if (slots[i] == UINT32_MAX)
                return og_error_set(err, OG_INVALID, "row id %" PRIu64 " names no row of %s",
                                    row_ids[start + i], write->options.path);
        OG_TRY(og_lance_row_versions(write->base, slots, n, updated, made, err));
        for (uint32_t i = 0; i < n; i++) {
            if (og_bit_get(write->kept, slots[i]))
                return og_error_set(err, OG_INVALID, "row id %" PRIu64 " is written twice",
                                    row_ids[start + i]);
            og_bit_set(write->kept, slots[i]);
            if (!og_table__id_runs_add(&facts->ids, start + i, 1, row_ids[start + i]) ||
                !og_table__version_runs_add(&facts->created, start + i, 1, made[i]))
                return og_error_nomem(err);
        }
    }
    return OG_OK;
}

/* Does the open fragment hold new rows? Kept ones can't go there any more. */
static bool has_new_rows(const og_table__rows_out *out)
{
    if (out->writer == NULL)
        return false;
    const og_table__new_fragment *f = &og_vec_last(&out->fragments);
    return f->facts.kept_rows != f->rows;
}

/* Kept rows first, then new ones, within a fragment. */
static og_status count_kept(const og_lance_write *write, const uint64_t *row_ids, uint32_t rows,
                            uint32_t *out, og_error *err)
{
    uint32_t kept = 0;
    while (row_ids != NULL && kept < rows && row_ids[kept] != UINT64_MAX)
        kept++;
    for (uint32_t i = kept; row_ids != NULL && i < rows; i++)
        if (row_ids[i] != UINT64_MAX)
            return og_error_set(err, OG_INVALID, "rows with kept ids must come first");
    if (kept == 0) {
        *out = 0;
        return OG_OK;
    }
    if (write->options.op != OG_LANCE_UPDATE)
        return og_error_set(err, OG_INVALID, "only UPDATE keeps row ids");
    if (kept < rows && has_new_rows(&write->out))
        return og_error_set(err, OG_INVALID, "rows with kept ids must come first");
    *out = kept;
    return OG_OK;
}

static og_status add_rows(og_lance_write *write, const og_batch *batch, const uint64_t *row_ids,
                          og_table__row_facts *facts, og_error *err)
{
    uint32_t rows = (uint32_t)batch->row_count;
    OG_TRY(count_kept(write, row_ids, rows, &facts->kept_rows, err));
    uint32_t kept = facts->kept_rows, fresh = rows - kept;
    if (kept != 0)
        OG_TRY(keep_rows(write, row_ids, facts, err));
    if (write->next_row_id > UINT64_MAX - 1 - fresh)
        return og_error_set(err, OG_LIMIT, "%s has no row ids left", write->options.path);
    if (!og_table__version_runs_add(&facts->updated, 0, rows, write->version) ||
        (fresh != 0 && (!og_table__id_runs_add(&facts->ids, kept, fresh, write->next_row_id) ||
                        !og_table__version_runs_add(&facts->created, kept, fresh, write->version))))
        return og_error_nomem(err);
    write->next_row_id += fresh;
    bool is_late = fresh == 0 && has_new_rows(&write->out);
    return og_table__rows_add(is_late ? &write->late : &write->out, batch, facts, err);
}

og_status og_lance_write_rows(og_lance_write *write, const og_batch *batch, const uint64_t *row_ids,
                              og_error *err)
{
    OG_TRY(check_batch(write, batch, err));
    if (batch->row_count == 0)
        return OG_OK;
    __attribute__((cleanup(og_table__row_facts_deinit))) og_table__row_facts facts = {0};
    write->state = OG_TABLE__FAILED;
    OG_TRY(add_rows(write, batch, row_ids, &facts, err));
    write->state = OG_TABLE__OPEN;
    return OG_OK;
}

/* ---- the slot ----------------------------------------------------------------------------- */

og_status og_lance_staged_commit(og_lance_write *write, bool durable, og_error *err)
{
    if (write->state != OG_TABLE__STAGED)
        return og_error_set(err, OG_INVALID, "the write is not staged");
    og_store *store = og_lance_env_store(write->env);
    og_status status = store->ops->put_if_absent(
        store, write->staged.manifest_name, og_buf_bytes(&write->staged.manifest), durable, err);
    if (status == OG_OK)
        write->state = OG_TABLE__COMMITTED;
    else if (status == OG_UNKNOWN)
        write->state = OG_TABLE__IN_DOUBT;
    return status;
}

bool og_lance_staged_announce(og_lance_write *write)
{
    og_store *store = og_lance_env_store(write->env);
    if (write->state != OG_TABLE__STAGED || store->ops->announce == NULL)
        return false;
    write->is_announced = store->ops->announce(store, write->staged.manifest_name,
                                               og_buf_bytes(&write->staged.manifest));
    return write->is_announced;
}

void og_lance_write_settle(og_lance_write *write, bool committed)
{
    write->state = committed ? OG_TABLE__COMMITTED : OG_TABLE__STAGED;
}

og_status og_lance_write_table(og_lance_write *write, og_lance_table **out, og_error *err)
{
    if (write->state == OG_TABLE__OPEN || write->state == OG_TABLE__FAILED)
        return og_error_set(err, OG_INVALID, "the write is not staged");
    OG_TRY(og_table__table_decode(write->env, write->options.path,
                                  og_buf_bytes(&write->staged.manifest), out, err));
    (*out)->old_names = write->base != NULL && write->base->old_names;
    return OG_OK;
}
