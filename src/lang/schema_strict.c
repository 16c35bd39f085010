/* Defaults, and what a new graph may not have though it compiles. */
#include <math.h>

#include "base/json.h"
#include "base/regex.h"
#include "lang/query.h"
#include "lang/schema.h"
#include "lang/schema_ast.h"

/* ---- defaults ----------------------------------------------------------------------------- */

/* The text as the JSON value of the same meaning. What is no number, boolean or array stays text,
 * so that the conversion says what it expected. */
static void json_of_default(const og_prop_type *type, og_str text, og_arena *arena, og_json *out)
{
    *out = (og_json){.kind = OG_JSON_STRING, .text = text};
    og_json parsed;
    bool is_json = (type->list || type->scalar == OG_SCALAR_VECTOR ||
                    type->scalar == OG_SCALAR_BOOL || og_scalar_is_numeric(type->scalar)) &&
                   og_json_parse(arena, text, &parsed, NULL) == OG_OK;
    if (is_json)
        *out = parsed;
}

og_status og_lang__default_value(const og_prop_type *type, og_str text, og_str what,
                                 og_arena *arena, og_literal *out, og_error *err)
{
    og_json value;
    json_of_default(type, text, arena, &value);
    OG_TRY(og_literal_from_json(type, &value, what, arena, out, err));
    if (!type->is_enum || og_prop_type_has_value(type, text))
        return OG_OK;
    og_status status = og_error_set(err, OG_INVALID, "%.*s: '%.*s' is not a value of the enum",
                                    OG_FMT(what), OG_FMT(text));
    og_nearest nearest = og_nearest_to(text);
    for (uint32_t i = 0; i < type->enum_count; i++)
        og_nearest_offer(&nearest, type->enum_values[i]);
    og_nearest_hint(&nearest, err);
    return status;
}

static og_status check_default(const og_lang__schema *schema, const og_lang__decl *decl,
                               const og_lang__prop *prop, const og_lang__annotation *a,
                               og_error *err)
{
    og_str what = og_arena_printf(schema->arena, "@default on %.*s.%.*s", OG_FMT(decl->name.text),
                                  OG_FMT(prop->name.text));
    if (what.ptr == NULL)
        return og_error_nomem(err);
    if (!a->has_value)
        return og_lang__schema_fail(schema, a->name.span, err, "%s requires a value", what.ptr);
    /* As a word it would be text for a String. */
    if (og_str_is(a->value, "null") && schema->source.ptr[a->value_span.start] != '"') {
        og_lang__schema_fail(schema, a->value_span, err, "%s: null is no default", what.ptr);
        og_error_hint(err, "Leave the annotation out, or write \"null\" for the text.");
        return OG_INVALID;
    }
    og_literal value;
    og_status status =
        og_lang__default_value(&prop->type, a->value, what, schema->arena, &value, err);
    if (status == OG_INVALID)
        og_error_place(err, schema->source, a->value_span);
    return status;
}

static og_status check_defaults(const og_lang__schema *schema, const og_lang__decl *decl,
                                const og_lang__prop *prop, og_error *err)
{
    bool seen = false;
    for (uint32_t i = 0; i < prop->annotation_count; i++) {
        const og_lang__annotation *a = &prop->annotations[i];
        if (!og_str_is(a->name.text, "default"))
            continue;
        if (seen)
            return og_lang__schema_fail(schema, a->name.span, err,
                                        "property %.*s.%.*s declares @default multiple times",
                                        OG_FMT(decl->name.text), OG_FMT(prop->name.text));
        OG_TRY(check_default(schema, decl, prop, a, err));
        seen = true;
    }
    return OG_OK;
}

/* ---- names, bounds and patterns ----------------------------------------------------------- */

/* Columns that Lance makes itself and lets nobody store. */
static bool is_lance_column(og_str name)
{
    return og_str_is(name, "_rowid") || og_str_is(name, "_rowaddr") ||
           og_str_is(name, "_rowoffset");
}

/* Columns of a table that are no properties. */
static bool is_own_column(og_lang__decl_kind kind, og_str name)
{
    bool is_end = og_str_is(name, "src") || og_str_is(name, "dst");
    return og_str_is(name, "id") || (is_end && kind == OG_LANG__EDGE);
}

