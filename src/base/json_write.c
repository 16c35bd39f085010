#include <math.h>

#include "base/json_priv.h"
#include "base/number.h"

bool og_json_write_str(og_buf *out, og_str text)
{
    static const char hex[] = "0123456789abcdef";
    static const char named[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    const char *p = text.ptr, *end = text.ptr + text.len;
    uint64_t seen = 0;
    og_buf_byte(out, '"');
    while (p < end) {
        const char *special = og_base__json_skip_plain(p, end, &seen);
        og_buf_append(out, p, (size_t)(special - p));
        if (special == end)
            break;
        uint8_t byte = (uint8_t)*special;
        if (byte >= 0x20)
            og_buf_append(out, (char[]){'\\', (char)byte}, 2);
        else if (named[byte] != '\0')
            og_buf_append(out, (char[]){'\\', named[byte]}, 2);
        else
            og_buf_append(out, (char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6);
        p = special + 1;
    }
    return og_buf_byte(out, '"');
}

/* ---- numbers ------------------------------------------------------------------------------ */

/* Digits of `value` at the end of text; returns where they begin. */
static char *format_u64(uint64_t value, char text[20])
{
    char *p = text + 20;
    do {
        *--p = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    return p;
}

bool og_json_write_u64(og_buf *out, uint64_t value)
{
    char text[20], *p = format_u64(value, text);
    return og_buf_append(out, p, (size_t)(text + sizeof text - p));
}

bool og_json_write_i64(og_buf *out, int64_t value)
{
    if (value < 0)
        og_buf_byte(out, '-');
    return og_json_write_u64(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* 0.digits * 10^point with -5 < point <= 16, without exponent. May write 17 bytes beyond. */
static char *put_plain(char *p, const char digits[17], int count, int point)
{
    if (point <= 0) {
        memcpy(p, "0.0000", 6);
        memcpy(p + 2 - point, digits, 17);
        return p + 2 - point + count;
    }
    int whole = point;
    for (int i = 0; i < whole; i++)
        *p++ = i < count ? digits[i] : '0';
    *p++ = '.';
    if (count <= whole)
        *p++ = '0';
    for (int i = whole; i < count; i++)
        *p++ = digits[i];
    return p;
}

static char *put_exponent(char *p, const char *digits, int count, int exponent)
{
    *p++ = digits[0];
    if (count > 1) {
        *p++ = '.';
        memcpy(p, digits + 1, (size_t)count - 1);
        p += count - 1;
    }
    *p++ = 'e';
    *p++ = exponent < 0 ? '-' : '+';
    char text[20], *first = format_u64((uint64_t)(exponent < 0 ? -exponent : exponent), text);
    size_t len = (size_t)(text + sizeof text - first);
    memcpy(p, first, len);
    return p + len;
}

#define F64_ROOM 48

bool og_json_write_f64(og_buf *out, double value)
{
    if (!isfinite(value))
        return og_buf_append(out, "null", 4);
    /* Into the buffer itself when there is room for the longest. */
    char text[F64_ROOM];
    bool in_place = !out->failed && out->cap - out->len > F64_ROOM;
    char *start = in_place ? (char *)out->ptr + out->len : text, *p = start;
    if (signbit(value)) {
        *p++ = '-';
        value = -value;
    }
    if (value == 0) {
        memcpy(p, "0.0", 3);
        p += 3;
    } else {
        char digits[17];
        int point;
        int count = og_f64_shortest(value, digits, &point);
        p = point > -5 && point <= 16 ? put_plain(p, digits, count, point)
                                      : put_exponent(p, digits, count, point - 1);
    }
    if (!in_place)
        return og_buf_append(out, text, (size_t)(p - text));
    out->len += (size_t)(p - start);
    return true;
}

/* ---- trees -------------------------------------------------------------------------------- */

static void write_value(og_buf *out, const og_json *value, bool pretty, unsigned depth);

static void new_line(og_buf *out, bool pretty, unsigned depth)
{
    if (!pretty)
        return;
    og_buf_byte(out, '\n');
    og_buf_fill(out, ' ', (size_t)depth * 2);
}

static void write_container(og_buf *out, const og_json *value, bool pretty, unsigned depth)
{
    bool is_object = value->kind == OG_JSON_OBJECT;
    og_buf_byte(out, is_object ? '{' : '[');
    for (uint32_t i = 0; i < value->count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        new_line(out, pretty, depth + 1);
        if (is_object) {
            og_json_write_str(out, value->keys[i]);
            og_buf_append(out, ": ", pretty ? 2 : 1);
        }
        write_value(out, &value->items[i], pretty, depth + 1);
    }
    if (value->count > 0)
        new_line(out, pretty, depth);
    og_buf_byte(out, is_object ? '}' : ']');
}

static void write_value(og_buf *out, const og_json *value, bool pretty, unsigned depth)
{
    switch (value->kind) {
    case OG_JSON_NULL:
        og_buf_append(out, "null", 4);
        break;
    case OG_JSON_BOOL:
        og_buf_text(out, value->boolean ? "true" : "false");
        break;
    case OG_JSON_NUMBER:
        og_buf_str(out, value->text);
        break;
    case OG_JSON_STRING:
        og_json_write_str(out, value->text);
        break;
    case OG_JSON_ARRAY:
    case OG_JSON_OBJECT:
        write_container(out, value, pretty, depth);
        break;
    }
}

bool og_json_write(og_buf *out, const og_json *value, bool pretty)
{
    write_value(out, value, pretty, 0);
    return !out->failed;
}
