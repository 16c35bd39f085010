/* lance/file/codec_priv - the compressive encodings (docs/dev/lance.md section 12) as a table of
 * codecs.
 *
 * The CompressiveEncoding message of a page is a tree; a codec is one node of it, made once per
 * page and used by all threads. The place of the bytes decides which function decodes them:
 *
 *   chunk    values of one mini-block chunk (one or more buffers)
 *   block    levels of a chunk or page, and dictionaries (one buffer)
 *   fixed    rows of equal size in a full-zip page
 *   value    one value of variable size in a full-zip page
 *
 * The format does not use a codec in a place for which it has no function: OG_UNSUPPORTED,
 * naming it. All functions append to a sink and trust no length, width or offset in the bytes. */
#ifndef OG_LANCE_FILE_CODEC_PRIV_H
#define OG_LANCE_FILE_CODEC_PRIV_H

#include "lance/file/sink_priv.h"

#include "file.pb-c.h"

typedef Og__Lance__File__CompressiveEncoding og_lance__encoding;

/* Items of a chunk or block that are wanted: [start, start + count), or items[0..count). */
typedef struct og_lance__pick {
    const uint32_t *items; /* ascending, equal ones allowed; NULL = a range */
    uint64_t start, count;
} og_lance__pick;

static inline uint64_t og_lance__pick_at(const og_lance__pick *pick, uint64_t i)
{
    return pick->items != NULL ? pick->items[i] : pick->start + i;
}
/* One past the highest item; 0 when none is wanted. */
static inline uint64_t og_lance__pick_end(const og_lance__pick *pick)
{
    return pick->count == 0 ? 0 : og_lance__pick_at(pick, pick->count - 1) + 1;
}

typedef enum og_lance__place {
    OG_LANCE__CHUNK,
    OG_LANCE__BLOCK,
    OG_LANCE__ROW_FIXED,
    OG_LANCE__ROW_VALUE,
} og_lance__place;

/* Most values of an encoding that stores no bytes for a value:
 * the bytes there are can't bound them. */
enum { OG_LANCE__MAX_UNSTORED = 1 << 24 };

/* Most value buffers of a chunk; more than any encoding has. */
#define OG_LANCE__MAX_BUFFERS 8

typedef struct og_lance__codec og_lance__codec;

typedef struct og_lance__codec_ops {
    const char *name;
    /* Read the parameters; `codec` is zeroed and has its ops. */
    og_status (*open)(og_lance__codec *codec, const og_lance__encoding *encoding,
                      og_lance__place place, og_error *err);
    /* `buffers` has codec->buffer_count entries; `items` values are stored; pick_end <= items. */
    og_status (*chunk)(const og_lance__codec *codec, const og_bytes *buffers, uint64_t items,
                       const og_lance__pick *pick, og_lance__sink *sink, og_error *err);
    og_status (*block)(const og_lance__codec *codec, og_bytes bytes, uint64_t items,
                       const og_lance__pick *pick, og_lance__sink *sink, og_error *err);
    /* Row i has its codec->row_bytes bytes at first + i * stride: checked by the caller. */
    og_status (*fixed)(const og_lance__codec *codec, const uint8_t *first, size_t stride,
                       const og_lance__pick *pick, og_lance__sink *sink, og_error *err);
    og_status (*value)(const og_lance__codec *codec, og_bytes bytes, og_lance__sink *sink,
                       og_error *err);
} og_lance__codec_ops;

/* A child of a packed struct. */
typedef struct og_lance__packed_field {
    og_lance__codec *codec; /* VariablePackedStruct */
    uint32_t bytes;         /* of the value, or of its length */
    bool has_length;
} og_lance__packed_field;

struct og_lance__codec {
    const og_lance__codec_ops *ops;
    bool is_bytes;         /* values are byte strings */
    uint32_t bits;         /* of a number; of an offset when is_bytes */
    uint32_t packed_bits;  /* OutOfLineBitpacking: W */
    uint32_t buffer_count; /* in a mini-block chunk */
    /* FixedSizeList: numbers and bits of the whole, sizes outermost first, a bit for each level
     * whose items have validity. */
    uint32_t list_size, depth, validity;
    uint32_t dims[OG_LANCE__MAX_DIMS];
    uint64_t list_bits;
    int32_t scheme;   /* General */
    size_t row_bytes; /* of one row in a full-zip page; 0 when variable */
    struct og_lance__fsst *fsst;
    uint8_t *constant; /* Constant: the value, row_bytes of it; NULL = none */
    og_lance__codec *inner;
    og_lance__packed_field *fields;
    uint32_t field_count;
};

/* Make the codec for an encoding that stands at `place`. `encoding` may be NULL (then it is
 * missing: OG_CORRUPT). `what` names it in messages ("the values"). */
OG_NODISCARD og_status og_lance__codec_open(const og_lance__encoding *encoding,
                                            og_lance__place place, const char *what,
                                            og_lance__codec **out, og_error *err);
void og_lance__codec_free(og_lance__codec *codec);
OG_DEFINE_AUTO(og_lance__codec, og_lance__codec_free)
size_t og_lance__codec_memory(const og_lance__codec *codec);

/* Read a picked range of an RLE chunk as codes: the value of each run that has rows in the range is
 * appended to `sink`, and codes[i] is the place in `sink` of the i-th picked row's value. */
OG_NODISCARD og_status og_lance__rle_codes(const og_lance__codec *codec, const og_bytes *buffers,
                                           uint64_t items, const og_lance__pick *pick,
                                           og_lance__sink *sink, uint32_t *codes, og_error *err);

/* Decompress the bytes of a General codec. The caller frees *out with og_free. */
OG_NODISCARD og_status og_lance__general_expand(const og_lance__codec *codec, og_bytes bytes,
                                                uint8_t **out, size_t *out_len, og_error *err);

/* The codecs, each defined in a file of its kind; codec.c has the table. */
extern const og_lance__codec_ops og_lance__flat_ops, og_lance__bitpack_ops,
    og_lance__inline_bitpack_ops, og_lance__rle_ops, og_lance__stream_split_ops; /* numbers */
extern const og_lance__codec_ops og_lance__variable_ops, og_lance__fsst_ops;     /* byte strings */
extern const og_lance__codec_ops og_lance__general_ops; /* LZ4 and zstd around another */
extern const og_lance__codec_ops og_lance__constant_codec_ops;
extern const og_lance__codec_ops og_lance__fixed_list_ops, og_lance__fixed_struct_ops,
    og_lance__packed_struct_ops;

/* For the open functions: OG_UNSUPPORTED when the buffers of an encoding are under a compression of
 * their own, which the format can say and no writer writes. */
OG_NODISCARD og_status og_lance__no_compression(
    const Og__Lance__File__BufferCompression *compression, const char *encoding, og_error *err);
/* The width of a Flat child, OG_CORRUPT when it is anything else. */
OG_NODISCARD og_status og_lance__flat_bits(const og_lance__encoding *encoding, const char *parent,
                                           uint32_t *out_bits, og_error *err);
/* True for the widths of numbers: 8, 16, 32, 64. */
static inline bool og_lance__is_word(uint64_t bits)
{
    return bits == 8 || bits == 16 || bits == 32 || bits == 64;
}

#endif
