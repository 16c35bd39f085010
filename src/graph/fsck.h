/* graph/fsck - look at everything a graph has, and say what does not agree.
 *
 * Of every branch: its ref, `__manifest` and the state in it, each table version that is pinned (read
 * whole: files, deletion files, row ids, indices, values), heads above pins, ids that occur twice, edges
 * without an end, the commit DAG, and the places that the reference goes by; then what operations
 * under way have left. Reads only, unless asked to repair.
 *
 * A finding is damage, when answers are or may be wrong or missing; or a leftover, which no answer shows:
 * of an interrupted write, or of a move. Cost: every pinned version is read once; memory is bounded (ids
 * are compared by 64-bit hashes, part by part). */
#ifndef OG_GRAPH_FSCK_H
#define OG_GRAPH_FSCK_H

#include "graph/repo.h"

typedef enum og_finding_kind {
    OG_FINDING_GRAPH,     /* it can't be opened */
    OG_FINDING_BRANCH,    /* a branch's ref */
    OG_FINDING_MANIFEST,  /* `__manifest` of a branch, or its rows */
    OG_FINDING_HEAD_FILE, /* the head file says otherwise than the rows */
    OG_FINDING_TABLE,     /* a version that is pinned can't be opened */
    OG_FINDING_CONTENT,   /* its files or rows do not agree */
    OG_FINDING_ROW_COUNT, /* `__manifest` counts otherwise */
    OG_FINDING_HEAD,      /* a version above the pin */
    OG_FINDING_INDEX,     /* an index without files */
    OG_FINDING_DUPLICATE_ID,
    OG_FINDING_MISSING_ENDPOINT,
    OG_FINDING_HISTORY,      /* a commit whose parent or version is not there */
    OG_FINDING_COMMIT_TABLE, /* the commit DAG's tables: torn, or rows missing */
    OG_FINDING_PLACE,        /* an absolute path that leads elsewhere */
    OG_FINDING_SIDECAR,
    OG_FINDING_QUARANTINED,
    OG_FINDING_KINDS,
} og_finding_kind;

/* What findings of a kind have in common. */
typedef struct og_finding_class {
    const char *id;     /* "duplicate-id" */
    bool is_damage;     /* else a leftover */
    const char *advice; /* what to do: full sentences */
} og_finding_class;
extern const og_finding_class og_finding_classes[OG_FINDING_KINDS];

typedef struct og_finding {
    og_finding_kind kind;
    og_str branch;       /* "" = of the whole graph */
    og_str table_key;    /* "" = of no table */
    const char *message; /* what is wrong: one line, no trailing stop */
    bool repaired;
} og_finding;

typedef struct og_fsck_input {
    bool repair; /* what is safe: missing DAG rows, heads above pins, a wrong head file */
    /* Told of each finding, in order; anything but OG_OK ends the check with that. */
    og_status (*found)(void *context, const og_finding *finding, og_error *err);
    void *context;
} og_fsck_input;

typedef struct og_fsck_output {
    uint64_t branches, tables,
        rows; /* looked at; a version pinned by several branches counts once */
    uint64_t findings, repaired;
} og_fsck_output;

/* Check the graph at `uri`, which is opened for it. OG_NOT_FOUND when there is none. What is wrong with it
 * is no error. */
OG_NODISCARD og_status og_fsck_run(const char *uri, const og_repo_options *options,
                                   const og_fsck_input *input, og_fsck_output *out, og_error *err);

#endif
