/* lance/table/tag - making and deleting tags: names of versions, which a cleanup leaves alone. */
#ifndef OG_LANCE_TAG_H
#define OG_LANCE_TAG_H

#include "lance/table/table.h"

/* OG_INVALID unless the name is one that Lance allows: letters, digits and . - _; no "..",
 * no dot at either end, not ending in ".lock". */
OG_NODISCARD og_status og_lance_tag_check_name(og_str name, og_error *err);
/* Give the version of `table` the tag `name`. `path` is the dataset's,
 * `branch` the table's branch ("" = main). OG_EXISTS: the tag is taken. */
OG_NODISCARD og_status og_lance_tag_create(og_store *store, const char *path, og_str branch,
                                           const og_lance_table *table, og_str name, og_error *err);
/* OG_NOT_FOUND: there is no such tag. */
OG_NODISCARD og_status og_lance_tag_delete(og_store *store, const char *path, og_str name,
                                           og_error *err);

#endif
