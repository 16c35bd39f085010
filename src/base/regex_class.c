#include "base/regex_syntax_priv.h"

#include <stdio.h>

typedef og_base__rx translator;
typedef og_base__rx_element element;

/* One operand: characters and properties that fit into one PCRE2 class, and patterns for one
 * character that do not, each with a '|' before it. */
typedef struct char_union {
    og_buf set;
    og_buf patterns;
} char_union;

static void union_deinit(char_union *u)
{
    og_buf_deinit(&u->set);
    og_buf_deinit(&u->patterns);
}
#define AUTO_UNION __attribute__((cleanup(union_deinit))) char_union

static bool union_add(char_union *u, const element *e)
{
    switch (e->kind) {
    case OG_BASE__RX_CHAR:
        return og_base__rx_put_literal(&u->set, e->code);
    case OG_BASE__RX_SET:
        return og_buf_text(&u->set, e->text);
    default:
        return og_buf_byte(&u->patterns, '|') && og_buf_text(&u->patterns, e->text);
    }
}

/* The union as a pattern for one character; it is empty afterwards. */
static bool union_finish(char_union *u, bool negated, og_buf *out)
{
    og_str set = og_buf_view(&u->set), patterns = og_buf_view(&u->patterns);
    if (patterns.len == 0 && set.len == 0) {
        og_buf_text(out, negated ? OG_BASE__RX_ANY : OG_BASE__RX_NOTHING);
    } else if (patterns.len == 0) {
        og_buf_printf(out, "[%s%.*s]", negated ? "^" : "", OG_FMT(set));
    } else {
        og_buf_text(out, negated ? "(?:(?!" : "(?:");
        if (set.len != 0)
            og_buf_printf(out, "[%.*s]%.*s", OG_FMT(set), OG_FMT(patterns));
        else
            og_buf_str(out, og_str_slice(patterns, 1, patterns.len));
        og_buf_text(out, negated ? ")" OG_BASE__RX_ANY ")" : ")");
    }
    bool ok = !out->failed && !u->set.failed && !u->patterns.failed;
    og_buf_clear(&u->set);
    og_buf_clear(&u->patterns);
    return ok;
}

/* left <op> right, each a pattern for one character, into left. */
static bool combine(char op, og_buf *left, og_buf *right)
{
    OG_AUTO_BUF both = OG_BUF_INIT;
    og_str a = og_buf_view(left), b = og_buf_view(right);
    if (op == '&')
        og_buf_printf(&both, "(?:(?=%.*s)%.*s)", OG_FMT(a), OG_FMT(b));
    else if (op == '-')
        og_buf_printf(&both, "(?:(?!%.*s)%.*s)", OG_FMT(b), OG_FMT(a));
    else
        og_buf_printf(&both, "(?:(?!%.*s)%.*s|(?!%.*s)%.*s)", OG_FMT(b), OG_FMT(a), OG_FMT(a),
                      OG_FMT(b));
    og_buf_clear(left);
    return og_buf_str(left, og_buf_view(&both)) && !both.failed;
}

/* [:name:] is ASCII in Rust, so it can't be left to PCRE2. */
static bool accept_posix_class(translator *t, element *out)
{
    static const struct {
        const char *name;
        const char *set;
    } classes[] = {
        {"alnum", "0-9A-Za-z"},
        {"alpha", "A-Za-z"},
        {"ascii", "\\x{0}-\\x{7F}"},
        {"blank", "\\x{9}\\x{20}"},
        {"cntrl", "\\x{0}-\\x{1F}\\x{7F}"},
        {"digit", "0-9"},
        {"graph", "\\x{21}-\\x{7E}"},
        {"lower", "a-z"},
        {"print", "\\x{20}-\\x{7E}"},
        {"punct", "\\x{21}-\\x{2F}\\x{3A}-\\x{40}\\x{5B}-\\x{60}\\x{7B}-\\x{7E}"},
        {"space", "\\x{9}-\\x{D}\\x{20}"},
        {"upper", "A-Z"},
        {"word", "0-9A-Z\\x{5F}a-z"},
        {"xdigit", "0-9A-Fa-f"},
    };
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        for (int negated = 0; negated < 2; negated++) {
            char spelling[16];
            snprintf(spelling, sizeof spelling, "[:%s%s:]", negated ? "^" : "", classes[i].name);
            if (!og_base__rx_accept(t, spelling))
                continue;
            out->kind = negated ? OG_BASE__RX_PATTERN : OG_BASE__RX_SET;
            snprintf(out->text, sizeof out->text, negated ? "[^%s]" : "%s", classes[i].set);
            return true;
        }
    }
    return false;
}

