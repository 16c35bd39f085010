/* ANTI: rows for which an inner pipeline has none.
 *
 * The inner pipeline runs over many outer rows at once; each of its rows carries a tag, the number
 * of the outer row it comes from. A tag that has been seen is matched, and the inner operators skip
 * what is left of it. */
#include "exec/run_priv.h"

/* ---- the outer rows as the inner pipeline's input ----------------------------------------- */

typedef struct feed {
    og_exec__op op;
    const og_exec__rows *outer;
    uint32_t next, end;
    uint32_t *from;
} feed;

static og_status feed_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    feed *self = (feed *)op;
    *out = NULL;
    uint32_t count = self->end - self->next;
    if (count > op->rows.capacity)
        count = op->rows.capacity;
    if (count == 0)
        return OG_OK;
    og_exec__rows_clear(op->x, &op->rows);
    for (uint32_t i = 0; i < count; i++)
        self->from[i] = self->next + i;
    if (self->outer != NULL)
        OG_TRY(
            og_exec__rows_spread(op->x, self->outer, self->from, count, op->step, &op->rows, err));
    /* Spread copied the tags and weights of the outer rows, which mean nothing here. */
    OG_TRY(og_exec__rows_tags(op->x, &op->rows, err));
    memcpy(op->rows.tags, self->from, count * sizeof *self->from);
    op->rows.weights = NULL;
    op->rows.count = count;
    self->next += count;
    *out = &op->rows;
    return OG_OK;
}

static const og_exec__op_ops feed_ops = {
    .name = "Outer rows",
    .next = feed_next,
};

/* ---- the operator ------------------------------------------------------------------------- */

typedef struct anti {
    og_exec__op op;
    feed *source;
    og_exec__op *chain;
    uint8_t *matched; /* by outer row */
    uint32_t *selected;
} anti;

static og_status run_inner(anti *self, const og_exec__rows *outer, uint32_t count, og_error *err)
{
    uint32_t matched = 0;
    memset(self->matched, 0, count);
    self->source->outer = outer;
    self->source->next = 0;
    self->source->end = count;
    og_exec__reset(self->chain);
    while (matched < count) {
        og_exec__rows *rows;
        OG_TRY(og_exec__next(self->chain, &rows, err));
        if (rows == NULL)
            return OG_OK;
        for (uint32_t i = 0; i < rows->count; i++) {
            matched += !self->matched[rows->tags[i]];
            self->matched[rows->tags[i]] = 1;
        }
    }
    return OG_OK;
}

static og_status keep_unmatched(anti *self, og_exec__rows *rows, og_error *err)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        self->selected[kept] = i;
        kept += !self->matched[i];
    }
    return og_exec__rows_select(self->op.x, rows, self->selected, kept, self->op.step->live_columns,
                                err);
}

static og_status anti_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    anti *self = (anti *)op;
    *out = NULL;
    for (;;) {
        og_exec__rows *rows;
        OG_TRY(og_exec__next(op->input, &rows, err));
        if (rows == NULL)
            return OG_OK;
        OG_TRY(run_inner(self, rows, rows->count, err));
        OG_TRY(keep_unmatched(self, rows, err));
        if (rows->count > 0) {
            *out = rows;
            return OG_OK;
        }
    }
}

static void anti_close(og_exec__op *op)
{
    og_exec__close_chain(((anti *)op)->chain);
}

static const og_exec__op_ops anti_ops = {
    .name = "Anti join",
    .next = anti_next,
    .close = anti_close,
};

og_status og_exec__make_anti(og_exec *x, const og_exec__step *step, og_exec__op *input,
                             og_exec__op **out, og_error *err)
{
    OG_TRY(og_exec__op_new(x, &anti_ops, sizeof(anti), step, input, 0, out, err));
    anti *self = (anti *)*out;
    self->matched = og_arena_alloc(x->arena, OG_BATCH_ROWS);
    self->selected = og_arena_alloc(x->arena, OG_BATCH_ROWS * sizeof *self->selected);
    if (self->matched == NULL || self->selected == NULL)
        return og_error_nomem(err);
    og_exec__op *source;
    OG_TRY(og_exec__op_new(x, &feed_ops, sizeof(feed), step->inner->input, NULL, OG_EXEC_ROWS,
                           &source, err));
    self->source = (feed *)source;
    self->source->from = og_arena_alloc(x->arena, OG_EXEC_ROWS * sizeof(uint32_t));
    if (self->source->from == NULL)
        return og_error_nomem(err);
    OG_TRY(og_exec__make_chain(x, step->inner, 0, source, self->matched, &self->chain, err));
    self->op.inner = self->chain;
    return OG_OK;
}
