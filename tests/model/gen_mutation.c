/* Random mutations, and the parameters that queries share with them. */
#include "model.h"

#include <stdio.h>
#include <string.h>

/* ---- parameters --------------------------------------------------------------------------- */

int add_param(rng *r, op *o, const prop *p, bool item, const value *v, bool may_omit)
{
    if (o->param_count == MAX_PARAMS)
        return -1;
    param *q = &o->params[o->param_count];
    *q = (param){.type = p->type, .list = p->list && !item, .dim = p->dim, .value = *v};
    q->name = text_printf("p%d", o->param_count);
    if (q->type == S_ENUM)
        q->type = S_STRING;
    q->optional = rng_chance(r, 30) || v->kind == V_NULL;
    if (q->optional && may_omit && rng_chance(r, 20))
        q->value = (value){.kind = V_NULL};
    if (q->value.kind == V_NULL)
        q->omitted = rng_chance(r, 60);
    buf b = {0};
    bool as_text = q->value.kind == V_INT && rng_chance(r, 20);
    buf_str(&b, as_text ? "\"" : "");
    print_input(&b, &q->value);
    buf_str(&b, as_text ? "\"" : "");
    q->input = buf_view(&b);
    return o->param_count++;
}

void finish_params(op *o)
{
    buf b = {0};
    buf_str(&b, "{");
    bool first = true;
    for (int i = 0; i < o->param_count; i++) {
        if (o->params[i].omitted)
            continue;
        buf_printf(&b, "%s\"%s\":", first ? "" : ",", o->params[i].name.ptr);
        buf_text(&b, o->params[i].input);
        first = false;
    }
    buf_str(&b, first ? "\"unknown\":1}" : "}"); /* undeclared names are ignored */
    o->params_json = buf_view(&b);
}

void print_param_list(buf *b, const op *o)
{
    for (int i = 0; i < o->param_count; i++) {
        const param *p = &o->params[i];
        buf_printf(b, "%s$%s: %s%s", i > 0 ? ", " : "", p->name.ptr, p->list ? "[" : "",
                   scalar_names[p->type]);
        if (p->type == S_VECTOR)
            buf_printf(b, "(%d)", p->dim);
        buf_printf(b, "%s%s", p->list ? "]" : "", p->optional ? "?" : "");
    }
}

void print_expr(buf *b, const op *o, const query *q, const schema *s, const expr *e)
{
    switch (e->kind) {
    case E_LITERAL:
        if (e->spelling.ptr != NULL)
            buf_text(b, e->spelling);
        else
            print_literal(b, &e->literal);
        return;
    case E_PARAM:
        buf_printf(b, "$%s", o->params[e->param].name.ptr);
        return;
    case E_NOW:
        buf_str(b, "now()");
        return;
    case E_PROP:
        buf_printf(b, "$%s.%s", q->vars[e->var].name.ptr,
                   s->types[q->vars[e->var].type].props[e->prop].name);
        return;
    case E_VAR:
        buf_printf(b, "$%s", q->vars[e->var].name.ptr);
        return;
    }
}

/* ---- statements --------------------------------------------------------------------------- */

/* A literal or a parameter that holds the value. */
static expr value_expr(rng *r, op *o, const prop *p, const value *v)
{
    /* Texts are no blobs: a literal can't be one. */
    bool may_be_literal = value_has_literal(v) && v->kind != V_BLOB;
    if (!may_be_literal || rng_chance(r, 45)) {
        int at = add_param(r, o, p, false, v, p->nullable);
        if (at >= 0)
            return (expr){.kind = E_PARAM, .param = at};
    }
    if (!may_be_literal)
        return (expr){.kind = E_LITERAL, .literal = {.kind = V_LIST}};
    return (expr){.kind = E_LITERAL, .literal = *v};
}

static expr text_expr(rng *r, op *o, text t)
{
    prop p = {.type = S_STRING};
    value v = {.kind = V_TEXT, .t = t};
    return value_expr(r, o, &p, &v);
}

static bool make_assignment(rng *r, op *o, const type *def, const table *stored, int index,
                            field *f)
{
    const prop *p = &def->props[index];
    f->prop = index;
    f->name = text_of(p->name);
    value v = random_value(r, p, true);
    if (p->key)
        random_key(r, def, &v);
    else if (p->wide > 0 && stored->count > 0 && rng_chance(r, 10))
        v = stored->rows[rng_below(r, stored->count)]->values[index];
    f->expr = value_expr(r, o, p, &v);
    return f->expr.literal.kind != V_LIST || p->list;
}

