/* Random read queries. */
#include "model.h"

#include <string.h>

const char *const compare_names[8] = {"=", "!=", "<", "<=", ">", ">=", "contains", "starts_with"};

typedef struct maker {
    rng *r;
    const schema *s;
    const state *st;
    op *o;
    query *q;
} maker;

static const type *var_type(const maker *m, int var)
{
    return &m->s->types[m->q->vars[var].type];
}

static int add_var(maker *m, int type_index, bool anonymous)
{
    static const char *const names[] = {"a", "b", "c", "d", "e1", "f_2", "g", "h"};
    int at = m->q->var_count++;
    m->q->vars[at] = (variable){text_of(anonymous ? "_" : names[at]), type_index};
    return at;
}

static bool is_anonymous(const query *q, int var)
{
    return q->vars[var].name.ptr[0] == '_';
}

/* ---- values to compare with --------------------------------------------------------------- */

/* Mostly what is stored, so that something is found. */
static value likely_value(maker *m, int type_index, int prop_index)
{
    const prop *p = &m->s->types[type_index].props[prop_index];
    const table *t = &m->st->tables[type_index];
    value v = random_value(m->r, p, false);
    if (p->key)
        random_key(m->r, &m->s->types[type_index], &v);
    if (t->count > 0 && rng_chance(m->r, 70)) {
        const value *stored = &t->rows[rng_below(m->r, t->count)]->values[prop_index];
        v = stored->kind != V_NULL ? *stored : v;
    }
    return v;
}

/* A literal of a single-precision property must be exact: how a rounded one compares is not
 * said. */
static bool is_exact(const prop *p, const value *v)
{
    return p->type != S_F32 || v->kind != V_FLOAT || v->f * 64 == (double)(int64_t)(v->f * 64);
}

static bool constant(maker *m, const prop *p, bool item, value v, expr *out)
{
    bool literal = value_has_literal(&v) && rng_chance(m->r, 55);
    if (literal) {
        *out = (expr){.kind = E_LITERAL, .literal = v};
        return true;
    }
    int at = add_param(m->r, m->o, p, item, &v, true);
    *out = (expr){.kind = E_PARAM, .param = at};
    return at >= 0;
}

/* ---- clauses ------------------------------------------------------------------------------ */

static bool make_pair(maker *m, int var, field *f)
{
    const type *def = var_type(m, var);
    int index = rng_below(m->r, def->prop_count);
    const prop *p = &def->props[index];
    if (p->type == S_VECTOR || p->type == S_BLOB)
        return false;
    value v = likely_value(m, m->q->vars[var].type, index);
    if (p->list) {
        if (v.count == 0 || v.items[0].kind == V_NULL)
            return false;
        v = v.items[0];
    }
    if (!is_exact(p, &v))
        return false;
    *f = (field){.prop = index, .name = text_of(p->name)};
    return constant(m, p, p->list, v, &f->expr);
}

static clause bind(maker *m, int var)
{
    clause c = {.kind = CL_BIND, .var = var};
    if (!is_anonymous(m->q, var) && rng_chance(m->r, 25) && make_pair(m, var, &c.pairs[0]))
        c.pair_count = 1;
    return c;
}

static clause bind_by_key(maker *m, int var)
{
    clause c = {.kind = CL_BIND, .var = var};
    const type *def = var_type(m, var);
    if (def->key < 0)
        return c;
    value v = likely_value(m, m->q->vars[var].type, def->key);
    c.pairs[0] = (field){.prop = def->key, .name = text_of(def->props[def->key].name)};
    c.pair_count = constant(m, &def->props[def->key], false, v, &c.pairs[0].expr);
    return c;
}

/* An edge type that has the node type at an end; -1 none. */
static int edge_at(maker *m, int node_type)
{
    int found = -1, seen = 0;
    for (int i = m->s->node_count; i < m->s->type_count; i++)
        if (m->s->types[i].from == node_type || m->s->types[i].to == node_type)
            if (rng_below(m->r, ++seen) == 0)
                found = i;
    return found;
}

