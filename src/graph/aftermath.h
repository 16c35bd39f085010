/* graph/aftermath - step S4 of a commit, after its acknowledgement (docs/dev/commit.md section 2):
 * the sidecar is removed, the commit DAG gets its rows, the head file is written. All of this is
 * derived: errors are passed over, and the next writer adds what is missing. */
#ifndef OG_GRAPH_AFTERMATH_H
#define OG_GRAPH_AFTERMATH_H

#include "graph/commit.h"
#include "graph/dag.h"

/* Do S4 of `commit`, which made `published`, now or later (later.h). Nothing is borrowed from the
 * commit. Takes over the DAG and the name of the sidecar (NULL: there is none). False when out of
 * memory: then nothing is done or taken over. */
bool og_graph__aftermath(og_repo *repo, og_snapshot *published, const og_graph__commit *commit,
                         og_graph__dag *dag, char **sidecar_name);

#endif
