/* The stream gives the same values whatever pieces the reads come in. */
#include "og_test.h"

#include "base/json.h"

typedef struct source {
    og_str text;
    size_t pos;
    size_t step;  /* bytes a read, 0 = as many as asked */
    size_t given; /* bytes handed out */
    bool broken;  /* fail at the end */
} source;

static og_status read_source(void *context, uint8_t *dst, size_t cap, size_t *out_len,
                             og_error *err)
{
    source *s = context;
    size_t len = s->text.len - s->pos;
    if (len == 0 && s->broken)
        return og_error_set(err, OG_IO, "broken pipe");
    if (s->step != 0 && len > s->step)
        len = s->step;
    if (len > cap)
        len = cap;
    if (len > 0)
        memcpy(dst, s->text.ptr + s->pos, len);
    s->pos += len;
    s->given += len;
    *out_len = len;
    return OG_OK;
}

/* "line:value " for each value, then the error's "!line message" if there is one. */
static void render(source *s, size_t max, og_buf *out)
{
    OG_AUTO(og_json_stream) stream = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    assert_ok(og_json_stream_new(read_source, s, max, &stream, err));
    for (;;) {
        og_json v;
        uint64_t line;
        bool done = false;
        og_error err = {0};
        if (og_json_stream_next(stream, arena, &v, &line, &done, &err) != OG_OK) {
            og_buf_printf(out, "!%u %s", (unsigned)err.line, err.message);
            return;
        }
        if (done)
            break;
        og_buf_printf(out, "%u:", (unsigned)line);
        og_json_write(out, &v, false);
        og_buf_byte(out, ' ');
        og_arena_reset(arena);
    }
    assert_int_equal(og_json_stream_offset(stream), s->text.len);
}

static void assert_stream(og_str text, const char *expected)
{
    for (size_t step = 0; step < 8; step++) {
        source s = {.text = text, .step = step};
        OG_AUTO_BUF out = OG_BUF_INIT;
        render(&s, 0, &out);
        assert_string_equal(og_buf_cstr(&out), expected);
    }
}

TEST(test_json_stream__values_between_any_white_space)
{
    assert_stream(OG_STR(""), "");
    assert_stream(OG_STR(" \r\n\t "), "");
    assert_stream(OG_STR("{\"a\":1}\n{\"a\":2}\n"), "1:{\"a\":1} 2:{\"a\":2} ");
    assert_stream(OG_STR("{\"a\":1}\r\n\r\n{\"a\":2}"), "1:{\"a\":1} 3:{\"a\":2} ");
    assert_stream(OG_STR("{\n\"a\":\n1}{} [] \"x\"\n12 3\ntrue null"),
                  "1:{\"a\":1} 3:{} 3:[] 3:\"x\" 4:12 4:3 5:true 5:null ");
    assert_stream(OG_STR("12\"a\"true[1]"), "1:12 1:\"a\" 1:true 1:[1] ");
}

TEST(test_json_stream__byte_order_mark_is_skipped_at_the_start_only)
{
    assert_stream(OG_STR("\xef\xbb\xbf{}\n1"), "1:{} 2:1 ");
    assert_stream(OG_STR("\xef\xbb\xbf"), "");
    assert_stream(OG_STR("1\n\xef\xbb\xbf{}"), "1:1 !2 expected a value, found byte 0xef (byte 2)");
}

TEST(test_json_stream__errors_name_line_byte_and_expectation)
{
    assert_stream(OG_STR("1\n{\"a\" 2}"), "1:1 !2 expected ':' after a key, found '2' (byte 7)");
    assert_stream(OG_STR("1\n{\"a\":\n\n2]"),
                  "1:1 !2 expected ',' or '}', found ']' (byte 10, on line 4)");
    assert_stream(OG_STR("{\"a\":1"),
                  "!1 expected ',' or '}', found the end of the input (byte 6)");
    assert_stream(OG_STR("truefalse"), "!1 expected white space after a value, found 'f' (byte 4)");
    assert_stream(OG_STR("12-3"), "!1 expected white space after a value, found '-' (byte 2)");
    assert_stream(OG_STR("{},"), "1:{} !1 expected a value, found ',' (byte 2)");
}

