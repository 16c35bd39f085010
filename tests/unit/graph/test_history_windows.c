/* Histories that are read a window at a time, beside the same ones read at once; and merge bases
 * beside what a search over all ancestors finds. */
#include <inttypes.h>
#include <stdlib.h>

#include "dag_rows.h"
#include "graph/branch_ops.h"
#include "graph/layout.h"
#include "graph/merge.h"
#include "graph/target.h"
#include "graph_fixture.h"
#include "og_test.h"

#define BRANCHES 5
#define STEPS 160
#define MAX_COMMITS 1024

/* A graph after random commits, merges to and fro, and branches that come and go. */
typedef struct world {
    fixture_world graph;
    uint64_t seed;
    const char *branches[BRANCHES]; /* main, and what else there is; NULL = free */
    int commits;
} world;

static uint64_t draw(world *w, uint64_t below)
{
    return og_test_random(&w->seed) % below;
}

static const char *pick_branch(world *w)
{
    const char *name;
    do
        name = w->branches[draw(w, BRANCHES)];
    while (name == NULL);
    return name;
}

static void write_to(world *w, const char *branch)
{
    static const char *const types[] = {"A", "B", NULL};
    char id[16];
    snprintf(id, sizeof id, "n%d", w->commits++);
    assert_ok(fixture_write_on(w->graph.repo, branch, types[draw(w, 3)], id, err));
}

static void merge(world *w, const char *source, const char *target)
{
    const og_merge_input input = {.source = source, .target = target};
    og_merge_output out;
    if (strcmp(source, target) == 0)
        return;
    assert_ok(og_merge_run(w->graph.repo, &input, &out, err));
    assert_int_equal(out.conflict_count, 0);
    og_merge_output_deinit(&out);
}

/* Each of two branches takes what the other one was before: two bases. */
static void cross(world *w)
{
    const char *a = pick_branch(w), *b = pick_branch(w);
    write_to(w, a);
    write_to(w, b);
    assert_ok(og_branch_make(w->graph.repo, a, "before", err));
    merge(w, b, a);
    merge(w, "before", b);
    assert_ok(og_branch_remove(w->graph.repo, "before", err));
}

static void make_or_remove_branch(world *w)
{
    static const char *const names[BRANCHES] = {"main", "a", "b", "c", "d"};
    size_t at = 1 + (size_t)draw(w, BRANCHES - 1);
    if (w->branches[at] == NULL) {
        assert_ok(og_branch_make(w->graph.repo, pick_branch(w), names[at], err));
        w->branches[at] = names[at];
        return;
    }
    og_status s = og_branch_remove(w->graph.repo, names[at], NULL);
    assert_true(s == OG_OK || s == OG_CONFLICT); /* another one was made of it */
    w->branches[at] = s == OG_OK ? NULL : names[at];
}

/* Rows as the reference writes them: a merge that changes nothing behind main's head, and one of
 * some earlier version. */
static void add_foreign_rows(world *w)
{
    OG_AUTO(og_history) history = NULL;
    OG_AUTO_BUF rows = OG_BUF_INIT;
    assert_ok(og_history_open(w->graph.repo, NULL, &history, err));
    const og_commit_info *head = fixture_head(history);
    int64_t at_us = head->created_at_us - (int64_t)draw(w, 3000000);
    og_ulid merge = og_repo_new_ulid(w->graph.repo), other = og_repo_new_ulid(w->graph.repo);
    og_buf_printf(&rows, "%s %" PRIu64 " %" PRId64 " %.*s SIDE -\n", merge.text,
                  head->manifest_version, at_us, OG_FMT(head->id));
    og_buf_printf(&rows, "%s %" PRIu64 " %" PRId64 " %s - -\n", other.text,
                  1 + draw(w, head->manifest_version), at_us, merge.text);
    dag_rows_append(w->graph.repo, og_buf_cstr(&rows));
    og_buf_clear(&rows);
    og_buf_printf(&rows, "%s ann\n", merge.text);
    dag_rows_append_actors(w->graph.repo, og_buf_cstr(&rows));
}

static void world_init(world *w, uint64_t seed)
{
    *w = (world){.seed = seed, .branches = {"main"}};
    fixture_world_init(&w->graph);
    for (int step = 0; step < STEPS; step++) {
        uint64_t what = draw(w, 20);
        w->graph.clock.now_us += (int64_t)draw(w, 2000000) - 400000; /* now and then set back */
        if (what < 10)
            write_to(w, pick_branch(w));
        else if (what < 14)
            merge(w, pick_branch(w), pick_branch(w));
        else if (what < 16)
            cross(w);
        else if (what < 19)
            make_or_remove_branch(w);
        else
            add_foreign_rows(w);
    }
}

