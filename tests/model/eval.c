/* The answer of a read query, by trying every combination of rows. */
#include "model.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct evaluation {
    const schema *s;
    const op *o;
    const query *q;
    const state *st;
    int row_at[MAX_VARS];
    unsigned char *distances[MAX_TYPES][2]; /* [undirected]; from x to, 255 = no path */
    result *out;
} evaluation;

static const value null_value = {.kind = V_NULL};

/* ---- distances ---------------------------------------------------------------------------- */

static int find_row(const table *t, text id)
{
    for (int i = 0; i < t->count; i++)
        if (t->rows[i]->id.ptr != NULL && text_eq(t->rows[i]->id, id))
            return i;
    return -1;
}

/* Breadth first from each node; between different types a path has one edge. */
static void fill_distances(evaluation *e, int edge, bool undirected)
{
    const type *def = &e->s->types[edge];
    const table *edges = &e->st->tables[edge];
    int from_count = e->st->tables[def->from].count, to_count = e->st->tables[def->to].count;
    unsigned char *d = model_alloc((size_t)(from_count * to_count) + 1);
    memset(d, 255, (size_t)(from_count * to_count));
    bool equal = def->from == def->to;
    for (int i = 0; i < edges->count; i++) {
        int from = find_row(&e->st->tables[def->from], edges->rows[i]->src);
        int to = find_row(&e->st->tables[def->to], edges->rows[i]->dst);
        if (from < 0 || to < 0)
            continue;
        d[from * to_count + to] = 1;
        if (undirected)
            d[to * to_count + from] = 1;
    }
    for (int step = 2; equal && step <= 3; step++)
        for (int a = 0; a < from_count; a++)
            for (int b = 0; b < from_count; b++)
                for (int c = 0; d[a * to_count + b] == step - 1 && c < to_count; c++)
                    if (d[b * to_count + c] == 1 && d[a * to_count + c] == 255 && a != c)
                        d[a * to_count + c] = (unsigned char)step;
    for (int a = 0; equal && a < from_count; a++)
        d[a * to_count + a] = 255; /* the start is never a result */
    e->distances[edge][undirected] = d;
}

static bool hop_holds(evaluation *e, const clause *c)
{
    const type *def = &e->s->types[c->edge];
    int from = e->row_at[c->reversed ? c->right : c->left];
    int to = e->row_at[c->reversed ? c->left : c->right];
    if (e->distances[c->edge][c->undirected] == NULL)
        fill_distances(e, c->edge, c->undirected);
    int distance = e->distances[c->edge][c->undirected][from * e->st->tables[def->to].count + to];
    if (distance < c->min || distance > c->max)
        return false;
    if (c->edge_var < 0)
        return true;
    const row *edge = e->st->tables[c->edge].rows[e->row_at[c->edge_var]];
    text a = e->st->tables[def->from].rows[from]->id, b = e->st->tables[def->to].rows[to]->id;
    return (text_eq(edge->src, a) && text_eq(edge->dst, b)) ||
           (c->undirected && text_eq(edge->src, b) && text_eq(edge->dst, a));
}

/* ---- expressions -------------------------------------------------------------------------- */

static const row *row_of(const evaluation *e, int var)
{
    return e->st->tables[e->q->vars[var].type].rows[e->row_at[var]];
}

static value operand(const evaluation *e, const expr *x)
{
    switch (x->kind) {
    case E_PROP:
        return row_of(e, x->var)->values[x->prop];
    case E_VAR:
        return (value){.kind = V_TEXT, .t = row_of(e, x->var)->id};
    case E_NOW:
        return (value){.kind = V_DATETIME, .i = (__int128)time(NULL) * 1000};
    case E_LITERAL:
    case E_PARAM:
        return *expr_constant(e->o, x);
    }
    return null_value;
}

static bool text_contains(text whole, text part)
{
    for (size_t i = 0; part.len <= whole.len && i <= whole.len - part.len; i++)
        if (memcmp(whole.ptr + i, part.ptr, part.len) == 0)
            return true;
    return false;
}

