#include "graph/rowset.h"
#include "load_text.h"
#include "og_test.h"

static const char schema[] =
    "node Person {\n  name: String @key\n  age: I32?\n  rank: I32? @default(7)\n}\n"
    "node Note {\n  text: String?\n}\n"
    "node Item {\n  num: U64 @key\n}\n"
    "edge Knows: Person -> Person {\n  since: Date?\n}\n"
    "edge About: Note -> Person\n";

#define PERSON(name) "{\"type\":\"Person\",\"data\":{\"name\":\"" name "\"}}\n"
#define KNOWS(id, from, to)                                                                        \
    "{\"edge\":\"Knows\",\"from\":\"" from "\",\"to\":\"" to "\",\"data\":{\"id\":\"" id "\"}}\n"

static uint64_t count_lines(og_str text)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.ptr[i] == '\n';
    return lines;
}

/* ---- records ------------------------------------------------------------------------------ */

TEST(test_load__reads_values_however_they_are_spaced)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE,
                    "\xef\xbb\xbf{\"type\":\r\n\"Person\",\"data\":{\"name\":\"a\",\n\"age\":1}}"
                    "{\"type\":\"Person\",\"data\":{\"name\":\"b\"}} \t\r\n\n"
                    "{\"edge\":\"KNOWS\",\"from\":\"a\",\"to\":\"b\",\"data\":{\"id\":\"k\"}}");
    text_graph_is(
        &g, "Person",
        "{\"type\":\"Person\",\"data\":{\"id\":\"a\",\"age\":1,\"name\":\"a\",\"rank\":7}}\n"
        "{\"type\":\"Person\",\"data\":{\"id\":\"b\",\"age\":null,\"name\":\"b\",\"rank\":7}}\n");
    text_graph_is(&g, "Knows",
                  "{\"edge\":\"Knows\",\"from\":\"a\",\"to\":\"b\",\"data\":{\"id\":\"k\","
                  "\"since\":null}}\n");
    text_graph_deinit(&g);
}

TEST(test_load__takes_the_last_of_equal_members_and_ignores_others)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE,
                    "{\"type\":\"Item\",\"type\":\"Person\",\"more\":[1],\"data\":{\"name\":\"x\"},"
                    "\"data\":{\"age\":1,\"name\":\"y\",\"age\":2,\"name\":\"z\",\"rank\":null}}");
    text_graph_is(
        &g, "Person",
        "{\"type\":\"Person\",\"data\":{\"id\":\"z\",\"age\":2,\"name\":\"z\",\"rank\":null}}\n");
    text_graph_deinit(&g);
}

TEST(test_load__ids_come_from_key_or_record_or_are_made)
{
    text_graph g;
    text_graph_init(&g, schema);
    og_load_output out;
    const char *text = "{\"type\":\"Note\",\"data\":{\"id\":\"n\",\"text\":\"t\"}}"
                       "{\"type\":\"Note\"}{\"type\":\"Note\",\"data\":null}"
                       "{\"type\":\"Item\",\"data\":{\"num\":18446744073709551615}}"
                       "{\"type\":\"Item\",\"data\":{\"id\":\"3\",\"num\":3.0}}";
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_str_of(text), &out, err));
    assert_int_equal(out.node_rows, 5);
    assert_int_equal(out.edge_rows, 0);
    assert_int_equal(out.count_len, 2);
    assert_str_is(out.counts[0].def->name, "Item");
    assert_int_equal(out.counts[1].rows, 3);
    og_load_output_deinit(&out);
    text_graph_is(&g, "Item",
                  "{\"type\":\"Item\",\"data\":{\"id\":\"18446744073709551615\",\"num\":"
                  "18446744073709551615}}\n"
                  "{\"type\":\"Item\",\"data\":{\"id\":\"3\",\"num\":3}}\n");
    og_buf notes = text_graph_export(&g, "Note");
    assert_int_equal(count_lines(og_buf_view(&notes)), 3);
    og_buf_deinit(&notes);
    text_graph_deinit(&g);
}

