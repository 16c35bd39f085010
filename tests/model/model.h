/* tests/model - a plain in-memory model of a graph, to compare the engine with.
 *
 * A seed makes a program: a schema and operations (loads, mutations, queries, reopens), each as the
 * text that the engine gets and as the structures below, which the model evaluates in the most
 * naive way: arrays of rows, nested loops, a breadth-first search per hop. After each operation the
 * outcome is compared: refused or not, counts, rows, and the export byte for byte. What is right is
 * taken from the documentation (docs/user, include/omnigraph.h), never from the engine.
 *
 * Everything lives in one arena until the program ends (model_memory_reset). */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- memory and text ---------------------------------------------------------------------- */

void *model_alloc(size_t size); /* zeroed; never NULL */
void model_memory_reset(void);

typedef struct text {
    const char *ptr; /* NULL = none; a 0 byte follows */
    size_t len;
} text;
text text_of(const char *zero_terminated);
text text_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool text_eq(text a, text b);
int text_compare(text a, text b); /* by bytes */

/* A text that grows. */
typedef struct buf {
    char *ptr;
    size_t len, cap;
} buf;
void buf_add(buf *b, const char *ptr, size_t len);
void buf_text(buf *b, text t);
void buf_str(buf *b, const char *zero_terminated);
void buf_printf(buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
text buf_view(const buf *b);

/* ---- random numbers ----------------------------------------------------------------------- */

typedef struct rng {
    uint64_t state;
} rng;
uint64_t rng_next(rng *r);
int rng_below(rng *r, int bound);         /* 0 .. bound-1 */
int rng_range(rng *r, int low, int high); /* both included */
bool rng_chance(rng *r, int percent);

/* ---- values ------------------------------------------------------------------------------- */

typedef enum scalar {
    S_STRING,
    S_BOOL,
    S_I32,
    S_I64,
    S_U32,
    S_U64,
    S_F32,
    S_F64,
    S_DATE,
    S_DATETIME,
    S_VECTOR,
    S_ENUM,
    S_BLOB,
    S_COUNT
} scalar;
extern const char *const scalar_names[S_COUNT];
bool scalar_is_integer(scalar s);
bool scalar_is_float(scalar s);
bool scalar_is_numeric(scalar s);
bool scalar_is_textual(scalar s); /* String, enum */

typedef enum value_kind {
    V_NULL,
    V_BOOL,
    V_INT,
    V_FLOAT,
    V_TEXT,
    V_DATE,
    V_DATETIME,
    V_LIST,
    V_VECTOR,
    V_BLOB
} value_kind;

typedef struct value {
    value_kind kind;
    int count;           /* list, vector */
    __int128 i;          /* bool, int, date (days), datetime (ms) */
    double f;            /* float; already rounded to F32 when the property is one */
    text t;              /* text; blob: its export form */
    struct value *items; /* list, vector */
} value;

/* Neither may be null, list, vector or blob. <0, 0, >0; numbers compare as numbers. */
int value_compare(const value *a, const value *b);
/* Same kind and content, null equal to null; for keys, uniqueness and groups. */
bool value_same(const value *a, const value *b);

/* Shortest text that reads back, as the engine's JSON prints it. */
void print_float(buf *b, double f);
void print_int(buf *b, __int128 i);
void print_json_text(buf *b, text t);
void print_date(buf *b, int64_t days);
void print_datetime(buf *b, int64_t ms); /* 2024-02-29T01:02:03.456, .000 left out */
/* As in an export, and as inside a list or vector of a query's result. */
void print_export(buf *b, const value *v);
void print_result_json(buf *b, const value *v);
/* As a JSON input (plain spelling), and as a literal of the query language. */
void print_input(buf *b, const value *v);
void print_literal(buf *b, const value *v);
/* False: no literal can say it (control characters, null items). */
bool value_has_literal(const value *v);

/* ---- schema ------------------------------------------------------------------------------- */

enum { MAX_PROPS = 8, MAX_TYPES = 8, MAX_ENUM = 4, MAX_UNIQUE = 2 };
enum { COLUMN_SRC = -1, COLUMN_DST = -2 };

typedef struct prop {
    char name[16];
    scalar type;
    bool list, nullable;
    int dim; /* vector */
    int enum_count;
    const char *enum_values[MAX_ENUM];
    bool key, index;
    int wide;  /* values from a domain of this size; 0: a small one */
    bool wild; /* values at the edges of the type: not for sums */
    bool has_default;
    value default_value;
    bool has_low, has_high; /* @range */
    value low, high;
    int check; /* index of a pattern, -1 none */
} prop;

typedef struct unique {
    int columns[3]; /* property, or COLUMN_SRC, COLUMN_DST */
    int count;
} unique;

typedef struct type {
    char name[16];
    bool is_edge;
    int from, to;          /* types */
    prop props[MAX_PROPS]; /* by name in bytes */
    int prop_count;
    int key; /* property, -1 none */
    unique uniques[MAX_UNIQUE];
    int unique_count;
    int card_min, card_max; /* card_max -1: no limit */
} type;

typedef struct schema {
    type types[MAX_TYPES]; /* nodes first */
    int type_count, node_count;
    bool large; /* some hundred nodes, so that thresholds and batches are crossed */
} schema;

extern const char *const check_patterns[];
enum { CHECK_COUNT = 5 };
bool check_matches(int check, text t);

void generate_schema(rng *r, schema *out);
text schema_print(const schema *s);
/* The type's name as an edge pattern spells it. */
text edge_word(const type *t);

/* ---- state -------------------------------------------------------------------------------- */

typedef struct row {
    text id; /* ptr NULL: made by the engine, not known yet */
    text src, dst;
    value values[MAX_PROPS];
} row;

typedef struct table {
    row **rows;
    int count, cap;
} table;

typedef struct state {
    table tables[MAX_TYPES];
} state;

state state_clone(const state *s);
void table_add(table *t, row *r);
row *table_find(const table *t, text id); /* NULL */
text state_export(const schema *s, const state *st);
/* Give rows without an id the ids that the engine's export shows. */
void state_adopt(const schema *s, state *st, text export_text);

/* ---- why something is refused ------------------------------------------------------------- */

typedef enum refusal {
    R_NONE,
    /* of a value */
    R_WRONG_TYPE,
    R_INT_RANGE,
    R_FRACTION,
    R_FLOAT_OVERFLOW,
    R_NOT_A_NUMBER,
    R_BAD_DATE,
    R_VECTOR_LENGTH,
    R_VECTOR_ITEM,
    R_LIST_ITEM,
    R_NULL_REQUIRED,
    R_MISSING_REQUIRED,
    R_ENUM,
    R_BAD_BASE64,
    /* of a record or statement */
    R_UNKNOWN_PROPERTY,
    R_UNKNOWN_TYPE,
    R_BAD_JSON,
    R_BAD_UTF8,
    R_ID_NOT_KEY,
    R_KEY_UPDATE,
    R_EDGE_UPDATE,
    R_MISSING_ENDPOINT,
    R_MISSING_PARAM,
    R_BAD_QUERY,
    /* of constraints */
    R_RANGE,
    R_CHECK,
    R_DUPLICATE_IN_FILE,
    R_APPEND_NODE,
    R_APPEND_EDGE,
    R_UNIQUE_SINGLE,
    R_UNIQUE_TUPLE,
    R_DANGLING,
    R_OVERWRITE_DANGLING,
    R_CARD_MAX,
    R_CARD_MIN,
    R_COUNT
} refusal;
extern const char *const refusal_names[R_COUNT];

/* What the model says an operation does. */
typedef struct outcome {
    refusal refused;
    bool unclear; /* the documentation does not decide; such operations are not made */
    uint64_t node_rows, edge_rows;
    bool committed;
} outcome;

/* ---- operations --------------------------------------------------------------------------- */

typedef struct param {
    text name;
    scalar type; /* enum: String */
    bool list, optional;
    int dim;
    bool omitted;
    value value;     /* null when omitted */
    text input;      /* JSON */
    refusal refused; /* the input is wrong */
} param;

typedef enum expr_kind { E_LITERAL, E_PARAM, E_NOW, E_PROP, E_VAR } expr_kind;
typedef struct expr {
    expr_kind kind;
    value literal;
    text spelling; /* of a literal that is wrong; else NULL */
    int param;
    int var, prop;
} expr;

typedef enum compare_op { C_EQ, C_NE, C_LT, C_LE, C_GT, C_GE, C_CONTAINS, C_STARTS } compare_op;
extern const char *const compare_names[8];
bool compare_holds(compare_op by, const value *a, const value *b);

/* One field of a record, or one assignment of a statement. */
typedef struct field {
    int prop; /* -1: not a property of the type */
    text name;
    value value;
    text input;
    expr expr; /* statements */
    refusal refused;
} field;
enum { MAX_FIELDS = MAX_PROPS + 2 };

typedef struct record {
    int type; /* -1 unknown */
    bool has_id;
    text id, from, to;
    field fields[MAX_FIELDS];
    int field_count;
    refusal refused;
} record;

typedef enum statement_kind { ST_INSERT, ST_UPDATE, ST_DELETE } statement_kind;
typedef struct statement {
    statement_kind kind;
    int type;
    expr from, to;
    field fields[MAX_FIELDS];
    int field_count;
    int where_prop; /* or COLUMN_SRC, COLUMN_DST */
    compare_op where_op;
    expr where_value;
    refusal refused;
} statement;

typedef struct clause clause;
struct clause {
    enum { CL_BIND, CL_HOP, CL_FILTER, CL_NOT } kind;
    int var; /* bind */
    field pairs[2];
    int pair_count;
    int left, right, edge_var; /* hop; edge_var -1 none */
    int edge;
    bool reversed, undirected, has_bounds;
    int min, max;
    expr lhs, rhs; /* filter */
    compare_op op;
    clause *inner; /* not */
    int inner_count;
    int first_inner_var, end_inner_var; /* variables bound inside */
};

typedef enum aggregate { A_NONE, A_COUNT, A_SUM, A_AVG, A_MIN, A_MAX } aggregate;
typedef struct projection {
    aggregate aggregate;
    expr expr;
    text alias; /* NULL none */
    text column;
} projection;

typedef struct ordering {
    int projection; /* -1: expr */
    expr expr;
    bool descending;
} ordering;

typedef struct variable {
    text name;
    int type; /* node or edge type */
} variable;

enum { MAX_CLAUSES = 8, MAX_VARS = 8, MAX_RETURNS = 6, MAX_ORDER = 2, MAX_PARAMS = 24 };
typedef struct query {
    variable vars[MAX_VARS];
    int var_count, outer_var_count; /* those of the outer match come first */
    clause clauses[MAX_CLAUSES];
    int clause_count;
    projection returns[MAX_RETURNS];
    int return_count;
    bool aggregates;
    ordering order[MAX_ORDER];
    int order_count;
    int limit; /* -1 none */
} query;

typedef enum op_kind { OP_LOAD, OP_MUTATE, OP_QUERY, OP_REOPEN, OP_ROUND_TRIP } op_kind;
typedef enum load_mode { L_OVERWRITE, L_APPEND, L_MERGE } load_mode;

enum { MAX_RECORDS = 40, MAX_LARGE_RECORDS = 500, MAX_STATEMENTS = 4 };
typedef struct op {
    op_kind kind;
    text input; /* records, or query source */
    load_mode mode;
    record *records;
    int record_count;
    refusal refused; /* the text as a whole is wrong */
    param params[MAX_PARAMS];
    int param_count;
    text params_json;
    statement statements[MAX_STATEMENTS];
    int statement_count;
    query *query;
} op;

typedef struct program {
    schema schema;
    text schema_text;
    op **ops;
    int op_count;
} program;

/* Deterministic: the same seed and count give the same program. */
program *generate_program(uint64_t seed, int op_count);
bool generate_load(rng *r, const schema *s, const state *st, bool first, op *out);
bool generate_mutation(rng *r, const schema *s, const state *st, op *out);
bool generate_query(rng *r, const schema *s, const state *st, op *out);

/* A value that fits the property (constraints of single values too, mostly); null sometimes when
 * `allow_null`. */
value random_value(rng *r, const prop *p, bool allow_null);
text random_key(rng *r, const type *t, value *out); /* of a larger domain when the key is wide */
/* One of the spellings that a load accepts for the value. */
text random_input(rng *r, const prop *p, const value *v);
/* An input that must be refused, and why. */
text wrong_input(rng *r, const prop *p, bool param_or_literal, refusal *out_why);
text random_stored_id(rng *r, const state *st, int type); /* ptr NULL: none */
/* A parameter of the type of `p` (its item when `item`), holding `v`. */
int add_param(rng *r, op *o, const prop *p, bool item, const value *v, bool may_omit);
void finish_params(op *o);
void print_expr(buf *b, const op *o, const query *q, const schema *s, const expr *e);
void print_param_list(buf *b, const op *o);

/* ---- evaluation --------------------------------------------------------------------------- */

outcome model_load(const schema *s, const op *o, state *st);
outcome model_mutate(const schema *s, const op *o, state *st);
/* All constraints on a state; R_NONE when they hold. Values are checked one by one beforehand. */
refusal check_state(const schema *s, const state *st);
refusal check_value(const prop *p, const value *v);
/* Round a value for the property's type, or say why it does not fit. */
refusal fit_value(const prop *p, value *v);
const value *expr_constant(const op *o, const expr *e); /* literal or parameter */

/* A result: rows of column texts that are comparable with those of the engine (see cell_print). */
typedef struct result_row {
    text cells;
    value order[MAX_ORDER];
} result_row;
typedef struct result {
    refusal refused;
    result_row *rows;
    int count, cap;
} result;
result model_query(const schema *s, const op *o, const state *st);
void cell_print(buf *b, const value *v);
/* NULL when the engine's rows (texts of cells) are an allowed result, else what is wrong. */
const char *result_difference(const op *o, const result *expected, const text *rows, int count);

/* ---- the engine --------------------------------------------------------------------------- */

/* Run the program in a fresh folder below `dir` and compare. True: all agreed. Otherwise *out_at is
 * the operation that differs and *out_what says how. */
bool run_program(const program *p, const char *dir, bool count, int *out_at, text *out_what);

/* A shell script that does the same by the command line. */
text program_script(const program *p, int op_count);

/* ---- what has occurred -------------------------------------------------------------------- */

/* Counters in memory shared with child processes. Names are made of a group and a word. */
typedef enum counter_group {
    G_OP,
    G_TYPE_REQUIRED,
    G_TYPE_NULLABLE,
    G_TYPE_NULL,
    G_LIST_REQUIRED,
    G_LIST_NULLABLE,
    G_KEY,
    G_CONSTRAINT,
    G_LOAD,
    G_REFUSED_LOAD,
    G_REFUSED_MUTATION,
    G_MUTATION,
    G_FILTER,
    G_FILTER_TYPE,
    G_QUERY,
    G_COUNT
} counter_group;
void cover_init(void);
void cover(counter_group group, int index, uint64_t times);
/* Count what an operation that went as expected has shown. */
void cover_load(const schema *s, const op *o, const state *before, const state *after,
                const outcome *result);
void cover_mutation(const schema *s, const op *o, const state *before, const state *after,
                    const outcome *result);
void cover_query(const schema *s, const op *o, const result *r);
/* Print all; returns how many that must occur did not. */
int cover_print(void);

enum { K_STRING, K_NUMERIC, K_NONE, K_COUNT };
enum {
    N_UNIQUE,
    N_UNIQUE_TUPLE,
    N_UNIQUE_ENDS,
    N_RANGE,
    N_CHECK,
    N_CARD_MIN,
    N_CARD_MAX,
    N_DEFAULT,
    N_ENUM,
    N_INDEX,
    N_COUNT
};
enum {
    LO_OVERWRITE_NEW,
    LO_OVERWRITE_OLD,
    LO_APPEND_NEW,
    LO_MERGE_NEW,
    LO_MERGE_OLD,
    LO_EMPTY,
    LO_NODES_AND_EDGES,
    LO_COUNT
};
enum {
    M_INSERT_NODE,
    M_INSERT_EDGE,
    M_REPLACE,
    M_UPDATE,
    M_DELETE_NODE,
    M_DELETE_EDGE,
    M_CASCADE,
    M_MIXED,
    M_NO_ROW,
    M_COUNT
};
enum {
    Q_POINT,
    Q_POINT_PARAM,
    Q_PAIR,
    Q_PAIR_LIST,
    Q_CROSS,
    Q_HOP_OUT,
    Q_HOP_IN,
    Q_HOP_EQUAL,
    Q_BOUNDS_12,
    Q_BOUNDS_22,
    Q_BOUNDS_13,
    Q_EDGE_VAR,
    Q_UNDIRECTED,
    Q_UNDIRECTED_BOUNDS,
    Q_UNDIRECTED_VAR,
    Q_ANONYMOUS,
    Q_NOT,
    Q_NOT_NESTED,
    Q_NOT_BOUNDS,
    Q_NOT_FILTER,
    Q_COUNT_AGG,
    Q_SUM,
    Q_AVG,
    Q_MIN,
    Q_MAX,
    Q_GROUPS,
    Q_NO_GROUPS,
    Q_ORDER_ASC,
    Q_ORDER_DESC,
    Q_ORDER_NULLS,
    Q_ORDER_PROP,
    Q_LIMIT,
    Q_OMITTED,
    Q_FRACTION,
    Q_NULL_LITERAL,
    Q_NULL_VALUE,
    Q_PROP_PROP,
    Q_NOW,
    Q_ROWS,
    Q_NO_ROWS,
    Q_RETURN_ID,
    Q_RETURN_LIST,
    Q_RETURN_VECTOR,
    Q_RETURN_BLOB,
    Q_RETURN_EDGE_PROP,
    Q_MANY_ROWS,
    Q_EXPLAIN,
    Q_COUNT
};

#endif
