/* Random schemas, and their text. */
#include "model.h"

#include <string.h>

static const char *const node_names[] = {"Alpha", "Beta", "Gamma", "Delta"};
static const char *const edge_names[] = {"Knows", "LikesIt", "WorksAt", "Has_part"};
/* In order of bytes, so that a choice that keeps the order is sorted. */
static const char *const prop_names[] = {"_u", "aB",   "ab",   "city", "due", "k2",
                                         "n",  "size", "tags", "x",    "zz"};
enum { NAME_COUNT = 11 };
static const char *const enum_words[] = {"high", "low", "mid-1", "x_2"};

const char *const check_patterns[] = {"^[a-z]+$", "[0-9]", "b|c", "^a", "^[^x]*$"};

bool check_matches(int check, text t)
{
    bool lower = t.len > 0, digit = false, b_or_c = false, x = false;
    for (size_t i = 0; i < t.len; i++) {
        char c = t.ptr[i];
        lower = lower && c >= 'a' && c <= 'z';
        digit = digit || (c >= '0' && c <= '9');
        b_or_c = b_or_c || c == 'b' || c == 'c';
        x = x || c == 'x';
    }
    bool results[CHECK_COUNT] = {lower, digit, b_or_c, t.len > 0 && t.ptr[0] == 'a', !x};
    return results[check];
}

static scalar random_scalar(rng *r)
{
    static const int weights[S_COUNT] = {5, 2, 3, 3, 2, 2, 2, 3, 2, 2, 2, 2, 2};
    int total = 0;
    for (int i = 0; i < S_COUNT; i++)
        total += weights[i];
    int pick = rng_below(r, total);
    for (int i = 0; i < S_COUNT; i++) {
        if (pick < weights[i])
            return (scalar)i;
        pick -= weights[i];
    }
    return S_STRING;
}

static void make_range(rng *r, prop *p)
{
    bool fraction = scalar_is_float(p->type);
    bool is_signed = p->type == S_I32 || p->type == S_I64 || fraction;
    int which = rng_below(r, 3);
    p->has_low = which != 0;
    p->has_high = which != 1;
    value_kind kind = fraction ? V_FLOAT : V_INT;
    int low = is_signed ? rng_range(r, -2, 0) : rng_range(r, 0, 1);
    p->low = (value){.kind = kind, .i = low, .f = low - 0.5};
    p->high = (value){.kind = kind, .i = 3, .f = 2.25};
}

static void make_constraints(rng *r, prop *p, bool is_edge)
{
    bool plain = !p->list && p->type != S_BLOB && p->type != S_VECTOR;
    if (plain && scalar_is_numeric(p->type) && !is_edge && rng_chance(r, 30))
        make_range(r, p);
    if (plain && p->type == S_STRING && !is_edge && rng_chance(r, 25))
        p->check = rng_below(r, CHECK_COUNT);
    p->wild =
        plain && !p->has_low && !p->has_high && scalar_is_numeric(p->type) && rng_chance(r, 30);
    p->index = p->type == S_STRING && !p->list && rng_chance(r, 20);
    bool can_default = plain && p->type != S_DATE && p->type != S_DATETIME;
    if (!can_default || !rng_chance(r, 20))
        return;
    for (int tries = 0; tries < 20 && !p->has_default; tries++) {
        value v = random_value(r, p, false);
        bool negative =
            (v.kind == V_INT && v.i < 0) || (v.kind == V_FLOAT && (v.f < 0 || v.f > 99));
        if (!negative && !p->wild && value_has_literal(&v) && check_value(p, &v) == R_NONE) {
            p->default_value = v;
            p->has_default = true;
        }
    }
}

static void make_prop(rng *r, prop *p, bool is_edge)
{
    p->type = random_scalar(r);
    p->check = -1;
    p->list = p->type != S_VECTOR && p->type != S_BLOB && p->type != S_ENUM && rng_chance(r, 22);
    p->nullable = rng_chance(r, 60);
    p->dim = p->type == S_VECTOR ? rng_range(r, 1, 4) : 0;
    if (p->type == S_ENUM) {
        p->enum_count = rng_range(r, 2, MAX_ENUM);
        for (int i = 0; i < p->enum_count; i++)
            p->enum_values[i] = enum_words[i];
    }
    make_constraints(r, p, is_edge);
}

static void make_props(rng *r, bool large, type *t)
{
    int left = rng_range(r, t->is_edge ? 0 : 2, t->is_edge ? 3 : 6);
    for (int i = 0; i < NAME_COUNT && left > 0; i++) {
        if (rng_below(r, NAME_COUNT - i) >= left)
            continue;
        prop *p = &t->props[t->prop_count++];
        memset(p, 0, sizeof(*p));
        memcpy(p->name, prop_names[i], strlen(prop_names[i]) + 1);
        make_prop(r, p, t->is_edge);
        /* Among hundreds of values one would always be wrong. */
        if (large) {
            p->check = -1;
            p->has_low = p->has_high = false;
        }
        left--;
    }
}

static void make_key(rng *r, type *t)
{
    t->key = -1;
    if (!rng_chance(r, 80))
        return;
    static const scalar key_types[] = {S_STRING, S_STRING, S_STRING, S_I32, S_I64, S_U32, S_U64};
    t->key = rng_below(r, t->prop_count);
    prop *p = &t->props[t->key];
    char name[sizeof(p->name)];
    memcpy(name, p->name, sizeof(name));
    memset(p, 0, sizeof(*p));
    memcpy(p->name, name, sizeof(name));
    p->key = true;
    p->check = -1;
    p->type = key_types[rng_below(r, 7)];
}

