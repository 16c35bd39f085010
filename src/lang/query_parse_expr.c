/* The grammar of expressions and literals. */
#include "base/number.h"
#include "lang/query_parse_priv.h"

typedef og_lang__parser parser;
typedef og_lang__expr expr;

static og_str rest_of(const parser *p)
{
    return og_str_slice(p->scan.source, p->scan.pos, p->scan.source.len);
}

static bool is_word_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* ---- terminals ---------------------------------------------------------------------------- */

static size_t match_variable(og_str rest)
{
    if (rest.len < 2 || rest.ptr[0] != '$')
        return 0;
    size_t name = og_match_ident(og_str_slice(rest, 1, rest.len));
    return name > 0 ? name + 1 : 0;
}

bool og_lang__parse_variable(parser *p, og_lang__word *out)
{
    og_span span;
    if (!og_scan_terminal(&p->scan, OG_RULE_VARIABLE, match_variable, &span))
        return false;
    *out = (og_lang__word){og_str_slice(p->scan.source, span.start + 1, span.end), span};
    return true;
}

bool og_lang__parse_ident(parser *p, og_lang__word *out)
{
    og_span span;
    if (!og_scan_terminal(&p->scan, OG_RULE_IDENT, og_match_ident, &span))
        return false;
    *out = (og_lang__word){og_scan_slice(&p->scan, span), span};
    return true;
}

bool og_lang__parse_integer(parser *p, og_span *out)
{
    return og_scan_terminal(&p->scan, OG_RULE_INTEGER, og_match_integer, out);
}

uint64_t og_lang__number_value(parser *p, og_span span, uint64_t max, const char *what)
{
    uint64_t value;
    if (og_parse_u64(og_scan_slice(&p->scan, span), &value) && value <= max)
        return value;
    og_lang__meaningless(p, span, "invalid %s: number too large to fit in target type", what);
    return 0;
}

bool og_lang__parse_string(parser *p, og_str *out)
{
    og_span span;
    if (!og_scan_terminal(&p->scan, OG_RULE_STRING_LIT, og_match_string, &span))
        return false;
    og_error err;
    og_status status = og_decode_string(og_scan_slice(&p->scan, span), p->c->arena, out, &err);
    if (status == OG_NOMEM) {
        p->stopped = true;
        og_lang__nomem(p->c);
        return false;
    }
    if (status != OG_OK) {
        *out = OG_STR("");
        og_lang__meaningless(p, span, "%s", err.message);
    }
    return true;
}

/* ---- literals ----------------------------------------------------------------------------- */

static size_t sign_length(og_str rest)
{
    return rest.len > 0 && rest.ptr[0] == '-' ? 1 : 0;
}

static size_t match_signed_integer(og_str rest)
{
    size_t sign = sign_length(rest);
    size_t digits = og_match_integer(og_str_slice(rest, sign, rest.len));
    return digits > 0 ? sign + digits : 0;
}

/* "e5", "E-5"; 0 when there are no digits. */
static size_t exponent_length(og_str rest)
{
    if (rest.len < 2 || (rest.ptr[0] != 'e' && rest.ptr[0] != 'E'))
        return 0;
    size_t sign = rest.ptr[1] == '+' || rest.ptr[1] == '-' ? 1 : 0;
    size_t digits = og_match_integer(og_str_slice(rest, 1 + sign, rest.len));
    return digits > 0 ? 1 + sign + digits : 0;
}

/* Digits with a fraction, an exponent, or both. */
static size_t match_signed_float(og_str rest)
{
    size_t sign = sign_length(rest);
    og_str digits = og_str_slice(rest, sign, rest.len);
    size_t len = og_match_float(digits);
    bool fraction = len > 0;
    if (!fraction)
        len = og_match_integer(digits);
    if (len == 0)
        return 0;
    size_t exponent = exponent_length(og_str_slice(digits, len, digits.len));
    return fraction || exponent > 0 ? sign + len + exponent : 0;
}

