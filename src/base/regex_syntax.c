#include "base/regex_priv.h"

#include <stdio.h>

#include "base/map.h"

#define MAX_NESTING 250 /* regex-syntax's default nest_limit */
#define MAX_PROPERTY_NAME 64
#define NO_ATOM SIZE_MAX

/* \w: Unicode technical standard 18, annex C. PCRE2's own leaves out marks and connectors. */
#define WORD "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}"
#define SPACE "\\p{wspace}"
#define ANY_CHAR "(?s:.)"
#define NOTHING "(?:(?!))"

typedef struct translator {
    const char *start;
    const char *p;
    const char *end;
    og_buf *out;
    bool ignore_space; /* flag x */
    bool ignore_case;  /* flag i */
    unsigned nesting;
    og_strmap *names;
    og_base__property_fn has_property;
    const char *problem; /* NULL: out of memory, or the output's bound */
    const char *at;
} translator;

static bool fail_at(translator *t, const char *at, const char *problem)
{
    t->problem = problem;
    t->at = at;
    return false;
}

static bool looking_at(const translator *t, const char *text)
{
    return og_str_starts((og_str){t->p, (size_t)(t->end - t->p)}, og_str_of(text));
}

static bool accept(translator *t, const char *text)
{
    if (!looking_at(t, text))
        return false;
    t->p += strlen(text);
    return true;
}

