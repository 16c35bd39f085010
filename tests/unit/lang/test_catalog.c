/* Looking up names in a catalog, and types by themselves. */
#include "og_test.h"

#include "lang/schema.h"

static og_catalog *catalog_of(const char *source)
{
    og_catalog *catalog = NULL;
    assert_ok(og_schema_compile(og_str_of(source), &catalog, err));
    return catalog;
}

static const char schema[] =
    "node Zebra { stripes: I32 name: String } node Ant {} node Mole {}\n"
    "edge Digs: Mole -> Mole edge WorksAt: Ant -> Mole edge Aa: Ant -> Ant edge AB: Ant -> Ant\n";

TEST(test_catalog__sorted_and_found)
{
    OG_AUTO(og_catalog) catalog = catalog_of(schema);
    static const char *const nodes[] = {"Ant", "Mole", "Zebra"};
    static const char *const edges[] = {"AB", "Aa", "Digs", "WorksAt"};
    for (uint32_t i = 0; i < 3; i++) {
        const og_type_def *def = og_catalog_node(catalog, og_str_of(nodes[i]));
        assert_non_null(def);
        assert_ptr_equal(def, &catalog->nodes[i]);
        assert_int_equal(def->index, i);
    }
    for (uint32_t i = 0; i < 4; i++)
        assert_ptr_equal(og_catalog_edge(catalog, og_str_of(edges[i])), &catalog->edges[i]);
    assert_null(og_catalog_node(catalog, OG_STR("ant")));
    assert_null(og_catalog_node(catalog, OG_STR("")));
    assert_null(og_catalog_edge(catalog, OG_STR("Ant")));
}

TEST(test_catalog__edges_without_case)
{
    OG_AUTO(og_catalog) catalog = catalog_of(schema);
    static const char *const names[] = {"ab", "aA", "digs", "worksat", "worksAt", "WORKSAT"};
    static const char *const found[] = {"AB", "Aa", "Digs", "WorksAt", "WorksAt", "WorksAt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_str_is(og_catalog_edge(catalog, og_str_of(names[i]))->name, found[i]);
    assert_null(og_catalog_edge(catalog, OG_STR("works")));
}

TEST(test_catalog__tables)
{
    OG_AUTO(og_catalog) catalog = catalog_of(schema);
    const og_type_def *zebra = og_catalog_table(catalog, OG_STR("node:Zebra"));
    assert_str_is(zebra->table_key, "node:Zebra");
    assert_str_is(zebra->table_path, "nodes/0d5e5a92f0a8290f");
    assert_int_equal(og_type_def_first_property(zebra), 1);
    const og_type_def *digs = og_catalog_table(catalog, OG_STR("edge:Digs"));
    assert_true(digs->is_edge);
    assert_int_equal(og_type_def_first_property(digs), 3);
    assert_null(og_catalog_table(catalog, OG_STR("edge:digs")));
    assert_null(og_catalog_table(catalog, OG_STR("edge:Zebra")));
    assert_null(og_catalog_table(catalog, OG_STR("Zebra")));
}

TEST(test_catalog__properties)
{
    OG_AUTO(og_catalog) catalog = catalog_of(schema);
    const og_type_def *zebra = og_catalog_node(catalog, OG_STR("Zebra"));
    assert_int_equal(og_type_def_property(zebra, OG_STR("name")), 0);
    assert_int_equal(og_type_def_property(zebra, OG_STR("stripes")), 1);
    assert_int_equal(og_type_def_property(zebra, OG_STR("id")), -1);
}

TEST(test_catalog__near_names)
{
    OG_AUTO(og_catalog) catalog = catalog_of(schema);
    assert_str_is(og_catalog_nearest_node(catalog, OG_STR("Zebar")), "Zebra");
    assert_str_is(og_catalog_nearest_node(catalog, OG_STR("Giraffe")), "");
    assert_str_is(og_catalog_nearest_edge(catalog, OG_STR("workAt")), "WorksAt");
    const og_type_def *zebra = og_catalog_node(catalog, OG_STR("Zebra"));
    assert_str_is(og_type_def_nearest_property(zebra, OG_STR("stripe")), "stripes");
    assert_str_is(og_type_def_nearest_property(zebra, OG_STR("")), "");
}

TEST(test_catalog__empty)
{
    OG_AUTO(og_catalog) catalog = catalog_of("");
    assert_int_equal(catalog->node_count + catalog->edge_count + catalog->interface_count, 0);
    assert_null(og_catalog_node(catalog, OG_STR("N")));
    assert_null(og_catalog_edge(catalog, OG_STR("N")));
}

TEST(test_catalog__counted)
{
    OG_AUTO(og_catalog) catalog = catalog_of(schema);
    og_catalog_unref(og_catalog_ref(catalog));
    assert_str_is(catalog->nodes[0].name, "Ant");
    og_catalog_unref(NULL);
}

TEST(test_types__equal_and_named)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_str red[] = {OG_STR("blue"), OG_STR("red")}, blue[] = {OG_STR("blue")};
    og_prop_type a = {.is_enum = true, .enum_count = 2, .enum_values = red}, b = a;
    assert_true(og_prop_type_eq(&a, &b));
    b.enum_values = blue;
    b.enum_count = 1;
    assert_false(og_prop_type_eq(&a, &b));
    assert_true(og_prop_type_has_value(&a, OG_STR("red")));
    assert_false(og_prop_type_has_value(&a, OG_STR("green")));
    og_prop_type v = {.scalar = OG_SCALAR_VECTOR, .dim = 3}, w = {.scalar = OG_SCALAR_VECTOR};
    assert_false(og_prop_type_eq(&v, &w));
    assert_str_is(og_prop_type_name(arena, &v), "Vector(3)");
    og_scalar scalar;
    assert_true(og_scalar_parse(OG_STR("DateTime"), &scalar));
    assert_int_equal(scalar, OG_SCALAR_DATETIME);
    assert_false(og_scalar_parse(OG_STR("Vector"), &scalar));
}
