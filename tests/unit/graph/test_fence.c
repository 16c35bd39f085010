/* A writer that slept across a cleanup can't publish files that the cleanup may have taken. */
#include "graph/fence.h"

#include "graph/repo_priv.h"
#include "graph_fixture.h"
#include "og_test.h"

#define MINUTE_US INT64_C(60000000)

typedef fixture_world world;

static void publish_horizon(world *w)
{
    og_graph__branch *branch;
    assert_ok(og_graph__branch_get(w->repo, NULL, &branch, err));
    assert_ok(og_graph__gc_publish(w->repo, branch, (uint64_t)w->clock.now_us / 1000, err));
}

static uint64_t horizon_of(og_repo *repo)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    assert_ok(og_repo_snapshot(repo, NULL, &snapshot, err));
    return og_graph__snapshot_of(snapshot)->state->horizon_ms;
}

TEST(test_fence__sleeper_gives_up)
{
    world w;
    fixture_world_init(&w);
    const og_txn_options options = {.kind = "Load"};
    OG_AUTO(og_txn) sleeper = NULL;
    og_commit_result result;
    og_error error;
    assert_ok(og_txn_begin(w.repo, &options, &sleeper, err));
    assert_ok(fixture_append(sleeper, "A", "late", err));
    w.clock.now_us += MINUTE_US;
    publish_horizon(&w);
    assert_ok(fixture_write(w.repo, "B", "b", err));
    assert_status(og_txn_commit(sleeper, &result, &error), OG_CONFLICT);
    og_txn_free(OG_TAKE(sleeper));
    assert_int_equal(fixture_count(w.repo, "A"), 0);
    assert_ok(fixture_write_both(w.repo, "next", err));
    assert_int_equal(fixture_count(w.repo, "A"), 1);
    fixture_world_deinit(&w);
}

TEST(test_fence__horizon_is_known_to_all_and_never_goes_back)
{
    world w;
    fixture_world_init(&w);
    assert_int_equal(horizon_of(w.repo), 0);
    publish_horizon(&w);
    uint64_t horizon = horizon_of(w.repo);
    assert_int_equal(horizon, w.clock.now_us / 1000);
    w.clock.now_us -= MINUTE_US;
    publish_horizon(&w);
    w.clock.now_us += MINUTE_US;
    assert_ok(fixture_write_both(w.repo, "x", err));
    for (int i = 0; i < 2; i++) { /* by the head file, and by the rows */
        og_repo *other = fixture_open(w.store, &w.clock);
        assert_int_equal(horizon_of(other), horizon);
        og_repo_close(other);
        const char *head = "_omnigraph/head-main.json";
        assert_ok(w.store->ops->remove(w.store, &head, 1, err));
    }
    fixture_world_deinit(&w);
}

/* Its slots are taken, the cleanup passes, and it dies: nobody publishes it. */
TEST(test_fence__dead_writer_is_not_helped)
{
    world w;
    fixture_world_init(&w);
    for (uint64_t at = 0;; at++) {
        og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_CRASH};
        og_store *faulty;
        og_error error;
        assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &faulty, err));
        og_repo *dying = fixture_open(faulty, &w.clock);
        uint64_t before = fixture_count(dying, "A");
        plan.at = plan.seen + at;
        og_status status = fixture_write_both(dying, "x", &error);
        bool hit = plan.seen > plan.at;
        og_repo_close(dying);
        og_store_close(faulty);
        w.clock.now_us += MINUTE_US;
        uint64_t seen = fixture_count(w.repo, "A");
        publish_horizon(&w);
        assert_ok(fixture_write_both(w.repo, "y", err));
        assert_int_equal(fixture_count(w.repo, "A"), seen + 1);
        assert_int_equal(fixture_count(w.repo, "B"), seen + 1);
        if (!hit) {
            assert_int_equal(status, OG_OK);
            assert_int_equal(seen, before + 1);
            break;
        }
    }
    fixture_world_deinit(&w);
}
