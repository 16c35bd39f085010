#include "lance/table/look.h"

#include "lance/file/look.h"
#include "lance/table/deletion_priv.h"
#include "lance/table/table_priv.h"

#include <stdio.h>

#define MAX_FRAGMENT_IDS (1u << 24)

/* ---- files -------------------------------------------------------------------------------- */

uint32_t og_lance_table_file_count(const og_lance_table *table, uint32_t fragment)
{
    return table->parts[fragment].file_count;
}

og_lance_data_file og_lance_table_file(const og_lance_table *table, uint32_t fragment,
                                       uint32_t file)
{
    const og_table__data_file *f = &table->parts[fragment].files[file];
    return (og_lance_data_file){f->name, f->message->file_size_bytes, f->message->fields,
                                f->message->column_indices, (uint32_t)f->message->n_fields};
}

const char *og_lance_table_deletion_file(const og_lance_table *table, uint32_t fragment)
{
    return table->parts[fragment].deletion_name;
}

og_status og_lance_file_fields(og_lance_env *env, og_arena *arena, og_lance_file *file,
                               og_lance_field **out, uint32_t *out_count, og_error *err)
{
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    OG_TRY(og_lance_file_schema(file, &bytes, err));
    OgPb__Schema *schema;
    OG_TRY(og_table__unpack(&og_pb__schema__descriptor, arena, og_buf_bytes(&bytes), "schema",
                            &schema, err));
    /* Blobs are described by what the file stores, in fields without ids of their own. */
    size_t count = 0;
    for (size_t i = 0; i < schema->n_fields; i++)
        if (schema->fields[i]->id >= 0)
            schema->fields[count++] = schema->fields[i];
    return og_table__fields_decode(env, arena, schema->fields, count, out, out_count, err);
}

/* ---- the manifest ------------------------------------------------------------------------- */

/* The operation is one of a transaction's fields, left unparsed in its head. */
static const char *operation_of(const og_lance_table *table)
{
    static const char *const names[] = {
        "Append",       "Delete",          "Overwrite",         "CreateIndex", "Rewrite",
        "Merge",        "Restore",         "ReserveFragments",  "Update",      "Project",
        "UpdateConfig", "DataReplacement", "UpdateMemWalState", "Clone",       "UpdateBases",
    };
    if (table->transaction == NULL)
        return "";
    const ProtobufCMessage *message = &table->transaction->base;
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        uint32_t tag = message->unknown_fields[i].tag;
        if (tag >= 100 && tag - 100 < sizeof names / sizeof names[0])
            return names[tag - 100];
    }
    return "";
}

void og_lance_table_about(const og_lance_table *table, og_lance_about *out)
{
    const OgPb__Manifest *m = table->manifest;
    uint64_t given = table->ids_are_slots ? OG_TABLE__FLAG_STABLE_ROW_IDS : 0;
    *out = (og_lance_about){.reader_flags = m->reader_feature_flags & ~given,
                            .writer_flags = m->writer_feature_flags,
                            .library = OG_STR(""),
                            .library_version = OG_STR(""),
                            .file_version = OG_STR(""),
                            .branch = og_table__text(m->branch),
                            .operation = operation_of(table)};
    out->has_stable_row_ids = !table->ids_are_slots;
    if (m->writer_version != NULL) {
        out->library = og_table__text(m->writer_version->library);
        out->library_version = og_table__text(m->writer_version->version);
    }
    if (m->data_format != NULL)
        out->file_version = og_table__text(m->data_format->version);
}

bool og_lance_table_pair(const og_lance_table *table, og_lance_pairs map, size_t index,
                         og_lance_kv *out)
{
    const OgPb__Manifest *m = table->manifest;
    OgPb__Pair *const *pairs = map == OG_LANCE_PAIRS_CONFIG           ? m->config
                               : map == OG_LANCE_PAIRS_TABLE_METADATA ? m->table_metadata
                                                                      : m->schema_metadata;
    size_t count = map == OG_LANCE_PAIRS_CONFIG           ? m->n_config
                   : map == OG_LANCE_PAIRS_TABLE_METADATA ? m->n_table_metadata
                                                          : m->n_schema_metadata;
    if (index >= count)
        return false;
    *out = (og_lance_kv){og_table__text(pairs[index]->key), og_table__text(pairs[index]->value)};
    return true;
}

bool og_lance_table_base(const og_lance_table *table, size_t index, og_lance_base *out)
{
    if (index >= table->manifest->n_base_paths)
        return false;
    const OgPb__BasePath *base = table->manifest->base_paths[index];
    *out = (og_lance_base){base->id, og_table__text(base->name), og_table__text(base->path)};
    return true;
}
