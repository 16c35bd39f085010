/* graph/merge: values that theirs brings and the schema does not allow. Programs that check what
 * they write leave none; a foreign writer may. */
#include "columnar/kernels.h"
#include "graph/merge_priv.h"
#include "graph/value_check.h"

/* Has ours the same value in the row that is replaced? Then the merge does not bring it. */
static og_status ours_has(const og_graph__merge_table *t, const og_graph__taken *row,
                          uint32_t column, const og_array *values, int64_t at, bool *out,
                          og_error *err)
{
    *out = false;
    if (row->ours == OG_NO_SLOT)
        return OG_OK;
    OG_AUTO_BATCH mine = {0};
    OG_TRY(og_graph__columns_read(t->def, t->ours, &row->ours, 1, &column, 1, false, &mine, err));
    *out = og_rows_equal(mine.columns[0], 0, values, at);
    return OG_OK;
}

static og_status check_column(og_graph__merge *m, const og_graph__merge_table *t, uint32_t property,
                              size_t start, size_t count, og_error *err)
{
    uint32_t column = og_type_def_first_property(t->def) + property;
    OG_AUTO(og_graph__rowset) rs = NULL;
    OG_AUTO_BATCH rows = {0};
    OG_TRY(og_graph__rowset_new(t->def, NULL, &rs, err));
    OG_TRY(og_graph__taken_read(t, start, count, &column, 1, false, &rows, err));
    for (size_t i = 0; i < count; i++) {
        const og_graph__taken *row = &t->taken.items[start + i];
        og_error why;
        bool is_old;
        og_status s = og_graph__value_check(rs, property, rows.columns[0], (int64_t)i, &why);
        if (s == OG_OK)
            continue;
        if (s != OG_INVALID)
            return og_error_nomem(err);
        OG_TRY(ours_has(t, row, column, rows.columns[0], (int64_t)i, &is_old, err));
        if (!is_old)
            OG_TRY(og_graph__report(m, t->def, OG_CONFLICT_VALUE_CONSTRAINT, row->id, err, "%s",
                                    why.message));
    }
    return OG_OK;
}

og_status og_graph__merge_check_values(og_graph__merge *m, og_graph__merge_table *t, og_error *err)
{
    for (uint32_t property = 0; property < t->def->property_count; property++) {
        if (!og_graph__is_constrained(t->def, property))
            continue;
        for (size_t start = 0; start < t->taken.len; start += OG_BATCH_ROWS) {
            size_t left = t->taken.len - start, n = left < OG_BATCH_ROWS ? left : OG_BATCH_ROWS;
            OG_TRY(og_graph__merge_check_stop(m, err));
            OG_TRY(check_column(m, t, property, start, n, err));
        }
    }
    return OG_OK;
}
