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
    return og_vec_push(runs, (og_table__version_run){first_slot, count, .version = version});
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

/* ---- runs as they are usually written ----------------------------------------------------- */

/* A long history is a thousand runs, read by every commit that folds: as messages in an
 * arena that was a tenth of an insert's time. So runs of ranges are read in place;
 * anything else by the general way. */
#define TAG_RUN 0x0A     /* VersionSequence.runs */
#define TAG_SPAN 0x0A    /* VersionRun.span */
#define TAG_VERSION 0x10 /* VersionRun.version */
#define TAG_RANGE 0x0A   /* U64Segment.range */
#define TAG_START 0x08   /* Range.start */
#define TAG_END 0x10     /* Range.end */

static bool take_tag(og_bytes *in, uint8_t tag)
{
    if (in->len == 0 || in->ptr[0] != tag)
        return false;
    in->ptr++;
    in->len--;
    return true;
}

static bool take_varint(og_bytes *in, uint64_t *out)
{
    *out = 0;
    for (unsigned shift = 0; in->len > 0 && shift < 64; shift += 7) {
        uint8_t byte = in->ptr[0];
        in->ptr++;
        in->len--;
        *out |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return true;
    }
    return false;
}

static bool take_message(og_bytes *in, uint8_t tag, og_bytes *out)
{
    uint64_t len;
    if (!take_tag(in, tag) || !take_varint(in, &len) || len > in->len)
        return false;
    *out = (og_bytes){in->ptr, (size_t)len};
    in->ptr += len;
    in->len -= (size_t)len;
    return true;
}

/* 0 when it is absent. */
static bool take_number(og_bytes *in, uint8_t tag, uint64_t *out)
{
    *out = 0;
    return !take_tag(in, tag) || take_varint(in, out);
}

static bool take_plain_run(og_bytes *in, uint64_t *out_length, uint64_t *out_version)
{
    og_bytes run, span, range;
    uint64_t start, end;
    if (!take_message(in, TAG_RUN, &run) || !take_message(&run, TAG_SPAN, &span) ||
        !take_message(&span, TAG_RANGE, &range) || !take_number(&range, TAG_START, &start) ||
        !take_number(&range, TAG_END, &end) || !take_number(&run, TAG_VERSION, out_version))
        return false;
    *out_length = end >= start ? end - start : UINT64_MAX;
    return run.len == 0 && span.len == 0 && range.len == 0;
}

static bool are_plain_runs(og_bytes bytes)
{
    uint64_t length, version;
    while (bytes.len > 0)
        if (!take_plain_run(&bytes, &length, &version))
            return false;
    return true;
}

size_t og_table__versions_count(og_bytes bytes)
{
    size_t count = 0;
    og_bytes run;
    while (take_message(&bytes, TAG_RUN, &run))
        count++;
    return count;
}

/* ---- decoding ----------------------------------------------------------------------------- */

/* Runs of one fragment that are being added. */
typedef struct adding {
    og_table__version_runs *runs;
    uint32_t next_slot, left;
} adding;

static og_status add_run(adding *to, uint64_t length, uint64_t version, og_error *err)
{
    if (length > to->left)
        return og_error_set(err, OG_CORRUPT, "row versions are longer than their fragment");
    if (length != 0 &&
        !og_table__version_runs_add(to->runs, to->next_slot, (uint32_t)length, version))
        return og_error_nomem(err);
    to->next_slot += (uint32_t)length;
    to->left -= (uint32_t)length;
    return OG_OK;
}

static og_status add_plain_runs(adding *to, og_bytes bytes, og_error *err)
{
    uint64_t length, version;
    while (take_plain_run(&bytes, &length, &version))
        OG_TRY(add_run(to, length, version, err));
    return OG_OK;
}

static og_status add_any_runs(adding *to, og_bytes bytes, og_error *err)
{
    OG_AUTO(og_arena) scratch = og_arena_new(0);
    if (scratch == NULL)
        return og_error_nomem(err);
    OgPb__VersionSequence *sequence;
    OG_TRY(og_table__unpack(&og_pb__version_sequence__descriptor, scratch, bytes,
                            "row version sequence", &sequence, err));
    for (size_t i = 0; i < sequence->n_runs; i++)
        OG_TRY(add_run(to, span_length(sequence->runs[i]->span), sequence->runs[i]->version, err));
    return OG_OK;
}

og_status og_table__versions_decode(og_bytes bytes, uint32_t first_slot, uint32_t rows,
                                    og_table__version_runs *runs, og_error *err)
{
    adding to = {runs, first_slot, rows};
    OG_TRY(are_plain_runs(bytes) ? add_plain_runs(&to, bytes, err) : add_any_runs(&to, bytes, err));
    if (to.left != 0)
        return og_error_set(err, OG_CORRUPT, "row versions are shorter than their fragment");
    return OG_OK;
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
