/* exec/groups_priv - numbers for groups of equal values.
 *
 * An open-addressing table from a hash of the group columns to the number of the group. Groups are
 * numbered as they first occur; null is a value of its own, floats are equal when their bits order
 * equal (og_rows_equal). The values of new groups are taken out of each batch into a piece.
 *
 * One group column - the common case - is reduced to short keys first: two words and a length that
 * hold any fixed-width value and text up to 16 bytes exactly, so that finding a group touches no
 * array. Longer text has its hash there and is compared as well. */
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
