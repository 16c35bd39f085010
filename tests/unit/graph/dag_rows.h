/* Rows of the commit DAG's data sets as the reference writes them, from text. */
#ifndef DAG_ROWS_H
#define DAG_ROWS_H

#include "graph/repo.h"

/* Append rows to `_graph_commits.lance` (of main): one a line,
 * "id version time parent merged branch", "-" for none. */
void dag_rows_append(og_repo *repo, const char *lines);
/* The same for the actors' table: "id actor". */
void dag_rows_append_actors(og_repo *repo, const char *lines);

#endif
