/* A branch's first version: the source's manifest, whose files stay where they are
 * (docs/dev/lance.md section 8). A file, deletion file or index that lies in the source's
 * own folders gets the source as its base; one that has a base already (the source is a
 * branch, too) keeps it. Lance itself gives inherited indices the wrong base in the second
 * case and can't use them then. */
#include "lance/table/branch.h"
#include "lance/table/write_priv.h"

const char *og_table__clone_path(og_arena *arena, const og_lance_table *source, og_str branch)
{
    OG_AUTO_BUF path = OG_BUF_INIT;
    if (!og_lance_branch_path(&path, source->root, branch))
        return NULL;
    return og_arena_str(arena, og_buf_view(&path)).ptr;
}

/* The number under which the clone knows its source. */
static uint32_t base_id_of(const og_lance_table *source)
{
    uint32_t next = 0;
    for (size_t i = 0; i < source->manifest->n_base_paths; i++)
        if (source->manifest->base_paths[i]->id >= next &&
            source->manifest->base_paths[i]->id < UINT32_MAX)
            next = source->manifest->base_paths[i]->id + 1;
    return next;
}

/* Where the source is, for readers that take places as they stand. */
static og_str uri_of(const og_lance_write *write)
{
    const char *root = og_lance_env_store(write->env)->root;
    const char *path = write->source->path;
    return og_arena_printf(write->arena, "%s%s%s", root, path[0] != '\0' ? "/" : "", path);
}

static og_str parent_of(const og_lance_table *source)
{
    return source->manifest->has_branch ? og_table__text(source->manifest->branch) : OG_STR("");
}

/* ---- files -------------------------------------------------------------------------------- */

static og_status place_files(og_arena *arena, OgPb__DataFragment *f, uint32_t base_id,
                             og_error *err)
{
    OgPb__DataFile **files = og_arena_array_of(arena, OgPb__DataFile *, f->n_files + 1);
    if (files == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < f->n_files; i++) {
        files[i] = f->files[i];
        if (files[i]->has_base_id)
            continue;
        files[i] = og_arena_copy(arena, f->files[i], sizeof *files[i]);
        if (files[i] == NULL)
            return og_error_nomem(err);
        OG_PB_SET(files[i], base_id, base_id);
    }
    f->files = files;
    if (f->deletion_file != NULL && !f->deletion_file->has_base_id) {
        f->deletion_file = og_arena_copy(arena, f->deletion_file, sizeof *f->deletion_file);
        if (f->deletion_file == NULL)
            return og_error_nomem(err);
        OG_PB_SET(f->deletion_file, base_id, base_id);
    }
    return OG_OK;
}

static og_status add_base(const og_lance_write *write, uint32_t base_id, OgPb__Manifest *m,
                          og_error *err)
{
    OgPb__BasePath **bases = og_arena_array_of(write->arena, OgPb__BasePath *, m->n_base_paths + 1);
    OgPb__BasePath *base = OG_PB_NEW(write->arena, OgPb__BasePath, og_pb__base_path__init);
    og_str uri = uri_of(write), parent = parent_of(write->source);
    if (bases == NULL || base == NULL || uri.ptr == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < m->n_base_paths; i++)
        bases[i] = m->base_paths[i];
    OG_PB_SET(base, id, base_id);
    if (parent.len > 0)
        OG_PB_SET(base, name, og_table__binary_str(parent));
    OG_PB_SET(base, is_dataset_root, 1);
    OG_PB_SET(base, path, og_table__binary_str(uri));
    bases[m->n_base_paths] = base;
    m->base_paths = bases;
    m->n_base_paths++;
    return OG_OK;
}

og_status og_table__clone_manifest(const og_lance_write *write, OgPb__Manifest *manifest,
                                   og_error *err)
{
    uint32_t base_id = base_id_of(write->source);
    OG_TRY(add_base(write, base_id, manifest, err));
    OG_PB_SET(manifest, branch, og_table__binary_str(write->options.branch));
    for (size_t i = 0; i < manifest->n_fragments; i++)
        OG_TRY(place_files(write->arena, manifest->fragments[i], base_id, err));
    return OG_OK;
}

/* ---- indices, transaction ----------------------------------------------------------------- */

og_status og_table__clone_indices(const og_lance_write *write, og_bytes *out, og_error *err)
{
    OgPb__IndexSection *section;
    *out = write->source->index_section;
    if (out->ptr == NULL)
        return OG_OK;
    OG_TRY(og_table__unpack(&og_pb__index_section__descriptor, write->arena, *out, "index section",
                            &section, err));
    for (size_t i = 0; i < section->n_indices; i++)
        if (!section->indices[i]->has_base_id)
            OG_PB_SET(section->indices[i], base_id, base_id_of(write->source));
    ProtobufCBinaryData packed;
    OG_TRY(og_table__pack_binary(section, write->arena, &packed, err));
    *out = og_table__bytes(packed);
    return OG_OK;
}

og_status og_table__clone_transaction(const og_lance_write *write, OgPb__Transaction *transaction,
                                      og_error *err)
{
    OgPb__Clone *c = transaction->clone = OG_PB_NEW(write->arena, OgPb__Clone, og_pb__clone__init);
    og_str uri = uri_of(write), parent = parent_of(write->source);
    if (c == NULL || uri.ptr == NULL)
        return og_error_nomem(err);
    OG_PB_SET(c, is_shallow, 1);
    if (parent.len > 0)
        OG_PB_SET(c, ref_name, og_table__binary_str(parent));
    OG_PB_SET(c, ref_version, write->source->manifest->version);
    OG_PB_SET(c, ref_path, og_table__binary_str(uri));
    OG_PB_SET(c, branch_name, og_table__binary_str(write->options.branch));
    return OG_OK;
}
