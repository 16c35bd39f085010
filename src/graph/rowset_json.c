/* JSON values on their way into columns. What is strict and what is lenient stands here; the table
 * in docs/user/data.md says the same in words. Lenient follows the reference's loader, which reads
 * numbers as serde_json does: integers are texts without fraction and exponent. */
#include "graph/rowset_priv.h"

#include <stdio.h>

#include "base/timeval.h"

/* ---- messages ----------------------------------------------------------------------------- */

static void describe(og_buf *out, const og_json *value)
{
    switch (value->kind) {
    case OG_JSON_NULL:
        og_buf_text(out, "null");
        break;
    case OG_JSON_BOOL:
        og_buf_text(out, value->boolean ? "true" : "false");
        break;
    case OG_JSON_NUMBER:
        og_buf_printf(out, "number %.*s", OG_FMT(value->text));
        break;
    case OG_JSON_STRING:
        og_buf_printf(out, "text '%.*s'", OG_FMT(value->text));
        break;
    case OG_JSON_ARRAY:
        og_buf_printf(out, "an array of %u", value->count);
        break;
    case OG_JSON_OBJECT:
        og_buf_text(out, "an object");
        break;
    }
}

/* A whole number above all integer types, for a property of one of them. */
static bool is_too_large(const og_prop_type *type, const og_json *value)
{
    bool takes_integers = og_scalar_is_numeric(type->scalar) && type->scalar != OG_SCALAR_F32 &&
                          type->scalar != OG_SCALAR_F64;
    return takes_integers && value->kind == OG_JSON_NUMBER && value->is_integer;
}

/* A value of the wrong type, in strict mode. */
static og_status refuse(const og_graph__column *c, const og_json *value, bool is_item,
                        og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    OG_AUTO_BUF got = OG_BUF_INIT;
    if (arena == NULL)
        return og_error_nomem(err);
    const og_prop_type *type = &c->prop->type;
    og_str name = og_scalar_name(arena, type->scalar, type->dim);
    if (is_too_large(type, value))
        return og_error_set(err, OG_INVALID,
                            "value %.*s of property '%.*s' is out of range for %.*s",
                            OG_FMT(value->text), OG_FMT(c->prop->name), OG_FMT(name));
    describe(&got, value);
    if (is_item)
        return og_error_set(err, OG_INVALID, "list property '%.*s' expects items of %.*s, got %s",
                            OG_FMT(c->prop->name), OG_FMT(name), og_buf_cstr(&got));
    if (type->nullable)
        return og_error_set(err, OG_INVALID, "property '%.*s' expects %.*s, got %s",
                            OG_FMT(c->prop->name), OG_FMT(name), og_buf_cstr(&got));
    og_graph__required(c, err);
    if (err != NULL) {
        size_t len = strlen(err->message);
        snprintf(err->message + len, sizeof err->message - len, ": expected %.*s, got %s",
                 OG_FMT(name), og_buf_cstr(&got));
    }
    return OG_INVALID;
}

/* ---- one value ---------------------------------------------------------------------------- */

/* A value of a type that the column does not take: refused, or null when lenient. */
static og_status wrong_type(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                            const og_json *value, bool is_item, og_error *err)
{
    if (rs->lenient == NULL)
        return refuse(c, value, is_item, err);
    if (is_item) {
        rs->lenient->list_items++;
        return og_builder_null(b) ? OG_OK : og_error_nomem(err);
    }
    OG_TRY(og_graph__put_null(c, err));
    rs->lenient->wrong_types++;
    return OG_OK;
}

/* serde_json reads as an integer: no fraction, no exponent, and -0 is a float. */
static bool is_plain_integer(const og_json *value)
{
    return value->kind == OG_JSON_NUMBER && value->is_integer && !og_str_is(value->text, "-0");
}

/* The number as i64 or u64 (one of them true), or neither. */
static bool read_i64(const og_graph__rowset *rs, const og_json *value, int64_t *out)
{
    if (value->kind != OG_JSON_NUMBER || (rs->lenient != NULL && !is_plain_integer(value)))
        return false;
    return og_json_to_i64(value, out);
}

static bool read_u64(const og_graph__rowset *rs, const og_json *value, uint64_t *out)
{
    if (value->kind != OG_JSON_NUMBER || (rs->lenient != NULL && !is_plain_integer(value)))
        return false;
    return og_json_to_u64(value, out);
}

static og_status beyond(const char *type, const og_json *value, og_error *err)
{
    return og_error_set(err, OG_INVALID, "list value %.*s exceeds %s range", OG_FMT(value->text),
                        type);
}

