/* Row id sequences: docs/dev/lance.md section 4. */
#include "base/bits.h"
#include "lance/table/rows_priv.h"

/* Runs of at least this many ids are written as ranges, shorter ones together as arrays. */
#define RANGE_MIN_IDS 16

bool og_table__id_runs_add(og_table__id_runs *runs, uint32_t first_slot, uint32_t count,
                           uint64_t first_id)
{
    if (runs->len != 0) {
        og_table__id_run *last = &og_vec_last(runs);
        if (last->first_slot + last->count == first_slot &&
            last->first_id + last->count == first_id) {
            last->count += count;
            return true;
        }
    }
    return og_vec_push(runs, (og_table__id_run){first_slot, count, .first_id = first_id});
}

size_t og_table__run_of(const og_table__run *runs, size_t count, uint32_t slot, size_t hint)
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

/* ---- decoding ----------------------------------------------------------------------------- */

/* Where ids go: the rows that are still to come bound everything a segment may claim. */
typedef struct id_sink {
    og_table__id_runs *runs;
    uint32_t next_slot;
    uint32_t rows_left;
} id_sink;

static og_status wrong_length(og_error *err)
{
    return og_error_set(err, OG_CORRUPT, "row id sequence and fragment differ in length");
}

static og_status emit(id_sink *sink, uint64_t first_id, uint64_t count, og_error *err)
{
    if (count == 0)
        return OG_OK;
    if (count > sink->rows_left)
        return wrong_length(err);
    if (first_id > UINT64_MAX - count)
        return og_error_set(err, OG_CORRUPT, "row id beyond 64 bits");
    if (!og_table__id_runs_add(sink->runs, sink->next_slot, (uint32_t)count, first_id))
        return og_error_nomem(err);
    sink->next_slot += (uint32_t)count;
    sink->rows_left -= (uint32_t)count;
    return OG_OK;
}

/* An EncodedU64Array as base + values of one width. */
typedef struct encoded_ids {
    uint64_t base;
    const uint8_t *values;
    size_t count;
    unsigned width; /* 2, 4 or 8 */
} encoded_ids;

static og_status open_array(const OgPb__EncodedU64Array *array, encoded_ids *out, og_error *err)
{
    og_bytes raw = {NULL, 0};
    *out = (encoded_ids){.width = 8};
    if (array != NULL && array->u16 != NULL) {
        raw = og_table__bytes(array->u16->offsets);
        *out = (encoded_ids){.base = array->u16->first, .width = 2};
    } else if (array != NULL && array->u32 != NULL) {
        raw = og_table__bytes(array->u32->offsets);
        *out = (encoded_ids){.base = array->u32->first, .width = 4};
    } else if (array != NULL && array->u64 != NULL) {
        raw = og_table__bytes(array->u64->values);
    }
    if (raw.len % out->width != 0)
        return og_error_set(err, OG_CORRUPT, "row id array ends inside a value");
    out->values = raw.ptr;
    out->count = raw.len / out->width;
    return OG_OK;
}

static uint64_t array_at(const encoded_ids *ids, size_t i)
{
    const uint8_t *p = ids->values + i * ids->width;
    uint64_t offset = ids->width == 2   ? og_load_u16(p)
                      : ids->width == 4 ? og_load_u32(p)
                                        : og_load_u64(p);
    return ids->base + offset; /* wraps only in damaged files; emit sees what results */
}

static og_status decode_array(const OgPb__EncodedU64Array *array, id_sink *sink, og_error *err)
{
    encoded_ids ids;
    OG_TRY(open_array(array, &ids, err));
    for (size_t i = 0; i < ids.count;) {
        uint64_t first = array_at(&ids, i);
        size_t end = i + 1;
        while (end < ids.count && array_at(&ids, end) == first + (end - i))
            end++;
        OG_TRY(emit(sink, first, end - i, err));
        i = end;
    }
    return OG_OK;
}

static og_status decode_holes(const OgPb__RangeWithHoles *range, id_sink *sink, og_error *err)
{
    encoded_ids holes;
    OG_TRY(open_array(range->holes, &holes, err));
    uint64_t next = range->start;
    for (size_t i = 0; i < holes.count; i++) {
        uint64_t hole = array_at(&holes, i);
        if (hole < next || hole >= range->end)
            return og_error_set(err, OG_CORRUPT, "hole outside its row id range");
        OG_TRY(emit(sink, next, hole - next, err));
        next = hole + 1;
    }
    if (range->end < next)
        return og_error_set(err, OG_CORRUPT, "row id range ends before it starts");
    return emit(sink, next, range->end - next, err);
}

static og_status decode_bitmap(const OgPb__RangeWithBitmap *range, id_sink *sink, og_error *err)
{
    if (range->end < range->start || range->end - range->start > (uint64_t)range->bitmap.len * 8)
        return og_error_set(err, OG_CORRUPT, "row id bitmap is shorter than its range");
    const uint8_t *bits = range->bitmap.data;
    size_t slots = (size_t)(range->end - range->start);
    for (size_t i = 0; i < slots;) {
        if (!og_bit_get(bits, i)) {
            i++;
            continue;
        }
        size_t end = i + 1;
        while (end < slots && og_bit_get(bits, end))
            end++;
        OG_TRY(emit(sink, range->start + i, end - i, err));
        i = end;
    }
    return OG_OK;
}

