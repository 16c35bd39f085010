/* Schemas that compile: the IR file against recorded ones, and what the catalog says. */
#include "og_test.h"

#include <dirent.h>
#include <stdlib.h>

#include "base/buf.h"
#include "lang/schema.h"

static og_catalog *compile(const char *source)
{
    og_catalog *catalog = NULL;
    assert_ok(og_schema_compile(og_str_of(source), &catalog, err));
    return catalog;
}

static bool read_file(const char *name, const char *suffix, og_buf *out)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s", SCHEMA_DATA, name, suffix);
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    char chunk[4096];
    size_t len;
    while ((len = fread(chunk, 1, sizeof chunk, file)) > 0)
        og_buf_append(out, chunk, len);
    fclose(file);
    return !out->failed;
}

/* ---- recorded ----------------------------------------------------------------------------- */

/* NAME.ir.json: the IR, a line break, the hash. */
static void check_ir(const char *name, og_str source, og_str expected)
{
    OG_AUTO(og_catalog) catalog = NULL;
    OG_AUTO_BUF ir = OG_BUF_INIT;
    og_error err = {0};
    if (og_schema_compile_ir(source, &catalog, &ir, &err) != OG_OK)
        fail_msg("%s: %s", name, err.message);
    og_buf_printf(&ir, "\n%s\n", catalog->schema_hash);
    if (!og_str_eq(og_buf_view(&ir), expected))
        fail_msg("%s: IR differs:\n%s", name, og_buf_cstr(&ir));
}

/* NAME.frame: what a syntax error prints, behind "parse error: ". */
static void check_frame(const char *name, og_str source, og_str expected)
{
    OG_AUTO(og_catalog) catalog = NULL;
    og_error err = {0};
    assert_status(og_schema_compile(source, &catalog, &err), OG_INVALID);
    og_str frame = og_str_slice(expected, 0, expected.len - 1);
    og_str message = og_str_of(err.message), kind = OG_STR("parse error: ");
    assert_true(og_str_starts(message, kind));
    if (!og_str_eq(og_str_slice(message, kind.len, message.len), frame))
        fail_msg("%s: frame differs:\n%s", name, err.message);
}

/* Returns whether the file was a schema. */
static bool check_recorded(const char *file)
{
    char name[256];
    snprintf(name, sizeof name, "%s", file);
    char *dot = strrchr(name, '.');
    if (dot == NULL || strcmp(dot, ".pg") != 0)
        return false;
    *dot = '\0';
    OG_AUTO_BUF source = OG_BUF_INIT;
    OG_AUTO_BUF expected = OG_BUF_INIT;
    assert_true(read_file(name, ".pg", &source));
    if (read_file(name, ".ir.json", &expected))
        check_ir(name, og_buf_view(&source), og_buf_view(&expected));
    else if (read_file(name, ".frame", &expected))
        check_frame(name, og_buf_view(&source), og_buf_view(&expected));
    else
        fail_msg("%s.pg has no expected answer beside it", name);
    return true;
}

