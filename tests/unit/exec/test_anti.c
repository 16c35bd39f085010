#include "graph.h"

static const char SCHEMA[] = "node Person { slug: String @key age: I32? city: String? }\n"
                             "node Company { slug: String @key city: String? }\n"
                             "edge Knows: Person -> Person { since: I32? }\n"
                             "edge WorksAt: Person -> Company { }\n";

static graph *town(void)
{
    graph *g = graph_new(SCHEMA);
    graph_load(g, "{\"type\":\"Person\",\"data\":{\"slug\":\"a\",\"age\":30,\"city\":\"X\"}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"b\",\"age\":90,\"city\":\"X\"}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"c\",\"age\":85}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"d\",\"age\":10,\"city\":\"Y\"}}"
                  "{\"type\":\"Company\",\"data\":{\"slug\":\"m\",\"city\":\"X\"}}"
                  "{\"type\":\"Company\",\"data\":{\"slug\":\"n\",\"city\":\"Z\"}}"
                  "{\"edge\":\"Knows\",\"from\":\"a\",\"to\":\"b\",\"data\":{\"since\":1}}"
                  "{\"edge\":\"Knows\",\"from\":\"b\",\"to\":\"d\",\"data\":{\"since\":2}}"
                  "{\"edge\":\"Knows\",\"from\":\"d\",\"to\":\"a\",\"data\":{\"since\":3}}"
                  "{\"edge\":\"Knows\",\"from\":\"c\",\"to\":\"c\",\"data\":{\"since\":4}}"
                  "{\"edge\":\"WorksAt\",\"from\":\"a\",\"to\":\"m\",\"data\":{}}"
                  "{\"edge\":\"WorksAt\",\"from\":\"d\",\"to\":\"n\",\"data\":{}}");
    return g;
}

static void expect_not(graph *g, const char *clauses, const char *rows)
{
    char query[512];
    snprintf(query, sizeof query, "query q() { match { $p: Person not { %s } } return { $p } }",
             clauses);
    graph_expect(g, query, NULL, rows);
}

TEST(test_anti__keeps_rows_without_a_match)
{
    graph *g = town();
    expect_not(g, "$p worksAt $c", "[\"b\"]\n[\"c\"]\n");
    expect_not(g, "$p knows $f", "[\"c\"]\n");
    expect_not(g, "$f knows $p", "[\"c\"]\n");
    expect_not(g, "$p <knows> $f", "[\"c\"]\n");
    expect_not(g, "$p knows $f $f.age > 80", "[\"b\"]\n[\"c\"]\n[\"d\"]\n");
    expect_not(g, "$p $e:knows $f $e.since < 3", "[\"c\"]\n[\"d\"]\n");
    graph_free(g);
}

TEST(test_anti__bounds_count)
{
    graph *g = town();
    expect_not(g, "$p knows{2,2} $f", "[\"c\"]\n");
    expect_not(g, "$p knows{3,4} $f", "[\"a\"]\n[\"b\"]\n[\"c\"]\n[\"d\"]\n");
    expect_not(g, "$p worksAt{2,2} $f", "[\"a\"]\n[\"b\"]\n[\"c\"]\n[\"d\"]\n");
    graph_free(g);
}

TEST(test_anti__null_keeps_the_row)
{
    graph *g = town();
    expect_not(g, "$p.city = \"X\"", "[\"c\"]\n[\"d\"]\n");
    expect_not(g, "$p.age > 20 $p.age < 88", "[\"b\"]\n[\"d\"]\n");
    graph_free(g);
}

TEST(test_anti__compares_with_outer_values)
{
    graph *g = town();
    expect_not(g, "$p knows $f $f.age > $p.age", "[\"b\"]\n[\"c\"]\n");
    expect_not(g, "$c: Company $c.city = $p.city", "[\"c\"]\n[\"d\"]\n");
    expect_not(g, "$c: Company { slug: \"m\" } $p worksAt $c", "[\"b\"]\n[\"c\"]\n[\"d\"]\n");
    expect_not(g, "$f: Person { city: \"X\" } $p knows $f", "[\"b\"]\n[\"c\"]\n");
    graph_free(g);
}

TEST(test_anti__nests)
{
    graph *g = town();
    /* those who know nobody without work */
    expect_not(g, "$p knows $f not { $f worksAt $c }", "[\"b\"]\n[\"c\"]\n[\"d\"]\n");
    /* all friends (none for c) are older */
    expect_not(g, "$p knows $f not { $f.age > $p.age }", "[\"a\"]\n[\"c\"]\n[\"d\"]\n");
    graph_free(g);
}

TEST(test_anti__joins_on_values_without_an_edge)
{
    graph *g = town();
    expect_not(g, "$c: Company $c.city = $p.city $q: Person $q worksAt $c", "[\"c\"]\n[\"d\"]\n");
    expect_not(g, "$p.age < 1000 1 = 1", "");
    expect_not(g, "$p.age < 1000 1 = 2", "[\"a\"]\n[\"b\"]\n[\"c\"]\n[\"d\"]\n");
    graph_free(g);
}

TEST(test_anti__after_and_between_hops)
{
    graph *g = town();
    graph_expect(g,
                 "query q() { match { $p: Person $p knows $f not { $f worksAt $c } not { $p.age < "
                 "20 } } return { $p, $f } }",
                 NULL, "[\"a\",\"b\"]\n");
    graph_expect(g,
                 "query q() { match { $p: Person not { $p knows $f $f knows $g $g knows $p } } "
                 "return { count($p) as n } }",
                 NULL, "[1]\n");
    graph_free(g);
}

TEST(test_anti__many_rows)
{
    graph *g = graph_new(SCHEMA);
    og_buf rows = OG_BUF_INIT;
    for (int i = 0; i < 9000; i++) {
        og_buf_printf(&rows, "{\"type\":\"Person\",\"data\":{\"slug\":\"p%d\",\"age\":%d}}\n", i,
                      i % 100);
        og_buf_printf(&rows,
                      "{\"edge\":\"Knows\",\"from\":\"p%d\",\"to\":\"p%d\",\"data\":{}}\n"
                      "{\"edge\":\"Knows\",\"from\":\"p%d\",\"to\":\"p%d\",\"data\":{}}\n",
                      i, (i + 1) % 9000, i, (i + 7) % 9000);
    }
    graph_load(g, og_buf_cstr(&rows));
    /* age 89 .. 98 and 83 .. 92 of the hundred know someone above 89 */
    graph_expect(g,
                 "query q() { match { $p: Person not { $p knows $f $f.age >= 90 } } "
                 "return { count($p) as n } }",
                 NULL, "[7560]\n");
    graph_expect(g,
                 "query q() { match { $p: Person $p.age < 50 not { $f: Person $f knows $p } } "
                 "return { count($p) as n } }",
                 NULL, "[0]\n");
    og_buf_deinit(&rows);
    graph_free(g);
}
