#include "lance/file/page_priv.h"

#include "lance/file/proto.h"

#include <inttypes.h>

/* Smaller buffers lie within the pages that the first touch brings in, about. */
enum { PREFETCH_MIN_BYTES = 4096 };

static const char layout_url[] = "lance.encodings21.PageLayout";

/* ---- layouts ------------------------------------------------------------------------------ */

static const og_lance__page_ops *const layouts[] = {
    [OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_MINI_BLOCK_LAYOUT] = &og_lance__mini_block_ops,
    [OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_CONSTANT_LAYOUT] = &og_lance__constant_ops,
    [OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_FULL_ZIP_LAYOUT] = &og_lance__full_zip_ops,
    [OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_BLOB_LAYOUT] = &og_lance__blob_page_ops,
};

/* ---- opening ------------------------------------------------------------------------------ */

void og_lance__page_free(og_lance__page *page)
{
    if (page == NULL)
        return;
    if (page->ops != NULL)
        page->ops->close(page);
    og_free(page);
}

static void page_drop(void *page)
{
    og_lance__page_free(page);
}

og_status og_lance__page_open_layout(og_lance__page *page,
                                     const Og__Lance__File__PageLayout *layout, og_error *err)
{
    if (layout->layout_case == OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT__NOT_SET)
        return og_error_set(err, OG_UNSUPPORTED, "the layout of the page is unknown");
    page->ops = layouts[layout->layout_case];
    og_status status = page->ops->open(page, layout, err);
    return status == OG_OK ? OG_OK : og_error_context(err, status, "%s", page->ops->name);
}

og_status og_lance__page_layout(const og_lance__page_info *info, ProtobufCMessage **out,
                                og_error *err)
{
    OG_AUTO_PROTO ProtobufCMessage *any_message = NULL;
    OG_TRY(og_lance_proto_unpack(&og__lance__file__any__descriptor, info->layout,
                                 "the encoding of the page", &any_message, err));
    const Og__Lance__File__Any *any = (Og__Lance__File__Any *)any_message;
    if (any->type_url == NULL || !og_str_ends(og_str_of(any->type_url), og_str_of(layout_url)))
        return og_error_set(err, OG_UNSUPPORTED, "the page has encoding \"%s\"",
                            any->type_url != NULL ? any->type_url : "");
    return og_lance_proto_unpack(&og__lance__file__page_layout__descriptor,
                                 (og_bytes){any->value.data, any->value.len},
                                 "the layout of the page", out, err);
}

static og_status open_layout(og_lance__page *page, og_error *err)
{
    OG_AUTO_PROTO ProtobufCMessage *message = NULL;
    OG_TRY(og_lance__page_layout(page->info, &message, err));
    return og_lance__page_open_layout(page, (Og__Lance__File__PageLayout *)message, err);
}

og_status og_lance__page_get(og_lance_file *file, og_lance__column *column, uint32_t index,
                             const og_lance__page **out, og_error *err)
{
    og_lance__page_info *info = &column->pages[index];
    og_lance__page *page = __atomic_load_n(&info->state, __ATOMIC_ACQUIRE);
    if (page == NULL) {
        page = og_calloc(1, sizeof *page);
        if (page == NULL)
            return og_error_nomem(err);
        page->file = file;
        page->info = info;
        og_status status = open_layout(page, err);
        if (status != OG_OK) {
            og_lance__page_free(page);
            return status;
        }
        size_t memory = sizeof *page + page->memory;
        og_lance__page *mine = page;
        page = og_lance__publish((void **)&info->state, mine, page_drop);
        if (page == mine)
            og_lance__file_count(file, memory);
    }
    *out = page;
    return OG_OK;
}

/* ---- helpers of the layouts --------------------------------------------------------------- */

og_status og_lance__layers_parse(const int32_t *kinds, size_t count, og_lance__layers *out,
                                 og_error *err)
{
    if (count == 0 || count > OG_LANCE__MAX_LAYERS)
        return og_error_set(err, OG_CORRUPT, "%zu layers", count);
    *out = (og_lance__layers){.count = (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        if (kinds[i] < OG_LANCE__ALL_VALID_ITEM || kinds[i] > OG_LANCE__NULL_AND_EMPTY_LIST)
            return og_error_set(err, OG_CORRUPT, "layer %zu has kind %" PRId32, i, kinds[i]);
        out->kinds[i] = (uint8_t)kinds[i];
        out->max_rep += og_lance__layer_is_list(out->kinds[i]);
        out->max_def = (uint16_t)(out->max_def + og_lance__layer_defs(out->kinds[i]));
        if (out->max_rep == 0)
            out->max_visible_def = out->max_def;
    }
    if (og_lance__layer_is_list(out->kinds[0]))
        return og_error_set(err, OG_CORRUPT, "the innermost layer is a list");
    return OG_OK;
}

og_status og_lance__page_buffer(const og_lance__page *page, uint32_t index, const char *what,
                                og_lance__span *out, og_error *err)
{
    if (index >= page->info->buffer_count)
        return og_error_set(err, OG_CORRUPT, "the page has %" PRIu32 " buffers, none with %s",
                            page->info->buffer_count, what);
    const og_lance__buffer *buffer = &page->info->buffers[index];
    if (buffer->size > PREFETCH_MIN_BYTES && og_lance__file_is_whole(page->file))
        og_blob_prefetch(page->file->head, buffer->offset, buffer->size);
    return og_lance__file_span(page->file, buffer->offset, buffer->size, out, err);
}

og_status og_lance__levels_copy(og_lance__sink *to, const uint16_t *from, uint64_t count,
                                og_error *err)
{
    uint8_t *dst;
    OG_TRY(og_lance__sink_numbers(to, 16, count, "levels", &dst, err));
    if (count > 0)
        memcpy(dst, from, count * sizeof *from);
    return OG_OK;
}

bool og_lance__levels_ok(const uint16_t *levels, uint64_t count, uint16_t max)
{
    uint16_t above = 0;
    for (uint64_t i = 0; i < count; i++)
        above |= (uint16_t)(levels[i] > max);
    return above == 0;
}
