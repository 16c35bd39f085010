/* graph/place - the absolute paths by which the reference finds tables: `manifest_path` in the rows
 * of `__manifest`. We write them for its sake, but derive places from the layout ourselves, so that
 * a graph may be moved. The reference would then still follow the old paths (relocate.h). */
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

/* The pins of `state` whose rows in `manifest` have a wrong path. One scan of `manifest`. */
OG_NODISCARD og_status og_graph__places_read(og_repo *repo, og_lance_table *manifest,
                                             const og_graph__state *state, og_graph__places *out,
                                             og_error *err);
/* Are the base paths in the table's manifest right? Branches have bases, which say where inherited
 * files are. The reference writes relative paths when it was given one, which only lead anywhere
 * from the folder it ran in; `accept_relative` lets them pass. */
bool og_graph__bases_are_right(const og_repo *repo, const og_lance_table *table,
                               bool accept_relative);

#endif
