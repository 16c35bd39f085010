/* Tables on a store in memory: every operation, what it costs, and what stays when it fails. */
#include "lance/table/table.h"

#include "columnar/kernels.h"
#include "lance/table/table_priv.h"
#include "lance/table/write.h"
#include "lance_text.h"
#include "og_test.h"
#include "store/memory.h"
#include "store/wrap.h"
#include "table_text.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct bench {
    og_store *inner, *store;
    og_lance_env *env;
} bench;

static bench open_bench(og_store_hook hook)
{
    bench b = {0};
    assert_ok(og_store_open_memory(&b.inner, err));
    assert_ok(og_store_wrap(b.inner, hook, 0, &b.store, err));
    assert_ok(og_lance_env_new(b.store, 64 << 20, &b.env, err));
    return b;
}

static void close_bench(bench *b)
{
    og_lance_env_free(b->env);
    og_store_close(b->store);
    og_store_close(b->inner);
}
#define AUTO_BENCH __attribute__((cleanup(close_bench))) bench

/* ---- writing in one line ------------------------------------------------------------------ */

typedef struct change {
    og_lance_op op;
    const char *rows;     /* JSON */
    const uint64_t *keep; /* ids of the first rows */
    size_t keep_count;
    const uint64_t *drop; /* ids to delete */
    size_t drop_count;
    og_lance_table *restore;
    bool fold, one_run;
    const og_lance_kv *config;
    uint32_t config_count;
    const og_lance_kv *properties;
    uint32_t property_count;
} change;

static og_status fill(og_lance_write *w, og_lance_table *base, const change *c, og_arena *arena,
                      og_error *err)
{
    uint32_t slots[64];
    if (c->keep_count != 0) {
        OG_TRY(og_lance_slots_of(base, c->keep, c->keep_count, slots, err));
        OG_TRY(og_lance_write_delete(w, slots, c->keep_count, err));
    }
    if (c->drop_count != 0) {
        OG_TRY(og_lance_slots_of(base, c->drop, c->drop_count, slots, err));
        OG_TRY(og_lance_write_delete(w, slots, c->drop_count, err));
    }
    if (c->rows == NULL)
        return OG_OK;
    og_json rows;
    OG_TRY(og_json_parse(arena, og_str_of(c->rows), &rows, err));
    const og_lance_field fields[] = {{.field = {OG_STR("id"), og_type_of(OG_TYPE_UTF8), false}},
                                     {.field = {OG_STR("n"), og_type_of(OG_TYPE_I64), true}}};
    OG_AUTO_BATCH batch = {0};
    if (!table_text_batch(fields, 2, &rows, &batch))
        return og_error_nomem(err);
    uint64_t ids[64];
    for (uint32_t i = 0; i < rows.count && i < 64; i++)
        ids[i] = i < c->keep_count ? c->keep[i] : UINT64_MAX;
    return og_lance_write_rows(w, &batch, c->keep_count != 0 ? ids : NULL, err);
}

static og_status new_write(og_lance_env *env, og_lance_table *base, const change *c,
                           og_lance_write **out, og_error *err)
{
    const og_lance_new_field fields[] = {
        {.field = {OG_STR("id"), og_type_of(OG_TYPE_UTF8), false}, .is_primary_key = true},
        {.field = {OG_STR("n"), og_type_of(OG_TYPE_I64), true}}};
    og_lance_write_options o = {.op = c->op,
                                .path = "t",
                                .restore_from = c->restore,
                                .min_max_fragment_id = -1,
                                .fold = c->fold,
                                .fold_one_run = c->one_run,
                                .config = c->config,
                                .config_count = c->config_count,
                                .properties = c->properties,
                                .property_count = c->property_count,
                                .now_us = 1700000000123456};
    if (c->op == OG_LANCE_CREATE) {
        o.fields = fields;
        o.field_count = 2;
    }
    return og_lance_write_new(env, base, &o, out, err);
}

/* The whole of a commit; *out the new version. */
static og_status commit(og_lance_env *env, og_lance_table *base, change c, og_lance_table **out,
                        og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO(og_lance_write) w = NULL;
    const og_lance_staged *staged;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(new_write(env, base, &c, &w, err));
    OG_TRY(fill(w, base, &c, arena, err));
    OG_TRY(og_lance_write_stage(w, &staged, err));
    OG_TRY(og_lance_staged_commit(w, true, err));
    return og_lance_write_table(w, out, err);
}

