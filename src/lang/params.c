/* Values from outside become literals of a declared type: parameters of a query, and the JSON
 * that load reads. Texts of errors are the reference's (query_input.rs) where it has them. */
#include "base/number.h"
#include "base/timeval.h"
#include "lang/query.h"

/* Who gave the value. A parameter may be an integer in text, and its dates are text; lenient is the
 * reference's way with both. */
typedef struct source {
    og_str what; /* "param 'age'" */
    og_arena *arena;
    bool is_param;
    bool lenient;
} source;

static const char *json_kind(const og_json *value)
{
    switch (value->kind) {
    case OG_JSON_NULL:
        return "null";
    case OG_JSON_BOOL:
        return "boolean";
    case OG_JSON_NUMBER:
        return "number";
    case OG_JSON_STRING:
        return "string";
    case OG_JSON_ARRAY:
        return "array";
    case OG_JSON_OBJECT:
        break;
    }
    return "object";
}

static const char *type_text(const source *s, const og_prop_type *type)
{
    og_prop_type required = *type;
    required.nullable = false;
    og_str name = og_prop_type_name(s->arena, &required);
    return name.ptr != NULL ? name.ptr : "";
}

static og_status refuse(const source *s, og_error *err, const char *expected)
{
    return og_error_set(err, OG_INVALID, "%.*s: expected %s", OG_FMT(s->what), expected);
}

/* ---- integers ----------------------------------------------------------------------------- */

static bool is_unsigned_scalar(og_scalar scalar)
{
    return scalar == OG_SCALAR_U32 || scalar == OG_SCALAR_U64;
}

static og_status refuse_range(const source *s, og_scalar scalar, og_str value, og_error *err)
{
    og_str name = og_scalar_name(s->arena, scalar, 0);
    return og_error_set(err, OG_INVALID, "%.*s: value %.*s exceeds %.*s", OG_FMT(s->what),
                        OG_FMT(value), OG_FMT(name));
}

/* Does an integer (above says: it is a u64 beyond INT64_MAX) fit the type? */
static bool integer_fits(og_scalar scalar, int64_t value, bool above)
{
    switch (scalar) {
    case OG_SCALAR_I32:
        return !above && value >= INT32_MIN && value <= INT32_MAX;
    case OG_SCALAR_I64:
        return !above;
    case OG_SCALAR_U32:
        return !above && value >= 0 && value <= UINT32_MAX;
    default:
        return above || value >= 0;
    }
}

static og_status refuse_integer(const source *s, const og_prop_type *type, const og_json *value,
                                og_error *err)
{
    bool natural = is_unsigned_scalar(type->scalar);
    if (value->kind == OG_JSON_NUMBER)
        return refuse(s, err, natural ? "unsigned integer number" : "integer number");
    if (value->kind == OG_JSON_STRING && s->is_param)
        return og_error_set(err, OG_INVALID, "%.*s: expected %s string, got '%.*s'",
                            OG_FMT(s->what), natural ? "unsigned integer" : "integer",
                            OG_FMT(value->text));
    if (s->is_param)
        return refuse(s, err, natural ? "unsigned integer" : "integer");
    return og_error_set(err, OG_INVALID, "%.*s: expected %s, got %s", OG_FMT(s->what),
                        type_text(s, type), json_kind(value));
}

static og_status integer_from_json(const source *s, const og_prop_type *type, const og_json *value,
                                   og_literal *out, og_error *err)
{
    bool text = value->kind == OG_JSON_STRING && s->is_param;
    if (!text && value->kind != OG_JSON_NUMBER)
        return refuse_integer(s, type, value, err);
    *out = (og_literal){.kind = OG_LIT_INTEGER};
    uint64_t above;
    bool fits_i64 =
        text ? og_parse_i64(value->text, &out->integer) : og_json_to_i64(value, &out->integer);
    if (!fits_i64) {
        out->is_unsigned = text ? og_parse_u64(value->text, &above) : og_json_to_u64(value, &above);
        if (!out->is_unsigned)
            return refuse_integer(s, type, value, err);
        out->integer = (int64_t)above;
    }
    if (integer_fits(type->scalar, out->integer, out->is_unsigned))
        return OG_OK;
    /* The reference reads I64 and the unsigned types at their full width at once. */
    bool negative = !out->is_unsigned && out->integer < 0;
    if (type->scalar == OG_SCALAR_I64 || (negative && is_unsigned_scalar(type->scalar)))
        return refuse_integer(s, type, value, err);
    return refuse_range(s, type->scalar, value->text, err);
}

