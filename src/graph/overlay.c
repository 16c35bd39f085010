#include "graph/overlay.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"
#include "columnar/builder.h"
#include "columnar/compare.h"
#include "columnar/kernels.h"
#include "exec/exec.h"
#include "graph/repo_priv.h"

/* Where a pending row's values are, and what it stands for. */
typedef struct pending_row {
    uint32_t batch;
    uint32_t row;
    uint32_t slot; /* of the snapshot's row that it replaces, or OG_NO_SLOT */
    bool is_live;  /* neither replaced nor deleted since */
} pending_row;

struct og_overlay {
    og_snapshot *snapshot; /* borrowed */
    const og_type_def *def;
    og_lance_table *table; /* borrowed from the snapshot */
    OG_VEC(og_batch) batches;
    OG_VEC(pending_row) pending;
    og_strmap *pending_ids; /* id -> number of the newest pending row + 1 */
    og_u64map *shadowed;    /* slots that are gone or replaced */
    OG_VEC(uint32_t) shadowed_list;
    bool shadowed_is_sorted;
};

og_status og_overlay_new(og_snapshot *snapshot, const og_type_def *def, og_overlay **out,
                         og_error *err)
{
    OG_AUTO(og_overlay) o = og_calloc(1, sizeof *o);
    if (o == NULL)
        return og_error_nomem(err);
    o->snapshot = snapshot;
    o->def = def;
    o->pending_ids = og_strmap_new(false);
    o->shadowed = og_u64map_new(16);
    if (o->pending_ids == NULL || o->shadowed == NULL)
        return og_error_nomem(err);
    OG_TRY(og_snapshot_table(snapshot, def, &o->table, err));
    OG_TRY(og_graph__check_places(o->table, def, err));
    *out = OG_TAKE(o);
    return OG_OK;
}

void og_overlay_free(og_overlay *o)
{
    if (o == NULL)
        return;
    for (size_t i = 0; i < o->batches.len; i++)
        og_batch_deinit(&o->batches.items[i]);
    og_vec_deinit(&o->batches);
    og_vec_deinit(&o->pending);
    og_vec_deinit(&o->shadowed_list);
    og_strmap_free(o->pending_ids);
    og_u64map_free(o->shadowed);
    og_free(o);
}

void og_overlay_rows_deinit(og_overlay_rows *rows)
{
    og_free(rows->slots);
    og_free(rows->pending);
    *rows = (og_overlay_rows){0};
}

const og_type_def *og_overlay_def(const og_overlay *overlay)
{
    return overlay->def;
}

bool og_overlay_is_changed(const og_overlay *o)
{
    if (o->shadowed_list.len > 0)
        return true;
    for (size_t i = 0; i < o->pending.len; i++)
        if (o->pending.items[i].is_live)
            return true;
    return false;
}

/* ---- finding ------------------------------------------------------------------------------ */

static size_t drop_shadowed(const og_overlay *o, uint32_t *slots, size_t count)
{
    if (o->shadowed_list.len == 0)
        return count;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (og_u64map_get(o->shadowed, slots[i]) == NULL)
            slots[kept++] = slots[i];
    return kept;
}

static uint32_t column_of(const og_overlay *o, int32_t property, og_str column)
{
    if (property >= 0)
        return og_type_def_first_property(o->def) + (uint32_t)property;
    return (uint32_t)og_schema_find(o->def->table_schema, column);
}

/* Each statement's batch is evaluated once. */
static og_status find_pending(og_overlay *o, uint32_t column, og_cmp_op op, const og_literal *value,
                              og_overlay_rows *out, og_error *err)
{
    if (o->pending.len == 0)
        return OG_OK;
    out->pending = og_reallocarray(NULL, o->pending.len, sizeof *out->pending);
    if (out->pending == NULL)
        return og_error_nomem(err);
    OG_AUTO_MASK mask = {0};
    uint32_t evaluated = UINT32_MAX;
    for (size_t i = 0; i < o->pending.len; i++) {
        const pending_row *p = &o->pending.items[i];
        if (!p->is_live)
            continue;
        if (p->batch != evaluated)
            OG_TRY(
                og_exec_match(o->batches.items[p->batch].columns[column], op, value, &mask, err));
        evaluated = p->batch;
        if (og_mask_true(&mask, p->row))
            out->pending[out->pending_count++] = (uint32_t)i;
    }
    return OG_OK;
}

