/* base/json_priv - what the files of the JSON reader and writer share. */
#ifndef OG_BASE_JSON_PRIV_H
#define OG_BASE_JSON_PRIV_H

#include "base/json.h"
#include "base/vec.h"

typedef enum og_base__json_result {
    OG_BASE__JSON_OK,
    OG_BASE__JSON_MORE, /* well-formed so far, but the end of the bytes cuts it */
    OG_BASE__JSON_INVALID,
    OG_BASE__JSON_NOMEM,
} og_base__json_result;

/* One parse over the bytes p..end. Members and items gather on two stacks, which keep their
 * memory from one value to the next, until their container is complete and its arrays' sizes
 * known. */
typedef struct og_base__json_parser {
    const char *p;
    const char *end;
    bool final;      /* nothing follows `end` */
    uint64_t origin; /* offset in the input of `start` */
    const char *start;
    og_arena *arena;
    const char *bad;      /* INVALID: the byte that is wrong, `end` for the end of input */
    const char *expected; /* and what would be right there */
    OG_VEC(og_json) values;
    OG_VEC(og_str) keys;
} og_base__json_parser;

void og_base__json_parser_deinit(og_base__json_parser *parser);
/* White space, then one value. After OK parser->p is behind it. */
og_base__json_result og_base__json_parse(og_base__json_parser *parser, og_json *out);
const char *og_base__json_skip_space(const char *p, const char *end);
/* "expected a value, found ','" */
void og_base__json_describe(const og_base__json_parser *parser, char *dst, size_t size);

#define OG_BASE__EACH_BYTE(b) ((uint64_t)(b)*0x0101010101010101u)
#define OG_BASE__HIGH_BITS OG_BASE__EACH_BYTE(0x80)

/* High bit of each byte of `word` that a JSON string can't hold as it is: quote, backslash, control
 * character. Exact up to and including the first such byte; what is above it in the word may be
 * marked wrongly (a borrow), so only the lowest mark counts. */
static inline uint64_t og_base__json_special(uint64_t word)
{
    uint64_t quote = word ^ OG_BASE__EACH_BYTE('"');
    uint64_t backslash = word ^ OG_BASE__EACH_BYTE('\\');
    uint64_t zero = ((quote - OG_BASE__EACH_BYTE(1)) & ~quote) |
                    ((backslash - OG_BASE__EACH_BYTE(1)) & ~backslash);
    uint64_t control = (word - OG_BASE__EACH_BYTE(0x20)) & ~word;
    return (zero | control) & OG_BASE__HIGH_BITS;
}

/* First byte at or after p that a JSON string can't hold as it is. The high bit of *seen is set in
 * some byte when one of the bytes passed is not ASCII (and perhaps when a byte close behind is). */
static inline const char *og_base__json_skip_plain(const char *p, const char *end, uint64_t *seen)
{
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        *seen |= word;
        uint64_t special = og_base__json_special(word);
        if (special != 0)
            return p + __builtin_ctzll(special) / 8;
        p += 8;
    }
    for (; p < end && (uint8_t)*p >= 0x20 && *p != '"' && *p != '\\'; p++)
        *seen |= (uint8_t)*p;
    return p;
}

#endif
