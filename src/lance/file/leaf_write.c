/* Shredding: the rows of a column as a gapless stream of leaf values plus levels (docs/dev/lance.md
 * section 10).
 *
 * Levels are first numbered as if every layer could be null and every list empty, because a page is
 * filled batch by batch; og_lance__leaf_levels renumbers them for what the page really contains.
 * Null slots hold the previous value where values are numbers (it costs nothing in runs and
 * in bit widths), zeros in vectors, and nothing in text. */
#include "lance/file/page_write.h"

#include <assert.h>

static size_t fixed_width(og_type_id id)
{
    return id == OG_TYPE_BOOL ? 0 : og_type_width(id);
}

static og_status init_value(og_lance__leaf *leaf, const og_type *type, og_error *err)
{
    switch (type->id) {
    case OG_TYPE_BOOL:
        leaf->kind = OG_LANCE__BOOL;
        leaf->width = 1;
        return OG_OK;
    case OG_TYPE_UTF8:
    case OG_TYPE_BINARY:
    case OG_TYPE_LARGE_UTF8:
    case OG_TYPE_LARGE_BINARY:
        leaf->kind = OG_LANCE__VARIABLE;
        leaf->wide_offsets = type->id == OG_TYPE_LARGE_UTF8 || type->id == OG_TYPE_LARGE_BINARY;
        leaf->is_utf8 = type->id == OG_TYPE_UTF8 || type->id == OG_TYPE_LARGE_UTF8;
        return OG_OK;
    default:
        break;
    }
    size_t width = fixed_width(type->id);
    leaf->kind = OG_LANCE__FIXED;
    if (type->id == OG_TYPE_FIXED_SIZE_LIST) {
        width = fixed_width(type->children[0].type->id);
        leaf->list_size = (uint32_t)type->list_size;
        if (type->list_size <= 0 || og_mul_overflow(width, (size_t)type->list_size, &width) ||
            width > OG_LANCE__PAGE_BYTES)
            width = 0;
    }
    leaf->width = (uint32_t)width;
    if (width == 0) {
        char name[128];
        og_type_name(type, name, sizeof name);
        return og_error_set(err, OG_UNSUPPORTED, "cannot store a column of type %s", name);
    }
    return OG_OK;
}

/* From the inside out: 0 is a valid leaf, then each layer's null and, for a list, empty. */
static void number_levels(og_lance__leaf *leaf)
{
    uint16_t level = 0, depth = 0;
    for (uint32_t i = leaf->layer_count; i-- > 0;) {
        og_lance__layer *layer = &leaf->layers[i];
        layer->null_level = ++level;
        if (layer->is_list) {
            layer->empty_level = ++level;
            depth++;
        }
        layer->list_depth = depth;
    }
}

og_status og_lance__leaf_init(og_lance__leaf *leaf, const og_type *type, const uint32_t *path,
                              og_error *err)
{
    *leaf = (og_lance__leaf){0};
    for (;;) {
        if (leaf->layer_count == OG_LANCE__MAX_LAYERS)
            return og_error_set(err, OG_UNSUPPORTED, "a column is nested deeper than %d levels",
                                OG_LANCE__MAX_LAYERS);
        og_lance__layer *layer = &leaf->layers[leaf->layer_count++];
        layer->is_list = type->id == OG_TYPE_LIST || type->id == OG_TYPE_LARGE_LIST;
        if (layer->is_list) {
            type = type->children[0].type;
        } else if (type->id == OG_TYPE_STRUCT) {
            layer->child = *path++;
            type = type->children[layer->child].type;
        } else {
            break;
        }
    }
    OG_TRY(init_value(leaf, type, err));
    number_levels(leaf);
    return OG_OK;
}

void og_lance__leaf_deinit(og_lance__leaf *leaf)
{
    og_buf_deinit(&leaf->values);
    og_buf_deinit(&leaf->offsets);
    og_buf_deinit(&leaf->rep);
    og_buf_deinit(&leaf->def);
    og_buf_deinit(&leaf->item_validity);
}

static void clear(og_buf *buf)
{
    if (buf->cap > 2 * OG_LANCE__PAGE_BYTES)
        og_buf_deinit(buf);
    og_buf_clear(buf);
}

void og_lance__leaf_clear(og_lance__leaf *leaf)
{
    clear(&leaf->values);
    clear(&leaf->offsets);
    clear(&leaf->rep);
    clear(&leaf->def);
    clear(&leaf->item_validity);
    leaf->value_count = leaf->null_values = leaf->level_count = leaf->row_count = 0;
}

static void swap(og_buf *a, og_buf *b)
{
    og_buf kept = *a;
    *a = *b;
    *b = kept;
}

