/* graph/history_priv - a history while it is read (history_*.c). */
#ifndef OG_GRAPH_HISTORY_PRIV_H
#define OG_GRAPH_HISTORY_PRIV_H

#include "base/map.h"
#include "base/vec.h"
#include "graph/history.h"
#include "graph/repo_priv.h"

/* A row of the commit DAG. */
typedef struct og_graph__dag_row {
    uint64_t version;
    uint32_t slot;
} og_graph__dag_row;

/* What is known is a window of versions: all commits above `unread`, in their order. It grows by
 * lower versions, so commits of one version, whose order depends on each other, come together. */
struct og_history {
    og_arena *arena;               /* commits and their text */
    og_strmap *ids;                /* id -> place in `line`, then in `fresh`; borrows its keys */
    OG_VEC(og_commit_info *) line; /* newest first */
    og_commit_info *all;           /* the same in one piece, oldest first; NULL until asked for */
    uint64_t unread;               /* no commit of a higher version is missing */
    bool is_whole;                 /* ... nor of any other */
    size_t step;                   /* rows of `__manifest` to be read next */

    og_repo *repo;            /* borrowed */
    og_graph__branch *branch; /* borrowed from the repo */
    char branch_id[OG_GRAPH__BRANCH_ID + 1];
    uint64_t newest; /* no commit of a later version is taken from the DAG */
    og_lance_table *manifest;
    uint32_t manifest_end; /* its rows from this slot on are read */
    bool is_ordered;       /* its rows stand in the order of their versions */
    og_lance_table *dag;   /* NULL: there is none that can be read */
    OG_VEC(og_graph__dag_row) dag_rows;
    bool has_actors;
    og_strmap *actors; /* commit -> index into actor_names, plus 1 */
    OG_VEC(og_str) actor_names;

    /* While a window is read. */
    og_arena *scratch;
    OG_VEC(og_commit_info) fresh;
    bool is_contradicted; /* by a row that belongs into what was read before */
};

/* Look which rows there are, before anything else. */
OG_NODISCARD og_status og_graph__history_begin(og_history *h, og_error *err);
/* Collect the commits of the next window in `fresh`, from so many rows of `__manifest` or more. */
OG_NODISCARD og_status og_graph__history_read(og_history *h, size_t rows, og_error *err);
/* Put what was collected in order and behind the line. */
OG_NODISCARD og_status og_graph__history_place(og_history *h, og_error *err);

#endif