static void choose_hop_form(maker *m, clause *c, bool inside_not)
{
    const type *edge = &m->s->types[c->edge];
    bool equal = edge->from == edge->to;
    c->undirected = equal && rng_chance(m->r, 20);
    c->min = c->max = 1;
    if (rng_chance(m->r, equal ? 40 : 12)) {
        static const int bounds[][2] = {{1, 2}, {2, 2}, {1, 3}, {1, 1}, {2, 3}};
        int which = rng_below(m->r, 5);
        c->has_bounds = true;
        c->min = bounds[which][0];
        c->max = bounds[which][1];
    } else if (!inside_not && rng_chance(m->r, 25) && m->q->var_count < MAX_VARS) {
        c->edge_var = add_var(m, c->edge, false);
    }
}

/* A hop from `from` to a new variable or, when `to` is given, to that one. False: no edge fits. */
static bool make_hop(maker *m, int from, bool inside_not, clause *out, bool *out_needs_binding)
{
    int from_type = m->q->vars[from].type;
    *out = (clause){.kind = CL_HOP, .edge = edge_at(m, from_type), .edge_var = -1};
    if (out->edge < 0)
        return false;
    const type *edge = &m->s->types[out->edge];
    bool forward = edge->from == from_type && (edge->to != from_type || rng_chance(m->r, 60));
    int to_type = forward ? edge->to : edge->from;
    int other = -1;
    *out_needs_binding = false;
    if (rng_chance(m->r, 20))
        for (int i = 0; i < m->q->var_count; i++)
            if (m->q->vars[i].type == to_type && (i != from || rng_chance(m->r, 30)) &&
                !is_anonymous(m->q, i) && (!inside_not || rng_chance(m->r, 60)))
                other = i;
    if (other < 0 && m->q->var_count < MAX_VARS) {
        bool anonymous = rng_chance(m->r, 12);
        other = add_var(m, to_type, anonymous);
        *out_needs_binding = !anonymous && rng_chance(m->r, 60);
    }
    if (other < 0)
        return false;
    out->left = forward ? from : other;
    out->right = forward ? other : from;
    /* Of different types the direction follows from the types: written either way. */
    if (edge->from != edge->to && rng_chance(m->r, 30)) {
        int swap = out->left;
        out->left = out->right;
        out->right = swap;
    }
    out->reversed = edge->from != edge->to && m->q->vars[out->left].type != edge->from;
    choose_hop_form(m, out, inside_not);
    return true;
}

static compare_op scalar_op(maker *m, const prop *p)
{
    if (scalar_is_textual(p->type) && rng_chance(m->r, 25))
        return rng_chance(m->r, 50) ? C_CONTAINS : C_STARTS;
    return (compare_op)rng_below(m->r, 6);
}

static bool compare_props(maker *m, const prop *p, clause *c)
{
    for (int i = m->q->var_count - 1; i >= 0; i--) {
        const type *def = var_type(m, i);
        if (is_anonymous(m->q, i))
            continue;
        for (int k = 0; k < def->prop_count; k++) {
            const prop *other = &def->props[k];
            bool fits = other->type == p->type ||
                        (scalar_is_numeric(p->type) && scalar_is_numeric(other->type)) ||
                        (scalar_is_textual(p->type) && scalar_is_textual(other->type));
            if (!fits || other->list || rng_chance(m->r, 30))
                continue;
            c->rhs = (expr){.kind = E_PROP, .var = i, .prop = k};
            return true;
        }
    }
    return false;
}

static compare_op mirror(compare_op op)
{
    static const compare_op mirrored[] = {C_EQ, C_NE, C_GT, C_GE, C_LT, C_LE};
    return mirrored[op];
}

