/* exec/run_priv - one run of a plan: rows, operators, and what they share.
 *
 * Operators form a chain that is pulled: next() gives a vector of match rows. A vector carries, for
 * each variable that is still used, its vertices, its slots, or both, and the columns read so far;
 * whoever needs a value asks og_exec__gather, which reads only what is missing. All small memory of
 * a run comes from its arena; arrays of values are counted. */
#ifndef OG_EXEC_RUN_PRIV_H
#define OG_EXEC_RUN_PRIV_H

#include "base/vec.h"
#include "columnar/compare.h"
#include "exec/plan_priv.h"

/* Most rows of a vector, so that it stays in the L1/L2 cache across operators.
 * A vector that comes straight from a scan has up to OG_BATCH_ROWS. */
#define OG_EXEC_ROWS 2048
/* Most columns that are read by one take. */
#define OG_EXEC_GATHER_MAX 16

/* ---- scratch: kept with the plan between runs --------------------------------------------- */

/* Marks on vertices: `marks[v] == epoch` means seen in this round. */
typedef struct og_exec__marks {
    uint32_t *items;
    size_t count;
    uint32_t epoch;
} og_exec__marks;

typedef struct og_exec__scratch {
    og_arena *arena;
    og_exec__marks marks;
} og_exec__scratch;

void og_exec__scratch_free(og_exec__scratch *scratch);
/* A new round over vertices < count: nothing is marked. */
OG_NODISCARD og_status og_exec__marks_begin(og_exec__marks *marks, size_t count, og_error *err);

/* ---- rows --------------------------------------------------------------------------------- */

typedef struct og_exec__rows {
    uint32_t count;
    uint32_t capacity;
    /* By variable; an entry is NULL when the rows do not carry it. A variable has vertices, slots
     * or both. Owned by the arena of the run. */
    uint32_t **vertices;
    uint32_t **slots;
    og_array **columns; /* by column of the plan; references, NULL when not read */
    uint32_t *tags;     /* inside ANTI: the outer row; else NULL */
    uint64_t *weights;  /* equal rows each row stands for; NULL = 1 */
    /* The buffers behind them, made at first use. */
    uint32_t **vertex_buffers, **slot_buffers;
    uint32_t *tag_buffer;
    uint64_t *weight_buffer;
} og_exec__rows;

OG_NODISCARD og_status og_exec__rows_init(og_exec *x, og_exec__rows *rows, uint32_t capacity,
                                          og_error *err);
/* Make the vector empty: no rows, nothing carried; releases the columns. */
void og_exec__rows_clear(const og_exec *x, og_exec__rows *rows);
/* Carry vertices or slots of a variable: the buffer to fill. */
OG_NODISCARD og_status og_exec__rows_vertices(og_exec *x, og_exec__rows *rows, uint32_t var,
                                              uint32_t **out, og_error *err);
OG_NODISCARD og_status og_exec__rows_slots(og_exec *x, og_exec__rows *rows, uint32_t var,
                                           uint32_t **out, og_error *err);
OG_NODISCARD og_status og_exec__rows_tags(og_exec *x, og_exec__rows *rows, og_error *err);
OG_NODISCARD og_status og_exec__rows_weights(og_exec *x, og_exec__rows *rows, og_error *err);
/* Keep the rows named by `selected` (ascending), and of the columns those that are live. */
OG_NODISCARD og_status og_exec__rows_select(og_exec *x, og_exec__rows *rows,
                                            const uint32_t *selected, uint32_t count,
                                            const bool *live_columns, og_error *err);
/* Fill `out` (cleared) with rows[from[i]] as row i: live variables and columns, tags, weights. */
OG_NODISCARD og_status og_exec__rows_spread(og_exec *x, const og_exec__rows *rows,
                                            const uint32_t *from, uint32_t count,
                                            const og_exec__step *step, og_exec__rows *out,
                                            og_error *err);

/* ---- operators ---------------------------------------------------------------------------- */

/* For EXPLAIN: what the work of an operator cost, its input's included. Calls and bytes are those
 * of the store; a mapped object counts with all of its bytes. */
typedef struct og_exec__cost {
    uint64_t time_ns, calls, bytes;
} og_exec__cost;

typedef struct og_exec__op og_exec__op;
typedef struct og_exec__op_ops {
    const char *name;
    /* *out: the next rows (at least one), borrowed until the next call and free to be changed by
     * the caller; NULL at the end. */
    og_status (*next)(og_exec__op *op, og_exec__rows **out, og_error *err);
    /* Start again; inside ANTI the input has new rows. */
    void (*reset)(og_exec__op *op);
    void (*close)(og_exec__op *op); /* what the arena does not own */
    /* What EXPLAIN says behind the name; may be NULL. */
    void (*describe)(const og_exec__op *op, og_buf *out);
} og_exec__op_ops;

