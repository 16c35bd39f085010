/* lance/table/evolve - other columns in the same rows: added, dropped, renamed, of another type.
 *
 * The write's op is OG_LANCE_EVOLVE; changes are collected in order, then staged. Dropping, renaming
 * and adding a column of nulls touch no data file. Values are written as new files beside those of
 * each fragment. A column that is added or changes its type gets ids that the table never had, so
 * old files never speak for it. Indices of columns that are dropped or change their type are
 * dropped. Top-level columns only. */
#ifndef OG_LANCE_EVOLVE_H
#define OG_LANCE_EVOLVE_H

#include "lance/table/write.h"

/* OG_NOT_FOUND no such column; OG_INVALID the last one. */
OG_NODISCARD og_status og_lance_write_drop_field(og_lance_write *write, og_str name, og_error *err);
/* OG_EXISTS the new name is taken. */
OG_NODISCARD og_status og_lance_write_rename_field(og_lance_write *write, og_str from, og_str to,
                                                   og_error *err);
/* Behind the others: null in every row, or filled below. The name and type are copied. */
OG_NODISCARD og_status og_lance_write_add_field(og_lance_write *write,
                                                const og_lance_new_field *field, og_error *err);
/* In the place of column `name`, which may keep its name: filled below. */
OG_NODISCARD og_status og_lance_write_retype_field(og_lance_write *write, og_str name,
                                                   const og_lance_new_field *field, og_error *err);

/* Values of all columns added or retyped, in order of those calls, for the next slots of base (deleted
 * rows are slots too). After the first call no more columns can be changed. Staging fails unless
 * all slots, or none, got values, and when a column that must not be null got none. Streams. */
OG_NODISCARD og_status og_lance_write_fill(og_lance_write *write, const og_batch *batch,
                                           og_error *err);

#endif
