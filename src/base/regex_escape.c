#include "base/regex_syntax_priv.h"

#include <stdio.h>

#define MAX_PROPERTY_NAME 64

typedef og_base__rx translator;
typedef og_base__rx_element element;

/* Returns true, so that a parser can return it. */
static bool set_text(element *e, og_base__rx_kind kind, const char *text)
{
    e->kind = kind;
    snprintf(e->text, sizeof e->text, "%s", text);
    return true;
}

bool og_base__rx_set_char(element *out, uint32_t code)
{
    out->kind = OG_BASE__RX_CHAR;
    out->code = code;
    return true;
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

/* \p{prefix name}, where PCRE2 knows it. */
static bool use_property(translator *t, const char *prefix, const char *name, bool negated,
                         element *out)
{
    char property[MAX_PROPERTY_NAME + 8];
    snprintf(property, sizeof property, "%s%s", prefix, name);
    if (!t->has_property(property))
        return false;
    out->kind = OG_BASE__RX_SET;
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
        return set_text(out, OG_BASE__RX_PATTERN, negated ? OG_BASE__RX_NOTHING : OG_BASE__RX_ANY);
    if (strcmp(name, "assigned") == 0)
        return use_property(t, "", "Cn", !negated, out);
    if (strcmp(name, "ascii") == 0)
        return set_text(out, OG_BASE__RX_SET, negated ? "\\x{80}-\\x{10FFFF}" : "\\x{0}-\\x{7F}");
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
    if (og_base__rx_accept(t, "{")) {
        const char *close = memchr(t->p, '}', (size_t)(t->end - t->p));
        if (close == NULL)
            return og_base__rx_fail_at(t, at, "a Unicode class is not closed");
        name = (og_str){t->p, (size_t)(close - t->p)};
        t->p = close + 1;
    } else if (t->p < t->end) {
        t->p++;
    } else {
        return og_base__rx_fail_at(t, at, "the pattern ends inside an escape");
    }
    size_t separator = SIZE_MAX;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if ((c == '=' || c == ':' || c == '!') && separator == SIZE_MAX)
            separator = i;
        else if (!og_base__rx_is_letter(c) && !og_base__rx_is_digit(c) && c != '_' && c != '-' &&
                 c != ' ' && !(c == '=' && separator == i - 1))
            return og_base__rx_fail_at(t, at, "a Unicode class is not known");
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
    return known || og_base__rx_fail_at(t, at, "a Unicode class is not known");
}

/* ---- escapes ------------------------------------------------------------------------------ */

static int hex_value(char c)
{
    if (og_base__rx_is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind \x, \u, \U: `width` digits, or any number of them in braces. */
static bool parse_hex(translator *t, int width, element *out)
{
    const char *at = t->p;
    bool braces = og_base__rx_accept(t, "{");
    uint32_t code = 0;
    int count = 0;
    for (; t->p < t->end && (braces || count < width); count++) {
        int digit = hex_value(*t->p);
        if (digit < 0)
            break;
        code = code > 0x10ffff ? code : code << 4 | (uint32_t)digit;
        t->p++;
    }
    if ((braces && (count == 0 || !og_base__rx_accept(t, "}"))) || (!braces && count < width))
        return og_base__rx_fail_at(t, at, "a hexadecimal escape is not complete");
    if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return og_base__rx_fail_at(t, at, "a hexadecimal escape is no Unicode character");
    out->kind = OG_BASE__RX_CHAR;
    out->code = code;
    return true;
}

#define IS_WORD_BEFORE "(?<=[" OG_BASE__RX_WORD "])"
#define NO_WORD_BEFORE "(?<![" OG_BASE__RX_WORD "])"
#define IS_WORD_NEXT "(?=[" OG_BASE__RX_WORD "])"
#define NO_WORD_NEXT "(?![" OG_BASE__RX_WORD "])"

/* Behind \b: the kinds of word boundaries in braces are Rust's own. */
static bool parse_boundary(translator *t, element *out)
{
    if (og_base__rx_accept(t, "{start}"))
        return set_text(out, OG_BASE__RX_ASSERTION, "(?:" NO_WORD_BEFORE IS_WORD_NEXT ")");
    if (og_base__rx_accept(t, "{end}"))
        return set_text(out, OG_BASE__RX_ASSERTION, "(?:" IS_WORD_BEFORE NO_WORD_NEXT ")");
    if (og_base__rx_accept(t, "{start-half}"))
        return set_text(out, OG_BASE__RX_ASSERTION, NO_WORD_BEFORE);
    if (og_base__rx_accept(t, "{end-half}"))
        return set_text(out, OG_BASE__RX_ASSERTION, NO_WORD_NEXT);
    return set_text(out, OG_BASE__RX_ASSERTION,
                    "(?:" IS_WORD_BEFORE NO_WORD_NEXT "|" NO_WORD_BEFORE IS_WORD_NEXT ")");
}

static bool parse_assertion(translator *t, char c, element *out)
{
    switch (c) {
    case 'b':
        return parse_boundary(t, out);
    case 'B':
        return set_text(out, OG_BASE__RX_ASSERTION,
                        "(?:" IS_WORD_BEFORE IS_WORD_NEXT "|" NO_WORD_BEFORE NO_WORD_NEXT ")");
    case 'A':
        return set_text(out, OG_BASE__RX_ASSERTION, "(?:\\A)");
    case 'z':
        return set_text(out, OG_BASE__RX_ASSERTION, "(?:\\z)");
    case '<':
        return set_text(out, OG_BASE__RX_ASSERTION, "(?:" NO_WORD_BEFORE IS_WORD_NEXT ")");
    default: /* '>' */
        return set_text(out, OG_BASE__RX_ASSERTION, "(?:" IS_WORD_BEFORE NO_WORD_NEXT ")");
    }
}

bool og_base__rx_parse_escape(translator *t, element *out)
{
    const char *at = t->p - 1;
    if (t->p == t->end)
        return og_base__rx_fail_at(t, at, "the pattern ends inside an escape");
    char c = *t->p;
    if (og_base__rx_is_digit(c))
        return og_base__rx_fail_at(t, at, "backreferences are not supported");
    t->p++;
    switch (c) {
    case 'd':
        return set_text(out, OG_BASE__RX_SET, "\\p{Nd}");
    case 'D':
        return set_text(out, OG_BASE__RX_SET, "\\P{Nd}");
    case 's':
        return set_text(out, OG_BASE__RX_SET, "\\p{wspace}");
    case 'S':
        return set_text(out, OG_BASE__RX_SET, "\\P{wspace}");
    case 'w':
        return set_text(out, OG_BASE__RX_SET, OG_BASE__RX_WORD);
    case 'W':
        return set_text(out, OG_BASE__RX_PATTERN, "[^" OG_BASE__RX_WORD "]");
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
        return og_base__rx_set_char(out, '\a');
    case 'f':
        return og_base__rx_set_char(out, '\f');
    case 't':
        return og_base__rx_set_char(out, '\t');
    case 'n':
        return og_base__rx_set_char(out, '\n');
    case 'r':
        return og_base__rx_set_char(out, '\r');
    case 'v':
        return og_base__rx_set_char(out, '\v');
    case 'b':
    case 'B':
    case 'A':
    case 'z':
    case '<':
    case '>':
        return parse_assertion(t, c, out);
    default:
        if (og_base__rx_is_letter(c) || (uint8_t)c >= 0x80)
            return og_base__rx_fail_at(t, at, "the escape is not known");
        return og_base__rx_set_char(out, (uint8_t)c);
    }
}
