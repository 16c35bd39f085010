/* The canonical form: everything sorted, ids from names, and its JSON.
 *
 * Sorted by bytes: declarations of a kind and properties by name, implemented interfaces (each
 * once), annotations by name and value, columns of @key, @unique and @index, and constraints by the
 * text that constraint_key makes. Ids are FNV-1a, 32 bits, of "node:Person" and "node:Person:age"
 * (0 becomes 1). Source: the reference's catalog/schema_ir.rs. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/json.h"
#include "base/map.h"
#include "base/number.h"
#include "lang/schema_ast.h"

const char *og_lang__decl_word(og_lang__decl_kind kind)
{
    static const char *const words[] = {"interface", "node", "edge"};
    return words[kind];
}

/* ---- ids ---------------------------------------------------------------------------------- */

static uint32_t hash_more(uint32_t hash, og_str text)
{
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ (uint8_t)text.ptr[i]) * 16777619u;
    return hash;
}

/* Of "kind:type", and ":property" unless that is empty. */
static uint32_t stable_id(og_lang__decl_kind kind, og_str type, og_str property)
{
    uint32_t hash = hash_more(2166136261u, og_str_of(og_lang__decl_word(kind)));
    hash = hash_more(hash_more(hash, OG_STR(":")), type);
    if (property.len > 0)
        hash = hash_more(hash_more(hash, OG_STR(":")), property);
    return hash == 0 ? 1 : hash;
}

static og_status fail_type_collision(const og_lang__schema *schema, const og_lang__decl *previous,
                                     const og_lang__decl *decl, og_error *err)
{
    og_status status = og_lang__schema_fail(
        schema, decl->name.span, err, "type id collision: '%.*s' and '%.*s' both hash to %" PRIu32,
        OG_FMT(previous->name.text), OG_FMT(decl->name.text), decl->type_id);
    if (og_str_eq(previous->name.text, decl->name.text))
        og_error_hint(err, "The %s type %.*s is declared twice.", og_lang__decl_word(decl->kind),
                      OG_FMT(decl->name.text));
    return status;
}

static og_status fail_prop_collision(const og_lang__schema *schema, const og_lang__decl *decl,
                                     const og_lang__prop *previous, const og_lang__prop *prop,
                                     og_error *err)
{
    og_status status = og_lang__schema_fail(
        schema, prop->name.span, err,
        "property id collision on %.*s: '%.*s' and '%.*s' both hash to %" PRIu32,
        OG_FMT(decl->name.text), OG_FMT(previous->name.text), OG_FMT(prop->name.text),
        prop->prop_id);
    if (og_str_eq(previous->name.text, prop->name.text))
        og_error_hint(err, "The property %.*s is declared twice.", OG_FMT(prop->name.text));
    return status;
}

static og_status give_prop_ids(const og_lang__schema *schema, og_lang__decl *decl, og_error *err)
{
    OG_AUTO(og_u64map) seen = og_u64map_new(decl->prop_count);
    if (seen == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < decl->prop_count; i++) {
        og_lang__prop *prop = &decl->props[i];
        prop->prop_id = stable_id(decl->kind, decl->name.text, prop->name.text);
        bool is_new;
        uint64_t *index = og_u64map_put(seen, prop->prop_id, &is_new);
        if (index == NULL)
            return og_error_nomem(err);
        if (!is_new)
            return fail_prop_collision(schema, decl, &decl->props[*index], prop, err);
        *index = i;
    }
    return OG_OK;
}

/* ---- order -------------------------------------------------------------------------------- */

static int compare_decls(const void *a, const void *b)
{
    const og_lang__decl *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return og_str_cmp(x->name.text, y->name.text);
}

static int compare_props(const void *a, const void *b)
{
    return og_str_cmp(((const og_lang__prop *)a)->name.text, ((const og_lang__prop *)b)->name.text);
}

static int compare_names(const void *a, const void *b)
{
    return og_str_cmp(((const og_lang__name *)a)->text, ((const og_lang__name *)b)->text);
}

/* No value before any value. */
static int compare_annotations(const void *a, const void *b)
{
    const og_lang__annotation *x = a, *y = b;
    int order = og_str_cmp(x->name.text, y->name.text);
    if (order != 0)
        return order;
    if (!x->has_value || !y->has_value)
        return (int)x->has_value - (int)y->has_value;
    return og_str_cmp(x->value, y->value);
}

static int compare_constraints(const void *a, const void *b)
{
    return og_str_cmp(((const og_lang__constraint *)a)->sort_key,
                      ((const og_lang__constraint *)b)->sort_key);
}

