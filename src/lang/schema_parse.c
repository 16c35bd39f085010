/* The grammar of .pg (the reference's schema.pest), one function per rule. */
#include "base/vec.h"
#include "lang/scan.h"
#include "lang/schema_ast.h"

/* In order of the grammar file, which is the order in which errors list them. */
enum {
    RULE_EOI,
    RULE_SCHEMA_FILE,
    RULE_SCHEMA_DECL,
    RULE_INTERFACE_DECL,
    RULE_NODE_DECL,
    RULE_IMPLEMENTS_CLAUSE,
    RULE_EDGE_DECL,
    RULE_CARDINALITY,
    RULE_PROP_DECL,
    RULE_BODY_CONSTRAINT,
    RULE_CONSTRAINT_NAME,
    RULE_CONSTRAINT_ARGS,
    RULE_CONSTRAINT_ARG,
    RULE_RANGE_BOUND,
    RULE_TYPE_REF,
    RULE_CORE_TYPE,
    RULE_LIST_TYPE,
    RULE_ENUM_TYPE,
    RULE_VECTOR_TYPE,
    RULE_ENUM_VALUE,
    RULE_BASE_TYPE,
    RULE_ANNOTATION,
    RULE_ANNOTATION_ARG,
    RULE_LITERAL,
    RULE_STRING_LIT,
    RULE_FLOAT_LIT,
    RULE_INTEGER,
    RULE_SIGNED_FLOAT,
    RULE_SIGNED_INTEGER,
    RULE_BOOL_LIT,
    RULE_TYPE_NAME,
    RULE_IDENT,
};

static const char *const rule_names[] = {
    [RULE_EOI] = "EOI",
    [RULE_SCHEMA_FILE] = "schema_file",
    [RULE_SCHEMA_DECL] = "schema_decl",
    [RULE_INTERFACE_DECL] = "interface_decl",
    [RULE_NODE_DECL] = "node_decl",
    [RULE_IMPLEMENTS_CLAUSE] = "implements_clause",
    [RULE_EDGE_DECL] = "edge_decl",
    [RULE_CARDINALITY] = "cardinality",
    [RULE_PROP_DECL] = "prop_decl",
    [RULE_BODY_CONSTRAINT] = "body_constraint",
    [RULE_CONSTRAINT_NAME] = "constraint_name",
    [RULE_CONSTRAINT_ARGS] = "constraint_args",
    [RULE_CONSTRAINT_ARG] = "constraint_arg",
    [RULE_RANGE_BOUND] = "range_bound",
    [RULE_TYPE_REF] = "type_ref",
    [RULE_CORE_TYPE] = "core_type",
    [RULE_LIST_TYPE] = "list_type",
    [RULE_ENUM_TYPE] = "enum_type",
    [RULE_VECTOR_TYPE] = "vector_type",
    [RULE_ENUM_VALUE] = "enum_value",
    [RULE_BASE_TYPE] = "base_type",
    [RULE_ANNOTATION] = "annotation",
    [RULE_ANNOTATION_ARG] = "annotation_arg",
    [RULE_LITERAL] = "literal",
    [RULE_STRING_LIT] = "string_lit",
    [RULE_FLOAT_LIT] = "float_lit",
    [RULE_INTEGER] = "integer",
    [RULE_SIGNED_FLOAT] = "signed_float",
    [RULE_SIGNED_INTEGER] = "signed_integer",
    [RULE_BOOL_LIT] = "bool_lit",
    [RULE_TYPE_NAME] = "type_name",
    [RULE_IDENT] = "ident",
};

/* Lists grow in the vectors; a rule that is done copies its own tail into the arena, a rule that
 * fails cuts it off again. */
typedef struct parser {
    og_scan scan;
    og_arena *arena;
    bool out_of_memory;
    OG_VEC(og_lang__decl) decls;
    OG_VEC(og_lang__prop) props;
    OG_VEC(og_lang__constraint) constraints;
    OG_VEC(og_lang__annotation) annotations;
    OG_VEC(og_lang__arg) args;
    OG_VEC(og_lang__name) names;
} parser;

