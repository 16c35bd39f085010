/* The grammar of a file, its queries and mutations. */
#include <stdarg.h>
#include <stdio.h>

#include "lang/query_parse_priv.h"

typedef og_lang__parser parser;
typedef og_lang__clause clause;

/* ---- the parser's state ------------------------------------------------------------------- */

bool og_lang__descend(parser *p, og_span at)
{
    if (p->stopped)
        return false;
    if (p->depth == OG_LANG__MAX_DEPTH) {
        p->stopped = true;
        og_lang__fail(p->c, at, "parse error: nested deeper than %d levels", OG_LANG__MAX_DEPTH);
        return false;
    }
    p->depth++;
    return true;
}

void og_lang__meaningless(parser *p, og_span span, const char *fmt, ...)
{
    if (p->meaning.status != OG_OK && p->meaning.span.start <= span.start)
        return;
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    /* Said twice, as the reference wraps such an error in another of the same kind. */
    og_lang__fail(p->c, span, "parse error: parse error: %s", text);
    p->meaning = p->c->diag;
    p->c->diag = (og_lang__diag){0};
    p->stopped = p->stopped || p->meaning.status == OG_NOMEM;
}

void *og_lang__node(parser *p, size_t size)
{
    void *node = og_arena_calloc(p->c->arena, 1, size);
    if (node == NULL) {
        p->stopped = true;
        og_lang__nomem(p->c);
    }
    return node;
}

void og_lang__count_clause(parser *p, og_scan_mark mark)
{
    if (++p->clause_count <= OG_LANG__MAX_CLAUSES || p->stopped)
        return;
    p->stopped = true;
    og_lang__fail(p->c, og_lang__span_from(p, mark),
                  "parse error: more than %d clauses, returns and orders in a query",
                  OG_LANG__MAX_CLAUSES);
}

bool og_lang__parse_terminal(parser *p, og_lang__rule rule, size_t (*match)(og_str rest),
                             og_lang__word *out)
{
    if (!og_scan_terminal(&p->scan, (uint8_t)rule, match, &out->span))
        return false;
    out->text = og_scan_slice(&p->scan, out->span);
    return true;
}

bool og_lang__parse_type_name(parser *p, og_lang__word *out)
{
    return og_lang__parse_terminal(p, OG_RULE_TYPE_NAME, og_match_type_name, out);
}

static bool word(parser *p, const char *text)
{
    return og_scan_text(&p->scan, text);
}

/* ---- parameters --------------------------------------------------------------------------- */

static bool base_type(parser *p)
{
    /* In the grammar's order: "DateTime" before its prefix "Date". */
    static const char *const names[] = {"String", "Blob", "Bool", "I32",      "I64", "U32",
                                        "U64",    "F32",  "F64",  "DateTime", "Date"};
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !ok; i++)
        ok = og_scan_text_here(&p->scan, names[i]);
    return og_scan_leave(&p->scan, mark, OG_RULE_BASE_TYPE, ok);
}

static bool list_type(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = og_scan_text_here(&p->scan, "[") && base_type(p) && word(p, "]");
    return og_scan_leave(&p->scan, mark, OG_RULE_LIST_TYPE, ok);
}

static bool vector_type(parser *p)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = og_scan_text_here(&p->scan, "Vector") && word(p, "(") &&
              og_lang__parse_integer(p, NULL) && word(p, ")");
    return og_scan_leave(&p->scan, mark, OG_RULE_VECTOR_TYPE, ok);
}

/* The text of a type without white space and comments: "[ I64 ]" is "[I64]". */
static og_str squeeze_type(parser *p, og_span span)
{
    char *dst = og_lang__node(p, span.end - span.start + 1u);
    if (dst == NULL)
        return OG_STR("");
    og_scan walk = p->scan;
    size_t len = 0;
    for (walk.pos = span.start; og_scan_skip(&walk), walk.pos < span.end; walk.pos++)
        dst[len++] = walk.source.ptr[walk.pos];
    return (og_str){dst, len};
}

