/* Codecs over bytes made by hand: bit-packing of every width, and encodings that no writer in reach
 * produces. */
#include "lance/file/codec_priv.h"
#include "lance/file/fsst_priv.h"
#include "lance/file/unpack_priv.h"
#include "og_test.h"

#include <lz4.h>

#define ENCODING(kind, member, ...)                                                                \
    {                                                                                              \
        .compression_case = OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_##kind,             \
        .member = __VA_ARGS__                                                                      \
    }

/* ---- bit-packing -------------------------------------------------------------------------- */

/* The definition, value by value: index order[row / 8] * 16 + (row % 8) * 128 + lane has bits
 * row * width.. of the lane, whose words are `lanes` apart. */
static void pack(const uint64_t *values, uint32_t width, uint32_t bits, uint8_t *out)
{
    static const uint32_t order[8] = {0, 4, 2, 6, 1, 5, 3, 7};
    const uint32_t lanes = 1024 / bits;
    memset(out, 0, width * 128);
    for (uint32_t lane = 0; lane < lanes; lane++) {
        for (uint32_t row = 0; row < bits; row++) {
            uint64_t value = values[order[row / 8] * 16 + row % 8 * 128 + lane];
            for (uint32_t bit = 0; bit < width; bit++) {
                uint32_t place = row * width + bit;
                size_t word = (size_t)(place / bits) * lanes + lane;
                if (value >> bit & 1)
                    og_bit_set(out, word * bits + place % bits);
            }
        }
    }
}

TEST(test_unpack__reads_every_width)
{
    static uint64_t values[1024];
    static uint8_t packed[1024 * 8], out[1024 * 8];
    uint64_t seed = 1;
    for (uint32_t bits = 8; bits <= 64; bits *= 2) {
        for (uint32_t width = 0; width <= bits; width++) {
            uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
            for (int i = 0; i < 1024; i++)
                values[i] = og_test_random(&seed) & mask;
            pack(values, width, bits, packed);
            og_lance__unpack_block(packed, width, bits, out);
            for (uint32_t i = 0; i < 1024; i++) {
                uint64_t value = 0;
                memcpy(&value, out + i * (bits / 8), bits / 8);
                assert_int_equal(value, values[i]);
                assert_int_equal(og_lance__unpack_value(packed, width, bits, i), values[i]);
            }
        }
    }
}

static og_lance__codec *open_codec(const og_lance__encoding *encoding, og_lance__place place)
{
    og_lance__codec *codec;
    assert_ok(og_lance__codec_open(encoding, place, "the values", &codec, err));
    return codec;
}

/* 1500 values: one packed block and a tail, packed or raw. */
static void check_out_of_line(bool raw_tail)
{
    Og__Lance__File__Flat flat = {.bits_per_value = 5};
    og_lance__encoding width = ENCODING(FLAT, flat, &flat);
    Og__Lance__File__OutOfLineBitpacking m = {.uncompressed_bits_per_value = 16, .values = &width};
    const og_lance__encoding encoding =
        ENCODING(OUT_OF_LINE_BITPACKING, out_of_line_bitpacking, &m);
    static uint64_t values[2048];
    static uint8_t bytes[2 * 5 * 128 + 1024];
    for (uint32_t i = 0; i < 1500; i++)
        values[i] = i * 7 % 32;
    pack(values, 5, 16, bytes);
    pack(values + 1024, 5, 16, bytes + 5 * 128);
    size_t len = 2 * 5 * 128;
    if (raw_tail) {
        len = 5 * 128 + 476 * 2;
        for (uint32_t i = 0; i < 476; i++)
            memcpy(bytes + 5 * 128 + i * 2, &values[1024 + i], 2);
    }
    OG_AUTO(og_lance__codec) codec = open_codec(&encoding, OG_LANCE__BLOCK);
    static const uint32_t some[] = {0, 1023, 1024, 1024, 1499};
    const og_lance__pick picks[] = {{NULL, 0, 1500}, {NULL, 1000, 100}, {some, 0, 5}};
    for (size_t p = 0; p < 3; p++) {
        OG_LANCE__AUTO_SINK sink;
        og_lance__sink_init_fixed(&sink, 16);
        assert_ok(codec->ops->block(codec, (og_bytes){bytes, len}, 1500, &picks[p], &sink, err));
        assert_int_equal(sink.count, picks[p].count);
        for (uint64_t i = 0; i < picks[p].count; i++)
            assert_int_equal(((uint16_t *)sink.data)[i], values[og_lance__pick_at(&picks[p], i)]);
    }
    OG_LANCE__AUTO_SINK sink;
    og_lance__sink_init_fixed(&sink, 16);
    assert_status(
        codec->ops->block(codec, (og_bytes){bytes, 5 * 128}, 1500, &picks[0], &sink, NULL),
        OG_CORRUPT);
}