TEST(test_schema__recorded_answers)
{
    struct dirent **entries;
    int count = scandir(SCHEMA_DATA, &entries, NULL, alphasort), checked = 0;
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        checked += check_recorded(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    assert_true(checked >= 20);
}

TEST(test_schema__order_and_spacing_do_not_change_the_hash)
{
    OG_AUTO(og_catalog)
    a = compile("node A { x: I32 y: enum(b, a) @index @note }\n"
                "node B { k: String @key }\nedge E: A -> B");
    OG_AUTO(og_catalog)
    b = compile("edge E : A->B/* */node B{k:String@key}\n"
                "node A { y: enum(a,b) @note @index // here\n x: I32 }");
    assert_string_equal(a->schema_hash, b->schema_hash);
    OG_AUTO(og_catalog)
    c = compile("node A { x: I32? y: enum(b, a) @index @note }\n"
                "node B { k: String @key }\nedge E: A -> B");
    assert_string_not_equal(a->schema_hash, c->schema_hash);
}

/* ---- the catalog -------------------------------------------------------------------------- */

TEST(test_schema__types_of_properties)
{
    OG_AUTO(og_catalog)
    catalog =
        compile("node N { s: String? v: Vector(3) e: enum(b, a)? l: [I64]? b: Blob t: DateTime }");
    const og_type_def *n = og_catalog_node(catalog, OG_STR("N"));
    static const struct {
        const char *name, *type, *column;
    } expected[] = {
        {"b", "Blob", "struct<data: large_binary, uri: utf8>"},
        {"e", "enum(a, b)?", "utf8"},
        {"l", "[I64]?", "list<int64>"},
        {"s", "String?", "utf8"},
        {"t", "DateTime", "date64"},
        {"v", "Vector(3)", "fixed_size_list<float32, 3>"},
    };
    OG_AUTO(og_arena) arena = og_arena_new(0);
    assert_int_equal(n->property_count, 6);
    assert_int_equal(n->table_schema->field_count, 7);
    assert_str_is(n->table_schema->fields[0].name, "id");
    assert_false(n->table_schema->fields[0].nullable);
    for (uint32_t i = 0; i < 6; i++) {
        char column[64];
        const og_field *field = &n->table_schema->fields[i + 1];
        assert_str_is(n->properties[i].name, expected[i].name);
        assert_str_is(og_prop_type_name(arena, &n->properties[i].type), expected[i].type);
        assert_str_is(field->name, expected[i].name);
        assert_int_equal(field->nullable, n->properties[i].type.nullable);
        og_type_name(field->type, column, sizeof column);
        assert_string_equal(column, expected[i].column);
    }
}

TEST(test_schema__constraints_of_a_node)
{
    OG_AUTO(og_catalog)
    catalog = compile(
        "node N { b: String a: String n: F64 @range(n, ..1.5) @range(n, -2..3) @check(a, \"^x\")\n"
        "    @key(b, a) @unique(n, a) @index(n) }");
    const og_type_def *n = og_catalog_node(catalog, OG_STR("N"));
    assert_int_equal(n->key.count, 2);
    assert_str_is(n->key.names[0], "a");
    assert_int_equal(n->key_property, 0);
    assert_int_equal(n->index_count, 2);
    assert_str_is(n->indices[0].names[0], "n");
    assert_str_is(n->indices[1].names[0], "a");
    assert_int_equal(n->unique_count, 1);
    assert_str_is(n->uniques[0].names[0], "a");
    assert_int_equal(n->check_count, 1);
    assert_int_equal(n->checks[0].property, 0);
    assert_str_is(n->checks[0].pattern, "^x");
    assert_int_equal(n->range_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        const og_range_constraint *range = &n->ranges[i];
        assert_int_equal(range->property, 2);
        assert_true(range->has_max);
        if (!range->has_min) {
            assert_true(range->max.kind == OG_LIT_FLOAT && range->max.real == 1.5);
        } else {
            assert_int_equal(range->min.integer, -2);
            assert_int_equal(range->max.integer, 3);
        }
    }
}

TEST(test_schema__edges)
{
    OG_AUTO(og_catalog)
    catalog = compile("edge E: B -> A @card(1..3) { w: I32 @unique(src, w) }\n"
                      "node A {} node B {} edge F: A -> A @card(2..)\n"
                      "edge G: A -> B");
    const og_type_def *e = og_catalog_table(catalog, OG_STR("edge:E"));
    assert_true(e->is_edge && e->from_type == 1 && e->to_type == 0);
    assert_true(e->card_min == 1 && e->card_max == 3);
    assert_int_equal(e->table_schema->field_count, 4);
    assert_str_is(e->table_schema->fields[2].name, "dst");
    assert_str_is(e->uniques[0].names[0], "src");
    assert_int_equal(e->key_property, -1);
    const og_type_def *f = og_catalog_edge(catalog, OG_STR("F"));
    assert_true(f->card_min == 2 && f->card_max == UINT32_MAX);
    const og_type_def *g = og_catalog_edge(catalog, OG_STR("G"));
    assert_true(g->card_min == 0 && g->card_max == UINT32_MAX);
}

TEST(test_schema__interfaces_give_their_properties)
{
    OG_AUTO(og_catalog)
    catalog = compile("interface I { a: String @key b: I32? } interface J { b: I32? c: Date }\n"
                      "node N implements J, I, J { d: Bool }");
    const og_type_def *n = og_catalog_node(catalog, OG_STR("N"));
    assert_int_equal(n->property_count, 4);
    assert_int_equal(n->interface_count, 2);
    assert_str_is(n->interfaces[0], "I");
    assert_str_is(n->key.names[0], "a");
    assert_int_equal(catalog->interface_count, 2);
    assert_int_equal(catalog->interfaces[1].property_count, 2);
}

TEST(test_schema__embed_source)
{
    OG_AUTO(og_catalog)
    catalog = compile("node N { t: String v: Vector(2) @embed(t) w: Vector(2) @embed(\"t\") }");
    const og_type_def *n = og_catalog_node(catalog, OG_STR("N"));
    assert_str_is(n->properties[0].embed_source, "");
    assert_str_is(n->properties[1].embed_source, "t");
    assert_str_is(n->properties[2].embed_source, "t");
}

TEST(test_schema__defaults)
{
    OG_AUTO(og_catalog)
    catalog = compile(
        "node N { a: String @default(\"x\") b: I32 @default(\"-7\") c: F64 @default(2.5)\n"
        "    d: Bool @default(true) e: Date @default(\"2024-02-29\") f: enum(p, q) @default(q)\n"
        "    g: [I64] @default(\"[1, null]\") h: Vector(2) @default(\"[0.5, 1]\")\n"
        "    i: U64? @default(\"18446744073709551615\") j: String @default(\"\")\n"
        "    k: I32 @default(\"x\") l: I32 }");
    const og_property *p = og_catalog_node(catalog, OG_STR("N"))->properties;
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(p[i].has_default, i < 10);
    assert_str_is(p[0].default_value.text, "x");
    assert_int_equal(p[1].default_value.integer, -7);
    assert_true(p[2].default_value.real == 2.5);
    assert_true(p[3].default_value.boolean);
    assert_int_equal(p[4].default_value.integer, 19782);
    assert_str_is(p[5].default_value.text, "q");
    assert_int_equal(p[6].default_value.count, 2);
    assert_int_equal(p[6].default_value.items[0].integer, 1);
    assert_true(p[6].default_value.items[1].kind == OG_LIT_NULL);
    assert_int_equal(p[7].default_value.count, 2);
    assert_true(p[8].default_value.is_unsigned);
    assert_str_is(p[9].default_value.text, "");
}

/* ---- out of memory ------------------------------------------------------------------------ */

TEST(test_schema__every_failing_allocation_is_told)
{
    static const char source[] =
        "interface I { a: String @key }\n"
        "node N implements I { e: enum(b, a) v: Vector(2) @embed(a) n: I32 @default(3)\n"
        "    @range(n, 0..5) @check(a, \"x\") @unique(e, n) }\n"
        "edge E: N -> N @card(0..1) { w: [F64]? }\n";
    for (int64_t n = 0; n < 10000; n++) {
        og_catalog *catalog = NULL;
        OG_AUTO_BUF ir = OG_BUF_INIT;
        og_alloc_fail_after(n, false);
        og_status status = og_schema_compile_ir(og_str_of(source), &catalog, &ir, NULL);
        og_alloc_fail_after(-1, false);
        og_catalog_unref(catalog);
        if (status == OG_OK)
            return;
        assert_status(status, OG_NOMEM);
    }
    fail_msg("it never had enough memory");
}
