/* lance/table/rows_priv - row ids and lineage of a table as runs over slots.
 *
 * Both are stored per fragment (docs/dev/lance.md section 4) but used per table: the runs of all
 * fragments one after the other, ascending by first_slot, without gaps. Consecutive ids (or rows of
 * one version) make one run, also across segments and fragments. */
#ifndef OG_LANCE_TABLE_ROWS_PRIV_H
#define OG_LANCE_TABLE_ROWS_PRIV_H

#include "base/vec.h"
#include "lance/table/proto_priv.h"

/* `count` slots from first_slot on, whose rows have consecutive ids, or one version. */
typedef struct og_table__run {
    uint32_t first_slot;
    uint32_t count;
    union {
        uint64_t first_id; /* slot first_slot + i has row id first_id + i */
        uint64_t version;  /* of all these slots */
    };
} og_table__run;
typedef OG_VEC(og_table__run) og_table__runs;

typedef og_table__run og_table__id_run;
typedef og_table__runs og_table__id_runs;
typedef og_table__run og_table__version_run;
typedef og_table__runs og_table__version_runs;

/* Append `count` > 0 rows; joins with the last run when it fits. False when out of memory. */
bool og_table__id_runs_add(og_table__id_runs *runs, uint32_t first_slot, uint32_t count,
                           uint64_t first_id);
bool og_table__version_runs_add(og_table__version_runs *runs, uint32_t first_slot, uint32_t count,
                                uint64_t version);

/* Decode the sequence of one fragment of `rows` rows that begins at first_slot. OG_CORRUPT when it
 * does not parse or has another length. */
OG_NODISCARD og_status og_table__row_ids_decode(og_bytes bytes, uint32_t first_slot, uint32_t rows,
                                                og_table__id_runs *runs, og_error *err);
OG_NODISCARD og_status og_table__versions_decode(og_bytes bytes, uint32_t first_slot, uint32_t rows,
                                                 og_table__version_runs *runs, og_error *err);
/* How many runs a stored sequence of versions has, without decoding them;
 * any number when it does not parse. */
size_t og_table__versions_count(og_bytes bytes);
/* Encode consecutive runs into the arena. */
OG_NODISCARD og_status og_table__row_ids_encode(const og_table__id_run *runs, size_t count,
                                                og_arena *arena, ProtobufCBinaryData *out,
                                                og_error *err);
OG_NODISCARD og_status og_table__versions_encode(const og_table__version_run *runs, size_t count,
                                                 og_arena *arena, ProtobufCBinaryData *out,
                                                 og_error *err);

/* The version that coarser lineage gives a run: raised to `floor`,
 * unless the run has more than `most_rows` rows. */
uint64_t og_table__version_raised(const og_table__version_run *run, uint64_t floor,
                                  uint32_t most_rows);
/* The lowest floor that leaves at most max_runs runs; the newest version when none does. */
OG_NODISCARD og_status og_table__versions_floor(const og_table__version_runs *runs, size_t max_runs,
                                                uint32_t most_rows, uint64_t *out, og_error *err);

/* Index of the run, of either kind, that holds the slot; `hint` and the run behind it are tried
 * first. The slot must be in a run. */
size_t og_table__run_of(const og_table__run *runs, size_t count, uint32_t slot, size_t hint);

#endif
