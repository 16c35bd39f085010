/* graph/merge: what ours changed since the base, found from manifests and the ids of rows that
 * moved.
 *
 * A row of the base that the delta from base to ours does not name is in ours as it was, under the
 * same row id. All others are looked for by id among the rows that the delta names. So no directory
 * of the whole table is needed, and none is trusted across branches. */
#include "graph/merge_priv.h"

void og_graph__ours_deinit(og_graph__ours *mine)
{
    og_lance_delta_deinit(&mine->delta);
    og_strmap_free(mine->ids);
    og_strmap_free(mine->base_ids);
}

static og_status need_delta(og_graph__merge_table *t, og_error *err)
{
    og_graph__ours *mine = &t->mine;
    if (mine->has_delta)
        return OG_OK;
    og_lance_common common;
    OG_TRY(og_lance_common_find(t->base, t->ours, &common, err));
    OG_TRY(og_lance_delta_find(t->base, t->ours, common, &mine->delta, err));
    mine->has_delta = true;
    return OG_OK;
}

/* Put the ids of some rows into a map, each with its slot. */
static og_status map_ids(const og_type_def *def, og_lance_table *table, const uint32_t *slots,
                         size_t count, og_strmap *out, og_error *err)
{
    static const uint32_t id_column[] = {0};
    for (size_t start = 0; start < count; start += OG_BATCH_ROWS) {
        size_t n = count - start < OG_BATCH_ROWS ? count - start : OG_BATCH_ROWS;
        OG_AUTO_BATCH ids = {0};
        OG_TRY(
            og_graph__columns_read(def, table, slots + start, n, id_column, 1, false, &ids, err));
        for (size_t i = 0; i < n; i++) {
            uint64_t *place = og_strmap_put(out, og_array_str(ids.columns[0], (int64_t)i), NULL);
            if (place == NULL)
                return og_error_nomem(err);
            *place = slots[start + i];
        }
    }
    return OG_OK;
}

static og_status need_ids(og_graph__merge_table *t, og_error *err)
{
    og_graph__ours *mine = &t->mine;
    OG_TRY(need_delta(t, err));
    if (mine->has_ids)
        return OG_OK;
    if (mine->ids == NULL && (mine->ids = og_strmap_new(false)) == NULL)
        return og_error_nomem(err);
    OG_TRY(map_ids(t->def, t->ours, mine->delta.to_slots, mine->delta.to_count, mine->ids, err));
    mine->has_ids = true;
    return OG_OK;
}

static og_status need_base_ids(og_graph__merge_table *t, og_error *err)
{
    og_graph__ours *mine = &t->mine;
    OG_TRY(need_delta(t, err));
    if (mine->has_base_ids)
        return OG_OK;
    if (mine->base_ids == NULL && (mine->base_ids = og_strmap_new(false)) == NULL)
        return og_error_nomem(err);
    OG_TRY(map_ids(t->def, t->base, mine->delta.from_slots, mine->delta.from_count, mine->base_ids,
                   err));
    mine->has_base_ids = true;
    return OG_OK;
}

og_status og_graph__ours_lost_any(og_graph__merge_table *t, bool *out, og_error *err)
{
    OG_TRY(need_delta(t, err));
    *out = t->mine.delta.from_count > 0;
    if (!*out)
        return OG_OK;
    OG_TRY(need_ids(t, err));
    return need_base_ids(t, err);
}

bool og_graph__ours_lost(const og_graph__merge_table *t, og_str id)
{
    return og_strmap_get(t->mine.base_ids, id) != NULL && og_strmap_get(t->mine.ids, id) == NULL;
}

og_status og_graph__theirs_row(og_graph__merge_table *t, og_str id, og_lance_table **out_table,
                               uint32_t *out_slot, bool *out_found, og_error *err)
{
    const og_row_change *change = og_graph__merge_change_of(t, id);
    if (change != NULL) {
        *out_table = t->theirs;
        *out_slot = change->to_slot;
        *out_found = change->to_slot != OG_NO_SLOT;
        return OG_OK;
    }
    OG_TRY(need_base_ids(t, err));
    const uint64_t *slot = og_strmap_get(t->mine.base_ids, id);
    *out_found = slot != NULL;
    *out_table = t->base;
    *out_slot = slot != NULL ? (uint32_t)*slot : OG_NO_SLOT;
    return OG_OK;
}

