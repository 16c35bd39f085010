#include "fixture.h"

#include "columnar/arrow_export.h"

static const char schema[] = "node P { name: String @key age: I32? at: DateTime? v: Vector(2)? }\n"
                             "edge K: P -> P\n";
static const char records[] =
    "{\"type\": \"P\", \"data\": {\"name\": \"ana\", \"age\": 31, \"v\": [1, 2]}}\n"
    "{\"type\": \"P\", \"data\": {\"name\": \"bo\", \"at\": \"1970-01-01T00:00:01Z\"}}\n"
    "{\"edge\": \"K\", \"from\": \"ana\", \"to\": \"bo\"}\n";

static og_text text(const char *t)
{
    return (og_text){t, strlen(t)};
}

TEST(test_query__values_by_kind)
{
    fixture f;
    fixture_init(&f, schema, records);
    running r = fixture_run(
        &f,
        "query q() { match { $p: P } return { $p.name, $p.age, $p.at, $p.v } order { $p.name } }",
        NULL);
    bool has_row;
    og_value v;
    og_error err;
    assert_status(og_cursor_value(r.cursor, 0, &v, &err), OG_INVALID);
    assert_ok(og_cursor_next(r.cursor, &has_row, err));
    assert_ok(og_cursor_value(r.cursor, 0, &v, err));
    assert_int_equal(v.kind, OG_VALUE_TEXT);
    assert_str_is(((og_str){v.text.ptr, v.text.len}), "ana");
    assert_ok(og_cursor_value(r.cursor, 1, &v, err));
    assert_int_equal(v.kind, OG_VALUE_I64);
    assert_int_equal(v.as.i64, 31);
    assert_ok(og_cursor_value(r.cursor, 3, &v, err));
    assert_int_equal(v.kind, OG_VALUE_VECTOR);
    assert_int_equal(v.float_count, 2);
    assert_true(v.floats[1] == 2.0f);
    assert_str_is(((og_str){v.text.ptr, v.text.len}), "[1.0,2.0]");
    assert_ok(og_cursor_next(r.cursor, &has_row, err));
    assert_ok(og_cursor_value(r.cursor, 1, &v, err));
    assert_int_equal(v.kind, OG_VALUE_NULL);
    assert_ok(og_cursor_value(r.cursor, 2, &v, err));
    assert_int_equal(v.kind, OG_VALUE_DATETIME);
    assert_int_equal(v.as.i64, 1000);
    assert_ok(og_cursor_next(r.cursor, &has_row, err));
    assert_false(has_row);
    fixture_end(&r);
    fixture_deinit(&f);
}

TEST(test_query__parameters)
{
    fixture f;
    fixture_init(&f, schema, records);
    og_query *q;
    og_params *p;
    og_cursor *c;
    og_error err;
    bool has_row;
    assert_ok(og_query_prepare(f.graph,
                               text("query q($n: String, $a: I32?) { match { $p: P { name: $n } } "
                                    "return { $p.name, $a } }"),
                               NULL, &q, err));
    assert_int_equal(og_query_param_count(q), 2);
    assert_string_equal(og_query_param_name(q, 1), "a");
    assert_string_equal(og_query_param_type(q, 1), "I32");
    assert_true(og_query_param_is_optional(q, 1) && !og_query_param_is_optional(q, 0));
    assert_null(og_query_param_name(q, 2));
    assert_status(og_query_run(f.session, q, NULL, &c, &err), OG_INVALID);
    assert_ok(og_params_new(q, &p, err));
    assert_status(og_params_set_i64(p, "none", 1, &err), OG_INVALID);
    assert_ok(og_params_set_text(p, "n", text("bo"), err));
    assert_ok(og_params_set_i64(p, "a", 7, err));
    assert_ok(og_query_run(f.session, q, p, &c, err));
    assert_ok(og_cursor_next(c, &has_row, err));
    assert_true(has_row);
    og_cursor_close(c);
    assert_ok(og_params_set_i64(p, "a", INT64_C(1) << 40, err));
    assert_status(og_query_run(f.session, q, p, &c, &err), OG_INVALID);
    assert_status(og_params_set_json(p, text("[]"), &err), OG_INVALID);
    assert_status(og_params_set_text(p, "n", text("\xff"), &err), OG_INVALID);
    og_params_free(p);
    og_query_free(q);
    fixture_deinit(&f);
}

TEST(test_query__reads_and_mutations_are_told_apart)
{
    fixture f;
    fixture_init(&f, schema, records);
    og_query *q;
    og_cursor *c;
    og_write_result done;
    og_error err;
    assert_ok(
        og_query_prepare(f.graph, text("query q() { insert P { name: \"cy\" } }"), NULL, &q, err));
    assert_status(og_query_run(f.session, q, NULL, &c, &err), OG_INVALID);
    assert_ok(og_mutate(f.session, q, NULL, &done, err));
    assert_true(done.committed && done.node_rows == 1 && strlen(done.commit_id) == 26);
    og_query_free(q);
    assert_ok(og_query_prepare(f.graph, text("query q() { match { $p: P } return { $p } }"), NULL,
                               &q, err));
    assert_status(og_mutate(f.session, q, NULL, &done, &err), OG_INVALID);
    og_query_free(q);
    fixture_deinit(&f);
}

