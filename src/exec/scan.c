/* Where rows start: one node by its key, the slots of a table, or a scan of its columns. */
#include "exec/run_priv.h"

#include <inttypes.h>

/* ---- one vertex --------------------------------------------------------------------------- */

typedef struct point {
    og_exec__op op;
    uint32_t vertex; /* OG_NO_VERTEX: no row */
    bool done;
} point;

/* The property that names the node has the value asked for: no need to read it. */
static og_status carry_key(og_exec__op *op, og_error *err)
{
    const og_exec__step *step = op->step;
    const og_exec__predicate *key = &step->predicates[step->key_predicate];
    uint32_t column = key->left.index;
    if (!step->live_columns[column])
        return OG_OK;
    return og_exec__constant_array(op->x->plan->columns[column].arrow,
                                   &op->x->constants[key->right.index], 1,
                                   &op->rows.columns[column], err);
}

static og_status point_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    point *self = (point *)op;
    *out = NULL;
    if (self->done || self->vertex == OG_NO_VERTEX)
        return OG_OK;
    self->done = true;
    og_exec__rows_clear(op->x, &op->rows);
    uint32_t *vertices;
    OG_TRY(og_exec__rows_vertices(op->x, &op->rows, op->step->var, &vertices, err));
    vertices[0] = self->vertex;
    op->rows.count = 1;
    OG_TRY(carry_key(op, err));
    *out = &op->rows;
    return OG_OK;
}

static void point_reset(og_exec__op *op)
{
    ((point *)op)->done = false;
}

static void describe_type(const og_exec__op *op, og_buf *out)
{
    const og_ir_var *var = &op->x->plan->query->vars[op->step->var];
    og_buf_printf(out, "$%.*s: %.*s", OG_FMT(var->name), OG_FMT(var->def->name));
}

static const og_exec__op_ops point_ops = {
    .name = "Point",
    .next = point_next,
    .reset = point_reset,
    .describe = describe_type,
};

/* ---- slots -------------------------------------------------------------------------------- */

/* All live slots of a table, or those of a list; reads nothing. */
typedef struct slot_source {
    og_exec__op op;
    const og_exec__table *table;
    const uint32_t *list; /* NULL: all live ones */
    uint32_t limit;       /* of slots, or of the list */
    uint32_t next;
} slot_source;

static uint32_t fill_live(slot_source *self, const uint8_t *deleted, uint32_t *slots)
{
    uint32_t count = 0, room = self->op.rows.capacity;
    if (deleted == NULL) {
        count = self->limit - self->next < room ? self->limit - self->next : room;
        for (uint32_t i = 0; i < count; i++)
            slots[i] = self->next + i;
        self->next += count;
        return count;
    }
    while (self->next < self->limit && count < room) {
        slots[count] = self->next;
        count += !og_bit_get(deleted, self->next);
        self->next++;
    }
    return count;
}

static uint32_t fill_listed(slot_source *self, uint32_t *slots)
{
    uint32_t count = self->limit - self->next;
    if (count > self->op.rows.capacity)
        count = self->op.rows.capacity;
    if (count > 0)
        memcpy(slots, self->list + self->next, count * sizeof *slots);
    self->next += count;
    return count;
}

og_status og_exec__rows_found(og_exec__op *op, og_lance_table *table, const uint32_t *slots,
                              uint32_t count, og_error *err)
{
    uint32_t *vertices, var = op->step->var;
    if (op->step->live_vertices[var]) {
        OG_TRY(og_exec__rows_vertices(op->x, &op->rows, var, &vertices, err));
        OG_TRY(og_exec__vertices_of_slots(table, slots, count, vertices, err));
    }
    op->rows.count = count;
    return OG_OK;
}

static og_status slot_source_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    slot_source *self = (slot_source *)op;
    const uint8_t *deleted;
    uint32_t *slots;
    *out = NULL;
    og_exec__rows_clear(op->x, &op->rows);
    OG_TRY(og_exec__rows_slots(op->x, &op->rows, op->step->var, &slots, err));
    OG_TRY(og_lance_table_deleted(self->table->table, &deleted, err));
    uint32_t count =
        self->list != NULL ? fill_listed(self, slots) : fill_live(self, deleted, slots);
    if (count == 0)
        return OG_OK;
    *out = &op->rows;
    return og_exec__rows_found(op, self->table->table, slots, count, err);
}

static void slot_source_reset(og_exec__op *op)
{
    ((slot_source *)op)->next = 0;
}

static void slot_source_describe(const og_exec__op *op, og_buf *out)
{
    const slot_source *self = (const slot_source *)op;
    describe_type(op, out);
    if (self->list != NULL)
        og_buf_printf(out, " (%" PRIu32 " candidates)", self->limit);
}

