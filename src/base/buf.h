/* base/buf - a growing byte buffer that is born with a maximum.
 *
 * Appends return false when out of memory or past the maximum; the first failure
 * sticks (buf.failed), so a sequence of appends may be checked once at its end. */
#ifndef OG_BASE_BUF_H
#define OG_BASE_BUF_H

#include "base/alloc.h"
#include "base/str.h"

typedef struct og_buf {
    uint8_t *ptr; /* with room for a NUL behind len, which og_buf_cstr writes */
    size_t len;
    size_t cap;
    size_t max; /* 0 = no bound */
    bool failed;
} og_buf;

#define OG_BUF_INIT ((og_buf){0})

void og_buf_deinit(og_buf *buf);
static inline void og_buf_auto_(og_buf *b)
{
    og_buf_deinit(b);
}
/* OG_AUTO_BUF buf = OG_BUF_INIT; */
#define OG_AUTO_BUF __attribute__((cleanup(og_buf_auto_))) og_buf

bool og_buf_reserve(og_buf *buf, size_t extra);
bool og_buf_grow_append(og_buf *buf, const void *bytes, size_t len);
static inline bool og_buf_append(og_buf *buf, const void *bytes, size_t len)
{
    if (__builtin_expect(buf->failed || len >= buf->cap - buf->len, 0))
        return og_buf_grow_append(buf, bytes, len);
    if (len > 0)
        memcpy(buf->ptr + buf->len, bytes, len);
    buf->len += len;
    return true;
}
static inline bool og_buf_byte(og_buf *buf, uint8_t byte)
{
    return og_buf_append(buf, &byte, 1);
}
static inline bool og_buf_str(og_buf *buf, og_str s)
{
    return og_buf_append(buf, s.ptr, s.len);
}
static inline bool og_buf_text(og_buf *buf, const char *text)
{
    return og_buf_append(buf, text, strlen(text));
}
bool og_buf_printf(og_buf *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* `count` copies of one byte. */
bool og_buf_fill(og_buf *buf, uint8_t byte, size_t count);
/* Append text to be shown to people: control characters, which a terminal would obey,
 * are written as \uXXXX. Newlines and tabs stay as they are unless `in_line`. */
bool og_buf_visible(og_buf *buf, og_str text, bool in_line);
/* Little-endian integers, for file formats. */
bool og_buf_u16(og_buf *buf, uint16_t value);
bool og_buf_u32(og_buf *buf, uint32_t value);
bool og_buf_u64(og_buf *buf, uint64_t value);
static inline void og_buf_clear(og_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}
static inline og_str og_buf_view(const og_buf *buf)
{
    return (og_str){buf->len != 0 ? (const char *)buf->ptr : "", buf->len};
}
static inline og_bytes og_buf_bytes(const og_buf *buf)
{
    return (og_bytes){buf->ptr, buf->len};
}
/* NUL-terminated text of the buffer, borrowed; "" when out of memory. */
const char *og_buf_cstr(og_buf *buf);

#endif
