/* Schemas that are refused: message, place and hint; and inputs made to hurt. Frames of syntax
 * errors are among the recorded answers of test_schema.c. */
#include "og_test.h"

#include "base/buf.h"
#include "lang/schema.h"

static og_status compile(og_str source, og_error *out_err)
{
    OG_AUTO(og_catalog) catalog = NULL;
    return og_schema_compile(source, &catalog, out_err);
}

static void check_message(const char *source, const char *kind, const char *message)
{
    char expected[512];
    og_error err = {0};
    snprintf(expected, sizeof expected, "%s%s", kind, message);
    assert_status(compile(og_str_of(source), &err), OG_INVALID);
    assert_string_equal(err.message, expected);
    assert_true(err.line > 0 && err.column > 0);
    assert_true(err.detail[0] != '\0');
}

/* The reference says twice that it did not parse. */
static void check(const char *source, const char *message)
{
    check_message(source, "parse error: parse error: ", message);
}

static void check_catalog(const char *source, const char *message)
{
    check_message(source, "catalog error: ", message);
}

/* In the body of `node N`. */
static void check_body(const char *body, const char *message)
{
    char source[1024];
    snprintf(source, sizeof source, "node N { %s }", body);
    check(source, message);
}

/* ---- values ------------------------------------------------------------------------------- */

TEST(test_schema_errors__types)
{
    check_body("v: Vector(0)", "Vector dimension must be greater than zero");
    check_body("v: Vector(2147483648)",
               "Vector dimension 2147483648 exceeds maximum supported 2147483647");
    check_body("v: Vector(99999999999)",
               "invalid Vector dimension: number too large to fit in target type");
    check_body("l: [Blob]", "list of Blob is not supported");
    check_body("e: enum(a, b, a)", "enum type cannot include duplicate values");
}

TEST(test_schema_errors__strings)
{
    check_body("x: String @note(\"a\\qb\")", "unsupported escape sequence: \\q");
    check_body("x: String @note(\"\\é\")", "unsupported escape sequence: \\é");
    check_body("x: String @check(x, \"\\d\")", "unsupported escape sequence: \\d");
}

TEST(test_schema_errors__constraint_arguments)
{
    check_body("x: String @key(\"x\")", "expected property name in constraint");
    check_body("x: String @unique(x, 3)", "expected property name in constraint");
    check_body("x: I32 @range(x)",
               "@range requires property name and bounds: @range(prop, min..max)");
    check_body("x: I32 @range(x, 3)", "expected range bounds (min..max) in @range constraint");
    check_body("x: String @check(x)",
               "@check requires property name and pattern: @check(prop, \"regex\")");
    check_body("x: String @check(x, y)", "expected string argument in constraint");
}

TEST(test_schema_errors__cardinality)
{
    check("node N {} edge E: N -> N @card(2..1)", "cardinality min (2) exceeds max (1)");
    check("node N {} edge E: N -> N @card(4294967296..)", "invalid cardinality min: 4294967296");
    check("node N {} edge E: N -> N @card(0..4294967296)", "invalid cardinality max: 4294967296");
}

/* ---- annotations -------------------------------------------------------------------------- */

TEST(test_schema_errors__annotations_of_types)
{
    check("node N @key { x: I32 }",
          "@key is only supported on node properties or as body constraint (node N)");
    check("node N {} edge E: N -> N @index", "@index is not supported on edges (edge E)");
    check("node N @description { }", "@description on node N requires a non-empty value");
    check("node N @instruction(\" \t\") { }", "@instruction on node N requires a non-empty value");
    check("node N @description(\"\xE3\x80\x80\") { }",
          "@description on node N requires a non-empty value");
    check("node N {} edge E: N -> N @description(\"a\") @description(\"b\")",
          "edge E declares @description multiple times");
}

