#include "columnar/builder_priv.h"

#include <assert.h>

#include "columnar/layout_priv.h"

/* offsets[length + 1 ..] from the array's, moved so that its offset `first` becomes `base`. */
static void append_offsets(og_builder *b, const og_array *array, int64_t start, int64_t count,
                           int64_t base)
{
    if (b->offset_width == 4) {
        const int32_t *src = (const int32_t *)array->offsets + start;
        int32_t *dst = (int32_t *)b->offsets + b->length + 1;
        int32_t shift = (int32_t)(base - src[0]);
        for (int64_t i = 0; i < count; i++)
            dst[i] = src[i + 1] + shift;
    } else {
        const int64_t *src = (const int64_t *)array->offsets + start;
        int64_t *dst = (int64_t *)b->offsets + b->length + 1;
        int64_t shift = base - src[0];
        for (int64_t i = 0; i < count; i++)
            dst[i] = src[i + 1] + shift;
    }
}

static bool append_text(og_builder *b, const og_array *array, int64_t start, int64_t count)
{
    int64_t first = og_columnar__offset(array, start);
    size_t len = (size_t)(og_columnar__offset(array, start + count) - first);
    if (!og_columnar__builder_make_text(b, len))
        return false;
    append_offsets(b, array, start, count, (int64_t)b->text_len);
    if (len > 0)
        memcpy(b->data + b->text_len, (const uint8_t *)array->data + first, len);
    b->text_len += len;
    return true;
}

static bool append_items(og_builder *b, const og_array *array, int64_t start, int64_t count)
{
    int64_t first, end, last_first;
    og_array_list(array, start, &first, &end);
    og_array_list(array, start + count - 1, &last_first, &end);
    og_builder *child = b->children[0];
    int64_t base = child->length;
    if (b->offset_width == 4 && end - first > INT32_MAX - base)
        return og_columnar__builder_fail(b, OG_LIMIT);
    if (!og_builder_append_array(child, array->children[0], first, end - first))
        return og_columnar__builder_fail(b, child->failed);
    if (b->offset_width > 0)
        append_offsets(b, array, start, count, base);
    return true;
}

static bool append_values(og_builder *b, const og_array *array, int64_t start, int64_t count)
{
    switch (b->id) {
    case OG_TYPE_NULL:
        return true;
    case OG_TYPE_BOOL:
        og_bitmap_copy(b->data, (size_t)b->length, array->data, (size_t)start, (size_t)count);
        return true;
    case OG_TYPE_UTF8:
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_LARGE_BINARY:
        return append_text(b, array, start, count);
    case OG_TYPE_FIXED_SIZE_LIST:
    case OG_TYPE_LIST:
    case OG_TYPE_LARGE_LIST:
        return append_items(b, array, start, count);
    case OG_TYPE_STRUCT:
        for (uint32_t i = 0; i < b->type->child_count; i++) {
            if (!og_builder_append_array(b->children[i], array->children[i], start, count))
                return og_columnar__builder_fail(b, b->children[i]->failed);
        }
        return true;
    default:
        memcpy(b->data + b->length * b->width,
               (const uint8_t *)array->data + (size_t)start * b->width, (size_t)count * b->width);
        return true;
    }
}

bool og_builder_append_array(og_builder *builder, const og_array *array, int64_t start,
                             int64_t count)
{
    og_builder *b = builder;
    assert(b->id == array->type->id);
    assert(start >= 0 && count >= 0 && count <= array->length - start);
    if (count == 0)
        return b->failed == OG_OK;
    int64_t nulls = og_columnar__null_count(array, start, count);
    if (!og_columnar__builder_make_rows(b, count) ||
        (nulls > 0 && !og_columnar__builder_make_validity(b)))
        return false;
    if (!append_values(b, array, start, count))
        return false;
    if (nulls > 0)
        og_bitmap_copy(b->validity, (size_t)b->length, array->validity, (size_t)start,
                       (size_t)count);
    else if (b->validity != NULL)
        og_columnar__builder_set_bits(b->validity, b->length, count);
    b->null_count += nulls;
    b->length += count;
    return true;
}
