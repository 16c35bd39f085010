/* Key directories: every id is found, and no other; built, extended, saved,
 * and mended when damaged. */
#include "og_test.h"

#include "base/id.h"
#include "columnar/builder.h"
#include "lance/table/write.h"
#include "store/memory.h"
#include "topo/saved.h"

#define ROWS 40000 /* their places are several blocks */

typedef struct fixture {
    og_store *store;
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

static void open_fixture(fixture *f)
{
    *f = (fixture){0};
    assert_ok(og_store_open_memory(&f->store, err));
    assert_ok(og_lance_env_new(f->store, 1 << 24, &f->env, err));
    write_rows(f, OG_LANCE_CREATE, 0, ROWS);
}

static void close_fixture(fixture *f)
{
    og_lance_table_unref(f->table);
    og_lance_env_free(f->env);
    og_store_close(f->store);
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

static void flip(og_store *store, size_t from_end)
{
    char name[96];
    snprintf(name, sizeof name, "_omnigraph/directory/%016llx",
             (unsigned long long)og_fnv1a64(OG_STR("t")));
    OG_AUTO(og_blob) old = NULL;
    assert_ok(store->ops->get(store, name, &old, err));
    OG_AUTO_BUF bytes = OG_BUF_INIT;
    assert_true(og_buf_append(&bytes, old->ptr, old->len));
    bytes.ptr[bytes.len - from_end] ^= 4;
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
    flip(f.store, 70000); /* in the last block but one */
    OG_AUTO(og_directory) saved = og_topo__load_directory(f.store, f.table);
    assert_non_null(saved);
    check_all(saved, &f, ROWS);
    assert_non_null(saved->mended);
    close_fixture(&f);
}