static bool parse_class_element(translator *t, element *out)
{
    const char *at = t->p;
    if (!og_base__rx_accept(t, "\\"))
        return og_base__rx_set_char(out, og_base__rx_next_char(t));
    if (!og_base__rx_parse_escape(t, out))
        return false;
    return out->kind != OG_BASE__RX_ASSERTION ||
           og_base__rx_fail_at(t, at, "an assertion can't be in a class");
}

/* A character, a range or an escape. A hyphen before ']' or '-' is no range. */
static bool parse_class_range(translator *t, char_union *u)
{
    const char *at = t->p;
    element first, last;
    if (!parse_class_element(t, &first))
        return false;
    og_base__rx_skip_ignored(t);
    bool hyphen = t->end - t->p >= 2 && *t->p == '-' && t->p[1] != ']' && t->p[1] != '-';
    if (!hyphen)
        return union_add(u, &first);
    t->p++;
    og_base__rx_skip_ignored(t);
    if (t->p == t->end)
        return og_base__rx_fail_at(t, at, "a class is not closed");
    if (!parse_class_element(t, &last))
        return false;
    if (first.kind != OG_BASE__RX_CHAR || last.kind != OG_BASE__RX_CHAR)
        return og_base__rx_fail_at(t, at, "a range needs a character at both ends");
    if (first.code > last.code)
        return og_base__rx_fail_at(t, at, "a range's end is before its start");
    return union_add(u, &first) && og_buf_byte(&u->set, '-') && union_add(u, &last);
}

static bool parse_nested_class(translator *t, char_union *u)
{
    element posix;
    if (accept_posix_class(t, &posix))
        return union_add(u, &posix);
    return og_buf_byte(&u->patterns, '|') && og_base__rx_parse_class(t, &u->patterns);
}

/* Hyphens at the start, and a bracket that would close an empty class, are literals. */
static bool parse_class_start(translator *t, char_union *u, bool *out_negated)
{
    *out_negated = og_base__rx_accept(t, "^");
    og_base__rx_skip_ignored(t);
    bool empty = true;
    while (og_base__rx_accept(t, "-")) {
        og_base__rx_put_literal(&u->set, '-');
        og_base__rx_skip_ignored(t);
        empty = false;
    }
    if (empty && og_base__rx_accept(t, "]"))
        og_base__rx_put_literal(&u->set, ']');
    return !u->set.failed;
}

/* Operands joined by operators of one precedence, from the left, up to the bracket. */
static bool parse_class_body(translator *t, const char *at, char_union *u, og_buf *left, char *op)
{
    for (;;) {
        og_base__rx_skip_ignored(t);
        if (t->p == t->end)
            return og_base__rx_fail_at(t, at, "a class is not closed");
        if (u->set.len + u->patterns.len + left->len > OG_BASE__RX_MAX_CLASS_BYTES)
            return og_base__rx_fail_at(t, at, "a class is too large");
        if (*t->p == ']')
            return true;
        if (og_base__rx_looking_at(t, "&&") || og_base__rx_looking_at(t, "--") ||
            og_base__rx_looking_at(t, "~~")) {
            OG_AUTO_BUF right = OG_BUF_INIT;
            if (!union_finish(u, false, *op != 0 ? &right : left) ||
                (*op != 0 && !combine(*op, left, &right)))
                return false;
            *op = *t->p;
            t->p += 2;
        } else if (!(*t->p == '[' ? parse_nested_class(t, u) : parse_class_range(t, u))) {
            return false;
        }
    }
}

bool og_base__rx_parse_class(translator *t, og_buf *out)
{
    const char *at = t->p++;
    if (++t->nesting > OG_BASE__RX_MAX_NESTING)
        return og_base__rx_fail_at(t, at, "groups and classes are nested too deeply");
    AUTO_UNION u = {OG_BUF_INIT, OG_BUF_INIT};
    OG_AUTO_BUF left = OG_BUF_INIT;
    bool negated;
    char op = 0;
    if (!parse_class_start(t, &u, &negated) || !parse_class_body(t, at, &u, &left, &op))
        return false;
    t->p++;
    t->nesting--;
    if (op == 0)
        return union_finish(&u, negated, out);
    OG_AUTO_BUF right = OG_BUF_INIT;
    if (!union_finish(&u, false, &right) || !combine(op, &left, &right))
        return false;
    og_str pattern = og_buf_view(&left);
    return negated ? og_buf_printf(out, "(?:(?!%.*s)" OG_BASE__RX_ANY ")", OG_FMT(pattern))
                   : og_buf_str(out, pattern);
}
