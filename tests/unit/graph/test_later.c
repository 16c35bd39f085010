/* A graph on a store that is far away, or on a disk: operations say what they are going to ask,
 * and leave derived files to a thread; what comes of them is the same. */
#include "graph/branch_ops.h"
#include "graph/history.h"
#include "graph/later.h"
#include "graph_fixture.h"
#include "og_test.h"
#include "store/far.h"

#include <pthread.h>
#include <time.h>

#define COMMITS 40 /* some fold */

typedef struct world {
    og_store *memory, *wire, *far;
    fixture_clock clock;
} world;

static void open_world(world *w, og_store_hook hook)
{
    assert_ok(og_store_open_memory(&w->memory, err));
    assert_ok(og_store_wrap(w->memory, hook, 0, &w->wire, err));
    assert_ok(og_store_open_far(w->wire, &w->far, err));
    fixture_clock_init(&w->clock);
    fixture_init(w->memory, &w->clock);
}

static void close_world(world *w)
{
    og_store_close(w->far);
    og_store_close(w->wire);
    og_store_close(w->memory);
}

static void write_rows(og_repo *repo, const char *branch, int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        assert_ok(fixture_write_on(repo, branch, i % 2 != 0 ? "A" : NULL, id, err));
    }
}

static size_t commits_of(og_repo *repo, const char *branch)
{
    OG_AUTO(og_history) history = NULL;
    size_t count;
    assert_ok(og_history_open(repo, branch, &history, err));
    (void)fixture_commits(history, &count);
    return count;
}

TEST(test_later__commits_and_branches_are_whole)
{
    world w;
    open_world(&w, (og_store_hook){0});
    og_repo *repo = fixture_open(w.far, &w.clock);
    write_rows(repo, NULL, 0, COMMITS);
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(og_branch_make(repo, "b", "c", err));
    write_rows(repo, "b", COMMITS, COMMITS + 10);
    assert_ok(og_branch_remove(repo, "c", err));
    assert_int_equal(commits_of(repo, NULL), COMMITS + 1);
    og_repo_close(repo);

    repo = fixture_open(w.memory, &w.clock);
    assert_int_equal(fixture_count(repo, "A"), COMMITS);
    assert_int_equal(fixture_count_on(repo, "b", "A"), COMMITS + 10);
    assert_int_equal(commits_of(repo, "b"), COMMITS + 11);
    assert_status(og_branch_remove(repo, "c", NULL), OG_NOT_FOUND);
    assert_ok(og_branch_make(repo, NULL, "c", err));
    og_repo_close(repo);
    close_world(&w);
}

static size_t objects_below(og_store *store, const char *folder)
{
    og_listing listing = {0};
    assert_ok(store->ops->list(store, folder, false, NULL, 0, &listing, err));
    size_t count = listing.len;
    og_listing_deinit(&listing);
    return count;
}

/* On a disk the thread has but the rows of the DAG and the head file to write:
 * each commit has its version, in order, and no sidecar outlasts its commit. */
TEST(test_later__on_a_disk_only_derived_files_follow)
{
    world w;
    open_world(&w, (og_store_hook){0});
    w.memory->waits_for_disk = true;
    og_repo *repo = fixture_open(w.memory, &w.clock);
    for (int i = 0; i < COMMITS; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        assert_ok(fixture_write_both(repo, id, err));
        assert_int_equal(objects_below(w.memory, "__recovery/"), 0);
    }
    assert_int_equal(commits_of(repo, NULL), COMMITS + 1);
    og_repo_close(repo);
    assert_int_equal(objects_below(w.memory, "_graph_commits.lance/_versions/"), COMMITS + 1);
    assert_int_equal(objects_below(w.memory, "_omnigraph/"), 1);
    close_world(&w);
}

static og_status run_all(og_repo *repo, og_error *err)
{
    OG_TRY(fixture_write(repo, "A", "1", err));
    OG_TRY(fixture_write_both(repo, "2", err));
    OG_TRY(og_branch_make(repo, NULL, "b", err));
    OG_TRY(fixture_write_on(repo, "b", "A", "3", err));
    return og_branch_remove(repo, "b", err);
}

/* One call fails; which one depends on the threads. What was told to have failed is not there,
 * and the next write goes through. */
TEST(test_later__any_call_may_fail)
{
    for (uint64_t at = 5; at < 160; at += 5) {
        world w;
        og_store_fault_at plan = {.at = at,
                                  .fault = at % 2 != 0 ? OG_STORE_FAIL : OG_STORE_LOST_ACK};
        og_repo *repo;
        og_error error;
        open_world(&w, og_store_hook_at(&plan));
        const og_repo_options options = {.store = w.far, .clock = &w.clock.clock};
        if (og_repo_open("memory", &options, &repo, &error) == OG_OK) {
            (void)!run_all(repo, &error);
            og_repo_close(repo);
        }
        repo = fixture_open(w.memory, &w.clock);
        assert_ok(fixture_write_both(repo, "last", err));
        (void)fixture_count(repo, "A");
        (void)fixture_count(repo, "B");
        og_repo_close(repo);
        close_world(&w);
    }
}

/* ---- several who wait --------------------------------------------------------------------- */

typedef struct pieces {
    og_repo *repo;
    int begun, ended; /* atomic */
    bool out_of_turn; /* atomic: one began before the one before had ended */
} pieces;

static void slow_piece(void *context)
{
    pieces *p = context;
    int number = __atomic_fetch_add(&p->begun, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&p->ended, __ATOMIC_SEQ_CST) != number)
        __atomic_store_n(&p->out_of_turn, true, __ATOMIC_SEQ_CST);
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    __atomic_fetch_add(&p->ended, 1, __ATOMIC_SEQ_CST);
}

static void *wait_for_all(void *context)
{
    pieces *p = context;
    og_graph__later_wait(p->repo);
    return NULL;
}

/* While one thread waits, another that asks must not be told that all is done,
 * nor may what is handed over then overtake what is waited for. */
TEST(test_later__several_wait_at_once)
{
    world w;
    open_world(&w, (og_store_hook){0});
    pieces p = {.repo = fixture_open(w.far, &w.clock)};
    for (int round = 1; round <= 5; round++) {
        pthread_t other;
        og_graph__later(p.repo, slow_piece, &p);
        assert_int_equal(pthread_create(&other, NULL, wait_for_all, &p), 0);
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        og_graph__later(p.repo, slow_piece, &p);
        og_graph__later_wait(p.repo);
        assert_int_equal(__atomic_load_n(&p.ended, __ATOMIC_SEQ_CST), 2 * round);
        pthread_join(other, NULL);
    }
    assert_false(p.out_of_turn);
    og_repo_close(p.repo);
    close_world(&w);
}