/* ---- floats and vectors ------------------------------------------------------------------- */

static bool float_fits(og_scalar scalar, double value)
{
    /* NaN and infinities come from nowhere; what rounds above the largest float is refused. */
    return scalar == OG_SCALAR_F64 || __builtin_isfinite((float)value);
}

static og_status float_from_json(const source *s, const og_prop_type *type, const og_json *value,
                                 og_literal *out, og_error *err)
{
    if (value->kind != OG_JSON_NUMBER)
        return refuse(s, err, "float");
    *out = (og_literal){.kind = OG_LIT_FLOAT};
    if (!og_json_to_f64(value, &out->real) || (!s->lenient && !float_fits(type->scalar, out->real)))
        return refuse_range(s, type->scalar, value->text, err);
    return OG_OK;
}

static og_status refuse_length(const source *s, const og_prop_type *type, uint32_t count,
                               og_error *err)
{
    return og_error_set(err, OG_INVALID, "%.*s: expected %u values for %s, got %u", OG_FMT(s->what),
                        type->dim, type_text(s, type), count);
}

static og_status refuse_element(const source *s, og_error *err)
{
    return og_error_set(err, OG_INVALID, "%.*s: vector element is not numeric", OG_FMT(s->what));
}

static og_status vector_from_json(const source *s, const og_prop_type *type, const og_json *value,
                                  og_literal *out, og_error *err)
{
    static const og_prop_type element = {.scalar = OG_SCALAR_F32};
    if (value->kind != OG_JSON_ARRAY)
        return og_error_set(err, OG_INVALID, "%.*s: expected array for %s", OG_FMT(s->what),
                            type_text(s, type));
    if (value->count != type->dim)
        return refuse_length(s, type, value->count, err);
    og_literal *items = og_arena_array_of(s->arena, og_literal, value->count);
    if (items == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < value->count; i++) {
        if (value->items[i].kind != OG_JSON_NUMBER)
            return refuse_element(s, err);
        OG_TRY(float_from_json(s, &element, &value->items[i], &items[i], err));
    }
    *out = (og_literal){.kind = OG_LIT_LIST, .count = value->count, .items = items};
    return OG_OK;
}

/* ---- text and dates ----------------------------------------------------------------------- */

static og_status read_date(const source *s, og_str text, og_literal *out, og_error *err)
{
    int32_t days;
    if (!og_parse_date(text, &days))
        return og_error_set(err, OG_INVALID, "%.*s: invalid Date literal '%.*s'", OG_FMT(s->what),
                            OG_FMT(text));
    *out = (og_literal){.kind = OG_LIT_DATE, .text = text, .integer = days};
    return OG_OK;
}

static og_status read_datetime(const source *s, og_str text, og_literal *out, og_error *err)
{
    *out = (og_literal){.kind = OG_LIT_DATETIME, .text = text};
    if (og_parse_datetime(text, &out->integer))
        return OG_OK;
    return og_error_set(err, OG_INVALID, "%.*s: invalid DateTime literal '%.*s'", OG_FMT(s->what),
                        OG_FMT(text));
}

/* Days or milliseconds as a number, as export writes dates. */
static og_status day_number(const source *s, og_scalar scalar, int64_t value, og_str text,
                            og_literal *out, og_error *err)
{
    bool date = scalar == OG_SCALAR_DATE;
    if (date && (value < INT32_MIN || value > INT32_MAX))
        return refuse_range(s, scalar, text, err);
    *out = (og_literal){.kind = date ? OG_LIT_DATE : OG_LIT_DATETIME, .integer = value};
    return OG_OK;
}

static og_status date_from_json(const source *s, const og_prop_type *type, const og_json *value,
                                og_literal *out, og_error *err)
{
    bool date = type->scalar == OG_SCALAR_DATE;
    if (value->kind == OG_JSON_STRING) {
        og_str text = og_arena_str(s->arena, value->text);
        if (text.ptr == NULL)
            return og_error_nomem(err);
        return date ? read_date(s, text, out, err) : read_datetime(s, text, out, err);
    }
    int64_t number;
    if (!s->is_param && value->kind == OG_JSON_NUMBER && og_json_to_i64(value, &number))
        return day_number(s, type->scalar, number, value->text, out, err);
    return refuse(s, err, date ? "date string" : "datetime string");
}

