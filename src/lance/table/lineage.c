/* Row versions (created, last updated): docs/dev/lance.md section 4, "Lineage". */
#include "lance/table/rows_priv.h"

#include <stdlib.h>

bool og_table__version_runs_add(og_table__version_runs *runs, uint32_t first_slot, uint32_t count,
                                uint64_t version)
{
    if (runs->len != 0) {
        og_table__version_run *last = &og_vec_last(runs);
        if (last->first_slot + last->count == first_slot && last->version == version) {
            last->count += count;
            return true;
        }
    }
    return og_vec_push(runs, (og_table__version_run){first_slot, count, version});
}

size_t og_table__version_run_of(const og_table__version_run *runs, size_t count, uint32_t slot,
                                size_t hint)
{
    for (size_t i = hint; i < count && i < hint + 2; i++)
        if (slot >= runs[i].first_slot && slot - runs[i].first_slot < runs[i].count)
            return i;
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (runs[middle].first_slot <= slot)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static uint64_t array_length(const OgPb__EncodedU64Array *array)
{
    if (array == NULL)
        return 0;
    if (array->u16 != NULL)
        return array->u16->offsets.len / 2;
    if (array->u32 != NULL)
        return array->u32->offsets.len / 4;
    return array->u64 != NULL ? array->u64->values.len / 8 : 0;
}

/* Only the length of a span counts. UINT64_MAX when it makes no sense. */
static uint64_t span_length(const OgPb__U64Segment *span)
{
    if (span == NULL)
        return 0;
    if (span->range != NULL)
        return span->range->end >= span->range->start ? span->range->end - span->range->start
                                                      : UINT64_MAX;
    if (span->range_with_holes != NULL) {
        const OgPb__RangeWithHoles *r = span->range_with_holes;
        uint64_t holes = array_length(r->holes);
        return r->end >= r->start && r->end - r->start >= holes ? r->end - r->start - holes
                                                                : UINT64_MAX;
    }
    if (span->range_with_bitmap != NULL) {
        uint64_t ones = 0;
        const ProtobufCBinaryData *bitmap = &span->range_with_bitmap->bitmap;
        for (size_t i = 0; i < bitmap->len; i++)
            ones += (unsigned)__builtin_popcount(bitmap->data[i]);
        return ones;
    }
    return array_length(span->sorted_array != NULL ? span->sorted_array : span->array);
}

og_status og_table__versions_decode(og_bytes bytes, uint32_t first_slot, uint32_t rows,
                                    og_table__version_runs *runs, og_error *err)
{
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    if (scratch == NULL)
        return og_error_nomem(err);
    OgPb__VersionSequence *sequence;
    OG_TRY(og_table__unpack(&og_pb__version_sequence__descriptor, scratch, bytes,
                            "row version sequence", &sequence, err));
    uint32_t left = rows;
    for (size_t i = 0; i < sequence->n_runs; i++) {
        uint64_t length = span_length(sequence->runs[i]->span);
        if (length > left)
            return og_error_set(err, OG_CORRUPT, "row versions are longer than their fragment");
        if (length != 0 &&
            !og_table__version_runs_add(runs, first_slot + (rows - left), (uint32_t)length,
                                        sequence->runs[i]->version))
            return og_error_nomem(err);
        left -= (uint32_t)length;
    }
    if (left != 0)
        return og_error_set(err, OG_CORRUPT, "row versions are shorter than their fragment");
    return OG_OK;
}

size_t og_table__versions_count(og_bytes bytes)
{
    size_t count = 0, at = 0;
    while (at < bytes.len) {
        at++; /* the tag: "runs" is the only field */
        uint64_t len = 0;
        for (unsigned shift = 0; at < bytes.len && shift < 64; shift += 7) {
            uint8_t byte = bytes.ptr[at++];
            len |= (uint64_t)(byte & 0x7F) << shift;
            if (byte < 0x80)
                break;
        }
        at = len > bytes.len - at ? bytes.len : at + (size_t)len;
        count++;
    }
    return count;
}

og_status og_table__versions_encode(const og_table__version_run *runs, size_t count,
                                    og_arena *arena, ProtobufCBinaryData *out, og_error *err)
{
    OgPb__VersionSequence sequence;
    og_pb__version_sequence__init(&sequence);
    sequence.runs = og_arena_array_of(arena, OgPb__VersionRun *, count + 1);
    if (sequence.runs == NULL)
        return og_error_nomem(err);
    uint64_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        OgPb__VersionRun *run = OG_PB_NEW(arena, OgPb__VersionRun, og_pb__version_run__init);
        OgPb__U64Segment *span = OG_PB_NEW(arena, OgPb__U64Segment, og_pb__u64_segment__init);
        OgPb__Range *range = OG_PB_NEW(arena, OgPb__Range, og_pb__range__init);
        if (run == NULL || span == NULL || range == NULL)
            return og_error_nomem(err);
        if (offset != 0)
            OG_PB_SET(range, start, offset);
        offset += runs[i].count;
        OG_PB_SET(range, end, offset);
        span->range = range;
        run->span = span;
        OG_PB_SET(run, version, runs[i].version);
        sequence.runs[sequence.n_runs++] = run;
    }
    return og_table__pack_binary(&sequence, arena, out, err);
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t og_table__version_raised(const og_table__version_run *run, uint64_t floor,
                                  uint32_t most_rows)
{
    return run->version < floor && run->count <= most_rows ? floor : run->version;
}

static size_t runs_above(const og_table__version_runs *runs, uint64_t floor, uint32_t most_rows)
{
    size_t count = 0;
    uint64_t last = 0;
    for (size_t i = 0; i < runs->len; i++) {
        uint64_t version = og_table__version_raised(&runs->items[i], floor, most_rows);
        count += i == 0 || version != last;
        last = version;
    }
    return count;
}

og_status og_table__versions_floor(const og_table__version_runs *runs, size_t max_runs,
                                   uint32_t most_rows, uint64_t *out, og_error *err)
{
    OG_AUTO_FREE uint64_t *versions = og_malloc((runs->len + 1) * sizeof *versions);
    if (versions == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < runs->len; i++)
        versions[i] = runs->items[i].version;
    qsort(versions, runs->len, sizeof *versions, compare_u64);
    /* Fewer runs remain the higher the floor; at the newest version one does. */
    size_t low = 0, high = runs->len - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (runs_above(runs, versions[middle], most_rows) <= max_runs)
            high = middle;
        else
            low = middle + 1;
    }
    *out = versions[low];
    return OG_OK;
}
