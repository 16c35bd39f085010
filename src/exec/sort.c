/* Order: match rows sorted by their keys, results gathered afterwards.
 *
 * Only keys and slots of the rows are kept. Under a limit no more than a few times the limit is
 * held: when the kept rows have grown to that, they are sorted and cut (Top), and from then on a
 * row that does not come before the last one kept is not even added. Equal rows keep the order in
 * which they came.
 *
 * Under a limit few rows are told apart by more than the first key. So only the leading keys - the
 * first, and those after it that the rows carry anyway - are read of every row; the others are
 * read, by slot, of the rows that the leading keys do not rule out. */
#include "exec/run_priv.h"

#include "columnar/kernels.h"
#include "columnar/sort.h"

/* Up to this limit the kept rows are cut as they grow. */
#define MAX_TOP ((uint64_t)1 << 16)
#define MIN_KEPT 8192

typedef OG_VEC(og_array *) array_list;
typedef OG_VEC(uint32_t) slot_list;

typedef struct sorter {
    og_exec__sink sink;
    uint32_t key_count;
    uint32_t lead_count;   /* keys that are read of every row; 0 = not known yet */
    uint32_t *key_columns; /* of the plan */
    bool *descending;
    array_list *keys; /* by leading key: pieces in order, together kept_count rows */
    bool *var_used;   /* by variable: the output or a late key reads it */
    slot_list *slots; /* by variable */
    uint64_t kept_count;
    uint64_t limit;   /* UINT64_MAX = none */
    bool is_top, cut; /* cut: what is kept is sorted and has `limit` rows */
    bool filled;
    uint32_t given;
    og_exec__rows rows; /* of the result */
    uint32_t *picked;
} sorter;

/* ---- what is kept ------------------------------------------------------------------------- */

/* Under a limit what is kept is small anyway. 32 bytes a row is what sorting takes. */
static og_status account(sorter *self, const og_exec__rows *rows, og_error *err)
{
    size_t bytes = (size_t)rows->count * 32;
    if (self->is_top)
        return OG_OK;
    for (uint32_t k = 0; k < self->lead_count; k++)
        bytes += og_array_bytes(rows->columns[self->key_columns[k]]);
    for (uint32_t v = 0; v < self->sink.x->plan->query->var_count; v++)
        bytes += self->var_used[v] ? rows->count * sizeof(uint32_t) : 0;
    return og_exec__reserve(self->sink.x, "sort", bytes, err);
}

static og_status join_pieces(array_list *pieces, og_error *err)
{
    if (pieces->len < 2)
        return OG_OK;
    og_array *joined;
    OG_TRY(og_concat((const og_array *const *)pieces->items, pieces->len, &joined, err));
    for (size_t i = 0; i < pieces->len; i++)
        og_array_unref(pieces->items[i]);
    pieces->items[0] = joined;
    pieces->len = 1;
    return OG_OK;
}

static void make_sort_keys(const sorter *self, og_sort_key *out)
{
    for (uint32_t k = 0; k < self->lead_count; k++)
        out[k] = (og_sort_key){self->keys[k].items[0], self->descending[k]};
}

static og_status reorder_key(array_list *key, const uint32_t *order, int64_t count, og_error *err)
{
    og_array *sorted;
    OG_TRY(og_take_u32(key->items[0], order, count, &sorted, err));
    og_array_unref(key->items[0]);
    key->items[0] = sorted;
    return OG_OK;
}

static og_status reorder_slots(slot_list *slots, const uint32_t *order, int64_t count,
                               og_error *err)
{
    slot_list sorted = {0};
    if (!og_vec_reserve(&sorted, (size_t)count))
        return og_error_nomem(err);
    for (int64_t i = 0; i < count; i++)
        sorted.items[i] = slots->items[order[i]];
    sorted.len = (size_t)count;
    og_vec_deinit(slots);
    *slots = sorted;
    return OG_OK;
}

/* The kept rows that are not behind the last of the first `limit` by the leading keys, in the order
 * in which they came. */
