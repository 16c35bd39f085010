#include "graph/target.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/id.h"
#include "base/number.h"
#include "base/timeval.h"
#include "graph/history.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"

/* Branches of branches of branches: more than this is a circle. */
#define MAX_FORKS 1000

/* "v12"; where a branch may stand, digits alone are no version: one may be called so. */
static bool is_version(const char *text, uint64_t *out)
{
    return text[0] == 'v' && og_parse_u64(og_str_of(text + 1), out);
}

/* Where no branch may stand: "v12" or "12". */
static bool is_version_or_digits(const char *text, uint64_t *out)
{
    return is_version(text, out) || og_parse_u64(og_str_of(text), out);
}

void og_target_set_snapshot(og_target *target, const char *text)
{
    bool names_version = is_version_or_digits(text, &target->version);
    target->kind = names_version ? OG_TARGET_VERSION : OG_TARGET_COMMIT;
    target->commit = text;
}

/* The microseconds that a time's fraction has beyond its milliseconds. */
static int64_t microseconds(const char *text)
{
    const char *dot = strchr(text, '.');
    int64_t us = 0;
    if (dot == NULL)
        return 0;
    const char *digit = dot + 1;
    for (int place = 0; place < 6; place++)
        us = us * 10 + (*digit >= '0' && *digit <= '9' ? *digit++ - '0' : 0);
    return us % 1000;
}

/* What people write besides the texts of data, which are the reference's: no seconds, "UTC". */
static bool parse_time(og_str text, int64_t *out_ms)
{
    char full[64];
    if (og_parse_datetime(text, out_ms))
        return true;
    text = og_str_trim(text);
    bool is_utc = og_str_ends(text, OG_STR("UTC"));
    if (is_utc)
        text = og_str_trim(og_str_slice(text, 0, text.len - 3));
    size_t minutes = strlen("2026-11-01T09:30");
    bool no_seconds = text.len >= minutes && text.ptr[minutes - 3] == ':' &&
                      (text.len == minutes || strchr("Zz+- ", text.ptr[minutes]) != NULL);
    og_str start = og_str_slice(text, 0, no_seconds ? minutes : text.len);
    og_str zone = og_str_slice(text, start.len, text.len);
    int len = snprintf(full, sizeof full, "%.*s%s%.*s%s", OG_FMT(start), no_seconds ? ":00" : "",
                       OG_FMT(zone), is_utc ? "Z" : "");
    return len > 0 && (size_t)len < sizeof full && og_parse_datetime(og_str_of(full), out_ms);
}

og_status og_target_set_moment(og_target *target, const char *text, og_error *err)
{
    int64_t ms;
    if (is_version_or_digits(text, &target->version)) {
        target->kind = OG_TARGET_VERSION;
        return OG_OK;
    }
    if (!parse_time(og_str_of(text), &ms)) {
        og_error_set(err, OG_INVALID, "'%s' is neither a time nor a version", text);
        if (og_ulid_valid(og_str_of(text)))
            og_error_hint(err,
                          "It looks like the id of a commit: give that with --snapshot, and to "
                          "diff without a branch and @.");
        else
            og_error_hint(err,
                          "Give a time like 2026-11-01, '2026-11-01 09:30' or "
                          "2026-11-01T09:30:00+02:00 (UTC without an offset), or the number of a "
                          "version.");
        return OG_INVALID;
    }
    target->kind = OG_TARGET_TIME;
    target->time_us = ms * 1000 + microseconds(text);
    return OG_OK;
}

/* Where a branch may stand, a commit is written in capitals, as it is shown. */
static bool is_commit(const char *text)
{
    og_ulid ulid;
    return og_ulid_valid(og_str_of(text)) &&
           og_str_is(og_ulid_canonical(og_str_of(text), &ulid), text);
}

