/* Constant layout (docs/dev/lance.md section 11.3): one value, or none, and levels.
 *
 *     page buffers        inline_value
 *     none                no    every row null (layers [3])
 *     none                yes   all rows = value
 *     1: value            no    all rows = value
 *     2: rep, def         yes   value and levels, raw u16
 *     3: value, rep, def  no    value and levels, raw u16
 *     2: rep, def         no    no value; levels compressed, or raw u16 without an encoding
 *
 * A value buffer: u32 n, n x u32 lengths, then n Arrow buffers of an array of one element. */
#include "lance/file/page_priv.h"

#include <inttypes.h>

/* ---- opening ------------------------------------------------------------------------------ */

/* The last buffer of the one-element array is its data. */
static og_status parse_value(og_lance__constant *c, og_bytes bytes, og_error *err)
{
    uint32_t buffers = bytes.len >= 4 ? og_load_u32(bytes.ptr) : 0;
    if (buffers == 0 || buffers > (bytes.len - 4) / 4)
        return og_error_set(err, OG_CORRUPT, "a value of %zu bytes and %" PRIu32 " buffers",
                            bytes.len, buffers);
    size_t at = 4 + 4 * (size_t)buffers;
    for (uint32_t i = 0; i < buffers; i++) {
        size_t len = og_load_u32(bytes.ptr + 4 + 4 * (size_t)i);
        if (len > bytes.len - at)
            return og_error_set(err, OG_CORRUPT, "buffer %" PRIu32 " of the value is cut off", i);
        if (i + 1 == buffers)
            OG_TRY(og_lance__sink_text(&c->value_bytes, (og_bytes){bytes.ptr + at, len}, err));
        at += len;
    }
    c->value_is_text = buffers > 1;
    return OG_OK;
}

static og_status load_value(og_lance__page *page, const Og__Lance__File__ConstantLayout *m,
                            uint32_t *next_buffer, og_error *err)
{
    og_lance__constant *c = &page->constant;
    c->has_value = true;
    if (m->has_inline_value)
        return og_lance__sink_text(&c->value_bytes,
                                   (og_bytes){m->inline_value.data, m->inline_value.len}, err);
    if (page->info->buffer_count % 2 == 0) {
        c->has_value = false;
        return OG_OK;
    }
    OG_LANCE__AUTO_SPAN span = {0};
    OG_TRY(og_lance__page_buffer(page, (*next_buffer)++, "a value", &span, err));
    return parse_value(c, (og_bytes){span.ptr, span.len}, err);
}

/* Decode one kind of levels; an absent one is a buffer of no bytes. */
static og_status load_levels(og_lance__page *page, uint32_t buffer,
                             const og_lance__encoding *encoding, uint64_t count, uint16_t max,
                             og_lance__sink *sink, og_error *err)
{
    OG_LANCE__AUTO_SPAN span = {0};
    OG_TRY(og_lance__page_buffer(page, buffer, "levels", &span, err));
    og_bytes bytes = {span.ptr, span.len};
    if (encoding == NULL) {
        uint8_t *dst;
        OG_TRY(og_lance__sink_numbers(sink, 16, bytes.len / 2, "levels", &dst, err));
        if (bytes.len >= 2)
            memcpy(dst, bytes.ptr, bytes.len / 2 * 2);
    } else if (count > 0) {
        OG_AUTO(og_lance__codec) codec = NULL;
        const og_lance__pick all = {.count = count};
        OG_TRY(og_lance__codec_open(encoding, OG_LANCE__BLOCK, "levels", &codec, err));
        OG_TRY(codec->ops->block(codec, bytes, count, &all, sink, err));
    }
    if (!og_lance__levels_ok((const uint16_t *)sink->data, sink->count, max))
        return og_error_set(err, OG_CORRUPT, "a level is above %u", max);
    page->memory += og_lance__sink_memory(sink);
    return OG_OK;
}

