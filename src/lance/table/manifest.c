/* From the bytes of a manifest file to a table: decode, validate, then use
 * (docs/dev/lance.md, section 2). Everything is checked here once, so that the rest of the
 * table may trust what it finds. */
#include "lance/table/table_priv.h"

#include "base/arena.h"
#include "base/bits.h"

#include <inttypes.h>
#include <stdio.h>

#define TRAILER_BYTES 16 /* i64 position of the manifest section, u16 major, u16 minor, "LANC" */
#define MAX_SLOTS (UINT32_MAX - 1)

/* The section [u32 length][bytes] at `offset`. */
static og_status section_at(og_bytes file, uint64_t offset, const char *what, og_bytes *out,
                            og_error *err)
{
    if (file.len < 4 || offset > file.len - 4)
        return og_error_set(err, OG_CORRUPT, "%s begins at %" PRIu64 " of %zu bytes", what, offset,
                            file.len);
    uint32_t len = og_load_u32(file.ptr + offset);
    if (len > file.len - 4 - offset)
        return og_error_set(err, OG_CORRUPT, "%s at %" PRIu64 " is cut short", what, offset);
    *out = (og_bytes){file.ptr + offset + 4, len};
    return OG_OK;
}

static og_status find_manifest(og_bytes file, og_bytes *out, og_error *err)
{
    if (file.len < TRAILER_BYTES || memcmp(file.ptr + file.len - 4, "LANC", 4) != 0)
        return og_error_set(err, OG_CORRUPT, "manifest does not end in \"LANC\"");
    uint64_t position = og_load_u64(file.ptr + file.len - TRAILER_BYTES);
    OG_TRY(section_at(file, position, "manifest section", out, err));
    if (out->ptr + out->len + TRAILER_BYTES != file.ptr + file.len)
        return og_error_set(err, OG_CORRUPT, "manifest section is not the last one");
    return OG_OK;
}

/* ---- fragments ---------------------------------------------------------------------------- */

static og_status decode_data_file(og_lance_table *t, const OgPb__DataFile *message,
                                  og_table__data_file *out, og_error *err)
{
    if (message->file_major_version == 0 && message->file_minor_version < 3)
        return og_error_set(err, OG_UNSUPPORTED, "data file %.*s is of the format 0.1, before 2.1",
                            OG_FMT(og_table__text(message->path)));
    if (message->n_fields != message->n_column_indices)
        return og_error_set(err, OG_CORRUPT, "data file lists %zu fields in %zu columns",
                            message->n_fields, message->n_column_indices);
    out->message = message;
    return og_table__file_name(t, t->arena, "data", og_table__text(message->path),
                               message->has_base_id, message->base_id, &out->name, err);
}

static og_status decode_deletion(og_lance_table *t, const OgPb__DataFragment *message,
                                 og_lance_fragment *fragment, og_table__fragment *part,
                                 og_error *err)
{
    const OgPb__DeletionFile *file = message->deletion_file;
    if (file == NULL || file->num_deleted_rows == 0)
        return OG_OK;
    if (file->num_deleted_rows > fragment->physical_rows)
        return og_error_set(err, OG_CORRUPT, "more rows are deleted than there are");
    if (file->file_type != 0 && file->file_type != 1)
        return og_error_set(err, OG_UNSUPPORTED, "deletion file of type %d", file->file_type);
    char name[96];
    snprintf(name, sizeof name, "%" PRIu64 "-%" PRIu64 "-%" PRIu64 ".%s", fragment->id,
             file->read_version, file->id, file->file_type == 0 ? "arrow" : "bin");
    fragment->deleted_rows = (uint32_t)file->num_deleted_rows;
    return og_table__file_name(t, t->arena, "_deletions", og_str_of(name), file->has_base_id,
                               file->base_id, &part->deletion_name, err);
}

/* A sequence that is kept in a file of its own, long ones in the format's intent, is read at once:
 * from here on it is as if the manifest held it (and the next version written does). */
