/* exec/exec - runs a checked query over a snapshot and streams its rows.
 *
 * A plan is made once from an IR and may be run many times, by several threads, over any snapshot
 * of the same catalog. Choices that depend on data (the start of a match, the method of a hop) are
 * made by each run, from counted rows. Semantics: docs/user/query-language.md; order of rows:
 * README.md. Results are deterministic. */
#ifndef OG_EXEC_EXEC_H
#define OG_EXEC_EXEC_H

#include "base/budget.h"
#include "columnar/mask.h"
#include "exec/snapshot.h"
#include "lang/ir.h"

typedef struct og_plan og_plan;
/* `query` and its program must outlive the plan. OG_UNSUPPORTED for search functions: "this version
 * has no search index yet". */
OG_NODISCARD og_status og_plan_new(const og_ir_query *query, const og_catalog *catalog,
                                   og_plan **out, og_error *err);
void og_plan_free(og_plan *plan);
OG_DEFINE_AUTO(og_plan, og_plan_free)

/* A column of the result. */
typedef struct og_result_column {
    og_str name;
    og_prop_type type; /* for printing: dates, blobs (always null), lists, vectors */
    const og_type *array_type;
} og_result_column;
const og_result_column *og_plan_columns(const og_plan *plan, uint32_t *out_count);

/* How hops are done; AUTO chooses by counts. The others are for tests and EXPLAIN. */
typedef enum og_hop_method { OG_HOP_AUTO, OG_HOP_CSR, OG_HOP_SCAN } og_hop_method;

typedef struct og_exec_options {
    og_budget *budget;     /* memory of this query; NULL = unbounded */
    uint64_t deadline_ns;  /* og_monotonic_ns; 0 = none */
    const int32_t *cancel; /* atomic flag, nonzero = stop; may be NULL */
    int64_t now_ms;        /* value of now() */
    bool analyze;          /* count rows, bytes, store calls and time per operator */
    og_hop_method hop_method;
} og_exec_options;

typedef struct og_exec og_exec;
/* `params`: one literal per declared parameter (og_params_from_json). Keeps a reference to
 * the snapshot and borrows plan and params. */
OG_NODISCARD og_status og_exec_open(const og_plan *plan, const og_literal *params,
                                    og_snapshot *snapshot, const og_exec_options *options,
                                    og_exec **out, og_error *err);
/* The next batch (at most OG_BATCH_ROWS rows, at least one); row_count 0 at the end. Its arrays
 * borrow their types from the plan and the tables' environment, and outlive the run. OG_TIMEOUT,
 * OG_CANCELLED, OG_NOMEM ("memory limit: <operator> needs N of M"). After an error only close. */
OG_NODISCARD og_status og_exec_next(og_exec *exec, og_batch *out, og_error *err);
void og_exec_close(og_exec *exec);
OG_DEFINE_AUTO(og_exec, og_exec_close)

/* Append the plan and its choices as a text tree or JSON (src/exec/README.md);
 * after the run with counts. */
OG_NODISCARD og_status og_exec_explain(const og_exec *exec, bool json, og_buf *out, og_error *err);

/* ---- for mutations: rows of one type that satisfy `property op value` --------------------- */

/* The slots of these live rows, ascending; the caller frees *out_slots with og_free. `property` -1:
 * the column named by `column` (id, src or dst) is meant. Equality with the id or key is looked up
 * in the directory, all else is scanned for. */
OG_NODISCARD og_status og_exec_find_slots(og_snapshot *snapshot, const og_type_def *def,
                                          int32_t property, og_str column, og_cmp_op op,
                                          const og_literal *value, uint32_t **out_slots,
                                          size_t *out_count, og_error *err);

/* The same test for rows in memory: for which rows of a column is `column op value` true? */
OG_NODISCARD og_status og_exec_match(const og_array *column, og_cmp_op op, const og_literal *value,
                                     og_mask *out, og_error *err);

#endif
