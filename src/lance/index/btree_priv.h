/* lance/index/btree_priv - names and numbers that both sides of a BTREE share. */
#ifndef OG_LANCE_INDEX_BTREE_PRIV_H
#define OG_LANCE_INDEX_BTREE_PRIV_H

#define OG_INDEX__DATA "page_data.lance"
#define OG_INDEX__LOOKUP "page_lookup.lance"
#define OG_INDEX__PAGE_ROWS 4096
#define OG_INDEX__PAGE_ROWS_TEXT "4096"
#define OG_INDEX__PAGE_ROWS_KEY "batch_size"
/* Segments of one index; a lookup costs as much for each. */
#define OG_INDEX__MAX_SEGMENTS 4

#include "lance/index/btree.h"

/* The highest row id of a segment. Reads the ids of all its pages. */
OG_NODISCARD og_status og_index__highest_row_id(og_lance_btree *btree, uint64_t *out,
                                                bool *out_has_rows, og_error *err);

#endif