TEST(test_load__refuses_records_it_does_not_know)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("a"));
    static const struct {
        const char *text, *message;
        uint32_t line;
    } cases[] = {
        {PERSON("b") "\n{\"type\":\"Persn\"}", "record 2: unknown node type 'Persn'", 3},
        {"{\"edge\":\"Nows\",\"from\":\"a\",\"to\":\"a\"}", "record 1: unknown edge type 'Nows'",
         1},
        {"{\"type\":1}", "record 1: expected 'type' or 'edge' field", 1},
        {"[]", "record 1: expected 'type' or 'edge' field", 1},
        {"{\"edge\":\"Knows\",\"to\":\"a\"}", "record 1: edge missing 'from'", 1},
        {"{\"edge\":\"Knows\",\"from\":\"a\",\"to\":1}", "record 1: edge missing 'to'", 1},
        {"{\"type\":\"Person\",\"data\":{\"nam\":1}}", "unknown property 'nam' on node Person", 1},
        {"{\"type\":\"Person\",\"data\":[]}", "'data' of a record must be an object", 1},
        {"{\"type\":\"Person\"}", "node Person missing @key property 'name'", 1},
        {"{\"type\":\"Person\",\"data\":{\"name\":null}}", "missing @key property 'name'", 1},
        {"{\"type\":\"Person\",\"data\":{\"id\":\"x\",\"name\":\"b\"}}",
         "node Person has explicit id 'x' that does not match @key property 'name' value 'b'", 1},
        {"{\"type\":\"Note\",\"data\":{\"id\":5}}", "'id' must be a text", 1},
        {PERSON("b") "\n{\"type\":", "invalid JSON at record 2: expected a value", 3},
        {"{\"type\":\"Person\",\"data\":{\"name\":\"\xff\"}}", "invalid JSON at record 1", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        text_graph_refuses(&g, OG_LOAD_APPEND, cases[i].text, cases[i].message, cases[i].line);
    text_graph_deinit(&g);
}

TEST(test_load__hints_at_the_nearest_name)
{
    text_graph g;
    text_graph_init(&g, schema);
    og_error error = {0};
    og_str text = OG_STR("{\"type\":\"Persn\"}");
    assert_status(text_graph_try(&g, OG_LOAD_APPEND, false, text, NULL, &error), OG_INVALID);
    assert_string_equal(error.hint, "Did you mean 'Person'?");
    text = OG_STR("{\"type\":\"Person\",\"data\":{\"nme\":1}}");
    assert_status(text_graph_try(&g, OG_LOAD_APPEND, false, text, NULL, &error), OG_INVALID);
    assert_string_equal(error.hint, "Did you mean 'name'?");
    text_graph_deinit(&g);
}

/* ---- chunks ------------------------------------------------------------------------------- */

static void append_persons(og_buf *out, uint32_t first, uint32_t count)
{
    for (uint32_t i = first; i < first + count; i++)
        og_buf_printf(out, "{\"type\":\"Person\",\"data\":{\"name\":\"p%06u\",\"age\":%u}}\n", i,
                      i);
}

/* Rows around the size of a chunk, each found again; then replaced and added to. */
TEST(test_load__chunks_of_every_size)
{
    static const uint32_t counts[] = {1, OG_BATCH_ROWS - 1, OG_BATCH_ROWS, OG_BATCH_ROWS + 1,
                                      3 * OG_BATCH_ROWS + 5};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        text_graph g;
        og_buf text = OG_BUF_INIT, merged = OG_BUF_INIT;
        text_graph_init(&g, schema);
        append_persons(&text, 0, counts[i]);
        assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_buf_view(&text), NULL, err));
        append_persons(&merged, counts[i] / 2, counts[i]);
        assert_ok(text_graph_try(&g, OG_LOAD_MERGE, false, og_buf_view(&merged), NULL, err));
        text_graph_reopen(&g, OG_STORE_PASS);
        og_buf out = text_graph_export(&g, "Person");
        assert_int_equal(count_lines(og_buf_view(&out)), counts[i] / 2 + counts[i]);
        og_buf_deinit(&out);
        og_buf_deinit(&text);
        og_buf_deinit(&merged);
        text_graph_deinit(&g);
    }
}

