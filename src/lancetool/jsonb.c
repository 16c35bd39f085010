/* Columns of logical type "json": JSONB, as Lance stores it in large_binary.
 * All numbers are big-endian.
 *
 *   header    u32   kind << 28 | count    kind: 2 one value, 4 object of `count` pairs,
 *                                         8 array of `count` values
 *   entries   u32   type << 28 | bytes    of the keys first, then of the values; type: 0 null,
 *                                         1 text, 2 number, 3 false, 4 true, 5 a nested header
 *                                         with its entries and bytes
 *   bytes           of keys and values, in order of the entries
 *
 * The bytes of a number: u8 kind (0x00 zero, 0x10 NaN, 0x20 and 0x30 infinities, 0x40 signed,
 * 0x50 unsigned, 0x60 double), then the value; an integer takes the fewest of 1, 2, 4 or 8 bytes
 * that hold it. */
#include "lancetool/tool.h"

#include "base/json.h"

#include <math.h>

#define MAX_DEPTH 100

enum { HEAD_SCALAR = 2, HEAD_OBJECT = 4, HEAD_ARRAY = 8 };
enum { ENTRY_NULL, ENTRY_TEXT, ENTRY_NUMBER, ENTRY_FALSE, ENTRY_TRUE, ENTRY_CONTAINER };

static uint32_t load_u32(const char *at)
{
    const uint8_t *b = (const uint8_t *)at;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool put_integer(og_str bytes, bool is_signed, og_buf *out)
{
    if (bytes.len != 1 && bytes.len != 2 && bytes.len != 4 && bytes.len != 8)
        return false;
    bool negative = is_signed && ((uint8_t)bytes.ptr[0] & 0x80) != 0;
    uint64_t n = negative ? UINT64_MAX : 0;
    for (size_t i = 0; i < bytes.len; i++)
        n = n << 8 | (uint8_t)bytes.ptr[i];
    return is_signed ? og_json_write_i64(out, (int64_t)n) : og_json_write_u64(out, n);
}

static bool put_double(og_str bytes, og_buf *out)
{
    if (bytes.len != 8)
        return false;
    uint64_t bits = (uint64_t)load_u32(bytes.ptr) << 32 | load_u32(bytes.ptr + 4);
    double value;
    memcpy(&value, &bits, sizeof value);
    return isfinite(value) && og_json_write_f64(out, value);
}

static bool put_number(og_str bytes, og_buf *out)
{
    if (bytes.len == 0)
        return false;
    og_str rest = og_str_slice(bytes, 1, bytes.len);
    switch ((uint8_t)bytes.ptr[0]) {
    case 0x00:
        return rest.len == 0 && og_buf_byte(out, '0');
    case 0x10:
        return rest.len == 0 && og_buf_text(out, "\"nan\"");
    case 0x20:
        return rest.len == 0 && og_buf_text(out, "\"inf\"");
    case 0x30:
        return rest.len == 0 && og_buf_text(out, "\"-inf\"");
    case 0x40:
        return put_integer(rest, true, out);
    case 0x50:
        return put_integer(rest, false, out);
    case 0x60:
        return put_double(rest, out);
    default:
        return false;
    }
}

static bool put_text(og_str bytes, og_buf *out)
{
    return og_utf8_valid(bytes, NULL) && og_json_write_str(out, bytes);
}

static bool put_container(og_str bytes, unsigned depth, og_buf *out);

static bool put_entry(uint32_t type, og_str bytes, unsigned depth, og_buf *out)
{
    switch (type) {
    case ENTRY_NULL:
        return bytes.len == 0 && og_buf_text(out, "null");
    case ENTRY_TEXT:
        return put_text(bytes, out);
    case ENTRY_NUMBER:
        return put_number(bytes, out);
    case ENTRY_FALSE:
        return bytes.len == 0 && og_buf_text(out, "false");
    case ENTRY_TRUE:
        return bytes.len == 0 && og_buf_text(out, "true");
    case ENTRY_CONTAINER:
        return put_container(bytes, depth + 1, out);
    default:
        return false;
    }
}

/* Bytes that are not taken yet, and how many of them entry `index` has. */
static bool take(og_str entries, uint32_t index, og_str *rest, uint32_t *out_type, og_str *out)
{
    uint32_t entry = load_u32(entries.ptr + (size_t)index * 4), len = entry & 0x0fffffff;
    *out_type = entry >> 28;
    if (len > rest->len)
        return false;
    *out = og_str_slice(*rest, 0, len);
    *rest = og_str_slice(*rest, len, rest->len);
    return true;
}

static bool put_items(uint32_t kind, uint32_t count, og_str entries, og_str rest, unsigned depth,
                      og_buf *out)
{
    og_str keys = rest, key, value;
    uint32_t type, first = kind == HEAD_OBJECT ? count : 0;
    for (uint32_t i = 0; i < first; i++)
        if (!take(entries, i, &rest, &type, &key) || type != ENTRY_TEXT)
            return false;
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        if (kind == HEAD_OBJECT && (!take(entries, i, &keys, &type, &key) || !put_text(key, out) ||
                                    !og_buf_byte(out, ':')))
            return false;
        if (!take(entries, first + i, &rest, &type, &value) || !put_entry(type, value, depth, out))
            return false;
    }
    return rest.len == 0;
}

static bool put_container(og_str bytes, unsigned depth, og_buf *out)
{
    if (depth > MAX_DEPTH || bytes.len < 4)
        return false;
    uint32_t head = load_u32(bytes.ptr), kind = head >> 28, count = head & 0x0fffffff;
    if (kind == HEAD_SCALAR)
        count = 1; /* Some writers count it, others do not. */
    else if (kind != HEAD_OBJECT && kind != HEAD_ARRAY)
        return false;
    size_t entries = (size_t)count * (kind == HEAD_OBJECT ? 8 : 4);
    if (entries > bytes.len - 4)
        return false;
    if (kind != HEAD_SCALAR)
        og_buf_byte(out, kind == HEAD_OBJECT ? '{' : '[');
    if (!put_items(kind, count, og_str_slice(bytes, 4, 4 + entries),
                   og_str_slice(bytes, 4 + entries, bytes.len), depth, out))
        return false;
    if (kind != HEAD_SCALAR)
        og_buf_byte(out, kind == HEAD_OBJECT ? '}' : ']');
    return true;
}

bool tool_put_jsonb(og_str bytes, og_buf *out)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    return put_container(bytes, 0, &text) && !text.failed && og_buf_str(out, og_buf_view(&text));
}
