/* base/json - JSON in and out for data: full-width integers, shortest floats.
 *
 * The reader makes a small tree in an arena from one value, or takes the values of a
 * stream one after the other (white space of any kind between them). Numbers stay text
 * until somebody asks, so no digit is lost. Strings are unescaped to UTF-8; lone
 * surrogates and malformed UTF-8 are errors; \u0000 is kept. Of equal keys in one object
 * all are kept in order; og_json_get finds the last. RFC 8259. */
#ifndef OG_BASE_JSON_H
#define OG_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

typedef enum og_json_kind {
    OG_JSON_NULL,
    OG_JSON_BOOL,
    OG_JSON_NUMBER,
    OG_JSON_STRING,
    OG_JSON_ARRAY,
    OG_JSON_OBJECT,
} og_json_kind;

typedef struct og_json og_json;
struct og_json {
    og_json_kind kind;
    bool boolean;
    bool is_integer; /* number without fraction and exponent */
    uint32_t count;  /* items of an array, members of an object */
    uint64_t offset; /* of the value's first byte in the input */
    og_str text;     /* string: decoded; number: as written */
    og_str *keys;    /* object: decoded, in order of the input */
    og_json *items;  /* array: items; object: values */
};

#define OG_JSON_MAX_DEPTH 128

/* Parse exactly one value with white space around it. The tree and its text live in `arena`
 * (text without escapes may point into `input`, which must live as long).
 * OG_INVALID with line, column, and "expected ..." in the message. */
OG_NODISCARD og_status og_json_parse(og_arena *arena, og_str input, og_json *out, og_error *err);

/* The last member with that key, or NULL. Also NULL when `object` is NULL or no object. */
const og_json *og_json_get(const og_json *object, const char *key);
/* Text of a string member; `fallback` when absent, null or not a string. */
og_str og_json_get_str(const og_json *object, const char *key, og_str fallback);

/* Exact conversions of a number's text: false when it has a fraction other than zero (1.0 and 1e3
 * are integers), or is out of range. */
bool og_json_to_i64(const og_json *number, int64_t *out);
bool og_json_to_u64(const og_json *number, uint64_t *out);
/* Nearest double; false when the text is too large for a finite one. */
bool og_json_to_f64(const og_json *number, double *out);

/* ---- a stream of values ------------------------------------------------------------------- */

/* Fill dst with up to `cap` bytes; *out_len 0 at the end. */
typedef og_status (*og_read_fn)(void *context, uint8_t *dst, size_t cap, size_t *out_len,
                                og_error *err);

typedef struct og_json_stream og_json_stream;

/* `max_value_bytes` bounds one value (0 = no bound): a record above it is OG_LIMIT with its line,
 * and is not held in memory. A byte order mark at the start is skipped. */
OG_NODISCARD og_status og_json_stream_new(og_read_fn read, void *context, size_t max_value_bytes,
                                          og_json_stream **out, og_error *err);
void og_json_stream_free(og_json_stream *stream);
OG_DEFINE_AUTO(og_json_stream, og_json_stream_free)

/* The next value into `arena`; *out_line (may be NULL) is the 1-based line its first byte is on.
 * *out_done is set by each call: true at the end of input, and then there is no value. Text in
 * the tree lives until the next call. Errors carry the line on which the value begins, the byte
 * offset in the input, and what was expected. */
OG_NODISCARD og_status og_json_stream_next(og_json_stream *stream, og_arena *arena, og_json *out,
                                           uint64_t *out_line, bool *out_done, og_error *err);
/* Bytes consumed so far, for progress. */
uint64_t og_json_stream_offset(const og_json_stream *stream);

/* ---- writing ------------------------------------------------------------------------------ */

/* Quoted and escaped as serde_json does: \" \\ \b \f \n \r \t, \u00XX for other controls, all
 * else as it is. */
bool og_json_write_str(og_buf *out, og_str text);
/* Shortest text that reads back; always with ".0" or an exponent; plain from 1e-5 to below 1e16,
 * else "1e+16", "1e-6" (serde_json / ryu). NaN and infinities become null. */
bool og_json_write_f64(og_buf *out, double value);
bool og_json_write_i64(og_buf *out, int64_t value);
bool og_json_write_u64(og_buf *out, uint64_t value);
/* The tree again, compact or indented by two blanks (serde_json pretty). Numbers as written. */
bool og_json_write(og_buf *out, const og_json *value, bool pretty);

#endif