static og_lance_table *must_commit(og_lance_env *env, og_lance_table *base, change c)
{
    og_lance_table *table = NULL;
    assert_ok(commit(env, base, c, &table, err));
    og_lance_table_unref(base);
    return table;
}

/* "a:1@7 b:null@8" - key, value and row id of the live rows in order. */
static const char *text_of(og_lance_table *table)
{
    static char text[65536];
    size_t len = 0;
    text[0] = '\0';
    const uint32_t fields[] = {0, 1};
    OG_AUTO(og_lance_scan) scan = NULL;
    assert_ok(og_lance_scan_open(table, fields, 2, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        assert_ok(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return text;
        for (int64_t i = 0; i < batch.row_count; i++) {
            uint64_t id;
            assert_ok(og_lance_row_ids(table, &slots[i], 1, &id, err));
            og_str key = og_array_str(batch.columns[0], i);
            char n[32] = "null";
            if (!og_array_is_null(batch.columns[1], i))
                snprintf(n, sizeof n, "%lld", (long long)og_array_i64(batch.columns[1], i));
            len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s:%s@%llu", len ? " " : "",
                                    OG_FMT(key), n, (unsigned long long)id);
        }
    }
}

#define TWO_ROWS "[{\"id\":\"a\",\"n\":1},{\"id\":\"b\"}]"

static og_lance_table *make_table(og_lance_env *env)
{
    return must_commit(env, NULL, (change){.op = OG_LANCE_CREATE, .rows = TWO_ROWS});
}

static void expect_versions(og_lance_table *table, uint32_t slot, uint64_t updated,
                            uint64_t created)
{
    uint64_t u, c;
    assert_ok(og_lance_row_versions(table, &slot, 1, &u, &c, err));
    assert_int_equal(u, updated);
    assert_int_equal(c, created);
}

/* ---- operations --------------------------------------------------------------------------- */

TEST(test_table__every_operation)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    assert_string_equal(text_of(t), "a:1@0 b:null@1");
    assert_int_equal(og_lance_table_timestamp_us(t), 1700000000123456);
    t = must_commit(b.env, t, (change){.op = OG_LANCE_APPEND, .rows = "[{\"id\":\"c\",\"n\":3}]"});
    OG_AUTO(og_lance_table) second = og_lance_table_ref(t);

    const uint64_t keep[] = {0}, drop[] = {2};
    t = must_commit(b.env, t,
                    (change){.op = OG_LANCE_UPDATE,
                             .keep = keep,
                             .keep_count = 1,
                             .drop = drop,
                             .drop_count = 1,
                             .rows = "[{\"id\":\"a\",\"n\":10},{\"id\":\"d\",\"n\":4}]"});
    assert_string_equal(text_of(t), "b:null@1 a:10@0 d:4@3");
    expect_versions(t, 2, 3, 1); /* a: updated now, created at first */
    expect_versions(t, 3, 3, 3);
    uint32_t count;
    assert_int_equal(og_lance_table_fragments(t, &count)[0].deleted_rows, 1);
    assert_int_equal(count, 2); /* the fragment of c went as a whole */

    const uint64_t last[] = {1};
    t = must_commit(b.env, t, (change){.op = OG_LANCE_DELETE, .drop = last, .drop_count = 1});
    assert_string_equal(text_of(t), "a:10@0 d:4@3");
    t = must_commit(b.env, t, (change){.op = OG_LANCE_RESTORE, .restore = second});
    assert_string_equal(text_of(t), "a:1@0 b:null@1 c:3@2");
    assert_int_equal(og_lance_table_next_row_id(t), 4); /* never back */
    assert_int_equal(og_lance_table_max_fragment_id(t), 2);
    t = must_commit(b.env, t, (change){.op = OG_LANCE_OVERWRITE, .rows = "[{\"id\":\"z\"}]"});
    assert_string_equal(text_of(t), "z:null@4");
    assert_int_equal(og_lance_table_fragments(t, &count)[0].id, 3);
    assert_int_equal(og_lance_table_version(t), 6);

    OG_AUTO(og_lance_table) again = NULL; /* as stored, not as kept in memory */
    assert_ok(og_lance_table_open(b.env, "t", 0, 0, &again, err));
    assert_string_equal(text_of(again), "z:null@4");
    assert_true(og_lance_table_fields(again, &count)[0].is_primary_key);
}

