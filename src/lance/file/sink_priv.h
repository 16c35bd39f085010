/* lance/file/sink_priv - where decoders put values: growing buffers in Arrow's layout.
 *
 * A sink takes items of one physical kind. It knows nothing of nulls: these come from definition
 * levels (validity below), and a null slot holds a placeholder here. One sink serves all pages of a
 * read; reserve first, so that a flat read allocates once. */
#ifndef OG_LANCE_FILE_SINK_PRIV_H
#define OG_LANCE_FILE_SINK_PRIV_H

#include "columnar/array.h"

#include <limits.h>

/* ---- validity ----------------------------------------------------------------------------- */

/* A validity bitmap, which is made when the first null comes. */
typedef struct og_lance__validity {
    uint8_t *bits; /* NULL while nulls is 0 */
    uint64_t count, cap, nulls;
} og_lance__validity;

static inline void og_lance__validity_deinit(og_lance__validity *v)
{
    og_free(v->bits);
    *v = (og_lance__validity){0};
}
/* `count` more slots, all valid / all null. */
OG_NODISCARD og_status og_lance__validity_fill(og_lance__validity *v, bool valid, uint64_t count,
                                               og_error *err);
/* One more slot for each definition level: valid when def <= max_valid. */
OG_NODISCARD og_status og_lance__validity_levels(og_lance__validity *v, const uint16_t *def,
                                                 uint64_t count, uint16_t max_valid, og_error *err);
/* `count` bits from any bit offset, 1 = valid. */
OG_NODISCARD og_status og_lance__validity_bits(og_lance__validity *v, const uint8_t *bits,
                                               uint64_t offset, uint64_t count, og_error *err);
/* Hand the bitmap over to `array` (length == count). */
void og_lance__validity_move(og_lance__validity *v, og_array *array);

/* ---- values ------------------------------------------------------------------------------- */

typedef enum og_lance__sink_kind {
    OG_LANCE__BITS,    /* booleans, or fixed-size lists of them: a bitmap */
    OG_LANCE__FIXED,   /* items of item_bytes each: numbers, or fixed-size lists of numbers */
    OG_LANCE__BYTES,   /* byte strings: offsets and data */
    OG_LANCE__RECORD,  /* packed struct: one sink per child */
    OG_LANCE__NOTHING, /* values of the null type: counted */
} og_lance__sink_kind;

/* Fixed-size lists nest at most this deep. */
enum { OG_LANCE__MAX_DIMS = 4 };

/* The shape of items that are fixed-size lists: dims[0] lists of dims[1] lists ... of numbers. What
 * is one number in the file may be a list of bytes here (decimals, fixed-size binary), so an
 * encoding may have fewer dims; they are the first ones. */
typedef struct og_lance__list_shape {
    uint32_t depth;
    uint32_t dims[OG_LANCE__MAX_DIMS];
    og_lance__validity validity[OG_LANCE__MAX_DIMS]; /* of the items of each; count 0 = all valid */
} og_lance__list_shape;

typedef struct og_lance__sink og_lance__sink;
struct og_lance__sink {
    og_lance__sink_kind kind;
    bool large;           /* BYTES: i64 offsets */
    uint32_t value_bytes; /* FIXED: of one number */
    uint32_t list_size;   /* FIXED, BITS: numbers in an item; 1 unless a fixed-size list */
    size_t item_bytes;    /* FIXED: value_bytes * list_size */
    uint64_t count, cap;  /* items */
    uint8_t *data;
    size_t data_len, data_cap;   /* BYTES */
    void *offsets;               /* BYTES: count + 1 of them */
    og_lance__list_shape *lists; /* of fixed-size lists; else NULL */
    og_lance__sink *children;    /* RECORD */
    uint32_t child_count;
};

/* A sink for values of `type`: primitive, text, fixed-size lists of numbers or booleans,
 * or a struct of such (RECORD). OG_UNSUPPORTED for other types. */
OG_NODISCARD og_status og_lance__sink_init(og_lance__sink *sink, const og_type *type,
                                           og_error *err);
