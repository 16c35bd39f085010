/* Recovery as it is promised (docs/dev/commit.md sections 4 to 7): by the next writer,
 * in whatever process; several at once; never by readers; and never by hand. */
#include "graph/fsck.h"
#include "graph/history.h"
#include "graph/load.h"
#include "graph_fixture.h"
#include "og_test.h"
#include "store/memory.h"

#define LATER_US 60000000

typedef struct world {
    og_store *store;
    fixture_clock clock;
} world;

static void world_init(world *w)
{
    assert_ok(og_store_open_memory(&w->store, err));
    fixture_clock_init(&w->clock);
    fixture_init(w->store, &w->clock);
}

/* Rows of A, and of B. */
static uint64_t count(world *w, const char *type)
{
    og_repo *repo = fixture_open(w->store, &w->clock);
    uint64_t rows = fixture_count(repo, type);
    og_repo_close(repo);
    return rows;
}

/* A write of both tables whose process dies at its call number `at`; false: it has fewer. */
static bool die_at(world *w, uint64_t at)
{
    og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_CRASH};
    og_store *faulty;
    og_error error;
    assert_ok(og_store_wrap(w->store, og_store_hook_at(&plan), 0, &faulty, err));
    og_repo *repo = fixture_open(faulty, &w->clock);
    plan.at = plan.seen + at;
    (void)!fixture_write_both(repo, "dead", &error);
    bool hit = plan.seen > plan.at;
    og_repo_close(repo);
    og_store_close(faulty);
    return hit;
}

/* A write does not look for actors of earlier commits: a repair adds them, for other programs. */
static bool is_of_actors(const og_finding *finding)
{
    return finding->kind == OG_FINDING_COMMIT_TABLE &&
           strstr(finding->message, "misses the actors of ") != NULL;
}

static og_status no_finding(void *context, const og_finding *finding, og_error *err)
{
    (void)context, (void)err;
    if (is_of_actors(finding))
        return OG_OK;
    fail_msg("%s: %s", og_finding_classes[finding->kind].id, finding->message);
    return OG_OK;
}

/* One write later nothing is left of what was half done: a check finds nothing. */
static void next_write_tidies(world *w)
{
    const og_repo_options options = {.store = w->store, .clock = &w->clock.clock};
    const og_fsck_input input = {.found = no_finding};
    og_fsck_output out;
    w->clock.now_us += LATER_US;
    og_repo *repo = fixture_open(w->store, &w->clock);
    assert_ok(fixture_write_both(repo, "next", err));
    og_repo_close(repo);
    assert_ok(og_fsck_run("memory", &options, &input, &out, err));
}

/* ---- the same process --------------------------------------------------------------------- */

TEST(test_recovery__the_same_process_goes_on_after_any_failure)
{
    static const og_store_fault faults[] = {OG_STORE_FAIL, OG_STORE_LOST_ACK, OG_STORE_UNDONE};
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
        bool hit = true;
        for (uint64_t at = f; hit; at += 3) {
            world w;
            og_error error;
            og_store *faulty;
            og_store_fault_at plan = {.at = UINT64_MAX, .fault = faults[f]};
            world_init(&w);
            assert_ok(og_store_wrap(w.store, og_store_hook_at(&plan), 0, &faulty, err));
            og_repo *repo = fixture_open(faulty, &w.clock);
            plan.at = plan.seen + at;
            og_status status = fixture_write_both(repo, "first", &error);
            hit = plan.seen > plan.at;
            plan.at = UINT64_MAX;
            assert_ok(fixture_write_both(repo, "second", err)); /* no restart, no waiting by hand */
            uint64_t rows = fixture_count(repo, "A");
            assert_true(status == OG_OK ? rows == 2 : status == OG_UNKNOWN || rows == 1);
            assert_int_equal(rows, fixture_count(repo, "B"));
            og_repo_close(repo);
            og_store_close(faulty);
            next_write_tidies(&w);
            og_store_close(w.store);
        }
    }
}

/* ---- two at once -------------------------------------------------------------------------- */

/* Runs another writer before the call with number `at`. */
typedef struct meeting {
    world *w;
    const char *type; /* it writes */
    uint64_t at;
    bool met;
    og_status status;
} meeting;

static og_store_fault meet(void *context, uint64_t call, const char *op, const char *name)
{
    meeting *m = context;
    (void)op, (void)name;
    if (call < m->at || m->met)
        return OG_STORE_PASS;
    og_error error;
    m->met = true;
    og_repo *repo = fixture_open(m->w->store, &m->w->clock);
    m->status = fixture_write(repo, m->type, "theirs", &error);
    og_repo_close(repo);
    return OG_STORE_PASS;
}

/* Two writers come upon a dead one's operation, the second before the
 * first one's call number `at`. */
