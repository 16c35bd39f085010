/* The canonical form of a schema: sorted, with stable ids, and as JSON. Order, ids and spelling are
 * those of the reference's SchemaIR (catalog/schema_ir.rs) as serde_json writes it. */
#include <stdlib.h>

#include "base/json.h"
#include "base/map.h"
#include "lang/schema_ast.h"

#define IR_VERSION 1

/* ---- ids --------------------------------------------------------------------------------- */

/* FNV-1a, 32 bits, of "kind:owner" or "kind:owner:name"; 0 is not used. */
static uint32_t stable_id(const char *kind, og_str owner, og_str name)
{
    const og_str parts[] = {og_str_of(kind), OG_STR(":"), owner, OG_STR(":"), name};
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < (name.ptr != NULL ? 5 : 3); i++)
        for (size_t k = 0; k < parts[i].len; k++)
            hash = (hash ^ (uint8_t)parts[i].ptr[k]) * 16777619u;
    return hash != 0 ? hash : 1;
}

static og_status give_prop_ids(const og_lang__schema *schema, og_lang__decl *decl, og_error *err)
{
    OG_AUTO(og_u64map) seen = og_u64map_new(decl->prop_count);
    if (seen == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < decl->prop_count; i++) {
        og_lang__prop *prop = &decl->props[i];
        prop->prop_id = stable_id(og_lang__decl_word(decl->kind), decl->name.text, prop->name.text);
        bool is_new;
        uint64_t *at = og_u64map_put(seen, prop->prop_id, &is_new);
        if (at == NULL)
            return og_error_nomem(err);
        if (!is_new)
            return og_lang__schema_fail(
                schema, prop->name.span, err,
                "catalog error: property id collision on %.*s: '%.*s' and '%.*s' both hash to %u",
                OG_FMT(decl->name.text), OG_FMT(decl->props[*at].name.text),
                OG_FMT(prop->name.text), prop->prop_id);
        *at = i;
    }
    return OG_OK;
}

static og_status give_ids(og_lang__schema *schema, og_error *err)
{
    OG_AUTO(og_u64map) seen = og_u64map_new(schema->decl_count);
    if (seen == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < schema->decl_count; i++) {
        og_lang__decl *decl = &schema->decls[i];
        decl->type_id =
            stable_id(og_lang__decl_word(decl->kind), decl->name.text, (og_str){NULL, 0});
        bool is_new;
        uint64_t *at = og_u64map_put(seen, decl->type_id, &is_new);
        if (at == NULL)
            return og_error_nomem(err);
        if (!is_new)
            return og_lang__schema_fail(
                schema, decl->name.span, err,
                "catalog error: type id collision: '%.*s' and '%.*s' both hash to %u",
                OG_FMT(schema->decls[*at].name.text), OG_FMT(decl->name.text), decl->type_id);
        *at = i;
        OG_TRY(give_prop_ids(schema, decl, err));
    }
    return OG_OK;
}

/* ---- order ----------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return og_str_cmp(((const og_lang__name *)a)->text, ((const og_lang__name *)b)->text);
}

/* A missing value comes before any, as Rust orders Option. */
static int by_annotation(const void *a, const void *b)
{
    const og_lang__annotation *x = a, *y = b;
    int order = og_str_cmp(x->name.text, y->name.text);
    if (order != 0 || x->has_value != y->has_value)
        return order != 0 ? order : x->has_value - y->has_value;
    return x->has_value ? og_str_cmp(x->value, y->value) : 0;
}

/* Properties and declarations of one name keep the order of the text. */
static int by_prop(const void *a, const void *b)
{
    const og_lang__prop *x = a, *y = b;
    int order = og_str_cmp(x->name.text, y->name.text);
    return order != 0 ? order : (x->name.span.start > y->name.span.start) * 2 - 1;
}

