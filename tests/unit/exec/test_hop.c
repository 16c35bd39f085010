#include "graph.h"

static const char SCHEMA[] = "node Person { slug: String @key age: I32? }\n"
                             "node Company { slug: String @key }\n"
                             "edge Knows: Person -> Person { since: I32? }\n"
                             "edge WorksAt: Person -> Company { }\n";

static void add_person(og_buf *out, const char *slug, int age)
{
    og_buf_printf(out, "{\"type\":\"Person\",\"data\":{\"slug\":\"%s\",\"age\":%d}}\n", slug, age);
}

static void add_edge(og_buf *out, const char *edge, const char *from, const char *to, int since)
{
    og_buf_printf(out, "{\"edge\":\"%s\",\"from\":\"%s\",\"to\":\"%s\",\"data\":{", edge, from, to);
    if (since != 0)
        og_buf_printf(out, "\"since\":%d", since);
    og_buf_text(out, "}}\n");
}

/* a -> b (twice), a -> c, b -> c, c -> d, d -> a, a -> a, e alone. */
static graph *ring(void)
{
    static const char *const people[] = {"a", "b", "c", "d", "e"};
    static const char *const knows[][2] = {{"a", "b"}, {"a", "c"}, {"b", "c"}, {"a", "b"},
                                           {"c", "d"}, {"d", "a"}, {"a", "a"}};
    graph *g = graph_new(SCHEMA);
    og_buf rows = OG_BUF_INIT;
    for (int i = 0; i < 5; i++)
        add_person(&rows, people[i], 10 * (i + 1));
    for (int i = 0; i < 7; i++)
        add_edge(&rows, "Knows", knows[i][0], knows[i][1], i + 1);
    og_buf_text(&rows, "{\"type\":\"Company\",\"data\":{\"slug\":\"x\"}}\n"
                       "{\"type\":\"Company\",\"data\":{\"slug\":\"y\"}}\n");
    add_edge(&rows, "WorksAt", "a", "y", 0);
    add_edge(&rows, "WorksAt", "b", "x", 0);
    add_edge(&rows, "WorksAt", "a", "x", 0);
    graph_load(g, og_buf_cstr(&rows));
    og_buf_deinit(&rows);
    return g;
}

TEST(test_hop__each_pair_once)
{
    graph *g = ring();
    graph_expect(g, "query q() { match { $p: Person $p knows $f } return { $p, $f } }", NULL,
                 "[\"a\",\"b\"]\n[\"a\",\"c\"]\n[\"b\",\"c\"]\n[\"c\",\"d\"]\n[\"d\",\"a\"]\n");
    graph_expect(g,
                 "query q() { match { $p: Person { slug: \"a\" } $p knows $f } "
                 "return { $f.slug, $f.age } }",
                 NULL, "[\"b\",20]\n[\"c\",30]\n");
    graph_expect(g,
                 "query q() { match { $p: Person { slug: \"a\" } $p knows $f } "
                 "return { count($f) as n } }",
                 NULL, "[2]\n");
    graph_expect(g, "query q() { match { $p: Person $p knows $f } return { count($f) as n } }",
                 NULL, "[5]\n");
    graph_free(g);
}

TEST(test_hop__follows_edges_back)
{
    graph *g = ring();
    graph_expect(g, "query q() { match { $c: Company $p worksAt $c } return { $c, $p } }", NULL,
                 "[\"x\",\"b\"]\n[\"x\",\"a\"]\n[\"y\",\"a\"]\n");
    graph_expect(g,
                 "query q() { match { $c: Company { slug: \"x\" } $p worksAt $c $p knows $f } "
                 "return { $p, $f } }",
                 NULL, "[\"b\",\"c\"]\n[\"a\",\"b\"]\n[\"a\",\"c\"]\n");
    graph_free(g);
}

TEST(test_hop__breadth_first_by_smallest_distance)
{
    graph *g = ring();
    static const char q[] = "query q() { match { $p: Person { slug: \"a\" } $p knows{%s} $f } "
                            "return { $f } }";
    static const struct {
        const char *bounds, *rows;
    } cases[] = {{"1,1", "[\"b\"]\n[\"c\"]\n"},
                 {"1,2", "[\"b\"]\n[\"c\"]\n[\"d\"]\n"},
                 {"2,2", "[\"d\"]\n"},
                 {"2,3", "[\"d\"]\n"},
                 {"3,9", ""}};
    for (size_t i = 0; i < 5; i++) {
        char query[256];
        snprintf(query, sizeof query, q, cases[i].bounds);
        graph_expect(g, query, NULL, cases[i].rows);
    }
    graph_expect(g,
                 "query q() { match { $p: Person $p knows{1,3} $f } "
                 "return { $p.slug as s, count($f) as n } }",
                 NULL, "[\"a\",3]\n[\"b\",3]\n[\"c\",3]\n[\"d\",3]\n");
    graph_free(g);
}

