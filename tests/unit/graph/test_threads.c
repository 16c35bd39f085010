/* One graph, several threads: writers of different tables commit side by side,
 * readers always see a whole snapshot. Meant to be run under ThreadSanitizer, too. */
#include <pthread.h>

#include "graph_fixture.h"
#include "og_test.h"

#define COMMITS 20

typedef struct job {
    og_repo *repo;
    const char *type; /* a writer's; NULL = a reader */
    int32_t *stop;
    int failures;
} job;

static void write_rows(job *j)
{
    for (int i = 0; i < COMMITS; i++) {
        char id[16];
        og_error error;
        snprintf(id, sizeof id, "%d", i);
        og_status s = fixture_write(j->repo, j->type, id, &error);
        if (s != OG_OK) {
            fprintf(stderr, "%s: %s\n", j->type, error.message);
            j->failures++;
        }
    }
}

/* Counts never go back, and what the manifest says is what the tables hold. */
static void read_rows(job *j)
{
    uint64_t last_version = 0;
    while (!__atomic_load_n(j->stop, __ATOMIC_RELAXED)) {
        OG_AUTO(og_snapshot) snapshot = NULL;
        og_error error;
        if (og_repo_snapshot(j->repo, "main", &snapshot, &error) != OG_OK) {
            j->failures++;
            return;
        }
        j->failures += snapshot->manifest_version < last_version;
        last_version = snapshot->manifest_version;
        size_t count;
        const og_table_info *infos = og_snapshot_tables(snapshot, &count);
        for (size_t i = 0; i < count; i++) {
            const og_type_def *def = og_catalog_table(snapshot->catalog, infos[i].table_key);
            og_lance_table *table;
            if (og_snapshot_table(snapshot, def, &table, &error) != OG_OK ||
                og_lance_table_row_count(table) != infos[i].row_count)
                j->failures++;
        }
    }
}

static void *run_job(void *arg)
{
    job *j = arg;
    if (j->type != NULL)
        write_rows(j);
    else
        read_rows(j);
    return NULL;
}

TEST(test_threads__writers_and_readers_share_a_graph)
{
    og_store *store = NULL;
    fixture_clock clock;
    assert_ok(og_store_open_memory(&store, err));
    fixture_clock_init(&clock);
    fixture_init(store, &clock);
    og_repo *repo = fixture_open(store, &clock);
    int32_t stop = 0;
    job jobs[] = {{repo, "A", &stop, 0},
                  {repo, "B", &stop, 0},
                  {repo, NULL, &stop, 0},
                  {repo, NULL, &stop, 0}};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 2; i < 4; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 4; i++)
        assert_int_equal(jobs[i].failures, 0);
    assert_int_equal(fixture_count(repo, "A"), COMMITS);
    assert_int_equal(fixture_count(repo, "B"), COMMITS);
    og_repo_close(repo);
    og_store_close(store);
}
