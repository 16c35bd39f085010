/* What others did to a table between two versions (rebase.h). */
#include "lance/table/rebase.h"

#include "lance/table/rebase_priv.h"

/* Versions that may lie between; beyond, running again is cheaper than reading their manifests. */
#define MAX_VERSIONS_BETWEEN 256

/* Numbers of the operations in a Transaction message. */
enum {
    KIND_NONE = 0,
    KIND_OVERWRITE = 102,
    KIND_MERGE = 105,
    KIND_RESTORE = 106,
    KIND_UPDATE_MEM_WAL = 112,
    KIND_CLONE = 113,
    KIND_LAST_KNOWN = 114,
    KIND_FIRST = 100,
};

/* ---- the versions between ----------------------------------------------------------------- */

/* The operation of a version, and the bytes it stands in; they are left unparsed when a table opens. */
static unsigned kind_of(const og_lance_table *table, og_bytes *out)
{
    if (table->transaction == NULL)
        return KIND_NONE;
    const ProtobufCMessage *message = &table->transaction->base;
    for (unsigned i = 0; i < message->n_unknown_fields; i++) {
        const ProtobufCMessageUnknownField *field = &message->unknown_fields[i];
        if (field->tag < KIND_FIRST)
            continue;
        *out = (og_bytes){field->data, field->len};
        return field->tag;
    }
    return KIND_NONE;
}

/* The version a restore went back to; 0 when it can't be told. The bytes begin with their length. */
static uint64_t restored_version(og_bytes operation)
{
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    OgPb__Restore *restore;
    size_t skip = 0;
    while (skip < operation.len && skip < 10 && (operation.ptr[skip] & 0x80) != 0)
        skip++;
    if (scratch == NULL || skip >= operation.len)
        return 0;
    og_bytes body = {operation.ptr + skip + 1, operation.len - skip - 1};
    if (og_table__unpack(&og_pb__restore__descriptor, scratch, body, "restore", &restore, NULL) !=
        OG_OK)
        return 0;
    return restore->version;
}

/* The version below `table` on the way to version `from`; 0: the way ends here, with *out. */
static uint64_t step_down(const og_lance_table *table, uint64_t from, og_lance_verdict *out)
{
    og_bytes operation = {NULL, 0};
    unsigned kind = kind_of(table, &operation);
    uint64_t version = table->manifest->version, below = version - 1;
    if (kind == KIND_OVERWRITE || kind == KIND_CLONE) {
        *out = OG_LANCE_INCOMPATIBLE;
        return 0;
    }
    if (kind == KIND_NONE || kind == KIND_MERGE || kind == KIND_UPDATE_MEM_WAL ||
        kind > KIND_LAST_KNOWN) {
        *out = OG_LANCE_RETRY;
        return 0;
    }
    if (kind == KIND_RESTORE) {
        below = restored_version(operation);
        if (below < from || below >= version) {
            *out = OG_LANCE_INCOMPATIBLE;
            return 0;
        }
    }
    return below;
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

/* Two clones of one version are the same, whatever their numbers. */
static bool same_clone(const og_lance_table *a, const og_lance_table *b)
{
    og_bytes x = {NULL, 0}, y = {NULL, 0};
    return kind_of(a, &x) == KIND_CLONE && kind_of(b, &y) == KIND_CLONE && x.len == y.len &&
           memcmp(x.ptr, y.ptr, x.len) == 0;
}

og_status og_lance_succession(og_lance_table *from, og_lance_table *to, og_lance_verdict *out,
                              og_error *err)
{
    uint64_t first = from->manifest->version;
    *out = OG_LANCE_RETRY;
    /* A branch of its own begins with a copy; rows keep their ids, files their places. */
    if (strcmp(from->path, to->path) != 0 || to->manifest->version < first)
        return OG_OK;
    if (!same_schema(from, to)) {
        *out = OG_LANCE_INCOMPATIBLE;
        return OG_OK;
    }
    if (same_clone(from, to)) {
        *out = OG_LANCE_FITS;
        return OG_OK;
    }
    OG_AUTO(og_lance_table) at = og_lance_table_ref(to);
    for (int i = 0; at->manifest->version > first; i++) {
        uint64_t below = step_down(at, first, out);
        if (below == 0 || i == MAX_VERSIONS_BETWEEN)
            return OG_OK;
        og_lance_table_unref(OG_TAKE(at));
        if (below == first)
            break;
        og_status s = og_lance_table_open(to->env, to->path, below, 0, &at, err);
        if (s == OG_NOT_FOUND)
            return OG_OK; /* collected: nothing to go by */
        OG_TRY(s);
    }
    *out = OG_LANCE_FITS;
    return OG_OK;
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