og_status og_target_parse(og_arena *arena, const char *text, const char *branch, og_target *out,
                          og_error *err)
{
    *out = (og_target){.kind = OG_TARGET_BRANCH, .branch = branch};
    const char *at = strchr(text, '@');
    if (at == NULL) {
        if (is_version(text, &out->version))
            out->kind = OG_TARGET_VERSION;
        else if (is_commit(text))
            *out = (og_target){.kind = OG_TARGET_COMMIT, .commit = text};
        else
            *out =
                (og_target){.branch = text, .commit = og_ulid_valid(og_str_of(text)) ? text : NULL};
        return OG_OK;
    }
    if (at > text) {
        out->branch = og_arena_str(arena, (og_str){text, (size_t)(at - text)}).ptr;
        if (out->branch == NULL)
            return og_error_nomem(err);
    }
    if (at[1] == '\0')
        return OG_OK;
    return og_target_set_moment(out, at + 1, err);
}

/* ---- opening ------------------------------------------------------------------------------ */

/* The state that version `version` of a branch's `__manifest` says;
 * `commit` is how it was found, or "". */
static og_status open_version(og_repo *repo, const char *branch, uint64_t version, og_str commit,
                              og_snapshot **out, og_error *err)
{
    OG_AUTO(og_snapshot) newest = NULL;
    OG_TRY(og_repo_snapshot(repo, branch, &newest, err));
    if (version == 0) /* to the layer below: the newest */
        return og_error_set(err, OG_NOT_FOUND, "branch '%s' has no version 0", newest->branch);
    const og_graph__snapshot *at = og_graph__snapshot_of(newest);
    char id[OG_GRAPH__BRANCH_ID + 1];
    uint64_t first;
    OG_TRY(og_graph__branch_life(repo, at->branch, id, &first, err));
    if (version < first) /* what may stand there is of an earlier branch of the name */
        return og_error_set(err, OG_NOT_FOUND,
                            "branch '%s' has no version %" PRIu64 ": it begins with %" PRIu64,
                            newest->branch, version, first);
    OG_AUTO(og_lance_table) manifest = NULL;
    og_status s =
        og_lance_table_open(repo->env, at->branch->manifest_path, version, 0, &manifest, err);
    if (s == OG_NOT_FOUND && version < newest->manifest_version) {
        og_error_set(err, OG_NOT_FOUND, "version %" PRIu64 " of branch '%s' was cleaned away",
                     version, newest->branch);
        og_graph__hint_cleaned(err);
        return OG_NOT_FOUND;
    }
    if (s == OG_NOT_FOUND)
        return og_error_set(err, OG_NOT_FOUND,
                            "branch '%s' has no version %" PRIu64 " yet; its newest is %" PRIu64,
                            newest->branch, version, newest->manifest_version);
    OG_TRY(s);
    OG_AUTO(og_graph__state) state = NULL;
    if (version == newest->manifest_version)
        state = og_graph__state_ref(at->state);
    else
        OG_TRY(og_graph__state_read_before(manifest, at->state, at->manifest, &state, err));
    OG_TRY(
        og_graph__snapshot_new(repo, at->branch, at->branch_id, state, manifest, newest, out, err));
    og_graph__snapshot *snapshot = og_graph__snapshot_of(*out);
    snapshot->is_past = version < newest->manifest_version;
    snprintf(snapshot->commit_id, sizeof snapshot->commit_id, "%.*s", OG_FMT(commit));
    return OG_OK;
}

static og_status open_commit(og_repo *repo, const og_commit_info *commit, og_snapshot **out,
                             og_error *err)
{
    char branch[256] = "main";
    if (commit->branch.len >= sizeof branch)
        return og_error_set(err, OG_CORRUPT, "the branch of commit %.*s has too long a name",
                            OG_FMT(commit->id));
    if (commit->branch.len > 0)
        snprintf(branch, sizeof branch, "%.*s", OG_FMT(commit->branch));
    og_status s = open_version(repo, branch, commit->manifest_version, commit->id, out, err);
    return s == OG_OK ? s : og_error_context(err, s, "commit %.*s", OG_FMT(commit->id));
}

