#include "lance/table/table_priv.h"

#include "base/arena.h"

#include <inttypes.h>

/* ---- opening ------------------------------------------------------------------------------ */

static og_status open_named(og_lance_env *env, const char *path, const char *name, uint64_t version,
                            uint64_t bytes, og_lance_table **out, og_error *err)
{
    og_store *store = og_lance_env_store(env);
    OG_AUTO(og_blob) blob = NULL;
    OG_TRY(store->ops->get(store, name, &blob, err));
    if (bytes != 0 && blob->len != bytes)
        return og_error_set(err, OG_CORRUPT, "manifest has %zu bytes, not %" PRIu64, blob->len,
                            bytes);
    OG_AUTO(og_lance_table) table = NULL;
    OG_TRY(og_table__table_decode(env, path, (og_bytes){blob->ptr, blob->len}, &table, err));
    if (table->manifest->version != version)
        return og_error_set(err, OG_CORRUPT, "manifest is of version %" PRIu64,
                            table->manifest->version);
    *out = OG_TAKE(table);
    return OG_OK;
}

og_status og_lance_table_open(og_lance_env *env, const char *path, uint64_t version,
                              uint64_t manifest_bytes, og_lance_table **out, og_error *err)
{
    if (version == 0) {
        OG_TRY(og_lance_latest_version(env, path, 0, &version, err));
        manifest_bytes = 0;
    }
    OG_AUTO_BUF name = OG_BUF_INIT;
    if (!og_lance_manifest_name(&name, path, version))
        return og_error_nomem(err);
    og_status status = open_named(env, path, og_buf_cstr(&name), version, manifest_bytes, out, err);
    if (status == OG_NOT_FOUND) {
        og_buf_clear(&name);
        if (!og_table__old_manifest_name(&name, path, version))
            return og_error_nomem(err);
        status = open_named(env, path, og_buf_cstr(&name), version, manifest_bytes, out, err);
        if (status == OG_OK)
            (*out)->old_names = true;
    }
    if (status == OG_NOT_FOUND)
        return og_error_set(err, OG_NOT_FOUND, "table '%s' has no version %" PRIu64, path, version);
    if (status == OG_CORRUPT || status == OG_UNSUPPORTED)
        return og_error_context(err, status, "%s", og_buf_cstr(&name));
    return status;
}

og_lance_table *og_lance_table_ref(og_lance_table *table)
{
    __atomic_add_fetch(&table->refs, 1, __ATOMIC_RELAXED);
    return table;
}

