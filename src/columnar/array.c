#include "columnar/array.h"

#include "columnar/layout_priv.h"

#include <assert.h>

og_array *og_array_ref(og_array *array)
{
    __atomic_fetch_add(&array->refs, 1, __ATOMIC_RELAXED);
    return array;
}

void og_array_unref(og_array *array)
{
    if (array == NULL || __atomic_sub_fetch(&array->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    for (uint32_t i = 0; i < array->child_count; i++)
        og_array_unref(array->children[i]);
    for (size_t i = 0; i < sizeof array->owned / sizeof array->owned[0]; i++)
        og_free(array->owned[i]);
    if (array->on_release != NULL)
        array->on_release(array->release_context);
    og_free(array);
}

og_array *og_array_new(const og_type *type, int64_t length)
{
    assert(length >= 0);
    /* The slots of the children stand behind the struct: one block, one free. */
    og_array *a = og_calloc(1, sizeof *a + type->child_count * sizeof(og_array *));
    if (a == NULL)
        return NULL;
    a->type = type;
    a->length = length;
    a->refs = 1;
    a->child_count = type->child_count;
    a->children = type->child_count > 0 ? (og_array **)(a + 1) : NULL;
    return a;
}

static void *zeroed(uint64_t size)
{
    /* Never of zero bytes, so that pointers into it may be formed for empty arrays. */
    if (size > SIZE_MAX - 64)
        return NULL;
    size_t padded = (size_t)og_align_up(size != 0 ? size : 1, 64);
    void *p = og_malloc_aligned(padded);
    if (p != NULL)
        memset(p, 0, padded);
    return p;
}

/* The buffers of `a` beside validity: zero values, empty texts and lists. */
static bool fill_with_zeros(og_array *a)
{
    og_type_id id = a->type->id;
    uint64_t rows = (uint64_t)a->length, size = 0;
    size_t offset_width = og_columnar__offset_width(id);
    if (offset_width > 0) {
        if (og_mul_overflow(rows + 1, (uint64_t)offset_width, &size))
            return false;
        a->offsets = a->owned[1] = zeroed(size);
        if (a->offsets == NULL)
            return false;
    }
    if (og_columnar__is_nested(id) || id == OG_TYPE_NULL)
        return true;
    size = 0;
    if (id == OG_TYPE_BOOL)
        size = og_bitmap_bytes(rows);
    else if (og_mul_overflow(rows, (uint64_t)og_type_width(id), &size))
        return false;
    a->data = a->owned[0] = zeroed(size);
    return a->data != NULL;
}

static og_array *new_filled(const og_type *type, int64_t length, bool null);

static bool fill_children(og_array *a, bool null)
{
    for (uint32_t i = 0; i < a->child_count; i++) {
        int64_t child_length = 0;
        bool child_null = false;
        if (a->type->id == OG_TYPE_STRUCT) {
            child_length = a->length;
            child_null = null;
        } else if (a->type->id == OG_TYPE_FIXED_SIZE_LIST &&
                   og_mul_overflow(a->length, (int64_t)a->type->list_size, &child_length)) {
            return false;
        }
        a->children[i] = new_filled(a->type->children[i].type, child_length, child_null);
        if (a->children[i] == NULL)
            return false;
    }
    return true;
}

static og_array *new_filled(const og_type *type, int64_t length, bool null)
{
    OG_AUTO(og_array) a = og_array_new(type, length);
    if (a == NULL || !fill_with_zeros(a) || !fill_children(a, null))
        return NULL;
    if ((null || type->id == OG_TYPE_NULL) && length > 0) {
        a->validity = a->owned[2] = zeroed(og_bitmap_bytes((size_t)length));
        if (a->validity == NULL)
            return NULL;
        a->null_count = length;
    }
    return OG_TAKE(a);
}

og_array *og_array_new_null(const og_type *type, int64_t length)
{
    return new_filled(type, length, true);
}

size_t og_array_bytes(const og_array *array)
{
    og_type_id id = array->type->id;
    size_t rows = (size_t)array->length;
    size_t offset_width = og_columnar__offset_width(id);
    size_t bytes = array->validity != NULL ? og_bitmap_bytes(rows) : 0;
    if (offset_width > 0)
        bytes += (rows + 1) * offset_width;
    if (id == OG_TYPE_BOOL)
        bytes += og_bitmap_bytes(rows);
    else if (og_columnar__is_text(id))
        bytes += (size_t)og_columnar__offset(array, array->length);
    else
        bytes += rows * og_type_width(id);
    for (uint32_t i = 0; i < array->child_count; i++)
        bytes += og_array_bytes(array->children[i]);
    return bytes;
}

/* ---- batches ------------------------------------------------------------------------------ */

og_status og_batch_init(og_batch *batch, uint32_t column_count, int64_t row_count, og_error *err)
{
    og_array **columns = og_calloc(column_count, sizeof(og_array *));
    if (columns == NULL)
        return og_error_nomem(err);
    *batch = (og_batch){.columns = columns, .column_count = column_count, .row_count = row_count};
    return OG_OK;
}

void og_batch_deinit(og_batch *batch)
{
    for (uint32_t i = 0; i < batch->column_count; i++)
        og_array_unref(batch->columns[i]);
    og_free(batch->columns);
    *batch = (og_batch){0};
}
