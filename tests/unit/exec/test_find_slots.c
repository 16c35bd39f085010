#include "graph.h"

static const char SCHEMA[] = "node Person { slug: String @key age: I32? }\n"
                             "edge Knows: Person -> Person { since: I32? }\n";

static void expect_slots(graph *g, const og_type_def *def, int32_t property, const char *column,
                         og_cmp_op op, og_literal value, const char *expected)
{
    uint32_t *slots;
    size_t count;
    char text[128] = "";
    assert_ok(og_exec_find_slots(graph_snapshot(g), def, property, og_str_of(column), op, &value,
                                 &slots, &count, err));
    for (size_t i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%u ", slots[i]);
    assert_string_equal(text, expected);
    og_free(slots);
}

TEST(test_find_slots__by_property_id_and_end)
{
    graph *g = graph_new(SCHEMA);
    graph_load(g, "{\"type\":\"Person\",\"data\":{\"slug\":\"a\",\"age\":1}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"b\",\"age\":2}}"
                  "{\"type\":\"Person\",\"data\":{\"slug\":\"c\"}}"
                  "{\"edge\":\"Knows\",\"from\":\"a\",\"to\":\"b\",\"data\":{}}"
                  "{\"edge\":\"Knows\",\"from\":\"a\",\"to\":\"c\",\"data\":{}}");
    const og_type_def *person = og_catalog_node(graph_catalog(g), OG_STR("Person"));
    const og_type_def *knows = og_catalog_edge(graph_catalog(g), OG_STR("Knows"));
    og_literal a = {.kind = OG_LIT_STRING, .text = OG_STR("a")};
    og_literal c = {.kind = OG_LIT_STRING, .text = OG_STR("c")};
    og_literal one = {.kind = OG_LIT_INTEGER, .integer = 1};
    og_literal null = {.kind = OG_LIT_NULL};
    int32_t age = og_type_def_property(person, OG_STR("age"));
    int32_t slug = og_type_def_property(person, OG_STR("slug"));
    expect_slots(g, person, slug, "", OG_CMP_EQ, c, "2 ");
    expect_slots(g, person, slug, "", OG_CMP_NE, c, "0 1 ");
    expect_slots(g, person, -1, "id", OG_CMP_EQ, a, "0 ");
    expect_slots(g, person, age, "", OG_CMP_GE, one, "0 1 ");
    expect_slots(g, person, age, "", OG_CMP_NE, one, "1 ");
    expect_slots(g, person, age, "", OG_CMP_EQ, null, "");
    expect_slots(g, knows, -1, "src", OG_CMP_EQ, a, "0 1 ");
    expect_slots(g, knows, -1, "dst", OG_CMP_EQ, c, "1 ");
    graph_delete(g, "Person", "a");
    expect_slots(g, person, slug, "", OG_CMP_EQ, a, "");
    expect_slots(g, person, age, "", OG_CMP_GE, one, "1 ");
    graph_free(g);
}

TEST(test_find_slots__unknown_column)
{
    graph *g = graph_new(SCHEMA);
    const og_type_def *person = og_catalog_node(graph_catalog(g), OG_STR("Person"));
    og_literal null = {.kind = OG_LIT_NULL};
    uint32_t *slots;
    size_t count;
    og_error err = {0};
    assert_status(og_exec_find_slots(graph_snapshot(g), person, -1, OG_STR("src"), OG_CMP_EQ, &null,
                                     &slots, &count, &err),
                  OG_INVALID);
    assert_string_equal(err.message, "type 'Person' has no stored column 'src'");
    graph_free(g);
}
