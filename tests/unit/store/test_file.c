#include "og_test.h"
#include "store/file.h"
#include "tempdir.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static og_bytes bytes_of(const char *text)
{
    return (og_bytes){(const uint8_t *)text, strlen(text)};
}

typedef struct place {
    char folder[64];
    og_store *s;
} place;

static void open_place(place *p)
{
    make_temp_folder(p->folder);
    assert_ok(og_store_open_file(p->folder, false, &p->s, err));
}

static void close_place(place *p)
{
    og_store_close(p->s);
    remove_temp_folder(p->folder);
}

static void path_in(const place *p, const char *name, char dst[128])
{
    snprintf(dst, 128, "%s/%s", p->folder, name);
}

/* ---- opening ------------------------------------------------------------------------------ */

TEST(test_file__open_paths_and_urls)
{
    char folder[64], text[160], cwd[512];
    og_store *s = NULL;
    og_error error;
    make_temp_folder(folder);
    snprintf(text, sizeof text, "%s/a b/c", folder);
    assert_status(og_store_open_file(text, false, &s, &error), OG_NOT_FOUND);
    assert_non_null(strstr(error.message, text));
    snprintf(text, sizeof text, "file://%s/a%%20b/c", folder);
    assert_ok(og_store_open_file(text, true, &s, err));
    snprintf(text, sizeof text, "%s/a b/c", folder);
    assert_string_equal(s->root, text);
    og_store_close(s);
    snprintf(text, sizeof text, "file://localhost%s/a%%20b/c/", folder);
    assert_ok(og_store_open_file(text, false, &s, err));
    og_store_close(s);

    assert_non_null(getcwd(cwd, sizeof cwd));
    assert_int_equal(chdir(folder), 0);
    assert_ok(og_store_open_file("rel", true, &s, err));
    assert_int_equal(chdir(cwd), 0);
    snprintf(text, sizeof text, "%s/rel", folder);
    assert_string_equal(s->root, text);
    assert_ok(s->ops->put(s, "x", bytes_of("x"), err));
    og_store_close(s);

    const char *bad[] = {"",           "file://", "file://host/x", "file:///a%2", "file:///a%00",
                         "file:///%zz"};
    for (size_t i = 0; i < 6; i++)
        assert_status(og_store_open_file(bad[i], false, &s, NULL), OG_INVALID);
    snprintf(text, sizeof text, "%s/rel/x", folder);
    assert_true(og_store_open_file(text, false, &s, NULL) != OG_OK); /* a file */
    assert_true(og_store_open_file(text, true, &s, NULL) != OG_OK);
    remove_temp_folder(folder);
}

TEST(test_file__open_survives_failing_allocations)
{
    char folder[64];
    make_temp_folder(folder);
    og_store *s = NULL;
    for (int64_t n = 0; s == NULL; n++) {
        og_alloc_fail_after(n, true);
        og_status status = og_store_open_file(folder, true, &s, NULL);
        og_alloc_fail_after(-1, false);
        assert_true(status == OG_OK || status == OG_NOMEM);
    }
    og_store_close(s);
    remove_temp_folder(folder);
}

/* Names may be visible before they are synced, so what came of them is not known
 * when memory is short either. */
TEST(test_file__a_sync_without_memory_has_an_unknown_outcome)
{
    static const char *const names[] = {"a/1", "b/2", "c/3"};
    place p;
    open_place(&p);
    og_status status = OG_UNKNOWN;
    for (int64_t n = 0; status != OG_OK; n++) {
        for (size_t i = 0; i < 3; i++)
            assert_ok(p.s->ops->put(p.s, names[i], bytes_of("abc"), err));
        og_error error = {0};
        og_alloc_fail_after(n, true);
        status = p.s->ops->sync(p.s, names, 3, &error);
        og_alloc_fail_after(-1, false);
        assert_true(status == OG_OK || status == OG_UNKNOWN);
        assert_int_equal(error.status, status);
    }
    close_place(&p);
}

