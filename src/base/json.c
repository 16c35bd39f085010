#include "base/json_priv.h"

#include <stdio.h>

#include "base/number.h"

typedef og_base__json_parser parser;
typedef og_base__json_result result;

void og_base__json_parser_deinit(parser *ps)
{
    og_vec_deinit(&ps->values);
    og_vec_deinit(&ps->keys);
}

/* ---- failures ----------------------------------------------------------------------------- */

static result invalid(parser *ps, const char *at, const char *expected)
{
    ps->bad = at;
    ps->expected = expected;
    return OG_BASE__JSON_INVALID;
}

/* `at` is the end of the bytes: the end of input, or only of what was read so far. */
static result cut(parser *ps, const char *expected)
{
    return ps->final ? invalid(ps, ps->end, expected) : OG_BASE__JSON_MORE;
}

static result unexpected(parser *ps, const char *at, const char *expected)
{
    return at == ps->end ? cut(ps, expected) : invalid(ps, at, expected);
}

void og_base__json_describe(const parser *ps, char *dst, size_t size)
{
    if (ps->bad == ps->end) {
        snprintf(dst, size, "expected %s, found the end of the input", ps->expected);
        return;
    }
    uint8_t byte = (uint8_t)*ps->bad;
    if (byte > 0x20 && byte < 0x7f)
        snprintf(dst, size, "expected %s, found '%c'", ps->expected, byte);
    else
        snprintf(dst, size, "expected %s, found byte 0x%02x", ps->expected, byte);
}

/* ---- strings ------------------------------------------------------------------------------ */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hex digits at p, which a closing quote follows somewhere. */
static bool read_hex4(const char *p, uint32_t *out)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_value(p[i]);
        if (digit < 0)
            return false;
        value = value << 4 | (uint32_t)digit;
    }
    *out = value;
    return true;
}

/* \uXXXX at *p (behind the u), with a second one when the first is half of a pair. */
static result decode_unicode(parser *ps, const char **p, char **dst)
{
    uint32_t code, low;
    const char *q = *p;
    if (!read_hex4(q, &code))
        return invalid(ps, q, "four hexadecimal digits");
    q += 4;
    if (code >= 0xdc00 && code <= 0xdfff)
        return invalid(ps, *p - 2, "a high surrogate before a low one");
    if (code >= 0xd800 && code <= 0xdbff) {
        if (q[0] != '\\' || q[1] != 'u')
            return invalid(ps, q, "a low surrogate behind a high one");
        if (!read_hex4(q + 2, &low))
            return invalid(ps, q + 2, "four hexadecimal digits");
        if (low < 0xdc00 || low > 0xdfff)
            return invalid(ps, q, "a low surrogate behind a high one");
        code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
        q += 6;
    }
    *dst += og_utf8_encode(code, *dst);
    *p = q;
    return OG_BASE__JSON_OK;
}

static char simple_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return '\0';
    }
}

/* The bytes from..to (well-formed UTF-8, no quote outside of an escape, a quote at `to`) without
 * their escapes. No escape is shorter than what it stands for. */
static result unescape(parser *ps, const char *from, const char *to, og_str *out)
{
    char *text = og_arena_alloc(ps->arena, (size_t)(to - from));
    if (text == NULL)
        return OG_BASE__JSON_NOMEM;
    char *dst = text;
    while (from < to) {
        const char *backslash = memchr(from, '\\', (size_t)(to - from));
        size_t plain = (size_t)((backslash != NULL ? backslash : to) - from);
        memcpy(dst, from, plain);
        dst += plain;
        from += plain;
        if (from == to)
            break;
        char kind = from[1];
        from += 2;
        if (kind == 'u') {
            result r = decode_unicode(ps, &from, &dst);
            if (r != OG_BASE__JSON_OK)
                return r;
        } else if ((*dst++ = simple_escape(kind)) == '\0') {
            return invalid(ps, from - 1, "one of \"\\/bfnrtu after a backslash");
        }
    }
    *out = (og_str){text, (size_t)(dst - text)};
    return OG_BASE__JSON_OK;
}