void og_lance__leaf_swap_memory(og_lance__leaf *a, og_lance__leaf *b)
{
    swap(&a->values, &b->values);
    swap(&a->offsets, &b->offsets);
    swap(&a->rep, &b->rep);
    swap(&a->def, &b->def);
    swap(&a->item_validity, &b->item_validity);
}

void og_lance__leaf_move(og_lance__leaf *leaf, og_lance__leaf *to)
{
    og_lance__leaf full = *leaf;
    og_lance__leaf_swap_memory(leaf, to);
    *to = full;
    og_lance__leaf_clear(leaf);
}

size_t og_lance__leaf_bytes(const og_lance__leaf *leaf)
{
    return leaf->values.len + leaf->offsets.len + leaf->rep.len + leaf->def.len +
           leaf->item_validity.len;
}

static bool has_lists(const og_lance__leaf *leaf)
{
    return leaf->layers[0].list_depth > 0;
}

/* ---- values ------------------------------------------------------------------------------- */

/* A leaf that has filled this much is likely to fill a page. */
#define LIKELY_FULL ((size_t)1 << 20)

/* Room for `len` more; once for the whole page rather than by doubling,
 * when it is likely to fill. */
static bool reserve(og_buf *buf, size_t len)
{
    if (buf->len >= LIKELY_FULL && buf->len + len < OG_LANCE__PAGE_BYTES &&
        buf->cap < OG_LANCE__PAGE_BYTES)
        return og_buf_reserve(buf, OG_LANCE__PAGE_BYTES + LIKELY_FULL - buf->len);
    return og_buf_reserve(buf, len);
}

static uint8_t *extend(og_buf *buf, size_t len)
{
    if (!reserve(buf, len))
        return NULL;
    uint8_t *at = buf->ptr + buf->len;
    buf->len += len;
    return at;
}

static bool append_bools(og_lance__leaf *leaf, const og_array *array, int64_t start, int64_t end)
{
    uint8_t *out = extend(&leaf->values, (size_t)(end - start));
    if (out == NULL)
        return false;
    uint8_t last = leaf->value_count > 0 ? out[-1] : 0;
    for (int64_t row = start; row < end; row++) {
        if (!og_array_is_null(array, row))
            last = og_array_bool(array, row);
        *out++ = last;
    }
    return true;
}

static bool append_fixed(og_lance__leaf *leaf, const og_array *array, int64_t start, int64_t end)
{
    const og_array *items = leaf->list_size > 0 ? array->children[0] : array;
    size_t width = leaf->width, len = (size_t)(end - start) * width;
    uint8_t *out = extend(&leaf->values, len);
    if (out == NULL)
        return false;
    if (len > 0)
        memcpy(out, (const uint8_t *)items->data + (size_t)start * width, len);
    if (array->validity == NULL)
        return true;
    for (int64_t row = start; row < end; row++, out += width) {
        if (og_bit_get(array->validity, (size_t)row))
            continue;
        if (leaf->list_size > 0 || out == leaf->values.ptr)
            memset(out, 0, width);
        else
            memcpy(out, out - width, width);
    }
    return true;
}

static bool append_item_validity(og_lance__leaf *leaf, const og_array *array, int64_t start,
                                 int64_t end)
{
    const og_array *items = array->children[0];
    size_t size = leaf->list_size;
    if (items->validity == NULL && leaf->item_validity.len == 0)
        return true;
    if (!og_buf_fill(&leaf->item_validity, 1,
                     (size_t)leaf->value_count * size - leaf->item_validity.len))
        return false;
    for (int64_t row = start; row < end; row++) {
        bool is_null = og_array_is_null(array, row);
        for (size_t i = (size_t)row * size; i < ((size_t)row + 1) * size; i++) {
            uint8_t valid = is_null || items->validity == NULL || og_bit_get(items->validity, i);
            if (!og_buf_byte(&leaf->item_validity, valid))
                return false;
        }
    }
    return true;
}

static og_status too_large(size_t len, og_error *err)
{
    return og_error_set(err, OG_LIMIT, "a value of %zu bytes is too large to store", len);
}

/* Texts with 32-bit offsets and without nulls lie back to back. */
static og_status append_texts(og_lance__leaf *leaf, const og_array *array, int64_t start,
                              int64_t end, uint32_t *out, og_error *err)
{
    const int32_t *offsets = array->offsets;
    size_t len = (size_t)(offsets[end] - offsets[start]);
    if (len > UINT32_MAX - leaf->values.len)
        return too_large(len, err);
    uint32_t shift = (uint32_t)leaf->values.len - (uint32_t)offsets[start];
    if (!reserve(&leaf->values, len) ||
        !og_buf_append(&leaf->values, (const uint8_t *)array->data + offsets[start], len))
        return og_error_nomem(err);
    for (int64_t row = start; row < end; row++)
        *out++ = (uint32_t)offsets[row + 1] + shift;
    return OG_OK;
}

