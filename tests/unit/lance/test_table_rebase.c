/* Writes whose slot another took: moved onto the winner's version, or told why not. */
#include "lance/table/rebase.h"

#include "columnar/builder.h"
#include "lance/table/compact.h"
#include "lance/table/evolve.h"
#include "lance/table/indices.h"
#include "lance/table/look.h"
#include "og_test.h"
#include "store/memory.h"

typedef struct bench {
    og_store *store;
    og_lance_env *env;
    og_lance_table *first, *head;
} bench;

static og_batch rows_of(const char *keys)
{
    og_batch batch;
    og_builder *id = og_builder_new(og_type_of(OG_TYPE_UTF8));
    int64_t count = 0;
    for (const char *k = keys; *k != '\0'; k++, count++)
        assert_true(og_builder_str(id, (og_str){k, 1}));
    assert_ok(og_batch_init(&batch, 1, count, err));
    assert_ok(og_builder_finish(id, &batch.columns[0], err));
    og_builder_free(id);
    return batch;
}

static og_lance_write *begin(bench *b, og_lance_table *base, og_lance_op op, bool fold)
{
    static og_lance_new_field field;
    field = (og_lance_new_field){.field = {OG_STR("id"), og_type_of(OG_TYPE_UTF8), false},
                                 .is_primary_key = true};
    og_lance_write_options o = {.op = op,
                                .path = "t",
                                .fields = op == OG_LANCE_CREATE ? &field : NULL,
                                .field_count = op == OG_LANCE_CREATE ? 1 : 0,
                                .min_max_fragment_id = -1,
                                .fold = fold,
                                .now_us = 1};
    og_lance_write *write;
    assert_ok(og_lance_write_new(b->env, base, &o, &write, err));
    return write;
}

/* New rows, one for each letter. */
static void add(og_lance_write *write, const char *keys)
{
    OG_AUTO_BATCH batch = rows_of(keys);
    assert_ok(og_lance_write_rows(write, &batch, NULL, err));
}

static void drop(og_lance_write *write, og_lance_table *base, uint64_t row_id)
{
    uint32_t slot;
    assert_ok(og_lance_slots_of(base, &row_id, 1, &slot, err));
    assert_ok(og_lance_write_delete(write, &slot, 1, err));
}

/* Write the row again with another letter. */
static void change(og_lance_write *write, og_lance_table *base, uint64_t row_id, const char *key)
{
    OG_AUTO_BATCH batch = rows_of(key);
    drop(write, base, row_id);
    assert_ok(og_lance_write_rows(write, &batch, &row_id, err));
}

/* Take the slot; the bench's head is then this version. */
static void commit(bench *b, og_lance_write *write)
{
    const og_lance_staged *staged;
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_ok(og_lance_staged_commit(write, true, err));
    og_lance_table_unref(b->head);
    assert_ok(og_lance_table_open(b->env, "t", staged->version, 0, &b->head, err));
    og_lance_write_free(write);
}

/* A table with a row for each letter of `keys`, ids from 0;
 * `first` and `head` are its version 1. */
static bench make(const char *keys)
{
    bench b = {0};
    assert_ok(og_store_open_memory(&b.store, err));
    assert_ok(og_lance_env_new(b.store, 1 << 20, &b.env, err));
    og_lance_write *write = begin(&b, NULL, OG_LANCE_CREATE, false);
    add(write, keys);
    commit(&b, write);
    b.first = og_lance_table_ref(b.head);
    return b;
}

static void destroy(bench *b)
{
    og_lance_table_unref(b->first);
    og_lance_table_unref(b->head);
    og_lance_env_free(b->env);
    og_store_close(b->store);
}
#define AUTO_BENCH __attribute__((cleanup(destroy))) bench

/* "a0@1 b1@2": letter, row id and version of the last change, in order of slots. */
static const char *text_of(og_lance_table *table)
{
    static char text[4096];
    static const uint32_t fields[] = {0};
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_AUTO_BATCH batch = {0};
    const uint32_t *slots;
    size_t len = 0;
    text[0] = '\0';
    assert_ok(og_lance_scan_open(table, fields, 1, 0, UINT32_MAX, &scan, err));
    assert_ok(og_lance_scan_next(scan, &batch, &slots, err));
    for (int64_t i = 0; i < batch.row_count; i++) {
        uint64_t id, updated, created;
        assert_ok(og_lance_row_ids(table, &slots[i], 1, &id, err));
        assert_ok(og_lance_row_versions(table, &slots[i], 1, &updated, &created, err));
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%.*s%d@%d", i > 0 ? " " : "",
                                OG_FMT(og_array_str(batch.columns[0], i)), (int)id, (int)updated);
    }
    return text;
}

