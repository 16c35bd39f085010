/* lance/table/table - one version of a Lance dataset, open for reading.
 *
 * Format: docs/dev/lance.md sections 1-8. A table is immutable and counted: it is the manifest of
 * one version plus whatever files have been opened through it. Files are shared between versions
 * by the environment's cache.
 *
 * Two numbers name a row:
 *   row id  u64, stable for the row's life in this table's lineage. The engine calls it a vertex,
 *           as u32, where next_row_id is below 2^32 (docs/dev/architecture.md)
 *   slot    u32, the row's position in this version: fragments in order, physical offsets, deleted
 *           rows counted */
#ifndef OG_LANCE_TABLE_H
#define OG_LANCE_TABLE_H

#include "base/buf.h"
#include "columnar/array.h"
#include "columnar/mask.h"
#include "store/store.h"

/* What all tables of a graph share: the store; a cache of open files, deletion vectors and decoded
 * columns, bounded by bytes; and the types of all fields. Arrays read through a table borrow their
 * types from here, so they may outlive the table, but not the environment.
 *
 * A column of a file that is read again and again is decoded once as a whole and then served from
 * memory, if it fits (cache_priv.h). This makes point reads fast in a process that lives on. */
typedef struct og_lance_env og_lance_env;
/* Borrows the store. `cache_bytes` 0: nothing is kept beyond what open tables use. */
OG_NODISCARD og_status og_lance_env_new(og_store *store, size_t cache_bytes, og_lance_env **out,
                                        og_error *err);
void og_lance_env_free(og_lance_env *env);
OG_DEFINE_AUTO(og_lance_env, og_lance_env_free)
og_store *og_lance_env_store(og_lance_env *env);
/* How many threads encode what is written, counting the writer's own; shared by all writes. To be
 * called while no write is under way. At first as many as there are processors, up to 4. The
 * threads exist only while large files are being written. */
void og_lance_env_set_threads(og_lance_env *env, unsigned threads);

typedef struct og_lance_kv {
    og_str key;
    og_str value; /* ptr NULL: remove the key (in updates) */
} og_lance_kv;

/* A top-level field of the table. */
typedef struct og_lance_field {
    og_field field; /* name, type, nullable; blob v2 has the stored struct<data, uri> type */
    int32_t id;
    const int32_t *leaf_ids; /* ids of the leaves that own file columns, depth first */
    uint32_t leaf_count;
    uint64_t packed; /* structs stored as one column: og_lance_column */
    /* Lance's name of each type within the field that has no fields of its own, depth first. It
     * tells types apart that we keep as another type of the same bytes: "time64:ns" is a 64-bit
     * integer here, "decimal:128:20:2" and "fixed_size_binary:7" are lists of bytes. */
    const og_str *value_types;
    uint32_t value_type_count;
    bool is_blob;
    bool is_primary_key; /* lance-schema:unenforced-primary-key */
} og_lance_field;

typedef struct og_lance_fragment {
    uint64_t id;
    uint32_t first_slot;
    uint32_t physical_rows;
    uint32_t deleted_rows;
} og_lance_fragment;

typedef struct og_lance_table og_lance_table;

/* Open version `version` (0: the newest) of the dataset at `path` (relative to the store, e.g.
 * "nodes/1a2b"). manifest_bytes: its size when known, else 0. OG_NOT_FOUND no such version;
 * OG_CORRUPT naming file and place; OG_UNSUPPORTED unknown reader feature flags. */
OG_NODISCARD og_status og_lance_table_open(og_lance_env *env, const char *path, uint64_t version,
                                           uint64_t manifest_bytes, og_lance_table **out,
                                           og_error *err);
/* The newest version number. `hint` is a version known to exist, 0 = none; versions above it are
 * probed for, and a listing is the last resort. OG_NOT_FOUND when the dataset has no version. */
OG_NODISCARD og_status og_lance_latest_version(og_lance_env *env, const char *path, uint64_t hint,
                                               uint64_t *out_version, og_error *err);
/* All versions present, ascending; the caller frees *out with og_free. An absent dataset has
 * none. */
OG_NODISCARD og_status og_lance_list_versions(og_lance_env *env, const char *path, uint64_t **out,
                                              size_t *out_count, og_error *err);
/* Put a mark below each hole in the row of versions, as a cleanup does: whoever looks for the
 * newest version from one below a hole on then lists them. For holes that a power loss made. */