struct og_exec__op {
    const og_exec__op_ops *ops;
    og_exec *x;
    og_exec__op *input; /* NULL at the start of a chain */
    const og_exec__step *step;
    const og_exec__op *inner; /* ANTI: the end of the inner chain, for EXPLAIN */
    og_exec__rows rows;
    uint64_t row_count, batch_count;
    og_exec__cost cost;
};

/* Pull the next rows from an operator: checks deadline and cancel, counts,
 * and measures time when asked to analyze. */
OG_NODISCARD og_status og_exec__next(og_exec__op *op, og_exec__rows **out, og_error *err);
void og_exec__reset(og_exec__op *op); /* the whole chain */
void og_exec__close_chain(og_exec__op *op);

/* ---- predicates on values ----------------------------------------------------------------- */

/* Which rows satisfy `left op right`; unknown where a side is null. */
OG_NODISCARD og_status og_exec__test_constant(const og_array *left, og_cmp_op op,
                                              const og_literal *right, og_mask *out, og_error *err);
/* The same for a predicate of the plan, reading what the rows lack. */
OG_NODISCARD og_status og_exec__test(og_exec *x, const og_exec__predicate *p, og_exec__rows *rows,
                                     og_mask *out, og_error *err);
/* The values of an operand for the rows: a new reference. */
OG_NODISCARD og_status og_exec__operand_array(og_exec *x, og_exec__rows *rows,
                                              og_exec__operand operand, og_array **out,
                                              og_error *err);
/* `count` rows of one value. */
OG_NODISCARD og_status og_exec__constant_array(const og_type *type, const og_literal *value,
                                               int64_t count, og_array **out, og_error *err);

/* ---- the run ------------------------------------------------------------------------------ */

/* A table as a variable sees it. */
typedef struct og_exec__table {
    og_lance_table *table; /* borrowed from the snapshot; NULL = not asked for yet */
    uint32_t vertex_limit; /* vertices are below this */
    bool all_live;         /* every row id ever given names a live row */
} og_exec__table;

/* How neighbours along one edge type are found (hop.c). */
typedef struct og_exec__hop og_exec__hop;

/* A choice made by counts, for EXPLAIN. */
typedef struct og_exec__choice {
    og_str what, method, because;
} og_exec__choice;

struct og_exec {
    const og_plan *plan;
    og_snapshot *snapshot;
    og_exec_options options;
    og_exec__scratch *scratch;
    og_arena *arena;
    og_literal *constants;  /* by constant of the plan */
    og_exec__table *tables; /* by variable */
    int32_t *fields;        /* by column: field of its table, -1 = none, -2 = not asked for yet */
    og_exec__hop *hops;     /* list */
    og_exec__op *chain;     /* the end of the main chain */
    struct og_exec__sink *sink;
    size_t reserved; /* bytes taken from the budget */
    OG_VEC(og_exec__choice) choices;
    og_exec__cost opening; /* what is found out before the first row: keys, tables */
};

OG_NODISCARD og_status og_exec__check(og_exec *x, og_error *err);
/* Account `bytes` more for an operator that keeps rows: "memory limit: <name> needs N of M". */
OG_NODISCARD og_status og_exec__reserve(og_exec *x, const char *name, size_t bytes, og_error *err);
OG_NODISCARD og_status og_exec__table_of(og_exec *x, uint32_t var, const og_exec__table **out,
                                         og_error *err);
OG_NODISCARD og_status og_exec__table_fill(og_exec *x, const og_type_def *def, og_exec__table *out,
                                           og_error *err);
/* Field of a column in its table, -1 when the table has none. OG_CORRUPT when the type differs. */
OG_NODISCARD og_status og_exec__field_of(og_exec *x, uint32_t column, int32_t *out, og_error *err);
OG_NODISCARD og_status og_exec__slots_of_vertices(og_lance_table *table, const uint32_t *vertices,
                                                  uint32_t count, uint32_t *out, og_error *err);
OG_NODISCARD og_status og_exec__vertices_of_slots(og_lance_table *table, const uint32_t *slots,
                                                  uint32_t count, uint32_t *out, og_error *err);
/* Make op->rows these rows of the operator's variable, whose slots are in its buffer already. */
OG_NODISCARD og_status og_exec__rows_found(og_exec__op *op, og_lance_table *table,
                                           const uint32_t *slots, uint32_t count, og_error *err);
