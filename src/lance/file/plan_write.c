/* Which codec for the values of a mini-block page: sizes are computed exactly where one pass over
 * the numbers tells them, and measured on a few sample chunks where a compressor must be asked. */
#include "lance/file/page_write.h"

/* Compressed chunks must be decoded whole, so they have to earn it: text by 15 % (strings are
 * compared with FSST, which is as fast to read), numbers by 25 %. */
#define TEXT_GAIN(bytes) ((bytes) - (bytes)*3 / 20)
#define NUMBER_GAIN(bytes) ((bytes) - (bytes) / 4)
/* FSST's table takes 2.3 KiB of each page. */
#define FSST_MIN_BYTES ((uint64_t)16 << 10)
#define SAMPLE_CHUNKS 4
/* What zstd over FSST may take to be preferred to zstd alone: it is faster, to read too.
 * Most where FSST leaves it less than half to do, as of hexadecimal digits. */
#define FSST_WORTH(bytes, halves) ((bytes) + (bytes) / ((halves) ? 5 : 20))
/* The same of zstd over split bytes. */
#define SPLIT_WORTH(bytes) ((bytes) + (bytes) / 10)
/* Header, chunk word and padding. */
#define CHUNK_OVERHEAD 20
#define BLOCK 1024

/* ---- numbers ------------------------------------------------------------------------------ */

typedef struct number_costs {
    uint64_t packed, runs;
} number_costs;

static inline __attribute__((always_inline)) number_costs scan(const uint8_t *in, uint64_t count,
                                                               size_t width)
{
    number_costs costs = {0};
    uint64_t before = 0;
    for (uint64_t start = 0; start < count; start += BLOCK) {
        uint64_t end = count - start < BLOCK ? count : start + BLOCK, all = 0;
        for (uint64_t i = start; i < end; i++) {
            uint64_t value = 0;
            memcpy(&value, in + i * width, width);
            all |= value;
            costs.runs += value != before;
            before = value;
        }
        uint64_t bits = all == 0 ? 0 : 64 - (uint64_t)__builtin_clzll(all);
        costs.packed += width + bits * (BLOCK / 8) + CHUNK_OVERHEAD;
    }
    return costs;
}

static number_costs scan_numbers(const og_lance__values *values)
{
    switch (values->width) {
    case 1:
        return scan(values->data, values->count, 1);
    case 2:
        return scan(values->data, values->count, 2);
    case 4:
        return scan(values->data, values->count, 4);
    default:
        return scan(values->data, values->count, 8);
    }
}

/* ---- sampling ----------------------------------------------------------------------------- */

typedef struct sample {
    uint64_t start, count;
} sample;

/* Chunks at even distances; one that holds everything when the page is small. */
static uint32_t take_samples(const og_lance__values *values, const og_lance__plan *plan,
                             sample out[SAMPLE_CHUNKS])
{
    uint64_t first = og_lance__chunk_count(values, plan, 0);
    uint32_t samples = first * SAMPLE_CHUNKS > values->count ? 1 : SAMPLE_CHUNKS;
    for (uint32_t i = 0; i < samples; i++) {
        out[i].start = values->count / samples * i;
        out[i].count = og_lance__chunk_count(values, plan, out[i].start);
    }
    return samples;
}

static uint64_t scale(uint64_t bytes, uint64_t count, uint64_t sampled)
{
    return (uint64_t)((double)bytes * (double)count / (double)sampled);
}

/* About the bytes of the whole page under zstd around `codec`. When the first chunk says that
 * `limit` will be missed by far, it is left at that. */
static og_status estimate_zstd(og_lance__encoder *encoder, const og_lance__values *values,
                               og_lance__codec codec, uint64_t limit, uint64_t *out, og_error *err)
{
    og_lance__plan plan = {.codec = codec, .zstd = true};
    sample samples[SAMPLE_CHUNKS];
    uint32_t sample_count = take_samples(values, &plan, samples);
    uint64_t sampled = 0, bytes = 0;
    for (uint32_t i = 0; i < sample_count; i++) {
        og_buf_clear(&encoder->chunk);
        og_buf_clear(&encoder->sample);
        if (!og_lance__chunk_encode(values, &plan, samples[i].start, samples[i].count,
                                    &encoder->chunk, NULL) ||
            !og_lance__zstd_chunk(encoder, values, samples[i].count, &encoder->chunk,
                                  &encoder->sample))
            return og_error_nomem(err);
        sampled += samples[i].count;
        bytes += encoder->sample.len + CHUNK_OVERHEAD;
        if (scale(bytes, values->count, sampled) / 5 > limit / 4)
            break;
    }
    *out = scale(bytes, values->count, sampled);
    return OG_OK;
}

/* ---- FSST --------------------------------------------------------------------------------- */

