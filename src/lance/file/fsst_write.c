/* The table is bred as in the paper's section 4: five times the sample is compressed with
 * the current table while counting how often each symbol and each pair of neighbours occurs; the
 * symbols and concatenations that save most make the next table. While training, codes 0-255
 * stand for literal bytes and 256 + i for symbol i, so that bytes compete like symbols. */
#include "lance/file/fsst_write.h"

#include "base/bits.h"
#include "base/vec.h"
#include <stdlib.h>

#define MAX_SYMBOLS 255
#define CODES 512
#define FIRST_SYMBOL 256
#define ESCAPE 255
#define HASH_SLOTS 1024
#define SAMPLE_BYTES ((size_t)16 << 10)
#define SAMPLE_SLICE ((size_t)512)
#define GENERATIONS 5

typedef struct symbol {
    uint64_t bytes; /* little-endian, zero above len */
    uint32_t len;
} symbol;

typedef struct candidate {
    symbol symbol;
    uint64_t gain;
} candidate;

typedef struct slot {
    uint64_t bytes;
    uint16_t code;
    uint8_t len;    /* UINT8_MAX = empty: longer than anything left */
    uint8_t unused; /* bits of `bytes` above the symbol */
} slot;

typedef struct slice {
    const uint8_t *ptr;
    size_t len;
} slice;

struct og_lance__fsst {
    symbol symbols[MAX_SYMBOLS];
    uint32_t symbol_count;
    uint16_t one[256];     /* len << 8 | index of the symbol of that byte; 0 = none: a literal */
    uint16_t two[1 << 16]; /* of those two bytes, else that of the first */
    slot longer[HASH_SLOTS];
    uint8_t stored[OG_LANCE__FSST_TABLE_BYTES];
    uint32_t count[CODES];
    uint16_t pairs[CODES][CODES];
    OG_VEC(candidate) candidates;
    OG_VEC(slice) sample;
};

og_lance__fsst *og_lance__fsst_new(void)
{
    return og_calloc(1, sizeof(og_lance__fsst));
}

void og_lance__fsst_free(og_lance__fsst *fsst)
{
    if (fsst == NULL)
        return;
    og_vec_deinit(&fsst->candidates);
    og_vec_deinit(&fsst->sample);
    og_free(fsst);
}

static uint64_t low_bytes(uint32_t len)
{
    return len >= 8 ? UINT64_MAX : (1ull << len * 8) - 1;
}

static uint32_t hash_slot(uint64_t word)
{
    return (uint32_t)((word & 0xffffff) * 2971215073u >> 15) & (HASH_SLOTS - 1);
}

/* ---- matching ----------------------------------------------------------------------------- */

/* Not equal to any word whose last byte was masked out. */
#define NEVER UINT64_MAX

static void clear_table(og_lance__fsst *fsst)
{
    fsst->symbol_count = 0;
    memset(fsst->one, 0, sizeof fsst->one);
    memset(fsst->two, 0, sizeof fsst->two);
    for (int i = 0; i < HASH_SLOTS; i++)
        fsst->longer[i] = (slot){.bytes = NEVER, .len = UINT8_MAX, .unused = 8};
}

/* A symbol whose hash slot is taken by a better one is left out, as in the paper. */
static void add_symbol(og_lance__fsst *fsst, symbol s)
{
    uint16_t code = (uint16_t)(s.len << 8 | fsst->symbol_count);
    if (s.len == 1) {
        fsst->one[s.bytes] = code;
        for (uint32_t second = 0; second < 256; second++) {
            uint16_t *at = &fsst->two[second << 8 | s.bytes];
            *at = *at == 0 ? code : *at;
        }
    } else if (s.len == 2) {
        fsst->two[s.bytes] = code;
    } else {
        slot *at = &fsst->longer[hash_slot(s.bytes)];
        if (at->len != UINT8_MAX)
            return;
        *at = (slot){s.bytes, code, (uint8_t)s.len, (uint8_t)(64 - 8 * s.len)};
    }
    fsst->symbols[fsst->symbol_count++] = s;
}