static og_status text_from_json(const source *s, const og_prop_type *type, const og_json *value,
                                og_literal *out, og_error *err)
{
    if (value->kind != OG_JSON_STRING)
        return og_error_set(err, OG_INVALID, "%.*s: expected %s, got %s", OG_FMT(s->what),
                            type->scalar == OG_SCALAR_BLOB ? "blob URI string" : "string",
                            json_kind(value));
    *out = (og_literal){.kind = OG_LIT_STRING, .text = og_arena_str(s->arena, value->text)};
    return out->text.ptr != NULL ? OG_OK : og_error_nomem(err);
}

/* ---- any type ----------------------------------------------------------------------------- */

static og_status scalar_from_json(const source *s, const og_prop_type *type, const og_json *value,
                                  og_literal *out, og_error *err)
{
    switch (type->scalar) {
    case OG_SCALAR_STRING:
    case OG_SCALAR_BLOB:
        return text_from_json(s, type, value, out, err);
    case OG_SCALAR_BOOL:
        if (value->kind != OG_JSON_BOOL)
            return refuse(s, err, "boolean");
        *out = (og_literal){.kind = OG_LIT_BOOL, .boolean = value->boolean};
        return OG_OK;
    case OG_SCALAR_I32:
    case OG_SCALAR_I64:
    case OG_SCALAR_U32:
    case OG_SCALAR_U64:
        return integer_from_json(s, type, value, out, err);
    case OG_SCALAR_F32:
    case OG_SCALAR_F64:
        return float_from_json(s, type, value, out, err);
    case OG_SCALAR_DATE:
    case OG_SCALAR_DATETIME:
        return date_from_json(s, type, value, out, err);
    case OG_SCALAR_VECTOR:
        break;
    }
    return vector_from_json(s, type, value, out, err);
}

static og_status list_from_json(const source *s, const og_prop_type *type, const og_json *value,
                                og_literal *out, og_error *err)
{
    if (value->kind != OG_JSON_ARRAY)
        return og_error_set(err, OG_INVALID, "%.*s: expected array for %s", OG_FMT(s->what),
                            type_text(s, type));
    og_prop_type item = *type;
    item.list = false;
    og_literal *items = og_arena_array_of(s->arena, og_literal, value->count);
    if (items == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < value->count; i++)
        if (value->items[i].kind != OG_JSON_NULL)
            OG_TRY(scalar_from_json(s, &item, &value->items[i], &items[i], err));
    *out = (og_literal){.kind = OG_LIT_LIST, .count = value->count, .items = items};
    return OG_OK;
}

static og_status any_from_json(const source *s, const og_prop_type *type, const og_json *value,
                               og_literal *out, og_error *err)
{
    if (value->kind == OG_JSON_NULL) {
        *out = (og_literal){.kind = OG_LIT_NULL};
        if (type->nullable)
            return OG_OK;
        return og_error_set(err, OG_INVALID, "%.*s: null is not accepted for non-nullable %s",
                            OG_FMT(s->what), s->is_param ? "parameter" : "property");
    }
    if (type->list)
        return list_from_json(s, type, value, out, err);
    return scalar_from_json(s, type, value, out, err);
}

og_status og_literal_from_json(const og_prop_type *type, const og_json *value, og_str what,
                               og_arena *arena, og_literal *out, og_error *err)
{
    source s = {.what = what, .arena = arena};
    return any_from_json(&s, type, value, out, err);
}

/* ---- parameters --------------------------------------------------------------------------- */

static og_status one_param(const og_ir_param *param, const og_json *object, bool lenient,
                           og_arena *arena, og_literal *out, og_error *err)
{
    og_str key = og_arena_str(arena, param->name);
    source s = {
        .what = og_arena_printf(arena, "param '%.*s'", OG_FMT(param->name)),
        .arena = arena,
        .is_param = true,
        .lenient = lenient,
    };
    if (key.ptr == NULL || s.what.ptr == NULL)
        return og_error_nomem(err);
    const og_json *value = og_json_get(object, key.ptr);
    if (value != NULL)
        return any_from_json(&s, &param->type, value, out, err);
    *out = (og_literal){.kind = OG_LIT_NULL};
    if (param->type.nullable)
        return OG_OK;
    return og_error_set(err, OG_INVALID, "parameter '%.*s' not provided", OG_FMT(param->name));
}