TEST(test_json_stream__read_errors_pass_through)
{
    source s = {.text = OG_STR("1\n2\n"), .broken = true};
    OG_AUTO_BUF out = OG_BUF_INIT;
    render(&s, 0, &out);
    assert_string_equal(og_buf_cstr(&out), "1:1 2:2 !0 broken pipe");
}

/* `count` records, the i-th with a text of `len` bytes. */
static void put_records(og_buf *text, int count, size_t len)
{
    for (int i = 0; i < count; i++) {
        og_buf_printf(text, "{\"i\":%d,\"t\":\"", i);
        og_buf_fill(text, 'x', len);
        og_buf_text(text, "\\n\"}\n");
    }
}

static int count_records(source *s, size_t max, size_t len, og_error *err)
{
    OG_AUTO(og_json_stream) stream = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    assert_int_equal(og_json_stream_new(read_source, s, max, &stream, err), OG_OK);
    for (int i = 0;; i++) {
        og_json v;
        uint64_t line;
        bool done;
        if (og_json_stream_next(stream, arena, &v, &line, &done, err) != OG_OK)
            return -1;
        if (done)
            return i;
        int64_t number;
        assert_true(og_json_to_i64(og_json_get(&v, "i"), &number));
        assert_int_equal(number, i);
        assert_int_equal(line, i + 1);
        assert_int_equal(og_json_get_str(&v, "t", OG_STR("")).len, len + 1);
        og_arena_reset(arena);
    }
}

TEST(test_json_stream__records_across_and_above_the_buffer)
{
    static const struct {
        int count;
        size_t len, step;
    } cases[] = {{20000, 40, 0},     {3000, 1000, 4096}, {7, 200000, 0},
                 {4, 262100, 65536}, {3, 1000000, 0},    {2, 3000000, 10000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OG_AUTO_BUF text = OG_BUF_INIT;
        put_records(&text, cases[i].count, cases[i].len);
        source s = {.text = og_buf_view(&text), .step = cases[i].step};
        og_error err = {0};
        assert_int_equal(count_records(&s, 0, cases[i].len, &err), cases[i].count);
    }
}

TEST(test_json_stream__maximum_is_exact_and_bounds_memory)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    put_records(&text, 1, 1000);
    size_t value_bytes = text.len - 1;
    source s = {.text = og_buf_view(&text), .step = 100};
    og_error err = {0};
    assert_int_equal(count_records(&s, value_bytes, 1000, &err), 1);
    s.pos = 0;
    assert_int_equal(count_records(&s, value_bytes - 1, 1000, &err), -1);
    assert_int_equal(err.status, OG_LIMIT);

    og_buf_clear(&text);
    og_buf_text(&text, "1\n2\n");
    put_records(&text, 1, 20000000);
    s = (source){.text = og_buf_view(&text)};
    OG_AUTO(og_json_stream) stream = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    assert_int_equal(og_json_stream_new(read_source, &s, 1000000, &stream, &err), OG_OK);
    og_json v;
    uint64_t line;
    bool done;
    assert_int_equal(og_json_stream_next(stream, arena, &v, &line, &done, &err), OG_OK);
    assert_int_equal(og_json_stream_next(stream, arena, &v, &line, &done, &err), OG_OK);
    assert_int_equal(og_json_stream_next(stream, arena, &v, &line, &done, &err), OG_LIMIT);
    assert_int_equal(err.line, 3);
    assert_string_equal(err.message,
                        "the value that begins at byte 4 is larger than 1000000 bytes");
    assert_true(s.given < 2000000);
}

TEST(test_json_stream__failing_allocations_are_reported)
{
    for (int countdown = 0;; countdown++) {
        OG_AUTO_BUF text = OG_BUF_INIT;
        put_records(&text, 2, 400000);
        source s = {.text = og_buf_view(&text)};
        OG_AUTO(og_json_stream) stream = NULL;
        OG_AUTO(og_arena) arena = og_arena_new(0);
        og_alloc_fail_after(countdown, false);
        og_status status = og_json_stream_new(read_source, &s, 0, &stream, NULL);
        bool done = false;
        while (status == OG_OK && !done) {
            og_json v;
            status = og_json_stream_next(stream, arena, &v, NULL, &done, NULL);
        }
        og_alloc_fail_after(-1, false);
        if (status == OG_OK)
            break;
        assert_status(status, OG_NOMEM);
    }
}
