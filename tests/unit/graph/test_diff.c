/* Changes of one table: what tests/unit/api/test_diff.c does not reach - joining in parts,
 * tables that are missing on a side, failures. */
#include "graph/diff.h"

#include "graph/target.h"
#include "load_text.h"
#include "og_test.h"

static const char schema[] = "node P {\n  name: String @key\n  age: I32?\n  data: Blob?\n}\n";

static void add_people(og_buf *out, int first, int end, int step, int age)
{
    for (int i = first; i < end; i += step)
        og_buf_printf(
            out,
            "{\"type\":\"P\",\"data\":{\"name\":\"p%03d\",\"age\":%d,\"data\":\"base64:AAEC\"}}\n",
            i, age);
}

/* Two states: 200 people; then `mode` with every third of them anew and 10 more. */
typedef struct states {
    text_graph graph;
    og_snapshot *from, *to;
    const og_type_def *def;
} states;

static void make_states(states *s, og_load_mode_kind mode)
{
    OG_AUTO_BUF first = OG_BUF_INIT, second = OG_BUF_INIT;
    add_people(&first, 0, 200, 1, 1);
    add_people(&second, 0, 201, 3, 2);
    add_people(&second, 201, 211, 1, 1);
    text_graph_init(&s->graph, schema);
    text_graph_load(&s->graph, OG_LOAD_APPEND, og_buf_cstr(&first));
    assert_ok(og_repo_snapshot(s->graph.repo, NULL, &s->from, err));
    text_graph_load(&s->graph, mode, og_buf_cstr(&second));
    assert_ok(og_repo_snapshot(s->graph.repo, NULL, &s->to, err));
    s->def = og_catalog_node(s->to->catalog, OG_STR("P"));
}

static void drop_states(states *s)
{
    og_snapshot_unref(s->from);
    og_snapshot_unref(s->to);
    text_graph_deinit(&s->graph);
}
#define AUTO_STATES __attribute__((cleanup(drop_states))) states

static size_t count_kind(const og_table_changes *changes, og_change_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < changes->row_count; i++)
        n += changes->rows[i].kind == kind;
    return n;
}

TEST(test_diff__counts_and_columns)
{
    AUTO_STATES s = {0};
    make_states(&s, OG_LOAD_MERGE);
    OG_AUTO_TABLE_CHANGES changes = {0};
    assert_ok(og_table_changes_between(s.def, s.from, s.to, &changes, err));
    assert_int_equal(changes.reason, OG_LANCE_DELTA_EXACT);
    assert_int_equal(count_kind(&changes, OG_CHANGED_UPDATE), 67);
    assert_int_equal(count_kind(&changes, OG_CHANGED_INSERT), 10);
    assert_int_equal(changes.row_count, 77);
    const og_row_change *first = &changes.rows[0];
    assert_str_is(first->id, "p000");
    assert_true(og_row_change_has(first, 1)); /* id, age, data, name */
    assert_false(og_row_change_has(first, 2) || og_row_change_has(first, 3));

    OG_AUTO_TABLE_CHANGES none = {0};
    assert_ok(og_table_changes_between(s.def, s.to, s.to, &none, err));
    assert_int_equal(none.row_count, 0);
}

TEST(test_diff__a_side_without_the_table)
{
    AUTO_STATES s = {0};
    make_states(&s, OG_LOAD_MERGE);
    og_lance_table *table;
    assert_ok(og_snapshot_table(s.from, s.def, &table, err));
    OG_AUTO_TABLE_CHANGES came = {0};
    OG_AUTO_TABLE_CHANGES gone = {0};
    assert_ok(og_table_changes_find(s.def, NULL, table, NULL, &came, err));
    assert_ok(og_table_changes_find(s.def, table, NULL, NULL, &gone, err));
    assert_int_equal(count_kind(&came, OG_CHANGED_INSERT), 200);
    assert_int_equal(count_kind(&gone, OG_CHANGED_DELETE), 200);
    assert_int_equal(came.row_count + gone.row_count, 400);
}

static void expect_same(const og_table_changes *a, const og_table_changes *b)
{
    assert_int_equal(a->row_count, b->row_count);
    assert_int_equal(a->reason, b->reason);
    for (size_t i = 0; i < a->row_count; i++) {
        assert_int_equal(a->rows[i].kind, b->rows[i].kind);
        assert_true(og_str_eq(a->rows[i].id, b->rows[i].id));
        assert_int_equal(a->rows[i].from_slot, b->rows[i].from_slot);
        assert_int_equal(a->rows[i].to_slot, b->rows[i].to_slot);
    }
}

TEST(test_diff__parts_make_no_difference)
{
    const og_load_mode_kind modes[] = {OG_LOAD_MERGE, OG_LOAD_OVERWRITE};
    const size_t most[] = {1, 10, 100};
    for (int m = 0; m < 2; m++) {
        AUTO_STATES s = {0};
        make_states(&s, modes[m]);
        og_lance_table *from, *to;
        assert_ok(og_snapshot_table(s.from, s.def, &from, err));
        assert_ok(og_snapshot_table(s.to, s.def, &to, err));
        OG_AUTO_TABLE_CHANGES whole = {0};
        assert_ok(og_table_changes_find(s.def, from, to, NULL, &whole, err));
        assert_int_equal(whole.reason, m == 0 ? OG_LANCE_DELTA_EXACT : OG_LANCE_DELTA_OVERWRITTEN);
        for (int i = 0; i < 3; i++) {
            OG_AUTO_TABLE_CHANGES parts = {0};
            assert_ok(og_table_changes_find_in_parts(s.def, from, to, NULL, most[i], &parts, err));
            expect_same(&whole, &parts);
        }
    }
}

TEST(test_diff__out_of_memory_is_an_error)
{
    AUTO_STATES s = {0};
    make_states(&s, OG_LOAD_MERGE);
    for (int64_t n = 0;; n++) {
        OG_AUTO_TABLE_CHANGES changes = {0};
        og_alloc_fail_after(n, false);
        og_status status = og_table_changes_between(s.def, s.from, s.to, &changes, NULL);
        og_alloc_fail_after(-1, false);
        if (status == OG_OK)
            break;
        assert_status(status, OG_NOMEM);
        assert_null(changes.rows);
    }
}

TEST(test_diff__failing_reads_are_errors)
{
    for (uint64_t n = 0;; n++) {
        AUTO_STATES s = {0};
        make_states(&s, OG_LOAD_MERGE);
        text_graph *g = &s.graph;
        og_snapshot_unref(s.from);
        og_snapshot_unref(s.to);
        s.from = s.to = NULL;
        text_graph_reopen(g, OG_STORE_FAIL);
        const og_target before = {.kind = OG_TARGET_VERSION, .version = 2}, newest = {0};
        OG_AUTO_TABLE_CHANGES changes = {0};
        g->plan.at = g->plan.seen + n;
        og_status status = og_repo_snapshot_at(g->repo, &before, &s.from, NULL);
        if (status == OG_OK)
            status = og_repo_snapshot_at(g->repo, &newest, &s.to, NULL);
        if (status == OG_OK)
            status = og_table_changes_between(og_catalog_node(s.to->catalog, OG_STR("P")), s.from,
                                              s.to, &changes, NULL);
        uint64_t calls = g->plan.seen;
        bool reached = calls > g->plan.at;
        g->plan.at = UINT64_MAX;
        if (status == OG_OK) /* the call was for something that is not needed */
            assert_int_equal(changes.row_count, 77);
        if (!reached) {
            assert_status(status, OG_OK);
            break;
        }
    }
}