static bool type_ref(parser *p, og_lang__param *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = list_type(p) || base_type(p) || vector_type(p);
    if (ok) {
        out->type_name.span = og_lang__span_from(p, mark);
        out->type_name.text = squeeze_type(p, out->type_name.span);
        out->nullable = word(p, "?");
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_TYPE_REF, ok);
}

static bool param(parser *p, og_lang__param **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__param *node = og_lang__node(p, sizeof *node);
    bool ok = node != NULL && og_lang__parse_variable(p, &node->name) && word(p, ":") &&
              type_ref(p, node);
    *out = node;
    return og_scan_leave(&p->scan, mark, OG_RULE_PARAM, ok);
}

static bool param_list(parser *p, og_lang__param **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__param **tail = out;
    bool ok = param(p, tail);
    if (ok)
        tail = &(*tail)->next;
    size_t before = p->scan.pos;
    while (ok && word(p, ",") && param(p, tail)) {
        tail = &(*tail)->next;
        before = p->scan.pos;
    }
    *tail = NULL;
    if (ok)
        p->scan.pos = before;
    return og_scan_leave(&p->scan, mark, OG_RULE_PARAM_LIST, ok);
}

/* ---- return, order, limit ----------------------------------------------------------------- */

static bool projection(parser *p, og_lang__projection **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__projection *node = og_lang__node(p, sizeof *node);
    bool ok = node != NULL && og_lang__parse_expr(p, &node->expr);
    if (ok) {
        size_t before = p->scan.pos;
        if (!word(p, "as") || !og_lang__parse_ident(p, &node->alias)) {
            p->scan.pos = before;
            node->alias = (og_lang__word){0};
        }
        word(p, ",");
        *out = node;
        og_lang__count_clause(p, mark);
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_PROJECTION, ok && !p->stopped);
}

static bool return_clause(parser *p, og_lang__projection **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__projection **tail = out;
    bool ok = og_scan_text_here(&p->scan, "return") && word(p, "{") && projection(p, tail);
    if (ok) {
        do
            tail = &(*tail)->next;
        while (projection(p, tail));
        ok = word(p, "}");
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_RETURN_CLAUSE, ok);
}

static bool order_dir(parser *p, bool *out_descending)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out_descending = false;
    bool ok = og_scan_text_here(&p->scan, "asc");
    if (!ok)
        ok = *out_descending = og_scan_text_here(&p->scan, "desc");
    return og_scan_leave(&p->scan, mark, OG_RULE_ORDER_DIR, ok);
}

static bool ordering(parser *p, og_lang__ordering **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__ordering *node = og_lang__node(p, sizeof *node);
    bool ok = node != NULL && og_lang__parse_nearest(p, &node->expr);
    if (node != NULL && !ok) {
        ok = og_lang__parse_expr(p, &node->expr);
        if (ok)
            order_dir(p, &node->descending);
    }
    *out = node;
    og_lang__count_clause(p, mark);
    return og_scan_leave(&p->scan, mark, OG_RULE_ORDERING, ok && !p->stopped);
}

static bool order_clause(parser *p, og_lang__ordering **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__ordering **tail = out;
    bool ok = og_scan_text_here(&p->scan, "order") && word(p, "{") && ordering(p, tail);
    if (ok) {
        tail = &(*tail)->next;
        size_t before = p->scan.pos;
        while (word(p, ",") && ordering(p, tail)) {
            tail = &(*tail)->next;
            before = p->scan.pos;
        }
        p->scan.pos = before;
        ok = word(p, "}");
    }
    *tail = NULL;
    return og_scan_leave(&p->scan, mark, OG_RULE_ORDER_CLAUSE, ok);
}

static bool limit_clause(parser *p, og_lang__query_decl *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_span number;
    bool ok = og_scan_text_here(&p->scan, "limit") && og_lang__parse_integer(p, &number);
    if (ok) {
        out->has_limit = true;
        out->limit = og_lang__number_value(p, number, UINT64_MAX, "limit");
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_LIMIT_CLAUSE, ok);
}