static int by_decl(const void *a, const void *b)
{
    const og_lang__decl *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    int order = og_str_cmp(x->name.text, y->name.text);
    return order != 0 ? order : (x->name.span.start > y->name.span.start) * 2 - 1;
}

static int by_sort_key(const void *a, const void *b)
{
    return og_str_cmp(((const og_lang__constraint *)a)->sort_key,
                      ((const og_lang__constraint *)b)->sort_key);
}

/* A bound as Rust's Debug prints it: None, Some(Integer(1)), Some(Float(1.5)). */
static void write_debug_bound(og_buf *out, bool has, const og_literal *bound)
{
    if (!has) {
        og_buf_text(out, "None");
        return;
    }
    og_buf_text(out, bound->kind == OG_LIT_INTEGER ? "Some(Integer(" : "Some(Float(");
    if (bound->kind == OG_LIT_INTEGER)
        og_json_write_i64(out, bound->integer);
    else
        og_json_write_f64(out, bound->real);
    og_buf_text(out, "))");
}

static og_status make_sort_key(og_arena *arena, og_lang__constraint *c, og_error *err)
{
    static const char *const words[] = {[OG_LANG__KEY] = "key",     [OG_LANG__UNIQUE] = "unique",
                                        [OG_LANG__INDEX] = "index", [OG_LANG__RANGE] = "range",
                                        [OG_LANG__CHECK] = "check"};
    OG_AUTO_BUF key = OG_BUF_INIT;
    og_buf_text(&key, words[c->kind]);
    for (uint32_t i = 0; i < c->column_count; i++) {
        og_buf_byte(&key, i == 0 ? ':' : ',');
        og_buf_str(&key, c->columns[i].text);
    }
    if (c->kind == OG_LANG__RANGE) {
        og_buf_byte(&key, ':');
        write_debug_bound(&key, c->has_min, &c->min);
        og_buf_byte(&key, ':');
        write_debug_bound(&key, c->has_max, &c->max);
    } else if (c->kind == OG_LANG__CHECK) {
        og_buf_byte(&key, ':');
        og_buf_str(&key, c->pattern);
    }
    c->sort_key = og_arena_str(arena, og_buf_view(&key));
    return key.failed || c->sort_key.ptr == NULL ? og_error_nomem(err) : OG_OK;
}

static void sort(void *items, size_t count, size_t size, int (*order)(const void *, const void *))
{
    if (count > 1)
        qsort(items, count, size, order);
}

static og_status sort_decl(og_lang__schema *schema, og_lang__decl *decl, og_error *err)
{
    sort(decl->annotations, decl->annotation_count, sizeof *decl->annotations, by_annotation);
    sort(decl->implements, decl->implements_count, sizeof *decl->implements, by_name);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < decl->implements_count; i++)
        if (kept == 0 || by_name(&decl->implements[kept - 1], &decl->implements[i]) != 0)
            decl->implements[kept++] = decl->implements[i];
    decl->implements_count = kept;
    for (uint32_t i = 0; i < decl->prop_count; i++)
        sort(decl->props[i].annotations, decl->props[i].annotation_count,
             sizeof *decl->props[i].annotations, by_annotation);
    sort(decl->props, decl->prop_count, sizeof *decl->props, by_prop);
    for (uint32_t i = 0; i < decl->constraint_count; i++) {
        og_lang__constraint *c = &decl->constraints[i];
        if (c->kind != OG_LANG__RANGE && c->kind != OG_LANG__CHECK)
            sort(c->columns, c->column_count, sizeof *c->columns, by_name);
        OG_TRY(make_sort_key(schema->arena, c, err));
    }
    sort(decl->constraints, decl->constraint_count, sizeof *decl->constraints, by_sort_key);
    return OG_OK;
}

og_status og_lang__schema_canonical(og_lang__schema *schema, og_error *err)
{
    OG_TRY(give_ids(schema, err));
    for (uint32_t i = 0; i < schema->decl_count; i++)
        OG_TRY(sort_decl(schema, &schema->decls[i], err));
    sort(schema->decls, schema->decl_count, sizeof *schema->decls, by_decl);
    return OG_OK;
}

