/* What others did to a table between two versions (rebase.h). */
#include "lance/table/rebase.h"

#include "lance/table/rebase_priv.h"

/* Versions that may lie between; beyond, running again is cheaper than reading their manifests. */
#define MAX_VERSIONS_BETWEEN 256

/* ---- the versions between ----------------------------------------------------------------- */

unsigned og_table__operation_of(const og_lance_table *table, og_bytes *out)
{
    *out = (og_bytes){NULL, 0};
    if (table->transaction == NULL)
        return OG_TABLE__DID_NOTHING_KNOWN;
    const ProtobufCMessage *message = &table->transaction->base;
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];
        if (field->tag < OG_TABLE__DID_FIRST)
            continue;
        size_t skip = 0; /* the bytes begin with their length */
        while (skip < field->len && skip < 10 && (field->data[skip] & 0x80) != 0)
            skip++;
        if (field->wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED || skip >= field->len)
            return OG_TABLE__DID_NOTHING_KNOWN;
        *out = (og_bytes){field->data + skip + 1, field->len - skip - 1};
        return field->tag;
    }
    return OG_TABLE__DID_NOTHING_KNOWN;
}

/* The version a restore went back to; 0 when it can't be told. */
static og_status restored_version(og_bytes operation, uint64_t *out, og_error *err)
{
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    OgPb__Restore *restore;
    *out = 0;
    if (scratch == NULL)
        return og_error_nomem(err);
    og_status s =
        og_table__unpack(&og_pb__restore__descriptor, scratch, operation, "restore", &restore, err);
    if (s == OG_OK)
        *out = restore->version;
    return s == OG_NOMEM ? s : OG_OK;
}

og_status og_table__restored(const og_lance_table *table, uint64_t *out, og_error *err)
{
    og_bytes operation;
    *out = 0;
    return og_table__operation_of(table, &operation) == OG_TABLE__DID_RESTORE
               ? restored_version(operation, out, err)
               : OG_OK;
}

og_status og_table__walk_down(og_lance_table *from, og_lance_table *to, og_table__judge judge,
                              void *context, og_lance_verdict *out, og_error *err)
{
    uint64_t first = from->manifest->version;
    OG_AUTO(og_lance_table) at = og_lance_table_ref(to);
    *out = OG_LANCE_FITS;
    for (int i = 0; at->manifest->version > first; i++) {
        uint64_t below = at->manifest->version - 1;
        OG_TRY(judge(context, at, first, &below, out, err));
        if (*out != OG_LANCE_FITS)
            return OG_OK;
        *out = OG_LANCE_RETRY;
        if (i == MAX_VERSIONS_BETWEEN)
            return OG_OK;
        og_lance_table_unref(OG_TAKE(at));
        if (below != first) {
            og_status s = og_lance_table_open(to->env, to->path, below, 0, &at, err);
            if (s == OG_NOT_FOUND)
                return OG_OK; /* collected: nothing to go by */
            OG_TRY(s);
        }
        *out = OG_LANCE_FITS;
        if (below == first)
            return OG_OK;
    }
    return OG_OK;
}

og_status og_table__step_over(const og_lance_table *at, og_bytes operation, uint64_t first,
                              uint64_t *below, og_lance_verdict *out, og_error *err)
{
    OG_TRY(restored_version(operation, below, err));
    bool undoes = *below < first || *below >= at->manifest->version;
    *out = undoes ? OG_LANCE_INCOMPATIBLE : OG_LANCE_FITS;
    return OG_OK;
}

/* Do rows stay what they are? */
static og_status keeps_rows(void *context, const og_lance_table *at, uint64_t first,
                            uint64_t *below, og_lance_verdict *out, og_error *err)
{
    (void)context;
    og_bytes operation;
    unsigned kind = og_table__operation_of(at, &operation);
    if (kind == OG_TABLE__DID_OVERWRITE || kind == OG_TABLE__DID_CLONE)
        *out = OG_LANCE_INCOMPATIBLE;
    else if (kind == OG_TABLE__DID_NOTHING_KNOWN || kind == OG_TABLE__DID_MERGE ||
             kind == OG_TABLE__DID_UPDATE_MEM_WAL || kind > OG_TABLE__DID_LAST)
        *out = OG_LANCE_RETRY;
    else if (kind == OG_TABLE__DID_RESTORE)
        return og_table__step_over(at, operation, first, below, out, err);
    else
        *out = OG_LANCE_FITS;
    return OG_OK;
}

