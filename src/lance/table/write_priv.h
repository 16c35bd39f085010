/* lance/table/write_priv - the inside of a write.
 *
 * First rows and deletions are collected (write.c, rows_out.c) or fragments compacted (compact.c).
 * Then staging folds (fold.c), writes deletion files, and builds the new manifest from the old one
 * (stage.c), with its transaction (transaction.c) and index section (index_section.c). */
#ifndef OG_LANCE_TABLE_WRITE_PRIV_H
#define OG_LANCE_TABLE_WRITE_PRIV_H

#include "lance/file/writer.h"
#include "lance/table/deletion_priv.h"
#include "lance/table/schema_priv.h"
#include "lance/table/table_priv.h"
#include "lance/table/write.h"

#define OG_TABLE__FRAGMENT_ROWS (1u << 20) /* most rows of a fragment we write */

/* Ids and versions of rows that are written; runs count from row 0. */
typedef struct og_table__row_facts {
    uint32_t kept_rows; /* the first ones, with ids of older rows */
    og_table__id_runs ids;
    og_table__version_runs updated, created;
} og_table__row_facts;
void og_table__row_facts_deinit(og_table__row_facts *facts);

/* A fragment of this write. */
typedef struct og_table__new_fragment {
    const char *file;        /* relative to data/ */
    OgPb__DataFile *message; /* with the ids of the schema it was written by; NULL: not finished */
    uint32_t rows;
    og_table__row_facts facts;
} og_table__new_fragment;
typedef OG_VEC(og_table__new_fragment) og_table__new_fragments;

/* Rows on their way into new fragments. */
typedef struct og_table__rows_out {
    og_lance_write *write;
    og_table__new_fragments fragments;
    og_lance_file_writer *writer; /* of the last fragment; NULL: the next rows begin one */
    /* Of the full fragment `ending_index`, whose last pages are encoded while the next one is
     * filled; NULL: none. */
    og_lance_file_writer *ending;
    size_t ending_index;
    uint32_t max_rows; /* of a fragment; 0 = OG_TABLE__FRAGMENT_ROWS */
} og_table__rows_out;

/* Neighbouring fragments [start, end) of base whose rows go into new ones: those of `folded` from
 * first_new on. */
typedef struct og_table__group {
    uint32_t start, end;
    uint32_t first_new, new_count;
} og_table__group;

typedef struct og_table__evolution og_table__evolution; /* evolve.c */

typedef enum og_table__write_state {
    OG_TABLE__OPEN,
    OG_TABLE__STAGED,
    OG_TABLE__COMMITTED,
    OG_TABLE__IN_DOUBT,
    OG_TABLE__FAILED, /* a step failed half way: only to be freed */
} og_table__write_state;

struct og_lance_write {
    og_lance_env *env;
    og_lance_table *base;   /* NULL: CREATE */
    og_lance_table *source; /* whose content the new version starts from: base, or restore_from */
    og_arena *arena;
    og_lance_write_options options; /* texts in arena */
    og_table__write_state state;

    /* The schema rows are written with. */
    OgPb__Field **field_messages;
    size_t field_message_count;
    og_lance_field *fields;
    uint32_t field_count;
    bool has_own_schema; /* CREATE, OVERWRITE: not that of an older version */
    og_lance_write_column *columns;
    og_buf descriptor;           /* Schema message for the data files */
    og_lance_encoders *encoders; /* of all data files; NULL: none was begun */

    uint64_t version;
    uint64_t next_row_id;
    int64_t max_fragment_id;
    og_table__rows_out out;
    og_table__rows_out late; /* kept rows that came after new ones; behind `out` in the version */
    og_table__rows_out folded;
    OG_VEC(og_table__group) groups; /* what is folded or compacted, ascending */
    uint8_t *deleted;               /* bit per slot of base: deleted by this write; NULL: none */
    uint8_t *kept; /* bit per slot of base: written again with its id; NULL: none */
    OG_VEC(OgPb__IndexMetadata *) new_indices; /* OG_LANCE_INDEX */
    OG_VEC(OgPb__IndexMetadata *) old_indices; /* those that it removes */
    OG_VEC(char *) names;                      /* objects of this write in the store */
    size_t first_staged_name; /* names from this one on came by staging, not by collecting rows */
    OG_VEC(og_lance_table *) former; /* bases it was moved away from; parts of them are in use */
    bool is_announced;               /* the manifest was announced to the store */
    bool keep_files;                 /* a version that was given up names the files */
    og_table__evolution *evolution;  /* EVOLVE; NULL: no change of columns yet */
    og_lance_staged staged;
};

