#include "lang/frame.h"

#include <stdio.h>

#define EXCERPT_MAX_LINE 160

static bool is_code_point_start(char byte)
{
    return ((uint8_t)byte & 0xC0) != 0x80;
}

/* Code points that begin in text[start, end). */
static size_t code_points(og_str text, size_t start, size_t end)
{
    size_t count = 0;
    for (size_t i = start; i < end; i++)
        count += is_code_point_start(text.ptr[i]);
    return count;
}

void og_text_place(og_str source, size_t offset, uint32_t *out_line, uint32_t *out_column)
{
    uint32_t line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < offset; i++) {
        if (source.ptr[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    *out_line = line;
    *out_column = (uint32_t)code_points(source, line_start, offset) + 1;
}

/* The line around `offset`: [start, end) without its "\n". */
static void line_bounds(og_str source, size_t offset, size_t *out_start, size_t *out_end)
{
    size_t start = offset;
    while (start > 0 && source.ptr[start - 1] != '\n')
        start--;
    const char *newline = memchr(source.ptr + offset, '\n', source.len - offset);
    *out_start = start;
    *out_end = newline != NULL ? (size_t)(newline - source.ptr) : source.len;
}

/* Narrow a line to at most `max` bytes that hold `offset`, on code point borders. */
static void clip_line(og_str source, size_t offset, size_t max, size_t *start, size_t *end)
{
    if (*end - *start <= max)
        return;
    size_t before = offset - *start < max / 2 ? offset - *start : max / 2;
    size_t first = offset - before;
    while (first < offset && !is_code_point_start(source.ptr[first]))
        first++;
    size_t last = *end - first < max ? *end : first + max;
    while (last > offset && last < *end && !is_code_point_start(source.ptr[last]))
        last--;
    *start = first;
    *end = last;
}

/* The line's text as pest shows it: line ends are left out, unless the error is at one; then they
 * are drawn as symbols. */
static void append_frame_line(og_buf *out, og_str source, size_t offset, size_t start, size_t end)
{
    bool at_line_end =
        offset < source.len && (source.ptr[offset] == '\n' || source.ptr[offset] == '\r');
    for (size_t i = start; i < end; i++) {
        char c = source.ptr[i];
        if (c != '\r')
            og_buf_byte(out, (uint8_t)c);
        else if (at_line_end)
            og_buf_text(out, "␍");
    }
    if (at_line_end && end < source.len && source.ptr[end] == '\n')
        og_buf_text(out, "␊");
}

/* Blanks under text[start, offset); tabs stay, so that both lines are as wide. */
static void append_indent(og_buf *out, og_str source, size_t start, size_t offset)
{
    for (size_t i = start; i < offset; i++) {
        if (source.ptr[i] == '\t')
            og_buf_byte(out, '\t');
        else if (is_code_point_start(source.ptr[i]))
            og_buf_byte(out, ' ');
    }
}

static void append_rules(og_buf *out, og_rule_list rules)
{
    for (size_t i = 0; i < rules.count; i++) {
        if (i > 0 && rules.count > 2)
            og_buf_byte(out, ',');
        if (i > 0)
            og_buf_text(out, i + 1 == rules.count ? " or " : " ");
        og_buf_text(out, rules.names[i]);
    }
}

static void append_expectation(og_buf *out, og_rule_list expected, og_rule_list unexpected)
{
    if (expected.count == 0 && unexpected.count == 0)
        og_buf_text(out, "unknown parsing error");
    if (unexpected.count > 0) {
        og_buf_text(out, "unexpected ");
        append_rules(out, unexpected);
    }
    if (expected.count > 0) {
        og_buf_text(out, unexpected.count > 0 ? "; expected " : "expected ");
        append_rules(out, expected);
    }
}

bool og_frame_append(og_buf *out, og_str source, size_t offset, og_rule_list expected,
                     og_rule_list unexpected)
{
    uint32_t line, column;
    og_text_place(source, offset, &line, &column);
    size_t start, end;
    line_bounds(source, offset, &start, &end);
    clip_line(source, offset, OG_FRAME_MAX_LINE, &start, &end);

    int width = snprintf(NULL, 0, "%u", line);
    og_buf_printf(out, "%*s--> %u:%u\n%*s |\n%u | ", width, "", line, column, width, "", line);
    append_frame_line(out, source, offset, start, end);
    og_buf_printf(out, "\n%*s | ", width, "");
    append_indent(out, source, start, offset);
    og_buf_printf(out, "^---\n%*s |\n%*s = ", width, "", width, "");
    append_expectation(out, expected, unexpected);
    return !out->failed;
}

static void append_excerpt(og_buf *out, og_str source, og_span span, uint32_t line)
{
    size_t start, end;
    line_bounds(source, span.start, &start, &end);
    clip_line(source, span.start, EXCERPT_MAX_LINE, &start, &end);
    size_t shown_end = end > start && source.ptr[end - 1] == '\r' ? end - 1 : end;
    size_t marked = span.end < shown_end ? span.end : shown_end;

    int width = snprintf(NULL, 0, "%u", line);
    og_buf_printf(out, "%u | ", line);
    og_buf_append(out, source.ptr + start, shown_end - start);
    og_buf_printf(out, "\n%*s | ", width, "");
    append_indent(out, source, start, span.start);
    size_t carets = marked > span.start ? code_points(source, span.start, marked) : 1;
    og_buf_fill(out, '^', carets);
}

void og_error_place(og_error *err, og_str source, og_span span)
{
    if (err == NULL)
        return;
    og_text_place(source, span.start, &err->line, &err->column);
    OG_AUTO_BUF text = OG_BUF_INIT;
    append_excerpt(&text, source, span, err->line);
    /* Without memory for it the excerpt is left out: line and column say the same. */
    if (!text.failed)
        og_error_detail(err, "%.*s", (int)text.len, (const char *)text.ptr);
}

og_status og_text_check(og_str source, size_t max_bytes, const char *what, og_error *err)
{
    if (source.len > max_bytes)
        return og_error_set(err, OG_LIMIT, "the %s has %zu bytes, more than the limit of %zu", what,
                            source.len, max_bytes);
    size_t bad;
    if (og_utf8_valid(source, &bad))
        return OG_OK;
    uint32_t line, column;
    og_text_place(source, bad, &line, &column);
    return og_error_set_at(err, OG_INVALID, line, column,
                           "the %s is not valid UTF-8 at line %u, column %u (byte %zu)", what, line,
                           column, bad);
}

og_nearest og_nearest_to(og_str wanted)
{
    /* A third of the letters may differ, so that short names match only what is really close. */
    size_t limit = wanted.len < 9 ? (wanted.len + 2) / 3 : 3;
    if (wanted.len < 2) /* every other letter is as near */
        limit = 0;
    return (og_nearest){wanted, OG_STR(""), limit + 1};
}

void og_nearest_offer(og_nearest *nearest, og_str name)
{
    if (nearest->distance == 0 || og_str_eq(nearest->wanted, name))
        return;
    size_t distance = og_str_distance(nearest->wanted, name, nearest->distance - 1);
    if (distance < nearest->distance) {
        nearest->best = name;
        nearest->distance = distance;
    }
}

void og_nearest_hint(const og_nearest *nearest, og_error *err)
{
    if (nearest->best.len > 0)
        og_error_hint(err, "Did you mean '%.*s'?", OG_FMT(nearest->best));
}