static bool may_be_unique(const prop *p)
{
    return !p->list && !p->key && !p->has_default && p->type != S_VECTOR && p->type != S_BLOB &&
           p->type != S_BOOL && p->type != S_ENUM && !scalar_is_float(p->type) && p->check < 0 &&
           !p->has_low && !p->has_high;
}

static void make_uniques(rng *r, bool large, type *t)
{
    for (int i = 0; i < t->prop_count && t->unique_count < MAX_UNIQUE; i++) {
        prop *p = &t->props[i];
        if (!may_be_unique(p) || !rng_chance(r, 22))
            continue;
        unique *u = &t->uniques[t->unique_count++];
        u->columns[u->count++] = i;
        int second = rng_below(r, t->prop_count);
        if (second != i && !large && may_be_unique(&t->props[second]) && rng_chance(r, 60))
            u->columns[u->count++] = second;
        else
            p->wide = large ? 1000000 : 400;
    }
    if (t->is_edge && !large && t->unique_count < MAX_UNIQUE && rng_chance(r, 20))
        t->uniques[t->unique_count++] = (unique){.columns = {COLUMN_SRC, COLUMN_DST}, .count = 2};
}

static void make_edge(rng *r, schema *s, type *t)
{
    t->is_edge = true;
    t->key = -1;
    t->from = rng_below(r, s->node_count);
    t->to = rng_chance(r, 50) ? t->from : rng_below(r, s->node_count);
    t->card_max = -1;
    if (!s->large && rng_chance(r, 20))
        t->card_max = rng_range(r, 2, 4);
    if (rng_chance(r, 20))
        t->card_min = rng_range(r, 1, 2);
}

void generate_schema(rng *r, schema *out)
{
    memset(out, 0, sizeof(*out));
    out->large = rng_chance(r, 3);
    out->node_count = rng_range(r, 1, 3);
    int edges = rng_range(r, 1, 3);
    out->type_count = out->node_count + edges;
    for (int i = 0; i < out->type_count; i++) {
        type *t = &out->types[i];
        bool is_edge = i >= out->node_count;
        const char *name = is_edge ? edge_names[i - out->node_count] : node_names[i];
        memcpy(t->name, name, strlen(name) + 1);
        if (is_edge)
            make_edge(r, out, t);
        make_props(r, out->large, t);
        if (!is_edge)
            make_key(r, t);
        if (t->key >= 0)
            t->props[t->key].wide = out->large ? 200 : 0;
        make_uniques(r, out->large, t);
    }
}

/* ---- text --------------------------------------------------------------------------------- */

static void print_type(buf *b, const prop *p)
{
    if (p->list)
        buf_str(b, "[");
    buf_str(b, scalar_names[p->type]);
    if (p->type == S_VECTOR)
        buf_printf(b, "(%d)", p->dim);
    if (p->type == S_ENUM) {
        buf_str(b, "(");
        for (int i = 0; i < p->enum_count; i++)
            buf_printf(b, "%s%s", i > 0 ? ", " : "", p->enum_values[i]);
        buf_str(b, ")");
    }
    buf_printf(b, "%s%s", p->list ? "]" : "", p->nullable ? "?" : "");
}

static void print_range(buf *b, const prop *p)
{
    buf_printf(b, "    @range(%s, ", p->name);
    if (p->has_low)
        print_literal(b, &p->low);
    buf_str(b, "..");
    if (p->has_high)
        print_literal(b, &p->high);
    buf_str(b, ")\n");
}

static const char *column_name(const type *t, int column)
{
    return column == COLUMN_SRC ? "src" : column == COLUMN_DST ? "dst" : t->props[column].name;
}

static void print_body(buf *b, const type *t)
{
    for (int i = 0; i < t->prop_count; i++) {
        const prop *p = &t->props[i];
        buf_printf(b, "    %s: ", p->name);
        print_type(b, p);
        if (p->key)
            buf_str(b, " @key");
        if (p->index)
            buf_str(b, " @index");
        if (p->has_default) {
            buf_str(b, " @default(");
            print_literal(b, &p->default_value);
            buf_str(b, ")");
        }
        for (int u = 0; u < t->unique_count; u++)
            if (t->uniques[u].count == 1 && t->uniques[u].columns[0] == i)
                buf_str(b, " @unique");
        buf_str(b, "\n");
    }
    for (int i = 0; i < t->prop_count; i++) {
        if (t->props[i].has_low || t->props[i].has_high)
            print_range(b, &t->props[i]);
        if (t->props[i].check >= 0)
            buf_printf(b, "    @check(%s, \"%s\")\n", t->props[i].name,
                       check_patterns[t->props[i].check]);
    }
    for (int u = 0; u < t->unique_count; u++) {
        const unique *tuple = &t->uniques[u];
        if (tuple->count > 1)
            buf_printf(b, "    @unique(%s, %s)\n", column_name(t, tuple->columns[0]),
                       column_name(t, tuple->columns[1]));
    }
}

text schema_print(const schema *s)
{
    buf b = {0};
    for (int i = 0; i < s->type_count; i++) {
        const type *t = &s->types[i];
        if (!t->is_edge) {
            buf_printf(&b, "node %s {\n", t->name);
        } else {
            buf_printf(&b, "edge %s: %s -> %s", t->name, s->types[t->from].name,
                       s->types[t->to].name);
            if (t->card_min > 0 || t->card_max >= 0) {
                buf_printf(&b, " @card(%d..", t->card_min);
                if (t->card_max >= 0)
                    buf_printf(&b, "%d", t->card_max);
                buf_str(&b, ")");
            }
            buf_str(&b, " {\n");
        }
        print_body(&b, t);
        buf_str(&b, "}\n");
    }
    return buf_view(&b);
}

text edge_word(const type *t)
{
    text word = text_printf("%s", t->name);
    ((char *)(uintptr_t)word.ptr)[0] |= 0x20;
    return word;
}
