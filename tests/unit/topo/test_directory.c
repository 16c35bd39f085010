/* Key directories: every id is found, and no other; built, extended, saved,
 * and mended when damaged. */
#include "og_test.h"

#include <pthread.h>

#include "base/id.h"
#include "columnar/builder.h"
#include "lance/table/write.h"
#include "store/far.h"
#include "store/memory.h"
#include "store/wrap.h"
#include "topo/saved.h"

#define ROWS 40000 /* their places are several blocks */

typedef struct fixture {
    og_store *memory, *store; /* the store: that memory, or one around it that does not map */
    og_lance_env *env;
    og_lance_table *table;
} fixture;

static og_str id_text(uint32_t i, char dst[16])
{
    return (og_str){dst, (size_t)snprintf(dst, 16, "k%u", i)};
}

/* Rows [start, end) as a new version. */
static void write_rows(fixture *f, og_lance_op op, uint32_t start, uint32_t end)
{
    const og_lance_new_field field = {
        .field = {.name = OG_STR("id"), .type = og_type_of(OG_TYPE_UTF8)}};
    const og_lance_kv epoch = {OG_STR("og.epoch"), OG_STR("e")};
    const og_lance_write_options options = {.op = op,
                                            .path = "t",
                                            .fields = op == OG_LANCE_CREATE ? &field : NULL,
                                            .field_count = op == OG_LANCE_CREATE ? 1 : 0,
                                            .min_max_fragment_id = -1,
                                            .properties = &epoch,
                                            .property_count = 1};
    OG_AUTO(og_lance_write) write = NULL;
    const og_lance_staged *staged;
    assert_ok(og_lance_write_new(f->env, f->table, &options, &write, err));
    for (uint32_t at = start; at < end;) {
        uint32_t stop = end - at > OG_BATCH_ROWS ? at + OG_BATCH_ROWS : end;
        OG_AUTO(og_builder) ids = og_builder_new(field.field.type);
        OG_AUTO_BATCH batch = {0};
        char text[16];
        assert_ok(og_batch_init(&batch, 1, stop - at, err));
        for (; at < stop; at++)
            assert_true(og_builder_str(ids, id_text(at, text)));
        assert_ok(og_builder_finish(ids, &batch.columns[0], err));
        assert_ok(og_lance_write_rows(write, &batch, NULL, err));
    }
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, false, err));
    og_lance_table_unref(f->table);
    assert_ok(og_lance_write_table(write, &f->table, err));
}

static void open_on(fixture *f, bool is_far)
{
    *f = (fixture){0};
    assert_ok(og_store_open_memory(&f->memory, err));
    f->store = f->memory;
    if (is_far)
        assert_ok(og_store_open_far(f->memory, &f->store, err));
    assert_ok(og_lance_env_new(f->store, 1 << 24, &f->env, err));
    write_rows(f, OG_LANCE_CREATE, 0, ROWS);
}

static void open_fixture(fixture *f)
{
    open_on(f, false);
}

static void close_fixture(fixture *f)
{
    og_lance_table_unref(f->table);
    og_lance_env_free(f->env);
    if (f->store != f->memory)
        og_store_close(f->store);
    og_store_close(f->memory);
}

static void build_and_save(fixture *f)
{
    OG_AUTO(og_directory) d = NULL;
    assert_ok(og_directory_build(f->table, &d, err));
    og_topo__save_directory(f->store, d, f->table);
}

static uint32_t find_one(og_directory *d, fixture *f, uint32_t i)
{
    char text[16];
    uint32_t vertex;
    og_str id = id_text(i, text);
    assert_ok(og_directory_find(d, f->table, &id, 1, &vertex, err));
    return vertex;
}

