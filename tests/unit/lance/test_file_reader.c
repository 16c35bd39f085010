/* The data file reader over files that pylance wrote (tests/data/lance, made by
 * tests/tools/make_lance_files.py): what they hold, damage, cost, threads. */
#include "columnar/kernels.h"
#include "lance/file/reader.h"
#include "lance_text.h"
#include "og_test.h"
#include "store/file.h"
#include "store/memory.h"

#include <pthread.h>
#include <stdlib.h>

static const char *const names[] = {"blobs",   "dictionaries", "huge",  "lists",   "numbers",
                                    "one_row", "sparse",       "texts", "vectors", "version21"};
enum { NAME_COUNT = sizeof names / sizeof names[0], MAX_FIELDS = 32, MAX_LEAVES = 4 };

/* ---- a file and what it holds ------------------------------------------------------------- */

typedef struct sample_field {
    og_field field;
    uint32_t leaves[MAX_LEAVES];
    og_lance_column column;
    og_str expected; /* all rows as JSON */
} sample_field;

typedef struct sample {
    og_arena *arena;
    og_store *store; /* in memory, with "f.lance" */
    og_bytes bytes;
    sample_field fields[MAX_FIELDS];
    uint32_t field_count;
} sample;

static og_bytes load(og_arena *arena, const char *name, const char *suffix)
{
    OG_AUTO(og_store) store = NULL;
    OG_AUTO(og_blob) blob = NULL;
    char file[64];
    snprintf(file, sizeof file, "%s.%s", name, suffix);
    assert_ok(og_store_open_file(LANCE_DATA, false, &store, err));
    assert_ok(store->ops->get(store, file, &blob, err));
    uint8_t *copy = og_arena_copy(arena, blob->ptr, blob->len);
    assert_non_null(copy);
    return (og_bytes){copy, blob->len};
}

/* "TYPE@1,2 [..]" */
static void parse_field(sample *s, og_str line)
{
    sample_field *f = &s->fields[s->field_count++];
    size_t at = og_str_find(line, OG_STR("@")), space = og_str_find(line, OG_STR(" "));
    const char *type = og_arena_str(s->arena, og_str_slice(line, 0, at)).ptr;
    f->expected = og_str_slice(line, space + 1, line.len);
    f->column = (og_lance_column){&f->field, f->leaves, 0, strcmp(type, "blob") == 0};
    f->field = (og_field){.name = OG_STR("f"), .nullable = true};
    f->field.type = f->column.is_blob ? og_lance_blob_type() : lance_text_type(s->arena, type);
    assert_non_null(f->field.type);
    for (char *p = (char *)line.ptr + at; *p != ' ';)
        f->leaves[f->column.leaf_count++] = (uint32_t)strtoul(p + 1, &p, 10);
}

static void put_file(og_store *store, og_bytes bytes)
{
    assert_ok(store->ops->put(store, "f.lance", bytes, err));
}

static void open_sample(sample *s, const char *name)
{
    *s = (sample){.arena = og_arena_new(0)};
    assert_non_null(s->arena);
    s->bytes = load(s->arena, name, "lance");
    assert_ok(og_store_open_memory(&s->store, err));
    put_file(s->store, s->bytes);
    og_bytes text = load(s->arena, name, "txt");
    og_str rest = {(const char *)text.ptr, text.len};
    while (rest.len > 0) {
        size_t end = og_str_find(rest, OG_STR("\n"));
        parse_field(s, og_str_slice(rest, 0, end));
        rest = og_str_slice(rest, end + 1, rest.len);
    }
}

static void close_sample(sample *s)
{
    og_store_close(s->store);
    og_arena_free(s->arena);
}

static og_lance_file *open_file(og_store *store)
{
    og_lance_file *file;
    assert_ok(og_lance_file_open(store, "f.lance", 0, &file, err));
    return file;
}

static og_array *read_all(og_lance_file *file, const og_lance_column *column)
{
    og_array *array;
    assert_ok(og_lance_file_read(file, column, 0, og_lance_file_rows(file), &array, err));
    assert_ok(og_array_validate(array, true, err));
    return array;
}

/* ---- content ------------------------------------------------------------------------------ */

static void check_field(og_lance_file *file, const sample_field *f)
{
    OG_AUTO(og_array) array = read_all(file, &f->column);
    OG_AUTO_BUF text = OG_BUF_INIT;
    lance_text_array(array, &text);
    if (!og_str_eq(og_buf_view(&text), f->expected))
        fail_msg("column %u of %s differs", f->leaves[0], og_lance_file_name(file));
}

