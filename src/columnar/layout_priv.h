/* columnar/layout_priv - which buffers a type has; shared by the files of this folder. */
#ifndef OG_COLUMNAR_LAYOUT_PRIV_H
#define OG_COLUMNAR_LAYOUT_PRIV_H

#include "columnar/array.h"

/* Variable-width bytes with offsets: text and binary, small and large. */
static inline bool og_columnar__is_text(og_type_id id)
{
    return id >= OG_TYPE_UTF8 && id <= OG_TYPE_LARGE_BINARY;
}
static inline bool og_columnar__is_utf8(og_type_id id)
{
    return id == OG_TYPE_UTF8 || id == OG_TYPE_LARGE_UTF8;
}
/* Lists with offsets (not fixed-size lists). */
static inline bool og_columnar__is_list(og_type_id id)
{
    return id == OG_TYPE_LIST || id == OG_TYPE_LARGE_LIST;
}
static inline bool og_columnar__is_nested(og_type_id id)
{
    return id >= OG_TYPE_FIXED_SIZE_LIST;
}
/* Bytes of one offset, 0 for types without offsets. */
static inline size_t og_columnar__offset_width(og_type_id id)
{
    switch (id) {
    case OG_TYPE_UTF8:
    case OG_TYPE_BINARY:
    case OG_TYPE_LIST:
        return 4;
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_LARGE_BINARY:
    case OG_TYPE_LARGE_LIST:
        return 8;
    default:
        return 0;
    }
}
/* offsets[index] of a type that has offsets. */
static inline int64_t og_columnar__offset(const og_array *a, int64_t index)
{
    return og_columnar__offset_width(a->type->id) == 4 ? ((const int32_t *)a->offsets)[index]
                                                       : ((const int64_t *)a->offsets)[index];
}
/* Nulls among rows [start, start + count). */
static inline int64_t og_columnar__null_count(const og_array *a, int64_t start, int64_t count)
{
    if (a->validity == NULL)
        return 0;
    if (start == 0 && count == a->length)
        return a->null_count;
    int64_t nulls = 0;
    int64_t i = start, end = start + count;
    for (; i < end && (i & 7) != 0; i++)
        nulls += !og_bit_get(a->validity, (size_t)i);
    int64_t whole = (end - i) & ~(int64_t)7;
    if (whole > 0) {
        nulls += whole - (int64_t)og_bitmap_count(a->validity + (i >> 3), (size_t)whole);
        i += whole;
    }
    for (; i < end; i++)
        nulls += !og_bit_get(a->validity, (size_t)i);
    return nulls;
}
/* Non-null bools, numbers and dates as unsigned integers in the order of og_compare_rows
 * (kernels.c). */
uint64_t og_columnar__order_key(const og_array *a, int64_t row);

#endif
