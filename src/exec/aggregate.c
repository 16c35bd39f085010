/* Aggregates, grouped by the results that are none.
 *
 * Rows find their group by a hash of the group columns in an open-addressing table; equal hashes
 * compare the values. Groups are numbered as they first occur, which is their order in the result;
 * null is a group of its own. The values of new groups are taken out of each batch into a piece.
 * Without group columns there is one group, even over no rows. An aggregate's state is a few arrays
 * by group; count, sum and avg of nothing null are plain loops over the batch. */
#include "exec/run_priv.h"

#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "columnar/sort.h"

/* A group's first row: which piece, which row of it. */
typedef struct place {
    uint32_t piece, row;
} place;

/* One aggregate, by group. */
typedef struct state {
    const og_exec__output *output;
    uint64_t *counts; /* rows that are not null */
    double *sums;     /* SUM, AVG */
    og_array **best;  /* MIN, MAX: the array that holds the best so far, a reference */
    uint32_t *best_row;
} state;

typedef struct aggregate {
    og_exec__sink sink;
    uint32_t key_count, state_count;
    uint32_t *keys; /* outputs that group */
    state *states;  /* by output that aggregates, in order */
    OG_VEC(place) groups;
    OG_VEC(uint64_t) hashes;   /* by group */
    OG_VEC(og_array *) pieces; /* key_count arrays for each piece */
    uint32_t *table;           /* group + 1, 0 = free */
    uint32_t mask;
    size_t state_cap;
    /* by row of the batch at hand */
    uint64_t *row_hashes;
    uint32_t *row_groups;
    uint32_t *new_rows;
    bool filled;
    og_batch result;
    int64_t given;
} aggregate;

/* ---- groups
 * ---------------------------------------------------------------------------------------- */

static og_status grow_table(aggregate *self, og_error *err)
{
    uint32_t size = self->table == NULL ? 64 : (self->mask + 1) * 2;
    if (size == 0)
        return og_error_set(err, OG_LIMIT, "more than 2^31 groups");
    OG_TRY(og_exec__reserve(self->sink.x, "aggregate", size * sizeof *self->table / 2, err));
    uint32_t *table = og_calloc(size, sizeof *table);
    if (table == NULL)
        return og_error_nomem(err);
    for (uint32_t g = 0; g < self->groups.len; g++) {
        uint32_t i = (uint32_t)self->hashes.items[g] & (size - 1);
        while (table[i] != 0)
            i = (i + 1) & (size - 1);
        table[i] = g + 1;
    }
    og_free(self->table);
    self->table = table;
    self->mask = size - 1;
    return OG_OK;
}

/* Rows of the batch at hand are in piece `pieces.len / key_count`, not yet taken out. */
static bool same_group(const aggregate *self, uint32_t group, og_array *const *keys, uint32_t row)
{
    place p = self->groups.items[group];
    size_t current = self->pieces.len / self->key_count;
    for (uint32_t k = 0; k < self->key_count; k++) {
        const og_array *held;
        int64_t held_row = p.row;
        if (p.piece == current) {
            held = keys[k];
            held_row = self->new_rows[p.row];
        } else {
            held = self->pieces.items[p.piece * self->key_count + k];
        }
        if (!og_rows_equal(held, held_row, keys[k], row))
            return false;
    }
    return true;
}

static og_status find_groups(aggregate *self, og_array *const *keys, uint32_t count,
                             uint32_t *out_new, og_error *err)
{
    uint32_t piece = (uint32_t)(self->pieces.len / self->key_count);
    *out_new = 0;
    for (uint32_t row = 0; row < count; row++) {
        if (self->table == NULL || self->groups.len >= (self->mask + 1) / 2)
            OG_TRY(grow_table(self, err));
        uint64_t hash = self->row_hashes[row];
        uint32_t i = (uint32_t)hash & self->mask;
        while (self->table[i] != 0) {
            uint32_t group = self->table[i] - 1;
            if (self->hashes.items[group] == hash && same_group(self, group, keys, row))
                break;
            i = (i + 1) & self->mask;
        }
        if (self->table[i] == 0) {
            if (!og_vec_push(&self->groups, (place){piece, *out_new}) ||
                !og_vec_push(&self->hashes, hash))
                return og_error_nomem(err);
            self->new_rows[(*out_new)++] = row;
            self->table[i] = (uint32_t)self->groups.len;
        }
        self->row_groups[row] = self->table[i] - 1;
    }
    return OG_OK;
}