/* Remember a choice; false when out of memory. The texts must live as long as the run. */
bool og_exec__note_choice(og_exec *x, og_str what, og_str method, og_str because);

/* Make sure that these columns are in rows->columns: the missing ones of each variable are read by
 * one take. Neighbouring rows with the same slot are read once. */
OG_NODISCARD og_status og_exec__gather(og_exec *x, og_exec__rows *rows, const uint32_t *columns,
                                       uint32_t count, og_error *err);
/* Make rows that carry a variable's vertices carry its slots, too. */
OG_NODISCARD og_status og_exec__ensure_slots(og_exec *x, og_exec__rows *rows, uint32_t var,
                                             og_error *err);
/* Values of at most OG_EXEC_GATHER_MAX columns of one variable at slots, without rows. out: one
 * array each. */
OG_NODISCARD og_status og_exec__gather_slots(og_exec *x, const uint32_t *columns, uint32_t count,
                                             const uint32_t *slots, uint32_t slot_count,
                                             og_array **out, og_error *err);

/* ---- making operators --------------------------------------------------------------------- */

/* Zeroed, with rows of the capacity (0 = none of its own). */
OG_NODISCARD og_status og_exec__op_new(og_exec *x, const og_exec__op_ops *ops, size_t size,
                                       const og_exec__step *step, og_exec__op *input,
                                       uint32_t capacity, og_exec__op **out, og_error *err);
/* The vertex with the id that a step's key predicate names; OG_NO_VERTEX when no live row has it.
 * *out_known false: the directory can't answer the predicate. */
OG_NODISCARD og_status og_exec__find_key(og_exec *x, const og_exec__step *step, bool *out_known,
                                         uint32_t *out_vertex, og_error *err);
/* A SCAN step whose predicates are, at least partly, best tested on coded values,
 * before rows are expanded (coded_scan.c). *out NULL when that does not pay. */
OG_NODISCARD og_status og_exec__make_coded_scan(og_exec *x, const og_exec__step *step,
                                                og_exec__op **out, og_error *err);
/* A SCAN step that starts a chain. `slots`: look at these rows only (ascending; from a reduction),
 * NULL = at all. `attach`: columns to read at once for all rows that are kept. */
OG_NODISCARD og_status og_exec__make_scan(og_exec *x, const og_exec__step *step,
                                          const uint32_t *slots, uint32_t slot_count,
                                          const bool *attach, og_exec__op **out, og_error *err);
/* A SCAN that is not the first step: a cross product, or a join by the FILTER behind it. `step`:
 * the SCAN and the steps behind it, `step_count` in all. */
OG_NODISCARD og_status og_exec__make_cross(og_exec *x, const og_exec__step *step,
                                           uint32_t step_count, og_exec__op *input,
                                           const uint8_t *matched, og_exec__op **out,
                                           og_error *err);
/* skip: the predicate already answered (a key), or -1. */
OG_NODISCARD og_status og_exec__make_filter(og_exec *x, const og_exec__step *step, int32_t skip,
                                            og_exec__op *input, og_exec__op **out, og_error *err);
/* matched: inside ANTI, rows of tags marked there are skipped; NULL outside. */
OG_NODISCARD og_status og_exec__make_expand(og_exec *x, const og_exec__step *step,
                                            og_exec__op *input, const uint8_t *matched,
                                            og_exec__op **out, og_error *err);
OG_NODISCARD og_status og_exec__make_anti(og_exec *x, const og_exec__step *step, og_exec__op *input,
                                          og_exec__op **out, og_error *err);
/* Operators for steps [first, count) of a pipeline behind `input`. */
OG_NODISCARD og_status og_exec__make_chain(og_exec *x, const og_exec__pipeline *pipeline,
                                           uint32_t first, og_exec__op *input,
                                           const uint8_t *matched, og_exec__op **out,
                                           og_error *err);
/* All slots of the step's table that pass its predicates, ascending (og_free). */
OG_NODISCARD og_status og_exec__matching_slots(og_exec *x, const og_exec__step *step,
                                               uint32_t **out, uint32_t *out_count, og_error *err);

/* Candidates of the first SCAN by the plan's reduction: slots, ascending, in the arena. *out_used
 * false when it does not apply (reduce.c). */
OG_NODISCARD og_status og_exec__reduce(og_exec *x, bool *out_used, uint32_t **out_slots,
                                       uint32_t *out_count, og_error *err);

/* ---- joins -------------------------------------------------------------------------------- */

/* A hash table of nodes by one column (join.c), by which a cross product makes only the pairs that
 * an equality may keep. */
