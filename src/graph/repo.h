/* graph/repo - one graph opened: its store, its checked schema, its caches and its newest snapshot.
 *
 * A graph is a folder (or prefix) with `__manifest`, one dataset per type under nodes/ and edges/,
 * the schema files and the commit DAG (docs/dev/storage.md). A repo may be shared by threads. Reads
 * need no lock and never write user data; derived files under `_omnigraph/` may be written when
 * allowed. */
#ifndef OG_GRAPH_REPO_H
#define OG_GRAPH_REPO_H

#include "base/arena.h"
#include "base/id.h"
#include "base/timeval.h"
#include "exec/snapshot.h"
#include "store/store.h"

typedef struct og_repo og_repo;

typedef struct og_repo_options {
    size_t cache_bytes;      /* decoded columns, open files; 0 = 256 MiB */
    size_t topology_bytes;   /* directories and topologies; 0 = 512 MiB */
    bool no_derived;         /* write nothing under _omnigraph/ */
    size_t history_rows;     /* of `__manifest`, which a history reads first; 0 = chosen */
    og_store *store;         /* borrowed; NULL = open `uri` as a folder */
    const og_clock *clock;   /* NULL = system */
    const og_random *random; /* NULL = system */
} og_repo_options;

/* Open an existing graph. OG_NOT_FOUND "no graph at ..." when there is none;
 * OG_UNSUPPORTED when its internal schema is newer ("upgrade omnigraph first"); OG_CORRUPT
 * when schema files disagree. */
OG_NODISCARD og_status og_repo_open(const char *uri, const og_repo_options *options, og_repo **out,
                                    og_error *err);
void og_repo_close(og_repo *repo);
OG_DEFINE_AUTO(og_repo, og_repo_close)

/* Make a new graph of schema text. Crash-safe: an interrupted init leaves no graph and may be
 * repeated. An existing graph is OG_EXISTS unless `force`, which replaces it: the new graph is
 * complete before the old one goes. */
OG_NODISCARD og_status og_repo_init(const char *uri, og_str schema_source, bool force,
                                    const og_repo_options *options, og_error *err);

const char *og_repo_uri(const og_repo *repo);
og_catalog *og_repo_catalog(const og_repo *repo);
og_str og_repo_schema_source(const og_repo *repo);
og_lance_env *og_repo_env(og_repo *repo);
int64_t og_repo_now_us(const og_repo *repo);
/* An id from the repo's clock and randomness. */
og_ulid og_repo_new_ulid(const og_repo *repo);

/* The newest snapshot of a branch (NULL: main), a reference. A cached one is revalidated by one
 * probe of the store and, unless the branch is main, one look at its ref. OG_NOT_FOUND for a branch
 * that does not exist. */
OG_NODISCARD og_status og_repo_snapshot(og_repo *repo, const char *branch, og_snapshot **out,
                                        og_error *err);

/* The outcome of an operation that read a snapshot. When a file was not found because a cleanup took
 * it meanwhile, that is said: OG_CONFLICT, and to run the operation again. Any other `status`, and
 * its error, stay as they are; so they do for an earlier state, whose time may be over. */
OG_NODISCARD og_status og_repo_read_outcome(og_snapshot *snapshot, og_status status, og_error *err);

/* Names of all branches, main among them, by bytes; in `arena`. */
OG_NODISCARD og_status og_repo_branches(og_repo *repo, og_arena *arena, og_str **out_names,
                                        size_t *out_count, og_error *err);

/* What `snapshot` shows of a table. */
typedef struct og_table_info {
    og_str table_key;
    og_str table_path;
    og_str table_branch; /* "" = main */
    uint64_t version;
    uint64_t row_count;
} og_table_info;
/* In order of table_key (bytes); borrowed from the snapshot, which must come from a repo. */
const og_table_info *og_snapshot_tables(const og_snapshot *snapshot, size_t *out_count);
/* The commit by which a snapshot of the past was found; "" otherwise. */
const char *og_snapshot_commit(const og_snapshot *snapshot);

#endif