TEST(test_table__config_and_properties)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    const og_lance_kv first[] = {{OG_STR("lance.auto_cleanup.interval"), OG_STR("20")},
                                 {OG_STR("mine"), OG_STR("x")}};
    OG_AUTO(og_lance_table)
    t = must_commit(b.env, NULL,
                    (change){.op = OG_LANCE_CREATE, .config = first, .config_count = 2});
    assert_null(og_lance_table_config(t, first[0].key).ptr);
    assert_str_is(og_lance_table_config(t, OG_STR("mine")), "x");
    const og_lance_kv second[] = {{OG_STR("mine"), {NULL, 0}}, {OG_STR("other"), OG_STR("y")}};
    t = must_commit(b.env, t,
                    (change){.op = OG_LANCE_CONFIG,
                             .config = second,
                             .config_count = 2,
                             .properties = first,
                             .property_count = 2});
    assert_null(og_lance_table_config(t, OG_STR("mine")).ptr);
    assert_str_is(og_lance_table_config(t, OG_STR("other")), "y");
    assert_str_is(og_lance_table_transaction_property(t, OG_STR("mine")), "x");
    assert_int_equal(og_lance_table_transaction_uuid(t).len, 36);
    assert_int_equal(og_lance_table_row_count(t), 0);
    assert_int_equal(og_lance_table_max_fragment_id(t), -1);
}

TEST(test_table__kept_ids_are_checked)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    OG_AUTO(og_lance_table) none = NULL;
    const uint64_t unknown[] = {77}, one[] = {0, 0};
    og_error error;
    change c = {.op = OG_LANCE_UPDATE, .rows = TWO_ROWS, .keep = unknown, .keep_count = 1};
    assert_status(commit(b.env, t, c, &none, &error), OG_INVALID);
    c.keep = one;
    c.keep_count = 2;
    assert_status(commit(b.env, t, c, &none, &error), OG_INVALID);
    assert_non_null(strstr(error.message, "written twice"));
}

TEST(test_table__a_slot_is_taken_once)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    OG_AUTO(og_lance_write) one = NULL;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_staged *staged;
    change c = {.op = OG_LANCE_APPEND, .rows = "[{\"id\":\"x\"}]"};
    assert_ok(new_write(b.env, t, &c, &one, err));
    assert_ok(fill(one, t, &c, arena, err));
    assert_ok(og_lance_write_stage(one, &staged, err));
    OG_AUTO(og_lance_table) winner = NULL;
    assert_ok(commit(b.env, t, (change){.op = OG_LANCE_APPEND, .rows = "[{\"id\":\"y\"}]"}, &winner,
                     err));
    char *name = strdup(staged->file_names[0]);
    assert_status(og_lance_staged_commit(one, true, NULL), OG_EXISTS);
    uint64_t bytes;
    assert_ok(b.store->ops->head(b.store, name, &bytes, err));
    og_lance_write_free(OG_TAKE(one));
    assert_status(b.store->ops->head(b.store, name, &bytes, NULL), OG_NOT_FOUND);
    free(name);
    assert_string_equal(text_of(winner), "a:1@0 b:null@1 y:null@2");
}

/* ---- reading ------------------------------------------------------------------------------ */

TEST(test_table__takes_in_any_order)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    for (int i = 0; i < 5; i++)
        t = must_commit(b.env, t, (change){.op = OG_LANCE_APPEND, .rows = TWO_ROWS});
    const uint32_t field[] = {1}, slots[] = {11, 0, 4, 4, 1, 10};
    for (int round = 0; round < 4; round++) {
        OG_AUTO_BATCH batch = {0};
        assert_ok(og_lance_take(t, field, 1, slots, 6, &batch, err));
        assert_int_equal(batch.row_count, 6);
        const bool null[] = {true, false, false, false, true, false};
        for (int i = 0; i < 6; i++)
            assert_int_equal(og_array_is_null(batch.columns[0], i), null[i]);
    }
    const uint32_t beyond[] = {12};
    OG_AUTO_BATCH none = {0};
    assert_status(og_lance_take(t, field, 1, beyond, 1, &none, NULL), OG_INVALID);
    assert_ok(og_lance_take(t, field, 1, NULL, 0, &none, err));
    assert_int_equal(none.row_count, 0);
}

