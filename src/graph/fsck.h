/* graph/fsck - look at everything a graph has, and report what does not agree.
 *
 * On every branch it checks: the ref; `__manifest` and the state in it; each pinned table version,
 * which is read completely (files, deletion files, row ids, values, BTREE indices); heads above
 * pins; ids that occur twice; edges without an end; what the schema says of values, @unique and
 * @card; the commit DAG; and the absolute paths that the reference goes by. Then it looks at what
 * interrupted operations have left. It only reads, unless asked to repair.
 *
 * A branch that is deleted, or made again, while it is looked at gives no findings.
 *
 * A finding is damage, a leftover of an interrupted write, or just a note. Cost: every pinned
 * version is read once, and columns with rules once more for each rule. Memory is bounded: values
 * are compared by 64-bit hashes, part by part. */
#ifndef OG_GRAPH_FSCK_H
#define OG_GRAPH_FSCK_H

#include "graph/repo.h"

typedef enum og_finding_kind {
    OG_FINDING_GRAPH,     /* it can't be opened */
    OG_FINDING_BRANCH,    /* a branch's ref */
    OG_FINDING_UNBORN,    /* a branch's first version, which follows its ref, is missing */
    OG_FINDING_MANIFEST,  /* `__manifest` of a branch, or its rows */
    OG_FINDING_HEAD_FILE, /* the head file differs from the rows */
    OG_FINDING_TABLE,     /* a version that is pinned can't be opened */
    OG_FINDING_CONTENT,   /* its files or rows do not agree */
    OG_FINDING_ROW_COUNT, /* `__manifest` has another count of rows */
    OG_FINDING_HEAD,      /* a version above the pin */
    OG_FINDING_INDEX,     /* an index without files, or not of the table's rows */
    OG_FINDING_DUPLICATE_ID,
    OG_FINDING_MISSING_ENDPOINT,
    OG_FINDING_UNIQUE,        /* rows that share the values of a @unique */
    OG_FINDING_CARDINALITY,   /* a source with more or fewer edges than @card allows */
    OG_FINDING_VALUE,         /* a value that the schema does not allow */
    OG_FINDING_HISTORY,       /* a commit whose parent or version is not there */
    OG_FINDING_COMMIT_TABLE,  /* the commit DAG's tables: torn, or rows missing */
    OG_FINDING_SCHEMA,        /* the files derived from the schema's source */
    OG_FINDING_SCHEMA_CHANGE, /* a schema change that was begun */
    OG_FINDING_PLACE,         /* absolute paths that lead elsewhere: one finding for all */
    OG_FINDING_SIDECAR,
    OG_FINDING_NEWER_SIDECAR,
    OG_FINDING_QUARANTINED,
    OG_FINDING_KINDS,
} og_finding_kind;

typedef enum og_finding_level {
    OG_FINDING_DAMAGE,   /* answers are or may be wrong or missing, or rows break the schema */
    OG_FINDING_LEFTOVER, /* of an interrupted write; no answer shows it */
    OG_FINDING_NOTE,     /* nothing is wrong for us: the graph counts as clean */
} og_finding_level;

/* What findings of a kind have in common. */
typedef struct og_finding_class {
    const char *id; /* "duplicate-id" */
    og_finding_level level;
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
    /* Repair what can be repaired safely: the commit DAG's tables, first versions of
     * branches, heads above pins, a wrong head file, derived schema files. */
    bool repair;
    /* Called for each finding, in order; anything but OG_OK ends the check with that status. */
    og_status (*found)(void *context, const og_finding *finding, og_error *err);
    /* Called now and then with the count of rows read so far, where rows read several times count
     * several times; may be NULL. A nonzero return ends the check with OG_CANCELLED. */
    int (*progress)(void *context, uint64_t rows);
    void *context; /* of both */
} og_fsck_input;

typedef struct og_fsck_output {
    uint64_t branches, tables, rows; /* checked; a version pinned by two branches counts once */
    uint64_t findings, repaired;     /* without notes */
    uint64_t notes;
} og_fsck_output;

/* Open and check the graph at `uri`. OG_NOT_FOUND when there is none.
 * What is wrong with a graph is a finding, not an error. */
OG_NODISCARD og_status og_fsck_run(const char *uri, const og_repo_options *options,
                                   const og_fsck_input *input, og_fsck_output *out, og_error *err);

#endif
