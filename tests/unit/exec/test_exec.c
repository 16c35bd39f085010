#include "graph.h"

#include "base/alloc.h"

static const char SCHEMA[] = "node Person { slug: String @key age: I32? city: String? }\n"
                             "edge Knows: Person -> Person { since: I32? }\n";

static graph *small(void)
{
    graph *g = graph_new(SCHEMA);
    graph_load(g, "{\"type\":\"Person\",\"data\":{\"slug\":\"a\",\"age\":3,\"city\":\"X\"}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"b\",\"age\":2}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"c\",\"age\":1,\"city\":\"Y\"}}"
                  "{\"edge\":\"Knows\",\"from\":\"a\",\"to\":\"b\",\"data\":{\"since\":1}}"
                  "{\"edge\":\"Knows\",\"from\":\"a\",\"to\":\"b\",\"data\":{\"since\":2}}"
                  "{\"edge\":\"Knows\",\"from\":\"b\",\"to\":\"c\",\"data\":{\"since\":3}}");
    return g;
}

static const char *const QUERIES[] = {
    "query q() { match { $p: Person $p.age > 1 } return { $p.city as c, $p.age, 1 } order { c } }",
    "query q() { match { $p: Person { slug: \"a\" } $p knows{1,2} $f } return { $f.age } limit 1 }",
    "query q() { match { $p: Person $p $e:knows $f } return { $f.city as c, count($e.since) as n, "
    "max($e.since) as m, avg($p.age) as a } order { n desc } }",
    "query q() { match { $p: Person $p knows $f $f: Person { slug: \"c\" } } return { $p } }",
    "query q() { match { $p: Person not { $p knows $f $f.age < $p.age not { $f knows $g } } } "
    "return { count($p) as n } }",
    "query q() { match { $a: Person $b: Person $a.city = $b.city } return { $a, $b } }",
};
#define QUERY_COUNT (sizeof QUERIES / sizeof QUERIES[0])

/* Each allocation in turn fails: an error, nothing lost, and the next run is right again. */
TEST(test_exec__survives_failed_allocations)
{
    graph *g = small();
    for (size_t q = 0; q < QUERY_COUNT; q++) {
        og_buf right = OG_BUF_INIT;
        og_buf_text(&right, graph_run(g, QUERIES[q], NULL, NULL));
        assert_int_not_equal(right.ptr[0], 'e');
        for (int64_t n = 0;; n++) {
            graph_forget(g);
            const char *got = graph_run_failing(g, QUERIES[q], n);
            if (strcmp(got, og_buf_cstr(&right)) == 0)
                break;
            assert_true(n < 20000);
        }
        assert_string_equal(graph_run(g, QUERIES[q], NULL, NULL), og_buf_cstr(&right));
        og_buf_deinit(&right);
    }
    graph_free(g);
}

/* One plan, two runs at once, and a run that is closed before its end. */
TEST(test_exec__plan_is_used_again)
{
    graph *g = small();
    og_program *program;
    og_plan *plan;
    assert_ok(og_program_compile(og_str_of(QUERIES[0]), NULL, (og_catalog *)graph_catalog(g),
                                 &program, err));
    assert_ok(og_plan_new(og_program_query(program), graph_catalog(g), &plan, err));
    uint32_t count;
    const og_result_column *columns = og_plan_columns(plan, &count);
    assert_int_equal(count, 3);
    assert_str_is(columns[0].name, "c");
    assert_str_is(columns[1].name, "p.age");
    assert_int_equal(columns[1].type.scalar, OG_SCALAR_I32);
    for (int round = 0; round < 3; round++) {
        og_exec *first, *second;
        og_exec_options options = {0};
        OG_AUTO_BATCH a = {0};
        OG_AUTO_BATCH b = {0};
        assert_ok(og_exec_open(plan, NULL, graph_snapshot(g), &options, &first, err));
        assert_ok(og_exec_open(plan, NULL, graph_snapshot(g), &options, &second, err));
        assert_ok(og_exec_next(first, &a, err));
        assert_int_equal(a.row_count, 2);
        og_exec_close(first);
        assert_ok(og_exec_next(second, &b, err));
        assert_int_equal(og_array_i32(b.columns[1], 0), 2);
        og_exec_close(second);
        assert_int_equal(og_array_i32(a.columns[1], 1), 3); /* outlives its run */
    }
    og_plan_free(plan);
    og_program_free(program);
    graph_free(g);
}

/* More columns, predicates, keys and aggregates than one take or one comparison holds. */
TEST(test_exec__wide_queries)
{
    enum { WIDTH = 20 };
    og_buf schema = OG_BUF_INIT, row = OG_BUF_INIT, where = OG_BUF_INIT, names = OG_BUF_INIT,
           order = OG_BUF_INIT, sums = OG_BUF_INIT, query = OG_BUF_INIT, expected = OG_BUF_INIT;
    og_buf_text(&schema, "node Wide { slug: String @key\n");
    for (int i = 0; i < WIDTH; i++) {
        const char *comma = i > 0 ? ", " : "";
        og_buf_printf(&schema, "c%d: I32\n", i);
        og_buf_printf(&row, ", \"c%d\": %d", i, i);
        og_buf_printf(&where, " $w.c%d = %d", i, i);
        og_buf_printf(&names, "%s$w.c%d", comma, i);
        og_buf_printf(&order, "%s$w.c%d desc", comma, i);
        og_buf_printf(&sums, "%smax($w.c%d) as m%d", comma, i, i);
        og_buf_printf(&expected, "%s%d", i > 0 ? "," : "[", i);
    }
    og_buf_text(&schema, "}\n");
    og_buf_text(&expected, "]\n");
    graph *g = graph_new(og_buf_cstr(&schema));
    og_buf_clear(&schema);
    og_buf_printf(&schema, "{\"type\":\"Wide\",\"data\":{\"slug\":\"a\"%s}}", og_buf_cstr(&row));
    graph_load(g, og_buf_cstr(&schema));
    og_buf_printf(&query, "query q() { match { $w: Wide%s } return { %s } order { %s } limit 5 }",
                  og_buf_cstr(&where), og_buf_cstr(&names), og_buf_cstr(&order));
    graph_expect(g, og_buf_cstr(&query), NULL, og_buf_cstr(&expected));
    og_buf_clear(&query);
    og_buf_printf(&query, "query q() { match { $w: Wide%s } return { %s } }", og_buf_cstr(&where),
                  og_buf_cstr(&sums));
    graph_expect(g, og_buf_cstr(&query), NULL, og_buf_cstr(&expected));
    og_buf *all[] = {&schema, &row, &where, &names, &order, &sums, &query, &expected};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        og_buf_deinit(all[i]);
    graph_free(g);
}
