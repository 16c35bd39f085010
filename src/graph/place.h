/* graph/place - the absolute paths by which the reference finds tables: `manifest_path` in the rows of
 * `__manifest`. We write them for its sake and derive ours from the layout, so that a graph may be moved;
 * the reference then follows the old ones (relocate.h). */
#ifndef OG_GRAPH_PLACE_H
#define OG_GRAPH_PLACE_H

#include "base/vec.h"
#include "graph/repo_priv.h"

/* A pin whose row leads elsewhere. */
typedef struct og_graph__place {
    og_str table_key;
    og_str stored, real; /* without the leading slash */
} og_graph__place;

typedef struct og_graph__places {
    og_graph__place *items;
    size_t len, cap;
    og_arena *arena; /* of the texts */
} og_graph__places;
void og_graph__places_deinit(og_graph__places *places);

/* The pins of `state` whose rows in `manifest` do not lead to them. One scan. */
OG_NODISCARD og_status og_graph__places_read(og_repo *repo, og_lance_table *manifest,
                                             const og_graph__state *state, og_graph__places *out,
                                             og_error *err);
/* Does the table's manifest name its other places, as branches have them, where they are? The reference writes
 * relative ones when it was given a relative path; these lead somewhere from its folder at that time only. */
bool og_graph__bases_are_right(const og_repo *repo, const og_lance_table *table,
                               bool accept_relative);

#endif
