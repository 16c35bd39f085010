/* lance/table/tag - making and dropping tags: names of versions that a cleanup leaves alone. */
#ifndef OG_LANCE_TAG_H
#define OG_LANCE_TAG_H

#include "lance/table/table.h"

/* Letters, digits and . - _; no "..", no dot at either end, not ending in ".lock". OG_INVALID. */
OG_NODISCARD og_status og_lance_tag_check_name(og_str name, og_error *err);
/* Name the version of `table`. `path` is the dataset's, `branch` that of the table ("" = main).
 * OG_EXISTS. */
OG_NODISCARD og_status og_lance_tag_create(og_store *store, const char *path, og_str branch,
                                           const og_lance_table *table, og_str name, og_error *err);
/* OG_NOT_FOUND. */
OG_NODISCARD og_status og_lance_tag_delete(og_store *store, const char *path, og_str name,
                                           og_error *err);

#endif
