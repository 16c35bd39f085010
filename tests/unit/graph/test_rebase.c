/* Two operations on one branch: before each store call of the one that changes or looks
 * for something, the other runs as a whole, as another process would. What comes out
 * must be what comes out of the one after the other, in either order. Operations on
 * different rows must both succeed. */
#include <stdlib.h>

#include "graph/load.h"
#include "graph/mutate.h"
#include "graph_fixture.h"
#include "lang/query.h"
#include "og_test.h"

static const char schema[] =
    "node P {\n  name: String @key\n  mail: String? @unique\n  n: I32?\n}\n"
    "node Q {\n  name: String @key\n}\n"
    "edge K: P -> P @card(0..2)\n"
    "edge L: P -> Q\n";
static const char seed[] = "{\"type\":\"P\",\"data\":{\"name\":\"a\",\"n\":1}}"
                           "{\"type\":\"P\",\"data\":{\"name\":\"b\",\"n\":2}}"
                           "{\"type\":\"P\",\"data\":{\"name\":\"c\",\"n\":3,\"mail\":\"m\"}}"
                           "{\"type\":\"Q\",\"data\":{\"name\":\"q\"}}"
                           "{\"edge\":\"K\",\"from\":\"a\",\"to\":\"b\",\"data\":{}}";

/* ---- one process -------------------------------------------------------------------------- */

typedef struct world {
    og_store *memory;
    fixture_clock clock;
} world;

static og_repo *open_repo(world *w, og_store *store)
{
    og_repo *repo;
    const og_repo_options options = {.store = store, .clock = &w->clock.clock};
    assert_ok(og_repo_open("memory", &options, &repo, err));
    return repo;
}

static og_status read_text(void *context, uint8_t *dst, size_t cap, size_t *out_len, og_error *err)
{
    (void)err;
    og_str *left = context;
    *out_len = left->len < cap ? left->len : cap;
    memcpy(dst, left->ptr, *out_len);
    *left = og_str_slice(*left, *out_len, left->len);
    return OG_OK;
}

static og_status load(og_repo *repo, og_load_mode_kind mode, const char *records, og_error *err)
{
    og_str text = og_str_of(records);
    const og_load_input input = {.mode = mode, .read = read_text, .read_context = &text};
    og_load_output out;
    OG_TRY(og_load_run(repo, &input, &out, err));
    og_load_output_deinit(&out);
    return OG_OK;
}

static og_status mutate(og_repo *repo, const char *statements, og_error *err)
{
    OG_AUTO_BUF source = OG_BUF_INIT;
    OG_AUTO(og_program) program = NULL;
    og_mutate_output out;
    og_buf_printf(&source, "query m() { %s }", statements);
    OG_TRY(og_program_compile(og_buf_view(&source), NULL, og_repo_catalog(repo), &program, err));
    const og_mutate_input input = {.query = og_program_query(program)};
    return og_mutate_run(repo, &input, &out, err);
}

/* "+…" appends records, "=…" merges them, "!…" overwrites; anything else is a mutation. */
static og_status run(world *w, og_store *store, const char *op, og_error *err)
{
    og_repo *repo = open_repo(w, store);
    og_status s = op[0] == '+'   ? load(repo, OG_LOAD_APPEND, op + 1, err)
                  : op[0] == '=' ? load(repo, OG_LOAD_MERGE, op + 1, err)
                  : op[0] == '!' ? load(repo, OG_LOAD_OVERWRITE, op + 1, err)
                                 : mutate(repo, op, err);
    og_repo_close(repo);
    return s;
}

static void world_init(world *w)
{
    assert_ok(og_store_open_memory(&w->memory, err));
    fixture_clock_init(&w->clock);
    const og_repo_options options = {.store = w->memory, .clock = &w->clock.clock};
    assert_ok(og_repo_init("memory", og_str_of(schema), false, &options, err));
    char records[sizeof seed + 1];
    snprintf(records, sizeof records, "+%s", seed);
    assert_ok(run(w, w->memory, records, err));
}

/* ---- what is there ------------------------------------------------------------------------ */

static og_status append_text(void *context, og_bytes bytes, og_error *err)
{
    return og_buf_append(context, bytes.ptr, bytes.len) ? OG_OK : og_error_nomem(err);
}

static int by_text(const void *a, const void *b)
{
    return og_str_cmp(*(const og_str *)a, *(const og_str *)b);
}

