#include "fixture.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct reader {
    og_str left;
} reader;

static og_status read_text(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    (void)err;
    reader *r = context;
    size_t n = r->left.len < cap ? r->left.len : cap;
    memcpy(dst, r->left.ptr, n);
    r->left = og_str_slice(r->left, n, r->left.len);
    *out_len = n;
    return OG_OK;
}

og_status fixture_load(fixture *f, const char *records, og_load_mode mode, og_write_result *out,
                       og_error *err)
{
    reader r = {og_str_of(records)};
    og_load_options options = OG_LOAD_OPTIONS_INIT;
    options.mode = mode;
    return og_load(f->session, &options, read_text, &r, out, err);
}

void fixture_session(fixture *f, const og_session_options *options)
{
    og_session_close(f->session);
    assert_ok(og_session_open(f->graph, options, &f->session, err));
}

void fixture_init(fixture *f, const char *schema, const char *records)
{
    og_write_result loaded;
    *f = (fixture){.folder = "/tmp/og-api-XXXXXX"};
    assert_non_null(mkdtemp(f->folder));
    assert_ok(og_graph_init(f->folder, (og_text){schema, strlen(schema)}, false, err));
    assert_ok(og_graph_open(f->folder, NULL, &f->graph, err));
    assert_ok(og_session_open(f->graph, NULL, &f->session, err));
    assert_ok(fixture_load(f, records, OG_MODE_OVERWRITE, &loaded, err));
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info, (void)kind, (void)at;
    return remove(path);
}

void fixture_deinit(fixture *f)
{
    og_session_close(f->session);
    og_graph_close(f->graph);
    nftw(f->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

running fixture_run(fixture *f, const char *query, const char *params)
{
    running r = {0};
    og_params *values;
    assert_ok(og_query_prepare(f->graph, (og_text){query, strlen(query)}, NULL, &r.query, err));
    assert_ok(og_params_new(r.query, &values, err));
    if (params != NULL)
        assert_ok(og_params_set_json(values, (og_text){params, strlen(params)}, err));
    assert_ok(og_query_run(f->session, r.query, values, &r.cursor, err));
    og_params_free(values);
    return r;
}

void fixture_end(running *r)
{
    og_cursor_close(r->cursor);
    og_query_free(r->query);
}

og_status sink_to_buf(void *context, const uint8_t *bytes, size_t len, og_error *err)
{
    return og_buf_append(context, bytes, len) ? OG_OK : og_error_nomem(err);
}

void fixture_print(fixture *f, const char *query, const char *params,
                   const og_format_options *options, og_buf *out)
{
    running r = fixture_run(f, query, params);
    og_buf_clear(out);
    assert_ok(og_cursor_write(r.cursor, options, sink_to_buf, out, err));
    fixture_end(&r);
}
