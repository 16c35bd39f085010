/* lance/file/page_priv - one page of one column: where its rows are and how to decode some of them.
 *
 * A page is in one of four layouts, each with its own ops (page_mini.c, page_zip.c,
 * page_constant.c, page_blob.c). Opening decodes what all reads share: codecs,
 * chunk table, dictionary, repetition index. An open page is immutable; reads keep
 * their state on their own stack. */
#ifndef OG_LANCE_FILE_PAGE_PRIV_H
#define OG_LANCE_FILE_PAGE_PRIV_H

#include "lance/file/codec_priv.h"
#include "lance/file/container_priv.h"

/* ---- levels (docs/dev/lance.md section 10) -------------------------------------------------- */

typedef enum og_lance__layer {
    OG_LANCE__ALL_VALID_ITEM = 1,
    OG_LANCE__ALL_VALID_LIST,
    OG_LANCE__NULLABLE_ITEM,
    OG_LANCE__NULLABLE_LIST,
    OG_LANCE__EMPTYABLE_LIST,
    OG_LANCE__NULL_AND_EMPTY_LIST,
} og_lance__layer;

enum { OG_LANCE__MAX_LAYERS = 16 };

/* The layers of a page, innermost first. */
typedef struct og_lance__layers {
    uint8_t kinds[OG_LANCE__MAX_LAYERS];
    uint32_t count;
    uint16_t max_rep; /* number of list layers; a level of max_rep starts a row */
    uint16_t max_def;
    uint16_t max_visible_def; /* an entry up to this owns a value slot */
} og_lance__layers;

