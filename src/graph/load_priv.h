/* graph/load_priv - a load while it runs.
 *
 * load.c takes records apart, load_table.c collects the rows of one type in chunks and writes each
 * chunk when it is full. Nothing is visible before the commit at the end. */
#ifndef OG_GRAPH_LOAD_PRIV_H
#define OG_GRAPH_LOAD_PRIV_H

#include "base/vec.h"
#include "graph/constraints.h"
#include "graph/load.h"
#include "graph/repo_priv.h"
#include "graph/rowset.h"

/* A chunk is written when it has OG_BATCH_ROWS rows, or when the text of its records had this many
 * bytes; all chunks together hold at most OG_GRAPH__ALL_CHUNKS bytes. */
#define OG_GRAPH__CHUNK_BYTES ((size_t)4 << 20)
#define OG_GRAPH__ALL_CHUNKS ((size_t)32 << 20)

/* A type that occurs in the input. */
typedef struct og_graph__load_table {
    const og_type_def *def; /* NULL: has not occurred */
    og_lance_write *write;  /* borrowed from the txn */
    bool replaces;          /* merge into a table with rows: an UPDATE */
    bool probes;            /* given ids are looked up among the stored ones */
    bool has_copies;        /* merge: some stored ids occur more than once */
    og_graph__rowset *rows; /* the chunk */
    uint32_t lines[OG_BATCH_ROWS];
    bool made_ids[OG_BATCH_ROWS]; /* the row's id was made here, so no stored row has it */
    uint32_t given_ids;           /* rows of the chunk with an id that was given */
    size_t chunk_bytes;
    uint32_t written;              /* rows before the chunk */
    og_graph__value *values;       /* of the current record, by property */
    OG_VEC(uint32_t) last_members; /* properties of the record before, in order of its members */
} og_graph__load_table;

typedef struct og_graph__load {
    og_repo *repo;
    const og_load_input *input;
    const og_catalog *catalog;
    og_txn *txn;
    og_graph__checks *checks;
    og_graph__load_table **nodes, **edges; /* by index of the type; NULL until it occurs */
    size_t chunk_bytes;                    /* of all tables */
    og_lenient_counts lenient;
    og_buf scratch; /* text of an id */
    og_ulid_series made_ids;
} og_graph__load;

/* The table of a type, begun when the type occurs first. */
OG_NODISCARD og_status og_graph__load_table_of(og_graph__load *load, const og_type_def *def,
                                               og_graph__load_table **out, og_error *err);
void og_graph__load_table_free(og_graph__load_table *table);

/* A record without its properties, which are in table->values. */
typedef struct og_graph__record {
    og_str id; /* ptr NULL: make one */
    og_str src, dst;
    uint32_t line;
    size_t bytes; /* of its text */
} og_graph__record;
/* Append the record's row to the chunk. */
OG_NODISCARD og_status og_graph__load_append(og_graph__load *load, og_graph__load_table *table,
                                             const og_graph__record *record, og_error *err);
/* Write what is left of all chunks. */
OG_NODISCARD og_status og_graph__load_flush_all(og_graph__load *load, og_error *err);
/* Merge: delete the further copies of replaced rows whose id a table has more than once. */
OG_NODISCARD og_status og_graph__load_drop_copies(og_graph__load *load, og_error *err);

static inline uint32_t og_graph__load_rows(const og_graph__load_table *table)
{
    return table->written + (uint32_t)og_graph__rowset_rows(table->rows);
}

#endif
