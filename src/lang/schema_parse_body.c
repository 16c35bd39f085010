/* What stands in a declaration: annotations, properties and constraints. */
#include "lang/schema_parse_priv.h"

typedef og_lang__schema_parser parser;

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
    return named(p, OG_SCHEMA_RULE_IDENT, og_match_ident, out);
}

bool og_lang__schema_type_name(parser *p, og_lang__name *out)
{
    return named(p, OG_SCHEMA_RULE_TYPE_NAME, og_match_type_name, out);
}

bool og_lang__schema_integer(parser *p, og_span *out)
{
    return og_scan_terminal(&p->scan, OG_SCHEMA_RULE_INTEGER, og_match_integer, out);
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

size_t og_lang__schema_match_word(og_str rest)
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
static size_t match_any(og_str rest, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (og_str_starts(rest, og_str_of(words[i])))
            return strlen(words[i]);
    return 0;
}

/* A name of which another is a prefix stands before it. */
const char *const og_lang__schema_scalars[] = {
    "String", "Blob", "Bool", "I32", "I64", "U32", "U64", "F32", "F64", "DateTime", "Date", NULL,
};
static const char *const constraint_words[] = {
    [OG_LANG__KEY] = "key",     [OG_LANG__UNIQUE] = "unique", [OG_LANG__INDEX] = "index",
    [OG_LANG__RANGE] = "range", [OG_LANG__CHECK] = "check",   NULL,
};

static size_t match_base_type(og_str rest)
{
    return match_any(rest, og_lang__schema_scalars);
}

static size_t match_constraint_name(og_str rest)
{
    return match_any(rest, constraint_words);
}

static size_t match_bool(og_str rest)
{
    static const char *const words[] = {"true", "false", NULL};
    return match_any(rest, words);
}

/* literal = { string_lit | float_lit | integer | bool_lit } */
static bool literal(parser *p, bool *out_is_string, og_span *out)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    bool is_string = og_scan_terminal(s, OG_SCHEMA_RULE_STRING_LIT, og_match_string, out);
    bool ok = is_string || og_scan_terminal(s, OG_SCHEMA_RULE_FLOAT_LIT, og_match_float, out) ||
              og_lang__schema_integer(p, out) ||
              og_scan_terminal(s, OG_SCHEMA_RULE_BOOL_LIT, match_bool, out);
    *out_is_string = is_string;
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_LITERAL, ok);
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
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_ANNOTATION_ARG, ok);
}

/* constraint_name ~ "(", only looked at. */
static bool at_body_constraint(parser *p)
{
    og_scan *s = &p->scan;
    size_t start = s->pos;
    s->negative = !s->negative;
    bool found = og_scan_terminal(s, OG_SCHEMA_RULE_CONSTRAINT_NAME, match_constraint_name, NULL) &&
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
        OG_LANG__PUSH(p, annotations, a);
    }
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_ANNOTATION, ok);
}

void og_lang__schema_annotations(parser *p, og_lang__annotation **out, uint32_t *out_count)
{
    size_t base = p->annotations.len;
    while (annotation(p))
        ;
    OG_LANG__TAKE_TAIL(p, annotations, base, out, out_count);
}

/* ---- properties --------------------------------------------------------------------------- */

static bool base_type(parser *p, og_span *out)
{
    return og_scan_terminal(&p->scan, OG_SCHEMA_RULE_BASE_TYPE, match_base_type, out);
}

/* list_type = { "[" ~ base_type ~ "]" } */
static bool list_type(parser *p, og_span *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = og_scan_text(&p->scan, "[") && base_type(p, out) && og_scan_text(&p->scan, "]");
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_LIST_TYPE, ok);
}

/* vector_type = { "Vector" ~ "(" ~ integer ~ ")" } */
static bool vector_type(parser *p, og_span *out)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    bool ok = og_scan_text(s, "Vector") && og_scan_text(s, "(") &&
              og_lang__schema_integer(p, out) && og_scan_text(s, ")");
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_VECTOR_TYPE, ok);
}

