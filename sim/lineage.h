/* sim/lineage - the commits that were published, and which of them two branches have in common. */
#ifndef SIM_LINEAGE_H
#define SIM_LINEAGE_H

#include "sim.h"

/* Index of the commit with this id; -1 = none. */
int sim_commit_find(const sim_world *w, og_str id);
/* Remember a commit and the state it left; its index. */
int sim_commit_add(sim_world *w, og_str id, og_str parent, og_str merged_parent,
                   const sim_state *state);
/* Is `older` the commit itself, or one that it came from? */
bool sim_commit_is_in(const sim_world *w, int older, int commit);
/* Common ancestors of both that are no ancestor of another one; at most `cap` are written. With
 * them those that are such as far as the branches that there are know: a branch that is deleted
 * takes its commits along, and a merge can lead to them. */
int sim_merge_bases(const sim_world *w, int a, int b, int *out, int cap);

#endif