/* The code point at p; the pattern is well-formed UTF-8. */
static uint32_t next_char(translator *t)
{
    size_t offset = 0;
    uint32_t code = og_utf8_next((og_str){t->p, (size_t)(t->end - t->p)}, &offset);
    t->p += offset;
    return code;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Blanks and comments mean nothing under the flag x, in classes too. */
static void skip_ignored(translator *t)
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

static bool put_literal(og_buf *out, uint32_t code)
{
    char c = (char)code;
    if (code < 0x80 && (is_digit(c) || is_letter(c)))
        return og_buf_byte(out, (uint8_t)c);
    return og_buf_printf(out, "\\x{%X}", (unsigned)code);
}

/* ---- Unicode properties ------------------------------------------------------------------- */

/* General categories by their long names (Unicode, PropertyValueAliases.txt), normalised as
 * below. */
static const struct {
    const char *name;
    const char *category;
} categories[] = {
    {"other", "C"},
    {"control", "Cc"},
    {"cntrl", "Cc"},
    {"format", "Cf"},
    {"unassigned", "Cn"},
    {"privateuse", "Co"},
    {"surrogate", "Cs"},
    {"letter", "L"},
    {"casedletter", "L&"},
    {"lc", "L&"},
    {"lowercaseletter", "Ll"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"titlecaseletter", "Lt"},
    {"uppercaseletter", "Lu"},
    {"mark", "M"},
    {"combiningmark", "M"},
    {"spacingmark", "Mc"},
    {"enclosingmark", "Me"},
    {"nonspacingmark", "Mn"},
    {"number", "N"},
    {"decimalnumber", "Nd"},
    {"digit", "Nd"},
    {"letternumber", "Nl"},
    {"othernumber", "No"},
    {"punctuation", "P"},
    {"punct", "P"},
    {"connectorpunctuation", "Pc"},
    {"dashpunctuation", "Pd"},
    {"closepunctuation", "Pe"},
    {"finalpunctuation", "Pf"},
    {"initialpunctuation", "Pi"},
    {"otherpunctuation", "Po"},
    {"openpunctuation", "Ps"},
    {"symbol", "S"},
    {"currencysymbol", "Sc"},
    {"modifiersymbol", "Sk"},
    {"mathsymbol", "Sm"},
    {"othersymbol", "So"},
    {"separator", "Z"},
    {"lineseparator", "Zl"},
    {"paragraphseparator", "Zp"},
    {"spaceseparator", "Zs"},
};

/* Lower case without blanks, hyphens, underscores and "is" before (UAX 44, loose matching). */
static void normalise_name(og_str name, char dst[MAX_PROPERTY_NAME + 1])
{
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < MAX_PROPERTY_NAME; i++) {
        char c = name.ptr[i];
        if (c != ' ' && c != '-' && c != '_')
            dst[len++] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    dst[len] = '\0';
    if (len > 2 && memcmp(dst, "is", 2) == 0)
        memmove(dst, dst + 2, len - 1);
}

/* The category's short name in PCRE2's spelling, or NULL. */
static const char *find_category(const char *name, char shortened[3])
{
    for (size_t i = 0; i < sizeof categories / sizeof *categories; i++) {
        if (strcmp(categories[i].name, name) == 0)
            return categories[i].category;
        const char *two = categories[i].category;
        snprintf(shortened, 3, "%c%c", name[0] - 'a' + 'A', name[1]);
        if (strlen(name) <= 2 && strcmp(two, shortened) == 0)
            return two;
    }
    return NULL;
}

/* What an escape stands for. */
typedef enum element_kind {
    ELEMENT_CHAR,
    ELEMENT_SET,     /* text is the inside of a class */
    ELEMENT_PATTERN, /* text is a pattern for one character */
    ELEMENT_ASSERTION,
} element_kind;

typedef struct element {
    element_kind kind;
    uint32_t code;
    char text[256];
} element;

static bool set_text(element *e, element_kind kind, const char *text)
{
    e->kind = kind;
    snprintf(e->text, sizeof e->text, "%s", text);
    return true;
}

/* \p{prefix name}, where PCRE2 knows it. */
static bool use_property(translator *t, const char *prefix, const char *name, bool negated,
                         element *out)
{
    char property[MAX_PROPERTY_NAME + 8];
    snprintf(property, sizeof property, "%s%s", prefix, name);
    if (!t->has_property(property))
        return false;
    out->kind = ELEMENT_SET;
    snprintf(out->text, sizeof out->text, "\\%c{%s}", negated ? 'P' : 'p', property);
    return true;
}

/* PCRE2 takes \p{Lu} by its letter under the flag i too; in Rust each class is closed under
 * case. */
static bool use_category(translator *t, const char *category, bool negated, element *out)
{
    bool one_case =
        strcmp(category, "Lu") == 0 || strcmp(category, "Ll") == 0 || strcmp(category, "Lt") == 0;
    return use_property(t, "", t->ignore_case && one_case ? "L&" : category, negated, out);
}

/* A property without "key=": a category, one of three made-up names, a script, or a boolean
 * property, in Rust's order. */
static bool name_property(translator *t, const char *name, bool negated, element *out)
{
    char shortened[3];
    const char *category = find_category(name, shortened);
    if (category != NULL)
        return use_category(t, category, negated, out);
    if (t->ignore_case && (strcmp(name, "uppercase") == 0 || strcmp(name, "lowercase") == 0))
        name = "cased";
    if (strcmp(name, "any") == 0)
        return set_text(out, ELEMENT_PATTERN, negated ? NOTHING : ANY_CHAR);
    if (strcmp(name, "assigned") == 0)
        return use_property(t, "", "Cn", !negated, out);
    if (strcmp(name, "ascii") == 0)
        return set_text(out, ELEMENT_SET, negated ? "\\x{80}-\\x{10FFFF}" : "\\x{0}-\\x{7F}");
    return use_property(t, "sc:", name, negated, out) || use_property(t, "", name, negated, out);
}

static bool key_property(translator *t, og_str key, const char *value, bool negated, element *out)
{
    char name[MAX_PROPERTY_NAME + 1], shortened[3];
    normalise_name(key, name);
    if (strcmp(name, "gc") == 0 || strcmp(name, "generalcategory") == 0) {
        const char *category = find_category(value, shortened);
        return category != NULL && use_category(t, category, negated, out);
    }
    if (strcmp(name, "sc") == 0 || strcmp(name, "script") == 0)
        return use_property(t, "sc:", value, negated, out);
    if (strcmp(name, "scx") == 0 || strcmp(name, "scriptextensions") == 0)
        return use_property(t, "scx:", value, negated, out);
    return false;
}

/* Behind \p or \P: one letter, or {name}, {key=value}, {key:value}, {key!=value}. */
static bool parse_property(translator *t, bool negated, element *out)
{
    const char *at = t->p;
    og_str name = {t->p, 1};
    if (accept(t, "{")) {
        const char *close = memchr(t->p, '}', (size_t)(t->end - t->p));
        if (close == NULL)
            return fail_at(t, at, "a Unicode class is not closed");
        name = (og_str){t->p, (size_t)(close - t->p)};
        t->p = close + 1;
    } else if (t->p < t->end) {
        t->p++;
    } else {
        return fail_at(t, at, "the pattern ends inside an escape");
    }
    size_t separator = SIZE_MAX;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if ((c == '=' || c == ':' || c == '!') && separator == SIZE_MAX)
            separator = i;
        else if (!is_letter(c) && !is_digit(c) && c != '_' && c != '-' && c != ' ' &&
                 !(c == '=' && separator == i - 1))
            return fail_at(t, at, "a Unicode class is not known");
    }
    char text[MAX_PROPERTY_NAME + 1];
    bool known = name.len > 0 && name.len <= MAX_PROPERTY_NAME;
    if (known && separator == SIZE_MAX) {
        normalise_name(name, text);
        known = text[0] != '\0' && name_property(t, text, negated, out);
    } else if (known) {
        bool unequal = name.ptr[separator] == '!';
        size_t value = separator + 1 + (separator + 1 < name.len && name.ptr[separator + 1] == '=');
        normalise_name(og_str_slice(name, value, name.len), text);
        known = (!unequal || value == separator + 2) && text[0] != '\0' &&
                key_property(t, og_str_slice(name, 0, separator), text, negated != unequal, out);
    }
    return known || fail_at(t, at, "a Unicode class is not known");
}

