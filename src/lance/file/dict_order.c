/* The items of a dictionary in order of their bytes: neighbours then share their beginnings,
 * which zstd finds. Keys of a hundred thousand rows take half as much as in order of first use.
 *
 * Sorted by the eight bytes behind the beginning that all of them share, least significant first;
 * where these are equal, by the rest. */
#include <stdlib.h>

#include "lance/file/page_write.h"

typedef struct entry {
    uint64_t key;
    uint32_t item;
} entry;

typedef struct texts {
    const og_lance__values *values;
    const uint32_t *firsts;
} texts;

static og_str text_of(const texts *t, uint32_t item)
{
    uint32_t start = t->values->offsets[t->firsts[item]];
    return (og_str){(const char *)t->values->data + start,
                    t->values->offsets[t->firsts[item] + 1] - start};
}

static size_t shared_beginning(const texts *t, uint32_t items)
{
    og_str first = text_of(t, 0);
    size_t shared = first.len;
    for (uint32_t i = 1; i < items && shared > 0; i++) {
        og_str text = text_of(t, i);
        size_t most = text.len < shared ? text.len : shared;
        if (memcmp(first.ptr, text.ptr, most) != 0)
            for (most = 0; first.ptr[most] == text.ptr[most];)
                most++;
        shared = most;
    }
    return shared;
}

/* Bytes behind the end count as 0. */
static uint64_t key_of(og_str text, size_t skip)
{
    uint8_t bytes[8] = {0};
    memcpy(bytes, text.ptr + skip, text.len - skip < 8 ? text.len - skip : 8);
    uint64_t key = 0;
    for (int i = 0; i < 8; i++)
        key = key << 8 | bytes[i];
    return key;
}

/* Stable, by the byte at `shift`. */
static void sort_by_byte(const entry *in, entry *out, uint32_t count, uint32_t shift)
{
    uint32_t starts[257] = {0};
    for (uint32_t i = 0; i < count; i++)
        starts[(in[i].key >> shift & 255) + 1]++;
    for (int i = 0; i < 256; i++)
        starts[i + 1] += starts[i];
    for (uint32_t i = 0; i < count; i++)
        out[starts[in[i].key >> shift & 255]++] = in[i];
}

static int by_text(const void *a, const void *b, void *context)
{
    og_str x = text_of(context, ((const entry *)a)->item);
    og_str y = text_of(context, ((const entry *)b)->item);
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);
    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

static void sort_equal_keys(texts *t, entry *entries, uint32_t count)
{
    for (uint32_t start = 0, end; start < count; start = end) {
        for (end = start + 1; end < count && entries[end].key == entries[start].key;)
            end++;
        if (end - start > 1)
            qsort_r(entries + start, end - start, sizeof *entries, by_text, t);
    }
}

bool og_lance__dict_order(const og_lance__values *values, const uint32_t *firsts, uint32_t items,
                          uint32_t *out)
{
    texts t = {values, firsts};
    OG_AUTO_FREE entry *entries = og_reallocarray(NULL, (size_t)items * 2, sizeof *entries);
    if (entries == NULL)
        return false;
    entry *from = entries, *to = entries + items;
    size_t skip = shared_beginning(&t, items);
    uint64_t differ = 0; /* bits in which keys differ */
    for (uint32_t i = 0; i < items; i++) {
        from[i] = (entry){key_of(text_of(&t, i), skip), i};
        differ |= from[i].key ^ from[0].key;
    }
    for (uint32_t shift = 0; shift < 64; shift += 8) {
        if ((differ >> shift & 255) == 0)
            continue;
        sort_by_byte(from, to, items, shift);
        entry *swap = from;
        from = to;
        to = swap;
    }
    sort_equal_keys(&t, from, items);
    for (uint32_t i = 0; i < items; i++)
        out[i] = from[i].item;
    return true;
}