og_status og_overlay_find(og_overlay *o, int32_t property, og_str column, og_cmp_op op,
                          const og_literal *value, og_overlay_rows *out, og_error *err)
{
    og_overlay_rows rows = {0};
    og_status s = og_exec_find_slots(o->snapshot, o->def, property, column, op, value, &rows.slots,
                                     &rows.slot_count, err);
    if (s == OG_OK) {
        rows.slot_count = drop_shadowed(o, rows.slots, rows.slot_count);
        s = find_pending(o, column_of(o, property, column), op, value, &rows, err);
    }
    if (s == OG_OK)
        *out = rows;
    else
        og_overlay_rows_deinit(&rows);
    return s;
}

typedef OG_VEC(uint32_t) u32_vec;

static og_status test_texts(void *context, const og_array *values, og_mask *out, og_error *err)
{
    const og_strmap *wanted = context;
    if (og_strmap_len(wanted) == 1) { /* comparing costs less than hashing */
        const og_datum only = {.type = OG_TYPE_UTF8, .str = og_strmap_at(wanted, 0, NULL)};
        return og_compare_datum(values, OG_COMPARE_EQ, &only, out, err);
    }
    OG_TRY(og_mask_resize(out, values->length, err));
    og_mask_fill(out, false);
    for (int64_t i = 0; i < values->length; i++)
        if (og_strmap_get(wanted, og_array_str(values, i)) != NULL)
            out->truth[i >> 6] |= UINT64_C(1) << (i & 63);
    return OG_OK;
}

