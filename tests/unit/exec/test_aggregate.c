#include "graph.h"

static const char SCHEMA[] = "node Item { slug: String @key kind: String? n: I32? x: F64? "
                             "big: I64? day: Date? at: DateTime? ok: Bool? tags: [I32]? }\n"
                             "edge Has: Item -> Item { }\n";

static graph *items(void)
{
    graph *g = graph_new(SCHEMA);
    graph_load(g, "{\"type\":\"Item\",\"data\":{\"slug\":\"a\",\"kind\":\"red\",\"n\":1,\"x\":1.5,"
                  "\"big\":5,\"day\":\"2024-01-02\",\"at\":\"2024-01-02T00:00:00Z\",\"ok\":true}}"
                  "{\"type\":\"Item\",\"data\":{\"slug\":\"b\",\"n\":4,\"x\":-2.0,\"tags\":[1]}}"
                  "{\"type\":\"Item\",\"data\":{\"slug\":\"c\",\"kind\":\"blue\",\"n\":2,"
                  "\"day\":\"2020-01-02\"}}"
                  "{\"type\":\"Item\",\"data\":{\"slug\":\"d\",\"kind\":\"red\",\"big\":9}}"
                  "{\"type\":\"Item\",\"data\":{\"slug\":\"e\",\"n\":-7}}"
                  "{\"edge\":\"Has\",\"from\":\"a\",\"to\":\"b\",\"data\":{}}"
                  "{\"edge\":\"Has\",\"from\":\"a\",\"to\":\"c\",\"data\":{}}"
                  "{\"edge\":\"Has\",\"from\":\"d\",\"to\":\"c\",\"data\":{}}");
    return g;
}

TEST(test_aggregate__skips_null_and_keeps_types)
{
    graph *g = items();
    graph_expect(g,
                 "query q() { match { $i: Item } return { count($i) as a, count($i.kind) as b, "
                 "sum($i.n) as c, avg($i.n) as d, min($i.n) as e, max($i.x) as f, min($i.kind) as "
                 "g, max($i.day) as h, min($i.at) as i, count($i.tags) as j } }",
                 NULL, "[5,3,0,0,-7,1.5,\"blue\",19724,1704153600000,1]\n");
    graph_free(g);
}

TEST(test_aggregate__groups_in_first_seen_order_null_too)
{
    graph *g = items();
    graph_expect(g,
                 "query q() { match { $i: Item } return { $i.kind as k, count($i) as n, "
                 "sum($i.n) as s, max($i.big) as m } }",
                 NULL, "[\"red\",2,1,9]\n[null,2,-3,null]\n[\"blue\",1,2,null]\n");
    graph_expect(g,
                 "query q() { match { $i: Item } return { count($i) as n, $i.kind as k, $i.ok as o "
                 "} }",
                 NULL, "[1,\"red\",true]\n[2,null,null]\n[1,\"blue\",null]\n[1,\"red\",null]\n");
    graph_expect(g,
                 "query q() { match { $i: Item } return { $i.kind as k, count($i) as n } "
                 "order { n desc, k desc } limit 2 }",
                 NULL, "[\"red\",2]\n[null,2]\n");
    graph_free(g);
}

TEST(test_aggregate__over_no_rows)
{
    graph *g = items();
    graph_expect(g,
                 "query q() { match { $i: Item { slug: \"none\" } } return { count($i) as a, "
                 "count($i.n) as b, sum($i.n) as c, avg($i.x) as d, min($i.kind) as e } }",
                 NULL, "[0,0,null,null,null]\n");
    graph_expect(g,
                 "query q() { match { $i: Item { slug: \"none\" } } return { $i.kind as k, "
                 "count($i) as n } }",
                 NULL, "");
    graph_free(g);
}

TEST(test_aggregate__counts_ends_by_group)
{
    graph *g = items();
    graph_expect(
        g, "query q() { match { $i: Item $i has $j } return { $i.kind as k, count($j) as n } }",
        NULL, "[\"red\",3]\n");
    graph_expect(g,
                 "query q() { match { $i: Item $j has $i } return { $i.slug as s, count($j) as n, "
                 "max($i.n) as m } }",
                 NULL, "[\"b\",1,4]\n[\"c\",2,2]\n");
    graph_expect(
        g, "query q() { match { $i: Item $i has $j } return { $i.slug as s, sum($i.n) as t } }",
        NULL, "[\"a\",2]\n[\"d\",null]\n");
    graph_free(g);
}

TEST(test_aggregate__many_groups)
{
    graph *g = graph_new(SCHEMA);
    og_buf rows = OG_BUF_INIT;
    for (int i = 0; i < 10000; i++)
        og_buf_printf(&rows,
                      "{\"type\":\"Item\",\"data\":{\"slug\":\"s%d\",\"kind\":\"k%d\",\"n\":%d}}\n",
                      i, i % 3000, i);
    graph_load(g, og_buf_cstr(&rows));
    graph_expect(g,
                 "query q() { match { $i: Item } return { $i.kind as k, count($i) as n, min($i.n) "
                 "as a, max($i.slug) as b } order { k asc } limit 2 }",
                 NULL, "[\"k0\",4,0,\"s9000\"]\n[\"k1\",4,1,\"s9001\"]\n");
    const char *all = graph_run(
        g, "query q() { match { $i: Item } return { $i.kind as k, count($i) as n } }", NULL, NULL);
    int lines = 0;
    for (const char *p = all; *p != '\0'; p++)
        lines += *p == '\n';
    assert_int_equal(lines, 3000);

    og_budget budget = {.limit = 20000};
    og_exec_options options = {.budget = &budget};
    const char *got =
        graph_run(g, "query q() { match { $i: Item } return { $i.kind as k, count($i) as n } }",
                  NULL, &options);
    assert_non_null(strstr(got, "error: memory limit: aggregate needs "));
    assert_int_equal(og_budget_used(&budget), 0);
    og_buf_deinit(&rows);
    graph_free(g);
}