static og_status keep_new_groups(aggregate *self, og_array *const *keys, uint32_t count,
                                 og_error *err)
{
    size_t bytes = 0;
    if (count == 0)
        return OG_OK;
    for (uint32_t k = 0; k < self->key_count; k++) {
        og_array *piece;
        OG_TRY(og_take_u32(keys[k], self->new_rows, count, &piece, err));
        if (!og_vec_push(&self->pieces, piece)) {
            og_array_unref(piece);
            return og_error_nomem(err);
        }
        bytes += og_array_bytes(piece) + count * (sizeof(place) + sizeof(uint64_t));
    }
    return og_exec__reserve(self->sink.x, "aggregate", bytes, err);
}

/* Pieces may be left half pushed by an error; the run ends then. */
static og_status group_rows(aggregate *self, og_exec__rows *rows, og_error *err)
{
    const og_plan *plan = self->sink.x->plan;
    og_array **keys = og_calloc(self->key_count, sizeof *keys);
    if (keys == NULL)
        return og_error_nomem(err);
    og_status status = OG_OK;
    uint32_t fresh = 0;
    memset(self->row_hashes, 0, rows->count * sizeof *self->row_hashes);
    for (uint32_t k = 0; status == OG_OK && k < self->key_count; k++) {
        status = og_exec__operand_array(self->sink.x, rows, plan->outputs[self->keys[k]].operand,
                                        &keys[k], err);
        if (status == OG_OK)
            og_hash_column(keys[k], self->row_hashes);
    }
    if (status == OG_OK)
        status = find_groups(self, keys, rows->count, &fresh, err);
    if (status == OG_OK)
        status = keep_new_groups(self, keys, fresh, err);
    for (uint32_t k = 0; k < self->key_count; k++)
        og_array_unref(keys[k]);
    og_free(keys);
    return status;
}

/* ---- states
 * ---------------------------------------------------------------------------------------- */

static bool keeps_best(const state *s)
{
    return s->output->kind == OG_OUTPUT_AGGREGATE &&
           (s->output->agg == OG_AGG_MIN || s->output->agg == OG_AGG_MAX);
}

static og_status grow_array(void **items, size_t old, size_t cap, size_t size, og_error *err)
{
    void *grown = og_reallocarray(*items, cap, size);
    if (grown == NULL)
        return og_error_nomem(err);
    memset((char *)grown + old * size, 0, (cap - old) * size);
    *items = grown;
    return OG_OK;
}

static og_status grow_states(aggregate *self, size_t groups, og_error *err)
{
    size_t old = self->state_cap;
    if (groups <= old)
        return OG_OK;
    size_t cap = old * 2 > groups ? old * 2 : groups < 16 ? 16 : groups;
    OG_TRY(og_exec__reserve(self->sink.x, "aggregate", (cap - old) * self->state_count * 16, err));
    for (uint32_t i = 0; i < self->state_count; i++) {
        state *s = &self->states[i];
        OG_TRY(grow_array((void **)&s->counts, old, cap, sizeof *s->counts, err));
        if (keeps_best(s)) {
            OG_TRY(grow_array((void **)&s->best, old, cap, sizeof *s->best, err));
            OG_TRY(grow_array((void **)&s->best_row, old, cap, sizeof *s->best_row, err));
        } else {
            OG_TRY(grow_array((void **)&s->sums, old, cap, sizeof *s->sums, err));
        }
    }
    self->state_cap = cap;
    return OG_OK;
}

static void count_rows(state *s, const uint32_t *groups, const uint64_t *weights, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        s->counts[groups[i]] += weights != NULL ? weights[i] : 1;
}

static void count_values(state *s, const og_array *values, const uint32_t *groups,
                         const uint64_t *weights)
{
    for (int64_t i = 0; i < values->length; i++) {
        if (!og_array_is_null(values, i))
            s->counts[groups[i]] += weights != NULL ? weights[i] : 1;
    }
}

#define SUM_LOOP(type)                                                                             \
    do {                                                                                           \
        const type *items = values->data;                                                          \
        for (int64_t i = 0; i < values->length; i++) {                                             \
            if (values->validity != NULL && !og_bit_get(values->validity, (size_t)i))              \
                continue;                                                                          \
            s->sums[groups[i]] += (double)items[i];                                                \
            s->counts[groups[i]]++;                                                                \
        }                                                                                          \
    } while (0)

