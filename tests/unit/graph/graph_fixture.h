/* A small graph on a memory store, for the tests of this folder: two node types and an edge type,
 * and rows written straight through transactions. */
#ifndef GRAPH_FIXTURE_H
#define GRAPH_FIXTURE_H

#include "graph/history.h"
#include "graph/txn.h"
#include "store/memory.h"
#include "store/wrap.h"

/* A clock that stands until it is moved, or somebody waits;
 * or goes on by `step_us` each time it is read. */
typedef struct fixture_clock {
    og_clock clock;
    int64_t now_us, step_us;
} fixture_clock;
void fixture_clock_init(fixture_clock *clock);

/* A new graph of node types A and B (`name: String @key`) and edge type E from A to B. */
void fixture_init(og_store *store, const fixture_clock *clock);
og_repo *fixture_open(og_store *store, const fixture_clock *clock);
/* The same; histories are read in windows that begin with so many rows of `__manifest`. */
og_repo *fixture_open_window(og_store *store, const fixture_clock *clock, size_t history_rows);

/* Such a graph in a memory store, and its clock; open. */
typedef struct fixture_world {
    og_store *store;
    fixture_clock clock;
    og_repo *repo;
} fixture_world;
void fixture_world_init(fixture_world *w);
void fixture_world_deinit(fixture_world *w);

/* Append one row with this id to a node table of the transaction. */
og_status fixture_append(og_txn *txn, const char *type, const char *id, og_error *err);
/* One commit that appends a row with this id to A and to B, or to one of them. */
og_status fixture_write_both(og_repo *repo, const char *id, og_error *err);
og_status fixture_write(og_repo *repo, const char *type, const char *id, og_error *err);

/* The same on a branch; type NULL: both. */
og_status fixture_write_on(og_repo *repo, const char *branch, const char *type, const char *id,
                           og_error *err);

/* Can the branch be read? */
bool fixture_has_branch(og_repo *repo, const char *name);

/* og_history_commits, _head and _find, which must not fail. */
const og_commit_info *fixture_commits(og_history *history, size_t *out_count);
const og_commit_info *fixture_head(og_history *history);
const og_commit_info *fixture_find(og_history *history, og_str id);

/* Rows of a type as `__manifest` counts them, and as a scan finds them.
 * Fails the test when they differ. */
uint64_t fixture_count(og_repo *repo, const char *type);
uint64_t fixture_count_on(og_repo *repo, const char *branch, const char *type);

#endif
