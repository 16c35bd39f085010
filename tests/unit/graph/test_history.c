/* Histories: whatever is lost or torn of the derived tables, commits of ours are all there;
 * the reference's rows join them; and where two histories parted. */
#include <inttypes.h>

#include "dag_rows.h"
#include "graph/branch_ops.h"
#include "graph/history.h"
#include "graph/layout.h"
#include "graph_fixture.h"
#include "og_test.h"

typedef fixture_world world;
/* Closed after the histories that are read of it. */
#define OPEN_WORLD(name)                                                                           \
    __attribute__((cleanup(fixture_world_deinit))) world name;                                     \
    fixture_world_init(&name)

/* Three commits by "tester", a second apart. */
static void write_three(world *w)
{
    const char *const ids[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        w->clock.now_us += 1000000;
        assert_ok(fixture_write(w->repo, "A", ids[i], err));
    }
}

static og_history *read_history(const world *w)
{
    og_history *history = NULL;
    assert_ok(og_history_open(w->repo, "main", &history, err));
    return history;
}

/* The first commit of the graph, and three of "tester", each after the one before it. */
static void check_three(const world *w)
{
    OG_AUTO(og_history) history = read_history(w);
    size_t count;
    const og_commit_info *c = fixture_commits(history, &count);
    assert_int_equal(count, 4);
    assert_int_equal(c[0].parent.len, 0);
    assert_int_equal(c[0].actor.len, 0);
    for (size_t i = 1; i < count; i++) {
        assert_true(og_str_eq(c[i].parent, c[i - 1].id));
        assert_true(c[i].manifest_version > c[i - 1].manifest_version);
        assert_str_is(c[i].actor, "tester");
        assert_int_equal(c[i].id.len, 26);
        assert_int_equal(c[i].op.len, 26);
        assert_int_equal(c[i].branch.len, 0);
        assert_int_equal(c[i].created_at_us, 1700000000000000 + 1000000 * (int64_t)i);
        assert_true(og_str_eq(fixture_find(history, c[i].id)->id, c[i].id));
    }
    assert_true(og_str_eq(fixture_head(history)->id, c[3].id));
}

static void remove_all(const world *w, const char *prefix)
{
    og_listing listing = {0};
    assert_ok(w->store->ops->list(w->store, prefix, true, NULL, 0, &listing, err));
    assert_true(listing.len > 0);
    for (size_t i = 0; i < listing.len; i++) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", OG_FMT(listing.items[i].name));
        const char *names[] = {name};
        assert_ok(w->store->ops->remove(w->store, names, 1, err));
    }
    og_listing_deinit(&listing);
}

static void tear_newest(const world *w, const char *path)
{
    uint64_t version;
    OG_AUTO_BUF name = OG_BUF_INIT;
    assert_ok(og_lance_latest_version(og_repo_env(w->repo), path, 0, &version, err));
    assert_true(og_lance_manifest_name(&name, path, version));
    const og_bytes torn = {(const uint8_t *)"torn", 4};
    assert_ok(w->store->ops->put(w->store, og_buf_cstr(&name), torn, err));
}

TEST(test_history__lists_commits_oldest_first)
{
    OPEN_WORLD(w);
    write_three(&w);
    check_three(&w);
}

TEST(test_history__needs_no_derived_table)
{
    const char *const lost[] = {OG_GRAPH__COMMITS "/", OG_GRAPH__ACTORS "/"};
    OPEN_WORLD(w);
    write_three(&w);
    for (size_t i = 0; i < 2; i++) {
        remove_all(&w, lost[i]);
        check_three(&w);
    }
}

TEST(test_history__steps_over_torn_versions)
{
    const char *const torn[] = {OG_GRAPH__COMMITS, OG_GRAPH__ACTORS};
    OPEN_WORLD(w);
    write_three(&w);
    for (size_t i = 0; i < 2; i++) {
        tear_newest(&w, torn[i]);
        check_three(&w);
    }
}