static bool two_recoverers(uint64_t death, uint64_t at, bool *out_died)
{
    world w;
    og_error error;
    og_store *watched;
    world_init(&w);
    *out_died = die_at(&w, death);
    w.clock.now_us += LATER_US;
    meeting m = {.w = &w, .type = "B", .at = at};
    assert_ok(og_store_wrap(w.store, (og_store_hook){meet, &m}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w.clock);
    og_status status = fixture_write(repo, "A", "mine", &error);
    og_repo_close(repo);
    og_store_close(watched);
    /* They write different tables, so neither is in the other's way. */
    assert_int_equal(status, OG_OK);
    assert_true(!m.met || m.status == OG_OK);
    uint64_t dead = count(&w, "A") - 1;
    assert_in_range(dead, 0, 1);
    assert_int_equal(count(&w, "B"), dead + m.met);
    next_write_tidies(&w);
    og_store_close(w.store);
    return m.met;
}

TEST(test_recovery__two_recoverers_at_once)
{
    bool died = true;
    /* Neighbours in the one schedule meet at other places of the other. */
    for (uint64_t death = 0; died; death++)
        for (uint64_t at = death * 5 % 31; two_recoverers(death, at, &died); at += 31)
            assert_true(at < 1000);
}

/* ---- power loss --------------------------------------------------------------------------- */

/* A table's versions follow one another. */
static void has_no_hole(og_repo *repo, const char *type)
{
    OG_AUTO_FREE uint64_t *versions = NULL;
    size_t count;
    const og_type_def *def = og_catalog_node(og_repo_catalog(repo), og_str_of(type));
    char path[200];
    snprintf(path, sizeof path, "%.*s", OG_FMT(def->table_path));
    assert_ok(og_lance_list_versions(og_repo_env(repo), path, &versions, &count, err));
    for (size_t i = 1; i < count; i++)
        assert_int_equal(versions[i], versions[i - 1] + 1);
}

/* A writer dies, then the one that restores what it left, then power is lost. */
static bool lose_power_at(uint64_t death, uint64_t at, uint64_t seed, bool *out_died)
{
    world w;
    world_init(&w);
    *out_died = die_at(&w, death);
    w.clock.now_us += LATER_US;
    bool died = die_at(&w, at);
    og_store_memory_crash(w.store, seed);
    og_repo *repo = fixture_open(w.store, &w.clock);
    has_no_hole(repo, "A");
    has_no_hole(repo, "B");
    w.clock.now_us += LATER_US;
    assert_ok(fixture_write_both(repo, "next", err));
    og_repo_close(repo);
    og_store_close(w.store);
    return died;
}

TEST(test_recovery__power_loss_takes_no_version_below_one_that_recovery_made)
{
    bool died = true;
    uint64_t seed = 0;
    for (uint64_t death = 0; died; death++)
        for (uint64_t at = death % 11; lose_power_at(death, at, seed++, &died); at += 11)
            assert_true(at < 1000);
}

/* ---- a living writer ---------------------------------------------------------------------- */

TEST(test_recovery__a_writer_whose_write_another_finished_succeeds)
{
    int helped = 0, conflicts = 0;
    bool met = true;
    for (uint64_t at = 0; met; at++) {
        world w;
        og_error error;
        og_store *watched;
        world_init(&w);
        meeting m = {.w = &w, .type = "A", .at = at};
        assert_ok(og_store_wrap(w.store, (og_store_hook){meet, &m}, 0, &watched, err));
        og_repo *repo = fixture_open(watched, &w.clock);
        og_status status = fixture_write_both(repo, "mine", &error);
        og_repo_close(repo);
        og_store_close(watched);
        met = m.met;
        assert_true(status == OG_OK || status == OG_CONFLICT);
        assert_true(!met || m.status == OG_OK); /* nobody waits for one that sleeps */
        assert_int_equal(count(&w, "A"), (status == OG_OK) + met);
        assert_int_equal(count(&w, "B"), status == OG_OK);
        helped += met && status == OG_OK;
        conflicts += status == OG_CONFLICT;
        og_store_close(w.store);
    }
    assert_true(helped > 0 && conflicts > 0);
}

/* ---- readers ------------------------------------------------------------------------------ */

/* Calls that change what is stored, but for files that are derived. */
static og_store_fault refuse_writes(void *context, uint64_t call, const char *op, const char *name)
{
    (void)context, (void)call;
    bool reads = strncmp(op, "get", 3) == 0 || strcmp(op, "head") == 0 || strcmp(op, "list") == 0;
    if (!reads && strncmp(name, "_omnigraph/", 11) != 0)
        fail_msg("a reader calls %s of %s", op, name);
    return OG_STORE_PASS;
}

static og_status take_text(void *context, og_bytes bytes, og_error *err)
{
    (void)context, (void)bytes, (void)err;
    return OG_OK;
}

static og_status take_finding(void *context, const og_finding *finding, og_error *err)
{
    (void)context, (void)finding, (void)err;
    return OG_OK;
}

/* All that only looks, at a graph in which a writer died. */
static void read_all(world *w)
{
    og_store *watched;
    OG_AUTO(og_snapshot) snapshot = NULL;
    OG_AUTO(og_history) history = NULL;
    assert_ok(og_store_wrap(w->store, (og_store_hook){refuse_writes, NULL}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &w->clock);
    uint64_t rows = fixture_count(repo, "A");
    assert_in_range(rows, 0, 1);
    assert_int_equal(rows, fixture_count(repo, "B")); /* whole or not at all */
    const og_export_input export = {.write = take_text};
    assert_ok(og_repo_snapshot(repo, NULL, &snapshot, err));
    assert_ok(og_export_run(snapshot, &export, err));
    assert_ok(og_history_open(repo, NULL, &history, err));
    assert_non_null(fixture_head(history));
    og_snapshot_unref(OG_TAKE(snapshot));
    og_history_free(OG_TAKE(history));
    og_repo_close(repo);
    const og_repo_options options = {.store = watched, .clock = &w->clock.clock};
    const og_fsck_input input = {.found = take_finding};
    og_fsck_output out;
    assert_ok(og_fsck_run("memory", &options, &input, &out, err));
    og_store_close(watched);
}

TEST(test_recovery__readers_see_whole_states_and_never_repair)
{
    bool died = true;
    for (uint64_t death = 0; died; death++) {
        world w;
        world_init(&w);
        died = die_at(&w, death);
        read_all(&w);
        w.clock.now_us += LATER_US;
        read_all(&w); /* however long it is dead */
        og_store_close(w.store);
    }
}