static bool make_filter(maker *m, int var, clause *out)
{
    const type *def = var_type(m, var);
    if (is_anonymous(m->q, var) || def->prop_count == 0)
        return false;
    int index = rng_below(m->r, def->prop_count);
    const prop *p = &def->props[index];
    *out = (clause){.kind = CL_FILTER, .lhs = {.kind = E_PROP, .var = var, .prop = index}};
    if (p->type == S_VECTOR || p->type == S_BLOB)
        return false;
    value v = likely_value(m, m->q->vars[var].type, index);
    if (p->list) {
        out->op = C_CONTAINS;
        if (v.count > 0 && v.items[0].kind != V_NULL)
            v = v.items[0];
        else
            return false;
        return is_exact(p, &v) && constant(m, p, true, v, &out->rhs);
    }
    out->op = scalar_op(m, p);
    if (p->type == S_ENUM && out->op >= C_CONTAINS && rng_chance(m->r, 70))
        out->op = C_EQ;
    if (out->op < C_CONTAINS && rng_chance(m->r, 12) && compare_props(m, p, out))
        return true;
    if (out->op < C_CONTAINS && rng_chance(m->r, 4)) {
        out->rhs = (expr){.kind = E_LITERAL, .literal = {.kind = V_NULL}};
        return true;
    }
    if (p->type == S_DATETIME && out->op < C_CONTAINS && rng_chance(m->r, 15)) {
        out->rhs = (expr){.kind = E_NOW};
        return true;
    }
    if (scalar_is_integer(p->type) && rng_chance(m->r, 25))
        v = (value){.kind = V_FLOAT, .f = rng_range(m->r, -4, 8) * 0.5};
    if (v.kind == V_TEXT && out->op >= C_CONTAINS && v.t.len > 1 && rng_chance(m->r, 60))
        v.t = text_printf("%.1s", (unsigned char)v.t.ptr[0] < 128 ? v.t.ptr : "\0");
    if (!is_exact(p, &v))
        return false;
    prop as_given = *p;
    if (v.kind == V_FLOAT && scalar_is_integer(p->type))
        as_given.type = S_F64;
    if (!constant(m, &as_given, false, v, &out->rhs))
        return false;
    if (out->op < C_CONTAINS && rng_chance(m->r, 12)) {
        expr swap = out->lhs;
        out->lhs = out->rhs;
        out->rhs = swap;
        out->op = mirror(out->op);
    }
    return true;
}

/* Clauses within not { }, all about `outer`. */
static bool make_not(maker *m, int outer, int depth, clause *out)
{
    *out = (clause){.kind = CL_NOT, .first_inner_var = m->q->var_count};
    out->inner = model_alloc(sizeof(clause) * 4);
    clause *next = out->inner;
    bool needs_binding = false;
    int inner_var = outer;
    if (rng_chance(m->r, 80)) {
        int first_new = m->q->var_count;
        if (!make_hop(m, outer, true, next, &needs_binding))
            return false;
        bool fresh = m->q->var_count > first_new;
        next++;
        if (fresh && needs_binding)
            *next++ = bind(m, first_new);
        inner_var = fresh ? first_new : outer;
    }
    if ((next == out->inner || rng_chance(m->r, 35)) && make_filter(m, inner_var, next))
        next++;
    if (next == out->inner)
        return false;
    if (depth == 0 && rng_chance(m->r, 25) && !is_anonymous(m->q, inner_var) &&
        make_not(m, inner_var, 1, next))
        next++;
    out->inner_count = (int)(next - out->inner);
    out->end_inner_var = m->q->var_count;
    return true;
}

static bool add_clause(maker *m, clause c)
{
    if (m->q->clause_count == MAX_CLAUSES)
        return false;
    m->q->clauses[m->q->clause_count++] = c;
    return true;
}

static void make_match(maker *m)
{
    int first = add_var(m, rng_below(m->r, m->s->node_count), false);
    add_clause(m, rng_chance(m->r, 15) ? bind_by_key(m, first) : bind(m, first));
    /* Naive evaluation of a large graph bears no three free variables. */
    if (!m->s->large && rng_chance(m->r, 7)) {
        int second = add_var(m, rng_below(m->r, m->s->node_count), false);
        add_clause(m, bind(m, second));
    }
    int hops = rng_chance(m->r, 60) ? rng_range(m->r, 1, m->s->large ? 1 : 2) : 0;
    for (int i = 0; i < hops; i++) {
        clause hop;
        bool needs_binding;
        int from = rng_below(m->r, m->q->var_count), before = m->q->var_count;
        query saved = *m->q;
        if (is_anonymous(m->q, from) || var_type(m, from)->is_edge)
            continue;
        if (!make_hop(m, from, false, &hop, &needs_binding) ||
            m->q->clause_count + 2 > MAX_CLAUSES) {
            *m->q = saved;
            continue;
        }
        /* The other end may be bound before or after the hop, or get its type from the edge. */
        bool bind_it = m->q->var_count > before && needs_binding;
        bool bind_first = bind_it && rng_chance(m->r, 50);
        if (bind_first)
            add_clause(m, bind(m, before));
        add_clause(m, hop);
        if (bind_it && !bind_first)
            add_clause(m, bind(m, before));
    }
    int filters = rng_chance(m->r, 60) ? rng_range(m->r, 1, 2) : 0;
    for (int i = 0; i < filters; i++) {
        clause filter;
        if (make_filter(m, rng_below(m->r, m->q->var_count), &filter))
            add_clause(m, filter);
    }
    m->q->outer_var_count = m->q->var_count;
    if (rng_chance(m->r, 30)) {
        clause negation;
        int outer = rng_below(m->r, m->q->outer_var_count);
        query saved = *m->q;
        if (is_anonymous(m->q, outer) || var_type(m, outer)->is_edge ||
            !make_not(m, outer, 0, &negation) || !add_clause(m, negation))
            *m->q = saved;
    }
}