TEST(test_history__joins_rows_of_the_reference)
{
    OPEN_WORLD(w);
    write_three(&w);
    dag_rows_append(w.repo,
                    "FOREIGN 90 5 - - -\nFOREIGN 91 6 - - -\nMERGE 95 7 FOREIGN SIDE work\n");
    dag_rows_append_actors(w.repo, "MERGE someone\nMERGE ann\nNOBODY bob\n");
    OG_AUTO(og_history) history = read_history(&w);
    size_t count;
    const og_commit_info *c = fixture_commits(history, &count);
    assert_int_equal(count, 6);
    assert_str_is(c[4].id, "FOREIGN");
    assert_int_equal(c[4].manifest_version, 90);
    assert_int_equal(c[4].parent.len + c[4].branch.len + c[4].actor.len + c[4].op.len, 0);
    assert_str_is(c[5].id, "MERGE");
    assert_str_is(c[5].parent, "FOREIGN");
    assert_str_is(c[5].merged_parent, "SIDE");
    assert_str_is(c[5].branch, "work");
    assert_str_is(c[5].actor, "ann");
    assert_null(fixture_find(history, OG_STR("SIDE")));
}

TEST(test_history__believes_the_manifest_about_our_commits)
{
    OPEN_WORLD(w);
    write_three(&w);
    OG_AUTO(og_history) before = read_history(&w);
    const og_commit_info *head = fixture_head(before);
    OG_AUTO_BUF row = OG_BUF_INIT;
    og_buf_printf(&row, "%.*s 99 1 - - lies\n", OG_FMT(head->id));
    remove_all(&w, OG_GRAPH__COMMITS "/");
    /* A new data set that says something else of the newest commit. */
    OPEN_WORLD(other);
    og_listing listing = {0};
    dag_rows_append(other.repo, og_buf_cstr(&row));
    assert_ok(
        other.store->ops->list(other.store, OG_GRAPH__COMMITS "/", true, NULL, 0, &listing, err));
    for (size_t i = 0; i < listing.len; i++) {
        OG_AUTO(og_blob) blob = NULL;
        char name[256];
        snprintf(name, sizeof name, "%.*s", OG_FMT(listing.items[i].name));
        assert_ok(other.store->ops->get(other.store, name, &blob, err));
        assert_ok(w.store->ops->put(w.store, name, (og_bytes){blob->ptr, blob->len}, err));
    }
    og_listing_deinit(&listing);
    OG_AUTO(og_history) after = read_history(&w);
    const og_commit_info *same = fixture_find(after, head->id);
    assert_non_null(same);
    assert_int_equal(same->manifest_version, head->manifest_version);
    assert_int_equal(same->branch.len, 0);
}

TEST(test_history__orders_by_version_time_and_id)
{
    OPEN_WORLD(w);
    dag_rows_append(w.repo, "D 50 9 - - -\nB 50 8 - - -\nA 50 8 - - -\nC 49 99 - - -\n");
    OG_AUTO(og_history) history = read_history(&w);
    size_t count;
    const og_commit_info *c = fixture_commits(history, &count);
    assert_int_equal(count, 5);
    assert_str_is(c[1].id, "C");
    assert_str_is(c[2].id, "A");
    assert_str_is(c[3].id, "B");
    assert_str_is(c[4].id, "D");
}

/* A merge that changes no table has the version of its target; a clock that was set back gives
 * it the earlier time. */
TEST(test_history__puts_parents_first_whatever_the_clock_said)
{
    OPEN_WORLD(w);
    dag_rows_append(w.repo, "E 50 3 D - -\nD 50 5 C - -\nC 50 9 B - -\nX 50 4 - - -\n");
    OG_AUTO(og_history) history = read_history(&w);
    size_t count;
    const og_commit_info *c = fixture_commits(history, &count);
    const char *const order[] = {"C", "D", "E", "X"};
    assert_int_equal(count, 5);
    for (size_t i = 0; i < 4; i++) {
        assert_str_is(c[i + 1].id, order[i]);
        assert_non_null(fixture_find(history, og_str_of(order[i])));
    }
}

TEST(test_history__survives_commits_in_a_circle_of_one_version)
{
    OPEN_WORLD(w);
    dag_rows_append(w.repo, "A 50 1 C - -\nB 50 2 A - -\nC 50 3 B - -\nD 50 0 D - -\n");
    OG_AUTO(og_history) history = read_history(&w);
    size_t count;
    (void)fixture_commits(history, &count);
    assert_int_equal(count, 5);
}

