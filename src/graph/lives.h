/* graph/lives - can commits of a branch that was merged still be in a history?
 *
 * A merge names the life of the branch that it took (og_graph__op). When that life is over, its
 * commits are in no history: main has only its own, and who inherited them keeps the branch from
 * being deleted. Where one was made of it beside the delete all the same, its ref names the life.
 *
 * The branches are listed, and their refs read, at the first question about a life that is not
 * known to go on. */
#ifndef OG_GRAPH_LIVES_H
#define OG_GRAPH_LIVES_H

#include "base/arena.h"
#include "base/map.h"
#include "graph/repo.h"
#include "lance/table/branch.h"

/* Begins as {.repo = repo}. For one thread at a time. */
typedef struct og_graph__lives {
    const og_repo *repo; /* borrowed */
    og_strmap *ids;      /* of lives that go on, or were inherited from; NULL = none yet */
    bool is_listed;      /* those of all branches are among them */
    bool is_unsure;      /* some could not be read */
} og_graph__lives;
void og_graph__lives_deinit(og_graph__lives *lives);

/* The life of this ref, and those that it inherited from, are not over, even if the branch is
 * deleted from now on: somebody has its history. */
OG_NODISCARD og_status og_graph__lives_add(og_graph__lives *lives, const og_lance_ref *ref,
                                           og_error *err);

/* *out: no branch has this id, or was made of one that had. False when that can't be told. */
OG_NODISCARD og_status og_graph__life_is_over(og_graph__lives *lives, og_str id, bool *out,
                                              og_error *err);

#endif
