/* Single values: what is stored of them, strictly and leniently, or why they are refused. */
#include "load_text.h"
#include "og_test.h"

/* A graph of node T with property p of the type; p's value in a record is `json`. */
static og_status try_value(const char *type, const char *json, bool lenient, og_buf *out_value,
                           og_lenient_counts *out_counts, og_error *err)
{
    char schema[512], text[4096];
    snprintf(schema, sizeof schema, "node T {\n  k: String @key\n  p: %s\n}\n", type);
    snprintf(text, sizeof text, "{\"type\":\"T\",\"data\":{\"k\":\"k\"%s%s}}",
             json != NULL ? ",\"p\":" : "", json != NULL ? json : "");
    text_graph g;
    og_load_output out = {0};
    text_graph_init(&g, schema);
    og_status s = text_graph_try(&g, OG_LOAD_APPEND, lenient, og_str_of(text), &out, err);
    if (s == OG_OK) {
        og_buf all = text_graph_export(&g, "T");
        const char *at = strstr(og_buf_cstr(&all), "\"p\":");
        assert_non_null(at);
        og_buf_append(out_value, at + 4, strlen(at + 4) - 3);
        *out_counts = out.lenient;
        og_load_output_deinit(&out);
        og_buf_deinit(&all);
    }
    text_graph_deinit(&g);
    return s;
}

typedef struct value_case {
    const char *type, *json; /* NULL: not given */
    const char *expected;    /* as exported; or, behind a '!', a part of the message */
} value_case;

static void check_cases(const value_case *cases, size_t count, bool lenient)
{
    for (size_t i = 0; i < count; i++) {
        const value_case *c = &cases[i];
        OG_AUTO_BUF value = OG_BUF_INIT;
        og_lenient_counts counts;
        og_error error = {0};
        og_status s = try_value(c->type, c->json, lenient, &value, &counts, &error);
        const char *json = c->json != NULL ? c->json : "(absent)";
        if (c->expected[0] != '!') {
            if (s != OG_OK)
                fail_msg("%s of %s: %s", json, c->type, error.message);
            if (!og_str_is(og_buf_view(&value), c->expected))
                fail_msg("%s of %s: expected %s, got %s", json, c->type, c->expected,
                         og_buf_cstr(&value));
        } else {
            if (s != OG_INVALID || strstr(error.message, c->expected + 1) == NULL)
                fail_msg("%s of %s: expected \"%s\", got \"%s\" (%s)", json, c->type,
                         c->expected + 1, error.message, og_status_id(s));
            assert_int_equal(error.line, 1);
        }
    }
}
#define CHECK_CASES(cases, lenient) check_cases(cases, sizeof(cases) / sizeof *(cases), lenient)

TEST(test_load_values__numbers)
{
    static const value_case cases[] = {
        {"I32", "2147483647", "2147483647"},
        {"I32", "-2147483648", "-2147483648"},
        {"I32", "2147483648", "!value 2147483648 of property 'p' is out of range for I32"},
        {"I32?", "-2147483649", "!value -2147483649 of property 'p' is out of range for I32"},
        {"I32", "18446744073709551615", "!out of range for I32"},
        {"I32", "1.0", "1"},
        {"I32", "1e3", "1000"},
        {"I32", "-0", "0"},
        {"I32", "1.5", "!non-nullable property 'p' has null or invalid values: expected I32"},
        {"I32?", "1.5", "!property 'p' expects I32, got number 1.5"},
        {"I32?", "\"1\"", "!property 'p' expects I32, got text '1'"},
        {"I32?", "true", "!got true"},
        {"I32?", "[1]", "!got an array of 1"},
        {"I32?", "{}", "!got an object"},
        {"I64", "9223372036854775807", "9223372036854775807"},
        {"I64", "-9223372036854775808", "-9223372036854775808"},
        {"I64?", "9223372036854775808",
         "!value 9223372036854775808 of property 'p' is out of range"},
        {"I64?", "99999999999999999999", "!of property 'p' is out of range for I64"},
        {"U32", "4294967295", "4294967295"},
        {"I64?", "-9223372036854775809", "!value -9223372036854775809 of property 'p' is out of"},
        {"[I32]", "[99999999999999999999]",
         "!value 99999999999999999999 of property 'p' is out of"},
        {"U32", "4294967296", "!out of range for U32"},
        {"U32?", "-1", "!value -1 of property 'p' is out of range for U32"},
        {"U64", "18446744073709551615", "18446744073709551615"},
        {"U64?", "18446744073709551616", "!of property 'p' is out of range for U64"},
        {"U64?", "-5", "!value -5 of property 'p' is out of range for U64"},
        {"F64", "1", "1.0"},
        {"F64", "-0.0", "-0.0"},
        {"F64", "1e400", "!number out of range"},
        {"F64", "0.1", "0.1"},
        {"F64?", "\"1\"", "!property 'p' expects F64"},
        {"F32", "0.1", "0.10000000149011612"},
        {"F32", "3.4028235e38", "3.4028234663852886e+38"},
        {"F32", "3.5e38", "!value 3.5e+38 of property 'p' is out of range for F32"},
        {"Bool", "true", "true"},
        {"Bool?", "0", "!property 'p' expects Bool"},
    };
    CHECK_CASES(cases, false);
}

