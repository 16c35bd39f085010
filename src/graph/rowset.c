#include "graph/rowset_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/number.h"
#include "base/timeval.h"

/* ---- making ------------------------------------------------------------------------------- */

static og_status make_columns(og_graph__rowset *rs, og_error *err)
{
    const og_type_def *def = rs->def;
    uint32_t first = og_type_def_first_property(def);
    for (uint32_t i = 0; i < first; i++) {
        rs->ids[i] = og_builder_new(def->table_schema->fields[i].type);
        if (rs->ids[i] == NULL)
            return og_error_nomem(err);
    }
    rs->columns = og_calloc((size_t)def->property_count + 1, sizeof *rs->columns);
    if (rs->columns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < def->property_count; i++) {
        rs->columns[i].prop = &def->properties[i];
        rs->columns[i].builder = og_builder_new(def->table_schema->fields[first + i].type);
        if (rs->columns[i].builder == NULL)
            return og_error_nomem(err);
    }
    for (uint32_t i = 0; i < def->range_count; i++)
        rs->columns[def->ranges[i].property].has_range = true;
    return OG_OK;
}

static og_status compile_patterns(og_graph__rowset *rs, og_error *err)
{
    const og_type_def *def = rs->def;
    rs->patterns = og_calloc((size_t)def->check_count + 1, sizeof *rs->patterns);
    if (rs->patterns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < def->check_count; i++) {
        const og_check_constraint *check = &def->checks[i];
        og_status s = og_regex_new(check->pattern, &rs->patterns[i], err);
        if (s == OG_INVALID)
            return og_error_context(
                err, s, "@check on %.*s.%.*s has invalid regex '%.*s'", OG_FMT(def->name),
                OG_FMT(def->properties[check->property].name), OG_FMT(check->pattern));
        OG_TRY(s);
        rs->columns[check->property].has_check = true;
    }
    return OG_OK;
}

og_status og_graph__rowset_new(const og_type_def *def, og_lenient_counts *lenient,
                               og_graph__rowset **out, og_error *err)
{
    OG_AUTO(og_graph__rowset) rs = og_calloc(1, sizeof *rs);
    if (rs == NULL)
        return og_error_nomem(err);
    rs->def = def;
    rs->lenient = lenient;
    OG_TRY(make_columns(rs, err));
    OG_TRY(compile_patterns(rs, err));
    *out = OG_TAKE(rs);
    return OG_OK;
}

void og_graph__rowset_free(og_graph__rowset *rowset)
{
    if (rowset == NULL)
        return;
    for (size_t i = 0; i < 3; i++)
        og_builder_free(rowset->ids[i]);
    for (uint32_t i = 0; rowset->columns != NULL && i < rowset->def->property_count; i++)
        og_builder_free(rowset->columns[i].builder);
    for (uint32_t i = 0; rowset->patterns != NULL && i < rowset->def->check_count; i++)
        og_regex_free(rowset->patterns[i]);
    og_free(rowset->columns);
    og_free(rowset->patterns);
    og_buf_deinit(&rowset->scratch);
    og_free(rowset);
}

int64_t og_graph__rowset_rows(const og_graph__rowset *rowset)
{
    return rowset->rows;
}

/* ---- rules of one value ------------------------------------------------------------------- */

static og_status check_enum(const og_graph__rowset *rs, const og_graph__column *c, og_str text,
                            og_error *err)
{
    const og_prop_type *type = &c->prop->type;
    uint32_t low = 0, high = type->enum_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = og_str_cmp(text, type->enum_values[middle]);
        if (order == 0)
            return OG_OK;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    OG_AUTO_BUF allowed = OG_BUF_INIT;
    for (uint32_t i = 0; i < type->enum_count; i++) {
        og_buf_text(&allowed, i > 0 ? ", " : "");
        og_buf_str(&allowed, type->enum_values[i]);
    }
    return og_error_set(err, OG_INVALID, "invalid enum value '%.*s' for %.*s.%.*s (expected: %s)",
                        OG_FMT(text), OG_FMT(rs->def->name), OG_FMT(c->prop->name),
                        og_buf_cstr(&allowed));
}

