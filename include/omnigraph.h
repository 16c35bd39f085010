/* omnigraph.h - a typed property graph on columnar tables, with branches and commits.
 *
 * The public C API of libomnigraph. Compiles alone as C11 and C++. All handles are opaque.
 * Functions that can fail return og_status and fill `err` (which may be NULL) on failure; outputs
 * are written on OG_OK only. Text is UTF-8. Unless said otherwise: a `T **out` gives
 * ownership, a returned pointer is borrowed from the handle it came from, og_graph may be shared by
 * threads, everything else belongs to one thread at a time. */
#ifndef OMNIGRAPH_H
#define OMNIGRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define OG_API __attribute__((visibility("default")))
#else
#define OG_API
#endif

/* ---- errors ------------------------------------------------------------------------------- */

typedef enum og_status {
    OG_OK = 0,
    OG_NOT_FOUND,   /* expected: the caller asked for something absent */
    OG_CONFLICT,    /* expected: another writer committed first */
    OG_INVALID,     /* the request is wrong (schema, query, data, argument) */
    OG_CORRUPT,     /* stored bytes break the format */
    OG_IO,          /* the store or the network failed */
    OG_NOMEM,       /* out of memory, or above the memory limit */
    OG_DENIED,      /* not allowed: policy, or permissions of the store */
    OG_CANCELLED,   /* the caller asked to stop */
    OG_TIMEOUT,     /* the deadline passed */
    OG_LIMIT,       /* a bound was reached: disk full, record or result too large */
    OG_EXISTS,      /* expected: the name is taken */
    OG_UNSUPPORTED, /* valid, but not something this version does */
    OG_UNKNOWN      /* the outcome of a write could not be learnt; the error names the operation */
} og_status;

typedef struct og_error {
    og_status status;
    uint32_t line, column; /* place in the user's text, 1-based; 0 = none */
    char message[4096];    /* one line unless it quotes the user's text; no trailing stop */
    char detail[4096];     /* "" or the values that explain it */
    char hint[256];        /* "" or what the user can try, a full sentence */
} og_error;

/* Stable text id of a status ("conflict"), the HTTP status for it, and the exit code of a
 * program that ends with it. */
OG_API const char *og_status_id(og_status status);
OG_API int og_status_http(og_status status);
OG_API int og_status_exit_code(og_status status);

/* Text with a length; not NUL-terminated. */
typedef struct og_text {
    const char *ptr;
    size_t len;
} og_text;

/* "0.1.0". */
OG_API const char *og_version(void);

/* Options structs begin with their size, so that they may grow: set struct_size to sizeof the
 * struct (the _INIT macros do) and leave the rest 0 for defaults. */

/* ---- graphs ------------------------------------------------------------------------------- */

/* An open graph. Thread safe; sessions borrow it and must be closed first. */
typedef struct og_graph og_graph;

typedef struct og_open_options {
    size_t struct_size;
    size_t cache_bytes;    /* decoded columns and open files; 0 = 256 MiB */
    size_t topology_bytes; /* adjacency and key directories; 0 = 512 MiB */
    bool no_derived;       /* write no derived files (_omnigraph/) beside the graph */
} og_open_options;
#define OG_OPEN_OPTIONS_INIT                                                                       \
    {                                                                                              \
        sizeof(og_open_options), 0, 0, false                                                       \
    }

/* Make a new graph in `uri` (a folder) from the text of a schema. OG_EXISTS when
 * there is one, unless `force`, which replaces it in one step. Crash-safe: an
 * interrupted init leaves no graph. */
OG_API og_status og_graph_init(const char *uri, og_text schema, bool force, og_error *err);
OG_API og_status og_graph_open(const char *uri, const og_open_options *options, og_graph **out,
                               og_error *err);
OG_API void og_graph_close(og_graph *graph);
/* The text of _schema.pg; borrowed from the graph. */
OG_API og_text og_graph_schema(const og_graph *graph);

/* ---- sessions ----------------------------------------------------------------------------- */

/* Who asks, of which branch, within which limits: passed to every call. One thread at a time. */
typedef struct og_session og_session;

