/* A scan: live slots are collected into batches; an unbroken stretch of one fragment is read as a
 * range, anything else is taken. With a pool several batches are read at a time, each column of
 * each by itself: columns and fragments are decoded in parallel, and the order of rows stays. */
#include "base/thread.h"
#include "lance/table/take_priv.h"

#include <assert.h>

/* A batch that has this many rows at the end of a fragment ends there: large fragments are then
 * read as ranges from their first row on, and only small ones are joined. */
#define ENOUGH_ROWS (OG_BATCH_ROWS / 2)

/* Batches read ahead for each thread of a pool: enough that none waits long for the slowest. */
#define AHEAD 4

/* A batch on its way: its slots, and its columns once they are read. */
typedef struct piece {
    og_batch batch;
    size_t count;
    uint32_t fragment; /* of all slots, when they are one stretch of it */
    bool is_stretch;
    uint32_t slots[OG_BATCH_ROWS];
} piece;

struct og_lance_scan {
    og_lance_table *table;
    const uint8_t *deleted;
    og_pool *pool;
    uint32_t next, end; /* slots */
    uint32_t fragment;  /* of `next`, about */
    uint32_t field_count;
    uint32_t *fields;
    piece *pieces; /* read together; [handed, filled) are still to be handed out */
    size_t capacity, filled, handed;
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
    scan->pieces = og_malloc(sizeof *scan->pieces);
    if (scan->fields == NULL || scan->pieces == NULL) {
        og_free(scan->fields);
        og_free(scan->pieces);
        og_free(scan);
        return og_error_nomem(err);
    }
    for (uint32_t i = 0; i < field_count; i++) {
        assert(fields[i] < table->field_count);
        scan->fields[i] = fields[i];
    }
    scan->field_count = field_count;
    scan->capacity = 1;
    scan->table = og_lance_table_ref(table);
    scan->deleted = deleted;
    scan->next = start;
    scan->end = end < table->slot_count ? end : (uint32_t)table->slot_count;
    if (scan->next < scan->end)
        og_table__expect_files(table, og_table__fragment_of(table, start, 0),
                               og_table__fragment_of(table, scan->end - 1, 0) + 1);
    *out = scan;
    return OG_OK;
}

void og_lance_scan_use(og_lance_scan *scan, og_pool *pool)
{
    size_t wanted = og_pool_threads(pool) < 2 ? 1 : (size_t)og_pool_threads(pool) * AHEAD;
    assert(scan->filled == 0);
    piece *pieces = wanted != 1 ? og_reallocarray(scan->pieces, wanted, sizeof *pieces) : NULL;
    if (pieces == NULL)
        return; /* a scan without help gives the same rows */
    scan->pieces = pieces;
    scan->capacity = wanted;
    scan->pool = pool;
}

static void drop_pieces(og_lance_scan *scan)
{
    for (size_t i = scan->handed; i < scan->filled; i++)
        og_batch_deinit(&scan->pieces[i].batch);
    scan->filled = scan->handed = 0;
}

void og_lance_scan_close(og_lance_scan *scan)
{
    if (scan == NULL)
        return;
    drop_pieces(scan);
    og_lance_table_unref(scan->table);
    og_free(scan->fields);
    og_free(scan->pieces);
    og_free(scan);
}

/* Slots below `stop`, all of which live, as far as there is room. */
static void collect_all(og_lance_scan *scan, uint32_t stop, piece *p)
{
    size_t room = OG_BATCH_ROWS - p->count, n = stop - scan->next < room ? stop - scan->next : room;
    for (size_t i = 0; i < n; i++)
        p->slots[p->count + i] = scan->next + (uint32_t)i;
    p->count += n;
    scan->next += (uint32_t)n;
}

/* Live slots of the next batch; none at the end. */
static void collect(og_lance_scan *scan, piece *p)
{
    p->count = 0;
    while (scan->next < scan->end && p->count < OG_BATCH_ROWS) {
        scan->fragment = og_table__fragment_of(scan->table, scan->next, scan->fragment);
        const og_lance_fragment *f = &scan->table->fragments[scan->fragment];
        uint32_t stop = f->first_slot + f->physical_rows;
        stop = stop < scan->end ? stop : scan->end;
        if (f->deleted_rows == 0)
            collect_all(scan, stop, p);
        for (; scan->next < stop && p->count < OG_BATCH_ROWS; scan->next++)
            if (!og_bit_get(scan->deleted, scan->next))
                p->slots[p->count++] = scan->next;
        if (p->count >= ENOUGH_ROWS)
            break;
    }
    if (p->count == 0)
        return;
    uint32_t first = p->slots[0], last = p->slots[p->count - 1];
    p->fragment = og_table__fragment_of(scan->table, first, scan->fragment);
    p->is_stretch = last - first + 1 == p->count &&
                    og_table__fragment_of(scan->table, last, scan->fragment) == p->fragment;
}

static og_status read_column(og_lance_scan *scan, piece *p, uint32_t column, og_error *err)
{
    if (p->is_stretch) {
        uint32_t start = p->slots[0] - scan->table->fragments[p->fragment].first_slot;
        return og_table__read_range(scan->table, p->fragment, scan->fields[column], start,
                                    (uint32_t)p->count, &p->batch.columns[column], err);
    }
    OG_AUTO_BATCH one = {0};
    OG_TRY(og_lance_take(scan->table, &scan->fields[column], 1, p->slots, p->count, &one, err));
    p->batch.columns[column] = OG_TAKE(one.columns[0]);
    return OG_OK;
}

/* Turn of a pool: column `index % field_count` of piece `index / field_count`. */
static og_status read_turn(void *context, size_t index, og_error *err)
{
    og_lance_scan *scan = context;
    return read_column(scan, &scan->pieces[index / scan->field_count],
                       (uint32_t)(index % scan->field_count), err);
}

/* While the first column is waited for, the disk fetches the others. */
static void read_ahead(const og_lance_scan *scan, const piece *p)
{
    if (p->is_stretch)
        og_table__read_ahead(scan->table, p->fragment, scan->fields, scan->field_count,
                             p->slots[0] - scan->table->fragments[p->fragment].first_slot,
                             (uint32_t)p->count);
}

/* Read the next pieces, as many as there is room for; none at the end. */
static og_status refill(og_lance_scan *scan, og_error *err)
{
    bool is_first = scan->handed == 0;
    drop_pieces(scan);
    while (scan->filled < scan->capacity) {
        piece *p = &scan->pieces[scan->filled];
        collect(scan, p);
        if (p->count == 0)
            break;
        OG_TRY(og_batch_init(&p->batch, scan->field_count, (int64_t)p->count, err));
        scan->filled++;
    }
    if (is_first && scan->filled > 0 && scan->field_count > 1)
        read_ahead(scan, &scan->pieces[0]);
    og_status status =
        og_pool_run(scan->pool, scan->filled * scan->field_count, read_turn, scan, err);
    if (status != OG_OK)
        drop_pieces(scan);
    return status;
}

og_status og_lance_scan_next(og_lance_scan *scan, og_batch *out, const uint32_t **out_slots,
                             og_error *err)
{
    if (scan->handed == scan->filled)
        OG_TRY(refill(scan, err));
    *out = (og_batch){0};
    *out_slots = scan->pieces[0].slots;
    if (scan->filled == 0)
        return OG_OK;
    piece *p = &scan->pieces[scan->handed++];
    *out = p->batch;
    *out_slots = p->slots;
    return OG_OK;
}
