/* Literals of a query, of params and of @default on their way into columns. They have been checked
 * against the property's type (og_literal_coerce); what is left are the rules of the value and,
 * since a wrong value must never be stored, kinds that do not fit. */
#include "graph/rowset_priv.h"

static og_status no_fit(const og_graph__column *c, og_error *err)
{
    return og_error_set(err, OG_INVALID, "a value of another type for property '%.*s'",
                        OG_FMT(c->prop->name));
}

static og_status append_number(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                               const og_literal *value, bool is_item, og_error *err)
{
    if (value->kind != OG_LIT_INTEGER)
        return no_fit(c, err);
    og_scalar scalar = c->prop->type.scalar;
    bool wraps = rs->lenient != NULL && !is_item;
    if (wraps && scalar == OG_SCALAR_I32 && value->integer != (int32_t)value->integer) {
        rs->lenient->integers_wrapped++;
        return og_graph__put_i64(rs, c, b, (int32_t)value->integer, is_item, err);
    }
    if (wraps && scalar == OG_SCALAR_U32 && value->integer != (uint32_t)value->integer) {
        rs->lenient->integers_wrapped++;
        return og_graph__put_u64(rs, c, b, (uint32_t)value->integer, is_item, err);
    }
    if (value->is_unsigned)
        return og_graph__put_u64(rs, c, b, (uint64_t)value->integer, is_item, err);
    return og_graph__put_i64(rs, c, b, value->integer, is_item, err);
}

static bool real_of(const og_literal *value, double *out)
{
    if (value->kind == OG_LIT_FLOAT)
        *out = value->real;
    else if (value->kind == OG_LIT_INTEGER)
        *out = value->is_unsigned ? (double)(uint64_t)value->integer : (double)value->integer;
    else
        return false;
    return true;
}

static og_status append_real(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                             const og_literal *value, bool is_item, og_error *err)
{
    double number;
    if (!real_of(value, &number))
        return no_fit(c, err);
    bool narrow = c->prop->type.scalar != OG_SCALAR_F64;
    if (narrow && og_graph__overflows_f32(number)) {
        if (rs->lenient == NULL)
            return og_error_set(err, OG_INVALID,
                                "value %g of property '%.*s' is out of range for F32", number,
                                OG_FMT(c->prop->name));
        rs->lenient->float_overflows++;
    }
    return og_graph__put_f64(rs, c, b, number, is_item, err);
}

static og_status append_one(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                            const og_literal *value, bool is_item, og_error *err)
{
    switch (c->prop->type.scalar) {
    case OG_SCALAR_STRING:
        if (value->kind != OG_LIT_STRING)
            return no_fit(c, err);
        return og_graph__put_text(rs, c, b, value->text, is_item, err);
    case OG_SCALAR_BOOL:
        if (value->kind != OG_LIT_BOOL)
            return no_fit(c, err);
        return og_builder_bool(b, value->boolean) ? OG_OK : og_error_nomem(err);
    case OG_SCALAR_F32:
    case OG_SCALAR_F64:
        return append_real(rs, c, b, value, is_item, err);
    case OG_SCALAR_DATE:
    case OG_SCALAR_DATETIME: {
        bool is_day = c->prop->type.scalar == OG_SCALAR_DATE;
        if (value->kind != (is_day ? OG_LIT_DATE : OG_LIT_DATETIME))
            return no_fit(c, err);
        return og_graph__put_i64(rs, c, b, value->integer, is_item, err);
    }
    case OG_SCALAR_VECTOR:
    case OG_SCALAR_BLOB:
        return no_fit(c, err);
    default:
        return append_number(rs, c, b, value, is_item, err);
    }
}

static og_status append_list(og_graph__rowset *rs, const og_graph__column *c,
                             const og_literal *value, og_error *err)
{
    if (value->kind != OG_LIT_LIST)
        return no_fit(c, err);
    og_builder *items = og_builder_child(c->builder, 0);
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->items[i].kind != OG_LIT_NULL)
            OG_TRY(append_one(rs, c, items, &value->items[i], true, err));
        else if (!og_builder_null(items))
            return og_error_nomem(err);
    }
    return og_builder_end_row(c->builder) ? OG_OK : og_error_nomem(err);
}

static og_status append_vector(og_graph__rowset *rs, const og_graph__column *c,
                               const og_literal *value, og_error *err)
{
    if (value->kind != OG_LIT_LIST)
        return no_fit(c, err);
    if (value->count != c->prop->type.dim)
        return og_error_set(err, OG_INVALID, "vector property '%.*s' expects %u dimensions, got %u",
                            OG_FMT(c->prop->name), c->prop->type.dim, value->count);
    og_builder *items = og_builder_child(c->builder, 0);
    for (uint32_t i = 0; i < value->count; i++)
        OG_TRY(append_real(rs, c, items, &value->items[i], true, err));
    return og_builder_end_row(c->builder) ? OG_OK : og_error_nomem(err);
}

og_status og_graph__append_literal(og_graph__rowset *rs, const og_graph__column *c,
                                   const og_literal *value, og_error *err)
{
    if (value->kind == OG_LIT_NULL)
        return og_graph__put_null(c, err);
    if (c->prop->type.list)
        return append_list(rs, c, value, err);
    if (c->prop->type.scalar == OG_SCALAR_VECTOR)
        return append_vector(rs, c, value, err);
    if (c->prop->type.scalar != OG_SCALAR_BLOB)
        return append_one(rs, c, c->builder, value, false, err);
    if (value->kind != OG_LIT_STRING)
        return no_fit(c, err);
    return og_graph__put_blob(rs, c, value->text, err);
}
