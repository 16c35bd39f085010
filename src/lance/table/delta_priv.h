/* lance/table/delta_priv - which fragments of two versions are equal.
 *
 * Fragments are identified by the names of their data files, never by their numbers, which an
 * overwrite by another program may use again. */
#ifndef OG_LANCE_TABLE_DELTA_PRIV_H
#define OG_LANCE_TABLE_DELTA_PRIV_H

#include "lance/table/table_priv.h"

#define OG_TABLE__NO_MATCH UINT32_MAX

/* How the fragments of one version match those of another; one entry for each fragment. */
typedef struct og_table__matches {
    uint32_t *partner; /* the other version's fragment with equal files and row ids, or NO_MATCH */
    /* The fragment's rows have other columns in the other version, so neither files nor stamps tell
     * whether they read the same. Such a fragment has no partner. */
    bool *is_alien;
} og_table__matches;

/* Match the fragments of both versions. Both outputs are to be deinited, also after an error. */
OG_NODISCARD og_status og_table__match_fragments(const og_lance_table *from,
                                                 const og_lance_table *to,
                                                 og_table__matches *out_from,
                                                 og_table__matches *out_to, og_error *err);
void og_table__matches_deinit(og_table__matches *matches);

#endif