og_status og_params_from_json(const og_ir_query *query, const og_json *object, bool lenient,
                              og_arena *arena, og_literal **out_values, og_error *err)
{
    if (object != NULL && object->kind != OG_JSON_OBJECT && object->kind != OG_JSON_NULL)
        return og_error_set(err, OG_INVALID, "params must be a JSON object");
    og_literal *values = og_arena_array_of(arena, og_literal, query->param_count);
    if (values == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < query->param_count; i++)
        OG_TRY(one_param(&query->params[i], object, lenient, arena, &values[i], err));
    *out_values = values;
    return OG_OK;
}

/* ---- literals to a property's type -------------------------------------------------------- */

static const char *literal_kind(const og_literal *value)
{
    static const char *const names[] = {
        [OG_LIT_NULL] = "null",   [OG_LIT_BOOL] = "Bool",         [OG_LIT_INTEGER] = "integer",
        [OG_LIT_FLOAT] = "float", [OG_LIT_STRING] = "String",     [OG_LIT_DATE] = "Date",
        [OG_LIT_LIST] = "list",   [OG_LIT_DATETIME] = "DateTime",
    };
    return names[value->kind];
}

static og_status mismatch(const source *s, const og_prop_type *type, const og_literal *value,
                          og_error *err)
{
    return og_error_set(err, OG_INVALID, "%.*s: expected %s, got %s", OG_FMT(s->what),
                        type_text(s, type), literal_kind(value));
}

static double literal_number(const og_literal *value)
{
    if (value->kind == OG_LIT_FLOAT)
        return value->real;
    return value->is_unsigned ? (double)(uint64_t)value->integer : (double)value->integer;
}

static og_str number_text(const source *s, const og_literal *value)
{
    OG_AUTO_BUF text = OG_BUF_INIT;
    if (value->kind == OG_LIT_FLOAT)
        og_json_write_f64(&text, value->real);
    else if (value->is_unsigned)
        og_json_write_u64(&text, (uint64_t)value->integer);
    else
        og_json_write_i64(&text, value->integer);
    og_str copy = og_arena_str(s->arena, og_buf_view(&text));
    return copy.ptr != NULL ? copy : OG_STR("");
}

/* A float without a fraction as an integer. */
static bool whole_number(double real, og_literal *out)
{
    if (!(real >= -0x1p63 && real < 0x1p64) || real != __builtin_trunc(real))
        return false;
    bool above = real >= 0x1p63;
    *out = (og_literal){
        .kind = OG_LIT_INTEGER,
        .is_unsigned = above,
        .integer = above ? (int64_t)(uint64_t)real : (int64_t)real,
    };
    return true;
}

static og_status coerce_integer(const source *s, const og_prop_type *type, const og_literal *value,
                                og_literal *out, og_error *err)
{
    if (value->kind != OG_LIT_INTEGER && value->kind != OG_LIT_FLOAT)
        return mismatch(s, type, value, err);
    *out = *value;
    if (value->kind == OG_LIT_FLOAT && !whole_number(value->real, out))
        return og_error_set(err, OG_INVALID, "%.*s: value %.*s is not a whole number",
                            OG_FMT(s->what), OG_FMT(number_text(s, value)));
    bool wraps = s->lenient && (type->scalar == OG_SCALAR_I32 || type->scalar == OG_SCALAR_U32);
    if (wraps || integer_fits(type->scalar, out->integer, out->is_unsigned))
        return OG_OK;
    return refuse_range(s, type->scalar, number_text(s, value), err);
}

static og_status coerce_float(const source *s, const og_prop_type *type, const og_literal *value,
                              og_literal *out, og_error *err)
{
    if (value->kind != OG_LIT_INTEGER && value->kind != OG_LIT_FLOAT)
        return mismatch(s, type, value, err);
    double real = literal_number(value);
    if (!s->lenient && !float_fits(type->scalar, real))
        return refuse_range(s, type->scalar, number_text(s, value), err);
    *out = (og_literal){.kind = OG_LIT_FLOAT, .real = real};
    return OG_OK;
}