static og_status check_patterns(og_graph__rowset *rs, const og_graph__column *c, og_str text,
                                og_error *err)
{
    const og_type_def *def = rs->def;
    for (uint32_t i = 0; i < def->check_count; i++) {
        const og_check_constraint *check = &def->checks[i];
        if (&def->properties[check->property] != c->prop)
            continue;
        bool matches;
        OG_TRY(og_regex_matches(rs->patterns[i], text, &matches, err));
        if (!matches)
            return og_error_set(
                err, OG_INVALID,
                "@check violation on %.*s.%.*s: value '%.*s' does not match pattern '%.*s'",
                OG_FMT(def->name), OG_FMT(c->prop->name), OG_FMT(text), OG_FMT(check->pattern));
    }
    return OG_OK;
}

/* A long double holds each i64, u64 and double exactly (64 bits of mantissa or more). */
static long double bound_of(const og_literal *literal)
{
    if (literal->kind == OG_LIT_FLOAT)
        return literal->real;
    return literal->is_unsigned ? (long double)(uint64_t)literal->integer
                                : (long double)literal->integer;
}

static og_status out_of_range(const og_graph__rowset *rs, const og_graph__column *c,
                              long double value, const char *bound, const og_literal *limit,
                              og_error *err)
{
    OG_AUTO_BUF shown = OG_BUF_INIT;
    og_graph__write_number(&shown, (double)value);
    og_buf_printf(&shown, " %s ", bound);
    og_graph__write_number(&shown, (double)bound_of(limit));
    return og_error_set(err, OG_INVALID, "@range violation on %.*s.%.*s: value %s",
                        OG_FMT(rs->def->name), OG_FMT(c->prop->name), og_buf_cstr(&shown));
}

static og_status check_range(const og_graph__rowset *rs, const og_graph__column *c,
                             long double value, og_error *err)
{
    const og_type_def *def = rs->def;
    if (isnan(value))
        return og_error_set(err, OG_INVALID, "@range violation on %.*s.%.*s: value is NaN",
                            OG_FMT(def->name), OG_FMT(c->prop->name));
    for (uint32_t i = 0; i < def->range_count; i++) {
        const og_range_constraint *range = &def->ranges[i];
        if (&def->properties[range->property] != c->prop)
            continue;
        if (range->has_min && value < bound_of(&range->min))
            return out_of_range(rs, c, value, "< min", &range->min, err);
        if (range->has_max && value > bound_of(&range->max))
            return out_of_range(rs, c, value, "> max", &range->max, err);
    }
    return OG_OK;
}

static og_status misfit(const og_graph__column *c, const char *sign, uint64_t magnitude,
                        og_error *err)
{
    const char *name = c->prop->type.scalar == OG_SCALAR_I32   ? "I32"
                       : c->prop->type.scalar == OG_SCALAR_U32 ? "U32"
                       : c->prop->type.scalar == OG_SCALAR_U64 ? "U64"
                                                               : "I64";
    return og_error_set(err, OG_INVALID,
                        "value %s%" PRIu64 " of property '%.*s' is out of range for %s", sign,
                        magnitude, OG_FMT(c->prop->name), name);
}

/* ---- putting values ----------------------------------------------------------------------- */

static og_status appended(bool ok, og_error *err)
{
    return ok ? OG_OK : og_error_nomem(err);
}

og_status og_graph__put_text(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                             og_str text, bool is_item, og_error *err)
{
    if (c->prop->type.is_enum)
        OG_TRY(check_enum(rs, c, text, err));
    if (c->has_check && !is_item)
        OG_TRY(check_patterns(rs, c, text, err));
    return appended(og_builder_str(b, text), err);
}

og_status og_graph__put_i64(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                            int64_t value, bool is_item, og_error *err)
{
    og_scalar scalar = c->prop->type.scalar;
    if (scalar == OG_SCALAR_U32 || scalar == OG_SCALAR_U64) {
        if (value < 0)
            return misfit(c, "-", -(uint64_t)value, err);
        return og_graph__put_u64(rs, c, b, (uint64_t)value, is_item, err);
    }
    bool narrow = scalar == OG_SCALAR_I32 || scalar == OG_SCALAR_DATE;
    if (narrow && value != (int32_t)value)
        return misfit(c, value < 0 ? "-" : "", value < 0 ? -(uint64_t)value : (uint64_t)value, err);
    if (c->has_range && !is_item)
        OG_TRY(check_range(rs, c, value, err));
    return appended(og_builder_i64(b, value), err);
}

