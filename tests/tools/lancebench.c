/* lancebench scan ROOT TABLE THREADS REPEATS COLUMN...  read whole columns, sum every value
 * lancebench take ROOT TABLE COUNT REPEATS COLUMN...    COUNT random rows, the same each time
 * lancebench write ROOT TABLE NEW THREADS COLUMN...     the rows of TABLE, from memory, as NEW
 *
 * Measured program of bench/lance.py: prints one JSON object. Times are of the work alone,
 * without opening; a take begins with a cold cache of its own each time. */
#include "columnar/kernels.h"
#include "lance/table/table.h"
#include "lance/table/write.h"
#include "store/file.h"

#include "base/number.h"
#include "base/thread.h"
#include "base/timeval.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static og_error error;

static void must(og_status status)
{
    if (status == OG_OK)
        return;
    fprintf(stderr, "lancebench: %s\n", error.message);
    exit(1);
}

static uint64_t number(const char *text)
{
    uint64_t value;
    if (og_parse_u64(og_str_of(text), &value))
        return value;
    fprintf(stderr, "lancebench: %s is no number\n", text);
    exit(2);
}

/* ---- sums --------------------------------------------------------------------------------- */

typedef struct totals {
    double sum;
    uint64_t rows, bytes;
} totals;

static double sum_array(const og_array *a);

static double sum_floats(const float *v, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count;) {
        float part[16] = {0};
        int64_t stop = count - i < 4096 ? count : i + 4096;
        for (; i + 16 <= stop; i += 16)
            for (int k = 0; k < 16; k++)
                part[k] += v[i + k];
        for (; i < stop; i++)
            part[0] += v[i];
        for (int k = 0; k < 16; k++)
            sum += (double)part[k];
    }
    return sum;
}

static double sum_integers(const int64_t *v, int64_t count)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += (uint64_t)v[i];
    return (double)(int64_t)sum;
}

static double sum_doubles(const double *v, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += v[i];
    return sum;
}

/* Null slots hold anything. */
static double sum_valid(const og_array *a)
{
    uint64_t sum = 0;
    for (int64_t i = 0; i < a->length; i++)
        sum += og_array_is_null(a, i) ? 0 : ((const uint64_t *)a->data)[i];
    return (double)(int64_t)sum;
}

static double count_true(const og_array *a)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < a->length; i++)
        sum += og_array_bool(a, i);
    return (double)sum;
}

static double sum_array(const og_array *a)
{
    switch (a->type->id) {
    case OG_TYPE_BOOL:
        return count_true(a);
    case OG_TYPE_I64:
        return a->null_count > 0 ? sum_valid(a) : sum_integers(a->data, a->length);
    case OG_TYPE_F64:
        return sum_doubles(a->data, a->length);
    case OG_TYPE_F32:
        return sum_floats(a->data, a->length);
    case OG_TYPE_LIST:
    case OG_TYPE_FIXED_SIZE_LIST:
        return sum_array(a->children[0]);
    case OG_TYPE_UTF8:
        return (double)((const int32_t *)a->offsets)[a->length];
    default:
        fprintf(stderr, "lancebench: no sum for this type\n");
        exit(2);
    }
}

static void add_batch(totals *t, const og_batch *batch)
{
    t->rows += (uint64_t)batch->row_count;
    for (uint32_t i = 0; i < batch->column_count; i++) {
        t->sum += sum_array(batch->columns[i]);
        t->bytes += og_array_bytes(batch->columns[i]);
    }
}

/* ---- time --------------------------------------------------------------------------------- */

typedef struct stopwatch {
    uint64_t wall;
    double cpu, own_cpu; /* of all threads, of the calling one */
} stopwatch;

