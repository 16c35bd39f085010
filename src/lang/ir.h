/* lang/ir - a checked query, resolved against a catalog, ready to plan.
 *
 * The meaning is the reference's IR (omnigraph-compiler ir/mod.rs: NodeScan, Expand, Filter,
 * AntiJoin, projection, order, limit); names are resolved to indices. Lives in the arena of its
 * og_program and borrows from the catalog, which the program keeps alive. */
#ifndef OG_LANG_IR_H
#define OG_LANG_IR_H

#include "lang/catalog.h"

typedef struct og_ir_expr og_ir_expr;

typedef struct og_ir_param {
    og_str name;
    og_prop_type type;
    og_str type_name; /* as declared, without '?' */
} og_ir_param;

/* A variable of a read query. A node variable is bound by a NODE_SCAN or as an end of an EXPAND,
 * an edge variable by an EXPAND. */
typedef struct og_ir_var {
    og_str name; /* without '$'; generated names start with "__" */
    bool is_edge;
    const og_type_def *def;
} og_ir_var;

typedef enum og_ir_expr_kind {
    OG_EXPR_PROPERTY, /* var.property */
    OG_EXPR_VARIABLE, /* the variable itself: its id */
    OG_EXPR_PARAM,
    OG_EXPR_LITERAL,
    OG_EXPR_NOW,
    OG_EXPR_AGGREGATE, /* agg(args[0]) */
    OG_EXPR_ALIAS,     /* a result column, in order clauses: returns[column] */
    OG_EXPR_NEAREST,   /* args: property, query */
    OG_EXPR_SEARCH,    /* args: field, query */
    OG_EXPR_FUZZY,     /* args: field, query, [max_edits] */
    OG_EXPR_MATCH_TEXT,
    OG_EXPR_BM25,
    OG_EXPR_RRF, /* args: primary, secondary, [k] */
} og_ir_expr_kind;

struct og_ir_expr {
    og_ir_expr_kind kind;
    og_prop_type type;  /* of the value; meaningless for untyped null and search calls */
    uint32_t var;       /* PROPERTY, VARIABLE: index into vars */
    uint32_t property;  /* PROPERTY: index into the type's properties */
    uint32_t param;     /* PARAM: index into params */
    uint32_t column;    /* ALIAS: index into returns */
    og_literal literal; /* LITERAL */
    og_agg agg;
    uint32_t arg_count;
    const og_ir_expr *args;
    og_span span;
};

/* left op right. */
typedef struct og_ir_filter {
    og_ir_expr left;
    og_cmp_op op;
    og_ir_expr right;
    bool is_call; /* a clause that is only a call, `search(...)`: left; op and right are unused */
    og_span span;
} og_ir_filter;

typedef enum og_ir_op_kind {
    OG_IR_NODE_SCAN,
    OG_IR_EXPAND,
    OG_IR_FILTER,
    OG_IR_ANTI_JOIN,
} og_ir_op_kind;

typedef enum og_direction { OG_DIR_OUT, OG_DIR_IN, OG_DIR_BOTH } og_direction;

/* A step of a match. Steps run in order over rows of bound variables. */
typedef struct og_ir_op og_ir_op;
struct og_ir_op {
    og_ir_op_kind kind;
    /* NODE_SCAN: var, and the filters in its braces. FILTER: filters[0]. EXPAND: filters on dst. */
    uint32_t var;
    const og_ir_filter *filters;
    uint32_t filter_count;
    /* EXPAND */
    uint32_t src_var, dst_var;
    int32_t edge_var; /* -1 = none: one row per pair of ends; else one row per edge, one hop */
    const og_type_def *edge;
    og_direction direction; /* OUT: src is the edge's from end; BOTH: undirected */
    uint32_t min_hops;
    uint32_t max_hops; /* UINT32_MAX = no bound */
    bool dst_bound;    /* dst is bound already: keep only rows that reach it */
    /* ANTI_JOIN: keep the rows for which these steps give no row */
    const og_ir_op *inner;
    uint32_t inner_count;
    og_span span;
};

typedef struct og_ir_projection {
    og_ir_expr expr;
    og_str name; /* of the result column: the alias, or a name made by the reference's rule */
    bool has_alias;
} og_ir_projection;

typedef struct og_ir_ordering {
    og_ir_expr expr;
    bool descending;
} og_ir_ordering;

typedef struct og_ir_assignment {
    og_str name;
    int32_t property; /* index, or -1: `from` or `to` of an edge insert */
    bool is_from, is_to;
    og_ir_expr value; /* LITERAL, PARAM or NOW */
    og_span span;
} og_ir_assignment;

typedef struct og_ir_predicate {
    og_str name;
    int32_t property; /* index, or -1: `from` or `to` of an edge, or `id` */
    bool is_from, is_to;
    og_cmp_op op;
    og_ir_expr value;
    og_span span;
} og_ir_predicate;

typedef enum og_ir_mutation_kind {
    OG_MUT_INSERT,
    OG_MUT_UPDATE,
    OG_MUT_DELETE
} og_ir_mutation_kind;

typedef struct og_ir_mutation {
    og_ir_mutation_kind kind;
    const og_type_def *def;
    const og_ir_assignment *assignments;
    uint32_t assignment_count;
    og_ir_predicate predicate; /* UPDATE, DELETE */
    og_span span;
} og_ir_mutation;

typedef struct og_ir_query {
    og_str name;
    og_str description, instruction; /* "" = none */
    const og_ir_param *params;
    uint32_t param_count;
    bool is_mutation;
    bool uses_search; /* any search function: needs indexes of the search layer */
    bool uses_now;
    /* read */
    const og_ir_var *vars;
    uint32_t var_count;
    const og_ir_op *ops;
    uint32_t op_count;
    const og_ir_projection *returns;
    uint32_t return_count;
    bool has_aggregates;
    const og_ir_ordering *orderings;
    uint32_t ordering_count;
    bool has_limit;
    uint64_t limit;
    /* mutation */
    const og_ir_mutation *mutations;
    uint32_t mutation_count;
    /* The first literal that is stored only when lenient, and then changed: what to say of it when
     * not. It stands in its assignment as written. len 0 = there is none. */
    og_str refused;
    og_span refused_span;
    og_str source; /* what all spans point into */
} og_ir_query;

#endif