static bool make_insert(rng *r, const schema *s, const state *st, op *o, statement *out)
{
    const type *def = &s->types[out->type];
    if (def->is_edge) {
        text from = random_stored_id(r, st, def->from), to = random_stored_id(r, st, def->to);
        /* Sometimes a node that an earlier statement inserts. */
        for (int i = 0; i < o->statement_count; i++) {
            const statement *before = &o->statements[i];
            const type *other = &s->types[before->type];
            if (before->kind != ST_INSERT || before->type != def->to || other->key < 0)
                continue;
            for (int k = 0; k < before->field_count; k++)
                if (before->fields[k].prop == other->key) {
                    const value *v = expr_constant(o, &before->fields[k].expr);
                    buf b = {0};
                    if (v->kind == V_INT)
                        print_int(&b, v->i);
                    to = v->kind == V_INT ? buf_view(&b) : v->t;
                }
        }
        if (rng_chance(r, 6))
            to = text_of("nobody");
        if (from.ptr == NULL || to.ptr == NULL)
            return false;
        out->from = text_expr(r, o, from);
        out->to = text_expr(r, o, to);
    }
    for (int i = 0; i < def->prop_count; i++) {
        const prop *p = &def->props[i];
        if (!p->key && (p->nullable || p->has_default) && rng_chance(r, 30))
            continue;
        if (!make_assignment(r, o, def, &st->tables[out->type], i,
                             &out->fields[out->field_count++]))
            return false;
    }
    return def->is_edge || out->field_count > 0;
}

static bool make_where(rng *r, const schema *s, const state *st, op *o, statement *out)
{
    const type *def = &s->types[out->type];
    static const compare_op ops[] = {C_EQ, C_EQ, C_EQ, C_NE, C_LT, C_LE, C_GT, C_GE};
    out->where_op = ops[rng_below(r, 8)];
    if (def->is_edge && rng_chance(r, 60)) {
        out->where_prop = rng_chance(r, 50) ? COLUMN_SRC : COLUMN_DST;
        text id = random_stored_id(r, st, out->where_prop == COLUMN_SRC ? def->from : def->to);
        out->where_value = text_expr(r, o, id.ptr != NULL ? id : text_of("nobody"));
        if (rng_chance(r, 70))
            out->where_op = C_EQ;
        return true;
    }
    if (def->prop_count == 0)
        return false;
    int index = def->key >= 0 && rng_chance(r, 50) ? def->key : rng_below(r, def->prop_count);
    const prop *p = &def->props[index];
    if (p->list || p->type == S_VECTOR || p->type == S_BLOB)
        return false;
    if (p->key && rng_chance(r, 80))
        out->where_op = C_EQ;
    out->where_prop = index;
    value v = random_value(r, p, false);
    const table *t = &st->tables[out->type];
    if (t->count > 0 && rng_chance(r, 70)) {
        const value *stored = &t->rows[rng_below(r, t->count)]->values[index];
        v = stored->kind != V_NULL ? *stored : v;
    }
    out->where_value = value_expr(r, o, p, &v);
    return true;
}

static bool make_update(rng *r, const schema *s, const state *st, op *o, statement *out)
{
    const type *def = &s->types[out->type];
    int wanted = rng_range(r, 1, 3);
    for (int i = 0; i < def->prop_count && out->field_count < wanted; i++) {
        if (def->props[i].key || rng_chance(r, 40))
            continue;
        if (!make_assignment(r, o, def, &st->tables[out->type], i,
                             &out->fields[out->field_count++]))
            return false;
    }
    return out->field_count > 0 && make_where(r, s, st, o, out);
}

/* ---- what must be refused ----------------------------------------------------------------- */

static void spoil_assignment(rng *r, const type *def, op *o, field *f)
{
    const prop *p = &def->props[f->prop];
    if (!p->nullable && rng_chance(r, 15)) {
        f->expr =
            (expr){.kind = E_LITERAL, .spelling = text_of("null"), .literal = {.kind = V_NULL}};
        return;
    }
    refusal why;
    text input = wrong_input(r, p, true, &why);
    if (f->expr.kind == E_PARAM) {
        param *q = &o->params[f->expr.param];
        q->omitted = false;
        q->input = input;
        /* Texts as parameters: what they say is checked when they are assigned. */
        if (why == R_ENUM || why == R_BAD_BASE64) {
            const char *wrong = why == R_ENUM ? "absent" : "base64:@@@";
            q->value = (value){.kind = why == R_ENUM ? V_TEXT : V_BLOB, .t = text_of(wrong)};
            return;
        }
        q->refused = why;
        return;
    }
    /* Dates as bare texts, and infinite numbers, are no literals. */
    if (p->type == S_DATE || p->type == S_DATETIME || why == R_NOT_A_NUMBER)
        input = text_printf("date(%s)", why == R_BAD_DATE ? input.ptr : "\"no\"");
    f->expr = (expr){.kind = E_LITERAL, .spelling = input};
    f->refused = why;
}

