#include "lang/scan.h"

static og_str rest_of(const og_scan *scan)
{
    return og_str_slice(scan->source, scan->pos, scan->source.len);
}

/* ---- white space and comments ------------------------------------------------------------- */

static size_t space_length(og_str rest)
{
    size_t n = 0;
    while (n < rest.len && (rest.ptr[n] == ' ' || rest.ptr[n] == '\t' || rest.ptr[n] == '\r' ||
                            rest.ptr[n] == '\n'))
        n++;
    return n;
}

/* An unclosed block comment is no comment. */
static size_t comment_length(og_str rest)
{
    if (og_str_starts(rest, OG_STR("//"))) {
        const char *newline = memchr(rest.ptr, '\n', rest.len);
        return newline != NULL ? (size_t)(newline - rest.ptr) : rest.len;
    }
    if (!og_str_starts(rest, OG_STR("/*")))
        return 0;
    size_t close = og_str_find(og_str_slice(rest, 2, rest.len), OG_STR("*/"));
    return close != SIZE_MAX ? close + 4 : 0;
}

void og_scan_skip(og_scan *scan)
{
    size_t n;
    do {
        scan->pos += space_length(rest_of(scan));
        n = comment_length(rest_of(scan));
        scan->pos += n;
    } while (n > 0);
}

/* ---- rules -------------------------------------------------------------------------------- */

static uint32_t attempts_at(const og_scan *scan, size_t pos)
{
    return scan->furthest == pos ? scan->expected.count + scan->unexpected.count : 0;
}

static void truncate_attempts(og_scan_attempts *attempts, uint32_t count)
{
    if (attempts->count > count)
        attempts->count = count;
}

static void add_attempt(og_scan_attempts *attempts, uint8_t rule)
{
    if (attempts->count < OG_SCAN_ATTEMPTS)
        attempts->rules[attempts->count] = rule;
    attempts->count++;
}

static void record(og_scan *scan, og_scan_mark mark, uint8_t rule)
{
    if (mark.start < scan->furthest || attempts_at(scan, mark.start) == mark.attempts + 1)
        return;
    /* A mark made before the furthest place moved here holds 0 and clears the lists. */
    truncate_attempts(&scan->expected, mark.expected);
    truncate_attempts(&scan->unexpected, mark.unexpected);
    if (mark.start > scan->furthest) {
        scan->furthest = mark.start;
        scan->expected.count = scan->unexpected.count = 0;
    }
    add_attempt(scan->negative ? &scan->unexpected : &scan->expected, rule);
}

og_scan_mark og_scan_enter_here(og_scan *scan)
{
    bool here = scan->pos == scan->furthest;
    return (og_scan_mark){
        .start = scan->pos,
        .attempts = attempts_at(scan, scan->pos),
        .expected = here ? scan->expected.count : 0,
        .unexpected = here ? scan->unexpected.count : 0,
    };
}

og_scan_mark og_scan_enter(og_scan *scan)
{
    og_scan_skip(scan);
    return og_scan_enter_here(scan);
}

bool og_scan_leave(og_scan *scan, og_scan_mark mark, uint8_t rule, bool matched)
{
    if (matched == scan->negative)
        record(scan, mark, rule);
    if (!matched)
        scan->pos = mark.start;
    return matched;
}

bool og_scan_text_here(og_scan *scan, const char *text)
{
    og_str wanted = og_str_of(text);
    if (!og_str_starts(rest_of(scan), wanted))
        return false;
    scan->pos += wanted.len;
    return true;
}

bool og_scan_text(og_scan *scan, const char *text)
{
    og_scan_skip(scan);
    return og_scan_text_here(scan, text);
}

bool og_scan_end(og_scan *scan)
{
    og_scan_mark mark = og_scan_enter(scan);
    return og_scan_leave(scan, mark, 0, scan->pos == scan->source.len);
}

