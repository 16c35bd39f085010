/* A scan of one field as values and codes.
 *
 * Rows are read stretch by stretch, deleted ones too, and those are dropped from the batch: a
 * stretch ends with its page, its fragment or a full batch. */
#include "base/vec.h"
#include "lance/table/take_priv.h"

#include <assert.h>

struct og_lance_code_scan {
    og_lance_table *table;
    const uint8_t *deleted;
    uint32_t field;
    uint32_t next, end; /* slots */
    uint32_t fragment;  /* of `next`, about */
    og_array *values;
    uint64_t values_id;
    uint32_t coded_fragment, coded_page; /* whose dictionary `values` are */
    bool is_coded;
    uint32_t codes[OG_BATCH_ROWS];
    uint32_t slots[OG_BATCH_ROWS];
};

og_status og_lance_code_scan_open(og_lance_table *table, uint32_t field, uint32_t start,
                                  og_lance_code_scan **out, og_error *err)
{
    const uint8_t *deleted;
    assert(field < table->field_count);
    OG_TRY(og_lance_table_deleted(table, &deleted, err));
    og_lance_code_scan *scan = og_calloc(1, sizeof *scan);
    if (scan == NULL)
        return og_error_nomem(err);
    scan->table = og_lance_table_ref(table);
    scan->deleted = deleted;
    scan->field = field;
    scan->next = start;
    scan->end = (uint32_t)table->slot_count;
    *out = scan;
    return OG_OK;
}

void og_lance_code_scan_skip(og_lance_code_scan *scan, uint32_t slot)
{
    if (slot > scan->next)
        scan->next = slot;
}

void og_lance_code_scan_close(og_lance_code_scan *scan)
{
    if (scan == NULL)
        return;
    og_array_unref(scan->values);
    og_lance_table_unref(scan->table);
    og_free(scan);
}

static void set_values(og_lance_code_scan *scan, og_array *values)
{
    og_array_unref(scan->values);
    scan->values = values;
    scan->values_id++;
}

/* Rows of one fragment from `start` on: their codes, and the values when these are new. */
static og_status read_stretch(og_lance_code_scan *scan, uint32_t start, uint32_t count,
                              uint32_t *out_count, og_error *err)
{
    og_lance_coded coded;
    OG_TRY(og_table__read_codes(scan->table, scan->fragment, scan->field, start, count, scan->codes,
                                &coded, err));
    *out_count = coded.count;
    if (coded.count > 0) {
        bool is_same = scan->is_coded && !coded.of_rows && scan->coded_fragment == scan->fragment &&
                       scan->coded_page == coded.page;
        if (is_same)
            og_array_unref(coded.values);
        else
            set_values(scan, coded.values);
        scan->is_coded = true;
        scan->coded_fragment = scan->fragment;
        scan->coded_page = coded.page;
        return OG_OK;
    }
    og_array *rows;
    OG_TRY(
        og_table__read_range(scan->table, scan->fragment, scan->field, start, count, &rows, err));
    set_values(scan, rows);
    scan->is_coded = false;
    *out_count = count;
    for (uint32_t i = 0; i < count; i++)
        scan->codes[i] = i;
    return OG_OK;
}

/* The next stretch, deleted rows and all; its first slot. False at the end. */
static og_status next_stretch(og_lance_code_scan *scan, uint32_t *out_first, uint32_t *out_count,
                              bool *out_all_live, og_error *err)
{
    *out_count = 0;
    if (scan->next >= scan->end)
        return OG_OK;
    scan->fragment = og_table__fragment_of(scan->table, scan->next, scan->fragment);
    const og_lance_fragment *f = &scan->table->fragments[scan->fragment];
    uint32_t start = scan->next - f->first_slot, count = f->physical_rows - start;
    OG_TRY(
        read_stretch(scan, start, count < OG_BATCH_ROWS ? count : OG_BATCH_ROWS, out_count, err));
    *out_first = scan->next;
    *out_all_live = f->deleted_rows == 0;
    scan->next += *out_count;
    return OG_OK;
}

static uint32_t keep_live(og_lance_code_scan *scan, uint32_t first, uint32_t count, bool all_live)
{
    uint32_t kept = 0;
    if (all_live) {
        for (uint32_t i = 0; i < count; i++)
            scan->slots[i] = first + i;
        return count;
    }
    for (uint32_t i = 0; i < count; i++) {
        scan->codes[kept] = scan->codes[i];
        scan->slots[kept] = first + i;
        kept += !og_bit_get(scan->deleted, first + i);
    }
    return kept;
}

og_status og_lance_code_scan_next(og_lance_code_scan *scan, og_lance_codes *out, og_error *err)
{
    *out = (og_lance_codes){0};
    uint32_t first, count;
    bool all_live;
    do {
        OG_TRY(next_stretch(scan, &first, &count, &all_live, err));
        out->row_count = count > 0 ? keep_live(scan, first, count, all_live) : 0;
    } while (count > 0 && out->row_count == 0);
    out->values = scan->values;
    out->values_id = scan->values_id;
    out->codes = scan->codes;
    out->slots = scan->slots;
    return OG_OK;
}

/* ---- finding ------------------------------------------------------------------------------ */

typedef OG_VEC(uint32_t) slot_list;

/* What is known of the values at hand. */
typedef struct verdict {
    og_lance_test test;
    void *context;
    og_mask mask;
    uint64_t values_id;
    OG_VEC(uint8_t) passes; /* by value */
} verdict;

static og_status judge(verdict *v, const og_lance_code_scan *scan, og_error *err)
{
    if (v->values_id == scan->values_id)
        return OG_OK;
    size_t count = (size_t)scan->values->length;
    v->passes.len = 0;
    if (!og_vec_reserve(&v->passes, count))
        return og_error_nomem(err);
    OG_TRY(v->test(v->context, scan->values, &v->mask, err));
    for (size_t i = 0; i < count; i++)
        v->passes.items[i] = og_mask_true(&v->mask, (int64_t)i);
    v->values_id = scan->values_id;
    return OG_OK;
}

static og_status find_in(og_lance_code_scan *scan, verdict *v, slot_list *out, og_error *err)
{
    for (;;) {
        uint32_t first, count;
        bool all_live;
        OG_TRY(next_stretch(scan, &first, &count, &all_live, err));
        if (count == 0)
            return OG_OK;
        OG_TRY(judge(v, scan, err));
        const uint8_t *passes = v->passes.items;
        for (uint32_t i = 0; i < count; i++) {
            if (!passes[scan->codes[i]] || (!all_live && og_bit_get(scan->deleted, first + i)))
                continue;
            if (!og_vec_push(out, first + i))
                return og_error_nomem(err);
        }
    }
}

og_status og_lance_find(og_lance_table *table, uint32_t field, uint32_t start, og_lance_test test,
                        void *context, uint32_t **out_slots, size_t *out_count, og_error *err)
{
    OG_AUTO(og_lance_code_scan) scan = NULL;
    verdict v = {.test = test, .context = context};
    slot_list slots = {0};
    OG_TRY(og_lance_code_scan_open(table, field, start, &scan, err));
    og_status status = find_in(scan, &v, &slots, err);
    og_mask_deinit(&v.mask);
    og_vec_deinit(&v.passes);
    if (status != OG_OK) {
        og_vec_deinit(&slots);
        return status;
    }
    *out_slots = slots.items;
    *out_count = slots.len;
    return OG_OK;
}
