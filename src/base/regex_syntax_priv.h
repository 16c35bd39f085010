/* base/regex_syntax_priv - what the parts of the translation of patterns share (see regex_priv.h):
 * regex_syntax.c has groups and repetition, regex_class.c bracketed classes, regex_escape.c what
 * follows a backslash.
 *
 * Parsers stand at `p`, move it behind what they took, and write to `out`.
 * They return false when out of memory, or with `problem` and `at` set. */
#ifndef OG_BASE_REGEX_SYNTAX_PRIV_H
#define OG_BASE_REGEX_SYNTAX_PRIV_H

#include "base/map.h"
#include "base/regex_priv.h"

/* Checked before anything is written, so that no buffer meets its own bound:
 * PCRE2 takes patterns of 64 KiB. */
#define OG_BASE__RX_MAX_BYTES ((size_t)128 << 10)
#define OG_BASE__RX_MAX_CLASS_BYTES ((size_t)64 << 10) /* of the operands of a class */
#define OG_BASE__RX_MAX_NESTING 250 /* of groups and classes: regex-syntax's default nest_limit */

/* \w: Unicode technical standard 18, annex C. PCRE2's own leaves out marks and connectors. */
#define OG_BASE__RX_WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}"
#define OG_BASE__RX_ANY "(?s:.)"
#define OG_BASE__RX_NOTHING "(?:(?!))"

typedef struct og_base__rx {
    const char *start;
    const char *p;
    const char *end;
    og_buf *out;
    bool ignore_space; /* flag x */
    bool ignore_case;  /* flag i */
    unsigned nesting;
    og_strmap *names;
    og_base__property_fn has_property;
    const char *problem; /* NULL: out of memory */
    const char *at;
} og_base__rx;

/* What an escape stands for. */
typedef enum og_base__rx_kind {
    OG_BASE__RX_CHAR,
    OG_BASE__RX_SET,     /* text is the inside of a class */
    OG_BASE__RX_PATTERN, /* text is a pattern for one character */
    OG_BASE__RX_ASSERTION,
} og_base__rx_kind;

typedef struct og_base__rx_element {
    og_base__rx_kind kind;
    uint32_t code;
    char text[256];
} og_base__rx_element;

/* ---- the text ----------------------------------------------------------------------------- */

/* Set `problem` and `at`. Returns false, so that a parser can return it. */
bool og_base__rx_fail_at(og_base__rx *t, const char *at, const char *problem);
bool og_base__rx_looking_at(const og_base__rx *t, const char *text);
/* Move behind `text` when it comes next. */
bool og_base__rx_accept(og_base__rx *t, const char *text);
/* The code point at p; the pattern is well-formed UTF-8. */
uint32_t og_base__rx_next_char(og_base__rx *t);
/* Blanks and comments mean nothing under the flag x, in classes too. */
void og_base__rx_skip_ignored(og_base__rx *t);
bool og_base__rx_put_literal(og_buf *out, uint32_t code);
bool og_base__rx_is_digit(char c);
bool og_base__rx_is_letter(char c);

/* ---- parts of a pattern ------------------------------------------------------------------- */

/* Make the element one character. Returns true, so that a parser can return it. */
bool og_base__rx_set_char(og_base__rx_element *e, uint32_t code);
/* With `p` behind the backslash. */
bool og_base__rx_parse_escape(og_base__rx *t, og_base__rx_element *out);
/* With `p` at '['; appends a pattern for one character to `out`. */
bool og_base__rx_parse_class(og_base__rx *t, og_buf *out);

#endif