#define PUSH(p, list, item)                                                                        \
    do {                                                                                           \
        if (!og_vec_push(&(p)->list, item))                                                        \
            (p)->out_of_memory = true;                                                             \
    } while (0)

static void *take_tail(parser *p, const void *items, size_t *len, size_t base, size_t item_size)
{
    size_t count = *len - base;
    *len = base;
    if (count == 0)
        return NULL;
    void *copy = og_arena_copy(p->arena, (const char *)items + base * item_size, count * item_size);
    if (copy == NULL)
        p->out_of_memory = true;
    return copy;
}

/* Move list[base..] to the arena as *out_items, *out_count. */
#define TAKE_TAIL(p, list, base, out_items, out_count)                                             \
    do {                                                                                           \
        *(out_count) = (uint32_t)((p)->list.len - (base));                                         \
        *(out_items) =                                                                             \
            take_tail(p, (p)->list.items, &(p)->list.len, base, sizeof *(p)->list.items);          \
        if ((p)->out_of_memory)                                                                    \
            *(out_count) = 0;                                                                      \
    } while (0)

/* ---- terminals ---------------------------------------------------------------------------- */

static bool named(parser *p, uint8_t rule, size_t (*match)(og_str), og_lang__name *out)
{
    if (!og_scan_terminal(&p->scan, rule, match, &out->span))
        return false;
    out->text = og_scan_slice(&p->scan, out->span);
    return true;
}

static bool ident(parser *p, og_lang__name *out)
{
    return named(p, RULE_IDENT, og_match_ident, out);
}

static bool type_name(parser *p, og_lang__name *out)
{
    return named(p, RULE_TYPE_NAME, og_match_type_name, out);
}

static bool integer(parser *p, og_span *out)
{
    return og_scan_terminal(&p->scan, RULE_INTEGER, og_match_integer, out);
}

static size_t match_signed(og_str rest, size_t (*match)(og_str))
{
    size_t sign = rest.len > 0 && *rest.ptr == '-' ? 1 : 0;
    size_t len = match(og_str_slice(rest, sign, rest.len));
    return len > 0 ? sign + len : 0;
}

static size_t match_signed_float(og_str rest)
{
    return match_signed(rest, og_match_float);
}

static size_t match_signed_integer(og_str rest)
{
    return match_signed(rest, og_match_integer);
}

static size_t match_enum_value(og_str rest)
{
    size_t n = 0;
    while (n < rest.len &&
           (og_match_integer(og_str_slice(rest, n, n + 1)) > 0 ||
            og_match_ident(og_str_slice(rest, n, n + 1)) > 0 ||
            og_match_type_name(og_str_slice(rest, n, n + 1)) > 0 || rest.ptr[n] == '-'))
        n++;
    return n;
}

/* The first of `words` that stands at the start. */
static size_t match_word(og_str rest, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (og_str_starts(rest, og_str_of(words[i])))
            return strlen(words[i]);
    return 0;
}

/* A name of which another is a prefix stands before it. */
static const char *const scalar_words[] = {
    "String", "Blob", "Bool", "I32", "I64", "U32", "U64", "F32", "F64", "DateTime", "Date",
};
static const char *const constraint_words[] = {
    [OG_LANG__KEY] = "key",     [OG_LANG__UNIQUE] = "unique", [OG_LANG__INDEX] = "index",
    [OG_LANG__RANGE] = "range", [OG_LANG__CHECK] = "check",
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

static size_t match_base_type(og_str rest)
{
    return match_word(rest, scalar_words, COUNT(scalar_words));
}

static size_t match_constraint_name(og_str rest)
{
    return match_word(rest, constraint_words, COUNT(constraint_words));
}

static size_t match_bool(og_str rest)
{
    static const char *const words[] = {"true", "false"};
    return match_word(rest, words, COUNT(words));
}

/* literal = { string_lit | float_lit | integer | bool_lit } */
static bool literal(parser *p, bool *out_is_string, og_span *out)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    bool is_string = og_scan_terminal(s, RULE_STRING_LIT, og_match_string, out);
    bool ok = is_string || og_scan_terminal(s, RULE_FLOAT_LIT, og_match_float, out) ||
              integer(p, out) || og_scan_terminal(s, RULE_BOOL_LIT, match_bool, out);
    *out_is_string = is_string;
    return og_scan_leave(s, mark, RULE_LITERAL, ok);
}

