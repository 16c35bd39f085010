/* graph/fsck_priv - what the parts of the check share. */
#ifndef OG_GRAPH_FSCK_PRIV_H
#define OG_GRAPH_FSCK_PRIV_H

#include "base/map.h"
#include "base/vec.h"
#include "graph/fsck.h"
#include "graph/history.h"
#include "graph/repo_priv.h"

#define OG_GRAPH__MAX_TOLD 100 /* most findings of a kind in a column that are told one by one */

typedef struct og_graph__fsck {
    og_repo *repo;
    const og_fsck_input *input;
    og_fsck_output *out;
    og_str branch;                           /* being checked; "" = none */
    const og_graph__branch *life_of;         /* the same, as far as it has an id: */
    char branch_id[OG_GRAPH__BRANCH_ID + 1]; /* "" = main, or unknown */
    /* What was checked for another branch: names of table versions, and of pairs of these. */
    og_strmap *seen;
    /* Commits of ours by somebody, of all branches, which have a row; text in the arena. */
    OG_VEC(og_commit_info) authored;
    og_arena *arena;
    uint64_t rows_read;
    uint64_t places; /* paths that lead elsewhere, */
    og_buf old_root; /* and the folder to which they lead, as far as can be told */
} og_graph__fsck;

/* What follows something that is there is missing for a while only when its writer is at it: one
 * looks so many times, each after twice as long as the one before. */
#define OG_GRAPH__LOOKS 5
#define OG_GRAPH__FIRST_WAIT_US 10000

/* Tell of a finding on the present branch, unless that was deleted meanwhile: then it means
 * nothing. */
OG_NODISCARD og_status og_graph__fsck_tell(og_graph__fsck *f, og_finding_kind kind,
                                           og_str table_key, og_error *err, const char *fmt, ...)
    OG_PRINTF(5, 6);
/* The same for a finding that is repaired already. */
OG_NODISCARD og_status og_graph__fsck_tell_repaired(og_graph__fsck *f, og_finding_kind kind,
                                                    og_str table_key, og_error *err,
                                                    const char *fmt, ...) OG_PRINTF(5, 6);
/* Turn a failed look at the graph, with `status` and `problem`, into a finding. A failure of this
 * process itself (memory, cancelled) is returned instead. Does nothing when `status` is OG_OK. */
OG_NODISCARD og_status og_graph__fsck_judge(og_graph__fsck *f, og_status status,
                                            og_finding_kind kind, og_str table_key,
                                            const og_error *problem, og_error *err);
/* *out is true the first time this is called for a text. */
OG_NODISCARD og_status og_graph__fsck_first_time(og_graph__fsck *f, og_str what, bool *out,
                                                 og_error *err);

/* Count rows that were looked at. OG_CANCELLED when the caller wants to stop. */
OG_NODISCARD og_status og_graph__fsck_progress(og_graph__fsck *f, uint64_t rows, og_error *err);
/* The start of a text, as much as a message shows. */
og_str og_graph__fsck_shown(og_str text);

/* ---- tuples of values by their hashes (fsck_tally.c) */

/* Hashes of the tuples in some columns of a table. When there are too many for memory, the table is
 * read in several passes, each taking the hashes that are `pass` modulo `passes`. */
typedef struct og_graph__hashes {
    OG_VEC(uint64_t) items; /* of the current pass, ascending */
    uint64_t pass, passes;
} og_graph__hashes;
void og_graph__hashes_deinit(og_graph__hashes *hashes);
/* How many passes a table needs. */
uint64_t og_graph__passes_for(const og_lance_table *table);
/* The hash of a tuple as og_graph__tuple_encode makes it; a tuple of one text is that text. */
static inline uint64_t og_graph__tuple_hash(og_str tuple)
{
    return og_hash64(tuple.ptr, tuple.len);
}
static inline bool og_graph__is_of_pass(const og_graph__hashes *hashes, uint64_t hash)
{
    return hash % hashes->passes == hashes->pass;
}
/* Collect the hashes of the current pass over the table; tuples with a null are left out. */
OG_NODISCARD og_status og_graph__hashes_collect(og_graph__fsck *f, og_lance_table *table,
                                                const uint32_t *fields, uint32_t field_count,
                                                og_graph__hashes *out, og_error *err);