static og_status append_signed(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                               const og_json *value, bool is_item, og_error *err)
{
    int64_t number;
    uint64_t large;
    bool is_narrow = c->prop->type.scalar == OG_SCALAR_I32;
    if (!read_i64(rs, value, &number)) {
        if (rs->lenient == NULL && read_u64(rs, value, &large))
            return og_graph__put_u64(rs, c, b, large, is_item, err);
        return wrong_type(rs, c, b, value, is_item, err);
    }
    if (is_narrow && number != (int32_t)number) {
        if (is_item)
            return beyond("Int32", value, err);
        if (rs->lenient != NULL) {
            rs->lenient->integers_wrapped++;
            number = (int32_t)number;
        }
    }
    return og_graph__put_i64(rs, c, b, number, is_item, err);
}

static og_status append_unsigned(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                                 const og_json *value, bool is_item, og_error *err)
{
    uint64_t number;
    int64_t negative;
    bool is_narrow = c->prop->type.scalar == OG_SCALAR_U32;
    if (!read_u64(rs, value, &number)) {
        if (rs->lenient == NULL && read_i64(rs, value, &negative))
            return og_graph__put_i64(rs, c, b, negative, is_item, err);
        return wrong_type(rs, c, b, value, is_item, err);
    }
    if (is_narrow && number > UINT32_MAX) {
        if (is_item)
            return beyond("UInt32", value, err);
        if (rs->lenient != NULL) {
            rs->lenient->integers_wrapped++;
            number = (uint32_t)number;
        }
    }
    return og_graph__put_u64(rs, c, b, number, is_item, err);
}

/* A finite double, or the error that there is none near (which the reference's JSON reader refuses
 * too). */
static og_status read_f64(const og_graph__column *c, const og_json *value, double *out,
                          og_error *err)
{
    if (og_json_to_f64(value, out))
        return OG_OK;
    return og_error_set(err, OG_INVALID, "number out of range: %.*s in property '%.*s'",
                        OG_FMT(value->text), OG_FMT(c->prop->name));
}

/* Is the value fit for an F32? Lenient counts one that becomes infinite. */
static og_status check_f32(og_graph__rowset *rs, const og_graph__column *c, double value,
                           og_error *err)
{
    if (!og_graph__overflows_f32(value))
        return OG_OK;
    if (rs->lenient == NULL) {
        OG_AUTO_BUF shown = OG_BUF_INIT;
        og_json_write_f64(&shown, value);
        return og_error_set(err, OG_INVALID, "value %s of property '%.*s' is out of range for F32",
                            og_buf_cstr(&shown), OG_FMT(c->prop->name));
    }
    rs->lenient->float_overflows++;
    return OG_OK;
}

static og_status append_float(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                              const og_json *value, bool is_item, og_error *err)
{
    double number;
    if (value->kind != OG_JSON_NUMBER)
        return wrong_type(rs, c, b, value, is_item, err);
    OG_TRY(read_f64(c, value, &number, err));
    if (c->prop->type.scalar == OG_SCALAR_F32)
        OG_TRY(check_f32(rs, c, number, err));
    return og_graph__put_f64(rs, c, b, number, is_item, err);
}

static og_status append_date(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                             const og_json *value, bool is_item, og_error *err)
{
    bool is_day = c->prop->type.scalar == OG_SCALAR_DATE;
    const char *name = is_day ? "Date" : "DateTime";
    int64_t number;
    uint64_t large;
    if (value->kind == OG_JSON_STRING) {
        int32_t days = 0;
        if (is_day ? !og_parse_date(value->text, &days) : !og_parse_datetime(value->text, &number))
            return og_error_set(err, OG_INVALID, "property '%.*s': invalid %s literal '%.*s'",
                                OG_FMT(c->prop->name), name, OG_FMT(value->text));
        return og_graph__put_i64(rs, c, b, is_day ? days : number, is_item, err);
    }
    bool fits = read_i64(rs, value, &number);
    if (!fits && !read_u64(rs, value, &large))
        return wrong_type(rs, c, b, value, is_item, err);
    if (!fits || (is_day && number != (int32_t)number))
        return og_error_set(err, OG_INVALID, "property '%.*s': %s value out of range: %.*s",
                            OG_FMT(c->prop->name), name, OG_FMT(value->text));
    return og_graph__put_i64(rs, c, b, number, is_item, err);
}