static bool float_lit(parser *p, og_literal *out)
{
    og_span span;
    if (!og_scan_terminal(&p->scan, OG_RULE_FLOAT_LIT, match_signed_float, &span))
        return false;
    *out = (og_literal){.kind = OG_LIT_FLOAT};
    if (!og_parse_f64(og_scan_slice(&p->scan, span), &out->real))
        og_lang__meaningless(p, span, "invalid float: number too large to fit in target type");
    return true;
}

static bool integer_lit(parser *p, og_literal *out)
{
    og_span span;
    if (!og_scan_terminal(&p->scan, OG_RULE_INTEGER, match_signed_integer, &span))
        return false;
    og_str text = og_scan_slice(&p->scan, span);
    *out = (og_literal){.kind = OG_LIT_INTEGER};
    if (og_parse_i64(text, &out->integer))
        return true;
    uint64_t above;
    out->is_unsigned = og_parse_u64(text, &above);
    if (out->is_unsigned)
        out->integer = (int64_t)above;
    else
        og_lang__meaningless(p, span, "invalid integer: number too %s to fit in target type",
                             text.ptr[0] == '-' ? "small" : "large");
    return true;
}

/* date("...") or datetime("..."). */
static bool dated_lit(parser *p, og_lang__rule rule, const char *word, og_literal_kind kind,
                      og_literal *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (og_literal){.kind = kind};
    bool ok = og_scan_text_here(&p->scan, word) && og_scan_text(&p->scan, "(") &&
              og_lang__parse_string(p, &out->text) && og_scan_text(&p->scan, ")");
    return og_scan_leave(&p->scan, mark, rule, ok);
}

static bool string_lit(parser *p, og_literal *out)
{
    *out = (og_literal){.kind = OG_LIT_STRING};
    return og_lang__parse_string(p, &out->text);
}

static bool bool_lit(parser *p, og_literal *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (og_literal){.kind = OG_LIT_BOOL};
    out->boolean = og_scan_text_here(&p->scan, "true");
    bool ok = out->boolean || og_scan_text_here(&p->scan, "false");
    return og_scan_leave(&p->scan, mark, OG_RULE_BOOL_LIT, ok);
}

/* `null` as a whole word: "nullable" is still a name. */
static bool null_lit(parser *p, og_literal *out)
{
    og_scan_skip(&p->scan);
    og_str rest = rest_of(p);
    if (!og_str_starts(rest, OG_STR("null")) || (rest.len > 4 && is_word_char(rest.ptr[4])))
        return false;
    p->scan.pos += 4;
    *out = (og_literal){.kind = OG_LIT_NULL};
    return true;
}

static bool literal(parser *p, og_literal *out);

/* The items after "[" up to "]". */
static bool list_items(parser *p, og_literal *out)
{
    OG_VEC(og_literal) items = {0};
    og_literal item;
    bool ok = true;
    bool more = literal(p, &item);
    while (more && ok) {
        ok = og_vec_push(&items, item);
        size_t before = p->scan.pos;
        more = ok && og_scan_text(&p->scan, ",");
        if (more && !literal(p, &item)) {
            p->scan.pos = before;
            more = false;
        }
    }
    out->count = (uint32_t)items.len;
    out->items = og_arena_copy(p->c->arena, items.items, items.len * sizeof *items.items);
    og_vec_deinit(&items);
    if (!ok || out->items == NULL) {
        p->stopped = true;
        og_lang__nomem(p->c);
        return false;
    }
    return !p->stopped;
}

static bool list_lit(parser *p, og_literal *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (og_literal){.kind = OG_LIT_LIST};
    bool ok = og_scan_text_here(&p->scan, "[") && list_items(p, out) && og_scan_text(&p->scan, "]");
    return og_scan_leave(&p->scan, mark, OG_RULE_LIST_LIT, ok);
}