OG_NODISCARD og_status og_lance_mark_holes(og_lance_env *env, const char *path, og_error *err);
/* Append "<path>/_versions/<20 digits>.manifest". (Tables of old writers have names of another
 * form, which are read, and kept by writes.) */
bool og_lance_manifest_name(og_buf *out, const char *path, uint64_t version);

og_lance_table *og_lance_table_ref(og_lance_table *table);
void og_lance_table_unref(og_lance_table *table);
OG_DEFINE_AUTO(og_lance_table, og_lance_table_unref)

og_lance_env *og_lance_table_env(const og_lance_table *table);
const char *og_lance_table_path(const og_lance_table *table);
uint64_t og_lance_table_version(const og_lance_table *table);
uint64_t og_lance_table_manifest_bytes(const og_lance_table *table);
const og_lance_field *og_lance_table_fields(const og_lance_table *table, uint32_t *out_count);
int32_t og_lance_table_find_field(const og_lance_table *table, og_str name);
const og_lance_fragment *og_lance_table_fragments(const og_lance_table *table, uint32_t *out_count);
uint64_t og_lance_table_row_count(const og_lance_table *table); /* live rows */
uint64_t og_lance_table_slot_count(const og_lance_table *table);
uint64_t og_lance_table_next_row_id(const og_lance_table *table);
/* Highest fragment id ever used, or -1. */
int64_t og_lance_table_max_fragment_id(const og_lance_table *table);
/* When the version was made, in microseconds since 1970. */
int64_t og_lance_table_timestamp_us(const og_lance_table *table);
/* Uuid of the version's transaction as 36 characters, "" when it has none. */
og_str og_lance_table_transaction_uuid(const og_lance_table *table);
/* A value of transaction_properties, in the copy of the version's transaction that its manifest
 * has; ptr NULL when absent. */
og_str og_lance_table_transaction_property(const og_lance_table *table, og_str key);
/* A value of config, or of schema_metadata; ptr NULL when absent. */
og_str og_lance_table_config(const og_lance_table *table, og_str key);
og_str og_lance_table_schema_metadata(const og_lance_table *table, og_str key);

/* ---- rows --------------------------------------------------------------------------------- */

/* Which slots are deleted: one bit per slot, 1 = deleted; NULL when none is. Borrowed from the
 * table. Deletion vectors are loaded at first use, so the call may read files. */
OG_NODISCARD og_status og_lance_table_deleted(og_lance_table *table, const uint8_t **out_bits,
                                              og_error *err);
/* Row id of each slot. */
OG_NODISCARD og_status og_lance_row_ids(og_lance_table *table, const uint32_t *slots, size_t count,
                                        uint64_t *out_ids, og_error *err);
/* Slot of each row id; UINT32_MAX for ids without a live row. Small requests search
 * the runs of ids; when these have cost as much, an array (or, for sparse ids, a map)
 * from id to slot is built once. */
OG_NODISCARD og_status og_lance_slots_of(og_lance_table *table, const uint64_t *row_ids,
                                         size_t count, uint32_t *out_slots, og_error *err);
/* Do row ids ascend from slot to slot, and outlive their version? Then the rows stand in the order
 * in which they were added, whatever folds and compactions there were. */
OG_NODISCARD og_status og_lance_ids_ascend(og_lance_table *table, bool *out, og_error *err);
/* How many slots have row ids below `row_id`: when ids ascend, those before a certain slot. */
OG_NODISCARD og_status og_lance_slots_below(og_lance_table *table, uint64_t row_id, uint32_t *out,
                                            og_error *err);
/* _row_last_updated_at_version and _row_created_at_version of each slot. */
OG_NODISCARD og_status og_lance_row_versions(og_lance_table *table, const uint32_t *slots,
                                             size_t count, uint64_t *out_updated,
                                             uint64_t *out_created, og_error *err);

struct og_pool; /* base/thread.h */

/* A scan of live rows in slot order, in batches of at most OG_BATCH_ROWS. */
typedef struct og_lance_scan og_lance_scan;
/* `fields`: indices into the table's fields. Slots [start, end); end UINT32_MAX = all. */
OG_NODISCARD og_status og_lance_scan_open(og_lance_table *table, const uint32_t *fields,
                                          uint32_t field_count, uint32_t start, uint32_t end,
                                          og_lance_scan **out, og_error *err);