static og_lance_verdict rebase(bench *b, og_lance_write *write)
{
    og_lance_verdict verdict;
    assert_ok(og_lance_write_rebase(write, b->head, &verdict, err));
    return verdict;
}

/* The staged write lost its slot: moved, it goes behind the winner. */
static void lose_and_move(bench *b, og_lance_write *write)
{
    const og_lance_staged *staged;
    og_error error;
    assert_ok(og_lance_write_stage(write, &staged, err));
    assert_status(og_lance_staged_commit(write, true, &error), OG_EXISTS);
    assert_int_equal(rebase(b, write), OG_LANCE_FITS);
    commit(b, write);
}

TEST(test_table_rebase__appends_follow_one_another)
{
    AUTO_BENCH b = make("ab");
    og_lance_write *mine = begin(&b, b.first, OG_LANCE_APPEND, true);
    og_lance_write *theirs = begin(&b, b.first, OG_LANCE_APPEND, true);
    add(mine, "xy");
    add(theirs, "cde");
    commit(&b, theirs);
    lose_and_move(&b, mine);
    assert_string_equal(text_of(b.head), "a0@1 b1@1 c2@2 d3@2 e4@2 x5@3 y6@3");
    uint32_t count;
    const og_lance_fragment *f = og_lance_table_fragments(b.head, &count);
    assert_int_equal(count, 3);
    assert_int_equal(f[2].id, 2);
    assert_int_equal(og_lance_table_next_row_id(b.head), 7);
}

TEST(test_table_rebase__changes_of_other_rows_are_joined)
{
    AUTO_BENCH b = make("abcd");
    og_lance_write *mine = begin(&b, b.first, OG_LANCE_UPDATE, true);
    og_lance_write *theirs = begin(&b, b.first, OG_LANCE_UPDATE, true);
    change(mine, b.first, 0, "A");
    drop(mine, b.first, 3);
    add(mine, "n");
    change(theirs, b.first, 1, "B");
    add(theirs, "m");
    commit(&b, theirs);
    lose_and_move(&b, mine);
    assert_string_equal(text_of(b.head), "c2@1 B1@2 m4@2 A0@3 n5@3");
    assert_int_equal(og_lance_table_row_count(b.head), 5);

    /* What mine read was the first version: others' later deletes stay deletes. */
    og_lance_write *late = begin(&b, b.first, OG_LANCE_DELETE, false);
    drop(late, b.first, 2);
    lose_and_move(&b, late);
    assert_string_equal(text_of(b.head), "B1@2 m4@2 A0@3 n5@3");
}

TEST(test_table_rebase__the_same_row_is_a_conflict)
{
    AUTO_BENCH b = make("abc");
    og_lance_write *theirs = begin(&b, b.first, OG_LANCE_UPDATE, true);
    change(theirs, b.first, 1, "B");
    drop(theirs, b.first, 2);
    commit(&b, theirs);
    for (uint64_t id = 0; id < 3; id++) {
        OG_AUTO(og_lance_write) deletes = begin(&b, b.first, OG_LANCE_DELETE, true);
        OG_AUTO(og_lance_write) changes = begin(&b, b.first, OG_LANCE_UPDATE, true);
        drop(deletes, b.first, id);
        change(changes, b.first, id, "z");
        og_lance_verdict expected = id == 0 ? OG_LANCE_FITS : OG_LANCE_RETRY;
        assert_int_equal(rebase(&b, deletes), expected);
        assert_int_equal(rebase(&b, changes), expected);
        const og_lance_staged *staged; /* as it was: for the slot that is taken */
        assert_ok(og_lance_write_stage(deletes, &staged, err));
        assert_int_equal(staged->version, id == 0 ? 3 : 2);
    }
}