static inline bool og_lance__layer_is_list(uint8_t kind)
{
    return kind == OG_LANCE__ALL_VALID_LIST || kind >= OG_LANCE__NULLABLE_LIST;
}
static inline uint16_t og_lance__layer_defs(uint8_t kind)
{
    return kind == OG_LANCE__NULL_AND_EMPTY_LIST ? 2 : kind >= OG_LANCE__NULLABLE_ITEM ? 1 : 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* Rows of a page, numbered from its first: ascending; equal ones only where there are no lists. */
typedef struct og_lance__rows {
    const uint32_t *list; /* rows of the file, or NULL for a range */
    uint64_t base;        /* subtracted from list[i] */
    uint64_t start, count;
} og_lance__rows;

static inline uint64_t og_lance__row_at(const og_lance__rows *rows, uint64_t i)
{
    return rows->list != NULL ? rows->list[i] - rows->base : rows->start + i;
}

/* What reads of a leaf column collect: visible values of all pages so far, and the levels
 * of the page being read (none appended where the page has none of that kind). */
typedef struct og_lance__leaf_values {
    og_lance__sink values;
    og_lance__sink rep, def; /* u16 */
} og_lance__leaf_values;

typedef struct og_lance__page_ops {
    const char *name;
    og_status (*open)(og_lance__page *page, const Og__Lance__File__PageLayout *layout,
                      og_error *err);
    og_status (*read)(const og_lance__page *page, const og_lance__rows *rows,
                      og_lance__leaf_values *leaf, og_error *err);
    void (*close)(og_lance__page *page);
} og_lance__page_ops;

/* Chunk i holds the items from first_item on; chunk[chunk_count] is the end of all. */
typedef struct og_lance__chunk {
    uint64_t offset;     /* in the data buffer */
    uint64_t first_item; /* visible items */
    uint64_t first_row;  /* the first row that starts here; equals first_item without lists */
    bool continues;      /* begins inside the row before first_row */
} og_lance__chunk;

typedef struct og_lance__mini_block {
    og_lance__codec *rep, *def, *values;
    og_lance__chunk *chunks; /* chunk_count + 1 */
    uint32_t chunk_count;
    bool large_chunks;
    bool has_dictionary;
    og_lance__sink dictionary; /* its entries; where rows may be null, one more, which is empty */
    uint64_t dictionary_items; /* without that one */
    uint8_t *dictionary_validity; /* then a bitmap in which only that one is null; else NULL */
} og_lance__mini_block;

typedef struct og_lance__full_zip {
    og_lance__codec *values;
    uint32_t rep_bits, def_bits;
    uint32_t control_bytes;
    uint32_t length_bytes; /* variable: of the length before a value; 0 = fixed */
    size_t value_bytes;    /* fixed */
    og_lance__span starts; /* index: rows + 1 offsets of start_bytes each; ptr NULL when absent */
    uint32_t start_bytes;
} og_lance__full_zip;

typedef struct og_lance__constant {
    og_lance__sink value_bytes; /* BYTES sink of one item; empty when there is no value */
    bool has_value;
    bool value_is_text; /* the value is the buffers of an Arrow array of one text */
    og_lance__sink rep, def;
    uint32_t *row_starts; /* rows + 1 level indices when there are lists */
} og_lance__constant;

typedef struct og_lance__blob_places {
    og_lance__page *places; /* where the bytes are; of another layout, in the same buffers */
} og_lance__blob_places;

struct og_lance__page {
    const og_lance__page_ops *ops;
    og_lance_file *file;       /* the owner */
    og_lance__page_info *info; /* not const: its counts of expected reads change */
    og_lance__layers layers;
    size_t memory;
    union {
        og_lance__mini_block mini;
        og_lance__full_zip zip;
        og_lance__constant constant;
        og_lance__blob_places blob;
    };
};

extern const og_lance__page_ops og_lance__mini_block_ops, og_lance__full_zip_ops,
    og_lance__constant_ops, og_lance__blob_page_ops;

/* Page `index` of a column, opened at first use; borrowed from the column. */
OG_NODISCARD og_status og_lance__page_get(og_lance_file *file, og_lance__column *column,
                                          uint32_t index, const og_lance__page **out,
                                          og_error *err);
void og_lance__page_free(og_lance__page *page);

/* Read a range of rows as codes, one per row, into an array of few values of `type` (page_codes.c;
 * og_lance_coded says what the values are). *out_values NULL: the page has no codes. The values may
 * borrow from the page. *out_of_rows: they are the values of these rows only; else the same for all
 * rows of the page. Text of a dictionary is not checked to be UTF-8. */
OG_NODISCARD og_status og_lance__page_codes(const og_lance__page *page, const og_lance__rows *rows,
                                            const og_type *type, uint32_t *codes,
                                            og_array **out_values, bool *out_of_rows,
                                            og_error *err);

/* Unpack the PageLayout message of a page; freed with og_lance_proto_free. */
OG_NODISCARD og_status og_lance__page_layout(const og_lance__page_info *info,
                                             ProtobufCMessage **out, og_error *err);
/* Rows of a full-zip page as an array of `type` that borrows the file's bytes. Possible when these
 * are laid out as Arrow has them: plain numbers or fixed-size lists of them, without nulls, at an
 * aligned address. Else *out is NULL. */
OG_NODISCARD og_status og_lance__zip_borrow(const og_lance__page *page, uint64_t start,
                                            uint64_t count, const og_type *type, og_array **out,
                                            og_error *err);
/* Open a page by its layout message; `page` has its file and info. */
OG_NODISCARD og_status og_lance__page_open_layout(og_lance__page *page,
                                                  const Og__Lance__File__PageLayout *layout,
                                                  og_error *err);
OG_NODISCARD og_status og_lance__layers_parse(const int32_t *kinds, size_t count,
                                              og_lance__layers *out, og_error *err);
/* The bytes of buffer `index`. OG_CORRUPT when the page has no such buffer. */
OG_NODISCARD og_status og_lance__page_buffer(const og_lance__page *page, uint32_t index,
                                             const char *what, og_lance__span *out, og_error *err);
/* Reads of a mapped file say what they are going to touch, so that it is brought in beforehand
 * (expect.c). True when nothing needs to be said about this buffer any more. */
bool og_lance__page_is_expected(const og_lance__page *page, uint32_t buffer);
/* Say that the rows lead to about `touched` bytes in [start, end) of the buffer. False when they
 * are few: the caller then names each place by og_lance__page_expect_at. */
bool og_lance__page_expect(const og_lance__page *page, uint32_t buffer, const og_lance__rows *rows,
                           uint64_t start, uint64_t end, uint64_t touched);
void og_lance__page_expect_at(const og_lance__page *page, uint32_t buffer, uint64_t start,
                              uint64_t end);
/* Append levels [start, start + count) of `from` to `to`. */
OG_NODISCARD og_status og_lance__levels_copy(og_lance__sink *to, const uint16_t *from,
                                             uint64_t count, og_error *err);
/* True when no level is above `max`. */
bool og_lance__levels_ok(const uint16_t *levels, uint64_t count, uint16_t max);

#endif
