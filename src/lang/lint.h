/* lang/lint - check a query file against a schema and report all that is wrong, as text or JSON. */
#ifndef OG_LANG_LINT_H
#define OG_LANG_LINT_H

#include "base/buf.h"
#include "lang/catalog.h"

/* What to lint. The report names the schema's origin: a file by its path, or a graph by its URI. */
typedef struct og_lint_input {
    og_str query_path;
    og_str query_source;
    bool schema_from_graph;
    og_str schema_path; /* or the graph's URI */
    /* Called for each query with an error, with the place and hint that the report
     * leaves out; may be NULL. (A syntax error shows its place in the report.) The
     * error is borrowed for the call. */
    void (*take_error)(void *context, const og_error *error);
    void *take_context;
} og_lint_input;

/* Lint, and append the report exactly as the reference's `lint` prints it (`json`: pretty JSON with
 * a newline). *out_failed: something is wrong, so the exit code is 1. An error is returned only
 * when linting itself fails. */
OG_NODISCARD og_status og_lint(const og_catalog *catalog, const og_lint_input *input, bool json,
                               og_buf *out, bool *out_failed, og_error *err);

#endif