static void world_deinit(world *w)
{
    fixture_world_deinit(&w->graph);
}

/* ---- one way of reading beside the other -------------------------------------------------- */

static void check_same(const og_commit_info *a, const og_commit_info *b)
{
    assert_non_null(a);
    assert_true(og_str_eq(a->id, b->id) && og_str_eq(a->parent, b->parent) &&
                og_str_eq(a->merged_parent, b->merged_parent) && og_str_eq(a->branch, b->branch) &&
                og_str_eq(a->actor, b->actor) && og_str_eq(a->op, b->op));
    assert_int_equal(a->manifest_version, b->manifest_version);
    assert_int_equal(a->created_at_us, b->created_at_us);
}

static og_history *open_history(og_repo *repo, const char *branch)
{
    og_history *history = NULL;
    assert_ok(og_history_open(repo, branch, &history, err));
    return history;
}

static void check_walk(og_repo *repo, const char *branch, const og_commit_info *all, size_t count)
{
    OG_AUTO(og_history) history = open_history(repo, branch);
    const og_commit_info *commit;
    for (size_t i = 0; i < count; i++) {
        assert_ok(og_history_at(history, i, &commit, err));
        check_same(commit, &all[count - 1 - i]);
    }
    assert_ok(og_history_at(history, count, &commit, err));
    assert_null(commit);
}

static void check_finds(og_repo *repo, const char *branch, const og_commit_info *all, size_t count)
{
    for (size_t i = 0; i < count; i += 5) {
        OG_AUTO(og_history) history = open_history(repo, branch);
        check_same(fixture_find(history, all[i].id), &all[i]);
        check_same(fixture_head(history), &all[count - 1]);
    }
    OG_AUTO(og_history) history = open_history(repo, branch);
    assert_null(fixture_find(history, OG_STR("nobody")));
}

static void check_all(og_repo *repo, const char *branch, size_t first, const og_commit_info *all,
                      size_t count)
{
    OG_AUTO(og_history) history = open_history(repo, branch);
    const og_commit_info *commit;
    size_t seen;
    if (first > 0)
        assert_ok(og_history_at(history, first - 1, &commit, err));
    const og_commit_info *again = fixture_commits(history, &seen);
    assert_int_equal(seen, count);
    for (size_t i = 0; i < count; i++) {
        check_same(&again[i], &all[i]);
        assert_int_equal(again[i].has_row, all[i].has_row);
    }
}

static void check_times(og_repo *repo, og_repo *whole, const char *branch,
                        const og_commit_info *all, size_t count)
{
    for (size_t i = 0; i < count; i += 9) {
        const og_target target = {
            .kind = OG_TARGET_TIME, .branch = branch, .time_us = all[i].created_at_us};
        OG_AUTO(og_snapshot) a = NULL;
        OG_AUTO(og_snapshot) b = NULL;
        og_status seen = og_repo_snapshot_at(repo, &target, &a, NULL);
        assert_status(og_repo_snapshot_at(whole, &target, &b, NULL), seen);
        if (seen == OG_OK)
            assert_string_equal(og_snapshot_commit(a), og_snapshot_commit(b));
    }
}

static void check_branch(og_repo *whole, og_repo *repo, const char *branch)
{
    size_t count;
    OG_AUTO(og_history) history = open_history(whole, branch);
    const og_commit_info *all = fixture_commits(history, &count);
    assert_true(count > 1 && count < MAX_COMMITS);
    check_walk(repo, branch, all, count);
    check_finds(repo, branch, all, count);
    for (size_t first = 0; first < 20; first += 4)
        check_all(repo, branch, first, all, count);
    check_times(repo, whole, branch, all, count);
    for (size_t i = 0; i < count; i += 16) {
        og_history *owner;
        const og_commit_info *found;
        og_str id = all[i].op.len > 0 && i % 32 == 0 ? all[i].op : all[i].id;
        assert_ok(og_history_find_any(repo, id, &owner, &found, err));
        check_same(found, &all[i]);
        og_history_free(owner);
    }
}

/* ---- merge bases -------------------------------------------------------------------------- */

