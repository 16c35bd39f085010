/* base/str - borrowed views of text and bytes.
 *
 * A view never owns: the comment of whoever returns one says what it points into.
 * Text is UTF-8 where a function says so, else bytes; neither is NUL-terminated
 * unless said. */
#ifndef OG_BASE_STR_H
#define OG_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct og_str {
    const char *ptr;
    size_t len;
} og_str;

typedef struct og_bytes {
    const uint8_t *ptr;
    size_t len;
} og_bytes;

#define OG_STR(literal) ((og_str){("" literal), sizeof(literal) - 1})
/* For printf's "%.*s". */
#define OG_FMT(s) (int)(s).len, (s).ptr

static inline og_str og_str_of(const char *text)
{
    return (og_str){text, text != NULL ? strlen(text) : 0};
}
static inline og_str og_str_slice(og_str s, size_t start, size_t end)
{
    return (og_str){s.ptr + start, end - start};
}
static inline bool og_str_eq(og_str a, og_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}
static inline bool og_str_is(og_str a, const char *text)
{
    return og_str_eq(a, og_str_of(text));
}
static inline bool og_str_starts(og_str s, og_str prefix)
{
    return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}
static inline bool og_str_ends(og_str s, og_str suffix)
{
    return s.len >= suffix.len && memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0;
}
/* Order by bytes, as the languages and the export order text. */
int og_str_cmp(og_str a, og_str b);
/* Index of the first occurrence, or SIZE_MAX. */
size_t og_str_find(og_str s, og_str needle);
/* Without ASCII white space at both ends. */
og_str og_str_trim(og_str s);

/* True when the bytes are well-formed UTF-8 (Unicode 15, table 3-7). On false *out_bad (unless
 * NULL) is the offset of the first byte of the malformed sequence. */
bool og_utf8_valid(og_str s, size_t *out_bad);
/* Decode one code point at *offset and advance; U+FFFD and one byte on a malformed sequence. */
uint32_t og_utf8_next(og_str s, size_t *offset);
/* C0, DEL and C1 (U+0080 to U+009F): what terminals obey instead of showing it. */
bool og_utf8_is_control(uint32_t code_point);
/* Code points in well-formed text. */
size_t og_utf8_length(og_str s);
/* Columns in which a terminal shows the text: wide characters take two, combining ones none.
 * What is not known, and control characters, counts one. */
size_t og_utf8_columns(og_str s);
/* The longest start of the text that needs no more than so many. */
og_str og_utf8_take_columns(og_str s, size_t columns);
/* Encode into dst[4]; returns the number of bytes. */
size_t og_utf8_encode(uint32_t code_point, char *dst);

/* Edit distance with transpositions (optimal string alignment), ASCII letters without case, for
 * "did you mean": SIZE_MAX when above `limit` or either text is over 64 bytes. */
size_t og_str_distance(og_str a, og_str b, size_t limit);

#endif