static bool same_schema(const og_lance_table *a, const og_lance_table *b)
{
    if (a->field_count != b->field_count)
        return false;
    for (uint32_t i = 0; i < a->field_count; i++)
        if (a->fields[i].id != b->fields[i].id || a->fields[i].is_blob != b->fields[i].is_blob ||
            !og_str_eq(a->fields[i].field.name, b->fields[i].field.name) ||
            !og_type_eq(a->fields[i].field.type, b->fields[i].field.type))
            return false;
    return true;
}

bool og_table__same_clone(const og_lance_table *a, const og_lance_table *b)
{
    og_bytes x, y;
    return og_table__operation_of(a, &x) == OG_TABLE__DID_CLONE &&
           og_table__operation_of(b, &y) == OG_TABLE__DID_CLONE && x.len == y.len &&
           memcmp(x.ptr, y.ptr, x.len) == 0;
}

og_status og_lance_succession(og_lance_table *from, og_lance_table *to, og_lance_verdict *out,
                              og_error *err)
{
    *out = OG_LANCE_RETRY;
    /* A branch of its own begins with a copy; rows keep their ids, files their places. */
    if (strcmp(from->path, to->path) != 0 || to->manifest->version < from->manifest->version)
        return OG_OK;
    *out = OG_LANCE_INCOMPATIBLE;
    if (!same_schema(from, to))
        return OG_OK;
    *out = OG_LANCE_FITS;
    if (og_table__same_clone(from, to))
        return OG_OK;
    return og_table__walk_down(from, to, keeps_rows, NULL, out, err);
}

/* ---- files -------------------------------------------------------------------------------- */

static bool names_file(const og_lance_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->fragment_count; i++) {
        const og_table__fragment *part = &table->parts[i];
        if (part->deletion_name != NULL && strcmp(part->deletion_name, name) == 0)
            return true;
        for (uint32_t f = 0; f < part->file_count; f++)
            if (strcmp(part->files[f].name, name) == 0)
                return true;
    }
    return false;
}

bool og_lance_carries_on(const og_lance_table *before, const og_lance_table *made,
                         const og_lance_table *later)
{
    for (uint32_t i = 0; i < made->fragment_count; i++) {
        const og_table__fragment *part = &made->parts[i];
        const char *deletions = part->deletion_name;
        if (deletions != NULL && !names_file(before, deletions) && names_file(later, deletions))
            return true;
        for (uint32_t f = 0; f < part->file_count; f++)
            if (!names_file(before, part->files[f].name) && names_file(later, part->files[f].name))
                return true;
    }
    return false;
}

/* ---- rows --------------------------------------------------------------------------------- */

static bool same_files(const og_table__fragment *a, const og_table__fragment *b)
{
    if (a->file_count != b->file_count)
        return false;
    for (uint32_t i = 0; i < a->file_count; i++) {
        const OgPb__DataFile *x = a->files[i].message, *y = b->files[i].message;
        /* A column that was replaced keeps its file and changes the list of fields. */
        if (strcmp(a->files[i].name, b->files[i].name) != 0 || x->n_fields != y->n_fields ||
            memcmp(x->fields, y->fields, x->n_fields * sizeof *x->fields) != 0)
            return false;
    }
    return true;
}

og_status og_table__row_is_same(og_lance_table *from, uint32_t from_slot, og_lance_table *to,
                                uint32_t to_slot, bool *out, og_error *err)
{
    uint32_t f = og_table__fragment_of(from, from_slot, 0);
    uint32_t t = og_table__fragment_of(to, to_slot, 0);
    if (from->fragments[f].id == to->fragments[t].id) {
        *out = same_files(&from->parts[f], &to->parts[t]);
        return OG_OK;
    }
    /* Moved, if nobody wrote it since; a fragment that does not say may hold anything. */
    uint64_t updated, created;
    *out = false;
    if (!to->parts[t].message->has_inline_last_updated)
        return OG_OK;
    OG_TRY(og_lance_row_versions(to, &to_slot, 1, &updated, &created, err));
    *out = updated <= from->manifest->version;
    return OG_OK;
}