static og_status append_variable(og_lance__leaf *leaf, const og_array *array, int64_t start,
                                 int64_t end, og_error *err)
{
    if (leaf->value_count == 0 && !og_buf_u32(&leaf->offsets, 0))
        return og_error_nomem(err);
    uint32_t *out = (uint32_t *)extend(&leaf->offsets, (size_t)(end - start) * sizeof *out);
    if (out == NULL)
        return og_error_nomem(err);
    if (array->validity == NULL && array->type->id != OG_TYPE_LARGE_UTF8 &&
        array->type->id != OG_TYPE_LARGE_BINARY)
        return append_texts(leaf, array, start, end, out, err);
    for (int64_t row = start; row < end; row++) {
        og_str value = og_array_is_null(array, row) ? (og_str){0} : og_array_str(array, row);
        if (value.len > OG_LANCE__MAX_VALUE_BYTES || value.len > UINT32_MAX - leaf->values.len)
            return too_large(value.len, err);
        if (!og_buf_str(&leaf->values, value))
            return og_error_nomem(err);
        *out++ = (uint32_t)leaf->values.len;
    }
    return OG_OK;
}

static int64_t count_nulls(const og_array *array, int64_t start, int64_t end)
{
    if (array->validity == NULL)
        return 0;
    if (start == 0 && end == array->length)
        return array->null_count;
    int64_t nulls = 0;
    for (int64_t row = start; row < end; row++)
        nulls += !og_bit_get(array->validity, (size_t)row);
    return nulls;
}

static og_status append_values(og_lance__leaf *leaf, const og_array *array, int64_t start,
                               int64_t end, og_error *err)
{
    bool done = true;
    switch (leaf->kind) {
    case OG_LANCE__BOOL:
        done = append_bools(leaf, array, start, end);
        break;
    case OG_LANCE__FIXED:
        done = append_fixed(leaf, array, start, end) &&
               (leaf->list_size == 0 || append_item_validity(leaf, array, start, end));
        break;
    case OG_LANCE__VARIABLE:
        OG_TRY(append_variable(leaf, array, start, end, err));
        break;
    }
    if (!done)
        return og_error_nomem(err);
    leaf->value_count += (uint64_t)(end - start);
    leaf->null_values += (uint64_t)count_nulls(array, start, end);
    return OG_OK;
}

/* A slot for a value that a null struct above it hides. */
static bool append_filler(og_lance__leaf *leaf)
{
    leaf->value_count++;
    leaf->null_values++;
    if (leaf->kind != OG_LANCE__VARIABLE) {
        bool done = og_buf_fill(&leaf->values, 0, leaf->width);
        if (done && leaf->item_validity.len > 0)
            done = og_buf_fill(&leaf->item_validity, 1, leaf->list_size);
        return done;
    }
    if (leaf->value_count == 1 && !og_buf_u32(&leaf->offsets, 0))
        return false;
    return og_buf_u32(&leaf->offsets, (uint32_t)leaf->values.len);
}

/* ---- levels ------------------------------------------------------------------------------- */

/* Definition levels are left out while all are 0; then the stream is filled up to here. */
static bool catch_up_defs(og_lance__leaf *leaf)
{
    return og_buf_fill(&leaf->def, 0, (size_t)leaf->level_count * sizeof(uint16_t) - leaf->def.len);
}

static bool push_level(og_lance__leaf *leaf, uint16_t rep, uint16_t def)
{
    if ((def != 0 || leaf->def.len > 0) && !(catch_up_defs(leaf) && og_buf_u16(&leaf->def, def)))
        return false;
    leaf->level_count++;
    return !has_lists(leaf) || og_buf_u16(&leaf->rep, rep);
}

/* Definition levels of leaf rows. */
static bool push_leaf_defs(og_lance__leaf *leaf, const og_array *array, int64_t start, int64_t end)
{
    uint16_t null_level = leaf->layers[leaf->layer_count - 1].null_level;
    size_t count = (size_t)(end - start);
    if (leaf->def.len == 0 && count_nulls(array, start, end) == 0) {
        leaf->level_count += count;
        return true;
    }
    if (!catch_up_defs(leaf))
        return false;
    uint16_t *out = (uint16_t *)extend(&leaf->def, count * sizeof *out);
    if (out == NULL)
        return false;
    for (int64_t row = start; row < end; row++)
        *out++ = og_array_is_null(array, row) ? null_level : 0;
    leaf->level_count += count;
    return true;
}

/* The items of one innermost list. */
static og_status push_items(og_lance__leaf *leaf, const og_array *items, int64_t start, int64_t end,
                            uint16_t rep, og_error *err)
{
    OG_TRY(append_values(leaf, items, start, end, err));
    if (!og_buf_u16(&leaf->rep, rep) ||
        !og_buf_fill(&leaf->rep, 0, (size_t)(end - start - 1) * sizeof(uint16_t)) ||
        !push_leaf_defs(leaf, items, start, end))
        return og_error_nomem(err);
    return OG_OK;
}

