#include "og_test.h"

#include "cli/config.h"

static og_arena *arena;

static og_status parse(const char *text, cli_config *out, og_error *err)
{
    og_arena_free(arena);
    arena = og_arena_new(0);
    return cli_config_parse(arena, og_str_of(text), "x.yaml", out, err);
}

static void expect_error(const char *text, const char *message)
{
    cli_config config;
    og_error err = {0};
    assert_status(parse(text, &config, &err), OG_INVALID);
    assert_string_equal(err.message, message);
    og_arena_free(arena);
    arena = NULL;
}

TEST(test_config__everything)
{
    cli_config c;
    assert_ok(parse("graphs:\n"
                    "  a: { uri: ./a.omni, bearer_token_env: T }\n"
                    "  b:\n"
                    "    uri: /b\n"
                    "    policy: { file: p }\n"
                    "cli: { graph: a, branch: dev, actor: \"me\", output_format: kv,\n"
                    "       table_max_column_width: 40, table_cell_layout: wrap }\n"
                    "query: { roots: [queries, .] }\n"
                    "aliases:\n"
                    "  who: { command: read, query: q.gq, name: one, args: [x, y], graph: b,\n"
                    "         branch: main, format: csv }\n"
                    "  add: { command: mutate, query: q.gq }\n"
                    "queries: { one: { file: q.gq } }\n"
                    "server: [anything]\n",
                    &c, err));
    assert_int_equal(c.graph_count, 2);
    assert_string_equal(cli_config_graph(&c, "a")->uri, "./a.omni");
    assert_false(cli_config_graph(&c, "a")->has_policy);
    assert_true(cli_config_graph(&c, "b")->has_policy);
    assert_null(cli_config_graph(&c, "c"));
    assert_string_equal(c.branch, "dev");
    assert_string_equal(c.actor, "me");
    assert_int_equal(c.format, OG_FORMAT_KV);
    assert_int_equal(c.column_width, 40);
    assert_true(c.wrap_cells && c.has_queries && !c.has_policy);
    assert_string_equal(c.roots[1], ".");
    const cli_alias *who = cli_config_alias(&c, "who");
    assert_false(who->is_mutation);
    assert_int_equal(who->arg_count, 2);
    assert_int_equal(who->format, OG_FORMAT_CSV);
    assert_true(cli_config_alias(&c, "add")->is_mutation);
    assert_null(cli_config_alias(&c, "add")->query_name);
    og_arena_free(arena);
    arena = NULL;
}

TEST(test_config__empty_and_null)
{
    cli_config c;
    assert_ok(parse("", &c, err));
    assert_int_equal(c.format, -1);
    assert_int_equal(c.graph_count, 0);
    assert_ok(parse("# only a comment\n", &c, err));
    assert_ok(parse("cli:\ngraphs: ~\naliases: null\n", &c, err));
    assert_null(c.graph);
    og_arena_free(arena);
    arena = NULL;
}

TEST(test_config__anchors)
{
    cli_config c;
    assert_ok(
        parse("cli: { branch: &b dev }\naliases: { x: { command: query, query: q, branch: *b } }\n",
              &c, err));
    assert_string_equal(cli_config_alias(&c, "x")->branch, "dev");
    og_arena_free(arena);
    arena = NULL;
}

TEST(test_config__errors)
{
    expect_error("[1]", "x.yaml: a mapping is expected");
    expect_error("cli: 5", "x.yaml: 'cli' must be a mapping");
    expect_error("cli: { graph: [a] }", "x.yaml: 'graph' must be text");
    expect_error("cli: { table_max_column_width: 0 }",
                 "x.yaml: 'table_max_column_width' must be a number from 1");
    expect_error("query: { roots: [[a]] }", "x.yaml: 'roots' must be a list of texts");
    expect_error("a: b: c", "x.yaml:1:5: mapping values are not allowed in this context");
    expect_error("a: *nothing", "x.yaml:1:4: an alias without its anchor");
    expect_error("[a]: b", "x.yaml:1:1: a key must be text");
}

TEST(test_config__depth_is_bounded)
{
    char text[256];
    memset(text, '[', 200);
    text[200] = '\0';
    cli_config c;
    og_error err = {0};
    assert_status(parse(text, &c, &err), OG_INVALID);
    assert_non_null(strstr(err.message, "nested too deeply"));
    og_arena_free(arena);
    arena = NULL;
}
