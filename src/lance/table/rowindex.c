/* Row ids to slots and back.
 *
 * By slot: the runs, found by binary search with the last run as first guess. By id, one of
 *   - the runs again in order of their ids, when they are few and no id occurs twice;
 *   - all runs one after the other, for the first few ids that are asked for;
 *   - an array of slots by id, when ids are dense enough;
 *   - a hash map, for what is left (damaged or very old tables).
 * An id may occur twice: in a row that was updated, deleted in its old fragment and alive in a
 * newer one. The array and the map hold live rows only. */
#include "base/map.h"
#include "lance/table/table_priv.h"

#include <stdlib.h>

#define MAX_SORTED_RUNS 64
/* An array is made up to this many ids per slot. */
#define MAX_SPARSENESS 16
#define FREE_IDS (1u << 20) /* however few slots */

void og_table__row_index_free(og_table__row_index *index)
{
    if (index == NULL)
        return;
    og_vec_deinit(&index->runs);
    og_free(index->by_id);
    og_free(index->slot_of_id);
    og_u64map_free(index->slot_map);
    og_free(index);
}

static int by_first_id(const void *a, const void *b)
{
    uint64_t x = ((const og_table__id_run *)a)->first_id;
    uint64_t y = ((const og_table__id_run *)b)->first_id;
    return (x > y) - (x < y);
}

/* Sorted copy of the runs; left out when two of them overlap. */
static bool sort_runs(og_table__row_index *index)
{
    size_t count = index->runs.len;
    og_table__id_run *sorted = og_malloc((count + 1) * sizeof *sorted);
    if (sorted == NULL)
        return false;
    if (count != 0)
        memcpy(sorted, index->runs.items, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_first_id);
    for (size_t i = 1; i < count; i++)
        if (sorted[i].first_id - sorted[i - 1].first_id < sorted[i - 1].count) {
            og_free(sorted);
            return true;
        }
    index->by_id = sorted;
    return true;
}

static uint64_t end_of_ids(const og_table__row_index *index)
{
    uint64_t end = 0;
    for (size_t i = 0; i < index->runs.len; i++) {
        const og_table__id_run *run = &index->runs.items[i];
        uint64_t run_end = run->first_id + run->count;
        end = run_end > end ? run_end : end;
    }
    return end;
}

static bool fill_array(og_table__row_index *index, uint64_t id_limit, const uint8_t *deleted)
{
    index->slot_of_id = og_malloc((size_t)id_limit * sizeof(uint32_t));
    if (index->slot_of_id == NULL)
        return false;
    index->id_limit = id_limit;
    memset(index->slot_of_id, 0xFF, (size_t)id_limit * sizeof(uint32_t));
    for (size_t i = 0; i < index->runs.len; i++) {
        const og_table__id_run *run = &index->runs.items[i];
        for (uint32_t k = 0; k < run->count; k++)
            if (deleted == NULL || !og_bit_get(deleted, run->first_slot + k))
                index->slot_of_id[run->first_id + k] = run->first_slot + k;
    }
    return true;
}

static bool fill_map(og_table__row_index *index, size_t rows, const uint8_t *deleted)
{
    index->slot_map = og_u64map_new(rows);
    if (index->slot_map == NULL)
        return false;
    for (size_t i = 0; i < index->runs.len; i++) {
        const og_table__id_run *run = &index->runs.items[i];
        for (uint32_t k = 0; k < run->count; k++) {
            if (deleted != NULL && og_bit_get(deleted, run->first_slot + k))
                continue;
            uint64_t *slot = og_u64map_put(index->slot_map, run->first_id + k, NULL);
            if (slot == NULL)
                return false;
            *slot = run->first_slot + k;
        }
    }
    return true;
}

static og_status read_runs(const og_lance_table *table, og_table__id_runs *runs, og_error *err)
{
    for (uint32_t i = 0; i < table->fragment_count; i++) {
        const og_lance_fragment *f = &table->fragments[i];
        const OgPb__DataFragment *m = table->parts[i].message;
        og_status status = og_table__row_ids_decode(og_table__bytes(m->inline_row_ids),
                                                    f->first_slot, f->physical_rows, runs, err);
        if (status != OG_OK)
            return og_error_context(err, status, "%s version %llu, fragment %llu", table->path,
                                    (unsigned long long)table->manifest->version,
                                    (unsigned long long)f->id);
    }
    return OG_OK;
}

static og_status build(const og_lance_table *table, og_table__row_index *index, og_error *err)
{
    OG_TRY(read_runs(table, &index->runs, err));
    bool ok = index->runs.len > MAX_SORTED_RUNS || sort_runs(index);
    return ok ? OG_OK : og_error_nomem(err);
}

static og_status get_index(og_lance_table *table, og_table__row_index **out, og_error *err)
{
    *out = atomic_load_explicit(&table->row_index, memory_order_acquire);
    if (*out != NULL)
        return OG_OK;
    pthread_mutex_lock(&table->lock);
    og_status status = OG_OK;
    og_table__row_index *index = atomic_load(&table->row_index);
    if (index == NULL) {
        index = og_calloc(1, sizeof *index);
        status = index != NULL ? build(table, index, err) : og_error_nomem(err);
        if (status == OG_OK) {
            atomic_store_explicit(&table->row_index, index, memory_order_release);
        } else {
            og_table__row_index_free(index);
            index = NULL;
        }
    }
    pthread_mutex_unlock(&table->lock);
    *out = index;
    return status;
}