bool compare_holds(compare_op by, const value *a, const value *b)
{
    if (a->kind == V_NULL || b->kind == V_NULL)
        return false;
    if (by == C_CONTAINS && a->kind == V_LIST) {
        for (int i = 0; i < a->count; i++)
            if (a->items[i].kind != V_NULL && value_compare(&a->items[i], b) == 0)
                return true;
        return false;
    }
    if (by == C_CONTAINS)
        return text_contains(a->t, b->t);
    if (by == C_STARTS)
        return a->t.len >= b->t.len && memcmp(a->t.ptr, b->t.ptr, b->t.len) == 0;
    int order = value_compare(a, b);
    switch (by) {
    case C_EQ:
        return order == 0;
    case C_NE:
        return order != 0;
    case C_LT:
        return order < 0;
    case C_LE:
        return order <= 0;
    case C_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

/* ---- clauses ------------------------------------------------------------------------------ */

static bool bind_holds(const evaluation *e, const clause *c)
{
    for (int i = 0; i < c->pair_count; i++) {
        const value *have = &row_of(e, c->var)->values[c->pairs[i].prop];
        const value *want = expr_constant(e->o, &c->pairs[i].expr);
        if (!compare_holds(have->kind == V_LIST ? C_CONTAINS : C_EQ, have, want))
            return false;
    }
    return true;
}

/* The highest variable that must have a row before the clause can be checked; variables bound
 * inside a negation (`below` and above) are not counted. */
static int highest_var(const clause *c, int below)
{
    int highest = -1;
    int vars[5] = {-1, -1, -1, -1, -1};
    if (c->kind == CL_BIND)
        vars[0] = c->var;
    if (c->kind == CL_HOP) {
        vars[0] = c->left;
        vars[1] = c->right;
        vars[2] = c->edge_var;
    }
    if (c->kind == CL_FILTER) {
        vars[3] = c->lhs.kind == E_PROP ? c->lhs.var : -1;
        vars[4] = c->rhs.kind == E_PROP ? c->rhs.var : -1;
    }
    for (int i = 0; i < 5; i++)
        if (vars[i] > highest && vars[i] < below)
            highest = vars[i];
    for (int i = 0; c->kind == CL_NOT && i < c->inner_count; i++) {
        int limit = c->first_inner_var < below ? c->first_inner_var : below;
        int inner = highest_var(&c->inner[i], limit);
        highest = inner > highest ? inner : highest;
    }
    return highest;
}

static bool clause_holds(evaluation *e, const clause *c);

/* Is there a way to give rows to the variables from `var` to `end` so that all clauses hold? Those
 * that need no variable above `var - 1` have been checked, but for the first call. */
static bool exists(evaluation *e, const clause *c, int var, int end)
{
    for (int i = 0; i < c->inner_count; i++) {
        int needs = highest_var(&c->inner[i], MAX_VARS);
        bool now = var == c->first_inner_var ? needs < var : needs == var - 1;
        if (now && !clause_holds(e, &c->inner[i]))
            return false;
    }
    if (var == end)
        return true;
    int rows = e->st->tables[e->q->vars[var].type].count;
    for (e->row_at[var] = 0; e->row_at[var] < rows; e->row_at[var]++)
        if (exists(e, c, var + 1, end))
            return true;
    return false;
}

static bool clause_holds(evaluation *e, const clause *c)
{
    switch (c->kind) {
    case CL_BIND:
        return bind_holds(e, c);
    case CL_HOP:
        return hop_holds(e, c);
    case CL_FILTER: {
        value a = operand(e, &c->lhs), b = operand(e, &c->rhs);
        return compare_holds(c->op, &a, &b);
    }
    case CL_NOT: {
        int end = c->end_inner_var;
        for (int i = 0; i < c->inner_count; i++)
            if (c->inner[i].kind == CL_NOT && c->inner[i].first_inner_var < end)
                end = c->inner[i].first_inner_var;
        return !exists(e, c, c->first_inner_var, end);
    }
    }
    return false;
}

/* ---- rows --------------------------------------------------------------------------------- */

void cell_print(buf *b, const value *v)
{
    static const char *const tags[] = {"null", "B", "I", "F", "T", "D", "M", "L", "V", "null"};
    buf_str(b, tags[v->kind]);
    if (v->kind == V_LIST || v->kind == V_VECTOR)
        print_result_json(b, v);
    else if (v->kind == V_TEXT)
        print_json_text(b, v->t);
    else if (v->kind == V_FLOAT)
        print_float(b, v->f);
    else if (v->kind != V_NULL && v->kind != V_BLOB)
        print_int(b, v->i);
    buf_str(b, " | ");
}

static result_row *add_row(result *out)
{
    if (out->count == out->cap) {
        int cap = 2 * out->cap + 64;
        result_row *grown = model_alloc(sizeof(*grown) * (size_t)cap);
        if (out->count > 0)
            memcpy(grown, out->rows, sizeof(*grown) * (size_t)out->count);
        out->rows = grown;
        out->cap = cap;
    }
    return &out->rows[out->count++];
}

/* A group's rows, one value per aggregate column. */
typedef struct group {
    value keys[MAX_RETURNS];
    value best[MAX_RETURNS];
    int64_t counts[MAX_RETURNS];
    double sums[MAX_RETURNS];
} group;
typedef struct groups {
    group *all;
    int count, cap;
} groups;

static group *find_group(groups *g, const query *q, const value *keys)
{
    for (int i = 0; i < g->count; i++) {
        bool same = true;
        for (int k = 0; k < q->return_count; k++)
            if (q->returns[k].aggregate == A_NONE)
                same = same && value_same(&g->all[i].keys[k], &keys[k]);
        if (same)
            return &g->all[i];
    }
    if (g->count == g->cap) {
        group *grown = model_alloc(sizeof(group) * (size_t)(2 * g->cap + 16));
        if (g->count > 0)
            memcpy(grown, g->all, sizeof(group) * (size_t)g->count);
        g->all = grown;
        g->cap = 2 * g->cap + 16;
    }
    group *fresh = &g->all[g->count++];
    *fresh = (group){0};
    memcpy(fresh->keys, keys, sizeof(fresh->keys));
    return fresh;
}

static void add_to_group(evaluation *e, groups *g)
{
    value keys[MAX_RETURNS] = {0};
    for (int i = 0; i < e->q->return_count; i++)
        keys[i] = operand(e, &e->q->returns[i].expr);
    group *into = find_group(g, e->q, keys);
    for (int i = 0; i < e->q->return_count; i++) {
        aggregate a = e->q->returns[i].aggregate;
        const value *v = &keys[i];
        if (a == A_NONE || v->kind == V_NULL)
            continue;
        into->counts[i]++;
        if (a == A_SUM || a == A_AVG)
            into->sums[i] += v->kind == V_FLOAT ? v->f : (double)v->i;
        bool better = into->counts[i] == 1;
        if (!better && a == A_MIN)
            better = value_compare(v, &into->best[i]) < 0;
        if (!better && a == A_MAX)
            better = value_compare(v, &into->best[i]) > 0;
        if (better)
            into->best[i] = *v;
    }
}

static value group_value(const query *q, const group *g, int column)
{
    switch (q->returns[column].aggregate) {
    case A_NONE:
        return g->keys[column];
    case A_COUNT:
        return (value){.kind = V_INT, .i = g->counts[column]};
    case A_SUM:
    case A_AVG:
        if (g->counts[column] == 0)
            return null_value;
        return (value){.kind = V_FLOAT,
                       .f = q->returns[column].aggregate == A_SUM
                                ? g->sums[column]
                                : g->sums[column] / (double)g->counts[column]};
    default:
        return g->counts[column] == 0 ? null_value : g->best[column];
    }
}

static void emit_groups(evaluation *e, groups *g)
{
    bool grouped = false;
    for (int i = 0; i < e->q->return_count; i++)
        grouped = grouped || e->q->returns[i].aggregate == A_NONE;
    value nothing[MAX_RETURNS] = {0};
    if (g->count == 0 && !grouped)
        find_group(g, e->q, nothing);
    for (int i = 0; i < g->count; i++) {
        result_row *r = add_row(e->out);
        buf b = {0};
        for (int c = 0; c < e->q->return_count; c++) {
            value v = group_value(e->q, &g->all[i], c);
            cell_print(&b, &v);
            for (int k = 0; k < e->q->order_count; k++)
                if (e->q->order[k].projection == c)
                    r->order[k] = v;
        }
        r->cells = buf_view(&b);
    }
}

static void emit_row(evaluation *e)
{
    result_row *r = add_row(e->out);
    buf b = {0};
    for (int c = 0; c < e->q->return_count; c++) {
        value v = operand(e, &e->q->returns[c].expr);
        cell_print(&b, &v);
    }
    r->cells = buf_view(&b);
    for (int k = 0; k < e->q->order_count; k++) {
        const ordering *by = &e->q->order[k];
        r->order[k] =
            operand(e, by->projection >= 0 ? &e->q->returns[by->projection].expr : &by->expr);
    }
}

static void match_from(evaluation *e, int var, groups *g)
{
    for (int i = 0; i < e->q->clause_count; i++)
        if (highest_var(&e->q->clauses[i], MAX_VARS) == var - 1 &&
            !clause_holds(e, &e->q->clauses[i]))
            return;
    if (var == e->q->outer_var_count) {
        if (e->q->aggregates)
            add_to_group(e, g);
        else
            emit_row(e);
        return;
    }
    int rows = e->st->tables[e->q->vars[var].type].count;
    for (int i = 0; i < rows; i++) {
        e->row_at[var] = i;
        match_from(e, var + 1, g);
    }
}

/* ---- order -------------------------------------------------------------------------------- */

static const query *sorted_query;

static int by_order(const void *a, const void *b)
{
    const result_row *x = a, *y = b;
    for (int k = 0; k < sorted_query->order_count; k++) {
        const value *v = &x->order[k], *w = &y->order[k];
        int order = (v->kind != V_NULL) - (w->kind != V_NULL); /* null is the least */
        if (v->kind != V_NULL && w->kind != V_NULL)
            order = value_compare(v, w);
        if (order != 0)
            return sorted_query->order[k].descending ? -order : order;
    }
    return 0;
}

result model_query(const schema *s, const op *o, const state *st)
{
    result out = {0};
    for (int i = 0; i < o->param_count; i++) {
        if (o->params[i].refused != R_NONE)
            out.refused = o->params[i].refused;
        else if (o->params[i].omitted && !o->params[i].optional)
            out.refused = R_MISSING_PARAM;
    }
    if (out.refused != R_NONE)
        return out;
    evaluation e = {.s = s, .o = o, .q = o->query, .st = st, .out = &out};
    groups g = {0};
    match_from(&e, 0, &g);
    if (o->query->aggregates)
        emit_groups(&e, &g);
    sorted_query = o->query;
    if (out.count > 1 && o->query->order_count > 0)
        qsort(out.rows, (size_t)out.count, sizeof(result_row), by_order);
    return out;
}

static int by_text(const void *a, const void *b)
{
    return text_compare(*(const text *)a, *(const text *)b);
}

/* Rows that tie in the order may come in any order, and a limit may take any of the last ones. */
static const char *compare_run(const result_row *expected, int count, const text *rows, int taken)
{
    text *want = model_alloc(sizeof(text) * (size_t)(count + 1));
    text *have = model_alloc(sizeof(text) * (size_t)(taken + 1));
    for (int i = 0; i < count; i++)
        want[i] = expected[i].cells;
    memcpy(have, rows, sizeof(text) * (size_t)taken);
    qsort(want, (size_t)count, sizeof(text), by_text);
    qsort(have, (size_t)taken, sizeof(text), by_text);
    int at = 0;
    for (int i = 0; i < taken; i++) {
        while (at < count && text_compare(want[at], have[i]) < 0)
            at++;
        if (at == count || !text_eq(want[at], have[i]))
            return text_printf("row not expected (here, or so often): %.300s", have[i].ptr).ptr;
        at++;
    }
    return NULL;
}

static const char *explain(const char *difference, const result *expected, const text *rows,
                           int count)
{
    buf b = {0};
    buf_str(&b, difference);
    for (int i = 0; i < expected->count && i < 12; i++) {
        buf_str(&b, i == 0 ? "\n  expected (before a limit):\n    " : "    ");
        buf_text(&b, expected->rows[i].cells);
        buf_str(&b, "\n");
    }
    for (int i = 0; i < count && i < 12; i++) {
        buf_str(&b, i == 0 ? "\n  found:\n    " : "    ");
        buf_text(&b, rows[i]);
        buf_str(&b, "\n");
    }
    return buf_view(&b).ptr;
}

const char *result_difference(const op *o, const result *expected, const text *rows, int count)
{
    int limit = o->query->limit;
    int want = limit >= 0 && limit < expected->count ? limit : expected->count;
    sorted_query = o->query;
    const char *difference = NULL;
    for (int at = 0; at < want && at < count && difference == NULL;) {
        int end = at + 1;
        while (end < expected->count && (o->query->order_count == 0 ||
                                         by_order(&expected->rows[at], &expected->rows[end]) == 0))
            end++;
        int taken = (end < want ? end : want) - at;
        if (taken > count - at)
            taken = count - at;
        difference = compare_run(&expected->rows[at], end - at, &rows[at], taken);
        at = end;
    }
    if (difference == NULL && want != count)
        difference = text_printf("%d rows expected, %d found", want, count).ptr;
    return difference != NULL ? explain(difference, expected, rows, count) : NULL;
}
