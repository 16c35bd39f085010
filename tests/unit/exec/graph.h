/* A graph for the engine's tests: real Lance tables in a store in memory, a snapshot over their
 * newest versions, and queries as text. Every failure fails the test. */
#ifndef OG_TEST_EXEC_GRAPH_H
#define OG_TEST_EXEC_GRAPH_H

#include "exec/exec.h"
#include "lang/query.h"
#include "og_test.h"

typedef struct graph graph;

graph *graph_new(const char *schema);
void graph_free(graph *g);

/* Append rows, one version of each table that occurs: {"type":"Person","data":{..}} and
 * {"edge":"knows","from":"a","to":"b","data":{..}}, with white space between. The id is the first
 * key property's text, data.id, or a running number. */
void graph_load(graph *g, const char *rows);
/* Replace the node with this id: its row keeps its row id and moves to the end. */
void graph_update(graph *g, const char *type, const char *id, const char *data);
void graph_delete(graph *g, const char *type, const char *id);
/* A new topology cache, so that nothing is at hand but what is saved. */
void graph_forget(graph *g);
/* The same; from here on what it makes is saved. */
void graph_save_derived(graph *g);

og_snapshot *graph_snapshot(graph *g);
const og_catalog *graph_catalog(graph *g);

/* Rows as JSON arrays, one a line; "error: ..." when the query fails. Borrowed until the next
 * run. */
const char *graph_run(graph *g, const char *query, const char *params,
                      const og_exec_options *options);
/* The same while the allocation after `countdown` more ones fails, from planning on. */
const char *graph_run_failing(graph *g, const char *query, int64_t countdown);
/* EXPLAIN of a query: before it runs, or after it with counts. */
const char *graph_explain(graph *g, const char *query, const char *params, bool run, bool json);
/* The same rows, in this order, whichever method finds the hops. */
void graph_expect(graph *g, const char *query, const char *params, const char *rows);

#define NOW_MS INT64_C(1700000000000)

#endif