og_status og_lance_row_ids(og_lance_table *table, const uint32_t *slots, size_t count,
                           uint64_t *out_ids, og_error *err)
{
    og_table__row_index *index;
    OG_TRY(get_index(table, &index, err));
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (slots[i] >= table->slot_count)
            return og_error_set(err, OG_INVALID, "no slot %u", slots[i]);
        at = og_table__run_of(index->runs.items, index->runs.len, slots[i], at);
        const og_table__id_run *run = &index->runs.items[at];
        out_ids[i] = run->first_id + (slots[i] - run->first_slot);
    }
    return OG_OK;
}

og_status og_lance_ids_ascend(og_lance_table *table, bool *out, og_error *err)
{
    og_table__row_index *index;
    OG_TRY(get_index(table, &index, err));
    *out = !table->ids_are_slots;
    for (size_t i = 1; i < index->runs.len; i++) {
        const og_table__id_run *before = &index->runs.items[i - 1], *run = &index->runs.items[i];
        *out &=
            run->first_id > before->first_id && run->first_id - before->first_id >= before->count;
    }
    return OG_OK;
}

og_status og_lance_slots_below(og_lance_table *table, uint64_t row_id, uint32_t *out, og_error *err)
{
    og_table__row_index *index;
    OG_TRY(get_index(table, &index, err));
    *out = 0;
    for (size_t i = 0; i < index->runs.len; i++) {
        const og_table__id_run *run = &index->runs.items[i];
        uint64_t below = row_id > run->first_id ? row_id - run->first_id : 0;
        *out += below < run->count ? (uint32_t)below : run->count;
    }
    return OG_OK;
}

/* The run that may hold the id: the last one that begins at or below it. `count` > 0. */
static const og_table__id_run *run_of_id(const og_table__id_run *runs, size_t count, uint64_t id)
{
    size_t low = 0, high = count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (runs[middle].first_id <= id)
            low = middle;
        else
            high = middle;
    }
    return &runs[low];
}

static void slots_by_runs(const og_table__row_index *index, const uint8_t *deleted,
                          const uint64_t *ids, size_t count, uint32_t *out)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = UINT32_MAX;
        if (index->runs.len == 0)
            continue;
        const og_table__id_run *run = run_of_id(index->by_id, index->runs.len, ids[i]);
        if (ids[i] < run->first_id || ids[i] - run->first_id >= run->count)
            continue;
        uint32_t slot = run->first_slot + (uint32_t)(ids[i] - run->first_id);
        if (deleted == NULL || !og_bit_get(deleted, slot))
            out[i] = slot;
    }
}

static uint32_t slot_in_runs(const og_table__id_runs *runs, const uint8_t *deleted, uint64_t id)
{
    for (size_t i = 0; i < runs->len; i++) {
        const og_table__id_run *run = &runs->items[i];
        if (id < run->first_id || id - run->first_id >= run->count)
            continue;
        uint32_t slot = run->first_slot + (uint32_t)(id - run->first_id);
        if (deleted == NULL || !og_bit_get(deleted, slot))
            return slot;
    }
    return UINT32_MAX;
}

/* A table of the size of all rows would be made for a few ids only: as long as looking through the
 * runs has not cost as much altogether, that is done. */
static bool are_few(const og_lance_table *table, og_table__row_index *index, size_t count)
{
    uint64_t cost = (uint64_t)count * index->runs.len;
    uint64_t before = atomic_fetch_add_explicit(&index->runs_looked_at, cost, memory_order_relaxed);
    return before < table->slot_count && cost <= table->slot_count - before;
}

static og_status need_slots(og_lance_table *table, og_table__row_index *index,
                            const uint8_t *deleted, og_error *err)
{
    if (atomic_load_explicit(&index->has_slots, memory_order_acquire))
        return OG_OK;
    pthread_mutex_lock(&table->lock);
    bool ok = true;
    if (!atomic_load(&index->has_slots)) {
        uint64_t id_limit = end_of_ids(index);
        bool dense = id_limit <= table->slot_count * MAX_SPARSENESS + FREE_IDS;
        ok = dense ? fill_array(index, id_limit, deleted)
                   : fill_map(index, (size_t)table->slot_count, deleted);
        if (!ok) { /* half a map says nothing */
            og_u64map_free(index->slot_map);
            index->slot_map = NULL;
        }
        atomic_store_explicit(&index->has_slots, ok, memory_order_release);
    }
    pthread_mutex_unlock(&table->lock);
    return ok ? OG_OK : og_error_nomem(err);
}

og_status og_lance_slots_of(og_lance_table *table, const uint64_t *row_ids, size_t count,
                            uint32_t *out_slots, og_error *err)
{
    og_table__row_index *index;
    const uint8_t *deleted;
    OG_TRY(get_index(table, &index, err));
    OG_TRY(og_lance_table_deleted(table, &deleted, err));
    if (index->by_id != NULL) {
        slots_by_runs(index, deleted, row_ids, count, out_slots);
        return OG_OK;
    }
    bool has_slots = atomic_load_explicit(&index->has_slots, memory_order_acquire);
    if (!has_slots && are_few(table, index, count)) {
        for (size_t i = 0; i < count; i++)
            out_slots[i] = slot_in_runs(&index->runs, deleted, row_ids[i]);
        return OG_OK;
    }
    OG_TRY(need_slots(table, index, deleted, err));
    for (size_t i = 0; i < count; i++) {
        const uint64_t *slot =
            index->slot_map != NULL ? og_u64map_get(index->slot_map, row_ids[i]) : NULL;
        if (slot != NULL)
            out_slots[i] = (uint32_t)*slot;
        else
            out_slots[i] = index->slot_map == NULL && row_ids[i] < index->id_limit
                               ? index->slot_of_id[row_ids[i]]
                               : UINT32_MAX;
    }
    return OG_OK;
}