/* The reference's merge that changes nothing: a row with the version of its target. */
static void append_empty_merge(const world *w, const char *id, const og_commit_info *target)
{
    OG_AUTO_BUF row = OG_BUF_INIT;
    og_buf_printf(&row, "%s %" PRIu64 " %" PRId64 " %.*s SIDE -\n", id, target->manifest_version,
                  target->created_at_us + 1, OG_FMT(target->id));
    dag_rows_append(w->repo, og_buf_cstr(&row));
}

static void check_newest_two(const world *w, const char *before)
{
    OG_AUTO(og_history) history = read_history(w);
    size_t count;
    const og_commit_info *c = fixture_commits(history, &count);
    assert_str_is(c[count - 2].id, before);
    assert_str_is(c[count - 1].parent, before);
}

/* In the same process, in another one that has a head file, in one that has none. */
TEST(test_history__our_commits_follow_an_empty_merge_of_the_reference)
{
    const char *const ids[] = {"01AAAAAAAAAAAAAAAAAAAAAAAA", "01BBBBBBBBBBBBBBBBBBBBBBBB",
                               "01CCCCCCCCCCCCCCCCCCCCCCCC"};
    OPEN_WORLD(w);
    write_three(&w);
    for (int i = 0; i < 3; i++) {
        OG_AUTO(og_history) before = read_history(&w);
        append_empty_merge(&w, ids[i], fixture_head(before));
        og_history_free(OG_TAKE(before));
        if (i > 0) {
            og_repo_close(w.repo);
            w.repo = fixture_open(w.store, &w.clock);
        }
        if (i > 1)
            remove_all(&w, "_omnigraph/");
        w.clock.now_us += 1000000;
        assert_ok(fixture_write(w.repo, "A", ids[i], err));
        check_newest_two(&w, ids[i]);
    }
}

TEST(test_history__first_commit_of_a_branch_follows_an_empty_merge_of_the_reference)
{
    const char merge[] = "01AAAAAAAAAAAAAAAAAAAAAAAA";
    OPEN_WORLD(w);
    write_three(&w);
    OG_AUTO(og_history) before = read_history(&w);
    append_empty_merge(&w, merge, fixture_head(before));
    assert_ok(og_branch_make(w.repo, "main", "work", err));
    assert_ok(fixture_write_on(w.repo, "work", "A", "d", err));
    OG_AUTO(og_history) history = NULL;
    assert_ok(og_history_open(w.repo, "work", &history, err));
    assert_str_is(fixture_head(history)->parent, merge);
}

TEST(test_history__unknown_branch_is_not_found)
{
    OPEN_WORLD(w);
    og_history *history;
    assert_status(og_history_open(w.repo, "nope", &history, NULL), OG_NOT_FOUND);
}

TEST(test_history__finds_commits_and_operations)
{
    OPEN_WORLD(w);
    og_error error;
    write_three(&w);
    OG_AUTO(og_history) history = read_history(&w);
    const og_commit_info *head = fixture_head(history), *found;
    og_history *owner;
    assert_ok(og_history_find_any(w.repo, head->id, &owner, &found, err));
    assert_true(og_str_eq(found->id, head->id));
    og_history_free(owner);
    assert_ok(og_history_find_any(w.repo, head->op, &owner, &found, err));
    assert_true(og_str_eq(found->id, head->id));
    og_history_free(owner);
    assert_status(og_history_find_any(w.repo, OG_STR("nope"), &owner, &found, &error),
                  OG_NOT_FOUND);
    assert_string_equal(error.message, "commit 'nope' not found");
}

/* ---- merge bases -------------------------------------------------------------------------- */

static og_str base_of(og_history *source, og_history *target)
{
    og_history *const histories[] = {source, target};
    const og_commit_info *base;
    bool unknown;
    assert_ok(og_graph__merge_base_among(histories, 2, NULL, &base, &unknown, err));
    return base != NULL ? base->id : OG_STR("-");
}