/* Ids below `end` are there, those from it on are not. */
static void check_all(og_directory *d, fixture *f, uint32_t end)
{
    char texts[64][16];
    og_str ids[64];
    uint32_t vertices[64];
    for (uint32_t start = 0; start < end + 640; start += 64) {
        for (uint32_t i = 0; i < 64; i++)
            ids[i] = id_text(start + i, texts[i]);
        assert_ok(og_directory_find(d, f->table, ids, 64, vertices, err));
        for (uint32_t i = 0; i < 64; i++)
            assert_int_equal(vertices[i], start + i < end ? start + i : OG_NO_VERTEX);
    }
}

/* Flip a bit, counted from the end when `at` is negative, and drop the last `cut` bytes. */
static void damage(og_store *store, long at, size_t cut)
{
    char name[96];
    snprintf(name, sizeof name, "_omnigraph/directory/%016llx",
             (unsigned long long)og_fnv1a64(OG_STR("t")));
    OG_AUTO(og_blob) old = NULL;
    assert_ok(store->ops->get(store, name, &old, err));
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    assert_true(og_buf_append(&bytes, old->ptr, old->len));
    if (at != 0)
        bytes.ptr[at > 0 ? (size_t)at : bytes.len - (size_t)-at] ^= 4;
    bytes.len -= cut;
    assert_ok(store->ops->put(store, name, og_buf_bytes(&bytes), err));
}

TEST(test_directory__finds_every_id_and_no_other)
{
    fixture f;
    open_fixture(&f);
    OG_AUTO(og_directory) d = NULL;
    assert_ok(og_directory_build(f.table, &d, err));
    assert_false(og_directory_has_duplicates(d));
    check_all(d, &f, ROWS);
    /* 16 bits of tag and of row id, a sixth of the places empty. */
    assert_true(og_directory_bytes(d) < ROWS * 5);
    close_fixture(&f);
}

TEST(test_directory__rows_added_since)
{
    fixture f;
    open_fixture(&f);
    OG_AUTO(og_directory) d = NULL;
    OG_AUTO(og_directory) more = NULL;
    assert_ok(og_directory_build(f.table, &d, err));
    write_rows(&f, OG_LANCE_APPEND, ROWS, ROWS + 900);
    assert_ok(og_directory_extend(d, f.table, &more, err));
    check_all(more, &f, ROWS + 900);
    assert_true(og_directory_bytes(more) - og_directory_bytes(d) < 900 * 5 + 1024);
    close_fixture(&f);
}

TEST(test_directory__saved_and_read_again)
{
    fixture f;
    open_fixture(&f);
    OG_AUTO(og_directory) d = NULL;
    assert_ok(og_directory_build(f.table, &d, err));
    og_topo__save_directory(f.store, d, f.table);
    OG_AUTO(og_directory) saved = og_topo__load_directory(f.store, f.table);
    assert_non_null(saved);
    assert_int_equal(og_directory_next_row_id(saved), ROWS);
    check_all(saved, &f, ROWS);
    close_fixture(&f);
}

TEST(test_directory__a_damaged_block_is_found_and_made_good)
{
    fixture f;
    open_fixture(&f);
    OG_AUTO(og_directory) d = NULL;
    assert_ok(og_directory_build(f.table, &d, err));
    og_topo__save_directory(f.store, d, f.table);
    damage(f.store, -70000, 0);
    OG_AUTO(og_directory) saved = og_topo__load_directory(f.store, f.table);
    assert_non_null(saved);
    check_all(saved, &f, ROWS);
    assert_non_null(saved->mended);
    close_fixture(&f);
}

/* Levels are not compared when the upper one is made: that is found by who looks for the id. */
TEST(test_directory__an_id_added_twice_is_found_out)
{
    fixture f;
    open_fixture(&f);
    OG_AUTO(og_directory) d = NULL;
    OG_AUTO(og_directory) more = NULL;
    assert_ok(og_directory_build(f.table, &d, err));
    write_rows(&f, OG_LANCE_APPEND, 100, 102);
    assert_ok(og_directory_extend(d, f.table, &more, err));
    assert_int_equal(find_one(more, &f, 99), 99);
    assert_false(og_directory_has_duplicates(more));
    assert_int_equal(find_one(more, &f, 100), ROWS);
    assert_true(og_directory_has_duplicates(more));
    OG_AUTO(og_directory) built = NULL;
    assert_ok(og_directory_build(f.table, &built, err));
    assert_true(og_directory_has_duplicates(built));
    close_fixture(&f);
}