static void spoil_statement(rng *r, const schema *s, op *o, statement *st)
{
    const type *def = &s->types[st->type];
    int which = rng_below(r, 8);
    if (which == 0 && st->kind != ST_DELETE) {
        field *f = &st->fields[st->field_count++];
        *f = (field){.prop = 0, .name = text_of("nope"), .expr = {.kind = E_LITERAL}};
        f->expr.spelling = text_of("1");
        st->refused = R_UNKNOWN_PROPERTY;
    } else if (which == 1 && st->kind == ST_UPDATE && def->key >= 0) {
        field *f = &st->fields[st->field_count++];
        *f = (field){.prop = def->key, .name = text_of(def->props[def->key].name)};
        f->expr = (expr){.kind = E_LITERAL};
        f->expr.spelling = text_of(def->props[def->key].type == S_STRING ? "\"new\"" : "5");
        st->refused = R_KEY_UPDATE;
    } else if (which == 2 && st->kind == ST_INSERT) {
        for (int i = 0; i < st->field_count; i++) {
            const prop *p = &def->props[st->fields[i].prop];
            if (p->nullable || p->has_default)
                continue;
            st->fields[i] = st->fields[--st->field_count];
            st->refused = st->field_count > 0 ? R_MISSING_REQUIRED : R_BAD_QUERY;
            return;
        }
    } else if (which == 3 && o->param_count > 0) {
        param *p = &o->params[rng_below(r, o->param_count)];
        p->omitted = true;
        p->optional = false;
    } else if (which == 4) {
        st->refused = R_UNKNOWN_TYPE;
    } else if (st->field_count > 0) {
        field *f = &st->fields[rng_below(r, st->field_count)];
        spoil_assignment(r, def, o, f);
        st->refused = f->refused;
    }
}

/* ---- text --------------------------------------------------------------------------------- */

static void print_fields(buf *b, const op *o, const schema *s, const statement *st)
{
    bool first = true;
    if (st->kind == ST_INSERT && s->types[st->type].is_edge) {
        buf_str(b, "from: ");
        print_expr(b, o, NULL, s, &st->from);
        buf_str(b, ", to: ");
        print_expr(b, o, NULL, s, &st->to);
        first = false;
    }
    for (int i = 0; i < st->field_count; i++) {
        buf_printf(b, "%s%s: ", first ? "" : ", ", st->fields[i].name.ptr);
        print_expr(b, o, NULL, s, &st->fields[i].expr);
        first = false;
    }
}

static void print_statement(buf *b, const op *o, const schema *s, const statement *st)
{
    static const char *const verbs[] = {"insert", "update", "delete"};
    const type *def = &s->types[st->type];
    bool unknown = st->refused == R_UNKNOWN_TYPE;
    buf_printf(b, "    %s %s ", verbs[st->kind], unknown ? "Nowhere" : def->name);
    if (st->kind != ST_DELETE) {
        buf_str(b, st->kind == ST_UPDATE ? "set { " : "{ ");
        print_fields(b, o, s, st);
        buf_str(b, " }");
    }
    if (st->kind != ST_INSERT) {
        const char *column = st->where_prop == COLUMN_SRC   ? "from"
                             : st->where_prop == COLUMN_DST ? "to"
                                                            : def->props[st->where_prop].name;
        buf_printf(b, " where %s %s ", column, compare_names[st->where_op]);
        print_expr(b, o, NULL, s, &st->where_value);
    }
    buf_str(b, "\n");
}

static bool make_statement(rng *r, const schema *s, const state *st, op *o, statement *out)
{
    static const statement_kind kinds[] = {ST_INSERT, ST_INSERT, ST_INSERT,
                                           ST_UPDATE, ST_UPDATE, ST_DELETE};
    *out = (statement){.kind = kinds[rng_below(r, 6)]};
    out->type = out->kind == ST_UPDATE ? rng_below(r, s->node_count) : rng_below(r, s->type_count);
    if (out->kind == ST_INSERT)
        return make_insert(r, s, st, o, out);
    if (out->kind == ST_UPDATE)
        return make_update(r, s, st, o, out);
    return make_where(r, s, st, o, out);
}

bool generate_mutation(rng *r, const schema *s, const state *st, op *out)
{
    out->kind = OP_MUTATE;
    int wanted = rng_chance(r, 55) ? 1 : rng_range(r, 2, MAX_STATEMENTS);
    for (int tries = 0; tries < 12 && out->statement_count < wanted; tries++) {
        int params_before = out->param_count;
        if (make_statement(r, s, st, out, &out->statements[out->statement_count]))
            out->statement_count++;
        else
            out->param_count = params_before;
    }
    if (out->statement_count == 0)
        return false;
    statement *any = &out->statements[rng_below(r, out->statement_count)];
    if (rng_chance(r, 15)) {
        spoil_statement(r, s, out, any);
    } else if (rng_chance(r, 1) && any->kind == ST_UPDATE && any->where_prop >= 0) {
        /* Edges can't be updated. */
        any->type = s->node_count;
        any->where_prop = COLUMN_SRC;
        any->field_count = 1;
        any->fields[0].name = text_of("from");
        any->where_value = any->fields[0].expr =
            (expr){.kind = E_LITERAL, .literal = {.kind = V_TEXT, .t = text_of("x")}};
        any->refused = R_EDGE_UPDATE;
    }
    finish_params(out);
    buf b = {0};
    buf_str(&b, "query change(");
    print_param_list(&b, out);
    buf_str(&b, ") {\n");
    for (int i = 0; i < out->statement_count; i++)
        print_statement(&b, out, s, &out->statements[i]);
    buf_str(&b, "}\n");
    out->input = buf_view(&b);
    return true;
}