/* ---- escapes ------------------------------------------------------------------------------ */

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind \x, \u, \U: `width` digits, or any number of them in braces. */
static bool parse_hex(translator *t, int width, element *out)
{
    const char *at = t->p;
    bool braces = accept(t, "{");
    uint32_t code = 0;
    int count = 0;
    for (; t->p < t->end && (braces || count < width); count++) {
        int digit = hex_value(*t->p);
        if (digit < 0)
            break;
        code = code > 0x10ffff ? code : code << 4 | (uint32_t)digit;
        t->p++;
    }
    if ((braces && (count == 0 || !accept(t, "}"))) || (!braces && count < width))
        return fail_at(t, at, "a hexadecimal escape is not complete");
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return fail_at(t, at, "a hexadecimal escape is no Unicode character");
    out->kind = ELEMENT_CHAR;
    out->code = code;
    return true;
}

#define IS_WORD_BEFORE "(?<=[" WORD "])"
#define NO_WORD_BEFORE "(?<![" WORD "])"
#define IS_WORD_NEXT "(?=[" WORD "])"
#define NO_WORD_NEXT "(?![" WORD "])"

/* Behind \b: the kinds of word boundaries in braces are Rust's own. */
static bool parse_boundary(translator *t, element *out)
{
    if (accept(t, "{start}"))
        return set_text(out, ELEMENT_ASSERTION, "(?:" NO_WORD_BEFORE IS_WORD_NEXT ")");
    if (accept(t, "{end}"))
        return set_text(out, ELEMENT_ASSERTION, "(?:" IS_WORD_BEFORE NO_WORD_NEXT ")");
    if (accept(t, "{start-half}"))
        return set_text(out, ELEMENT_ASSERTION, NO_WORD_BEFORE);
    if (accept(t, "{end-half}"))
        return set_text(out, ELEMENT_ASSERTION, NO_WORD_NEXT);
    return set_text(out, ELEMENT_ASSERTION,
                    "(?:" IS_WORD_BEFORE NO_WORD_NEXT "|" NO_WORD_BEFORE IS_WORD_NEXT ")");
}

static bool parse_assertion(translator *t, char c, element *out)
{
    switch (c) {
    case 'b':
        return parse_boundary(t, out);
    case 'B':
        return set_text(out, ELEMENT_ASSERTION,
                        "(?:" IS_WORD_BEFORE IS_WORD_NEXT "|" NO_WORD_BEFORE NO_WORD_NEXT ")");
    case 'A':
        return set_text(out, ELEMENT_ASSERTION, "(?:\\A)");
    case 'z':
        return set_text(out, ELEMENT_ASSERTION, "(?:\\z)");
    case '<':
        return set_text(out, ELEMENT_ASSERTION, "(?:" NO_WORD_BEFORE IS_WORD_NEXT ")");
    default: /* '>' */
        return set_text(out, ELEMENT_ASSERTION, "(?:" IS_WORD_BEFORE NO_WORD_NEXT ")");
    }
}

