/* Row id sequences and lineage: every stored shape, round trips, and damaged bytes. */
#include "lance/table/rows_priv.h"
#include "og_test.h"

static void deinit_ids(og_table__id_runs *runs)
{
    og_vec_deinit(runs);
}
static void deinit_versions(og_table__version_runs *runs)
{
    og_vec_deinit(runs);
}
#define AUTO_IDS __attribute__((cleanup(deinit_ids))) og_table__id_runs
#define AUTO_VERSIONS __attribute__((cleanup(deinit_versions))) og_table__version_runs

static og_status decode(const char *bytes, size_t len, uint32_t rows, og_table__id_runs *out)
{
    return og_table__row_ids_decode((og_bytes){(const uint8_t *)bytes, len}, 0, rows, out, NULL);
}

static void expect_ids(const og_table__id_runs *runs, const uint64_t *ids, uint32_t count)
{
    uint32_t at = 0;
    for (size_t i = 0; i < runs->len; i++)
        for (uint32_t k = 0; k < runs->items[i].count; k++, at++) {
            assert_true(at < count);
            assert_int_equal(runs->items[i].first_slot + k, at);
            assert_int_equal(runs->items[i].first_id + k, ids[at]);
        }
    assert_int_equal(at, count);
}

/* Bytes as another writer makes them: field numbers of the format, packed by hand. */
TEST(test_table_rows__every_shape_of_segment)
{
    const struct {
        const char *bytes;
        size_t len;
        uint32_t count;
        uint64_t ids[6];
    } cases[] = {
        /* Range [3, 6) */
        {"\x0a\x06\x0a\x04\x08\x03\x10\x06", 8, 3, {3, 4, 5}},
        /* Range [0, 6) without 1 and 4: holes u16 from 1 on */
        {"\x0a\x10\x12\x0e\x10\x06\x1a\x0a\x0a\x08\x08\x01\x12\x04\x00\x00\x03\x00",
         18,
         4,
         {0, 2, 3, 5}},
        /* Range [8, 13) with bits 0, 2 and 4: least significant first */
        {"\x0a\x09\x1a\x07\x08\x08\x10\x0d\x1a\x01\x15", 11, 3, {8, 10, 12}},
        /* SortedArray u32 from 100 on: 100, 107 */
        {"\x0a\x10\x22\x0e\x12\x0c\x08\x64\x12\x08\x00\x00\x00\x00\x07\x00\x00\x00",
         18,
         2,
         {100, 107}},
        /* Array u64: 9, 2 */
        {"\x0a\x16\x2a\x14\x1a\x12\x12\x10\x09\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00"
         "\x00\x00",
         24,
         2,
         {9, 2}},
        /* Two segments */
        {"\x0a\x04\x0a\x02\x10\x02\x0a\x06\x0a\x04\x08\x05\x10\x06", 14, 3, {0, 1, 5}},
        {"", 0, 0, {0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_IDS runs = {0};
        assert_int_equal(decode(cases[i].bytes, cases[i].len, cases[i].count, &runs), OG_OK);
        expect_ids(&runs, cases[i].ids, cases[i].count);
        AUTO_IDS more = {0}, fewer = {0};
        assert_int_equal(decode(cases[i].bytes, cases[i].len, cases[i].count + 1, &more),
                         OG_CORRUPT);
        if (cases[i].count > 0)
            assert_int_equal(decode(cases[i].bytes, cases[i].len, cases[i].count - 1, &fewer),
                             OG_CORRUPT);
    }
}

TEST(test_table_rows__damaged_segments_are_refused)
{
    const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\x0a\x06\x0a\x04\x08\x06\x10\x03", 8},              /* ends before it starts */
        {"\x0a\x09\x1a\x07\x08\x08\x10\x7d\x1a\x01\x15", 11}, /* bitmap too short */
        {"\x0a\x10\x12\x0e\x10\x06\x1a\x0a\x0a\x08\x08\x07\x12\x04\x00\x00\x03\x00",
         18},                                                                 /* hole outside */
        {"\x0a\x0c\x22\x0a\x0a\x08\x08\x01\x12\x03\x00\x00\x03\x00", 14},     /* half a value */
        {"\x0a\x7f\x0a", 3},                                                  /* cut short */
        {"\x0a\x0c\x0a\x0a\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 15}, /* far more rows */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        AUTO_IDS runs = {0};
        assert_int_equal(decode(cases[i].bytes, cases[i].len, 3, &runs), OG_CORRUPT);
    }
}

static void round_trip(const uint64_t *ids, uint32_t count)
{
    AUTO_IDS runs = {0}, again = {0};
    for (uint32_t i = 0; i < count; i++)
        assert_true(og_table__id_runs_add(&runs, i, 1, ids[i]));
    OG_AUTO(og_arena) arena = og_arena_new(0);
    ProtobufCBinaryData packed;
    assert_ok(og_table__row_ids_encode(runs.items, runs.len, arena, &packed, err));
    assert_ok(og_table__row_ids_decode(og_table__bytes(packed), 0, count, &again, err));
    expect_ids(&again, ids, count);
    for (uint32_t slot = 0; slot < count; slot++) {
        size_t run = og_table__run_of(again.items, again.len, slot, slot % 7);
        assert_true(slot - again.items[run].first_slot < again.items[run].count);
    }
}

TEST(test_table_rows__ids_round_trip)
{
    enum { MAX = 3000 };
    static uint64_t ids[MAX];
    uint64_t seed = 5;
    const uint64_t gaps[] = {1, 2, 300, 1u << 20, (uint64_t)1 << 45};
    round_trip(ids, 0);
    for (size_t g = 0; g < sizeof gaps / sizeof gaps[0]; g++) {
        uint64_t next = og_test_random(&seed) >> 24;
        for (int i = 0; i < MAX; i++) /* stretches of 1 to 64 with gaps */
            ids[i] = next += og_test_random(&seed) % 40 == 0 || i % 64 == 0 ? gaps[g] : 1;
        round_trip(ids, MAX);
        for (int i = 0; i < MAX; i++) {
            size_t other = og_test_random(&seed) % MAX;
            uint64_t t = ids[i];
            ids[i] = ids[other];
            ids[other] = t;
        }
        round_trip(ids, MAX);
        round_trip(ids, 1);
    }
}

TEST(test_table_rows__versions_round_trip)
{
    AUTO_VERSIONS runs = {0}, again = {0};
    for (uint32_t i = 0; i < 500; i++)
        assert_true(og_table__version_runs_add(&runs, i, 1, i / 7 % 5));
    OG_AUTO(og_arena) arena = og_arena_new(0);
    ProtobufCBinaryData packed;
    assert_ok(og_table__versions_encode(runs.items, runs.len, arena, &packed, err));
    assert_ok(og_table__versions_decode(og_table__bytes(packed), 0, 500, &again, err));
    assert_int_equal(again.len, runs.len);
    assert_memory_equal(again.items, runs.items, runs.len * sizeof *runs.items);
    assert_int_equal(og_table__versions_count(og_table__bytes(packed)), runs.len);
    for (size_t len = 0; len < packed.len; len++) /* never beyond its end */
        assert_true(og_table__versions_count((og_bytes){packed.data, len}) <= runs.len);
    AUTO_VERSIONS wrong = {0};
    assert_status(og_table__versions_decode(og_table__bytes(packed), 0, 499, &wrong, NULL),
                  OG_CORRUPT);
    assert_status(og_table__versions_decode(og_table__bytes(packed), 0, 501, &wrong, NULL),
                  OG_CORRUPT);
}

static og_status decode_versions(const char *bytes, size_t len, uint32_t rows,
                                 og_table__version_runs *out)
{
    return og_table__versions_decode((og_bytes){(const uint8_t *)bytes, len}, 0, rows, out, NULL);
}

TEST(test_table_rows__versions_in_every_shape)
{
    static const struct {
        const char *bytes;
        size_t len;
    } shapes[] = {
        {"\x0a\x08\x0a\x04\x0a\x02\x10\x03\x10\x05", 10},         /* a range, then the version */
        {"\x0a\x08\x10\x05\x0a\x04\x0a\x02\x10\x03", 10},         /* the version first */
        {"\x0a\x0a\x0a\x06\x0a\x04\x08\x00\x10\x03\x10\x05", 12}, /* a start of 0 written out */
        {"\x0a\x0c\x0a\x08\x12\x06\x08\x01\x10\x05\x1a\x00\x10\x05",
         14}, /* of holes, without any */
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        AUTO_VERSIONS runs = {0};
        uint32_t rows = i == 3 ? 4 : 3;
        assert_int_equal(decode_versions(shapes[i].bytes, shapes[i].len, rows, &runs), OG_OK);
        assert_int_equal(runs.len, 1);
        assert_int_equal(runs.items[0].count, rows);
        assert_int_equal(runs.items[0].version, 5);
        for (size_t len = 0; len < shapes[i].len; len++) {
            AUTO_VERSIONS cut = {0};
            assert_status(decode_versions(shapes[i].bytes, len, rows, &cut), OG_CORRUPT);
        }
    }
    AUTO_VERSIONS backwards = {0};
    assert_status(
        decode_versions("\x0a\x0a\x0a\x06\x0a\x04\x08\x04\x10\x03\x10\x05", 12, 3, &backwards),
        OG_CORRUPT);
}

TEST(test_table_rows__a_floor_leaves_the_newest_runs_apart)
{
    AUTO_VERSIONS runs = {0};
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(og_table__version_runs_add(&runs, i, 1, i + 1));
    uint64_t floor;
    assert_ok(og_table__versions_floor(&runs, 100, UINT32_MAX, &floor, err));
    assert_int_equal(floor, 901); /* 1 run of 901, then 902 to 1000 */
    assert_ok(og_table__versions_floor(&runs, 1, UINT32_MAX, &floor, err));
    assert_int_equal(floor, 1000);
}

TEST(test_table_rows__a_floor_leaves_large_runs_as_they_are)
{
    AUTO_VERSIONS runs = {0};
    assert_true(og_table__version_runs_add(&runs, 0, 5000, 1));
    for (uint32_t i = 0; i < 100; i++)
        assert_true(og_table__version_runs_add(&runs, 5000 + i, 1, i + 2));
    uint64_t floor;
    assert_ok(og_table__versions_floor(&runs, 50, 40, &floor, err));
    assert_int_equal(floor, 53); /* of version 1, then a run of 52, then 54 to 101 */
    assert_int_equal(og_table__version_raised(&runs.items[0], floor, 40), 1);
    assert_int_equal(og_table__version_raised(&runs.items[1], floor, 40), 53);
    assert_int_equal(og_table__version_raised(&runs.items[100], floor, 40), 101);
}
