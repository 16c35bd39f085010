/* graph/lives - is a branch that was merged still there?
 *
 * A merge names the life of the branch that it took (og_graph__op). When that life is over, its
 * commits are in no history: main has only its own, and who inherited them would keep the branch
 * from being deleted.
 *
 * The branches are listed at the first question, and each ref is read once at most. */
#ifndef OG_GRAPH_LIVES_H
#define OG_GRAPH_LIVES_H

#include "base/arena.h"
#include "base/map.h"
#include "graph/repo.h"

/* Begins as {.repo = repo}. For one thread at a time. */
typedef struct og_graph__lives {
    const og_repo *repo; /* borrowed */
    og_arena *arena;
    og_strmap *branches; /* name -> index into ids; NULL: not listed yet */
    og_str *ids;         /* "" = not read yet, or can't be */
} og_graph__lives;
void og_graph__lives_deinit(og_graph__lives *lives);

/* *out: no branch of this name has this id. False when that can't be told. */
OG_NODISCARD og_status og_graph__life_is_over(og_graph__lives *lives, og_str branch, og_str id,
                                              bool *out, og_error *err);

#endif
