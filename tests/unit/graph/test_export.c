#include "load_text.h"
#include "og_test.h"

static const char schema[] = "node Beta {\n  k: String @key\n  n: I32?\n}\n"
                             "node Alpha {\n  k: String @key\n  body: Blob?\n}\n"
                             "edge Zed: Alpha -> Beta\n"
                             "edge Act: Beta -> Beta {\n  w: F64?\n}\n";

#define ALL                                                                                        \
    "{\"edge\":\"Act\",\"from\":\"b\",\"to\":\"B\",\"data\":{\"id\":\"9\",\"w\":1.0}}\n"           \
    "{\"edge\":\"Zed\",\"from\":\"x\",\"to\":\"b\",\"data\":{\"id\":\"1\"}}\n"                     \
    "{\"type\":\"Alpha\",\"data\":{\"id\":\"x\",\"body\":null,\"k\":\"x\"}}\n"                     \
    "{\"type\":\"Beta\",\"data\":{\"id\":\"B\",\"k\":\"B\",\"n\":2}}\n"                            \
    "{\"type\":\"Beta\",\"data\":{\"id\":\"a\",\"k\":\"a\",\"n\":null}}\n"                         \
    "{\"type\":\"Beta\",\"data\":{\"id\":\"b\",\"k\":\"b\",\"n\":1}}\n"                            \
    "{\"type\":\"Beta\",\"data\":{\"id\":\"\xc3\xa9\",\"k\":\"\xc3\xa9\",\"n\":null}}\n"

static og_status collect(void *context, og_bytes bytes, og_error *err)
{
    return og_buf_append(context, bytes.ptr, bytes.len) ? OG_OK : og_error_nomem(err);
}

static og_status export_some(text_graph *g, const char *type, const char *table, og_buf *out,
                             og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    const og_str type_name = og_str_of(type), table_key = og_str_of(table);
    const og_export_input input = {.type_names = &type_name,
                                   .type_count = type != NULL,
                                   .table_keys = &table_key,
                                   .table_count = table != NULL,
                                   .write = collect,
                                   .write_context = out};
    OG_TRY(og_repo_snapshot(g->repo, "main", &snapshot, err));
    return og_export_run(snapshot, &input, err);
}

TEST(test_export__tables_by_key_rows_by_id)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_is(&g, NULL, "");
    text_graph_load(
        &g, OG_LOAD_OVERWRITE,
        "{\"type\":\"Beta\",\"data\":{\"k\":\"\xc3\xa9\"}}"
        "{\"type\":\"Beta\",\"data\":{\"k\":\"b\",\"n\":1}}"
        "{\"type\":\"Beta\",\"data\":{\"k\":\"B\",\"n\":2}}"
        "{\"type\":\"Beta\",\"data\":{\"k\":\"a\"}}{\"type\":\"Alpha\",\"data\":{\"k\":\"x\"}}"
        "{\"edge\":\"Zed\",\"from\":\"x\",\"to\":\"b\",\"data\":{\"id\":\"1\"}}"
        "{\"edge\":\"Act\",\"from\":\"b\",\"to\":\"B\",\"data\":{\"id\":\"9\",\"w\":1}}");
    text_graph_is(&g, NULL, ALL);
    text_graph_load(&g, OG_LOAD_OVERWRITE, ALL);
    text_graph_is(&g, NULL, ALL);
    text_graph_deinit(&g);
}

TEST(test_export__selects_types_and_tables)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, ALL);
    OG_AUTO_BUF out = OG_BUF_INIT;
    assert_ok(export_some(&g, "Alpha", "edge:Zed", &out, err));
    assert_str_is(og_buf_view(&out),
                  "{\"edge\":\"Zed\",\"from\":\"x\",\"to\":\"b\",\"data\":{\"id\":\"1\"}}\n"
                  "{\"type\":\"Alpha\",\"data\":{\"id\":\"x\",\"body\":null,\"k\":\"x\"}}\n");
    og_error error;
    assert_status(export_some(&g, "Alpa", NULL, &out, &error), OG_INVALID);
    assert_string_equal(error.message, "unknown export type 'Alpa'");
    assert_string_equal(error.hint, "Did you mean 'Alpha'?");
    assert_status(export_some(&g, NULL, "edge:Alpha", &out, &error), OG_INVALID);
    assert_string_equal(error.message, "unknown export table 'edge:Alpha'");
    assert_string_equal(error.hint, "Did you mean 'node:Alpha'?");
    assert_status(export_some(&g, NULL, "Zed", &out, &error), OG_INVALID);
    assert_string_equal(error.hint, "Did you mean 'edge:Zed'?");
    text_graph_deinit(&g);
}