static og_status find_candidates(const sorter *self, const og_sort_key *leading, uint32_t *out_rows,
                                 uint32_t *out_count, og_error *err)
{
    int64_t count = (int64_t)self->kept_count, first;
    OG_TRY(
        og_top_rows(leading, self->lead_count, count, (int64_t)self->limit, out_rows, &first, err));
    int64_t last = out_rows[first - 1];
    *out_count = 0;
    for (int64_t i = 0; i < count; i++) {
        out_rows[*out_count] = (uint32_t)i;
        *out_count += og_sort_compare(leading, i, leading, last, self->lead_count) <= 0;
    }
    return OG_OK;
}

/* All keys of the rows named, each an array of its own. */
static og_status read_all_keys(sorter *self, const uint32_t *rows, uint32_t count, og_array **out,
                               og_error *err)
{
    og_exec *x = self->sink.x;
    OG_AUTO_FREE uint32_t *slots = og_malloc((size_t)count * sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    for (uint32_t k = 0; k < self->lead_count; k++)
        OG_TRY(og_take_u32(self->keys[k].items[0], rows, count, &out[k], err));
    for (uint32_t k = self->lead_count; k < self->key_count; k++) {
        uint32_t var = x->plan->columns[self->key_columns[k]].var;
        for (uint32_t i = 0; i < count; i++)
            slots[i] = self->slots[var].items[rows[i]];
        OG_TRY(og_exec__gather_slots(x, &self->key_columns[k], 1, slots, count, &out[k], err));
    }
    return OG_OK;
}

static og_status order_by_all(sorter *self, og_array **arrays, uint32_t *rows, uint32_t count,
                              uint32_t *order, int64_t *out_count, og_error *err)
{
    OG_TRY(read_all_keys(self, rows, count, arrays, err));
    og_sort_key *keys = og_arena_array_of(self->sink.x->arena, og_sort_key, self->key_count);
    if (keys == NULL)
        return og_error_nomem(err);
    for (uint32_t k = 0; k < self->key_count; k++)
        keys[k] = (og_sort_key){arrays[k], self->descending[k]};
    int64_t limit = self->limit < count ? (int64_t)self->limit : count;
    OG_TRY(og_top_rows(keys, self->key_count, count, limit, order, out_count, err));
    for (int64_t i = 0; i < *out_count; i++)
        order[i] = rows[order[i]];
    return OG_OK;
}

/* The first `limit` kept rows, when keys are still to be read. */
static og_status order_late(sorter *self, const og_sort_key *leading, uint32_t *order,
                            int64_t *out_count, og_error *err)
{
    uint32_t count = (uint32_t)self->kept_count;
    OG_AUTO_FREE uint32_t *rows = og_malloc((size_t)count * sizeof *rows);
    og_array **arrays = og_arena_array_of(self->sink.x->arena, og_array *, self->key_count);
    if (rows == NULL || arrays == NULL)
        return og_error_nomem(err);
    OG_TRY(find_candidates(self, leading, rows, &count, err));
    og_status status = order_by_all(self, arrays, rows, count, order, out_count, err);
    for (uint32_t k = 0; k < self->key_count; k++)
        og_array_unref(arrays[k]);
    return status;
}

static og_status order_kept(sorter *self, uint32_t *order, int64_t *out_count, og_error *err)
{
    og_sort_key *keys = og_arena_array_of(self->sink.x->arena, og_sort_key, self->lead_count);
    if (keys == NULL)
        return og_error_nomem(err);
    make_sort_keys(self, keys);
    if (self->lead_count < self->key_count)
        return order_late(self, keys, order, out_count, err);
    *out_count = (int64_t)self->kept_count;
    if (self->limit < self->kept_count)
        return og_top_rows(keys, self->key_count, *out_count, (int64_t)self->limit, order,
                           out_count, err);
    return og_sort_rows(keys, self->key_count, *out_count, order, err);
}

/* Sort what is kept and cut it to the limit. `keep_keys`: more rows will come. */
static og_status sort_kept(sorter *self, bool keep_keys, og_error *err)
{
    if (self->kept_count == 0)
        return OG_OK;
    og_exec *x = self->sink.x;
    for (uint32_t k = 0; k < self->lead_count; k++)
        OG_TRY(join_pieces(&self->keys[k], err));
    OG_AUTO_FREE uint32_t *order = og_malloc((size_t)self->kept_count * sizeof *order);
    if (order == NULL)
        return og_error_nomem(err);
    int64_t count;
    OG_TRY(order_kept(self, order, &count, err));
    for (uint32_t k = 0; keep_keys && k < self->lead_count; k++)
        OG_TRY(reorder_key(&self->keys[k], order, count, err));
    for (uint32_t v = 0; v < x->plan->query->var_count; v++) {
        if (self->var_used[v])
            OG_TRY(reorder_slots(&self->slots[v], order, count, err));
    }
    self->kept_count = (uint64_t)count;
    return OG_OK;
}

/* ---- taking rows in ----------------------------------------------------------------------- */

/* Rows that may come before the last one kept, of which `limit` are kept and sorted: with keys
 * still to be read also those that equal it so far. */
static uint32_t pick_rows(sorter *self, const og_exec__rows *rows, const og_sort_key *row_keys,
                          const og_sort_key *kept_keys)
{
    uint32_t count = 0;
    int below = self->lead_count < self->key_count ? 1 : 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        self->picked[count] = i;
        count += og_sort_compare(row_keys, i, kept_keys, (int64_t)self->limit - 1,
                                 self->lead_count) < below;
    }
    return count;
}