typedef struct og_session_options {
    size_t struct_size;
    const char *actor;     /* UTF-8 without control characters, 1 to 1024 bytes; NULL = none */
    const char *branch;    /* NULL = "main" */
    uint64_t memory_bytes; /* per query; 0 = no limit */
    uint32_t timeout_ms;   /* per query; 0 = none */
    bool lenient; /* change ill-typed values as the reference does instead of refusing them */
    /* Time travel: at most one of the two. Such a session reads that state and can't write.
     *   snapshot: ULID of a commit, on any branch, or a version of the branch
     *   at: the last commit of the branch not after a time ("2026-11-01", "2026-11-01 09:30",
     *       "2026-11-01T09:30:00+02:00"; UTC without an offset), or a version of the branch
     * ULIDs are read in capitals and small letters, here and below. */
    const char *snapshot;
    const char *at;
} og_session_options;
#define OG_SESSION_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(og_session_options), NULL, NULL, 0, 0, false, NULL, NULL                            \
    }

OG_API og_status og_session_open(og_graph *graph, const og_session_options *options,
                                 og_session **out, og_error *err);
OG_API void og_session_close(og_session *session);
/* Ask whatever runs in the session to stop; it ends with OG_CANCELLED. Any thread, also a signal
 * handler. */
OG_API void og_session_cancel(og_session *session);

/* ---- bytes in and out --------------------------------------------------------------------- */

/* Fill `dst` with up to `cap` bytes and say how many; 0 at the end. */
typedef og_status (*og_source_fn)(void *context, uint8_t *dst, size_t cap, size_t *out_len,
                                  og_error *err);
/* Take `len` bytes. */
typedef og_status (*og_sink_fn)(void *context, const uint8_t *bytes, size_t len, og_error *err);
/* Progress of a long operation; return nonzero to cancel it. `total` 0 = unknown. */
typedef int (*og_progress_fn)(void *context, const char *phase, uint64_t done, uint64_t total);

/* ---- loading and exporting ---------------------------------------------------------------- */

typedef enum og_load_mode {
    OG_MODE_OVERWRITE = 0, /* replace the types that occur in the input */
    OG_MODE_APPEND = 1,    /* add; a stored key or edge id is an error */
    OG_MODE_MERGE = 2      /* add, or replace by key */
} og_load_mode;

/* What was written of a type. */
typedef struct og_type_count {
    char type_name[256];
    bool is_edge;
    uint64_t rows;
} og_type_count;
typedef void (*og_count_fn)(void *context, const og_type_count *count);

typedef struct og_load_options {
    size_t struct_size;
    og_load_mode mode;
    og_progress_fn progress;
    void *progress_context;
    /* Make the session's branch of the newest state of this one when it does not exist; NULL:
     * then it is an error. A branch that was made stays when the load fails. */
    const char *create_from;
    og_count_fn
        count; /* called when all is done, once per type loaded: edges, then nodes, by name */
    void *count_context;
} og_load_options;
#define OG_LOAD_OPTIONS_INIT                                                                       \
    {                                                                                              \
        sizeof(og_load_options), OG_MODE_OVERWRITE, NULL, NULL, NULL, NULL, NULL                   \
    }

/* The outcome of a write. */
typedef struct og_write_result {
    bool committed;            /* false: nothing changed, no commit was made */
    char commit_id[27];        /* ULID; "" when not committed */
    uint64_t manifest_version; /* at which it became visible */
    uint64_t node_rows;        /* loaded, or affected */
    uint64_t edge_rows;
    uint32_t node_types; /* types loaded */
    uint32_t edge_types;
    /* lenient sessions: values that were changed instead of refused */
    uint64_t lenient_unknown_properties, lenient_wrong_types, lenient_wrapped_integers,
        lenient_float_overflows, lenient_vector_items, lenient_list_items;
    bool branch_created; /* by a load with create_from */
} og_write_result;

/* Load a sequence of JSON records as one commit. */
OG_API og_status og_load(og_session *session, const og_load_options *options, og_source_fn source,
                         void *source_context, og_write_result *out, og_error *err);
/* Write all rows as records that og_load reads again. Names: only these node or edge types / only
 * these tables ("node:Person"); counts 0 = all. */
OG_API og_status og_export(og_session *session, const char *const *type_names, size_t type_count,
                           const char *const *table_keys, size_t table_count, og_sink_fn sink,
                           void *sink_context, og_error *err);

/* ---- queries ------------------------------------------------------------------------------ */