/* Ids in random order over several chunks and threads, payloads beside them. */
TEST(test_export__many_rows_in_order)
{
    text_graph g;
    OG_AUTO_BUF text = OG_BUF_INIT;
    uint64_t seed = 7;
    text_graph_init(&g, schema);
    for (int i = 0; i < 30000; i++)
        og_buf_printf(&text, "{\"type\":\"Beta\",\"data\":{\"k\":\"%016llx\",\"n\":%d}}\n",
                      (unsigned long long)og_test_random(&seed), i);
    for (int i = 0; i < 100; i++)
        og_buf_printf(
            &text, "{\"type\":\"Alpha\",\"data\":{\"k\":\"%016llx\",\"body\":\"base64:aGk=\"}}\n",
            (unsigned long long)og_test_random(&seed));
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_buf_view(&text), NULL, err));
    og_buf first = text_graph_export(&g, NULL);
    const char *last = NULL;
    size_t rows = 0;
    for (const char *p = og_buf_cstr(&first); (p = strstr(p, "Beta\",\"data\":{\"id\":\"")) != NULL;
         p += 20, rows++) {
        assert_true(last == NULL || memcmp(last, p, 38) < 0);
        last = p;
    }
    assert_int_equal(rows, 30000);
    /* In order already: the same once more. */
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_buf_view(&first), NULL, err));
    og_buf second = text_graph_export(&g, NULL);
    assert_true(og_str_eq(og_buf_view(&first), og_buf_view(&second)));
    og_buf_deinit(&first);
    og_buf_deinit(&second);
    text_graph_deinit(&g);
}

/* No text that load would read: the number itself, also as a key, whose text is the id. */
TEST(test_export__instants_beyond_calendars_load_again)
{
    text_graph g;
    text_graph_init(&g, "node At {\n  t: DateTime @key\n  d: Date?\n}\nedge Next: At -> At");
    text_graph_load(&g, OG_LOAD_OVERWRITE,
                    "{\"type\":\"At\",\"data\":{\"t\":9223372036854775807,\"d\":2147483647}}"
                    "{\"type\":\"At\",\"data\":{\"t\":-8334601228800000,\"d\":-2147483648}}"
                    "{\"edge\":\"Next\",\"from\":\"+292278994-08-17T07:12:55.807Z\","
                    "\"to\":\"-262143-01-01T00:00:00.000Z\",\"data\":{\"id\":\"n\"}}");
    og_buf text = text_graph_export(&g, NULL);
    assert_non_null(strstr(og_buf_cstr(&text), "\"t\":9223372036854775807"));
    assert_non_null(strstr(og_buf_cstr(&text), "\"t\":\"-262143-01-01T00:00:00\""));
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_buf_view(&text), NULL, err));
    text_graph_is(&g, NULL, og_buf_cstr(&text));
    og_buf_deinit(&text);
    text_graph_deinit(&g);
}

/* An F32 is written with the digits of a double; its id names it in fewer, or as the reference left
 * it. */
TEST(test_export__keys_of_single_precision_load_again)
{
    text_graph g;
    text_graph_init(&g, "node At {\n  f: F32 @key\n}\nedge Next: At -> At");
    text_graph_load(&g, OG_LOAD_OVERWRITE,
                    "{\"type\":\"At\",\"data\":{\"f\":0.1}}{\"type\":\"At\",\"data\":{\"f\":1e-45}}"
                    "{\"type\":\"At\",\"data\":{\"f\":5,\"id\":\"5.0\"}}"
                    "{\"edge\":\"Next\",\"from\":\"0.1\",\"to\":\"5.0\",\"data\":{\"id\":\"n\"}}");
    og_buf text = text_graph_export(&g, NULL);
    assert_non_null(strstr(og_buf_cstr(&text), "{\"id\":\"0.1\",\"f\":0.10000000149011612}"));
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_buf_view(&text), NULL, err));
    text_graph_is(&g, NULL, og_buf_cstr(&text));
    /* Another spelling of the number is the same key. */
    text_graph_load(&g, OG_LOAD_MERGE, "{\"type\":\"At\",\"data\":{\"f\":0.1000000001}}");
    text_graph_is(&g, NULL, og_buf_cstr(&text));
    og_buf_deinit(&text);
    text_graph_deinit(&g);
}

static og_status refuse_bytes(void *context, og_bytes bytes, og_error *err)
{
    (void)context, (void)bytes;
    return og_error_set(err, OG_IO, "the pipe is closed");
}

TEST(test_export__passes_on_what_the_writer_says)
{
    text_graph g;
    og_error error;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, ALL);
    OG_AUTO(og_snapshot) snapshot = NULL;
    const og_export_input input = {.write = refuse_bytes};
    assert_ok(og_repo_snapshot(g.repo, NULL, &snapshot, err));
    assert_status(og_export_run(snapshot, &input, &error), OG_IO);
    assert_string_equal(error.message, "the pipe is closed");
    snapshot = (og_snapshot_unref(snapshot), NULL);
    text_graph_deinit(&g);
}

TEST(test_export__failing_allocations)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, ALL);
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(g.repo, NULL, &snapshot, err));
    for (int64_t at = 0;; at++) {
        og_buf out = OG_BUF_INIT;
        const og_export_input input = {.write = collect, .write_context = &out};
        og_alloc_fail_after(at, true);
        og_status s = og_export_run(snapshot, &input, NULL);
        og_alloc_fail_after(-1, false);
        bool done = s == OG_OK;
        if (done)
            assert_str_is(og_buf_view(&out), ALL);
        else
            assert_status(s, OG_NOMEM);
        og_buf_deinit(&out);
        if (done)
            break;
    }
    snapshot = (og_snapshot_unref(snapshot), NULL);
    text_graph_deinit(&g);
}
