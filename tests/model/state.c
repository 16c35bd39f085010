/* The rows of a graph in plain arrays, its export, and what must hold of it. */
#include "model.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

state state_clone(const state *s)
{
    state copy = *s;
    for (int i = 0; i < MAX_TYPES; i++) {
        table *t = &copy.tables[i];
        t->cap = t->count + 8;
        t->rows = model_alloc(sizeof(row *) * (size_t)t->cap);
        if (t->count > 0)
            memcpy(t->rows, s->tables[i].rows, sizeof(row *) * (size_t)t->count);
    }
    return copy;
}

void table_add(table *t, row *r)
{
    if (t->count == t->cap) {
        row **grown = model_alloc(sizeof(row *) * (size_t)(2 * t->cap + 8));
        if (t->count > 0)
            memcpy(grown, t->rows, sizeof(row *) * (size_t)t->count);
        t->rows = grown;
        t->cap = 2 * t->cap + 8;
    }
    t->rows[t->count++] = r;
}

row *table_find(const table *t, text id)
{
    for (int i = 0; i < t->count; i++)
        if (t->rows[i]->id.ptr != NULL && text_eq(t->rows[i]->id, id))
            return t->rows[i];
    return NULL;
}

/* ---- export ------------------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const row *x = *(row *const *)a, *y = *(row *const *)b;
    if (x->id.ptr == NULL || y->id.ptr == NULL)
        return (x->id.ptr == NULL) - (y->id.ptr == NULL);
    return text_compare(x->id, y->id);
}

/* The line up to the id, and after it. */
static void print_row(const schema *s, const type *t, const row *r, buf *before, buf *after)
{
    (void)s;
    if (t->is_edge) {
        buf_printf(before, "{\"edge\":\"%s\",\"from\":", t->name);
        print_json_text(before, r->src);
        buf_str(before, ",\"to\":");
        print_json_text(before, r->dst);
        buf_str(before, ",\"data\":{\"id\":");
    } else {
        buf_printf(before, "{\"type\":\"%s\",\"data\":{\"id\":", t->name);
    }
    for (int i = 0; i < t->prop_count; i++) {
        buf_printf(after, ",\"%s\":", t->props[i].name);
        print_export(after, &r->values[i]);
    }
    buf_str(after, "}}\n");
}

/* Types by table key: edges before nodes, each by name (the order they are made in). */
static int export_type(const schema *s, int at)
{
    int edges = s->type_count - s->node_count;
    static const int edge_order[] = {3, 0, 1, 2}; /* Has_part, Knows, LikesIt, WorksAt */
    if (at >= edges)
        return at - edges;
    for (int i = 0; i < 4; i++)
        if (edge_order[i] < edges && at-- == 0)
            return s->node_count + edge_order[i];
    abort();
}

text state_export(const schema *s, const state *st)
{
    buf out = {0};
    for (int at = 0; at < s->type_count; at++) {
        int index = export_type(s, at);
        table t = state_clone(st).tables[index];
        if (t.count > 1)
            qsort(t.rows, (size_t)t.count, sizeof(row *), by_id);
        for (int i = 0; i < t.count; i++) {
            buf after = {0};
            print_row(s, &s->types[index], t.rows[i], &out, &after);
            if (t.rows[i]->id.ptr != NULL)
                print_json_text(&out, t.rows[i]->id);
            else
                buf_str(&out, "?");
            buf_text(&out, buf_view(&after));
        }
    }
    return buf_view(&out);
}

static bool is_ulid(const char *at, size_t len)
{
    bool is = len == 26;
    for (size_t i = 0; is && i < len; i++)
        is = strchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", at[i]) != NULL && at[i] != 0;
    return is;
}

/* Find a line of the export that is the row but for an id that nobody has. */
static void adopt_row(const schema *s, const table *t, const type *def, row *r, text export_text)
{
    buf before = {0}, after = {0};
    print_row(s, def, r, &before, &after);
    buf_str(&before, "\"");
    size_t at = 0;
    while (at < export_text.len) {
        const char *line = export_text.ptr + at;
        const char *end = memchr(line, '\n', export_text.len - at);
        size_t len = end != NULL ? (size_t)(end - line) + 1 : export_text.len - at;
        at += len;
        if (len != before.len + 26 + 1 + after.len || memcmp(line, before.ptr, before.len) != 0 ||
            memcmp(line + before.len + 27, after.ptr, after.len) != 0 ||
            !is_ulid(line + before.len, 26))
            continue;
        text id = text_printf("%.26s", line + before.len);
        if (table_find(t, id) == NULL) {
            r->id = id;
            return;
        }
    }
}

void state_adopt(const schema *s, state *st, text export_text)
{
    for (int i = 0; i < s->type_count; i++)
        for (int k = 0; k < st->tables[i].count; k++)
            if (st->tables[i].rows[k]->id.ptr == NULL)
                adopt_row(s, &st->tables[i], &s->types[i], st->tables[i].rows[k], export_text);
}