static og_status load_sequence(og_lance_table *t, OgPb__ExternalFile **external,
                               protobuf_c_boolean *has_inline, ProtobufCBinaryData *out,
                               og_error *err)
{
    if (*external == NULL)
        return OG_OK;
    const char *name;
    OG_TRY(og_table__object_name(t, t->arena, og_table__text((*external)->path), &name, err));
    og_store *store = og_lance_env_store(t->env);
    OG_AUTO(og_blob) blob = NULL;
    uint64_t size = (*external)->size;
    if (size > SIZE_MAX / 2)
        return og_error_set(err, OG_CORRUPT, "%s: %" PRIu64 " bytes of row ids", name, size);
    og_status status =
        store->ops->get_range(store, name, (*external)->offset, (size_t)size, &blob, err);
    if (status == OG_NOT_FOUND)
        return og_error_set(err, OG_CORRUPT, "%s, which has row ids, is missing", name);
    OG_TRY(status);
    out->data = og_malloc(blob->len);
    out->len = blob->len;
    if (out->data == NULL)
        return og_error_nomem(err);
    if (!og_arena_on_free(t->arena, og_free, out->data)) {
        og_free(out->data);
        return og_error_nomem(err);
    }
    memcpy(out->data, blob->ptr, blob->len);
    *has_inline = 1;
    *external = NULL;
    return OG_OK;
}

static og_status load_sequences(og_lance_table *t, OgPb__DataFragment *fragment, og_error *err)
{
    OG_TRY(load_sequence(t, &fragment->external_row_ids, &fragment->has_inline_row_ids,
                         &fragment->inline_row_ids, err));
    OG_TRY(load_sequence(t, &fragment->external_last_updated, &fragment->has_inline_last_updated,
                         &fragment->inline_last_updated, err));
    return load_sequence(t, &fragment->external_created, &fragment->has_inline_created,
                         &fragment->inline_created, err);
}

static og_status decode_fragment(og_lance_table *t, uint32_t index, og_error *err)
{
    const OgPb__DataFragment *message = t->manifest->fragments[index];
    og_lance_fragment *fragment = &t->fragments[index];
    og_table__fragment *part = &t->parts[index];
    if (index > 0 && message->id <= t->fragments[index - 1].id)
        return og_error_set(err, OG_CORRUPT, "fragments are not in order of their ids");
    if (message->physical_rows > MAX_SLOTS - t->slot_count)
        return og_error_set(err, OG_UNSUPPORTED, "the table has more than 2^32 - 2 rows");
    OG_TRY(load_sequences(t, t->manifest->fragments[index], err));
    bool stable = (t->manifest->reader_feature_flags & OG_TABLE__FLAG_STABLE_ROW_IDS) != 0;
    if (stable && !message->has_inline_row_ids)
        return og_error_set(err, OG_CORRUPT, "row ids are missing");
    *fragment = (og_lance_fragment){message->id, (uint32_t)t->slot_count,
                                    (uint32_t)message->physical_rows, 0};
    part->message = message;
    part->file_count = (uint32_t)message->n_files;
    part->files = og_arena_array_of(t->arena, og_table__data_file, message->n_files + 1);
    if (part->files == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < part->file_count; i++)
        OG_TRY(decode_data_file(t, message->files[i], &part->files[i], err));
    OG_TRY(decode_deletion(t, message, fragment, part, err));
    t->slot_count += fragment->physical_rows;
    t->deleted_count += fragment->deleted_rows;
    return OG_OK;
}

static og_status decode_fragments(og_lance_table *t, og_error *err)
{
    size_t count = t->manifest->n_fragments;
    t->fragments = og_arena_array_of(t->arena, og_lance_fragment, count + 1);
    t->parts = og_arena_array_of(t->arena, og_table__fragment, count + 1);
    if (t->fragments == NULL || t->parts == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        og_status status = decode_fragment(t, i, err);
        if (status != OG_OK)
            return og_error_context(err, status, "fragment %" PRIu64,
                                    t->manifest->fragments[i]->id);
        t->fragment_count++; /* what the destructor may look at */
    }
    return OG_OK;
}

/* A table without stable row ids: Lance forgets them when it clones one without rows for a branch.
 * Such rows get their slots as ids. These mean something in this version only, as does the epoch of
 * a version that we did not write; the next version of ours keeps them, and from then on they are
 * stable. Indices, which know rows by addresses, are not carried on. */
static og_status give_row_ids(og_lance_table *t, og_error *err)
{
    OgPb__Manifest *m = t->manifest;
    if ((m->reader_feature_flags & OG_TABLE__FLAG_STABLE_ROW_IDS) != 0)
        return OG_OK;
    for (uint32_t i = 0; i < t->fragment_count; i++) {
        const og_lance_fragment *f = &t->fragments[i];
        const og_table__id_run run = {f->first_slot, f->physical_rows, .first_id = f->first_slot};
        OG_TRY(og_table__row_ids_encode(&run, f->physical_rows != 0, t->arena,
                                        &m->fragments[i]->inline_row_ids, err));
        m->fragments[i]->has_inline_row_ids = 1;
    }
    OG_PB_SET(m, next_row_id, t->slot_count);
    OG_PB_SET(m, reader_feature_flags, m->reader_feature_flags | OG_TABLE__FLAG_STABLE_ROW_IDS);
    t->ids_are_slots = true;
    t->address_indices = t->index_section;
    t->index_section = (og_bytes){NULL, 0};
    return OG_OK;
}