/* Hints are for speed: any range is taken, and the bytes are what they are. */
TEST(test_file__hints_change_nothing)
{
    place p;
    open_place(&p);
    OG_AUTO_BUF big = OG_BUF_INIT;
    for (unsigned i = 0; i < 300000; i++)
        og_buf_byte(&big, (char)(i % 251));
    assert_ok(p.s->ops->put(p.s, "big", og_buf_bytes(&big), err));
    assert_ok(p.s->ops->put(p.s, "small", bytes_of("abc"), err));
    OG_AUTO(og_blob) small = NULL;
    OG_AUTO(og_blob) part = NULL;
    assert_ok(p.s->ops->get(p.s, "small", &small, err));
    assert_false(small->is_mapped);
    assert_ok(p.s->ops->get_range(p.s, "big", 777, 200000, &part, err));
    assert_true(part->is_mapped);
    og_blob *blobs[] = {small, part};
    for (size_t i = 0; i < 2; i++) {
        og_blob_read_at_random(blobs[i]);
        og_blob_prefetch(blobs[i], 0, 0);
        og_blob_prefetch(blobs[i], 0, 1);
        og_blob_prefetch(blobs[i], 100000, UINT64_MAX);
        og_blob_prefetch(blobs[i], UINT64_MAX, UINT64_MAX);
    }
    assert_memory_equal(small->ptr, "abc", 3);
    assert_memory_equal(part->ptr, big.ptr + 777, 200000);
    close_place(&p);
}

/* ---- what else lies in the folder --------------------------------------------------------- */

TEST(test_file__read_ahead_changes_nothing)
{
    place p;
    open_place(&p);
    assert_ok(p.s->ops->put(p.s, "a/b", bytes_of("text"), err));
    og_store_read_ahead(p.s, "a/b");
    og_store_read_ahead(p.s, "a");
    og_store_read_ahead(p.s, "a/missing");
    og_store_read_ahead(p.s, "../outside");
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(p.s->ops->get(p.s, "a/b", &blob, err));
    assert_int_equal(blob->len, 4);
    close_place(&p);
}

