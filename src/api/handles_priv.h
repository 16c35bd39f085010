/* api/handles_priv - what stands behind the opaque handles of omnigraph.h. */
#ifndef OG_API_HANDLES_PRIV_H
#define OG_API_HANDLES_PRIV_H

#include "exec/exec.h"
#include "graph/target.h"
#include "lang/query.h"

struct og_graph {
    og_repo *repo;
};

struct og_session {
    og_graph *graph; /* borrowed */
    char *actor;     /* NULL = none */
    char *branch;
    char *snapshot;   /* text that `target` borrows; NULL = none */
    og_target target; /* what is read: the branch, or a moment of it */
    uint64_t memory_bytes;
    uint32_t timeout_ms;
    bool lenient;
    int32_t cancelled; /* atomic */
};

struct og_query {
    og_graph *graph; /* borrowed */
    og_program *program;
    const og_ir_query *ir;
    og_plan *plan; /* NULL for mutations, and for reads that can't be planned */
    /* Why a read can't be planned; told when it is run. */
    og_status plan_status;
    og_error plan_error;
    char *name;
    char **param_names, **param_types;
};

struct og_params {
    const og_query *query; /* borrowed */
    og_arena *arena;
    /* What was set, by parameter: JSON values, so that one set of checks serves all setters. */
    og_json *values;
    bool *given;
};

struct og_cursor {
    const og_query *query; /* borrowed */
    og_arena *arena;       /* literals of the parameters */
    og_snapshot *snapshot;
    og_budget budget; /* limit 0 = none */
    og_exec *exec;
    char *branch; /* NULL when a past state is read */
    char *moment; /* the name of that state: a commit's ULID or a version */
    const og_result_column *columns;
    uint32_t column_count;
    char **column_names;
    og_batch batch; /* rows being stepped through */
    int64_t row;    /* in batch; -1 before the first */
    bool is_done;
    og_arena *row_arena; /* text of list values of the current row */
};

/* The snapshot that the session reads. */
OG_NODISCARD og_status og_api__snapshot(og_session *session, og_snapshot **out, og_error *err);
/* OG_INVALID unless the session reads a branch: only then it may write. */
OG_NODISCARD og_status og_api__check_writable(const og_session *session, og_error *err);

/* The literals that `params` (NULL: none were set) gives to the query's parameters,
 * checked; in the arena. */
OG_NODISCARD og_status og_api__bind(const og_query *query, const og_params *params, bool lenient,
                                    og_arena *arena, og_literal **out, og_error *err);

/* Open a cursor; `analyze` counts per operator. */
OG_NODISCARD og_status og_api__open_cursor(og_session *session, const og_query *query,
                                           const og_params *params, bool analyze, og_cursor **out,
                                           og_error *err);

/* Read the next batch into the cursor; is_done at the end. */
OG_NODISCARD og_status og_api__next_batch(og_cursor *cursor, og_error *err);

/* Drop the rows of the current batch that were stepped over already. */
OG_NODISCARD og_status og_api__rest_of_batch(og_cursor *cursor, og_error *err);

/* Append a value as JSON, as query results print it. */
bool og_api__write_value(og_buf *out, const og_result_column *column, const og_array *array,
                         int64_t row);

/* The same for any array. `indent` is the depth of the line the value begins on, for lists over
 * several lines (serde_json's pretty form), or -1 for one line. */
void og_api__write_json(og_buf *out, const og_array *array, int64_t row, int indent);
/* As CSV and tables show it: text without quotes, all else as JSON on one line. */
void og_api__write_cell(og_buf *out, const og_array *array, int64_t row);

/* Hand a buffer to a sink and empty it. */
OG_NODISCARD og_status og_api__flush(og_buf *buf, og_sink_fn sink, void *context, og_error *err);

static inline og_str og_api__str(og_text text)
{
    return (og_str){text.ptr, text.len};
}

/* A source file without the byte order mark that some editors put before it. */
static inline og_str og_api__source(og_text text)
{
    og_str s = og_api__str(text);
    return og_str_starts(s, OG_STR("\xef\xbb\xbf")) ? og_str_slice(s, 3, s.len) : s;
}

/* When a run that begins now must end, by og_monotonic_ns; 0 = never. */
static inline uint64_t og_api__deadline(const og_session *session)
{
    return session->timeout_ms > 0 ? og_monotonic_ns() + (uint64_t)session->timeout_ms * 1000000
                                   : 0;
}

/* Copy the options that a caller knows over the defaults in `dst`. The caller may be older than
 * this library and its struct shorter; every options struct begins with its size. */
static inline void og_api__read_options(void *dst, size_t size, const void *options)
{
    if (options == NULL)
        return;
    size_t known = *(const size_t *)options;
    memcpy(dst, options, known < size ? known : size);
}

#endif
