/* lance/table/evolve - other columns in the same rows: added, dropped, renamed, of another type.
 *
 * The write's op is OG_LANCE_EVOLVE; changes are collected in order, then staged. Dropping or
 * renaming a column, and adding one of nulls, touches no data file. Values of new columns are
 * written as new files beside those of each fragment. A column that is added or changes its type
 * gets field ids that the table never used, so no old file can be taken for its values. Indices of
 * columns that are dropped or change their type are dropped. Top-level columns only. */
#ifndef OG_LANCE_EVOLVE_H
#define OG_LANCE_EVOLVE_H

#include "lance/table/write.h"

/* Drop a column. OG_NOT_FOUND: no such column; OG_INVALID: it is the last one. */
OG_NODISCARD og_status og_lance_write_drop_field(og_lance_write *write, og_str name, og_error *err);
/* Rename a column. OG_EXISTS: the new name is taken. */
OG_NODISCARD og_status og_lance_write_rename_field(og_lance_write *write, og_str from, og_str to,
                                                   og_error *err);
/* Add a column behind the others: null in every row unless og_lance_write_fill is called.
 * Name and type are copied. */
OG_NODISCARD og_status og_lance_write_add_field(og_lance_write *write,
                                                const og_lance_new_field *field, og_error *err);
/* Replace column `name` by one of another type, which may have the same name;
 * its values come by og_lance_write_fill. */
OG_NODISCARD og_status og_lance_write_retype_field(og_lance_write *write, og_str name,
                                                   const og_lance_new_field *field, og_error *err);

/* Give values for the next slots of the base (deleted rows are slots, too): a batch with all
 * columns added or retyped, in order of those calls. After the first call no more columns can be
 * changed. Staging fails when only some slots got values, or when none did and a column must not be
 * null. Streams: memory is bounded by pages. */
OG_NODISCARD og_status og_lance_write_fill(og_lance_write *write, const og_batch *batch,
                                           og_error *err);

#endif
