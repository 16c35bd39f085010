/* Predicates on columns, and constants as values and columns. */
#include "exec/run_priv.h"

#include "base/timeval.h"
#include "columnar/builder.h"

/* ---- a constant beside a column ----------------------------------------------------------- */

static og_status mismatch(const og_type *type, og_error *err)
{
    char name[96];
    og_type_name(type, name, sizeof name);
    return og_error_set(err, OG_INVALID, "a value can't be compared with a column of type %s",
                        name);
}

static og_status parse_time(const og_literal *literal, const og_type *type, og_datum *out,
                            og_error *err)
{
    bool is_date = type->id == OG_TYPE_DATE32;
    int32_t days = 0;
    int64_t ms = 0;
    out->type = type->id;
    if (is_date ? !og_parse_date(literal->text, &days) : !og_parse_datetime(literal->text, &ms))
        return og_error_set(err, OG_INVALID, "'%.*s' is no %s", OG_FMT(literal->text),
                            is_date ? "Date" : "DateTime");
    out->i64 = is_date ? days : ms;
    return OG_OK;
}

static double literal_double(const og_literal *value)
{
    if (value->kind == OG_LIT_FLOAT)
        return value->real;
    return value->is_unsigned ? (double)(uint64_t)value->integer : (double)value->integer;
}

static og_datum number_scalar(const og_literal *literal, const og_type *type)
{
    /* What was stored as 0.1, or as 16777217, in an F32 column is found by the same number. */
    if (type->id == OG_TYPE_F32)
        return (og_datum){.type = OG_TYPE_F64, .f64 = (double)(float)literal_double(literal)};
    if (literal->kind == OG_LIT_FLOAT)
        return (og_datum){.type = OG_TYPE_F64, .f64 = literal->real};
    if (literal->is_unsigned)
        return (og_datum){.type = OG_TYPE_U64, .u64 = (uint64_t)literal->integer};
    return (og_datum){.type = OG_TYPE_I64, .i64 = literal->integer};
}

static og_status scalar_of(const og_literal *literal, const og_type *type, og_datum *out,
                           og_error *err)
{
    *out = (og_datum){.type = type->id};
    switch (literal->kind) {
    case OG_LIT_NULL:
        out->is_null = true;
        return OG_OK;
    case OG_LIT_BOOL:
        out->type = OG_TYPE_BOOL;
        out->boolean = literal->boolean;
        return OG_OK;
    case OG_LIT_INTEGER:
    case OG_LIT_FLOAT:
        *out = number_scalar(literal, type);
        return OG_OK;
    case OG_LIT_DATE:
        *out = (og_datum){.type = OG_TYPE_DATE32, .i64 = literal->integer};
        return OG_OK;
    case OG_LIT_DATETIME:
        *out = (og_datum){.type = OG_TYPE_DATE64, .i64 = literal->integer};
        return OG_OK;
    case OG_LIT_STRING:
        if (type->id == OG_TYPE_DATE32 || type->id == OG_TYPE_DATE64)
            return parse_time(literal, type, out, err);
        *out = (og_datum){.type = OG_TYPE_UTF8, .str = literal->text};
        return OG_OK;
    case OG_LIT_LIST:
        break;
    }
    return mismatch(type, err);
}

static bool is_list(const og_type *type)
{
    return type->id == OG_TYPE_LIST || type->id == OG_TYPE_LARGE_LIST ||
           type->id == OG_TYPE_FIXED_SIZE_LIST;
}

static og_compare_op compare_op(og_cmp_op op)
{
    switch (op) {
    case OG_CMP_NE:
        return OG_COMPARE_NE;
    case OG_CMP_GT:
        return OG_COMPARE_GT;
    case OG_CMP_LT:
        return OG_COMPARE_LT;
    case OG_CMP_GE:
        return OG_COMPARE_GE;
    case OG_CMP_LE:
        return OG_COMPARE_LE;
    default:
        return OG_COMPARE_EQ;
    }
}

