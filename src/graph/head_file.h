/* graph/head_file - `_omnigraph/head-<branch>.json`: the state of the newest version of a branch's
 * `__manifest`, so that its rows need not be read (docs/dev/storage.md). Derived: a file that is
 * torn, old, or of an earlier branch of the name is passed over. */
#ifndef OG_GRAPH_HEAD_FILE_H
#define OG_GRAPH_HEAD_FILE_H

#include "graph/state.h"

/* Versions known to exist, from which newer ones are looked for; 0 = none known. */
typedef struct og_graph__hints {
    uint64_t manifest, commits, actors; /* of `__manifest` and the two tables of the DAG */
} og_graph__hints;

/* The hints in the head file `name`; all 0 when there is none or its sum does not fit.
 * *out_bytes keeps the file's content for og_graph__state_from_head. */
og_graph__hints og_graph__head_hints(og_store *store, const char *name, og_buf *out_bytes);
/* The state in a head file, when it agrees with `manifest`; NULL in *out when it does not. */
OG_NODISCARD og_status og_graph__state_from_head(og_str head, og_lance_table *manifest,
                                                 og_graph__state **out, og_error *err);
/* Write the head file; failures are ignored (it is derived). */
void og_graph__head_write(og_store *store, const char *name, const og_graph__state *state,
                          og_str transaction_uuid, const og_graph__hints *hints);

#endif
