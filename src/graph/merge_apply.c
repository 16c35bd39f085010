/* graph/merge: a table's rows on their way into the transaction. */
#include "graph/merge_priv.h"

/* Payloads of blobs are in memory while their rows are written. */
#define ROWS_WITH_BLOBS 256

static size_t rows_at_once(const og_graph__merge_table *t)
{
    uint32_t count;
    const og_lance_field *fields = og_lance_table_fields(t->theirs, &count);
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].is_blob)
            return ROWS_WITH_BLOBS;
    return OG_BATCH_ROWS;
}

/* Row ids of what is replaced, so that the rows keep them; UINT64_MAX for new ones. */
static og_status kept_row_ids(const og_graph__merge_table *t, const og_graph__taken *rows,
                              size_t count, uint64_t *out, og_error *err)
{
    OG_AUTO_FREE uint32_t *slots = og_calloc(count, sizeof *slots);
    size_t kept = 0;
    if (slots == NULL)
        return og_error_nomem(err);
    while (kept < count && rows[kept].ours != OG_NO_SLOT) {
        slots[kept] = rows[kept].ours;
        kept++;
    }
    for (size_t i = kept; i < count; i++)
        out[i] = UINT64_MAX;
    return kept > 0 ? og_lance_row_ids(t->ours, slots, kept, out, err) : OG_OK;
}

static og_status write_part(const og_graph__merge_table *t, og_lance_write *write, size_t start,
                            size_t count, og_error *err)
{
    OG_AUTO_FREE uint64_t *row_ids = og_calloc(count, sizeof *row_ids);
    if (row_ids == NULL)
        return og_error_nomem(err);
    OG_AUTO_BATCH rows = {0};
    OG_TRY(kept_row_ids(t, t->taken.items + start, count, row_ids, err));
    OG_TRY(og_graph__taken_read(t, start, count, NULL, 0, true, &rows, err));
    return og_lance_write_rows(write, &rows, row_ids, err);
}

static og_status delete_slots(const og_graph__merge_table *t, og_lance_write *write, og_error *err)
{
    OG_AUTO_FREE uint32_t *slots = og_calloc(t->gone.len + t->taken.len, sizeof *slots);
    size_t count = 0;
    if (slots == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < t->gone.len; i++)
        slots[count++] = t->gone.items[i].ours;
    for (size_t i = 0; i < t->taken.len && t->taken.items[i].ours != OG_NO_SLOT; i++)
        slots[count++] = t->taken.items[i].ours;
    return count > 0 ? og_lance_write_delete(write, slots, count, err) : OG_OK;
}

static og_lance_op operation(const og_graph__merge_table *t)
{
    if (t->taken.len == 0)
        return OG_LANCE_DELETE;
    bool only_new = t->gone.len == 0 && t->taken.items[0].ours == OG_NO_SLOT;
    return only_new ? OG_LANCE_APPEND : OG_LANCE_UPDATE;
}

og_status og_graph__merge_apply(og_graph__merge *m, og_graph__merge_table *t, og_error *err)
{
    if (t->taken.len + t->gone.len == 0)
        return OG_OK;
    og_lance_write *write;
    OG_TRY(og_txn_write(m->txn, t->def, operation(t), &write, err));
    OG_TRY(delete_slots(t, write, err));
    size_t part = rows_at_once(t);
    for (size_t start = 0; start < t->taken.len; start += part) {
        OG_TRY(og_graph__merge_check_stop(m, err));
        size_t count = t->taken.len - start < part ? t->taken.len - start : part;
        OG_TRY(write_part(t, write, start, count, err));
    }
    return OG_OK;
}
