/* versionsbench branches TYPES...         make and delete a branch of a graph of so many types
 * versionsbench inserts COMMITS...        insert one row after so many commits: warm handle,
 *                                         cold process
 * versionsbench rows ROWS...              insert one row, and one edge, into tables of so many rows
 *                                         in a cold process, after loading them and SINCE commits
 *                                         later
 * versionsbench turns WRITERS...          insert one row, in one of so many warm handles that insert
 *                                         in turn
 * versionsbench history FOLDER COMMITS    insert rows, one a commit, into the graph in FOLDER
 *                                         until it has so many commits
 * versionsbench changes ROWS...           merge and diff CHANGED rows, spread over the keys of
 *                                         tables of so many rows
 * versionsbench write FOLDER BRANCH NAME  insert rows NAME-0, NAME-1, ... until standard input ends
 *
 * Measured program of bench/versions.py: prints one JSON object a line. `branches`, `inserts`,
 * `turns` and `rows` work on a store in memory that stands behind one that is far away (store/far.h) and,
 * while a cost is taken, answers after LATENCY: what stands in a row are calls of which each began after the one
 * before had ended. A sync costs nothing there, nor do the parts of an object before it is
 * finished. With VERSIONSBENCH_TRACE set, these calls are listed. `changes` works on a plain store
 * in memory, `write` and `history` on a folder. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/number.h"
#include "base/timeval.h"
#include "graph/branch_ops.h"
#include "graph/diff.h"
#include "graph/load.h"
#include "graph/merge.h"
#include "graph/mutate.h"
#include "lang/query.h"
#include "store/far.h"
#include "store/memory.h"
#include "store/wrap.h"

#define LATENCY_NS 30000000
#define CHANGED 50
#define ROUNDS 16
#define MAX_WRITERS 8
#define SINCE 1000
#define COMMITS 63 /* of which the one in the middle is taken: most fold nothing */

static og_error error;
static og_error *const err = &error;

static void must(og_status status)
{
    if (status == OG_OK)
        return;
    fprintf(stderr, "versionsbench: %s\n", error.message);
    exit(1);
}

static uint64_t number(const char *text)
{
    uint64_t value;
    if (og_parse_u64(og_str_of(text), &value))
        return value;
    fprintf(stderr, "versionsbench: %s is no number\n", text);
    exit(2);
}

/* ---- what something cost ------------------------------------------------------------------ */

typedef struct cost {
    uint64_t calls, bytes; /* of the store; syncs are no calls */
    uint64_t ns, cpu_ns;
    uint64_t in_a_row; /* of the calls */
} cost;

static uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static cost now(const og_store *store)
{
    const og_store_stats *s = &store->stats;
    return (cost){.calls = s->gets + s->puts + s->heads + s->lists + s->deletes,
                  .bytes = s->bytes_read + s->bytes_written,
                  .ns = og_monotonic_ns(),
                  .cpu_ns = cpu_ns()};
}

static cost since(const og_store *store, const cost *start)
{
    cost c = now(store);
    return (cost){.calls = c.calls - start->calls,
                  .bytes = c.bytes - start->bytes,
                  .ns = c.ns - start->ns,
                  .cpu_ns = c.cpu_ns - start->cpu_ns};
}

static void print_cost(const char *name, const cost *c)
{
    printf(", \"%s\": {\"calls\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"in_a_row\": %" PRIu64
           ", \"ms\": %.3f, \"cpu_ms\": %.3f}",
           name, c->calls, c->bytes, c->in_a_row, (double)c->ns / 1e6, (double)c->cpu_ns / 1e6);
}

static void wait_for(unsigned latencies)
{
    struct timespec left = {.tv_nsec = (long)latencies * LATENCY_NS};
    while (nanosleep(&left, &left) != 0)
        continue;
}

/* ---- a store far away --------------------------------------------------------------------- */

typedef struct remote {
    og_store *memory, *wire, *store;
    bool is_slow, is_traced;
    uint64_t in_a_row; /* that have ended; atomic */
} remote;

