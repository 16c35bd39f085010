/* What a merge costs does not grow with the table: store calls, bytes and processor time
 * of merging 50 changed rows, spread over the keys, into tables of the sizes given
 * (10,000 and 100,000 when none are), with 50 other rows changed on the target. A program
 * of its own, since it takes seconds.
 *
 * Rounds are summed, so that each size has the same number of folds. */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "graph/branch_ops.h"
#include "graph/load.h"
#include "graph/merge.h"
#include "graph_fixture.h"
#include "og_test.h"

#define CHANGED 50
#define ROUNDS 16

#define SCHEMA                                                                                     \
    "node P { name: String @key\n age: I32?\n mail: String? @unique }\nedge K: P -> P "            \
    "@card(0..9)\n"

/* Records made as they are read: every `step`-th person from `first`,
 * each with an edge when `edges`. */
typedef struct people {
    uint64_t next, end, step;
    int age;
    bool edges;
} people;

static og_status read_people(void *context, uint8_t *dst, size_t cap, size_t *out_len,
                             og_error *err)
{
    people *p = context;
    size_t len = 0;
    (void)err;
    while (p->next < p->end && cap - len > 512) {
        len += (size_t)snprintf((char *)dst + len, cap - len,
                                "{\"type\":\"P\",\"data\":{\"name\":\"p%09" PRIu64
                                "\",\"age\":%d,\"mail\":\"%" PRIu64 "@x\"}}\n",
                                p->next, p->age, p->next);
        if (p->edges)
            len +=
                (size_t)snprintf((char *)dst + len, cap - len,
                                 "{\"edge\":\"K\",\"from\":\"p%09" PRIu64 "\",\"to\":\"p%09" PRIu64
                                 "\",\"data\":{\"id\":\"k%d-%" PRIu64 "\"}}\n",
                                 p->next, p->next, p->age, p->next);
        p->next += p->step;
    }
    *out_len = len;
    return OG_OK;
}

static void load(og_repo *repo, const char *branch, people p)
{
    og_load_output out;
    const og_load_input input = {
        .branch = branch, .mode = OG_LOAD_MERGE, .read = read_people, .read_context = &p};
    assert_ok(og_load_run(repo, &input, &out, err));
    og_load_output_deinit(&out);
}

typedef struct cost {
    uint64_t calls, bytes;
    double seconds;
} cost;

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void merge(og_store *store, og_repo *repo, uint64_t rows, cost *sum)
{
    const og_merge_input input = {.source = "b"};
    og_merge_output out = {0};
    og_store_stats before = store->stats;
    double start = cpu_seconds();
    assert_ok(og_merge_run(repo, &input, &out, err));
    sum->seconds += cpu_seconds() - start;
    const og_store_stats *s = &store->stats;
    sum->calls += s->gets + s->puts + s->heads + s->lists + s->deletes + s->syncs - before.gets -
                  before.puts - before.heads - before.lists - before.deletes - before.syncs;
    sum->bytes += s->bytes_read + s->bytes_written - before.bytes_read - before.bytes_written;
    assert_int_equal(out.outcome, OG_MERGE_MERGED);
    for (size_t i = 0; i < out.table_count; i++)
        assert_int_equal(out.tables[i].inserted + out.tables[i].updated, rows);
    og_merge_output_deinit(&out);
}

/* `changed` rows on each side, merged, ROUNDS times; the first round only warms. */
static cost cost_of(uint64_t rows, uint64_t changed)
{
    fixture_clock clock;
    og_store *store;
    og_repo *repo;
    cost sum = {0};
    fixture_clock_init(&clock);
    assert_ok(og_store_open_memory(&store, err));
    const og_repo_options options = {.store = store, .clock = &clock.clock};
    assert_ok(og_repo_init("memory", OG_STR(SCHEMA), false, &options, err));
    assert_ok(og_repo_open("memory", &options, &repo, err));
    load(repo, NULL, (people){.end = rows, .step = 1, .age = 0, .edges = true});
    assert_ok(og_branch_make(repo, NULL, "b", err));
    uint64_t step = rows / changed;
    for (int round = 0; round <= ROUNDS; round++) {
        cost one = {0};
        clock.now_us += 1000000;
        people theirs = {(uint64_t)round, rows, step, round + 1, true};
        people ours = {(uint64_t)(round + ROUNDS + 1), rows, step, round + 1, false};
        load(repo, "b", theirs);
        load(repo, NULL, ours);
        merge(store, repo, changed, &one);
        sum.calls += round > 0 ? one.calls : 0;
        sum.bytes += round > 0 ? one.bytes : 0;
        sum.seconds += round > 0 ? one.seconds : 0;
    }
    printf("%8" PRIu64 " rows, %4" PRIu64 " changed: %" PRIu64 " calls, %" PRIu64
           " bytes, %.2f ms of processor a merge\n",
           rows, changed, sum.calls / ROUNDS, sum.bytes / ROUNDS, sum.seconds * 1000 / ROUNDS);
    og_repo_close(repo);
    og_store_close(store);
    return sum;
}

int main(int argc, char **argv)
{
    static const char *const sizes[] = {"10000", "100000"};
    size_t count = argc > 1 ? (size_t)argc - 1 : 2;
    cost first = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t rows = strtoull(argc > 1 ? argv[i + 1] : sizes[i], NULL, 10);
        cost c = cost_of(rows, CHANGED);
        if (i == 0)
            first = c;
        /* Time is only told: a busy machine would make it a matter of luck. */
        assert_true(c.calls * 10 <= first.calls * 13);
        assert_true(c.bytes * 10 <= first.bytes * 13);
    }
    return 0;
}