static og_status coerce_date(const source *s, const og_prop_type *type, const og_literal *value,
                             og_literal *out, og_error *err)
{
    bool date = type->scalar == OG_SCALAR_DATE;
    *out = *value;
    if (value->kind == (date ? OG_LIT_DATE : OG_LIT_DATETIME))
        return OG_OK;
    if (value->kind == OG_LIT_STRING)
        return date ? read_date(s, value->text, out, err) : read_datetime(s, value->text, out, err);
    return mismatch(s, type, value, err);
}

static og_status coerce_vector(const source *s, const og_prop_type *type, const og_literal *value,
                               og_literal *out, og_error *err)
{
    static const og_prop_type element = {.scalar = OG_SCALAR_F32};
    if (value->kind != OG_LIT_LIST)
        return mismatch(s, type, value, err);
    if (value->count != type->dim)
        return refuse_length(s, type, value->count, err);
    og_literal *items = og_arena_array_of(s->arena, og_literal, value->count);
    if (items == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < value->count; i++) {
        og_literal_kind kind = value->items[i].kind;
        if (kind != OG_LIT_INTEGER && kind != OG_LIT_FLOAT)
            return refuse_element(s, err);
        OG_TRY(coerce_float(s, &element, &value->items[i], &items[i], err));
    }
    *out = (og_literal){.kind = OG_LIT_LIST, .count = value->count, .items = items};
    return OG_OK;
}

static og_status coerce_scalar(const source *s, const og_prop_type *type, const og_literal *value,
                               og_literal *out, og_error *err)
{
    og_literal_kind wanted = type->scalar == OG_SCALAR_BOOL ? OG_LIT_BOOL : OG_LIT_STRING;
    switch (type->scalar) {
    case OG_SCALAR_STRING:
    case OG_SCALAR_BLOB:
    case OG_SCALAR_BOOL:
        *out = *value;
        return value->kind == wanted ? OG_OK : mismatch(s, type, value, err);
    case OG_SCALAR_I32:
    case OG_SCALAR_I64:
    case OG_SCALAR_U32:
    case OG_SCALAR_U64:
        return coerce_integer(s, type, value, out, err);
    case OG_SCALAR_F32:
    case OG_SCALAR_F64:
        return coerce_float(s, type, value, out, err);
    case OG_SCALAR_DATE:
    case OG_SCALAR_DATETIME:
        return coerce_date(s, type, value, out, err);
    case OG_SCALAR_VECTOR:
        break;
    }
    return coerce_vector(s, type, value, out, err);
}

static og_status coerce_list(const source *s, const og_prop_type *type, const og_literal *value,
                             og_literal *out, og_error *err)
{
    if (value->kind != OG_LIT_LIST)
        return mismatch(s, type, value, err);
    og_prop_type item = *type;
    item.list = false;
    og_literal *items = og_arena_array_of(s->arena, og_literal, value->count);
    if (items == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < value->count; i++)
        if (value->items[i].kind != OG_LIT_NULL)
            OG_TRY(coerce_scalar(s, &item, &value->items[i], &items[i], err));
    *out = (og_literal){.kind = OG_LIT_LIST, .count = value->count, .items = items};
    return OG_OK;
}

og_status og_literal_coerce(const og_prop_type *type, const og_literal *value, og_str what,
                            bool lenient, og_arena *arena, og_literal *out, og_error *err)
{
    bool is_single = !type->list && type->scalar != OG_SCALAR_VECTOR;
    source s = {.what = what, .arena = arena, .lenient = lenient && is_single};
    if (value->kind == OG_LIT_NULL) {
        if (!type->nullable)
            return og_error_set(err, OG_INVALID,
                                "%.*s: null is not accepted for non-nullable property",
                                OG_FMT(what));
        *out = *value;
        return OG_OK;
    }
    /* By way of a copy, as `out` may be `value`. */
    og_literal result;
    OG_TRY(type->list ? coerce_list(&s, type, value, &result, err)
                      : coerce_scalar(&s, type, value, &result, err));
    *out = result;
    return OG_OK;
}