/* All commits of some histories, and which of them are ancestors of which (or the same). */
typedef struct lineage {
    const og_commit_info *commits[MAX_COMMITS];
    size_t count;
    uint8_t *is_ancestor; /* count x count: [of][ancestor] */
} lineage;

static size_t place_of(const lineage *l, og_str id)
{
    size_t at = 0;
    while (at < l->count && !og_str_eq(l->commits[at]->id, id))
        at++;
    return at;
}

static void mark_ancestors(lineage *l, size_t of, size_t at)
{
    uint8_t *mark = &l->is_ancestor[of * l->count + at];
    if (at >= l->count || *mark)
        return;
    *mark = 1;
    mark_ancestors(l, of, place_of(l, l->commits[at]->parent));
    mark_ancestors(l, of, place_of(l, l->commits[at]->merged_parent));
}

static void lineage_init(lineage *l, og_history *const *histories, size_t count)
{
    l->count = 0;
    for (size_t h = 0; h < count; h++) {
        size_t n;
        const og_commit_info *all = fixture_commits(histories[h], &n);
        for (size_t i = 0; i < n; i++)
            if (place_of(l, all[i].id) == l->count) {
                assert_true(l->count < MAX_COMMITS);
                l->commits[l->count++] = &all[i];
            }
    }
    l->is_ancestor = calloc(l->count + 1, l->count + 1);
    for (size_t i = 0; i < l->count; i++)
        mark_ancestors(l, i, i);
}

static bool is_common(const lineage *l, size_t a, size_t b, size_t at)
{
    return l->is_ancestor[a * l->count + at] && l->is_ancestor[b * l->count + at];
}

/* Is it among the common ancestors that no other one comes from? */
static bool is_base(const lineage *l, size_t a, size_t b, size_t at)
{
    bool is_best = at < l->count && is_common(l, a, b, at);
    for (size_t i = 0; i < l->count && is_best; i++)
        is_best = i == at || !is_common(l, a, b, i) || !l->is_ancestor[i * l->count + at];
    return is_best;
}

static size_t count_bases(const lineage *l, size_t a, size_t b)
{
    size_t bases = 0;
    for (size_t i = 0; i < l->count; i++)
        bases += is_base(l, a, b, i);
    return bases;
}

/* How the bases were found. */
typedef struct tally {
    size_t single, crossed;
} tally;

static void check_pair(const world *w, og_repo *whole, og_repo *repo, const char *a, const char *b,
                       tally *t)
{
    og_history *all[BRANCHES] = {open_history(whole, a), open_history(whole, b)};
    og_history *few[BRANCHES] = {open_history(repo, a), open_history(repo, b)};
    size_t count = 2;
    for (size_t i = 0; i < BRANCHES; i++)
        if (w->branches[i] != NULL && w->branches[i] != a && w->branches[i] != b) {
            all[count] = open_history(whole, w->branches[i]);
            few[count++] = open_history(repo, w->branches[i]);
        }
    for (size_t n = 2; n <= count; n += count - 2 > 0 ? count - 2 : 1) {
        lineage l;
        const og_commit_info *at_once, *base;
        bool unknown;
        lineage_init(&l, all, n);
        size_t x = place_of(&l, fixture_head(all[0])->id);
        size_t y = place_of(&l, fixture_head(all[1])->id);
        size_t bases = count_bases(&l, x, y);
        assert_ok(og_graph__merge_base_among(all, n, NULL, &at_once, &unknown, err));
        og_graph__lives lives = {.repo = repo};
        assert_ok(og_graph__merge_base_among(few, n, &lives, &base, &unknown, err));
        og_graph__lives_deinit(&lives);
        assert_int_equal(base == NULL, bases == 0);
        assert_int_equal(at_once == NULL, bases == 0);
        if (base != NULL) {
            assert_true(is_base(&l, x, y, place_of(&l, base->id)));
            check_same(base, at_once);
        }
        t->single += bases == 1;
        t->crossed += bases > 1;
        free(l.is_ancestor);
    }
    for (size_t i = 0; i < count; i++) {
        og_history_free(all[i]);
        og_history_free(few[i]);
    }
}

/* ---- the tests ---------------------------------------------------------------------------- */