/* ---- results ------------------------------------------------------------------------------ */

static bool make_operand(maker *m, bool scalars_only, expr *out)
{
    int var = rng_below(m->r, m->q->outer_var_count);
    const type *def = var_type(m, var);
    if (is_anonymous(m->q, var))
        return false;
    if (def->prop_count == 0 || (!def->is_edge && rng_chance(m->r, 15))) {
        *out = (expr){.kind = E_VAR, .var = var};
        return !def->is_edge;
    }
    *out = (expr){.kind = E_PROP, .var = var, .prop = rng_below(m->r, def->prop_count)};
    const prop *p = &def->props[out->prop];
    return !scalars_only || (!p->list && p->type != S_VECTOR && p->type != S_BLOB);
}

static bool aggregate_fits(const maker *m, aggregate a, const expr *e)
{
    if (a == A_COUNT)
        return true;
    if (e->kind != E_PROP)
        return false;
    const prop *p = &var_type(m, e->var)->props[e->prop];
    if (a == A_SUM || a == A_AVG)
        return scalar_is_numeric(p->type) && !p->wild && !p->key;
    return scalar_is_numeric(p->type) || scalar_is_textual(p->type) || p->type == S_DATE ||
           p->type == S_DATETIME;
}

static void make_returns(maker *m)
{
    query *q = m->q;
    int wanted = rng_range(m->r, 1, 4);
    q->aggregates = rng_chance(m->r, 30);
    for (int tries = 0; tries < 30 && q->return_count < wanted; tries++) {
        projection p = {0};
        if (!make_operand(m, q->aggregates, &p.expr))
            continue;
        bool last = q->return_count == wanted - 1;
        if (q->aggregates && (last || rng_chance(m->r, 40))) {
            p.aggregate = (aggregate)rng_range(m->r, A_COUNT, A_MAX);
            if (!aggregate_fits(m, p.aggregate, &p.expr))
                continue;
        }
        if (q->aggregates || rng_chance(m->r, 60))
            p.alias = text_printf("r%d", q->return_count);
        buf name = {0};
        print_expr(&name, m->o, q, m->s, &p.expr);
        text unnamed = buf_view(&name);
        p.column = p.alias.ptr != NULL ? p.alias : (text){unnamed.ptr + 1, unnamed.len - 1};
        q->returns[q->return_count++] = p;
    }
    bool any = false;
    for (int i = 0; i < q->return_count; i++)
        any = any || q->returns[i].aggregate != A_NONE;
    q->aggregates = any;
}

static bool orderable(const maker *m, const expr *e)
{
    if (e->kind == E_VAR)
        return true;
    const prop *p = &var_type(m, e->var)->props[e->prop];
    return !p->list && p->type != S_VECTOR && p->type != S_BLOB;
}

static void make_order(maker *m)
{
    query *q = m->q;
    q->limit = rng_chance(m->r, 25) ? rng_range(m->r, 1, 8) : -1;
    int wanted = rng_chance(m->r, 45) ? rng_range(m->r, 1, MAX_ORDER) : 0;
    for (int tries = 0; tries < 8 && q->order_count < wanted; tries++) {
        ordering by = {.projection = -1, .descending = rng_chance(m->r, 45)};
        if (q->aggregates || rng_chance(m->r, 50)) {
            by.projection = rng_below(m->r, q->return_count);
            const projection *p = &q->returns[by.projection];
            if (p->alias.ptr == NULL || (p->aggregate == A_NONE && !orderable(m, &p->expr)))
                continue;
        } else if (!make_operand(m, true, &by.expr)) {
            continue;
        }
        q->order[q->order_count++] = by;
    }
}

