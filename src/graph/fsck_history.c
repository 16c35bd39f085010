/* The commits of a branch: parents and versions that are there, and the tables in which the
 * reference looks for them. */
#include <inttypes.h>

#include "graph/dag.h"
#include "graph/fsck_priv.h"
#include "graph/history.h"
#include "graph/layout.h"
#include "lance/table/verify.h"

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
    int64_t wait_us = OG_GRAPH__FIRST_WAIT_US;
    const og_commit_info *last;
    size_t missing;
    OG_TRY(count_missing(*out, &missing, &last, err));
    for (int look = 1; look < OG_GRAPH__LOOKS && missing > 0; look++, wait_us *= 2) {
        og_history_free(OG_TAKE(*out));
        og_clock_sleep(f->repo->clock, wait_us);
        OG_TRY(og_history_open(f->repo, branch, out, err));
        OG_TRY(count_missing(*out, &missing, &last, err));
    }
    return OG_OK;
}

/* ---- the tables --------------------------------------------------------------------------- */

static void take_first(void *context, const og_error *problem)
{
    og_error *first = context;
    if (first->status == OG_OK)
        *first = *problem;
}

/* Is the newest version of a data set whole? The status of the first problem, and the problem. */
static og_status look_at(og_graph__fsck *f, const char *path, og_error *out)
{
    uint64_t version;
    og_lance_verified verified;
    OG_AUTO(og_lance_table) table = NULL;
    OG_TRY(og_lance_latest_version(f->repo->env, path, 0, &version, out));
    OG_TRY(og_lance_table_open(f->repo->env, path, version, 0, &table, out));
    og_error first = {.status = OG_OK};
    OG_TRY(og_lance_table_verify(table, take_first, &first, &verified, out));
    if (first.status != OG_OK)
        *out = first;
    return first.status;
}

static bool is_damage(og_status status)
{
    return status == OG_CORRUPT || status == OG_NOT_FOUND;
}

/* `lost`: rows that the repair could not make again. */
static og_status tell_data_set(og_graph__fsck *f, og_status status, const og_error *problem,
                               bool repaired, uint64_t lost, og_error *err)
{
    if (status != OG_OK && repaired && lost > 0)
        return og_graph__fsck_tell_repaired(
            f, OG_FINDING_COMMIT_TABLE, no_table, err,
            "%s; %" PRIu64 " row%s of another program's, which stood there only, %s lost",
            problem->message, lost, lost == 1 ? "" : "s", lost == 1 ? "is" : "are");
    if (status != OG_OK && repaired)
        return og_graph__fsck_tell_repaired(f, OG_FINDING_COMMIT_TABLE, no_table, err, "%s",
                                            problem->message);
    return og_graph__fsck_judge(f, status, OG_FINDING_COMMIT_TABLE, no_table, problem, err);
}

/* `what`: of the commits; "" = themselves. */
static og_status tell_missing(og_graph__fsck *f, const char *path, size_t missing, const char *what,
                              const og_commit_info *last, bool repaired, og_error *err)
{
    static const char message[] = "%s misses %s%zu commits, the last one is %.*s";
    if (missing == 0)
        return OG_OK;
    if (repaired)
        return og_graph__fsck_tell_repaired(f, OG_FINDING_COMMIT_TABLE, no_table, err, message,
                                            path, what, missing, OG_FMT(last->id));
    return og_graph__fsck_tell(f, OG_FINDING_COMMIT_TABLE, no_table, err, message, path, what,
                               missing, OG_FMT(last->id));
}

/* Check the table of a branch's commits. *history is renewed by a repair. */
static og_status check_table(og_graph__fsck *f, og_graph__snapshot *at, og_history **history,
                             og_error *err)
{
    size_t missing, count;
    const og_commit_info *last = NULL, *commits;
    const char *path = at->branch->commits_path;
    og_error problem;
    uint64_t lost = 0;
    OG_TRY(count_missing(*history, &missing, &last, err));
    OG_TRY(og_history_commits(*history, &commits, &count, err));
    og_status s = look_at(f, path, &problem);
    bool repaired = f->input->repair && (is_damage(s) || (s == OG_OK && missing > 0)) &&
                    og_graph__dag_repair(f->repo, at->branch, og_str_of(at->branch_id),
                                         is_damage(s), commits, count, &lost, NULL) == OG_OK;
    OG_TRY(tell_data_set(f, s, &problem, repaired, lost, err));
    OG_TRY(tell_missing(f, path, missing, "", last, repaired, err));
    if (!repaired)
        return OG_OK;
    og_history_free(OG_TAKE(*history));
    return og_history_open(f->repo, at->branch->name, history, err);
}

