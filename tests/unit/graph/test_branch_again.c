/* A name of a branch that others use again while somebody makes or deletes a branch of it: before
 * each call of the store in turn. What they were told is there stays there. */
#include <pthread.h>
#include <semaphore.h>

#include "graph/branch.h"
#include "graph/branch_ops.h"
#include "graph/cleanup.h"
#include "graph_fixture.h"
#include "lance/table/branch.h"
#include "og_test.h"
#include "store/memory.h"

/* Others come before call `at`. */
typedef struct meeting {
    og_store *store;
    fixture_clock clock;
    const char *name;   /* it is deleted, if it is there, made of main and written on */
    const char *source; /* and this one is deleted; NULL: none */
    uint64_t at;
    bool met, was_there;
} meeting;

static og_store_fault use_again(void *context, uint64_t call, const char *op, const char *name)
{
    meeting *m = context;
    (void)op, (void)name;
    if (call != m->at)
        return OG_STORE_PASS;
    m->met = true;
    og_repo *other = fixture_open(m->store, &m->clock);
    m->was_there = fixture_has_branch(other, m->name);
    if (m->was_there)
        assert_ok(og_branch_remove(other, m->name, err));
    assert_ok(og_branch_make(other, NULL, m->name, err));
    assert_ok(fixture_write_on(other, m->name, NULL, "theirs", err));
    if (m->source != NULL)
        assert_ok(og_branch_remove(other, m->source, err));
    og_repo_close(other);
    return OG_STORE_PASS;
}

/* A graph with a row in A and B and a branch b of it, where a second row is. */
static void begin(meeting *m)
{
    assert_ok(og_store_open_memory(&m->store, err));
    fixture_clock_init(&m->clock);
    fixture_init(m->store, &m->clock);
    og_repo *repo = fixture_open(m->store, &m->clock);
    assert_ok(fixture_write_both(repo, "1", err));
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "2", err));
    assert_ok(fixture_write_on(repo, "b", NULL, "3", err));
    og_repo_close(repo);
}

/* Does the branch of the others stand, and take a write? */
static void check_theirs(const meeting *m)
{
    og_repo *repo = fixture_open(m->store, &m->clock);
    assert_int_equal(fixture_count_on(repo, m->name, "A"), 2);
    assert_ok(fixture_write_on(repo, m->name, NULL, "next", err));
    assert_int_equal(fixture_count_on(repo, m->name, "B"), 3);
    og_repo_close(repo);
}

static void check_gone(const meeting *m)
{
    og_repo *repo = fixture_open(m->store, &m->clock);
    assert_false(fixture_has_branch(repo, m->name));
    og_repo_close(repo);
}

/* False when the operation ended before call `at`. `make`: what is made of b; NULL: b is
 * deleted. */