static void sort_list(void *items, size_t count, size_t size,
                      int (*compare)(const void *, const void *))
{
    if (count > 1)
        qsort(items, count, size, compare);
}
#define SORT(items, count, compare) sort_list(items, count, sizeof *(items), compare)

/* 0.digits x 10^exponent without an exponent: 0.005, 12.5, 300.0. */
static void append_plain(og_buf *out, const char *digits, int count, int exponent)
{
    int whole = exponent < 0 ? 0 : exponent < count ? exponent : count;
    og_buf_append(out, digits, (size_t)whole);
    og_buf_fill(out, '0', exponent > whole ? (size_t)(exponent - whole) : 0);
    og_buf_text(out, exponent <= 0 ? "0." : ".");
    og_buf_fill(out, '0', exponent < 0 ? (size_t)-exponent : 0);
    og_buf_append(out, digits + whole, (size_t)(count - whole));
    if (whole == count)
        og_buf_byte(out, '0');
}

/* A double as Rust's {:?} prints it: plain from 1e-4 to below 1e16, else 1.5e16, 1e-5. */
static void append_debug_float(og_buf *out, double value)
{
    if (signbit(value))
        og_buf_byte(out, '-');
    value = fabs(value);
    if (isinf(value) || value == 0) {
        og_buf_text(out, value == 0 ? "0.0" : "inf");
        return;
    }
    char digits[17];
    int exponent; /* value = 0.digits x 10^exponent */
    int count = og_f64_shortest(value, digits, &exponent);
    if (value < 1e-4 || value >= 1e16) {
        og_buf_append(out, digits, 1);
        if (count > 1)
            og_buf_printf(out, ".%.*s", count - 1, digits + 1);
        og_buf_printf(out, "e%d", exponent - 1);
        return;
    }
    append_plain(out, digits, count, exponent);
}

static void append_debug_bound(og_buf *out, const og_literal *bound)
{
    if (bound == NULL) {
        og_buf_text(out, "None");
    } else if (bound->kind == OG_LIT_INTEGER) {
        og_buf_printf(out, "Some(Integer(%" PRId64 "))", bound->integer);
    } else {
        og_buf_text(out, "Some(Float(");
        append_debug_float(out, bound->real);
        og_buf_text(out, "))");
    }
}

/* The bounds as the IR has them: it keeps the only bound of "..10" as the lower one. The catalog
 * does not follow it there. */
typedef struct ir_bounds {
    const og_literal *min, *max;
} ir_bounds;

static ir_bounds bounds_of(const og_lang__constraint *c)
{
    const og_literal *min = c->has_min ? &c->min : NULL;
    const og_literal *max = c->has_max ? &c->max : NULL;
    return min != NULL ? (ir_bounds){min, max} : (ir_bounds){max, NULL};
}

static void constraint_key(og_buf *out, const og_lang__constraint *c)
{
    static const char *const words[] = {"key", "unique", "index", "range", "check"};
    og_buf_printf(out, "%s:", words[c->kind]);
    for (uint32_t i = 0; i < c->column_count; i++) {
        if (i > 0)
            og_buf_byte(out, ',');
        og_buf_str(out, c->columns[i].text);
    }
    if (c->kind == OG_LANG__RANGE) {
        ir_bounds bounds = bounds_of(c);
        og_buf_byte(out, ':');
        append_debug_bound(out, bounds.min);
        og_buf_byte(out, ':');
        append_debug_bound(out, bounds.max);
    } else if (c->kind == OG_LANG__CHECK) {
        og_buf_byte(out, ':');
        og_buf_str(out, c->pattern);
    }
}

static og_status sort_constraints(const og_lang__schema *schema, og_lang__decl *decl, og_error *err)
{
    OG_AUTO_BUF key = OG_BUF_INIT;
    for (uint32_t i = 0; i < decl->constraint_count; i++) {
        og_lang__constraint *c = &decl->constraints[i];
        if (c->kind <= OG_LANG__INDEX)
            SORT(c->columns, c->column_count, compare_names);
        og_buf_clear(&key);
        constraint_key(&key, c);
        c->sort_key = og_arena_str(schema->arena, og_buf_view(&key));
        if (key.failed || c->sort_key.ptr == NULL)
            return og_error_nomem(err);
    }
    SORT(decl->constraints, decl->constraint_count, compare_constraints);
    return OG_OK;
}

