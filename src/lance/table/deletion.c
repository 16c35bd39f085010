/* Deletion files: the Arrow IPC form and the checks both forms share (docs/dev/lance.md section
 * 5). */
#include "lance/table/deletion_priv.h"

#include "base/bits.h"
#include "columnar/ipc_codec.h"

#include <stdlib.h>

/* ---- flatbuffers: just enough to walk a Footer and a RecordBatch -------------------------- */

/* A table inside `bytes`. Every access is checked against the buffer. */
typedef struct fb_table {
    og_bytes bytes;
    size_t pos;
    size_t vtable;
    size_t vtable_len;
} fb_table;

static og_status damaged(og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "Arrow file is damaged");
}

static bool fits(og_bytes b, size_t pos, size_t len)
{
    return pos <= b.len && len <= b.len - pos;
}

static og_status fb_open(og_bytes b, size_t pos, fb_table *out, og_error *err)
{
    if (!fits(b, pos, 4))
        return damaged(err);
    int64_t vtable = (int64_t)pos - (int32_t)og_load_u32(b.ptr + pos);
    if (vtable < 0 || !fits(b, (size_t)vtable, 4))
        return damaged(err);
    size_t vtable_len = og_load_u16(b.ptr + vtable);
    if (vtable_len < 4 || !fits(b, (size_t)vtable, vtable_len))
        return damaged(err);
    *out = (fb_table){b, pos, (size_t)vtable, vtable_len};
    return OG_OK;
}

static og_status fb_root(og_bytes b, size_t pos, fb_table *out, og_error *err)
{
    if (!fits(b, pos, 4))
        return damaged(err);
    return fb_open(b, pos + og_load_u32(b.ptr + pos), out, err);
}

/* Place of a field's `len` bytes, 0 when the field is absent. */
static og_status fb_field(const fb_table *t, unsigned slot, size_t len, size_t *out, og_error *err)
{
    size_t at = 4 + 2 * (size_t)slot;
    uint16_t offset = at + 2 <= t->vtable_len ? og_load_u16(t->bytes.ptr + t->vtable + at) : 0;
    *out = 0;
    if (offset == 0)
        return OG_OK;
    if (!fits(t->bytes, t->pos + offset, len))
        return damaged(err);
    *out = t->pos + offset;
    return OG_OK;
}

static og_status fb_child(const fb_table *t, unsigned slot, bool *out_present, fb_table *out,
                          og_error *err)
{
    size_t at;
    OG_TRY(fb_field(t, slot, 4, &at, err));
    *out_present = at != 0;
    return at != 0 ? fb_open(t->bytes, at + og_load_u32(t->bytes.ptr + at), out, err) : OG_OK;
}

/* A vector of structs of `width` bytes. */
static og_status fb_vector(const fb_table *t, unsigned slot, size_t width, size_t *out_pos,
                           uint32_t *out_count, og_error *err)
{
    size_t at;
    *out_count = 0;
    *out_pos = 0;
    OG_TRY(fb_field(t, slot, 4, &at, err));
    if (at == 0)
        return OG_OK;
    at += og_load_u32(t->bytes.ptr + at);
    if (!fits(t->bytes, at, 4))
        return damaged(err);
    uint32_t count = og_load_u32(t->bytes.ptr + at);
    if (count > (t->bytes.len - at - 4) / width)
        return damaged(err);
    *out_count = count;
    *out_pos = at + 4;
    return OG_OK;
}

/* ---- the IPC file ------------------------------------------------------------------------- */

#define IPC_MAGIC "ARROW1"
#define IPC_TAIL 10    /* i32 footer length, magic */
#define BLOCK_BYTES 24 /* i64 offset, i32 metadata length, pad, i64 body length */
#define FOOTER_BATCHES 3
#define MESSAGE_HEADER 2
#define BATCH_LENGTH 0
#define BATCH_BUFFERS 2
#define BATCH_COMPRESSION 3