TEST(test_directory__an_id_added_twice_is_found_out_among_many)
{
    fixture f;
    open_fixture(&f);
    char texts[2][16];
    const og_str ids[2] = {id_text(7, texts[0]), id_text(100, texts[1])};
    uint32_t vertices[2];
    OG_AUTO(og_directory) d = NULL;
    OG_AUTO(og_directory) more = NULL;
    assert_ok(og_directory_build(f.table, &d, err));
    write_rows(&f, OG_LANCE_APPEND, 100, 102);
    assert_ok(og_directory_extend(d, f.table, &more, err));
    assert_ok(og_directory_find(more, f.table, ids, 2, vertices, err));
    assert_int_equal(vertices[0], 7);
    assert_int_equal(vertices[1], ROWS);
    assert_true(og_directory_has_duplicates(more));
    close_fixture(&f);
}

/* ---- what was added later ------------------------------------------------------------------ */

/* Save a directory, then what so many more rows add to it. */
static void save_in_two(fixture *f, uint32_t rows)
{
    build_and_save(f);
    OG_AUTO(og_directory) base = og_topo__load_directory(f->store, f->table);
    OG_AUTO(og_directory) more = NULL;
    assert_non_null(base);
    write_rows(f, OG_LANCE_APPEND, ROWS, ROWS + rows);
    assert_ok(og_directory_extend(base, f->table, &more, err));
    assert_ptr_equal(more->root, base);
    og_topo__save_directory(f->store, more, f->table);
}

TEST(test_directory__added_rows_are_saved_beside)
{
    for (int is_far = 0; is_far < 2; is_far++) {
        fixture f;
        open_on(&f, is_far);
        save_in_two(&f, 900);
        OG_AUTO(og_directory) d = og_topo__load_directory(f.store, f.table);
        assert_non_null(d);
        assert_non_null(d->root);
        assert_int_equal(og_directory_next_row_id(d), ROWS + 900);
        check_all(d, &f, ROWS + 900);
        assert_null(d->mended);
        write_rows(&f, OG_LANCE_APPEND, ROWS + 900, ROWS + 910);
        OG_AUTO(og_directory) more = NULL;
        assert_ok(og_directory_extend(d, f.table, &more, err));
        assert_ptr_equal(more->root, d);
        check_all(more, &f, ROWS + 910);
        close_fixture(&f);
    }
}

/* They belong to the directory that they were added to. */
TEST(test_directory__added_rows_of_an_earlier_directory_are_ignored)
{
    fixture f;
    open_fixture(&f);
    save_in_two(&f, 900);
    build_and_save(&f);
    write_rows(&f, OG_LANCE_APPEND, ROWS + 900, ROWS + 910);
    OG_AUTO(og_directory) d = og_topo__load_directory(f.store, f.table);
    assert_non_null(d);
    assert_null(d->root);
    assert_int_equal(og_directory_next_row_id(d), ROWS + 900);
    close_fixture(&f);
}

/* Of rows that a fold has joined to older ones, only the new ones are read. */
TEST(test_directory__rows_among_older_ones)
{
    fixture f;
    open_fixture(&f);
    OG_AUTO(og_directory) d = NULL;
    OG_AUTO(og_directory) more = NULL;
    assert_ok(og_directory_build(f.table, &d, err));
    d->next_row_id -= 20000; /* as if it had not known half of them */
    d->max_fragment_id = -1;
    d->entry_count = 20000 * 8;
    write_rows(&f, OG_LANCE_APPEND, ROWS, ROWS + 10);
    assert_ok(og_directory_extend(d, f.table, &more, err));
    assert_int_equal(more->entry_count, 20010);
    assert_int_equal(find_one(more, &f, ROWS + 9), ROWS + 9);
    close_fixture(&f);
}

