/* lance/table/compact - the same rows in fewer, larger fragments, without the deleted ones.
 *
 * The plan follows Lance's own (its CompactionOptions): a fragment of which more than a tenth is
 * deleted is rewritten; neighbours below the target size, covered by the same indices, are joined;
 * long stretches are cut into bins that hold at least the target each. Rows keep their ids, and the
 * versions that created and last updated them. New fragments get new ids, so rewritten rows come
 * after all others; among themselves they keep their order. Index segments whose entries are row
 * ids are made to cover the new fragments; others are dropped in the same version. */
#ifndef OG_LANCE_COMPACT_H
#define OG_LANCE_COMPACT_H

#include "lance/table/write.h"

typedef struct og_lance_compact_options {
    uint32_t target_rows;      /* of a fragment; 0 = 1,048,576, which is also the maximum */
    double deletion_threshold; /* share of deleted rows that is left alone; 0 = 0.1, < 0 = none */
} og_lance_compact_options;

typedef struct og_lance_compact_stats {
    uint32_t fragments_removed, fragments_added;
    uint64_t rows; /* rewritten */
} og_lance_compact_stats;

/* How many fragments a compaction would replace; 0: there is nothing to do. `options` NULL =
 * defaults. */
OG_NODISCARD og_status og_lance_compact_count(og_lance_table *table,
                                              const og_lance_compact_options *options,
                                              uint32_t *out, og_error *err);
/* Write the new fragments into a write of op OG_LANCE_COMPACT; to be called once, before staging.
 * Memory is bounded by pages. */
OG_NODISCARD og_status og_lance_write_compact(og_lance_write *write,
                                              const og_lance_compact_options *options,
                                              og_lance_compact_stats *out, og_error *err);

#endif
