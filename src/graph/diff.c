#include "graph/diff.h"

#include "base/vec.h"
#include "columnar/kernels.h"

#include <stdlib.h>

#define COMPARE_ROWS ((size_t)1024) /* pairs whose values are in memory at once, twice */

void og_table_changes_deinit(og_table_changes *changes)
{
    og_lance_table_unref(changes->from);
    og_lance_table_unref(changes->to);
    og_free(changes->rows);
    og_arena_free(changes->arena);
    *changes = (og_table_changes){0};
}

/* ---- values of rows ----------------------------------------------------------------------- */

static bool column_is_blob(const og_type_def *def, uint32_t column)
{
    uint32_t first = og_type_def_first_property(def);
    return column >= first && def->properties[column - first].type.scalar == OG_SCALAR_BLOB;
}

/* Put the columns that were read in their places, and nulls in the others. */
static og_status spread_columns(const og_type_def *def, uint32_t first, const int32_t *fields,
                                og_batch *read, size_t count, og_batch *out, og_error *err)
{
    uint32_t next = 0;
    OG_TRY(og_batch_init(out, def->table_schema->field_count, (int64_t)count, err));
    for (uint32_t i = first; i < out->column_count; i++) {
        if (fields[i] >= 0) {
            out->columns[i] = OG_TAKE(read->columns[next]);
            next++;
            continue;
        }
        out->columns[i] = og_array_new_null(def->table_schema->fields[i].type, (int64_t)count);
        if (out->columns[i] == NULL)
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* Columns from `first` on; those before are NULL. */
static og_status read_columns(const og_type_def *def, uint32_t first, og_lance_table *table,
                              const uint32_t *slots, size_t count, og_batch *out, og_error *err)
{
    uint32_t columns = def->table_schema->field_count, present = 0;
    OG_AUTO_FREE int32_t *fields = og_malloc(columns * sizeof *fields);
    OG_AUTO_FREE uint32_t *stored = og_malloc(columns * sizeof *stored);
    if (fields == NULL || stored == NULL)
        return og_error_nomem(err);
    for (uint32_t i = first; i < columns; i++) {
        fields[i] = og_lance_table_find_field(table, def->table_schema->fields[i].name);
        if (fields[i] >= 0)
            stored[present++] = (uint32_t)fields[i];
    }
    OG_AUTO_BATCH read = {0};
    OG_AUTO_BATCH spread = {0};
    OG_TRY(og_lance_take(table, stored, present, slots, count, &read, err));
    OG_TRY(spread_columns(def, first, fields, &read, count, &spread, err));
    *out = spread;
    spread = (og_batch){0};
    return OG_OK;
}

og_status og_type_rows_read(const og_type_def *def, og_lance_table *table, const uint32_t *slots,
                            size_t count, og_batch *out, og_error *err)
{
    return read_columns(def, 0, table, slots, count, out, err);
}

/* ---- comparing rows ----------------------------------------------------------------------- */

/* Rows of one version that are compared with as many of another. */
typedef struct rows {
    og_lance_table *table;
    const uint32_t *slots;
    og_batch values;
} rows;

static og_status compare_blobs(const og_type_def *def, const rows *a, const rows *b,
                               uint32_t column, size_t row, bool *out_same, og_error *err)
{
    og_str name = def->table_schema->fields[column].name;
    int32_t a_field = og_lance_table_find_field(a->table, name);
    int32_t b_field = og_lance_table_find_field(b->table, name);
    const og_array *x = a->values.columns[column], *y = b->values.columns[column];
    if (a_field < 0 || b_field < 0) { /* a column that is missing is null */
        *out_same = (a_field < 0 || og_array_is_null(x, (int64_t)row)) &&
                    (b_field < 0 || og_array_is_null(y, (int64_t)row));
        return OG_OK;
    }
    og_lance_blob_place left = {a->table, (uint32_t)a_field, a->slots[row], x, (int64_t)row};
    og_lance_blob_place right = {b->table, (uint32_t)b_field, b->slots[row], y, (int64_t)row};
    return og_lance_blob_equal(&left, &right, out_same, err);
}

static bool same_values(const og_array *a, const og_array *b, int64_t row)
{
    bool a_null = og_array_is_null(a, row), b_null = og_array_is_null(b, row);
    if (a_null || b_null)
        return a_null == b_null;
    return og_type_eq(a->type, b->type) && og_rows_equal(a, row, b, row);
}

og_status og_type_rows_compare(const og_type_def *def, og_lance_table *a, const uint32_t *a_slots,
                               og_lance_table *b, const uint32_t *b_slots, size_t count,
                               uint64_t *out_columns, og_error *err)
{
    rows left = {a, a_slots, {0}}, right = {b, b_slots, {0}};
    size_t words = og_type_column_words(def);
    memset(out_columns, 0, count * words * sizeof *out_columns);
    og_status status = read_columns(def, 1, a, a_slots, count, &left.values, err);
    if (status == OG_OK)
        status = read_columns(def, 1, b, b_slots, count, &right.values, err);
    for (uint32_t column = 1; status == OG_OK && column < def->table_schema->field_count; column++)
        for (size_t row = 0; status == OG_OK && row < count; row++) {
            bool same;
            if (column_is_blob(def, column))
                status = compare_blobs(def, &left, &right, column, row, &same, err);
            else
                same = same_values(left.values.columns[column], right.values.columns[column],
                                   (int64_t)row);
            if (status == OG_OK && !same)
                out_columns[row * words + column / 64] |= UINT64_C(1) << (column % 64);
        }
    og_batch_deinit(&left.values);
    og_batch_deinit(&right.values);
    return status;
}

/* ---- joining by id ------------------------------------------------------------------------ */

typedef struct named_slot {
    og_str id;
    uint32_t slot;
} named_slot;

/* Candidates of one side, in order of id. */
typedef struct named_slots {
    named_slot *items;
    size_t count;
} named_slots;

static int by_id(const void *a, const void *b)
{
    const named_slot *x = a, *y = b;
    int order = og_str_cmp(x->id, y->id);
    return order != 0 ? order : (x->slot > y->slot) - (x->slot < y->slot);
}

static og_status read_ids(og_lance_table *table, const uint32_t *slots, size_t count,
                          og_arena *arena, named_slot *out, og_error *err)
{
    int32_t found = og_lance_table_find_field(table, OG_STR("id"));
    if (found < 0)
        return og_error_set(err, OG_CORRUPT, "missing column 'id' in %s",
                            og_lance_table_path(table));
    uint32_t field = (uint32_t)found;
    for (size_t start = 0; start < count; start += OG_BATCH_ROWS) {
        size_t n = count - start < OG_BATCH_ROWS ? count - start : OG_BATCH_ROWS;
        OG_AUTO_BATCH batch = {0};
        OG_TRY(og_lance_take(table, &field, 1, slots + start, n, &batch, err));
        for (size_t i = 0; i < n; i++) {
            if (og_array_is_null(batch.columns[0], (int64_t)i))
                return og_error_set(err, OG_CORRUPT, "a row of %s has no id",
                                    og_lance_table_path(table));
            og_str id = og_arena_str(arena, og_array_str(batch.columns[0], (int64_t)i));
            if (id.ptr == NULL)
                return og_error_nomem(err);
            out[start + i] = (named_slot){id, slots[start + i]};
        }
    }
    return OG_OK;
}

static og_status name_slots(og_lance_table *table, const uint32_t *slots, size_t count,
                            og_arena *arena, named_slots *out, og_error *err)
{
    out->items = og_malloc((count + 1) * sizeof *out->items);
    if (out->items == NULL)
        return og_error_nomem(err);
    out->count = count;
    if (count == 0)
        return OG_OK;
    OG_TRY(read_ids(table, slots, count, arena, out->items, err));
    bool sorted = true;
    for (size_t i = 1; sorted && i < count; i++)
        sorted = by_id(&out->items[i - 1], &out->items[i]) < 0;
    if (!sorted)
        qsort(out->items, count, sizeof *out->items, by_id);
    return OG_OK;
}

/* Rows with one id are paired in storage order; what is left over was inserted or deleted. */
static void join(const named_slots *from, const named_slots *to, og_table_changes *out)
{
    size_t i = 0, k = 0;
    while (i < from->count || k < to->count) {
        int order = i == from->count ? 1
                    : k == to->count ? -1
                                     : og_str_cmp(from->items[i].id, to->items[k].id);
        og_row_change *change = &out->rows[out->row_count++];
        *change = (og_row_change){
            .kind = order < 0   ? OG_CHANGED_DELETE
                    : order > 0 ? OG_CHANGED_INSERT
                                : OG_CHANGED_UPDATE,
            .id = order <= 0 ? from->items[i].id : to->items[k].id,
            .from_slot = order <= 0 ? from->items[i].slot : OG_NO_SLOT,
            .to_slot = order >= 0 ? to->items[k].slot : OG_NO_SLOT,
        };
        i += order <= 0;
        k += order >= 0;
    }
}

/* ---- rows that were written again --------------------------------------------------------- */

/* Pairs that are compared together. */
typedef struct pair_batch {
    uint32_t from_slots[COMPARE_ROWS], to_slots[COMPARE_ROWS];
    uint64_t *columns;
} pair_batch;

static bool any_column(const uint64_t *columns, size_t words)
{
    for (size_t i = 0; i < words; i++)
        if (columns[i] != 0)
            return true;
    return false;
}

/* Compare the pairs among rows [start, end); those without a difference lose their kind. */
static og_status compare_pairs(og_table_changes *changes, size_t start, size_t end,
                               pair_batch *batch, og_error *err)
{
    size_t words = og_type_column_words(changes->def), count = 0;
    for (size_t i = start; i < end; i++)
        if (changes->rows[i].kind == OG_CHANGED_UPDATE) {
            batch->from_slots[count] = changes->rows[i].from_slot;
            batch->to_slots[count++] = changes->rows[i].to_slot;
        }
    if (count == 0)
        return OG_OK;
    OG_TRY(og_type_rows_compare(changes->def, changes->from, batch->from_slots, changes->to,
                                batch->to_slots, count, batch->columns, err));
    const uint64_t *columns = batch->columns;
    for (size_t i = start; i < end; i++) {
        if (changes->rows[i].kind != OG_CHANGED_UPDATE)
            continue;
        if (any_column(columns, words)) {
            changes->rows[i].columns =
                og_arena_copy(changes->arena, columns, words * sizeof *columns);
            if (changes->rows[i].columns == NULL)
                return og_error_nomem(err);
        } else {
            changes->rows[i].kind = 0;
        }
        columns += words;
    }
    return OG_OK;
}

static og_status drop_equal_pairs(og_table_changes *changes, og_error *err)
{
    OG_AUTO_FREE pair_batch *batch = og_malloc(sizeof *batch);
    OG_AUTO_FREE uint64_t *columns =
        og_malloc(COMPARE_ROWS * og_type_column_words(changes->def) * sizeof *columns);
    if (batch == NULL || columns == NULL)
        return og_error_nomem(err);
    batch->columns = columns;
    size_t kept = 0;
    for (size_t start = 0; start < changes->row_count; start += COMPARE_ROWS) {
        size_t end =
            changes->row_count - start < COMPARE_ROWS ? changes->row_count : start + COMPARE_ROWS;
        OG_TRY(compare_pairs(changes, start, end, batch, err));
        for (size_t i = start; i < end; i++)
            if (changes->rows[i].kind != 0)
                changes->rows[kept++] = changes->rows[i];
    }
    changes->row_count = kept;
    return OG_OK;
}

/* ---- a table ------------------------------------------------------------------------------ */

/* All rows of a table that the other side does not have. */
static og_status all_slots(og_lance_table *table, uint32_t **out, size_t *out_count, og_error *err)
{
    const uint8_t *deleted;
    OG_TRY(og_lance_table_deleted(table, &deleted, err));
    size_t slots = (size_t)og_lance_table_slot_count(table), n = 0;
    uint32_t *live = og_malloc((slots + 1) * sizeof *live);
    if (live == NULL)
        return og_error_nomem(err);
    for (size_t slot = 0; slot < slots; slot++)
        if (deleted == NULL || !og_bit_get(deleted, slot))
            live[n++] = (uint32_t)slot;
    *out = live;
    *out_count = n;
    return OG_OK;
}

static og_status find_candidates(og_lance_table *from, og_lance_table *to,
                                 const og_lance_common *common, og_lance_delta *out, og_error *err)
{
    if (from == NULL && to == NULL)
        return OG_OK;
    if (from == NULL)
        return all_slots(to, &out->to_slots, &out->to_count, err);
    if (to == NULL)
        return all_slots(from, &out->from_slots, &out->from_count, err);
    og_lance_common asked;
    if (common == NULL)
        OG_TRY(og_lance_common_find(from, to, &asked, err));
    return og_lance_delta_find(from, to, common != NULL ? *common : asked, out, err);
}

static og_status join_candidates(const og_lance_delta *delta, og_table_changes *out, og_error *err)
{
    named_slots from = {0}, to = {0};
    og_status status =
        name_slots(out->from, delta->from_slots, delta->from_count, out->arena, &from, err);
    if (status == OG_OK)
        status = name_slots(out->to, delta->to_slots, delta->to_count, out->arena, &to, err);
    if (status == OG_OK) {
        out->rows = og_malloc((from.count + to.count + 1) * sizeof *out->rows);
        if (out->rows != NULL)
            join(&from, &to, out);
        else
            status = og_error_nomem(err);
    }
    og_free(from.items);
    og_free(to.items);
    return status;
}

og_status og_table_changes_find(const og_type_def *def, og_lance_table *from, og_lance_table *to,
                                const og_lance_common *common, og_table_changes *out, og_error *err)
{
    OG_AUTO_DELTA delta = {0};
    og_table_changes changes = {
        .def = def,
        .from = from != NULL ? og_lance_table_ref(from) : NULL,
        .to = to != NULL ? og_lance_table_ref(to) : NULL,
        .arena = og_arena_new(0),
    };
    og_status status = changes.arena != NULL ? OG_OK : og_error_nomem(err);
    if (status == OG_OK)
        status = find_candidates(from, to, common, &delta, err);
    if (status == OG_OK)
        status = join_candidates(&delta, &changes, err);
    if (status == OG_OK)
        status = drop_equal_pairs(&changes, err);
    changes.reason = delta.reason;
    if (status != OG_OK)
        og_table_changes_deinit(&changes);
    *out = changes;
    return status != OG_OK ? og_error_context(err, status, "comparing %.*s", OG_FMT(def->table_key))
                           : OG_OK;
}

/* ---- snapshots ---------------------------------------------------------------------------- */

static const og_table_info *find_info(const og_snapshot *snapshot, og_str table_key)
{
    size_t count;
    const og_table_info *infos = og_snapshot_tables(snapshot, &count);
    for (size_t i = 0; i < count; i++)
        if (og_str_eq(infos[i].table_key, table_key))
            return &infos[i];
    return NULL;
}

static bool same_pin(const og_table_info *a, const og_table_info *b)
{
    return a->version == b->version && og_str_eq(a->table_path, b->table_path) &&
           og_str_eq(a->table_branch, b->table_branch);
}

og_status og_table_changes_between(const og_type_def *def, og_snapshot *from, og_snapshot *to,
                                   og_table_changes *out, og_error *err)
{
    *out = (og_table_changes){.def = def};
    const og_table_info *from_info = find_info(from, def->table_key);
    const og_table_info *to_info = find_info(to, def->table_key);
    if (from_info != NULL && to_info != NULL && same_pin(from_info, to_info))
        return OG_OK;
    og_lance_table *from_table = NULL, *to_table = NULL;
    if (from_info != NULL)
        OG_TRY(og_snapshot_table(from, def, &from_table, err));
    if (to_info != NULL)
        OG_TRY(og_snapshot_table(to, def, &to_table, err));
    return og_table_changes_find(def, from_table, to_table, NULL, out, err);
}
