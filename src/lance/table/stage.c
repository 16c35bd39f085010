/* Staging: deletion files, then the manifest of the new version built from the old one
 * (lance-format.md sections 2, 5 and 7). */
#include "lance/table/write_priv.h"

#include <inttypes.h>

#define AUTO_CLEANUP_PREFIX "lance.auto_cleanup."
/* Runs of versions of a table; beyond, the oldest are joined. Every version writes them all, some
 * 18 bytes each. */
#define MAX_VERSION_RUNS 1024
/* Runs that hold more of a table's rows than one in so many are never joined: there are few. */
#define LARGE_RUN_PART 128

/* Everything being put together for one manifest. */
typedef struct staging {
    og_lance_write *write;
    og_arena *arena;
    OgPb__Manifest manifest;
    OG_VEC(OgPb__DataFragment *) fragments; /* of the new version */
    OG_VEC(OgPb__DataFragment *) changed;
    OG_VEC(OgPb__DataFragment *) news;
    OG_VEC(uint64_t) removed;
    uint64_t rows; /* live */
    uint64_t first_new_id;
} staging;

static void staging_deinit(staging *s)
{
    og_vec_deinit(&s->fragments);
    og_vec_deinit(&s->changed);
    og_vec_deinit(&s->news);
    og_vec_deinit(&s->removed);
}

/* ---- old fragments ------------------------------------------------------------------------- */

