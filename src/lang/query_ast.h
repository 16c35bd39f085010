/* lang/query_ast - the syntax tree of a query file and the state of one compile. Private to lang.
 *
 * og_lang__parse makes the tree (query_parse*.c); og_lang__check finds types and writes what it
 * resolved into the tree (query_check*.c); og_lang__lower turns the resolved tree into an
 * og_ir_query (query_lower*.c). Everything lives in the arena of the compile; lists are linked in
 * order of the source. */
#ifndef OG_LANG_QUERY_AST_H
#define OG_LANG_QUERY_AST_H

#include "base/map.h"
#include "base/vec.h"
#include "lang/frame.h"
#include "lang/ir.h"

/* Bounds on hostile input; far above any query a person or a program would write. */
#define OG_LANG__MAX_DEPTH 64      /* nesting of not { }, lists and calls */
#define OG_LANG__MAX_CLAUSES 10000 /* clauses, nested ones too, returns and orders of one query */
#define OG_LANG__MAX_SOURCE_BYTES (64u << 20)

/* A name with its place in the text. */
typedef struct og_lang__word {
    og_str text;
    og_span span;
} og_lang__word;

/* What an expression was found to be. */
typedef enum og_lang__class {
    OG_LANG__VALUE,     /* a scalar, list or vector of `type` */
    OG_LANG__NODE,      /* a node variable of `def` */
    OG_LANG__AGGREGATE, /* an aggregate, or a result name not known (yet) */
} og_lang__class;

typedef struct og_lang__projection og_lang__projection;

typedef struct og_lang__resolved {
    og_lang__class kind;
    og_prop_type type;
    const og_type_def *def; /* NODE, and the type of PROPERTY's variable */
    bool is_param;          /* VARIABLE: index is into the params, else into the variables */
    uint32_t index;         /* PROPERTY, VARIABLE, NEAREST */
    uint32_t property;      /* PROPERTY, NEAREST */
    /* ALIAS: the earlier return that it names, which is no alias itself; NULL: not known yet. */
    const og_lang__projection *target;
} og_lang__resolved;

/* An expression; the kinds are those of the IR, where VARIABLE may still be a parameter.
 * NEAREST: variable and name are the property, args[0] the query. */
typedef struct og_lang__expr og_lang__expr;
struct og_lang__expr {
    og_ir_expr_kind kind;
    og_lang__word variable; /* PROPERTY, VARIABLE, NEAREST: without '$' */
    og_lang__word name;     /* PROPERTY, NEAREST: the property; ALIAS: the name */
    og_literal literal;
    og_agg agg;
    uint32_t arg_count;
    og_lang__expr *args[3];
    og_span span;
    og_lang__resolved resolved;
};

/* `name: value` in a binding's braces, an insert or an update; `name op value` after where. */
typedef struct og_lang__pair og_lang__pair;
struct og_lang__pair {
    og_lang__word name;
    og_cmp_op op;
    og_lang__expr value; /* LITERAL, VARIABLE or NOW */
    og_span span;
    int32_t property; /* resolved; -1 for from and to */
    og_lang__pair *next;
};

typedef enum og_lang__clause_kind {
    OG_LANG__BINDING,
    OG_LANG__TRAVERSAL,
    OG_LANG__FILTER,
    OG_LANG__NEGATION,
} og_lang__clause_kind;

typedef struct og_lang__clause og_lang__clause;
struct og_lang__clause {
    og_lang__clause_kind kind;
    og_span span;
    og_lang__clause *next;
    /* BINDING: $src: type { pairs } */
    og_lang__word src;
    og_lang__word type_name;
    og_lang__pair *pairs;
    /* TRAVERSAL: $src [$edge_var:] edge {min,max} $dst */
    og_lang__word edge;
    og_lang__word edge_var;
    og_lang__word dst;
    bool has_edge_var;
    bool undirected;
    bool has_bounds;
    bool unbounded; /* {min,} */
    uint32_t min_hops, max_hops;
    /* FILTER: left op right, or a search call alone */
    og_lang__expr left, right;
    og_cmp_op op;
    bool is_call;
    /* NEGATION */
    og_lang__clause *inner;
    /* resolved */
    uint32_t src_var, dst_var;
    int32_t edge_var_index;
    const og_type_def *def; /* node type of a binding, edge type of a traversal */
    og_direction direction;
};

struct og_lang__projection {
    og_lang__expr expr;
    og_lang__word alias; /* text.len 0 = none */
    uint32_t visit;      /* number of the last search that looked into it */
    og_lang__projection *next;
};

typedef struct og_lang__ordering og_lang__ordering;
struct og_lang__ordering {
    og_lang__expr expr;
    bool descending;
    og_lang__ordering *next;
};

typedef struct og_lang__mutation og_lang__mutation;
struct og_lang__mutation {
    og_ir_mutation_kind kind;
    og_lang__word type_name;
    og_lang__pair *assignments;
    og_lang__pair predicate;
    og_span span;
    const og_type_def *def; /* resolved */
    og_lang__mutation *next;
};

typedef struct og_lang__param og_lang__param;
struct og_lang__param {
    og_lang__word name;
    og_lang__word type_name; /* without '?', without white space: "[I64]", "Vector(4)" */
    bool nullable;
    og_lang__param *next;
};

