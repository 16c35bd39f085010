/* graph/later - what may follow an acknowledgement: derived files, and leftovers to be removed.
 *
 * It is done at once, unless the store is far away (store/far.h) or waits for a disk: then a thread
 * of the repo does one piece after the other, while the caller goes on. Whoever looks at the
 * results waits for them first (og_graph__later_wait). */
#ifndef OG_GRAPH_LATER_H
#define OG_GRAPH_LATER_H

#include "graph/repo.h"

/* A piece of work; frees the context, and keeps its errors to itself. */
typedef void (*og_graph__later_fn)(void *context);
/* Run it now or, when the store is far away, on the repo's thread. */
void og_graph__later(og_repo *repo, og_graph__later_fn run, void *context);

/* The same, but on the repo's thread also when the store waits for a disk (store/store.h): from the
 * second call on, as a process that commits only once would just have to wait for the thread.
 * Unless the store is far away it first waits for what was handed over before. */
void og_graph__beside(og_repo *repo, og_graph__later_fn run, void *context);

/* Wait until everything handed over before is done. */
void og_graph__later_wait(og_repo *repo);

#endif