/* ---- annotations -------------------------------------------------------------------------- */

/* annotation_arg = { literal | ident } */
static bool annotation_arg(parser *p, og_span *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool is_string;
    og_lang__name name;
    bool ok = literal(p, &is_string, out);
    if (!ok && ident(p, &name)) {
        *out = name.span;
        ok = true;
    }
    return og_scan_leave(&p->scan, mark, RULE_ANNOTATION_ARG, ok);
}

/* constraint_name ~ "(", only looked at. */
static bool at_body_constraint(parser *p)
{
    og_scan *s = &p->scan;
    size_t start = s->pos;
    s->negative = !s->negative;
    bool found = og_scan_terminal(s, RULE_CONSTRAINT_NAME, match_constraint_name, NULL) &&
                 og_scan_text(s, "(");
    s->negative = !s->negative;
    s->pos = start;
    return found;
}

/* annotation = { "@" ~ !(constraint_name ~ "(") ~ ident ~ ("(" ~ annotation_arg ~ ")")? } */
static bool annotation(parser *p)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    og_lang__annotation a = {0};
    bool ok = og_scan_text(s, "@") && !at_body_constraint(p) && ident(p, &a.name);
    if (ok) {
        size_t behind_name = s->pos;
        a.has_value =
            og_scan_text(s, "(") && annotation_arg(p, &a.value_span) && og_scan_text(s, ")");
        if (!a.has_value)
            s->pos = behind_name;
        PUSH(p, annotations, a);
    }
    return og_scan_leave(s, mark, RULE_ANNOTATION, ok);
}

static void annotations(parser *p, og_lang__annotation **out, uint32_t *out_count)
{
    size_t base = p->annotations.len;
    while (annotation(p))
        ;
    TAKE_TAIL(p, annotations, base, out, out_count);
}

/* ---- properties --------------------------------------------------------------------------- */

static bool base_type(parser *p, og_span *out)
{
    return og_scan_terminal(&p->scan, RULE_BASE_TYPE, match_base_type, out);
}

/* list_type = { "[" ~ base_type ~ "]" } */
static bool list_type(parser *p, og_span *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = og_scan_text(&p->scan, "[") && base_type(p, out) && og_scan_text(&p->scan, "]");
    return og_scan_leave(&p->scan, mark, RULE_LIST_TYPE, ok);
}

/* vector_type = { "Vector" ~ "(" ~ integer ~ ")" } */
static bool vector_type(parser *p, og_span *out)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    bool ok = og_scan_text(s, "Vector") && og_scan_text(s, "(") && integer(p, out) &&
              og_scan_text(s, ")");
    return og_scan_leave(s, mark, RULE_VECTOR_TYPE, ok);
}

/* item ~ ("," ~ item)*, the items pushed on names. */
static bool name_list(parser *p, uint8_t rule, size_t (*match)(og_str))
{
    og_lang__name name;
    if (!named(p, rule, match, &name))
        return false;
    size_t behind;
    do {
        PUSH(p, names, name);
        behind = p->scan.pos;
    } while (og_scan_text(&p->scan, ",") && named(p, rule, match, &name));
    p->scan.pos = behind;
    return true;
}

/* enum_type = { "enum" ~ "(" ~ enum_value ~ ("," ~ enum_value)* ~ ")" } */
static bool enum_type(parser *p, og_lang__prop *prop)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    size_t base = p->names.len;
    bool ok = og_scan_text(s, "enum") && og_scan_text(s, "(") &&
              name_list(p, RULE_ENUM_VALUE, match_enum_value) && og_scan_text(s, ")");
    if (ok)
        TAKE_TAIL(p, names, base, &prop->enum_values, &prop->enum_value_count);
    p->names.len = base;
    return og_scan_leave(s, mark, RULE_ENUM_TYPE, ok);
}

