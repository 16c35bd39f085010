/* Deletion vectors: Roaring both ways, Arrow IPC in, damaged bytes. */
#include "base/bits.h"
#include "lance/table/deletion_priv.h"
#include "og_test.h"

static void deinit(og_table__u32s *v)
{
    og_vec_deinit(v);
}
#define AUTO_U32S __attribute__((cleanup(deinit))) og_table__u32s

static void round_trip(const uint32_t *values, size_t count)
{
    OG_AUTO_BUF packed = OG_BUF_INIT;
    assert_true(og_table__roaring_encode(values, count, &packed));
    AUTO_U32S again = {0};
    assert_ok(og_table__roaring_decode(og_buf_bytes(&packed), count, &again, err));
    assert_int_equal(again.len, count);
    if (count > 0)
        assert_memory_equal(again.items, values, count * sizeof *values);
    /* Cut anywhere, it is refused. */
    for (size_t len = 0; len < packed.len; len += 1 + packed.len / 97) {
        AUTO_U32S cut = {0};
        assert_status(og_table__roaring_decode((og_bytes){packed.ptr, len}, count, &cut, NULL),
                      OG_CORRUPT);
    }
    if (count > 0) {
        AUTO_U32S many = {0};
        assert_status(og_table__roaring_decode(og_buf_bytes(&packed), count - 1, &many, NULL),
                      OG_CORRUPT);
    }
}

TEST(test_table_deletion__roaring_round_trip)
{
    enum { MAX = 200000 };
    static uint32_t values[MAX];
    const uint32_t steps[] = {1, 2, 3, 20, 70000};
    round_trip(values, 0);
    for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
        size_t count = 0;
        for (uint64_t v = s; v < UINT32_MAX && count < (steps[s] > 60000 ? 500 : MAX);
             v += steps[s])
            values[count++] = (uint32_t)v;
        round_trip(values, count);
        round_trip(values, 1);
        round_trip(values, count < 4096 ? count : 4096);
        round_trip(values, count < 4097 ? count : 4097);
    }
}

TEST(test_table_deletion__roaring_runs_are_read)
{
    /* Cookie 12347, one container of key 1, all runs: [5, 8] and [100, 100]. */
    static const uint8_t bytes[] = {0x3b, 0x30, 0, 0, 1, 1,   0, 4, 0, 2,
                                    0,    5,    0, 3, 0, 100, 0, 0, 0};
    static const uint32_t want[] = {65541, 65542, 65543, 65544, 65636};
    AUTO_U32S got = {0};
    assert_ok(og_table__roaring_decode((og_bytes){bytes, sizeof bytes}, 10, &got, err));
    assert_int_equal(got.len, 5);
    assert_memory_equal(got.items, want, sizeof want);
    uint8_t bad[sizeof bytes];
    memcpy(bad, bytes, sizeof bytes);
    bad[15] = 7; /* the second run begins inside the first */
    AUTO_U32S none = {0};
    assert_status(og_table__roaring_decode((og_bytes){bad, sizeof bad}, 10, &none, NULL),
                  OG_CORRUPT);
}

TEST(test_table_deletion__order_and_counts_are_checked)
{
    const uint32_t values[] = {1, 5, 9};
    OG_AUTO_BUF packed = OG_BUF_INIT;
    assert_true(og_table__roaring_encode(values, 3, &packed));
    AUTO_U32S got = {0}, few = {0}, far = {0}, unordered = {0};
    assert_ok(og_table__deletion_decode(1, og_buf_bytes(&packed), 10, 3, &got, err));
    assert_status(og_table__deletion_decode(1, og_buf_bytes(&packed), 10, 2, &few, NULL),
                  OG_CORRUPT);
    assert_status(og_table__deletion_decode(1, og_buf_bytes(&packed), 9, 3, &far, NULL),
                  OG_CORRUPT);
    packed.ptr[packed.len - 2] = 2; /* 1, 5, 2 */
    assert_status(og_table__deletion_decode(1, og_buf_bytes(&packed), 10, 3, &unordered, NULL),
                  OG_CORRUPT);
}

/* An uncompressed file as pyarrow lays it out, reduced to what a reader needs: message and footer
 * as flatbuffers made here. Offsets within tables are checked, so garbage must not crash either. */
static void put_u32_at(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4);
}

static size_t ipc_file(uint8_t *file, const uint32_t *values, uint32_t count)
{
    memset(file, 0, 512);
    memcpy(file, "ARROW1", 6);
    uint8_t *meta = file + 8; /* at 8: continuation, size, message */
    put_u32_at(meta, UINT32_MAX);
    put_u32_at(meta + 4, 120);
    uint8_t *fb = meta + 8;
    put_u32_at(fb, 20);                                  /* root: message table at 20 */
    memcpy(fb + 8, "\x0a\0\x0c\0\0\0\0\0\x04\0", 10);    /* its vtable: slot 2 at +4 */
    put_u32_at(fb + 20, 12);                             /* back to the vtable at 8 */
    put_u32_at(fb + 24, 28);                             /* header: table at 24 + 28 = 52 */
    memcpy(fb + 40, "\x0a\0\x10\0\x04\0\0\0\x0c\0", 10); /* batch vtable: length +4, buffers +12 */
    put_u32_at(fb + 52, 12);
    put_u32_at(fb + 56, count); /* i64 length */
    put_u32_at(fb + 64, 4);     /* buffers: vector at 68 */
    put_u32_at(fb + 68, 2);
    put_u32_at(fb + 68 + 4 + 16 + 8, count * 4); /* second buffer: offset 0, length */
    uint8_t *body = meta + 128;
    memcpy(body, values, (size_t)count * 4);
    uint8_t *footer = body + (size_t)count * 4;
    put_u32_at(footer, 20);
    memcpy(footer + 4, "\x0c\0\x0c\0\0\0\0\0\0\0\x04\0", 12); /* slot 3 at +4 */
    put_u32_at(footer + 20, 16);
    put_u32_at(footer + 24, 4);
    put_u32_at(footer + 28, 1);
    put_u32_at(footer + 32, 8);   /* block: offset */
    put_u32_at(footer + 40, 128); /* metadata length */
    put_u32_at(footer + 48, count * 4);
    put_u32_at(footer + 56, 56);
    memcpy(footer + 60, "ARROW1", 6);
    return (size_t)(footer + 66 - file);
}

TEST(test_table_deletion__ipc_is_sorted_and_checked)
{
    const uint32_t values[] = {7, 2, 31};
    uint8_t file[512];
    size_t len = ipc_file(file, values, 3);
    AUTO_U32S got = {0};
    assert_ok(og_table__deletion_decode(0, (og_bytes){file, len}, 40, 3, &got, err));
    assert_int_equal(got.items[0], 2);
    assert_int_equal(got.items[2], 31);
    /* Any one byte changed: an answer or an error, never a crash. */
    for (size_t i = 0; i < len; i++)
        for (unsigned bit = 0; bit < 8; bit++) {
            file[i] ^= (uint8_t)(1u << bit);
            AUTO_U32S any = {0};
            og_status status =
                og_table__deletion_decode(0, (og_bytes){file, len}, 40, 3, &any, NULL);
            assert_true(status == OG_OK || status == OG_CORRUPT || status == OG_UNSUPPORTED);
            file[i] ^= (uint8_t)(1u << bit);
        }
    const uint32_t twice[] = {7, 7, 31};
    len = ipc_file(file, twice, 3);
    AUTO_U32S none = {0};
    assert_status(og_table__deletion_decode(0, (og_bytes){file, len}, 40, 3, &none, NULL),
                  OG_CORRUPT);
}