static bool set_char(element *out, uint32_t code)
{
    out->kind = ELEMENT_CHAR;
    out->code = code;
    return true;
}

/* Behind the backslash. */
static bool parse_escape(translator *t, element *out)
{
    const char *at = t->p - 1;
    if (t->p == t->end)
        return fail_at(t, at, "the pattern ends inside an escape");
    char c = *t->p;
    if (is_digit(c))
        return fail_at(t, at, "backreferences are not supported");
    t->p++;
    switch (c) {
    case 'd':
        return set_text(out, ELEMENT_SET, "\\p{Nd}");
    case 'D':
        return set_text(out, ELEMENT_SET, "\\P{Nd}");
    case 's':
        return set_text(out, ELEMENT_SET, SPACE);
    case 'S':
        return set_text(out, ELEMENT_SET, "\\P{wspace}");
    case 'w':
        return set_text(out, ELEMENT_SET, WORD);
    case 'W':
        return set_text(out, ELEMENT_PATTERN, "[^" WORD "]");
    case 'p':
    case 'P':
        return parse_property(t, c == 'P', out);
    case 'x':
        return parse_hex(t, 2, out);
    case 'u':
        return parse_hex(t, 4, out);
    case 'U':
        return parse_hex(t, 8, out);
    case 'a':
        return set_char(out, '\a');
    case 'f':
        return set_char(out, '\f');
    case 't':
        return set_char(out, '\t');
    case 'n':
        return set_char(out, '\n');
    case 'r':
        return set_char(out, '\r');
    case 'v':
        return set_char(out, '\v');
    case 'b':
    case 'B':
    case 'A':
    case 'z':
    case '<':
    case '>':
        return parse_assertion(t, c, out);
    default:
        if (is_letter(c) || (uint8_t)c >= 0x80)
            return fail_at(t, at, "the escape is not known");
        return set_char(out, (uint8_t)c);
    }
}

/* ---- classes ------------------------------------------------------------------------------ */

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
    case ELEMENT_CHAR:
        return put_literal(&u->set, e->code);
    case ELEMENT_SET:
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
        og_buf_text(out, negated ? ANY_CHAR : NOTHING);
    } else if (patterns.len == 0) {
        og_buf_printf(out, "[%s%.*s]", negated ? "^" : "", OG_FMT(set));
    } else {
        og_buf_text(out, negated ? "(?:(?!" : "(?:");
        if (set.len != 0)
            og_buf_printf(out, "[%.*s]%.*s", OG_FMT(set), OG_FMT(patterns));
        else
            og_buf_str(out, og_str_slice(patterns, 1, patterns.len));
        og_buf_text(out, negated ? ")" ANY_CHAR ")" : ")");
    }
    bool ok = !out->failed && !u->set.failed && !u->patterns.failed;
    og_buf_clear(&u->set);
    og_buf_clear(&u->patterns);
    return ok;
}

/* left <op> right, each a pattern for one character, into left. */
static bool combine(char op, og_buf *left, og_buf *right)
{
    OG_AUTO_BUF both = {.max = left->max};
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
            if (!accept(t, spelling))
                continue;
            out->kind = negated ? ELEMENT_PATTERN : ELEMENT_SET;
            snprintf(out->text, sizeof out->text, negated ? "[^%s]" : "%s", classes[i].set);
            return true;
        }
    }
    return false;
}

static bool parse_class_element(translator *t, element *out)
{
    const char *at = t->p;
    if (!accept(t, "\\"))
        return set_char(out, next_char(t));
    if (!parse_escape(t, out))
        return false;
    return out->kind != ELEMENT_ASSERTION || fail_at(t, at, "an assertion can't be in a class");
}