static og_status drop_late_rows(sorter *self, og_exec__rows *rows, og_error *err)
{
    og_exec *x = self->sink.x;
    const og_exec__step *last = &x->plan->main.steps[x->plan->main.step_count - 1];
    og_sort_key keys[2][OG_EXEC_GATHER_MAX];
    if (!self->cut || self->lead_count > OG_EXEC_GATHER_MAX)
        return OG_OK;
    for (uint32_t k = 0; k < self->lead_count; k++) {
        keys[0][k] = (og_sort_key){rows->columns[self->key_columns[k]], self->descending[k]};
        keys[1][k] = (og_sort_key){self->keys[k].items[0], self->descending[k]};
    }
    uint32_t count = pick_rows(self, rows, keys[0], keys[1]);
    return og_exec__rows_select(x, rows, self->picked, count, last->live_columns, err);
}

/* At the first rows: which keys are read of all of them. */
static void choose_leading(sorter *self, const og_exec__rows *rows)
{
    const og_plan *plan = self->sink.x->plan;
    self->lead_count = self->is_top && self->key_count > 0 ? 1 : self->key_count;
    while (self->lead_count < self->key_count &&
           rows->columns[self->key_columns[self->lead_count]] != NULL)
        self->lead_count++;
    for (uint32_t k = self->lead_count; k < self->key_count; k++)
        self->var_used[plan->columns[self->key_columns[k]].var] = true;
}

static og_status keep_slots(sorter *self, og_exec__rows *rows, uint32_t var, og_error *err)
{
    slot_list *slots = &self->slots[var];
    OG_TRY(og_exec__ensure_slots(self->sink.x, rows, var, err));
    if (!og_vec_reserve(slots, rows->count))
        return og_error_nomem(err);
    memcpy(slots->items + slots->len, rows->slots[var], rows->count * sizeof *slots->items);
    slots->len += rows->count;
    return OG_OK;
}

static og_status add_rows(sorter *self, og_exec__rows *rows, og_error *err)
{
    og_exec *x = self->sink.x;
    if (self->lead_count == 0)
        choose_leading(self, rows);
    for (uint32_t k = 0; k < self->lead_count; k++)
        OG_TRY(og_exec__gather(x, rows, &self->key_columns[k], 1, err));
    OG_TRY(drop_late_rows(self, rows, err));
    if (rows->count == 0)
        return OG_OK;
    OG_TRY(account(self, rows, err));
    for (uint32_t k = 0; k < self->lead_count; k++) {
        if (!og_vec_push(&self->keys[k], rows->columns[self->key_columns[k]]))
            return og_error_nomem(err);
        og_array_ref(rows->columns[self->key_columns[k]]);
    }
    for (uint32_t v = 0; v < x->plan->query->var_count; v++) {
        if (self->var_used[v])
            OG_TRY(keep_slots(self, rows, v, err));
    }
    self->kept_count += rows->count;
    uint64_t most = 4 * self->limit > MIN_KEPT ? 4 * self->limit : MIN_KEPT;
    if (!self->is_top || self->kept_count < most)
        return OG_OK;
    OG_TRY(sort_kept(self, true, err));
    self->cut = true;
    return OG_OK;
}

