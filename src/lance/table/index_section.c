/* Index sections are carried as they are (docs/dev/lance.md section 16), with two exceptions. Folds
 * and compaction change the fragment bitmaps. And rows written again under their old ids end every
 * index but a BTREE: a BTREE's hits count only in the fragments of its bitmap, where these rows are
 * dead, but full text and vector search ask only whether a row id is alive, so they would find the
 * old values, and the row once more by the scan of the new fragment. (The reference itself answers
 * so after its own updates.) */
#include "lance/table/write_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FRAGMENTS_OF_BITMAP (1u << 24)

static og_status parse(const og_lance_table *table, og_arena *arena, OgPb__IndexSection **out,
                       og_error *err)
{
    return og_table__unpack(&og_pb__index_section__descriptor, arena, table->index_section,
                            "index section", out, err);
}

bool og_table__index_holds(const og_table__u32s *ids, uint64_t id)
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

og_status og_table__index_fragments(const OgPb__IndexMetadata *index, og_table__u32s *out,
                                    og_error *err)
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
        status = og_table__index_fragments(section->indices[i], &ids, err);
        /* A hash of the list of covering indices; a collision would only join what need not be. */
        for (uint32_t f = 0; status == OG_OK && f < table->fragment_count; f++)
            if (og_table__index_holds(&ids, table->fragments[f].id))
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

static og_status put_bitmap(OgPb__IndexMetadata *index, const og_table__u32s *ids, og_arena *arena,
                            og_error *err)
{
    OG_AUTO_BUF packed = OG_BUF_INIT;
    if (!og_table__roaring_encode(ids->items, ids->len, &packed))
        return og_error_nomem(err);
    uint8_t *copy = og_arena_copy(arena, packed.ptr, packed.len);
    if (copy == NULL)
        return og_error_nomem(err);
    OG_PB_SET(index, fragment_bitmap, og_table__binary(copy, packed.len));
    return OG_OK;
}

/* How many fragments of a group the index covers. */
static uint32_t covered(const og_lance_write *write, const og_table__group *group,
                        const og_table__u32s *ids)
{
    uint32_t count = 0;
    for (uint32_t f = group->start; f < group->end; f++)
        count += og_table__index_holds(ids, write->base->fragments[f].id);
    return count;
}

/* The new fragments of a group in place of its old ones, if all of those are covered; else its old
 * ones just go, and the new ones are scanned. */
static og_status change_bitmap(const og_lance_write *write, const og_table__group *group,
                               uint64_t first_id, og_table__u32s *ids, og_error *err)
{
    bool all = covered(write, group, ids) == group->end - group->start;
    uint64_t low = write->base->fragments[group->start].id;
    uint64_t high = write->base->fragments[group->end - 1].id;
    size_t kept = 0;
    for (size_t i = 0; i < ids->len; i++)
        if (ids->items[i] < low || ids->items[i] > high)
            ids->items[kept++] = ids->items[i];
    ids->len = kept;
    for (uint32_t i = 0; all && i < group->new_count; i++)
        if (!og_vec_push(ids, (uint32_t)(first_id + group->first_new + i)))
            return og_error_nomem(err);
    return OG_OK;
}

/* True for kinds of index whose entries are row ids: they hold wherever a row moves. Others (zone
 * maps, bloom filters, kinds we do not know) may speak of places in fragments. */
static bool holds_row_ids(const OgPb__IndexMetadata *index)
{
    static const char *const kinds[] = {"BTree",    "Bitmap", "LabelList",
                                        "Inverted", "NGram",  "Vector"};
    if (index->index_details == NULL || index->index_details->type_url == NULL)
        return false;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "/lance.table.%sIndexDetails", kinds[i]);
        if (strcmp(index->index_details->type_url, name) == 0)
            return true;
    }
    return false;
}

/* Bring one index over the groups; *out_keep false: it can't follow. */
static og_status follow_groups(const og_lance_write *write, OgPb__IndexMetadata *index,
                               uint64_t first_id, og_table__u32s *ids, og_arena *arena,
                               bool *out_keep, og_error *err)
{
    OG_TRY(og_table__index_fragments(index, ids, err));
    *out_keep = true;
    bool touched = false;
    for (size_t g = 0; g < write->groups.len; g++)
        touched = touched || covered(write, &write->groups.items[g], ids) != 0;
    if (!touched)
        return OG_OK;
    *out_keep = holds_row_ids(index);
    for (size_t g = 0; *out_keep && g < write->groups.len; g++) {
        if (covered(write, &write->groups.items[g], ids) != 0)
            OG_TRY(change_bitmap(write, &write->groups.items[g], first_id, ids, err));
        qsort(ids->items, ids->len, sizeof *ids->items, compare_u32);
    }
    return *out_keep ? put_bitmap(index, ids, arena, err) : OG_OK;
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

/* Indices that this write outdates, whatever fragments they cover. */
static bool ends(const og_lance_write *write, const OgPb__IndexMetadata *index)
{
    return (write->kept != NULL && !outlives_kept_rows(index)) ||
           (write->evolution != NULL && og_table__evolve_outdates(write, index));
}

og_status og_table__index_section_after(og_lance_write *write, uint64_t first_id, og_arena *arena,
                                        og_bytes *out, og_error *err)
{
    *out = write->source->index_section;
    bool same = write->groups.len == 0 && write->kept == NULL && write->evolution == NULL;
    if (out->ptr == NULL || same)
        return OG_OK;
    OgPb__IndexSection *section;
    OG_TRY(parse(write->source, arena, &section, err));
    og_table__u32s ids = {0};
    og_status status = OG_OK;
    size_t left = 0;
    for (size_t i = 0; status == OG_OK && i < section->n_indices; i++) {
        bool keep;
        if (ends(write, section->indices[i]))
            continue;
        status = follow_groups(write, section->indices[i], first_id, &ids, arena, &keep, err);
        if (status == OG_OK && keep)
            section->indices[left++] = section->indices[i];
    }
    og_vec_deinit(&ids);
    section->n_indices = left;
    OG_TRY(status);
    if (left == 0) {
        *out = (og_bytes){NULL, 0};
        return OG_OK;
    }
    return pack(section, arena, out, err);
}
