/* What loads and mutations do to the model's rows. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

/* ---- loads -------------------------------------------------------------------------------- */

static refusal fill_row(const type *def, const record *rec, row *r)
{
    bool given[MAX_PROPS] = {false};
    refusal why = rec->refused;
    for (int i = 0; i < rec->field_count; i++) {
        const field *f = &rec->fields[i];
        if (why == R_NONE)
            why = f->refused;
        if (f->prop < 0)
            continue;
        given[f->prop] = true;
        r->values[f->prop] = f->value;
        if (why == R_NONE)
            why = check_value(&def->props[f->prop], &f->value);
    }
    for (int i = 0; i < def->prop_count; i++) {
        const prop *p = &def->props[i];
        if (!given[i] && p->has_default)
            r->values[i] = p->default_value;
        else if (!given[i] && !p->nullable && why == R_NONE)
            why = R_MISSING_REQUIRED;
    }
    return why;
}

static text key_text(const value *v)
{
    if (v->kind == V_TEXT)
        return v->t;
    buf b = {0};
    print_int(&b, v->i);
    return buf_view(&b);
}

static bool occurs(const op *o, int type)
{
    for (int i = 0; i < o->record_count; i++)
        if (o->records[i].type == type)
            return true;
    return false;
}

/* A stored edge of a type that is not in the file lost its node to one that is. */
static bool leaves_dangling(const schema *s, const op *o, const state *st)
{
    for (int i = s->node_count; i < s->type_count; i++) {
        const type *def = &s->types[i];
        for (int k = 0; !occurs(o, i) && k < st->tables[i].count; k++) {
            const row *r = st->tables[i].rows[k];
            if (table_find(&st->tables[def->from], r->src) == NULL ||
                table_find(&st->tables[def->to], r->dst) == NULL)
                return true;
        }
    }
    return false;
}

static void replace_or_add(table *t, row *r)
{
    for (int i = 0; r->id.ptr != NULL && i < t->count; i++)
        if (t->rows[i]->id.ptr != NULL && text_eq(t->rows[i]->id, r->id)) {
            t->rows[i] = r;
            return;
        }
    table_add(t, r);
}

static refusal load_record(const schema *s, const op *o, const record *rec, table *written,
                           state *st)
{
    if (rec->type < 0)
        return rec->refused;
    const type *def = &s->types[rec->type];
    row *r = model_alloc(sizeof(*r));
    refusal why = fill_row(def, rec, r);
    if (rec->has_id)
        r->id = rec->id;
    if (def->key >= 0)
        r->id = key_text(&r->values[def->key]);
    r->src = rec->from;
    r->dst = rec->to;
    if (why != R_NONE)
        return why;
    if (r->id.ptr != NULL && table_find(&written[rec->type], r->id) != NULL)
        return R_DUPLICATE_IN_FILE;
    table_add(&written[rec->type], r);
    table *t = &st->tables[rec->type];
    if (o->mode == L_APPEND && r->id.ptr != NULL && table_find(t, r->id) != NULL)
        return def->is_edge ? R_APPEND_EDGE : R_APPEND_NODE;
    replace_or_add(t, r);
    return R_NONE;
}

outcome model_load(const schema *s, const op *o, state *st)
{
    outcome out = {.refused = o->refused};
    state next = state_clone(st);
    for (int i = 0; o->mode == L_OVERWRITE && i < s->type_count; i++)
        if (occurs(o, i))
            next.tables[i] = (table){0};
    table written[MAX_TYPES] = {0};
    for (int i = 0; out.refused == R_NONE && i < o->record_count; i++)
        out.refused = load_record(s, o, &o->records[i], written, &next);
    if (out.refused == R_NONE && o->mode == L_OVERWRITE && leaves_dangling(s, o, &next))
        out.refused = R_OVERWRITE_DANGLING;
    if (out.refused == R_NONE)
        out.refused = check_state(s, &next);
    if (out.refused != R_NONE)
        return out;
    out.committed = true;
    for (int i = 0; i < o->record_count; i++)
        *(s->types[o->records[i].type].is_edge ? &out.edge_rows : &out.node_rows) += 1;
    *st = next;
    return out;
}

/* ---- mutations ---------------------------------------------------------------------------- */

static const value null_value = {.kind = V_NULL};

const value *expr_constant(const op *o, const expr *e)
{
    if (e->kind == E_PARAM)
        return o->params[e->param].omitted ? &null_value : &o->params[e->param].value;
    return &e->literal;
}

static refusal assign(const type *def, const op *o, const field *f, row *r)
{
    value v = *expr_constant(o, &f->expr);
    refusal why = fit_value(&def->props[f->prop], &v);
    if (why == R_NONE)
        why = check_value(&def->props[f->prop], &v);
    r->values[f->prop] = v;
    return why;
}

