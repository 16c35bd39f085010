/* What annotations and constraints may stand where. The errors, and their order, are those of the
 * reference's validate_schema_annotations and validate_constraints (schema/parser.rs). */
#include "base/map.h"
#include "lang/schema_ast.h"

static bool is_one_of(og_str name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (og_str_is(name, words[i]))
            return true;
    return false;
}

static bool is_structural(og_str name)
{
    static const char *const words[] = {"key", "unique", "index", "embed"};
    return is_one_of(name, words, 4);
}

/* Rust's str::trim() leaves nothing: white space of Unicode. */
static bool is_blank(og_str text)
{
    for (size_t i = 0; i < text.len;) {
        uint32_t c = og_utf8_next(text, &i);
        bool space = (c >= 9 && c <= 13) || c == 32 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
                     (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F ||
                     c == 0x205F || c == 0x3000;
        if (!space)
            return false;
    }
    return true;
}

/* A declaration with its properties by name. */
typedef struct prop_index {
    const og_lang__schema *schema;
    const og_lang__decl *decl;
    og_strmap *props; /* to their indices */
} prop_index;

static const og_lang__prop *find_prop(const prop_index *index, og_str name)
{
    const uint64_t *found = og_strmap_get(index->props, name);
    return found != NULL ? &index->decl->props[*found] : NULL;
}

static void hint_property(const prop_index *index, og_str name, og_error *err)
{
    og_nearest nearest = og_nearest_to(name);
    for (uint32_t i = 0; i < index->decl->prop_count; i++)
        og_nearest_offer(&nearest, index->decl->props[i].name.text);
    og_nearest_hint(&nearest, err);
}

/* ---- annotations -------------------------------------------------------------------------- */

/* @description and @instruction: once, with text. `target` is "node Person". */
static og_status check_text_annotation(const og_lang__schema *schema,
                                       const og_lang__annotation *annotations, uint32_t count,
                                       const char *name, og_str target, og_error *err)
{
    if (target.ptr == NULL)
        return og_error_nomem(err);
    bool seen = false;
    for (uint32_t i = 0; i < count; i++) {
        const og_lang__annotation *a = &annotations[i];
        if (!og_str_is(a->name.text, name))
            continue;
        if (seen)
            return og_lang__schema_fail(schema, a->name.span, err,
                                        "%.*s declares @%s multiple times", OG_FMT(target), name);
        if (!a->has_value || is_blank(a->value))
            return og_lang__schema_fail(schema, a->name.span, err,
                                        "@%s on %.*s requires a non-empty value", name,
                                        OG_FMT(target));
        seen = true;
    }
    return OG_OK;
}

static og_status check_decl_annotations(const og_lang__schema *schema, const og_lang__decl *decl,
                                        og_error *err)
{
    for (uint32_t i = 0; i < decl->annotation_count; i++) {
        const og_lang__name *name = &decl->annotations[i].name;
        if (!is_structural(name->text))
            continue;
        if (decl->kind == OG_LANG__EDGE)
            return og_lang__schema_fail(schema, name->span, err,
                                        "@%.*s is not supported on edges (edge %.*s)",
                                        OG_FMT(name->text), OG_FMT(decl->name.text));
        return og_lang__schema_fail(
            schema, name->span, err,
            "@%.*s is only supported on node properties or as body constraint (node %.*s)",
            OG_FMT(name->text), OG_FMT(decl->name.text));
    }
    og_str target = og_arena_printf(schema->arena, "%s %.*s", og_lang__decl_word(decl->kind),
                                    OG_FMT(decl->name.text));
    OG_TRY(check_text_annotation(schema, decl->annotations, decl->annotation_count, "description",
                                 target, err));
    return check_text_annotation(schema, decl->annotations, decl->annotation_count, "instruction",
                                 target, err);
}

/* Does the property's type, or the edge, forbid the annotation? */
static og_status check_allowed(const prop_index *index, const og_lang__prop *prop,
                               const og_lang__name *name, og_error *err)
{
    og_str word = name->text, owner = index->decl->name.text, own = prop->name.text;
    const char *forbidden_on = NULL;
    if (prop->type.list && is_structural(word))
        forbidden_on = "list";
    else if (prop->type.scalar == OG_SCALAR_VECTOR &&
             (og_str_is(word, "key") || og_str_is(word, "unique")))
        forbidden_on = "vector";
    else if (prop->type.scalar == OG_SCALAR_BLOB && is_structural(word))
        forbidden_on = "blob";
    if (forbidden_on != NULL)
        return og_lang__schema_fail(index->schema, name->span, err,
                                    "@%.*s is not supported on %s property %.*s.%.*s", OG_FMT(word),
                                    forbidden_on, OG_FMT(owner), OG_FMT(own));
    if (og_str_is(word, "instruction"))
        return og_lang__schema_fail(
            index->schema, name->span, err,
            "@instruction is only supported on node and edge types (property %.*s.%.*s)",
            OG_FMT(owner), OG_FMT(own));
    if (index->decl->kind == OG_LANG__EDGE && (og_str_is(word, "key") || og_str_is(word, "embed")))
        return og_lang__schema_fail(index->schema, name->span, err,
                                    "@%.*s is not supported on edge properties (edge %.*s.%.*s)",
                                    OG_FMT(word), OG_FMT(owner), OG_FMT(own));
    return OG_OK;
}

static og_status check_embed(const prop_index *index, const og_lang__prop *prop,
                             const og_lang__annotation *a, og_error *err)
{
    og_str owner = index->decl->name.text, own = prop->name.text;
    if (prop->type.scalar != OG_SCALAR_VECTOR)
        return og_lang__schema_fail(index->schema, a->name.span, err,
                                    "@embed is only supported on vector properties (%.*s.%.*s)",
                                    OG_FMT(owner), OG_FMT(own));
    if (!a->has_value)
        return og_lang__schema_fail(index->schema, a->name.span, err,
                                    "@embed on %.*s.%.*s requires a source property name",
                                    OG_FMT(owner), OG_FMT(own));
    if (is_blank(a->value))
        return og_lang__schema_fail(index->schema, a->value_span, err,
                                    "@embed on %.*s.%.*s requires a non-empty source property name",
                                    OG_FMT(owner), OG_FMT(own));
    const og_lang__prop *source = find_prop(index, a->value);
    if (source == NULL) {
        og_status status =
            og_lang__schema_fail(index->schema, a->value_span, err,
                                 "@embed on %.*s.%.*s references unknown source property %.*s",
                                 OG_FMT(owner), OG_FMT(own), OG_FMT(a->value));
        hint_property(index, a->value, err);
        return status;
    }
    if (source->type.list || source->type.scalar != OG_SCALAR_STRING)
        return og_lang__schema_fail(index->schema, a->value_span, err,
                                    "@embed source property %.*s.%.*s must be String",
                                    OG_FMT(owner), OG_FMT(a->value));
    return OG_OK;
}

static og_status check_property(const prop_index *index, const og_lang__prop *prop, og_error *err)
{
    og_str owner = index->decl->name.text, own = prop->name.text;
    og_str target =
        og_arena_printf(index->schema->arena, "property %.*s.%.*s", OG_FMT(owner), OG_FMT(own));
    OG_TRY(check_text_annotation(index->schema, prop->annotations, prop->annotation_count,
                                 "description", target, err));
    static const char *const once[] = {"key", "unique", "index", "embed"};
    bool seen[4] = {false};
    for (uint32_t i = 0; i < prop->annotation_count; i++) {
        const og_lang__annotation *a = &prop->annotations[i];
        OG_TRY(check_allowed(index, prop, &a->name, err));
        for (int word = 0; word < 4; word++) {
            if (!og_str_is(a->name.text, once[word]))
                continue;
            bool is_embed = word == 3;
            if (!is_embed && a->has_value)
                return og_lang__schema_fail(index->schema, a->value_span, err,
                                            "@%s on %.*s.%.*s does not accept a value", once[word],
                                            OG_FMT(owner), OG_FMT(own));
            if (seen[word])
                return og_lang__schema_fail(index->schema, a->name.span, err,
                                            "property %.*s.%.*s declares @%s multiple times",
                                            OG_FMT(owner), OG_FMT(own), once[word]);
            seen[word] = true;
            if (is_embed)
                OG_TRY(check_embed(index, prop, a, err));
        }
    }
    return OG_OK;
}

/* ---- constraints -------------------------------------------------------------------------- */

static const char *constraint_word(og_lang__constraint_kind kind)
{
    static const char *const words[] = {"key", "unique", "index", "range", "check"};
    return words[kind];
}

/* The property a constraint names. */
static og_status find_column(const prop_index *index, const og_lang__constraint *c,
                             const og_lang__name *column, const og_lang__prop **out, og_error *err)
{
    *out = find_prop(index, column->text);
    if (*out != NULL)
        return OG_OK;
    og_status status = og_lang__schema_fail(
        index->schema, column->span, err, "@%s on %.*s references unknown property '%.*s'",
        constraint_word(c->kind), OG_FMT(index->decl->name.text), OG_FMT(column->text));
    hint_property(index, column->text, err);
    return status;
}

static og_status fail_on_type(const prop_index *index, const og_lang__constraint *c,
                              const og_lang__name *column, const char *type, og_error *err)
{
    return og_lang__schema_fail(
        index->schema, column->span, err, "@%s is not supported on %s property %.*s.%.*s",
        constraint_word(c->kind), type, OG_FMT(index->decl->name.text), OG_FMT(column->text));
}

static og_status check_key_column(const prop_index *index, const og_lang__constraint *c,
                                  const og_lang__name *column, og_error *err)
{
    const og_lang__prop *prop;
    OG_TRY(find_column(index, c, column, &prop, err));
    if (prop->type.nullable)
        return og_lang__schema_fail(index->schema, column->span, err,
                                    "@key property %.*s.%.*s cannot be nullable",
                                    OG_FMT(index->decl->name.text), OG_FMT(column->text));
    if (prop->type.list)
        return fail_on_type(index, c, column, "list", err);
    if (prop->type.scalar == OG_SCALAR_VECTOR)
        return fail_on_type(index, c, column, "vector", err);
    if (prop->type.scalar == OG_SCALAR_BLOB)
        return fail_on_type(index, c, column, "blob", err);
    return OG_OK;
}

static og_status check_columns(const prop_index *index, const og_lang__constraint *c, og_error *err)
{
    bool is_edge = index->decl->kind == OG_LANG__EDGE;
    for (uint32_t i = 0; i < c->column_count; i++) {
        const og_lang__name *column = &c->columns[i];
        if (c->kind == OG_LANG__KEY) {
            OG_TRY(check_key_column(index, c, column, err));
            continue;
        }
        if (is_edge && (og_str_is(column->text, "src") || og_str_is(column->text, "dst")))
            continue;
        const og_lang__prop *prop;
        OG_TRY(find_column(index, c, column, &prop, err));
        if (c->kind == OG_LANG__INDEX && prop->type.scalar == OG_SCALAR_BLOB)
            return fail_on_type(index, c, column, "blob", err);
    }
    return OG_OK;
}

/* @range wants a number, @check a text. */
static og_status check_value_rule(const prop_index *index, const og_lang__constraint *c,
                                  og_error *err)
{
    const og_lang__prop *prop;
    OG_TRY(find_column(index, c, &c->columns[0], &prop, err));
    bool fits = c->kind == OG_LANG__RANGE ? og_scalar_is_numeric(prop->type.scalar)
                                          : prop->type.scalar == OG_SCALAR_STRING;
    if (fits)
        return OG_OK;
    og_str type = og_prop_type_name(index->schema->arena, &prop->type);
    if (type.ptr == NULL)
        return og_error_nomem(err);
    return og_lang__schema_fail(
        index->schema, c->columns[0].span, err, "@%s on %.*s.%.*s requires %s type, got %.*s",
        constraint_word(c->kind), OG_FMT(index->decl->name.text), OG_FMT(c->columns[0].text),
        c->kind == OG_LANG__RANGE ? "a numeric" : "String", OG_FMT(type));
}

static og_status check_constraints(const prop_index *index, og_error *err)
{
    og_str owner = index->decl->name.text;
    bool is_edge = index->decl->kind == OG_LANG__EDGE;
    bool has_key = false;
    for (uint32_t i = 0; i < index->decl->constraint_count; i++) {
        const og_lang__constraint *c = &index->decl->constraints[i];
        if (is_edge && c->kind != OG_LANG__UNIQUE && c->kind != OG_LANG__INDEX)
            return og_lang__schema_fail(index->schema, c->span, err,
                                        "@%s constraint is not supported on edges (edge %.*s)",
                                        constraint_word(c->kind), OG_FMT(owner));
        if (c->kind == OG_LANG__KEY && has_key)
            return og_lang__schema_fail(
                index->schema, c->span, err,
                "node type %.*s has multiple @key constraints; only one is supported",
                OG_FMT(owner));
        has_key = has_key || c->kind == OG_LANG__KEY;
        if (c->kind == OG_LANG__RANGE || c->kind == OG_LANG__CHECK)
            OG_TRY(check_value_rule(index, c, err));
        else
            OG_TRY(check_columns(index, c, err));
    }
    return OG_OK;
}

/* ---- all ---------------------------------------------------------------------------------- */

static og_status index_props(prop_index *index, og_error *err)
{
    for (uint32_t i = 0; i < index->decl->prop_count; i++) {
        uint64_t *place = og_strmap_put(index->props, index->decl->props[i].name.text, NULL);
        if (place == NULL)
            return og_error_nomem(err);
        *place = i;
    }
    return OG_OK;
}

typedef og_status (*decl_check)(const prop_index *index, og_error *err);

static og_status check_annotations(const prop_index *index, og_error *err)
{
    OG_TRY(check_decl_annotations(index->schema, index->decl, err));
    for (uint32_t i = 0; i < index->decl->prop_count; i++)
        OG_TRY(check_property(index, &index->decl->props[i], err));
    return OG_OK;
}

/* Interfaces are checked where they are implemented. */
static og_status check_each(const og_lang__schema *schema, decl_check check, og_error *err)
{
    for (uint32_t i = 0; i < schema->decl_count; i++) {
        if (schema->decls[i].kind == OG_LANG__INTERFACE)
            continue;
        OG_AUTO(og_strmap) props = og_strmap_new(true);
        if (props == NULL)
            return og_error_nomem(err);
        prop_index index = {schema, &schema->decls[i], props};
        OG_TRY(index_props(&index, err));
        OG_TRY(check(&index, err));
    }
    return OG_OK;
}

og_status og_lang__schema_check(const og_lang__schema *schema, og_error *err)
{
    OG_TRY(check_each(schema, check_annotations, err));
    return check_each(schema, check_constraints, err);
}
