/* A cleanup that meets others who make and delete branches: what they were told is there is there.
 * The cleanup, or they, come before each call of the store in turn. */
#include <pthread.h>
#include <semaphore.h>

#include "graph/branch_ops.h"
#include "graph/cleanup.h"
#include "graph/fsck.h"
#include "graph_fixture.h"
#include "lance/table/branch.h"
#include "og_test.h"

#define DAY_US (INT64_C(24) * 3600 * 1000000)

static const og_cleanup_input keep_nothing = {.by_count = true, .keep = 0};

static void clean(og_repo *repo)
{
    og_cleanup_output out;
    assert_ok(og_cleanup_run(repo, &keep_nothing, &out, err));
    for (size_t i = 0; i < out.count; i++)
        assert_null(out.tables[i].error);
    og_cleanup_output_deinit(&out);
}

static void go_on(og_repo *repo)
{
    static const char *const ids[] = {"x", "y", "z"};
    for (int i = 0; i < 3; i++)
        assert_ok(fixture_write_both(repo, ids[i], err));
}

static og_status no_damage(void *context, const og_finding *finding, og_error *err)
{
    (void)context, (void)err;
    if (og_finding_classes[finding->kind].level == OG_FINDING_DAMAGE)
        fail_msg("%s", finding->message);
    return OG_OK;
}

static void check(og_store *store, fixture_clock *clock)
{
    const og_repo_options options = {.store = store, .clock = &clock->clock};
    const og_fsck_input input = {.found = no_damage};
    og_fsck_output out;
    assert_ok(og_fsck_run("memory", &options, &input, &out, err));
}

/* ---- a branch of a state that its source has left ------------------------------------------ */

/* Branch b is made of a state of main that is not the newest any more when the ref is put; and the
 * ref is put, and all behind it done, before call `at` of a cleanup that did not see it. */
typedef struct late {
    fixture_world w;
    uint64_t at;
    bool has_waited, is_made;
    og_status made;
    og_error error;
    sem_t before_ref, go;
    pthread_t thread;
} late;

static og_store_fault wait_before_ref(void *context, uint64_t call, const char *op,
                                      const char *name)
{
    late *l = context;
    (void)call;
    if (l->has_waited || strcmp(op, "put_if_absent") != 0 ||
        strcmp(name, "__manifest/_refs/branches/b.json") != 0)
        return OG_STORE_PASS;
    l->has_waited = true;
    sem_post(&l->before_ref);
    sem_wait(&l->go);
    return OG_STORE_PASS;
}

