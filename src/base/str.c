#include "base/str.h"

#include <string.h>

#define MAX_DISTANCE_TEXT 64

int og_str_cmp(og_str a, og_str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.ptr, b.ptr, common) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static unsigned char ascii_lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

size_t og_str_find(og_str s, og_str needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return SIZE_MAX;
    const char *hit = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return hit != NULL ? (size_t)(hit - s.ptr) : SIZE_MAX;
}

static bool is_ascii_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

og_str og_str_trim(og_str s)
{
    while (s.len > 0 && is_ascii_space(s.ptr[0]))
        s = og_str_slice(s, 1, s.len);
    while (s.len > 0 && is_ascii_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* ---- UTF-8 -------------------------------------------------------------------------------- */

static bool is_continuation(uint8_t byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Length of the well-formed sequence at p with `room` bytes behind it (room > 0), 0 when there is
 * none. The second byte's range depends on the first: no overlong forms, no surrogates, nothing
 * above U+10FFFF. */
static size_t sequence_length(const uint8_t *p, size_t room)
{
    uint8_t lead = p[0];
    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4 || room < 2)
        return 0;
    if (lead < 0xe0)
        return is_continuation(p[1]) ? 2 : 0;
    uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high || room < 3 || !is_continuation(p[2]))
        return 0;
    if (lead < 0xf0)
        return 3;
    return room >= 4 && is_continuation(p[3]) ? 4 : 0;
}

/* Offset of the first byte at or after `start` that is not ASCII, eight at a time. */
static size_t skip_ascii(og_str s, size_t start)
{
    size_t i = start;
    for (; s.len - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, s.ptr + i, sizeof word);
        word &= 0x8080808080808080u;
        if (word != 0)
            return i + (size_t)__builtin_ctzll(word) / 8;
    }
    while (i < s.len && (uint8_t)s.ptr[i] < 0x80)
        i++;
    return i;
}

bool og_utf8_valid(og_str s, size_t *out_bad)
{
    const uint8_t *p = (const uint8_t *)s.ptr;
    size_t i = 0;
    while ((i = skip_ascii(s, i)) < s.len) {
        do {
            size_t len = sequence_length(p + i, s.len - i);
            if (len == 0) {
                if (out_bad != NULL)
                    *out_bad = i;
                return false;
            }
            i += len;
        } while (i < s.len && p[i] >= 0x80);
    }
    return true;
}

uint32_t og_utf8_next(og_str s, size_t *offset)
{
    const uint8_t *p = (const uint8_t *)s.ptr + *offset;
    size_t len = sequence_length(p, s.len - *offset);
    *offset += len != 0 ? len : 1;
    switch (len) {
    case 1:
        return p[0];
    case 2:
        return (p[0] & 0x1fu) << 6 | (p[1] & 0x3fu);
    case 3:
        return (p[0] & 0x0fu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
    case 4:
        return (p[0] & 0x07u) << 18 | (p[1] & 0x3fu) << 12 | (p[2] & 0x3fu) << 6 | (p[3] & 0x3fu);
    default:
        return 0xfffd;
    }
}

bool og_utf8_is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

size_t og_utf8_length(og_str s)
{
    size_t count = 0;
    for (size_t i = 0; i < s.len; i++)
        count += !is_continuation((uint8_t)s.ptr[i]);
    return count;
}

size_t og_utf8_encode(uint32_t code_point, char *dst)
{
    if (code_point < 0x80) {
        dst[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        dst[0] = (char)(0xc0 | code_point >> 6);
        dst[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        dst[0] = (char)(0xe0 | code_point >> 12);
        dst[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        dst[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    dst[0] = (char)(0xf0 | code_point >> 18);
    dst[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    dst[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    dst[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}

/* ---- edit distance ------------------------------------------------------------------------ */

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

size_t og_str_distance(og_str a, og_str b, size_t limit)
{
    if (a.len > MAX_DISTANCE_TEXT || b.len > MAX_DISTANCE_TEXT)
        return SIZE_MAX;
    /* Three rows of the table: two back (for a transposition), previous, current. */
    unsigned rows[3][MAX_DISTANCE_TEXT + 1];
    unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];
    for (size_t j = 0; j <= b.len; j++)
        prev[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        unsigned char ca = ascii_lower(a.ptr[i - 1]);
        cur[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned char cb = ascii_lower(b.ptr[j - 1]);
            cur[j] = min3(prev[j] + 1, cur[j - 1] + 1, prev[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == ascii_lower(b.ptr[j - 2]) &&
                cb == ascii_lower(a.ptr[i - 2]) && before[j - 2] + 1 < cur[j])
                cur[j] = before[j - 2] + 1;
        }
        unsigned *oldest = before;
        before = prev;
        prev = cur;
        cur = oldest;
    }
    return prev[b.len] <= limit ? prev[b.len] : SIZE_MAX;
}
