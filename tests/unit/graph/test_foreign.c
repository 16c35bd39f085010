/* A writer of ours under way, and a program that knows of no operations, only of sidecars and
 * numbers of versions: it publishes our heads before we do, and others go on from there. */
#include "graph/mutate.h"
#include "graph_fixture.h"
#include "lang/query.h"
#include "og_test.h"

#include <string.h>

#define LATER_US 60000000

typedef struct world {
    og_store *store;
    fixture_clock clock;
    og_store *watched; /* around it, for our writer */
    const char *then;  /* a mutation by others, once our heads are published */
    bool met;
    int slots;     /* of tables that our writer has asked for */
    og_buf writes; /* its writes since it lost one, a line each */
} world;

static void world_init(world *w,
                       og_store_fault (*before)(void *, uint64_t, const char *, const char *))
{
    *w = (world){.writes = OG_BUF_INIT};
    assert_ok(og_store_open_memory(&w->store, err));
    fixture_clock_init(&w->clock);
    fixture_init(w->store, &w->clock);
    assert_ok(og_store_wrap(w->store, (og_store_hook){before, w}, 0, &w->watched, err));
}

static void world_deinit(world *w)
{
    og_store_close(w->watched);
    og_store_close(w->store);
    og_buf_deinit(&w->writes);
}

static og_status mutate(og_store *store, const fixture_clock *clock, const char *statements,
                        og_error *err)
{
    OG_AUTO(og_repo) repo = fixture_open(store, clock);
    OG_AUTO(og_program) program = NULL;
    OG_AUTO_BUF text = OG_BUF_INIT;
    og_mutate_output output;
    og_buf_printf(&text, "query q() { %s }", statements);
    OG_TRY(og_program_compile(og_buf_view(&text), NULL, og_repo_catalog(repo), &program, err));
    const og_mutate_input input = {.query = og_program_query(program)};
    return og_mutate_run(repo, &input, &output, err);
}

static uint64_t count(world *w, const char *type)
{
    OG_AUTO(og_repo) repo = fixture_open(w->store, &w->clock);
    return fixture_count(repo, type);
}

/* The only sidecar. */
static void read_sidecar(world *w, char name[64], og_buf *out)
{
    og_listing listing = {0};
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(w->store->ops->list(w->store, "__recovery/", false, NULL, 0, &listing, err));
    assert_int_equal(listing.len, 1);
    snprintf(name, 64, "%.*s", OG_FMT(listing.items[0].name));
    og_listing_deinit(&listing);
    assert_ok(w->store->ops->get(w->store, name, &blob, err));
    assert_true(og_buf_append(out, blob->ptr, blob->len));
}

static bool is_slot_of(const char *op, const char *name, const char *folder)
{
    return strcmp(op, "put_if_absent") == 0 && strncmp(name, folder, strlen(folder)) == 0 &&
           strstr(name, "/_versions/") != NULL;
}

/* ---- published by another ----------------------------------------------------------------- */

/* As one that does not read the member that says that tables name their operation,
 * and that waits for nobody. */
static void publish_as_foreign(world *w)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    char name[64];
    fixture_clock ahead;
    fixture_clock_init(&ahead);
    ahead.now_us = w->clock.now_us + LATER_US;
    read_sidecar(w, name, &text);
    text.len = og_str_find(og_buf_view(&text), OG_STR(",\"og\":{"));
    og_buf_text(&text, "}");
    assert_ok(w->store->ops->put(w->store, name, og_buf_bytes(&text), err));
    assert_ok(mutate(w->store, &ahead, w->then, err));
}

/* Before our writer publishes what it has committed to its tables. */
static og_store_fault be_faster(void *context, uint64_t call, const char *op, const char *name)
{
    world *w = context;
    (void)call;
    if (!w->met && is_slot_of(op, name, "__manifest/")) {
        w->met = true;
        publish_as_foreign(w);
    }
    return OG_STORE_PASS;
}

