/* lang/query_parse_priv - the parser's state, shared by its files: query_parse.c has the rules of a
 * file, its queries and mutations, query_parse_match.c those of a match, query_parse_expr.c those
 * of expressions and literals.
 *
 * One function per rule of the reference's grammar (query.pest), in its order of choices. A rule
 * that is ours alone is tried without leaving a trace in the list of expected rules, so that
 * syntax errors read as the reference's. */
#ifndef OG_LANG_QUERY_PARSE_PRIV_H
#define OG_LANG_QUERY_PARSE_PRIV_H

#include "lang/query_ast.h"
#include "lang/scan.h"

/* The grammar's rules in its order, which is the order of an error's expected list. */
#define OG_LANG__RULES(X)                                                                          \
    X(EOI, "EOI")                                                                                  \
    X(QUERY_FILE, "query_file")                                                                    \
    X(QUERY_DECL, "query_decl")                                                                    \
    X(QUERY_ANNOTATION, "query_annotation")                                                        \
    X(DESCRIPTION_ANNOTATION, "description_annotation")                                            \
    X(INSTRUCTION_ANNOTATION, "instruction_annotation")                                            \
    X(QUERY_BODY, "query_body")                                                                    \
    X(MUTATION_BODY, "mutation_body")                                                              \
    X(READ_QUERY_BODY, "read_query_body")                                                          \
    X(MUTATION_STMT, "mutation_stmt")                                                              \
    X(INSERT_STMT, "insert_stmt")                                                                  \
    X(UPDATE_STMT, "update_stmt")                                                                  \
    X(DELETE_STMT, "delete_stmt")                                                                  \
    X(MUTATION_ASSIGNMENT, "mutation_assignment")                                                  \
    X(MUTATION_PREDICATE, "mutation_predicate")                                                    \
    X(PARAM_LIST, "param_list")                                                                    \
    X(PARAM, "param")                                                                              \
    X(TYPE_REF, "type_ref")                                                                        \
    X(LIST_TYPE, "list_type")                                                                      \
    X(VECTOR_TYPE, "vector_type")                                                                  \
    X(BASE_TYPE, "base_type")                                                                      \
    X(MATCH_CLAUSE, "match_clause")                                                                \
    X(CLAUSE, "clause")                                                                            \
    X(TEXT_SEARCH_CLAUSE, "text_search_clause")                                                    \
    X(BINDING, "binding")                                                                          \
    X(PROP_MATCH_LIST, "prop_match_list")                                                          \
    X(PROP_MATCH, "prop_match")                                                                    \
    X(MATCH_VALUE, "match_value")                                                                  \
    X(TRAVERSAL, "traversal")                                                                      \
    X(TRAVERSAL_BOUNDS, "traversal_bounds")                                                        \
    X(FILTER, "filter")                                                                            \
    X(NEGATION, "negation")                                                                        \
    X(RETURN_CLAUSE, "return_clause")                                                              \
    X(PROJECTION, "projection")                                                                    \
    X(ORDER_CLAUSE, "order_clause")                                                                \
    X(ORDERING, "ordering")                                                                        \
    X(NEAREST_ORDERING, "nearest_ordering")                                                        \
    X(ORDER_DIR, "order_dir")                                                                      \
    X(LIMIT_CLAUSE, "limit_clause")                                                                \
    X(EXPR, "expr")                                                                                \
    X(NOW_CALL, "now_call")                                                                        \
    X(SEARCH_CALL, "search_call")                                                                  \
    X(FUZZY_CALL, "fuzzy_call")                                                                    \
    X(MATCH_TEXT_CALL, "match_text_call")                                                          \
    X(BM25_CALL, "bm25_call")                                                                      \
    X(RANK_EXPR, "rank_expr")                                                                      \
    X(RRF_CALL, "rrf_call")                                                                        \
    X(PROP_ACCESS, "prop_access")                                                                  \
    X(AGG_CALL, "agg_call")                                                                        \
    X(AGG_FUNC, "agg_func")                                                                        \
    X(COMP_OP, "comp_op")                                                                          \
    X(FILTER_OP, "filter_op")                                                                      \
    X(VARIABLE, "variable")                                                                        \
    X(EDGE_IDENT, "edge_ident")                                                                    \
    X(TYPE_NAME, "type_name")                                                                      \
    X(IDENT, "ident")                                                                              \
    X(LITERAL, "literal")                                                                          \
    X(DATE_LIT, "date_lit")                                                                        \
    X(DATETIME_LIT, "datetime_lit")                                                                \
    X(LIST_LIT, "list_lit")                                                                        \
    X(STRING_LIT, "string_lit")                                                                    \
    X(FLOAT_LIT, "float_lit")                                                                      \
    X(INTEGER, "integer")                                                                          \
    X(BOOL_LIT, "bool_lit")

