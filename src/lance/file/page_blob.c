/* Blob layout of 2.1 files (docs/dev/lance.md section 14): bytes anywhere in the file,
 * their places in a page of another layout.
 *
 * The inner page has a packed struct {u64 position, u64 size} for each level entry. Size 0 means:
 * position 0 an empty value, else no value, and the position is def << 16 | rep. */
#include "lance/file/page_priv.h"

#include <inttypes.h>

/* Children of the packed struct. */
enum { CHILD_POSITION, CHILD_SIZE };

static const og_type *place_type(void)
{
    static const og_type u64 = {OG_TYPE_U64};
    static const og_field fields[] = {{{"position", 8}, &u64, false}, {{"size", 4}, &u64, false}};
    static const og_type type = {OG_TYPE_STRUCT, 0, 2, fields};
    return &type;
}

static og_status blob_open(og_lance__page *page, const Og__Lance__File__PageLayout *layout,
                           og_error *err)
{
    const Og__Lance__File__BlobLayout *m = layout->blob_layout;
    OG_TRY(og_lance__layers_parse(m->layers, m->n_layers, &page->layers, err));
    if (page->layers.max_rep > 0)
        return og_error_set(err, OG_UNSUPPORTED, "lists of blobs in files before 2.2");
    if (m->inner_layout == NULL ||
        m->inner_layout->layout_case == OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_BLOB_LAYOUT)
        return og_error_set(err, OG_CORRUPT, "no layout of the places of blobs");
    page->blob.places = og_calloc(1, sizeof *page->blob.places);
    if (page->blob.places == NULL)
        return og_error_nomem(err);
    page->blob.places->file = page->file;
    page->blob.places->info = page->info;
    OG_TRY(og_lance__page_open_layout(page->blob.places, m->inner_layout, err));
    page->memory += sizeof *page->blob.places + page->blob.places->memory;
    return OG_OK;
}

static void blob_close(og_lance__page *page)
{
    og_lance__page_free(page->blob.places);
}

/* The level of an entry without bytes. */
static og_status empty_level(const og_lance__page *page, uint64_t position, uint16_t *out,
                             og_error *err)
{
    if ((position & 0xFFFF) != 0 || position >> 16 > page->layers.max_def)
        return og_error_set(err, OG_CORRUPT, "a blob of no bytes at %" PRIu64, position);
    *out = (uint16_t)(position >> 16);
    return OG_OK;
}

static og_status append_blob(const og_lance__page *page, uint64_t position, uint64_t size,
                             og_lance__leaf_values *leaf, og_error *err)
{
    uint16_t def = 0;
    if (size == 0)
        OG_TRY(empty_level(page, position, &def, err));
    if (page->layers.max_def > 0)
        OG_TRY(og_lance__levels_copy(&leaf->def, &def, 1, err));
    if (size == 0)
        return og_lance__sink_empty(&leaf->values, 1, err);
    OG_LANCE__AUTO_SPAN span = {0};
    OG_TRY(og_lance__file_span(page->file, position, size, &span, err));
    return og_lance__sink_text(&leaf->values, (og_bytes){span.ptr, span.len}, err);
}

static og_status append_blobs(const og_lance__page *page, const og_lance__sink *places,
                              og_lance__leaf_values *leaf, og_error *err)
{
    const uint64_t *positions = (const uint64_t *)places->children[CHILD_POSITION].data;
    const uint64_t *sizes = (const uint64_t *)places->children[CHILD_SIZE].data;
    for (uint64_t i = 0; i < places->count; i++)
        OG_TRY(append_blob(page, positions[i], sizes[i], leaf, err));
    return OG_OK;
}

static og_status blob_read(const og_lance__page *page, const og_lance__rows *rows,
                           og_lance__leaf_values *leaf, og_error *err)
{
    if (leaf->values.kind != OG_LANCE__BYTES)
        return og_error_set(err, OG_CORRUPT, "blobs do not fit the column's type");
    og_lance__leaf_values places;
    og_lance__sink_init_fixed(&places.rep, 16);
    og_lance__sink_init_fixed(&places.def, 16);
    og_status status = og_lance__sink_init(&places.values, place_type(), err);
    if (status == OG_OK)
        status = page->blob.places->ops->read(page->blob.places, rows, &places, err);
    if (status == OG_OK && (places.values.count != rows->count || places.def.count > 0))
        status = og_error_set(err, OG_CORRUPT, "%" PRIu64 " places of blobs for %" PRIu64 " rows",
                              places.values.count, rows->count);
    if (status == OG_OK)
        status = append_blobs(page, &places.values, leaf, err);
    og_lance__sink_deinit(&places.values);
    og_lance__sink_deinit(&places.rep);
    og_lance__sink_deinit(&places.def);
    return status;
}

const og_lance__page_ops og_lance__blob_page_ops = {
    .name = "BlobLayout",
    .open = blob_open,
    .read = blob_read,
    .close = blob_close,
};
