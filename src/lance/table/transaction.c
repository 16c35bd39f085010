/* The transaction of a version: what it did, for other writers (docs/dev/lance.md section 6). */
#include "lance/table/write_priv.h"

og_status og_table__pairs_of(og_arena *arena, const og_lance_kv *kvs, size_t count,
                             OgPb__Pair ***out, og_error *err)
{
    OgPb__Pair **pairs = og_arena_array_of(arena, OgPb__Pair *, count + 1);
    if (pairs == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++) {
        pairs[i] = OG_PB_NEW(arena, OgPb__Pair, og_pb__pair__init);
        if (pairs[i] == NULL)
            return og_error_nomem(err);
        OG_PB_SET(pairs[i], key, og_table__binary_str(kvs[i].key));
        if (kvs[i].value.ptr != NULL)
            OG_PB_SET(pairs[i], value, og_table__binary_str(kvs[i].value));
    }
    *out = pairs;
    return OG_OK;
}

/* Before a commit gives them ids: files, rows, and the ids of updated rows only. */
static og_status bare_fragments(og_lance_write *write, const og_table__change *change,
                                bool with_kept_ids, OgPb__DataFragment ***out, og_error *err)
{
    OgPb__DataFragment **bare =
        og_arena_array_of(write->arena, OgPb__DataFragment *, change->new_count + 1);
    if (bare == NULL)
        return og_error_nomem(err);
    size_t folded = write->folded.fragments.len;
    for (size_t i = 0; i < change->new_count; i++) {
        bare[i] = OG_PB_NEW(write->arena, OgPb__DataFragment, og_pb__data_fragment__init);
        if (bare[i] == NULL)
            return og_error_nomem(err);
        bare[i]->files = change->news[i]->files;
        bare[i]->n_files = change->news[i]->n_files;
        OG_PB_SET(bare[i], physical_rows, change->news[i]->physical_rows);
        const og_table__new_fragment *f = i < folded ? &write->folded.fragments.items[i]
                                                     : &write->out.fragments.items[i - folded];
        if (!with_kept_ids || f->facts.kept_rows == 0)
            continue;
        /* Kept rows are the first ones, but may end inside a run that goes on with new ids. */
        size_t runs = 0;
        uint32_t rows = 0;
        og_table__id_run *ids = og_arena_array_of(write->arena, og_table__id_run, f->facts.ids.len);
        if (ids == NULL)
            return og_error_nomem(err);
        while (rows < f->facts.kept_rows) {
            ids[runs] = f->facts.ids.items[runs];
            if (ids[runs].count > f->facts.kept_rows - rows)
                ids[runs].count = f->facts.kept_rows - rows;
            rows += ids[runs++].count;
        }
        OG_TRY(og_table__row_ids_encode(ids, runs, write->arena, &bare[i]->inline_row_ids, err));
        bare[i]->has_inline_row_ids = 1;
    }
    *out = bare;
    return OG_OK;
}

static og_status set_append(og_lance_write *write, const og_table__change *change,
                            OgPb__Transaction *t, og_error *err)
{
    t->append = OG_PB_NEW(write->arena, OgPb__Append, og_pb__append__init);
    if (t->append == NULL)
        return og_error_nomem(err);
    t->append->n_fragments = change->new_count;
    return bare_fragments(write, change, false, &t->append->fragments, err);
}

static og_status set_delete(og_lance_write *write, const og_table__change *change,
                            OgPb__Transaction *t, og_error *err)
{
    t->delete_rows = OG_PB_NEW(write->arena, OgPb__Delete, og_pb__delete__init);
    if (t->delete_rows == NULL)
        return og_error_nomem(err);
    t->delete_rows->updated_fragments = change->changed;
    t->delete_rows->n_updated_fragments = change->changed_count;
    t->delete_rows->deleted_fragment_ids = change->removed;
    t->delete_rows->n_deleted_fragment_ids = change->removed_count;
    return OG_OK;
}

