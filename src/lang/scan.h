/* lang/scan - the cursor under both parsers.
 *
 * Both grammars are parsed by recursive descent straight over the characters: one function per
 * grammar rule, ordered choice, no separate token stream, because the reference's grammars are
 * PEGs in which a keyword may touch the name that follows it ("nodePerson" is "node Person").
 *
 * The cursor also keeps what an error message needs: the furthest place at which a rule failed, and
 * which rules these were. Which of several nested failures counts is pest's choice
 * (ParserState::rule and track in parser_state.rs):
 *   - a rule that fails at the furthest place so far joins the list; further on it starts a list;
 *   - it replaces what its inner rules put on the list at the same place, unless that is exactly
 *     one entry, which then says more than the outer rule would;
 *   - a rule that matches where a negative look-ahead forbids it is listed as unexpected.
 *
 *     static bool limit_clause(parser *p)
 *     {
 *         og_scan_mark mark = og_scan_enter(&p->scan);
 *         bool ok = og_scan_text(&p->scan, "limit") && integer(p, &p->limit);
 *         return og_scan_leave(&p->scan, mark, RULE_LIMIT_CLAUSE, ok);
 *     }
 */
#ifndef OG_LANG_SCAN_H
#define OG_LANG_SCAN_H

#include "lang/frame.h"

/* Failed rules kept for one place. A grammar without left recursion tries far fewer. */
#define OG_SCAN_ATTEMPTS 64

typedef struct og_scan_attempts {
    uint8_t rules[OG_SCAN_ATTEMPTS];
    uint32_t count; /* also counts what found no room */
} og_scan_attempts;

typedef struct og_scan {
    og_str source;
    size_t pos;
    bool negative; /* inside a negative look-ahead */
    size_t furthest;
    og_scan_attempts expected, unexpected;
} og_scan;

/* State at the start of a rule. */
typedef struct og_scan_mark {
    size_t start;
    uint32_t attempts, expected, unexpected;
} og_scan_mark;

static inline og_scan og_scan_of(og_str source)
{
    return (og_scan){.source = source};
}

/* Skip white space and comments (// to the end of the line, block comments, not nested). */
void og_scan_skip(og_scan *scan);

/* Begin a rule: skip white space, then remember the place. The rule of a whole file begins with
 * og_scan_enter_here, which does not skip. */
og_scan_mark og_scan_enter(og_scan *scan);
og_scan_mark og_scan_enter_here(og_scan *scan);
/* End a rule: record its outcome, and go back to its start unless it matched. Returns `matched`.
 * `rule` is the number of the rule in the grammar file's order, where EOI is 0. */
bool og_scan_leave(og_scan *scan, og_scan_mark mark, uint8_t rule, bool matched);

/* Skip, then match exactly this text. Literals are not rules: a failure is not recorded, and the
 * cursor may rest behind the skipped space. */
bool og_scan_text(og_scan *scan, const char *text);
/* The same at the cursor, without skipping. */
bool og_scan_text_here(og_scan *scan, const char *text);
/* Match the end of input, which is rule 0. */
bool og_scan_end(og_scan *scan);

/* Lengths of terminals at the start of `rest`; 0 = no match. */
size_t og_match_ident(og_str rest);     /* [a-z_][A-Za-z0-9_]* */
size_t og_match_type_name(og_str rest); /* [A-Z][A-Za-z0-9_]* */
size_t og_match_integer(og_str rest);   /* [0-9]+ */
size_t og_match_float(og_str rest);     /* [0-9]+ . [0-9]+ */
size_t og_match_string(og_str rest);    /* "..." with \ before any character, quotes included */

/* A rule that is one terminal; *out_span (may be NULL) is set when it matches. */
bool og_scan_terminal(og_scan *scan, uint8_t rule, size_t (*match)(og_str rest), og_span *out_span);

/* The text between two offsets. */
static inline og_str og_scan_slice(const og_scan *scan, og_span span)
{
    return og_str_slice(scan->source, span.start, span.end);
}

/* OG_INVALID with the frame as message, line and column; `names` are the rules' names by number. */
og_status og_scan_error(const og_scan *scan, const char *const *names, og_error *err);
/* Was the rule among those that failed at the furthest place? For hints. */
bool og_scan_expected(const og_scan *scan, uint8_t rule);

/* Decode a string literal with its quotes (any other text comes back as it is): \" \\ \n \r \t.
 * OG_INVALID with the reference's text for other escapes; no place is set. */
OG_NODISCARD og_status og_decode_string(og_str raw, og_arena *arena, og_str *out, og_error *err);

#endif
