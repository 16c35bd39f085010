/* graph/cleanup - removing versions of tables that nothing needs, and files that nothing names.
 *
 * Graph states that stay, on each branch: the newest one, those that the bounds keep, those with a
 * tag, and those at which two branches were forked or last merged. Of a table the versions stay
 * that one of these states pins, and those that the bounds keep when applied to the table itself.
 * All of `__manifest` stays. A file that nothing names stays until it is seven days old, since it
 * may belong to an operation under way. Before anything else, forks of tables are dropped whose
 * branch is gone.
 *
 * Tables are cleaned one by one: a failure of one is noted and does not stop the others, and a
 * later run goes on where this one ended. */
#ifndef OG_GRAPH_CLEANUP_H
#define OG_GRAPH_CLEANUP_H

#include "graph/repo.h"
#include "lance/table/cleanup.h"

typedef struct og_cleanup_input {
    /* At least one; a version must be beyond both when both are set. */
    bool by_count, by_age;
    uint64_t keep;         /* by_count: versions more than this many behind the newest may go */
    int64_t older_than_us; /* by_age: versions older than this may go */
} og_cleanup_input;

typedef struct og_cleanup_table {
    const og_type_def *def; /* of the repo's catalog */
    og_lance_cleanup_stats removed;
    char *error; /* NULL: it went well */
} og_cleanup_table;

typedef struct og_cleanup_output {
    og_cleanup_table *tables; /* by table key */
    size_t count;
} og_cleanup_output;
void og_cleanup_output_deinit(og_cleanup_output *output);

/* Clean all branches. OG_INVALID without a bound. After an error nothing was
 * removed but orphaned forks. */
OG_NODISCARD og_status og_cleanup_run(og_repo *repo, const og_cleanup_input *input,
                                      og_cleanup_output *out, og_error *err);

#endif