TEST(test_table__costs)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    b.store->stats = (og_store_stats){0};
    OG_AUTO(og_lance_table) again = NULL;
    assert_ok(og_lance_table_open(b.env, "t", 1, og_lance_table_manifest_bytes(t), &again, err));
    assert_int_equal(b.store->stats.gets, 1);
    assert_int_equal(b.store->stats.heads + b.store->stats.lists, 0);
    assert_status(og_lance_table_open(b.env, "t", 1, 17, &(og_lance_table *){NULL}, NULL),
                  OG_CORRUPT);
    assert_status(og_lance_table_open(b.env, "t", 9, 0, &(og_lance_table *){NULL}, NULL),
                  OG_NOT_FOUND);

    /* Read again and again, a column comes from memory. */
    const uint32_t fields[] = {0, 1}, slot[] = {1};
    uint64_t bytes = 0;
    for (int i = 0; i < 20; i++) {
        OG_AUTO_BATCH batch = {0};
        assert_ok(og_lance_take(again, fields, 2, slot, 1, &batch, err));
        if (i == 9)
            bytes = b.store->stats.bytes_read;
    }
    assert_int_equal(b.store->stats.bytes_read, bytes);
}

TEST(test_table__latest_version_by_any_hint)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    uint64_t version;
    assert_status(og_lance_latest_version(b.env, "t", 0, &version, NULL), OG_NOT_FOUND);
    OG_AUTO(og_lance_table) t = make_table(b.env);
    for (int i = 0; i < 20; i++)
        t = must_commit(b.env, t, (change){.op = OG_LANCE_APPEND});
    const og_bytes junk = {(const uint8_t *)"x", 1};
    assert_ok(b.store->ops->put(b.store, "t/_versions/d8446744073709551500.manifest", junk, err));
    assert_ok(b.store->ops->put(b.store, "t/_versions/18446744073709551500.manifest#1", junk, err));
    for (int cheap = 0; cheap < 2; cheap++) {
        b.store->list_is_cheap = cheap != 0;
        for (uint64_t hint = 0; hint < 25; hint++) {
            assert_ok(og_lance_latest_version(b.env, "t", hint, &version, err));
            assert_int_equal(version, 21);
        }
    }
}

static void remove_version(bench *b, uint64_t version)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    assert_true(og_lance_manifest_name(&name, "t", version));
    const char *names[] = {og_buf_cstr(&name)};
    assert_ok(b->store->ops->remove(b->store, names, 1, err));
}

/* Holes that another program's cleanup leaves around tagged versions;
 * a file of later writers that names the newest version is not believed. */
TEST(test_table__latest_version_above_holes)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    for (int i = 0; i < 30; i++)
        t = must_commit(b.env, t, (change){.op = OG_LANCE_APPEND});
    for (uint64_t version = 1; version < 29; version++)
        if (version != 5 && version != 12 && version != 13)
            remove_version(&b, version);
    const char *const notes[] = {"t/_refs/tags/a.json", "t/_versions/latest_version_hint.json"};
    const char *text = "{\"branch\":null,\"version\":5,\"manifestSize\":9}";
    for (size_t i = 0; i < sizeof notes / sizeof *notes; i++)
        assert_ok(b.store->ops->put(b.store, notes[i],
                                    (og_bytes){(const uint8_t *)text, strlen(text)}, err));
    for (int cheap = 0; cheap < 2; cheap++) {
        b.store->list_is_cheap = cheap != 0;
        for (uint64_t hint = 0; hint < 35; hint++) {
            uint64_t version;
            assert_ok(og_lance_latest_version(b.env, "t", hint, &version, err));
            assert_int_equal(version, 31);
        }
    }
}

/* ---- folding ------------------------------------------------------------------------------ */

TEST(test_table__folding_keeps_rows_ids_and_order)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    char want[65536];
    size_t len = (size_t)snprintf(want, sizeof want, "a:1@0 b:null@1");
    uint32_t most = 0;
    for (int i = 2; i < 300; i++) {
        char row[64];
        snprintf(row, sizeof row, "[{\"id\":\"k%d\",\"n\":%d}]", i, i);
        t = must_commit(b.env, t, (change){.op = OG_LANCE_APPEND, .rows = row, .fold = true});
        len += (size_t)snprintf(want + len, sizeof want - len, " k%d:%d@%d", i, i, i);
        uint32_t count;
        og_lance_table_fragments(t, &count);
        most = count > most ? count : most;
    }
    assert_true(most <= 24);
    assert_string_equal(text_of(t), want);
    for (uint32_t slot = 2; slot < 300; slot++) {
        uint64_t updated, created;
        assert_ok(og_lance_row_versions(t, &slot, 1, &updated, &created, err));
        assert_int_equal(updated, slot); /* slot 2 came with version 2 */
    }
}

