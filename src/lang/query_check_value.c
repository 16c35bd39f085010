/* Types of literals, and whether a value may stand where a property is set or compared. */
#include "lang/query_ast.h"

typedef og_lang__compile compile;

const char *og_lang__type_text(compile *c, const og_prop_type *type)
{
    og_str name = og_prop_type_name(c->arena, type);
    return name.ptr != NULL ? name.ptr : "";
}

og_prop_type og_lang__scalar_type(og_scalar scalar, bool nullable)
{
    return (og_prop_type){.scalar = scalar, .nullable = nullable};
}

bool og_lang__compatible(const og_prop_type *a, const og_prop_type *b)
{
    if (a->list != b->list)
        return false;
    if (og_scalar_is_numeric(a->scalar) && og_scalar_is_numeric(b->scalar))
        return true;
    return a->scalar == b->scalar && (a->scalar != OG_SCALAR_VECTOR || a->dim == b->dim);
}

static og_status list_type(compile *c, const og_literal *list, og_span span, og_prop_type *out)
{
    *out = (og_prop_type){.scalar = OG_SCALAR_STRING, .list = true};
    bool found = false;
    for (uint32_t i = 0; i < list->count; i++) {
        og_prop_type item;
        if (list->items[i].kind == OG_LIT_NULL)
            continue;
        OG_TRY(og_lang__literal_type(c, &list->items[i], span, &item));
        if (!found && item.list)
            return og_lang__fail(c, span, "type error: nested list literals are not supported");
        og_prop_type first = og_lang__scalar_type(out->scalar, false);
        if (found && !og_lang__compatible(&first, &item))
            return og_lang__fail(c, span,
                                 "type error: list literal elements must share a "
                                 "compatible scalar type");
        if (!found)
            out->scalar = item.scalar;
        found = true;
    }
    return OG_OK;
}

og_status og_lang__literal_type(compile *c, const og_literal *literal, og_span span,
                                og_prop_type *out)
{
    static const og_scalar scalars[] = {
        [OG_LIT_NULL] = OG_SCALAR_STRING,       [OG_LIT_BOOL] = OG_SCALAR_BOOL,
        [OG_LIT_INTEGER] = OG_SCALAR_I64,       [OG_LIT_FLOAT] = OG_SCALAR_F64,
        [OG_LIT_STRING] = OG_SCALAR_STRING,     [OG_LIT_DATE] = OG_SCALAR_DATE,
        [OG_LIT_DATETIME] = OG_SCALAR_DATETIME,
    };
    if (literal->kind == OG_LIT_LIST)
        return list_type(c, literal, span, out);
    bool above_i64 = literal->kind == OG_LIT_INTEGER && literal->is_unsigned;
    *out = og_lang__scalar_type(above_i64 ? OG_SCALAR_U64 : scalars[literal->kind],
                                literal->kind == OG_LIT_NULL);
    return OG_OK;
}

/* Is it a list of numbers, so that it may be a vector? */
static bool is_vector_literal(const og_literal *literal)
{
    if (literal->kind != OG_LIT_LIST || literal->count == 0)
        return false;
    for (uint32_t i = 0; i < literal->count; i++) {
        og_literal_kind kind = literal->items[i].kind;
        if (kind != OG_LIT_INTEGER && kind != OG_LIT_FLOAT)
            return false;
    }
    return true;
}

static bool is_allowed(const og_prop_type *type, og_str text)
{
    for (uint32_t i = 0; i < type->enum_count; i++)
        if (og_str_eq(type->enum_values[i], text))
            return true;
    return false;
}

static og_status refuse_enum(compile *c, og_span span, const og_prop_type *type, og_str property,
                             og_str value)
{
    OG_AUTO_BUF allowed = OG_BUF_INIT;
    og_nearest nearest = og_nearest_to(value);
    for (uint32_t i = 0; i < type->enum_count; i++) {
        og_buf_text(&allowed, i > 0 ? ", " : "");
        og_buf_str(&allowed, type->enum_values[i]);
        og_nearest_offer(&nearest, type->enum_values[i]);
    }
    if (allowed.failed)
        return og_lang__nomem(c);
    og_status status =
        og_lang__fail(c, span, "type error: T3: property `%.*s` expects one of [%.*s], got '%.*s'",
                      OG_FMT(property), OG_FMT(og_buf_view(&allowed)), OG_FMT(value));
    og_lang__suggest(c, "", nearest.best);
    return status;
}

