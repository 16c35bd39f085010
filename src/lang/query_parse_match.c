/* The grammar of a match and its clauses. */
#include "lang/query_parse_priv.h"

typedef og_lang__parser parser;
typedef og_lang__clause clause;

static bool word(parser *p, const char *text)
{
    return og_scan_text(&p->scan, text);
}

static bool prop_match(parser *p, og_lang__pair **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__pair *node = og_lang__node(p, sizeof *node);
    bool ok = node != NULL && og_lang__parse_ident(p, &node->name) && word(p, ":") &&
              og_lang__parse_match_value(p, &node->value);
    if (ok)
        node->span = og_lang__span_from(p, mark);
    *out = node;
    return og_scan_leave(&p->scan, mark, OG_RULE_PROP_MATCH, ok);
}

static bool prop_match_list(parser *p, og_lang__pair **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__pair **tail = out;
    bool ok = prop_match(p, tail);
    if (ok)
        tail = &(*tail)->next;
    /* A comma at the end is allowed, so it stays consumed when no pair follows it. */
    while (ok && word(p, ",") && prop_match(p, tail))
        tail = &(*tail)->next;
    *tail = NULL;
    return og_scan_leave(&p->scan, mark, OG_RULE_PROP_MATCH_LIST, ok);
}

static bool binding(parser *p, clause *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (clause){.kind = OG_LANG__BINDING};
    bool ok = og_lang__parse_variable(p, &out->src) && word(p, ":") &&
              og_lang__parse_type_name(p, &out->type_name);
    if (ok) {
        size_t before = p->scan.pos;
        bool braces = word(p, "{") && prop_match_list(p, &out->pairs) && word(p, "}");
        if (!braces) {
            p->scan.pos = before;
            out->pairs = NULL;
        }
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_BINDING, ok);
}

static size_t match_edge_ident(og_str rest)
{
    static const og_str word_not = {"not", 3};
    size_t len = og_match_ident(rest);
    /* "not" and "not_x" are no edges, "nothing" and "not1" are. */
    bool negation = og_str_starts(rest, word_not) && (len == 3 || rest.ptr[3] == '_');
    return negation ? 0 : len;
}

static bool edge_ident(parser *p, og_lang__word *out)
{
    return og_lang__parse_terminal(p, OG_RULE_EDGE_IDENT, match_edge_ident, out);
}

/* `$e:` before an edge. Looked for without a trace. */
static void edge_binding(parser *p, clause *out)
{
    og_scan before = p->scan;
    out->has_edge_var = og_lang__parse_variable(p, &out->edge_var) && word(p, ":");
    if (out->has_edge_var) {
        size_t pos = p->scan.pos;
        p->scan = before;
        p->scan.pos = pos;
    } else {
        p->scan = before;
    }
}

/* `<edge>`. Looked for without a trace, as `$a < ...` may be a filter. */
static bool undirected_edge(parser *p, clause *out)
{
    og_scan before = p->scan;
    out->undirected = word(p, "<") && edge_ident(p, &out->edge) && word(p, ">");
    if (!out->undirected)
        p->scan = before;
    return out->undirected;
}

static bool traversal_bounds(parser *p, clause *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_span min, max;
    bool ok = og_scan_text_here(&p->scan, "{") && og_lang__parse_integer(p, &min) && word(p, ",");
    bool has_max = ok && og_lang__parse_integer(p, &max);
    ok = ok && word(p, "}");
    if (ok) {
        out->has_bounds = true;
        out->unbounded = !has_max;
        out->min_hops = (uint32_t)og_lang__number_value(p, min, UINT32_MAX, "traversal min bound");
        if (has_max)
            out->max_hops =
                (uint32_t)og_lang__number_value(p, max, UINT32_MAX, "traversal max bound");
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_TRAVERSAL_BOUNDS, ok);
}

static bool traversal(parser *p, clause *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (clause){.kind = OG_LANG__TRAVERSAL, .min_hops = 1, .max_hops = 1};
    bool ok = og_lang__parse_variable(p, &out->src);
    if (ok) {
        edge_binding(p, out);
        ok = undirected_edge(p, out) || edge_ident(p, &out->edge);
    }
    if (ok) {
        traversal_bounds(p, out);
        ok = og_lang__parse_variable(p, &out->dst);
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_TRAVERSAL, ok);
}

static bool filter_op(parser *p, og_cmp_op *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    static const og_cmp_op words[] = {OG_CMP_STARTS_WITH, OG_CMP_CONTAINS};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (og_scan_text_here(&p->scan, og_cmp_op_text(words[i]))) {
            *out = words[i];
            return og_scan_leave(&p->scan, mark, OG_RULE_FILTER_OP, true);
        }
    }
    bool ok = og_lang__parse_comp_op(p, out);
    return og_scan_leave(&p->scan, mark, OG_RULE_FILTER_OP, ok);
}

static bool filter(parser *p, clause *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (clause){.kind = OG_LANG__FILTER};
    bool ok = og_lang__parse_expr(p, &out->left) && filter_op(p, &out->op) &&
              og_lang__parse_expr(p, &out->right);
    return og_scan_leave(&p->scan, mark, OG_RULE_FILTER, ok);
}

static bool text_search_clause(parser *p, clause *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (clause){.kind = OG_LANG__FILTER, .op = OG_CMP_EQ, .is_call = true};
    out->right = (og_lang__expr){
        .kind = OG_EXPR_LITERAL,
        .literal = {.kind = OG_LIT_BOOL, .boolean = true},
    };
    bool ok = og_lang__parse_search_call(p, &out->left);
    return og_scan_leave(&p->scan, mark, OG_RULE_TEXT_SEARCH_CLAUSE, ok);
}

static bool clauses(parser *p, clause **out);

static bool negation(parser *p, clause *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (clause){.kind = OG_LANG__NEGATION};
    bool ok = og_scan_text_here(&p->scan, "not") && word(p, "{") &&
              og_lang__descend(p, og_lang__span_from(p, mark));
    if (ok) {
        ok = clauses(p, &out->inner) && word(p, "}");
        og_lang__ascend(p);
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_NEGATION, ok);
}

static bool one_clause(parser *p, clause **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    clause *node = og_lang__node(p, sizeof *node);
    bool ok = node != NULL && !p->stopped &&
              (negation(p, node) || binding(p, node) || traversal(p, node) || filter(p, node) ||
               text_search_clause(p, node));
    if (ok) {
        node->span = og_lang__span_from(p, mark);
        *out = node;
        og_lang__count_clause(p, mark);
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_CLAUSE, ok && !p->stopped);
}

/* One or more. */
static bool clauses(parser *p, clause **out)
{
    clause **tail = out;
    if (!one_clause(p, tail))
        return false;
    do
        tail = &(*tail)->next;
    while (one_clause(p, tail));
    return true;
}

bool og_lang__parse_match(parser *p, clause **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok =
        og_scan_text_here(&p->scan, "match") && word(p, "{") && clauses(p, out) && word(p, "}");
    return og_scan_leave(&p->scan, mark, OG_RULE_MATCH_CLAUSE, ok);
}