/* ---- terminals ---------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static size_t name_tail(og_str rest)
{
    size_t n = 1;
    while (n < rest.len && (is_lower(rest.ptr[n]) || is_upper(rest.ptr[n]) ||
                            is_digit(rest.ptr[n]) || rest.ptr[n] == '_'))
        n++;
    return n;
}

size_t og_match_ident(og_str rest)
{
    return rest.len > 0 && (is_lower(*rest.ptr) || *rest.ptr == '_') ? name_tail(rest) : 0;
}

size_t og_match_type_name(og_str rest)
{
    return rest.len > 0 && is_upper(*rest.ptr) ? name_tail(rest) : 0;
}

size_t og_match_integer(og_str rest)
{
    size_t n = 0;
    while (n < rest.len && is_digit(rest.ptr[n]))
        n++;
    return n;
}

size_t og_match_float(og_str rest)
{
    size_t whole = og_match_integer(rest);
    if (whole == 0 || whole == rest.len || rest.ptr[whole] != '.')
        return 0;
    size_t fraction = og_match_integer(og_str_slice(rest, whole + 1, rest.len));
    return fraction > 0 ? whole + 1 + fraction : 0;
}

size_t og_match_string(og_str rest)
{
    if (rest.len == 0 || *rest.ptr != '"')
        return 0;
    for (size_t i = 1; i < rest.len; i++) {
        if (rest.ptr[i] == '"')
            return i + 1;
        /* The escaped character may be of several bytes: none of the others is a quote. */
        if (rest.ptr[i] == '\\')
            i++;
    }
    return 0;
}

bool og_scan_terminal(og_scan *scan, uint8_t rule, size_t (*match)(og_str rest), og_span *out_span)
{
    og_scan_mark mark = og_scan_enter(scan);
    size_t len = match(rest_of(scan));
    if (len > 0 && out_span != NULL)
        *out_span = (og_span){(uint32_t)scan->pos, (uint32_t)(scan->pos + len)};
    scan->pos += len;
    return og_scan_leave(scan, mark, rule, len > 0);
}

/* ---- errors ------------------------------------------------------------------------------- */

bool og_scan_expected(const og_scan *scan, uint8_t rule)
{
    uint32_t count =
        scan->expected.count < OG_SCAN_ATTEMPTS ? scan->expected.count : OG_SCAN_ATTEMPTS;
    for (uint32_t i = 0; i < count; i++)
        if (scan->expected.rules[i] == rule)
            return true;
    return false;
}

/* Names of the rules, each once, in order of their numbers; returns how many. */
static size_t sorted_names(const og_scan_attempts *attempts, const char *const *names,
                           const char *dst[OG_SCAN_ATTEMPTS])
{
    bool listed[UINT8_MAX + 1] = {false};
    for (uint32_t i = 0; i < attempts->count && i < OG_SCAN_ATTEMPTS; i++)
        listed[attempts->rules[i]] = true;
    size_t count = 0;
    for (size_t rule = 0; rule <= UINT8_MAX; rule++)
        if (listed[rule])
            dst[count++] = names[rule];
    return count;
}

og_status og_scan_error(const og_scan *scan, const char *const *names, og_error *err)
{
    const char *expected[OG_SCAN_ATTEMPTS], *unexpected[OG_SCAN_ATTEMPTS];
    og_rule_list expected_rules = {expected, sorted_names(&scan->expected, names, expected)};
    og_rule_list unexpected_rules = {unexpected,
                                     sorted_names(&scan->unexpected, names, unexpected)};
    OG_AUTO_BUF frame = OG_BUF_INIT;
    if (!og_frame_append(&frame, scan->source, scan->furthest, expected_rules, unexpected_rules))
        return og_error_nomem(err);
    uint32_t line, column;
    og_text_place(scan->source, scan->furthest, &line, &column);
    return og_error_set_at(err, OG_INVALID, line, column, "%.*s", (int)frame.len,
                           (const char *)frame.ptr);
}

og_status og_decode_string(og_str raw, og_arena *arena, og_str *out, og_error *err)
{
    bool quoted = raw.len >= 2 && raw.ptr[0] == '"' && raw.ptr[raw.len - 1] == '"';
    og_str inner = quoted ? og_str_slice(raw, 1, raw.len - 1) : raw;
    char *dst = og_arena_alloc(arena, inner.len + 1);
    if (dst == NULL)
        return og_error_nomem(err);
    size_t len = 0;
    for (size_t i = 0; i < inner.len; i++) {
        if (inner.ptr[i] != '\\') {
            dst[len++] = inner.ptr[i];
            continue;
        }
        if (++i == inner.len)
            return og_error_set(err, OG_INVALID, "unterminated escape sequence");
        static const char escapes[] = "\"\"\\\\n\nr\rt\t";
        const char *known = NULL;
        for (const char *e = escapes; *e != '\0'; e += 2)
            if (*e == inner.ptr[i])
                known = e;
        if (known == NULL) {
            size_t end = i;
            og_utf8_next(inner, &end);
            return og_error_set(err, OG_INVALID, "unsupported escape sequence: \\%.*s",
                                (int)(end - i), inner.ptr + i);
        }
        dst[len++] = known[1];
    }
    dst[len] = '\0';
    *out = (og_str){dst, len};
    return OG_OK;
}