TEST(test_schema_errors__annotations_of_properties)
{
    check_body("x: [I32] @index", "@index is not supported on list property N.x");
    check_body("x: Vector(2) @unique", "@unique is not supported on vector property N.x");
    check_body("x: Blob @embed(x)", "@embed is not supported on blob property N.x");
    check_body("x: I32 @instruction(\"a\")",
               "@instruction is only supported on node and edge types (property N.x)");
    check_body("x: I32 @key @key", "property N.x declares @key multiple times");
    check_body("x: I32 @description(\"\")",
               "@description on property N.x requires a non-empty value");
    check("node N {} edge E: N -> N { x: I32 @key }",
          "@key is not supported on edge properties (edge E.x)");
}

TEST(test_schema_errors__embed)
{
    check_body("t: String x: I32 @embed(t)", "@embed is only supported on vector properties (N.x)");
    check_body("x: Vector(2) @embed", "@embed on N.x requires a source property name");
    check_body("x: Vector(2) @embed(\" \")",
               "@embed on N.x requires a non-empty source property name");
    check_body("x: Vector(2) @embed(y)", "@embed on N.x references unknown source property y");
    check_body("y: [String] x: Vector(2) @embed(y)", "@embed source property N.y must be String");
    check_body("y: String x: Vector(2) @embed(y) @embed(y)",
               "property N.x declares @embed multiple times");
}

/* ---- constraints -------------------------------------------------------------------------- */

TEST(test_schema_errors__constraints)
{
    check_body("@key(x)", "@key on N references unknown property 'x'");
    check_body("@index(x)", "@index on N references unknown property 'x'");
    check_body("x: I32? @key(x)", "@key property N.x cannot be nullable");
    check_body("x: [I32] @key(x)", "@key is not supported on list property N.x");
    check_body("x: Vector(1) @key(x)", "@key is not supported on vector property N.x");
    check_body("x: Blob @key(x)", "@key is not supported on blob property N.x");
    check_body("x: Blob @index(x)", "@index is not supported on blob property N.x");
    check_body("x: I32 @key y: I32 @key",
               "node type N has multiple @key constraints; only one is supported");
    check_body("x: Date @range(x, 0..1)", "@range on N.x requires a numeric type, got Date");
    check_body("x: enum(b, a)? @range(x, 0..1)",
               "@range on N.x requires a numeric type, got enum(a, b)?");
    check_body("x: [I32]? @check(x, \"a\")", "@check on N.x requires String type, got [I32]?");
    check_body("src: I32 @unique(src, dst)", "@unique on N references unknown property 'dst'");
    check("node N {} edge E: N -> N { x: I32 @range(x, 0..1) }",
          "@range constraint is not supported on edges (edge E)");
    check("node N {} edge E: N -> N { x: I32 @key(x) }",
          "@key constraint is not supported on edges (edge E)");
}

/* ---- names -------------------------------------------------------------------------------- */

TEST(test_schema_errors__interfaces)
{
    check("node N implements I { }", "node N implements unknown interface 'I'");
    check("interface I { x: I32 } node N implements I { x: I32? }",
          "node N property 'x' has type I32? but interface I declares it as I32");
    check("interface I { x: I32 } interface J { x: Date } node N implements I, J {}",
          "node N property 'x' has type I32 but interface J declares it as Date");
}

TEST(test_schema_errors__names_that_collide)
{
    check_catalog("node N {} node N {}", "type id collision: 'N' and 'N' both hash to 335395009");
    check_catalog("node N { x: I32 x: I32 }",
                  "property id collision on N: 'x' and 'x' both hash to 154064155");
    check_catalog("node N {} edge Sees: N -> N edge SEES: N -> N",
                  "edge name collision after case folding: 'Sees' conflicts with 'SEES'");
    check_catalog("node N {} edge E: M -> N", "edge E references unknown source type: M");
    check_catalog("node N {} edge E: N -> M", "edge E references unknown target type: M");
}

static void check_place(const char *source, uint32_t line, uint32_t column, const char *hint)
{
    og_error err = {0};
    assert_status(compile(og_str_of(source), &err), OG_INVALID);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
    assert_string_equal(err.hint, hint);
}