og_status og_graph__put_u64(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                            uint64_t value, bool is_item, og_error *err)
{
    og_scalar scalar = c->prop->type.scalar;
    if (scalar != OG_SCALAR_U32 && scalar != OG_SCALAR_U64) {
        if (value > INT64_MAX)
            return misfit(c, "", value, err);
        return og_graph__put_i64(rs, c, b, (int64_t)value, is_item, err);
    }
    if (scalar == OG_SCALAR_U32 && value > UINT32_MAX)
        return misfit(c, "", value, err);
    if (c->has_range && !is_item)
        OG_TRY(check_range(rs, c, value, err));
    return appended(og_builder_u64(b, value), err);
}

og_status og_graph__put_f64(og_graph__rowset *rs, const og_graph__column *c, og_builder *b,
                            double value, bool is_item, og_error *err)
{
    if (c->has_range && !is_item)
        OG_TRY(check_range(
            rs, c, c->prop->type.scalar == OG_SCALAR_F32 ? (double)(float)value : value, err));
    return appended(og_builder_f64(b, value), err);
}

/* Begins with a scheme (RFC 3986 section 3.1), and something follows. */
static bool is_absolute_uri(og_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (c == ':')
            return i > 0 && i + 1 < text.len;
        if (!is_letter && (i == 0 || ((c < '0' || c > '9') && c != '+' && c != '-' && c != '.')))
            return false;
    }
    return false;
}

og_status og_graph__put_blob(og_graph__rowset *rs, const og_graph__column *c, og_str text,
                             og_error *err)
{
    og_builder *data = og_builder_child(c->builder, 0), *uri = og_builder_child(c->builder, 1);
    const og_str prefix = OG_STR("base64:");
    if (!og_str_starts(text, prefix)) {
        if (!is_absolute_uri(text))
            return og_error_set(err, OG_INVALID,
                                "blob property '%.*s' must be a URI string or base64: prefixed "
                                "data: '%.*s' is not a valid absolute URI",
                                OG_FMT(c->prop->name), OG_FMT(text));
        return appended(og_builder_null(data) && og_builder_str(uri, text) &&
                            og_builder_end_row(c->builder),
                        err);
    }
    og_buf_clear(&rs->scratch);
    if (!og_base64_decode(&rs->scratch, og_str_slice(text, prefix.len, text.len))) {
        if (rs->scratch.failed)
            return og_error_nomem(err);
        return og_error_set(err, OG_INVALID,
                            "invalid base64 blob data: property '%.*s' has a wrong character, "
                            "length or padding",
                            OG_FMT(c->prop->name));
    }
    return appended(og_builder_str(data, og_buf_view(&rs->scratch)) && og_builder_null(uri) &&
                        og_builder_end_row(c->builder),
                    err);
}

og_status og_graph__required(const og_graph__column *c, og_error *err)
{
    const og_prop_type *type = &c->prop->type;
    if (!type->list && type->scalar == OG_SCALAR_BLOB)
        return og_error_set(err, OG_INVALID, "non-nullable blob property '%.*s' has null values",
                            OG_FMT(c->prop->name));
    if (!type->list && type->scalar == OG_SCALAR_VECTOR)
        return og_error_set(err, OG_INVALID, "non-nullable vector property '%.*s' has null values",
                            OG_FMT(c->prop->name));
    return og_error_set(err, OG_INVALID, "non-nullable property '%.*s' has null or invalid values",
                        OG_FMT(c->prop->name));
}

og_status og_graph__put_null(const og_graph__column *c, og_error *err)
{
    if (!c->prop->type.nullable)
        return og_graph__required(c, err);
    return appended(og_builder_null(c->builder), err);
}

/* ---- rows --------------------------------------------------------------------------------- */

static og_status append_absent(og_graph__rowset *rs, const og_graph__column *c, og_error *err)
{
    if (c->prop->has_default)
        return og_graph__append_literal(rs, c, &c->prop->default_value, err);
    return og_graph__put_null(c, err);
}