static og_status decode_segment(const OgPb__U64Segment *segment, id_sink *sink, og_error *err)
{
    if (segment->range != NULL) {
        if (segment->range->end < segment->range->start)
            return og_error_set(err, OG_CORRUPT, "row id range ends before it starts");
        return emit(sink, segment->range->start, segment->range->end - segment->range->start, err);
    }
    if (segment->range_with_holes != NULL)
        return decode_holes(segment->range_with_holes, sink, err);
    if (segment->range_with_bitmap != NULL)
        return decode_bitmap(segment->range_with_bitmap, sink, err);
    if (segment->sorted_array == NULL && segment->array == NULL &&
        segment->base.n_unknown_fields != 0)
        return og_error_set(err, OG_UNSUPPORTED, "row ids in a form that is not known (field %u)",
                            segment->base.unknown_fields[0].tag);
    return decode_array(segment->sorted_array != NULL ? segment->sorted_array : segment->array,
                        sink, err);
}

og_status og_table__row_ids_decode(og_bytes bytes, uint32_t first_slot, uint32_t rows,
                                   og_table__id_runs *runs, og_error *err)
{
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    if (scratch == NULL)
        return og_error_nomem(err);
    OgPb__RowIdSequence *sequence;
    OG_TRY(og_table__unpack(&og_pb__row_id_sequence__descriptor, scratch, bytes, "row id sequence",
                            &sequence, err));
    id_sink sink = {runs, first_slot, rows};
    for (size_t i = 0; i < sequence->n_segments; i++)
        OG_TRY(decode_segment(sequence->segments[i], &sink, err));
    return sink.rows_left == 0 ? OG_OK : wrong_length(err);
}

/* ---- encoding ----------------------------------------------------------------------------- */

static og_status encode_range(const og_table__id_run *run, og_arena *arena, OgPb__U64Segment *out,
                              og_error *err)
{
    OgPb__Range *range = OG_PB_NEW(arena, OgPb__Range, og_pb__range__init);
    if (range == NULL)
        return og_error_nomem(err);
    OG_PB_SET(range, start, run->first_id);
    OG_PB_SET(range, end, run->first_id + run->count);
    out->range = range;
    return OG_OK;
}

/* Ids of several runs as offsets from the smallest, in the narrowest width that holds them. */
static og_status encode_array(const og_table__id_run *runs, size_t count, og_arena *arena,
                              OgPb__U64Segment *out, og_error *err)
{
    uint64_t low = UINT64_MAX, high = 0;
    size_t ids = 0;
    bool sorted = true;
    for (size_t i = 0; i < count; i++) {
        uint64_t last = runs[i].first_id + runs[i].count - 1;
        sorted = sorted && (i == 0 || runs[i].first_id > high);
        low = runs[i].first_id < low ? runs[i].first_id : low;
        high = last > high ? last : high;
        ids += runs[i].count;
    }
    unsigned width = high - low <= UINT16_MAX ? 2 : high - low <= UINT32_MAX ? 4 : 8;
    uint64_t base = width == 8 ? 0 : low;
    uint8_t *values = og_arena_alloc(arena, ids * width);
    OgPb__EncodedU64Array *array =
        OG_PB_NEW(arena, OgPb__EncodedU64Array, og_pb__encoded_u64_array__init);
    if (values == NULL || array == NULL)
        return og_error_nomem(err);
    uint8_t *p = values;
    for (size_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < runs[i].count; k++, p += width) {
            uint64_t offset = runs[i].first_id + k - base;
            memcpy(p, &offset, width); /* little-endian: the low bytes */
        }

    ProtobufCBinaryData data = og_table__binary(values, ids * width);
    if (width == 2 && (array->u16 = OG_PB_NEW(arena, OgPb__U16Array, og_pb__u16_array__init))) {
        OG_PB_SET(array->u16, first, base);
        OG_PB_SET(array->u16, offsets, data);
    } else if (width == 4 &&
               (array->u32 = OG_PB_NEW(arena, OgPb__U32Array, og_pb__u32_array__init))) {
        OG_PB_SET(array->u32, first, base);
        OG_PB_SET(array->u32, offsets, data);
    } else if (width == 8 &&
               (array->u64 = OG_PB_NEW(arena, OgPb__U64Array, og_pb__u64_array__init))) {
        OG_PB_SET(array->u64, values, data);
    } else {
        return og_error_nomem(err);
    }
    if (sorted)
        out->sorted_array = array;
    else
        out->array = array;
    return OG_OK;
}

og_status og_table__row_ids_encode(const og_table__id_run *runs, size_t count, og_arena *arena,
                                   ProtobufCBinaryData *out, og_error *err)
{
    OgPb__RowIdSequence sequence;
    og_pb__row_id_sequence__init(&sequence);
    sequence.segments = og_arena_array_of(arena, OgPb__U64Segment *, count + 1);
    if (sequence.segments == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count;) {
        OgPb__U64Segment *segment = OG_PB_NEW(arena, OgPb__U64Segment, og_pb__u64_segment__init);
        if (segment == NULL)
            return og_error_nomem(err);
        sequence.segments[sequence.n_segments++] = segment;
        size_t end = i;
        while (end < count && runs[end].count < RANGE_MIN_IDS)
            end++;
        if (end - i <= 1) {
            OG_TRY(encode_range(&runs[i], arena, segment, err));
            i++;
        } else {
            OG_TRY(encode_array(runs + i, end - i, arena, segment, err));
            i = end;
        }
    }
    return og_table__pack_binary(&sequence, arena, out, err);
}
