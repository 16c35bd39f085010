/* graph/aftermath - step S4 of a commit, which follows its acknowledgement (docs/dev/commit.md, section 2).
 *
 * The sidecar goes, the commit DAG gets its rows, the head file is written. All of it is derived: errors are
 * passed over, and the next writer adds what is missing. */
#ifndef OG_GRAPH_AFTERMATH_H
#define OG_GRAPH_AFTERMATH_H

#include "graph/commit.h"
#include "graph/dag.h"

/* Do it, or have it done later (later.h): nothing is borrowed from the commit, which made `published`. Takes
 * over the DAG and the name of the sidecar, NULL when there is none. False, and nothing is done or taken, when out of
 * memory. */
bool og_graph__aftermath(og_repo *repo, og_snapshot *published, const og_graph__commit *commit,
                         og_graph__dag *dag, char **sidecar_name);

#endif
