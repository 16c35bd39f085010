#include "lance/file/look.h"

#include "lance/file/container_priv.h"
#include "lance/file/page_priv.h"
#include "lance/file/proto.h"

#include <inttypes.h>

typedef Og__Lance__File__CompressiveEncoding encoding;

/* ---- encodings as text -------------------------------------------------------------------- */

/* The depth is bounded by og_lance_proto_unpack. */
static void put_encoding(const encoding *e, og_buf *out);

static void put_of(const char *name, const encoding *inner, og_buf *out)
{
    og_buf_printf(out, "%s(", name);
    put_encoding(inner, out);
    og_buf_byte(out, ')');
}

static uint64_t flat_bits(const encoding *e)
{
    return e != NULL &&
                   e->compression_case == OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FLAT
               ? e->flat->bits_per_value
               : 0;
}

static void put_general(const Og__Lance__File__General *m, og_buf *out)
{
    int32_t scheme = m->compression != NULL ? m->compression->scheme : 0;
    put_of(scheme == 1 ? "LZ4" : scheme == 2 ? "Zstd" : "General", m->values, out);
}

static void put_fixed_list(const Og__Lance__File__FixedSizeList *m, og_buf *out)
{
    og_buf_printf(out, "FixedSizeList(%" PRIu64 " %s", m->items_per_value,
                  m->has_validity ? "nullable " : "");
    put_encoding(m->values, out);
    og_buf_byte(out, ')');
}

static void put_packed(const Og__Lance__File__PackedStruct *m, og_buf *out)
{
    og_buf_text(out, "PackedStruct(");
    for (size_t i = 0; i < m->n_bits_per_value; i++)
        og_buf_printf(out, "%s%" PRIu64, i > 0 ? ", " : "", m->bits_per_value[i]);
    og_buf_byte(out, ')');
}

static void put_variable_packed(const Og__Lance__File__VariablePackedStruct *m, og_buf *out)
{
    og_buf_text(out, "VariablePackedStruct(");
    for (size_t i = 0; i < m->n_fields; i++) {
        og_buf_text(out, i > 0 ? ", " : "");
        put_encoding(m->fields[i]->value, out);
    }
    og_buf_byte(out, ')');
}

static void put_encoding(const encoding *e, og_buf *out)
{
    if (e == NULL) {
        og_buf_text(out, "none");
        return;
    }
    switch (e->compression_case) {
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FLAT:
        og_buf_printf(out, "Flat(%" PRIu64 ")", e->flat->bits_per_value);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_VARIABLE:
        og_buf_printf(out, "Variable(%" PRIu64 ")", flat_bits(e->variable->offsets));
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_CONSTANT:
        og_buf_text(out, "Constant");
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_OUT_OF_LINE_BITPACKING:
        og_buf_printf(out, "OutOfLineBitpacking(%" PRIu64 " of %" PRIu64 ")",
                      flat_bits(e->out_of_line_bitpacking->values),
                      e->out_of_line_bitpacking->uncompressed_bits_per_value);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_INLINE_BITPACKING:
        og_buf_printf(out, "InlineBitpacking(%" PRIu64 ")",
                      e->inline_bitpacking->uncompressed_bits_per_value);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FSST:
        put_of("Fsst", e->fsst->values, out);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_DICTIONARY:
        put_of("Dictionary", e->dictionary->items, out);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_RLE:
        put_of("Rle", e->rle->values, out);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_BYTE_STREAM_SPLIT:
        put_of("ByteStreamSplit", e->byte_stream_split->values, out);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_GENERAL:
        put_general(e->general, out);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_FIXED_SIZE_LIST:
        put_fixed_list(e->fixed_size_list, out);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_PACKED_STRUCT:
        put_packed(e->packed_struct, out);
        return;
    case OG__LANCE__FILE__COMPRESSIVE_ENCODING__COMPRESSION_VARIABLE_PACKED_STRUCT:
        put_variable_packed(e->variable_packed_struct, out);
        return;
    default:
        og_buf_text(out, "unknown");
        return;
    }
}

/* ---- layouts ------------------------------------------------------------------------------ */

static void put_layers(const int32_t *layers, size_t count, og_buf *out)
{
    static const char *const names[] = {"?",
                                        "item",
                                        "list",
                                        "nullable item",
                                        "nullable list",
                                        "emptyable list",
                                        "nullable, emptyable list"};
    for (size_t i = 0; i < count; i++) {
        bool known = layers[i] > 0 && layers[i] < (int32_t)(sizeof names / sizeof names[0]);
        og_buf_printf(out, "%s%s", i > 0 ? " in " : ", ", names[known ? layers[i] : 0]);
    }
    og_buf_text(out, ": ");
}