/* One query of a source text, checked against the graph's schema and planned; to be run many times.
 * Immutable: may be shared by sessions of the same graph, which must outlive it. */
typedef struct og_query og_query;

/* `name` NULL: the only query of the text. Errors carry line, column,
 * the source line and a hint. */
OG_API og_status og_query_prepare(og_graph *graph, og_text source, const char *name, og_query **out,
                                  og_error *err);
OG_API void og_query_free(og_query *query);
OG_API const char *og_query_name(const og_query *query);
OG_API bool og_query_is_mutation(const og_query *query);
/* Declared parameters. */
OG_API size_t og_query_param_count(const og_query *query);
OG_API const char *og_query_param_name(const og_query *query, size_t index);
OG_API const char *og_query_param_type(const og_query *query, size_t index);
OG_API bool og_query_param_is_optional(const og_query *query, size_t index);

/* Parameter values for runs of one query. */
typedef struct og_params og_params;
OG_API og_status og_params_new(const og_query *query, og_params **out, og_error *err);
OG_API void og_params_free(og_params *params);
/* All values from a JSON object, replacing earlier ones. */
OG_API og_status og_params_set_json(og_params *params, og_text json, og_error *err);
/* One value. The text is copied. */
OG_API og_status og_params_set_null(og_params *params, const char *name, og_error *err);
OG_API og_status og_params_set_bool(og_params *params, const char *name, bool value, og_error *err);
OG_API og_status og_params_set_i64(og_params *params, const char *name, int64_t value,
                                   og_error *err);
OG_API og_status og_params_set_u64(og_params *params, const char *name, uint64_t value,
                                   og_error *err);
OG_API og_status og_params_set_f64(og_params *params, const char *name, double value,
                                   og_error *err);
OG_API og_status og_params_set_text(og_params *params, const char *name, og_text value,
                                    og_error *err);

/* The rows of a running read query: pulled row by row, batch by batch, or written in a format.
 * Holds its snapshot until closed. */
typedef struct og_cursor og_cursor;
/* `params` may be NULL when the query declares none that is required; it is copied. */
OG_API og_status og_query_run(og_session *session, const og_query *query, const og_params *params,
                              og_cursor **out, og_error *err);
OG_API void og_cursor_close(og_cursor *cursor);
OG_API size_t og_cursor_column_count(const og_cursor *cursor);
OG_API const char *og_cursor_column_name(const og_cursor *cursor, size_t column);

/* Step to the next row; *out_has_row false at the end. */
OG_API og_status og_cursor_next(og_cursor *cursor, bool *out_has_row, og_error *err);

typedef enum og_value_kind {
    OG_VALUE_NULL = 0,
    OG_VALUE_BOOL,
    OG_VALUE_I64,      /* I32 and I64 */
    OG_VALUE_U64,      /* U32 and U64 */
    OG_VALUE_F64,      /* F32 and F64 */
    OG_VALUE_TEXT,     /* String */
    OG_VALUE_DATE,     /* i64: days since 1970-01-01 */
    OG_VALUE_DATETIME, /* i64: milliseconds since 1970-01-01T00:00:00Z */
    OG_VALUE_LIST,     /* text: the list as JSON */
    OG_VALUE_VECTOR    /* text: the vector as JSON; floats: its items */
} og_value_kind;

typedef struct og_value {
    og_value_kind kind;
    union {
        bool boolean;
        int64_t i64;
        uint64_t u64;
        double f64;
    } as;
    og_text text;
    const float *floats;
    size_t float_count;
} og_value;
/* A value of the current row; text and floats are borrowed until the next step. */
OG_API og_status og_cursor_value(og_cursor *cursor, size_t column, og_value *out, og_error *err);

/* The Arrow C data interface (arrow.apache.org/docs/format/CDataInterface.html);
 * declared by whoever includes Arrow's own header, too. */
struct ArrowSchema;
struct ArrowArray;
struct ArrowArrayStream;
/* Move the rest of the cursor into `out` (an empty struct of the caller's);
 * the cursor is closed with the stream. */
OG_API og_status og_cursor_to_arrow(og_cursor *cursor, struct ArrowArrayStream *out, og_error *err);