static void check_world(const world *w, tally *t)
{
    static const size_t windows[] = {1, 2, 3, 7, 40};
    og_repo *whole = fixture_open_window(w->graph.store, &w->graph.clock, SIZE_MAX);
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
        og_repo *repo = fixture_open_window(w->graph.store, &w->graph.clock, windows[i]);
        for (size_t a = 0; a < BRANCHES; a++) {
            if (w->branches[a] != NULL)
                check_branch(whole, repo, w->branches[a]);
            for (size_t b = a + 1; b < BRANCHES && t != NULL; b++)
                if (w->branches[a] != NULL && w->branches[b] != NULL)
                    check_pair(w, whole, repo, w->branches[a], w->branches[b], t);
        }
        og_repo_close(repo);
    }
    og_repo_close(whole);
}

static void remove_some(const og_store *store, const char *prefix, const char *suffix, size_t keep)
{
    og_listing listing = {0};
    assert_ok(store->ops->list((og_store *)store, prefix, true, NULL, 0, &listing, err));
    for (size_t i = keep; i < listing.len; i++) {
        OG_AUTO_BUF name = OG_BUF_INIT;
        og_buf_str(&name, listing.items[i].name);
        const char *names[] = {og_buf_cstr(&name)};
        if (strstr(names[0], suffix) != NULL)
            assert_ok(store->ops->remove((og_store *)store, names, 1, err));
    }
    og_listing_deinit(&listing);
}

TEST(test_history_windows__give_what_a_reading_of_all_gives)
{
    tally t = {0};
    for (uint64_t seed = 1; seed <= 3; seed++) {
        world w;
        world_init(&w, seed);
        check_world(&w, &t);
        world_deinit(&w);
    }
    assert_true(t.single > 100 && t.crossed > 10);
}

/* Versions of the DAG that are torn, and a DAG that is gone. */
TEST(test_history_windows__do_without_the_dag)
{
    world w;
    world_init(&w, 77);
    OG_AUTO_BUF name = OG_BUF_INIT;
    uint64_t version;
    assert_ok(
        og_lance_latest_version(og_repo_env(w.graph.repo), OG_GRAPH__COMMITS, 0, &version, err));
    for (uint64_t torn = version; torn > version - 20; torn--) {
        const og_bytes bytes = {(const uint8_t *)"torn", 4};
        og_buf_clear(&name);
        assert_true(og_lance_manifest_name(&name, OG_GRAPH__COMMITS, torn));
        assert_ok(w.graph.store->ops->put(w.graph.store, og_buf_cstr(&name), bytes, err));
    }
    check_world(&w, NULL);
    remove_some(w.graph.store, OG_GRAPH__COMMITS "/data/", ".lance", 8);
    check_world(&w, NULL);
    remove_some(w.graph.store, OG_GRAPH__COMMITS "/", "", 0);
    check_world(&w, NULL);
    world_deinit(&w);
}

/* Rows of the DAG that give old commits new versions: one of ours, and one of the reference's. */
TEST(test_history_windows__believe_the_manifest_when_they_come_to_it)
{
    world w;
    world_init(&w, 78);
    og_repo *whole = fixture_open_window(w.graph.store, &w.graph.clock, SIZE_MAX);
    og_history *history = open_history(whole, NULL);
    size_t count;
    const og_commit_info *all = fixture_commits(history, &count);
    OG_AUTO_BUF row = OG_BUF_INIT;
    size_t ours = 1, theirs = 1;
    while (all[ours].op.len == 0)
        ours++;
    while (all[theirs].op.len > 0)
        theirs++;
    og_buf_printf(&row, "%.*s 9998 1 - - lies\n", OG_FMT(all[ours].id));
    og_buf_printf(&row, "%.*s 9999 1 - - lies\n", OG_FMT(all[theirs].id));
    dag_rows_append(whole, og_buf_cstr(&row));
    og_repo *repo = fixture_open_window(w.graph.store, &w.graph.clock, 3);
    for (size_t first = 0; first < 20; first += 4)
        check_all(repo, NULL, first, all, count);
    og_history_free(history);
    og_repo_close(repo);
    og_repo_close(whole);
    world_deinit(&w);
}

