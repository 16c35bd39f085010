#include "og_test.h"
#include "store/far.h"
#include "store/memory.h"
#include "store/wrap.h"

static og_bytes bytes_of(const char *text)
{
    return (og_bytes){(const uint8_t *)text, strlen(text)};
}

/* A far store around one that counts and fails. */
typedef struct rig {
    og_store *inner, *wire, *s;
    og_store_fault_at plan;
} rig;

static void open_rig(rig *r, uint64_t at, og_store_fault fault)
{
    *r = (rig){.plan = {.at = at, .fault = fault}};
    assert_ok(og_store_open_memory(&r->inner, err));
    assert_ok(og_store_wrap(r->inner, og_store_hook_at(&r->plan), 0, &r->wire, err));
    assert_ok(og_store_open_far(r->wire, &r->s, err));
}

static void close_rig(rig *r)
{
    og_store_close(r->s);
    og_store_close(r->wire);
    og_store_close(r->inner);
}

static og_status write_object(og_store *s, const char *name, const char *text, og_error *err)
{
    OG_AUTO(og_object_writer) w = NULL;
    OG_TRY(s->ops->create(s, name, &w, err));
    OG_TRY(w->ops->append(w, bytes_of(text), err));
    return w->ops->finish(w, err);
}

static void assert_content(og_store *s, const char *name, const char *text)
{
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(s->ops->get(s, name, &blob, err));
    assert_int_equal(blob->len, strlen(text));
    assert_memory_equal(blob->ptr, text, blob->len);
}

TEST(test_far__an_expected_call_is_made_once)
{
    rig r;
    uint64_t size;
    og_listing names = {0};
    open_rig(&r, UINT64_MAX, OG_STORE_PASS);
    assert_ok(r.inner->ops->put(r.inner, "d/x", bytes_of("abc"), err));
    og_store_expect(r.s, OG_STORE_HEAD, "d/y", 0);
    og_store_expect(r.s, OG_STORE_LIST, "d/", 1);
    og_store_expect(r.s, OG_STORE_GET, "d/x", 0);
    assert_content(r.s, "d/x", "abc");
    assert_ok(r.s->ops->list(r.s, "d/", false, NULL, 1, &names, err));
    assert_int_equal(names.len, 1);
    assert_status(r.s->ops->head(r.s, "d/y", &size, NULL), OG_NOT_FOUND);
    assert_int_equal(r.plan.seen, 3);
    og_listing_deinit(&names);
    close_rig(&r);
}

static void assert_range(og_store *s, const char *name, uint64_t offset, const char *text)
{
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(s->ops->get_range(s, name, offset, strlen(text), &blob, err));
    assert_int_equal(blob->len, strlen(text));
    assert_memory_equal(blob->ptr, text, blob->len);
}

TEST(test_far__an_expected_range_is_fetched_once)
{
    rig r;
    og_blob *none;
    open_rig(&r, UINT64_MAX, OG_STORE_PASS);
    assert_ok(r.inner->ops->put(r.inner, "x", bytes_of("abcdef"), err));
    og_store_expect_range(r.s, "x", 0, 3);
    og_store_expect_range(r.s, "x", 3, 2);
    og_store_expect_range(r.s, "x", 0, 3);
    assert_range(r.s, "x", 3, "de");
    assert_range(r.s, "x", 0, "abc");
    assert_int_equal(r.plan.seen, 2);
    assert_range(r.s, "x", 0, "abc"); /* each answer is taken once */
    og_store_expect_range(r.s, "x", 1, 2);
    assert_range(r.s, "x", 1, "bcd"); /* another range is another call */
    assert_int_equal(r.plan.seen, 5);
    og_store_expect_range(r.s, "x", 4, 3);
    assert_status(r.s->ops->get_range(r.s, "x", 4, 3, &none, NULL), OG_CORRUPT);
    og_store_expect_range(r.s, "y", 0, 1);
    assert_status(r.s->ops->get_range(r.s, "y", 0, 1, &none, NULL), OG_NOT_FOUND);
    close_rig(&r);
}

/* Each answer is taken once, another listing is another call,
 * and what was expected in vain is forgotten. */