/* The export in order of its lines, without the ids of edges, which are made anew each time. */
static char *content(world *w)
{
    og_repo *repo = open_repo(w, w->memory);
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO_BUF text = OG_BUF_INIT;
    OG_AUTO_BUF sorted = OG_BUF_INIT;
    og_str lines[64];
    size_t count = 0;
    const og_export_input input = {.write = append_text, .write_context = &text};
    assert_ok(og_repo_snapshot(repo, NULL, &snapshot, err));
    assert_ok(og_export_run(snapshot, &input, err));
    og_str left = og_buf_view(&text);
    while (left.len > 0) {
        size_t end = og_str_find(left, OG_STR("\n"));
        og_str line = og_str_slice(left, 0, end);
        size_t id = og_str_find(line, OG_STR("\"id\":\""));
        bool is_edge = og_str_find(line, OG_STR("\"edge\"")) != SIZE_MAX;
        if (is_edge && id != SIZE_MAX)
            memset((char *)(uintptr_t)line.ptr + id + 6, '.', 26);
        lines[count++] = line;
        left = og_str_slice(left, end + 1, left.len);
    }
    qsort(lines, count, sizeof *lines, by_text);
    for (size_t i = 0; i < count; i++)
        og_buf_printf(&sorted, "%.*s\n", OG_FMT(lines[i]));
    og_snapshot_unref(OG_TAKE(snapshot));
    og_repo_close(repo);
    return og_strdup(og_buf_cstr(&sorted));
}

/* What two operations, one after the other, come to. */
typedef struct outcome {
    og_status first, second;
    char *content;
} outcome;

static outcome one_after_the_other(const char *first, const char *second)
{
    world w;
    og_error error;
    outcome o = {0};
    world_init(&w);
    o.first = run(&w, w.memory, first, &error);
    if (second != NULL)
        o.second = run(&w, w.memory, second, &error);
    o.content = content(&w);
    og_store_close(w.memory);
    return o;
}

/* ---- one between the calls of the other --------------------------------------------------- */

typedef struct meeting {
    world w;
    const char *theirs;
    uint64_t at, calls;
    bool met;
    og_status status; /* of theirs */
} meeting;

static og_store_fault meet(void *context, uint64_t call, const char *op, const char *name)
{
    meeting *m = context;
    (void)call;
    (void)name;
    /* What is read does not change; whether it is there does. */
    if (strncmp(op, "get", 3) != 0 && m->calls++ == m->at) {
        og_error error;
        m->met = true;
        m->status = run(&m->w, m->w.memory, m->theirs, &error);
    }
    return OG_STORE_PASS;
}

static bool is_as(const outcome *o, og_status first, og_status second, const char *text)
{
    return o->first == first && o->second == second && strcmp(o->content, text) == 0;
}

/* Returns false when the schedule is over. */
static bool meet_at(uint64_t at, const char *mine, const char *theirs, bool may_conflict,
                    const outcome *mine_first, const outcome *theirs_first,
                    const outcome *theirs_alone)
{
    meeting m = {.theirs = theirs, .at = at};
    og_store *watched;
    og_error error = {0};
    world_init(&m.w);
    assert_ok(og_store_wrap(m.w.memory, (og_store_hook){meet, &m}, 0, &watched, err));
    og_status status = run(&m.w, watched, mine, &error);
    if (m.met) {
        char *text = content(&m.w);
        bool fits = is_as(mine_first, status, m.status, text) ||
                    is_as(theirs_first, m.status, status, text);
        if (may_conflict && status == OG_CONFLICT)
            fits = m.status == theirs_alone->first && strcmp(text, theirs_alone->content) == 0;
        if (!fits)
            fail_msg("'%s' with '%s' before call %d: %d (%s), %d\n%s", mine, theirs, (int)at,
                     status, error.message, m.status, text);
        og_free(text);
        /* And the next write finds nothing in its way. */
        assert_ok(run(&m.w, m.w.memory, "insert P { name: \"next\" }", err));
    }
    og_store_close(watched);
    og_store_close(m.w.memory);
    return m.met;
}

static void check(const char *mine, const char *theirs, bool may_conflict)
{
    outcome mine_first = one_after_the_other(mine, theirs);
    outcome theirs_first = one_after_the_other(theirs, mine);
    outcome theirs_alone = one_after_the_other(theirs, NULL);
    /* Every other call, beginning with the first or the second in turn. */
    static uint64_t parity = 0;
    for (uint64_t at = parity ^= 1;
         meet_at(at, mine, theirs, may_conflict, &mine_first, &theirs_first, &theirs_alone);
         at += 2)
        assert_true(at < 1000);
    og_free(mine_first.content);
    og_free(theirs_first.content);
    og_free(theirs_alone.content);
}

/* Neither touches what the other decided: both go through. */
static void both_succeed(const char *mine, const char *theirs)
{
    outcome o = one_after_the_other(mine, theirs);
    assert_int_equal(o.first, OG_OK);
    assert_int_equal(o.second, OG_OK);
    og_free(o.content);
    check(mine, theirs, false);
    check(theirs, mine, false);
}

/* The one changes what the other decided: as if one came first. */
static void one_decides(const char *mine, const char *theirs)
{
    check(mine, theirs, false);
    check(theirs, mine, false);
}

#define P(fields) "{\"type\":\"P\",\"data\":{" fields "}}"
#define Q(name) "{\"type\":\"Q\",\"data\":{\"name\":\"" name "\"}}"
#define K(from, to) "{\"edge\":\"K\",\"from\":\"" from "\",\"to\":\"" to "\",\"data\":{}}"