/* Where each row's levels start. */
static og_status index_rows(og_lance__page *page, og_error *err)
{
    og_lance__constant *c = &page->constant;
    const uint64_t rows = page->info->rows, levels = c->rep.count;
    const uint16_t *rep = (const uint16_t *)c->rep.data;
    if (levels > UINT32_MAX || (levels > 0 && rep[0] != page->layers.max_rep))
        return og_error_set(err, OG_CORRUPT, "the levels do not start with a row");
    c->row_starts = og_calloc(rows + 1, sizeof *c->row_starts);
    if (c->row_starts == NULL)
        return og_error_nomem(err);
    uint64_t row = 0;
    for (uint64_t i = 0; i < levels; i++) {
        if (rep[i] != page->layers.max_rep)
            continue;
        if (row < rows)
            c->row_starts[row] = (uint32_t)i;
        row++;
    }
    if (row != rows)
        return og_error_set(err, OG_CORRUPT, "the levels have %" PRIu64 " rows, the page %" PRIu64,
                            row, rows);
    c->row_starts[rows] = (uint32_t)levels;
    page->memory += (rows + 1) * sizeof *c->row_starts;
    return OG_OK;
}

/* Levels that are there must count what the layers and rows say. */
static og_status check_levels(og_lance__page *page, og_error *err)
{
    og_lance__constant *c = &page->constant;
    if (page->layers.max_rep > 0) {
        if (c->def.count > 0 && c->def.count != c->rep.count)
            return og_error_set(err, OG_CORRUPT,
                                "%" PRIu64 " repetition and %" PRIu64 " definition levels",
                                c->rep.count, c->def.count);
        return index_rows(page, err);
    }
    if (c->rep.count > 0 || (c->def.count > 0 && c->def.count != page->info->rows))
        return og_error_set(err, OG_CORRUPT, "%" PRIu64 " levels for %" PRIu64 " rows",
                            c->def.count, page->info->rows);
    return OG_OK;
}

static og_status constant_open(og_lance__page *page, const Og__Lance__File__PageLayout *layout,
                               og_error *err)
{
    const Og__Lance__File__ConstantLayout *m = layout->constant_layout;
    og_lance__constant *c = &page->constant;
    uint32_t buffer = 0;
    og_lance__sink_init_bytes(&c->value_bytes, false);
    og_lance__sink_init_fixed(&c->rep, 16);
    og_lance__sink_init_fixed(&c->def, 16);
    OG_TRY(og_lance__layers_parse(m->layers, m->n_layers, &page->layers, err));
    OG_TRY(load_value(page, m, &buffer, err));
    if (page->info->buffer_count - buffer == 2) {
        /* With a value the levels are raw, whatever the message says of encodings. */
        const og_lance__encoding *rep = c->has_value ? NULL : m->rep_compression;
        const og_lance__encoding *def = c->has_value ? NULL : m->def_compression;
        OG_TRY(
            load_levels(page, buffer, rep, m->num_rep_values, page->layers.max_rep, &c->rep, err));
        OG_TRY(load_levels(page, buffer + 1, def, m->num_def_values, page->layers.max_def, &c->def,
                           err));
    } else if (page->info->buffer_count != buffer) {
        return og_error_set(err, OG_CORRUPT, "%" PRIu32 " buffers", page->info->buffer_count);
    }
    page->memory += og_lance__sink_memory(&c->value_bytes);
    return check_levels(page, err);
}

static void constant_close(og_lance__page *page)
{
    og_lance__constant *c = &page->constant;
    og_lance__sink_deinit(&c->value_bytes);
    og_lance__sink_deinit(&c->rep);
    og_lance__sink_deinit(&c->def);
    og_free(c->row_starts);
}

/* ---- values ------------------------------------------------------------------------------- */

/* `count` copies of a number. */
static void fill_number(uint8_t *dst, og_bytes value, uint64_t count)
{
    if (value.len == 1) {
        memset(dst, value.ptr[0], count);
        return;
    }
    for (uint64_t i = 0; i < count; i++)
        memcpy(dst + i * value.len, value.ptr, value.len);
}

static og_status fill_texts(og_bytes value, uint64_t count, og_lance__sink *sink, og_error *err)
{
    uint64_t bytes;
    if (og_mul_overflow(value.len, count, &bytes))
        return og_error_nomem(err);
    OG_TRY(og_lance__sink_reserve(sink, count, err));
    OG_TRY(og_lance__sink_reserve_text(sink, bytes, err));
    for (uint64_t i = 0; i < count; i++) {
        if (value.len > 0)
            memcpy(sink->data + sink->data_len, value.ptr, value.len);
        sink->data_len += value.len;
        og_lance__sink_end_item(sink);
    }
    return og_lance__sink_check_data(sink, err);
}

