/* A branch that is deleted because it was merged: others come before each call of the store in
 * turn. What they were told is written on it is not lost. */
#include "graph/branch_ops.h"
#include "graph/merge.h"
#include "graph_fixture.h"
#include "og_test.h"

typedef enum rivalry { WRITE, USE_AGAIN } rivalry;

typedef struct meeting {
    og_store *store;
    fixture_clock clock;
    rivalry rivalry;
    uint64_t at; /* they come before this call */
    bool met, has_written;
} meeting;

/* Deleted, if it is there, and made of main. */
static void make_again(og_repo *repo)
{
    og_error error;
    og_status s = og_branch_remove(repo, "b", &error);
    assert_true(s == OG_OK || s == OG_NOT_FOUND);
    assert_ok(og_branch_make(repo, NULL, "b", err));
}

static og_store_fault meet(void *context, uint64_t call, const char *op, const char *name)
{
    meeting *m = context;
    (void)op, (void)name;
    if (call != m->at)
        return OG_STORE_PASS;
    m->met = true;
    og_repo *other = fixture_open(m->store, &m->clock);
    og_error error;
    if (m->rivalry == USE_AGAIN)
        make_again(other);
    og_status s = fixture_write_on(other, "b", NULL, "theirs", &error);
    assert_true(s == OG_OK || (s == OG_NOT_FOUND && m->rivalry == WRITE));
    m->has_written = s == OG_OK;
    og_repo_close(other);
    return OG_STORE_PASS;
}

/* A branch b, merged into main. */
static og_merged begin(meeting *m)
{
    og_merge_output output;
    og_merge_input input = {.source = "b"};
    assert_ok(og_store_open_memory(&m->store, err));
    fixture_clock_init(&m->clock);
    fixture_init(m->store, &m->clock);
    og_repo *repo = fixture_open(m->store, &m->clock);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "1", err));
    assert_ok(og_merge_run(repo, &input, &output, err));
    assert_int_equal(output.outcome, OG_MERGE_FAST_FORWARD);
    og_merged merged = output.source;
    og_merge_output_deinit(&output);
    og_repo_close(repo);
    return merged;
}

static void check_branch(const meeting *m)
{
    og_repo *repo = fixture_open(m->store, &m->clock);
    assert_true(fixture_has_branch(repo, "b") == m->has_written);
    if (m->has_written) {
        assert_int_equal(fixture_count_on(repo, "b", "A"), 2);
        assert_ok(fixture_write_on(repo, "b", NULL, "next", err));
    }
    og_repo_close(repo);
}

/* False when the delete ended before call `at`. */
static bool meet_at(uint64_t at, rivalry of)
{
    meeting m = {.rivalry = of, .at = at};
    og_store *watched;
    og_error error;
    og_merged merged = begin(&m);
    assert_ok(og_store_wrap(m.store, (og_store_hook){meet, &m}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &m.clock);
    og_status s = og_branch_remove_merged(repo, "b", &merged, &error);
    og_repo_close(repo);
    if (!m.met || !m.has_written)
        assert_int_equal(s, OG_OK);
    else if (of == WRITE)
        assert_true(s == OG_CONFLICT);
    og_store_close(watched);
    check_branch(&m);
    og_store_close(m.store);
    return m.met;
}

static void meet_everywhere(rivalry of)
{
    uint64_t at = 0;
    while (meet_at(at, of))
        at++;
    assert_true(at > 10);
}

TEST(test_merge_delete__keeps_what_others_write)
{
    meet_everywhere(WRITE);
}

TEST(test_merge_delete__keeps_a_later_branch_of_the_name)
{
    meet_everywhere(USE_AGAIN);
}

static void check_refused(og_repo *repo, const og_merged *merged)
{
    og_error error;
    assert_int_equal(og_branch_remove_merged(repo, "b", merged, &error), OG_CONFLICT);
    assert_string_equal(error.message, "branch 'b' was written since it was merged");
}

TEST(test_merge_delete__of_another_life_or_written_since)
{
    meeting m = {0};
    og_merged merged = begin(&m);
    og_repo *repo = fixture_open(m.store, &m.clock);
    assert_ok(fixture_write_on(repo, "b", NULL, "2", err));
    check_refused(repo, &merged);
    make_again(repo);
    check_refused(repo, &merged);
    assert_int_equal(fixture_count_on(repo, "b", "A"), 1);
    og_repo_close(repo);
    og_store_close(m.store);
}
