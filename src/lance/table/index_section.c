/* Index sections are carried as they are (lance-format.md section 16), with two exceptions. A fold
 * changes the fragment bitmaps. And rows written again under their old ids end every index but a
 * BTREE: a BTREE's hits count only in the fragments of its bitmap, where these rows are dead, but
 * full text and vector search ask only whether a row id is alive, so they would find the old
 * values, and the row once more by the scan of the new fragment. (The reference itself answers so
 * after its own updates.) */
#include "lance/table/deletion_priv.h"
#include "lance/table/write_priv.h"

#include <stdlib.h>
#include <string.h>

#define MAX_FRAGMENTS_OF_BITMAP (1u << 24)

static og_status parse(const og_lance_table *table, og_arena *arena, OgPb__IndexSection **out,
                       og_error *err)
{
    return og_table__unpack(&og_pb__index_section__descriptor, arena, table->index_section,
                            "index section", out, err);
}

static bool holds(const og_table__u32s *ids, uint64_t id)
{
    size_t low = 0, high = ids->len;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ids->items[middle] < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ids->len && ids->items[low] == id;
}

static og_status read_bitmap(const OgPb__IndexMetadata *index, og_table__u32s *out, og_error *err)
{
    out->len = 0;
    if (!index->has_fragment_bitmap || index->fragment_bitmap.len == 0)
        return OG_OK;
    return og_table__roaring_decode(og_table__bytes(index->fragment_bitmap),
                                    MAX_FRAGMENTS_OF_BITMAP, out, err);
}

og_status og_table__index_coverage(const og_lance_table *table, uint64_t *out, og_error *err)
{
    if (table->index_section.ptr == NULL)
        return OG_OK; /* all zero: covered by the same indices, none */
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    OgPb__IndexSection *section;
    if (scratch == NULL)
        return og_error_nomem(err);
    OG_TRY(parse(table, scratch, &section, err));
    og_table__u32s ids = {0};
    og_status status = OG_OK;
    for (size_t i = 0; status == OG_OK && i < section->n_indices; i++) {
        status = read_bitmap(section->indices[i], &ids, err);
        /* A hash of the list of covering indices; a collision would only join what need not be. */
        for (uint32_t f = 0; status == OG_OK && f < table->fragment_count; f++)
            if (holds(&ids, table->fragments[f].id))
                out[f] = (out[f] ^ (i + 1)) * 0x9E3779B97F4A7C15u;
    }
    og_vec_deinit(&ids);
    return status;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Take the folded fragments out and put the new ones in, when all folded ones are there. */
static og_status change_bitmap(const og_lance_write *write, OgPb__IndexMetadata *index,
                               uint64_t first_id, uint32_t count, og_table__u32s *ids,
                               og_arena *arena, og_error *err)
{
    OG_TRY(read_bitmap(index, ids, err));
    const og_lance_fragment *fragments = write->base->fragments;
    for (uint32_t f = write->fold_start; f < write->fold_end; f++)
        if (!holds(ids, fragments[f].id))
            return OG_OK;
    size_t kept = 0;
    for (size_t i = 0; i < ids->len; i++)
        if (ids->items[i] < fragments[write->fold_start].id ||
            ids->items[i] > fragments[write->fold_end - 1].id)
            ids->items[kept++] = ids->items[i];
    ids->len = kept;
    for (uint32_t i = 0; i < count; i++)
        if (!og_vec_push(ids, (uint32_t)(first_id + i)))
            return og_error_nomem(err);
    qsort(ids->items, ids->len, sizeof *ids->items, compare_u32);

    OG_AUTO_BUF packed = OG_BUF_INIT;
    if (!og_table__roaring_encode(ids->items, ids->len, &packed))
        return og_error_nomem(err);
    uint8_t *copy = og_arena_copy(arena, packed.ptr, packed.len);
    if (copy == NULL)
        return og_error_nomem(err);
    OG_PB_SET(index, fragment_bitmap, og_table__binary(copy, packed.len));
    return OG_OK;
}

static og_status pack(const OgPb__IndexSection *section, og_arena *arena, og_bytes *out,
                      og_error *err)
{
    ProtobufCBinaryData packed;
    OG_TRY(og_table__pack_binary(section, arena, &packed, err));
    *out = og_table__bytes(packed);
    return OG_OK;
}

static bool outlives_kept_rows(const OgPb__IndexMetadata *index)
{
    static const char btree[] = "/lance.table.BTreeIndexDetails";
    return index->index_details != NULL && index->index_details->type_url != NULL &&
           strcmp(index->index_details->type_url, btree) == 0;
}

static void drop_outdated(OgPb__IndexSection *section)
{
    size_t left = 0;
    for (size_t i = 0; i < section->n_indices; i++)
        if (outlives_kept_rows(section->indices[i]))
            section->indices[left++] = section->indices[i];
    section->n_indices = left;
}

og_status og_table__index_section_after(og_lance_write *write, uint64_t first_id, uint32_t count,
                                        og_arena *arena, og_bytes *out, og_error *err)
{
    *out = write->source->index_section;
    if (out->ptr == NULL || (count == 0 && write->kept == NULL))
        return OG_OK;
    OgPb__IndexSection *section;
    OG_TRY(parse(write->source, arena, &section, err));
    if (write->kept != NULL)
        drop_outdated(section);
    if (count == 0)
        return pack(section, arena, out, err);
    og_table__u32s ids = {0};
    og_status status = OG_OK;
    for (size_t i = 0; status == OG_OK && i < section->n_indices; i++)
        status = change_bitmap(write, section->indices[i], first_id, count, &ids, arena, err);
    og_vec_deinit(&ids);
    OG_TRY(status);
    return pack(section, arena, out, err);
}