/* ---- sections ----------------------------------------------------------------------------- */

/* "<read version>-<uuid>.txn" */
static og_str uuid_of_file(og_str name)
{
    const char *dash = name.len != 0 ? memchr(name.ptr, '-', name.len) : NULL;
    if (dash == NULL || !og_str_ends(name, OG_STR(".txn")))
        return OG_STR("");
    og_str uuid = og_str_slice(name, (size_t)(dash + 1 - name.ptr), name.len - strlen(".txn"));
    return uuid.len == 36 ? uuid : OG_STR("");
}

static og_status decode_sections(og_lance_table *t, og_bytes file, og_error *err)
{
    const OgPb__Manifest *m = t->manifest;
    og_bytes section;
    if (m->has_index_section) {
        OG_TRY(section_at(file, m->index_section, "index section", &section, err));
        t->index_section.ptr = og_arena_copy(t->arena, section.ptr, section.len);
        t->index_section.len = section.len;
        if (t->index_section.ptr == NULL)
            return og_error_nomem(err);
    }
    t->transaction_uuid = uuid_of_file(og_table__text(m->transaction_file));
    if (m->has_transaction_section) {
        OG_TRY(section_at(file, m->transaction_section, "transaction section", &section, err));
        OG_TRY(og_table__unpack(&og_pb__transaction_head__descriptor, t->arena, section,
                                "transaction", &t->transaction, err));
        if (t->transaction->has_uuid)
            t->transaction_uuid = og_table__text(t->transaction->uuid);
    }
    return OG_OK;
}

static og_status check_flags(const OgPb__Manifest *m, og_error *err)
{
    uint64_t unknown = m->reader_feature_flags & ~(uint64_t)OG_TABLE__FLAGS_KNOWN;
    if (unknown != 0)
        return og_error_set(
            err, OG_UNSUPPORTED,
            "the table needs features this version does not know (flags 0x%" PRIx64 ")", unknown);
    return OG_OK;
}

/* ---- the table ---------------------------------------------------------------------------- */

static og_lance_table *new_table(og_lance_env *env, const char *path, size_t manifest_bytes)
{
    og_lance_table *t = og_calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->refs = 1;
    t->env = env;
    pthread_mutex_init(&t->lock, NULL);
    t->manifest_bytes = manifest_bytes;
    /* Messages of two bytes become structs of a hundred: enough for honest manifests, and an
     * end. */
    t->arena = og_arena_new(manifest_bytes * 256 + (1u << 20));
    t->path = og_strdup(path);
    const char *root = t->arena != NULL ? og_table__dataset_root(t->arena, path) : NULL;
    t->root = root != NULL ? og_strdup(root) : NULL;
    if (t->path == NULL || t->root == NULL) {
        og_lance_table_unref(t);
        return NULL;
    }
    return t;
}

og_status og_table__table_decode(og_lance_env *env, const char *path, og_bytes file,
                                 og_lance_table **out, og_error *err)
{
    og_bytes section;
    OG_TRY(find_manifest(file, &section, err));
    OG_AUTO(og_lance_table) t = new_table(env, path, file.len);
    if (t == NULL)
        return og_error_nomem(err);
    OG_TRY(og_table__unpack(&og_pb__manifest__descriptor, t->arena, section, "manifest",
                            &t->manifest, err));
    OG_TRY(check_flags(t->manifest, err));
    if (t->manifest->version == 0 || t->manifest->version >> 62 != 0)
        return og_error_set(err, OG_CORRUPT, "manifest has version %" PRIu64, t->manifest->version);
    OG_TRY(og_table__fields_decode(env, t->arena, t->manifest->fields, t->manifest->n_fields,
                                   &t->fields, &t->field_count, err));
    OG_TRY(decode_fragments(t, err));
    OG_TRY(decode_sections(t, file, err));
    OG_TRY(give_row_ids(t, err));
    *out = OG_TAKE(t);
    return OG_OK;
}