/* core_type = { list_type | enum_type | vector_type | base_type } */
static bool core_type(parser *p, og_lang__prop *prop)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = true;
    if (list_type(p, &prop->core))
        prop->form = OG_LANG__TYPE_LIST;
    else if (enum_type(p, prop))
        prop->form = OG_LANG__TYPE_ENUM;
    else if (vector_type(p, &prop->core))
        prop->form = OG_LANG__TYPE_VECTOR;
    else if (base_type(p, &prop->core))
        prop->form = OG_LANG__TYPE_SCALAR;
    else
        ok = false;
    return og_scan_leave(&p->scan, mark, RULE_CORE_TYPE, ok);
}

/* type_ref = { core_type ~ "?"? } */
static bool type_ref(parser *p, og_lang__prop *prop)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = core_type(p, prop);
    if (ok) {
        prop->type_span = (og_span){(uint32_t)mark.start, (uint32_t)p->scan.pos};
        prop->nullable = og_scan_text(&p->scan, "?");
    }
    return og_scan_leave(&p->scan, mark, RULE_TYPE_REF, ok);
}

/* prop_decl = { ident ~ ":" ~ type_ref ~ annotation* } */
static bool prop_decl(parser *p)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    og_lang__prop prop = {0};
    bool ok = ident(p, &prop.name) && og_scan_text(s, ":") && type_ref(p, &prop);
    if (ok) {
        annotations(p, &prop.annotations, &prop.annotation_count);
        PUSH(p, props, prop);
    }
    return og_scan_leave(s, mark, RULE_PROP_DECL, ok);
}

/* ---- constraints -------------------------------------------------------------------------- */

/* signed_float | signed_integer */
static bool bound(parser *p, og_span *out)
{
    return og_scan_terminal(&p->scan, RULE_SIGNED_FLOAT, match_signed_float, out) ||
           og_scan_terminal(&p->scan, RULE_SIGNED_INTEGER, match_signed_integer, out);
}

/* range_bound = { bound ~ ".." ~ bound? | ".." ~ bound } */
static bool range_bound(parser *p, og_lang__arg *arg)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    arg->has_min = bound(p, &arg->min) && og_scan_text(s, "..");
    if (arg->has_min) {
        arg->has_max = bound(p, &arg->max);
        return og_scan_leave(s, mark, RULE_RANGE_BOUND, true);
    }
    s->pos = mark.start;
    arg->has_max = og_scan_text(s, "..") && bound(p, &arg->max);
    return og_scan_leave(s, mark, RULE_RANGE_BOUND, arg->has_max);
}

/* constraint_arg = { range_bound | literal | ident } */
static bool constraint_arg(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__arg arg = {0};
    og_lang__name name;
    bool is_string, ok = true;
    if (range_bound(p, &arg)) {
        arg.kind = OG_LANG__ARG_RANGE;
    } else if (literal(p, &is_string, &arg.span)) {
        arg.kind = is_string ? OG_LANG__ARG_STRING : OG_LANG__ARG_OTHER;
    } else if (ident(p, &name)) {
        arg.kind = OG_LANG__ARG_NAME;
    } else {
        ok = false;
    }
    arg.span = (og_span){(uint32_t)mark.start, (uint32_t)p->scan.pos};
    if (ok)
        PUSH(p, args, arg);
    return og_scan_leave(&p->scan, mark, RULE_CONSTRAINT_ARG, ok);
}

/* constraint_args = { constraint_arg ~ ("," ~ constraint_arg)* } */
static bool constraint_args(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = constraint_arg(p);
    if (ok) {
        size_t behind;
        do
            behind = p->scan.pos;
        while (og_scan_text(&p->scan, ",") && constraint_arg(p));
        p->scan.pos = behind;
    }
    return og_scan_leave(&p->scan, mark, RULE_CONSTRAINT_ARGS, ok);
}