static void sort_implements(og_lang__decl *decl)
{
    SORT(decl->implements, decl->implements_count, compare_names);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < decl->implements_count; i++)
        if (kept == 0 || !og_str_eq(decl->implements[kept - 1].text, decl->implements[i].text))
            decl->implements[kept++] = decl->implements[i];
    decl->implements_count = kept;
}

static og_status canonical_decl(const og_lang__schema *schema, og_lang__decl *decl, og_error *err)
{
    OG_TRY(give_prop_ids(schema, decl, err));
    SORT(decl->annotations, decl->annotation_count, compare_annotations);
    for (uint32_t i = 0; i < decl->prop_count; i++)
        SORT(decl->props[i].annotations, decl->props[i].annotation_count, compare_annotations);
    SORT(decl->props, decl->prop_count, compare_props);
    sort_implements(decl);
    return sort_constraints(schema, decl, err);
}

og_status og_lang__schema_canonical(og_lang__schema *schema, og_error *err)
{
    OG_AUTO(og_u64map) seen = og_u64map_new(schema->decl_count);
    if (seen == NULL)
        return og_error_nomem(err);
    for (uint32_t i = 0; i < schema->decl_count; i++) {
        og_lang__decl *decl = &schema->decls[i];
        decl->type_id = stable_id(decl->kind, decl->name.text, OG_STR(""));
        bool is_new;
        uint64_t *index = og_u64map_put(seen, decl->type_id, &is_new);
        if (index == NULL)
            return og_error_nomem(err);
        if (!is_new)
            return fail_type_collision(schema, &schema->decls[*index], decl, err);
        *index = i;
        OG_TRY(canonical_decl(schema, decl, err));
    }
    SORT(schema->decls, schema->decl_count, compare_decls);
    return OG_OK;
}

/* ---- JSON --------------------------------------------------------------------------------- */

/* Writes members and items with serde_json's commas and line breaks. */
typedef struct writer {
    og_buf *out;
    bool pretty;
    unsigned depth;
    bool first; /* nothing stands yet in the innermost array or object */
} writer;

static void line_break(writer *w)
{
    if (!w->pretty)
        return;
    og_buf_byte(w->out, '\n');
    og_buf_fill(w->out, ' ', (size_t)w->depth * 2);
}

static void next_item(writer *w)
{
    if (!w->first)
        og_buf_byte(w->out, ',');
    line_break(w);
    w->first = false;
}

static void open_list(writer *w, char bracket)
{
    og_buf_byte(w->out, (uint8_t)bracket);
    w->depth++;
    w->first = true;
}

static void close_list(writer *w, char bracket)
{
    w->depth--;
    if (!w->first)
        line_break(w);
    og_buf_byte(w->out, (uint8_t)bracket);
    w->first = false;
}

static void member(writer *w, const char *key)
{
    next_item(w);
    og_buf_printf(w->out, w->pretty ? "\"%s\": " : "\"%s\":", key);
}

static void member_str(writer *w, const char *key, og_str value)
{
    member(w, key);
    og_json_write_str(w->out, value);
}

static void member_u32(writer *w, const char *key, uint32_t value)
{
    member(w, key);
    og_buf_printf(w->out, "%" PRIu32, value);
}

static void member_bool(writer *w, const char *key, bool value)
{
    member(w, key);
    og_buf_text(w->out, value ? "true" : "false");
}

static void member_names(writer *w, const char *key, const og_lang__name *names, uint32_t count)
{
    member(w, key);
    open_list(w, '[');
    for (uint32_t i = 0; i < count; i++) {
        next_item(w);
        og_json_write_str(w->out, names[i].text);
    }
    close_list(w, ']');
}

static void write_annotations(writer *w, const og_lang__annotation *annotations, uint32_t count)
{
    member(w, "annotations");
    open_list(w, '[');
    for (uint32_t i = 0; i < count; i++) {
        next_item(w);
        open_list(w, '{');
        member_str(w, "name", annotations[i].name.text);
        member(w, "value");
        if (annotations[i].has_value)
            og_json_write_str(w->out, annotations[i].value);
        else
            og_buf_text(w->out, "null");
        close_list(w, '}');
    }
    close_list(w, ']');
}

static void write_type(writer *w, const og_prop_type *type)
{
    member(w, "prop_type");
    open_list(w, '{');
    member(w, "scalar");
    if (type->scalar == OG_SCALAR_VECTOR) {
        open_list(w, '{');
        member_u32(w, "Vector", type->dim);
        close_list(w, '}');
    } else {
        og_json_write_str(w->out, og_scalar_name(NULL, type->scalar, 0));
    }
    member_bool(w, "nullable", type->nullable);
    member_bool(w, "list", type->list);
    member(w, "enum_values");
    if (type->is_enum) {
        open_list(w, '[');
        for (uint32_t i = 0; i < type->enum_count; i++) {
            next_item(w);
            og_json_write_str(w->out, type->enum_values[i]);
        }
        close_list(w, ']');
    } else {
        og_buf_text(w->out, "null");
    }
    close_list(w, '}');
}