static og_status sum_values(state *s, const og_array *values, const uint32_t *groups, og_error *err)
{
    switch (values->type->id) {
    case OG_TYPE_I32:
        SUM_LOOP(int32_t);
        return OG_OK;
    case OG_TYPE_I64:
        SUM_LOOP(int64_t);
        return OG_OK;
    case OG_TYPE_U32:
        SUM_LOOP(uint32_t);
        return OG_OK;
    case OG_TYPE_U64:
        SUM_LOOP(uint64_t);
        return OG_OK;
    case OG_TYPE_F32:
        SUM_LOOP(float);
        return OG_OK;
    case OG_TYPE_F64:
        SUM_LOOP(double);
        return OG_OK;
    default:
        if (values->null_count == values->length)
            return OG_OK;
        return og_error_set(err, OG_INVALID, "%s takes numbers", og_agg_name(s->output->agg));
    }
}

/* The reference compares with < and >, so a NaN neither replaces a value nor is replaced. */
static bool is_better(og_agg agg, const og_array *a, int64_t row_a, const og_array *b,
                      int64_t row_b)
{
    if (a->type->id == OG_TYPE_F64 || a->type->id == OG_TYPE_F32) {
        bool wide = a->type->id == OG_TYPE_F64;
        double x = wide ? og_array_f64(a, row_a) : (double)og_array_f32(a, row_a);
        double y = wide ? og_array_f64(b, row_b) : (double)og_array_f32(b, row_b);
        return agg == OG_AGG_MIN ? x < y : x > y;
    }
    int order = og_compare_rows(a, row_a, b, row_b);
    return agg == OG_AGG_MIN ? order < 0 : order > 0;
}

static void best_values(state *s, og_array *values, const uint32_t *groups)
{
    for (int64_t i = 0; i < values->length; i++) {
        uint32_t g = groups[i];
        if (og_array_is_null(values, i))
            continue;
        if (s->counts[g]++ > 0 && !is_better(s->output->agg, values, i, s->best[g], s->best_row[g]))
            continue;
        if (s->best[g] != values) {
            og_array_unref(s->best[g]);
            s->best[g] = og_array_ref(values);
        }
        s->best_row[g] = (uint32_t)i;
    }
}

/* So that no group holds on to the whole batch it found its best in. */
static og_status shrink_best(aggregate *self, state *s, og_array *values, og_error *err)
{
    uint32_t count = 0, *rows = self->new_rows;
    for (uint32_t i = 0; i < values->length; i++) {
        uint32_t g = self->row_groups[i];
        rows[count] = i;
        count += s->best[g] == values && s->best_row[g] == i;
    }
    if (count == 0)
        return OG_OK;
    og_array *kept;
    OG_TRY(og_take_u32(values, rows, count, &kept, err));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t g = self->row_groups[rows[i]];
        og_array_unref(s->best[g]);
        s->best[g] = og_array_ref(kept);
        s->best_row[g] = i;
    }
    og_array_unref(kept);
    return OG_OK;
}

static og_status update_state(aggregate *self, state *s, og_exec__rows *rows, og_error *err)
{
    if (s->output->kind == OG_OUTPUT_COUNT_ROWS) {
        count_rows(s, self->row_groups, rows->weights, rows->count);
        return OG_OK;
    }
    OG_AUTO(og_array) values = NULL;
    OG_TRY(og_exec__operand_array(self->sink.x, rows, s->output->operand, &values, err));
    if (s->output->agg == OG_AGG_COUNT) {
        count_values(s, values, self->row_groups, rows->weights);
        return OG_OK;
    }
    if (!keeps_best(s))
        return sum_values(s, values, self->row_groups, err);
    best_values(s, values, self->row_groups);
    return shrink_best(self, s, values, err);
}

/* ---- results
 * ---------------------------------------------------------------------------------------- */

static og_status key_result(aggregate *self, uint32_t key, og_array **out, og_error *err)
{
    size_t piece_count = self->pieces.len / self->key_count;
    const og_plan *plan = self->sink.x->plan;
    if (piece_count == 0) {
        *out = og_array_new_null(plan->results[self->keys[key]].array_type, 0);
        return *out != NULL ? OG_OK : og_error_nomem(err);
    }
    const og_array **pieces = og_malloc((piece_count + 1) * sizeof *pieces);
    if (pieces == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < piece_count; i++)
        pieces[i] = self->pieces.items[i * self->key_count + key];
    og_status status = og_concat(pieces, piece_count, out, err);
    og_free(pieces);
    return status;
}

