/* lance/file/page_write - the inside of the file writer: leaf columns, encoders, encoded pages.
 *
 * A batch's column is shredded into leaf columns (leaf_write.c): a value stream without gaps plus
 * repetition and definition levels. When enough bytes are buffered the leaf becomes one page:
 * page_write.c picks the layout and the codec by looking at the data, mini_write.c and the
 * others produce the page's buffers and its PageLayout message. Nothing here does I/O.
 *
 * Format: docs/dev/lance.md sections 10-13. Only encodings that every Lance 6 reader decodes. */
#ifndef OG_LANCE_FILE_PAGE_WRITE_H
#define OG_LANCE_FILE_PAGE_WRITE_H

#include "base/buf.h"
#include "columnar/array.h"
#include "lance/file/fsst_write.h"

/* A page is cut when a leaf has buffered this much. */
#define OG_LANCE__PAGE_BYTES ((size_t)8 << 20)
/* Nesting of lists and structs in one column. */
#define OG_LANCE__MAX_LAYERS 16
/* Values of one mini-block chunk; what Lance's own writer keeps to. */
#define OG_LANCE__CHUNK_VALUES 4096
/* Most bytes of one value, so that a page's offsets fit u32:
 * only its last value may pass the limit of a page. */
#define OG_LANCE__MAX_VALUE_BYTES ((size_t)1 << 31)

/* Layers of `layers` in the page messages (section 10). */
enum {
    OG_LANCE__ITEM = 1,
    OG_LANCE__LIST,
    OG_LANCE__NULLABLE_ITEM,
    OG_LANCE__NULLABLE_LIST,
    OG_LANCE__EMPTYABLE_LIST,
    OG_LANCE__NULL_AND_EMPTY_LIST,
};

/* ---- a leaf column while it is being filled (leaf_write.c) -------------------------------- */

typedef enum og_lance__value_kind {
    OG_LANCE__BOOL,     /* one byte each while buffered */
    OG_LANCE__FIXED,    /* `width` bytes each: numbers, and fixed-size lists of them */
    OG_LANCE__VARIABLE, /* bytes with u32 offsets */
} og_lance__value_kind;

/* One level of nesting, outermost first; the last one is the leaf itself. */
typedef struct og_lance__layer {
    bool is_list;
    uint32_t child;      /* struct: which child leads to the leaf */
    uint16_t list_depth; /* list layers at or below this one */
    uint16_t null_level; /* definition levels as if every layer could be null or empty */
    uint16_t empty_level;
} og_lance__layer;

typedef struct og_lance__leaf {
    og_lance__value_kind kind;
    uint32_t width;     /* FIXED: bytes of a value */
    uint32_t list_size; /* fixed-size list: items of a value; 0 = scalar */
    bool wide_offsets;  /* VARIABLE: large types store 64-bit offsets */
    bool is_utf8;
    og_lance__layer layers[OG_LANCE__MAX_LAYERS];
    uint32_t layer_count;

    og_buf values;        /* BOOL, FIXED: values; VARIABLE: bytes. Null slots hold a filler */
    og_buf offsets;       /* VARIABLE: u32[value_count + 1] */
    og_buf rep;           /* u16[level_count], when there is a list layer */
    og_buf def;           /* u16[level_count]; empty while nothing was null or empty */
    og_buf item_validity; /* fixed-size list: a byte per item, 1 = valid; empty while all are */
    uint64_t value_count, null_values, level_count, row_count;
} og_lance__leaf;

/* `path[i]` picks the child at the i-th struct on the way to the leaf. OG_UNSUPPORTED for types
 * that cannot be stored. */
OG_NODISCARD og_status og_lance__leaf_init(og_lance__leaf *leaf, const og_type *type,
                                           const uint32_t *path, og_error *err);
void og_lance__leaf_deinit(og_lance__leaf *leaf);
/* Append rows [start, start + count). OG_LIMIT for a value above OG_LANCE__MAX_VALUE_BYTES. */
OG_NODISCARD og_status og_lance__leaf_append(og_lance__leaf *leaf, const og_array *array,
                                             int64_t start, int64_t count, og_error *err);
size_t og_lance__leaf_bytes(const og_lance__leaf *leaf);
/* Forget the rows but keep the memory, except what a huge value took. */
void og_lance__leaf_clear(og_lance__leaf *leaf);
/* Move the rows to `to`, a cleared leaf, whose memory goes to `leaf`. */
void og_lance__leaf_move(og_lance__leaf *leaf, og_lance__leaf *to);
/* Exchange the memory of two leaves without rows. */
void og_lance__leaf_swap_memory(og_lance__leaf *a, og_lance__leaf *b);