TEST(test_far__an_answer_does_not_get_old)
{
    rig r;
    uint64_t size;
    og_listing names = {0};
    open_rig(&r, UINT64_MAX, OG_STORE_PASS);
    og_store_expect(r.s, OG_STORE_HEAD, "x", 0);
    og_store_expect(r.s, OG_STORE_LIST, "", 1);
    assert_status(r.s->ops->head(r.s, "x", &size, NULL), OG_NOT_FOUND);
    assert_ok(r.s->ops->list(r.s, "", false, NULL, 0, &names, err));
    og_listing_deinit(&names);
    assert_int_equal(r.plan.seen, 3);
    assert_ok(r.inner->ops->put(r.inner, "x", bytes_of("abc"), err));
    assert_ok(r.s->ops->head(r.s, "x", &size, err));
    og_store_expect(r.s, OG_STORE_HEAD, "y", 0);
    og_store_expect_no_more(r.s);
    assert_ok(r.inner->ops->put(r.inner, "y", bytes_of("abc"), err));
    assert_ok(r.s->ops->head(r.s, "y", &size, err));
    close_rig(&r);
}

TEST(test_far__objects_are_there_after_a_sync)
{
    rig r;
    open_rig(&r, UINT64_MAX, OG_STORE_PASS);
    const char *names[] = {"a", "b"};
    assert_ok(write_object(r.s, "a", "first", err));
    assert_ok(write_object(r.s, "b", "second", err));
    assert_ok(r.s->ops->sync(r.s, names, 2, err));
    assert_content(r.inner, "a", "first");
    assert_content(r.inner, "b", "second");
    uint64_t seen = r.plan.seen;
    OG_AUTO(og_blob) part = NULL;
    assert_content(r.s, "a", "first");
    assert_ok(r.s->ops->get_range(r.s, "b", 1, 3, &part, err));
    assert_memory_equal(part->ptr, "eco", 3);
    assert_int_equal(r.plan.seen, seen); /* from memory */
    assert_ok(r.s->ops->remove(r.s, names, 1, err));
    assert_status(r.s->ops->get(r.s, "a", &part, NULL), OG_NOT_FOUND);
    close_rig(&r);
}

/* Whatever of an upload fails, nothing that follows it is written. */
TEST(test_far__a_lost_object_is_told_before_what_refers_to_it)
{
    for (uint64_t at = 0; at < 3; at++) { /* create, append, finish */
        rig r;
        og_error error;
        const char *name = "a";
        uint64_t size;
        open_rig(&r, at, OG_STORE_FAIL);
        assert_ok(write_object(r.s, name, "first", err));
        assert_status(r.s->ops->sync(r.s, &name, 1, &error), OG_UNKNOWN);
        assert_status(r.inner->ops->head(r.inner, name, &size, NULL), OG_NOT_FOUND);
        close_rig(&r);

        open_rig(&r, at, OG_STORE_FAIL);
        assert_ok(write_object(r.s, name, "first", err));
        assert_status(r.s->ops->put_if_absent(r.s, "slot", bytes_of("a"), true, &error), OG_IO);
        assert_status(r.inner->ops->head(r.inner, "slot", &size, NULL), OG_NOT_FOUND);
        close_rig(&r);
    }
}

TEST(test_far__a_large_object_is_not_collected)
{
    rig r;
    const size_t len = (size_t)3 << 20;
    OG_AUTO(og_object_writer) w = NULL;
    OG_AUTO_FREE uint8_t *bytes = og_calloc(len, 1);
    open_rig(&r, UINT64_MAX, OG_STORE_PASS);
    assert_ok(r.s->ops->create(r.s, "a", &w, err));
    for (int i = 0; i < 3; i++)
        assert_ok(w->ops->append(w, (og_bytes){bytes, len}, err));
    assert_ok(w->ops->finish(w, err));
    uint64_t size;
    assert_ok(r.inner->ops->head(r.inner, "a", &size, err));
    assert_int_equal(size, 3 * len);
    og_object_writer_close(OG_TAKE(w));
    close_rig(&r);
}
