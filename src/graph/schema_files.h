/* graph/schema_files - the three files that say what a graph's types are.
 *
 * `_schema.pg` is the source, `_schema.ir.json` its canonical form, `__schema_state.json` the
 * SHA-256 of that form. On each open the source is compiled again and its hash compared: spacing
 * and comments may differ, meaning may not. */
#ifndef OG_GRAPH_SCHEMA_FILES_H
#define OG_GRAPH_SCHEMA_FILES_H

#include "lang/catalog.h"
#include "store/store.h"

/* Read, compile and compare. *out_source holds the text. OG_NOT_FOUND when there is no source. */
OG_NODISCARD og_status og_graph__schema_open(og_store *store, og_buf *out_source, og_catalog **out,
                                             og_error *err);

/* Does `__schema_state.json` still name this catalog? OG_CONFLICT when another
 * program changed the schema. */
OG_NODISCARD og_status og_graph__schema_unchanged(og_store *store, const og_catalog *catalog,
                                                  og_error *err);

/* The same, and nobody is changing the schema right now: the reference holds a branch as a lock
 * while it does. */
OG_NODISCARD og_status og_graph__schema_idle(og_store *store, const og_catalog *catalog,
                                             og_error *err);
/* Announce a call of og_graph__schema_idle (og_store_expect). */
void og_graph__schema_expect(og_store *store);

/* Append the text of `__schema_state.json`; false when out of memory. */
bool og_graph__schema_state(og_buf *out, const og_catalog *catalog);
/* Write the three files of a new graph and make them durable.
 * `ir` is the canonical form of `source`. */
OG_NODISCARD og_status og_graph__schema_write(og_store *store, og_str source, og_str ir,
                                              const og_catalog *catalog, og_error *err);

#endif
