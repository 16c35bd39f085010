/* From places in the text to values. The errors, and their order, are those of the reference's
 * parse_* functions and resolve_interfaces (schema/parser.rs). */
#include <math.h>

#include <stdlib.h>

#include "base/map.h"
#include "base/number.h"
#include "lang/scan.h"
#include "lang/schema_ast.h"

/* No schema reaches these. Without them a hostile one fills the memory: many nodes may each take
 * all properties of a large interface. */
#define MAX_TYPES 65536
#define MAX_PROPERTIES 262144

static og_str text_of(const og_lang__schema *schema, og_span span)
{
    return og_str_slice(schema->source, span.start, span.end);
}

/* u32 as Rust's str::parse reads it. */
static bool parse_u32(og_str text, uint32_t *out)
{
    uint64_t value;
    if (!og_parse_u64(text, &value) || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

/* Text of an annotation or a pattern. */
static og_status decode_text(const og_lang__schema *schema, og_span span, og_str *out,
                             og_error *err)
{
    og_status status = og_decode_string(text_of(schema, span), schema->arena, out, err);
    if (status != OG_INVALID)
        return status;
    og_error_place(err, schema->source, span);
    return og_error_context(err, status, "parse error: parse error");
}

static og_status decode_annotations(const og_lang__schema *schema, og_lang__annotation *annotations,
                                    uint32_t count, og_error *err)
{
    for (uint32_t i = 0; i < count; i++)
        if (annotations[i].has_value)
            OG_TRY(decode_text(schema, annotations[i].value_span, &annotations[i].value, err));
    return OG_OK;
}

/* ---- types -------------------------------------------------------------------------------- */

static og_status decode_vector(const og_lang__schema *schema, og_lang__prop *prop, og_error *err)
{
    og_str digits = text_of(schema, prop->core);
    uint32_t dim;
    if (!parse_u32(digits, &dim))
        return og_lang__schema_fail(
            schema, prop->core, err,
            "invalid Vector dimension: number too large to fit in target type");
    if (dim == 0)
        return og_lang__schema_fail(schema, prop->core, err,
                                    "Vector dimension must be greater than zero");
    if (dim > INT32_MAX)
        return og_lang__schema_fail(schema, prop->core, err,
                                    "Vector dimension %u exceeds maximum supported %d", dim,
                                    INT32_MAX);
    prop->type.scalar = OG_SCALAR_VECTOR;
    prop->type.dim = dim;
    return OG_OK;
}

static int compare_str(const void *a, const void *b)
{
    return og_str_cmp(*(const og_str *)a, *(const og_str *)b);
}

/* The name that stands twice; only called when one does. */
static og_span repeated_value(const og_lang__prop *prop, og_str value)
{
    og_span last = prop->core;
    for (uint32_t i = 0; i < prop->enum_value_count; i++)
        if (og_str_eq(prop->enum_values[i].text, value))
            last = prop->enum_values[i].span;
    return last;
}

static og_status decode_enum(const og_lang__schema *schema, og_lang__prop *prop, og_error *err)
{
    uint32_t count = prop->enum_value_count;
    og_str *values = og_arena_array_of(schema->arena, og_str, count);
    if (values == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        values[i] = prop->enum_values[i].text;
    qsort(values, count, sizeof *values, compare_str);
    for (uint32_t i = 1; i < count; i++)
        if (og_str_eq(values[i - 1], values[i]))
            return og_lang__schema_fail(schema, repeated_value(prop, values[i]), err,
                                        "enum type cannot include duplicate values");
    prop->type.scalar = OG_SCALAR_STRING;
    prop->type.is_enum = true;
    prop->type.enum_values = values;
    prop->type.enum_count = count;
    return OG_OK;
}

static og_status decode_type(const og_lang__schema *schema, og_lang__prop *prop, og_error *err)
{
    prop->type.nullable = prop->nullable;
    if (prop->form == OG_LANG__TYPE_VECTOR)
        return decode_vector(schema, prop, err);
    if (prop->form == OG_LANG__TYPE_ENUM)
        return decode_enum(schema, prop, err);
    prop->type.list = prop->form == OG_LANG__TYPE_LIST;
    bool known = og_scalar_parse(text_of(schema, prop->core), &prop->type.scalar);
    if (!known || (prop->type.list && prop->type.scalar == OG_SCALAR_BLOB))
        return og_lang__schema_fail(schema, prop->type_span, err, "list of Blob is not supported");
    return OG_OK;
}

static og_status decode_prop(const og_lang__schema *schema, og_lang__prop *prop, og_error *err)
{
    OG_TRY(decode_type(schema, prop, err));
    return decode_annotations(schema, prop->annotations, prop->annotation_count, err);
}

/* ---- constraints -------------------------------------------------------------------------- */

static og_status decode_columns(const og_lang__schema *schema, og_lang__constraint *c,
                                uint32_t count, og_error *err)
{
    c->columns = og_arena_array_of(schema->arena, og_lang__name, count);
    if (c->columns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++) {
        if (c->args[i].kind != OG_LANG__ARG_NAME)
            return og_lang__schema_fail(schema, c->args[i].span, err,
                                        "expected property name in constraint");
        c->columns[i] = (og_lang__name){text_of(schema, c->args[i].span), c->args[i].span};
    }
    c->column_count = count;
    return OG_OK;
}

/* The nearest double to digits with an optional sign and fraction; infinity beyond the largest. */
static double parse_decimal(og_str text)
{
    bool negative = *text.ptr == '-';
    size_t first = negative;
    while (text.len - first > 1 && text.ptr[first] == '0' && text.ptr[first + 1] != '.')
        first++;
    double value;
    if (!og_parse_f64(og_str_slice(text, first, text.len), &value))
        value = INFINITY;
    return negative ? -value : value;
}

/* An integer when it fits i64, else the nearest float. */
static og_literal decode_bound(const og_lang__schema *schema, og_span span)
{
    og_str text = text_of(schema, span);
    og_literal literal = {.kind = OG_LIT_INTEGER, .text = text};
    if (!og_parse_i64(text, &literal.integer)) {
        literal.kind = OG_LIT_FLOAT;
        literal.real = parse_decimal(text);
    }
    return literal;
}

static og_status decode_range(const og_lang__schema *schema, og_lang__constraint *c, og_error *err)
{
    if (c->arg_count < 2)
        return og_lang__schema_fail(
            schema, c->span, err,
            "@range requires property name and bounds: @range(prop, min..max)");
    OG_TRY(decode_columns(schema, c, 1, err));
    const og_lang__arg *arg = &c->args[1];
    if (arg->kind != OG_LANG__ARG_RANGE)
        return og_lang__schema_fail(schema, arg->span, err,
                                    "expected range bounds (min..max) in @range constraint");
    c->has_min = arg->has_min;
    c->has_max = arg->has_max;
    if (c->has_min)
        c->min = decode_bound(schema, arg->min);
    if (c->has_max)
        c->max = decode_bound(schema, arg->max);
    return OG_OK;
}

static og_status decode_check(const og_lang__schema *schema, og_lang__constraint *c, og_error *err)
{
    if (c->arg_count < 2)
        return og_lang__schema_fail(
            schema, c->span, err,
            "@check requires property name and pattern: @check(prop, \"regex\")");
    OG_TRY(decode_columns(schema, c, 1, err));
    if (c->args[1].kind != OG_LANG__ARG_STRING)
        return og_lang__schema_fail(schema, c->args[1].span, err,
                                    "expected string argument in constraint");
    return decode_text(schema, c->args[1].span, &c->pattern, err);
}

static og_status decode_constraint(const og_lang__schema *schema, og_lang__constraint *c,
                                   og_error *err)
{
    switch (c->kind) {
    case OG_LANG__RANGE:
        return decode_range(schema, c, err);
    case OG_LANG__CHECK:
        return decode_check(schema, c, err);
    default:
        return decode_columns(schema, c, c->arg_count, err);
    }
}

/* Constraints that annotations of properties stand for, appended to those of the body. */
static og_status add_property_constraints(const og_lang__schema *schema, og_lang__decl *decl,
                                          const og_lang__prop *props, uint32_t prop_count,
                                          og_error *err)
{
    static const char *const words[] = {"key", "unique", "index"};
    uint32_t extra = 0;
    for (uint32_t i = 0; i < prop_count; i++)
        extra += props[i].annotation_count;
    if (extra == 0)
        return OG_OK;
    uint32_t count = decl->constraint_count;
    og_lang__constraint *all =
        og_arena_array_of(schema->arena, og_lang__constraint, (size_t)count + extra);
    og_lang__name *columns = og_arena_array_of(schema->arena, og_lang__name, extra);
    if (all == NULL || columns == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < count; i++)
        all[i] = decl->constraints[i];
    for (uint32_t i = 0; i < prop_count; i++) {
        for (uint32_t j = 0; j < props[i].annotation_count; j++) {
            const og_lang__annotation *a = &props[i].annotations[j];
            for (int kind = OG_LANG__KEY; kind <= OG_LANG__INDEX; kind++) {
                if (a->has_value || !og_str_is(a->name.text, words[kind]))
                    continue;
                *columns = props[i].name;
                all[count++] = (og_lang__constraint){
                    .kind = (og_lang__constraint_kind)kind,
                    .span = a->name.span,
                    .columns = columns++,
                    .column_count = 1,
                };
            }
        }
    }
    decl->constraints = all;
    decl->constraint_count = count;
    return OG_OK;
}

/* ---- declarations ------------------------------------------------------------------------- */

static og_status decode_card(const og_lang__schema *schema, og_lang__decl *decl, og_error *err)
{
    decl->card_max = UINT32_MAX;
    if (!decl->has_card)
        return OG_OK;
    og_str min = text_of(schema, decl->card_min_span);
    if (!parse_u32(min, &decl->card_min))
        return og_lang__schema_fail(schema, decl->card_min_span, err,
                                    "invalid cardinality min: %.*s", OG_FMT(min));
    if (!decl->has_card_max)
        return OG_OK;
    og_str max = text_of(schema, decl->card_max_span);
    if (!parse_u32(max, &decl->card_max))
        return og_lang__schema_fail(schema, decl->card_max_span, err,
                                    "invalid cardinality max: %.*s", OG_FMT(max));
    if (decl->card_min > decl->card_max)
        return og_lang__schema_fail(schema, decl->card_min_span, err,
                                    "cardinality min (%u) exceeds max (%u)", decl->card_min,
                                    decl->card_max);
    return OG_OK;
}

/* Properties and constraints in the order written, as two lists sorted by place. */
static og_status decode_body(const og_lang__schema *schema, og_lang__decl *decl, og_error *err)
{
    uint32_t prop = 0, constraint = 0;
    while (prop < decl->prop_count || constraint < decl->constraint_count) {
        bool is_prop = constraint == decl->constraint_count ||
                       (prop < decl->prop_count && decl->props[prop].name.span.start <
                                                       decl->constraints[constraint].span.start);
        if (is_prop)
            OG_TRY(decode_prop(schema, &decl->props[prop++], err));
        else
            OG_TRY(decode_constraint(schema, &decl->constraints[constraint++], err));
    }
    return OG_OK;
}

static og_status decode_decl(const og_lang__schema *schema, og_lang__decl *decl, og_error *err)
{
    OG_TRY(decode_card(schema, decl, err));
    OG_TRY(decode_annotations(schema, decl->annotations, decl->annotation_count, err));
    OG_TRY(decode_body(schema, decl, err));
    if (decl->kind == OG_LANG__INTERFACE)
        return OG_OK;
    return add_property_constraints(schema, decl, decl->props, decl->prop_count, err);
}

/* ---- interfaces --------------------------------------------------------------------------- */

static og_status fail_too_many_properties(og_error *err)
{
    return og_error_set(err, OG_LIMIT, "the types of the schema have more than %d properties",
                        MAX_PROPERTIES);
}

static og_status fail_unknown_interface(const og_lang__schema *schema, const og_lang__decl *node,
                                        const og_lang__name *name, og_error *err)
{
    og_status status = og_lang__schema_fail(schema, name->span, err,
                                            "node %.*s implements unknown interface '%.*s'",
                                            OG_FMT(node->name.text), OG_FMT(name->text));
    og_nearest nearest = og_nearest_to(name->text);
    for (uint32_t i = 0; i < schema->decl_count; i++)
        if (schema->decls[i].kind == OG_LANG__INTERFACE)
            og_nearest_offer(&nearest, schema->decls[i].name.text);
    og_nearest_hint(&nearest, err);
    return status;
}

static og_status fail_type_conflict(const og_lang__schema *schema, const og_lang__decl *node,
                                    const og_lang__prop *own, const og_lang__name *interface,
                                    const og_lang__prop *wanted, og_error *err)
{
    og_str own_type = og_prop_type_name(schema->arena, &own->type);
    og_str wanted_type = og_prop_type_name(schema->arena, &wanted->type);
    if (own_type.ptr == NULL || wanted_type.ptr == NULL)
        return og_error_nomem(err);
    return og_lang__schema_fail(
        schema, own->type_span, err,
        "node %.*s property '%.*s' has type %.*s but interface %.*s declares it as %.*s",
        OG_FMT(node->name.text), OG_FMT(own->name.text), OG_FMT(own_type), OG_FMT(interface->text),
        OG_FMT(wanted_type));
}

/* Names of a node's own properties to their indices; of equal ones the first. */
static og_status map_props(const og_lang__decl *node, og_strmap *own, og_error *err)
{
    for (uint32_t i = 0; i < node->prop_count; i++) {
        bool is_new;
        uint64_t *index = og_strmap_put(own, node->props[i].name.text, &is_new);
        if (index == NULL)
            return og_error_nomem(err);
        if (is_new)
            *index = i;
    }
    return OG_OK;
}

/* Give the node what it lacks of one interface; there is room behind its properties. */
static og_status implement(const og_lang__schema *schema, og_lang__decl *node,
                           const og_lang__name *name, const og_lang__decl *interface,
                           og_strmap *own, og_error *err)
{
    for (uint32_t i = 0; i < interface->prop_count; i++) {
        const og_lang__prop *wanted = &interface->props[i];
        bool is_new;
        uint64_t *index = og_strmap_put(own, wanted->name.text, &is_new);
        if (index == NULL)
            return og_error_nomem(err);
        if (is_new) {
            *index = node->prop_count;
            node->props[node->prop_count++] = *wanted;
        } else if (!og_prop_type_eq(&node->props[*index].type, &wanted->type)) {
            return fail_type_conflict(schema, node, &node->props[*index], name, wanted, err);
        }
    }
    return OG_OK;
}

/* The interfaces of a node, each once, and how many properties they have together. A name without
 * an interface ends the list: *out_unknown. */
static og_status list_interfaces(const og_lang__schema *schema, const og_strmap *interfaces,
                                 const og_lang__decl *node, og_strmap *listed,
                                 const og_lang__name **out_unknown, size_t *out_props,
                                 og_error *err)
{
    *out_unknown = NULL;
    *out_props = 0;
    for (uint32_t i = 0; i < node->implements_count && *out_unknown == NULL; i++) {
        const og_lang__name *name = &node->implements[i];
        const uint64_t *index = og_strmap_get(interfaces, name->text);
        if (index == NULL) {
            *out_unknown = name;
            break;
        }
        bool is_new;
        uint64_t *place = og_strmap_put(listed, name->text, &is_new);
        if (place == NULL)
            return og_error_nomem(err);
        if (is_new) {
            *place = i;
            *out_props += schema->decls[*index].prop_count;
        }
    }
    return OG_OK;
}

/* *room is how many properties the schema may still get. */
static og_status resolve_interfaces(const og_lang__schema *schema, const og_strmap *interfaces,
                                    og_lang__decl *node, size_t *room, og_error *err)
{
    OG_AUTO(og_strmap) own = og_strmap_new(true);
    OG_AUTO(og_strmap) listed = og_strmap_new(true);
    if (own == NULL || listed == NULL)
        return og_error_nomem(err);
    const og_lang__name *unknown;
    size_t extra;
    OG_TRY(list_interfaces(schema, interfaces, node, listed, &unknown, &extra, err));
    OG_TRY(map_props(node, own, err));
    if (extra > *room)
        return fail_too_many_properties(err);
    *room -= extra;

    uint32_t own_count = node->prop_count;
    og_lang__prop *props = og_arena_array_of(schema->arena, og_lang__prop, own_count + extra);
    if (props == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < own_count; i++)
        props[i] = node->props[i];
    node->props = props;
    for (size_t i = 0; i < og_strmap_len(listed); i++) {
        uint64_t place;
        og_str name = og_strmap_at(listed, i, &place);
        uint64_t index = *og_strmap_get(interfaces, name);
        OG_TRY(implement(schema, node, &node->implements[place], &schema->decls[index], own, err));
    }
    if (unknown != NULL)
        return fail_unknown_interface(schema, node, unknown, err);
    return add_property_constraints(schema, node, props + own_count, node->prop_count - own_count,
                                    err);
}

/* Interfaces by name; of equal ones the last. */
static og_status map_interfaces(const og_lang__schema *schema, og_strmap *interfaces, og_error *err)
{
    for (uint32_t i = 0; i < schema->decl_count; i++) {
        if (schema->decls[i].kind != OG_LANG__INTERFACE)
            continue;
        uint64_t *index = og_strmap_put(interfaces, schema->decls[i].name.text, NULL);
        if (index == NULL)
            return og_error_nomem(err);
        *index = i;
    }
    return OG_OK;
}

og_status og_lang__schema_decode(og_lang__schema *schema, og_error *err)
{
    if (schema->decl_count > MAX_TYPES)
        return og_error_set(err, OG_LIMIT, "the schema has more than %d types", MAX_TYPES);
    size_t room = MAX_PROPERTIES;
    for (uint32_t i = 0; i < schema->decl_count; i++) {
        if (schema->decls[i].prop_count > room)
            return fail_too_many_properties(err);
        room -= schema->decls[i].prop_count;
        OG_TRY(decode_decl(schema, &schema->decls[i], err));
    }

    OG_AUTO(og_strmap) interfaces = og_strmap_new(true);
    if (interfaces == NULL)
        return og_error_nomem(err);
    OG_TRY(map_interfaces(schema, interfaces, err));
    for (uint32_t i = 0; i < schema->decl_count; i++)
        if (schema->decls[i].kind == OG_LANG__NODE)
            OG_TRY(resolve_interfaces(schema, interfaces, &schema->decls[i], &room, err));
    return OG_OK;
}
