/* EXPAND: from rows to the far ends of an edge.
 *
 * For each row the ends are collected as a whole (their number is bounded by the type's nodes),
 * then given out in vectors. Without an edge variable an end counts once however many edges lead to
 * it; marks on vertices see to that where a topology is not known to be simple. Several hops go
 * breadth first, so a node counts at its smallest distance only; when the edge joins equal types
 * the start is never a result, and when it joins different ones no path is longer than one edge. */
#include "exec/run_priv.h"

/* Up to so many ends, looking through the ends is faster than marking. */
#define FEW_ENDS 16
/* Edges between two looks at the clock. */
#define CHECK_EDGES 65536

typedef struct expand {
    og_exec__op op;
    og_exec__hop *hops[2];
    uint32_t hop_count;
    uint32_t max_hops; /* 1 when types differ */
    bool impossible;   /* min_hops beyond max_hops */
    bool at_once;      /* one hop to live ends: may be counted without collecting */
    const uint8_t *matched;
    /* Ends of the current row; `edges` only when there is an edge variable. */
    OG_VEC(uint32_t) ends;
    OG_VEC(uint32_t) edges;
    OG_VEC(uint32_t) frontier;
    OG_VEC(uint32_t) next;
    uint64_t edges_seen, edges_checked;
    /* Where giving out stands. */
    og_exec__rows *rows;
    uint32_t row, given;
    bool collected;
    uint32_t *from;
} expand;

/* ---- ends of one vertex ------------------------------------------------------------------- */

static og_status count_edges(expand *self, uint32_t count, og_error *err)
{
    self->edges_seen += count;
    if (self->edges_seen - self->edges_checked < CHECK_EDGES)
        return OG_OK;
    self->edges_checked = self->edges_seen;
    return og_exec__check(self->op.x, err);
}

static uint32_t vertex_limit(const expand *self)
{
    return og_exec__hop_targets(self->hops[0])->vertex_limit;
}

static bool is_among(const uint32_t *items, size_t count, uint32_t value)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i] == value)
            return true;
    }
    return false;
}

/* Every edge is a result of its own. */
static og_status collect_edges(expand *self, uint32_t source, og_error *err)
{
    bool same_type = self->op.step->same_type;
    for (uint32_t h = 0; h < self->hop_count; h++) {
        og_exec__ends e = og_exec__hop_ends(self->hops[h], source);
        if (!og_vec_reserve(&self->ends, e.count) || !og_vec_reserve(&self->edges, e.count))
            return og_error_nomem(err);
        for (uint32_t i = 0; i < e.count; i++) {
            if (same_type && e.targets[i] == source)
                continue;
            self->ends.items[self->ends.len++] = e.targets[i];
            self->edges.items[self->edges.len++] = e.edges[i];
        }
        OG_TRY(count_edges(self, e.count, err));
    }
    return OG_OK;
}

static void push_few(expand *self, uint32_t source, og_exec__ends e)
{
    bool same_type = self->op.step->same_type;
    for (uint32_t i = 0; i < e.count; i++) {
        uint32_t target = e.targets[i];
        if ((same_type && target == source) || is_among(self->ends.items, self->ends.len, target))
            continue;
        self->ends.items[self->ends.len++] = target;
    }
}

static og_status push_marked(expand *self, og_exec__ends e, og_error *err)
{
    og_exec__marks *marks = &self->op.x->scratch->marks;
    for (uint32_t i = 0; i < e.count; i++) {
        uint32_t target = e.targets[i];
        if (marks->items[target] == marks->epoch)
            continue;
        marks->items[target] = marks->epoch;
        self->ends.items[self->ends.len++] = target;
    }
    return count_edges(self, e.count, err);
}

/* Each end of one hop once. */
static og_status collect_ends(expand *self, uint32_t source, og_error *err)
{
    og_exec__ends e[2] = {og_exec__hop_ends(self->hops[0], source)};
    if (self->hop_count > 1)
        e[1] = og_exec__hop_ends(self->hops[1], source);
    size_t total = (size_t)e[0].count + e[1].count;
    if (!og_vec_reserve(&self->ends, total))
        return og_error_nomem(err);
    if (self->hop_count == 1 && og_exec__hop_is_simple(self->hops[0])) {
        if (total > 0)
            memcpy(self->ends.items, e[0].targets, total * sizeof *e[0].targets);
        self->ends.len = total;
        return count_edges(self, e[0].count, err);
    }
    if (total <= FEW_ENDS) {
        push_few(self, source, e[0]);
        push_few(self, source, e[1]);
        return OG_OK;
    }
    og_exec__marks *marks = &self->op.x->scratch->marks;
    OG_TRY(og_exec__marks_begin(marks, vertex_limit(self), err));
    if (self->op.step->same_type)
        marks->items[source] = marks->epoch;
    OG_TRY(push_marked(self, e[0], err));
    return push_marked(self, e[1], err);
}

