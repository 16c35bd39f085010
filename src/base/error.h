/* base/error - how every fallible call reports failure.
 *
 * og_status and og_error are declared in omnigraph.h, because users of the
 * library see them; this header adds what only the library uses. A function
 * that can fail returns og_status and takes `og_error *err` last; `err` may be
 * NULL when the caller needs only the code. Outputs are written on OG_OK only. */
#ifndef OG_BASE_ERROR_H
#define OG_BASE_ERROR_H

#include <stddef.h>

#include "omnigraph.h"

#define OG_NODISCARD __attribute__((warn_unused_result))
#define OG_PRINTF(fmt_index, first_arg) __attribute__((format(printf, fmt_index, first_arg)))

/* Evaluate a fallible call; on failure leave the function with its status. */
#define OG_TRY(call)                                                                               \
    do {                                                                                           \
        og_status try_status_ = (call);                                                            \
        if (try_status_ != OG_OK)                                                                  \
            return try_status_;                                                                    \
    } while (0)

/* Fill `err` (unless NULL) with a new error and return `status`. `fmt` makes the
 * message: one line, no trailing stop. Detail, hint and place are cleared. */
og_status og_error_set(og_error *err, og_status status, const char *fmt, ...) OG_PRINTF(3, 4);

/* Same, and set the place in the user's text (1-based; column counts code points). */
og_status og_error_set_at(og_error *err, og_status status, uint32_t line, uint32_t column,
                          const char *fmt, ...) OG_PRINTF(5, 6);

/* OG_NOMEM with the usual text. */
og_status og_error_nomem(og_error *err);

/* OG_IO (or OG_NOT_FOUND, OG_DENIED, OG_LIMIT for ENOENT, EACCES/EROFS, ENOSPC/EDQUOT) for an
 * errno value: "<what> <path>: <strerror>". */
og_status og_error_errno(og_error *err, int errnum, const char *what, const char *path);

/* Put "<context>: " before the message of an error that is set. For callers that know
 * something the reader needs, such as which table was being read. Returns err's status
 * (`status` when err is NULL). */
og_status og_error_context(og_error *err, og_status status, const char *fmt, ...) OG_PRINTF(3, 4);

/* Set the values that explain the error / what the user can try (a full sentence).
 * No effect when err is NULL. */
void og_error_detail(og_error *err, const char *fmt, ...) OG_PRINTF(2, 3);
void og_error_hint(og_error *err, const char *fmt, ...) OG_PRINTF(2, 3);

#endif
