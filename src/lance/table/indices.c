#include "lance/table/indices.h"

#include <stdio.h>
#include <string.h>

#include "lance/file/look.h"
#include "lance/table/write_priv.h"

#define DETAILS_PREFIX "/lance.table."
#define DETAILS_SUFFIX "IndexDetails"

static og_status unpack(og_bytes section, og_arena *arena, OgPb__IndexSection **out, og_error *err)
{
    return og_table__unpack(&og_pb__index_section__descriptor, arena, section, "index section", out,
                            err);
}

static og_status read_section(const og_lance_table *table, og_arena *arena,
                              OgPb__IndexSection **out, og_error *err)
{
    return unpack(table->index_section, arena, out, err);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* "BTree" of "/lance.table.BTreeIndexDetails"; of another place all of it, so that equal names of
 * different layouts stay apart: "lance.index.pb.BloomFilter"; "" for another text. */
static og_str kind_of(const OgPb__IndexMetadata *m)
{
    if (m->index_details == NULL || m->index_details->type_url == NULL)
        return OG_STR("");
    og_str url = og_str_of(m->index_details->type_url);
    size_t start = og_str_starts(url, OG_STR(DETAILS_PREFIX)) ? strlen(DETAILS_PREFIX) : 1;
    if (url.len < start + strlen(DETAILS_SUFFIX) || url.ptr[0] != '/' ||
        !og_str_ends(url, OG_STR(DETAILS_SUFFIX)))
        return OG_STR("");
    return og_str_slice(url, start, url.len - strlen(DETAILS_SUFFIX));
}

static og_status read_fragments(const OgPb__IndexMetadata *m, og_arena *arena, og_lance_index *out,
                                og_error *err)
{
    og_table__u32s ids = {0};
    og_status status = og_table__index_fragments(m, &ids, err);
    if (status == OG_OK) {
        uint32_t *copy = og_arena_array_of(arena, uint32_t, ids.len + 1);
        if (copy == NULL)
            status = og_error_nomem(err);
        for (size_t i = 0; copy != NULL && i < ids.len; i++)
            copy[i] = ids.items[i];
        out->fragments = copy;
        out->fragment_count = (uint32_t)ids.len;
    }
    og_vec_deinit(&ids);
    return status;
}

static og_status read_index(const og_lance_table *table, const OgPb__IndexMetadata *m,
                            og_arena *arena, og_lance_index *out, og_error *err)
{
    if (m->uuid == NULL || m->uuid->uuid.len != sizeof out->uuid.bytes)
        return og_error_set(err, OG_CORRUPT, "%s: an index has no uuid", table->path);
    memcpy(out->uuid.bytes, m->uuid->uuid.data, sizeof out->uuid.bytes);
    out->name = og_table__text(m->name);
    out->kind = kind_of(m);
    out->field_ids = m->fields;
    out->field_count = (uint32_t)m->n_fields;
    out->dataset_version = m->dataset_version;
    for (size_t i = 0; i < m->n_files; i++)
        out->bytes += m->files[i]->size_bytes;
    char uuid[37];
    const char *folder;
    og_uuid_format(out->uuid, uuid);
    OG_TRY(og_table__file_name(table, arena, "_indices", og_str_of(uuid), m->has_base_id,
                               m->base_id, &folder, err));
    out->folder = og_arena_printf(arena, "%s/", folder).ptr;
    return out->folder != NULL ? read_fragments(m, arena, out, err) : og_error_nomem(err);
}

static og_status read_all(const og_lance_table *table, og_bytes bytes, og_arena *arena,
                          const og_lance_index **out, uint32_t *out_count, og_error *err)
{
    *out = NULL;
    *out_count = 0;
    if (bytes.ptr == NULL)
        return OG_OK;
    OgPb__IndexSection *section;
    OG_TRY(unpack(bytes, arena, &section, err));
    og_lance_index *list = og_arena_array_of(arena, og_lance_index, section->n_indices + 1);
    if (list == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < section->n_indices; i++) {
        list[i] = (og_lance_index){0};
        OG_TRY(read_index(table, section->indices[i], arena, &list[i], err));
    }
    *out = list;
    *out_count = (uint32_t)section->n_indices;
    return OG_OK;
}

og_status og_lance_indices(const og_lance_table *table, og_arena *arena, const og_lance_index **out,
                           uint32_t *out_count, og_error *err)
{
    return read_all(table, table->index_section, arena, out, out_count, err);
}

og_status og_lance_address_indices(const og_lance_table *table, og_arena *arena,
                                   const og_lance_index **out, uint32_t *out_count, og_error *err)
{
    return read_all(table, table->address_indices, arena, out, out_count, err);
}

bool og_lance_index_covers(const og_lance_index *index, uint64_t fragment_id)
{
    uint32_t low = 0, high = index->fragment_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (index->fragments[middle] < fragment_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < index->fragment_count && index->fragments[low] == fragment_id;
}

/* ---- changing ----------------------------------------------------------------------------- */

og_lance_table *og_lance_write_base(const og_lance_write *write)
{
    return write->base;
}

og_uuid og_lance_write_new_uuid(const og_lance_write *write)
{
    const og_random *random = write->options.random;
    return og_uuid_new(random != NULL ? random : &og_system_random);
}

bool og_lance_index_folder(og_buf *out, const og_lance_write *write, og_uuid uuid)
{
    char text[37];
    og_uuid_format(uuid, text);
    og_table__join(out, write->options.path, "_indices/");
    return og_buf_printf(out, "%s/", text);
}

static og_status set_files(og_lance_write *write, const og_lance_new_index *index,
                           OgPb__IndexMetadata *m, og_error *err)
{
    m->files = og_arena_array_of(write->arena, OgPb__IndexFile *, index->file_count + 1);
    if (m->files == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < index->file_count; i++) {
        OgPb__IndexFile *file = m->files[i] =
            OG_PB_NEW(write->arena, OgPb__IndexFile, og_pb__index_file__init);
        og_str name = og_arena_str(write->arena, og_str_of(index->file_names[i]));
        OG_AUTO_BUF full = OG_BUF_INIT;
        if (file == NULL || name.ptr == NULL || !og_lance_index_folder(&full, write, index->uuid) ||
            !og_buf_str(&full, name))
            return og_error_nomem(err);
        OG_PB_SET(file, path, og_table__binary_str(name));
        OG_PB_SET(file, size_bytes, index->file_bytes[i]);
        m->n_files++;
        OG_TRY(og_table__write_name(write, og_buf_cstr(&full), err));
    }
    return OG_OK;
}

static og_status set_identity(og_lance_write *write, const og_lance_new_index *index,
                              OgPb__IndexMetadata *m, og_error *err)
{
    og_arena *arena = write->arena;
    m->uuid = OG_PB_NEW(arena, OgPb__Uuid, og_pb__uuid__init);
    m->index_details = OG_PB_NEW(arena, OgPb__IndexDetails, og_pb__index_details__init);
    const uint8_t *uuid = og_arena_copy(arena, index->uuid.bytes, sizeof index->uuid.bytes);
    int32_t *field = og_arena_copy(arena, &index->field_id, sizeof index->field_id);
    og_str name = og_arena_str(arena, index->name);
    og_str url = og_arena_printf(arena, DETAILS_PREFIX "%.*s" DETAILS_SUFFIX, OG_FMT(index->kind));
    if (m->uuid == NULL || m->index_details == NULL || uuid == NULL || field == NULL ||
        name.ptr == NULL || url.ptr == NULL)
        return og_error_nomem(err);
    OG_PB_SET(m->uuid, uuid, og_table__binary(uuid, sizeof index->uuid.bytes));
    m->index_details->type_url = (char *)(uintptr_t)url.ptr;
    m->fields = field;
    m->n_fields = 1;
    OG_PB_SET(m, name, og_table__binary_str(name));
    OG_PB_SET(m, dataset_version, write->base->manifest->version);
    OG_PB_SET(m, index_version, index->version);
    OG_PB_SET(m, created_at, (uint64_t)(write->options.now_us / 1000));
    return OG_OK;
}

static og_status set_bitmap(og_lance_write *write, const og_lance_new_index *index,
                            OgPb__IndexMetadata *m, og_error *err)
{
    OG_AUTO_BUF packed = OG_BUF_INIT;
    if (!og_table__roaring_encode(index->fragments, index->fragment_count, &packed))
        return og_error_nomem(err);
    const uint8_t *copy = og_arena_copy(write->arena, packed.ptr, packed.len);
    if (copy == NULL)
        return og_error_nomem(err);
    OG_PB_SET(m, fragment_bitmap, og_table__binary(copy, packed.len));
    return OG_OK;
}

static bool is_removed(const og_lance_write *write, const OgPb__IndexMetadata *m)
{
    for (size_t i = 0; i < write->old_indices.len; i++) {
        const OgPb__IndexMetadata *old = write->old_indices.items[i];
        if (m->uuid != NULL && old->uuid != NULL && m->uuid->uuid.len == old->uuid->uuid.len &&
            memcmp(m->uuid->uuid.data, old->uuid->uuid.data, m->uuid->uuid.len) == 0)
            return true;
    }
    return false;
}

/* Segments of one name are of one column. */
static og_status check_name(og_lance_write *write, const og_lance_new_index *index, og_error *err)
{
    OgPb__IndexSection *section;
    if (write->base->index_section.ptr == NULL)
        return OG_OK;
    OG_TRY(read_section(write->base, write->arena, &section, err));
    for (size_t i = 0; i < section->n_indices; i++) {
        const OgPb__IndexMetadata *m = section->indices[i];
        if (!og_str_eq(og_table__text(m->name), index->name) || is_removed(write, m))
            continue;
        if (m->n_fields != 1 || m->fields[0] != index->field_id ||
            !og_str_eq(kind_of(m), index->kind))
            return og_error_set(err, OG_EXISTS, "there is an index '%.*s' already",
                                OG_FMT(index->name));
    }
    return OG_OK;
}

static og_status check_open(const og_lance_write *write, og_error *err)
{
    if (write->options.op == OG_LANCE_INDEX && write->state == OG_TABLE__OPEN)
        return OG_OK;
    return og_error_set(err, OG_INVALID, "the write does not change indexes");
}

og_status og_lance_write_add_index(og_lance_write *write, const og_lance_new_index *index,
                                   og_error *err)
{
    OG_TRY(check_open(write, err));
    OG_TRY(check_name(write, index, err));
    OgPb__IndexMetadata *m =
        OG_PB_NEW(write->arena, OgPb__IndexMetadata, og_pb__index_metadata__init);
    if (m == NULL)
        return og_error_nomem(err);
    OG_TRY(set_identity(write, index, m, err));
    OG_TRY(set_bitmap(write, index, m, err));
    OG_TRY(set_files(write, index, m, err));
    return og_vec_push(&write->new_indices, m) ? OG_OK : og_error_nomem(err);
}

og_status og_lance_write_drop_index(og_lance_write *write, og_str name, og_error *err)
{
    OgPb__IndexSection *section;
    size_t before = write->old_indices.len;
    OG_TRY(check_open(write, err));
    if (write->base->index_section.ptr != NULL) {
        OG_TRY(read_section(write->base, write->arena, &section, err));
        for (size_t i = 0; i < section->n_indices; i++)
            if (og_str_eq(og_table__text(section->indices[i]->name), name) &&
                !og_vec_push(&write->old_indices, section->indices[i]))
                return og_error_nomem(err);
    }
    if (write->old_indices.len == before)
        return og_error_set(err, OG_NOT_FOUND, "no index '%.*s'", OG_FMT(name));
    return OG_OK;
}

og_status og_table__index_section_changed(og_lance_write *write, og_arena *arena, og_bytes *out,
                                          og_error *err)
{
    OgPb__IndexSection section;
    OgPb__IndexSection *old = &section;
    og_pb__index_section__init(&section);
    if (write->base->index_section.ptr != NULL)
        OG_TRY(read_section(write->base, arena, &old, err));
    size_t most = old->n_indices + write->new_indices.len;
    OgPb__IndexMetadata **list = og_arena_array_of(arena, OgPb__IndexMetadata *, most + 1);
    if (list == NULL)
        return og_error_nomem(err);
    size_t count = 0;
    for (size_t i = 0; i < old->n_indices; i++)
        if (!is_removed(write, old->indices[i]))
            list[count++] = old->indices[i];
    for (size_t i = 0; i < write->new_indices.len; i++)
        list[count++] = write->new_indices.items[i];
    old->indices = list;
    old->n_indices = count;
    *out = (og_bytes){NULL, 0};
    if (count == 0)
        return OG_OK;
    ProtobufCBinaryData packed;
    OG_TRY(og_table__pack_binary(old, arena, &packed, err));
    *out = og_table__bytes(packed);
    return OG_OK;
}

/* ---- index files -------------------------------------------------------------------------- */

og_status og_lance_file_metadata(og_lance_file *file, og_str key, og_arena *arena, og_str *out,
                                 og_error *err)
{
    OG_AUTO_BUF message = OG_BUF_INIT;
    OgPb__Schema *schema;
    OG_TRY(og_lance_file_schema(file, &message, err));
    og_status s = og_table__unpack(&og_pb__schema__descriptor, arena, og_buf_bytes(&message),
                                   "the file's schema", &schema, err);
    if (s != OG_OK)
        return og_error_context(err, s, "%s", og_lance_file_name(file));
    *out = og_table__pairs_get(schema->metadata, schema->n_metadata, key);
    return OG_OK;
}

og_status og_lance_schema_message(const og_lance_new_field *fields, uint32_t field_count,
                                  const og_lance_kv *metadata, uint32_t metadata_count, og_buf *out,
                                  og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OgPb__Schema schema;
    og_pb__schema__init(&schema);
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(
        og_table__fields_encode(fields, field_count, arena, &schema.fields, &schema.n_fields, err));
    OG_TRY(og_table__pairs_of(arena, metadata, metadata_count, &schema.metadata, err));
    schema.n_metadata = metadata_count;
    return og_table__pack(&schema, out, err);
}
