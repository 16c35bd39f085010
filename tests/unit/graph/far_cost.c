/* What one row costs that is inserted in a store that is far away: store calls, bytes, and round
 * trips in a row.
 *
 * By a process that opens the graph for it, it does not grow with the rows of the table, opening
 * included; right after a load and some commits later. By processes that insert in turn, it takes
 * few round trips to see what the others did.
 *
 * Each call of the store answers after a while, so calls stand in a row of which each began after
 * the one before had ended. Of a few inserts the one with the fewest counts: threads that a busy
 * machine lets wait make some more. */
#include <inttypes.h>
#include <time.h>

#include "graph/load.h"
#include "graph/mutate.h"
#include "lang/query.h"
#include "og_test.h"
#include "store/far.h"
#include "store/memory.h"
#include "store/wrap.h"

#define LATENCY_NS 20000000
#define FEW 1000
#define MANY 100000
#define COMMITS 700
#define TRIES 4

typedef struct cost {
    uint64_t calls, bytes, in_a_row;
} cost;

typedef struct remote {
    og_store *memory, *wire;
    bool is_slow;
    uint64_t in_a_row; /* that have ended; atomic */
    uint64_t rows;
} remote;

static void wait_for(long ns)
{
    struct timespec left = {.tv_nsec = ns};
    while (nanosleep(&left, &left) != 0)
        continue;
}

