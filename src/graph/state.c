#include "graph/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "base/number.h"
#include "base/vec.h"
#include "graph/layout.h"
#include "graph/publish.h"
#include "lance/table/branch.h"
#include "lance/table/delta.h"

og_graph__state *og_graph__state_ref(og_graph__state *state)
{
    __atomic_add_fetch(&state->refs, 1, __ATOMIC_RELAXED);
    return state;
}

void og_graph__state_unref(og_graph__state *state)
{
    if (state != NULL && __atomic_sub_fetch(&state->refs, 1, __ATOMIC_ACQ_REL) == 0)
        og_arena_free(state->arena);
}

og_graph__state *og_graph__state_new(uint64_t manifest_version)
{
    og_arena *arena = og_arena_new(0);
    if (arena == NULL)
        return NULL;
    og_graph__state *state = og_arena_new_of(arena, og_graph__state);
    if (state == NULL) {
        og_arena_free(arena);
        return NULL;
    }
    state->manifest_version = manifest_version;
    state->commit_id = OG_STR("");
    state->refs = 1;
    state->arena = arena;
    return state;
}

static int by_table_key(const void *a, const void *b)
{
    return og_str_cmp(((const og_graph__pin *)a)->table_key, ((const og_graph__pin *)b)->table_key);
}

void og_graph__state_set_pins(og_graph__state *state, og_graph__pin *pins, size_t count)
{
    if (count > 1)
        qsort(pins, count, sizeof *pins, by_table_key);
    state->pins = pins;
    state->pin_count = count;
}

const og_graph__pin *og_graph__state_pin(const og_graph__state *state, og_str table_key)
{
    og_graph__pin key = {.table_key = table_key};
    return bsearch(&key, state->pins, state->pin_count, sizeof *state->pins, by_table_key);
}

static bool copy_pin(og_arena *arena, const og_graph__pin *pin, og_graph__pin *out)
{
    *out = *pin;
    out->table_key = og_arena_str(arena, pin->table_key);
    out->table_path = og_arena_str(arena, pin->table_path);
    out->table_branch = og_arena_str(arena, pin->table_branch);
    return out->table_key.ptr != NULL && out->table_path.ptr != NULL &&
           out->table_branch.ptr != NULL;
}

/* ---- reading the rows --------------------------------------------------------------------- */

/* Everything learnt about one table while the rows go by. */
typedef struct table_rows {
    og_graph__pin pin;
    og_str metadata; /* of the newest version row */
    bool has_version, has_location;
    uint64_t tombstone;
    bool has_tombstone;
} table_rows;

typedef struct row_reader {
    og_graph__state *state;
    og_strmap *index; /* table_key -> index into tables */
    OG_VEC(table_rows) tables;
    og_str last_og; /* metadata of the last row that has an `og` object */
    bool has_other; /* rows that do more than move pins */
} row_reader;

static void row_reader_deinit(row_reader *r)
{
    og_graph__state_unref(r->state);
    og_strmap_free(r->index);
    og_vec_deinit(&r->tables);
}

static table_rows *table_of(row_reader *r, og_str key)
{
    bool is_new;
    uint64_t *at = og_strmap_put(r->index, key, &is_new);
    if (at == NULL)
        return NULL;
    if (is_new) {
        og_str name = og_arena_str(r->state->arena, key);
        table_rows fresh = {.pin = {.table_key = name, .table_branch = OG_STR("")}};
        if (name.ptr == NULL || !og_vec_push(&r->tables, fresh))
            return NULL;
        *at = r->tables.len - 1;
    }
    return &r->tables.items[*at];
}

/* The text of a nullable column, "" for null. */
static og_str text_at(const og_batch *batch, int column, int64_t row)
{
    const og_array *a = batch->columns[column];
    return og_array_is_null(a, row) ? OG_STR("") : og_array_str(a, row);
}

/* Columns of the scan below, in this order. */
enum { TYPE, LOCATION, METADATA, KEY, VERSION, BRANCH, ROWS, SCANNED };

