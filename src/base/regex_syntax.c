#include "base/regex_syntax_priv.h"

#define NO_ATOM SIZE_MAX

typedef og_base__rx translator;
typedef og_base__rx_element element;

/* ---- the text ----------------------------------------------------------------------------- */

bool og_base__rx_fail_at(translator *t, const char *at, const char *problem)
{
    t->problem = problem;
    t->at = at;
    return false;
}

bool og_base__rx_looking_at(const translator *t, const char *text)
{
    return og_str_starts((og_str){t->p, (size_t)(t->end - t->p)}, og_str_of(text));
}

bool og_base__rx_accept(translator *t, const char *text)
{
    if (!og_base__rx_looking_at(t, text))
        return false;
    t->p += strlen(text);
    return true;
}

uint32_t og_base__rx_next_char(translator *t)
{
    size_t offset = 0;
    uint32_t code = og_utf8_next((og_str){t->p, (size_t)(t->end - t->p)}, &offset);
    t->p += offset;
    return code;
}

bool og_base__rx_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool og_base__rx_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void og_base__rx_skip_ignored(translator *t)
{
    while (t->ignore_space && t->p < t->end && (is_space(*t->p) || *t->p == '#')) {
        if (*t->p == '#') {
            while (t->p < t->end && *t->p != '\n')
                t->p++;
        } else {
            t->p++;
        }
    }
}

bool og_base__rx_put_literal(og_buf *out, uint32_t code)
{
    char c = (char)code;
    if (code < 0x80 && (og_base__rx_is_digit(c) || og_base__rx_is_letter(c)))
        return og_buf_byte(out, (uint8_t)c);
    return og_buf_printf(out, "\\x{%X}", (unsigned)code);
}

/* ---- groups and repetition ---------------------------------------------------------------- */

static bool parse_group_name(translator *t)
{
    const char *at = t->p;
    while (t->p < t->end && *t->p != '>') {
        char c = *t->p;
        bool first = t->p == at;
        bool ok = og_base__rx_is_letter(c) || c == '_' || (uint8_t)c >= 0x80 ||
                  (!first && (og_base__rx_is_digit(c) || c == '.' || c == '[' || c == ']'));
        if (!ok)
            return og_base__rx_fail_at(t, t->p,
                                       "a group's name has a character that it can't have");
        t->p++;
    }
    og_str name = {at, (size_t)(t->p - at)};
    if (name.len == 0 || !og_base__rx_accept(t, ">"))
        return og_base__rx_fail_at(t, at, "a group's name is empty or not closed");
    bool is_new;
    if (og_strmap_put(t->names, name, &is_new) == NULL)
        return false;
    return is_new || og_base__rx_fail_at(t, at, "a group's name is given twice");
}

/* Flags up to ':' or ')', which stays. `x` is ours, the others are PCRE2's. */
static bool parse_flags(translator *t)
{
    const char *at = t->p;
    char on[8] = "", off[8] = "", seen[8] = "";
    char *list = on;
    for (; t->p < t->end && *t->p != ':' && *t->p != ')'; t->p++) {
        char c = *t->p;
        if (c == '-') {
            if (list == off)
                return og_base__rx_fail_at(t, t->p, "flags are negated twice");
            list = off;
            continue;
        }
        if (strchr("imsUux", c) == NULL || c == '\0')
            return og_base__rx_fail_at(t, t->p,
                                       c == 'R' ? "the flag R is not supported"
                                                : "a flag or kind of group is not known");
        if (strchr(seen, c) != NULL)
            return og_base__rx_fail_at(t, t->p, "a flag is given twice");
        if (c == 'u' && list == off)
            return og_base__rx_fail_at(t, t->p, "switching Unicode off is not supported");
        strncat(seen, &c, 1);
        if (c == 'i')
            t->ignore_case = list == on;
        if (c == 'x')
            t->ignore_space = list == on;
        else if (c != 'u')
            strncat(list, &c, 1);
    }
    if (t->p == t->end)
        return og_base__rx_fail_at(t, at, "a group is not closed");
    if (seen[0] == '\0' ? *t->p == ')' || list == off : t->p[-1] == '-')
        return og_base__rx_fail_at(t, at, "flags are missing");
    return og_buf_printf(t->out, "(?%s%s%s", on, off[0] != '\0' ? "-" : "", off);
}

static bool parse_alternation(translator *t);

static bool looks_around(const translator *t)
{
    return og_base__rx_looking_at(t, "=") || og_base__rx_looking_at(t, "!") ||
           og_base__rx_looking_at(t, "<=") || og_base__rx_looking_at(t, "<!");
}

/* At '('. *out_is_atom is false for flags that hold for the rest of the group around. */
static bool parse_group(translator *t, bool *out_is_atom)
{
    const char *at = t->p++;
    bool ignore_space = t->ignore_space, ignore_case = t->ignore_case;
    if (++t->nesting > OG_BASE__RX_MAX_NESTING)
        return og_base__rx_fail_at(t, at, "groups and classes are nested too deeply");
    *out_is_atom = true;
    if (og_base__rx_accept(t, "?")) {
        if (looks_around(t))
            return og_base__rx_fail_at(t, at, "look-around is not supported");
        if (og_base__rx_accept(t, "P<") || og_base__rx_accept(t, "<")) {
            if (!parse_group_name(t) || !og_buf_text(t->out, "(?:"))
                return false;
        } else {
            if (!parse_flags(t) || !og_buf_byte(t->out, (uint8_t)*t->p))
                return false;
            *out_is_atom = *t->p++ == ':';
        }
    } else if (!og_buf_text(t->out, "(?:")) {
        return false;
    }
    if (*out_is_atom) {
        if (!parse_alternation(t))
            return false;
        if (!og_base__rx_accept(t, ")"))
            return og_base__rx_fail_at(t, at, "a group is not closed");
        t->ignore_space = ignore_space;
        t->ignore_case = ignore_case;
        og_buf_byte(t->out, ')');
    }
    t->nesting--;
    return !t->out->failed;
}

