/* Merges: whatever store call fails in the middle, all of theirs is in ours or nothing;
 * what others write meanwhile is not lost; old violations of one side do not stand in the
 * way; what conflicts tell. The rule for rows is in test_merge_rows.c, whole programs of
 * branches are in tests/merge. */
#include "columnar/builder.h"
#include "graph/branch_ops.h"
#include "graph/cleanup.h"
#include "graph/load.h"
#include "graph/merge.h"
#include "graph/rowset.h"
#include "graph_fixture.h"
#include "og_test.h"

/* Longer than the time an operation is taken to be alive. */
#define LATER_US 60000000

#define SCHEMA                                                                                     \
    "node P { name: String @key\n age: I32? @range(age, 0..100)\n mail: String? @unique }\n"       \
    "edge K: P -> P @card(0..2)\n"

typedef struct world {
    og_store *store;
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

static og_status try_load(og_repo *repo, const char *branch, const char *text, og_error *err)
{
    og_str left = og_str_of(text);
    const og_load_input input = {
        .branch = branch, .mode = OG_LOAD_MERGE, .read = read_text, .read_context = &left};
    og_load_output out;
    OG_TRY(og_load_run(repo, &input, &out, err));
    og_load_output_deinit(&out);
    return OG_OK;
}

static void load(og_repo *repo, const char *branch, const char *text)
{
    assert_ok(try_load(repo, branch, text, err));
}

static og_status append_text(void *context, og_bytes bytes, og_error *err)
{
    return og_buf_append(context, bytes.ptr, bytes.len) ? OG_OK : og_error_nomem(err);
}

static og_buf export_of(og_repo *repo, const char *branch)
{
    og_buf out = OG_BUF_INIT;
    OG_AUTO(og_snapshot) snapshot = NULL;
    const og_export_input input = {.write = append_text, .write_context = &out};
    assert_ok(og_repo_snapshot(repo, branch, &snapshot, err));
    assert_ok(og_export_run(snapshot, &input, err));
    return out;
}

/* The export of a branch, by a process that knows nothing yet. */
static og_buf fresh_export(world *w, const char *branch)
{
    og_repo *repo = open_repo(w, w->store);
    og_buf out = export_of(repo, branch);
    og_repo_close(repo);
    return out;
}

static bool contains(const og_buf *text, const char *part)
{
    return og_str_find(og_buf_view(text), og_str_of(part)) != SIZE_MAX;
}

static void world_init(world *w, const char *base)
{
    assert_ok(og_store_open_memory(&w->store, err));
    fixture_clock_init(&w->clock);
    const og_repo_options options = {.store = w->store, .clock = &w->clock.clock};
    assert_ok(og_repo_init("memory", OG_STR(SCHEMA), false, &options, err));
    og_repo *repo = open_repo(w, w->store);
    load(repo, NULL, base);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    og_repo_close(repo);
}

static og_status try_merge(og_repo *repo, bool property_level, og_merge_output *out, og_error *err)
{
    const og_merge_input input = {.source = "b", .property_level = property_level};
    return og_merge_run(repo, &input, out, err);
}

static void merge_is(og_repo *repo, og_merge_outcome outcome)
{
    og_merge_output out = {0};
    assert_ok(try_merge(repo, false, &out, err));
    for (size_t i = 0; i < out.conflict_count; i++)
        print_message("%.*s\n", OG_FMT(out.conflicts[i].message));
    assert_int_equal(out.outcome, outcome);
    og_merge_output_deinit(&out);
}

/* Exactly one conflict, with this message. */
static void merge_conflicts(og_repo *repo, og_merge_conflict_kind kind, const char *message)
{
    og_merge_output out = {0};
    assert_ok(try_merge(repo, false, &out, err));
    assert_int_equal(out.outcome, OG_MERGE_CONFLICTS);
    assert_int_equal(out.conflict_count, 1);
    assert_int_equal(out.conflicts[0].kind, kind);
    assert_str_is(out.conflicts[0].message, message);
    assert_false(out.committed);
    og_merge_output_deinit(&out);
}

static void merge_into(og_repo *repo, const char *source, const char *target)
{
    og_merge_output out = {0};
    const og_merge_input input = {.source = source, .target = target};
    assert_ok(og_merge_run(repo, &input, &out, err));
    assert_int_not_equal(out.outcome, OG_MERGE_CONFLICTS);
    og_merge_output_deinit(&out);
}

/* ---- failures ----------------------------------------------------------------------------- */

#define BASE                                                                                       \
    "{\"type\":\"P\",\"data\":{\"name\":\"a\",\"age\":1}}{\"type\":\"P\",\"data\":{\"name\":"      \
    "\"b\"}}"                                                                                      \
    "{\"edge\":\"K\",\"from\":\"a\",\"to\":\"b\",\"data\":{\"id\":\"e\"}}"
#define THEIRS                                                                                     \
    "{\"type\":\"P\",\"data\":{\"name\":\"a\",\"age\":2}}{\"type\":\"P\",\"data\":{\"name\":"      \
    "\"n\"}}"                                                                                      \
    "{\"edge\":\"K\",\"from\":\"n\",\"to\":\"a\",\"data\":{\"id\":\"f\"}}"
#define OURS "{\"type\":\"P\",\"data\":{\"name\":\"o\",\"age\":7}}"

static void failing_world(world *w)
{
    world_init(w, BASE);
    og_repo *repo = open_repo(w, w->store);
    load(repo, "b", THEIRS);
    load(repo, NULL, OURS);
    og_repo_close(repo);
}

/* A merge through a store whose call number `at` fails. False when there are not that many. */
static bool merge_with_fault(world *w, uint64_t at, og_store_fault fault, og_status *out_status)
{
    og_store_fault_at plan = {.at = UINT64_MAX, .fault = fault};
    og_store *faulty = NULL;
    assert_ok(og_store_wrap(w->store, og_store_hook_at(&plan), 0, &faulty, err));
    og_repo *repo = open_repo(w, faulty);
    plan.at = plan.seen + at;
    og_error error;
    og_merge_output out = {0};
    *out_status = try_merge(repo, false, &out, &error);
    og_merge_output_deinit(&out);
    bool hit = plan.seen > plan.at;
    og_repo_close(repo);
    og_store_close(faulty);
    return hit;
}

/* All of theirs is in ours, or nothing; what ours had is there in any case. */
static bool is_merged(world *w)
{
    og_buf text = fresh_export(w, NULL);
    bool a = contains(&text, "\"age\":2"), n = contains(&text, "\"name\":\"n\""),
         f = contains(&text, "\"id\":\"f\"");
    assert_true(a == n && n == f);
    assert_true(contains(&text, "\"name\":\"o\"") && contains(&text, "\"id\":\"e\""));
    og_buf_deinit(&text);
    return a;
}

/* Whoever finished it, the commit says what was merged. */
static void check_commit(og_repo *repo)
{
    OG_AUTO(og_history) history = NULL;
    assert_ok(og_history_open(repo, NULL, &history, err));
    size_t count, merges = 0;
    const og_commit_info *commits = fixture_commits(history, &count);
    for (size_t i = 0; i < count; i++) {
        if (commits[i].merged_parent.len == 0)
            continue;
        merges++;
        assert_int_equal(commits[i].merged_branch_id.len, 32);
    }
    assert_true(merges > 0);
}

static void check_each_call(og_store_fault fault, bool lose_power)
{
    for (uint64_t at = 0;; at++) {
        world w;
        og_status status;
        failing_world(&w);
        bool hit = merge_with_fault(&w, at, fault, &status);
        if (lose_power)
            og_store_memory_crash(w.store, at);
        bool merged = is_merged(&w);
        if (status == OG_OK)
            assert_true(merged);
        else if (status != OG_UNKNOWN && fault != OG_STORE_CRASH)
            assert_false(merged);
        w.clock.now_us += LATER_US;
        og_repo *repo = open_repo(&w, w.store);
        og_merge_output out = {0};
        assert_ok(try_merge(repo, false, &out, err));
        if (merged)
            assert_int_equal(out.outcome, OG_MERGE_ALREADY_UP_TO_DATE);
        og_merge_output_deinit(&out);
        check_commit(repo);
        og_repo_close(repo);
        assert_true(is_merged(&w));
        og_store_close(w.store);
        if (!hit)
            break;
        assert_true(at < 2000);
    }
}

TEST(test_merge__each_call_fails)
{
    check_each_call(OG_STORE_FAIL, false);
}

TEST(test_merge__each_acknowledgement_is_lost)
{
    check_each_call(OG_STORE_LOST_ACK, false);
}

TEST(test_merge__each_call_is_undone_without_an_answer)
{
    check_each_call(OG_STORE_UNDONE, false);
}

TEST(test_merge__process_dies_at_each_call)
{
    check_each_call(OG_STORE_CRASH, false);
}

TEST(test_merge__power_goes_at_each_call)
{
    check_each_call(OG_STORE_CRASH, true);
}

TEST(test_merge__each_allocation_fails)
{
    world w;
    failing_world(&w);
    og_repo *repo = open_repo(&w, w.store);
    og_status status = OG_NOMEM;
    for (uint64_t n = 0; status != OG_OK; n++) {
        og_merge_output out = {0};
        og_error error;
        const og_merge_input input = {.source = "b", .preview = true};
        og_alloc_fail_after((int64_t)n, false);
        status = og_merge_run(repo, &input, &out, &error);
        og_alloc_fail_after(-1, false);
        og_merge_output_deinit(&out);
        if (status != OG_OK && status != OG_NOMEM)
            fail_msg("allocation %d: %s: %s", (int)n, og_status_id(status), error.message);
        assert_true(n < 100000);
    }
    og_repo_close(repo);
    og_store_close(w.store);
}

/* ---- others write meanwhile --------------------------------------------------------------- */

typedef struct overtaker {
    og_repo *repo; /* NULL once it has written */
    const char *branch, *text;
} overtaker;

static og_store_fault overtake(void *context, uint64_t call, const char *op, const char *name)
{
    overtaker *other = context;
    (void)call;
    if (other->repo != NULL && strcmp(op, "put_if_absent") == 0 &&
        og_str_find(og_str_of(name), OG_STR("/_versions/")) != SIZE_MAX) {
        og_repo *repo = other->repo;
        other->repo = NULL;
        load(repo, other->branch, other->text);
    }
    return OG_STORE_PASS;
}

/* Merge b into main while somebody writes `text` before the merge takes its first slot. */
static og_buf merge_overtaken(world *w, const char *branch, const char *text,
                              og_merge_outcome outcome)
{
    overtaker other = {0};
    og_store *watched = NULL;
    assert_ok(og_store_wrap(w->store, (og_store_hook){overtake, &other}, 0, &watched, err));
    og_repo *winner = open_repo(w, w->store), *repo = open_repo(w, watched);
    other = (overtaker){winner, branch, text};
    merge_is(repo, outcome);
    og_repo_close(repo);
    og_repo_close(winner);
    og_store_close(watched);
    return fresh_export(w, NULL);
}

TEST(test_merge__is_run_again_when_the_target_moved)
{
    world w;
    failing_world(&w);
    og_buf text =
        merge_overtaken(&w, NULL, "{\"type\":\"P\",\"data\":{\"name\":\"late\"}}", OG_MERGE_MERGED);
    assert_true(contains(&text, "\"late\"") && contains(&text, "\"age\":2"));
    og_buf_deinit(&text);
    assert_true(is_merged(&w));
    og_store_close(w.store);
}

TEST(test_merge__conflict_with_what_came_meanwhile_is_seen)
{
    world w;
    failing_world(&w);
    og_buf text = merge_overtaken(&w, NULL, "{\"type\":\"P\",\"data\":{\"name\":\"a\",\"age\":9}}",
                                  OG_MERGE_CONFLICTS);
    assert_true(contains(&text, "\"age\":9") && !contains(&text, "\"name\":\"n\""));
    og_buf_deinit(&text);
    og_store_close(w.store);
}

#define ROW(name, age) "{\"type\":\"P\",\"data\":{\"name\":\"" name "\",\"age\":" #age "}}\n"

/* Before one call of a merge others do something as a whole. */
typedef struct visitor {
    og_repo *repo;
    void (*visit)(og_repo *repo);
    uint64_t at, calls;
    bool came;
} visitor;

static og_store_fault visit_at(void *context, uint64_t call, const char *op, const char *name)
{
    visitor *other = context;
    (void)call;
    (void)op;
    (void)name;
    if (other->repo != NULL && other->calls++ == other->at) {
        other->came = true;
        other->visit(other->repo);
    }
    return OG_STORE_PASS;
}

static og_status merge_visited(world *w, const og_merge_input *input, visitor *other,
                               og_merge_outcome *out_outcome)
{
    og_store *watched = NULL;
    og_merge_output out = {0};
    assert_ok(og_store_wrap(w->store, (og_store_hook){visit_at, other}, 0, &watched, err));
    og_repo *winner = open_repo(w, w->store), *repo = open_repo(w, watched);
    other->repo = winner;
    og_status s = og_merge_run(repo, input, &out, NULL);
    *out_outcome = out.outcome;
    og_merge_output_deinit(&out);
    og_repo_close(repo);
    og_repo_close(winner);
    og_store_close(watched);
    return s;
}

static void merge_newer_source(og_repo *repo)
{
    load(repo, "b", ROW("n", 2));
    merge_into(repo, "b", "main");
    load(repo, NULL, ROW("n", 3));
}

static bool newer_source_was_merged_at(uint64_t at)
{
    world w;
    og_merge_outcome outcome;
    visitor other = {.visit = merge_newer_source, .at = at};
    const og_merge_input input = {.source = "b"};
    world_init(&w, ROW("x", 1));
    og_repo *repo = open_repo(&w, w.store);
    load(repo, "b", ROW("n", 1));
    load(repo, NULL, ROW("m", 1));
    og_repo_close(repo);
    assert_ok(merge_visited(&w, &input, &other, &outcome));
    if (outcome == OG_MERGE_CONFLICTS)
        fail_msg("conflicts after a merge of a newer source before call %d", (int)at);
    og_buf text = fresh_export(&w, NULL);
    assert_true(!other.came || contains(&text, "\"age\":3"));
    og_buf_deinit(&text);
    og_store_close(w.store);
    return other.came;
}

TEST(test_merge__newer_source_that_others_merge_meanwhile_is_no_conflict)
{
    for (uint64_t at = 0; newer_source_was_merged_at(at); at++)
        assert_true(at < 1000);
}

static void make_source_again(og_repo *repo)
{
    assert_ok(og_branch_remove(repo, "b", err));
    assert_ok(og_branch_make(repo, NULL, "b", err));
}

/* What is merged of the earlier b must not be taken for a merge of the later one. */
static bool source_was_made_again_at(uint64_t at)
{
    world w;
    og_merge_outcome outcome;
    visitor other = {.visit = make_source_again, .at = at};
    const og_merge_input input = {.source = "b", .target = "c"};
    world_init(&w, ROW("x", 1));
    og_repo *repo = open_repo(&w, w.store);
    assert_ok(og_branch_make(repo, NULL, "c", err));
    load(repo, "b", ROW("earlier", 1));
    load(repo, "b", ROW("earlier", 2));
    load(repo, NULL, ROW("later", 1));
    load(repo, "c", ROW("c", 1));
    og_status s = merge_visited(&w, &input, &other, &outcome);
    if (s != OG_OK && s != OG_NOT_FOUND)
        fail_msg("source made again before call %d: %s", (int)at, og_status_id(s));
    assert_true(s != OG_OK || outcome == OG_MERGE_MERGED);
    merge_into(repo, "b", "c");
    og_buf text = export_of(repo, "c");
    if (other.came && !contains(&text, "\"later\""))
        fail_msg("source made again before call %d: its rows are taken for merged", (int)at);
    og_buf_deinit(&text);
    og_repo_close(repo);
    og_store_close(w.store);
    return other.came;
}

TEST(test_merge__source_that_is_made_again_meanwhile_is_merged_as_one_of_both)
{
    for (uint64_t at = 0; source_was_made_again_at(at); at++)
        assert_true(at < 1000);
}

TEST(test_merge__source_that_moves_is_merged_as_it_was)
{
    world w;
    failing_world(&w);
    og_buf text =
        merge_overtaken(&w, "b", "{\"type\":\"P\",\"data\":{\"name\":\"late\"}}", OG_MERGE_MERGED);
    assert_true(!contains(&text, "\"late\"") && contains(&text, "\"age\":2"));
    og_buf_deinit(&text);
    og_repo *repo = open_repo(&w, w.store);
    merge_is(repo, OG_MERGE_MERGED);
    text = export_of(repo, NULL);
    assert_true(contains(&text, "\"late\""));
    og_buf_deinit(&text);
    og_repo_close(repo);
    og_store_close(w.store);
}

/* ---- violations of one side --------------------------------------------------------------- */

/* Write a row without any check, as a foreign writer might. */
static void force(og_repo *repo, const char *branch, const char *name, int64_t age,
                  const char *mail)
{
    const og_type_def *def = og_catalog_node(og_repo_catalog(repo), OG_STR("P"));
    const og_txn_options options = {.branch = branch, .kind = "Load"};
    OG_AUTO(og_txn) txn = NULL;
    og_lance_write *write;
    og_commit_result done;
    OG_AUTO_BATCH rows = {0};
    assert_ok(og_txn_begin(repo, &options, &txn, err));
    assert_ok(og_batch_init(&rows, 4, 1, err));
    OG_AUTO(og_builder) id = og_builder_new(og_type_of(OG_TYPE_UTF8));
    OG_AUTO(og_builder) ages = og_builder_new(og_type_of(OG_TYPE_I32));
    OG_AUTO(og_builder) mails = og_builder_new(og_type_of(OG_TYPE_UTF8));
    og_builder_str(id, og_str_of(name));
    og_builder_i64(ages, age);
    if (mail != NULL)
        og_builder_str(mails, og_str_of(mail));
    else
        og_builder_null(mails);
    /* Columns: id, age, mail, name. */
    assert_ok(og_builder_finish(id, &rows.columns[0], err));
    rows.columns[3] = og_array_ref(rows.columns[0]);
    assert_ok(og_builder_finish(ages, &rows.columns[1], err));
    assert_ok(og_builder_finish(mails, &rows.columns[2], err));
    assert_ok(og_txn_write(txn, def, OG_LANCE_APPEND, &write, err));
    assert_ok(og_lance_write_rows(write, &rows, NULL, err));
    assert_ok(og_txn_commit(txn, &done, err));
}

TEST(test_merge__values_shared_on_one_side_do_not_block)
{
    for (int side = 0; side < 2; side++) {
        world w;
        world_init(&w, BASE);
        og_repo *repo = open_repo(&w, w.store);
        const char *branch = side == 0 ? NULL : "b";
        force(repo, branch, "x", 1, "same");
        force(repo, branch, "y", 1, "same");
        load(repo, "b", OURS);
        load(repo, NULL, "{\"type\":\"P\",\"data\":{\"name\":\"q\"}}");
        merge_is(repo, OG_MERGE_MERGED);
        og_repo_close(repo);
        og_store_close(w.store);
    }
}

TEST(test_merge__values_shared_by_both_sides_block)
{
    world w;
    world_init(&w, BASE);
    og_repo *repo = open_repo(&w, w.store);
    load(repo, "b", "{\"type\":\"P\",\"data\":{\"name\":\"x\",\"mail\":\"same\"}}");
    load(repo, NULL, "{\"type\":\"P\",\"data\":{\"name\":\"y\",\"mail\":\"same\"}}");
    merge_conflicts(repo, OG_CONFLICT_UNIQUE_VIOLATION,
                    "unique constraint [\"mail\"] violated by 'x' and 'y'");
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_merge__value_that_the_schema_forbids_is_not_brought)
{
    world w;
    world_init(&w, BASE);
    og_repo *repo = open_repo(&w, w.store);
    force(repo, NULL, "old", 200, NULL); /* ours may keep it */
    load(repo, "b", OURS);
    merge_is(repo, OG_MERGE_MERGED);
    force(repo, "b", "new", 300, NULL);
    merge_conflicts(repo, OG_CONFLICT_VALUE_CONSTRAINT,
                    "@range violation on P.age: value 300 > max 100");
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_merge__edges_of_both_sides_count_together)
{
    world w;
    world_init(&w, BASE);
    og_repo *repo = open_repo(&w, w.store);
    load(repo, "b", "{\"edge\":\"K\",\"from\":\"a\",\"to\":\"a\",\"data\":{\"id\":\"x\"}}");
    load(repo, NULL, "{\"edge\":\"K\",\"from\":\"a\",\"to\":\"b\",\"data\":{\"id\":\"y\"}}");
    merge_conflicts(repo, OG_CONFLICT_CARDINALITY_VIOLATION,
                    "@card violation on edge K: source 'a' has 3 edges (max 2)");
    og_repo_close(repo);
    og_store_close(w.store);
}

/* ---- what conflicts tell ------------------------------------------------------------------ */

static void write_value(og_buf *out, const og_array *array, int64_t row)
{
    if (og_array_is_null(array, row))
        og_buf_text(out, "null");
    else if (array->type->id == OG_TYPE_I32)
        og_buf_printf(out, "%d", og_array_i32(array, row));
    else
        og_buf_printf(out, "\"%.*s\"", OG_FMT(og_array_str(array, row)));
}

TEST(test_merge__conflict_names_property_and_values)
{
    world w;
    world_init(&w, BASE);
    og_repo *repo = open_repo(&w, w.store);
    load(repo, "b",
         "{\"type\":\"P\",\"data\":{\"name\":\"a\",\"age\":2,\"mail\":\"m\"}}"
         "{\"type\":\"P\",\"data\":{\"name\":\"b\",\"mail\":\"n\"}}");
    load(repo, NULL,
         "{\"type\":\"P\",\"data\":{\"name\":\"a\",\"age\":3}}"
         "{\"type\":\"P\",\"data\":{\"name\":\"b\",\"age\":4}}");
    const og_merge_input input = {.source = "b", .write_value = write_value};
    og_merge_output out = {0};
    assert_ok(og_merge_run(repo, &input, &out, err));
    assert_int_equal(out.conflict_count, 2);
    const og_graph__conflict *a = &out.conflicts[0], *b = &out.conflicts[1];
    assert_str_is(a->row_id, "a");
    assert_str_is(a->message, "divergent update for id 'a'");
    assert_str_is(a->property, "age");
    assert_str_is(a->base, "1");
    assert_str_is(a->ours, "3");
    assert_str_is(a->theirs, "2");
    assert_null(b->property.ptr);
    assert_str_is(b->base, "{\"age\":null,\"mail\":null}");
    assert_str_is(b->ours, "{\"age\":4,\"mail\":null}");
    assert_str_is(b->theirs, "{\"age\":null,\"mail\":\"n\"}");
    og_merge_output_deinit(&out);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_merge__preview_counts_and_writes_nothing)
{
    world w;
    failing_world(&w);
    og_repo *repo = open_repo(&w, w.store);
    const og_merge_input input = {.source = "b", .preview = true};
    og_merge_output out = {0};
    uint64_t puts = w.store->stats.puts;
    assert_ok(og_merge_run(repo, &input, &out, err));
    assert_int_equal(w.store->stats.puts, puts);
    assert_int_equal(out.outcome, OG_MERGE_MERGED);
    assert_false(out.committed);
    assert_int_equal(out.table_count, 2);
    assert_str_is(out.tables[0].def->table_key, "edge:K");
    assert_int_equal(out.tables[0].inserted, 1);
    assert_int_equal(out.tables[1].inserted, 1);
    assert_int_equal(out.tables[1].updated, 1);
    assert_int_equal(out.tables[1].deleted, 0);
    assert_null(out.tables[1].full_reason);
    og_merge_output_deinit(&out);
    og_repo_close(repo);
    og_store_close(w.store);
}

/* ---- third branches ----------------------------------------------------------------------- */

static void clean(og_repo *repo)
{
    og_cleanup_output done;
    const og_cleanup_input input = {.by_count = true};
    assert_ok(og_cleanup_run(repo, &input, &done, err));
    og_cleanup_output_deinit(&done);
}

/* b and main have a commit of the third branch in common,
 * which no other pair of branches begins at. */
static void meet_at_third_branch(world *w)
{
    world_init(w, "{\"type\":\"P\",\"data\":{\"name\":\"x\",\"age\":1}}\n");
    og_repo *repo = open_repo(w, w->store);
    load(repo, NULL, "{\"type\":\"P\",\"data\":{\"name\":\"main 1\"}}\n");
    merge_into(repo, "main", "b");
    assert_ok(og_branch_make(repo, NULL, "third", err));
    load(repo, NULL, "{\"type\":\"P\",\"data\":{\"name\":\"main 2\"}}\n");
    load(repo, "b", "{\"type\":\"P\",\"data\":{\"name\":\"b\"}}\n");
    load(repo, "third", "{\"type\":\"P\",\"data\":{\"name\":\"x\",\"age\":2}}\n");
    merge_into(repo, "third", "b");
    merge_into(repo, "third", "main");
    merge_into(repo, "main", "third");
    merge_into(repo, "b", "third");
    load(repo, "third", "{\"type\":\"P\",\"data\":{\"name\":\"third 2\"}}\n");
    load(repo, NULL, "{\"type\":\"P\",\"data\":{\"name\":\"main 3\"}}\n");
    og_repo_close(repo);
}

TEST(test_merge__base_on_a_third_branch_outlives_a_cleanup)
{
    world w;
    meet_at_third_branch(&w);
    og_repo *repo = open_repo(&w, w.store);
    clean(repo);
    /* Of the edits since: age 2 is common to both. */
    load(repo, "b", "{\"type\":\"P\",\"data\":{\"name\":\"x\",\"age\":3}}\n");
    merge_is(repo, OG_MERGE_MERGED);
    og_buf out = export_of(repo, NULL);
    assert_true(contains(&out, "\"age\":3"));
    og_buf_deinit(&out);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_merge__base_before_a_third_branch_outlives_a_cleanup)
{
    world w;
    meet_at_third_branch(&w);
    og_repo *repo = open_repo(&w, w.store);
    clean(repo);
    assert_ok(og_branch_remove(repo, "third", err));
    merge_is(repo, OG_MERGE_MERGED);
    og_repo_close(repo);
    og_store_close(w.store);
}

TEST(test_merge__source_and_target_must_differ)
{
    world w;
    failing_world(&w);
    og_repo *repo = open_repo(&w, w.store);
    og_merge_output out = {0};
    og_error error;
    const og_merge_input same = {.source = "b", .target = " b"}, none = {.source = "nowhere"};
    assert_status(og_merge_run(repo, &same, &out, &error), OG_INVALID);
    assert_string_equal(error.message, "branch_merge requires distinct source and target branches");
    assert_status(og_merge_run(repo, &none, &out, &error), OG_NOT_FOUND);
    og_repo_close(repo);
    og_store_close(w.store);
}

/* ---- branches that are deleted meanwhile --------------------------------------------------- */

typedef struct removal {
    world *world;
    uint64_t at; /* the branch is deleted before this call */
    bool done;
} removal;

static og_store_fault remove_before(void *context, uint64_t call, const char *op, const char *name)
{
    removal *r = context;
    (void)op, (void)name;
    if (call != r->at)
        return OG_STORE_PASS;
    r->done = true;
    og_repo *other = open_repo(r->world, r->world->store);
    assert_ok(og_branch_remove(other, "b", err));
    og_repo_close(other);
    return OG_STORE_PASS;
}

/* Main has merged b and gone on, by a clock that is ahead, and b has had many commits since, of which
 * a few are read first: the merge is looked at before the commit that it merged is read. */
static void far_base_world(world *w)
{
    world_init(w, BASE);
    og_repo *repo = open_repo(w, w->store);
    load(repo, "b", "{\"type\":\"P\",\"data\":{\"name\":\"a\",\"age\":2}}");
    w->clock.now_us += LATER_US;
    merge_is(repo, OG_MERGE_FAST_FORWARD);
    load(repo, NULL, "{\"type\":\"P\",\"data\":{\"name\":\"a\",\"age\":3}}");
    w->clock.now_us -= LATER_US;
    for (int i = 0; i < 12; i++) {
        char row[100];
        snprintf(row, sizeof row, "{\"type\":\"P\",\"data\":{\"name\":\"n%d\"}}", i);
        load(repo, "b", row);
    }
    og_repo_close(repo);
}

/* What main has of b is still known to be of b. False when the merge ended before call `at`. */
static bool merge_while_removed(uint64_t at)
{
    world w;
    og_store *watched;
    far_base_world(&w);
    removal r = {.world = &w, .at = at};
    assert_ok(og_store_wrap(w.store, (og_store_hook){remove_before, &r}, 0, &watched, err));
    const og_repo_options options = {.store = watched, .clock = &w.clock.clock, .history_rows = 1};
    og_repo *repo;
    og_error error;
    og_merge_output out = {0};
    assert_ok(og_repo_open("memory", &options, &repo, err));
    og_status s = try_merge(repo, false, &out, &error);
    if (s == OG_OK)
        assert_int_equal(out.outcome, OG_MERGE_MERGED);
    og_merge_output_deinit(&out);
    og_repo_close(repo);
    og_store_close(watched);
    og_store_close(w.store);
    return r.done;
}

TEST(test_merge__finds_the_base_while_the_source_is_deleted)
{
    uint64_t at = 0;
    while (merge_while_removed(at))
        at++;
    assert_true(at > 10);
}
