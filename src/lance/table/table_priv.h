/* lance/table/table_priv - the inside of an open table. */
#ifndef OG_LANCE_TABLE_TABLE_PRIV_H
#define OG_LANCE_TABLE_TABLE_PRIV_H

#include "lance/table/cache_priv.h"
#include "lance/table/rows_priv.h"
#include "lance/table/table.h"

#include <pthread.h>
#include <stdatomic.h>

#define OG_TABLE__NO_FILE UINT32_MAX

/* Feature flags of a manifest (docs/dev/lance.md section 2). */
#define OG_TABLE__FLAG_DELETIONS 1u
#define OG_TABLE__FLAG_STABLE_ROW_IDS 2u
#define OG_TABLE__FLAG_CONFIG 8u
#define OG_TABLE__FLAG_BASE_PATHS 16u
#define OG_TABLE__FLAGS_KNOWN 63u

/* A data file of a fragment. */
typedef struct og_table__data_file {
    const OgPb__DataFile *message;
    const char *name;                   /* in the store */
    _Atomic(og_table__cached *) cached; /* one reference, once opened */
} og_table__data_file;

/* Where a field's columns are in a fragment. */
typedef struct og_table__place {
    uint32_t file; /* OG_TABLE__NO_FILE: nowhere, the values are null */
    const uint32_t *leaves;
    uint32_t leaf_count;
} og_table__place;

typedef struct og_table__fragment {
    const OgPb__DataFragment *message;
    og_table__data_file *files;
    uint32_t file_count;
    const char *deletion_name;         /* NULL: none */
    _Atomic(og_table__place *) places; /* one per field, found at first use */
} og_table__fragment;

/* Row ids both ways (rowindex.c). */
typedef struct og_table__row_index {
    og_table__id_runs runs;  /* by slot */
    og_table__id_run *by_id; /* the same by first_id, when no two overlap and they are few */
    /* From id to slot, built when searching the runs has cost as much as building it. */
    _Atomic(uint64_t) runs_looked_at;
    _Atomic(bool) has_slots;
    uint32_t *slot_of_id; /* live slot of each id below id_limit */
    uint64_t id_limit;
    struct og_u64map *slot_map; /* instead of slot_of_id, when ids are sparse */
} og_table__row_index;

struct og_lance_table {
    int32_t refs; /* atomic */
    og_lance_env *env;
    char *path;
    char *root;     /* of the dataset: path without "tree/<branch>" */
    bool old_names; /* manifests are named by version, upwards (V1) */
    og_arena *arena;
    OgPb__Manifest *manifest;
    og_bytes index_section; /* packed IndexSection; ptr NULL: no indices */
    bool ids_are_slots;     /* the manifest has no row ids: in this version slots stand for them */
    og_bytes address_indices; /* then its IndexSection, whose entries are row addresses */
    const OgPb__TransactionHead *transaction; /* of the copy in the manifest; NULL: there is none */
    og_str transaction_uuid;
    uint64_t manifest_bytes;

    og_lance_field *fields;
    uint32_t field_count;
    og_lance_fragment *fragments;
    og_table__fragment *parts; /* parallel to fragments */
    uint32_t fragment_count;
    uint64_t slot_count;
    uint64_t deleted_count;

    /* Built at first use under `lock`, then immutable; published by the atomics. */
    pthread_mutex_t lock;
    uint8_t *deleted;
    atomic_bool deleted_ready;
    _Atomic(og_table__row_index *) row_index;
    og_table__version_runs updated, created;
    atomic_bool versions_ready;
};

/* Decode and validate the bytes of a manifest file (manifest.c). */
OG_NODISCARD og_status og_table__table_decode(og_lance_env *env, const char *path,
                                              og_bytes manifest, og_lance_table **out,
                                              og_error *err);

/* Announce that the data files of fragments [first, end) will be opened, so that a store that is
 * far away fetches their metadata side by side (og_store_expect). */
void og_table__expect_files(og_lance_table *table, uint32_t first, uint32_t end);

/* Decode the manifest's list of fields (schema.c). Types live in the environment,
 * all else in the arena. */
OG_NODISCARD og_status og_table__fields_decode(og_lance_env *env, og_arena *arena,
                                               OgPb__Field *const *messages, size_t count,
                                               og_lance_field **out, uint32_t *out_count,
                                               og_error *err);

/* ---- names in the store (paths.c) ---- */

/* The name of `file` in `folder` ("data") of the table or, when it has a base, of that base. */
OG_NODISCARD og_status og_table__file_name(const og_lance_table *table, og_arena *arena,
                                           const char *folder, og_str file, bool has_base,
                                           uint32_t base_id, const char **out, og_error *err);
/* Append the absolute path at which a base of the manifest is now, whatever its stored path says.
 * OG_UNSUPPORTED for a base outside the dataset. */
OG_NODISCARD og_status og_table__base_place(const og_lance_table *table, uint32_t base_id,
                                            og_buf *out, og_error *err);
/* The name in the store of an object that the manifest names relative to the table. */
OG_NODISCARD og_status og_table__object_name(const og_lance_table *table, og_arena *arena,
                                             og_str file, const char **out, og_error *err);
/* The root of the dataset that `path` is, or is a branch of; text in `arena`,
 * NULL when out of memory. */
const char *og_table__dataset_root(og_arena *arena, const char *path);
/* "<path>/_versions/og.gap-<version>": a cleanup's mark that it kept this
 * version and removed the next one. */
#define OG_TABLE__GAP_PREFIX "og.gap-"
bool og_table__gap_name(og_buf *out, const char *path, uint64_t version);
/* "<path>/_versions/<version>.manifest": the names in tables of old writers. */
bool og_table__old_manifest_name(og_buf *out, const char *path, uint64_t version);
/* "<path>/<rest>", or rest when path is "". */
bool og_table__join(og_buf *out, const char *path, const char *rest);
/* The version that a manifest's name stands for; 0 for other names. *out_old:
 * the name is of the old form. */
uint64_t og_table__version_of_name(og_str name, bool *out_old);

/* Index of the fragment that holds the slot; `hint` is tried first. */
uint32_t og_table__fragment_of(const og_lance_table *table, uint32_t slot, uint32_t hint);
/* Where each field is in the fragment; one entry per field, borrowed. */
OG_NODISCARD og_status og_table__places(og_lance_table *table, uint32_t fragment,
                                        const og_table__place **out, og_error *err);
/* Open data file `file` of a fragment, unless it is open; borrowed from the table. */
OG_NODISCARD og_status og_table__open_file(og_lance_table *table, uint32_t fragment, uint32_t file,
                                           og_table__cached **out, og_error *err);
void og_table__row_index_free(og_table__row_index *index);

#endif
