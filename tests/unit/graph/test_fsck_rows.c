/* What the schema says of rows, found in a graph whose rows were written when it said less;
 * and indices that are not of their rows. */
#include "graph/fsck.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"
#include "graph/schema_files.h"
#include "lance/index/btree.h"
#include "lang/schema.h"
#include "load_text.h"
#include "og_test.h"

#define P(data) "{\"type\":\"P\",\"data\":{" data "}}\n"
#define Q(data) "{\"type\":\"Q\",\"data\":{" data "}}\n"
#define E(id, from, to)                                                                            \
    "{\"edge\":\"E\",\"from\":\"" from "\",\"to\":\"" to "\",\"data\":{\"id\":\"" id "\"}}\n"

static const char loose[] = "node P {\n  id_is: String?\n  code: String?\n  n: I32?\n"
                            "  f: F64?\n  tags: [String]?\n}\n"
                            "node Q {\n  k: String?\n}\n"
                            "edge E: P -> Q\n";

/* A graph of the loose schema with these rows, which then gets another one. */
static void make(text_graph *g, const char *rows, const char *strict)
{
    OG_AUTO(og_catalog) catalog = NULL;
    OG_AUTO_BUF ir = OG_BUF_INIT;
    text_graph_init(g, loose);
    text_graph_load(g, OG_LOAD_APPEND, rows);
    assert_ok(og_schema_compile_ir(og_str_of(strict), &catalog, &ir, err));
    assert_ok(og_graph__schema_write(g->memory, og_str_of(strict), og_buf_view(&ir), catalog, err));
}

/* All findings, a line each: "unique node:P: message". */
static og_status take(void *context, const og_finding *finding, og_error *err)
{
    (void)err;
    const og_finding_class *class = &og_finding_classes[finding->kind];
    assert_true(og_str_of(class->advice).len > 20);
    og_buf_printf(context, "%s %.*s: %s\n", class->id, OG_FMT(finding->table_key),
                  finding->message);
    return OG_OK;
}

static int count_call(void *context, uint64_t rows)
{
    (void)context;
    static uint64_t last;
    assert_true(rows >= last || rows < 1000);
    last = rows;
    return 0;
}

static void finds(const text_graph *g, const char *expected)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    const og_repo_options options = {.store = g->memory, .clock = &g->clock.clock};
    const og_fsck_input input = {.found = take, .progress = count_call, .context = &out};
    og_fsck_output done;
    assert_ok(og_fsck_run("memory", &options, &input, &done, err));
    assert_string_equal(og_buf_cstr(&out), expected);
}

#define OPEN_GRAPH(name, rows, strict)                                                             \
    __attribute__((cleanup(text_graph_deinit))) text_graph name;                                   \
    make(&name, rows, strict)

/* The strict schema with P as given, and Q, E as given. */
#define STRICT(p, rest)                                                                            \
    "node P {\n  id_is: String?\n  code: String?\n  n: I32?\n  f: F64?\n  tags: [String]?\n" p     \
    "}\n" rest
#define Q_AND_E "node Q {\n  k: String?\n}\nedge E: P -> Q\n"

TEST(test_fsck_rows__unique_values)
{
    OPEN_GRAPH(g,
               P("\"code\":\"x\",\"n\":1") P("\"code\":\"y\",\"n\":1") P("\"code\":\"x\"") P("")
                   P("") P("\"code\":\"y\",\"n\":1"),
               STRICT("  @unique(code)\n  @unique(code, n)\n", Q_AND_E));
    finds(&g, "unique node:P: @unique violation on P.code: value 'x' stands in 2 rows\n"
              "unique node:P: @unique violation on P.code: value 'y' stands in 2 rows\n"
              "unique node:P: @unique violation on P.(code, n): value '(y, 1)' stands in 2 rows\n");
}