TEST(test_table_rebase__rows_that_a_fold_moved_are_found)
{
    AUTO_BENCH b = make("a");
    const char *keys[] = {"b", "c", "d", "e", "f", "g", "h", "i"};
    for (int i = 0; i < 8; i++) {
        og_lance_write *write = begin(&b, b.head, OG_LANCE_APPEND, false);
        add(write, keys[i]);
        commit(&b, write);
    }
    OG_AUTO(og_lance_table) base = og_lance_table_ref(b.head);
    og_lance_write *mine = begin(&b, base, OG_LANCE_UPDATE, true);
    og_lance_write *clash = begin(&b, base, OG_LANCE_DELETE, true);
    change(mine, base, 2, "C");
    drop(clash, base, 5);
    og_lance_write *theirs = begin(&b, base, OG_LANCE_UPDATE, true);
    change(theirs, base, 5, "F");
    const og_lance_staged *staged;
    assert_ok(og_lance_write_stage(mine, &staged, err)); /* folds, too: done anew after the move */
    commit(&b, theirs);
    uint32_t count;
    og_lance_table_fragments(b.head, &count);
    assert_int_equal(count, 2);
    assert_int_equal(rebase(&b, clash), OG_LANCE_RETRY);
    lose_and_move(&b, mine);
    assert_string_equal(text_of(b.head), "a0@1 b1@2 d3@4 e4@5 g6@7 h7@8 i8@9 F5@10 C2@11");
    og_lance_write_free(clash);
}

/* The objects of the table, without manifests. */
static size_t count_files(bench *b)
{
    og_listing listing = {0};
    assert_ok(b->store->ops->list(b->store, "t/", true, NULL, 0, &listing, err));
    size_t count = 0;
    for (size_t i = 0; i < listing.len; i++)
        count += !og_str_ends(listing.items[i].name, OG_STR(".manifest"));
    og_listing_deinit(&listing);
    return count;
}

TEST(test_table_rebase__files_of_the_lost_slot_go)
{
    AUTO_BENCH b = make("abc");
    og_lance_write *mine = begin(&b, b.first, OG_LANCE_UPDATE, true);
    change(mine, b.first, 0, "A");
    const og_lance_staged *staged;
    assert_ok(og_lance_write_stage(mine, &staged, err));
    assert_int_equal(count_files(&b), 3); /* two data files, one of deletions */
    og_lance_write *theirs = begin(&b, b.first, OG_LANCE_DELETE, true);
    drop(theirs, b.first, 1);
    commit(&b, theirs);
    assert_int_equal(rebase(&b, mine), OG_LANCE_FITS);
    assert_int_equal(count_files(&b), 3); /* theirs; mine will be written again */
    og_lance_write_free(mine);
    assert_int_equal(count_files(&b), 2);
}

/* The content of `of`, at the slot after the head. */
static void restore(bench *b, og_lance_table *of)
{
    og_lance_write_options o = {
        .op = OG_LANCE_RESTORE, .restore_from = of, .min_max_fragment_id = -1, .now_us = 1};
    og_lance_write *write;
    assert_ok(og_lance_write_new(b->env, b->head, &o, &write, err));
    commit(b, write);
}

TEST(test_table_rebase__a_slot_that_was_given_up)
{
    AUTO_BENCH b = make("ab");
    OG_AUTO(og_lance_write) mine = begin(&b, b.first, OG_LANCE_APPEND, true);
    add(mine, "c");
    const og_lance_staged *staged;
    assert_ok(og_lance_write_stage(mine, &staged, err));
    assert_ok(og_lance_staged_commit(mine, true, err));
    og_lance_table_unref(b.head);
    assert_ok(og_lance_table_open(b.env, "t", 2, 0, &b.head, err));
    restore(&b, b.first);
    assert_string_equal(text_of(b.head), "a0@1 b1@1");
    assert_int_equal(rebase(&b, mine), OG_LANCE_FITS);
    commit(&b, OG_TAKE(mine));
    assert_string_equal(text_of(b.head), "a0@1 b1@1 c3@4"); /* id 2 was given once */
}

