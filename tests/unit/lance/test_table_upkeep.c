/* Compaction and cleanup of tables: what stays the same, what goes, and what a failure leaves. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "columnar/builder.h"
#include "lance/table/cleanup.h"
#include "lance/table/compact.h"
#include "lance/table/table_priv.h"
#include "og_test.h"
#include "store/file.h"
#include "store/memory.h"
#include "store/wrap.h"

#define NOW_US INT64_C(1700000000000000)
#define DAY_US INT64_C(86400000000)

/* ---- tables of one column, n = row id ------------------------------------------------------- */

static og_status write_rows(og_lance_write *w, int64_t first, int64_t count, og_error *err)
{
    OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_I64));
    for (int64_t i = 0; b != NULL && i < count; i++)
        og_builder_i64(b, first + i);
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, 1, count, err));
    OG_TRY(b != NULL ? og_builder_finish(b, &batch.columns[0], err) : og_error_nomem(err));
    return og_lance_write_rows(w, &batch, NULL, err);
}

static og_status begin(og_lance_env *env, og_lance_table *base, og_lance_op op, int64_t now_us,
                       og_lance_write **out, og_error *err)
{
    const og_lance_new_field field = {.field = {OG_STR("n"), og_type_of(OG_TYPE_I64), false}};
    og_lance_write_options o = {.op = base == NULL ? OG_LANCE_CREATE : op,
                                .path = "t",
                                .fields = base == NULL ? &field : NULL,
                                .field_count = base == NULL,
                                .min_max_fragment_id = -1,
                                .now_us = now_us};
    return og_lance_write_new(env, base, &o, out, err);
}

static og_status finish(og_lance_write *w, og_lance_table **out, og_error *err)
{
    const og_lance_staged *staged;
    OG_TRY(og_lance_write_stage(w, &staged, err));
    OG_TRY(og_lance_staged_commit(w, true, err));
    return og_lance_write_table(w, out, err);
}

static og_lance_table *append(og_lance_env *env, og_lance_table *base, int64_t count,
                              int64_t now_us)
{
    og_lance_table *next = NULL;
    OG_AUTO(og_lance_write) w = NULL;
    assert_ok(begin(env, base, OG_LANCE_APPEND, now_us, &w, err));
    int64_t first = base != NULL ? (int64_t)og_lance_table_next_row_id(base) : 0;
    assert_ok(write_rows(w, first, count, err));
    assert_ok(finish(w, &next, err));
    og_lance_table_unref(base);
    return next;
}

/* Delete the rows whose id divides by `step`. */
static og_lance_table *thin(og_lance_env *env, og_lance_table *base, uint64_t step)
{
    og_lance_table *next = NULL;
    OG_AUTO(og_lance_write) w = NULL;
    assert_ok(begin(env, base, OG_LANCE_DELETE, NOW_US, &w, err));
    for (uint64_t id = 0; id < og_lance_table_next_row_id(base); id += step) {
        uint32_t slot;
        assert_ok(og_lance_slots_of(base, &id, 1, &slot, err));
        if (slot != UINT32_MAX)
            assert_ok(og_lance_write_delete(w, &slot, 1, err));
    }
    assert_ok(finish(w, &next, err));
    og_lance_table_unref(base);
    return next;
}

static og_status compact(og_lance_env *env, og_lance_table *base, uint32_t target,
                         og_lance_compact_stats *stats, og_lance_table **out, og_error *err)
{
    const og_lance_compact_options options = {.target_rows = target};
    OG_AUTO(og_lance_write) w = NULL;
    OG_TRY(begin(env, base, OG_LANCE_COMPACT, NOW_US, &w, err));
    OG_TRY(og_lance_write_compact(w, &options, stats, err));
    return finish(w, out, err);
}

static uint32_t fragments_of(const og_lance_table *table)
{
    uint32_t count;
    og_lance_table_fragments(table, &count);
    return count;
}

