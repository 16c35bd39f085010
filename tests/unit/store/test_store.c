/* What every store must do, whichever it is: each test runs on a folder, in memory and through a
 * wrapper around memory. */
#include "og_test.h"
#include "store/file.h"
#include "store/memory.h"
#include "store/wrap.h"
#include "tempdir.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct bench {
    char folder[64]; /* "" without one */
    og_store *inner; /* of a wrapper */
    og_store *s;
} bench;

#define KINDS 3

static bench open_bench(int kind)
{
    bench b = {0};
    if (kind == 0) {
        make_temp_folder(b.folder);
        assert_ok(og_store_open_file(b.folder, false, &b.s, err));
    } else {
        assert_ok(og_store_open_memory(&b.s, err));
    }
    if (kind == 2) {
        b.inner = b.s;
        assert_ok(og_store_wrap(b.inner, (og_store_hook){0}, 0, &b.s, err));
    }
    return b;
}

static void close_bench(bench *b)
{
    og_store_close(b->s);
    og_store_close(b->inner);
    if (b->folder[0] != '\0')
        remove_temp_folder(b->folder);
}

static og_bytes bytes_of(const char *text)
{
    return (og_bytes){(const uint8_t *)text, strlen(text)};
}

static void expect(og_store *s, const char *name, const char *text)
{
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(s->ops->get(s, name, &blob, err));
    assert_int_equal(blob->len, strlen(text));
    assert_memory_equal(blob->ptr, text, blob->len);
}

TEST(test_store__put_get_head_and_replace)
{
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        og_store *s = b.s;
        uint64_t size = 0;
        assert_ok(s->ops->put(s, "a/b/c.txt", bytes_of("one"), err));
        expect(s, "a/b/c.txt", "one");
        assert_ok(s->ops->put(s, "a/b/c.txt", bytes_of("three"), err));
        expect(s, "a/b/c.txt", "three");
        assert_ok(s->ops->head(s, "a/b/c.txt", &size, err));
        assert_int_equal(size, 5);
        assert_ok(s->ops->put(s, "empty", (og_bytes){NULL, 0}, err));
        expect(s, "empty", "");
        assert_int_equal(s->stats.puts, 3);
        assert_int_equal(s->stats.gets, 3);
        assert_int_equal(s->stats.bytes_written, 8);
        assert_int_equal(s->stats.bytes_read, 8);
        close_bench(&b);
    }
}

TEST(test_store__absent_objects)
{
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        og_store *s = b.s;
        og_blob *blob = NULL;
        uint64_t size = 77;
        const char *names[] = {"none", "a/none", "a"};
        assert_ok(s->ops->put(s, "a/x", bytes_of("x"), err));
        for (size_t i = 0; i < 3; i++) {
            assert_status(s->ops->get(s, names[i], &blob, NULL), OG_NOT_FOUND);
            assert_status(s->ops->get_range(s, names[i], 0, 1, &blob, NULL), OG_NOT_FOUND);
            assert_status(s->ops->head(s, names[i], &size, NULL), OG_NOT_FOUND);
        }
        assert_status(s->ops->get(s, "a/x/y", &blob, NULL), OG_NOT_FOUND); /* a/x is no folder */
        assert_null(blob);
        assert_int_equal(size, 77);
        assert_ok(s->ops->remove(s, names, 3, err));
        expect(s, "a/x", "x");
        close_bench(&b);
    }
}

TEST(test_store__put_if_absent_never_replaces)
{
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        og_store *s = b.s;
        for (int durable = 0; durable < 2; durable++) {
            const char *name = durable ? "v/2.manifest" : "v/1.manifest";
            assert_ok(s->ops->put_if_absent(s, name, bytes_of("first"), durable, err));
            assert_status(s->ops->put_if_absent(s, name, bytes_of("second"), durable, NULL),
                          OG_EXISTS);
            expect(s, name, "first");
            assert_ok(s->ops->sync(s, &name, 1, err));
            assert_ok(s->ops->remove(s, &name, 1, err));
            assert_ok(s->ops->put_if_absent(s, name, bytes_of("third"), durable, err));
            expect(s, name, "third");
        }
        close_bench(&b);
    }
}

TEST(test_store__ranges)
{
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        og_store *s = b.s;
        size_t size = 300000;
        uint8_t *data = malloc(size);
        for (size_t i = 0; i < size; i++)
            data[i] = (uint8_t)(i * 7 + i / 251);
        assert_ok(s->ops->put(s, "big", (og_bytes){data, size}, err));
        const uint64_t offsets[] = {0, 1, 4095, 4096, 5000, 299999, 300000};
        const size_t lens[] = {0, 1, 100, 65535, 65536, 200000};
        for (size_t i = 0; i < 7; i++) {
            for (size_t j = 0; j < 6; j++) {
                OG_AUTO(og_blob) blob = NULL;
                bool inside = lens[j] <= size - offsets[i];
                og_status status = s->ops->get_range(s, "big", offsets[i], lens[j], &blob, NULL);
                assert_status(status, inside ? OG_OK : OG_CORRUPT);
                if (inside)
                    assert_memory_equal(blob->ptr, data + offsets[i], lens[j]);
            }
        }
        og_blob *none = NULL;
        assert_status(s->ops->get_range(s, "big", UINT64_MAX, 2, &none, NULL), OG_CORRUPT);
        assert_status(s->ops->get_range(s, "big", 1, SIZE_MAX, &none, NULL), OG_CORRUPT);
        assert_null(none);
        OG_AUTO(og_blob) whole = NULL;
        assert_ok(s->ops->get(s, "big", &whole, err));
        assert_memory_equal(whole->ptr, data, size);
        og_blob_unref(og_blob_ref(whole));
        free(data);
        close_bench(&b);
    }
}

