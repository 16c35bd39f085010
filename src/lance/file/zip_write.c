/* Full-zip pages: wide values, each one readable alone (docs/dev/lance.md section 11.2). */
#include "lance/file/message_write.h"
#include "lance/file/page_write.h"

#include <assert.h>

static uint32_t bit_width(uint16_t level)
{
    return level == 0 ? 0 : 32 - (uint32_t)__builtin_clz(level);
}

typedef struct zipper {
    const og_lance__values *values;
    const og_lance__levels *levels;
    og_lance__encoder *encoder;
    uint32_t rep_bits, def_bits, control_bytes;
    const og_lance__plan *plan;
    og_buf *starts; /* u64 offsets of rows */
    og_buf *out;
} zipper;

static bool put_control(const zipper *z, uint64_t entry)
{
    if (z->control_bytes == 0)
        return true;
    uint32_t rep = z->levels->rep != NULL ? z->levels->rep[entry] : 0;
    uint32_t def = z->levels->def != NULL ? z->levels->def[entry] : 0;
    uint32_t word = rep << z->def_bits | def;
    return og_buf_append(z->out, &word, z->control_bytes);
}

static bool put_fixed(const zipper *z, uint64_t index)
{
    const og_lance__values *v = z->values;
    if (v->item_validity != NULL) {
        size_t start = z->out->len;
        if (!og_buf_fill(z->out, 0, og_bitmap_bytes(v->list_size)))
            return false;
        for (uint32_t i = 0; i < v->list_size; i++) {
            if (v->item_validity[index * v->list_size + i])
                og_bit_set(z->out->ptr + start, i);
        }
    }
    return og_buf_append(z->out, v->data + index * v->width, v->width);
}

/* Length, then bytes; with zstd the length is that of the compressed form. */
static bool put_variable(const zipper *z, uint64_t index)
{
    const og_lance__values *v = z->values;
    size_t width = v->wide_offsets ? 8 : 4, start = z->out->len;
    const uint8_t *bytes = v->data + v->offsets[index];
    size_t raw = v->offsets[index + 1] - v->offsets[index];
    if (!og_buf_fill(z->out, 0, width))
        return false;
    bool done = z->plan->zstd ? og_lance__zstd_append(z->encoder, bytes, raw, 0, z->out)
                              : og_buf_append(z->out, bytes, raw);
    if (!done)
        return false;
    uint64_t len = z->out->len - start - width;
    memcpy(z->out->ptr + start, &len, width);
    return true;
}

static bool zip_entries(const zipper *z)
{
    const og_lance__levels *levels = z->levels;
    bool all_visible = levels->rep == NULL || levels->def == NULL;
    uint64_t index = 0;
    for (uint64_t entry = 0; entry < levels->count; entry++) {
        if ((levels->rep == NULL || levels->rep[entry] == levels->max_rep) &&
            !og_buf_u64(z->starts, z->out->len))
            return false;
        if (!put_control(z, entry))
            return false;
        if (!all_visible && !og_lance__is_visible(levels, entry))
            continue;
        bool is_null = levels->def != NULL && levels->def[entry] != 0;
        if (z->values->kind != OG_LANCE__VARIABLE ? !put_fixed(z, index)
                                                  : !is_null && !put_variable(z, index))
            return false;
        index++;
    }
    assert(index == z->values->count);
    return og_buf_u64(z->starts, z->out->len);
}

bool og_lance__put_row_index(const og_buf *starts, og_buf *out)
{
    size_t count = starts->len / sizeof(uint64_t);
    const uint64_t *items = (const uint64_t *)starts->ptr;
    uint64_t total = items[count - 1];
    size_t width = total <= UINT8_MAX ? 1 : total <= UINT16_MAX ? 2 : total <= UINT32_MAX ? 4 : 8;
    if (!og_buf_reserve(out, count * width))
        return false;
    for (size_t i = 0; i < count; i++)
        og_buf_append(out, &items[i], width);
    return true;
}

static void put_layout(og_buf *out, const zipper *z)
{
    const og_lance__values *v = z->values;
    size_t layout = og_lance__msg_open(out, 3);
    og_lance__msg_u64(out, 1, z->rep_bits);
    og_lance__msg_u64(out, 2, z->def_bits);
    if (v->kind == OG_LANCE__VARIABLE) {
        og_lance__msg_u64(out, 4, v->wide_offsets ? 64 : 32);
    } else {
        size_t validity = v->item_validity != NULL ? og_bitmap_bytes(v->list_size) : 0;
        og_lance__msg_u64(out, 3, (v->width + validity) * 8);
    }
    og_lance__msg_u64(out, 5, z->levels->count);
    og_lance__msg_u64(out, 6, v->count);
    size_t encoding = og_lance__msg_open(out, 7);
    if (v->kind == OG_LANCE__BOOL)
        og_lance__put_flat(out, 8); /* widened to a byte here */
    else
        og_lance__put_values(out, v, z->plan);
    og_lance__msg_close(out, encoding);
    og_lance__msg_packed(out, 8, z->levels->layers, z->levels->layer_count);
    og_lance__msg_close(out, layout);
}

og_status og_lance__full_zip_encode(og_lance__encoder *encoder, const og_lance__values *values,
                                    const og_lance__levels *levels, const og_lance__plan *plan,
                                    og_lance__page *page, og_error *err)
{
    og_lance__page_clear(page);
    og_buf_clear(&encoder->row_starts);
    zipper z = {
        .values = values,
        .levels = levels,
        .encoder = encoder,
        .rep_bits = levels->rep != NULL ? bit_width(levels->max_rep) : 0,
        .def_bits = levels->def != NULL ? bit_width(levels->max_def) : 0,
        .plan = plan,
        .starts = &encoder->row_starts,
        .out = &page->buffers[0],
    };
    uint32_t bits = z.rep_bits + z.def_bits;
    z.control_bytes = bits == 0 ? 0 : bits <= 8 ? 1 : bits <= 16 ? 2 : 4;
    if (!zip_entries(&z))
        return og_error_nomem(err);
    page->buffer_count = 1;
    if (levels->rep != NULL || values->kind == OG_LANCE__VARIABLE) {
        if (!og_lance__put_row_index(z.starts, &page->buffers[1]))
            return og_error_nomem(err);
        page->buffer_count = 2;
    }
    put_layout(&page->layout, &z);
    return page->layout.failed ? og_error_nomem(err) : OG_OK;
}