static bool read_query_body(parser *p, og_lang__query_decl *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = og_lang__parse_match(p, &out->clauses) && return_clause(p, &out->projections);
    if (ok) {
        order_clause(p, &out->orderings);
        limit_clause(p, out);
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_READ_QUERY_BODY, ok);
}

/* ---- mutations ---------------------------------------------------------------------------- */

static bool mutation_assignment(parser *p, og_lang__pair **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__pair *node = og_lang__node(p, sizeof *node);
    bool ok = node != NULL && og_lang__parse_ident(p, &node->name) && word(p, ":") &&
              og_lang__parse_match_value(p, &node->value);
    if (ok) {
        node->span = og_lang__span_from(p, mark);
        word(p, ",");
        *out = node;
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_MUTATION_ASSIGNMENT, ok);
}

/* "{" one or more "}" */
static bool assignments(parser *p, og_lang__pair **out)
{
    og_lang__pair **tail = out;
    if (!word(p, "{") || !mutation_assignment(p, tail))
        return false;
    do
        tail = &(*tail)->next;
    while (mutation_assignment(p, tail));
    return word(p, "}");
}

static bool mutation_predicate(parser *p, og_lang__pair *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = og_lang__parse_ident(p, &out->name) && og_lang__parse_comp_op(p, &out->op) &&
              og_lang__parse_match_value(p, &out->value);
    out->span = og_lang__span_from(p, mark);
    return og_scan_leave(&p->scan, mark, OG_RULE_MUTATION_PREDICATE, ok);
}

static bool insert_stmt(parser *p, og_lang__mutation *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (og_lang__mutation){.kind = OG_MUT_INSERT};
    bool ok = og_scan_text_here(&p->scan, "insert") &&
              og_lang__parse_type_name(p, &out->type_name) && assignments(p, &out->assignments);
    return og_scan_leave(&p->scan, mark, OG_RULE_INSERT_STMT, ok);
}

static bool update_stmt(parser *p, og_lang__mutation *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (og_lang__mutation){.kind = OG_MUT_UPDATE};
    bool ok = og_scan_text_here(&p->scan, "update") &&
              og_lang__parse_type_name(p, &out->type_name) && word(p, "set") &&
              assignments(p, &out->assignments) && word(p, "where") &&
              mutation_predicate(p, &out->predicate);
    return og_scan_leave(&p->scan, mark, OG_RULE_UPDATE_STMT, ok);
}

static bool delete_stmt(parser *p, og_lang__mutation *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    *out = (og_lang__mutation){.kind = OG_MUT_DELETE};
    bool ok = og_scan_text_here(&p->scan, "delete") &&
              og_lang__parse_type_name(p, &out->type_name) && word(p, "where") &&
              mutation_predicate(p, &out->predicate);
    return og_scan_leave(&p->scan, mark, OG_RULE_DELETE_STMT, ok);
}

static bool mutation_stmt(parser *p, og_lang__mutation **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__mutation *node = og_lang__node(p, sizeof *node);
    bool ok =
        node != NULL && (insert_stmt(p, node) || update_stmt(p, node) || delete_stmt(p, node));
    if (ok) {
        node->span = og_lang__span_from(p, mark);
        *out = node;
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_MUTATION_STMT, ok);
}

static bool mutation_body(parser *p, og_lang__mutation **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__mutation **tail = out;
    bool ok = mutation_stmt(p, tail);
    if (ok) {
        do
            tail = &(*tail)->next;
        while (mutation_stmt(p, tail));
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_MUTATION_BODY, ok);
}

/* ---- queries ------------------------------------------------------------------------------ */

/* word "(" string ")" */
static bool described(parser *p, og_lang__rule rule, const char *at_word, og_str *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = og_scan_text_here(&p->scan, at_word) && word(p, "(") &&
              og_lang__parse_string(p, out) && word(p, ")");
    return og_scan_leave(&p->scan, mark, (uint8_t)rule, ok);
}

