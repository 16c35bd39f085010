#include "load_text.h"

#include "og_test.h"

void text_graph_reopen(text_graph *g, og_store_fault fault)
{
    og_repo_close(g->repo);
    og_store_close(g->faulty);
    g->repo = NULL;
    g->faulty = NULL;
    og_store *store = g->memory;
    if (fault != OG_STORE_PASS) {
        g->plan = (og_store_fault_at){.at = UINT64_MAX, .fault = fault};
        assert_ok(og_store_wrap(g->memory, og_store_hook_at(&g->plan), 0, &g->faulty, err));
        store = g->faulty;
    }
    const og_repo_options options = {.store = store, .clock = &g->clock.clock};
    assert_ok(og_repo_open("memory", &options, &g->repo, err));
}

void text_graph_init(text_graph *g, const char *schema)
{
    *g = (text_graph){0};
    fixture_clock_init(&g->clock);
    assert_ok(og_store_open_memory(&g->memory, err));
    const og_repo_options options = {.store = g->memory, .clock = &g->clock.clock};
    assert_ok(og_repo_init("memory", og_str_of(schema), false, &options, err));
    text_graph_reopen(g, OG_STORE_PASS);
}

void text_graph_deinit(text_graph *g)
{
    og_repo_close(g->repo);
    og_store_close(g->faulty);
    og_store_close(g->memory);
}

/* Gives a few bytes at a time, so that records are cut everywhere. */
static og_status read_text(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    (void)err;
    og_str *left = context;
    size_t n = left->len < cap ? left->len : cap;
    n = n > 4096 ? n - n / 3 : n;
    memcpy(dst, left->ptr, n);
    *left = og_str_slice(*left, n, left->len);
    *out_len = n;
    return OG_OK;
}

og_status text_graph_try(text_graph *g, og_load_mode_kind mode, bool lenient, og_str text,
                         og_load_output *out, og_error *err)
{
    const og_load_input input = {
        .mode = mode, .lenient = lenient, .read = read_text, .read_context = &text};
    og_load_output made;
    og_status s = og_load_run(g->repo, &input, &made, err);
    if (s == OG_OK && out != NULL)
        *out = made;
    else if (s == OG_OK)
        og_load_output_deinit(&made);
    return s;
}

void text_graph_load(text_graph *g, og_load_mode_kind mode, const char *text)
{
    assert_ok(text_graph_try(g, mode, false, og_str_of(text), NULL, err));
}

static og_status append_text(void *context, og_bytes bytes, og_error *err)
{
    return og_buf_append(context, bytes.ptr, bytes.len) ? OG_OK : og_error_nomem(err);
}

og_buf text_graph_export(text_graph *g, const char *type)
{
    og_buf out = OG_BUF_INIT;
    OG_AUTO(og_snapshot) snapshot = NULL;
    const og_str name = og_str_of(type);
    const og_export_input input = {.type_names = &name,
                                   .type_count = type != NULL,
                                   .write = append_text,
                                   .write_context = &out};
    assert_ok(og_repo_snapshot(g->repo, NULL, &snapshot, err));
    assert_ok(og_export_run(snapshot, &input, err));
    return out;
}

void text_graph_is(text_graph *g, const char *type, const char *expected)
{
    og_buf out = text_graph_export(g, type);
    assert_str_is(og_buf_view(&out), expected);
    og_buf_deinit(&out);
}

void text_graph_refuses(text_graph *g, og_load_mode_kind mode, const char *text,
                        const char *message, uint32_t line)
{
    og_buf before = text_graph_export(g, NULL);
    og_error error = {0};
    og_status s = text_graph_try(g, mode, false, og_str_of(text), NULL, &error);
    assert_status(s, OG_INVALID);
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, error.message);
    assert_int_equal(error.line, line);
    og_buf after = text_graph_export(g, NULL);
    assert_true(og_str_eq(og_buf_view(&before), og_buf_view(&after)));
    og_buf_deinit(&before);
    og_buf_deinit(&after);
}
