#include "og_test.h"
#include "store/memory.h"
#include "store/wrap.h"

static og_bytes bytes_of(const char *text)
{
    return (og_bytes){(const uint8_t *)text, strlen(text)};
}

typedef struct rig {
    og_store *inner, *s;
    og_store_fault_at plan;
} rig;

static void open_rig(rig *r, uint64_t at, og_store_fault fault)
{
    *r = (rig){.plan = {.at = at, .fault = fault}};
    assert_ok(og_store_open_memory(&r->inner, err));
    assert_ok(og_store_wrap(r->inner, og_store_hook_at(&r->plan), 0, &r->s, err));
}

static void close_rig(rig *r)
{
    og_store_close(r->s);
    og_store_close(r->inner);
}

static bool is_there(og_store *s, const char *name)
{
    uint64_t size;
    return s->ops->head(s, name, &size, NULL) == OG_OK;
}

TEST(test_wrap__writes_fail_as_planned)
{
    static const struct {
        og_store_fault fault;
        og_status status;
        bool done;
    } cases[] = {{OG_STORE_PASS, OG_OK, true},          {OG_STORE_FAIL, OG_IO, false},
                 {OG_STORE_LOST_ACK, OG_UNKNOWN, true}, {OG_STORE_UNDONE, OG_UNKNOWN, false},
                 {OG_STORE_FULL, OG_LIMIT, false},      {OG_STORE_CRASH, OG_CANCELLED, false}};
    for (size_t i = 0; i < 6; i++) {
        rig r;
        open_rig(&r, 0, cases[i].fault);
        og_error error;
        assert_status(r.s->ops->put_if_absent(r.s, "x", bytes_of("1"), true, &error),
                      cases[i].status);
        assert_int_equal(is_there(r.inner, "x"), cases[i].done);
        assert_int_equal(r.plan.seen, 1);
        if (cases[i].status != OG_OK)
            assert_memory_equal(error.message, "put_if_absent x: ", 17);
        close_rig(&r);
    }
}

TEST(test_wrap__a_lost_answer_hides_also_that_the_slot_was_taken)
{
    rig r;
    open_rig(&r, 0, OG_STORE_LOST_ACK);
    assert_ok(r.inner->ops->put(r.inner, "x", bytes_of("winner"), err));
    assert_status(r.s->ops->put_if_absent(r.s, "x", bytes_of("1"), true, NULL), OG_UNKNOWN);
    close_rig(&r);
}

TEST(test_wrap__reads_have_no_unknown_outcome)
{
    static const og_store_fault faults[] = {OG_STORE_FAIL, OG_STORE_LOST_ACK, OG_STORE_UNDONE,
                                            OG_STORE_FULL};
    for (size_t i = 0; i < 4; i++) {
        for (int op = 0; op < 4; op++) {
            rig r;
            og_blob *blob = NULL;
            uint64_t size;
            og_listing l;
            open_rig(&r, 0, faults[i]);
            assert_ok(r.inner->ops->put(r.inner, "x", bytes_of("1"), err));
            og_status status = op == 0   ? r.s->ops->get(r.s, "x", &blob, NULL)
                               : op == 1 ? r.s->ops->get_range(r.s, "x", 0, 1, &blob, NULL)
                               : op == 2 ? r.s->ops->head(r.s, "x", &size, NULL)
                                         : r.s->ops->list(r.s, "", true, NULL, 0, &l, NULL);
            assert_status(status, OG_IO);
            assert_null(blob);
            close_rig(&r);
        }
    }
}

TEST(test_wrap__dead_after_a_crash)
{
    rig r;
    open_rig(&r, 1, OG_STORE_CRASH);
    const char *x = "x";
    og_object_writer *w = NULL;
    assert_ok(r.s->ops->put(r.s, "x", bytes_of("1"), err));
    assert_status(r.s->ops->sync(r.s, &x, 1, NULL), OG_CANCELLED);
    assert_status(r.s->ops->put(r.s, "y", bytes_of("1"), NULL), OG_CANCELLED);
    assert_status(r.s->ops->remove(r.s, &x, 1, NULL), OG_CANCELLED);
    assert_status(r.s->ops->create(r.s, "z", &w, NULL), OG_CANCELLED);
    assert_true(is_there(r.inner, "x"));
    assert_false(is_there(r.inner, "y"));
    close_rig(&r);
}

TEST(test_wrap__a_failed_sync_is_unknown)
{
    static const og_store_fault faults[] = {OG_STORE_FAIL, OG_STORE_LOST_ACK, OG_STORE_UNDONE,
                                            OG_STORE_FULL};
    for (size_t i = 0; i < 4; i++) {
        rig r;
        const char *x = "x";
        open_rig(&r, 1, faults[i]);
        assert_ok(r.s->ops->put(r.s, x, bytes_of("1"), err));
        assert_status(r.s->ops->sync(r.s, &x, 1, NULL), OG_UNKNOWN);
        close_rig(&r);
    }
}