/* ---- breadth first ------------------------------------------------------------------------ */

static og_status visit(expand *self, uint32_t vertex, uint32_t distance, og_error *err)
{
    og_exec__marks *marks = &self->op.x->scratch->marks;
    for (uint32_t h = 0; h < self->hop_count; h++) {
        og_exec__ends e = og_exec__hop_ends(self->hops[h], vertex);
        if (!og_vec_reserve(&self->next, e.count) || !og_vec_reserve(&self->ends, e.count))
            return og_error_nomem(err);
        for (uint32_t i = 0; i < e.count; i++) {
            uint32_t target = e.targets[i];
            if (marks->items[target] == marks->epoch)
                continue;
            marks->items[target] = marks->epoch;
            self->next.items[self->next.len++] = target;
            if (distance >= self->op.step->min_hops)
                self->ends.items[self->ends.len++] = target;
        }
        OG_TRY(count_edges(self, e.count, err));
    }
    return OG_OK;
}

static og_status fetch(expand *self, const uint32_t *vertices, size_t count, og_error *err)
{
    for (uint32_t h = 0; h < self->hop_count; h++)
        OG_TRY(og_exec__hop_fetch(self->hops[h], vertices, (uint32_t)count, err));
    return OG_OK;
}

static og_status collect_levels(expand *self, uint32_t source, og_error *err)
{
    og_exec__marks *marks = &self->op.x->scratch->marks;
    OG_TRY(og_exec__marks_begin(marks, vertex_limit(self), err));
    marks->items[source] = marks->epoch;
    self->frontier.len = 0;
    if (!og_vec_push(&self->frontier, source))
        return og_error_nomem(err);
    for (uint32_t distance = 1; distance <= self->max_hops; distance++) {
        if (distance > 1) /* the sources of all rows are fetched at once */
            OG_TRY(fetch(self, self->frontier.items, self->frontier.len, err));
        self->next.len = 0;
        for (size_t i = 0; i < self->frontier.len; i++)
            OG_TRY(visit(self, self->frontier.items[i], distance, err));
        if (self->next.len == 0)
            return OG_OK;
        __typeof__(self->frontier) swapped = self->frontier;
        self->frontier.items = self->next.items;
        self->frontier.len = self->next.len;
        self->frontier.cap = self->next.cap;
        self->next.items = swapped.items;
        self->next.cap = swapped.cap;
    }
    return OG_OK;
}

/* ---- what counts of them ------------------------------------------------------------------ */

/* Keep what is a live node and, when the far end is bound already, that one. */
static og_status keep_valid(expand *self, uint32_t wanted, og_error *err)
{
    const og_exec__table *t = og_exec__hop_targets(self->hops[0]);
    bool closing = self->op.step->closing, has_edges = self->op.step->edge_var >= 0;
    if (!closing && t->all_live)
        return OG_OK;
    OG_AUTO_FREE uint32_t *slots = og_malloc((self->ends.len + 1) * sizeof *slots);
    if (slots == NULL)
        return og_error_nomem(err);
    OG_TRY(og_exec__slots_of_vertices(t->table, self->ends.items, (uint32_t)self->ends.len, slots,
                                      err));
    size_t kept = 0;
    for (size_t i = 0; i < self->ends.len; i++) {
        if (slots[i] == UINT32_MAX || (closing && self->ends.items[i] != wanted))
            continue;
        self->ends.items[kept] = self->ends.items[i];
        if (has_edges)
            self->edges.items[kept] = self->edges.items[i];
        kept++;
    }
    self->ends.len = kept;
    return OG_OK;
}

static og_status collect(expand *self, const og_exec__rows *rows, uint32_t row, og_error *err)
{
    const og_exec__step *step = self->op.step;
    uint32_t source = rows->vertices[step->src_var][row];
    self->ends.len = self->edges.len = 0;
    if (self->impossible || (self->matched != NULL && self->matched[rows->tags[row]]))
        return OG_OK;
    if (self->max_hops > 1)
        OG_TRY(collect_levels(self, source, err));
    else if (step->edge_var >= 0)
        OG_TRY(collect_edges(self, source, err));
    else
        OG_TRY(collect_ends(self, source, err));
    uint32_t wanted = step->closing ? rows->vertices[step->var][row] : OG_NO_VERTEX;
    return keep_valid(self, wanted, err);
}

