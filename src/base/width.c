/* How wide text is on a terminal, by the C library's table of Unicode. */
#include <locale.h>
#include <pthread.h>
#include <wchar.h>

#include "base/str.h"

/* The program's own locale may know ASCII only. (locale_t)0 where there is no such locale:
 * then every character counts one. */
static locale_t unicode;

static void open_unicode(void)
{
    unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/* Bytes of the text's start that need at most so many columns; *out_columns is what they need. */
static size_t measure(og_str s, size_t most, size_t *out_columns)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (og_utf8_length(s) == s.len) { /* ASCII: most text, and opening a locale reads files */
        *out_columns = s.len < most ? s.len : most;
        return *out_columns;
    }
    pthread_once(&once, open_unicode);
    locale_t before = unicode != (locale_t)0 ? uselocale(unicode) : (locale_t)0;
    size_t at = 0, columns = 0;
    while (at < s.len) {
        size_t next = at;
        uint32_t c = og_utf8_next(s, &next);
        int width = c < 0x80 || unicode == (locale_t)0 ? 1 : wcwidth((wchar_t)c);
        size_t needed = width >= 0 ? (size_t)width : 1;
        if (needed > most - columns)
            break;
        columns += needed;
        at = next;
    }
    if (unicode != (locale_t)0)
        uselocale(before);
    *out_columns = columns;
    return at;
}

size_t og_utf8_columns(og_str s)
{
    size_t columns;
    (void)measure(s, SIZE_MAX, &columns);
    return columns;
}

og_str og_utf8_take_columns(og_str s, size_t columns)
{
    size_t needed;
    return og_str_slice(s, 0, measure(s, columns, &needed));
}