/* Every live row of `before` is in `after`, under its id, with its value and both versions. */
static void expect_same_rows(og_lance_table *before, og_lance_table *after)
{
    static const uint32_t field = 0;
    assert_int_equal(og_lance_table_row_count(before), og_lance_table_row_count(after));
    assert_int_equal(og_lance_table_slot_count(after), og_lance_table_row_count(after));
    for (uint64_t id = 0; id < og_lance_table_next_row_id(before); id++) {
        uint32_t a, b;
        uint64_t versions[4];
        assert_ok(og_lance_slots_of(before, &id, 1, &a, err));
        assert_ok(og_lance_slots_of(after, &id, 1, &b, err));
        assert_int_equal(a == UINT32_MAX, b == UINT32_MAX);
        if (a == UINT32_MAX)
            continue;
        OG_AUTO_BATCH row = {0};
        assert_ok(og_lance_take(after, &field, 1, &b, 1, &row, err));
        assert_int_equal(og_array_i64(row.columns[0], 0), id);
        assert_ok(og_lance_row_versions(before, &a, 1, &versions[0], &versions[1], err));
        assert_ok(og_lance_row_versions(after, &b, 1, &versions[2], &versions[3], err));
        assert_int_equal(versions[0], versions[2]);
        assert_int_equal(versions[1], versions[3]);
    }
}

/* ---- compaction ----------------------------------------------------------------------------- */

typedef struct world {
    og_store *inner, *store;
    og_lance_env *env;
} world;

static world open_world(og_store_hook hook)
{
    world w = {0};
    assert_ok(og_store_open_memory(&w.inner, err));
    assert_ok(og_store_wrap(w.inner, hook, 0, &w.store, err));
    assert_ok(og_lance_env_new(w.store, 1 << 20, &w.env, err));
    return w;
}

static void close_world(world *w)
{
    og_lance_env_free(w->env);
    og_store_close(w->store);
    og_store_close(w->inner);
}
#define AUTO_WORLD __attribute__((cleanup(close_world))) world

TEST(test_table_upkeep__compaction_keeps_rows_ids_and_versions)
{
    AUTO_WORLD w = open_world((og_store_hook){0});
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 1000, NOW_US);
    for (int i = 0; i < 9; i++)
        t = append(w.env, t, 100, NOW_US);
    t = thin(w.env, t, 3);
    og_lance_compact_stats stats;
    OG_AUTO(og_lance_table) one = NULL;
    assert_ok(compact(w.env, t, 0, &stats, &one, err));
    assert_int_equal(stats.fragments_removed, 10);
    assert_int_equal(stats.fragments_added, 1);
    assert_int_equal(stats.rows, og_lance_table_row_count(t));
    expect_same_rows(t, one);

    uint32_t work;
    assert_ok(og_lance_compact_count(one, NULL, &work, err));
    assert_int_equal(work, 0);
}

TEST(test_table_upkeep__a_target_cuts_bins)
{
    AUTO_WORLD w = open_world((og_store_hook){0});
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 1000, NOW_US);
    for (int i = 0; i < 9; i++)
        t = append(w.env, t, 100, NOW_US);
    t = thin(w.env, t, 3);
    og_lance_compact_stats stats;
    OG_AUTO(og_lance_table) after = NULL;
    assert_ok(compact(w.env, t, 300, &stats, &after, err));
    /* 666 rows alone: three fragments of 222; then nine of about 67 rows,
     * in one bin of 600: two. */
    assert_int_equal(stats.fragments_removed, 10);
    assert_int_equal(stats.fragments_added, 5);
    assert_int_equal(fragments_of(after), 5);
    expect_same_rows(t, after);
}

TEST(test_table_upkeep__few_deletions_and_large_fragments_are_left_alone)
{
    AUTO_WORLD w = open_world((og_store_hook){0});
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 500, NOW_US);
    t = thin(w.env, t, 20);
    uint32_t work;
    assert_ok(og_lance_compact_count(t, NULL, &work, err));
    assert_int_equal(work, 0); /* a fragment alone, 5 % deleted */
    const og_lance_compact_options strict = {.deletion_threshold = -1};
    assert_ok(og_lance_compact_count(t, &strict, &work, err));
    assert_int_equal(work, 1);
    t = append(w.env, t, 10, NOW_US);
    t = append(w.env, t, 10, NOW_US);
    const og_lance_compact_options small = {.target_rows = 400};
    assert_ok(og_lance_compact_count(t, &small, &work, err));
    assert_int_equal(work, 2);
    OG_AUTO(og_lance_table) after = NULL;
    og_lance_compact_stats stats;
    assert_ok(compact(w.env, t, 400, &stats, &after, err));
    assert_int_equal(fragments_of(after), 2);
}

TEST(test_table_upkeep__a_fragment_without_live_rows_goes)
{
    AUTO_WORLD w = open_world((og_store_hook){0});
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 50, NOW_US);
    t = append(w.env, t, 50, NOW_US);
    t = thin(w.env, t, 1);
    assert_int_equal(og_lance_table_row_count(t), 0);
    uint32_t work;
    assert_ok(og_lance_compact_count(t, NULL, &work, err));
    assert_int_equal(work, 0); /* a delete removes such fragments at once */
}