static og_lang__constraint_kind constraint_kind(og_str name)
{
    size_t kind = 0;
    while (!og_str_is(name, constraint_words[kind]))
        kind++;
    return (og_lang__constraint_kind)kind;
}

/* body_constraint = { "@" ~ constraint_name ~ "(" ~ constraint_args ~ ")" } */
static bool body_constraint(parser *p)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    size_t base = p->args.len;
    og_lang__name name;
    bool ok = og_scan_text(s, "@") &&
              named(p, RULE_CONSTRAINT_NAME, match_constraint_name, &name) &&
              og_scan_text(s, "(") && constraint_args(p) && og_scan_text(s, ")");
    if (ok) {
        og_lang__constraint c = {
            .kind = constraint_kind(name.text),
            .span = {(uint32_t)mark.start, (uint32_t)s->pos},
        };
        TAKE_TAIL(p, args, base, &c.args, &c.arg_count);
        PUSH(p, constraints, c);
    }
    p->args.len = base;
    return og_scan_leave(s, mark, RULE_BODY_CONSTRAINT, ok);
}

/* ---- declarations ------------------------------------------------------------------------- */

/* "{" ~ (prop_decl | body_constraint)* ~ "}"; only properties for an interface. */
static bool body(parser *p, og_lang__decl *decl)
{
    size_t props = p->props.len, constraints = p->constraints.len;
    bool ok = og_scan_text(&p->scan, "{");
    if (ok) {
        while (prop_decl(p) || (decl->kind != OG_LANG__INTERFACE && body_constraint(p)))
            ;
        ok = og_scan_text(&p->scan, "}");
    }
    if (ok) {
        TAKE_TAIL(p, props, props, &decl->props, &decl->prop_count);
        TAKE_TAIL(p, constraints, constraints, &decl->constraints, &decl->constraint_count);
    }
    p->props.len = props;
    p->constraints.len = constraints;
    return ok;
}

/* interface_decl = { "interface" ~ type_name ~ "{" ~ prop_decl* ~ "}" } */
static bool interface_decl(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__decl decl = {.kind = OG_LANG__INTERFACE};
    bool ok = og_scan_text(&p->scan, "interface") && type_name(p, &decl.name) && body(p, &decl);
    if (ok)
        PUSH(p, decls, decl);
    return og_scan_leave(&p->scan, mark, RULE_INTERFACE_DECL, ok);
}

/* implements_clause = { "implements" ~ type_name ~ ("," ~ type_name)* } */
static bool implements_clause(parser *p, og_lang__decl *decl)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    size_t base = p->names.len;
    bool ok =
        og_scan_text(&p->scan, "implements") && name_list(p, RULE_TYPE_NAME, og_match_type_name);
    if (ok)
        TAKE_TAIL(p, names, base, &decl->implements, &decl->implements_count);
    p->names.len = base;
    return og_scan_leave(&p->scan, mark, RULE_IMPLEMENTS_CLAUSE, ok);
}

/* node_decl = { "node" ~ type_name ~ annotation* ~ implements_clause? ~ body } */
static bool node_decl(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__decl decl = {.kind = OG_LANG__NODE};
    bool ok = og_scan_text(&p->scan, "node") && type_name(p, &decl.name);
    if (ok) {
        annotations(p, &decl.annotations, &decl.annotation_count);
        implements_clause(p, &decl);
        ok = body(p, &decl);
    }
    if (ok)
        PUSH(p, decls, decl);
    return og_scan_leave(&p->scan, mark, RULE_NODE_DECL, ok);
}

/* cardinality = { "@card" ~ "(" ~ integer ~ ".." ~ integer? ~ ")" } */
static bool cardinality(parser *p, og_lang__decl *decl)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    bool ok = og_scan_text(s, "@card") && og_scan_text(s, "(") &&
              integer(p, &decl->card_min_span) && og_scan_text(s, "..");
    if (ok) {
        decl->has_card_max = integer(p, &decl->card_max_span);
        ok = og_scan_text(s, ")");
    }
    decl->has_card = ok;
    return og_scan_leave(s, mark, RULE_CARDINALITY, ok);
}