TEST(test_fsck_rows__more_violations_than_one_wants_to_read)
{
    OG_AUTO_BUF rows = OG_BUF_INIT;
    OG_AUTO_BUF expected = OG_BUF_INIT;
    for (int i = 0; i < 240; i++)
        og_buf_printf(&rows, P("\"n\":%d"), i / 2);
    OPEN_GRAPH(g, og_buf_cstr(&rows), STRICT("  @unique(n)\n", Q_AND_E));
    OG_AUTO_BUF out = OG_BUF_INIT;
    const og_repo_options options = {.store = g.memory, .clock = &g.clock.clock};
    const og_fsck_input input = {.found = take, .context = &out};
    og_fsck_output done;
    assert_ok(og_fsck_run("memory", &options, &input, &done, err));
    assert_int_equal(done.findings, 101);
    assert_non_null(
        strstr(og_buf_cstr(&out), "@unique violation on P.n: value: 20 more like this"));
}

TEST(test_fsck_rows__cardinality)
{
    OPEN_GRAPH(g,
               P("\"id\":\"p\"") P("\"id\":\"r\"") P("\"id\":\"s\"") P("\"id\":\"t\"")
                   Q("\"id\":\"q\"") E("1", "p", "q") E("2", "r", "q") E("3", "r", "q")
                       E("4", "s", "q") E("5", "s", "q") E("6", "s", "q") E("7", "s", "q"),
               STRICT("", "node Q {\n  k: String?\n}\nedge E: P -> Q @card(2..3)\n"));
    finds(&g, "card edge:E: @card violation on edge E: source 'p' has 1 edges (min 2)\n"
              "card edge:E: @card violation on edge E: source 's' has 4 edges (max 3)\n");
}

TEST(test_fsck_rows__values)
{
    OPEN_GRAPH(
        g,
        P("\"id\":\"1\",\"n\":1,\"f\":0.5,\"code\":\"AB\",\"id_is\":\"red\",\"tags\":[\"a\"]")
            P("\"id\":\"2\",\"n\":2,\"f\":1.5,\"code\":\"ab\",\"id_is\":\"blue\",\"tags\":[\"a\","
              "\"z\"]") P("\"id\":\"3\""),
        "node P {\n  id_is: enum(red, green)?\n  code: String?\n"
        "  n: I32\n  f: F64?\n  tags: [String]?\n  @range(f, 0.0..1.0)\n  @check(code, "
        "\"^[A-Z]+$\")\n}\n" Q_AND_E);
    finds(&g,
          "value node:P: row '2': @check violation on P.code: value 'ab' does not match pattern "
          "'^[A-Z]+$'\n"
          "value node:P: row '2': @range violation on P.f: value 1.5 > max 1\n"
          "value node:P: row '2': invalid enum value 'blue' for P.id_is (expected: green, red)\n"
          "value node:P: row '3': non-nullable property 'n' has null or invalid values\n");
}

TEST(test_fsck_rows__ids_that_are_no_keys)
{
    OPEN_GRAPH(g, Q("\"id\":\"a\",\"k\":\"a\"") Q("\"id\":\"b\",\"k\":\"c\""),
               STRICT("", "node Q {\n  k: String @key\n}\nedge E: P -> Q\n"));
    finds(&g, "value node:Q: row 'b': its id is not its @key\n");
}

TEST(test_fsck_rows__what_breaks_no_rule_is_clean)
{
    OPEN_GRAPH(g,
               P("\"id\":\"p\",\"n\":3,\"code\":\"AB\"") P("\"id\":\"r\",\"n\":4")
                   Q("\"id\":\"q\",\"k\":\"q\"") E("1", "p", "q") E("2", "p", "q"),
               "node P {\n  id_is: String?\n  code: String?\n  n: I32\n"
               "  f: F64?\n  tags: [String]?\n  @unique(n)\n  @unique(code)\n  @range(n, 3..4)\n  "
               "@check(code, \"^[A-Z]+$\")\n}\n"
               "node Q {\n  k: String @key\n}\nedge E: P -> Q @card(2..2)\n");
    finds(&g, "");
}

/* Repair, and say what was found. */
static void repair(const text_graph *g, og_buf *out, uint64_t repaired)
{
    const og_repo_options options = {.store = g->memory, .clock = &g->clock.clock};
    const og_fsck_input input = {.repair = true, .found = take, .context = out};
    og_fsck_output done;
    assert_ok(og_fsck_run("memory", &options, &input, &done, err));
    assert_int_equal(done.repaired, repaired);
}

