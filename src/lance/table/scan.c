/* A scan: live slots are collected into batches; an unbroken stretch of one fragment is read as a
 * range, anything else is taken. */
#include "lance/table/take_priv.h"

#include <assert.h>

/* A batch that has this many rows at the end of a fragment ends there: large fragments are then
 * read as ranges from their first row on, and only small ones are joined. */
#define ENOUGH_ROWS (OG_BATCH_ROWS / 2)

struct og_lance_scan {
    og_lance_table *table;
    const uint8_t *deleted;
    uint32_t next, end; /* slots */
    uint32_t fragment;  /* of `next`, about */
    uint32_t field_count;
    uint32_t *fields;
    uint32_t slots[OG_BATCH_ROWS];
};

og_status og_lance_scan_open(og_lance_table *table, const uint32_t *fields, uint32_t field_count,
                             uint32_t start, uint32_t end, og_lance_scan **out, og_error *err)
{
    const uint8_t *deleted;
    OG_TRY(og_lance_table_deleted(table, &deleted, err));
    og_lance_scan *scan = og_calloc(1, sizeof *scan);
    if (scan == NULL)
        return og_error_nomem(err);
    scan->fields = og_malloc(((size_t)field_count + 1) * sizeof *fields);
    if (scan->fields == NULL) {
        og_free(scan);
        return og_error_nomem(err);
    }
    for (uint32_t i = 0; i < field_count; i++) {
        assert(fields[i] < table->field_count);
        scan->fields[i] = fields[i];
    }
    scan->field_count = field_count;
    scan->table = og_lance_table_ref(table);
    scan->deleted = deleted;
    scan->next = start;
    scan->end = end < table->slot_count ? end : (uint32_t)table->slot_count;
    *out = scan;
    return OG_OK;
}

void og_lance_scan_close(og_lance_scan *scan)
{
    if (scan == NULL)
        return;
    og_lance_table_unref(scan->table);
    og_free(scan->fields);
    og_free(scan);
}

/* Live slots of the next batch. */
static size_t collect(og_lance_scan *scan)
{
    size_t count = 0;
    while (scan->next < scan->end && count < OG_BATCH_ROWS) {
        scan->fragment = og_table__fragment_of(scan->table, scan->next, scan->fragment);
        const og_lance_fragment *f = &scan->table->fragments[scan->fragment];
        uint32_t stop = f->first_slot + f->physical_rows;
        stop = stop < scan->end ? stop : scan->end;
        bool all_live = f->deleted_rows == 0;
        for (; scan->next < stop && count < OG_BATCH_ROWS; scan->next++)
            if (all_live || !og_bit_get(scan->deleted, scan->next))
                scan->slots[count++] = scan->next;
        if (count >= ENOUGH_ROWS)
            break;
    }
    return count;
}

static og_status read_stretch(og_lance_scan *scan, size_t count, og_batch *out, og_error *err)
{
    uint32_t fragment = og_table__fragment_of(scan->table, scan->slots[0], scan->fragment);
    uint32_t start = scan->slots[0] - scan->table->fragments[fragment].first_slot;
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, scan->field_count, (int64_t)count, err));
    for (uint32_t i = 0; i < scan->field_count; i++)
        OG_TRY(og_table__read_range(scan->table, fragment, scan->fields[i], start, (uint32_t)count,
                                    &batch.columns[i], err));
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

og_status og_lance_scan_next(og_lance_scan *scan, og_batch *out, const uint32_t **out_slots,
                             og_error *err)
{
    size_t count = collect(scan);
    *out_slots = scan->slots;
    if (count == 0) {
        *out = (og_batch){0};
        return OG_OK;
    }
    uint32_t first = scan->slots[0], last = scan->slots[count - 1];
    bool stretch =
        last - first + 1 == count && og_table__fragment_of(scan->table, first, scan->fragment) ==
                                         og_table__fragment_of(scan->table, last, scan->fragment);
    if (stretch)
        return read_stretch(scan, count, out, err);
    return og_lance_take(scan->table, scan->fields, scan->field_count, scan->slots, count, out,
                         err);
}
