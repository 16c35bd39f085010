/* topo/saved - directories and topologies as files under `_omnigraph/`.
 *
 * Derived state: one file per table (the newest kept), replaced whole, never synced; beside that of
 * a directory one of what was added to it since (".later"). Little-endian, read in place when the
 * store maps objects:
 *
 *   offset  size
 *   0       8      magic "OGDIR02\n", "OGLATE1\n" or "OGTOPO3\n"
 *   8       4      header length h (JSON), 4 bytes 0
 *   16      h      header: what it was made from (path, version, epochs, next_row_id,
 *                  fragments), counts, widths of numbers and XXH3-64 sums
 *   then    the sections, each 64-aligned
 *
 * Numbers are packed (packed.h). Before them stands a section of sums, one for each block of 8 KiB,
 * which is checked when the block is first touched (summed.h): a lookup reads few blocks.
 * Directory: the places. Topology: for each direction the degrees and the targets, then the numbers
 * and row ids of the edges; their bounds are checked as they are read.
 * A file that does not fit in any way is ignored. */
#ifndef OG_TOPO_SAVED_H
#define OG_TOPO_SAVED_H

#include "topo/directory_priv.h"
#include "topo/topology_priv.h"

/* The saved directory of a table, when there is one of this epoch made at `version` or earlier; else
 * NULL. With the rows that were added later, as far as they were saved. */
og_directory *og_topo__load_directory(og_store *store, const og_lance_table *table);
/* Save a directory that has no root, or that lies upon a saved one. Failing is no error. */
void og_topo__save_directory(og_store *store, const og_directory *directory,
                             const og_lance_table *table);

/* Announce that the saved directory of the table at this path will be loaded (og_store_expect). */
void og_topo__expect_directory(og_store *store, const char *path);

/* The saved topology of the wanted edge table and epochs, made at its version or an earlier one;
 * none of its parts are loaded yet. NULL when there is none that fits. */
og_topology *og_topo__load_topology(og_store *store, const og_topo__key *wanted);
/* Save a topology that was built. Failing is no error. */
void og_topo__save_topology(og_store *store, const og_topology *topology);

#endif