static bool meet_at(uint64_t at, const char *make)
{
    meeting m = {.name = make != NULL ? make : "b", .source = make != NULL ? "b" : NULL, .at = at};
    og_store *watched;
    begin(&m);
    assert_ok(og_store_wrap(m.store, (og_store_hook){use_again, &m}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &m.clock);
    og_error error;
    og_status s = make != NULL ? og_branch_make(repo, "b", make, &error)
                               : og_branch_remove(repo, "b", &error);
    og_repo_close(repo);
    og_store_close(watched);
    if (m.met && make == NULL && m.was_there && s == OG_OK)
        check_gone(&m); /* it was their branch that was deleted */
    else if (m.met)
        check_theirs(&m);
    else
        assert_int_equal(s, OG_OK);
    og_store_close(m.store);
    return m.met;
}

TEST(test_branch_again__deleted_and_made_while_it_is_deleted)
{
    uint64_t at = 0;
    while (meet_at(at, NULL))
        at++;
    assert_true(at > 10);
}

TEST(test_branch_again__deleted_and_made_while_it_is_made)
{
    uint64_t at = 0;
    while (meet_at(at, "c"))
        at++;
    assert_true(at > 10);
}

/* Branch b is deleted. At the last moment d is made of it, so that its ref comes back; before it
 * does, others use the name. */
typedef struct interlude {
    meeting m;
    int step;
} interlude;

/* Make d at the last moment. True when the ref is about to come back. */
static bool comes_back(interlude *i, const char *op, const char *name)
{
    if (strcmp(name, "__manifest/_refs/branches/b.json") != 0)
        return false;
    if (i->step == 0 && strcmp(op, "remove") == 0) {
        i->step++;
        og_repo *other = fixture_open(i->m.store, &i->m.clock);
        assert_ok(og_branch_make(other, "b", "d", err));
        og_repo_close(other);
    }
    return i->step == 1 && strcmp(op, "put_if_absent") == 0;
}

static og_store_fault come_between(void *context, uint64_t call, const char *op, const char *name)
{
    interlude *i = context;
    (void)call;
    if (comes_back(i, op, name)) {
        i->step++;
        (void)use_again(&i->m, i->m.at, op, name);
    }
    return OG_STORE_PASS;
}

TEST(test_branch_again__made_by_others_before_its_ref_comes_back)
{
    interlude i = {.m = {.name = "b"}};
    og_store *watched;
    og_error error;
    begin(&i.m);
    assert_ok(og_store_wrap(i.m.store, (og_store_hook){come_between, &i}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &i.m.clock);
    assert_int_equal(og_branch_remove(repo, "b", &error), OG_UNKNOWN);
    assert_int_equal(i.step, 2);
    og_repo_close(repo);
    og_store_close(watched);
    check_theirs(&i.m);
    i.m.name = "d";
    repo = fixture_open(i.m.store, &i.m.clock);
    assert_int_equal(fixture_count_on(repo, "d", "A"), 3);
    assert_ok(fixture_write_on(repo, "d", NULL, "4", err));
    og_repo_close(repo);
    og_store_close(i.m.store);
}

/* The same; when the ref is back, somebody who saw that there was none leaves a mark, and somebody
 * else writes. */
static og_store_fault write_between(void *context, uint64_t call, const char *op, const char *name)
{
    interlude *i = context;
    (void)call;
    if (comes_back(i, op, name)) {
        i->step++;
    } else if (i->step == 2 && strcmp(op, "list") == 0) {
        i->step++;
        og_repo *other = fixture_open(i->m.store, &i->m.clock);
        assert_ok(og_lance_branch_mark(i->m.store, "__manifest", OG_STR("b"), 100, err));
        assert_ok(fixture_write_on(other, "b", NULL, "4", err));
        og_repo_close(other);
    }
    return OG_STORE_PASS;
}

TEST(test_branch_again__stays_for_who_wrote_on_it_once_it_was_back)
{
    interlude i = {.m = {.name = "b"}};
    og_store *watched;
    og_error error;
    begin(&i.m);
    assert_ok(og_store_wrap(i.m.store, (og_store_hook){write_between, &i}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &i.m.clock);
    assert_int_equal(og_branch_remove(repo, "b", &error), OG_CONFLICT);
    assert_int_equal(i.step, 3);
    og_repo_close(repo);
    og_store_close(watched);
    repo = fixture_open(i.m.store, &i.m.clock);
    assert_int_equal(fixture_count_on(repo, "b", "A"), 4);
    og_repo_close(repo);
    og_store_close(i.m.store);
}

/* Branch b is deleted. At the last moment d is made of it; its ref comes back when somebody who
 * makes a branch of the name has just seen that there is none, and is about to clear away what is
 * left of it. */
typedef struct rivals {
    meeting m;
    const char *last_step; /* of the delete, before which the other comes */
    bool has_child, is_clearing;
    og_status deleted;
    sem_t gone, back;
    pthread_t thread;
} rivals;

static og_store_fault before_delete(void *context, uint64_t call, const char *op, const char *name)
{
    rivals *r = context;
    (void)call;
    if (strcmp(name, "__manifest/_refs/branches/b.json") != 0 &&
        strcmp(name, "__manifest/tree/b/_versions/") != 0)
        return OG_STORE_PASS;
    if (strcmp(op, "remove") == 0 && !r->has_child) {
        r->has_child = true;
        og_repo *other = fixture_open(r->m.store, &r->m.clock);
        assert_ok(og_branch_make(other, "b", "d", err));
        og_repo_close(other);
    } else if (r->has_child && strcmp(op, r->last_step) == 0) {
        r->last_step = "";
        sem_post(&r->gone);
        sem_wait(&r->back);
    }
    return OG_STORE_PASS;
}

static void *delete_b(void *context)
{
    rivals *r = context;
    og_store *watched;
    og_error error;
    assert_ok(og_store_wrap(r->m.store, (og_store_hook){before_delete, r}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &r->m.clock);
    r->deleted = og_branch_remove(repo, "b", &error);
    og_repo_close(repo);
    og_store_close(watched);
    return NULL;
}

static og_store_fault before_make(void *context, uint64_t call, const char *op, const char *name)
{
    rivals *r = context;
    (void)call;
    if (r->is_clearing || strcmp(op, "remove") != 0 ||
        strncmp(name, "__manifest/tree/b/_versions/", 28) != 0)
        return OG_STORE_PASS;
    r->is_clearing = true;
    sem_post(&r->back);
    pthread_join(r->thread, NULL);
    return OG_STORE_PASS;
}

static void come_back(uint64_t mark, const char *last_step)
{
    rivals r = {.m = {.name = "b"}, .last_step = last_step};
    og_store *watched;
    og_error error;
    begin(&r.m);
    if (mark > 0)
        assert_ok(og_lance_branch_mark(r.m.store, "__manifest", OG_STR("b"), mark, err));
    assert_int_equal(sem_init(&r.gone, 0, 0) | sem_init(&r.back, 0, 0), 0);
    assert_int_equal(pthread_create(&r.thread, NULL, delete_b, &r), 0);
    sem_wait(&r.gone);
    assert_ok(og_store_wrap(r.m.store, (og_store_hook){before_make, &r}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &r.m.clock);
    og_status made = og_branch_make(repo, NULL, "b", &error);
    assert_true(r.is_clearing);
    og_repo_close(repo);
    og_store_close(watched);
    /* Either it came back, as it was, or it is the new one: of main, with one row. */
    bool is_back = r.deleted == OG_CONFLICT;
    assert_int_equal(r.deleted, is_back ? OG_CONFLICT : OG_UNKNOWN);
    assert_int_equal(made, is_back ? OG_EXISTS : OG_OK);
    repo = fixture_open(r.m.store, &r.m.clock);
    assert_int_equal(fixture_count_on(repo, "b", "A"), is_back ? 3 : 1);
    assert_int_equal(fixture_count_on(repo, "d", "A"), 3);
    og_repo_close(repo);
    sem_destroy(&r.gone);
    sem_destroy(&r.back);
    og_store_close(r.m.store);
}

TEST(test_branch_again__comes_back_while_it_is_cleared_away)
{
    come_back(0, "list");
    come_back(0, "put_if_absent");
    /* Of an earlier life. A program that goes by no marks made the branch below it. */
    come_back(100, "list");
}

/* A creator looked for what earlier branches of the name left and slept. Meanwhile there was one,
 * whose delete died when it had removed the ref; then the creator put its own, and died, too. */
static void put_ref_of_another_life(meeting *m)
{
    static const char name[] = "__manifest/_refs/branches/b.json";
    OG_AUTO(og_blob) ref = NULL;
    OG_AUTO_BUF changed = OG_BUF_INIT;
    assert_ok(m->store->ops->get(m->store, name, &ref, err));
    og_str text = {(const char *)ref->ptr, ref->len};
    char id[OG_GRAPH__BRANCH_ID + 1];
    og_repo *repo = fixture_open(m->store, &m->clock);
    og_graph__branch *branch;
    assert_ok(og_graph__branch_get(repo, "b", &branch, err));
    assert_ok(og_graph__branch_id(repo, branch, id, err));
    og_repo_close(repo);
    size_t at = og_str_find(text, og_str_of(id));
    assert_true(at != SIZE_MAX);
    assert_true(og_buf_append(&changed, text.ptr, text.len));
    changed.ptr[at] = (uint8_t)(text.ptr[at] == '0' ? '1' : '0');
    assert_ok(m->store->ops->put(m->store, name, og_buf_bytes(&changed), err));
}

TEST(test_branch_again__of_an_earlier_life_is_not_shown)
{
    meeting m = {.name = "b"};
    begin(&m);
    put_ref_of_another_life(&m);
    og_repo *repo = fixture_open(m.store, &m.clock);
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_error error;
    assert_int_equal(og_repo_snapshot(repo, "b", &snapshot, &error), OG_NOT_FOUND);
    assert_non_null(strstr(error.message, "its name was used by others"));
    assert_non_null(strstr(error.hint, "branch delete b"));
    assert_int_equal(fixture_write_on(repo, "b", NULL, "4", &error), OG_NOT_FOUND);
    assert_ok(og_branch_remove(repo, "b", err));
    assert_ok(og_branch_make(repo, NULL, "b", err));
    assert_int_equal(fixture_count_on(repo, "b", "A"), 1);
    og_repo_close(repo);
    og_store_close(m.store);
}

/* Branch c is made of main while a cleanup seems to be under way. Main is written before c's ref is
 * there, so the creator takes the ref back; before call `at` somebody writes on c. */
typedef struct overtaking {
    og_store *store;
    fixture_clock clock;
    uint64_t at;
    bool is_overtaken, met;
    og_status written;
} overtaking;

static og_store_fault overtake(void *context, uint64_t call, const char *op, const char *name)
{
    overtaking *o = context;
    bool puts_ref =
        strcmp(op, "put_if_absent") == 0 && strcmp(name, "__manifest/_refs/branches/c.json") == 0;
    bool writes_main = puts_ref && !o->is_overtaken;
    if (!writes_main && call != o->at)
        return OG_STORE_PASS;
    og_repo *other = fixture_open(o->store, &o->clock);
    if (writes_main) {
        o->is_overtaken = true;
        assert_ok(fixture_write(other, "A", "late", err));
    }
    if (call == o->at) {
        og_error error;
        o->met = true;
        o->written = fixture_write_on(other, "c", NULL, "theirs", &error);
    }
    og_repo_close(other);
    return OG_STORE_PASS;
}

static bool is_written_at(uint64_t at)
{
    meeting m = {.name = "c"};
    og_store *watched;
    og_error error;
    begin(&m);
    overtaking o = {.store = m.store, .clock = m.clock, .at = at, .written = OG_NOT_FOUND};
    const og_bytes nothing = {(const uint8_t *)"", 0};
    assert_ok(
        m.store->ops->put(m.store, "_omnigraph/cleanup/01K9Z3W8Q6YB2T4M5N7P0R1S2V", nothing, err));
    assert_ok(og_store_wrap(m.store, (og_store_hook){overtake, &o}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &m.clock);
    og_status s = og_branch_make(repo, NULL, "c", &error);
    og_repo_close(repo);
    og_store_close(watched);
    assert_true(s == OG_OK || (o.met && (s == OG_UNKNOWN || s == OG_EXISTS)));
    repo = fixture_open(m.store, &m.clock);
    if (o.written == OG_OK)
        assert_int_equal(fixture_count_on(repo, "c", "B"), 2);
    else if (s == OG_OK)
        assert_int_equal(fixture_count_on(repo, "c", "A"), 2);
    og_repo_close(repo);
    og_store_close(m.store);
    return o.met;
}

TEST(test_branch_again__is_not_taken_back_from_who_wrote_on_it)
{
    uint64_t at = 0;
    while (is_written_at(at))
        at++;
    assert_true(at > 20);
}

/* Before the creator of c puts its ref somebody makes a c, whose delete dies when the ref is gone. A
 * cleanup clears away what that left, and with it what the creator relies on, which is taking its
 * ref back; then somebody writes on c. */
typedef struct slept_over {
    meeting m;
    bool has_slept, has_waited, is_written;
    sem_t clearing, go;
    pthread_t thread;
} slept_over;

static const char ref_of_c[] = "__manifest/_refs/branches/c.json";

static og_store_fault wait_before_clearing(void *context, uint64_t call, const char *op,
                                           const char *name)
{
    slept_over *s = context;
    (void)call;
    if (s->has_waited || strcmp(op, "remove") != 0 ||
        !og_str_starts(og_str_of(name), OG_STR("__manifest/tree/c/_versions/")))
        return OG_STORE_PASS;
    s->has_waited = true;
    sem_post(&s->clearing);
    sem_wait(&s->go);
    return OG_STORE_PASS;
}

static void *clean_up(void *context)
{
    slept_over *s = context;
    const og_cleanup_input input = {.by_count = true, .keep = 0};
    og_cleanup_output out;
    og_store *watched;
    assert_ok(
        og_store_wrap(s->m.store, (og_store_hook){wait_before_clearing, s}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &s->m.clock);
    assert_ok(og_cleanup_run(repo, &input, &out, err));
    og_cleanup_output_deinit(&out);
    og_repo_close(repo);
    og_store_close(watched);
    return NULL;
}

static void live_and_clear(slept_over *s)
{
    const char *ref = ref_of_c;
    og_lance_branch_slots slots;
    og_repo *other = fixture_open(s->m.store, &s->m.clock);
    assert_ok(og_branch_make(other, NULL, "c", err));
    assert_ok(fixture_write_on(other, "c", NULL, "old", err));
    og_repo_close(other);
    assert_ok(og_lance_branch_survey(s->m.store, "__manifest", OG_STR("c"), &slots, err));
    assert_ok(og_lance_branch_mark(s->m.store, "__manifest", OG_STR("c"), slots.newest, err));
    assert_ok(s->m.store->ops->remove(s->m.store, &ref, 1, err));
    s->m.clock.now_us += INT64_C(24) * 3600 * 1000000;
    assert_int_equal(pthread_create(&s->thread, NULL, clean_up, s), 0);
    sem_wait(&s->clearing);
}

static og_store_fault sleep_over_a_life(void *context, uint64_t call, const char *op,
                                        const char *name)
{
    slept_over *s = context;
    (void)call;
    if (strcmp(name, ref_of_c) != 0)
        return OG_STORE_PASS;
    if (strcmp(op, "put_if_absent") == 0 && !s->has_slept) {
        s->has_slept = true;
        live_and_clear(s);
    } else if (og_str_starts(og_str_of(op), OG_STR("remove")) && !s->is_written) {
        s->is_written = true;
        sem_post(&s->go);
        pthread_join(s->thread, NULL);
        og_repo *other = fixture_open(s->m.store, &s->m.clock);
        assert_ok(fixture_write_on(other, "c", NULL, "theirs", err));
        og_repo_close(other);
    }
    return OG_STORE_PASS;
}

TEST(test_branch_again__comes_back_when_its_barrier_was_cleared_away)
{
    slept_over s = {.m = {.name = "c"}};
    og_store *watched;
    begin(&s.m);
    og_store_memory_set_clock(s.m.store, &s.m.clock.clock);
    assert_int_equal(sem_init(&s.clearing, 0, 0) | sem_init(&s.go, 0, 0), 0);
    assert_ok(og_store_wrap(s.m.store, (og_store_hook){sleep_over_a_life, &s}, 0, &watched, err));
    og_repo *repo = fixture_open(watched, &s.m.clock);
    assert_int_equal(og_branch_make(repo, NULL, "c", NULL), OG_UNKNOWN);
    og_repo_close(repo);
    og_store_close(watched);
    assert_true(s.is_written);
    check_theirs(&s.m);
    sem_destroy(&s.clearing);
    sem_destroy(&s.go);
    og_store_close(s.m.store);
}
