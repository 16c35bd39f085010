/* Each rule of single values is that of a rowset, so what is refused when it is written is what is
 * found when it is stored. */
#include "graph/value_check.h"

#include "columnar/compare.h"
#include "graph/rowset_priv.h"

bool og_graph__is_constrained(const og_type_def *def, uint32_t property)
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

og_status og_graph__value_check(og_graph__rowset *rs, uint32_t property, const og_array *a,
                                int64_t row, og_error *err)
{
    const og_graph__column *c = &rs->columns[property];
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

bool og_graph__is_key_text(const og_type_def *def, const og_array *keys, int64_t row, og_str id,
                           og_buf *scratch)
{
    og_scalar scalar = def->properties[def->key_property].type.scalar;
    if (og_array_is_null(keys, row))
        return true; /* which is another rule's */
    if (scalar == OG_SCALAR_STRING)
        return og_str_eq(og_array_str(keys, row), id);
    og_datum value = og_datum_of_row(keys, row);
    og_buf_clear(scratch);
    if (scalar == OG_SCALAR_I32 || scalar == OG_SCALAR_I64)
        og_json_write_i64(scratch, value.i64);
    else if (scalar == OG_SCALAR_U32 || scalar == OG_SCALAR_U64)
        og_json_write_u64(scratch, value.u64);
    else
        return true;
    return scratch->failed || og_str_eq(og_buf_view(scratch), id);
}