static og_store_fault travel(void *context, uint64_t call, const char *op, const char *name)
{
    remote *r = context;
    bool is_local =
        strcmp(op, "sync") == 0 || strcmp(op, "create") == 0 || strcmp(op, "append") == 0;
    if (!r->is_slow || is_local)
        return OG_STORE_PASS;
    uint64_t place = __atomic_load_n(&r->in_a_row, __ATOMIC_SEQ_CST) + 1;
    if (r->is_traced)
        fprintf(stderr, "%" PRIu64 " (%" PRIu64 " in a row) %s %s\n", call, place, op, name);
    wait_for(1);
    uint64_t ended = __atomic_load_n(&r->in_a_row, __ATOMIC_SEQ_CST);
    while (ended < place && !__atomic_compare_exchange_n(&r->in_a_row, &ended, place, false,
                                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        continue;
    return OG_STORE_PASS;
}

static void remote_open(remote *r)
{
    *r = (remote){.is_traced = getenv("VERSIONSBENCH_TRACE") != NULL};
    must(og_store_open_memory(&r->memory, err));
    must(og_store_wrap(r->memory, (og_store_hook){travel, r}, 0, &r->wire, err));
    r->wire->list_is_cheap = true;
    must(og_store_open_far(r->wire, &r->store, err));
}

static void remote_close(remote *r)
{
    og_store_close(r->store);
    og_store_close(r->wire);
    og_store_close(r->memory);
}

/* After what follows the operation before. */
static cost slow_start(remote *r)
{
    wait_for(3);
    r->is_slow = true;
    r->in_a_row = 0;
    return now(r->wire);
}

/* Time and what stands in a row until the acknowledgement;
 * calls with those that follow it (graph/later.h). */
static cost settled(remote *r, const cost *start)
{
    cost at_ack = since(r->wire, start);
    at_ack.in_a_row = __atomic_load_n(&r->in_a_row, __ATOMIC_SEQ_CST);
    wait_for(15);
    cost all = since(r->wire, start);
    r->is_slow = false;
    at_ack.calls = all.calls;
    at_ack.bytes = all.bytes;
    return at_ack;
}

static og_repo *repo_open(og_store *store)
{
    og_repo *repo;
    const og_repo_options options = {.store = store};
    must(og_repo_open("memory", &options, &repo, err));
    return repo;
}

static og_repo *repo_new(og_store *store, og_str schema)
{
    const og_repo_options options = {.store = store};
    must(og_repo_init("memory", schema, false, &options, err));
    return repo_open(store);
}

/* ---- single rows -------------------------------------------------------------------------- */

static og_status run(og_repo *repo, const char *branch, og_str statement)
{
    OG_AUTO_BUF source = OG_BUF_INIT;
    OG_AUTO(og_program) program = NULL;
    og_mutate_output out;
    og_buf_printf(&source, "query q() { %.*s }", OG_FMT(statement));
    must(og_program_compile(og_buf_view(&source), NULL, og_repo_catalog(repo), &program, err));
    const og_mutate_input input = {.branch = branch, .query = og_program_query(program)};
    return og_mutate_run(repo, &input, &out, err);
}

static void write_insert(og_buf *out, const char *name, uint64_t i)
{
    og_buf_printf(out, "insert P { name: \"%s-%" PRIu64 "\", age: 1 }", name, i);
}

static og_status insert(og_repo *repo, const char *branch, const char *name, uint64_t i)
{
    OG_AUTO_BUF statement = OG_BUF_INIT;
    write_insert(&statement, name, i);
    return run(repo, branch, og_buf_view(&statement));
}

#define PERSON "node P { name: String @key\n age: I32? }\n"

static cost warm_insert(remote *r, og_repo *repo, uint64_t i)
{
    cost start = slow_start(r);
    must(insert(repo, NULL, "p", i));
    return settled(r, &start);
}

/* In a handle that begins with it, as if in a process that does: nothing is in memory. */
static cost cold_run(remote *r, og_str statement)
{
    og_store *store;
    must(og_store_open_far(r->wire, &store, err));
    cost start = slow_start(r);
    og_repo *repo = repo_open(store);
    must(run(repo, NULL, statement));
    cost c = settled(r, &start);
    og_repo_close(repo);
    og_store_close(store);
    return c;
}

static cost cold_insert(remote *r, og_repo *unused, uint64_t i)
{
    OG_AUTO_BUF statement = OG_BUF_INIT;
    (void)unused;
    write_insert(&statement, "p", i);
    return cold_run(r, og_buf_view(&statement));
}

/* Of a few, the one with the fewest in a row, then of the fewest bytes: threads that a busy machine
 * lets wait make some more, and now and then one saves what the next ones read. */
static cost fewest(cost (*insert_one)(remote *, og_repo *, uint64_t), remote *r, og_repo *repo,
                   uint64_t *done)
{
    cost least = {.in_a_row = UINT64_MAX};
    for (int i = 0; i < 3; i++) {
        cost c = insert_one(r, repo, (*done)++);
        bool is_less =
            c.in_a_row != least.in_a_row ? c.in_a_row < least.in_a_row : c.bytes < least.bytes;
        least = is_less ? c : least;
    }
    return least;
}

static cost insert_until(const og_store *store, og_repo *repo, uint64_t *done, uint64_t commits)
{
    cost start = now(store);
    for (; *done + 1 < commits; ++*done)
        must(insert(repo, NULL, "p", *done));
    return since(store, &start);
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Calls and bytes apart: what follows an acknowledgement may count as the next one's. */
static cost middle_insert(remote *r, og_repo *repo, uint64_t *done)
{
    uint64_t calls[COMMITS], bytes[COMMITS], cpu[COMMITS];
    for (int i = 0; i < COMMITS; i++) {
        cost c = insert_until(r->wire, repo, done, *done + 2);
        calls[i] = c.calls;
        bytes[i] = c.bytes;
        cpu[i] = c.cpu_ns;
    }
    qsort(calls, COMMITS, sizeof *calls, by_size);
    qsort(bytes, COMMITS, sizeof *bytes, by_size);
    qsort(cpu, COMMITS, sizeof *cpu, by_size);
    return (cost){
        .calls = calls[COMMITS / 2], .bytes = bytes[COMMITS / 2], .cpu_ns = cpu[COMMITS / 2]};
}

/* The mean of many, folds included. They are inserted next to the store, where nothing waits. */
static cost insert_history(remote *r, uint64_t *done, uint64_t commits)
{
    og_repo *repo = repo_open(r->memory);
    uint64_t first = *done;
    cost all = insert_until(r->memory, repo, done, commits);
    og_repo_close(repo);
    uint64_t count = *done > first ? *done - first : 1;
    return (cost){.calls = all.calls / count,
                  .bytes = all.bytes / count,
                  .ns = all.ns / count,
                  .cpu_ns = all.cpu_ns / count};
}

static void inserts_after(remote *r, uint64_t *done, uint64_t commits)
{
    cost mean = insert_history(r, done, commits - 1);
    og_repo *repo = repo_open(r->store);
    insert_until(r->wire, repo, done, commits);
    cost warm = fewest(warm_insert, r, repo, done);
    cost cold = fewest(cold_insert, r, repo, done);
    cost middle = middle_insert(r, repo, done);
    printf("{\"commits\": %" PRIu64, commits);
    print_cost("warm", &warm);
    print_cost("cold", &cold);
    print_cost("middle", &middle);
    print_cost("mean", &mean);
    printf("}\n");
    fflush(stdout);
    og_repo_close(repo);
}

static void inserts(char **counts, int count)
{
    remote r;
    uint64_t done = 0;
    remote_open(&r);
    og_repo_close(repo_new(r.store, OG_STR(PERSON)));
    for (int i = 0; i < count; i++)
        inserts_after(&r, &done, number(counts[i]));
    remote_close(&r);
}

/* Handles of processes of their own, which know what the others did only by the store. */
static void turns_of(uint64_t writers)
{
    remote r;
    og_store *stores[MAX_WRITERS];
    og_repo *repos[MAX_WRITERS];
    uint64_t done = 0;
    cost least = {.in_a_row = UINT64_MAX};
    remote_open(&r);
    og_repo_close(repo_new(r.store, OG_STR(PERSON)));
    writers = writers < MAX_WRITERS ? writers : MAX_WRITERS;
    for (uint64_t i = 0; i < writers; i++) {
        must(og_store_open_far(r.wire, &stores[i], err));
        repos[i] = repo_open(stores[i]);
    }
    for (uint64_t i = 0; i < 4 * writers; i++) {
        cost c = warm_insert(&r, repos[i % writers], done++);
        if (i >= writers && c.in_a_row < least.in_a_row)
            least = c;
    }
    printf("{\"writers\": %" PRIu64, writers);
    print_cost("warm", &least);
    printf("}\n");
    fflush(stdout);
    for (uint64_t i = 0; i < writers; i++) {
        og_repo_close(repos[i]);
        og_store_close(stores[i]);
    }
    remote_close(&r);
}

static uint64_t row_count(og_repo *repo)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    must(og_repo_snapshot(repo, NULL, &snapshot, err));
    size_t count;
    uint64_t rows = 0;
    const og_table_info *tables = og_snapshot_tables(snapshot, &count);
    for (size_t i = 0; i < count; i++)
        rows += tables[i].row_count;
    return rows;
}

/* The rows are p-0, p-1, ...: their number says how far an earlier run came. */
static void history(const char *folder, uint64_t commits)
{
    og_repo *repo;
    must(og_repo_open(folder, NULL, &repo, err));
    uint64_t first = row_count(repo), done = first;
    cost c = insert_until(&(og_store){0}, repo, &done, commits);
    printf("{\"commits\": %" PRIu64 ", \"ms\": %.3f, \"cpu_ms\": %.3f}\n", done - first,
           (double)c.ns / 1e6, (double)c.cpu_ns / 1e6);
    og_repo_close(repo);
}

/* ---- branches ----------------------------------------------------------------------------- */

static void branches_of(uint64_t types)
{
    remote r;
    cost create, delete, start;
    OG_AUTO_BUF schema = OG_BUF_INIT;
    for (uint64_t i = 0; i < types; i++)
        og_buf_printf(&schema, "node T%" PRIu64 " { name: String @key }\n", i);
    remote_open(&r);
    og_repo *repo = repo_new(r.store, og_buf_view(&schema));
    start = slow_start(&r);
    must(og_branch_make(repo, NULL, "b", err));
    create = settled(&r, &start);
    start = slow_start(&r);
    must(og_branch_remove(repo, "b", err));
    delete = settled(&r, &start);
    printf("{\"types\": %" PRIu64, types);
    print_cost("create", &create);
    print_cost("delete", &delete);
    printf("}\n");
    og_repo_close(repo);
    remote_close(&r);
}

/* ---- merges and diffs --------------------------------------------------------------------- */

#define PEOPLE                                                                                     \
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
                             og_error *error_out)
{
    people *p = context;
    size_t len = 0;
    (void)error_out;
    for (; p->next < p->end && cap - len > 512; p->next += p->step) {
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
    }
    *out_len = len;
    return OG_OK;
}

static void load_from(og_repo *repo, const char *branch, people p,
                      og_status (*read)(void *, uint8_t *, size_t, size_t *, og_error *))
{
    og_load_output out;
    const og_load_input input = {
        .branch = branch, .mode = OG_LOAD_MERGE, .read = read, .read_context = &p};
    must(og_load_run(repo, &input, &out, err));
    og_load_output_deinit(&out);
}

static void load(og_repo *repo, const char *branch, people p)
{
    load_from(repo, branch, p, read_people);
}

static cost merge(og_store *store, og_repo *repo)
{
    const og_merge_input input = {.source = "b"};
    og_merge_output out = {0};
    cost start = now(store);
    must(og_merge_run(repo, &input, &out, err));
    cost c = since(store, &start);
    og_merge_output_deinit(&out);
    return c;
}

static og_status drop_bytes(void *context, og_bytes bytes, og_error *error_out)
{
    (void)error_out;
    *(size_t *)context += bytes.len;
    return OG_OK;
}

/* A warm handle has the columns in memory. */
static void read_all(og_repo *repo)
{
    size_t bytes = 0;
    OG_AUTO(og_snapshot) snapshot = NULL;
    const og_export_input input = {.write = drop_bytes, .write_context = &bytes};
    must(og_repo_snapshot(repo, NULL, &snapshot, err));
    must(og_export_run(snapshot, &input, err));
}

/* All types of main against what it was; values are read as for printing. */
static cost diff(og_store *store, og_repo *repo, og_snapshot *from)
{
    OG_AUTO(og_snapshot) to = NULL;
    cost start = now(store);
    must(og_repo_snapshot(repo, NULL, &to, err));
    const og_catalog *c = to->catalog;
    for (size_t i = 0; i < c->node_count + c->edge_count; i++) {
        const og_type_def *def = i < c->node_count ? &c->nodes[i] : &c->edges[i - c->node_count];
        OG_AUTO_TABLE_CHANGES changes = {0};
        OG_AUTO_BATCH rows = {0};
        must(og_table_changes_between(def, from, to, &changes, err));
        OG_AUTO_FREE uint32_t *slots = og_calloc(changes.row_count + 1, sizeof *slots);
        for (size_t k = 0; slots != NULL && k < changes.row_count; k++)
            slots[k] = changes.rows[k].to_slot;
        if (changes.row_count > 0)
            must(og_type_rows_read(def, changes.to, slots, changes.row_count, &rows, err));
    }
    return since(store, &start);
}

static void add(cost *sum, cost c)
{
    *sum =
        (cost){sum->calls + c.calls, sum->bytes + c.bytes, sum->ns + c.ns, sum->cpu_ns + c.cpu_ns};
}

/* The same number of rounds for each size, so that each has as many folds; the first one warms. */
static void changes_of(uint64_t rows)
{
    og_store *store;
    cost merges = {0}, diffs = {0};
    must(og_store_open_memory(&store, err));
    og_repo *repo = repo_new(store, OG_STR(PEOPLE));
    load(repo, NULL, (people){.end = rows, .step = 1, .edges = true});
    read_all(repo);
    must(og_branch_make(repo, NULL, "b", err));
    for (uint64_t round = 0; round <= ROUNDS; round++) {
        OG_AUTO(og_snapshot) before = NULL;
        people theirs = {round, rows, rows / CHANGED, (int)round + 1, true};
        people ours = {round + ROUNDS + 1, rows, rows / CHANGED, (int)round + 1, false};
        load(repo, "b", theirs);
        load(repo, NULL, ours);
        must(og_repo_snapshot(repo, NULL, &before, err));
        cost merged = merge(store, repo), compared = diff(store, repo, before);
        if (round > 0) {
            add(&merges, merged);
            add(&diffs, compared);
        }
    }
    printf("{\"rows\": %" PRIu64 ", \"rounds\": %d", rows, ROUNDS);
    print_cost("merge", &merges);
    print_cost("diff", &diffs);
    printf("}\n");
    fflush(stdout);
    og_repo_close(repo);
    og_store_close(store);
}

/* ---- rows in a table ---------------------------------------------------------------------- */

#define PERSONS "node P { name: String @key\n age: I32? }\nedge K: P -> P\n"

/* Nodes as warm_insert and others name them, and an edge from each to itself. */
static og_status read_persons(void *context, uint8_t *dst, size_t cap, size_t *out_len,
                              og_error *error_out)
{
    people *p = context;
    size_t len = 0;
    (void)error_out;
    for (; p->next < p->end && cap - len > 256; p->next++)
        len += (size_t)snprintf((char *)dst + len, cap - len,
                                "{\"type\":\"P\",\"data\":{\"name\":\"p-%" PRIu64
                                "\"}}\n{\"edge\":\"K\",\"from\":\"p-%" PRIu64
                                "\",\"to\":\"p-%" PRIu64 "\"}\n",
                                p->next, p->next, p->next);
    *out_len = len;
    return OG_OK;
}

static cost cold_edge(remote *r, og_repo *unused, uint64_t i)
{
    OG_AUTO_BUF statement = OG_BUF_INIT;
    (void)unused;
    og_buf_printf(&statement, "insert K { from: \"p-%" PRIu64 "\", to: \"p-0\" }", i / 4);
    return cold_run(r, og_buf_view(&statement));
}

static void print_rows(remote *r, const char *when, uint64_t rows, uint64_t *done)
{
    cost node = fewest(cold_insert, r, NULL, done), edge = fewest(cold_edge, r, NULL, done);
    printf("{\"rows\": %" PRIu64 ", \"when\": \"%s\"", rows, when);
    print_cost("node", &node);
    print_cost("edge", &edge);
    printf("}\n");
    fflush(stdout);
}

static void rows_of(uint64_t rows)
{
    remote r;
    remote_open(&r);
    og_repo *repo = repo_new(r.memory, OG_STR(PERSONS));
    load_from(repo, NULL, (people){.end = rows}, read_persons);
    uint64_t done = rows;
    print_rows(&r, "loaded", rows, &done);
    insert_until(r.memory, repo, &done, done + SINCE);
    og_repo_close(repo);
    print_rows(&r, "later", rows, &done);
    remote_close(&r);
}

/* ---- a writer among others ---------------------------------------------------------------- */

static bool input_ended(void)
{
    struct pollfd in = {.fd = 0, .events = POLLIN};
    return poll(&in, 1, 0) > 0;
}

/* Prints "ready", waits for a line, then inserts until the input ends. */
static void write_rows(char **args)
{
    og_repo *repo;
    char line[8];
    OG_AUTO_BUF failed = OG_BUF_INIT;
    must(og_repo_open(args[0], NULL, &repo, err));
    must(insert(repo, args[1], args[2], 0));
    printf("ready\n");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL)
        exit(2);
    uint64_t start = og_monotonic_ns(), next = 1, conflicts = 0, failures = 0;
    for (; !input_ended(); next++) {
        og_status s = insert(repo, args[1], args[2], next);
        conflicts += s == OG_CONFLICT;
        failures += s != OG_OK;
        if (s != OG_OK)
            og_buf_printf(&failed, "%s%" PRIu64, failed.len > 0 ? ", " : "", next);
        if (s != OG_OK && s != OG_CONFLICT)
            fprintf(stderr, "versionsbench: %s\n", error.message);
    }
    double seconds = (double)(og_monotonic_ns() - start) / 1e9;
    printf("{\"tried\": %" PRIu64 ", \"conflicts\": %" PRIu64 ", \"failures\": %" PRIu64
           ", \"failed\": [%s], \"seconds\": %.3f}\n",
           next, conflicts, failures, og_buf_cstr(&failed), seconds);
    og_repo_close(repo);
}

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[1] : "";
    if (strcmp(what, "rows") == 0)
        for (int i = 2; i < argc; i++)
            rows_of(number(argv[i]));
    else if (strcmp(what, "turns") == 0)
        for (int i = 2; i < argc; i++)
            turns_of(number(argv[i]));
    else if (strcmp(what, "branches") == 0)
        for (int i = 2; i < argc; i++)
            branches_of(number(argv[i]));
    else if (strcmp(what, "inserts") == 0)
        inserts(argv + 2, argc - 2);
    else if (strcmp(what, "changes") == 0)
        for (int i = 2; i < argc; i++)
            changes_of(number(argv[i]));
    else if (strcmp(what, "history") == 0 && argc == 4)
        history(argv[2], number(argv[3]));
    else if (strcmp(what, "write") == 0 && argc == 5)
        write_rows(argv + 2);
    else
        fprintf(stderr, "usage: see the top of versionsbench.c\n");
    return strcmp(what, "") == 0 ? 2 : 0;
}