static bool literal(parser *p, og_literal *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    if (!og_lang__descend(p, og_lang__span_from(p, mark)))
        return false;
    bool ok = list_lit(p, out) ||
              dated_lit(p, OG_RULE_DATETIME_LIT, "datetime", OG_LIT_DATETIME, out) ||
              dated_lit(p, OG_RULE_DATE_LIT, "date", OG_LIT_DATE, out) || string_lit(p, out) ||
              float_lit(p, out) || integer_lit(p, out) || bool_lit(p, out) || null_lit(p, out);
    og_lang__ascend(p);
    return og_scan_leave(&p->scan, mark, OG_RULE_LITERAL, ok);
}

static bool literal_expr(parser *p, expr *out)
{
    *out = (expr){.kind = OG_EXPR_LITERAL};
    return literal(p, &out->literal);
}

/* ---- calls -------------------------------------------------------------------------------- */

static bool argument(parser *p, expr *call, bool (*parse)(parser *p, expr *out))
{
    expr *arg = og_lang__node(p, sizeof *arg);
    if (arg == NULL || !parse(p, arg))
        return false;
    call->args[call->arg_count++] = arg;
    return true;
}

/* ", expr" or nothing. */
static void optional_argument(parser *p, expr *call)
{
    size_t before = p->scan.pos;
    if (!og_scan_text(&p->scan, ",") || !argument(p, call, og_lang__parse_expr))
        p->scan.pos = before;
}

/* word "(" arg "," arg ["," expr] ")" */
static bool call(parser *p, og_lang__rule rule, const char *word, og_ir_expr_kind kind,
                 bool (*parse_arg)(parser *p, expr *out), bool optional_third, expr *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (expr){.kind = kind};
    bool ok = og_scan_text_here(&p->scan, word) && og_scan_text(&p->scan, "(") &&
              argument(p, out, parse_arg) && og_scan_text(&p->scan, ",") &&
              argument(p, out, parse_arg);
    if (ok && optional_third)
        optional_argument(p, out);
    ok = ok && og_scan_text(&p->scan, ")");
    out->span = og_lang__span_from(p, mark);
    return og_scan_leave(&p->scan, mark, rule, ok);
}

static bool now_call(parser *p, expr *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (expr){.kind = OG_EXPR_NOW};
    bool ok = og_scan_text_here(&p->scan, "now") && og_scan_text(&p->scan, "(") &&
              og_scan_text(&p->scan, ")");
    return og_scan_leave(&p->scan, mark, OG_RULE_NOW_CALL, ok);
}

static bool search_call(parser *p, expr *out)
{
    return call(p, OG_RULE_SEARCH_CALL, "search", OG_EXPR_SEARCH, og_lang__parse_expr, false, out);
}

static bool fuzzy_call(parser *p, expr *out)
{
    return call(p, OG_RULE_FUZZY_CALL, "fuzzy", OG_EXPR_FUZZY, og_lang__parse_expr, true, out);
}

static bool match_text_call(parser *p, expr *out)
{
    return call(p, OG_RULE_MATCH_TEXT_CALL, "match_text", OG_EXPR_MATCH_TEXT, og_lang__parse_expr,
                false, out);
}

static bool bm25_call(parser *p, expr *out)
{
    return call(p, OG_RULE_BM25_CALL, "bm25", OG_EXPR_BM25, og_lang__parse_expr, false, out);
}

static bool rank_expr(parser *p, expr *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = og_lang__parse_nearest(p, out) || bm25_call(p, out);
    return og_scan_leave(&p->scan, mark, OG_RULE_RANK_EXPR, ok);
}

static bool rrf_call(parser *p, expr *out)
{
    return call(p, OG_RULE_RRF_CALL, "rrf", OG_EXPR_RRF, rank_expr, true, out);
}

bool og_lang__parse_search_call(parser *p, expr *out)
{
    return search_call(p, out) || fuzzy_call(p, out) || match_text_call(p, out);
}

