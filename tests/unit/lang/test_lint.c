/* Lint reports, byte for byte. */
#include "og_test.h"

#include "lang/lint.h"
#include "lang/schema.h"

static const char schema[] = "node Person { name: String @key age: I32? nick: String? }\n"
                             "node Doc { slug: String @key body: String? }\n";

static void check(const char *source, bool json, bool fails, const char *expected)
{
    OG_AUTO(og_catalog) catalog = NULL;
    OG_AUTO_BUF out = OG_BUF_INIT;
    bool failed;
    og_lint_input input = {
        .query_path = OG_STR("q.gq"),
        .query_source = og_str_of(source),
        .schema_path = OG_STR("s.pg"),
    };
    assert_ok(og_schema_compile(og_str_of(schema), &catalog, err));
    assert_ok(og_lint(catalog, &input, json, &out, &failed, err));
    assert_string_equal(og_buf_cstr(&out), expected);
    assert_int_equal(failed, fails);
}

static const char mixed[] =
    "query people() { match { $p: Person } return { $p.name } }\n"
    "query nick($n: String) { update Person set { nick: $n } where name = $n }\n"
    "query again($n: String) { update Person set { nick: $n } where name = $n }\n"
    "query bad() { delete Persn where name = \"x\" }\n";

TEST(test_lint__text)
{
    check(mixed, false, true,
          "OK    query `people` (read)\n"
          "OK    query `nick` (mutation)\n"
          "OK    query `again` (mutation)\n"
          "ERROR query `bad`: type error: T10: unknown node/edge type `Persn`\n"
          "WARN  query `bad`: mutation declares no params; hardcoded mutations are easy to miss\n"
          "WARN  Person.age exists in schema but no update query sets it\n"
          "INFO  Lint complete: 4 queries processed (1 error(s), 2 warning(s), 0 info item(s))\n");
}

TEST(test_lint__json)
{
    check(mixed, true, true,
          "{\n"
          "  \"status\": \"error\",\n"
          "  \"schema_source\": {\n"
          "    \"kind\": \"file\",\n"
          "    \"path\": \"s.pg\"\n"
          "  },\n"
          "  \"query_path\": \"q.gq\",\n"
          "  \"queries_processed\": 4,\n"
          "  \"errors\": 1,\n"
          "  \"warnings\": 2,\n"
          "  \"infos\": 0,\n"
          "  \"results\": [\n"
          "    {\n"
          "      \"name\": \"people\",\n"
          "      \"kind\": \"read\",\n"
          "      \"status\": \"ok\"\n"
          "    },\n"
          "    {\n"
          "      \"name\": \"nick\",\n"
          "      \"kind\": \"mutation\",\n"
          "      \"status\": \"ok\"\n"
          "    },\n"
          "    {\n"
          "      \"name\": \"again\",\n"
          "      \"kind\": \"mutation\",\n"
          "      \"status\": \"ok\"\n"
          "    },\n"
          "    {\n"
          "      \"name\": \"bad\",\n"
          "      \"kind\": \"mutation\",\n"
          "      \"status\": \"error\",\n"
          "      \"warnings\": [\n"
          "        \"mutation declares no params; hardcoded mutations are easy to miss\"\n"
          "      ],\n"
          "      \"error\": \"type error: T10: unknown node/edge type `Persn`\"\n"
          "    }\n"
          "  ],\n"
          "  \"findings\": [\n"
          "    {\n"
          "      \"severity\": \"warning\",\n"
          "      \"code\": \"L201\",\n"
          "      \"message\": \"Person.age exists in schema but no update query sets it\",\n"
          "      \"type_name\": \"Person\",\n"
          "      \"property\": \"age\",\n"
          "      \"query_names\": [\n"
          "        \"again\",\n"
          "        \"nick\"\n"
          "      ]\n"
          "    }\n"
          "  ]\n"
          "}\n");
}

/* It compiles, for who runs it with values changed; lint is strict. */
TEST(test_lint__a_number_out_of_range)
{
    check("query old() { update Person set { nick: \"m\", age: 3000000000 } where name = \"x\" }",
          false, true,
          "ERROR query `old`: property 'age': value 3000000000 exceeds I32\n"
          "WARN  query `old`: mutation declares no params; hardcoded mutations are easy to miss\n"
          "INFO  Lint complete: 1 queries processed (1 error(s), 1 warning(s), 0 info item(s))\n");
}

TEST(test_lint__an_empty_file_is_fine)
{
    check("// nothing\n", false, false,
          "INFO  Lint complete: 0 queries processed (0 error(s), 0 warning(s), 0 info item(s))\n");
    check("", true, false,
          "{\n"
          "  \"status\": \"ok\",\n"
          "  \"schema_source\": {\n"
          "    \"kind\": \"file\",\n"
          "    \"path\": \"s.pg\"\n"
          "  },\n"
          "  \"query_path\": \"q.gq\",\n"
          "  \"queries_processed\": 0,\n"
          "  \"errors\": 0,\n"
          "  \"warnings\": 0,\n"
          "  \"infos\": 0,\n"
          "  \"results\": [],\n"
          "  \"findings\": []\n"
          "}\n");
}

TEST(test_lint__a_syntax_error_is_all_there_is)
{
    check("query q() { }", false, true,
          "ERROR parse error:  --> 1:13\n"
          "  |\n"
          "1 | query q() { }\n"
          "  |             ^---\n"
          "  |\n"
          "  = expected query_body\n"
          "INFO  Lint complete: 0 queries processed (1 error(s), 0 warning(s), 0 info item(s))\n");
}