TEST(test_table_rebase__a_table_that_was_replaced)
{
    AUTO_BENCH b = make("ab");
    og_lance_write *write = begin(&b, b.first, OG_LANCE_APPEND, false);
    add(write, "c");
    commit(&b, write);
    OG_AUTO(og_lance_table) second = og_lance_table_ref(b.head);
    restore(&b, b.first);
    OG_AUTO(og_lance_write) mine = begin(&b, second, OG_LANCE_APPEND, false);
    assert_int_equal(rebase(&b, mine), OG_LANCE_INCOMPATIBLE);
    og_lance_write *overwrite = begin(&b, b.head, OG_LANCE_OVERWRITE, false);
    OG_AUTO(og_lance_write) whole = begin(&b, b.head, OG_LANCE_OVERWRITE, false);
    add(overwrite, "z");
    commit(&b, overwrite);
    OG_AUTO(og_lance_write) append = begin(&b, b.first, OG_LANCE_APPEND, false);
    assert_int_equal(rebase(&b, append), OG_LANCE_INCOMPATIBLE);
    assert_int_equal(rebase(&b, whole), OG_LANCE_RETRY);
}

/* It takes the place of whatever is there, under ids that nobody had. */
TEST(test_table_rebase__an_overwrite_replaces_what_came_before_it)
{
    AUTO_BENCH b = make("ab");
    og_lance_write *mine = begin(&b, b.first, OG_LANCE_OVERWRITE, false);
    og_lance_write *theirs = begin(&b, b.first, OG_LANCE_APPEND, true);
    add(mine, "xy");
    add(theirs, "c");
    commit(&b, theirs);
    lose_and_move(&b, mine);
    assert_string_equal(text_of(b.head), "x3@3 y4@3");
    uint32_t count;
    const og_lance_fragment *f = og_lance_table_fragments(b.head, &count);
    assert_int_equal(count, 1);
    assert_int_equal(f[0].id, 2);
    assert_int_equal(og_lance_table_next_row_id(b.head), 5);
}

TEST(test_table_rebase__each_allocation_fails)
{
    AUTO_BENCH b = make("abcd");
    og_lance_write *theirs = begin(&b, b.first, OG_LANCE_UPDATE, true);
    change(theirs, b.first, 1, "B");
    commit(&b, theirs);
    for (int64_t n = 0;; n++) {
        OG_AUTO(og_lance_write) mine = begin(&b, b.first, OG_LANCE_UPDATE, true);
        change(mine, b.first, 0, "A");
        add(mine, "n");
        og_lance_verdict verdict;
        og_alloc_fail_after(n, true);
        og_status s = og_lance_write_rebase(mine, b.head, &verdict, NULL);
        og_alloc_fail_after(-1, false);
        if (s == OG_OK)
            break;
        assert_int_equal(s, OG_NOMEM);
        assert_true(n < 1000);
    }
}

/* ---- every kind of ours behind every kind of theirs ------------------------------------------ */

/* Operations on a table of two columns, id and n, with rows of ids 0..9 in fragment 0,
 * of which 0..4 are deleted already, and 10..19 in fragment 1. */
typedef enum kind {
    APPEND,
    DELETE,
    UPDATE,
    OVERWRITE,
    COMPACT,
    ADD_COLUMN,
    DROP_COLUMN,
    MAKE_INDEX,
    RESTORE,
    CONFIG,
    KINDS,
} kind;

static const char *const kind_names[] = {"append",  "delete",     "update",      "overwrite",
                                         "compact", "add column", "drop column", "make index",
                                         "restore", "config"};

/* By Lance 6.0.1: '.' is rebased, R retried, X incompatible; in lower case where the same rows or
 * names are meant and others would do. m: Lance retries, we find the rows where they are now. Ours
 * in rows, theirs in columns as above. */
static const char *const verdicts[KINDS] = {
    [APPEND] = "...X....X.",      [DELETE] = ".rrXmR..X.",     [UPDATE] = ".rrXmR..X.",
    [OVERWRITE] = "...R.....x",   [COMPACT] = ".rrXrR.rX.",    [ADD_COLUMN] = "RRRXRRX.X.",
    [DROP_COLUMN] = "...X.RR.X.", [MAKE_INDEX] = "...Xr..rX.", [RESTORE] = "..........",
    [CONFIG] = "...x.....x",
};

static const og_lance_new_field pair_fields[] = {
    {.field = {{"id", 2}, &(og_type){.id = OG_TYPE_I64}, false}},
    {.field = {{"n", 1}, &(og_type){.id = OG_TYPE_I64}, true}},
    {.field = {{"extra", 5}, &(og_type){.id = OG_TYPE_I64}, true}},
};