/* len << 8 | index of the longest symbol at `in`, where 8 bytes are left; 0 = none. */
static inline uint32_t find_inside(const og_lance__fsst *fsst, const uint8_t *in)
{
    uint64_t word = og_load_u64(in);
    const slot *at = &fsst->longer[hash_slot(word)];
    uint32_t two = fsst->two[word & 0xffff];
    return (word & UINT64_MAX >> at->unused) == at->bytes ? at->code : two;
}

/* The same where at most `left` bytes are. */
static inline uint32_t find_symbol(const og_lance__fsst *fsst, const uint8_t *in, size_t left)
{
    uint64_t word = og_load_u64(in);
    const slot *at = &fsst->longer[hash_slot(word)];
    if (at->len <= left && (word & UINT64_MAX >> at->unused) == at->bytes)
        return at->code;
    return left >= 2 ? fsst->two[word & 0xffff] : fsst->one[word & 0xff];
}

/* A literal byte is always written behind the code; only after an escape it stays. */
static inline void put_symbol(uint32_t found, const uint8_t **in, uint8_t **out)
{
    (*out)[0] = found != 0 ? (uint8_t)found : ESCAPE;
    (*out)[1] = (*in)[0];
    *out += found != 0 ? 1 : 2;
    *in += found != 0 ? found >> 8 : 1;
}

size_t og_lance__fsst_compress(const og_lance__fsst *fsst, const uint8_t *in, size_t len,
                               uint8_t *out)
{
    uint8_t *start = out;
    const uint8_t *end = in + len;
    while (end - in >= 8)
        put_symbol(find_inside(fsst, in), &in, &out);
    while (in < end)
        put_symbol(find_symbol(fsst, in, (size_t)(end - in)), &in, &out);
    return (size_t)(out - start);
}

/* ---- training ----------------------------------------------------------------------------- */

/* Strings at even distances, of long ones a slice from the middle, about SAMPLE_BYTES in all. */
static bool take_sample(og_lance__fsst *fsst, const uint8_t *bytes, const uint32_t *offsets,
                        uint64_t count)
{
    fsst->sample.len = 0;
    uint64_t total = offsets[count] - offsets[0];
    uint64_t step = 1;
    if (total > SAMPLE_BYTES) {
        uint64_t average = total / count + 1;
        if (average > SAMPLE_SLICE)
            average = SAMPLE_SLICE;
        step = count / (SAMPLE_BYTES / average + 1);
        step = step > 0 ? step : 1;
    }
    size_t taken = 0;
    for (uint64_t i = 0; i < count && taken < 2 * SAMPLE_BYTES; i += step) {
        size_t len = offsets[i + 1] - offsets[i];
        const uint8_t *ptr = bytes + offsets[i];
        if (len > SAMPLE_SLICE) {
            ptr += (len - SAMPLE_SLICE) / 2;
            len = SAMPLE_SLICE;
        }
        if (len > 0 && !og_vec_push(&fsst->sample, (slice){ptr, len}))
            return false;
        taken += len;
    }
    return true;
}

static void count_pair(og_lance__fsst *fsst, uint32_t before, uint32_t code)
{
    if (before < CODES && fsst->pairs[before][code] < UINT16_MAX)
        fsst->pairs[before][code]++;
}

/* Besides the symbol used, its first byte is counted, so that single bytes can come back. */
static void count_slice(og_lance__fsst *fsst, slice s)
{
    uint32_t before = CODES;
    while (s.len > 0) {
        uint32_t found = find_symbol(fsst, s.ptr, s.len);
        uint32_t code = found != 0 ? FIRST_SYMBOL + (found & 0xff) : s.ptr[0];
        size_t used = found != 0 ? found >> 8 : 1;
        fsst->count[code]++;
        count_pair(fsst, before, code);
        if (used > 1) {
            fsst->count[s.ptr[0]]++;
            count_pair(fsst, before, s.ptr[0]);
        }
        before = code;
        s.ptr += used;
        s.len -= used;
    }
}

static symbol symbol_of(const og_lance__fsst *fsst, uint32_t code)
{
    return code < FIRST_SYMBOL ? (symbol){code, 1} : fsst->symbols[code - FIRST_SYMBOL];
}