TEST(test_load_values__texts_and_null)
{
    static const value_case cases[] = {
        {"String", "\"a\\u0000\\n\xc3\xa9\"", "\"a\\u0000\\n\xc3\xa9\""},
        {"String", "\"\"", "\"\""},
        {"String", NULL, "!non-nullable property 'p' has null or invalid values"},
        {"String", "null", "!non-nullable property 'p' has null or invalid values"},
        {"String", "1", "!non-nullable property 'p' has null or invalid values: expected String"},
        {"String?", NULL, "null"},
        {"String?", "null", "null"},
        {"String?", "1", "!property 'p' expects String, got number 1"},
        {"String @default(\"d\")", NULL, "\"d\""},
        {"String? @default(\"d\")", "null", "null"},
        {"enum(b, a)", "\"a\"", "\"a\""},
        {"enum(b, a)", "\"c\"", "!invalid enum value 'c' for T.p (expected: a, b)"},
        {"enum(b, a)?", "null", "null"},
    };
    CHECK_CASES(cases, false);
}

TEST(test_load_values__dates)
{
    static const value_case cases[] = {
        {"Date", "\"2024-02-29\"", "19782"},
        {"Date", "\"20240229\"", "19782"},
        {"Date", "\"2024-02-29T23:59:59-05:00\"", "19783"},
        {"Date", "-1", "-1"},
        {"Date", "\"2024-02-30\"", "!invalid Date literal '2024-02-30'"},
        {"Date", "\"\"", "!invalid Date literal ''"},
        {"Date", "2147483648", "!Date value out of range: 2147483648"},
        {"Date?", "true", "!property 'p' expects Date"},
        {"Date?", "1.5", "!property 'p' expects Date"},
        {"DateTime", "\"2024-02-29\"", "\"2024-02-29T00:00:00\""},
        {"DateTime", "\"2024-02-29T10:11:12.3456Z\"", "\"2024-02-29T10:11:12.345\""},
        {"DateTime", "-1", "\"1969-12-31T23:59:59.999\""},
        {"DateTime", "\"2024-02-29 10:11\"", "!invalid DateTime literal '2024-02-29 10:11'"},
        {"DateTime", "18446744073709551615", "!DateTime value out of range: 18446744073709551615"},
    };
    CHECK_CASES(cases, false);
}