typedef enum og_format {
    OG_FORMAT_JSON = 0, /* one pretty object with columns and rows */
    OG_FORMAT_JSONL,    /* a metadata line, then one object a line */
    OG_FORMAT_CSV,
    OG_FORMAT_KV, /* one block of "key: value" a row */
    OG_FORMAT_TABLE
} og_format;

typedef struct og_format_options {
    size_t struct_size;
    og_format format;
    uint32_t max_column_width; /* table; 0 = 80 */
    bool wrap_cells;           /* table: wrap long cells instead of cutting them */
    /* table, kv: for the eyes of a person. Control characters as "\\u001b", but not newlines and
     * tabs; columns of a table count how wide characters are shown, else code points. */
    bool for_terminal;
} og_format_options;
#define OG_FORMAT_OPTIONS_INIT                                                                     \
    {                                                                                              \
        sizeof(og_format_options), OG_FORMAT_JSON, 0, false, false                                 \
    }
/* Write all remaining rows; byte for byte what the command line and the server print. */
OG_API og_status og_cursor_write(og_cursor *cursor, const og_format_options *options,
                                 og_sink_fn sink, void *sink_context, og_error *err);

/* Run a mutation as one commit. */
OG_API og_status og_mutate(og_session *session, const og_query *query, const og_params *params,
                           og_write_result *out, og_error *err);

/* ---- merging branches --------------------------------------------------------------------- */

typedef enum og_merge_outcome {
    OG_MERGE_ALREADY_UP_TO_DATE = 0, /* the target has all of the source: no commit */
    OG_MERGE_FAST_FORWARD,           /* the target had not changed since they were the same */
    OG_MERGE_MERGED,
    OG_MERGE_CONFLICTS /* nothing was written */
} og_merge_outcome;

typedef enum og_merge_conflict_kind {
    OG_CONFLICT_DIVERGENT_INSERT = 0,  /* the same id inserted on both sides, with other values */
    OG_CONFLICT_DIVERGENT_UPDATE,      /* updated differently on both sides */
    OG_CONFLICT_DELETE_VS_UPDATE,      /* deleted on one side, updated on the other */
    OG_CONFLICT_ORPHAN_EDGE,           /* an edge of one side, its node deleted on the other */
    OG_CONFLICT_UNIQUE_VIOLATION,      /* rows of both sides share a key or @unique values */
    OG_CONFLICT_CARDINALITY_VIOLATION, /* edges of both sides together break @card */
    OG_CONFLICT_VALUE_CONSTRAINT       /* a value the merge brings breaks its type's constraints */
} og_merge_conflict_kind;

/* "already_up_to_date", "fast_forward", "merged", "conflicts"; "divergent_insert" and so on. */
OG_API const char *og_merge_outcome_id(og_merge_outcome outcome);
OG_API const char *og_merge_conflict_kind_id(og_merge_conflict_kind kind);

/* One thing that stands against a merge. Text is borrowed from the og_merge. */
typedef struct og_merge_conflict {
    og_text table_key; /* "node:Person" */
    og_text row_id;    /* ptr NULL: it concerns no single row */
    og_merge_conflict_kind kind;
    og_text message;
    /* Where the sides differ: a property and its values as JSON. When there are several,
     * property has ptr NULL and the values are objects; when there is none, all have ptr NULL. */
    og_text property, base, ours, theirs;
} og_merge_conflict;

/* Rows that a merge changes in a table of the target. */
typedef struct og_merge_table {
    og_text table_key;
    uint64_t inserted, updated, deleted;
    /* Why all rows were compared, not only those that changed; NULL = they were not. */
    const char *full_reason;
} og_merge_table;

typedef struct og_merge_options {
    size_t struct_size;
    const char *target;  /* NULL = "main" */
    bool property_level; /* combine edits of different properties of one row */
    bool preview;        /* say what would happen, write nothing */
    bool delete_source;  /* delete the source after success, unless it was written since */
} og_merge_options;
#define OG_MERGE_OPTIONS_INIT                                                                      \
    {                                                                                              \
        sizeof(og_merge_options), NULL, false, false, false                                        \
    }

/* What came of a merge. */
typedef struct og_merge og_merge;
/* Merge branch `source` into the target as one commit with two parents, by the session's actor.
 * Conflicts are an outcome, not an error. When the merge is done and only deleting the source
 * failed, the error says so and *out is set all the same; on every other error it is NULL. */
