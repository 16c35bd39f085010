/* May a write go behind what others did since its base? (rebase.h)
 *
 * The rules are those of Lance 6, by the kinds of both operations, with what they touch
 * where the kinds alone do not tell. Where Lance trusts that columns are still what they
 * were, they are compared here. */
#include "lance/table/rebase_priv.h"

/* One row for each operation of ours; one letter for each of theirs, in order of their numbers:
 *
 *   append, delete, overwrite, create index, rewrite, merge, restore, reserve fragments, update,
 *   project, update config, data replacement, update of the write-ahead log, clone, update bases
 *
 * . goes behind it (rows and fragments are compared afterwards)
 * R must be run again                 X the table that it saw is gone
 * < a restore: judged by what lies below the restored version
 * i not when an index covers fragments that are rewritten
 * n not when both change the index of one name
 * c not when both set a key of the config
 *
 * A clone is a branch that was removed and made again. */
#define PROJECT_ROW (OG_LANCE_EVOLVE + 1) /* columns only go or get other names */
static const char *const rules[] = {
    [OG_LANCE_CREATE] = "RRRRRRRRRRRRRRR",  [OG_LANCE_CLONE] = "RRRRRRRRRRRRRRR",
    [OG_LANCE_APPEND] = "..X...<.....XX.",  [OG_LANCE_UPDATE] = "..X..R<.....XX.",
    [OG_LANCE_DELETE] = "..X..R<.....XX.",  [OG_LANCE_COMPACT] = "..Xi.R<......X.",
    [OG_LANCE_INDEX] = "..Xni.<.....XX.",   [OG_LANCE_EVOLVE] = "RRX.RR<.RX.RXX.",
    [PROJECT_ROW] = "..X..R<..R..XX.",      [OG_LANCE_OVERWRITE] = "..R.......c.XX.",
    [OG_LANCE_RESTORE] = "............XX.", [OG_LANCE_CONFIG] = "..c.......c..X.",
};

static const char *rules_of(const og_lance_write *write)
{
    bool projects = write->options.op == OG_LANCE_EVOLVE && og_table__evolve_only_projects(write);
    return rules[projects ? PROJECT_ROW : write->options.op];
}

/* *out_message NULL: it does not parse. */
static og_status parse(const ProtobufCMessageDescriptor *descriptor, og_arena *scratch,
                       og_bytes operation, void *out_message, og_error *err)
{
    og_status s =
        og_table__unpack(descriptor, scratch, operation, "an operation", out_message, err);
    if (s != OG_OK)
        *(void **)out_message = NULL;
    return s == OG_NOMEM ? s : OG_OK;
}

/* ---- indices -------------------------------------------------------------------------------- */

static og_status covers_any(OgPb__IndexMetadata *const *indices, size_t count, const uint64_t *ids,
                            size_t id_count, bool *out, og_error *err)
{
    og_table__u32s fragments = {0};
    og_status s = OG_OK;
    *out = false;
    for (size_t i = 0; s == OG_OK && i < count && !*out; i++) {
        *out = !indices[i]->has_fragment_bitmap; /* it may cover all */
        s = og_table__index_fragments(indices[i], &fragments, err);
        if (s == OG_CORRUPT) {
            *out = true;
            s = OG_OK;
        }
        for (size_t k = 0; k < id_count && !*out; k++)
            *out = og_table__index_holds(&fragments, ids[k]);
    }
    og_vec_deinit(&fragments);
    return s;
}

/* Ours is a compaction, theirs a new index. */
static og_status covers_groups(const og_lance_write *write, og_bytes operation, og_arena *scratch,
                               bool *out, og_error *err)
{
    OgPb__CreateIndex *theirs;
    *out = true;
    OG_TRY(parse(&og_pb__create_index__descriptor, scratch, operation, &theirs, err));
    if (theirs == NULL)
        return OG_OK;
    OG_VEC(uint64_t) ids = {0};
    og_status s = OG_OK;
    for (size_t g = 0; s == OG_OK && g < write->groups.len; g++)
        for (uint32_t f = write->groups.items[g].start; f < write->groups.items[g].end; f++)
            if (!og_vec_push(&ids, write->base->fragments[f].id))
                s = og_error_nomem(err);
    if (s == OG_OK)
        s = covers_any(theirs->new_indices, theirs->n_new_indices, ids.items, ids.len, out, err);
    og_vec_deinit(&ids);
    return s;
}