static void pair_rows(og_lance_write *write, int64_t first, int64_t count, const uint64_t *row_ids)
{
    OG_AUTO_BATCH batch = {0};
    assert_ok(og_batch_init(&batch, 2, count, err));
    for (int c = 0; c < 2; c++) {
        OG_AUTO(og_builder) b = og_builder_new(og_type_of(OG_TYPE_I64));
        for (int64_t i = 0; i < count; i++)
            assert_true(og_builder_i64(b, first + i));
        assert_ok(og_builder_finish(b, &batch.columns[c], err));
    }
    assert_ok(og_lance_write_rows(write, &batch, row_ids, err));
}

static og_lance_op op_of(kind k)
{
    static const og_lance_op ops[] = {
        OG_LANCE_APPEND, OG_LANCE_DELETE, OG_LANCE_UPDATE, OG_LANCE_OVERWRITE, OG_LANCE_COMPACT,
        OG_LANCE_EVOLVE, OG_LANCE_EVOLVE, OG_LANCE_INDEX,  OG_LANCE_RESTORE,   OG_LANCE_CONFIG};
    return ops[k];
}

static void make_index(og_lance_write *write, bool elsewhere)
{
    const uint32_t fragment = elsewhere ? 1 : 0;
    const og_lance_new_index index = {.uuid = og_lance_write_new_uuid(write),
                                      .name = elsewhere ? OG_STR("other") : OG_STR("n_idx"),
                                      .kind = OG_STR("BTree"),
                                      .field_id = 0,
                                      .fragments = &fragment,
                                      .fragment_count = 1};
    assert_ok(og_lance_write_add_index(write, &index, err));
}

/* An operation on rows of fragment 0, or `elsewhere`. */
static og_lance_write *begin_kind(bench *b, og_lance_table *base, kind k, bool elsewhere)
{
    const og_lance_kv key = {elsewhere ? OG_STR("other") : OG_STR("key"), OG_STR("value")};
    og_lance_write_options o = {.op = op_of(k),
                                .path = "t",
                                .restore_from = k == RESTORE ? b->first : NULL,
                                .config = &key,
                                .config_count = k == CONFIG || k == OVERWRITE,
                                .min_max_fragment_id = -1,
                                .now_us = 1};
    og_lance_write *write;
    assert_ok(og_lance_write_new(b->env, base, &o, &write, err));
    uint64_t row = elsewhere ? 15 : 7;
    og_lance_compact_stats stats;
    switch (k) {
    case APPEND:
    case OVERWRITE:
        pair_rows(write, 100, 3, NULL);
        break;
    case DELETE:
        drop(write, base, row);
        break;
    case UPDATE:
        drop(write, base, row);
        pair_rows(write, 200, 1, &row);
        break;
    case COMPACT:
        assert_ok(og_lance_write_compact(write, &(og_lance_compact_options){.target_rows = 10},
                                         &stats, err));
        assert_int_equal(stats.fragments_removed, 1);
        break;
    case ADD_COLUMN:
        assert_ok(og_lance_write_add_field(write, &pair_fields[2], err));
        break;
    case DROP_COLUMN:
        assert_ok(og_lance_write_drop_field(write, OG_STR("n"), err));
        break;
    case MAKE_INDEX:
        make_index(write, elsewhere);
        break;
    default:
        break;
    }
    return write;
}

static void commit_pair_table(bench *b)
{
    const og_lance_write_options o = {.op = OG_LANCE_CREATE,
                                      .path = "t",
                                      .fields = pair_fields,
                                      .field_count = 2,
                                      .min_max_fragment_id = -1,
                                      .now_us = 1};
    og_lance_write *write;
    assert_ok(og_lance_write_new(b->env, NULL, &o, &write, err));
    pair_rows(write, 0, 10, NULL);
    commit(b, write);
    b->first = og_lance_table_ref(b->head);
    write = begin(b, b->head, OG_LANCE_APPEND, false);
    pair_rows(write, 10, 10, NULL);
    commit(b, write);
    write = begin(b, b->head, OG_LANCE_DELETE, false);
    for (uint64_t id = 0; id < 5; id++)
        drop(write, b->head, id);
    commit(b, write);
}

static char verdict_of(og_lance_verdict v)
{
    return v == OG_LANCE_FITS ? '.' : v == OG_LANCE_RETRY ? 'R' : 'X';
}

