/* lance/table/indices - the index section of a version: which segments of which indexes exist.
 *
 * An index is one or more segments of one name, each with files of its own in `_indices/<uuid>/`
 * and the set of fragments it covers (docs/dev/lance.md section 16). A segment's entries hold
 * stable row ids. A hit counts only when its row lives in a fragment that the segment covers; rows
 * in fragments that no segment covers are found by a scan. So an old segment never makes an answer
 * wrong. */
#ifndef OG_LANCE_INDICES_H
#define OG_LANCE_INDICES_H

#include "base/arena.h"
#include "base/id.h"
#include "lance/file/reader.h"
#include "lance/table/write.h"

/* One segment, as a version lists it. */
typedef struct og_lance_index {
    og_uuid uuid;
    og_str name; /* of the index; several segments may share it */
    /* "BTree", "Inverted", "Vector", ...; with its package when that is not
     * Lance's own; "" = not stated. */
    og_str kind;
    const int32_t *field_ids;
    uint32_t field_count;
    const uint32_t *fragments; /* ids of covered fragments, ascending; some may be gone */
    uint32_t fragment_count;
    uint64_t dataset_version; /* on which it was built */
    uint64_t bytes;           /* of its files; 0 = not stated */
    const char *folder;       /* "<dataset>/_indices/<uuid>/" in the store */
} og_lance_index;

/* All segments in stored order; everything lives in `arena`. OG_CORRUPT a damaged section. */
OG_NODISCARD og_status og_lance_indices(const og_lance_table *table, og_arena *arena,
                                        const og_lance_index **out, uint32_t *out_count,
                                        og_error *err);
/* The segments of a table without stable row ids, whose entries are row addresses. Only for showing
 * them: no write carries them on, and nothing here looks rows up in them. */
OG_NODISCARD og_status og_lance_address_indices(const og_lance_table *table, og_arena *arena,
                                                const og_lance_index **out, uint32_t *out_count,
                                                og_error *err);
/* Does the segment cover the fragment with this id? */
bool og_lance_index_covers(const og_lance_index *index, uint64_t fragment_id);

/* ---- changes, in a write of OG_LANCE_INDEX ------------------------------------------------- */

typedef struct og_lance_new_index {
    og_uuid uuid;
    og_str name, kind;
    int32_t field_id;
    const uint32_t *fragments; /* ascending */
    uint32_t fragment_count;
    int32_t version;               /* of its files' layout */
    const char *const *file_names; /* within its folder */
    const uint64_t *file_bytes;
    uint32_t file_count;
} og_lance_new_index;

/* The version that the write is built on; borrowed. */
og_lance_table *og_lance_write_base(const og_lance_write *write);
/* A uuid for a segment, from the write's source of randomness. */
og_uuid og_lance_write_new_uuid(const og_lance_write *write);
/* Append the name of the folder for a new segment's files: "<table>/_indices/<uuid>/". */
bool og_lance_index_folder(og_buf *out, const og_lance_write *write, og_uuid uuid);
/* Add a segment, whose files are in the store already. They become files of the write: synced with
 * it, and removed when it does not come true. `index` is copied. OG_EXISTS when an index on another
 * column has the name. */
OG_NODISCARD og_status og_lance_write_add_index(og_lance_write *write,
                                                const og_lance_new_index *index, og_error *err);
/* Drop all segments of an index. OG_NOT_FOUND when there is none of the name. */
OG_NODISCARD og_status og_lance_write_drop_index(og_lance_write *write, og_str name, og_error *err);

/* The value of a key in the schema metadata of a file, in `arena`; ptr NULL when there is none. */
OG_NODISCARD og_status og_lance_file_metadata(og_lance_file *file, og_str key, og_arena *arena,
                                              og_str *out, og_error *err);

/* The Schema message for the head of a data file that belongs to no table (an index file). */
OG_NODISCARD og_status og_lance_schema_message(const og_lance_new_field *fields,
                                               uint32_t field_count, const og_lance_kv *metadata,
                                               uint32_t metadata_count, og_buf *out, og_error *err);

#endif
