#include "base/json_priv.h"

/* The stream parses straight from its buffer. A value that the buffer's end cuts is parsed again
 * once as many bytes again were read (so each byte is parsed twice at most on average), which
 * spares the common record, whole in the buffer, a pass of its own for finding where it ends. */

#define CHUNK_BYTES ((size_t)256 * 1024)
#define SMALL_VALUE_BYTES ((size_t)4096)

struct og_json_stream {
    og_read_fn read;
    void *context;
    size_t max_value_bytes;
    char *buf;
    size_t cap;
    size_t len;
    size_t pos;      /* first byte not consumed */
    uint64_t origin; /* offset in the input of buf[0] */
    uint64_t line;   /* of buf[pos], 1-based */
    bool at_eof;
    bool started;
    og_base__json_parser parser;
};

og_status og_json_stream_new(og_read_fn read, void *context, size_t max_value_bytes,
                             og_json_stream **out, og_error *err)
{
    OG_AUTO(og_json_stream) stream = og_calloc(1, sizeof *stream);
    if (stream == NULL)
        return og_error_nomem(err);
    stream->read = read;
    stream->context = context;
    stream->max_value_bytes = max_value_bytes != 0 ? max_value_bytes : SIZE_MAX / 2;
    stream->line = 1;
    stream->cap = CHUNK_BYTES;
    stream->buf = og_malloc(stream->cap);
    if (stream->buf == NULL)
        return og_error_nomem(err);
    *out = OG_TAKE(stream);
    return OG_OK;
}

void og_json_stream_free(og_json_stream *stream)
{
    if (stream == NULL)
        return;
    og_base__json_parser_deinit(&stream->parser);
    og_free(stream->buf);
    og_free(stream);
}

uint64_t og_json_stream_offset(const og_json_stream *stream)
{
    return stream->origin + stream->pos;
}

/* Move what is not consumed to the front, and make room for `want` bytes in all. */
static og_status make_room(og_json_stream *s, size_t want, og_error *err)
{
    if (s->pos > 0) {
        memmove(s->buf, s->buf + s->pos, s->len - s->pos);
        s->origin += s->pos;
        s->len -= s->pos;
        s->pos = 0;
    }
    if (want <= s->cap)
        return OG_OK;
    char *grown = og_realloc(s->buf, want);
    if (grown == NULL)
        return og_error_nomem(err);
    s->buf = grown;
    s->cap = want;
    return OG_OK;
}

/* Read until `want` bytes are in the buffer or the input ends. */
static og_status read_up_to(og_json_stream *s, size_t want, og_error *err)
{
    while (s->len < want && !s->at_eof) {
        size_t got = 0;
        OG_TRY(s->read(s->context, (uint8_t *)s->buf + s->len, s->cap - s->len, &got, err));
        s->len += got;
        s->at_eof = got == 0;
    }
    return OG_OK;
}

static og_status skip_byte_order_mark(og_json_stream *s, og_error *err)
{
    s->started = true;
    OG_TRY(read_up_to(s, 3, err));
    if (s->len >= 3 && memcmp(s->buf, "\xef\xbb\xbf", 3) == 0)
        s->pos = 3;
    return OG_OK;
}

/* Consume up to buf[end] and count its lines. */
static void consume(og_json_stream *s, size_t end)
{
    const char *p = s->buf + s->pos, *stop = s->buf + end;
    while (p < stop && (p = memchr(p, '\n', (size_t)(stop - p))) != NULL) {
        s->line++;
        p++;
    }
    s->pos = end;
}

/* To the next byte that is no white space; *out_done when there is none. */
static og_status skip_to_value(og_json_stream *s, bool *out_done, og_error *err)
{
    for (;;) {
        const char *p = og_base__json_skip_space(s->buf + s->pos, s->buf + s->len);
        consume(s, (size_t)(p - s->buf));
        *out_done = s->pos == s->len && s->at_eof;
        if (s->pos < s->len || s->at_eof)
            return OG_OK;
        OG_TRY(make_room(s, CHUNK_BYTES, err));
        OG_TRY(read_up_to(s, 1, err));
    }
}