TEST(test_table_upkeep__any_failure_of_a_compaction_leaves_the_table)
{
    og_store_fault_at plan = {.at = UINT64_MAX, .fault = OG_STORE_FAIL};
    AUTO_WORLD w = open_world(og_store_hook_at(&plan));
    og_lance_table *t = append(w.env, NULL, 30, NOW_US);
    og_lance_table_unref(thin(w.env, append(w.env, t, 30, NOW_US), 4));
    for (uint64_t n = 0;; n++) {
        og_lance_compact_stats stats;
        OG_AUTO(og_lance_table) base = NULL;
        OG_AUTO(og_lance_table) after = NULL;
        plan.at = UINT64_MAX;
        og_lance_env_free(w.env); /* a cold cache, so that reads are among the calls */
        assert_ok(og_lance_env_new(w.store, 1 << 20, &w.env, err));
        assert_ok(og_lance_table_open(w.env, "t", 0, 0, &base, err));
        plan.seen = 0;
        plan.at = n;
        og_status status = compact(w.env, base, 0, &stats, &after, NULL);
        plan.at = UINT64_MAX;
        if (status == OG_OK)
            break;
        assert_status(status, OG_IO);
        uint64_t latest;
        assert_ok(og_lance_latest_version(w.env, "t", 0, &latest, err));
        assert_int_equal(latest, 3);
        assert_true(n < 1000);
    }
    og_listing data = {0};
    assert_ok(w.inner->ops->list(w.inner, "t/data/", true, NULL, 0, &data, err));
    assert_int_equal(data.len, 3); /* two old ones and the new one: no attempt left a file */
    og_listing_deinit(&data);
}

TEST(test_table_upkeep__any_allocation_of_a_compaction_may_fail)
{
    AUTO_WORLD w = open_world((og_store_hook){0});
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 30, NOW_US);
    t = thin(w.env, append(w.env, t, 30, NOW_US), 4);
    for (int64_t n = 0;; n++) {
        og_lance_compact_stats stats;
        OG_AUTO(og_lance_table) after = NULL;
        og_alloc_fail_after(n, false);
        og_status status = compact(w.env, t, 0, &stats, &after, NULL);
        og_alloc_fail_after(-1, false);
        uint64_t latest;
        assert_ok(og_lance_latest_version(w.env, "t", 0, &latest, err));
        if (status == OG_OK || latest == 4)
            break; /* the last steps come after the slot was taken */
        assert_status(status, OG_NOMEM);
        assert_true(n < 100000);
    }
}

/* ---- what newer writers say ------------------------------------------------------------------ */

/* "made newer" as field 77 of a message. */
static void add_unknown(ProtobufCMessage *message)
{
    static uint8_t text[] = "\x0amade newer";
    static ProtobufCMessageUnknownField field = {.tag = 77,
                                                 .wire_type = PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED,
                                                 .len = sizeof text - 1,
                                                 .data = text};
    message->n_unknown_fields = 1;
    message->unknown_fields = &field;
}

/* Put version `version` with the content of `table`, as a newer writer might: with a config key and
 * fields of the manifest and of its first fragment that we do not know. */
static void put_newer(world *w, const og_lance_table *table, uint64_t version)
{
    OgPb__Manifest m = *table->manifest;
    OgPb__DataFragment first = *m.fragments[0];
    OgPb__DataFragment *fragments[8];
    OgPb__Pair pair, *pairs[] = {&pair};
    OG_AUTO_BUF packed = OG_BUF_INIT;
    OG_AUTO_BUF file = OG_BUF_INIT;
    OG_AUTO_BUF name = OG_BUF_INIT;
    memcpy(fragments, m.fragments, m.n_fragments * sizeof *fragments);
    fragments[0] = &first;
    add_unknown(&first.base);
    add_unknown(&m.base);
    og_pb__pair__init(&pair);
    OG_PB_SET(&pair, key, og_table__binary_str(OG_STR("future.key")));
    OG_PB_SET(&pair, value, og_table__binary_str(OG_STR("future value")));
    m.fragments = fragments;
    m.config = pairs;
    m.n_config = 1;
    m.has_transaction_section = 0;
    OG_PB_SET(&m, version, version);
    assert_ok(og_table__pack(&m, &packed, err));
    og_buf_u32(&file, (uint32_t)packed.len);
    og_buf_append(&file, packed.ptr, packed.len);
    og_buf_u64(&file, 0);
    og_buf_u16(&file, 0);
    og_buf_u16(&file, 2);
    assert_true(og_buf_append(&file, "LANC", 4) && og_lance_manifest_name(&name, "t", version));
    assert_ok(w->inner->ops->put(w->inner, og_buf_cstr(&name), og_buf_bytes(&file), err));
}