OG_API og_status og_branch_merge(og_session *session, const char *source,
                                 const og_merge_options *options, og_merge **out, og_error *err);
OG_API void og_merge_free(og_merge *merge);
OG_API og_merge_outcome og_merge_get_outcome(const og_merge *merge);
/* The commit's id, "" when none was made. */
OG_API const char *og_merge_commit_id(const og_merge *merge);
OG_API size_t og_merge_table_count(const og_merge *merge);
OG_API og_merge_table og_merge_table_at(const og_merge *merge, size_t index);
OG_API size_t og_merge_conflict_count(const og_merge *merge);
OG_API og_merge_conflict og_merge_conflict_at(const og_merge *merge, size_t index);
/* As `omnigraph branch merge` prints it. Text: conflicts one a line. */
OG_API og_status og_merge_print(const og_merge *merge, bool json, og_sink_fn sink,
                                void *sink_context, og_error *err);

/* How a read query would run (`analyze` false), or how it ran, with counts (true: it is run). Text
 * or JSON. */
OG_API og_status og_query_explain(og_session *session, const og_query *query,
                                  const og_params *params, bool analyze, bool json, og_sink_fn sink,
                                  void *sink_context, og_error *err);

/* ---- differences -------------------------------------------------------------------------- */

typedef enum og_diff_op { OG_DIFF_INSERT = 1, OG_DIFF_UPDATE = 2, OG_DIFF_DELETE = 4 } og_diff_op;
typedef enum og_diff_kind { OG_DIFF_NODES = 1, OG_DIFF_EDGES = 2 } og_diff_kind;

typedef struct og_diff_options {
    size_t struct_size;
    const char *const *type_names; /* only these node or edge types */
    size_t type_count;             /* 0 = all */
    uint32_t kinds;                /* of og_diff_kind, joined by |; 0 = both */
    uint32_t ops;                  /* of og_diff_op, joined by |; 0 = all */
} og_diff_options;
#define OG_DIFF_OPTIONS_INIT                                                                       \
    {                                                                                              \
        sizeof(og_diff_options), NULL, 0, 0, 0                                                     \
    }

/* One row that differs; borrowed for the time of the call that hands it over. */
typedef struct og_diff_row {
    og_diff_op op;
    bool is_edge;
    og_text type_name;
    og_text id;
    /* JSON objects of all properties, of edges with "src" and "dst"; len 0 where the row is not
     * there. */
    og_text before, after;
    const og_text *changed; /* updates: names of the properties that differ */
    size_t changed_count;
} og_diff_row;
/* Take a row; OG_OK to go on. */
typedef og_status (*og_diff_fn)(void *context, const og_diff_row *row, og_error *err);

typedef struct og_diff_result {
    uint64_t inserts, updates, deletes;
    bool full; /* some table had to be compared as a whole, so it cost more than the change */
} og_diff_result;

/* What leads from one state of the graph to another: tables in order of their keys,
 * rows by id. A row that was written again with equal values is no change; an id
 * deleted and inserted again is an update.
 *
 *   from, to   a branch "feature", a commit's ULID, a version "v12", or a version or time of a
 *              branch: "feature@v12", "feature@2026-11-01T09:30:00Z"; NULL: what the session reads
 *   take       NULL: only count
 *   out        may be NULL
 *
 * OG_NOT_FOUND no such branch, commit or version; OG_INVALID unknown type. */
OG_API og_status og_diff(og_session *session, const char *from, const char *to,
                         const og_diff_options *options, og_diff_fn take, void *context,
                         og_diff_result *out, og_error *err);
/* The same, as `omnigraph diff` prints it: `stat` only counts, `json` as JSON lines. */
OG_API og_status og_diff_print(og_session *session, const char *from, const char *to,
                               const og_diff_options *options, bool stat, bool json,
                               og_sink_fn sink, void *sink_context, og_error *err);

/* ---- branches ----------------------------------------------------------------------------- */

/* Make a branch of the newest state of `from` (NULL: main). Costs the same whatever the graph
 * holds. Names are segments of letters, digits, '.', '-' and '_' with '/' between. OG_INVALID;
 * OG_EXISTS; OG_NOT_FOUND no `from`; OG_CONFLICT somebody else is making it; OG_UNKNOWN. */