/* A string whose opening quote is at ps->p. */
static result parse_string(parser *ps, og_str *out)
{
    const char *first = ps->p + 1, *p = first;
    uint64_t seen = 0;
    bool escapes = false;
    for (;;) {
        p = og_base__json_skip_plain(p, ps->end, &seen);
        if (p == ps->end)
            return cut(ps, "a closing quote");
        if (*p == '"')
            break;
        if (*p != '\\')
            return invalid(ps, p, "an escape for a control character");
        escapes = true;
        if (ps->end - p < 2)
            return cut(ps, "a closing quote");
        p += 2;
        /* The second byte was not looked at. */
        if ((uint8_t)p[-1] < 0x20 || (uint8_t)p[-1] >= 0x80)
            return invalid(ps, p - 1, "one of \"\\/bfnrtu after a backslash");
    }
    *out = (og_str){first, (size_t)(p - first)};
    size_t bad;
    if ((seen & OG_BASE__HIGH_BITS) != 0 && !og_utf8_valid(*out, &bad))
        return invalid(ps, first + bad, "well-formed UTF-8");
    ps->p = p + 1;
    return escapes ? unescape(ps, first, p, out) : OG_BASE__JSON_OK;
}

/* ---- numbers and words -------------------------------------------------------------------- */

static const char *skip_digits(const char *p, const char *end)
{
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

static result parse_number(parser *ps, og_json *out)
{
    const char *p = ps->p, *end = ps->end;
    p += *p == '-';
    const char *digits = p;
    p = skip_digits(p, end);
    if (p == digits)
        return unexpected(ps, p, "a digit");
    if (*digits == '0' && p - digits > 1)
        return invalid(ps, digits + 1, "no digit after a leading zero");
    out->is_integer = true;
    if (p < end && *p == '.') {
        out->is_integer = false;
        digits = ++p;
        p = skip_digits(p, end);
        if (p == digits)
            return unexpected(ps, p, "a digit after the decimal point");
    }
    if (p < end && (*p == 'e' || *p == 'E')) {
        out->is_integer = false;
        p++;
        p += p < end && (*p == '+' || *p == '-');
        digits = p;
        p = skip_digits(p, end);
        if (p == digits)
            return unexpected(ps, p, "a digit in the exponent");
    }
    if (p == end && !ps->final)
        return OG_BASE__JSON_MORE;
    out->kind = OG_JSON_NUMBER;
    out->text = (og_str){ps->p, (size_t)(p - ps->p)};
    ps->p = p;
    return OG_BASE__JSON_OK;
}

static result parse_word(parser *ps, og_json *out)
{
    og_str word = *ps->p == 't' ? OG_STR("true") : *ps->p == 'f' ? OG_STR("false") : OG_STR("null");
    size_t room = (size_t)(ps->end - ps->p);
    for (size_t i = 1; i < word.len; i++) {
        if (i >= room || ps->p[i] != word.ptr[i])
            return unexpected(ps, ps->p + (i < room ? i : room), "true, false or null");
    }
    out->kind = *ps->p == 'n' ? OG_JSON_NULL : OG_JSON_BOOL;
    out->boolean = *ps->p == 't';
    ps->p += word.len;
    return OG_BASE__JSON_OK;
}

/* ---- containers --------------------------------------------------------------------------- */

const char *og_base__json_skip_space(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
        p++;
    return p;
}

/* Most values follow at once or after a single blank. */
static inline bool skip_to_byte(parser *ps)
{
    if (ps->p < ps->end && (uint8_t)*ps->p <= ' ')
        ps->p = og_base__json_skip_space(ps->p, ps->end);
    return ps->p < ps->end;
}

static result parse_value(parser *ps, unsigned depth, og_json *out);

/* The values above `first` on the stack become the arena's. */
static result pop_values(parser *ps, size_t first, og_json *out)
{
    size_t count = ps->values.len - first;
    if (count > UINT32_MAX)
        return invalid(ps, ps->p, "at most 4294967295 items");
    out->items = og_arena_copy(ps->arena, ps->values.items + first, count * sizeof(og_json));
    out->count = (uint32_t)count;
    ps->values.len = first;
    return out->items != NULL ? OG_BASE__JSON_OK : OG_BASE__JSON_NOMEM;
}

/* Behind a value of a container: true at its end, with *r OK, or at a failure. */
static inline bool at_container_end(parser *ps, char close, const char *expected, result *r)
{
    if (!skip_to_byte(ps)) {
        *r = cut(ps, expected);
        return true;
    }
    char c = *ps->p;
    if (c == ',') {
        ps->p++;
        return false;
    }
    *r = c == close ? OG_BASE__JSON_OK : invalid(ps, ps->p, expected);
    ps->p += c == close;
    return true;
}

static result parse_array(parser *ps, unsigned depth, og_json *out)
{
    size_t first = ps->values.len;
    out->kind = OG_JSON_ARRAY;
    ps->p++;
    if (skip_to_byte(ps) && *ps->p == ']') {
        ps->p++;
        return OG_BASE__JSON_OK;
    }
    result r;
    do {
        og_json item;
        r = parse_value(ps, depth, &item);
        if (r != OG_BASE__JSON_OK)
            return r;
        if (!og_vec_push(&ps->values, item))
            return OG_BASE__JSON_NOMEM;
    } while (!at_container_end(ps, ']', "',' or ']'", &r));
    return r == OG_BASE__JSON_OK ? pop_values(ps, first, out) : r;
}

/* A key and its colon. */
static result parse_key(parser *ps)
{
    og_str key;
    if (!skip_to_byte(ps))
        return cut(ps, "a key in quotes");
    if (*ps->p != '"')
        return invalid(ps, ps->p, "a key in quotes");
    result r = parse_string(ps, &key);
    if (r != OG_BASE__JSON_OK)
        return r;
    if (!skip_to_byte(ps))
        return cut(ps, "':' after a key");
    if (*ps->p != ':')
        return invalid(ps, ps->p, "':' after a key");
    ps->p++;
    return og_vec_push(&ps->keys, key) ? OG_BASE__JSON_OK : OG_BASE__JSON_NOMEM;
}

static result parse_object(parser *ps, unsigned depth, og_json *out)
{
    size_t first = ps->values.len, first_key = ps->keys.len;
    out->kind = OG_JSON_OBJECT;
    ps->p++;
    if (skip_to_byte(ps) && *ps->p == '}') {
        ps->p++;
        return OG_BASE__JSON_OK;
    }
    result r;
    do {
        og_json value;
        if ((r = parse_key(ps)) != OG_BASE__JSON_OK ||
            (r = parse_value(ps, depth, &value)) != OG_BASE__JSON_OK)
            return r;
        if (!og_vec_push(&ps->values, value))
            return OG_BASE__JSON_NOMEM;
    } while (!at_container_end(ps, '}', "',' or '}'", &r));
    if (r != OG_BASE__JSON_OK || (r = pop_values(ps, first, out)) != OG_BASE__JSON_OK)
        return r;
    out->keys = og_arena_copy(ps->arena, ps->keys.items + first_key, out->count * sizeof(og_str));
    ps->keys.len = first_key;
    return out->keys != NULL ? OG_BASE__JSON_OK : OG_BASE__JSON_NOMEM;
}

static result parse_value(parser *ps, unsigned depth, og_json *out)
{
    if (!skip_to_byte(ps))
        return cut(ps, "a value");
    *out = (og_json){.offset = ps->origin + (uint64_t)(ps->p - ps->start)};
    switch (*ps->p) {
    case '"':
        out->kind = OG_JSON_STRING;
        return parse_string(ps, &out->text);
    case '{':
    case '[':
        if (depth == OG_JSON_MAX_DEPTH)
            return invalid(ps, ps->p, "at most 128 levels of nesting");
        return *ps->p == '{' ? parse_object(ps, depth + 1, out) : parse_array(ps, depth + 1, out);
    case 't':
    case 'f':
    case 'n':
        return parse_word(ps, out);
    case '-':
    case '0' ... '9':
        return parse_number(ps, out);
    default:
        return invalid(ps, ps->p, "a value");
    }
}

og_base__json_result og_base__json_parse(parser *ps, og_json *out)
{
    _Static_assert(OG_JSON_MAX_DEPTH == 128, "the message above names the limit");
    ps->values.len = ps->keys.len = 0;
    return parse_value(ps, 0, out);
}

/* ---- one value ---------------------------------------------------------------------------- */

static og_status place_error(const parser *ps, og_error *err)
{
    char text[256];
    og_base__json_describe(ps, text, sizeof text);
    uint32_t line = 1;
    const char *line_start = ps->start;
    for (const char *p = ps->start; (p = memchr(p, '\n', (size_t)(ps->bad - p))) != NULL;) {
        line_start = ++p;
        line++;
    }
    og_str before = {line_start, (size_t)(ps->bad - line_start)};
    return og_error_set_at(err, OG_INVALID, line, (uint32_t)og_utf8_length(before) + 1, "%s", text);
}

og_status og_json_parse(og_arena *arena, og_str input, og_json *out, og_error *err)
{
    parser ps = {.final = true, .arena = arena};
    ps.start = ps.p = input.len != 0 ? input.ptr : "";
    ps.end = ps.p + input.len;
    og_json value;
    result r = og_base__json_parse(&ps, &value);
    if (r == OG_BASE__JSON_OK && skip_to_byte(&ps))
        r = invalid(&ps, ps.p, "nothing after the value");
    og_base__json_parser_deinit(&ps);
    if (r == OG_BASE__JSON_NOMEM)
        return og_error_nomem(err);
    if (r != OG_BASE__JSON_OK)
        return place_error(&ps, err);
    *out = value;
    return OG_OK;
}

/* ---- reading the tree --------------------------------------------------------------------- */

const og_json *og_json_get(const og_json *object, const char *key)
{
    if (object == NULL || object->kind != OG_JSON_OBJECT)
        return NULL;
    og_str wanted = og_str_of(key);
    for (size_t i = object->count; i-- > 0;) {
        if (og_str_eq(object->keys[i], wanted))
            return &object->items[i];
    }
    return NULL;
}

og_str og_json_get_str(const og_json *object, const char *key, og_str fallback)
{
    const og_json *member = og_json_get(object, key);
    return member != NULL && member->kind == OG_JSON_STRING ? member->text : fallback;
}

/* No text in memory has as many digits: an exponent beyond it means zero or out of range. */
#define EXPONENT_BOUND (INT64_C(1) << 60)

/* The exponent of a number's text, moved within the bound. */
static int64_t exponent_of(og_str text)
{
    int64_t exponent;
    if (text.ptr[0] == '+')
        text = og_str_slice(text, 1, text.len);
    if (!og_parse_i64(text, &exponent))
        exponent = text.ptr[0] == '-' ? INT64_MIN : INT64_MAX;
    if (exponent < -EXPONENT_BOUND)
        return -EXPONENT_BOUND;
    return exponent < EXPONENT_BOUND ? exponent : EXPONENT_BOUND;
}

/* |number| when it is a whole one below 2^64: digits up to the last that is not zero, times a power
 * of ten that is not negative. */
static bool whole_magnitude(og_str text, uint64_t *out)
{
    size_t digits_end = 0;
    while (digits_end < text.len && text.ptr[digits_end] != 'e' && text.ptr[digits_end] != 'E')
        digits_end++;
    int64_t exponent =
        digits_end < text.len ? exponent_of(og_str_slice(text, digits_end + 1, text.len)) : 0;
    uint64_t value = 0;
    size_t pending_zeros = 0; /* read, but not yet multiplied into value */
    bool overflow = false, fraction = false;
    for (size_t i = 0; i < digits_end; i++) {
        char c = text.ptr[i];
        if (c == '.') {
            fraction = true;
            continue;
        }
        exponent -= fraction;
        if (c == '0') {
            pending_zeros++;
            continue;
        }
        for (; value != 0 && pending_zeros > 0 && !overflow; pending_zeros--)
            overflow = og_mul_overflow(value, 10u, &value);
        pending_zeros = 0;
        overflow = overflow || og_mul_overflow(value, 10u, &value) ||
                   og_add_overflow(value, (uint64_t)(c - '0'), &value);
    }
    exponent += (int64_t)pending_zeros;
    if (overflow || (value != 0 && exponent < 0))
        return false;
    for (; value != 0 && exponent > 0; exponent--) {
        if (og_mul_overflow(value, 10u, &value))
            return false;
    }
    *out = value;
    return true;
}

bool og_json_to_i64(const og_json *number, int64_t *out)
{
    if (number == NULL || number->kind != OG_JSON_NUMBER)
        return false;
    if (number->is_integer)
        return og_parse_i64(number->text, out);
    bool negative = number->text.ptr[0] == '-';
    uint64_t magnitude;
    if (!whole_magnitude(og_str_slice(number->text, negative, number->text.len), &magnitude) ||
        magnitude > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

bool og_json_to_u64(const og_json *number, uint64_t *out)
{
    if (number == NULL || number->kind != OG_JSON_NUMBER)
        return false;
    if (number->is_integer)
        return og_parse_u64(number->text, out);
    bool negative = number->text.ptr[0] == '-';
    uint64_t magnitude;
    if (!whole_magnitude(og_str_slice(number->text, negative, number->text.len), &magnitude) ||
        (negative && magnitude != 0))
        return false;
    *out = magnitude;
    return true;
}

bool og_json_to_f64(const og_json *number, double *out)
{
    return number != NULL && number->kind == OG_JSON_NUMBER && og_parse_f64(number->text, out);
}