static og_status dead_offsets(og_lance_write *write, const og_lance_fragment *f,
                              og_table__u32s *out, bool *out_changed, og_error *err)
{
    const uint8_t *before;
    OG_TRY(og_lance_table_deleted(write->base, &before, err));
    *out_changed = false;
    uint32_t end = f->first_slot + f->physical_rows;
    for (uint32_t slot = f->first_slot;; slot++) {
        slot = og_table__next_dead(write, before, slot, end);
        if (slot == end)
            break;
        *out_changed = *out_changed || before == NULL || !og_bit_get(before, slot);
        if (!og_vec_push(out, slot - f->first_slot))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static uint64_t random_u63(const og_lance_write *write)
{
    const og_random *random =
        write->options.random != NULL ? write->options.random : &og_system_random;
    uint64_t value;
    random->fill(random->context, &value, sizeof value);
    return value >> 1;
}

static og_status put_deletions(staging *s, const og_lance_fragment *f, const og_table__u32s *dead,
                               OgPb__DataFragment *fragment, og_error *err)
{
    og_lance_write *write = s->write;
    OgPb__DeletionFile *file = OG_PB_NEW(s->arena, OgPb__DeletionFile, og_pb__deletion_file__init);
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    if (file == NULL || !og_table__roaring_encode(dead->items, dead->len, &bytes))
        return og_error_nomem(err);
    OG_PB_SET(file, file_type, 1);
    OG_PB_SET(file, read_version, write->base->manifest->version);
    OG_PB_SET(file, id, random_u63(write));
    OG_PB_SET(file, num_deleted_rows, dead->len);
    fragment->deletion_file = file;

    OG_AUTO_BUF name = OG_BUF_INIT;
    og_table__join(&name, write->options.path, "_deletions/");
    if (!og_buf_printf(&name, "%" PRIu64 "-%" PRIu64 "-%" PRIu64 ".bin", f->id, file->read_version,
                       file->id))
        return og_error_nomem(err);
    OG_TRY(og_table__write_name(write, og_buf_cstr(&name), err));
    og_store *store = og_lance_env_store(write->env);
    return store->ops->put_if_absent(store, og_buf_cstr(&name), og_buf_bytes(&bytes), false, err);
}

static og_status remove_fragment(staging *s, uint64_t id, og_error *err)
{
    return og_vec_push(&s->removed, id) ? OG_OK : og_error_nomem(err);
}

/* A fragment of base whose rows this write may have deleted. */
static og_status change_fragment(staging *s, uint32_t index, og_error *err)
{
    const og_lance_fragment *f = &s->write->base->fragments[index];
    const OgPb__DataFragment *old = s->write->base->parts[index].message;
    og_table__u32s dead = {0};
    bool changed;
    og_status status = dead_offsets(s->write, f, &dead, &changed, err);
    OgPb__DataFragment *fragment = og_arena_copy(s->arena, old, sizeof *old);
    if (status == OG_OK && fragment == NULL)
        status = og_error_nomem(err);
    if (status == OG_OK && dead.len == f->physical_rows) {
        og_vec_deinit(&dead);
        return remove_fragment(s, f->id, err);
    }
    if (status == OG_OK && changed) {
        status = put_deletions(s, f, &dead, fragment, err);
        if (status == OG_OK && !og_vec_push(&s->changed, fragment))
            status = og_error_nomem(err);
    }
    s->rows += f->physical_rows - dead.len;
    if (status == OG_OK && !og_vec_push(&s->fragments, fragment))
        status = og_error_nomem(err);
    og_vec_deinit(&dead);
    return status;
}

static og_status keep_fragment(staging *s, uint32_t index, og_error *err)
{
    const og_lance_table *source = s->write->source;
    const og_lance_fragment *f = &source->fragments[index];
    OgPb__DataFragment *copy =
        og_arena_copy(s->arena, source->parts[index].message, sizeof(OgPb__DataFragment));
    if (copy == NULL || !og_vec_push(&s->fragments, copy))
        return og_error_nomem(err);
    if (s->write->evolution != NULL)
        OG_TRY(og_table__evolve_fragment(s->write, index, copy, err));
    s->rows += f->physical_rows - f->deleted_rows;
    return OG_OK;
}

static og_status add_old_fragments(staging *s, og_error *err)
{
    og_lance_write *write = s->write;
    if (write->source == NULL || write->options.op == OG_LANCE_OVERWRITE)
        return OG_OK;
    size_t g = 0;
    for (uint32_t i = 0; i < write->source->fragment_count; i++) {
        while (g < write->groups.len && i >= write->groups.items[g].end)
            g++;
        if (g < write->groups.len && i >= write->groups.items[g].start)
            OG_TRY(remove_fragment(s, write->base->fragments[i].id, err));
        else if (og_table__touches(write, i))
            OG_TRY(change_fragment(s, i, err));
        else
            OG_TRY(keep_fragment(s, i, err));
    }
    return OG_OK;
}

/* A kept id must name one row: its old copy has to be deleted by the same write. */
static og_status check_kept(const og_lance_write *write, og_error *err)
{
    if (write->kept == NULL)
        return OG_OK;
    size_t bytes = og_bitmap_bytes((size_t)write->base->slot_count);
    uint8_t alive = 0;
    for (size_t i = 0; i < bytes; i++) /* no way out, so that it is done by the vector */
        alive |= (uint8_t)(write->kept[i] & ~(write->deleted != NULL ? write->deleted[i] : 0));
    return alive == 0
               ? OG_OK
               : og_error_set(err, OG_INVALID, "a row of %s is written again but not deleted",
                              write->options.path);
}

/* ---- new fragments ------------------------------------------------------------------------- */

og_status og_table__data_file_new(og_arena *arena, const og_lance_field *fields,
                                  uint32_t field_count, const char *file, uint64_t bytes,
                                  OgPb__DataFile **out, og_error *err)
{
    size_t leaves = 0;
    for (uint32_t i = 0; i < field_count; i++)
        leaves += fields[i].leaf_count;
    OgPb__DataFile *f = OG_PB_NEW(arena, OgPb__DataFile, og_pb__data_file__init);
    int32_t *ids = og_arena_array_of(arena, int32_t, leaves + 1);
    int32_t *columns = og_arena_array_of(arena, int32_t, leaves + 1);
    if (f == NULL || ids == NULL || columns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < field_count; i++)
        for (uint32_t k = 0; k < fields[i].leaf_count; k++, f->n_fields++) {
            ids[f->n_fields] = fields[i].leaf_ids[k];
            columns[f->n_fields] = (int32_t)f->n_fields;
        }
    f->n_column_indices = f->n_fields;
    f->fields = ids;
    f->column_indices = columns;
    OG_PB_SET(f, path, og_table__binary_str(og_str_of(file)));
    OG_PB_SET(f, file_major_version, 2);
    OG_PB_SET(f, file_minor_version, 2);
    OG_PB_SET(f, file_size_bytes, bytes);
    *out = f;
    return OG_OK;
}

static og_status add_new_fragment(staging *s, const og_table__new_fragment *from, og_error *err)
{
    if (s->write->max_fragment_id >= UINT32_MAX)
        return og_error_set(err, OG_LIMIT, "%s has no fragment ids left", s->write->options.path);
    OgPb__DataFragment *f = OG_PB_NEW(s->arena, OgPb__DataFragment, og_pb__data_fragment__init);
    OgPb__DataFile **files = og_arena_array_of(s->arena, OgPb__DataFile *, 1);
    if (f == NULL || files == NULL)
        return og_error_nomem(err);
    files[0] = from->message;
    f->files = files;
    f->n_files = 1;
    s->write->max_fragment_id++;
    if (s->write->max_fragment_id != 0)
        OG_PB_SET(f, id, (uint64_t)s->write->max_fragment_id);
    OG_PB_SET(f, physical_rows, from->rows);
    const og_table__row_facts *facts = &from->facts;
    OG_TRY(og_table__row_ids_encode(facts->ids.items, facts->ids.len, s->arena, &f->inline_row_ids,
                                    err));
    OG_TRY(og_table__versions_encode(facts->updated.items, facts->updated.len, s->arena,
                                     &f->inline_last_updated, err));
    OG_TRY(og_table__versions_encode(facts->created.items, facts->created.len, s->arena,
                                     &f->inline_created, err));
    f->has_inline_row_ids = f->has_inline_last_updated = f->has_inline_created = 1;
    s->rows += from->rows;
    if (!og_vec_push(&s->fragments, f) || !og_vec_push(&s->news, f))
        return og_error_nomem(err);
    return OG_OK;
}

static og_status add_new_fragments(staging *s, og_error *err)
{
    s->first_new_id = (uint64_t)(s->write->max_fragment_id + 1);
    for (size_t i = 0; i < s->write->folded.fragments.len; i++)
        OG_TRY(add_new_fragment(s, &s->write->folded.fragments.items[i], err));
    for (size_t i = 0; i < s->write->out.fragments.len; i++)
        OG_TRY(add_new_fragment(s, &s->write->out.fragments.items[i], err));
    return OG_OK;
}

/* ---- bounding lineage ------------------------------------------------------------------------ */

static og_status read_lineage(const OgPb__DataFragment *f, bool updated,
                              og_table__version_runs *runs, uint32_t first, og_error *err)
{
    bool has = updated ? f->has_inline_last_updated : f->has_inline_created;
    if (!has)
        return OG_OK;
    return og_table__versions_decode(
        og_table__bytes(updated ? f->inline_last_updated : f->inline_created), first,
        (uint32_t)f->physical_rows, runs, err);
}

static og_status join_lineage(staging *s, OgPb__DataFragment *f, bool updated, uint64_t floor,
                              uint32_t most_rows, og_error *err)
{
    og_table__version_runs runs = {0}, joined = {0};
    og_status status = read_lineage(f, updated, &runs, 0, err);
    for (size_t i = 0; status == OG_OK && i < runs.len; i++) {
        const og_table__version_run *r = &runs.items[i];
        if (!og_table__version_runs_add(&joined, r->first_slot, r->count,
                                        og_table__version_raised(r, floor, most_rows)))
            status = og_error_nomem(err);
    }
    if (status == OG_OK && runs.len != joined.len)
        status =
            og_table__versions_encode(joined.items, joined.len, s->arena,
                                      updated ? &f->inline_last_updated : &f->inline_created, err);
    og_vec_deinit(&runs);
    og_vec_deinit(&joined);
    return status;
}

/* Beyond MAX_VERSION_RUNS, rows older than some version are said to be of that version: a later one
 * than the truth only makes a reader of changes look at rows that did not change. Large runs are
 * left as they are, lest a diff or merge across this looks at the whole table. */
static og_status bound_lineage(staging *s, bool updated, og_error *err)
{
    size_t stored = 0;
    for (size_t i = 0; i < s->fragments.len; i++) {
        const OgPb__DataFragment *f = s->fragments.items[i];
        stored += og_table__versions_count(
            og_table__bytes(updated ? f->inline_last_updated : f->inline_created));
    }
    if (stored <= MAX_VERSION_RUNS)
        return OG_OK;
    og_table__version_runs runs = {0};
    og_status status = OG_OK;
    uint32_t first = 0;
    for (size_t i = 0; status == OG_OK && i < s->fragments.len; i++) {
        status = read_lineage(s->fragments.items[i], updated, &runs, first, err);
        first += (uint32_t)s->fragments.items[i]->physical_rows;
    }
    uint64_t floor = 0;
    uint32_t most_rows = first / LARGE_RUN_PART;
    if (status == OG_OK && runs.len > MAX_VERSION_RUNS)
        status = og_table__versions_floor(&runs, MAX_VERSION_RUNS / 2, most_rows, &floor, err);
    og_vec_deinit(&runs);
    for (size_t i = 0; status == OG_OK && floor != 0 && i < s->fragments.len; i++)
        status = join_lineage(s, s->fragments.items[i], updated, floor, most_rows, err);
    return status;
}

/* ---- maps ------------------------------------------------------------------------------------ */

static bool is_cleanup_key(og_str key)
{
    return og_str_starts(key, OG_STR(AUTO_CLEANUP_PREFIX));
}

static bool is_changed(const og_lance_kv *kvs, uint32_t count, og_str key)
{
    for (uint32_t i = 0; i < count; i++)
        if (og_str_eq(kvs[i].key, key))
            return true;
    return false;
}

/* `pairs` with the changes made and auto-cleanup keys left out (another program's cleanup of
 * versions that a branch still names would lose data). */
static og_status update_pairs(og_arena *arena, const og_lance_kv *kvs, uint32_t count,
                              OgPb__Pair ***pairs, size_t *pair_count, og_error *err)
{
    OgPb__Pair **out = og_arena_array_of(arena, OgPb__Pair *, *pair_count + count + 1);
    OgPb__Pair **changes;
    if (out == NULL)
        return og_error_nomem(err);
    OG_TRY(og_table__pairs_of(arena, kvs, count, &changes, err));
    size_t n = 0;
    for (size_t i = 0; i < *pair_count; i++) {
        og_str key = og_table__text((*pairs)[i]->key);
        if (!is_cleanup_key(key) && !is_changed(kvs, count, key))
            out[n++] = (*pairs)[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        bool last = !is_changed(kvs + i + 1, count - i - 1, kvs[i].key);
        if (last && kvs[i].value.ptr != NULL && !is_cleanup_key(kvs[i].key))
            out[n++] = changes[i];
    }
    *pairs = out;
    *pair_count = n;
    return OG_OK;
}

/* When the column with the highest id leaves the table, files and all, the id is written down: no
 * other column must get it. After an overwrite no row is one of before, so ids may begin anew. */
static og_status remember_field_ids(staging *s, og_error *err)
{
    const og_lance_write *write = s->write;
    OgPb__Manifest *m = &s->manifest;
    if (write->base == NULL || write->options.op == OG_LANCE_OVERWRITE)
        return OG_OK;
    int32_t ever = og_table__highest_field_id_ever(write->base);
    int32_t of_source = og_table__highest_field_id_ever(write->source);
    ever = of_source > ever ? of_source : ever;
    if (ever <= og_table__highest_field_id(m))
        return OG_OK;
    og_str number = og_arena_printf(s->arena, "%" PRId32, ever);
    if (number.ptr == NULL)
        return og_error_nomem(err);
    const og_lance_kv mark = {OG_STR(OG_TABLE__FIELD_MARK), number};
    return update_pairs(s->arena, &mark, 1, &m->table_metadata, &m->n_table_metadata, err);
}

static og_status set_maps(staging *s, og_error *err)
{
    const og_lance_write_options *o = &s->write->options;
    OgPb__Manifest *m = &s->manifest;
    if (o->op == OG_LANCE_OVERWRITE && s->write->has_own_schema)
        m->n_schema_metadata = 0; /* belongs to the old schema */
    OG_TRY(update_pairs(s->arena, o->config, o->config_count, &m->config, &m->n_config, err));
    OG_TRY(update_pairs(s->arena, o->metadata, o->metadata_count, &m->table_metadata,
                        &m->n_table_metadata, err));
    OG_TRY(remember_field_ids(s, err));
    return update_pairs(s->arena, o->schema_metadata, o->schema_metadata_count, &m->schema_metadata,
                        &m->n_schema_metadata, err);
}

/* ---- the manifest ---------------------------------------------------------------------------- */

static void set_flags(staging *s)
{
    OgPb__Manifest *m = &s->manifest;
    bool deleted = false;
    for (size_t i = 0; i < s->fragments.len; i++)
        deleted = deleted || s->fragments.items[i]->deletion_file != NULL;
    uint64_t flags = OG_TABLE__FLAG_STABLE_ROW_IDS;
    flags |= deleted ? OG_TABLE__FLAG_DELETIONS : 0;
    flags |= m->n_base_paths != 0 ? OG_TABLE__FLAG_BASE_PATHS : 0;
    OG_PB_SET(m, reader_feature_flags, flags);
    OG_PB_SET(m, writer_feature_flags, flags | (m->n_config != 0 ? OG_TABLE__FLAG_CONFIG : 0));
}

static og_status set_identity(staging *s, og_error *err)
{
    og_lance_write *write = s->write;
    OgPb__Manifest *m = &s->manifest;
    OgPb__Timestamp *time = OG_PB_NEW(s->arena, OgPb__Timestamp, og_pb__timestamp__init);
    OgPb__WriterVersion *writer =
        OG_PB_NEW(s->arena, OgPb__WriterVersion, og_pb__writer_version__init);
    OgPb__DataFormat *format = OG_PB_NEW(s->arena, OgPb__DataFormat, og_pb__data_format__init);
    if (time == NULL || writer == NULL || format == NULL)
        return og_error_nomem(err);
    OG_PB_SET(time, seconds, write->options.now_us / 1000000);
    OG_PB_SET(time, nanos, (int32_t)(write->options.now_us % 1000000) * 1000);
    m->timestamp = time;
    /* The library whose format this is; other names mean "unknown writer" to it. */
    OG_PB_SET(writer, library, og_table__binary_str(OG_STR("lance")));
    OG_PB_SET(writer, version, og_table__binary_str(OG_STR("6.0.1")));
    m->writer_version = writer;
    if (m->data_format == NULL) {
        OG_PB_SET(format, file_format, og_table__binary_str(OG_STR("lance")));
        OG_PB_SET(format, version, og_table__binary_str(OG_STR("2.2")));
        m->data_format = format;
    }
    OG_PB_SET(m, version, write->version);
    OG_PB_SET(m, next_row_id, write->next_row_id);
    if (write->max_fragment_id >= 0)
        OG_PB_SET(m, max_fragment_id, (uint32_t)write->max_fragment_id);
    return OG_OK;
}

/* Bases by where they are now: other readers take the paths as they stand, and the dataset may have
 * been moved since. One outside the dataset is left as it is. */
static og_status refresh_bases(staging *s, og_error *err)
{
    const og_lance_table *source = s->write->source;
    OgPb__Manifest *m = &s->manifest;
    if (source == NULL || m->n_base_paths == 0)
        return OG_OK;
    OgPb__BasePath **bases = og_arena_array_of(s->arena, OgPb__BasePath *, m->n_base_paths);
    if (bases == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < m->n_base_paths; i++) {
        OG_AUTO_BUF place = OG_BUF_INIT;
        bases[i] = og_arena_copy(s->arena, m->base_paths[i], sizeof *bases[i]);
        og_status status = og_table__base_place(source, m->base_paths[i]->id, &place, err);
        og_str text = og_arena_str(s->arena, og_buf_view(&place));
        if (bases[i] == NULL || text.ptr == NULL || status == OG_NOMEM)
            return og_error_nomem(err);
        if (status == OG_OK)
            OG_PB_SET(bases[i], path, og_table__binary_str(text));
    }
    m->base_paths = bases;
    return OG_OK;
}

static og_status make_manifest(staging *s, og_error *err)
{
    og_lance_write *write = s->write;
    if (write->source != NULL)
        s->manifest = *write->source->manifest; /* with what we do not know of */
    else
        og_pb__manifest__init(&s->manifest);
    s->manifest.fields = write->field_messages;
    s->manifest.n_fields = write->field_message_count;
    s->manifest.fragments = s->fragments.items;
    s->manifest.n_fragments = s->fragments.len;
    OG_TRY(set_identity(s, err));
    OG_TRY(set_maps(s, err));
    OG_TRY(refresh_bases(s, err));
    if (write->options.op == OG_LANCE_CLONE)
        OG_TRY(og_table__clone_manifest(write, &s->manifest, err));
    set_flags(s);
    OG_TRY(bound_lineage(s, true, err));
    return bound_lineage(s, false, err);
}

static og_status choose_indices(staging *s, og_bytes *out, og_error *err)
{
    og_lance_write *write = s->write;
    *out = (og_bytes){NULL, 0};
    if (write->source == NULL || write->options.op == OG_LANCE_OVERWRITE)
        return OG_OK;
    if (write->options.op == OG_LANCE_CLONE)
        return og_table__clone_indices(write, out, err);
    if (write->options.op == OG_LANCE_INDEX)
        return og_table__index_section_changed(write, s->arena, out, err);
    return og_table__index_section_after(write, s->first_new_id, s->arena, out, err);
}

static og_status put_section(og_buf *out, og_bytes bytes, uint64_t *out_position, og_error *err)
{
    if (bytes.len > UINT32_MAX)
        return og_error_set(err, OG_LIMIT, "manifest section of %zu bytes", bytes.len);
    *out_position = out->len;
    og_buf_u32(out, (uint32_t)bytes.len);
    return og_buf_append(out, bytes.ptr, bytes.len) ? OG_OK : og_error_nomem(err);
}

/* [index section] [transaction] manifest, each behind its length; trailer. */
static og_status assemble(staging *s, og_error *err)
{
    og_lance_staged *staged = &s->write->staged;
    OgPb__Manifest *m = &s->manifest;
    og_buf *out = &staged->manifest;
    og_bytes indices;
    uint64_t position;
    OG_TRY(choose_indices(s, &indices, err));
    m->has_index_section = indices.ptr != NULL;
    if (m->has_index_section) {
        OG_TRY(put_section(out, indices, &position, err));
        m->index_section = position;
    }
    OG_TRY(put_section(out, og_buf_bytes(&staged->transaction), &position, err));
    OG_PB_SET(m, transaction_section, position);
    const char *slash = strrchr(staged->transaction_name, '/');
    OG_PB_SET(m, transaction_file, og_table__binary_str(og_str_of(slash + 1)));

    OG_AUTO_BUF packed = OG_BUF_INIT;
    OG_TRY(og_table__pack(m, &packed, err));
    OG_TRY(put_section(out, og_buf_bytes(&packed), &position, err));
    og_buf_u64(out, position);
    og_buf_u16(out, 0);
    og_buf_u16(out, 2);
    return og_buf_append(out, "LANC", 4) ? OG_OK : og_error_nomem(err);
}

static og_status make_transaction(staging *s, og_error *err)
{
    og_lance_write *write = s->write;
    og_lance_staged *staged = &write->staged;
    const og_random *random =
        write->options.random != NULL ? write->options.random : &og_system_random;
    char uuid[37];
    og_uuid_format(og_uuid_new(random), uuid);
    og_table__change change = {s->fragments.items, s->fragments.len, s->news.items,
                               s->news.len,        s->changed.items, s->changed.len,
                               s->removed.items,   s->removed.len};
    OG_TRY(og_table__transaction_encode(write, &change, uuid, &staged->transaction, err));

    OG_AUTO_BUF name = OG_BUF_INIT;
    og_table__join(&name, write->options.path, "_transactions/");
    uint64_t read_version = write->base != NULL ? write->base->manifest->version : 0;
    if (!og_buf_printf(&name, "%" PRIu64 "-%s.txn", read_version, uuid))
        return og_error_nomem(err);
    og_str kept = og_arena_str(write->arena, og_buf_view(&name));
    staged->transaction_name = (char *)(uintptr_t)kept.ptr;
    return kept.ptr != NULL ? OG_OK : og_error_nomem(err);
}

static og_status name_manifest(og_lance_write *write, og_error *err)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    bool old = write->base != NULL && write->base->old_names;
    if (!(old ? og_table__old_manifest_name : og_lance_manifest_name)(&name, write->options.path,
                                                                      write->version))
        return og_error_nomem(err);
    og_str kept = og_arena_str(write->arena, og_buf_view(&name));
    write->staged.manifest_name = (char *)(uintptr_t)kept.ptr;
    return kept.ptr != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_table__rows_end(og_lance_write *write, og_error *err)
{
    OG_TRY(og_table__rows_cut(&write->out, err));
    OG_TRY(og_table__rows_cut(&write->late, err));
    return og_table__rows_join(&write->out, &write->late, err);
}

static og_status build(staging *s, og_error *err)
{
    og_lance_write *write = s->write;
    OG_TRY(og_table__rows_end(write, err));
    write->first_staged_name = write->names.len;
    OG_TRY(check_kept(write, err));
    OG_TRY(og_table__fold(write, err));
    if (write->evolution != NULL)
        OG_TRY(og_table__evolve_schema(write, err));
    OG_TRY(add_old_fragments(s, err));
    OG_TRY(add_new_fragments(s, err));
    OG_TRY(make_manifest(s, err));
    OG_TRY(make_transaction(s, err));
    OG_TRY(assemble(s, err));
    OG_TRY(name_manifest(write, err));
    og_lance_encoders_free(OG_TAKE(write->encoders)); /* its memory and threads */
    return OG_OK;
}

og_status og_lance_write_stage(og_lance_write *write, const og_lance_staged **out, og_error *err)
{
    if (write->state == OG_TABLE__OPEN) {
        __attribute__((cleanup(staging_deinit)))
        staging s = {.write = write, .arena = write->arena};
        write->state = OG_TABLE__FAILED;
        OG_TRY(build(&s, err));
        og_lance_staged *staged = &write->staged;
        staged->version = write->version;
        staged->row_count = s.rows;
        staged->next_row_id = write->next_row_id;
        staged->file_names = (const char **)write->names.items;
        staged->file_count = write->names.len;
        write->state = OG_TABLE__STAGED;
    }
    if (write->state == OG_TABLE__FAILED)
        return og_error_set(err, OG_INVALID, "the write has failed");
    *out = &write->staged;
    return OG_OK;
}