TEST(test_file_reader__reads_what_was_written)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        sample s;
        open_sample(&s, names[i]);
        for (int mapped = 0; mapped < 2; mapped++) {
            s.store->maps_objects = mapped;
            OG_AUTO(og_lance_file) file = open_file(s.store);
            for (uint32_t k = 0; k < s.field_count; k++)
                check_field(file, &s.fields[k]);
        }
        close_sample(&s);
    }
}

static void check_part(const og_array *whole, const og_array *part, const uint32_t *rows,
                       uint64_t start)
{
    assert_ok(og_array_validate(part, true, err));
    for (int64_t i = 0; i < part->length; i++) {
        int64_t row = rows != NULL ? rows[i] : (int64_t)start + i;
        assert_true(og_rows_equal(whole, row, part, i));
    }
}

static void check_ranges(og_lance_file *file, const og_lance_column *column, uint64_t step)
{
    OG_AUTO(og_array) whole = read_all(file, column);
    uint64_t rows = og_lance_file_rows(file);
    for (uint64_t start = 0; start < rows; start += step) {
        OG_AUTO(og_array) part = NULL;
        uint64_t count = rows - start < step ? rows - start : step;
        assert_ok(og_lance_file_read(file, column, start, count, &part, err));
        assert_int_equal(part->length, count);
        check_part(whole, part, NULL, start);
    }
}

TEST(test_file_reader__ranges_are_parts_of_the_whole)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        sample s;
        open_sample(&s, names[i]);
        OG_AUTO(og_lance_file) file = open_file(s.store);
        for (uint32_t k = 0; k < s.field_count; k++) {
            check_ranges(file, &s.fields[k].column, 7);
            check_ranges(file, &s.fields[k].column, 1000);
        }
        close_sample(&s);
    }
}

/* Ascending rows `gap` apart on average, some of them twice. */
static void check_take(og_lance_file *file, const og_lance_column *column, uint64_t gap,
                       uint64_t seed)
{
    static uint32_t rows[20000];
    uint64_t count = 0;
    for (uint64_t row = og_test_random(&seed) % gap; row < og_lance_file_rows(file);
         row += 1 + og_test_random(&seed) % (2 * gap - 1)) {
        rows[count++] = (uint32_t)row;
        if (og_test_random(&seed) % 5 == 0)
            rows[count++] = (uint32_t)row;
    }
    OG_AUTO(og_array) whole = read_all(file, column);
    OG_AUTO(og_array) part = NULL;
    assert_ok(og_lance_file_take(file, column, rows, count, &part, err));
    assert_int_equal(part->length, count);
    check_part(whole, part, rows, 0);
}

TEST(test_file_reader__takes_rows)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        sample s;
        open_sample(&s, names[i]);
        for (int mapped = 0; mapped < 2; mapped++) {
            s.store->maps_objects = mapped;
            OG_AUTO(og_lance_file) file = open_file(s.store);
            for (uint32_t k = 0; k < s.field_count; k++) {
                for (uint64_t gap = 1; gap < 2000; gap *= 9)
                    check_take(file, &s.fields[k].column, gap, gap + k);
            }
        }
        close_sample(&s);
    }
}

TEST(test_file_reader__no_rows_make_an_empty_array)
{
    sample s;
    open_sample(&s, "lists");
    OG_AUTO(og_lance_file) file = open_file(s.store);
    for (uint32_t k = 0; k < s.field_count; k++) {
        OG_AUTO(og_array) range = NULL;
        OG_AUTO(og_array) taken = NULL;
        assert_ok(og_lance_file_read(file, &s.fields[k].column, 5, 0, &range, err));
        assert_ok(og_lance_file_take(file, &s.fields[k].column, NULL, 0, &taken, err));
        assert_int_equal(range->length, 0);
        assert_ok(og_array_validate(range, true, err));
        assert_ok(og_array_validate(taken, true, err));
    }
    close_sample(&s);
}

/* ---- wrong requests ----------------------------------------------------------------------- */