static bool append_best(og_builder *builder, const state *s, size_t group)
{
    if (s->counts[group] == 0)
        return og_builder_null(builder);
    return og_builder_append_array(builder, s->best[group], s->best_row[group], 1);
}

static bool append_result(og_builder *builder, const state *s, size_t group)
{
    if (s->output->kind == OG_OUTPUT_COUNT_ROWS || s->output->agg == OG_AGG_COUNT)
        return og_builder_i64(builder, (int64_t)s->counts[group]);
    if (keeps_best(s))
        return append_best(builder, s, group);
    if (s->counts[group] == 0)
        return og_builder_null(builder);
    double sum = s->sums[group];
    return og_builder_f64(builder,
                          s->output->agg == OG_AGG_SUM ? sum : sum / (double)s->counts[group]);
}

static og_status state_result(aggregate *self, const state *s, const og_type *type, og_array **out,
                              og_error *err)
{
    OG_AUTO(og_builder) builder = og_builder_new(type);
    if (builder == NULL)
        return og_error_nomem(err);
    for (size_t g = 0; g < self->groups.len; g++) {
        if (!append_result(builder, s, g))
            return og_error_nomem(err);
    }
    return og_builder_finish(builder, out, err);
}

static og_status make_result(aggregate *self, og_batch *out, og_error *err)
{
    const og_plan *plan = self->sink.x->plan;
    uint32_t key = 0, s = 0;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, plan->output_count, (int64_t)self->groups.len, err));
    for (uint32_t i = 0; i < plan->output_count; i++) {
        if (plan->outputs[i].kind == OG_OUTPUT_VALUE)
            OG_TRY(key_result(self, key++, &batch.columns[i], err));
        else
            OG_TRY(state_result(self, &self->states[s++], plan->results[i].array_type,
                                &batch.columns[i], err));
    }
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

static og_status order_result(const og_plan *plan, og_batch *batch, og_error *err)
{
    if (plan->order_count == 0 || batch->row_count < 2)
        return OG_OK;
    OG_AUTO_FREE og_sort_key *keys = og_malloc(plan->order_count * sizeof *keys);
    OG_AUTO_FREE uint32_t *order = og_malloc((size_t)batch->row_count * sizeof *order);
    if (keys == NULL || order == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < plan->order_count; i++)
        keys[i] = (og_sort_key){batch->columns[plan->orders[i].index], plan->orders[i].descending};
    OG_TRY(og_sort_rows(keys, plan->order_count, batch->row_count, order, err));
    for (uint32_t i = 0; i < batch->column_count; i++) {
        og_array *sorted;
        OG_TRY(og_take_u32(batch->columns[i], order, batch->row_count, &sorted, err));
        og_array_unref(batch->columns[i]);
        batch->columns[i] = sorted;
    }
    return OG_OK;
}

/* ---- the sink
 * ------------------------------------------------------------------------------------------ */

static og_status add_rows(aggregate *self, og_exec__rows *rows, og_error *err)
{
    if (self->key_count > 0)
        OG_TRY(group_rows(self, rows, err));
    OG_TRY(grow_states(self, self->groups.len, err));
    for (uint32_t i = 0; i < self->state_count; i++)
        OG_TRY(update_state(self, &self->states[i], rows, err));
    return OG_OK;
}

static og_status gather_inputs(aggregate *self, og_exec__rows *rows, og_error *err)
{
    const og_plan *plan = self->sink.x->plan;
    uint32_t columns[OG_EXEC_GATHER_MAX], count = 0;
    for (uint32_t i = 0; i < plan->output_count; i++) {
        const og_exec__output *o = &plan->outputs[i];
        if (o->kind == OG_OUTPUT_COUNT_ROWS || o->operand.kind != OG_OPERAND_COLUMN)
            continue;
        if (count < OG_EXEC_GATHER_MAX)
            columns[count++] = o->operand.index;
    }
    return og_exec__gather(self->sink.x, rows, columns, count, err);
}

