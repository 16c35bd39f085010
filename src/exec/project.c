/* The result columns of match rows, as they come. */
#include "exec/run_priv.h"

#include "columnar/kernels.h"

typedef struct project {
    og_exec__sink sink;
    uint64_t left; /* rows the limit still allows */
} project;

static uint32_t output_columns(const og_plan *plan, uint32_t first, uint32_t *out, uint32_t *count)
{
    *count = 0;
    uint32_t i = first;
    for (; i < plan->output_count && *count < OG_EXEC_GATHER_MAX; i++) {
        if (plan->outputs[i].operand.kind == OG_OPERAND_COLUMN)
            out[(*count)++] = plan->outputs[i].operand.index;
    }
    return i;
}

og_status og_exec__project_rows(og_exec *x, og_exec__rows *rows, og_batch *out, og_error *err)
{
    const og_plan *plan = x->plan;
    uint32_t columns[OG_EXEC_GATHER_MAX], count;
    for (uint32_t first = 0; first < plan->output_count;) {
        first = output_columns(plan, first, columns, &count);
        OG_TRY(og_exec__gather(x, rows, columns, count, err));
    }
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, plan->output_count, rows->count, err));
    for (uint32_t i = 0; i < plan->output_count; i++)
        OG_TRY(og_exec__operand_array(x, rows, plan->outputs[i].operand, &batch.columns[i], err));
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

static og_status cut(og_batch *batch, uint64_t count, og_error *err)
{
    for (uint32_t i = 0; i < batch->column_count; i++) {
        og_array *part;
        OG_TRY(og_slice(batch->columns[i], 0, (int64_t)count, &part, err));
        og_array_unref(batch->columns[i]);
        batch->columns[i] = part;
    }
    batch->row_count = (int64_t)count;
    return OG_OK;
}

static og_status project_next(og_exec__sink *sink, og_batch *out, og_error *err)
{
    project *self = (project *)sink;
    og_exec__rows *rows = NULL;
    *out = (og_batch){0};
    if (self->left > 0)
        OG_TRY(og_exec__next(sink->x->chain, &rows, err));
    if (rows == NULL)
        return OG_OK;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_exec__project_rows(sink->x, rows, &batch, err));
    if ((uint64_t)batch.row_count > self->left)
        OG_TRY(cut(&batch, self->left, err));
    self->left -= (uint64_t)batch.row_count;
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

static const og_exec__sink_ops project_ops = {
    .name = "Project",
    .next = project_next,
};

og_status og_exec__make_project(og_exec *x, og_exec__sink **out, og_error *err)
{
    project *self = og_arena_new_of(x->arena, project);
    if (self == NULL)
        return og_error_nomem(err);
    self->sink.ops = &project_ops;
    self->sink.x = x;
    self->left = x->plan->has_limit ? x->plan->limit : UINT64_MAX;
    *out = &self->sink;
    return OG_OK;
}
