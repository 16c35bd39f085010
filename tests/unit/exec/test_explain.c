#include "graph.h"

#include "base/json.h"

static const char SCHEMA[] = "node Person { slug: String @key age: I32? }\n"
                             "edge Knows: Person -> Person { since: I32? }\n";

static graph *pair(void)
{
    graph *g = graph_new(SCHEMA);
    graph_load(g, "{\"type\":\"Person\",\"data\":{\"slug\":\"a\",\"age\":1}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"b\",\"age\":2}}"
                  "{\"edge\":\"Knows\",\"from\":\"a\",\"to\":\"b\",\"data\":{}}");
    return g;
}

TEST(test_explain__shows_the_plan_before_it_runs)
{
    graph *g = pair();
    assert_string_equal(
        graph_explain(g,
                      "query q($k: String) { match { $p: Person { slug: $k } $p knows $f $f.age > "
                      "1 not { $f knows $x } } return { $f.age as a } order { a desc } limit 3 }",
                      "{\"k\":\"a\"}", false, false),
        "snapshot: branch main, version 7\n"
        "Top a; order a desc; limit 3\n"
        "  Anti join\n"
        "      Expand $f -Knows-> $x, any (not chosen yet)\n"
        "        Outer rows\n"
        "    Filter $f.age > 1\n"
        "      Expand $p -Knows-> $f (not chosen yet)\n"
        "        Point $p: Person\n");
    assert_string_equal(graph_explain(g,
                                      "query q() { match { $p: Person $p.age > 1 } "
                                      "return { count($p) as n } }",
                                      NULL, false, false),
                        "snapshot: branch main, version 7\n"
                        "Aggregate n\n"
                        "  Scan $p: Person, $p.age > 1 (by value)\n");
    graph_free(g);
}

TEST(test_explain__counts_after_the_run)
{
    graph *g = pair();
    const char *text = graph_explain(g,
                                     "query q() { match { $p: Person $p knows $f } "
                                     "return { $f.age as a } }",
                                     NULL, true, false);
    assert_non_null(strstr(text, "Project a  [rows 1, batches 1, "));
    assert_non_null(strstr(text, "Expand $p -Knows-> $f (scan)  [rows 1, batches 1, "));
    assert_non_null(strstr(text, "Nodes $p: Person  [rows 2, batches 1, "));
    assert_non_null(strstr(text, "Knows out: scan, because 2 vertices, no topology at hand\n"));
    assert_non_null(strstr(text, "store: "));
    graph_free(g);
}

TEST(test_explain__json_is_well_formed)
{
    graph *g = pair();
    for (int run = 0; run < 2; run++) {
        const char *text = graph_explain(g,
                                         "query q() { match { $p: Person not { $p knows $f } } "
                                         "return { $p.age as a } }",
                                         NULL, run != 0, true);
        og_arena *arena = og_arena_new(0);
        og_json root;
        assert_ok(og_json_parse(arena, og_str_of(text), &root, err));
        const og_json *plan = og_json_get(&root, "plan");
        assert_str_is(og_json_get_str(plan, "operator", OG_STR("")), "Project");
        const og_json *anti = og_json_get(plan, "input");
        assert_str_is(og_json_get_str(anti, "operator", OG_STR("")), "Anti join");
        assert_str_is(og_json_get_str(og_json_get(anti, "inner"), "operator", OG_STR("")),
                      "Expand");
        assert_non_null(og_json_get(&root, "choices"));
        assert_true((og_json_get(&root, "store") != NULL) == (run != 0));
        og_arena_free(arena);
    }
    graph_free(g);
}