static og_status set_update(og_lance_write *write, const og_table__change *change,
                            OgPb__Transaction *t, og_error *err)
{
    OgPb__Update *u = t->update = OG_PB_NEW(write->arena, OgPb__Update, og_pb__update__init);
    uint32_t *leaves = og_arena_array_of(write->arena, uint32_t, write->field_message_count + 1);
    if (u == NULL || leaves == NULL)
        return og_error_nomem(err);
    u->removed_fragment_ids = change->removed;
    u->n_removed_fragment_ids = change->removed_count;
    u->updated_fragments = change->changed;
    u->n_updated_fragments = change->changed_count;
    u->n_new_fragments = change->new_count;
    /* All fields: no index may take new fragments for covered. */
    u->fields_for_preserving_frag_bitmap = leaves;
    for (uint32_t i = 0; i < write->field_count; i++)
        for (uint32_t k = 0; k < write->fields[i].leaf_count; k++)
            leaves[u->n_fields_for_preserving_frag_bitmap++] =
                (uint32_t)write->fields[i].leaf_ids[k];
    return bare_fragments(write, change, true, &u->new_fragments, err);
}

static og_status set_overwrite(og_lance_write *write, const og_table__change *change,
                               OgPb__Transaction *t, og_error *err)
{
    OgPb__Overwrite *o = t->overwrite =
        OG_PB_NEW(write->arena, OgPb__Overwrite, og_pb__overwrite__init);
    if (o == NULL)
        return og_error_nomem(err);
    o->schema = write->field_messages;
    o->n_schema = write->field_message_count;
    o->n_fragments = change->new_count;
    const og_lance_write_options *options = &write->options;
    o->n_schema_metadata = options->schema_metadata_count;
    OG_TRY(og_table__pairs_of(write->arena, options->schema_metadata,
                              options->schema_metadata_count, &o->schema_metadata, err));
    o->n_config_upsert_values = options->config_count;
    OG_TRY(og_table__pairs_of(write->arena, options->config, options->config_count,
                              &o->config_upsert_values, err));
    return bare_fragments(write, change, false, &o->fragments, err);
}

static og_status set_merge(og_lance_write *write, const og_table__change *change,
                           OgPb__Transaction *t, og_error *err)
{
    if (og_table__evolve_only_projects(write)) {
        t->project = OG_PB_NEW(write->arena, OgPb__Project, og_pb__project__init);
        if (t->project == NULL)
            return og_error_nomem(err);
        t->project->schema = write->field_messages;
        t->project->n_schema = write->field_message_count;
        return OG_OK;
    }
    t->merge = OG_PB_NEW(write->arena, OgPb__Merge, og_pb__merge__init);
    if (t->merge == NULL)
        return og_error_nomem(err);
    t->merge->fragments = change->all;
    t->merge->n_fragments = change->all_count;
    t->merge->schema = write->field_messages;
    t->merge->n_schema = write->field_message_count;
    t->merge->schema_metadata = write->source->manifest->schema_metadata;
    t->merge->n_schema_metadata = write->source->manifest->n_schema_metadata;
    return OG_OK;
}

static og_status rewrite_group(og_lance_write *write, const og_table__group *from,
                               const og_table__change *change, OgPb__RewriteGroup **out,
                               og_error *err)
{
    OgPb__RewriteGroup *g = OG_PB_NEW(write->arena, OgPb__RewriteGroup, og_pb__rewrite_group__init);
    size_t old_count = from->end - from->start;
    OgPb__DataFragment **olds = og_arena_array_of(write->arena, OgPb__DataFragment *, old_count);
    if (g == NULL || olds == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < old_count; i++) {
        const OgPb__DataFragment *old = write->base->parts[from->start + i].message;
        olds[i] = og_arena_copy(write->arena, old, sizeof *old);
        if (olds[i] == NULL)
            return og_error_nomem(err);
    }
    g->old_fragments = olds;
    g->n_old_fragments = old_count;
    g->new_fragments = change->news + from->first_new;
    g->n_new_fragments = from->new_count;
    *out = g;
    return OG_OK;
}

