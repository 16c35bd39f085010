/* Constant pages: one value, or none at all (docs/dev/lance.md section 11.3). */
#include "lance/file/message_write.h"
#include "lance/file/page_write.h"

#define INLINE_BYTES 32

/* u32 n | n x u32 lengths | offsets {0, len} | bytes: the Arrow buffers of a one-element array. */
static void put_variable_value(const og_lance__values *values, uint64_t index, og_buf *out)
{
    uint64_t offsets64[2] = {0, values->offsets[index + 1] - values->offsets[index]};
    uint32_t offsets32[2] = {0, (uint32_t)offsets64[1]};
    size_t offset_bytes = values->wide_offsets ? sizeof offsets64 : sizeof offsets32;
    og_buf_u32(out, 2);
    og_buf_u32(out, (uint32_t)offset_bytes);
    og_buf_u32(out, offsets32[1]);
    og_buf_append(out, values->wide_offsets ? (void *)offsets64 : (void *)offsets32, offset_bytes);
    og_buf_append(out, values->data + values->offsets[index], offsets32[1]);
}

static void put_raw_levels(const uint16_t *levels, uint64_t count, og_buf *out)
{
    if (levels != NULL)
        og_buf_append(out, levels, (size_t)count * sizeof *levels);
}

/* Levels of a page without values are encoded, and the message says how. */
static void put_encoded_levels(const uint16_t *levels, uint64_t count, uint32_t field,
                               og_buf *buffer, og_buf *layout)
{
    if (levels == NULL)
        return;
    og_lance__level_plan plan = og_lance__level_plan_of(levels, count);
    og_lance__level_encode(plan, levels, count, buffer);
    size_t message = og_lance__msg_open(layout, field);
    og_lance__put_levels(layout, plan);
    og_lance__msg_close(layout, message);
}

static void encode_nulls(const og_lance__levels *levels, og_lance__page *page)
{
    og_buf *layout = &page->layout;
    if (levels->layer_count == 1)
        return;
    page->buffer_count = 2;
    put_encoded_levels(levels->rep, levels->count, 7, &page->buffers[0], layout);
    put_encoded_levels(levels->def, levels->count, 8, &page->buffers[1], layout);
    og_lance__msg_u64(layout, 9, levels->rep != NULL ? levels->count : 0);
    og_lance__msg_u64(layout, 10, levels->def != NULL ? levels->count : 0);
}

static void encode_value(const og_lance__values *values, const og_lance__levels *levels,
                         uint64_t index, og_lance__page *page)
{
    if (values->kind != OG_LANCE__VARIABLE && values->width <= INLINE_BYTES)
        og_lance__msg_bytes(&page->layout, 6, values->data + index * values->width, values->width);
    else
        put_variable_value(values, index, &page->buffers[page->buffer_count++]);
    if (levels->rep == NULL && levels->def == NULL)
        return;
    put_raw_levels(levels->rep, levels->count, &page->buffers[page->buffer_count++]);
    put_raw_levels(levels->def, levels->count, &page->buffers[page->buffer_count++]);
}

og_status og_lance__constant_encode(const og_lance__values *values, const og_lance__levels *levels,
                                    const uint64_t *value_index, og_lance__page *page,
                                    og_error *err)
{
    og_lance__page_clear(page);
    size_t layout = og_lance__msg_open(&page->layout, 2);
    og_lance__msg_packed(&page->layout, 5, levels->layers, levels->layer_count);
    if (value_index == NULL)
        encode_nulls(levels, page);
    else
        encode_value(values, levels, *value_index, page);
    og_lance__msg_close(&page->layout, layout);
    bool failed = page->layout.failed;
    for (uint32_t i = 0; i < page->buffer_count; i++)
        failed |= page->buffers[i].failed;
    return failed ? og_error_nomem(err) : OG_OK;
}