static og_status check_enum(compile *c, const og_literal *literal, og_span span,
                            const og_prop_type *expected, og_str property)
{
    if (literal->kind == OG_LIT_STRING && !is_allowed(expected, literal->text))
        return refuse_enum(c, span, expected, property, literal->text);
    for (uint32_t i = 0; literal->kind == OG_LIT_LIST && i < literal->count; i++) {
        const og_literal *item = &literal->items[i];
        if (item->kind == OG_LIT_STRING && !is_allowed(expected, item->text))
            return refuse_enum(c, span, expected, property, item->text);
    }
    return OG_OK;
}

og_status og_lang__check_literal(compile *c, const og_literal *literal, og_span span,
                                 const og_prop_type *expected, og_str property)
{
    if (literal->kind == OG_LIT_NULL) {
        if (expected->nullable)
            return OG_OK;
        return og_lang__fail(c, span,
                             "type error: T3: property `%.*s` is non-nullable but got null",
                             OG_FMT(property));
    }
    if (!expected->list && expected->scalar == OG_SCALAR_VECTOR && is_vector_literal(literal)) {
        if (literal->count == expected->dim)
            return OG_OK;
        return og_lang__fail(c, span,
                             "type error: T3: property `%.*s` has type Vector(%u) but got vector "
                             "literal with %u elements",
                             OG_FMT(property), expected->dim, literal->count);
    }
    og_prop_type actual;
    OG_TRY(og_lang__literal_type(c, literal, span, &actual));
    /* An empty list, or one of nulls alone, has no item type that could be wrong. */
    bool untyped_list = literal->kind == OG_LIT_LIST && literal->count == 0 && expected->list;
    if (!untyped_list && !og_lang__compatible(&actual, expected))
        return og_lang__fail(c, span, "type error: T3: property `%.*s` has type %s but got %s",
                             OG_FMT(property), og_lang__type_text(c, expected),
                             og_lang__type_text(c, &actual));
    return expected->is_enum ? check_enum(c, literal, span, expected, property) : OG_OK;
}

og_status og_lang__check_now(compile *c, og_span span, const og_prop_type *expected,
                             og_str property)
{
    if (!expected->list && expected->scalar == OG_SCALAR_DATETIME)
        return OG_OK;
    return og_lang__fail(
        c, span, "type error: T7: cannot assign/compare DateTime with %s for property `%.*s`",
        og_lang__type_text(c, expected), OG_FMT(property));
}

static og_status check_param(compile *c, og_lang__pair *pair, const og_prop_type *expected)
{
    og_lang__expr *value = &pair->value;
    int64_t param = og_lang__find_param(c, value->variable.text);
    if (param < 0) {
        og_status status = og_lang__fail(
            c, value->span,
            "type error: T14: mutation variable `$%.*s` must be a declared query parameter",
            OG_FMT(value->variable.text));
        og_lang__suggest(c, "$", og_lang__nearest_var(c, value->variable.text));
        return status;
    }
    const og_prop_type *actual = &c->params[param].type;
    value->resolved = (og_lang__resolved){
        .type = *actual,
        .is_param = true,
        .index = (uint32_t)param,
    };
    /* A blob is given as text: a URI or base64. */
    bool blob_text =
        expected->scalar == OG_SCALAR_BLOB && actual->scalar == OG_SCALAR_STRING && !actual->list;
    if (blob_text || og_lang__compatible(actual, expected))
        return OG_OK;
    return og_lang__fail(
        c, value->span, "type error: T7: cannot assign/compare %s with %s for property `%.*s`",
        og_lang__type_text(c, actual), og_lang__type_text(c, expected), OG_FMT(pair->name.text));
}

og_status og_lang__check_value(compile *c, og_lang__pair *pair, const og_prop_type *expected)
{
    og_lang__expr *value = &pair->value;
    switch (value->kind) {
    case OG_EXPR_LITERAL:
        return og_lang__check_literal(c, &value->literal, value->span, expected, pair->name.text);
    case OG_EXPR_NOW:
        return og_lang__check_now(c, value->span, expected, pair->name.text);
    default:
        return check_param(c, pair, expected);
    }
}