TEST(test_file_reader__refuses_rows_and_columns_that_are_not_there)
{
    sample s;
    open_sample(&s, "texts");
    OG_AUTO(og_lance_file) file = open_file(s.store);
    og_lance_column column = s.fields[0].column;
    const uint32_t past[] = {300}, descending[] = {2, 1}, none[] = {99};
    og_array *array;
    assert_status(og_lance_file_read(file, &column, 299, 2, &array, NULL), OG_INVALID);
    assert_status(og_lance_file_read(file, &column, UINT64_MAX, 2, &array, NULL), OG_INVALID);
    assert_status(og_lance_file_take(file, &column, past, 1, &array, NULL), OG_INVALID);
    assert_status(og_lance_file_take(file, &column, descending, 2, &array, NULL), OG_INVALID);
    column.leaves = none;
    assert_status(og_lance_file_read(file, &column, 0, 1, &array, NULL), OG_CORRUPT);
    column.leaf_count = 2;
    assert_status(og_lance_file_read(file, &column, 0, 1, &array, NULL), OG_INVALID);
    close_sample(&s);
}

TEST(test_file_reader__another_type_is_corrupt_and_says_where)
{
    sample s;
    og_error err;
    open_sample(&s, "numbers");
    OG_AUTO(og_lance_file) file = open_file(s.store);
    const og_field field = {OG_STR("f"), og_type_of(OG_TYPE_I64), true};
    const uint32_t leaf = 0;
    og_array *array;
    assert_status(
        og_lance_file_read(file, &(og_lance_column){&field, &leaf, 1, false}, 0, 1, &array, &err),
        OG_CORRUPT);
    assert_non_null(
        strstr(err.message, "f.lance: column 0, page 0 (rows from 0): chunk 0 at byte "));
    assert_non_null(strstr(err.message, "InlineBitpacking of 32 bits"));
    close_sample(&s);
}

/* ---- damage ------------------------------------------------------------------------------- */

/* Read all of a damaged file: errors are expected, anything read must be a valid array. */
static void read_damaged(sample *s, og_bytes bytes)
{
    static og_error err;
    OG_AUTO(og_lance_file) file = NULL;
    put_file(s->store, bytes);
    if (og_lance_file_open(s->store, "f.lance", 0, &file, &err) != OG_OK)
        return;
    for (uint32_t k = 0; k < s->field_count; k++) {
        OG_AUTO(og_array) array = NULL;
        uint64_t rows = og_lance_file_rows(file);
        og_status status = og_lance_file_read(file, &s->fields[k].column, 0,
                                              rows < 10000 ? rows : 10000, &array, &err);
        if (status == OG_OK)
            assert_ok(og_array_validate(array, true, err));
        else
            assert_true(status == OG_CORRUPT || status == OG_UNSUPPORTED || status == OG_LIMIT);
    }
}

TEST(test_file_reader__cut_files_are_corrupt)
{
    sample s;
    open_sample(&s, "one_row");
    for (size_t len = 0; len < s.bytes.len; len++) {
        /* A file of its own size, so that the sanitizer sees a byte too many. */
        uint8_t *cut = malloc(len + 1);
        memcpy(cut, s.bytes.ptr, len);
        put_file(s.store, (og_bytes){cut, len});
        free(cut);
        og_lance_file *file;
        assert_status(og_lance_file_open(s.store, "f.lance", 0, &file, NULL), OG_CORRUPT);
    }
    close_sample(&s);
}

TEST(test_file_reader__a_size_other_than_stated_is_corrupt)
{
    sample s;
    og_lance_file *file;
    open_sample(&s, "one_row");
    for (int mapped = 0; mapped < 2; mapped++) {
        s.store->maps_objects = mapped;
        assert_status(og_lance_file_open(s.store, "f.lance", s.bytes.len + 1, &file, NULL),
                      OG_CORRUPT);
        assert_status(og_lance_file_open(s.store, "f.lance", 100000000, &file, NULL), OG_CORRUPT);
    }
    assert_status(og_lance_file_open(s.store, "g.lance", 0, &file, NULL), OG_NOT_FOUND);
    close_sample(&s);
}