static size_t count_text(world *w, uint64_t version, const char *text)
{
    OG_AUTO_BUF name = OG_BUF_INIT;
    OG_AUTO(og_blob) blob = NULL;
    assert_true(og_lance_manifest_name(&name, "t", version));
    assert_ok(w->inner->ops->get(w->inner, og_buf_cstr(&name), &blob, err));
    og_str rest = {(const char *)blob->ptr, blob->len};
    size_t count = 0, at;
    while ((at = og_str_find(rest, og_str_of(text))) != SIZE_MAX) {
        rest = og_str_slice(rest, at + 1, rest.len);
        count++;
    }
    return count;
}

TEST(test_table_upkeep__what_newer_writers_say_is_carried)
{
    AUTO_WORLD w = open_world((og_store_hook){0});
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 10, NOW_US);
    for (int i = 0; i < 3; i++)
        t = append(w.env, t, 10, NOW_US);
    put_newer(&w, t, 5);
    og_lance_table_unref(OG_TAKE(t));
    assert_ok(og_lance_table_open(w.env, "t", 5, 0, &t, err));
    t = append(w.env, t, 10, NOW_US);
    assert_int_equal(count_text(&w, 6, "future value"), 1);
    assert_int_equal(count_text(&w, 6, "made newer"), 2);
    /* The fragment that says more than we know stays as it is; the others are joined. */
    og_lance_compact_stats stats;
    OG_AUTO(og_lance_table) after = NULL;
    assert_ok(compact(w.env, t, 0, &stats, &after, err));
    assert_int_equal(stats.fragments_removed, 4);
    assert_int_equal(fragments_of(after), 2);
    assert_int_equal(count_text(&w, 7, "future value"), 1);
    assert_true(count_text(&w, 7, "made newer") >= 2);
    expect_same_rows(t, after);
}

/* ---- cleanup -------------------------------------------------------------------------------- */

static char folder[64];

static world open_folder(void)
{
    world w = {0};
    snprintf(folder, sizeof folder, "/tmp/og-upkeep-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_ok(og_store_open_file(folder, true, &w.inner, err));
    assert_ok(og_lance_env_new(w.inner, 1 << 20, &w.env, err));
    return w;
}

static void close_folder(world *w)
{
    close_world(w);
    assert_ok(og_store_file_remove_tree(folder, err));
}
#define AUTO_FOLDER __attribute__((cleanup(close_folder))) world

static size_t count_files(world *w, const char *prefix)
{
    og_listing l = {0};
    assert_ok(w->inner->ops->list(w->inner, prefix, true, NULL, 0, &l, err));
    size_t count = l.len;
    og_listing_deinit(&l);
    return count;
}

static void make_older(world *w, const char *prefix, int64_t now_us, int64_t by_us)
{
    og_listing l = {0};
    assert_ok(w->inner->ops->list(w->inner, prefix, true, NULL, 0, &l, err));
    for (size_t i = 0; i < l.len; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%.*s", folder, OG_FMT(l.items[i].name));
        struct timespec at = {.tv_sec = (now_us - by_us) / 1000000};
        assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){at, at}, 0), 0);
    }
    og_listing_deinit(&l);
}

static bool pins_second(void *context, const char *path, uint64_t version)
{
    (void)context;
    return strcmp(path, "t") == 0 && version == 2;
}

