/* lance/table/take_priv - reading rows of one fragment, shared by scan and take. */
#ifndef OG_LANCE_TABLE_TAKE_PRIV_H
#define OG_LANCE_TABLE_TAKE_PRIV_H

#include "lance/table/table_priv.h"

/* Announce that `count` rows of these fields, from `start` on,
 * will be read by ranges (og_lance_file_read_ahead). */
void og_table__read_ahead(og_lance_table *table, uint32_t fragment, const uint32_t *fields,
                          uint32_t field_count, uint32_t start, uint32_t count);
/* Rows [start, start + count) of a field in a fragment; null when no file has it. */
OG_NODISCARD og_status og_table__read_range(og_lance_table *table, uint32_t fragment,
                                            uint32_t field, uint32_t start, uint32_t count,
                                            og_array **out, og_error *err);
/* The same as codes (og_lance_coded), for rows up to the end of their page; out->count 0:
 * these rows have no codes, read them by og_table__read_range. */
OG_NODISCARD og_status og_table__read_codes(og_lance_table *table, uint32_t fragment,
                                            uint32_t field, uint32_t start, uint32_t count,
                                            uint32_t *out_codes, og_lance_coded *out,
                                            og_error *err);

#endif