TEST(test_store__writers_appear_at_finish)
{
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        og_store *s = b.s;
        OG_AUTO(og_object_writer) w = NULL;
        OG_AUTO(og_object_writer) loser = NULL;
        OG_AUTO(og_object_writer) dropped = NULL;
        og_blob *blob = NULL;
        char *large = malloc(200001);
        memset(large, 'x', 200000);
        large[200000] = '\0';
        assert_ok(s->ops->create(s, "data/f.lance", &w, err));
        assert_ok(s->ops->create(s, "data/f.lance", &loser, err));
        assert_ok(s->ops->create(s, "data/dropped", &dropped, err));
        assert_ok(w->ops->append(w, bytes_of("head "), err));
        assert_ok(w->ops->append(w, bytes_of(""), err));
        assert_ok(w->ops->append(w, bytes_of(large), err));
        assert_ok(w->ops->append(w, bytes_of(" tail"), err));
        assert_int_equal(w->bytes, 200010);
        assert_status(s->ops->get(s, "data/f.lance", &blob, NULL), OG_NOT_FOUND);
        assert_ok(w->ops->finish(w, err));
        assert_ok(s->ops->get(s, "data/f.lance", &blob, err));
        assert_int_equal(blob->len, 200010);
        assert_memory_equal(blob->ptr, "head xxx", 8);
        assert_memory_equal(blob->ptr + 200003, "xx tail", 7);
        og_blob_unref(blob);
        assert_ok(loser->ops->append(loser, bytes_of("other"), err));
        assert_status(loser->ops->finish(loser, NULL), OG_EXISTS);
        assert_ok(dropped->ops->append(dropped, bytes_of(large), err));
        og_object_writer_close(OG_TAKE(dropped));
        og_object_writer_close(OG_TAKE(loser));
        og_listing all = {0};
        assert_ok(s->ops->list(s, "", true, NULL, 0, &all, err));
        assert_int_equal(all.len, 1);
        og_listing_deinit(&all);
        free(large);
        og_object_writer_close(OG_TAKE(w));
        close_bench(&b);
    }
}

static void expect_list(og_store *s, const char *prefix, bool recursive, const char *after,
                        size_t max, const char *want)
{
    char text[512] = "";
    og_listing l = {0};
    assert_ok(s->ops->list(s, prefix, recursive, after, max, &l, err));
    for (size_t i = 0; i < l.len; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%.*s ", OG_FMT(l.items[i].name));
        assert_int_equal(l.items[i].bytes, l.items[i].name.len);
    }
    assert_string_equal(text, want);
    og_listing_deinit(&l);
}

TEST(test_store__listings_are_sorted_by_bytes)
{
    static const char *const names[] = {"b",     "B",        "a/z",      "a/y/2",     "a/y/10",
                                        "a.txt", "a/y.json", "\xc3\xa9", "a/y/deep/1"};
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        og_store *s = b.s;
        for (size_t i = 0; i < 9; i++)
            assert_ok(s->ops->put(s, names[i], bytes_of(names[i]), err));
        expect_list(s, "", false, NULL, 0, "B a.txt b \xc3\xa9 ");
        expect_list(s, "", true, NULL, 0,
                    "B a.txt a/y.json a/y/10 a/y/2 a/y/deep/1 a/z b \xc3\xa9 ");
        expect_list(s, "a/", false, NULL, 0, "a/y.json a/z ");
        expect_list(s, "a/", true, "a/y/10", 2, "a/y/2 a/y/deep/1 ");
        expect_list(s, "a/y/", false, "a/y/", 1, "a/y/10 ");
        expect_list(s, "a/y/", false, "zzz", 0, "");
        expect_list(s, "none/", true, NULL, 0, "");
        expect_list(s, "a.txt/", true, NULL, 0, "");
        close_bench(&b);
    }
}