static void refuse_duplicate(parser *p, const og_lang__query_decl *decl, og_scan_mark mark,
                             bool present, const char *annotation)
{
    if (present)
        og_lang__meaningless(p, og_lang__span_from(p, mark),
                             "query `%.*s` cannot include duplicate %s annotations",
                             OG_FMT(decl->name.text), annotation);
}

static bool query_annotation(parser *p, og_lang__query_decl *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = true;
    og_str text;
    if (described(p, OG_RULE_DESCRIPTION_ANNOTATION, "@description", &text)) {
        refuse_duplicate(p, out, mark, out->has_description, "@description");
        out->description = text;
        out->has_description = true;
    } else if (described(p, OG_RULE_INSTRUCTION_ANNOTATION, "@instruction", &text)) {
        refuse_duplicate(p, out, mark, out->has_instruction, "@instruction");
        out->instruction = text;
        out->has_instruction = true;
    } else {
        ok = false;
    }
    return og_scan_leave(&p->scan, mark, OG_RULE_QUERY_ANNOTATION, ok);
}

static bool query_body(parser *p, og_lang__query_decl *out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    bool ok = read_query_body(p, out) || mutation_body(p, &out->mutations);
    return og_scan_leave(&p->scan, mark, OG_RULE_QUERY_BODY, ok);
}

static bool query_decl(parser *p, og_lang__query_decl **out)
{
    og_scan_mark mark = og_scan_enter(&p->scan);
    og_lang__query_decl *node = og_lang__node(p, sizeof *node);
    p->clause_count = 0;
    bool ok = node != NULL && og_scan_text_here(&p->scan, "query") &&
              og_lang__parse_ident(p, &node->name) && word(p, "(");
    if (ok) {
        param_list(p, &node->params);
        ok = word(p, ")");
    }
    while (ok && query_annotation(p, node))
        ;
    ok = ok && word(p, "{") && query_body(p, node) && word(p, "}");
    if (ok)
        *out = node;
    return og_scan_leave(&p->scan, mark, OG_RULE_QUERY_DECL, ok);
}

static bool query_file(parser *p, og_lang__query_decl **out)
{
    og_scan_mark mark = og_scan_enter_here(&p->scan);
    og_lang__query_decl **tail = out;
    while (query_decl(p, tail))
        tail = &(*tail)->next;
    *tail = NULL;
    bool ok = og_scan_end(&p->scan);
    return og_scan_leave(&p->scan, mark, OG_RULE_QUERY_FILE, ok);
}

static og_status syntax_error(parser *p)
{
    static const char *const names[] = {
#define RULE_NAME(id, name) name,
        OG_LANG__RULES(RULE_NAME)
#undef RULE_NAME
    };
    og_error err;
    if (og_scan_error(&p->scan, names, &err) == OG_NOMEM)
        return og_lang__nomem(p->c);
    uint32_t at = (uint32_t)p->scan.furthest;
    return og_lang__fail(p->c, (og_span){at, at}, "parse error: %s", err.message);
}

og_status og_lang__parse(og_lang__compile *c, og_lang__query_decl **out_first)
{
    og_error err;
    if (og_text_check(c->source, OG_LANG__MAX_SOURCE_BYTES, "query file", &err) != OG_OK) {
        og_lang__fail(c, (og_span){0, 0}, "%s", err.message);
        c->diag.status = err.status;
        c->diag.has_place = false;
        return err.status;
    }
    parser p = {.c = c, .scan = og_scan_of(c->source)};
    *out_first = NULL;
    bool parsed = query_file(&p, out_first);
    if (p.stopped)
        return c->diag.status;
    if (!parsed)
        return syntax_error(&p);
    if (p.meaning.status != OG_OK) {
        c->diag = p.meaning;
        return c->diag.status;
    }
    return OG_OK;
}