static size_t count_derived(og_store *store, const char *folder)
{
    og_listing listing;
    assert_ok(store->ops->list(store, folder, true, NULL, 0, &listing, err));
    size_t count = listing.len;
    og_listing_deinit(&listing);
    return count;
}

/* What the first point read and the first hop ask for is there after a load that is worth it. */
TEST(test_load__saves_what_reads_will_ask_for)
{
    text_graph g;
    og_buf text = OG_BUF_INIT;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("a"));
    assert_int_equal(count_derived(g.memory, "_omnigraph/directory/"), 0);
    append_persons(&text, 0, 60000);
    for (int i = 0; i < 60000; i++)
        og_buf_printf(&text, "{\"edge\":\"Knows\",\"from\":\"p%06d\",\"to\":\"p%06d\"}\n", i,
                      i * 7 % 60000);
    g.clock.step_us = 2000; /* whatever is made takes that long */
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_buf_view(&text), NULL, err));
    assert_int_equal(count_derived(g.memory, "_omnigraph/directory/"), 1);
    assert_int_equal(count_derived(g.memory, "_omnigraph/topology/"), 1);
    og_buf_deinit(&text);
    text_graph_deinit(&g);
}

/* Kept and new rows in turn, over several chunks: kept ones keep their place by id. */
TEST(test_load__merge_mixes_old_and_new_rows)
{
    text_graph g;
    og_buf text = OG_BUF_INIT;
    text_graph_init(&g, schema);
    for (uint32_t i = 0; i < 20000; i += 2)
        append_persons(&text, i, 1);
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_buf_view(&text), NULL, err));
    og_buf_clear(&text);
    append_persons(&text, 0, 20000);
    assert_ok(text_graph_try(&g, OG_LOAD_MERGE, false, og_buf_view(&text), NULL, err));
    og_buf merged = text_graph_export(&g, NULL);
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, og_buf_view(&text), NULL, err));
    og_buf fresh = text_graph_export(&g, NULL);
    assert_true(og_str_eq(og_buf_view(&merged), og_buf_view(&fresh)));
    og_buf_deinit(&merged);
    og_buf_deinit(&fresh);
    og_buf_deinit(&text);
    text_graph_deinit(&g);
}

/* ---- modes -------------------------------------------------------------------------------- */

TEST(test_load__overwrite_replaces_only_types_that_occur)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("a") "{\"type\":\"Item\",\"data\":{\"num\":1}}");
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("b"));
    text_graph_is(
        &g, NULL,
        "{\"type\":\"Item\",\"data\":{\"id\":\"1\",\"num\":1}}\n"
        "{\"type\":\"Person\",\"data\":{\"id\":\"b\",\"age\":null,\"name\":\"b\",\"rank\":7}}\n");
    text_graph_deinit(&g);
}

TEST(test_load__append_refuses_stored_ids)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("a") KNOWS("k", "a", "a"));
    text_graph_load(&g, OG_LOAD_APPEND, PERSON("b") KNOWS("l", "a", "b"));
    text_graph_refuses(&g, OG_LOAD_APPEND, PERSON("c") PERSON("a"), "id 'a' is stored already", 2);
    text_graph_refuses(&g, OG_LOAD_APPEND, KNOWS("k", "a", "b"), "id 'k' is stored already", 1);
    text_graph_deinit(&g);
}

TEST(test_load__merge_replaces_whole_rows)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE,
                    "{\"type\":\"Person\",\"data\":{\"name\":\"a\",\"age\":3,\"rank\":1}}" PERSON(
                        "b") KNOWS("k", "a", "b"));
    text_graph_load(&g, OG_LOAD_MERGE, PERSON("c") PERSON("a") KNOWS("k", "c", "a"));
    text_graph_is(
        &g, NULL,
        "{\"edge\":\"Knows\",\"from\":\"c\",\"to\":\"a\",\"data\":{\"id\":\"k\",\"since\":null}}\n"
        "{\"type\":\"Person\",\"data\":{\"id\":\"a\",\"age\":null,\"name\":\"a\",\"rank\":7}}\n"
        "{\"type\":\"Person\",\"data\":{\"id\":\"b\",\"age\":null,\"name\":\"b\",\"rank\":7}}\n"
        "{\"type\":\"Person\",\"data\":{\"id\":\"c\",\"age\":null,\"name\":\"c\",\"rank\":7}}\n");
    text_graph_deinit(&g);
}

