/* lang/frame - places in the user's text, and how an error shows them.
 *
 * Two pictures of a place are made. The *frame* is what the reference prints for a syntax error;
 * its parser library is pest 2 and the layout is that of pest's error.rs:
 *
 *      --> 2:13
 *       |
 *     2 | node Person with {
 *       |             ^---
 *       |
 *       = expected annotation or implements_clause
 *
 * The *excerpt* is ours, for errors that the reference gives no place to:
 *
 *     2 |   name: Text
 *       |         ^^^^
 *
 * Lines and columns count from 1, columns in code points; "\r\n" ends one line. */
#ifndef OG_LANG_FRAME_H
#define OG_LANG_FRAME_H

#include "base/buf.h"
#include "base/error.h"
#include "lang/types.h"

/* Line and column of a byte offset (<= source.len, on a code point's first byte). */
void og_text_place(og_str source, size_t offset, uint32_t *out_line, uint32_t *out_column);

/* Names of grammar rules in the order they are to be listed: "a", "a or b", "a, b, or c". */
typedef struct og_rule_list {
    const char *const *names;
    size_t count;
} og_rule_list;

/* Append the frame of a syntax error at `offset`. Of a line above OG_FRAME_MAX_LINE bytes only the
 * part around the place is shown. False when out of memory. */
#define OG_FRAME_MAX_LINE 1024
bool og_frame_append(og_buf *out, og_str source, size_t offset, og_rule_list expected,
                     og_rule_list unexpected);

/* Add the place to an error that is set: line, column, and the excerpt as detail.
 * No effect when err is NULL. */
void og_error_place(og_error *err, og_str source, og_span span);

/* OG_INVALID with the place of the first malformed byte unless `source` is well-formed UTF-8;
 * OG_LIMIT when it is above `max_bytes` (below 4 GiB, so that an og_span holds it). `what` names
 * the text: "schema". */
OG_NODISCARD og_status og_text_check(og_str source, size_t max_bytes, const char *what,
                                     og_error *err);

/* Finds the name nearest to a misspelt one: begin with og_nearest_to, offer all names,
 * then look at `best`, "" when none is near. */
typedef struct og_nearest {
    og_str wanted;
    og_str best;
    size_t distance;
} og_nearest;
og_nearest og_nearest_to(og_str wanted);
void og_nearest_offer(og_nearest *nearest, og_str name);
/* Hint "Did you mean X?" when something is near. */
void og_nearest_hint(const og_nearest *nearest, og_error *err);

#endif