OG_API og_status og_branch_create(og_graph *graph, const char *name, const char *from,
                                  og_error *err);
/* Delete a branch. OG_NOT_FOUND; OG_INVALID for main; OG_CONFLICT while a branch that was made of
 * it exists; OG_UNKNOWN. */
OG_API og_status og_branch_delete(og_graph *graph, const char *name, og_error *err);

/* The names of all branches at one moment, main among them, by bytes. */
typedef struct og_branch_list og_branch_list;
OG_API og_status og_branch_list_read(og_graph *graph, og_branch_list **out, og_error *err);
OG_API void og_branch_list_free(og_branch_list *list);
OG_API size_t og_branch_list_count(const og_branch_list *list);
OG_API const char *og_branch_list_name(const og_branch_list *list, size_t index);

/* ---- upkeep ------------------------------------------------------------------------------- */

/* What upkeep did to a table. */
typedef struct og_table_upkeep {
    og_text table_key;
    uint64_t fragments_removed, fragments_added; /* og_optimize */
    bool committed;                              /* og_optimize: it has a new version */
    uint64_t versions_removed, bytes_removed;    /* og_cleanup */
    og_text error; /* og_cleanup: why the table could not be cleaned; len 0 = it was */
} og_table_upkeep;
/* Called once for each table, in order of their keys; texts are borrowed for the call. */
typedef og_status (*og_upkeep_fn)(void *context, const og_table_upkeep *table, og_error *err);

/* Join small fragments of the branch's tables and drop deleted rows, a commit for each table with
 * something to do. What queries answer stays the same but for the order of rows without `order`. */
OG_API og_status og_optimize(og_session *session, og_upkeep_fn take, void *context, og_error *err);

typedef struct og_cleanup_options {
    size_t struct_size;
    bool by_count, by_age;  /* at least one; with both, a version must be beyond both to go */
    uint64_t keep_versions; /* by_count: versions more than this many behind the newest may go */
    uint64_t older_than_s;  /* by_age: versions older than this many seconds may go */
} og_cleanup_options;
#define OG_CLEANUP_OPTIONS_INIT                                                                    \
    {                                                                                              \
        sizeof(og_cleanup_options), false, false, 0, 0                                             \
    }
/* Remove old versions for good, on all branches. What the newest version of any branch needs stays,
 * as does what a merge of two branches would need. */
OG_API og_status og_cleanup(og_session *session, const og_cleanup_options *options,
                            og_upkeep_fn take, void *context, og_error *err);

/* ---- looking at a graph ------------------------------------------------------------------- */

/* Branch, manifest version and the tables, as `omnigraph snapshot` prints them. */
OG_API og_status og_snapshot_print(og_session *session, bool json, og_sink_fn sink,
                                   void *sink_context, og_error *err);

/* One commit; text is borrowed for the time of the call that hands it over. */
typedef struct og_commit {
    og_text id;            /* ULID */
    og_text parent;        /* len 0 = none */
    og_text merged_parent; /* of a merge: head of the branch that was merged; len 0 = no merge */
    og_text branch;        /* on which it was made; len 0 = main */
    og_text actor;         /* len 0 = none */
    og_text operation;     /* ULID that errors of status OG_UNKNOWN name; len 0 = not known */
    uint64_t manifest_version; /* on that branch */
    int64_t created_at_us;     /* microseconds since 1970 */
} og_commit;
/* Take a commit; OG_OK to go on. */
typedef og_status (*og_commit_fn)(void *context, const og_commit *commit, og_error *err);

typedef struct og_commit_list_options {
    size_t struct_size;
    const char *actor; /* only this actor's; NULL = all */
    uint64_t limit;    /* at most so many; 0 = all */
    bool reverse;      /* newest first instead of oldest first */
} og_commit_list_options;
#define OG_COMMIT_LIST_OPTIONS_INIT                                                                \
    {                                                                                              \
        sizeof(og_commit_list_options), NULL, 0, false                                             \
    }
/* The commits of the session's branch, with those it inherited from
 * the branch it was forked from. */
OG_API og_status og_commit_list(og_session *session, const og_commit_list_options *options,
                                og_commit_fn take, void *context, og_error *err);
/* The commit with this ULID on any branch, or the one of the operation with it: after an outcome
 * OG_UNKNOWN this tells whether the operation was published. OG_NOT_FOUND when not. */
