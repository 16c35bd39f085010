/* lance/index/btree_priv - names and numbers that both sides of a BTREE share. */
#ifndef OG_LANCE_INDEX_BTREE_PRIV_H
#define OG_LANCE_INDEX_BTREE_PRIV_H

#define OG_INDEX__DATA "page_data.lance"
#define OG_INDEX__LOOKUP "page_lookup.lance"
#define OG_INDEX__PAGE_ROWS 4096
#define OG_INDEX__PAGE_ROWS_TEXT "4096"
#define OG_INDEX__PAGE_ROWS_KEY "batch_size"
/* Most segments of one index; each adds its share to the cost of a lookup. */
#define OG_INDEX__MAX_SEGMENTS 4

#include "lance/index/btree.h"

struct og_lance_btree {
    og_type type;
    og_field values_field, ids_field; /* of page_data */
    og_lance_file *data;
    og_array *min, *max, *nulls, *numbers; /* of page_lookup */
    uint64_t page_rows;
};

/* Rows [start, start + count) of a column of one of the files. */
OG_NODISCARD og_status og_index__read_column(og_lance_file *file, uint32_t leaf,
                                             const og_type *type, uint64_t start, uint64_t count,
                                             og_array **out, og_error *err);
/* Is the slot in a fragment that the segment covers? */
bool og_index__is_covered(const og_lance_table *table, const og_lance_index *index, uint32_t slot);
/* The highest row id of a segment. Reads the ids of all its pages. */
OG_NODISCARD og_status og_index__highest_row_id(og_lance_btree *btree, uint64_t *out,
                                                bool *out_has_rows, og_error *err);

#endif