TEST(test_table__ids_ascend_until_a_row_is_written_again)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    bool ascend;
    uint32_t below;
    for (int i = 0; i < 20; i++) {
        t = must_commit(b.env, t, (change){.op = OG_LANCE_APPEND, .rows = TWO_ROWS, .fold = true});
        assert_ok(og_lance_ids_ascend(t, &ascend, err));
        assert_true(ascend);
    }
    const uint64_t drop[] = {1, 2, 3};
    t = must_commit(b.env, t, (change){.op = OG_LANCE_DELETE, .drop = drop, .drop_count = 3});
    const uint64_t ids[] = {0, 1, 7, 42, UINT64_MAX};
    const uint32_t slots[] = {0, 1, 7, 42, 42};
    for (size_t i = 0; i < 5; i++) {
        assert_ok(og_lance_slots_below(t, ids[i], &below, err));
        assert_int_equal(below, slots[i]);
    }
    const uint64_t keep[] = {0};
    t = must_commit(
        b.env, t,
        (change){.op = OG_LANCE_UPDATE, .rows = "[{\"id\":\"A\"}]", .keep = keep, .keep_count = 1});
    assert_ok(og_lance_ids_ascend(t, &ascend, err));
    assert_false(ascend);
}

TEST(test_table__folding_drops_deleted_rows)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    for (int i = 0; i < 7; i++)
        t = must_commit(b.env, t, (change){.op = OG_LANCE_APPEND, .rows = TWO_ROWS});
    const uint64_t drop[] = {1, 2, 3, 15};
    t = must_commit(b.env, t, (change){.op = OG_LANCE_DELETE, .drop = drop, .drop_count = 4});
    for (int i = 0; i < 2; i++)
        t = must_commit(b.env, t, (change){.op = OG_LANCE_APPEND, .rows = TWO_ROWS});
    const uint64_t keep[] = {0}, more[] = {4};
    t = must_commit(b.env, t,
                    (change){.op = OG_LANCE_UPDATE,
                             .rows = "[{\"id\":\"A\"}]",
                             .fold = true,
                             .one_run = true,
                             .keep = keep,
                             .keep_count = 1,
                             .drop = more,
                             .drop_count = 1});
    uint32_t count;
    const og_lance_fragment *fragments = og_lance_table_fragments(t, &count);
    assert_int_equal(og_lance_table_slot_count(t), og_lance_table_row_count(t));
    assert_int_equal(count, 2);
    assert_int_equal(fragments[0].physical_rows, 14);
    assert_string_equal(text_of(t),
                        "b:null@5 a:1@6 b:null@7 a:1@8 b:null@9 a:1@10 b:null@11 a:1@12 b:null@13 "
                        "a:1@14 a:1@16 b:null@17 a:1@18 b:null@19 A:null@0");
}

TEST(test_table__costs_do_not_grow_with_history)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    uint64_t early = 0, late = 0;
    for (int i = 0; i < 400; i++) {
        b.store->stats = (og_store_stats){0};
        t = must_commit(
            b.env, t,
            (change){
                .op = OG_LANCE_APPEND, .rows = "[{\"id\":\"x\"}]", .fold = true, .one_run = true});
        uint64_t bytes = b.store->stats.bytes_written;
        if (i >= 8 && i < 64)
            early = bytes > early ? bytes : early;
        if (i >= 256)
            late = bytes > late ? bytes : late;
    }
    assert_true(late <= early * 3 / 2 + 65536);
}

/* ---- what another program wrote ----------------------------------------------------------- */