og_status og_lance__compress_strings(og_lance__encoder *encoder, const og_lance__values *values,
                                     uint64_t start, uint64_t count, og_lance__values *out,
                                     og_error *err)
{
    og_buf *bytes = &encoder->symbols, *offsets = &encoder->symbol_offsets;
    const uint32_t *in = values->offsets + start;
    og_buf_clear(bytes);
    og_buf_clear(offsets);
    if (!og_buf_reserve(bytes, 2 * (size_t)(in[count] - in[0]) + 1) ||
        !og_buf_reserve(offsets, ((size_t)count + 1) * sizeof(uint32_t)))
        return og_error_nomem(err);
    uint32_t *ends = (uint32_t *)offsets->ptr;
    *ends++ = 0;
    for (uint64_t i = 0; i < count; i++) {
        bytes->len += og_lance__fsst_compress(encoder->fsst, values->data + in[i],
                                              in[i + 1] - in[i], bytes->ptr + bytes->len);
        *ends++ = (uint32_t)bytes->len;
    }
    *out = *values;
    out->data = bytes->ptr;
    out->offsets = (const uint32_t *)offsets->ptr;
    out->count = count;
    return OG_OK;
}

static og_status train_fsst(og_lance__encoder *encoder, const og_lance__values *values,
                            og_error *err)
{
    if (encoder->fsst == NULL)
        encoder->fsst = og_lance__fsst_new();
    if (encoder->fsst == NULL ||
        !og_lance__fsst_train(encoder->fsst, values->data, values->offsets, values->count))
        return og_error_nomem(err);
    return OG_OK;
}

typedef struct fsst_costs {
    uint64_t plain, zstd;
} fsst_costs;

/* About the bytes of the whole page under FSST, alone and with zstd around it. */
static og_status estimate_fsst(og_lance__encoder *encoder, const og_lance__values *values,
                               fsst_costs *out, og_error *err)
{
    og_lance__plan raw_plan = {.codec = OG_LANCE__OFFSETS, .zstd = true};
    og_lance__plan fsst_plan = {.codec = OG_LANCE__FSST, .zstd = true};
    sample samples[SAMPLE_CHUNKS];
    uint32_t sample_count = take_samples(values, &raw_plan, samples);
    uint64_t sampled = 0, plain = 0, zstd = 0;
    OG_TRY(train_fsst(encoder, values, err));
    for (uint32_t i = 0; i < sample_count; i++) {
        /* A chunk holds twice as many strings when they are compressed first. */
        uint64_t left = values->count - samples[i].start;
        uint64_t count = samples[i].count * 2 < left ? samples[i].count * 2 : left;
        og_lance__values part;
        OG_TRY(og_lance__compress_strings(encoder, values, samples[i].start, count, &part, err));
        og_buf_clear(&encoder->chunk);
        og_buf_clear(&encoder->sample);
        if (!og_lance__chunk_encode(&part, &fsst_plan, 0, part.count, &encoder->chunk, NULL) ||
            !og_lance__zstd_chunk(encoder, &part, part.count, &encoder->chunk, &encoder->sample))
            return og_error_nomem(err);
        sampled += count;
        plain += encoder->chunk.len;
        zstd += encoder->sample.len + CHUNK_OVERHEAD;
    }
    out->plain = scale(plain, values->count, sampled) + OG_LANCE__FSST_TABLE_BYTES;
    out->zstd = scale(zstd, values->count, sampled) + OG_LANCE__FSST_TABLE_BYTES;
    return OG_OK;
}

/* ---- choices ------------------------------------------------------------------------------ */

/* The same under zstd, when that pays: as they are, or split into their bytes, which is
 * several times faster to write. */
static og_status compress_numbers(og_lance__encoder *encoder, const og_lance__values *values,
                                  og_lance__plan *plan, uint64_t *bytes, og_error *err)
{
    uint64_t limit = NUMBER_GAIN(*bytes), flat, split = UINT64_MAX;
    if (values->width >= 4)
        OG_TRY(estimate_zstd(encoder, values, OG_LANCE__SPLIT, limit, &split, err));
    OG_TRY(estimate_zstd(encoder, values, OG_LANCE__FLAT, limit, &flat, err));
    bool use_split = split < SPLIT_WORTH(flat);
    uint64_t zstd = use_split ? split : flat;
    if (zstd >= limit)
        return OG_OK;
    *bytes = zstd;
    *plan = (og_lance__plan){.codec = use_split ? OG_LANCE__SPLIT : OG_LANCE__FLAT, .zstd = true};
    return OG_OK;
}