void og_lance_table_unref(og_lance_table *table)
{
    if (table == NULL || __atomic_sub_fetch(&table->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (uint32_t i = 0; i < table->fragment_count; i++)
        for (uint32_t f = 0; f < table->parts[i].file_count; f++)
            og_table__cached_unref(atomic_load(&table->parts[i].files[f].cached));
    og_table__row_index_free(atomic_load(&table->row_index));
    og_vec_deinit(&table->updated);
    og_vec_deinit(&table->created);
    og_free(table->deleted);
    og_arena_free(table->arena);
    og_free(table->path);
    og_free(table->root);
    pthread_mutex_destroy(&table->lock);
    og_free(table);
}

/* ---- what the manifest says --------------------------------------------------------------- */

og_lance_env *og_lance_table_env(const og_lance_table *table)
{
    return table->env;
}

const char *og_lance_table_path(const og_lance_table *table)
{
    return table->path;
}

uint64_t og_lance_table_version(const og_lance_table *table)
{
    return table->manifest->version;
}

uint64_t og_lance_table_manifest_bytes(const og_lance_table *table)
{
    return table->manifest_bytes;
}

const og_lance_field *og_lance_table_fields(const og_lance_table *table, uint32_t *out_count)
{
    *out_count = table->field_count;
    return table->fields;
}

int32_t og_lance_table_find_field(const og_lance_table *table, og_str name)
{
    for (uint32_t i = 0; i < table->field_count; i++)
        if (og_str_eq(table->fields[i].field.name, name))
            return (int32_t)i;
    return -1;
}

const og_lance_fragment *og_lance_table_fragments(const og_lance_table *table, uint32_t *out_count)
{
    *out_count = table->fragment_count;
    return table->fragments;
}

uint64_t og_lance_table_row_count(const og_lance_table *table)
{
    return table->slot_count - table->deleted_count;
}

uint64_t og_lance_table_slot_count(const og_lance_table *table)
{
    return table->slot_count;
}

uint64_t og_lance_table_next_row_id(const og_lance_table *table)
{
    return table->manifest->next_row_id;
}

int64_t og_lance_table_max_fragment_id(const og_lance_table *table)
{
    int64_t highest = -1;
    if (table->manifest->has_max_fragment_id)
        highest = table->manifest->max_fragment_id;
    if (table->fragment_count != 0) {
        int64_t last = (int64_t)table->fragments[table->fragment_count - 1].id;
        highest = last > highest ? last : highest;
    }
    return highest;
}

int64_t og_lance_table_timestamp_us(const og_lance_table *table)
{
    const OgPb__Timestamp *time = table->manifest->timestamp;
    if (time == NULL || time->seconds > INT64_MAX / 1000000 - 1 ||
        time->seconds < INT64_MIN / 1000000 + 1)
        return 0;
    return time->seconds * 1000000 + time->nanos / 1000;
}

og_str og_lance_table_transaction_uuid(const og_lance_table *table)
{
    return table->transaction_uuid;
}

og_str og_lance_table_transaction_property(const og_lance_table *table, og_str key)
{
    if (table->transaction == NULL)
        return (og_str){NULL, 0};
    return og_table__pairs_get(table->transaction->properties, table->transaction->n_properties,
                               key);
}

og_str og_lance_table_config(const og_lance_table *table, og_str key)
{
    return og_table__pairs_get(table->manifest->config, table->manifest->n_config, key);
}

og_str og_lance_table_schema_metadata(const og_lance_table *table, og_str key)
{
    return og_table__pairs_get(table->manifest->schema_metadata, table->manifest->n_schema_metadata,
                               key);
}

/* ---- fragments and their files ------------------------------------------------------------ */

uint32_t og_table__fragment_of(const og_lance_table *table, uint32_t slot, uint32_t hint)
{
    const og_lance_fragment *f = table->fragments;
    for (uint32_t i = hint; i < table->fragment_count && i < hint + 2; i++)
        if (slot >= f[i].first_slot && slot - f[i].first_slot < f[i].physical_rows)
            return i;
    uint32_t low = 0, high = table->fragment_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (f[middle].first_slot <= slot)
            low = middle;
        else
            high = middle;
    }
    return low; /* of fragments without rows, the last one that begins here holds the slot */
}

/* The columns of a field in one file; a file that rewrote a field comes later and its older one
 * lists the id as -2, so at most one file has it. */
static uint32_t find_leaves(const OgPb__DataFile *file, const og_lance_field *field,
                            uint32_t *leaves)
{
    uint32_t found = 0;
    for (uint32_t leaf = 0; leaf < field->leaf_count; leaf++)
        for (size_t i = 0; i < file->n_fields; i++)
            if (file->fields[i] == field->leaf_ids[leaf] && file->column_indices[i] >= 0) {
                leaves[found++] = (uint32_t)file->column_indices[i];
                break;
            }
    return found;
}

static og_status place_field(og_lance_table *table, const og_table__fragment *part,
                             const og_lance_field *field, og_table__place *out, og_error *err)
{
    uint32_t *leaves = og_arena_array_of(table->arena, uint32_t, (size_t)field->leaf_count + 1);
    if (leaves == NULL)
        return og_error_nomem(err);
    *out = (og_table__place){OG_TABLE__NO_FILE, leaves, field->leaf_count};
    for (uint32_t f = 0; f < part->file_count; f++) {
        uint32_t found = find_leaves(part->files[f].message, field, leaves);
        if (found == 0)
            continue;
        if (found != field->leaf_count)
            return og_error_set(err, OG_UNSUPPORTED,
                                "field '%.*s' of %s is spread over several files",
                                OG_FMT(field->field.name), table->path);
        out->file = f;
        return OG_OK;
    }
    return OG_OK;
}

og_status og_table__places(og_lance_table *table, uint32_t fragment, const og_table__place **out,
                           og_error *err)
{
    og_table__fragment *part = &table->parts[fragment];
    *out = atomic_load_explicit(&part->places, memory_order_acquire);
    if (*out != NULL)
        return OG_OK;
    pthread_mutex_lock(&table->lock);
    og_status status = OG_OK;
    og_table__place *places = atomic_load(&part->places);
    if (places == NULL) {
        places = og_arena_array_of(table->arena, og_table__place, (size_t)table->field_count + 1);
        status = places != NULL ? OG_OK : og_error_nomem(err);
        for (uint32_t i = 0; status == OG_OK && i < table->field_count; i++)
            status = place_field(table, part, &table->fields[i], &places[i], err);
        if (status == OG_OK)
            atomic_store_explicit(&part->places, places, memory_order_release);
    }
    pthread_mutex_unlock(&table->lock);
    *out = places;
    return status;
}

og_status og_table__open_file(og_lance_table *table, uint32_t fragment, uint32_t file,
                              og_table__cached **out, og_error *err)
{
    og_table__data_file *f = &table->parts[fragment].files[file];
    *out = atomic_load_explicit(&f->cached, memory_order_acquire);
    if (*out != NULL)
        return OG_OK;
    og_table__cached *opened;
    OG_TRY(og_table__cache_file(table->env, f->name, f->message->file_size_bytes, &opened, err));
    uint64_t rows = og_lance_file_rows(og_table__cached_file(opened));
    if (rows != table->fragments[fragment].physical_rows) {
        og_table__cached_unref(opened);
        return og_error_set(err, OG_CORRUPT, "%s has %" PRIu64 " rows, the manifest says %u",
                            f->name, rows, table->fragments[fragment].physical_rows);
    }
    og_table__cached *expected = NULL;
    if (!atomic_compare_exchange_strong(&f->cached, &expected, opened)) {
        og_table__cached_unref(opened); /* another thread opened it meanwhile */
        opened = expected;
    }
    *out = opened;
    return OG_OK;
}

/* ---- deletions ---------------------------------------------------------------------------- */

static og_status load_deletions(og_lance_table *table, uint8_t *bits, og_error *err)
{
    for (uint32_t i = 0; i < table->fragment_count; i++) {
        const og_lance_fragment *fragment = &table->fragments[i];
        if (fragment->deleted_rows == 0)
            continue;
        og_table__cached *vector;
        OG_TRY(og_table__cache_deletions(table->env, table->parts[i].deletion_name,
                                         table->parts[i].message->deletion_file->file_type,
                                         fragment->physical_rows, fragment->deleted_rows, &vector,
                                         err));
        size_t count;
        const uint32_t *offsets = og_table__cached_offsets(vector, &count);
        bool fits = count == fragment->deleted_rows &&
                    (count == 0 || offsets[count - 1] < fragment->physical_rows);
        for (size_t k = 0; fits && k < count; k++)
            og_bit_set(bits, (size_t)fragment->first_slot + offsets[k]);
        og_table__cached_unref(vector);
        if (!fits) /* one file under two statements about it */
            return og_error_set(err, OG_CORRUPT, "%s does not fit its fragment",
                                table->parts[i].deletion_name);
    }
    return OG_OK;
}

void og_table__expect_files(og_lance_table *table, uint32_t first, uint32_t end)
{
    if (!og_store_is_far(og_lance_env_store(table->env)))
        return;
    for (uint32_t i = first; i < end; i++) {
        const og_table__fragment *part = &table->parts[i];
        for (uint32_t k = 0; k < part->file_count; k++)
            if (atomic_load(&part->files[k].cached) == NULL)
                og_table__cache_expect(table->env, part->files[k].name,
                                       part->files[k].message->file_size_bytes);
    }
}

og_status og_lance_table_deleted(og_lance_table *table, const uint8_t **out_bits, og_error *err)
{
    if (table->deleted_count == 0) {
        *out_bits = NULL;
        return OG_OK;
    }
    if (!atomic_load_explicit(&table->deleted_ready, memory_order_acquire)) {
        pthread_mutex_lock(&table->lock);
        og_status status = OG_OK;
        if (!atomic_load(&table->deleted_ready)) {
            uint8_t *bits = og_calloc(og_bitmap_bytes((size_t)table->slot_count), 1);
            status = bits != NULL ? load_deletions(table, bits, err) : og_error_nomem(err);
            if (status == OG_OK) {
                table->deleted = bits;
                atomic_store_explicit(&table->deleted_ready, true, memory_order_release);
            } else {
                og_free(bits);
            }
        }
        pthread_mutex_unlock(&table->lock);
        OG_TRY(status);
    }
    *out_bits = table->deleted;
    return OG_OK;
}

/* ---- lineage ------------------------------------------------------------------------------ */

static og_status add_versions(og_table__version_runs *runs, const og_lance_fragment *fragment,
                              bool has, ProtobufCBinaryData stored, og_error *err)
{
    if (fragment->physical_rows == 0)
        return OG_OK;
    if (has)
        return og_table__versions_decode(og_table__bytes(stored), fragment->first_slot,
                                         fragment->physical_rows, runs, err);
    bool ok = og_table__version_runs_add(runs, fragment->first_slot, fragment->physical_rows, 1);
    return ok ? OG_OK : og_error_nomem(err);
}

/* Build `updated` and `created`, the lineage runs over all slots, unless they are there. */
static og_status need_versions(og_lance_table *table, og_error *err)
{
    if (atomic_load_explicit(&table->versions_ready, memory_order_acquire))
        return OG_OK;
    pthread_mutex_lock(&table->lock);
    og_status status = OG_OK;
    if (!atomic_load(&table->versions_ready)) {
        table->updated.len = table->created.len = 0;
        for (uint32_t i = 0; status == OG_OK && i < table->fragment_count; i++) {
            const OgPb__DataFragment *m = table->parts[i].message;
            const og_lance_fragment *f = &table->fragments[i];
            status = add_versions(&table->updated, f, m->has_inline_last_updated,
                                  m->inline_last_updated, err);
            if (status == OG_OK)
                status =
                    add_versions(&table->created, f, m->has_inline_created, m->inline_created, err);
        }
        if (status == OG_OK)
            atomic_store_explicit(&table->versions_ready, true, memory_order_release);
    }
    pthread_mutex_unlock(&table->lock);
    return status;
}

og_status og_lance_row_versions(og_lance_table *table, const uint32_t *slots, size_t count,
                                uint64_t *out_updated, uint64_t *out_created, og_error *err)
{
    OG_TRY(need_versions(table, err));
    size_t u = 0, c = 0;
    for (size_t i = 0; i < count; i++) {
        if (slots[i] >= table->slot_count)
            return og_error_set(err, OG_INVALID, "no slot %u", slots[i]);
        u = og_table__run_of(table->updated.items, table->updated.len, slots[i], u);
        c = og_table__run_of(table->created.items, table->created.len, slots[i], c);
        out_updated[i] = table->updated.items[u].version;
        out_created[i] = table->created.items[c].version;
    }
    return OG_OK;
}
