#include "og_test.h"

#include "base/budget.h"
#include "base/log.h"
#include "base/thread.h"

typedef struct sums {
    og_pool *pool;
    uint32_t seen[1000];
    og_budget budget;
} sums;

static og_status mark(void *context, size_t index, og_error *err)
{
    sums *s = context;
    (void)err;
    s->seen[index]++;
    return OG_OK;
}

TEST(test_thread__each_turn_runs_once)
{
    for (unsigned threads = 0; threads < 5; threads++) {
        OG_AUTO(og_pool) pool = og_pool_new(threads);
        assert_int_equal(og_pool_threads(pool), threads < 2 ? 1 : threads);
        for (size_t count = 0; count <= 1000; count = count * 3 + 1) {
            sums s = {0};
            assert_ok(og_pool_run(pool, count, mark, &s, err));
            for (size_t i = 0; i < 1000; i++)
                assert_int_equal(s.seen[i], i < count);
        }
    }
    sums s = {0};
    assert_ok(og_pool_run(NULL, 10, mark, &s, err));
    assert_int_equal(s.seen[9], 1);
    assert_true(og_processor_count() >= 1);
}

static og_status fail_some(void *context, size_t index, og_error *err)
{
    sums *s = context;
    __atomic_add_fetch(&s->seen[0], 1, __ATOMIC_RELAXED);
    return index >= 7 ? og_error_set(err, OG_LIMIT, "turn %zu", index) : OG_OK;
}

TEST(test_thread__first_error_wins_and_stops_the_loop)
{
    OG_AUTO(og_pool) pool = og_pool_new(3);
    for (int round = 0; round < 50; round++) {
        sums s = {0};
        og_error err = {0};
        assert_int_equal(og_pool_run(pool, 1000, fail_some, &s, &err), OG_LIMIT);
        assert_string_equal(err.message, "turn 7");
        assert_true(s.seen[0] < 1000);
    }
    sums s = {0};
    assert_status(og_pool_run(NULL, 1000, fail_some, &s, NULL), OG_LIMIT);
    assert_int_equal(s.seen[0], 8);
}

static og_status add_inner(void *context, size_t index, og_error *err)
{
    sums *s = context;
    (void)index;
    (void)err;
    return og_budget_try_add(&s->budget, 1) ? OG_OK : OG_LIMIT;
}

static og_status run_inner(void *context, size_t index, og_error *err)
{
    sums *s = context;
    return og_pool_run(s->pool, 10 + index, add_inner, s, err);
}

TEST(test_thread__loops_nest)
{
    OG_AUTO(og_pool) pool = og_pool_new(3);
    for (int round = 0; round < 50; round++) {
        sums s = {.pool = pool};
        assert_ok(og_pool_run(pool, 20, run_inner, &s, err));
        assert_int_equal(og_budget_used(&s.budget), 20 * 10 + 190);
    }
}

/* ---- tasks -------------------------------------------------------------------------------- */

static og_status count_run(void *context, og_error *err)
{
    uint32_t *runs = context;
    uint32_t before = __atomic_fetch_add(runs, 1, __ATOMIC_RELAXED);
    return before % 2 == 1 ? og_error_set(err, OG_LIMIT, "run %u", before) : OG_OK;
}

TEST(test_thread__tasks_run_once_and_keep_their_errors)
{
    for (unsigned threads = 0; threads < 4; threads++) {
        OG_AUTO(og_pool) pool = threads > 0 ? og_pool_new(threads) : NULL;
        og_task tasks[20] = {0};
        uint32_t runs[20] = {0};
        for (int round = 0; round < 40; round++) {
            for (int i = 0; i < 20; i++) {
                tasks[i].run = count_run;
                tasks[i].context = &runs[i];
                og_pool_start(pool, &tasks[i]);
            }
            bool helped = og_pool_help(pool, &tasks[19]);
            assert_true(!helped || og_pool_is_done(pool, &tasks[19]));
            for (int i = 20; i-- > 0;) {
                og_error err = {0};
                og_status status = og_pool_finish(pool, &tasks[i], &err);
                assert_status(status, round % 2 == 1 ? OG_LIMIT : OG_OK);
                assert_int_equal(err.status, status);
                assert_int_equal(runs[i], round + 1);
            }
        }
    }
}

static og_status run_loop(void *context, og_error *err)
{
    sums *s = context;
    return og_pool_run(s->pool, 10, add_inner, s, err);
}

TEST(test_thread__tasks_and_loops_share_a_pool)
{
    OG_AUTO(og_pool) pool = og_pool_new(3);
    for (int round = 0; round < 50; round++) {
        sums s = {.pool = pool};
        og_task tasks[5] = {0};
        for (int i = 0; i < 5; i++) {
            tasks[i].run = run_loop;
            tasks[i].context = &s;
            og_pool_start(pool, &tasks[i]);
        }
        assert_ok(og_pool_run(pool, 20, run_inner, &s, err));
        for (int i = 0; i < 5; i++)
            assert_ok(og_pool_finish(pool, &tasks[i], err));
        assert_int_equal(og_budget_used(&s.budget), 20 * 10 + 190 + 50);
    }
}

TEST(test_thread__a_shared_pool_is_there_while_it_is_used)
{
    OG_AUTO(og_shared_pool) shared = og_shared_pool_new(1);
    assert_null(og_shared_pool_take(shared));
    og_shared_pool_set_threads(shared, 3);
    og_pool *pool = og_shared_pool_take(shared);
    assert_int_equal(og_pool_threads(pool), 3);
    assert_ptr_equal(og_shared_pool_take(shared), pool);
    og_shared_pool_give(shared);
    sums s = {0};
    assert_ok(og_pool_run(pool, 10, mark, &s, err));
    og_shared_pool_give(shared);
    pool = og_shared_pool_take(shared);
    assert_int_equal(og_pool_threads(pool), 3);
    og_shared_pool_give(shared);
}

TEST(test_budget__limit_is_exact)
{
    og_budget b = {.limit = 100};
    assert_true(og_budget_try_add(&b, 60));
    assert_false(og_budget_try_add(&b, 41));
    assert_false(og_budget_try_add(&b, UINT64_MAX));
    assert_true(og_budget_try_add(&b, 40));
    og_budget_release(&b, 100);
    assert_int_equal(og_budget_used(&b), 0);
    assert_true(og_budget_try_add(NULL, UINT64_MAX));
    og_budget unbounded = {0};
    assert_true(og_budget_try_add(&unbounded, UINT64_MAX));
    assert_false(og_budget_try_add(&unbounded, 1));
}

static void keep_line(void *context, og_log_level level, const char *message)
{
    snprintf(context, 64, "%d %s", level, message);
}

TEST(test_log__only_wanted_levels_are_formatted)
{
    char line[64] = "";
    int evaluated = 0;
    og_log log = {keep_line, line, OG_LOG_INFO};
    og_log_debug(&log, "%d", ++evaluated);
    og_log_error(NULL, "%d", ++evaluated);
    og_log_error(&(og_log){0}, "%d", ++evaluated);
    assert_int_equal(evaluated, 0);
    assert_string_equal(line, "");
    og_log_info(&log, "%s=%d", "n", 3);
    assert_string_equal(line, "2 n=3");
}
