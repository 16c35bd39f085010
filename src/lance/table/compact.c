#include "lance/table/compact.h"

#include "lance/table/write_priv.h"

#define DELETION_THRESHOLD 0.1

/* Neighbouring fragments [start, end) of the table. */
typedef struct bin {
    uint32_t start, end;
} bin;

typedef struct plan {
    const og_lance_table *table;
    uint32_t target;
    double threshold;
    uint64_t *coverage; /* per fragment: equal numbers, same indices */
    OG_VEC(bin) bins;
} plan;

static void plan_deinit(plan *p)
{
    og_free(p->coverage);
    og_vec_deinit(&p->bins);
}

static uint32_t live_rows(const og_lance_fragment *f)
{
    return f->physical_rows - f->deleted_rows;
}

static bool has_many_deletions(const plan *p, const og_lance_fragment *f)
{
    return f->deleted_rows != 0 && f->deleted_rows > p->threshold * f->physical_rows;
}

static bool is_candidate(const plan *p, uint32_t fragment)
{
    const og_lance_fragment *f = &p->table->fragments[fragment];
    return (has_many_deletions(p, f) || f->physical_rows < p->target) &&
           og_table__is_plain(p->table, fragment);
}

static uint64_t rows_in(const plan *p, uint32_t start, uint32_t end)
{
    uint64_t rows = 0;
    for (uint32_t i = start; i < end; i++)
        rows += live_rows(&p->table->fragments[i]);
    return rows;
}

/* Cut a stretch into bins that reach the target, as long as what is left would reach it too. */
static og_status split(plan *p, uint32_t start, uint32_t end, og_error *err)
{
    while (start < end) {
        uint32_t stop = start;
        uint64_t rows = 0, left = rows_in(p, start, end);
        while (stop < end && rows < p->target)
            rows += live_rows(&p->table->fragments[stop++]);
        if (left - rows < p->target)
            stop = end;
        if (!og_vec_push(&p->bins, (bin){start, stop}))
            return og_error_nomem(err);
        start = stop;
    }
    return OG_OK;
}

static og_status end_stretch(plan *p, uint32_t start, uint32_t end, og_error *err)
{
    if (end == start || (end - start == 1 && !has_many_deletions(p, &p->table->fragments[start])))
        return OG_OK;
    return split(p, start, end, err);
}

static og_status find_bins(plan *p, og_error *err)
{
    uint32_t start = 0, count = p->table->fragment_count;
    for (uint32_t i = 0; i < count; i++) {
        bool candidate = is_candidate(p, i);
        if (candidate && (start == i || p->coverage[i] == p->coverage[start]))
            continue;
        OG_TRY(end_stretch(p, start, i, err));
        start = candidate ? i : i + 1;
    }
    return end_stretch(p, start, count, err);
}

static og_status make_plan(og_lance_table *table, const og_lance_compact_options *options, plan *p,
                           og_error *err)
{
    static const og_lance_compact_options defaults = {0};
    const og_lance_compact_options *o = options != NULL ? options : &defaults;
    p->table = table;
    p->target = o->target_rows != 0 && o->target_rows < OG_TABLE__FRAGMENT_ROWS
                    ? o->target_rows
                    : OG_TABLE__FRAGMENT_ROWS;
    p->threshold = o->deletion_threshold > 0   ? o->deletion_threshold
                   : o->deletion_threshold < 0 ? 0
                                               : DELETION_THRESHOLD;
    p->coverage = og_calloc((size_t)table->fragment_count + 1, sizeof *p->coverage);
    if (p->coverage == NULL)
        return og_error_nomem(err);
    OG_TRY(og_table__index_coverage(table, p->coverage, err));
    return find_bins(p, err);
}

og_status og_lance_compact_count(og_lance_table *table, const og_lance_compact_options *options,
                                 uint32_t *out, og_error *err)
{
    __attribute__((cleanup(plan_deinit))) plan p = {0};
    OG_TRY(make_plan(table, options, &p, err));
    *out = 0;
    for (size_t i = 0; i < p.bins.len; i++)
        *out += p.bins.items[i].end - p.bins.items[i].start;
    return OG_OK;
}

/* As few fragments of a bin as the target allows, and all of one size. */
static uint32_t even_rows(const plan *p, const bin *b)
{
    uint64_t rows = rows_in(p, b->start, b->end);
    uint64_t fragments = (rows + p->target - 1) / p->target;
    return fragments <= 1 ? p->target : (uint32_t)((rows + fragments - 1) / fragments);
}

og_status og_lance_write_compact(og_lance_write *write, const og_lance_compact_options *options,
                                 og_lance_compact_stats *out, og_error *err)
{
    if (write->options.op != OG_LANCE_COMPACT || write->state != OG_TABLE__OPEN ||
        write->groups.len != 0)
        return og_error_set(err, OG_INVALID, "this write can't compact");
    __attribute__((cleanup(plan_deinit))) plan p = {0};
    OG_TRY(make_plan(write->base, options, &p, err));
    *out = (og_lance_compact_stats){0};
    for (size_t i = 0; i < p.bins.len; i++) {
        const bin *b = &p.bins.items[i];
        write->folded.max_rows = even_rows(&p, b);
        OG_TRY(og_table__copy_group(write, b->start, b->end, err));
        out->fragments_removed += b->end - b->start;
        out->fragments_added += og_vec_last(&write->groups).new_count;
        out->rows += rows_in(&p, b->start, b->end);
    }
    return OG_OK;
}