bool og_graph__hashes_have(const og_graph__hashes *hashes, uint64_t hash);

/* Call `take` for each batch of these columns. Errors of reading the
 * table are returned as they are. */
typedef og_status (*og_graph__batch_fn)(void *context, const og_batch *batch, og_error *err);
OG_NODISCARD og_status og_graph__each_batch(og_graph__fsck *f, og_lance_table *table,
                                            const uint32_t *fields, uint32_t field_count,
                                            og_graph__batch_fn take, void *context, og_error *err);

/* A rule: each tuple that occurs must occur in `low` to `high` rows.
 * Tuples with a null are exempt. */
typedef struct og_graph__rule {
    og_finding_kind kind;
    og_str table_key;
    const uint32_t *fields; /* of the table */
    uint32_t field_count;
    uint64_t low, high;
    const char *what;  /* what messages call a tuple: "id" */
    bool counts_edges; /* the rows are edges of a source */
} og_graph__rule;
OG_NODISCARD og_status og_graph__fsck_tally(og_graph__fsck *f, og_lance_table *table,
                                            const og_graph__rule *rule, og_error *err);

/* ---- parts of the check */

/* Did the content of this table version give findings? Looking further would only repeat them. */
bool og_graph__fsck_is_broken(const og_graph__fsck *f, const og_lance_table *table);

/* Check every table of the snapshot by itself (fsck_table.c). */
OG_NODISCARD og_status og_graph__fsck_tables(og_graph__fsck *f, og_snapshot *snapshot,
                                             og_error *err);
/* Read a version of a dataset completely; its problems are findings of `kind`. *out_problems,
 * their count, may be NULL. */
OG_NODISCARD og_status og_graph__fsck_content(og_graph__fsck *f, og_lance_table *table,
                                              og_finding_kind kind, og_str table_key,
                                              uint64_t *out_problems, og_error *err);
/* Check ids, @unique, @card and values of all tables, and the ends of all edges (fsck_rows.c). */
OG_NODISCARD og_status og_graph__fsck_rows(og_graph__fsck *f, og_snapshot *snapshot, og_error *err);
/* Find values of a column that stand in two rows; `what` is what messages call one: "id". */
OG_NODISCARD og_status og_graph__fsck_unique(og_graph__fsck *f, og_lance_table *table,
                                             uint32_t field, og_finding_kind kind, og_str table_key,
                                             const char *what, og_error *err);
/* Check each value of a table by itself (fsck_values.c). */
OG_NODISCARD og_status og_graph__fsck_values(og_graph__fsck *f, const og_type_def *def,
                                             og_lance_table *table, og_error *err);
/* Check the indices of a table against its rows (fsck_index.c). */
OG_NODISCARD og_status og_graph__fsck_indices(og_graph__fsck *f, og_lance_table *table, og_str key,
                                              og_error *err);
/* Check `_schema.ir.json` and `__schema_state.json`,
 * and look for schema changes under way (fsck_schema.c). */
OG_NODISCARD og_status og_graph__fsck_schema(og_graph__fsck *f, og_error *err);
/* Count paths that lead elsewhere, in the rows of a `__manifest` or in the manifest of a table
 * (fsck_place.c). */
OG_NODISCARD og_status og_graph__fsck_rows_lead(og_graph__fsck *f, og_lance_table *manifest,
                                                const og_graph__state *state, og_error *err);
void og_graph__fsck_bases_lead(og_graph__fsck *f, const og_lance_table *table);
/* Tell of all paths that were counted. */
OG_NODISCARD og_status og_graph__fsck_places(og_graph__fsck *f, og_error *err);
/* Check the commit DAG of the snapshot's branch (fsck_history.c). */
OG_NODISCARD og_status og_graph__fsck_history(og_graph__fsck *f, og_snapshot *snapshot,
                                              og_error *err);
/* Check the table of actors, when all branches have been looked at. */
OG_NODISCARD og_status og_graph__fsck_actors(og_graph__fsck *f, og_error *err);

#endif