/* ---- actors ------------------------------------------------------------------------------- */

/* Remember the commits whose actors are to stand in the table of these. It is filled after the
 * commits' table: who adds a row there adds the actor's. */
static og_status note_actors(og_graph__fsck *f, const og_commit_info *commits, size_t count,
                             og_error *err)
{
    for (size_t i = 0; i < count; i++) {
        og_commit_info commit = commits[i];
        bool is_new;
        if (commit.actor.len == 0 || commit.op.len == 0 || !commit.has_row)
            continue;
        OG_TRY(og_graph__fsck_first_time(f, commit.id, &is_new, err));
        if (!is_new)
            continue;
        commit = (og_commit_info){.id = og_arena_str(f->arena, commit.id),
                                  .actor = og_arena_str(f->arena, commit.actor),
                                  .created_at_us = commit.created_at_us};
        if (commit.id.ptr == NULL || commit.actor.ptr == NULL || !og_vec_push(&f->authored, commit))
            return og_error_nomem(err);
    }
    return OG_OK;
}

/* Commits that miss their actor, if that does not only take a while, and the last of them. */
static og_status find_actorless(og_graph__fsck *f, size_t *out_count,
                                const og_commit_info **out_last, og_error *err)
{
    int64_t wait_us = OG_GRAPH__FIRST_WAIT_US;
    for (int look = 1;; look++, wait_us *= 2) {
        OG_TRY(og_graph__dag_find_actorless(f->repo, f->authored.items, f->authored.len, out_count,
                                            out_last, err));
        if (*out_count == 0 || look == OG_GRAPH__LOOKS)
            return OG_OK;
        og_clock_sleep(f->repo->clock, wait_us);
    }
}

og_status og_graph__fsck_actors(og_graph__fsck *f, og_error *err)
{
    og_error problem;
    uint64_t lost = 0;
    size_t missing = 0;
    const og_commit_info *last = NULL;
    og_status s = look_at(f, OG_GRAPH__ACTORS, &problem);
    if (s == OG_OK)
        s = find_actorless(f, &missing, &last, &problem);
    bool repaired = f->input->repair && (is_damage(s) || (s == OG_OK && missing > 0)) &&
                    og_graph__dag_repair_actors(f->repo, is_damage(s), f->authored.items,
                                                f->authored.len, &lost, NULL) == OG_OK;
    OG_TRY(tell_data_set(f, s, &problem, repaired, lost, err));
    return tell_missing(f, OG_GRAPH__ACTORS, missing, "the actors of ", last, repaired, err);
}

/* ---- all of it ---------------------------------------------------------------------------- */

og_status og_graph__fsck_history(og_graph__fsck *f, og_snapshot *snapshot, og_error *err)
{
    og_graph__snapshot *at = og_graph__snapshot_of(snapshot);
    OG_AUTO(og_history) history = NULL;
    og_error problem;
    og_status s = open_history(f, at->branch->name, &history, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_HISTORY, no_table, &problem, err);
    OG_TRY(check_table(f, at, &history, err)); /* first: commits that it gives back are there */
    /* The graph may have gone on since the snapshot was taken, by repairs, too. */
    OG_AUTO(og_snapshot) newest = NULL;
    s = og_repo_snapshot(f->repo, at->branch->name, &newest, &problem);
    if (s != OG_OK)
        return og_graph__fsck_judge(f, s, OG_FINDING_MANIFEST, no_table, &problem, err);
    size_t count;
    const og_commit_info *commits;
    OG_TRY(og_history_commits(history, &commits, &count, err));
    OG_TRY(note_actors(f, commits, count, err));
    for (size_t i = 0; i < count; i++)
        OG_TRY(check_commit(f, history, &commits[i], newest, err));
    return OG_OK;
}