OG_API og_status og_commit_show(og_session *session, const char *id, og_commit_fn take,
                                void *context, og_error *err);
/* The same, as `omnigraph commit list` and `omnigraph commit show` print them. */
OG_API og_status og_commit_list_print(og_session *session, const og_commit_list_options *options,
                                      bool json, og_sink_fn sink, void *sink_context,
                                      og_error *err);
OG_API og_status og_commit_show_print(og_session *session, const char *id, bool json,
                                      og_sink_fn sink, void *sink_context, og_error *err);

/* Take the error of a query, with place and hint; borrowed for the time of the call. */
typedef void (*og_lint_error_fn)(void *context, const og_error *error);

typedef struct og_lint_options {
    size_t struct_size;
    const char *query_path;  /* for the report */
    og_text schema;          /* the text of a schema; ptr NULL = that of `graph` */
    const char *schema_path; /* for the report */
    const og_graph *graph;
    bool json;
    /* Told of each query with an error; NULL = nobody. (A syntax error shows its place in the
     * report.) */
    og_lint_error_fn take_error;
    void *take_context;
} og_lint_options;
#define OG_LINT_OPTIONS_INIT                                                                       \
    {                                                                                              \
        sizeof(og_lint_options), "", {NULL, 0}, "", NULL, false, NULL, NULL                        \
    }
/* Check a query file; the report goes to the sink, as `omnigraph lint` prints it.
 * *out_failed: it has errors. */
OG_API og_status og_lint_queries(og_text query_source, const og_lint_options *options,
                                 og_sink_fn sink, void *sink_context, bool *out_failed,
                                 og_error *err);

/* ---- checking a graph --------------------------------------------------------------------- */

/* Something that does not agree in a stored graph; text is borrowed for the time of the call. */
typedef struct og_problem {
    const char *kind; /* stable text id: "duplicate-id", "content", "head", ... */
    bool is_damage;   /* answers are or may be wrong, or rows break the schema; else a leftover
                       * that no answer shows */
    bool repaired;
    bool is_note;        /* nothing is wrong, but other programs may mind */
    og_text branch;      /* len 0 = of the whole graph */
    og_text table_key;   /* "node:Person"; len 0 = of no table */
    const char *message; /* one line, no trailing stop */
    const char *advice;  /* what to do: full sentences */
} og_problem;
/* Take a problem; OG_OK to go on. */
typedef og_status (*og_problem_fn)(void *context, const og_problem *problem, og_error *err);

typedef struct og_fsck_options {
    size_t struct_size;
    bool repair;             /* what is safe to repair; else nothing is written */
    og_progress_fn progress; /* rows looked at so far, some of them several times; NULL = none */
    void *progress_context;
} og_fsck_options;
#define OG_FSCK_OPTIONS_INIT                                                                       \
    {                                                                                              \
        sizeof(og_fsck_options), false, NULL, NULL                                                 \
    }

/* What was looked at and found. Versions that several branches share count once. */
typedef struct og_fsck_result {
    uint64_t branches, tables, rows;
    uint64_t problems, repaired; /* without notes */
    uint64_t notes;
} og_fsck_result;

/* Read all of a graph, every branch of it, and tell what is wrong. OG_OK whatever was found;
 * OG_NOT_FOUND when there is no graph. Memory is bounded. `take` and `out` may be NULL: who only
 * repairs or counts needs one of them. */
OG_API og_status og_fsck(const char *uri, const og_fsck_options *options, og_problem_fn take,
                         void *context, og_fsck_result *out, og_error *err);

typedef struct og_relocate_result {
    uint64_t branches; /* that had places of before */
    uint64_t tables;   /* that got a version with the right ones, of all branches */
} og_relocate_result;
/* After a graph was moved or copied: write anew the absolute places that other programs go by.
 * This library needs none. One commit on each branch that has wrong ones. */
OG_API og_status og_relocate(og_session *session, og_relocate_result *out, og_error *err);

/* Calls and bytes of storage since the graph was opened. */
typedef struct og_io_stats {
    uint64_t gets, puts, heads, lists, deletes, syncs, bytes_read, bytes_written;
} og_io_stats;
OG_API void og_graph_io_stats(const og_graph *graph, og_io_stats *out);

#ifdef __cplusplus
}
#endif
#endif