/* Decode ahead on the pool's threads, with some batches for each thread in memory. To be
 * called before the first og_lance_scan_next. Rows and their order do not change. The
 * pool must outlive the scan. */
void og_lance_scan_use(og_lance_scan *scan, struct og_pool *pool);
/* The next batch and the slots of its rows (borrowed until the next call); row_count 0 at the
 * end. */
OG_NODISCARD og_status og_lance_scan_next(og_lance_scan *scan, og_batch *out,
                                          const uint32_t **out_slots, og_error *err);
void og_lance_scan_close(og_lance_scan *scan);
OG_DEFINE_AUTO(og_lance_scan, og_lance_scan_close)

/* A scan of live rows of one field as values and codes. A batch is an array of values and, for each
 * row, the index of its value. So whatever depends on the value alone is computed once, however
 * often the value occurs. The values are the entries of the page's dictionary (some of which no row
 * may have), the single value of a page, the values of runs, or else the rows' own. Text is not
 * checked to be UTF-8. */
typedef struct og_lance_code_scan og_lance_code_scan;
typedef struct og_lance_codes {
    const og_array *values;
    uint64_t values_id;    /* equal in two batches of a scan: their values are the same; never 0 */
    const uint32_t *codes; /* by row: below values->length */
    const uint32_t *slots; /* by row, ascending */
    uint32_t row_count;    /* at most OG_BATCH_ROWS; 0 at the end */
} og_lance_codes;
OG_NODISCARD og_status og_lance_code_scan_open(og_lance_table *table, uint32_t field,
                                               uint32_t start, og_lance_code_scan **out,
                                               og_error *err);
/* The next batch, borrowed until the next call. */
OG_NODISCARD og_status og_lance_code_scan_next(og_lance_code_scan *scan, og_lance_codes *out,
                                               og_error *err);
/* Go on at `slot`, if that lies ahead; pages in between are not read. */
void og_lance_code_scan_skip(og_lance_code_scan *scan, uint32_t slot);
void og_lance_code_scan_close(og_lance_code_scan *scan);
OG_DEFINE_AUTO(og_lance_code_scan, og_lance_code_scan_close)

/* A condition on values: for which of these is it true? Asked once for
 * values that many rows share. */
typedef og_status (*og_lance_test)(void *context, const og_array *values, og_mask *out,
                                   og_error *err);
/* Find the live rows from slot `start` on for whose value `test` is true: their slots, ascending.
 * The caller frees *out_slots with og_free. */
OG_NODISCARD og_status og_lance_find(og_lance_table *table, uint32_t field, uint32_t start,
                                     og_lance_test test, void *context, uint32_t **out_slots,
                                     size_t *out_count, og_error *err);

/* Values of the slots named, in the order named (any order, repeats allowed; ascending is fastest).
 * Deleted rows may be named: their values are still stored. Columns that no file of a fragment
 * holds are null. OG_INVALID a slot beyond the last. */
OG_NODISCARD og_status og_lance_take(og_lance_table *table, const uint32_t *fields,
                                     uint32_t field_count, const uint32_t *slots, size_t count,
                                     og_batch *out, og_error *err);

/* Bytes of a blob value: `descriptors` is the column of `field` read by scan or take, `row` its
 * row, `slot` that row's slot. *out is NULL for a null blob. External blobs (kind 3) are never
 * fetched: OG_UNSUPPORTED; look at the uri. */
OG_NODISCARD og_status og_lance_blob_read(og_lance_table *table, uint32_t field, uint32_t slot,
                                          const og_array *descriptors, int64_t row, og_blob **out,
                                          og_error *err);
/* Do two blob values hold the same: both null, equal bytes, or the same uri? Each is named as in
 * og_lance_blob_read. Payloads are read when their sizes are equal. */
typedef struct og_lance_blob_place {
    og_lance_table *table;
    uint32_t field;
    uint32_t slot;
    const og_array *descriptors;
    int64_t row;
} og_lance_blob_place;
OG_NODISCARD og_status og_lance_blob_equal(const og_lance_blob_place *a,
                                           const og_lance_blob_place *b, bool *out, og_error *err);
/* Turn descriptors into values that can be written again: struct<data large_binary, uri utf8>,
 * with the payloads read. */
OG_NODISCARD og_status og_lance_blob_materialize(og_lance_table *table, uint32_t field,
                                                 const uint32_t *slots, const og_array *descriptors,
                                                 og_array **out, og_error *err);

#endif
