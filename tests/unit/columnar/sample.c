#include "sample.h"

#include "columnar/builder.h"
#include "og_test.h"

#include <math.h>

static const og_type utf8 = {OG_TYPE_UTF8}, i32 = {OG_TYPE_I32}, f32 = {OG_TYPE_F32},
                     boolean = {OG_TYPE_BOOL};
static const og_field item_f32 = {{"item", 4}, &f32, true};
static const og_field item_utf8 = {{"item", 4}, &utf8, true};
static const og_field item_bool = {{"item", 4}, &boolean, true};
static const og_type vector3 = {OG_TYPE_FIXED_SIZE_LIST, 3, 1, &item_f32};
static const og_type texts = {OG_TYPE_LIST, 0, 1, &item_utf8};
static const og_field item_texts = {{"item", 4}, &texts, true};
static const og_field record_fields[] = {
    {{"a", 1}, &i32, true}, {{"b", 1}, &texts, true}, {{"v", 1}, &vector3, true}};
static const og_type record = {OG_TYPE_STRUCT, 0, 3, record_fields};
static const og_field item_record = {{"item", 4}, &record, true};

static const og_type nested[] = {
    {OG_TYPE_FIXED_SIZE_LIST, 3, 1, &item_f32},    {OG_TYPE_FIXED_SIZE_LIST, 2, 1, &item_bool},
    {OG_TYPE_LARGE_LIST, 0, 1, &item_texts},       {OG_TYPE_STRUCT, 0, 3, record_fields},
    {OG_TYPE_FIXED_SIZE_LIST, 2, 1, &item_record},
};

const og_type *sample_type(size_t index)
{
    size_t plain = OG_TYPE_LARGE_BINARY + 1;
    return index < plain ? og_type_of((og_type_id)index) : &nested[index - plain];
}

static void append(og_builder *b, const og_type *type, int null_percent, uint64_t *seed);

static void append_text(og_builder *b, uint64_t *seed)
{
    char text[40];
    size_t len =
        og_test_random(seed) % 4 == 0 ? og_test_random(seed) % 40 : og_test_random(seed) % 4;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)('a' + og_test_random(seed) % 3);
    assert_true(og_builder_str(b, (og_str){text, len}));
}

static void append_float(og_builder *b, uint64_t *seed)
{
    static const double edges[] = {0.0, -0.0, 1.0, -1.5, 2.25, 65504, INFINITY, -INFINITY, NAN};
    assert_true(og_builder_f64(b, edges[og_test_random(seed) % 9]));
}

static void append_items(og_builder *b, const og_type *type, int null_percent, uint64_t *seed)
{
    size_t count = 1;
    if (type->id == OG_TYPE_FIXED_SIZE_LIST)
        count = (size_t)type->list_size;
    else if (type->id != OG_TYPE_STRUCT)
        count = og_test_random(seed) % 4;
    for (size_t n = 0; n < count; n++) {
        for (uint32_t i = 0; i < type->child_count; i++)
            append(og_builder_child(b, i), type->children[i].type, null_percent, seed);
    }
    assert_true(og_builder_end_row(b));
}

static void append(og_builder *b, const og_type *type, int null_percent, uint64_t *seed)
{
    if (type->id == OG_TYPE_NULL || (int)(og_test_random(seed) % 100) < null_percent) {
        assert_true(og_builder_null(b));
        return;
    }
    uint64_t r = og_test_random(seed);
    size_t width = og_type_width(type->id);
    int64_t narrow = r % 4 == 0 && width == 8 ? (int64_t)(r * 0x9e3779b97f4a7c15u)
                                              : (int64_t)(r >> 8) % 100 - 50;
    switch (type->id) {
    case OG_TYPE_BOOL:
        assert_true(og_builder_bool(b, r & 1));
        return;
    case OG_TYPE_U8:
    case OG_TYPE_U16:
    case OG_TYPE_U32:
    case OG_TYPE_U64:
        assert_true(og_builder_u64(b, width == 8 ? (uint64_t)narrow : (r >> 8) % 200));
        return;
    case OG_TYPE_F16:
    case OG_TYPE_F32:
    case OG_TYPE_F64:
        append_float(b, seed);
        return;
    case OG_TYPE_UTF8:
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_LARGE_BINARY:
        append_text(b, seed);
        return;
    case OG_TYPE_FIXED_SIZE_LIST:
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
    case OG_TYPE_STRUCT:
        append_items(b, type, null_percent, seed);
        return;
    default:
        assert_true(og_builder_i64(b, narrow));
        return;
    }
}

og_array *sample_array(const og_type *type, int64_t length, int null_percent, uint64_t *seed)
{
    OG_AUTO(og_builder) b = og_builder_new(type);
    og_array *array = NULL;
    assert_non_null(b);
    for (int64_t i = 0; i < length; i++)
        append(b, type, null_percent, seed);
    assert_ok(og_builder_finish(b, &array, err));
    assert_ok(og_array_validate(array, true, err));
    return array;
}