TEST(test_table_upkeep__cleanup_keeps_what_is_named)
{
    AUTO_FOLDER w = open_folder();
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 10, NOW_US);
    for (int i = 1; i < 6; i++)
        t = append(w.env, t, 10, NOW_US + i * DAY_US);
    static const char tag[] = "{\"branch\":null,\"version\":3,\"manifestSize\":1}";
    assert_ok(w.inner->ops->put(w.inner, "t/_refs/tags/good.json",
                                (og_bytes){(const uint8_t *)tag, sizeof tag - 1}, err));
    og_lance_compact_stats compacted;
    OG_AUTO(og_lance_table) last = NULL;
    assert_ok(compact(w.env, t, 0, &compacted, &last, err));
    assert_int_equal(count_files(&w, "t/data/"), 7);

    og_lance_cleanup_options o = {.now_us = NOW_US + 6 * DAY_US, .is_pinned = pins_second};
    og_lance_cleanup_stats stats;
    assert_ok(og_lance_cleanup(w.env, "t", &o, &stats, err));
    assert_int_equal(stats.versions_removed + stats.files_removed, 0); /* no bound */
    o.by_age = o.by_count = true;
    o.before_us = NOW_US + 4 * DAY_US + 1;
    o.keep_behind = 1;
    assert_ok(og_lance_cleanup(w.env, "t", &o, &stats, err));
    /* 1, 4 and 5 are old enough and far enough behind; 2 is pinned, 3 has a tag. */
    assert_int_equal(stats.versions_removed, 3);
    assert_int_equal(stats.files_removed, 0); /* version 6 names all files of those before it */
    o.by_age = false;
    o.keep_behind = 0;
    assert_ok(og_lance_cleanup(w.env, "t", &o, &stats, err));
    assert_int_equal(stats.versions_removed, 1);
    assert_int_equal(stats.files_removed, 3); /* data of 4, 5 and 6; those of 1 to 3 are tagged */
    OG_AUTO(og_lance_table) third = NULL;
    assert_ok(og_lance_table_open(w.env, "t", 3, 0, &third, err));
    expect_same_rows(third, third);
    expect_same_rows(last, last);
}

TEST(test_table_upkeep__a_staged_write_survives_a_cleanup)
{
    AUTO_FOLDER w = open_folder();
    int64_t now_us = og_system_clock.now_us(og_system_clock.context);
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 10, now_us);
    t = append(w.env, t, 10, now_us);
    OG_AUTO(og_lance_write) staged = NULL;
    const og_lance_staged *form;
    assert_ok(begin(w.env, t, OG_LANCE_APPEND, now_us, &staged, err));
    assert_ok(write_rows(staged, 20, 10, err));
    assert_ok(og_lance_write_stage(staged, &form, err));
    assert_int_equal(count_files(&w, "t/data/"), 3);

    og_lance_cleanup_options o = {.now_us = now_us, .by_count = true};
    og_lance_cleanup_stats stats;
    assert_ok(og_lance_cleanup(w.env, "t", &o, &stats, err));
    assert_int_equal(stats.versions_removed, 1);
    assert_int_equal(count_files(&w, "t/data/"), 3);
    OG_AUTO(og_lance_table) after = NULL;
    assert_ok(finish(staged, &after, err));
    assert_int_equal(og_lance_table_row_count(after), 30);
    expect_same_rows(after, after);
}

TEST(test_table_upkeep__stray_files_go_after_a_week)
{
    AUTO_FOLDER w = open_folder();
    int64_t now_us = og_system_clock.now_us(og_system_clock.context);
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 10, now_us);
    static const char *const strays[] = {"t/data/a.lance", "t/data/a/0101.blob",
                                         "t/_deletions/0-1-2.bin", "t/_indices/x/y.idx",
                                         "t/_transactions/0-x.txn"};
    for (size_t i = 0; i < sizeof strays / sizeof *strays; i++)
        assert_ok(w.inner->ops->put(w.inner, strays[i], (og_bytes){(const uint8_t *)"x", 1}, err));
    assert_ok(
        w.inner->ops->put(w.inner, "t/notes/mine.txt", (og_bytes){(const uint8_t *)"x", 1}, err));
    size_t all = count_files(&w, "t/");
    og_lance_cleanup_options o = {.now_us = now_us};
    og_lance_cleanup_stats stats;
    make_older(&w, "t/", now_us, OG_LANCE_STRAY_US - 60 * INT64_C(1000000));
    assert_ok(og_lance_cleanup(w.env, "t", &o, &stats, err));
    assert_int_equal(count_files(&w, "t/"), all);
    make_older(&w, "t/", now_us, OG_LANCE_STRAY_US + 60 * INT64_C(1000000));
    assert_ok(og_lance_cleanup(w.env, "t", &o, &stats, err));
    assert_int_equal(stats.files_removed, 5);
    assert_int_equal(count_files(&w, "t/"), all - 5); /* what is no part of a table is not ours */
    expect_same_rows(t, t);
}

