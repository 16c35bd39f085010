/* Folding: joining the small fragments that small commits leave behind.
 *
 * Fragments are in classes by their live rows, a factor of FOLD_COUNT apart. Counted from the end
 * of the table, a stretch of fragments of class k or smaller that holds at least FOLD_COUNT of
 * class k becomes one fragment, written in the same version. Only the tail is folded, and never
 * across a larger fragment, so rows keep their order; only fragments covered by the same indices
 * are joined. A row is so rewritten about once per class: the work of a commit stays bounded by a
 * logarithm, the number of fragments too. */
#include "lance/table/write_priv.h"

#define FOLD_COUNT 8
#define FOLD_COUNT_LOG2 3

bool og_table__touches(const og_lance_write *write, uint32_t fragment)
{
    if (write->deleted == NULL)
        return false;
    const og_lance_fragment *f = &write->base->fragments[fragment];
    uint32_t slot = f->first_slot, end = slot + f->physical_rows;
    return og_table__next_dead(write, NULL, slot, end) != end;
}

/* Rows of a base fragment that live after this write. */
static og_status live_after(og_lance_write *write, uint32_t fragment, uint32_t *out, og_error *err)
{
    const og_lance_fragment *f = &write->base->fragments[fragment];
    uint32_t live = f->physical_rows - f->deleted_rows;
    if (og_table__touches(write, fragment)) {
        const uint8_t *before;
        OG_TRY(og_lance_table_deleted(write->base, &before, err));
        live = f->physical_rows;
        uint32_t end = f->first_slot + f->physical_rows;
        for (uint32_t slot = f->first_slot;; slot++) {
            slot = og_table__next_dead(write, before, slot, end);
            if (slot == end)
                break;
            live--;
        }
    }
    *out = live;
    return OG_OK;
}

static unsigned size_class(uint32_t rows)
{
    return (31u - (unsigned)__builtin_clz(rows | 1)) / FOLD_COUNT_LOG2;
}

typedef struct fold_facts {
    uint32_t *live;     /* per fragment of base */
    uint64_t *coverage; /* per fragment: equal numbers, same indices */
} fold_facts;

/* The longest stretch at the end of class <= k, with the same coverage and no more rows than one
 * fragment may have. *out_of_class counts those of class k before the last bound cuts it. */
static uint32_t stretch_of_class(const og_lance_write *write, const fold_facts *facts, unsigned k,
                                 uint32_t *out_of_class)
{
    uint32_t count = write->base->fragment_count, start = count, rows = 0;
    bool full = false;
    *out_of_class = 0;
    for (uint32_t i = count; i-- > 0;) {
        uint32_t live = facts->live[i];
        if (live != 0 && (size_class(live) > k || live >= OG_TABLE__FRAGMENT_ROWS ||
                          facts->coverage[i] != facts->coverage[count - 1]))
            break;
        if (!og_table__is_plain(write->base, i))
            break;
        *out_of_class += live != 0 && size_class(live) == k;
        full = full || live > OG_TABLE__FRAGMENT_ROWS - rows;
        if (!full) {
            rows += live;
            start = i;
        }
    }
    return start;
}

/* *out: the first fragment of the stretch to fold; the number of fragments when there is none. */
static og_status choose(og_lance_write *write, fold_facts *facts, uint32_t *out, og_error *err)
{
    uint32_t count = *out = write->base->fragment_count;
    for (uint32_t i = 0; i < count; i++)
        OG_TRY(live_after(write, i, &facts->live[i], err));
    OG_TRY(og_table__index_coverage(write->base, facts->coverage, err));
    for (unsigned k = size_class(OG_TABLE__FRAGMENT_ROWS) + 1; k-- > 0;) {
        uint32_t of_class, start = stretch_of_class(write, facts, k, &of_class);
        if (of_class >= FOLD_COUNT && count - start >= 2) {
            *out = start;
            return OG_OK;
        }
    }
    return OG_OK;
}

/* One run in place of many, of the newest version among them. */
static void join_runs(og_table__version_runs *runs, uint32_t rows)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < runs->len; i++)
        newest = runs->items[i].version > newest ? runs->items[i].version : newest;
    if (runs->len != 0)
        runs->items[0] = (og_table__version_run){0, rows, .version = newest};
    runs->len = runs->len != 0;
}

static og_status write_fold(og_lance_write *write, uint32_t start, og_error *err)
{
    OG_TRY(og_table__copy_group(write, start, write->base->fragment_count, err));
    for (size_t i = 0; i < write->folded.fragments.len; i++) {
        og_table__new_fragment *f = &write->folded.fragments.items[i];
        join_runs(&f->facts.created, f->rows); /* nothing reads it */
        if (write->options.fold_one_run)
            join_runs(&f->facts.updated, f->rows);
    }
    return OG_OK;
}

og_status og_table__fold(og_lance_write *write, og_error *err)
{
    const og_lance_write_options *o = &write->options;
    bool applies = o->op == OG_LANCE_APPEND || o->op == OG_LANCE_UPDATE;
    if (!applies || write->base->fragment_count < (o->fold_all ? 2 : FOLD_COUNT))
        return OG_OK;
    bool all_plain = true;
    for (uint32_t i = 0; i < write->base->fragment_count; i++)
        all_plain = all_plain && og_table__is_plain(write->base, i);
    if (o->fold_all && all_plain)
        return write_fold(write, 0, err);
    if (!o->fold)
        return OG_OK;
    uint32_t count = write->base->fragment_count, start = count;
    fold_facts facts = {og_calloc(count, sizeof *facts.live),
                        og_calloc(count, sizeof *facts.coverage)};
    og_status status = facts.live != NULL && facts.coverage != NULL
                           ? choose(write, &facts, &start, err)
                           : og_error_nomem(err);
    og_free(facts.live);
    og_free(facts.coverage);
    if (status == OG_OK && start != count)
        status = write_fold(write, start, err);
    return status;
}