/* What both did is there. */
static void expect_both(const og_lance_table *t, kind ours, kind theirs)
{
    static const int changes[KINDS] = {[APPEND] = 3, [DELETE] = -1};
    uint32_t columns;
    og_lance_table_fields(t, &columns);
    if (ours == RESTORE || ours == OVERWRITE) {
        assert_int_equal(og_lance_table_row_count(t), ours == RESTORE ? 10 : 3);
        return;
    }
    if (theirs == RESTORE || theirs == OVERWRITE)
        return; /* CONFIG */
    assert_int_equal(og_lance_table_row_count(t), 15 + changes[ours] + changes[theirs]);
    assert_int_equal(columns, 2 + (ours == ADD_COLUMN) + (theirs == ADD_COLUMN) -
                                  (ours == DROP_COLUMN) - (theirs == DROP_COLUMN));
    OG_AUTO(og_arena) arena = og_arena_new(0);
    const og_lance_index *indices;
    uint32_t count;
    assert_ok(og_lance_indices(t, arena, &indices, &count, err));
    assert_int_equal(count, (ours == MAKE_INDEX) + (theirs == MAKE_INDEX));
    og_lance_kv pair;
    assert_true(og_lance_table_pair(t, OG_LANCE_PAIRS_CONFIG, 0, &pair) ==
                (ours == CONFIG || theirs == CONFIG));
}

/* Rows of every column, ids and versions can be read. */
static void read_all(og_lance_table *t)
{
    uint32_t columns;
    static const uint32_t fields[] = {0, 1, 2};
    og_lance_table_fields(t, &columns);
    OG_AUTO(og_lance_scan) scan = NULL;
    assert_ok(og_lance_scan_open(t, fields, columns, 0, UINT32_MAX, &scan, err));
    for (uint64_t rows = 0;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        uint64_t ids[64], updated[64], created[64];
        assert_ok(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0) {
            assert_int_equal(rows, og_lance_table_row_count(t));
            return;
        }
        rows += (uint64_t)batch.row_count;
        assert_ok(og_lance_row_ids(t, slots, (size_t)batch.row_count, ids, err));
        assert_ok(og_lance_row_versions(t, slots, (size_t)batch.row_count, updated, created, err));
    }
}

static void meet(kind ours, kind theirs, bool elsewhere)
{
    AUTO_BENCH b = {0};
    assert_ok(og_store_open_memory(&b.store, err));
    assert_ok(og_lance_env_new(b.store, 1 << 20, &b.env, err));
    commit_pair_table(&b);
    OG_AUTO(og_lance_table) base = og_lance_table_ref(b.head);
    OG_AUTO(og_lance_write) mine = begin_kind(&b, base, ours, false);
    const og_lance_staged *staged;
    assert_ok(og_lance_write_stage(mine, &staged, err));
    commit(&b, begin_kind(&b, base, theirs, elsewhere));
    assert_status(og_lance_staged_commit(mine, true, NULL), OG_EXISTS);
    char expected = verdicts[ours][theirs], got = verdict_of(rebase(&b, mine));
    if (expected == 'm')
        expected = '.';
    /* There is one fragment to compact; all else can be done elsewhere. */
    if (expected == 'r' || expected == 'x')
        expected = elsewhere && theirs != COMPACT ? '.' : expected == 'r' ? 'R' : 'X';
    if (got != expected)
        fail_msg("%s behind %s%s: %c, not %c", kind_names[ours], kind_names[theirs],
                 elsewhere ? " elsewhere" : "", got, expected);
    if (got != '.')
        return;
    assert_ok(og_lance_write_stage(mine, &staged, err));
    assert_int_equal(staged->version, 5);
    commit(&b, OG_TAKE(mine));
    expect_both(b.head, ours, theirs);
    read_all(b.head);
}

TEST(test_table_rebase__every_kind_behind_every_kind)
{
    for (int ours = 0; ours < KINDS; ours++)
        for (int theirs = 0; theirs < KINDS; theirs++) {
            meet((kind)ours, (kind)theirs, false);
            meet((kind)ours, (kind)theirs, true);
        }
}

/* ---- compactions of different fragments ------------------------------------------------------ */

