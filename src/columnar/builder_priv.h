/* columnar/builder_priv - what a builder is made of: builder.c has its buffers and single rows,
 * builder_rows.c rows taken over from arrays. */
#ifndef OG_COLUMNAR_BUILDER_PRIV_H
#define OG_COLUMNAR_BUILDER_PRIV_H

#include "columnar/builder.h"

/* Buffers in use by a type are never NULL, so appending needs no special first case: they are made
 * by the first append. Bits at and beyond `length` are 0 in `validity` and in a bool's `data`. */
struct og_builder {
    const og_type *type;
    og_type_id id;
    uint8_t width;        /* bytes of one value of a fixed-width type, else 0 */
    uint8_t offset_width; /* bytes of one offset, 0 without offsets */
    og_status failed;     /* the first failure; kept until finish */
    int64_t length;
    int64_t null_count;
    int64_t capacity;  /* rows that fit in validity, offsets and fixed-width data */
    uint8_t *validity; /* NULL until the first null */
    uint8_t *data;     /* fixed-width values, the bits of bools, or bytes of text */
    void *offsets;     /* capacity + 1 */
    size_t text_len;
    size_t text_capacity;
    og_builder **children;
};

/* Keep the first failure. Returns false. */
bool og_columnar__builder_fail(og_builder *b, og_status status);

/* Room for `extra` more rows, or bytes of text. Rarely needed, so kept out of the callers. */
__attribute__((noinline)) bool og_columnar__builder_grow_rows(og_builder *b, int64_t extra);
__attribute__((noinline)) bool og_columnar__builder_grow_text(og_builder *b, size_t extra);

static inline bool og_columnar__builder_make_rows(og_builder *b, int64_t extra)
{
    if (__builtin_expect(extra > b->capacity - b->length, 0))
        return og_columnar__builder_grow_rows(b, extra);
    return b->failed == OG_OK;
}

/* The text buffer also stops at INT32_MAX used bytes, not only at its doubled capacity. */
static inline bool og_columnar__builder_make_text(og_builder *b, size_t extra)
{
    bool fits = extra <= b->text_capacity - b->text_len;
    bool in_range = b->offset_width == 8 || extra <= (size_t)INT32_MAX - b->text_len;
    if (__builtin_expect(!fits || !in_range, 0))
        return og_columnar__builder_grow_text(b, extra);
    return b->failed == OG_OK;
}

/* A bitmap of all rows so far, when there is none. */
bool og_columnar__builder_make_validity(og_builder *b);
/* Mark `count` rows from `start` on as valid. */
void og_columnar__builder_set_bits(uint8_t *bits, int64_t start, int64_t count);

#endif