/* A replaced node keeps its row id, so what leads to it stays right. */
TEST(test_load__merge_keeps_row_ids)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("a") PERSON("b") PERSON("c"));
    text_graph_load(&g, OG_LOAD_MERGE, PERSON("z") PERSON("b"));
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_directory) directory = NULL;
    og_lance_table *table;
    assert_ok(og_repo_snapshot(g.repo, NULL, &snapshot, err));
    const og_type_def *def = og_catalog_node(og_repo_catalog(g.repo), OG_STR("Person"));
    assert_ok(og_snapshot_table(snapshot, def, &table, err));
    assert_ok(og_snapshot_directory(snapshot, def, &directory, NULL, err));
    const og_str ids[] = {OG_STR("b"), OG_STR("z")};
    uint32_t vertices[2];
    assert_ok(og_directory_find(directory, table, ids, 2, vertices, err));
    assert_int_equal(vertices[0], 1);
    assert_int_equal(vertices[1], 3);
    snapshot = (og_snapshot_unref(snapshot), NULL);
    text_graph_deinit(&g);
}

/* Rows p0, p1, ...: so many. */
static void directory_knows(text_graph *g, uint32_t count)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_directory) directory = NULL;
    og_lance_table *table;
    assert_ok(og_repo_snapshot(g->repo, NULL, &snapshot, err));
    const og_type_def *def = og_catalog_node(og_repo_catalog(g->repo), OG_STR("Person"));
    assert_ok(og_snapshot_table(snapshot, def, &table, err));
    assert_ok(og_snapshot_directory(snapshot, def, &directory, NULL, err));
    for (uint32_t i = 0; i <= count; i++) {
        char text[16];
        snprintf(text, sizeof text, "p%u", i);
        const og_str id = og_str_of(text);
        uint32_t vertex;
        assert_ok(og_directory_find(directory, table, &id, 1, &vertex, err));
        assert_int_equal(vertex, i == count ? OG_NO_VERTEX : i);
    }
}

/* What each commit adds lies above what the ones before added:
 * whatever was joined, all is found. */
TEST(test_load__rows_of_many_commits_are_in_the_directory)
{
    text_graph g;
    text_graph_init(&g, schema);
    for (uint32_t i = 0; i < 200; i++) {
        char row[64];
        snprintf(row, sizeof row, "{\"type\":\"Person\",\"data\":{\"name\":\"p%u\"}}", i);
        text_graph_load(&g, OG_LOAD_APPEND, row);
        if (i < 100 || i % 10 == 0)
            directory_knows(&g, i + 1);
    }
    text_graph_refuses(&g, OG_LOAD_APPEND, PERSON("p7"), "id 'p7' is stored already", 1);
    text_graph_refuses(&g, OG_LOAD_APPEND, PERSON("p199"), "id 'p199' is stored already", 1);
    text_graph_deinit(&g);
}

TEST(test_load__one_key_twice_is_an_error_in_every_mode)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("a"));
    for (int mode = OG_LOAD_OVERWRITE; mode <= OG_LOAD_MERGE; mode++) {
        text_graph_refuses(&g, (og_load_mode_kind)mode, PERSON("x") PERSON("a") PERSON("x"),
                           "@unique violation on Person.name: value 'x' appears in rows 1 and 3",
                           3);
        text_graph_refuses(&g, (og_load_mode_kind)mode,
                           PERSON("a") KNOWS("k", "a", "a") KNOWS("k", "a", "a"),
                           "duplicate id 'k' in Knows: rows 1 and 2", 3);
    }
    text_graph_deinit(&g);
}