static void *make_b(void *context)
{
    late *l = context;
    og_store *watched;
    assert_ok(og_store_wrap(l->w.store, (og_store_hook){wait_before_ref, l}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &l->w.clock);
    l->made = og_branch_make(repo, NULL, "b", &l->error);
    og_repo_close(repo);
    og_store_close(watched);
    return NULL;
}

static void finish_b(late *l)
{
    l->is_made = true;
    sem_post(&l->go);
    pthread_join(l->thread, NULL);
}

static og_store_fault finish_at(void *context, uint64_t call, const char *op, const char *name)
{
    late *l = context;
    (void)op, (void)name;
    if (call == l->at)
        finish_b(l);
    return OG_STORE_PASS;
}

/* False: the cleanup has fewer calls. */
static bool make_while_cleaned(uint64_t at)
{
    late l = {.at = at};
    fixture_world_init(&l.w);
    assert_int_equal(sem_init(&l.before_ref, 0, 0) | sem_init(&l.go, 0, 0), 0);
    assert_ok(fixture_write_both(l.w.repo, "1", err));
    assert_int_equal(pthread_create(&l.thread, NULL, make_b, &l), 0);
    sem_wait(&l.before_ref);
    go_on(l.w.repo);
    og_store *watched;
    assert_ok(og_store_wrap(l.w.store, (og_store_hook){finish_at, &l}, 0, &watched, err));
    og_repo *cleaner = fixture_open(watched, &l.w.clock);
    clean(cleaner);
    og_repo_close(cleaner);
    og_store_close(watched);
    bool was_met = l.is_made;
    if (!was_met)
        finish_b(&l);
    assert_int_equal(l.made, OG_OK);
    og_repo *repo = fixture_open(l.w.store, &l.w.clock);
    uint64_t rows = fixture_count_on(repo, "b", "A");
    assert_true(rows == 1 || rows == 4);
    assert_ok(fixture_write_on(repo, "b", NULL, "after", err));
    assert_int_equal(fixture_count_on(repo, "b", "B"), rows + 1);
    og_repo_close(repo);
    check(l.w.store, &l.w.clock);
    sem_destroy(&l.before_ref);
    sem_destroy(&l.go);
    fixture_world_deinit(&l.w);
    return was_met;
}

TEST(test_cleanup_race__a_branch_of_an_old_state_comes_at_any_time)
{
    uint64_t at = 0;
    while (make_while_cleaned(at))
        at++;
    assert_true(at > 50);
}

static size_t count_marks(og_store *store)
{
    og_listing listing = {0};
    assert_ok(store->ops->list(store, "_omnigraph/cleanup/", false, NULL, 0, &listing, err));
    size_t count = listing.len;
    og_listing_deinit(&listing);
    return count;
}

/* Before each of the first `times` refs of b main goes on. */
typedef struct busy {
    fixture_world w;
    int times;
} busy;

static og_store_fault go_on_before_ref(void *context, uint64_t call, const char *op,
                                       const char *name)
{
    busy *b = context;
    (void)call;
    if (b->times > 0 && strcmp(op, "put_if_absent") == 0 &&
        strcmp(name, "__manifest/_refs/branches/b.json") == 0) {
        b->times--;
        go_on(b->w.repo);
    }
    return OG_STORE_PASS;
}

TEST(test_cleanup_race__the_mark_of_a_dead_cleanup_harms_nobody_for_long)
{
    busy b = {0};
    og_store *watched;
    og_error error;
    const char *mark = "_omnigraph/cleanup/01HF7YAT000000000000000000"; /* the clock's time */
    fixture_world_init(&b.w);
    assert_ok(b.w.store->ops->put(b.w.store, mark, (og_bytes){0}, err));
    assert_ok(og_store_wrap(b.w.store, (og_store_hook){go_on_before_ref, &b}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &b.w.clock);
    b.times = 100;
    assert_status(og_branch_make(repo, NULL, "b", &error), OG_CONFLICT);
    assert_string_equal(error.message, "branch 'main' was written and cleaned up meanwhile");
    assert_false(fixture_has_branch(b.w.repo, "b"));
    b.times = 2; /* a new beginning is all it costs */
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_int_equal(b.times, 0);
    clean(b.w.repo);
    assert_int_equal(count_marks(b.w.store), 1);
    b.w.clock.now_us += 2 * DAY_US;
    clean(b.w.repo);
    assert_int_equal(count_marks(b.w.store), 0);
    og_repo_close(repo);
    og_store_close(watched);
    fixture_world_deinit(&b.w);
}

/* Another cleanup takes one for dead that sleeps for days. */
static og_store_fault sleep_before_sweep(void *context, uint64_t call, const char *op,
                                         const char *name)
{
    busy *b = context;
    (void)call;
    if (b->times > 0 && strcmp(op, "list") == 0 && strncmp(name, "nodes/", 6) == 0) {
        b->times--;
        b->w.clock.now_us += 2 * DAY_US;
        clean(b->w.repo);
    }
    return OG_STORE_PASS;
}

TEST(test_cleanup_race__a_cleanup_that_was_taken_for_dead_stops)
{
    busy b = {.times = 1};
    og_store *watched;
    og_cleanup_output out;
    fixture_world_init(&b.w);
    go_on(b.w.repo);
    assert_ok(og_store_wrap(b.w.store, (og_store_hook){sleep_before_sweep, &b}, 0, &watched, err));
    og_repo *cleaner = fixture_open(watched, &b.w.clock);
    assert_ok(og_cleanup_run(cleaner, &keep_nothing, &out, err));
    assert_string_equal(out.tables[out.count - 1].error, "another cleanup took this one for dead");
    og_cleanup_output_deinit(&out);
    og_repo_close(cleaner);
    og_store_close(watched);
    fixture_world_deinit(&b.w);
}

/* ---- a delete that puts its ref back -------------------------------------------------------- */

/* While b is deleted: before call `child_at` branch c is made of a state of b that b leaves before
 * the ref of c is put; before call `clean_at` a cleanup runs. */
typedef struct deleting {
    fixture_world w;
    uint64_t child_at, clean_at;
    og_status child;
    bool has_child, was_cleaned;
} deleting;

static og_store_fault write_on_b(void *context, uint64_t call, const char *op, const char *name)
{
    deleting *d = context;
    (void)call;
    if (strcmp(op, "put_if_absent") == 0 && strcmp(name, "__manifest/_refs/branches/c.json") == 0)
        (void)!fixture_write_on(d->w.repo, "b", "B", "late", NULL);
    return OG_STORE_PASS;
}

static void make_child(deleting *d)
{
    og_store *watched;
    assert_ok(og_store_wrap(d->w.store, (og_store_hook){write_on_b, d}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &d->w.clock);
    d->child = og_branch_make(repo, "b", "c", NULL);
    d->has_child = true;
    og_repo_close(repo);
    og_store_close(watched);
}

static og_store_fault meddle(void *context, uint64_t call, const char *op, const char *name)
{
    deleting *d = context;
    (void)op, (void)name;
    if (call == d->child_at)
        make_child(d);
    if (call == d->clean_at) {
        d->was_cleaned = true;
        clean(d->w.repo);
    }
    return OG_STORE_PASS;
}

/* False: the delete has fewer calls. */
static bool delete_while_cleaned(uint64_t child_at, uint64_t clean_at)
{
    deleting d = {.child_at = child_at, .clean_at = clean_at};
    og_store *watched;
    og_error error;
    fixture_world_init(&d.w);
    assert_ok(fixture_write_both(d.w.repo, "1", err));
    assert_ok(og_branch_make(d.w.repo, NULL, "b", err));
    assert_ok(fixture_write_on(d.w.repo, "b", "A", "2", err));
    assert_ok(fixture_write_on(d.w.repo, "b", "A", "3", err));
    go_on(d.w.repo);
    assert_ok(og_store_wrap(d.w.store, (og_store_hook){meddle, &d}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &d.w.clock);
    og_status s = og_branch_remove(repo, "b", &error);
    og_repo_close(repo);
    og_store_close(watched);
    repo = fixture_open(d.w.store, &d.w.clock);
    bool is_there = fixture_has_branch(repo, "b");
    assert_true(s == OG_OK ? !is_there : s == OG_UNKNOWN || is_there);
    if (is_there) {
        assert_int_equal(fixture_count_on(repo, "b", "A"), 3);
        uint64_t rows = fixture_count_on(repo, "b", "B");
        assert_true(rows == 1 || rows == 2);
        assert_ok(fixture_write_on(repo, "b", NULL, "after", err));
    }
    if (d.has_child && d.child == OG_OK) {
        assert_int_equal(fixture_count_on(repo, "c", "A"), 3);
        assert_int_equal(fixture_count_on(repo, "c", "B"), 1);
        assert_ok(fixture_write_on(repo, "c", NULL, "after", err));
    }
    og_repo_close(repo);
    check(d.w.store, &d.w.clock);
    fixture_world_deinit(&d.w);
    return d.was_cleaned;
}

TEST(test_cleanup_race__a_delete_may_be_cleaned_at_any_time)
{
    uint64_t most = 0;
    for (uint64_t child_at = 0; child_at < 40; child_at++)
        for (uint64_t at = child_at; delete_while_cleaned(child_at, at); at++)
            most = at > most ? at : most;
    assert_true(most > 20);
}

/* ---- a branch without a first version, whose parent is gone ---------------------------------- */

static og_store_fault no_first_version(void *context, uint64_t call, const char *op,
                                       const char *name)
{
    (void)context, (void)call;
    bool is_clone =
        strcmp(op, "put_if_absent") == 0 && strncmp(name, "__manifest/tree/c/", 18) == 0;
    return is_clone ? OG_STORE_FAIL : OG_STORE_PASS;
}

static void make_unborn(fixture_world *w)
{
    og_store *watched;
    assert_ok(fixture_write_both(w->repo, "1", err));
    assert_ok(og_branch_make(w->repo, NULL, "b", err));
    assert_ok(fixture_write_on(w->repo, "b", NULL, "2", err));
    assert_ok(og_store_wrap(w->store, (og_store_hook){no_first_version, NULL}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w->clock);
    assert_ok(og_branch_make(repo, "b", "c", err));
    og_repo_close(repo);
    og_store_close(watched);
}

/* Who uses the name again clears away what the earlier branch had: the other way out of a delete
 * that died before it could put the ref back. */
TEST(test_cleanup_race__a_name_that_is_used_again_leaves_what_was_made_of_it)
{
    fixture_world w;
    const char *ref = "__manifest/_refs/branches/b.json";
    fixture_world_init(&w);
    make_unborn(&w);
    assert_ok(w.store->ops->remove(w.store, &ref, 1, err));
    assert_ok(og_branch_make(w.repo, NULL, "b", err));
    assert_int_equal(fixture_count_on(w.repo, "b", "A"), 1);
    assert_int_equal(fixture_count_on(w.repo, "c", "A"), 2);
    assert_ok(fixture_write_on(w.repo, "c", NULL, "3", err));
    assert_int_equal(fixture_count_on(w.repo, "c", "B"), 3);
    clean(w.repo);
    check(w.store, &w.clock);
    fixture_world_deinit(&w);
}

static og_status tell(void *context, const og_finding *finding, og_error *err)
{
    (void)err;
    snprintf(context, 256, "%s: %s", og_finding_classes[finding->kind].id, finding->message);
    return OG_OK;
}

/* Another program may do so. The branch is nothing then; all else goes on, and says how to be rid
 * of it. */
TEST(test_cleanup_race__a_branch_of_nothing_is_in_nobody_s_way)
{
    fixture_world w;
    og_error error;
    char told[256];
    const char *ref = "__manifest/_refs/branches/b.json";
    const og_fsck_input input = {.repair = true, .found = tell, .context = told};
    og_fsck_output out;
    og_cleanup_output cleaned;
    fixture_world_init(&w);
    make_unborn(&w);
    const og_repo_options options = {.store = w.store, .clock = &w.clock.clock};
    assert_ok(w.store->ops->remove(w.store, &ref, 1, err));
    assert_ok(og_lance_branch_clear(w.store, "__manifest", OG_STR("b"), 100, err));
    const char *says = "branch 'c' not found: its source was deleted before it was made";
    const char *hint = "Free the name with: omnigraph branch delete c --uri GRAPH";
    assert_status(fixture_write_on(w.repo, "c", NULL, "3", &error), OG_NOT_FOUND);
    assert_string_equal(error.message, says);
    assert_string_equal(error.hint, hint);
    assert_status(og_branch_make(w.repo, "c", "d", &error), OG_NOT_FOUND);
    assert_string_equal(error.hint, hint);
    assert_status(og_cleanup_run(w.repo, &keep_nothing, &cleaned, &error), OG_NOT_FOUND);
    assert_string_equal(error.hint, hint);
    assert_ok(fixture_write_both(w.repo, "3", err));
    assert_ok(og_fsck_run("memory", &options, &input, &out, err));
    assert_string_equal(told, "branch: branch 'c' not found: its source was deleted before it was "
                              "made");
    assert_ok(og_branch_remove(w.repo, "c", err));
    clean(w.repo);
    check(w.store, &w.clock);
    fixture_world_deinit(&w);
}