static og_status pending_texts(og_overlay *o, uint32_t column, const og_strmap *wanted,
                               u32_vec *out, og_error *err)
{
    for (size_t i = 0; i < o->pending.len; i++) {
        const pending_row *p = &o->pending.items[i];
        const og_array *a = o->batches.items[p->batch].columns[column];
        if (p->is_live && og_strmap_get(wanted, og_array_str(a, p->row)) != NULL &&
            !og_vec_push(out, (uint32_t)i))
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* Slots of the snapshot whose text is in `wanted`: those that a topology knows, and a scan of the
 * rows beyond. */
static og_status stored_at(og_overlay *o, bool at_src, uint32_t field, const og_str *ids,
                           size_t id_count, og_strmap *wanted, og_overlay_rows *rows, og_error *err)
{
    og_incident known;
    uint32_t *scanned;
    size_t scanned_count;
    OG_TRY(og_snapshot_incident(o->snapshot, o->def, at_src, ids, id_count, &known, err));
    rows->slots = known.slots;
    rows->slot_count = known.slot_count;
    OG_TRY(og_lance_find(o->table, field, known.scan_from, test_texts, wanted, &scanned,
                         &scanned_count, err));
    if (rows->slot_count == 0) {
        og_free(rows->slots);
        rows->slots = scanned;
        rows->slot_count = scanned_count;
        return OG_OK;
    }
    uint32_t *both = og_reallocarray(rows->slots, rows->slot_count + scanned_count, sizeof *both);
    if (both != NULL) {
        rows->slots = both;
        if (scanned_count > 0)
            memcpy(both + rows->slot_count, scanned, scanned_count * sizeof *both);
        rows->slot_count += scanned_count;
    }
    og_free(scanned);
    return both != NULL ? OG_OK : og_error_nomem(err);
}

og_status og_overlay_find_ends(og_overlay *o, bool at_src, const og_str *ids, size_t id_count,
                               og_overlay_rows *out, og_error *err)
{
    OG_AUTO(og_strmap) wanted = og_strmap_new(true);
    if (wanted == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < id_count; i++)
        if (og_strmap_put(wanted, ids[i], NULL) == NULL)
            return og_error_nomem(err);
    uint32_t field =
        (uint32_t)og_schema_find(o->def->table_schema, at_src ? OG_STR("src") : OG_STR("dst"));
    og_overlay_rows rows = {0};
    u32_vec pending = {0};
    og_status s = stored_at(o, at_src, field, ids, id_count, wanted, &rows, err);
    if (s == OG_OK)
        s = pending_texts(o, field, wanted, &pending, err);
    rows.slot_count = drop_shadowed(o, rows.slots, rows.slot_count);
    rows.pending = pending.items;
    rows.pending_count = pending.len;
    if (s == OG_OK)
        *out = rows;
    else
        og_overlay_rows_deinit(&rows);
    return s;
}

/* The snapshot's slots of ids, OG_NO_SLOT for those it does not have or that are shadowed. */
static og_status stored_slots(og_overlay *o, const og_str *ids, size_t count, uint32_t *out,
                              og_error *err)
{
    OG_AUTO_FREE uint32_t *vertices = og_reallocarray(NULL, count, sizeof *vertices);
    OG_AUTO_FREE uint64_t *row_ids = og_reallocarray(NULL, count, sizeof *row_ids);
    if (vertices == NULL || row_ids == NULL)
        return og_error_nomem(err);
    OG_TRY(og_snapshot_find(o->snapshot, o->def, ids, count, vertices, err));
    for (size_t i = 0; i < count; i++)
        row_ids[i] = vertices[i] != OG_NO_VERTEX ? vertices[i] : UINT64_MAX;
    OG_TRY(og_lance_slots_of(o->table, row_ids, count, out, err));
    for (size_t i = 0; i < count; i++)
        if (out[i] != OG_NO_SLOT && og_u64map_get(o->shadowed, out[i]) != NULL)
            out[i] = OG_NO_SLOT;
    return OG_OK;
}

static pending_row *pending_of(og_overlay *o, og_str id)
{
    uint64_t *at = og_strmap_get(o->pending_ids, id);
    pending_row *p = at != NULL ? &o->pending.items[*at - 1] : NULL;
    return p != NULL && p->is_live ? p : NULL;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* Columns of stored rows, blobs brought back to the form in which they are written. */
static og_status read_stored(og_overlay *o, const uint32_t *fields, uint32_t field_count,
                             const uint32_t *slots, size_t count, og_batch *out, og_error *err)
{
    OG_TRY(og_lance_take(o->table, fields, field_count, slots, count, out, err));
    uint32_t all;
    const og_lance_field *table_fields = og_lance_table_fields(o->table, &all);
    for (uint32_t i = 0; i < field_count; i++) {
        if (!table_fields[fields[i]].is_blob)
            continue;
        og_array *payload;
        OG_TRY(
            og_lance_blob_materialize(o->table, fields[i], slots, out->columns[i], &payload, err));
        og_array_unref(out->columns[i]);
        out->columns[i] = payload;
    }
    return OG_OK;
}

/* One column: stored values first, then the pending rows' one by one. */
static og_status join_column(og_overlay *o, const og_array *stored, uint32_t field,
                             const og_overlay_rows *rows, og_array **out, og_error *err)
{
    OG_AUTO(og_builder) b = og_builder_new(o->def->table_schema->fields[field].type);
    if (b == NULL)
        return og_error_nomem(err);
    bool ok = stored == NULL || og_builder_append_array(b, stored, 0, stored->length);
    for (size_t i = 0; i < rows->pending_count && ok; i++) {
        const pending_row *p = &o->pending.items[rows->pending[i]];
        ok = og_builder_append_array(b, o->batches.items[p->batch].columns[field], p->row, 1);
    }
    return ok ? og_builder_finish(b, out, err) : og_error_nomem(err);
}

og_status og_overlay_read(og_overlay *o, const og_overlay_rows *rows, const uint32_t *fields,
                          uint32_t field_count, og_batch *out, og_error *err)
{
    uint32_t all = o->def->table_schema->field_count;
    OG_AUTO_FREE uint32_t *every = og_reallocarray(NULL, all, sizeof *every);
    if (every == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < all; i++)
        every[i] = i;
    if (fields == NULL) {
        fields = every;
        field_count = all;
    }
    OG_AUTO_BATCH stored = {0};
    if (rows->slot_count > 0)
        OG_TRY(read_stored(o, fields, field_count, rows->slots, rows->slot_count, &stored, err));
    OG_AUTO_BATCH joined = {0};
    OG_TRY(og_batch_init(&joined, field_count, (int64_t)og_overlay_rows_count(rows), err));
    for (uint32_t i = 0; i < field_count; i++)
        OG_TRY(join_column(o, rows->slot_count > 0 ? stored.columns[i] : NULL, fields[i], rows,
                           &joined.columns[i], err));
    *out = joined;
    joined = (og_batch){0};
    return OG_OK;
}

/* ---- changing ----------------------------------------------------------------------------- */

static og_status shadow(og_overlay *o, uint32_t slot, og_error *err)
{
    bool is_new;
    if (og_u64map_put(o->shadowed, slot, &is_new) == NULL ||
        (is_new && !og_vec_push(&o->shadowed_list, slot)))
        return og_error_nomem(err);
    o->shadowed_is_sorted = false;
    return OG_OK;
}

static og_status keep_batch(og_overlay *o, const og_batch *batch, og_error *err)
{
    og_batch kept = {0};
    OG_TRY(og_batch_init(&kept, batch->column_count, batch->row_count, err));
    for (uint32_t i = 0; i < batch->column_count; i++)
        kept.columns[i] = og_array_ref(batch->columns[i]);
    if (!og_vec_push(&o->batches, kept)) {
        og_batch_deinit(&kept);
        return og_error_nomem(err);
    }
    return OG_OK;
}

/* Replace whatever row has this id by row `row` of the newest batch. */
static og_status put_row(og_overlay *o, og_str id, uint32_t row, uint32_t stored_slot,
                         og_error *err)
{
    pending_row fresh = {
        .batch = (uint32_t)o->batches.len - 1, .row = row, .slot = stored_slot, .is_live = true};
    pending_row *old = pending_of(o, id);
    if (old != NULL) {
        old->is_live = false;
        fresh.slot = old->slot; /* it keeps the row id of what the first one replaced */
    } else if (stored_slot != OG_NO_SLOT) {
        OG_TRY(shadow(o, stored_slot, err));
    }
    uint64_t *at = og_strmap_put(o->pending_ids, id, NULL);
    if (at == NULL || !og_vec_push(&o->pending, fresh))
        return og_error_nomem(err);
    *at = o->pending.len;
    return OG_OK;
}

og_status og_overlay_put(og_overlay *o, const og_batch *batch, og_error *err)
{
    size_t count = (size_t)batch->row_count;
    OG_AUTO_FREE og_str *ids = og_reallocarray(NULL, count, sizeof *ids);
    OG_AUTO_FREE uint32_t *slots = og_reallocarray(NULL, count, sizeof *slots);
    if (ids == NULL || slots == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        ids[i] = og_array_str(batch->columns[0], (int64_t)i);
    if (o->def->is_edge) /* a new edge has an id of its own: nothing to look up */
        memset(slots, 0xFF, count * sizeof *slots);
    else
        OG_TRY(stored_slots(o, ids, count, slots, err));
    OG_TRY(keep_batch(o, batch, err));
    for (size_t i = 0; i < count; i++)
        OG_TRY(put_row(o, ids[i], (uint32_t)i, slots[i], err));
    return OG_OK;
}

og_status og_overlay_delete(og_overlay *o, const og_overlay_rows *rows, og_error *err)
{
    for (size_t i = 0; i < rows->slot_count; i++)
        OG_TRY(shadow(o, rows->slots[i], err));
    for (size_t i = 0; i < rows->pending_count; i++)
        o->pending.items[rows->pending[i]].is_live = false; /* what it replaced stays shadowed */
    return OG_OK;
}

/* ---- the difference ----------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

const uint32_t *og_overlay_shadowed(og_overlay *o, size_t *out_count)
{
    if (!o->shadowed_is_sorted && o->shadowed_list.len > 1)
        qsort(o->shadowed_list.items, o->shadowed_list.len, sizeof *o->shadowed_list.items,
              by_value);
    o->shadowed_is_sorted = true;
    *out_count = o->shadowed_list.len;
    return o->shadowed_list.items;
}

og_status og_overlay_changes(og_overlay *o, og_overlay_rows *out, og_error *err)
{
    og_overlay_rows rows = {0};
    rows.pending = og_reallocarray(NULL, o->pending.len, sizeof *rows.pending);
    if (rows.pending == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < o->pending.len; i++)
        if (o->pending.items[i].is_live)
            rows.pending[rows.pending_count++] = (uint32_t)i;
    *out = rows;
    return OG_OK;
}

/* Rows that keep an id first, as the table layer asks. */
static void kept_first(const og_overlay *o, og_overlay_rows *rows, uint32_t *scratch)
{
    size_t at = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < rows->pending_count; i++)
            if ((o->pending.items[rows->pending[i]].slot == OG_NO_SLOT) == (pass == 1))
                scratch[at++] = rows->pending[i];
    memcpy(rows->pending, scratch, at * sizeof *scratch);
}

static og_status kept_row_ids(const og_overlay *o, const og_overlay_rows *rows, uint64_t *out,
                              og_error *err)
{
    for (size_t i = 0; i < rows->pending_count; i++) {
        uint32_t slot = o->pending.items[rows->pending[i]].slot;
        out[i] = UINT64_MAX;
        if (slot != OG_NO_SLOT)
            OG_TRY(og_lance_row_ids(o->table, &slot, 1, &out[i], err));
    }
    return OG_OK;
}

static og_status write_rows(og_overlay *o, og_overlay_rows *rows, og_lance_write *write,
                            og_error *err)
{
    if (rows->pending_count == 0)
        return OG_OK;
    OG_AUTO_FREE uint32_t *scratch = og_reallocarray(NULL, rows->pending_count, sizeof *scratch);
    OG_AUTO_FREE uint64_t *ids = og_reallocarray(NULL, rows->pending_count, sizeof *ids);
    if (scratch == NULL || ids == NULL)
        return og_error_nomem(err);
    kept_first(o, rows, scratch);
    OG_TRY(kept_row_ids(o, rows, ids, err));
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_overlay_read(o, rows, NULL, 0, &batch, err));
    return og_lance_write_rows(write, &batch, ids, err);
}

og_status og_overlay_apply(og_overlay *o, og_txn *txn, og_error *err)
{
    og_overlay_rows rows;
    size_t gone;
    const uint32_t *slots = og_overlay_shadowed(o, &gone);
    OG_TRY(og_overlay_changes(o, &rows, err));
    og_lance_op op = gone == 0                ? OG_LANCE_APPEND
                     : rows.pending_count > 0 ? OG_LANCE_UPDATE
                                              : OG_LANCE_DELETE;
    og_lance_write *write;
    og_status s = og_txn_write(txn, o->def, op, &write, err);
    if (s == OG_OK && gone > 0)
        s = og_lance_write_delete(write, slots, gone, err);
    if (s == OG_OK)
        s = write_rows(o, &rows, write, err);
    og_overlay_rows_deinit(&rows);
    return s;
}
