/* lance/table/table - one version of a Lance dataset, open for reading.
 *
 * Format: docs/dev/lance.md sections 1-8. A table is immutable and counted: it is the manifest of
 * one version plus whatever files have been opened through it. Files are shared between versions
 * by the environment's cache.
 *
 * Three numbers name a row (docs/dev/architecture.md):
 *   row id  u64, stable for the row's life in this table's lineage;
 *   slot    u32, position in this version: fragments in order, physical offsets, deleted rows
 * counted; (the engine's "vertex" is the row id as u32, when next_row_id < 2^32). */
#ifndef OG_LANCE_TABLE_H
#define OG_LANCE_TABLE_H

#include "base/buf.h"
#include "columnar/array.h"
#include "columnar/mask.h"
#include "store/store.h"

/* What all tables of a graph share: the store, a cache of open files, deletion vectors and decoded
 * columns bounded by bytes, and the types of all fields. Arrays read through a table borrow their
 * types from here: they may outlive the table, not the environment.
 *
 * A column of a file that is read again and again is decoded once as a whole and then served
 * from memory, when that fits (cache_priv.h says when): what makes point reads fast in a living
 * process. */
typedef struct og_lance_env og_lance_env;
/* Borrows the store. `cache_bytes` 0: nothing is kept beyond what open tables use. */
OG_NODISCARD og_status og_lance_env_new(og_store *store, size_t cache_bytes, og_lance_env **out,
                                        og_error *err);
void og_lance_env_free(og_lance_env *env);
OG_DEFINE_AUTO(og_lance_env, og_lance_env_free)
og_store *og_lance_env_store(og_lance_env *env);
/* Threads that encode what is written, the writers' own included and shared by all; while none is at work.
 * At first the processors there are, up to 4. They exist only while large files are being written. */
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
    /* What the values are, as Lance names it, for each type without fields of its own, depth first.
     * Types that we keep as another one of the same bytes are told apart by this: "time64:ns" is a
     * 64-bit integer here, "decimal:128:20:2" and "fixed_size_binary:7" lists of bytes. */
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
/* The newest version number, found by probes above the hint, by one listing as the last resort.
 * `hint`: a version known to exist, 0 = none. OG_NOT_FOUND when there is none. */
OG_NODISCARD og_status og_lance_latest_version(og_lance_env *env, const char *path, uint64_t hint,
                                               uint64_t *out_version, og_error *err);
/* All versions present, ascending; the caller frees *out with og_free. An absent dataset has
 * none. */
OG_NODISCARD og_status og_lance_list_versions(og_lance_env *env, const char *path, uint64_t **out,
                                              size_t *out_count, og_error *err);
/* "<path>/_versions/<20 digits>.manifest" of a version. (Tables of old writers have other names, which
 * are read, and continued by writes.) */
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
int64_t og_lance_table_timestamp_us(const og_lance_table *table);
/* Uuid of the version's transaction as 36 characters, "" when it has none. */
og_str og_lance_table_transaction_uuid(const og_lance_table *table);
/* transaction_properties of the version's transaction (the copy inside the manifest); ptr NULL when
 * absent. */
og_str og_lance_table_transaction_property(const og_lance_table *table, og_str key);
/* config, schema_metadata values; ptr NULL when absent. */
og_str og_lance_table_config(const og_lance_table *table, og_str key);
og_str og_lance_table_schema_metadata(const og_lance_table *table, og_str key);

/* ---- rows --------------------------------------------------------------------------------- */

/* Deletion vectors are loaded at first use; the call may read. Bit per slot, 1 = deleted; NULL when
 * no row is deleted. Borrowed from the table. */
OG_NODISCARD og_status og_lance_table_deleted(og_lance_table *table, const uint8_t **out_bits,
                                              og_error *err);
/* Row id of each slot. */
OG_NODISCARD og_status og_lance_row_ids(og_lance_table *table, const uint32_t *slots, size_t count,
                                        uint64_t *out_ids, og_error *err);
/* Slot of each row id; UINT32_MAX for ids without a live row. O(1) per id: ranges are kept as
 * ranges, else a u32 array by id is built once. */
OG_NODISCARD og_status og_lance_slots_of(og_lance_table *table, const uint64_t *row_ids,
                                         size_t count, uint32_t *out_slots, og_error *err);
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
/* Decode ahead on the pool's threads, before the first og_lance_scan_next: some batches for each thread are
 * then in memory. Rows and their order do not change. The pool must outlive the scan. */
void og_lance_scan_use(og_lance_scan *scan, struct og_pool *pool);
/* The next batch and the slots of its rows (borrowed until the next call); row_count 0 at the
 * end. */
OG_NODISCARD og_status og_lance_scan_next(og_lance_scan *scan, og_batch *out,
                                          const uint32_t **out_slots, og_error *err);
void og_lance_scan_close(og_lance_scan *scan);
OG_DEFINE_AUTO(og_lance_scan, og_lance_scan_close)

/* A scan of live rows of one field as values and codes: of each batch some values, and for each row
 * which of them it has, so that what depends on the value alone is worked out once, however often
 * it occurs. Where the file has a dictionary the values are its entries (text that is not
 * checked to be UTF-8, and perhaps some that no row has), in pages of one value that value, in pages of
 * runs the runs' values; else the rows' own. */
typedef struct og_lance_code_scan og_lance_code_scan;
typedef struct og_lance_codes {
    const og_array *values;
    uint64_t values_id;    /* of a scan: the same for equal values, never 0 */
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
/* Go on at `slot`, when that lies ahead; pages between are not read. */
void og_lance_code_scan_skip(og_lance_code_scan *scan, uint32_t slot);
void og_lance_code_scan_close(og_lance_code_scan *scan);
OG_DEFINE_AUTO(og_lance_code_scan, og_lance_code_scan_close)

/* For which of these values is it true? Asked once for values that many rows share. */
typedef og_status (*og_lance_test)(void *context, const og_array *values, og_mask *out,
                                   og_error *err);
/* Slots from `start` on of the live rows for whose value `test` is true, ascending. The caller frees
 * *out_slots (og_free). */
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
/* As stored: struct<data large_binary, uri utf8> with the payloads read, ready to be written
 * again. */
OG_NODISCARD og_status og_lance_blob_materialize(og_lance_table *table, uint32_t field,
                                                 const uint32_t *slots, const og_array *descriptors,
                                                 og_array **out, og_error *err);

#endif
