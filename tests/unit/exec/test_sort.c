#include "graph.h"

static const char SCHEMA[] = "node Item { slug: String @key kind: String? n: I32? }\n"
                             "edge Has: Item -> Item { }\n";

static graph *items(void)
{
    graph *g = graph_new(SCHEMA);
    graph_load(g, "{\"type\":\"Item\",\"data\":{\"slug\":\"a\",\"kind\":\"é\",\"n\":2}}"
                  "{\"type\":\"Item\",\"data\":{\"slug\":\"b\",\"kind\":\"a\",\"n\":1}}"
                  "{\"type\":\"Item\",\"data\":{\"slug\":\"c\",\"n\":2}}"
                  "{\"type\":\"Item\",\"data\":{\"slug\":\"d\",\"kind\":\"B\"}}"
                  "{\"edge\":\"Has\",\"from\":\"a\",\"to\":\"b\",\"data\":{}}"
                  "{\"edge\":\"Has\",\"from\":\"b\",\"to\":\"c\",\"data\":{}}");
    return g;
}

static void expect_order(graph *g, const char *order, const char *rows)
{
    char query[256];
    snprintf(query, sizeof query, "query q() { match { $i: Item } return { $i.slug as s } %s }",
             order);
    graph_expect(g, query, NULL, rows);
}

TEST(test_sort__nulls_bytes_and_ties)
{
    graph *g = items();
    expect_order(g, "order { $i.kind asc }", "[\"c\"]\n[\"d\"]\n[\"b\"]\n[\"a\"]\n");
    expect_order(g, "order { $i.kind desc }", "[\"a\"]\n[\"b\"]\n[\"d\"]\n[\"c\"]\n");
    expect_order(g, "order { $i.n }", "[\"d\"]\n[\"b\"]\n[\"a\"]\n[\"c\"]\n");
    expect_order(g, "order { $i.n desc }", "[\"a\"]\n[\"c\"]\n[\"b\"]\n[\"d\"]\n");
    expect_order(g, "order { $i.n desc, $i.slug desc }", "[\"c\"]\n[\"a\"]\n[\"b\"]\n[\"d\"]\n");
    expect_order(g, "order { s desc } limit 2", "[\"d\"]\n[\"c\"]\n");
    expect_order(g, "order { $i.n desc } limit 1", "[\"a\"]\n");
    expect_order(g, "order { $i.n desc } limit 99", "[\"a\"]\n[\"c\"]\n[\"b\"]\n[\"d\"]\n");
    graph_free(g);
}

TEST(test_sort__by_either_end_of_a_hop)
{
    graph *g = items();
    graph_expect(g, "query q() { match { $i: Item $i has $j } return { $i, $j.n } order { $i.n } }",
                 NULL, "[\"b\",2]\n[\"a\",1]\n");
    graph_expect(g,
                 "query q() { match { $i: Item $i has $j } return { 1, $i } order { $j.n desc } }",
                 NULL, "[1,\"b\"]\n[1,\"a\"]\n");
    graph_free(g);
}

/* The rows of `order` under each limit are the first ones of all. */
static void expect_prefixes(graph *g, const char *order)
{
    static const int limits[] = {0, 1, 10, 2048, 9000, 29999, 70000};
    char query[256];
    og_buf whole = OG_BUF_INIT;
    snprintf(query, sizeof query,
             "query q() { match { $i: Item } return { $i.slug as s, $i.n as n } order { %s } }",
             order);
    og_buf_text(&whole, graph_run(g, query, NULL, NULL));
    for (int l = 0; l < 7; l++) {
        snprintf(query, sizeof query,
                 "query q() { match { $i: Item } return { $i.slug as s, $i.n as n } "
                 "order { %s } limit %d }",
                 order, limits[l]);
        const char *got = graph_run(g, query, NULL, NULL);
        if (strncmp(got, "error", 5) == 0) /* the language may refuse a limit of 0 */
            continue;
        assert_memory_equal(got, og_buf_cstr(&whole), strlen(got));
        int lines = 0;
        for (const char *p = got; *p != '\0'; p++)
            lines += *p == '\n';
        assert_int_equal(lines, limits[l] < 30000 ? limits[l] : 30000);
    }
    og_buf_deinit(&whole);
}

/* A limit gives the start of the whole order, ties included, whether rows are told apart by the
 * first key or by those that are read late. */
TEST(test_sort__limit_is_a_prefix)
{
    graph *g = graph_new(SCHEMA);
    og_buf rows = OG_BUF_INIT;
    uint64_t seed = 5;
    for (int i = 0; i < 30000; i++)
        og_buf_printf(&rows, "{\"type\":\"Item\",\"data\":{\"slug\":\"s%d\",\"n\":%d}}\n", i,
                      (int)(og_test_random(&seed) % 500));
    graph_load(g, og_buf_cstr(&rows));
    expect_prefixes(g, "n asc");
    expect_prefixes(g, "n desc");
    expect_prefixes(g, "n desc, s asc");
    expect_prefixes(g, "n asc, s desc");
    expect_prefixes(g, "s desc, n asc");
    og_budget budget = {.limit = 100000};
    og_exec_options options = {.budget = &budget};
    const char *got =
        graph_run(g, "query q() { match { $i: Item } return { $i.slug as s } order { s asc } }",
                  NULL, &options);
    assert_non_null(strstr(got, "error: memory limit: sort needs "));
    og_buf_deinit(&rows);
    graph_free(g);
}