static og_store_fault travel(void *context, uint64_t call, const char *op, const char *name)
{
    remote *r = context;
    (void)call;
    (void)name;
    if (!r->is_slow || strcmp(op, "sync") == 0 || strcmp(op, "create") == 0 ||
        strcmp(op, "append") == 0)
        return OG_STORE_PASS;
    uint64_t place = __atomic_load_n(&r->in_a_row, __ATOMIC_SEQ_CST) + 1;
    wait_for(LATENCY_NS);
    uint64_t ended = __atomic_load_n(&r->in_a_row, __ATOMIC_SEQ_CST);
    while (ended < place && !__atomic_compare_exchange_n(&r->in_a_row, &ended, place, false,
                                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
    return OG_STORE_PASS;
}

static og_status read_persons(void *context, uint8_t *dst, size_t cap, size_t *out_len,
                              og_error *error_out)
{
    uint64_t *range = context;
    size_t len = 0;
    (void)error_out;
    for (; range[0] < range[1] && cap - len > 128; range[0]++)
        len +=
            (size_t)snprintf((char *)dst + len, cap - len,
                             "{\"type\":\"P\",\"data\":{\"name\":\"p%" PRIu64 "\"}}\n", range[0]);
    *out_len = len;
    return OG_OK;
}

static og_repo *open_repo(og_store *store)
{
    og_repo *repo;
    const og_repo_options options = {.store = store};
    assert_ok(og_repo_open("memory", &options, &repo, err));
    return repo;
}

static void open_remote(remote *r, uint64_t rows)
{
    *r = (remote){.rows = rows};
    assert_ok(og_store_open_memory(&r->memory, err));
    assert_ok(og_store_wrap(r->memory, (og_store_hook){travel, r}, 0, &r->wire, err));
    r->wire->list_is_cheap = true;
    const og_repo_options options = {.store = r->memory};
    assert_ok(
        og_repo_init("memory", OG_STR("node P { name: String @key }\n"), false, &options, err));
    og_repo *repo = open_repo(r->memory);
    og_load_output out;
    uint64_t range[2] = {0, rows};
    const og_load_input input = {
        .mode = OG_LOAD_APPEND, .read = read_persons, .read_context = range};
    assert_ok(og_load_run(repo, &input, &out, err));
    og_load_output_deinit(&out);
    og_repo_close(repo);
}

static void close_remote(remote *r)
{
    og_store_close(r->wire);
    og_store_close(r->memory);
}

static void insert(remote *r, og_repo *repo)
{
    OG_AUTO_BUF source = OG_BUF_INIT;
    OG_AUTO(og_program) program = NULL;
    og_mutate_output out;
    og_buf_printf(&source, "query q() { insert P { name: \"p%" PRIu64 "\" } }", r->rows++);
    assert_ok(og_program_compile(og_buf_view(&source), NULL, og_repo_catalog(repo), &program, err));
    const og_mutate_input input = {.query = og_program_query(program)};
    assert_ok(og_mutate_run(repo, &input, &out, err));
}

/* Round trips until the acknowledgement. */
static uint64_t far_insert(remote *r, og_repo *repo)
{
    r->in_a_row = 0;
    r->is_slow = true;
    insert(r, repo);
    return __atomic_load_n(&r->in_a_row, __ATOMIC_SEQ_CST);
}

/* Until the acknowledgement. */
static cost cold_insert(remote *r)
{
    og_store *store;
    const og_store_stats *s = &r->wire->stats;
    assert_ok(og_store_open_far(r->wire, &store, err));
    uint64_t calls = s->gets + s->puts + s->heads + s->lists,
             bytes = s->bytes_read + s->bytes_written;
    r->in_a_row = 0;
    r->is_slow = true;
    og_repo *repo = open_repo(store);
    insert(r, repo);
    uint64_t in_a_row = __atomic_load_n(&r->in_a_row, __ATOMIC_SEQ_CST);
    og_repo_close(repo); /* waits for what follows the acknowledgement */
    r->is_slow = false;
    og_store_close(store);
    return (cost){s->gets + s->puts + s->heads + s->lists - calls,
                  s->bytes_read + s->bytes_written - bytes, in_a_row};
}

static cost least_insert(remote *r, const char *when)
{
    cost least = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    for (int i = 0; i < TRIES; i++) {
        cost c = cold_insert(r);
        least.calls = c.calls < least.calls ? c.calls : least.calls;
        least.bytes = c.bytes < least.bytes ? c.bytes : least.bytes;
        least.in_a_row = c.in_a_row < least.in_a_row ? c.in_a_row : least.in_a_row;
    }
    printf("%s, now %" PRIu64 " rows: calls %" PRIu64 ", bytes %" PRIu64 ", in a row %" PRIu64 "\n",
           when, r->rows, least.calls, least.bytes, least.in_a_row);
    return least;
}

static void check(const cost *few, const cost *many)
{
    assert_true(many->calls <= few->calls + 1); /* a small directory is all in its head */
    assert_true(many->bytes <= few->bytes * 3 / 2 + 65536);
    assert_true(few->in_a_row <= 8 && many->in_a_row <= 8);
}

static void cost_is_that_of_a_row(void **state)
{
    (void)state;
    const uint64_t rows[2] = {FEW, MANY};
    cost loaded[2], later[2];
    for (int i = 0; i < 2; i++) {
        remote r;
        open_remote(&r, rows[i]);
        loaded[i] = least_insert(&r, "loaded");
        og_repo *repo = open_repo(r.memory);
        for (int k = 0; k < COMMITS; k++)
            insert(&r, repo);
        og_repo_close(repo);
        later[i] = least_insert(&r, "later");
        close_remote(&r);
    }
    check(&loaded[0], &loaded[1]);
    check(&later[0], &later[1]);
}

/* Each sees by the store what the other did, which takes three more than the four of an insert
 * alone: the new version, the table that it wrote, its rows. */
static void writers_in_turn(void **state)
{
    (void)state;
    remote r;
    og_store *stores[2];
    og_repo *repos[2];
    uint64_t least = UINT64_MAX;
    open_remote(&r, FEW);
    for (int i = 0; i < 2; i++) {
        assert_ok(og_store_open_far(r.wire, &stores[i], err));
        repos[i] = open_repo(stores[i]);
    }
    for (int i = 0; i < 2 * TRIES; i++) {
        uint64_t in_a_row = far_insert(&r, repos[i % 2]);
        wait_for(15L * LATENCY_NS); /* what follows the acknowledgement */
        r.is_slow = false;
        least = i >= 2 && in_a_row < least ? in_a_row : least;
    }
    printf("two in turn: in a row %" PRIu64 "\n", least);
    assert_true(least <= 7);
    for (int i = 0; i < 2; i++) {
        og_repo_close(repos[i]);
        og_store_close(stores[i]);
    }
    close_remote(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(cost_is_that_of_a_row),
                                       cmocka_unit_test(writers_in_turn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