/* ---- what the encoders see ---------------------------------------------------------------- */

/* A stream of values: of a leaf, or the indices of a dictionary. Borrowed. */
typedef struct og_lance__values {
    og_lance__value_kind kind;
    uint32_t width;
    uint32_t list_size;
    bool wide_offsets;
    bool is_utf8;
    const uint8_t *data;
    const uint32_t *offsets;
    const uint8_t *item_validity; /* a byte per item, or NULL */
    uint64_t count;
} og_lance__values;

/* The levels of a page, numbered for the layers that this page really needs. Borrowed. */
typedef struct og_lance__levels {
    const uint16_t *rep;                   /* NULL when no layer is a list */
    const uint16_t *def;                   /* NULL when nothing is null or empty */
    uint64_t count;                        /* entries; values.count when both are NULL */
    uint64_t layers[OG_LANCE__MAX_LAYERS]; /* innermost first */
    uint32_t layer_count;
    uint16_t max_rep, max_def, max_visible_def;
    uint64_t rows;
} og_lance__levels;

static inline bool og_lance__is_visible(const og_lance__levels *levels, uint64_t entry)
{
    return levels->def == NULL || levels->def[entry] <= levels->max_visible_def;
}

/* Renumber the definition levels by what occurs in this page, in place in leaf->def. */
void og_lance__leaf_levels(og_lance__leaf *leaf, og_lance__levels *out);

/* How values become bytes inside a mini-block chunk. */
typedef enum og_lance__codec {
    OG_LANCE__FLAT,
    OG_LANCE__BITPACKED, /* FastLanes, 1024 values a chunk */
    OG_LANCE__RLE,
    OG_LANCE__SPLIT,   /* ByteStreamSplit, only under zstd: it makes sorted numbers cheap */
    OG_LANCE__OFFSETS, /* Variable: offsets, then bytes */
    OG_LANCE__FSST,    /* Variable over symbols of a table that the page carries */
} og_lance__codec;

typedef struct og_lance__plan {
    og_lance__codec codec;
    bool zstd;                  /* General(ZSTD) around it */
    const og_lance__fsst *fsst; /* FSST */
} og_lance__plan;

/* A dictionary in its stored form (block encoding), and what its encoding message says. */
typedef struct og_lance__dict_block {
    const uint8_t *bytes;
    size_t len;
    uint64_t items;
    bool zstd;
    uint32_t bits; /* Flat width of fixed items; 0 = Variable */
    bool wide_offsets;
} og_lance__dict_block;

/* An encoded page. Buffers are reused from page to page. */
#define OG_LANCE__PAGE_BUFFERS 4
typedef struct og_lance__page {
    og_buf buffers[OG_LANCE__PAGE_BUFFERS];
    uint32_t buffer_count;
    og_buf layout; /* serialized PageLayout */
} og_lance__page;

void og_lance__page_clear(og_lance__page *page);
void og_lance__page_deinit(og_lance__page *page);

/* Scratch memory for encoding one page at a time. Starts zeroed. */
typedef struct og_lance__encoder {
    void *zstd; /* ZSTD_CCtx; NULL until first used */
    og_buf chunk, second, sample, row_starts;
    og_buf symbols, symbol_offsets; /* a page's strings under FSST */
    og_buf dict_slots, dict_firsts, dict_indices, dict_raw, dict_block;
    og_buf sorted_firsts, sorted_indices, sorted_raw, sorted_block;
    og_lance__fsst *fsst;
} og_lance__encoder;

void og_lance__encoder_deinit(og_lance__encoder *encoder);

/* ---- page encoders ------------------------------------------------------------------------ */

/* Encode what the leaf holds (at least one row) as one page. */
OG_NODISCARD og_status og_lance__page_encode(og_lance__encoder *encoder, og_lance__leaf *leaf,
                                             og_lance__page *page, og_error *err);

/* *out_fits false when the levels of some chunk pass the format's limit; then use full-zip. */
OG_NODISCARD og_status og_lance__mini_encode(og_lance__encoder *encoder,
                                             const og_lance__values *values,
                                             const og_lance__levels *levels,
                                             const og_lance__plan *plan,
                                             const og_lance__dict_block *dict, og_lance__page *page,
                                             bool *out_fits, og_error *err);
OG_NODISCARD og_status og_lance__full_zip_encode(og_lance__encoder *encoder,
                                                 const og_lance__values *values,
                                                 const og_lance__levels *levels,
                                                 const og_lance__plan *plan, og_lance__page *page,
                                                 og_error *err);