static og_status append_value(og_graph__rowset *rs, uint32_t index, const og_graph__row *row,
                              og_error *err)
{
    const og_graph__column *c = &rs->columns[index];
    const og_graph__value *value = &row->values[index];
    switch (value->kind) {
    case OG_GRAPH__JSON:
        return og_graph__append_json(rs, c, value->json, err);
    case OG_GRAPH__LITERAL:
        return og_graph__append_literal(rs, c, value->literal, err);
    case OG_GRAPH__KEEP: {
        uint32_t column = og_type_def_first_property(rs->def) + index;
        return appended(
            og_builder_append_array(c->builder, row->old->columns[column], row->old_row, 1), err);
    }
    default:
        return append_absent(rs, c, err);
    }
}

/* A row is refused for its first bad value; the others are told in the detail, so that all can be
 * mended at once. */
static og_status refuse(og_graph__rowset *rowset, uint32_t bad, const og_graph__row *row,
                        og_status status, og_error *err)
{
    if (err == NULL || status != OG_INVALID)
        return status;
    OG_AUTO_BUF detail = OG_BUF_INIT;
    for (uint32_t i = bad + 1; i < rowset->def->property_count; i++) {
        og_error further;
        if (append_value(rowset, i, row, &further) == OG_INVALID)
            og_buf_printf(&detail, "%salso: %s", detail.len > 0 ? "\n" : "", further.message);
    }
    if (detail.len > 0 && err->detail[0] == '\0')
        og_error_detail(err, "%s", og_buf_cstr(&detail));
    return status;
}

og_status og_graph__rowset_append(og_graph__rowset *rowset, const og_graph__row *row, og_error *err)
{
    const og_str ids[3] = {row->id, row->src, row->dst};
    uint32_t first = og_type_def_first_property(rowset->def);
    for (uint32_t i = 0; i < first; i++)
        OG_TRY(appended(og_builder_str(rowset->ids[i], ids[i]), err));
    for (uint32_t i = 0; i < rowset->def->property_count; i++) {
        og_status s = append_value(rowset, i, row, err);
        if (s != OG_OK)
            return refuse(rowset, i, row, s, err);
    }
    rowset->rows++;
    return OG_OK;
}

og_status og_graph__rowset_finish(og_graph__rowset *rowset, og_batch *out, og_error *err)
{
    uint32_t first = og_type_def_first_property(rowset->def);
    OG_AUTO_BATCH batch = {0};
    OG_TRY(og_batch_init(&batch, first + rowset->def->property_count, rowset->rows, err));
    for (uint32_t i = 0; i < first; i++)
        OG_TRY(og_builder_finish(rowset->ids[i], &batch.columns[i], err));
    for (uint32_t i = 0; i < rowset->def->property_count; i++)
        OG_TRY(og_builder_finish(rowset->columns[i].builder, &batch.columns[first + i], err));
    rowset->rows = 0;
    *out = batch;
    batch = (og_batch){0};
    return OG_OK;
}

/* ---- numbers as text ---------------------------------------------------------------------- */

static bool write_decimal(og_buf *out, double value, bool is_single)
{
    value = is_single ? (double)(float)value : value;
    if (isnan(value))
        return og_buf_text(out, "NaN");
    if (signbit(value))
        og_buf_byte(out, '-');
    value = fabs(value);
    if (isinf(value))
        return og_buf_text(out, "inf");
    if (value == 0)
        return og_buf_byte(out, '0');
    char digits[17];
    int exponent, count = is_single ? og_f32_shortest((float)value, digits, &exponent)
                                    : og_f64_shortest(value, digits, &exponent);
    /* value = 0.d1d2d3... x 10^exponent */
    if (exponent <= 0) {
        og_buf_text(out, "0.");
        og_buf_fill(out, '0', (size_t)-exponent);
        return og_buf_append(out, digits, (size_t)count);
    }
    int whole = exponent < count ? exponent : count;
    og_buf_append(out, digits, (size_t)whole);
    og_buf_fill(out, '0', (size_t)(exponent - whole));
    if (whole < count)
        og_buf_byte(out, '.');
    return og_buf_append(out, digits + whole, (size_t)(count - whole));
}