static og_status take_version_row(row_reader *r, const og_batch *batch, int64_t row, og_error *err)
{
    const og_array *versions = batch->columns[VERSION], *rows = batch->columns[ROWS];
    og_str key = text_at(batch, KEY, row);
    if (og_array_is_null(versions, row) || og_array_is_null(rows, row) ||
        og_array_is_null(batch->columns[METADATA], row))
        return og_error_set(err, OG_CORRUPT,
                            "manifest table_version row of %.*s misses its version, metadata or "
                            "row count",
                            OG_FMT(key));
    table_rows *t = table_of(r, key);
    if (t == NULL)
        return og_error_nomem(err);
    uint64_t version = og_array_u64(versions, row);
    if (t->has_version && t->pin.version >= version)
        return OG_OK;
    t->has_version = true;
    t->pin.version = version;
    t->pin.row_count = og_array_u64(rows, row);
    og_str branch = text_at(batch, BRANCH, row);
    t->pin.table_branch =
        og_arena_str(r->state->arena, og_str_is(branch, "main") ? OG_STR("") : branch);
    t->metadata = og_arena_str(r->state->arena, text_at(batch, METADATA, row));
    if (t->pin.table_branch.ptr == NULL || t->metadata.ptr == NULL)
        return og_error_nomem(err);
    return OG_OK;
}

/* An og_gc row: the highest horizon counts. */
static og_status take_horizon(row_reader *r, og_str metadata, og_error *err)
{
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    og_json json;
    uint64_t horizon = 0;
    if (scratch == NULL)
        return og_error_nomem(err);
    if (og_json_parse(scratch, metadata, &json, NULL) != OG_OK)
        return og_error_set(err, OG_CORRUPT, "__manifest has an unreadable %s row",
                            OG_GRAPH__ROW_GC);
    const og_json *member = og_json_get(og_json_get(&json, "gc"), "horizon");
    if (member != NULL && member->kind == OG_JSON_NUMBER)
        (void)og_json_to_u64(member, &horizon);
    if (horizon > r->state->horizon_ms)
        r->state->horizon_ms = horizon;
    return OG_OK;
}

static og_status take_row(row_reader *r, const og_batch *batch, int64_t row, og_error *err)
{
    og_str type = text_at(batch, TYPE, row), metadata = text_at(batch, METADATA, row);
    if (og_str_find(metadata, OG_STR("\"og\":{")) != SIZE_MAX) {
        /* Only the last one counts; copying it again and again would fill the arena. */
        r->last_og = metadata;
    }
    if (og_str_is(type, OG_GRAPH__ROW_VERSION))
        return take_version_row(r, batch, row, err);
    r->has_other |= !og_str_is(type, OG_GRAPH__ROW_COMMIT) && !og_str_is(type, OG_GRAPH__ROW_ABORT);
    if (og_str_is(type, OG_GRAPH__ROW_GC))
        return take_horizon(r, metadata, err);
    if (og_str_is(type, OG_GRAPH__ROW_TABLE)) {
        table_rows *t = table_of(r, text_at(batch, KEY, row));
        if (t == NULL)
            return og_error_nomem(err);
        t->has_location = !og_array_is_null(batch->columns[LOCATION], row);
        t->pin.table_path = og_arena_str(r->state->arena, text_at(batch, LOCATION, row));
        return t->pin.table_path.ptr != NULL ? OG_OK : og_error_nomem(err);
    }
    if (og_str_is(type, OG_GRAPH__ROW_TOMBSTONE) &&
        !og_array_is_null(batch->columns[VERSION], row)) {
        table_rows *t = table_of(r, text_at(batch, KEY, row));
        if (t == NULL)
            return og_error_nomem(err);
        uint64_t version = og_array_u64(batch->columns[VERSION], row);
        if (!t->has_tombstone || t->tombstone < version)
            t->tombstone = version;
        t->has_tombstone = true;
    }
    return OG_OK;
}

