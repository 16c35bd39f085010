#include "graph/diff.h"

#include "base/map.h"
#include "base/vec.h"
#include "columnar/kernels.h"

#include <stdlib.h>

/* Candidates that are joined at a time: some 200 MB at most. */
#define PART_ROWS ((size_t)1 << 21)
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
typedef struct side_rows {
    og_lance_table *table;
    const uint32_t *slots;
    og_batch values;
} side_rows;

static og_status compare_blobs(const og_type_def *def, const side_rows *a, const side_rows *b,
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
    side_rows left = {a, a_slots, {0}}, right = {b, b_slots, {0}};
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
typedef OG_VEC(named_slot) named_slots;

/* Candidates are joined in parts, told by the hash of their ids, so that two tables that share
 * nothing can be compared without both being in memory. The ids are read anew for each part. */
typedef struct part {
    uint64_t number, count;
    og_arena *arena; /* ids */
    named_slots from, to;
} part;

static void part_deinit(part *p)
{
    og_vec_deinit(&p->from);
    og_vec_deinit(&p->to);
    og_arena_free(p->arena);
}

static int by_id(const void *a, const void *b)
{
    const named_slot *x = a, *y = b;
    int order = og_str_cmp(x->id, y->id);
    return order != 0 ? order : (x->slot > y->slot) - (x->slot < y->slot);
}

static og_status add_ids(const part *p, const og_array *ids, const uint32_t *slots,
                         named_slots *out, og_error *err)
{
    for (int64_t i = 0; i < ids->length; i++) {
        if (og_array_is_null(ids, i))
            return og_error_set(err, OG_CORRUPT, "a row has no id");
        og_str id = og_array_str(ids, i);
        if (p->count > 1 && og_hash64(id.ptr, id.len) % p->count != p->number)
            continue;
        id = og_arena_str(p->arena, id);
        if (id.ptr == NULL || !og_vec_push(out, (named_slot){id, slots[i]}))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static og_status read_ids(const part *p, og_lance_table *table, const uint32_t *slots, size_t count,
                          named_slots *out, og_error *err)
{
    if (count == 0)
        return OG_OK;
    int32_t found = og_lance_table_find_field(table, OG_STR("id"));
    if (found < 0)
        return og_error_set(err, OG_CORRUPT, "missing column 'id'");
    uint32_t field = (uint32_t)found;
    for (size_t start = 0; start < count; start += OG_BATCH_ROWS) {
        size_t n = count - start < OG_BATCH_ROWS ? count - start : OG_BATCH_ROWS;
        OG_AUTO_BATCH batch = {0};
        OG_TRY(og_lance_take(table, &field, 1, slots + start, n, &batch, err));
        OG_TRY(add_ids(p, batch.columns[0], slots + start, out, err));
    }
    return OG_OK;
}

static void sort_ids(named_slots *slots)
{
    bool sorted = true;
    for (size_t i = 1; sorted && i < slots->len; i++)
        sorted = by_id(&slots->items[i - 1], &slots->items[i]) < 0;
    if (!sorted)
        qsort(slots->items, slots->len, sizeof *slots->items, by_id);
}

typedef OG_VEC(og_row_change) row_list;

/* Rows with one id are paired in storage order; what is left over was inserted or deleted. */
static void join(const named_slots *from, const named_slots *to, row_list *out)
{
    size_t i = 0, k = 0;
    while (i < from->len || k < to->len) {
        int order = i == from->len ? 1
                    : k == to->len ? -1
                                   : og_str_cmp(from->items[i].id, to->items[k].id);
        og_row_change *change = &out->items[out->len++];
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
static og_status compare_pairs(const og_table_changes *changes, row_list *rows, size_t start,
                               size_t end, pair_batch *batch, og_error *err)
{
    size_t words = og_type_column_words(changes->def), count = 0;
    for (size_t i = start; i < end; i++)
        if (rows->items[i].kind == OG_CHANGED_UPDATE) {
            batch->from_slots[count] = rows->items[i].from_slot;
            batch->to_slots[count++] = rows->items[i].to_slot;
        }
    if (count == 0)
        return OG_OK;
    OG_TRY(og_type_rows_compare(changes->def, changes->from, batch->from_slots, changes->to,
                                batch->to_slots, count, batch->columns, err));
    const uint64_t *columns = batch->columns;
    for (size_t i = start; i < end; i++) {
        og_row_change *row = &rows->items[i];
        if (row->kind != OG_CHANGED_UPDATE)
            continue;
        if (!any_column(columns, words))
            row->kind = 0;
        else
            row->columns = og_arena_copy(changes->arena, columns, words * sizeof *columns);
        if (row->kind != 0 && row->columns == NULL)
            return og_error_nomem(err);
        columns += words;
    }
    return OG_OK;
}

static og_status drop_equal_pairs(const og_table_changes *changes, row_list *rows, og_error *err)
{
    OG_AUTO_FREE pair_batch *batch = og_malloc(sizeof *batch);
    OG_AUTO_FREE uint64_t *columns =
        og_malloc(COMPARE_ROWS * og_type_column_words(changes->def) * sizeof *columns);
    if (batch == NULL || columns == NULL)
        return og_error_nomem(err);
    batch->columns = columns;
    size_t kept = 0;
    for (size_t start = 0; start < rows->len; start += COMPARE_ROWS) {
        size_t end = rows->len - start < COMPARE_ROWS ? rows->len : start + COMPARE_ROWS;
        OG_TRY(compare_pairs(changes, rows, start, end, batch, err));
        for (size_t i = start; i < end; i++)
            if (rows->items[i].kind != 0)
                rows->items[kept++] = rows->items[i];
    }
    rows->len = kept;
    return OG_OK;
}

/* ---- parts -------------------------------------------------------------------------------- */

/* Keep the rows of a part beyond it. */
static og_status keep_rows(const og_table_changes *changes, const row_list *rows, row_list *out,
                           og_error *err)
{
    if (!og_vec_reserve(out, rows->len))
        return og_error_nomem(err);
    for (size_t i = 0; i < rows->len; i++) {
        og_row_change row = rows->items[i];
        row.id = og_arena_str(changes->arena, row.id);
        if (row.id.ptr == NULL)
            return og_error_nomem(err);
        out->items[out->len++] = row;
    }
    return OG_OK;
}

static og_status join_rows(const og_table_changes *changes, part *p, row_list *out, og_error *err)
{
    row_list rows = {0};
    sort_ids(&p->from);
    sort_ids(&p->to);
    if (!og_vec_reserve(&rows, p->from.len + p->to.len))
        return og_error_nomem(err);
    join(&p->from, &p->to, &rows);
    og_status status = drop_equal_pairs(changes, &rows, err);
    if (status == OG_OK)
        status = keep_rows(changes, &rows, out, err);
    og_vec_deinit(&rows);
    return status;
}

static og_status join_part(const og_table_changes *changes, const og_lance_delta *delta,
                           uint64_t number, uint64_t count, row_list *out, og_error *err)
{
    part p = {.number = number, .count = count, .arena = og_arena_new(0)};
    og_status status = p.arena != NULL ? OG_OK : og_error_nomem(err);
    if (status == OG_OK)
        status = read_ids(&p, changes->from, delta->from_slots, delta->from_count, &p.from, err);
    if (status == OG_OK)
        status = read_ids(&p, changes->to, delta->to_slots, delta->to_count, &p.to, err);
    if (status == OG_OK)
        status = join_rows(changes, &p, out, err);
    part_deinit(&p);
    return status;
}

static int by_id_and_slots(const void *a, const void *b)
{
    const og_row_change *x = a, *y = b;
    int order = og_str_cmp(x->id, y->id);
    if (order == 0)
        order = (x->from_slot > y->from_slot) - (x->from_slot < y->from_slot);
    return order != 0 ? order : (x->to_slot > y->to_slot) - (x->to_slot < y->to_slot);
}

static og_status join_candidates(const og_lance_delta *delta, size_t most, og_table_changes *out,
                                 og_error *err)
{
    row_list rows = {0};
    og_status status = OG_OK;
    uint64_t parts = (delta->from_count + delta->to_count) / most + 1;
    for (uint64_t i = 0; status == OG_OK && i < parts; i++)
        status = join_part(out, delta, i, parts, &rows, err);
    if (status == OG_OK && parts > 1 && rows.len != 0)
        qsort(rows.items, rows.len, sizeof *rows.items, by_id_and_slots);
    out->rows = rows.items;
    out->row_count = rows.len;
    return status;
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

og_status og_table_changes_find_in_parts(const og_type_def *def, og_lance_table *from,
                                         og_lance_table *to, const og_lance_common *common,
                                         size_t most, og_table_changes *out, og_error *err)
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
        status = join_candidates(&delta, most, &changes, err);
    changes.reason = delta.reason;
    if (status != OG_OK)
        og_table_changes_deinit(&changes);
    *out = changes;
    return status != OG_OK ? og_error_context(err, status, "comparing %.*s", OG_FMT(def->table_key))
                           : OG_OK;
}

og_status og_table_changes_find(const og_type_def *def, og_lance_table *from, og_lance_table *to,
                                const og_lance_common *common, og_table_changes *out, og_error *err)
{
    return og_table_changes_find_in_parts(def, from, to, common, PART_ROWS, out, err);
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