/* ---- JSON --------------------------------------------------------------------------------------- */

static void write_key(og_buf *out, const char *key, bool first)
{
    og_buf_printf(out, "%s\"%s\":", first ? "" : ",", key);
}

static void write_names(og_buf *out, const og_lang__name *names, uint32_t count)
{
    og_buf_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        og_json_write_str(out, names[i].text);
    }
    og_buf_byte(out, ']');
}

static void write_annotations(og_buf *out, const og_lang__annotation *annotations, uint32_t count)
{
    write_key(out, "annotations", false);
    og_buf_byte(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        og_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        og_json_write_str(out, annotations[i].name.text);
        write_key(out, "value", false);
        if (annotations[i].has_value)
            og_json_write_str(out, annotations[i].value);
        else
            og_buf_text(out, "null");
        og_buf_byte(out, '}');
    }
    og_buf_byte(out, ']');
}

static void write_prop_type(og_buf *out, const og_prop_type *type)
{
    static const char *const names[] = {
        [OG_SCALAR_STRING] = "String", [OG_SCALAR_BOOL] = "Bool", [OG_SCALAR_I32] = "I32",
        [OG_SCALAR_I64] = "I64",       [OG_SCALAR_U32] = "U32",   [OG_SCALAR_U64] = "U64",
        [OG_SCALAR_F32] = "F32",       [OG_SCALAR_F64] = "F64",   [OG_SCALAR_DATE] = "Date",
        [OG_SCALAR_DATETIME] = "DateTime", [OG_SCALAR_VECTOR] = "Vector",
        [OG_SCALAR_BLOB] = "Blob"};
    if (type->scalar == OG_SCALAR_VECTOR)
        og_buf_printf(out, "{\"scalar\":{\"Vector\":%u}", type->dim);
    else
        og_buf_printf(out, "{\"scalar\":\"%s\"", names[type->scalar]);
    og_buf_printf(out, ",\"nullable\":%s,\"list\":%s,\"enum_values\":",
                  type->nullable ? "true" : "false", type->list ? "true" : "false");
    if (!type->is_enum) {
        og_buf_text(out, "null}");
        return;
    }
    og_buf_byte(out, '[');
    for (uint32_t i = 0; i < type->enum_count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        og_json_write_str(out, type->enum_values[i]);
    }
    og_buf_text(out, "]}");
}

static void write_props(og_buf *out, const og_lang__decl *decl)
{
    write_key(out, "properties", false);
    og_buf_byte(out, '[');
    for (uint32_t i = 0; i < decl->prop_count; i++) {
        const og_lang__prop *prop = &decl->props[i];
        og_buf_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        og_json_write_str(out, prop->name.text);
        og_buf_printf(out, ",\"prop_id\":%u,\"prop_type\":", prop->prop_id);
        write_prop_type(out, &prop->type);
        write_annotations(out, prop->annotations, prop->annotation_count);
        og_buf_byte(out, '}');
    }
    og_buf_byte(out, ']');
}

static void write_bound(og_buf *out, const char *key, bool has, const og_literal *bound)
{
    write_key(out, key, false);
    if (!has) {
        og_buf_text(out, "null");
        return;
    }
    og_buf_text(out, bound->kind == OG_LIT_INTEGER ? "{\"Integer\":" : "{\"Float\":");
    if (bound->kind == OG_LIT_INTEGER)
        og_json_write_i64(out, bound->integer);
    else
        og_json_write_f64(out, bound->real);
    og_buf_byte(out, '}');
}