static og_status set_rewrite(og_lance_write *write, const og_table__change *change,
                             OgPb__Transaction *t, og_error *err)
{
    OgPb__Rewrite *r = t->rewrite = OG_PB_NEW(write->arena, OgPb__Rewrite, og_pb__rewrite__init);
    size_t count = write->groups.len;
    OgPb__RewriteGroup **groups = og_arena_array_of(write->arena, OgPb__RewriteGroup *, count + 1);
    if (r == NULL || groups == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        OG_TRY(rewrite_group(write, &write->groups.items[i], change, &groups[i], err));
    r->groups = groups;
    r->n_groups = count;
    return OG_OK;
}

static og_status update_map(og_arena *arena, const og_lance_kv *kvs, uint32_t count,
                            OgPb__UpdateMap **out, og_error *err)
{
    *out = NULL;
    if (count == 0)
        return OG_OK;
    OgPb__UpdateMap *map = OG_PB_NEW(arena, OgPb__UpdateMap, og_pb__update_map__init);
    if (map == NULL)
        return og_error_nomem(err);
    map->n_update_entries = count;
    *out = map;
    return og_table__pairs_of(arena, kvs, count, &map->update_entries, err);
}

static og_status set_config(og_lance_write *write, OgPb__Transaction *t, og_error *err)
{
    const og_lance_write_options *o = &write->options;
    OgPb__UpdateConfig *c = t->update_config =
        OG_PB_NEW(write->arena, OgPb__UpdateConfig, og_pb__update_config__init);
    if (c == NULL)
        return og_error_nomem(err);
    OG_TRY(update_map(write->arena, o->config, o->config_count, &c->config_updates, err));
    OG_TRY(
        update_map(write->arena, o->metadata, o->metadata_count, &c->table_metadata_updates, err));
    return update_map(write->arena, o->schema_metadata, o->schema_metadata_count,
                      &c->schema_metadata_updates, err);
}

static og_status set_create_index(og_lance_write *write, OgPb__Transaction *t, og_error *err)
{
    OgPb__CreateIndex *c = t->create_index =
        OG_PB_NEW(write->arena, OgPb__CreateIndex, og_pb__create_index__init);
    if (c == NULL)
        return og_error_nomem(err);
    c->new_indices = write->new_indices.items;
    c->n_new_indices = write->new_indices.len;
    c->removed_indices = write->old_indices.items;
    c->n_removed_indices = write->old_indices.len;
    return OG_OK;
}

static og_status set_restore(og_lance_write *write, OgPb__Transaction *t, og_error *err)
{
    t->restore = OG_PB_NEW(write->arena, OgPb__Restore, og_pb__restore__init);
    if (t->restore == NULL)
        return og_error_nomem(err);
    OG_PB_SET(t->restore, version, write->source->manifest->version);
    return OG_OK;
}

static og_status set_operation(og_lance_write *write, const og_table__change *change,
                               OgPb__Transaction *t, og_error *err)
{
    switch (write->options.op) {
    case OG_LANCE_CREATE:
    case OG_LANCE_OVERWRITE:
        return set_overwrite(write, change, t, err);
    case OG_LANCE_APPEND:
        /* With a fold, fragments go as well as come. */
        if (change->removed_count == 0)
            return set_append(write, change, t, err);
        return set_update(write, change, t, err);
    case OG_LANCE_UPDATE:
        return set_update(write, change, t, err);
    case OG_LANCE_DELETE:
        return set_delete(write, change, t, err);
    case OG_LANCE_RESTORE:
        return set_restore(write, t, err);
    case OG_LANCE_CONFIG:
        return set_config(write, t, err);
    case OG_LANCE_CLONE:
        return og_table__clone_transaction(write, t, err);
    case OG_LANCE_INDEX:
        return set_create_index(write, t, err);
    case OG_LANCE_COMPACT:
        if (write->options.compact_as_update)
            return set_update(write, change, t, err);
        return set_rewrite(write, change, t, err);
    case OG_LANCE_EVOLVE:
        return set_merge(write, change, t, err);
    }
    return og_error_set(err, OG_INVALID, "unknown operation");
}

og_status og_table__transaction_encode(og_lance_write *write, const og_table__change *change,
                                       const char *uuid, og_buf *out, og_error *err)
{
    OgPb__Transaction t;
    og_pb__transaction__init(&t);
    if (write->base != NULL)
        OG_PB_SET(&t, read_version, write->base->manifest->version);
    OG_PB_SET(&t, uuid, og_table__binary_str(og_str_of(uuid)));
    t.n_properties = write->options.property_count;
    OG_TRY(og_table__pairs_of(write->arena, write->options.properties,
                              write->options.property_count, &t.properties, err));
    OG_TRY(set_operation(write, change, &t, err));
    return og_table__pack(&t, out, err);
}