/* Fragments of 60, 60, 10 and 10 rows; of the large ones a quarter is deleted. */
static void commit_four_fragments(bench *b)
{
    const og_lance_write_options o = {.op = OG_LANCE_CREATE,
                                      .path = "t",
                                      .fields = pair_fields,
                                      .field_count = 2,
                                      .min_max_fragment_id = -1,
                                      .now_us = 1};
    static const int64_t sizes[] = {60, 60, 10, 10};
    int64_t first = 0;
    for (int i = 0; i < 4; i++) {
        og_lance_write *write;
        if (i == 0)
            assert_ok(og_lance_write_new(b->env, NULL, &o, &write, err));
        else
            write = begin(b, b->head, OG_LANCE_APPEND, false);
        pair_rows(write, first, sizes[i], NULL);
        commit(b, write);
        first += sizes[i];
    }
    og_lance_write *write = begin(b, b->head, OG_LANCE_DELETE, false);
    for (uint64_t id = 0; id < 120; id += 4)
        drop(write, b->head, id);
    commit(b, write);
}

/* Of the two that have deletions, or of the two that are small. */
static og_lance_write *begin_compaction(bench *b, og_lance_table *base, bool large)
{
    const og_lance_compact_options options[] = {{.target_rows = 50, .deletion_threshold = 0.99},
                                                {.target_rows = 5}};
    og_lance_compact_stats stats;
    og_lance_write *write = begin(b, base, OG_LANCE_COMPACT, false);
    assert_ok(og_lance_write_compact(write, &options[large], &stats, err));
    assert_int_equal(stats.fragments_removed, 2);
    assert_int_equal(stats.rows, large ? 90 : 20);
    return write;
}

/* Sums over all rows, whatever their order; the products tell whether they belong together. */
typedef struct fingerprint {
    uint64_t rows, n, ids, updated, created, products;
} fingerprint;

static fingerprint fingerprint_of(og_lance_table *t)
{
    static const uint32_t field = 1;
    fingerprint f = {0};
    OG_AUTO(og_lance_scan) scan = NULL;
    assert_ok(og_lance_scan_open(t, &field, 1, 0, UINT32_MAX, &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        uint64_t ids[256], updated[256], created[256];
        assert_ok(og_lance_scan_next(scan, &batch, &slots, err));
        size_t count = (size_t)batch.row_count;
        if (count == 0)
            return f;
        assert_in_range(count, 1, 256);
        assert_ok(og_lance_row_ids(t, slots, count, ids, err));
        assert_ok(og_lance_row_versions(t, slots, count, updated, created, err));
        for (size_t i = 0; i < count; i++) {
            uint64_t n = og_array_u64(batch.columns[0], (int64_t)i);
            f.rows++;
            f.n += n;
            f.ids += ids[i];
            f.updated += updated[i];
            f.created += created[i];
            f.products += (n + 1) * (ids[i] + 3) * (updated[i] + 5) * (created[i] + 7);
        }
    }
}

static void compact_beside(bool large_first, bool same)
{
    AUTO_BENCH b = {0};
    assert_ok(og_store_open_memory(&b.store, err));
    assert_ok(og_lance_env_new(b.store, 1 << 20, &b.env, err));
    commit_four_fragments(&b);
    OG_AUTO(og_lance_table) base = og_lance_table_ref(b.head);
    const fingerprint before = fingerprint_of(base);
    OG_AUTO(og_lance_write) mine = begin_compaction(&b, base, !large_first);
    const og_lance_staged *staged;
    assert_ok(og_lance_write_stage(mine, &staged, err));
    commit(&b, begin_compaction(&b, base, same ? !large_first : large_first));
    assert_status(og_lance_staged_commit(mine, true, NULL), OG_EXISTS);
    assert_int_equal(rebase(&b, mine), same ? OG_LANCE_RETRY : OG_LANCE_FITS);
    if (same)
        return;
    assert_ok(og_lance_write_stage(mine, &staged, err));
    commit(&b, OG_TAKE(mine));
    const fingerprint after = fingerprint_of(b.head);
    assert_memory_equal(&before, &after, sizeof before);
    uint32_t count;
    const og_lance_fragment *f = og_lance_table_fragments(b.head, &count);
    assert_int_equal(count, 90 / 5 + 1);
    for (uint32_t i = 1; i < count; i++)
        assert_true(f[i].id > f[i - 1].id && f[i].deleted_rows == 0);
}

TEST(test_table_rebase__compactions_of_other_fragments_go_behind_each_other)
{
    compact_beside(true, false);
    compact_beside(false, false);
    compact_beside(true, true);
    compact_beside(false, true);
}