static double cpu_seconds(int who)
{
    struct rusage usage;
    getrusage(who, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static stopwatch start(void)
{
    return (stopwatch){og_monotonic_ns(), cpu_seconds(RUSAGE_SELF), cpu_seconds(RUSAGE_THREAD)};
}

static void report(const stopwatch *since, const totals *t, bool first)
{
    printf("%s{\"seconds\": %.6f, \"cpu\": %.6f, \"own_cpu\": %.6f, \"rows\": %" PRIu64
           ", \"bytes\": %" PRIu64 ", \"sum\": %.17g}",
           first ? "[" : ",\n ", (double)(og_monotonic_ns() - since->wall) / 1e9,
           cpu_seconds(RUSAGE_SELF) - since->cpu, cpu_seconds(RUSAGE_THREAD) - since->own_cpu,
           t->rows, t->bytes, t->sum);
}

/* ---- what is measured --------------------------------------------------------------------- */

static uint32_t *find_columns(og_lance_table *table, char **names, int count)
{
    uint32_t *fields = malloc(((size_t)count + 1) * sizeof *fields);
    for (int i = 0; i < count; i++) {
        int32_t found = og_lance_table_find_field(table, og_str_of(names[i]));
        if (found < 0) {
            fprintf(stderr, "lancebench: no column %s\n", names[i]);
            exit(2);
        }
        fields[i] = (uint32_t)found;
    }
    return fields;
}

static totals scan_once(og_lance_table *table, const uint32_t *fields, uint32_t count,
                        og_pool *pool)
{
    totals t = {0};
    OG_AUTO(og_lance_scan) scan = NULL;
    must(og_lance_scan_open(table, fields, count, 0, UINT32_MAX, &scan, &error));
    og_lance_scan_use(scan, pool);
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        must(og_lance_scan_next(scan, &batch, &slots, &error));
        if (batch.row_count == 0)
            return t;
        add_batch(&t, &batch);
    }
}

static void bench_scan(og_lance_env *env, int argc, char **argv)
{
    OG_AUTO(og_lance_table) table = NULL;
    must(og_lance_table_open(env, argv[3], 0, 0, &table, &error));
    uint32_t *fields = find_columns(table, argv + 6, argc - 6);
    OG_AUTO(og_pool) pool = og_pool_new((unsigned)number(argv[4]));
    for (uint64_t i = 0; i < number(argv[5]); i++) {
        stopwatch since = start();
        totals t = scan_once(table, fields, (uint32_t)(argc - 6), pool);
        report(&since, &t, i == 0);
    }
    free(fields);
}

static void bench_take(og_store *store, int argc, char **argv)
{
    size_t count = number(argv[4]);
    uint32_t *slots = malloc((count + 1) * sizeof *slots);
    for (uint64_t round = 0; round < number(argv[5]); round++) {
        OG_AUTO(og_lance_env) env = NULL;
        OG_AUTO(og_lance_table) table = NULL;
        must(og_lance_env_new(store, (size_t)256 << 20, &env, &error));
        must(og_lance_table_open(env, argv[3], 0, 0, &table, &error));
        uint32_t *fields = find_columns(table, argv + 6, argc - 6);
        uint64_t seed = 7;
        for (size_t i = 0; i < count; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            slots[i] = (uint32_t)((seed >> 33) % og_lance_table_slot_count(table));
        }
        stopwatch since = start();
        OG_AUTO_BATCH batch = {0};
        must(og_lance_take(table, fields, (uint32_t)(argc - 6), slots, count, &batch, &error));
        totals t = {0};
        add_batch(&t, &batch);
        report(&since, &t, round == 0);
        free(fields);
    }
    free(slots);
}

static void bench_write(og_lance_env *env, int argc, char **argv)
{
    OG_AUTO(og_lance_table) table = NULL;
    must(og_lance_table_open(env, argv[3], 0, 0, &table, &error));
    uint32_t *fields = find_columns(table, argv + 6, argc - 6), count = (uint32_t)(argc - 6);
    og_lance_env_set_threads(env, (unsigned)number(argv[5]));
    OG_AUTO(og_lance_scan) scan = NULL;
    must(og_lance_scan_open(table, fields, count, 0, UINT32_MAX, &scan, &error));
    og_batch *batches = NULL;
    size_t batch_count = 0;
    totals t = {0};
    for (const uint32_t *slots;;) {
        batches = realloc(batches, (batch_count + 1) * sizeof *batches);
        must(og_lance_scan_next(scan, &batches[batch_count], &slots, &error));
        if (batches[batch_count].row_count == 0)
            break;
        add_batch(&t, &batches[batch_count++]);
    }
    uint32_t all;
    og_lance_new_field *news = calloc(count, sizeof *news);
    for (uint32_t i = 0; i < count; i++)
        news[i].field = og_lance_table_fields(table, &all)[fields[i]].field;
    stopwatch since = start();
    og_lance_write_options options = {.op = OG_LANCE_CREATE,
                                      .path = argv[4],
                                      .fields = news,
                                      .field_count = count,
                                      .min_max_fragment_id = -1,
                                      .now_us = 1};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    must(og_lance_write_new(env, NULL, &options, &write, &error));
    for (size_t i = 0; i < batch_count; i++)
        must(og_lance_write_rows(write, &batches[i], NULL, &error));
    must(og_lance_write_stage(write, &staged, &error));
    must(og_lance_staged_commit(write, false, &error));
    report(&since, &t, true);
    for (size_t i = 0; i < batch_count; i++)
        og_batch_deinit(&batches[i]);
    free(batches);
    free(news);
    free(fields);
}

int main(int argc, char **argv)
{
    if (argc < 6) {
        fprintf(stderr, "usage: lancebench scan|take|write ROOT TABLE ..; see the source\n");
        return 2;
    }
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_lance_env) env = NULL;
    must(og_store_open_file(argv[2], true, &store, &error));
    must(og_lance_env_new(store, 0, &env, &error));
    if (strcmp(argv[1], "scan") == 0)
        bench_scan(env, argc, argv);
    else if (strcmp(argv[1], "take") == 0)
        bench_take(store, argc, argv);
    else
        bench_write(env, argc, argv);
    printf("]\n");
    return 0;
}
