/* base/regex_priv - from the syntax of Rust's regex crate to that of PCRE2.
 *
 * The two agree on the easy parts only: `$`, `\w`, `\b`, POSIX classes, `\v`, scripts, `a*+`,
 * literal braces and classes with && -- ~~ all mean something else or nothing. So the pattern is
 * parsed as Rust does and written anew, with every literal escaped. Groups become non-capturing: a
 * pattern is only ever asked whether it matches. Grammar: docs.rs/regex, section "Syntax". */
#ifndef OG_BASE_REGEX_PRIV_H
#define OG_BASE_REGEX_PRIV_H

#include "base/buf.h"
#include "base/error.h"

/* Does PCRE2 know this property, given as in \p{...}? */
typedef bool (*og_base__property_fn)(const char *name);

/* Append the PCRE2 pattern to `out`, for UTF | UCP | DOLLAR_ENDONLY | ALT_CIRCUMFLEX and newline
 * LF. OG_INVALID with reason and place when the pattern is none of Rust's. */
OG_NODISCARD og_status og_base__regex_translate(og_str pattern, og_base__property_fn has_property,
                                                og_buf *out, og_error *err);

#endif