TEST(test_hop__different_types_have_no_longer_paths)
{
    graph *g = ring();
    graph_expect(g, "query q() { match { $p: Person $p worksAt{1,3} $c } return { $p, $c } }", NULL,
                 "[\"a\",\"y\"]\n[\"a\",\"x\"]\n[\"b\",\"x\"]\n");
    graph_expect(g, "query q() { match { $p: Person $p worksAt{2,3} $c } return { $p, $c } }", NULL,
                 "");
    graph_free(g);
}

TEST(test_hop__edge_variable_gives_each_edge)
{
    graph *g = ring();
    graph_expect(g, "query q() { match { $p: Person $p $e:knows $f } return { $p, $e.since, $f } }",
                 NULL,
                 "[\"a\",1,\"b\"]\n[\"a\",2,\"c\"]\n[\"a\",4,\"b\"]\n[\"b\",3,\"c\"]\n"
                 "[\"c\",5,\"d\"]\n[\"d\",6,\"a\"]\n");
    graph_expect(g,
                 "query q() { match { $p: Person $p $e:knows $f $e.since > 3 } "
                 "return { $p, $f } }",
                 NULL, "[\"a\",\"b\"]\n[\"c\",\"d\"]\n[\"d\",\"a\"]\n");
    graph_expect(
        g, "query q() { match { $p: Person $p $e:knows $f } return { count($e.since) as n } }",
        NULL, "[6]\n");
    graph_free(g);
}

TEST(test_hop__undirected_gives_each_neighbour_once)
{
    graph *g = ring();
    graph_expect(g,
                 "query q() { match { $p: Person { slug: \"a\" } $p <knows> $f } return { $f } }",
                 NULL, "[\"b\"]\n[\"c\"]\n[\"d\"]\n");
    graph_expect(g,
                 "query q() { match { $p: Person { slug: \"c\" } $p <knows> $f } return { $f } }",
                 NULL, "[\"d\"]\n[\"a\"]\n[\"b\"]\n");
    graph_expect(g,
                 "query q() { match { $p: Person { slug: \"e\" } $p <knows> $f } return { $f } }",
                 NULL, "");
    graph_free(g);
}

TEST(test_hop__closes_cycles)
{
    graph *g = ring();
    graph_expect(g,
                 "query q() { match { $a: Person $a knows $b $b knows $c $c knows $d $d knows $a } "
                 "return { $a, $b, $c, $d } }",
                 NULL,
                 "[\"a\",\"b\",\"c\",\"d\"]\n[\"b\",\"c\",\"d\",\"a\"]\n[\"c\",\"d\",\"a\",\"b\"]\n"
                 "[\"d\",\"a\",\"b\",\"c\"]\n");
    graph_expect(g,
                 "query q() { match { $a: Person $a knows $b $b knows{1,2} $a } "
                 "return { $a, $b } }",
                 NULL, "[\"a\",\"c\"]\n[\"c\",\"d\"]\n[\"d\",\"a\"]\n");
    graph_expect(g, "query q() { match { $a: Person $a knows $a } return { $a } }", NULL, "");
    graph_free(g);
}

TEST(test_hop__starts_from_a_key_at_the_far_end)
{
    graph *g = ring();
    const char *q =
        "query q($k: String) { match { $a: Person $a knows $b $b: Person { slug: $k } } "
        "return { $a, $b } }";
    graph_expect(g, q, "{\"k\":\"c\"}", "[\"a\",\"c\"]\n[\"b\",\"c\"]\n");
    graph_expect(g, q, "{\"k\":\"nobody\"}", "");
    graph_expect(g,
                 "query q() { match { $a: Person $a.age < 35 $a knows{1,3} $b $b: Person { slug: "
                 "\"d\" } } return { $a } }",
                 NULL, "[\"a\"]\n[\"b\"]\n[\"c\"]\n");
    graph_expect(g,
                 "query q() { match { $a: Person $a knows $b $b worksAt $c $c: Company { slug: "
                 "\"x\" } } return { $a, $b } }",
                 NULL, "[\"a\",\"b\"]\n[\"d\",\"a\"]\n");
    graph_free(g);
}