static void replace_manifest(bench *b, og_lance_table *t, uint64_t version, const char *extra,
                             size_t extra_len)
{
    OG_AUTO_BUF name = OG_BUF_INIT, copy = OG_BUF_INIT;
    assert_true(og_lance_manifest_name(&name, "t", og_lance_table_version(t)));
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(b->store->ops->get(b->store, og_buf_cstr(&name), &blob, err));
    /* Append fields to the manifest message: the last one wins. */
    uint64_t position = og_load_u64(blob->ptr + blob->len - 16);
    uint32_t len = og_load_u32(blob->ptr + position) + (uint32_t)extra_len;
    og_buf_append(&copy, blob->ptr, position);
    og_buf_u32(&copy, len);
    og_buf_append(&copy, blob->ptr + position + 4, len - extra_len);
    og_buf_append(&copy, extra, extra_len);
    og_buf_append(&copy, blob->ptr + blob->len - 16, 16);
    og_buf_clear(&name);
    assert_true(og_lance_manifest_name(&name, "t", version));
    assert_ok(b->store->ops->put(b->store, og_buf_cstr(&name), og_buf_bytes(&copy), err));
}

TEST(test_table__unknown_fields_survive)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    /* field 3 version = 2; field 20 branch = "side"; field 200 = "unheard of" */
    static const char extra[] = "\x18\x02\xa2\x01\x04side\xc2\x0c\x0aunheard of";
    replace_manifest(&b, t, 2, extra, sizeof extra - 1);
    OG_AUTO(og_lance_table) changed = NULL;
    assert_ok(og_lance_table_open(b.env, "t", 2, 0, &changed, err));
    changed = must_commit(b.env, changed, (change){.op = OG_LANCE_APPEND, .rows = TWO_ROWS});
    OG_AUTO_BUF name = OG_BUF_INIT;
    assert_true(og_lance_manifest_name(&name, "t", 3));
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(b.store->ops->get(b.store, og_buf_cstr(&name), &blob, err));
    og_str all = {(const char *)blob->ptr, blob->len};
    assert_true(og_str_find(all, OG_STR("unheard of")) != SIZE_MAX);
    assert_true(og_str_find(all, OG_STR("\xa2\x01\x04side")) != SIZE_MAX);
}

/* Row ids in a file of their own, which no writer in reach makes:
 * a second fragment with the rows of the first. */
TEST(test_table__external_row_ids)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    static const uint8_t ids[] = {0xff, 0x0a, 6, 0x0a, 4, 8, 100, 16, 102}; /* a range 100..102 */
    assert_ok(b.store->ops->put(b.store, "t/far/ids.bin", (og_bytes){ids, sizeof ids}, err));
    OgPb__ExternalFile file;
    og_pb__external_file__init(&file);
    OG_PB_SET(&file, path, og_table__binary_str(OG_STR("far/ids.bin")));
    OG_PB_SET(&file, offset, 1);
    OG_PB_SET(&file, size, sizeof ids - 1);
    OgPb__DataFragment fragment = *t->parts[0].message;
    OG_PB_SET(&fragment, id, 1);
    fragment.has_inline_row_ids = 0;
    fragment.external_row_ids = &file;
    uint8_t extra[1024] = {0x18, 2, 0x12};
    size_t len = og_pb__data_fragment__get_packed_size(&fragment);
    assert_in_range(len, 1, sizeof extra - 5);
    extra[3] = (uint8_t)(0x80 | (len & 0x7f));
    extra[4] = (uint8_t)(len >> 7);
    og_pb__data_fragment__pack(&fragment, extra + 5);
    replace_manifest(&b, t, 2, (const char *)extra, 5 + len);

    OG_AUTO(og_lance_table) changed = NULL;
    assert_ok(og_lance_table_open(b.env, "t", 2, 0, &changed, err));
    assert_string_equal(text_of(changed), "a:1@0 b:null@1 a:1@100 b:null@101");
    /* The next version keeps them in its manifest. */
    changed = must_commit(b.env, changed, (change){.op = OG_LANCE_APPEND, .rows = TWO_ROWS});
    const char *names[] = {"t/far/ids.bin"};
    assert_ok(b.store->ops->remove(b.store, names, 1, err));
    OG_AUTO(og_lance_table) again = NULL;
    assert_ok(og_lance_table_open(b.env, "t", 3, 0, &again, err));
    assert_string_equal(text_of(again), "a:1@0 b:null@1 a:1@100 b:null@101 a:1@2 b:null@3");
    OG_AUTO(og_lance_table) gone = NULL;
    assert_status(og_lance_table_open(b.env, "t", 2, 0, &gone, NULL), OG_CORRUPT);
}