static bool prop_access(parser *p, expr *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (expr){.kind = OG_EXPR_PROPERTY};
    bool ok = og_lang__parse_variable(p, &out->variable) && og_scan_text(&p->scan, ".") &&
              og_lang__parse_ident(p, &out->name);
    return og_scan_leave(&p->scan, mark, OG_RULE_PROP_ACCESS, ok);
}

bool og_lang__parse_nearest(parser *p, expr *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    expr property;
    *out = (expr){.kind = OG_EXPR_NEAREST};
    bool ok = og_scan_text_here(&p->scan, "nearest") && og_scan_text(&p->scan, "(") &&
              prop_access(p, &property) && og_scan_text(&p->scan, ",") &&
              argument(p, out, og_lang__parse_expr) && og_scan_text(&p->scan, ")");
    if (ok) {
        out->variable = property.variable;
        out->name = property.name;
        out->span = og_lang__span_from(p, mark);
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_NEAREST_ORDERING, ok);
}

static bool agg_func(parser *p, og_agg *out)
{
    static const og_agg all[] = {OG_AGG_COUNT, OG_AGG_SUM, OG_AGG_AVG, OG_AGG_MIN, OG_AGG_MAX};
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = false;
    for (size_t i = 0; i < sizeof all / sizeof *all && !ok; i++) {
        ok = og_scan_text_here(&p->scan, og_agg_name(all[i]));
        *out = all[i];
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_AGG_FUNC, ok);
}

static bool agg_call(parser *p, expr *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (expr){.kind = OG_EXPR_AGGREGATE};
    bool ok = agg_func(p, &out->agg) && og_scan_text(&p->scan, "(") &&
              argument(p, out, og_lang__parse_expr) && og_scan_text(&p->scan, ")");
    return og_scan_leave(&p->scan, mark, OG_RULE_AGG_CALL, ok);
}

/* ---- expressions -------------------------------------------------------------------------- */

static bool variable_expr(parser *p, expr *out)
{
    *out = (expr){.kind = OG_EXPR_VARIABLE};
    return og_lang__parse_variable(p, &out->variable);
}

static bool alias_expr(parser *p, expr *out)
{
    *out = (expr){.kind = OG_EXPR_ALIAS};
    return og_lang__parse_ident(p, &out->name);
}

bool og_lang__parse_expr(parser *p, expr *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    if (!og_lang__descend(p, og_lang__span_from(p, mark)))
        return false;
    bool ok = now_call(p, out) || og_lang__parse_nearest(p, out) || search_call(p, out) ||
              fuzzy_call(p, out) || match_text_call(p, out) || bm25_call(p, out) ||
              rrf_call(p, out) || agg_call(p, out) || prop_access(p, out) ||
              variable_expr(p, out) || literal_expr(p, out) || alias_expr(p, out);
    og_lang__ascend(p);
    out->span = og_lang__span_from(p, mark);
    return og_scan_leave(&p->scan, mark, OG_RULE_EXPR, ok);
}

bool og_lang__parse_match_value(parser *p, expr *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = literal_expr(p, out) || variable_expr(p, out) || now_call(p, out);
    out->span = og_lang__span_from(p, mark);
    return og_scan_leave(&p->scan, mark, OG_RULE_MATCH_VALUE, ok);
}

bool og_lang__parse_comp_op(parser *p, og_cmp_op *out)
{
    static const og_cmp_op all[] = {OG_CMP_GE, OG_CMP_LE, OG_CMP_NE,
                                    OG_CMP_GT, OG_CMP_LT, OG_CMP_EQ};
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = false;
    for (size_t i = 0; i < sizeof all / sizeof *all && !ok; i++) {
        ok = og_scan_text_here(&p->scan, og_cmp_op_text(all[i]));
        *out = all[i];
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_COMP_OP, ok);
}
