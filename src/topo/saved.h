/* topo/saved - directories and topologies as files under `_omnigraph/`.
 *
 * Derived state: one file per table (the newest kept), replaced whole, never synced. Little-endian, read
 * in place when the store maps objects:
 *
 *   offset  size
 *   0       8      magic "OGDIR01\n" or "OGTOPO1\n"
 *   8       4      header length h (JSON), 4 bytes 0
 *   16      h      header: key (path, version, epochs, next_row_id, max_fragment_id), counts,
 *                  section sizes and XXH3-64 sums
 *   then    the sections, each 64-aligned
 *
 * Directory: sections `sums` (u64 per block of 8,192 places) and `places` (u64 each); a block's sum is
 * checked when it is first touched, so that a lookup reads one block. Topology: out.offsets,
 * in.offsets, out.targets, out.edges, in.targets, in.edges (u32 each), one sum, checked at load; offsets
 * must be monotone and targets below the vertex counts. A file that does not fit in any way is ignored. */
#ifndef OG_TOPO_SAVED_H
#define OG_TOPO_SAVED_H

#include "topo/directory_priv.h"
#include "topo/topology_priv.h"

/* The saved directory of a table, when there is one of this epoch made at `version` or earlier; else NULL. */
og_directory *og_topo__load_directory(og_store *store, const og_lance_table *table);
/* Save a directory that has no root. Failing is no error. */
void og_topo__save_directory(og_store *store, const og_directory *directory,
                             const og_lance_table *table);

/* It is going to be asked for, of the table at a path. */
void og_topo__expect_directory(og_store *store, const char *path);

/* The saved topology of the wanted edge table and epochs, at its version or an earlier one; else NULL. */
og_topology *og_topo__load_topology(og_store *store, const og_topo__key *wanted);
void og_topo__save_topology(og_store *store, const og_topology *topology);

#endif
