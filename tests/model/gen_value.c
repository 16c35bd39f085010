/* Random values, and the many ways to write them. */
#include "model.h"

#include <math.h>
#include <stdio.h>

static const char *const words[] = {"a",
                                    "b",
                                    "ab",
                                    "abc",
                                    "B",
                                    "\xc3\xa9",
                                    "a1",
                                    "x y",
                                    "cab",
                                    "",
                                    "q\"uo\\te",
                                    "line\nbreak",
                                    "\xe6\x97\xa5\xe6\x9c\xac"};
static const text odd_words[] = {{"nul\0mid", 7}, {"\x01\x1f\x7f", 3}, {"\t\r\n", 3}};

static const char *const blobs[] = {"base64:", "base64:AA==", "base64:AAEC",
                                    "base64:aGVsbG8gd29ybGQ=", "https://example.com/a.bin"};

static text random_word(rng *r, const prop *p)
{
    if (p->wide)
        return text_printf("w%d", rng_below(r, p->wide));
    if (p->check >= 0 && rng_chance(r, 85)) {
        static const char *const good[CHECK_COUNT][3] = {{"a", "abc", "zz"},
                                                         {"a1", "9", "x0y"},
                                                         {"b", "ac", "B c"},
                                                         {"a", "aB", "a9"},
                                                         {"a", "B9", "\xc3\xa9"}};
        return text_of(good[p->check][rng_below(r, 3)]);
    }
    if (rng_chance(r, 3))
        return odd_words[rng_below(r, 3)];
    return text_of(words[rng_below(r, 13)]);
}

static __int128 random_integer(rng *r, const prop *p)
{
    bool is_signed = p->type == S_I32 || p->type == S_I64;
    bool is_small = p->type == S_I32 || p->type == S_U32;
    if (p->wide)
        return rng_range(r, is_signed ? -200 : 0, p->wide);
    if (p->wild && rng_chance(r, 35)) {
        __int128 top = (__int128)1 << (is_small ? 32 : 64);
        __int128 high = is_signed ? top / 2 - 1 : top - 1, low = is_signed ? -(top / 2) : 0;
        return rng_chance(r, 50) ? high - rng_below(r, 2) : low + rng_below(r, 2);
    }
    return rng_range(r, is_signed ? -3 : 0, 4);
}

static double random_float(rng *r, const prop *p)
{
    static const double tame[] = {-1.5, -1, 0, 0.5, 1, 1.25, 2, 2.25, 3};
    static const double odd[] = {0.1, 1e16, 1e-6, 123456.789, 3e38, 1e15, 9.999e-6, -0.3};
    double f = p->wild && rng_chance(r, 50) ? odd[rng_below(r, 8)] : tame[rng_below(r, 9)];
    return p->type == S_F32 ? (double)(float)f : f;
}

static value random_item(rng *r, const prop *p)
{
    value v = {0};
    switch (p->type) {
    case S_STRING:
        return (value){.kind = V_TEXT, .t = random_word(r, p)};
    case S_ENUM:
        return (value){.kind = V_TEXT, .t = text_of(p->enum_values[rng_below(r, p->enum_count)])};
    case S_BOOL:
        return (value){.kind = V_BOOL, .i = rng_below(r, 2)};
    case S_DATE:
        return (value){.kind = V_DATE,
                       .i = p->wide > 0 ? rng_range(r, -300, p->wide / 2 + 300)
                                        : rng_range(r, -2, 3) + 19780};
    case S_DATETIME:
        v = (value){.kind = V_DATETIME, .i = (__int128)rng_range(r, -2, 2) * 86400000};
        v.i += rng_chance(r, 50) ? 1709164800000 : 0;
        v.i += rng_chance(r, 50) ? rng_range(r, 0, 86399999) : 0;
        v.i += p->wide ? (__int128)rng_below(r, p->wide * 25) * 60000 : 0;
        return v;
    case S_VECTOR:
        v = (value){.kind = V_VECTOR, .count = p->dim};
        v.items = model_alloc(sizeof(value) * (size_t)p->dim);
        for (int i = 0; i < p->dim; i++)
            v.items[i] = (value){.kind = V_FLOAT, .f = (float)(rng_range(r, -20, 20) * 0.1)};
        return v;
    case S_BLOB:
        return (value){.kind = V_BLOB, .t = text_of(blobs[rng_below(r, 5)])};
    default:
        break;
    }
    if (scalar_is_integer(p->type))
        return (value){.kind = V_INT, .i = random_integer(r, p)};
    return (value){.kind = V_FLOAT, .f = random_float(r, p)};
}