/* edge_decl = { "edge" ~ type_name ~ ":" ~ type_name ~ "->" ~ type_name ~ cardinality?
 *               ~ annotation* ~ body? } */
static bool edge_decl(parser *p)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    og_lang__decl decl = {.kind = OG_LANG__EDGE};
    bool ok = og_scan_text(s, "edge") && type_name(p, &decl.name) && og_scan_text(s, ":") &&
              type_name(p, &decl.from) && og_scan_text(s, "->") && type_name(p, &decl.to);
    if (ok) {
        cardinality(p, &decl);
        annotations(p, &decl.annotations, &decl.annotation_count);
        size_t behind = s->pos;
        if (!body(p, &decl))
            s->pos = behind;
        PUSH(p, decls, decl);
    }
    return og_scan_leave(s, mark, RULE_EDGE_DECL, ok);
}

/* schema_decl = { interface_decl | node_decl | edge_decl } */
static bool schema_decl(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = interface_decl(p) || node_decl(p) || edge_decl(p);
    return og_scan_leave(&p->scan, mark, RULE_SCHEMA_DECL, ok);
}

/* schema_file = { SOI ~ schema_decl* ~ EOI } */
static bool schema_file(parser *p)
{
    og_scan_mark mark = og_scan_enter_here(&p->scan);
    while (!p->out_of_memory && schema_decl(p))
        ;
    return og_scan_leave(&p->scan, mark, RULE_SCHEMA_FILE, og_scan_end(&p->scan));
}

/* ---- errors ------------------------------------------------------------------------------- */

/* A word that stands where a type or a declaration is wanted may be a misspelt one. */
static void hint_at_failure(const og_scan *scan, og_error *err)
{
    og_str rest = og_str_slice(scan->source, scan->furthest, scan->source.len);
    if (og_str_starts(rest, OG_STR("implements")) && og_scan_expected(scan, RULE_ANNOTATION)) {
        og_error_hint(err, "Annotations of a node stand before 'implements'.");
        return;
    }
    size_t len = match_enum_value(rest);
    og_nearest nearest = og_nearest_to(og_str_slice(rest, 0, len));
    if (og_scan_expected(scan, RULE_CORE_TYPE) || og_scan_expected(scan, RULE_BASE_TYPE)) {
        for (size_t i = 0; i < COUNT(scalar_words); i++)
            og_nearest_offer(&nearest, og_str_of(scalar_words[i]));
    } else if (og_scan_expected(scan, RULE_SCHEMA_DECL) ||
               og_scan_expected(scan, RULE_SCHEMA_FILE)) {
        for (int kind = OG_LANG__INTERFACE; kind <= OG_LANG__EDGE; kind++)
            og_nearest_offer(&nearest, og_str_of(og_lang__decl_word((og_lang__decl_kind)kind)));
    } else if (og_scan_expected(scan, RULE_IMPLEMENTS_CLAUSE)) {
        og_nearest_offer(&nearest, OG_STR("implements"));
    }
    og_nearest_hint(&nearest, err);
}

og_status og_lang__schema_parse(og_lang__schema *schema, og_error *err)
{
    parser p = {.scan = og_scan_of(schema->source), .arena = schema->arena};
    bool ok = schema_file(&p);
    TAKE_TAIL(&p, decls, 0, &schema->decls, &schema->decl_count);
    og_vec_deinit(&p.decls);
    og_vec_deinit(&p.props);
    og_vec_deinit(&p.constraints);
    og_vec_deinit(&p.annotations);
    og_vec_deinit(&p.args);
    og_vec_deinit(&p.names);
    if (p.out_of_memory)
        return og_error_nomem(err);
    if (ok)
        return OG_OK;
    og_status status = og_scan_error(&p.scan, rule_names, err);
    if (status != OG_INVALID)
        return status;
    hint_at_failure(&p.scan, err);
    return og_error_context(err, status, "parse error");
}