/* Ours is a new index, theirs a compaction. */
static og_status covers_rewritten(const og_lance_write *write, og_bytes operation,
                                  og_arena *scratch, bool *out, og_error *err)
{
    OgPb__Rewrite *theirs;
    *out = true;
    OG_TRY(parse(&og_pb__rewrite__descriptor, scratch, operation, &theirs, err));
    for (size_t g = 0; theirs != NULL && g < theirs->n_groups; g++) {
        const OgPb__RewriteGroup *group = theirs->groups[g];
        uint64_t *ids = og_arena_array_of(scratch, uint64_t, group->n_old_fragments + 1);
        if (ids == NULL)
            return og_error_nomem(err);
        for (size_t i = 0; i < group->n_old_fragments; i++)
            ids[i] = group->old_fragments[i]->id;
        OG_TRY(covers_any(write->new_indices.items, write->new_indices.len, ids,
                          group->n_old_fragments, out, err));
        if (*out)
            return OG_OK;
    }
    *out = theirs == NULL;
    return OG_OK;
}

static bool has_name(OgPb__IndexMetadata *const *indices, size_t count, ProtobufCBinaryData name)
{
    for (size_t i = 0; i < count; i++)
        if (og_str_eq(og_table__text(indices[i]->name), og_table__text(name)))
            return true;
    return false;
}

static og_status names_meet(const og_lance_write *write, og_bytes operation, og_arena *scratch,
                            bool *out, og_error *err)
{
    OgPb__CreateIndex *theirs;
    OG_TRY(parse(&og_pb__create_index__descriptor, scratch, operation, &theirs, err));
    *out = theirs == NULL;
    if (theirs == NULL)
        return OG_OK;
    OgPb__IndexMetadata *const *ours[2] = {write->new_indices.items, write->old_indices.items};
    size_t counts[2] = {write->new_indices.len, write->old_indices.len};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < counts[k]; i++)
            *out = *out || has_name(theirs->new_indices, theirs->n_new_indices, ours[k][i]->name) ||
                   has_name(theirs->removed_indices, theirs->n_removed_indices, ours[k][i]->name);
    return OG_OK;
}

/* ---- config --------------------------------------------------------------------------------- */

/* Does one of both set a key that the other sets or removes? To remove it twice is no conflict. */
static bool keys_meet(const og_lance_kv *ours, uint32_t count, OgPb__Pair *const *theirs,
                      size_t their_count)
{
    for (uint32_t i = 0; i < count; i++)
        for (size_t k = 0; k < their_count; k++)
            if (og_str_eq(ours[i].key, og_table__text(theirs[k]->key)) &&
                (ours[i].value.ptr != NULL || theirs[k]->has_value))
                return true;
    return false;
}

/* Ours sets config, or overwrites and sets some. */
static og_status config_meets(const og_lance_write_options *o, unsigned kind, og_bytes operation,
                              og_arena *scratch, og_lance_verdict *out, og_error *err)
{
    bool meets;
    if (kind == OG_TABLE__DID_OVERWRITE) {
        OgPb__Overwrite *theirs;
        OG_TRY(parse(&og_pb__overwrite__descriptor, scratch, operation, &theirs, err));
        meets = theirs == NULL || o->schema_metadata_count != 0 ||
                keys_meet(o->config, o->config_count, theirs->config_upsert_values,
                          theirs->n_config_upsert_values);
    } else {
        OgPb__UpdateConfig *theirs;
        OG_TRY(parse(&og_pb__update_config__descriptor, scratch, operation, &theirs, err));
        /* As older writers say it: by other fields. */
        if (theirs == NULL || theirs->base.n_unknown_fields != 0) {
            *out = OG_LANCE_RETRY;
            return OG_OK;
        }
        const OgPb__UpdateMap *map = theirs->config_updates;
        meets = (o->op == OG_LANCE_CONFIG && o->schema_metadata_count != 0 &&
                 theirs->schema_metadata_updates != NULL) ||
                (map != NULL && o->config_count != 0 && map->replace) ||
                (map != NULL &&
                 keys_meet(o->config, o->config_count, map->update_entries, map->n_update_entries));
    }
    *out = meets ? OG_LANCE_INCOMPATIBLE : OG_LANCE_FITS;
    return OG_OK;
}

/* ---- one version of theirs ------------------------------------------------------------------ */

static og_status judge_closely(const og_lance_write *write, char rule, unsigned kind,
                               og_bytes operation, og_lance_verdict *out, og_error *err)
{
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    bool meets = true;
    if (scratch == NULL)
        return og_error_nomem(err);
    if (rule == 'c')
        return config_meets(&write->options, kind, operation, scratch, out, err);
    if (rule == 'n')
        OG_TRY(names_meet(write, operation, scratch, &meets, err));
    else if (kind == OG_TABLE__DID_REWRITE)
        OG_TRY(covers_rewritten(write, operation, scratch, &meets, err));
    else
        OG_TRY(covers_groups(write, operation, scratch, &meets, err));
    *out = meets ? OG_LANCE_RETRY : OG_LANCE_FITS;
    return OG_OK;
}

