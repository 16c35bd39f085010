/* Checks that need more than one row, through loads: among the records and against what is
 * stored. */
#include "load_text.h"
#include "og_test.h"

static const char schema[] = "node P {\n  k: String @key\n  code: String? @unique\n  a: String?\n"
                             "  b: F32?\n  @unique(a, b)\n}\n"
                             "node Q {\n  k: String @key\n}\n"
                             "edge E: P -> Q @card(0..2)\n"
                             "edge Two: P -> Q @card(2..)\n"
                             "edge S: P -> P {\n  n: I32?\n  @unique(n, src)\n}\n";

#define P(k, rest) "{\"type\":\"P\",\"data\":{\"k\":\"" k "\"" rest "}}\n"
#define Q(k) "{\"type\":\"Q\",\"data\":{\"k\":\"" k "\"}}\n"
#define EDGE(type, id, from, to, rest)                                                             \
    "{\"edge\":\"" type "\",\"from\":\"" from "\",\"to\":\"" to "\",\"data\":{\"id\":\"" id        \
    "\"" rest "}}\n"

static void start(text_graph *g, const char *text)
{
    text_graph_init(g, schema);
    text_graph_load(g, OG_LOAD_OVERWRITE, text);
}

/* ---- endpoints ---------------------------------------------------------------------------- */

TEST(test_constraints__ends_may_come_later_or_be_stored)
{
    text_graph g;
    start(&g, EDGE("E", "e", "p", "q", "") Q("q") P("p", ""));
    text_graph_load(&g, OG_LOAD_APPEND, EDGE("E", "f", "p2", "q", "") P("p2", ""));
    text_graph_load(&g, OG_LOAD_OVERWRITE, EDGE("E", "g", "p2", "q", ""));
    text_graph_deinit(&g);
}

TEST(test_constraints__missing_ends)
{
    text_graph g;
    start(&g, P("p", "") Q("q"));
    text_graph_refuses(&g, OG_LOAD_APPEND,
                       EDGE("E", "e", "p", "q", "") "\n" EDGE("E", "f", "p", "p", ""),
                       "edge E row 2: dst 'p' not found in Q", 3);
    text_graph_refuses(&g, OG_LOAD_MERGE, EDGE("E", "e", "", "q", ""),
                       "edge E row 1: src '' not found in P", 1);
    /* A stored node of a type that is replaced is gone. */
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, P("other", "") EDGE("E", "e", "p", "q", ""),
                       "edge E row 1: src 'p' not found in P", 2);
    /* The first by line, whatever the type. */
    text_graph_refuses(&g, OG_LOAD_APPEND,
                       EDGE("E", "e", "p", "x", "") EDGE("E", "f", "x", "q", ""),
                       "edge E row 1: dst 'x' not found in Q", 1);
    text_graph_deinit(&g);
}

TEST(test_constraints__many_ends)
{
    text_graph g;
    og_buf text = OG_BUF_INIT;
    start(&g, "");
    for (int i = 0; i < 10000; i++)
        og_buf_printf(&text, "{\"type\":\"P\",\"data\":{\"k\":\"p%d\"}}", i);
    og_buf_text(&text, Q("q"));
    assert_ok(text_graph_try(&g, OG_LOAD_APPEND, false, og_buf_view(&text), NULL, err));
    og_buf_clear(&text);
    for (int i = 0; i < 10000; i++)
        og_buf_printf(&text, "{\"edge\":\"E\",\"from\":\"p%d\",\"to\":\"q\"}\n", i);
    assert_ok(text_graph_try(&g, OG_LOAD_APPEND, false, og_buf_view(&text), NULL, err));
    og_buf_text(&text, "{\"edge\":\"E\",\"from\":\"p10000\",\"to\":\"q\"}\n");
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, og_buf_cstr(&text),
                       "edge E row 10001: src 'p10000' not found in P", 10001);
    og_buf_deinit(&text);
    text_graph_deinit(&g);
}

/* ---- dangling ----------------------------------------------------------------------------- */

TEST(test_constraints__overwrite_leaves_no_edge_dangling)
{
    text_graph g;
    start(&g,
          P("a", "") P("b", "") Q("q") EDGE("S", "s1", "a", "b", "") EDGE("S", "s2", "b", "a", "")
              EDGE("S", "s3", "b", "b", "") EDGE("E", "e", "a", "q", ""));
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, P("a", ""),
                       "replacing P would leave 3 stored edges of S without a node "
                       "(first ids: 's1', 's2', 's3')",
                       0);
    text_graph_refuses(&g, OG_LOAD_OVERWRITE, Q("z"),
                       "replacing Q would leave 1 stored edge of E without a node (first ids: 'e')",
                       0);
    text_graph_load(&g, OG_LOAD_OVERWRITE, P("b", "") P("a", "") P("c", ""));
    text_graph_load(&g, OG_LOAD_OVERWRITE,
                    P("c", "") EDGE("S", "s", "c", "c", "") Q("q") EDGE("E", "e", "c", "q", ""));
    text_graph_deinit(&g);
}

