/* Memory, texts and values: comparing and printing. */
#include "model.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ------------------------------------------------------------------------------- */

typedef struct chunk {
    struct chunk *next;
    size_t used, size;
} chunk;
static chunk *chunks;

void *model_alloc(size_t size)
{
    size = (size + 15) & ~(size_t)15;
    if (chunks == NULL || chunks->size - chunks->used < size) {
        size_t want = size > (1u << 20) ? size : (1u << 20);
        chunk *fresh = malloc(sizeof(chunk) + 16 + want);
        if (fresh == NULL)
            abort();
        *fresh = (chunk){.next = chunks, .used = 0, .size = want};
        chunks = fresh;
    }
    char *base = (char *)(((uintptr_t)(chunks + 1) + 15) & ~(uintptr_t)15);
    void *at = base + chunks->used;
    chunks->used += size;
    return memset(at, 0, size);
}

void model_memory_reset(void)
{
    while (chunks != NULL) {
        chunk *next = chunks->next;
        free(chunks);
        chunks = next;
    }
}

/* ---- texts -------------------------------------------------------------------------------- */

static text text_copy(const char *ptr, size_t len)
{
    char *copy = model_alloc(len + 1);
    memcpy(copy, ptr, len);
    return (text){copy, len};
}

text text_of(const char *zero_terminated)
{
    return (text){zero_terminated, strlen(zero_terminated)};
}

text text_printf(const char *format, ...)
{
    char small[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(small))
        abort();
    return text_copy(small, (size_t)len);
}

int text_compare(text a, text b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.ptr, b.ptr, common) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

bool text_eq(text a, text b)
{
    return a.len == b.len && text_compare(a, b) == 0;
}

void buf_add(buf *b, const char *ptr, size_t len)
{
    if (b->cap - b->len < len + 1) {
        size_t cap = 2 * (b->len + len) + 64;
        char *grown = model_alloc(cap);
        if (b->len > 0)
            memcpy(grown, b->ptr, b->len);
        b->ptr = grown;
        b->cap = cap;
    }
    if (len > 0)
        memcpy(b->ptr + b->len, ptr, len);
    b->len += len;
    b->ptr[b->len] = 0;
}

void buf_text(buf *b, text t)
{
    buf_add(b, t.ptr, t.len);
}

void buf_str(buf *b, const char *zero_terminated)
{
    buf_add(b, zero_terminated, strlen(zero_terminated));
}

void buf_printf(buf *b, const char *format, ...)
{
    char small[4096];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof(small))
        abort();
    buf_add(b, small, (size_t)len);
}

text buf_view(const buf *b)
{
    return b->ptr != NULL ? (text){b->ptr, b->len} : text_of("");
}

/* ---- random numbers: splitmix64 ----------------------------------------------------------- */

uint64_t rng_next(rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int rng_below(rng *r, int bound)
{
    return (int)(rng_next(r) % (uint64_t)bound);
}

int rng_range(rng *r, int low, int high)
{
    return low + rng_below(r, high - low + 1);
}

bool rng_chance(rng *r, int percent)
{
    return rng_below(r, 100) < percent;
}

/* ---- values ------------------------------------------------------------------------------- */

const char *const scalar_names[S_COUNT] = {"String", "Bool", "I32", "I64",  "U32",
                                           "U64",    "F32",  "F64", "Date", "DateTime",
                                           "Vector", "enum", "Blob"};

bool scalar_is_integer(scalar s)
{
    return s == S_I32 || s == S_I64 || s == S_U32 || s == S_U64;
}

bool scalar_is_float(scalar s)
{
    return s == S_F32 || s == S_F64;
}

bool scalar_is_numeric(scalar s)
{
    return scalar_is_integer(s) || scalar_is_float(s);
}

bool scalar_is_textual(scalar s)
{
    return s == S_STRING || s == S_ENUM;
}

/* Exact: the mantissa of an x87 long double holds every 64-bit integer. */
_Static_assert(sizeof(long double) > 8, "comparing integers with floats needs 64 bits of mantissa");
static long double number_of(const value *v)
{
    return v->kind == V_FLOAT ? (long double)v->f : (long double)v->i;
}

int value_compare(const value *a, const value *b)
{
    if (a->kind == V_TEXT)
        return text_compare(a->t, b->t);
    if (a->kind == V_FLOAT || b->kind == V_FLOAT) {
        long double x = number_of(a), y = number_of(b);
        return (x > y) - (x < y);
    }
    return (a->i > b->i) - (a->i < b->i);
}

bool value_same(const value *a, const value *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == V_NULL)
        return true;
    if (a->kind == V_BLOB)
        return text_eq(a->t, b->t);
    if (a->kind != V_LIST && a->kind != V_VECTOR)
        return value_compare(a, b) == 0;
    bool same = a->count == b->count;
    for (int i = 0; same && i < a->count; i++)
        same = value_same(&a->items[i], &b->items[i]);
    return same;
}

/* ---- printing ----------------------------------------------------------------------------- */