/* ---- in a store that does not map objects ------------------------------------------------- */

TEST(test_directory__far_reads_the_blocks_it_needs)
{
    fixture f;
    open_on(&f, true);
    build_and_save(&f);
    uint64_t before = f.memory->stats.bytes_read;
    OG_AUTO(og_directory) d = og_topo__load_directory(f.store, f.table);
    assert_non_null(d);
    assert_true(f.memory->stats.bytes_read - before < 17000);
    before = f.memory->stats.bytes_read;
    assert_int_equal(find_one(d, &f, ROWS), OG_NO_VERTEX);
    assert_true(f.memory->stats.bytes_read - before <= 2 * OG_TOPO__BLOCK_BYTES);
    for (uint32_t i = 0; i < 300; i++)
        assert_int_equal(find_one(d, &f, i * 100), i * 100);
    check_all(d, &f, ROWS);
    assert_null(d->mended);
    close_fixture(&f);
}

TEST(test_directory__far_and_small_is_in_its_head)
{
    fixture f = {0};
    assert_ok(og_store_open_memory(&f.memory, err));
    assert_ok(og_store_open_far(f.memory, &f.store, err));
    assert_ok(og_lance_env_new(f.store, 1 << 24, &f.env, err));
    write_rows(&f, OG_LANCE_CREATE, 0, 10);
    build_and_save(&f);
    OG_AUTO(og_directory) d = og_topo__load_directory(f.store, f.table);
    assert_non_null(d);
    assert_null(d->saved.far);
    check_all(d, &f, 10);
    close_fixture(&f);
}

TEST(test_directory__far_damaged_blocks_are_made_good)
{
    fixture f;
    open_on(&f, true);
    for (int cut = 0; cut < 2; cut++) {
        build_and_save(&f);
        damage(f.store, cut ? 0 : -70000, cut ? 70000 : 0);
        OG_AUTO(og_directory) d = og_topo__load_directory(f.store, f.table);
        assert_non_null(d);
        check_all(d, &f, ROWS);
        assert_non_null(d->mended);
        OG_AUTO(og_directory) one_by_one = og_topo__load_directory(f.store, f.table);
        assert_non_null(one_by_one);
        for (uint32_t i = 0; i < 300; i++)
            assert_int_equal(find_one(one_by_one, &f, i * 100), i * 100);
        assert_non_null(one_by_one->mended);
    }
    close_fixture(&f);
}

TEST(test_directory__far_damaged_sums_are_found_at_once)
{
    fixture f;
    open_on(&f, true);
    build_and_save(&f);
    damage(f.store, 400, 0); /* between the header and 512, where they end */
    assert_null(og_topo__load_directory(f.store, f.table));
    build_and_save(&f);
    damage(f.store, 0, (size_t)180 << 10); /* leaves less than a head */
    assert_null(og_topo__load_directory(f.store, f.table));
    close_fixture(&f);
}

/* Another process has saved a newer one since: its blocks are not those of our sums. */
TEST(test_directory__far_and_replaced_is_read_again)
{
    fixture f;
    open_on(&f, true);
    build_and_save(&f);
    OG_AUTO(og_directory) d = og_topo__load_directory(f.store, f.table);
    assert_non_null(d);
    write_rows(&f, OG_LANCE_APPEND, ROWS, ROWS + 900);
    OG_AUTO(og_directory) more = NULL;
    assert_ok(og_directory_extend(d, f.table, &more, err));
    build_and_save(&f);
    check_all(more, &f, ROWS + 900);
    assert_non_null(more->mended);
    assert_non_null(more->mended->saved.far);
    assert_null(more->mended->mended);
    close_fixture(&f);
}

typedef struct finder {
    pthread_t thread;
    og_directory *d;
    fixture *f;
    uint32_t first;
    bool is_right;
} finder;