/* One query of a file; a mutation has `mutations`, a read has the rest. */
typedef struct og_lang__query_decl og_lang__query_decl;
struct og_lang__query_decl {
    og_lang__word name;
    og_str description, instruction;
    bool has_description, has_instruction;
    og_lang__param *params;
    og_lang__clause *clauses;
    og_lang__projection *projections;
    og_lang__ordering *orderings;
    bool has_limit;
    uint64_t limit;
    og_lang__mutation *mutations;
    og_lang__query_decl *next;
};

/* ---- one compile -------------------------------------------------------------------------- */

/* What went wrong. The message is complete here; og_error may cut it. */
typedef struct og_lang__diag {
    og_status status;
    og_str message;
    bool has_place;
    og_span span;
    og_str hint;
} og_lang__diag;

typedef struct og_lang__compile {
    og_arena *arena;
    og_str source;
    const og_catalog *catalog; /* NULL while only parsing */
    og_lang__diag diag;        /* set when a step returned other than OG_OK */
    /* the query being checked */
    const og_lang__query_decl *decl;
    og_ir_param *params;
    uint32_t param_count;
    og_strmap *param_index; /* name -> index */
    OG_VEC(og_ir_var) vars;
    og_strmap *var_index;   /* name -> index + 1 of the visible variable, 0 = none */
    og_strmap *alias_index; /* name of a return -> the last og_lang__projection of that name */
} og_lang__compile;

#define OG_LANG__COMPILE_INIT ((og_lang__compile){0})
void og_lang__compile_deinit(og_lang__compile *c);

/* Record an error at a place; returns OG_INVALID (OG_NOMEM when its text found no memory). */
og_status og_lang__fail(og_lang__compile *c, og_span span, const char *fmt, ...) OG_PRINTF(3, 4);
og_status og_lang__nomem(og_lang__compile *c);
/* Add "Did you mean 'name'?" to the recorded error, when there is a name; `sigil` goes before
 * it. */
void og_lang__suggest(og_lang__compile *c, const char *sigil, og_str name);
/* The recorded error as an og_error: message, line, column, source line with a caret, hint. */
og_status og_lang__report(const og_lang__compile *c, og_error *err);

/* Parse c->source. *out_first is NULL for a file without queries. */
OG_NODISCARD og_status og_lang__parse(og_lang__compile *c, og_lang__query_decl **out_first);

/* Check one query against c->catalog and write what was resolved into the tree. May be called for
 * several queries one after the other; each call starts afresh. */
OG_NODISCARD og_status og_lang__check(og_lang__compile *c, og_lang__query_decl *decl);

/* Turn the query that og_lang__check accepted last into IR.
 * Refuses queries that pass the checks but could never run. */
OG_NODISCARD og_status og_lang__lower(og_lang__compile *c, og_lang__query_decl *decl,
                                      og_ir_query *out);

/* ---- shared by the checks ----------------------------------------------------------------- */

/* The visible variable of that name, or -1. */
int64_t og_lang__find_var(const og_lang__compile *c, og_str name);
/* The visible variable or parameter whose name is nearest to a misspelt one, or "". */
og_str og_lang__nearest_var(const og_lang__compile *c, og_str name);
/* The parameter of that name, or -1. */
int64_t og_lang__find_param(const og_lang__compile *c, og_str name);
/* Find the type of an expression, into expr->resolved. */
OG_NODISCARD og_status og_lang__check_expr(og_lang__compile *c, og_lang__expr *expr);
/* Check a filter, both sides included. */
OG_NODISCARD og_status og_lang__check_filter(og_lang__compile *c, og_lang__clause *filter);
/* Check the match of a read query and bind its variables. */
OG_NODISCARD og_status og_lang__check_match(og_lang__compile *c, og_lang__clause *clauses);
OG_NODISCARD og_status og_lang__check_mutations(og_lang__compile *c, og_lang__mutation *first);
/* The type that a literal has by itself; that of null is String?. */
OG_NODISCARD og_status og_lang__literal_type(og_lang__compile *c, const og_literal *literal,
                                             og_span span, og_prop_type *out);
/* May `value` stand where a property of type `expected` is set or compared? */
OG_NODISCARD og_status og_lang__check_value(og_lang__compile *c, og_lang__pair *pair,
                                            const og_prop_type *expected);
OG_NODISCARD og_status og_lang__check_literal(og_lang__compile *c, const og_literal *literal,
                                              og_span span, const og_prop_type *expected,
                                              og_str property);
OG_NODISCARD og_status og_lang__check_now(og_lang__compile *c, og_span span,
                                          const og_prop_type *expected, og_str property);
/* May values of two types be compared? Both or neither are lists,
 * and they have one scalar or are both numbers. */
bool og_lang__compatible(const og_prop_type *a, const og_prop_type *b);
/* A type's name as C text, for messages. */
const char *og_lang__type_text(og_lang__compile *c, const og_prop_type *type);
og_prop_type og_lang__scalar_type(og_scalar scalar, bool nullable);

/* ---- shared by the lowering --------------------------------------------------------------- */

/* Sets query->uses_now and uses_search as it meets them. */
OG_NODISCARD og_status og_lang__lower_expr(og_lang__compile *c, const og_lang__expr *expr,
                                           og_ir_query *query, og_ir_expr *out);
/* Fill query->ops. */
OG_NODISCARD og_status og_lang__lower_match(og_lang__compile *c, const og_lang__clause *clauses,
                                            og_ir_query *query);
/* Fill query->mutations. */
OG_NODISCARD og_status og_lang__lower_mutations(og_lang__compile *c, const og_lang__mutation *first,
                                                og_ir_query *query);

#endif
