#include "graph.h"

#include <stdlib.h>

#include "columnar/compare.h"

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

/* ---- many rows: dictionaries, several fragments, deleted rows -------------------------------- */

static void append_people(og_buf *out, int from, int to)
{
    for (int i = from; i < to; i++)
        og_buf_printf(out,
                      "{\"type\":\"Person\",\"data\":{\"slug\":\"p%d\"}}"
                      "{\"edge\":\"Knows\",\"from\":\"p%d\",\"to\":\"p%d\","
                      "\"data\":{\"id\":\"e%d\"}}",
                      i, i % 300, (i * 7) % 50, i);
}

static og_status is_text(void *context, const og_array *values, og_mask *out, og_error *err)
{
    const og_datum value = {.type = OG_TYPE_UTF8, .str = *(const og_str *)context};
    return og_compare_datum(values, OG_COMPARE_EQ, &value, out, err);
}

/* Slots with this text, by a plain scan. */
static size_t scan_for(og_lance_table *table, const char *column, og_str wanted, uint32_t *out)
{
    uint32_t field = (uint32_t)og_lance_table_find_field(table, og_str_of(column));
    OG_AUTO(og_lance_scan) scan = NULL;
    assert_ok(og_lance_scan_open(table, &field, 1, 0, UINT32_MAX, &scan, err));
    for (size_t count = 0;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        assert_ok(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return count;
        for (int64_t i = 0; i < batch.row_count; i++) {
            out[count] = slots[i];
            count += og_str_eq(og_array_str(batch.columns[0], i), wanted);
        }
    }
}

static int compare_slots(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* What a topology at hand knows, with a scan of the rest, is what a scan of all finds. */
static void expect_ends(graph *g, const og_type_def *knows, bool at_src, bool known)
{
    static uint32_t wanted[30000];
    og_lance_table *table;
    assert_ok(og_snapshot_table(graph_snapshot(g), knows, &table, err));
    const char *column = at_src ? "src" : "dst";
    uint32_t field = (uint32_t)og_lance_table_find_field(table, og_str_of(column));
    for (int i = 0; i < 320; i += 7) {
        char text[16];
        snprintf(text, sizeof text, "p%d", i);
        og_str id = og_str_of(text);
        size_t count = scan_for(table, column, id, wanted), rest_count;
        og_incident found;
        uint32_t *rest;
        assert_ok(og_snapshot_incident(graph_snapshot(g), knows, at_src, &id, 1, &found, err));
        assert_int_equal(found.scan_from > 0, known);
        assert_ok(
            og_lance_find(table, field, found.scan_from, is_text, &id, &rest, &rest_count, err));
        assert_int_equal(found.slot_count + rest_count, count);
        if (found.slot_count > 0)
            assert_memory_equal(found.slots, wanted, found.slot_count * sizeof *wanted);
        if (rest_count > 0)
            assert_memory_equal(rest, wanted + found.slot_count, rest_count * sizeof *wanted);
        og_free(found.slots);
        og_free(rest);
    }
}

/* Asked for at once: each slot of any of them, once, ascending. */
static void expect_ends_of_several(graph *g, const og_type_def *knows, bool at_src)
{
    const og_str ids[] = {OG_STR("p7"), OG_STR("p1"), OG_STR("none"), OG_STR("p7"), OG_STR("p49")};
    og_incident all;
    size_t sum = 0;
    assert_ok(og_snapshot_incident(graph_snapshot(g), knows, at_src, ids, 5, &all, err));
    for (int i = 0; i < 5; i++) {
        og_incident one;
        assert_ok(og_snapshot_incident(graph_snapshot(g), knows, at_src, &ids[i], 1, &one, err));
        sum += i == 3 ? 0 : one.slot_count; /* the same as the first */
        for (size_t j = 0; j < one.slot_count; j++)
            assert_non_null(bsearch(&one.slots[j], all.slots, all.slot_count, sizeof *all.slots,
                                    compare_slots));
        og_free(one.slots);
    }
    assert_int_equal(all.slot_count, sum);
    og_free(all.slots);
}

TEST(test_find_slots__ends_by_an_older_topology)
{
    graph *g = graph_new(SCHEMA);
    const og_type_def *knows = og_catalog_edge(graph_catalog(g), OG_STR("Knows"));
    og_buf rows = OG_BUF_INIT;
    append_people(&rows, 0, 20000);
    graph_load(g, og_buf_cstr(&rows));
    graph_delete(g, "Knows", "e17");
    expect_ends(g, knows, true, false); /* nothing at hand: nothing is built */
    OG_AUTO(og_topology) topology = NULL;
    graph_save_derived(g);
    assert_ok(og_snapshot_topology(graph_snapshot(g), knows, OG_TOPO_OUT, &topology, NULL, err));
    expect_ends(g, knows, true, true);
    expect_ends(g, knows, false, true);
    graph_forget(g); /* from here on by the packed numbers of its file */
    expect_ends(g, knows, true, true);
    expect_ends(g, knows, false, true);
    og_buf_clear(&rows);
    append_people(&rows, 20000, 21000);
    graph_load(g, og_buf_cstr(&rows));
    graph_delete(g, "Knows", "e14");
    graph_delete(g, "Knows", "e20006");
    expect_ends(g, knows, true, true);
    expect_ends(g, knows, false, true);
    expect_ends_of_several(g, knows, true);
    expect_ends_of_several(g, knows, false);
    og_buf_deinit(&rows);
    graph_free(g);
}

/* Conditions on values that repeat, that are null, and that are gone. */
TEST(test_find_slots__by_dictionary_like_by_value)
{
    static uint32_t wanted[30000];
    graph *g = graph_new(SCHEMA);
    const og_type_def *knows = og_catalog_edge(graph_catalog(g), OG_STR("Knows"));
    og_buf rows = OG_BUF_INIT;
    append_people(&rows, 0, 20000);
    graph_load(g, og_buf_cstr(&rows));
    graph_delete(g, "Knows", "e49");
    og_lance_table *table;
    assert_ok(og_snapshot_table(graph_snapshot(g), knows, &table, err));
    for (int i = 0; i < 60; i += 7) {
        char text[16];
        snprintf(text, sizeof text, "p%d", i);
        og_literal value = {.kind = OG_LIT_STRING, .text = og_str_of(text)};
        uint32_t *slots;
        size_t count, expected = scan_for(table, "dst", value.text, wanted);
        assert_ok(og_exec_find_slots(graph_snapshot(g), knows, -1, OG_STR("dst"), OG_CMP_EQ, &value,
                                     &slots, &count, err));
        assert_int_equal(count, expected);
        if (count > 0)
            assert_memory_equal(slots, wanted, count * sizeof *slots);
        og_free(slots);
    }
    og_buf_deinit(&rows);
    graph_free(g);
}
