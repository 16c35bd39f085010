/* Several inits of one place: whichever call of one another comes between,
 * one graph is made, whole. */
#include "graph_fixture.h"
#include "og_test.h"

#define MARKER "_omnigraph/init.json"

static const char schema[] = "node A {\n  name: String @key\n}\nnode B {\n  name: String @key\n}\n"
                             "edge E: A -> B\n";

typedef struct race {
    og_store *store, *watched;
    fixture_clock clock;
    uint64_t at;      /* the call of the first init before which the second runs */
    int64_t sleep_us; /* that the first sleeps there */
    uint64_t calls;
    og_status second;
    bool met;
} race;

static og_status init(race *r, og_store *store, og_error *err)
{
    const og_repo_options options = {.store = store, .clock = &r->clock.clock};
    return og_repo_init("memory", og_str_of(schema), false, &options, err);
}

static og_store_fault come_between(void *context, uint64_t call, const char *op, const char *name)
{
    race *r = context;
    (void)op;
    (void)name;
    r->calls = call + 1;
    if (call == r->at && !r->met) {
        og_error error;
        r->met = true;
        r->clock.now_us += r->sleep_us;
        r->second = init(r, r->store, &error);
    }
    return OG_STORE_PASS;
}

static void race_init(race *r, uint64_t at, int64_t sleep_us)
{
    *r = (race){.at = at, .sleep_us = sleep_us, .second = OG_CONFLICT};
    fixture_clock_init(&r->clock);
    assert_ok(og_store_open_memory(&r->store, err));
    assert_ok(og_store_wrap(r->store, (og_store_hook){come_between, r}, 0, &r->watched, err));
}

/* The graph can be read and written, and no marker is left. */
static void expect_graph(race *r)
{
    og_repo *repo = fixture_open(r->store, &r->clock);
    assert_ok(fixture_write_both(repo, "x", err));
    assert_int_equal(fixture_count(repo, "A"), 1);
    assert_int_equal(fixture_count(repo, "B"), 1);
    og_repo_close(repo);
    og_listing listing = {0};
    assert_ok(r->store->ops->list(r->store, "_omnigraph/", false, NULL, 0, &listing, err));
    for (size_t i = 0; i < listing.len; i++)
        assert_false(og_str_starts(listing.items[i].name, OG_STR("_omnigraph/init")));
    og_listing_deinit(&listing);
}

static void race_end(race *r)
{
    og_store_close(r->watched);
    og_store_close(r->store);
}

/* A marker of an init that died a minute ago, and what it left. */
static void leave_dead_init(race *r)
{
    char op[27];
    int64_t now = r->clock.now_us;
    r->clock.now_us -= 60000000;
    og_ulid id = og_ulid_new(&r->clock.clock, &og_system_random);
    r->clock.now_us = now;
    memcpy(op, id.text, sizeof op);
    assert_ok(r->store->ops->put(r->store, MARKER, (og_bytes){(uint8_t *)op, 26}, err));
    assert_ok(
        r->store->ops->put(r->store, "nodes/0/_versions/1", (og_bytes){(uint8_t *)op, 26}, err));
}

TEST(test_init__of_two_one_makes_the_graph)
{
    for (int dead = 0; dead < 2; dead++) {
        for (uint64_t at = 0;; at++) {
            race r;
            og_error error;
            race_init(&r, at, 0);
            if (dead != 0)
                leave_dead_init(&r);
            og_status first = init(&r, r.watched, &error);
            if (r.met) {
                assert_true((first == OG_OK) != (r.second == OG_OK));
                og_status loser = first == OG_OK ? r.second : first;
                assert_true(loser == OG_CONFLICT || loser == OG_EXISTS);
            }
            expect_graph(&r);
            race_end(&r);
            if (!r.met)
                break;
            assert_true(at < 1000);
        }
    }
}

/* The first sleeps so long that it is taken for dead: what the second made stays. */
TEST(test_init__that_slept_does_no_harm)
{
    race plain;
    og_error error;
    race_init(&plain, UINT64_MAX, 0);
    assert_ok(init(&plain, plain.watched, err));
    uint64_t calls = plain.calls;
    race_end(&plain);
    for (uint64_t at = 0; at + 8 < calls; at++) { /* before it writes the schema files */
        race r;
        race_init(&r, at, 60000000);
        og_status first = init(&r, r.watched, &error);
        assert_true(r.met);
        assert_int_equal(r.second, OG_OK);
        assert_int_not_equal(first, OG_OK);
        expect_graph(&r);
        race_end(&r);
    }
}

TEST(test_init__several_died_one_after_the_other)
{
    race r;
    race_init(&r, UINT64_MAX, 0);
    for (uint64_t died = 0; died < 5; died++) {
        og_store_fault_at plan = {.at = 6 + died, .fault = OG_STORE_CRASH};
        og_store *faulty;
        og_error error;
        assert_ok(og_store_wrap(r.store, og_store_hook_at(&plan), 0, &faulty, err));
        assert_int_not_equal(init(&r, faulty, &error), OG_OK);
        og_store_close(faulty);
        assert_status(init(&r, r.store, &error), OG_CONFLICT);
        r.clock.now_us += 11000000;
    }
    assert_ok(init(&r, r.store, err));
    expect_graph(&r);
    race_end(&r);
}
