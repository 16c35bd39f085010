/* graph/merge: values that theirs brings and the schema does not allow. Programs that check what they write
 * leave none; a foreign writer may. */
#include "columnar/kernels.h"
#include "graph/merge_priv.h"
#include "graph/rowset_priv.h"

/* Does the schema say anything of the property's values? */
static bool is_constrained(const og_type_def *def, uint32_t property)
{
    const og_prop_type *type = &def->properties[property].type;
    bool found = type->is_enum || !type->nullable;
    for (uint32_t i = 0; i < def->range_count; i++)
        found |= def->ranges[i].property == property;
    for (uint32_t i = 0; i < def->check_count; i++)
        found |= def->checks[i].property == property;
    return found;
}

/* One value, or one item of a list, through the checks of a rowset. */
static og_status check_value(og_graph__rowset *rs, const og_graph__column *c, const og_array *a,
                             int64_t row, bool is_item, og_builder *into, og_error *err)
{
    if (og_array_is_null(a, row))
        return is_item ? OG_OK : og_graph__put_null(c, err);
    switch (a->type->id) {
    case OG_TYPE_UTF8:
    case OG_TYPE_LARGE_UTF8:
        return og_graph__put_text(rs, c, into, og_array_str(a, row), is_item, err);
    case OG_TYPE_I32:
    case OG_TYPE_DATE32:
        return og_graph__put_i64(rs, c, into, og_array_i32(a, row), is_item, err);
    case OG_TYPE_I64:
    case OG_TYPE_DATE64:
        return og_graph__put_i64(rs, c, into, og_array_i64(a, row), is_item, err);
    case OG_TYPE_U32:
        return og_graph__put_u64(rs, c, into, og_array_u32(a, row), is_item, err);
    case OG_TYPE_U64:
        return og_graph__put_u64(rs, c, into, og_array_u64(a, row), is_item, err);
    case OG_TYPE_F32:
        return og_graph__put_f64(rs, c, into, og_array_f32(a, row), is_item, err);
    case OG_TYPE_F64:
        return og_graph__put_f64(rs, c, into, og_array_f64(a, row), is_item, err);
    default: /* nothing is said of the others but that they may be required */
        return OG_OK;
    }
}

static og_status check_any(og_graph__rowset *rs, const og_graph__column *c, const og_array *a,
                           int64_t row, og_error *err)
{
    bool is_list = a->type->id == OG_TYPE_LIST || a->type->id == OG_TYPE_LARGE_LIST;
    if (!is_list || og_array_is_null(a, row))
        return check_value(rs, c, a, row, false, c->builder, err);
    int64_t start, end;
    og_array_list(a, row, &start, &end);
    og_builder *items = og_builder_child(c->builder, 0);
    for (int64_t i = start; i < end; i++)
        OG_TRY(check_value(rs, c, a->children[0], i, true, items, err));
    return OG_OK;
}

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
        og_status s = check_any(rs, &rs->columns[property], rows.columns[0], (int64_t)i, &why);
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
        if (!is_constrained(t->def, property))
            continue;
        for (size_t start = 0; start < t->taken.len; start += OG_BATCH_ROWS) {
            size_t left = t->taken.len - start, n = left < OG_BATCH_ROWS ? left : OG_BATCH_ROWS;
            OG_TRY(og_graph__merge_check_stop(m, err));
            OG_TRY(check_column(m, t, property, start, n, err));
        }
    }
    return OG_OK;
}
