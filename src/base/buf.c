#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MIN_CAP ((size_t)64)
/* From this capacity on a buffer is likely to be filled again and again. */
#define HUGE_FROM ((size_t)4 << 20)

void og_buf_deinit(og_buf *buf)
{
    og_free(buf->ptr);
    *buf = (og_buf){.max = buf->max};
}

static bool fail(og_buf *buf)
{
    buf->failed = true;
    return false;
}

/* Capacity is kept one above the length in use, for the NUL, and never above max + 1: so the
 * inline append needs no look at max. */
bool og_buf_reserve(og_buf *buf, size_t extra)
{
    if (buf->failed)
        return false;
    if (extra < buf->cap - buf->len)
        return true;
    size_t max = buf->max != 0 ? buf->max : SIZE_MAX - 1;
    if (buf->len > max || extra > max - buf->len)
        return fail(buf);
    size_t need = buf->len + extra + 1;
    size_t cap = buf->cap <= SIZE_MAX / 2 ? buf->cap * 2 : SIZE_MAX;
    if (cap < MIN_CAP)
        cap = MIN_CAP;
    if (cap < need)
        cap = need;
    if (cap > max + 1)
        cap = max + 1;
    uint8_t *ptr = og_realloc(buf->ptr, cap);
    if (ptr == NULL)
        return fail(buf);
    if (cap >= HUGE_FROM)
        og_prefer_huge_pages(ptr, cap);
    buf->ptr = ptr;
    buf->cap = cap;
    return true;
}

bool og_buf_grow_append(og_buf *buf, const void *bytes, size_t len)
{
    if (!og_buf_reserve(buf, len))
        return false;
    if (len > 0)
        memcpy(buf->ptr + buf->len, bytes, len);
    buf->len += len;
    return true;
}

bool og_buf_printf(og_buf *buf, const char *fmt, ...)
{
    if (buf->failed)
        return false;
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t room = buf->cap - buf->len;
    int len = vsnprintf(room != 0 ? (char *)buf->ptr + buf->len : NULL, room, fmt, ap);
    va_end(ap);
    bool ok = len >= 0 && og_buf_reserve(buf, (size_t)len);
    if (ok && (size_t)len >= room)
        vsnprintf((char *)buf->ptr + buf->len, (size_t)len + 1, fmt, again);
    va_end(again);
    if (!ok)
        return fail(buf);
    buf->len += (size_t)len;
    return true;
}

bool og_buf_fill(og_buf *buf, uint8_t byte, size_t count)
{
    if (!og_buf_reserve(buf, count))
        return false;
    if (count > 0)
        memset(buf->ptr + buf->len, byte, count);
    buf->len += count;
    return true;
}

/* The host is little-endian (base/bits.h refuses others). */
bool og_buf_visible(og_buf *buf, og_str text, bool in_line)
{
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        uint32_t c = og_utf8_next(text, &at);
        bool is_layout = !in_line && (c == '\n' || c == '\t');
        if (og_utf8_is_control(c) && !is_layout)
            og_buf_printf(buf, "\\u%04x", c);
        else
            og_buf_append(buf, text.ptr + from, at - from);
    }
    return !buf->failed;
}

bool og_buf_u16(og_buf *buf, uint16_t value)
{
    return og_buf_append(buf, &value, sizeof value);
}

bool og_buf_u32(og_buf *buf, uint32_t value)
{
    return og_buf_append(buf, &value, sizeof value);
}

bool og_buf_u64(og_buf *buf, uint64_t value)
{
    return og_buf_append(buf, &value, sizeof value);
}

const char *og_buf_cstr(og_buf *buf)
{
    if (buf->cap == buf->len && !og_buf_reserve(buf, 0))
        return "";
    buf->ptr[buf->len] = '\0';
    return (const char *)buf->ptr;
}