TEST(test_load_values__lists_vectors_and_blobs)
{
    static const value_case cases[] = {
        {"[String]", "[\"a\",null,\"\"]", "[\"a\",null,\"\"]"},
        {"[String]", "[]", "[]"},
        {"[String]?", NULL, "null"},
        {"[String]", NULL, "!non-nullable property 'p' has null or invalid values"},
        {"[String]", "{\"a\":1}", "!list property 'p' expects a JSON array, got {\"a\":1}"},
        {"[String]", "1e3", "!list property 'p' expects a JSON array, got 1000.0"},
        {"[String]", "-7", "!list property 'p' expects a JSON array, got -7"},
        {"[String]", "[1]", "!list property 'p' expects items of String, got number 1"},
        {"[I32]", "[1,-2]", "[1,-2]"},
        {"[I32]", "[2147483648]", "!list value 2147483648 exceeds Int32 range"},
        {"[U32]", "[4294967296]", "!list value 4294967296 exceeds UInt32 range"},
        {"[I64]", "[1.5]", "!list property 'p' expects items of I64"},
        {"[F32]", "[1e39]", "!out of range for F32"},
        {"[Bool]", "[true,null]", "[true,null]"},
        {"[Date]", "[\"2024-01-01\",5]", "[19723,5]"},
        {"[DateTime]", "[\"2024-01-01\"]", "[\"2024-01-01T00:00:00\"]"},
        {"Vector(2)", "[1,0.5]", "[1.0,0.5]"},
        {"Vector(2)", "[1]", "!vector property 'p' expects 2 dimensions, got 1"},
        {"Vector(2)", "[1,null]", "!vector property 'p' expects numbers, got null"},
        {"Vector(2)", "[1,1e39]", "!out of range for F32"},
        {"Vector(2)", "null", "!non-nullable vector property 'p' has null values"},
        {"Vector(2)", "7", "!non-nullable vector property 'p' has null values: expected Vector(2)"},
        {"Vector(2)?", "7", "!property 'p' expects Vector(2), got number 7"},
        {"Vector(2)?", NULL, "null"},
        {"Blob", "\"base64:aGVsbG8=\"", "\"base64:aGVsbG8=\""},
        {"Blob", "\"base64:\"", "\"base64:\""},
        {"Blob", "\"file:///x\"", "\"file:///x\""},
        {"Blob", "\"base64:a\"", "!invalid base64 blob data"},
        {"Blob", "null", "!non-nullable blob property 'p' has null values"},
        {"Blob?", "null", "null"},
        {"Blob?", "5", "!blob property 'p' must be a URI string or base64: prefixed data"},
        {"Blob?", "\"\"", "!blob property 'p' must be a URI string"},
        {"Blob?", "\"a/b:c\"", "!'a/b:c' is not a valid absolute URI"},
        {"Blob?", "\"s3+x://b\"", "\"s3+x://b\""},
    };
    CHECK_CASES(cases, false);
}

TEST(test_load_values__lenient_changes_as_the_reference_does)
{
    static const value_case cases[] = {
        {"I32?", "2147483648", "-2147483648"},
        {"I32?", "1.0", "null"},
        {"I32?", "\"1\"", "null"},
        {"I32", "1.0", "!non-nullable property 'p' has null or invalid values"},
        {"U32?", "4294967297", "1"},
        {"U32?", "-1", "null"},
        {"U64?", "-1", "null"},
        {"I64?", "9223372036854775808", "null"},
        {"Bool?", "1", "null"},
        {"Date?", "true", "null"},
        {"Date?", "\"x\"", "!invalid Date literal 'x'"},
        {"[I32]", "[1,\"x\",null,1.5]", "[1,null,null,null]"},
        {"[I32]", "[2147483648]", "!list value 2147483648 exceeds Int32 range"},
        {"[String]", "7", "!list property 'p' expects a JSON array, got 7"},
        {"Vector(2)", "[1,\"x\"]", "[1.0,0.0]"},
        {"Vector(2)?", "\"x\"", "null"},
        {"Blob?", "5", "!blob property 'p' must be a URI string"},
    };
    CHECK_CASES(cases, true);
}

TEST(test_load_values__lenient_counts_by_kind)
{
    text_graph g;
    text_graph_init(&g, "node T {\n  a: I32?\n  b: F32?\n  c: [I32]?\n  d: Vector(2)?\n}\n");
    og_load_output out;
    const char *text =
        "{\"type\":\"T\",\"data\":{\"a\":4294967296,\"x\":1,\"y\":2}}"
        "{\"type\":\"T\",\"data\":{\"a\":\"s\",\"b\":true,\"c\":[1,\"s\",true,{}]}}"
        "{\"type\":\"T\",\"data\":{\"d\":[true,1],\"id\":7}}{\"type\":\"T\",\"data\":3}";
    assert_ok(text_graph_try(&g, OG_LOAD_APPEND, true, og_str_of(text), &out, err));
    assert_int_equal(out.lenient.unknown_properties, 2);
    assert_int_equal(out.lenient.wrong_types, 4);
    assert_int_equal(out.lenient.integers_wrapped, 1);
    assert_int_equal(out.lenient.list_items, 3);
    assert_int_equal(out.lenient.vector_items, 1);
    assert_int_equal(out.lenient.float_overflows, 0);
    og_load_output_deinit(&out);
    text_graph_deinit(&g);
}