/* The base of two histories that the rows make, "-" when there is none. */
static void check_base(const char *source, const char *target, const char *expected)
{
    OPEN_WORLD(ours);
    OPEN_WORLD(theirs);
    dag_rows_append(ours.repo, source);
    dag_rows_append(theirs.repo, target);
    OG_AUTO(og_history) a = read_history(&ours);
    OG_AUTO(og_history) b = read_history(&theirs);
    assert_str_is(base_of(a, b), expected);
    assert_str_is(base_of(b, a), expected);
}

TEST(test_history__merge_base_is_where_branches_parted)
{
    check_base("A 10 1 - - -\nB 11 2 A - -\nX 12 3 B - work\nY 13 4 X - work\n",
               "A 10 1 - - -\nB 11 2 A - -\nC 12 3 B - -\n", "B");
}

TEST(test_history__merge_base_of_one_line_is_the_older_head)
{
    check_base("A 10 1 - - -\nB 11 2 A - -\nX 12 3 B - work\n", "A 10 1 - - -\nB 11 2 A - -\n",
               "B");
    check_base("A 10 1 - - -\n", "A 10 1 - - -\n", "A");
}

TEST(test_history__merge_base_after_a_merge_is_what_was_merged)
{
    /* work was merged at X; Y came after it. */
    check_base("A 10 1 - - -\nX 11 2 A - work\nY 12 4 X - work\n",
               "A 10 1 - - -\nC 11 2 A - -\nM 12 3 C X -\nD 13 5 M - -\n", "X");
}

TEST(test_history__merge_base_follows_no_shortcut_past_a_later_commit)
{
    /* work began at X and took Y of main; main went on and took another branch that began at X.
     * X is nearer to both heads, but Y comes after it. */
    check_base("X 11 1 - - -\nY 20 9 X - -\nW1 12 3 X - work\nW2 21 10 W1 Y work\n",
               "X 11 1 - - -\nY 20 9 X - -\nZ1 21 10 Y - -\nZ2 22 11 Z1 - -\nZ3 23 12 Z2 - -\n"
               "O1 12 2 X - other\nM 24 13 Z3 O1 -\n",
               "Y");
}

TEST(test_history__merge_base_of_a_cross_is_the_newer_one)
{
    /* Each took the other's commit: both are bases. */
    check_base("A 10 1 - - -\nP 11 2 A - -\nQ 11 3 A - work\nM1 12 4 Q P work\n",
               "A 10 1 - - -\nP 11 2 A - -\nQ 11 3 A - work\nM2 12 5 P Q -\n", "Q");
}

TEST(test_history__merge_base_is_no_commit_of_a_deleted_branch)
{
    /* Both took T of a branch that is gone, with its states: what is left of their past is A. */
    check_base("A 10 1 - - -\nX 11 2 A - work\nM1 13 3 X T work\n",
               "A 10 1 - - -\nC 11 2 A - -\nM2 14 3 C T -\nD 15 4 M2 - -\n", "A");
}

TEST(test_history__merge_base_may_not_exist)
{
    check_base("A 10 1 - - -\n", "B 10 1 - - -\n", "-");
    check_base("A 10 1 LOST - -\n", "B 10 1 LOST - -\n", "-");
}

TEST(test_history__merge_base_survives_circles)
{
    check_base("A 10 1 B - -\nB 11 2 A A -\n", "A 10 1 B - -\nB 11 2 A A -\n", "B");
    check_base("A 10 1 A - -\n", "A 10 1 A - -\n", "-");
}

TEST(test_history__says_when_memory_is_out)
{
    OPEN_WORLD(w);
    write_three(&w);
    dag_rows_append(w.repo, "FOREIGN 90 5 - - -\n");
    dag_rows_append_actors(w.repo, "FOREIGN ann\n");
    og_status s = OG_NOMEM;
    for (int64_t at = 0; s != OG_OK; at++) {
        og_history *history = NULL;
        const og_commit_info *base;
        bool unknown;
        og_alloc_fail_after(at, true);
        s = og_history_open(w.repo, "main", &history, NULL);
        og_history *const both[] = {history, history};
        if (s == OG_OK)
            s = og_graph__merge_base_among(both, 2, NULL, &base, &unknown, NULL);
        og_alloc_fail_after(-1, false);
        og_history_free(history);
        assert_true(s == OG_OK || s == OG_NOMEM);
    }
}
