/* lang/lint - check a query file against a schema and say all that is wrong, as text or JSON. */
#ifndef OG_LANG_LINT_H
#define OG_LANG_LINT_H

#include "base/buf.h"
#include "lang/catalog.h"

/* Where the schema came from, for the report: "file" with a path, or "graph" with a URI. */
typedef struct og_lint_input {
    og_str query_path;
    og_str query_source;
    bool schema_from_graph;
    og_str schema_path; /* or the graph's URI */
    /* Told of each query that has an error, with place and hint, which the report leaves out; NULL =
     * nobody. (A syntax error shows its place in the report.) The error is borrowed for the call. */
    void (*take_error)(void *context, const og_error *error);
    void *take_context;
} og_lint_input;

/* Lint; the report is appended to `out` exactly as the reference's `lint` prints it (`json`: pretty JSON
 * with a newline). *out_failed: the exit code is 1. Only a failure to do the work is an error. */
OG_NODISCARD og_status og_lint(const og_catalog *catalog, const og_lint_input *input, bool json,
                               og_buf *out, bool *out_failed, og_error *err);

#endif