static og_status append_one(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                            const og_json *value, bool is_item, og_error *err)
{
    switch (c->prop->type.scalar) {
    case OG_SCALAR_STRING:
        if (value->kind != OG_JSON_STRING)
            return wrong_type(rs, c, b, value, is_item, err);
        return og_graph__put_text(rs, c, b, value->text, is_item, err);
    case OG_SCALAR_BOOL:
        if (value->kind != OG_JSON_BOOL)
            return wrong_type(rs, c, b, value, is_item, err);
        return og_builder_bool(b, value->boolean) ? OG_OK : og_error_nomem(err);
    case OG_SCALAR_I32:
    case OG_SCALAR_I64:
        return append_signed(rs, c, b, value, is_item, err);
    case OG_SCALAR_U32:
    case OG_SCALAR_U64:
        return append_unsigned(rs, c, b, value, is_item, err);
    case OG_SCALAR_F32:
    case OG_SCALAR_F64:
        return append_float(rs, c, b, value, is_item, err);
    case OG_SCALAR_DATE:
    case OG_SCALAR_DATETIME:
        return append_date(rs, c, b, value, is_item, err);
    default:
        return og_error_set(err, OG_INVALID, "unsupported list element data type");
    }
}

/* ---- lists, vectors, blobs ---------------------------------------------------------------- */

/* A value as the reference shows it: numbers that are no 64-bit integers as floats. */
static void show(og_buf *out, const og_json *value)
{
    double real;
    int64_t negative;
    uint64_t positive;
    bool is_integer = is_plain_integer(value) &&
                      (og_json_to_i64(value, &negative) || og_json_to_u64(value, &positive));
    if (value->kind == OG_JSON_NUMBER && !is_integer && og_json_to_f64(value, &real))
        og_json_write_f64(out, real);
    else
        og_json_write(out, value, false);
}

static og_status append_list(og_graph__rowset *rs, const og_graph__column *c, const og_json *value,
                             og_error *err)
{
    if (value->kind != OG_JSON_ARRAY) {
        OG_AUTO_BUF got = OG_BUF_INIT;
        show(&got, value);
        return og_error_set(err, OG_INVALID, "list property '%.*s' expects a JSON array, got %s",
                            OG_FMT(c->prop->name), og_buf_cstr(&got));
    }
    og_builder *items = og_builder_child(c->builder, 0);
    for (uint32_t i = 0; i < value->count; i++) {
        const og_json *item = &value->items[i];
        if (item->kind != OG_JSON_NULL)
            OG_TRY(append_one(rs, c, items, item, true, err));
        else if (!og_builder_null(items))
            return og_error_nomem(err);
    }
    return og_builder_end_row(c->builder) ? OG_OK : og_error_nomem(err);
}

static og_status append_vector_item(og_graph__rowset *rs, const og_graph__column *c,
                                    og_builder *items, const og_json *item, og_error *err)
{
    double number = 0;
    if (item->kind == OG_JSON_NUMBER) {
        OG_TRY(read_f64(c, item, &number, err));
        OG_TRY(check_f32(rs, c, number, err));
    } else if (rs->lenient == NULL) {
        OG_AUTO_BUF got = OG_BUF_INIT;
        describe(&got, item);
        return og_error_set(err, OG_INVALID, "vector property '%.*s' expects numbers, got %s",
                            OG_FMT(c->prop->name), og_buf_cstr(&got));
    } else {
        rs->lenient->vector_items++;
    }
    return og_builder_f64(items, number) ? OG_OK : og_error_nomem(err);
}

static og_status append_vector(og_graph__rowset *rs, const og_graph__column *c,
                               const og_json *value, og_error *err)
{
    if (value->kind != OG_JSON_ARRAY)
        return wrong_type(rs, c, c->builder, value, false, err);
    if (value->count != c->prop->type.dim)
        return og_error_set(err, OG_INVALID, "vector property '%.*s' expects %u dimensions, got %u",
                            OG_FMT(c->prop->name), c->prop->type.dim, value->count);
    og_builder *items = og_builder_child(c->builder, 0);
    for (uint32_t i = 0; i < value->count; i++)
        OG_TRY(append_vector_item(rs, c, items, &value->items[i], err));
    return og_builder_end_row(c->builder) ? OG_OK : og_error_nomem(err);
}

static og_status append_blob(og_graph__rowset *rs, const og_graph__column *c, const og_json *value,
                             og_error *err)
{
    if (value->kind == OG_JSON_STRING)
        return og_graph__put_blob(rs, c, value->text, err);
    return og_error_set(err, OG_INVALID,
                        "blob property '%.*s' must be a URI string or base64: prefixed data",
                        OG_FMT(c->prop->name));
}

og_status og_graph__append_json(og_graph__rowset *rs, const og_graph__column *c,
                                const og_json *value, og_error *err)
{
    if (value->kind == OG_JSON_NULL)
        return og_graph__put_null(c, err);
    if (c->prop->type.list)
        return append_list(rs, c, value, err);
    if (c->prop->type.scalar == OG_SCALAR_VECTOR)
        return append_vector(rs, c, value, err);
    if (c->prop->type.scalar == OG_SCALAR_BLOB)
        return append_blob(rs, c, value, err);
    return append_one(rs, c, c->builder, value, false, err);
}