static void look_mini(const og_lance__page_info *info, const Og__Lance__File__MiniBlockLayout *m,
                      og_lance_page_look *look, og_buf *out)
{
    uint64_t words = info->buffer_count > 0 ? info->buffers[0].size : 0;
    look->index_bytes = words;
    if (m->rep_compression != NULL && info->buffer_count > 2)
        look->index_bytes += info->buffers[info->buffer_count - 1].size;
    og_buf_printf(out, "mini-block, %" PRIu64 " chunks", words / (m->has_large_chunk ? 4 : 2));
    put_layers(m->layers, m->n_layers, out);
    put_encoding(m->value_compression, out);
    if (m->dictionary != NULL) {
        og_buf_printf(out, ", dictionary of %" PRIu64 ": ", m->num_dictionary_items);
        put_encoding(m->dictionary, out);
    }
}

static og_status look_layout(const og_lance__page_info *info,
                             const Og__Lance__File__PageLayout *layout, og_lance_page_look *look,
                             og_buf *out, og_error *err)
{
    switch (layout->layout_case) {
    case OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_MINI_BLOCK_LAYOUT:
        look_mini(info, layout->mini_block_layout, look, out);
        return OG_OK;
    case OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_FULL_ZIP_LAYOUT: {
        const Og__Lance__File__FullZipLayout *m = layout->full_zip_layout;
        look->index_bytes = info->buffer_count > 1 ? info->buffers[1].size : 0;
        og_buf_text(out, "full-zip");
        put_layers(m->layers, m->n_layers, out);
        put_encoding(m->value_compression, out);
        return OG_OK;
    }
    case OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_CONSTANT_LAYOUT: {
        const Og__Lance__File__ConstantLayout *m = layout->constant_layout;
        bool has_value = m->has_inline_value || info->buffer_count % 2 == 1;
        og_buf_text(out, "constant");
        put_layers(m->layers, m->n_layers, out);
        og_buf_text(out, has_value ? "one value" : "no value");
        return OG_OK;
    }
    case OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_BLOB_LAYOUT:
        og_buf_text(out, "blobs, placed by ");
        if (layout->blob_layout->inner_layout == NULL ||
            layout->blob_layout->inner_layout->layout_case ==
                OG__LANCE__FILE__PAGE_LAYOUT__LAYOUT_BLOB_LAYOUT)
            return og_error_set(err, OG_CORRUPT, "no layout of the places of blobs");
        return look_layout(info, layout->blob_layout->inner_layout, look, out, err);
    default:
        return og_error_set(err, OG_UNSUPPORTED, "the layout of the page is unknown");
    }
}

og_status og_lance_file_page_look(og_lance_file *file, uint32_t column, uint32_t page,
                                  og_lance_page_look *out, og_buf *text, og_error *err)
{
    og_lance__column *c;
    OG_TRY(og_lance__file_column(file, column, &c, err));
    if (page >= c->page_count)
        return og_error_set(err, OG_INVALID, "column %" PRIu32 " has %" PRIu32 " pages", column,
                            c->page_count);
    const og_lance__page_info *info = &c->pages[page];
    *out = (og_lance_page_look){.first_row = info->first_row,
                                .rows = info->rows,
                                .buffers = info->buffer_count,
                                .offset = info->buffer_count > 0 ? info->buffers[0].offset : 0};
    for (uint32_t i = 0; i < info->buffer_count; i++)
        out->bytes += info->buffers[i].size;
    OG_AUTO_PROTO ProtobufCMessage *message = NULL;
    OG_TRY(og_lance__page_layout(info, &message, err));
    OG_TRY(look_layout(info, (const Og__Lance__File__PageLayout *)message, out, text, err));
    return text->failed ? og_error_nomem(err) : OG_OK;
}

/* ---- the file ----------------------------------------------------------------------------- */

void og_lance_file_format(const og_lance_file *file, uint16_t *out_major, uint16_t *out_minor)
{
    *out_major = file->major;
    *out_minor = file->minor;
}

uint64_t og_lance_file_bytes(const og_lance_file *file)
{
    return file->bytes;
}

og_status og_lance_file_schema(og_lance_file *file, og_buf *out, og_error *err)
{
    OG_LANCE__AUTO_SPAN bytes = {0};
    OG_AUTO_PROTO ProtobufCMessage *message = NULL;
    OG_TRY(og_lance__file_span(file, file->descriptor.offset, file->descriptor.size, &bytes, err));
    OG_TRY(og_lance_proto_unpack(&og__lance__file__file_descriptor__descriptor,
                                 (og_bytes){bytes.ptr, bytes.len}, "the file descriptor", &message,
                                 err));
    const Og__Lance__File__FileDescriptor *d = (Og__Lance__File__FileDescriptor *)message;
    return og_buf_append(out, d->schema.data, d->schema.len) ? OG_OK : og_error_nomem(err);
}

og_status og_lance_file_page_count(og_lance_file *file, uint32_t column, uint32_t *out,
                                   og_error *err)
{
    og_lance__column *c;
    OG_TRY(og_lance__file_column(file, column, &c, err));
    *out = c->page_count;
    return OG_OK;
}