TEST(test_codec__out_of_line_tails)
{
    check_out_of_line(false);
    check_out_of_line(true);
}

/* ---- numbers ------------------------------------------------------------------------------ */

TEST(test_codec__byte_stream_split)
{
    Og__Lance__File__Flat flat = {.bits_per_value = 32};
    og_lance__encoding values = ENCODING(FLAT, flat, &flat);
    Og__Lance__File__ByteStreamSplit m = {.values = &values};
    const og_lance__encoding encoding = ENCODING(BYTE_STREAM_SPLIT, byte_stream_split, &m);
    const uint8_t bytes[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    OG_AUTO(og_lance__codec) codec = open_codec(&encoding, OG_LANCE__CHUNK);
    OG_LANCE__AUTO_SINK sink;
    og_lance__sink_init_fixed(&sink, 32);
    assert_ok(codec->ops->chunk(codec, &(og_bytes){bytes, 12}, 3, &(og_lance__pick){NULL, 1, 2},
                                &sink, err));
    assert_int_equal(((uint32_t *)sink.data)[0], 0x0b080502);
    assert_int_equal(((uint32_t *)sink.data)[1], 0x0c090603);
}

TEST(test_codec__compressed_chunk)
{
    Og__Lance__File__Flat flat = {.bits_per_value = 64};
    og_lance__encoding values = ENCODING(FLAT, flat, &flat);
    Og__Lance__File__BufferCompression lz4 = {.scheme = 1};
    Og__Lance__File__General m = {.compression = &lz4, .values = &values};
    const og_lance__encoding encoding = ENCODING(GENERAL, general, &m);
    uint64_t numbers[100];
    for (uint64_t i = 0; i < 100; i++)
        numbers[i] = i / 10;
    uint8_t bytes[1024];
    const uint32_t raw = sizeof numbers;
    memcpy(bytes, &raw, 4);
    int len = LZ4_compress_default((const char *)numbers, (char *)bytes + 4, raw, sizeof bytes - 4);
    assert_true(len > 0);
    OG_AUTO(og_lance__codec) codec = open_codec(&encoding, OG_LANCE__CHUNK);
    OG_LANCE__AUTO_SINK sink;
    og_lance__sink_init_fixed(&sink, 64);
    og_bytes buffer = {bytes, 4 + (size_t)len};
    const og_lance__pick pick = {NULL, 30, 40};
    assert_ok(codec->ops->chunk(codec, &buffer, 100, &pick, &sink, err));
    assert_memory_equal(sink.data, numbers + 30, 40 * 8);

    /* A length that no LZ4 block of this size can have. */
    memset(bytes, 0xff, 4);
    assert_status(codec->ops->chunk(codec, &buffer, 100, &pick, &sink, NULL), OG_CORRUPT);
}

TEST(test_codec__run_lengths_of_zero_end_in_an_error)
{
    Og__Lance__File__Flat value_flat = {.bits_per_value = 16}, length_flat = {.bits_per_value = 8};
    og_lance__encoding values = ENCODING(FLAT, flat, &value_flat);
    og_lance__encoding lengths = ENCODING(FLAT, flat, &length_flat);
    Og__Lance__File__Rle m = {.values = &values, .run_lengths = &lengths};
    const og_lance__encoding encoding = ENCODING(RLE, rle, &m);
    const uint8_t numbers[4] = {1, 0, 2, 0}, runs[2] = {3, 0};
    const og_bytes buffers[2] = {{numbers, 4}, {runs, 2}};
    OG_AUTO(og_lance__codec) codec = open_codec(&encoding, OG_LANCE__CHUNK);
    OG_LANCE__AUTO_SINK sink;
    og_lance__sink_init_fixed(&sink, 16);
    assert_ok(codec->ops->chunk(codec, buffers, 3, &(og_lance__pick){NULL, 0, 3}, &sink, err));
    assert_status(codec->ops->chunk(codec, buffers, 4, &(og_lance__pick){NULL, 0, 4}, &sink, NULL),
                  OG_CORRUPT);
}

TEST(test_codec__unreachable_encodings_are_named)
{
    Og__Lance__File__DictionaryEncoding m = {0};
    const og_lance__encoding encoding = ENCODING(DICTIONARY, dictionary, &m);
    og_lance__codec *codec;
    og_error err;
    assert_status(og_lance__codec_open(&encoding, OG_LANCE__CHUNK, "the values", &codec, &err),
                  OG_UNSUPPORTED);
    assert_string_equal(err.message, "the values have encoding Dictionary in a mini-block chunk");
    assert_status(og_lance__codec_open(NULL, OG_LANCE__CHUNK, "the values", &codec, &err),
                  OG_CORRUPT);
}

TEST(test_codec__compressed_buffers_are_named)
{
    Og__Lance__File__BufferCompression zstd = {.scheme = 2};
    Og__Lance__File__Flat flat = {.bits_per_value = 32, .data = &zstd};
    const og_lance__encoding encoding = ENCODING(FLAT, flat, &flat);
    og_lance__codec *codec;
    og_error err;
    assert_status(og_lance__codec_open(&encoding, OG_LANCE__CHUNK, "the values", &codec, &err),
                  OG_UNSUPPORTED);
    assert_string_equal(err.message, "Flat with buffer compression 2");
}

TEST(test_codec__constants)
{
    uint8_t value[] = {1, 2, 3};
    Og__Lance__File__ConstantValue m = {.has_value = 1, .value = {3, value}};
    const og_lance__encoding encoding = ENCODING(CONSTANT, constant, &m);
    OG_AUTO(og_lance__codec) codec = open_codec(&encoding, OG_LANCE__ROW_FIXED);
    assert_int_equal(codec->row_bytes, 3);
    static const og_type u8 = {OG_TYPE_U8};
    static const og_field item = {{"item", 4}, &u8, true};
    static const og_type type = {OG_TYPE_FIXED_SIZE_LIST, 3, 1, &item};
    OG_LANCE__AUTO_SINK sink;
    assert_ok(og_lance__sink_init(&sink, &type, err));
    const og_lance__pick pick = {NULL, 1, 2};
    assert_ok(codec->ops->fixed(codec, value, 3, &pick, &sink, err));
    assert_memory_equal(sink.data, "\1\2\3\1\2\3", 6);
    m.has_value = 0; /* nulls alone */
    OG_AUTO(og_lance__codec) nulls = open_codec(&encoding, OG_LANCE__BLOCK);
    assert_ok(nulls->ops->block(nulls, (og_bytes){NULL, 0}, 2, &(og_lance__pick){.count = 2}, &sink,
                                err));
    assert_int_equal(sink.count, 4);
    assert_status(nulls->ops->block(nulls, (og_bytes){NULL, 0}, UINT64_MAX,
                                    &(og_lance__pick){.count = 1}, &sink, NULL),
                  OG_CORRUPT);
}

/* ---- values made of several --------------------------------------------------------------- */

TEST(test_codec__packed_structs)
{
    Og__Lance__File__Flat flat = {.bits_per_value = 24};
    og_lance__encoding values = ENCODING(FLAT, flat, &flat);
    uint64_t bits[] = {16, 8};
    Og__Lance__File__PackedStruct m = {
        .n_bits_per_value = 2, .bits_per_value = bits, .values = &values};
    const og_lance__encoding encoding = ENCODING(PACKED_STRUCT, packed_struct, &m);
    static const og_type u8 = {OG_TYPE_U8}, u16 = {OG_TYPE_U16};
    static const og_field fields[] = {{{"a", 1}, &u16, false}, {{"b", 1}, &u8, false}};
    static const og_type type = {OG_TYPE_STRUCT, 0, 2, fields};
    const uint8_t rows[9] = {1, 0, 2, 3, 0, 4, 5, 0, 6};
    OG_AUTO(og_lance__codec) codec = open_codec(&encoding, OG_LANCE__CHUNK);
    OG_LANCE__AUTO_SINK sink;
    assert_ok(og_lance__sink_init(&sink, &type, err));
    const uint32_t some[] = {0, 2};
    const og_lance__pick pick = {some, 0, 2};
    assert_ok(codec->ops->chunk(codec, &(og_bytes){rows, 9}, 3, &pick, &sink, err));
    assert_memory_equal(sink.children[0].data, "\1\0\5\0", 4);
    assert_memory_equal(sink.children[1].data, "\2\6", 2);
    assert_status(codec->ops->chunk(codec, &(og_bytes){rows, 8}, 3, &pick, &sink, NULL),
                  OG_CORRUPT);
    /* Fields that are not the row, of no whole byte, and a column of another type. */
    og_lance__codec *bad;
    bits[1] = 16;
    assert_status(og_lance__codec_open(&encoding, OG_LANCE__CHUNK, "", &bad, NULL), OG_CORRUPT);
    bits[1] = 1;
    assert_status(og_lance__codec_open(&encoding, OG_LANCE__CHUNK, "", &bad, NULL), OG_UNSUPPORTED);
    OG_LANCE__AUTO_SINK numbers;
    og_lance__sink_init_fixed(&numbers, 24);
    assert_status(codec->ops->chunk(codec, &(og_bytes){rows, 9}, 3, &pick, &numbers, NULL),
                  OG_CORRUPT);
}

/* fixed_size_list<fixed_size_list<u8, 2>, 3> with validity at the inner level,
 * read from chunks and from rows. */
TEST(test_codec__lists_in_lists)
{
    Og__Lance__File__Flat flat = {.bits_per_value = 8};
    og_lance__encoding numbers = ENCODING(FLAT, flat, &flat);
    Og__Lance__File__FixedSizeList inner = {.items_per_value = 2, .values = &numbers};
    og_lance__encoding lists = ENCODING(FIXED_SIZE_LIST, fixed_size_list, &inner);
    Og__Lance__File__FixedSizeList outer = {
        .items_per_value = 3, .values = &lists, .has_validity = 1};
    const og_lance__encoding encoding = ENCODING(FIXED_SIZE_LIST, fixed_size_list, &outer);
    static const og_type u8 = {OG_TYPE_U8};
    static const og_field item = {{"item", 4}, &u8, true};
    static const og_type pair = {OG_TYPE_FIXED_SIZE_LIST, 2, 1, &item};
    static const og_field pairs = {{"item", 4}, &pair, true};
    static const og_type type = {OG_TYPE_FIXED_SIZE_LIST, 3, 1, &pairs};
    OG_AUTO(og_lance__codec) chunk = open_codec(&encoding, OG_LANCE__CHUNK);
    OG_AUTO(og_lance__codec) rows = open_codec(&encoding, OG_LANCE__ROW_FIXED);
    assert_int_equal(chunk->buffer_count, 2);
    assert_int_equal(rows->row_bytes, 7);
    OG_LANCE__AUTO_SINK sink;
    assert_ok(og_lance__sink_init(&sink, &type, err));
    const uint8_t validity[1] = {0x2f}, data[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const og_bytes buffers[2] = {{validity, 1}, {data, 12}};
    const og_lance__pick all = {.count = 2}, second = {NULL, 1, 1};
    assert_ok(chunk->ops->chunk(chunk, buffers, 2, &second, &sink, err));
    const uint8_t row[14] = {6, 1, 2, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12};
    assert_ok(rows->ops->fixed(rows, row, 7, &all, &sink, err));
    assert_ok(og_lance__sink_empty(&sink, 1, err));
    OG_AUTO(og_array) array = NULL;
    assert_ok(og_lance__sink_array(&sink, &type, &array, err));
    assert_ok(og_array_validate(array, true, err));
    assert_int_equal(array->length, 4);
    assert_int_equal(array->children[0]->null_count, 2);
    assert_true(og_array_is_null(array->children[0], 1)); /* bit 4 of 0x2f */
    assert_true(og_array_is_null(array->children[0], 3)); /* bit 0 of 6 */
    const uint8_t *bytes = array->children[0]->children[0]->data;
    assert_memory_equal(bytes, data + 6, 6);
    assert_memory_equal(bytes + 6, row + 1, 6);
    const og_bytes cut[2] = {{validity, 0}, {data, 12}};
    assert_status(chunk->ops->chunk(chunk, cut, 2, &all, &sink, NULL), OG_CORRUPT);
}

/* ---- FSST --------------------------------------------------------------------------------- */

TEST(test_fsst__expands_symbols_and_escapes)
{
    uint8_t table[2312] = {0};
    const uint64_t header = UINT64_C(0x46535354) << 32 | 1 << 24 | 2;
    memcpy(table, &header, 8);
    memcpy(table + 8, "graph", 5);
    memcpy(table + 16, "databases", 8);
    table[24] = 5;
    table[25] = 8;
    static og_lance__fsst fsst;
    assert_ok(og_lance__fsst_open((og_bytes){table, sizeof table}, &fsst, err));
    const uint8_t codes[] = {0, 255, ' ', 1, 0, 0, 0, 0, 255, 255};
    uint8_t out[128];
    size_t len = og_lance__fsst_expand(&fsst, (og_bytes){codes, sizeof codes}, out);
    assert_str_is(((og_str){(char *)out, len}), "graph databasegraphgraphgraphgraph\xff");
    /* An escape without a byte, an unknown code. */
    assert_true(og_lance__fsst_expand(&fsst, (og_bytes){codes, 2}, out) == SIZE_MAX);
    assert_true(og_lance__fsst_expand(&fsst, (og_bytes){(const uint8_t *)"\x02", 1}, out) ==
                SIZE_MAX);
    table[25] = 9;
    assert_status(og_lance__fsst_open((og_bytes){table, sizeof table}, &fsst, NULL), OG_CORRUPT);
    assert_status(og_lance__fsst_open((og_bytes){table, 25}, &fsst, NULL), OG_CORRUPT);
}
