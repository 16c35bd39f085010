/* Variables that only an equality joins: the rows of the cross product, in its order. */
#include "graph.h"

static const char SCHEMA[] =
    "node Left { slug: String @key n: I32? t: String? d: Date? f: F64? }\n"
    "node Right { slug: String @key n: I32? t: String? d: Date? f: F64? }\n";

enum { LEFT = 40, RIGHT = 5000 };

/* Values of row i, -1 = null: few of them, so that rows have many partners. */
static int value_of(bool right, int i)
{
    int v = right ? (i * 7) % 31 : (i * 3) % 37;
    return v % 11 == 10 ? -1 : v;
}

static void append_rows(og_buf *out, const char *type, bool right, int count)
{
    for (int i = 0; i < count; i++) {
        int v = value_of(right, i);
        og_buf_printf(out, "{\"type\":\"%s\",\"data\":{\"slug\":\"%c%d\"", type, right ? 'r' : 'l',
                      i);
        if (v >= 0)
            og_buf_printf(out, ",\"n\":%d,\"t\":\"text %d\",\"d\":%d,\"f\":%d.5", v, v, v, v);
        og_buf_text(out, "}}\n");
    }
}

static graph *make_graph(void)
{
    graph *g = graph_new(SCHEMA);
    og_buf rows = OG_BUF_INIT;
    append_rows(&rows, "Left", false, LEFT);
    append_rows(&rows, "Right", true, RIGHT);
    graph_load(g, og_buf_cstr(&rows));
    og_buf_deinit(&rows);
    return g;
}

static void expect_pairs(graph *g, const char *condition)
{
    char query[256];
    og_buf expected = OG_BUF_INIT;
    for (int i = 0; i < LEFT; i++)
        for (int k = 0; k < RIGHT; k++)
            if (value_of(false, i) >= 0 && value_of(false, i) == value_of(true, k))
                og_buf_printf(&expected, "[\"l%d\",\"r%d\"]\n", i, k);
    snprintf(query, sizeof query,
             "query q() { match { $a: Left $b: Right %s } return { $a.slug as a, $b.slug as b } }",
             condition);
    graph_expect(g, query, NULL, og_buf_cstr(&expected));
    og_buf_deinit(&expected);
}

TEST(test_join__pairs_in_the_order_of_the_product)
{
    graph *g = make_graph();
    expect_pairs(g, "$a.n = $b.n");
    expect_pairs(g, "$b.t = $a.t");
    expect_pairs(g, "$b.d = $a.d");
    expect_pairs(g, "$a.f = $b.f"); /* floats are compared pair by pair */
    expect_pairs(g, "$a.n = $b.n $a.t = $b.t");
    graph_free(g);
}

TEST(test_join__other_conditions_hold_too)
{
    graph *g = make_graph();
    graph_expect(g,
                 "query q() { match { $a: Left $b: Right $a.slug = \"l1\" $b.n = $a.n $b.n > 3 } "
                 "return { count($b) as n } }",
                 NULL, "[0]\n");
    graph_expect(g,
                 "query q() { match { $a: Left { slug: \"l2\" } $b: Right $b.n = $a.n $b.slug < "
                 "\"r115\" } return { $b.slug } }",
                 NULL, "[\"r1015\"]\n[\"r1046\"]\n[\"r1077\"]\n[\"r1108\"]\n[\"r1139\"]\n");
    graph_free(g);
}

TEST(test_join__inside_not)
{
    graph *g = make_graph();
    og_buf expected = OG_BUF_INIT;
    for (int i = 0; i < LEFT; i++) {
        bool found = false;
        for (int k = 0; k < RIGHT; k++)
            found |= value_of(false, i) >= 0 && value_of(false, i) == value_of(true, k);
        if (!found)
            og_buf_printf(&expected, "[\"l%d\"]\n", i);
    }
    graph_expect(
        g, "query q() { match { $a: Left not { $b: Right $b.n = $a.n } } return { $a.slug } }",
        NULL, og_buf_cstr(&expected));
    og_buf_deinit(&expected);
    graph_free(g);
}

TEST(test_join__is_explained_and_accounted)
{
    graph *g = make_graph();
    const char *query = "query q() { match { $a: Left $b: Right $b.n = $a.n } "
                        "return { count($b) as n } }";
    const char *text = graph_explain(g, query, NULL, false, false);
    assert_non_null(strstr(text, "Join $b: Right by $b.n = $a.n"));
    og_budget budget = {.limit = 100000};
    og_exec_options options = {.budget = &budget};
    text = graph_run(g, query, NULL, &options);
    assert_non_null(strstr(text, "error: memory limit: join needs "));
    for (int64_t n = 0; n < 400; n += 3) /* whichever allocation fails */
        (void)graph_run_failing(g, query, n);
    graph_free(g);
}