value random_value(rng *r, const prop *p, bool allow_null)
{
    if (allow_null && p->nullable && rng_chance(r, 25))
        return (value){.kind = V_NULL};
    if (!p->list)
        return random_item(r, p);
    value v = {.kind = V_LIST, .count = rng_below(r, 4)};
    v.items = model_alloc(sizeof(value) * 4);
    for (int i = 0; i < v.count; i++)
        v.items[i] = rng_chance(r, 10) ? (value){.kind = V_NULL} : random_item(r, p);
    return v;
}

text random_key(rng *r, const type *t, value *out)
{
    const prop *p = &t->props[t->key];
    if (p->type == S_STRING) {
        static const char *const names[] = {"ada", "bob", "c d", "\xc3\xa9ve",
                                            "Zoe", "10",  "9",   "q\"x"};
        text id = text_of(names[rng_below(r, 8)]);
        if (p->wide || rng_chance(r, 50))
            id = text_printf("k%d", rng_below(r, p->wide > 0 ? p->wide : 10));
        *out = (value){.kind = V_TEXT, .t = id};
        return id;
    }
    prop tame = {.type = p->type, .wide = 400};
    prop wild = {.type = p->type, .wild = true};
    *out = rng_chance(r, 80) ? (value){.kind = V_INT, .i = rng_below(r, p->wide > 0 ? p->wide : 12)}
                             : random_item(r, rng_chance(r, 50) ? &tame : &wild);
    buf b = {0};
    print_int(&b, out->i);
    return buf_view(&b);
}

/* ---- spellings that a load accepts -------------------------------------------------------- */

static void spell_date(rng *r, buf *b, int64_t days)
{
    buf plain = {0};
    print_date(&plain, days);
    switch (rng_below(r, 5)) {
    case 0:
        buf_printf(b, "%lld", (long long)days);
        return;
    case 1:
        buf_printf(b, "\"%.4s%.2s%.2s\"", plain.ptr, plain.ptr + 5, plain.ptr + 8);
        return;
    case 2:
        buf_printf(b, "\"%sT23:59:59Z\"", plain.ptr);
        return;
    default:
        buf_printf(b, "\"%s\"", plain.ptr);
    }
}

static void spell_datetime(rng *r, buf *b, int64_t ms)
{
    if (rng_chance(r, 20)) {
        buf_printf(b, "%lld", (long long)ms);
        return;
    }
    if (ms % 86400000 == 0 && rng_chance(r, 50)) {
        buf_str(b, "\"");
        print_date(b, ms / 86400000);
        buf_str(b, "\"");
        return;
    }
    buf_str(b, "\"");
    if (rng_chance(r, 20)) {
        print_datetime(b, ms + 5 * 3600000);
        buf_str(b, rng_chance(r, 50) ? "+05:00\"" : "+0500\"");
        return;
    }
    print_datetime(b, ms);
    buf_str(b, rng_chance(r, 70) ? "Z\"" : "\"");
}

static void spell_item(rng *r, buf *b, const prop *p, const value *v)
{
    if (v->kind == V_DATE) {
        spell_date(r, b, (int64_t)v->i);
    } else if (v->kind == V_DATETIME) {
        spell_datetime(r, b, (int64_t)v->i);
    } else if (v->kind == V_INT && v->i > -1000 && v->i < 1000 && rng_chance(r, 15)) {
        buf_printf(b, rng_chance(r, 50) ? "%d.0" : "%de0", (int)v->i);
    } else if (v->kind == V_FLOAT && v->f == floor(v->f) && fabs(v->f) < 1000 &&
               rng_chance(r, 30)) {
        buf_printf(b, "%d", (int)v->f);
    } else if (v->kind == V_FLOAT && p->type == S_F32 && rng_chance(r, 50)) {
        buf_printf(b, "%.9g", v->f); /* nine digits name every F32 */
    } else {
        print_input(b, v);
    }
}