TEST(test_load__nothing_is_a_commit_too)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("a"));
    og_buf before = text_graph_export(&g, NULL);
    og_load_output first, second;
    assert_ok(text_graph_try(&g, OG_LOAD_OVERWRITE, false, OG_STR(""), &first, err));
    assert_ok(text_graph_try(&g, OG_LOAD_MERGE, false, OG_STR(" \n"), &second, err));
    assert_int_equal(second.commit.manifest_version, first.commit.manifest_version + 1);
    assert_string_not_equal(first.commit.commit_id, second.commit.commit_id);
    assert_int_equal(first.count_len, 0);
    og_load_output_deinit(&first);
    og_load_output_deinit(&second);
    og_buf after = text_graph_export(&g, NULL);
    assert_true(og_str_eq(og_buf_view(&before), og_buf_view(&after)));
    og_buf_deinit(&before);
    og_buf_deinit(&after);
    text_graph_deinit(&g);
}

/* ---- the caller --------------------------------------------------------------------------- */

static int cancel_at_2048(void *context, uint64_t bytes, uint64_t records)
{
    uint64_t *seen = context;
    assert_true(bytes > 0 && records >= *seen);
    *seen = records;
    return records == 2048;
}

static og_status read_once(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    (void)err;
    og_str *left = context;
    *out_len = left->len < cap ? left->len : cap;
    memcpy(dst, left->ptr, *out_len);
    *left = og_str_slice(*left, *out_len, left->len);
    return OG_OK;
}

TEST(test_load__can_be_cancelled)
{
    text_graph g;
    og_buf text = OG_BUF_INIT;
    text_graph_init(&g, schema);
    append_persons(&text, 0, 5000);
    og_str left = og_buf_view(&text);
    uint64_t seen = 0;
    const og_load_input input = {.mode = OG_LOAD_APPEND,
                                 .read = read_once,
                                 .read_context = &left,
                                 .progress = cancel_at_2048,
                                 .progress_context = &seen};
    og_load_output out;
    assert_status(og_load_run(g.repo, &input, &out, NULL), OG_CANCELLED);
    assert_int_equal(seen, 2048);
    text_graph_is(&g, NULL, "");
    og_buf_deinit(&text);
    text_graph_deinit(&g);
}

static og_status read_fails(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    (void)context, (void)dst, (void)cap, (void)out_len;
    return og_error_set(err, OG_IO, "the pipe broke");
}

TEST(test_load__passes_on_what_the_reader_says)
{
    text_graph g;
    og_error error;
    og_load_output out;
    text_graph_init(&g, schema);
    const og_load_input input = {.mode = OG_LOAD_APPEND, .read = read_fails};
    assert_status(og_load_run(g.repo, &input, &out, &error), OG_IO);
    assert_string_equal(error.message, "the pipe broke");
    text_graph_deinit(&g);
}

/* ---- failures ----------------------------------------------------------------------------- */

#define FAULT_BASE                                                                                 \
    PERSON("a")                                                                                    \
    PERSON("b") KNOWS("k", "a", "b") "{\"type\":\"Note\",\"data\":{\"id\":\"n\",\"text\":\"t\"}}"
#define FAULT_NEXT PERSON("c") PERSON("a") KNOWS("l", "c", "b") KNOWS("k", "b", "a")

/* What a merge may leave: the old rows, or, when its outcome could not be told, the new ones. */
static void check_after_failure(text_graph *g, og_status status, og_str old)
{
    og_buf now = text_graph_export(g, NULL);
    bool is_old = og_str_eq(og_buf_view(&now), old);
    if (!is_old && status != OG_UNKNOWN)
        fail_msg("a load that failed with %s changed the graph", og_status_id(status));
    og_buf_deinit(&now);
    text_graph_load(g, OG_LOAD_MERGE, FAULT_NEXT);
    now = text_graph_export(g, NULL);
    assert_false(og_str_eq(og_buf_view(&now), old));
    og_buf_deinit(&now);
}