TEST(test_schema_errors__places_and_hints)
{
    check_place("node Person {}\nedge E: Person -> Persn", 2, 19, "Did you mean 'Person'?");
    check_place("interface Named {}\nnode N implements Name {}", 2, 19, "Did you mean 'Named'?");
    check_place("node N {\n  x: Strng\n}", 2, 6, "Did you mean 'String'?");
    check_place("noed N {}", 1, 1, "Did you mean 'node'?");
    check_place("node N implement I {}", 1, 8, "Did you mean 'implements'?");
    check_place("node N implements I @note { x: I32 }", 1, 8,
                "Annotations of a node stand before 'implements'.");
    check_place("node N {\n title: String\n @index(tilte)\n}", 3, 9, "Did you mean 'title'?");
    check_place("node N { é: I32 }", 1, 10, "");
    check_place("node N {\n  a: String @note(\"é\") @index @index\n}", 2, 32, "");
    check_place("node N { x: I32 }\n node N {}", 2, 7, "The node type N is declared twice.");
}

TEST(test_schema_errors__excerpt)
{
    og_error err = {0};
    og_str source = OG_STR("node N {\n\tage: [Blob]? @note(\"x\")\r\n}");
    assert_status(compile(source, &err), OG_INVALID);
    assert_string_equal(err.detail, "2 | \tage: [Blob]? @note(\"x\")\n  | \t     ^^^^^^");
}

/* ---- what init refuses -------------------------------------------------------------------- */

static void check_strict(const char *body, const char *message)
{
    char source[1024];
    snprintf(source, sizeof source, "node N {\n%s\n}", body);
    og_error err = {0};
    assert_ok(compile(og_str_of(source), err));
    assert_status(og_schema_check_strict(og_str_of(source), &err), OG_INVALID);
    if (strncmp(err.message, message, strlen(message)) != 0)
        fail_msg("expected \"%s\", got \"%s\"", message, err.message);
    assert_int_equal(err.line, 2);
}

#define ZEROS_40 "0000000000000000000000000000000000000000"
#define ZEROS_400                                                                                  \
    ZEROS_40 ZEROS_40 ZEROS_40 ZEROS_40 ZEROS_40 ZEROS_40 ZEROS_40 ZEROS_40 ZEROS_40 ZEROS_40

TEST(test_schema_errors__strict)
{
    check_strict("x: I32 @default(\"1.5\")", "@default on N.x: expected integer number");
    check_strict("x: I32 @default(3000000000)", "@default on N.x: value 3000000000 exceeds I32");
    check_strict("x: Bool @default(yes)", "@default on N.x: expected");
    check_strict("x: Date @default(\"soon\")", "@default on N.x: ");
    check_strict("x: enum(red, green) @default(rod)",
                 "@default on N.x: 'rod' is not a value of the enum");
    check_strict("x: Vector(2) @default(\"[1]\")", "@default on N.x: expected 2 values");
    check_strict("x: [I32] @default(3)", "@default on N.x: expected");
    check_strict("x: I32 @default", "@default on N.x requires a value");
    check_strict("x: I32? @default(null)", "@default on N.x: null is no default");
    check_strict("x: String @default(null)", "@default on N.x: null is no default");
    check_strict("x: I32 @default(1) @default(2)", "property N.x declares @default multiple times");
    check_strict("x: String @check(x, \"(a\")", "@check on N.x: ");
    check_strict("x: I32 @range(x, 5..1)",
                 "@range on N.x: no value is within, the minimum is above the maximum");
    check_strict("x: F64 @range(x, 0..1" ZEROS_400 ")",
                 "@range on N.x: a bound is beyond the largest number");
    check_strict("id: String", "Duplicate field name \"id\" in schema: every node has a column");
    check_strict("_rowid: I32", "The column _rowid is a reserved name");
}

TEST(test_schema_errors__strict_lets_the_rest_pass)
{
    static const char source[] =
        "node N { src: String @default(\"\") x: I32? @default(\"-1\") @check(src, \"^a+$\") }\n"
        "edge E: N -> N { l: [String] @default(\"[]\") }";
    assert_ok(og_schema_check_strict(og_str_of(source), err));
    og_error err = {0};
    og_str edge = OG_STR("node N {} edge E: N -> N { dst: String }");
    assert_status(og_schema_check_strict(edge, &err), OG_INVALID);
}