TEST(test_query__a_cursor_keeps_its_snapshot)
{
    fixture f;
    fixture_init(&f, schema, records);
    running r = fixture_run(&f, "query q() { match { $p: P } return { $p.name } }", NULL);
    og_write_result done;
    assert_ok(fixture_load(&f, "{\"type\": \"P\", \"data\": {\"name\": \"zed\"}}", OG_MODE_APPEND,
                           &done, err));
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_format_options options = OG_FORMAT_OPTIONS_INIT;
    options.format = OG_FORMAT_CSV;
    assert_ok(og_cursor_write(r.cursor, &options, sink_to_buf, &out, err));
    assert_string_equal(og_buf_cstr(&out), "p.name\nana\nbo\n");
    fixture_end(&r);
    fixture_deinit(&f);
}

TEST(test_query__cancel_and_memory_limit)
{
    fixture f;
    fixture_init(&f, schema, records);
    running r = fixture_run(&f, "query q() { match { $p: P } return { $p.name } }", NULL);
    bool has_row;
    og_error err;
    og_session_cancel(f.session);
    assert_status(og_cursor_next(r.cursor, &has_row, &err), OG_CANCELLED);
    fixture_end(&r);

    og_session_options small = OG_SESSION_OPTIONS_INIT;
    small.memory_bytes = 8;
    fixture_session(&f, &small);
    r = fixture_run(&f, "query q() { match { $p: P } return { $p.name } }", NULL);
    OG_AUTO_BUF out = OG_BUF_INIT;
    assert_status(og_cursor_write(r.cursor, NULL, sink_to_buf, &out, &err), OG_NOMEM);
    assert_non_null(strstr(err.message, "memory limit"));
    fixture_end(&r);
    fixture_deinit(&f);
}

TEST(test_query__arrow_stream)
{
    fixture f;
    fixture_init(&f, schema, records);
    running r = fixture_run(
        &f, "query q() { match { $p: P } return { $p.name as n, $p.age as a } order { n } }", NULL);
    struct ArrowArrayStream stream;
    struct ArrowSchema columns;
    struct ArrowArray batch;
    assert_ok(og_cursor_to_arrow(r.cursor, &stream, err));
    r.cursor = NULL; /* the stream's now */
    assert_int_equal(stream.get_schema(&stream, &columns), 0);
    assert_int_equal(columns.n_children, 2);
    assert_string_equal(columns.children[1]->name, "a");
    assert_string_equal(columns.children[1]->format, "i");
    columns.release(&columns);
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    assert_int_equal(batch.length, 2);
    assert_int_equal(((const int32_t *)batch.children[1]->buffers[1])[0], 31);
    assert_int_equal(batch.children[1]->null_count, 1);
    batch.release(&batch);
    assert_int_equal(stream.get_next(&stream, &batch), 0);
    assert_null(batch.release);
    assert_null(stream.get_last_error(&stream));
    stream.release(&stream);
    fixture_end(&r);
    fixture_deinit(&f);
}

TEST(test_query__explain)
{
    fixture f;
    fixture_init(&f, schema, records);
    og_query *q;
    OG_AUTO_BUF out = OG_BUF_INIT;
    assert_ok(og_query_prepare(
        f.graph, text("query q() { match { $p: P { name: \"ana\" } $p k $f } return { $f.name } }"),
        NULL, &q, err));
    assert_ok(og_query_explain(f.session, q, NULL, false, false, sink_to_buf, &out, err));
    assert_non_null(strstr(og_buf_cstr(&out), "Expand"));
    og_buf_clear(&out);
    assert_ok(og_query_explain(f.session, q, NULL, true, true, sink_to_buf, &out, err));
    assert_non_null(strstr(og_buf_cstr(&out), "\"rows\":1"));
    og_query_free(q);
    fixture_deinit(&f);
}

static void keep_error(void *context, const og_error *error)
{
    *(og_error *)context = *error;
}

TEST(test_query__lint_needs_a_schema_or_a_graph)
{
    fixture f;
    fixture_init(&f, schema, records);
    OG_AUTO_BUF out = OG_BUF_INIT;
    bool failed = false;
    og_error err;
    const og_text bad = text("query q() { match { $p: Q } return { $p } }");
    og_lint_options options = OG_LINT_OPTIONS_INIT;
    options.query_path = "q.gq";
    assert_status(og_lint_queries(bad, &options, sink_to_buf, &out, &failed, &err), OG_INVALID);
    og_error told = {0};
    options.graph = f.graph;
    options.json = true;
    options.take_error = keep_error;
    options.take_context = &told;
    assert_ok(og_lint_queries(bad, &options, sink_to_buf, &out, &failed, err));
    assert_true(failed);
    assert_non_null(strstr(og_buf_cstr(&out), "\"kind\": \"graph\""));
    assert_int_equal(told.line, 1);
    assert_int_equal(told.column, 25);
    og_buf_clear(&out);
    options.schema = text("node Q { a: String }");
    options.schema_path = "s.pg";
    assert_ok(og_lint_queries(bad, &options, sink_to_buf, &out, &failed, err));
    assert_false(failed);
    fixture_deinit(&f);
}

TEST(test_query__snapshot)
{
    fixture f;
    fixture_init(&f, schema, records);
    OG_AUTO_BUF out = OG_BUF_INIT;
    assert_ok(og_snapshot_print(f.session, false, sink_to_buf, &out, err));
    assert_string_equal(og_buf_cstr(&out), "branch: main\nmanifest_version: 2\n"
                                           "edge:K v2 branch=main rows=1\n"
                                           "node:P v2 branch=main rows=2\n");
    og_buf_clear(&out);
    assert_ok(og_snapshot_print(f.session, true, sink_to_buf, &out, err));
    assert_non_null(strstr(og_buf_cstr(&out), "\"table_branch\": null,\n      \"row_count\": 2\n"));
    fixture_deinit(&f);
}