/* One value at layer `depth`. `rep` is what its first level entry repeats: the number of list
 * layers for a new row, less for a further item of a list. Recursion is bounded by MAX_LAYERS. */
static og_status push_value(og_lance__leaf *leaf, uint32_t depth, const og_array *array,
                            int64_t row, uint16_t rep, og_error *err)
{
    const og_lance__layer *layer = &leaf->layers[depth];
    bool is_leaf = depth + 1 == leaf->layer_count;
    if (og_array_is_null(array, row)) {
        if (!push_level(leaf, rep, layer->null_level) ||
            (layer->list_depth == 0 && !append_filler(leaf)))
            return og_error_nomem(err);
        return OG_OK;
    }
    if (is_leaf) {
        OG_TRY(append_values(leaf, array, row, row + 1, err));
        return push_level(leaf, rep, 0) ? OG_OK : og_error_nomem(err);
    }
    if (!layer->is_list)
        return push_value(leaf, depth + 1, array->children[layer->child], row, rep, err);
    int64_t start, end;
    og_array_list(array, row, &start, &end);
    if (start == end)
        return push_level(leaf, rep, layer->empty_level) ? OG_OK : og_error_nomem(err);
    if (depth + 2 == leaf->layer_count)
        return push_items(leaf, array->children[0], start, end, rep, err);
    for (int64_t i = start; i < end; i++) {
        OG_TRY(push_value(leaf, depth + 1, array->children[0], i, rep, err));
        rep = (uint16_t)(layer->list_depth - 1);
    }
    return OG_OK;
}

og_status og_lance__leaf_append(og_lance__leaf *leaf, const og_array *array, int64_t start,
                                int64_t count, og_error *err)
{
    if (leaf->layer_count == 1) {
        OG_TRY(append_values(leaf, array, start, start + count, err));
        if (!push_leaf_defs(leaf, array, start, start + count))
            return og_error_nomem(err);
    } else {
        uint16_t rep = leaf->layers[0].list_depth;
        for (int64_t row = start; row < start + count; row++)
            OG_TRY(push_value(leaf, 0, array, row, rep, err));
    }
    leaf->row_count += (uint64_t)count;
    return OG_OK;
}

/* ---- renumbering -------------------------------------------------------------------------- */

static void mark_levels(const uint16_t *def, uint64_t count, bool *seen)
{
    for (uint64_t i = 0; i < count; i++)
        seen[def[i]] = true;
}

/* The page's layer for one of ours, and the new numbers of its levels. */
static uint64_t renumber_layer(const og_lance__layer *layer, const bool *seen, uint16_t *map,
                               uint16_t *level)
{
    bool nulls = seen[layer->null_level];
    if (nulls)
        map[layer->null_level] = ++*level;
    if (!layer->is_list)
        return nulls ? OG_LANCE__NULLABLE_ITEM : OG_LANCE__ITEM;
    bool empties = seen[layer->empty_level];
    if (empties)
        map[layer->empty_level] = ++*level;
    if (nulls)
        return empties ? OG_LANCE__NULL_AND_EMPTY_LIST : OG_LANCE__NULLABLE_LIST;
    return empties ? OG_LANCE__EMPTYABLE_LIST : OG_LANCE__LIST;
}

void og_lance__leaf_levels(og_lance__leaf *leaf, og_lance__levels *out)
{
    bool seen[2 * OG_LANCE__MAX_LAYERS + 1] = {false};
    uint16_t map[2 * OG_LANCE__MAX_LAYERS + 1] = {0};
    uint16_t *def = (uint16_t *)leaf->def.ptr;
    uint64_t def_count = leaf->def.len / sizeof *def;
    assert(def_count == 0 || def_count == leaf->level_count);
    mark_levels(def, def_count, seen);

    *out = (og_lance__levels){.rows = leaf->row_count, .count = leaf->level_count};
    uint16_t level = 0;
    bool below_list = true;
    for (uint32_t i = leaf->layer_count; i-- > 0;) {
        const og_lance__layer *layer = &leaf->layers[i];
        if (layer->is_list)
            below_list = false;
        out->layers[out->layer_count++] = renumber_layer(layer, seen, map, &level);
        if (below_list)
            out->max_visible_def = level;
    }
    out->max_def = level;
    out->max_rep = leaf->layers[0].list_depth;
    if (out->max_rep > 0)
        out->rep = (const uint16_t *)leaf->rep.ptr;
    if (level == 0)
        return;
    for (uint64_t i = 0; i < def_count; i++)
        def[i] = map[def[i]];
    out->def = def;
}