/* ---- hostile ------------------------------------------------------------------------------ */

/* `head`, then `unit` until the text has `size` bytes. */
static og_status compile_repeated(const char *head, const char *unit, size_t size, og_error *err)
{
    OG_AUTO_BUF source = OG_BUF_INIT;
    og_buf_text(&source, head);
    while (source.len < size && !source.failed)
        og_buf_text(&source, unit);
    assert_false(source.failed);
    return compile(og_buf_view(&source), err);
}

TEST(test_schema_errors__large_inputs_end_soon)
{
    static const char *const heads[] = {"", "node N { x: ", "node N { x: I32 @range(", "/*"};
    static const char *const units[] = {"(", "[", "@a", "\"", "//", "node N", "é", ","};
    og_error err = {0};
    for (size_t h = 0; h < sizeof heads / sizeof *heads; h++)
        for (size_t u = 0; u < sizeof units / sizeof *units; u++)
            if (h != 0 || u != 4) /* a comment alone is a schema */
                assert_status(compile_repeated(heads[h], units[u], 1 << 20, &err), OG_INVALID);
    assert_status(compile_repeated("", "(", 4 << 20, &err), OG_INVALID);
    assert_status(compile_repeated("", "(", (4 << 20) + 1, &err), OG_LIMIT);
    assert_status(compile_repeated("", "node N {} ", 1 << 20, &err), OG_LIMIT);
}

TEST(test_schema_errors__many_of_everything)
{
    og_error err = {0};
    assert_status(
        compile_repeated("interface I { x: I32 } node N implements I", ", I", 1 << 20, &err),
        OG_INVALID);
    assert_status(compile_repeated("node N { x: I32", " @a", 1 << 20, &err), OG_INVALID);
    OG_AUTO_BUF source = OG_BUF_INIT;
    og_buf_text(&source, "node N {");
    for (int i = 0; i < 20000; i++)
        og_buf_printf(&source, "p%d: String @index @unique ", i);
    og_buf_text(&source, "}");
    assert_status(compile(og_buf_view(&source), &err), OG_OK);
}

/* 60 million of them in 2 MB of text. */
TEST(test_schema_errors__properties_of_interfaces_multiply)
{
    OG_AUTO_BUF source = OG_BUF_INIT;
    og_error err = {0};
    og_buf_text(&source, "interface I {");
    for (int i = 0; i < 1000; i++)
        og_buf_printf(&source, "p%d: I32 ", i);
    og_buf_text(&source, "}");
    for (int i = 0; i < 60000; i++)
        og_buf_printf(&source, "node N%d implements I {}", i);
    assert_status(compile(og_buf_view(&source), &err), OG_LIMIT);
    assert_string_equal(err.message, "the types of the schema have more than 262144 properties");
}

TEST(test_schema_errors__bytes_that_are_no_text)
{
    og_error err = {0};
    og_str source = OG_STR("node N {\n x: \xC3\x28 }");
    assert_status(compile(source, &err), OG_INVALID);
    assert_string_equal(err.message, "the schema is not valid UTF-8 at line 2, column 5 (byte 13)");
    assert_status(compile(OG_STR("node N {\0}"), &err), OG_INVALID);
}

TEST(test_schema_errors__a_long_line_is_clipped)
{
    OG_AUTO_BUF source = OG_BUF_INIT;
    og_error err = {0};
    og_buf_text(&source, "node N { ");
    og_buf_fill(&source, ' ', 5000);
    og_buf_text(&source, "é: I32 }");
    og_buf_fill(&source, ' ', 5000);
    assert_status(compile(og_buf_view(&source), &err), OG_INVALID);
    assert_int_equal(err.column, 5010);
    assert_non_null(strstr(err.message, "é: I32"));
    assert_non_null(strstr(err.message, "= expected body_constraint or ident"));
}