static void fail_each_call(og_store_fault fault)
{
    for (uint64_t at = 0;; at++) {
        text_graph g;
        text_graph_init(&g, schema);
        text_graph_load(&g, OG_LOAD_OVERWRITE, FAULT_BASE);
        og_buf old = text_graph_export(&g, NULL);
        text_graph_reopen(&g, fault);
        g.plan.at = g.plan.seen + at;
        og_status s = text_graph_try(&g, OG_LOAD_MERGE, false, og_str_of(FAULT_NEXT), NULL, NULL);
        bool past_the_end = g.plan.seen <= g.plan.at;
        text_graph_reopen(&g, OG_STORE_PASS);
        if (s != OG_OK)
            check_after_failure(&g, s, og_buf_view(&old));
        og_buf_deinit(&old);
        text_graph_deinit(&g);
        if (past_the_end) {
            assert_status(s, OG_OK);
            assert_true(at > 10);
            return;
        }
    }
}

TEST(test_load__failing_store_calls_leave_the_graph)
{
    fail_each_call(OG_STORE_FAIL);
}

TEST(test_load__full_disk_leaves_the_graph)
{
    fail_each_call(OG_STORE_FULL);
}

static void fail_each_allocation(bool repeat)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, FAULT_BASE);
    for (int64_t at = 0;; at += 1 + at / 24) {
        og_buf old = text_graph_export(&g, NULL);
        og_alloc_fail_after(at, repeat);
        og_status s = text_graph_try(&g, OG_LOAD_MERGE, false, og_str_of(FAULT_NEXT), NULL, NULL);
        og_alloc_fail_after(-1, false);
        if (s == OG_OK && repeat) {
            og_buf_deinit(&old);
            break;
        }
        if (s != OG_OK && s != OG_UNKNOWN) {
            og_buf now = text_graph_export(&g, NULL);
            assert_true(og_str_eq(og_buf_view(&now), og_buf_view(&old)));
            og_buf_deinit(&now);
        }
        og_buf_deinit(&old);
        if (at > 20000)
            break;
        text_graph_load(&g, OG_LOAD_OVERWRITE, FAULT_BASE);
    }
    text_graph_deinit(&g);
}

TEST(test_load__failing_allocations_leave_the_graph)
{
    fail_each_allocation(true);
}

/* A row of type Person written past every check, as another program may have done. */
static void append_unchecked(text_graph *g, const char *id)
{
    const og_type_def *def = og_catalog_node(og_repo_catalog(g->repo), OG_STR("Person"));
    const og_txn_options options = {.kind = "Load"};
    OG_AUTO(og_txn) txn = NULL;
    OG_AUTO(og_graph__rowset) rows = NULL;
    OG_AUTO_BATCH batch = {0};
    og_lance_write *write;
    og_commit_result commit;
    const og_literal name = {.kind = OG_LIT_STRING, .text = og_str_of(id)};
    og_graph__value values[3] = {0};
    values[def->key_property] = (og_graph__value){.kind = OG_GRAPH__LITERAL, .literal = &name};
    const og_graph__row row = {.id = og_str_of(id), .values = values};
    assert_ok(og_graph__rowset_new(def, NULL, &rows, err));
    assert_ok(og_graph__rowset_append(rows, &row, err));
    assert_ok(og_graph__rowset_finish(rows, &batch, err));
    assert_ok(og_txn_begin(g->repo, &options, &txn, err));
    assert_ok(og_txn_write(txn, def, OG_LANCE_APPEND, &write, err));
    assert_ok(og_lance_write_rows(write, &batch, NULL, err));
    assert_ok(og_txn_commit(txn, &commit, err));
}

/* An id may be stored twice: a merge replaces all its rows by one. */
TEST(test_load__merge_replaces_every_copy_of_an_id)
{
    text_graph g;
    text_graph_init(&g, schema);
    text_graph_load(&g, OG_LOAD_OVERWRITE, PERSON("a") PERSON("b"));
    append_unchecked(&g, "a");
    og_buf out = text_graph_export(&g, "Person");
    assert_int_equal(count_lines(og_buf_view(&out)), 3);
    og_buf_deinit(&out);
    text_graph_load(&g, OG_LOAD_MERGE, PERSON("c") PERSON("a"));
    out = text_graph_export(&g, "Person");
    assert_int_equal(count_lines(og_buf_view(&out)), 3);
    og_buf_deinit(&out);
    text_graph_deinit(&g);
}