static og_status judge(void *context, const og_lance_table *at, uint64_t first, uint64_t *below,
                       og_lance_verdict *out, og_error *err)
{
    const og_lance_write *write = context;
    og_bytes operation;
    unsigned kind = og_table__operation_of(at, &operation);
    *out = OG_LANCE_RETRY;
    if (kind < OG_TABLE__DID_FIRST || kind > OG_TABLE__DID_LAST)
        return OG_OK;
    char rule = rules_of(write)[kind - OG_TABLE__DID_FIRST];
    switch (rule) {
    case '.':
        *out = OG_LANCE_FITS;
        return OG_OK;
    case 'R':
        return OG_OK;
    case 'X':
        *out = OG_LANCE_INCOMPATIBLE;
        return OG_OK;
    case '<':
        return og_table__step_over(at, operation, first, below, out, err);
    default:
        return judge_closely(write, rule, kind, operation, out, err);
    }
}

/* ---- columns and fragments as they are now --------------------------------------------------- */

static const og_lance_field *field_of(const og_lance_table *table, int32_t id)
{
    for (uint32_t i = 0; i < table->field_count; i++)
        if (table->fields[i].id == id)
            return &table->fields[i];
    return NULL;
}

static bool same_leaves(const og_lance_field *a, const og_lance_field *b)
{
    return a->is_blob == b->is_blob && og_type_eq(a->field.type, b->field.type) &&
           (b->field.nullable || !a->field.nullable) && a->leaf_count == b->leaf_count &&
           memcmp(a->leaf_ids, b->leaf_ids, a->leaf_count * sizeof *a->leaf_ids) == 0;
}

/* Can `to` hold rows that were written by the columns of `from`? Names may differ, columns may be
 * gone or new ones be null; but one that came for one that went may have got its values. */
static bool takes_rows(const og_lance_table *from, const og_lance_table *to)
{
    bool is_gone = false, is_new = false;
    for (uint32_t i = 0; i < from->field_count; i++) {
        const og_lance_field *now = field_of(to, from->fields[i].id);
        is_gone = is_gone || now == NULL;
        if (now != NULL && !same_leaves(&from->fields[i], now))
            return false;
    }
    for (uint32_t i = 0; i < to->field_count; i++) {
        bool known = field_of(from, to->fields[i].id) != NULL;
        is_new = is_new || !known;
        if (!known && !to->fields[i].field.nullable)
            return false;
    }
    return !is_gone || !is_new;
}

/* The same messages, metadata of fields included. */
static og_status same_schema(const og_lance_table *a, const og_lance_table *b, bool *out,
                             og_error *err)
{
    *out = a->manifest->n_fields == b->manifest->n_fields;
    for (size_t i = 0; *out && i < a->manifest->n_fields; i++) {
        OG_AUTO_BUF x = OG_BUF_INIT;
        OG_AUTO_BUF y = OG_BUF_INIT;
        OG_TRY(og_table__pack(a->manifest->fields[i], &x, err));
        OG_TRY(og_table__pack(b->manifest->fields[i], &y, err));
        *out = x.len == y.len && memcmp(x.ptr, y.ptr, x.len) == 0;
    }
    return OG_OK;
}