typedef enum og_lang__rule {
#define OG_LANG__RULE_ENUM(id, name) OG_RULE_##id,
    OG_LANG__RULES(OG_LANG__RULE_ENUM)
#undef OG_LANG__RULE_ENUM
} og_lang__rule;

typedef struct og_lang__parser {
    og_lang__compile *c;
    og_scan scan;
    uint32_t depth;
    uint32_t clause_count;
    /* Out of memory, or a limit was passed: recorded in c->diag, every rule fails from here on. */
    bool stopped;
    /* A text that the grammar accepts but that means nothing ("\q", an integer above 2^64): the
     * first one of the file counts, and only when the whole file parses. */
    og_lang__diag meaning;
} og_lang__parser;

/* Go one level of nesting deeper; false (and stopped) when that is too deep. */
bool og_lang__descend(og_lang__parser *p, og_span at);
static inline void og_lang__ascend(og_lang__parser *p)
{
    p->depth--;
}
/* Record a text without meaning (see `meaning` above). */
void og_lang__meaningless(og_lang__parser *p, og_span span, const char *fmt, ...) OG_PRINTF(3, 4);
/* Zeroed memory in the arena; NULL (and stopped) when there is none. */
void *og_lang__node(og_lang__parser *p, size_t size);
/* The span from a rule's start to the cursor. */
static inline og_span og_lang__span_from(const og_lang__parser *p, og_scan_mark mark)
{
    return (og_span){(uint32_t)mark.start, (uint32_t)p->scan.pos};
}

/* Count a clause, return or order of the query; stopped when there are too many. */
void og_lang__count_clause(og_lang__parser *p, og_scan_mark mark);

/* A rule that is one terminal, recognized by `match` (og_scan_terminal). */
bool og_lang__parse_terminal(og_lang__parser *p, og_lang__rule rule, size_t (*match)(og_str rest),
                             og_lang__word *out);
bool og_lang__parse_type_name(og_lang__parser *p, og_lang__word *out);
/* `match { ... }`: its clauses, in their order. */
bool og_lang__parse_match(og_lang__parser *p, og_lang__clause **out);
bool og_lang__parse_variable(og_lang__parser *p, og_lang__word *out);
bool og_lang__parse_ident(og_lang__parser *p, og_lang__word *out);
bool og_lang__parse_integer(og_lang__parser *p, og_span *out);
/* The value of decimal digits. Above `max` it is 0 and the text is recorded as meaningless;
 * `what` names it ("limit"). */
uint64_t og_lang__number_value(og_lang__parser *p, og_span span, uint64_t max, const char *what);
bool og_lang__parse_string(og_lang__parser *p, og_str *out);
bool og_lang__parse_match_value(og_lang__parser *p, og_lang__expr *out);
bool og_lang__parse_comp_op(og_lang__parser *p, og_cmp_op *out);
bool og_lang__parse_expr(og_lang__parser *p, og_lang__expr *out);
bool og_lang__parse_nearest(og_lang__parser *p, og_lang__expr *out);
/* search, fuzzy or match_text. */
bool og_lang__parse_search_call(og_lang__parser *p, og_lang__expr *out);

#endif