TEST(test_hop__filters_the_far_end)
{
    graph *g = ring();
    graph_expect(g,
                 "query q() { match { $a: Person $a knows $b $b.age > 20 } return { $a, $b.age } }",
                 NULL, "[\"a\",30]\n[\"b\",30]\n[\"c\",40]\n");
    graph_expect(g, "query q() { match { $a: Person $a knows $b $b.age < $a.age } return { $a } }",
                 NULL, "[\"d\"]\n");
    graph_free(g);
}

TEST(test_hop__sees_new_versions)
{
    graph *g = ring();
    const char *q = "query q() { match { $a: Person $a knows $b } return { $a, $b.age } }";
    (void)graph_run(g, q, NULL, NULL);
    graph_update(g, "Person", "c", "{\"slug\":\"c\",\"age\":99}");
    graph_load(g, "{\"type\":\"Person\",\"data\":{\"slug\":\"n\",\"age\":7}}"
                  "{\"edge\":\"Knows\",\"from\":\"n\",\"to\":\"a\",\"data\":{}}"
                  "{\"edge\":\"Knows\",\"from\":\"a\",\"to\":\"n\",\"data\":{}}");
    graph_expect(g, q, NULL,
                 "[\"a\",20]\n[\"a\",99]\n[\"a\",7]\n[\"b\",99]\n[\"d\",10]\n[\"c\",40]\n"
                 "[\"n\",10]\n");
    graph_delete(g, "Person", "b");
    graph_expect(g, q, NULL, "[\"a\",99]\n[\"a\",7]\n[\"d\",10]\n[\"c\",40]\n[\"n\",10]\n");
    graph_expect(g, "query q() { match { $a: Person $a knows $b } return { count($b) } }", NULL,
                 "[5]\n");
    graph_expect(g, "query q() { match { $a: Person not { $a knows $b } } return { $a } }", NULL,
                 "[\"e\"]\n");
    graph_free(g);
}

/* More rows than a vector, from many sources and from one; more ends than are looked through. */
TEST(test_hop__any_number_of_ends)
{
    static const int counts[] = {1, 16, 17, 2047, 2048, 2049, 8193};
    graph *g = graph_new(SCHEMA);
    og_buf rows = OG_BUF_INIT;
    char name[32], query[256], expected[64];
    for (int i = 0; i < 8193; i++) {
        snprintf(name, sizeof name, "p%d", i);
        add_person(&rows, name, i);
    }
    for (int c = 0; c < 7; c++) {
        char hub[32];
        snprintf(hub, sizeof hub, "hub%d", counts[c]);
        add_person(&rows, hub, -1);
        for (int i = 0; i < counts[c]; i++) {
            snprintf(name, sizeof name, "p%d", i);
            add_edge(&rows, "Knows", hub, name, 1);
            if (i % 3 == 0)
                add_edge(&rows, "Knows", hub, name, 2);
        }
    }
    graph_load(g, og_buf_cstr(&rows));
    for (int c = 0; c < 7; c++) {
        for (int counted = 0; counted < 2; counted++) {
            snprintf(query, sizeof query,
                     "query q() { match { $h: Person { slug: \"hub%d\" } $h knows $p } "
                     "return { %s as n } }",
                     counts[c], counted ? "count($p)" : "count($p.age)");
            snprintf(expected, sizeof expected, "[%d]\n", counts[c]);
            graph_expect(g, query, NULL, expected);
        }
        snprintf(query, sizeof query,
                 "query q() { match { $h: Person { slug: \"hub%d\" } $h knows $p } "
                 "return { sum($p.age) as n, sum($h.age) as m } }",
                 counts[c]);
        snprintf(expected, sizeof expected, "[%.17g,%d]\n", 0.5 * counts[c] * (counts[c] - 1),
                 -counts[c]);
        graph_expect(g, query, NULL, expected);
    }
    graph_expect(g,
                 "query q() { match { $h: Person $h knows $p $p.age >= 0 } "
                 "return { count($p) as n } }",
                 NULL, "[14371]\n");
    graph_expect(g,
                 "query q() { match { $h: Person $h knows $p $p.age < 5 } "
                 "return { count($p) as n } }",
                 NULL, "[31]\n");
    og_buf_deinit(&rows);
    graph_free(g);
}