static og_status fill_bools(bool value, uint64_t count, og_lance__sink *sink, og_error *err)
{
    OG_TRY(og_lance__sink_reserve(sink, count, err));
    for (uint64_t i = 0; value && i < count; i++)
        og_bit_set(sink->data, sink->count + i);
    sink->count += count;
    return OG_OK;
}

static og_status fill(const og_lance__constant *c, uint64_t count, og_lance__sink *sink,
                      og_error *err)
{
    if (!c->has_value)
        return og_lance__sink_empty(sink, count, err);
    og_bytes value = og_lance__sink_item(&c->value_bytes, 0);
    if (sink->kind == OG_LANCE__BYTES && (c->value_is_text || value.len == 0))
        return fill_texts(value, count, sink, err);
    if (sink->kind == OG_LANCE__BITS && sink->list_size == 1 && value.len >= 1)
        return fill_bools(value.ptr[0] & 1, count, sink, err);
    uint8_t *dst;
    if (value.len > UINT32_MAX / 8)
        return og_error_set(err, OG_CORRUPT, "a value of %zu bytes does not fit the column's type",
                            value.len);
    OG_TRY(og_lance__sink_numbers(sink, (uint32_t)value.len * 8, count, "a value", &dst, err));
    fill_number(dst, value, count);
    return OG_OK;
}

/* ---- reading ------------------------------------------------------------------------------ */

static uint64_t count_visible(const og_lance__page *page, const uint16_t *def, uint64_t count)
{
    uint64_t visible = 0;
    for (uint64_t i = 0; i < count; i++)
        visible += def[i] <= page->layers.max_visible_def;
    return visible;
}

/* Levels [start, start + count) and their values. */
static og_status append_levels(const og_lance__page *page, uint64_t start, uint64_t count,
                               og_lance__leaf_values *leaf, og_error *err)
{
    const og_lance__constant *c = &page->constant;
    uint64_t visible = count;
    if (c->rep.count > 0)
        OG_TRY(
            og_lance__levels_copy(&leaf->rep, (const uint16_t *)c->rep.data + start, count, err));
    if (c->def.count > 0) {
        const uint16_t *def = (const uint16_t *)c->def.data + start;
        OG_TRY(og_lance__levels_copy(&leaf->def, def, count, err));
        visible = count_visible(page, def, count);
    }
    return fill(c, visible, &leaf->values, err);
}

/* No value and no levels: every row is null. */
static og_status append_nulls(const og_lance__page *page, uint64_t count,
                              og_lance__leaf_values *leaf, og_error *err)
{
    uint8_t *dst;
    if (page->layers.max_def == 0)
        return og_error_set(err, OG_CORRUPT, "neither a value nor levels");
    OG_TRY(og_lance__sink_numbers(&leaf->def, 16, count, "levels", &dst, err));
    for (uint64_t i = 0; i < count; i++)
        ((uint16_t *)dst)[i] = page->layers.max_def;
    return fill(&page->constant, count, &leaf->values, err);
}

static og_status constant_read(const og_lance__page *page, const og_lance__rows *rows,
                               og_lance__leaf_values *leaf, og_error *err)
{
    const og_lance__constant *c = &page->constant;
    if (!c->has_value && c->rep.count == 0 && c->def.count == 0)
        return append_nulls(page, rows->count, leaf, err);
    if (c->def.count == 0 && c->rep.count == 0)
        return fill(c, rows->count, &leaf->values, err);
    for (uint64_t done = 0; done < rows->count;) {
        uint64_t row = og_lance__row_at(rows, done);
        uint64_t n = rows->list != NULL ? 1 : rows->count;
        uint64_t start = c->row_starts != NULL ? c->row_starts[row] : row;
        uint64_t end = c->row_starts != NULL ? c->row_starts[row + n] : row + n;
        OG_TRY(append_levels(page, start, end - start, leaf, err));
        done += n;
    }
    return OG_OK;
}

const og_lance__page_ops og_lance__constant_ops = {
    .name = "constant",
    .open = constant_open,
    .read = constant_read,
    .close = constant_close,
};