/* create, append, append, finish: every call of the four fails in every way. */
TEST(test_wrap__writers_fail_at_every_call)
{
    for (og_store_fault fault = OG_STORE_FAIL; fault <= OG_STORE_CRASH; fault++) {
        for (uint64_t at = 0; at < 5; at++) {
            rig r;
            open_rig(&r, at, fault);
            OG_AUTO(og_object_writer) w = NULL;
            og_status status = r.s->ops->create(r.s, "x", &w, NULL);
            for (int i = 0; i < 2 && status == OG_OK; i++)
                status = w->ops->append(w, bytes_of("ab"), NULL);
            if (status == OG_OK)
                status = w->ops->finish(w, NULL);
            bool lost = at == 3 && fault == OG_STORE_LOST_ACK;
            assert_int_equal(status == OG_OK, at == 4);
            assert_int_equal(is_there(r.inner, "x"), at == 4 || lost);
            if (at == 3)
                assert_int_equal(status == OG_UNKNOWN,
                                 fault == OG_STORE_LOST_ACK || fault == OG_STORE_UNDONE);
            else
                assert_int_not_equal(status, OG_UNKNOWN);
            /* What an append lost can never be finished. */
            if (w != NULL && at > 0 && at < 3) {
                assert_true(w->ops->finish(w, NULL) != OG_OK);
                assert_false(is_there(r.inner, "x"));
            }
            og_object_writer_close(OG_TAKE(w));
            close_rig(&r);
        }
    }
}

/* What the hook is told. */
typedef struct journal {
    char text[256];
} journal;

static og_store_fault note(void *context, uint64_t call, const char *op, const char *name)
{
    journal *j = context;
    size_t len = strlen(j->text);
    snprintf(j->text + len, sizeof j->text - len, "%d:%s(%s) ", (int)call, op, name);
    return OG_STORE_PASS;
}

TEST(test_wrap__hook_sees_every_call_in_order)
{
    journal j = {""};
    OG_AUTO(og_store) inner = NULL;
    og_store *s = NULL;
    const char *names[] = {"a", "b"};
    og_listing l = {0};
    og_object_writer *w = NULL;
    assert_ok(og_store_open_memory(&inner, err));
    assert_ok(og_store_wrap(inner, (og_store_hook){note, &j}, 10, &s, err));
    assert_ok(s->ops->create(s, "w", &w, err));
    assert_ok(w->ops->append(w, bytes_of("abc"), err));
    assert_ok(w->ops->finish(w, err));
    og_object_writer_close(w);
    assert_ok(s->ops->list(s, "", false, NULL, 0, &l, err));
    assert_ok(s->ops->remove(s, names, 2, err));
    assert_ok(s->ops->sync(s, NULL, 0, err));
    assert_string_equal(j.text,
                        "0:create(w) 1:append(w) 2:finish(w) 3:list() 4:remove(a) 5:sync() ");
    assert_int_equal(s->stats.bytes_written, 3);
    assert_int_equal(s->stats.deletes, 2);
    assert_int_equal(inner->stats.deletes, 2);
    og_listing_deinit(&l);
    og_store_close(s);
}

/* What is written over is not written at once: a write that is cut off leaves half of it. */
TEST(test_wrap__a_write_over_is_cut_off_in_the_middle)
{
    static const struct {
        og_store_fault fault;
        og_status status;
        const char *left;
    } cases[] = {
        {OG_STORE_PASS, OG_OK, "newer!"},          {OG_STORE_FAIL, OG_IO, "old, old"},
        {OG_STORE_FULL, OG_LIMIT, "old, old"},     {OG_STORE_LOST_ACK, OG_UNKNOWN, "newer!"},
        {OG_STORE_UNDONE, OG_UNKNOWN, "new, old"}, {OG_STORE_CRASH, OG_CANCELLED, "new, old"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        rig r;
        OG_AUTO(og_blob) left = NULL;
        open_rig(&r, 0, cases[i].fault);
        assert_ok(r.inner->ops->put(r.inner, "head", bytes_of("old, old"), err));
        assert_status(og_store_put_summed(r.s, "head", bytes_of("newer!"), NULL), cases[i].status);
        if (cases[i].fault == OG_STORE_CRASH) /* the dead change nothing more */
            assert_status(og_store_put_summed(r.s, "head", bytes_of("more"), NULL), OG_CANCELLED);
        assert_ok(r.inner->ops->get(r.inner, "head", &left, err));
        assert_int_equal(left->len, strlen(cases[i].left));
        assert_memory_equal(left->ptr, cases[i].left, left->len);
        close_rig(&r);
    }
}

TEST(test_wrap__removes_what_is_still_the_same)
{
    rig r;
    open_rig(&r, 2, OG_STORE_LOST_ACK);
    assert_ok(r.inner->ops->put(r.inner, "a", bytes_of("new"), err));
    assert_status(og_store_remove_same(r.s, "b", bytes_of("old"), NULL), OG_NOT_FOUND);
    assert_status(og_store_remove_same(r.s, "a", bytes_of("old"), NULL), OG_EXISTS);
    assert_true(is_there(r.inner, "a"));
    assert_status(og_store_remove_same(r.s, "a", bytes_of("new"), NULL), OG_UNKNOWN);
    assert_false(is_there(r.inner, "a"));
    close_rig(&r);
}
