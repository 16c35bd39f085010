/* One commit, on whichever branch.
 *
 * An id says when it was made. So each branch is first read back to that time only, which finds a
 * commit unless clocks disagreed; before it counts as absent, all branches are read to their
 * ends. */
#include "base/id.h"
#include "base/vec.h"
#include "graph/history.h"
#include "graph/layout.h"
#include "graph/repo_priv.h"

#define ULID_LENGTH 26

typedef struct search {
    og_repo *repo;
    og_str id;
    int64_t made_us; /* INT64_MIN = unknown */
    og_arena *arena;
    OG_VEC(const char *) branches; /* to be read to their ends; NULL = main */
    og_history *history;           /* of the branch that knows it; owned */
    const og_commit_info *found;
} search;

static void search_deinit(search *s)
{
    og_vec_deinit(&s->branches);
    og_arena_free(s->arena);
}

static bool is_before(const og_commit_info *commit, int64_t us)
{
    return commit->created_at_us < us;
}

/* Look among all that is known; of operations behind the newest `seen`, which are then as many as
 * are known. */
static const og_commit_info *find_known(const og_history *h, og_str id, size_t *seen)
{
    size_t count;
    const og_commit_info *const *known = og_graph__history_known(h, &count);
    const og_commit_info *found = og_graph__history_peek(h, id);
    for (; *seen < count && found == NULL; ++*seen)
        if (id.len > 0 && og_str_eq(known[*seen]->op, id))
            found = known[*seen];
    return found;
}

/* Read back to the time the id was made, or to the end. */
static og_status read_back(search *s, og_history *h, bool to_end, og_error *err)
{
    size_t seen = 0, count;
    OG_TRY(og_graph__history_grow(h, err));
    for (;;) {
        s->found = find_known(h, s->id, &seen);
        const og_commit_info *const *known = og_graph__history_known(h, &count);
        if (s->found != NULL || og_graph__history_is_whole(h) ||
            (!to_end && is_before(known[count - 1], s->made_us)))
            return OG_OK;
        OG_TRY(og_graph__history_grow(h, err));
        if (og_graph__history_is_whole(h))
            seen = 0; /* it may have been read anew */
    }
}

/* *out_whole: all that the branch knows was looked at. */
static og_status search_branch(search *s, const char *branch, bool to_end, bool *out_whole,
                               og_error *err)
{
    OG_AUTO(og_history) history = NULL;
    OG_TRY(og_history_open(s->repo, branch, &history, err));
    OG_TRY(read_back(s, history, to_end, err));
    *out_whole = og_graph__history_is_whole(history);
    if (s->found != NULL)
        s->history = OG_TAKE(history);
    return OG_OK;
}

static const char *name_of(const char *branch)
{
    return branch != NULL ? branch : OG_GRAPH__MAIN;
}

/* Look at all branches of the list; those that are not looked at to their ends stay in it. */
static og_status search_branches(search *s, bool to_end, og_error *err)
{
    size_t left = 0;
    for (size_t i = 0; i < s->branches.len && s->found == NULL; i++) {
        const char *branch = s->branches.items[i];
        bool is_whole = true;
        og_status status = search_branch(s, branch, to_end, &is_whole, err);
        if (status != OG_OK && (status != OG_NOT_FOUND || branch == NULL))
            return og_error_context(err, status, "branch '%s'", name_of(branch));
        if (!is_whole) /* ... and not deleted since it was listed */
            s->branches.items[left++] = branch;
    }
    s->branches.len = left;
    return OG_OK;
}

/* All but main. */
static og_status list_branches(search *s, og_error *err)
{
    og_str *names;
    size_t count;
    OG_TRY(og_lance_branch_list(s->repo->store, OG_GRAPH__MANIFEST, s->arena, &names, &count, err));
    for (size_t i = 0; i < count; i++) {
        og_str name = og_arena_str(s->arena, names[i]);
        if (name.ptr == NULL || !og_vec_push(&s->branches, name.ptr))
            return og_error_nomem(err);
    }
    return OG_OK;
}

static og_status add_main(search *s, og_error *err)
{
    return og_vec_push(&s->branches, NULL) ? OG_OK : og_error_nomem(err);
}

/* ---- what was not found ------------------------------------------------------------------- */

static og_status look_for_abort(const search *s, const char *branch, bool *out, og_error *err)
{
    OG_AUTO(og_snapshot) snapshot = NULL;
    og_graph__op_fate fate;
    OG_TRY(og_repo_snapshot(s->repo, branch, &snapshot, err));
    OG_TRY(og_graph__op_fate_of(og_graph__snapshot_of(snapshot)->manifest, s->id, &fate, err));
    *out = fate == OG_GRAPH__OP_ABORTED;
    return OG_OK;
}

/* Does a branch say so of the operation? */
static og_status was_aborted(search *s, bool *out, og_error *err)
{
    *out = false;
    if (s->id.len != ULID_LENGTH)
        return OG_OK;
    s->branches.len = 0;
    OG_TRY(add_main(s, err));
    OG_TRY(list_branches(s, err));
    for (size_t i = 0; i < s->branches.len && !*out; i++) {
        og_status status = look_for_abort(s, s->branches.items[i], out, err);
        if (status != OG_OK && status != OG_NOT_FOUND)
            return og_error_context(err, status, "branch '%s'", name_of(s->branches.items[i]));
    }
    return OG_OK;
}

static og_status not_found(search *s, og_error *err)
{
    bool is_aborted;
    OG_TRY(was_aborted(s, &is_aborted, err));
    if (is_aborted)
        return og_error_set(
            err, OG_NOT_FOUND,
            "operation '%.*s' was aborted: nothing of it was published, and nothing "
            "ever will be",
            OG_FMT(s->id));
    og_error_set(err, OG_NOT_FOUND, "commit '%.*s' not found", OG_FMT(s->id));
    og_error_hint(err, s->id.len == ULID_LENGTH
                           ? "It was of a branch that is deleted, or no operation of this id was "
                             "published; one whose writer still runs may be."
                           : "The commits of a branch: omnigraph commit list");
    return OG_NOT_FOUND;
}

/* Main comes first, and the other branches are not even listed when it has the commit. */
static og_status run(search *s, og_error *err)
{
    s->arena = og_arena_new(0);
    if (s->arena == NULL)
        return og_error_nomem(err);
    OG_TRY(add_main(s, err));
    OG_TRY(search_branches(s, false, err));
    if (s->found != NULL)
        return OG_OK;
    bool is_main_left = s->branches.len > 0;
    s->branches.len = 0;
    OG_TRY(list_branches(s, err));
    OG_TRY(search_branches(s, false, err));
    if (is_main_left)
        OG_TRY(add_main(s, err));
    return s->found != NULL ? OG_OK : search_branches(s, true, err);
}

og_status og_history_find_any(og_repo *repo, og_str id, og_history **out_history,
                              const og_commit_info **out_commit, og_error *err)
{
    bool has_time = og_ulid_valid(id);
    search s = {
        .repo = repo, .id = id, .made_us = has_time ? (int64_t)og_ulid_ms(id) * 1000 : INT64_MIN};
    og_status status = run(&s, err);
    if (status == OG_OK && s.found == NULL)
        status = not_found(&s, err);
    if (status == OG_OK) {
        *out_commit = s.found;
        *out_history = s.history;
    }
    search_deinit(&s);
    return status;
}
