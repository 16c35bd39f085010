/* A segment against the rows it covers. Entries and rows are summed up by a hash of row id and
 * value, so nothing is kept of either, and it does not matter in which order they come. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "columnar/kernels.h"
#include "lance/index/btree_priv.h"

/* What live rows of covered fragments come to. */
typedef struct total {
    uint64_t count, sum;
} total;

typedef struct check {
    og_lance_table *table;
    const og_lance_index *index;
    og_lance_btree *btree;
    og_lance_problem_fn tell;
    void *context;
} check;

static void add(total *t, const og_array *values, int64_t row, uint64_t row_id)
{
    t->count++;
    t->sum += og_hash_row(values, row, row_id);
}

OG_PRINTF(2, 3) static void tell(const check *c, const char *fmt, ...)
{
    og_error problem = {.status = OG_CORRUPT};
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(problem.message, sizeof problem.message, fmt, ap);
    va_end(ap);
    c->tell(c->context, &problem);
}

/* ---- rows --------------------------------------------------------------------------------- */

static og_status add_batch(const check *c, const og_batch *batch, const uint32_t *slots,
                           uint64_t *ids, total *out, og_error *err)
{
    OG_TRY(og_lance_row_ids(c->table, slots, (size_t)batch->row_count, ids, err));
    for (int64_t row = 0; row < batch->row_count; row++)
        add(out, batch->columns[0], row, ids[row]);
    return OG_OK;
}

static og_status sum_fragment(const check *c, const og_lance_fragment *f, uint32_t field,
                              total *out, og_error *err)
{
    OG_AUTO(og_lance_scan) scan = NULL;
    OG_AUTO_FREE uint64_t *ids = og_reallocarray(NULL, OG_BATCH_ROWS, sizeof *ids);
    if (ids == NULL)
        return og_error_nomem(err);
    OG_TRY(og_lance_scan_open(c->table, &field, 1, f->first_slot, f->first_slot + f->physical_rows,
                              &scan, err));
    for (;;) {
        OG_AUTO_BATCH batch = {0};
        const uint32_t *slots;
        OG_TRY(og_lance_scan_next(scan, &batch, &slots, err));
        if (batch.row_count == 0)
            return OG_OK;
        OG_TRY(add_batch(c, &batch, slots, ids, out, err));
    }
}

static og_status sum_rows(const check *c, total *out, og_error *err)
{
    uint32_t count, field_count, field = 0;
    const og_lance_fragment *fragments = og_lance_table_fragments(c->table, &count);
    const og_lance_field *fields = og_lance_table_fields(c->table, &field_count);
    while (fields[field].id != c->index->field_ids[0]) /* which opening has found */
        field++;
    for (uint32_t i = 0; i < count; i++)
        if (og_lance_index_covers(c->index, fragments[i].id))
            OG_TRY(sum_fragment(c, &fragments[i], field, out, err));
    return OG_OK;
}

/* ---- entries ------------------------------------------------------------------------------ */

static og_status sum_page(const check *c, const og_array *values, const og_array *ids, total *out,
                          og_error *err)
{
    size_t count = (size_t)ids->length;
    OG_AUTO_FREE uint32_t *slots = og_reallocarray(NULL, count + 1, sizeof *slots);
    OG_AUTO_FREE uint64_t *row_ids = og_reallocarray(NULL, count + 1, sizeof *row_ids);
    if (slots == NULL || row_ids == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        row_ids[i] = og_array_u64(ids, (int64_t)i);
    OG_TRY(og_lance_slots_of(c->table, row_ids, count, slots, err));
    for (size_t i = 0; i < count; i++)
        if (slots[i] != UINT32_MAX && og_index__is_covered(c->table, c->index, slots[i]))
            add(out, values, (int64_t)i, row_ids[i]);
    return OG_OK;
}

static bool is_ordered(const og_array *before, const og_array *values)
{
    bool ordered = before == NULL || before->length == 0 || values->length == 0 ||
                   og_compare_rows(before, before->length - 1, values, 0) <= 0;
    for (int64_t i = 1; i < values->length && ordered; i++)
        ordered = og_compare_rows(values, i - 1, values, i) <= 0;
    return ordered;
}

/* The row of the lookup that speaks of a page, -1 when none does;
 * nearly always that of its number. */
static int64_t lookup_row(const og_lance_btree *b, uint64_t page)
{
    if (page < (uint64_t)b->numbers->length && og_array_u32(b->numbers, (int64_t)page) == page)
        return (int64_t)page;
    for (int64_t i = 0; i < b->numbers->length; i++)
        if (og_array_u32(b->numbers, i) == page)
            return i;
    return -1;
}

/* Where a lookup goes for a value is told by min and max of the pages. */
static bool has_bounds(const og_lance_btree *b, uint64_t page, const og_array *values)
{
    int64_t i = lookup_row(b, page);
    return i >= 0 && og_rows_equal(b->min, i, values, 0) &&
           og_rows_equal(b->max, i, values, values->length - 1);
}

static og_status sum_entries(const check *c, total *out, og_error *err)
{
    const og_lance_btree *b = c->btree;
    uint64_t rows = og_lance_file_rows(b->data);
    OG_AUTO(og_array) before = NULL;
    for (uint64_t start = 0; start < rows; start += b->page_rows) {
        uint64_t count = rows - start < b->page_rows ? rows - start : b->page_rows;
        OG_AUTO(og_array) values = NULL;
        OG_AUTO(og_array) ids = NULL;
        OG_TRY(og_index__read_column(b->data, 0, &b->type, start, count, &values, err));
        OG_TRY(og_index__read_column(b->data, 1, og_type_of(OG_TYPE_U64), start, count, &ids, err));
        if (!is_ordered(before, values))
            tell(c, "index %.*s is not in the order of its values", OG_FMT(c->index->name));
        if (!has_bounds(b, start / b->page_rows, values))
            tell(c, "index %.*s: page %" PRIu64 " has other bounds than its values",
                 OG_FMT(c->index->name), start / b->page_rows);
        OG_TRY(sum_page(c, values, ids, out, err));
        og_array_unref(before);
        before = OG_TAKE(values);
    }
    return OG_OK;
}

/* ---- all ---------------------------------------------------------------------------------- */

og_status og_lance_btree_check(og_lance_table *table, const og_lance_index *index,
                               og_lance_problem_fn tell_problem, void *context, og_error *err)
{
    OG_AUTO(og_lance_btree) btree = NULL;
    total rows = {0}, entries = {0};
    OG_TRY(og_lance_btree_open(table, index, &btree, err));
    const check c = {table, index, btree, tell_problem, context};
    OG_TRY(sum_entries(&c, &entries, err));
    OG_TRY(sum_rows(&c, &rows, err));
    if (entries.count != rows.count)
        tell(&c, "index %.*s has %" PRIu64 " entries of the %" PRIu64 " rows that it covers",
             OG_FMT(index->name), entries.count, rows.count);
    else if (entries.sum != rows.sum)
        tell(&c, "index %.*s has other values than the rows that it covers", OG_FMT(index->name));
    return OG_OK;
}
