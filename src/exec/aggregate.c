/* Aggregates, grouped by the results that are none.
 *
 * Groups come from groups.c, numbered as they first occur, which is their order in the result.
 * Without group columns there is one group, even over no rows. An aggregate's state is a few arrays
 * by group; count, sum and avg are plain loops over the batch. */
#include "exec/groups_priv.h"

#include "columnar/builder.h"
#include "columnar/kernels.h"
#include "columnar/sort.h"

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
    og_exec__groups groups;
    size_t state_cap;
    uint32_t *row_groups; /* by row of the batch at hand */
    uint32_t *kept_rows;
    bool filled;
    og_batch result;
    int64_t given;
} aggregate;

/* ---- groups ------------------------------------------------------------------------------- */

static og_status group_rows(aggregate *self, og_exec__rows *rows, og_error *err)
{
    const og_plan *plan = self->sink.x->plan;
    og_array **keys = og_calloc(self->key_count, sizeof *keys);
    if (keys == NULL)
        return og_error_nomem(err);
    og_status status = OG_OK;
    for (uint32_t k = 0; status == OG_OK && k < self->key_count; k++)
        status = og_exec__operand_array(self->sink.x, rows, plan->outputs[self->keys[k]].operand,
                                        &keys[k], err);
    if (status == OG_OK)
        status = og_exec__groups_find(&self->groups, keys, rows->count, self->row_groups, err);
    for (uint32_t k = 0; k < self->key_count; k++)
        og_array_unref(keys[k]);
    og_free(keys);
    return status;
}

/* ---- states ------------------------------------------------------------------------------- */

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

static void count_rows(state *s, const uint32_t *groups, const uint64_t *weights, uint32_t count,
                       bool one_group)
{
    if (one_group && weights == NULL) {
        s->counts[0] += count;
        return;
    }
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
    uint32_t count = 0, *rows = self->kept_rows;
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
        count_rows(s, self->row_groups, rows->weights, rows->count, self->key_count == 0);
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

/* ---- results ------------------------------------------------------------------------------ */

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
    for (size_t g = 0; g < self->groups.count; g++) {
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
    OG_TRY(og_batch_init(&batch, plan->output_count, (int64_t)self->groups.count, err));
    for (uint32_t i = 0; i < plan->output_count; i++) {
        if (plan->outputs[i].kind == OG_OUTPUT_VALUE)
            OG_TRY(og_exec__groups_values(&self->groups, key++, plan->results[i].array_type,
                                          &batch.columns[i], err));
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

/* ---- the sink ----------------------------------------------------------------------------- */

static og_status add_rows(aggregate *self, og_exec__rows *rows, og_error *err)
{
    if (self->key_count > 0)
        OG_TRY(group_rows(self, rows, err));
    OG_TRY(grow_states(self, self->groups.count, err));
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
    if (self->key_count == 0)
        self->groups.count = 1;
    OG_TRY(grow_states(self, self->groups.count, err));
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
    og_exec__groups_deinit(&self->groups);
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
    self->kept_rows = og_arena_alloc(x->arena, OG_BATCH_ROWS * sizeof *self->kept_rows);
    self->row_groups = og_arena_calloc(x->arena, OG_BATCH_ROWS, sizeof *self->row_groups);
    if (self->keys == NULL || self->states == NULL || self->kept_rows == NULL ||
        self->row_groups == NULL)
        return og_error_nomem(err);
    sort_outputs(self);
    *out = &self->sink;
    if (self->key_count == 0)
        return OG_OK;
    return og_exec__groups_init(&self->groups, x, self->key_count, err);
}
