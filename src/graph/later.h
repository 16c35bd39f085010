/* graph/later - what may follow an acknowledgement: derived files, and leftovers to be removed.
 *
 * Done at once, unless the store is far away (store/far.h) or waits for a disk: then by a thread of its own, one
 * piece after the other, while the caller goes on. Whoever looks at what they leave waits for them first. */
#ifndef OG_GRAPH_LATER_H
#define OG_GRAPH_LATER_H

#include "graph/repo.h"

/* `run` frees the context. Nobody hears of its errors. */
typedef void (*og_graph__later_fn)(void *context);
void og_graph__later(og_repo *repo, og_graph__later_fn run, void *context);

/* The same where the store waits for a disk (store/store.h), too: from the second time on, as a process that commits
 * once would only have a thread to wait for, and when what was handed over before is done. */
void og_graph__beside(og_repo *repo, og_graph__later_fn run, void *context);

/* Return when all that was handed over before is done. */
void og_graph__later_wait(og_repo *repo);

#endif