static og_status take_batch(row_reader *r, const og_batch *batch, og_error *err)
{
    r->last_og.ptr = r->last_og.len != 0 ? r->last_og.ptr : "";
    og_str before = r->last_og;
    for (int64_t row = 0; row < batch->row_count; row++)
        OG_TRY(take_row(r, batch, row, err));
    if (r->last_og.ptr != before.ptr) { /* it points into the batch: keep a copy */
        r->last_og = og_arena_str(r->state->arena, r->last_og);
        if (r->last_og.ptr == NULL)
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* Metadata that is no JSON is damage, not somebody's input. */
static og_status unreadable_metadata(og_status status, og_str table_key, uint64_t version,
                                     og_error *err)
{
    og_error_context(err, status, "__manifest's metadata of %.*s version %" PRIu64,
                     OG_FMT(table_key), version);
    if (status != OG_INVALID)
        return status;
    if (err != NULL)
        err->status = OG_CORRUPT;
    return OG_CORRUPT;
}

/* The size in a version row's metadata; the places in it are ignored, ours come from the layout. */
static og_status read_version_metadata(og_arena *scratch, table_rows *t, og_error *err)
{
    og_json metadata;
    og_status s = og_json_parse(scratch, t->metadata, &metadata, err);
    if (s != OG_OK)
        return unreadable_metadata(s, t->pin.table_key, t->pin.version, err);
    const og_json *size = og_json_get(&metadata, "manifest_size");
    if (size != NULL && size->kind == OG_JSON_NUMBER &&
        !og_json_to_u64(size, &t->pin.manifest_bytes))
        t->pin.manifest_bytes = 0;
    const og_json *og = og_json_get(&metadata, "og");
    const og_json *op = og != NULL ? og_json_get(og, "op") : NULL;
    const og_json *actor = og != NULL ? og_json_get(og, "actor") : NULL;
    /* A recovery may publish what another operation made. */
    bool is_own = actor == NULL || actor->kind != OG_JSON_STRING ||
                  !og_str_is(actor->text, OG_GRAPH__RECOVERY_ACTOR);
    if (is_own && op != NULL && op->kind == OG_JSON_STRING && op->text.len + 1 == sizeof t->pin.op)
        memcpy(t->pin.op, op->text.ptr, op->text.len);
    return OG_OK;
}

/* What the last version row of a table says beside its columns. */
static og_status complete_pin(og_arena *scratch, table_rows *t, og_error *err)
{
    if (t->pin.table_branch.len > 0 && !og_lance_branch_is_safe(t->pin.table_branch))
        return og_error_set(err, OG_CORRUPT, "manifest row of %.*s names a malformed branch",
                            OG_FMT(t->pin.table_key));
    return read_version_metadata(scratch, t, err);
}

static og_status read_commit(row_reader *r, og_arena *scratch, og_error *err)
{
    if (r->last_og.len == 0)
        return OG_OK;
    og_json metadata;
    og_status s = og_json_parse(scratch, r->last_og, &metadata, err);
    if (s != OG_OK)
        return unreadable_metadata(s, OG_STR("the last commit"), r->state->manifest_version, err);
    const og_json *og = og_json_get(&metadata, "og");
    const og_json *version = og_json_get(og, "v");
    r->state->commit_id = og_arena_str(r->state->arena, og_json_get_str(og, "commit", OG_STR("")));
    if (r->state->commit_id.ptr == NULL)
        return og_error_nomem(err);
    if (version == NULL || version->kind != OG_JSON_NUMBER ||
        !og_json_to_u64(version, &r->state->commit_version))
        r->state->commit_version = 0;
    return OG_OK;
}

static og_status finish_pins(row_reader *r, og_error *err)
{
    og_arena *scratch = og_arena_new(0);
    og_graph__pin *pins =
        og_arena_array_of(r->state->arena, og_graph__pin, r->tables.len > 0 ? r->tables.len : 1);
    if (scratch == NULL || pins == NULL) {
        og_arena_free(scratch);
        return og_error_nomem(err);
    }
    size_t count = 0;
    og_status s = OG_OK;
    for (size_t i = 0; i < r->tables.len && s == OG_OK; i++) {
        table_rows *t = &r->tables.items[i];
        if (!t->has_version || (t->has_tombstone && t->tombstone >= t->pin.version))
            continue;
        if (!t->has_location)
            s = og_error_set(err, OG_CORRUPT, "manifest table row missing location for %.*s",
                             OG_FMT(t->pin.table_key));
        else
            s = complete_pin(scratch, t, err);
        pins[count++] = t->pin;
    }
    if (s == OG_OK)
        s = read_commit(r, scratch, err);
    og_arena_free(scratch);
    og_graph__state_set_pins(r->state, pins, count);
    return s;
}

/* Field indices of the columns that are read; the reference may have appended columns of its
 * own. */
static og_status find_columns(const og_lance_table *manifest, const int *columns, size_t count,
                              uint32_t *out, og_error *err)
{
    uint32_t field_count;
    const og_lance_field *fields = og_lance_table_fields(manifest, &field_count);
    for (size_t i = 0; i < count; i++) {
        const og_field *wanted = &og_graph__manifest_fields()[columns[i]].field;
        int32_t at = og_lance_table_find_field(manifest, wanted->name);
        if (at < 0)
            return og_error_set(err, OG_CORRUPT, "__manifest has no column '%.*s'",
                                OG_FMT(wanted->name));
        if (!og_type_eq(fields[at].field.type, wanted->type))
            return og_error_set(err, OG_CORRUPT, "column '%.*s' of __manifest has another type",
                                OG_FMT(wanted->name));
        out[i] = (uint32_t)at;
    }
    return OG_OK;
}

og_status og_graph__stamp_check(const og_lance_table *manifest, og_error *err)
{
    og_str text = og_lance_table_schema_metadata(manifest, OG_STR(OG_GRAPH__STAMP_KEY));
    uint64_t stamp = 1;
    if (text.ptr != NULL && !og_parse_u64(text, &stamp))
        return og_error_set(err, OG_CORRUPT, "invalid %s '%.*s' in __manifest", OG_GRAPH__STAMP_KEY,
                            OG_FMT(text));
    if (stamp > OG_GRAPH__STAMP) {
        og_error_set(err, OG_UNSUPPORTED,
                     "__manifest is stamped at internal schema v%" PRIu64
                     " but this binary expects v%d - upgrade omnigraph before opening this graph",
                     stamp, OG_GRAPH__STAMP);
        og_error_hint(err, "Upgrade omnigraph first: a newer version wrote this graph.");
        return OG_UNSUPPORTED;
    }
    return OG_OK;
}

/* Rows from slot `start` on. */
static og_status scan_rows(row_reader *r, og_lance_table *manifest, uint32_t start, og_error *err)
{
    static const int columns[SCANNED] = {
        [TYPE] = OG_GRAPH__COL_OBJECT_TYPE,      [LOCATION] = OG_GRAPH__COL_LOCATION,
        [METADATA] = OG_GRAPH__COL_METADATA,     [KEY] = OG_GRAPH__COL_TABLE_KEY,
        [VERSION] = OG_GRAPH__COL_TABLE_VERSION, [BRANCH] = OG_GRAPH__COL_TABLE_BRANCH,
        [ROWS] = OG_GRAPH__COL_ROW_COUNT,
    };
    uint32_t fields[SCANNED];
    OG_TRY(find_columns(manifest, columns, SCANNED, fields, err));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(manifest, fields, SCANNED, start, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(take_batch(r, &batch, err));
    }
}

/* A reader that has read the rows from slot `start` on. */
static og_status read_rows(row_reader *r, og_lance_table *manifest, uint32_t start, og_error *err)
{
    *r = (row_reader){.state = og_graph__state_new(og_lance_table_version(manifest)),
                      .index = og_strmap_new(false)};
    return r->state == NULL || r->index == NULL ? og_error_nomem(err)
                                                : scan_rows(r, manifest, start, err);
}

/* Hand over the reader's state, if all went well. */
static og_status finish(row_reader *r, og_status status, og_graph__state **out)
{
    if (status == OG_OK)
        *out = OG_TAKE(r->state);
    row_reader_deinit(r);
    return status;
}

og_status og_graph__state_read(og_lance_table *manifest, og_graph__state **out, og_error *err)
{
    row_reader r;
    OG_TRY(og_graph__stamp_check(manifest, err));
    og_status s = read_rows(&r, manifest, 0, err);
    if (s == OG_OK)
        s = finish_pins(&r, err);
    return finish(&r, s, out);
}

/* ---- an earlier state --------------------------------------------------------------------- */

#define FIRST_ROWS 256

/* Do rows stand in the order in which they were added, and was none removed? */
static og_status is_append_only(og_lance_table *manifest, bool *out, og_error *err)
{
    og_status s = og_lance_ids_ascend(manifest, out, err);
    *out = s == OG_OK && *out &&
           og_lance_table_row_count(manifest) == og_lance_table_slot_count(manifest);
    return s == OG_CORRUPT ? OG_OK : s; /* what the rows say is not damaged by that */
}

/* Were rows only added since? Then *out_start is the slot of the first one. */
static og_status only_grew(og_lance_table *manifest, og_lance_table *later, uint32_t *out_start,
                           bool *out, og_error *err)
{
    *out = strcmp(og_lance_table_path(manifest), og_lance_table_path(later)) == 0 &&
           og_lance_table_version(manifest) < og_lance_table_version(later);
    if (*out)
        OG_TRY(is_append_only(manifest, out, err));
    if (*out)
        OG_TRY(is_append_only(later, out, err));
    if (*out) {
        OG_TRY(og_lance_slots_below(later, og_lance_table_next_row_id(manifest), out_start, err));
        *out = *out_start == og_lance_table_slot_count(manifest);
    }
    return OG_OK;
}

/* Is there a row for each table whose pin moved later, and one of a commit? */
static bool tells_all(const row_reader *before, const row_reader *since)
{
    bool tells = before->last_og.len > 0;
    for (size_t i = 0; i < since->tables.len && tells; i++) {
        const uint64_t *at = og_strmap_get(before->index, since->tables.items[i].pin.table_key);
        const table_rows *t = at != NULL ? &before->tables.items[*at] : NULL;
        tells = t != NULL && t->has_version && !t->has_tombstone;
    }
    return tells;
}

/* Complete what the last rows told: pins that moved since are theirs, the others the later ones. */
static og_status merge_pins(row_reader *before, const row_reader *since,
                            const og_graph__state *later, og_error *err)
{
    og_graph__state *state = before->state;
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    og_graph__pin *pins =
        og_arena_array_of(state->arena, og_graph__pin, later->pin_count > 0 ? later->pin_count : 1);
    if (scratch == NULL || pins == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < later->pin_count; i++) {
        const og_graph__pin *pin = &later->pins[i];
        if (!copy_pin(state->arena, pin, &pins[i]))
            return og_error_nomem(err);
        if (og_strmap_get(since->index, pin->table_key) == NULL)
            continue;
        table_rows *t = table_of(before, pin->table_key);
        if (t == NULL)
            return og_error_nomem(err);
        OG_TRY(complete_pin(scratch, t, err));
        t->pin.table_path = pins[i].table_path;
        pins[i] = t->pin;
    }
    og_graph__state_set_pins(state, pins, later->pin_count);
    state->horizon_ms = later->horizon_ms;
    return read_commit(before, scratch, err);
}

/* Try with so many rows; *out stays NULL when they do not tell all. */
static og_status read_last(og_lance_table *manifest, uint32_t rows, const row_reader *since,
                           const og_graph__state *later, og_graph__state **out, og_error *err)
{
    row_reader before;
    uint32_t slots = (uint32_t)og_lance_table_slot_count(manifest);
    og_status s = read_rows(&before, manifest, slots - rows, err);
    if (s == OG_OK && !tells_all(&before, since)) {
        row_reader_deinit(&before);
        return OG_OK;
    }
    if (s == OG_OK)
        s = merge_pins(&before, since, later, err);
    return finish(&before, s, out);
}

og_status og_graph__state_read_before(og_lance_table *manifest, const og_graph__state *later,
                                      og_lance_table *later_manifest, og_graph__state **out,
                                      og_error *err)
{
    uint32_t start, slots = (uint32_t)og_lance_table_slot_count(manifest);
    bool can_tell;
    OG_TRY(og_graph__stamp_check(manifest, err));
    OG_TRY(only_grew(manifest, later_manifest, &start, &can_tell, err));
    if (!can_tell)
        return og_graph__state_read(manifest, out, err);
    row_reader since;
    og_status s = read_rows(&since, later_manifest, start, err);
    *out = NULL;
    uint64_t rows = since.has_other ? slots : FIRST_ROWS;
    for (; s == OG_OK && *out == NULL && rows < slots; rows *= 4)
        s = read_last(manifest, (uint32_t)rows, &since, later, out, err);
    row_reader_deinit(&since);
    return s != OG_OK || *out != NULL ? s : og_graph__state_read(manifest, out, err);
}

/* ---- what became of an operation ---------------------------------------------------------- */

/* The row of a batch (type, metadata) that names the operation. */
static void find_fate(const og_batch *batch, og_str op, og_graph__op_fate *out)
{
    char needle[64];
    snprintf(needle, sizeof needle, "\"op\":\"%.*s\"", OG_FMT(op));
    for (int64_t row = 0; row < batch->row_count; row++) {
        if (og_str_find(text_at(batch, 1, row), og_str_of(needle)) == SIZE_MAX)
            continue;
        *out = og_str_is(text_at(batch, 0, row), OG_GRAPH__ROW_ABORT) ? OG_GRAPH__OP_ABORTED
                                                                      : OG_GRAPH__OP_PUBLISHED;
        return;
    }
}

og_status og_graph__op_fate_of(og_lance_table *manifest, og_str op, og_graph__op_fate *out,
                               og_error *err)
{
    static const int columns[] = {OG_GRAPH__COL_OBJECT_TYPE, OG_GRAPH__COL_METADATA};
    uint32_t fields[2];
    OG_TRY(find_columns(manifest, columns, 2, fields, err));
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_TRY(og_lance_scan_open(manifest, fields, 2, 0, UINT32_MAX, &scan, err));
    *out = OG_GRAPH__OP_PENDING;
    while (*out == OG_GRAPH__OP_PENDING) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        find_fate(&batch, op, out);
    }
    return OG_OK;
}

og_status og_graph__op_fate_since(og_lance_table *base, og_lance_table *manifest, og_str op,
                                  og_graph__op_fate *out, og_error *err)
{
    static const int columns[] = {OG_GRAPH__COL_OBJECT_TYPE, OG_GRAPH__COL_METADATA};
    uint32_t fields[2];
    OG_AUTO_DELTA delta = {0};
    OG_TRY(find_columns(manifest, columns, 2, fields, err));
    OG_TRY(og_lance_delta_find(base, manifest, OG_LANCE_ONE_LINEAGE, &delta, err));
    *out = OG_GRAPH__OP_PENDING;
    for (size_t at = 0; at < delta.to_count && *out == OG_GRAPH__OP_PENDING; at += OG_BATCH_ROWS) {
        OG_AUTO_BATCH batch = {0};
        size_t n = delta.to_count - at < OG_BATCH_ROWS ? delta.to_count - at : OG_BATCH_ROWS;
        OG_TRY(og_lance_take(manifest, fields, 2, delta.to_slots + at, n, &batch, err));
        find_fate(&batch, op, out);
    }
    return OG_OK;
}

/* ---- a state after a commit --------------------------------------------------------------- */

og_status og_graph__state_advance(const og_graph__state *state, uint64_t manifest_version,
                                  const og_graph__pin *pins, size_t pin_count, og_str commit_id,
                                  uint64_t horizon_ms, og_graph__state **out, og_error *err)
{
    OG_AUTO(og_graph__state) next = og_graph__state_new(manifest_version);
    og_graph__pin *all =
        next != NULL ? og_arena_array_of(next->arena, og_graph__pin, state->pin_count + pin_count)
                     : NULL;
    if (all == NULL)
        return og_error_nomem(err);
    size_t count = 0;
    for (size_t i = 0; i < state->pin_count; i++)
        if (!copy_pin(next->arena, &state->pins[i], &all[count++]))
            return og_error_nomem(err);
    for (size_t i = 0; i < pin_count; i++) {
        size_t at = 0;
        while (at < count && !og_str_eq(all[at].table_key, pins[i].table_key))
            at++;
        if (!copy_pin(next->arena, &pins[i], &all[at]))
            return og_error_nomem(err);
        if (at == count)
            count++;
    }
    og_graph__state_set_pins(next, all, count);
    bool is_commit = commit_id.len > 0;
    next->commit_id = og_arena_str(next->arena, is_commit ? commit_id : state->commit_id);
    next->commit_version = is_commit ? manifest_version : state->commit_version;
    next->horizon_ms = horizon_ms > state->horizon_ms ? horizon_ms : state->horizon_ms;
    if (next->commit_id.ptr == NULL)
        return og_error_nomem(err);
    *out = OG_TAKE(next);
    return OG_OK;
}