/* A character, a range or an escape. A hyphen before ']' or '-' is no range. */
static bool parse_class_range(translator *t, char_union *u)
{
    const char *at = t->p;
    element first, last;
    if (!parse_class_element(t, &first))
        return false;
    skip_ignored(t);
    bool hyphen = t->end - t->p >= 2 && *t->p == '-' && t->p[1] != ']' && t->p[1] != '-';
    if (!hyphen)
        return union_add(u, &first);
    t->p++;
    skip_ignored(t);
    if (t->p == t->end)
        return fail_at(t, at, "a class is not closed");
    if (!parse_class_element(t, &last))
        return false;
    if (first.kind != ELEMENT_CHAR || last.kind != ELEMENT_CHAR)
        return fail_at(t, at, "a range needs a character at both ends");
    if (first.code > last.code)
        return fail_at(t, at, "a range's end is before its start");
    return union_add(u, &first) && og_buf_byte(&u->set, '-') && union_add(u, &last);
}

static bool parse_class(translator *t, og_buf *out);

static bool parse_nested_class(translator *t, char_union *u)
{
    element posix;
    if (accept_posix_class(t, &posix))
        return union_add(u, &posix);
    return og_buf_byte(&u->patterns, '|') && parse_class(t, &u->patterns);
}

/* Hyphens at the start, and a bracket that would close an empty class, are literals. */
static bool parse_class_start(translator *t, char_union *u, bool *out_negated)
{
    *out_negated = accept(t, "^");
    skip_ignored(t);
    bool empty = true;
    while (accept(t, "-")) {
        put_literal(&u->set, '-');
        skip_ignored(t);
        empty = false;
    }
    if (empty && accept(t, "]"))
        put_literal(&u->set, ']');
    return !u->set.failed;
}