static void *find_some(void *context)
{
    finder *x = context;
    x->is_right = true;
    for (uint32_t i = x->first; i < x->first + 2000; i += 7) {
        char text[16];
        uint32_t vertex;
        og_str id = id_text(i, text);
        x->is_right &= og_directory_find(x->d, x->f->table, &id, 1, &vertex, NULL) == OG_OK &&
                       vertex == (i < ROWS ? i : OG_NO_VERTEX);
    }
    return NULL;
}

static void find_together(fixture *f, og_directory *d)
{
    finder finders[4];
    for (uint32_t i = 0; i < 4; i++) {
        finders[i] = (finder){.d = d, .f = f, .first = ROWS - 1800 + 200 * i};
        assert_int_equal(pthread_create(&finders[i].thread, NULL, find_some, &finders[i]), 0);
    }
    for (uint32_t i = 0; i < 4; i++) {
        pthread_join(finders[i].thread, NULL);
        assert_true(finders[i].is_right);
    }
}

TEST(test_directory__far_finds_in_several_threads)
{
    fixture f;
    open_on(&f, true);
    build_and_save(&f);
    OG_AUTO(og_directory) d = og_topo__load_directory(f.store, f.table);
    assert_non_null(d);
    find_together(&f, d);
    assert_null(d->mended);
    damage(f.store, -70000, 0);
    OG_AUTO(og_directory) damaged = og_topo__load_directory(f.store, f.table);
    assert_non_null(damaged);
    find_together(&f, damaged);
    assert_non_null(damaged->mended);
    close_fixture(&f);
}

/* Another thread looks for the same id while the first block travels, and has all blocks first. */
typedef struct other_finder {
    fixture *f;
    og_directory *d; /* NULL: nobody looks */
    uint32_t ranges;
} other_finder;

static og_store_fault find_first(void *context, uint64_t call, const char *op, const char *name)
{
    other_finder *o = context;
    (void)call;
    if (strcmp(op, "get_range") != 0)
        return OG_STORE_PASS;
    __atomic_add_fetch(&o->ranges, 1, __ATOMIC_RELAXED);
    if (!og_str_ends(og_str_of(name), OG_STR(".later")))
        return OG_STORE_PASS;
    og_directory *d = __atomic_exchange_n(&o->d, NULL, __ATOMIC_ACQ_REL);
    if (d != NULL)
        assert_int_equal(find_one(d, o->f, 7), 7);
    return OG_STORE_PASS;
}

TEST(test_directory__far_blocks_that_were_announced_are_taken)
{
    fixture f = {0};
    other_finder other = {.f = &f};
    og_store *watched;
    assert_ok(og_store_open_memory(&f.memory, err));
    assert_ok(og_store_wrap(f.memory, (og_store_hook){find_first, &other}, 0, &watched, err));
    assert_ok(og_store_open_far(watched, &f.store, err));
    assert_ok(og_lance_env_new(f.store, 1 << 24, &f.env, err));
    write_rows(&f, OG_LANCE_CREATE, 0, ROWS);
    save_in_two(&f, 5000);
    OG_AUTO(og_directory) d = og_topo__load_directory(f.store, f.table);
    assert_non_null(d);
    assert_non_null(d->saved.far);
    assert_non_null(d->root->saved.far);
    other.d = d;
    assert_int_equal(find_one(d, &f, 7), 7);
    assert_null(other.d);
    const og_topo__summed *s = &d->root->saved;
    for (uint64_t at = 0; at < s->size; at += OG_TOPO__BLOCK_BYTES) {
        OG_AUTO(og_blob) blob = NULL;
        uint64_t left = s->size - at;
        uint32_t before = other.ranges;
        assert_ok(f.store->ops->get_range(
            f.store, s->far->name, s->far->offset + at,
            (size_t)(left < OG_TOPO__BLOCK_BYTES ? left : OG_TOPO__BLOCK_BYTES), &blob, err));
        assert_int_equal(other.ranges, before + 1); /* no answer was left over */
    }
    close_fixture(&f);
    og_store_close(watched);
}
