/* base/regex - patterns of @check, as Rust's regex crate reads them: unanchored, Unicode classes,
 * no look-around and no back-references (refused, whichever engine could do them).
 *
 * PCRE2 behind this header is opened with dlopen at the first compile, so that commands without a
 * @check never load it (OG_UNSUPPORTED when it is not there). Match and heap limits are set; a
 * pattern that exceeds them on a text gives OG_LIMIT, never a hang. An og_regex belongs to one
 * thread at a time. */
#ifndef OG_BASE_REGEX_H
#define OG_BASE_REGEX_H

#include "base/alloc.h"
#include "base/error.h"
#include "base/str.h"

typedef struct og_regex og_regex;
/* OG_INVALID with the reason when the pattern is broken or uses what Rust's regex has not. */
OG_NODISCARD og_status og_regex_new(og_str pattern, og_regex **out, og_error *err);
void og_regex_free(og_regex *regex);
OG_DEFINE_AUTO(og_regex, og_regex_free)
/* Does the pattern match anywhere in `text` (well-formed UTF-8)? */
OG_NODISCARD og_status og_regex_matches(og_regex *regex, og_str text, bool *out, og_error *err);

#endif