static const og_exec__op_ops slot_source_ops = {
    .name = "Nodes",
    .next = slot_source_next,
    .reset = slot_source_reset,
    .describe = slot_source_describe,
};

static og_status make_slot_source(og_exec *x, const og_exec__step *step, const uint32_t *slots,
                                  uint32_t slot_count, og_exec__op **out, og_error *err)
{
    OG_TRY(og_exec__op_new(x, &slot_source_ops, sizeof(slot_source), step, NULL, OG_EXEC_ROWS, out,
                           err));
    slot_source *self = (slot_source *)*out;
    OG_TRY(og_exec__table_of(x, step->var, &self->table, err));
    self->list = slots;
    self->limit = slot_count;
    if (slots == NULL)
        self->limit = (uint32_t)og_lance_table_slot_count(self->table->table);
    return OG_OK;
}

/* ---- columns ------------------------------------------------------------------------------ */

typedef struct column_scan {
    og_exec__op op;
    const og_exec__table *table;
    uint32_t *columns; /* of the plan */
    uint32_t *fields;  /* of the table, parallel */
    uint32_t count;
    og_lance_scan *scan;
} column_scan;

static og_status carry_slots(column_scan *self, const uint32_t *slots, og_error *err)
{
    og_exec__op *op = &self->op;
    uint32_t var = op->step->var, *dst;
    OG_TRY(og_exec__rows_slots(op->x, &op->rows, var, &dst, err));
    memcpy(dst, slots, op->rows.count * sizeof *dst);
    if (!op->step->live_vertices[var])
        return OG_OK;
    OG_TRY(og_exec__rows_vertices(op->x, &op->rows, var, &dst, err));
    return og_exec__vertices_of_slots(self->table->table, slots, op->rows.count, dst, err);
}

static og_status column_scan_next(og_exec__op *op, og_exec__rows **out, og_error *err)
{
    column_scan *self = (column_scan *)op;
    *out = NULL;
    og_exec__rows_clear(op->x, &op->rows);
    if (self->scan == NULL)
        OG_TRY(og_lance_scan_open(self->table->table, self->fields, self->count, 0, UINT32_MAX,
                                  &self->scan, err));
    OG_AUTO_BATCH batch = {0};
    const uint32_t *slots;
    OG_TRY(og_lance_scan_next(self->scan, &batch, &slots, err));
    if (batch.row_count == 0)
        return OG_OK;
    for (uint32_t i = 0; i < self->count; i++)
        op->rows.columns[self->columns[i]] = OG_TAKE(batch.columns[i]);
    op->rows.count = (uint32_t)batch.row_count;
    OG_TRY(carry_slots(self, slots, err));
    *out = &op->rows;
    return OG_OK;
}

static void column_scan_reset(og_exec__op *op)
{
    column_scan *self = (column_scan *)op;
    og_lance_scan_close(self->scan);
    self->scan = NULL;
}

static void column_scan_describe(const og_exec__op *op, og_buf *out)
{
    const column_scan *self = (const column_scan *)op;
    describe_type(op, out);
    og_buf_text(out, " [");
    for (uint32_t i = 0; i < self->count; i++) {
        const og_exec__column *c = &op->x->plan->columns[self->columns[i]];
        og_buf_printf(out, "%s%.*s", i > 0 ? ", " : "", OG_FMT(c->name));
    }
    og_buf_text(out, "]");
}

static const og_exec__op_ops column_scan_ops = {
    .name = "Scan",
    .next = column_scan_next,
    .reset = column_scan_reset,
    .close = column_scan_reset,
    .describe = column_scan_describe,
};

static bool is_tested(const og_exec__step *step, uint32_t column)
{
    for (uint32_t i = 0; i < step->predicate_count; i++) {
        const og_exec__predicate *p = &step->predicates[i];
        if ((p->left.kind == OG_OPERAND_COLUMN && p->left.index == column) ||
            (p->right.kind == OG_OPERAND_COLUMN && p->right.index == column))
            return true;
    }
    return false;
}

/* The columns to read: those tested, and those wanted of every row when none is tested. */
static og_status choose_columns(column_scan *self, const bool *attach, og_error *err)
{
    og_exec *x = self->op.x;
    const og_exec__step *step = self->op.step;
    self->columns = og_arena_array_of(x->arena, uint32_t, (size_t)x->plan->column_count * 2 + 1);
    if (self->columns == NULL)
        return og_error_nomem(err);
    self->fields = self->columns + x->plan->column_count;
    for (uint32_t c = 0; c < x->plan->column_count; c++) {
        bool wanted = attach != NULL && attach[c] && step->predicate_count == 0;
        int32_t field;
        if (x->plan->columns[c].var != step->var || (!wanted && !is_tested(step, c)))
            continue;
        OG_TRY(og_exec__field_of(x, c, &field, err));
        if (field < 0)
            continue;
        self->columns[self->count] = c;
        self->fields[self->count++] = (uint32_t)field;
    }
    return OG_OK;
}