/* ---- single values ------------------------------------------------------------------------ */

static refusal fit_integer(const prop *p, value *v)
{
    if (v->kind == V_FLOAT && v->f != floor(v->f))
        return R_FRACTION;
    if (v->kind == V_FLOAT) {
        if (fabs(v->f) > 1e19)
            return R_INT_RANGE;
        *v = (value){.kind = V_INT, .i = (__int128)v->f};
    }
    bool is_signed = p->type == S_I32 || p->type == S_I64;
    __int128 top = (__int128)1 << (p->type == S_I32 || p->type == S_U32 ? 32 : 64);
    __int128 high = is_signed ? top / 2 - 1 : top - 1, low = is_signed ? -(top / 2) : 0;
    return v->i < low || v->i > high ? R_INT_RANGE : R_NONE;
}

static refusal fit_item(const prop *p, value *v)
{
    if (v->kind == V_NULL)
        return R_NONE;
    if (scalar_is_integer(p->type))
        return fit_integer(p, v);
    if (!scalar_is_float(p->type))
        return R_NONE;
    if (v->kind == V_INT)
        *v = (value){.kind = V_FLOAT, .f = (double)v->i};
    if (p->type == S_F32)
        v->f = (float)v->f;
    return isinf(v->f) ? R_FLOAT_OVERFLOW : R_NONE;
}

refusal fit_value(const prop *p, value *v)
{
    if (v->kind != V_LIST)
        return fit_item(p, v);
    value *items = model_alloc(sizeof(value) * (size_t)(v->count + 1));
    refusal why = R_NONE;
    for (int i = 0; i < v->count; i++) {
        items[i] = v->items[i];
        refusal of_item = fit_item(p, &items[i]);
        why = why != R_NONE ? why : of_item;
    }
    v->items = items;
    return why;
}

static bool is_enum_value(const prop *p, text t)
{
    for (int i = 0; i < p->enum_count; i++)
        if (text_eq(t, text_of(p->enum_values[i])))
            return true;
    return false;
}

refusal check_value(const prop *p, const value *v)
{
    if (v->kind == V_NULL)
        return p->nullable ? R_NONE : R_NULL_REQUIRED;
    if (p->type == S_BLOB && text_eq(v->t, text_of("base64:@@@")))
        return R_BAD_BASE64;
    if (p->type == S_ENUM && !is_enum_value(p, v->t))
        return R_ENUM;
    if (p->has_low && value_compare(v, &p->low) < 0)
        return R_RANGE;
    if (p->has_high && value_compare(v, &p->high) > 0)
        return R_RANGE;
    if (p->check >= 0 && !check_matches(p->check, v->t))
        return R_CHECK;
    return R_NONE;
}

/* ---- constraints over rows ---------------------------------------------------------------- */

static value column_value(const row *r, int column)
{
    if (column == COLUMN_SRC)
        return (value){.kind = V_TEXT, .t = r->src};
    if (column == COLUMN_DST)
        return (value){.kind = V_TEXT, .t = r->dst};
    return r->values[column];
}

static bool tuple_equal(const unique *u, const row *a, const row *b)
{
    for (int i = 0; i < u->count; i++) {
        value x = column_value(a, u->columns[i]), y = column_value(b, u->columns[i]);
        if (x.kind == V_NULL || y.kind == V_NULL || !value_same(&x, &y))
            return false;
    }
    return true;
}

static refusal check_uniques(const type *def, const table *t)
{
    for (int u = 0; u < def->unique_count; u++)
        for (int i = 0; i < t->count; i++)
            for (int k = 0; k < i; k++)
                if (tuple_equal(&def->uniques[u], t->rows[i], t->rows[k]))
                    return def->uniques[u].count > 1 ? R_UNIQUE_TUPLE : R_UNIQUE_SINGLE;
    return R_NONE;
}

static refusal check_card(const type *def, const table *t)
{
    for (int i = 0; i < t->count; i++) {
        int count = 0;
        for (int k = 0; k < t->count; k++)
            count += text_eq(t->rows[i]->src, t->rows[k]->src);
        if (def->card_max >= 0 && count > def->card_max)
            return R_CARD_MAX;
        if (count < def->card_min)
            return R_CARD_MIN;
    }
    return R_NONE;
}

refusal check_state(const schema *s, const state *st)
{
    for (int i = 0; i < s->type_count; i++) {
        const type *def = &s->types[i];
        const table *t = &st->tables[i];
        refusal why = check_uniques(def, t);
        if (why == R_NONE && def->is_edge)
            why = check_card(def, t);
        for (int k = 0; why == R_NONE && def->is_edge && k < t->count; k++)
            if (table_find(&st->tables[def->from], t->rows[k]->src) == NULL ||
                table_find(&st->tables[def->to], t->rows[k]->dst) == NULL)
                why = R_DANGLING;
        if (why != R_NONE)
            return why;
    }
    return R_NONE;
}
