#include "lance/file/page_write.h"

#include <stdlib.h>
#include <zstd.h>

/* From this average on a value is worth its own compressed frame and is found without decoding
 * others. */
#define WIDE_VALUE_BYTES 8192
/* The width from which vectors are stored one by one, as Lance does. */
#define WIDE_VECTOR_BYTES 256
/* Level bytes up to which a constant page, whose levels are stored raw, beats a mini-block page. */
#define RAW_LEVEL_BYTES 256

void og_lance__page_clear(og_lance__page *page)
{
    for (uint32_t i = 0; i < OG_LANCE__PAGE_BUFFERS; i++)
        og_buf_clear(&page->buffers[i]);
    og_buf_clear(&page->layout);
    page->buffer_count = 0;
}

void og_lance__page_deinit(og_lance__page *page)
{
    for (uint32_t i = 0; i < OG_LANCE__PAGE_BUFFERS; i++)
        og_buf_deinit(&page->buffers[i]);
    og_buf_deinit(&page->layout);
}

void og_lance__encoder_deinit(og_lance__encoder *encoder)
{
    ZSTD_freeCCtx(encoder->zstd);
    og_lance__fsst_free(encoder->fsst);
    og_buf *bufs[] = {
        &encoder->chunk,          &encoder->second,      &encoder->sample,
        &encoder->row_starts,     &encoder->symbols,     &encoder->symbol_offsets,
        &encoder->dict_slots,     &encoder->dict_firsts, &encoder->dict_indices,
        &encoder->dict_block,     &encoder->dict_raw,    &encoder->sorted_firsts,
        &encoder->sorted_indices, &encoder->sorted_raw,  &encoder->sorted_block,
    };
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        og_buf_deinit(bufs[i]);
}

/* ---- what kind of page -------------------------------------------------------------------- */

static og_status view_values(og_lance__leaf *leaf, og_lance__values *out, og_error *err)
{
    *out = (og_lance__values){
        .kind = leaf->kind,
        .width = leaf->width,
        .list_size = leaf->list_size,
        .wide_offsets = leaf->wide_offsets,
        .is_utf8 = leaf->is_utf8,
        .count = leaf->value_count,
    };
    if (leaf->item_validity.len > 0)
        out->item_validity = leaf->item_validity.ptr;
    if (leaf->kind == OG_LANCE__VARIABLE) {
        /* FSST looks a word ahead of the last string. */
        if (!og_buf_reserve(&leaf->values, OG_LANCE__FSST_SLACK))
            return og_error_nomem(err);
        memset(leaf->values.ptr + leaf->values.len, 0, OG_LANCE__FSST_SLACK);
    }
    out->data = leaf->values.ptr;
    out->offsets = (const uint32_t *)leaf->offsets.ptr;
    return OG_OK;
}

static bool same_value(const og_lance__values *values, uint64_t a, uint64_t b)
{
    if (values->kind != OG_LANCE__VARIABLE)
        return memcmp(values->data + a * values->width, values->data + b * values->width,
                      values->width) == 0;
    size_t len = values->offsets[a + 1] - values->offsets[a];
    return len == values->offsets[b + 1] - values->offsets[b] &&
           memcmp(values->data + values->offsets[a], values->data + values->offsets[b], len) == 0;
}

/* All non-null values are equal; *out_index is the first of them. */
static bool find_constant(const og_lance__values *values, const og_lance__levels *levels,
                          uint64_t *out_index)
{
    if (values->list_size > 0)
        return false;
    uint64_t index = 0, first = UINT64_MAX;
    for (uint64_t entry = 0; entry < levels->count; entry++) {
        uint16_t def = levels->def != NULL ? levels->def[entry] : 0;
        if (def > levels->max_visible_def)
            continue;
        if (def == 0) {
            if (first == UINT64_MAX)
                first = index;
            else if (!same_value(values, first, index))
                return false;
        }
        index++;
    }
    *out_index = first;
    return true;
}

static uint64_t raw_level_bytes(const og_lance__levels *levels)
{
    return levels->count * 2 * ((levels->rep != NULL) + (levels->def != NULL));
}

/* Lance reads full-zip pages wrongly when a struct around a list has nulls (guide, pitfall 26). */
static bool full_zip_is_safe(const og_lance__levels *levels)
{
    if (levels->rep == NULL || levels->def == NULL)
        return true;
    bool outside = false;
    for (uint32_t i = 0; i < levels->layer_count; i++) {
        if (outside && levels->layers[i] == OG_LANCE__NULLABLE_ITEM)
            return false;
        outside |=
            levels->layers[i] != OG_LANCE__ITEM && levels->layers[i] != OG_LANCE__NULLABLE_ITEM;
    }
    return true;
}

static bool is_wide(const og_lance__values *values)
{
    if (values->kind != OG_LANCE__VARIABLE)
        return values->width >= WIDE_VECTOR_BYTES;
    return values->offsets[values->count] / values->count >= WIDE_VALUE_BYTES;
}

/* ---- encoding ----------------------------------------------------------------------------- */

/* Repeated values go to a dictionary page, others to a page as planned: one by one when they are
 * wide, else in chunks. */
static og_status encode_values(og_lance__encoder *encoder, const og_lance__values *values,
                               const og_lance__levels *levels, bool wide, og_lance__page *page,
                               bool *out_fits, og_error *err)
{
    og_lance__plan plan, index_plan;
    og_lance__values other;
    og_lance__dict_block dict;
    uint64_t bytes;
    bool use_dict;
    if (wide)
        OG_TRY(og_lance__plan_wide(encoder, values, &plan, &bytes, err));
    else
        OG_TRY(og_lance__plan_values(encoder, values, &plan, &bytes, err));
    OG_TRY(og_lance__dict_encode(encoder, values, &plan, bytes, &use_dict, &other, &index_plan,
                                 &dict, err));
    if (use_dict) {
        OG_TRY(og_lance__mini_encode(encoder, &other, levels, &index_plan, &dict, page, out_fits,
                                     err));
        if (*out_fits || !wide)
            return OG_OK;
    }
    if (plan.codec == OG_LANCE__FSST) {
        OG_TRY(og_lance__compress_strings(encoder, values, 0, values->count, &other, err));
        values = &other;
    }
    *out_fits = true;
    if (wide)
        return og_lance__full_zip_encode(encoder, values, levels, &plan, page, err);
    return og_lance__mini_encode(encoder, values, levels, &plan, NULL, page, out_fits, err);
}

og_status og_lance__page_encode(og_lance__encoder *encoder, og_lance__leaf *leaf,
                                og_lance__page *page, og_error *err)
{
    og_lance__values values;
    og_lance__levels levels;
    OG_TRY(view_values(leaf, &values, err));
    og_lance__leaf_levels(leaf, &levels);
    if (leaf->null_values == leaf->value_count)
        return og_lance__constant_encode(&values, &levels, NULL, page, err);
    uint64_t index;
    if (raw_level_bytes(&levels) <= RAW_LEVEL_BYTES && find_constant(&values, &levels, &index))
        return og_lance__constant_encode(&values, &levels, &index, page, err);

    bool may_zip = full_zip_is_safe(&levels), wide = may_zip && is_wide(&values), fits;
    OG_TRY(encode_values(encoder, &values, &levels, wide, page, &fits, err));
    if (!fits && may_zip)
        OG_TRY(encode_values(encoder, &values, &levels, true, page, &fits, err));
    if (!fits)
        return og_error_set(err, OG_LIMIT, "a list column holds too many empty lists in a row");
    return OG_OK;
}
