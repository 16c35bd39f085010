/* exec/groups_priv - numbers for groups of equal values.
 *
 * An open-addressing table from a hash of the group columns to the number of the group. Groups are
 * numbered in order of their first row. Null is a value of its own; values are equal as in
 * og_rows_equal. From each batch the values of its new groups are copied into arrays, a "piece".
 *
 * With a single group column, the common case, values are first turned into short keys:
 * two words and a length, which hold any fixed-width value and any text of up to 16
 * bytes, so that finding a group touches no array. The key of a longer text is its hash,
 * and the text is compared as well. */
#ifndef OG_EXEC_GROUPS_PRIV_H
#define OG_EXEC_GROUPS_PRIV_H

#include "exec/run_priv.h"

typedef struct og_exec__short_key {
    uint64_t a, b;
    uint64_t length; /* bytes; UINT64_MAX = null */
} og_exec__short_key;

/* Where a group's values are: which piece, which row of it. */
typedef struct og_exec__group {
    uint32_t piece, row;
    uint64_t hash;
    og_exec__short_key key; /* one column only */
} og_exec__group;

typedef struct og_exec__groups {
    og_exec *x;
    uint32_t key_count;
    uint32_t count; /* groups */
    OG_VEC(og_exec__group) items;
    OG_VEC(og_array *) pieces; /* key_count arrays a piece */
    uint32_t *table;           /* group + 1, 0 = free */
    uint32_t mask;
    /* by row of the batch at hand */
    uint64_t *hashes;
    og_exec__short_key *keys; /* NULL with several columns */
    uint32_t *new_rows;
} og_exec__groups;

OG_NODISCARD og_status og_exec__groups_init(og_exec__groups *groups, og_exec *x, uint32_t key_count,
                                            og_error *err);
void og_exec__groups_deinit(og_exec__groups *groups);
/* The group of each of `count` rows. After an error only deinit. */
OG_NODISCARD og_status og_exec__groups_find(og_exec__groups *groups, og_array *const *columns,
                                            uint32_t count, uint32_t *out, og_error *err);
/* The values of one group column, by group. */
OG_NODISCARD og_status og_exec__groups_values(const og_exec__groups *groups, uint32_t key,
                                              const og_type *type, og_array **out, og_error *err);

#endif