bool og_lang__schema_name_list(parser *p, og_lang__schema_rule rule, size_t (*match)(og_str))
{
    og_lang__name name;
    if (!named(p, rule, match, &name))
        return false;
    size_t behind;
    do {
        OG_LANG__PUSH(p, names, name);
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
              og_lang__schema_name_list(p, OG_SCHEMA_RULE_ENUM_VALUE, og_lang__schema_match_word) &&
              og_scan_text(s, ")");
    if (ok)
        OG_LANG__TAKE_TAIL(p, names, base, &prop->enum_values, &prop->enum_value_count);
    p->names.len = base;
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_ENUM_TYPE, ok);
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
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_CORE_TYPE, ok);
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
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_TYPE_REF, ok);
}

/* prop_decl = { ident ~ ":" ~ type_ref ~ annotation* } */
static bool prop_decl(parser *p)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    og_lang__prop prop = {0};
    bool ok = ident(p, &prop.name) && og_scan_text(s, ":") && type_ref(p, &prop);
    if (ok) {
        og_lang__schema_annotations(p, &prop.annotations, &prop.annotation_count);
        OG_LANG__PUSH(p, props, prop);
    }
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_PROP_DECL, ok);
}

/* ---- constraints -------------------------------------------------------------------------- */

/* signed_float | signed_integer */
static bool bound(parser *p, og_span *out)
{
    return og_scan_terminal(&p->scan, OG_SCHEMA_RULE_SIGNED_FLOAT, match_signed_float, out) ||
           og_scan_terminal(&p->scan, OG_SCHEMA_RULE_SIGNED_INTEGER, match_signed_integer, out);
}

/* range_bound = { bound ~ ".." ~ bound? | ".." ~ bound } */
static bool range_bound(parser *p, og_lang__arg *arg)
{
    og_scan *s = &p->scan;
    og_scan_mark mark = og_scan_enter(s);
    arg->has_min = bound(p, &arg->min) && og_scan_text(s, "..");
    if (arg->has_min) {
        arg->has_max = bound(p, &arg->max);
        return og_scan_leave(s, mark, OG_SCHEMA_RULE_RANGE_BOUND, true);
    }
    s->pos = mark.start;
    arg->has_max = og_scan_text(s, "..") && bound(p, &arg->max);
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_RANGE_BOUND, arg->has_max);
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
        OG_LANG__PUSH(p, args, arg);
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_CONSTRAINT_ARG, ok);
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
    return og_scan_leave(&p->scan, mark, OG_SCHEMA_RULE_CONSTRAINT_ARGS, ok);
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
              named(p, OG_SCHEMA_RULE_CONSTRAINT_NAME, match_constraint_name, &name) &&
              og_scan_text(s, "(") && constraint_args(p) && og_scan_text(s, ")");
    if (ok) {
        og_lang__constraint c = {
            .kind = constraint_kind(name.text),
            .span = {(uint32_t)mark.start, (uint32_t)s->pos},
        };
        OG_LANG__TAKE_TAIL(p, args, base, &c.args, &c.arg_count);
        OG_LANG__PUSH(p, constraints, c);
    }
    p->args.len = base;
    return og_scan_leave(s, mark, OG_SCHEMA_RULE_BODY_CONSTRAINT, ok);
}

/* ---- bodies ------------------------------------------------------------------------------- */

bool og_lang__schema_body(parser *p, og_lang__decl *decl)
{
    size_t props = p->props.len, constraints = p->constraints.len;
    bool ok = og_scan_text(&p->scan, "{");
    if (ok) {
        while (prop_decl(p) || (decl->kind != OG_LANG__INTERFACE && body_constraint(p)))
            ;
        ok = og_scan_text(&p->scan, "}");
    }
    if (ok) {
        OG_LANG__TAKE_TAIL(p, props, props, &decl->props, &decl->prop_count);
        OG_LANG__TAKE_TAIL(p, constraints, constraints, &decl->constraints,
                           &decl->constraint_count);
    }
    p->props.len = props;
    p->constraints.len = constraints;
    return ok;
}
