/* What a commit costs does not grow with history: store calls and bytes of one-row
 * commits after 10, 1,000 and 10,000 of them (or as many as the argument says). A program
 * of its own, since it takes seconds.
 *
 * Rounds of 64 commits are compared, so that each has the same number of small folds;
 * the bound leaves room for one larger fold. */
#include <inttypes.h>
#include <stdlib.h>

#include "graph_fixture.h"
#include "og_test.h"

#define ROUND 64

typedef struct cost {
    uint64_t puts, reads, bytes_written, bytes_read, most_puts;
} cost;

static cost round_of(og_store *store, og_repo *repo, fixture_clock *clock, int first)
{
    cost c = {0};
    og_store_stats start = store->stats;
    for (int i = first; i < first + ROUND; i++) {
        char id[16];
        uint64_t before = store->stats.puts;
        snprintf(id, sizeof id, "%d", i);
        clock->now_us += 1000;
        assert_ok(fixture_write(repo, "A", id, err));
        uint64_t puts = store->stats.puts - before;
        c.most_puts = puts > c.most_puts ? puts : c.most_puts;
    }
    c.puts = store->stats.puts - start.puts;
    c.reads = store->stats.gets + store->stats.heads + store->stats.lists - start.gets -
              start.heads - start.lists;
    c.bytes_written = store->stats.bytes_written - start.bytes_written;
    c.bytes_read = store->stats.bytes_read - start.bytes_read;
    printf("commits %6d..%-6d  puts %" PRIu64 " (most %" PRIu64 ")  reads %" PRIu64
           "  written %" PRIu64 "  read %" PRIu64 "\n",
           first, first + ROUND, c.puts, c.most_puts, c.reads, c.bytes_written, c.bytes_read);
    return c;
}

static void advance(og_repo *repo, fixture_clock *clock, int from, int to)
{
    for (int i = from; i < to; i++) {
        char id[16];
        snprintf(id, sizeof id, "%d", i);
        clock->now_us += 1000;
        assert_ok(fixture_write(repo, "A", id, err));
    }
}

static void check(const cost *early, const cost *late)
{
    /* Which commits fold depends on how the counts of the tables fall;
     * the most that one does is equal. */
    assert_int_equal(late->most_puts, early->most_puts);
    assert_true(late->puts <= early->puts + ROUND / 8);
    assert_true(late->reads <= early->reads + early->reads / 2);
    assert_true(late->bytes_written <= early->bytes_written * 3 / 2 + ROUND * 65536);
    assert_true(late->bytes_read <= early->bytes_read * 3 / 2 + ROUND * 65536);
}

static int commits = 10000;

static void cost_is_flat(void **state)
{
    (void)state;
    og_store *store = NULL;
    fixture_clock clock;
    assert_ok(og_store_open_memory(&store, err));
    fixture_clock_init(&clock);
    fixture_init(store, &clock);
    og_repo *repo = fixture_open(store, &clock);
    advance(repo, &clock, 0, 10);
    cost early = round_of(store, repo, &clock, 10);
    int done = 10 + ROUND;
    for (int mark = 1000; mark <= commits; mark *= 10) {
        advance(repo, &clock, done, mark);
        cost late = round_of(store, repo, &clock, mark);
        done = mark + ROUND;
        check(&early, &late);
    }
    assert_int_equal(fixture_count(repo, "A"), (uint64_t)done);
    og_repo_close(repo);
    og_store_close(store);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        commits = (int)strtol(argv[1], NULL, 10);
    const struct CMUnitTest tests[] = {cmocka_unit_test(cost_is_flat)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