static og_status take_all(aggregate *self, og_error *err)
{
    if (self->key_count == 0 && (!og_vec_push(&self->groups, (place){0, 0})))
        return og_error_nomem(err);
    OG_TRY(grow_states(self, self->groups.len, err));
    for (;;) {
        og_exec__rows *rows;
        OG_TRY(og_exec__next(self->sink.x->chain, &rows, err));
        if (rows == NULL)
            break;
        OG_TRY(gather_inputs(self, rows, err));
        OG_TRY(add_rows(self, rows, err));
    }
    OG_TRY(make_result(self, &self->result, err));
    OG_TRY(order_result(self->sink.x->plan, &self->result, err));
    self->filled = true;
    return OG_OK;
}

static og_status slice_result(const og_batch *batch, int64_t start, int64_t count, og_batch *out,
                              og_error *err)
{
    OG_AUTO_BATCH part = {0};
    OG_TRY(og_batch_init(&part, batch->column_count, count, err));
    for (uint32_t i = 0; i < batch->column_count; i++)
        OG_TRY(og_slice(batch->columns[i], start, count, &part.columns[i], err));
    *out = part;
    part = (og_batch){0};
    return OG_OK;
}

static og_status aggregate_next(og_exec__sink *sink, og_batch *out, og_error *err)
{
    aggregate *self = (aggregate *)sink;
    const og_plan *plan = sink->x->plan;
    *out = (og_batch){0};
    if (!self->filled)
        OG_TRY(take_all(self, err));
    int64_t end = self->result.row_count;
    if (plan->has_limit && plan->limit < (uint64_t)end)
        end = (int64_t)plan->limit;
    int64_t count = end - self->given;
    if (count > OG_BATCH_ROWS)
        count = OG_BATCH_ROWS;
    if (count == 0)
        return OG_OK;
    OG_TRY(slice_result(&self->result, self->given, count, out, err));
    self->given += count;
    return OG_OK;
}

static void close_state(const aggregate *self, state *s)
{
    for (size_t g = 0; s->best != NULL && g < self->state_cap; g++)
        og_array_unref(s->best[g]);
    og_free(s->best);
    og_free(s->best_row);
    og_free(s->counts);
    og_free(s->sums);
}

static void aggregate_close(og_exec__sink *sink)
{
    aggregate *self = (aggregate *)sink;
    for (uint32_t i = 0; i < self->state_count; i++)
        close_state(self, &self->states[i]);
    for (size_t i = 0; i < self->pieces.len; i++)
        og_array_unref(self->pieces.items[i]);
    og_vec_deinit(&self->pieces);
    og_vec_deinit(&self->groups);
    og_vec_deinit(&self->hashes);
    og_free(self->table);
    og_batch_deinit(&self->result);
}

static const og_exec__sink_ops aggregate_ops = {
    .name = "Aggregate",
    .next = aggregate_next,
    .close = aggregate_close,
};

static void sort_outputs(aggregate *self)
{
    const og_plan *plan = self->sink.x->plan;
    for (uint32_t i = 0; i < plan->output_count; i++) {
        if (plan->outputs[i].kind == OG_OUTPUT_VALUE)
            self->keys[self->key_count++] = i;
        else
            self->states[self->state_count++].output = &plan->outputs[i];
    }
}

og_status og_exec__make_aggregate(og_exec *x, og_exec__sink **out, og_error *err)
{
    uint32_t output_count = x->plan->output_count;
    aggregate *self = og_arena_new_of(x->arena, aggregate);
    if (self == NULL)
        return og_error_nomem(err);
    self->sink.ops = &aggregate_ops;
    self->sink.x = x;
    self->keys = og_arena_array_of(x->arena, uint32_t, output_count);
    self->states = og_arena_array_of(x->arena, state, output_count);
    self->row_hashes = og_arena_alloc(x->arena, OG_BATCH_ROWS * sizeof *self->row_hashes);
    self->new_rows = og_arena_alloc(x->arena, OG_BATCH_ROWS * sizeof *self->new_rows);
    self->row_groups = og_arena_calloc(x->arena, OG_BATCH_ROWS, sizeof *self->row_groups);
    if (self->keys == NULL || self->states == NULL || self->row_hashes == NULL ||
        self->new_rows == NULL || self->row_groups == NULL)
        return og_error_nomem(err);
    sort_outputs(self);
    *out = &self->sink;
    return OG_OK;
}
