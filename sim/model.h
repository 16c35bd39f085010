/* sim/model - a graph as a plain array of rows, and what operations do to it.
 *
 * Small on purpose: a state is a few hundred bytes that are copied whole, so that the checker can
 * keep one per published version. A row's value stands for all its properties, which are derived
 * from it when it is written, and again when the engine's export is compared. */
#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include "base/buf.h"

enum {
    SIM_NODE_TYPES = 3,
    SIM_EDGE_TYPES = 3,
    SIM_TYPES = SIM_NODE_TYPES + SIM_EDGE_TYPES,
    SIM_IDS = 10,    /* of each type, at most */
    SIM_CHANGES = 6, /* of one operation */
    SIM_NULL = -1,
};

/* ---- random numbers ----------------------------------------------------------------------- */

typedef struct sim_rng {
    uint64_t state;
} sim_rng;
sim_rng sim_rng_of(uint64_t seed, uint64_t stream);
uint64_t sim_next(sim_rng *r);
/* 0..bound-1. */
int sim_below(sim_rng *r, int bound);
/* True `n` times in `of`. */
bool sim_chance(sim_rng *r, int n, int of);

/* ---- schema ------------------------------------------------------------------------------- */

typedef struct sim_schema {
    int ids;                    /* that operations name: 1..SIM_IDS */
    int node_types, edge_types; /* present of each kind, at least 1 */
    struct {
        bool unique, list, vector, blob; /* optional properties beside k and v */
    } node[SIM_NODE_TYPES];
    struct {
        int from, to;
        int max_out; /* @card(0..max_out); 0 = none */
    } edge[SIM_EDGE_TYPES];
} sim_schema;
void sim_schema_random(sim_rng *r, sim_schema *out);
void sim_schema_print(const sim_schema *s, og_buf *out);

/* ---- states ------------------------------------------------------------------------------- */

typedef struct sim_row {
    bool present;
    int8_t from, to; /* edges: ids */
    int16_t value;   /* of v (edges: w); SIM_NULL */
    int16_t unique;  /* of u; SIM_NULL */
    int8_t blob;     /* of b, which only loads set: 0 = null */
} sim_row;

/* Rows by type (nodes first) and id. */
typedef struct sim_state {
    sim_row rows[SIM_TYPES][SIM_IDS];
} sim_state;
static inline bool sim_is_edge(int type)
{
    return type >= SIM_NODE_TYPES;
}
bool sim_state_eq(const sim_state *a, const sim_state *b);
bool sim_type_eq(const sim_state *a, const sim_state *b, int type);
/* As `omnigraph export` prints the graph. */
void sim_state_print(const sim_schema *s, const sim_state *state, og_buf *out);

/* ---- operations --------------------------------------------------------------------------- */

typedef enum sim_op_kind {
    SIM_LOAD_MERGE,
    SIM_LOAD_APPEND,
    SIM_LOAD_OVERWRITE,
    SIM_MUTATE,
    SIM_READ,
    SIM_BRANCH_CREATE,
    SIM_BRANCH_DELETE,
    SIM_BRANCH_MERGE,
    SIM_OPTIMIZE,
    SIM_CLEANUP,
    SIM_FOREIGN, /* foreign.c */
    SIM_INDEX,   /* index.c */
    SIM_OP_KINDS,
} sim_op_kind;
extern const char *const sim_op_names[SIM_OP_KINDS];

typedef enum sim_change_kind {
    SIM_PUT,         /* a record; in mutations an insert (nodes only) */
    SIM_SET,         /* v of the row with the id */
    SIM_SET_WHERE,   /* v of all rows of the type whose v is at least `unique` */
    SIM_REMOVE,      /* the node with the id, and its edges */
    SIM_REMOVE_FROM, /* edges of the type whose source is the id */
} sim_change_kind;

typedef struct sim_change {
    sim_change_kind kind;
    int type, id;
    sim_row row;
} sim_change;

typedef struct sim_op {
    sim_op_kind kind;
    int process;
    int branch; /* that it works on; 0 = main */
    int other;  /* create: from where; merge: the source */
    sim_change changes[SIM_CHANGES];
    int change_count;
    struct {
        unsigned types; /* a bit for each type whose table gets indexes */
        bool anew;      /* else those there are are brought up to date */
    } index;
} sim_op;
/* What an operation of op->kind does. */
void sim_op_random(sim_rng *r, const sim_schema *s, sim_op *out);
/* JSON records of a load, or the query of a mutation. */
void sim_op_input(const sim_schema *s, const sim_op *op, og_buf *out);
/* One line for people. */
void sim_op_print(const sim_schema *s, const sim_op *op, og_buf *out);

typedef enum sim_outcome {
    SIM_CHANGED,
    SIM_NOTHING, /* no row is affected: no commit */
    SIM_REFUSED, /* breaks a constraint, or a stored key on append */
} sim_outcome;
/* Where a constraint is broken already (a stranger did that, foreign.c) the engine looks only at
 * what it writes. It may refuse an operation that a strict look at the whole state refuses, and may
 * publish what a tolerant one, which overlooks what was broken before, lets pass. In a whole state
 * both are the same. */
typedef enum sim_view { SIM_STRICT, SIM_TOLERANT } sim_view;
typedef struct sim_broken {
    bool ends, unique, card;
} sim_broken;
sim_broken sim_broken_in(const sim_schema *s, const sim_state *state);

/* What a load or mutation does; `state` is changed when the outcome is SIM_CHANGED. */
sim_outcome sim_apply(const sim_schema *s, const sim_op *op, sim_view view, sim_state *state);

/* Three-way by rows: what differs between base and theirs goes into ours, where ours is still as
 * base or already as theirs. SIM_REFUSED: a conflict, or the merged graph breaks a constraint. */
sim_outcome sim_merge(const sim_schema *s, const sim_state *base, const sim_state *theirs,
                      sim_view view, sim_state *ours);

#endif