typedef struct og_exec__join {
    const og_exec__predicate *predicate;
    uint32_t node_column, row_column; /* of the plan: of the new variable, and of the rows */
    uint64_t mask;                    /* buckets - 1 */
    uint32_t *starts;                 /* of each bucket among the entries, and the end of all */
    uint32_t *entries;                /* numbers of nodes */
    uint64_t *hashes;                 /* of the entries */
    uint64_t *row_hashes;             /* of the rows at hand */
    const og_array *row_values;
} og_exec__join;

/* Does a FILTER directly behind this SCAN say that a column of its variable equals one of
 * another? */
bool og_exec__find_join(const og_plan *plan, const og_exec__step *scan, uint32_t step_count,
                        og_exec__join *out);
/* Hash the nodes at these slots; after an error only deinit. */
OG_NODISCARD og_status og_exec__join_build(og_exec__join *join, og_exec *x, const uint32_t *slots,
                                           uint32_t count, og_error *err);
void og_exec__join_deinit(og_exec__join *join);
/* Begin with new rows: reads the column that is compared. */
OG_NODISCARD og_status og_exec__join_rows(og_exec__join *join, og_exec *x, og_exec__rows *rows,
                                          og_error *err);
/* The numbers of nodes whose value may equal that of a row, ascending, at most `capacity` at a
 * time; returns how many. *place keeps the position: 0 for a new row; it becomes OG_JOIN_DONE when
 * there are no more. */
#define OG_JOIN_DONE UINT32_MAX
uint32_t og_exec__join_probe(const og_exec__join *join, uint32_t row, uint32_t *place,
                             uint32_t *out, uint32_t capacity);

/* ---- hops --------------------------------------------------------------------------------- */

/* Neighbours of a vertex: far ends and edge row ids, in order of the edges' slots. */
typedef struct og_exec__ends {
    const uint32_t *targets;
    const uint32_t *edges; /* NULL in a hop made without edges */
    uint32_t count;
} og_exec__ends;

/* The hop of an edge type in one direction (OUT or IN), shared by all steps that use it alike:
 * with the row ids of edges, or without. */
OG_NODISCARD og_status og_exec__hop_of(og_exec *x, const og_type_def *edge, bool forward,
                                       bool with_edges, og_exec__hop **out, og_error *err);
/* Find the neighbours of these vertices, by topology or by scan. */
OG_NODISCARD og_status og_exec__hop_fetch(og_exec__hop *hop, const uint32_t *vertices,
                                          uint32_t count, og_error *err);
/* The neighbours of a vertex that was fetched. */
og_exec__ends og_exec__hop_ends(const og_exec__hop *hop, uint32_t vertex);
/* Is it known that no vertex is its own neighbour, nor has a neighbour twice? */
bool og_exec__hop_is_simple(const og_exec__hop *hop);
const og_exec__table *og_exec__hop_targets(const og_exec__hop *hop);
const char *og_exec__hop_method_name(const og_exec__hop *hop);
void og_exec__hops_free(og_exec *x);

/* ---- sinks -------------------------------------------------------------------------------- */

/* What turns rows into result batches: project, sort or aggregate. */
typedef struct og_exec__sink og_exec__sink;
typedef struct og_exec__sink_ops {
    const char *name;
    og_status (*next)(og_exec__sink *sink, og_batch *out, og_error *err);
    void (*close)(og_exec__sink *sink);
} og_exec__sink_ops;
struct og_exec__sink {
    const og_exec__sink_ops *ops;
    og_exec *x;
    uint64_t row_count, batch_count;
    og_exec__cost cost;
};
OG_NODISCARD og_status og_exec__make_project(og_exec *x, og_exec__sink **out, og_error *err);
OG_NODISCARD og_status og_exec__make_sort(og_exec *x, og_exec__sink **out, og_error *err);
OG_NODISCARD og_status og_exec__make_aggregate(og_exec *x, og_exec__sink **out, og_error *err);
/* The result columns of these rows (no aggregates); row_count > 0. */
OG_NODISCARD og_status og_exec__project_rows(og_exec *x, og_exec__rows *rows, og_batch *out,
                                             og_error *err);
/* The clock and the counts of the snapshot's store now (0 when there is none);
 * and add what has come on top of `start` to a total. */
og_exec__cost og_exec__cost_now(const og_exec *x);
void og_exec__cost_add(const og_exec *x, const og_exec__cost *start, og_exec__cost *total);
/* Explain one predicate: "$p.age > 3". */
void og_exec__describe_predicate(const og_plan *plan, const og_exec__predicate *p, og_buf *out);

#endif