TEST(test_rebase__writes_of_different_rows_all_go_through)
{
    static const char *const ops[] = {
        "insert P { name: \"x\", n: 7, mail: \"x@x\" }",
        "update P set { n: 20 } where name = \"b\"",
        "+" P("\"name\":\"y\"") K("y", "b"),
        "=" P("\"name\":\"c\",\"n\":30,\"mail\":\"m\"") P("\"name\":\"z\""),
        "insert K { from: \"c\", to: \"b\" }",
        "insert Q { name: \"r\" } insert L { from: \"b\", to: \"r\" }",
    };
    size_t count = sizeof ops / sizeof *ops;
    for (size_t i = 0; i < count; i++)
        both_succeed(ops[i], ops[(i + 1) % count]);
    both_succeed(ops[1], ops[3]);
}

TEST(test_rebase__the_same_row)
{
    one_decides("update P set { n: 10 } where name = \"a\"", "delete P where name = \"a\"");
    one_decides("update P set { n: 10 } where name = \"a\"", "update P set { n: 11 } where n > 0");
    one_decides("insert P { name: \"x\", n: 1 }", "insert P { name: \"x\", n: 2 }");
}

TEST(test_rebase__ends_of_edges)
{
    one_decides("delete P where name = \"c\"", "insert K { from: \"b\", to: \"c\" }");
    one_decides("delete Q where name = \"q\"", "insert L { from: \"b\", to: \"q\" }");
    both_succeed("insert L { from: \"b\", to: \"q\" }", "update P set { n: 5 } where name = \"b\"");
}

TEST(test_rebase__unique_values)
{
    one_decides("insert P { name: \"x\", mail: \"n\" }", "insert P { name: \"y\", mail: \"n\" }");
    one_decides("update P set { mail: null } where name = \"c\"",
                "insert P { name: \"x\", mail: \"m\" }");
}

TEST(test_rebase__cardinality)
{
    one_decides("insert K { from: \"a\", to: \"c\" }", "insert K { from: \"a\", to: \"a\" }");
    both_succeed("insert K { from: \"b\", to: \"c\" }", "insert K { from: \"c\", to: \"a\" }");
}

/* A type is replaced as a whole; what others write to other types goes through, and it does. */
TEST(test_rebase__overwriting_loads_of_other_types)
{
    static const char q_stays[] = "!" Q("q") Q("s");
    both_succeed(q_stays, "insert P { name: \"x\", n: 7, mail: \"x@x\" }");
    both_succeed(q_stays, "insert K { from: \"c\", to: \"b\" }");
    both_succeed(q_stays, "insert L { from: \"b\", to: \"q\" }");
    both_succeed("!" K("b", "c"), "update P set { n: 20 } where name = \"b\"");
    both_succeed("!" K("b", "c"), "insert L { from: \"b\", to: \"q\" }");
    both_succeed("!" K("b", "c"), q_stays);
}

/* What it rests on, or what rests on what it takes away. */
TEST(test_rebase__overwriting_loads_that_others_decide)
{
    check("!" Q("s"), "insert L { from: \"b\", to: \"q\" }", true);
    check("!" K("b", "c"), "delete P where name = \"c\"", true);
    check("!" K("b", "c"), "insert K { from: \"c\", to: \"b\" }", true);
    check("!" P("\"name\":\"a\"") P("\"name\":\"b\""), "insert L { from: \"c\", to: \"q\" }", true);
    check("!" P("\"name\":\"a\"") P("\"name\":\"b\""), "insert L { from: \"a\", to: \"q\" }", true);
    check("insert L { from: \"b\", to: \"q\" }", "!" Q("s"), false);
    check("insert Q { name: \"t\" }", "!" Q("q"), false);
}

/* A load can't be run again: it may tell of a conflict, then nothing of it is there. */
TEST(test_rebase__loads_of_the_same)
{
    static const char *const loads[] = {"+" P("\"name\":\"x\",\"n\":1"),
                                        "=" P("\"name\":\"a\",\"n\":10") P("\"name\":\"x\""),
                                        "+" P("\"name\":\"v\",\"mail\":\"x\"") K("v", "c"),
                                        "!" P("\"name\":\"a\",\"n\":7") P("\"name\":\"b\"")};
    static const char *const others[] = {"insert P { name: \"x\", n: 5 }",
                                         "delete P where name = \"c\"",
                                         "update P set { n: 12, mail: \"x\" } where name = \"a\"",
                                         "insert K { from: \"c\", to: \"b\" }"};
    size_t count = sizeof loads / sizeof *loads;
    for (size_t i = 0; i < count; i++) {
        check(loads[i], others[i], true);
        check(loads[i], others[(i + 2) % count], true);
        check(others[(i + 1) % count], loads[i], false);
    }
}
