/* JSON: whatever is accepted is written and read back as the same tree, compact and indented, and
 * the stream agrees with the reader however its reads are cut (the first byte says how). */
#include <stdint.h>
#include <stdlib.h>

#include "base/json.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void convert_numbers(const og_json *value)
{
    int64_t i;
    uint64_t u;
    double d;
    if (value->kind == OG_JSON_NUMBER) {
        bool is_i64 = og_json_to_i64(value, &i), is_u64 = og_json_to_u64(value, &u);
        check(!is_i64 || !is_u64 || (i >= 0 && (uint64_t)i == u));
        if (og_json_to_f64(value, &d) && is_u64)
            check(d == (double)u);
    }
    for (uint32_t k = 0; k < value->count; k++)
        convert_numbers(&value->items[k]);
}

static void write_compact(og_arena *arena, og_str text, og_buf *out)
{
    og_json value;
    check(og_json_parse(arena, text, &value, NULL) == OG_OK);
    check(og_json_write(out, &value, false));
}

static void check_round_trip(og_arena *arena, const og_json *value, og_buf *compact)
{
    OG_AUTO_BUF pretty = OG_BUF_INIT;
    OG_AUTO_BUF again = OG_BUF_INIT;
    check(og_json_write(compact, value, false) && og_json_write(&pretty, value, true));
    write_compact(arena, og_buf_view(compact), &again);
    check(og_str_eq(og_buf_view(&again), og_buf_view(compact)));
    og_buf_clear(&again);
    write_compact(arena, og_buf_view(&pretty), &again);
    check(og_str_eq(og_buf_view(&again), og_buf_view(compact)));
}

typedef struct source {
    og_str rest;
    size_t step;
} source;

static og_status read_source(void *context, uint8_t *dst, size_t cap, size_t *out_len,
                             og_error *err)
{
    source *s = context;
    size_t len = s->rest.len < s->step ? s->rest.len : s->step;
    (void)err;
    len = len < cap ? len : cap;
    memcpy(dst, s->rest.ptr, len);
    s->rest = og_str_slice(s->rest, len, s->rest.len);
    *out_len = len;
    return OG_OK;
}

/* Values of the stream, one a line, with their lines; false at an error. */
static bool write_stream(og_arena *arena, og_str text, size_t step, og_buf *out)
{
    OG_AUTO(og_json_stream) stream = NULL;
    source s = {text, step};
    uint64_t line;
    bool done = false;
    check(og_json_stream_new(read_source, &s, 1000, &stream, NULL) == OG_OK);
    while (!done) {
        og_json value;
        if (og_json_stream_next(stream, arena, &value, &line, &done, NULL) != OG_OK)
            return false;
        if (done)
            break;
        og_buf_printf(out, "%llu ", (unsigned long long)line);
        check(og_json_write(out, &value, false) && og_buf_byte(out, '\n'));
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    og_str text = {(const char *)data + 1, size - 1};
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BUF compact = OG_BUF_INIT;
    OG_AUTO_BUF whole = OG_BUF_INIT;
    OG_AUTO_BUF pieces = OG_BUF_INIT;
    og_json value;
    og_error err;
    bool parsed = og_json_parse(arena, text, &value, &err) == OG_OK;
    if (parsed) {
        convert_numbers(&value);
        check_round_trip(arena, &value, &compact);
    }
    bool streamed = write_stream(arena, text, SIZE_MAX, &whole);
    check(write_stream(arena, text, (size_t)data[0] + 1, &pieces) == streamed);
    check(og_str_eq(og_buf_view(&whole), og_buf_view(&pieces)));
    check(!parsed || streamed || text.len > 1000);
    return 0;
}
