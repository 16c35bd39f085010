/* The commits of a branch: parents and versions that are there, and the tables in which the
 * reference looks for them. */
#include <inttypes.h>
#include <stdio.h>

#include "graph/dag.h"
#include "graph/fsck_priv.h"
#include "graph/history.h"
#include "graph/layout.h"

/* A commit's row follows it; who is at it is given so many looks, each after twice as long as the
 * one before. */
#define LOOKS 5
#define FIRST_WAIT_US 10000

static const og_str no_table = {"", 0};

/* ---- commits ------------------------------------------------------------------------------ */

static og_status check_commit(og_graph__fsck *f, og_history *history, const og_commit_info *commit,
                              const og_snapshot *newest, og_error *err)
{
    const og_commit_info *parent = NULL;
    if (commit->parent.len > 0)
        OG_TRY(og_history_find(history, commit->parent, &parent, err));
    if (commit->parent.len > 0 && parent == NULL)
        OG_TRY(og_graph__fsck_tell(f, OG_FINDING_HISTORY, no_table, err,
                                   "the parent %.*s of commit %.*s is not there",
                                   OG_FMT(commit->parent), OG_FMT(commit->id)));
    og_str branch = commit->branch.len > 0 ? commit->branch : OG_STR(OG_GRAPH__MAIN);
    if (og_str_is(branch, newest->branch) && commit->manifest_version > newest->manifest_version)
        OG_TRY(og_graph__fsck_tell(
            f, OG_FINDING_HISTORY, no_table, err,
            "commit %.*s made version %" PRIu64 ", the newest one is %" PRIu64, OG_FMT(commit->id),
            commit->manifest_version, newest->manifest_version));
    return OG_OK;
}

/* Add rows of commits that the tables miss; `last` is the newest of these. */
static og_status add_rows(og_graph__fsck *f, og_graph__snapshot *at, const og_commit_info *last,
                          og_error *err)
{
    og_graph__dag dag;
    og_graph__op op = {.actor = last->actor,
                       .branch = last->branch,
                       .branch_id = og_str_of(at->branch_id),
                       .at_us = last->created_at_us};
    snprintf(op.commit_id, sizeof op.commit_id, "%.*s", OG_FMT(last->id));
    snprintf(op.parent_id, sizeof op.parent_id, "%.*s", OG_FMT(last->parent));
    snprintf(op.merged_parent_id, sizeof op.merged_parent_id, "%.*s", OG_FMT(last->merged_parent));
    OG_TRY(og_graph__dag_open(f->repo, at->branch, at->state, &dag, err));
    dag.is_complete = false;
    og_status s =
        og_graph__dag_append(f->repo, &dag, at->manifest, &op, last->manifest_version, err);
    og_graph__dag_deinit(&dag);
    return s;
}

/* Commits that have no row, and the last of them. */
static og_status count_missing(og_history *history, size_t *out, const og_commit_info **out_last,
                               og_error *err)
{
    size_t count;
    const og_commit_info *commits;
    OG_TRY(og_history_commits(history, &commits, &count, err));
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (commits[i].has_row)
            continue;
        ++*out;
        *out_last = &commits[i];
    }
    return OG_OK;
}

/* The history of the branch, with a row for each commit if that only takes a while. */
static og_status open_history(og_graph__fsck *f, const char *branch, og_history **out,
                              og_error *err)
{
    OG_TRY(og_history_open(f->repo, branch, out, err));
    int64_t wait_us = FIRST_WAIT_US;
    const og_commit_info *last;
    size_t missing;
    OG_TRY(count_missing(*out, &missing, &last, err));
    for (int look = 1; look < LOOKS && missing > 0; look++, wait_us *= 2) {
        og_history_free(OG_TAKE(*out));
        og_clock_sleep(f->repo->clock, wait_us);
        OG_TRY(og_history_open(f->repo, branch, out, err));
        OG_TRY(count_missing(*out, &missing, &last, err));
    }
    return OG_OK;
}

static og_status check_rows(og_graph__fsck *f, og_history *history, og_graph__snapshot *at,
                            og_error *err)
{
    static const char message[] = "%s misses %zu commits, the last one is %.*s";
    const og_commit_info *last = NULL;
    size_t missing;
    OG_TRY(count_missing(history, &missing, &last, err));
    if (missing == 0)
        return OG_OK;
    const char *path = at->branch->commits_path;
    if (f->input->repair && add_rows(f, at, last, NULL) == OG_OK)
        return og_graph__fsck_tell_repaired(f, OG_FINDING_COMMIT_TABLE, no_table, err, message,
                                            path, missing, OG_FMT(last->id));
    return og_graph__fsck_tell(f, OG_FINDING_COMMIT_TABLE, no_table, err, message, path, missing,
                               OG_FMT(last->id));
}

/* ---- the tables --------------------------------------------------------------------------- */

static og_status check_data_set(og_graph__fsck *f, const char *path, og_error *err)
{
    og_error problem;
    uint64_t version;
    bool is_new;
    OG_TRY(og_graph__fsck_first_time(f, og_str_of(path), &is_new, err));
    if (!is_new)
        return OG_OK;
    OG_AUTO(og_lance_table) table = NULL;
    og_status s = og_lance_latest_version(f->repo->env, path, 0, &version, &problem);
    if (s == OG_OK)
        s = og_lance_table_open(f->repo->env, path, version, 0, &table, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_COMMIT_TABLE, no_table, &problem, err);
    return og_graph__fsck_content(f, table, OG_FINDING_COMMIT_TABLE, no_table, NULL, err);
}

og_status og_graph__fsck_history(og_graph__fsck *f, og_snapshot *snapshot, og_error *err)
{
    og_graph__snapshot *at = og_graph__snapshot_of(snapshot);
    OG_AUTO(og_history) history = NULL;
    og_error problem;
    og_status s = open_history(f, at->branch->name, &history, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_HISTORY, no_table, &problem, err);
    /* The graph may have gone on since the snapshot was taken, by repairs, too. */
    OG_AUTO(og_snapshot) newest = NULL;
    OG_TRY(og_repo_snapshot(f->repo, at->branch->name, &newest, err));
    size_t count;
    const og_commit_info *commits;
    OG_TRY(og_history_commits(history, &commits, &count, err));
    for (size_t i = 0; i < count; i++)
        OG_TRY(check_commit(f, history, &commits[i], newest, err));
    OG_TRY(check_rows(f, history, at, err)); /* first: it repairs the tables, too */
    OG_TRY(check_data_set(f, at->branch->commits_path, err));
    return check_data_set(f, OG_GRAPH__ACTORS, err);
}