/* ---- write.c */
/* Begin again on a later version of the base, whose counters and schema are taken. */
OG_NODISCARD og_status og_table__write_build_on(og_lance_write *write, og_lance_table *base,
                                                og_error *err);
/* ---- stage.c */
/* Finish the open data files. */
OG_NODISCARD og_status og_table__rows_end(og_lance_write *write, og_error *err);
/* The manifest's message for a data file that holds these fields. */
OG_NODISCARD og_status og_table__data_file_new(og_arena *arena, const og_lance_field *fields,
                                               uint32_t field_count, const char *file,
                                               uint64_t bytes, OgPb__DataFile **out, og_error *err);

/* ---- rows_out.c */
/* Begin a data file under a new name, which is remembered; *out_file is relative to data/. */
OG_NODISCARD og_status og_table__file_begin(og_lance_write *write,
                                            const og_lance_write_column *columns,
                                            uint32_t column_count, og_bytes descriptor,
                                            const char **out_file, og_lance_file_writer **out,
                                            og_error *err);
/* Finish and close it, and remember its blob files. */
OG_NODISCARD og_status og_table__file_end(og_lance_write *write, og_lance_file_writer **writer,
                                          uint64_t *out_bytes, og_error *err);
OG_NODISCARD og_status og_table__rows_add(og_table__rows_out *out, const og_batch *batch,
                                          const og_table__row_facts *facts, og_error *err);
/* Finish all data files. */
OG_NODISCARD og_status og_table__rows_cut(og_table__rows_out *out, og_error *err);
void og_table__rows_deinit(og_table__rows_out *out);
/* Move the finished fragments of `from` behind those of `out`. */
OG_NODISCARD og_status og_table__rows_join(og_table__rows_out *out, og_table__rows_out *from,
                                           og_error *err);
/* Remember the name of an object of this write, to remove it when the write is not committed. */
OG_NODISCARD og_status og_table__write_name(og_lance_write *write, const char *name, og_error *err);

/* ---- evolve.c */
/* The highest field id that the schema or a data file names; -1 = none. */
int32_t og_table__highest_field_id(const OgPb__Manifest *manifest);
/* The same with columns that are gone with all their files,
 * which this key of the table metadata remembers. */
#define OG_TABLE__FIELD_MARK "og.highest_field_id"
int32_t og_table__highest_field_id_ever(const og_lance_table *table);
void og_table__evolution_deinit(og_table__evolution *evolution);
/* Make the write's schema the new one; to be called before its fragments are changed. */
OG_NODISCARD og_status og_table__evolve_schema(og_lance_write *write, og_error *err);
/* Change a copy of base's fragment `index` to the new schema. */
OG_NODISCARD og_status og_table__evolve_fragment(og_lance_write *write, uint32_t index,
                                                 OgPb__DataFragment *fragment, og_error *err);
/* Was a field of the index dropped or given another type? */
bool og_table__evolve_outdates(const og_lance_write *write, const OgPb__IndexMetadata *index);
/* Are columns only dropped or renamed? */
bool og_table__evolve_only_projects(const og_lance_write *write);

/* ---- copy.c */
/* False when the fragment has fields of newer writers that we do not understand;
 * it is then never copied, but left as it is. */
bool og_table__is_plain(const og_lance_table *table, uint32_t fragment);
/* Copy the rows of base fragments [start, end) that live after this write into new fragments, as
 * a group of the write. Ids and versions of rows are kept. */
OG_NODISCARD og_status og_table__copy_group(og_lance_write *write, uint32_t start, uint32_t end,
                                            og_error *err);

