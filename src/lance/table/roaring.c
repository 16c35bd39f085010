/* 32-bit Roaring bitmaps in the portable form (github.com/RoaringBitmap/RoaringFormatSpec).
 * Written here because a set of offsets is only ever read into an ascending list or made from one:
 * the library would allocate behind the back of base/alloc and add a start-up cost. */
#include "base/bits.h"
#include "lance/table/deletion_priv.h"

#define COOKIE_NO_RUNS 12346u
#define COOKIE_RUNS 12347u
#define ARRAY_MAX 4096u     /* values of an array container */
#define BITMAP_BYTES 8192u  /* bytes of a bitmap container */
#define RUN_OFFSETS_FROM 4u /* with runs, offsets are left out below this many containers */

typedef struct cursor {
    const uint8_t *ptr;
    size_t left;
} cursor;

static og_status need(const cursor *c, size_t len, og_error *err)
{
    if (len > c->left)
        return og_error_set(err, OG_CORRUPT, "roaring bitmap is cut short");
    return OG_OK;
}

static const uint8_t *skip(cursor *c, size_t len)
{
    const uint8_t *p = c->ptr;
    c->ptr += len;
    c->left -= len;
    return p;
}

typedef struct container {
    uint32_t base;
    uint32_t cardinality;
    bool runs;
} container;

static og_status read_runs(cursor *c, container head, og_table__u32s *out, og_error *err)
{
    OG_TRY(need(c, 2, err));
    uint32_t run_count = og_load_u16(skip(c, 2));
    OG_TRY(need(c, (size_t)run_count * 4, err));
    uint32_t next = 0, total = 0;
    for (uint32_t i = 0; i < run_count; i++) {
        const uint8_t *p = skip(c, 4);
        uint32_t start = og_load_u16(p), length = (uint32_t)og_load_u16(p + 2) + 1;
        if ((i > 0 && start < next) || length > 65536 - start || length > head.cardinality - total)
            return og_error_set(err, OG_CORRUPT, "roaring runs overlap or pass their count");
        for (uint32_t k = 0; k < length; k++)
            out->items[out->len++] = head.base + start + k;
        next = start + length;
        total += length;
    }
    if (total != head.cardinality)
        return og_error_set(err, OG_CORRUPT, "roaring runs do not add up");
    return OG_OK;
}

static og_status read_array(cursor *c, container head, og_table__u32s *out, og_error *err)
{
    OG_TRY(need(c, (size_t)head.cardinality * 2, err));
    const uint8_t *p = skip(c, (size_t)head.cardinality * 2);
    for (uint32_t i = 0; i < head.cardinality; i++) {
        uint32_t value = head.base + og_load_u16(p + (size_t)i * 2);
        if (i > 0 && value <= og_vec_last(out))
            return og_error_set(err, OG_CORRUPT, "roaring array is not ascending");
        out->items[out->len++] = value;
    }
    return OG_OK;
}

static og_status read_bitmap(cursor *c, container head, og_table__u32s *out, og_error *err)
{
    OG_TRY(need(c, BITMAP_BYTES, err));
    const uint8_t *p = skip(c, BITMAP_BYTES);
    if (og_bitmap_count(p, 65536) != head.cardinality)
        return og_error_set(err, OG_CORRUPT, "roaring bitmap does not add up");
    for (uint32_t word = 0; word < 1024; word++)
        for (uint64_t bits = og_load_u64(p + (size_t)word * 8); bits != 0; bits &= bits - 1)
            out->items[out->len++] = head.base + word * 64 + (uint32_t)__builtin_ctzll(bits);
    return OG_OK;
}