og_status og_graph__ours_changed(og_graph__merge_table *t, const uint32_t **out_slots,
                                 size_t *out_count, og_error *err)
{
    OG_TRY(need_delta(t, err));
    *out_slots = t->mine.delta.to_slots;
    *out_count = t->mine.delta.to_count;
    return OG_OK;
}

/* ---- rows of theirs' changes -------------------------------------------------------------- */

static bool contains(const uint32_t *slots, size_t count, uint32_t slot)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (slots[middle] < slot)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && slots[low] == slot;
}

/* The slots of rows that are as in the base, by row id. */
static og_status find_same(og_graph__merge_table *t, const og_row_change *changes, size_t count,
                           uint32_t *out_slots, const bool *same, og_error *err)
{
    OG_AUTO_FREE uint32_t *base_slots = og_calloc(count, sizeof *base_slots);
    OG_AUTO_FREE uint64_t *row_ids = og_calloc(count, sizeof *row_ids);
    OG_AUTO_FREE uint32_t *found = og_calloc(count, sizeof *found);
    if (base_slots == NULL || row_ids == NULL || found == NULL)
        return og_error_nomem(err);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (same[i])
            base_slots[n++] = changes[i].from_slot;
    if (n == 0)
        return OG_OK;
    OG_TRY(og_lance_row_ids(t->base, base_slots, n, row_ids, err));
    OG_TRY(og_lance_slots_of(t->ours, row_ids, n, found, err));
    n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!same[i])
            continue;
        out_slots[i] = found[n++];
        if (out_slots[i] == OG_NO_SLOT)
            return og_error_set(err, OG_CORRUPT, "%s has no row with the row id of '%.*s'",
                                og_lance_table_path(t->ours), OG_FMT(changes[i].id));
    }
    return OG_OK;
}

/* Row ids that are given twice would lead to another row: look at the ids before anything is
 * replaced by them. */
static og_status check_ids(og_graph__merge_table *t, const og_row_change *changes, size_t count,
                           const uint32_t *slots, const bool *same, og_error *err)
{
    static const uint32_t id_column[] = {0};
    OG_AUTO_FREE uint32_t *some = og_calloc(count, sizeof *some);
    OG_AUTO_BATCH ids = {0};
    size_t n = 0;
    if (some == NULL)
        return og_error_nomem(err);
    for (size_t i = 0; i < count; i++)
        if (same[i])
            some[n++] = slots[i];
    if (n == 0)
        return OG_OK;
    OG_TRY(og_graph__columns_read(t->def, t->ours, some, n, id_column, 1, false, &ids, err));
    n = 0;
    for (size_t i = 0; i < count; i++)
        if (same[i] && !og_str_eq(og_array_str(ids.columns[0], (int64_t)n++), changes[i].id))
            return og_error_set(err, OG_CORRUPT, "%s has two rows with the row id of '%.*s'",
                                og_lance_table_path(t->ours), OG_FMT(changes[i].id));
    return OG_OK;
}

/* A foreign writer may have stored an id twice: one row of ours answers for one change, not for
 * two. */
static uint32_t slot_by_id(og_graph__ours *mine, og_str id)
{
    const uint64_t *slot = og_strmap_get(mine->ids, id);
    if (slot == NULL || (mine->last_id.ptr != NULL && og_str_eq(mine->last_id, id)))
        return OG_NO_SLOT;
    mine->last_id = id;
    return (uint32_t)*slot;
}

og_status og_graph__ours_find(og_graph__merge_table *t, const og_row_change *changes, size_t count,
                              uint32_t *out_slots, bool *out_same, og_error *err)
{
    OG_TRY(need_delta(t, err));
    const og_lance_delta *delta = &t->mine.delta;
    bool all_same = true;
    for (size_t i = 0; i < count; i++) {
        uint32_t base = changes[i].from_slot;
        out_same[i] = base != OG_NO_SLOT && !contains(delta->from_slots, delta->from_count, base);
        all_same &= out_same[i];
    }
    if (!all_same)
        OG_TRY(need_ids(t, err));
    for (size_t i = 0; i < count; i++)
        out_slots[i] = out_same[i] ? OG_NO_SLOT : slot_by_id(&t->mine, changes[i].id);
    OG_TRY(find_same(t, changes, count, out_slots, out_same, err));
    return check_ids(t, changes, count, out_slots, out_same, err);
}