TEST(test_table_upkeep__a_damaged_manifest_stops_a_cleanup)
{
    AUTO_FOLDER w = open_folder();
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 10, NOW_US);
    t = append(w.env, t, 10, NOW_US);
    OG_AUTO_BUF name = OG_BUF_INIT;
    og_lance_manifest_name(&name, "t", 1);
    assert_ok(
        w.inner->ops->put(w.inner, og_buf_cstr(&name), (og_bytes){(const uint8_t *)"no", 2}, err));
    t = append(w.env, t, 10, NOW_US);
    size_t all = count_files(&w, "t/");
    og_lance_cleanup_options o = {.now_us = NOW_US, .by_count = true};
    og_lance_cleanup_stats stats;
    assert_status(og_lance_cleanup(w.env, "t", &o, &stats, NULL), OG_CORRUPT);
    assert_int_equal(count_files(&w, "t/"), all);
    assert_status(og_lance_cleanup(w.env, "nothing", &o, &stats, NULL), OG_NOT_FOUND);
}

/* A branch below it whose first files are being written has no ref yet:
 * nothing but names tells them apart. */
TEST(test_table_upkeep__removing_a_branch_leaves_those_below_it)
{
    AUTO_FOLDER w = open_folder();
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 10, NOW_US);
    static const char *const own[] = {
        "t/_refs/branches/a.json", "t/tree/a/_versions/18446744073709551610.manifest",
        "t/tree/a/data/f.lance",   "t/tree/a/data/f/0101.blob",
        "t/tree/a/_indices/x/y.z", "t/tree/a/_deletions/0-1-2.bin",
    };
    static const char *const others[] = {
        "t/tree/a/_versions/og.floor-00000000000000000005",
        "t/tree/a/b/_versions/18446744073709551610.manifest",
        "t/tree/a/b/data/g.lance",
        "t/tree/a/b/data/g/0101.blob",
        "t/tree/a/b/_transactions/0-x.txn",
        "t/tree/a/data/data/h.lance",
        "t/tree/ab/data/i.lance",
    };
    const og_bytes x = {(const uint8_t *)"x", 1};
    size_t before = count_files(&w, "t/");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        assert_ok(w.inner->ops->put(w.inner, own[i], x, err));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_ok(w.inner->ops->put(w.inner, others[i], x, err));
    assert_ok(og_lance_cleanup_branch(w.env, "t", OG_STR("a"), NULL, err));
    uint64_t bytes;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_ok(w.inner->ops->head(w.inner, others[i], &bytes, err));
    assert_int_equal(count_files(&w, "t/"), before + sizeof others / sizeof *others);
    assert_ok(og_lance_cleanup_branch(w.env, "t", OG_STR("a"), NULL, err)); /* nothing is left to do */
}

/* Versions that are kept among those that go (by a tag, or because somebody needs
 * them): whoever looks upwards from one of them still finds the newest, and marks go
 * when there is no hole any more. */
static bool keeps_some(void *context, const char *place, uint64_t version)
{
    (void)place;
    return (*(const uint64_t *)context >> version & 1) != 0;
}

TEST(test_table_upkeep__the_newest_version_is_found_over_holes)
{
    AUTO_WORLD w = open_world((og_store_hook){0});
    OG_AUTO(og_lance_table) t = append(w.env, NULL, 1, NOW_US);
    for (int i = 0; i < 19; i++)
        t = append(w.env, t, 1, NOW_US);
    w.store->list_is_cheap = false;
    uint64_t kept = 1u << 3 | 1u << 4 | 1u << 9 | 1u << 17, version, bytes;
    const og_lance_cleanup_options o = {.by_count = true,
                                        .keep_behind = 1,
                                        .is_pinned = keeps_some,
                                        .context = &kept,
                                        .now_us = NOW_US + 30 * DAY_US};
    og_lance_cleanup_stats stats;
    for (int again = 0; again < 2; again++) {
        assert_ok(og_lance_cleanup(w.env, "t", &o, &stats, err));
        assert_int_equal(stats.versions_removed, again == 0 ? 14 : 0);
        for (uint64_t hint = 0; hint < 25; hint++) {
            assert_ok(og_lance_latest_version(w.env, "t", hint, &version, err));
            assert_int_equal(version, 20);
        }
    }
    assert_ok(w.inner->ops->head(w.inner, "t/_versions/og.gap-00000000000000000004", &bytes, err));
    kept = 0;
    assert_ok(og_lance_cleanup(w.env, "t", &o, &stats, err));
    assert_int_equal(stats.versions_removed, 4);
}
