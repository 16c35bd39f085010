#include "fixture.h"

static const char schema[] =
    "node T { k: String @key s: String? b: Bool? i: I64? u: U64? f: F32? g: F64? d: Date? "
    "t: DateTime? l: [String]? n: [I32]? v: Vector(2)? x: Blob? }\n"
    "edge E: T -> T\n";

static const char records[] =
    "{\"type\": \"T\", \"data\": {\"k\": \"a\", \"s\": \"x,\\\"y\\\"\\nz\", \"b\": true, "
    "\"i\": -9223372036854775808, \"u\": 18446744073709551615, \"f\": 0.1, \"g\": 1e16, "
    "\"d\": \"2024-02-29\", \"t\": \"1969-12-31T23:59:59.999Z\", \"l\": [\"p\", null], "
    "\"n\": [], \"v\": [0.5, 2], \"x\": \"base64:aGk=\"}}"
    "{\"type\": \"T\", \"data\": {\"k\": \"b\", \"s\": \"\\u00fc\\u20ac\"}}";

static og_format_options format(og_format kind)
{
    og_format_options options = OG_FORMAT_OPTIONS_INIT;
    options.format = kind;
    return options;
}

static void expect(fixture *f, const char *query, og_format_options options, const char *text)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    fixture_print(f, query, NULL, &options, &out);
    assert_string_equal(og_buf_cstr(&out), text);
}

TEST(test_format__every_type_as_json_lines)
{
    fixture f;
    fixture_init(&f, schema, records);
    expect(&f,
           "query q() { match { $t: T } return { $t.k $t.s $t.b $t.i $t.u $t.f $t.g $t.d $t.t "
           "$t.l $t.n $t.v $t.x } order { $t.k } }",
           format(OG_FORMAT_JSONL),
           "{\"kind\":\"metadata\",\"query_name\":\"q\",\"target\":{\"branch\":\"main\","
           "\"snapshot\":null},\"row_count\":2}\n"
           "{\"t.k\":\"a\",\"t.s\":\"x,\\\"y\\\"\\nz\",\"t.b\":true,\"t.i\":-9223372036854775808,"
           "\"t.u\":18446744073709551615,\"t.f\":0.10000000149011612,\"t.g\":1e+16,"
           "\"t.d\":\"2024-02-29\",\"t.t\":\"1969-12-31T23:59:59.999Z\",\"t.l\":[\"p\",null],"
           "\"t.n\":[],\"t.v\":[0.5,2.0],\"t.x\":null}\n"
           "{\"t.k\":\"b\",\"t.s\":\"\xc3\xbc\xe2\x82\xac\",\"t.b\":null,\"t.i\":null,\"t.u\":null,"
           "\"t.f\":null,\"t.g\":null,\"t.d\":null,\"t.t\":null,\"t.l\":null,\"t.n\":null,"
           "\"t.v\":null,\"t.x\":null}\n");
    fixture_deinit(&f);
}

TEST(test_format__json_is_indented_down_to_the_items_of_lists)
{
    fixture f;
    fixture_init(&f, schema, records);
    expect(&f, "query q() { match { $t: T { k: \"a\" } } return { $t.l as l, $t.n as n } }",
           format(OG_FORMAT_JSON),
           "{\n  \"query_name\": \"q\",\n  \"target\": {\n    \"branch\": \"main\",\n"
           "    \"snapshot\": null\n  },\n  \"row_count\": 1,\n  \"columns\": [\n    \"l\",\n"
           "    \"n\"\n  ],\n  \"rows\": [\n    {\n      \"l\": [\n        \"p\",\n"
           "        null\n      ],\n      \"n\": []\n    }\n  ]\n}\n");
    fixture_deinit(&f);
}

TEST(test_format__csv_quotes_what_needs_it)
{
    fixture f;
    fixture_init(&f, schema, records);
    expect(&f, "query q() { match { $t: T } return { $t.s, $t.l as a, $t.b } order { $t.k } }",
           format(OG_FORMAT_CSV),
           "t.s,a,t.b\n\"x,\"\"y\"\"\nz\",\"[\"\"p\"\",null]\",true\n\xc3\xbc\xe2\x82\xac,null,"
           "null\n");
    fixture_deinit(&f);
}

TEST(test_format__blocks)
{
    fixture f;
    fixture_init(&f, schema, records);
    expect(&f, "query q() { match { $t: T } return { $t.k, $t.d as day } order { $t.k } }",
           format(OG_FORMAT_KV),
           "2 rows from branch main via q\nrow 1\nt.k: a\nday: 2024-02-29\n\nrow 2\nt.k: b\nday: "
           "null\n");
    expect(&f, "query q() { match { $t: T { k: \"z\" } } return { $t.k } }", format(OG_FORMAT_KV),
           "0 rows from branch main via q\n(no rows)\n");
    fixture_deinit(&f);
}

TEST(test_format__table_widths_count_code_points)
{
    fixture f;
    fixture_init(&f, schema, records);
    expect(&f, "query q() { match { $t: T } return { $t.s as s, $t.k as key } order { key } }",
           format(OG_FORMAT_TABLE),
           "2 rows from branch main via q\n"
           "s        | key\n"
           "---------+----\n"
           "x,\"y\"\\nz | a  \n"
           "\xc3\xbc\xe2\x82\xac       | b  \n");
    fixture_deinit(&f);
}