static og_status check_column_name(const og_lang__schema *schema, const og_lang__decl *decl,
                                   const og_lang__name *name, og_error *err)
{
    if (is_own_column(decl->kind, name->text))
        og_lang__schema_fail(
            schema, name->span, err,
            "Duplicate field name \"%.*s\" in schema: every %s has a column of this name",
            OG_FMT(name->text), og_lang__decl_word(decl->kind));
    else if (is_lance_column(name->text))
        og_lang__schema_fail(
            schema, name->span, err,
            "The column %.*s is a reserved name and cannot be used in a Lance dataset",
            OG_FMT(name->text));
    else
        return OG_OK;
    og_error_hint(err, "Choose another name for the property '%.*s' of %.*s.", OG_FMT(name->text),
                  OG_FMT(decl->name.text));
    return OG_INVALID;
}

/* The reference writes infinity as null into the IR, which it then can't read. */
static og_status check_bound(const og_lang__schema *schema, const og_lang__decl *decl,
                             const og_lang__constraint *c, og_span span, const og_literal *bound,
                             og_error *err)
{
    if (bound->kind != OG_LIT_FLOAT || isfinite(bound->real))
        return OG_OK;
    return og_lang__schema_fail(schema, span, err,
                                "@range on %.*s.%.*s: a bound is beyond the largest number",
                                OG_FMT(decl->name.text), OG_FMT(c->columns[0].text));
}

static double bound_number(const og_literal *bound)
{
    if (bound->kind == OG_LIT_FLOAT)
        return bound->real;
    return bound->is_unsigned ? (double)(uint64_t)bound->integer : (double)bound->integer;
}

static og_status check_bounds(const og_lang__schema *schema, const og_lang__decl *decl,
                              const og_lang__constraint *c, og_error *err)
{
    const og_lang__arg *written = &c->args[1];
    if (c->has_min)
        OG_TRY(check_bound(schema, decl, c, written->min, &c->min, err));
    if (c->has_max)
        OG_TRY(check_bound(schema, decl, c, written->max, &c->max, err));
    if (!c->has_min || !c->has_max || bound_number(&c->min) <= bound_number(&c->max))
        return OG_OK;
    return og_lang__schema_fail(
        schema, written->span, err,
        "@range on %.*s.%.*s: no value is within, the minimum is above the maximum",
        OG_FMT(decl->name.text), OG_FMT(c->columns[0].text));
}

static og_status check_pattern(const og_lang__schema *schema, const og_lang__decl *decl,
                               const og_lang__constraint *c, og_error *err)
{
    OG_AUTO(og_regex) regex = NULL;
    og_status status = og_regex_new(c->pattern, &regex, err);
    if (status == OG_OK)
        return OG_OK;
    og_error_context(err, status, "@check on %.*s.%.*s", OG_FMT(decl->name.text),
                     OG_FMT(c->columns[0].text));
    og_error_place(err, schema->source, c->args[1].span);
    return status;
}

static og_status check_decl(const og_lang__schema *schema, const og_lang__decl *decl, og_error *err)
{
    for (uint32_t i = 0; i < decl->prop_count; i++) {
        if (decl->kind != OG_LANG__INTERFACE)
            OG_TRY(check_column_name(schema, decl, &decl->props[i].name, err));
        OG_TRY(check_defaults(schema, decl, &decl->props[i], err));
    }
    for (uint32_t i = 0; i < decl->constraint_count; i++) {
        const og_lang__constraint *c = &decl->constraints[i];
        if (c->kind == OG_LANG__CHECK)
            OG_TRY(check_pattern(schema, decl, c, err));
        else if (c->kind == OG_LANG__RANGE)
            OG_TRY(check_bounds(schema, decl, c, err));
    }
    return OG_OK;
}

og_status og_schema_check_strict(og_str source, og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    if (arena == NULL)
        return og_error_nomem(err);
    og_lang__schema schema;
    OG_TRY(og_lang__schema_read(&schema, source, arena, err));
    schema.error_kind = "";
    for (uint32_t i = 0; i < schema.decl_count; i++)
        OG_TRY(check_decl(&schema, &schema.decls[i], err));
    return OG_OK;
}