static og_status take_all(sorter *self, og_error *err)
{
    for (;;) {
        og_exec__rows *rows;
        OG_TRY(og_exec__next(self->sink.x->chain, &rows, err));
        if (rows == NULL)
            break;
        OG_TRY(add_rows(self, rows, err));
    }
    self->filled = true;
    return sort_kept(self, false, err);
}

/* ---- giving them out ---------------------------------------------------------------------- */

static og_status sort_next(og_exec__sink *sink, og_batch *out, og_error *err)
{
    sorter *self = (sorter *)sink;
    og_exec *x = sink->x;
    *out = (og_batch){0};
    if (self->limit == 0)
        return OG_OK;
    if (!self->filled)
        OG_TRY(take_all(self, err));
    uint64_t count = self->kept_count - self->given;
    if (count > self->rows.capacity)
        count = self->rows.capacity;
    if (count == 0)
        return OG_OK;
    og_exec__rows_clear(x, &self->rows);
    for (uint32_t v = 0; v < x->plan->query->var_count; v++) {
        if (self->var_used[v])
            self->rows.slots[v] = self->slots[v].items + self->given;
    }
    self->rows.count = (uint32_t)count;
    OG_TRY(og_exec__project_rows(x, &self->rows, out, err));
    self->given += (uint32_t)count;
    return OG_OK;
}

static void sort_close(og_exec__sink *sink)
{
    sorter *self = (sorter *)sink;
    og_exec__rows_clear(sink->x, &self->rows);
    for (uint32_t k = 0; self->keys != NULL && k < self->key_count; k++) {
        for (size_t i = 0; i < self->keys[k].len; i++)
            og_array_unref(self->keys[k].items[i]);
        og_vec_deinit(&self->keys[k]);
    }
    for (uint32_t v = 0; self->slots != NULL && v < sink->x->plan->query->var_count; v++)
        og_vec_deinit(&self->slots[v]);
}

static const og_exec__sink_ops sort_ops = {
    .name = "Sort",
    .next = sort_next,
    .close = sort_close,
};

static const og_exec__sink_ops top_ops = {
    .name = "Top",
    .next = sort_next,
    .close = sort_close,
};

/* Result columns and match columns alike are columns of the plan; constants order nothing. */
static void choose_keys(sorter *self)
{
    const og_plan *plan = self->sink.x->plan;
    for (uint32_t i = 0; i < plan->order_count; i++) {
        const og_exec__order *order = &plan->orders[i];
        uint32_t column = order->index;
        if (order->by_output) {
            const og_exec__operand *operand = &plan->outputs[order->index].operand;
            if (operand->kind == OG_OPERAND_CONST)
                continue;
            column = operand->index;
        }
        self->key_columns[self->key_count] = column;
        self->descending[self->key_count++] = order->descending;
    }
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const og_exec__operand *operand = &plan->outputs[i].operand;
        if (operand->kind == OG_OPERAND_COLUMN)
            self->var_used[plan->columns[operand->index].var] = true;
    }
}

og_status og_exec__make_sort(og_exec *x, og_exec__sink **out, og_error *err)
{
    const og_plan *plan = x->plan;
    sorter *self = og_arena_new_of(x->arena, sorter);
    if (self == NULL)
        return og_error_nomem(err);
    self->limit = plan->has_limit ? plan->limit : UINT64_MAX;
    self->is_top = self->limit <= MAX_TOP;
    self->sink.ops = self->is_top ? &top_ops : &sort_ops;
    self->sink.x = x;
    self->key_columns = og_arena_array_of(x->arena, uint32_t, plan->order_count);
    self->descending = og_arena_array_of(x->arena, bool, plan->order_count);
    self->var_used = og_arena_array_of(x->arena, bool, plan->query->var_count);
    self->keys = og_arena_array_of(x->arena, array_list, plan->order_count);
    self->slots = og_arena_array_of(x->arena, slot_list, plan->query->var_count);
    self->picked = og_arena_alloc(x->arena, (OG_BATCH_ROWS + 1) * sizeof *self->picked);
    if (self->key_columns == NULL || self->descending == NULL || self->var_used == NULL ||
        self->keys == NULL || self->slots == NULL || self->picked == NULL)
        return og_error_nomem(err);
    choose_keys(self);
    *out = &self->sink;
    return og_exec__rows_init(x, &self->rows, OG_BATCH_ROWS, err);
}