bool og_graph__write_number(og_buf *out, double value)
{
    return write_decimal(out, value, false);
}

/* ---- ids of nodes ------------------------------------------------------------------------- */

static og_status missing_key(const og_type_def *def, og_error *err)
{
    return og_error_set(err, OG_INVALID, "node %.*s missing @key property '%.*s'",
                        OG_FMT(def->name), OG_FMT(def->properties[def->key_property].name));
}

/* A key given as JSON, as the literal that would have been stored. False: none can be made. */
static bool key_of_json(og_scalar scalar, const og_json *value, og_literal *out)
{
    int32_t days;
    switch (scalar) {
    case OG_SCALAR_STRING:
        *out = (og_literal){.kind = OG_LIT_STRING, .text = value->text};
        return value->kind == OG_JSON_STRING;
    case OG_SCALAR_BOOL:
        *out = (og_literal){.kind = OG_LIT_BOOL, .boolean = value->boolean};
        return value->kind == OG_JSON_BOOL;
    case OG_SCALAR_F32:
    case OG_SCALAR_F64:
        *out = (og_literal){.kind = OG_LIT_FLOAT};
        return value->kind == OG_JSON_NUMBER && og_json_to_f64(value, &out->real);
    case OG_SCALAR_DATE:
        *out = (og_literal){.kind = OG_LIT_DATE};
        if (value->kind == OG_JSON_NUMBER)
            return og_json_to_i64(value, &out->integer);
        if (value->kind != OG_JSON_STRING || !og_parse_date(value->text, &days))
            return false;
        out->integer = days;
        return true;
    case OG_SCALAR_DATETIME:
        *out = (og_literal){.kind = OG_LIT_DATETIME};
        if (value->kind == OG_JSON_NUMBER)
            return og_json_to_i64(value, &out->integer);
        return value->kind == OG_JSON_STRING && og_parse_datetime(value->text, &out->integer);
    case OG_SCALAR_VECTOR:
    case OG_SCALAR_BLOB:
        return false;
    default:
        *out = (og_literal){.kind = OG_LIT_INTEGER};
        if (value->kind != OG_JSON_NUMBER)
            return false;
        if (og_json_to_i64(value, &out->integer))
            return true;
        out->is_unsigned = true;
        return og_json_to_u64(value, (uint64_t *)&out->integer);
    }
}

/* The text of what is stored, so that all spellings of one value are one key:
 * of an F32 the shortest that names it. */
static bool write_key(og_buf *out, og_scalar scalar, const og_literal *key)
{
    switch (key->kind) {
    case OG_LIT_BOOL:
        return og_buf_text(out, key->boolean ? "true" : "false");
    case OG_LIT_FLOAT:
        return write_decimal(out, key->real, scalar == OG_SCALAR_F32);
    case OG_LIT_DATE:
        return og_format_date(out, (int32_t)key->integer);
    case OG_LIT_DATETIME:
        return og_format_datetime(out, key->integer, true, false);
    default:
        return key->is_unsigned ? og_json_write_u64(out, (uint64_t)key->integer)
                                : og_json_write_i64(out, key->integer);
    }
}

og_status og_graph__key_id(const og_type_def *def, const og_graph__value *value, og_buf *scratch,
                           og_str *out, og_error *err)
{
    og_literal made;
    const og_literal *key = value->literal;
    og_scalar scalar = def->properties[def->key_property].type.scalar;
    if (value->kind == OG_GRAPH__ABSENT || value->kind == OG_GRAPH__KEEP)
        return missing_key(def, err);
    if (value->kind == OG_GRAPH__JSON) {
        if (!key_of_json(scalar, value->json, &made))
            return missing_key(def, err);
        key = &made;
    }
    if (key->kind == OG_LIT_NULL || key->kind == OG_LIT_LIST)
        return missing_key(def, err);
    if (key->kind == OG_LIT_STRING) {
        *out = key->text;
        return OG_OK;
    }
    og_buf_clear(scratch);
    if (!write_key(scratch, scalar, key))
        return og_error_nomem(err);
    *out = og_buf_view(scratch);
    return OG_OK;
}