/* On a terminal a character may take two columns, or none. */
TEST(test_format__table_widths_on_a_terminal)
{
    fixture f;
    fixture_init(&f, schema,
                 "{\"type\": \"T\", \"data\": {\"k\": \"漢字\", \"s\": \"e\xcc\x81\"}}"
                 "{\"type\": \"T\", \"data\": {\"k\": \"漢字漢字a漢\", \"s\": \"\\u001b[m\"}}");
    const char *query = "query q() { match { $t: T } return { $t.k as k, $t.s as s } }";
    og_format_options options = format(OG_FORMAT_TABLE);
    options.for_terminal = true;
    expect(&f, query, options,
           "2 rows from branch main via q\n"
           "k           | s       \n------------+---------\n"
           "漢字        | e\xcc\x81       \n漢字漢字a漢 | \\u001b[m\n");
    options.max_column_width = 8;
    expect(&f, query, options,
           "2 rows from branch main via q\n"
           "k        | s       \n---------+---------\n"
           "漢字     | e\xcc\x81       \n漢字漢…  | \\u001b[m\n");
    options.wrap_cells = true;
    expect(&f, query, options,
           "2 rows from branch main via q\n"
           "k        | s       \n---------+---------\n"
           "漢字     | e\xcc\x81       \n漢字漢字 | \\u001b[m\na漢      |         \n");
    fixture_deinit(&f);
}

TEST(test_format__wide_cells_are_cut_or_wrapped)
{
    fixture f;
    fixture_init(&f, schema, "{\"type\": \"T\", \"data\": {\"k\": \"0123456789abc\"}}");
    const char *query = "query q() { match { $t: T } return { $t.k as k, $t.b as b } }";
    og_format_options options = format(OG_FORMAT_TABLE);
    options.max_column_width = 9;
    expect(&f, query, options,
           "1 rows from branch main via q\n"
           "k         | b   \n----------+-----\n01234567… | null\n");
    options.wrap_cells = true;
    expect(&f, query, options,
           "1 rows from branch main via q\n"
           "k         | b   \n----------+-----\n012345678 | null\n9abc      |     \n");
    fixture_deinit(&f);
}

TEST(test_format__of_equal_names_the_last_value_counts)
{
    fixture f;
    fixture_init(&f, schema, "{\"type\": \"T\", \"data\": {\"k\": \"a\", \"i\": 1}}");
    const char *query = "query q() { match { $t: T } return { $t.k as c, $t.b as m, $t.i as c } }";
    expect(&f, query, format(OG_FORMAT_CSV), "c,m,c\n1,null,1\n");
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_format_options options = format(OG_FORMAT_JSONL);
    fixture_print(&f, query, NULL, &options, &out);
    assert_non_null(strstr(og_buf_cstr(&out), "\n{\"c\":1,\"m\":null}\n"));
    fixture_deinit(&f);
}

TEST(test_format__writes_what_was_not_stepped_over)
{
    fixture f;
    fixture_init(&f, schema, records);
    running r =
        fixture_run(&f, "query q() { match { $t: T } return { $t.k as k } order { k } }", NULL);
    bool has_row;
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_format_options options = format(OG_FORMAT_CSV);
    assert_ok(og_cursor_next(r.cursor, &has_row, err));
    assert_ok(og_cursor_write(r.cursor, &options, sink_to_buf, &out, err));
    assert_string_equal(og_buf_cstr(&out), "k\nb\n");
    fixture_end(&r);
    fixture_deinit(&f);
}

static og_status refuse(void *context, const uint8_t *bytes, size_t len, og_error *err)
{
    (void)context, (void)bytes, (void)len;
    return og_error_set(err, OG_IO, "no more");
}

TEST(test_format__errors_of_the_sink_come_through)
{
    fixture f;
    fixture_init(&f, schema, records);
    running r = fixture_run(&f, "query q() { match { $t: T } return { $t.k } }", NULL);
    og_error err = {0};
    assert_status(og_cursor_write(r.cursor, NULL, refuse, NULL, &err), OG_IO);
    assert_string_equal(err.message, "no more");
    fixture_end(&r);
    fixture_deinit(&f);
}

TEST(test_format__allocation_failures_are_errors)
{
    fixture f;
    fixture_init(&f, schema, records);
    og_format_options options = format(OG_FORMAT_TABLE);
    for (int64_t n = 0;; n++) {
        OG_AUTO_BUF out = OG_BUF_INIT;
        running r = fixture_run(&f, "query q() { match { $t: T } return { $t.s, $t.l } }", NULL);
        og_alloc_fail_after(n, true);
        og_status s = og_cursor_write(r.cursor, &options, sink_to_buf, &out, NULL);
        og_alloc_fail_after(-1, false);
        fixture_end(&r);
        if (s == OG_OK)
            break;
        assert_status(s, OG_NOMEM);
    }
    fixture_deinit(&f);
}