/* Manifests named upwards are read, and the next one is named so. */
TEST(test_table__old_names_of_manifests)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    OG_AUTO_BUF name = OG_BUF_INIT;
    assert_true(og_lance_manifest_name(&name, "t", 1));
    OG_AUTO(og_blob) blob = NULL;
    assert_ok(b.store->ops->get(b.store, og_buf_cstr(&name), &blob, err));
    og_bytes bytes = {blob->ptr, blob->len};
    assert_ok(b.store->ops->put(b.store, "t/_versions/1.manifest", bytes, err));
    uint64_t version;
    assert_status(og_lance_latest_version(b.env, "t", 0, &version, NULL), OG_CORRUPT); /* mixed */
    const char *names[] = {og_buf_cstr(&name)};
    assert_ok(b.store->ops->remove(b.store, names, 1, err));
    OG_AUTO(og_lance_table) old = NULL;
    assert_ok(og_lance_table_open(b.env, "t", 0, 0, &old, err));
    for (int i = 0; i < 10; i++)
        old = must_commit(b.env, old, (change){.op = OG_LANCE_APPEND, .rows = TWO_ROWS});
    uint64_t size;
    assert_ok(b.store->ops->head(b.store, "t/_versions/11.manifest", &size, err));
    for (uint64_t hint = 0; hint < 13; hint++) {
        assert_ok(og_lance_latest_version(b.env, "t", hint, &version, err));
        assert_int_equal(version, 11);
    }
}

TEST(test_table__unknown_flags_are_refused)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    OG_AUTO(og_lance_table) t = make_table(b.env);
    OG_AUTO(og_lance_table) changed = NULL;
    og_error error;
    replace_manifest(&b, t, 2, "\x18\x02\x48\x42", 4); /* reader flags 64 + 2 */
    assert_status(og_lance_table_open(b.env, "t", 2, 0, &changed, &error), OG_UNSUPPORTED);
    assert_non_null(strstr(error.message, "18446744073709551613.manifest"));
    replace_manifest(&b, t, 3, "\x18\x03\x50\x42", 4); /* writer flags */
    assert_ok(og_lance_table_open(b.env, "t", 3, 0, &changed, err));
    OG_AUTO(og_lance_table) none = NULL;
    assert_status(commit(b.env, changed, (change){.op = OG_LANCE_APPEND}, &none, &error),
                  OG_UNSUPPORTED);
}

/* ---- failures ----------------------------------------------------------------------------- */

/* A commit with everything in it: update, deletions, fold. */
static og_status rich_commit(og_lance_env *env, og_error *err)
{
    OG_AUTO(og_lance_table) t = NULL;
    OG_AUTO(og_lance_table) after = NULL;
    OG_TRY(og_lance_table_open(env, "t", 0, 0, &t, err));
    static const uint64_t keep[] = {0}, drop[] = {3, 4, 5};
    return commit(env, t,
                  (change){.op = OG_LANCE_UPDATE,
                           .rows = TWO_ROWS,
                           .keep = keep,
                           .keep_count = 1,
                           .drop = drop,
                           .drop_count = 3,
                           .fold = true},
                  &after, err);
}

static void prepare(bench *b)
{
    OG_AUTO(og_lance_table) t = make_table(b->env);
    for (int i = 0; i < 9; i++)
        t = must_commit(b->env, t, (change){.op = OG_LANCE_APPEND, .rows = TWO_ROWS});
}

static size_t count_objects(og_store *store)
{
    og_listing all = {0};
    assert_ok(store->ops->list(store, "", true, NULL, 0, &all, err));
    size_t count = all.len;
    og_listing_deinit(&all);
    return count;
}

static void expect_unchanged(bench *b, size_t objects)
{
    assert_int_equal(count_objects(b->inner), objects);
    OG_AUTO(og_lance_env) env = NULL;
    assert_ok(og_lance_env_new(b->inner, 1 << 20, &env, err));
    OG_AUTO(og_lance_table) t = NULL;
    assert_ok(og_lance_table_open(env, "t", 0, 0, &t, err));
    assert_int_equal(og_lance_table_version(t), 10);
    assert_int_equal(og_lance_table_row_count(t), 20);
}

TEST(test_table__any_allocation_may_fail)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    prepare(&b);
    size_t objects = count_objects(b.inner);
    for (int64_t n = 0;; n++) {
        og_alloc_fail_after(n, false);
        og_error error;
        og_status status = rich_commit(b.env, &error);
        og_alloc_fail_after(-1, false);
        if (status == OG_OK)
            break;
        assert_status(status, OG_NOMEM);
        /* The last steps come after the slot was taken. */
        uint64_t latest;
        assert_ok(og_lance_latest_version(b.env, "t", 0, &latest, err));
        if (latest != 10)
            break;
        expect_unchanged(&b, objects);
        assert_true(n < 100000);
    }
}