TEST(test_file__other_kinds_of_files_are_no_objects)
{
    place p;
    open_place(&p);
    og_store *s = p.s;
    char path[128];
    og_blob *blob = NULL;
    uint64_t size;
    path_in(&p, "fifo", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    path_in(&p, "folder", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_in(&p, ".og-tmp.0123456789abcdef", path);
    close(creat(path, 0600));
    path_in(&p, "dangling", path);
    assert_int_equal(symlink("nowhere", path), 0);
    assert_ok(s->ops->put(s, "real", bytes_of("text"), err));
    path_in(&p, "link", path);
    assert_int_equal(symlink("real", path), 0);
    path_in(&p, "folder/up", path);
    assert_int_equal(symlink("..", path), 0); /* a cycle */

    const char *none[] = {"fifo", "folder", "dangling"};
    for (size_t i = 0; i < 3; i++) {
        assert_status(s->ops->get(s, none[i], &blob, NULL), OG_NOT_FOUND);
        assert_status(s->ops->head(s, none[i], &size, NULL), OG_NOT_FOUND);
    }
    og_listing l = {0};
    assert_ok(s->ops->list(s, "", false, NULL, 0, &l, err));
    assert_int_equal(l.len, 2);
    assert_str_is(l.items[0].name, "link");
    assert_str_is(l.items[1].name, "real");
    assert_true(l.items[1].modified_us > INT64_C(1600000000000000));
    og_listing_deinit(&l);
    og_error error;
    og_status status = s->ops->list(s, "", true, NULL, 0, &l, &error);
    assert_true(status == OG_LIMIT || status == OG_IO); /* the cycle ends, one way or the other */
    const char *folder = "folder";
    assert_ok(s->ops->remove(s, &folder, 1, err)); /* no object of that name: no error */
    assert_true(s->ops->put(s, "folder", bytes_of("x"), NULL) != OG_OK);
    assert_status(s->ops->put_if_absent(s, "folder", bytes_of("x"), false, NULL), OG_EXISTS);
    assert_true(s->ops->put(s, "real/below", bytes_of("x"), &error) != OG_OK);
    close_place(&p);
}

/* ---- failures ----------------------------------------------------------------------------- */

TEST(test_file__read_only_folder_is_denied)
{
    place p;
    open_place(&p);
    og_error denied, error;
    og_object_writer *w = NULL;
    const char *x = "x";
    assert_ok(p.s->ops->put(p.s, x, bytes_of("x"), err));
    chmod(p.folder, 0555);
    /* Root may write everywhere: be nobody meanwhile. */
    uid_t user = geteuid();
    if (user == 0)
        assert_int_equal(seteuid(65534), 0);
    og_status put = p.s->ops->put(p.s, "y", bytes_of("x"), &denied);
    og_status absent = p.s->ops->put_if_absent(p.s, "d/y", bytes_of("x"), true, NULL);
    og_status create = p.s->ops->create(p.s, "y", &w, NULL);
    og_status removed = p.s->ops->remove(p.s, &x, 1, &error);
    if (user == 0)
        assert_int_equal(seteuid(0), 0);
    chmod(p.folder, 0700);

    assert_status(put, OG_DENIED);
    assert_non_null(strstr(denied.message, p.folder));
    assert_status(absent, OG_DENIED);
    assert_status(create, OG_DENIED);
    assert_status(removed, OG_DENIED);
    assert_non_null(strstr(error.message, "/x"));
    close_place(&p);
}

/* Many go side by side. One that can't does not spare the others. */
TEST(test_file__many_are_removed_at_once)
{
    enum { COUNT = 3 * OG_STORE_REMOVE_BESIDE };
    place p;
    open_place(&p);
    char text[COUNT][16];
    const char *names[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(text[i], sizeof text[i], "%s/%d", i % 2 == 0 ? "shut" : "open", i);
        names[i] = text[i];
        if (i != 7) /* no error */
            assert_ok(p.s->ops->put(p.s, names[i], bytes_of("x"), err));
    }
    char shut[128], open[128];
    path_in(&p, "shut", shut);
    path_in(&p, "open", open);
    assert_int_equal(chmod(p.folder, 0755) | chmod(shut, 0555) | chmod(open, 0777), 0);
    uid_t user = geteuid();
    if (user == 0) /* who may write everywhere */
        assert_int_equal(seteuid(65534), 0);
    og_error error;
    og_status removed = p.s->ops->remove(p.s, names, COUNT, &error);
    if (user == 0)
        assert_int_equal(seteuid(0), 0);
    chmod(shut, 0700);
    assert_int_equal(removed, OG_DENIED);
    assert_non_null(strstr(error.message, "shut/0"));
    uint64_t bytes;
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(p.s->ops->head(p.s, names[i], &bytes, NULL),
                         i % 2 == 0 ? OG_OK : OG_NOT_FOUND);
    assert_ok(p.s->ops->remove(p.s, names, COUNT, err));
    assert_int_equal(p.s->ops->head(p.s, names[0], &bytes, NULL), OG_NOT_FOUND);
    close_place(&p);
}

/* A limit on the size of files stands for a full disk: a write stops in its middle. */
TEST(test_file__a_write_that_fails_leaves_nothing)
{
    place p;
    open_place(&p);
    struct rlimit before, small;
    og_error error;
    char *large = malloc(100000);
    memset(large, 'x', 100000);
    og_bytes bytes = {(const uint8_t *)large, 100000};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = (struct rlimit){.rlim_cur = 50000, .rlim_max = before.rlim_max};

    OG_AUTO(og_object_writer) w = NULL;
    assert_ok(p.s->ops->create(p.s, "w", &w, err));
    assert_ok(p.s->ops->put(p.s, "old", bytes_of("old"), err));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    og_status put = p.s->ops->put(p.s, "old", bytes, &error);
    og_status absent = p.s->ops->put_if_absent(p.s, "new", bytes, true, NULL);
    og_status append = w->ops->append(w, bytes, NULL);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);

    assert_status(put, OG_LIMIT);
    assert_non_null(strstr(error.message, p.folder));
    assert_non_null(strstr(error.message, "/old"));
    assert_status(absent, OG_LIMIT);
    assert_status(append, OG_LIMIT);
    assert_status(w->ops->append(w, bytes_of("x"), NULL), OG_IO);
    assert_status(w->ops->finish(w, NULL), OG_IO);
    og_object_writer_close(OG_TAKE(w));
    assert_int_equal(count_files(p.folder), 1);
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(p.s->ops->get(p.s, "old", &blob, err));
    assert_int_equal(blob->len, 3);
    free(large);
    close_place(&p);
}

TEST(test_file__no_temporary_files_stay)
{
    place p;
    open_place(&p);
    og_store *s = p.s;
    assert_ok(s->ops->put(s, "a/x", bytes_of("1"), err));
    assert_ok(s->ops->put(s, "a/x", bytes_of("2"), err));
    assert_status(s->ops->put_if_absent(s, "a/x", bytes_of("3"), true, NULL), OG_EXISTS);
    assert_ok(s->ops->put_if_absent(s, "a/y", bytes_of("3"), true, err));
    assert_int_equal(count_files(p.folder), 2);
    close_place(&p);
}

static void expect_content(const place *p, const char *name, const char *want)
{
    OG_AUTO(og_blob) got = NULL;
    assert_ok(p->s->ops->get(p->s, name, &got, err));
    assert_int_equal(got->len, strlen(want));
    assert_memory_equal(got->ptr, want, got->len);
}

static ino_t inode_of(const place *p, const char *name)
{
    char path[128];
    struct stat st;
    path_in(p, name, path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

TEST(test_file__removes_what_is_still_the_same)
{
    place p;
    open_place(&p);
    assert_status(og_store_remove_same(p.s, "a/b", bytes_of("old"), NULL), OG_NOT_FOUND);
    assert_ok(p.s->ops->put(p.s, "a/b", bytes_of("new"), err));
    assert_status(og_store_remove_same(p.s, "a/b", bytes_of("old"), NULL), OG_EXISTS);
    expect_content(&p, "a/b", "new");
    assert_ok(og_store_remove_same(p.s, "a/b", bytes_of("new"), err));
    assert_int_equal(count_files(p.folder), 0);
    assert_ok(p.s->ops->put(p.s, "top", bytes_of("t"), err));
    assert_ok(og_store_remove_same(p.s, "top", bytes_of("t"), err));
    close_place(&p);
}

/* What changes in place stays the same file, unless that would become
 * shorter or has another name. */
TEST(test_file__a_summed_object_changes_in_place)
{
    place p;
    char from[128], to[128];
    open_place(&p);
    og_store *s = p.s;
    assert_ok(og_store_put_summed(s, "a/head", bytes_of("one"), err));
    ino_t first = inode_of(&p, "a/head");
    assert_ok(og_store_put_summed(s, "a/head", bytes_of("two22"), err));
    expect_content(&p, "a/head", "two22");
    assert_int_equal(inode_of(&p, "a/head"), first);

    assert_ok(og_store_put_summed(s, "a/head", bytes_of("3"), err));
    expect_content(&p, "a/head", "3");
    path_in(&p, "a/head", from);
    path_in(&p, "a/copy", to);
    assert_int_equal(link(from, to), 0);
    assert_ok(og_store_put_summed(s, "a/head", bytes_of("4"), err));
    expect_content(&p, "a/head", "4");
    expect_content(&p, "a/copy", "3");

    assert_int_equal(unlink(to), 0);
    assert_int_equal(symlink(from, to), 0);
    assert_ok(og_store_put_summed(s, "a/copy", bytes_of("5"), err));
    expect_content(&p, "a/head", "4");
    expect_content(&p, "a/copy", "5");
    assert_int_equal(count_files(p.folder), 2);
    assert_status(og_store_put_summed(s, "../x", bytes_of("6"), NULL), OG_INVALID);
    close_place(&p);
}

/* ---- sync --------------------------------------------------------------------------------- */

typedef struct trace {
    char text[512];
    char fail_kind;
} trace;

static int note_sync(void *context, char kind, const char *name)
{
    trace *t = context;
    size_t len = strlen(t->text);
    snprintf(t->text + len, sizeof t->text - len, "%c:%s ", kind, name);
    return kind == t->fail_kind ? EIO : 0;
}

static void expect_sync(place *p, trace *t, const char *const *names, size_t count,
                        const char *want)
{
    t->text[0] = '\0';
    assert_ok(p->s->ops->sync(p->s, names, count, err));
    assert_string_equal(t->text, want);
}

TEST(test_file__sync_covers_files_folders_and_new_parents_once)
{
    place p;
    trace t = {""};
    open_place(&p);
    og_store *s = p.s;
    og_store_file_probe_syncs(s, note_sync, &t);
    const char *const names[] = {"n/t/data/1", "n/t/data/2", "n/t/data/1", "top"};
    for (size_t i = 0; i < 4; i++)
        assert_ok(s->ops->put(s, names[i], bytes_of("x"), err));
    assert_string_equal(t.text, "");
    expect_sync(&p, &t, names, 4, "f:n/t/data/1 f:n/t/data/2 f:top d:n/t/data d:n/t d:n d: ");
    expect_sync(&p, &t, names, 2, "f:n/t/data/1 f:n/t/data/2 d:n/t/data "); /* no new folders */
    const char *const other[] = {"n/u/1"};
    assert_ok(s->ops->put(s, other[0], bytes_of("x"), err));
    expect_sync(&p, &t, other, 1, "f:n/u/1 d:n/u d:n ");
    expect_sync(&p, &t, NULL, 0, "");
    close_place(&p);
}

TEST(test_file__durable_content_is_synced_once)
{
    place p;
    trace t = {""};
    open_place(&p);
    og_store *s = p.s;
    og_store_file_probe_syncs(s, note_sync, &t);
    const char *const slot[] = {"1.manifest"};
    assert_ok(s->ops->put_if_absent(s, slot[0], bytes_of("x"), true, err));
    assert_string_equal(t.text, "f:1.manifest "); /* before the name appears */
    expect_sync(&p, &t, slot, 1, "d: ");
    expect_sync(&p, &t, slot, 1, "f:1.manifest d: ");

    const char *const soft[] = {"2.txn"};
    t.text[0] = '\0';
    assert_ok(s->ops->put_if_absent(s, soft[0], bytes_of("x"), false, err));
    assert_string_equal(t.text, "");
    expect_sync(&p, &t, soft, 1, "f:2.txn d: ");

    /* Replaced, or removed and made again, the content is another. */
    const char *const again[] = {"3.manifest"};
    assert_ok(s->ops->put_if_absent(s, again[0], bytes_of("x"), true, err));
    assert_ok(s->ops->put(s, again[0], bytes_of("y"), err));
    expect_sync(&p, &t, again, 1, "f:3.manifest d: ");
    assert_ok(s->ops->remove(s, again, 1, err));
    assert_ok(s->ops->put_if_absent(s, again[0], bytes_of("x"), true, err));
    assert_ok(s->ops->remove(s, again, 1, err));
    assert_ok(s->ops->put_if_absent(s, again[0], bytes_of("z"), false, err));
    expect_sync(&p, &t, again, 1, "f:3.manifest d: ");
    close_place(&p);
}

TEST(test_file__many_durable_puts_are_forgotten_safely)
{
    place p;
    trace t = {""};
    open_place(&p);
    og_store_file_probe_syncs(p.s, note_sync, &t);
    char names[200][16];
    for (int i = 0; i < 200; i++) {
        snprintf(names[i], sizeof names[i], "s/%d", i);
        assert_ok(p.s->ops->put_if_absent(p.s, names[i], bytes_of("x"), true, err));
    }
    const char *const oldest[] = {names[0]}, *const newest[] = {names[199]};
    expect_sync(&p, &t, oldest, 1, "f:s/0 d:s d: ");
    expect_sync(&p, &t, newest, 1, "d:s ");
    close_place(&p);
}

TEST(test_file__many_files_are_synced_as_a_file_system)
{
    place p;
    trace t = {""};
    open_place(&p);
    og_store_file_probe_syncs(p.s, note_sync, &t);
    char text[40][16];
    const char *names[40];
    for (int i = 0; i < 40; i++) {
        snprintf(text[i], sizeof text[i], "d%d/x", i);
        names[i] = text[i];
        assert_ok(p.s->ops->put(p.s, names[i], bytes_of("x"), err));
    }
    expect_sync(&p, &t, names, 39, "s: ");
    expect_sync(&p, &t, names, 1, "f:d0/x d:d0 "); /* its folder is no longer new */
    expect_sync(&p, &t, names + 39, 1, "f:d39/x d:d39 d: ");
    assert_ok(p.s->ops->remove(p.s, names + 3, 1, err));
    assert_status(p.s->ops->sync(p.s, names, 39, NULL), OG_UNKNOWN);
    close_place(&p);
}

/* By several threads: each of them, whoever fails. */
TEST(test_file__files_are_synced_side_by_side)
{
    place p;
    open_place(&p);
    char text[20][16];
    const char *names[20];
    for (int i = 0; i < 20; i++) {
        snprintf(text[i], sizeof text[i], "d%d/%d", i / 3, i);
        names[i] = text[i];
        assert_ok(p.s->ops->put(p.s, names[i], bytes_of("x"), err));
    }
    assert_ok(p.s->ops->sync(p.s, names, 20, err));
    char gone[128];
    path_in(&p, names[6], gone);
    assert_int_equal(unlink(gone), 0);
    assert_status(p.s->ops->sync(p.s, names, 20, NULL), OG_UNKNOWN);
    assert_ok(p.s->ops->sync(p.s, names + 9, 11, err));
    close_place(&p);
}

/* The content of a slot goes to disk with other files; taking the slot then syncs no file. */
TEST(test_file__announced_content_is_synced_beforehand)
{
    place p;
    trace t = {""};
    open_place(&p);
    og_store_file_probe_syncs(p.s, note_sync, &t);
    const char *const names[] = {"d/x", "v/slot"}, *const slot[] = {"v/slot"};
    og_blob *blob;
    assert_ok(p.s->ops->put(p.s, "d/x", bytes_of("x"), err));
    assert_true(p.s->ops->announce(p.s, "v/slot", bytes_of("one")));
    expect_sync(&p, &t, names, 2, "f:d/x f:v/slot d:d d: ");
    assert_status(p.s->ops->head(p.s, "v/slot", &(uint64_t){0}, NULL), OG_NOT_FOUND);
    assert_ok(p.s->ops->put_if_absent(p.s, "v/slot", bytes_of("one"), true, err));
    expect_sync(&p, &t, slot, 1, "d:v d: ");
    assert_ok(p.s->ops->get(p.s, "v/slot", &blob, err));
    assert_int_equal(blob->len, 3);
    og_blob_unref(blob);
    assert_int_equal(count_files(p.folder), 2);
    close_place(&p);
}

TEST(test_file__announced_content_must_be_the_same)
{
    place p;
    trace t = {""};
    open_place(&p);
    og_store_file_probe_syncs(p.s, note_sync, &t);
    const char *const slot[] = {"slot"};
    og_blob *blob;
    /* Another content, written and synced as if nothing had been said. */
    assert_true(p.s->ops->announce(p.s, "slot", bytes_of("one")));
    assert_ok(p.s->ops->sync(p.s, slot, 1, err));
    assert_ok(p.s->ops->put_if_absent(p.s, "slot", bytes_of("two"), true, err));
    assert_ok(p.s->ops->get(p.s, "slot", &blob, err));
    assert_memory_equal(blob->ptr, "two", 3);
    og_blob_unref(blob);
    expect_sync(&p, &t, slot, 1, "d: ");
    /* Taken by another meanwhile; announced twice; not followed by anything. */
    assert_true(p.s->ops->announce(p.s, "slot", bytes_of("one")));
    assert_status(p.s->ops->put_if_absent(p.s, "slot", bytes_of("one"), true, NULL), OG_EXISTS);
    assert_true(p.s->ops->announce(p.s, "other", bytes_of("one")));
    assert_true(p.s->ops->announce(p.s, "other", bytes_of("two")));
    assert_int_equal(count_files(p.folder), 2);
    assert_false(p.s->ops->announce(p.s, "other", (og_bytes){NULL, 0}));
    assert_int_equal(count_files(p.folder), 1);
    assert_true(p.s->ops->announce(p.s, "last", bytes_of("one")));
    /* A failed sync: its content is not trusted. */
    const char *const last[] = {"last"};
    t.fail_kind = 'f';
    assert_status(p.s->ops->sync(p.s, last, 1, NULL), OG_UNKNOWN);
    t.fail_kind = 0;
    assert_ok(p.s->ops->put_if_absent(p.s, "last", bytes_of("one"), true, err));
    assert_int_equal(count_files(p.folder), 2);
    assert_true(p.s->ops->announce(p.s, "end", bytes_of("one")));
    close_place(&p); /* leaves nothing of it */
}

TEST(test_file__a_failed_sync_is_unknown_and_names_the_object)
{
    place p;
    trace t = {""};
    open_place(&p);
    og_store_file_probe_syncs(p.s, note_sync, &t);
    const char *const names[] = {"d/x"};
    char text[40][16];
    const char *many[40];
    for (int i = 0; i < 40; i++) {
        snprintf(text[i], sizeof text[i], "d/%d", i);
        many[i] = text[i];
        assert_ok(p.s->ops->put(p.s, many[i], bytes_of("x"), err));
    }
    og_error error;
    assert_ok(p.s->ops->put(p.s, names[0], bytes_of("x"), err));
    static const char kinds[] = {'f', 'd', 's'};
    for (size_t i = 0; i < 3; i++) {
        t.fail_kind = kinds[i];
        bool all = kinds[i] == 's';
        assert_status(p.s->ops->sync(p.s, all ? many : names, all ? 40 : 1, &error), OG_UNKNOWN);
        assert_int_equal(error.status, OG_UNKNOWN);
        assert_non_null(strstr(error.message, p.folder));
    }
    /* Before the name appears nothing is unknown yet. */
    t.fail_kind = 'f';
    assert_status(p.s->ops->put_if_absent(p.s, "slot", bytes_of("x"), true, NULL), OG_IO);
    assert_int_equal(count_files(p.folder), 41);
    const char *const none[] = {"none"};
    assert_status(p.s->ops->sync(p.s, none, 1, NULL), OG_UNKNOWN);
    close_place(&p);
}
