/* exec/plan_priv - the logical plan: what a query does, before counts are known.
 *
 * A plan is made once of an IR and never changes, so threads share it. It is a list of steps over
 * match rows (tuples of vertices, one a variable), an output, an order and a limit:
 *
 *   SCAN    binds a variable to the nodes of a type; first it starts the rows, later it multiplies
 *   EXPAND  binds a variable to the far ends of an edge (or checks that a bound one is such an end)
 *   FILTER  keeps rows for which all predicates hold; `var` says when they concern one variable
 *   ANTI    keeps rows for which the inner pipeline gives no row
 *
 * Predicates stand at the first step after which all their variables are bound. The order of SCAN
 * and EXPAND is the IR's, because it decides the order of rows; inside ANTI order means nothing,
 * and steps are arranged so that no cross product is made where an edge leads.
 *
 * Every `variable.property` the query mentions is a column of the plan; every literal, parameter
 * and now() a constant. For each step the plan knows which variables and columns are still used
 * after it; nothing else is carried. */
#ifndef OG_EXEC_PLAN_PRIV_H
#define OG_EXEC_PLAN_PRIV_H

#include "exec/exec.h"

/* A property of a variable, or its id. */
typedef struct og_exec__column {
    uint32_t var;
    int32_t property; /* index into the type's properties; -1: id */
    og_prop_type type;
    og_str name;          /* of the stored column */
    const og_type *arrow; /* type of the values; utf8 for blobs, which are null in results */
} og_exec__column;

typedef enum og_exec__operand_kind {
    OG_OPERAND_COLUMN, /* index into plan columns */
    OG_OPERAND_CONST,  /* index into plan constants */
} og_exec__operand_kind;

typedef struct og_exec__operand {
    og_exec__operand_kind kind;
    uint32_t index;
} og_exec__operand;

/* left op right; the column is on the left unless neither or both sides are columns. */
typedef struct og_exec__predicate {
    og_exec__operand left, right;
    og_cmp_op op;
} og_exec__predicate;

typedef enum og_exec__step_kind {
    OG_STEP_SCAN,
    OG_STEP_EXPAND,
    OG_STEP_FILTER,
    OG_STEP_ANTI,
} og_exec__step_kind;

/* What an EXPAND gives for an input row. */
typedef enum og_exec__expand_mode {
    OG_EXPAND_ROWS,   /* a row for each far end */
    OG_EXPAND_COUNT,  /* one row, weighted by the number of far ends: these are only counted */
    OG_EXPAND_EXISTS, /* one row if there is a far end, which is not used itself (inside ANTI) */
} og_exec__expand_mode;

typedef struct og_exec__pipeline og_exec__pipeline;

typedef struct og_exec__step {
    og_exec__step_kind kind;
    uint32_t var; /* SCAN: bound; EXPAND: the far end; FILTER: the one variable, or OG_NO_VAR */
    const og_exec__predicate *predicates; /* SCAN, FILTER */
    uint32_t predicate_count;
    int32_t key_predicate; /* SCAN, FILTER: the one that names the id of `var`; -1 = none */
    /* EXPAND */
    uint32_t src_var;
    int32_t edge_var; /* -1: one row per pair */
    const og_type_def *edge;
    og_direction direction;
    uint32_t min_hops, max_hops;
    bool closing;   /* `var` is bound already: keep rows that reach it */
    bool same_type; /* both ends of the edge have one type */
    og_exec__expand_mode mode;
    /* ANTI */
    og_exec__pipeline *inner;
    /* after this step, by variable and by column */
    const bool *live_vars;
    const bool *live_vertices; /* variables whose vertex, not only values, is used later */
    const bool *live_columns;
} og_exec__step;

#define OG_NO_VAR UINT32_MAX

struct og_exec__pipeline {
    og_exec__step *steps;
    uint32_t step_count;
    bool correlated;      /* inner: uses a variable of the outer rows */
    og_exec__step *input; /* inner: no step; its live flags say what the outer rows must give */
};

typedef enum og_exec__output_kind {
    OG_OUTPUT_VALUE,      /* operand */
    OG_OUTPUT_AGGREGATE,  /* agg of operand */
    OG_OUTPUT_COUNT_ROWS, /* count of something never null */
} og_exec__output_kind;

typedef struct og_exec__output {
    og_exec__output_kind kind;
    og_exec__operand operand;
    og_agg agg;
} og_exec__output;

typedef struct og_exec__order {
    bool by_output; /* index into outputs, else into columns */
    uint32_t index;
    bool descending;
} og_exec__order;

/* The EXPAND steps that lead from the first SCAN to a variable whose id the query names,
 * first to last. Walked backwards they give the few nodes from which that one can be reached,
 * with which the run may start. */
typedef struct og_exec__path {
    const uint32_t *steps;
    uint32_t step_count;
    uint32_t key_step; /* the FILTER with the key predicate */
} og_exec__path;

struct og_plan {
    const og_ir_query *query;
    const og_catalog *catalog;
    const og_exec__column *columns;
    uint32_t column_count;
    const og_ir_expr *const *constants;
    const og_type *const *constant_types;
    uint32_t constant_count;
    og_exec__pipeline main;
    og_exec__path reduction;        /* step_count 0: none */
    const og_exec__output *outputs; /* one per result column */
    const og_result_column *results;
    uint32_t output_count;
    bool has_aggregates;
    const og_exec__order *orders;
    uint32_t order_count;
    bool has_limit;
    uint64_t limit;
    og_arena *arena;
    void *spare; /* atomic: scratch memory of a finished run (run_priv.h), or NULL */
};

/* The name of a variable as the user wrote it, for messages. */
og_str og_exec__var_name(const og_plan *plan, uint32_t var);

/* Fill plan->main from the IR, given columns and constants as they are met (pipeline.c). */
typedef struct og_exec__builder {
    og_plan *plan;
    og_exec__column *columns;
    size_t column_cap;
    const og_ir_expr **constants;
    const og_type **constant_types;
    size_t constant_cap;
} og_exec__builder;

/* The column or constant that an expression is, added to the plan when new. */
OG_NODISCARD og_status og_exec__add_operand(og_exec__builder *b, const og_ir_expr *expr,
                                            og_exec__operand *out, og_error *err);
OG_NODISCARD og_status og_exec__build_pipeline(og_exec__builder *b, const og_ir_op *ops,
                                               uint32_t op_count, const bool *outer_bound,
                                               og_exec__pipeline *out, og_error *err);
/* Find which variables and columns are used after each step, and choose EXPAND modes. `vars`,
 * `vertices` and `columns` say what the consumer of the rows uses; on return, what the input of the
 * first step must give. */
OG_NODISCARD og_status og_exec__mark_live(og_plan *plan, og_exec__pipeline *pipeline, bool inner,
                                          bool *vars, bool *vertices, bool *columns, og_error *err);

#endif