/* The one record batch of the file: its message and its body. */
static og_status find_batch(og_bytes file, fb_table *out_batch, og_bytes *out_body, og_error *err)
{
    if (file.len < 8 + IPC_TAIL || memcmp(file.ptr, IPC_MAGIC, 6) != 0 ||
        memcmp(file.ptr + file.len - 6, IPC_MAGIC, 6) != 0)
        return og_error_set(err, OG_CORRUPT, "not an Arrow file");
    size_t footer_len = og_load_u32(file.ptr + file.len - IPC_TAIL);
    if (footer_len > file.len - IPC_TAIL)
        return damaged(err);
    og_bytes footer = {file.ptr + file.len - IPC_TAIL - footer_len, footer_len};
    fb_table root;
    OG_TRY(fb_root(footer, 0, &root, err));
    size_t blocks;
    uint32_t block_count;
    OG_TRY(fb_vector(&root, FOOTER_BATCHES, BLOCK_BYTES, &blocks, &block_count, err));
    if (block_count != 1)
        return og_error_set(err, OG_CORRUPT, "Arrow file has %u record batches, not one",
                            block_count);

    uint64_t offset = og_load_u64(footer.ptr + blocks);
    uint32_t meta_len = og_load_u32(footer.ptr + blocks + 8);
    if (offset > file.len || meta_len > file.len - offset || meta_len < 8)
        return damaged(err);
    og_bytes meta = {file.ptr + offset, meta_len};
    size_t prefix = og_load_u32(meta.ptr) == UINT32_MAX ? 8 : 4;
    fb_table message;
    OG_TRY(fb_root(meta, prefix, &message, err));
    bool present;
    OG_TRY(fb_child(&message, MESSAGE_HEADER, &present, out_batch, err));
    if (!present)
        return damaged(err);
    *out_body = (og_bytes){meta.ptr + meta_len, file.len - (size_t)offset - meta_len};
    return OG_OK;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static og_status read_values(const fb_table *batch, og_bytes body, size_t len, void *dst,
                             og_error *err)
{
    size_t buffers;
    uint32_t buffer_count;
    OG_TRY(fb_vector(batch, BATCH_BUFFERS, 16, &buffers, &buffer_count, err));
    if (buffer_count != 2)
        return og_error_set(err, OG_CORRUPT, "deletion file has more than one column");
    const uint8_t *entry = batch->bytes.ptr + buffers + 16;
    uint64_t start = og_load_u64(entry), stored_len = og_load_u64(entry + 8);
    if (start > body.len || stored_len > body.len - start)
        return damaged(err);
    og_bytes stored = {body.ptr + start, (size_t)stored_len};

    fb_table compression;
    bool compressed;
    OG_TRY(fb_child(batch, BATCH_COMPRESSION, &compressed, &compression, err));
    if (compressed) {
        size_t at;
        OG_TRY(fb_field(&compression, 0, 1, &at, err));
        int codec = at != 0 ? compression.bytes.ptr[at] : OG_IPC_LZ4_FRAME;
        if (codec != OG_IPC_LZ4_FRAME && codec != OG_IPC_ZSTD)
            return og_error_set(err, OG_UNSUPPORTED, "deletion file is compressed with codec %d",
                                codec);
        return og_ipc_buffer_expand(stored, codec, dst, len) ? OG_OK : damaged(err);
    }
    if (stored.len < len)
        return damaged(err);
    memcpy(dst, stored.ptr, len);
    return OG_OK;
}

og_status og_table__ipc_decode(og_bytes bytes, size_t max_count, og_table__u32s *out, og_error *err)
{
    fb_table batch;
    og_bytes body = {NULL, 0};
    OG_TRY(find_batch(bytes, &batch, &body, err));
    size_t at;
    OG_TRY(fb_field(&batch, BATCH_LENGTH, 8, &at, err));
    uint64_t count = at != 0 ? og_load_u64(batch.bytes.ptr + at) : 0;
    if (count > max_count)
        return og_error_set(err, OG_CORRUPT, "deletion file holds more than %zu rows", max_count);
    if (count == 0)
        return OG_OK;
    if (!og_vec_reserve(out, (size_t)count))
        return og_error_nomem(err);
    OG_TRY(read_values(&batch, body, (size_t)count * 4, out->items, err));
    out->len = (size_t)count;
    qsort(out->items, out->len, sizeof *out->items, compare_u32);
    for (size_t i = 1; i < out->len; i++)
        if (out->items[i] == out->items[i - 1])
            return og_error_set(err, OG_CORRUPT, "deletion file names row %u twice", out->items[i]);
    return OG_OK;
}

og_status og_table__deletion_decode(int32_t kind, og_bytes bytes, uint32_t rows, uint64_t count,
                                    og_table__u32s *out, og_error *err)
{
    if (kind == 0)
        OG_TRY(og_table__ipc_decode(bytes, rows, out, err));
    else
        OG_TRY(og_table__roaring_decode(bytes, rows, out, err));
    if (out->len != count)
        return og_error_set(err, OG_CORRUPT, "deletion file holds %zu rows, the manifest says %llu",
                            out->len, (unsigned long long)count);
    if (out->len != 0 && og_vec_last(out) >= rows)
        return og_error_set(err, OG_CORRUPT, "deletion file names row %u of a fragment of %u rows",
                            og_vec_last(out), rows);
    return OG_OK;
}