/* Whichever allocation fails: no memory, or the answer; and a second try gives it. */
TEST(test_history_windows__say_when_memory_is_out)
{
    world w;
    world_init(&w, 79);
    og_repo *repo = fixture_open_window(w.graph.store, &w.graph.clock, 3);
    OG_AUTO_BUF oldest = OG_BUF_INIT;
    {
        OG_AUTO(og_history) history = open_history(repo, NULL);
        size_t count;
        og_buf_str(&oldest, fixture_commits(history, &count)[1].id);
    }
    og_status s = OG_NOMEM;
    for (int64_t at = 0; s != OG_OK; at += 7) {
        OG_AUTO(og_history) history = open_history(repo, NULL);
        const og_commit_info *found = NULL;
        og_alloc_fail_after(at, true);
        s = og_history_find(history, og_buf_view(&oldest), &found, NULL);
        og_alloc_fail_after(-1, false);
        assert_true(s == OG_OK || s == OG_NOMEM);
        assert_non_null(fixture_find(history, og_buf_view(&oldest)));
    }
    og_repo_close(repo);
    world_deinit(&w);
}

/* ---- branches that were merged and are no more --------------------------------------------- */

/* The base of c and main, when small windows are read. */
static void check_base_of_c(fixture_world *w, bool ask, const char *expected, bool expect_unknown,
                            bool expect_whole)
{
    og_repo *repo = fixture_open_window(w->store, &w->clock, 2);
    og_graph__lives lives = {.repo = repo};
    {
        OG_AUTO(og_history) c = open_history(repo, "c");
        OG_AUTO(og_history) trunk = open_history(repo, NULL);
        og_history *const both[] = {c, trunk};
        const og_commit_info *base;
        bool unknown;
        assert_ok(og_graph__merge_base_among(both, 2, ask ? &lives : NULL, &base, &unknown, err));
        assert_str_is(base->id, expected);
        assert_int_equal(unknown, expect_unknown);
        assert_int_equal(og_graph__history_is_whole(trunk), expect_whole);
    }
    og_graph__lives_deinit(&lives);
    og_repo_close(repo);
}

/* Whoever deleted it died before its ref was put back, which a branch made meanwhile needs. */
static void lose_branch(fixture_world *w, const char *branch)
{
    OG_AUTO_BUF buf = OG_BUF_INIT;
    assert_true(og_lance_branch_ref_name(&buf, OG_GRAPH__MANIFEST, og_str_of(branch)));
    const char *name = og_buf_cstr(&buf);
    assert_ok(w->store->ops->remove(w->store, &name, 1, err));
}

TEST(test_history_windows__a_branch_keeps_what_it_inherited_from_one_that_is_gone)
{
    world w = {.branches = {"main"}};
    char merged[27];
    fixture_world_init(&w.graph);
    assert_ok(og_branch_make(w.graph.repo, NULL, "b", err));
    write_to(&w, "b");
    {
        OG_AUTO(og_history) history = open_history(w.graph.repo, "b");
        snprintf(merged, sizeof merged, "%.*s", OG_FMT(fixture_head(history)->id));
    }
    w.graph.clock.now_us += 60000000; /* a clock that is ahead: looked at before all of c */
    merge(&w, "b", "main");
    write_to(&w, "main");
    w.graph.clock.now_us -= 60000000;
    assert_ok(og_branch_make(w.graph.repo, "b", "c", err));
    for (int i = 0; i < 20; i++)
        write_to(&w, "c");
    lose_branch(&w.graph, "b");
    check_base_of_c(&w.graph, false, merged, false, true);
    check_base_of_c(&w.graph, true, merged, false, true);
    fixture_world_deinit(&w.graph);
}

TEST(test_history_windows__a_merged_branch_that_is_gone_needs_no_reading)
{
    world w = {.branches = {"main"}};
    char parted[27];
    fixture_world_init(&w.graph);
    for (int i = 0; i < 40; i++)
        write_to(&w, "main");
    {
        OG_AUTO(og_history) trunk = open_history(w.graph.repo, NULL);
        snprintf(parted, sizeof parted, "%.*s", OG_FMT(fixture_head(trunk)->id));
    }
    assert_ok(og_branch_make(w.graph.repo, NULL, "b", err));
    assert_ok(og_branch_make(w.graph.repo, NULL, "c", err));
    write_to(&w, "b");
    write_to(&w, "c");
    merge(&w, "b", "main");
    check_base_of_c(&w.graph, true, parted, true, true); /* other histories may know more */
    assert_ok(og_branch_remove(w.graph.repo, "b", err));
    check_base_of_c(&w.graph, true, parted, false, false);
    check_base_of_c(&w.graph, false, parted, true, true);
    assert_ok(og_branch_make(w.graph.repo, NULL, "b", err));
    check_base_of_c(&w.graph, true, parted, false, false);
    fixture_world_deinit(&w.graph);
}