/* Lenient keeps the reference's infinity, which JSON can't hold: export says so. */
TEST(test_load_values__infinity_can_not_be_exported)
{
    og_buf value = OG_BUF_INIT;
    text_graph g;
    og_load_output out;
    og_error error;
    text_graph_init(&g, "node T {\n  k: String @key\n  b: F32?\n}\n");
    og_str text = OG_STR("{\"type\":\"T\",\"data\":{\"k\":\"x\",\"b\":-1e39}}");
    assert_ok(text_graph_try(&g, OG_LOAD_APPEND, true, text, &out, err));
    assert_int_equal(out.lenient.float_overflows, 1);
    og_load_output_deinit(&out);
    OG_AUTO(og_snapshot) snapshot = NULL;
    const og_export_input input = {.write = NULL};
    assert_ok(og_repo_snapshot(g.repo, NULL, &snapshot, err));
    assert_status(og_export_run(snapshot, &input, &error), OG_UNSUPPORTED);
    assert_string_equal(error.message, "node:T, id 'x': cannot encode f32 value '-inf' as JSON");
    snapshot = (og_snapshot_unref(snapshot), NULL);
    og_buf_deinit(&value);
    text_graph_deinit(&g);
}

TEST(test_load_values__range_and_check)
{
    text_graph g;
    text_graph_init(&g, "node T {\n  k: String @key\n  i: I64?\n  f: F64?\n  s: String?\n"
                        "  @range(i, 0..9007199254740993)\n  @range(f, ..0.5)\n"
                        "  @check(s, \"^[a-z]+\\\\d$\")\n}\n");
#define T(rest) "{\"type\":\"T\",\"data\":{\"k\":\"k\"," rest "}}"
    text_graph_load(&g, OG_LOAD_OVERWRITE, T("\"i\":9007199254740993,\"f\":0.5,\"s\":\"ab1\""));
    text_graph_load(&g, OG_LOAD_OVERWRITE, T("\"i\":0,\"f\":null,\"s\":null"));
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, T("\"i\":-1"),
                       "@range violation on T.i: value -1 < min 0", 1);
    /* As doubles the two would be equal. */
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, T("\"i\":9007199254740994"),
                       "@range violation on T.i: value 9007199254740994 > max", 1);
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, T("\"f\":1e21"),
                       "@range violation on T.f: value 1000000000000000000000 > max 0.5", 1);
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, T("\"f\":0.51"), "value 0.51 > max 0.5", 1);
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, T("\"s\":\"A1\""),
                       "@check violation on T.s: value 'A1' does not match pattern", 1);
#undef T
    text_graph_deinit(&g);
}

/* Keys of any type give the id by their text. */
TEST(test_load_values__keys)
{
    static const struct {
        const char *type, *json, *id;
    } cases[] = {
        {"I32", "-7", "\"-7\""},
        {"U64", "18446744073709551615", "\"18446744073709551615\""},
        {"Bool", "true", "\"true\""},
        {"Date", "\"20240229\"", "\"2024-02-29\""},
        {"DateTime", "1000", "\"1970-01-01T00:00:01.000Z\""},
        {"F64", "1e3", "\"1000\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char schema[128], text[128];
        snprintf(schema, sizeof schema, "node T {\n  p: %s @key\n}\n", cases[i].type);
        snprintf(text, sizeof text, "{\"type\":\"T\",\"data\":{\"p\":%s}}", cases[i].json);
        text_graph g;
        text_graph_init(&g, schema);
        text_graph_load(&g, OG_LOAD_APPEND, text);
        og_buf out = text_graph_export(&g, "T");
        char *at = strstr(og_buf_cstr(&out), "\"id\":");
        assert_memory_equal(at + 5, cases[i].id, strlen(cases[i].id));
        og_buf_deinit(&out);
        text_graph_refuses(&g, OG_LOAD_APPEND, text, "is stored already", 1);
        text_graph_deinit(&g);
    }
}