/* ---- giving out --------------------------------------------------------------------------- */

static og_status pull(expand *self, og_error *err)
{
    const og_exec__step *step = self->op.step;
    OG_TRY(og_exec__next(self->op.input, &self->rows, err));
    self->row = 0;
    self->collected = false;
    if (self->rows == NULL || self->impossible)
        return OG_OK;
    return fetch(self, self->rows->vertices[step->src_var], self->rows->count, err);
}

/* Copy ends of rows until the vector is full; fills from[], the ends and the edges. */
static og_status fill(expand *self, uint32_t *ends, uint32_t *edges, uint32_t *out_count,
                      og_error *err)
{
    uint32_t count = 0, capacity = self->op.rows.capacity;
    while (self->row < self->rows->count && count < capacity) {
        if (!self->collected) {
            OG_TRY(collect(self, self->rows, self->row, err));
            self->collected = true;
            self->given = 0;
        }
        uint32_t n = (uint32_t)self->ends.len - self->given;
        if (n > capacity - count)
            n = capacity - count;
        for (uint32_t i = 0; i < n; i++)
            self->from[count + i] = self->row;
        if (n > 0 && ends != NULL)
            memcpy(ends + count, self->ends.items + self->given, n * sizeof *ends);
        if (n > 0 && edges != NULL)
            memcpy(edges + count, self->edges.items + self->given, n * sizeof *edges);
        count += n;
        self->given += n;
        if (self->given == self->ends.len) {
            self->collected = false;
            self->row++;
        }
    }
    *out_count = count;
    return OG_OK;
}

static og_status give_rows(expand *self, og_exec__rows **out, og_error *err)
{
    og_exec__op *op = &self->op;
    const og_exec__step *step = op->step;
    uint32_t *ends = NULL, *edges = NULL, count = 0;
    og_exec__rows_clear(op->x, &op->rows);
    if (!step->closing && step->live_vars[step->var])
        OG_TRY(og_exec__rows_vertices(op->x, &op->rows, step->var, &ends, err));
    if (step->edge_var >= 0 && step->live_vars[step->edge_var])
        OG_TRY(og_exec__rows_vertices(op->x, &op->rows, (uint32_t)step->edge_var, &edges, err));
    *out = NULL;
    for (;;) {
        if (self->rows == NULL)
            OG_TRY(pull(self, err));
        if (self->rows == NULL)
            return OG_OK;
        OG_TRY(fill(self, ends, edges, &count, err));
        if (count > 0)
            break;
        self->rows = NULL;
    }
    OG_TRY(og_exec__rows_spread(op->x, self->rows, self->from, count, step, &op->rows, err));
    if (self->row == self->rows->count)
        self->rows = NULL;
    *out = &op->rows;
    return OG_OK;
}

/* One hop whose ends are all live: a degree is the answer where no end repeats, and one end that is
 * not the start proves that there is one. *out_known false: they must be collected. */
static uint64_t count_at_once(expand *self, const og_exec__rows *rows, uint32_t row,
                              bool *out_known)
{
    const og_exec__step *step = self->op.step;
    uint32_t source = rows->vertices[step->src_var][row];
    bool skipped = self->matched != NULL && self->matched[rows->tags[row]];
    *out_known = self->at_once && (self->hop_count == 1 || step->mode == OG_EXPAND_EXISTS);
    if (!*out_known || skipped)
        return 0;
    og_exec__ends e = og_exec__hop_ends(self->hops[0], source);
    if (og_exec__hop_is_simple(self->hops[0]) && self->hop_count == 1)
        return e.count;
    *out_known = step->mode == OG_EXPAND_EXISTS;
    for (uint32_t h = 0; *out_known && h < self->hop_count; h++) {
        e = og_exec__hop_ends(self->hops[h], source);
        for (uint32_t i = 0; i < e.count; i++) {
            if (!step->same_type || e.targets[i] != source)
                return 1;
        }
    }
    return 0;
}

static og_status count_ends(expand *self, const og_exec__rows *rows, uint32_t row, uint64_t *out,
                            og_error *err)
{
    bool known;
    *out = count_at_once(self, rows, row, &known);
    if (known)
        return OG_OK;
    OG_TRY(collect(self, rows, row, err));
    *out = self->ends.len;
    return OG_OK;
}