/* ---- unique ------------------------------------------------------------------------------- */

TEST(test_constraints__unique_among_records)
{
    text_graph g;
    start(&g, "");
    text_graph_refuses(&g, OG_LOAD_APPEND,
                       P("a", ",\"code\":\"x\"") P("b", "") P("c", ",\"code\":\"x\""),
                       "@unique violation on P.code: value 'x' appears in rows 1 and 3", 3);
    text_graph_refuses(
        &g, OG_LOAD_APPEND, P("a", ",\"a\":\"x\",\"b\":0.1") P("c", ",\"a\":\"x\",\"b\":0.1"),
        "@unique violation on P.(a, b): value '(x, 0.1)' appears in rows 1 and 2", 2);
    text_graph_refuses(
        &g, OG_LOAD_APPEND,
        P("a", "") EDGE("S", "s", "a", "a", ",\"n\":1") EDGE("S", "t", "a", "a", ",\"n\":1"),
        "@unique violation on S.(n, src): value '(1, a)' appears in rows 1 and 2", 3);
    text_graph_deinit(&g);
}

TEST(test_constraints__unique_is_the_tuple_and_null_exempts)
{
    text_graph g;
    start(&g, P("a", ",\"a\":\"x\",\"b\":1") P("b", ",\"a\":\"x\",\"b\":2")
                  P("c", ",\"a\":\"y\",\"b\":1") P("d", ",\"a\":\"x\"") P("e", ",\"a\":\"x\"")
                      P("f", ",\"code\":null") P("g", ""));
    text_graph_load(&g, OG_LOAD_APPEND, P("h", ",\"a\":\"x\"") P("i", ",\"b\":1"));
    text_graph_refuses(
        &g, OG_LOAD_APPEND, P("j", ",\"a\":\"x\",\"b\":2"),
        "@unique violation on P.(a, b): value '(x, 2)' is stored already, with id 'b'", 1);
    text_graph_deinit(&g);
}

TEST(test_constraints__unique_against_stored_rows)
{
    text_graph g;
    start(&g, P("a", ",\"code\":\"x\"") P("b", ",\"code\":\"y\""));
    text_graph_refuses(&g, OG_LOAD_APPEND, Q("q") P("c", ",\"code\":\"y\""),
                       "@unique violation on P.code: value 'y' is stored already, with id 'b'", 2);
    text_graph_refuses(&g, OG_LOAD_MERGE, P("a", ",\"code\":\"y\""), "is stored already", 1);
    /* A row never collides with the one it replaces, nor two that change places. */
    text_graph_load(&g, OG_LOAD_MERGE, P("a", ",\"code\":\"x\""));
    text_graph_load(&g, OG_LOAD_MERGE, P("a", ",\"code\":\"y\"") P("b", ",\"code\":\"x\""));
    text_graph_load(&g, OG_LOAD_OVERWRITE, P("z", ",\"code\":\"x\""));
    text_graph_deinit(&g);
}

/* ---- cardinality -------------------------------------------------------------------------- */

TEST(test_constraints__card_counts_records_and_stored_edges)
{
    text_graph g;
    start(&g, P("p", "") Q("a") Q("b") EDGE("E", "1", "p", "a", "") EDGE("E", "2", "p", "b", ""));
    text_graph_refuses(&g, OG_LOAD_APPEND, EDGE("E", "3", "p", "a", ""),
                       "@card violation on edge E: source 'p' has 3 edges (max 2)", 1);
    text_graph_refuses(&g, OG_LOAD_OVERWRITE,
                       EDGE("E", "3", "p", "a", "") EDGE("E", "4", "p", "a", "")
                           EDGE("E", "5", "p", "a", ""),
                       "source 'p' has 3 edges (max 2)", 3);
    text_graph_load(&g, OG_LOAD_MERGE, EDGE("E", "2", "p", "a", ""));
    text_graph_load(&g, OG_LOAD_OVERWRITE,
                    EDGE("E", "3", "p", "a", "") EDGE("E", "4", "p", "a", ""));
    text_graph_deinit(&g);
}

TEST(test_constraints__card_minimum_only_where_an_edge_is)
{
    text_graph g;
    start(&g, P("p", "") P("r", "") Q("a") EDGE("Two", "1", "p", "a", "")
                  EDGE("Two", "2", "p", "a", ""));
    text_graph_refuses(&g, OG_LOAD_APPEND, EDGE("Two", "3", "r", "a", ""),
                       "@card violation on edge Two: source 'r' has 1 edges (min 2)", 1);
    /* Moving one edge leaves the old source below. */
    text_graph_refuses(&g, OG_LOAD_MERGE,
                       EDGE("Two", "1", "r", "a", "") EDGE("Two", "3", "r", "a", ""),
                       "source 'p' has 1 edges (min 2)", 0);
    text_graph_load(&g, OG_LOAD_MERGE,
                    EDGE("Two", "1", "r", "a", "") EDGE("Two", "2", "r", "a", ""));
    text_graph_deinit(&g);
}