void print_int(buf *b, __int128 i)
{
    char digits[48];
    int at = (int)sizeof(digits);
    bool negative = i < 0;
    unsigned __int128 rest = negative ? -(unsigned __int128)i : (unsigned __int128)i;
    do {
        digits[--at] = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest > 0);
    if (negative)
        digits[--at] = '-';
    buf_add(b, digits + at, sizeof(digits) - (size_t)at);
}

void print_float(buf *b, double f)
{
    char shortest[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(shortest, sizeof(shortest), "%.*e", precision, f);
        if (strtod(shortest, NULL) == f)
            break;
    }
    const char *at = shortest;
    if (*at == '-') {
        buf_str(b, "-");
        at++;
    }
    char digits[24];
    int count = 0;
    for (; *at != 'e'; at++)
        if (*at != '.')
            digits[count++] = *at;
    int exponent = (int)strtol(at + 1, NULL, 10);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (f != 0 && (exponent < -5 || exponent >= 16)) {
        buf_add(b, digits, 1);
        if (count > 1)
            buf_str(b, ".");
        buf_add(b, digits + 1, (size_t)count - 1);
        buf_printf(b, "e%+d", exponent);
        return;
    }
    if (exponent < 0) {
        buf_str(b, "0.");
        for (int i = -1; i > exponent; i--)
            buf_str(b, "0");
        buf_add(b, digits, (size_t)count);
        return;
    }
    for (int i = 0; i <= exponent; i++)
        buf_add(b, i < count ? &digits[i] : "0", 1);
    buf_str(b, ".");
    if (count > exponent + 1)
        buf_add(b, digits + exponent + 1, (size_t)(count - exponent - 1));
    else
        buf_str(b, "0");
}

void print_json_text(buf *b, text t)
{
    static const char short_form[32] = {
        ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
    buf_str(b, "\"");
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else if (c < 32 && short_form[c] != 0)
            buf_printf(b, "\\%c", short_form[c]);
        else if (c < 32)
            buf_printf(b, "\\u%04x", c);
        else
            buf_add(b, &t.ptr[i], 1);
    }
    buf_str(b, "\"");
}

/* Civil date of a day number, by counting eras of 400 years. */
void print_date(buf *b, int64_t days)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t day = doy - (153 * mp + 2) / 5 + 1;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2);
    buf_printf(b, "%04lld-%02lld-%02lld", (long long)year, (long long)month, (long long)day);
}

void print_datetime(buf *b, int64_t ms)
{
    int64_t days = ms / 86400000 - (ms % 86400000 < 0);
    int64_t rest = ms - days * 86400000;
    print_date(b, days);
    buf_printf(b, "T%02d:%02d:%02d", (int)(rest / 3600000), (int)(rest / 60000 % 60),
               (int)(rest / 1000 % 60));
    if (rest % 1000 != 0)
        buf_printf(b, ".%03d", (int)(rest % 1000));
}

typedef enum print_style { EXPORT, RESULT, LITERAL } print_style;

static void print_value(buf *b, const value *v, print_style style)
{
    switch (v->kind) {
    case V_NULL:
        buf_str(b, "null");
        return;
    case V_BOOL:
        buf_str(b, v->i != 0 ? "true" : "false");
        return;
    case V_INT:
        print_int(b, v->i);
        return;
    case V_FLOAT:
        print_float(b, v->f);
        return;
    case V_TEXT:
    case V_BLOB:
        print_json_text(b, v->t);
        return;
    case V_DATE:
        if (style == EXPORT) {
            print_int(b, v->i);
            return;
        }
        buf_str(b, style == LITERAL ? "date(\"" : "\"");
        print_date(b, (int64_t)v->i);
        buf_str(b, style == LITERAL ? "\")" : "\"");
        return;
    case V_DATETIME:
        buf_str(b, style == LITERAL ? "datetime(\"" : "\"");
        print_datetime(b, (int64_t)v->i);
        if (style == RESULT && v->i % 1000 == 0)
            buf_str(b, ".000");
        buf_str(b, style == LITERAL ? "Z\")" : style == RESULT ? "Z\"" : "\"");
        return;
    case V_LIST:
    case V_VECTOR:
        buf_str(b, "[");
        for (int i = 0; i < v->count; i++) {
            if (i > 0)
                buf_str(b, ",");
            print_value(b, &v->items[i], style);
        }
        buf_str(b, "]");
        return;
    }
}

void print_export(buf *b, const value *v)
{
    print_value(b, v, EXPORT);
}

void print_result_json(buf *b, const value *v)
{
    print_value(b, v, RESULT);
}

void print_input(buf *b, const value *v)
{
    print_value(b, v, RESULT);
}

void print_literal(buf *b, const value *v)
{
    print_value(b, v, LITERAL);
}

bool value_has_literal(const value *v)
{
    if (v->kind == V_TEXT)
        for (size_t i = 0; i < v->t.len; i++) {
            char c = v->t.ptr[i];
            if ((unsigned char)c < 32 && c != '\n' && c != '\r' && c != '\t')
                return false;
        }
    if (v->kind == V_LIST)
        for (int i = 0; i < v->count; i++)
            if (v->items[i].kind == V_NULL || !value_has_literal(&v->items[i]))
                return false;
    return true;
}