og_status og_exec__test_constant(const og_array *left, og_cmp_op op, const og_literal *right,
                                 og_mask *out, og_error *err)
{
    bool in_list = op == OG_CMP_CONTAINS && is_list(left->type);
    og_datum value;
    OG_TRY(scalar_of(right, in_list ? left->type->children[0].type : left->type, &value, err));
    if (in_list)
        return og_list_contains(left, &value, out, err);
    if (op == OG_CMP_CONTAINS)
        return og_text_matches(left, OG_TEXT_CONTAINS, &value, out, err);
    if (op == OG_CMP_STARTS_WITH)
        return og_text_matches(left, OG_TEXT_STARTS, &value, out, err);
    return og_compare_datum(left, compare_op(op), &value, out, err);
}

static og_status test_arrays(const og_array *left, og_cmp_op op, const og_array *right,
                             og_mask *out, og_error *err)
{
    if (op == OG_CMP_CONTAINS && is_list(left->type))
        return og_list_contains_column(left, right, out, err);
    if (op == OG_CMP_CONTAINS)
        return og_text_matches_column(left, OG_TEXT_CONTAINS, right, out, err);
    if (op == OG_CMP_STARTS_WITH)
        return og_text_matches_column(left, OG_TEXT_STARTS, right, out, err);
    return og_compare_columns(left, compare_op(op), right, out, err);
}

/* ---- predicates --------------------------------------------------------------------------- */

og_status og_exec__operand_array(og_exec *x, og_exec__rows *rows, og_exec__operand operand,
                                 og_array **out, og_error *err)
{
    if (operand.kind == OG_OPERAND_COLUMN) {
        OG_TRY(og_exec__gather(x, rows, &operand.index, 1, err));
        *out = og_array_ref(rows->columns[operand.index]);
        return OG_OK;
    }
    return og_exec__constant_array(x->plan->constant_types[operand.index],
                                   &x->constants[operand.index], rows->count, out, err);
}

og_status og_exec__test(og_exec *x, const og_exec__predicate *p, og_exec__rows *rows, og_mask *out,
                        og_error *err)
{
    OG_AUTO(og_array) left = NULL;
    OG_AUTO(og_array) right = NULL;
    OG_TRY(og_exec__operand_array(x, rows, p->left, &left, err));
    if (p->right.kind == OG_OPERAND_CONST)
        return og_exec__test_constant(left, p->op, &x->constants[p->right.index], out, err);
    OG_TRY(og_exec__operand_array(x, rows, p->right, &right, err));
    return test_arrays(left, p->op, right, out, err);
}

/* ---- constants as columns ----------------------------------------------------------------- */

static bool append_literal(og_builder *builder, const og_type *type, const og_literal *value)
{
    if (value->kind == OG_LIT_NULL)
        return og_builder_null(builder);
    switch (type->id) {
    case OG_TYPE_BOOL:
        return og_builder_bool(builder, value->boolean);
    case OG_TYPE_UTF8:
        return og_builder_str(builder, value->text);
    case OG_TYPE_I32:
    case OG_TYPE_I64:
    case OG_TYPE_DATE32:
    case OG_TYPE_DATE64:
        return og_builder_i64(builder, value->integer);
    case OG_TYPE_U32:
    case OG_TYPE_U64:
        return og_builder_u64(builder, (uint64_t)value->integer);
    case OG_TYPE_F32:
    case OG_TYPE_F64:
        return og_builder_f64(builder, literal_double(value));
    default:
        break;
    }
    if (!is_list(type))
        return og_builder_null(builder);
    for (uint32_t i = 0; i < value->count; i++) {
        if (!append_literal(og_builder_child(builder, 0), type->children[0].type, &value->items[i]))
            return false;
    }
    return og_builder_end_row(builder);
}

og_status og_exec__constant_array(const og_type *type, const og_literal *value, int64_t count,
                                  og_array **out, og_error *err)
{
    OG_AUTO(og_builder) builder = og_builder_new(type);
    if (builder == NULL)
        return og_error_nomem(err);
    for (int64_t i = 0; i < count; i++) {
        if (!append_literal(builder, type, value))
            return og_error_nomem(err);
    }
    return og_builder_finish(builder, out, err);
}