static void write_props(writer *w, const og_lang__decl *decl)
{
    member(w, "properties");
    open_list(w, '[');
    for (uint32_t i = 0; i < decl->prop_count; i++) {
        const og_lang__prop *prop = &decl->props[i];
        next_item(w);
        open_list(w, '{');
        member_str(w, "name", prop->name.text);
        member_u32(w, "prop_id", prop->prop_id);
        write_type(w, &prop->type);
        write_annotations(w, prop->annotations, prop->annotation_count);
        close_list(w, '}');
    }
    close_list(w, ']');
}

static void write_bound(writer *w, const char *key, const og_literal *bound)
{
    member(w, key);
    if (bound == NULL) {
        og_buf_text(w->out, "null");
        return;
    }
    open_list(w, '{');
    member(w, bound->kind == OG_LIT_INTEGER ? "Integer" : "Float");
    if (bound->kind == OG_LIT_INTEGER)
        og_json_write_i64(w->out, bound->integer);
    else
        og_json_write_f64(w->out, bound->real);
    close_list(w, '}');
}

static void write_constraint(writer *w, const og_lang__constraint *c)
{
    static const char *const tags[] = {"Key", "Unique", "Index", "Range", "Check"};
    open_list(w, '{');
    if (c->kind <= OG_LANG__INDEX) {
        member_names(w, tags[c->kind], c->columns, c->column_count);
        close_list(w, '}');
        return;
    }
    member(w, tags[c->kind]);
    open_list(w, '{');
    member_str(w, "property", c->columns[0].text);
    if (c->kind == OG_LANG__RANGE) {
        ir_bounds bounds = bounds_of(c);
        write_bound(w, "min", bounds.min);
        write_bound(w, "max", bounds.max);
    } else {
        member_str(w, "pattern", c->pattern);
    }
    close_list(w, '}');
    close_list(w, '}');
}

static void write_constraints(writer *w, const og_lang__decl *decl)
{
    member(w, "constraints");
    open_list(w, '[');
    for (uint32_t i = 0; i < decl->constraint_count; i++) {
        next_item(w);
        write_constraint(w, &decl->constraints[i]);
    }
    close_list(w, ']');
}

static void write_ends(writer *w, const og_lang__decl *decl)
{
    member_str(w, "from_type", decl->from.text);
    member_str(w, "to_type", decl->to.text);
    member(w, "cardinality");
    open_list(w, '{');
    member_u32(w, "min", decl->card_min);
    member(w, "max");
    if (decl->has_card_max)
        og_buf_printf(w->out, "%" PRIu32, decl->card_max);
    else
        og_buf_text(w->out, "null");
    close_list(w, '}');
}

static void write_decl(writer *w, const og_lang__decl *decl)
{
    open_list(w, '{');
    member_str(w, "name", decl->name.text);
    member_u32(w, "type_id", decl->type_id);
    if (decl->kind == OG_LANG__EDGE)
        write_ends(w, decl);
    if (decl->kind != OG_LANG__INTERFACE)
        write_annotations(w, decl->annotations, decl->annotation_count);
    if (decl->kind == OG_LANG__NODE)
        member_names(w, "implements", decl->implements, decl->implements_count);
    write_props(w, decl);
    if (decl->kind != OG_LANG__INTERFACE)
        write_constraints(w, decl);
    close_list(w, '}');
}

bool og_lang__schema_write_ir(const og_lang__schema *schema, bool pretty, og_buf *out)
{
    static const char *const lists[] = {"interfaces", "nodes", "edges"};
    writer w = {.out = out, .pretty = pretty};
    open_list(&w, '{');
    member_u32(&w, "ir_version", 1);
    for (int kind = OG_LANG__INTERFACE; kind <= OG_LANG__EDGE; kind++) {
        member(&w, lists[kind]);
        open_list(&w, '[');
        for (uint32_t i = 0; i < schema->decl_count; i++) {
            if ((int)schema->decls[i].kind != kind)
                continue;
            next_item(&w);
            write_decl(&w, &schema->decls[i]);
        }
        close_list(&w, ']');
    }
    close_list(&w, '}');
    return !out->failed;
}