text random_input(rng *r, const prop *p, const value *v)
{
    buf b = {0};
    if (v->kind != V_LIST) {
        spell_item(r, &b, p, v);
        return buf_view(&b);
    }
    buf_str(&b, "[");
    for (int i = 0; i < v->count; i++) {
        buf_str(&b, i > 0 ? ", " : "");
        spell_item(r, &b, p, &v->items[i]);
    }
    buf_str(&b, "]");
    return buf_view(&b);
}

/* ---- spellings that must be refused ------------------------------------------------------- */

typedef struct wrong {
    const char *input;
    refusal why;
} wrong;

static wrong wrong_integer(rng *r, const prop *p)
{
    static const char *const high[] = {[S_I32] = "2147483648",
                                       [S_I64] = "9223372036854775808",
                                       [S_U32] = "4294967296",
                                       [S_U64] = "18446744073709551616"};
    static const char *const low[] = {
        [S_I32] = "-2147483649", [S_I64] = "-9223372036854775809", [S_U32] = "-1", [S_U64] = "-1"};
    switch (rng_below(r, 4)) {
    case 0:
        return (wrong){high[p->type], R_INT_RANGE};
    case 1:
        return (wrong){low[p->type], R_INT_RANGE};
    case 2:
        return (wrong){"1.5", R_FRACTION};
    default:
        return (wrong){"true", R_WRONG_TYPE};
    }
}

static wrong wrong_scalar(rng *r, const prop *p)
{
    static const char *const dates[] = {"\"\"",           "\" 2024-01-02\"", "\"02/03/2024\"",
                                        "\"2024-02-30\"", "\"soon\"",        "\"2024-13-01\""};
    if (scalar_is_integer(p->type))
        return wrong_integer(r, p);
    switch (p->type) {
    case S_F32:
        return rng_chance(r, 50) ? (wrong){rng_chance(r, 50) ? "1e39" : "-4e38", R_FLOAT_OVERFLOW}
                                 : (wrong){"\"NaN\"", R_NOT_A_NUMBER};
    case S_F64:
        return rng_chance(r, 50)
                   ? (wrong){"1e999", R_FLOAT_OVERFLOW}
                   : (wrong){rng_chance(r, 50) ? "\"NaN\"" : "\"inf\"", R_NOT_A_NUMBER};
    case S_DATE:
    case S_DATETIME:
        if (rng_chance(r, 15))
            return (wrong){rng_chance(r, 50) ? "true" : "19000.5", R_WRONG_TYPE};
        return (wrong){dates[rng_below(r, 6)], R_BAD_DATE};
    case S_BLOB:
        return rng_chance(r, 50) ? (wrong){"\"base64:@@@\"", R_BAD_BASE64}
                                 : (wrong){"7", R_WRONG_TYPE};
    case S_BOOL:
        return (wrong){rng_chance(r, 50) ? "\"true\"" : "1", R_WRONG_TYPE};
    case S_ENUM:
        return rng_chance(r, 70) ? (wrong){"\"absent\"", R_ENUM} : (wrong){"1", R_WRONG_TYPE};
    default:
        return (wrong){rng_chance(r, 50) ? "12" : "[\"a\"]", R_WRONG_TYPE};
    }
}

static text wrong_vector(rng *r, const prop *p, refusal *out_why)
{
    int length = rng_chance(r, 50) ? p->dim + 1 : p->dim - 1;
    bool bad_item = rng_chance(r, 50);
    buf b = {0};
    buf_str(&b, "[");
    for (int i = 0; i < (bad_item ? p->dim : length); i++)
        buf_str(&b, i > 0 ? ",1.5" : bad_item ? (rng_chance(r, 50) ? "\"x\"" : "null") : "1.5");
    buf_str(&b, "]");
    *out_why = bad_item ? R_VECTOR_ITEM : R_VECTOR_LENGTH;
    return buf_view(&b);
}

text wrong_input(rng *r, const prop *p, bool param_or_literal, refusal *out_why)
{
    if (p->type == S_VECTOR)
        return wrong_vector(r, p, out_why);
    wrong w = wrong_scalar(r, p);
    if (p->list && !param_or_literal && rng_chance(r, 30))
        w = (wrong){"\"no list\"", R_WRONG_TYPE};
    else if (p->list) {
        *out_why = R_LIST_ITEM;
        return text_printf("[%s]", w.input);
    }
    *out_why = w.why;
    return text_of(w.input);
}