/* Operands joined by operators of one precedence, from the left, up to the bracket. */
static bool parse_class_body(translator *t, const char *at, char_union *u, og_buf *left, char *op)
{
    for (;;) {
        skip_ignored(t);
        if (t->p == t->end)
            return fail_at(t, at, "a class is not closed");
        if (*t->p == ']')
            return true;
        if (looking_at(t, "&&") || looking_at(t, "--") || looking_at(t, "~~")) {
            OG_AUTO_BUF right = {.max = left->max};
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

static bool parse_class(translator *t, og_buf *out)
{
    const char *at = t->p++;
    if (++t->nesting > MAX_NESTING)
        return fail_at(t, at, "groups and classes are nested too deeply");
    AUTO_UNION u = {{.max = t->out->max}, {.max = t->out->max}};
    OG_AUTO_BUF left = {.max = t->out->max};
    bool negated;
    char op = 0;
    if (!parse_class_start(t, &u, &negated) || !parse_class_body(t, at, &u, &left, &op))
        return false;
    t->p++;
    t->nesting--;
    if (op == 0)
        return union_finish(&u, negated, out);
    OG_AUTO_BUF right = {.max = t->out->max};
    if (!union_finish(&u, false, &right) || !combine(op, &left, &right))
        return false;
    og_str pattern = og_buf_view(&left);
    return negated ? og_buf_printf(out, "(?:(?!%.*s)" ANY_CHAR ")", OG_FMT(pattern))
                   : og_buf_str(out, pattern);
}

/* ---- groups and repetition ---------------------------------------------------------------- */

static bool parse_group_name(translator *t)
{
    const char *at = t->p;
    while (t->p < t->end && *t->p != '>') {
        char c = *t->p;
        bool first = t->p == at;
        bool ok = is_letter(c) || c == '_' || (uint8_t)c >= 0x80 ||
                  (!first && (is_digit(c) || c == '.' || c == '[' || c == ']'));
        if (!ok)
            return fail_at(t, t->p, "a group's name has a character that it can't have");
        t->p++;
    }
    og_str name = {at, (size_t)(t->p - at)};
    if (name.len == 0 || !accept(t, ">"))
        return fail_at(t, at, "a group's name is empty or not closed");
    bool is_new;
    if (og_strmap_put(t->names, name, &is_new) == NULL)
        return false;
    return is_new || fail_at(t, at, "a group's name is given twice");
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
                return fail_at(t, t->p, "flags are negated twice");
            list = off;
            continue;
        }
        if (strchr("imsUux", c) == NULL || c == '\0')
            return fail_at(t, t->p,
                           c == 'R' ? "the flag R is not supported"
                                    : "a flag or kind of group is not known");
        if (strchr(seen, c) != NULL)
            return fail_at(t, t->p, "a flag is given twice");
        if (c == 'u' && list == off)
            return fail_at(t, t->p, "switching Unicode off is not supported");
        strncat(seen, &c, 1);
        if (c == 'i')
            t->ignore_case = list == on;
        if (c == 'x')
            t->ignore_space = list == on;
        else if (c != 'u')
            strncat(list, &c, 1);
    }
    if (t->p == t->end)
        return fail_at(t, at, "a group is not closed");
    if (seen[0] == '\0' ? *t->p == ')' || list == off : t->p[-1] == '-')
        return fail_at(t, at, "flags are missing");
    return og_buf_printf(t->out, "(?%s%s%s", on, off[0] != '\0' ? "-" : "", off);
}

static bool parse_alternation(translator *t);

static bool looks_around(const translator *t)
{
    return looking_at(t, "=") || looking_at(t, "!") || looking_at(t, "<=") || looking_at(t, "<!");
}

/* At '('. *out_is_atom is false for flags that hold for the rest of the group around. */
static bool parse_group(translator *t, bool *out_is_atom)
{
    const char *at = t->p++;
    bool ignore_space = t->ignore_space, ignore_case = t->ignore_case;
    if (++t->nesting > MAX_NESTING)
        return fail_at(t, at, "groups and classes are nested too deeply");
    *out_is_atom = true;
    if (accept(t, "?")) {
        if (looks_around(t))
            return fail_at(t, at, "look-around is not supported");
        if (accept(t, "P<") || accept(t, "<")) {
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
        if (!accept(t, ")"))
            return fail_at(t, at, "a group is not closed");
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
    for (; t->p < t->end && is_digit(*t->p); t->p++) {
        value = value * 10 + (uint32_t)(*t->p - '0');
        if (value > UINT16_MAX)
            return fail_at(t, at, "a repetition is above 65535");
    }
    if (t->p == at)
        return fail_at(t, at, "a repetition needs a number");
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
    if (accept(t, ",")) {
        og_buf_byte(t->out, ',');
        skip_spaces(t);
        if (!looking_at(t, "}")) {
            if (!parse_count(t, &max))
                return false;
            if (min > max)
                return fail_at(t, at, "a repetition's maximum is below its minimum");
            og_buf_printf(t->out, "%u", (unsigned)max);
        }
    }
    if (!accept(t, "}"))
        return fail_at(t, at, "a repetition is not closed");
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
        return fail_at(t, at, "a repetition has nothing before it to repeat");
    if (repeated && !wrap(t->out, atom))
        return false;
    char op = *t->p++;
    if (!(op == '{' ? parse_counts(t, at) : og_buf_byte(t->out, (uint8_t)op)))
        return false;
    return !accept(t, "?") || og_buf_byte(t->out, '?');
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool parse_atom(translator *t)
{
    element e;
    switch (*t->p) {
    case '[':
        return parse_class(t, t->out);
    case '.':
    case '^':
    case '$':
        return og_buf_printf(t->out, "(?:%c)", *t->p++);
    case '\\':
        t->p++;
        if (!parse_escape(t, &e))
            return false;
        if (e.kind == ELEMENT_CHAR)
            return put_literal(t->out, e.code);
        return e.kind == ELEMENT_SET ? og_buf_printf(t->out, "[%s]", e.text)
                                     : og_buf_text(t->out, e.text);
    default:
        return put_literal(t->out, next_char(t));
    }
}

/* Up to the end or the ')' of the group around. */
static bool parse_alternation(translator *t)
{
    size_t atom = NO_ATOM; /* where the last one begins in the output */
    bool repeated = false;
    for (skip_ignored(t); t->p < t->end && *t->p != ')'; skip_ignored(t)) {
        char c = *t->p;
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
        ok = fail_at(&t, t.p, "a group is closed that was not opened");
    if (ok)
        return OG_OK;
    if (t.problem == NULL)
        return og_error_set(err, OG_NOMEM, "pattern is too large to compile");
    og_str before = {start, (size_t)(t.at - start)};
    return og_error_set(err, OG_INVALID, "%s (at character %zu of the pattern)", t.problem,
                        og_utf8_length(before) + 1);
}