TEST(test_store__bad_names_are_refused)
{
    char longest[1030], segment[300];
    memset(longest, 'a', sizeof longest);
    for (size_t i = 100; i < 1024; i += 100)
        longest[i] = '/';
    longest[1025] = '\0';
    memset(segment, 'b', sizeof segment);
    segment[256] = '\0';
    const char *bad[] = {"",    "/a",  "a/",     "a//b",           ".",     "..",   "a/../b",
                         "./a", "a/.", "../etc", ".og-tmp.000000", longest, segment};
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        og_store *s = b.s;
        og_blob *blob = NULL;
        og_object_writer *w = NULL;
        uint64_t size;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            assert_status(s->ops->put(s, bad[i], bytes_of("x"), NULL), OG_INVALID);
            assert_status(s->ops->put_if_absent(s, bad[i], bytes_of("x"), true, NULL), OG_INVALID);
            assert_status(s->ops->create(s, bad[i], &w, NULL), OG_INVALID);
            assert_status(s->ops->get(s, bad[i], &blob, NULL), OG_INVALID);
            assert_status(s->ops->get_range(s, bad[i], 0, 0, &blob, NULL), OG_INVALID);
            assert_status(s->ops->head(s, bad[i], &size, NULL), OG_INVALID);
            assert_status(s->ops->remove(s, &bad[i], 1, NULL), OG_INVALID);
            assert_status(s->ops->sync(s, &bad[i], 1, NULL), OG_INVALID);
        }
        og_listing l;
        assert_status(s->ops->list(s, "a", true, NULL, 0, &l, NULL), OG_INVALID);
        assert_status(s->ops->list(s, "../", true, NULL, 0, &l, NULL), OG_INVALID);
        assert_status(s->ops->list(s, "/", true, NULL, 0, &l, NULL), OG_INVALID);
        longest[1024] = '\0'; /* 1024 bytes are allowed */
        assert_ok(s->ops->put(s, longest, bytes_of("x"), err));
        expect(s, longest, "x");
        segment[255] = '\0';
        assert_ok(s->ops->put(s, segment, bytes_of("x"), err));
        assert_ok(s->ops->put_if_absent(s, "..a/b..", bytes_of("x"), true, err));
        longest[1024] = 'a';
        segment[255] = 'b';
        close_bench(&b);
    }
}

/* Each allocation fails in turn: OG_NOMEM, of a sync OG_UNKNOWN, nothing changed, nothing leaked,
 * no temporary file. */
TEST(test_store__survives_failing_allocations)
{
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        og_store *s = b.s;
        const char *name = "deep/folder/new";
        assert_ok(s->ops->put(s, "there", bytes_of("there"), err));
        for (int step = 0; step < 6; step++) {
            og_status status = OG_NOMEM;
            for (int64_t n = 0; status != OG_OK; n++) {
                OG_AUTO(og_blob) blob = NULL;
                OG_AUTO(og_object_writer) w = NULL;
                og_listing l = {0};
                og_alloc_fail_after(n, true);
                if (step == 0)
                    status = s->ops->put_if_absent(s, name, bytes_of("new"), true, NULL);
                else if (step == 1)
                    status = s->ops->put(s, name, bytes_of("newer"), NULL);
                else if (step == 2)
                    status = s->ops->create(s, "w", &w, NULL);
                else if (step == 3)
                    status = s->ops->get(s, "there", &blob, NULL);
                else if (step == 4)
                    status = s->ops->list(s, "", true, NULL, 0, &l, NULL);
                else
                    status = s->ops->sync(s, &name, 1, NULL);
                if (status == OG_OK && step == 2) {
                    status = w->ops->append(w, bytes_of("w"), NULL);
                    if (status == OG_OK)
                        status = w->ops->finish(w, NULL);
                }
                og_alloc_fail_after(-1, false);
                assert_true(status == OG_OK || status == OG_NOMEM || step == 2 ||
                            (step == 5 && status == OG_UNKNOWN));
                og_listing_deinit(&l);
            }
        }
        expect(s, name, "newer");
        expect(s, "w", "w");
        close_bench(&b);
    }
}

/* ---- threads ------------------------------------------------------------------------------ */

typedef struct racer {
    og_store *s;
    int id;
    unsigned won;
} racer;

static void *race(void *context)
{
    racer *r = context;
    for (int slot = 0; slot < 50; slot++) {
        char name[40], text[8];
        snprintf(name, sizeof name, "t%d/slots/%d", slot % 5, slot);
        snprintf(text, sizeof text, "%d", r->id);
        og_status status = r->s->ops->put_if_absent(r->s, name, bytes_of(text), false, NULL);
        if (status == OG_OK)
            r->won++;
        else if (status != OG_EXISTS)
            return NULL;
        const char *names[] = {name};
        if (r->s->ops->sync(r->s, names, 1, NULL) != OG_OK)
            return NULL;
    }
    return context;
}

TEST(test_store__one_of_many_threads_takes_each_slot)
{
    for (int kind = 0; kind < KINDS; kind++) {
        bench b = open_bench(kind);
        pthread_t threads[4];
        racer racers[4];
        unsigned won = 0;
        for (int i = 0; i < 4; i++) {
            racers[i] = (racer){.s = b.s, .id = i};
            pthread_create(&threads[i], NULL, race, &racers[i]);
        }
        for (int i = 0; i < 4; i++) {
            void *done;
            pthread_join(threads[i], &done);
            assert_non_null(done);
            won += racers[i].won;
        }
        assert_int_equal(won, 50);
        close_bench(&b);
    }
}