static og_status too_large(const og_json_stream *s, og_error *err)
{
    return og_error_set_at(err, OG_LIMIT, (uint32_t)s->line, 0,
                           "the value that begins at byte %llu is larger than %zu bytes",
                           (unsigned long long)(s->origin + s->pos), s->max_value_bytes);
}

/* The value at buf[pos] is cut: read on. A small one is tried again with whatever comes, so that a
 * pipe that pauses between records is not waited for; a large one only when it has doubled. */
static og_status read_more(og_json_stream *s, og_error *err)
{
    size_t have = s->len - s->pos;
    if (have > s->max_value_bytes)
        return too_large(s, err);
    size_t want = have < SMALL_VALUE_BYTES ? have + 1 : have * 2;
    if (want > s->max_value_bytes)
        want = s->max_value_bytes + 1;
    OG_TRY(make_room(s, want > CHUNK_BYTES ? want : CHUNK_BYTES, err));
    return read_up_to(s, want, err);
}

static og_status invalid(const og_json_stream *s, og_error *err)
{
    const og_base__json_parser *ps = &s->parser;
    char text[256];
    og_base__json_describe(ps, text, sizeof text);
    uint64_t line = s->line;
    for (const char *p = s->buf + s->pos; p < ps->bad; p++)
        line += *p == '\n';
    unsigned long long offset = ps->origin + (uint64_t)(ps->bad - ps->start);
    if (line == s->line)
        return og_error_set_at(err, OG_INVALID, (uint32_t)s->line, 0, "%s (byte %llu)", text,
                               offset);
    return og_error_set_at(err, OG_INVALID, (uint32_t)s->line, 0, "%s (byte %llu, on line %llu)",
                           text, offset, (unsigned long long)line);
}

/* Words and numbers end where something else begins: white space, a quote, a bracket. */
static bool scalar_runs_on(const og_base__json_parser *ps, og_json_kind kind)
{
    if (kind == OG_JSON_STRING || kind == OG_JSON_ARRAY || kind == OG_JSON_OBJECT ||
        ps->p == ps->end)
        return false;
    return memchr(" \t\r\n\"[{", *ps->p, 7) == NULL;
}

/* Parse what the buffer holds of the value at buf[pos]. */
static og_base__json_result parse_buffered(og_json_stream *s, og_arena *arena, og_json *out)
{
    og_base__json_parser *ps = &s->parser;
    ps->start = s->buf;
    ps->p = s->buf + s->pos;
    ps->end = s->buf + s->len;
    ps->origin = s->origin;
    ps->final = s->at_eof;
    ps->arena = arena;
    og_base__json_result r = og_base__json_parse(ps, out);
    if (r != OG_BASE__JSON_OK)
        return r;
    bool is_word = out->kind == OG_JSON_NULL || out->kind == OG_JSON_BOOL;
    if (is_word && ps->p == ps->end && !s->at_eof)
        return OG_BASE__JSON_MORE;
    if (scalar_runs_on(ps, out->kind)) {
        ps->bad = ps->p;
        ps->expected = "white space after a value";
        return OG_BASE__JSON_INVALID;
    }
    return OG_BASE__JSON_OK;
}

og_status og_json_stream_next(og_json_stream *stream, og_arena *arena, og_json *out,
                              uint64_t *out_line, bool *out_done, og_error *err)
{
    bool done;
    if (!stream->started)
        OG_TRY(skip_byte_order_mark(stream, err));
    OG_TRY(skip_to_value(stream, &done, err));
    og_json value = {0};
    og_base__json_result r = OG_BASE__JSON_OK;
    while (!done && (r = parse_buffered(stream, arena, &value)) == OG_BASE__JSON_MORE)
        OG_TRY(read_more(stream, err));
    if (r == OG_BASE__JSON_NOMEM)
        return og_error_nomem(err);
    if (r == OG_BASE__JSON_INVALID)
        return invalid(stream, err);
    *out_done = done;
    if (done)
        return OG_OK;
    size_t end = (size_t)(stream->parser.p - stream->buf);
    if (end - stream->pos > stream->max_value_bytes)
        return too_large(stream, err);
    *out = value;
    if (out_line != NULL)
        *out_line = stream->line;
    consume(stream, end);
    return OG_OK;
}