TEST(test_table__any_store_call_may_fail)
{
    og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_FAIL};
    AUTO_BENCH b = open_bench(og_store_hook_at(&plan));
    prepare(&b);
    size_t objects = count_objects(b.inner);
    for (uint64_t n = 0;; n++) {
        plan.seen = 0;
        plan.at = n;
        /* A cold cache, so that reads are among the calls. */
        og_lance_env_free(b.env);
        b.env = NULL;
        assert_ok(og_lance_env_new(b.store, 1 << 20, &b.env, err));
        og_error error;
        og_status status = rich_commit(b.env, &error);
        if (status == OG_OK)
            break;
        assert_status(status, OG_IO);
        expect_unchanged(&b, objects);
        assert_true(n < 10000);
    }
    plan.at = UINT64_MAX;
}

TEST(test_table__an_unknown_outcome_keeps_the_files)
{
    og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_LOST_ACK};
    AUTO_BENCH b = open_bench(og_store_hook_at(&plan));
    OG_AUTO(og_lance_table) t = make_table(b.env);
    OG_AUTO(og_arena) arena = og_arena_new(0);
    change c = {.op = OG_LANCE_APPEND, .rows = TWO_ROWS};
    OG_AUTO(og_lance_write) w = NULL;
    assert_ok(new_write(b.env, t, &c, &w, err));
    assert_ok(fill(w, t, &c, arena, err));
    const og_lance_staged *staged;
    assert_ok(og_lance_write_stage(w, &staged, err));
    plan.at = plan.seen;
    assert_status(og_lance_staged_commit(w, true, NULL), OG_UNKNOWN);
    og_lance_write_free(OG_TAKE(w));
    OG_AUTO(og_lance_table) after = NULL;
    assert_ok(og_lance_table_open(b.env, "t", 0, 0, &after, err));
    assert_string_equal(text_of(after), "a:1@0 b:null@1 a:1@2 b:null@3");
}

/* ---- threads ------------------------------------------------------------------------------ */

typedef struct reader {
    og_lance_table *table;
    uint64_t seed;
    bool ok;
} reader;

static void *read_randomly(void *context)
{
    reader *r = context;
    r->ok = true;
    uint32_t slot_count = (uint32_t)og_lance_table_slot_count(r->table);
    for (int i = 0; r->ok && i < 400; i++) {
        uint32_t slots[5];
        uint64_t ids[5];
        for (int k = 0; k < 5; k++)
            slots[k] = (uint32_t)(og_test_random(&r->seed) % slot_count);
        const uint32_t fields[] = {1, 0};
        OG_AUTO_BATCH batch = {0};
        uint32_t back[5];
        r->ok = og_lance_take(r->table, fields, 2, slots, 5, &batch, NULL) == OG_OK &&
                og_lance_row_ids(r->table, slots, 5, ids, NULL) == OG_OK &&
                og_lance_slots_of(r->table, ids, 5, back, NULL) == OG_OK;
        for (int k = 0; r->ok && k < 5; k++)
            r->ok =
                back[k] == slots[k] && og_array_is_null(batch.columns[0], k) == (slots[k] % 2 == 1);
    }
    return NULL;
}

TEST(test_table__several_threads_read_one_table)
{
    AUTO_BENCH b = open_bench((og_store_hook){0});
    prepare(&b);
    for (int cache = 0; cache < 2; cache++) { /* with much cache and with next to none */
        OG_AUTO(og_lance_env) env = NULL;
        assert_ok(og_lance_env_new(b.store, cache == 0 ? 3000 : 1 << 20, &env, err));
        OG_AUTO(og_lance_table) t = NULL;
        assert_ok(og_lance_table_open(env, "t", 0, 0, &t, err));
        pthread_t threads[4];
        reader readers[4];
        for (uint64_t i = 0; i < 4; i++) {
            readers[i] = (reader){t, i, false};
            assert_int_equal(pthread_create(&threads[i], NULL, read_randomly, &readers[i]), 0);
        }
        for (int i = 0; i < 4; i++) {
            pthread_join(threads[i], NULL);
            assert_true(readers[i].ok);
        }
    }
}
