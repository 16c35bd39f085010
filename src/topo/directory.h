/* topo/directory - from an id (text) to a vertex, for one node table.
 *
 * A hash directory of the `id` column: open addressing over {tag, vertex}, where the tag is 16 bits
 * of the id's XXH3-64 and the vertex is the row id, in as few bits as the largest takes. A hit is
 * compared with the stored text, so equal tags are harmless.
 *
 * Row ids survive updates, folds and moves, so a directory stays right for every later version of
 * the same epoch (og_topo_epoch): rows added since have ids at or above its next_row_id and are
 * found in the few fragments that hold such ids; removed rows have no slot. Derived state, which
 * may vanish at any time. Immutable, counted. */
#ifndef OG_TOPO_DIRECTORY_H
#define OG_TOPO_DIRECTORY_H

#include "lance/table/table.h"

#define OG_NO_VERTEX UINT32_MAX

typedef struct og_directory og_directory;

/* The epoch of a table version: as long as it stays equal, row ids keep their meaning. It is the
 * transaction property "og.epoch", which our commits carry from version to version (new after an
 * overwrite or a restore), or, on a version another program wrote, the uuid of its transaction.
 * Borrowed from the table. */
og_str og_topo_epoch(const og_lance_table *table);

/* Read the ids of all live rows of `table` (needs next_row_id < 2^32: OG_UNSUPPORTED above). */
OG_NODISCARD og_status og_directory_build(og_lance_table *table, og_directory **out, og_error *err);
/* A directory for `table` from one of an earlier version of the same epoch:
 * reads only the fragments with newer row ids. */
OG_NODISCARD og_status og_directory_extend(og_directory *base, og_lance_table *table,
                                           og_directory **out, og_error *err);
og_directory *og_directory_ref(og_directory *directory);
void og_directory_unref(og_directory *directory);
OG_DEFINE_AUTO(og_directory, og_directory_unref)

/* Vertices of `count` ids in the version `table` (of the directory's epoch);
 * OG_NO_VERTEX when absent. Reads the ids of candidates to compare them. */
OG_NODISCARD og_status og_directory_find(og_directory *directory, og_lance_table *table,
                                         const og_str *ids, size_t count, uint32_t *out_vertices,
                                         og_error *err);

/* Are there two live rows with one id, as far as is known? It gives one vertex for an id, so the
 * caller must then scan instead. Asked after a find, it is known of all ids that were looked for. */
bool og_directory_has_duplicates(const og_directory *directory);
/* Version and next_row_id of the table it was made from. */
uint64_t og_directory_version(const og_directory *directory);
uint64_t og_directory_next_row_id(const og_directory *directory);
/* Bytes of memory it holds. */
size_t og_directory_bytes(const og_directory *directory);

#endif
