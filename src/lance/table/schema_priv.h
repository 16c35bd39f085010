/* lance/table/schema_priv - Lance's field messages from and to our types
 * (docs/dev/lance.md section 3). */
#ifndef OG_LANCE_TABLE_SCHEMA_PRIV_H
#define OG_LANCE_TABLE_SCHEMA_PRIV_H

#include "lance/table/proto_priv.h"
#include "lance/table/write.h"

/* Metadata keys and values of fields. */
#define OG_TABLE__EXTENSION_KEY "ARROW:extension:name"
#define OG_TABLE__BLOB_EXTENSION "lance.blob.v2"
#define OG_TABLE__PRIMARY_KEY "lance-schema:unenforced-primary-key"

/* Messages for new fields, in pre-order with ids from 0. OG_UNSUPPORTED a type Lance has no name
 * for. */
OG_NODISCARD og_status og_table__fields_encode(const og_lance_new_field *fields, uint32_t count,
                                               og_arena *arena, OgPb__Field ***out,
                                               size_t *out_count, og_error *err);

/* OG_INVALID for a name of a top-level column that Lance refuses, or that shadows a column it makes
 * itself: other programs could not read such a table. */
OG_NODISCARD og_status og_table__column_name_check(og_str name, og_error *err);

#endif
