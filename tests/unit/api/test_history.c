/* Commits, earlier states and checks through the public API. */
#include "fixture.h"

static const char schema[] = "node P {\n  name: String @key\n}\n";
static const char records[] = "{\"type\": \"P\", \"data\": {\"name\": \"ana\"}}\n";

/* A graph with three commits: init, and two of an actor. */
static void init_history(fixture *f, og_write_result *last)
{
    og_session_options options = OG_SESSION_OPTIONS_INIT;
    options.actor = "cleo";
    fixture_init(f, schema, "");
    fixture_session(f, &options);
    assert_ok(fixture_load(f, records, OG_MODE_APPEND, last, err));
    assert_ok(fixture_load(f, "{\"type\": \"P\", \"data\": {\"name\": \"bo\"}}", OG_MODE_APPEND,
                           last, err));
}

typedef struct seen {
    size_t count;
    char ids[8][27], operation[27];
} seen;

static og_status note(void *context, const og_commit *commit, og_error *err)
{
    (void)err;
    seen *s = context;
    assert_int_equal(commit->id.len, 26);
    memcpy(s->ids[s->count], commit->id.ptr, 26);
    memcpy(s->operation, commit->operation.ptr, commit->operation.len);
    s->count++;
    return OG_OK;
}

TEST(test_history__lists_and_shows_commits)
{
    fixture f;
    og_write_result last;
    init_history(&f, &last);
    seen all = {0}, newest = {0}, shown = {0}, by_op = {0};
    assert_ok(og_commit_list(f.session, NULL, note, &all, err));
    assert_true(all.count >= 3);
    assert_string_equal(all.ids[all.count - 1], last.commit_id);
    og_commit_list_options options = OG_COMMIT_LIST_OPTIONS_INIT;
    options.actor = "cleo";
    options.limit = 1;
    options.reverse = true;
    assert_ok(og_commit_list(f.session, &options, note, &newest, err));
    assert_int_equal(newest.count, 1);
    assert_string_equal(newest.ids[0], last.commit_id);
    assert_ok(og_commit_show(f.session, last.commit_id, note, &shown, err));
    assert_string_equal(shown.ids[0], last.commit_id);
    assert_ok(og_commit_show(f.session, shown.operation, note, &by_op, err));
    assert_string_equal(by_op.ids[0], last.commit_id);
    assert_status(og_commit_show(f.session, "none", note, &shown, NULL), OG_NOT_FOUND);
    fixture_deinit(&f);
}

/* What is stored once can't be taken back: bytes that are no text would hide all commits. */
TEST(test_history__an_actor_is_a_line_of_text)
{
    fixture f;
    og_session *session = NULL;
    static const char *const bad[] = {"", "\xff", "a\nb", "\x1b[31m", "\xc2\x85"};
    fixture_init(&f, schema, "");
    og_session_options options = OG_SESSION_OPTIONS_INIT;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        options.actor = bad[i];
        assert_status(og_session_open(f.graph, &options, &session, NULL), OG_INVALID);
    }
    options.actor = "Zo\xc3\xab of the crew";
    assert_ok(og_session_open(f.graph, &options, &session, err));
    og_session_close(session);
    fixture_deinit(&f);
}

static og_status refuse(void *context, const og_commit *commit, og_error *err)
{
    (void)context, (void)commit;
    return og_error_set(err, OG_CANCELLED, "enough");
}

TEST(test_history__an_error_of_the_callers_ends_the_list)
{
    fixture f;
    og_write_result last;
    init_history(&f, &last);
    assert_status(og_commit_list(f.session, NULL, refuse, NULL, NULL), OG_CANCELLED);
    fixture_deinit(&f);
}

static void check_rows(fixture *f, const char *expected)
{
    OG_AUTO_BUF out = OG_BUF_INIT;
    og_format_options format = OG_FORMAT_OPTIONS_INIT;
    format.format = OG_FORMAT_CSV;
    fixture_print(f, "query q() { match { $p: P } return { $p.name as name } order { name } }",
                  NULL, &format, &out);
    assert_string_equal(og_buf_cstr(&out), expected);
}

TEST(test_history__a_session_reads_an_earlier_state_and_writes_nothing)
{
    fixture f;
    og_write_result last, done;
    init_history(&f, &last);
    og_session_options options = OG_SESSION_OPTIONS_INIT;
    options.snapshot = last.commit_id;
    fixture_session(&f, &options);
    check_rows(&f, "name\nana\nbo\n");
    char version[32];
    snprintf(version, sizeof version, "%d", (int)last.manifest_version - 1);
    options.snapshot = NULL;
    options.at = version;
    fixture_session(&f, &options);
    check_rows(&f, "name\nana\n");
    assert_status(fixture_load(&f, records, OG_MODE_MERGE, &done, NULL), OG_INVALID);
    og_session *session;
    options.snapshot = last.commit_id;
    assert_status(og_session_open(f.graph, &options, &session, NULL), OG_INVALID);
    options.snapshot = NULL;
    options.at = "soon";
    assert_status(og_session_open(f.graph, &options, &session, NULL), OG_INVALID);
    fixture_deinit(&f);
}

static og_status count_problem(void *context, const og_problem *problem, og_error *err)
{
    (void)err;
    assert_true(problem->message[0] != '\0' && problem->advice[0] != '\0');
    snprintf(context, 64, "%s", problem->kind);
    return OG_OK;
}

TEST(test_history__a_check_and_a_relocation)
{
    fixture f;
    og_write_result last;
    char moved[80], kind[64] = "";
    init_history(&f, &last);
    og_fsck_result found;
    assert_ok(og_fsck(f.folder, NULL, count_problem, kind, &found, err));
    assert_int_equal(found.problems, 0);
    assert_int_equal(found.rows, 2);
    assert_ok(og_fsck(f.folder, NULL, NULL, NULL, NULL, err));
    snprintf(moved, sizeof moved, "%s.moved", f.folder);
    assert_int_equal(rename(f.folder, moved), 0);
    assert_ok(og_fsck(moved, NULL, count_problem, kind, &found, err));
    assert_int_equal(found.problems, 0);
    assert_int_equal(found.notes, 1);
    assert_string_equal(kind, "place");
    og_graph *graph;
    og_session *session;
    og_relocate_result relocated;
    assert_ok(og_graph_open(moved, NULL, &graph, err));
    assert_ok(og_session_open(graph, NULL, &session, err));
    assert_ok(og_relocate(session, &relocated, err));
    assert_int_equal(relocated.tables, 1);
    og_session_close(session);
    og_graph_close(graph);
    assert_ok(og_fsck(moved, NULL, count_problem, kind, &found, err));
    assert_int_equal(found.problems + found.notes, 0);
    assert_int_equal(rename(moved, f.folder), 0);
    fixture_deinit(&f);
}