TEST(test_fsck_rows__files_of_the_schema)
{
    OPEN_GRAPH(g, P(""), STRICT("", Q_AND_E));
    const og_bytes other = {(const uint8_t *)"{}", 2};
    const char *ir = "_schema.ir.json";
    assert_ok(g.memory->ops->put(g.memory, ir, other, err));
    finds(&g, "schema : _schema.ir.json is not what _schema.pg says\n");
    assert_ok(g.memory->ops->remove(g.memory, &ir, 1, err));
    finds(&g, "schema : _schema.ir.json is missing\n");

    OG_AUTO_BUF out = OG_BUF_INIT;
    repair(&g, &out, 1);
    finds(&g, "");

    assert_ok(g.memory->ops->put(g.memory, "__manifest/_refs/branches/__schema_apply_lock__.json",
                                 other, err));
    og_buf_clear(&out);
    repair(&g, &out, 0);
    assert_non_null(strstr(og_buf_cstr(&out), "schema-change : a change of the schema has left "));
}

TEST(test_fsck_rows__a_schema_state_without_its_version)
{
    OPEN_GRAPH(g, P(""), STRICT("", Q_AND_E));
    const char *name = OG_GRAPH__SCHEMA_STATE;
    OG_AUTO(og_blob) stored = NULL;
    OG_AUTO_BUF text = OG_BUF_INIT;
    assert_ok(g.memory->ops->get(g.memory, name, &stored, err));
    assert_true(og_buf_append(&text, stored->ptr, stored->len));
    char *at = strstr((char *)og_buf_cstr(&text), "format_version");
    assert_non_null(at);
    *at = 'F';
    assert_ok(g.memory->ops->put(g.memory, name, (og_bytes){text.ptr, text.len}, err));
    finds(&g, "schema : __schema_state.json does not say its version\n");

    OG_AUTO_BUF out = OG_BUF_INIT;
    repair(&g, &out, 1);
    finds(&g, "");
}

/* A version of Q's table with an index of its ids, published as it stands. */
static void publish_index(text_graph *g, const uint32_t *fragments, uint32_t count)
{
    OG_AUTO(og_txn) txn = NULL;
    const og_txn_options options = {.kind = "EnsureIndices"};
    og_lance_write *write;
    og_commit_result result;
    text_graph_reopen(g, OG_STORE_PASS);
    const og_type_def *def = og_catalog_node(og_repo_catalog(g->repo), OG_STR("Q"));
    assert_ok(og_txn_begin(g->repo, &options, &txn, err));
    assert_ok(og_txn_write(txn, def, OG_LANCE_INDEX, &write, err));
    assert_ok(og_lance_btree_build(write, 0, OG_STR("id_idx"), fragments, count, err));
    assert_ok(og_txn_commit(txn, &result, err));
}

static void remove_all(text_graph *g, const char *part)
{
    og_listing names = {0};
    assert_ok(g->memory->ops->list(g->memory, "nodes/", true, NULL, 0, &names, err));
    for (size_t i = 0; i < names.len; i++) {
        char name[300];
        const char *one = name;
        snprintf(name, sizeof name, "%.*s", OG_FMT(names.items[i].name));
        if (strstr(name, part) != NULL)
            assert_ok(g->memory->ops->remove(g->memory, &one, 1, err));
    }
    og_listing_deinit(&names);
}

static void finds_one(const text_graph *g, const char *part)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    const og_repo_options options = {.store = g->memory, .clock = &g->clock.clock};
    const og_fsck_input input = {.found = take, .context = &out};
    og_fsck_output done;
    assert_ok(og_fsck_run("memory", &options, &input, &done, err));
    assert_int_equal(done.findings, 1);
    assert_non_null(strstr(og_buf_cstr(&out), part));
}

TEST(test_fsck_rows__indices)
{
    OPEN_GRAPH(g, Q("\"id\":\"a\"") Q("\"id\":\"b\""), STRICT("", Q_AND_E));
    const uint32_t first = 0;
    publish_index(&g, &first, 1);
    finds(&g, "");
    remove_all(&g, "page_lookup");
    finds_one(&g, "index node:Q: ");
    finds_one(&g, "page_lookup.lance");
    remove_all(&g, "page_data");
    finds_one(&g, "index node:Q: index id_idx has no files in ");
}