static og_status plan_numbers(og_lance__encoder *encoder, const og_lance__values *values,
                              og_lance__plan *out, uint64_t *out_bytes, og_error *err)
{
    number_costs costs = scan_numbers(values);
    uint64_t rle = (costs.runs + values->count / 255 + 1) * (values->width + 1);
    uint64_t best = values->count * values->width;
    *out = (og_lance__plan){.codec = OG_LANCE__FLAT};
    if (costs.packed < best) {
        best = costs.packed;
        out->codec = OG_LANCE__BITPACKED;
    }
    if (rle < best) {
        best = rle;
        out->codec = OG_LANCE__RLE;
    }
    *out_bytes = best;
    return compress_numbers(encoder, values, out, out_bytes, err);
}

static og_status plan_strings(og_lance__encoder *encoder, const og_lance__values *values,
                              og_lance__plan *out, uint64_t *out_bytes, og_error *err)
{
    uint64_t raw = values->offsets[values->count];
    uint64_t best = raw + values->count * (values->wide_offsets ? 8 : 4), flat = best, zstd;
    *out = (og_lance__plan){.codec = OG_LANCE__OFFSETS};
    fsst_costs fsst = {UINT64_MAX, UINT64_MAX};
    if (values->is_utf8 && raw >= FSST_MIN_BYTES)
        OG_TRY(estimate_fsst(encoder, values, &fsst, err));
    uint64_t limit = fsst.plain < best ? fsst.plain : best;
    OG_TRY(estimate_zstd(encoder, values, OG_LANCE__OFFSETS, TEXT_GAIN(limit), &zstd, err));
    if (fsst.plain < best - best / 10) {
        best = fsst.plain;
        *out = (og_lance__plan){.codec = OG_LANCE__FSST, .fsst = encoder->fsst};
    }
    if (fsst.zstd < FSST_WORTH(zstd, fsst.plain < flat / 2) && fsst.zstd < TEXT_GAIN(best)) {
        best = fsst.zstd;
        *out = (og_lance__plan){.codec = OG_LANCE__FSST, .zstd = true, .fsst = encoder->fsst};
    } else if (zstd < TEXT_GAIN(best)) {
        best = zstd;
        *out = (og_lance__plan){.codec = OG_LANCE__OFFSETS, .zstd = true};
    }
    *out_bytes = best;
    return OG_OK;
}

og_status og_lance__plan_values(og_lance__encoder *encoder, const og_lance__values *values,
                                og_lance__plan *out, uint64_t *out_bytes, og_error *err)
{
    if (values->kind == OG_LANCE__VARIABLE)
        return plan_strings(encoder, values, out, out_bytes, err);
    if (values->kind == OG_LANCE__FIXED && values->list_size == 0)
        return plan_numbers(encoder, values, out, out_bytes, err);
    *out = (og_lance__plan){.codec = OG_LANCE__FLAT};
    *out_bytes = values->count * values->width;
    return OG_OK;
}

#define WIDE_SAMPLES 8

og_status og_lance__plan_wide(og_lance__encoder *encoder, const og_lance__values *values,
                              og_lance__plan *out, uint64_t *out_bytes, og_error *err)
{
    *out = (og_lance__plan){.codec = OG_LANCE__FLAT};
    *out_bytes = values->count * values->width;
    if (values->kind != OG_LANCE__VARIABLE)
        return OG_OK;
    uint64_t total = values->offsets[values->count];
    bool try_fsst = values->is_utf8 && total >= FSST_MIN_BYTES;
    if (try_fsst)
        OG_TRY(train_fsst(encoder, values, err));
    uint64_t raw = 0, zstd = 0, fsst = 0;
    for (uint64_t i = 0; i < WIDE_SAMPLES; i++) {
        uint64_t index = values->count * i / WIDE_SAMPLES;
        size_t len = values->offsets[index + 1] - values->offsets[index];
        og_lance__values part = {0};
        og_buf_clear(&encoder->sample);
        if (!og_lance__zstd_append(encoder, values->data + values->offsets[index], len, 0,
                                   &encoder->sample))
            return og_error_nomem(err);
        raw += len;
        zstd += encoder->sample.len;
        if (!try_fsst)
            continue;
        OG_TRY(og_lance__compress_strings(encoder, values, index, 1, &part, err));
        fsst += part.offsets[1];
    }
    if (!try_fsst)
        fsst = UINT64_MAX;
    uint64_t best = raw;
    out->codec = OG_LANCE__OFFSETS;
    if (zstd < fsst && zstd < TEXT_GAIN(raw)) {
        best = zstd;
        out->zstd = true;
    } else if (fsst < TEXT_GAIN(raw)) {
        best = fsst;
        *out = (og_lance__plan){.codec = OG_LANCE__FSST, .fsst = encoder->fsst};
    }
    *out_bytes = raw > 0 ? (uint64_t)((double)best / (double)raw * (double)total) : 0;
    return OG_OK;
}