static void write_constraint(og_buf *out, const og_lang__constraint *c)
{
    static const char *const words[] = {[OG_LANG__KEY] = "Key",     [OG_LANG__UNIQUE] = "Unique",
                                        [OG_LANG__INDEX] = "Index", [OG_LANG__RANGE] = "Range",
                                        [OG_LANG__CHECK] = "Check"};
    og_buf_printf(out, "{\"%s\":", words[c->kind]);
    if (c->kind == OG_LANG__RANGE || c->kind == OG_LANG__CHECK) {
        og_buf_text(out, "{\"property\":");
        og_json_write_str(out, c->columns[0].text);
        if (c->kind == OG_LANG__RANGE) {
            write_bound(out, "min", c->has_min, &c->min);
            write_bound(out, "max", c->has_max, &c->max);
        } else {
            write_key(out, "pattern", false);
            og_json_write_str(out, c->pattern);
        }
        og_buf_byte(out, '}');
    } else {
        write_names(out, c->columns, c->column_count);
    }
    og_buf_byte(out, '}');
}

static void write_constraints(og_buf *out, const og_lang__decl *decl)
{
    write_key(out, "constraints", false);
    og_buf_byte(out, '[');
    for (uint32_t i = 0; i < decl->constraint_count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        write_constraint(out, &decl->constraints[i]);
    }
    og_buf_byte(out, ']');
}

static void write_edge_ends(og_buf *out, const og_lang__decl *decl)
{
    write_key(out, "from_type", false);
    og_json_write_str(out, decl->from.text);
    write_key(out, "to_type", false);
    og_json_write_str(out, decl->to.text);
    og_buf_printf(out, ",\"cardinality\":{\"min\":%u,\"max\":", decl->has_card ? decl->card_min : 0);
    if (decl->has_card && decl->card_max != UINT32_MAX)
        og_buf_printf(out, "%u}", decl->card_max);
    else
        og_buf_text(out, "null}");
}

static void write_decl(og_buf *out, const og_lang__decl *decl)
{
    og_buf_text(out, "{\"name\":");
    og_json_write_str(out, decl->name.text);
    og_buf_printf(out, ",\"type_id\":%u", decl->type_id);
    if (decl->kind == OG_LANG__EDGE)
        write_edge_ends(out, decl);
    if (decl->kind != OG_LANG__INTERFACE)
        write_annotations(out, decl->annotations, decl->annotation_count);
    if (decl->kind == OG_LANG__NODE) {
        write_key(out, "implements", false);
        write_names(out, decl->implements, decl->implements_count);
    }
    write_props(out, decl);
    if (decl->kind != OG_LANG__INTERFACE)
        write_constraints(out, decl);
    og_buf_byte(out, '}');
}

static void write_decls(og_buf *out, const og_lang__schema *schema, og_lang__decl_kind kind,
                        const char *key)
{
    bool first = true;
    write_key(out, key, false);
    og_buf_byte(out, '[');
    for (uint32_t i = 0; i < schema->decl_count; i++) {
        if (schema->decls[i].kind != kind)
            continue;
        if (!first)
            og_buf_byte(out, ',');
        write_decl(out, &schema->decls[i]);
        first = false;
    }
    og_buf_byte(out, ']');
}

static void write_compact(og_buf *out, const og_lang__schema *schema)
{
    og_buf_printf(out, "{\"ir_version\":%d", IR_VERSION);
    write_decls(out, schema, OG_LANG__INTERFACE, "interfaces");
    write_decls(out, schema, OG_LANG__NODE, "nodes");
    write_decls(out, schema, OG_LANG__EDGE, "edges");
    og_buf_byte(out, '}');
}

bool og_lang__schema_write_ir(const og_lang__schema *schema, bool pretty, og_buf *out)
{
    if (!pretty) {
        write_compact(out, schema);
        return !out->failed;
    }
    OG_AUTO_BUF compact = OG_BUF_INIT;
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_json tree;
    write_compact(&compact, schema);
    return arena != NULL && !compact.failed &&
           og_json_parse(arena, og_buf_view(&compact), &tree, NULL) == OG_OK &&
           og_json_write(out, &tree, true);
}
