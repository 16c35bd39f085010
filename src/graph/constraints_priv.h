/* graph/constraints_priv - what is remembered of an operation until its constraints are checked. */
#ifndef OG_GRAPH_CONSTRAINTS_PRIV_H
#define OG_GRAPH_CONSTRAINTS_PRIV_H

#include "base/map.h"
#include "base/vec.h"
#include "graph/constraints.h"

/* The state of an id of a type: what the operation does to it. */
#define OG_GRAPH__NAMED 0u         /* only named, as an edge's end */
#define OG_GRAPH__REMOVED 1u       /* its stored row goes */
#define OG_GRAPH__FIRST_WRITTEN 2u /* and above: written, as row number state - 2 */

/* The first edge that named an id which was not written by then. */
typedef struct og_graph__end {
    uint32_t id;        /* index in the node type's ids */
    uint32_t edge_type; /* index of the edge type, with OG_GRAPH__IS_DST when `id` is its dst */
    uint32_t row, line;
} og_graph__end;
#define OG_GRAPH__IS_DST (1u << 31)

/* The edges of one type at a source. */
typedef struct og_graph__degree {
    uint32_t count;  /* written by the operation */
    uint32_t stored; /* there before, and staying */
    uint32_t line;   /* of the last record that wrote one */
    bool touched;
} og_graph__degree;

/* One @unique of a type. */
typedef struct og_graph__unique {
    int32_t *columns; /* of the table */
    uint32_t column_count;
    bool has_nested;   /* of a list, vector or blob: not checked, as in the reference */
    og_strmap *tuples; /* encoded tuple -> row | line << 32; NULL until the first */
} og_graph__unique;

/* What the operation does to one type. */
typedef struct og_graph__type_checks {
    const og_type_def *def;
    bool replaced;
    og_strmap *ids; /* id -> index into states; NULL until the first */
    OG_VEC(uint32_t) states;
    OG_VEC(og_graph__end) ends;       /* nodes: in order of input */
    og_graph__unique *uniques;        /* one for each of def->uniques */
    OG_VEC(og_graph__degree) degrees; /* edges with @card: by id index of the source */
} og_graph__type_checks;

struct og_graph__checks {
    const og_catalog *catalog;
    og_graph__type_checks *nodes, *edges;
    og_buf scratch; /* encoded tuples */
};

static inline og_graph__type_checks *og_graph__checks_of(const og_graph__checks *checks,
                                                         const og_type_def *def)
{
    return def->is_edge ? &checks->edges[def->index] : &checks->nodes[def->index];
}

/* State of an id, or NAMED when it does not occur. */
static inline uint32_t og_graph__id_state(const og_graph__type_checks *t, og_str id)
{
    uint64_t *index = t->ids != NULL ? og_strmap_get(t->ids, id) : NULL;
    return index != NULL ? t->states.items[*index] : OG_GRAPH__NAMED;
}

static inline bool og_graph__has_card(const og_type_def *edge)
{
    return edge->card_min > 0 || edge->card_max != UINT32_MAX;
}

/* ---- constraints_unique.c */
OG_NODISCARD og_status og_graph__uniques_init(og_graph__type_checks *t, og_error *err);
void og_graph__uniques_deinit(og_graph__type_checks *t);
/* Encode the tuple of a row as bytes that are equal if and only if the tuples are. *out_exempt:
 * a part is null, and the bytes mean nothing. */
OG_NODISCARD og_status og_graph__tuple_encode(og_buf *out, const og_array *const *columns,
                                              uint32_t count, int64_t row, bool *out_exempt,
                                              og_error *err);
/* A value that is not null, as messages show it. */
bool og_graph__write_value(og_buf *out, const og_array *column, int64_t row);
/* OG_INVALID when a stored row that stays has a tuple of a written one. */
OG_NODISCARD og_status og_graph__uniques_finish(og_graph__checks *checks,
                                                const og_graph__type_checks *t, og_txn *txn,
                                                og_error *err);

/* OG_INVALID when one of these stored rows has a tuple of a written one. `ids` are theirs,
 * `columns` those of the tuple; rows that the operation removes or writes don't count. */
OG_NODISCARD og_status og_graph__uniques_probe(og_graph__checks *checks,
                                               const og_graph__type_checks *t,
                                               const og_graph__unique *u, const og_array *ids,
                                               const og_array *const *columns, og_error *err);

/* ---- constraints_stored.c */
/* Count the edges at touched sources, those stored in the snapshot and those written,
 * and check the counts against @card. */
OG_NODISCARD og_status og_graph__cards_check(const og_graph__checks *checks,
                                             og_graph__type_checks *edge, og_snapshot *snapshot,
                                             og_error *err);

/* A scan of some columns of a table. */
typedef struct og_graph__column_scan {
    og_lance_scan *scan; /* NULL: no rows */
    og_batch batch;      /* the current one; columns in the order asked for */
} og_graph__column_scan;
OG_NODISCARD og_status og_graph__column_scan_open(og_lance_table *table, const og_str *names,
                                                  uint32_t count, og_graph__column_scan *out,
                                                  og_error *err);
/* Read the next rows into scan->batch; its row_count is 0 at the end. */
OG_NODISCARD og_status og_graph__column_scan_next(og_graph__column_scan *scan, og_error *err);
void og_graph__column_scan_close(og_graph__column_scan *scan);
#define OG_GRAPH__AUTO_SCAN                                                                        \
    __attribute__((cleanup(og_graph__column_scan_close))) og_graph__column_scan

#endif
