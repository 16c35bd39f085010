/* lance/table/delta_priv - which fragments of two versions are equal.
 *
 * Fragments are told by the names of their data files, never by their numbers, which an overwrite may
 * give again. */
#ifndef OG_LANCE_TABLE_DELTA_PRIV_H
#define OG_LANCE_TABLE_DELTA_PRIV_H

#include "lance/table/table_priv.h"

#define OG_TABLE__NO_MATCH UINT32_MAX

/* Of one version; arrays have an entry for each of its fragments. */
typedef struct og_table__matches {
    uint32_t *partner; /* the other version's fragment with equal files and row ids, or NO_MATCH */
    bool *is_alien;    /* holds other columns than its rows have in the other version: neither files
                          nor stamps say whether they read the same. Never has a partner */
} og_table__matches;

/* Both are to be deinited, also after an error. */
OG_NODISCARD og_status og_table__match_fragments(const og_lance_table *from,
                                                 const og_lance_table *to,
                                                 og_table__matches *out_from,
                                                 og_table__matches *out_to, og_error *err);
void og_table__matches_deinit(og_table__matches *matches);

#endif