/* ---- a moment ----------------------------------------------------------------------------- */

/* `first_us`: when the first commit was made; it is told rounded up, so that it can be given. */
static og_status too_early(const og_target *target, int64_t first_us, og_error *err)
{
    OG_AUTO_BUF time = OG_BUF_INIT;
    OG_AUTO_BUF first = OG_BUF_INIT;
    if (!og_format_datetime(&time, target->time_us / 1000, true, false) ||
        !og_format_datetime(&first, (first_us + 999) / 1000, true, false))
        return og_error_nomem(err);
    og_error_set(err, OG_NOT_FOUND, "branch '%s' has no commit at or before %.*s",
                 target->branch != NULL ? target->branch : "main", OG_FMT(og_buf_view(&time)));
    if (first_us > target->time_us)
        og_error_hint(err, "Its first commit is of %.*s.", OG_FMT(og_buf_view(&first)));
    return OG_NOT_FOUND;
}

static og_status at_time(og_repo *repo, const og_target *target, og_snapshot **out, og_error *err)
{
    OG_AUTO(og_history) history = NULL;
    OG_TRY(og_history_open(repo, target->branch, &history, err));
    const og_commit_info *commit;
    size_t newer = 0;
    int64_t first_us = target->time_us;
    do {
        OG_TRY(og_history_at(history, newer++, &commit, err));
        if (commit != NULL)
            first_us = commit->created_at_us;
    } while (commit != NULL && first_us > target->time_us);
    return commit != NULL ? open_commit(repo, commit, out, err) : too_early(target, first_us, err);
}

/* Versions before the one at which a branch was made are its parent's. */
static og_status at_version(og_repo *repo, const og_target *target, og_snapshot **out,
                            og_error *err)
{
    OG_AUTO(og_arena) arena = og_arena_new(0);
    og_graph__branch *branch;
    if (arena == NULL)
        return og_error_nomem(err);
    OG_TRY(og_graph__branch_get(repo, target->branch, &branch, err));
    for (int depth = 0; !branch->is_main; depth++) {
        og_lance_ref ref;
        if (depth == MAX_FORKS)
            return og_error_set(err, OG_CORRUPT, "the line of forks of branch '%s' has no end",
                                target->branch);
        OG_TRY(og_graph__branch_ref(repo, branch, arena, &ref, err));
        if (target->version >= ref.parent_version)
            break;
        og_str parent = og_arena_str(arena, ref.parent);
        if (parent.ptr == NULL)
            return og_error_nomem(err);
        OG_TRY(og_graph__branch_get(repo, parent.len > 0 ? parent.ptr : NULL, &branch, err));
    }
    return open_version(repo, branch->name, target->version, OG_STR(""), out, err);
}

static og_status at_commit(og_repo *repo, const og_target *target, og_snapshot **out, og_error *err)
{
    OG_AUTO(og_history) history = NULL;
    const og_commit_info *commit;
    og_ulid ulid;
    OG_TRY(og_history_find_any(repo, og_ulid_canonical(og_str_of(target->commit), &ulid), &history,
                               &commit, err));
    return open_commit(repo, commit, out, err);
}

static og_status at_branch(og_repo *repo, const og_target *target, og_snapshot **out, og_error *err)
{
    og_status s = og_repo_snapshot(repo, target->branch, out, err);
    return s == OG_NOT_FOUND && target->commit != NULL ? at_commit(repo, target, out, err) : s;
}

og_status og_repo_snapshot_at(og_repo *repo, const og_target *target, og_snapshot **out,
                              og_error *err)
{
    switch (target->kind) {
    case OG_TARGET_COMMIT:
        return at_commit(repo, target, out, err);
    case OG_TARGET_VERSION:
        return at_version(repo, target, out, err);
    case OG_TARGET_TIME:
        return at_time(repo, target, out, err);
    case OG_TARGET_BRANCH:
    default:
        return at_branch(repo, target, out, err);
    }
}