/* ---- fold.c */
/* Choose the fragments to fold, if any, and write the folded ones. */
OG_NODISCARD og_status og_table__fold(og_lance_write *write, og_error *err);
/* True when this write deletes rows of the base fragment (some may be deleted already). */
bool og_table__touches(const og_lance_write *write, uint32_t fragment);
/* True when the slot of base is deleted before or by this write. */
static inline bool og_table__dead(const og_lance_write *write, const uint8_t *before, uint32_t slot)
{
    return (before != NULL && og_bit_get(before, slot)) ||
           (write->deleted != NULL && og_bit_get(write->deleted, slot));
}

/* Bits [slot, slot + 64) of a bitmap that is long enough; slot is a multiple of 8.
 * NULL: none is set. */
static inline uint64_t og_table__bits(const uint8_t *bitmap, uint32_t slot)
{
    uint64_t bits = 0;
    if (bitmap != NULL)
        memcpy(&bits, bitmap + slot / 8, sizeof bits);
    return bits;
}

/* The first dead slot in [slot, end), else end. Long stretches of live
 * rows are skipped word by word. */
static inline uint32_t og_table__next_dead(const og_lance_write *write, const uint8_t *before,
                                           uint32_t slot, uint32_t end)
{
    while (slot < end && !og_table__dead(write, before, slot)) {
        bool skips = slot % 8 == 0 && end - slot >= 64 &&
                     (og_table__bits(before, slot) | og_table__bits(write->deleted, slot)) == 0;
        slot += skips ? 64 : 1;
    }
    return slot;
}

/* ---- index_section.c */
/* Ids of the fragments that a segment covers, ascending. */
OG_NODISCARD og_status og_table__index_fragments(const OgPb__IndexMetadata *index,
                                                 og_table__u32s *out, og_error *err);
bool og_table__index_holds(const og_table__u32s *fragments, uint64_t id);
/* A number for each fragment of base; two are equal when the same indices cover both fragments. */
OG_NODISCARD og_status og_table__index_coverage(const og_lance_table *table, uint64_t *out,
                                                og_error *err);
/* The index section of the new version. Where a segment covers the old fragments of a group it
 * covers the new ones instead (ids from first_id on); indexes that the write outdates are left out.
 * ptr NULL: the version has none. */
OG_NODISCARD og_status og_table__index_section_after(og_lance_write *write, uint64_t first_id,
                                                     og_arena *arena, og_bytes *out, og_error *err);

/* ---- clone.c: a branch's first version */
/* Path of the branch's dataset, in the arena; NULL when out of memory. */
const char *og_table__clone_path(og_arena *arena, const og_lance_table *source, og_str branch);
/* Make a copy of the source's manifest, with fragments of its own,
 * name its branch and the places of the files. */
OG_NODISCARD og_status og_table__clone_manifest(const og_lance_write *write,
                                                OgPb__Manifest *manifest, og_error *err);
/* The source's index section, with the places of its files. ptr NULL: the source has none. */
OG_NODISCARD og_status og_table__clone_indices(const og_lance_write *write, og_bytes *out,
                                               og_error *err);
OG_NODISCARD og_status og_table__clone_transaction(const og_lance_write *write,
                                                   OgPb__Transaction *transaction, og_error *err);

/* ---- indices.c */
/* The index section with the write's new segments and without those that it removes. */
OG_NODISCARD og_status og_table__index_section_changed(og_lance_write *write, og_arena *arena,
                                                       og_bytes *out, og_error *err);

/* ---- transaction.c */
/* What a transaction says of a change, beside its operation. */
typedef struct og_table__change {
    OgPb__DataFragment **all; /* of the new version */
    size_t all_count;
    OgPb__DataFragment **news; /* the new ones of these, in their final form */
    size_t new_count;
    OgPb__DataFragment **changed; /* base fragments with a new deletion file */
    size_t changed_count;
    uint64_t *removed;
    size_t removed_count;
} og_table__change;
OG_NODISCARD og_status og_table__transaction_encode(og_lance_write *write,
                                                    const og_table__change *change,
                                                    const char *uuid, og_buf *out, og_error *err);
/* Key-value pairs as messages in the arena, for maps such as config. */
OG_NODISCARD og_status og_table__pairs_of(og_arena *arena, const og_lance_kv *kvs, size_t count,
                                          OgPb__Pair ***out, og_error *err);

#endif