/* A sink for numbers of 8, 16, 32 or 64 bits, and one for byte strings: levels and dictionaries. */
void og_lance__sink_init_fixed(og_lance__sink *sink, uint32_t bits);
void og_lance__sink_init_bytes(og_lance__sink *sink, bool large);
void og_lance__sink_deinit(og_lance__sink *sink);
#define OG_LANCE__AUTO_SINK __attribute__((cleanup(og_lance__sink_deinit))) og_lance__sink
/* Bytes of memory held. */
size_t og_lance__sink_memory(const og_lance__sink *sink);
/* Empty it and keep its memory. */
static inline void og_lance__sink_clear(og_lance__sink *sink)
{
    sink->count = 0;
    sink->data_len = 0;
}

/* Room for `items` more, exactly when nothing was reserved before, else growing by doubling. */
OG_NODISCARD og_status og_lance__sink_grow(og_lance__sink *sink, uint64_t items, og_error *err);
static inline og_status og_lance__sink_reserve(og_lance__sink *sink, uint64_t items, og_error *err)
{
    return items <= sink->cap - sink->count ? OG_OK : og_lance__sink_grow(sink, items, err);
}
/* BYTES: room for `bytes` more of data. */
OG_NODISCARD og_status og_lance__sink_grow_data(og_lance__sink *sink, size_t bytes, og_error *err);
static inline og_status og_lance__sink_reserve_data(og_lance__sink *sink, size_t bytes,
                                                    og_error *err)
{
    return bytes <= sink->data_cap - sink->data_len ? OG_OK
                                                    : og_lance__sink_grow_data(sink, bytes, err);
}

/* BYTES: the same; OG_LIMIT when the offsets can't address so much data. */
OG_NODISCARD og_status og_lance__sink_reserve_text(og_lance__sink *sink, uint64_t bytes,
                                                   og_error *err);

/* Append `items` numbers of `bits` each, which the caller writes to *dst. OG_CORRUPT,
 * naming the encoding, when the sink takes numbers of another width. */
OG_NODISCARD og_status og_lance__sink_numbers(og_lance__sink *sink, uint32_t bits, uint64_t items,
                                              const char *encoding, uint8_t **dst, og_error *err);
/* BYTES: end an item at data_len. Room must have been reserved. */
static inline void og_lance__sink_end_item(og_lance__sink *sink)
{
    sink->count++;
    if (sink->large)
        ((int64_t *)sink->offsets)[sink->count] = (int64_t)sink->data_len;
    else
        ((int32_t *)sink->offsets)[sink->count] = (int32_t)sink->data_len;
}
/* BYTES: OG_LIMIT when the data has outgrown the offsets;
 * to be called after a batch of end_item. */
OG_NODISCARD og_status og_lance__sink_check_data(const og_lance__sink *sink, og_error *err);
/* BYTES: append one item. */
OG_NODISCARD og_status og_lance__sink_text(og_lance__sink *sink, og_bytes text, og_error *err);
/* Append placeholders (zero or empty) of any kind, for null slots that are not stored. */
OG_NODISCARD og_status og_lance__sink_empty(og_lance__sink *sink, uint64_t items, og_error *err);

/* Item `index` of a BYTES sink, borrowed. */
static inline og_bytes og_lance__sink_item(const og_lance__sink *sink, uint64_t index)
{
    size_t start, end;
    if (sink->large) {
        start = (size_t)((const int64_t *)sink->offsets)[index];
        end = (size_t)((const int64_t *)sink->offsets)[index + 1];
    } else {
        start = (size_t)((const int32_t *)sink->offsets)[index];
        end = (size_t)((const int32_t *)sink->offsets)[index + 1];
    }
    return (og_bytes){sink->data + start, end - start};
}

/* Make an array of `type`, without nulls, of everything collected; the sink is empty afterwards.
 * OG_CORRUPT when utf8 text is malformed. */
OG_NODISCARD og_status og_lance__sink_array(og_lance__sink *sink, const og_type *type,
                                            og_array **out, og_error *err);

#endif