/* The row index of a full-zip page: u64 row starts and the total, in the fewest bytes that hold the
 * total. False when out of memory. */
bool og_lance__put_row_index(const og_buf *starts, og_buf *out);
/* All non-null values equal the one at *value_index; NULL = there is no value at all. */
OG_NODISCARD og_status og_lance__constant_encode(const og_lance__values *values,
                                                 const og_lance__levels *levels,
                                                 const uint64_t *value_index, og_lance__page *page,
                                                 og_error *err);

/* Append values [start, start + count) as one chunk of `plan`, not yet compressed (General);
 * `second` gets the chunk's other buffer, where the codec has two. False when out of memory. */
bool og_lance__chunk_encode(const og_lance__values *values, const og_lance__plan *plan,
                            uint64_t start, uint64_t count, og_buf *first, og_buf *second);
/* How many values the chunk at `start` takes: a power of two, or all that are left. */
uint64_t og_lance__chunk_count(const og_lance__values *values, const og_lance__plan *plan,
                               uint64_t start);

/* Write the content of the CompressiveEncoding message for values encoded by this plan. */
void og_lance__put_values(og_buf *out, const og_lance__values *values, const og_lance__plan *plan);

/* Append General's form of `len` bytes: u64 raw length, one zstd frame. The first `head` bytes
 * (offsets) get a block and so an entropy table of their own, which saves 5 to 12 % of what
 * follows. False when out of memory. */
bool og_lance__zstd_append(og_lance__encoder *encoder, const void *bytes, size_t len, size_t head,
                           og_buf *out);
/* The same for a dictionary: also looks for the short matches that its sorted items share. */
bool og_lance__zstd_dict(og_lance__encoder *encoder, const void *bytes, size_t len, size_t head,
                         og_buf *out);
/* The same for one chunk of a page planned with zstd. */
bool og_lance__zstd_chunk(og_lance__encoder *encoder, const og_lance__values *values,
                          uint64_t count, const og_buf *chunk, og_buf *out);

/* Compress strings [start, start + count) by FSST; `out` views the result, which lives in the
 * encoder until the next call. */
OG_NODISCARD og_status og_lance__compress_strings(og_lance__encoder *encoder,
                                                  const og_lance__values *values, uint64_t start,
                                                  uint64_t count, og_lance__values *out,
                                                  og_error *err);
/* The cheapest codec for values of a mini-block page, and about how many bytes it takes.
 * A plan for FSST refers to the encoder's symbol table. */
OG_NODISCARD og_status og_lance__plan_values(og_lance__encoder *encoder,
                                             const og_lance__values *values, og_lance__plan *out,
                                             uint64_t *out_bytes, og_error *err);
/* The same for values that are stored one by one (full-zip): FSST,
 * a zstd frame for each value, or plain. */
OG_NODISCARD og_status og_lance__plan_wide(og_lance__encoder *encoder,
                                           const og_lance__values *values, og_lance__plan *out,
                                           uint64_t *out_bytes, og_error *err);
/* Replace repeated values by indices into a dictionary, when that takes less than the `plan_bytes`
 * of `plan`; *out_used tells. The outputs live in the encoder until the next page. */
OG_NODISCARD og_status og_lance__dict_encode(og_lance__encoder *encoder,
                                             const og_lance__values *values,
                                             const og_lance__plan *plan, uint64_t plan_bytes,
                                             bool *out_used, og_lance__values *out_indices,
                                             og_lance__plan *out_plan,
                                             og_lance__dict_block *out_dict, og_error *err);

/* The order by bytes of `items` texts, text i being the value at index firsts[i]: their numbers,
 * into `out`. False when out of memory. */
bool og_lance__dict_order(const og_lance__values *values, const uint32_t *firsts, uint32_t items,
                          uint32_t *out);

/* ---- levels (levels_write.c) -------------------------------------------------------------- */

typedef enum og_lance__level_codec {
    OG_LANCE__LEVELS_FLAT,
    OG_LANCE__LEVELS_RLE,
    OG_LANCE__LEVELS_PACKED, /* out of line */
} og_lance__level_codec;

typedef struct og_lance__level_plan {
    og_lance__level_codec codec;
    uint32_t bits;
} og_lance__level_plan;

/* How to encode levels: chosen once for a page, applied to each of its chunks. */
og_lance__level_plan og_lance__level_plan_of(const uint16_t *levels, uint64_t count);
bool og_lance__level_encode(og_lance__level_plan plan, const uint16_t *levels, uint64_t count,
                            og_buf *out);

/* Write the content of the CompressiveEncoding message that describes it. */
void og_lance__put_levels(og_buf *out, og_lance__level_plan plan);

#endif