TEST(test_file_reader__flipped_bits_never_crash)
{
    sample s;
    open_sample(&s, "one_row");
    uint8_t *bytes = og_arena_copy(s.arena, s.bytes.ptr, s.bytes.len);
    for (size_t bit = 0; bit < s.bytes.len * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        read_damaged(&s, (og_bytes){bytes, s.bytes.len});
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    close_sample(&s);
}

TEST(test_file_reader__random_damage_never_crashes)
{
    for (size_t i = 0; i < NAME_COUNT; i++) {
        sample s;
        uint64_t seed = i;
        open_sample(&s, names[i]);
        uint8_t *bytes = og_arena_copy(s.arena, s.bytes.ptr, s.bytes.len);
        for (int round = 0; round < 40; round++) {
            size_t at = og_test_random(&seed) % s.bytes.len, len = 1 + og_test_random(&seed) % 8;
            for (size_t k = at; k < at + len && k < s.bytes.len; k++)
                bytes[k] = (uint8_t)og_test_random(&seed);
            read_damaged(&s, (og_bytes){bytes, s.bytes.len});
            memcpy(bytes, s.bytes.ptr, s.bytes.len);
        }
        close_sample(&s);
    }
}

/* ---- cost, memory, threads ---------------------------------------------------------------- */

TEST(test_file_reader__caches_once)
{
    sample s;
    open_sample(&s, "dictionaries");
    OG_AUTO(og_lance_file) file = open_file(s.store);
    assert_int_equal(og_lance_file_cached_bytes(file), 0);
    check_field(file, &s.fields[1]);
    size_t cached = og_lance_file_cached_bytes(file);
    assert_in_range(cached, 1100 * 8, 1100 * 8 + 8192);
    check_field(file, &s.fields[1]);
    assert_int_equal(og_lance_file_cached_bytes(file), cached);
    close_sample(&s);
}

TEST(test_file_reader__a_mapped_file_is_one_request)
{
    sample s;
    open_sample(&s, "numbers");
    s.store->stats = (og_store_stats){0};
    OG_AUTO(og_lance_file) file = open_file(s.store);
    for (uint32_t k = 0; k < s.field_count; k++)
        check_field(file, &s.fields[k]);
    assert_int_equal(s.store->stats.gets, 1);
    close_sample(&s);
}

TEST(test_file_reader__a_small_file_is_fetched_at_once)
{
    sample s;
    open_sample(&s, "numbers");
    s.store->maps_objects = false;
    s.store->stats = (og_store_stats){0};
    OG_AUTO(og_lance_file) file = NULL;
    assert_ok(og_lance_file_open(s.store, "f.lance", s.bytes.len, &file, err));
    for (uint32_t k = 0; k < s.field_count; k++)
        check_field(file, &s.fields[k]);
    assert_int_equal(s.store->stats.gets, 1);
    assert_int_equal(s.store->stats.heads, 0);
    close_sample(&s);
}

TEST(test_file_reader__survives_each_failing_allocation)
{
    sample s;
    open_sample(&s, "lists");
    for (uint32_t k = 0; k < s.field_count; k++) {
        og_status status = OG_NOMEM;
        for (int64_t n = 0; status != OG_OK; n++) {
            OG_AUTO(og_lance_file) file = NULL;
            OG_AUTO(og_array) array = NULL;
            og_alloc_fail_after(n, false);
            status = og_lance_file_open(s.store, "f.lance", 0, &file, NULL);
            if (status == OG_OK)
                status = og_lance_file_read(file, &s.fields[k].column, 0, 120, &array, NULL);
            og_alloc_fail_after(-1, false);
            assert_true(status == OG_OK || status == OG_NOMEM);
        }
    }
    close_sample(&s);
}

typedef struct reader_thread {
    pthread_t thread;
    og_lance_file *file;
    const sample *sample;
    int failures;
} reader_thread;

static void *read_in_thread(void *p)
{
    reader_thread *t = p;
    for (uint32_t k = 0; k < t->sample->field_count; k++) {
        og_array *array = NULL;
        const og_lance_column *column = &t->sample->fields[k].column;
        if (og_lance_file_read(t->file, column, 0, og_lance_file_rows(t->file), &array, NULL) !=
            OG_OK)
            t->failures++;
        og_array_unref(array);
    }
    return NULL;
}

TEST(test_file_reader__threads_share_a_file)
{
    sample s;
    reader_thread threads[4];
    open_sample(&s, "texts");
    OG_AUTO(og_lance_file) file = open_file(s.store);
    for (int i = 0; i < 4; i++) {
        threads[i] = (reader_thread){.file = file, .sample = &s};
        assert_int_equal(pthread_create(&threads[i].thread, NULL, read_in_thread, &threads[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i].thread, NULL);
        assert_int_equal(threads[i].failures, 0);
    }
    for (uint32_t k = 0; k < s.field_count; k++)
        check_field(file, &s.fields[k]);
    close_sample(&s);
}