/* ---- text --------------------------------------------------------------------------------- */

static void print_clauses(buf *b, const maker *m, const clause *clauses, int count, int indent);

static void print_hop(buf *b, const maker *m, const clause *c)
{
    const query *q = m->q;
    buf_printf(b, "$%s ", q->vars[c->left].name.ptr);
    if (c->edge_var >= 0)
        buf_printf(b, "$%s:", q->vars[c->edge_var].name.ptr);
    buf_printf(b, "%s%s%s", c->undirected ? "<" : "", edge_word(&m->s->types[c->edge]).ptr,
               c->undirected ? ">" : "");
    if (c->has_bounds)
        buf_printf(b, "{%d,%d}", c->min, c->max);
    buf_printf(b, " $%s", q->vars[c->right].name.ptr);
}

static void print_clause(buf *b, const maker *m, const clause *c, int indent)
{
    const query *q = m->q;
    switch (c->kind) {
    case CL_BIND:
        buf_printf(b, "$%s: %s", q->vars[c->var].name.ptr, var_type(m, c->var)->name);
        if (c->pair_count > 0) {
            buf_printf(b, " { %s: ", c->pairs[0].name.ptr);
            print_expr(b, m->o, q, m->s, &c->pairs[0].expr);
            buf_str(b, " }");
        }
        return;
    case CL_HOP:
        print_hop(b, m, c);
        return;
    case CL_FILTER:
        print_expr(b, m->o, q, m->s, &c->lhs);
        buf_printf(b, " %s ", compare_names[c->op]);
        print_expr(b, m->o, q, m->s, &c->rhs);
        return;
    case CL_NOT:
        buf_str(b, "not {\n");
        print_clauses(b, m, c->inner, c->inner_count, indent + 4);
        buf_printf(b, "%*s}", indent, "");
        return;
    }
}

static void print_clauses(buf *b, const maker *m, const clause *clauses, int count, int indent)
{
    for (int i = 0; i < count; i++) {
        buf_printf(b, "%*s", indent, "");
        print_clause(b, m, &clauses[i], indent);
        buf_str(b, "\n");
    }
}

static void print_returns(buf *b, const maker *m)
{
    static const char *const names[] = {"", "count", "sum", "avg", "min", "max"};
    const query *q = m->q;
    for (int i = 0; i < q->return_count; i++) {
        const projection *p = &q->returns[i];
        buf_str(b, i > 0 ? ", " : "");
        if (p->aggregate != A_NONE)
            buf_printf(b, "%s(", names[p->aggregate]);
        print_expr(b, m->o, q, m->s, &p->expr);
        buf_str(b, p->aggregate != A_NONE ? ")" : "");
        if (p->alias.ptr != NULL)
            buf_printf(b, " as %s", p->alias.ptr);
    }
}

static void print_query(maker *m)
{
    const query *q = m->q;
    buf b = {0};
    buf_str(&b, "query ask(");
    print_param_list(&b, m->o);
    buf_str(&b, ") {\n    match {\n");
    print_clauses(&b, m, q->clauses, q->clause_count, 8);
    buf_str(&b, "    }\n    return { ");
    print_returns(&b, m);
    buf_str(&b, " }\n");
    for (int i = 0; i < q->order_count; i++) {
        const ordering *by = &q->order[i];
        buf_str(&b, i == 0 ? "    order { " : ", ");
        if (by->projection >= 0)
            buf_text(&b, q->returns[by->projection].alias);
        else
            print_expr(&b, m->o, q, m->s, &by->expr);
        buf_str(&b, by->descending ? " desc" : rng_chance(m->r, 50) ? " asc" : "");
    }
    buf_str(&b, q->order_count > 0 ? " }\n" : "");
    if (q->limit >= 0)
        buf_printf(&b, "    limit %d\n", q->limit);
    buf_str(&b, "}\n");
    m->o->input = buf_view(&b);
}

bool generate_query(rng *r, const schema *s, const state *st, op *out)
{
    out->kind = OP_QUERY;
    out->query = model_alloc(sizeof(query));
    maker m = {r, s, st, out, out->query};
    make_match(&m);
    make_returns(&m);
    if (m.q->return_count == 0)
        return false;
    make_order(&m);
    print_query(&m);
    finish_params(out);
    return true;
}
