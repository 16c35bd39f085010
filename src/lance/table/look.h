/* lance/table/look - what a version of a table is made of, for tools.
 * All results are borrowed from the table unless said. */
#ifndef OG_LANCE_LOOK_H
#define OG_LANCE_LOOK_H

#include "lance/file/reader.h"
#include "lance/table/table.h"

struct og_arena;

/* ---- files -------------------------------------------------------------------------------- */

typedef struct og_lance_data_file {
    const char *name;         /* in the store */
    uint64_t bytes;           /* 0 = not stated */
    const int32_t *field_ids; /* of the columns; -2: replaced by another file's */
    const int32_t *columns;   /* where each is in the file; -1: nowhere */
    uint32_t column_count;
} og_lance_data_file;

uint32_t og_lance_table_file_count(const og_lance_table *table, uint32_t fragment);
og_lance_data_file og_lance_table_file(const og_lance_table *table, uint32_t fragment,
                                       uint32_t file);
/* Name of the fragment's deletion file in the store; NULL when no row is deleted. */
const char *og_lance_table_deletion_file(const og_lance_table *table, uint32_t fragment);

/* The fields that the descriptor of a data file names. They live in `arena`,
 * their types in `env`. */
OG_NODISCARD og_status og_lance_file_fields(og_lance_env *env, struct og_arena *arena,
                                            og_lance_file *file, og_lance_field **out,
                                            uint32_t *out_count, og_error *err);

/* ---- the manifest ------------------------------------------------------------------------- */

typedef struct og_lance_about {
    uint64_t reader_flags, writer_flags;
    og_str library, library_version; /* of the writer; "" = not stated */
    og_str file_version;             /* of its data files: "2.2" */
    og_str branch;                   /* "" = main */
    const char *operation;           /* of its transaction: "Append"; "" = not known */
    /* False: the row ids that this library gives are slots,
     * and mean something in this version only. */
    bool has_stable_row_ids;
} og_lance_about;
void og_lance_table_about(const og_lance_table *table, og_lance_about *out);

typedef enum og_lance_pairs {
    OG_LANCE_PAIRS_CONFIG,
    OG_LANCE_PAIRS_TABLE_METADATA,
    OG_LANCE_PAIRS_SCHEMA_METADATA,
} og_lance_pairs;
/* Pair `index` of a map; false when there are no more. */
bool og_lance_table_pair(const og_lance_table *table, og_lance_pairs map, size_t index,
                         og_lance_kv *out);

/* Base `index` of the manifest: another place in which files of the table lie;
 * false when there are no more. */
typedef struct og_lance_base {
    uint32_t id;
    og_str name, path;
} og_lance_base;
bool og_lance_table_base(const og_lance_table *table, size_t index, og_lance_base *out);

#endif