/* Cookie and count; *out_flags is the bitmap of run containers, or NULL. */
static og_status read_cookie(cursor *c, uint32_t *out_count, const uint8_t **out_flags,
                             og_error *err)
{
    OG_TRY(need(c, 4, err));
    uint32_t cookie = og_load_u32(skip(c, 4));
    *out_flags = NULL;
    if ((cookie & 0xFFFF) == COOKIE_RUNS) {
        *out_count = (cookie >> 16) + 1;
        size_t flag_bytes = (*out_count + 7) / 8;
        OG_TRY(need(c, flag_bytes, err));
        *out_flags = skip(c, flag_bytes);
        return OG_OK;
    }
    if (cookie != COOKIE_NO_RUNS)
        return og_error_set(err, OG_CORRUPT, "not a roaring bitmap");
    OG_TRY(need(c, 4, err));
    *out_count = og_load_u32(skip(c, 4));
    if (*out_count > 65536)
        return og_error_set(err, OG_CORRUPT, "roaring bitmap has too many containers");
    return OG_OK;
}

og_status og_table__roaring_decode(og_bytes bytes, size_t max_count, og_table__u32s *out,
                                   og_error *err)
{
    cursor c = {bytes.ptr, bytes.len};
    uint32_t count = 0;
    const uint8_t *run_flags;
    OG_TRY(read_cookie(&c, &count, &run_flags, err));
    OG_TRY(need(&c, (size_t)count * 4, err));
    const uint8_t *heads = skip(&c, (size_t)count * 4);
    if (run_flags == NULL || count >= RUN_OFFSETS_FROM) {
        OG_TRY(need(&c, (size_t)count * 4, err));
        skip(&c, (size_t)count * 4); /* containers follow in order; their offsets say the same */
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t key = og_load_u16(heads + (size_t)i * 4);
        container head = {key << 16, (uint32_t)og_load_u16(heads + (size_t)i * 4 + 2) + 1,
                          run_flags != NULL && og_bit_get(run_flags, i)};
        if (i > 0 && key <= og_load_u16(heads + (size_t)(i - 1) * 4))
            return og_error_set(err, OG_CORRUPT, "roaring keys are not ascending");
        if (head.cardinality > max_count - out->len)
            return og_error_set(err, OG_CORRUPT, "roaring bitmap holds more than %zu values",
                                max_count);
        if (!og_vec_reserve(out, head.cardinality))
            return og_error_nomem(err);
        if (head.runs)
            OG_TRY(read_runs(&c, head, out, err));
        else if (head.cardinality <= ARRAY_MAX)
            OG_TRY(read_array(&c, head, out, err));
        else
            OG_TRY(read_bitmap(&c, head, out, err));
    }
    return OG_OK;
}

/* ---- writing ------------------------------------------------------------------------------ */

static size_t same_key(const uint32_t *values, size_t start, size_t count)
{
    size_t end = start + 1;
    while (end < count && values[end] >> 16 == values[start] >> 16)
        end++;
    return end;
}

static bool write_container(const uint32_t *values, size_t count, og_buf *out)
{
    if (count <= ARRAY_MAX) {
        for (size_t i = 0; i < count; i++)
            og_buf_u16(out, (uint16_t)values[i]);
        return !out->failed;
    }
    if (!og_buf_fill(out, 0, BITMAP_BYTES))
        return false;
    uint8_t *bits = out->ptr + out->len - BITMAP_BYTES;
    for (size_t i = 0; i < count; i++)
        og_bit_set(bits, values[i] & 0xFFFF);
    return true;
}

bool og_table__roaring_encode(const uint32_t *values, size_t count, og_buf *out)
{
    uint32_t containers = 0;
    for (size_t i = 0; i < count; i = same_key(values, i, count))
        containers++;
    og_buf_u32(out, COOKIE_NO_RUNS);
    og_buf_u32(out, containers);
    for (size_t i = 0, end; i < count; i = end) {
        end = same_key(values, i, count);
        og_buf_u16(out, (uint16_t)(values[i] >> 16));
        og_buf_u16(out, (uint16_t)(end - i - 1));
    }
    uint32_t offset = 8 + containers * 8;
    for (size_t i = 0, end; i < count; i = end) {
        end = same_key(values, i, count);
        og_buf_u32(out, offset);
        offset += end - i <= ARRAY_MAX ? (uint32_t)(end - i) * 2 : BITMAP_BYTES;
    }
    for (size_t i = 0, end; i < count; i = end) {
        end = same_key(values, i, count);
        if (!write_container(values + i, end - i, out))
            return false;
    }
    return !out->failed;
}