static og_status make_column_scan(og_exec *x, const og_exec__step *step, const bool *attach,
                                  og_exec__op **out, og_error *err)
{
    OG_TRY(og_exec__op_new(x, &column_scan_ops, sizeof(column_scan), step, NULL, OG_BATCH_ROWS, out,
                           err));
    column_scan *self = (column_scan *)*out;
    OG_TRY(og_exec__table_of(x, step->var, &self->table, err));
    OG_TRY(choose_columns(self, attach, err));
    if (self->count == 0) /* nothing stored to read */
        return make_slot_source(x, step, NULL, 0, out, err);
    return OG_OK;
}

/* ---- choosing ----------------------------------------------------------------------------- */

og_status og_exec__find_key(og_exec *x, const og_exec__step *step, bool *out_known,
                            uint32_t *out_vertex, og_error *err)
{
    *out_known = false;
    if (step->key_predicate < 0)
        return OG_OK;
    const og_literal *id = &x->constants[step->predicates[step->key_predicate].right.index];
    *out_vertex = OG_NO_VERTEX;
    *out_known = id->kind == OG_LIT_NULL || id->kind == OG_LIT_STRING;
    if (id->kind != OG_LIT_STRING)
        return OG_OK;
    const og_exec__table *t;
    OG_TRY(og_exec__table_of(x, step->var, &t, err));
    OG_AUTO(og_directory) directory = NULL;
    OG_TRY(og_snapshot_directory(x->snapshot, x->plan->query->vars[step->var].def, &directory, NULL,
                                 err));
    OG_TRY(og_directory_find(directory, t->table, &id->text, 1, out_vertex, err));
    if (og_directory_has_duplicates(directory))
        *out_known = false; /* several rows may answer: scan */
    return OG_OK;
}

og_status og_exec__make_scan(og_exec *x, const og_exec__step *step, const uint32_t *slots,
                             uint32_t slot_count, const bool *attach, og_exec__op **out,
                             og_error *err)
{
    bool known;
    uint32_t vertex;
    OG_TRY(og_exec__find_key(x, step, &known, &vertex, err));
    if (known) {
        OG_TRY(og_exec__op_new(x, &point_ops, sizeof(point), step, NULL, 1, out, err));
        ((point *)*out)->vertex = vertex;
    } else if (slots != NULL) {
        OG_TRY(make_slot_source(x, step, slots, slot_count, out, err));
    } else {
        OG_TRY(og_exec__make_coded_scan(x, step, out, err));
        if (*out != NULL)
            return OG_OK;
        OG_TRY(make_column_scan(x, step, attach, out, err));
    }
    int32_t skip = known ? step->key_predicate : -1;
    if (step->predicate_count == (known ? 1u : 0u))
        return OG_OK;
    return og_exec__make_filter(x, step, skip, *out, out, err);
}

og_status og_exec__matching_slots(og_exec *x, const og_exec__step *step, uint32_t **out,
                                  uint32_t *out_count, og_error *err)
{
    bool *flags = og_arena_array_of(x->arena, bool, x->plan->query->var_count);
    const bool *none =
        og_arena_array_of(x->arena, bool, x->plan->column_count + x->plan->query->var_count);
    if (flags == NULL || none == NULL)
        return og_error_nomem(err);
    flags[step->var] = true;
    og_exec__step *scan_step = og_arena_copy(x->arena, step, sizeof *step);
    if (scan_step == NULL)
        return og_error_nomem(err);
    scan_step->kind = OG_STEP_SCAN;
    scan_step->live_vars = flags;
    scan_step->live_vertices = scan_step->live_columns = none;

    og_exec__op *scan = NULL;
    OG_VEC(uint32_t) slots = {0};
    og_status status = og_exec__make_scan(x, scan_step, NULL, 0, NULL, &scan, err);
    og_exec__rows *rows = NULL;
    while (status == OG_OK && (status = og_exec__next(scan, &rows, err)) == OG_OK && rows != NULL) {
        if (rows->slots[step->var] == NULL) /* a point: it has its vertex only */
            status = og_exec__ensure_slots(x, rows, step->var, err);
        if (status == OG_OK && !og_vec_reserve(&slots, rows->count))
            status = og_error_nomem(err);
        if (status != OG_OK)
            break;
        memcpy(slots.items + slots.len, rows->slots[step->var], rows->count * sizeof *slots.items);
        slots.len += rows->count;
    }
    og_exec__close_chain(scan);
    if (status != OG_OK) {
        og_vec_deinit(&slots);
        return status;
    }
    *out = slots.items;
    *out_count = (uint32_t)slots.len;
    return OG_OK;
}