/* All that it wrote is gone again, and no file of it is left: it must not be written twice. */
TEST(test_foreign__published_by_another_and_replaced_since)
{
    world w;
    world_init(&w, be_faster);
    w.then = "delete A where name = \"x\"";
    assert_ok(
        mutate(w.watched, &w.clock, "insert A { name: \"x\" } insert B { name: \"x\" }", err));
    assert_true(w.met);
    assert_int_equal(count(&w, "A"), 0);
    assert_int_equal(count(&w, "B"), 1);
    world_deinit(&w);
}

/* What it had read has moved, but only after it was published. */
TEST(test_foreign__published_by_another_before_its_reads_moved)
{
    world w;
    world_init(&w, be_faster);
    w.met = true;
    assert_ok(mutate(w.watched, &w.clock, "insert B { name: \"b\" }", err));
    w.met = false;
    w.then = "delete B where name = \"b\"";
    assert_ok(mutate(w.watched, &w.clock,
                     "insert A { name: \"a\" } insert E { from: \"a\", to: \"b\" }", err));
    assert_true(w.met);
    assert_int_equal(count(&w, "A"), 1);
    assert_int_equal(count(&w, "B"), 0);
    world_deinit(&w);
}

/* ---- to be undone ------------------------------------------------------------------------- */

static og_store_fault die_before_publishing(void *context, uint64_t call, const char *op,
                                            const char *name)
{
    (void)context, (void)call;
    return is_slot_of(op, name, "__manifest/") ? OG_STORE_CRASH : OG_STORE_PASS;
}

/* Another takes the slot of B, and dies. */
static void take_b(world *w)
{
    og_store *dying;
    og_error error;
    assert_ok(
        og_store_wrap(w->store, (og_store_hook){die_before_publishing, NULL}, 0, &dying, err));
    assert_status(mutate(dying, &w->clock, "insert B { name: \"theirs\" }", &error), OG_UNKNOWN);
    og_store_close(dying);
}

/* B is lost before its slot is asked for; from then on writes are listed. */
static og_store_fault lose_b(void *context, uint64_t call, const char *op, const char *name)
{
    static const char *const reads[] = {"get", "get_range", "head", "list"};
    world *w = context;
    bool is_write = true;
    (void)call;
    for (size_t i = 0; i < sizeof reads / sizeof *reads; i++)
        is_write &= strcmp(op, reads[i]) != 0;
    if (w->slots == 2 && is_write)
        og_buf_printf(&w->writes, "%s %.11s\n", op, name);
    w->slots += is_slot_of(op, name, "nodes/");
    if (w->slots == 2 && !w->met)
        take_b(w);
    w->met |= w->slots == 2;
    return OG_STORE_PASS;
}

static og_store_fault stop_after_sidecar(void *context, uint64_t call, const char *op,
                                         const char *name)
{
    world *w = context;
    og_store_fault fault = lose_b(context, call, op, name);
    return og_str_starts(og_buf_view(&w->writes), OG_STR("put __recovery/\n")) &&
                   strncmp(name, "__recovery/", 11) != 0
               ? OG_STORE_CRASH
               : fault;
}

/* Both tables stand where its sidecar said, one by another: it must not look whole. */
TEST(test_foreign__sidecar_of_what_is_to_be_undone)
{
    world w;
    OG_AUTO_BUF text = OG_BUF_INIT;
    char name[64];
    og_error error;
    world_init(&w, stop_after_sidecar);
    assert_status(
        mutate(w.watched, &w.clock, "insert A { name: \"x\" } insert B { name: \"x\" }", &error),
        OG_UNKNOWN);
    read_sidecar(&w, name, &text);
    assert_non_null(strstr(og_buf_cstr(&text), "\"node:A\""));
    assert_null(strstr(og_buf_cstr(&text), "\"node:B\""));
    assert_non_null(strstr(og_buf_cstr(&text), "\"expected_version\":1,\"post_commit_pin\":3"));
    w.clock.now_us += LATER_US;
    assert_ok(mutate(w.store, &w.clock, "insert A { name: \"y\" }", err));
    assert_ok(mutate(w.store, &w.clock, "insert B { name: \"y\" }", err));
    assert_int_equal(count(&w, "A"), 1);
    world_deinit(&w);
}