/* SIZE_MAX when it is gone. */
static size_t find_fragment(const og_lance_table *table, uint64_t id)
{
    size_t low = 0, high = table->fragment_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (table->fragments[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->fragment_count && table->fragments[low].id == id ? low : SIZE_MAX;
}

static bool has_file(const og_table__fragment *part, const og_table__data_file *file)
{
    const OgPb__DataFile *y = file->message;
    for (uint32_t i = 0; i < part->file_count; i++) {
        const OgPb__DataFile *x = part->files[i].message;
        if (strcmp(part->files[i].name, file->name) == 0)
            return x->n_fields == y->n_fields &&
                   memcmp(x->fields, y->fields, x->n_fields * sizeof *x->fields) == 0;
    }
    return false;
}

/* The same rows live in it, with the values that they had;
 * files of columns that were dropped may be gone. */
static bool is_unchanged(const og_table__fragment *before, const og_table__fragment *now)
{
    const char *a = before->deletion_name, *b = now->deletion_name;
    if ((a == NULL) != (b == NULL) || (a != NULL && strcmp(a, b) != 0))
        return false;
    for (uint32_t i = 0; i < now->file_count; i++)
        if (!has_file(before, &now->files[i]))
            return false;
    return true;
}

bool og_table__find_groups(const og_lance_write *write, const og_lance_table *onto,
                           og_table__group *out)
{
    const og_lance_table *base = write->base;
    for (size_t g = 0; g < write->groups.len; g++) {
        og_table__group group = write->groups.items[g];
        size_t start = find_fragment(onto, base->fragments[group.start].id);
        for (uint32_t f = group.start; f < group.end; f++) {
            size_t at = start == SIZE_MAX ? SIZE_MAX : start + (f - group.start);
            if (at >= onto->fragment_count || onto->fragments[at].id != base->fragments[f].id ||
                !is_unchanged(&base->parts[f], &onto->parts[at]))
                return false;
        }
        uint32_t count = group.end - group.start;
        group.start = (uint32_t)start;
        group.end = group.start + count;
        out[g] = group;
    }
    return true;
}

/* The data file of a fragment that holds the column; NULL: none does. */
static const char *file_of(const og_table__fragment *part, int32_t field)
{
    const char *name = NULL;
    for (uint32_t i = 0; i < part->file_count; i++)
        for (size_t k = 0; k < part->files[i].message->n_fields; k++)
            if (part->files[i].message->fields[k] == field)
                name = part->files[i].name;
    return name;
}

/* Does a new segment still speak of the values that it was made from? Rows that were
 * deleted or written elsewhere are not found where it covers; a column that was written
 * again in its place would be. */
static og_status segment_holds(const og_lance_table *base, const og_lance_table *onto,
                               const OgPb__IndexMetadata *index, bool *out, og_error *err)
{
    og_table__u32s fragments = {0};
    *out = false;
    for (size_t i = 0; i < index->n_fields; i++)
        if (field_of(onto, index->fields[i]) == NULL)
            return OG_OK;
    OG_TRY(og_table__index_fragments(index, &fragments, err));
    *out = true;
    for (size_t i = 0; *out && i < fragments.len; i++) {
        size_t was = find_fragment(base, fragments.items[i]);
        size_t is = find_fragment(onto, fragments.items[i]);
        for (size_t k = 0; was != SIZE_MAX && is != SIZE_MAX && k < index->n_fields; k++) {
            const char *a = file_of(&base->parts[was], index->fields[k]);
            const char *b = file_of(&onto->parts[is], index->fields[k]);
            *out = *out && (a == b || (a != NULL && b != NULL && strcmp(a, b) == 0));
        }
    }
    og_vec_deinit(&fragments);
    return OG_OK;
}

static bool same_fragments(const og_lance_table *a, const og_lance_table *b)
{
    bool same = a->fragment_count == b->fragment_count;
    for (uint32_t i = 0; same && i < a->fragment_count; i++)
        same = a->fragments[i].id == b->fragments[i].id &&
               a->fragments[i].physical_rows == b->fragments[i].physical_rows;
    return same;
}

static og_status compare(const og_lance_write *write, const og_lance_table *onto, bool *out,
                         og_error *err)
{
    *out = true;
    switch (write->options.op) {
    case OG_LANCE_APPEND:
    case OG_LANCE_UPDATE:
    case OG_LANCE_COMPACT:
        *out = takes_rows(write->base, onto);
        return OG_OK;
    case OG_LANCE_EVOLVE:
        OG_TRY(same_schema(write->base, onto, out, err));
        if (!og_table__evolve_only_projects(write))
            *out = *out && same_fragments(write->base, onto);
        return OG_OK;
    case OG_LANCE_INDEX:
        for (size_t i = 0; *out && i < write->new_indices.len; i++)
            OG_TRY(segment_holds(write->base, onto, write->new_indices.items[i], out, err));
        return OG_OK;
    default:
        return OG_OK;
    }
}

og_status og_table__may_follow(og_lance_write *write, og_lance_table *onto, og_lance_verdict *out,
                               og_error *err)
{
    og_lance_table *base = write->base;
    *out = OG_LANCE_RETRY;
    if (base == NULL || strcmp(base->path, onto->path) != 0 ||
        onto->manifest->version < base->manifest->version)
        return OG_OK;
    *out = OG_LANCE_FITS;
    if (!og_table__same_clone(base, onto))
        OG_TRY(og_table__walk_down(base, onto, judge, write, out, err));
    bool fits = true;
    if (*out == OG_LANCE_FITS)
        OG_TRY(compare(write, onto, &fits, err));
    if (!fits)
        *out = OG_LANCE_RETRY;
    return OG_OK;
}
