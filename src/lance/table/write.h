/* lance/table/write - a change of one table: staged first, visible by one put-if-absent.
 *
 * A write collects what one version changes - new rows, rows with kept row ids, deleted slots,
 * removed fragments, config - and og_lance_write_stage turns it into files with unique names plus
 * the bytes of the manifest for exactly version base + 1, its slot (docs/dev/commit.md sections
 * 2-4). Nothing is visible until og_lance_staged_commit takes the slot. Every write carries or
 * drops index segments as docs/dev/lance.md section 16 demands, removes lance.auto_cleanup.* from
 * the config, never gives a row id or fragment id twice, and writes bounded lineage (the versions
 * that created and last updated each row) into the manifest. */
#ifndef OG_LANCE_WRITE_H
#define OG_LANCE_WRITE_H

#include "base/id.h"
#include "lance/table/table.h"

typedef enum og_lance_op {
    OG_LANCE_CREATE,    /* version 1 of a new dataset; recorded as Overwrite */
    OG_LANCE_APPEND,    /* new rows only */
    OG_LANCE_UPDATE,    /* deletions, rows with kept ids, new rows; also folds */
    OG_LANCE_DELETE,    /* deletions only */
    OG_LANCE_OVERWRITE, /* all old fragments go, indices go, row ids continue; new rows */
    OG_LANCE_RESTORE,   /* the content of an older version; takes everything from `restore_from` */
    OG_LANCE_CONFIG,    /* config / metadata only */
    OG_LANCE_CLONE, /* first version of a branch: base's content, files left in place (branch.h) */
    OG_LANCE_INDEX, /* index segments are added and dropped: indices.h */
    OG_LANCE_COMPACT, /* the same rows in fewer fragments: compact.h */
    OG_LANCE_EVOLVE,  /* other columns: evolve.h; recorded as Project or Merge */
} og_lance_op;

/* A field of a table to be created. */
typedef struct og_lance_new_field {
    og_field field;
    bool is_blob;
    bool is_primary_key;
} og_lance_new_field;

typedef struct og_lance_write_options {
    og_lance_op op;
    const char *path;                 /* CREATE: where; else taken from base */
    const og_lance_new_field *fields; /* CREATE, or OVERWRITE with a new schema */
    uint32_t field_count;
    og_lance_table *restore_from;  /* RESTORE */
    og_str branch;                 /* CLONE: its name */
    uint64_t version;              /* the slot; 0 = base + 1. Higher above unpublished versions */
    uint64_t min_next_row_id;      /* lower bounds of the counters, from unpublished versions */
    int64_t min_max_fragment_id;   /* -1 = none; ignored by CREATE unless above 0 */
    const og_lance_kv *properties; /* transaction_properties */
    uint32_t property_count;
    /* Keys to set or remove; auto-cleanup keys are removed in any case. */
    const og_lance_kv *config, *metadata, *schema_metadata;
    uint32_t config_count, metadata_count, schema_metadata_count;
    bool fold;         /* APPEND, UPDATE: join small tail fragments (fold.c) */
    bool fold_all;     /* ... all fragments, whatever their number and size */
    bool fold_one_run; /* folds write lineage as one run, in tables where nothing reads it */
    bool
        compact_as_update; /* COMPACT: recorded as Update, over which others rebase with care */
    int64_t now_us;        /* manifest timestamp */
    const og_random *random; /* names and uuids; NULL = system */
} og_lance_write_options;

typedef struct og_lance_write og_lance_write;
/* Begin a write on top of `base` (NULL for CREATE). Keeps a reference to base;
 * copies what it needs of the options. */
OG_NODISCARD og_status og_lance_write_new(og_lance_env *env, og_lance_table *base,
                                          const og_lance_write_options *options,
                                          og_lance_write **out, og_error *err);
/* Free a write; the files of one that was not committed are removed from the store. */
void og_lance_write_free(og_lance_write *write);
OG_DEFINE_AUTO(og_lance_write, og_lance_write_free)

/* Append rows. Columns are the table's fields in order, blob columns as struct<data, uri>.
 *
 *   row_ids  one for each row: the id that an updated row keeps (its old slot must be deleted in
 *            this write; the version that created it is taken from there), or UINT64_MAX for a new
 *            row; NULL: all rows are new
 *
 * Within a batch rows that keep ids come before new ones; batches of kept rows only may come at any
 * time (after new rows they go to a fragment of their own). New fragments get ids above base's
 * max_fragment_id and min_max_fragment_id; with `fold` those of the folded rows come first.
 * Streams: memory is bounded by pages. */
OG_NODISCARD og_status og_lance_write_rows(og_lance_write *write, const og_batch *batch,
                                           const uint64_t *row_ids, og_error *err);
/* Delete rows of base. Naming a slot again is harmless. */
OG_NODISCARD og_status og_lance_write_delete(og_lance_write *write, const uint32_t *slots,
                                             size_t count, og_error *err);

/* The slot that the write is for. */
uint64_t og_lance_write_version(const og_lance_write *write);
/* Replace the transaction_properties given in the options; before staging. */
OG_NODISCARD og_status og_lance_write_set_properties(og_lance_write *write,
                                                     const og_lance_kv *properties, uint32_t count,
                                                     og_error *err);

/* The staged form: files are in the store (not synced), the manifest is in memory. */
typedef struct og_lance_staged {
    uint64_t version;
    uint64_t row_count; /* live rows of the new version */
    uint64_t next_row_id;
    og_buf manifest;
    char *manifest_name;
    const char **file_names; /* data, deletion and blob files to sync before commit */
    size_t file_count;
    og_buf transaction; /* bytes of the .txn copy, and its name (optional to write) */
    char *transaction_name;
} og_lance_staged;
/* Encode and put everything; the staged form belongs to the write. */
OG_NODISCARD og_status og_lance_write_stage(og_lance_write *write, const og_lance_staged **out,
                                            og_error *err);
/* Take the slot: one put_if_absent of the manifest. OG_EXISTS: somebody else has taken it.
 * The caller syncs the files before, and the manifest after, through the store. `durable`
 * as in the store's put_if_absent: false only for derived tables (the commit DAG). After
 * OG_OK the files stay when the write is freed; after OG_UNKNOWN too, unless
 * og_lance_write_settle says that it failed. */
OG_NODISCARD og_status og_lance_staged_commit(og_lance_write *write, bool durable, og_error *err);
/* Announce that the slot will be taken, durably, after the next sync (announce in store/store.h).
 * True: the manifest's name may be given to that sync, which then writes the manifests of all
 * announced slots at once. */
bool og_lance_staged_announce(og_lance_write *write);
/* Tell a write whose commit was OG_UNKNOWN what came of it, or that somebody else finished it:
 * whether its files stay. */
void og_lance_write_settle(og_lance_write *write, bool committed);
/* Open the committed version, without reading it back from the store. */
OG_NODISCARD og_status og_lance_write_table(og_lance_write *write, og_lance_table **out,
                                            og_error *err);

#endif