/* COUNT and EXISTS change the input's rows in place. */
static og_status give_weights(expand *self, og_exec__rows **out, og_error *err)
{
    og_exec__op *op = &self->op;
    bool counted = op->step->mode == OG_EXPAND_COUNT;
    *out = NULL;
    for (;;) {
        OG_TRY(pull(self, err));
        og_exec__rows *rows = self->rows;
        if (rows == NULL)
            return OG_OK;
        if (counted && rows->weights == NULL) {
            OG_TRY(og_exec__rows_weights(op->x, rows, err));
            for (uint32_t i = 0; i < rows->count; i++)
                rows->weights[i] = 1;
        }
        uint32_t kept = 0;
        for (uint32_t i = 0; i < rows->count; i++) {
            uint64_t ends;
            OG_TRY(count_ends(self, rows, i, &ends, err));
            if (counted)
                rows->weights[i] *= ends;
            self->from[kept] = i;
            kept += ends > 0;
        }
        OG_TRY(og_exec__rows_select(op->x, rows, self->from, kept, op->step->live_columns, err));
        if (kept > 0) {
            *out = rows;
            return OG_OK;
        }
    }
}

static og_status expand_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    expand *self = (expand *)op;
    if (op->step->mode == OG_EXPAND_ROWS)
        return give_rows(self, out, err);
    return give_weights(self, out, err);
}

static void expand_reset(og_exec__op *op)
{
    ((expand *)op)->rows = NULL;
}

static void expand_close(og_exec__op *op)
{
    expand *self = (expand *)op;
    og_vec_deinit(&self->ends);
    og_vec_deinit(&self->edges);
    og_vec_deinit(&self->frontier);
    og_vec_deinit(&self->next);
}

static void expand_describe(const og_exec__op *op, og_buf *out)
{
    const expand *self = (const expand *)op;
    const og_exec__step *step = op->step;
    og_buf_printf(out, "$%.*s ", OG_FMT(og_exec__var_name(op->x->plan, step->src_var)));
    og_buf_text(out, step->direction == OG_DIR_IN ? "<-" : "-");
    og_buf_printf(out, "%.*s", OG_FMT(step->edge->name));
    if (step->max_hops == UINT32_MAX)
        og_buf_printf(out, "{%u,}", step->min_hops);
    else if (step->min_hops != 1 || step->max_hops != 1)
        og_buf_printf(out, "{%u,%u}", step->min_hops, step->max_hops);
    og_buf_text(out, step->direction == OG_DIR_OUT ? "-> " : "- ");
    og_buf_printf(out, "$%.*s", OG_FMT(og_exec__var_name(op->x->plan, step->var)));
    if (step->mode == OG_EXPAND_COUNT)
        og_buf_text(out, ", counted");
    if (step->mode == OG_EXPAND_EXISTS)
        og_buf_text(out, ", any");
    if (step->closing)
        og_buf_text(out, ", bound");
    og_buf_printf(out, " (%s)", og_exec__hop_method_name(self->hops[0]));
}

static const og_exec__op_ops expand_ops = {
    .name = "Expand",
    .next = expand_next,
    .reset = expand_reset,
    .close = expand_close,
    .describe = expand_describe,
};

static og_status find_hops(expand *self, og_error *err)
{
    const og_exec__step *step = self->op.step;
    og_exec *x = self->op.x;
    bool with_edges = step->edge_var >= 0;
    if (step->direction != OG_DIR_IN)
        OG_TRY(
            og_exec__hop_of(x, step->edge, true, with_edges, &self->hops[self->hop_count++], err));
    if (step->direction != OG_DIR_OUT)
        OG_TRY(
            og_exec__hop_of(x, step->edge, false, with_edges, &self->hops[self->hop_count++], err));
    return OG_OK;
}

og_status og_exec__make_expand(og_exec *x, const og_exec__step *step, og_exec__op *input,
                               const uint8_t *matched, og_exec__op **out, og_error *err)
{
    uint32_t capacity = step->mode == OG_EXPAND_ROWS ? OG_EXEC_ROWS : 0;
    OG_TRY(og_exec__op_new(x, &expand_ops, sizeof(expand), step, input, capacity, out, err));
    expand *self = (expand *)*out;
    self->matched = matched;
    self->max_hops = step->same_type ? step->max_hops : 1;
    self->impossible = step->min_hops > self->max_hops;
    self->from = og_arena_alloc(x->arena, OG_BATCH_ROWS * sizeof *self->from);
    if (self->from == NULL)
        return og_error_nomem(err);
    OG_TRY(find_hops(self, err));
    self->at_once = self->max_hops == 1 && !self->impossible && !step->closing &&
                    og_exec__hop_targets(self->hops[0])->all_live;
    return OG_OK;
}