/* Single bytes weigh more: without them in the table they cost two. */
static bool add_candidate(og_lance__fsst *fsst, symbol s, uint64_t count)
{
    uint64_t gain = count * s.len * (s.len == 1 ? 8 : 1);
    return og_vec_push(&fsst->candidates, (candidate){s, gain});
}

static bool collect_candidates(og_lance__fsst *fsst, bool pairs_too, uint32_t min_count)
{
    fsst->candidates.len = 0;
    for (uint32_t a = 0; a < FIRST_SYMBOL + fsst->symbol_count; a++) {
        if (fsst->count[a] == 0)
            continue;
        symbol left = symbol_of(fsst, a);
        if (fsst->count[a] >= min_count && !add_candidate(fsst, left, fsst->count[a]))
            return false;
        if (!pairs_too || left.len == 8)
            continue;
        for (uint32_t b = 0; b < FIRST_SYMBOL + fsst->symbol_count; b++) {
            if (fsst->pairs[a][b] < min_count)
                continue;
            symbol right = symbol_of(fsst, b);
            uint32_t len = left.len + right.len > 8 ? 8 : left.len + right.len;
            symbol joined = {(left.bytes | right.bytes << left.len * 8) & low_bytes(len), len};
            if (!add_candidate(fsst, joined, fsst->pairs[a][b]))
                return false;
        }
    }
    return true;
}

static int by_symbol(const void *pa, const void *pb)
{
    const candidate *a = pa, *b = pb;
    if (a->symbol.len != b->symbol.len)
        return a->symbol.len < b->symbol.len ? -1 : 1;
    return (a->symbol.bytes > b->symbol.bytes) - (a->symbol.bytes < b->symbol.bytes);
}

static int by_gain(const void *pa, const void *pb)
{
    const candidate *a = pa, *b = pb;
    if (a->gain != b->gain)
        return a->gain > b->gain ? -1 : 1;
    return by_symbol(pa, pb);
}

/* The best candidates become the table. Equal symbols were found in several ways: join them
 * first. */
static void choose_symbols(og_lance__fsst *fsst)
{
    candidate *items = fsst->candidates.items;
    size_t kept = 0, len = fsst->candidates.len;
    if (len > 0)
        qsort(items, len, sizeof *items, by_symbol);
    for (size_t i = 0; i < len; i++) {
        if (kept > 0 && by_symbol(&items[kept - 1], &items[i]) == 0)
            items[kept - 1].gain += items[i].gain;
        else
            items[kept++] = items[i];
    }
    if (kept > 0)
        qsort(items, kept, sizeof *items, by_gain);
    clear_table(fsst);
    for (size_t i = 0; i < kept && fsst->symbol_count < MAX_SYMBOLS; i++)
        add_symbol(fsst, items[i].symbol);
}

static void store_table(og_lance__fsst *fsst)
{
    memset(fsst->stored, 0, sizeof fsst->stored);
    uint64_t n = fsst->symbol_count;
    uint64_t header = 0x46535354ull << 32 | 1ull << 24 | n << 16 | n;
    memcpy(fsst->stored, &header, sizeof header);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(fsst->stored + 8 + i * 8, &fsst->symbols[i].bytes, 8);
        fsst->stored[8 + n * 8 + i] = (uint8_t)fsst->symbols[i].len;
    }
}

bool og_lance__fsst_train(og_lance__fsst *fsst, const uint8_t *bytes, const uint32_t *offsets,
                          uint64_t count)
{
    if (!take_sample(fsst, bytes, offsets, count))
        return false;
    clear_table(fsst);
    for (int generation = 1; generation <= GENERATIONS; generation++) {
        memset(fsst->count, 0, sizeof fsst->count);
        memset(fsst->pairs, 0, sizeof fsst->pairs);
        for (size_t i = 0; i < fsst->sample.len; i++)
            count_slice(fsst, fsst->sample.items[i]);
        if (!collect_candidates(fsst, generation < GENERATIONS, (uint32_t)generation))
            return false;
        choose_symbols(fsst);
    }
    store_table(fsst);
    return true;
}

const uint8_t *og_lance__fsst_table(const og_lance__fsst *fsst)
{
    return fsst->stored;
}