static void insert_row(const schema *s, const op *o, const statement *st, state *next, outcome *out)
{
    const type *def = &s->types[st->type];
    row *r = model_alloc(sizeof(*r));
    bool given[MAX_PROPS] = {false};
    for (int i = 0; i < st->field_count && out->refused == R_NONE; i++) {
        given[st->fields[i].prop] = true;
        out->refused = assign(def, o, &st->fields[i], r);
    }
    for (int i = 0; i < def->prop_count; i++) {
        if (!given[i] && def->props[i].has_default)
            r->values[i] = def->props[i].default_value;
        else if (!given[i] && !def->props[i].nullable && out->refused == R_NONE)
            out->refused = R_MISSING_REQUIRED;
    }
    if (out->refused != R_NONE)
        return;
    if (def->key >= 0)
        r->id = key_text(&r->values[def->key]);
    if (def->is_edge) {
        r->src = expr_constant(o, &st->from)->t;
        r->dst = expr_constant(o, &st->to)->t;
        /* An end that a later statement inserts is not decided by the documentation. */
        if (table_find(&next->tables[def->from], r->src) == NULL ||
            table_find(&next->tables[def->to], r->dst) == NULL)
            out->unclear = st != &o->statements[o->statement_count - 1];
    }
    *(def->is_edge ? &out->edge_rows : &out->node_rows) += 1;
    replace_or_add(&next->tables[st->type], r);
}

static bool where_holds(const op *o, const statement *st, const row *r)
{
    value left = {.kind = V_TEXT};
    if (st->where_prop == COLUMN_SRC)
        left.t = r->src;
    else if (st->where_prop == COLUMN_DST)
        left.t = r->dst;
    else
        left = r->values[st->where_prop];
    return compare_holds(st->where_op, &left, expr_constant(o, &st->where_value));
}

static void update_rows(const schema *s, const op *o, const statement *st, state *next,
                        outcome *out)
{
    table *t = &next->tables[st->type];
    row probe = {0};
    refusal of_values = R_NONE;
    for (int i = 0; i < st->field_count && of_values == R_NONE; i++)
        of_values = assign(&s->types[st->type], o, &st->fields[i], &probe);
    bool matched = false;
    for (int i = 0; i < t->count; i++) {
        if (!where_holds(o, st, t->rows[i]))
            continue;
        matched = true;
        row *changed = model_alloc(sizeof(*changed));
        *changed = *t->rows[i];
        for (int k = 0; k < st->field_count; k++)
            (void)assign(&s->types[st->type], o, &st->fields[k], changed);
        t->rows[i] = changed;
        out->node_rows++;
    }
    if (of_values != R_NONE && !matched)
        out->unclear = true; /* a wrong value for no row */
    out->refused = of_values;
}

static void cascade(const schema *s, int node_type, text id, state *next, outcome *out)
{
    for (int i = s->node_count; id.ptr != NULL && i < s->type_count; i++) {
        table *t = &next->tables[i];
        int kept = 0;
        for (int k = 0; k < t->count; k++) {
            row *e = t->rows[k];
            bool hit = (s->types[i].from == node_type && text_eq(e->src, id)) ||
                       (s->types[i].to == node_type && text_eq(e->dst, id));
            out->edge_rows += hit;
            if (!hit)
                t->rows[kept++] = e;
        }
        t->count = kept;
    }
}

static void delete_rows(const schema *s, const op *o, const statement *st, state *next,
                        outcome *out)
{
    table *t = &next->tables[st->type];
    bool is_edge = s->types[st->type].is_edge;
    int kept = 0;
    for (int i = 0; i < t->count; i++) {
        if (!where_holds(o, st, t->rows[i])) {
            t->rows[kept++] = t->rows[i];
            continue;
        }
        *(is_edge ? &out->edge_rows : &out->node_rows) += 1;
        if (!is_edge)
            cascade(s, st->type, t->rows[i]->id, next, out);
    }
    t->count = kept;
}

static refusal param_refusal(const op *o)
{
    for (int i = 0; i < o->param_count; i++) {
        if (o->params[i].refused != R_NONE)
            return o->params[i].refused;
        if (o->params[i].omitted && !o->params[i].optional)
            return R_MISSING_PARAM;
    }
    return o->refused;
}

outcome model_mutate(const schema *s, const op *o, state *st)
{
    outcome out = {.refused = param_refusal(o)};
    for (int i = 0; i < o->statement_count && out.refused == R_NONE; i++)
        out.refused = o->statements[i].refused;
    state next = state_clone(st);
    for (int i = 0; i < o->statement_count && out.refused == R_NONE; i++) {
        const statement *each = &o->statements[i];
        if (each->kind == ST_INSERT)
            insert_row(s, o, each, &next, &out);
        else if (each->kind == ST_UPDATE)
            update_rows(s, o, each, &next, &out);
        else
            delete_rows(s, o, each, &next, &out);
    }
    if (out.refused == R_NONE)
        out.refused = check_state(s, &next);
    if (out.refused != R_NONE)
        return (outcome){.refused = out.refused, .unclear = out.unclear};
    out.committed = out.node_rows + out.edge_rows > 0;
    *st = next;
    return out;
}