static void skip_spaces(translator *t)
{
    while (t->p < t->end && is_space(*t->p))
        t->p++;
}

static bool parse_count(translator *t, uint32_t *out)
{
    skip_spaces(t);
    const char *at = t->p;
    uint32_t value = 0;
    for (; t->p < t->end && og_base__rx_is_digit(*t->p); t->p++) {
        value = value * 10 + (uint32_t)(*t->p - '0');
        if (value > UINT16_MAX)
            return og_base__rx_fail_at(t, at, "a repetition is above 65535");
    }
    if (t->p == at)
        return og_base__rx_fail_at(t, at, "a repetition needs a number");
    skip_spaces(t);
    *out = value;
    return true;
}

/* Behind '{'. */
static bool parse_counts(translator *t, const char *at)
{
    uint32_t min, max;
    if (!parse_count(t, &min))
        return false;
    og_buf_printf(t->out, "{%u", (unsigned)min);
    if (og_base__rx_accept(t, ",")) {
        og_buf_byte(t->out, ',');
        skip_spaces(t);
        if (!og_base__rx_looking_at(t, "}")) {
            if (!parse_count(t, &max))
                return false;
            if (min > max)
                return og_base__rx_fail_at(t, at, "a repetition's maximum is below its minimum");
            og_buf_printf(t->out, "%u", (unsigned)max);
        }
    }
    if (!og_base__rx_accept(t, "}"))
        return og_base__rx_fail_at(t, at, "a repetition is not closed");
    return og_buf_byte(t->out, '}');
}

/* Wrap what was written since `atom`, so that a second quantifier is no possessive or lazy mark. */
static bool wrap(og_buf *out, size_t atom)
{
    if (!og_buf_append(out, "(?:)", 4))
        return false;
    memmove(out->ptr + atom + 3, out->ptr + atom, out->len - 4 - atom);
    memcpy(out->ptr + atom, "(?:", 3);
    out->ptr[out->len - 1] = ')';
    return true;
}

static bool parse_repetition(translator *t, size_t atom, bool repeated)
{
    const char *at = t->p;
    if (atom == NO_ATOM)
        return og_base__rx_fail_at(t, at, "a repetition has nothing before it to repeat");
    if (repeated && !wrap(t->out, atom))
        return false;
    char op = *t->p++;
    if (!(op == '{' ? parse_counts(t, at) : og_buf_byte(t->out, (uint8_t)op)))
        return false;
    return !og_base__rx_accept(t, "?") || og_buf_byte(t->out, '?');
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool parse_atom(translator *t)
{
    element e;
    switch (*t->p) {
    case '[':
        return og_base__rx_parse_class(t, t->out);
    case '.':
    case '^':
    case '$':
        return og_buf_printf(t->out, "(?:%c)", *t->p++);
    case '\\':
        t->p++;
        if (!og_base__rx_parse_escape(t, &e))
            return false;
        if (e.kind == OG_BASE__RX_CHAR)
            return og_base__rx_put_literal(t->out, e.code);
        return e.kind == OG_BASE__RX_SET ? og_buf_printf(t->out, "[%s]", e.text)
                                         : og_buf_text(t->out, e.text);
    default:
        return og_base__rx_put_literal(t->out, og_base__rx_next_char(t));
    }
}

/* Up to the end or the ')' of the group around. */
static bool parse_alternation(translator *t)
{
    size_t atom = NO_ATOM; /* where the last one begins in the output */
    bool repeated = false;
    for (og_base__rx_skip_ignored(t); t->p < t->end && *t->p != ')'; og_base__rx_skip_ignored(t)) {
        char c = *t->p;
        if (t->out->len > OG_BASE__RX_MAX_BYTES)
            return og_base__rx_fail_at(t, t->p, "the pattern is too large");
        if (c == '*' || c == '+' || c == '?' || c == '{') {
            if (!parse_repetition(t, atom, repeated))
                return false;
            repeated = true;
            continue;
        }
        size_t start = t->out->len;
        bool is_atom = c != '|';
        if (!is_atom) {
            og_buf_byte(t->out, '|');
            t->p++;
        } else if (!(c == '(' ? parse_group(t, &is_atom) : parse_atom(t))) {
            return false;
        }
        atom = is_atom ? start : NO_ATOM;
        repeated = false;
    }
    return !t->out->failed;
}

og_status og_base__regex_translate(og_str pattern, og_base__property_fn has_property, og_buf *out,
                                   og_error *err)
{
    size_t bad;
    if (!og_utf8_valid(pattern, &bad))
        return og_error_set(err, OG_INVALID, "pattern is not well-formed UTF-8 (at byte %zu)", bad);
    OG_AUTO(og_strmap) names = og_strmap_new(true);
    if (names == NULL)
        return og_error_nomem(err);
    const char *start = pattern.len != 0 ? pattern.ptr : "";
    translator t = {.start = start,
                    .p = start,
                    .end = start + pattern.len,
                    .out = out,
                    .names = names,
                    .has_property = has_property};
    bool ok = parse_alternation(&t);
    if (ok && t.p < t.end)
        ok = og_base__rx_fail_at(&t, t.p, "a group is closed that was not opened");
    if (ok)
        return OG_OK;
    if (t.problem == NULL)
        return og_error_nomem(err);
    og_str before = {start, (size_t)(t.at - start)};
    return og_error_set(err, OG_INVALID, "%s (at character %zu of the pattern)", t.problem,
                        og_utf8_length(before) + 1);
}
